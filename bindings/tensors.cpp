#include "tensors.hpp"

#include <algorithm>
#include <span>
#include <string>

namespace penstock {
namespace {

constexpr std::size_t kMostWeights = 2 * kMostParameters;
constexpr std::int64_t kLarge = 1 << 18;  // floats; the C library may return freed memory of this size to the system

bool matches(const ParameterShape& declared, const View& view) {
    return declared.columns ? view.is({declared.rows, declared.columns}) : view.is({declared.rows});
}

}  // namespace

// The weights that a call passes for one layer. The tensors are held, because another thread may replace them in the module
// while the engine runs.
struct Tensors::LayerWeights {
    std::array<nb::object, kMostWeights> tensors;
    std::array<View, kMostWeights> views;
    std::array<std::uint64_t, kMostWeights> versions{};
    std::size_t n = 0;
    bool counted = true;  // whether all have versions
    bool secured = false;

    std::array<const float*, kMostWeights> addresses() const {
        std::array<const float*, kMostWeights> at{};
        for (std::size_t i = 0; i < n; ++i) at[i] = views[i].data;
        return at;
    }
    bool are(const FrozenWeights& known) const { return known.number && counted && versions == known.versions && addresses() == known.at; }
    FrozenWeights known(std::uint64_t number) const {
        FrozenWeights known{number, addresses(), versions, {}};
        for (std::size_t i = 0; i < n; ++i) known.storages[i] = views[i].storage;
        return known;
    }
};

// find(i) returns parameter i, or null. Returns false if a parameter is missing or does not fit; weights.n is its index.
template <class Find>
bool Tensors::describe_weights(const NativeLayer& l, std::size_t given, Find find, LayerWeights& weights) const {
    const std::span<const ParameterShape> declared = l.declared();
    const std::size_t all = declared.size() * l.layer.directions();
    require(given == all, "weights must be as many as the layer has parameters");
    for (std::size_t& i = weights.n; i < all; ++i) {
        PyObject* tensor = find(i);
        if (!tensor || !reader_.describe(tensor, weights.views[i]) || !matches(declared[i % declared.size()], weights.views[i]))
            return false;
        weights.tensors[i] = nb::borrow(tensor);
        if (l.frozen && weights.counted) weights.counted = reader_.version(tensor, weights.versions[i]);
    }
    return true;
}

void Tensors::secure_weights(LayerWeights& weights) const {
    if (weights.secured) return;
    for (std::size_t i = 0; i < weights.n; ++i) reader_.secure(weights.tensors[i].ptr(), weights.views[i], "a weight");
    weights.secured = true;
}

Tensors::LayerWeights Tensors::expect_weights(const NativeLayer& l, nb::list given) const {
    LayerWeights weights;
    // The length is tested each time, because reading a tensor may run Python code that shortens the list.
    const auto find = [&](std::size_t i) { return i < nb::len(given) ? NB_LIST_GET_ITEM(given.ptr(), i) : nullptr; };
    if (describe_weights(l, nb::len(given), find, weights)) {
        secure_weights(weights);
        return weights;
    }
    const ParameterShape& wrong = l.declared()[weights.n % l.declared().size()];
    std::string shape = std::to_string(wrong.rows);
    shape += wrong.columns ? ", " + std::to_string(wrong.columns) : ",";
    const nb::object found = weights.n < nb::len(given) ? nb::borrow(given[weights.n]) : nb::none();
    throw std::runtime_error(std::string(wrong.name) + " must be contiguous float32, (" + shape + "), on the CPU; got " +
                             nb::repr(nb::getattr(found, "shape", nb::borrow(found.type()))).c_str());
}

// Runs sequences without a graph. A frozen layer uses its pack if it was made of these weights, by address and version;
// otherwise every element is compared.
void Tensors::infer(NativeLayer& l, LayerWeights& weights, const BatchSpec& rows, const ForwardCall& call, int threads) const {
    const int directions = l.layer.directions();
    if (l.frozen && weights.are(l.known)) {
        const std::uint64_t number = l.known.number;
        const nb::gil_scoped_release release;
        ThreadState& t = thread_state;
        if (l.layer.forward_with_pack(number, t.make(rows, directions), call, threads, t.arena)) return;
    }
    secure_weights(weights);
    Parameters p[2];
    l.split(weights.addresses().data(), p);
    std::uint64_t number;
    {
        const nb::gil_scoped_release release;
        ThreadState& t = thread_state;
        number = l.layer.forward_cached(p, t.make(rows, directions), call, threads, t.arena);
    }
    if (l.frozen && weights.counted) l.known = weights.known(number);
}

nb::tuple Tensors::fresh_states(const NativeLayer& l, nb::handle like, std::initializer_list<std::int64_t> axes,
                                Pointers& to) const {
    nb::tuple states = nb::steal<nb::tuple>(PyTuple_New(Py_ssize_t(l.states())));
    std::array<std::int64_t, 3> shape{};
    std::copy(axes.begin(), axes.end(), shape.begin());
    for (std::size_t k = 0; k < l.states(); ++k) {
        shape[axes.size()] = l.state_size(k);
        nb::object made = reader_.fresh(like, std::span<const std::int64_t>(shape.data(), axes.size() + 1), to[k]);
        NB_TUPLE_SET_ITEM(states.ptr(), Py_ssize_t(k), made.release().ptr());
    }
    return states;
}

// The arguments of an ordinary call.
struct Tensors::DenseCall {
    View x, initial[kMostStates];
    std::size_t states = 0;  // 0 for zeros
    std::vector<nb::object> held;
    std::vector<NativeLayer*> layers;
    std::vector<LayerWeights> weights;
};

// axes: 3 for sequences, 2 for one step; batch_axis: that of x. Returns false if the call is not ordinary.
bool Tensors::read_dense(nb::tuple bounds, nb::handle x, nb::tuple state, nb::dict parameters, nb::tuple names, int axes,
                         int batch_axis, DenseCall& call) const {
    if (!reader_.read(x.ptr(), call.x, "input") || call.x.axes != axes || call.x.empty()) return false;
    require(nb::len(bounds) >= 1 && nb::len(bounds) == nb::len(names), "names must have a tuple for each layer, one or more");
    for (nb::handle bound : bounds) {
        call.held.push_back(attribute(bound.ptr(), kLayer));
        call.layers.push_back(&layer_of(call.held.back()));
    }
    const NativeLayer& bottom = *call.layers.front();
    const std::int64_t directions = bottom.layer.directions(), above = directions * bottom.state_size(0);
    require(axes == 3 || (directions == 1 && call.layers.size() == 1), "a step needs one layer of one direction");
    for (std::size_t i = 1; i < call.layers.size(); ++i) {
        const NativeLayer& l = *call.layers[i];
        require(l.layer.directions() == directions && l.layer.sizes().I == above && l.states() == bottom.states() &&
                    l.state_size(0) == bottom.state_size(0) && l.state_size(1) == bottom.state_size(1),
                "a layer must have as many inputs as the one below it has outputs");
    }
    if (call.x.shape[axes - 1] != bottom.layer.sizes().I) return false;
    const std::int64_t rows = call.layers.size() * directions, batch = call.x.shape[batch_axis];
    const std::size_t given = nb::len(state);
    if (given != 0 && given != bottom.states()) return false;
    call.states = given;
    for (std::size_t k = 0; k < given; ++k) {
        View& view = call.initial[k];
        if (!reader_.read(NB_TUPLE_GET_ITEM(state.ptr(), k), view, "hx") ||
            !(axes == 3 ? view.is({rows, batch, bottom.state_size(k)}) : view.is({batch, bottom.state_size(k)})))
            return false;
    }
    call.weights.resize(call.layers.size());
    for (std::size_t i = 0; i < call.layers.size(); ++i) {
        const nb::tuple own = nb::cast<nb::tuple>(names[i]);
        const auto find = [&](std::size_t k) {
            PyObject* found = PyDict_GetItemWithError(parameters.ptr(), NB_TUPLE_GET_ITEM(own.ptr(), k));
            if (!found && PyErr_Occurred()) nb::raise_python_error();
            return found;
        };
        if (!describe_weights(*call.layers[i], nb::len(own), find, call.weights[i])) return false;
    }
    return true;
}

bool Tensors::fits(nb::tuple bounds, nb::handle x, nb::tuple state, nb::dict parameters, nb::tuple names,
                   bool batch_first) const {
    DenseCall call;
    return read_dense(bounds, x, state, parameters, names, 3, batch_first ? 0 : 1, call);
}

nb::object Tensors::dense(nb::tuple bounds, nb::handle x, nb::tuple state, nb::dict parameters, nb::tuple names,
                          bool batch_first, std::int64_t threads) const {
    DenseCall call;
    const int batch_axis = batch_first ? 0 : 1, most = threads_of(threads);
    if (!read_dense(bounds, x, state, parameters, names, 3, batch_axis, call)) return nb::none();
    const NativeLayer& bottom = *call.layers.front();
    const std::int64_t directions = bottom.layer.directions(), rows = call.layers.size() * directions;
    const std::int64_t batch = call.x.shape[batch_axis];
    const std::size_t states = bottom.states();
    const BatchSpec spec(call.x.shape[1 - batch_axis], batch, batch_first ? RowOrder::kBatchFirst : RowOrder::kTimeMajor);
    Pointers initial{}, last{};
    for (std::size_t k = 0; k < call.states; ++k) initial[k] = call.initial[k].data;
    const nb::tuple made = fresh_states(bottom, x, {rows, batch}, last);
    const nb::object final = states == 1 ? nb::object(made[0]) : nb::object(made);
    nb::object output;
    for (std::size_t i = 0; i < call.layers.size(); ++i) {
        float* y;
        nb::object above = reader_.fresh(x, {call.x.shape[0], call.x.shape[1], directions * bottom.state_size(0)}, y);
        infer(*call.layers[i], call.weights[i], spec,
              {call.x.data, {initial.data(), call.states}, y, {last.data(), states}, nullptr}, most);
        call.x.data = y;
        // The states of the next layer follow those of this one.
        for (std::size_t k = 0; k < states; ++k) {
            const std::int64_t own = directions * batch * bottom.state_size(k);
            last[k] += own;
            if (k < call.states) initial[k] += own;
        }
        output = above;
    }
    return nb::make_tuple(output, final);
}

nb::object Tensors::step(nb::tuple bounds, nb::handle x, nb::tuple state, nb::dict parameters, nb::tuple names,
                         std::int64_t threads) const {
    DenseCall call;
    const int most = threads_of(threads);
    if (!read_dense(bounds, x, state, parameters, names, 2, 0, call)) return nb::none();
    NativeLayer& l = *call.layers.front();
    const std::int64_t batch = call.x.shape[0];
    const BatchSpec spec(1, batch, RowOrder::kTimeMajor);
    Pointers initial{}, last{};
    for (std::size_t k = 0; k < call.states; ++k) initial[k] = call.initial[k].data;
    nb::tuple made = fresh_states(l, x, {batch}, last);
    // The output of a single step is its first state, so the engine writes both to the same memory.
    infer(l, call.weights[0], spec,
          {call.x.data, {initial.data(), call.states}, last[0], {last.data(), l.states()}, nullptr}, most);
    return made;
}

// The checked arguments that forward and backward have in common.
struct Tensors::Sequence {
    View x, views[kMostStates];
    std::size_t states;  // 0 for zeros
    Pointers initial;
    BatchSpec rows;
    std::int64_t all_rows;  // with padding
};

Tensors::Sequence Tensors::expect_sequence(const NativeLayer& l, nb::handle input, nb::tuple state, std::int64_t layout,
                                           std::int64_t steps, std::int64_t batch, nb::handle lengths,
                                           nb::handle batch_sizes) const {
    const auto order = static_cast<RowOrder>(in_range(layout, 0, 2, "layout"));
    const bool packed = order == RowOrder::kPacked, batch_first = order == RowOrder::kBatchFirst;
    View x = reader_.expect(input, "input");
    const std::int64_t features = l.layer.sizes().I;
    require(packed ? x.axes == 2 && x.shape[1] == features
                   : x.is({batch_first ? batch : steps, batch_first ? steps : batch, features}),
            "input must be (time, batch, input), (batch, time, input) or, packed, (rows, input), as the layout says");
    Sequence call{x, {}, nb::len(state), {}, BatchSpec(steps, batch, order), packed ? x.shape[0] : steps * batch};
    require(call.all_rows <= kMostRows, "the steps of all sequences together are more than the engine can count");
    require(packed == !batch_sizes.is_none() && !(packed && !lengths.is_none()), "batch_sizes are for packed input, lengths for any other");
    if (packed) call.rows.set_batch_sizes(reader_.whole_numbers(batch_sizes, "batch_sizes"), call.all_rows);
    if (!lengths.is_none()) call.rows.set_lengths(reader_.whole_numbers(lengths, "lengths"));
    require(call.states == 0 || call.states == l.states(), "state must have as many tensors as the cell has states, or none");
    for (std::size_t k = 0; k < call.states; ++k) {
        call.views[k] = reader_.expect(state[k], "hx");
        call.initial[k] = call.views[k].data;
        require(call.views[k].is({l.layer.directions(), batch, l.state_size(k)}), "hx must be (directions, batch, size)");
    }
    return call;
}

// A checked draw and a copy of its numbers.
struct Tensors::Drawing {
    std::optional<Draw> draw;
    std::vector<std::int64_t> numbers;

