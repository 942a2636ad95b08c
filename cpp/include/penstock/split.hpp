// How the threads of a team share the steps of a layer. By rows nobody waits for anybody; by units each thread reads only
// its part of the weights, and the team meets after each phase; alone where there is too little to share.
//
// Everything here is static: kernels of every instruction set include it, and must not share code.
#pragma once

#include "kernels.hpp"

namespace penstock {

enum class Split { kRows, kUnits, kAlone };

// Steps of so many rows, by just so many threads; alone where that leaves some of them too little.
static inline Split choose_split(const Sizes& z, int rows, int threads, bool backward, int meeting) {
    constexpr int kRowsEach = 4;                         // by rows from this many rows for each thread
    constexpr long long kWorkEach = kShareAll ? 0 : 64;  // by units from so many multiply-adds for each and a nanosecond of a meeting
    constexpr long long kSharedWeights = 1 << 19;        // more of them (2 MB) leave the caches: by units, to read them once
    if (threads == 1) return Split::kAlone;
    const long long weights = static_cast<long long>(z.G) * z.Hp * z.P;
    const bool many = rows >= kRowsEach * threads;
    if (many && weights <= kSharedWeights) return Split::kRows;
    // A thread needs a group of panels of its own, be they interleaved or not: of fewer, the sums wait for themselves.
    constexpr int kWidest = 6;
    const int blocks = (backward ? z.Pp : z.Hp) / kPanelWidth, together = blocks_together(backward ? 1 : z.h_gates, kWidest);
    if ((blocks + together - 1) / together < threads) return many ? Split::kRows : Split::kAlone;
    return rows * weights >= kWorkEach * meeting * threads ? Split::kUnits : Split::kAlone;
}

struct Sharing {
    Split split;
    int threads;  // of the team: as many as have enough to do. The others come to its meetings.
};

static inline Sharing share_steps(const Sizes& z, int rows, int threads, bool backward, int meeting) {
    for (; threads > 1; --threads)
        if (const Split split = choose_split(z, rows, threads, backward, meeting); split != Split::kAlone) return {split, threads};
    return {Split::kAlone, 1};
}

// Whether the others compute input products for the one that works alone: of narrow inputs they are done before they
// would have come from another core.
static inline bool helps_alone(const Sizes& z) { return z.I >= 256; }

}  // namespace penstock
