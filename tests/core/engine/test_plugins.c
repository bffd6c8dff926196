/* test_plugins.c -- what the engine does for plugins, and without them.
 *
 * Two plugins of plain C functions, alpha and beta.  A handler notes the event in its plugin's
 * document "log" and publishes that as the trait PLUGIN.log, so that a text says who heard of what
 * in which order; then it does what the event's data says under its own name: fail, crash, hang,
 * emit. Functions do what their argument `what` says.
 */
#include "tests/core/engine/engine_fixture.h"

#include "core/base/err.h"
#include "core/engine/plugins.h"
#include "core/engine/rules.h"
#include "core/engine/step.h"

#include <stdio.h>

#define HANDLER(called, list, count)                                                    \
    {                                                                                   \
        .name = { called, sizeof called - 1 }, .trigger = RULE_ON_TYPES, .types = list, \
        .type_count = count, .at_minute = -1                                            \
    }
#define TEXT(words)             \
    {                           \
        words, sizeof words - 1 \
    }

static const struct text names[] = { TEXT("alpha"), TEXT("beta") };
static struct text order[] = { TEXT("order") };
static struct text system_types[] = { TEXT("reminder.due"), TEXT("alpha.said") };
static struct rule handlers[] = {
    HANDLER("alpha.first", order, 1),
    HANDLER("alpha.second", order, 1),
    HANDLER("alpha.system", system_types, 2),
    HANDLER("beta.every", NULL, 0),
};
static const size_t owners[] = { 0, 0, 0, 1 };
static const struct plugin_function functions[] = { { TEXT("ask"), 0, NULL },
                                                    { TEXT("ask"), 1, NULL } };

static bool is_mended; /* nothing crashes or hangs any more */
static bool has_hooks; /* of the documents */

static struct plugins both, later; /* the same but for the version of their documents */

/* -- The host --------------------------------------------------------------------------------- */

static enum plugin_outcome lose(enum plugin_outcome outcome)
{
    return is_mended ? PLUGIN_OK : outcome;
}

static enum plugin_outcome obey(struct step *step, struct text plugin, struct text word,
                                struct err *err)
{
    if (text_is(word, "crash"))
        return lose(PLUGIN_CRASHED);
    if (text_is(word, "hang"))
        return lose(PLUGIN_HUNG);
    if (text_is(word, "fail")) {
        err_set(err, E_INVALID, "as I was told");
        return PLUGIN_FAILED;
    }
    if (text_is(word, "said") &&
        step_emit(step, arena_printf(step_arena(step), "%.*s.said", (int)plugin.size, plugin.data),
                  (struct doc){ NULL, 0 }, (struct text){ "", 0 }, err) != 0)
        return PLUGIN_FAILED;
    return PLUGIN_OK;
}

static struct doc log_with(struct step *step, struct text log)
{
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &bytes);
    doc_put_text(&w, "t", log);
    struct doc doc = arena_doc(step_arena(step), doc_end(&w));
    buf_deinit(&bytes);
    return doc;
}

static enum plugin_outcome note(struct step *step, struct text plugin, struct text line,
                                struct err *err)
{
    struct doc kept;
    int64_t version;
    step_document(step, plugin, text_of("log"), &kept, &version);
    struct text log = doc_text(kept, "t");
    log = arena_printf(step_arena(step), "%.*s%s%.*s", (int)log.size, log.size != 0 ? log.data : "",
                       log.size != 0 ? " " : "", (int)line.size, line.data);
    struct doc_value value = { .type = DOC_TEXT, .text = log };
    struct text trait = arena_printf(step_arena(step), "%.*s.log", (int)plugin.size, plugin.data);
    int rc = step_keep_document(step, plugin, text_of("log"), 1, log_with(step, log), err);
    if (rc == 0 && step_customer(step) != NULL)
        rc = step_set(step, trait, &value, err);
    return rc == 0 ? PLUGIN_OK : PLUGIN_FAILED;
}

static struct text value_text(struct doc_value value)
{
    return value.type == DOC_TEXT ? value.text : (struct text){ "", 0 };
}

