// The engine's calls on PyTorch's tensors, which are read and made without linking to PyTorch.
#pragma once

#include <nanobind/nanobind.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "native_layer.hpp"

namespace penstock {

// C-contiguous float32 memory of the CPU, of one to three axes.
struct View {
    float* data = nullptr;
    int axes = 0;
    std::array<std::int64_t, 3> shape{};

    std::span<const std::int64_t> sizes() const { return {shape.data(), std::size_t(axes)}; }
    bool is(std::initializer_list<std::int64_t> other) const;
    bool empty() const;
};

struct Exchange;  // DLPack's table of functions

class Tensors {
   public:
    // exchange: the capsule of torch.Tensor's DLPack exchange API, which PyTorch 2.10 brought; None before
    Tensors(nanobind::object tensor, nanobind::object parameter, nanobind::object float32, nanobind::object exchange);

    // Whether there is nothing out of the ordinary about a call on sequences of one length: all tensors C-contiguous
    // float32 on the CPU, of the right shapes, no layer stale. Where there is, it is for the caller to find out what.
    // bounds: of a stack of layers, each with `layer` and `stale`; parameters: a module's; names: for each layer those
    // of its own
    bool fits(nanobind::tuple bounds, nanobind::handle x, nanobind::tuple state, nanobind::dict parameters,
              nanobind::tuple names, bool batch_first) const;
    // Such a call without a graph: y, and the last state or a tuple of them; None where it does not fit.
    nanobind::object dense(nanobind::tuple bounds, nanobind::handle x, nanobind::tuple state, nanobind::dict parameters,
                           nanobind::tuple names, bool batch_first, int threads) const;
    // And for one step: x (batch, input), states (batch, size) -> the new states, or None.
    nanobind::object step(nanobind::tuple bounds, nanobind::handle x, nanobind::tuple state, nanobind::dict parameters,
                          nanobind::tuple names, int threads) const;

    // Any layout: y, each last state, and at the end, unless `lend` is None, what the backward pass needs: if that is large, in
    // the tensor that lend(floats) gives. `penstock/nn` has checked x and the state.
    nanobind::tuple forward(NativeLayer& layer, nanobind::handle x, nanobind::tuple state, nanobind::list weights,
                            int layout, int steps, int batch, nanobind::handle lengths, nanobind::handle batch_sizes,
                            bool repack, nanobind::object lend, int threads) const;
    // Gradients of x, the states and the weights in turn, None where not wanted. gradients: of y and each final state,
    // None for zeros.
    nanobind::list backward(const NativeLayer& layer, nanobind::handle x, nanobind::tuple state,
                            nanobind::list weights, int layout, int steps, int batch, nanobind::handle lengths,
                            nanobind::handle batch_sizes, nanobind::handle y, nanobind::handle saved,
                            nanobind::list gradients, nanobind::sequence wanted, int threads) const;

   private:
    using Pointers = std::array<float*, kMostStates>;
    struct Weights;
    struct Plain;

    bool read(PyObject* tensor, View& view) const;
    bool read_exchanged(PyObject* tensor, View& view) const;
    bool read_attributes(PyObject* tensor, View& view) const;
    View expect(nanobind::handle tensor, const char* what) const;
    float* optional(nanobind::handle tensor) const;
    // The states that stand in a sequence from `from` on, None for a null: how many; none, or all that the cell has.
    std::size_t read_states(const NativeLayer& layer, nanobind::handle given, std::size_t from, const char* what,
                            Pointers& to) const;
    Weights expect_weights(const NativeLayer& layer, nanobind::list given) const;
    template <class Find>
    bool read_weights(const NativeLayer& layer, std::size_t given, Find find, Weights& weights) const;
    bool read_plain(nanobind::tuple bounds, nanobind::handle x, nanobind::tuple state, nanobind::dict parameters,
                    nanobind::tuple names, int axes, int batch_axis, Plain& call) const;
    nanobind::object fresh(nanobind::handle like, std::span<const std::int64_t> shape, float*& data) const;
    nanobind::object fresh(nanobind::handle like, std::initializer_list<std::int64_t> shape, float*& data) const;
    // The cell's states, each (*axes, its size).
    nanobind::tuple fresh_states(const NativeLayer& layer, nanobind::handle like, std::initializer_list<std::int64_t> axes,
                                 Pointers& to) const;

    nanobind::object tensor_, parameter_, float32_, capsule_;
    const Exchange* exchange_ = nullptr;
};

}  // namespace penstock
