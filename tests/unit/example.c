#include "check.h"
#include "example.h"
#include "functions.h"

typedef struct {
    Network net, grad;
    Example e;
} Fixture;

static void create(Fixture *f, const Network *net)
{
    f->net = *net;
    f->grad = zero_network_like(net);
    if (!example_create(&f->e, net))
        g_error("no memory for an example");
}

static void destroy(Fixture *f)
{
    network_free(&f->net);
    network_free(&f->grad);
    example_free(&f->e);
}

/* -------------------------------------------- the tiny network of the book */

static const real X[] = {1, (real)0.5};

static void create_tiny(Fixture *f)
{
    static const double theta[] = {
        0.6, -0.4, -0.8, 0.2, 0.3, 0.9,  0.1, 0.2, -0.1,
        0.7, -0.5, 0.2, -0.3, 0.4, 0.8,  0.1, -0.1,
    };
    Network net;
    g_assert_true(network_create(&net, 2, 3, 2));
    g_assert_cmpuint(net.n_theta, ==, G_N_ELEMENTS(theta));
    for (size_t t = 0; t < net.n_theta; t++)
        net.theta[t] = (real)theta[t];
    create(f, &net);
}

/* By hand: the logits are 0.58 and 0.27, and everything behind them is a
   multiple of p, the probability that the network gives to the wrong class. */
static const double P = 0.57688526113205; /* sigmoid(0.31) */

static void expect(size_t n, const real *found, const double *expected)
{
    for (size_t i = 0; i < n; i++)
        assert_near(found[i], expected[i], 1e-13 + 8 * EPSILON);
}

static void tiny_network_forward(void)
{
    Fixture f;
    create_tiny(&f);
    const real L = fprop(&f.net, X, 1, &f.e);
    expect(3, f.e.ha, (double[]){0.5, -0.5, 0.65});
    expect(3, f.e.hs, (double[]){0.5, 0, 0.65});
    expect(2, f.e.oa, (double[]){0.58, 0.27});
    expect(2, f.e.os, (double[]){P, 1 - P});
    assert_near(L, -log(1 - P), 1e-13 + 8 * EPSILON);
    destroy(&f);
}

static void tiny_network_backward(void)
{
    Fixture f;
    create_tiny(&f);
    fprop(&f.net, X, 1, &f.e);
    bprop(&f.net, X, 1, &f.e, &f.grad);
    bprop_input(&f.net, &f.e);
    expect(2, f.e.grad_oa, (double[]){P, -P});
    expect(3, f.e.grad_hs, (double[]){P, -0.9 * P, -0.6 * P});
    expect(3, f.e.grad_ha, (double[]){P, 0, -0.6 * P});
    expect(2, f.e.grad_x, (double[]){0.42 * P, -0.94 * P});
    expect(6, f.grad.W1, (double[]){P, 0.5 * P, 0, 0, -0.6 * P, -0.3 * P});
    expect(3, f.grad.b1, (double[]){P, 0, -0.6 * P});
    expect(6, f.grad.W2, (double[]){0.5 * P, 0, 0.65 * P,
                                    -0.5 * P, 0, -0.65 * P});
    expect(2, f.grad.b2, (double[]){P, -P});
    destroy(&f);
}

/* --------------------------------------------------------- random networks */

typedef void NetworkTest(Fixture *f, const real *x, int y, GRand *random);

static void for_random_networks(NetworkTest *test)
{
    GRand *random = g_rand_new_with_seed(21);
    for (int i = 0; i < 50; i++) {
        const size_t d = (size_t)g_rand_int_range(random, 1, 12);
        const size_t dh = (size_t)g_rand_int_range(random, 1, 12);
        const size_t m = (size_t)g_rand_int_range(random, 2, 8);
        Network net = draw_network(random, d, dh, m);
        Examples one = draw_examples(random, &net, 1);
        Fixture f;
        create(&f, &net);
        const real L = fprop(&f.net, one.X, one.y[0], &f.e);
        g_assert_true(isfinite(L));
        bprop(&f.net, one.X, one.y[0], &f.e, &f.grad);
        bprop_input(&f.net, &f.e);
        test(&f, one.X, one.y[0], random);
        free_examples(&one);
        destroy(&f);
    }
    g_rand_free(random);
}

