#include "tensors.hpp"

#include <nanobind/ndarray.h>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

namespace nb = nanobind;

namespace penstock {

// DLPack 1.x, https://dmlc.github.io/dlpack/latest/c_api.html; only what is called here has a type.
struct Exchange {
    std::uint32_t major, minor;
    void *previous, *allocate, *from_tensor_owned, *to_tensor;
    int (*from_tensor)(void* tensor, nb::dlpack::dltensor* out);
};

namespace {

constexpr std::size_t kMostWeights = 2 * 6;
constexpr std::int64_t kLarge = 1 << 18;  // floats; so much freed memory the C library may give back to the system
const char* const kTaken[] = {"_version", "new_empty", "data_ptr", "dtype", "shape", "is_cpu", "is_contiguous", "layer", "stale"};
enum Name { kVersion, kNewEmpty, kDataPtr, kDtype, kShape, kIsCpu, kIsContiguous, kLayer, kStale };

PyObject* name(Name which) {
    static PyObject* const interned = [] {
        PyObject* all = PyTuple_New(std::size(kTaken));
        for (std::size_t i = 0; i < std::size(kTaken); ++i) PyTuple_SET_ITEM(all, i, PyUnicode_InternFromString(kTaken[i]));
        return all;
    }();
    return PyTuple_GET_ITEM(interned, which);
}

nb::object attribute(PyObject* of, Name which) {
    PyObject* found = PyObject_GetAttr(of, name(which));
    if (!found) nb::raise_python_error();
    return nb::steal(found);
}

nb::object call(PyObject* of, Name method) {
    PyObject* found = PyObject_CallMethodNoArgs(of, name(method));
    if (!found) nb::raise_python_error();
    return nb::steal(found);
}

const std::int64_t* whole_numbers(nb::handle tensor) {
    if (tensor.is_none()) return nullptr;
    return at<const std::int64_t>(nb::cast<Address>(call(tensor.ptr(), kDataPtr)));
}

// The name and shape of each parameter of one direction, in their order; 0 columns for a vector.
struct Declared {
    const char* name;
    std::int64_t rows, columns;

    bool matches(const View& view) const { return columns ? view.is({rows, columns}) : view.is({rows}); }
};
std::size_t declare(const NativeLayer& l, Declared* to) {
    const Sizes& z = l.layer.sizes();
    const std::int64_t gates = std::int64_t(z.G) * z.H;
    std::size_t n = 0;
    to[n++] = {"weight_ih", gates, z.I};
    to[n++] = {"weight_hh", gates, z.P};
    if (l.bias) to[n++] = {"bias_ih", gates, 0}, to[n++] = {"bias_hh", gates, 0};
    if (z.projected) to[n++] = {"weight_hr", z.P, z.H};
    if (z.peepholes) to[n++] = {"weight_ch", z.peepholes, z.H};
    return n;
}

std::int64_t state_size(const NativeLayer& l, std::size_t k) { return penstock::state_size(l.layer.sizes(), int(k)); }

}  // namespace

bool View::is(std::initializer_list<std::int64_t> other) const {
    return axes == int(other.size()) && std::equal(other.begin(), other.end(), shape.begin());
}

bool View::empty() const { return std::find(shape.begin(), shape.begin() + axes, 0) != shape.begin() + axes; }

Tensors::Tensors(nb::object tensor, nb::object parameter, nb::object float32, nb::object exchange)
    : tensor_(tensor), parameter_(parameter), float32_(float32), capsule_(exchange) {
    if (exchange.is_none()) return;
    const auto* table = static_cast<const Exchange*>(PyCapsule_GetPointer(exchange.ptr(), "dlpack_exchange_api"));
    if (!table) nb::raise_python_error();
    if (table->major == 1 && table->from_tensor) exchange_ = table;
}

// Of these two types exactly: others may mean something else by their data, or have none.
bool Tensors::read(PyObject* tensor, View& view) const {
    PyObject* type = reinterpret_cast<PyObject*>(Py_TYPE(tensor));
    if (type != tensor_.ptr() && type != parameter_.ptr()) return false;
    return exchange_ ? read_exchanged(tensor, view) : read_attributes(tensor, view);
}

bool Tensors::read_exchanged(PyObject* tensor, View& view) const {
    nb::dlpack::dltensor t;
    if (exchange_->from_tensor(tensor, &t)) {  // it has no memory of the usual kind, if it is sparse say
        PyErr_Clear();
        return false;
    }
    if (t.device.device_type != nb::device::cpu::value || t.dtype != nb::dtype<float>() || t.ndim < 1 || t.ndim > 3)
        return false;
    std::int64_t stride = 1;
    for (int axis = t.ndim - 1; axis >= 0; --axis) {
        const std::int64_t size = view.shape[axis] = t.shape[axis];
        if (t.strides && size > 1 && t.strides[axis] != stride) return false;
        stride *= size;
    }
    view.axes = t.ndim;
    view.data = reinterpret_cast<float*>(static_cast<char*>(t.data) + t.byte_offset);
    return true;
}

bool Tensors::read_attributes(PyObject* tensor, View& view) const {
    const nb::object shape = attribute(tensor, kShape);
    const std::size_t axes = nb::len(shape);
    if (!attribute(tensor, kDtype).is(float32_) || !nb::cast<bool>(attribute(tensor, kIsCpu)) || axes < 1 || axes > 3 ||
        !nb::cast<bool>(call(tensor, kIsContiguous)))
        return false;
    for (std::size_t axis = 0; axis < axes; ++axis) view.shape[axis] = nb::cast<std::int64_t>(shape[axis]);
    view.axes = int(axes);
    view.data = at(nb::cast<Address>(call(tensor, kDataPtr)));
    return true;
}

View Tensors::expect(nb::handle tensor, const char* what) const {
    View view;
    if (!read(tensor.ptr(), view))
        throw std::invalid_argument(std::string(what) + " must be a C-contiguous float32 tensor on the CPU");
    return view;
}

// The addresses, and a number that grows with every change in place. Inference tensors count no changes. The tensors
// are kept: while the engine runs, another thread may put others in their places.
struct Tensors::Weights {
    std::array<nb::object, kMostWeights> tensors;
    std::array<Address, kMostWeights> addresses;
    std::size_t n = 0;
    std::uint64_t version = 0;
    bool counted = true;

