#include <stdint.h>
#include <stdio.h>
#include <glib/gstdio.h>
#include "check.h"
#include "csv.h"
#include "split.h"

/* ---------------------------------------------------------------- data sets */

/* The classes of the given sizes in a random order; both features of example
   i tell i. */
static Dataset deal(GRand *random, const size_t *sizes, size_t m, bool bytes)
{
    Dataset data = {.d = 2, .m = m};
    for (size_t k = 0; k < m; k++)
        data.n += sizes[k];
    data.labels = g_new(int, data.n);
    for (size_t k = 0, i = 0; k < m; k++)
        for (size_t j = 0; j < sizes[k]; j++)
            data.labels[i++] = (int)k;
    for (size_t i = data.n - 1; i > 0; i--) {
        const int j = g_rand_int_range(random, 0, (gint32)i + 1);
        const int label = data.labels[i];
        data.labels[i] = data.labels[j];
        data.labels[j] = label;
    }
    if (bytes)
        data.bytes = g_new(uint8_t, data.n * 2);
    else
        data.values = g_new(real, data.n * 2);
    for (size_t i = 0; i < data.n; i++) {
        if (bytes) {
            data.bytes[2 * i] = (uint8_t)i;
            data.bytes[2 * i + 1] = (uint8_t)(255 - i);
        } else {
            data.values[2 * i] = (real)i;
            data.values[2 * i + 1] = (real)i + (real)0.5;
        }
    }
    return data;
}

static size_t split(Dataset *data, double fraction, guint32 seed)
{
    GError *error = NULL;
    size_t held = SIZE_MAX;
    g_assert_true(split_stratified(data, fraction, seed, &held, &error));
    g_assert_no_error(error);
    return held;
}

static size_t count(const Dataset *data, size_t first, size_t n, size_t k)
{
    size_t found = 0;
    for (size_t i = first; i < first + n; i++)
        found += (size_t)data->labels[i] == k;
    return found;
}

static const size_t sizes[][5] = {
    {50, 50, 50}, {50, 30, 7}, {100, 1}, {1, 1}, {2, 2}, {7, 5, 3, 2, 1},
    {97, 89, 1, 0, 13}, {33, 33, 34}, {1, 1, 1, 1, 100},
};
static const double fractions[] = {0, 0.01, 0.1, 0.2, 0.5, 0.75, 0.99};

/* Runs check for every combination. */
static void for_all(void (*check)(const Dataset *before, const Dataset *after,
                                  size_t held, double fraction))
{
    for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++)
        for (size_t f = 0; f < G_N_ELEMENTS(fractions); f++)
            for (int bytes = 0; bytes < 2; bytes++) {
                GRand *a = g_rand_new_with_seed(7), *b = g_rand_copy(a);
                size_t m = 5;
                while (m > 0 && sizes[s][m - 1] == 0)
                    m--;
                Dataset before = deal(a, sizes[s], m, bytes);
                Dataset after = deal(b, sizes[s], m, bytes);
                const size_t held = split(&after, fractions[f], 3);
                check(&before, &after, held, fractions[f]);
                dataset_free(&before);
                dataset_free(&after);
                g_rand_free(a);
                g_rand_free(b);
            }
}

/* ------------------------------------------------------------------ shares */

static void check_shares(const Dataset *before, const Dataset *after,
                         size_t held, double fraction)
{
    const double n = (double)before->n;
    const double v = fmin(floor(fraction * n + 0.5), n - 1);
    bool capped = false;
    for (size_t k = 0; k < before->m; k++) {
        const size_t all = count(before, 0, before->n, k);
        const size_t h = count(after, after->n - held, held, k);
        const double quota = v * (double)all / n;
        g_assert_cmpuint(count(after, 0, after->n, k), ==, all);
        g_assert_cmpfloat((double)h, >, quota - 1);
        g_assert_cmpfloat((double)h, <, quota + 1);
        g_assert_true(h < all || all == 0);
        capped = capped || (h + 1 == all && (double)h < quota);
    }
    if (!capped)
        g_assert_cmpfloat((double)held, ==, v);
    g_assert_cmpfloat((double)held, <=, v);
}

