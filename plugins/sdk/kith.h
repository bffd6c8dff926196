/* kith.h -- the contract between Kith and a plugin.
 *
 * A plugin is a shared object that exports one function, kith_describe(), which returns a
 * constant: who it is, what it needs, and what it is called for.  It has two sides.
 *
 *   The deterministic side   handlers of events, functions for Lua, and what becomes of its state.
 *       They run inside the engine, between two entries of the log, and must be pure: what they
 *       are given decides what they want, and nothing else.  No clock, no randomness, no I/O, no
 *       memory between two calls (no static variables that change).  A replay calls them again and
 *       must get the same; `kith plugin check` tries.  They read what they have declared to read,
 *       as it was when they were called, and what they want is done together when they have
 *       returned KITH_OK.  If they return anything else nothing is done.
 *
 *   The outside side   channels, routes, jobs, sockets, timers: everything that speaks to the
 *       world, on one thread (the loop) from start() on.  It must neither block nor fork() without
 *       an exec behind it (posix_spawn() is both), and changes Kith by events and requests alone.
 *
 * The same file runs inside the daemon, or in a process of its own when the operator says
 * `isolate = true`; it cannot tell the difference, and need not.
 *
 * What this contract promises:
 *
 *   - One integer is its version, KITH_ABI.  It is raised only when an old plugin could misbehave.
 *   - Every struct and table begins with its size.  Members are only ever added at the end; their
 *     meaning never changes.  A plugin built with an older header runs in a newer Kith, and one
 *     built with a newer header runs in an older Kith if it asks KITH_HAS() before it uses what
 *     came later.
 *   - Nobody frees what the other made.  What a call is given is borrowed until it returns, on
 *     both sides; who wants to keep it makes a copy.
 *   - No type of any library crosses, only integers of fixed width, sizes, pointers and functions.
 *   - Everything can be sent over a wire: no pointer given to the other side means anything but
 *     the bytes behind it, functions and what is handed back to them (`arg`, `self`) apart.
 *
 * Text is UTF-8.  Times are milliseconds since 1970 UTC.  Documents are BSON (bsonspec.org, version
 * 1.1); this header reads and writes it, and so do libraries of most languages.  A name that the
 * author of a plugin writes is a C string; what comes from elsewhere has a size and may contain 0.
 */
#ifndef KITH_H
#define KITH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KITH_ABI 1

/* Raised with every addition.  A table says in `level` which one its host knows: what came later,
 * "since level N", an older host does not see in the structs that a plugin gives it. */
#define KITH_LEVEL 5

/* Whether a table or struct from the other side has this member; what is there is never NULL. */
#define KITH_HAS(table, member) \
    ((table)->size >= (size_t)((const char *)(&(table)->member + 1) - (const char *)(table)))

#if defined _WIN32
#define KITH_EXPORT __declspec(dllexport)
#else
#define KITH_EXPORT __attribute__((visibility("default")))
#endif

/* In C, outside of functions, an item of one of the lists that a plugin consists of:
 *     static const struct kith_field *const config[] = {
 *         KITH_ITEM(field, .name = "url", .type = "text", .about = "Where it is"), NULL,
 *     };
 */
