/* engine_fixture.c -- see engine_fixture.h. */
#include "tests/core/engine/engine_fixture.h"

#include "core/base/err.h"
#include "core/base/hash.h"
#include "core/base/json_read.h"
#include "core/base/json_write.h"
#include "core/base/mem.h"
#include "core/engine/effect.h"
#include "core/script/host.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define REOPEN_EVERY 5 /* entries, in the second fold */

struct play_log_entry {
    enum log_class class;
    int64_t logged;
    uint64_t since; /* of a world; 0: it is none */
    struct doc body;
};

struct blob {
    uint8_t hash[LOG_HASH_BYTES];
    struct doc bytes;
};

struct verdict_row {
    uint64_t at_seq;
    struct doc verdict; /* {rules, plugins} */
};

struct plugins_row {
    uint64_t from; /* the first entry that is folded with them */
    struct plugins *plugins;
};

/* What the log environment holds. */
struct play_log {
    struct play_log_entry *entries;
    size_t count;
    struct blob *blobs;
    size_t blob_count;
    struct verdict_row *verdicts;
    size_t verdict_count;
    struct doc *outgoing; /* reported, to be appended */
    size_t outgoing_count;
    uint64_t live_from;
    struct plugins_row plugins[8];
    size_t plugins_count;
    size_t verdicts_noted; /* of which the entry has been appended */
    struct arena arena;
};

/* -- Texts ---------------------------------------------------------------- */

static void swap_quotes(char *text, size_t size, char from, char to)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] == from)
            text[i] = to;
}

static const char *json_of(struct play *play, const struct doc_value *value)
{
    struct buf out = BUF_INIT;
    json_write_value(&out, value);
    swap_quotes((char *)out.data, out.size, '"', '\'');
    struct text text =
        arena_text(&play->arena, (struct text){ (const char *)out.data, (uint32_t)out.size });
    buf_deinit(&out);
    return text.data;
}

static struct doc doc_of(struct arena *arena, const char *json)
{
    struct json_limits limits = { .depth_max = 40 };
    struct buf out = BUF_INIT;
    struct doc doc;
    struct err err;
    char *text = mem_string(json);
    swap_quotes(text, strlen(text), '\'', '"');
    struct json_reader *reader = json_reader_new();
    if (json_to_doc(reader, text, strlen(text), &limits, &out, &doc, &err) != 0)
        fail_msg("%s: %s", json, err.text);
    doc = arena_doc(arena, doc);
    json_reader_free(reader);
    buf_deinit(&out);
    free(text);
    return doc;
}

void play_assert_has(const char *text, const char *part, bool wanted, const char *file, int line)
{
    if ((strstr(text, part) != NULL) == wanted)
        return;
    print_error("%s\n%s %s\n", text, wanted ? "lacks" : "has", part);
    _fail(file, line);
}

/* -- Hooks ---------------------------------------------------------------- */

static int hook_verdict(void *arg, uint64_t at_seq, struct buf *out)
{
    const struct play_log *log = ((struct play *)arg)->log;
    int rc = E_NOTFOUND;
    for (size_t i = 0; i < log->verdict_count; i++) {
        if (log->verdicts[i].at_seq != at_seq)
            continue;
        struct doc_writer w;
        doc_begin(&w, out);
        for (struct doc_iter it = doc_iter(log->verdicts[i].verdict); doc_next(&it);)
            doc_put_value(&w, it.name.data, &it.value);
        doc_end(&w);
        rc = 0;
    }
    return rc;
}

static int hook_blob(void *arg, const uint8_t hash[LOG_HASH_BYTES], struct buf *out,
                     struct err *err)
{
    const struct play_log *log = ((struct play *)arg)->log;
    for (size_t i = 0; i < log->blob_count; i++)
        if (memcmp(log->blobs[i].hash, hash, LOG_HASH_BYTES) == 0) {
            buf_append(out, log->blobs[i].bytes.data, log->blobs[i].bytes.size);
            return 0;
        }
    return err_set(err, E_NOTFOUND, "no such blob");
}

__attribute__((format(printf, 2, 3))) static void report(struct play *play, const char *format, ...)
{
    char line[4096];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    size = size < (int)sizeof line ? size : (int)sizeof line - 1; /* a long one is cut */
    buf_append(&play->reports, line, (size_t)size);
    buf_byte(&play->reports, '\n');
}