static enum plugin_outcome run(struct plugins *plugins, size_t index, struct step *step,
                               struct err *err)
{
    const struct event *event = step_event(step);
    struct text handler = plugins->handlers[index].name;
    struct text plugin = plugins->names[plugins->owners[index]];
    struct text mark = doc_text(event->data, "mark"),
                own = { handler.data + plugin.size + 1, handler.size - plugin.size - 1 };
    struct text line =
        arena_printf(step_arena(step), "%.*s(%.*s%s%.*s)", (int)own.size, own.data,
                     (int)event->type.size, event->type.data, mark.size != 0 ? ":" : "",
                     (int)mark.size, mark.size != 0 ? mark.data : "");
    step_set_plugin(step, plugin);
    enum plugin_outcome outcome = note(step, plugin, line, err);
    if (outcome == PLUGIN_OK)
        outcome = obey(step, plugin, value_text(doc_get_text(event->data, handler)), err);
    step_set_plugin(step, (struct text){ "", 0 });
    return outcome;
}

static enum plugin_outcome call(struct plugins *plugins, size_t function, struct step *step,
                                struct doc arguments, struct doc_value *out_answer, struct err *err)
{
    struct text plugin = plugins->names[plugins->functions[function].plugin];
    step_set_plugin(step, plugin);
    enum plugin_outcome outcome = note(step, plugin, text_of("asked"), err);
    if (outcome == PLUGIN_OK)
        outcome = obey(step, plugin, doc_text(arguments, "what"), err);
    step_set_plugin(step, (struct text){ "", 0 });
    *out_answer = (struct doc_value){ .type = DOC_INT64, .integer = 42 };
    return outcome;
}

static int64_t version(struct plugins *plugins, size_t plugin, struct text key)
{
    (void)plugin;
    (void)key;
    return plugins == &later ? 2 : 1;
}

/* Of both together; of one that leaves, what has come since stays with the survivor. */
static enum plugin_outcome fold(struct plugins *plugins, size_t plugin, enum plugin_fold what,
                                struct text key, struct doc arguments, struct arena *arena,
                                struct doc *out, struct err *err)
{
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    (void)err;
    if (!has_hooks)
        return PLUGIN_OK;
    struct text survivor = doc_text(doc_child(arguments, "survivor"), "t");
    struct text absorbed = doc_text(doc_child(arguments, "absorbed"), "t");
    struct text now = doc_text(doc_child(arguments, "now"), "t");
    if (text_is(survivor, "first(order:crash)"))
        return lose(PLUGIN_CRASHED);
    doc_begin(&w, &bytes);
    if (what == PLUGIN_MIGRATE) {
        struct text old = doc_text(doc_child(arguments, "state"), "t");
        doc_put_text(
            &w, "t",
            arena_printf(arena, "v%lld of %lld: %.*s", (long long)version(plugins, plugin, key),
                         (long long)doc_int(arguments, "version", 0), (int)old.size, old.data));
    } else if (what == PLUGIN_MERGE) {
        doc_put_text(&w, "t",
                     arena_printf(arena, "%.*s+%.*s", (int)survivor.size, survivor.data,
                                  (int)absorbed.size, absorbed.data));
    } else {
        doc_open(&w, "survivor");
        doc_put_text(&w, "t",
                     arena_printf(arena, "%.*s-%.*s", (int)now.size, now.data, (int)absorbed.size,
                                  absorbed.data));
        doc_close(&w);
        doc_open(&w, "absorbed");
        doc_put_text(&w, "t", absorbed);
        doc_close(&w);
    }
    *out = arena_doc(arena, doc_end(&w));
    buf_deinit(&bytes);
    return PLUGIN_OK;
}

static struct plugins both = {
    .names = names,
    .count = 2,
    .handlers = handlers,
    .owners = owners,
    .handler_count = 4,
    .functions = functions,
    .function_count = 2,
    .run = run,
    .call = call,
    .version = version,
    .fold = fold,
};

/* -- Helpers ---------------------------------------------------------------------------------- */

#define CONFIG(limits)                                                                       \
    "{'zone':'Europe/Berlin','fallback':'desk','channels':{'log':{}},'plugins':{'alpha':{}," \
    "'beta':{}},'limits':" limits "}"

static int setup(void **arg)
{
    is_mended = has_hooks = false;
    later = both;
    int rc = play_setup(arg);
    play_config(*arg, CONFIG("{}"));
    play_plugins(*arg, &both);
    play_start(*arg);
    play_reports(*arg);
    return rc;
}

static uint64_t shop(struct play *play, const char *user, const char *mark, const char *what)
{
    char data[200];
    snprintf(data, sizeof data, "{'mark':'%s'%s%s}", mark, what[0] != '\0' ? "," : "", what);
    return play_track(play, user, "order", data);
}

