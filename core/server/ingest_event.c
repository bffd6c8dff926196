/* ingest_event.c -- see ingest_event.h.
 *
 * The event is walked once: each field is found by its length and name and noted where it
 * lies.  Then the envelope is written straight into the submission, payloads as one copy.
 * This is the one piece of the daemon that every event pays on the loop's thread.
 */
#include "core/server/ingest_event.h"

#include "core/base/civil.h"
#include "core/base/err.h"
#include "core/base/json_write.h"
#include "core/base/limits.h"
#include "core/base/moment.h"
#include "core/engine/event.h"
#include "core/server/submission.h"

#include <stdio.h>
#include <string.h>

#define NUMBER_TEXT_MAX 32

/* Where the fields of an event lie. */
struct fields {
    struct doc_value type, event, name, category, user, anon, group, previous, traits, properties,
        context, timestamp, original, sent, id, customer, about, data;
    bool has_extra;
};

enum place { PLACE_EXTRA, PLACE_DROP, PLACE_FIELD };

static const struct field_name {
    const char *name;
    uint8_t size;
    uint16_t offset;
    uint8_t calls; /* bits of segment_call: where it means something */
    bool staff_only;
} field_names[] = {
#define FIELD(name, member, calls, staff) \
    { name, sizeof(name) - 1, offsetof(struct fields, member), calls, staff }
#define ALL 0x7f
#define IN(call) (1u << (call))
    FIELD("type", type, ALL, false),
    FIELD("event", event, IN(SEGMENT_TRACK), false),
    FIELD("name", name, IN(SEGMENT_PAGE) | IN(SEGMENT_SCREEN), false),
    FIELD("category", category, IN(SEGMENT_PAGE) | IN(SEGMENT_SCREEN), false),
    FIELD("userId", user, ALL, false),
    FIELD("anonymousId", anon, ALL, false),
    FIELD("groupId", group, IN(SEGMENT_GROUP), false),
    FIELD("previousId", previous, IN(SEGMENT_ALIAS), false),
    FIELD("traits", traits, IN(SEGMENT_IDENTIFY) | IN(SEGMENT_GROUP), false),
    FIELD("properties", properties,
          IN(SEGMENT_TRACK) | IN(SEGMENT_PAGE) | IN(SEGMENT_SCREEN) | IN(SEGMENT_ANY), false),
    FIELD("context", context, ALL, false),
    FIELD("timestamp", timestamp, ALL, false),
    FIELD("originalTimestamp", original, ALL, false),
    FIELD("sentAt", sent, ALL, false),
    FIELD("messageId", id, ALL, false),
    FIELD("customer", customer, ALL, true),
    FIELD("about", about, ALL, true),
    FIELD("data", data, IN(SEGMENT_ANY), true),
#undef FIELD
#undef IN
#undef ALL
};

static enum place place_of(struct text name, enum segment_call call, bool is_staff,
                           const struct field_name **out_field)
{
    for (size_t i = 0; i < sizeof field_names / sizeof *field_names; i++) {
        const struct field_name *field = &field_names[i];
        if (field->size != name.size || memcmp(field->name, name.data, name.size) != 0)
            continue;
        *out_field = field;
        bool means = (field->calls & 1u << call) != 0 && (is_staff || !field->staff_only);
        return means ? PLACE_FIELD : PLACE_EXTRA;
    }
    return text_is(name, "writeKey") ? PLACE_DROP : PLACE_EXTRA;
}

static void find_fields(struct fields *fields, struct doc event, enum segment_call call,
                        bool is_staff)
{
    const struct field_name *field = NULL;
    for (struct doc_iter it = doc_iter(event); doc_next(&it);) {
        enum place place = place_of(it.name, call, is_staff, &field);
        if (place == PLACE_FIELD)
            *(struct doc_value *)(void *)((char *)fields + field->offset) = it.value;
        else if (place == PLACE_EXTRA)
            fields->has_extra = true;
    }
}

/* -- Checking ---------------------------------------------------------------------------------- */

