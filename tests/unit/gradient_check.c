#include "check.h"
#include "gradient_check.h"

static GradientCheck check(Network *net, Penalty penalty, const Examples *of,
                           GradientFunction *gradient,
                           DifferenceMethod method, double step,
                           CheckedDerivative *each)
{
    GradientCheck c;
    if (!gradient_check(net, penalty, of->X, of->y, of->K, gradient, method,
                        step, each, &c))
        g_error("no memory for a check");
    g_assert_cmpuint(c.checked + c.kinks, ==, net->n_theta);
    return c;
}

/* Draws sizes, a number of examples and a penalty; in turn none, each
   strength alone, and all together. */
static Penalty draw_case(GRand *random, int i, Network *net, Examples *of)
{
    const size_t d = (size_t)g_rand_int_range(random, 1, 8);
    const size_t dh = (size_t)g_rand_int_range(random, 1, 9);
    const size_t m = (size_t)g_rand_int_range(random, 2, 7);
    *net = draw_network(random, d, dh, m);
    *of = draw_examples(random, net, (size_t)g_rand_int_range(random, 1, 12));
    const int which = i % 6;
    return (Penalty){
        which == 1 || which == 5 ? draw(random, 0.001, 0.1) : 0,
        which == 2 || which == 5 ? draw(random, 0.001, 0.1) : 0,
        which == 3 || which == 5 ? draw(random, 0.001, 0.1) : 0,
        which == 4 || which == 5 ? draw(random, 0.001, 0.1) : 0};
}

static void parameters_are_restored(void)
{
    GRand *random = g_rand_new_with_seed(51);
    const DifferenceMethod methods[] = {
        DIFFERENCE_FORWARD, DIFFERENCE_CENTRAL, DIFFERENCE_FIVE_POINT};
    for (int i = 0; i < 30; i++) {
        Network net;
        Examples of;
        const Penalty penalty = draw_case(random, i, &net, &of);
        net.theta[0] = (real)-0.0; /* its sign must survive, too */
        Network before = zero_network_like(&net);
        network_copy(&before, &net);
        check(&net, penalty, &of, loop_gradient, methods[i % 3], 0.01, NULL);
        assert_same_bits(net.n_theta, net.theta, before.theta);
        network_free(&net);
        network_free(&before);
        free_examples(&of);
    }
    g_rand_free(random);
}

static void every_parameter_is_named(void)
{
    GRand *random = g_rand_new_with_seed(52);
    Network net = draw_network(random, 3, 4, 2);
    Examples of = draw_examples(random, &net, 5);
    CheckedDerivative each[3 * 4 + 4 + 2 * 4 + 2];
    Network grad = zero_network_like(&net);
    Workspace w;
    g_assert_cmpuint(net.n_theta, ==, G_N_ELEMENTS(each));
    g_assert_true(workspace_create(&w, &net, 5));
    loop_gradient(&net, (Penalty){0}, of.X, of.y, 5, &w, &grad);
    check(&net, (Penalty){0}, &of, loop_gradient, DIFFERENCE_CENTRAL, 0.001,
          each);
    const struct {
        const char *parameter;
        size_t rows, columns;
        const real *at;
    } arrays[] = {{"W1", 4, 3, grad.W1}, {"b1", 4, 1, grad.b1},
                  {"W2", 2, 4, grad.W2}, {"b2", 2, 1, grad.b2}};
    const CheckedDerivative *next = each;
    for (size_t a = 0; a < G_N_ELEMENTS(arrays); a++)
        for (size_t i = 0; i < arrays[a].rows * arrays[a].columns; i++) {
            g_assert_cmpstr(next->parameter, ==, arrays[a].parameter);
            g_assert_cmpuint(next->row, ==, i / arrays[a].columns);
            g_assert_cmpuint(next->column, ==, i % arrays[a].columns);
            g_assert_cmpfloat(next->analytic, ==, (double)arrays[a].at[i]);
            next++;
        }
    workspace_free(&w);
    network_free(&net);
    network_free(&grad);
    free_examples(&of);
    g_rand_free(random);
}