static const char *document(struct play *play, uint64_t customer, const char *plugin)
{
    struct key key;
    key_customer(&key, customer, 'P');
    key_text(&key, text_of(plugin));
    key_tail(&key, text_of("log"));
    return play_row(play, &key);
}

static const char *standings(struct play *play)
{
    struct key key;
    key_start(&key, 'm');
    key_tail(&key, text_of("plugins"));
    return play_row(play, &key);
}

static uint64_t enable(struct play *play, const char *plugin)
{
    return play_entry(play, LOG_STAFF,
                      "{'type':'plugin.enabled','by':'ann','data':{'plugin':'%s'}}", plugin);
}

static uint64_t enable_past(struct play *play, const char *plugin)
{
    return play_entry(play, LOG_STAFF,
                      "{'type':'plugin.enabled','by':'ann','data':{'plugin':'%s','skip':true}}",
                      plugin);
}

#define ALPHA "user_id:u-1", "alpha.log"
#define BETA "user_id:u-1", "beta.log"

/* -- Who hears of what ------------------------------------------------------------------------ */

static void test_handlers_hear_before_rules_in_order_of_names(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule \"r\" { on = \"order\", run = function(event, customer)\n"
                     "  customer:set(\"seen\", customer[\"alpha.log\"] .. \"|\" .. "
                     "customer[\"beta.log\"])\nend }");
    shop(play, "u-1", "1", "");
    assert_string_equal(play_trait(play, "user_id:u-1", "seen"),
                        "'first(order:1) second(order:1)|every(order:1)'");
}

static void test_one_that_fails_leaves_nothing_and_says_so(void **state)
{
    struct play *play = *state;
    shop(play, "u-1", "1", "'alpha.first':'fail'");
    assert_string_equal(play_trait(play, ALPHA), "'second(order:1)'");
    const char *types = play_types(play, play_customer(play, "user_id:u-1"));
    assert_has(types, "order");
    assert_has(types, "plugin.failed");
    assert_string_equal(standings(play), "");
    assert_string_equal(play_reports(play), "");
}

static void test_what_a_handler_emits_is_heard_too(void **state)
{
    struct play *play = *state;
    shop(play, "u-1", "1", "'alpha.first':'said'");
    assert_string_equal(play_trait(play, ALPHA),
                        "'first(order:1) second(order:1) system(alpha.said)'");
}

static void test_an_event_that_only_bears_a_name_is_for_those_who_hear_every_one(void **state)
{
    struct play *play = *state;
    play_track(play, "u-1", "alpha.said", NULL);
    play_track(play, "u-1", "reminder.due", NULL);
    assert_string_equal(play_trait(play, ALPHA), "");
    assert_has(play_trait(play, BETA), "every(alpha.said)");
    assert_has(play_trait(play, BETA), "every(reminder.due)");
}

static void test_nobody_else_sets_the_traits_of_a_plugin(void **state)
{
    struct play *play = *state;
    play_identify(play, "u-1", "{'alpha.log':'mine','name':'Ann'}");
    assert_string_equal(play_trait(play, ALPHA), "");
    assert_string_equal(play_trait(play, "user_id:u-1", "name"), "'Ann'");
    play_rules(play, "rule \"r\" { on = \"order\", run = function(event, customer)\n"
                     "  customer:set(\"alpha.log\", \"mine\")\nend }");
    shop(play, "u-1", "1", "");
    assert_string_equal(play_trait(play, ALPHA), "'first(order:1) second(order:1)'");
    assert_has(play_types(play, play_customer(play, "user_id:u-1")), "rule.failed");
}

static void test_what_is_repeated_of_the_past_is_not_heard(void **state)
{
    struct play *play = *state;
    play_entry(play, LOG_CLIENT,
               "{'type':'order','call':'track','user':'u-1','source':'old','historic':true,"
               "'data':{}}");
    assert_string_equal(play_trait(play, ALPHA), "");
}

/* -- Quarantine ------------------------------------------------------------------------------- */

