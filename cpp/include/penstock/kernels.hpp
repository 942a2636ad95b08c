// What one instruction set offers: a table of functions over plain pointers, filled by src/kernels.cpp.
//
// Legend of dimensions, used in every header:
//   R rows (one step of one sequence each, see plan.hpp)      B sequences      I input size      H hidden size
//   P output size: the projection's, else H                   Ip, Hp, Pp: rounded up to whole panels of 16
//   G gates of the input product     S saved vectors of a row     D gate-gradient vectors of a row
// Every internal buffer is 64-byte aligned with zeros in the padding, so no kernel has a tail.
#pragma once

#include <cstddef>
#include <cstdint>

#include "plan.hpp"
#include "team.hpp"

namespace penstock {

constexpr int kPanelWidth = 16;
constexpr int kBlockRows = 128;        // rows of the input product computed ahead of the sweep
constexpr int kGradientRows = 256;     // rows summed from zero before they join a weight's gradient
constexpr int kChunkRows = 64;         // rows of a pass
constexpr int kScratch = kChunkRows * 6 * kPanelWidth;  // floats of a thread's pre-activations: 6 panels, 24 KB

// Panels of a matrix stand in groups, interleaved by k, so that a tile reads one stream of memory: [group][k][panels of
// the group][16], the last group with what is left. `widest` is what the kernels can hold in registers, 6 or 1. Some
// whole unit blocks make a group; where threads share a step by units, none of them gets part of one.
constexpr int panels_together(int gates, int widest) { return widest == 1 ? 1 : gates == 3 ? widest : 4; }
constexpr int blocks_together(int gates, int widest) {
    return widest == 1 ? 1 : panels_together(gates, widest) / gates;
}

inline int padded(int n) { return (n + kPanelWidth - 1) / kPanelWidth * kPanelWidth; }

enum class CellKind { kRnnTanh, kRnnRelu, kLstm, kLstmPeephole, kGruAfter, kGruBefore };

struct Sizes {
    CellKind kind;
    int I, H, P;  // P == H without projection
    int Ip, Hp, Pp;
    bool projected;
    int G, S, D;
    int x_slot;              // gate-gradient vectors [x_slot, x_slot + G) go to the input product
    int h_slot, h_gates;     // and [h_slot, h_slot + h_gates) to the recurrent product of phase one
};

inline bool has_cell_state(const Sizes& z) { return z.kind == CellKind::kLstm || z.kind == CellKind::kLstmPeephole; }

// Weights of one direction, panels in the order given, interleaved in groups as above; null where the cell has none.
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

// A parameter's gradient under construction: sums of outer products of rows.
struct Outer {
    const float* left;  // [block rows][left_row], rows of the result
    std::size_t left_row;
    int left_columns;   // multiple of 16
    float* tiles;       // [left_columns / kMaxRows up][kGradientRows][kMaxRows]: `left` transposed
    const float* right; // panels [right_panels][block rows][16], columns of the result
    int right_panels;
    float* sum;         // [left_columns][right_panels * 16]
};

// One direction of one layer over a whole plan. Pointers into x, y and states already point at the direction.
struct Job {
    const Sizes* sizes;
    const Packed* weights;
    const Plan* plan;
    int direction;
    const float* x;        // [data rows][I]
    float* y;              // [data rows][y_row]; backward: read
    std::size_t y_row;
    const float *h0, *c0;  // [B][P], [B][H] or null
    float *hn, *cn;        // likewise; forward
    float* saved;          // [R][S][Hp] or null when no gradient will be asked for
    // workspace, forward
    float* x_rows;         // [block rows][I], or null when x is read in place
    float* px;             // [block rows][Hp/16][G][16] input product
    float* h[2];           // [B][Pp] state before and after a step, in turn
    float* c;              // [B][Hp]
    float* mid;            // [B][Hp] what phase two reads: projected cell output, r * h
    float* keep;           // [B][Hp] what phase one leaves to phase two: the update gate
    float* scratch;        // [threads][kScratch]
    // backward only
    const float *dy, *dhn, *dcn;
    float *dx, *dh0, *dc0;
    bool dx_adds;          // the second direction adds to the first one's dx
    float* dh;             // [B][Pp] gradient of the state, carried back in time
    float* dc;             // [B][Hp]
    float* dmid;           // [B][Hp]
    float* dg;             // [block rows][D][Hp] gate gradients
    float* dp;             // [block rows][Pp] gradient of a projection's output
    float* dx_rows;        // [block rows][Ip], or null when dx is written in place
    float* x_panels;       // [Ip/16][block rows][16]
    float* h_panels;       // [Pp/16][block rows][16] state before each row
    float* mid_panels;     // [Hp/16][block rows][16]
    float* c_before;       // [B][Hp] initial cell state
    Outer outer[3];
    int outers;
    float* bias_sum;       // [D][Hp]
    float* peephole_sum;   // [3][Hp]
};

struct Kernels {
    const char* name;
    int tile_rows, widest_group;
    void (*forward)(const Job&, const Team&);
    void (*backward)(const Job&, const Team&);
    // out[r][panels * 16] = bias + a[r] . panels, interleaved as those of one gate
    void (*product)(const float* a, std::size_t a_row, int rows, int K, const float* panels, int count,
                    const float* bias, float* out, std::size_t out_row);
    void (*softmax)(const float* x, float* out, std::size_t rows, int n);
    void (*tanh)(const float* x, float* out, std::size_t n);
    void (*sigmoid)(const float* x, float* out, std::size_t n);
    // The machine's own limits, to measure against: rounds of independent multiply-adds, and reading n floats again and
    // again.
    float (*multiply_add)(std::size_t rounds);
    double multiply_add_flops;  // of a round
    float (*read_all)(const float* data, std::size_t n, std::size_t repeats);
};

const Kernels& kernels();             // the best this machine runs, or what PENSTOCK_ISA names
const Kernels* find_kernels(const char* name);  // null when unknown or not runnable here

}  // namespace penstock
