/* kith.c -- the `kith` command as a process.
 *
 * The command itself is a library (core/cli), so that a test can call it like a
 * person does and look at its exit code.  This file is what such a test must
 * not link: main().
 *
 * The same program is the process of a plugin that rules are tried with (`kith test`).
 */
#include "core/cli/main.h"
#include "core/plugin/guest.h"

#include <string.h>

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], GUEST_FLAG) == 0)
        return guest_run();
    return kith_main(argc, argv);
}
