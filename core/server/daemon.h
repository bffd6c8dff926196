/* daemon.h -- the life of kithd: start, serve, stop.
 *
 *     open the data --> fold what the log has --> activate the scripts (first start only)
 *         --> listen, say so --> serve --> SIGTERM: no new requests, finish those that run,
 *         checkpoint, end
 *
 * Everything happens on the loop, in whose thread daemon_run() is called; it returns when
 * the daemon has ended.  One daemon a process.
 */
#ifndef CORE_SERVER_DAEMON_H
#define CORE_SERVER_DAEMON_H

#include <stdbool.h>

struct err;
struct settings;

struct daemon_options {
    /* Reads the configuration and lays the command line over it; called at the start, and at
     * SIGHUP into other settings.  Both are the caller's to deinit after daemon_run(). */
    int (*read_settings)(void *arg, struct settings *settings, struct err *err);
    void *arg;
    bool is_dev;  /* watch the scripts and activate them on save */
    bool rebuild; /* fold the whole log anew */
};

/* Returns 0 after a clean end.  On failure `err` says why the daemon could not start or end:
 * E_INVALID (settings, a script: "file:line: reason"), E_BUSY (another daemon has the data), E_IO,
 * E_VERSION, E_CORRUPT. */
int daemon_run(const struct daemon_options *options, struct err *err);

#endif
