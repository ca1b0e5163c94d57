/* Makes chosen calls of a program fail: to be loaded by LD_PRELOAD.

     FAULT_CALLS  the calls that are counted: "memory", "room", or names of
                  those for files, separated by commas.  Room is memory that
                  the program asks for ready to go without: GLib's g_try_...
                  and aligned_alloc, which other libraries do not call.
                  "fsync-folder" is the fsync of a folder, and "packed-size"
                  what protobuf-c says that a message takes: then 2 GiB
     FAULT_AT     which of them fails, from 1; 0: none
     FAULT_ON     set: and all that follow it
     FAULT_ERROR  the errno that it leaves, as a number; 0 for write and
                  pwrite: half of the bytes are written, without an error
     FAULT_COUNT  a file that gets the number of calls when the program ends

   Counting begins when the libraries are loaded, before main.  The programs
   that this one starts are left alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What glibc calls malloc behind the name that we have taken. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *block, size_t n);
void *__libc_memalign(size_t alignment, size_t n);

enum { NAME = 16, NAMES = 16 };
static struct {
    char names[NAMES][NAME];
    size_t n_names;
    long at;
    bool on;
    int error;
    char count_file[4096];
} plan;
static atomic_long calls;

static bool chosen(const char *name)
{
    for (size_t i = 0; i < plan.n_names; i++)
        if (strcmp(plan.names[i], name) == 0)
            return true;
    return false;
}

static bool fails(const char *name)
{
    if (plan.n_names == 0 || !chosen(name))
        return false;
    const long call = atomic_fetch_add(&calls, 1) + 1;
    const bool now = plan.at > 0
        && (plan.on ? call >= plan.at : call == plan.at);
    if (now)
        errno = plan.error;
    return now;
}

static const char *setting(const char *name)
{
    const char *value = getenv(name);
    return value != NULL ? value : "";
}

__attribute__((constructor)) static void begin(void)
{
    const struct rlimit none = {0, 0};
    const char *name = setting("FAULT_CALLS");

    plan.at = atol(setting("FAULT_AT"));
    plan.on = *setting("FAULT_ON") != '\0';
    plan.error = atoi(setting("FAULT_ERROR"));
    snprintf(plan.count_file, sizeof plan.count_file, "%s",
             setting("FAULT_COUNT"));
    setrlimit(RLIMIT_CORE, &none); /* hundreds of dumps would be many */
    unsetenv("LD_PRELOAD");
    size_t n = 0;
    for (; *name != '\0' && n < NAMES; n++) {
        const size_t length = strcspn(name, ",");
        snprintf(plan.names[n], NAME, "%.*s", (int)length, name);
        name += length + (name[length] == ',');
    }
    plan.n_names = n;
}

/* From here on nothing fails.  Programs that measure coverage call this before
   they write down what they have found. */
void faults_end(void);
__attribute__((destructor)) void faults_end(void)
{
    char text[32];

    plan.n_names = 0;
    if (*plan.count_file == '\0')
        return;
    const long file = syscall(SYS_openat, AT_FDCWD, plan.count_file,
                              O_WRONLY | O_CREAT | O_TRUNC, 0666);
    const int n = snprintf(text, sizeof text, "%ld\n", atomic_load(&calls));
    if (file >= 0)
        syscall(SYS_write, file, text, n);
    *plan.count_file = '\0';
}

/* ------------------------------------------------------------- memory */

void *malloc(size_t n)
{
    return fails("memory") ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return fails("memory") ? NULL : __libc_calloc(n, size);
}

void *realloc(void *block, size_t n)
{
    return fails("memory") ? NULL : __libc_realloc(block, n);
}

void *aligned_alloc(size_t alignment, size_t n)
{
    return fails("memory") || fails("room") ? NULL
        : __libc_memalign(alignment, n);
}

int posix_memalign(void **block, size_t alignment, size_t n)
{
    if (fails("memory"))
        return ENOMEM;
    *block = __libc_memalign(alignment, n);
    return *block != NULL ? 0 : ENOMEM;
}

