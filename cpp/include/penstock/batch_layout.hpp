// Where each step of each sequence is stored: lengths and row order, turned into plain tables before the sweep.
//
// Sequences are sorted by length, longest first, so the sequences that still run at step s are the first `active[s]`.
// A *row* is one step of one sequence. Rows are numbered step by step without gaps (packed order), so work and memory grow
// with the sum of the lengths, not with batch x longest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace penstock {

enum class RowOrder { kTimeMajor = 0, kBatchFirst = 1, kPacked = 2 };  // of the rows of x and y

struct BatchLayout {
    int steps = 0, batch = 0;
    std::vector<int> active;            // [steps] how many sequences run at this step
    std::vector<std::size_t> first;     // [steps + 1] first packed row of a step
    std::vector<int> sequence;          // [batch] which sequence is at each position of the sorted order
    std::vector<int> length;            // [batch] by position, falling
    std::vector<std::int64_t> where[2]; // [rows] row of x, y and their gradients; forward and reverse direction
    std::vector<std::int64_t> padding;  // rows of y past a sequence's length, which become zero
    bool contiguous[2] = {false, false};  // whether row r of the data is packed row r

    std::size_t rows() const { return first.back(); }

    // lengths: [batch], or null if all are `steps`; batch_sizes: [steps], falling, for packed order only
    void make(int steps, int batch, RowOrder order, const std::int64_t* lengths, const std::int64_t* batch_sizes,
              bool reverse_too);
    // One step of `n` sequences: row i of the data belongs to the sequence whose states are in row places[i].
    void make_step(const std::int64_t* places, int n);
};

}  // namespace penstock
