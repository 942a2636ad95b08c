// Steps: a stack of layers that holds its states itself, and many streams whose states are in slabs of the caller.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <new>
#include <vector>

#include "native_layer.hpp"
#include "penstock/draw.hpp"
#include "penstock/kernels.hpp"
#include "penstock/streams.hpp"

namespace penstock {
namespace {

using Doubles = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Slab2 = nb::ndarray<float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

// A stack of loaded layers of one direction that advances one step at a time and keeps its states between the steps.
class Step {
   public:
    Step(nb::sequence layers, std::int64_t batch, std::int64_t threads)
        : layers_(layers), threads_(threads_of(threads)) {
        layout_.make(1, in_range(batch, 1, kMostRows, "batch"), RowOrder::kTimeMajor, nullptr, nullptr, false);
        for (std::size_t i = 0; i < layers_.size(); ++i) {
            for (std::size_t k = 0; k < layers_[i].states(); ++k)
                states_.emplace_back(std::size_t(batch) * layers_[i].state_size(k));
        }
        for (std::vector<float>& state : states_) addresses_.push_back(state.data());
    }

    // The last layer's first state is the output. saved: for each layer Layer::saved_size floats, or null
    void run(nb::handle given, float* const* saved = nullptr) {
        const Rows x = rows_of(given);
        require(is_size(x.shape(0), layout_.batch) && is_size(x.shape(1), layers_.inputs()), "x must be (batch, input)");
        const float* from = x.data();
        const OneCall alone(busy_);
        const nb::gil_scoped_release release;
        advance(from, saved);
    }

    // Draws tokens and reads each, until the token `end` is drawn, which is not read, or there is no chance left. Of each
    // token four numbers: the token, its score, the greatest score, and the probability of the token that has it.
    // table: (tokens, input), what a token is read as; head: the scores of all tokens, from the last layer's output
    nb::object generate(nb::handle given_table, const Linear& head, nb::handle given_chances, float temperature,
                        std::int64_t top_k, double top_p, std::int64_t end) {
        const Rows table = array_of<Rows>(given_table, "table must be a C-contiguous, aligned float32 array of 2 axes");
        const auto chances = array_of<Doubles>(given_chances, "chances must be a C-contiguous, aligned float64 array of 1 axis");
        const int tokens = head.outputs();
        require(layout_.batch == 1, "one stream alone can generate");
        require(is_size(table.shape(0), tokens) && is_size(table.shape(1), layers_.inputs()), "table must be (tokens, input)");
        require(is_size(std::size_t(head.inputs()), layers_.outputs()), "head must read the last layer's output");
        require(temperature >= 0 && top_p > 0 && top_p <= 1, "temperature must be 0 or more, top_p above 0 and at most 1");
        const Rule rule{temperature, in_range(top_k, 0, kMostUnits, "top_k"), top_p};
        const std::size_t most = chances.shape(0);
        float* out;
        nb::object result = fresh_array({most, std::size_t(kDrawn)}, out);
        const OneCall alone(busy_);
        std::size_t count = 0;
        {
            const nb::gil_scoped_release release;
            scores_.resize(std::size_t(tokens)), shares_.resize(std::size_t(tokens));
            const float* const y = addresses_[addresses_.size() - layers_[layers_.size() - 1].states()];
            for (; count < most; ++count, out += kDrawn) {
                head(y, 1, scores_.data(), arena_);
                kernels().softmax(scores_.data(), shares_.data(), 1, tokens);
                const int best = kernels().first_greatest(scores_.data(), tokens);
                const int token = drawer_(scores_.data(), shares_.data(), tokens, best, chances.data()[count], rule);
                if (token == end) break;
                out[0] = float(token), out[1] = scores_[std::size_t(token)], out[2] = scores_[std::size_t(best)];
                out[3] = shares_[std::size_t(best)];
                advance(table.data() + std::size_t(token) * table.shape(1), nullptr);
            }
        }
        return nb::make_tuple(count, result);
    }

    // A step that also returns what each layer saves for a gradient, its gates and states: one [batch][S][Hp] per layer.
    nb::list trace(nb::handle x) {
        nb::list result;
        std::vector<float*> saved;
        for (std::size_t i = 0; i < layers_.size(); ++i) {
            const Layer& l = layers_[i].layer;
            const std::size_t batch = layout_.batch, S = l.sizes().S, Hp = l.sizes().Hp;
            auto* data = new (std::align_val_t(64)) float[l.saved_size(batch)];
            nb::capsule owner(data, [](void* p) noexcept { operator delete[](p, std::align_val_t(64)); });
            const std::size_t shape[3] = {batch, S, Hp};
            result.append(nb::cast(nb::ndarray<nb::numpy, float, nb::ndim<3>>(data, 3, shape, owner)));
            saved.push_back(data);
        }
        run(x, saved.data());
        return result;
    }

