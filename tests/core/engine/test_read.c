/* test_read.c -- what read.h promises, over a whole node in one thread: log, state, engine,
 * deliverer and a channel, with a clock that a test sets.
 *
 * JSON is written with ' for ", here and in what comes back.
 */
#include "core/engine/read.h"

#include "core/base/json_read.h"
#include "core/base/json_write.h"
#include "core/base/mem.h"
#include "core/script/bundle.h"
#include "core/script/host.h"
#include "core/server/deploy.h"
#include "core/server/node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START_MS 1793145600000ll /* 2026-10-28 00:00 UTC, a Wednesday */
#define DAY_MS 86400000ll

struct house {
    char dir[64];
    int64_t now;
    struct node *node;
    struct engine *engine;
    enum outcome outcome; /* what the channel answers */
    struct buf code, config, out, text;
    struct json_reader *reader;
    struct engine_result result; /* of the last entry that was sent */
    struct err err;
};

static const char rules[] =
    "rule 'welcome' { on = 'Signed Up', run = function(event, customer)\n"
    "  customer:set('plan', event.plan)\n"
    "  send { channel = 'mail', purpose = 'service', body = 'hello' }\n"
    "  emit('Greeted', { how = 'mail' })\n"
    "end }\n"
    "rule 'greeted' { on = 'Greeted', run = function(event, customer)\n"
    "  notify { channel = 'mail', to = 'anna', text = 'greeted' }\n"
    "  after { due = '1h', key = 'nudge', emit = 'Nudge' }\n"
    "  remind { title = 'call', to = 'anna', due = '1d', key = 'call' }\n"
    "end }\n"
    "rule 'nudge' { on = 'Nudge', run = function(event, customer)\n"
    "  emit('Visited', { a = 1 }, { to = 'user_id:u2' })\n"
    "end }\n"
    "rule 'visited' { on = 'Visited', run = function(event, customer)\n"
    "  send { channel = 'mail', purpose = 'service', body = 'visited' }\n"
    "end }\n"
    "calendar 'early' { zone = 'Europe/Berlin', hours = { ['mon-fri'] = '06:00-14:00' } }\n"
    "calendar 'company' { zone = 'Europe/Berlin', hours = { ['mon-fri'] = '09:00-17:00' } }\n";

/* -- The house ------------------------------------------------------------------------- */

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

static void open_node(struct house *house)
{
    const struct channel channel = { .name = "mail", .self = house, .send = channel_send };
    buf_clear(&house->code);
    buf_clear(&house->config);
    struct node_options options = {
        .dir = house->dir,
        .map_bytes = (size_t)1 << 28,
        .clock = { clock_now, clock_now, house },
        .random = fill_random,
        .code = from_json(house, "{'level':1}", &house->code),
        .config = from_json(house,
                            "{'zone':'Europe/Berlin','country':'DE','fallback':'desk',"
                            "'channels':{'mail':{}}}",
                            &house->config),
        .boot = "test",
        .channels = &channel,
        .channel_count = 1,
        .load_rules = script_load,
        .wake = wake,
    };
    if (node_open(&options, &house->node, &house->err) != 0)
        fail_msg("%s", house->err.text);
    house->engine = node_fold(house->node)->engine;
}

static void settle(struct house *house)
{
    struct node *node = house->node;
    while (sequencer_step(node_sequencer(node)) || fold_step(node_fold(node)) ||
           node_step_loop(node))
        ;
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

__attribute__((format(printf, 3, 4)))
static void entry(struct house *house, enum log_class class, const char *format, ...)
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

static void identify(struct house *house, const char *user, const char *traits)
{
    entry(house, LOG_CLIENT,
          "{'type':'identify','call':'identify','user':'%s','source':'web','data':%s}", user,
          traits);
}

static void track(struct house *house, const char *user, const char *type, const char *data)
{
    entry(house, LOG_CLIENT,
          "{'type':'%s','call':'track','user':'%s','id':'m-%s','source':'web','data':%s}", type,
          user, user, data);
}

static void command(struct house *house, const char *type, const char *ref, const char *data)
{
    entry(house, LOG_STAFF,
          "{'type':'%s','ref':'%s','source':'desk','by':'anna','data':%s}", type, ref, data);
}

static void remind(struct house *house, const char *ref, const char *to, int64_t due)
{
    char data[200];
    snprintf(data, sizeof data, "{'title':'t%lld','to':'%s','due':%lld}",
             (long long)((due - START_MS) / 1000), to, (long long)due);
    command(house, "reminder.set", ref, data);
}

static void deploy(struct house *house, const char *lua)
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
    post(house, deploy_submission(bundle, hash, text_of("anna")));
    assert_string_equal(house->result.reason, "");
    buf_deinit(&bytes);
}

