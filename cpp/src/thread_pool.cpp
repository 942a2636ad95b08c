#include "penstock/thread_pool.hpp"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "futex.hpp"
#include "penstock/thread_speed.hpp"

namespace penstock {
namespace {

using Clock = std::chrono::steady_clock;

// The engine treats denormal numbers as zero: each costs about a hundred cycles, and none matters to a result here.
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

// Moves this thread to another core, if there are enough cores for all threads. The kernel tends to wake a thread on the
// core of its waker. Two threads of a group on one core are sixty times as slow, because they wait for each other in turn
// while another core idles, and the kernel does not separate them.
void move_off(int core, int threads) {
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
    void (*body)(const ThreadGroup&, void*);
    void* context;
    std::uint64_t visits;  // of the barrier, so far
    int size, core;        // of the group; the core of its rank 0
    int sync_ns;           // ThreadGroup::sync_ns
    bool measures_sync;    // whether the group measures sync_ns anew before the job
    bool balanced;         // whether shares follow the threads' speeds
};

// Where a worker waits for its next job. It spins first, because in a recurrence the next job comes within microseconds;
// then it spins and yields its core to other threads that want it; after a while it sleeps.
class Mailbox {
   public:
    static constexpr auto kEagerly = std::chrono::microseconds(10), kAwake = std::chrono::microseconds(300);

    std::atomic<int> core{-1};  // the core on which the worker began its last job

    void put(const Work& work) {
        work_ = work;
        given_.fetch_add(1, std::memory_order_seq_cst);
        if (!asleep_.load(std::memory_order_seq_cst)) return;
        std::lock_guard lock(mutex_);
        wake_.notify_one();
    }

    // Waits for the job after the first `taken` ones.
    Work take(unsigned taken) {
        const auto begin = Clock::now();
        for (int i = 1; given_.load(std::memory_order_acquire) == taken; ++i) {
            relax();
            if (i % 64) continue;
            const auto waited = Clock::now() - begin;
            if (waited > kAwake) {
                sleep(taken);
                break;
            }
            if (waited > kEagerly) sched_yield();
        }
        return work_;
    }

   private:
    void sleep(unsigned taken) {
        std::unique_lock lock(mutex_);
        asleep_.store(true, std::memory_order_seq_cst);
        wake_.wait(lock, [&] { return given_.load(std::memory_order_seq_cst) != taken; });
        asleep_.store(false, std::memory_order_relaxed);
    }

    alignas(64) std::atomic<unsigned> given_{0};  // jobs so far; on one cache line with the job itself
    std::atomic<bool> asleep_{false};
    Work work_{};
    alignas(64) std::mutex mutex_;
    std::condition_variable wake_;
};

void work_alone(void (*body)(const ThreadGroup&, void*), void* context) { body({0, 1, nullptr}, context); }

// The workers. There are as many as the largest group so far needed; a job uses the first ones, and the others sleep on.
class Pool {
   public:
    void run(int threads, double flops, void (*body)(const ThreadGroup&, void*), void* context) {
        for (; workers_ < threads - 1; ++workers_)
            std::thread([this, rank = workers_ + 1] { serve(rank); }).detach();
        const auto begin = Clock::now();
        const bool measures_sync = begin - measured_.load(std::memory_order_relaxed) > kMeasureAfter;
        const bool balanced = flops >= kFlopsToBalance * threads;
        const Work work{body, context, barrier_.visits(), threads, this_core(), sync_ns(), measures_sync, balanced};
        __atomic_store_n(&done_, 0u, __ATOMIC_RELAXED);
        for (int rank = 1; rank < threads; ++rank) mailboxes_[rank].put(work);
        begin_work(0, work);
        wait_for_workers(threads - 1);
        if (balanced) speeds_.update(threads);
        const auto end = Clock::now();
        std::fill(ended_ + 1, ended_ + threads, end);
        pause_if_waiting(end - begin, std::chrono::nanoseconds(barrier_.slept()), threads);
    }

    void run_alone(void (*body)(const ThreadGroup&, void*), void* context) {
        const auto begin = Clock::now();
        work_alone(body, context);
        alone_ended_ = Clock::now();
        alone_took_ = alone_ended_ - begin;
    }

    // Whether a job would be faster on so many threads now. They are awake (all of them, if the last one is), or the job is
    // long enough to wake them, or it is one of many short jobs in a loop that does little else. Between such jobs the
    // program may take as long as a job takes on one core, because weights that fill the core's cache evict its data.
    bool is_worth_threads(double flops, int threads) const {
        if (kShareAll) return true;
        const auto now = Clock::now();
        if (now < alone_until_) return false;
        return flops >= kFlopsToWake || now - ended_[threads - 1] < Mailbox::kAwake ||
               now - alone_ended_ < std::max(kTightLoop, alone_took_);
    }

    int sync_ns() const {
        const bool recent = Clock::now() - measured_.load(std::memory_order_relaxed) < kRecent;
        return recent ? sync_ns_.load(std::memory_order_relaxed) : kTypicalSync;
    }

    std::mutex busy;  // held by the Python thread that uses the pool

