/* The tree in whose order the gradients of shards are added. */
#include "check.h"
#include "shards.h"

enum { MOST = 40, LENGTH = 3 };

/* The sum by the definition: the shards from first on of a node of n. */
static void tree_sum(const real G[][LENGTH], size_t first, size_t n, size_t S,
                     real *sum)
{
    real right[LENGTH];
    if (n == 1) {
        memcpy(sum, G[first], sizeof right);
        return;
    }
    tree_sum(G, first, n / 2, S, sum);
    if (first + n / 2 >= S)
        return;
    tree_sum(G, first + n / 2, n / 2, S, right);
    for (size_t i = 0; i < LENGTH; i++)
        sum[i] += right[i];
}

static void draw_gradients(real G[][LENGTH], GRand *random)
{
    for (size_t s = 0; s < MOST; s++)
        for (size_t i = 0; i < LENGTH; i++)
            G[s][i] = (real)g_rand_double_range(random, -1, 1);
}

/* As ranks do it: each adds its run, then one adds what they are left with. */
static void add_by_ranks(const real G[][LENGTH], size_t S, size_t R,
                         real *sum)
{
    real store[MOST][LENGTH];
    Nodes all = {0};
    memcpy(store, G, sizeof store);
    for (size_t r = 0; r < R; r++) {
        const Part run = part(S, R, r);
        size_t most;
        const Nodes foreseen = nodes_of(run, &most);
        Nodes mine = {0};
        for (size_t s = run.first; s < run.first + run.n; s++) {
            g_assert_cmpuint(mine.n, <, most);
            nodes_push(&mine, (Node){s, 1, store[s]}, LENGTH);
        }
        g_assert_cmpuint(mine.n, ==, foreseen.n);
        for (size_t i = 0; i < mine.n; i++) {
            g_assert_cmpuint(mine.at[i].n, ==, foreseen.at[i].n);
            nodes_push(&all, mine.at[i], LENGTH);
        }
    }
    memcpy(sum, nodes_total(&all, LENGTH), LENGTH * sizeof(real));
}

static void any_ranks_same_bits(void)
{
    GRand *random = g_rand_new_with_seed(71);
    real G[MOST][LENGTH], expected[LENGTH], sum[LENGTH];
    for (size_t S = 1; S <= MOST; S++) {
        draw_gradients(G, random);
        tree_sum((const real(*)[LENGTH])G, 0, 64, S, expected);
        for (size_t R = 1; R <= S + 2; R++) {
            add_by_ranks((const real(*)[LENGTH])G, S, R, sum);
            g_assert_true(memcmp(sum, expected, sizeof sum) == 0);
        }
    }
    g_rand_free(random);
}

static void powers_of_two_send_one_node(void)
{
    size_t most;
    for (size_t R = 1; R <= 16; R *= 2)
        for (size_t r = 0; r < R; r++)
            g_assert_cmpuint(nodes_of(part(64, R, r), &most).n, ==, 1);
    nodes_of(part(65536, 1, 0), &most);
    g_assert_cmpuint(most, ==, 17);
    nodes_of((Part){1, 65534}, &most);
    g_assert_cmpuint(most, <=, MOST_NODES);
}

/* What one rank does with all, two do with a half each. */
static void slices_same_bits(void)
{
    GRand *random = g_rand_new_with_seed(72);
    const Descent s = {.rate = (real)0.1, .momentum = (real)0.9,
                       .nesterov = true,
                       .penalty = {(real)0.1, (real)0.2, (real)0.3, 0}};
    Network whole, cut, v_whole, v_cut;
    if (!network_create(&whole, 5, 7, 3) || !network_create(&cut, 5, 7, 3)
        || !network_create(&v_whole, 5, 7, 3)
        || !network_create(&v_cut, 5, 7, 3))
        g_error("no memory");
    const size_t n = whole.n_theta;
    g_autofree real *sum = g_new(real, n);
    for (size_t i = 0; i < n; i++) {
        whole.theta[i] = cut.theta[i] = (real)g_rand_double(random) - 1;
        v_whole.theta[i] = v_cut.theta[i] = (real)g_rand_double(random);
        sum[i] = (real)g_rand_double(random);
    }
    descend_slice(&whole, &v_whole, sum, (Part){0, n}, 10, s);
    for (size_t R = 5, r = 0; r < R; r++) {
        const Part p = part(n, R, r);
        descend_slice(&cut, &v_cut, sum + p.first, p, 10, s);
    }
    g_assert_true(memcmp(whole.theta, cut.theta, n * sizeof(real)) == 0);
    g_assert_true(memcmp(v_whole.theta, v_cut.theta, n * sizeof(real)) == 0);
    network_free(&whole);
    network_free(&cut);
    network_free(&v_whole);
    network_free(&v_cut);
    g_rand_free(random);
}

int main(int argc, char **argv)
{
    start_tests(argc, argv);
    g_test_add_func("/shards/the sum has the same bits for any number of "
                    "ranks", any_ranks_same_bits);
    g_test_add_func("/shards/ranks that are a power of two have one node "
                    "each", powers_of_two_send_one_node);
    g_test_add_func("/shards/a step by slices has the bits of the whole",
                    slices_same_bits);
    return g_test_run();
}
