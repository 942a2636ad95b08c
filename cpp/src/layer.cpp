#include "penstock/layer.hpp"

#include <cstring>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "pack.hpp"

namespace penstock {
namespace {

// Of each parameter, to tell whether it changed. Few, since a step must not wait for memory that it needs for nothing else.
constexpr std::size_t kSampled = 16;

float* pack_peepholes(const Sizes& z, const float* w_ch, Arena& arena) {
    if (!w_ch) return nullptr;
    float* to = arena.take_zeros(std::size_t(z.peepholes) * z.Hp);
    for (int g = 0; g < z.peepholes; ++g) std::memcpy(to + g * z.Hp, w_ch + g * z.H, z.H * sizeof(float));
    return to;
}

}  // namespace

Sizes make_sizes(const Traits& traits, int input, int hidden, int projection) {
    const int outputs = projection ? projection : hidden;
    return {traits, input, hidden, outputs, padded(input), padded(hidden), padded(outputs)};
}

Layer::Layer(const CellKernels& cell, int input, int hidden, int projection, int directions)
    : cell_(&cell), sizes_(make_sizes(cell.traits, input, hidden, projection)), directions_(directions) {
    if ((projection > 0) != cell.traits.projected) throw std::invalid_argument("a projection, just where the cell has one");
}

std::size_t Layer::saved_size(std::size_t rows) const {
    return rows * directions_ * sizes_.S * sizes_.Hp + kPanelWidth;  // room to align
}

Layer::Key Layer::key_of(const Parameters* parameters, std::uint64_t version) const {
    const Sizes& z = sizes_;
    const std::size_t rows = std::size_t(z.G) * z.H;
    Key key{version};
    std::size_t i = 1;
    for (int d = 0; d < directions_; ++d) {
        const Parameters& p = parameters[d];
        const std::pair<const float*, std::size_t> arrays[] = {
            {p.w_ih, rows * z.I}, {p.w_hh, rows * z.P}, {p.b_ih, rows},
            {p.b_hh, rows},       {p.w_hr, std::size_t(z.P) * z.H}, {p.w_ch, std::size_t(z.peepholes) * z.H}};
        for (const auto& [data, size] : arrays) {
            if (!data) continue;
            std::uint64_t hash = 0, factor = 0x9e3779b97f4a7c15ull;  // a sum, so that no term waits for another
            const std::size_t stride = std::max<std::size_t>(1, size / kSampled);
            for (std::size_t k = 0; k < size; k += stride, factor += 0xbf58476d1ce4e5b8ull) {
                std::uint32_t bits;
                std::memcpy(&bits, data + k, 4);
                hash += bits * factor;
            }
            key[i++] = reinterpret_cast<std::uintptr_t>(data);
            key[i++] = hash;
        }
    }
    return key;
}

void Layer::forward(const Parameters* parameters, std::uint64_t version, bool repack, const Plan& plan,
                    const ForwardCall& call, int threads, Arena& arena) {
    const Key key = key_of(parameters, version);
    if (!repack) {
        std::shared_lock lock(mutex_);
        if (packed_once_ && key == key_) return run(plan, call, {}, threads, arena);
    }
    std::unique_lock lock(mutex_);
    const Copies packing = start_pack(parameters);
    run(plan, call, packing, threads, arena);
    end_pack(key);
}

void Layer::forward(const Plan& plan, const ForwardCall& call, int threads, Arena& arena) {
    std::shared_lock lock(mutex_);
    run(plan, call, {}, threads, arena);
}

void Layer::pack(const Parameters* parameters, std::uint64_t version) {
    std::unique_lock lock(mutex_);
    start_pack(parameters).make({0, 1, nullptr});
    end_pack(key_of(parameters, version));
}

Copies Layer::start_pack(const Parameters* parameters) {
    packed_once_ = false;  // until it is done: an allocation may fail halfway
    storage_.start();
    Copies copies;
    for (int d = 0; d < directions_; ++d) pack_forward(parameters[d], packed_[d], copies);
    return copies;
}

void Layer::end_pack(const Key& key) {
    key_ = key;
    packed_once_ = true;
}

void Layer::pack_forward(const Parameters& p, Packed& to, Copies& copies) {
    const Sizes& z = sizes_;
    Arena& arena = storage_;
    to = Packed{};
    to.w_ih = arena.take(std::size_t(z.G) * z.Hp * z.I);
    to.b_ih = arena.take(z.G * z.Hp);
    to.w_hh = arena.take(std::size_t(z.h_gates) * z.Hp * z.P);
    to.b_hh = arena.take(z.h_gates * z.Hp);
    pack_gates(p.w_ih, 0, z.G, z.H, z.I, to.w_ih, copies);
    pack_bias(p.b_ih, 0, z.G, z.H, to.b_ih);
    pack_gates(p.w_hh, 0, z.h_gates, z.H, z.P, to.w_hh, copies);
    pack_bias(p.b_hh, 0, z.h_gates, z.H, to.b_hh);
    if (is_late(z)) {
        to.w_mid = arena.take(std::size_t(z.Hp) * z.H);
        to.b_mid = arena.take(z.Hp);
        pack_gates(p.w_hh, z.late_gate, 1, z.H, z.H, to.w_mid, copies);
        pack_bias(p.b_hh, z.late_gate, 1, z.H, to.b_mid);
    } else if (z.projected) {
        to.w_mid = arena.take(std::size_t(z.Pp) * z.H);
        pack_gates(p.w_hr, 0, 1, z.P, z.H, to.w_mid, copies);
    }
    to.w_ch = pack_peepholes(z, p.w_ch, arena);
}

Packed Layer::pack_backward(const Parameters& p, bool with_input, Arena& arena, Copies& copies) const {
    const Sizes& z = sizes_;
    Packed to{};
    if (with_input) {
        to.wt_ih = arena.take(std::size_t(z.Ip) * z.G * z.Hp);
        pack_columns(p.w_ih, z.input_order, z.G, z.H, z.Hp, z.I, to.wt_ih, copies);
    }
    to.wt_hh = arena.take(std::size_t(z.Pp) * z.h_gates * z.Hp);
    pack_columns(p.w_hh, kIdentity, z.h_gates, z.H, z.Hp, z.P, to.wt_hh, copies);
    if (is_late(z)) {
        to.wt_mid = arena.take(std::size_t(z.Hp) * z.Hp);
        pack_columns(p.w_hh, &z.late_gate, 1, z.H, z.Hp, z.H, to.wt_mid, copies);
    } else if (z.projected) {
        to.wt_mid = arena.take(std::size_t(z.Hp) * z.Pp);
        pack_columns(p.w_hr, kIdentity, 1, z.P, z.Pp, z.H, to.wt_mid, copies);
    }
    to.w_ch = pack_peepholes(z, p.w_ch, arena);
    return to;
}

Linear::Linear(const float* weight, const float* bias, int n, int k) : n_(n), k_(k) {
    panels_ = storage_.take(std::size_t(padded(n)) * k);
    bias_ = storage_.take(padded(n));
    Copies copies;
    pack_gates(weight, 0, 1, n, k, panels_, copies);
    copies.make({0, 1, nullptr});
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
