/* care.c -- see care.h. */
#include "care.h"

#include "handover.h"

#include <stdbool.h>
#include <stdio.h>

#define COUNTS_ROOM 256
#define REMIND_ROOM 4096
#define PROMISE_ROOM 40000 /* more than a record may have */

/* -- Promises: how many ------------------------------------------------------------------------ */

struct counts {
    int64_t kept, broken;
};

static struct counts read_counts(struct kith_doc doc)
{
    return (struct counts){ kith_get_int(doc, "kept", 0), kith_get_int(doc, "broken", 0) };
}

static struct kith_doc write_counts(char room[COUNTS_ROOM], struct counts counts)
{
    struct kith_writer w;
    kith_begin(&w, room, COUNTS_ROOM);
    kith_put_int(&w, "kept", counts.kept);
    kith_put_int(&w, "broken", counts.broken);
    return kith_end(&w);
}

static int64_t count_open(const struct kith_value *records)
{
    struct kith_iter it = kith_iter(kith_as_doc(records));
    int64_t count = 0;
    while (kith_next(&it))
        count += kith_is(kith_get_text(kith_as_doc(&it.value), "state"), "open");
    return count;
}

static int32_t publish(const struct kith_engine *engine, struct kith_call *call, const char *name,
                       int64_t number)
{
    const struct kith_value value = kith_int(number);
    return engine->publish(call, name, &value);
}

/* What is read is as it was when the call began, and the records are as the event left them. */
static int32_t count(const struct kith_engine *engine, struct kith_call *call, int64_t kept,
                     int64_t broken)
{
    char room[COUNTS_ROOM];
    struct kith_doc doc;
    struct kith_value records;
    int32_t rc = engine->state(call, "promises", &doc);
    if (rc == KITH_OK)
        rc = engine->read(call, 0, &records);
    if (rc != KITH_OK)
        return rc;
    struct counts counts = read_counts(doc);
    counts.kept = (int64_t)((uint64_t)counts.kept + (uint64_t)kept);
    counts.broken = (int64_t)((uint64_t)counts.broken + (uint64_t)broken);
    rc = engine->keep(call, "promises", write_counts(room, counts));
    if (rc == KITH_OK)
        rc = publish(engine, call, "promises_open", count_open(&records));
    if (rc == KITH_OK)
        rc = publish(engine, call, "promises_kept", counts.kept);
    return rc == KITH_OK ? publish(engine, call, "promises_broken", counts.broken) : rc;
}

static int32_t on_kept(const struct kith_engine *engine, struct kith_call *call)
{
    return count(engine, call, 1, 0);
}

static int32_t on_changed(const struct kith_engine *engine, struct kith_call *call)
{
    return count(engine, call, 0, 0);
}

static int32_t answer(const struct kith_engine *engine, struct kith_call *call, struct kith_doc doc)
{
    struct kith_value value = kith_value_of_doc(doc);
    return engine->answer(call, &value);
}

static int64_t sum(int64_t left, int64_t right)
{
    return (int64_t)((uint64_t)left + (uint64_t)right);
}

static int32_t merge(const struct kith_engine *engine, struct kith_call *call)
{
    char room[COUNTS_ROOM];
    struct kith_doc both;
    int32_t rc = engine->arguments(call, &both);
    if (rc != KITH_OK)
        return rc;
    struct counts one = read_counts(kith_get_doc(both, "survivor"));
    struct counts other = read_counts(kith_get_doc(both, "absorbed"));
    struct counts all = { sum(one.kept, other.kept), sum(one.broken, other.broken) };
    return answer(engine, call, write_counts(room, all));
}

/* What has come since they were one is the survivor's. */
static int32_t unmerge(const struct kith_engine *engine, struct kith_call *call)
{
    char room[COUNTS_ROOM], whole[2 * COUNTS_ROOM + 64];
    struct kith_doc all;
    struct kith_writer w;
    int32_t rc = engine->arguments(call, &all);
    if (rc != KITH_OK)
        return rc;
    struct counts now = read_counts(kith_get_doc(all, "now"));
    struct kith_doc absorbed = kith_get_doc(all, "absorbed");
    struct counts hers = read_counts(absorbed);
    struct counts rest = { (int64_t)((uint64_t)now.kept - (uint64_t)hers.kept),
                           (int64_t)((uint64_t)now.broken - (uint64_t)hers.broken) };
    kith_begin(&w, whole, sizeof whole);
    kith_put_doc(&w, "survivor", write_counts(room, rest));
    if (absorbed.size != 0)
        kith_put_doc(&w, "absorbed", write_counts(room, hers));
    return answer(engine, call, kith_end(&w));
}

const struct kith_state *const care_states[] = {
    KITH_ITEM(state, .key = "promises", .version = 1, .merge = merge, .unmerge = unmerge),
    NULL,
};

