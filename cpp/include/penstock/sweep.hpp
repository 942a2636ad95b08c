// The sweep over time, forward: blocks of input products, then step by step the recurrent phases.
#pragma once

#include <cstring>

#include "gru.hpp"
#include "lstm.hpp"
#include "pace.hpp"
#include "rnn.hpp"
#include "split.hpp"

namespace PENSTOCK_ISA {
namespace {

using penstock::Plan;
using penstock::share_steps;
using penstock::Split;
using penstock::Team;

constexpr int panels_together(int gates) { return penstock::panels_together(gates, kWidestGroup); }
constexpr int blocks_together(int gates) { return penstock::blocks_together(gates, kWidestGroup); }

inline Range share(const Team& team, int n, int grain = 1) {
    Range r;
    team.share(n, grain, r.begin, r.end);
    return r;
}

// What those before `rank` get of a team's work.
inline double part_before(const Team& team, int rank) {
    if (!team.pace) return static_cast<double>(rank) / team.size;
    return team.pace->reach()[rank] / team.pace->reach()[team.size];
}

// This thread's share of [0, n) by its pace, in whole multiples of `grain`: of work that waits for nobody.
inline Range share_by_pace(const Team& team, int n, int grain) {
    const auto cut = [&](int rank) {
        const int at = static_cast<int>((n + grain - 1) / grain * part_before(team, rank) + 0.5) * grain;
        return at < n ? at : n;
    };
    return {cut(team.rank), cut(team.rank + 1)};
}

// Tells how long work took that waited for nobody; nothing where `counts` is false.
class Watch {
   public:
    explicit Watch(const Team& team, bool counts = true)
        : pace_(counts ? team.pace : nullptr), rank_(team.rank), begin_(pace_ ? penstock::now_in_nanoseconds() : 0) {}
    void tell(double multiply_adds) const {
        if (pace_) pace_->tell(rank_, multiply_adds, penstock::now_in_nanoseconds() - begin_);
    }

   private:
    penstock::Pace* pace_;
    int rank_;
    long long begin_;
};

inline const float* h_start(const Job& job, int j) {
    return job.initial[0] ? job.initial[0] + static_cast<std::size_t>(job.plan->sequence[j]) * job.sizes->P : nullptr;
}

inline void copy_padded(const float* from, int n, int n_padded, float* to) {
    const int have = from ? n : 0;
    if (have) std::memcpy(to, from, have * sizeof(float));
    std::memset(to + have, 0, (n_padded - have) * sizeof(float));
}

// Packed rows [begin, end) of x. Returns the end of them.
inline float* copy_rows(const Job& job, std::size_t begin, std::size_t end, float* to) {
    const int I = job.sizes->I;
    for (std::size_t r = begin; r < end; ++r, to += I)
        std::memcpy(to, job.x + job.plan->where[job.direction][r] * I, I * sizeof(float));
    return to;
}

// Initial states into the workspace; sequences without a single step have their final states at once.
void start_forward(const Job& job, const Team& team) {
    const Sizes& z = *job.sizes;
    const Plan& plan = *job.plan;
    const Range rows = share(team, plan.batch);
    for (int j = rows.begin; j < rows.end; ++j) {
        const std::size_t b = plan.sequence[j];
        float* h = job.h[0] + static_cast<std::size_t>(j) * z.Pp;
        copy_padded(h_start(job, j), z.P, z.Pp, h);
        const bool is_empty = plan.length[j] == 0;
        if (is_empty) std::memcpy(job.last[0] + b * z.P, h, z.P * sizeof(float));
        for (int k = 1; k < z.states; ++k) {
            float* state = job.state[k] + static_cast<std::size_t>(j) * z.Hp;
            copy_padded(job.initial[k] ? job.initial[k] + b * z.H : nullptr, z.H, z.Hp, state);
            if (is_empty) std::memcpy(job.last[k] + b * z.H, state, z.H * sizeof(float));
        }
    }
    const Range pad = share(team, static_cast<int>(plan.padding.size()));
    for (int i = pad.begin; i < pad.end; ++i)
        std::memset(job.y + plan.padding[i] * job.y_row, 0, z.P * sizeof(float));
}

// A thread's part of the steps of a block: rows, by their place in the order of sequences, and unit blocks.
struct Part {
    Split split;
    bool tells;  // of its pace: where all of the team share rows
    Range rows, units;

