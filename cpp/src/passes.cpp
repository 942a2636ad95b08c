// A layer's passes over whole sequences: the workspace of each direction, the kernels on a group of threads, and the
// gradients in PyTorch's layout.
#include <algorithm>
#include <cstring>
#include <span>

#include "pack.hpp"
#include "penstock/layer.hpp"
#include "penstock/split.hpp"

namespace penstock {
namespace {

// A pass of less work is faster on one thread, because threads synchronise and read what others wrote. The limit is lower,
// and grows with the time of a synchronisation, where the weights are split by units or by directions than where each thread
// reads all of them.
constexpr double kFlopsForThreads = kShareAll ? 0 : 2e6, kFlopsToSplit = kShareAll ? 0 : 2250;

// Whether two directions run faster on a thread each than on both threads one after the other. On a thread each they never
// synchronise, but a thread reads all weights of its direction, which must fit its core's caches. Many rows are split by
// rows instead.
bool directions_run_apart(const Sizes& z, int rows, int threads) {
    constexpr std::size_t kWeights = 200 * 1024;  // 800 KB
    return threads > 1 && threads < 4 && rows < 4 * threads && std::size_t(z.G) * z.Hp * z.P <= kWeights;
}

// The work of one direction's forward pass.
double flops_of(const Sizes& z, std::size_t rows) {
    return 2.0 * static_cast<double>(rows) * z.G * z.Hp * (z.I + z.P);
}

std::size_t largest_block(const BatchLayout& layout, std::size_t target, bool past_target) {
    const std::size_t step = layout.steps ? layout.active[0] : 0;
    const std::size_t most = past_target ? target + step : std::max(target, step);
    return std::min(most, layout.rows());
}

void unpack_bias(const float* sum, int slot, const int* order, int gates, int H, int Hp, float* to) {
    for (int g = 0; g < gates; ++g)
        std::memcpy(to + std::size_t(order[g]) * H, sum + std::size_t(slot + g) * Hp, H * sizeof(float));
}

// The caller owns `saved`, so the engine aligns it.
float* align(float* p) {
    return reinterpret_cast<float*>((reinterpret_cast<std::uintptr_t>(p) + 63) & ~std::uintptr_t(63));
}

// A direction's part of state k, which is [directions][B][its size]; null where there is none.
template <class T>
T* of_direction(std::span<T* const> states, const Sizes& z, int k, int direction, std::size_t B) {
    return !states.empty() && states[k] ? states[k] + direction * B * state_size(z, k) : nullptr;
}

// A weight's gradient: the sum over rows of the products of `left` and `right`.
struct Gradient {
    const float* left;  // [rows][left_row], of which [gates][units_padded] are used
    std::size_t left_row;
    const float* right;  // panels of [columns]
    const int* order;    // gate g of `left` is gate order[g] of the result
    int gates, units, units_padded, columns;
    float* to;  // [gates][units][columns], PyTorch's layout, or null where none is wanted
};

// Adds a gradient to the job. It is summed in place if its layout is that of the sums, else copied there afterwards.
void add_gradient(Job& job, const Gradient& g, Arena& arena, CopyTasks& unpacking) {
    if (!g.to) return;
    const int rows = g.gates * g.units_padded, tile = kernels().tile_rows, panels = padded(g.columns) / kPanelWidth;
    const std::size_t whole = (rows + tile - 1) / tile * tile, row = std::size_t(panels) * kPanelWidth;
    const Outer* before = job.outers ? &job.outer[job.outers - 1] : nullptr;
    float* tiles = before && before->left == g.left && before->left_columns == rows
                       ? before->tiles : arena.take(whole * std::min<std::size_t>(kGradientRows, job.layout->rows()));
    const bool in_order = std::equal(g.order, g.order + g.gates, kIdentity);
    const bool in_place = in_order && g.units == g.units_padded && std::size_t(g.columns) == row && g.to == align(g.to);
    float* sum = in_place ? g.to : arena.take(rows * row);
    if (job.layout->rows() == 0) std::memset(sum, 0, rows * row * sizeof(float));
    job.outer[job.outers++] = {g.left, g.left_row, rows, tiles, g.right, panels, sum};
    if (in_place) return;
    unpacking.add(g.gates * g.units, [=](int first, int end) {
        for (int i = first; i < end; ++i) {
            const std::size_t from = std::size_t(i / g.units) * g.units_padded + i % g.units,
                              to = std::size_t(g.order[i / g.units]) * g.units + i % g.units;
            std::memcpy(g.to + to * g.columns, sum + from * row, g.columns * sizeof(float));
        }
    });
}

// A pass, and the copies that threads make before and after it. All threads share one direction, or each thread has its own.
struct Pass {
    void (*kernel)(const Job&, const ThreadGroup&);
    std::span<const Job> directions;
    const CopyTasks &before, &after;

