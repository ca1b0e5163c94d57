#include "check.h"
#include "functions.h"

/* Arguments from -1000 to 1000, dense around 0. */
static const double ARGUMENTS[] = {
    -1000, -710, -200, -104, -89, -50, -37, -17, -10, -5, -2, -1, -0.5,
    -0.1, -1e-3, -1e-6, -1e-12, 0, 1e-12, 1e-6, 1e-3, 0.1, 0.5, 1, 2, 5, 10,
    17, 37, 50, 89, 104, 200, 710, 1000,
};
#define FOR_ARGUMENTS(x) \
    for (size_t i_ = 0; i_ < G_N_ELEMENTS(ARGUMENTS); i_++) \
        for (real x = (real)ARGUMENTS[i_], *once_ = &x; once_; once_ = NULL)

/* ------------------------------------------------------- scalar functions */

static void sigmoid_is_its_definition(void)
{
    FOR_ARGUMENTS(x) /* exp(1000) fits into a long double */
        assert_near(sigmoid(x), (double)(1 / (1 + expl(-(long double)x))),
                    4 * EPSILON);
}

static void sigmoid_keeps_its_digits_when_small(void)
{
    for (real x = -80; x < 0; x += (real)0.5) {
        const double exact = exp((double)x) / (1 + exp((double)x));
        g_assert_cmpfloat(fabs((double)sigmoid(x) / exact - 1), <, 8 * EPSILON);
    }
}

static void sigmoid_saturates(void)
{
    g_assert_cmpfloat(sigmoid(1000), ==, 1);
    g_assert_cmpfloat(sigmoid(-1000), ==, 0);
    g_assert_cmpfloat(sigmoid((real)INFINITY), ==, 1);
    g_assert_cmpfloat(sigmoid((real)-INFINITY), ==, 0);
    g_assert_cmpfloat(sigmoid(0), ==, 0.5);
}

static void sigmoid_is_a_scaled_tanh(void)
{
    FOR_ARGUMENTS(x)
        assert_near(sigmoid(x), (tanh((double)x / 2) + 1) / 2, 4 * EPSILON);
}

static void sigmoids_of_x_and_minus_x_sum_to_1(void)
{
    FOR_ARGUMENTS(x)
        assert_near(sigmoid(x) + sigmoid(-x), 1, 2 * EPSILON);
}

static void log_sigmoid_is_minus_softplus(void)
{
    FOR_ARGUMENTS(x)
        if (sigmoid(x) >= (sizeof(real) == 4 ? FLT_MIN : DBL_MIN))
            assert_near(log((double)sigmoid(x)), -softplus(-x), 8 * EPSILON);
}

static void softplus_is_its_definition(void)
{
    FOR_ARGUMENTS(x)
        assert_near(softplus(x), (double)log1pl(expl((long double)x)),
                    4 * EPSILON);
}

static void softplus_keeps_its_digits_when_small(void)
{
    for (real x = -80; x < -20; x++)
        g_assert_cmpfloat(fabs((double)softplus(x) / exp((double)x) - 1), <,
                          1e-8 + 8 * EPSILON);
}

static void softplus_does_not_overflow(void)
{
    g_assert_cmpfloat(softplus(1000), ==, 1000);
    g_assert_cmpfloat(softplus(-1000), ==, 0);
    g_assert_cmpfloat(softplus((real)1e30), ==, (real)1e30);
    assert_near(softplus(0), G_LN2, 2 * EPSILON);
}

static void sign_is_a_difference_of_indicators(void)
{
    FOR_ARGUMENTS(x)
        g_assert_cmpfloat(sign(x), ==, (x > 0 ? 1 : 0) - (x < 0 ? 1 : 0));
    g_assert_cmpfloat(sign((real)-0.0), ==, 0);
    g_assert_cmpfloat(sign((real)INFINITY), ==, 1);
    g_assert_cmpfloat(sign((real)-INFINITY), ==, -1);
}

static void absolute_is_x_times_its_sign(void)
{
    FOR_ARGUMENTS(x)
        g_assert_cmpfloat(absolute(x), ==, x * sign(x));
}

static void rect_is_the_mean_of_x_and_its_absolute_value(void)
{
    FOR_ARGUMENTS(x)
        g_assert_cmpfloat(rect(x), ==, (x + absolute(x)) / 2);
}

static void kinks_have_derivative_0(void)
{
    g_assert_cmpfloat(absolute_prime(0), ==, 0);
    g_assert_cmpfloat(rect_prime(0), ==, 0);
    g_assert_cmpfloat(rect_prime((real)-0.0), ==, 0);
}

