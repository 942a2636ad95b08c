// Load balancing: the estimated speeds of threads, and that every row belongs to exactly one thread.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"

#define PENSTOCK_ISA isa_test
#define PENSTOCK_WIDTH 4
#include "penstock/sweep_back.hpp"

using namespace penstock;
using isa_test::Range;

namespace {

// The fraction of the work that rank 0 gets in a group of two.
double first_part(const ThreadSpeeds& speeds) { return speeds.cumulative()[1] / speeds.cumulative()[2]; }

// A job that two threads share by their estimated speeds, where rank 0 is `speed` times as fast as rank 1.
void work(ThreadSpeeds& speeds, double speed) {
    const double part = first_part(speeds);
    speeds.record(0, part, static_cast<long long>(part / speed * 1e6));
    speeds.record(1, 1 - part, static_cast<long long>((1 - part) * 1e6));
    speeds.update(2);
}

void try_estimates() {
    ThreadSpeeds speeds;
    check(first_part(speeds) == 0.5 && speeds.cumulative()[kMostThreads] == kMostThreads, "equal speeds at first");
    work(speeds, 1);
    check(std::abs(first_part(speeds) - 0.5) < 1e-6, "equal threads keep equal shares");
    work(speeds, 0.1);
    check(first_part(speeds) > 0.45, "one interrupted job changes little");
    for (int job = 0; job < 60; ++job) work(speeds, 2);
    check(std::abs(first_part(speeds) - 2 / 3.0) < 0.01, "a thread twice as fast gets two thirds");
    for (int job = 0; job < 60; ++job) work(speeds, 1);
    check(std::abs(first_part(speeds) - 0.5) < 0.01, "and half again when they are equal");
    for (int job = 0; job < 1000; ++job) work(speeds, 1e-3);
    check(first_part(speeds) > 0.1, "the slowest thread keeps some work");
    for (int job = 0; job < 60; ++job) work(speeds, 1);
    check(std::abs(first_part(speeds) - 0.5) < 0.01, "and gets half again when it is fast again");
    for (int job = 0; job < 30; ++job) work(speeds, 0.2);
    for (int job = 0; job < 100; ++job) speeds.record(1, 1, 1'000'000), speeds.update(2);
    check(first_part(speeds) > 0.45, "a thread that recorded nothing is tried again");
}

// Parts of [0, n) in the order of ranks: each begins where the one before it ends, and together they are everything.
void check_parts(const std::vector<Range>& parts, int n, const std::string& what) {
    int at = 0;
    for (const Range& part : parts) {
        check(part.begin == at && part.end >= at, what + ": a gap or an overlap between parts");
        at = part.end;
    }
    check(at == n, what + ": parts that leave something out");
}

void try_parts(int size, ThreadSpeeds& speeds, std::mt19937& random) {
    for (const int batch : {1, 2, 7, 32, 65}) {
        std::vector<std::int64_t> lengths;
        for (int b = 0; b < batch; ++b) lengths.push_back(b ? static_cast<int>(random() % 6) : 5);
        for (const bool ragged : {false, true}) {
            const std::string what = std::to_string(size) + " threads, batch " + std::to_string(batch) + (ragged ? " ragged" : "");
            BatchLayout layout;
            layout.make(5, batch, RowOrder::kTimeMajor, ragged ? lengths.data() : nullptr, nullptr, false);
            std::vector<Range> rows, tiles;
            for (int rank = 0; rank < size; ++rank) {
                ThreadGroup group{rank, size, nullptr};
                group.speeds = &speeds;
                rows.push_back(isa_test::share_rows(layout, group, 0, 5));
                tiles.push_back(isa_test::share_by_speed(group, batch, 6));
                check(tiles.back().begin % 6 == 0 || tiles.back().begin == batch, what + ": a tile is divided");
            }
            check_parts(rows, layout.active[0], what);  // sequences without steps belong to no thread
            check_parts(tiles, batch, what);
            const double wanted = batch * speeds.cumulative()[1] / speeds.cumulative()[size];
            if (!ragged) check(std::abs(rows[0].end - wanted) <= 0.5 + 1e-9, what + ": not the nearest row");
        }
    }
}

}  // namespace

int main() {
    if (!kShareAll) try_estimates();  // under sanitizers the speeds are random
    std::mt19937 random(7);
    for (const int size : {1, 2, 3, 8}) {
        ThreadSpeeds speeds;
        try_parts(size, speeds, random);
        for (int job = 0; job < 20; ++job) {
            for (int rank = 0; rank < size; ++rank) speeds.record(rank, 1 + rank % 3, 1'000'000);
            speeds.update(size);
        }
        try_parts(size, speeds, random);
    }
    std::printf("%d failures\n", failures);
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
