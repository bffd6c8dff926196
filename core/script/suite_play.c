/* suite_play.c -- the house of one test: entries, and the time between them.
 *
 * The clock stands until the test moves it.  Then everything that falls due on the way happens at
 * its own moment, tick by tick, and what is sent goes out before time goes on, as it would in a
 * daemon with nothing else to do.
 */
#include "core/script/suite_inside.h"

#include "core/base/civil.h"
#include "core/base/limits.h"
#include "core/base/workday.h"
#include "core/base/zone.h"
#include "core/engine/intent.h"
#include "core/engine/rehearsal.h"
#include "core/script/host.h"

#include <stdio.h>
#include <string.h>

/* A Monday at nine, unless the test says otherwise. */
#define BEGIN_DAY 20458 /* 2026-01-05 */
#define BEGIN_HOUR 9

struct suite *suite_of(lua_State *lua)
{
    return ((struct suite_file *)host_of(lua))->suite;
}

void play_begin(struct suite *suite)
{
    suite->play = (struct play){ 0 };
    suite->play.now = zone_ms_from_local(suite->config->zone,
                                         BEGIN_DAY * CIVIL_DAY_MS + BEGIN_HOUR * CIVIL_HOUR_MS);
}

void play_end(struct suite *suite)
{
    struct play *play = &suite->play;
    rehearsal_close(play->rehearsal);
    arena_deinit(&play->arena);
    buf_deinit(&play->scratch);
    buf_deinit(&play->entry);
    buf_deinit(&play->rows);
    buf_deinit(&play->expected);
    buf_deinit(&play->got);
    *play = (struct play){ 0 };
}

/* -- The house ------------------------------------------------------------------------- */

static int find_blob(void *arg, const uint8_t hash[LOG_HASH_BYTES], struct buf *out,
                     struct err *err)
{
    const struct suite *suite = arg;
    if (memcmp(hash, suite->hash, sizeof suite->hash) != 0)
        return err_set(err, E_NOTFOUND, "there is no such bundle");
    buf_append(out, suite->options.bundle.data, suite->options.bundle.size);
    return 0;
}

static int load_rules(void *arg, struct doc bundle, const struct config *config,
                      struct ruleset **out_rules, struct err *err)
{
    const struct suite *suite = arg;
    struct script_surroundings surroundings = { .plugins = suite->options.plugins };
    return script_load(&surroundings, bundle, config, out_rules, err);
}

static int enter_own(struct suite *suite, struct err *err)
{
    struct play *play = &suite->play;
    struct engine_result result;
    struct doc body = { play->entry.data, (uint32_t)play->entry.size };
    int rc = rehearsal_fold(play->rehearsal, LOG_SYSTEM, body, play->now, &result, err);
    if (rc == 0 && result.status == ENGINE_REFUSED)
        rc = err_set(err, result.code, "%s", result.reason);
    return rc;
}

/* The entries that a daemon begins a new log with. */
static int furnish(struct suite *suite, struct err *err)
{
    struct buf *entry = &suite->play.entry;
    struct doc_writer w;
    buf_clear(entry);
    doc_begin(&w, entry);
    doc_put_string(&w, "type", "world");
    doc_open(&w, "data");
    doc_put_doc(&w, "config", suite->options.config);
    doc_close(&w);
    doc_end(&w);
    int rc = enter_own(suite, err);
    if (rc != 0)
        return rc;
    buf_clear(entry);
    doc_begin(&w, entry);
    doc_put_string(&w, "type", "daemon.started");
    doc_end(&w);
    rc = enter_own(suite, err);
    if (rc != 0)
        return rc;
    engine_set_live(rehearsal_engine(suite->play.rehearsal), 2);
    buf_clear(entry);
    doc_begin(&w, entry);
    doc_put_string(&w, "type", "bundle.activated");
    doc_open(&w, "data");
    doc_put_binary(&w, "hash", suite->hash, sizeof suite->hash);
    doc_close(&w);
    doc_end(&w);
    return enter_own(suite, err);
}

struct rehearsal *play_house(lua_State *lua)
{
    struct suite *suite = suite_of(lua);
    struct rehearsal_options options = {
        .base = suite->options.state,
        .plugins = suite->options.plugins,
        .bytes_max = TEST_STATE_BYTES_MAX,
        .blob = find_blob,
        .load_rules = load_rules,
        .arg = suite,
        .keeps_entries = true,
    };
    struct err err;
    if (suite->play.rehearsal != NULL)
        return suite->play.rehearsal;
    if (rehearsal_open(&options, &suite->play.rehearsal, &err) != 0 || furnish(suite, &err) != 0)
        host_raise(lua, &err);
    return suite->play.rehearsal;
}

