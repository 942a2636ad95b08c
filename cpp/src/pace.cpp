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
    constexpr double kEnough = 50'000;  // nanoseconds that tell something
    // The system may have interrupted a thread in one job: little of that is believed, but all of what goes on.
    constexpr double kBelief = 0.3, kMostChange = 1.25;
    const auto told = [](const Thread& t) { return t.work > 0 && t.nanoseconds > kEnough; };
    double shown = 0, believed = 0, after = 0;
    for (Thread* t = threads_; t < threads_ + size; ++t)
        if (told(*t)) shown += t->work / t->nanoseconds, believed += t->speed;
    for (Thread* t = threads_; t < threads_ + size; ++t) {
        if (!told(*t)) continue;
        const double speed = t->work / t->nanoseconds / shown * believed;
        t->speed += kBelief * (std::clamp(speed, t->speed / kMostChange, t->speed * kMostChange) - t->speed);
        after += t->speed;
    }
    // All together remain as fast, so that those who told nothing are still beside them what they were.
    for (Thread* t = threads_; t < threads_ + size; ++t) {
        if (told(*t)) t->speed *= believed / after;
        t->work = t->nanoseconds = 0;
    }
    if (kShareAll) {  // whatever was told: sanitizers see parts of all sizes
        static std::minstd_rand random;
        for (Thread* t = threads_; t < threads_ + size; ++t) t->speed = 1 + random() % 4;
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
