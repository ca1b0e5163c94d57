/* Reads lines of a function's name, a class (from 0) and numbers, separated
   by blanks; prints what the function makes of them.  Numbers are written
   in C's hexadecimal form, which loses nothing; numbers.t compares. */
#define _GNU_SOURCE /* getline() */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <glib.h>
#include "functions.h"

typedef real Scalar(real x);

static const struct {
    const char *name;
    Scalar *f;
} scalars[] = {
    {"sigmoid", sigmoid}, {"sigmoid_prime", sigmoid_prime},
    {"tanh_prime", tanh_prime}, {"softplus", softplus},
};

/* To the nearest number of the precision, without a detour. */
static real number(const char *text)
{
    return sizeof(real) == sizeof(float) ? (real)strtof(text, NULL)
                                         : (real)strtod(text, NULL);
}

static size_t apply(const char *name, int y, const real *a, size_t m, real *s)
{
    for (size_t i = 0; i < G_N_ELEMENTS(scalars); i++)
        if (strcmp(name, scalars[i].name) == 0) {
            for (size_t k = 0; k < m; k++)
                s[k] = scalars[i].f(a[k]);
            return m;
        }
    if (strcmp(name, "softmax") == 0)
        return softmax(a, m, s), m;
    if (strcmp(name, "log_softmax") == 0)
        return log_softmax(a, m, s), m;
    if (strcmp(name, "log_sum_exp") == 0)
        return s[0] = log_sum_exp(a, m), 1;
    if (strcmp(name, "cross_entropy") == 0)
        return s[0] = cross_entropy(a, m, y), 1;
    if (strcmp(name, "softmax_cross_entropy") == 0)
        return s[m] = softmax_cross_entropy(a, m, y, s), m + 1;
    fprintf(stderr, "dump_functions: %s: no such function\n", name);
    exit(2);
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0) {
        g_auto(GStrv) words = g_strsplit(g_strchomp(line), " ", 0);
        const size_t m = g_strv_length(words) - 2;
        g_autofree real *a = g_new(real, m), *s = g_new(real, m + 1);
        for (size_t k = 0; k < m; k++)
            a[k] = number(words[k + 2]);
        const size_t n = apply(words[0], atoi(words[1]), a, m, s);
        for (size_t k = 0; k < n; k++)
            printf("%s%a", k > 0 ? " " : "", (double)s[k]);
        printf("\n");
    }
    free(line);
    return fflush(stdout) != 0;
}