/* Element by element, in double, as B.1 and B.2 say. */
static void check_forward(Fixture *f, const real *x, int y, GRand *random)
{
    (void)random;
    const Network *n = &f->net;
    for (size_t j = 0; j < n->dh; j++) {
        double ha = (double)n->b1[j];
        for (size_t i = 0; i < n->d; i++)
            ha += (double)n->W1[j * n->d + i] * (double)x[i];
        assert_near(f->e.ha[j], ha, 8 * EPSILON);
        g_assert_cmpfloat(f->e.hs[j], ==, f->e.ha[j] > 0 ? f->e.ha[j] : 0);
    }
    for (size_t k = 0; k < n->m; k++) {
        double oa = (double)n->b2[k];
        for (size_t j = 0; j < n->dh; j++)
            oa += (double)n->W2[k * n->dh + j] * (double)f->e.hs[j];
        assert_near(f->e.oa[k], oa, 32 * EPSILON);
    }
    assert_near(exp(-(double)fprop(n, x, y, &f->e)), f->e.os[y],
                16 * EPSILON);
}

static void forward_is_its_definition(void)
{
    for_random_networks(check_forward);
}

static void check_sums_to_zero(Fixture *f, const real *x, int y,
                               GRand *random)
{
    (void)x, (void)random;
    double sum = 0, sum_b2 = 0;
    for (size_t k = 0; k < f->net.m; k++) {
        sum += (double)f->e.grad_oa[k];
        sum_b2 += (double)f->grad.b2[k];
    }
    assert_near(sum, 0, 8 * EPSILON);
    assert_near(sum_b2, 0, 8 * EPSILON);
    g_assert_cmpfloat(f->e.grad_oa[y], <, 0);
    for (size_t j = 0; j < f->net.dh; j++) { /* so do the columns of W2 */
        double column = 0;
        for (size_t k = 0; k < f->net.m; k++)
            column += (double)f->grad.W2[k * f->net.dh + j];
        assert_near(column, 0, 16 * EPSILON);
    }
}

static void softmax_gradient_sums_to_zero(void)
{
    for_random_networks(check_sums_to_zero);
}

static void check_units_that_are_off(Fixture *f, const real *x, int y,
                                     GRand *random)
{
    (void)x, (void)y, (void)random;
    const size_t d = f->net.d;
    for (size_t j = 0; j < f->net.dh; j++) {
        if (f->e.ha[j] > 0)
            continue;
        g_assert_cmpfloat(f->e.grad_ha[j], ==, 0);
        g_assert_cmpfloat(f->grad.b1[j], ==, 0);
        for (size_t i = 0; i < d; i++)
            g_assert_cmpfloat(f->grad.W1[j * d + i], ==, 0);
        for (size_t k = 0; k < f->net.m; k++)
            g_assert_cmpfloat(f->grad.W2[k * f->net.dh + j], ==, 0);
    }
}

static void a_unit_that_is_off_learns_nothing(void)
{
    for_random_networks(check_units_that_are_off);
}

static void check_outer_products(Fixture *f, const real *x, int y,
                                 GRand *random)
{
    (void)y, (void)random;
    const size_t d = f->net.d, dh = f->net.dh;
    for (size_t j = 0; j < dh; j++) {
        assert_near(f->grad.b1[j], f->e.grad_ha[j], EPSILON);
        for (size_t i = 0; i < d; i++)
            assert_near(f->grad.W1[j * d + i], f->e.grad_ha[j] * x[i],
                        2 * EPSILON);
    }
    for (size_t k = 0; k < f->net.m; k++) {
        assert_near(f->grad.b2[k], f->e.grad_oa[k], EPSILON);
        for (size_t j = 0; j < dh; j++)
            assert_near(f->grad.W2[k * dh + j],
                        f->e.grad_oa[k] * f->e.hs[j], 2 * EPSILON);
    }
}

