/* The reader of checkpoints: the input as it is, and behind a first line
   that fits it, which chance would not find. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "checkpoint.h"
#include "memory.h"

static void load(void)
{
    size_t epoch = 0;
    double rate = 0;
    real theta[5];
    const Piece state[] = {
        {"epoch", .count = &epoch}, {"rate", .number = &rate},
        {"theta", .values = theta, .n = G_N_ELEMENTS(theta)}, {.name = NULL}
    };
    Checkpoint c;

    if (!checkpoint_load(MEMORY, &c, NULL))
        return;
    g_free(g_key_file_get_value(c.text, "run", "options", NULL));
    g_free(g_key_file_get_string(c.text, "run", "log", NULL));
    if (checkpoint_restore(&c, state, NULL)
        && memcmp(theta, c.numbers, sizeof theta) != 0)
        abort();
    checkpoint_free(&c);
}

/* The last bytes are the numbers, the others are the text. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const size_t numbers = MIN(n, 5 * sizeof(real));
    char head[128];
    size_t n_head;
    uint8_t *whole;

    memory_file(MEMORY, bytes, n);
    load();
    n_head = (size_t)g_snprintf(head, sizeof head, "# mlp checkpoint 1: "
        "text %012zu, numbers %012zu, CRC-32 %08lx\n", n - numbers, numbers,
        crc32_z(0, bytes, n));
    whole = malloc(n_head + n);
    if (!whole)
        return 0;
    memcpy(whole, head, n_head);
    memcpy(whole + n_head, bytes, n);
    memory_file(MEMORY, whole, n_head + n);
    load();
    free(whole);
    return 0;
}
