/* world_log.c -- see world_log.h.
 *
 * New code gets an entry with the config that was in force, so that the entries between the
 * checkpoint and the end of the log are folded under what they were written under; a new
 * config then gets an entry of its own.
 */
#include "core/server/world_log.h"

#include "core/base/hash.h"
#include "storage/log.h"
#include "storage/state.h"

#include <string.h>

struct known { /* the last world in the log */
    struct buf code, config;
    struct base base, floor;
};

static int keep(void *arg, const struct log_entry *entry)
{
    struct known *known = arg;
    struct doc data = doc_child((struct doc){ entry->body, (uint32_t)entry->size }, "data");
    struct doc code = doc_child(data, "code"), config = doc_child(data, "config");
    buf_append(&known->code, code.data, code.size);
    buf_append(&known->config, config.data, config.size);
    known->base = base_of(data, "base");
    known->floor = base_of(data, "floor");
    return 0;
}

static uint64_t last_world(struct log *log)
{
    uint64_t end;
    int64_t logged;
    log_end(log, &end, &logged);
    return log_world_of(log, end + 1);
}

static int read_known(struct log *log, struct known *known, struct err *err)
{
    uint64_t last = last_world(log);
    return last != 0 ? log_read(log, last, 1, keep, known, NULL, err) : 0;
}

static void known_deinit(struct known *known)
{
    buf_deinit(&known->code);
    buf_deinit(&known->config);
}

static bool is_same(const struct buf *known, struct doc doc)
{
    return known->size == doc.size && doc.size != 0 && memcmp(known->data, doc.data, doc.size) == 0;
}

void world_put(struct doc_writer *w, struct doc code, struct doc config, const struct base *base,
               const struct base *floor)
{
    doc_put_string(w, "type", "world");
    doc_open(w, "data");
    doc_put_doc(w, "code", code);
    doc_put_doc(w, "config", config);
    base_put(w, "base", base);
    base_put(w, "floor", floor);
    doc_close(w);
}

/* `since` 0: from its own entry on. */
static void append(struct log *log, int64_t logged, struct doc code, struct doc config,
                   const struct known *known, uint64_t since)
{
    struct buf body = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &body);
    world_put(&w, code, config, &known->base, &known->floor);
    struct doc doc = doc_end(&w);
    uint64_t seq = log_add(log, LOG_SYSTEM, logged, doc.data, doc.size);
    log_index_world(log, seq, since != 0 ? since : seq);
    buf_deinit(&body);
}

int world_note(struct log *log, const struct world_wanted *wanted, int64_t logged, struct err *err)
{
    struct known known = { 0 };
    uint64_t applied;
    int64_t time;
    int rc = read_known(log, &known, err);
    state_applied(wanted->state, &applied, &time);
    bool is_first = known.code.size == 0;
    bool is_code_new = !is_first && !is_same(&known.code, wanted->code);
    if (applied == 0)
        known.base = (struct base){ 0 };
    else if (wanted->rebuild && known.floor.seq == applied)
        known.base = known.floor;
    if (rc == 0 && is_code_new && !wanted->rebuild)
        rc = base_write(wanted->dir, wanted->state, &known.base, err);
    if (rc == 0 && !is_first && (is_code_new || wanted->rebuild)) {
        struct doc config = { known.config.data, (uint32_t)known.config.size };
        append(log, logged, wanted->code, config, &known, applied + 1);
    }
    if (rc == 0 && (is_first || !is_same(&known.config, wanted->config)))
        append(log, logged, wanted->code, wanted->config, &known, 0);
    known_deinit(&known);
    return rc;
}

int world_is_of(struct log *log, struct doc code, bool *out_is_same, struct err *err)
{
    struct known known = { 0 };
    int rc = read_known(log, &known, err);
    if (rc == 0)
        *out_is_same = is_same(&known.code, code);
    known_deinit(&known);
    return rc;
}

int world_base(struct log *log, struct base *out_base, struct base *out_floor, struct err *err)
{
    struct known known = { 0 };
    int rc = read_known(log, &known, err);
    *out_base = known.base;
    *out_floor = known.floor;
    known_deinit(&known);
    return rc;
}

uint64_t world_mark(struct doc code, struct doc config)
{
    struct buf both = BUF_INIT;
    uint8_t digest[16];
    uint64_t mark;
    buf_append(&both, code.data, code.size);
    buf_append(&both, config.data, config.size);
    digest_16(both.data, both.size, digest);
    memcpy(&mark, digest, sizeof mark);
    buf_deinit(&both);
    return mark;
}