static Outcome all_zero(const Network *net, Penalty penalty, const real *X,
                        const int *y, size_t K, Workspace *w, Network *grad)
{
    (void)net, (void)penalty, (void)X, (void)y, (void)K, (void)w;
    memset(grad->theta, 0, grad->n_theta * sizeof(real));
    return (Outcome){0};
}

static void a_gradient_of_zeros_shows(void)
{
    GRand *random = g_rand_new_with_seed(53);
    Network net = draw_network(random, 3, 4, 2);
    Examples of = draw_examples(random, &net, 5);
    GradientCheck c = check(&net, (Penalty){0}, &of, all_zero,
                            DIFFERENCE_CENTRAL, 0.001, NULL);
    g_assert_cmpfloat(c.largest_derivative, ==, 0);
    c = check(&net, (Penalty){0}, &of, loop_gradient, DIFFERENCE_CENTRAL,
              0.001, NULL);
    g_assert_cmpfloat(c.largest_derivative, >, 0);
    network_free(&net);
    free_examples(&of);
    g_rand_free(random);
}

/* -------------------------------------------------------------------- kinks */

/* Unit 1 of example 0 is on the threshold.  Shaking any weight into it, or
   its bias, switches it; nothing else does. */
static void a_rectifier_at_its_kink_is_found(void)
{
    GRand *random = g_rand_new_with_seed(54);
    Network net = draw_network(random, 3, 2, 2);
    Examples of = draw_examples(random, &net, 2);
    CheckedDerivative each[3 * 2 + 2 + 2 * 2 + 2];
    double sum = 0;
    for (size_t i = 0; i < 3; i++) {
        of.X[i] = (real)(0.5 + (double)i);
        sum += (double)net.W1[3 + i] * (double)of.X[i];
    }
    net.b1[1] = (real)-sum;
    const GradientCheck c = check(&net, (Penalty){0}, &of, loop_gradient,
                                  DIFFERENCE_CENTRAL, 0.001, each);
    g_assert_cmpuint(c.kinks, ==, 3 + 1);
    for (size_t t = 0; t < net.n_theta; t++) {
        const bool enters_unit_1 = each[t].parameter[1] == '1'
                                && each[t].row == 1;
        g_assert_true(each[t].kink == enters_unit_1);
    }
    network_free(&net);
    free_examples(&of);
    g_rand_free(random);
}

static void a_penalised_weight_near_zero_is_a_kink(void)
{
    GRand *random = g_rand_new_with_seed(55);
    Network net = draw_network(random, 1, 1, 2);
    Examples of = draw_examples(random, &net, 1);
    net.b1[0] = 3; /* far from the kink of the rectifier */
    net.W1[0] = (real)1e-4;
    net.W2[1] = (real)-1e-4;
    net.b2[0] = (real)1e-4; /* a bias has no penalty, so no kink */
    const struct {
        Penalty penalty;
        size_t kinks;
    } cases[] = {
        {{0}, 0}, {{1, 0, 0, 0}, 1}, {{0, 1, 0, 0}, 0}, {{0, 0, 1, 0}, 1},
        {{0, 0, 0, 1}, 0}, {{1, 1, 1, 1}, 2},
    };
    const DifferenceMethod methods[] = {
        DIFFERENCE_FORWARD, DIFFERENCE_CENTRAL, DIFFERENCE_FIVE_POINT};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        for (size_t j = 0; j < 3; j++) {
            const GradientCheck c = check(&net, cases[i].penalty, &of,
                                          loop_gradient, methods[j], 0.001,
                                          NULL);
            /* a step forward passes only the zero of the negative weight */
            const size_t hidden_half = methods[j] == DIFFERENCE_FORWARD
                                    && cases[i].penalty.l11 > 0;
            g_assert_cmpuint(c.kinks, ==, cases[i].kinks - hidden_half);
        }
    network_free(&net);
    free_examples(&of);
    g_rand_free(random);
}

