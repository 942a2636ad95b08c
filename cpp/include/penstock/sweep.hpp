// The forward sweep over time: for each block of steps the input products, then step by step the recurrent phases.
#pragma once

#include <cstring>

#include "gru.hpp"
#include "lstm.hpp"
#include "part.hpp"
#include "rnn.hpp"
#include "zoneout.hpp"

namespace PENSTOCK_ISA {
namespace {

inline const float* h_start(const Job& job, int j) {
    return job.initial[0] ? job.initial[0] + static_cast<std::size_t>(job.layout->sequence[j]) * job.sizes->P : nullptr;
}

inline void copy_padded(const float* from, int n, int n_padded, float* to) {
    const int have = from ? n : 0;
    if (have) std::memcpy(to, from, have * sizeof(float));
    std::memset(to + have, 0, (n_padded - have) * sizeof(float));
}

// Copies packed rows [begin, end) of x. Returns the end of the copies.
inline float* copy_rows(const Job& job, std::size_t begin, std::size_t end, float* to) {
    const int I = job.sizes->I;
    for (std::size_t r = begin; r < end; ++r, to += I)
        std::memcpy(to, job.x + job.layout->where[job.direction][r] * I, I * sizeof(float));
    return to;
}

// Copies initial states into the workspace. For a sequence without steps they are also the last states.
void start_forward(const Job& job, const ThreadGroup& group) {
    const Sizes& z = *job.sizes;
    const BatchLayout& layout = *job.layout;
    const Range rows = share(group, layout.batch);
    for (int j = rows.begin; j < rows.end; ++j) {
        const std::size_t b = layout.sequence[j];
        float* h = job.h[0] + static_cast<std::size_t>(j) * z.Pp;
        copy_padded(h_start(job, j), z.P, z.Pp, h);
        const bool is_empty = layout.length[j] == 0;
        if (is_empty) std::memcpy(job.last[0] + b * z.P, h, z.P * sizeof(float));
        for (int k = 1; k < z.states; ++k) {
            float* state = job.state[k] + static_cast<std::size_t>(j) * z.Hp;
            copy_padded(job.initial[k] ? job.initial[k] + b * z.H : nullptr, z.H, z.Hp, state);
            if (is_empty) std::memcpy(job.last[k] + b * z.H, state, z.H * sizeof(float));
        }
    }
    const Range pad = share(group, static_cast<int>(layout.padding.size()));
    for (int i = pad.begin; i < pad.end; ++i)
        std::memset(job.y + layout.padding[i] * job.y_row, 0, z.P * sizeof(float));
}

// The packed rows of steps [s0, s1) that this thread multiplies in the input product, contiguous: x itself where its rows
// are in this order, else copies. By units all threads need all rows, and share the copying.
const float* input_rows(const Job& job, const ThreadGroup& group, const Part& part, int s0, int s1, std::size_t first, Range mine) {
    const BatchLayout& layout = *job.layout;
    const std::size_t I = job.sizes->I, row0 = layout.first[s0];
    if (part.split == Split::kRows) {
        float* to = job.x_rows + first * I;
        for (int s = s0; s < s1; ++s) {
            const Range r = part.of(layout.active[s]);
            if (r.begin < r.end) to = copy_rows(job, layout.first[s] + r.begin, layout.first[s] + r.end, to);
        }
        return job.x_rows + first * I;
    }
    if (layout.contiguous[job.direction]) return job.x + (row0 + mine.begin) * I;
    const bool units = part.split == Split::kUnits;
    const Range r = units ? share(group, mine.end) : mine;
    copy_rows(job, row0 + r.begin, row0 + r.end, job.x_rows + r.begin * I);
    if (units) group.sync();
    return job.x_rows + mine.begin * I;
}

// From so many rows on, the input product is stored by panels: a tile then writes a few lines in a row, and the gates read whole
// streams, where rows that lie a power of two apart would fall into few sets of the caches. Not measured with interleaved panels.
constexpr int kRowsForPanels = 32;

// The input product of this thread's rows of steps [s0, s1), from its first row on. Each thread computes the part that it will
// read itself, because memory written by another core is slow to read.
InputProduct input_product(const Job& job, const ThreadGroup& group, const Part& part, int s0, int s1) {
    const Sizes& z = *job.sizes;
    const bool alone = part.split == Split::kAlone, helped = alone && penstock::helps_alone(z);
    const std::size_t first = rows_below(*job.layout, s0, s1, part.rows.begin),
                      end = rows_below(*job.layout, s0, s1, part.rows.end), row = static_cast<std::size_t>(z.G) * z.Hp,
                      panel = static_cast<std::size_t>(part.units.begin) * z.G;
    const bool by_panels = !kInterleaved && part.rows.end - part.rows.begin >= kRowsForPanels;
    float* const to = job.px + first * row;
    const InputProduct px{to, by_panels ? kPanel : row, by_panels ? (end - first) * kPanel : kPanel};
    Range mine{0, static_cast<int>(end - first)};
    if (helped) mine = share(group, mine.end, kMaxRows);
    if (!alone || helped || group.rank == 0)
        product(input_rows(job, group, part, s0, s1, first, mine), z.I, mine.end - mine.begin, z.I,
                job.weights->w_ih + panel * z.I * kPanel, (part.units.end - part.units.begin) * z.G, panels_together(z.G),
                job.weights->b_ih + panel * kPanel, {to + mine.begin * px.row + panel * px.panel, px.row, px.panel}, Start::kBias);
    if (helped) group.sync();
    return px;
}

// One phase for some rows and unit blocks. Piece by piece, it writes the product to scratch and calls the epilogue. Panels that
// may not be in L2 are fetched while the piece before them is computed; not measured with interleaved ones.
template <class Epilogue>
void phase(float* scratch, const float* a, std::size_t a_row, int K, const float* panels, const float* bias,
           int gates, Range rows, Range blocks, bool descending, Epilogue epilogue) {
    const int n = rows.end - rows.begin;
    if (n <= 0) return;
    const int chunks = (n + penstock::kChunkRows - 1) / penstock::kChunkRows;
    for (int i = 0; i < chunks; ++i) {
        const auto cut = [&](int k) { return rows.begin + static_cast<int>(static_cast<long long>(n) * k / chunks); };
        const Range r{cut(i), cut(i + 1)};
        const int count = r.end - r.begin;
        const int grain = blocks_together(gates), group = penstock::kScratch / (count * gates * kPanel) / grain * grain;
        const int groups = (blocks.end - blocks.begin + group - 1) / group;
        const std::size_t block = static_cast<std::size_t>(gates) * K * kPanel;
        const bool far = !kInterleaved && (blocks.end - blocks.begin) * block * sizeof(float) > kFar;
        for (int g = 0; g < groups; ++g) {
            const int u = blocks.begin + (descending ? groups - 1 - g : g) * group;
            const Range b{u, u + group < blocks.end ? u + group : blocks.end};
            const int np = (b.end - b.begin) * gates;
            // Ascending, the next piece begins with its first panel, descending with its last.
            const float* next = !far || g + 1 == groups ? nullptr
                                : descending ? panels + u * block - static_cast<std::size_t>(K) * kPanel : panels + (u + group) * block;
            product(a + static_cast<std::size_t>(r.begin) * a_row, a_row, count, K,
                    panels + u * block, np, panels_together(gates), bias ? bias + u * gates * kPanel : nullptr,
                    {scratch, static_cast<std::size_t>(np) * kPanel}, Start::kBias, descending, next);
            epilogue(Products{scratch, r.begin, b.begin, b.end - b.begin, gates}, r, b);
        }
    }
}

// Copies a step's outputs to y and, where a sequence ends, its states to the last states: whole rows at the end, because y is
// seldom in a near cache, and each store to it amid the gates would wait for it.
void finish_step(const ForwardStep& t, Range rows, Range outputs, Range units) {
    const Job& job = t.job;
    const Sizes& z = *job.sizes;
    const auto copy = [](const float* from, Range blocks, int n, float* to) {
        const int begin = blocks.begin * kPanel, end = blocks.end * kPanel < n ? blocks.end * kPanel : n;
        if (begin < end) std::memcpy(to + begin, from + begin, (end - begin) * sizeof(float));
    };
    for (std::size_t j = rows.begin, rows_end = rows.end; j < rows_end; ++j) {
        const float* h = t.h_after + j * z.Pp;
        copy(h, outputs, z.P, job.y + job.layout->where[job.direction][t.row0 + j] * job.y_row);
        if (static_cast<int>(j) < t.active_next) continue;
        const std::size_t b = job.layout->sequence[j];
        copy(h, outputs, z.P, job.last[0] + b * z.P);
        for (int k = 1; k < z.states; ++k) copy(job.state[k] + j * z.Hp, units, z.H, job.last[k] + b * z.H);
    }
}

template <class Cell>
void forward_step(const Job& job, const ThreadGroup& group, const Part& part, const ForwardStep& t) {
    const Sizes& z = *job.sizes;
    float* scratch = job.scratch + static_cast<std::size_t>(group.rank) * penstock::kScratch;
    const bool units = part.split == Split::kUnits;
    const bool descending = t.s % 2;
    const Range rows = part.of(job.layout->active[t.s]);
    constexpr bool two_phases = has_two_phases(Cell::traits);
    phase(scratch, t.h_before, z.Pp, z.P, job.weights->w_hh, job.weights->b_hh, Cell::traits.h_gates, rows, part.units, descending,
          [&](const Products& q, Range r, Range b) {
              if (job.zoneout) keep_states(t, r, b);
              Cell::forward(t, q, r, b);
              if (job.zoneout) zone(t, r, b, two_phases ? 1 : 0, z.states);
          });
    Range outputs = part.units;
    if constexpr (two_phases) {
        if (units) group.sync();
        outputs = units ? share(group, z.Pp / kPanel, blocks_together(1)) : Range{0, z.Pp / kPanel};
        phase(scratch, job.mid, z.Hp, z.H, job.weights->w_mid, job.weights->b_mid, 1, rows, outputs, descending,
              [&](const Products& q, Range r, Range b) {
                  Cell::forward_two(t, q, r, b);
                  if (job.zoneout) zone(t, r, b, 0, 1);
              });
    }
    finish_step(t, rows, outputs, part.units);
    if (units) group.sync();
}

// The end of the block of steps that begins at s0.
int block_end(const BatchLayout& layout, int s0) {
    int s1 = s0 + 1;
    while (s1 < layout.steps && layout.active[s1] > 0 && layout.first[s1 + 1] - layout.first[s0] <= penstock::kBlockRows) ++s1;
    return s1;
}

template <class Cell>
void forward(const Job& job, const ThreadGroup& group) {
    const Sizes& z = *job.sizes;
    const BatchLayout& layout = *job.layout;
    start_forward(job, group);
    group.sync();
    int s0 = 0;
    while (s0 < layout.steps && layout.active[s0] > 0) {
        const int s1 = block_end(layout, s0);
        const Part part = part_of(job, group, s0, s1, Cell::traits.h_gates);
        const Stopwatch stopwatch(group, part.timed);
        InputProduct px = input_product(job, group, part, s0, s1);
        std::size_t done = 0;
        if (part.split != Split::kAlone || group.rank == 0)
            for (int s = s0; s < s1; ++s) {
                const ForwardStep t{job, s, layout.first[s], s + 1 < layout.steps ? layout.active[s + 1] : 0,
                                    {px.first - part.rows.begin * px.row, px.row, px.panel}, job.h[s & 1], job.h[(s + 1) & 1]};
                forward_step<Cell>(job, group, part, t);
                const Range rows = part.of(layout.active[s]);
                if (rows.begin >= rows.end) continue;
                px.first += (rows.end - rows.begin) * px.row;
                done += rows.end - rows.begin;
            }
        stopwatch.record(static_cast<double>(done) * z.G * z.Hp * (z.I + z.P));
        // If the next block has the same shape, each row stays with its thread in the same part of the workspace, and the
        // threads need not synchronise. The block must also end where it would end with all rows active: a step of fewer
        // rows may fit in as well, which moves those parts.
        const int next = s1 + (s1 - s0);
        const bool stay = part.split == Split::kRows && next <= layout.steps && layout.active[next - 1] == layout.active[s0] &&
                          block_end(layout, s1) == next;
        if (!stay) group.sync();
        s0 = s1;
    }
}

}  // namespace
}  // namespace PENSTOCK_ISA
