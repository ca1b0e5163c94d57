#include <omp.h>
#include <string.h>
#include "check.h"
#include "functions.h"
#include "minibatch.h"

/* A random network, K examples, a workspace and two gradients. */
typedef struct {
    Network net, grad, other;
    Penalty penalty;
    Examples of;
    Workspace w;
} Fixture;

static Fixture create(GRand *random, size_t d, size_t dh, size_t m, size_t K,
                      size_t capacity)
{
    Fixture f = {.net = draw_network(random, d, dh, m)};
    f.grad = zero_network_like(&f.net);
    f.other = zero_network_like(&f.net);
    f.of = draw_examples(random, &f.net, K);
    f.penalty = (Penalty){draw(random, 0, 0.1), draw(random, 0, 0.1),
                          draw(random, 0, 0.1), draw(random, 0, 0.1)};
    if (!workspace_create(&f.w, &f.net, capacity))
        g_error("no memory for a workspace");
    return f;
}

static void destroy(Fixture *f)
{
    network_free(&f->net);
    network_free(&f->grad);
    network_free(&f->other);
    free_examples(&f->of);
    workspace_free(&f->w);
}

static Outcome run(Fixture *f, GradientFunction *gradient, Network *grad)
{
    return gradient(&f->net, f->penalty, f->of.X, f->of.y, f->of.K, &f->w,
                    grad);
}

static const struct {
    const char *name;
    GradientFunction *gradient;
} IMPLEMENTATIONS[] = {{"loop", loop_gradient}, {"matrix", matrix_gradient}};

/* Rounding grows with the length of the sums, slowly. */
static const double TOLERANCE = 256 * EPSILON;

static const size_t INPUTS[] = {1, 2, 7, 33}, HIDDEN[] = {1, 3, 16},
                    CLASSES[] = {1, 2, 3, 10}, EXAMPLES[] = {1, 2, 3, 10, 17};

typedef void ShapeTest(GRand *random, size_t d, size_t dh, size_t m, size_t K);

static void for_all_shapes(ShapeTest *test)
{
    GRand *random = g_rand_new_with_seed(41);
    for (size_t a = 0; a < G_N_ELEMENTS(INPUTS); a++)
        for (size_t b = 0; b < G_N_ELEMENTS(HIDDEN); b++)
            for (size_t c = 0; c < G_N_ELEMENTS(CLASSES); c++)
                for (size_t k = 0; k < G_N_ELEMENTS(EXAMPLES); k++)
                    test(random, INPUTS[a], HIDDEN[b], CLASSES[c],
                         EXAMPLES[k]);
    g_rand_free(random);
}

static double worst_gap;

static void check_agreement(Fixture *f)
{
    const Outcome loop = run(f, loop_gradient, &f->grad);
    const Outcome matrix = run(f, matrix_gradient, &f->other);
    const Network *a = &f->grad, *b = &f->other;
    /* array by array, so that a large one cannot hide a small one */
    assert_arrays_near(a->dh * a->d, b->W1, a->W1, TOLERANCE);
    assert_arrays_near(a->dh, b->b1, a->b1, TOLERANCE);
    assert_arrays_near(a->m * a->dh, b->W2, a->W2, TOLERANCE);
    assert_arrays_near(a->m, b->b2, a->b2, TOLERANCE);
    assert_near(matrix.loss, loop.loss, TOLERANCE);
    g_assert_cmpuint(matrix.errors, ==, loop.errors);
    for (size_t t = 0; t < a->n_theta; t++)
        worst_gap = fmax(worst_gap, fabs((double)a->theta[t]
                                         - (double)b->theta[t]));
}

static void check_shape(GRand *random, size_t d, size_t dh, size_t m,
                        size_t K)
{
    Fixture f = create(random, d, dh, m, K, K);
    check_agreement(&f);
    destroy(&f);
}

static void loop_and_matrices_agree(void)
{
    worst_gap = 0;
    for_all_shapes(check_shape);
    g_test_message("largest difference of an entry: %.3g", worst_gap);
    g_assert_cmpfloat(worst_gap, <, 1e-4); /* and not NaN */
}

