/* crash.c -- a daemon that crashes where a test wants it; in front of the C library.
 *
 * LD_PRELOAD.  The text "crash here", handed to a script, ends the engine's thread while it applies
 * the entry.  With KITH_CRASH=start in the environment no daemon comes far enough to open anything.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

struct lua_State;

static const char mark[] = "crash here";

const char *lua_pushlstring(struct lua_State *L, const char *text, size_t size)
{
    static const char *(*real)(struct lua_State * L, const char *text, size_t size);
    if (size == sizeof mark - 1 && memcmp(text, mark, size) == 0)
        abort();
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "lua_pushlstring");
    return real(L, text, size);
}

int sodium_init(void)
{
    const char *where = getenv("KITH_CRASH");
    if (where != NULL && strcmp(where, "start") == 0)
        abort();
    return ((int (*)(void))dlsym(RTLD_NEXT, "sodium_init"))();
}