/* Text, or a number as text in `number`; empty when there is none. */
static int read_text(const struct doc_value *value, const char *name, size_t bytes_max,
                     char number[NUMBER_TEXT_MAX], struct text *out_text, struct err *err)
{
    *out_text = (struct text){ "", 0 };
    if (value->type == DOC_TEXT) {
        *out_text = value->text;
    } else if (value->type == DOC_INT64) {
        int size = snprintf(number, NUMBER_TEXT_MAX, "%lld", (long long)value->integer);
        *out_text = (struct text){ number, (uint32_t)size };
    } else if (value->type == DOC_DOUBLE) {
        struct buf text = BUF_INIT;
        json_write_double(&text, value->number);
        *out_text = (struct text){ memcpy(number, text.data, text.size), (uint32_t)text.size };
        buf_deinit(&text);
    } else if (value->type != DOC_NONE && value->type != DOC_NULL) {
        return err_set(err, E_INVALID, "%s must be text or a number", name);
    }
    if (out_text->size > bytes_max)
        return err_set(err, E_LIMIT, "%s has %u bytes, at most %zu are allowed", name,
                       out_text->size, bytes_max);
    return 0;
}

static int read_object(const struct doc_value *value, const char *name, struct doc *out_doc,
                       struct err *err)
{
    *out_doc = (struct doc){ NULL, 0 };
    if (value->type == DOC_DOC)
        *out_doc = value->doc;
    else if (value->type != DOC_NONE && value->type != DOC_NULL)
        return err_set(err, E_INVALID, "%s must be an object", name);
    return 0;
}

static bool is_given(const struct doc_value *value)
{
    return value->type != DOC_NONE && value->type != DOC_NULL &&
           (value->type != DOC_TEXT || value->text.size != 0);
}

/* ISO text, or milliseconds. */
static int read_time(const struct doc_value *value, const char *name, int64_t *out_ms,
                     struct err *err)
{
    struct err why = { 0, "" };
    int rc = E_INVALID;
    if (value->type == DOC_TEXT) {
        rc = moment_parse(value->text.data, value->text.size, out_ms, &why);
    } else if (value->type == DOC_INT64) {
        *out_ms = value->integer;
        rc = *out_ms >= CIVIL_MS_MIN && *out_ms <= CIVIL_MS_MAX ? 0 : E_INVALID;
    }
    if (rc != 0)
        return err_set(err, E_INVALID,
                       "%s must be a time, as \"2026-11-21T10:11:12.345Z\" or milliseconds%s%.100s",
                       name, why.text[0] != '\0' ? ": " : "", why.text);
    return 0;
}

struct envelope {
    struct text id, type, user, anon, group, previous, customer, about;
    char numbers[5][NUMBER_TEXT_MAX];
    struct doc payload, context;
    bool has_at;
    int64_t at;
};

/* A clock that is wrong is as wrong when it sends: what it says is moved by the difference
 * between its sentAt and our clock. */
static int read_at(struct envelope *e, const struct fields *fields,
                   const struct ingest_terms *terms, struct err *err)
{
    const struct doc_value *sent = is_given(&terms->sent) ? &terms->sent : &fields->sent;
    bool is_original = !is_given(&fields->timestamp);
    const struct doc_value *time = is_original ? &fields->original : &fields->timestamp;
    int64_t sent_at = 0;
    e->at = terms->received;
    if (!is_given(time))
        return 0;
    e->has_at = true;
    int rc = read_time(time, is_original ? "originalTimestamp" : "timestamp", &e->at, err);
    if (rc != 0 || terms->is_past || !is_given(sent))
        return rc;
    rc = read_time(sent, "sentAt", &sent_at, err);
    if (rc != 0)
        return rc;
    e->at += terms->received - sent_at;
    if (e->at < CIVIL_MS_MIN || e->at > CIVIL_MS_MAX)
        return err_set(err, E_INVALID, "sentAt moves the timestamp out of the years 1 to 9999");
    return 0;
}

static const char *const call_names[] = { "identify", "track", "page", "screen", "group", "alias" };

