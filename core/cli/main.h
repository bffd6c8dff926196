/* main.h -- the `kith` command as a function.
 *
 * Call it once per process: it sets up the HTTP library and, during an import, the
 * handler of SIGINT.  One thread.
 */
#ifndef CORE_CLI_MAIN_H
#define CORE_CLI_MAIN_H

/* argv[0] is the program's own name.  Results go to standard output, what went wrong to standard
 * error.  Returns one of the exit codes of command.h. */
int kith_main(int argc, char **argv);

#endif
