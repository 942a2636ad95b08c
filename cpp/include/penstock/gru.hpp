// Gated recurrent unit in its two published forms. docs/cells/gru.md
//
//   r, z = sigmoid(...)      h' = (1 - z) * n + z * h
//   reset after (cuDNN, PyTorch):         n = tanh(W_in x + b_in + r * (W_hn h + b_hn))
//   reset before (Cho et al. 2014, v3):   n = tanh(W_in x + b_in + W_hn (r * h) + b_hn)
//
// The order of the gates is r, z, n. The order of the gate gradients is n, r, z, and then n's recurrent part, so that the
// gradients for the input product and those for the recurrent product are both contiguous.
#pragma once

#include "step.hpp"

namespace PENSTOCK_ISA {
namespace {

// saved: [r, z, n, W_hn h + b_hn]      gate gradients: [n, r, z, n * r]
struct GruAfter {
    static constexpr Traits traits{.form = "gru reset_after", .states = 1, .G = 3, .S = 4, .D = 4,
                                   .x_slot = 0, .input_order = {2, 0, 1}, .h_slot = 1, .h_gates = 3};

    static void forward(const ForwardStep& t, const Products& q, Range rows, Range blocks) {
        const V one = splat(1.0f);
        for_vectors(rows, blocks, [&](At a) {
            q.put(a, 0, sigmoid(t.input(a, 0) + q(a, 0)));
            q.put(a, 1, sigmoid(t.input(a, 1) + q(a, 1)));
        });
        for_vectors(rows, blocks, [&](At a) {
            const V r = q(a, 0), z = q(a, 1), hn = q(a, 2);
            const V n = tanh(fma(r, hn, t.input(a, 2)));
            t.save(a, 0, r);
            t.save(a, 1, z);
            t.save(a, 2, n);
            t.save(a, 3, hn);
            t.output(a, fma(z, t.before(a), (one - z) * n));
        });
    }

    static void backward(const BackwardStep& t, Range rows, Range blocks) {
        const V one = splat(1.0f);
        for_vectors(rows, blocks, [&](At a) {
            const V dh = t.output_gradient(a), h = t.h_before(a);
            const V r = t.saved(a, 0), z = t.saved(a, 1), n = t.saved(a, 2), hn = t.saved(a, 3);
            const V dn = dh * (one - z) * (one - n * n);
            t.gate(a, 0, dn);
            t.gate(a, 1, dn * hn * r * (one - r));
            t.gate(a, 2, dh * (h - n) * z * (one - z));
            t.gate(a, 3, dn * r);
            store(t.dh(a), dh * z);
        });
    }
};

// saved: [r, z, n, r * h]      gate gradients: [n, r, z]
struct GruBefore {
    static constexpr Traits traits{.form = "gru", .states = 1, .G = 3, .S = 4, .D = 3,
                                   .x_slot = 0, .input_order = {2, 0, 1}, .h_slot = 1, .h_gates = 2,
                                   .late_gate = 2, .late_slot = 0, .mid_slot = 3};

    static void forward(const ForwardStep& t, const Products& q, Range rows, Range blocks) {
        for_vectors(rows, blocks, [&](At a) {
            const V r = sigmoid(t.input(a, 0) + q(a, 0)), z = sigmoid(t.input(a, 1) + q(a, 1));
            const V rh = r * t.before(a);
            t.save(a, 0, r);
            t.save(a, 1, z);
            t.save(a, 3, rh);
            store(t.keep(a), z);
            store(t.mid(a), rh);
        });
    }
    static void forward_two(const ForwardStep& t, const Products& q, Range rows, Range blocks) {
        const V one = splat(1.0f);
        for_vectors(rows, blocks, [&](At a) {
            const V z = load(t.keep(a)), n = tanh(t.input(a, 2) + q(a, 0));
            t.save(a, 2, n);
            t.output(a, fma(z, t.before(a), (one - z) * n));
        });
    }

    static void backward(const BackwardStep& t, Range rows, Range blocks) {
        const V one = splat(1.0f);
        for_vectors(rows, blocks, [&](At a) {
            const V dh = t.output_gradient(a), z = t.saved(a, 1), n = t.saved(a, 2);
            t.gate(a, 0, dh * (one - z) * (one - n * n));
            t.gate(a, 2, dh * (t.h_before(a) - n) * z * (one - z));
            store(t.dh(a), dh * z);
        });
    }
    // After the product that carries the candidate's gradient back through W_hn: dmid is d(r * h).
    static void backward_two(const BackwardStep& t, Range rows, Range blocks) {
        const V one = splat(1.0f);
        for_vectors(rows, blocks, [&](At a) {
            const V d = load(t.dmid(a)), r = t.saved(a, 0);
            t.gate(a, 1, d * t.h_before(a) * r * (one - r));
            store(t.dh(a), fma(d, r, load(t.dh(a))));
        });
    }
};

}  // namespace
}  // namespace PENSTOCK_ISA
