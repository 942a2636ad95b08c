// Where each step of each sequence lies, as Python says it: checked, in memory that nobody else can change.
#pragma once

#include <cstdint>
#include <span>
#include <tuple>
#include <vector>

#include "checks.hpp"
#include "penstock/arena.hpp"
#include "penstock/plan.hpp"

namespace penstock {

struct Arrangement {
    int steps = 0, batch = 0;
    Layout layout = Layout::kTimeMajor;
    std::vector<std::int64_t> lengths{}, batch_sizes{};

    Arrangement(std::int64_t steps_, std::int64_t batch_, Layout layout_) : layout(layout_) {
        require(steps_ >= 0 && batch_ >= 0, "steps and batch must be 0 or more");
        if (batch_ == 0) steps_ = 0;  // nothing to do, and no table of steps
        require(batch_ <= kMostRows && steps_ <= kMostRows && (layout == Layout::kPacked || steps_ * batch_ <= kMostRows),
                "more steps of all sequences together than the engine can count");
        steps = static_cast<int>(steps_);
        batch = static_cast<int>(batch_);
    }

    // Of unequal lengths, one for each sequence, each from 0 to the steps.
    void set_lengths(std::span<const std::int64_t> given) {
        lengths.assign(given.begin(), given.end());
        require(lengths.size() == std::size_t(batch), "lengths must be as many as sequences");
        for (const std::int64_t length : lengths) in_range(length, 0, steps, "a length");
    }

    // Packed: how many sequences each step has, falling, the first as many as there are; together the rows of the data.
    void set_batch_sizes(std::span<const std::int64_t> given, std::int64_t rows) {
        batch_sizes.assign(given.begin(), given.end());
        require(batch_sizes.size() == std::size_t(steps), "batch_sizes must be as many as steps");
        std::int64_t before = batch, sum = 0;
        for (const std::int64_t size : batch_sizes) {
            require(size >= 0 && size <= before, "batch_sizes must fall, and none may be negative");
            before = size, sum += size;
        }
        require(steps == 0 || batch_sizes[0] == batch, "the first of batch_sizes must be the batch");
        require(sum == rows, "batch_sizes must add up to the rows of the data");
    }
};

// Each Python thread has its own workspace and remembers its last dense plan.
struct ThreadState {
    Arena arena;
    Plan plan;
    std::tuple<int, int, Layout, int> dense{-1, -1, Layout::kTimeMajor, -1};

    const Plan& make(const Arrangement& rows, int directions) {
        const bool is_dense = rows.lengths.empty() && rows.layout != Layout::kPacked;
        const std::tuple key{rows.steps, rows.batch, rows.layout, directions};
        if (is_dense && key == dense) return plan;
        dense = {-1, -1, Layout::kTimeMajor, -1};  // until it is done: an allocation may fail halfway
        plan.make(rows.steps, rows.batch, rows.layout, rows.lengths.empty() ? nullptr : rows.lengths.data(),
                  rows.batch_sizes.empty() ? nullptr : rows.batch_sizes.data(), directions == 2);
        if (is_dense) dense = key;
        return plan;
    }
};
inline thread_local ThreadState thread_state;

}  // namespace penstock
