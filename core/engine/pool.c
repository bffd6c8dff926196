/* pool.c -- a pool of coupon codes: each is given to one customer, once.
 *
 *     code        take                use        in time     her erasure
 *     free        reserved for her    refused    -           -
 *     reserved    hers again          used       expired     used, and nobody's
 *     used        hers again          refused    -           nobody's
 *     expired     refused             refused    -           nobody's
 *
 * Nothing leads back to `free`: a code that somebody has read in a message may be written down, and
 * must not be told to anybody else.  So free codes are those from `next` on, in the order in which
 * they were loaded, and giving one is a look and not a search.
 *
 * Whoever asks again with the same key gets the same code, whichever of her merged members asked.
 *
 *     p                  {loaded, next, reserved, used, expired, low}   low: that has been told
 *     f number           a code that is free, by the number that it was loaded as
 *     c code             {state, number, customer, key, at, until}
 *     a customer key     {code}
 */
#include "core/engine/subject.h"

#include "core/base/zone.h"
#include "core/engine/engine_inside.h"
#include "core/engine/intent.h"

#include <string.h>

struct pool {
    struct subject *subject;
    int64_t loaded, next; /* numbers begin at 1 */
    int64_t reserved, used, expired;
    bool is_low; /* and that has been told */
};

static int64_t left_in(const struct pool *pool)
{
    return pool->loaded - pool->next + 1;
}

static struct pool read_pool(struct subject *subject)
{
    return (struct pool){
        .subject = subject,
        .loaded = doc_int(subject->row, "loaded", 0),
        .next = doc_int(subject->row, "next", 1),
        .reserved = doc_int(subject->row, "reserved", 0),
        .used = doc_int(subject->row, "used", 0),
        .expired = doc_int(subject->row, "expired", 0),
        .is_low = doc_bool(subject->row, "low", false),
    };
}

static void store_pool(const struct pool *pool)
{
    struct engine *engine = pool->subject->engine;
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_put_int(&w, "loaded", pool->loaded);
    doc_put_int(&w, "next", pool->next);
    doc_put_int(&w, "reserved", pool->reserved);
    doc_put_int(&w, "used", pool->used);
    doc_put_int(&w, "expired", pool->expired);
    if (pool->is_low)
        doc_put_bool(&w, "low", true);
    subject_store(pool->subject, engine_doc(engine, &w));
}

/* -- Codes ---------------------------------------------------------------- */

struct code {
    struct text code, state, key;
    int64_t number, at, until; /* until: INT64_MAX: for ever */
    uint64_t customer;         /* 0: nobody's */
};

static void key_code(struct key *key, const struct subject *subject, struct text code)
{
    subject_key(key, subject, 'c');
    key_tail(key, code);
}

static void key_free(struct key *key, const struct subject *subject, int64_t number)
{
    subject_key(key, subject, 'f');
    key_number(key, (uint64_t)number);
}

static bool find_code(const struct subject *subject, struct text text, struct code *out)
{
    struct key key;
    key_code(&key, subject, text);
    struct doc row = subject_get(subject, &key);
    if (text.size == 0 || text.size > NAME_BYTES_MAX || row.data == NULL)
        return false;
    *out = (struct code){
        .code = text,
        .state = doc_text(row, "state"),
        .key = doc_text(row, "key"),
        .number = doc_int(row, "number", 0),
        .at = doc_int(row, "at", 0),
        .until = doc_int(row, "until", INT64_MAX),
        .customer = (uint64_t)doc_int(row, "customer", 0),
    };
    return true;
}

static void store_code(struct subject *subject, const struct code *code)
{
    struct engine *engine = subject->engine;
    struct doc_writer w;
    struct key key;
    engine_draft(engine, &w);
    doc_put_text(&w, "state", code->state);
    doc_put_int(&w, "number", code->number);
    if (code->customer != 0)
        doc_put_int(&w, "customer", (int64_t)code->customer);
    doc_put_present(&w, "key", code->key);
    if (code->at != 0)
        doc_put_int(&w, "at", code->at);
    if (code->until != INT64_MAX)
        doc_put_int(&w, "until", code->until);
    struct doc row = engine_doc(engine, &w);
    key_code(&key, subject, code->code);
    subject_put(subject, &key, row);
}

