/* config.h -- the part of the world that is data: zone, country, channels, limits.
 *
 * A `world` entry carries it as a document; the engine decodes it once, when the
 * world in force changes.  Every field has a default, so that an empty document
 * is a valid world.
 *
 * A config is a plain value of some tens of KiB that owns nothing and borrows only the zone, which
 * lives for ever.  Bytes, milliseconds and counts are as the names say; the defaults and
 * meanings of limits stand in base/limits.h.  Any thread.
 */
#ifndef CORE_ENGINE_CONFIG_H
#define CORE_ENGINE_CONFIG_H

#include "core/base/doc.h"
#include "core/base/identity_text.h"
#include "core/base/limits.h"
#include "core/base/locale.h"
#include "core/base/mustache.h"
#include "core/base/phone.h"

struct err;
struct zone;

#define CONFIG_CHANNELS_MAX 32
#define CONFIG_BLOCKED_MAX 64
#define CONFIG_NAME_MAX 64
#define CONFIG_PLUGINS_MAX 32

/* What the engine must know of a channel; how it delivers is not its business. */
struct channel_config {
    char name[CONFIG_NAME_MAX];
    bool needs_address; /* without one a message is rejected */
    bool is_idempotent; /* the receiver drops a repeated id: doubt is resolved by sending again */
    bool is_machine;    /* a program listens: data instead of a body, also about nobody */
    bool takes_files;   /* its messages may have some attached */
    enum mustache_escape escape; /* what its bodies are, for the values of templates */
};

/* An identity value that identifies nobody, in all the forms in which an identity may be kept; one
 * that it cannot have is empty. */
struct blocked_value {
    char as_written[IDENTITY_BYTES_MAX + 1], email[IDENTITY_EMAIL_SIZE], phone[PHONE_SIZE];
};

struct limits { /* [world] of base/limits.h */
    int64_t cascade_depth, derived, cascade_rest_ms;
    int64_t timers_per_tick, sweep_per_tick, moves_per_tick, erase_per_tick;
    int64_t rule_instructions, rule_memory_bytes, rule_arena_bytes, rule_cpu_ms, trace_lines;
    int64_t identities, traits, trait_sources, profile_bytes, group, timers;
    int64_t records, record_bytes, record_lines;
    int64_t effect_attempts, effect_expires_ms, effect_retry_ms, effect_bytes, dedupe_days;
    int64_t plugin_state_bytes, plugin_parked, parked_per_tick;
};

/* One of them. */
struct limit {
    const char *name; /* NULL ends the table */
    size_t offset;    /* in struct limits */
    int64_t standard, least, most;
    const char *text; /* of what */
};

extern const struct limit config_limits[];

struct config {
    const struct zone *zone;         /* the company's */
    char country[3];                 /* default region of phone numbers */
    char locale[LOCALE_TAG_MAX + 1]; /* of messages to those whose own is not known; may be empty */
    char fallback[CONFIG_NAME_MAX];  /* who gets the work of nobody */
    struct channel_config channels[CONFIG_CHANNELS_MAX];
    size_t channel_count;
    struct blocked_value blocked[CONFIG_BLOCKED_MAX];
    size_t blocked_count;
    char plugins[CONFIG_PLUGINS_MAX][CONFIG_NAME_MAX]; /* by name, in order */
    size_t plugin_count;
    struct limits limits;
};

/* Decode `doc`; what is missing has its default.  E_INVALID names the field; E_LIMIT: too many
 * channels or blocked values; after either the config is of no use. */
int config_read(struct config *config, struct doc doc, struct err *err);

/* NULL: there is no such channel. Borrowed from the config. */
const struct channel_config *config_channel(const struct config *config, struct text name);
/* Whether this value, as identity_normal() gives it, identifies nobody. */
bool config_is_blocked(const struct config *config, struct text identity);

/* The plugin that types of events and traits of this name belong to, by their first word; empty:
 * they are nobody's.  Borrowed from the config. */
struct text config_owner(const struct config *config, struct text name);

#endif
