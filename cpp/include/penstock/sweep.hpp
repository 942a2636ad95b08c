// The sweep over time, forward: blocks of input products, then step by step the recurrent phases.
#pragma once

#include <cstring>

#include "gru.hpp"
#include "lstm.hpp"
#include "rnn.hpp"

namespace PENSTOCK_ISA {
namespace {

using penstock::Plan;
using penstock::Team;

// How the threads of a team share a step. By rows nobody waits for anybody; by units each thread reads only its
// part of the weights, and the team meets after each phase; alone when a step is shorter than a meeting.
enum class Split { kRows, kUnits, kAlone };

constexpr int kRowsEach = 4;                   // by rows from this many rows for each thread
constexpr long long kUnitsWork = 40000;        // by units from this many multiply-adds in a step
constexpr long long kSharedWeights = 1 << 19;  // weights beyond this (2 MB) leave the caches: by units, to read them once

inline Split choose_split(const Sizes& z, int rows, int threads) {
    if (threads == 1) return Split::kAlone;
    const long long weights = static_cast<long long>(z.G) * z.Hp * z.P, work = rows * weights;
    if (rows >= kRowsEach * threads && weights <= kSharedWeights) return Split::kRows;
    return work >= kUnitsWork ? Split::kUnits : Split::kAlone;
}

constexpr int panels_together(int gates) { return penstock::panels_together(gates, kWidestGroup); }
constexpr int blocks_together(int gates) { return penstock::blocks_together(gates, kWidestGroup); }

inline Range share(const Team& team, int n, int grain = 1) {
    Range r;
    team.share(n, grain, r.begin, r.end);
    return r;
}

inline const float* h_start(const Job& job, int j) {
    return job.h0 ? job.h0 + static_cast<std::size_t>(job.plan->sequence[j]) * job.sizes->P : nullptr;
}

inline void copy_padded(const float* from, int n, int n_padded, float* to) {
    const int have = from ? n : 0;
    if (have) std::memcpy(to, from, have * sizeof(float));
    std::memset(to + have, 0, (n_padded - have) * sizeof(float));
}

inline void copy_rows(const Job& job, std::size_t begin, std::size_t end, float* to) {
    const int I = job.sizes->I;
    for (std::size_t r = begin; r < end; ++r, to += I)
        std::memcpy(to, job.x + job.plan->where[job.direction][r] * I, I * sizeof(float));
}

// Initial states into the workspace; sequences without a single step have their final states at once.
void start_forward(const Job& job, const Team& team) {
    const Sizes& z = *job.sizes;
    const Plan& plan = *job.plan;
    const bool has_c = job.c != nullptr;
    const Range rows = share(team, plan.batch);
    for (int j = rows.begin; j < rows.end; ++j) {
        const std::size_t b = plan.sequence[j];
        float* h = job.h[0] + static_cast<std::size_t>(j) * z.Pp;
        copy_padded(h_start(job, j), z.P, z.Pp, h);
        if (has_c) copy_padded(job.c0 ? job.c0 + b * z.H : nullptr, z.H, z.Hp, job.c + static_cast<std::size_t>(j) * z.Hp);
        if (plan.length[j] == 0) {
            std::memcpy(job.hn + b * z.P, h, z.P * sizeof(float));
            if (has_c) std::memcpy(job.cn + b * z.H, job.c + static_cast<std::size_t>(j) * z.Hp, z.H * sizeof(float));
        }
    }
    const Range pad = share(team, static_cast<int>(plan.padding.size()));
    for (int i = pad.begin; i < pad.end; ++i)
        std::memset(job.y + plan.padding[i] * job.y_row, 0, z.P * sizeof(float));
}

// px of packed rows [row0, row1): by rows where there are enough of them, else by panels.
void input_product(const Job& job, const Team& team, std::size_t row0, std::size_t row1) {
    const Sizes& z = *job.sizes;
    const int rows = static_cast<int>(row1 - row0), panels = z.G * z.Hp / kPanel;
    const float* x = job.x_rows ? job.x_rows : job.x + row0 * z.I;
    const bool large = static_cast<long long>(panels) * kPanel * z.I > kSharedWeights;
    const bool by_rows = team.size == 1 || (rows >= 2 * kMaxRows * team.size && !large);
    const Range r = by_rows ? share(team, rows, kMaxRows) : Range{0, rows};
    const Range p = by_rows ? Range{0, panels} : share(team, panels, panels_together(z.G));
    if (job.x_rows) {
        const Range mine = by_rows ? r : share(team, rows);
        copy_rows(job, row0 + mine.begin, row0 + mine.end, job.x_rows + static_cast<std::size_t>(mine.begin) * z.I);
        if (!by_rows) team.meet();
    }
    product(x + static_cast<std::size_t>(r.begin) * z.I, z.I, r.end - r.begin, z.I,
            job.weights->w_ih + static_cast<std::size_t>(p.begin) * z.I * kPanel, p.end - p.begin,
            panels_together(z.G), job.weights->b_ih + p.begin * kPanel,
            job.px + static_cast<std::size_t>(r.begin) * panels * kPanel + p.begin * kPanel,
            static_cast<std::size_t>(panels) * kPanel, Start::kBias);
}

// One phase for some rows and unit blocks: its product into scratch, piece by piece, and its epilogue.
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
        for (int g = 0; g < groups; ++g) {
            const int u = blocks.begin + (descending ? groups - 1 - g : g) * group;
            const Range b{u, u + group < blocks.end ? u + group : blocks.end};
            const int np = (b.end - b.begin) * gates;
            product(a + static_cast<std::size_t>(r.begin) * a_row, a_row, count, K,
                    panels + static_cast<std::size_t>(u) * gates * K * kPanel, np, panels_together(gates),
                    bias ? bias + u * gates * kPanel : nullptr, scratch, np * kPanel, Start::kBias, descending);
            epilogue(Products{scratch, r.begin, b.begin, b.end - b.begin, gates}, r, b);
        }
    }
}

