/* config.c -- decoding the world's config; see config.h. */
#include "core/engine/config.h"

#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/near.h"
#include "core/base/zone.h"

#include <stdio.h>
#include <string.h>

/* A row that is told as it is checked: docs/lua-reference.md is made of it. */
const struct limit config_limits[] = {
#define LIMIT(field, standard, least, most, text)                           \
    {                                                                       \
#field, offsetof(struct limits, field), standard, least, most, text \
    }
    LIMIT(cascade_depth, CASCADE_DEPTH_MAX, 1, 64, "how deep events lead to events"),
    LIMIT(derived, DERIVED_MAX, 1, 100000, "events that one event leads to, in all"),
    LIMIT(cascade_rest_ms, CASCADE_REST_MS, 1000, 86400000,
          "a timer that far ahead begins anew, with a depth of none"),
    LIMIT(timers_per_tick, TIMERS_PER_TICK_MAX, 1, 100000,
          "timers that fall due in one entry; the others follow at once"),
    LIMIT(sweep_per_tick, SWEEP_PER_TICK_MAX, 1, 100000,
          "customers who are looked at in one entry after rules have changed"),
    LIMIT(moves_per_tick, MOVES_PER_TICK_MAX, 1, 100000,
          "timers that are looked at in one entry because a zone has changed"),
    LIMIT(erase_per_tick, ERASE_PER_TICK_MAX, 1, 100000,
          "rows that erasures take away in one entry"),
    LIMIT(rule_instructions, RULE_INSTRUCTIONS_MAX, 1000, 1000000000,
          "instructions of one run of a rule"),
    LIMIT(rule_memory_bytes, RULE_MEMORY_BYTES_MAX, 65536, 1 << 30,
          "memory of Lua, of one run of a rule"),
    LIMIT(rule_arena_bytes, RULE_ARENA_BYTES_MAX, 65536, 1 << 30,
          "memory that one run of a rule makes the engine take"),
    LIMIT(rule_cpu_ms, RULE_CPU_MS, 100, 3600000,
          "of the processor for one event, where instructions are dearer than they should be: the "
          "rule that runs is ended before twice that"),
    LIMIT(trace_lines, TRACE_LINES_MAX, 0, 1000, "lines of `log` for one event"),
    LIMIT(identities, IDENTITIES_MAX, 1, 1000, "identities of one customer"),
    LIMIT(traits, TRAITS_MAX, 1, 5000, "traits of one customer"),
    LIMIT(trait_sources, TRAIT_SOURCES_MAX, 1, 64,
          "values that are kept of one trait, each with its source"),
    LIMIT(profile_bytes, PROFILE_BYTES_MAX, 1024, 60 << 10,
          "all that is kept of one customer, but for her events"),
    LIMIT(group, GROUP_MAX, 2, 1000, "customers merged into one"),
    LIMIT(timers, CUSTOMER_TIMERS_MAX, 1, 100000, "timers and open reminders of one customer"),
    LIMIT(records, CUSTOMER_RECORDS_MAX, 1, 10000, "open records about one customer"),
    LIMIT(record_bytes, RECORD_ROW_BYTES_MAX, 1024, 40 << 10, "of one record"),
    LIMIT(record_lines, RECORD_LINES_MAX, 0, 1000, "lines of one record"),
    LIMIT(effect_attempts, EFFECT_ATTEMPTS_MAX, 1, 100, "attempts at one message"),
    LIMIT(effect_expires_ms, EFFECT_EXPIRES_MS, 1000, 366ll * 86400000,
          "how long a message is good for whose rule does not say"),
    LIMIT(effect_retry_ms, EFFECT_RETRY_MS, 1, 86400000,
          "the rest before the second attempt; then it doubles"),
    LIMIT(effect_bytes, EFFECT_BYTES_MAX, 64, 60 << 10, "of one message"),
    LIMIT(plugin_state_bytes, PLUGIN_STATE_BYTES_MAX, 64, 60 << 10,
          "of a document that a plugin keeps about one customer"),
    LIMIT(plugin_parked, PLUGIN_PARKED_MAX, 0, 1000000,
          "events that wait for a plugin that is quarantined; of more it never hears"),
    LIMIT(parked_per_tick, PARKED_PER_TICK_MAX, 1, 100000,
          "of these that a plugin hears of in one entry when it is back"),
    LIMIT(dedupe_days, DEDUPE_DAYS, 1, 30, "how long a sender's id is remembered"),
#undef LIMIT
    { 0 },
};

