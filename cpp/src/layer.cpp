#include "penstock/layer.hpp"

#include <cstring>
#include <mutex>
#include <utility>

#include "pack.hpp"

namespace penstock {
namespace {

constexpr int kIdentity[] = {0, 1, 2, 3};
constexpr int kGruInput[] = {2, 0, 1};      // gate gradients stand as n, r, z (gru.hpp); the weights as r, z, n
constexpr int kGruRecurrent[] = {0, 1, 2};  // r, z, and n's recurrent part

const int* input_order(const Sizes& z) {
    return z.kind == CellKind::kGruAfter || z.kind == CellKind::kGruBefore ? kGruInput : kIdentity;
}

// Of each parameter, to tell whether it changed. Few, since a step must not wait for memory that it needs for nothing else.
constexpr std::size_t kSampled = 16;

// A call that takes no longer than threads need to meet is faster alone.
constexpr double kFlopsForThreads = 4e5;

// Whether each of two directions had better have a thread of its own than both threads one after the other: they never
// meet, but each reads all of its weights alone, which must not leave its core's caches. Many rows are parted anyway.
bool directions_part(const Sizes& z, int rows, int threads) {
    constexpr std::size_t kWeights = 200 * 1024;  // 800 KB
    return threads > 1 && threads < 4 && rows < 4 * threads && std::size_t(z.G) * z.Hp * z.P <= kWeights;
}

// Of one direction forward.
double flops_of(const Sizes& z, std::size_t rows) {
    return 2.0 * static_cast<double>(rows) * z.G * z.Hp * (z.I + z.P);
}

std::size_t largest_block(const Plan& plan, std::size_t target, bool past_target) {
    const std::size_t step = plan.steps ? plan.active[0] : 0;
    const std::size_t most = past_target ? target + step : std::max(target, step);
    return std::min(most, plan.rows());
}

// sum: [slots][Hp padded][row] -> gradient in PyTorch's layout [gates][H][n]
void unpack_gates(const float* sum, std::size_t row, const int* order, int gates, int H, int Hp, int n, float* to) {
    for (int g = 0; g < gates; ++g)
        for (int u = 0; u < H; ++u)
            std::memcpy(to + (std::size_t(order[g]) * H + u) * n, sum + (std::size_t(g) * Hp + u) * row,
                        n * sizeof(float));
}

void unpack_bias(const float* sum, int slot, const int* order, int gates, int H, int Hp, float* to) {
    for (int g = 0; g < gates; ++g)
        std::memcpy(to + std::size_t(order[g]) * H, sum + std::size_t(slot + g) * Hp, H * sizeof(float));
}

float* zeros(Arena& arena, std::size_t n) {
    float* p = arena.take(n);
    std::memset(p, 0, n * sizeof(float));
    return p;
}

}  // namespace

Sizes make_sizes(CellKind kind, int input, int hidden, int projection) {
    Sizes z{};
    z.kind = kind;
    z.I = input;
    z.H = hidden;
    z.projected = projection > 0;
    z.P = z.projected ? projection : hidden;
    z.Ip = padded(z.I);
    z.Hp = padded(z.H);
    z.Pp = padded(z.P);
    switch (kind) {
        case CellKind::kRnnTanh:
        case CellKind::kRnnRelu: z.G = 1, z.S = 1, z.D = 1, z.x_slot = 0, z.h_slot = 0, z.h_gates = 1; break;
        case CellKind::kLstm:
        case CellKind::kLstmPeephole:
            z.G = 4, z.S = z.projected ? 6 : 5, z.D = 4, z.x_slot = 0, z.h_slot = 0, z.h_gates = 4;
            break;
        case CellKind::kGruAfter: z.G = 3, z.S = 4, z.D = 4, z.x_slot = 0, z.h_slot = 1, z.h_gates = 3; break;
        case CellKind::kGruBefore: z.G = 3, z.S = 4, z.D = 3, z.x_slot = 0, z.h_slot = 1, z.h_gates = 2; break;
    }
    return z;
}

Layer::Layer(CellKind kind, int input, int hidden, int projection, int directions)
    : sizes_(make_sizes(kind, input, hidden, projection)), directions_(directions) {}

std::size_t Layer::saved_size(std::size_t rows) const {
    return rows * directions_ * sizes_.S * sizes_.Hp + kPanelWidth;  // room to align
}

Layer::Key Layer::key_of(const Parameters* parameters, std::uint64_t version) const {
    const Sizes& z = sizes_;
    const std::size_t rows = std::size_t(z.kind == CellKind::kGruBefore ? 3 : z.h_gates) * z.H;
    Key key{version};
    std::size_t i = 1;
    for (int d = 0; d < directions_; ++d) {
        const Parameters& p = parameters[d];
        const std::pair<const float*, std::size_t> arrays[] = {
            {p.w_ih, rows * z.I}, {p.w_hh, rows * z.P}, {p.b_ih, rows},
            {p.b_hh, rows},       {p.w_hr, std::size_t(z.P) * z.H}, {p.w_ch, std::size_t(3) * z.H}};
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
        if (packed_once_ && key == key_) return run(plan, call, threads, arena);
    }
    std::unique_lock lock(mutex_);
    pack_as(key, parameters);
    run(plan, call, threads, arena);
}

void Layer::forward(const Plan& plan, const ForwardCall& call, int threads, Arena& arena) {
    std::shared_lock lock(mutex_);
    run(plan, call, threads, arena);
}

void Layer::pack(const Parameters* parameters, std::uint64_t version) {
    std::unique_lock lock(mutex_);
    pack_as(key_of(parameters, version), parameters);
}

void Layer::pack_as(const Key& key, const Parameters* parameters) {
    packed_once_ = false;  // until it is done: an allocation may fail halfway
    storage_.start();
    for (int d = 0; d < directions_; ++d) pack_forward(parameters[d], packed_[d]);
    key_ = key;
    packed_once_ = true;
}

void Layer::pack_forward(const Parameters& p, Packed& to) {
    const Sizes& z = sizes_;
    Arena& arena = storage_;
    to = Packed{};
    to.w_ih = arena.take(std::size_t(z.G) * z.Hp * z.I);
    to.b_ih = arena.take(z.G * z.Hp);
    to.w_hh = arena.take(std::size_t(z.h_gates) * z.Hp * z.P);
    to.b_hh = arena.take(z.h_gates * z.Hp);
    pack_gates(p.w_ih, 0, z.G, z.H, z.I, to.w_ih);
    pack_bias(p.b_ih, 0, z.G, z.H, to.b_ih);
    pack_gates(p.w_hh, 0, z.h_gates, z.H, z.P, to.w_hh);
    pack_bias(p.b_hh, 0, z.h_gates, z.H, to.b_hh);
    if (z.kind == CellKind::kGruBefore) {
        to.w_mid = arena.take(std::size_t(z.Hp) * z.H);
        to.b_mid = arena.take(z.Hp);
        pack_gates(p.w_hh, 2, 1, z.H, z.H, to.w_mid);
        pack_bias(p.b_hh, 2, 1, z.H, to.b_mid);
    } else if (z.projected) {
        to.w_mid = arena.take(std::size_t(z.Pp) * z.H);
        pack_gates(p.w_hr, 0, 1, z.P, z.H, to.w_mid);
    }
    if (p.w_ch) {
        to.w_ch = zeros(arena, std::size_t(3) * z.Hp);
        for (int g = 0; g < 3; ++g) std::memcpy(to.w_ch + g * z.Hp, p.w_ch + g * z.H, z.H * sizeof(float));
    }
}

Packed Layer::pack_backward(const Parameters& p, bool with_input, Arena& arena) const {
    const Sizes& z = sizes_;
    Packed to{};
    if (with_input) {
        to.wt_ih = arena.take(std::size_t(z.Ip) * z.G * z.Hp);
        pack_columns(p.w_ih, input_order(z), z.G, z.H, z.Hp, z.I, to.wt_ih);
    }
    to.wt_hh = arena.take(std::size_t(z.Pp) * z.h_gates * z.Hp);
    pack_columns(p.w_hh, kIdentity, z.h_gates, z.H, z.Hp, z.P, to.wt_hh);
    if (z.kind == CellKind::kGruBefore) {
        to.wt_mid = arena.take(std::size_t(z.Hp) * z.Hp);
        pack_columns(p.w_hh + std::size_t(2) * z.H * z.H, kIdentity, 1, z.H, z.Hp, z.H, to.wt_mid);
    } else if (z.projected) {
        to.wt_mid = arena.take(std::size_t(z.Hp) * z.Pp);
        pack_columns(p.w_hr, kIdentity, 1, z.P, z.Pp, z.H, to.wt_mid);
    }
    if (p.w_ch) {
        to.w_ch = zeros(arena, std::size_t(3) * z.Hp);
        for (int g = 0; g < 3; ++g) std::memcpy(to.w_ch + g * z.Hp, p.w_ch + g * z.H, z.H * sizeof(float));
    }
    return to;
}

namespace {

// `saved` is the caller's memory, so its alignment is ours to make.
float* align(float* p) {
    return reinterpret_cast<float*>((reinterpret_cast<std::uintptr_t>(p) + 63) & ~std::uintptr_t(63));
}

bool has_cell_state(const Sizes& z) { return z.kind == CellKind::kLstm || z.kind == CellKind::kLstmPeephole; }

}  // namespace

Job Layer::forward_job(const Plan& plan, const ForwardCall& call, int d, int threads, Arena& arena) const {
    const Sizes& z = sizes_;
    const std::size_t B = plan.batch, block = largest_block(plan, kBlockRows, false);
    Job job{};
    job.sizes = &z;
    job.weights = &packed_[d];
    job.plan = &plan;
    job.direction = d;
    job.x = call.x;
    job.y = call.y + d * z.P;
    job.y_row = std::size_t(directions_) * z.P;
    job.h0 = call.h0 ? call.h0 + d * B * z.P : nullptr;
    job.c0 = call.c0 ? call.c0 + d * B * z.H : nullptr;
    job.hn = call.hn + d * B * z.P;
    job.cn = call.cn ? call.cn + d * B * z.H : nullptr;
    job.saved = call.saved ? align(call.saved) + d * plan.rows() * z.S * z.Hp : nullptr;
    job.x_rows = plan.contiguous[d] ? nullptr : arena.take(block * z.I);
    job.px = arena.take(block * z.G * z.Hp);
    job.h[0] = arena.take(B * z.Pp);
    job.h[1] = arena.take(B * z.Pp);
    if (has_cell_state(z)) job.c = arena.take(B * z.Hp);
    if (packed_[d].w_mid) {
        job.mid = arena.take(B * z.Hp);
        job.keep = arena.take(B * z.Hp);
    }
    job.scratch = arena.take(std::size_t(threads) * kScratch);
    return job;
}

void Layer::run(const Plan& plan, const ForwardCall& call, int threads, Arena& arena) const {
    arena.start();
    if (call.saved) advise_huge_pages(call.saved, saved_size(plan.rows()) * sizeof(float));
    advise_huge_pages(call.y, plan.rows() * directions_ * sizes_.P * sizeof(float));
    const double flops = flops_of(sizes_, plan.rows());
    if (directions_ == 2 && directions_part(sizes_, plan.batch, threads) && 2 * flops >= kFlopsForThreads) {
        Job jobs[] = {forward_job(plan, call, 0, 1, arena), forward_job(plan, call, 1, 1, arena)};
        run_team(2, 2 * flops, [](const Team& team, void* j) {
            Barrier nobody;
            for (int d = team.rank; d < 2; d += team.size) kernels().forward(static_cast<const Job*>(j)[d], {0, 1, &nobody});
        }, jobs);
        return;
    }
    if (flops < kFlopsForThreads) threads = 1;
    for (int d = 0; d < directions_; ++d) {
        Job job = forward_job(plan, call, d, threads, arena);
        run_team(threads, flops, [](const Team& team, void* j) { kernels().forward(*static_cast<const Job*>(j), team); }, &job);
    }
}

void Layer::backward(const Plan& plan, const BackwardCall& call, const Parameters* parameters,
                     const Gradients* gradients, int threads, Arena& arena) const {
    advise_huge_pages(call.dx, plan.rows() * sizes_.I * sizeof(float));
    if (flops_of(sizes_, plan.rows()) < kFlopsForThreads) threads = 1;
    for (int d = 0; d < directions_; ++d)
        backward_direction(plan, call, d, parameters[d], gradients[d], threads, arena);
}

void Layer::backward_direction(const Plan& plan, const BackwardCall& call, int d, const Parameters& p,
                               const Gradients& g, int threads, Arena& arena) const {
    const Sizes& z = sizes_;
    arena.start();
    const std::size_t B = plan.batch, block = largest_block(plan, kGradientRows, true);
    const Packed weights = pack_backward(p, call.dx != nullptr, arena);
    const bool two_phase = weights.wt_mid != nullptr, cell = has_cell_state(z);
    Job job{};
    job.sizes = &z;
    job.weights = &weights;
    job.plan = &plan;
    job.direction = d;
    job.x = call.x;
    job.y_row = std::size_t(directions_) * z.P;
    job.y = const_cast<float*>(call.y) + d * z.P;
    job.saved = align(const_cast<float*>(call.saved)) + d * plan.rows() * z.S * z.Hp;
    job.h0 = call.h0 ? call.h0 + d * B * z.P : nullptr;
    job.c0 = call.c0 ? call.c0 + d * B * z.H : nullptr;
    job.dy = call.dy ? call.dy + d * z.P : nullptr;
    job.dhn = call.dhn ? call.dhn + d * B * z.P : nullptr;
    job.dcn = call.dcn ? call.dcn + d * B * z.H : nullptr;
    job.dx = call.dx;
    job.dx_adds = d > 0;
    job.dh0 = call.dh0 ? call.dh0 + d * B * z.P : nullptr;
    job.dc0 = call.dc0 ? call.dc0 + d * B * z.H : nullptr;
    job.scratch = arena.take(std::size_t(threads) * kScratch);
    job.dh = arena.take(B * z.Pp);
    if (cell) {
        job.dc = arena.take(B * z.Hp);
        job.c_before = arena.take(B * z.Hp);
    }
    if (two_phase) {
        job.dmid = arena.take(B * z.Hp);
        job.mid_panels = arena.take(block * z.Hp);
    }
    if (z.projected) job.dp = arena.take(block * z.Pp);
    job.dg = arena.take(block * z.D * z.Hp);
    job.dx_rows = arena.take(block * z.Ip);
    job.x_panels = arena.take(block * z.Ip);
    job.h_panels = arena.take(block * z.Pp);
    job.bias_sum = zeros(arena, std::size_t(z.D) * z.Hp);
    if (p.w_ch) job.peephole_sum = zeros(arena, std::size_t(3) * z.Hp);

    const int tile = kernels().tile_rows;
    const auto outer = [&](const float* left, std::size_t left_row, int columns, const float* right, int panels) {
        const std::size_t whole = (columns + tile - 1) / tile * tile;
        const bool same = job.outers && job.outer[job.outers - 1].left == left &&
                          job.outer[job.outers - 1].left_columns == columns;
        float* tiles = same ? job.outer[job.outers - 1].tiles
                            : arena.take(whole * std::min<std::size_t>(kGradientRows, block));
        const std::size_t size = whole * panels * kPanelWidth;
        job.outer[job.outers++] = {left, left_row, columns, tiles, right, panels,
                                   plan.rows() ? arena.take(size) : zeros(arena, size)};
    };
    const std::size_t dg_row = std::size_t(z.D) * z.Hp;
    outer(job.dg + std::size_t(z.x_slot) * z.Hp, dg_row, z.G * z.Hp, job.x_panels, z.Ip / kPanelWidth);
    outer(job.dg + std::size_t(z.h_slot) * z.Hp, dg_row, z.h_gates * z.Hp, job.h_panels, z.Pp / kPanelWidth);
    if (z.projected) outer(job.dp, z.Pp, z.Pp, job.mid_panels, z.Hp / kPanelWidth);
    else if (two_phase) outer(job.dg, dg_row, z.Hp, job.mid_panels, z.Hp / kPanelWidth);

    run_team(threads, 2 * flops_of(z, plan.rows()),
             [](const Team& team, void* j) { kernels().backward(*static_cast<const Job*>(j), team); }, &job);

    if (g.w_ih) unpack_gates(job.outer[0].sum, z.Ip, input_order(z), z.G, z.H, z.Hp, z.I, g.w_ih);
    if (g.w_hh) unpack_gates(job.outer[1].sum, z.Pp, kIdentity, z.h_gates, z.H, z.Hp, z.P, g.w_hh);
    if (g.b_ih) unpack_bias(job.bias_sum, z.x_slot, input_order(z), z.G, z.H, z.Hp, g.b_ih);
    if (g.b_hh) unpack_bias(job.bias_sum, z.h_slot, kIdentity, z.h_gates, z.H, z.Hp, g.b_hh);
    if (z.kind == CellKind::kGruBefore) {  // the candidate's recurrent part is a product of its own
        const int candidate = 2;
        if (g.w_hh) unpack_gates(job.outer[2].sum, z.Hp, &candidate, 1, z.H, z.Hp, z.H, g.w_hh);
        if (g.b_hh) unpack_bias(job.bias_sum, 0, &candidate, 1, z.H, z.Hp, g.b_hh);
    }
    if (g.w_hr) unpack_gates(job.outer[2].sum, z.Hp, kIdentity, 1, z.P, z.Pp, z.H, g.w_hr);
    if (g.w_ch) unpack_gates(job.peephole_sum, z.Hp, kIdentity, 3, 1, 1, z.H, g.w_ch);
}

Linear::Linear(const float* weight, const float* bias, int n, int k) : n_(n), k_(k) {
    panels_ = storage_.take(std::size_t(padded(n)) * k);
    bias_ = storage_.take(padded(n));
    pack_gates(weight, 0, 1, n, k, panels_);
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
