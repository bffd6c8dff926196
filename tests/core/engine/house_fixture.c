/* house_fixture.c -- see house_fixture.h. */
#include "tests/core/engine/house_fixture.h"

#include "core/base/json_read.h"
#include "core/base/json_write.h"
#include "core/base/mem.h"
#include "core/script/bundle.h"
#include "core/script/host.h"
#include "core/server/deploy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t clock_now(void *arg)
{
    return ((struct house *)arg)->now;
}

static void fill_random(void *arg, void *data, size_t size)
{
    (void)arg;
    memset(data, 7, size);
}

static void wake(void *arg)
{
    (void)arg;
}

static void channel_send(void *self, struct deliverer *deliverer, struct text id, int64_t attempt,
                         struct doc message)
{
    const struct house *house = self;
    (void)message;
    deliver_answer(deliverer, id, attempt, house->outcome, text_of(""));
}

static struct doc from_json(struct house *house, const char *json, struct buf *out)
{
    struct json_limits limits = { .depth_max = 32 };
    char *text = mem_string(json);
    struct doc doc;
    for (char *at = text; (at = strchr(at, '\'')) != NULL;)
        *at = '"';
    int rc = json_to_doc(house->reader, text, strlen(text), &limits, out, &doc, &house->err);
    if (rc != 0)
        fail_msg("%s: %s", json, house->err.text);
    free(text);
    return doc;
}

static int forget(void *arg, const uint64_t *customers, size_t count, struct err *err)
{
    struct house *house = arg;
    (void)customers;
    (void)count;
    house->forgets++;
    return house->forget_code == 0 ? 0 : err_set(err, house->forget_code, "told to fail");
}

int house_open(struct house *house)
{
    const struct channel channel = { .name = "mail", .self = house, .send = channel_send };
    buf_clear(&house->code);
    buf_clear(&house->config);
    struct node_options options = {
        .dir = house->dir,
        .map_bytes = (size_t)1 << 28,
        .clock = { clock_now, clock_now, house },
        .random = fill_random,
        .code = from_json(house, house->world_code, &house->code),
        .config = from_json(house, house->world_config, &house->config),
        .boot = "test",
        .rebuild = house->rebuild,
        .plugins = house->plugins,
        .blames = house->blames,
        .blame_count = house->blame_count,
        .refused_seq = house->refused_seq,
        .channels = &channel,
        .channel_count = 1,
        .load_rules = script_load,
        .wake = wake,
        .forget = forget,
        .forget_arg = house,
    };
    house->node = NULL;
    int rc = node_open(&options, &house->node, &house->err);
    house->engine = rc == 0 ? node_fold(house->node)->engine : NULL;
    return rc;
}

static void open_node(struct house *house)
{
    if (house_open(house) != 0)
        fail_msg("%s", house->err.text);
}

static void settle(struct house *house)
{
    struct node *node = house->node;
    while (sequencer_step(node_sequencer(node)) || fold_step(node_fold(node)) ||
           node_step_loop(node))
        ;
}

void house_reopen(struct house *house)
{
    node_close(house->node);
    open_node(house);
    settle(house);
}

static void keep_result(void *arg, const struct submission *submission)
{
    struct house *house = arg;
    assert_int_equal(submission->code, 0);
    house->result = submission->result;
}

static void post(struct house *house, struct submission *submission)
{
    submission->starts_clock = true;
    submission->wants_applied = true;
    submission->done = keep_result;
    submission->arg = house;
    sequencer_post_own(node_sequencer(house->node), submission);
    settle(house);
}

void house_entry(struct house *house, enum log_class class, const char *format, ...)
{
    char json[2048];
    struct buf bytes = BUF_INIT;
    struct submission *submission = submission_new(class);
    struct doc_writer w;
    va_list args;
    va_start(args, format);
    vsnprintf(json, sizeof json, format, args);
    va_end(args);
    struct doc doc = from_json(house, json, &bytes);
    submission_begin(submission, &w);
    for (struct doc_iter it = doc_iter(doc); doc_next(&it);)
        doc_put_value_text(&w, it.name, &it.value);
    submission_end(submission, &w);
    buf_deinit(&bytes);
    house->now += 1000;
    post(house, submission);
}

void house_identify(struct house *house, const char *user, const char *traits)
{
    house_entry(house, LOG_CLIENT,
                "{'type':'identify','call':'identify','user':'%s','source':'web','data':%s}", user,
                traits);
}

void house_track(struct house *house, const char *user, const char *type, const char *data)
{
    house_entry(house, LOG_CLIENT,
                "{'type':'%s','call':'track','user':'%s','id':'m-%s','source':'web','data':%s}",
                type, user, user, data);
}

