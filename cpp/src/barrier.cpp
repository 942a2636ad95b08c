#include "penstock/barrier.hpp"

#include <chrono>

#include "futex.hpp"

namespace penstock {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kEager = 200;  // iterations without a pause, because a pause can outlast the other thread's work

// A futex compares 32 bits: the half of the count that changes.
unsigned* low_half(std::uint64_t* count) {
    return reinterpret_cast<unsigned*>(count) + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
}

}  // namespace

std::uint64_t Barrier::visits() const { return __atomic_load_n(&counts_[0].visits, __ATOMIC_RELAXED); }

void Barrier::enter(int rank, std::uint64_t visits) {
    __atomic_store_n(&counts_[rank].visits, visits, __ATOMIC_RELAXED);
}

// There is no fence between the count and the test for sleepers: a thread that misses its wake-up sleeps for a millisecond
// at most.
void Barrier::wait(int rank, int size) {
    std::uint64_t* mine = &counts_[rank].visits;
    const std::uint64_t count = __atomic_load_n(mine, __ATOMIC_RELAXED) + 1;
    __atomic_store_n(mine, count, __ATOMIC_RELEASE);
    if (__atomic_load_n(&asleep_, __ATOMIC_RELAXED) > 0) wake_all(low_half(mine));
    for (int other = 0; other < size; ++other)
        if (other != rank) wait_for(&counts_[other].visits, count);
}

void Barrier::wait_for(std::uint64_t* visits, std::uint64_t count) {
    for (int spins = 0; spins < kSpins; ++spins) {
        if (__atomic_load_n(visits, __ATOMIC_ACQUIRE) >= count) return;
        if (spins > kEager) relax();
    }
    const auto begin = Clock::now();
    __atomic_add_fetch(&asleep_, 1, __ATOMIC_SEQ_CST);
    for (;;) {
        const std::uint64_t seen = __atomic_load_n(visits, __ATOMIC_SEQ_CST);
        if (seen >= count) break;
        sleep_while(low_half(visits), unsigned(seen));
    }
    __atomic_sub_fetch(&asleep_, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&slept_, (Clock::now() - begin) / std::chrono::nanoseconds(1), __ATOMIC_RELAXED);
}

long long Barrier::slept() { return __atomic_exchange_n(&slept_, 0LL, __ATOMIC_RELAXED); }

}  // namespace penstock
