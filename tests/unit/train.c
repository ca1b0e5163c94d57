#include <omp.h>
#include "check.h"
#include "train.h"

/* ---------------------------------------------------------------- data sets */

/* The two halves of a line through the origin of the plane, with noise;
   feature 2 tells nothing. */
static Dataset draw_dataset(GRand *random, size_t n)
{
    Dataset data = {.n = n, .d = 3, .m = 2, .values = g_new(real, n * 3),
                    .labels = g_new(int, n)};
    for (size_t i = 0; i < n; i++) {
        const int y = g_rand_boolean(random);
        data.labels[i] = y;
        data.values[i * 3] = (real)(y ? 1 : -1) + draw(random, -0.9, 0.9);
        data.values[i * 3 + 1] = (real)(y ? -1 : 1) + draw(random, -0.9, 0.9);
        data.values[i * 3 + 2] = draw(random, -1, 1);
    }
    return data;
}

/* Example i of n has the one feature i + 1/2, and class 1. */
static Dataset count_up(size_t n)
{
    Dataset data = {.n = n, .d = 1, .m = 2, .values = g_new(real, n),
                    .labels = g_new(int, n)};
    for (size_t i = 0; i < n; i++) {
        data.values[i] = (real)((double)i + 0.5);
        data.labels[i] = 1;
    }
    return data;
}

static Standardization identity(const Dataset *data)
{
    Standardization s;
    GError *error = NULL;
    standardization_create(&s, data, STANDARDIZE_NONE, &error);
    g_assert_no_error(error);
    return s;
}

static double uniform(void *state)
{
    return g_rand_double(state);
}

/* ------------------------------------------------------------------ a run */

enum { MOST_EPOCHS = 100 };

/* What a report was told, and when it shall object. */
typedef struct {
    size_t epochs;
    EpochRecord records[MOST_EPOCHS];
    size_t stop_at; /* 0: never */
} Diary;

static bool keep(const EpochRecord *record, gpointer user, GError **error)
{
    Diary *diary = user;
    g_assert_cmpuint(diary->epochs, <, MOST_EPOCHS);
    diary->records[diary->epochs++] = *record;
    if (record->epoch != diary->stop_at)
        return true;
    g_set_error(error, MLP_ERROR, MLP_ERROR_DATA, "no room for the diary");
    return false;
}

static bool ignore(const EpochRecord *record, gpointer user, GError **error)
{
    (void)record, (void)user, (void)error;
    return true;
}

/* Everything that a training needs, small and separable. */
typedef struct {
    Dataset train, valid, test;
    Standardization s;
    Network net;
    TrainOptions o;
    Diary diary;
} Run;

static Run create(void)
{
    GRand *random = g_rand_new_with_seed(61);
    Run r = {.train = draw_dataset(random, 53),
             .valid = draw_dataset(random, 20),
             .test = draw_dataset(random, 30)};
    r.s = identity(&r.train);
    if (!network_create(&r.net, 3, 4, 2))
        g_error("no memory for a network");
    network_initialize(&r.net, uniform, random);
    r.o = (TrainOptions){.batch = 10, .epochs = 5, .rate = 0.1,
                         .gradient = matrix_gradient, .seed = 7};
    g_rand_free(random);
    return r;
}

static void destroy(Run *r)
{
    dataset_free(&r->train);
    dataset_free(&r->valid);
    dataset_free(&r->test);
    standardization_free(&r->s);
    network_free(&r->net);
}

static bool go(Run *r, GError **error)
{
    const DataSplit data = {&r->train, &r->valid, &r->test};
    return train(&r->net, &data, &r->s, &r->o, keep, &r->diary, error);
}

static void go_well(Run *r)
{
    GError *error = NULL;
    g_assert_true(go(r, &error));
    g_assert_no_error(error);
}

/* ------------------------------------------------------------ determinism */

static void same_seed_same_parameters(void)
{
    Run a = create(), b = create();
    go_well(&a);
    go_well(&b);
    assert_same_bits(a.net.n_theta, a.net.theta, b.net.theta);
    g_assert_cmpuint(a.diary.epochs, ==, b.diary.epochs);
    for (size_t i = 0; i < a.diary.epochs; i++) {
        g_assert_cmpfloat(a.diary.records[i].train.loss, ==,
                          b.diary.records[i].train.loss);
        g_assert_cmpfloat(a.diary.records[i].test.loss, ==,
                          b.diary.records[i].test.loss);
    }
    destroy(&a);
    destroy(&b);
}

static void another_seed_another_order(void)
{
    Run a = create(), b = create();
    b.o.seed = 8;
    go_well(&a);
    go_well(&b);
    g_assert_true(memcmp(a.net.theta, b.net.theta,
                         a.net.n_theta * sizeof(real)) != 0);
    destroy(&a);
    destroy(&b);
}

