#include "penstock/layer.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <span>
#include <stdexcept>

#include "pack.hpp"

namespace penstock {
namespace {

// One thread compares fewer floats than this faster than several, which must be started; comparing a float takes as long
// as so many floating-point operations.
constexpr std::size_t kCompareTogether = kShareAll ? 0 : 1 << 19;
constexpr double kFlopsToCompare = 8;

// How many floats each parameter of one direction has, in the order of Weights.
std::array<std::size_t, 6> weight_sizes(const Sizes& z) {
    const std::size_t rows = std::size_t(z.G) * z.H;
    return {rows * z.I, rows * z.P, rows, rows, std::size_t(z.P) * z.H, std::size_t(z.peepholes) * z.H};
}

// w: [peepholes][H] -> [peepholes][Hp]
float* pack_peepholes(const float* w, const Sizes& z, Arena& arena) {
    float* to = arena.take_zeros(std::size_t(z.peepholes) * z.Hp);
    for (int g = 0; g < z.peepholes; ++g) std::memcpy(to + g * z.Hp, w + g * z.H, z.H * sizeof(float));
    return to;
}

}  // namespace

Sizes make_sizes(const Traits& traits, int input, int hidden, int projection) {
    const int outputs = projection ? projection : hidden;
    return {traits, input, hidden, outputs, padded(input), padded(hidden), padded(outputs)};
}

Layer::Layer(const CellKernels& cell, int input, int hidden, int projection, int directions, std::span<const float> zoneout)
    : cell_(&cell), sizes_(make_sizes(cell.traits, input, hidden, projection)), zoned_(!zoneout.empty()), directions_(directions) {
    if ((projection > 0) != cell.traits.projected)
        throw std::invalid_argument("the projection must be above 0 if the cell has one, else 0");
    if (!zoned_) return;
    if (zoneout.size() != std::size_t(sizes_.states)) throw std::invalid_argument("zoneout must have a share for each state, or none");
    std::copy(zoneout.begin(), zoneout.end(), zoneout_.begin());
    sizes_.S += sizes_.states - 1;  // the cell saves a new state; the state that the step ends with is another (zoned_slot)
}

std::size_t Layer::saved_size(std::size_t rows) const {
    return rows * directions_ * sizes_.S * sizes_.Hp + kPanelWidth;  // with space to align it
}

bool Layer::holds(const Parameters* parameters, int threads) const {
    struct Pair {
        const float *a, *b;
        std::size_t size;
    };
    std::array<Pair, 2 * 6> pairs{};
    std::size_t n = 0, all = 0;
    for (int d = 0; d < directions_; ++d) {
        const auto sizes = weight_sizes(sizes_);
        const auto given = parameters[d].all();
        const auto kept = copy_[d].all();
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            if (!given[i] != !kept[i]) return false;
            if (given[i]) pairs[n++] = {given[i], kept[i], sizes[i]}, all += sizes[i];
        }
    }
    struct Search {
        std::span<const Pair> pairs;
        std::atomic<bool> same{true};
    } search{{pairs.data(), n}};
    const auto look = [](const ThreadGroup& group, void* context) {
        auto& [pairs, same] = *static_cast<Search*>(context);
        for (const auto& [a, b, size] : pairs) {
            const std::size_t begin = size * group.rank / group.size, end = size * (group.rank + 1) / group.size;
            if (std::memcmp(a + begin, b + begin, (end - begin) * sizeof(float))) same.store(false, std::memory_order_relaxed);
            if (!same.load(std::memory_order_relaxed)) return;
        }
    };
    run_on_threads(all < kCompareTogether ? 1 : threads, kFlopsToCompare * static_cast<double>(all), look, &search);
    return search.same;
}

std::uint64_t Layer::forward_cached(const Parameters* parameters, const BatchLayout& layout, const ForwardCall& call, int threads,
                                  Arena& arena) {
    {
        std::shared_lock lock(mutex_);
        if (number_ && holds(parameters, threads)) {
            arena.start();
            run(layout, call, packed_.data(), {}, threads, arena);
            return number_;
        }
    }
    std::unique_lock lock(mutex_);
    const CopyTasks packing = start_pack(parameters);
    arena.start();
    run(layout, call, packed_.data(), packing, threads, arena);
    return end_pack();
}

bool Layer::forward_with_pack(std::uint64_t number, const BatchLayout& layout, const ForwardCall& call, int threads, Arena& arena) {
    std::shared_lock lock(mutex_);
    if (!number || number != number_) return false;
    arena.start();
    run(layout, call, packed_.data(), {}, threads, arena);
    return true;
}

void Layer::forward(const BatchLayout& layout, const ForwardCall& call, int threads, Arena& arena) {
    std::shared_lock lock(mutex_);
    if (!number_) throw std::logic_error("the layer has no weights");
    arena.start();
    run(layout, call, packed_.data(), {}, threads, arena);
}

void Layer::forward(const Parameters* parameters, const BatchLayout& layout, const ForwardCall& call, int threads,
                    Arena& arena) const {
    arena.start();
    CopyTasks packing;
    Packed packed[2];
    for (int d = 0; d < directions_; ++d) packed[d] = pack_forward(parameters[d], nullptr, arena, packing);
    run(layout, call, packed, packing, threads, arena);
}

void Layer::pack(const Parameters* parameters) {
    std::unique_lock lock(mutex_);
    start_pack(parameters).make({0, 1, nullptr});
    end_pack();
}

