/* outside.h -- the world around a simulated daemon: clients, a provider, time.
 *
 * It survives the daemon's lives: what clients were told and what left through the
 * provider is written down (`journal`) at the moment it happens, past the simulated
 * disk, and read by the next life and by the checker.  Lines:
 *
 *     time WALL BOOT             the clocks, whenever they move
 *     ack ID                     a client heard that its event is durable
 *     told ID                    the same for somebody who waited for it to be applied
 *     recv ID ATTEMPT CHANNEL CUSTOMER BODY   the provider got a message; fail: and failed
 *     release ID, drop ID        staff decided, and heard that it is done
 *
 * Everything is chosen by dice of the seed and of what it is about.
 */
#ifndef TESTS_SIM_OUTSIDE_H
#define TESTS_SIM_OUTSIDE_H

#include "core/base/clock.h"
#include "core/outside/channel.h"

#include <stdbool.h>
#include <stdint.h>

struct node;
struct outside;

struct outside *outside_new(const char *journal, uint64_t seed, unsigned life, bool is_quiet);
void outside_free(struct outside *outside);

struct clock outside_clock(struct outside *outside);
void outside_pass(struct outside *outside, int64_t ms); /* time goes on */
void outside_skew(struct outside *outside, int64_t ms); /* somebody sets the wall clock */
void outside_reboot(struct outside *outside);           /* the boot clock starts again */

/* Channels sms (doubtful after a crash) and hook (idempotent). */
size_t outside_channels(struct outside *outside, struct channel out_channels[2]);

void outside_attach(struct outside *outside, struct node *node);

/* One thing a client or a member of staff does now. */
void outside_act(struct outside *outside, uint64_t dice);
/* Answers of the provider that are due. Returns in how many ms the next is; -1: none. */
int64_t outside_provide(struct outside *outside);
/* Whether every planned event was acknowledged, and nothing waits for an answer. */
bool outside_is_done(const struct outside *outside);
/* In a quiet life: send what is not acknowledged yet. */
void outside_finish(struct outside *outside);

#endif