static void both_implementations_learn_the_same(void)
{
    Run a = create(), b = create();
    b.o.gradient = loop_gradient;
    go_well(&a);
    go_well(&b);
    assert_arrays_near(a.net.n_theta, b.net.theta, a.net.theta,
                       1e4 * EPSILON);
    destroy(&a);
    destroy(&b);
}

/* ---------------------------------------------------- pictures that move */

/* 4 pictures of 3 by 5 pixels, no two pixels equal. */
static Dataset draw_pictures(void)
{
    Dataset data = {.n = 4, .d = 15, .m = 2, .rows = 3, .columns = 5,
                    .bytes = g_new(uint8_t, 60), .labels = g_new(int, 4)};
    for (size_t i = 0; i < 60; i++)
        data.bytes[i] = (uint8_t)(100 + i);
    for (size_t i = 0; i < 4; i++)
        data.labels[i] = (int)i % 2;
    return data;
}

static GArray *pixels; /* of real: what the gradient was given */
static GArray *asked; /* of int: with which classes */

static Outcome watch(const Network *net, Penalty penalty, const real *X,
                     const int *y, size_t K, Workspace *w, Network *grad)
{
    (void)penalty, (void)w;
    g_array_append_vals(pixels, X, (guint)(K * net->d));
    g_array_append_vals(asked, y, (guint)K);
    memset(grad->theta, 0, grad->n_theta * sizeof(real));
    return (Outcome){0};
}

