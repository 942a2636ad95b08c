// The checks that the bindings apply to every number and array from Python before they compute an address from it.
//
// The Python code, and its caller, may be wrong or hostile, so every wrong argument must end in an exception. Threads that
// run without the GIL may change the contents of arrays during a call; the results are then undefined values. So whatever
// decides an address (lengths, sizes, places) is copied first, and the copy is checked and used. One case remains, as in
// PyTorch: nothing here can hold memory that another thread frees during a call by resizing a storage.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <atomic>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>

#include "penstock/barrier.hpp"

namespace penstock {

namespace nb = nanobind;

constexpr std::int64_t kMostUnits = 1 << 24;                             // of an input, a state, an output
constexpr std::int64_t kMostRows = std::numeric_limits<int>::max() / 2;  // steps of all sequences together

inline void require(bool good, const char* expected) {
    if (!good) throw std::invalid_argument(expected);
}

inline int in_range(std::int64_t value, std::int64_t least, std::int64_t most, const char* name) {
    if (value < least || value > most)
        throw std::invalid_argument(std::string(name) + " must be from " + std::to_string(least) + " to " +
                                    std::to_string(most) + "; got " + std::to_string(value));
    return static_cast<int>(value);
}

// Whether the size of an array, which may exceed any int, is the expected one.
inline bool is_size(std::size_t size, std::int64_t expected) { return expected >= 0 && size == std::size_t(expected); }

// The number of threads to use, at most as many as the engine can have.
inline int threads_of(std::int64_t given) {
    require(given >= 1, "threads must be 1 or more");
    return static_cast<int>(given < kMostThreads ? given : kMostThreads);
}

inline bool is_aligned(const void* data, std::size_t to) { return reinterpret_cast<std::uintptr_t>(data) % to == 0; }

// A NumPy array of exactly this type and number of axes, C-contiguous and aligned. Only NumPy arrays are accepted, because
// their memory lives as long as they do; the storage of a tensor may have been freed.
template <class Array>
Array array_of(nb::handle object, const char* expected) {
    static PyObject* const type = nb::object(nb::module_::import_("numpy").attr("ndarray")).release().ptr();
    Array array;
    if (!PyObject_TypeCheck(object.ptr(), reinterpret_cast<PyTypeObject*>(type)) ||
        !nb::try_cast<Array>(object, array, false) ||
        !is_aligned(array.size() ? array.data() : nullptr, sizeof(typename Array::Scalar)))
        throw nb::type_error(expected);
    return array;
}

// For objects whose workspace serves one call at a time: refuses a second thread during a call.
class OneCall {
   public:
    explicit OneCall(std::atomic<bool>& busy) : busy_(busy) {
        if (busy_.exchange(true)) throw std::runtime_error("another thread is using this object; give each thread its own");
    }
    OneCall(const OneCall&) = delete;
    OneCall& operator=(const OneCall&) = delete;
    ~OneCall() { busy_ = false; }

   private:
    std::atomic<bool>& busy_;
};

}  // namespace penstock
