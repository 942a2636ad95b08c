#include "penstock/pace.hpp"

#include <algorithm>
#include <chrono>
#include <random>

namespace penstock {

Pace::Pace() { sum_up(); }

void Pace::tell(int rank, double work, long long nanoseconds) {
    threads_[rank].work += work;
    threads_[rank].nanoseconds += static_cast<double>(nanoseconds);
}

void Pace::learn(int size) {
    // The system may have interrupted a thread in one job: little of that is believed, but all of what goes on. Who is not
    // heard beside another, maybe because it had nothing to do, comes to be believed as fast as the others.
    constexpr double kBelief = 0.3, kForgetting = 0.05, kMostChange = 1.25, kSlowest = 0.25, kFastest = 2;
    const auto told = [](const Thread& t) { return t.work > 0 && t.nanoseconds > 0; };
    Thread* const end = threads_ + size;
    double heard = 0, shown = 0;
    for (Thread* t = threads_; t < end; ++t)
        if (told(*t)) ++heard, shown += t->work / t->nanoseconds;
    for (Thread* t = threads_; t < end; ++t) {
        const bool compares = told(*t) && heard > 1;
        const double speed = compares ? t->work / t->nanoseconds * heard / shown : 1;
        const double near = std::clamp(speed, t->speed / kMostChange, t->speed * kMostChange);
        t->speed = std::clamp(t->speed + (compares ? kBelief : kForgetting) * (near - t->speed), kSlowest, kFastest);
        t->work = t->nanoseconds = 0;
    }
    if (kShareAll) {  // whatever was told: sanitizers see parts of all sizes
        static std::minstd_rand random;
        for (Thread* t = threads_; t < end; ++t) t->speed = 1 + random() % 4;
    }
    sum_up();
}

void Pace::sum_up() {
    for (int rank = 0; rank < kMostThreads; ++rank) reach_[rank + 1] = reach_[rank] + threads_[rank].speed;
}

long long now_in_nanoseconds() {
    return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

}  // namespace penstock
