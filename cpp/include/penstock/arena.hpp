// Workspace that is allocated once and reused: a call takes what it needs, and the next call starts over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace penstock {

// Asks for huge pages if a buffer is large. The system maps fresh memory page by page, and with small pages a training step
// of a large layer spends a seventh of its time waiting for them. This is only advice: the system may ignore it.
inline void advise_huge_pages(const void* data, std::size_t bytes) {
#if defined(__linux__)
    constexpr std::uintptr_t kHuge = 1 << 21;
    const std::uintptr_t from = (reinterpret_cast<std::uintptr_t>(data) + kHuge - 1) & ~(kHuge - 1);
    const std::uintptr_t to = (reinterpret_cast<std::uintptr_t>(data) + bytes) & ~(kHuge - 1);
    if (data && to > from) madvise(reinterpret_cast<void*>(from), to - from, MADV_HUGEPAGE);
#else
    (void)data, (void)bytes;
#endif
}

class Arena {
   public:
    Arena() = default;
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;
    ~Arena() { release(); }

    // Invalidates all earlier `take`s. The blocks of the last round become one block, so repeated calls allocate nothing.
    void start() {
        if (blocks_.size() > 1) {
            std::size_t total = 0;
            for (const Block& b : blocks_) total += b.size;
            release();
            add(total);
        }
        used_ = 0;
    }

    // n floats, 64-byte aligned, not initialised
    float* take(std::size_t n) {
        n = (n + 15) / 16 * 16;
        if (blocks_.empty() || used_ + n > blocks_.back().size) {
            add(n);
            used_ = 0;
        }
        float* p = blocks_.back().data + used_;
        used_ += n;
        return p;
    }

    float* take_zeros(std::size_t n) {
        float* p = take(n);
        std::memset(p, 0, n * sizeof(float));
        return p;
    }

   private:
    struct Block {
        float* data;
        std::size_t size;
    };

    void add(std::size_t n) {
        if (n < 1024) n = 1024;
        float* data = static_cast<float*>(std::aligned_alloc(64, n * sizeof(float)));
        if (!data) throw std::bad_alloc();
        advise_huge_pages(data, n * sizeof(float));
        blocks_.push_back({data, n});
    }
    void release() {
        for (const Block& b : blocks_) std::free(b.data);
        blocks_.clear();
        used_ = 0;
    }

    std::vector<Block> blocks_;
    std::size_t used_ = 0;
};

}  // namespace penstock
