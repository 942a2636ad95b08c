// A float vector of one instruction set, and the activations written on it once.
//
// PENSTOCK_WIDTH (4, 8 or 16) says how many lanes a vector has. The compiler's vector extensions do the rest, so the same
// source serves every instruction set. The order and rounding of every operation are part of our promise, so contraction
// by the compiler is off, and the fused multiply-add needs an intrinsic.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

namespace PENSTOCK_ISA {
namespace {

constexpr int kWidth = PENSTOCK_WIDTH;
using V = float __attribute__((vector_size(PENSTOCK_WIDTH * 4)));
using VI = std::int32_t __attribute__((vector_size(PENSTOCK_WIDTH * 4)));
// Not may_alias: the compiler would reload all pointers and sizes after each store. A typedef, because Clang ignores
// `aligned` after `using`.
typedef float VUnaligned __attribute__((vector_size(PENSTOCK_WIDTH * 4), aligned(4)));
static_assert(alignof(VUnaligned) == 4);

inline V splat(float s) { return s - V{}; }  // s - 0 keeps the sign of a zero, s + 0 would not
inline V load(const float* p) { return *reinterpret_cast<const V*>(p); }  // p is 64-byte aligned
inline void store(float* p, V v) { *reinterpret_cast<V*>(p) = v; }
inline V load_unaligned(const float* p) { return *reinterpret_cast<const VUnaligned*>(p); }
inline void store_unaligned(float* p, V v) { *reinterpret_cast<VUnaligned*>(p) = v; }

// The first n lanes at p, then zeros; n may be any number.
inline V load_first(const float* p, int n) {
    if (n >= kWidth) return load_unaligned(p);
    V v{};
    for (int i = 0; i < n; ++i) v[i] = p[i];
    return v;
}

inline void store_first(float* p, V v, int n) {
    if (n >= kWidth) {
        store_unaligned(p, v);
        return;
    }
    for (int i = 0; i < n; ++i) p[i] = v[i];
}

// a * b + c with one rounding; with two on the plain path of machines that have no such instruction.
inline V fma(V a, V b, V c) {
#if PENSTOCK_WIDTH == 16 && defined(__AVX512F__)
    return reinterpret_cast<V>(
        _mm512_fmadd_ps(reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b), reinterpret_cast<__m512>(c)));
#elif PENSTOCK_WIDTH == 8 && defined(__FMA__)
    return reinterpret_cast<V>(
        _mm256_fmadd_ps(reinterpret_cast<__m256>(a), reinterpret_cast<__m256>(b), reinterpret_cast<__m256>(c)));
#elif PENSTOCK_WIDTH == 4 && defined(__ARM_FEATURE_FMA)
    return reinterpret_cast<V>(vfmaq_f32(reinterpret_cast<float32x4_t>(c), reinterpret_cast<float32x4_t>(a),
                                         reinterpret_cast<float32x4_t>(b)));
#else
    return a * b + c;
#endif
}

// The smaller of the two, or x where x is NaN. x86 has one instruction for exactly this, but compilers emit two.
inline V at_most(float limit, V x) {
#if PENSTOCK_WIDTH == 16 && defined(__AVX512F__)
    const auto a = reinterpret_cast<__m512>(splat(limit)), b = reinterpret_cast<__m512>(x);
    return reinterpret_cast<V>(_mm512_maskz_min_ps(0xffff, a, b));  // GCC 12 warns about the intrinsic without a mask
#elif PENSTOCK_WIDTH == 8 && defined(__AVX2__)
    return reinterpret_cast<V>(_mm256_min_ps(reinterpret_cast<__m256>(splat(limit)), reinterpret_cast<__m256>(x)));
#else
    return x > splat(limit) ? splat(limit) : x;
#endif
}

// exp(x) = scale * (1 + p) with scale a power of two and p = expm1(r), |r| <= ln(2) / 2. Needs -88.02 < x < 89.
struct ExpParts {
    V p, scale;
};

inline ExpParts exp_parts(V x) {
    const V magic = splat(12582912.0f);  // 1.5 * 2^23: adding it leaves round(x / ln 2) in the low bits
    const V shifted = fma(x, splat(1.44269504088896341f), magic);
    const V n = shifted - magic;
    V r = fma(n, splat(-0.693359375f), x);  // ln 2 in two parts (Cody and Waite)
    r = fma(n, splat(2.12194440e-4f), r);
    V q = splat(0.0013820730f);  // (expm1(r) - r) / r^2, minimax: 3.2e-9 of exp, before rounding
    q = fma(q, r, splat(0.0083686775f));
    q = fma(q, r, splat(0.041668266f));
    q = fma(q, r, splat(0.16666521f));
    q = fma(q, r, splat(0.49999994f));
    const VI bits = (reinterpret_cast<VI>(shifted) << 23) + 0x3f800000;
    return {fma(r * r, q, r), reinterpret_cast<V>(bits)};
}

// A NaN is neither below nor above a limit, so it passes through.
inline V clamp(V x, float low, float high) {
    x = x < splat(low) ? splat(low) : x;
    return x > splat(high) ? splat(high) : x;
}

inline V exp(V x) {
    const ExpParts e = exp_parts(clamp(x, -88.0f, 88.9f));  // scale is 0 at the lower end and infinite at the upper one
    return e.scale * (splat(1.0f) + e.p);
}

// 1 / (1 + exp(-x)). The sum 1 + scale + scale * p adds the smaller terms first, because a scale of 2^24 would absorb the 1.
// Where the scale is infinite, p must be positive, since infinity + infinity * p is NaN for a negative p; hence the jump from
// 88.37 to 89.
inline V sigmoid(V x) {
    V y = at_most(88.0f, x);
    y = x < splat(-88.37f) ? splat(-89.0f) : y;
    const ExpParts e = exp_parts(-y);
    const VI one = VI{} + 0x3f800000, scale = reinterpret_cast<VI>(e.scale);  // positive floats compare like integers
    const VI least = scale > one ? one : scale, most = scale > one ? scale : one;
    return splat(1.0f) / (fma(e.scale, e.p, reinterpret_cast<V>(least)) + reinterpret_cast<V>(most));
}

// For |x| below artanh(1/2) a polynomial, minimax in x^2 to 3.7e-8, because 1 - 2 / (1 + exp(2|x|)) would cancel there.
inline V tanh(V x) {
    const VI sign = reinterpret_cast<VI>(x) & static_cast<std::int32_t>(0x80000000u);
    V a = reinterpret_cast<V>(reinterpret_cast<VI>(x) & 0x7fffffff);
    a = at_most(10.0f, a);
    const V square = a * a;
    V q = splat(0.016447909f);
    q = fma(q, square, splat(-0.052677058f));
    q = fma(q, square, splat(0.13320804f));
    q = fma(q, square, splat(-0.33332950f));
    const ExpParts e = exp_parts(a + a);
    const V far = splat(1.0f) - splat(2.0f) / fma(e.scale, e.p, e.scale + splat(1.0f));
    const V found = a < splat(0.5493f) ? fma(q * square, a, a) : far;
    return reinterpret_cast<V>(reinterpret_cast<VI>(found) | sign);
}

}  // namespace
}  // namespace PENSTOCK_ISA