const struct kith_trait *const care_traits[] = {
    KITH_ITEM(trait, .name = "promises_open", .type = "whole",
              .about = "Promises to her that are neither kept nor broken"),
    KITH_ITEM(trait, .name = "promises_kept", .type = "whole",
              .about = "Promises to her that were kept in time"),
    KITH_ITEM(trait, .name = "promises_broken", .type = "whole",
              .about = "Promises to her that were not"),
    NULL,
};

/* -- Promises: broken -------------------------------------------------------------------------- */

enum { OVERDUE_ABOUT, OVERDUE_DEADLINE, OVERDUE_LEVEL };

/* The moment that was promised has come. */
static int32_t on_overdue(const struct kith_engine *engine, struct kith_call *call)
{
    char room[COUNTS_ROOM];
    struct kith_writer w;
    struct kith_value about, deadline, level;
    int32_t rc = engine->read(call, OVERDUE_ABOUT, &about);
    if (rc == KITH_OK)
        rc = engine->read(call, OVERDUE_DEADLINE, &deadline);
    if (rc == KITH_OK)
        rc = engine->read(call, OVERDUE_LEVEL, &level);
    if (rc != KITH_OK || !kith_is(kith_as_text(&deadline), "keep") || kith_as_int(&level, 0) != 0 ||
        kith_as_text(&about).size == 0)
        return rc;
    kith_begin(&w, room, sizeof room);
    kith_put_text(&w, "record", kith_as_text(&about));
    kith_put_string(&w, "transition", "break");
    return engine->act(call, "move", kith_end(&w));
}

enum { BROKEN_WHAT = 2 };

static int32_t apologize(const struct kith_engine *engine, struct kith_call *call,
                         struct kith_doc config, struct kith_text what)
{
    char room[REMIND_ROOM];
    struct kith_writer w;
    kith_begin(&w, room, sizeof room);
    kith_put_text(&w, "channel", kith_get_text(config, "apology_channel"));
    kith_put_text(&w, "template", kith_get_text(config, "apology_template"));
    kith_put_string(&w, "purpose", "service");
    kith_open(&w, "data");
    kith_put_text(&w, "what", what.size < REMIND_ROOM / 2 ? what : kith_text(""));
    kith_close(&w);
    return engine->act(call, "send", kith_end(&w));
}

/* That somebody apologizes and makes it good are deadlines of the record; a message goes out where
 * the operator has written one. */
static int32_t on_broken(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_doc config;
    struct kith_value what;
    int32_t rc = count(engine, call, 0, 1);
    if (rc == KITH_OK)
        rc = engine->config(call, &config);
    if (rc == KITH_OK)
        rc = engine->read(call, BROKEN_WHAT, &what);
    if (rc != KITH_OK || kith_get_text(config, "apology_template").size == 0)
        return rc;
    return apologize(engine, call, config, kith_as_text(&what));
}

/* -- What somebody has written into her own list ----------------------------------------------- */

enum { MADE_ABOUT, MADE_AS };

/* What was done already when a device wrote it is so from the beginning: no moment lies between. */
static int32_t on_todo(const struct kith_engine *engine, struct kith_call *call)
{
    char room[COUNTS_ROOM];
    struct kith_writer w;
    struct kith_value about, made;
    int32_t rc = engine->read(call, MADE_ABOUT, &about);
    if (rc == KITH_OK)
        rc = engine->read(call, MADE_AS, &made);
    if (rc != KITH_OK || kith_as_text(&made).size == 0)
        return rc;
    kith_begin(&w, room, sizeof room);
    kith_put_text(&w, "record", kith_as_text(&about));
    kith_put_string(&w, "transition", kith_is(kith_as_text(&made), "done") ? "finish" : "drop");
    return engine->act(call, "move", kith_end(&w));
}

/* -- Copies of reminders that are closed ------------------------------------------------------ */

#define LATE_LEAVES_MAX 10 /* of earlier ones, in one event */

enum { CLOSED_ITS, CLOSED_COPIES };
enum { COPY_ABOUT, COPY_MADE };

static int32_t leave(const struct kith_engine *engine, struct kith_call *call, struct kith_text id)
{
    char room[COUNTS_ROOM];
    struct kith_writer w;
    kith_begin(&w, room, sizeof room);
    kith_put_text(&w, "record", id);
    kith_put_string(&w, "transition", "leave");
    return engine->act(call, "move", kith_end(&w));
}

/* Whether it says itself that its reminder is over: what an earlier version has left open. */
static bool is_over(struct kith_doc fields)
{
    struct kith_value completed = kith_get(fields, "completed"),
                      hidden = kith_get(fields, "hidden");
    return (completed.type != KITH_NONE && completed.type != KITH_NULL) ||
           kith_as_int(&hidden, 0) != 0;
}

