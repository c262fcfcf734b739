#include <cblas.h>

// Two LAPACK routines in libopenblas for which Debian's package has no header. Matrices are column-major.
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
void dtrtri_(const char *uplo, const char *diag, const int *n, double *a, const int *lda, int *info);
