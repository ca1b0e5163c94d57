/* What the unit tests share.  Every test file is compiled twice, in single
   and in double precision, and tolerances are multiples of EPSILON. */
#ifndef CHECK_H
#define CHECK_H
#include <float.h>
#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "network.h"

#ifdef MLP_DOUBLE
#define EPSILON DBL_EPSILON
#else
#define EPSILON ((double)FLT_EPSILON)
#endif

/* Prints TAP without being asked to, and runs every test of the file
   even if one fails. */
static inline void start_tests(int argc, char **argv)
{
    g_autofree char **with_tap = g_new0(char *, argc + 2);
    with_tap[0] = argv[0];
    with_tap[1] = (char *)"--tap";
    for (int i = 1; i < argc; i++)
        with_tap[i + 1] = argv[i];
    int n = argc + 1;
    g_test_init(&n, &with_tap, NULL);
    g_test_set_nonfatal_assertions();
}

/* |a - b| <= tolerance max(1, |a|, |b|).  NaN is near nothing.  Only the
   first failure of a test is told: the others would be its echo. */
#define assert_near(a, b, tolerance) \
    check_near(__FILE__, __LINE__, #a " = " #b, a, b, tolerance)

static inline void check_near(const char *file, int line, const char *what,
                              double a, double b, double tolerance)
{
    const double size = fmax(1, fmax(fabs(a), fabs(b)));
    if (a == b || fabs(a - b) <= tolerance * size || g_test_failed())
        return;
    g_test_fail_printf("%s:%d: %s: %.17g, %.17g differ by %.3g, more than %.3g",
                       file, line, what, a, b, fabs(a - b), tolerance * size);
}

/* Every number of a (n) is near that of b (n); the scale is the largest
   number of b. */
#define assert_arrays_near(n, a, b, tolerance) \
    check_arrays_near(__FILE__, __LINE__, #a " = " #b, n, a, b, tolerance)

static inline void check_arrays_near(const char *file, int line,
                                     const char *what, size_t n,
                                     const real *a, const real *b,
                                     double tolerance)
{
    double size = 0;
    for (size_t i = 0; i < n; i++)
        size = fmax(size, fabs((double)b[i]));
    for (size_t i = 0; i < n; i++) {
        const double gap = fabs((double)a[i] - (double)b[i]);
        if (gap <= tolerance * size || g_test_failed())
            continue;
        g_test_fail_printf("%s:%d: %s: entry %zu: %.17g, %.17g", file, line,
                           what, i, (double)a[i], (double)b[i]);
    }
}

#define assert_same_bits(n, a, b) \
    g_assert_true(memcmp(a, b, (n) * sizeof *(a)) == 0)

/* Uniform on [low, high), from a generator with a known seed. */
static inline real draw(GRand *random, double low, double high)
{
    return (real)g_rand_double_range(random, low, high);
}

static inline void draw_many(GRand *random, double low, double high,
                             size_t n, real *into)
{
    for (size_t i = 0; i < n; i++)
        into[i] = draw(random, low, high);
}

/* A network whose parameters, biases too, are all drawn from [-1, 1). */
static inline Network draw_network(GRand *random, size_t d, size_t dh,
                                   size_t m)
{
    Network net;
    if (!network_create(&net, d, dh, m))
        g_error("no memory for a network");
    draw_many(random, -1, 1, net.n_theta, net.theta);
    return net;
}

static inline Network zero_network_like(const Network *net)
{
    Network zero;
    if (!network_create(&zero, net->d, net->dh, net->m))
        g_error("no memory for a network");
    return zero;
}

/* K examples with inputs from [-1, 1) and any classes. */
typedef struct {
    size_t K;
    real *X; /* (K, d) */
    int *y;  /* (K) */
} Examples;

static inline Examples draw_examples(GRand *random, const Network *net,
                                     size_t K)
{
    Examples e = {K, g_new(real, K * net->d), g_new(int, K)};
    draw_many(random, -1, 1, K * net->d, e.X);
    for (size_t i = 0; i < K; i++)
        e.y[i] = g_rand_int_range(random, 0, (gint32)net->m);
    return e;
}

static inline void free_examples(Examples *e)
{
    g_free(e->X);
    g_free(e->y);
}

#endif