static void weight_gradients_are_outer_products(void)
{
    for_random_networks(check_outer_products);
}

static void check_adding(Fixture *f, const real *x, int y, GRand *random)
{
    (void)random;
    Network twice = zero_network_like(&f->net);
    bprop(&f->net, x, y, &f->e, &twice);
    bprop(&f->net, x, y, &f->e, &twice);
    for (size_t t = 0; t < twice.n_theta; t++)
        assert_near(twice.theta[t], 2 * f->grad.theta[t], 4 * EPSILON);
    network_free(&twice);
}

static void backward_adds_to_the_gradient(void)
{
    for_random_networks(check_adding);
}

static void check_nothing_moves(Fixture *f, const real *x, int y,
                                GRand *random)
{
    (void)random;
    Network before = zero_network_like(&f->net);
    network_copy(&before, &f->net);
    fprop(&f->net, x, y, &f->e);
    bprop(&f->net, x, y, &f->e, &f->grad);
    bprop_input(&f->net, &f->e);
    assert_same_bits(before.n_theta, before.theta, f->net.theta);
    network_free(&before);
}

static void passes_leave_the_network_alone(void)
{
    for_random_networks(check_nothing_moves);
}

/* Multiply what enters a hidden unit by c > 0 and divide what leaves it:
   rect(c h) = c rect(h), so the network computes the same. */
static void check_scaling(Fixture *f, const real *x, int y, GRand *random)
{
    const size_t d = f->net.d, dh = f->net.dh;
    const double before = (double)fprop(&f->net, x, y, &f->e);
    for (size_t j = 0; j < dh; j++) {
        const real c = draw(random, 0.5, 2);
        f->net.b1[j] *= c;
        for (size_t i = 0; i < d; i++)
            f->net.W1[j * d + i] *= c;
        for (size_t k = 0; k < f->net.m; k++)
            f->net.W2[k * dh + j] /= c;
    }
    assert_near(fprop(&f->net, x, y, &f->e), before, 100 * EPSILON);
}

static void scaling_a_hidden_unit_changes_nothing(void)
{
    for_random_networks(check_scaling);
}

/* x moves by h in one direction, unless a unit switches on the way. */
static double loss_at(Fixture *f, real *x, size_t i, real value, int y,
                      bool *kink)
{
    const real before = x[i];
    const size_t dh = f->net.dh;
    bool *on = g_new(bool, dh);
    for (size_t j = 0; j < dh; j++)
        on[j] = f->e.ha[j] > 0;
    x[i] = value;
    const double L = (double)fprop(&f->net, x, y, &f->e);
    x[i] = before;
    for (size_t j = 0; j < dh; j++)
        *kink = *kink || on[j] != (f->e.ha[j] > 0);
    fprop(&f->net, x, y, &f->e);
    g_free(on);
    return L;
}

static int inputs_checked;

static void check_input_gradient(Fixture *f, const real *x, int y,
                                 GRand *random)
{
    (void)random;
    const double h = sizeof(real) == 4 ? 0x1p-7 : 0x1p-17;
    real *moving = g_new(real, f->net.d);
    memcpy(moving, x, f->net.d * sizeof(real));
    for (size_t i = 0; i < f->net.d; i++) {
        const real up = (real)((double)x[i] + h);
        const real down = (real)((double)x[i] - h);
        bool kink = false;
        const double numeric = (loss_at(f, moving, i, up, y, &kink)
                                - loss_at(f, moving, i, down, y, &kink))
                             / ((double)up - (double)down);
        if (kink)
            continue;
        inputs_checked++;
        assert_near(f->e.grad_x[i], numeric, 64 * h * h);
    }
    g_free(moving);
}

static void input_gradient_is_the_slope(void)
{
    inputs_checked = 0;
    for_random_networks(check_input_gradient);
    g_test_message("%d inputs compared", inputs_checked);
    g_assert_cmpint(inputs_checked, >, 200);
}

