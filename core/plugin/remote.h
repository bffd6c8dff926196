/* remote.h -- the process of an isolated plugin, seen from kithd.
 *
 * It is started with a plugin to load, says what that is, and then answers calls of deterministic
 * functions: one at a time, or a batch at once, so that two processes take turns once for many
 * entries.  A call that is not answered in REMOTE_PATIENCE_MS is lost, and so is the process: it is
 * killed, and another is begun by whoever has the loop (remote_open(), plugin_set_replace()).
 *
 * Being slow is not hanging: as long as the machine does not let the process run, which /proc
 * tells, it gets more time, REMOTE_STARVED_MS in all.
 *
 * Starting and closing: any thread.  Calls: one thread, which has the remote.
 */
#ifndef CORE_PLUGIN_REMOTE_H
#define CORE_PLUGIN_REMOTE_H

#include "core/engine/plugins.h"
#include "core/plugin/plugin.h"

#define REMOTE_PATIENCE_MS 100
#define REMOTE_STARVED_MS 2000
#define REMOTE_START_MS 10000 /* to load, and to say what it is */

struct err;
struct remote;

/* Start a process and have it load the plugin.  Errors are those of plugin_load(), and E_BUSY: it
 * does not answer; E_IO: it cannot be started. */
int remote_open(const struct plugin_options *options, struct remote **out_remote,
                struct plugin **out_plugin, struct err *err);
void remote_close(struct remote *remote); /* it is ended, whatever it does; NULL is allowed */

int remote_pid(const struct remote *remote);

/* Descriptors of one's own, for the outside side: the socket, and the process to signal.  Whoever
 * has them closes them; they are good whatever becomes of the remote.  The number of the process
 * is for people and /proc alone.  E_IO: there are no more. */
struct remote_ends {
    int socket, process, pid;
};
int remote_ends(const struct remote *remote, struct remote_ends *out_ends, struct err *err);
void remote_ends_close(struct remote_ends *ends);

/* How the process behind the descriptor has ended, for people: "it crashed (SIGSEGV)"; false: it
 * runs, or nobody knows.  It stays to be waited for. */
#define REMOTE_WORDS_BYTES 80
bool remote_tell_end(int process, char out[REMOTE_WORDS_BYTES]);

/* The same of one whose descriptors are closed already, which a process that ends does shortly
 * before it can be waited for: waits for that, at most `ms`. */
bool remote_await_end(int process, int ms, char out[REMOTE_WORDS_BYTES]);

bool remote_is_lost(const struct remote *remote);
/* How, for people: "it crashed (SIGSEGV)"; "" while it is not. */
const char *remote_loss(const struct remote *remote);

/* One call: `item` (guest.c) and its reply, borrowed until the next call. */
enum plugin_outcome remote_call(struct remote *remote, struct doc item, struct doc *out_reply);

/* A batch: added to, posted, and taken reply by reply in the order of the items.  Adding answers
 * false when there is no more room, or while an earlier batch has not been taken to its end. */
bool remote_add(struct remote *remote, struct doc item);
void remote_post(struct remote *remote);
/* The item that is next, as it was added; none: all have been taken, or the process is lost. */
struct doc remote_next(const struct remote *remote);
enum plugin_outcome remote_take(struct remote *remote, struct doc *out_reply);
void remote_skip(struct remote *remote); /* the next one is not wanted */

/* It said what it cannot have meant: it is lost. */
void remote_distrust(struct remote *remote);

#endif
