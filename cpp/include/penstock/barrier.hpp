// Where the threads of a team meet.
#pragma once

#include <cstdint>

namespace penstock {

constexpr int kMostThreads = 256;

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

}  // namespace penstock