static int read_type(struct envelope *e, const struct fields *fields, enum segment_call call,
                     const struct ingest_terms *terms, struct err *err)
{
    const struct doc_value *type = call == SEGMENT_TRACK ? &fields->event : &fields->type;
    const char *name = call == SEGMENT_TRACK ? "event" : "type";
    if (call != SEGMENT_TRACK && call != SEGMENT_ANY) {
        e->type = text_of(call_names[call]);
        return 0;
    }
    if (type->type != DOC_TEXT || type->text.size == 0)
        return err_set(err, E_INVALID, "%s is missing: the name of the event, as text", name);
    if (type->text.size > TYPE_BYTES_MAX)
        return err_set(err, E_LIMIT, "%s has %u bytes, at most %d are allowed", name,
                       type->text.size, TYPE_BYTES_MAX);
    if (terms->is_staff && call == SEGMENT_TRACK && event_type_is_system(type->text))
        return err_set(
            err, E_INVALID,
            "event \"%.*s\" is one of the system's: import it as \"type\" if it is meant "
            "to act, or with a key that may only write",
            (int)type->text.size, type->text.data);
    e->type = type->text;
    return 0;
}

static int read_who(struct envelope *e, const struct fields *fields, enum segment_call call,
                    struct err *err)
{
    int rc = read_text(&fields->user, "userId", IDENTITY_BYTES_MAX, e->numbers[0], &e->user, err);
    if (rc == 0)
        rc = read_text(&fields->anon, "anonymousId", IDENTITY_BYTES_MAX, e->numbers[1], &e->anon,
                       err);
    if (rc == 0)
        rc = read_text(&fields->customer, "customer", ID_BYTES_MAX, e->numbers[2], &e->customer,
                       err);
    if (rc == 0 && call != SEGMENT_ANY && e->user.size + e->anon.size + e->customer.size == 0)
        rc = err_set(err, E_INVALID, "userId or anonymousId is missing");
    return rc;
}

static int read_payload(struct envelope *e, const struct fields *fields, enum segment_call call,
                        struct err *err)
{
    bool has_traits = call == SEGMENT_IDENTIFY || call == SEGMENT_GROUP;
    int rc = 0;
    if (has_traits)
        rc = read_object(&fields->traits, "traits", &e->payload, err);
    else if (call == SEGMENT_ANY && is_given(&fields->data))
        rc = read_object(&fields->data, "data", &e->payload, err);
    else
        rc = read_object(&fields->properties, "properties", &e->payload, err);
    if (rc == 0 && call == SEGMENT_GROUP)
        rc =
            read_text(&fields->group, "groupId", IDENTITY_BYTES_MAX, e->numbers[3], &e->group, err);
    if (rc == 0 && call == SEGMENT_GROUP && e->group.size == 0)
        rc = err_set(err, E_INVALID, "groupId is missing");
    if (rc == 0 && call == SEGMENT_ALIAS)
        rc = read_text(&fields->previous, "previousId", IDENTITY_BYTES_MAX, e->numbers[3],
                       &e->previous, err);
    if (rc == 0 && call == SEGMENT_ALIAS && e->previous.size == 0)
        rc = err_set(err, E_INVALID, "previousId is missing");
    return rc;
}

static int read_envelope(struct envelope *e, const struct fields *fields, enum segment_call call,
                         const struct ingest_terms *terms, struct err *err)
{
    int rc = read_type(e, fields, call, terms, err);
    if (rc == 0)
        rc = read_text(&fields->id, "messageId", ID_BYTES_MAX, e->numbers[4], &e->id, err);
    if (rc == 0 && e->id.size == 0)
        e->id = terms->id;
    if (rc == 0)
        rc = read_who(e, fields, call, err);
    if (rc == 0)
        rc = read_payload(e, fields, call, err);
    if (rc == 0)
        rc = read_object(&fields->context, "context", &e->context, err);
    if (rc == 0)
        rc = read_at(e, fields, terms, err);
    if (rc == 0 && fields->about.type == DOC_TEXT)
        e->about = fields->about.text;
    return rc;
}

/* -- Writing ----------------------------------------------------------------------------------- */

static void put_if(struct doc_writer *w, const char *name, struct text text)
{
    if (text.size != 0)
        doc_put_text(w, name, text);
}

static void put_page(struct doc_writer *w, const struct fields *fields, struct doc properties)
{
    doc_open(w, "data");
    for (struct doc_iter it = doc_iter(properties); doc_next(&it);)
        doc_put_value_text(w, it.name, &it.value);
    if (doc_get(properties, "name").type == DOC_NONE)
        doc_put_value(w, "name", &fields->name);
    if (doc_get(properties, "category").type == DOC_NONE)
        doc_put_value(w, "category", &fields->category);
    doc_close(w);
}

