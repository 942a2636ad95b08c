// The minimal gated unit for the engine (Zhou et al. 2016, arXiv:1603.09420); examples/cell_of_your_own.py declares it.
//
//   f = sigmoid(W_if x + b_if + W_hf h + b_hf)      n = tanh(W_in x + b_in + W_hn (f * h) + b_hn)
//   h' = (1 - f) * h + f * n
//
// The candidate's recurrent product waits for f, so it is a phase of its own. Gate gradients stand as n, f: phase one's
// recurrent product needs f's alone, and the input product both.
#pragma once

#include "penstock/step.hpp"

namespace PENSTOCK_ISA {
namespace {

// saved: [f, n, f * h]      gate gradients: [n, f]
struct Mgu {
    static constexpr Traits traits{.form = "mgu", .states = 1, .G = 2, .S = 3, .D = 2,
                                   .x_slot = 0, .input_order = {1, 0}, .h_slot = 1, .h_gates = 1,
                                   .late_gate = 1, .late_slot = 0, .mid_slot = 2};

    static void forward(const ForwardStep& t, const Products& q, Range rows, Range blocks) {
        for_vectors(rows, blocks, [&](At a) {
            const V f = sigmoid(t.input(a, 0) + q(a, 0)), fh = f * t.before(a);
            t.save(a, 0, f);
            t.save(a, 2, fh);
            store(t.keep(a), f);
            store(t.mid(a), fh);  // what phase two multiplies
        });
    }
    static void forward_two(const ForwardStep& t, const Products& q, Range rows, Range blocks) {
        const V one = splat(1.0f);
        for_vectors(rows, blocks, [&](At a) {
            const V f = load(t.keep(a)), n = tanh(t.input(a, 1) + q(a, 0));
            t.save(a, 1, n);
            t.output(a, fma(f, n, (one - f) * t.before(a)));
        });
    }

    static void backward(const BackwardStep& t, Range rows, Range blocks) {
        const V one = splat(1.0f);
        for_vectors(rows, blocks, [&](At a) {
            const V dh = t.output_gradient(a), f = t.saved(a, 0), n = t.saved(a, 1);
            t.gate(a, 0, dh * f * (one - n * n));
            t.gate(a, 1, dh * (n - t.h_before(a)));  // of f, but for its part in f * h
            store(t.dh(a), dh * (one - f));
        });
    }
    // After the product that takes the candidate's gradient back through W_hn: dmid is d(f * h).
    static void backward_two(const BackwardStep& t, Range rows, Range blocks) {
        const V one = splat(1.0f);
        for_vectors(rows, blocks, [&](At a) {
            const V d = load(t.dmid(a)), f = t.saved(a, 0);
            t.gate(a, 1, fma(d, t.h_before(a), t.gate(a, 1)) * f * (one - f));
            store(t.dh(a), fma(d, f, load(t.dh(a))));
        });
    }
};

}  // namespace
}  // namespace PENSTOCK_ISA
