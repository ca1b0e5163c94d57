#include "check.h"
#include <glib/gstdio.h>
#include "minibatch.h"
#include "model.h"

/* A folder for the files of a test, and one file in it. */
static char *folder, *file;

static void make_folder(void)
{
    folder = g_dir_make_tmp("mlp-model-XXXXXX", NULL);
    g_assert_nonnull(folder);
    file = g_build_filename(folder, "model.onnx", NULL);
}

static void remove_folder(void)
{
    g_unlink(file);
    g_assert_cmpint(g_rmdir(folder), ==, 0); /* nothing else was left there */
    g_free(file);
    g_free(folder);
}

/* A model whose numbers, standardisation too, are all drawn. */
static Model draw_model(GRand *random, size_t d, size_t dh, size_t m)
{
    Model model = {.net = draw_network(random, d, dh, m),
                   .standardization = {d, g_new(real, d), g_new(real, d)}};
    draw_many(random, -100, 100, d, model.standardization.shift);
    draw_many(random, 0, 1, d, model.standardization.scale);
    return model;
}

static void save_and_load(const Model *model, Model *again)
{
    GError *error = NULL;
    g_assert_true(model_save(file, model, &error));
    g_assert_no_error(error);
    g_assert_true(model_load(file, again, &error));
    g_assert_no_error(error);
}

/* The probabilities (K, m) of the examples; g_free them. */
static real *predict(const Model *model, const Examples *e)
{
    const size_t d = model->net.d;
    Dataset data = {.n = e->K, .d = d, .m = model->net.m, .values = e->X,
                    .labels = e->y};
    real *X = g_new(real, e->K * d);
    int *y = g_new(int, e->K);
    real *probabilities = g_new(real, e->K * model->net.m);
    Workspace w;
    g_assert_true(workspace_create(&w, &model->net, e->K));
    dataset_gather(&data, &model->standardization, NULL, 0, e->K, X, y);
    forward_only(&model->net, X, y, e->K, &w, probabilities);
    workspace_free(&w);
    g_free(X);
    g_free(y);
    return probabilities;
}

static void test_bits(void)
{
    const size_t sizes[][3] = {{1, 1, 1}, {1, 1, 2}, {2, 3, 2}, {7, 1, 5},
                               {33, 17, 3}, {784, 50, 10}};
    GRand *random = g_rand_new_with_seed(1);
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        const size_t d = sizes[i][0], dh = sizes[i][1], m = sizes[i][2];
        Model model = draw_model(random, d, dh, m), again;
        Examples e = draw_examples(random, &model.net, 40);
        save_and_load(&model, &again);
        g_assert_cmpuint(again.net.d, ==, d);
        g_assert_cmpuint(again.net.dh, ==, dh);
        g_assert_cmpuint(again.net.m, ==, m);
        g_assert_cmpuint(again.standardization.d, ==, d);
        assert_same_bits(model.net.n_theta, model.net.theta, again.net.theta);
        assert_same_bits(d, model.standardization.shift,
                         again.standardization.shift);
        assert_same_bits(d, model.standardization.scale,
                         again.standardization.scale);
        real *before = predict(&model, &e), *after = predict(&again, &e);
        assert_same_bits(40 * m, before, after);
        g_free(before);
        g_free(after);
        free_examples(&e);
        model_free(&model);
        model_free(&again);
    }
    g_rand_free(random);
}

static void test_extreme_numbers(void)
{
#ifdef MLP_DOUBLE
    const real numbers[] = {DBL_MAX, -DBL_MAX, DBL_MIN, 5e-324, -0.0, 0.1};
#else
    const real numbers[] = {FLT_MAX, -FLT_MAX, FLT_MIN, 1e-45f, -0.0f, 0.1f};
#endif
    GRand *random = g_rand_new_with_seed(2);
    Model model = draw_model(random, 2, 3, 2), again;
    memcpy(model.net.W1, numbers, sizeof numbers);
    save_and_load(&model, &again);
    assert_same_bits(G_N_ELEMENTS(numbers), numbers, again.net.W1);
    model_free(&again);
    model_free(&model);
    g_rand_free(random);
}

/* -------------------------------------------------------------------- notes */

static char *awkward[] = {
    (char *)"plain", (char *)"two words", (char *)"100 %", (char *)"%0A",
    (char *)"a\nline end", (char *)"a\r\ttab", (char *)"",
    (char *)"caf\303\251", (char *)"not UTF-8: \351", (char *)"\\ \" ' & + ;",
    NULL
};
enum { N_AWKWARD = G_N_ELEMENTS(awkward) - 1 };

