// The compiled module: takes arrays and addresses, whose shapes penstock/engine checks, and PyTorch's tensors
// (tensors.hpp); releases the GIL, calls.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstring>
#include <new>
#include <optional>
#include <stdexcept>

#include "native_layer.hpp"
#include "penstock/streams.hpp"
#include "tensors.hpp"

namespace nb = nanobind;
using namespace penstock;
using Rows = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Floats = nb::ndarray<const float, nb::c_contig, nb::device::cpu>;

namespace {

// A stack of one-direction packed layers, one step at a time: arrays bound once, state carried inside.
class Step {
   public:
    Step(std::vector<NativeLayer*> layers, int batch, int threads) : layers_(std::move(layers)), threads_(threads) {
        plan_.make(1, batch, Layout::kTimeMajor, nullptr, nullptr, false);
        for (const NativeLayer* l : layers_) {
            const Sizes& z = l->layer.sizes();
            for (int k = 0; k < z.states; ++k) states_.emplace_back(std::size_t(batch) * state_size(z, k));
        }
        for (std::vector<float>& state : states_) addresses_.push_back(state.data());
    }

    // The last layer's state is the output. saved: for each layer Layer::saved_size floats, or null
    void operator()(const float* x, float* const* saved = nullptr) {
        float* const* next = addresses_.data();
        for (std::size_t i = 0; i < layers_.size(); ++i) {
            const StatesOut own(next, layers_[i]->states());
            next += own.size();
            layers_[i]->layer.forward(plan_, {x, own, own[0], own, saved ? saved[i] : nullptr}, threads_, arena_);
            x = own[0];
        }
    }

    // All states, of each layer in turn.
    std::vector<std::vector<float>>& states() { return states_; }
    int batch() const { return plan_.batch; }
    int inputs() const { return layers_.front()->layer.sizes().I; }
    const std::vector<NativeLayer*>& layers() const { return layers_; }

   private:
    std::vector<NativeLayer*> layers_;
    int threads_;
    Plan plan_;
    Arena arena_;
    std::vector<std::vector<float>> states_;
    std::vector<float*> addresses_;
};

// Streams, with the layers kept alive by the Python object that holds both.
struct NativeStreams {
    std::vector<NativeLayer*> layers;
    Streams streams;

    explicit NativeStreams(std::vector<NativeLayer*> from) : layers(std::move(from)), streams(engine_layers(layers)) {}
    static std::vector<Layer*> engine_layers(const std::vector<NativeLayer*>& from) {
        std::vector<Layer*> to;
        for (NativeLayer* l : from) to.push_back(&l->layer);
        return to;
    }

