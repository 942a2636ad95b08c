// Chooses the kernels for this machine, once.
#include <cstdlib>
#include <cstring>

#include "penstock/kernels.hpp"

namespace isa_plain {
extern const penstock::Kernels table;
}
#if defined(PENSTOCK_X86)
namespace isa_avx2 {
extern const penstock::Kernels table;
}
namespace isa_avx512 {
extern const penstock::Kernels table;
}
#endif

namespace penstock {

const Kernels* find_kernels(const char* name) {
#if defined(PENSTOCK_X86)
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (avx512 && !std::strcmp(name, "avx512")) return &isa_avx512::table;
    if (avx2 && !std::strcmp(name, "avx2")) return &isa_avx2::table;
#endif
    return std::strcmp(name, isa_plain::table.name) ? nullptr : &isa_plain::table;
}

const Kernels& kernels() {
    static const Kernels& chosen = [&]() -> const Kernels& {
        if (const char* forced = std::getenv("PENSTOCK_ISA"))
            if (const Kernels* k = find_kernels(forced)) return *k;
        for (const char* name : {"avx512", "avx2"})
            if (const Kernels* k = find_kernels(name)) return *k;
        return isa_plain::table;
    }();
    return chosen;
}

const CellKernels* find_cell(const char* form) {
    const Kernels& k = kernels();
    for (const CellKernels* cell = k.cells; cell != k.cells + k.cell_count; ++cell)
        if (!std::strcmp(cell->traits.form, form)) return cell;
    return nullptr;
}

}  // namespace penstock