#define KITH_ITEM(noun, ...) \
    (&(const struct kith_##noun){ .size = sizeof(struct kith_##noun), __VA_ARGS__ })

/* Also a list of names: .types = KITH_NAMES("Order Completed", "Order Refunded") */
#define KITH_NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* What calls answer, in both directions.  A plugin may return any of those below zero; the words
 * that go with it are those of kith_engine.fail(), or else of the last call that did not answer
 * KITH_OK. */
enum {
    KITH_OK = 0,
    KITH_FAILED = -1,  /* for the reason given in words */
    KITH_MISSING = -2, /* there is no such thing */
    KITH_DENIED = -3,  /* not declared, or not granted */
    KITH_INVALID = -4, /* it makes no sense: the words say what would */
    KITH_LIMIT = -5,   /* beyond a limit, which the words name */
    KITH_BUSY = -6,    /* too much is under way: try again later */
    KITH_IO = -7       /* the world: network, disk */
};

/* -- Values and documents ---------------------------------------------------------------------- */

struct kith_text { /* not terminated */
    const char *data;
    size_t size;
};

/* A document or array in BSON, its length in the first four bytes; of size 0: none, as if empty. */
struct kith_doc {
    const void *data;
    size_t size;
};

enum { /* BSON's own numbers */
    KITH_NONE = 0,
    KITH_DOUBLE = 1,
    KITH_TEXT = 2,
    KITH_DOC = 3,
    KITH_ARRAY = 4,
    KITH_BINARY = 5,
    KITH_BOOL = 8,
    KITH_TIME = 9,
    KITH_NULL = 10,
    KITH_INT = 18,
    KITH_DECIMAL = 19
};

/* This struct will never grow. */
struct kith_value {
    uint32_t type; /* KITH_NONE: there is none */
    uint32_t size; /* of `bytes` */
    union {
        int64_t integer;   /* KITH_INT, KITH_TIME, KITH_BOOL */
        double number;     /* KITH_DOUBLE */
        const void *bytes; /* KITH_TEXT, KITH_DOC, KITH_ARRAY, KITH_BINARY; of KITH_DECIMAL 16 */
    } as;
};

static inline struct kith_text kith_text(const char *string)
{
    struct kith_text text = { string, string != NULL ? strlen(string) : 0 };
    return text;
}

static inline struct kith_value kith_int(int64_t integer)
{
    struct kith_value value = { KITH_INT, 0, { integer } };
    return value;
}

static inline struct kith_value kith_time(int64_t ms)
{
    struct kith_value value = { KITH_TIME, 0, { ms } };
    return value;
}

static inline struct kith_value kith_bool(int is_true)
{
    struct kith_value value = { KITH_BOOL, 0, { is_true != 0 } };
    return value;
}

static inline struct kith_value kith_double(double number)
{
    struct kith_value value = { KITH_DOUBLE, 0, { 0 } };
    value.as.number = number;
    return value;
}

static inline struct kith_value kith_bytes(uint32_t type, const void *data, size_t size)
{
    struct kith_value value = { type, (uint32_t)size, { 0 } };
    value.as.bytes = data;
    return value;
}

static inline struct kith_value kith_string(const char *string)
{
    return kith_bytes(KITH_TEXT, string, strlen(string));
}

static inline struct kith_value kith_value_of_doc(struct kith_doc doc)
{
    return kith_bytes(KITH_DOC, doc.data, doc.size);
}

/* What a value is, or else what there should be instead. */
static inline int64_t kith_as_int(const struct kith_value *value, int64_t otherwise)
{
    if (value->type == KITH_INT || value->type == KITH_TIME || value->type == KITH_BOOL)
        return value->as.integer;
    if (value->type == KITH_DOUBLE && value->as.number >= -9007199254740992.0 &&
        value->as.number <= 9007199254740992.0 &&
        (double)(int64_t)value->as.number == value->as.number)
        return (int64_t)value->as.number;
    return otherwise;
}

static inline double kith_as_double(const struct kith_value *value, double otherwise)
{
    if (value->type == KITH_DOUBLE)
        return value->as.number;
    return value->type == KITH_INT ? (double)value->as.integer : otherwise;
}

static inline struct kith_text kith_as_text(const struct kith_value *value)
{
    struct kith_text text = { "", 0 };
    if (value->type == KITH_TEXT) {
        text.data = (const char *)value->as.bytes;
        text.size = value->size;
    }
    return text;
}

static inline struct kith_doc kith_as_doc(const struct kith_value *value)
{
    struct kith_doc doc = { NULL, 0 };
    if (value->type == KITH_DOC || value->type == KITH_ARRAY) {
        doc.data = value->as.bytes;
        doc.size = value->size;
    }
    return doc;
}

static inline int kith_is(struct kith_text text, const char *string)
{
    return text.size == strlen(string) && memcmp(text.data, string, text.size) == 0;
}

/* The same in a time that says nothing of where they differ: for signatures. */
static inline int kith_is_same(struct kith_text text, const char *secret)
{
    size_t size = strlen(secret);
    unsigned char differs = text.size != size;
    for (size_t i = 0; i < size && i < text.size; i++)
        differs |= (unsigned char)(text.data[i] ^ secret[i]);
    return !differs;
}

/* Take the next character off a text that came from Kith (it has been checked); -1: it is over. */
static inline int32_t kith_next_character(struct kith_text *text)
{
    const unsigned char *at = (const unsigned char *)text->data;
    if (text->size == 0)
        return -1;
    size_t size = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    int32_t code = size == 1 ? at[0] : at[0] & (0xff >> (size + 1));
    for (size_t i = 1; i < size && i < text->size; i++)
        code = code << 6 | (at[i] & 0x3f);
    size = size < text->size ? size : text->size;
    text->data += size;
    text->size -= size;
    return code;
}

/* Walk the fields of a document that came from Kith (it has been checked):
 *     struct kith_iter it = kith_iter(doc);
 *     while (kith_next(&it)) use(it.name, it.value); */
struct kith_iter {
    const unsigned char *at, *end;
    struct kith_text name;
    struct kith_value value;
};

static inline uint32_t kith_read_32(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static inline int64_t kith_read_64(const unsigned char *at)
{
    return (int64_t)((uint64_t)kith_read_32(at) | (uint64_t)kith_read_32(at + 4) << 32);
}

static inline struct kith_iter kith_iter(struct kith_doc doc)
{
    struct kith_iter it = { NULL, NULL, { NULL, 0 }, { KITH_NONE, 0, { 0 } } };
    if (doc.size >= 5) {
        it.at = (const unsigned char *)doc.data + 4;
        it.end = (const unsigned char *)doc.data + doc.size - 1;
    }
    return it;
}

/* The value at `at`, and where the next field begins; NULL: this is no document of Kith's. */
static inline const unsigned char *kith_read_value(uint32_t type, const unsigned char *at,
                                                   const unsigned char *end, struct kith_value *out)
{
    size_t room = (size_t)(end - at), before = 0, size = 0;
    switch (type) {
    case KITH_NULL:
        break;
    case KITH_BOOL:
        size = 1;
        break;
    case 16: /* int32 */
        size = 4;
        break;
    case KITH_DOUBLE:
    case KITH_TIME:
    case KITH_INT:
        size = 8;
        break;
    case KITH_DECIMAL:
        size = 16;
        break;
    case KITH_TEXT:
    case KITH_BINARY:
        if (room < 5)
            return NULL;
        before = type == KITH_TEXT ? 4 : 5;
        size = kith_read_32(at) - (type == KITH_TEXT);
        break;
    case KITH_DOC:
    case KITH_ARRAY:
        if (room < 5)
            return NULL;
        size = kith_read_32(at);
        break;
    default:
        return NULL;
    }
    if (before > room || size > room - before)
        return NULL;
    *out = kith_bytes(type, at + before, size);
    if (before == 0 && type != KITH_DOC && type != KITH_ARRAY && type != KITH_DECIMAL)
        *out = kith_bytes(type, NULL, 0);
    if (type == KITH_BOOL)
        out->as.integer = at[0] != 0;
    else if (type == 16) {
        out->type = KITH_INT;
        out->as.integer = (int32_t)kith_read_32(at);
    } else if (type == KITH_TIME || type == KITH_INT)
        out->as.integer = kith_read_64(at);
    else if (type == KITH_DOUBLE)
        memcpy(&out->as.number, at, 8);
    return at + before + size + (type == KITH_TEXT);
}

static inline int kith_next(struct kith_iter *it)
{
    const unsigned char *name, *zero;
    if (it->at == NULL || it->at >= it->end)
        return 0;
    name = it->at + 1;
    zero = (const unsigned char *)memchr(name, 0, (size_t)(it->end - name));
    if (zero == NULL)
        return 0;
    it->name.data = (const char *)name;
    it->name.size = (size_t)(zero - name);
    it->at = kith_read_value(it->at[0], zero + 1, it->end, &it->value);
    return it->at != NULL;
}

/* The field `name`; of type KITH_NONE when there is none. */
static inline struct kith_value kith_get(struct kith_doc doc, const char *name)
{
    struct kith_value none = { KITH_NONE, 0, { 0 } };
    struct kith_iter it = kith_iter(doc);
    while (kith_next(&it))
        if (kith_is(it.name, name))
            return it.value;
    return none;
}

static inline struct kith_text kith_get_text(struct kith_doc doc, const char *name)
{
    struct kith_value value = kith_get(doc, name);
    return kith_as_text(&value);
}

/* The same as a C string, which is what BSON has; "" when there is none.  A zero inside ends it. */
static inline const char *kith_get_string(struct kith_doc doc, const char *name)
{
    return kith_get_text(doc, name).data;
}

static inline int64_t kith_get_int(struct kith_doc doc, const char *name, int64_t otherwise)
{
    struct kith_value value = kith_get(doc, name);
    return kith_as_int(&value, otherwise);
}

static inline struct kith_doc kith_get_doc(struct kith_doc doc, const char *name)
{
    struct kith_value value = kith_get(doc, name);
    return kith_as_doc(&value);
}

/* Write a document into memory of your own:
 *     char room[1024];
 *     struct kith_writer w;
 *     kith_begin(&w, room, sizeof room);
 *     kith_put_text(&w, "title", kith_text("Call them"));
 *     kith_open(&w, "data"); ... kith_close(&w);
 *     struct kith_doc doc = kith_end(&w);
 * What does not fit makes kith_end() give none, which every call refuses with KITH_INVALID; ask
 * `w.is_full` to know.  Of an array the names are 0, 1, ...: pass NULL and they are written. */
#define KITH_NESTING_MAX 16

struct kith_writer {
    unsigned char *data;
    size_t size, room;
    int is_full;
    unsigned depth;
    size_t start[KITH_NESTING_MAX];
    uint32_t index[KITH_NESTING_MAX];
};

static inline unsigned char *kith_take_room(struct kith_writer *w, size_t size)
{
    unsigned char *at = w->data + w->size;
    if (w->is_full || size > w->room - w->size) {
        w->is_full = 1;
        return NULL;
    }
    w->size += size;
    return at;
}

static inline void kith_put_raw(struct kith_writer *w, const void *data, size_t size)
{
    unsigned char *at = kith_take_room(w, size);
    if (at != NULL && size != 0)
        memcpy(at, data, size);
}

static inline void kith_put_32(struct kith_writer *w, uint32_t value)
{
    unsigned char bytes[4] = { (unsigned char)value, (unsigned char)(value >> 8),
                               (unsigned char)(value >> 16), (unsigned char)(value >> 24) };
    kith_put_raw(w, bytes, 4);
}

static inline void kith_put_name(struct kith_writer *w, uint32_t type, const char *name)
{
    char digits[12];
    if (w->is_full || w->depth == 0) {
        w->is_full = 1;
        return;
    }
    if (name == NULL) {
        uint32_t index = w->index[w->depth - 1]++;
        char *at = digits + sizeof digits;
        *--at = '\0';
        do
            *--at = (char)('0' + index % 10);
        while ((index /= 10) != 0);
        name = at;
    }
    unsigned char byte = (unsigned char)type;
    kith_put_raw(w, &byte, 1);
    kith_put_raw(w, name, strlen(name) + 1);
}

static inline void kith_enter(struct kith_writer *w)
{
    if (w->depth == KITH_NESTING_MAX) {
        w->is_full = 1;
        return;
    }
    w->start[w->depth] = w->size;
    w->index[w->depth++] = 0;
    kith_put_32(w, 0);
}

static inline void kith_begin(struct kith_writer *w, void *room, size_t size)
{
    memset(w, 0, sizeof *w);
    w->data = (unsigned char *)room;
    w->room = size;
    kith_enter(w);
}

static inline void kith_open(struct kith_writer *w, const char *name)
{
    kith_put_name(w, KITH_DOC, name);
    kith_enter(w);
}

static inline void kith_open_array(struct kith_writer *w, const char *name)
{
    kith_put_name(w, KITH_ARRAY, name);
    kith_enter(w);
}

static inline void kith_close(struct kith_writer *w)
{
    size_t whole, size;
    unsigned char zero = 0;
    kith_put_raw(w, &zero, 1);
    if (w->is_full || w->depth == 0) {
        w->is_full = 1;
        return;
    }
    whole = w->size;
    size = whole - w->start[--w->depth];
    w->size = w->start[w->depth];
    kith_put_32(w, (uint32_t)size);
    w->size = whole;
}

static inline void kith_put(struct kith_writer *w, const char *name, const struct kith_value *value)
{
    unsigned char zero = 0;
    if (value->type == KITH_NONE)
        return;
    kith_put_name(w, value->type, name);
    switch (value->type) {
    case KITH_NULL:
        return;
    case KITH_BOOL:
        zero = value->as.integer != 0;
        kith_put_raw(w, &zero, 1);
        return;
    case KITH_INT:
    case KITH_TIME:
        kith_put_32(w, (uint32_t)(uint64_t)value->as.integer);
        kith_put_32(w, (uint32_t)((uint64_t)value->as.integer >> 32));
        return;
    case KITH_DOUBLE:
        kith_put_raw(w, &value->as.number, 8);
        return;
    case KITH_TEXT:
        kith_put_32(w, value->size + 1);
        kith_put_raw(w, value->as.bytes, value->size);
        kith_put_raw(w, &zero, 1);
        return;
    case KITH_BINARY:
        kith_put_32(w, value->size);
        kith_put_raw(w, &zero, 1);
        kith_put_raw(w, value->as.bytes, value->size);
        return;
    default:
        if (value->size == 0) /* no document reads as an empty one */
            kith_put_raw(w, "\5\0\0\0", 5);
        kith_put_raw(w, value->as.bytes, value->size);
    }
}

static inline void kith_put_text(struct kith_writer *w, const char *name, struct kith_text text)
{
    struct kith_value value = kith_bytes(KITH_TEXT, text.data, text.size);
    kith_put(w, name, &value);
}

static inline void kith_put_string(struct kith_writer *w, const char *name, const char *string)
{
    kith_put_text(w, name, kith_text(string));
}

static inline void kith_put_int(struct kith_writer *w, const char *name, int64_t integer)
{
    struct kith_value value = kith_int(integer);
    kith_put(w, name, &value);
}

static inline void kith_put_time(struct kith_writer *w, const char *name, int64_t ms)
{
    struct kith_value value = kith_time(ms);
    kith_put(w, name, &value);
}

static inline void kith_put_bool(struct kith_writer *w, const char *name, int is_true)
{
    struct kith_value value = kith_bool(is_true);
    kith_put(w, name, &value);
}

static inline void kith_put_double(struct kith_writer *w, const char *name, double number)
{
    struct kith_value value = kith_double(number);
    kith_put(w, name, &value);
}

static inline void kith_put_doc(struct kith_writer *w, const char *name, struct kith_doc doc)
{
    struct kith_value value = kith_value_of_doc(doc);
    if (doc.size != 0)
        kith_put(w, name, &value);
}

static inline struct kith_doc kith_end(struct kith_writer *w)
{
    struct kith_doc doc = { NULL, 0 };
    kith_close(w);
    if (!w->is_full && w->depth == 0) {
        doc.data = w->data;
        doc.size = w->size;
    }
    return doc;
}

/* -- The deterministic side -------------------------------------------------------------------- */

/* One call of a plugin's function by the engine; nothing of it may be kept. */
struct kith_call;

/* What a function may ask and want while it is called.  What it asks is as it was when the call
 * began, whatever it has wanted since.  What it wants is checked and done in order when it has
 * returned KITH_OK, or not at all.
 *
 * All concerns the subject of the event: its customer, or the company where it has none.  Whatever
 * concerns somebody else is an event sent there (emit with `to`). */
struct kith_engine {
    size_t size;
    uint32_t level, reserved;

    /* The value number `index` of those that the function has declared in `reads`.  KITH_OK also
     * when there is none: out->type is then KITH_NONE.  KITH_DENIED: there is no such number. */
    int32_t (*read)(struct kith_call *call, uint32_t index, struct kith_value *out);

    /* The plugin's own document of this subject under `key`, which it declares as "state.KEY" in
     * `reads`; none: there is none yet.  KITH_DENIED: not declared. */
    int32_t (*state)(struct kith_call *call, const char *key, struct kith_doc *out);

    /* The plugin's configuration, but for what is a secret. */
    int32_t (*config)(struct kith_call *call, struct kith_doc *out);

    /* What a function of Lua was called with, or a hook of the state. */
    int32_t (*arguments)(struct kith_call *call, struct kith_doc *out);

    /* The engine's time: that of the entry. */
    int64_t (*now)(struct kith_call *call);

    /* Keep a document under `key`, which must be declared in kith_plugin.states; none removes it.
     * At most limits.plugin_state_bytes. */
    int32_t (*keep)(struct kith_call *call, const char *key, struct kith_doc doc);

    /* Set the customer's trait "PLUGIN.name", one of kith_plugin.traits; KITH_NULL removes it. */
    int32_t (*publish)(struct kith_call *call, const char *name, const struct kith_value *value);

    /* An event "PLUGIN.name" with `data`.  `to`: another customer, as "42" or "user_id:u-17"; size
     * 0: the one of this event. */
    int32_t (*emit)(struct kith_call *call, const char *name, struct kith_doc data,
                    struct kith_text to);

    /* A word of Lua, whose fields (docs/lua-reference.md) are those of `doc`: remind, after, cancel
     * {key}, send, notify, tag {tag}, untag {tag}, set {name, value}; and of records (those about
     * this customer): create {kind, fields, owner, customers, lines}, move {record, transition,
     * fields}, change {record, fields}, assign {record, to}, link {record, to, type, off}, where
     * `record` and a link's `to` are ids, "complaint:17", and `off` true takes the link away.  A
     * time is text as in Lua, or milliseconds since 1970.  It needs "act:WORD". */
    int32_t (*act)(struct kith_call *call, const char *word, struct kith_doc doc);

    /* What a function of Lua or a hook answers; the last one counts. */
    int32_t (*answer)(struct kith_call *call, const struct kith_value *value);

    /* A line for the trace of the event, where people look for why something happened. */
    int32_t (*note)(struct kith_call *call, struct kith_text line);

    /* Why the call fails, in words for people; returns KITH_FAILED, to be returned on. */
    int32_t (*fail)(struct kith_call *call, const char *reason);
};

typedef int32_t kith_fn(const struct kith_engine *engine, struct kith_call *call);

/* What a plugin does when something happens.  Handlers run in the order in which they are listed,
 * those of all plugins in order of their names and before every rule. */
struct kith_handler {
    size_t size;
    const char *name; /* for traces and metrics; unique in the plugin */

    /* Types of events, NULL behind the last; "*" alone: every one, which is dear. */
    const char *const *types;

    /* What it may read, NULL behind the last; the place in this list is the number for read():
     *     "event.NAME"     of the event: id, type, at, source, by, about; else of its data
     *     "customer.NAME"  a trait, or id, kind, owner, tags, roles; "customer.VIP" as in rules
     *     "state.KEY"      a document of the plugin's own: for state()
     *     "event"          its whole data
     *     "record.NAME"    of the record that the event is about: id, number, kind, state, owner,
     *                      created, since, version, deadlines; else a field
     *     "records.KIND"   the customer's open ones of a kind, the oldest first, at most 50:
     *                      [{id, number, state, owner, created, since, fields}, ...]
     *     "records.KIND?FIELD=NAME"  those whose FIELD is what "event.NAME" is; since level 5
     * Values travel when the plugin is isolated: declare what is needed, and not more. */
    const char *const *reads;
    kith_fn *run;
};

/* A function that rules can call, `PLUGIN.NAME { ... }`, with a table of named values, which
 * arguments() gives.  It returns what answer() was given, or nil.  What it wants is done before the
 * rule goes on, and undone with the rule if that fails.  A name that is not among `takes` is
 * refused before the call, with the nearest one that is and the line of the script. */
struct kith_function {
    size_t size;
    const char *name;
    const char *usage; /* "visits.next { after = \"30d\" }" */
    const char *about; /* a sentence for people */
    const char *const *reads;
    kith_fn *run;
    const char *const *takes; /* NULL behind the last; NULL: any name; since level 3 */
};

/* A document that the plugin keeps about each customer.  It is the host's: it is exported and
 * erased with the customer, and while two customers are one there is one of it. */
struct kith_state {
    size_t size;
    const char *key;  /* unique in the plugin */
    uint32_t version; /* of its shape, from 1 on: raise it when an older one must be converted */
    uint32_t reserved;

    /* Two customers have become one: arguments() {survivor, absorbed}, either may be missing;
     * answer() is the document of both.  NULL: the survivor's, or else the other's.  A trait made
     * of it is published again at "customer.merged", "customer.unmerged", "customer.unmerge". */
    kith_fn *merge;

    /* They are two again: {now, survivor, absorbed}, as both were before and as it is now; answer()
     * {survivor, absorbed}.  NULL: what it is now is the survivor's, the other gets back hers. */
    kith_fn *unmerge;

    /* It was kept by an older version of this plugin: {version, state}; answer() is what it is now.
     * NULL: it is as it was. */
    kith_fn *migrate;

    /* Somebody wants to know what is kept about her: {state}; answer() is it.  NULL: all of it. */
    kith_fn *give;
};

enum { KITH_PERSONAL = 1 };

/* A value about each customer that rules, templates and other plugins read as "PLUGIN.name". */
struct kith_trait {
    size_t size;
    const char *name;
    const char *type;  /* "text", "number", "whole", "time", "flag", "list": for people */
    const char *about; /* a sentence for people */
    uint32_t flags;    /* KITH_PERSONAL: it tells something about a person */
    uint32_t reserved;
};

/* A kind of record (docs/records.md), declared in JSON by the same names as in Lua.  A text
 * "$NAME" in it is what the operator has configured under that name. */
struct kith_kind {
    size_t size;
    const char *name; /* "complaint" */
    const char *json;
};

/* -- The outside side -------------------------------------------------------------------------- */

/* The plugin's place in the host: every call out of it begins with this. */
struct kith;

/* What somebody is told when something that was asked for has come to its end: once, on the loop,
 * never from inside of the call that asked.  Anything but KITH_OK (of ask(): an HTTP status) is a
 * failure, and `result` has {error}, in words for people.  After stop() nobody is told anything. */
typedef void kith_done_fn(void *arg, int32_t status, struct kith_doc result);

/* For append().  `type` is "PLUGIN.name", or says what became of a message that was sent:
 *     message.delivered, message.opened, message.clicked
 *     message.replied
 *     message.bounced         {hard: true}: its address takes nothing ever again
 *     message.complained      nobody writes to its address any more, on any purpose
 *     message.unsubscribed    the consent to its purpose is withdrawn; of an address: nobody writes
 *                             to it any more over this channel, on any purpose
 *     message.resubscribed    of an address: that is over
 * The data of these is {effect, address, hard, detail}: `effect` is the id of the message and says
 * whose event it is; `address`, where the plugin knows it, must be the one that it went to.  Of a
 * message that never left, or that nobody knows, they are refused.
 * Who answers STOP to a channel, and START later, names no message: then the data of the last two
 * is {channel, address}, of a channel of this plugin, and they are the event of `customer`. */
struct kith_event {
    size_t size;
    const char *type;
    struct kith_text customer; /* "42", "email:ann@example.com"; size 0, or not known: nobody's */
    struct kith_text id; /* of the sender's: a second one has no effect, ever, whoever has it */
    int64_t at;          /* when it happened; 0: now */
    struct kith_doc data;
    struct kith_text about; /* a record, "complaint:17" */
    uint64_t request; /* to a route of the plugin, which is answered for it: 204 when the event is
                       * durable and applied, or was before; 503 when it is to come again, 422 when
                       * it is refused.  0: none */
    uint32_t creates, reserved; /* not 0: who has that email, phone or user_id is made known; of
                                 * several who have it she is who is known longest; since level 3 */
    struct kith_doc traits;     /* of whom `creates` has made: {name: "Ann"}; since level 4 */
};

struct kith_ask { /* for ask() */
    size_t size;
    const char *method, *path; /* "GET", "/v1/reminders?to=ann" */
    struct kith_doc body;
    struct kith_text staff; /* on whose behalf; size 0: the plugin's own */
    struct kith_text key;   /* an Idempotency-Key; size 0: none */
    struct kith_text match; /* If-Match: an ETag with its quotes; size 0: none; since level 2 */
};

enum {
    KITH_FETCH_PRIVATE = 1, /* addresses of private networks are allowed */
    KITH_FETCH_ONCE = 2     /* over a connection of its own: never sent a second time, as happens
                             * where one that was kept turns out to be closed */
};

struct kith_fetch { /* for fetch() */
    size_t size;
    const char *method, *url;
    const char *const *headers; /* "Name: value", NULL behind the last; NULL: none */
    const void *body;
    size_t body_size;
    int64_t timeout_ms; /* 0: 30 s */
    size_t answer_max;  /* bytes; 0: 64 KiB, at most 16 MiB */
    uint32_t flags;
    uint32_t reserved;
    const char *ca; /* a PEM file of those who may certify the other side; NULL: the system's */
    const char *credentials; /* "NAME:PASSWORD" for HTTP Basic; NULL: none */
    struct kith_text effect; /* the message that it carries, and which attempt: `done` is told */
    int64_t attempt;         /* both, for deliver(); size 0: none */
    struct kith_doc form;    /* texts and whole numbers, sent as a form in place of `body` */
    struct kith_doc message; /* the message, or what `done` has to know of it; since level 4 */
};

enum { KITH_READABLE = 1, KITH_WRITABLE = 2 };

enum {                    /* what became of an attempt to deliver */
       KITH_SENT = 0,     /* the other side has it */
       KITH_REJECTED = 1, /* it will never take it */
       KITH_RETRY = 2,    /* not this time: try again later */
       KITH_UNCERTAIN = 3 /* nobody knows */
};

struct kith_outcome { /* for deliver() */
    size_t size;
    int32_t outcome;
    int32_t reserved;
    struct kith_text detail; /* for people: the answer of the other side */
    int64_t wait_ms;         /* KITH_RETRY: not before; 0: as usual */
};

struct kith_reply { /* for reply() */
    size_t size;
    int32_t status;
    int32_t reserved;
    const char *const *headers; /* "Name: value", NULL behind the last; NULL: none */
    const void *body;
    size_t body_size;
};

#define KITH_HMAC_SIZE 68 /* of its text, with the zero behind it */

enum { KITH_DEBUG = 0, KITH_INFO = 1, KITH_WARNING = 2, KITH_ERROR = 3 };

/* What the outside side may ask of the host.  On the loop, but for those marked (any thread). */
struct kith_host {
    size_t size;
    uint32_t level, reserved;

    /* Configuration, defaults filled in; a secret is what its file says.  Valid until stop(). */
    int32_t (*config)(struct kith *kith, struct kith_doc *out);

    /* A line for the operator, with the plugin's name. (any thread) */
    void (*log)(struct kith *kith, int32_t level, const char *line);

    /* Add to the plugin's counter `name`, shown as kith_plugin_count{plugin,name}. At most 32. */
    void (*count)(struct kith *kith, const char *name, int64_t by);

    int64_t (*now)(struct kith *kith);                          /* the wall clock (any thread) */
    void (*random)(struct kith *kith, void *data, size_t size); /* the kernel's (any thread) */

    /* Write an event into the log.  `done` (NULL: nobody asks) comes when it is durable and
     * applied, with {seq, customer}, and {duplicate: true} where its id was known.  Needs "append".
     * KITH_BUSY: too many are under way. */
    int32_t (*append)(struct kith *kith, const struct kith_event *event, kith_done_fn *done,
                      void *arg);

    /* A request to Kith's own HTTP interface (docs/http.md), without the network: this is how the
     * outside side reads and how it does what staff can do.  `done` has the HTTP status, and the
     * answer as a document, of a refusal the problem; an answer that is no JSON as {type, body}.
     * Needs "read", "staff" or "admin", as the route does, "append" where events are sent in, and
     * "on-behalf" for `staff`.  What never ends (/v1/stream) cannot be asked for. */
    int32_t (*ask)(struct kith *kith, const struct kith_ask *ask, kith_done_fn *done, void *arg);

    /* An HTTP request to somewhere else, over the host's own client.  `done` has KITH_OK and
     * {status, headers: [[name, value], ...], body}, the body binary; or KITH_IO, or KITH_LIMIT of
     * a body beyond answer_max, and {error}, also {status, headers} where they have come, or
     * {unsent: true} where the request has not gone out.  In any case there is {detail}, what
     * became of it in words for people, {retry_after}, in ms, where the answer asks for it, and
     * {effect, attempt, message} as they were given.  No redirect is followed.  Needs "fetch", and
     * "fetch-private" for KITH_FETCH_PRIVATE. */
    int32_t (*fetch)(struct kith *kith, const struct kith_fetch *fetch, kith_done_fn *done,
                     void *arg);

    /* Call `run` once, in `ms`.  *out_timer names it for cancel(), never 0; NULL: nobody wants to
     * know.  One that has run, or was never there, is cancelled in silence. */
    int32_t (*timer)(struct kith *kith, int64_t ms, void (*run)(void *arg), void *arg,
                     uint64_t *out_timer);
    void (*cancel)(struct kith *kith, uint64_t timer);

    /* Call `ready` whenever the descriptor is KITH_READABLE or KITH_WRITABLE, as asked for in
     * `events`; the same descriptor again: other events, 0: no more (before it is closed).  What is
     * wrong with it comes as both, and is found out by reading.  A thread of the plugin's own
     * speaks to the loop by a pipe or an eventfd that is watched.  Needs "sockets". */
    int32_t (*watch)(struct kith *kith, int fd, uint32_t events,
                     void (*ready)(void *arg, int fd, uint32_t events), void *arg);

    /* Listen on "127.0.0.1:2525", "[::1]:0" or "unix:PATH", and give each connection to
     * `accepted`, which owns it then (not blocking, closed on exec).  *out_port is the one taken,
     * of a port 0.  A socket file that nobody listens at any more is replaced.  It ends with
     * stop().  Needs "sockets". */
    int32_t (*listen)(struct kith *kith, const char *address,
                      void (*accepted)(void *arg, int fd, const char *peer), void *arg,
                      uint16_t *out_port);

    /* Run `work` on a thread of the host's, where it may block, and then `done` on the loop.  Of
     * `kith` it may use only what is for any thread.  Two run at once, the others wait; stop() is
     * not called while one runs.  Needs "work". */
    int32_t (*work)(struct kith *kith, void (*work)(void *arg), void (*done)(void *arg), void *arg);

    /* Files beside the log (docs/files.md), which an event names by their hash within a day.
     * `done` of file_read has {type, data}, of file_write {hash}.  Needs "files". */
    int32_t (*file_read)(struct kith *kith, struct kith_text hash, kith_done_fn *done, void *arg);
    int32_t (*file_write)(struct kith *kith, const char *type, const void *data, size_t size,
                          kith_done_fn *done, void *arg);

    /* What became of an attempt: once for each message that a channel was given, from inside of
     * send() or later.  An attempt that nobody speaks of for two minutes is uncertain. */
    int32_t (*deliver)(struct kith *kith, struct kith_text effect, int64_t attempt,
                       const struct kith_outcome *outcome);

    /* Nothing more for this channel until a person resumes it. */
    int32_t (*pause)(struct kith *kith, const char *channel, const char *reason);

    /* Answer a request to one of the plugin's routes: once each, from inside of handle() or within
     * a minute.  Among the headers may be Content-Type, but not Content-Length, Connection,
     * Transfer-Encoding and Date, which are the host's. */
    int32_t (*reply)(struct kith *kith, uint64_t request, const struct kith_reply *reply);

    /* A document as JSON, and the JSON of an object as a document, by the rules of docs/http.md:
     * times are text, bytes are base64.  What comes out lives until the same is called again, or
     * the plugin returns.  KITH_INVALID: it is no JSON, or nests too deeply. */
    int32_t (*to_json)(struct kith *kith, struct kith_doc doc, struct kith_text *out);
    int32_t (*from_json)(struct kith *kith, struct kith_text json, struct kith_doc *out);

    /* The same of application/x-www-form-urlencoded, which is also what queries are: texts, sorted
     * by their names and then by themselves, as those who sign forms have it.  A name that is said
     * with several texts is there as often: such a document is for reading, and no event's.  A "%"
     * that encodes nothing stays as it is; KITH_INVALID: a zero, no UTF-8, over 1,000 fields. */
    int32_t (*from_form)(struct kith *kith, struct kith_text form, struct kith_doc *out);

    /* The HMAC of `data` with `key`, written as `how` says: "sha1-base64", "sha256-base64" or
     * "sha256-hex".  One that came with a request is compared by kith_is_same(). (any thread) */
    int32_t (*hmac)(struct kith *kith, const char *how, struct kith_text key, struct kith_text data,
                    char out[KITH_HMAC_SIZE]);
};

/* Answer a request with a short text of a type, "text/plain". */
static inline int32_t kith_answer(const struct kith_host *host, struct kith *kith, uint64_t request,
                                  int32_t status, const char *type, const char *text)
{
    char header[128] = "Content-Type: ";
    const char *headers[2] = { header, NULL };
    struct kith_reply reply;
    memset(&reply, 0, sizeof reply);
    reply.size = sizeof reply;
    reply.status = status;
    reply.headers = headers;
    reply.body = text;
    reply.body_size = strlen(text);
    strncat(header, type, sizeof header - strlen(header) - 1);
    return host->reply(kith, request, &reply);
}

/* What became of an attempt, in one line. */
static inline int32_t kith_deliver(const struct kith_host *host, struct kith *kith,
                                   struct kith_text effect, int64_t attempt, int32_t outcome,
                                   const char *detail, int64_t wait_ms)
{
    struct kith_outcome told;
    memset(&told, 0, sizeof told);
    told.size = sizeof told;
    told.outcome = outcome;
    told.detail = kith_text(detail);
    told.wait_ms = wait_ms;
    return host->deliver(kith, effect, attempt, &told);
}

/* The same of a fetch() that carried it, to a provider that does not drop what comes twice: what it
 * may have taken without saying so is uncertain. */
static inline int32_t kith_deliver_result(const struct kith_host *host, struct kith *kith,
                                          int32_t code, struct kith_doc result)
{
    int64_t status = kith_get_int(result, "status", 0);
    int is_later = status == 401 || status == 403 || status == 429 || status == 503;
    int32_t outcome = KITH_UNCERTAIN;
    if (kith_get_int(result, "unsent", 0) != 0 || (code == KITH_OK && is_later))
        outcome = KITH_RETRY;
    else if (code == KITH_OK && status / 100 == 2)
        outcome = KITH_SENT;
    else if (code == KITH_OK && (status / 100 == 3 || status / 100 == 4))
        outcome = KITH_REJECTED;
    return kith_deliver(host, kith, kith_get_text(result, "effect"),
                        kith_get_int(result, "attempt", 0), outcome,
                        outcome == KITH_SENT ? "" : kith_get_string(result, "detail"),
                        kith_get_int(result, "retry_after", 0));
}

/* Whether `given` is the HMAC of `data` with any of `keys`, a list of texts. */
static inline int kith_is_signed(const struct kith_host *host, struct kith *kith, const char *how,
                                 struct kith_doc keys, struct kith_text data,
                                 struct kith_text given)
{
    struct kith_iter it = kith_iter(keys);
    char mac[KITH_HMAC_SIZE];
    while (kith_next(&it))
        if (host->hmac(kith, how, kith_as_text(&it.value), data, mac) == KITH_OK &&
            kith_is_same(given, mac))
            return 1;
    return 0;
}

/* A message to be sent. */
struct kith_message {
    size_t size;
    struct kith_text effect; /* its id, the same for every attempt: "812.3" */
    int64_t attempt;         /* from 1 on */
    struct kith_doc message; /* {id, customer or staff, address, subject, body, links, ...} */
    struct kith_text channel;
};

enum { KITH_CLOSED = 0, KITH_OPEN = 1, KITH_HALF_OPEN = 2 };

struct kith_channel_status {
    size_t size;
    size_t window;      /* messages that may be under way now; 0: none */
    int64_t wait_ms;    /* of window 0: ask again in so long */
    const char *target; /* for people, without secrets, until asked again; NULL: nothing to say */
    struct kith_text channel; /* which one is asked */
    uint32_t circuit;         /* for people: KITH_OPEN: the other side fails and is left alone;
                               * KITH_HALF_OPEN: it is tried with one message */
    uint32_t failures;        /* in a row */
};

enum {
    KITH_NEEDS_ADDRESS = 1, /* without an address of this channel a message is rejected */
    KITH_IDEMPOTENT = 2,    /* the other side drops a repeated id: doubt is resolved by another */
    KITH_MACHINE = 4,       /* a program reads it: data, and also what is about nobody */
    KITH_HTML = 8,          /* its bodies are HTML: templates escape what they are filled with */
    KITH_MARKDOWN = 16,     /* ... or Markdown; not both */
    KITH_FILES = 32 /* messages may have `attach`, [{hash, name}], for file_read(); since level 3 */
};

struct kith_channel {
    size_t size;
    const char *name; /* of the channel: "email"; "{FIELD}": one by each name among the tables of
                       * this field of `config`, of KITH_HTML where its `html` is true */
    uint32_t flags;
    uint32_t reserved;
    void (*send)(void *self, const struct kith_message *message);
    void (*status)(void *self, struct kith_channel_status *status); /* NULL: 100 at once */
};

/* This struct will never grow. */
struct kith_param {
    struct kith_text name, value;
};

/* A request to one of the plugin's routes.  It and all it points to live until it is answered, by
 * the plugin or, after a minute, for it. */
struct kith_request {
    size_t size;
    uint64_t id; /* for reply() */
    const char *method;
    struct kith_text path, query; /* as they were sent, `query` without "?" */
    const struct kith_param *params;
    size_t param_count; /* of {NAME} in the route's path, decoded; and `*`, what stands for it */
    const struct kith_param *headers;
    size_t header_count;
    const void *body;
    size_t body_size;
    struct kith_text key, staff; /* whose key it came with; size 0: none, nobody's */
    struct kith_text peer;       /* the other side's address */
};

/* The first header of that name, in whatever case; size 0: there is none. */
static inline struct kith_text kith_header(const struct kith_request *request, const char *name)
{
    struct kith_text none = { "", 0 };
    size_t size = strlen(name);
    for (size_t i = 0; i < request->header_count; i++) {
        const struct kith_param *header = &request->headers[i];
        size_t same = 0;
        while (same < size && header->name.size == size &&
               (header->name.data[same] | 0x20) == (name[same] | 0x20))
            same++;
        if (same == size && header->name.size == size)
            return header->value;
    }
    return none;
}

/* What stands for {NAME} in the route's path; size 0: there is no such one. */
static inline struct kith_text kith_param(const struct kith_request *request, const char *name)
{
    struct kith_text none = { "", 0 };
    for (size_t i = 0; i < request->param_count; i++)
        if (kith_is(request->params[i].name, name))
            return request->params[i].value;
    return none;
}

enum {                     /* whose requests a route takes */
       KITH_AUTH_NONE = 0, /* everybody's: the plugin looks itself */
       KITH_AUTH_WRITE = 1,
       KITH_AUTH_READ = 2,
       KITH_AUTH_STAFF = 3,
       KITH_AUTH_ADMIN = 4
};

struct kith_route {
    size_t size;
    const char *method;  /* "POST", "PROPFIND", ...; "*": any */
    const char *path;    /* "/v1/hooks/{name}"; ending in "/ *" without the blank: all below */
    const char *summary; /* one line for /openapi.json */
    const char *openapi; /* JSON of the operation, merged over what Kith says; NULL: nothing */
    uint32_t auth;
    uint32_t reserved;
    size_t body_max; /* 0: none */
    void (*handle)(void *self, const struct kith_request *request);
};

struct kith_job {
    size_t size;
    const char *name;
    int64_t every_ms; /* at least 1,000; the first time after as long */
    void (*run)(void *self);
};

/* -- The description --------------------------------------------------------------------------- */

enum {
    KITH_REQUIRED = 1,
    KITH_SECRET = 2, /* written as secret "FILE": the outside side gets what the file says */
    KITH_OUTSIDE = 4 /* the outside side alone gets it; it is kept out of the log */
};

/* What the operator may write into `config` of the plugin. */
struct kith_field {
    size_t size;
    const char *name;
    const char *type;     /* "text", "whole", "number", "flag", "duration" ("30s", given as ms),
                           * "list" (of texts; of a secret, the lines of its file), "tables", as
                           * { erp = { url = ... }, ... }; since level 5: "period" ("10wd" or "",
                           * given as text, for act()), "channel" (one that there is, or "") */
    const char *standard; /* what it is when it is not given, written as in kith.lua; NULL: none */
    const char *about;    /* a sentence for people */
    uint32_t flags;
    uint32_t reserved;
    const struct kith_field *const *fields; /* of "tables": what each of them may have, NULL behind
                                             * the last, no "tables" among them */
    int64_t least, most;                    /* of "whole", and of "duration" in ms; both 0: any */
};

struct kith_plugin {
    size_t size;         /* sizeof(struct kith_plugin) */
    uint32_t abi;        /* KITH_ABI */
    uint32_t reserved;   /* 0 */
    const char *name;    /* [a-z][a-z0-9_]{0,30}: the first word of all its events and traits */
    const char *version; /* of the plugin, for people */
    const char *about;   /* a sentence for people */

    /* Capabilities, NULL behind the last: what the operator has to grant before anything runs.
     *     append read staff admin on-behalf fetch fetch-private sockets work files channel routes
     *     act:remind act:after act:send ...
     * A call without its capability answers KITH_DENIED. */
    const char *const *needs;

    /* Lists of pointers, NULL behind the last; NULL: none. */
    const struct kith_field *const *config;
    const struct kith_handler *const *handlers;
    const struct kith_function *const *functions;
    const struct kith_state *const *states;
    const struct kith_trait *const *traits;
    const struct kith_kind *const *kinds;
    const struct kith_channel *const *channels;
    const struct kith_route *const *routes;
    const struct kith_job *const *jobs;

    /* The outside side begins: `host` and `kith` are valid until stop() has returned.  *out_self is
     * handed to everything that takes `self`.  Anything but KITH_OK: the plugin cannot work, and
     * `reason`, of 256 bytes, says why.  Before a plugin is loaded anew it is tried: start() and
     * stop() are called in a process of its own, where whatever is asked for is answered KITH_BUSY.
     * NULL: there is no outside side. */
    int32_t (*start)(const struct kith_host *host, struct kith *kith, void **out_self,
                     char *reason);

    /* The end: give back what start() took.  Before it nothing new comes in, and the host waits a
     * while for messages, requests and works that are under way; none of the plugin's works runs
     * while it is called.  Nothing is called any more afterwards.  Also after a start() that
     * failed, if that had set *out_self. */
    void (*stop)(void *self);

    /* A customer is being erased: whatever the plugin keeps of her outside must go.  Nothing of her
     * is in Kith any more; she is known by her number only.  Anything but KITH_OK: not yet; it is
     * called again until it is done, at least twice, and her erasure is not done before. */
    int32_t (*erased)(void *self, uint64_t customer);

    /* The operator has changed files of secrets: from now on config() gives what they say, and what
     * it gave before stays as it is.  NULL: it counts from the next start on. */
    void (*reread)(void *self);
};

/* The one symbol that a plugin exports.  It returns a constant, has no effect, and may be called
 * before anything else and more than once. */
KITH_EXPORT const struct kith_plugin *kith_describe(void);

#ifdef __cplusplus
}
#endif

#endif
