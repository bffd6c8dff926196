/* dedupe.c -- the same event sent twice counts once.
 *
 * A mark is kept under the customer the event came to, in buckets of ten days of log
 * time, and looked for under every member of the customer's group: a merge between
 * the two sendings must not let the second one through.  Marks of imports are kept for
 * ever, and looked for at every event of whoever has any.  Each new mark takes at most two
 * expired ones away, so the work of an entry is bounded and a customer's marks cannot
 * outgrow what comes in.
 *
 * What a plugin says has come from somewhere else, often signed there and without a time: whoever
 * has seen it once can send it again in a year, when the number in it is somebody else's, or when
 * she whom it was about has been erased.  So these marks are nobody's and kept for ever, as the
 * hash alone, which tells of no one.  To keep them with the customer would forget them with her.
 */
#include "core/base/hash.h"
#include "core/engine/engine_inside.h"

#include <string.h>

#define BUCKET_MS (10ll * 86400000)
#define TEXT_BYTES_MAX 80 /* a longer (source, id) is kept as its hash */

static int64_t bucket_of(int64_t ms)
{
    return ms > 0 ? ms / BUCKET_MS : 0;
}

static int64_t oldest_ms(const struct engine *engine)
{
    return engine->now - engine->config.limits.dedupe_days * 86400000;
}

/* Of an event that a rule sent: another build may have given its number to something else.  It may
 * tell of somebody who is erased one day, and not with the customer who has the mark: so what is
 * kept is always the hash. */
static void append_content(struct buf *scratch, const struct event *event)
{
    const struct text texts[] = { event->type, event->ref, event->by };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        buf_byte(scratch, 0x1f);
        buf_append(scratch, texts[i].data, texts[i].size);
    }
    buf_byte(scratch, 0x1f);
    buf_append(scratch, event->data.data, event->data.size);
}

static bool is_of_plugin(const struct event *event)
{
    return event_plugin(event).size != 0;
}

/* What identifies the event: source, a separator that no source contains, id. */
static struct text mark_text(struct engine *engine, const struct event *event, bool is_hashed)
{
    struct buf *scratch = &engine->scratch;
    buf_clear(scratch);
    buf_append(scratch, event->source.data, event->source.size);
    buf_byte(scratch, 0x1f);
    buf_append(scratch, event->id.data, event->id.size);
    bool has_content = event->class == LOG_SYSTEM;
    if (has_content)
        append_content(scratch, event);
    if (has_content || is_hashed || scratch->size > TEXT_BYTES_MAX) {
        uint8_t hash[32];
        digest_32(scratch->data, scratch->size, hash);
        return (struct text){ arena_copy(&engine->arena, hash, sizeof hash), sizeof hash };
    }
    return (struct text){ (const char *)scratch->data, (uint32_t)scratch->size };
}

static void key_mark(struct key *key, uint64_t customer, int64_t bucket, struct text text)
{
    key_customer(key, customer, 'd');
    key_number(key, (uint64_t)bucket);
    key_tail(key, text);
}

static void key_mark_forever(struct key *key, uint64_t customer, struct text text)
{
    key_customer(key, customer, 'D');
    key_tail(key, text);
}

static bool is_marked(struct engine *engine, uint64_t customer, int64_t first, int64_t last,
                      struct text text)
{
    int64_t since = oldest_ms(engine);
    struct key key;
    struct bytes value;
    if (first < bucket_of(since))
        first = bucket_of(since);
    for (int64_t bucket = last; bucket >= first; bucket--) {
        key_mark(&key, customer, bucket, text);
        if (!state_get(engine->state, &key, &value))
            continue;
        struct key_reader reader = { value.data, value.data + value.size };
        uint64_t logged = 0;
        return key_read_number(&reader, &logged) && (int64_t)logged >= since;
    }
    return false;
}

static bool is_marked_forever(struct engine *engine, uint64_t customer, struct text text)
{
    struct key key;
    struct bytes value;
    key_mark_forever(&key, customer, text);
    return state_get(engine->state, &key, &value);
}

/* Where the oldest marks begin.  Those taken away lie in front of it until the next checkpoint,
 * and to pass them all again for every two that go would cost the square of their number: so the
 * engine remembers for a few customers how far it was.  New marks come behind: in later buckets. */
