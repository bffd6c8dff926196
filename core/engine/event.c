/* event.c -- reading an envelope and naming its fields; see event.h. */
#include "core/engine/event.h"

#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "storage/key.h"

#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 1000 /* beyond every limits.cascade_depth */

/* The first words of the system's own types. */
static const char *const system_words[] = {
    "address",   "budget", "bundle",      "channel",  "clock",    "consent", "customer", "daemon",
    "duplicate", "effect", "erase",       "identity", "key",      "member",  "message",  "owner",
    "plugin",    "pool",   "record",      "relation", "reminder", "replay",  "role",     "rule",
    "schedule",  "staff",  "suppression", "tag",      "trait",    "verdict", "world",
};

/* Entries of the system whose types have no dot. */
static bool is_entry_of_system(struct text type)
{
    return text_is(type, "tick") || text_is(type, "verdict") || text_is(type, "world");
}

struct text event_type_word(struct text type)
{
    const char *dot = type.size != 0 ? memchr(type.data, '.', type.size) : NULL;
    return (struct text){ type.data, dot != NULL ? (uint32_t)(dot - type.data) : 0 };
}

bool event_type_is_system(struct text type)
{
    if (is_entry_of_system(type))
        return true;
    struct text word = event_type_word(type);
    for (size_t i = 0; word.size != 0 && i < sizeof system_words / sizeof *system_words; i++)
        if (text_is(word, system_words[i]))
            return true;
    return false;
}

bool event_type_is_of_records(struct text type)
{
    static const char prefix[] = "record.";
    return type.size > strlen(prefix) && memcmp(type.data, prefix, strlen(prefix)) == 0;
}

struct text event_plugin(const struct event *event)
{
    const uint32_t size = sizeof EVENT_PLUGIN_PREFIX - 1;
    bool is_plugin = event->class == LOG_PLUGIN && event->source.size > size &&
                     memcmp(event->source.data, EVENT_PLUGIN_PREFIX, size) == 0;
    return is_plugin ? (struct text){ event->source.data + size, event->source.size - size }
                     : (struct text){ "", 0 };
}

static struct text *text_field(struct event *event, struct text name)
{
    switch (name.size) {
    case 2:
        return text_is(name, "id") ? &event->id : text_is(name, "by") ? &event->by : NULL;
    case 3:
        return text_is(name, "ref") ? &event->ref : NULL;
    case 4:
        return text_is(name, "type")   ? &event->type
               : text_is(name, "call") ? &event->call
               : text_is(name, "user") ? &event->user
               : text_is(name, "anon") ? &event->anon
                                       : NULL;
    case 5:
        return text_is(name, "about") ? &event->about : NULL;
    case 6:
        return text_is(name, "source") ? &event->source : NULL;
    default:
        return NULL;
    }
}

static void read_field(struct event *event, const struct doc_iter *it)
{
    const struct doc_value *value = &it->value;
    if (value->type == DOC_TEXT) {
        struct text *field = text_field(event, it->name);
        if (field != NULL)
            *field = value->text;
    } else if (value->type == DOC_DOC) {
        if (text_is(it->name, "data"))
            event->data = value->doc;
        else if (text_is(it->name, "context"))
            event->context = value->doc;
        else if (text_is(it->name, "traits") && event->class == LOG_PLUGIN)
            event->traits = value->doc;
    } else if (value->type == DOC_INT64) {
        if (text_is(it->name, "at"))
            event->at = value->integer;
        else if (text_is(it->name, "depth") && value->integer > 0 && event->class == LOG_SYSTEM)
            event->depth = (unsigned)(value->integer < DEPTH_MAX ? value->integer : DEPTH_MAX);
        else if (text_is(it->name, "from") && event->class == LOG_SYSTEM)
            event->from = (uint64_t)value->integer;
    } else if (value->type == DOC_BOOL) {
        if (text_is(it->name, "forever"))
            event->forever = value->boolean;
        else if (text_is(it->name, "historic"))
            event->historic = value->boolean;
        else if (text_is(it->name, "creates") && event->class == LOG_PLUGIN)
            event->creates = value->boolean;
    }
}