static void every_class_gives_its_quota_up_to_one_and_keeps_an_example(void)
{
    for_all(check_shares);
}

static void the_largest_remainders_get_the_seats_that_are_left(void)
{
    /* 17 of 87: quotas 9.77, 5.86 and 1.37; two seats are left. */
    const size_t of_87[] = {50, 30, 7};
    GRand *random = g_rand_new_with_seed(1);
    Dataset data = deal(random, of_87, 3, false);
    const size_t held = split(&data, 0.2, 1);
    g_assert_cmpuint(held, ==, 17);
    g_assert_cmpuint(count(&data, 70, 17, 0), ==, 10);
    g_assert_cmpuint(count(&data, 70, 17, 1), ==, 6);
    g_assert_cmpuint(count(&data, 70, 17, 2), ==, 1);
    dataset_free(&data);
    g_rand_free(random);
}

/* ----------------------------------------------------------------- members */

static size_t number_of(const Dataset *data, size_t i)
{
    if (data->bytes != NULL) {
        g_assert_cmpint(data->bytes[2 * i] + data->bytes[2 * i + 1], ==, 255);
        return data->bytes[2 * i];
    }
    g_assert_cmpfloat(data->values[2 * i + 1], ==,
                      data->values[2 * i] + (real)0.5);
    return (size_t)data->values[2 * i];
}

static void check_members(const Dataset *before, const Dataset *after,
                          size_t held, double fraction)
{
    const size_t n = before->n;
    g_autofree bool *seen = g_new0(bool, n);
    (void)fraction;
    for (size_t i = 0; i < n; i++) {
        const size_t j = number_of(after, i);
        g_assert_cmpuint(j, <, n);
        g_assert_false(seen[j]);
        seen[j] = true;
        g_assert_cmpint(after->labels[i], ==, before->labels[j]);
        if (i > 0 && i != n - held)
            g_assert_cmpuint(j, >, number_of(after, i - 1));
    }
}

static void both_parts_keep_rows_labels_and_order(void)
{
    for_all(check_members);
}

static void a_seed_fixes_the_choice_and_another_changes_it(void)
{
    const size_t two[] = {60, 40};
    size_t same = 0, other = 0;
    GRand *random = g_rand_new_with_seed(1);
    Dataset a = deal(random, two, 2, false);
    g_rand_set_seed(random, 1);
    Dataset b = deal(random, two, 2, false);
    g_rand_set_seed(random, 1);
    Dataset c = deal(random, two, 2, false);
    split(&a, 0.3, 5);
    split(&b, 0.3, 5);
    split(&c, 0.3, 6);
    for (size_t i = 0; i < 100; i++) {
        same += number_of(&a, i) == number_of(&b, i);
        other += number_of(&a, i) == number_of(&c, i);
    }
    g_assert_cmpuint(same, ==, 100);
    g_assert_cmpuint(other, <, 90);
    dataset_free(&a);
    dataset_free(&b);
    dataset_free(&c);
    g_rand_free(random);
}

/* 2 of 5 examples of a class: each of the 10 pairs is one in ten. Its count
   in 10000 draws has a standard deviation of 30. */
static void every_set_of_examples_is_equally_likely(void)
{
    const size_t two[] = {5, 5};
    size_t pairs[5][5] = {{0}};
    GRand *random = g_rand_new_with_seed(1);
    Dataset first = deal(random, two, 2, false);
    g_autofree size_t *rank = g_new0(size_t, 10); /* within class 0 */
    for (size_t i = 0, r = 0; i < 10; i++)
        if (first.labels[i] == 0)
            rank[i] = r++;
    for (guint32 seed = 0; seed < 10000; seed++) {
        size_t chosen[2] = {0}, n = 0;
        g_rand_set_seed(random, 1);
        Dataset data = deal(random, two, 2, false);
        g_assert_cmpuint(split(&data, 0.4, seed), ==, 4);
        for (size_t i = 6; i < 10; i++)
            if (data.labels[i] == 0 && n < 2)
                chosen[n++] = rank[number_of(&data, i)];
        pairs[chosen[0]][chosen[1]]++;
        dataset_free(&data);
    }
    for (size_t i = 0; i < 5; i++)
        for (size_t j = i + 1; j < 5; j++) {
            g_assert_cmpuint(pairs[i][j], >, 1000 - 120);
            g_assert_cmpuint(pairs[i][j], <, 1000 + 120);
        }
    dataset_free(&first);
    g_rand_free(random);
}

