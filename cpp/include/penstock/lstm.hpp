// Long short-term memory with forget gate (Gers et al. 2000), peepholes (Gers and Schmidhuber 2000: input and
// forget gate see the old cell state, the output gate the new one), projection (Sak et al. 2014). docs/cells/lstm.md
//
//   i, f, o = sigmoid(...)   g = tanh(...)   c' = f * c + i * g   h' = o * tanh(c'), or W_hr (o * tanh(c'))
#pragma once

#include "step.hpp"

namespace PENSTOCK_ISA {
namespace {

// saved: [i, f, g, o, c'] and with projection [o * tanh(c')]      gate gradients: [i, f, g, o]
template <bool Peephole, bool Projected>
struct Lstm {
    static constexpr Traits traits{.form = Peephole ? (Projected ? "lstm peephole proj_size" : "lstm peephole")
                                                    : (Projected ? "lstm proj_size" : "lstm"),
                                   .states = 2, .G = 4, .S = Projected ? 6 : 5, .D = 4,
                                   .x_slot = 0, .input_order = {0, 1, 2, 3}, .h_slot = 0, .h_gates = 4,
                                   .projected = Projected, .mid_slot = 5, .peepholes = Peephole ? 3 : 0};
    static constexpr int kCell = 1, kCellSlot = 4;  // the index of c among the states, and the slot that saves c'

    static void forward(const ForwardStep& t, const Products& q, Range rows, Range blocks) {
        for_vectors(rows, blocks, [&](At a) {
            V pi = t.input(a, 0) + q(a, 0), pf = t.input(a, 1) + q(a, 1), po = t.input(a, 3) + q(a, 3);
            if constexpr (Peephole) {
                const V c = t.state(a, kCell);
                pi = fma(t.peephole(a, 0), c, pi);
                pf = fma(t.peephole(a, 1), c, pf);
            }
            q.put(a, 0, sigmoid(pi));
            q.put(a, 1, sigmoid(pf));
            q.put(a, 2, tanh(t.input(a, 2) + q(a, 2)));
            q.put(a, 3, Peephole ? po : sigmoid(po));
        });
        for_vectors(rows, blocks, [&](At a) {
            const V i = q(a, 0), f = q(a, 1), g = q(a, 2);
            const V c_new = fma(f, t.state(a, kCell), i * g);
            V o = q(a, 3);
            if constexpr (Peephole) o = sigmoid(fma(t.peephole(a, 2), c_new, o));
            const V m = o * tanh(c_new);
            t.save(a, 0, i);
            t.save(a, 1, f);
            t.save(a, 2, g);
            t.save(a, 3, o);
            t.save(a, kCellSlot, c_new);
            t.put_state(a, kCell, c_new);
            if constexpr (Projected) {
                t.save(a, 5, m);
                store(t.mid(a), m);
            } else {
                t.output(a, m);
            }
        });
    }
    // Phase two of a projection: its product is the output. Here unit blocks are blocks of rows of W_hr.
    static void forward_two(const ForwardStep& t, const Products& q, Range rows, Range blocks) {
        for_vectors(rows, blocks, [&](At a) { t.output(a, q(a, 0)); });
    }

    // With projection: stores the gradient of its output for the product that carries it back through W_hr.
    static void backward_projection(const BackwardStep& t, Range rows, Range blocks) {
        for_vectors(rows, blocks, [&](At a) {
            store(t.dp(a), t.output_gradient(a));
            store(t.dh(a), V{});
        });
    }
    static void backward(const BackwardStep& t, Range rows, Range blocks) {
        const V one = splat(1.0f);
        for_vectors(rows, blocks, [&](At a) {
            V dm;
            if constexpr (Projected) {
                dm = load(t.dmid(a));
            } else {
                dm = t.output_gradient(a);
                store(t.dh(a), V{});
            }
            const V i = t.saved(a, 0), f = t.saved(a, 1), g = t.saved(a, 2), o = t.saved(a, 3);
            const V th = tanh(t.saved(a, kCellSlot)), c = t.state_before(a, kCell, kCellSlot);
            const V d_o = dm * th * o * (one - o);
            V dc = fma(dm * o, one - th * th, load(t.dstate(a, kCell)));
            if constexpr (Peephole) dc = fma(d_o, t.peephole(a, 2), dc);
            const V d_i = dc * g * i * (one - i), d_f = dc * c * f * (one - f);
            V dc_before = dc * f;
            if constexpr (Peephole) {
                dc_before = fma(d_i, t.peephole(a, 0), dc_before);
                dc_before = fma(d_f, t.peephole(a, 1), dc_before);
            }
            store(t.dstate(a, kCell), dc_before);
            t.gate(a, 0, d_i);
            t.gate(a, 1, d_f);
            t.gate(a, 2, dc * i * (one - g * g));
            t.gate(a, 3, d_o);
        });
    }
    // Adds this step's part of the peepholes' gradient to sum: [3][Hp].
    static void backward_peephole(const BackwardStep& t, Range rows, Range blocks, float* sum) {
        for_vectors(rows, blocks, [&](At a) {
            const V c = t.state_before(a, kCell, kCellSlot), c_new = t.saved(a, kCellSlot);
            float* s = sum + a.unit();
            store(s, fma(t.gate(a, 0), c, load(s)));
            store(s + t.Hp(), fma(t.gate(a, 1), c, load(s + t.Hp())));
            store(s + 2 * t.Hp(), fma(t.gate(a, 3), c_new, load(s + 2 * t.Hp())));
        });
    }
};

}  // namespace
}  // namespace PENSTOCK_ISA
