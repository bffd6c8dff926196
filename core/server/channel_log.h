/* channel_log.h -- the channel `log`: each message one line of JSON in a file.
 *
 *     {"time":"2026-11-21T10:11:12.345Z","id":"17.1","customer":42,"staff":"lena","body":"..."}
 *
 * After the time stands the message as the arbiter let it through: the effect's id, the customer,
 * the address or the member of staff it is for, and what the rule said.
 *
 * For trying things out, and for whoever picks messages up from a file.  The file is
 * appended to and never cut; after it was renamed, SIGHUP makes the daemon begin a new one.
 * A line is on its way to the disk when the effect is said to be sent, not flushed.  One that
 * could not be written is failed, and tried again like any other.  The loop's thread.
 */
#ifndef CORE_SERVER_CHANNEL_LOG_H
#define CORE_SERVER_CHANNEL_LOG_H

#include "core/base/clock.h"
#include "core/outside/channel.h"

struct channel_log;
struct err;
struct metrics;

/* `path` NULL: standard error.  E_IO: the file cannot be opened.  `metrics` counts the answers and
 * must outlive the channel. */
int channel_log_open(const char *path, struct clock clock, struct metrics *metrics,
                     struct channel_log **out_log, struct err *err);
void channel_log_close(struct channel_log *log); /* NULL is allowed */

/* Open the file anew; on failure the old one is kept. */
int channel_log_reopen(struct channel_log *log, struct err *err);

/* For deliver_add_channel(); valid until the close. */
struct channel channel_log_channel(struct channel_log *log);

#endif
