#define _DEFAULT_SOURCE /* S_IFREG */
#include "memory.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <glib.h>
#include "error.h"

typedef struct {
    const uint8_t *bytes;
    size_t n;
} File;
static File memory, partner;
static size_t opened; /* size of the file that was opened last */

/* What the linker puts in the place of fopen and so on. */
FILE *__real_fopen(const char *name, const char *mode);
FILE *__wrap_fopen(const char *name, const char *mode);
int __real_fstat(int descriptor, struct stat *status);
int __wrap_fstat(int descriptor, struct stat *status);
bool __wrap_read_file(const char *name, char **to, size_t *n, GError **error);
int __wrap_g_mkstemp(char *name);

static File *find(const char *name)
{
    return strcmp(name, MEMORY) == 0 ? &memory
         : strcmp(name, PARTNER) == 0 ? &partner : NULL;
}

void memory_file(const char *name, const uint8_t *bytes, size_t n)
{
    *find(name) = (File){bytes, n};
}

FILE *__wrap_fopen(const char *name, const char *mode)
{
    const File *file = find(name);

    if (file == NULL)
        return __real_fopen(name, mode);
    opened = file->n;
    return fmemopen((void *)(uintptr_t)file->bytes, file->n, mode);
}

/* A stream in memory has no descriptor: fileno says -1. */
int __wrap_fstat(int descriptor, struct stat *status)
{
    if (descriptor >= 0)
        return __real_fstat(descriptor, status);
    *status = (struct stat){.st_mode = S_IFREG, .st_size = (off_t)opened};
    return 0;
}

/* The copy is just as long as the file and its NUL, so that the sanitizer
   sees whoever reads beyond. */
bool __wrap_read_file(const char *name, char **to, size_t *n, GError **error)
{
    const File *file = find(name);

    *to = NULL;
    *n = 0;
    if (file == NULL)
        return fail(error, MLP_ERROR_DATA, "%s: is not there", name);
    *to = g_malloc(file->n + 1);
    *n = file->n;
    if (file->n > 0)
        memcpy(*to, file->bytes, file->n);
    (*to)[file->n] = '\0';
    return true;
}

/* Options name files to be written, and whether that is possible is tried:
   not here. */
int __wrap_g_mkstemp(char *name)
{
    (void)name;
    errno = EACCES;
    return -1;
}
