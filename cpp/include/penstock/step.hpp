// What a cell's pointwise functions see: one step in time, some of its rows, some of its unit blocks.
#pragma once

#include "kernels.hpp"
#include "product.hpp"

namespace PENSTOCK_ISA {
namespace {

using penstock::Job;
using penstock::Sizes;
using penstock::Traits;

struct Range {
    int begin, end;
};

// Position of one vector: row j of the step, and kWidth hidden units that begin at a lane of a unit block.
struct At {
    std::size_t j, block, lane;

    std::size_t unit() const { return block * kPanel + lane; }
    int left_of(int units) const { return units - static_cast<int>(unit()); }
};

// Calls f(At) for every vector of the rows and unit blocks.
template <class F>
inline void for_vectors(Range rows, Range blocks, F f) {
    for (std::size_t j = rows.begin, j_end = rows.end; j < j_end; ++j)
        for (std::size_t b = blocks.begin, b_end = blocks.end; b < b_end; ++b)
            for (std::size_t lane = 0; lane < kPanel; lane += kWidth) f(At{j, b, lane});
}

// The input product of some rows: [rows][Hp/16 * G][16] by these strides.
struct InputProduct {
    const float* first;
    std::size_t row, panel;
};

struct ForwardStep {
    const Job& job;
    int s;                 // step
    std::size_t row0;      // its first packed row
    int active_next;       // sequences that continue after it
    InputProduct px;       // from row 0 of the step
    const float* h_before; // [B][Pp]
    float* h_after;

    int H() const { return job.sizes->H; }
    int Hp() const { return job.sizes->Hp; }

    V input(At a, int gate) const {
        return load(px.first + a.j * px.row + (a.block * job.sizes->G + gate) * px.panel + a.lane);
    }
    V before(At a) const { return load(h_before + a.j * job.sizes->Pp + a.unit()); }
    V state(At a, int k) const { return load(job.state[k] + a.j * Hp() + a.unit()); }  // another state, before the step
    float* mid(At a) const { return job.mid + a.j * Hp() + a.unit(); }
    float* keep(At a) const { return job.keep + a.j * Hp() + a.unit(); }
    V peephole(At a, int gate) const { return load(job.weights->w_ch + gate * Hp() + a.unit()); }

    void save(At a, int slot, V v) const {
        if (job.saved)
            store(job.saved + ((row0 + a.j) * job.sizes->S + slot) * Hp() + a.unit(), v);
    }
    void output(At a, V h) const { store(h_after + a.j * job.sizes->Pp + a.unit(), h); }
    // Overwrites another state with its new value; in phase one.
    void put_state(At a, int k, V v) const { store(job.state[k] + a.j * Hp() + a.unit(), v); }
};

// Pre-activations of a phase's product, in scratch: [rows of the chunk][unit blocks of the panel group][gates][16].
struct Products {
    float* scratch;
    int row0, block0, blocks, gates;

    V operator()(At a, int gate) const { return load(at(a, gate)); }
    // Overwrites the product with its gate. Gates have a loop of their own because they are independent of each other: in one
    // loop with the state, whose tanh depends on them, a processor would work on only one or two vectors at a time.
    void put(At a, int gate, V v) const { store(at(a, gate), v); }

   private:
    float* at(At a, int gate) const {
        return scratch + (((a.j - row0) * blocks + a.block - block0) * gates + gate) * kPanel + a.lane;
    }
};

struct BackwardStep {
    const Job& job;
    int s;
    std::size_t row0, before0;  // first packed row of this step and of the one before it in time
    std::size_t block_row0;     // first packed row of the block
    std::size_t block_rows;
    const float* dy;            // job.dy, or null once it has been added to the gradients of the outputs

    int H() const { return job.sizes->H; }
    int Hp() const { return job.sizes->Hp; }

    V saved(At a, int slot) const { return load(job.saved + ((row0 + a.j) * job.sizes->S + slot) * Hp() + a.unit()); }
    V saved_before(At a, int slot) const {  // by the step before; needs s > 0
        return load(job.saved + ((before0 + a.j) * job.sizes->S + slot) * Hp() + a.unit());
    }
    V h_before(At a) const {
        return load(job.h_panels + (a.block * block_rows + (row0 + a.j - block_row0)) * kPanel + a.lane);
    }
    // Another state before the step. Its new value in each step is saved in `slot`.
    V state_before(At a, int k, int slot) const {
        return s > 0 ? saved_before(a, job.zoneout ? zoned_slot(*job.sizes, k) : slot)
                     : load(job.start[k] + a.j * Hp() + a.unit());
    }
    float* dh(At a) const { return job.dstate[0] + a.j * job.sizes->Pp + a.unit(); }
    float* dstate(At a, int k) const { return job.dstate[k] + a.j * Hp() + a.unit(); }  // another state's gradient
    float* dmid(At a) const { return job.dmid + a.j * Hp() + a.unit(); }
    float* dp(At a) const { return job.dp + (row0 - block_row0 + a.j) * job.sizes->Pp + a.unit(); }
    V peephole(At a, int gate) const { return load(job.weights->w_ch + gate * Hp() + a.unit()); }

    // Gradient of this step's output: what later steps carry back, plus the gradient of y.
    V output_gradient(At a) const {
        V d = load(dh(a));
        if (dy)
            d += load_first(dy + job.layout->where[job.direction][row0 + a.j] * job.y_row + a.unit(),
                            a.left_of(job.sizes->P));
        return d;
    }
    // Gate gradients: written by one phase and read by the next.
    void gate(At a, int slot, V d) const { store(gate_at(a, slot), d); }
    V gate(At a, int slot) const { return load(gate_at(a, slot)); }

   private:
    float* gate_at(At a, int slot) const {
        return job.dg + ((row0 - block_row0 + a.j) * job.sizes->D + slot) * Hp() + a.unit();
    }
};

}  // namespace
}  // namespace PENSTOCK_ISA
