#include "penstock/streams.hpp"

#include <algorithm>

namespace penstock {
namespace {

// Streams of one pass. Their states are gathered from rows all over the slabs and stay in L2 until they are written back.
constexpr std::size_t kStreams = 256;

}  // namespace

void Streams::step(const std::int64_t* places, std::size_t n, const float* x, float* const* slabs, float* y,
                   int threads) {
    const std::size_t inputs = layers_.front()->sizes().I, outputs = layers_.back()->sizes().P;
    for (std::size_t begin = 0; begin < n; begin += kStreams) {
        const std::size_t count = std::min(kStreams, n - begin);
        layout_.make_step(places + begin, static_cast<int>(count));
        between_.start();
        const float* from = x + begin * inputs;
        float* const* next = slabs;
        for (std::size_t i = 0; i < layers_.size(); ++i) {
            const bool last = i + 1 == layers_.size();
            float* to = last ? y + begin * outputs : between_.take(count * layers_[i]->sizes().P);
            const StatesOut states(next, layers_[i]->sizes().states);
            next += states.size();
            layers_[i]->forward(layout_, {from, states, to, states, nullptr}, threads, arena_);
            from = to;
        }
    }
}

}  // namespace penstock
