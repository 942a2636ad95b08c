#include "penstock/batch_layout.hpp"

#include <algorithm>
#include <numeric>

namespace penstock {

void BatchLayout::make(int steps_, int batch_, RowOrder order, const std::int64_t* lengths, const std::int64_t* batch_sizes,
                       bool reverse_too) {
    steps = steps_;
    batch = batch_;
    sequence.resize(batch);
    std::iota(sequence.begin(), sequence.end(), 0);
    length.assign(batch, steps);
    if (order == RowOrder::kPacked) {
        for (int s = 0; s < steps; ++s) {
            const int ending = static_cast<int>(batch_sizes[s] - (s + 1 < steps ? batch_sizes[s + 1] : 0));
            for (int j = 0; j < ending; ++j) length[batch_sizes[s] - 1 - j] = s + 1;
        }
        for (int j = steps ? static_cast<int>(batch_sizes[0]) : 0; j < batch; ++j) length[j] = 0;
    } else if (lengths) {
        std::stable_sort(sequence.begin(), sequence.end(), [&](int a, int b) { return lengths[a] > lengths[b]; });
        for (int j = 0; j < batch; ++j) length[j] = static_cast<int>(lengths[sequence[j]]);
    }
    active.resize(steps);
    first.assign(steps + 1, 0);
    for (int s = 0, n = batch; s < steps; ++s) {
        while (n > 0 && length[n - 1] <= s) --n;
        active[s] = n;
        first[s + 1] = first[s] + n;
    }
    const auto place = [&](int t, int j) -> std::int64_t {
        switch (order) {
            case RowOrder::kTimeMajor: return std::int64_t(t) * batch + sequence[j];
            case RowOrder::kBatchFirst: return std::int64_t(sequence[j]) * steps + t;
            default: return std::int64_t(first[t]) + j;
        }
    };
    for (int direction = 0; direction < (reverse_too ? 2 : 1); ++direction) {
        where[direction].resize(rows());
        contiguous[direction] = true;
        for (int s = 0; s < steps; ++s)
            for (int j = 0; j < active[s]; ++j) {
                const std::size_t row = first[s] + j;
                const std::int64_t at = place(direction ? length[j] - 1 - s : s, j);
                where[direction][row] = at;
                contiguous[direction] &= at == std::int64_t(row);
            }
    }
    padding.clear();
    if (order != RowOrder::kPacked)
        for (int j = 0; j < batch; ++j)
            for (int t = length[j]; t < steps; ++t) padding.push_back(place(t, j));
}

void BatchLayout::make_step(const std::int64_t* places, int n) {
    steps = 1;
    batch = n;
    sequence.assign(places, places + n);
    length.assign(n, 1);
    active.assign(1, n);
    first.assign({0, std::size_t(n)});
    where[0].resize(n);
    std::iota(where[0].begin(), where[0].end(), 0);
    contiguous[0] = true;
    padding.clear();
}

}  // namespace penstock
