#include <stdint.h>
#include "check.h"

static void parameters_lie_in_a_row(void)
{
    Network net;
    g_assert_true(network_create(&net, 5, 7, 3));
    g_assert_cmpuint(net.n_theta, ==, 7 * 5 + 7 + 3 * 7 + 3);
    g_assert_true(net.W1 == net.theta);
    g_assert_true(net.b1 == net.W1 + 7 * 5);
    g_assert_true(net.W2 == net.b1 + 7);
    g_assert_true(net.b2 == net.W2 + 3 * 7);
    g_assert_true(net.b2 + 3 == net.theta + net.n_theta);
    network_free(&net);
}

static void a_new_network_is_zero(void)
{
    Network net;
    g_assert_true(network_create(&net, 9, 11, 4));
    for (size_t t = 0; t < net.n_theta; t++)
        g_assert_cmpfloat(net.theta[t], ==, 0);
    g_assert_cmpuint((uintptr_t)net.theta % 64, ==, 0);
    network_free(&net);
    g_assert_null(net.theta);
}

static void impossible_sizes_are_refused(void)
{
    const size_t sizes[][3] = {
        {0, 1, 1}, {1, 0, 1}, {1, 1, 0},
        {SIZE_MAX, 1, 1}, {1, SIZE_MAX, 1}, {1, 1, SIZE_MAX},
        {SIZE_MAX / 8, 1, 1}, {SIZE_MAX / 4, 1, 1},
        {(size_t)1 << 32, (size_t)1 << 32, 1}, /* the product wraps to 0 */
        {1, (size_t)1 << 33, (size_t)1 << 31},
        {SIZE_MAX / 2, 2, 1}, {1, 3, SIZE_MAX / 4},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        Network net = {.d = 1, .n_theta = 1};
        g_assert_false(network_create(&net, sizes[i][0], sizes[i][1],
                                      sizes[i][2]));
        g_assert_null(net.theta);
        g_assert_null(net.W1);
        g_assert_cmpuint(net.n_theta, ==, 0);
        g_assert_cmpuint(net.d, ==, 0);
    }
}

static void arrays_have_room_or_are_null(void)
{
    real *nothing = real_array(0);
    g_assert_nonnull(nothing);
    free(nothing);
    g_assert_null(real_array(SIZE_MAX));
}

static void a_copy_is_independent(void)
{
    GRand *random = g_rand_new_with_seed(1);
    Network net = draw_network(random, 4, 3, 2);
    Network copy = zero_network_like(&net);
    network_copy(&copy, &net);
    assert_same_bits(net.n_theta, copy.theta, net.theta);
    net.W2[0] += 1;
    g_assert_cmpfloat(copy.W2[0], !=, net.W2[0]);
    network_free(&net);
    network_free(&copy);
    g_rand_free(random);
}

static double uniform(void *state)
{
    return g_rand_double(state);
}

static void check_layer(const real *W, size_t units, size_t inputs)
{
    const double bound = 1 / sqrt((double)inputs);
    double low = 0, high = 0, sum = 0;
    for (size_t i = 0; i < units * inputs; i++) {
        low = fmin(low, (double)W[i]);
        high = fmax(high, (double)W[i]);
        sum += (double)W[i];
    }
    g_assert_cmpfloat(low, >=, -bound * (1 + EPSILON));
    g_assert_cmpfloat(high, <=, bound * (1 + EPSILON));
    g_assert_cmpfloat(low, <, -0.99 * bound);
    g_assert_cmpfloat(high, >, 0.99 * bound);
    /* the mean of n draws: within 5 standard deviations of 0 */
    const double n = (double)(units * inputs);
    g_assert_cmpfloat(fabs(sum / n), <, 5 * bound / sqrt(3 * n));
}

static void weights_fill_the_interval(void)
{
    GRand *random = g_rand_new_with_seed(2);
    Network net = draw_network(random, 100, 50, 40);
    network_initialize(&net, uniform, random);
    check_layer(net.W1, net.dh, net.d);
    check_layer(net.W2, net.m, net.dh);
    network_free(&net);
    g_rand_free(random);
}

