/* config.c -- decoding the world's config; see config.h. */
#include "core/engine/config.h"

#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/near.h"
#include "core/base/zone.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    size_t offset;
    int64_t standard, least, most;
} limit_table[] = {
#define LIMIT(field, standard, least, most)                           \
    {                                                                 \
#field, offsetof(struct limits, field), standard, least, most \
    }
    LIMIT(cascade_depth, CASCADE_DEPTH_MAX, 1, 64),
    LIMIT(derived, DERIVED_MAX, 1, 100000),
    LIMIT(cascade_rest_ms, CASCADE_REST_MS, 1000, 86400000),
    LIMIT(timers_per_tick, TIMERS_PER_TICK_MAX, 1, 100000),
    LIMIT(sweep_per_tick, SWEEP_PER_TICK_MAX, 1, 100000),
    LIMIT(moves_per_tick, MOVES_PER_TICK_MAX, 1, 100000),
    LIMIT(erase_per_tick, ERASE_PER_TICK_MAX, 1, 100000),
    LIMIT(rule_instructions, RULE_INSTRUCTIONS_MAX, 1000, 1000000000),
    LIMIT(rule_memory_bytes, RULE_MEMORY_BYTES_MAX, 65536, 1 << 30),
    LIMIT(rule_arena_bytes, RULE_ARENA_BYTES_MAX, 65536, 1 << 30),
    LIMIT(rule_cpu_ms, RULE_CPU_MS, 100, 3600000),
    LIMIT(trace_lines, TRACE_LINES_MAX, 0, 1000),
    LIMIT(identities, IDENTITIES_MAX, 1, 1000),
    LIMIT(traits, TRAITS_MAX, 1, 5000),
    LIMIT(trait_sources, TRAIT_SOURCES_MAX, 1, 64),
    LIMIT(profile_bytes, PROFILE_BYTES_MAX, 1024, 60 << 10),
    LIMIT(group, GROUP_MAX, 2, 1000),
    LIMIT(timers, CUSTOMER_TIMERS_MAX, 1, 100000),
    LIMIT(effect_attempts, EFFECT_ATTEMPTS_MAX, 1, 100),
    LIMIT(effect_expires_ms, EFFECT_EXPIRES_MS, 1000, 366ll * 86400000),
    LIMIT(effect_retry_ms, EFFECT_RETRY_MS, 1, 86400000),
    LIMIT(effect_bytes, EFFECT_BYTES_MAX, 64, 60 << 10),
    LIMIT(dedupe_days, DEDUPE_DAYS, 1, 30),
#undef LIMIT
};

static int64_t *limit_field(struct limits *limits, size_t offset)
{
    return (int64_t *)(void *)((char *)limits + offset);
}

/* Whoever wrote it meant one of them. */
static int refuse_limit(const char *name, struct err *err)
{
    size_t count = sizeof limit_table / sizeof *limit_table, least = SIZE_MAX, used = 0;
    const char *near = "";
    char list[200] = "";
    for (size_t i = 0; i < count; i++) {
        size_t distance = near_distance(name, limit_table[i].name);
        near = distance < least ? limit_table[i].name : near;
        least = distance < least ? distance : least;
    }
    if (near_is_likely(least, strlen(name)))
        return err_set(err, E_INVALID, "no limit is called %s; did you mean %s?", name, near);
    for (size_t i = 0; i < count && used + strlen(limit_table[i].name) + 2 < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, " %s", limit_table[i].name);
    return err_set(err, E_INVALID, "no limit is called %s; there are%s and others", name, list);
}

static int read_limits(struct limits *limits, struct doc doc, struct err *err)
{
    size_t count = sizeof limit_table / sizeof *limit_table;
    for (size_t i = 0; i < count; i++) {
        int64_t value = doc_int(doc, limit_table[i].name, limit_table[i].standard);
        if (value < limit_table[i].least || value > limit_table[i].most)
            return err_set(err, E_INVALID, "limit %s is %lld: it must be from %lld to %lld",
                           limit_table[i].name, (long long)value, (long long)limit_table[i].least,
                           (long long)limit_table[i].most);
        *limit_field(limits, limit_table[i].offset) = value;
    }
    for (struct doc_iter it = doc_iter(doc); doc_next(&it);) {
        size_t i = 0;
        while (i < count && !text_is(it.name, limit_table[i].name))
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
        channel->is_html = doc_bool(fields, "html", false);
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
    return rc;
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