CopyTasks Layer::start_pack(const Parameters* parameters) {
    number_ = 0;  // no pack until end_pack, because an allocation may fail
    storage_.start();
    const auto sizes = weight_sizes(sizes_);
    CopyTasks tasks;
    for (int d = 0; d < directions_; ++d) {
        const auto take = [&](const float* given, int i) { return given ? storage_.take(sizes[i]) : nullptr; };
        const Parameters& p = parameters[d];
        copy_[d] = {take(p.w_ih, 0), take(p.w_hh, 1), take(p.b_ih, 2), take(p.b_hh, 3), take(p.w_hr, 4), take(p.w_ch, 5)};
        packed_[d] = pack_forward(p, &copy_[d], storage_, tasks);
    }
    return tasks;
}

std::uint64_t Layer::end_pack() { return number_ = ++packs_; }

// copy: where the weights are copied to; what is packed is then the copy, as another thread may be changing them.
Packed Layer::pack_forward(const Parameters& p, const Weights<float>* copy, Arena& arena, CopyTasks& tasks) const {
    const Sizes& z = sizes_;
    const Weights<float> kept = copy ? *copy : Weights<float>{};
    const auto keep = [](const float* from, float* to, std::size_t n) {
        return from && to ? static_cast<const float*>(std::memcpy(to, from, n * sizeof(float))) : from;
    };
    const float* b_ih = keep(p.b_ih, kept.b_ih, std::size_t(z.G) * z.H);
    const float* b_hh = keep(p.b_hh, kept.b_hh, std::size_t(z.G) * z.H);
    Packed to{};
    to.w_ih = arena.take(std::size_t(z.G) * z.Hp * z.I);
    to.b_ih = arena.take(z.G * z.Hp);
    to.w_hh = arena.take(std::size_t(z.h_gates) * z.Hp * z.P);
    to.b_hh = arena.take(z.h_gates * z.Hp);
    pack_gates(p.w_ih, kept.w_ih, 0, z.G, z.H, z.I, to.w_ih, tasks);
    pack_bias(b_ih, 0, z.G, z.H, to.b_ih);
    pack_gates(p.w_hh, kept.w_hh, 0, z.h_gates, z.H, z.P, to.w_hh, tasks);
    pack_bias(b_hh, 0, z.h_gates, z.H, to.b_hh);
    if (is_late(z)) {
        to.w_mid = arena.take(std::size_t(z.Hp) * z.H);
        to.b_mid = arena.take(z.Hp);
        pack_gates(p.w_hh, kept.w_hh, z.late_gate, 1, z.H, z.H, to.w_mid, tasks);
        pack_bias(b_hh, z.late_gate, 1, z.H, to.b_mid);
    } else if (z.projected) {
        to.w_mid = arena.take(std::size_t(z.Pp) * z.H);
        pack_gates(p.w_hr, kept.w_hr, 0, 1, z.P, z.H, to.w_mid, tasks);
    }
    if (p.w_ch) to.w_ch = pack_peepholes(keep(p.w_ch, kept.w_ch, std::size_t(z.peepholes) * z.H), z, arena);
    return to;
}

Packed Layer::pack_backward(const Parameters& p, bool with_input, Arena& arena, CopyTasks& tasks) const {
    const Sizes& z = sizes_;
    Packed to{};
    if (with_input) {
        to.wt_ih = arena.take(std::size_t(z.Ip) * z.G * z.Hp);
        pack_columns(p.w_ih, z.input_order, z.G, z.H, z.Hp, z.I, to.wt_ih, tasks);
    }
    to.wt_hh = arena.take(std::size_t(z.Pp) * z.h_gates * z.Hp);
    pack_columns(p.w_hh, kIdentity, z.h_gates, z.H, z.Hp, z.P, to.wt_hh, tasks);
    if (is_late(z)) {
        to.wt_mid = arena.take(std::size_t(z.Hp) * z.Hp);
        pack_columns(p.w_hh, &z.late_gate, 1, z.H, z.Hp, z.H, to.wt_mid, tasks);
    } else if (z.projected) {
        to.wt_mid = arena.take(std::size_t(z.Hp) * z.Pp);
        pack_columns(p.w_hr, kIdentity, 1, z.P, z.Pp, z.H, to.wt_mid, tasks);
    }
    if (p.w_ch) to.w_ch = pack_peepholes(p.w_ch, z, arena);
    return to;
}

Linear::Linear(const float* weight, const float* bias, int n, int k) : n_(n), k_(k) {
    panels_ = storage_.take(std::size_t(padded(n)) * k);
    bias_ = storage_.take(padded(n));
    CopyTasks tasks;
    pack_gates(weight, nullptr, 0, 1, n, k, panels_, tasks);
    tasks.make({0, 1, nullptr});
    pack_bias(bias, 0, 1, n, bias_);
}

void Linear::operator()(const float* x, std::size_t rows, float* out, Arena& arena) const {
    arena.start();
    constexpr std::size_t kRows = 256;
    const std::size_t row = padded(n_);
    float* whole = arena.take(kRows * row);
    for (std::size_t r = 0; r < rows; r += kRows) {
        const std::size_t count = std::min(kRows, rows - r);
        kernels().product(x + r * k_, k_, int(count), k_, panels_, int(row) / kPanelWidth, bias_, whole, row);
        for (std::size_t i = 0; i < count; ++i)
            std::memcpy(out + (r + i) * n_, whole + i * row, n_ * sizeof(float));
    }
}

}  // namespace penstock