/* As in GLib, nothing is NULL. */
void *g_try_realloc_n(void *block, size_t n, size_t size)
{
    if (fails("room") || (size > 0 && n > SIZE_MAX / size))
        return NULL;
    if (n * size > 0)
        return realloc(block, n * size);
    free(block);
    return NULL;
}

void *g_try_malloc0_n(size_t n, size_t size)
{
    return fails("room") || n * size == 0 ? NULL : calloc(n, size);
}

void *g_try_realloc(void *block, size_t n)
{
    return g_try_realloc_n(block, n, 1);
}

void *g_try_malloc_n(size_t n, size_t size)
{
    return g_try_realloc_n(NULL, n, size);
}

void *g_try_malloc(size_t n)
{
    return g_try_malloc_n(n, 1);
}

void *g_try_malloc0(size_t n)
{
    return g_try_malloc0_n(n, 1);
}

/* Of protobuf-c: the length of a message, which no test should wait for to
   be 2 GiB. */
size_t protobuf_c_message_get_packed_size(const void *message)
{
    size_t (*next)(const void *);
    *(void **)&next = dlsym(RTLD_NEXT, "protobuf_c_message_get_packed_size");
    return fails("packed-size") ? (size_t)1 << 31 : next(message);
}

/* --------------------------------------------------------------- files */

ssize_t write(int file, const void *bytes, size_t n)
{
    if (file > 2 && fails("write")) {
        if (plan.error != 0)
            return -1;
        n = (n + 1) / 2;
    }
    return syscall(SYS_write, file, bytes, n);
}

ssize_t pwrite(int file, const void *bytes, size_t n, off_t offset)
{
    if (fails("pwrite")) {
        if (plan.error != 0)
            return -1;
        n = (n + 1) / 2;
    }
    return syscall(SYS_pwrite64, file, bytes, n, offset);
}

/* Nobody will cut the power; so there is no need to wait for the disk. */
int fsync(int file)
{
    struct stat about;
    const bool folder = fstat(file, &about) == 0 && S_ISDIR(about.st_mode);

    return fails("fsync") || (folder && fails("fsync-folder")) ? -1 : 0;
}

int fdatasync(int file)
{
    (void)file;
    return fails("fdatasync") ? -1 : 0;
}

int ftruncate(int file, off_t length)
{
    return fails("ftruncate") ? -1
        : (int)syscall(SYS_ftruncate, file, length);
}

FILE *freopen(const char *file, const char *mode, FILE *stream)
{
    FILE *(*next)(const char *, const char *, FILE *);
    *(void **)&next = dlsym(RTLD_NEXT, "freopen");
    return fails("freopen") ? NULL : next(file, mode, stream);
}

int rename(const char *from, const char *to)
{
    return fails("rename") ? -1
        : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* The descriptor is released all the same, as Linux does. */
int close(int file)
{
    const bool failed = fails("close");
    const int reason = errno;
    const int status = (int)syscall(SYS_close, file);

    if (failed)
        errno = reason;
    return failed ? -1 : status;
}

/* Only those that may create a file. */
static int open_file(const char *file, int flags, va_list more)
{
    const bool creates = (flags & (O_CREAT | O_TMPFILE)) != 0
                         && (flags & O_DIRECTORY) == 0;
    const unsigned mode = creates ? va_arg(more, unsigned) : 0;

    if (creates && fails("open"))
        return -1;
    return (int)syscall(SYS_openat, AT_FDCWD, file, flags, mode);
}

int open(const char *file, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    const int descriptor = open_file(file, flags, more);
    va_end(more);
    return descriptor;
}

int open64(const char *file, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    const int descriptor = open_file(file, flags, more);
    va_end(more);
    return descriptor;
}

int ftruncate64(int file, off64_t length)
{
    return ftruncate(file, length);
}

ssize_t pwrite64(int file, const void *bytes, size_t n, off64_t offset)
{
    return pwrite(file, bytes, n, offset);
}
