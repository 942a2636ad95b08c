// The engine without Python, for sanitizers: every cell over odd sizes, forward, backward, by steps and in pools of streams.
//
// Values are compared with the equations in double precision, written below as plainly as possible; bits with those of
// other numbers of threads and other batches; gradients with the slope of a loss between two nearby inputs. The last line
// names the kernels that ran and prints a hash of the bits of all outputs and gradients.
//
// `engine_test count NAME` runs one piece of work for valgrind to count.
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "check.hpp"
#include "penstock/split.hpp"
#include "penstock/streams.hpp"

using namespace penstock;
using Floats = std::vector<float>;

namespace {

// A hash (FNV-1a) of all bits so far, the same on every machine whose kernels give the same bits.
std::uint64_t all_bits = 0xcbf29ce484222325ull;

void mix(const Floats& values) {
    for (const float v : values) {
        std::uint32_t bits;
        std::memcpy(&bits, &v, 4);
        all_bits = (all_bits ^ bits) * 0x100000001b3ull;
    }
}

// Integer multiples of 2^-23 times the scale, so that every standard library draws the same numbers.
Floats draw(std::mt19937& random, std::size_t n, float scale) {
    Floats f(n);
    for (float& v : f) v = (float(random() >> 8) * 0x1p-23f - 1) * scale;
    return f;
}

// The cells that the equations below distinguish; the engine's forms are these, with and without a projection.
enum Cell { kRnnTanh, kRnnRelu, kLstm, kLstmPeephole, kGruAfter, kGruBefore, kOutside };

const CellKernels& kernels_of(Cell cell, int projection) {
    static const char* const forms[][2] = {{"rnn nonlinearity=tanh"}, {"rnn nonlinearity=relu"}, {"lstm", "lstm proj_size"},
                                           {"lstm peephole", "lstm peephole proj_size"}, {"gru reset_after"}, {"gru"},
                                           {"mgu"}};  // examples/cell_of_your_own.hpp, which only test builds include
    return *find_cell(forms[cell][projection > 0]);
}

struct Case {
    Cell kind;
    int input, hidden, projection, batch, steps;
    bool both, ragged;

