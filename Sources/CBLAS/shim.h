#include <cblas.h>

// Two LAPACK routines that libopenblas holds; Debian's package has no header for them. Column-major.
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
void dtrtri_(const char *uplo, const char *diag, const int *n, double *a, const int *lda, int *info);