static void hook_ready(void *arg, struct text channel)
{
    report(arg, "ready %.*s", (int)channel.size, channel.data);
}

static void hook_go(void *arg, struct text id, int64_t attempt, struct text channel,
                    struct doc message)
{
    struct doc_value value = { .type = DOC_DOC, .doc = message };
    report(arg, "go %.*s %lld %.*s %s", (int)id.size, id.data, (long long)attempt,
           (int)channel.size, channel.data, json_of(arg, &value));
}

static void hook_no_go(void *arg, struct text id, struct text channel)
{
    report(arg, "no_go %.*s %.*s", (int)id.size, id.data, (int)channel.size, channel.data);
}

static void hook_outgoing(void *arg, struct text id, struct doc envelope)
{
    struct play_log *log = ((struct play *)arg)->log;
    log->outgoing = mem_resize(log->outgoing, (log->outgoing_count + 1) * sizeof *log->outgoing);
    log->outgoing[log->outgoing_count++] = arena_doc(&log->arena, envelope);
    report(arg, "outgoing %.*s", (int)id.size, id.data);
}

static void hook_erased(void *arg)
{
    report(arg, "erased");
}

static void hook_verdict_made(void *arg, uint64_t at_seq, struct doc verdict)
{
    struct play_log *log = ((struct play *)arg)->log;
    log->verdicts = mem_resize(log->verdicts, (log->verdict_count + 1) * sizeof *log->verdicts);
    log->verdicts[log->verdict_count++] =
        (struct verdict_row){ at_seq, arena_doc(&log->arena, verdict) };
    report(arg, "verdict %llu", (unsigned long long)at_seq);
}

static void hook_plugin_lost(void *arg, struct text name, const char *why)
{
    (void)why;
    report(arg, "lost %.*s", (int)name.size, name.data);
}

static bool hook_was_applied(void *arg, uint64_t seq)
{
    (void)seq;
    return ((struct play *)arg)->was_applied;
}

static int hook_load_rules(void *arg, struct doc bundle, const struct config *config,
                           struct ruleset **out_rules, struct err *err)
{
    struct script_surroundings around = { .plugins = ((struct play *)arg)->plugins };
    return script_load(&around, bundle, config, out_rules, err);
}

static const struct engine_hooks hooks = {
    .verdict = hook_verdict,
    .blob = hook_blob,
    .load_rules = hook_load_rules,
    .ready = hook_ready,
    .go = hook_go,
    .no_go = hook_no_go,
    .outgoing = hook_outgoing,
    .erased = hook_erased,
    .plugin_lost = hook_plugin_lost,
    .was_applied = hook_was_applied,
    .verdict_made = hook_verdict_made,
};

/* -- Opening and closing -------------------------------------------------- */

static struct plugins *plugins_at(const struct play_log *log, uint64_t seq)
{
    struct plugins *plugins = NULL;
    for (size_t i = 0; i < log->plugins_count && log->plugins[i].from <= seq; i++)
        plugins = log->plugins[i].plugins;
    return plugins;
}

static void open_engine(struct play *play)
{
    struct state_options state_options = { .dir = play->dir, .map_bytes = 1u << 30 };
    uint64_t seq;
    int64_t now;
    if (state_open(&state_options, &play->state, &play->err) != 0)
        fail_msg("%s", play->err.text);
    state_applied(play->state, &seq, &now);
    play->plugins = plugins_at(play->log, seq + 1);
    struct engine_options options = {
        .state = play->state,
        .plugins = play->plugins,
        .hooks = &hooks,
        .arg = play,
    };
    if (engine_open(&options, &play->engine, &play->err) != 0)
        fail_msg("%s", play->err.text);
}

static void close_engine(struct play *play)
{
    engine_close(play->engine);
    state_close(play->state);
    play->engine = NULL;
    play->state = NULL;
}

static void checkpoint(struct play *play)
{
    state_settle(play->state);
    bool is_frozen = state_freeze(play->state, engine_seq(play->engine), engine_now(play->engine));
    assert_true(is_frozen);
    if (state_checkpoint(play->state, &play->err) != 0)
        fail_msg("%s", play->err.text);
    state_settle(play->state);
}

