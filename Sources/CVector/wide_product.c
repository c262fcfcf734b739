#include "wide_product.h"

#if defined(__x86_64__)

#define WIDE __attribute__((target("avx512f")))

/// The prefetch distance in floats: with few rows, hardware prefetching of the weights is too slow.
enum { AHEAD = 512 };

typedef float half_t __attribute__((ext_vector_type(8)));
typedef float wide_t __attribute__((ext_vector_type(16)));
typedef half_t loose_half_t __attribute__((aligned(4)));
typedef wide_t loose_wide_t __attribute__((aligned(4)));

bool dia_has_wide_product(void) { return __builtin_cpu_supports("avx512f"); }

/// `rows` and `panels` must be compile-time constants, so that the sums stay in registers.
WIDE static inline __attribute__((always_inline)) void product(
    const int rows, const int panels, const float *const *a, long taps, long tap_stride, long inner,
    const float *panel, long panel_stride, float *result, long result_stride) {
    wide_t sums[DIA_WIDE_ROWS][DIA_WIDE_PANELS];
    const float *row[DIA_WIDE_ROWS];
    for (int r = 0; r < rows; r++) {
        row[r] = a[r];
        for (int p = 0; p < panels; p++) sums[r][p] = 0;
    }
    for (long tap = 0, start = 0; tap < taps; tap++, start += tap_stride) {
        for (long place = start; place < start + inner; place++, panel += 16) {
            wide_t weights[DIA_WIDE_PANELS];
            for (int p = 0; p < panels; p++) {
                weights[p] = *(const loose_wide_t *)(panel + p * panel_stride);
                __builtin_prefetch(panel + p * panel_stride + AHEAD);
            }
            for (int r = 0; r < rows; r++)
                for (int p = 0; p < panels; p++)
                    sums[r][p] = __builtin_elementwise_fma((wide_t)row[r][place], weights[p], sums[r][p]);
        }
    }
    for (int r = 0; r < rows; r++)
        for (int p = 0; p < panels; p++) *(loose_wide_t *)(result + r * result_stride + 16 * p) = sums[r][p];
}

#define PRODUCT(ROWS, PANELS)                                                                                        \
    case ROWS * 4 + PANELS:                                                                                          \
        product(ROWS, PANELS, a, taps, tap_stride, inner, panel, panel_stride, result, result_stride);               \
        break;
#define PRODUCTS(ROWS) PRODUCT(ROWS, 1) PRODUCT(ROWS, 2) PRODUCT(ROWS, 3)

WIDE void dia_wide_product(
    long rows, long panels, const float *const *a, long taps, long tap_stride, long inner, const float *panel,
    long panel_stride, float *result, long result_stride) {
    switch (rows * 4 + panels) {
        PRODUCTS(2)
        PRODUCTS(4)
        PRODUCTS(6)
        PRODUCTS(8)
    }
}

WIDE static inline __attribute__((always_inline)) void outer_product(
    const int panels, const float *a, long stride, const float *const *groups, long width, long count, float *sums) {
    wide_t sum[8][2];
    const float *group[4];
    for (int g = 0; g < 2 * panels; g++) group[g] = groups[g];
    for (int r = 0; r < 8; r++)
        for (int p = 0; p < panels; p++) sum[r][p] = *(loose_wide_t *)(sums + 16 * (r * panels + p));
    for (long step = 0, at = 0; step < count; step++, a += stride, at += width) {
        wide_t columns[2];
        for (int p = 0; p < panels; p++) {
            const half_t low = *(const loose_half_t *)(group[2 * p] + at);
            const half_t high = *(const loose_half_t *)(group[2 * p + 1] + at);
            columns[p] = __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        }
        for (int r = 0; r < 8; r++)
            for (int p = 0; p < panels; p++)
                sum[r][p] = __builtin_elementwise_fma((wide_t)a[r], columns[p], sum[r][p]);
    }
    for (int r = 0; r < 8; r++)
        for (int p = 0; p < panels; p++) *(loose_wide_t *)(sums + 16 * (r * panels + p)) = sum[r][p];
}

WIDE void dia_wide_outer_product(
    long panels, const float *a, long stride, const float *const *groups, long width, long count, float *sums) {
    if (panels == 2)
        outer_product(2, a, stride, groups, width, count, sums);
    else
        outer_product(1, a, stride, groups, width, count, sums);
}

#else

bool dia_has_wide_product(void) { return false; }

void dia_wide_product(
    long rows, long panels, const float *const *a, long taps, long tap_stride, long inner, const float *panel,
    long panel_stride, float *result, long result_stride) {}

void dia_wide_outer_product(
    long panels, const float *a, long stride, const float *const *groups, long width, long count, float *sums) {}

#endif