    // slabs: the address of each state of each layer in turn
    void step(Address places, std::size_t n, Address x, const std::vector<Address>& slabs, Address y, int threads) {
        std::size_t states = 0;
        for (const NativeLayer* l : layers) states += l->states();
        if (slabs.size() != states) throw std::invalid_argument("as many slabs as states");
        std::vector<float*> own;
        for (const Address slab : slabs) own.push_back(at(slab));
        const nb::gil_scoped_release release;
        streams.step(at<const std::int64_t>(places), n, at<const float>(x), own.data(), at(y), threads);
    }
};

nb::object view(std::vector<float>& data, int rows, nb::handle owner) {
    const std::size_t shape[2] = {std::size_t(rows), rows ? data.size() / rows : 0};
    return nb::cast(nb::ndarray<nb::numpy, float, nb::ndim<2>>(data.data(), 2, shape, owner));
}

nb::object fresh(std::size_t rows, std::size_t columns, float*& data) {
    data = new float[rows * columns + 1];
    nb::capsule owner(data, [](void* p) noexcept { delete[] static_cast<float*>(p); });
    const std::size_t shape[2] = {rows, columns};
    return nb::cast(nb::ndarray<nb::numpy, float, nb::ndim<2>>(data, 2, shape, owner));
}

// A step that also keeps what each layer saves for a gradient: its gates and states, [batch][S][Hp] a layer.
nb::list trace(Step& step, Rows x) {
    if (int(x.shape(0)) != step.batch() || int(x.shape(1)) != step.inputs()) throw std::invalid_argument("shape");
    nb::list result;
    std::vector<float*> saved;
    for (const NativeLayer* l : step.layers()) {
        const std::size_t batch = step.batch(), S = l->layer.sizes().S, Hp = l->layer.sizes().Hp;
        auto* data = new (std::align_val_t(64)) float[l->layer.saved_size(batch)];
        nb::capsule owner(data, [](void* p) noexcept { operator delete[](p, std::align_val_t(64)); });
        const std::size_t shape[3] = {batch, S, Hp};
        result.append(nb::cast(nb::ndarray<nb::numpy, float, nb::ndim<3>>(data, 3, shape, owner)));
        saved.push_back(data);
    }
    const nb::gil_scoped_release release;
    step(x.data(), saved.data());
    return result;
}

void map_floats(void (*f)(const float*, float*, std::size_t), const Floats& x,
                nb::ndarray<float, nb::c_contig, nb::device::cpu> out) {
    if (x.size() != out.size()) throw std::invalid_argument("x and out must have the same size");
    f(x.data(), out.data(), x.size());
}

}  // namespace

