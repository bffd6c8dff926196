/* face.c -- see face.h. */
#include "face.h"

#include <string.h>

#define SUBJECT_BYTES_MAX 400

/* -- Counting what came in --------------------------------------------------------------------- */

#define COUNT_MAX INT32_MAX

/* How many there were; the state may be what another version has kept. */
static int64_t count_of(struct kith_doc kept)
{
    int64_t count = kith_get_int(kept, "count", 0);
    return count < 0 ? 0 : count < COUNT_MAX ? count : COUNT_MAX;
}

static int32_t on_received(const struct kith_engine *engine, struct kith_call *call)
{
    char room[128];
    struct kith_writer w;
    struct kith_doc kept;
    struct kith_value at;
    int32_t rc = engine->state(call, "mail", &kept);
    if (rc == KITH_OK)
        rc = engine->read(call, 1, &at);
    if (rc != KITH_OK)
        return rc;
    struct kith_value count = kith_int(count_of(kept) + 1);
    int64_t last = kith_as_int(&at, engine->now(call)), before = kith_get_int(kept, "last", last);
    struct kith_value latest = kith_time(last > before ? last : before);
    kith_begin(&w, room, sizeof room);
    kith_put(&w, "count", &count);
    kith_put(&w, "last", &latest);
    rc = engine->keep(call, "mail", kith_end(&w));
    if (rc == KITH_OK)
        rc = engine->publish(call, "received", &count);
    return rc == KITH_OK ? engine->publish(call, "last_received", &latest) : rc;
}

/* Two have become one, or are two again: "customer.unmerge" is of who was let go. */
static int32_t publish_kept(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_doc kept;
    int32_t rc = engine->state(call, "mail", &kept);
    if (rc != KITH_OK)
        return rc;
    struct kith_value nothing = { KITH_NULL, 0, { 0 } };
    struct kith_value count = kith_int(kith_get_int(kept, "count", 0));
    struct kith_value last = kith_time(kith_get_int(kept, "last", 0));
    rc = engine->publish(call, "received", count.as.integer > 0 ? &count : &nothing);
    if (rc == KITH_OK)
        rc = engine->publish(call, "last_received", last.as.integer > 0 ? &last : &nothing);
    return rc;
}

const struct kith_handler *const face_handlers[] = {
    KITH_ITEM(handler, .name = "received", .types = KITH_NAMES("email.received"),
              .reads = KITH_NAMES("state.mail", "event.at"), .run = on_received),
    KITH_ITEM(handler, .name = "merged",
              .types = KITH_NAMES("customer.merged", "customer.unmerged", "customer.unmerge"),
              .reads = KITH_NAMES("state.mail"), .run = publish_kept),
    NULL,
};

/* Two have become one: both wrote. */
static int32_t merge(const struct kith_engine *engine, struct kith_call *call)
{
    char room[128];
    struct kith_writer w;
    struct kith_doc arguments;
    int32_t rc = engine->arguments(call, &arguments);
    if (rc != KITH_OK)
        return rc;
    struct kith_doc a = kith_get_doc(arguments, "survivor"),
                    b = kith_get_doc(arguments, "absorbed");
    int64_t last_a = kith_get_int(a, "last", 0), last_b = kith_get_int(b, "last", 0);
    kith_begin(&w, room, sizeof room);
    kith_put_int(&w, "count", count_of(a) + count_of(b));
    kith_put_time(&w, "last", last_a > last_b ? last_a : last_b);
    struct kith_value both = kith_value_of_doc(kith_end(&w));
    return engine->answer(call, &both);
}

/* What has come since they were one is the survivor's. */
static int32_t unmerge(const struct kith_engine *engine, struct kith_call *call)
{
    char room[512];
    struct kith_writer w;
    struct kith_doc arguments;
    int32_t rc = engine->arguments(call, &arguments);
    if (rc != KITH_OK)
        return rc;
    struct kith_doc now = kith_get_doc(arguments, "now");
    struct kith_doc survivor = kith_get_doc(arguments, "survivor");
    struct kith_doc absorbed = kith_get_doc(arguments, "absorbed");
    int64_t count = kith_get_int(now, "count", 0) - kith_get_int(absorbed, "count", 0);
    int64_t last = kith_get_int(now, "last", 0), hers = kith_get_int(absorbed, "last", 0);
    kith_begin(&w, room, sizeof room);
    kith_open(&w, "survivor");
    kith_put_int(&w, "count", count > 0 ? count : 0);
    kith_put_time(&w, "last", last > hers ? last : kith_get_int(survivor, "last", 0));
    kith_close(&w);
    if (absorbed.size != 0) {
        kith_open(&w, "absorbed");
        kith_put_int(&w, "count", kith_get_int(absorbed, "count", 0));
        kith_put_time(&w, "last", hers);
        kith_close(&w);
    }
    struct kith_value both = kith_value_of_doc(kith_end(&w));
    return engine->answer(call, &both);
}

const struct kith_state *const face_states[] = {
    KITH_ITEM(state, .key = "mail", .version = 1, .merge = merge, .unmerge = unmerge), NULL
};
const struct kith_trait *const face_traits[] = {
    KITH_ITEM(trait, .name = "received", .type = "whole",
              .about = "How many mails came from the customer"),
    KITH_ITEM(trait, .name = "last_received", .type = "time",
              .about = "When the last of them came"),
    NULL,
};

/* -- email.reply ------------------------------------------------------------------------------- */

static int is_reply(struct kith_text subject)
{
    return subject.size >= 3 && (subject.data[0] == 'R' || subject.data[0] == 'r') &&
           (subject.data[1] == 'E' || subject.data[1] == 'e') && subject.data[2] == ':';
}

/* At most SUBJECT_BYTES_MAX bytes, no character cut. */
static size_t cut(struct kith_text text)
{
    size_t size = text.size < SUBJECT_BYTES_MAX ? text.size : SUBJECT_BYTES_MAX;
    while (size < text.size && size > 0 && ((unsigned char)text.data[size] & 0xc0) == 0x80)
        size--;
    return size;
}

/* The fields of an answer to the mail that this event is. */
static int32_t reply(const struct kith_engine *engine, struct kith_call *call)
{
    char room[2048], line[SUBJECT_BYTES_MAX + 8] = "Re: ";
    struct kith_writer w;
    struct kith_value subject_value, id_value;
    int32_t rc = engine->read(call, 0, &subject_value);
    if (rc == KITH_OK)
        rc = engine->read(call, 1, &id_value);
    if (rc != KITH_OK)
        return rc;
    struct kith_text subject = kith_as_text(&subject_value), id = kith_as_text(&id_value);
    size_t prefix = is_reply(subject) ? 0 : 4, size = cut(subject);
    if (size != 0)
        memcpy(line + prefix, subject.data, size);
    kith_begin(&w, room, sizeof room);
    kith_put_text(&w, "subject", (struct kith_text){ line, prefix + size });
    if (id.size != 0 && id.size < 1000)
        kith_put_text(&w, "in_reply_to", id);
    struct kith_value fields = kith_value_of_doc(kith_end(&w));
    return engine->answer(call, &fields);
}

const struct kith_function *const face_functions[] = {
    KITH_ITEM(function, .name = "reply", .usage = "email.reply {}",
              .about =
                  "Of email.received: subject and in_reply_to of an answer, for `email` of data",
              .reads = KITH_NAMES("event.subject", "event.message_id"), .run = reply,
              .takes = KITH_NAMES(NULL)),
    NULL,
};