/* -- Asked ---------------------------------------------------------------- */

static const char *const words[] = { "take", "use", NULL };

static int check(struct text word, struct doc given, struct doc_writer *w, struct err *err)
{
    bool is_use = text_is(word, "use"), has_code = false;
    for (struct doc_iter it = doc_iter(given); doc_next(&it);) {
        bool is_code = is_use && text_is(it.name, "code");
        if (!is_code && !text_is(it.name, "key"))
            return err_set(err, E_INVALID, "ask: %.*s of a pool knows no \"%s\": it takes %s",
                           (int)word.size, word.data, it.name.data, is_use ? "key, code" : "key");
        if (it.value.type != DOC_TEXT || it.value.text.size == 0 ||
            it.value.text.size > NAME_BYTES_MAX)
            return err_set(err, E_INVALID, "ask: %s is text of 1 to %d bytes", it.name.data,
                           NAME_BYTES_MAX);
        if (is_code)
            doc_put_text(w, "code", it.value.text);
        has_code = has_code || is_code;
    }
    if (has_code && doc_text(given, "key").size != 0)
        return err_set(err, E_INVALID, "ask: use takes a key or a code, not both");
    return 0;
}

static void refuse(struct subject *subject, const struct ask *ask, const char *reason)
{
    struct doc_writer w;
    subject_draft(subject, &w);
    doc_put_present(&w, "key", ask->key);
    doc_put_present(&w, "code", doc_text(ask->data, "code"));
    doc_put_string(&w, "reason", reason);
    subject_answer(subject, ask->customer, "refused", engine_doc(subject->engine, &w));
}

static void tell_code(struct subject *subject, const struct ask *ask, const struct code *code,
                      bool is_again)
{
    struct pool pool = read_pool(subject);
    struct doc_writer w;
    subject_draft(subject, &w);
    doc_put_present(&w, "key", ask->key);
    doc_put_text(&w, "code", code->code);
    if (code->until != INT64_MAX)
        doc_put_datetime(&w, "until", code->until);
    if (is_again)
        doc_put_bool(&w, "again", true);
    doc_put_int(&w, "left", left_in(&pool));
    subject_answer(subject, ask->customer, "taken", engine_doc(subject->engine, &w));
}

/* Once, until codes are loaded. */
static void tell_low(struct pool *pool)
{
    struct subject *subject = pool->subject;
    struct doc_writer w;
    if (pool->is_low || left_in(pool) >= doc_int(subject->terms, "low", 0))
        return;
    pool->is_low = true;
    subject_draft(subject, &w);
    doc_put_int(&w, "left", left_in(pool));
    doc_put_present(&w, "to", doc_text(subject->terms, "to"));
    subject_tell(subject, "low", engine_doc(subject->engine, &w));
}

static int64_t reserved_until(const struct subject *subject)
{
    const struct engine *engine = subject->engine;
    struct text reserve = doc_text(subject->terms, "reserve");
    struct intent intent;
    int64_t until = INT64_MAX;
    if (reserve.size == 0 || intent_read(reserve, DUE_NO_MINUTE, &intent, NULL) != 0 ||
        intent_due(&intent, engine->config.zone, engine->now, &until, NULL) != 0)
        return INT64_MAX;
    return until;
}