NB_MODULE(_native, m) {
    nb::set_leak_warnings(false);  // at exit, a traceback or a module-level layer may still hold objects; that is no fault
    nb::class_<NativeLayer>(m, "NativeLayer")
        .def("__init__",
             [](NativeLayer* self, const std::string& form, int input, int hidden, int projection, bool bias, int directions) {
                 const CellKernels* cell = find_cell(form.c_str());
                 if (!cell) throw std::invalid_argument("no kernels for " + form);
                 new (self) NativeLayer(*cell, input, hidden, projection, bias, directions);
             },
             nb::arg("form"), nb::arg("input"), nb::arg("hidden"), nb::arg("projection"), nb::arg("bias"),
             nb::arg("directions"))
        .def("saved_size", [](const NativeLayer& l, std::size_t rows) { return l.layer.saved_size(rows); }, nb::arg("rows"))
        .def("pack", &NativeLayer::pack, nb::arg("weights"), nb::arg("version"))
        .def("run",
             [](NativeLayer& l, Address x, const std::vector<Address>& weights, std::uint64_t version, int steps,
                int batch, int layout, Address lengths, const std::vector<Address>& initial, Address y,
                const std::vector<Address>& last, int threads) {
                 if ((!initial.empty() && initial.size() != l.states()) || last.size() != l.states())
                     throw std::invalid_argument("as many states as the cell has");
                 const StatesAt from(initial), to(last);
                 l.run(weights, version, false,
                       {steps, batch, static_cast<Layout>(layout), at<const std::int64_t>(lengths)},
                       {at(x), from.all(), at(y), to.all(), nullptr}, threads);
             },
             nb::arg("x"), nb::arg("weights"), nb::arg("version"), nb::arg("steps"), nb::arg("batch"), nb::arg("layout"),
             nb::arg("lengths"), nb::arg("initial"), nb::arg("y"), nb::arg("last"), nb::arg("threads"));

    nb::class_<Tensors>(m, "NativeTensors")
        .def(nb::init<nb::object, nb::object, nb::object, nb::object>(), nb::arg("tensor"), nb::arg("parameter"),
             nb::arg("float32"), nb::arg("exchange").none())
        .def("fits", &Tensors::fits)
        .def("dense", &Tensors::dense)
        .def("step", &Tensors::step)
        .def("forward", &Tensors::forward, nb::arg("layer"), nb::arg("x"), nb::arg("state"), nb::arg("weights"),
             nb::arg("layout"), nb::arg("steps"), nb::arg("batch"), nb::arg("lengths").none(),
             nb::arg("batch_sizes").none(), nb::arg("repack"), nb::arg("lend").none(), nb::arg("threads"))
        .def("backward", &Tensors::backward, nb::arg("layer"), nb::arg("x"), nb::arg("state"), nb::arg("weights"),
             nb::arg("layout"), nb::arg("steps"), nb::arg("batch"), nb::arg("lengths").none(),
             nb::arg("batch_sizes").none(), nb::arg("y"), nb::arg("saved"), nb::arg("gradients"), nb::arg("wanted"),
             nb::arg("threads"));

    nb::class_<Step>(m, "NativeStep")
        .def("__init__",
             [](Step* self, const std::vector<NativeLayer*>& layers, int batch, int threads) {
                 new (self) Step(layers, batch, threads);
             })
        .def("__call__",
             [](Step& s, Rows x) {
                 if (int(x.shape(0)) != s.batch() || int(x.shape(1)) != s.inputs())
                     throw std::invalid_argument("shape");
                 const nb::gil_scoped_release release;
                 s(x.data());
             },
             nb::arg("x").noconvert())
        .def("trace", &trace, nb::arg("x").noconvert())
        .def("states", [](nb::handle self) {
            Step& s = nb::cast<Step&>(self);
            nb::list views;
            for (std::vector<float>& state : s.states()) views.append(view(state, s.batch(), self));
            return views;
        });

    nb::class_<NativeStreams>(m, "NativeStreams")
        .def("__init__",
             [](NativeStreams* self, const std::vector<NativeLayer*>& layers) { new (self) NativeStreams(layers); })
        .def("step", &NativeStreams::step, nb::arg("places"), nb::arg("n"), nb::arg("x"), nb::arg("slabs"),
             nb::arg("y"), nb::arg("threads"));

    nb::class_<Linear>(m, "NativeLinear")
        .def("__init__",
             [](Linear* self, Rows weight, std::optional<Floats> bias) {
                 new (self) Linear(weight.data(), bias ? bias->data() : nullptr, int(weight.shape(0)), int(weight.shape(1)));
             },
             nb::arg("weight"), nb::arg("bias").none())
        .def("__call__", [](const Linear& l, Rows x) {
            if (int(x.shape(1)) != l.inputs()) throw std::invalid_argument("shape");
            float* out;
            nb::object result = fresh(x.shape(0), l.outputs(), out);
            const nb::gil_scoped_release release;
            l(x.data(), x.shape(0), out, thread_state.arena);
            return result;
        });

    m.def("softmax", [](Rows x) {
        float* out;
        nb::object result = fresh(x.shape(0), x.shape(1), out);
        kernels().softmax(x.data(), out, x.shape(0), int(x.shape(1)));
        return result;
    });
    m.def("tanh", [](Floats x, nb::ndarray<float, nb::c_contig, nb::device::cpu> out) { map_floats(kernels().tanh, x, out); });
    m.def("sigmoid", [](Floats x, nb::ndarray<float, nb::c_contig, nb::device::cpu> out) { map_floats(kernels().sigmoid, x, out); });
    m.def("multiply_add", [](std::size_t rounds) {
        const nb::gil_scoped_release release;
        kernels().multiply_add(rounds);
        return double(rounds) * kernels().multiply_add_flops;
    });
    m.def("read_all", [](Address data, std::size_t n, std::size_t repeats) {
        const nb::gil_scoped_release release;
        return kernels().read_all(at<const float>(data), n, repeats);
    });
    m.def("forms", [] {
        nb::list names;
        for (int i = 0; i < kernels().cell_count; ++i) names.append(kernels().cells[i].traits.form);
        return names;
    });
    m.def("instruction_set", [] { return std::string(kernels().name); });
    m.def("runs_here", [](const std::string& name) { return find_kernels(name.c_str()) != nullptr; });
}
