// Load balancing: how fast each thread of a group is, compared with the others.
#pragma once

#include "thread_pool.hpp"

namespace penstock {

// Cores differ in speed: some processors have two kinds of cores, virtual machines share cores with others, and another
// program may run on one. With equal shares of the work every thread would wait for the slowest one, so each gets a share
// in proportion to the speed measured in recent jobs. Kernels record how much they did between two synchronisations and how
// long it took; the estimates change between jobs only.
class ThreadSpeeds {
   public:
    ThreadSpeeds();
    // Prefix sums: of work shared by ranks [0, n), the ranks before `rank` get the fraction cumulative()[rank] /
    // cumulative()[n].
    const double* cumulative() const { return cumulative_; }
    // A thread calls this for itself, during a job. The unit of `work` is free, but all threads use the same one.
    void record(int rank, double work, long long nanoseconds);
    // Between jobs of a group of `size`: estimates the speeds anew from what was recorded since the last call.
    void update(int size);

   private:
    struct alignas(64) Thread {
        double work = 0, nanoseconds = 0, speed = 1;  // speed: relative to the mean of the group
    };

    void accumulate();

    Thread threads_[kMostThreads];
    double cumulative_[kMostThreads + 1] = {};
};

long long now_in_nanoseconds();  // of a steady clock; only differences mean anything

}  // namespace penstock
