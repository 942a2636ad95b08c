// Runs a job on several threads of a pool.
#pragma once

#include "barrier.hpp"

namespace penstock {

#ifdef PENSTOCK_SHARE_ALL  // for sanitizers: threads share even the jobs that one thread would finish sooner
constexpr bool kShareAll = true;
#else
constexpr bool kShareAll = false;
#endif

class ThreadSpeeds;

// The threads that run one job together, as one of them sees the group.
struct ThreadGroup {
    int rank, size;
    Barrier* barrier;                // null for one thread
    int sync_ns = 0;                 // measured time of a synchronisation, divided by the number of other threads
    ThreadSpeeds* speeds = nullptr;  // null where shares are equal: in short jobs, or with few rows

    void sync() const {
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

// Nanoseconds that one synchronisation of a group takes for each thread beyond the first. It depends on where the threads
// run: on cores that share a cache, on two sockets or on one core. It is measured every few milliseconds, because the
// operating system moves threads and a hypervisor moves virtual cores; without a recent measurement it is a typical value.
int sync_nanoseconds();

// Runs body(group, context), a job of so many floating-point operations, on `threads` threads including the caller. The
// caller runs it alone in three cases: the job is too short to wake sleeping threads for, another Python thread uses the
// pool, or the threads of recent jobs mostly waited for each other because other programs occupy the cores. Results never
// depend on how many threads take part.
void run_on_threads(int threads, double flops, void (*body)(const ThreadGroup&, void*), void* context);

}  // namespace penstock
