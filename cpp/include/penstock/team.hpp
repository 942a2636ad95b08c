// Threads that work on one job together.
#pragma once

#include "barrier.hpp"

namespace penstock {

#ifdef PENSTOCK_SHARE_ALL  // sanitizers see threads share even what one had better do alone
constexpr bool kShareAll = true;
#else
constexpr bool kShareAll = false;
#endif

class Pace;

struct Team {
    int rank, size;
    Barrier* barrier;      // null for one thread
    int meeting = 0;       // nanoseconds, for each other thread, by the last measurement
    Pace* pace = nullptr;  // null where parts are equal: in short jobs, or of few rows

    void meet() const {
        if (size > 1) barrier->wait(rank, size);
    }
    // This thread's share of [0, n), in whole multiples of `grain`.
    void share(int n, int grain, int& begin, int& end) const {
        const long long pieces = (n + grain - 1) / grain;
        begin = static_cast<int>(pieces * rank / size) * grain;
        end = static_cast<int>(pieces * (rank + 1) / size) * grain;
        if (begin > n) begin = n;
        if (end > n) end = n;
    }
};

// Nanoseconds of a meeting of a team, for each thread but one: what it takes two threads to hear of each other, be they on
// cores with a cache in common, on two sockets or on one core. As measured of late, since a system moves its threads and a
// virtual machine its cores; else a usual one.
int meeting_nanoseconds();

// Runs body(team, context), a job of so many floating-point operations, on `threads` threads, the caller among them. On
// the caller alone when the job is too short for threads that sleep, when another Python thread has the pool, and for a
// while after a job whose threads kept waiting for each other, because something else has the cores. Results never depend
// on how many threads take part.
void run_team(int threads, double flops, void (*body)(const Team&, void*), void* context);

}  // namespace penstock