/* The workspace was used for a full minibatch before, as in an epoch. */
static void check_partial(GRand *random, size_t d, size_t dh, size_t m,
                          size_t K)
{
    Fixture f = create(random, d, dh, m, 20, 20);
    run(&f, loop_gradient, &f.grad);
    run(&f, matrix_gradient, &f.other);
    f.of.K = K;
    check_agreement(&f);
    destroy(&f);
}

static void a_partial_last_minibatch_agrees(void)
{
    for_all_shapes(check_partial);
}

static void capacity_does_not_matter(void)
{
    GRand *random = g_rand_new_with_seed(42);
    for (size_t i = 0; i < 2; i++)
        for (size_t K = 1; K < 20; K++) {
            Fixture f = create(random, 5, 6, 4, K, K);
            Workspace large;
            g_assert_true(workspace_create(&large, &f.net, K + 37));
            run(&f, IMPLEMENTATIONS[i].gradient, &f.grad);
            IMPLEMENTATIONS[i].gradient(&f.net, f.penalty, f.of.X, f.of.y, K,
                                        &large, &f.other);
            assert_arrays_near(f.net.n_theta, f.other.theta, f.grad.theta,
                               TOLERANCE);
            workspace_free(&large);
            destroy(&f);
        }
    g_rand_free(random);
}

/* The definition: the mean of the gradients of one, plus the penalty. */
static void the_gradient_is_a_mean(void)
{
    GRand *random = g_rand_new_with_seed(43);
    for (size_t i = 0; i < 2; i++)
        for (size_t K = 1; K < 20; K++) {
            Fixture f = create(random, 5, 6, 4, K, K);
            double loss = 0;
            for (size_t j = 0; j < K; j++) {
                loss += (double)fprop(&f.net, &f.of.X[j * 5], f.of.y[j],
                                      &f.w.example);
                bprop(&f.net, &f.of.X[j * 5], f.of.y[j], &f.w.example,
                      &f.other);
            }
            for (size_t t = 0; t < f.net.n_theta; t++)
                f.other.theta[t] /= (real)K;
            penalty_add_gradient(&f.net, f.penalty, &f.other);
            const Outcome o = run(&f, IMPLEMENTATIONS[i].gradient, &f.grad);
            assert_arrays_near(f.net.n_theta, f.grad.theta, f.other.theta,
                               TOLERANCE);
            assert_near(o.loss, loss, TOLERANCE); /* without the penalty */
            destroy(&f);
        }
    g_rand_free(random);
}

static void the_gradient_is_overwritten(void)
{
    GRand *random = g_rand_new_with_seed(44);
    for (size_t i = 0; i < 2; i++) {
        Fixture f = create(random, 5, 6, 4, 7, 7);
        for (size_t t = 0; t < f.net.n_theta; t++)
            f.other.theta[t] = (real)NAN;
        run(&f, IMPLEMENTATIONS[i].gradient, &f.grad);
        run(&f, IMPLEMENTATIONS[i].gradient, &f.other);
        assert_same_bits(f.net.n_theta, f.other.theta, f.grad.theta);
        destroy(&f);
    }
    g_rand_free(random);
}

static void errors_are_counted(void)
{
    GRand *random = g_rand_new_with_seed(45);
    for (size_t i = 0; i < 2; i++) {
        Fixture f = create(random, 3, 8, 4, 200, 200);
        size_t errors = 0;
        for (size_t j = 0; j < 200; j++) {
            fprop(&f.net, &f.of.X[j * 3], f.of.y[j], &f.w.example);
            for (size_t k = 0; k < 4; k++)
                if (f.w.example.os[k] > f.w.example.os[f.of.y[j]]) {
                    errors++;
                    break;
                }
        }
        g_assert_cmpuint(errors, >, 0);
        g_assert_cmpuint(errors, <, 200);
        const Outcome o = run(&f, IMPLEMENTATIONS[i].gradient, &f.grad);
        g_assert_cmpuint(o.errors, ==, errors);
        destroy(&f);
    }
    g_rand_free(random);
}

