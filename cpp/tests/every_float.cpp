// Compares the two activations with double precision at each of the 2^32 floats.
#include <algorithm>
#include <atomic>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "penstock/kernels.hpp"

using namespace penstock;

namespace {

// In double precision. Where two terms of the series, or the limit, are as exact, they save time: 2^32 calls of libm would
// take minutes.
double exact_tanh(double x) {
    if (std::abs(x) < 0x1p-12) return x - x * x * x / 3;
    return std::abs(x) > 20 ? std::copysign(1.0, x) : std::tanh(x);
}
double exact_sigmoid(double x) {
    if (std::abs(x) < 0x1p-12) return 0.5 + x / 4;
    return x > 40 ? 1.0 : x < -104 ? 0.0 : 1 / (1 + std::exp(-x));
}

// The error of `got` in units in the last place of float32 at `exact`. Below the smallest normal number a result may be
// flushed to zero, so the unit there is half of that number.
double units_off(float got, double exact) {
    std::uint64_t bits;
    std::memcpy(&bits, &exact, 8);
    bits &= 0x7ffull << 52;  // the power of two at or below it
    double power;
    std::memcpy(&power, &bits, 8);
    return std::abs(got - exact) / (power < double(FLT_MIN) ? double(FLT_MIN) / 2 : power * 0x1p-23);
}

// The number of floats from the one nearest to `exact` to `got`; 0 if they are the same.
std::int64_t floats_off(float got, double exact) {
    if (std::abs(exact) < double(FLT_MIN)) return std::abs(got) <= FLT_MIN ? 0 : INT32_MAX;
    const auto place = [](float v) -> std::int64_t {
        std::int32_t bits;
        std::memcpy(&bits, &v, 4);
        return bits < 0 ? std::int64_t(INT32_MIN) - bits : bits;
    };
    return std::abs(place(got) - place(float(exact)));
}

// The errors that the activations may have.
constexpr std::int64_t kFloats = 2;
constexpr double kUnits = 2;

struct Worst {
    double units = -1;
    float at = 0;
    std::int64_t floats = 0;
};

// Whether the function is within these errors.
template <class Exact>
bool try_every_float(const char* name, void (*function)(const float*, float*, std::size_t), Exact exact) {
    constexpr std::uint64_t kChunk = 1 << 14, kChunks = (1ull << 32) / kChunk;
    const unsigned threads = std::max(1u, std::thread::hardware_concurrency());
    std::atomic<std::uint64_t> next = 0, values = 0;
    std::vector<Worst> worst(threads);
    std::vector<std::thread> workers;
    for (unsigned t = 0; t < threads; ++t)
        workers.emplace_back([&, t] {
            std::vector<float> x(kChunk), y(kChunk);
            Worst w;
            for (std::uint64_t c; (c = next++) < kChunks; values += kChunk) {
                for (std::uint64_t i = 0; i < kChunk; ++i) {
                    const auto bits = std::uint32_t(c * kChunk + i);
                    std::memcpy(&x[i], &bits, 4);
                }
                function(x.data(), y.data(), kChunk);
                for (std::uint64_t i = 0; i < kChunk; ++i) {
                    const bool nan = std::isnan(x[i]);
                    if (nan && std::isnan(y[i])) continue;
                    const double value = exact(x[i]), units = nan || std::isnan(y[i]) ? INFINITY : units_off(y[i], value);
                    w.floats = std::max(w.floats, floats_off(y[i], value));
                    if (units > w.units) w.units = units, w.at = x[i];
                }
            }
            worst[t] = w;
        });
    for (std::thread& worker : workers) worker.join();
    Worst all;
    for (const Worst& w : worst) {
        all.floats = std::max(all.floats, w.floats);
        if (w.units > all.units) all.units = w.units, all.at = w.at;
    }
    std::printf("%s: %s of %llu values at most %lld floats off the nearest one, %.3f units in the last place, at %a\n",
                kernels().name, name, static_cast<unsigned long long>(values), static_cast<long long>(all.floats),
                all.units, all.at);
    const bool good = all.floats <= kFloats && all.units <= kUnits;
    if (!good) std::printf("FAILED: %s of every float\n", name);
    return good;
}

}  // namespace

int main() {
    const bool tanh_good = try_every_float("tanh", kernels().tanh, exact_tanh);
    const bool sigmoid_good = try_every_float("sigmoid", kernels().sigmoid, exact_sigmoid);
    return tanh_good && sigmoid_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
