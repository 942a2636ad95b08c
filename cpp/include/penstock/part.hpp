// Which rows and unit blocks of a step each thread of a group computes.
#pragma once

#include "step.hpp"
#include "split.hpp"
#include "thread_speed.hpp"

namespace PENSTOCK_ISA {
namespace {

using penstock::BatchLayout;
using penstock::share_steps;
using penstock::Split;
using penstock::ThreadGroup;

constexpr int panels_together(int gates) { return penstock::panels_together(gates, kWidestGroup); }
constexpr int blocks_together(int gates) { return penstock::blocks_together(gates, kWidestGroup); }

inline Range share(const ThreadGroup& group, int n, int grain = 1) {
    Range r;
    group.share(n, grain, r.begin, r.end);
    return r;
}

// The fraction of a group's work that the ranks before `rank` get.
inline double fraction_before(const ThreadGroup& group, int rank) {
    if (!group.speeds) return static_cast<double>(rank) / group.size;
    return group.speeds->cumulative()[rank] / group.speeds->cumulative()[group.size];
}

// This thread's share of [0, n) in proportion to its speed, in whole multiples of `grain`; for work without synchronisation.
inline Range share_by_speed(const ThreadGroup& group, int n, int grain) {
    const auto cut = [&](int rank) {
        const int at = static_cast<int>((n + grain - 1) / grain * fraction_before(group, rank) + 0.5) * grain;
        return at < n ? at : n;
    };
    return {cut(group.rank), cut(group.rank + 1)};
}

// Records this thread's speed from work without synchronisation; does nothing if `timed` is false.
class Stopwatch {
   public:
    explicit Stopwatch(const ThreadGroup& group, bool timed = true)
        : speeds_(timed ? group.speeds : nullptr), rank_(group.rank), begin_(speeds_ ? penstock::now_in_nanoseconds() : 0) {}
    void record(double multiply_adds) const {
        if (speeds_) speeds_->record(rank_, multiply_adds, penstock::now_in_nanoseconds() - begin_);
    }

   private:
    penstock::ThreadSpeeds* speeds_;
    int rank_;
    long long begin_;
};

// A thread's part of the steps of a block: rows, by position in the sorted order of sequences, and unit blocks.
struct Part {
    Split split;
    bool timed;  // whether it measures the thread's speed: where the whole group shares rows
    Range rows, units;

    Range of(int active) const { return {rows.begin, rows.end < active ? rows.end : active}; }
};

// How many rows of steps [s0, s1) have a position below n in the sorted order of sequences.
std::size_t rows_below(const BatchLayout& layout, int s0, int s1, int n) {
    std::size_t rows = 0;
    for (int s = s0; s < s1; ++s) rows += layout.active[s] < n ? layout.active[s] : n;
    return rows;
}

// This thread's share of the rows of steps [s0, s1), in proportion to its speed, as a range of positions in the sorted order
// of sequences. Later positions have fewer steps, so the shares balance rows, not positions.
Range share_rows(const BatchLayout& layout, const ThreadGroup& group, int s0, int s1) {
    const int active = layout.active[s0];
    if (group.rank >= group.size) return {active, active};
    if (layout.active[s1 - 1] == active) return share_by_speed(group, active, 1);
    const auto cut = [&](int rank) {
        const double wanted = static_cast<double>(layout.first[s1] - layout.first[s0]) * fraction_before(group, rank);
        int n = 0, going = s1;
        for (double below = 0; n < active; ++n) {
            while (layout.active[going - 1] <= n) --going;
            if (below + 0.5 * (going - s0) >= wanted) break;
            below += going - s0;
        }
        return n;
    };
    return {cut(group.rank), cut(group.rank + 1)};
}

// The threads of a group that share steps of so many rows. Shares follow the speeds, unless a thread would get very few rows:
// these take longer each, so that the thread would look slower still.
ThreadGroup subgroup(const ThreadGroup& group, int threads, int rows) {
    constexpr double kFewest = 4;
    ThreadGroup some{group.rank, threads, nullptr, 0, group.speeds};
    for (int rank = 0; rank < threads && some.speeds; ++rank)
        if (rows * (fraction_before(some, rank + 1) - fraction_before(some, rank)) < kFewest) some.speeds = nullptr;
    return some;
}

Part part_of(const Job& job, const ThreadGroup& group, int s0, int s1, int gates) {
    const Sizes& z = *job.sizes;
    const int active = job.layout->active[s0];
    const auto [split, threads] = share_steps(z, active, group.size, false, group.sync_ns);
    const ThreadGroup sharing = subgroup(group, threads, active);
    const Range blocks{0, z.Hp / kPanel};
    const bool by_rows = split == Split::kRows;
    return {split, by_rows && threads == group.size, by_rows ? share_rows(*job.layout, sharing, s0, s1) : Range{0, active},
            split == Split::kUnits ? share(sharing, blocks.end, blocks_together(gates)) : blocks};
}

}  // namespace
}  // namespace PENSTOCK_ISA
