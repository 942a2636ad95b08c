// The functions of one instruction set: a table over plain pointers, filled by src/kernels.cpp.
//
// Legend of dimensions, used in every header:
//   R rows (one step of one sequence each, see batch_layout.hpp)      B sequences      I input size      H hidden size
//   P output size: the projection's, else H                   Ip, Hp, Pp: rounded up to whole panels of 16
//   G gates of the input product     S saved vectors of a row     D gate-gradient vectors of a row
// Every internal buffer is 64-byte aligned and padded with zeros, so no kernel needs a loop for remaining elements.
#pragma once

#include <cstddef>
#include <cstdint>

#include "batch_layout.hpp"
#include "thread_pool.hpp"

namespace penstock {

constexpr int kPanelWidth = 16;
constexpr int kBlockRows = 128;        // rows of the input product that are computed ahead of the steps
constexpr int kGradientRows = 256;     // rows that are summed from zero before they are added to a weight's gradient
constexpr int kChunkRows = 64;         // rows of a step that a phase computes at a time
constexpr int kScratch = kChunkRows * 6 * kPanelWidth;  // floats of a thread's pre-activations: 6 panels, 24 KB

// The panels of a matrix are stored in panel groups, interleaved by k, so that a tile reads one stream of memory:
// [panel group][k][panels of the group][16]; the last group may be smaller. `widest` is the number of panels that the
// kernels can hold in registers, 6 or 1. A panel group is a whole number of unit blocks, and threads that share a step by
// units never divide one.
constexpr int panels_together(int gates, int widest) { return widest == 1 ? 1 : gates == 3 ? widest : 4; }
constexpr int blocks_together(int gates, int widest) {
    return widest == 1 ? 1 : panels_together(gates, widest) / gates;
}

inline int padded(int n) { return (n + kPanelWidth - 1) / kPanelWidth * kPanelWidth; }

constexpr int kMostStates = 4, kMostGates = 4;  // of a cell

// What the engine must know about a cell in one of its forms. Each cell's header declares them beside its equations.
struct Traits {
    const char* form;             // as `Cell.form` in penstock/cells spells it
    int states;                   // carried from step to step: the first is the output [P], the others are [H]
    int G, S, D;
    int x_slot;                   // gate-gradient vectors [x_slot, x_slot + G) go to the input product
    int input_order[kMostGates];  // and belong to these gates of the weights
    int h_slot, h_gates;          // [h_slot, h_slot + h_gates) go to the recurrent product of phase one, in the weights' order
    // A second phase multiplies the saved vector `mid_slot`, which phase one wrote, by weight_hr or by the gate `late_gate`
    // of weight_hh, which phase one leaves out. The gradient of that gate is in `late_slot`.
    bool projected = false;
    int late_gate = -1, late_slot = 0, mid_slot = 0;
    int peepholes = 0;            // rows of weight_ch
};

constexpr bool is_late(const Traits& t) { return t.late_gate >= 0; }
constexpr bool has_two_phases(const Traits& t) { return t.projected || is_late(t); }

struct Sizes : Traits {
    int I, H, P;  // P == H without projection
    int Ip, Hp, Pp;
};

inline int state_size(const Sizes& z, int k) { return k ? z.H : z.P; }
inline int padded_state(const Sizes& z, int k) { return k ? z.Hp : z.Pp; }
// With zoneout: the slot that saves the state k, not the first, with which a step ends. A layer adds these to the cell's own.
inline int zoned_slot(const Sizes& z, int k) { return z.S - z.states + k; }

// The masks of zoneout in training. Each is a function of these numbers, of the direction, the time and the unit, and of
// nothing else (zoneout.hpp), so the backward pass draws it again, and no batch, padding, chunk or thread changes it.
struct Draw {
    std::uint64_t seed;
    std::uint32_t layer = 0;       // the number of the layer in its stack
    std::uint32_t first_step = 0;  // the time of the sequences' first step here, if they continue
    const std::int64_t* numbers = nullptr;  // [B] of the sequences, or null for 0, 1, ...
};

// Packed weights of one direction: panels in this order, interleaved in panel groups; null where the cell has none.
struct Packed {
    float* w_ih;    // [Hp/16][G][I][16]
    float* b_ih;    // [Hp/16][G][16]
    float* w_hh;    // [Hp/16][h_gates][P][16]
    float* b_hh;    // [Hp/16][h_gates][16]
    float* w_mid;   // phase two: projection [Pp/16][H][16], reset-before candidate [Hp/16][H][16]
    float* b_mid;   // its bias [Hp]
    float* w_ch;    // peepholes [3][Hp]
    float* wt_ih;   // backward: [Ip/16][G * Hp][16]
    float* wt_hh;   // [Pp/16][h_gates * Hp][16]
    float* wt_mid;  // projection [Hp/16][Pp][16], reset-before candidate [Hp/16][Hp][16]
};

// The gradient of one parameter while it is summed: outer products of rows.
struct Outer {
    const float* left;  // [block rows][left_row]; its columns become rows of the result
    std::size_t left_row;
    int left_columns;   // multiple of 16
    float* tiles;       // [left_columns / kMaxRows, rounded up][kGradientRows][kMaxRows]: `left` transposed
    const float* right; // panels [right_panels][block rows][16]: columns of the result
    int right_panels;
    float* sum;         // [left_columns][right_panels * 16]
};

// One direction of one layer over a whole batch. Pointers to x, y and states already point at the direction's part.
struct Job {
    const Sizes* sizes;
    const Packed* weights;
    const BatchLayout* layout;
    int direction;
    const float* x;        // [data rows][I]
    float* y;              // [data rows][y_row]; backward: read
    std::size_t y_row;
    const float* initial[kMostStates];  // each [B][its size], or null for zeros
    float* last[kMostStates];           // likewise, after each sequence's last step; forward
    float* saved;          // [R][S][Hp], or null where no gradient is needed
    const float* zoneout;  // [states] the share of each state that a step keeps, or null for none
    const Draw* draw;      // of the units that keep their state; null to mix old and new state in that share
    // workspace, forward
    float* x_rows;         // [block rows][I], or null when x is read in place
    float* px;             // [block rows][Hp/16][G][16] input product, or [Hp/16][G][block rows][16]
    float* h[2];           // [B][Pp] first state before and after a step, alternating
    float* state[kMostStates];  // [B][Hp] the other states, from index 1 on
    float* mid;            // [B][Hp] what phase two multiplies: the cell's output before projection, or r * h
    float* keep;           // [B][Hp] what phase one keeps for phase two: the update gate
    float* before[kMostStates];  // with zoneout: [B][Hp] the other states before the step, from index 1 on
    float* scratch;        // [threads][kScratch]
    // backward only
    const float* dy;
    const float* dlast[kMostStates];  // null for zeros
    float* dx;
    float* dinitial[kMostStates];     // null where none is wanted
    bool dx_adds;          // the second direction adds to the first one's dx
    float* dstate[kMostStates];  // gradients of the states, carried back in time: the first [B][Pp], the others [B][Hp]
    float* kept[kMostStates];    // with zoneout: of these, what goes past the cell to the states before the step; likewise
    float* dmid;           // [B][Hp]
    float* dg;             // [block rows][D][Hp] gate gradients
    float* dp;             // [block rows][Pp] gradient of a projection's output
    float* dx_rows;        // [block rows][Ip], or null when dx is written in place
    float* x_panels;       // [Ip/16][block rows][16]
    float* h_panels;       // [Pp/16][block rows][16] first state before each row
    float* mid_panels;     // [Hp/16][block rows][16]
    float* start[kMostStates];  // [B][Hp] the other initial states, from index 1 on
    Outer outer[3];
    int outers;
    float* bias_sum;       // [D][Hp]
    float* peephole_sum;   // [3][Hp]
};

// The kernels of a cell in one of its forms.
struct CellKernels {
    Traits traits;
    void (*forward)(const Job&, const ThreadGroup&);
    void (*backward)(const Job&, const ThreadGroup&);
};

struct Kernels {
    const char* name;
    int tile_rows, widest_group;
    const CellKernels* cells;
    int cell_count;
    // out[r][panels * 16] = bias + a[r] . panels, which are interleaved like those of a single gate
    void (*product)(const float* a, std::size_t a_row, int rows, int K, const float* panels, int count,
                    const float* bias, float* out, std::size_t out_row);
    void (*softmax)(const float* x, float* out, std::size_t rows, int n);
    int (*first_greatest)(const float* x, int n);  // its index
    void (*tanh)(const float* x, float* out, std::size_t n);
    void (*sigmoid)(const float* x, float* out, std::size_t n);
    // For measuring the limits of the machine: rounds of independent multiply-adds, and repeated reads of n floats.
    float (*multiply_add)(std::size_t rounds);
    double multiply_add_flops;  // of a round
    float (*read_all)(const float* data, std::size_t n, std::size_t repeats);
};

const Kernels& kernels();             // the best instruction set of this machine, or the one that PENSTOCK_ISA names
const Kernels* find_kernels(const char* name);  // null if unknown, or if this machine cannot run them
const CellKernels* find_cell(const char* form); // among `kernels()`; null if there is none

}  // namespace penstock
