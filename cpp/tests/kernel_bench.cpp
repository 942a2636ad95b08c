// The product alone, and layers on batches, as shares of the machine's multiply-adds: `make bench-kernel`.
//
// Each point is timed beside the multiply-adds, round by round, because a virtual machine changes its speed; the tables show
// the median share. PENSTOCK_ISA chooses the instruction set. An argument, "product", "infer" or "train", asks for one table.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "problem.hpp"

namespace {

constexpr int kRounds = 15;
constexpr double kSeconds = 1.5e-3;  // of a round: short, so that few are interrupted

double seconds_now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Repeats `work`, of `flops` each time, for about kSeconds. Returns flops a second.
template <class Work>
double rate(double flops, Work work) {
    const double begin = seconds_now();
    double spent;
    int repeats = 0;
    do {
        work();
        ++repeats;
        spent = seconds_now() - begin;
    } while (spent < kSeconds);
    return repeats * flops / spent;
}

constexpr std::size_t kMultiplyAdds = 2000;

void multiply_add(const ThreadGroup&, void*) {
    volatile float sink = kernels().multiply_add(kMultiplyAdds);
    (void)sink;
}

// The median share of the multiply-adds of so many threads.
template <class Work>
double share(double flops, int threads, Work work) {
    const double peak_flops = threads * kMultiplyAdds * kernels().multiply_add_flops;
    work();  // the workspace grows
    std::vector<double> shares;
    for (int round = 0; round < kRounds; ++round) {
        const double peak = rate(peak_flops, [&] { run_on_threads(threads, peak_flops, multiply_add, nullptr); });
        shares.push_back(rate(flops, work) / peak);
    }
    std::nth_element(shares.begin(), shares.begin() + kRounds / 2, shares.end());
    return shares[kRounds / 2];
}

void print_share(double share) {
    std::printf("%9.0f%%", 100 * share);
    std::fflush(stdout);
}

double share_of_product(int rows, int K, std::size_t bytes) {
    const int panels = std::max<int>(1, bytes / (K * kPanelWidth * sizeof(float)));
    const std::size_t width = std::size_t(panels) * kPanelWidth;
    Arena arena;
    arena.start();
    float *const a = arena.take_zeros(std::size_t(rows) * K), *const weights = arena.take_zeros(width * K);
    float *const bias = arena.take_zeros(width), *const out = arena.take(rows * width);
    return share(2.0 * rows * K * width, 1, [&] {
        kernels().product(a, K, rows, K, weights, panels, bias, out, width);
    });
}

void print_products() {
    constexpr struct { const char* name; std::size_t bytes; } levels[] = {{"L1", 16 << 10}, {"L2", 256 << 10}, {"L3", 4 << 20}};
    constexpr int rows[] = {5, 6, 16, 32, 64};
    std::printf("product, panels in     K");
    for (const int n : rows) std::printf("%5d rows", n);
    for (const auto& level : levels)
        for (const int K : {128, 256, 512}) {
            std::printf("\n%-19s%5d", level.name, K);
            for (const int n : rows) print_share(share_of_product(n, K, level.bytes));
        }
    std::printf("\n");
}

// A layer with as many inputs as units, over sequences of 50 steps.
double share_of_layer(Cell cell, int batch, int hidden, int threads, bool training) {
    constexpr int kSteps = 50;
    const Problem p({cell, hidden, hidden, 0, batch, kSteps, false, false});
    Layer layer(kernels_of(cell, 0), hidden, hidden, 0, 1);
    const auto parameters = p.parameters();
    layer.pack(parameters.data());
    const auto of = [](Floats& f) { return f.empty() ? nullptr : f.data(); };
    Arena arena, outputs;
    outputs.start();
    float* const y = outputs.take(p.x.size());  // aligned, as PyTorch's and NumPy's large arrays are
    Floats hn(p.h0.size()), cn(p.c0.size()), dx(p.x.size()), dh0(p.h0.size()), dc0(p.c0.size());
    Floats saved(training ? layer.saved_size(p.layout.rows()) : 0);
    Data g = p.weights[0];
    const Gradients gradients{of(g.w_ih), of(g.w_hh), of(g.b_ih), of(g.b_hh), nullptr, nullptr};
    const Addresses initial = p.initial(), last(p.c.states(), hn, cn), dinitial(p.c.states(), dh0, dc0);
    const double flops = (training ? 3 : 1) * 4.0 * kSteps * batch * p.c.gates() * hidden * hidden;
    return share(flops, threads, [&] {
        const ForwardCall call{p.x.data(), initial, y, last, of(saved)};
        if (!training) return layer.forward(p.layout, call, threads, arena);
        layer.forward(parameters.data(), p.layout, call, threads, arena);
        layer.backward(p.layout, {p.x.data(), initial, y, saved.data(), y, {}, dx.data(), dinitial},
                       parameters.data(), &gradients, threads, arena);
    });
}

void print_layers(bool training) {
    constexpr struct { const char* name; Cell cell; } cells[] = {{"LSTM", kLstm}, {"GRU", kGruAfter}};
    constexpr int units[] = {128, 256, 512};
    std::printf("%-12s threads batch", training ? "training" : "inference");
    for (const int n : units) std::printf("%4d units", n);
    for (const auto& [name, cell] : cells)
        for (const int threads : {1, 2})
            for (const int batch : {8, 32, 64}) {
                std::printf("\n%-12s%8d%6d", name, threads, batch);
                for (const int n : units) print_share(share_of_layer(cell, batch, n, threads, training));
            }
    std::printf("\n");
}

}  // namespace

int main(int count, char** arguments) {
    const std::string only = count > 1 ? arguments[1] : "";
    std::printf("%s: shares of the multiply-adds\n", kernels().name);
    if (only.empty() || only == "product") print_products();
    if (only.empty() || only == "infer") print_layers(false);
    if (only.empty() || only == "train") print_layers(true);
    return EXIT_SUCCESS;
}
