#include <glib/gstdio.h>
#include <unistd.h>
#include "check.h"
#include "dataset.h"
#include "minibatch.h"
#include "mlp.h"

enum { D = 5, DH = 7, M = 3, K = 30 };
static const mlp_penalty STRENGTHS = {0.01, 0.02, 0.03, 0.04}, NONE = {0};
static const double TOLERANCE = 256 * EPSILON;

/* A network of the library with biases, and examples that fit it. */
typedef struct {
    mlp *net;
    real *theta;
    size_t n_theta;
    Examples of;
} Fixture;

static Fixture create(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(11);
    const Network shape = {.d = D, .dh = DH, .m = M};
    Fixture f = {.net = mlp_create(D, DH, M, 1)};
    if (f.net == NULL)
        g_error("%s", mlp_error());
    f.theta = mlp_parameters(f.net);
    f.n_theta = mlp_get_sizes(f.net).n_theta;
    draw_many(random, -1, 1, f.n_theta, f.theta);
    f.of = draw_examples(random, &shape, K);
    return f;
}

static void destroy(Fixture *f)
{
    mlp_free(f->net);
    free_examples(&f->of);
}

/* The same parameters as a Network of the core. */
static Network core_network(const Fixture *f)
{
    Network net;
    if (!network_create(&net, D, DH, M))
        g_error("no memory for a network");
    memcpy(net.theta, f->theta, net.n_theta * sizeof(real));
    return net;
}

static double drawn(void *random)
{
    return g_rand_double(random);
}

static void a_seed_starts_as_the_core_does(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(4000000000u);
    Network net;
    g_assert_true(network_create(&net, D, DH, M));
    network_initialize(&net, drawn, random);
    mlp *same = mlp_create(D, DH, M, 4000000000u);
    assert_same_bits(net.n_theta, net.theta, mlp_parameters(same));
    mlp_free(same);
    network_free(&net);
}

static void sizes_are_told(void)
{
    mlp *net = mlp_create(D, DH, M, 1);
    const mlp_sizes sizes = mlp_get_sizes(net);
    g_assert_cmpuint(sizes.d, ==, D);
    g_assert_cmpuint(sizes.dh, ==, DH);
    g_assert_cmpuint(sizes.m, ==, M);
    g_assert_cmpuint(sizes.n_theta, ==, DH * (D + 1) + M * (DH + 1));
    g_assert_cmpuint(mlp_real_size(), ==, sizeof(real));
    g_assert_true(g_ascii_isdigit(mlp_version()[0]));
    mlp_free(net);
}

static void risk_and_gradient_are_those_of_the_core(void)
{
    Fixture f = create();
    Network net = core_network(&f), grad = zero_network_like(&net);
    Workspace w;
    const Penalty p = {(real)STRENGTHS.l11, (real)STRENGTHS.l12,
                       (real)STRENGTHS.l21, (real)STRENGTHS.l22};
    real *gradient = g_new(real, f.n_theta);
    double risk = 0;
    g_assert_true(workspace_create(&w, &net, K));
    for (int method = MLP_LOOP; method <= MLP_MATRIX; method++) {
        const Outcome o = (method == MLP_LOOP ? loop_gradient
                                              : matrix_gradient)(
            &net, p, f.of.X, f.of.y, K, &w, &grad);
        g_assert_true(mlp_risk(f.net, f.of.X, f.of.y, K, STRENGTHS,
                               (mlp_method)method, &risk, gradient));
        assert_near(risk, o.loss / K + penalty_value(&net, p), TOLERANCE);
        assert_same_bits(f.n_theta, gradient, grad.theta);
    }
    double alone = 0;
    g_assert_true(mlp_risk(f.net, f.of.X, f.of.y, K, STRENGTHS, MLP_LOOP,
                           &alone, NULL));
    assert_near(alone, risk, TOLERANCE);
    assert_same_bits(f.n_theta, f.theta, net.theta);
    g_free(gradient);
    workspace_free(&w);
    network_free(&net);
    network_free(&grad);
    destroy(&f);
}

