// The equations of every cell in double precision, as plainly as possible: what the engine's values are compared with.
#pragma once

#include <algorithm>
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
                step(c, p.weights[d], p.x.data() + (std::size_t(t) * c.batch + b) * c.input, h, cell);
                for (int u = 0; u < P; ++u)
                    worst = std::max(worst, std::abs(h[u] - o.y[(std::size_t(t) * c.batch + b) * D * P + d * P + u]));
            }
            for (int u = 0; u < P; ++u) worst = std::max(worst, std::abs(h[u] - o.hn[(std::size_t(d) * c.batch + b) * P + u]));
        }
    return worst;
}