static void biases_start_at_zero(void)
{
    GRand *random = g_rand_new_with_seed(3);
    Network net = draw_network(random, 10, 5, 4);
    network_initialize(&net, uniform, random);
    for (size_t j = 0; j < net.dh; j++)
        g_assert_cmpfloat(net.b1[j], ==, 0);
    for (size_t k = 0; k < net.m; k++)
        g_assert_cmpfloat(net.b2[k], ==, 0);
    network_free(&net);
    g_rand_free(random);
}

/* 0, 1/64, 2/64 ... */
static double count_up(void *state)
{
    int *calls = state;
    return (*calls)++ / 64.0;
}

static void weights_are_drawn_by_rows(void)
{
    Network net;
    int calls = 0;
    g_assert_true(network_create(&net, 4, 9, 3));
    network_initialize(&net, count_up, &calls);
    g_assert_cmpint(calls, ==, 9 * 4 + 3 * 9);
    for (size_t i = 0; i < 9 * 4; i++)
        assert_near(net.W1[i], ((double)i / 32 - 1) / 2, EPSILON);
    for (size_t i = 0; i < 3 * 9; i++)
        assert_near(net.W2[i], ((double)(36 + i) / 32 - 1) / 3, EPSILON);
    network_free(&net);
}

/* -------------------------------------------------------------- penalties */

static void penalty_is_its_definition(void)
{
    Network net;
    g_assert_true(network_create(&net, 2, 1, 2));
    const real theta[] = {1, -2, /* b1 */ 100, /* W2 */ -3, 4, 100, 100};
    memcpy(net.theta, theta, sizeof theta);
    g_assert_cmpfloat(penalty_value(&net, (Penalty){1, 0, 0, 0}), ==, 3);
    g_assert_cmpfloat(penalty_value(&net, (Penalty){0, 1, 0, 0}), ==, 5);
    g_assert_cmpfloat(penalty_value(&net, (Penalty){0, 0, 1, 0}), ==, 7);
    g_assert_cmpfloat(penalty_value(&net, (Penalty){0, 0, 0, 1}), ==, 25);
    g_assert_cmpfloat(penalty_value(&net, (Penalty){8, 4, 2, 1}), ==,
                      8 * 3 + 4 * 5 + 2 * 7 + 25);
    g_assert_cmpfloat(penalty_value(&net, (Penalty){0}), ==, 0);
    network_free(&net);
}

static void penalty_gradient_is_its_definition(void)
{
    Network net;
    g_assert_true(network_create(&net, 2, 1, 2));
    const real theta[] = {1, -2, /* b1 */ 9, /* W2 */ -3, 0, /* b2 */ 9, 9};
    const real expected[] = {1 + 2 * 2, -1 - 2 * 2 * 2, 0,
                             -4 - 2 * 8 * 3, 0, 0, 0};
    memcpy(net.theta, theta, sizeof theta);
    Network grad = zero_network_like(&net);
    penalty_add_gradient(&net, (Penalty){1, 2, 4, 8}, &grad);
    assert_arrays_near(net.n_theta, grad.theta, expected, EPSILON);
    network_free(&net);
    network_free(&grad);
}

static void penalty_adds_to_the_gradient(void)
{
    GRand *random = g_rand_new_with_seed(4);
    Network net = draw_network(random, 4, 3, 2);
    Network once = zero_network_like(&net), twice = zero_network_like(&net);
    const Penalty penalty = {(real)0.5, (real)0.25, 1, 2};
    penalty_add_gradient(&net, penalty, &once);
    penalty_add_gradient(&net, penalty, &twice);
    penalty_add_gradient(&net, penalty, &twice);
    for (size_t t = 0; t < net.n_theta; t++)
        assert_near(twice.theta[t], 2 * once.theta[t], 2 * EPSILON);
    network_free(&net);
    network_free(&once);
    network_free(&twice);
    g_rand_free(random);
}

static void each_strength_has_its_matrix(void)
{
    GRand *random = g_rand_new_with_seed(5);
    const Penalty penalties[] = {{1, 0, 0, 0}, {0, 1, 0, 0},
                                 {0, 0, 1, 0}, {0, 0, 0, 1}};
    Network net = draw_network(random, 4, 3, 2);
    for (size_t i = 0; i < 4; i++) {
        Network grad = zero_network_like(&net);
        penalty_add_gradient(&net, penalties[i], &grad);
        for (size_t t = 0; t < net.n_theta; t++) {
            const real *w = &net.theta[t];
            const bool in_W1 = w < net.b1;
            const bool in_W2 = w >= net.W2 && w < net.b2;
            g_assert_true((grad.theta[t] != 0) == (i < 2 ? in_W1 : in_W2));
        }
        network_free(&grad);
    }
    network_free(&net);
    g_rand_free(random);
}