int event_read(struct event *event, const struct log_entry *entry, struct err *err)
{
    *event = (struct event){
        .seq = entry->seq,
        .class = entry->class,
        .at = entry->logged,
        .logged = entry->logged,
    };
    struct doc body = { entry->body, (uint32_t)entry->size };
    for (struct doc_iter it = doc_iter(body); doc_next(&it);)
        read_field(event, &it);
    if (event->type.size == 0 || event->type.size > TYPE_BYTES_MAX)
        return err_set(err, E_INVALID, "entry %llu: a type of %u bytes, not 1 to %d",
                       (unsigned long long)entry->seq, event->type.size, TYPE_BYTES_MAX);
    if (event->about.size > NAME_BYTES_MAX || event->by.size > NAME_BYTES_MAX ||
        event->source.size > NAME_BYTES_MAX)
        return err_set(err, E_LIMIT, "entry %llu: about, by and source have at most %d bytes",
                       (unsigned long long)entry->seq, NAME_BYTES_MAX);
    if (event->at > event->logged)
        event->at = event->logged;
    return 0;
}

struct doc_value event_field(const struct event *event, struct text name,
                             char id[EVENT_ID_TEXT_MAX])
{
    struct doc_value value = { .type = DOC_NONE };
    const struct text *text = NULL;
    struct text shown;
    switch (name.size) {
    case 2:
        if (text_is(name, "at"))
            return (struct doc_value){ .type = DOC_DATETIME, .integer = event->at };
        if (text_is(name, "id")) {
            shown = event->id.size != 0 ? event->id : event_id_text(event->seq, event->n, id);
            text = &shown;
        }
        text = text_is(name, "by") ? &event->by : text;
        break;
    case 3:
        if (text_is(name, "seq"))
            return (struct doc_value){ .type = DOC_INT64, .integer = (int64_t)event->seq };
        break;
    case 4:
        text = text_is(name, "type") ? &event->type : NULL;
        if (text_is(name, "data"))
            return (struct doc_value){ .type = DOC_DOC, .doc = event->data };
        break;
    case 5:
        text = text_is(name, "about") ? &event->about : NULL;
        break;
    case 6:
        text = text_is(name, "source") ? &event->source : NULL;
        if (text_is(name, "logged"))
            return (struct doc_value){ .type = DOC_DATETIME, .integer = event->logged };
        break;
    case 7:
        if (text_is(name, "context"))
            return (struct doc_value){ .type = DOC_DOC, .doc = event->context };
        break;
    case 8:
        if (text_is(name, "customer") && event->customer != 0)
            return (struct doc_value){ .type = DOC_INT64, .integer = (int64_t)event->customer };
        break;
    default:
        break;
    }
    if (text != NULL && text->size != 0)
        return (struct doc_value){ .type = DOC_TEXT, .text = *text };
    if (text == NULL)
        value = doc_get_text(event->data, name);
    return value;
}

struct text event_id_text(uint64_t seq, uint64_t n, char text[EVENT_ID_TEXT_MAX])
{
    int size = n == 0 ? snprintf(text, EVENT_ID_TEXT_MAX, "%llu", (unsigned long long)seq)
                      : snprintf(text, EVENT_ID_TEXT_MAX, "%llu.%llu", (unsigned long long)seq,
                                 (unsigned long long)n);
    return (struct text){ text, (uint32_t)size };
}

struct text event_id_of_key(struct bytes key, size_t prefix_size, char text[EVENT_ID_TEXT_MAX])
{
    struct key_reader reader = { key.data + prefix_size, key.data + key.size };
    uint64_t seq, n;
    bool is_id = key_read_number(&reader, &seq) && key_read_number(&reader, &n);
    ASSERT(is_id);
    return event_id_text(seq, n, text);
}

static bool parse_number(const char **at, const char *end, uint64_t *out_number)
{
    const char *start = *at;
    uint64_t number = 0;
    while (*at < end && **at >= '0' && **at <= '9' && number < UINT64_MAX / 10 - 1)
        number = number * 10 + (uint64_t)(*(*at)++ - '0');
    *out_number = number;
    return *at != start;
}

bool event_id_parse(struct text text, uint64_t *out_seq, uint64_t *out_n)
{
    if (text.size == 0)
        return false;
    const char *at = text.data, *end = text.data + text.size;
    uint64_t seq = 0, n = 0;
    if (!parse_number(&at, end, &seq))
        return false;
    if (at < end && (*at++ != '.' || !parse_number(&at, end, &n)))
        return false;
    if (at != end)
        return false;
    *out_seq = seq;
    *out_n = n;
    return true;
}