static void show_pictures(const Dataset *data, Motion motion)
{
    Standardization s = identity(data);
    Network net;
    GError *error = NULL;
    Diary diary = {0};
    const TrainOptions o = {.batch = 3, .epochs = MOST_EPOCHS, .rate = 1,
                            .gradient = watch, .seed = 3, .motion = motion};
    pixels = g_array_new(FALSE, FALSE, sizeof(real));
    asked = g_array_new(FALSE, FALSE, sizeof(int));
    g_assert_true(network_create(&net, data->d, 1, 2));
    g_assert_true(train(&net, &(DataSplit){.train = data, .valid = data}, &s,
                        &o, keep, &diary, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(asked->len, ==, MOST_EPOCHS * data->n);
    for (size_t i = 1; i < diary.epochs; i++)
        g_assert_cmpfloat(diary.records[i].valid.loss, ==,
                          diary.records[0].valid.loss);
    standardization_free(&s);
    network_free(&net);
}

static void stop_showing(void)
{
    g_array_free(pixels, TRUE);
    g_array_free(asked, TRUE);
}

/* Each is one of the four pictures with its own class, in one of the
   2 (2 + 1)^2 poses, and the poses are about equally frequent. */
static void training_pictures_move(void)
{
    Dataset data = draw_pictures();
    int times[2][3][3] = {{{0}}};
    show_pictures(&data, (Motion){true, 1});
    for (size_t i = 0; i < asked->len; i++) {
        const real *x = &g_array_index(pixels, real, i * 15);
        size_t matches = 0;
        for (int p = 0; p < 4 * 18; p++) {
            const Pose pose = {p % 2, p / 2 % 3 - 1, p / 6 % 3 - 1};
            uint8_t moved[15];
            size_t same = 0;
            picture_move(&data.bytes[p / 18 * 15], 3, 5, pose, moved);
            for (size_t j = 0; j < 15; j++)
                same += x[j] == (real)moved[j];
            if (same < 15)
                continue;
            matches++;
            g_assert_cmpint(g_array_index(asked, int, i), ==, p / 18 % 2);
            times[pose.mirrored][pose.down + 1][pose.right + 1]++;
        }
        g_assert_cmpuint(matches, ==, 1);
    }
    for (int p = 0; p < 18; p++) { /* 400 of them, 22 expected */
        g_assert_cmpint(times[p % 2][p / 2 % 3][p / 6], >, 5);
        g_assert_cmpint(times[p % 2][p / 2 % 3][p / 6], <, 45);
    }
    stop_showing();
    dataset_free(&data);
}

static void without_motion_pictures_stay(void)
{
    Dataset data = draw_pictures();
    show_pictures(&data, (Motion){false, 0});
    for (size_t i = 0; i < asked->len; i++) {
        const real *x = &g_array_index(pixels, real, i * 15);
        for (size_t j = 0; j < 15; j++)
            g_assert_cmpfloat(x[j], ==, x[0] + (real)j);
    }
    stop_showing();
    dataset_free(&data);
}

/* Large enough for all loops to be shared. */
static void motion_does_not_depend_on_threads(void)
{
    enum { n = 300, d = 30 * 40 };
    GRand *random = g_rand_new_with_seed(63);
    Dataset data = {.n = n, .d = d, .m = 2, .rows = 30, .columns = 40,
                    .bytes = g_new(uint8_t, n * d),
                    .labels = g_new(int, n)};
    for (size_t i = 0; i < n * d; i++)
        data.bytes[i] = (uint8_t)g_rand_int_range(random, 0, 256);
    for (size_t i = 0; i < n; i++)
        data.labels[i] = g_rand_boolean(random);
    Standardization s;
    Network start, first = {0};
    GError *error = NULL;
    g_assert_true(standardization_create(&s, &data, STANDARDIZE_FEATURE,
                                         &error));
    g_assert_true(network_create(&start, d, 100, 2));
    network_initialize(&start, uniform, random);
    const int before = omp_get_max_threads();
    for (int threads = 1; threads <= 4; threads *= 2) {
        const TrainOptions o = {.batch = 70, .epochs = 2, .rate = 0.05,
                                .momentum = 0.5, .nesterov = true,
                                .gradient = matrix_gradient, .seed = 5,
                                .motion = {true, 3}};
        Network net = zero_network_like(&start);
        network_copy(&net, &start);
        omp_set_num_threads(threads);
        g_assert_true(train(&net, &(DataSplit){.train = &data}, &s, &o,
                            ignore, NULL, &error));
        if (threads == 1) {
            first = zero_network_like(&net);
            network_copy(&first, &net);
        }
        assert_same_bits(net.n_theta, net.theta, first.theta);
        network_free(&net);
    }
    omp_set_num_threads(before);
    network_free(&first);
    network_free(&start);
    standardization_free(&s);
    dataset_free(&data);
    g_rand_free(random);
}

/* ------------------------------------------------------ what an epoch does */

static GArray *seen;   /* the first feature of every example shown */
static GArray *sizes;  /* of the minibatches */

/* Takes notes, and leaves the network where it is. */
static Outcome take_notes(const Network *net, Penalty penalty, const real *X,
                          const int *y, size_t K, Workspace *w, Network *grad)
{
    (void)penalty, (void)y, (void)w;
    for (size_t i = 0; i < K; i++)
        g_array_append_val(seen, X[i * net->d]);
    g_array_append_val(sizes, K);
    memset(grad->theta, 0, grad->n_theta * sizeof(real));
    return (Outcome){0};
}

static void every_example_once_an_epoch(void)
{
    enum { n = 23, epochs = 3 };
    Dataset data = count_up(n);
    Standardization s = identity(&data);
    Network net;
    Diary diary = {0};
    GError *error = NULL;
    seen = g_array_new(FALSE, FALSE, sizeof(real));
    sizes = g_array_new(FALSE, FALSE, sizeof(size_t));
    const TrainOptions o = {.batch = 5, .epochs = epochs, .rate = 1,
                            .gradient = take_notes, .seed = 3};
    g_assert_true(network_create(&net, 1, 1, 2));
    g_assert_true(train(&net, &(DataSplit){.train = &data}, &s, &o, keep,
                        &diary, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(seen->len, ==, n * epochs);
    for (size_t e = 0; e < epochs && seen->len == n * epochs; e++) {
        bool shown[n] = {false};
        for (size_t i = 0; i < n; i++)
            shown[(size_t)g_array_index(seen, real, e * n + i)] = true;
        for (size_t i = 0; i < n; i++)
            g_assert_true(shown[i]);
    }
    const real *first = (const real *)(void *)seen->data;
    g_assert_true(memcmp(first, first + n, n * sizeof(real)) != 0);
    g_assert_true(memcmp(first, data.values, n * sizeof(real)) != 0);
    g_assert_cmpuint(sizes->len, ==, 5 * epochs); /* 5, 5, 5, 5, 3 */
    for (guint i = 0; i < sizes->len; i++)
        g_assert_cmpuint(g_array_index(sizes, size_t, i), ==,
                         i % 5 == 4 ? 3 : 5);
    g_array_free(seen, TRUE);
    g_array_free(sizes, TRUE);
    dataset_free(&data);
    standardization_free(&s);
    network_free(&net);
}

/* Chi-square, loosely: 100 epochs of 5 examples, 20 times in each place. */
static void every_example_comes_to_every_place(void)
{
    enum { n = 5 };
    Dataset data = count_up(n);
    Standardization s = identity(&data);
    Network net;
    Diary diary = {0};
    GError *error = NULL;
    int times[n][n] = {{0}};
    seen = g_array_new(FALSE, FALSE, sizeof(real));
    sizes = g_array_new(FALSE, FALSE, sizeof(size_t));
    const TrainOptions o = {.batch = 2, .epochs = MOST_EPOCHS, .rate = 1,
                            .gradient = take_notes, .seed = 4};
    g_assert_true(network_create(&net, 1, 1, 2));
    g_assert_true(train(&net, &(DataSplit){.train = &data}, &s, &o, keep,
                        &diary, &error));
    for (guint i = 0; i < seen->len; i++)
        times[i % n][(size_t)g_array_index(seen, real, i)]++;
    for (size_t place = 0; place < n; place++)
        for (size_t example = 0; example < n; example++) {
            g_assert_cmpint(times[place][example], >, 5);
            g_assert_cmpint(times[place][example], <, 40);
        }
    g_array_free(seen, TRUE);
    g_array_free(sizes, TRUE);
    dataset_free(&data);
    standardization_free(&s);
    network_free(&net);
}

/* At rate 0 nothing moves, so what is accumulated during the epoch is what
   a measurement says, the partial last minibatch included. */
static void at_rate_0_training_only_measures(void)
{
    Run r = create();
    Measure m;
    GError *error = NULL;
    r.o.rate = 0;
    Network before = zero_network_like(&r.net);
    network_copy(&before, &r.net);
    go_well(&r);
    assert_same_bits(before.n_theta, before.theta, r.net.theta);
    g_assert_true(measure(&r.net, &r.train, &r.s, &m, &error));
    for (size_t i = 0; i < r.diary.epochs; i++) {
        assert_near(r.diary.records[i].train.loss, m.loss, 64 * EPSILON);
        g_assert_cmpfloat(r.diary.records[i].train.error, ==, m.error);
    }
    g_assert_true(measure(&r.net, &r.test, &r.s, &m, &error));
    g_assert_cmpfloat(r.diary.records[0].test.loss, ==, m.loss);
    g_assert_cmpfloat(r.diary.records[0].test.error, ==, m.error);
    network_free(&before);
    destroy(&r);
}

static void a_measure_is_a_mean(void)
{
    GRand *random = g_rand_new_with_seed(62);
    Run r = create();
    Dataset large = draw_dataset(random, 1203); /* not one batch, nor whole */
    Example e;
    Measure m;
    GError *error = NULL;
    double loss = 0, errors = 0;
    g_assert_true(example_create(&e, &r.net));
    for (size_t i = 0; i < large.n; i++) {
        const int y = large.labels[i];
        loss += (double)fprop(&r.net, &large.values[i * 3], y, &e);
        errors += (e.oa[1] > e.oa[0]) != (y == 1); /* a tie: class 0 */
    }
    g_assert_true(measure(&r.net, &large, &r.s, &m, &error));
    assert_near(m.loss, loss / (double)large.n, 256 * EPSILON);
    assert_near(m.error, errors / (double)large.n, 1e-12);
    example_free(&e);
    dataset_free(&large);
    destroy(&r);
    g_rand_free(random);
}

static void sets_that_are_not_there_are_nan(void)
{
    Run r = create();
    GError *error = NULL;
    g_assert_true(train(&r.net, &(DataSplit){.train = &r.train}, &r.s, &r.o,
                        keep, &r.diary, &error));
    g_assert_cmpuint(r.diary.epochs, ==, r.o.epochs);
    for (size_t i = 0; i < r.diary.epochs; i++) {
        g_assert_cmpuint(r.diary.records[i].epoch, ==, i + 1);
        g_assert_true(isfinite(r.diary.records[i].train.loss));
        g_assert_true(isnan(r.diary.records[i].valid.loss));
        g_assert_true(isnan(r.diary.records[i].valid.error));
        g_assert_true(isnan(r.diary.records[i].test.loss));
        g_assert_true(isnan(r.diary.records[i].test.error));
    }
    destroy(&r);
}

/* Three steps of the whole set, by hand: v = momentum v + g and
   theta -= rate v. */
static void check_descent(double momentum, Penalty penalty)
{
    Run r = create();
    r.o.batch = r.train.n;
    r.o.epochs = 3;
    r.o.momentum = momentum;
    r.o.penalty = penalty;
    Network expected = zero_network_like(&r.net);
    Network grad = zero_network_like(&r.net), v = zero_network_like(&r.net);
    Workspace w;
    network_copy(&expected, &r.net);
    g_assert_true(workspace_create(&w, &r.net, r.train.n));
    for (int i = 0; i < 3; i++) {
        loop_gradient(&expected, penalty, r.train.values, r.train.labels,
                      r.train.n, &w, &grad);
        for (size_t t = 0; t < v.n_theta; t++) {
            v.theta[t] = (real)momentum * v.theta[t] + grad.theta[t];
            expected.theta[t] -= (real)r.o.rate * v.theta[t];
        }
    }
    go_well(&r);
    assert_arrays_near(expected.n_theta, r.net.theta, expected.theta,
                       1e3 * EPSILON);
    workspace_free(&w);
    network_free(&expected);
    network_free(&grad);
    network_free(&v);
    destroy(&r);
}

/* Nesterov's momentum as it is defined: the gradient is taken where the
   velocity leads, then the step is made from where one is.  What train()
   keeps is the place where the next gradient is taken. */
static void check_look_ahead(GradientFunction *gradient, Penalty penalty)
{
    Run r = create();
    const real eta = (real)0.2, mu = (real)0.8;
    r.o = (TrainOptions){.batch = r.train.n, .epochs = 6, .rate = eta,
                         .momentum = mu, .nesterov = true,
                         .penalty = penalty, .gradient = gradient};
    Network at = zero_network_like(&r.net), ahead = zero_network_like(&at);
    Network grad = zero_network_like(&at), v = zero_network_like(&at);
    Workspace w;
    network_copy(&at, &r.net);
    g_assert_true(workspace_create(&w, &r.net, r.train.n));
    for (int i = 0; i < 6; i++) {
        for (size_t t = 0; t < v.n_theta; t++)
            ahead.theta[t] = at.theta[t] - eta * mu * v.theta[t];
        loop_gradient(&ahead, penalty, r.train.values, r.train.labels,
                      r.train.n, &w, &grad);
        for (size_t t = 0; t < v.n_theta; t++) {
            v.theta[t] = mu * v.theta[t] + grad.theta[t];
            at.theta[t] -= eta * v.theta[t];
        }
    }
    for (size_t t = 0; t < v.n_theta; t++)
        ahead.theta[t] = at.theta[t] - eta * mu * v.theta[t];
    go_well(&r);
    assert_arrays_near(ahead.n_theta, r.net.theta, ahead.theta,
                       1e3 * EPSILON);
    workspace_free(&w);
    network_free(&at);
    network_free(&ahead);
    network_free(&grad);
    network_free(&v);
    destroy(&r);
}

static void nesterov_looks_ahead(void)
{
    const Penalty penalty = {(real)0.01, (real)0.02, (real)0.03, (real)0.04};
    check_look_ahead(matrix_gradient, (Penalty){0});
    check_look_ahead(matrix_gradient, penalty);
    check_look_ahead(loop_gradient, (Penalty){0});
    check_look_ahead(loop_gradient, penalty);
}

/* What the proximal operator is to minimise over w. */
static double compromise(double w, double z, double rate, double l1, double l2)
{
    return (w - z) * (w - z) / 2 + rate * (l1 * fabs(w) + l2 * w * w);
}

/* Its minimum by bisection of its slope, without a formula: between z and
   0, where it is smooth. */
static double minimise(double z, double rate, double l1, double l2)
{
    double far = fabs(z), near = 0;
    for (int i = 0; i < 200; i++) {
        const double w = (near + far) / 2;
        *(w - fabs(z) + rate * (l1 + 2 * l2 * w) > 0 ? &far : &near) = w;
    }
    return compromise(0, z, rate, l1, l2)
               <= compromise(copysign(near, z), z, rate, l1, l2)
           ? 0 : copysign(near, z);
}

/* Descent on the risk alone, then the operator with the rate that the
   velocity has in the long run. */
static void check_proximal(GradientFunction *gradient, double momentum,
                           bool nesterov)
{
    const double rate = 0.1, long_run = rate / (1 - momentum);
    const Penalty p = {(real)0.1, (real)0.02, (real)0.03, (real)0.01};
    Run r = create();
    r.o = (TrainOptions){.batch = r.train.n, .epochs = 20, .rate = rate,
                         .momentum = momentum, .nesterov = nesterov,
                         .penalty = p, .proximal = true,
                         .gradient = gradient};
    Network expected = zero_network_like(&r.net);
    Network grad = zero_network_like(&r.net), v = zero_network_like(&r.net);
    Workspace w;
    network_copy(&expected, &r.net);
    g_assert_true(workspace_create(&w, &r.net, r.train.n));
    for (int i = 0; i < 20; i++) {
        loop_gradient(&expected, (Penalty){0}, r.train.values,
                      r.train.labels, r.train.n, &w, &grad);
        for (size_t t = 0; t < v.n_theta; t++) {
            const real g = grad.theta[t], mu = (real)momentum;
            v.theta[t] = mu * v.theta[t] + g;
            expected.theta[t] -= (real)rate
                * (nesterov ? g + mu * v.theta[t] : v.theta[t]);
        }
        for (size_t t = 0; t < 3 * 4; t++)
            expected.W1[t] = (real)minimise((double)expected.W1[t], long_run,
                                            (double)p.l11, (double)p.l12);
        for (size_t t = 0; t < 4 * 2; t++)
            expected.W2[t] = (real)minimise((double)expected.W2[t], long_run,
                                            (double)p.l21, (double)p.l22);
    }
    go_well(&r);
    size_t zeros = 0;
    for (size_t t = 0; t < 3 * 4; t++) {
        zeros += r.net.W1[t] == 0;
        g_assert_true((r.net.W1[t] == 0) == (expected.W1[t] == 0));
    }
    g_assert_cmpuint(zeros, >, 0);
    g_assert_cmpuint(zeros, <, 3 * 4);
    assert_arrays_near(expected.n_theta, r.net.theta, expected.theta,
                       1e3 * EPSILON);
    workspace_free(&w);
    network_free(&expected);
    network_free(&grad);
    network_free(&v);
    destroy(&r);
}

static void proximal_steps_minimise(void)
{
    GradientFunction *const gradients[] = {loop_gradient, matrix_gradient};
    for (size_t i = 0; i < 2; i++) {
        check_proximal(gradients[i], 0, false);
        check_proximal(gradients[i], 0.6, false);
        check_proximal(gradients[i], 0.6, true);
    }
}

/* At rest, a weight that is not zero has a slope of zero, penalty
   included, and a weight that is zero is pulled by less than the penalty
   holds it, whatever the momentum. */
static void check_rest(double momentum, bool nesterov)
{
    const real l1 = (real)0.02;
    Run r = create();
    r.o = (TrainOptions){.batch = r.train.n, .epochs = 4000,
                         .rate = 0.2 * (1 - momentum), .momentum = momentum,
                         .nesterov = nesterov, .penalty = {.l11 = l1},
                         .proximal = true, .gradient = matrix_gradient};
    Network grad = zero_network_like(&r.net);
    Workspace w;
    GError *error = NULL;
    size_t zeros = 0;
    g_assert_true(workspace_create(&w, &r.net, r.train.n));
    g_assert_true(train(&r.net, &(DataSplit){.train = &r.train}, &r.s, &r.o,
                        ignore, NULL, &error));
    loop_gradient(&r.net, (Penalty){0}, r.train.values, r.train.labels,
                  r.train.n, &w, &grad);
    for (size_t t = 0; t < 3 * 4; t++) {
        const double g = (double)grad.W1[t], W = (double)r.net.W1[t];
        zeros += W == 0;
        if (W == 0)
            g_assert_cmpfloat(fabs(g), <=, (double)l1);
        else
            assert_near(g + (W > 0 ? 1 : -1) * (double)l1, 0, 1e-3);
    }
    g_test_message("%zu of 12 weights are zero", zeros);
    g_assert_cmpuint(zeros, >, 0);
    g_assert_cmpuint(zeros, <, 3 * 4);
    workspace_free(&w);
    network_free(&grad);
    destroy(&r);
}

static void proximal_steps_come_to_rest_at_a_minimum(void)
{
    check_rest(0, false);
    check_rest(0.9, false);
    check_rest(0.9, true);
}

static void plain_steps_follow_the_gradient(void)
{
    check_descent(0, (Penalty){0});
}

static void penalties_pull(void)
{
    check_descent(0, (Penalty){(real)0.01, (real)0.02, (real)0.03,
                               (real)0.04});
}

static void momentum_accumulates(void)
{
    check_descent(0.9, (Penalty){0});
}

static void training_learns(void)
{
    Run r = create();
    r.o.epochs = 60;
    r.o.rate = 0.5;
    go_well(&r);
    const EpochRecord *first = &r.diary.records[0];
    const EpochRecord *last = &r.diary.records[59];
    g_test_message("training loss %.3f to %.3f, test error %.3f",
                   first->train.loss, last->train.loss, last->test.error);
    g_assert_cmpfloat(last->train.loss, <, 0.1 * first->train.loss);
    g_assert_cmpfloat(last->train.error, ==, 0);
    g_assert_cmpfloat(last->test.error, <, 0.1);
    destroy(&r);
}

/* -------------------------------------------------------------- schedules */

static void check_schedule(Schedule schedule, double (*expected)(double))
{
    Run r = create();
    r.o.schedule = schedule;
    r.o.epochs = 8;
    go_well(&r);
    g_assert_cmpuint(r.diary.epochs, ==, 8);
    for (size_t i = 0; i < 8; i++)
        assert_near(r.diary.records[i].rate / r.o.rate,
                    expected((double)i / 8), 1e-12);
    destroy(&r);
}

static double constant(double progress)
{
    (void)progress;
    return 1;
}

static double line(double progress)
{
    return 1 - progress;
}

static double half_cosine(double progress)
{
    return 0.5 + 0.5 * cos(progress * acos(-1));
}

static void constant_schedule(void)
{
    check_schedule(SCHEDULE_CONSTANT, constant);
}

static void linear_schedule(void)
{
    check_schedule(SCHEDULE_LINEAR, line);
}

static void cosine_schedule(void)
{
    check_schedule(SCHEDULE_COSINE, half_cosine);
}

/* A gradient of -1 for the first bias: it becomes the sum of the rates. */
static Outcome always_minus_1(const Network *net, Penalty penalty,
                              const real *X, const int *y, size_t K,
                              Workspace *w, Network *grad)
{
    (void)net, (void)penalty, (void)X, (void)y, (void)K, (void)w;
    memset(grad->theta, 0, grad->n_theta * sizeof(real));
    grad->b2[0] = -1;
    return (Outcome){0};
}

static void check_sum_of_rates(Schedule schedule, double (*expected)(double))
{
    Run r = create();
    r.o.schedule = schedule;
    r.o.gradient = always_minus_1;
    go_well(&r);
    const double steps = 5 * 6; /* 5 epochs of 53 examples by tens */
    double sum = 0;
    for (double i = 0; i < steps; i++)
        sum += r.o.rate * expected(i / steps);
    assert_near(r.net.b2[0], sum, 64 * EPSILON);
    destroy(&r);
}

/* Two of five epochs warm up, twelve of thirty steps; then the schedule
   has the rest. */
static void check_warm_up(Schedule schedule, double (*expected)(double))
{
    Run r = create();
    r.o.schedule = schedule;
    r.o.gradient = always_minus_1;
    r.o.warmup = 2;
    go_well(&r);
    double sum = 0;
    for (double i = 0; i < 30; i++)
        sum += r.o.rate * (i < 12 ? i / 12 : expected((i - 12) / 18));
    assert_near(r.net.b2[0], sum, 64 * EPSILON);
    assert_near(r.diary.records[0].rate, 0, 0);
    assert_near(r.diary.records[1].rate / r.o.rate, 0.5, 1e-12);
    assert_near(r.diary.records[2].rate / r.o.rate, 1, 1e-12);
    destroy(&r);
}

static void warm_up_goes_before_the_schedule(void)
{
    check_warm_up(SCHEDULE_CONSTANT, constant);
    check_warm_up(SCHEDULE_LINEAR, line);
    check_warm_up(SCHEDULE_COSINE, half_cosine);
}

static void all_may_be_warm_up(void)
{
    Run r = create();
    r.o.schedule = SCHEDULE_LINEAR;
    r.o.warmup = 5;
    go_well(&r);
    for (size_t i = 0; i < 5; i++)
        assert_near(r.diary.records[i].rate / r.o.rate, (double)i / 5, 1e-12);
    destroy(&r);
}

static void the_rate_falls_with_every_minibatch(void)
{
    check_sum_of_rates(SCHEDULE_CONSTANT, constant);
    check_sum_of_rates(SCHEDULE_LINEAR, line);
    check_sum_of_rates(SCHEDULE_COSINE, half_cosine);
}

/* --------------------------------------------------------------- patience */

/* The network says class 1 where x > b2[0], so b2[0] is the number of
   errors on the data set that counts up; the script sets it by the epoch. */
static const real *script;

static Outcome follow_script(const Network *net, Penalty penalty,
                             const real *X, const int *y, size_t K,
                             Workspace *w, Network *grad)
{
    (void)penalty, (void)X, (void)y, (void)K, (void)w;
    memset(grad->theta, 0, grad->n_theta * sizeof(real));
    grad->b2[0] = net->b2[0] - *script++;
    return (Outcome){0};
}

static const real ERRORS[] = {5, 3, 4, 2, 2, 7, 6, 1, 0, 9};
/* The loss grows with b2[0] also where the number of errors stays. */
static const real LOSSES[] = {5, 3, 4, 2, (real)1.75, 7, 6, 2, 2, 2};

static void check_watch(const real *by_epoch, Watch watch, size_t patience,
                        size_t epochs, double errors)
{
    Dataset data = count_up(10);
    Standardization s = identity(&data);
    Network net;
    Diary diary = {0};
    GError *error = NULL;
    script = by_epoch;
    const TrainOptions o = {.batch = 10, .epochs = G_N_ELEMENTS(ERRORS),
                            .rate = 1, .gradient = follow_script,
                            .patience = patience, .watch = watch};
    g_assert_true(network_create(&net, 1, 1, 2));
    net.W1[0] = 1;
    net.W2[1] = 1;
    g_assert_true(train(&net, &(DataSplit){.train = &data, .valid = &data},
                        &s, &o, keep, &diary, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(diary.epochs, ==, epochs);
    for (size_t i = 0; i < diary.epochs; i++)
        assert_near(diary.records[i].valid.error,
                    ceil((double)by_epoch[i] - 0.5) / 10, 1e-12);
    assert_near(net.b2[0], errors, EPSILON);
    dataset_free(&data);
    standardization_free(&s);
    network_free(&net);
}

static void check_patience(size_t patience, size_t epochs, double errors)
{
    check_watch(ERRORS, WATCH_ERROR, patience, epochs, errors);
}

static void a_smaller_loss_breaks_a_tie_of_errors(void)
{
    check_watch(LOSSES, WATCH_ERROR, 2, 6, 2);
    check_watch(LOSSES, WATCH_LOSS, 2, 7, 1.75);
    check_watch(LOSSES, WATCH_LOSS, 9, 10, 1.75);
}

static void patience_stops_and_restores(void)
{
    check_patience(1, 3, 3); /* epoch 3 is no better than 2 */
    check_patience(2, 6, 2); /* nor are 5, a tie, and 6 than 4 */
    check_patience(3, 7, 2);
}

static void long_patience_restores_the_best(void)
{
    check_patience(4, 10, 0);
    check_patience(100, 10, 0);
}

static void without_patience_the_last_stays(void)
{
    check_patience(0, 10, 9);
}

/* ----------------------------------------------------------------- errors */

static void divergence_is_an_error(void)
{
    Run r = create();
    GError *error = NULL;
    r.o.rate = 1e300;
    r.o.epochs = 50;
    g_assert_false(go(&r, &error));
    g_assert_error(error, MLP_ERROR, MLP_ERROR_DIVERGED);
    g_assert_nonnull(strstr(error->message, "epoch"));
    g_assert_nonnull(strstr(error->message, "--rate"));
    g_test_message("%s", error->message);
    g_error_free(error);
    destroy(&r);
}

/* The loss of a minibatch is computed before its step: the last step has
   nobody behind it who would notice. */
static void divergence_in_the_last_step_is_an_error(void)
{
    Run r = create();
    GError *error = NULL;
    r.o.batch = r.train.n;
    r.o.epochs = 1;
    r.o.rate = sizeof(real) == 4 ? 1e200 : 1e308;
    r.o.momentum = 0.9;
    r.o.penalty = (Penalty){0, 100, 0, 100};
    if (go(&r, &error)) {
        size_t finite = 0;
        for (size_t t = 0; t < r.net.n_theta; t++)
            finite += isfinite(r.net.theta[t]) != 0;
        g_assert_cmpuint(finite, ==, r.net.n_theta);
    } else {
        g_assert_error(error, MLP_ERROR, MLP_ERROR_DIVERGED);
    }
    g_clear_error(&error);
    destroy(&r);
}

static void a_report_can_stop_the_training(void)
{
    Run r = create();
    GError *error = NULL;
    r.diary.stop_at = 3;
    g_assert_false(go(&r, &error));
    g_assert_error(error, MLP_ERROR, MLP_ERROR_DATA);
    g_assert_cmpuint(r.diary.epochs, ==, 3);
    g_clear_error(&error);
    destroy(&r);
}

#define ADD(name, f) g_test_add_func("/train/" name, f)

/* A rectifier makes a clean 0 of a nan and of minus infinity, so that no loss
   shows them; the epoch that met them must not end well. */
static void broken_weights_are_an_error_even_if_no_loss_shows_them(void)
{
    const double broken[] = {NAN, -INFINITY, INFINITY};
    for (size_t i = 0; i < G_N_ELEMENTS(broken); i++)
        for (int by_matrix = 0; by_matrix < 2; by_matrix++) {
            Run r = create();
            GError *error = NULL;
            r.o.epochs = 1;
            r.o.gradient = by_matrix ? matrix_gradient : loop_gradient;
            r.net.b1[0] = (real)broken[i];
            g_assert_false(go(&r, &error));
            g_assert_error(error, MLP_ERROR, MLP_ERROR_DIVERGED);
            g_clear_error(&error);
            destroy(&r);
        }
}

int main(int argc, char **argv)
{
    start_tests(argc, argv);
    ADD("the same seed gives the same parameters, to the bit",
        same_seed_same_parameters);
    ADD("another seed gives another order", another_seed_another_order);
    ADD("loop and matrices learn the same parameters",
        both_implementations_learn_the_same);
    ADD("pictures move in every pose, with their classes, in training only",
        training_pictures_move);
    ADD("without motion pictures stay where they are",
        without_motion_pictures_stay);
    ADD("moved pictures train to the same bits on 1, 2 and 4 threads",
        motion_does_not_depend_on_threads);
    ADD("every epoch shows every example once, in a new order",
        every_example_once_an_epoch);
    ADD("every example comes to every place of the order",
        every_example_comes_to_every_place);
    ADD("at rate 0 training only measures", at_rate_0_training_only_measures);
    ADD("a measure is the mean over all examples", a_measure_is_a_mean);
    ADD("measures of sets that are not there are NaN",
        sets_that_are_not_there_are_nan);
    ADD("plain steps follow the gradient", plain_steps_follow_the_gradient);
    ADD("steps follow the penalties, too", penalties_pull);
    ADD("momentum accumulates the gradients", momentum_accumulates);
    ADD("a proximal step minimises, with exact zeros",
        proximal_steps_minimise);
    ADD("proximal steps come to rest where the minimum is, with any momentum",
        proximal_steps_come_to_rest_at_a_minimum);
    ADD("Nesterov's momentum looks ahead", nesterov_looks_ahead);
    ADD("two separable classes are learnt", training_learns);
    ADD("a constant schedule keeps the rate", constant_schedule);
    ADD("a linear schedule falls along a line", linear_schedule);
    ADD("a cosine schedule falls along half a cosine", cosine_schedule);
    ADD("the rate falls with every minibatch, not every epoch",
        the_rate_falls_with_every_minibatch);
    ADD("warm-up rises from zero, then the schedule has the rest",
        warm_up_goes_before_the_schedule);
    ADD("warm-up may last for the whole run", all_may_be_warm_up);
    ADD("patience stops, and restores the best epoch",
        patience_stops_and_restores);
    ADD("watching the loss, a tie of errors can be a new best",
        a_smaller_loss_breaks_a_tie_of_errors);
    ADD("the best epoch is restored even if patience lasts to the end",
        long_patience_restores_the_best);
    ADD("without patience the last epoch stays",
        without_patience_the_last_stays);
    ADD("divergence is an error that says what to do",
        divergence_is_an_error);
    ADD("parameters are finite, or else there is an error",
        divergence_in_the_last_step_is_an_error);
    ADD("a weight that is not finite is an error within the epoch, even if "
        "no loss shows it",
        broken_weights_are_an_error_even_if_no_loss_shows_them);
    ADD("a report can stop the training", a_report_can_stop_the_training);
    return g_test_run();
}