    void run(int threads, double flops) const {
        run_on_threads(threads, flops, [](const ThreadGroup& group, void* pass) { static_cast<const Pass*>(pass)->run(group); },
                 const_cast<Pass*>(this));
    }
    void run(const ThreadGroup& group) const {
        before.make(group);
        if (!before.empty()) group.sync();
        if (directions.size() == 1) {
            kernel(directions[0], group);
        } else {
            for (std::size_t d = group.rank; d < directions.size(); d += group.size) kernel(directions[d], {0, 1, nullptr});
        }
        if (!after.empty()) group.sync();
        after.make(group);
    }
};

// With how many threads a pass of so much work is fastest. Forward: as many as can share its steps, because synchronising more
// of them costs more. Backward: more, if the gradients of weights and inputs are enough work for them. Where one thread
// computes the steps alone, too little is left for the others.
int useful_threads(const Sizes& z, const BatchLayout& layout, double flops, int threads, bool backward) {
    // Nanoseconds: hardly any synchronisation is faster, and asking for its time takes a tenth of a small step.
    constexpr int kFastestSync = 30;
    if (threads == 1 || flops < kFlopsToSplit * kFastestSync) return 1;
    const int sync_ns = sync_nanoseconds();
    const Sharing steps = share_steps(z, layout.steps ? layout.active[0] : 0, threads, backward, sync_ns);
    if (steps.split == Split::kAlone) return helps_alone(z) && flops >= kFlopsForThreads ? threads : 1;
    if (flops < (steps.split == Split::kUnits ? kFlopsToSplit * sync_ns : kFlopsForThreads)) return 1;
    if (!backward) return steps.threads;
    const double enough = flops / kFlopsForThreads;
    return enough >= threads ? threads : std::max(steps.threads, static_cast<int>(enough));
}

}  // namespace

Job Layer::forward_job(const BatchLayout& layout, const ForwardCall& call, int d, const Packed& weights, int threads,
                       Arena& arena) const {
    const Sizes& z = sizes_;
    const std::size_t B = layout.batch, block = largest_block(layout, kBlockRows, false);
    Job job{};
    job.sizes = &z;
    job.weights = &weights;
    job.layout = &layout;
    job.direction = d;
    job.x = call.x;
    job.y = call.y + d * z.P;
    job.y_row = std::size_t(directions_) * z.P;
    for (int k = 0; k < z.states; ++k) {
        job.initial[k] = of_direction(call.initial, z, k, d, B);
        job.last[k] = of_direction(call.last, z, k, d, B);
    }
    job.saved = call.saved ? align(call.saved) + d * layout.rows() * z.S * z.Hp : nullptr;
    job.x_rows = layout.contiguous[d] && threads == 1 ? nullptr : arena.take(block * z.I);
    job.px = arena.take(block * z.G * z.Hp);
    job.h[0] = arena.take(B * z.Pp);
    job.h[1] = arena.take(B * z.Pp);
    for (int k = 1; k < z.states; ++k) job.state[k] = arena.take(B * z.Hp);
    if (weights.w_mid) {
        job.mid = arena.take(B * z.Hp);
        job.keep = arena.take(B * z.Hp);
    }
    job.zoneout = zoneout();
    job.draw = call.draw;
    for (int k = 1; job.zoneout && k < z.states; ++k) job.before[k] = arena.take(B * z.Hp);
    job.scratch = arena.take(std::size_t(threads) * kScratch);
    return job;
}

void Layer::run(const BatchLayout& layout, const ForwardCall& call, const Packed* packed, const CopyTasks& packing, int threads,
                Arena& arena) const {
    if (call.saved) advise_huge_pages(call.saved, saved_size(layout.rows()) * sizeof(float));
    advise_huge_pages(call.y, layout.rows() * directions_ * sizes_.P * sizeof(float));
    const double flops = flops_of(sizes_, layout.rows());
    const CopyTasks none;
    if (directions_ == 2 && directions_run_apart(sizes_, layout.batch, threads) && 2 * flops >= kFlopsToSplit * sync_nanoseconds()) {
        const Job both[] = {forward_job(layout, call, 0, packed[0], 1, arena), forward_job(layout, call, 1, packed[1], 1, arena)};
        return Pass{cell_->forward, both, packing, none}.run(2, 2 * flops);
    }
    threads = useful_threads(sizes_, layout, flops, threads, false);
    for (int d = 0; d < directions_; ++d) {
        const Job job = forward_job(layout, call, d, packed[d], threads, arena);
        Pass{cell_->forward, {&job, 1}, d ? none : packing, none}.run(threads, flops);
    }
}

void Layer::backward(const BatchLayout& layout, const BackwardCall& call, const Parameters* parameters,
                     const Gradients* gradients, int threads, Arena& arena) const {
    advise_huge_pages(call.dx, layout.rows() * sizes_.I * sizeof(float));
    // Half the work counts, because threads read more of what others wrote than in a forward pass.
    threads = useful_threads(sizes_, layout, flops_of(sizes_, layout.rows()) / 2, threads, true);
    for (int d = 0; d < directions_; ++d)
        backward_direction(layout, call, d, parameters[d], gradients[d], threads, arena);
}

Job Layer::backward_job(const BatchLayout& layout, const BackwardCall& call, int d, const Packed& weights, int threads,
                        Arena& arena) const {
    const Sizes& z = sizes_;
    const std::size_t B = layout.batch, block = largest_block(layout, kGradientRows, true);
    Job job{};
    job.sizes = &z;
    job.weights = &weights;
    job.layout = &layout;
    job.direction = d;
    job.x = call.x;
    job.y_row = std::size_t(directions_) * z.P;
    job.y = const_cast<float*>(call.y) + d * z.P;
    job.saved = align(const_cast<float*>(call.saved)) + d * layout.rows() * z.S * z.Hp;
    job.dy = call.dy ? call.dy + d * z.P : nullptr;
    job.dx = call.dx;
    job.dx_adds = d > 0;
    job.scratch = arena.take(std::size_t(threads) * kScratch);
    for (int k = 0; k < z.states; ++k) {
        job.initial[k] = of_direction(call.initial, z, k, d, B);
        job.dlast[k] = of_direction(call.dlast, z, k, d, B);
        job.dinitial[k] = of_direction(call.dinitial, z, k, d, B);
        job.dstate[k] = arena.take(B * padded_state(z, k));
        if (k > 0) job.start[k] = arena.take(B * z.Hp);
    }
    job.zoneout = zoneout();
    job.draw = call.draw;
    for (int k = 0; job.zoneout && k < z.states; ++k) job.kept[k] = arena.take(B * padded_state(z, k));
    if (weights.wt_mid) {
        job.dmid = arena.take(B * z.Hp);
        job.mid_panels = arena.take(block * z.Hp);
    }
    if (z.projected) job.dp = arena.take(block * z.Pp);
    job.dg = arena.take(block * z.D * z.Hp);
    const bool in_place = layout.contiguous[d] && !job.dx_adds && z.I == z.Ip && call.dx == align(call.dx);
    job.dx_rows = in_place ? nullptr : arena.take(block * z.Ip);
    job.x_panels = arena.take(block * z.Ip);
    job.h_panels = arena.take(block * z.Pp);
    job.bias_sum = arena.take_zeros(std::size_t(z.D) * z.Hp);
    if (weights.w_ch) job.peephole_sum = arena.take_zeros(std::size_t(z.peepholes) * z.Hp);
    return job;
}

void Layer::backward_direction(const BatchLayout& layout, const BackwardCall& call, int d, const Parameters& p,
                               const Gradients& g, int threads, Arena& arena) const {
    const Sizes& z = sizes_;
    arena.start();
    CopyTasks packing, unpacking;
    const Packed weights = pack_backward(p, call.dx != nullptr, arena, packing);
    Job job = backward_job(layout, call, d, weights, threads, arena);

    const std::size_t dg_row = std::size_t(z.D) * z.Hp;
    const auto dg = [&](int slot) { return job.dg + std::size_t(slot) * z.Hp; };
    add_gradient(job, {dg(z.x_slot), dg_row, job.x_panels, z.input_order, z.G, z.H, z.Hp, z.I, g.w_ih}, arena, unpacking);
    add_gradient(job, {dg(z.h_slot), dg_row, job.h_panels, kIdentity, z.h_gates, z.H, z.Hp, z.P, g.w_hh}, arena, unpacking);
    add_gradient(job, {job.dp, std::size_t(z.Pp), job.mid_panels, kIdentity, 1, z.P, z.Pp, z.H, g.w_hr}, arena, unpacking);
    // Only the late gate, whose product is phase two, has a place in weight_hh that differs from its slot.
    const std::size_t late = is_late(z) ? std::size_t(z.late_gate) * z.H : 0;
    if (is_late(z))
        add_gradient(job, {dg(z.late_slot), dg_row, job.mid_panels, kIdentity, 1, z.H, z.Hp, z.H,
                           g.w_hh ? g.w_hh + late * z.H : nullptr}, arena, unpacking);
    Pass{cell_->backward, {&job, 1}, packing, unpacking}.run(threads, 2 * flops_of(z, layout.rows()));

    if (g.b_ih) unpack_bias(job.bias_sum, z.x_slot, z.input_order, z.G, z.H, z.Hp, g.b_ih);
    if (g.b_hh) unpack_bias(job.bias_sum, z.h_slot, kIdentity, z.h_gates, z.H, z.Hp, g.b_hh);
    if (g.b_hh && is_late(z)) unpack_bias(job.bias_sum, z.late_slot, kIdentity, 1, z.H, z.Hp, g.b_hh + late);
    if (g.w_ch) unpack_bias(job.peephole_sum, 0, kIdentity, z.peepholes, z.H, z.Hp, g.w_ch);
}

}  // namespace penstock
