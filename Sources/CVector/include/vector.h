#pragma once

/// Eight floats; imported into Swift as SIMD8<Float>.
typedef float dia_vector __attribute__((ext_vector_type(8)));

/// a * b + c, rounded once, as one vector instruction. The standard library's `addingProduct` works lane by lane,
/// and the optimizer does not always combine the lanes into a vector instruction.
static inline __attribute__((always_inline)) dia_vector dia_fused(dia_vector a, dia_vector b, dia_vector c) {
    return __builtin_elementwise_fma(a, b, c);
}

/// Prefetches the cache line at `place`, which can be any address.
static inline __attribute__((always_inline)) void dia_prefetch(const float *place) { __builtin_prefetch(place); }
