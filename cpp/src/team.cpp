#include "penstock/team.hpp"

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

#include "penstock/pace.hpp"
#include "waiting.hpp"

namespace penstock {
namespace {

using Clock = std::chrono::steady_clock;

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
    void (*body)(const Team&, void*);
    void* context;
    std::uint64_t visits;  // of the barrier, so far
    int size, core;        // of the team; where its rank 0 runs
    int meeting;           // Team::meeting
    bool measures;         // anew, before the job
    bool paced;            // in parts by pace
};

// Where a worker waits for its jobs: first awake, since in a recurrence the next one comes within microseconds, at first
// without looking at what else wants its core, then giving way to it; after a while asleep.
class Seat {
   public:
    static constexpr auto kEagerly = std::chrono::microseconds(10), kAwake = std::chrono::microseconds(300);

    std::atomic<int> core{-1};  // where its worker began its last job

    void give(const Work& work) {
        work_ = work;
        given_.fetch_add(1, std::memory_order_seq_cst);
        if (!asleep_.load(std::memory_order_seq_cst)) return;
        std::lock_guard lock(mutex_);
        wake_.notify_one();
    }

    // The job after `taken` others.
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

    alignas(64) std::atomic<unsigned> given_{0};  // on one cache line with what the job is
    std::atomic<bool> asleep_{false};
    Work work_{};
    alignas(64) std::mutex mutex_;
    std::condition_variable wake_;
};

void work_alone(void (*body)(const Team&, void*), void* context) { body({0, 1, nullptr}, context); }

// The workers: as many as the largest team so far had, of which a job takes the first ones and leaves the others asleep.
class Pool {
   public:
    void run(int threads, double flops, void (*body)(const Team&, void*), void* context) {
        for (; workers_ < threads - 1; ++workers_)
            std::thread([this, rank = workers_ + 1] { serve(rank); }).detach();
        const auto begin = Clock::now();
        const bool measures = begin - measured_.load(std::memory_order_relaxed) > kMeasureAfter;
        const bool paced = flops >= kFlopsToPace * threads;
        const Work work{body, context, barrier_.visits(), threads, this_core(), meeting(), measures, paced};
        __atomic_store_n(&done_, 0u, __ATOMIC_RELAXED);
        for (int rank = 1; rank < threads; ++rank) seats_[rank].give(work);
        begin_work(0, work);
        wait_for_workers(threads - 1);
        if (paced) pace_.learn(threads);
        const auto end = Clock::now();
        std::fill(ended_ + 1, ended_ + threads, end);
        note(end - begin, std::chrono::nanoseconds(barrier_.slept()), threads);
    }

    void run_alone(void (*body)(const Team&, void*), void* context) {
        const auto begin = Clock::now();
        work_alone(body, context);
        alone_ended_ = Clock::now();
        alone_took_ = alone_ended_ - begin;
    }

    // Whether a job had better use so many threads now: they are awake, all of them if the last one is, or it is worth
    // waking them, be it for the many short jobs of a loop that does little else. What lies between those may take as long
    // as they do on one core, since weights that fill its cache drive out what a program needs there.
    bool is_worth(double flops, int threads) const {
        if (kShareAll) return true;
        const auto now = Clock::now();
        if (now < alone_until_) return false;
        return flops >= kFlopsToWake || now - ended_[threads - 1] < Seat::kAwake ||
               now - alone_ended_ < std::max(kTightLoop, alone_took_);
    }

    int meeting() const {
        const bool trusted = Clock::now() - measured_.load(std::memory_order_relaxed) < kTrusted;
        return trusted ? meeting_.load(std::memory_order_relaxed) : kUsual;
    }

    std::mutex busy;  // held by the Python thread that uses the pool

   private:
    static constexpr Clock::duration kTightLoop = std::chrono::microseconds(10);
    static constexpr double kFlopsToWake = 1e7;  // to wake a thread takes some tens of microseconds
    static constexpr double kFlopsToPace = kShareAll ? 0 : 5e6;  // of each thread: some tens of microseconds can be told
    static constexpr auto kLong = std::chrono::microseconds(200);
    static constexpr auto kMeasureAfter = std::chrono::milliseconds(20), kTrusted = std::chrono::milliseconds(50);
    static constexpr int kUsual = 80;  // of cores with a cache in common
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
        const Team team{rank, work.size, &barrier_, work.meeting, work.paced ? &pace_ : nullptr};
        if (work.measures) measure(team);
        work.body(team, work.context);
    }

    void measure(const Team& team) {
        constexpr int kTries = 6, kMeetings = 4;
        auto best = Clock::duration::max();
        for (int i = 0; i < kTries; ++i) {
            const auto begin = Clock::now();
            for (int k = 0; k < kMeetings; ++k) team.meet();
            best = std::min(best, Clock::now() - begin);
        }
        if (team.rank > 0) return;
        const auto meeting = best / std::chrono::nanoseconds(1) / kMeetings / (team.size - 1);
        meeting_.store(static_cast<int>(meeting), std::memory_order_relaxed);
        measured_.store(Clock::now(), std::memory_order_relaxed);
    }

    void serve(int rank) {
        const FlushDenormals flush;
        for (unsigned taken = 0;; ++taken) {
            const Work work = seats_[rank].take(taken);
            keep_apart(rank, work);
            barrier_.enter(rank, work.visits);
            begin_work(rank, work);
            __atomic_add_fetch(&done_, 1, __ATOMIC_SEQ_CST);
            if (__atomic_load_n(&caller_asleep_, __ATOMIC_SEQ_CST)) wake_all(&done_);
        }
    }

    // Away from the cores where the threads before this one began their last jobs.
    void keep_apart(int rank, const Work& work) {
        int core = this_core();
        bool shared = core == work.core;
        for (int other = 1; other < rank; ++other) shared |= core == seats_[other].core.load(std::memory_order_relaxed);
        if (shared) {
            leave(core, work.size);
            core = this_core();
        }
        seats_[rank].core.store(core, std::memory_order_relaxed);
    }

    int workers_ = 0;
    Seat seats_[kMostThreads];  // by rank; rank 0 is the caller
    Barrier barrier_;
    Pace pace_;
    alignas(64) unsigned done_ = 0;  // workers, with the job
    int caller_asleep_ = 0;
    std::atomic<int> meeting_{kUsual};
    std::atomic<Clock::time_point> measured_{};
    bool bad_before_ = false;
    std::chrono::milliseconds pause_ = kNoPause;
    Clock::time_point ended_[kMostThreads];  // each worker's last job, by rank
    Clock::time_point alone_until_, alone_ended_;
    Clock::duration alone_took_{};
};

// Threads do not survive a fork: the child starts with a new pool and leaves the old one, whose locks may be held
// by threads that no longer exist, alone. Never destroyed: workers may still spin while the process exits.
Pool* pool = new Pool;
[[maybe_unused]] const int at_fork = pthread_atfork(nullptr, nullptr, [] { pool = new Pool; });

}  // namespace

int meeting_nanoseconds() { return pool->meeting(); }

void run_team(int threads, double flops, void (*body)(const Team&, void*), void* context) {
    const FlushDenormals flush;
    threads = std::min(threads, kMostThreads);
    if (threads > 1) {
        std::unique_lock lock(pool->busy, std::try_to_lock);
        if (lock.owns_lock()) {
            if (pool->is_worth(flops, threads)) return pool->run(threads, flops, body, context);
            return pool->run_alone(body, context);
        }
    }
    work_alone(body, context);
}

}  // namespace penstock
