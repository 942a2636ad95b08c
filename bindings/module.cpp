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
            h_.emplace_back(std::size_t(batch) * z.P);
            c_.emplace_back(l->has_cell_state() ? std::size_t(batch) * z.H : 0);
        }
    }

    // The last layer's state is the output. saved: for each layer Layer::saved_size floats, or null
    void operator()(const float* x, float* const* saved = nullptr) {
        for (std::size_t i = 0; i < layers_.size(); ++i) {
            float* h = h_[i].data();
            float* c = c_[i].empty() ? nullptr : c_[i].data();
            layers_[i]->layer.forward(plan_, {x, h, c, h, h, c, saved ? saved[i] : nullptr}, threads_, arena_);
            x = h;
        }
    }

    std::vector<float>& h(std::size_t i) { return h_.at(i); }
    std::vector<float>& c(std::size_t i) { return c_.at(i); }
    int batch() const { return plan_.batch; }
    int inputs() const { return layers_.front()->layer.sizes().I; }
    const std::vector<NativeLayer*>& layers() const { return layers_; }

   private:
    std::vector<NativeLayer*> layers_;
    int threads_;
    Plan plan_;
    Arena arena_;
    std::vector<std::vector<float>> h_, c_;
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

    // slabs: the address of each layer's h and c in turn, 0 for a c that isn't there
    void step(Address places, std::size_t n, Address x, const std::vector<Address>& slabs, Address y, int threads) {
        std::vector<Slab> s(layers.size());
        for (std::size_t i = 0; i < s.size(); ++i) s[i] = {at(slabs.at(2 * i)), at(slabs.at(2 * i + 1))};
        const nb::gil_scoped_release release;
        streams.step(at<const std::int64_t>(places), n, at<const float>(x), s.data(), at(y), threads);
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
        .def(nb::init<int, int, int, int, bool, int>())
        .def("saved_size", [](const NativeLayer& l, std::size_t rows) { return l.layer.saved_size(rows); }, nb::arg("rows"))
        .def("pack", &NativeLayer::pack, nb::arg("weights"), nb::arg("version"))
        .def("run",
             [](NativeLayer& l, Address x, const std::vector<Address>& weights, std::uint64_t version, int steps,
                int batch, int layout, Address lengths, Address h0, Address c0, Address y, Address hn, Address cn,
                int threads) {
                 l.run(weights, version, false,
                       {steps, batch, static_cast<Layout>(layout), at<const std::int64_t>(lengths)},
                       {at(x), at(h0), at(c0), at(y), at(hn), at(cn), nullptr}, threads);
             });

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
        .def("h", [](nb::handle self, int i) { Step& s = nb::cast<Step&>(self); return view(s.h(i), s.batch(), self); })
        .def("c", [](nb::handle self, int i) { Step& s = nb::cast<Step&>(self); return view(s.c(i), s.batch(), self); });

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
    m.def("instruction_set", [] { return std::string(kernels().name); });
    m.def("runs_here", [](const std::string& name) { return find_kernels(name.c_str()) != nullptr; });
}