/* ------------------------------------------------- what readers tell of data */

static Dataset read_csv(const char *text, const CsvFormat *format,
                        char **sha256)
{
    GError *error = NULL;
    Dataset data;
    g_autofree char *file = NULL;
    const int handle = g_file_open_tmp("mlp-XXXXXX.csv", &file, NULL);
    g_assert_cmpint(handle, >=, 0);
    g_close(handle, NULL);
    g_assert_true(g_file_set_contents(file, text, -1, NULL));
    csv_read(file, format, &data, &error);
    g_assert_no_error(error);
    if (sha256 != NULL)
        *sha256 = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
    g_assert_cmpint(remove(file), ==, 0);
    return data;
}

static void assert_words(char **words, const char *expected)
{
    g_autofree char *joined = g_strjoinv(" ", words);
    g_assert_cmpstr(joined, ==, expected);
}

static void names_and_checksum_are_kept_and_shared_by_slices(void)
{
    char *sha256;
    Dataset data = read_csv("kind,x,y\nb,1,2\na,3,4\nb,5,6\na,7,8\n",
                            &(CsvFormat){.label = "kind"}, &sha256);
    const Dataset slice = dataset_slice(&data, 1, 2);
    g_assert_cmpuint(data.m, ==, 2);
    assert_words(data.class_names, "a b");
    assert_words(data.feature_names, "x y");
    g_assert_cmpstr(data.sha256, ==, sha256);
    g_assert_cmpint(data.labels[0], ==, 1);
    g_assert_cmpint(data.labels[1], ==, 0);
    g_assert_cmpfloat(data.values[2], ==, 3);
    g_assert_true(slice.class_names == data.class_names);
    g_assert_true(slice.feature_names == data.feature_names);
    g_assert_true(slice.sha256 == data.sha256);
    g_autofree char *name = dataset_class_name(&slice, 1);
    g_assert_cmpstr(name, ==, "b");
    dataset_free(&data);
    g_assert_null(data.class_names);
    g_free(sha256);
}

static void numbers_from_0_need_no_names(void)
{
    Dataset data = read_csv("1,2,1\n3,4,2\n5,6,0\n", &(CsvFormat){0}, NULL);
    g_assert_null(data.class_names);
    g_assert_null(data.feature_names);
    g_assert_cmpuint(data.m, ==, 3);
    g_autofree char *name = dataset_class_name(&data, 2);
    g_assert_cmpstr(name, ==, "2");
    dataset_free(&data);
}

static void a_set_read_like_another_has_its_classes(void)
{
    const CsvFormat any = {0};
    Dataset first = read_csv("x,y,k\n1,2,red\n3,4,blue\n5,6,red\n3,4,blue\n",
                             &any, NULL);
    Dataset like = read_csv("1,2,red\n3,4,red\n", &(CsvFormat){.like = &first},
                            NULL);
    g_assert_cmpuint(like.m, ==, 2);
    assert_words(like.class_names, "blue red");
    g_assert_cmpint(like.labels[0], ==, 1);
    g_assert_true(like.class_names != first.class_names);
    dataset_free(&first);
    dataset_free(&like);
}

