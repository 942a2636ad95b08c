// A layer as Python holds it: the engine's, with the addresses of its parameters.
#pragma once

#include <nanobind/nanobind.h>

#include <array>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "penstock/layer.hpp"

namespace penstock {

using Address = std::uintptr_t;

template <class T = float>
T* at(Address a) {
    return reinterpret_cast<T*>(a);
}

// States by their addresses, for a span of the engine.
class StatesAt {
   public:
    explicit StatesAt(std::span<const Address> addresses) : n_(addresses.size()) {
        for (std::size_t k = 0; k < n_; ++k) states_[k] = at(addresses[k]);
    }
    StatesOut all() const { return {states_.data(), n_}; }

   private:
    std::array<float*, kMostStates> states_{};
    std::size_t n_;
};

// Where each step of each sequence lies; lengths and batch_sizes as in Plan::make.
struct Arrangement {
    int steps, batch;
    Layout layout;
    const std::int64_t* lengths = nullptr;
    const std::int64_t* batch_sizes = nullptr;
};

// Each Python thread has its own workspace and remembers its last dense plan.
struct ThreadState {
    Arena arena;
    Plan plan;
    std::tuple<int, int, Layout, int> dense{-1, -1, Layout::kTimeMajor, -1};

    const Plan& make(const Arrangement& rows, int directions) {
        const bool is_dense = !rows.lengths && !rows.batch_sizes;
        const std::tuple key{rows.steps, rows.batch, rows.layout, directions};
        if (is_dense && key == dense) return plan;
        dense = {-1, -1, Layout::kTimeMajor, -1};  // until it is done: an allocation may fail halfway
        plan.make(rows.steps, rows.batch, rows.layout, rows.lengths, rows.batch_sizes, directions == 2);
        if (is_dense) dense = key;
        return plan;
    }
};
inline thread_local ThreadState thread_state;

// A layer with the addresses of its parameters, in the order of `parameter_names` in penstock/engine/layer.py.
struct NativeLayer {
    Layer layer;
    bool bias;

    NativeLayer(const CellKernels& cell, int input, int hidden, int projection, bool bias_, int directions)
        : layer(cell, input, hidden, projection, directions), bias(bias_) {}

    std::size_t states() const { return layer.sizes().states; }

    // Of one direction.
    std::size_t parameters() const {
        const Sizes& z = layer.sizes();
        return 2 + 2 * bias + z.projected + (z.peepholes > 0);
    }

    template <class P, class T>
    void split(std::span<const Address> from, P* to) const {
        const Sizes& z = layer.sizes();
        std::size_t i = 0;
        if (from.size() != layer.directions() * parameters()) throw std::invalid_argument("as many addresses as parameters");
        for (int d = 0; d < layer.directions(); ++d) {
            to[d] = P{};
            to[d].w_ih = at<T>(from[i++]);
            to[d].w_hh = at<T>(from[i++]);
            if (bias) {
                to[d].b_ih = at<T>(from[i++]);
                to[d].b_hh = at<T>(from[i++]);
            }
            if (z.projected) to[d].w_hr = at<T>(from[i++]);
            if (z.peepholes) to[d].w_ch = at<T>(from[i++]);
        }
    }

    void pack(const std::vector<Address>& weights, std::uint64_t version) {
        Parameters p[2];
        split<Parameters, const float>(weights, p);
        layer.pack(p, version);
    }

    void run(std::span<const Address> weights, std::uint64_t version, bool repack, const Arrangement& rows,
             const ForwardCall& call, int threads) {
        Parameters p[2];
        split<Parameters, const float>(weights, p);
        const nanobind::gil_scoped_release release;
        ThreadState& t = thread_state;
        layer.forward(p, version, repack, t.make(rows, layer.directions()), call, threads, t.arena);
    }

    void run_backward(std::span<const Address> weights, std::span<const Address> gradients, const Arrangement& rows,
                      const BackwardCall& call, int threads) const {
        Parameters p[2];
        Gradients g[2];
        split<Parameters, const float>(weights, p);
        split<Gradients, float>(gradients, g);
        const nanobind::gil_scoped_release release;
        ThreadState& t = thread_state;
        layer.backward(t.make(rows, layer.directions()), call, p, g, threads, t.arena);
    }
};

}  // namespace penstock
