#include "check.h"
#include <glib/gstdio.h>
#include <stdio.h>
#include "checkpoint.h"

static char *file; /* a name that is free, in a folder of its own */

/* ------------------------------------------------------------------ a run */

enum { MOST_EPOCHS = 12, STEPS = 6 }; /* 53 examples, 10 at a time */

/* A training that stops after `stop` calls of its onlooker, or never, and that
   goes on from the file if it is told to. */
typedef struct {
    Dataset train, valid;
    Standardization s;
    Network net;
    TrainOptions o;
    size_t stop, calls;
    bool resume, over;
    size_t epochs;
    EpochRecord records[MOST_EPOCHS];
} Run;

static Dataset draw_dataset(GRand *random, size_t n)
{
    Dataset data = {.n = n, .d = 3, .m = 2, .values = g_new(real, n * 3),
                    .labels = g_new(int, n)};
    draw_many(random, -1, 1, n * 3, data.values);
    for (size_t i = 0; i < n; i++)
        data.labels[i] = data.values[i * 3] + data.values[i * 3 + 1]
                         + draw(random, -0.8, 0.8) > 0;
    return data;
}

static Run create(const TrainOptions *o)
{
    GRand *random = g_rand_new_with_seed(71);
    Run r = {.train = draw_dataset(random, 53),
             .valid = draw_dataset(random, 40), .o = *o};
    GError *error = NULL;
    standardization_create(&r.s, &r.train, STANDARDIZE_FEATURE, &error);
    g_assert_no_error(error);
    r.net = draw_network(random, 3, 4, 2);
    g_rand_free(random);
    return r;
}

static void destroy(Run *r)
{
    dataset_free(&r->train);
    dataset_free(&r->valid);
    standardization_free(&r->s);
    network_free(&r->net);
}

static bool keep(const EpochRecord *record, gpointer user, GError **error)
{
    Run *r = user;
    (void)error;
    g_assert_cmpuint(record->epoch, <=, MOST_EPOCHS);
    r->records[record->epoch - 1] = *record;
    r->epochs = record->epoch;
    return true;
}

static bool begin(const Moment *now, gpointer user, GError **error)
{
    Run *r = user;
    Checkpoint c;
    if (!r->resume)
        return true;
    if (!checkpoint_load(file, &c, error))
        return false;
    const bool ok = checkpoint_restore(&c, now->state, error);
    checkpoint_free(&c);
    return ok;
}

static bool step(const Moment *now, gpointer user, GError **error)
{
    Run *r = user;
    r->over = now->over;
    if (++r->calls != r->stop)
        return true;
    GKeyFile *text = g_key_file_new();
    const bool saved = checkpoint_save(file, text, now->state, error);
    g_key_file_unref(text);
    g_assert_true(saved);
    return fail(error, MLP_ERROR_STOPPED, "stopped");
}

static bool go(Run *r, GError **error)
{
    const Onlooker onlooker = {begin, step, r};
    const DataSplit data = {.train = &r->train, .valid = &r->valid};
    r->o.onlooker = &onlooker;
    return train(&r->net, &data, &r->s, &r->o, keep, r, error);
}

static bool stopped(Run *r)
{
    g_autoptr(GError) error = NULL;
    return !go(r, &error)
        && g_error_matches(error, MLP_ERROR, MLP_ERROR_STOPPED);
}

static void go_well(Run *r)
{
    GError *error = NULL;
    g_assert_true(go(r, &error));
    g_assert_no_error(error);
}

/* ----------------------------------------------------- stopped and resumed */

/* Cuts the run at its first, second ... moment and continues in a process
   that has forgotten everything, whose network is another one. */