    const Draw* get() const { return draw ? &*draw : nullptr; }
};

Tensors::Drawing Tensors::expect_draw(nb::handle given, const Sequence& call) const {
    if (given.is_none()) return {};
    constexpr std::int64_t kMostLayers = 1 << 24;
    const auto parts = nb::cast<nb::tuple>(given);
    require(nb::len(parts) == 4, "draw must be (seed, layer, first step, numbers of the sequences)");
    const auto whole = [&](std::size_t i, std::int64_t most, const char* name) {
        return static_cast<std::uint32_t>(in_range(nb::cast<std::int64_t>(parts[i]), 0, most, name));
    };
    Drawing drawing{Draw{static_cast<std::uint64_t>(nb::cast<std::int64_t>(parts[0])), whole(1, kMostLayers, "the layer"),
                         whole(2, kMostRows, "the first step")}, {}};
    if (nb::handle(parts[3]).is_none()) return drawing;
    drawing.numbers = reader_.whole_numbers(parts[3], "numbers of the sequences");
    require(drawing.numbers.size() == std::size_t(call.rows.batch), "numbers must have one entry for each sequence");
    drawing.draw->numbers = drawing.numbers.data();  // stays when the vector is moved
    return drawing;
}

nb::tuple Tensors::forward(nb::handle layer, nb::handle input, nb::tuple state, nb::list weights, std::int64_t layout,
                           std::int64_t steps, std::int64_t batch, nb::handle lengths, nb::handle batch_sizes,
                           nb::object lend, std::int64_t threads, nb::handle draw) const {
    NativeLayer& l = layer_of(layer);
    const Sequence given = expect_sequence(l, input, state, layout, steps, batch, lengths, batch_sizes);
    const Drawing drawing = expect_draw(draw, given);
    const std::int64_t directions = l.layer.directions();
    const int most = threads_of(threads);
    LayerWeights own = expect_weights(l, weights);
    Pointers last{};
    ForwardCall call{given.x.data, {given.initial.data(), given.states}, nullptr, {last.data(), l.states()}, nullptr,
                     drawing.get()};
    nb::list results;
    View y = given.x;
    y.shape[y.axes - 1] = directions * l.state_size(0);
    results.append(reader_.fresh(input, y.sizes(), call.y));
    for (nb::handle each : fresh_states(l, input, {directions, batch}, last)) results.append(each);
    if (lend.is_none()) {
        infer(l, own, given.rows, call, most);
        return nb::tuple(results);
    }
    const std::int64_t size = l.saved_size(given.all_rows);
    nb::object saved = size < kLarge ? reader_.fresh(input, {size}, call.saved) : lend(size);
    const View memory = reader_.expect(saved, "lent memory");
    require(memory.is({size}), "lent memory must have the requested size");
    call.saved = memory.data;
    results.append(saved);
    Parameters p[2];
    l.split(own.addresses().data(), p);
    {
        const nb::gil_scoped_release release;
        ThreadState& t = thread_state;
        l.layer.forward(p, t.make(given.rows, l.layer.directions()), call, most, t.arena);
    }
    return nb::tuple(results);
}

nb::list Tensors::backward(nb::handle layer, nb::handle x, nb::tuple state, nb::list weights, std::int64_t layout,
                           std::int64_t steps, std::int64_t batch, nb::handle lengths, nb::handle batch_sizes,
                           nb::handle y, nb::handle saved, nb::list gradients, nb::sequence wanted,
                           std::int64_t threads, nb::handle draw) const {
    const NativeLayer& l = layer_of(layer);
    const Sequence given = expect_sequence(l, x, state, layout, steps, batch, lengths, batch_sizes);
    const Drawing drawing = expect_draw(draw, given);
    const std::int64_t directions = l.layer.directions();
    const int most = threads_of(threads);
    const LayerWeights own = expect_weights(l, weights);
    View expected = given.x;
    expected.shape[expected.axes - 1] = directions * l.state_size(0);
    const auto is_output = [&](const View& view) { return std::ranges::equal(view.sizes(), expected.sizes()); };
    const View output = reader_.expect(y, "y"), memory = reader_.expect(saved, "saved");
    require(is_output(output), "y must be what the forward pass returned");
    require(memory.is({std::int64_t(l.saved_size(given.all_rows))}), "saved must be what the forward pass returned");

    require(nb::len(gradients) == 1 + l.states(), "gradients must be those of y and each last state");
    View after[1 + kMostStates];
    Pointers dlast{}, dinitial{};
    for (std::size_t k = 0; k < 1 + l.states(); ++k) {
        const nb::object gradient = nb::borrow(gradients[k]);
        if (gradient.is_none()) continue;
        after[k] = reader_.expect(gradient, "a gradient");
        require(k == 0 ? is_output(after[k]) : after[k].is({directions, batch, l.state_size(k - 1)}),
                "a gradient must have the shape of its output or state");
        if (k > 0) dlast[k - 1] = after[k].data;
    }

    std::vector<nb::object> likes{nb::borrow(x)};
    for (nb::handle each : state) likes.push_back(nb::borrow(each));
    for (std::size_t i = 0; i < own.n; ++i) likes.push_back(own.tensors[i]);
    require(nb::len(wanted) == likes.size(), "wanted must have a bool for each gradient");
    nb::list results;
    std::vector<float*> to;
    const std::size_t states = nb::len(state);
    for (std::size_t i = 0; i < likes.size(); ++i) {
        float* data = nullptr;
        const View& shape = i == 0 ? given.x : i <= states ? given.views[i - 1] : own.views[i - 1 - states];
        results.append(nb::cast<bool>(wanted[i]) ? reader_.fresh(likes[i], shape.sizes(), data) : nb::none());
        to.push_back(data);
    }
    std::copy(to.begin() + 1, to.begin() + 1 + states, dinitial.begin());
    const BackwardCall call{given.x.data, {given.initial.data(), states}, output.data, memory.data, after[0].data,
                            {dlast.data(), l.states()}, to[0], {dinitial.data(), states}, drawing.get()};
    Parameters p[2];
    Gradients g[2];
    l.split(own.addresses().data(), p);
    l.split(to.data() + 1 + states, g);
    const nb::gil_scoped_release release;
    ThreadState& t = thread_state;
    l.layer.backward(t.make(given.rows, l.layer.directions()), call, p, g, most, t.arena);
    return results;
}

void register_tensors(nb::module_& m) {
    nb::class_<Tensors>(m, "NativeTensors")
        .def(nb::init<bool>(), nb::arg("by_attributes") = false)
        .def("fits", &Tensors::fits, nb::arg("bounds"), nb::arg("x"), nb::arg("state"), nb::arg("parameters"),
             nb::arg("names"), nb::arg("batch_first"))
        .def("dense", &Tensors::dense, nb::arg("bounds"), nb::arg("x"), nb::arg("state"), nb::arg("parameters"),
             nb::arg("names"), nb::arg("batch_first"), nb::arg("threads"))
        .def("step", &Tensors::step, nb::arg("bounds"), nb::arg("x"), nb::arg("state"), nb::arg("parameters"),
             nb::arg("names"), nb::arg("threads"))
        .def("forward", &Tensors::forward, nb::arg("layer"), nb::arg("x"), nb::arg("state"), nb::arg("weights"),
             nb::arg("layout"), nb::arg("steps"), nb::arg("batch"), nb::arg("lengths").none(),
             nb::arg("batch_sizes").none(), nb::arg("lend").none(), nb::arg("threads"), nb::arg("draw") = nb::none())
        .def("backward", &Tensors::backward, nb::arg("layer"), nb::arg("x"), nb::arg("state"), nb::arg("weights"),
             nb::arg("layout"), nb::arg("steps"), nb::arg("batch"), nb::arg("lengths").none(),
             nb::arg("batch_sizes").none(), nb::arg("y"), nb::arg("saved"), nb::arg("gradients"), nb::arg("wanted"),
             nb::arg("threads"), nb::arg("draw") = nb::none());
}

}  // namespace penstock
