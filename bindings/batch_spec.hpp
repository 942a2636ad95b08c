// The sizes, row order and lengths of a batch as Python gives them: checked, and copied to where no other thread can change
// them.
#pragma once

#include <cstdint>
#include <span>
#include <tuple>
#include <vector>

#include "checks.hpp"
#include "penstock/arena.hpp"
#include "penstock/batch_layout.hpp"

namespace penstock {

struct BatchSpec {
    int steps = 0, batch = 0;
    RowOrder order = RowOrder::kTimeMajor;
    std::vector<std::int64_t> lengths{}, batch_sizes{};

    BatchSpec(std::int64_t steps_, std::int64_t batch_, RowOrder order_) : order(order_) {
        require(steps_ >= 0 && batch_ >= 0, "steps and batch must be 0 or more");
        if (batch_ == 0) steps_ = 0;  // nothing to compute, so no table of steps either
        require(batch_ <= kMostRows && steps_ <= kMostRows && (order == RowOrder::kPacked || steps_ * batch_ <= kMostRows),
                "the steps of all sequences together are more than the engine can count");
        steps = static_cast<int>(steps_);
        batch = static_cast<int>(batch_);
    }

    // One length for each sequence, each from 0 to `steps`.
    void set_lengths(std::span<const std::int64_t> given) {
        lengths.assign(given.begin(), given.end());
        require(lengths.size() == std::size_t(batch), "lengths must have one entry for each sequence");
        for (const std::int64_t length : lengths) in_range(length, 0, steps, "a length");
    }

    // For packed order: how many sequences each step has. They fall, the first is the batch, and their sum is `rows`.
    void set_batch_sizes(std::span<const std::int64_t> given, std::int64_t rows) {
        batch_sizes.assign(given.begin(), given.end());
        require(batch_sizes.size() == std::size_t(steps), "batch_sizes must have one entry for each step");
        std::int64_t before = batch, sum = 0;
        for (const std::int64_t size : batch_sizes) {
            require(size >= 0 && size <= before, "batch_sizes must not increase, and none may be negative");
            before = size, sum += size;
        }
        require(steps == 0 || batch_sizes[0] == batch, "the first of batch_sizes must be the batch");
        require(sum == rows, "batch_sizes must add up to the rows of the data");
    }
};

// Each Python thread has its own workspace, and keeps the layout of its last batch without lengths for the next call.
struct ThreadState {
    Arena arena;
    BatchLayout layout;
    std::tuple<int, int, RowOrder, int> dense{-1, -1, RowOrder::kTimeMajor, -1};

    const BatchLayout& make(const BatchSpec& spec, int directions) {
        const bool is_dense = spec.lengths.empty() && spec.order != RowOrder::kPacked;
        const std::tuple key{spec.steps, spec.batch, spec.order, directions};
        if (is_dense && key == dense) return layout;
        dense = {-1, -1, RowOrder::kTimeMajor, -1};  // invalid until `make` returns, because an allocation may fail
        layout.make(spec.steps, spec.batch, spec.order, spec.lengths.empty() ? nullptr : spec.lengths.data(),
                    spec.batch_sizes.empty() ? nullptr : spec.batch_sizes.data(), directions == 2);
        if (is_dense) dense = key;
        return layout;
    }
};
inline thread_local ThreadState thread_state;

}  // namespace penstock
