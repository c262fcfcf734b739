#pragma once

#include <stdbool.h>

/// Matrix products with 16-float registers (AVX-512), for processors that have them. The rest of the engine is
/// compiled for AVX2, and Swift cannot compile a single function for another processor.

/// Returns whether the processor and the operating system support AVX-512 registers.
bool dia_has_wide_product(void);

/// The largest number of rows and of panels of a product.
enum { DIA_WIDE_ROWS = 8, DIA_WIDE_PANELS = 3 };

/// Writes a·w to `result`, `rows` rows that are `result_stride` floats apart, of 16 · `panels` sums each.
///
/// The factors are `rows` (an even number, at most DIA_WIDE_ROWS) pointers to `inner` numbers each, for each of `taps`
/// runs that are `tap_stride` floats apart, and `panels` panels `[taps, inner, 16]` that are `panel_stride` floats
/// apart. The sums are computed in the same order as in `ProductTile`, so results are bit-identical.
void dia_wide_product(
    long rows, long panels, const float *const *a, long taps, long tap_stride, long inner, const float *panel,
    long panel_stride, float *result, long result_stride);

/// Adds Σ aᵀ b over `count` steps to `sums` `[8, 16 · panels]`: eight numbers at `a` with stride `stride`, and eight
/// numbers at each of 2 · `panels` `groups` with stride `width`. `panels` is at most 2.
void dia_wide_outer_product(
    long panels, const float *a, long stride, const float *const *groups, long width, long count, float *sums);
