// The engine's calls on PyTorch's tensors.
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

    // Whether there is nothing out of the ordinary about a call on sequences of one length: all tensors C-contiguous
    // float32 on the CPU, of the right shapes. Where there is, it is for the caller to find out what.
    // bounds: of a stack of layers, each with `layer`; parameters: a module's; names: for each layer those of its own
    bool fits(nb::tuple bounds, nb::handle x, nb::tuple state, nb::dict parameters, nb::tuple names, bool batch_first) const;
    // Such a call without a graph: y, and the last state or a tuple of them; None where it does not fit.
    nb::object dense(nb::tuple bounds, nb::handle x, nb::tuple state, nb::dict parameters, nb::tuple names,
                     bool batch_first, std::int64_t threads) const;
    // And for one step: x (batch, input), states (batch, size) -> the new states, or None.
    nb::object step(nb::tuple bounds, nb::handle x, nb::tuple state, nb::dict parameters, nb::tuple names,
                    std::int64_t threads) const;

    // Any layout: y, each last state, and at the end, unless `lend` is None, what the backward pass needs: if that is large, in
    // the tensor that lend(floats) gives.
    nb::tuple forward(nb::handle layer, nb::handle x, nb::tuple state, nb::list weights, std::int64_t layout,
                      std::int64_t steps, std::int64_t batch, nb::handle lengths, nb::handle batch_sizes, nb::object lend,
                      std::int64_t threads) const;
    // Gradients of x, the states and the weights in turn, None where not wanted. gradients: of y and each final state,
    // None for zeros.
    nb::list backward(nb::handle layer, nb::handle x, nb::tuple state, nb::list weights, std::int64_t layout,
                      std::int64_t steps, std::int64_t batch, nb::handle lengths, nb::handle batch_sizes, nb::handle y,
                      nb::handle saved, nb::list gradients, nb::sequence wanted, std::int64_t threads) const;

   private:
    using Pointers = std::array<float*, kMostStates>;
    struct Given;
    struct Plain;
    struct Sequence;

    template <class Find>
    bool describe_weights(const NativeLayer& layer, std::size_t given, Find find, Given& weights) const;
    void secure_weights(Given& weights) const;
    Given expect_weights(const NativeLayer& layer, nb::list given) const;
    bool read_plain(nb::tuple bounds, nb::handle x, nb::tuple state, nb::dict parameters, nb::tuple names, int axes,
                    int batch_axis, Plain& call) const;
    // The cell's states, each (*axes, its size).
    nb::tuple fresh_states(const NativeLayer& layer, nb::handle like, std::initializer_list<std::int64_t> axes,
                           Pointers& to) const;
    Sequence expect_sequence(const NativeLayer& layer, nb::handle x, nb::tuple state, std::int64_t layout,
                             std::int64_t steps, std::int64_t batch, nb::handle lengths, nb::handle batch_sizes) const;
    void infer(NativeLayer& layer, Given& weights, const Arrangement& rows, const ForwardCall& call, int threads) const;

    Reader reader_;
};

}  // namespace penstock