/* The next free code is hers. */
static void give(struct pool *pool, const struct ask *ask)
{
    struct subject *subject = pool->subject;
    struct engine *engine = subject->engine;
    struct doc_writer w;
    struct key key;
    struct code code;
    key_free(&key, subject, pool->next);
    struct text text = doc_text(subject_get(subject, &key), "code");
    bool is_there = find_code(subject, text, &code);
    ASSERT(is_there && text_is(code.state, "free"));
    state_delete(engine->state, &key);
    code.state = text_of("reserved");
    code.customer = ask->customer;
    code.key = ask->key;
    code.at = engine->now;
    code.until = reserved_until(subject);
    store_code(subject, &code);
    engine_draft(engine, &w);
    doc_put_text(&w, "code", code.code);
    struct doc row = engine_doc(engine, &w);
    subject_key_of(&key, subject, 'a', ask->customer, ask->key);
    subject_put(subject, &key, row);
    subject_hold(subject, ask->customer, ask->key);
    if (code.until != INT64_MAX)
        subject_timer(subject, code.code, code.until, code.code);
    pool->next++;
    pool->reserved++;
    tell_low(pool);
    store_pool(pool);
    tell_code(subject, ask, &code, false);
}

static void take(struct subject *subject, const struct ask *ask)
{
    struct pool pool = read_pool(subject);
    uint64_t member;
    struct doc row;
    struct code code;
    if (!subject_find_of(subject, ask, 'a', &member, &row)) {
        if (left_in(&pool) > 0) {
            give(&pool, ask);
            return;
        }
        struct doc_writer w;
        subject_draft(subject, &w);
        doc_put_present(&w, "key", ask->key);
        subject_answer(subject, ask->customer, "empty", engine_doc(subject->engine, &w));
        return;
    }
    bool is_there = find_code(subject, doc_text(row, "code"), &code);
    ASSERT(is_there);
    if (text_is(code.state, "expired"))
        refuse(subject, ask, "expired");
    else
        tell_code(subject, ask, &code, true);
}

static bool is_hers(const struct ask *ask, const struct code *code)
{
    for (size_t i = 0; i < ask->member_count; i++)
        if (ask->members[i] == code->customer)
            return true;
    return false;
}

/* By the code that somebody has shown, or by the key that she took it under. */
static void use(struct subject *subject, const struct ask *ask)
{
    struct text text = doc_text(ask->data, "code");
    struct pool pool = read_pool(subject);
    struct doc_writer w;
    struct code code;
    uint64_t member;
    struct doc row;
    if (text.size == 0 && subject_find_of(subject, ask, 'a', &member, &row))
        text = doc_text(row, "code");
    if (!find_code(subject, text, &code)) {
        refuse(subject, ask, "unknown");
        return;
    }
    if (!text_is(code.state, "reserved")) {
        refuse(subject, ask, text_is(code.state, "free") ? "not taken" : code.state.data);
        return;
    }
    code.state = text_of("used");
    store_code(subject, &code);
    subject_timer_cancel(subject, code.code);
    pool.reserved--;
    pool.used++;
    store_pool(&pool);
    subject_draft(subject, &w);
    doc_put_present(&w, "key", ask->key);
    doc_put_text(&w, "code", code.code);
    doc_put_bool(&w, "own", is_hers(ask, &code));
    subject_answer(subject, ask->customer, "used", engine_doc(subject->engine, &w));
}

static void answer(struct subject *subject, const struct ask *ask)
{
    if (text_is(ask->word, "take"))
        take(subject, ask);
    else
        use(subject, ask);
}

/* -- Loaded --------------------------------------------------------------- */

static bool add_code(struct pool *pool, struct text text)
{
    struct engine *engine = pool->subject->engine;
    struct code code = { .code = text, .state = text_of("free"), .until = INT64_MAX };
    struct code known;
    struct doc_writer w;
    struct key key;
    if (find_code(pool->subject, text, &known))
        return false;
    code.number = ++pool->loaded;
    store_code(pool->subject, &code);
    engine_draft(engine, &w);
    doc_put_text(&w, "code", text);
    struct doc row = engine_doc(engine, &w);
    key_free(&key, pool->subject, code.number);
    subject_put(pool->subject, &key, row);
    return true;
}