#define LIMIT_COUNT (sizeof config_limits / sizeof *config_limits - 1)

static int64_t *limit_field(struct limits *limits, size_t offset)
{
    return (int64_t *)(void *)((char *)limits + offset);
}

/* Whoever wrote it meant one of them. */
static int refuse_limit(const char *name, struct err *err)
{
    size_t count = LIMIT_COUNT, least = SIZE_MAX, used = 0;
    const char *near = "";
    char list[200] = "";
    for (size_t i = 0; i < count; i++) {
        size_t distance = near_distance(name, config_limits[i].name);
        near = distance < least ? config_limits[i].name : near;
        least = distance < least ? distance : least;
    }
    if (near_is_likely(least, name))
        return err_set(err, E_INVALID, "no limit is called %s; did you mean %s?", name, near);
    for (size_t i = 0; i < count && used + strlen(config_limits[i].name) + 2 < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, " %s", config_limits[i].name);
    return err_set(err, E_INVALID, "no limit is called %s; there are%s and others", name, list);
}

static int read_limits(struct limits *limits, struct doc doc, struct err *err)
{
    size_t count = LIMIT_COUNT;
    for (size_t i = 0; i < count; i++) {
        int64_t value = doc_int(doc, config_limits[i].name, config_limits[i].standard);
        if (value < config_limits[i].least || value > config_limits[i].most)
            return err_set(err, E_INVALID, "limit %s is %lld: it must be from %lld to %lld",
                           config_limits[i].name, (long long)value,
                           (long long)config_limits[i].least, (long long)config_limits[i].most);
        *limit_field(limits, config_limits[i].offset) = value;
    }
    for (struct doc_iter it = doc_iter(doc); doc_next(&it);) {
        size_t i = 0;
        while (i < count && !text_is(it.name, config_limits[i].name))
            i++;
        if (i == count)
            return refuse_limit(it.name.data, err);
    }
    return 0;
}

/* Copy into a fixed array; the longest name is refused rather than cut. */
static int copy_name(char *out, size_t size, struct text name, const char *what, struct err *err)
{
    if (name.size >= size)
        return err_set(err, E_LIMIT, "%s %.*s: at most %zu bytes", what, (int)name.size, name.data,
                       size - 1);
    if (name.size != 0)
        memcpy(out, name.data, name.size);
    out[name.size] = '\0';
    return 0;
}

