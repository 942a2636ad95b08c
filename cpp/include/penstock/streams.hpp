// Many streams of one stack of layers, any of them advanced together: their states lie in slabs that the caller owns.
#pragma once

#include <vector>

#include "layer.hpp"

namespace penstock {

class Streams {
   public:
    // The layers have one direction and are packed; each reads what the one before it gives. They outlive this.
    explicit Streams(std::vector<Layer*> layers) : layers_(std::move(layers)) {}

    // One step of n streams, the same bits for a stream whichever others go with it.
    // places: [n] their rows in the slabs, all different      x: [n][I]      y: [n][P of the last layer]
    // slabs: of each layer in turn its states, each [streams][its size]
    void step(const std::int64_t* places, std::size_t n, const float* x, float* const* slabs, float* y, int threads);

   private:
    std::vector<Layer*> layers_;
    Plan plan_;
    Arena arena_, between_;
};

}  // namespace penstock