static int check_codes(const struct pool *pool, struct doc_value codes, struct err *err)
{
    size_t count = codes.type == DOC_ARRAY ? doc_count(codes.doc) : 0;
    if (count == 0 || count > POOL_LOAD_MAX)
        return err_set(err, E_INVALID, "\"codes\" is a list of 1 to %d texts", POOL_LOAD_MAX);
    if (pool->loaded + (int64_t)count > POOL_CODES_MAX)
        return err_set(err, E_LIMIT, "a pool has at most %d codes, all told", POOL_CODES_MAX);
    for (struct doc_iter it = doc_iter(codes.doc); doc_next(&it);)
        if (it.value.type != DOC_TEXT || it.value.text.size == 0 ||
            it.value.text.size > NAME_BYTES_MAX)
            return err_set(err, E_INVALID, "a code is text of 1 to %d bytes", NAME_BYTES_MAX);
    return 0;
}

/* What is known already, in whatever state, is passed over: loading a file twice adds nothing. */
static void command(struct subject *subject, struct text word, struct doc data)
{
    struct engine *engine = subject->engine;
    struct doc_value codes = doc_get(data, "codes");
    struct pool pool = read_pool(subject);
    struct doc_writer w;
    struct err err;
    int64_t added = 0;
    (void)word; /* there is one */
    if (check_codes(&pool, codes, &err) != 0) {
        engine_refuse(engine, err.code, "%s", err.text);
        return;
    }
    for (struct doc_iter it = doc_iter(codes.doc); doc_next(&it);) {
        struct arena_mark mark = arena_mark(&engine->arena);
        added += add_code(&pool, it.value.text) ? 1 : 0;
        arena_release(&engine->arena, mark);
    }
    if (left_in(&pool) >= doc_int(subject->terms, "low", 0))
        pool.is_low = false;
    store_pool(&pool);
    subject_draft(subject, &w);
    doc_put_int(&w, "added", added);
    doc_put_int(&w, "known", (int64_t)doc_count(codes.doc) - added);
    doc_put_int(&w, "left", left_in(&pool));
    subject_tell(subject, "loaded", engine_doc(engine, &w));
}

/* -- In time, and forgotten ------------------------------------------------ */

static void timer(struct subject *subject, struct doc payload)
{
    struct pool pool = read_pool(subject);
    struct doc_writer w;
    struct code code;
    bool is_there = find_code(subject, doc_text(payload, "value"), &code);
    ASSERT(is_there && text_is(code.state, "reserved"));
    code.state = text_of("expired");
    store_code(subject, &code);
    pool.reserved--;
    pool.expired++;
    store_pool(&pool);
    subject_draft(subject, &w);
    doc_put_present(&w, "key", code.key);
    doc_put_text(&w, "code", code.code);
    subject_answer(subject, code.customer, "expired", engine_doc(subject->engine, &w));
}

static void forget(struct subject *subject, uint64_t customer, struct text name)
{
    struct pool pool = read_pool(subject);
    struct code code;
    struct key key;
    subject_key_of(&key, subject, 'a', customer, name);
    struct doc row = subject_get(subject, &key);
    bool is_there = find_code(subject, doc_text(row, "code"), &code);
    ASSERT(is_there);
    state_delete(subject->engine->state, &key);
    if (text_is(code.state, "reserved")) {
        subject_timer_cancel(subject, code.code);
        code.state = text_of("used");
        pool.reserved--;
        pool.used++;
        store_pool(&pool);
    }
    code.customer = 0;
    code.key.size = 0;
    code.until = INT64_MAX;
    store_code(subject, &code);
}

static void show(const struct subject *subject, struct doc_writer *w)
{
    struct subject own = *subject;
    struct pool pool = read_pool(&own);
    doc_put_int(w, "left", left_in(&pool));
    doc_put_int(w, "reserved", pool.reserved);
    doc_put_int(w, "used", pool.used);
    doc_put_int(w, "expired", pool.expired);
    doc_put_int(w, "loaded", pool.loaded);
    doc_put_bool(w, "low", left_in(&pool) < doc_int(subject->terms, "low", 0));
}

const struct subject_kind pool_kind = {
    .name = "pool",
    .words = words,
    .check = check,
    .answer = answer,
    .command = command,
    .timer = timer,
    .forget = forget,
    .show = show,
};