/* v = momentum v + gradient, theta = theta - rate v, three times. */
static void a_step_follows_the_gradient(double momentum)
{
    Fixture f = create();
    const double rate = 0.1;
    real *gradient = g_new0(real, f.n_theta);
    double *v = g_new0(double, f.n_theta);
    real *expected = g_new0(real, f.n_theta);
    for (int step = 0; step < 3; step++) {
        double risk, plain, loss = 0;
        g_assert_true(mlp_risk(f.net, f.of.X, f.of.y, K, STRENGTHS,
                               MLP_LOOP, &risk, gradient));
        g_assert_true(mlp_risk(f.net, f.of.X, f.of.y, K, NONE,
                               MLP_LOOP, &plain, NULL));
        for (size_t t = 0; t < f.n_theta; t++) {
            v[t] = momentum * v[t] + (double)gradient[t];
            expected[t] = (real)((double)f.theta[t] - rate * v[t]);
        }
        g_assert_true(mlp_step(f.net, f.of.X, f.of.y, K, rate, momentum,
                               STRENGTHS, step == 1 ? NULL : &loss));
        assert_arrays_near(f.n_theta, f.theta, expected, TOLERANCE);
        if (step != 1)
            assert_near(loss, plain, TOLERANCE);
    }
    g_free(gradient);
    g_free(v);
    g_free(expected);
    destroy(&f);
}

static void plain_steps(void) { a_step_follows_the_gradient(0); }
static void steps_with_momentum(void) { a_step_follows_the_gradient(0.9); }

static void minibatches_of_any_size_follow_each_other(void)
{
    Fixture f = create();
    double one = 0, all = 0, again = 0, sum = 0;
    for (size_t i = 0; i < K; i++) {
        g_assert_true(mlp_risk(f.net, f.of.X + i * D, f.of.y + i, 1, NONE,
                               MLP_MATRIX, &one, NULL));
        sum += one;
    }
    g_assert_true(mlp_risk(f.net, f.of.X, f.of.y, K, NONE, MLP_MATRIX, &all,
                           NULL));
    g_assert_true(mlp_risk(f.net, f.of.X, f.of.y, 1, NONE, MLP_MATRIX,
                           &again, NULL));
    g_assert_true(mlp_risk(f.net, f.of.X, f.of.y, K, NONE, MLP_MATRIX,
                           &again, NULL));
    assert_near(all, sum / K, TOLERANCE);
    g_assert_true(again == all);
    destroy(&f);
}

static void probabilities_are_those_of_the_loss(void)
{
    Fixture f = create();
    real *os = g_new0(real, K * M);
    double risk = 0, loss = 0;
    g_assert_true(mlp_predict(f.net, f.of.X, K, os));
    g_assert_true(mlp_risk(f.net, f.of.X, f.of.y, K, NONE, MLP_MATRIX,
                           &risk, NULL));
    for (size_t i = 0; i < K; i++) {
        double sum = 0;
        for (size_t k = 0; k < M; k++)
            sum += (double)os[i * M + k];
        assert_near(sum, 1, TOLERANCE);
        loss -= log((double)os[i * M + (size_t)f.of.y[i]]) / K;
    }
    assert_near(loss, risk, TOLERANCE);
    g_free(os);
    destroy(&f);
}

/* More of them than go through at once. */
static void many_predictions_are_as_a_few(void)
{
    enum { MANY = 1203 };
    Fixture f = create();
    real *X = g_new(real, MANY * D), *os = g_new(real, MANY * M), few[M];
    for (size_t i = 0; i < MANY * D; i++)
        X[i] = f.of.X[i * 31 % (K * D)] + (real)i / (MANY * D);
    g_assert_true(mlp_predict(f.net, X, MANY, os));
    for (size_t i = 0; i < MANY; i += 37) {
        g_assert_true(mlp_predict(f.net, X + i * D, 1, few));
        assert_arrays_near(M, os + i * M, few, TOLERANCE);
    }
    g_free(X);
    g_free(os);
    destroy(&f);
}

static void standardisation_is_that_of_the_program(void)
{
    Fixture f = create(), plain = create();
    Standardization s;
    Dataset data = {.n = K, .d = D, .m = M, .values = f.of.X,
                    .labels = f.of.y};
    real *X = g_new(real, K * D), *a = g_new(real, K * M),
         *b = g_new(real, K * M);
    int y[K];
    f.of.X[3] = 1000; /* something to standardise */
    g_assert_true(standardization_create(&s, &data, STANDARDIZE_FEATURE,
                                         NULL));
    dataset_gather(&data, &s, NULL, 0, K, X, y);
    g_assert_true(mlp_standardize(f.net, f.of.X, K));
    g_assert_true(mlp_predict(f.net, f.of.X, K, a));
    g_assert_true(mlp_predict(plain.net, X, K, b));
    assert_same_bits(K * M, a, b);
    g_free(X);
    g_free(a);
    g_free(b);
    standardization_free(&s);
    destroy(&f);
    destroy(&plain);
}