static bool is_among(struct kith_doc copies, int64_t number)
{
    struct kith_iter it = kith_iter(copies);
    while (kith_next(&it))
        if (kith_get_int(kith_as_doc(&it.value), "number", 0) == number)
            return true;
    return false;
}

/* However a reminder was closed, its copies are of the past with it. */
static int32_t on_closed(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_value its, copies;
    size_t late = 0;
    int32_t rc = engine->read(call, CLOSED_ITS, &its);
    if (rc == KITH_OK)
        rc = engine->read(call, CLOSED_COPIES, &copies);
    if (rc != KITH_OK)
        return rc;
    struct kith_iter it = kith_iter(kith_as_doc(&its));
    while (rc == KITH_OK && kith_next(&it))
        rc = leave(engine, call, kith_get_text(kith_as_doc(&it.value), "id"));
    it = kith_iter(kith_as_doc(&copies));
    while (rc == KITH_OK && kith_next(&it)) {
        struct kith_doc copy = kith_as_doc(&it.value);
        if (is_over(kith_get_doc(copy, "fields")) && late < LATE_LEAVES_MAX &&
            !is_among(kith_as_doc(&its), kith_get_int(copy, "number", 0))) {
            rc = leave(engine, call, kith_get_text(copy, "id"));
            late++;
        }
    }
    return rc;
}

/* One that is written when its reminder is closed already. */
static int32_t on_copy(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_value about, made;
    int32_t rc = engine->read(call, COPY_ABOUT, &about);
    if (rc == KITH_OK)
        rc = engine->read(call, COPY_MADE, &made);
    if (rc != KITH_OK || kith_as_text(&made).size == 0)
        return rc;
    return leave(engine, call, kith_as_text(&about));
}

/* -- Promises: whose --------------------------------------------------------------------------- */

/* "customer.unmerge" is of who was let go.  Nothing is said of those to whom nobody has promised
 * anything. */
static int32_t on_merged(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_doc doc;
    struct kith_value records;
    int32_t rc = engine->state(call, "promises", &doc);
    if (rc == KITH_OK)
        rc = engine->read(call, 0, &records);
    if (rc != KITH_OK || (doc.size == 0 && count_open(&records) == 0))
        return rc;
    return count(engine, call, 0, 0);
}

/* -- Seen again -------------------------------------------------------------------------------- */

enum { REVISIT_TYPE, REVISIT_DATA };

#define REVISIT_WANTED "revisit_wanted"

struct revisit {
    struct kith_text after, to, title;
};

/* What of it is not said is as configured. */
static struct revisit read_revisit(struct kith_doc said, struct kith_doc config)
{
    struct revisit revisit = { kith_get_text(said, "after"), kith_get_text(said, "to"),
                               kith_get_text(said, "title") };
    if (revisit.after.size == 0)
        revisit.after = kith_get_text(config, "revisit_after");
    if (revisit.to.size == 0)
        revisit.to = kith_get_text(config, "revisit_to");
    if (revisit.title.size == 0)
        revisit.title = kith_get_text(config, "revisit_title");
    return revisit;
}

/* The reminder has a key, which is one handler's: the next visit moves it, and so does a rule. */
static int32_t remind(const struct kith_engine *engine, struct kith_call *call,
                      const struct revisit *revisit)
{
    char room[REMIND_ROOM];
    struct kith_writer w;
    if (revisit->after.size == 0)
        return KITH_OK; /* never */
    kith_begin(&w, room, sizeof room);
    kith_put_text(&w, "title", revisit->title);
    kith_put_text(&w, "to", revisit->to);
    kith_put_text(&w, "due", revisit->after);
    kith_put_string(&w, "key", "revisit");
    return engine->act(call, "remind", kith_end(&w));
}

static int32_t on_any(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_doc config, said = { NULL, 0 };
    struct kith_value type, data;
    int32_t rc = engine->config(call, &config);
    if (rc == KITH_OK)
        rc = engine->read(call, REVISIT_TYPE, &type);
    if (rc == KITH_OK)
        rc = engine->read(call, REVISIT_DATA, &data);
    if (rc != KITH_OK)
        return rc;
    struct kith_text is = kith_as_text(&type);
    int is_wanted = kith_is(is, "followup." REVISIT_WANTED);
    struct kith_iter it = kith_iter(kith_get_doc(config, "revisit_types"));
    if (is_wanted)
        said = kith_as_doc(&data);
    while (!is_wanted && kith_next(&it))
        is_wanted = kith_is(is, kith_as_text(&it.value).data);
    if (!is_wanted)
        return KITH_OK;
    struct revisit revisit = read_revisit(said, config);
    return remind(engine, call, &revisit);
}