static struct key *marks_begin(struct engine *engine, const struct profile *profile)
{
    size_t slot = (size_t)(profile->number % (sizeof engine->marks / sizeof *engine->marks));
    struct marks_place *place = &engine->marks[slot];
    if (place->from.size == 0 || place->customer != profile->number) {
        place->customer = profile->number;
        key_customer(&place->from, profile->number, 'd');
        key_number(&place->from, (uint64_t)profile->marks_first);
    }
    return &place->from;
}

/* Take away up to two marks that nobody will look at again. */
static void expire_marks(struct engine *engine, struct profile *profile)
{
    int64_t since = bucket_of(oldest_ms(engine));
    struct key prefix, *from = marks_begin(engine, profile);
    struct cursor cursor;
    struct key dead[2];
    size_t count = 0;
    key_customer(&prefix, profile->number, 'd');
    cursor_open_at(&cursor, engine->state, &prefix, from);
    while (cursor_next(&cursor)) {
        struct key_reader reader = { cursor.key.data + prefix.size,
                                     cursor.key.data + cursor.key.size };
        uint64_t bucket = 0;
        bool is_mark = key_read_number(&reader, &bucket);
        ASSERT(is_mark);
        profile->marks_first = (int64_t)bucket;
        from->size = (uint16_t)cursor.key.size;
        memcpy(from->data, cursor.key.data, cursor.key.size);
        if (count == 2 || (int64_t)bucket >= since)
            break;
        dead[count++] = *from;
    }
    cursor_close(&cursor);
    if (profile->marks_first >= since) { /* there more may come, in front of this one too */
        *from = prefix;
        key_number(from, (uint64_t)profile->marks_first);
    }
    for (size_t i = 0; i < count; i++)
        state_delete(engine->state, &dead[i]);
}

static void mark(struct engine *engine, struct profile *profile, struct text text, bool is_forever)
{
    int64_t bucket = bucket_of(engine->now);
    struct key key, logged = { .size = 0 };
    key_number(&logged, (uint64_t)engine->now);
    if (is_forever)
        key_mark_forever(&key, profile->number, text);
    else
        key_mark(&key, profile->number, bucket, text);
    state_put(engine->state, &key, logged.data, logged.size);
    if (is_forever) {
        profile->is_dirty = profile->is_dirty || !profile->has_marks_forever;
        profile->has_marks_forever = true;
        return;
    }
    if (profile->marks_first < 0 || profile->marks_last != bucket) {
        profile->marks_first = profile->marks_first < 0 ? bucket : profile->marks_first;
        profile->marks_last = bucket;
        profile->is_dirty = true;
    }
    if (profile->marks_first < bucket_of(oldest_ms(engine))) {
        expire_marks(engine, profile);
        profile->is_dirty = true;
    }
}

static bool is_known(struct engine *engine, const struct profile *profile, struct text text)
{
    if (profile->marks_first >= 0 &&
        is_marked(engine, profile->number, profile->marks_first, profile->marks_last, text))
        return true;
    return profile->has_marks_forever && is_marked_forever(engine, profile->number, text);
}

static bool is_known_to_any(struct engine *engine, const struct profile *members, size_t count,
                            struct text text)
{
    for (size_t i = 0; i < count; i++)
        if (is_known(engine, &members[i], text))
            return true;
    return false;
}

/* Before level 9 marks of plugins were like all others: they are found for as long as those. */
static bool knows(struct engine *engine, const struct profile *members, size_t count,
                  const struct event *event)
{
    if (is_of_plugin(event) && is_marked_forever(engine, 0, mark_text(engine, event, true)))
        return true;
    return is_known_to_any(engine, members, count, mark_text(engine, event, false));
}

bool dedupe_knows(struct engine *engine, const struct customer *customer, const struct event *event)
{
    return event->id.size != 0 && knows(engine, customer->members, customer->count, event);
}

bool dedupe_seen(struct engine *engine, struct customer *customer, const struct event *event)
{
    if (event->id.size == 0)
        return false;
    /* Nobody has no profile that knows the marks in use: all that may count are. */
    struct profile nobody = { .marks_last = bucket_of(engine->now), .has_marks_forever = true };
    struct profile *members = customer->number != 0 ? customer->members : &nobody;
    size_t count = customer->number != 0 ? customer->count : 1;
    if (knows(engine, members, count, event))
        return true;
    bool is_nobodys = is_of_plugin(event);
    mark(engine, is_nobodys ? &nobody : &members[customer->own],
         mark_text(engine, event, is_nobodys), is_nobodys || event->forever);
    return false;
}
