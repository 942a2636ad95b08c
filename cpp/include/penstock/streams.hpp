// Many streams through one stack of layers, any of which advance together. Their states are in slabs that the caller owns.
#pragma once

#include <vector>

#include "layer.hpp"

namespace penstock {

class Streams {
   public:
    // The layers have one direction and are packed; each reads the output of the one before it. They must outlive this.
    explicit Streams(std::vector<Layer*> layers) : layers_(std::move(layers)) {}

    // One step of n streams. A stream's bits do not depend on which others advance with it.
    // places: [n] their rows in the slabs, all different      x: [n][I]      y: [n][P of the last layer]
    // slabs: the states of each layer in turn, each [streams][its size]
    void step(const std::int64_t* places, std::size_t n, const float* x, float* const* slabs, float* y, int threads);

   private:
    std::vector<Layer*> layers_;
    BatchLayout layout_;
    Arena arena_, between_;
};

}  // namespace penstock