static void a_saved_network_predicts_the_same_bits(void)
{
    Fixture f = create();
    g_autofree char *folder = g_dir_make_tmp("library-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(folder, "net.onnx", NULL);
    real a[K * M], b[K * M];
    g_assert_true(mlp_standardize(f.net, f.of.X, K));
    g_assert_true(mlp_predict(f.net, f.of.X, K, a));
    g_assert_true(mlp_save(f.net, file));
    mlp *loaded = mlp_load(file);
    g_assert_nonnull(loaded);
    g_assert_true(mlp_predict(loaded, f.of.X, K, b));
    assert_same_bits(K * M, a, b);
    assert_same_bits(f.n_theta, f.theta, mlp_parameters(loaded));
    g_assert_true(mlp_step(loaded, f.of.X, f.of.y, K, 0.1, 0.5, NONE, NULL));
    mlp_free(loaded);
    g_unlink(file);
    g_rmdir(folder);
    destroy(&f);
}

#define assert_tells(done, words)                             \
    do {                                                      \
        g_assert_false(done);                                 \
        g_assert_nonnull(strstr(mlp_error(), words));         \
    } while (0)

static void what_cannot_be_is_refused_in_words(void)
{
    Fixture f = create();
    double risk;
    g_assert_cmpstr(mlp_error(), ==, "");
    assert_tells(mlp_create(0, 1, 2, 1) != NULL, "0 inputs");
    assert_tells(mlp_create(SIZE_MAX / 4, 8, 2, 1) != NULL, "no memory");
    assert_tells(mlp_load("/nowhere/net.onnx") != NULL, "/nowhere/net.onnx");
    assert_tells(mlp_save(f.net, "/nowhere/net.onnx"), "/nowhere/net.onnx");
    assert_tells(mlp_save(f.net, "/"), "/: found a folder or a device");
    assert_tells(mlp_standardize(f.net, f.of.X, 0), "0 examples");
    assert_tells(mlp_risk(f.net, f.of.X, f.of.y, 0, NONE, MLP_LOOP, &risk,
                          NULL), "no examples");
    f.of.y[7] = M;
    assert_tells(mlp_step(f.net, f.of.X, f.of.y, K, 0.1, 0, NONE, NULL),
                 "example 7: found class 3, expected one from 0 to 2");
    f.of.y[7] = -1;
    assert_tells(mlp_risk(f.net, f.of.X, f.of.y, K, NONE, MLP_MATRIX, &risk,
                          NULL), "example 7: found class -1");
    f.of.y[7] = 0;
    g_assert_true(mlp_step(f.net, f.of.X, f.of.y, K, 0.1, 0, NONE, NULL));
    mlp_free(NULL);
    destroy(&f);
}

static void a_risk_that_is_no_number_is_none(void)
{
    Fixture f = create();
    double risk;
    mlp_parameters(f.net)[mlp_get_sizes(f.net).n_theta - 1] = (real)NAN;
    assert_tells(mlp_risk(f.net, f.of.X, f.of.y, K, NONE, MLP_MATRIX, &risk,
                          NULL), "found a loss of");
    destroy(&f);
}

static void a_diverging_step_says_so(void)
{
    Fixture f = create();
    bool ok = true;
    for (int step = 0; ok && step < 1000; step++)
        ok = mlp_step(f.net, f.of.X, f.of.y, K, 1e30, 0, NONE, NULL);
    assert_tells(ok, "try a smaller rate");
    destroy(&f);
}

#define ADD(name, test) g_test_add_func("/library/" name, test)

int main(int argc, char **argv)
{
    start_tests(argc, argv);
    ADD("what cannot be is refused in words, and changes nothing",
        what_cannot_be_is_refused_in_words);
    ADD("a seed starts as the core does", a_seed_starts_as_the_core_does);
    ADD("sizes, precision and version are told", sizes_are_told);
    ADD("risk and gradient are those of the core",
        risk_and_gradient_are_those_of_the_core);
    ADD("a step follows the gradient", plain_steps);
    ADD("with momentum it follows the velocity", steps_with_momentum);
    ADD("minibatches of any size follow each other",
        minibatches_of_any_size_follow_each_other);
    ADD("probabilities sum to 1, and the loss is their logarithm",
        probabilities_are_those_of_the_loss);
    ADD("many predictions are as a few", many_predictions_are_as_a_few);
    ADD("standardisation is that of the program",
        standardisation_is_that_of_the_program);
    ADD("a saved network predicts the same bits",
        a_saved_network_predicts_the_same_bits);
    ADD("a risk that is no number is none", a_risk_that_is_no_number_is_none);
    ADD("a diverging step says so", a_diverging_step_says_so);
    return g_test_run();
}