static void test_one_that_crashes_is_quarantined_and_the_event_parked(void **state)
{
    struct play *play = *state;
    uint64_t seq = shop(play, "u-1", "1", "'alpha.second':'crash'");
    assert_string_equal(play_trait(play, ALPHA), ""); /* also of the handler before */
    assert_has(play_trait(play, BETA), "every(order:1)");
    char wanted[64];
    snprintf(wanted, sizeof wanted, "verdict %llu\nlost alpha\n", (unsigned long long)seq);
    assert_string_equal(play_reports(play), wanted);
    assert_has(standings(play), "'alpha':{'kind':'crash'");
    assert_has(standings(play), "'parked':1,'missed':0");
    assert_false(engine_plugin_is_there(play->engine, text_of("alpha")));
    assert_true(engine_plugin_is_there(play->engine, text_of("beta")));
}

static void test_who_is_back_hears_of_all_that_was_parked_in_order(void **state)
{
    struct play *play = *state;
    shop(play, "u-1", "1", "");
    shop(play, "u-1", "2", "'alpha.second':'hang'");
    assert_has(standings(play), "'kind':'hang'");
    shop(play, "u-2", "3", "");
    shop(play, "u-1", "4", "'alpha.first':'said'");
    is_mended = true;
    enable(play, "alpha");
    shop(play, "u-1", "5", ""); /* behind what is parked */
    assert_string_equal(play_trait(play, ALPHA), "'first(order:1) second(order:1)'");
    play_ticks(play);
    assert_string_equal(play_trait(play, ALPHA),
                        "'first(order:1) second(order:1) first(order:2) second(order:2) "
                        "first(order:4) second(order:4) first(order:5) second(order:5) "
                        "system(alpha.said)'");
    assert_string_equal(play_trait(play, "user_id:u-2", "alpha.log"),
                        "'first(order:3) second(order:3)'");
    assert_string_equal(standings(play), "");
    shop(play, "u-1", "6", "");
    assert_has(play_trait(play, ALPHA), "system(alpha.said) first(order:6) second(order:6)");
    assert_has(play_types(play, play_customer(play, "user_id:u-1")), "plugin.caught_up");
}

static void test_it_catches_up_over_several_ticks(void **state)
{
    struct play *play = *state;
    play_config(play, CONFIG("{'parked_per_tick':2}"));
    shop(play, "u-1", "0", "'alpha.first':'crash'");
    for (int i = 1; i < 6; i++)
        shop(play, "u-1", (char[]){ (char)('0' + i), '\0' }, "");
    is_mended = true;
    enable(play, "alpha");
    play_tick(play);
    assert_string_equal(play_trait(play, ALPHA),
                        "'first(order:0) second(order:0) first(order:1) second(order:1)'");
    assert_has(standings(play), "'alpha':{'parked':4,'missed':0}");
    shop(play, "u-1", "6", "");
    assert_has(standings(play), "'alpha':{'parked':5,'missed':0}"); /* once, for two handlers */
    play_reopen(play);
    assert_int_equal(play_ticks(play), 3);
    assert_has(play_trait(play, ALPHA), "second(order:5) first(order:6) second(order:6)");
    assert_string_equal(standings(play), "");
}

static void test_what_crashes_again_stays_at_its_place(void **state)
{
    struct play *play = *state;
    shop(play, "u-1", "1", "'alpha.second':'crash'");
    shop(play, "u-1", "2", "");
    enable(play, "alpha");
    play_ticks(play);
    assert_has(standings(play), "'alpha':{'kind':'crash'");
    assert_has(standings(play), "'parked':2");
    assert_string_equal(play_trait(play, ALPHA), "");
    enable_past(play, "alpha");
    play_ticks(play);
    assert_string_equal(play_trait(play, ALPHA), "'first(order:2) second(order:2)'");
    assert_string_equal(standings(play), "");
}

static void test_beyond_the_limit_events_pass_it_by_and_are_counted(void **state)
{
    struct play *play = *state;
    play_config(play, CONFIG("{'plugin_parked':2}"));
    shop(play, "u-1", "1", "'alpha.first':'crash'");
    for (int i = 2; i < 6; i++)
        shop(play, "u-1", (char[]){ (char)('0' + i), '\0' }, "");
    assert_has(standings(play), "'parked':2,'missed':3");
    is_mended = true;
    enable(play, "alpha");
    play_ticks(play);
    assert_string_equal(play_trait(play, ALPHA),
                        "'first(order:1) second(order:1) first(order:2) second(order:2)'");
    assert_has(standings(play), "'alpha':{'parked':0,'missed':3}"); /* for whoever looks later */
}