static void examples_may_come_without_classes(void)
{
    const CsvFormat any = {0};
    Dataset first = read_csv("x,y,k\n1,2,red\n3,4,blue\n5,6,red\n3,4,blue\n",
                             &any, NULL);
    const CsvFormat bare = {.like = &first, .may_lack_labels = true};
    const char *const texts[] = {
        "x,y\n7,8\n9,10\n", "7,8\n9,10\n", "7,8,blue\n9,10,blue\n",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        Dataset data = read_csv(texts[i], &bare, NULL);
        g_assert_cmpuint(data.n, ==, 2);
        g_assert_cmpuint(data.d, ==, 2);
        g_assert_cmpuint(data.m, ==, 2);
        g_assert_cmpfloat(data.values[1], ==, 8);
        g_assert_cmpfloat(data.values[2], ==, 9);
        g_assert_cmpint(data.labels[1], ==, 0);
        dataset_free(&data);
    }
    dataset_free(&first);
}

/* ---------------------------------------------------------- standardisation */

static void all_together_means_the_extremes_of_all(void)
{
    /* The smallest and the largest are in neither the first nor one column. */
    real values[] = {3, 1, 9, 2, 4, 5, 6, 3};
    int labels[] = {0, 1};
    const Dataset data = {.n = 2, .d = 4, .m = 2, .values = values,
                          .labels = labels};
    Standardization s;
    g_assert_true(standardization_create(&s, &data, STANDARDIZE_UNIT, NULL));
    for (size_t i = 0; i < 4; i++) {
        g_assert_cmpfloat(s.shift[i], ==, 1);
        g_assert_cmpfloat(s.scale[i], ==, (real)(1.0 / 8));
    }
    standardization_free(&s);
}

static void refuse_to_standardise(real a, real b, size_t n, size_t d)
{
    real values[] = {a, 1, b, 2};
    int labels[] = {0, 1};
    const Dataset data = {.n = n, .d = d, .m = 2, .values = values,
                          .labels = labels};
    Standardization s;
    g_autoptr(GError) error = NULL;
    g_assert_false(standardization_create(&s, &data, STANDARDIZE_FEATURE,
                                          &error));
    g_assert_error(error, MLP_ERROR, MLP_ERROR_DATA);
    g_assert_null(s.shift);
}

static void what_cannot_be_standardised_is_refused(void)
{
    const real most = sizeof(real) < sizeof(double) ? (real)FLT_MAX
                                                    : (real)DBL_MAX;
    const real least = sizeof(real) < sizeof(double)
        ? (real)1e-45 : (real)1e-320;
    refuse_to_standardise(0, 0, 0, 2);
    refuse_to_standardise(0, 0, 2, 0);
    refuse_to_standardise(0, least, 2, 2); /* the scale is infinite */
    if (sizeof(real) < sizeof(double))
        return;
    refuse_to_standardise(most, most, 2, 2); /* the mean is */
    refuse_to_standardise(-most / 2, most / 2, 2, 2); /* the variance is */
}

int main(int argc, char **argv)
{
    start_tests(argc, argv);
    g_test_add_func(
        "/split/every class gives its quota up to one and keeps an example",
        every_class_gives_its_quota_up_to_one_and_keeps_an_example);
    g_test_add_func(
        "/split/the largest remainders get the seats that are left",
        the_largest_remainders_get_the_seats_that_are_left);
    g_test_add_func("/split/both parts keep rows, labels and order",
                    both_parts_keep_rows_labels_and_order);
    g_test_add_func("/split/a seed fixes the choice and another changes it",
                    a_seed_fixes_the_choice_and_another_changes_it);
    g_test_add_func("/split/every set of examples is equally likely",
                    every_set_of_examples_is_equally_likely);
    g_test_add_func("/data/names and checksum are kept and shared by slices",
                    names_and_checksum_are_kept_and_shared_by_slices);
    g_test_add_func("/data/numbers from 0 need no names",
                    numbers_from_0_need_no_names);
    g_test_add_func("/data/a set read like another has its classes",
                    a_set_read_like_another_has_its_classes);
    g_test_add_func("/standardisation/all together: the extremes of all",
                    all_together_means_the_extremes_of_all);
    g_test_add_func("/standardisation/what is out of range is refused",
                    what_cannot_be_standardised_is_refused);
    g_test_add_func("/data/examples may come without classes",
                    examples_may_come_without_classes);
    return g_test_run();
}
