// One recurrent layer, one or two directions: its sizes, its packed weights, and whole-sequence runs.
#pragma once

#include <array>
#include <cstdint>
#include <shared_mutex>
#include <span>

#include "arena.hpp"
#include "kernels.hpp"

namespace penstock {

class Copies;

// A direction's parameters in PyTorch's layout; null where the cell has none.
template <class T>
struct Weights {
    T *w_ih, *w_hh, *b_ih, *b_hh, *w_hr, *w_ch;

    std::array<T*, 6> all() const { return {w_ih, w_hh, b_ih, b_hh, w_hr, w_ch}; }
};
using Parameters = Weights<const float>;
using Gradients = Weights<float>;  // null where none is wanted

// Spans of states hold one pointer for each state of the cell, in its order, to [directions][B][its size]. Spans of what
// is read may be empty, and each of their pointers null: for zeros.
using StatesIn = std::span<const float* const>;
using StatesOut = std::span<float* const>;

struct ForwardCall {
    const float* x;
    StatesIn initial;
    float* y;
    StatesOut last;  // after each sequence's last step
    float* saved;    // Layer::saved_size floats, or null
};

struct BackwardCall {
    const float* x;
    StatesIn initial;
    const float *y, *saved, *dy;
    StatesIn dlast;
    float* dx;
    StatesOut dinitial;  // empty, or a pointer null, where no gradient is wanted
};

// projection: outputs of the cell where it is projected, else 0
Sizes make_sizes(const Traits& traits, int input, int hidden, int projection);

class Layer {
   public:
    // Throws std::invalid_argument where a projection is given to a form that has none, or none to one that has.
    Layer(const CellKernels& cell, int input, int hidden, int projection, int directions);

    const Sizes& sizes() const { return sizes_; }
    int directions() const { return directions_; }
    std::size_t saved_size(std::size_t rows) const;

    // Copies the weights and packs the copy, for the calls to come. A thread that packs has the layer alone.
    void pack(const Parameters* parameters);
    bool packed() const { return number_ != 0; }
    // With the weights as last packed. Several threads may run one layer at a time.
    void forward(const Plan& plan, const ForwardCall& call, int threads, Arena& arena);
    // With these weights, packed for this call alone.
    void forward(const Parameters* parameters, const Plan& plan, const ForwardCall& call, int threads, Arena& arena) const;
    // With these weights: packed and kept as by `pack`, unless they are the last ones, element for element. Returns the
    // number of the pack that was used.
    std::uint64_t forward_kept(const Parameters* parameters, const Plan& plan, const ForwardCall& call, int threads,
                               Arena& arena);
    // With the pack of this number, without a look at any weight. False, and nothing done, if it is no longer there.
    bool forward_known(std::uint64_t number, const Plan& plan, const ForwardCall& call, int threads, Arena& arena);
    // `parameters` as in the forward call; `gradients` are written, not added to.
    void backward(const Plan& plan, const BackwardCall& call, const Parameters* parameters, const Gradients* gradients,
                  int threads, Arena& arena) const;

   private:
    Job forward_job(const Plan& plan, const ForwardCall& call, int direction, const Packed& weights, int threads,
                    Arena& arena) const;
    void run(const Plan& plan, const ForwardCall& call, const Packed* packed, const Copies& packing, int threads,
             Arena& arena) const;
    bool holds(const Parameters* parameters, int threads) const;
    Copies start_pack(const Parameters* parameters);  // void until end_pack
    std::uint64_t end_pack();
    Packed pack_forward(const Parameters& p, const Weights<float>* copy, Arena& arena, Copies& copies) const;
    Packed pack_backward(const Parameters& p, bool with_input, Arena& arena, Copies& copies) const;
    Job backward_job(const Plan& plan, const BackwardCall& call, int direction, const Packed& weights, int threads,
                     Arena& arena) const;
    void backward_direction(const Plan& plan, const BackwardCall& call, int direction, const Parameters& p,
                            const Gradients& g, int threads, Arena& arena) const;

    const CellKernels* cell_;
    Sizes sizes_;
    int directions_;
    Arena storage_;
    std::array<Packed, 2> packed_{};
    std::array<Weights<float>, 2> copy_{};  // of what is packed, in PyTorch's layout
    std::uint64_t packs_ = 0, number_ = 0;  // packs so far; which of them this is, 0 for none
    std::shared_mutex mutex_;
};

// out (rows, n) = x (rows, k) W^T + b, the same bits for a row however many there are
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
