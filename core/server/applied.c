/* applied.c -- see applied.h. */
#include "core/server/applied.h"

#include "core/base/doc.h"
#include "core/base/err.h"
#include "storage/log.h"
#include "storage/state.h"

#include <stdlib.h>

/* No checkpoint holds an entry before its verdict is in the log. */
uint64_t applied_in(const struct state_options *options)
{
    struct state *state = NULL;
    struct err err;
    uint64_t seq = 0;
    int64_t logged;
    if (state_open(options, &state, &err) == 0)
        state_applied(state, &seq, &logged);
    state_close(state);
    return seq;
}

struct proof {
    uint64_t seq;
    bool has_run_begun; /* behind the entry */
};

/* A run claims nothing before it has applied all that is before its beginning, and what made the
 * effect; what was lost at these is in the log before the claim (docs/log.md). */
static int prove(void *arg, const struct log_entry *entry)
{
    struct proof *proof = arg;
    struct doc body = { entry->body, (uint32_t)entry->size };
    if (entry->is_tombstone || entry->class != LOG_SYSTEM)
        return 0;
    if (text_is(doc_text(body, "type"), "daemon.started"))
        proof->has_run_begun = true;
    if (!text_is(doc_text(body, "type"), "effect.claim"))
        return 0;
    struct text id = doc_text(doc_child(body, "data"), "id");
    bool is_later = id.size != 0 && strtoull(id.data, NULL, 10) >= proof->seq;
    return proof->has_run_begun || is_later ? E_CONFLICT : 0;
}

bool applied_is_proven(struct log *log, uint64_t seq)
{
    struct proof proof = { .seq = seq };
    struct err err;
    return log_read(log, seq + 1, SIZE_MAX, prove, &proof, NULL, &err) == E_CONFLICT;
}