    std::span<const Address> all() const { return {addresses.data(), n}; }
};

// find(i) is the parameter i, or null. False where one is not there or does not fit, weights.n is which.
template <class Find>
bool Tensors::read_weights(const NativeLayer& l, std::size_t given, Find find, Weights& weights) const {
    Declared declared[kMostWeights / 2];
    const std::size_t each = declare(l, declared), all = each * l.layer.directions();
    if (given != all) throw std::invalid_argument("as many weights as the layer has parameters");
    for (; weights.n < all; ++weights.n) {
        PyObject* tensor = find(weights.n);
        View view;
        if (!tensor || !read(tensor, view) || !declared[weights.n % each].matches(view)) return false;
        weights.tensors[weights.n] = nb::borrow(tensor);
        weights.addresses[weights.n] = reinterpret_cast<Address>(view.data);
        if (PyObject* version = PyObject_GetAttr(tensor, name(kVersion))) {
            weights.version += PyLong_AsUnsignedLongLong(version);
            Py_DECREF(version);
        } else {
            PyErr_Clear();
            weights.counted = false;
        }
    }
    return true;
}

Tensors::Weights Tensors::expect_weights(const NativeLayer& l, nb::list given) const {
    Weights weights;
    const auto find = [&](std::size_t i) { return PyList_GET_ITEM(given.ptr(), i); };
    if (read_weights(l, nb::len(given), find, weights)) return weights;
    Declared declared[kMostWeights / 2];
    const Declared& wrong = declared[weights.n % declare(l, declared)];
    std::string shape = std::to_string(wrong.rows);
    shape += wrong.columns ? ", " + std::to_string(wrong.columns) : ",";
    throw std::runtime_error(std::string(wrong.name) + " must be float32, (" + shape + "), on the CPU; got " +
                             nb::repr(nb::getattr(given[weights.n], "shape")).c_str());
}

float* Tensors::optional(nb::handle tensor) const {
    return tensor.is_none() ? nullptr : expect(tensor, "a gradient").data;
}

std::size_t Tensors::read_states(const NativeLayer& l, nb::handle given, std::size_t from, const char* what,
                                 Pointers& to) const {
    const std::size_t n = std::max(nb::len(given), from) - from;
    if (n && n != l.states()) throw std::invalid_argument("as many states as the cell has");
    for (std::size_t k = 0; k < n; ++k) {
        const nb::object each = given[from + k];
        to[k] = each.is_none() ? nullptr : expect(each, what).data;
    }
    return n;
}

nb::object Tensors::fresh(nb::handle like, std::span<const std::int64_t> shape, float*& data) const {
    PyObject* arguments[1 + 3] = {like.ptr()};
    std::size_t n = 1;
    for (const std::int64_t size : shape) arguments[n++] = PyLong_FromLongLong(size);
    PyObject* made = PyObject_VectorcallMethod(name(kNewEmpty), arguments, n, nullptr);
    for (std::size_t i = 1; i < n; ++i) Py_DECREF(arguments[i]);
    if (!made) nb::raise_python_error();
    nb::object tensor = nb::steal(made);
    data = expect(tensor, "a new tensor").data;
    return tensor;
}

nb::object Tensors::fresh(nb::handle like, std::initializer_list<std::int64_t> shape, float*& data) const {
    return fresh(like, std::span(shape.begin(), shape.size()), data);
}

nb::tuple Tensors::fresh_states(const NativeLayer& l, nb::handle like, std::initializer_list<std::int64_t> axes,
                                Pointers& to) const {
    nb::tuple states = nb::steal<nb::tuple>(PyTuple_New(Py_ssize_t(l.states())));
    std::array<std::int64_t, 3> shape{};
    std::copy(axes.begin(), axes.end(), shape.begin());
    for (std::size_t k = 0; k < l.states(); ++k) {
        shape[axes.size()] = state_size(l, k);
        nb::object made = fresh(like, std::span<const std::int64_t>(shape.data(), axes.size() + 1), to[k]);
        PyTuple_SET_ITEM(states.ptr(), Py_ssize_t(k), made.release().ptr());
    }
    return states;
}

// What a call with nothing out of the ordinary consists of.
struct Tensors::Plain {
    View x, initial[kMostStates];
    std::size_t states = 0;  // 0 for zeros
    std::vector<NativeLayer*> layers;
    std::vector<Weights> weights;
};

// axes: 3 for sequences, 2 for one step; batch_axis: of x. False where something is out of the ordinary.
bool Tensors::read_plain(nb::tuple bounds, nb::handle x, nb::tuple state, nb::dict parameters, nb::tuple names,
                         int axes, int batch_axis, Plain& call) const {
    if (!read(x.ptr(), call.x) || call.x.axes != axes || call.x.empty()) return false;
    for (nb::handle bound : bounds) {
        if (!attribute(bound.ptr(), kStale).is(nb::handle(Py_False))) return false;
        call.layers.push_back(nb::cast<NativeLayer*>(attribute(bound.ptr(), kLayer)));
    }
    const NativeLayer& bottom = *call.layers.front();
    if (call.x.shape[axes - 1] != bottom.layer.sizes().I) return false;
    const std::int64_t rows = call.layers.size() * bottom.layer.directions(), batch = call.x.shape[batch_axis];
    const std::size_t given = nb::len(state);
    if (given != 0 && given != bottom.states()) return false;
    call.states = given;
    for (std::size_t k = 0; k < given; ++k) {
        const View& view = call.initial[k];
        if (!read(PyTuple_GET_ITEM(state.ptr(), k), call.initial[k]) ||
            !(axes == 3 ? view.is({rows, batch, state_size(bottom, k)}) : view.is({batch, state_size(bottom, k)})))
            return false;
    }
    call.weights.resize(call.layers.size());
    for (std::size_t i = 0; i < call.layers.size(); ++i) {
        const nb::tuple own = nb::borrow<nb::tuple>(PyTuple_GetItem(names.ptr(), i));
        const auto find = [&](std::size_t k) { return PyDict_GetItem(parameters.ptr(), PyTuple_GET_ITEM(own.ptr(), k)); };
        Weights& weights = call.weights[i];
        if (!read_weights(*call.layers[i], nb::len(own), find, weights) || !weights.counted) return false;
    }
    return true;
}

bool Tensors::fits(nb::tuple bounds, nb::handle x, nb::tuple state, nb::dict parameters, nb::tuple names,
                   bool batch_first) const {
    Plain call;
    return read_plain(bounds, x, state, parameters, names, 3, batch_first ? 0 : 1, call);
}

nb::object Tensors::dense(nb::tuple bounds, nb::handle x, nb::tuple state, nb::dict parameters, nb::tuple names,
                          bool batch_first, int threads) const {
    Plain call;
    const int batch_axis = batch_first ? 0 : 1;
    if (!read_plain(bounds, x, state, parameters, names, 3, batch_axis, call)) return nb::none();
    const NativeLayer& bottom = *call.layers.front();
    const std::int64_t directions = bottom.layer.directions(), rows = call.layers.size() * directions;
    const std::int64_t batch = call.x.shape[batch_axis];
    const std::size_t states = bottom.states();
    Pointers initial{}, last{};
    const nb::tuple made = fresh_states(bottom, x, {rows, batch}, last);
    const nb::object final = states == 1 ? nb::object(made[0]) : nb::object(made);
    nb::object output;
    for (std::size_t k = 0; k < call.states; ++k) initial[k] = call.initial[k].data;
    const Arrangement arrangement{int(call.x.shape[1 - batch_axis]), int(batch),
                                  batch_first ? Layout::kBatchFirst : Layout::kTimeMajor};
    for (std::size_t i = 0; i < call.layers.size(); ++i) {
        float* y;
        nb::object above = fresh(x, {call.x.shape[0], call.x.shape[1], directions * state_size(bottom, 0)}, y);
        call.layers[i]->run(call.weights[i].all(), call.weights[i].version, false, arrangement,
                            {call.x.data, {initial.data(), call.states}, y, {last.data(), states}, nullptr}, threads);
        call.x.data = y;
        // The states of the next layer stand behind those of this one.
        for (std::size_t k = 0; k < states; ++k) {
            const std::int64_t own = directions * batch * state_size(bottom, k);
            last[k] += own;
            if (k < call.states) initial[k] += own;
        }
        output = above;
    }
    return nb::make_tuple(output, final);
}

nb::object Tensors::step(nb::tuple bounds, nb::handle x, nb::tuple state, nb::dict parameters, nb::tuple names,
                         int threads) const {
    Plain call;
    if (!read_plain(bounds, x, state, parameters, names, 2, 0, call)) return nb::none();
    NativeLayer& l = *call.layers.front();
    const std::int64_t batch = call.x.shape[0];
    Pointers initial{}, last{};
    nb::tuple made = fresh_states(l, x, {batch}, last);
    for (std::size_t k = 0; k < call.states; ++k) initial[k] = call.initial[k].data;
    // The output of a single step is its state, and the engine takes one memory for both.
    l.run(call.weights[0].all(), call.weights[0].version, false, {1, int(batch), Layout::kTimeMajor},
          {call.x.data, {initial.data(), call.states}, last[0], {last.data(), l.states()}, nullptr}, threads);
    return made;
}

nb::tuple Tensors::forward(NativeLayer& l, nb::handle input, nb::tuple state, nb::list weights, int layout, int steps,
                           int batch, nb::handle lengths, nb::handle batch_sizes, bool repack, nb::object lend,
                           int threads) const {
    const View x = expect(input, "input");
    const Arrangement rows{steps, batch, static_cast<Layout>(layout), whole_numbers(lengths), whole_numbers(batch_sizes)};
    const std::int64_t directions = l.layer.directions();
    const Weights own = expect_weights(l, weights);
    Pointers initial{}, last{};
    const std::size_t given = read_states(l, state, 0, "hx", initial);
    ForwardCall call{x.data, {initial.data(), given}, nullptr, {last.data(), l.states()}, nullptr};
    nb::list results;
    View y = x;
    y.shape[x.axes - 1] = directions * state_size(l, 0);
    results.append(fresh(input, y.sizes(), call.y));
    for (nb::handle each : fresh_states(l, input, {directions, batch}, last)) results.append(each);
    if (!lend.is_none()) {
        const std::int64_t all_rows = x.shape[0] * (x.axes == 3 ? x.shape[1] : 1), size = l.layer.saved_size(all_rows);
        if (size < kLarge) {
            results.append(fresh(input, {size}, call.saved));
        } else {
            results.append(lend(size));
            call.saved = expect(results[nb::len(results) - 1], "lent memory").data;
        }
    }
    l.run(own.all(), own.version, repack || !own.counted, rows, call, threads);
    return nb::tuple(results);
}

nb::list Tensors::backward(const NativeLayer& l, nb::handle x, nb::tuple state, nb::list weights, int layout, int steps,
                           int batch, nb::handle lengths, nb::handle batch_sizes, nb::handle y, nb::handle saved,
                           nb::list gradients, nb::sequence wanted, int threads) const {
    const Arrangement rows{steps, batch, static_cast<Layout>(layout), whole_numbers(lengths), whole_numbers(batch_sizes)};
    const Weights own = expect_weights(l, weights);
    nb::list results;
    std::vector<float*> to;
    const auto give = [&](nb::handle like) {
        float* data = nullptr;
        const bool wants = nb::cast<bool>(wanted[to.size()]);
        results.append(wants ? fresh(like, expect(like, "a tensor").sizes(), data) : nb::none());
        to.push_back(data);
    };
    give(x);
    for (nb::handle each : state) give(each);
    for (nb::handle each : weights) give(each);
    Pointers initial{}, dlast{}, dinitial{};
    const std::size_t given = read_states(l, state, 0, "hx", initial);
    std::copy(to.begin() + 1, to.begin() + 1 + given, dinitial.begin());
    std::vector<Address> to_weights;
    for (std::size_t i = 1 + given; i < to.size(); ++i) to_weights.push_back(reinterpret_cast<Address>(to[i]));
    const std::size_t changed = read_states(l, gradients, 1, "a gradient", dlast);
    const BackwardCall call{expect(x, "input").data, {initial.data(), given}, expect(y, "y").data,
                            expect(saved, "saved").data, optional(gradients[0]), {dlast.data(), changed},
                            to[0], {dinitial.data(), given}};
    l.run_backward(own.all(), to_weights, rows, call, threads);
    return results;
}

}  // namespace penstock
