// How the threads of a team share the steps of a layer. By rows nobody waits for anybody; by units each thread reads only
// its part of the weights, and the team meets after each phase; alone when a step is shorter than a meeting.
//
// Everything here is static: kernels of every instruction set include it, and must not share code.
#pragma once

#include "kernels.hpp"

namespace penstock {

enum class Split { kRows, kUnits, kAlone };

static inline Split choose_split(const Sizes& z, int rows, int threads) {
    constexpr int kRowsEach = 4;                             // by rows from this many rows for each thread
    constexpr long long kUnitsWork = kShareAll ? 0 : 40000;  // by units from this many multiply-adds in a step
    constexpr long long kSharedWeights = 1 << 19;            // more of them (2 MB) leave the caches: by units, to read them once
    if (threads == 1) return Split::kAlone;
    const long long weights = static_cast<long long>(z.G) * z.Hp * z.P, work = rows * weights;
    if (rows >= kRowsEach * threads && weights <= kSharedWeights) return Split::kRows;
    return work >= kUnitsWork ? Split::kUnits : Split::kAlone;
}

// Whether the others compute input products for the one that works alone: of narrow inputs they are done before they
// would have come from another core.
static inline bool helps_alone(const Sizes& z) { return z.I >= 256; }

}  // namespace penstock
