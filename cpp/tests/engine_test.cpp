// The engine without Python, for sanitizers: every cell over odd sizes, forward, backward, by steps and in pools of streams.
//
// Values are compared with the equations in double precision (equations.hpp), bits with those of other numbers of threads
// and other batches, gradients with the slope of a loss between two nearby inputs. The last line names the kernels that ran
// and prints a hash of the bits of all outputs and gradients.
//
// `engine_test count NAME` runs one piece of work for valgrind to count.
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "check.hpp"
#include "counted_work.hpp"
#include "equations.hpp"
#include "penstock/split.hpp"
#include "penstock/streams.hpp"
#include "problem.hpp"

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
                        Addresses(p.c.states(), dh0, dc0), p.masks()},
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
    if (p.c.both || p.c.ragged || p.masks()) return;
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
    Layer layer = p.layer();
    const Outputs one = run(p, layer, 1), three = run(p, layer, 3), training = run(p, layer, 2, true);
    check(one.y == three.y && one.hn == three.hn && one.cn == three.cn, c.name() + ": bits with other threads");
    check(one.y == training.y, c.name() + ": bits while training");
    for (const Floats* f : {&one.y, &one.hn, &one.cn}) mix(*f);
    check(worst_error(p, one) < 1e-5, c.name() + ": the equations");
    check_slope(p, layer, training);
    check_steps(p, layer, one);
}

// The words of Random123's known answers, and masks that follow the sequence's number and the time, not its place.
void try_masks() {
    const std::array<std::uint32_t, 4> pi{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344};
    check(philox({}, 0) == std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, "philox of zeros");
    check(philox(pi, 0x299f31d0a4093822ull) == std::array<std::uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}, "philox of pi");
    for (const Cell kind : {kRnnTanh, kLstm, kGruBefore}) {
        Problem p({kind, 5, 70, 0, 3, 8, false, false, kDrawn});
        Layer layer = p.layer();
        const Outputs whole = run(p, layer, 1);
        const auto row = [](const Problem& q, const Outputs& o, int t, int b) { return o.y.data() + (std::size_t(t) * q.c.batch + b) * 70; };
        Problem alone({kind, 5, 70, 0, 1, 4, false, false, kDrawn});  // the last sequence, from step 4 on
        alone.weights = p.weights;
        const std::int64_t number = 2;
        alone.draw.numbers = &number;
        alone.draw.first_step += 4;
        for (int t = 0; t < 4; ++t) std::memcpy(alone.x.data() + t * 5, p.x.data() + ((t + 4) * 3 + 2) * 5, 5 * sizeof(float));
        Problem before = p;  // for the states after step 4
        before.c.steps = 4;
        before.layout.make(4, 3, RowOrder::kTimeMajor, nullptr, nullptr, false);
        const Outputs half = run(before, layer, 1);
        std::memcpy(alone.h0.data(), half.hn.data() + 2 * 70, 70 * sizeof(float));
        if (p.c.has_c()) std::memcpy(alone.c0.data(), half.cn.data() + 2 * 70, 70 * sizeof(float));
        const Outputs found = run(alone, layer, 2);
        for (int t = 0; t < 4; ++t)
            check(!std::memcmp(row(alone, found, t, 0), row(p, whole, t + 4, 2), 70 * sizeof(float)), p.c.name() + ": masks of a chunk alone");
    }
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
                        if (projection && hidden == 1) continue;
                        for (const Zoneout zoneout : {kNone, kDrawn, kExpected})
                            try_case({kind, input, hidden, projection, batch, steps, both, ragged, zoneout}), ++cases;
                    }
                }
    try_masks();
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