static void pass(struct house *house, int64_t ms)
{
    house->now += ms;
    settle(house);
}

static struct snapshot *snapshot_now(struct house *house)
{
    struct snapshot *snapshot = NULL;
    fold_freeze_if_wanted(node_fold(house->node), true);
    assert_true(fold_checkpoint(node_fold(house->node), &house->err));
    fold_freeze_if_wanted(node_fold(house->node), true);
    assert_true(fold_checkpoint(node_fold(house->node), &house->err));
    assert_int_equal(snapshot_open(node_state(house->node), &snapshot, &house->err), 0);
    return snapshot;
}

static int setup(void **arg)
{
    struct house *house = mem_zero(sizeof *house);
    snprintf(house->dir, sizeof house->dir, "/tmp/test_read_XXXXXX");
    assert_non_null(mkdtemp(house->dir));
    house->reader = json_reader_new();
    house->now = START_MS;
    house->outcome = OUTCOME_SENT;
    open_node(house);
    settle(house);
    *arg = house;
    return 0;
}

static int teardown(void **arg)
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
static const char *answer(struct house *house, int rc)
{
    buf_clear(&house->text);
    if (rc == 0)
        json_write_doc(&house->text,
                       (struct doc){ house->out.data, (uint32_t)house->out.size });
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

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("%s\n  is not in\n%s", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
    if (strstr(text, part) != NULL)
        fail_msg("%s\n  is in\n%s", part, text);
}

/* The field "next" of a page, in a static buffer. */
static struct text next_of(const char *page)
{
    static char next[1100];
    const char *at = strstr(page, "'next':'");
    if (at == NULL)
        return (struct text){ "", 0 };
    snprintf(next, sizeof next, "%.*s", (int)strcspn(at + 8, "'"), at + 8);
    return text_of(next);
}

/* Values of the fields `name`, in order: "a b c". */
static const char *values(const char *page, const char *name)
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

/* -- Customers ------------------------------------------------------------------------- */

static const char *record(struct house *house, const char *reference)
{
    return answer(house,
                  read_customer(house->engine, text_of(reference), &house->out, &house->err));
}

static void a_record_shows_all_that_is_known(void **arg)
{
    struct house *house = *arg;
    identify(house, "u1", "{'name':'王小明','email':'Wang@Example.com','phone':'030 1234567'}");
    identify(house, "u2", "{'name':'Jürgen Groß'}");
    command(house, "tag.changed", "user_id:u1", "{'tag':'VIP 客户'}");
    command(house, "owner.changed", "1", "{'owner':'李雷'}");
    command(house, "role.changed", "1", "{'role':'lead'}");
    command(house, "relation.changed", "1", "{'type':'knows','other':'2'}");
    command(house, "consent.changed", "email:wang@example.com",
            "{'purpose':'news','channel':'email','state':'granted','proof':'form 7'}");
    remind(house, "1", "anna", START_MS + DAY_MS);
    const char *text = record(house, "email:WANG@example.com");
    assert_has(text, "{'id':1,'kind':'person','created':'2026-10-28T00:00:01.000Z',"
                     "'traits':{'name':'王小明','email':'Wang@Example.com',");
    assert_has(text, "'trait_sources':{'name':[{'value':'王小明','at':'2026-10-28T00:00:01.000Z',"
                     "'source':'web'}]");
    assert_has(text, "'ids':{'user_id':['u1'],'email':['wang@example.com'],"
                     "'phone':['+49301234567']}");
    assert_has(text, "'addresses':[{'channel':'email','value':'wang@example.com'},");
    assert_has(text, "'consents':[{'purpose':'news','channel':'email','state':'granted','at':");
    assert_has(text, "'source':'desk','proof':'form 7'}]");
    assert_has(text, "'tags':['VIP 客户'],'roles':[{'role':'lead','since':'2026-10-28T");
    assert_has(text, "'owner':'李雷','relations':[{'type':'knows','id':2,'since':'2026");
    assert_has(text, "'merged':[],'reminders_open':1}");
    assert_has(record(house, "9"), "-5: no such customer: 9");
    assert_has(record(house, "user_id:nobody"), "-5: ");
}

static void a_record_folds_the_members_of_a_merged_group(void **arg)
{
    struct house *house = *arg;
    identify(house, "u1", "{'name':'old','city':'Köln','gone':1}");
    identify(house, "u2", "{'name':'new'}");
    identify(house, "u2", "{'gone':null}");
    command(house, "tag.changed", "1", "{'tag':'a'}");
    command(house, "tag.changed", "2", "{'tag':'a'}");
    command(house, "consent.changed", "1", "{'purpose':'p','channel':'c','state':'withdrawn'}");
    command(house, "consent.changed", "2", "{'purpose':'p','channel':'c','state':'granted'}");
    remind(house, "1", "anna", START_MS + DAY_MS);
    remind(house, "2", "anna", START_MS + DAY_MS);
    command(house, "customer.merge", "2", "{'absorbed':'1'}");
    const char *text = record(house, "user_id:u1");
    assert_has(text, "{'id':2,");
    assert_has(text, "'traits':{'name':'new','city':'Köln'}");
    assert_has(text, "'ids':{'user_id':['u2','u1']}");
    assert_has(text, "'tags':['a'],");
    assert_string_equal(values(strstr(text, "'consents'"), "state"), "withdrawn");
    assert_has(text, "'merged':[1],'reminders_open':2}");
    command(house, "reminder.done", "", "{'task':1}");
    assert_has(record(house, "2"), "'reminders_open':1}");
    command(house, "customer.unmerge", "1", "{}");
    assert_has(record(house, "1"), "{'id':1,");
    assert_has(record(house, "1"), "'traits':{'name':'old','city':'Köln','gone':1}");
}

static const char *customers(struct house *house, size_t limit, struct text after)
{
    struct snapshot *snapshot = snapshot_now(house);
    struct read_page page = { limit, after };
    int rc = read_customers(snapshot, &page, &house->out, &house->err);
    snapshot_close(snapshot);
    return answer(house, rc);
}

static void the_list_of_customers_goes_on_by_its_cursor_and_leaves_out_the_absorbed(void **arg)
{
    struct house *house = *arg;
    assert_has(customers(house, 10, text_of("")), "{'items':[],'next':null,");
    identify(house, "u1", "{'name':'Ann'}");
    identify(house, "u2", "{'name':'二'}");
    identify(house, "u3", "{'name':'三'}");
    command(house, "customer.merge", "1", "{'absorbed':'2'}");
    const char *text = customers(house, 1, text_of(""));
    assert_has(text, "{'items':[{'id':1,'kind':'person','traits':{'name':'二'},"
                     "'ids':{'user_id':['u1','u2']},'tags':[],'owner':null}],'next':'1',");
    text = customers(house, 1, next_of(text));
    assert_has(text, "'traits':{'name':'三'}");
    assert_has(text, "'next':null,");
    assert_has(customers(house, 1, text_of("3")), "'items':[],'next':null");
    assert_has(customers(house, 1, text_of("99999")), "'items':[],'next':null");
    assert_has(customers(house, 1, text_of("x")), "-1: ");
}

/* -- Timelines ------------------------------------------------------------------------- */

static const char *timeline(struct house *house, const char *reference, size_t limit,
                            struct text after)
{
    struct buf rows = BUF_INIT;
    struct read_page page = { limit, after };
    int rc = read_timeline(house->engine, text_of(reference), &page, &rows, &house->err);
    if (rc == 0)
        rc = read_timeline_events(node_log(house->node),
                                  (struct doc){ rows.data, (uint32_t)rows.size }, &house->out,
                                  &house->err);
    buf_deinit(&rows);
    return answer(house, rc);
}

static void a_timeline_shows_the_event_and_what_came_of_it(void **arg)
{
    struct house *house = *arg;
    deploy(house, "rule 'r' { on = 'Bought', run = function(e, c)\n"
                  "  c:set('bought', e.what) emit('Thanked', { x = 1 }) log('done')\n"
                  "end }");
    track(house, "u1", "Bought", "{'what':'茶'}");
    const char *text = timeline(house, "user_id:u1", 50, text_of(""));
    assert_has(text, "'n':0,'event':'4','id':'m-u1','at':'2026-10-28T00:00:01.000Z','logged':"
                     "'2026-10-28T00:00:01.000Z','type':'Bought','call':'track',"
                     "'messageId':'m-u1','source':'web','data':{'what':'茶'},"
                     "'trace':{'rules':[{'name':'r','bundle':'");
    assert_has(text, "'changed':{'bought':'茶'},'effects':[],'made':['4.1','4.2','4.3'],"
                     "'log':['done']}}");
    assert_has(text, "'n':3,'event':'4.3','id':'4.3','at':'2026-10-28T00:00:01.000Z','logged':"
                     "'2026-10-28T00:00:01.000Z','type':'Thanked','source':'kith','by':'r',"
                     "'data':{'x':1},");
    assert_has(text, "'next':null,'seq':4}");
    assert_has(timeline(house, "2", 50, text_of("")), "-5: no such customer: 2");
    assert_has(timeline(house, "1", 50, text_of("x")), "-1: ");
}

static void a_timeline_merges_the_members_newest_first_and_goes_on_by_its_cursor(void **arg)
{
    struct house *house = *arg;
    char all[200] = "", pages[200] = "";
    for (unsigned i = 0; i < 5; i++) {
        track(house, i % 2 == 0 ? "u1" : "u2", "A", "{}");
        house->now += 40 * DAY_MS; /* beyond dedupe */
    }
    command(house, "customer.merge", "1", "{'absorbed':'2'}");
    const char *page = timeline(house, "2", 1000, text_of(""));
    snprintf(all, sizeof all, "%s", values(page, "event"));
    struct text next = text_of("");
    do {
        page = timeline(house, "1", 2, next);
        size_t size = strlen(pages);
        snprintf(pages + size, sizeof pages - size, "%s%s", size != 0 ? " " : "",
                 values(page, "event"));
        next = next_of(page);
    } while (next.size != 0);
    assert_string_equal(pages, all);
    assert_has(all, "8.1 8 7 "); /* the merge, then u1 and u2 by turns */
}

static void what_the_log_no_longer_has_is_shown_as_erased(void **arg)
{
    struct house *house = *arg;
    track(house, "u1", "Secret", "{'what':'x'}");
    assert_has(timeline(house, "1", 50, text_of("")), "'data':{'what':'x'}");
    uint64_t seq = 3;
    assert_int_equal(log_erase(node_log(house->node), &seq, 1, 1, &house->err), 0);
    const char *text = timeline(house, "1", 50, text_of(""));
    assert_lacks(text, "what");
    assert_has(text, "'type':'Secret','erased':true,");
}

/* -- Reminders ------------------------------------------------------------------------- */

static const char *reminders(struct house *house, struct read_reminders which, size_t limit,
                             struct text after)
{
    struct snapshot *snapshot = snapshot_now(house);
    struct read_page page = { limit, after };
    int rc = read_reminders(snapshot, &which, &page, &house->out, &house->err);
    snapshot_close(snapshot);
    return answer(house, rc);
}

static const char *one_reminder(struct house *house, uint64_t task)
{
    return answer(house, read_reminder(house->engine, task, &house->out, &house->err));
}

static void set_four(struct house *house)
{
    identify(house, "u1", "{'name':'Ann'}");
    remind(house, "1", "bob", START_MS + 2 * DAY_MS);
    remind(house, "1", "anna", START_MS + 3 * DAY_MS);
    remind(house, "1", "bob", START_MS + DAY_MS);
    remind(house, "1", "anna", START_MS + 4 * DAY_MS);
}

static void a_reminder_is_read_by_its_number(void **arg)
{
    struct house *house = *arg;
    set_four(house);
    const char *text = one_reminder(house, 1);
    assert_has(text, "{'id':1,'customer':1,'title':'t172800','state':'open','assignee':'bob',"
                     "'to':'bob','due':'2026-10-30T00:00:00.000Z','created':'2026-10-28T");
    assert_has(one_reminder(house, 9), "-5: no reminder has the number 9");
}

static void open_reminders_are_in_order_of_assignee_and_due(void **arg)
{
    struct house *house = *arg;
    struct read_reminders all = { .is_open = true, .due_before = INT64_MAX }, of_bob = all;
    of_bob.to = text_of("bob");
    set_four(house);
    assert_string_equal(values(reminders(house, all, 50, text_of("")), "id"), "2 4 3 1");
    assert_string_equal(values(reminders(house, of_bob, 50, text_of("")), "id"), "3 1");
    const char *page = reminders(house, all, 3, text_of(""));
    assert_string_equal(values(page, "id"), "2 4 3");
    page = reminders(house, all, 3, next_of(page));
    assert_string_equal(values(page, "id"), "1");
    assert_has(page, "'next':null");
    assert_has(reminders(house, all, 3, text_of("zz")), "-1: ");
    assert_has(reminders(house, all, 3, text_of("00")), "'items':[");
    command(house, "reminder.done", "", "{'task':4}");
    assert_string_equal(values(reminders(house, all, 50, text_of("")), "id"), "2 3 1");
}

static void reminders_due_by_a_time_are_found_with_every_assignee(void **arg)
{
    struct house *house = *arg;
    struct read_reminders due = { .is_open = true, .due_before = START_MS + 3 * DAY_MS + 1 };
    set_four(house);
    remind(house, "1", "an", START_MS + 9 * DAY_MS);
    remind(house, "1", "ann", START_MS + DAY_MS);
    remind(house, "1", "bobby", START_MS + DAY_MS);
    assert_string_equal(values(reminders(house, due, 50, text_of("")), "assignee"),
                        "ann anna bob bob bobby");
    const char *page = reminders(house, due, 2, text_of(""));
    assert_string_equal(values(page, "id"), "6 2");
    page = reminders(house, due, 2, next_of(page));
    assert_string_equal(values(page, "id"), "3 1");
    due.to = text_of("anna");
    assert_string_equal(values(reminders(house, due, 50, text_of("")), "id"), "2");
}

static void closed_reminders_are_listed_newest_first(void **arg)
{
    struct house *house = *arg;
    struct read_reminders done = { .state = text_of("done"), .due_before = INT64_MAX };
    struct read_reminders all = { .due_before = INT64_MAX };
    set_four(house);
    command(house, "reminder.done", "", "{'task':1,'outcome':'reached'}");
    command(house, "reminder.done", "", "{'task':4}");
    assert_string_equal(values(reminders(house, done, 50, text_of("")), "id"), "4 1");
    const char *page = reminders(house, all, 2, text_of(""));
    assert_string_equal(values(page, "id"), "4 3");
    page = reminders(house, all, 2, next_of(page));
    assert_string_equal(values(page, "id"), "2 1");
    assert_has(page, "'outcome':'reached'");
    assert_has(page, "'next':null");
    assert_has(reminders(house, all, 3, text_of("zz")), "-1: ");
}

static void the_open_reminders_of_a_customer_are_those_of_the_whole_group(void **arg)
{
    struct house *house = *arg;
    struct read_page page = { 2, { "", 0 } };
    set_four(house);
    identify(house, "u2", "{'name':'Bo'}");
    remind(house, "2", "bob", START_MS + DAY_MS);
    command(house, "customer.merge", "1", "{'absorbed':'2'}");
    command(house, "reminder.done", "", "{'task':2}");
    const char *text = answer(
        house, read_reminders_of(house->engine, text_of("2"), &page, &house->out, &house->err));
    assert_string_equal(values(text, "id"), "1 3");
    page.after = next_of(text);
    text = answer(house, read_reminders_of(house->engine, text_of("1"), &page, &house->out,
                                           &house->err));
    assert_string_equal(values(text, "id"), "4 5");
    assert_has(text, "'next':null");
    command(house, "reminder.snooze", "", "{'task':4,'due':1893456000000}");
    pass(house, 3000 * DAY_MS); /* all are overdue, and open all the same */
    page = (struct read_page){ 50, { "", 0 } };
    text = answer(house, read_reminders_of(house->engine, text_of("1"), &page, &house->out,
                                           &house->err));
    assert_string_equal(values(text, "id"), "1 3 4 5");
}

/* -- Times ----------------------------------------------------------------------------- */

static const char *due(struct house *house, const char *words, struct read_due how)
{
    struct doc_value value = { .type = DOC_TEXT, .text = text_of(words) };
    int64_t ms;
    struct doc_writer w;
    how.now = START_MS + 10 * 3600000; /* Wednesday 11:00 in Berlin */
    int rc = read_due(house->engine, &how, &value, &ms, &house->err);
    if (rc == 0) {
        doc_begin(&w, &house->out);
        doc_put_datetime(&w, "due", ms);
        doc_end(&w);
    }
    return answer(house, rc);
}

static void times_are_read_in_the_companys_zone(void **arg)
{
    struct house *house = *arg;
    struct read_due how = { .day_minute = 540 }, end = { .day_minute = 1440 };
    assert_has(due(house, "2h", how), "2026-10-28T12:00:00.000Z");
    assert_has(due(house, "1mo", how), "2026-11-28T10:00:00.000Z");
    assert_has(due(house, "2026-12-01", how), "2026-12-01T08:00:00.000Z");
    assert_has(due(house, "2026-12-01", end), "2026-12-01T23:00:00.000Z");
    assert_has(due(house, "2026-12-01 10:30", how), "2026-12-01T09:30:00.000Z");
    assert_has(due(house, "2026-12-01T10:30:00Z", how), "2026-12-01T10:30:00.000Z");
    assert_has(due(house, "today", how), "2026-10-28T23:00:00.000Z");
    assert_has(due(house, "soon", how), "-1: 'soon' is no time");
    assert_has(due(house, "1wd", how), "2026-10-29T16:00:00.000Z"); /* without any bundle */
    struct doc_value list = { .type = DOC_ARRAY };
    int64_t ms;
    assert_int_equal(read_due(house->engine, &how, &list, &ms, &house->err), E_INVALID);
}

static void working_days_are_those_of_whoever_will_do_it(void **arg)
{
    struct house *house = *arg;
    deploy(house, "calendar 'early' { zone = 'Europe/Berlin', hours = { mon = '06:00-14:00', "
                  "tue = '06:00-14:00' } }\n"
                  "calendar 'company' { zone = 'Europe/Berlin', hours = { ['mon-fri'] = "
                  "'09:00-17:00' } }\n");
    command(house, "staff.set", "", "{'name':'eva','calendar':'early'}");
    identify(house, "u1", "{'name':'Ann'}");
    command(house, "owner.changed", "1", "{'owner':'eva'}");
    remind(house, "1", "eva", START_MS + DAY_MS);
    struct read_due nobody = { .day_minute = 540 }, eva = nobody, owner = nobody, task = nobody;
    eva.to = text_of("eva");
    owner.to = text_of("owner");
    owner.customer = text_of("user_id:u1");
    task.task = 1;
    assert_has(due(house, "1wd", nobody), "2026-10-29T16:00:00.000Z");
    assert_has(due(house, "1wd", eva), "2026-11-02T13:00:00.000Z");
    assert_has(due(house, "1wd", owner), "2026-11-02T13:00:00.000Z");
    assert_has(due(house, "1wd", task), "2026-11-02T13:00:00.000Z");
    assert_has(due(house, "2wh", nobody), "2026-10-28T12:00:00.000Z");
}

/* -- Effects --------------------------------------------------------------------------- */

static const char *effects(struct house *house, const char *state, size_t limit, struct text after)
{
    struct snapshot *snapshot = snapshot_now(house);
    struct read_page page = { limit, after };
    struct read_effects which = { .state = text_of(state), .channel = text_of("mail") };
    int rc = read_effects(snapshot, &which, &page, &house->out, &house->err);
    snapshot_close(snapshot);
    return answer(house, rc);
}

static void effects_are_listed_newest_first_by_state(void **arg)
{
    struct house *house = *arg;
    deploy(house, rules);
    identify(house, "u1", "{}");
    identify(house, "u2", "{}");
    identify(house, "u3", "{}");
    track(house, "u1", "Signed Up", "{'plan':'gold'}");
    house->outcome = OUTCOME_UNCERTAIN;
    track(house, "u2", "Signed Up", "{'plan':'gold'}");
    house->outcome = OUTCOME_SENT;
    track(house, "u3", "Signed Up", "{'plan':'gold'}");
    assert_string_equal(values(effects(house, "", 50, text_of("")), "state"),
                        "sent sent uncertain uncertain sent sent");
    const char *page = effects(house, "uncertain", 1, text_of(""));
    assert_string_equal(values(page, "state"), "uncertain");
    assert_string_equal(values(page, "notification"), "true");
    page = effects(house, "uncertain", 1, next_of(page));
    assert_string_equal(values(page, "notification"), "false");
    assert_has(page, "'next':null");
    page = effects(house, "sent", 3, text_of(""));
    assert_string_equal(values(page, "state"), "sent sent sent");
    assert_has(page, "'to':'anna'");
    page = effects(house, "sent", 3, next_of(page));
    assert_string_equal(values(page, "state"), "sent");
    assert_has(effects(house, "held", 3, text_of("")), "'items':[],'next':null");
    assert_has(effects(house, "", 3, text_of("zz")), "-1: ");
}

static void an_effect_is_read_by_its_id(void **arg)
{
    struct house *house = *arg;
    deploy(house, rules);
    track(house, "u1", "Signed Up", "{'plan':'gold'}");
    const char *text =
        answer(house, read_effect(house->engine, text_of("4.3"), &house->out, &house->err));
    assert_has(text, "{'id':'4.3','customer':1,'channel':'mail','purpose':'service','state':'sent'"
                     ",'rule':'welcome','cause':'4','created':'2026-10-28T00:00:01.000Z',");
    assert_has(text, "'attempt':1,'notification':false,'message':{");
    static const char *const none[] = { "4.2", "4", "", "x", "4.3.1", "99.1" };
    for (unsigned i = 0; i < sizeof none / sizeof *none; i++)
        assert_has(answer(house, read_effect(house->engine, text_of(none[i]), &house->out,
                                             &house->err)),
                   "-5: no effect has the id ");
}

/* -- Why ------------------------------------------------------------------------------- */

static const char *explain(struct house *house, const char *id, bool is_effect)
{
    struct buf entries = BUF_INIT;
    int rc = read_explain_entries(node_log(house->node), text_of(id), &entries, &house->err);
    struct doc doc = { entries.data, (uint32_t)entries.size };
    if (rc == 0)
        rc = (is_effect ? read_explain_effect : read_explain_event)(
            house->engine, text_of(id), doc, &house->out, &house->err);
    buf_deinit(&entries);
    return answer(house, rc);
}

/* The newest effect. */
static const char *newest(struct house *house)
{
    static char id[EVENT_ID_TEXT_MAX];
    snprintf(id, sizeof id, "%.*s", (int)strcspn(values(effects(house, "", 1, text_of("")), "id"),
                                                 " "),
             values(effects(house, "", 1, text_of("")), "id"));
    return id;
}

static void an_effect_is_explained_up_to_the_entry_that_caused_it(void **arg)
{
    struct house *house = *arg;
    deploy(house, rules);
    track(house, "u1", "Signed Up", "{'plan':'gold'}");
    const char *text = explain(house, newest(house), true);
    assert_has(text, "'chain':[{'id':'4.4','type':'Greeted',");
    assert_has(text, "{'id':'4','type':'Signed Up',");
    assert_has(text, "'messageId':'m-u1','source':'web','customer':1,'rules':[{'name':'welcome',");
    assert_has(text, "Notification 4.5 on channel mail for the purpose \\'service\\' to "
                     "\\'anna\\' was sent. The rule \\'greeted\\' made it at "
                     "2026-10-28T00:00:01.000Z, when it ran on \\'Greeted\\' (4.4).");
    assert_has(text, "\\'Greeted\\' (4.4) followed from \\'Signed Up\\' (4), by the rule "
                     "\\'welcome\\'. \\'Signed Up\\' is entry 4 of the log, the call track from a "
                     "client with the key \\'web\\', with the id \\'m-u1\\', logged at "
                     "2026-10-28T00:00:01.000Z.'}");
    assert_has(explain(house, "4", true), "-5: no effect has the id 4");
    assert_has(explain(house, "400.1", true), "-5: there is no entry, event or effect 400.1");
}

static void an_effect_is_explained_through_timers_and_events_sent_to_others(void **arg)
{
    struct house *house = *arg;
    deploy(house, rules);
    identify(house, "u2", "{}");
    track(house, "u1", "Signed Up", "{'plan':'gold'}");
    pass(house, 3600000);
    const char *text = explain(house, newest(house), true);
    assert_has(text, "when it ran on \\'Visited\\' (");
    assert_has(text, "A rule sent it while \\'Nudge\\' was applied. \\'Nudge\\' (");
    assert_has(text, " came from a timer, set by \\'greeted\\', which was due at "
                     "2026-10-28T01:00:02.000Z (entry ");
    assert_has(text, "'type':'tick'");
    assert_string_equal(values(strstr(text, "'chain'"), "type"), "Visited Nudge tick");
}

static void an_event_is_explained_with_what_it_led_to(void **arg)
{
    struct house *house = *arg;
    deploy(house, rules);
    track(house, "u1", "Signed Up", "{'plan':'gold'}");
    const char *text = explain(house, "4", false);
    assert_has(text, "{'effect':null,'chain':[{'id':'4','type':'Signed Up',");
    assert_has(text, "The rules that acted on it: \\'welcome\\'. It made the effects 4.3.'}");
    assert_has(explain(house, "4.5", false), "'effect':{'id':'4.5'");
    assert_has(explain(house, "4.4", false), "'chain':[{'id':'4.4','type':'Greeted'");
    assert_has(explain(house, "4.99", false), "-5: ");
    assert_has(explain(house, "1", false), "'chain':[{'id':'1','type':'world',");
    static const char *const none[] = { "0", "", "x", "99", "4.x" };
    for (unsigned i = 0; i < sizeof none / sizeof *none; i++)
        assert_has(explain(house, none[i], false), "-5: ");
    uint64_t seq = 4;
    assert_int_equal(log_erase(node_log(house->node), &seq, 1, 1, &house->err), 0);
    text = explain(house, "4.4", false);
    assert_has(text, "'erased':true}],");
    assert_has(text, "\\'Signed Up\\' (4) has been erased from the log.");
}

/* -- The house's own ------------------------------------------------------------------- */

static void bundles_are_listed_from_the_active_one_back(void **arg)
{
    struct house *house = *arg;
    uint8_t first[32], second[32], hash[32];
    assert_false(read_bundle_hash(house->engine, 0, first));
    assert_has(answer(house, read_bundles(house->engine, &house->out, &house->err)),
               "{'items':[],");
    deploy(house, "-- one");
    assert_true(read_bundle_hash(house->engine, 0, first));
    assert_false(read_bundle_hash(house->engine, 1, hash));
    deploy(house, "-- two");
    assert_true(read_bundle_hash(house->engine, 0, second));
    deploy(house, "-- one");
    assert_true(read_bundle_hash(house->engine, 0, hash));
    assert_memory_equal(hash, first, 32);
    assert_true(read_bundle_hash(house->engine, 1, hash));
    assert_memory_equal(hash, second, 32);
    const char *text = answer(house, read_bundles(house->engine, &house->out, &house->err));
    assert_string_equal(values(text, "active"), "true false");
    assert_has(text, "'active':true,'seq':5}");
}

static void staff_and_keys_are_listed_by_name_without_any_hash(void **arg)
{
    struct house *house = *arg;
    struct read_page page = { 2, { "", 0 } };
    command(house, "staff.set", "", "{'name':'eva','title':'Eva'}");
    command(house, "staff.set", "", "{'name':'bob'}");
    command(house, "staff.set", "",
            "{'name':'李雷','absences':[{'from':1793145600000,'until':1793232000000}]}");
    const char *text =
        answer(house, read_staff(house->engine, &page, &house->out, &house->err));
    assert_has(text, "{'items':[{'name':'bob'},{'name':'eva','title':'Eva'}],'next':'eva',");
    page.after = next_of(text);
    text = answer(house, read_staff(house->engine, &page, &house->out, &house->err));
    assert_has(text, "{'items':[{'name':'李雷','absences':[{'from':'2026-10-28T00:00:00.000Z',"
                     "'until':'2026-10-29T00:00:00.000Z'}]}],'next':null,");
    assert_has(answer(house, read_staff_member(house->engine, text_of("eva"), &house->out,
                                               &house->err)),
               "{'name':'eva','title':'Eva'}");
    assert_has(answer(house, read_staff_member(house->engine, text_of("zoe"), &house->out,
                                               &house->err)),
               "-5: nobody of staff is called zoe");

    command(house, "key.set", "", "{'name':'shop','hash':'00ff','scopes':['write']}");
    page.after = text_of("");
    text = answer(house, read_keys(house->engine, &page, &house->out, &house->err));
    assert_has(text, "{'items':[{'name':'shop','scopes':['write']}],'next':null,");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_record_shows_all_that_is_known),
        TEST(a_record_folds_the_members_of_a_merged_group),
        TEST(the_list_of_customers_goes_on_by_its_cursor_and_leaves_out_the_absorbed),
        TEST(a_timeline_shows_the_event_and_what_came_of_it),
        TEST(a_timeline_merges_the_members_newest_first_and_goes_on_by_its_cursor),
        TEST(what_the_log_no_longer_has_is_shown_as_erased),
        TEST(a_reminder_is_read_by_its_number),
        TEST(open_reminders_are_in_order_of_assignee_and_due),
        TEST(reminders_due_by_a_time_are_found_with_every_assignee),
        TEST(closed_reminders_are_listed_newest_first),
        TEST(the_open_reminders_of_a_customer_are_those_of_the_whole_group),
        TEST(times_are_read_in_the_companys_zone),
        TEST(working_days_are_those_of_whoever_will_do_it),
        TEST(effects_are_listed_newest_first_by_state),
        TEST(an_effect_is_read_by_its_id),
        TEST(an_effect_is_explained_up_to_the_entry_that_caused_it),
        TEST(an_effect_is_explained_through_timers_and_events_sent_to_others),
        TEST(an_event_is_explained_with_what_it_led_to),
        TEST(bundles_are_listed_from_the_active_one_back),
        TEST(staff_and_keys_are_listed_by_name_without_any_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
