// Threads that work on one job together, and the barrier they meet at.
#pragma once

namespace penstock {

// All `size` threads pass `wait` together. Spins, because a step of the recurrence takes a microsecond or two;
// yields when that lasts, because a virtual machine may have taken a thread's core away.
class Barrier {
   public:
    void wait(int size);

   private:
    alignas(64) int arrived_ = 0;
    alignas(64) unsigned round_ = 0;
};

struct Team {
    int rank, size;
    Barrier* barrier;

    void meet() const {
        if (size > 1) barrier->wait(size);
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

// Runs body(team, context) on `threads` threads, the caller among them; on the caller alone when another Python
// thread has the pool. Results never depend on how many threads take part.
void run_team(int threads, void (*body)(const Team&, void*), void* context);

}  // namespace penstock
