// How the threads of a team share the steps of a layer. By rows nobody waits for anybody; by units each thread reads only
// its part of the weights, and the team meets after each phase; alone when a step is shorter than a meeting.
//
// Everything here is static: kernels of every instruction set include it, and must not share code.
#pragma once

#include "kernels.hpp"

namespace penstock {

enum class Split { kRows, kUnits, kAlone };

static constexpr int kRowsEach = 4;  // by rows from this many rows for each thread

// How a team had better share steps of so many rows; alone where a smaller team, or one thread, does them better.
static inline Split choose_split(const Sizes& z, int rows, int threads, bool backward) {
    constexpr long long kUnitsWorkEach = kShareAll ? 0 : 6144;  // by units from this many multiply-adds of a step for each
    constexpr long long kSharedWeights = 1 << 19;               // more of them (2 MB) leave the caches: by units, to read them once
    if (threads == 1) return Split::kAlone;
    const long long weights = static_cast<long long>(z.G) * z.Hp * z.P;
    const bool many = rows >= kRowsEach * threads;
    if (many && weights <= kSharedWeights) return Split::kRows;
    // A thread needs a group of panels of its own, be they interleaved or not: of fewer, the sums wait for themselves.
    constexpr int kWidest = 6;
    const int blocks = (backward ? z.Pp : z.Hp) / kPanelWidth, together = blocks_together(backward ? 1 : z.h_gates, kWidest);
    if ((blocks + together - 1) / together < threads) return many ? Split::kRows : Split::kAlone;
    return rows * weights >= kUnitsWorkEach * threads ? Split::kUnits : Split::kAlone;
}

// How a team that is there shares the steps of a block. It was chosen for the most rows of the pass; as sequences end,
// too few go on for each thread to have its fill, but more than one thread does well: by rows, since all wait for the
// end of the block anyway.
static inline Split split_block(const Sizes& z, int rows, int threads, bool backward) {
    const Split split = choose_split(z, rows, threads, backward);
    return split == Split::kAlone && threads > 1 && rows >= 2 * kRowsEach ? Split::kRows : split;
}

// Whether the others compute input products for the one that works alone: of narrow inputs they are done before they
// would have come from another core.
static inline bool helps_alone(const Sizes& z) { return z.I >= 256; }

}  // namespace penstock
