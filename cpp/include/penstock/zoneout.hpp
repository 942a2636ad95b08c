// Zoneout (Krueger et al. 2016, arXiv:1606.01305): around a cell's step, units keep a part of their state from before it.
// docs/cells/lstm.md
//
//   training:     state' = state where the unit is drawn, with probability share, else the cell's new state
//   expectation:  state' = share * state + (1 - share) * new state
//
// The cells know nothing of it. Forward, their new states are mixed with the old ones afterwards. Backward, the gradient of a
// mixed state is divided beforehand: one part goes through the cell, the other past it.
#pragma once

#include "step.hpp"

namespace PENSTOCK_ISA {
namespace {

using penstock::Draw;
using penstock::zoned_slot;

constexpr int kWords = 4;                        // that Philox draws at a time
constexpr int kDrawn = kWords * kPanel;          // units whose masks are drawn together
constexpr float kDrawLevels = 1 << 24;           // a share is rounded to a multiple of 2^-24

// Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): four random words of each counter, in
// its place. There are 16 counters, one in each column.
[[gnu::noinline]] void philox(std::uint32_t (&counters)[kWords][kPanel], std::uint32_t key0, std::uint32_t key1) {
    for (int round = 0; round < 10; ++round, key0 += 0x9e3779b9u, key1 += 0xbb67ae85u)
        for (int i = 0; i < kPanel; ++i) {
            const std::uint64_t a = std::uint64_t{0xd2511f53u} * counters[0][i], b = std::uint64_t{0xcd9e8d57u} * counters[2][i];
            counters[0][i] = static_cast<std::uint32_t>(b >> 32) ^ counters[1][i] ^ key0;
            counters[1][i] = static_cast<std::uint32_t>(b);
            counters[2][i] = static_cast<std::uint32_t>(a >> 32) ^ counters[3][i] ^ key1;
            counters[3][i] = static_cast<std::uint32_t>(a);
        }
}

// The share of state k that each of the units [first, first + kDrawn) keeps, at step s of the sequence in row j.
// penstock/cells/zoneout.py draws the same in Python.
void draw_kept(const Job& job, int k, int s, std::size_t j, int first, float* kept) {
    const float share = job.zoneout[k];
    if (!job.draw || share == 0) {
        for (int i = 0; i < kDrawn; ++i) kept[i] = share;
        return;
    }
    const Draw& draw = *job.draw;
    const penstock::BatchLayout& layout = *job.layout;
    const int place = layout.sequence[j], time = job.direction ? layout.length[j] - 1 - s : s;
    alignas(64) std::uint32_t words[kWords][kPanel];
    for (int i = 0; i < kPanel; ++i) {
        words[0][i] = static_cast<std::uint32_t>(first / kWords + i);
        words[1][i] = static_cast<std::uint32_t>(time) + draw.first_step;
        words[2][i] = static_cast<std::uint32_t>(draw.numbers ? draw.numbers[place] : place);
        words[3][i] = (draw.layer * 2 + static_cast<std::uint32_t>(job.direction)) * penstock::kMostStates + static_cast<std::uint32_t>(k);
    }
    philox(words, static_cast<std::uint32_t>(draw.seed), static_cast<std::uint32_t>(draw.seed >> 32));
    const auto below = static_cast<std::int32_t>(share * kDrawLevels);
    for (int w = 0; w < kWords; ++w)
        for (int i = 0; i < kPanel; ++i)
            kept[w * kPanel + i] = static_cast<std::int32_t>(words[w][i] >> 8) < below ? 1.0f : 0.0f;
}

// Calls f(At, the share that each lane keeps) for every vector of the rows and unit blocks.
template <class F>
inline void for_kept(const Job& job, int s, Range rows, Range blocks, int k, F f) {
    constexpr int together = kDrawn / kPanel;
    alignas(64) float kept[kDrawn];
    for (int j = rows.begin; j < rows.end; ++j)
        for (int first = blocks.begin / together * together; first < blocks.end; first += together) {
            draw_kept(job, k, s, static_cast<std::size_t>(j), first * kPanel, kept);
            const Range some{first < blocks.begin ? blocks.begin : first,
                             first + together < blocks.end ? first + together : blocks.end};
            for_vectors({j, j + 1}, some, [&](At a) { f(a, load(kept + (a.block - first) * kPanel + a.lane)); });
        }
}

// What a share takes of a value: nothing if it is 0, whatever the value.
inline V part(V share, V v) { return share == V{} ? V{} : share * v; }

// Copies the other states before phase one overwrites them. Like what follows, it is compiled once for all cells.
[[gnu::noinline]] void keep_states(const ForwardStep& t, Range rows, Range blocks) {
    for (int k = 1; k < t.job.sizes->states; ++k)
        for_vectors(rows, blocks, [&](At a) { store(t.job.before[k] + a.j * t.Hp() + a.unit(), t.state(a, k)); });
}

// Mixes the new states [k_begin, k_end) with those before the step.
[[gnu::noinline]] void zone(const ForwardStep& t, Range rows, Range blocks, int k_begin, int k_end) {
    const Job& job = t.job;
    const V one = splat(1.0f);
    for (int k = k_begin; k < k_end; ++k)
        for_kept(job, t.s, rows, blocks, k, [&](At a, V kept) {
            const V before = k ? load(job.before[k] + a.j * t.Hp() + a.unit()) : t.before(a);
            const V now = k ? t.state(a, k) : load(t.h_after + a.j * job.sizes->Pp + a.unit());
            const V mixed = part(kept, before) + part(one - kept, now);
            if (!k) return t.output(a, mixed);
            t.put_state(a, k, mixed);
            t.save(a, zoned_slot(*job.sizes, k), mixed);
        });
}

inline float* kept_gradient(const BackwardStep& t, At a, int k) {
    return t.job.kept[k] + a.j * padded_state(*t.job.sizes, k) + a.unit();
}

// Divides the gradients of the states [k_begin, k_end) between the cell and the states before the step.
[[gnu::noinline]] void divide_gradients(const BackwardStep& t, Range rows, Range blocks, int k_begin, int k_end) {
    const V one = splat(1.0f);
    for (int k = k_begin; k < k_end; ++k)
        for_kept(t.job, t.s, rows, blocks, k, [&](At a, V kept) {
            const V d = k ? load(t.dstate(a, k)) : t.output_gradient(a);
            store(kept_gradient(t, a, k), part(kept, d));
            store(k ? t.dstate(a, k) : t.dh(a), part(one - kept, d));
        });
}

// Adds what went past the cell to the gradients of the states before the step.
[[gnu::noinline]] void add_kept(const BackwardStep& t, Range rows, Range blocks, int k_begin, int k_end) {
    for (int k = k_begin; k < k_end; ++k)
        for_vectors(rows, blocks, [&](At a) {
            float* to = k ? t.dstate(a, k) : t.dh(a);
            store(to, load(to) + load(kept_gradient(t, a, k)));
        });
}

}  // namespace
}  // namespace PENSTOCK_ISA