static void make_dir(char dir[64])
{
    snprintf(dir, 64, "/tmp/kith-play-XXXXXX");
    assert_non_null(mkdtemp(dir));
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
    (void)stat;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void remove_dir(const char *dir)
{
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void play_reopen(struct play *play)
{
    checkpoint(play);
    close_engine(play);
    open_engine(play);
    engine_set_live(play->engine, play->log->live_from);
}

void play_give_up(struct play *play)
{
    close_engine(play);
    open_engine(play);
    play_catch_up(play);
}

void play_plugins(struct play *play, struct plugins *plugins)
{
    struct play_log *log = play->log;
    assert_true(log->plugins_count < sizeof log->plugins / sizeof *log->plugins);
    log->plugins[log->plugins_count++] = (struct plugins_row){ log->count + 1, plugins };
    play_reopen(play);
}

void play_verdict(struct play *play, uint64_t seq, const char *json)
{
    struct play_log *log = play->log;
    assert_true(seq > engine_seq(play->engine));
    log->verdicts = mem_resize(log->verdicts, (log->verdict_count + 1) * sizeof *log->verdicts);
    log->verdicts[log->verdict_count++] = (struct verdict_row){ seq, doc_of(&log->arena, json) };
    log->verdicts_noted = log->verdict_count;
}

/* -- Applying ------------------------------------------------------------- */

static uint64_t world_of(const struct play_log *log, uint64_t seq)
{
    for (size_t i = log->count; i > 0; i--)
        if (log->entries[i - 1].since != 0 && log->entries[i - 1].since <= seq)
            return i;
    return 0;
}

static void apply_next(struct play *play)
{
    uint64_t seq = engine_seq(play->engine) + 1, world = world_of(play->log, seq);
    if (plugins_at(play->log, seq) != play->plugins) { /* only another run has others */
        checkpoint(play);
        close_engine(play);
        open_engine(play);
    }
    if (world != engine_world(play->engine) &&
        engine_set_world(play->engine, world, doc_child(play->log->entries[world - 1].body, "data"),
                         &play->err) != 0)
        fail_msg("%s", play->err.text);
    const struct play_log_entry *own = &play->log->entries[seq - 1];
    /* A copy on the heap of exactly its size: a read beyond it, or after it, is found. */
    uint8_t *body = mem_copy(own->body.data, own->body.size);
    struct log_entry entry = {
        .seq = seq,
        .logged = own->logged,
        .class = own->class,
        .body = body,
        .size = own->body.size,
    };
    engine_apply(play->engine, &entry, &play->result);
    free(body);
}

static void append_reported(struct play *play)
{
    struct play_log *log = play->log;
    while (log->verdicts_noted < log->verdict_count) {
        struct verdict_row row = log->verdicts[log->verdicts_noted++];
        struct buf body = BUF_INIT;
        struct doc_writer w;
        doc_begin(&w, &body);
        doc_put_string(&w, "type", "verdict");
        doc_put_int(&w, "at_seq", (int64_t)row.at_seq);
        for (struct doc_iter it = doc_iter(row.verdict); doc_next(&it);)
            doc_put_value(&w, it.name.data, &it.value);
        play_doc(play, LOG_SYSTEM, doc_end(&w));
        buf_deinit(&body);
    }
    if (play->keeps_outgoing)
        return;
    while (log->outgoing_count != 0) {
        struct doc envelope = log->outgoing[0];
        memmove(log->outgoing, log->outgoing + 1, --log->outgoing_count * sizeof envelope);
        play_doc(play, LOG_SYSTEM, envelope);
    }
}

static uint64_t append(struct play *play, enum log_class class, uint64_t since, struct doc body)
{
    struct play_log *log = play->log;
    log->entries = mem_resize(log->entries, (log->count + 1) * sizeof *log->entries);
    log->entries[log->count++] =
        (struct play_log_entry){ class, play->now, since, arena_doc(&log->arena, body) };
    uint64_t seq = log->count;
    if (!play->is_behind) {
        apply_next(play);
        struct engine_result result = play->result;
        append_reported(play);
        play->result = result;
    }
    return seq;
}

void play_catch_up(struct play *play)
{
    play->is_behind = false;
    while (engine_seq(play->engine) < play->log->count)
        apply_next(play);
    append_reported(play);
}

uint64_t play_doc(struct play *play, enum log_class class, struct doc body)
{
    return append(play, class, 0, body);
}

uint64_t play_entry(struct play *play, enum log_class class, const char *json, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, json);
    int size = vasprintf(&text, json, args);
    va_end(args);
    assert_true(size > 0);
    struct doc body = doc_of(&play->log->arena, text);
    free(text);
    return play_doc(play, class, body);
}

uint64_t play_track(struct play *play, const char *user, const char *type, const char *data)
{
    return play_entry(play, LOG_CLIENT,
                      "{'type':'%s','call':'track','user':'%s','source':'web','data':%s}", type,
                      user, data != NULL ? data : "{}");
}

uint64_t play_identify(struct play *play, const char *user, const char *traits)
{
    return play_entry(play, LOG_CLIENT,
                      "{'type':'identify','call':'identify','user':'%s','source':'web','data':%s}",
                      user, traits != NULL ? traits : "{}");
}

uint64_t play_command(struct play *play, const char *type, const char *ref, const char *data)
{
    return play_entry(play, LOG_STAFF, "{'type':'%s','source':'crm','by':'ann'%s%s%s,'data':%s}",
                      type, ref != NULL ? ",'ref':'" : "", ref != NULL ? ref : "",
                      ref != NULL ? "'" : "", data != NULL ? data : "{}");
}

uint64_t play_tick(struct play *play)
{
    return play_entry(play, LOG_SYSTEM, "{'type':'tick'}");
}

uint64_t play_start(struct play *play)
{
    play->log->live_from = play->log->count + 1;
    engine_set_live(play->engine, play->log->live_from);
    return play_entry(play, LOG_SYSTEM, "{'type':'daemon.started','data':{'boot':'b%zu'}}",
                      play->log->count);
}

uint64_t play_world(struct play *play, uint64_t since, const char *limits)
{
    char json[2048];
    snprintf(json, sizeof json,
             "{'type':'world','data':{'code':{'level':%zu},'config':{"
             "'zone':'Europe/Berlin','country':'DE','fallback':'desk','channels':{"
             "'mail':{'address':true},'email':{'address':true},'sms':{'address':true},"
             "'hook':{'idempotent':true},'log':{}},'blocked':['test@test.com','none'],"
             "'limits':%s}}}",
             play->log->count, limits != NULL ? limits : "{}");
    return append(play, LOG_SYSTEM, since != 0 ? since : play->log->count + 1,
                  doc_of(&play->log->arena, json));
}

uint64_t play_config(struct play *play, const char *config)
{
    char json[2048];
    snprintf(json, sizeof json, "{'type':'world','data':{'code':{'level':%zu},'config':%s}}",
             play->log->count, config);
    return append(play, LOG_SYSTEM, play->log->count + 1, doc_of(&play->log->arena, json));
}

/* -- Bundles -------------------------------------------------------------- */

static struct doc bundle_of(struct buf *out, const struct play_file *files)
{
    struct doc_writer w;
    doc_begin(&w, out);
    doc_open(&w, "files");
    for (; files->path != NULL; files++)
        doc_put_string(&w, files->path, files->text);
    doc_close(&w);
    return doc_end(&w);
}

uint64_t play_bundle(struct play *play, const struct play_file *files)
{
    struct play_log *log = play->log;
    struct buf out = BUF_INIT;
    struct doc_writer w;
    log->blobs = mem_resize(log->blobs, (log->blob_count + 1) * sizeof *log->blobs);
    struct blob *blob = &log->blobs[log->blob_count++];
    blob->bytes = arena_doc(&log->arena, bundle_of(&out, files));
    digest_32(blob->bytes.data, blob->bytes.size, blob->hash);
    buf_clear(&out);
    doc_begin(&w, &out);
    doc_put_string(&w, "type", "bundle.activated");
    doc_open(&w, "data");
    doc_put_binary(&w, "hash", blob->hash, sizeof blob->hash);
    doc_close(&w);
    uint64_t seq = play_doc(play, LOG_SYSTEM, doc_end(&w));
    buf_deinit(&out);
    return seq;
}

uint64_t play_rules(struct play *play, const char *lua)
{
    uint64_t seq = play_bundle(play, (const struct play_file[]){ { "rules.lua", lua }, { 0 } });
    if (play->result.status != ENGINE_DONE)
        fail_msg("%s", play->result.reason);
    return seq;
}

int play_load(struct play *play, const char *lua)
{
    struct buf out = BUF_INIT;
    struct ruleset *rules = NULL;
    struct doc bundle = bundle_of(&out, (const struct play_file[]){ { "rules.lua", lua }, { 0 } });
    int rc = script_load(NULL, bundle, engine_config(play->engine), &rules, &play->err);
    if (rc == 0)
        rules->free(rules);
    buf_deinit(&out);
    return rc;
}

/* -- Time and delivery ---------------------------------------------------- */

unsigned play_ticks(struct play *play)
{
    unsigned count = 0;
    while (engine_next_due(play->engine) <= play->now) {
        play_tick(play);
        assert_true(++count < 10000);
    }
    return count;
}

void play_pass(struct play *play, int64_t ms)
{
    int64_t end = play->now + ms;
    for (;;) {
        int64_t due = engine_next_due(play->engine);
        if (due > end)
            break;
        play->now = due > play->now ? due : play->now;
        play_ticks(play);
    }
    play->now = end;
}

size_t play_claim(struct play *play, const char *channel)
{
    struct ready_effect effects[64];
    size_t count = engine_ready(play->engine, text_of(channel), effects, 64), gone = 0;
    for (size_t i = 0; i < count; i++) {
        struct effect effect;
        play_entry(play, LOG_SYSTEM,
                   "{'type':'effect.claim','data':{'id':'%s','attempt':%lld,'run':%llu,"
                   "'print':%lld}}",
                   effects[i].id, (long long)effects[i].attempt,
                   (unsigned long long)play->log->live_from, (long long)effects[i].print);
        bool is_there = effect_load(&effect, play->engine, text_of(effects[i].id));
        gone += is_there && text_is(effect.state, "claimed") ? 1 : 0;
    }
    return gone;
}

uint64_t play_outcome(struct play *play, const char *id, int attempt, const char *outcome)
{
    struct effect effect;
    bool is_there = effect_load(&effect, play->engine, text_of(id));
    assert_true(is_there);
    return play_entry(play, LOG_SYSTEM,
                      "{'type':'effect.outcome','data':{'id':'%s','attempt':%d,'outcome':'%s',"
                      "'print':%lld}}",
                      id, attempt, outcome, (long long)effect_print(&effect));
}

/* -- Looking -------------------------------------------------------------- */

uint64_t play_customer(struct play *play, const char *reference)
{
    return identity_find(play->engine, text_of(reference));
}

const char *play_row(struct play *play, const struct key *key)
{
    struct bytes row;
    if (!state_get(play->state, key, &row))
        return "";
    struct doc_value value = { .type = DOC_DOC, .doc = { row.data, (uint32_t)row.size } };
    return json_of(play, &value);
}

const char *play_profile(struct play *play, uint64_t customer)
{
    struct key key;
    key_customer(&key, customer, 'p');
    return play_row(play, &key);
}

const char *play_timeline(struct play *play, uint64_t customer, uint64_t seq, uint64_t n)
{
    struct key key;
    key_customer(&key, customer, 't');
    key_number_down(&key, seq);
    key_number_down(&key, n);
    return play_row(play, &key);
}

const char *play_effect(struct play *play, const char *id)
{
    uint64_t seq, n;
    struct key key;
    assert_true(event_id_parse(text_of(id), &seq, &n));
    key_start(&key, 'e');
    key_id(&key, seq, n);
    return play_row(play, &key);
}

const char *play_task(struct play *play, uint64_t task)
{
    struct key key;
    key_start(&key, 'k');
    key_number(&key, task);
    return play_row(play, &key);
}

const char *play_trait(struct play *play, const char *reference, const char *name)
{
    struct customer customer;
    if (!customer_load(&customer, play->engine, play_customer(play, reference)))
        return "";
    struct doc_value value = customer_trait(&customer, text_of(name));
    return value.type != DOC_NONE ? json_of(play, &value) : "";
}

const char *play_types(struct play *play, uint64_t customer)
{
    struct key prefix;
    struct cursor cursor;
    struct text types = { "", 0 };
    key_customer(&prefix, customer, 't');
    cursor_open(&cursor, play->state, &prefix);
    while (cursor_next(&cursor)) {
        struct doc row = { cursor.value.data, (uint32_t)cursor.value.size };
        struct text type = doc_text(row, "type");
        types = arena_printf(&play->arena, "%.*s%s%s", (int)type.size, type.data,
                             types.size != 0 ? " " : "", types.data);
    }
    cursor_close(&cursor);
    return types.data;
}

size_t play_count(struct play *play, const struct key *prefix)
{
    struct cursor cursor;
    size_t count = 0;
    cursor_open(&cursor, play->state, prefix);
    while (cursor_next(&cursor))
        count++;
    cursor_close(&cursor);
    return count;
}

const char *play_reports(struct play *play)
{
    struct text text = { (const char *)play->reports.data, (uint32_t)play->reports.size };
    const char *copy = text.size != 0 ? arena_text(&play->arena, text).data : "";
    buf_clear(&play->reports);
    return copy;
}

/* -- The second and third fold -------------------------------------------- */

static void hash_of(struct play *play, uint8_t out_hash[16])
{
    struct snapshot *snapshot;
    checkpoint(play);
    assert_int_equal(snapshot_open(play->state, &snapshot, &play->err), 0);
    snapshot_hash(snapshot, out_hash);
    snapshot_close(snapshot);
}

static int print_if_other(void *arg, struct bytes key, struct bytes value)
{
    struct play *other = arg;
    struct key own = { .size = (uint16_t)key.size };
    struct bytes theirs;
    char hex[2 * KEY_BYTES_MAX + 1];
    memcpy(own.data, key.data, key.size);
    if (state_get(other->state, &own, &theirs) && theirs.size == value.size &&
        (value.size == 0 || memcmp(theirs.data, value.data, value.size) == 0))
        return 0;
    hex_encode(key.data, key.size, hex);
    bool is_applied = key.size == 8 && memcmp(key.data, "mapplied", 8) == 0;
    if (!is_applied)
        print_error("differs: %c%s\n", key.data[0], hex + 2);
    return 0;
}

static void print_difference(struct play *a, struct play *b)
{
    struct snapshot *snapshot;
    assert_int_equal(snapshot_open(a->state, &snapshot, &a->err), 0);
    snapshot_visit(snapshot, NULL, NULL, print_if_other, b);
    snapshot_close(snapshot);
}

static void fold_again(struct play *play, size_t reopen_every, const uint8_t wanted[16])
{
    struct play again = { .log = play->log, .now = play->now };
    size_t verdicts = play->log->verdict_count;
    uint8_t hash[16];
    make_dir(again.dir);
    open_engine(&again);
    for (size_t i = 1; i <= play->log->count; i++) {
        apply_next(&again);
        if (i % reopen_every != 0)
            continue;
        checkpoint(&again);
        close_engine(&again);
        open_engine(&again);
    }
    hash_of(&again, hash);
    bool is_same = memcmp(hash, wanted, sizeof hash) == 0;
    if (!is_same) {
        print_difference(play, &again);
        print_difference(&again, play);
    }
    bool is_silent = again.reports.size == 0 && play->log->verdict_count == verdicts;
    close_engine(&again);
    remove_dir(again.dir);
    buf_deinit(&again.reports);
    arena_deinit(&again.arena);
    assert_true(is_same);   /* the state is a function of the log */
    assert_true(is_silent); /* and a replay tells nobody */
}

int play_setup(void **arg)
{
    struct play *play = mem_zero(sizeof *play);
    play->log = mem_zero(sizeof *play->log);
    play->now = PLAY_START_MS;
    make_dir(play->dir);
    open_engine(play);
    play_world(play, 0, NULL);
    play_start(play);
    *arg = play;
    return 0;
}

int play_teardown(void **arg)
{
    struct play *play = *arg;
    struct play_log *log = play->log;
    uint8_t hash[16];
    hash_of(play, hash);
    fold_again(play, SIZE_MAX, hash);
    fold_again(play, REOPEN_EVERY, hash);
    close_engine(play);
    remove_dir(play->dir);
    arena_deinit(&play->arena);
    buf_deinit(&play->reports);
    arena_deinit(&log->arena);
    free(log->entries);
    free(log->blobs);
    free(log->verdicts);
    free(log->outgoing);
    free(log);
    free(play);
    return 0;
}
