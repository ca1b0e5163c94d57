/* Files that are in memory only, for readers that take the name of a file.
   The linker (--wrap) sends what they call to open one to memory.c. */
#ifndef MEMORY_H
#define MEMORY_H
#include <stddef.h>
#include <stdint.h>

/* The names of the two files that there are. */
#define MEMORY "memory"
#define PARTNER "partner"

/* Gives one of them its contents, which are not copied. */
void memory_file(const char *name, const uint8_t *bytes, size_t n);

/* libFuzzer calls it with one input after the other. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
#endif
