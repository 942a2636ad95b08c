// How threads share work by their pace: what is believed of them, and that every row has just one thread.
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

// Of a team of two, what rank 0 gets.
double first_part(const Pace& pace) { return pace.reach()[1] / pace.reach()[2]; }

// A job that both share as they are believed to be, of which rank 0 does `speed` times as much in a time.
void work(Pace& pace, double speed) {
    const double part = first_part(pace);
    pace.tell(0, part, static_cast<long long>(part / speed * 1e6));
    pace.tell(1, 1 - part, static_cast<long long>((1 - part) * 1e6));
    pace.learn(2);
}

void try_beliefs() {
    Pace pace;
    check(first_part(pace) == 0.5 && pace.reach()[kMostThreads] == kMostThreads, "all as fast at first");
    work(pace, 1);
    check(std::abs(first_part(pace) - 0.5) < 1e-6, "equal threads remain equal");
    work(pace, 0.1);
    check(first_part(pace) > 0.45, "one interrupted job changes little");
    for (int job = 0; job < 60; ++job) work(pace, 2);
    check(std::abs(first_part(pace) - 2 / 3.0) < 0.01, "a thread twice as fast gets two thirds");
    for (int job = 0; job < 60; ++job) work(pace, 1);
    check(std::abs(first_part(pace) - 0.5) < 0.01, "and back to half");
    for (int job = 0; job < 1000; ++job) work(pace, 1e-3);
    check(first_part(pace) > 0.1, "nobody is left without work");
    for (int job = 0; job < 60; ++job) work(pace, 1);
    check(std::abs(first_part(pace) - 0.5) < 0.01, "nor kept from showing that it is fast again");
    for (int job = 0; job < 30; ++job) work(pace, 0.2);
    for (int job = 0; job < 100; ++job) pace.tell(1, 1, 1'000'000), pace.learn(2);
    check(first_part(pace) > 0.45, "who had nothing to tell is tried again");
}

// Parts of [0, n) in the order of ranks, each where the one before ends.
void check_parts(const std::vector<Range>& parts, int n, const std::string& what) {
    int at = 0;
    for (const Range& part : parts) {
        check(part.begin == at && part.end >= at, what + ": parts that do not meet");
        at = part.end;
    }
    check(at == n, what + ": parts that are not all");
}

void try_parts(int size, Pace& pace, std::mt19937& random) {
    for (const int batch : {1, 2, 7, 32, 65}) {
        std::vector<std::int64_t> lengths;
        for (int b = 0; b < batch; ++b) lengths.push_back(b ? static_cast<int>(random() % 6) : 5);
        for (const bool ragged : {false, true}) {
            const std::string what = std::to_string(size) + " threads, batch " + std::to_string(batch) + (ragged ? " ragged" : "");
            Plan plan;
            plan.make(5, batch, Layout::kTimeMajor, ragged ? lengths.data() : nullptr, nullptr, false);
            std::vector<Range> rows, tiles;
            for (int rank = 0; rank < size; ++rank) {
                Team team{rank, size, nullptr};
                team.pace = &pace;
                rows.push_back(isa_test::share_rows(plan, team, 0, 5));
                tiles.push_back(isa_test::share_by_pace(team, batch, 6));
                check(tiles.back().begin % 6 == 0 || tiles.back().begin == batch, what + ": a part of a tile");
            }
            check_parts(rows, plan.active[0], what);  // those of no steps are nobody's
            check_parts(tiles, batch, what);
            const double wanted = batch * pace.reach()[1] / pace.reach()[size];
            if (!ragged) check(std::abs(rows[0].end - wanted) <= 0.5 + 1e-9, what + ": not the nearest row");
        }
    }
}

}  // namespace

int main() {
    if (!kShareAll) try_beliefs();  // where sanitizers watch, parts are drawn
    std::mt19937 random(7);
    for (const int size : {1, 2, 3, 8}) {
        Pace pace;
        try_parts(size, pace, random);
        for (int job = 0; job < 20; ++job) {
            for (int rank = 0; rank < size; ++rank) pace.tell(rank, 1 + rank % 3, 1'000'000);
            pace.learn(size);
        }
        try_parts(size, pace, random);
    }
    std::printf("%d failures\n", failures);
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
