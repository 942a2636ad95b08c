// All kernels for one instruction set. The build compiles this file once for each set, with PENSTOCK_ISA (a namespace),
// PENSTOCK_WIDTH (lanes) and the matching machine flags. Everything but the table has internal linkage, so no vector code
// can leak into the portable path through a shared inline function.
#include "penstock/sweep_back.hpp"

// A cell from outside: the build may name its header and its type (CMakeLists.txt).
#if defined(PENSTOCK_CELL)
#include PENSTOCK_CELL_HEADER
#endif

namespace PENSTOCK_ISA {
namespace {

template <class Cell>
constexpr penstock::CellKernels kernels_of{Cell::traits, forward<Cell>, backward<Cell>};

// Every cell in every form. A new one needs its header and its line here.
constexpr penstock::CellKernels cells[] = {
    kernels_of<Rnn<false>>,
    kernels_of<Rnn<true>>,
    kernels_of<Lstm<false, false>>,
    kernels_of<Lstm<false, true>>,
    kernels_of<Lstm<true, false>>,
    kernels_of<Lstm<true, true>>,
    kernels_of<GruAfter>,
    kernels_of<GruBefore>,
#if defined(PENSTOCK_CELL)
    kernels_of<PENSTOCK_CELL>,
#endif
};

void run_product(const float* a, std::size_t a_row, int rows, int K, const float* panels, int count, const float* bias,
                 float* out, std::size_t out_row) {
    product(a, a_row, rows, K, panels, count, panels_together(1), bias, {out, out_row}, Start::kBias);
}

// The greatest of n numbers; any of them if one is NaN.
float greatest(const float* x, int n) {
    float top = x[0];
    if (n < kPanel) {
        for (int i = 1; i < n; ++i) top = x[i] > top ? x[i] : top;
        return top;
    }
    V tops[kVectors];
    for (int v = 0; v < kVectors; ++v) tops[v] = splat(top);
    for (int i = 0; i < n; i += kPanel) {
        const float* const at = x + (i < n - kPanel ? i : n - kPanel);  // the last panel overlaps the one before it
        for (int v = 0; v < kVectors; ++v) {
            const V next = load_unaligned(at + v * kWidth);
            tops[v] = next > tops[v] ? next : tops[v];
        }
    }
    for (const V& each : tops)
        for (int lane = 0; lane < kWidth; ++lane) top = each[lane] > top ? each[lane] : top;
    return top;
}

int first_greatest(const float* x, int n) {
    const float top = greatest(x, n);
    int i = 0;
    while (x[i] < top) ++i;
    return i;
}

// The sum over a row uses 16 virtual lanes and one fixed tree, so its bits do not depend on the vector's width. A NaN is in
// the sum, and so in the whole row.
void run_softmax(const float* x, float* out, std::size_t rows, int n) {
    for (std::size_t r = 0; r < rows; ++r, x += n, out += n) {
        const V top = splat(greatest(x, n));
        V sums[kVectors]{};
        const auto add = [&](int i, int count) {
            for (int v = 0; v < kVectors; ++v, i += kWidth, count -= kWidth) {
                store_first(out + i, exp(load_first(x + i, count) - top), count);
                sums[v] += load_first(out + i, count);  // zeros beyond the row
            }
        };
        const int whole = n - n % kPanel;
        for (int i = 0; i < whole; i += kPanel) add(i, kPanel);
        if (whole < n) add(whole, n - whole);
        alignas(64) float lanes[kPanel];
        for (int v = 0; v < kVectors; ++v) store(lanes + v * kWidth, sums[v]);
        for (int step = kPanel / 2; step > 0; step /= 2)
            for (int j = 0; j < step; ++j) lanes[j] += lanes[j + step];
        const float sum = lanes[0];
        for (int i = 0; i < n; ++i) out[i] /= sum;
    }
}

template <V (*F)(V)>
void map(const float* x, float* out, std::size_t n) {
    for (std::size_t i = 0; i < n; i += kWidth) {
        const int count = n - i < kWidth ? static_cast<int>(n - i) : kWidth;
        store_first(out + i, F(load_first(x + i, count)), count);
    }
}

// The peak of the machine, for `penstock bench`: independent fused multiply-adds.
float multiply_add(std::size_t rounds) {
    V sums[kAccumulators];
    for (int i = 0; i < kAccumulators; ++i) sums[i] = splat(static_cast<float>(i));
    const V x = splat(0.999f), y = splat(1e-5f);
    for (std::size_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 32
        for (int i = 0; i < kAccumulators; ++i) sums[i] = fma(sums[i], x, y);
    }
    float result = 0;
    for (int i = 0; i < kAccumulators; ++i) result += sums[i][0];
    return result;
}

// The read bandwidth of the machine: reads n floats, a multiple of 128, repeatedly.
float read_all(const float* data, std::size_t n, std::size_t repeats) {
    constexpr int kSums = 8;
    V sums[kSums]{};
    for (std::size_t r = 0; r < repeats; ++r)
        for (std::size_t i = 0; i < n; i += kSums * kWidth) {
#pragma GCC unroll 8
            for (int j = 0; j < kSums; ++j) sums[j] += load(data + i + j * kWidth);
        }
    float result = 0;
    for (int j = 0; j < kSums; ++j) result += sums[j][0];
    return result;
}

}  // namespace

extern const penstock::Kernels table;
const penstock::Kernels table{PENSTOCK_NAME, kMaxRows,  kWidestGroup, cells,        sizeof cells / sizeof cells[0], run_product,
                              run_softmax,   first_greatest, map<tanh>, map<sigmoid>, multiply_add,
                              2.0 * kAccumulators * kWidth, read_all};

}  // namespace PENSTOCK_ISA