    // Arrays over the states of each layer in turn; they keep `self` alive.
    static nb::list views(nb::handle self) {
        Step& step = nb::cast<Step&>(self);
        nb::list views;
        for (std::vector<float>& state : step.states_) {
            const std::size_t rows = step.layout_.batch, shape[2] = {rows, state.size() / rows};
            views.append(nb::cast(nb::ndarray<nb::numpy, float, nb::ndim<2>>(state.data(), 2, shape, self)));
        }
        return views;
    }

   private:
    static constexpr int kDrawn = 4;  // numbers of a drawn token

    void advance(const float* from, float* const* saved) {
        float* const* next = addresses_.data();
        for (std::size_t i = 0; i < layers_.size(); ++i) {
            const StatesOut own(next, layers_[i].states());
            next += own.size();
            layers_[i].layer.forward(layout_, {from, own, own[0], own, saved ? saved[i] : nullptr}, threads_, arena_);
            from = own[0];
        }
    }

    HeldStack layers_;
    int threads_;
    BatchLayout layout_;
    Arena arena_;
    std::vector<std::vector<float>> states_;  // the states of each layer in turn
    std::vector<float*> addresses_;
    std::vector<float> scores_, shares_;  // of all tokens, while tokens are drawn
    Drawer drawer_;
    std::atomic<bool> busy_{false};
};

class NativeStreams {
   public:
    explicit NativeStreams(nb::sequence layers) : layers_(layers), streams_(engine_layers(layers_)) {}

    // slabs: the states of each layer in turn, each (streams, size)
    nb::object step(nb::handle given_places, nb::handle given_x, nb::sequence slabs, std::int64_t threads) {
        const auto places = array_of<Wholes>(given_places, "places must be a C-contiguous, aligned int64 array of 1 axis");
        const Rows x = rows_of(given_x);
        const std::size_t n = places.shape(0);
        require(x.shape(0) == n && is_size(x.shape(1), layers_.inputs()), "x must be (places, input)");
        require(n <= std::size_t(kMostRows), "more places than the engine can count");
        const OneCall alone(busy_);
        std::vector<Slab2> held;
        for (nb::handle each : slabs) held.push_back(array_of<Slab2>(each, "a slab must be a writable, C-contiguous, aligned float32 array of 2 axes"));
        std::vector<float*> to;
        const std::size_t streams = held.empty() ? 0 : held[0].shape(0);
        for (std::size_t i = 0; i < layers_.size(); ++i)
            for (std::size_t k = 0; k < layers_[i].states(); ++k) {
                const std::size_t next = to.size();
                require(next < held.size() && held[next].shape(0) == streams &&
                            is_size(held[next].shape(1), layers_[i].state_size(k)),
                        "slabs must be each layer's states, (streams, size)");
                to.push_back(held[next].data());
            }
        require(to.size() == held.size(), "more slabs than the layers have states");
        places_.assign(places.data(), places.data() + n);
        for (const std::int64_t place : places_) require(place >= 0 && std::size_t(place) < streams, "a place is outside the slabs");
        float* y;
        nb::object result = fresh_array({n, std::size_t(layers_.outputs())}, y);
        const float* from = x.data();
        const int most = threads_of(threads);
        const nb::gil_scoped_release release;
        streams_.step(places_.data(), n, from, to.data(), y, most);
        return result;
    }

   private:
    static std::vector<Layer*> engine_layers(const HeldStack& from) {
        std::vector<Layer*> to;
        for (std::size_t i = 0; i < from.size(); ++i) to.push_back(&from[i].layer);
        return to;
    }

    HeldStack layers_;
    Streams streams_;
    std::vector<std::int64_t> places_;
    std::atomic<bool> busy_{false};
};

}  // namespace

void register_steps(nb::module_& m) {
    nb::class_<Step>(m, "NativeStep")
        .def(nb::init<nb::sequence, std::int64_t, std::int64_t>(), nb::arg("layers"), nb::arg("batch"), nb::arg("threads"))
        .def("__call__", [](Step& s, nb::handle x) { s.run(x); }, nb::arg("x"))
        .def("trace", &Step::trace, nb::arg("x"))
        .def("generate", &Step::generate, nb::arg("table"), nb::arg("head"), nb::arg("chances"), nb::arg("temperature"),
             nb::arg("top_k"), nb::arg("top_p"), nb::arg("end"))
        .def("states", [](nb::handle self) { return Step::views(self); });

    nb::class_<NativeStreams>(m, "NativeStreams")
        .def(nb::init<nb::sequence>(), nb::arg("layers"))
        .def("step", &NativeStreams::step, nb::arg("places"), nb::arg("x"), nb::arg("slabs"),
             nb::arg("threads"));
}

}  // namespace penstock