    std::string name() const {
        return "cell " + std::to_string(int(kind)) + " I" + std::to_string(input) + " H" + std::to_string(hidden) + " P" +
               std::to_string(projection) + " B" + std::to_string(batch) + " T" + std::to_string(steps) +
               (both ? " both" : "") + (ragged ? " ragged" : "");
    }
    int gates() const { return kernels_of(kind, projection).traits.G; }
    int outputs() const { return projection ? projection : hidden; }
    int directions() const { return both ? 2 : 1; }
    std::size_t states() const { return kernels_of(kind, projection).traits.states; }
    bool has_c() const { return states() > 1; }
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

Outputs run(const Problem& p, Layer& layer, int threads, bool training = false) {
    const std::size_t D = p.c.directions(), B = p.c.batch, P = p.c.outputs();
    Outputs o{Floats(p.c.steps * B * D * P), Floats(D * B * P), Floats(p.c0.size()), {}};
    if (training) o.saved.resize(layer.saved_size(p.layout.rows()));
    Arena arena;
    const auto parameters = p.parameters();
    const Addresses initial = p.initial(), last(p.c.states(), o.hn, o.cn);
    const ForwardCall call{p.x.data(), initial, o.y.data(), last, training ? o.saved.data() : nullptr};
    if (training) layer.forward(parameters.data(), p.layout, call, threads, arena);
    else layer.forward_cached(parameters.data(), p.layout, call, threads, arena);
    return o;
}

double sigmoid(double v) { return 1 / (1 + std::exp(-v)); }

// One step of one sequence by the equations; overwrites h and cell.
void step(const Case& c, const Data& w, const float* x, std::vector<double>& h, std::vector<double>& cell) {
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

double worst_error(const Problem& p, const Outputs& o) {
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

// The gradient of sum(y * dy) with respect to x, times a direction, against the slope along that direction.
void check_slope(Problem& p, Layer& layer, const Outputs& o, int others = 3) {
    std::mt19937 random(9);
    const Floats dy = draw(random, o.y.size(), 1), along = draw(random, p.x.size(), 1);
    Floats dx[2];
    for (int threads : {1, others}) {
        Floats& to = dx[threads > 1];
        to.resize(p.x.size());
        Floats dh0(p.h0.size()), dc0(p.c0.size());
        std::vector<Data> g = p.weights;
        std::vector<Gradients> gradients;
        for (Data& w : g) {
            const auto a = [](Floats& f) { return f.empty() ? nullptr : f.data(); };
            gradients.push_back({a(w.w_ih), a(w.w_hh), a(w.b_ih), a(w.b_hh), a(w.w_hr), a(w.w_ch)});
        }
        Arena arena;
        const auto parameters = p.parameters();
        layer.backward(p.layout,
                       {p.x.data(), p.initial(), o.y.data(), o.saved.data(), dy.data(), {}, to.data(),
                        Addresses(p.c.states(), dh0, dc0)},
                       parameters.data(), gradients.data(), threads, arena);
        if (threads > 1) continue;
        for (const Floats* f : {&to, &dh0, &dc0}) mix(*f);
        for (const Data& w : g)
            for (const Floats* f : {&w.w_ih, &w.w_hh, &w.b_ih, &w.b_hh, &w.w_hr, &w.w_ch}) mix(*f);
    }
    check(dx[0] == dx[1], p.c.name() + ": gradients with other threads");
    const auto loss = [&](float by) {
        Problem moved = p;
        for (std::size_t i = 0; i < along.size(); ++i) moved.x[i] += by * along[i];
        const Outputs at = run(moved, layer, 1);
        double sum = 0;
        for (std::size_t i = 0; i < dy.size(); ++i) sum += double(dy[i]) * at.y[i];
        return sum;
    };
    double expected = 0, size = 0;
    for (std::size_t i = 0; i < along.size(); ++i) expected += double(dx[0][i]) * along[i], size += std::abs(dx[0][i]);
    // The kink of a relu may lie between the two points, and float32 has few digits for a difference.
    const double slope = (loss(1e-2f) - loss(-1e-2f)) / 2e-2, slack = p.c.kind == kRnnRelu ? 0.2 : 0.02;
    check(std::abs(slope - expected) <= slack * (1 + size), p.c.name() + ": slope");
}

void check_steps(const Problem& p, Layer& layer, const Outputs& whole) {
    if (p.c.both || p.c.ragged) return;
    const std::size_t B = p.c.batch, P = p.c.outputs();
    Floats h = p.h0, c = p.c0, y(B * P);
    Streams streams({&layer});
    std::vector<std::int64_t> places(B);
    for (std::size_t i = 0; i < B; ++i) places[i] = std::int64_t(B - 1 - i);  // in reverse
    for (int s = 0; s < p.c.steps; ++s) {
        Floats x(B * p.c.input);
        for (std::size_t i = 0; i < B; ++i)
            std::memcpy(x.data() + i * p.c.input, p.x.data() + (s * B + places[i]) * p.c.input, p.c.input * sizeof(float));
        const Addresses slabs(p.c.states(), h, c);
        streams.step(places.data(), B, x.data(), slabs.at.data(), y.data(), 2);
        for (std::size_t i = 0; i < B; ++i)
            check(!std::memcmp(y.data() + i * P, whole.y.data() + (s * B + places[i]) * P, P * sizeof(float)),
                  p.c.name() + ": a stream in a pool");
    }
}

void try_case(const Case& c) {
    Problem p(c);
    Layer layer(kernels_of(c.kind, c.projection), c.input, c.hidden, c.projection, c.directions());
    const Outputs one = run(p, layer, 1), three = run(p, layer, 3), training = run(p, layer, 2, true);
    check(one.y == three.y && one.hn == three.hn && one.cn == three.cn, c.name() + ": bits with other threads");
    check(one.y == training.y, c.name() + ": bits while training");
    for (const Floats* f : {&one.y, &one.hn, &one.cn}) mix(*f);
    check(worst_error(p, one) < 1e-5, c.name() + ": the equations");
    check_slope(p, layer, training);
    check_steps(p, layer, one);
}

// The next call sees any single weight that changes (the first, the last or one in between), and that it changes back.
void try_changed_weights() {
    for (const Cell kind : {kRnnTanh, kLstmPeephole, kGruAfter, kGruBefore}) {
        const Case c{kind, 40, 70, kind == kLstmPeephole ? 20 : 0, 3, 4, true, false};
        Problem p(c);
        Layer layer(kernels_of(c.kind, c.projection), c.input, c.hidden, c.projection, c.directions());
        const Outputs before = run(p, layer, 2);
        for (Data& w : p.weights)
            for (Floats* f : {&w.w_ih, &w.w_hh, &w.b_ih, &w.b_hh, &w.w_hr, &w.w_ch}) {
                for (std::size_t i = 0; i < f->size(); i = i + 1 == f->size() ? i + 1 : std::min(f->size() - 1, i + f->size() / 3 + 1)) {
                    const float kept = std::exchange((*f)[i], (*f)[i] + 0.5f);
                    Layer fresh(kernels_of(c.kind, c.projection), c.input, c.hidden, c.projection, c.directions());
                    const Outputs after = run(p, layer, 2);
                    check(after.y == run(p, fresh, 1).y && after.y != before.y, c.name() + ": a changed weight");
                    (*f)[i] = kept;
                }
            }
        check(run(p, layer, 2).y == before.y, c.name() + ": weights changed back");
    }
}

// Weights are compared by their bits: a layer that did not change is not packed again, even with a NaN among its weights,
// and the lowest bit or the sign of a zero is a change.
void try_compared_bits() {
    const Case c{kLstmPeephole, 9, 21, 5, 2, 3, true, false};
    Problem p(c);
    Layer layer(kernels_of(c.kind, c.projection), c.input, c.hidden, c.projection, c.directions());
    Outputs o = run(p, layer, 1);
    Arena arena;
    const auto pack_number = [&](int threads) {
        const Addresses initial = p.initial(), last(p.c.states(), o.hn, o.cn);
        const ForwardCall call{p.x.data(), initial, o.y.data(), last, nullptr};
        return layer.forward_cached(p.parameters().data(), p.layout, call, threads, arena);
    };
    std::uint64_t packs = pack_number(1);
    check(packs == 1, c.name() + ": packed once");
    for (Data& w : p.weights)
        for (Floats* f : {&w.w_ih, &w.w_hh, &w.b_ih, &w.b_hh, &w.w_hr, &w.w_ch})
            for (const std::uint32_t bits : {0u, 0x80000000u, 0x80000001u, 0x7fc00000u}) {  // 0, -0, a denormal, a NaN
                std::memcpy(&f->back(), &bits, sizeof bits);
                check(pack_number(1) == ++packs, c.name() + ": changed bits");
                for (const int threads : {1, 3}) check(pack_number(threads) == packs, c.name() + ": the same bits");
            }
}

// Several Python threads may use one layer at a time; each has its own workspace.
void try_many_threads() {
    const Case c{kGruAfter, 20, 33, 0, 5, 7, false, false};
    Problem p(c);
    Layer layer(kernels_of(c.kind, 0), c.input, c.hidden, 0, 1);
    const Outputs expected = run(p, layer, 1);
    std::vector<std::thread> threads;
    std::vector<int> good(4);
    for (int k = 0; k < 4; ++k)
        threads.emplace_back([&, k] {
            for (int i = 0; i < 20; ++i) good[k] += run(p, layer, 2).y == expected.y;
        });
    for (std::thread& t : threads) t.join();
    for (int k = 0; k < 4; ++k) check(good[k] == 20, "one layer in several threads");
}

// Blocks of steps, the last one shorter than the others, where threads share the rows and rarely synchronise.
void try_blocks() {
    for (const bool ragged : {false, true}) {
        const Case c{kLstm, 30, 50, 0, 16, 30, false, ragged};  // enough work to wake threads
        Problem p(c);
        Layer layer(kernels_of(c.kind, 0), c.input, c.hidden, 0, 1);
        const Outputs expected = run(p, layer, 1);
        for (int i = 0; i < 200; ++i) check(run(p, layer, 2 + i % 3).y == expected.y, c.name() + ": bits of blocks");
    }
}

// Blocks of two steps of 50 rows each, then a block that has space for a third step of only 10 rows.
void try_longer_block() {
    const Case c{kLstm, 30, 64, 0, 50, 5, false, true};  // enough work to wake threads
    Problem p(c);
    for (int b = 0; b < c.batch; ++b) p.lengths[b] = b < 40 ? 4 : 5;
    p.layout.make(c.steps, c.batch, RowOrder::kTimeMajor, p.lengths.data(), nullptr, false);
    Layer layer(kernels_of(c.kind, 0), c.input, c.hidden, 0, 1);
    const Outputs expected = run(p, layer, 1);
    check(worst_error(p, expected) < 1e-5, c.name() + ": the equations");
    for (int i = 0; i < 200; ++i) check(run(p, layer, 2 + i % 3).y == expected.y, c.name() + ": bits of a longer block");
}

// The number of threads is chosen for the most rows of a pass. Where sequences end, the remaining ones still get several.
void try_falling_rows() {
    for (Cell kind : {kRnnTanh, kLstm, kGruAfter, kGruBefore})
        for (int hidden : {64, 128, 512})
            for (int threads : {2, 4, 8, 16})
                for (bool backward : {false, true}) {
                    const Sizes z = make_sizes(kernels_of(kind, 0).traits, hidden, hidden, 0);
                    bool good = true;
                    for (int rows = 4 * threads; rows >= 8; --rows) good &= share_steps(z, rows, threads, backward, 80).threads > 1;
                    check(good, "cell " + std::to_string(int(kind)) + " H" + std::to_string(hidden) + ": one thread for falling rows, " +
                                    std::to_string(threads) + " threads");
                }
    const Case c{kLstm, 30, 64, 0, 32, 12, false, true};
    Problem p(c);
    Layer layer(kernels_of(c.kind, 0), c.input, c.hidden, 0, 1);
    const Outputs expected = run(p, layer, 1);
    for (int i = 0; i < 20; ++i) check(run(p, layer, 5 + i % 4).y == expected.y, c.name() + ": bits of falling rows");
    check_slope(p, layer, run(p, layer, 1, true), 8);
}

// With few panels of large weights, as with a narrow projection, threads still share many rows.
void try_few_panels() {
    const Sizes z = make_sizes(kernels_of(kLstm, 64).traits, 64, 4096, 64);
    check(choose_split(z, 64, 2, true, 80) == Split::kRows, "few panels of large weights");
}

// Work whose instructions are counted: a layer of 128 inputs and 128 units on one thread. It has few steps, because valgrind
// takes half a microsecond for a fused multiply-add.
struct Work {
    const char* name;
    Cell kind;
    int batch, steps;
    bool training;
};
constexpr Work kWork[] = {
    {"rnn-step-B1", kRnnTanh, 1, 1, false},     {"lstm-step-B1", kLstm, 1, 1, false},
    {"gru-step-B1", kGruAfter, 1, 1, false},    {"lstm-infer-B32", kLstm, 32, 4, false},
    {"gru-infer-B32", kGruAfter, 32, 4, false}, {"lstm-train-B32", kLstm, 32, 4, true},
};

// Callgrind counts inside this function only: tests/engine/test_instruction_counts.py names it.
[[gnu::noinline]] void counted(const std::function<void()>& work) { work(); }

int count(const char* name) {
    for (const Work& w : kWork) {
        if (std::strcmp(w.name, name)) continue;
        Problem p({w.kind, 128, 128, 0, w.batch, w.steps, false, false});
        Layer layer(kernels_of(w.kind, 0), 128, 128, 0, 1);
        layer.pack(p.parameters().data());
        const std::size_t B = w.batch;
        const auto of = [](Floats& f) { return f.empty() ? nullptr : f.data(); };
        Floats y(w.steps * B * 128), hn(B * 128), cn(p.c0.size()), dx(p.x.size()), dh0(p.h0.size()), dc0(p.c0.size());
        Floats saved(w.training ? layer.saved_size(p.layout.rows()) : 0);
        Data g = p.weights[0];
        const Gradients gradients{of(g.w_ih), of(g.w_hh), of(g.b_ih), of(g.b_hh), nullptr, nullptr};
        const auto parameters = p.parameters();
        Arena arena;
        Streams streams({&layer});
        const std::int64_t place = 0;
        const Addresses initial = p.initial(), last(p.c.states(), hn, cn), dinitial(p.c.states(), dh0, dc0);
        const auto work = [&] {
            if (w.steps == 1) {
                streams.step(&place, 1, p.x.data(), initial.at.data(), y.data(), 1);
                return;
            }
            layer.forward(p.layout, {p.x.data(), initial, y.data(), last, of(saved)}, 1, arena);
            if (w.training)
                layer.backward(p.layout,
                               {p.x.data(), initial, y.data(), saved.data(), y.data(), {}, dx.data(), dinitial},
                               parameters.data(), &gradients, 1, arena);
        };
        for (int i = 0; i < 2; ++i) work();  // the workspace grows
        counted(work);
        std::printf("%s: %s\n", kernels().name, name);
        return EXIT_SUCCESS;
    }
    for (const Work& w : kWork) std::printf("%s\n", w.name);
    return EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1 && argv[1] == std::string("count")) return count(argc > 2 ? argv[2] : "");
    int cases = 0;
    std::vector<Cell> cells{kRnnTanh, kRnnRelu, kLstm, kLstmPeephole, kGruAfter, kGruBefore};
    if (find_cell("mgu")) cells.push_back(kOutside);
    for (const Cell kind : cells)
        for (const auto& [input, hidden, batch, steps] :
             {std::array{1, 1, 1, 1}, {3, 5, 2, 4}, {16, 16, 8, 3}, {17, 33, 13, 6}, {40, 70, 1, 5}})
            for (bool both : {false, true})
                for (bool ragged : {false, true}) {
                    const bool lstm = kind == kLstm || kind == kLstmPeephole;
                    for (int projection : {0, hidden / 2}) {
                        if (projection && !lstm) continue;
                        if (projection == 0 || hidden > 1) try_case({kind, input, hidden, projection, batch, steps, both, ragged}), ++cases;
                    }
                }
    try_changed_weights();
    try_compared_bits();
    try_many_threads();
    try_blocks();
    try_longer_block();
    try_falling_rows();
    try_few_panels();
    std::printf("%s: %d cases, %d failures, bits %016llx\n", kernels().name, cases, failures,
                static_cast<unsigned long long>(all_bits));
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