   private:
    static constexpr Clock::duration kTightLoop = std::chrono::microseconds(10);
    static constexpr double kFlopsToWake = 1e7;  // waking a thread takes some tens of microseconds
    // For each thread: some tens of microseconds of work, which are long enough to measure a speed.
    static constexpr double kFlopsToBalance = kShareAll ? 0 : 5e6;
    static constexpr auto kLongSleep = std::chrono::microseconds(200);
    static constexpr auto kMeasureAfter = std::chrono::milliseconds(20), kRecent = std::chrono::milliseconds(50);
    static constexpr int kTypicalSync = 80;  // nanoseconds, for cores that share a cache
    static constexpr auto kNoPause = std::chrono::milliseconds(0), kFirstPause = std::chrono::milliseconds(10),
                          kLongestPause = std::chrono::milliseconds(1600);

    // On a busy machine threads that synchronise at every step mostly wait for a core. One thread alone does not wait, so
    // jobs run on the caller for a while, and longer each time. A single bad job does not count: threads of other libraries
    // spin for some milliseconds after their work.
    void pause_if_waiting(Clock::duration job, Clock::duration slept, int threads) {
        // A large part of the job, and longer than the first wake-up of the workers takes.
        if (slept < kLongSleep || 3 * slept < job * (threads - 1)) {
            pause_ = kNoPause;
            bad_before_ = false;
            return;
        }
        if (!std::exchange(bad_before_, true)) return;
        pause_ = pause_ == kNoPause ? kFirstPause : std::min(2 * pause_, kLongestPause);
        alone_until_ = Clock::now() + pause_;
    }

    void wait_for_workers(int workers) {
        for (int spins = 0;; ++spins) {
            const unsigned done = __atomic_load_n(&done_, __ATOMIC_SEQ_CST);
            if (done == unsigned(workers)) break;
            if (spins < kSpins) {
                relax();
            } else {
                __atomic_store_n(&caller_asleep_, 1, __ATOMIC_SEQ_CST);
                sleep_while(&done_, done);
            }
        }
        __atomic_store_n(&caller_asleep_, 0, __ATOMIC_RELAXED);
    }

    void begin_work(int rank, const Work& work) {
        const ThreadGroup group{rank, work.size, &barrier_, work.sync_ns, work.balanced ? &speeds_ : nullptr};
        if (work.measures_sync) measure(group);
        work.body(group, work.context);
    }

    void measure(const ThreadGroup& group) {
        constexpr int kTries = 6, kSyncs = 4;
        auto best = Clock::duration::max();
        for (int i = 0; i < kTries; ++i) {
            const auto begin = Clock::now();
            for (int k = 0; k < kSyncs; ++k) group.sync();
            best = std::min(best, Clock::now() - begin);
        }
        if (group.rank > 0) return;
        const auto found = best / std::chrono::nanoseconds(1) / kSyncs / (group.size - 1);
        sync_ns_.store(static_cast<int>(found), std::memory_order_relaxed);
        measured_.store(Clock::now(), std::memory_order_relaxed);
    }

    void serve(int rank) {
        const FlushDenormals flush;
        for (unsigned taken = 0;; ++taken) {
            const Work work = mailboxes_[rank].take(taken);
            keep_apart(rank, work);
            barrier_.enter(rank, work.visits);
            begin_work(rank, work);
            __atomic_add_fetch(&done_, 1, __ATOMIC_SEQ_CST);
            if (__atomic_load_n(&caller_asleep_, __ATOMIC_SEQ_CST)) wake_all(&done_);
        }
    }

    // Moves a thread away from the cores on which the threads of lower ranks began their last jobs.
    void keep_apart(int rank, const Work& work) {
        int core = this_core();
        bool shared = core == work.core;
        for (int other = 1; other < rank; ++other) shared |= core == mailboxes_[other].core.load(std::memory_order_relaxed);
        if (shared) {
            move_off(core, work.size);
            core = this_core();
        }
        mailboxes_[rank].core.store(core, std::memory_order_relaxed);
    }

    int workers_ = 0;
    Mailbox mailboxes_[kMostThreads];  // by rank; rank 0 is the caller
    Barrier barrier_;
    ThreadSpeeds speeds_;
    alignas(64) unsigned done_ = 0;  // how many workers have finished the job
    int caller_asleep_ = 0;
    std::atomic<int> sync_ns_{kTypicalSync};
    std::atomic<Clock::time_point> measured_{};
    bool bad_before_ = false;
    std::chrono::milliseconds pause_ = kNoPause;
    Clock::time_point ended_[kMostThreads];  // when each worker's last job ended, by rank
    Clock::time_point alone_until_, alone_ended_;
    Clock::duration alone_took_{};
};

// Threads do not survive a fork. The child starts with a new pool and never touches the old one, whose locks may be held by
// threads that no longer exist. The pool is never destroyed, because workers may still spin while the process exits.
Pool* pool = new Pool;
[[maybe_unused]] const int at_fork = pthread_atfork(nullptr, nullptr, [] { pool = new Pool; });

}  // namespace

int sync_nanoseconds() { return pool->sync_ns(); }

void run_on_threads(int threads, double flops, void (*body)(const ThreadGroup&, void*), void* context) {
    const FlushDenormals flush;
    threads = std::min(threads, kMostThreads);
    if (threads > 1) {
        std::unique_lock lock(pool->busy, std::try_to_lock);
        if (lock.owns_lock()) {
            if (pool->is_worth_threads(flops, threads)) return pool->run(threads, flops, body, context);
            return pool->run_alone(body, context);
        }
    }
    work_alone(body, context);
}

}  // namespace penstock
