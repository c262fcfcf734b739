#pragma once

#include <stdbool.h>

/// Products on registers of sixteen floats (AVX-512), for processors that have them: the rest of the engine is
/// compiled for AVX2, and Swift has no way to compile one function for another processor than the rest.

/// Whether the processor and the system keep such registers.
bool dia_has_wide_product(void);

/// The most rows of a product, and the most panels.
enum { DIA_WIDE_ROWS = 8, DIA_WIDE_PANELS = 3 };

/// Writes a·w: `rows` (an even number, DIA_WIDE_ROWS at most) pointers to `inner` numbers each, for each of `taps`
/// runs `tap_stride` floats apart, against `panels` panels `[taps, inner, 16]`, `panel_stride` floats apart, to
/// `result`: rows `result_stride` floats apart of 16 · `panels` sums.
///
/// The sums run over the taps and the inner numbers in order, as those of `ProductTile` do: to the last bit the same.
void dia_wide_product(
    long rows, long panels, const float *const *a, long taps, long tap_stride, long inner, const float *panel,
    long panel_stride, float *result, long result_stride);

/// Adds Σ aᵀ b over `count` steps to `sums` `[8, 16 · panels]`: eight numbers at `a`, `stride` floats further each
/// step, against eight at each of 2 · `panels` (two at most) `groups`, `width` floats further each step.
void dia_wide_outer_product(
    long panels, const float *a, long stride, const float *const *groups, long width, long count, float *sums);
