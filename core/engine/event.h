/* event.h -- what happened, as the engine holds it while applying it.
 *
 * An event is either an entry of the log or derived from one.  All texts and
 * documents borrow from the entry's body or from the engine's arena and live as
 * long as the entry is being applied.  Engine thread only; what takes no event is pure.
 */
#ifndef CORE_ENGINE_EVENT_H
#define CORE_ENGINE_EVENT_H

#include "core/base/doc.h"
#include "storage/log.h"
#include "storage/state.h"

struct cause;
struct err;

struct event {
    uint64_t seq;
    uint64_t n; /* 0: the entry itself; else the n-th event derived from it */
    enum log_class class;
    int64_t at, logged; /* ms since 1970 UTC */
    struct text type;
    struct text call; /* Segment's call; empty for other events */
    struct text id, source, by, about;
    struct text user, anon, ref;
    bool forever, historic;
    bool creates; /* of a plugin's: somebody is made who has what `ref` says, if nobody has it */
    struct doc data, context;
    struct doc traits;           /* of the organisation (member.group), or of whom it has made */
    uint64_t from;               /* the customer whose event made a rule send it; 0: none */
    uint64_t customer;           /* whose identity it came by; 0: nobody */
    unsigned depth;              /* of the cascade; what comes from outside has 0 */
    struct cause *cause;         /* shared by all that follow from it; NULL: the present one */
    bool is_command;             /* staff told Kith to do this: the type is meant */
    const struct text *schedule; /* of schedules only this rule is due; NULL: none */
    const struct event *parked;  /* what a plugin hears of instead; NULL: of this */
    size_t parked_for;           /* which: its place in engine->plugins */
    bool parked_is_foreign;      /* of one that was parked: its name is not its sender's to give */
};

/* The plugin that an event of class LOG_PLUGIN came from: its source is "plugin:NAME", which the
 * host writes.  Empty: from none. */
#define EVENT_PLUGIN_PREFIX "plugin:"
struct text event_plugin(const struct event *event);

/* "<seq>" or "<seq>.<n>". */
#define EVENT_ID_TEXT_MAX 44
struct text event_id_text(uint64_t seq, uint64_t n, char text[EVENT_ID_TEXT_MAX]);
/* Of a row whose key ends with it, behind `prefix_size` bytes. */
struct text event_id_of_key(struct bytes key, size_t prefix_size, char text[EVENT_ID_TEXT_MAX]);
bool event_id_parse(struct text text, uint64_t *out_seq, uint64_t *out_n);

/* Read the envelope (docs/state.md) of an entry.  E_INVALID names the field. */
int event_read(struct event *event, const struct log_entry *entry, struct err *err);

/* What `event.<name>` means in scripts and expressions: the envelope first, then
 * the data.  DOC_NONE when neither has it.  The `id` is the one that the timeline shows:
 * the sender's, else ours, which is written into `id`. */
struct doc_value event_field(const struct event *event, struct text name,
                             char id[EVENT_ID_TEXT_MAX]);

/* Types with a dot whose first word is one of the system's, and `tick`, `verdict` and
 * `world`.  Such a type from a client means nothing to the engine, and no rule may emit it. */
bool event_type_is_system(struct text type);

/* Those of them that say what became of a message (feedback.c): a plugin alone may send them. */
bool event_type_is_feedback(struct text type);
/* Whether such an event speaks of an address, {channel, address}, and of no effect. */
bool feedback_is_of_address(struct text type, struct doc data);
/* The first word of a type with a dot, "reviews" of "reviews.asked"; empty: it has none. */
struct text event_type_word(struct text type);

/* Those of them that staff sends, to have something changed; and those that plugins may send too,
 * of records. */
bool event_type_is_command(struct text type);
bool event_type_is_of_records(struct text type);

#endif
