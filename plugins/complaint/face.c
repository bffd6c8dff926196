/* face.c -- see face.h.
 *
 * All but open() are transitions of one complaint: the one that `record` names, else the one that
 * the event is about.  What the arguments have besides becomes fields of the record, which the
 * engine checks as it checks those of a clerk.
 */
#include "face.h"

#include "act.h"
#include "intake.h"
#include "text.h"

#define ROOM 1500

static void put_fields(struct kith_writer *w, struct kith_doc arguments)
{
    static const char *const names[] = { "root_cause", "resolution", "recovery", "cost",
                                         "compensation" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct kith_value value = kith_get(arguments, names[i]);
        if (value.type == KITH_TEXT)
            kith_put_text(w, names[i], text_cut(kith_as_text(&value), ACT_WORD_MAX));
        else if (value.size <= ACT_WORD_MAX)
            kith_put(w, names[i], &value);
    }
}

static int32_t move(const struct kith_engine *engine, struct kith_call *call,
                    const char *transition)
{
    char room[ROOM];
    struct kith_writer w;
    struct kith_doc arguments;
    struct kith_value about;
    int32_t rc = engine->arguments(call, &arguments);
    if (rc == KITH_OK)
        rc = engine->read(call, 0, &about);
    if (rc != KITH_OK)
        return rc;
    struct kith_text record = kith_get_text(arguments, "record");
    if (record.size == 0)
        record = kith_as_text(&about);
    if (record.size == 0)
        return engine->fail(call, "the event is about no complaint: record = \"complaint:17\"");
    kith_begin(&w, room, sizeof room);
    put_fields(&w, arguments);
    return act_move(engine, call, text_cut(record, ACT_ID_MAX), transition, kith_end(&w));
}

static int32_t respond(const struct kith_engine *engine, struct kith_call *call)
{
    return move(engine, call, "respond");
}

static int32_t close_complaint(const struct kith_engine *engine, struct kith_call *call)
{
    return move(engine, call, "close");
}

static int32_t reopen(const struct kith_engine *engine, struct kith_call *call)
{
    return move(engine, call, "reopen");
}

static const char *const move_names[] = { "record", "root_cause",   "resolution", "recovery",
                                          "cost",   "compensation", NULL };

const struct kith_function *const face_functions[] = {
    &intake_function,
    KITH_ITEM(function, .name = "respond", .run = respond, .reads = KITH_NAMES("record.id"),
              .usage = "complaint.respond { record = \"complaint:17\" }",
              .about = "The customer has been told what was found", .takes = move_names),
    KITH_ITEM(function, .name = "close", .run = close_complaint, .reads = KITH_NAMES("record.id"),
              .usage = "complaint.close { record = \"complaint:17\", root_cause = \"delivery\", "
                       "resolution = \"accepted\" }",
              .about = "It is over; also recovery, cost and compensation", .takes = move_names),
    KITH_ITEM(function, .name = "reopen", .run = reopen, .reads = KITH_NAMES("record.id"),
              .usage = "complaint.reopen { record = \"complaint:17\" }", .about = "It is not over",
              .takes = move_names),
    NULL,
};