/* -- What happens ---------------------------------------------------------------------- */

static void check_room(lua_State *lua, struct rehearsal *house)
{
    char message[160];
    if (engine_seq(rehearsal_engine(house)) > TEST_ENTRIES_MAX) {
        snprintf(message, sizeof message,
                 "over the %d entries (events, ticks, messages) that a test may lead to; is there "
                 "a loop?",
                 TEST_ENTRIES_MAX);
        sandbox_exceed(lua, message);
    }
    if (rehearsal_is_full(house)) {
        snprintf(message, sizeof message, "over the %u MiB that a test may write; do less in one",
                 TEST_STATE_BYTES_MAX >> 20);
        sandbox_exceed(lua, message);
    }
}

static void send_all(lua_State *lua, struct rehearsal *house)
{
    struct engine *engine = rehearsal_engine(house);
    const struct config *config = engine_config(engine);
    bool has_sent = true;
    while (has_sent) {
        has_sent = false;
        for (size_t i = 0; i < config->channel_count; i++)
            has_sent |=
                rehearsal_send(house, text_of(config->channels[i].name), engine_now(engine));
        check_room(lua, house);
    }
}

void play_pass(lua_State *lua, int64_t until)
{
    struct rehearsal *house = play_house(lua);
    struct play *play = &suite_of(lua)->play;
    send_all(lua, house);
    while (rehearsal_tick(house, until))
        send_all(lua, house);
    play->now = until;
}

uint64_t play_enter(lua_State *lua, const char *word, int class)
{
    struct rehearsal *house = play_house(lua);
    struct play *play = &suite_of(lua)->play;
    struct engine_result result = { 0 };
    struct doc body = { play->entry.data, (uint32_t)play->entry.size };
    if (body.size > LOG_ENTRY_BYTES_MAX)
        luaL_error(lua, "%s: more than %d KiB of data", word, LOG_ENTRY_BYTES_MAX >> 10);
    play_pass(lua, play->now); /* a schedule may wait for its sweep */
    struct err err;
    if (rehearsal_fold(house, (enum log_class) class, body, play->now, &result, &err) != 0)
        host_raise(lua, &err);
    if (result.status == ENGINE_REFUSED)
        luaL_error(lua, "%s: %s", word, result.reason);
    play_pass(lua, play->now);
    return result.customer;
}

/* -- Time ------------------------------------------------------------------------------ */

static int work_moment(lua_State *lua, const struct intent *intent, int64_t *out_ms,
                       struct err *err)
{
    const struct ruleset *rules = engine_rules(rehearsal_engine(play_house(lua)));
    const struct workweek *week = rules->calendar(rules, (struct text){ "", 0 });
    int64_t now = suite_of(lua)->play.now;
    if (intent->duration.unit == DURATION_WORKDAYS)
        return workday_add_days(week, now, intent->duration.count, DUE_NO_MINUTE, out_ms, err);
    return workday_add_hours(week, now, intent->duration.count, out_ms, err);
}

int64_t play_moment(lua_State *lua, const char *word, struct text words)
{
    const struct suite *suite = suite_of(lua);
    struct intent intent;
    struct err err;
    int64_t ms = 0;
    int rc = intent_read(words, DUE_NO_MINUTE, &intent, &err);
    if (rc == 0)
        rc = intent.kind == INTENT_WORK
                 ? work_moment(lua, &intent, &ms, &err)
                 : intent_due(&intent, suite->config->zone, suite->play.now, &ms, &err);
    if (rc != 0)
        luaL_error(lua, "%s: %s", word, err.text);
    return ms;
}

const char *play_clock(struct suite *suite, int64_t ms)
{
    struct civil civil;
    zone_civil_from_ms(suite->config->zone, ms, &civil);
    char text[80];
    snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d:%02d", civil.year, civil.month, civil.day,
             civil.hour, civil.minute, civil.second);
    struct text shown = text_of(text);
    shown.size -= civil.second == 0 ? 3 : 0;
    return arena_text(&suite->play.arena, shown).data;
}