static void check_every_moment(TrainOptions o)
{
    Run whole = create(&o);
    go_well(&whole);
    g_assert_true(whole.over);
    for (size_t k = 1; k <= whole.calls && !g_test_failed(); k++) {
        Run head = create(&o), tail = create(&o);
        head.stop = k;
        tail.resume = true;
        memset(tail.net.theta, 0, tail.net.n_theta * sizeof(real));
        g_assert_true(stopped(&head));
        memcpy(tail.records, head.records, sizeof tail.records);
        tail.epochs = head.epochs;
        go_well(&tail);
        g_assert_cmpuint(head.calls + tail.calls, ==, whole.calls);
        assert_same_bits(whole.net.n_theta, whole.net.theta, tail.net.theta);
        g_assert_cmpuint(whole.epochs, ==, tail.epochs);
        for (size_t e = 0; e < whole.epochs; e++) {
            const EpochRecord *a = &whole.records[e], *b = &tail.records[e];
            g_assert_cmpfloat(a->rate, ==, b->rate);
            g_assert_cmpfloat(a->train.loss, ==, b->train.loss);
            g_assert_cmpfloat(a->train.error, ==, b->train.error);
            g_assert_cmpfloat(a->valid.loss, ==, b->valid.loss);
        }
        destroy(&head);
        destroy(&tail);
    }
    destroy(&whole);
}

static const TrainOptions plain = {.batch = 10, .epochs = 4, .rate = 0.1,
                                   .gradient = matrix_gradient, .seed = 5};

static void plain_descent(void)
{
    check_every_moment(plain);
}

static void by_the_loop(void)
{
    TrainOptions o = plain;
    o.gradient = loop_gradient;
    check_every_moment(o);
}

static void with_momentum(void)
{
    TrainOptions o = plain;
    o.momentum = 0.9;
    check_every_moment(o);
}

static void with_a_falling_rate(void)
{
    TrainOptions o = plain;
    o.schedule = SCHEDULE_COSINE;
    check_every_moment(o);
}

static void with_patience(void)
{
    TrainOptions o = plain;
    o.momentum = 0.9;
    o.rate = 0.3;
    o.epochs = MOST_EPOCHS;
    o.patience = 3;
    Run r = create(&o);
    go_well(&r);
    g_assert_cmpuint(r.epochs, <, MOST_EPOCHS); /* or it shows nothing */
    g_assert_cmpuint(r.epochs, >, 4);
    destroy(&r);
    check_every_moment(o);
}

static void a_constant_rate_can_be_prolonged(void)
{
    TrainOptions o = plain;
    o.momentum = 0.5;
    Run whole = create(&o), head = create(&o), tail = create(&o);
    head.o.epochs = 2;
    head.stop = 2 * (STEPS + 1); /* at its end */
    tail.resume = true;
    go_well(&whole);
    g_assert_true(stopped(&head));
    g_assert_true(head.over);
    go_well(&tail);
    assert_same_bits(whole.net.n_theta, whole.net.theta, tail.net.theta);
    destroy(&whole);
    destroy(&head);
    destroy(&tail);
}

/* ------------------------------------------------------------ what is refused */

static void check_refused(Run *r, MlpError code, const char *words)
{
    g_autoptr(GError) error = NULL;
    r->resume = true;
    g_assert_false(go(r, &error));
    g_assert_error(error, MLP_ERROR, (int)code);
    g_assert_nonnull(strstr(error->message, words));
    g_assert_cmpuint(r->calls, ==, 0);
}

static void another_state_is_refused(void)
{
    TrainOptions o = plain;
    Run head = create(&o);
    head.stop = 2 * STEPS + 3; /* in the third epoch */
    g_assert_true(stopped(&head));

    Run shorter = create(&o);
    shorter.o.epochs = 2;
    check_refused(&shorter, MLP_ERROR_USAGE, "come to epoch 3");
    Run fewer = create(&o);
    fewer.train.n = 1;
    fewer.o.batch = 1;
    head.stop = 3, head.calls = 0;
    g_assert_true(stopped(&head));
    check_refused(&fewer, MLP_ERROR_DATA, "no minibatch 3");
    Run larger = create(&o);
    network_free(&larger.net);
    g_assert_true(network_create(&larger.net, 3, 5, 2));
    check_refused(&larger, MLP_ERROR_DATA, "'theta'");
    Run faster = create(&o);
    faster.o.momentum = 0.5;
    check_refused(&faster, MLP_ERROR_DATA, "'velocity'");
    destroy(&head);
    destroy(&shorter);
    destroy(&fewer);
    destroy(&larger);
    destroy(&faster);
}