static void test_a_name_that_was_only_borne_is_only_borne_when_it_was_parked(void **state)
{
    struct play *play = *state;
    play_entry(play, LOG_STAFF, "{'type':'plugin.disabled','data':{'plugin':'alpha'}}");
    play_entry(play, LOG_STAFF, "{'type':'plugin.disabled','data':{'plugin':'beta'}}");
    play_track(play, "u-1", "reminder.due", NULL);
    enable(play, "alpha");
    enable(play, "beta");
    play_ticks(play);
    assert_string_equal(play_trait(play, ALPHA), "");
    assert_has(play_trait(play, BETA), "every(reminder.due)");
}

static void test_the_verdict_of_a_run_that_ended_there_is_obeyed(void **state)
{
    struct play *play = *state;
    uint64_t seq = engine_seq(play->engine) + 1;
    play_verdict(play, seq, "{'plugins':[{'plugin':'alpha','kind':'crash','call':'event'}]}");
    shop(play, "u-1", "1", "");
    shop(play, "u-1", "2", "");
    assert_string_equal(play_trait(play, ALPHA), "");
    assert_has(standings(play), "'parked':2");
    assert_string_equal(play_reports(play), ""); /* whoever wrote it knows */
    enable(play, "alpha");
    play_ticks(play);
    assert_string_equal(play_trait(play, ALPHA),
                        "'first(order:1) second(order:1) first(order:2) second(order:2)'");
}

static void test_what_it_was_called_for_is_passed_over_and_nothing_else(void **state)
{
    struct play *play = *state;
    play_entry(play, LOG_STAFF, "{'type':'plugin.disabled','data':{'plugin':'alpha'}}");
    shop(play, "u-1", "1", "");
    uint64_t seq = shop(play, "u-1", "2", "");
    shop(play, "u-1", "3", "");
    enable(play, "alpha");
    char json[200];
    snprintf(json, sizeof json,
             "{'plugins':[{'plugin':'alpha','kind':'crash','call':'event','about':%llu}]}",
             (unsigned long long)seq);
    play_verdict(play, engine_seq(play->engine) + 1, json);
    play_tick(play);
    assert_has(standings(play), "'parked':3");
    enable_past(play, "alpha");
    play_ticks(play);
    assert_string_equal(play_trait(play, ALPHA),
                        "'first(order:1) second(order:1) first(order:3) second(order:3)'");
    assert_string_equal(standings(play), "");
}

static void test_two_are_lost_in_one_entry(void **state)
{
    struct play *play = *state;
    shop(play, "u-1", "1", "'alpha.first':'crash','beta.every':'hang'");
    assert_has(standings(play), "'alpha':{'kind':'crash'");
    assert_has(standings(play), "'beta':{'kind':'hang'");
    const char *reports = play_reports(play);
    assert_has(reports, "lost alpha\nlost beta\n");
    is_mended = true;
    enable(play, "beta");
    enable(play, "alpha");
    play_ticks(play);
    assert_string_equal(play_trait(play, ALPHA), "'first(order:1) second(order:1)'");
    assert_has(play_trait(play, BETA), "every(order:1)");
}

static void test_a_second_copy_of_an_entry_is_heard_once(void **state)
{
    struct play *play = *state;
    const char *json = "{'type':'order','call':'track','user':'u-1','source':'web','id':'o-1',"
                       "'data':{'alpha.first':'crash','mark':'1'}}";
    play_entry(play, LOG_CLIENT, "%s", json);
    play_entry(play, LOG_CLIENT, "%s", json);
    assert_has(standings(play), "'parked':1");
    is_mended = true;
    enable(play, "alpha");
    play_ticks(play);
    play_entry(play, LOG_CLIENT, "%s", json);
    assert_string_equal(play_trait(play, ALPHA), "'first(order:1) second(order:1)'");
}

static void test_who_is_not_quarantined_cannot_be_enabled(void **state)
{
    struct play *play = *state;
    enable(play, "alpha");
    assert_int_equal(play->result.status, ENGINE_REFUSED);
    assert_string_equal(play->result.reason, "plugin alpha is not quarantined");
}

