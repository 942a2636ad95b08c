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
struct Parameters {
    const float *w_ih, *w_hh, *b_ih, *b_hh, *w_hr, *w_ch;
};
struct Gradients {  // null where none is wanted
    float *w_ih, *w_hh, *b_ih, *b_hh, *w_hr, *w_ch;
};

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

    void pack(const Parameters* parameters, std::uint64_t version);
    // With the weights as last packed. Several threads may run one layer at a time; a thread that packs has it alone.
    void forward(const Plan& plan, const ForwardCall& call, int threads, Arena& arena);
    // Packs the weights first, unless the last pack had the same addresses, version and fingerprint.
    void forward(const Parameters* parameters, std::uint64_t version, bool repack, const Plan& plan,
                 const ForwardCall& call, int threads, Arena& arena);
    // `parameters` as in the forward call; `gradients` are written, not added to.
    void backward(const Plan& plan, const BackwardCall& call, const Parameters* parameters, const Gradients* gradients,
                  int threads, Arena& arena) const;

   private:
    // What tells one set of weights from another: their version, and of each array its address and a hash of some
    // strided elements, since writes through an alias change neither address nor version.
    using Key = std::array<std::uint64_t, 1 + 2 * 2 * 6>;
    Key key_of(const Parameters* parameters, std::uint64_t version) const;
    Job forward_job(const Plan& plan, const ForwardCall& call, int direction, int threads, Arena& arena) const;
    void run(const Plan& plan, const ForwardCall& call, const Copies& packing, int threads, Arena& arena) const;
    Copies start_pack(const Parameters* parameters);  // void until end_pack
    void end_pack(const Key& key);
    void pack_forward(const Parameters& p, Packed& to, Copies& copies);
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
    Key key_{};
    bool packed_once_ = false;
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