    Range of(int active) const { return {rows.begin, rows.end < active ? rows.end : active}; }
};

// Rows of steps [s0, s1) whose place in the order of sequences is below n.
std::size_t rows_below(const Plan& plan, int s0, int s1, int n) {
    std::size_t rows = 0;
    for (int s = s0; s < s1; ++s) rows += plan.active[s] < n ? plan.active[s] : n;
    return rows;
}

// This thread's share of the rows of steps [s0, s1) by its pace, by their place in the order of sequences. Later places
// have fewer steps, so what is shared out is rows.
Range share_rows(const Plan& plan, const Team& team, int s0, int s1) {
    const int active = plan.active[s0];
    if (team.rank >= team.size) return {active, active};
    if (plan.active[s1 - 1] == active) return share_by_pace(team, active, 1);
    const auto cut = [&](int rank) {
        const double wanted = static_cast<double>(plan.first[s1] - plan.first[s0]) * part_before(team, rank);
        int n = 0, going = s1;
        for (double below = 0; n < active; ++n) {
            while (plan.active[going - 1] <= n) --going;
            if (below + 0.5 * (going - s0) >= wanted) break;
            below += going - s0;
        }
        return n;
    };
    return {cut(team.rank), cut(team.rank + 1)};
}

// Those of a team who share steps of so many rows: by pace, unless that left one with so few that each takes longer, which
// would look like a slower pace still.
Team among(const Team& team, int threads, int rows) {
    constexpr double kFewest = 4;
    Team some{team.rank, threads, nullptr, 0, team.pace};
    for (int rank = 0; rank < threads && some.pace; ++rank)
        if (rows * (part_before(some, rank + 1) - part_before(some, rank)) < kFewest) some.pace = nullptr;
    return some;
}

Part part_of(const Job& job, const Team& team, int s0, int s1, int gates) {
    const Sizes& z = *job.sizes;
    const int active = job.plan->active[s0];
    const auto [split, threads] = share_steps(z, active, team.size, false, team.meeting);
    const Team sharing = among(team, threads, active);
    const Range blocks{0, z.Hp / kPanel};
    const bool by_rows = split == Split::kRows;
    return {split, by_rows && threads == team.size, by_rows ? share_rows(*job.plan, sharing, s0, s1) : Range{0, active},
            split == Split::kUnits ? share(sharing, blocks.end, blocks_together(gates)) : blocks};
}

// Packed rows of steps [s0, s1) that this thread takes to the input product, one after another: x itself where they
// stand so, else copies. By units all threads take all of them, and share the copying.
const float* input_rows(const Job& job, const Team& team, const Part& part, int s0, int s1, std::size_t first, Range mine) {
    const Plan& plan = *job.plan;
    const std::size_t I = job.sizes->I, row0 = plan.first[s0];
    if (part.split == Split::kRows) {
        float* to = job.x_rows + first * I;
        for (int s = s0; s < s1; ++s) {
            const Range r = part.of(plan.active[s]);
            if (r.begin < r.end) to = copy_rows(job, plan.first[s] + r.begin, plan.first[s] + r.end, to);
        }
        return job.x_rows + first * I;
    }
    if (plan.contiguous[job.direction]) return job.x + (row0 + mine.begin) * I;
    const bool units = part.split == Split::kUnits;
    const Range r = units ? share(team, mine.end) : mine;
    copy_rows(job, row0 + r.begin, row0 + r.end, job.x_rows + r.begin * I);
    if (units) team.meet();
    return job.x_rows + mine.begin * I;
}

// The input product of steps [s0, s1), of each thread the part that it will read itself, as what another core wrote is
// slow to come. Rows of a thread stand together. Returns the first of them.
const float* input_product(const Job& job, const Team& team, const Part& part, int s0, int s1) {
    const Sizes& z = *job.sizes;
    const bool alone = part.split == Split::kAlone, helped = alone && penstock::helps_alone(z);
    const std::size_t first = rows_below(*job.plan, s0, s1, part.rows.begin),
                      end = rows_below(*job.plan, s0, s1, part.rows.end), row = static_cast<std::size_t>(z.G) * z.Hp,
                      panel = static_cast<std::size_t>(part.units.begin) * z.G;
    Range mine{0, static_cast<int>(end - first)};
    if (helped) mine = share(team, mine.end, kMaxRows);
    if (!alone || helped || team.rank == 0)
        product(input_rows(job, team, part, s0, s1, first, mine), z.I, mine.end - mine.begin, z.I,
                job.weights->w_ih + panel * z.I * kPanel, (part.units.end - part.units.begin) * z.G, panels_together(z.G),
                job.weights->b_ih + panel * kPanel, job.px + (first + mine.begin) * row + panel * kPanel, row, Start::kBias);
    if (helped) team.meet();
    return job.px + first * row;
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
void forward_step(const Job& job, const Team& team, const Part& part, const ForwardStep& t) {
    const Sizes& z = *job.sizes;
    float* scratch = job.scratch + static_cast<std::size_t>(team.rank) * penstock::kScratch;
    const bool units = part.split == Split::kUnits;
    const bool descending = t.s % 2;
    const Range rows = part.of(job.plan->active[t.s]);
    phase(scratch, t.h_before, z.Pp, z.P, job.weights->w_hh, job.weights->b_hh, Cell::traits.h_gates, rows, part.units, descending,
          [&](const Products& q, Range r, Range b) { Cell::forward(t, q, r, b); });
    if (units) team.meet();
    if constexpr (has_two_phases(Cell::traits)) {
        const Range two = units ? share(team, z.Pp / kPanel, blocks_together(1)) : Range{0, z.Pp / kPanel};
        phase(scratch, job.mid, z.Hp, z.H, job.weights->w_mid, job.weights->b_mid, 1, rows, two, descending,
              [&](const Products& q, Range r, Range b) { Cell::forward_two(t, q, r, b); });
        if (units) team.meet();
    }
}

// The end of the block of steps that begins with s0.
int block_end(const Plan& plan, int s0) {
    int s1 = s0 + 1;
    while (s1 < plan.steps && plan.active[s1] > 0 && plan.first[s1 + 1] - plan.first[s0] <= penstock::kBlockRows) ++s1;
    return s1;
}

template <class Cell>
void forward(const Job& job, const Team& team) {
    const Sizes& z = *job.sizes;
    const Plan& plan = *job.plan;
    start_forward(job, team);
    team.meet();
    int s0 = 0;
    while (s0 < plan.steps && plan.active[s0] > 0) {
        const int s1 = block_end(plan, s0);
        const Part part = part_of(job, team, s0, s1, Cell::traits.h_gates);
        const Watch watch(team, part.tells);
        const float* px = input_product(job, team, part, s0, s1);
        std::size_t done = 0;
        if (part.split != Split::kAlone || team.rank == 0)
            for (int s = s0; s < s1; ++s) {
                const std::size_t px_row = static_cast<std::size_t>(z.G) * z.Hp;
                const ForwardStep t{job, s, plan.first[s], s + 1 < plan.steps ? plan.active[s + 1] : 0,
                                    px - part.rows.begin * px_row, job.h[s & 1], job.h[(s + 1) & 1]};
                forward_step<Cell>(job, team, part, t);
                const Range rows = part.of(plan.active[s]);
                if (rows.begin >= rows.end) continue;
                px += (rows.end - rows.begin) * px_row;
                done += rows.end - rows.begin;
            }
        watch.tell(static_cast<double>(done) * z.G * z.Hp * (z.I + z.P));
        // Before a block of the same shape, rows go on with the same thread in the same part of the workspace. A step of
        // fewer rows may still fit into a block of as many steps of all, and then moves these parts.
        const int next = s1 + (s1 - s0);
        const bool stay = part.split == Split::kRows && next <= plan.steps && plan.active[next - 1] == plan.active[s0] &&
                          block_end(plan, s1) == next;
        if (!stay) team.meet();
        s0 = s1;
    }
}

}  // namespace
}  // namespace PENSTOCK_ISA
