// Work whose instructions valgrind counts: `engine_test count NAME`.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>

#include "penstock/streams.hpp"
#include "problem.hpp"

// A layer of 128 inputs and 128 units on one thread. It has few steps, because valgrind takes half a microsecond for a fused
// multiply-add.
struct Work {
    const char* name;
    Cell kind;
    int batch, steps;
    bool training;
};
constexpr Work kWork[] = {
    {"rnn-step-B1", kRnnTanh, 1, 1, false},     {"lstm-step-B1", kLstm, 1, 1, false},
    {"gru-step-B1", kGruAfter, 1, 1, false},    {"lstm-infer-B32", kLstm, 32, 4, false},
    {"gru-infer-B32", kGruAfter, 32, 4, false}, {"lstm-train-B32", kLstm, 32, 4, true},
};

// Callgrind counts inside this function only: tests/engine/test_instruction_counts.py names it.
[[gnu::noinline]] inline void counted(const std::function<void()>& work) { work(); }

inline int count(const char* name) {
    for (const Work& w : kWork) {
        if (std::strcmp(w.name, name)) continue;
        Problem p({w.kind, 128, 128, 0, w.batch, w.steps, false, false});
        Layer layer(kernels_of(w.kind, 0), 128, 128, 0, 1);
        layer.pack(p.parameters().data());
        const std::size_t B = w.batch;
        const auto of = [](Floats& f) { return f.empty() ? nullptr : f.data(); };
        Floats y(w.steps * B * 128), hn(B * 128), cn(p.c0.size()), dx(p.x.size()), dh0(p.h0.size()), dc0(p.c0.size());
        Floats saved(w.training ? layer.saved_size(p.layout.rows()) : 0);
        Data g = p.weights[0];
        const Gradients gradients{of(g.w_ih), of(g.w_hh), of(g.b_ih), of(g.b_hh), nullptr, nullptr};
        const auto parameters = p.parameters();
        Arena arena;
        Streams streams({&layer});
        const std::int64_t place = 0;
        const Addresses initial = p.initial(), last(p.c.states(), hn, cn), dinitial(p.c.states(), dh0, dc0);
        const auto work = [&] {
            if (w.steps == 1) {
                streams.step(&place, 1, p.x.data(), initial.at.data(), y.data(), 1);
                return;
            }
            layer.forward(p.layout, {p.x.data(), initial, y.data(), last, of(saved)}, 1, arena);
            if (w.training)
                layer.backward(p.layout,
                               {p.x.data(), initial, y.data(), saved.data(), y.data(), {}, dx.data(), dinitial},
                               parameters.data(), &gradients, 1, arena);
        };
        for (int i = 0; i < 2; ++i) work();  // the workspace grows
        counted(work);
        std::printf("%s: %s\n", kernels().name, name);
        return EXIT_SUCCESS;
    }
    for (const Work& w : kWork) std::printf("%s\n", w.name);
    return EXIT_FAILURE;
}
