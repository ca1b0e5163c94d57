/* One process alone keeps the promises of ranks.h, for whoever does not ask
   how many there are. */
#include "check.h"
#include "ranks.h"

static void exchange_own_items(void)
{
    const int from[] = {1, 2, 3, 4, 5};
    int to[] = {0, 0, 0, 0};
    const Part sent = {2, 3}, received = {1, 3};

    ranks_exchange(from, &sent, to, &received, sizeof *to);
    g_assert_cmpint(to[0], ==, 0);
    for (size_t i = 0; i < 3; i++)
        g_assert_cmpint(to[1 + i], ==, from[2 + i]);
}

static void exchange_nothing(void)
{
    const int from = 1;
    int to = 2;

    ranks_exchange(&from, &(Part){0, 0}, &to, &(Part){0, 0}, sizeof to);
    g_assert_cmpint(to, ==, 2);
}

static void append(size_t turn, void *text)
{
    g_string_append_printf(text, "%zu ", turn);
}

static void take_all_turns(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    int baton = 7;

    ranks_take_turns((Part){3, 4}, append, text, &baton, sizeof baton);
    g_assert_cmpstr(text->str, ==, "3 4 5 6 ");
    g_assert_cmpint(baton, ==, 7);
}

static void agree_with_itself(void)
{
    g_autoptr(GError) error = NULL;
    int item = 5;

    g_assert_cmpuint(ranks_number(), ==, 1);
    g_assert_cmpuint(ranks_mine(), ==, 0);
    ranks_share(&item, &(Part){0, 1}, sizeof item);
    g_assert_cmpint(item, ==, 5);
    g_assert_cmpint(ranks_largest(-3), ==, -3);
    g_assert_true(ranks_agree(true, &error));
    g_assert_false(fail(&error, MLP_ERROR_DATA, "a reason"));
    g_assert_false(ranks_agree(false, &error));
    g_assert_cmpstr(error->message, ==, "a reason");
}

int main(int argc, char **argv)
{
    start_tests(argc, argv);
    g_test_add_func("/ranks/own items arrive where they belong", exchange_own_items);
    g_test_add_func("/ranks/nothing to exchange", exchange_nothing);
    g_test_add_func("/ranks/every turn, in order", take_all_turns);
    g_test_add_func("/ranks/the only rank agrees with itself", agree_with_itself);
    return g_test_run();
}
