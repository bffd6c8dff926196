/* nurse.h -- isolated plugins that were lost are brought back.
 *
 * A plugin whose process died or hung is quarantined by the engine.  Its process can be begun anew,
 * which one that shares ours cannot, so that is done here: after a second, then two, four, up to a
 * minute, and then `plugin.enabled` is written, by which the engine hands it what was parked.  One
 * that is lost NURSE_TRIES_MAX times in NURSE_WINDOW_MS stays quarantined until a person enables
 * it.
 *
 * The loop's thread.
 */
#ifndef CORE_SERVER_NURSE_H
#define CORE_SERVER_NURSE_H

#include "core/base/clock.h"
#include "core/base/doc.h"

#define NURSE_TRIES_MAX 5
#define NURSE_WINDOW_MS (10ll * 60 * 1000)
#define NURSE_WAIT_MS 1000 /* before the first; doubles */
#define NURSE_WAIT_MS_MAX 60000

struct node;
struct nurse;
struct plugin_set;
struct remote_ends;
struct uv_loop_s;

struct nurse_options {
    struct uv_loop_s *loop;
    struct node *node;          /* both outlive the nurse */
    struct plugin_set *plugins; /* not NULL */
    struct clock clock;
    /* The engine has another process, whose ends are handed over: what else is in it can begin. */
    void (*on_process)(void *arg, size_t index, const struct remote_ends *ends);
    void (*on_rest)(void *arg); /* a process that was being begun is there, or could not be */
    void *arg;
};

struct nurse *nurse_open(const struct nurse_options *options);
void nurse_start(struct nurse *nurse); /* the engine has caught up: look who is quarantined */
void nurse_lost(struct nurse *nurse, struct text plugin, const char *why);
/* Its process is no more, as the outside has found: `why`.  What the engine cannot know from an
 * entry it is told by one, `plugin.disabled`, so that both sides go and come together. */
void nurse_gone(struct nurse *nurse, struct text plugin, const char *why);
/* Somebody enables it by hand: begin its process now, if it is isolated, then write the entry.
 * Whether it is one of these; else the caller writes. */
bool nurse_enable(struct nurse *nurse, struct text plugin, struct text by, bool skip);

/* Begin nothing until it is released; what is under way comes to its end. */
void nurse_hold(struct nurse *nurse);
void nurse_release(struct nurse *nurse);
/* The plugins are these from now on, in the same places.  At rest, and held. */
void nurse_use(struct nurse *nurse, struct plugin_set *plugins);

void nurse_stop(struct nurse *nurse); /* begin nothing any more */
bool nurse_is_at_rest(const struct nurse *nurse);
/* At rest; its memory goes when the loop has run once more.  NULL is allowed. */
void nurse_close(struct nurse *nurse);

#endif
