/* kith.c -- the `kith` command as a process.
 *
 * The command itself is a library (core/cli), so that a test can call it like a
 * person does and look at its exit code.  This file is what such a test must
 * not link: main().
 */
#include "core/cli/main.h"

int main(int argc, char **argv)
{
    return kith_main(argc, argv);
}
