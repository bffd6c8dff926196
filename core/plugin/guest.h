/* guest.h -- inside the process of an isolated plugin: its deterministic side.
 *
 * A program starts itself anew with `--plugin-process`, with the descriptors of lane.h: kithd, or
 * kith, to try rules.  The first
 * document on the socket says which plugin; the answer is its description.  From then on a thread
 * works off the lanes, and the socket is the outside side's.
 */
#ifndef CORE_PLUGIN_GUEST_H
#define CORE_PLUGIN_GUEST_H

#define GUEST_FLAG "--plugin-process"
#define GUEST_BYTES_MAX ((uint64_t)1 << 30) /* of memory that such a process may have */

struct plugin;

/* Load what the other side asks for and begin to work.  NULL: there is nothing to be done any more,
 * the other side has been told why. */
struct plugin *guest_open(void);

/* All that such a process does whose plugin never has an outside: rules are tried with it.  Returns
 * the exit code, when the other side has gone. */
int guest_run(void);

#endif
