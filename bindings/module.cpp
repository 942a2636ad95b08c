// The compiled module: takes arrays, and PyTorch's tensors (tensors.hpp), checks what decides an address (checks.hpp),
// releases the GIL, calls.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <optional>

#include "native_layer.hpp"

using namespace penstock;

namespace {

using Rows = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Written = nb::ndarray<float, nb::c_contig, nb::device::cpu>;

void map_floats(void (*f)(const float*, float*, std::size_t), const Floats& x, const Written& out) {
    require(x.size() == out.size(), "x and out must have the same size");
    f(memory_of(x), memory_of(out), x.size());
}

nb::object softmax(Rows x) {
    require(x.shape(1) >= 1 && std::int64_t(x.shape(1)) <= kMostUnits, "x must have 1 column or more, not too many");
    float* out;
    nb::object result = fresh_array({x.shape(0), x.shape(1)}, out);
    kernels().softmax(memory_of(x), out, x.shape(0), int(x.shape(1)));
    return result;
}

void make_linear(Linear* self, Rows weight, std::optional<Floats> bias) {
    const int outputs = in_range(weight.shape(0), 1, kMostUnits, "outputs"),
              inputs = in_range(weight.shape(1), 1, kMostUnits, "inputs");
    require(!bias || (bias->ndim() == 1 && is_size(bias->shape(0), outputs)), "bias must be (outputs,)");
    new (self) Linear(memory_of(weight), bias ? memory_of(*bias) : nullptr, outputs, inputs);
}

nb::object apply_linear(const Linear& l, Rows x) {
    require(is_size(x.shape(1), l.inputs()), "x must be (rows, inputs)");
    float* out;
    nb::object result = fresh_array({x.shape(0), std::size_t(l.outputs())}, out);
    const float* from = memory_of(x);
    const nb::gil_scoped_release release;
    l(from, x.shape(0), out, thread_state.arena);
    return result;
}

double multiply_add(std::int64_t rounds) {
    require(rounds >= 0 && rounds <= std::int64_t(1) << 32, "rounds must be from 0 to 2^32");
    const nb::gil_scoped_release release;
    kernels().multiply_add(rounds);
    return double(rounds) * kernels().multiply_add_flops;
}

float read_all(Floats data, std::int64_t repeats) {
    require(data.size() % 128 == 0, "data must be a multiple of 128 floats");
    require(repeats >= 0 && repeats <= std::int64_t(1) << 32, "repeats must be from 0 to 2^32");
    const float* from = memory_of(data);
    require(is_aligned(from, 64), "data must be aligned to 64 bytes");
    const nb::gil_scoped_release release;
    return kernels().read_all(from, data.size(), repeats);
}

}  // namespace

NB_MODULE(_native, m) {
    nb::set_leak_warnings(false);  // at exit, a traceback or a module-level layer may still hold objects; that is no fault
    register_layer(m);
    register_tensors(m);
    register_steps(m);

    nb::class_<Linear>(m, "NativeLinear")
        .def("__init__", &make_linear, nb::arg("weight").noconvert(), nb::arg("bias").none().noconvert())
        .def("__call__", &apply_linear, nb::arg("x").noconvert());
    m.def("softmax", &softmax, nb::arg("x").noconvert());
    m.def("tanh", [](Floats x, Written out) { map_floats(kernels().tanh, x, out); }, nb::arg("x").noconvert(),
          nb::arg("out").noconvert());
    m.def("sigmoid", [](Floats x, Written out) { map_floats(kernels().sigmoid, x, out); }, nb::arg("x").noconvert(),
          nb::arg("out").noconvert());
    m.def("multiply_add", &multiply_add, nb::arg("rounds"));
    m.def("read_all", &read_all, nb::arg("data").noconvert(), nb::arg("repeats"));
    m.def("forms", [] {
        nb::list names;
        for (int i = 0; i < kernels().cell_count; ++i) names.append(kernels().cells[i].traits.form);
        return names;
    });
    m.def("instruction_set", [] { return std::string(kernels().name); });
    m.def("runs_here", [](const std::string& name) { return find_kernels(name.c_str()) != nullptr; }, nb::arg("name"));
}
