// The engine's calls on PyTorch tensors.
#pragma once

#include <nanobind/nanobind.h>

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "native_layer.hpp"
#include "reader.hpp"

namespace penstock {

class Tensors {
   public:
    explicit Tensors(bool by_attributes) : reader_(by_attributes) {}

    // Whether a call on sequences of one length is ordinary: all tensors are C-contiguous float32 on the CPU and have the
    // right shapes. If not, the caller finds out why.
    // bounds: an object with `layer` for each layer of the stack; parameters: the module's; names: each layer's own ones
    bool fits(nb::tuple bounds, nb::handle x, nb::tuple state, nb::dict parameters, nb::tuple names, bool batch_first) const;
    // Runs such a call without a graph. Returns y, and the last state or a tuple of them; None if the call is not ordinary.
    nb::object dense(nb::tuple bounds, nb::handle x, nb::tuple state, nb::dict parameters, nb::tuple names,
                     bool batch_first, std::int64_t threads) const;
    // The same for one step: x (batch, input), states (batch, size). Returns the new states, or None.
    nb::object step(nb::tuple bounds, nb::handle x, nb::tuple state, nb::dict parameters, nb::tuple names,
                    std::int64_t threads) const;

    // One layer, in any row order (`layout`). Returns y and each last state and, unless `lend` is None, what the backward pass
    // needs; if that is large, in the tensor that lend(floats) returns. draw: the masks of zoneout (penstock::Draw) as
    // (seed, layer, first_step, numbers of the sequences or None), or None for its expectation
    nb::tuple forward(nb::handle layer, nb::handle x, nb::tuple state, nb::list weights, std::int64_t layout,
                      std::int64_t steps, std::int64_t batch, nb::handle lengths, nb::handle batch_sizes, nb::object lend,
                      std::int64_t threads, nb::handle draw) const;
    // Returns the gradients of x, the states and the weights in turn, None where not wanted. gradients: those of y and each
    // last state, None for zeros.
    nb::list backward(nb::handle layer, nb::handle x, nb::tuple state, nb::list weights, std::int64_t layout,
                      std::int64_t steps, std::int64_t batch, nb::handle lengths, nb::handle batch_sizes, nb::handle y,
                      nb::handle saved, nb::list gradients, nb::sequence wanted, std::int64_t threads,
                      nb::handle draw) const;

   private:
    using Pointers = std::array<float*, kMostStates>;
    struct LayerWeights;
    struct DenseCall;
    struct Sequence;
    struct Drawing;

    template <class Find>
    bool describe_weights(const NativeLayer& layer, std::size_t given, Find find, LayerWeights& weights) const;
    void secure_weights(LayerWeights& weights) const;
    LayerWeights expect_weights(const NativeLayer& layer, nb::list given) const;
    bool read_dense(nb::tuple bounds, nb::handle x, nb::tuple state, nb::dict parameters, nb::tuple names, int axes,
                    int batch_axis, DenseCall& call) const;
    // New tensors for the cell's states, each (*axes, its size).
    nb::tuple fresh_states(const NativeLayer& layer, nb::handle like, std::initializer_list<std::int64_t> axes,
                           Pointers& to) const;
    Sequence expect_sequence(const NativeLayer& layer, nb::handle x, nb::tuple state, std::int64_t layout,
                             std::int64_t steps, std::int64_t batch, nb::handle lengths, nb::handle batch_sizes) const;
    Drawing expect_draw(nb::handle draw, const Sequence& given) const;
    void infer(NativeLayer& layer, LayerWeights& weights, const BatchSpec& rows, const ForwardCall& call, int threads) const;

    Reader reader_;
};

}  // namespace penstock