static void put_data(struct doc_writer *w, const struct envelope *e, const struct fields *fields,
                     enum segment_call call)
{
    switch (call) {
    case SEGMENT_PAGE:
    case SEGMENT_SCREEN:
        put_page(w, fields, e->payload);
        break;
    case SEGMENT_GROUP:
        doc_open(w, "data");
        doc_put_text(w, "groupId", e->group);
        if (e->payload.data != NULL)
            doc_put_doc(w, "traits", e->payload);
        doc_close(w);
        break;
    case SEGMENT_ALIAS:
        doc_open(w, "data");
        doc_put_text(w, "previousId", e->previous);
        doc_close(w);
        break;
    default:
        if (e->payload.data != NULL)
            doc_put_doc(w, "data", e->payload);
        break;
    }
}

/* The event's own context wins, field by field. */
static void put_context(struct doc_writer *w, struct doc own, struct doc shared)
{
    if (shared.data == NULL && own.data == NULL)
        return;
    if (shared.data == NULL || own.data == NULL) {
        doc_put_doc(w, "context", own.data != NULL ? own : shared);
        return;
    }
    doc_open(w, "context");
    for (struct doc_iter it = doc_iter(own); doc_next(&it);)
        doc_put_value_text(w, it.name, &it.value);
    for (struct doc_iter it = doc_iter(shared); doc_next(&it);)
        if (doc_get_text(own, it.name).type == DOC_NONE)
            doc_put_value_text(w, it.name, &it.value);
    doc_close(w);
}

static void put_extra(struct doc_writer *w, struct doc event, enum segment_call call, bool is_staff)
{
    const struct field_name *field;
    doc_open(w, "extra");
    for (struct doc_iter it = doc_iter(event); doc_next(&it);)
        if (place_of(it.name, call, is_staff, &field) == PLACE_EXTRA)
            doc_put_value_text(w, it.name, &it.value);
    doc_close(w);
}

static void put_envelope(struct doc_writer *w, const struct envelope *e, enum segment_call call,
                         const struct ingest_terms *terms)
{
    put_if(w, "id", e->id);
    doc_put_text(w, "type", e->type);
    if (call != SEGMENT_ANY)
        doc_put_string(w, "call", call_names[call]);
    put_if(w, "user", e->user);
    put_if(w, "anon", e->anon);
    put_if(w, "ref", e->customer);
    if (e->has_at)
        doc_put_int(w, "at", e->at);
    put_if(w, "source", terms->source);
    put_if(w, "by", terms->by);
    put_if(w, "about", e->about);
    if (terms->forever)
        doc_put_bool(w, "forever", true);
    if (terms->historic)
        doc_put_bool(w, "historic", true);
}

static int call_of(const struct doc_value *type, bool is_staff, enum segment_call *out_call,
                   struct err *err)
{
    for (size_t i = 0; type->type == DOC_TEXT && i < sizeof call_names / sizeof *call_names; i++)
        if (text_is(type->text, call_names[i])) {
            *out_call = (enum segment_call)i;
            return 0;
        }
    if (is_staff && type->type == DOC_TEXT)
        return 0;
    return err_set(err, E_INVALID,
                   "type must be one of identify, track, page, screen, group, alias");
}

int ingest_event(struct submission *submission, struct doc event, enum segment_call call,
                 const struct ingest_terms *terms, int64_t *out_at, struct err *err)
{
    struct fields fields = { .has_extra = false };
    struct envelope e = { .has_at = false };
    struct doc_writer w;
    struct doc_value type = { .type = DOC_NONE };
    int rc = 0;
    if (call == SEGMENT_ANY) {
        type = doc_get(event, "type");
        rc = call_of(&type, terms->is_staff, &call, err);
    }
    if (rc == 0) {
        find_fields(&fields, event, call, terms->is_staff);
        rc = read_envelope(&e, &fields, call, terms, err);
    }
    if (rc != 0)
        return rc;
    submission_begin(submission, &w);
    put_envelope(&w, &e, call, terms);
    put_data(&w, &e, &fields, call);
    put_context(&w, e.context, terms->context);
    if (fields.has_extra)
        put_extra(&w, event, call, terms->is_staff);
    *out_at = e.at;
    return submission_end_event(submission, &w, err);
}
