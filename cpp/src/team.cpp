#include "penstock/team.hpp"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <climits>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif
#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
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

using Clock = std::chrono::steady_clock;
constexpr int kEager = 200;   // looks without a pause, which can take longer than the other thread does
constexpr int kSpins = 2000;  // looks in all: some tens of microseconds

// Sleep until woken or for some time, unless *word is no longer `seen`; may also return for no reason.
void sleep_while(unsigned* word, unsigned seen) {
#if defined(__linux__)
    constexpr timespec longest{0, 1'000'000};
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, &longest, nullptr, 0);
#else
    if (__atomic_load_n(word, __ATOMIC_ACQUIRE) == seen) sched_yield();
#endif
}

void wake_all(unsigned* word) {
#if defined(__linux__)
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
#else
    (void)word;
#endif
}

// What a futex compares: the half of a count that changes.
unsigned* low_half(std::uint64_t* count) {
    return reinterpret_cast<unsigned*>(count) + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
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

// The core that this thread runs on, or -1.
int this_core() {
#if defined(__linux__)
    return sched_getcpu();
#else
    return -1;
#endif
}

// Moves this thread to another core, if there are enough of them for so many threads. The kernel likes to wake a thread
// where its waker runs; two threads of a team on one core wait for each other by turns while another core idles, sixty
// times as slow, and nothing would part them.
void leave(int core, int threads) {
#if defined(__linux__)
    cpu_set_t all, others;
    if (core < 0 || core >= CPU_SETSIZE || sched_getaffinity(0, sizeof all, &all) != 0) return;
    if (CPU_COUNT(&all) < threads) return;
    others = all;
    CPU_CLR(core, &others);
    if (sched_setaffinity(0, sizeof others, &others) == 0) sched_setaffinity(0, sizeof all, &all);
#else
    (void)core, (void)threads;
#endif
}

struct Work {
    void (*body)(const Team&, void*) = nullptr;
    void* context = nullptr;
    int size = 0;
    std::uint64_t visits = 0;  // of the barrier, so far
};

void work_alone(void (*body)(const Team&, void*), void* context) { body({0, 1, nullptr}, context); }

// Workers wait for the next job first by spinning, since in a recurrence it comes within microseconds, then asleep.
class Pool {
   public:
    void run(int threads, void (*body)(const Team&, void*), void* context) {
        while (static_cast<int>(workers_.size()) < threads - 1) {
            const int rank = static_cast<int>(workers_.size()) + 1;
            __atomic_store_n(&cores_[rank], -1, __ATOMIC_RELAXED);
            workers_.emplace_back([this, rank, seen = job_.load()] { serve(rank, seen); });
            workers_.back().detach();
        }
        const auto begin = Clock::now();
        work_ = {body, context, threads, barrier_.visits()};
        __atomic_store_n(&cores_[0], this_core(), __ATOMIC_RELAXED);
        __atomic_store_n(&done_, 0u, __ATOMIC_RELAXED);
        job_.fetch_add(1, std::memory_order_seq_cst);
        if (asleep_.load(std::memory_order_seq_cst) > 0) {
            std::lock_guard lock(mutex_);
            wake_.notify_all();
        }
        body({0, threads, &barrier_}, context);
        // Every worker reports, those that this job did not need as well, so that none reads the next job's
        // description half-written.
        const unsigned workers = static_cast<unsigned>(workers_.size());
        for (int spins = 0;; ++spins) {
            const unsigned done = __atomic_load_n(&done_, __ATOMIC_SEQ_CST);
            if (done == workers) break;
            if (spins < kSpins) {
                relax();
            } else {
                __atomic_store_n(&caller_asleep_, 1, __ATOMIC_SEQ_CST);
                sleep_while(&done_, done);
            }
        }
        __atomic_store_n(&caller_asleep_, 0, __ATOMIC_RELAXED);
        team_ended_ = Clock::now();
        note(team_ended_ - begin, std::chrono::nanoseconds(barrier_.slept()), threads);
    }

    void run_alone(void (*body)(const Team&, void*), void* context) {
        const auto begin = Clock::now();
        work_alone(body, context);
        alone_ended_ = Clock::now();
        alone_took_ = alone_ended_ - begin;
    }

    // Whether a job had better use several threads now: they are awake, or it is worth waking them, be it for the many
    // short jobs of a loop that does little else. What lies between those may take as long as they do on one core, since
    // weights that fill its cache drive out what a program needs there.
    bool is_worth(double flops) const {
        if (kShareAll) return true;
        const auto now = Clock::now();
        if (now < alone_until_) return false;
        return flops >= kFlopsToWake || now - team_ended_ < kAwake || now - alone_ended_ < std::max(kTightLoop, alone_took_);
    }

    std::mutex busy;  // held by the Python thread that uses the pool

   private:
    // A worker waits awake, at first without looking at what else wants its core, then giving way to it.
    static constexpr auto kEagerly = std::chrono::microseconds(10), kAwake = std::chrono::microseconds(300);
    static constexpr Clock::duration kTightLoop = std::chrono::microseconds(10);
    static constexpr double kFlopsToWake = 1e7;  // to wake a thread takes some tens of microseconds
    static constexpr auto kLong = std::chrono::microseconds(200);
    static constexpr auto kNoPause = std::chrono::milliseconds(0), kFirstPause = std::chrono::milliseconds(10),
                          kLongestPause = std::chrono::milliseconds(1600);

    // On a busy machine threads that meet at every step mostly wait to be run. One alone does not wait; try again later.
    // A single bad job is no sign: another library's threads spin for some milliseconds after their work.
    void note(Clock::duration job, Clock::duration slept, int threads) {
        // Much, and more than it takes to wake the workers for the first time.
        if (slept < kLong || 3 * slept < job * (threads - 1)) {
            pause_ = kNoPause;
            bad_before_ = false;
            return;
        }
        if (!std::exchange(bad_before_, true)) return;
        pause_ = pause_ == kNoPause ? kFirstPause : std::min(2 * pause_, kLongestPause);
        alone_until_ = Clock::now() + pause_;
    }

    void serve(int rank, unsigned seen) {
        const FlushDenormals flush;
        for (;;) {
            wait_for_job(seen);
            ++seen;
            if (rank < work_.size) {
                keep_apart(rank);
                barrier_.enter(rank, work_.visits);
                work_.body({rank, work_.size, &barrier_}, work_.context);
            }
            __atomic_add_fetch(&done_, 1, __ATOMIC_SEQ_CST);
            if (__atomic_load_n(&caller_asleep_, __ATOMIC_SEQ_CST)) wake_all(&done_);
        }
    }

    // Away from the cores where the threads before this one began their last jobs.
    void keep_apart(int rank) {
        int core = this_core();
        for (int other = 0; other < rank; ++other)
            if (__atomic_load_n(&cores_[other], __ATOMIC_RELAXED) == core) {
                leave(core, work_.size);
                core = this_core();
                break;
            }
        __atomic_store_n(&cores_[rank], core, __ATOMIC_RELAXED);
    }

    void wait_for_job(unsigned seen) {
        const auto begin = Clock::now();
        for (int i = 1;; ++i) {
            if (job_.load(std::memory_order_acquire) != seen) return;
            relax();
            if (i % 64) continue;
            const auto waited = Clock::now() - begin;
            if (waited > kAwake) break;
            if (waited > kEagerly) sched_yield();
        }
        std::unique_lock lock(mutex_);
        asleep_.fetch_add(1, std::memory_order_seq_cst);
        wake_.wait(lock, [&] { return job_.load(std::memory_order_seq_cst) != seen; });
        asleep_.fetch_sub(1, std::memory_order_seq_cst);
    }

    std::vector<std::thread> workers_;
    int cores_[kMostThreads];  // where each thread began its last job
    Barrier barrier_;
    alignas(64) std::atomic<unsigned> job_{0};  // on one cache line with what the job is
    Work work_;
    alignas(64) unsigned done_ = 0;
    int caller_asleep_ = 0;
    std::atomic<int> asleep_{0};
    bool bad_before_ = false;
    std::chrono::milliseconds pause_ = kNoPause;
    Clock::time_point alone_until_, team_ended_, alone_ended_;
    Clock::duration alone_took_{};
    std::mutex mutex_;
    std::condition_variable wake_;
};

// Threads do not survive a fork: the child starts with a new pool and leaves the old one, whose locks may be held
// by threads that no longer exist, alone. Never destroyed: workers may still spin while the process exits.
Pool* pool = new Pool;
[[maybe_unused]] const int at_fork = pthread_atfork(nullptr, nullptr, [] { pool = new Pool; });

}  // namespace

std::uint64_t Barrier::visits() const { return __atomic_load_n(&counts_[0].visits, __ATOMIC_RELAXED); }

void Barrier::enter(int rank, std::uint64_t visits) {
    __atomic_store_n(&counts_[rank].visits, visits, __ATOMIC_RELAXED);
}

// No fence between the count and the look at sleepers: one who misses its waking up sleeps for a millisecond at most.
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

void run_team(int threads, double flops, void (*body)(const Team&, void*), void* context) {
    const FlushDenormals flush;
    threads = std::min(threads, kMostThreads);
    if (threads > 1) {
        std::unique_lock lock(pool->busy, std::try_to_lock);
        if (lock.owns_lock()) {
            if (pool->is_worth(flops)) return pool->run(threads, body, context);
            return pool->run_alone(body, context);
        }
    }
    work_alone(body, context);
}

}  // namespace penstock
