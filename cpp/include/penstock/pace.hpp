// How fast the threads of a team are, beside each other.
#pragma once

#include "team.hpp"

namespace penstock {

// Cores differ: some processors have two kinds of them, a virtual machine's have neighbours, another program may run on one.
// Threads with equal parts of the work all wait for the slowest, so each gets a part by the speed that it has shown of late.
// Kernels tell what they did between two meetings and how long it took; between jobs that becomes a belief.
class Pace {
   public:
    Pace();
    // Of what ranks [0, n) share, those before `rank` get the part reach()[rank] / reach()[n].
    const double* reach() const { return reach_; }
    // By its own thread, during a job: so much work, in any unit that all of them use, in so many nanoseconds.
    void tell(int rank, double work, long long nanoseconds);
    // Between jobs, of a team of `size`: from what was told since the last time.
    void learn(int size);

   private:
    struct alignas(64) Thread {
        double work = 0, nanoseconds = 0, speed = 1;  // beside the others' mean
    };

    void sum_up();

    Thread threads_[kMostThreads];
    double reach_[kMostThreads + 1] = {};
};

// Since some moment.
long long now_in_nanoseconds();

}  // namespace penstock
