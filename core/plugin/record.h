/* record.h -- one call of a plugin's function: what it is given, and what it wants.
 *
 * To whoever calls it, a function of the deterministic side (kith_fn) is a pure function from values
 * to a list of wishes.  Here the values are handed over and the wishes written down, checked as far as
 * the contract goes; nothing is done.  The engine does them afterwards, the process of an isolated
 * plugin sends them home, `kith plugin check` compares them.  All three see the same call, because
 * it is this one.
 *
 * A record is used again and again, by one thread.  What it hands out is gone with the next run.
 */
#ifndef CORE_PLUGIN_RECORD_H
#define CORE_PLUGIN_RECORD_H

#include "core/base/doc.h"
#include "plugins/sdk/kith.h"

struct err;
struct plugin;
struct plugin_reads;

#define RECORD_WANTS_MAX 1000       /* of one call; beyond it KITH_LIMIT */
#define RECORD_BYTES_MAX (1u << 20) /* of all documents and texts of one call */
#define RECORD_NOTE_BYTES_MAX 1000
#define RECORD_NOTES_MAX 20

struct record; /* is the `struct kith_call` that a plugin sees */

enum record_kind { RECORD_KEEP, RECORD_PUBLISH, RECORD_EMIT, RECORD_ACT, RECORD_NOTE };

struct record_want {
    enum record_kind kind;
    struct text name; /* key, trait, event or word as the plugin wrote it; of a note the line */
    struct doc doc;   /* KEEP (none: remove), EMIT, ACT */
    struct doc_value value; /* PUBLISH */
    struct text to;         /* EMIT; size 0: the subject itself */
};

/* What a function is given; all of it is borrowed until record_run() returns. */
struct record_input {
    const struct plugin *plugin;
    const struct plugin_reads *reads; /* NULL: it may read nothing (a hook) */
    const struct doc_value *values;   /* by the number of the read; of a state its document */
    struct doc arguments;
    int64_t now_ms;
};

struct record *record_new(void);
void record_free(struct record *record); /* NULL is allowed */

/* Call `run`.  0, or E_INVALID with the plugin's reason, or with that of the last call that was
 * refused: then there are no wishes and no answer. */
int record_run(struct record *record, const struct record_input *input, kith_fn *run,
               struct err *err);

/* In the order in which they were said. */
const struct record_want *record_wants(const struct record *record, size_t *out_count);
struct doc_value record_answer(const struct record *record); /* DOC_NONE: it gave none */

/* The last call of this run that was refused, in words, whatever the plugin made of it; NULL: none
 * was.  *out_code is what it was answered. */
const char *record_refusal(const struct record *record, int32_t *out_code);

/* Append {wants: [{keep: KEY, doc} | {publish: NAME, value} | {emit: NAME, data, to} |
 * {act: WORD, doc} | {note: LINE}], answer}: equal calls give equal bytes. */
void record_write(const struct record *record, struct doc_writer *w);

#endif
