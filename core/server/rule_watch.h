/* rule_watch.h -- ending a rule that keeps the processor.
 *
 * A run of a rule has a budget of instructions, but what one instruction costs has no bound that a
 * script could not push: some, made for it, keep the engine busy for minutes, and with it everybody
 * else.  So it is looked at as the engine's thread computes, and when it has not got on for
 * `rule_cpu_ms` of that, the rule that runs is interrupted: it fails, and a verdict in the log
 * says so for every replay.
 *
 * What counts is the time of the thread on a processor: a slow disk, a busy machine and a debugger
 * end no rule, and a daemon that has nothing to do is never woken.
 *
 * The loop's thread.
 */
#ifndef CORE_SERVER_RULE_WATCH_H
#define CORE_SERVER_RULE_WATCH_H

#include <stdatomic.h>
#include <stdint.h>

struct err;
struct node;
struct rule_watch;
struct uv_loop_s;

/* Watch the engine's thread of `node`, which runs; `interrupt` is what script_load() was given.
 * Uses SIGVTALRM.  E_IO. */
int rule_watch_open(struct uv_loop_s *loop, struct node *node, int64_t cpu_ms,
                    atomic_bool *interrupt, struct rule_watch **out_watch, struct err *err);
void rule_watch_close(struct rule_watch *watch); /* NULL is allowed; freed by the loop */

#endif