/* A central difference is right to a small multiple of the square of its
   step, plus the rounding of f divided by the step. */
static void compare_derivative(real (*f)(real), real (*f_prime)(real),
                               bool kink_at_0)
{
    const real h = (real)(sizeof(real) == 4 ? 0x1p-8 : 0x1p-17);
    for (real x = -30; x <= 30; x += (real)0.25) {
        if (x == 0 && kink_at_0)
            continue;
        const double numeric = ((double)f(x + h) - (double)f(x - h))
                             / (2 * (double)h);
        assert_near(f_prime(x), numeric, 4 * (double)h * (double)h
                    + EPSILON * fabs((double)f(x)) / (double)h);
    }
}

static real hyperbolic_tangent(real x)
{
    return tanh(x);
}

static void sigmoid_prime_is_the_slope_of_sigmoid(void)
{
    compare_derivative(sigmoid, sigmoid_prime, false);
}

static void tanh_prime_is_the_slope_of_tanh(void)
{
    compare_derivative(hyperbolic_tangent, tanh_prime, false);
}

static void sigmoid_is_the_slope_of_softplus(void)
{
    compare_derivative(softplus, sigmoid, false);
}

static void absolute_prime_is_the_slope_of_absolute(void)
{
    compare_derivative(absolute, absolute_prime, true);
}

static void rect_prime_is_the_slope_of_rect(void)
{
    compare_derivative(rect, rect_prime, true);
}

static void derivatives_vanish_far_away(void)
{
    g_assert_cmpfloat(sigmoid_prime(1000), ==, 0);
    g_assert_cmpfloat(sigmoid_prime(-1000), ==, 0);
    g_assert_cmpfloat(tanh_prime(1000), ==, 0);
    g_assert_cmpfloat(tanh_prime(-1000), ==, 0);
    g_assert_cmpfloat(sigmoid_prime(0), ==, 0.25);
    g_assert_cmpfloat(tanh_prime(0), ==, 1);
}

/* ------------------------------------------------- functions of the logits */

enum { MOST_CLASSES = 20 };

typedef void LogitTest(const real *a, size_t m);

/* Calls test() for many logits, with scales from 0.001 to 1000. */
static void for_many_logits(LogitTest *test)
{
    GRand *random = g_rand_new_with_seed(11);
    for (double scale = 1e-3; scale < 2e3; scale *= 10)
        for (size_t m = 1; m <= MOST_CLASSES; m++) {
            real a[MOST_CLASSES];
            draw_many(random, -scale, scale, m, a);
            test(a, m);
        }
    g_rand_free(random);
}

static void check_sum_to_1(const real *a, size_t m)
{
    real s[MOST_CLASSES];
    double sum = 0;
    softmax(a, m, s);
    for (size_t k = 0; k < m; k++) {
        g_assert_cmpfloat(s[k], >=, 0);
        g_assert_cmpfloat(s[k], <=, 1);
        sum += (double)s[k];
    }
    assert_near(sum, 1, 8 * EPSILON);
}

static void probabilities_sum_to_1(void)
{
    for_many_logits(check_sum_to_1);
}

/* By the formula as it is written, in long double, where it does not
   overflow. */
static void check_definitions(const real *a, size_t m)
{
    real s[MOST_CLASSES], log_s[MOST_CLASSES];
    long double sum = 0;
    for (size_t k = 0; k < m; k++)
        sum += expl((long double)a[k]);
    softmax(a, m, s);
    log_softmax(a, m, log_s);
    for (size_t k = 0; k < m; k++) {
        const long double p = expl((long double)a[k]) / sum;
        assert_near(s[k], (double)p, 16 * EPSILON);
        assert_near(log_s[k], (double)logl(p), 16 * EPSILON);
        assert_near(cross_entropy(a, m, (int)k), (double)-logl(p),
                    16 * EPSILON);
    }
    assert_near(log_sum_exp(a, m), (double)logl(sum), 16 * EPSILON);
}

static void logit_functions_are_their_definitions(void)
{
    for_many_logits(check_definitions);
}

static void shift_changes_nothing(void)
{
    /* Multiples of 1/8: the shifted logits are exact, so nothing at all
       may change. */
    const real a[] = {0, (real)1.5, (real)-2.125, 3, (real)0.375};
    const real constants[] = {-4096, -64, 1, 1000, 8192};
    enum { m = G_N_ELEMENTS(a) };
    real shifted[m], s[m], t[m];
    for (size_t i = 0; i < G_N_ELEMENTS(constants); i++) {
        for (size_t k = 0; k < m; k++)
            shifted[k] = a[k] + constants[i];
        softmax(a, m, s);
        softmax(shifted, m, t);
        assert_same_bits(m, s, t);
        log_softmax(a, m, s);
        log_softmax(shifted, m, t);
        assert_same_bits(m, s, t);
        for (int y = 0; y < m; y++)
            g_assert_cmpfloat(cross_entropy(a, m, y), ==,
                              cross_entropy(shifted, m, y));
    }
}