template <class Cell>
void forward_step(const Job& job, const Team& team, Split split, const ForwardStep& t, Range rows) {
    const Sizes& z = *job.sizes;
    float* scratch = job.scratch + static_cast<std::size_t>(team.rank) * penstock::kScratch;
    const bool units = split == Split::kUnits;
    const bool descending = t.s % 2;
    const Range one = units ? share(team, z.Hp / kPanel, blocks_together(Cell::kGates)) : Range{0, z.Hp / kPanel};
    phase(scratch, t.h_before, z.Pp, z.P, job.weights->w_hh, job.weights->b_hh, Cell::kGates, rows, one, descending,
          [&](const Products& q, Range r, Range b) { Cell::forward(t, q, r, b); });
    if (units) team.meet();
    if constexpr (Cell::kTwoPhase) {
        const Range two = units ? share(team, z.Pp / kPanel, blocks_together(1)) : Range{0, z.Pp / kPanel};
        phase(scratch, job.mid, z.Hp, z.H, job.weights->w_mid, job.weights->b_mid, 1, rows, two, descending,
              [&](const Products& q, Range r, Range b) { Cell::forward_two(t, q, r, b); });
        if (units) team.meet();
    }
}

template <class Cell>
void forward(const Job& job, const Team& team) {
    const Sizes& z = *job.sizes;
    const Plan& plan = *job.plan;
    start_forward(job, team);
    team.meet();
    int s0 = 0;
    while (s0 < plan.steps && plan.active[s0] > 0) {
        int s1 = s0 + 1;
        while (s1 < plan.steps && plan.active[s1] > 0 && plan.first[s1 + 1] - plan.first[s0] <= penstock::kBlockRows)
            ++s1;
        input_product(job, team, plan.first[s0], plan.first[s1]);
        team.meet();
        const int n = plan.active[s0];
        const Split split = choose_split(z, n, team.size);
        const Range mine = split == Split::kRows ? share(team, n) : Range{0, n};
        if (split != Split::kAlone || team.rank == 0)
            for (int s = s0; s < s1; ++s) {
                const int active = plan.active[s];
                const Range rows{mine.begin, mine.end < active ? mine.end : active};
                const ForwardStep t{job, s, plan.first[s], s + 1 < plan.steps ? plan.active[s + 1] : 0,
                                    job.px + (plan.first[s] - plan.first[s0]) * z.G * z.Hp, job.h[s & 1],
                                    job.h[(s + 1) & 1]};
                forward_step<Cell>(job, team, split, t, rows);
            }
        team.meet();
        s0 = s1;
    }
}

}  // namespace
}  // namespace PENSTOCK_ISA
