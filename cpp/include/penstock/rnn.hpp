// Elman network: h' = act(W_ih x + b_ih + W_hh h + b_hh), act tanh or relu (Elman 1990). docs/cells/rnn.md
#pragma once

#include "step.hpp"

namespace PENSTOCK_ISA {
namespace {

// saved: [h']      gate gradients: [act]
template <bool Relu>
struct Rnn {
    static constexpr Traits traits{.form = Relu ? "rnn nonlinearity=relu" : "rnn nonlinearity=tanh", .states = 1,
                                   .G = 1, .S = 1, .D = 1, .x_slot = 0, .input_order = {0}, .h_slot = 0, .h_gates = 1};

    static void forward(const ForwardStep& t, const Products& q, Range rows, Range blocks) {
        for_vectors(rows, blocks, [&](At a) {
            const V pre = t.input(a, 0) + q(a, 0);
            const V h = Relu ? (pre < splat(0.0f) ? V{} : pre) : tanh(pre);
            t.save(a, 0, h);
            t.output(a, h);
        });
    }

    static void backward(const BackwardStep& t, Range rows, Range blocks) {
        for_vectors(rows, blocks, [&](At a) {
            const V dh = t.output_gradient(a), h = t.saved(a, 0);
            t.gate(a, 0, Relu ? (h > splat(0.0f) ? dh : V{}) : dh * (splat(1.0f) - h * h));
            store(t.dh(a), V{});
        });
    }
};

}  // namespace
}  // namespace PENSTOCK_ISA
