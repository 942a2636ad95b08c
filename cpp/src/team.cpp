#include "penstock/team.hpp"

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <climits>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace penstock {
namespace {

inline void relax() {
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// Denormals count as zero while the engine works: they cost a hundred cycles each and mean nothing here.
class FlushDenormals {
   public:
#if defined(__x86_64__)
    FlushDenormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040); }
    ~FlushDenormals() { _mm_setcsr(before_); }

   private:
    unsigned before_;
#elif defined(__aarch64__)
    FlushDenormals() {
        asm volatile("mrs %0, fpcr" : "=r"(before_));
        asm volatile("msr fpcr, %0" ::"r"(before_ | (1ull << 24)));
    }
    ~FlushDenormals() { asm volatile("msr fpcr, %0" ::"r"(before_)); }

   private:
    unsigned long long before_;
#endif
};

struct Work {
    void (*body)(const Team&, void*) = nullptr;
    void* context = nullptr;
    int size = 0;
};

// Workers wait for the next job first by spinning, since in a recurrence it comes within microseconds, then asleep.
class Pool {
   public:
    void run(int threads, void (*body)(const Team&, void*), void* context) {
        while (static_cast<int>(workers_.size()) < threads - 1) {
            const int rank = static_cast<int>(workers_.size()) + 1;
            workers_.emplace_back([this, rank, seen = job_.load()] { serve(rank, seen); });
            workers_.back().detach();
        }
        work_ = {body, context, threads};
        done_.store(0, std::memory_order_relaxed);
        job_.fetch_add(1, std::memory_order_seq_cst);
        if (asleep_.load(std::memory_order_seq_cst) > 0) {
            std::lock_guard lock(mutex_);
            wake_.notify_all();
        }
        body({0, threads, &barrier_}, context);
        // Every worker reports, those that this job did not need as well, so that none reads the next job's
        // description half-written.
        const int workers = static_cast<int>(workers_.size());
        for (int spins = 0; done_.load(std::memory_order_acquire) != workers; ++spins) {
            if (spins < kSpins) relax();
            else sched_yield();
        }
    }

    std::mutex busy;  // held by the Python thread that uses the pool

   private:
    static constexpr int kSpins = 4000;
    static constexpr auto kAwake = std::chrono::microseconds(50);

    void serve(int rank, unsigned seen) {
        const FlushDenormals flush;
        for (;;) {
            wait_for_job(seen);
            ++seen;
            if (rank < work_.size) work_.body({rank, work_.size, &barrier_}, work_.context);
            done_.fetch_add(1, std::memory_order_release);
        }
    }

    void wait_for_job(unsigned seen) {
        const auto until = std::chrono::steady_clock::now() + kAwake;
        for (int i = 1;; ++i) {
            if (job_.load(std::memory_order_acquire) != seen) return;
            relax();
            if (i % 64 == 0 && std::chrono::steady_clock::now() > until) break;
        }
        std::unique_lock lock(mutex_);
        asleep_.fetch_add(1, std::memory_order_seq_cst);
        wake_.wait(lock, [&] { return job_.load(std::memory_order_seq_cst) != seen; });
        asleep_.fetch_sub(1, std::memory_order_seq_cst);
    }

    std::vector<std::thread> workers_;
    Work work_;
    Barrier barrier_;
    alignas(64) std::atomic<unsigned> job_{0};
    alignas(64) std::atomic<int> done_{0};
    std::atomic<int> asleep_{0};
    std::mutex mutex_;
    std::condition_variable wake_;
};

// Threads do not survive a fork: the child starts with a new pool and leaves the old one, whose locks may be held
// by threads that no longer exist, alone. Never destroyed: workers may still spin while the process exits.
Pool* pool = new Pool;
[[maybe_unused]] const int at_fork = pthread_atfork(nullptr, nullptr, [] { pool = new Pool; });

}  // namespace

void Barrier::wait(int size) {
    const unsigned round = __atomic_load_n(&round_, __ATOMIC_RELAXED);
    if (__atomic_add_fetch(&arrived_, 1, __ATOMIC_ACQ_REL) == size) {
        __atomic_store_n(&arrived_, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&round_, round + 1, __ATOMIC_RELEASE);
        return;
    }
    for (int spins = 0; __atomic_load_n(&round_, __ATOMIC_ACQUIRE) == round; ++spins) {
        if (spins < 4000) relax();
        else sched_yield();
    }
}

void run_team(int threads, void (*body)(const Team&, void*), void* context) {
    const FlushDenormals flush;
    if (threads > 1) {
        std::unique_lock lock(pool->busy, std::try_to_lock);
        if (lock.owns_lock()) return pool->run(threads, body, context);
    }
    Barrier alone;
    body({0, 1, &alone}, context);
}

}  // namespace penstock
