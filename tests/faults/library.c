/* A program that uses the library: faulty FILE makes a network, and saves it
   to FILE.  Whatever fails is told, with status 1. */
#include <stdio.h>
#include "mlp.h"

static int failed(mlp *net)
{
    fprintf(stderr, "mlp library: %s\n", mlp_error());
    mlp_free(net);
    return 1;
}

int main(int argc, char **argv)
{
    const mlp_real X[] = {0, 0, 0, 1, 1, 0, 1, 1};
    const int y[] = {0, 1, 1, 0};
    const mlp_penalty none = {0};
    mlp_real gradient[4 * 2 + 4 + 2 * 4 + 2], probabilities[4 * 2];
    double risk;
    mlp *net = mlp_create(2, 4, 2, 1);

    if (net == NULL || argc != 2
        || !mlp_predict(net, X, 1, probabilities)
        || !mlp_standardize(net, X, 4)
        || !mlp_risk(net, X, y, 4, none, MLP_LOOP, &risk, gradient)
        || !mlp_step(net, X, y, 4, 0.1, 0.9, none, &risk)
        || !mlp_save(net, argv[1]))
        return failed(net);
    mlp_free(net);
    net = mlp_load(argv[1]);
    if (net == NULL || !mlp_step(net, X, y, 4, 0.1, 0, none, &risk))
        return failed(net);
    printf("%.9g\n", risk);
    mlp_free(net);
    return 0;
}
