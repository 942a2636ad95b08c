// Where the threads of a group synchronise.
#pragma once

#include <cstdint>

namespace penstock {

constexpr int kMostThreads = 256;

// All threads of a group pass `wait` together. Each thread counts its visits on a cache line of its own, so that one
// synchronisation takes one transfer of a line between cores. A thread spins first, because a step of the recurrence takes
// a microsecond or two. It sleeps when that lasts longer, because then something else occupies the core of another thread,
// which can run on this thread's core instead.
class Barrier {
   public:
    std::uint64_t visits() const;                // of rank 0, which takes part in every job
    void enter(int rank, std::uint64_t visits);  // the other ranks begin a job with the count of rank 0
    void wait(int rank, int size);

    // Nanoseconds that all threads together have slept here since the last call.
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

}  // namespace penstock
