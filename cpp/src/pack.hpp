// Weights from PyTorch's layout into panels (product.hpp).
#pragma once

#include <algorithm>
#include <cstddef>

#include "penstock/kernels.hpp"

namespace penstock {

// Rows [first, first + n) of w: [..][K] become lanes of one panel [K][16]; missing lanes are zero.
inline void pack_rows(const float* w, std::size_t first, int n, int K, float* panel) {
    for (int lane = 0; lane < kPanelWidth; ++lane) {
        if (lane < n) {
            const float* row = w + (first + lane) * K;
            for (int k = 0; k < K; ++k) panel[std::size_t(k) * kPanelWidth + lane] = row[k];
        } else {
            for (int k = 0; k < K; ++k) panel[std::size_t(k) * kPanelWidth + lane] = 0.0f;
        }
    }
}

// w: gates of [units][K] each -> [unit blocks][gates][K][16]
inline void pack_gates(const float* w, int first_gate, int gates, int units, int K, float* to) {
    for (int u = 0; u < units; u += kPanelWidth)
        for (int g = 0; g < gates; ++g, to += std::size_t(K) * kPanelWidth)
            pack_rows(w, std::size_t(first_gate + g) * units + u, std::min(kPanelWidth, units - u), K, to);
}

// b: gates of [units] each, or null -> [unit blocks][gates][16]
inline void pack_bias(const float* b, int first_gate, int gates, int units, float* to) {
    for (int u = 0; u < units; u += kPanelWidth)
        for (int g = 0; g < gates; ++g, to += kPanelWidth)
            for (int lane = 0; lane < kPanelWidth; ++lane)
                to[lane] = b && u + lane < units ? b[std::size_t(first_gate + g) * units + u + lane] : 0.0f;
}

// Columns of w become lanes: the gates named by `order`, each [units][n] padded to `units_padded` rows, stand one
// after another as k. -> [n / 16 up][gates * units_padded][16]
inline void pack_columns(const float* w, const int* order, int gates, int units, int units_padded, int n, float* to) {
    for (int c = 0; c < n; c += kPanelWidth) {
        const int lanes = std::min(kPanelWidth, n - c);
        for (int g = 0; g < gates; ++g)
            for (int u = 0; u < units_padded; ++u, to += kPanelWidth) {
                const float* row = w + (std::size_t(order[g]) * units + u) * n + c;
                for (int lane = 0; lane < kPanelWidth; ++lane) to[lane] = u < units && lane < lanes ? row[lane] : 0.0f;
            }
    }
}

}  // namespace penstock
