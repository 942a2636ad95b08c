// The equations of every cell in double precision, as plainly as possible: what the engine's values are compared with.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "problem.hpp"

inline double sigmoid(double v) { return 1 / (1 + std::exp(-v)); }

// One step of one sequence by the equations; overwrites h and cell.
inline void step(const Case& c, const Data& w, const float* x, std::vector<double>& h, std::vector<double>& cell) {
    const int H = c.hidden, P = c.outputs();
    const auto from = [&](const Floats& m, const Floats& b, int row, int n, auto&& v) {
        double s = b.empty() ? 0 : b[row];
        for (int k = 0; k < n; ++k) s += double(m[std::size_t(row) * n + k]) * v(k);
        return s;
    };
    const auto in = [&](int g, int u) { return from(w.w_ih, w.b_ih, g * H + u, c.input, [&](int k) { return x[k]; }); };
    const auto re = [&](int g, int u) { return from(w.w_hh, w.b_hh, g * H + u, P, [&](int k) { return h[k]; }); };
    std::vector<double> out(H);
    std::vector<double> reset(H);
    for (int u = 0; u < H; ++u) {
        if (c.kind == kRnnTanh) out[u] = std::tanh(in(0, u) + re(0, u));
        if (c.kind == kRnnRelu) out[u] = std::max(0.0, in(0, u) + re(0, u));
        if (c.has_c()) {
            const auto peep = [&](int g, double v) { return w.w_ch.empty() ? 0.0 : w.w_ch[g * H + u] * v; };
            const double i = sigmoid(in(0, u) + re(0, u) + peep(0, cell[u]));
            const double f = sigmoid(in(1, u) + re(1, u) + peep(1, cell[u]));
            const double c_new = f * cell[u] + i * std::tanh(in(2, u) + re(2, u));
            out[u] = sigmoid(in(3, u) + re(3, u) + peep(2, c_new)) * std::tanh(c_new);
            cell[u] = c_new;
        }
        if (c.kind == kGruBefore || c.kind == kGruAfter) reset[u] = sigmoid(in(0, u) + re(0, u));
    }
    if (c.kind == kGruBefore || c.kind == kGruAfter)
        for (int u = 0; u < H; ++u) {
            const double z = sigmoid(in(1, u) + re(1, u));
            const double inner = c.kind == kGruAfter
                                     ? reset[u] * re(2, u)
                                     : from(w.w_hh, w.b_hh, 2 * H + u, H, [&](int k) { return reset[k] * h[k]; });
            out[u] = (1 - z) * std::tanh(in(2, u) + inner) + z * h[u];
        }
    if (c.kind == kOutside) {
        std::vector<double> forget(H);
        for (int u = 0; u < H; ++u) forget[u] = sigmoid(in(0, u) + re(0, u));
        for (int u = 0; u < H; ++u) {
            const double inner = from(w.w_hh, w.b_hh, H + u, H, [&](int k) { return forget[k] * h[k]; });
            out[u] = (1 - forget[u]) * h[u] + forget[u] * std::tanh(in(1, u) + inner);
        }
    }
    if (!c.projection) {
        h = out;
        return;
    }
    for (int p = 0; p < P; ++p) h[p] = from(w.w_hr, {}, p, H, [&](int k) { return out[k]; });
}

// Philox4x32-10 as its article gives it: four words of one counter.
inline std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> c, std::uint64_t seed) {
    std::uint32_t key[2] = {std::uint32_t(seed), std::uint32_t(seed >> 32)};
    for (int round = 0; round < 10; ++round, key[0] += 0x9e3779b9u, key[1] += 0xbb67ae85u) {
        const std::uint64_t a = 0xd2511f53ull * c[0], b = 0xcd9e8d57ull * c[2];
        c = {std::uint32_t(b >> 32) ^ c[1] ^ key[0], std::uint32_t(b), std::uint32_t(a >> 32) ^ c[3] ^ key[1], std::uint32_t(a)};
    }
    return c;
}

// What share of its value before the step unit u of state k keeps.
inline double kept(const Problem& p, int d, int k, int b, int t, int u) {
    const double share = p.c.zoneout == kNone ? 0 : p.c.shares()[k];
    if (!p.masks()) return share;
    const std::uint32_t counter = u / 64 * 16 + u % 16, time = p.draw.first_step + t,
                        number = std::uint32_t(p.draw.numbers ? p.draw.numbers[b] : b), place = (p.draw.layer * 2 + d) * kMostStates + k;
    return (philox({counter, time, number, place}, p.draw.seed)[u % 64 / 16] >> 8) * 0x1p-24 < share;
}

inline double worst_error(const Problem& p, const Outputs& o) {
    const Case& c = p.c;
    const int P = c.outputs(), D = c.directions();
    double worst = 0;
    for (int d = 0; d < D; ++d)
        for (int b = 0; b < c.batch; ++b) {
            std::vector<double> h(P), cell(c.hidden);
            for (int u = 0; u < P; ++u) h[u] = p.h0[(std::size_t(d) * c.batch + b) * P + u];
            for (int u = 0; u < c.hidden && c.has_c(); ++u) cell[u] = p.c0[(std::size_t(d) * c.batch + b) * c.hidden + u];
            for (int s = 0; s < p.lengths[b]; ++s) {
                const int t = d ? int(p.lengths[b]) - 1 - s : s;
                const std::vector<double> h_before = h, cell_before = cell;
                step(c, p.weights[d], p.x.data() + (std::size_t(t) * c.batch + b) * c.input, h, cell);
                for (int u = 0; u < P; ++u) h[u] += kept(p, d, 0, b, t, u) * (h_before[u] - h[u]);
                for (int u = 0; u < c.hidden && c.has_c(); ++u) cell[u] += kept(p, d, 1, b, t, u) * (cell_before[u] - cell[u]);
                for (int u = 0; u < P; ++u)
                    worst = std::max(worst, std::abs(h[u] - o.y[(std::size_t(t) * c.batch + b) * D * P + d * P + u]));
            }
            for (int u = 0; u < P; ++u) worst = std::max(worst, std::abs(h[u] - o.hn[(std::size_t(d) * c.batch + b) * P + u]));
        }
    return worst;
}
