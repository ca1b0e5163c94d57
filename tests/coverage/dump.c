/* Linked into what `make coverage` builds.  gcov writes down what was run
   when a program returns from main or calls exit; this lets it do so where a
   program ends by _exit, by a signal that it sends to itself, by an abort, or
   by becoming another, and ends the faults of tests/faults/shim.c before. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stddef.h>

void __gcov_dump(void);
_Noreturn void __real__exit(int status);
int __real_raise(int number);
_Noreturn void __wrap__exit(int status);
int __wrap_raise(int number);
int __real_execv(const char *program, char *const *arguments);
int __wrap_execv(const char *program, char *const *arguments);

__attribute__((destructor)) static void end_faults(void)
{
    void (*end)(void);
    *(void **)&end = dlsym(RTLD_DEFAULT, "faults_end");

    if (end != NULL)
        end();
}

static void dump(void)
{
    end_faults();
    __gcov_dump();
}

_Noreturn void __wrap__exit(int status)
{
    dump();
    __real__exit(status);
}

int __wrap_raise(int number)
{
    dump();
    return __real_raise(number);
}

int __wrap_execv(const char *program, char *const *arguments)
{
    dump();
    return __real_execv(program, arguments);
}

/* The action is the default again, and the signal blocked until we return. */
static void note_abort(int number)
{
    dump();
    __real_raise(number);
}

__attribute__((constructor)) static void catch_aborts(void)
{
    struct sigaction note = { .sa_handler = note_abort };
    note.sa_flags = (int)SA_RESETHAND;
    sigaction(SIGABRT, &note, NULL);
    sigaction(SIGTRAP, &note, NULL);
}
