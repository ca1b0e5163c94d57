#include "check.h"
#include "matrix.h"

/* Reads element (i, j) of what a view shows. */
static double element(View A, size_t i, size_t j)
{
    return (double)(A.transposed ? A.at[j * A.rows + i]
                                 : A.at[i * A.columns + j]);
}

static View draw_view(GRand *random, real *at, size_t rows, size_t columns,
                      bool transposed)
{
    draw_many(random, -1, 1, rows * columns, at);
    return transposed ? transpose(view(at, columns, rows))
                      : view(at, rows, columns);
}

enum { MOST = 100 };

static void product_is_its_definition(void)
{
    GRand *random = g_rand_new_with_seed(31);
    for (int i = 0; i < 200; i++) {
        const size_t n = (size_t)g_rand_int_range(random, 1, MOST + 1);
        const size_t k = (size_t)g_rand_int_range(random, 1, MOST + 1);
        const size_t m = (size_t)g_rand_int_range(random, 1, MOST + 1);
        real a[MOST * MOST], b[MOST * MOST], c[MOST * MOST];
        const View A = draw_view(random, a, n, k, g_rand_boolean(random));
        const View B = draw_view(random, b, k, m, g_rand_boolean(random));
        draw_many(random, -1, 1, n * m, c);
        const real alpha = draw(random, -2, 2), beta = draw(random, -2, 2);
        double expected[MOST * MOST];
        for (size_t p = 0; p < n * m; p++) {
            expected[p] = (double)beta * (double)c[p];
            for (size_t q = 0; q < k; q++)
                expected[p] += (double)alpha * element(A, p / m, q)
                             * element(B, q, p % m);
        }
        product(alpha, A, B, beta, target(c, n, m, m));
        for (size_t p = 0; p < n * m; p++)
            assert_near(c[p], expected[p], 256 * EPSILON);
    }
    g_rand_free(random);
}

/* Each cut of a large product into two, by rows or by columns, in all
   four forms. */
static void a_product_in_parts_is_the_product(void)
{
    enum { N = 23, TERMS = 39, M = 107, SIZE = N * M };
    const real alpha = (real)0.7, beta = (real)0.9;
    GRand *random = g_rand_new_with_seed(32);
    real a[N * TERMS], b[TERMS * M], c[SIZE], whole[SIZE], parts[SIZE];
    draw_many(random, -1, 1, SIZE, c);
    for (int form = 0; form < 4; form++) {
        const View A = draw_view(random, a, N, TERMS, form & 1);
        const View B = draw_view(random, b, TERMS, M, form & 2);
        memcpy(whole, c, sizeof c);
        product(alpha, A, B, beta, target(whole, N, M, M));
        for (size_t cut = 1; cut < N; cut++) {
            View low = A, high = A;
            low.rows = cut;
            high.rows = N - cut;
            high.at += cut * (A.transposed ? 1 : A.stride);
            memcpy(parts, c, sizeof c);
            product(alpha, low, B, beta, target(parts, cut, M, M));
            product(alpha, high, B, beta,
                    target(parts + cut * M, N - cut, M, M));
            g_assert_true(memcmp(whole, parts, sizeof whole) == 0);
        }
        for (size_t cut = 1; cut < M; cut++) {
            View left = B, right = B;
            left.columns = cut;
            right.columns = M - cut;
            right.at += cut * (B.transposed ? B.stride : 1);
            memcpy(parts, c, sizeof c);
            product(alpha, A, left, beta, target(parts, N, cut, M));
            product(alpha, A, right, beta,
                    target(parts + cut, N, M - cut, M));
            g_assert_true(memcmp(whole, parts, sizeof whole) == 0);
        }
    }
    g_rand_free(random);
}

static void transposing_twice_changes_nothing(void)
{
    const real a[] = {1, 2, 3, 4, 5, 6};
    const View A = view(a, 2, 3), B = transpose(transpose(A));
    g_assert_cmpuint(transpose(A).rows, ==, 3);
    g_assert_cmpuint(transpose(A).columns, ==, 2);
    g_assert_cmpuint(B.rows, ==, 2);
    g_assert_cmpuint(B.columns, ==, 3);
    g_assert_false(B.transposed);
    g_assert_true(B.at == a);
}

static void beta_0_overwrites_anything(void)
{
    const real a[] = {1, 2}, b[] = {3, 4};
    real c[] = {(real)NAN, (real)INFINITY, (real)-INFINITY, (real)NAN};
    const real expected[] = {3, 4, 6, 8};
    product(1, view(a, 2, 1), view(b, 1, 2), 0, target(c, 2, 2, 2));
    assert_arrays_near(4, c, expected, EPSILON);
}

static void shapes_that_do_not_fit_abort(void)
{
    const real a[4] = {0};
    real c[4];
    if (g_test_subprocess()) {
        product(1, view(a, 2, 2), view(a, 1, 2), 0, target(c, 2, 2, 2));
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
}

#define ADD(name, f) g_test_add_func("/matrix/" name, f)

int main(int argc, char **argv)
{
    start_tests(argc, argv);
    ADD("a product is its definition, transposed or not",
        product_is_its_definition);
    ADD("a product in parts is the product to the bit",
        a_product_in_parts_is_the_product);
    ADD("transposing twice changes nothing",
        transposing_twice_changes_nothing);
    ADD("beta = 0 overwrites even NaN", beta_0_overwrites_anything);
    ADD("shapes that do not fit abort", shapes_that_do_not_fit_abort);
    return g_test_run();
}
