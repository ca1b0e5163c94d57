/* Prints a random network, a random minibatch, and everything that the two
   implementations compute from them, for numpy_agrees.py to compare with
   NumPy.  A line is a name, its shape and its numbers, separated by tabs;
   a part of the output begins with a line of one word. */
#include <stdio.h>
#include <stdlib.h>
#include <glib.h>
#include "minibatch.h"

/* columns = 0: a vector */
static void print(const char *prefix, const char *name, size_t rows,
                  size_t columns, const real *at)
{
    printf("%s%s\t%zu", prefix, name, rows);
    if (columns > 0)
        printf(",%zu", columns);
    for (size_t i = 0; i < rows * (columns > 0 ? columns : 1); i++)
        printf("\t%.17g", (double)at[i]);
    printf("\n");
}

static void print_number(const char *name, double value)
{
    printf("%s\t\t%.17g\n", name, value);
}

static void print_network(const char *prefix, const Network *net)
{
    print(prefix, "W1", net->dh, net->d, net->W1);
    print(prefix, "b1", net->dh, 0, net->b1);
    print(prefix, "W2", net->m, net->dh, net->W2);
    print(prefix, "b2", net->m, 0, net->b2);
}

static void print_outcome(Outcome o)
{
    print_number("loss", o.loss);
    print_number("errors", (double)o.errors);
}

static void print_example(const Network *net, const real *x, int y,
                          Example *e, Network *grad)
{
    printf("example\n");
    print_number("L", (double)fprop(net, x, y, e));
    bprop(net, x, y, e, grad);
    bprop_input(net, e);
    print("", "ha", net->dh, 0, e->ha);
    print("", "hs", net->dh, 0, e->hs);
    print("", "oa", net->m, 0, e->oa);
    print("", "os", net->m, 0, e->os);
    print("", "grad_oa", net->m, 0, e->grad_oa);
    print("", "grad_hs", net->dh, 0, e->grad_hs);
    print("", "grad_ha", net->dh, 0, e->grad_ha);
    print("", "grad_x", net->d, 0, e->grad_x);
    print_network("grad_", grad);
}

static void print_matrices(const Network *net, size_t K, const Batch *b)
{
    print("", "Ha", K, net->dh, b->Ha);
    print("", "Hs", K, net->dh, b->Hs);
    print("", "Oa", K, net->m, b->Oa);
    print("", "Os", K, net->m, b->Os);
    print("", "grad_Oa", K, net->m, b->grad_Oa);
    print("", "grad_Hs", K, net->dh, b->grad_Hs);
    print("", "grad_Ha", K, net->dh, b->grad_Ha);
}

int main(int argc, char **argv)
{
    if (argc != 7) {
        fprintf(stderr, "usage: dump_gradient d dh m K strength seed\n");
        return 2;
    }
    const size_t d = strtoul(argv[1], NULL, 10);
    const size_t dh = strtoul(argv[2], NULL, 10);
    const size_t m = strtoul(argv[3], NULL, 10);
    const size_t K = strtoul(argv[4], NULL, 10);
    const double strength = g_ascii_strtod(argv[5], NULL);
    g_autoptr(GRand) random =
        g_rand_new_with_seed((guint32)strtoul(argv[6], NULL, 10));
    const Penalty penalty = {(real)(1 * strength), (real)(2 * strength),
                             (real)(3 * strength), (real)(4 * strength)};
    Network net, grad;
    Workspace w;
    g_autofree real *X = g_new(real, K * d);
    g_autofree int *y = g_new(int, K);
    if (!network_create(&net, d, dh, m) || !network_create(&grad, d, dh, m)
        || !workspace_create(&w, &net, K)) {
        fprintf(stderr, "dump_gradient: sizes or memory\n");
        return 1;
    }
    for (size_t t = 0; t < net.n_theta; t++)
        net.theta[t] = (real)g_rand_double_range(random, -1, 1);
    for (size_t i = 0; i < K * d; i++)
        X[i] = (real)g_rand_double_range(random, -2, 2);
    for (size_t i = 0; i < K; i++)
        y[i] = g_rand_int_range(random, 0, (gint32)m);

    printf("given\n");
    print_network("", &net);
    print("", "X", K, d, X);
    printf("y\t%zu", K);
    for (size_t i = 0; i < K; i++)
        printf("\t%d", y[i]);
    printf("\n");
    print_number("l11", (double)penalty.l11);
    print_number("l12", (double)penalty.l12);
    print_number("l21", (double)penalty.l21);
    print_number("l22", (double)penalty.l22);
    print_example(&net, X, y[0], &w.example, &grad);
    printf("loop\n");
    print_outcome(loop_gradient(&net, penalty, X, y, K, &w, &grad));
    print_network("grad_", &grad);
    printf("matrix\n");
    print_outcome(matrix_gradient(&net, penalty, X, y, K, &w, &grad));
    print_network("grad_", &grad);
    print_matrices(&net, K, &w.batch);

    workspace_free(&w);
    network_free(&net);
    network_free(&grad);
    return fflush(stdout) != 0;
}