void house_command(struct house *house, const char *type, const char *ref, const char *data)
{
    house_entry(house, LOG_STAFF, "{'type':'%s','ref':'%s','source':'desk','by':'anna','data':%s}",
                type, ref, data);
}

void house_remind(struct house *house, const char *ref, const char *to, int64_t due)
{
    char data[200];
    snprintf(data, sizeof data, "{'title':'t%lld','to':'%s','due':%lld}",
             (long long)((due - START_MS) / 1000), to, (long long)due);
    house_command(house, "reminder.set", ref, data);
}

void house_deploy(struct house *house, const char *lua)
{
    struct buf bytes = BUF_INIT;
    uint8_t hash[BUNDLE_HASH_BYTES];
    struct doc_writer w;
    doc_begin(&w, &bytes);
    doc_open(&w, "files");
    doc_put_string(&w, "rules.lua", lua);
    doc_close(&w);
    struct doc bundle = doc_end(&w);
    bundle_hash(bundle, hash);
    post(house, deploy_submission(bundle, hash, text_of("anna"), (struct text){ "", 0 }));
    assert_string_equal(house->result.reason, "");
    buf_deinit(&bytes);
}

void house_pass(struct house *house, int64_t ms)
{
    house->now += ms;
    settle(house);
}

struct snapshot *house_snapshot(struct house *house)
{
    struct snapshot *snapshot = NULL;
    fold_freeze_if_wanted(node_fold(house->node), true);
    assert_true(fold_checkpoint(node_fold(house->node), &house->err));
    fold_freeze_if_wanted(node_fold(house->node), true);
    assert_true(fold_checkpoint(node_fold(house->node), &house->err));
    assert_int_equal(snapshot_open(node_state(house->node), &snapshot, &house->err), 0);
    return snapshot;
}

int house_setup(void **arg)
{
    struct house *house = mem_zero(sizeof *house);
    snprintf(house->dir, sizeof house->dir, "/tmp/test_read_XXXXXX");
    assert_non_null(mkdtemp(house->dir));
    house->reader = json_reader_new();
    house->now = START_MS;
    house->world_code = "{'level':1}";
    house->world_config = "{'zone':'Europe/Berlin','country':'DE','fallback':'desk',"
                          "'channels':{'mail':{}}}";
    house->outcome = OUTCOME_SENT;
    open_node(house);
    settle(house);
    *arg = house;
    return 0;
}

int house_teardown(void **arg)
{
    struct house *house = *arg;
    char command_line[100];
    node_close(house->node);
    json_reader_free(house->reader);
    buf_deinit(&house->code);
    buf_deinit(&house->config);
    buf_deinit(&house->out);
    buf_deinit(&house->text);
    snprintf(command_line, sizeof command_line, "rm -r %s", house->dir);
    int rc = system(command_line);
    free(house);
    return rc;
}

/* What was appended to house->out, which is emptied; what fails is "code: reason". */
const char *house_answer(struct house *house, int rc)
{
    buf_clear(&house->text);
    if (rc == 0)
        json_write_doc(&house->text, (struct doc){ house->out.data, (uint32_t)house->out.size });
    else
        buf_printf(&house->text, "%d: %s", rc, house->err.text);
    if (rc != 0)
        assert_int_equal(house->out.size, 0);
    buf_clear(&house->out);
    buf_string(&house->text);
    char *text = (char *)house->text.data;
    for (char *at = text; (at = strchr(at, '"')) != NULL;)
        *at = '\'';
    return text;
}

void house_assert_in(const char *text, const char *part, bool wanted, const char *file, int line)
{
    if ((strstr(text, part) != NULL) == wanted)
        return;
    print_error("%s\n  is %sin\n%s\n", part, wanted ? "not " : "", text);
    _fail(file, line);
}

/* The field "next" of a page, in a static buffer. */
struct text page_next(const char *page)
{
    static char next[1100];
    const char *at = strstr(page, "'next':'");
    if (at == NULL)
        return (struct text){ "", 0 };
    snprintf(next, sizeof next, "%.*s", (int)strcspn(at + 8, "'"), at + 8);
    return text_of(next);
}

/* Values of the fields `name`, in order: "a b c". */
const char *page_values(const char *page, const char *name)
{
    static char out[2][2000];
    static unsigned turn;
    char *text = out[turn++ % 2], field[40];
    size_t size = 0;
    int length = snprintf(field, sizeof field, "'%s':", name);
    text[0] = '\0';
    for (const char *at = page; (at = strstr(at, field)) != NULL; at += length) {
        const char *value = at + length + (at[length] == '\'');
        size += (size_t)snprintf(text + size, sizeof out[0] - size, "%s%.*s", size != 0 ? " " : "",
                                 (int)strcspn(value, "',}"), value);
    }
    return text;
}
