// Packs weights from PyTorch's layout into interleaved panels (kernels.hpp).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <functional>
#include <vector>

#include "penstock/kernels.hpp"

namespace penstock {

// The order of gates where gradients are in the order of the weights; other orders are in a cell's traits.
inline constexpr int kIdentity[kMostGates] = {0, 1, 2, 3};

// The address of panel p of `panels` with K rows each, and the distance between its rows.
struct PanelPlace {
    float* at;
    std::size_t row;

    PanelPlace(float* to, std::size_t p, std::size_t panels, int together, std::size_t K) {
        const std::size_t first = p / together * together;
        const std::size_t here = std::min(panels - first, std::size_t(together));
        row = here * kPanelWidth;
        at = to + first * K * kPanelWidth + (p - first) * kPanelWidth;
    }
};

// 4 rows of 4 numbers each, `row` apart, become 4 columns, `column` apart.
inline void transpose(const float* from, std::size_t row, float* to, std::size_t column) {
    typedef float Four __attribute__((vector_size(16), aligned(4), may_alias));  // Clang ignores `aligned` after `using`
    static_assert(alignof(Four) == 4);
    const auto in = [&](int i) -> Four { return *reinterpret_cast<const Four*>(from + i * row); };
    const Four a = in(0), b = in(1), c = in(2), d = in(3);
    const Four ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    const Four cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    const auto out = [&](int i, Four v) { *reinterpret_cast<Four*>(to + i * column) = v; };
    out(0, __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5));
    out(1, __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7));
    out(2, __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5));
    out(3, __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7));
}

// Rows [first, first + n) of w, [..][K], become the lanes of one panel; lanes from n on become zero.
inline void pack_rows(const float* w, std::size_t first, int n, int K, PanelPlace to) {
    const float* from = w + first * K;
    const int whole_lanes = n / 4 * 4, whole = K / 4 * 4;
    for (int k = 0; k < whole; k += 4)
        for (int lane = 0; lane < whole_lanes; lane += 4)
            transpose(from + std::size_t(lane) * K + k, K, to.at + k * to.row + lane, to.row);
    for (int k = 0; k < K; ++k)
        for (int lane = k < whole ? whole_lanes : 0; lane < kPanelWidth; ++lane)
            to.at[k * to.row + lane] = lane < n ? from[std::size_t(lane) * K + k] : 0.0f;
}

// Copies of weights or gradients from one layout to another, which the threads of a group share: one core alone would take
// longer to copy large ones than to read them.
class CopyTasks {
   public:
    // copy(first, end) copies pieces [first, end) of `pieces`.
    template <class Copy>
    void add(int pieces, Copy copy) {
        tasks_.push_back([pieces, copy](const ThreadGroup& group) {
            int first, end;
            group.share(pieces, 1, first, end);
            copy(first, end);
        });
    }
    bool empty() const { return tasks_.empty(); }
    void make(const ThreadGroup& group) const {
        for (const auto& copy : tasks_) copy(group);
    }

   private:
    std::vector<std::function<void(const ThreadGroup&)>> tasks_;
};

// w: gates of [units][K] each -> panels [unit blocks][gates] of K rows. copy: null, or where w is copied to first, so that
// the panels are sure to be those of the copy.
inline void pack_gates(const float* w, float* copy, int first_gate, int gates, int units, int K, float* to, CopyTasks& tasks) {
    const int together = panels_together(gates, kernels().widest_group), panels = padded(units) / kPanelWidth * gates;
    tasks.add(panels, [=](int first, int end) {
        for (int p = first; p < end; ++p) {
            const int u = p / gates * kPanelWidth, n = std::min(kPanelWidth, units - u);
            const std::size_t row = std::size_t(first_gate + p % gates) * units + u;
            if (copy) std::memcpy(copy + row * K, w + row * K, std::size_t(n) * K * sizeof(float));
            pack_rows(copy ? copy : w, row, n, K, PanelPlace(to, p, panels, together, K));
        }
    });
}

// b: gates of [units] each, or null -> [unit blocks][gates][16]
inline void pack_bias(const float* b, int first_gate, int gates, int units, float* to) {
    for (int u = 0; u < units; u += kPanelWidth)
        for (int g = 0; g < gates; ++g, to += kPanelWidth)
            for (int lane = 0; lane < kPanelWidth; ++lane)
                to[lane] = b && u + lane < units ? b[std::size_t(first_gate + g) * units + u + lane] : 0.0f;
}

// Columns of w become lanes. The gates named by `order`, each [units][n] and padded to `units_padded` rows, follow each other
// along k. -> panels [n / 16, rounded up] of gates * units_padded rows
inline void pack_columns(const float* w, const int* order, int gates, int units, int units_padded, int n, float* to,
                         CopyTasks& tasks) {
    const int together = panels_together(1, kernels().widest_group) * kPanelWidth, K = gates * units_padded, all = padded(n);
    tasks.add(K, [=](int first, int end) {
        for (int k = first; k < end; ++k) {
            const int u = k % units_padded, have = u < units ? n : 0;
            const float* row = w + (std::size_t(order[k / units_padded]) * units + u) * n;
            for (int c = 0; c < all; c += together) {
                const int width = std::min(together, all - c), copied = std::clamp(have - c, 0, width);
                float* at = to + std::size_t(c) * K + std::size_t(k) * width;
                int i = 0;
                for (; i + kPanelWidth <= copied; i += kPanelWidth) std::memcpy(at + i, row + c + i, kPanelWidth * sizeof(float));
                if (i == width) continue;
                std::memset(at + i, 0, (width - i) * sizeof(float));
                std::memcpy(at + i, row + c + i, (copied - i) * sizeof(float));
            }
        }
    });
}

}  // namespace penstock