#ifdef MLP_DOUBLE
/* ------------------------------------------------------- the strict check */

enum { NETWORKS = 300 };
static const double STEP = 2e-3;

static void strict_check(GradientFunction *gradient)
{
    GRand *random = g_rand_new_with_seed(56);
    size_t checked = 0, kinks = 0;
    double worst = 0;
    for (int i = 0; i < NETWORKS; i++) {
        Network net;
        Examples of;
        const Penalty penalty = draw_case(random, i, &net, &of);
        const GradientCheck c = check(&net, penalty, &of, gradient,
                                      DIFFERENCE_FIVE_POINT, STEP, NULL);
        g_assert_cmpfloat(c.largest_derivative, >, 0);
        g_assert_cmpfloat(c.largest_relative_error, <, 1e-6);
        worst = fmax(worst, c.largest_relative_error);
        checked += c.checked;
        kinks += c.kinks;
        network_free(&net);
        free_examples(&of);
    }
    g_rand_free(random);
    g_test_message("%d networks, %zu derivatives checked, %zu kinks set aside",
                   NETWORKS, checked, kinks);
    g_test_message("largest relative error: %.3g", worst);
    g_assert_cmpuint(checked, >, 10000);
    g_assert_cmpuint(kinks, >, 0);
    g_assert_cmpfloat((double)kinks, <, 0.05 * (double)checked);
}

static void loop_passes_the_strict_check(void)
{
    strict_check(loop_gradient);
}

static void matrices_pass_the_strict_check(void)
{
    strict_check(matrix_gradient);
}

/* -------------------------------------------- the check of the homework */

/* Ratios are judged where the derivative is not so small that the
   truncation of a forward difference, step f''/2, would hide it. */
static void forward_ratios_are_near_1(void)
{
    GRand *random = g_rand_new_with_seed(57);
    const double steps[] = {2e-6, 1e-5, 5e-5};
    size_t judged = 0, all = 0;
    double low = 1, high = 1;
    for (int i = 0; i < 100; i++) {
        Network net = draw_network(random, 2, 2, 2);
        Examples of = draw_examples(random, &net, i % 2 == 0 ? 1 : 10);
        CheckedDerivative each[12];
        const GradientCheck c = check(&net, (Penalty){0}, &of, loop_gradient,
                                      DIFFERENCE_FORWARD, steps[i % 3], each);
        g_assert_cmpfloat(c.largest_derivative, >, 0);
        for (size_t t = 0; t < net.n_theta; t++) {
            all++;
            if (each[t].kink || fabs(each[t].analytic) < 100 * steps[i % 3])
                continue;
            judged++;
            const double ratio = each[t].analytic / each[t].numeric;
            g_assert_cmpfloat(ratio, >=, 0.99);
            g_assert_cmpfloat(ratio, <=, 1.01);
            low = fmin(low, ratio);
            high = fmax(high, ratio);
        }
        network_free(&net);
        free_examples(&of);
    }
    g_test_message("%zu of %zu ratios, from %.6f to %.6f", judged, all, low,
                   high);
    g_assert_cmpuint(judged, >, all / 2);
    g_rand_free(random);
}

