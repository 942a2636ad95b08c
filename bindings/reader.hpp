// Reads and makes PyTorch tensors without linking to PyTorch.
#pragma once

#include <nanobind/nanobind.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "checks.hpp"

namespace penstock {

// C-contiguous memory of the CPU with one to three axes.
struct View {
    float* data = nullptr;
    int axes = 0;
    std::array<std::int64_t, 3> shape{};
    nb::object storage;  // held, so that the memory stays if another thread gives the tensor another storage

    std::span<const std::int64_t> sizes() const { return {shape.data(), std::size_t(axes)}; }
    std::int64_t numel() const;
    bool is(std::initializer_list<std::int64_t> other) const;
    bool empty() const { return numel() == 0; }
};

struct Exchange;  // DLPack's table of functions, in reader.cpp

class Reader {
   public:
    // by_attributes: read tensors by their Python attributes, even if PyTorch (2.10 and later) has the DLPack exchange API.
    explicit Reader(bool by_attributes);

    // Describes a float32 tensor; returns false for anything else. The memory may be used only after `secure`.
    bool describe(PyObject* tensor, View& view) const { return describe(tensor, view, Type::kFloat); }
    // Checks that the whole view is inside the tensor's storage, which may have been freed or shrunk, and holds the storage.
    void secure(PyObject* tensor, View& view, const char* what) const;
    // `describe`, then `secure`.
    bool read(PyObject* tensor, View& view, const char* what) const;
    // `read`, with an error if the tensor does not fit.
    View expect(nb::handle tensor, const char* what) const;
    // A copy of an int64 tensor (n,).
    std::vector<std::int64_t> whole_numbers(nb::handle tensor, const char* what) const;
    // How often a tensor was changed in place; false for an inference tensor, which does not count changes.
    bool version(PyObject* tensor, std::uint64_t& version) const;
    // A new tensor, not initialised.
    nb::object fresh(nb::handle like, std::span<const std::int64_t> shape, float*& data) const;
    nb::object fresh(nb::handle like, std::initializer_list<std::int64_t> shape, float*& data) const {
        return fresh(like, std::span(shape.begin(), shape.size()), data);
    }

   private:
    enum class Type { kFloat, kWhole };

    bool describe(PyObject* tensor, View& view, Type type) const;
    bool describe_exchanged(PyObject* tensor, View& view, Type type) const;
    bool describe_attributes(PyObject* tensor, View& view, Type type) const;

    nb::object tensor_, parameter_, float32_, int64_, capsule_;
    nb::object storage_of_, storage_bytes_, storage_data_;  // methods of a tensor, and of its storage
    const Exchange* exchange_ = nullptr;
};

// An attribute of a Python object, by a name that is interned once.
enum Name { kVersion, kNewEmpty, kDataPtr, kDtype, kShape, kIsCpu, kIsContiguous, kLayer };
nb::object attribute(PyObject* of, Name name);

}  // namespace penstock
