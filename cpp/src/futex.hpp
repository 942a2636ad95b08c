// How a thread waits for another: it spins first, then sleeps until it is woken (a futex on Linux).
#pragma once

#include <climits>

#if defined(__x86_64__)
#include <immintrin.h>
#endif
#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#else
#include <sched.h>
#endif

namespace penstock {

constexpr int kSpins = 2000;  // iterations before a thread sleeps: some tens of microseconds

inline void relax() {
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// Sleeps until woken, for a millisecond at most; returns at once if *word is no longer `seen`, and may wake spuriously.
inline void sleep_while(unsigned* word, unsigned seen) {
#if defined(__linux__)
    constexpr timespec longest{0, 1'000'000};
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, &longest, nullptr, 0);
#else
    if (__atomic_load_n(word, __ATOMIC_ACQUIRE) == seen) sched_yield();
#endif
}

inline void wake_all(unsigned* word) {
#if defined(__linux__)
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
#else
    (void)word;
#endif
}

}  // namespace penstock
