/* real.c -- finding the next definition of each call after our own.
 *
 * A library's constructor may write before main() runs, hence the look-up at the
 * first use and not at a fixed moment.
 */
#include "tests/sim/real.h"

#include "core/base/mem.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static struct real table;

/* ISO C has no cast from an object pointer to a function pointer. */
static void find(const char *name, void *out_function, size_t size)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    ASSERT(symbol != NULL && size == sizeof symbol);
    memcpy(out_function, &symbol, size);
}

#define FIND(name) find(#name, &table.name, sizeof table.name)

static void find_all(void)
{
    FIND(openat);
    FIND(pwrite);
    FIND(pwritev);
    FIND(writev);
    FIND(fsync);
    FIND(fdatasync);
    FIND(msync);
    FIND(ftruncate);
    FIND(fallocate);
    FIND(renameat);
    FIND(unlinkat);
    FIND(mkdirat);
}

const struct real *real(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, find_all);
    return &table;
}
