// Where each step of each sequence lies: lengths and layout, turned into plain tables before the sweep.
//
// Sequences are ordered by falling length, so the ones still running at a step are the first `active[s]` of them.
// A *row* is one step of one sequence; rows are numbered step by step without gaps (packed order), so work and
// memory follow the sum of the lengths, never batch x longest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace penstock {

enum class Layout { kTimeMajor = 0, kBatchFirst = 1, kPacked = 2 };

struct Plan {
    int steps = 0, batch = 0;
    std::vector<int> active;            // [steps] sequences that run at this step
    std::vector<std::size_t> first;     // [steps + 1] first packed row of a step
    std::vector<int> sequence;          // [batch] sequence at each position of the order
    std::vector<int> length;            // [batch] by position, falling
    std::vector<std::int64_t> where[2]; // [rows] row of x, y and their gradients; forward and reverse direction
    std::vector<std::int64_t> padding;  // rows of y past a sequence's length, to be zeroed
    bool contiguous[2] = {false, false};  // row r of the data is packed row r

    std::size_t rows() const { return first.back(); }

    // lengths: [batch] or null (all `steps`); batch_sizes: [steps], falling, for the packed layout only
    void make(int steps, int batch, Layout layout, const std::int64_t* lengths, const std::int64_t* batch_sizes,
              bool reverse_too);
    // One step of `n` sequences: row i of the data is the sequence whose states lie in row places[i].
    void make_step(const std::int64_t* places, int n);
};

}  // namespace penstock
