// Problems for the engine's tests: a layer's sizes, weights, inputs and initial states, all drawn from one seed.
#pragma once

#include <array>
#include <cmath>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "penstock/layer.hpp"

using namespace penstock;
using Floats = std::vector<float>;

// Integer multiples of 2^-23 times the scale, so that every standard library draws the same numbers.
inline Floats draw(std::mt19937& random, std::size_t n, float scale) {
    Floats f(n);
    for (float& v : f) v = (float(random() >> 8) * 0x1p-23f - 1) * scale;
    return f;
}

// The cells that the equations below distinguish; the engine's forms are these, with and without a projection.
enum Cell { kRnnTanh, kRnnRelu, kLstm, kLstmPeephole, kGruAfter, kGruBefore, kOutside };

inline const CellKernels& kernels_of(Cell cell, int projection) {
    static const char* const forms[][2] = {{"rnn nonlinearity=tanh"}, {"rnn nonlinearity=relu"}, {"lstm", "lstm proj_size"},
                                           {"lstm peephole", "lstm peephole proj_size"}, {"gru reset_after"}, {"gru"},
                                           {"mgu"}};  // examples/cell_of_your_own.hpp, which only test builds include
    return *find_cell(forms[cell][projection > 0]);
}

enum Zoneout { kNone, kDrawn, kExpected };

struct Case {
    Cell kind;
    int input, hidden, projection, batch, steps;
    bool both, ragged;
    Zoneout zoneout = kNone;

    std::string name() const {
        return "cell " + std::to_string(int(kind)) + " I" + std::to_string(input) + " H" + std::to_string(hidden) + " P" +
               std::to_string(projection) + " B" + std::to_string(batch) + " T" + std::to_string(steps) +
               (both ? " both" : "") + (ragged ? " ragged" : "") +
               (zoneout == kNone ? "" : zoneout == kDrawn ? " drawn" : " expected");
    }
    int gates() const { return kernels_of(kind, projection).traits.G; }
    int outputs() const { return projection ? projection : hidden; }
    int directions() const { return both ? 2 : 1; }
    std::size_t states() const { return kernels_of(kind, projection).traits.states; }
    bool has_c() const { return states() > 1; }
    std::span<const float> shares() const {
        static const float given[] = {0.4f, 0.25f};
        return {given, zoneout == kNone ? 0 : states()};
    }
};

// Buffers of exactly the size that the engine is told, so that sanitizers see every access beyond them.
struct Data {
    Floats w_ih, w_hh, b_ih, b_hh, w_hr, w_ch;
    Parameters parameters() const {
        const auto p = [](const Floats& f) { return f.empty() ? nullptr : f.data(); };
        return {p(w_ih), p(w_hh), p(b_ih), p(b_hh), p(w_hr), p(w_ch)};
    }
};

// The addresses of the states, as many as the cell has.
struct Addresses {
    std::array<float*, 2> at{};
    std::size_t n;

    Addresses(std::size_t states, Floats& h, Floats& c) : at{h.data(), c.data()}, n(states) {}
    Addresses(std::size_t states, const Floats& h, const Floats& c)
        : Addresses(states, const_cast<Floats&>(h), const_cast<Floats&>(c)) {}
    operator StatesIn() const { return {at.data(), n}; }
    operator StatesOut() const { return {at.data(), n}; }
};

struct Problem {
    Case c;
    std::vector<Data> weights;
    Floats x, h0, c0;
    std::vector<std::int64_t> lengths;
    BatchLayout layout;
    Draw draw{0x0123456789abcdefull, 3, 1000, nullptr};

    explicit Problem(const Case& given) : c(given) {
        std::mt19937 random(7);
        const auto draw = [&](std::size_t n, float scale) { return ::draw(random, n, scale); };
        const float scale = 1 / std::sqrt(float(c.hidden));
        const std::size_t G = c.gates(), H = c.hidden, P = c.outputs();
        for (int d = 0; d < c.directions(); ++d) {
            Data w{draw(G * H * c.input, scale), draw(G * H * P, scale), draw(G * H, scale), draw(G * H, scale), {}, {}};
            if (c.projection) w.w_hr = draw(P * H, scale);
            if (c.kind == kLstmPeephole) w.w_ch = draw(3 * H, scale);
            weights.push_back(w);
        }
        x = draw(std::size_t(c.steps) * c.batch * c.input, 1);
        h0 = draw(std::size_t(c.directions()) * c.batch * P, 0.5f);
        if (c.has_c()) c0 = draw(std::size_t(c.directions()) * c.batch * H, 0.5f);
        for (int b = 0; b < c.batch; ++b) lengths.push_back(c.ragged ? int(random() % (c.steps + 1)) : c.steps);
        layout.make(c.steps, c.batch, RowOrder::kTimeMajor, c.ragged ? lengths.data() : nullptr, nullptr, c.both);
    }
    Layer layer() const { return {kernels_of(c.kind, c.projection), c.input, c.hidden, c.projection, c.directions(), c.shares()}; }
    const Draw* masks() const { return c.zoneout == kDrawn ? &draw : nullptr; }
    Addresses initial() const { return {c.states(), h0, c0}; }
    std::vector<Parameters> parameters() const {
        std::vector<Parameters> p;
        for (const Data& w : weights) p.push_back(w.parameters());
        return p;
    }
};

struct Outputs {
    Floats y, hn, cn, saved;
};

inline Outputs run(const Problem& p, Layer& layer, int threads, bool training = false) {
    const std::size_t D = p.c.directions(), B = p.c.batch, P = p.c.outputs();
    Outputs o{Floats(p.c.steps * B * D * P), Floats(D * B * P), Floats(p.c0.size()), {}};
    if (training) o.saved.resize(layer.saved_size(p.layout.rows()));
    Arena arena;
    const auto parameters = p.parameters();
    const Addresses initial = p.initial(), last(p.c.states(), o.hn, o.cn);
    const ForwardCall call{p.x.data(), initial, o.y.data(), last, training ? o.saved.data() : nullptr, p.masks()};
    if (training) layer.forward(parameters.data(), p.layout, call, threads, arena);
    else layer.forward_cached(parameters.data(), p.layout, call, threads, arena);
    return o;
}