/* -- Functions of Lua -------------------------------------------------------------------------- */

static void put_given(struct kith_writer *w, struct kith_doc given, const char *name)
{
    struct kith_value value = kith_get(given, name);
    kith_put(w, name, &value);
}

/* followup.promise { what, due, owner, channel, concerns } */
static int32_t promise(const struct kith_engine *engine, struct kith_call *call)
{
    char room[PROMISE_ROOM];
    struct kith_doc given;
    struct kith_writer w;
    int32_t rc = engine->arguments(call, &given);
    if (rc != KITH_OK)
        return rc;
    if (kith_get_text(given, "what").size == 0 || kith_get(given, "due").type == KITH_NONE)
        return engine->fail(call, "promise needs what and due: followup.promise { what = \"a "
                                  "call back\", due = \"2026-12-01T10:00\" }");
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "kind", "promise");
    put_given(&w, given, "owner");
    kith_open(&w, "fields");
    put_given(&w, given, "what");
    put_given(&w, given, "due");
    put_given(&w, given, "channel");
    put_given(&w, given, "concerns");
    kith_close(&w);
    if (w.is_full)
        return engine->fail(call, "promise: what is said is longer than a record may be");
    return engine->act(call, "create", kith_end(&w));
}

/* followup.revisit { after, to, title } */
static int32_t revisit(const struct kith_engine *engine, struct kith_call *call)
{
    char room[REMIND_ROOM];
    struct kith_doc given;
    struct kith_writer w;
    int32_t rc = engine->arguments(call, &given);
    if (rc != KITH_OK)
        return rc;
    kith_begin(&w, room, sizeof room);
    kith_put_text(&w, "after", kith_get_text(given, "after"));
    kith_put_text(&w, "to", kith_get_text(given, "to"));
    kith_put_text(&w, "title", kith_get_text(given, "title"));
    struct kith_doc wanted = kith_end(&w);
    if (w.is_full)
        return engine->fail(call, "revisit: after, to and title are longer than a reminder's");
    return engine->emit(call, REVISIT_WANTED, wanted, kith_text(""));
}

const struct kith_function *const care_functions[] = {
    KITH_ITEM(function, .name = "promise",
              .usage = "followup.promise { what = \"a call back\", due = \"2026-12-01T10:00\" }",
              .about = "Promise this customer something until a time: a record of the kind promise",
              .run = promise, .takes = KITH_NAMES("what", "due", "owner", "channel", "concerns")),
    KITH_ITEM(function, .name = "revisit", .usage = "followup.revisit { after = \"90d\" }",
              .about = "Have her seen again after a while, counted from now", .run = revisit,
              .takes = KITH_NAMES("after", "to", "title")),
    &handover_function,
    NULL,
};

/* -- Handlers ---------------------------------------------------------------------------------- */

const struct kith_handler *const care_handlers[] = {
    KITH_ITEM(handler, .name = "promise_overdue", .types = KITH_NAMES("promise.overdue"),
              .reads = KITH_NAMES("event.about", "event.deadline", "event.level"),
              .run = on_overdue),
    KITH_ITEM(handler, .name = "promise_broken", .types = KITH_NAMES("promise.broken"),
              .reads = KITH_NAMES("records.promise", "state.promises", "record.what"),
              .run = on_broken),
    KITH_ITEM(handler, .name = "promise_kept", .types = KITH_NAMES("promise.kept"),
              .reads = KITH_NAMES("records.promise", "state.promises"), .run = on_kept),
    KITH_ITEM(handler, .name = "promise_changed",
              .types = KITH_NAMES("promise.created", "promise.withdrawn", "promise.kept_late"),
              .reads = KITH_NAMES("records.promise", "state.promises"), .run = on_changed),
    KITH_ITEM(handler, .name = "todo_created", .types = KITH_NAMES("todo.created"),
              .reads = KITH_NAMES("event.about", "record.made"), .run = on_todo),
    KITH_ITEM(handler, .name = "reminder_closed", .types = KITH_NAMES("reminder.closed"),
              .reads = KITH_NAMES("records.calendar_copy?reminder=task", "records.calendar_copy"),
              .run = on_closed),
    KITH_ITEM(handler, .name = "copy_created", .types = KITH_NAMES("calendar_copy.created"),
              .reads = KITH_NAMES("event.about", "record.made"), .run = on_copy),
    KITH_ITEM(handler, .name = "merged",
              .types = KITH_NAMES("customer.merged", "customer.unmerged", "customer.unmerge"),
              .reads = KITH_NAMES("records.promise", "state.promises"), .run = on_merged),
    KITH_ITEM(handler, .name = "revisit", .types = KITH_NAMES("*"),
              .reads = KITH_NAMES("event.type", "event"), .run = on_any),
    NULL,
};
