// Weights from PyTorch's layout into interleaved panels (kernels.hpp).
#pragma once

#include <algorithm>
#include <cstddef>

#include "penstock/kernels.hpp"

namespace penstock {

// Where panel p of `panels` with K rows stands, and how far its rows are from each other.
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

// Rows [first, first + n) of w: [..][K] become lanes of one panel; missing lanes are zero.
inline void pack_rows(const float* w, std::size_t first, int n, int K, PanelPlace to) {
    constexpr int kPiece = 16;  // k at a time, so that the lines written stay in L1 while their lanes come
    for (int k0 = 0; k0 < K; k0 += kPiece) {
        const int k1 = std::min(K, k0 + kPiece);
        for (int lane = 0; lane < kPanelWidth; ++lane) {
            const float* row = lane < n ? w + (first + lane) * K : nullptr;
            for (int k = k0; k < k1; ++k) to.at[k * to.row + lane] = row ? row[k] : 0.0f;
        }
    }
}

// w: gates of [units][K] each -> panels [unit blocks][gates] of K rows
inline void pack_gates(const float* w, int first_gate, int gates, int units, int K, float* to) {
    const int together = panels_together(gates, kernels().widest_group);
    const std::size_t panels = std::size_t(padded(units)) / kPanelWidth * gates;
    std::size_t p = 0;
    for (int u = 0; u < units; u += kPanelWidth)
        for (int g = 0; g < gates; ++g, ++p)
            pack_rows(w, std::size_t(first_gate + g) * units + u, std::min(kPanelWidth, units - u), K,
                      PanelPlace(to, p, panels, together, K));
}

// b: gates of [units] each, or null -> [unit blocks][gates][16]
inline void pack_bias(const float* b, int first_gate, int gates, int units, float* to) {
    for (int u = 0; u < units; u += kPanelWidth)
        for (int g = 0; g < gates; ++g, to += kPanelWidth)
            for (int lane = 0; lane < kPanelWidth; ++lane)
                to[lane] = b && u + lane < units ? b[std::size_t(first_gate + g) * units + u + lane] : 0.0f;
}

// Columns of w become lanes: the gates named by `order`, each [units][n] padded to `units_padded` rows, stand one
// after another as k. -> panels [n / 16 up] of gates * units_padded rows
inline void pack_columns(const float* w, const int* order, int gates, int units, int units_padded, int n, float* to) {
    const int together = panels_together(1, kernels().widest_group);
    const std::size_t panels = std::size_t(padded(n)) / kPanelWidth, K = std::size_t(gates) * units_padded;
    for (int c = 0; c < n; c += kPanelWidth) {
        const int lanes = std::min(kPanelWidth, n - c);
        const PanelPlace place(to, c / kPanelWidth, panels, together, K);
        float* at = place.at;
        for (int g = 0; g < gates; ++g)
            for (int u = 0; u < units_padded; ++u, at += place.row) {
                const float* row = w + (std::size_t(order[g]) * units + u) * n + c;
                for (int lane = 0; lane < kPanelWidth; ++lane) at[lane] = u < units && lane < lanes ? row[lane] : 0.0f;
            }
    }
}

}  // namespace penstock
