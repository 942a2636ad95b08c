#include "penstock/thread_speed.hpp"

#include <algorithm>
#include <chrono>
#include <random>

namespace penstock {

ThreadSpeeds::ThreadSpeeds() { accumulate(); }

void ThreadSpeeds::record(int rank, double work, long long nanoseconds) {
    threads_[rank].work += work;
    threads_[rank].nanoseconds += static_cast<double>(nanoseconds);
}

void ThreadSpeeds::update(int size) {
    // Exponential smoothing: the system may have interrupted a thread in one job, so a single measurement changes little,
    // and a lasting change is followed. A thread that recorded nothing, or was the only one that did, moves slowly back to
    // the mean, so that it is tried again.
    constexpr double kSmoothing = 0.3, kForgetting = 0.05, kMostChange = 1.25, kSlowest = 0.25, kFastest = 2;
    const auto measured = [](const Thread& t) { return t.work > 0 && t.nanoseconds > 0; };
    Thread* const end = threads_ + size;
    double count = 0, sum = 0;
    for (Thread* t = threads_; t < end; ++t)
        if (measured(*t)) ++count, sum += t->work / t->nanoseconds;
    for (Thread* t = threads_; t < end; ++t) {
        const bool compares = measured(*t) && count > 1;
        const double speed = compares ? t->work / t->nanoseconds * count / sum : 1;
        const double near = std::clamp(speed, t->speed / kMostChange, t->speed * kMostChange);
        t->speed = std::clamp(t->speed + (compares ? kSmoothing : kForgetting) * (near - t->speed), kSlowest, kFastest);
        t->work = t->nanoseconds = 0;
    }
    if (kShareAll) {  // for sanitizers: random speeds, so that they see shares of all sizes
        static std::minstd_rand random;
        for (Thread* t = threads_; t < end; ++t) t->speed = 1 + random() % 4;
    }
    accumulate();
}

void ThreadSpeeds::accumulate() {
    for (int rank = 0; rank < kMostThreads; ++rank) cumulative_[rank + 1] = cumulative_[rank] + threads_[rank].speed;
}

long long now_in_nanoseconds() {
    return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

}  // namespace penstock
