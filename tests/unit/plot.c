#include "check.h"
#include <glib/gstdio.h>
#include "plot.h"

/* Each would end a string, start a format, a command or an element of XML,
   or be read as markup, if it were not quoted; beside each, how an SVG says
   it. */
static const char *const wild[][2] = {
    { "it's", "it's" },
    { "\"two\" words", "\"two\" words" },
    { "50% off", "50% off" },
    { "%d_{x}^y", "%d_{x}^y" },
    { "a & b <c>", "a &amp; b &lt;c>" },
    { "back\\", "back\\" },
    { "$(touch x) `y`", "$(touch x) `y`" },
    { "new\nline", "new line" },
    { "bad\xff byte", "bad\xef\xbf\xbd byte" },
    { "na\xc3\xafve", "na\xc3\xafve" },
    { "'\nset output 'stolen", "' set output 'stolen" },
};
enum { CLASSES = G_N_ELEMENTS(wild) };

static char *names[CLASSES + 1];

static bool no_gnuplot(void)
{
    g_autofree char *program = g_find_program_in_path("gnuplot");
    if (program == NULL)
        g_test_skip("there is no gnuplot here");
    return program == NULL;
}

/* The picture at this place as text; it is removed. */
static char *drawn(bool ok, const GError *error, const char *file)
{
    char *svg = NULL;
    g_assert_no_error(error);
    g_assert_true(ok);
    g_file_get_contents(file, &svg, NULL, NULL);
    g_unlink(file);
    return svg != NULL ? svg : g_strdup("");
}

static void assert_says(const char *svg, const char *words, int times)
{
    g_autofree char *element = g_strdup_printf("<text>%s</text>", words);
    g_auto(GStrv) pieces = g_strsplit(svg, element, -1);
    if ((int)g_strv_length(pieces) != times + 1)
        g_test_fail_printf("%s: %d times, expected %d", element,
                           (int)g_strv_length(pieces) - 1, times);
}

static void classes_are_called_by_their_names(void)
{
    const Model model = { .net = { .m = CLASSES }, .class_names = names };
    const Picture picture = { "plot-names.svg", 600 };
    size_t confusion[CLASSES * CLASSES] = { 7 };
    g_autoptr(GError) error = NULL;
    if (no_gnuplot())
        return;
    bool ok = plot_confusion(&model, confusion, &picture, &error);
    g_autofree char *svg = drawn(ok, error, picture.file);
    for (size_t k = 0; k < CLASSES; k++)
        assert_says(svg, wild[k][1], 2);
    assert_says(svg, "7", 1);
    g_assert_false(g_file_test("stolen", G_FILE_TEST_EXISTS));
    g_assert_false(g_file_test("x", G_FILE_TEST_EXISTS));
}

/* Class k is certain in a stripe of its own. */
static void regions_have_a_legend_and_named_axes(void)
{
    enum { N = CLASSES };
    char *features[] = { names[3], names[4], NULL };
    const Model model = { .net = { .d = 2, .m = CLASSES },
                          .class_names = names, .feature_names = features };
    const Picture picture = { "plot-legend.svg", 400 };
    real probabilities[N * N * CLASSES] = { 0 };
    for (size_t i = 0; i < N * N; i++)
        probabilities[i * CLASSES + i / N] = 1;
    const Regions regions = { .box = { 0, 1, 0, 1 }, .n = N,
                              .probabilities = probabilities };
    g_autoptr(GError) error = NULL;
    if (no_gnuplot())
        return;
    bool ok = plot_regions(&model, &regions, &picture, &error);
    g_autofree char *svg = drawn(ok, error, picture.file);
    for (size_t k = 0; k < CLASSES; k++)
        assert_says(svg, wild[k][1], k == 3 || k == 4 ? 2 : 1);
}

/* A network that sees one class only, one without weights, no examples. */
static void extremes_are_drawn(void)
{
    const Picture picture = { "plot-extremes.svg", 200 };
    const Model one_region = { .net = { .d = 2, .m = 2 } };
    const real certain[8] = { 1, 0, 1, 0, 1, 0, 1, 0 };
    const Regions regions = { .box = { -1, 1, 2, 3 }, .n = 2,
                              .probabilities = certain };
    real zeros[12] = { 0 };
    const Model no_weights = { .net = { .d = 4, .dh = 1, .m = 2,
                                        .W1 = zeros, .W2 = zeros } };
    const size_t none[4] = { 0 };
    GError *error = NULL;
    if (no_gnuplot())
        return;
    g_free(drawn(plot_regions(&one_region, &regions, &picture, &error),
                 error, picture.file));
    g_free(drawn(plot_weights(&no_weights, 2, 60, &picture, &error), error,
                 picture.file));
    g_free(drawn(plot_confusion(&one_region, none, &picture, &error), error,
                 picture.file));
}

int main(int argc, char **argv)
{
    start_tests(argc, argv);
    for (size_t k = 0; k < CLASSES; k++)
        names[k] = (char *)wild[k][0];
    g_autofree char *folder = g_dir_make_tmp(NULL, NULL);
    if (folder == NULL || g_chdir(folder) != 0)
        g_error("no temporary folder");
    g_test_add_func("/plot/classes are called by their names, however wild",
                    classes_are_called_by_their_names);
    g_test_add_func("/plot/regions have a legend and named axes",
                    regions_have_a_legend_and_named_axes);
    g_test_add_func("/plot/one region, no weight, no example can be drawn",
                    extremes_are_drawn);
    int status = g_test_run();
    g_rmdir(folder);
    return status;
}
