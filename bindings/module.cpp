// The compiled module: it takes NumPy arrays and PyTorch tensors (tensors.hpp), checks everything that decides an address
// (checks.hpp), releases the GIL and calls the engine.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include "native_layer.hpp"

using namespace penstock;

namespace {

using Written = nb::ndarray<float, nb::c_contig, nb::device::cpu>;

using Map = void (*)(const float*, float*, std::size_t);

void map_floats(Map f, nb::handle given, nb::handle to) {
    const auto x = array_of<Floats>(given, "x must be a C-contiguous, aligned float32 array");
    const auto out = array_of<Written>(to, "out must be a writable, C-contiguous, aligned float32 array");
    require(x.size() == out.size(), "x and out must have the same size");
    f(x.data(), out.data(), x.size());
}

nb::object softmax(nb::handle given) {
    const Rows x = rows_of(given);
    require(x.shape(1) >= 1 && x.shape(1) <= std::size_t(kMostUnits), "x must have from 1 to 2^24 columns");
    float* out;
    nb::object result = fresh_array({x.shape(0), x.shape(1)}, out);
    kernels().softmax(x.data(), out, x.shape(0), int(x.shape(1)));
    return result;
}

void make_linear(Linear* self, nb::handle given, nb::handle given_bias) {
    const auto weight = array_of<Rows>(given, "weight must be a C-contiguous, aligned float32 array of 2 axes");
    const int outputs = in_range(weight.shape(0), 1, kMostUnits, "outputs"),
              inputs = in_range(weight.shape(1), 1, kMostUnits, "inputs");
    Floats bias;
    if (!given_bias.is_none()) {
        bias = array_of<Floats>(given_bias, "bias must be a C-contiguous, aligned float32 array");
        require(bias.ndim() == 1 && is_size(bias.shape(0), outputs), "bias must be (outputs,)");
    }
    new (self) Linear(weight.data(), given_bias.is_none() ? nullptr : bias.data(), outputs, inputs);
}

nb::object apply_linear(const Linear& l, nb::handle given) {
    const Rows x = rows_of(given);
    require(is_size(x.shape(1), l.inputs()), "x must be (rows, inputs)");
    float* out;
    nb::object result = fresh_array({x.shape(0), std::size_t(l.outputs())}, out);
    const nb::gil_scoped_release release;
    l(x.data(), x.shape(0), out, thread_state.arena);
    return result;
}

constexpr std::int64_t kMostRounds = 1 << 24;  // these take some tenths of a second

double multiply_add(std::int64_t rounds) {
    in_range(rounds, 0, kMostRounds, "rounds");
    const nb::gil_scoped_release release;
    kernels().multiply_add(rounds);
    return double(rounds) * kernels().multiply_add_flops;
}

float read_all(nb::handle given, std::int64_t repeats) {
    const auto data = array_of<Floats>(given, "data must be a C-contiguous, aligned float32 array");
    require(data.size() % 128 == 0, "the size of data must be a multiple of 128");
    in_range(repeats, 0, kMostRounds, "repeats");
    require(data.size() == 0 || is_aligned(data.data(), 64), "data must be aligned to 64 bytes");
    const nb::gil_scoped_release release;
    return kernels().read_all(data.data(), data.size(), repeats);
}

}  // namespace

NB_MODULE(_native, m) {
    nb::set_leak_warnings(false);  // at exit a traceback or a module-level layer may still hold objects, which is no leak
    register_layer(m);
    register_tensors(m);
    register_steps(m);

    nb::class_<Linear>(m, "NativeLinear")
        .def("__init__", &make_linear, nb::arg("weight"), nb::arg("bias").none())
        .def("__call__", &apply_linear, nb::arg("x"));
    m.def("softmax", &softmax, nb::arg("x"));
    m.def("tanh", [](nb::handle x, nb::handle out) { map_floats(kernels().tanh, x, out); }, nb::arg("x"),
          nb::arg("out"));
    m.def("sigmoid", [](nb::handle x, nb::handle out) { map_floats(kernels().sigmoid, x, out); }, nb::arg("x"),
          nb::arg("out"));
    m.def("multiply_add", &multiply_add, nb::arg("rounds"));
    m.def("read_all", &read_all, nb::arg("data"), nb::arg("repeats"));
    m.def("forms", [] {
        nb::list names;
        for (int i = 0; i < kernels().cell_count; ++i) names.append(kernels().cells[i].traits.form);
        return names;
    });
    m.def("instruction_set", [] { return std::string(kernels().name); });
    m.def("runs_here", [](const std::string& name) { return find_kernels(name.c_str()) != nullptr; }, nb::arg("name"));
}