static void log_sum_exp_follows_a_shift(void)
{
    const real a[] = {1, 2, 3}, shifted[] = {1001, 1002, 1003};
    assert_near(log_sum_exp(shifted, 3), log_sum_exp(a, 3) + 1000,
                2 * EPSILON);
}

static void equal_logits_are_uniform(void)
{
    const real values[] = {(real)1e8, (real)-1e4, 0, 1000, (real)-1e8};
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
        for (size_t m = 1; m <= MOST_CLASSES; m++) {
            real a[MOST_CLASSES], s[MOST_CLASSES];
            for (size_t k = 0; k < m; k++)
                a[k] = values[i];
            softmax(a, m, s);
            for (size_t k = 0; k < m; k++) {
                assert_near(s[k], 1 / (double)m, 2 * EPSILON);
                assert_near(cross_entropy(a, m, (int)k), log((double)m),
                            2 * EPSILON);
            }
        }
}

static void thousand_does_not_overflow(void)
{
    const real a[] = {1000, -1000};
    real s[2];
    softmax(a, 2, s);
    g_assert_cmpfloat(s[0], ==, 1);
    g_assert_cmpfloat(s[1], ==, 0);
    log_softmax(a, 2, s);
    g_assert_cmpfloat(s[0], ==, 0);
    g_assert_cmpfloat(s[1], ==, -2000);
    g_assert_cmpfloat(log_sum_exp(a, 2), ==, 1000);
    g_assert_cmpfloat(cross_entropy(a, 2, 0), ==, 0);
    g_assert_cmpfloat(cross_entropy(a, 2, 1), ==, 2000);
}

static void far_apart_logits_have_a_finite_loss(void)
{
    const real a[] = {-431, 279, 427};
    real s[3];
    softmax(a, 3, s);
    g_assert_cmpfloat(cross_entropy(a, 3, 0), ==, 858);
    g_assert_cmpfloat(cross_entropy(a, 3, 1), ==, 148);
    g_assert_cmpfloat(cross_entropy(a, 3, 2), ==, exp((real)-148));
    assert_near(s[0] - 1, -1, 0);
    assert_near(s[1], 0, 1e-60);
    assert_near(s[2], 1, 0);
}

static void check_loss_is_not_negative(const real *a, size_t m)
{
    for (int y = 0; y < (int)m; y++)
        g_assert_cmpfloat(cross_entropy(a, m, y), >=, 0);
}

static void loss_is_not_negative(void)
{
    for_many_logits(check_loss_is_not_negative);
}

static void check_in_place(const real *a, size_t m)
{
    real s[MOST_CLASSES], in_place[MOST_CLASSES];
    softmax(a, m, s);
    memcpy(in_place, a, m * sizeof(real));
    softmax(in_place, m, in_place);
    assert_same_bits(m, s, in_place);
    log_softmax(a, m, s);
    memcpy(in_place, a, m * sizeof(real));
    log_softmax(in_place, m, in_place);
    assert_same_bits(m, s, in_place);
}

static void the_result_may_replace_the_logits(void)
{
    for_many_logits(check_in_place);
}

static void two_classes_are_a_sigmoid(void)
{
    FOR_ARGUMENTS(x) {
        const real a[] = {x, 0};
        real s[2];
        softmax(a, 2, s);
        assert_near(s[0], sigmoid(x), 4 * EPSILON);
        assert_near(cross_entropy(a, 2, 0), softplus(-x), 4 * EPSILON);
    }
}

static void check_slope(const real *a, size_t m)
{
    const double h = sizeof(real) == 4 ? 0x1p-8 : 0x1p-17;
    for (int y = 0; y < (int)m; y++)
        for (size_t k = 0; k < m; k++) {
            real s[MOST_CLASSES], up[MOST_CLASSES], down[MOST_CLASSES];
            softmax(a, m, s);
            memcpy(up, a, m * sizeof(real));
            memcpy(down, a, m * sizeof(real));
            up[k] = (real)((double)a[k] + h);
            down[k] = (real)((double)a[k] - h);
            const double numeric = ((double)cross_entropy(up, m, y)
                                    - (double)cross_entropy(down, m, y))
                                 / ((double)up[k] - (double)down[k]);
            assert_near(s[k] - (k == (size_t)y), numeric, 32 * h * h);
        }
}

