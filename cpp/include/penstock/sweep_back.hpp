// The backward sweep over time: for each block of steps the gate gradients step by step, then the products that need no
// order in time, which give the gradients of x and of the weights.
#pragma once

#include "sweep.hpp"

namespace PENSTOCK_ISA {
namespace {

using penstock::Outer;

// A block of steps [s0, s1) and its packed rows.
struct Block {
    int s0, s1;
    std::size_t row0;
    int rows;
    bool first;  // whether it is the first block of the sweep, which starts the sums of the weights' gradients
};

void start_backward(const Job& job, const ThreadGroup& group) {
    const Sizes& z = *job.sizes;
    const BatchLayout& layout = *job.layout;
    const Range rows = share(group, layout.batch);
    for (int j = rows.begin; j < rows.end; ++j) {
        const std::size_t b = layout.sequence[j], at = j;
        copy_padded(job.dlast[0] ? job.dlast[0] + b * z.P : nullptr, z.P, z.Pp, job.dstate[0] + at * z.Pp);
        for (int k = 1; k < z.states; ++k) {
            copy_padded(job.dlast[k] ? job.dlast[k] + b * z.H : nullptr, z.H, z.Hp, job.dstate[k] + at * z.Hp);
            copy_padded(job.initial[k] ? job.initial[k] + b * z.H : nullptr, z.H, z.Hp, job.start[k] + at * z.Hp);
        }
    }
    const Range pad = share(group, job.dx && !job.dx_adds ? static_cast<int>(layout.padding.size()) : 0);
    for (int i = pad.begin; i < pad.end; ++i)
        std::memset(job.dx + layout.padding[i] * z.I, 0, z.I * sizeof(float));
}

// Writes row r of a block into panels [panel][block rows][16]; zeros if `row` is null.
inline void to_panels(const float* row, int n, int r, int block_rows, float* panels) {
    float* to = panels + static_cast<std::size_t>(r) * kPanel;
    for (int k = 0; k < n; k += kPanel, to += static_cast<std::size_t>(block_rows) * kPanel)
        for (int v = 0; v < kPanel; v += kWidth) store(to + v, row ? load_first(row + k + v, n - k - v) : V{});
}

// Gathers the inputs of the forward products, which are the right factors of the weights' gradients.
void gather_inputs(const Job& job, const ThreadGroup& group, const Block& block) {
    const Sizes& z = *job.sizes;
    const BatchLayout& layout = *job.layout;
    const std::int64_t* where = layout.where[job.direction].data();
    const Range mine = share(group, block.rows);
    for (int s = block.s0; s < block.s1; ++s)
        for (int j = 0; j < layout.active[s]; ++j) {
            const std::size_t row = layout.first[s] + j;
            const int r = static_cast<int>(row - block.row0);
            if (r < mine.begin || r >= mine.end) continue;
            to_panels(job.x + where[row] * z.I, z.I, r, block.rows, job.x_panels);
            to_panels(s ? job.y + where[layout.first[s - 1] + j] * job.y_row : h_start(job, j), z.P, r, block.rows,
                      job.h_panels);
            if (job.mid_panels) to_panels(job.saved + (row * z.S + z.mid_slot) * z.Hp, z.Hp, r, block.rows, job.mid_panels);
        }
}

struct PartBack : Part {
    Range outputs;  // blocks of outputs, as `units` are blocks of hidden units
};

PartBack part_back(const Job& job, const ThreadGroup& group, const Block& block) {
    const Sizes& z = *job.sizes;
    const int active = job.layout->active[block.s0];
    const auto [split, threads] = share_steps(z, active, group.size, true, group.sync_ns);
    const ThreadGroup sharing = subgroup(group, threads, active);
    const auto blocks = [&, units = split == Split::kUnits](int n) {
        return units ? share(sharing, n, blocks_together(1)) : Range{0, n};
    };
    const bool by_rows = split == Split::kRows;
    return {{split, by_rows && threads == group.size,
             by_rows ? share_rows(*job.layout, sharing, block.s0, block.s1) : Range{0, active},
             blocks(z.Hp / kPanel)}, blocks(z.Pp / kPanel)};
}

template <class Cell>
void backward_step(const Job& job, const ThreadGroup& group, const PartBack& part, BackwardStep t, Range rows) {
    const Sizes& z = *job.sizes;
    const bool units = part.split == Split::kUnits;
    const int n = rows.end - rows.begin;
    const std::size_t dg_row = static_cast<std::size_t>(z.D) * z.Hp;
    const float* dg = job.dg + (t.row0 - t.block_row0 + rows.begin) * dg_row;
    const auto back = [&](const float* a, std::size_t a_row, int K, const float* panels, Range columns, float* out,
                          int out_row, Start start) {
        if (units) group.sync();
        product(a, a_row, n, K, panels + static_cast<std::size_t>(columns.begin) * K * kPanel, columns.end - columns.begin,
                panels_together(1), nullptr,
                {out + static_cast<std::size_t>(rows.begin) * out_row + columns.begin * kPanel, static_cast<std::size_t>(out_row)},
                start, t.s % 2);
    };
    if (job.zoneout) {
        divide_gradients(t, rows, part.outputs, 0, 1);
        divide_gradients(t, rows, part.units, 1, z.states);
        t.dy = nullptr;
    }
    if constexpr (Cell::traits.projected) {
        Cell::backward_projection(t, rows, part.outputs);
        back(job.dp + (t.row0 - t.block_row0 + rows.begin) * z.Pp, z.Pp, z.Pp, job.weights->wt_mid, part.units, job.dmid,
             z.Hp, Start::kBias);
    }
    Cell::backward(t, rows, part.units);
    if constexpr (is_late(Cell::traits)) {
        back(dg + static_cast<std::size_t>(z.late_slot) * z.Hp, dg_row, z.Hp, job.weights->wt_mid, part.units, job.dmid, z.Hp, Start::kBias);
        Cell::backward_two(t, rows, part.units);
    }
    if (job.zoneout) {
        add_kept(t, rows, part.outputs, 0, 1);
        add_kept(t, rows, part.units, 1, z.states);
    }
    back(dg + static_cast<std::size_t>(z.h_slot) * z.Hp, dg_row, z.h_gates * z.Hp, job.weights->wt_hh, part.outputs, job.dstate[0],
         z.Pp, Start::kContinue);
    if (units) group.sync();
}

void input_gradient(const Job& job, const ThreadGroup& group, const Block& block) {
    if (!job.dx) return;
    const Sizes& z = *job.sizes;
    const Stopwatch stopwatch(group);
    const Range mine = share_by_speed(group, block.rows, kMaxRows);
    const std::size_t dg_row = static_cast<std::size_t>(z.D) * z.Hp, I = z.I;
    float* out = job.dx_rows ? job.dx_rows : job.dx + block.row0 * I;
    product(job.dg + mine.begin * dg_row + static_cast<std::size_t>(z.x_slot) * z.Hp, dg_row, mine.end - mine.begin, z.G * z.Hp,
            job.weights->wt_ih, z.Ip / kPanel, panels_together(1), nullptr,
            {out + static_cast<std::size_t>(mine.begin) * z.Ip, static_cast<std::size_t>(z.Ip)}, Start::kBias);
    stopwatch.record(static_cast<double>(mine.end - mine.begin) * z.G * z.Hp * z.Ip);
    if (!job.dx_rows) return;
    for (int r = mine.begin; r < mine.end; ++r) {
        const float* from = out + static_cast<std::size_t>(r) * z.Ip;
        float* to = job.dx + job.layout->where[job.direction][block.row0 + r] * I;
        if (!job.dx_adds) std::memcpy(to, from, I * sizeof(float));
        else
            for (std::size_t i = 0; i < I; ++i) to[i] += from[i];
    }
}

// Adds the column sums of rows [0, depth) of the gate gradients to `sum`. They are summed from zero before they are added.
void add_column_sums(const float* rows, std::size_t row, int depth, Range columns, float* scratch, float* sum) {
    for (int c0 = columns.begin; c0 < columns.end; c0 += penstock::kScratch) {
        const int c1 = c0 + penstock::kScratch < columns.end ? c0 + penstock::kScratch : columns.end;
        std::memset(scratch, 0, (c1 - c0) * sizeof(float));
        for (int r = 0; r < depth; ++r)
            for (int c = c0; c < c1; c += kWidth)
                store(scratch + c - c0, load(scratch + c - c0) + load(rows + r * row + c));
        for (int c = c0; c < c1; c += kWidth) store(sum + c, load(sum + c) + load(scratch + c - c0));
    }
}

// Each thread owns some rows of every gradient, so no sum is divided between threads.
void weight_gradients(const Job& job, const ThreadGroup& group, const Block& block) {
    const Sizes& z = *job.sizes;
    const std::size_t dg_row = static_cast<std::size_t>(z.D) * z.Hp, b_panel = static_cast<std::size_t>(block.rows) * kPanel;
    const Stopwatch stopwatch(group);
    double multiply_adds = 0;
    const int deepest = block.rows < penstock::kGradientRows ? block.rows : penstock::kGradientRows;
    for (int k = 0; k < block.rows; k += penstock::kGradientRows) {
        const int depth = block.rows - k < penstock::kGradientRows ? block.rows - k : penstock::kGradientRows;
        const float* packed = nullptr;
        for (int i = 0; i < job.outers; ++i) {
            const Outer& o = job.outer[i];
            const Range columns = share_by_speed(group, o.left_columns, kMaxRows);
            const int column = columns.begin, rows = columns.end - column;
            const std::size_t row = static_cast<std::size_t>(o.right_panels) * kPanel;
            float* mine = o.tiles + static_cast<std::size_t>(column) * deepest;
            if (packed != o.left)
                pack_transposed(o.left + k * o.left_row + column, o.left_row, depth, rows, mine);
            packed = o.left;
            product_transposed(mine, rows, depth, o.right + static_cast<std::size_t>(k) * kPanel,
                               b_panel, o.right_panels, o.sum + column * row, row,
                               block.first && k == 0 ? Start::kBias : Start::kAdd);
            multiply_adds += static_cast<double>(rows) * depth * row;
        }
        add_column_sums(job.dg + k * dg_row, dg_row, depth, share_by_speed(group, z.D * z.Hp, kPanel),
                        job.scratch + static_cast<std::size_t>(group.rank) * penstock::kScratch, job.bias_sum);
    }
    stopwatch.record(multiply_adds);
}

template <class Cell>
void backward_block(const Job& job, const ThreadGroup& group, const Block& block) {
    const Sizes& z = *job.sizes;
    const BatchLayout& layout = *job.layout;
    const auto step = [&](int s) {
        return BackwardStep{job, s, layout.first[s], s ? layout.first[s - 1] : 0, block.row0,
                            static_cast<std::size_t>(block.rows), job.dy};
    };
    gather_inputs(job, group, block);
    group.sync();
    const PartBack part = part_back(job, group, block);
    const Stopwatch stopwatch(group, part.timed);
    std::size_t done = 0;
    if (part.split != Split::kAlone || group.rank == 0)
        for (int s = block.s1 - 1; s >= block.s0; --s) {
            const Range rows = part.of(layout.active[s]);
            if (rows.begin >= rows.end) continue;
            backward_step<Cell>(job, group, part, step(s), rows);
            done += rows.end - rows.begin;
        }
    stopwatch.record(static_cast<double>(done) * z.h_gates * z.Hp * z.Pp);
    group.sync();
    input_gradient(job, group, block);
    weight_gradients(job, group, block);
    if constexpr (requires { &Cell::backward_peephole; })
        if (job.peephole_sum)
            for (int s = block.s0; s < block.s1; ++s)
                Cell::backward_peephole(step(s), Range{0, layout.active[s]}, share(group, z.Hp / kPanel), job.peephole_sum);
    group.sync();
}

template <class Cell>
void backward(const Job& job, const ThreadGroup& group) {
    const Sizes& z = *job.sizes;
    const BatchLayout& layout = *job.layout;
    start_backward(job, group);
    group.sync();
    int steps = layout.steps;
    while (steps > 0 && layout.active[steps - 1] == 0) --steps;
    for (int s1 = steps; s1 > 0;) {
        int s0 = s1 - 1;
        while (s0 > 0 && layout.first[s1] - layout.first[s0] < penstock::kGradientRows) --s0;
        const int rows = static_cast<int>(layout.first[s1] - layout.first[s0]);
        backward_block<Cell>(job, group, {s0, s1, layout.first[s0], rows, s1 == steps});
        s1 = s0;
    }
    const Range rows = share(group, layout.batch);
    for (int j = rows.begin; j < rows.end; ++j) {
        const std::size_t b = layout.sequence[j], at = j;
        for (int k = 0; k < z.states; ++k)
            if (job.dinitial[k])
                std::memcpy(job.dinitial[k] + b * state_size(z, k), job.dstate[k] + at * padded_state(z, k),
                            state_size(z, k) * sizeof(float));
    }
}

}  // namespace
}  // namespace PENSTOCK_ISA
