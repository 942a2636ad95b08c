// A layer's passes over whole sequences: the workspace of each direction, the kernels on a team of threads, and gradients
// back in PyTorch's layout.
#include <cstring>

#include "pack.hpp"
#include "penstock/layer.hpp"
#include "penstock/split.hpp"

namespace penstock {
namespace {

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

// `saved` is the caller's memory, so its alignment is ours to make.
float* align(float* p) {
    return reinterpret_cast<float*>((reinterpret_cast<std::uintptr_t>(p) + 63) & ~std::uintptr_t(63));
}

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
    job.x_rows = plan.contiguous[d] && threads == 1 ? nullptr : arena.take(block * z.I);
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
            for (int d = team.rank; d < 2; d += team.size) kernels().forward(static_cast<const Job*>(j)[d], {0, 1, nullptr});
        }, jobs);
        return;
    }
    const int first_rows = plan.steps ? plan.active[0] : 0;
    const bool alone = choose_split(sizes_, first_rows, threads) == Split::kAlone && !helps_alone(sizes_);
    if (flops < kFlopsForThreads || alone) threads = 1;
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
    job.bias_sum = arena.take_zeros(std::size_t(z.D) * z.Hp);
    if (p.w_ch) job.peephole_sum = arena.take_zeros(std::size_t(3) * z.Hp);

    const int tile = kernels().tile_rows;
    const auto outer = [&](const float* left, std::size_t left_row, int columns, const float* right, int panels) {
        const std::size_t whole = (columns + tile - 1) / tile * tile;
        const bool same = job.outers && job.outer[job.outers - 1].left == left &&
                          job.outer[job.outers - 1].left_columns == columns;
        float* tiles = same ? job.outer[job.outers - 1].tiles
                            : arena.take(whole * std::min<std::size_t>(kGradientRows, block));
        const std::size_t size = whole * panels * kPanelWidth;
        job.outer[job.outers++] = {left, left_row, columns, tiles, right, panels,
                                   plan.rows() ? arena.take(size) : arena.take_zeros(size)};
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

}  // namespace penstock
