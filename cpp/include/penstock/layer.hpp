// One recurrent layer, one or two directions: its sizes, its packed weights, and whole-sequence runs.
#pragma once

#include <array>
#include <cstdint>
#include <shared_mutex>
#include <span>

#include "arena.hpp"
#include "kernels.hpp"

namespace penstock {

class CopyTasks;

// A direction's parameters in PyTorch's layout; null where the cell has none.
template <class T>
struct Weights {
    T *w_ih, *w_hh, *b_ih, *b_hh, *w_hr, *w_ch;

    std::array<T*, 6> all() const { return {w_ih, w_hh, b_ih, b_hh, w_hr, w_ch}; }
};
using Parameters = Weights<const float>;
using Gradients = Weights<float>;  // null where none is wanted

// A span of states holds one pointer for each state of the cell, in the cell's order, to [directions][B][its size]. In spans
// that are only read, a null pointer stands for zeros, and so does an empty span.
using StatesIn = std::span<const float* const>;
using StatesOut = std::span<float* const>;

struct ForwardCall {
    const float* x;
    StatesIn initial;
    float* y;
    StatesOut last;  // the states after each sequence's last step
    float* saved;    // Layer::saved_size floats, or null
    const Draw* draw = nullptr;  // the masks of zoneout; null for its expectation
};

struct BackwardCall {
    const float* x;
    StatesIn initial;
    const float *y, *saved, *dy;
    StatesIn dlast;
    float* dx;
    StatesOut dinitial;  // an empty span, or a null pointer, where no gradient is wanted
    const Draw* draw = nullptr;  // that of the forward call
};

// projection: the number of outputs if the cell has a projection, else 0
Sizes make_sizes(const Traits& traits, int input, int hidden, int projection);

class Layer {
   public:
    // zoneout: the share of each state that a step keeps, each from 0 to below 1; none if empty. Throws
    // std::invalid_argument if it has another size, or if the form has a projection and the size is 0, or the other way round.
    Layer(const CellKernels& cell, int input, int hidden, int projection, int directions, std::span<const float> zoneout = {});

    const Sizes& sizes() const { return sizes_; }
    int directions() const { return directions_; }
    std::size_t saved_size(std::size_t rows) const;

    // Copies the weights and packs the copy for later calls. A thread that packs has exclusive use of the layer.
    void pack(const Parameters* parameters);
    bool packed() const { return number_ != 0; }
    // With the weights that were packed last. Several threads may run one layer at the same time.
    void forward(const BatchLayout& layout, const ForwardCall& call, int threads, Arena& arena);
    // With these weights, packed for this call only.
    void forward(const Parameters* parameters, const BatchLayout& layout, const ForwardCall& call, int threads, Arena& arena) const;
    // With these weights. Unless they equal the packed ones, element for element, they are packed and kept as by `pack`.
    // Returns the number of the pack that was used.
    std::uint64_t forward_cached(const Parameters* parameters, const BatchLayout& layout, const ForwardCall& call, int threads,
                               Arena& arena);
    // With the pack of this number; reads no weights. Returns false, and does nothing, if that pack is no longer there.
    bool forward_with_pack(std::uint64_t number, const BatchLayout& layout, const ForwardCall& call, int threads, Arena& arena);
    // `parameters` are those of the forward call; `gradients` are overwritten, not added to.
    void backward(const BatchLayout& layout, const BackwardCall& call, const Parameters* parameters, const Gradients* gradients,
                  int threads, Arena& arena) const;

   private:
    Job forward_job(const BatchLayout& layout, const ForwardCall& call, int direction, const Packed& weights, int threads,
                    Arena& arena) const;
    void run(const BatchLayout& layout, const ForwardCall& call, const Packed* packed, const CopyTasks& packing, int threads,
             Arena& arena) const;
    bool holds(const Parameters* parameters, int threads) const;
    CopyTasks start_pack(const Parameters* parameters);  // void until end_pack
    std::uint64_t end_pack();
    Packed pack_forward(const Parameters& p, const Weights<float>* copy, Arena& arena, CopyTasks& tasks) const;
    Packed pack_backward(const Parameters& p, bool with_input, Arena& arena, CopyTasks& tasks) const;
    Job backward_job(const BatchLayout& layout, const BackwardCall& call, int direction, const Packed& weights, int threads,
                     Arena& arena) const;
    void backward_direction(const BatchLayout& layout, const BackwardCall& call, int direction, const Parameters& p,
                            const Gradients& g, int threads, Arena& arena) const;

    const float* zoneout() const { return zoned_ ? zoneout_.data() : nullptr; }

    const CellKernels* cell_;
    Sizes sizes_;
    std::array<float, kMostStates> zoneout_{};
    bool zoned_;
    int directions_;
    Arena storage_;
    std::array<Packed, 2> packed_{};
    std::array<Weights<float>, 2> copy_{};  // of what is packed, in PyTorch's layout
    std::uint64_t packs_ = 0, number_ = 0;  // packs so far; the number of the one that is there, 0 for none
    std::shared_mutex mutex_;
};

// out (rows, n) = x (rows, k) W^T + b. A row's bits do not depend on the number of rows.
class Linear {
   public:
    Linear(const float* weight, const float* bias, int n, int k);
    void operator()(const float* x, std::size_t rows, float* out, Arena& arena) const;
    int inputs() const { return k_; }
    int outputs() const { return n_; }

   private:
    int n_, k_;
    Arena storage_;
    float *panels_, *bias_;
};

}  // namespace penstock