/* The error falls like the step to the power 1, 2 or 4. */
static void errors_fall_with_the_order_of_the_method(void)
{
    GRand *random = g_rand_new_with_seed(58);
    const struct {
        DifferenceMethod method;
        double step, fall;
    } methods[] = {{DIFFERENCE_FORWARD, 2e-3, 2},
                   {DIFFERENCE_CENTRAL, 2e-3, 4},
                   {DIFFERENCE_FIVE_POINT, 2e-2, 16}};
    Network net = draw_network(random, 3, 4, 3);
    Examples of = draw_examples(random, &net, 5);
    for (size_t j = 0; j < net.dh; j++)
        net.b1[j] = j % 2 == 0 ? 5 : -5; /* no kink in reach */
    for (size_t i = 0; i < G_N_ELEMENTS(methods); i++) {
        const double h = methods[i].step;
        const GradientCheck coarse = check(&net, (Penalty){0}, &of,
            loop_gradient, methods[i].method, h, NULL);
        const GradientCheck fine = check(&net, (Penalty){0}, &of,
            loop_gradient, methods[i].method, h / 2, NULL);
        g_assert_cmpuint(coarse.kinks, ==, 0);
        g_assert_cmpuint(fine.kinks, ==, 0);
        const double fall = coarse.largest_relative_error
                          / fine.largest_relative_error;
        g_assert_cmpfloat(fall, >, 0.85 * methods[i].fall);
        g_assert_cmpfloat(fall, <, 1.15 * methods[i].fall);
    }
    network_free(&net);
    free_examples(&of);
    g_rand_free(random);
}

/* --------------------------------------------------- wrong gradients */

static Outcome wrong_sign(const Network *net, Penalty penalty, const real *X,
                          const int *y, size_t K, Workspace *w, Network *grad)
{
    const Outcome o = loop_gradient(net, penalty, X, y, K, w, grad);
    for (size_t t = 0; t < grad->n_theta; t++)
        grad->theta[t] = -grad->theta[t];
    return o;
}

static Outcome no_b1(const Network *net, Penalty penalty, const real *X,
                     const int *y, size_t K, Workspace *w, Network *grad)
{
    const Outcome o = loop_gradient(net, penalty, X, y, K, w, grad);
    memset(grad->b1, 0, grad->dh * sizeof(real));
    return o;
}

static Outcome no_b2(const Network *net, Penalty penalty, const real *X,
                     const int *y, size_t K, Workspace *w, Network *grad)
{
    const Outcome o = loop_gradient(net, penalty, X, y, K, w, grad);
    memset(grad->b2, 0, grad->m * sizeof(real));
    return o;
}

static Outcome doubled_penalty(const Network *net, Penalty penalty,
                               const real *X, const int *y, size_t K,
                               Workspace *w, Network *grad)
{
    const Outcome o = loop_gradient(net, penalty, X, y, K, w, grad);
    penalty_add_gradient(net, penalty, grad);
    return o;
}

static Outcome sum_for_mean(const Network *net, Penalty penalty,
                            const real *X, const int *y, size_t K,
                            Workspace *w, Network *grad)
{
    const Outcome o = loop_gradient(net, penalty, X, y, K, w, grad);
    for (size_t t = 0; t < grad->n_theta; t++)
        grad->theta[t] *= (real)K;
    return o;
}

/* Only one entry of all is wrong, and only by a thousandth. */
static Outcome nearly_right(const Network *net, Penalty penalty,
                            const real *X, const int *y, size_t K,
                            Workspace *w, Network *grad)
{
    const Outcome o = loop_gradient(net, penalty, X, y, K, w, grad);
    grad->b2[0] *= (real)1.001;
    return o;
}

static Outcome not_a_number(const Network *net, Penalty penalty,
                            const real *X, const int *y, size_t K,
                            Workspace *w, Network *grad)
{
    const Outcome o = loop_gradient(net, penalty, X, y, K, w, grad);
    grad->b2[0] = (real)NAN;
    return o;
}

static void expect_caught(GradientFunction *gradient, double error)
{
    GRand *random = g_rand_new_with_seed(59);
    const Penalty penalty = {0.01, 0.01, 0.01, 0.01};
    for (int i = 0; i < 20; i++) {
        Network net = draw_network(random, 3, 6, 3);
        Examples of = draw_examples(random, &net, 5);
        const GradientCheck right = check(&net, penalty, &of, loop_gradient,
            DIFFERENCE_FIVE_POINT, STEP, NULL);
        const GradientCheck wrong = check(&net, penalty, &of, gradient,
            DIFFERENCE_FIVE_POINT, STEP, NULL);
        g_assert_cmpfloat(right.largest_relative_error, <, 1e-6);
        g_assert_cmpfloat(wrong.largest_relative_error, >, error);
        if (error > 0.01 && error < DBL_MAX)
            g_assert_true(wrong.smallest_ratio < 0.99
                          || wrong.largest_ratio > 1.01);
        network_free(&net);
        free_examples(&of);
    }
    g_rand_free(random);
}