static void forward_only_says_the_same(void)
{
    GRand *random = g_rand_new_with_seed(46);
    Fixture f = create(random, 3, 8, 4, 50, 60);
    real probabilities[50 * 4];
    const Outcome a = run(&f, loop_gradient, &f.grad);
    const Outcome b = forward_only(&f.net, f.of.X, f.of.y, 50, &f.w,
                                   probabilities);
    assert_near(b.loss, a.loss, TOLERANCE);
    g_assert_cmpuint(b.errors, ==, a.errors);
    const Outcome c = forward_only(&f.net, f.of.X, f.of.y, 50, &f.w, NULL);
    g_assert_cmpfloat(c.loss, ==, b.loss);
    for (size_t j = 0; j < 50; j++) {
        fprop(&f.net, &f.of.X[j * 3], f.of.y[j], &f.w.example);
        assert_arrays_near(4, &probabilities[j * 4], f.w.example.os,
                           TOLERANCE);
    }
    destroy(&f);
    g_rand_free(random);
}

static void fused_step_is_the_gradient_and_a_step(void)
{
    static const struct {
        Penalty penalty;
        double momentum;
        bool nesterov;
    } cases[] = {
        {{0, 0, 0, 0}, 0, false},
        {{0, (real)0.03, 0, (real)0.02}, 0, false},
        {{(real)0.04, 0, (real)0.05, 0}, 0, false},
        {{(real)0.04, (real)0.03, (real)0.05, (real)0.02}, 0, false},
        {{(real)0.04, (real)0.03, (real)0.05, (real)0.02}, 0.9, false},
        {{0, 0, 0, 0}, 0.9, true},
        {{(real)0.04, (real)0.03, (real)0.05, (real)0.02}, 0.9, true},
    };
    GRand *random = g_rand_new_with_seed(48);
    for (size_t c = 0; c < G_N_ELEMENTS(cases); c++) {
        const Descent s = {(real)0.3, (real)cases[c].momentum,
                           cases[c].penalty, cases[c].nesterov};
        Fixture f = create(random, 7, 70, 4, 30, 30);
        Network fused = draw_network(random, 7, 70, 4);
        Network velocity = zero_network_like(&f.net);
        Network grad = draw_network(random, 7, 70, 4);
        network_copy(&fused, &f.net);
        f.penalty = s.penalty;
        for (size_t step = 0; step < 2; step++) { /* other: the velocity */
            const Outcome a = run(&f, matrix_gradient, &f.grad);
            for (size_t t = 0; t < f.net.n_theta; t++) {
                f.other.theta[t] = s.momentum * f.other.theta[t]
                                 + f.grad.theta[t];
                f.net.theta[t] -= s.rate * (s.nesterov
                    ? f.grad.theta[t] + s.momentum * f.other.theta[t]
                    : f.other.theta[t]);
            }
            const Outcome b = matrix_descend(&fused, &velocity, &grad, s,
                                             f.of.X, f.of.y, f.of.K, &f.w);
            assert_near(b.loss, a.loss, TOLERANCE);
            g_assert_cmpuint(b.errors, ==, a.errors);
            assert_arrays_near(f.net.n_theta, fused.theta, f.net.theta,
                               TOLERANCE);
        }
        network_free(&fused);
        network_free(&grad);
        network_free(&velocity);
        destroy(&f);
    }
    g_rand_free(random);
}

static void threads_do_not_change_a_bit(void)
{
    Network first = {0};
    const int before = omp_get_max_threads();
    for (int threads = 1; threads <= 4; threads *= 2) {
        GRand *random = g_rand_new_with_seed(49);
        Fixture f = create(random, 340, 300, 5, 90, 90);
        Network velocity = zero_network_like(&f.net);
        omp_set_num_threads(threads);
        for (int i = 0; i < 9; i++) {
            const Descent s = {(real)0.1, (real)(i < 3 ? 0 : 0.9),
                               f.penalty, i >= 6};
            matrix_descend(&f.net, &velocity, &f.other, s, f.of.X, f.of.y,
                           90, &f.w);
            network_proximal(&f.net, (real)0.01, f.penalty);
        }
        if (threads == 1) {
            first = zero_network_like(&f.net);
            network_copy(&first, &f.net);
        }
        g_assert_cmpint(memcmp(first.theta, f.net.theta,
                               first.n_theta * sizeof(real)), ==, 0);
        network_free(&velocity);
        destroy(&f);
        g_rand_free(random);
    }
    omp_set_num_threads(before);
    network_free(&first);
}

