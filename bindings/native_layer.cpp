#include "native_layer.hpp"

#include <nanobind/stl/string.h>

#include <algorithm>

namespace penstock {
namespace {

const CellKernels& kernels_of(const std::string& form) {
    const CellKernels* found = find_cell(form.c_str());
    require(found && form == found->traits.form, "no kernels for this form of a cell");
    return *found;
}

std::vector<float> shares_of(nb::sequence zoneout) {
    std::vector<float> shares;
    for (nb::handle each : zoneout) {
        shares.push_back(nb::cast<float>(each));
        require(shares.back() >= 0 && shares.back() < 1, "a share of zoneout must be from 0 to below 1");
    }
    return shares;
}

}  // namespace

nb::object fresh_array(std::initializer_list<std::size_t> shape, float*& data) {
    std::size_t size = 1;
    for (const std::size_t n : shape)
        require(!__builtin_mul_overflow(size, n, &size) && size < std::size_t(1) << 60, "a result would be too large");
    data = new float[size + 1];
    nb::capsule owner(data, [](void* p) noexcept { delete[] static_cast<float*>(p); });
    return nb::cast(nb::ndarray<nb::numpy, float>(data, shape.size(), shape.begin(), owner));
}

NativeLayer::NativeLayer(const std::string& form, std::int64_t input, std::int64_t hidden, std::int64_t projection, bool bias,
                         std::int64_t directions, nb::sequence zoneout)
    : layer(kernels_of(form), in_range(input, 1, kMostUnits, "input"), in_range(hidden, 1, kMostUnits, "hidden"),
            in_range(projection, 0, kMostUnits, "projection"), in_range(directions, 1, 2, "directions"), shares_of(zoneout)),
      bias_(bias) {
    const Sizes& z = layer.sizes();
    const std::int64_t gates = std::int64_t(z.G) * z.H;
    const auto add = [&](const char* name, std::int64_t rows, std::int64_t columns) {
        declared_[parameters_++] = {name, rows, columns};
    };
    add("weight_ih", gates, z.I);
    add("weight_hh", gates, z.P);
    if (bias) add("bias_ih", gates, 0), add("bias_hh", gates, 0);
    if (z.projected) add("weight_hr", z.P, z.H);
    if (z.peepholes) add("weight_ch", z.peepholes, z.H);
}

std::size_t NativeLayer::saved_size(std::int64_t rows) const {
    return layer.saved_size(in_range(rows, 0, kMostRows, "rows"));
}

void NativeLayer::load(nb::sequence arrays) {
    const std::size_t all = parameters_ * layer.directions();
    std::vector<Floats> held;
    for (nb::handle each : arrays) held.push_back(array_of<Floats>(each, "a parameter must be a C-contiguous, aligned float32 array"));
    require(held.size() == all, "arrays must be as many as the layer has parameters");
    std::array<const float*, 2 * kMostParameters> at{};
    for (std::size_t i = 0; i < all; ++i) {
        const ParameterShape& d = declared_[i % parameters_];
        const bool fits = held[i].ndim() == (d.columns ? 2u : 1u) && is_size(held[i].shape(0), d.rows) &&
                          (!d.columns || is_size(held[i].shape(1), d.columns));
        require(fits, d.name);
        at[i] = held[i].data();
    }
    Parameters p[2];
    split(at.data(), p);
    const nb::gil_scoped_release release;
    layer.pack(p);
}

nb::tuple NativeLayer::run(nb::handle given, bool batch_first, nb::handle lengths, nb::sequence state,
                           std::int64_t threads) {
    const Sizes& z = layer.sizes();
    const auto x = array_of<Sequences>(given, "x must be a C-contiguous, aligned float32 array of 3 axes");
    require(is_size(x.shape(2), z.I), "x must be (time, batch, input) or (batch, time, input)");
    const std::size_t first = x.shape(0), second = x.shape(1), directions = layer.directions();
    BatchSpec rows(batch_first ? second : first, batch_first ? first : second,
                     batch_first ? RowOrder::kBatchFirst : RowOrder::kTimeMajor);
    if (!lengths.is_none()) {
        const auto own = array_of<Wholes>(lengths, "lengths must be a C-contiguous, aligned int64 array of 1 axis");
        rows.set_lengths({own.data(), own.size()});
    }
    std::vector<Sequences> held;
    for (nb::handle each : state) held.push_back(array_of<Sequences>(each, "a state must be a C-contiguous, aligned float32 array of 3 axes"));
    require(held.empty() || held.size() == states(), "state must have as many arrays as the cell has states, or none");
    std::array<const float*, kMostStates> initial{};
    std::array<float*, kMostStates> last{};
    for (std::size_t k = 0; k < held.size(); ++k) {
        require(held[k].shape(0) == directions && held[k].shape(1) == std::size_t(rows.batch) &&
                    is_size(held[k].shape(2), state_size(k)), "a state must be (directions, batch, size)");
        initial[k] = held[k].data();
    }
    ForwardCall call{x.data(), {initial.data(), held.size()}, nullptr, {last.data(), states()}, nullptr};
    nb::list results;
    results.append(fresh_array({first, second, directions * z.P}, call.y));
    for (std::size_t k = 0; k < states(); ++k)
        results.append(fresh_array({directions, std::size_t(rows.batch), std::size_t(state_size(k))}, last[k]));
    const int most = threads_of(threads);
    {
        const nb::gil_scoped_release release;
        ThreadState& t = thread_state;
        layer.forward(t.make(rows, layer.directions()), call, most, t.arena);
    }
    return nb::tuple(results);
}

NativeLayer& layer_of(nb::handle object) {
    NativeLayer* found = nullptr;
    if (object.is_none() || !nb::try_cast<NativeLayer*>(object, found) || !found) throw nb::type_error("a layer must be a NativeLayer");
    return *found;
}

HeldStack::HeldStack(nb::sequence layers) {
    for (nb::handle each : layers) {
        layers_.push_back(&layer_of(each));
        held_.push_back(nb::borrow(each));
    }
    require(!layers_.empty(), "a stack needs one layer or more");
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        require(layers_[i]->layer.directions() == 1, "a step needs layers of one direction");
        require(layers_[i]->layer.packed(), "a layer has no parameters");
        require(i == 0 || layers_[i - 1]->layer.sizes().P == layers_[i]->layer.sizes().I,
                "a layer must have as many inputs as the one before it has outputs");
    }
}

void register_layer(nb::module_& m) {
    nb::class_<NativeLayer>(m, "NativeLayer")
        .def(nb::init<const std::string&, std::int64_t, std::int64_t, std::int64_t, bool, std::int64_t, nb::sequence>(),
             nb::arg("form"), nb::arg("input"), nb::arg("hidden"), nb::arg("projection"), nb::arg("bias"),
             nb::arg("directions"), nb::arg("zoneout") = nb::tuple())
        .def("saved_size", &NativeLayer::saved_size, nb::arg("rows"))
        .def_prop_ro("packed", [](const NativeLayer& l) { return l.layer.packed(); })
        .def("load_arrays", &NativeLayer::load, nb::arg("arrays"))
        .def("run", &NativeLayer::run, nb::arg("x"), nb::arg("batch_first"), nb::arg("lengths").none(), nb::arg("state"),
             nb::arg("threads"))
        .def_prop_rw(
            "frozen", [](const NativeLayer& l) { return l.frozen; },
            [](NativeLayer& l, bool frozen) { l.frozen = frozen, l.known = {}; }, nb::arg("frozen"))
        .def("forget", [](NativeLayer& l) { l.known = {}; });
}

}  // namespace penstock