static void check_load_fails(const char *contents, size_t length)
{
    Checkpoint c;
    g_autoptr(GError) error = NULL;
    FILE *out = fopen(file, "wb"); /* hundreds of times, so without fsync */
    g_assert_cmpuint(fwrite(contents, 1, length, out), ==, length);
    g_assert_cmpint(fclose(out), ==, 0);
    g_assert_false(checkpoint_load(file, &c, &error));
    g_assert_error(error, MLP_ERROR, MLP_ERROR_DATA);
    g_assert_null(c.text);
    g_assert_null(c.contents);
}

static void every_cut_and_every_flipped_bit_is_noticed(void)
{
    TrainOptions o = plain;
    Run head = create(&o);
    g_autofree char *good = NULL;
    size_t length;
    head.stop = 8;
    g_assert_true(stopped(&head));
    g_assert_true(g_file_get_contents(file, &good, &length, NULL));
    g_assert_cmpuint(length, >, 300);
    for (size_t n = 0; n < length && !g_test_failed(); n++)
        check_load_fails(good, n);
    for (size_t i = 0; i < length && !g_test_failed(); i++) {
        const char bit = (char)(1 << i % 7);
        good[i] ^= bit;
        check_load_fails(good, length);
        good[i] ^= bit;
    }
    check_load_fails(good, length + 1); /* the NUL after it */
    destroy(&head);
}

static void another_version_is_refused(void)
{
    Checkpoint c;
    g_autoptr(GError) error = NULL;
    g_file_set_contents(file, "# mlp checkpoint 2: new\n", -1, NULL);
    g_assert_false(checkpoint_load(file, &c, &error));
    g_assert_nonnull(strstr(error->message, "version 2, expected version 1"));
}

static void the_numbers_stand_behind_the_text(void)
{
    TrainOptions o = plain;
    Run head = create(&o);
    Checkpoint c;
    GError *error = NULL;
    head.stop = 3;
    g_assert_true(stopped(&head));
    g_assert_true(checkpoint_load(file, &c, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(c.length, ==, head.net.n_theta * sizeof(real));
    g_assert_true(memcmp(c.numbers, head.net.theta, c.length) == 0);
    g_assert_cmpint(g_key_file_get_integer(c.text, "state", "minibatch",
                                           NULL), ==, 3);
    checkpoint_free(&c);
    destroy(&head);
}

int main(int argc, char **argv)
{
    start_tests(argc, argv);
    g_autofree char *folder = g_dir_make_tmp("mlp-XXXXXX", NULL);
    file = g_build_filename(folder, "run.ckpt", NULL);
    g_test_add_func("/cut at every moment: the same bits", plain_descent);
    g_test_add_func("/cut at every moment: the loop", by_the_loop);
    g_test_add_func("/cut at every moment: momentum", with_momentum);
    g_test_add_func("/cut at every moment: a falling rate",
                    with_a_falling_rate);
    g_test_add_func("/cut at every moment: patience", with_patience);
    g_test_add_func("/a run at a constant rate can be prolonged",
                    a_constant_rate_can_be_prolonged);
    g_test_add_func("/a state of another run is refused",
                    another_state_is_refused);
    g_test_add_func("/every cut and every flipped bit is noticed",
                    every_cut_and_every_flipped_bit_is_noticed);
    g_test_add_func("/another version is refused",
                    another_version_is_refused);
    g_test_add_func("/the numbers stand behind the text",
                    the_numbers_stand_behind_the_text);
    const int status = g_test_run();
    g_unlink(file);
    g_rmdir(folder);
    g_free(file);
    return status;
}