static void assert_same_names(char **a, char **b)
{
    g_assert_cmpuint(g_strv_length(a), ==, g_strv_length(b));
    for (size_t i = 0; a[i] != NULL && b[i] != NULL; i++)
        g_assert_cmpstr(a[i], ==, b[i]);
}

static void test_notes(void)
{
    GRand *random = g_rand_new_with_seed(3);
    Model model = draw_model(random, N_AWKWARD, 2, N_AWKWARD), again;
    model.class_names = g_strdupv(awkward);
    model.feature_names = g_strdupv(awkward);
    g_free(model.feature_names[0]);
    model.feature_names[0] = g_strdup(""); /* empty, and first */
    model.command = g_strdup("--hidden=2 --rate=0.5\n 100 %");
    model.data_sha256 = g_strdup("0123456789abcdef");
    model.seed = G_MAXUINT32;
    save_and_load(&model, &again);
    assert_same_names(again.class_names, model.class_names);
    assert_same_names(again.feature_names, model.feature_names);
    g_assert_cmpstr(again.command, ==, model.command);
    g_assert_cmpstr(again.data_sha256, ==, model.data_sha256);
    g_assert_cmpuint(again.seed, ==, G_MAXUINT32);
    model_free(&again);
    model_free(&model);
    g_rand_free(random);
}

static void test_no_notes(void)
{
    GRand *random = g_rand_new_with_seed(4);
    Model model = draw_model(random, 2, 3, 2), again;
    save_and_load(&model, &again);
    g_assert_null(again.class_names);
    g_assert_null(again.feature_names);
    g_assert_null(again.command);
    g_assert_null(again.data_sha256);
    g_assert_cmpuint(again.seed, ==, 0);
    model_free(&again);
    model_free(&model);
    g_rand_free(random);
}

static void test_one_nameless(void)
{
    char *nameless[] = {(char *)"", NULL};
    GRand *random = g_rand_new_with_seed(5);
    Model model = draw_model(random, 1, 3, 2), again;
    model.feature_names = g_strdupv(nameless);
    save_and_load(&model, &again);
    assert_same_names(again.feature_names, nameless);
    model_free(&again);
    model_free(&model);
    g_rand_free(random);
}

/* ----------------------------------------------------------------- refusals */

static void test_infinite(void)
{
    const double bad[] = {INFINITY, -INFINITY, NAN};
    GRand *random = g_rand_new_with_seed(6);
    Model model = draw_model(random, 2, 3, 2), again = {0};
    g_assert_true(model_save(file, &model, NULL));
    real *places[] = {&model.net.theta[model.net.n_theta - 1],
                      &model.standardization.shift[1],
                      &model.standardization.scale[0]};
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        GError *error = NULL;
        const real before = *places[i];
        *places[i] = (real)bad[i];
        g_assert_false(model_save(file, &model, &error));
        g_assert_error(error, MLP_ERROR, MLP_ERROR_DIVERGED);
        g_clear_error(&error);
        *places[i] = before;
    }
    g_assert_true(model_load(file, &again, NULL)); /* the earlier one */
    assert_same_bits(model.net.n_theta, model.net.theta, again.net.theta);
    model_free(&again);
    model_free(&model);
    g_rand_free(random);
}

static void test_zeroed(void)
{
    Model model;
    GError *error = NULL;
    memset(&model, 1, sizeof model);
    g_assert_true(g_file_set_contents(file, "no model", -1, NULL));
    g_assert_false(model_load(file, &model, &error));
    g_assert_error(error, MLP_ERROR, MLP_ERROR_DATA);
    g_clear_error(&error);
    g_assert_true(!model.net.theta && !model.standardization.shift
                  && !model.standardization.scale && !model.class_names
                  && !model.feature_names && !model.command
                  && !model.data_sha256);
    model_free(&model); /* which a structure of zeros survives */
}

int main(int argc, char **argv)
{
    start_tests(argc, argv);
    make_folder();
    g_test_add_func("/model/read back, the same bits and predictions",
                    test_bits);
    g_test_add_func("/model/the largest and the smallest numbers survive",
                    test_extreme_numbers);
    g_test_add_func("/model/names of any bytes and all notes are read back",
                    test_notes);
    g_test_add_func("/model/what is not known is not invented", test_no_notes);
    g_test_add_func("/model/one feature with an empty name has a name",
                    test_one_nameless);
    g_test_add_func("/model/infinite parameters are not written",
                    test_infinite);
    g_test_add_func("/model/a file that is refused leaves zeros", test_zeroed);
    const int status = g_test_run();
    remove_folder();
    return status;
}