static void wrong_sign_is_caught(void)
{
    expect_caught(wrong_sign, 1.9);
}

static void missing_b1_is_caught(void)
{
    expect_caught(no_b1, 0.99);
}

static void missing_b2_is_caught(void)
{
    expect_caught(no_b2, 0.99);
}

static void doubled_penalty_is_caught(void)
{
    expect_caught(doubled_penalty, 0.02);
}

static void sum_for_mean_is_caught(void)
{
    expect_caught(sum_for_mean, 0.79);
}

static void not_a_number_is_caught(void)
{
    expect_caught(not_a_number, DBL_MAX); /* the error is infinite */
}

static Outcome nan_of_unit_0(const Network *net, Penalty penalty,
                             const real *X, const int *y, size_t K,
                             Workspace *w, Network *grad)
{
    const Outcome o = loop_gradient(net, penalty, X, y, K, w, grad);
    grad->b1[0] = (real)NAN;
    return o;
}

/* Where the difference is 0, so that none of the two is larger. */
static void not_a_number_for_zero_is_caught(void)
{
    GRand *random = g_rand_new_with_seed(60);
    Network net = draw_network(random, 3, 6, 3);
    Examples of = draw_examples(random, &net, 5);
    net.b1[0] = -100; /* never on */
    const GradientCheck c = check(&net, (Penalty){0}, &of, nan_of_unit_0,
                                  DIFFERENCE_FIVE_POINT, STEP, NULL);
    g_assert_cmpfloat(c.largest_relative_error, >, DBL_MAX);
    network_free(&net);
    free_examples(&of);
    g_rand_free(random);
}

static void nearly_right_is_caught(void)
{
    expect_caught(nearly_right, 0.9e-3);
}
#endif

#define ADD(name, f) g_test_add_func("/gradient_check/" name, f)

int main(int argc, char **argv)
{
    start_tests(argc, argv);
    ADD("the parameters are restored to the bit", parameters_are_restored);
    ADD("every parameter is compared under its name",
        every_parameter_is_named);
    ADD("a gradient of zeros shows in the largest derivative",
        a_gradient_of_zeros_shows);
    ADD("a rectifier at its kink is found, and nothing else",
        a_rectifier_at_its_kink_is_found);
    ADD("a weight near zero is a kink if its absolute value is penalised",
        a_penalised_weight_near_zero_is_a_kink);
#ifdef MLP_DOUBLE
    ADD("P.1 the loop agrees with five-point differences to 1e-6",
        loop_passes_the_strict_check);
    ADD("P.6 the matrices agree with five-point differences to 1e-6",
        matrices_pass_the_strict_check);
    ADD("P.2 P.4 ratios to forward differences lie in 0.99 to 1.01",
        forward_ratios_are_near_1);
    ADD("halving the step divides the error by 2, 4 or 16",
        errors_fall_with_the_order_of_the_method);
    ADD("a wrong sign is caught", wrong_sign_is_caught);
    ADD("a missing gradient of b1 is caught", missing_b1_is_caught);
    ADD("a missing gradient of b2 is caught", missing_b2_is_caught);
    ADD("a doubled penalty is caught", doubled_penalty_is_caught);
    ADD("a sum in the place of the mean is caught", sum_for_mean_is_caught);
    ADD("one entry that is NaN is caught", not_a_number_is_caught);
    ADD("NaN in the place of zero is caught", not_a_number_for_zero_is_caught);
    ADD("one entry wrong by a thousandth is caught", nearly_right_is_caught);
#endif
    return g_test_run();
}