static void penalty_gradient_is_the_slope(void)
{
    GRand *random = g_rand_new_with_seed(6);
    Network net = draw_network(random, 4, 3, 2);
    Network grad = zero_network_like(&net);
    const Penalty penalty = {(real)0.5, (real)0.25, 1, 2};
    const real h = (real)(sizeof(real) == 4 ? 0x1p-8 : 0x1p-17);
    penalty_add_gradient(&net, penalty, &grad);
    for (size_t t = 0; t < net.n_theta; t++) {
        const real before = net.theta[t];
        if (fabs((double)before) <= (double)h) /* a kink */
            continue;
        const real up = before + h, down = before - h;
        net.theta[t] = up;
        const double above = penalty_value(&net, penalty);
        net.theta[t] = down;
        const double below = penalty_value(&net, penalty);
        net.theta[t] = before;
        assert_near(grad.theta[t],
                    (above - below) / ((double)up - (double)down),
                    1e-9 + 64 * EPSILON);
    }
    network_free(&net);
    network_free(&grad);
    g_rand_free(random);
}

/* Values around both thresholds, at them, and what is no number. */
static void proximal_operator_thresholds(void)
{
    const real z[] = {0, (real)-0.0, (real)0.25, (real)-0.25, (real)0.5,
                      (real)-0.5, (real)0.75, -2, (real)INFINITY,
                      (real)-INFINITY};
    const real expected[] = {0, 0, 0, 0, 0, 0, (real)0.125, (real)-0.75,
                             (real)INFINITY, (real)-INFINITY};
    Network net;
    g_assert_true(network_create(&net, 11, 1, 2));
    memcpy(net.W1, z, sizeof z);
    net.W1[10] = (real)NAN;
    net.b1[0] = net.b2[1] = (real)0.25;
    net.W2[0] = -3;
    network_proximal(&net, 2, (Penalty){(real)0.25, (real)0.25, 0, 1});
    for (size_t i = 0; i < G_N_ELEMENTS(z); i++)
        g_assert_cmpfloat(net.W1[i], ==, expected[i]);
    g_assert_true(isnan(net.W1[10]));
    g_assert_cmpfloat(net.b1[0], ==, 0.25);
    g_assert_cmpfloat(net.b2[1], ==, 0.25);
    assert_near(net.W2[0], -3 / 5., EPSILON);
    g_assert_cmpfloat(net.W2[1], ==, 0);
    network_free(&net);
}

#define ADD(name, f) g_test_add_func("/network/" name, f)

int main(int argc, char **argv)
{
    start_tests(argc, argv);
    ADD("W1, b1, W2 and b2 lie in theta one after the other",
        parameters_lie_in_a_row);
    ADD("a new network is zero and starts at a cache line",
        a_new_network_is_zero);
    ADD("sizes that are zero or overflow are refused",
        impossible_sizes_are_refused);
    ADD("an array of nothing is one, one of everything is none",
        arrays_have_room_or_are_null);
    ADD("a copy does not follow its original", a_copy_is_independent);
    ADD("initial weights fill the interval of one over the root of the inputs",
        weights_fill_the_interval);
    ADD("initial biases are zero", biases_start_at_zero);
    ADD("initial weights are drawn W1 first, by rows",
        weights_are_drawn_by_rows);
    ADD("each strength penalises its own matrix and norm, and no bias",
        penalty_is_its_definition);
    ADD("A.8 A.9 B.18 the gradient of the penalty is its definition",
        penalty_gradient_is_its_definition);
    ADD("the gradient of the penalty is the slope of the penalty",
        penalty_gradient_is_the_slope);
    ADD("the gradient of the penalty is added to what is there",
        penalty_adds_to_the_gradient);
    ADD("a strength alone changes only its own matrix",
        each_strength_has_its_matrix);
    ADD("the proximal operator thresholds, with exact zeros, and decays",
        proximal_operator_thresholds);
    return g_test_run();
}