static void slope_of_the_loss_is_softmax_minus_onehot(void)
{
    GRand *random = g_rand_new_with_seed(12);
    for (size_t m = 1; m <= MOST_CLASSES; m++) {
        real a[MOST_CLASSES];
        draw_many(random, -2, 2, m, a);
        check_slope(a, m);
    }
    g_rand_free(random);
}

static void most_probable_is_the_largest_logit(void)
{
    const real a[] = {(real)0.5, 3, (real)-1, 3, (real)2.5};
    g_assert_cmpuint(most_probable(a, 5), ==, 1); /* the first of a tie */
    g_assert_cmpuint(most_probable(a, 1), ==, 0);
    g_assert_cmpuint(most_probable(&a[2], 3), ==, 1);
    g_assert_true(is_right(a, 5, 1));
    g_assert_false(is_right(a, 5, 3));
    g_assert_false(is_right(a, 5, 0));
}

#define ADD(name, f) g_test_add_func("/functions/" name, f)

int main(int argc, char **argv)
{
    start_tests(argc, argv);
    ADD("sigmoid is its definition from -1000 to 1000",
        sigmoid_is_its_definition);
    ADD("sigmoid keeps its relative precision when it is small",
        sigmoid_keeps_its_digits_when_small);
    ADD("sigmoid is 0 and 1 at -1000 and 1000", sigmoid_saturates);
    ADD("A.1 sigmoid is a shifted and scaled tanh", sigmoid_is_a_scaled_tanh);
    ADD("sigmoids of x and -x sum to 1", sigmoids_of_x_and_minus_x_sum_to_1);
    ADD("A.2 the logarithm of sigmoid(x) is -softplus(-x)",
        log_sigmoid_is_minus_softplus);
    ADD("softplus is its definition from -1000 to 1000",
        softplus_is_its_definition);
    ADD("softplus keeps its relative precision when it is small",
        softplus_keeps_its_digits_when_small);
    ADD("softplus does not overflow", softplus_does_not_overflow);
    ADD("A.3 sigmoid_prime is the slope of sigmoid",
        sigmoid_prime_is_the_slope_of_sigmoid);
    ADD("A.4 tanh_prime is the slope of tanh",
        tanh_prime_is_the_slope_of_tanh);
    ADD("sigmoid is the slope of softplus", sigmoid_is_the_slope_of_softplus);
    ADD("the derivatives of sigmoid and tanh vanish at 1000",
        derivatives_vanish_far_away);
    ADD("A.5 sign is a difference of indicators, and 0 at both zeros",
        sign_is_a_difference_of_indicators);
    ADD("A.6 absolute_prime is the slope of the absolute value",
        absolute_prime_is_the_slope_of_absolute);
    ADD("the absolute value of x is x times its sign",
        absolute_is_x_times_its_sign);
    ADD("A.7 rect_prime is the slope of rect",
        rect_prime_is_the_slope_of_rect);
    ADD("rect is the mean of x and its absolute value",
        rect_is_the_mean_of_x_and_its_absolute_value);
    ADD("derivatives are 0 at a kink", kinks_have_derivative_0);
    ADD("softmax is not negative and sums to 1", probabilities_sum_to_1);
    ADD("softmax, log-softmax, log-sum-exp and loss are their definitions",
        logit_functions_are_their_definitions);
    ADD("softmax is unchanged by adding a constant to every logit",
        shift_changes_nothing);
    ADD("log-sum-exp grows by what is added to every logit",
        log_sum_exp_follows_a_shift);
    ADD("m equal logits, even 1e8 or -1e4, have the loss log m",
        equal_logits_are_uniform);
    ADD("logits of 1000 and -1000 do not overflow",
        thousand_does_not_overflow);
    ADD("logits -431, 279, 427 have the loss 858 and gradient -1, 0, 1",
        far_apart_logits_have_a_finite_loss);
    ADD("the loss is never negative", loss_is_not_negative);
    ADD("the result may take the place of the logits",
        the_result_may_replace_the_logits);
    ADD("softmax of two classes is a sigmoid", two_classes_are_a_sigmoid);
    ADD("B.7 the slope of the loss is softmax minus onehot",
        slope_of_the_loss_is_softmax_minus_onehot);
    ADD("the most probable class is the first of the largest logits",
        most_probable_is_the_largest_logit);
    return g_test_run();
}
