// Threads that work on one job together, and the barrier they meet at.
#pragma once

#include <cstdint>

namespace penstock {

constexpr int kMostThreads = 256;
#ifdef PENSTOCK_SHARE_ALL  // sanitizers see threads share even what one had better do alone
constexpr bool kShareAll = true;
#else
constexpr bool kShareAll = false;
#endif

// All threads of a team pass `wait` together. Each counts its visits on a cache line of its own, so that a meeting takes
// one trip of a line from core to core. Spins, because a step of the recurrence takes a microsecond or two; sleeps when
// that lasts, because then something else has a thread's core, and this one's can run that thread instead.
class Barrier {
   public:
    std::uint64_t visits() const;                // of rank 0, which has part in every job
    void enter(int rank, std::uint64_t visits);  // of the others at the beginning of a job: as many as rank 0
    void wait(int rank, int size);

    // Nanoseconds that threads have slept here, all together, since the last time that was asked.
    long long slept();

   private:
    struct alignas(64) Count {
        std::uint64_t visits = 0;
    };
    void wait_for(std::uint64_t* visits, std::uint64_t count);

    Count counts_[kMostThreads];
    alignas(64) int asleep_ = 0;
    long long slept_ = 0;
};

struct Team {
    int rank, size;
    Barrier* barrier;  // null for one thread

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

// Runs body(team, context), a job of so many floating-point operations, on `threads` threads, the caller among them. On
// the caller alone when the job is too short for threads that sleep, when another Python thread has the pool, and for a
// while after a job whose threads kept waiting for each other, because something else has the cores. Results never depend
// on how many threads take part.
void run_team(int threads, double flops, void (*body)(const Team&, void*), void* context);

}  // namespace penstock