static void order_of_the_examples_does_not_matter(void)
{
    GRand *random = g_rand_new_with_seed(47);
    for (size_t i = 0; i < 2; i++) {
        Fixture f = create(random, 4, 5, 3, 11, 11);
        const Outcome a = run(&f, IMPLEMENTATIONS[i].gradient, &f.grad);
        for (size_t j = 0; j < 5; j++) { /* reverse them */
            const size_t k = 10 - j;
            for (size_t c = 0; c < 4; c++) {
                const real x = f.of.X[j * 4 + c];
                f.of.X[j * 4 + c] = f.of.X[k * 4 + c];
                f.of.X[k * 4 + c] = x;
            }
            const int y = f.of.y[j];
            f.of.y[j] = f.of.y[k];
            f.of.y[k] = y;
        }
        const Outcome b = run(&f, IMPLEMENTATIONS[i].gradient, &f.other);
        assert_arrays_near(f.net.n_theta, f.other.theta, f.grad.theta,
                           TOLERANCE);
        assert_near(b.loss, a.loss, TOLERANCE);
        g_assert_cmpuint(b.errors, ==, a.errors);
        destroy(&f);
    }
    g_rand_free(random);
}

/* Biases b2 alone make the logits. */
static void extreme_logits_stay_finite(void)
{
    GRand *random = g_rand_new_with_seed(48);
    const real logits[][3] = {{-431, 279, 427}, {1000, -1000, 0},
                              {(real)1e8, (real)1e8, (real)1e8},
                              {(real)-1e4, (real)-1e4, (real)-1e4}};
    const double losses[][3] = {{858, 148, 0}, {0, 2000, 1000},
                                {log(3), log(3), log(3)},
                                {log(3), log(3), log(3)}};
    for (size_t i = 0; i < 2; i++)
        for (size_t c = 0; c < G_N_ELEMENTS(logits); c++) {
            Fixture f = create(random, 2, 3, 3, 3, 3);
            memset(f.net.theta, 0, f.net.n_theta * sizeof(real));
            memcpy(f.net.b2, logits[c], sizeof logits[c]);
            for (int y = 0; y < 3; y++)
                f.of.y[y] = y;
            const Outcome o = run(&f, IMPLEMENTATIONS[i].gradient, &f.grad);
            assert_near(o.loss, losses[c][0] + losses[c][1] + losses[c][2],
                        4 * EPSILON);
            /* the mean over the three classes of s - onehot(y) */
            real s[3];
            softmax(logits[c], 3, s);
            for (size_t k = 0; k < 3; k++)
                assert_near(f.grad.b2[k], (double)s[k] - 1 / 3.,
                            4 * EPSILON);
            destroy(&f);
        }
    g_rand_free(random);
}

static void impossible_workspaces_are_refused(void)
{
    GRand *random = g_rand_new_with_seed(49);
    Network net = draw_network(random, 2, 3, 2);
    Workspace w;
    g_assert_false(workspace_create(&w, &net, G_MAXSIZE));
    g_assert_false(workspace_create(&w, &net, G_MAXSIZE / 19));
    network_free(&net);
    g_rand_free(random);
}

#define ADD(name, f) g_test_add_func("/minibatch/" name, f)

int main(int argc, char **argv)
{
    start_tests(argc, argv);
    ADD("P.7 loop and matrices give the same gradient and outcome",
        loop_and_matrices_agree);
    ADD("P.7 they agree on a minibatch smaller than the one before",
        a_partial_last_minibatch_agrees);
    ADD("a larger workspace gives the same gradient",
        capacity_does_not_matter);
    ADD("the gradient is the mean over the examples plus the penalty",
        the_gradient_is_a_mean);
    ADD("the gradient does not depend on what was there",
        the_gradient_is_overwritten);
    ADD("an example is an error if another class is more probable",
        errors_are_counted);
    ADD("the forward pass alone says the same", forward_only_says_the_same);
    ADD("a fused step is the gradient and a step",
        fused_step_is_the_gradient_and_a_step);
    ADD("one, two and four threads give the same bits",
        threads_do_not_change_a_bit);
    ADD("the order of the examples does not matter",
        order_of_the_examples_does_not_matter);
    ADD("logits far apart or huge have the right losses and gradients",
        extreme_logits_stay_finite);
    ADD("a workspace that cannot fit into memory is refused",
        impossible_workspaces_are_refused);
    return g_test_run();
}
