// PyTorch's tensors, read and made without linking to PyTorch.
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

// C-contiguous memory of the CPU, of one to three axes.
struct View {
    float* data = nullptr;
    int axes = 0;
    std::array<std::int64_t, 3> shape{};
    nb::object storage;  // held, so that the memory stays where a thread gives the tensor another one

    std::span<const std::int64_t> sizes() const { return {shape.data(), std::size_t(axes)}; }
    std::int64_t numel() const;
    bool is(std::initializer_list<std::int64_t> other) const;
    bool empty() const { return numel() == 0; }
};

struct Exchange;  // DLPack's table of functions

class Reader {
   public:
    // PyTorch's types are taken from PyTorch itself. by_attributes: not by the DLPack exchange API, which PyTorch 2.10
    // brought, even where there is one.
    explicit Reader(bool by_attributes);

    // A float32 tensor, whose memory `secure` has yet to vouch for. False where it is something else.
    bool describe(PyObject* tensor, View& view) const { return describe(tensor, view, Type::kFloat); }
    // Sees that all of the view lies inside its tensor's storage, which may have been freed or shrunk since.
    void secure(PyObject* tensor, View& view, const char* what) const;
    bool read(PyObject* tensor, View& view, const char* what) const;
    // The same, an error where it does not fit.
    View expect(nb::handle tensor, const char* what) const;
    // A copy of an int64 tensor (n,).
    std::vector<std::int64_t> whole_numbers(nb::handle tensor, const char* what) const;
    // How often a tensor was changed in place; false for an inference tensor, which counts no changes.
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

// An attribute of a Python object, by a name that is made once.
enum Name { kVersion, kNewEmpty, kDataPtr, kDtype, kShape, kIsCpu, kIsContiguous, kLayer };
nb::object attribute(PyObject* of, Name name);

}  // namespace penstock