static void test_who_is_disabled_by_a_person_is_enabled_by_one(void **state)
{
    struct play *play = *state;
    shop(play, "u-1", "1", "'alpha.first':'crash'");
    play_entry(play, LOG_SYSTEM,
               "{'type':'plugin.disabled','data':{'plugin':'alpha',"
               "'kind':'crash','reason':'in a job'}}");
    assert_lacks(standings(play), "in a job");
    play_entry(play, LOG_STAFF,
               "{'type':'plugin.disabled','by':'ann','data':{'plugin':'alpha',"
               "'reason':'it is wrong'}}");
    assert_has(standings(play), "'kind':'staff'");
    assert_has(standings(play), "it is wrong");
    is_mended = true;
    play_entry(play, LOG_SYSTEM,
               "{'type':'plugin.enabled','data':{'plugin':'alpha','again':true}}");
    assert_string_equal(play->result.reason, "plugin alpha is disabled by a person");
    enable(play, "alpha");
    play_ticks(play);
    assert_string_equal(play_trait(play, ALPHA), "'first(order:1) second(order:1)'");
}

/* -- Functions -------------------------------------------------------------------------------- */

#define ASK(what)                                                      \
    "rule \"r\" { on = \"order\", run = function(event, customer)\n"   \
    "  local ok, answer = pcall(alpha.ask, { what = \"" what "\" })\n" \
    "  customer:set(\"answer\", ok and answer or \"no: \" .. tostring(answer))\nend }"

static void test_a_function_answers_a_rule(void **state)
{
    struct play *play = *state;
    play_rules(play, ASK(""));
    shop(play, "u-1", "1", "");
    assert_string_equal(play_trait(play, "user_id:u-1", "answer"), "42");
    assert_string_equal(play_trait(play, ALPHA), "'first(order:1) second(order:1) asked'");
}

static void test_a_rule_outlives_a_function_that_crashes(void **state)
{
    struct play *play = *state;
    play_rules(play, ASK("crash"));
    shop(play, "u-1", "1", "");
    assert_has(play_trait(play, "user_id:u-1", "answer"),
               "plugin alpha crashed and is quarantined");
    assert_has(standings(play), "'kind':'crash'");
    assert_has(standings(play), "'parked':0"); /* it has heard of this one */
    shop(play, "u-1", "2", "");
    assert_has(play_trait(play, "user_id:u-1", "answer"), "plugin alpha is quarantined");
    is_mended = true;
    enable(play, "alpha");
    play_ticks(play);
    shop(play, "u-1", "3", "");
    assert_string_equal(play_trait(play, "user_id:u-1", "answer"), "42");
}

static void test_a_rule_that_fails_undoes_what_its_functions_did(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule \"r\" { on = \"order\", run = function(event, customer)\n"
                     "  alpha.ask { what = \"\" }\n  error(\"no\")\nend }");
    shop(play, "u-1", "1", "");
    assert_string_equal(play_trait(play, ALPHA), "'first(order:1) second(order:1)'");
}

/* What it did before it was lost must not stay either. */
static void test_a_function_that_crashes_leaves_nothing(void **state)
{
    struct play *play = *state;
    play_rules(play, ASK("crash"));
    shop(play, "u-1", "1", "");
    assert_string_equal(play_trait(play, ALPHA), "'first(order:1) second(order:1)'");
}

static void test_a_function_that_fails_leaves_nothing(void **state)
{
    struct play *play = *state;
    play_rules(play, ASK("fail"));
    shop(play, "u-1", "1", "");
    assert_has(play_trait(play, "user_id:u-1", "answer"), "as I was told");
    assert_string_equal(play_trait(play, ALPHA), "'first(order:1) second(order:1)'");
}

/* -- Customers who are one, two, none --------------------------------------------------------- */

static void test_of_two_who_become_one_the_survivor_keeps_hers(void **state)
{
    struct play *play = *state;
    shop(play, "u-1", "1", "");
    shop(play, "u-2", "2", "");
    uint64_t one = play_customer(play, "user_id:u-1"), two = play_customer(play, "user_id:u-2");
    play_command(play, "customer.merge", "user_id:u-1", "{'absorbed':'user_id:u-2'}");
    assert_has(document(play, one, "alpha"), "'first(order:1) second(order:1)'");
    shop(play, "u-2", "3", "");
    assert_has(document(play, one, "alpha"), "second(order:1) first(order:3)");
    play_command(play, "customer.unmerge", "user_id:u-2", "{}");
    assert_has(document(play, one, "alpha"), "second(order:1) first(order:3)");
    assert_has(document(play, two, "alpha"), "'first(order:2) second(order:2)'");
}

