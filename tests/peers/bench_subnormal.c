/* Does training slow down where numbers become subnormal?  Times minibatches
   of a network of the size of chapter Fashion-MNIST's, with one of its arrays
   scaled into the subnormal range; the cases take turns.  Prints the
   quickest time of each and what it is of that of ordinary numbers. */
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <glib.h>
#include "minibatch.h"

enum { D = 784, HIDDEN = 256, CLASSES = 10, BATCH = 100, STEPS = 4,
       TRIALS = 150 };

typedef struct {
    const char *name;
    double x, W1, W2, v; /* scales */
    bool off;            /* all hidden units, so that v has no gradient */
} Case;

static const Case cases[] = {
    {"nothing", 1, 1, 1, 1, false},
    {"inputs", 1e-39, 1, 1, 1, false},
    {"weights, input to hidden", 1, 1e-40, 1, 1, false},
    {"weights, hidden to output", 1, 1, 1e-40, 1, false},
    {"velocities of units that are off", 1, 1, 1, 1e-39, true},
    {"all of these", 1e-39, 1e-40, 1e-40, 1e-39, true},
};

static void fill(GRand *random, double scale, size_t n, real *into)
{
    if (sizeof(real) == sizeof(double) && scale < 1)
        scale *= DBL_MIN / (double)FLT_MIN;
    for (size_t i = 0; i < n; i++)
        into[i] = (real)(scale * g_rand_double_range(random, -1, 1));
}

static double seconds(const Case *c, Network *net, Network *velocity,
                      Network *grad, Workspace *w, real *X, int *y)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    /* At a rate of 0 the weights stay what they are, from step to step. */
    const Descent s = {.rate = 0, .momentum = (real)0.9};
    fill(random, 0.05, net->n_theta, net->theta);
    fill(random, c->W1 < 1 ? c->W1 : 0.05, HIDDEN * D, net->W1);
    fill(random, c->W2 < 1 ? c->W2 : 0.05, CLASSES * HIDDEN, net->W2);
    fill(random, c->v < 1 ? c->v : 0.05, net->n_theta, velocity->theta);
    for (size_t j = 0; c->off && j < HIDDEN; j++)
        net->b1[j] = -1000;
    fill(random, c->x, BATCH * D, X);
    for (int i = 0; i < BATCH; i++)
        y[i] = i % CLASSES;
    const gint64 start = g_get_monotonic_time();
    for (int i = 0; i < STEPS; i++)
        matrix_descend(net, velocity, grad, s, X, y, BATCH, w);
    return (double)(g_get_monotonic_time() - start) / 1e6 / STEPS;
}

int main(void)
{
    Network net, velocity, grad;
    Workspace w;
    real *X = real_array(BATCH * D);
    int y[BATCH];
    double best[G_N_ELEMENTS(cases)];
    if (!network_create(&net, D, HIDDEN, CLASSES)
        || !network_create(&velocity, D, HIDDEN, CLASSES)
        || !network_create(&grad, D, HIDDEN, CLASSES)
        || !workspace_create(&w, &net, BATCH) || X == NULL)
        return 1;
    for (size_t trial = 0; trial < TRIALS; trial++)
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
            const double t = seconds(&cases[i], &net, &velocity, &grad, &w,
                                     X, y);
            best[i] = trial == 0 ? t : MIN(best[i], t);
        }
    printf("subnormal\tmicroseconds\tratio\n");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        printf("%s\t%.1f\t%.3f\n", cases[i].name, best[i] * 1e6,
               best[i] / best[0]);
    workspace_free(&w);
    network_free(&net);
    network_free(&velocity);
    network_free(&grad);
    free(X);
    return 0;
}