/* ----------------------------------------------------------------- corners */

/* The logits are the biases b2, for all weights are zero. */
static void extreme_logits_have_the_right_gradient(void)
{
    const struct {
        real logits[3];
        int y;
        double L, grad[3];
    } cases[] = {
        {{-431, 279, 427}, 0, 858, {-1, 0, 1}},
        {{-431, 279, 427}, 1, 148, {0, -1, 1}},
        {{-431, 279, 427}, 2, 0, {0, 0, 0}},
        {{(real)1e8, (real)1e8, (real)1e8}, 0, 1.0986122886681098,
         {-2 / 3., 1 / 3., 1 / 3.}},
        {{(real)-1e4, (real)-1e4, (real)-1e4}, 2, 1.0986122886681098,
         {1 / 3., 1 / 3., -2 / 3.}},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Network net;
        Fixture f;
        g_assert_true(network_create(&net, 2, 3, 3));
        create(&f, &net);
        memcpy(f.net.b2, cases[i].logits, sizeof cases[i].logits);
        assert_near(fprop(&f.net, X, cases[i].y, &f.e), cases[i].L,
                    2 * EPSILON);
        bprop(&f.net, X, cases[i].y, &f.e, &f.grad);
        for (size_t k = 0; k < 3; k++)
            assert_near(f.grad.b2[k], cases[i].grad[k], 2 * EPSILON);
        destroy(&f);
    }
}

static void a_unit_at_its_kink_is_off(void)
{
    Fixture f;
    create_tiny(&f);
    f.net.W1[0] = f.net.W1[1] = f.net.b1[0] = 0;
    fprop(&f.net, X, 1, &f.e);
    bprop(&f.net, X, 1, &f.e, &f.grad);
    g_assert_cmpfloat(f.e.ha[0], ==, 0);
    g_assert_cmpfloat(f.e.grad_hs[0], !=, 0);
    g_assert_cmpfloat(f.e.grad_ha[0], ==, 0);
    g_assert_cmpfloat(f.grad.b1[0], ==, 0);
    destroy(&f);
}

static void a_step_against_the_gradient_lowers_the_loss(void)
{
    Fixture f;
    create_tiny(&f);
    const real before = fprop(&f.net, X, 1, &f.e);
    bprop(&f.net, X, 1, &f.e, &f.grad);
    for (size_t t = 0; t < f.net.n_theta; t++)
        f.net.theta[t] -= (real)0.1 * f.grad.theta[t];
    g_assert_cmpfloat(fprop(&f.net, X, 1, &f.e), <, before);
    destroy(&f);
}

#define ADD(name, f) g_test_add_func("/example/" name, f)

int main(int argc, char **argv)
{
    start_tests(argc, argv);
    ADD("the tiny network goes forward as by hand", tiny_network_forward);
    ADD("the tiny network goes backward as by hand", tiny_network_backward);
    ADD("B.1 B.2 B.4 the forward pass is its definition",
        forward_is_its_definition);
    ADD("B.7 the gradient by the logits sums to zero",
        softmax_gradient_sums_to_zero);
    ADD("B.10 B.16 gradients by weights are outer products",
        weight_gradients_are_outer_products);
    ADD("B.13 a unit that is off learns nothing",
        a_unit_that_is_off_learns_nothing);
    ADD("B.13 a unit exactly at its kink is off", a_unit_at_its_kink_is_off);
    ADD("B.17 the gradient by the input is the slope of the loss",
        input_gradient_is_the_slope);
    ADD("the backward pass adds to what is there",
        backward_adds_to_the_gradient);
    ADD("the passes leave the network as it was",
        passes_leave_the_network_alone);
    ADD("scaling a hidden unit's inputs up and outputs down changes nothing",
        scaling_a_hidden_unit_changes_nothing);
    ADD("logits far apart or huge have the right loss and gradient",
        extreme_logits_have_the_right_gradient);
    ADD("a small step against the gradient lowers the loss",
        a_step_against_the_gradient_lowers_the_loss);
    return g_test_run();
}