static int read_channels(struct config *config, struct doc doc, struct err *err)
{
    for (struct doc_iter it = doc_iter(doc); doc_next(&it);) {
        if (config->channel_count == CONFIG_CHANNELS_MAX)
            return err_set(err, E_LIMIT, "more than %d channels", CONFIG_CHANNELS_MAX);
        struct channel_config *channel = &config->channels[config->channel_count++];
        struct doc fields = it.value.type == DOC_DOC ? it.value.doc : (struct doc){ NULL, 0 };
        channel->needs_address = doc_bool(fields, "address", false);
        channel->is_idempotent = doc_bool(fields, "idempotent", false);
        channel->is_machine = doc_bool(fields, "machine", false);
        channel->takes_files = doc_bool(fields, "files", false);
        channel->escape = doc_bool(fields, "html", false)       ? MUSTACHE_HTML
                          : doc_bool(fields, "markdown", false) ? MUSTACHE_MARKDOWN
                                                                : MUSTACHE_PLAIN;
        int rc = copy_name(channel->name, sizeof channel->name, it.name, "channel", err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* What the two kinds of identity that have a normal form make of the value. */
static void read_forms(struct blocked_value *blocked, struct text value, const char *region)
{
    if (identity_email(value.data, value.size, blocked->email, NULL) != 0)
        blocked->email[0] = '\0';
    if (phone_normalise(value.data, value.size, region, blocked->phone, NULL) != 0)
        blocked->phone[0] = '\0';
}

static int read_blocked(struct config *config, struct doc doc, struct err *err)
{
    const char *region = config->country[0] != '\0' ? config->country : NULL;
    for (struct doc_iter it = doc_iter(doc); doc_next(&it);) {
        if (config->blocked_count == CONFIG_BLOCKED_MAX)
            return err_set(err, E_LIMIT, "more than %d blocked identities", CONFIG_BLOCKED_MAX);
        struct text value = it.value.type == DOC_TEXT ? it.value.text : (struct text){ "", 0 };
        struct blocked_value *blocked = &config->blocked[config->blocked_count++];
        int rc = copy_name(blocked->as_written, sizeof blocked->as_written, value,
                           "blocked identity", err);
        if (rc != 0)
            return rc;
        read_forms(blocked, value, region);
    }
    return 0;
}

static int read_plugins(struct config *config, struct doc doc, struct err *err)
{
    int rc = 0;
    for (struct doc_iter it = doc_iter(doc); rc == 0 && doc_next(&it);) {
        if (config->plugin_count == CONFIG_PLUGINS_MAX)
            return err_set(err, E_LIMIT, "more than %d plugins", CONFIG_PLUGINS_MAX);
        rc = copy_name(config->plugins[config->plugin_count++], CONFIG_NAME_MAX, it.name, "plugin",
                       err);
    }
    return rc;
}

int config_read(struct config *config, struct doc doc, struct err *err)
{
    *config = (struct config){ 0 };
    struct text zone = doc_text(doc, "zone");
    char name[CONFIG_NAME_MAX];
    int rc = copy_name(name, sizeof name, zone.size != 0 ? zone : text_of("UTC"), "zone", err);
    if (rc == 0)
        rc = zone_open(name, &config->zone, err);
    if (rc == 0)
        rc = copy_name(config->country, sizeof config->country, doc_text(doc, "country"), "country",
                       err);
    if (rc == 0)
        rc = copy_name(config->locale, sizeof config->locale, doc_text(doc, "locale"), "locale",
                       err);
    if (rc == 0)
        rc = copy_name(config->fallback, sizeof config->fallback, doc_text(doc, "fallback"),
                       "fallback team", err);
    if (rc == 0)
        rc = read_limits(&config->limits, doc_child(doc, "limits"), err);
    if (rc == 0)
        rc = read_channels(config, doc_child(doc, "channels"), err);
    if (rc == 0)
        rc = read_blocked(config, doc_child(doc, "blocked"), err);
    if (rc == 0)
        rc = read_plugins(config, doc_child(doc, "plugins"), err);
    return rc;
}

struct text config_owner(const struct config *config, struct text name)
{
    const char *dot = name.size != 0 ? memchr(name.data, '.', name.size) : NULL;
    struct text word = { name.data, dot != NULL ? (uint32_t)(dot - name.data) : 0 };
    for (size_t i = 0; dot != NULL && i < config->plugin_count; i++)
        if (text_is(word, config->plugins[i]))
            return text_of(config->plugins[i]);
    return (struct text){ "", 0 };
}

const struct channel_config *config_channel(const struct config *config, struct text name)
{
    for (size_t i = 0; i < config->channel_count; i++)
        if (text_is(name, config->channels[i].name))
            return &config->channels[i];
    return NULL;
}

bool config_is_blocked(const struct config *config, struct text identity)
{
    for (size_t i = 0; i < config->blocked_count; i++) {
        const struct blocked_value *blocked = &config->blocked[i];
        if (identity.size != 0 &&
            (text_is(identity, blocked->as_written) || text_is(identity, blocked->email) ||
             text_is(identity, blocked->phone)))
            return true;
    }
    return false;
}
