/* The reader of options: the first byte chooses a command, and each line that
   follows is a word. A checkpoint that --resume may name holds the same
   words as the options of its run. */
#include <stdlib.h>
#include <zlib.h>
#include "memory.h"
#define main mlp_main
#include "mlp.c"
#undef main

enum { MOST_WORDS = 30 };

/* Interned strings live as long as the program, and the next input would
   find fewer bytes free. Here they live until the next input. */
const char *__wrap_g_intern_string(const char *text);
static GPtrArray *interned;
const char *__wrap_g_intern_string(const char *text)
{
    char *copy = g_strdup(text);

    g_ptr_array_add(interned, copy);
    return copy;
}

static char *make_checkpoint(const char *line)
{
    g_autofree char *escaped = g_strescape(line, NULL);
    g_autofree char *text = g_strdup_printf("[run]\noptions=train %s\n",
                                            escaped);
    const size_t n = strlen(text);

    return g_strdup_printf("# mlp checkpoint 1: text %012zu, numbers %012d, "
        "CRC-32 %08lx\n%s", n, 0, crc32_z(0, (const Bytef *)text, n), text);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    interned = g_ptr_array_new_with_free_func(g_free);
    return freopen("/dev/null", "w", stdout) ? 0 : 1; /* for --help */
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    g_autofree char *text = n ? g_strndup((const char *)bytes + 1, n - 1)
                              : g_strdup("");
    g_auto(GStrv) words = g_strsplit(text, "\n", MOST_WORDS);
    g_autofree char *line = g_strjoinv(" ", words);
    g_autofree char *checkpoint = make_checkpoint(line);
    char *argv[1 + MOST_WORDS + 1] = {(char *)"mlp"};
    int argc = 1;
    Settings settings;

    for (char **word = words; *word; word++)
        argv[argc++] = *word;
    memory_file(MEMORY, (const uint8_t *)checkpoint, strlen(checkpoint));
    options_read(&commands[(n ? bytes[0] : 0) % G_N_ELEMENTS(commands)],
                 argc, argv, &settings, NULL);
    g_ptr_array_set_size(interned, 0);
    return 0;
}
