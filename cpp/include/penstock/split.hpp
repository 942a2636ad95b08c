// How the threads of a group share the steps of a layer. By rows, no thread waits for another. By units, each thread reads
// only its part of the weights, but the group synchronises after each phase. With too little work to share, one thread
// computes the steps alone.
//
// Everything here is static, because kernels of every instruction set include it and must not share code.
#pragma once

#include "kernels.hpp"

namespace penstock {

enum class Split { kRows, kUnits, kAlone };

// How exactly so many threads share steps of so many rows: kAlone if some of them would get too little.
static inline Split choose_split(const Sizes& z, int rows, int threads, bool backward, int sync_ns) {
    constexpr int kRowsEach = 4;                         // by rows: at least so many rows for each thread
    constexpr long long kWorkEach = kShareAll ? 0 : 64;  // by units: so many multiply-adds of each thread for a ns of sync_ns
    constexpr long long kSharedWeights = 1 << 19;        // more weights (2 MB) exceed the caches: by units, to read them once
    if (threads == 1) return Split::kAlone;
    const long long weights = static_cast<long long>(z.G) * z.Hp * z.P;
    const bool many = rows >= kRowsEach * threads;
    if (many && weights <= kSharedWeights) return Split::kRows;
    // Each thread needs a panel group of its own, interleaved or not: with fewer accumulators, sums wait for their own latency.
    constexpr int kWidest = 6;
    const int blocks = (backward ? z.Pp : z.Hp) / kPanelWidth, together = blocks_together(backward ? 1 : z.h_gates, kWidest);
    if ((blocks + together - 1) / together < threads) return many ? Split::kRows : Split::kAlone;
    return rows * weights >= kWorkEach * sync_ns * threads ? Split::kUnits : Split::kAlone;
}

struct Sharing {
    Split split;
    int threads;  // how many of the group have enough to do; the others only synchronise
};

static inline Sharing share_steps(const Sizes& z, int rows, int threads, bool backward, int sync_ns) {
    for (; threads > 1; --threads)
        if (const Split split = choose_split(z, rows, threads, backward, sync_ns); split != Split::kAlone) return {split, threads};
    return {Split::kAlone, 1};
}

// Whether the other threads compute input products for the one that works alone. With narrow inputs computing a product
// takes less time than fetching it from another core.
static inline bool helps_alone(const Sizes& z) { return z.I >= 256; }

}  // namespace penstock
