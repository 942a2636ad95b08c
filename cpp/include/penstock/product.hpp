// The one matrix product: rows times packed panels, with one accumulator per output and ascending k.
//
// A panel holds 16 output columns as [k][16]. Where a tile can take several panels, panels_together of them are interleaved
// as [k][panel][16]. A tile keeps MR rows x NP panels of accumulators in registers.
// Every output has one accumulator that adds its terms in the same order in every tile. So the bits do not depend on the
// number of rows, on a row's position among them, or on the thread that computes it.
#pragma once

#include "vec.hpp"

namespace PENSTOCK_ISA {
namespace {

constexpr int kPanel = 16;                    // columns of a panel, units of a unit block
constexpr int kLine = 16;                     // floats of a cache line
constexpr int kVectors = kPanel / kWidth;     // vectors of a panel's row
#if PENSTOCK_WIDTH == 16 || defined(__aarch64__)
constexpr int kAccumulators = 24, kMaxRows = 6;  // of 32 registers
#elif PENSTOCK_WIDTH == 8
constexpr int kAccumulators = 12, kMaxRows = 6;  // of 16 registers
#else
constexpr int kAccumulators = 12, kMaxRows = 3;  // of 16 registers
#endif
constexpr int kWidestGroup = PENSTOCK_WIDTH == 16 ? 6 : 1;
constexpr bool kInterleaved = kWidestGroup > 1;
// How many k one pass takes when several row blocks use the same panel group: 128 KB of one stream, which L2 delivers fast
// enough, or, not interleaved, 16 KB of each panel, which stay in L1.
constexpr int kDepth = kInterleaved ? 512 : 256;
// Panels of more bytes than this may not be in L2, so each panel group is prefetched while the one before it is used.
constexpr std::size_t kFar = 512 * 1024;
constexpr int kAheadRows = 3;  // tiles of fewer rows do not prefetch: they wait for memory anyway
constexpr int kAhead = kInterleaved ? 2 : 1;  // cache lines to prefetch for each k of a tile; a group of one panel has one

enum class Start {
    kBias,      // the accumulator starts as the bias, or as zero where there is none
    kContinue,  // it starts as what `out` holds
    kAdd,       // it starts as zero, and `out` is added once at the end
};

// Where a product goes: [rows][panels][16] by these strides.
struct Out {
    float* to;
    std::size_t row, panel = kPanel;
};

constexpr int panels_of(int rows) {
    constexpr int most = kInterleaved ? kWidestGroup : 8;
    const int n = kAccumulators / (rows * kVectors);
    return n < 1 ? 1 : n > most ? most : n;
}

// a: [MR][K] with `a_row` between rows, or, transposed, [K][kMaxRows]
// b: [K][NP][16] interleaved, or [NP][K][16] with `b_panel` between panels
// bias: [NP][16] or null        out: [MR][NP][16] by its strides
// ahead: with Ahead, kAhead * K cache lines to prefetch
template <int MR, int NP, bool Transposed, bool Interleaved, bool Ahead>
void tile(const float* a, std::size_t a_row, int K, const float* b, std::size_t b_panel, const float* bias,
          float* out, std::size_t out_row, std::size_t out_panel, Start start, const float* ahead) {
    constexpr int N = NP * kVectors;
    if (start == Start::kAdd)  // the memory that is added to arrives meanwhile
        for (int m = 0; m < MR; ++m)
            for (int v = 0; v < N; ++v)
                __builtin_prefetch(out + m * out_row + (v / kVectors) * out_panel + (v % kVectors) * kWidth);
    V acc[MR][N];
    for (int m = 0; m < MR; ++m)
        for (int v = 0; v < N; ++v) {
            const std::size_t at = (v / kVectors) * out_panel + (v % kVectors) * kWidth;
            if (start == Start::kContinue) acc[m][v] = load(out + m * out_row + at);
            else if (start == Start::kBias && bias) acc[m][v] = load(bias + v * kWidth);
            else acc[m][v] = V{};
        }
#pragma GCC unroll 2
    for (int k = 0; k < K; ++k) {
        if constexpr (Ahead)
            for (int i = 0; i < kAhead; ++i) __builtin_prefetch(ahead + (k * kAhead + i) * kLine, 0, 2);
        V w[N];
#pragma GCC unroll 16
        for (int v = 0; v < N; ++v)
            w[v] = Interleaved ? load(b + static_cast<std::size_t>(k) * NP * kPanel + v * kWidth)
                               : load(b + (v / kVectors) * b_panel + static_cast<std::size_t>(k) * kPanel +
                                      (v % kVectors) * kWidth);
#pragma GCC unroll 16
        for (int m = 0; m < MR; ++m) {
            const V x = splat(Transposed ? a[k * kMaxRows + m] : a[m * a_row + k]);
#pragma GCC unroll 16
            for (int v = 0; v < N; ++v) acc[m][v] = fma(x, w[v], acc[m][v]);
        }
    }
    for (int m = 0; m < MR; ++m)
        for (int v = 0; v < N; ++v) {
            float* p = out + m * out_row + (v / kVectors) * out_panel + (v % kVectors) * kWidth;
            store(p, start == Start::kAdd ? load(p) + acc[m][v] : acc[m][v]);
        }
}

using Tile = void (*)(const float*, std::size_t, int, const float*, std::size_t, const float*, float*, std::size_t,
                      std::size_t, Start, const float*);

template <int MR, int NP, bool Transposed, bool Interleaved, bool Ahead>
Tile find_tile(int panels) {
    if constexpr (NP > 1) {
        if (panels < NP) return find_tile<MR, NP - 1, Transposed, Interleaved, Ahead>(panels);
    }
    return tile<MR, NP, Transposed, Interleaved, Ahead>;
}

template <bool Transposed, int MR = kMaxRows>
Tile find_tile(int rows, int panels, bool ahead) {
    if constexpr (MR > 1) {
        if (rows < MR) return find_tile<Transposed, MR - 1>(rows, panels, ahead);
    }
    constexpr bool interleaved = kInterleaved && !Transposed;
    if constexpr (MR >= kAheadRows && !Transposed) {
        if (ahead) return find_tile<MR, panels_of(MR), Transposed, interleaved, true>(panels);
    }
    return find_tile<MR, panels_of(MR), Transposed, interleaved, false>(panels);
}

// out[r][p] = start + a[r] . panel p        a: [rows][K]        b: panels, `together` of them interleaved
// `descending` takes the panels from the last to the first: when a matrix that exceeds a cache is read repeatedly and every
// other pass goes backwards, the cache still holds the part that the next pass begins with. `next`: a panel group, of as many
// panels as the first here, that will be read next and may not be in L2; or null.
void product(const float* a, std::size_t a_row, int rows, int K, const float* b, int panels, int together,
             const float* bias, Out out, Start start, bool descending = false, const float* next = nullptr) {
    if (rows <= 0) return;
    const int most = kInterleaved && kAccumulators / (together * kVectors) < kMaxRows
                         ? kAccumulators / (together * kVectors) : kMaxRows;
    const int blocks = (rows + most - 1) / most, small = rows / blocks, larger = rows % blocks;
    const int wide = kInterleaved ? together : panels_of(larger ? small + 1 : small);
    const int groups = (panels + wide - 1) / wide;
    const int depth = blocks > 1 ? kDepth : K;
    const std::size_t b_panel = static_cast<std::size_t>(K) * kPanel;
    const bool far = blocks > 1 && (next || panels * b_panel * sizeof(float) > kFar);
    const auto first_of = [&](int g) { return (descending ? groups - 1 - g : g) * wide; };
    const auto count_of = [&](int g) { return panels - first_of(g) < wide ? panels - first_of(g) : wide; };
    const auto start_of = [&](int g, int k) {
        return b + first_of(g) * b_panel + static_cast<std::size_t>(k) * kPanel * (kInterleaved ? count_of(g) : 1);
    };
    int k = 0;
    do {
        const int n = K - k < depth ? K - k : depth;
        for (int g = 0; g < groups; ++g) {
            const int p = first_of(g), np = count_of(g);
            const float *from = start_of(g, k), *ahead = nullptr, *ahead_end = nullptr;
            if (far) {
                const bool inside = g + 1 < groups;
                ahead = inside ? start_of(g + 1, k) : k + n < K ? start_of(0, k + n) : next;
                if (ahead)
                    ahead_end = ahead + static_cast<std::size_t>(kInterleaved ? count_of(inside ? g + 1 : 0) : 1) * n * kPanel;
            }
            int r = 0;
            for (int i = 0; i < blocks; ++i) {
                const int nr = small + (i < larger);
                const bool fetches = nr >= kAheadRows && ahead_end - ahead >= n * kAhead * kLine;
                find_tile<false>(nr, np, fetches)(a + r * a_row + k, a_row, n, from, b_panel, bias ? bias + p * kPanel : nullptr,
                                  out.to + r * out.row + p * out.panel, out.row, out.panel, k ? Start::kContinue : start, ahead);
                if (fetches) ahead += n * kAhead * kLine;
                r += nr;
            }
        }
        k += n;
    } while (k < K);
}

// a_tiles: [tiles][k][kMaxRows], as product_transposed reads them; rows of `a` become k, its columns become rows. It takes
// a few rows at a time, so that their cache lines are still cached for the next tile: rows are often a power of two apart,
// and the lines of a whole column would all fall into a few sets of the cache.
void pack_transposed(const float* a, std::size_t a_row, int depth, int columns, float* a_tiles) {
    constexpr int kTogether = 16;
    for (int k0 = 0; k0 < depth; k0 += kTogether) {
        const int k1 = k0 + kTogether < depth ? k0 + kTogether : depth;
        for (int c = 0; c < columns; c += kMaxRows) {
            const int n = columns - c < kMaxRows ? columns - c : kMaxRows;
            float* to = a_tiles + (static_cast<std::size_t>(c) * depth + static_cast<std::size_t>(k0) * kMaxRows);
            for (int k = k0; k < k1; ++k, to += kMaxRows) {
                const float* from = a + k * a_row + c;
                if (n == kMaxRows) {
                    for (int i = 0; i < kMaxRows; ++i) to[i] = from[i];
                } else {
                    for (int i = 0; i < kMaxRows; ++i) to[i] = i < n ? from[i] : 0.0f;
                }
            }
        }
    }
}

// out[m][p] = start + sum over k of a[k][m] * panel p[k], for `rows` rows m; depth <= kDepth rows.
// `b_panel` floats lie between panels.
void product_transposed(const float* a_tiles, int rows, int depth, const float* b, std::size_t b_panel, int panels,
                        float* out, std::size_t out_row, Start start) {
    constexpr int kGroup = panels_of(kMaxRows), kRows = 96;  // rows whose tiles stay in L2
    for (int r0 = 0; r0 < rows; r0 += kRows) {
        const int r1 = r0 + kRows < rows ? r0 + kRows : rows;
        for (int p = 0; p < panels; p += kGroup) {
            const int np = panels - p < kGroup ? panels - p : kGroup;
            for (int r = r0; r < r1; r += kMaxRows)
                find_tile<true>(r1 - r, np, false)(a_tiles + static_cast<std::size_t>(r) * depth, 0, depth, b + p * b_panel,
                                                   b_panel, nullptr, out + r * out_row + p * kPanel, out_row, kPanel,
                                                   start, nullptr);
        }
    }
}

}  // namespace
}  // namespace PENSTOCK_ISA
