// A layer as Python holds it: the engine's layer and the shapes of its parameters; its own calls take NumPy arrays.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "batch_spec.hpp"
#include "penstock/layer.hpp"

namespace penstock {

using Floats = nb::ndarray<const float, nb::c_contig, nb::device::cpu>;
using Rows = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Sequences = nb::ndarray<const float, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
using Wholes = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

inline Rows rows_of(nb::handle object) {
    return array_of<Rows>(object, "x must be a C-contiguous, aligned float32 array of 2 axes");
}

// The name and shape of a parameter of one direction; a vector has 0 columns.
struct ParameterShape {
    const char* name;
    std::int64_t rows, columns;
};
constexpr std::size_t kMostParameters = 6;  // in one direction

// A new NumPy array of floats, not initialised.
nb::object fresh_array(std::initializer_list<std::size_t> shape, float*& data);

// The weights that a frozen layer packed last. A call with the same addresses and versions need not read the elements. The
// storages are held, so that no other weights can get the same addresses.
struct FrozenWeights {
    std::uint64_t number = 0;
    std::array<const float*, 2 * kMostParameters> at{};
    std::array<std::uint64_t, 2 * kMostParameters> versions{};
    std::array<nb::object, 2 * kMostParameters> storages;
};

class NativeLayer {
   public:
    // zoneout: a share for each state, or none
    NativeLayer(const std::string& form, std::int64_t input, std::int64_t hidden, std::int64_t projection, bool bias,
                std::int64_t directions, nb::sequence zoneout);

    // The parameters of one direction, in the order of `parameter_names` in penstock/engine/layer.py.
    std::span<const ParameterShape> declared() const { return {declared_.data(), parameters_}; }
    std::size_t states() const { return layer.sizes().states; }
    std::int64_t state_size(std::size_t k) const { return penstock::state_size(layer.sizes(), int(k)); }
    std::size_t saved_size(std::int64_t rows) const;

    // Copies and packs the arrays of all parameters, one direction after another.
    void load(nb::sequence arrays);
    // x: (time, batch, input) or (batch, time, input). Returns y and each last state, computed with the loaded weights.
    nb::tuple run(nb::handle x, bool batch_first, nb::handle lengths, nb::sequence state, std::int64_t threads);

    // Turns addresses in the order of `declared`, one direction after another, into the engine's structs.
    template <class T>
    void split(T* const* from, Weights<T>* to) const {
        const Sizes& z = layer.sizes();
        for (int d = 0; d < layer.directions(); ++d) {
            to[d] = {};
            to[d].w_ih = *from++;
            to[d].w_hh = *from++;
            if (bias_) {
                to[d].b_ih = *from++;
                to[d].b_hh = *from++;
            }
            if (z.projected) to[d].w_hr = *from++;
            if (z.peepholes) to[d].w_ch = *from++;
        }
    }

    Layer layer;
    bool frozen = false;
    FrozenWeights known;

   private:
    bool bias_;
    std::size_t parameters_ = 0;
    std::array<ParameterShape, kMostParameters> declared_;
};

// The layers of a stack that can advance step by step: they are loaded, have one direction, and each reads the output of the
// one before it. This object keeps them alive.
class HeldStack {
   public:
    explicit HeldStack(nb::sequence layers);

    std::size_t size() const { return layers_.size(); }
    NativeLayer& operator[](std::size_t i) const { return *layers_[i]; }
    int inputs() const { return layers_.front()->layer.sizes().I; }
    int outputs() const { return layers_.back()->layer.sizes().P; }

   private:
    std::vector<nb::object> held_;
    std::vector<NativeLayer*> layers_;
};

// The layer in a Python object; throws a TypeError if it is something else.
NativeLayer& layer_of(nb::handle object);

void register_layer(nb::module_& m);
void register_steps(nb::module_& m);
void register_tensors(nb::module_& m);

}  // namespace penstock
