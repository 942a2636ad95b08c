// A step of the compiled engine on one thread allocates nothing and takes no mutex, once it has run: it may run where audio
// is processed in real time. The memory functions of glibc and pthread_mutex_lock are counted by functions of the same
// names here, which the linker prefers, and which the engine calls through the same symbols.
#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "check.hpp"
#include "penstock/streams.hpp"
#include "problem.hpp"

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
}

namespace {
std::atomic<long> allocations{0}, locks{0};
}

extern "C" {
void* malloc(std::size_t n) { return ++allocations, __libc_malloc(n); }
void* calloc(std::size_t n, std::size_t size) { return ++allocations, __libc_calloc(n, size); }
void* realloc(void* p, std::size_t n) { return ++allocations, __libc_realloc(p, n); }
void* aligned_alloc(std::size_t align, std::size_t n) { return ++allocations, __libc_memalign(align, n); }

int pthread_mutex_lock(pthread_mutex_t* mutex) {
    using Lock = int (*)(pthread_mutex_t*);
    static const Lock lock = reinterpret_cast<Lock>(dlsym(RTLD_NEXT, "pthread_mutex_lock"));
    ++locks;
    return lock(mutex);
}
}

namespace {

// Two layers of one kind, one after the other, as a recogniser that listens to one sound has them.
void try_steps(Cell kind, int hidden) {
    Problem first({kind, 40, hidden, 0, 1, 1, false, false}), second({kind, hidden, hidden, 0, 1, 1, false, false});
    Layer layers[] = {first.layer(), second.layer()};
    layers[0].pack(first.parameters().data());
    layers[1].pack(second.parameters().data());
    Streams streams({&layers[0], &layers[1]});
    const std::size_t states = first.c.states();
    std::vector<Floats> memory(2 * states, Floats(std::size_t(hidden)));
    std::vector<float*> slabs;
    for (Floats& each : memory) slabs.push_back(each.data());
    Floats y(std::size_t(hidden), 0.0f);
    const std::int64_t place = 0;
    const auto step = [&] { streams.step(&place, 1, first.x.data(), slabs.data(), y.data(), 1); };
    for (int i = 0; i < 3; ++i) step();  // its workspace grows to the size that it needs
    const long before = allocations, locked = locks;
    for (int i = 0; i < 1000; ++i) step();
    const long made = allocations - before, taken = locks - locked;  // before the names below are made
    check(!made, first.c.name() + ": " + std::to_string(made) + " allocations in 1000 steps");
    check(!taken, first.c.name() + ": " + std::to_string(taken) + " mutexes in 1000 steps");
}

}  // namespace

int main() {
    const long before = allocations;
    delete new std::vector<float>(7);
    check(allocations > before, "allocations are counted");
    for (const Cell kind : {kRnnTanh, kLstm, kGruAfter, kGruBefore})
        for (const int hidden : {8, 320}) try_steps(kind, hidden);
    std::printf("%s: %d failures\n", kernels().name, failures);
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