static void test_who_had_nothing_has_what_the_other_had(void **state)
{
    struct play *play = *state;
    play_identify(play, "u-1", NULL);
    shop(play, "u-2", "2", "");
    play_command(play, "customer.merge", "user_id:u-1", "{'absorbed':'user_id:u-2'}");
    assert_has(document(play, play_customer(play, "user_id:u-1"), "alpha"), "first(order:2)");
}

static void test_a_plugin_says_what_becomes_of_its_documents(void **state)
{
    struct play *play = *state;
    has_hooks = true;
    shop(play, "u-1", "1", "");
    shop(play, "u-2", "2", "");
    shop(play, "u-3", "3", "");
    uint64_t one = play_customer(play, "user_id:u-1"), two = play_customer(play, "user_id:u-2"),
             three = play_customer(play, "user_id:u-3");
#define TWICE(mark) "first(order:" mark ") second(order:" mark ")"
    play_command(play, "customer.merge", "user_id:u-2", "{'absorbed':'user_id:u-3'}");
    play_command(play, "customer.merge", "user_id:u-1", "{'absorbed':'user_id:u-2'}");
    assert_has(document(play, one, "alpha"), "'" TWICE("1") "+" TWICE("2") "+" TWICE("3") "'");
    play_command(play, "customer.unmerge", "user_id:u-3", "{}");
    assert_has(document(play, one, "alpha"),
               "'" TWICE("1") "+" TWICE("2") "+" TWICE("3") "-" TWICE("3") "'");
    assert_has(document(play, three, "alpha"), "'" TWICE("3") "'");
    /* She who was between them has let her go too. */
    assert_has(document(play, two, "alpha"), "'" TWICE("2") "+" TWICE("3") "-" TWICE("3") "'");
    play_command(play, "customer.unmerge", "user_id:u-2", "{}");
    assert_has(document(play, two, "alpha"), "'" TWICE("2") "+" TWICE("3") "-" TWICE("3") "'");
    struct key aside;
    key_customer(&aside, one, 'O');
    assert_int_equal(play_count(play, &aside), 0);
    key_customer(&aside, two, 'O');
    assert_int_equal(play_count(play, &aside), 0);
}

static void test_documents_of_an_older_version_are_brought_up_before_they_become_one(void **state)
{
    struct play *play = *state;
    has_hooks = true;
    shop(play, "u-1", "1", "");
    shop(play, "u-2", "2", "");
    play_plugins(play, &later);
    play_command(play, "customer.merge", "user_id:u-1", "{'absorbed':'user_id:u-2'}");
    assert_has(document(play, play_customer(play, "user_id:u-1"), "alpha"),
               "'v':2,'d':{'t':'v2 of 1: " TWICE("1") "+v2 of 1: " TWICE("2") "'}");
}

static void test_what_is_left_to_the_engine_keeps_the_version_that_it_has(void **state)
{
    struct play *play = *state;
    shop(play, "u-1", "1", "");
    play_plugins(play, &later);
    shop(play, "u-2", "2", "");
    play_command(play, "customer.merge", "user_id:u-1", "{'absorbed':'user_id:u-2'}");
    assert_has(document(play, play_customer(play, "user_id:u-1"), "alpha"),
               "'v':1,'d':{'t':'first");
}

static void test_one_that_crashes_while_they_become_one_is_quarantined(void **state)
{
    struct play *play = *state;
    has_hooks = true;
    shop(play, "u-1", "crash", "'alpha.second':'fail'");
    shop(play, "u-2", "2", "");
    play_command(play, "customer.merge", "user_id:u-1", "{'absorbed':'user_id:u-2'}");
    assert_has(standings(play), "'alpha':{'kind':'crash'");
    assert_has(document(play, play_customer(play, "user_id:u-1"), "alpha"), "'first(order:crash)'");
}

static void test_parked_events_find_her_when_she_is_another(void **state)
{
    struct play *play = *state;
    shop(play, "u-1", "1", "");
    play_entry(play, LOG_STAFF, "{'type':'plugin.disabled','data':{'plugin':'alpha'}}");
    shop(play, "u-2", "2", "");
    play_command(play, "customer.merge", "user_id:u-1", "{'absorbed':'user_id:u-2'}");
    enable(play, "alpha");
    play_ticks(play);
    assert_has(document(play, play_customer(play, "user_id:u-1"), "alpha"),
               "second(order:1) first(order:2)");
}

