#pragma once

/// Eight floats; Swift sees SIMD8<Float>.
typedef float dia_vector __attribute__((ext_vector_type(8)));

/// a * b + c, rounded once, as one vector instruction. The standard library's `addingProduct` is written
/// lane by lane, and the optimiser puts the lanes together again only sometimes.
static inline __attribute__((always_inline)) dia_vector dia_fused(dia_vector a, dia_vector b, dia_vector c) {
    return __builtin_elementwise_fma(a, b, c);
}

/// Has the cache line at `place` brought near; `place` may be anywhere.
static inline __attribute__((always_inline)) void dia_prefetch(const float *place) { __builtin_prefetch(place); }