static void test_of_who_is_erased_nothing_is_left(void **state)
{
    struct play *play = *state;
    shop(play, "u-1", "1", "");
    play_entry(play, LOG_STAFF, "{'type':'plugin.disabled','data':{'plugin':'alpha'}}");
    shop(play, "u-1", "2", "");
    shop(play, "u-2", "3", "");
    struct key hers;
    key_start(&hers, 'c');
    key_number(&hers, play_customer(play, "user_id:u-1"));
    play_command(play, "erase.requested", "user_id:u-1", "{}");
    play_ticks(play);
    assert_int_equal(play_count(play, &hers), 0);
    enable(play, "alpha");
    play_ticks(play);
    assert_string_equal(standings(play), "");
    assert_string_equal(play_trait(play, "user_id:u-2", "alpha.log"),
                        "'first(order:3) second(order:3)'");
    assert_int_equal(play_count(play, &hers), 0);
}

/* -- Other plugins ---------------------------------------------------------------------------- */

static void test_no_kind_of_the_rules_is_called_as_a_plugin_is(void **state)
{
    struct play *play = *state;
    play_bundle(play, (const struct play_file[]){
                          { "rules.lua", "kind 'alpha' { states = { 'open' } }" }, { 0 } });
    assert_int_equal(play->result.status, ENGINE_REFUSED);
    assert_has(play->result.reason, "the kind \"alpha\", which is the name of a plugin");
    play_rules(play, "kind 'gamma' { states = { 'open' } }");
}

static void test_one_that_is_not_loaded_any_more_is_missed_by_nobody(void **state)
{
    struct play *play = *state;
    shop(play, "u-1", "1", "'alpha.first':'crash'");
    play_plugins(play, NULL);
    shop(play, "u-1", "2", "");
    assert_has(standings(play), "'parked':1");
    is_mended = true;
    enable(play, "alpha");
    play_ticks(play);
    assert_has(standings(play), "'alpha':{'parked':1");
    play_plugins(play, &both);
    play_ticks(play);
    assert_string_equal(play_trait(play, ALPHA), "'first(order:1) second(order:1)'");
    assert_string_equal(standings(play), "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, play_teardown)
    const struct CMUnitTest tests[] = {
        TEST(handlers_hear_before_rules_in_order_of_names),
        TEST(one_that_fails_leaves_nothing_and_says_so),
        TEST(what_a_handler_emits_is_heard_too),
        TEST(an_event_that_only_bears_a_name_is_for_those_who_hear_every_one),
        TEST(nobody_else_sets_the_traits_of_a_plugin),
        TEST(what_is_repeated_of_the_past_is_not_heard),
        TEST(one_that_crashes_is_quarantined_and_the_event_parked),
        TEST(who_is_back_hears_of_all_that_was_parked_in_order),
        TEST(it_catches_up_over_several_ticks),
        TEST(what_crashes_again_stays_at_its_place),
        TEST(beyond_the_limit_events_pass_it_by_and_are_counted),
        TEST(a_name_that_was_only_borne_is_only_borne_when_it_was_parked),
        TEST(the_verdict_of_a_run_that_ended_there_is_obeyed),
        TEST(what_it_was_called_for_is_passed_over_and_nothing_else),
        TEST(two_are_lost_in_one_entry),
        TEST(a_second_copy_of_an_entry_is_heard_once),
        TEST(who_is_not_quarantined_cannot_be_enabled),
        TEST(who_is_disabled_by_a_person_is_enabled_by_one),
        TEST(a_function_answers_a_rule),
        TEST(a_rule_outlives_a_function_that_crashes),
        TEST(a_rule_that_fails_undoes_what_its_functions_did),
        TEST(a_function_that_crashes_leaves_nothing),
        TEST(a_function_that_fails_leaves_nothing),
        TEST(of_two_who_become_one_the_survivor_keeps_hers),
        TEST(who_had_nothing_has_what_the_other_had),
        TEST(a_plugin_says_what_becomes_of_its_documents),
        TEST(documents_of_an_older_version_are_brought_up_before_they_become_one),
        TEST(what_is_left_to_the_engine_keeps_the_version_that_it_has),
        TEST(one_that_crashes_while_they_become_one_is_quarantined),
        TEST(parked_events_find_her_when_she_is_another),
        TEST(of_who_is_erased_nothing_is_left),
        TEST(no_kind_of_the_rules_is_called_as_a_plugin_is),
        TEST(one_that_is_not_loaded_any_more_is_missed_by_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
