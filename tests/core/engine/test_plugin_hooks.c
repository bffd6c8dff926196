/* test_plugin_hooks.c -- hooks of a plugin's documents that fail, crash or hang.
 *
 * One plugin, alpha, keeps of each order its mark.  When customers become one it joins the marks,
 * unless that of who is absorbed says otherwise: "merge fail", "unmerge hang".
 *
 * Each test is folded again, twice, when it ends: the state is the same, or it fails.
 */
#include "tests/core/engine/engine_fixture.h"

#include "core/base/err.h"
#include "core/base/json_write.h"
#include "core/engine/plugins.h"
#include "core/engine/read.h"
#include "core/engine/rules.h"
#include "core/engine/step.h"

#include <stdio.h>
#include <string.h>

#define STATE_BYTES 16384 /* limits.plugin_state_bytes as it is */

static const struct text names[] = { { "alpha", 5 } };
static struct text order[] = { { "order", 5 } };
static struct rule handlers[] = { {
    .name = { "alpha.keep", 10 },
    .trigger = RULE_ON_TYPES,
    .types = order,
    .type_count = 1,
    .at_minute = -1,
} };
static const size_t owners[] = { 0 };

/* -- The host --------------------------------------------------------------------------------- */

static struct doc document_of(struct arena *arena, const char *name, struct text mark)
{
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &bytes);
    if (name != NULL)
        doc_open(&w, name);
    doc_put_text(&w, "mark", mark);
    if (name != NULL)
        doc_close(&w);
    struct doc doc = arena_doc(arena, doc_end(&w));
    buf_deinit(&bytes);
    return doc;
}

static enum plugin_outcome run(struct plugins *plugins, size_t index, struct step *step,
                               struct err *err)
{
    struct doc doc = document_of(step_arena(step), NULL, doc_text(step_event(step)->data, "mark"));
    (void)index;
    step_set_plugin(step, plugins->names[0]);
    int64_t by = doc_int(step_event(step)->data, "by", 1); /* a later version of it */
    int rc = step_keep_document(step, plugins->names[0], text_of("log"), by, doc, err);
    step_set_plugin(step, (struct text){ "", 0 });
    return rc == 0 ? PLUGIN_OK : PLUGIN_FAILED;
}

static int64_t version(struct plugins *plugins, size_t plugin, struct text key)
{
    (void)plugins;
    (void)plugin;
    return text_is(key, "log") ? 1 : 0;
}

static enum plugin_outcome fold(struct plugins *plugins, size_t plugin, enum plugin_fold what,
                                struct text key, struct doc arguments, struct arena *arena,
                                struct doc *out, struct err *err)
{
    struct text mark = doc_text(doc_child(arguments, "absorbed"), "mark");
    struct text own = doc_text(doc_child(arguments, "survivor"), "mark");
    const char *hook = what == PLUGIN_MERGE ? "merge" : "unmerge";
    (void)plugins;
    (void)plugin;
    (void)key;
    if (text_equal(mark, arena_printf(arena, "%s fail", hook))) {
        err_set(err, E_INVALID, "odd ones do not add up");
        return PLUGIN_FAILED;
    }
    if (text_equal(mark, arena_printf(arena, "%s crash", hook)))
        return PLUGIN_CRASHED;
    if (text_equal(mark, arena_printf(arena, "%s hang", hook)))
        return PLUGIN_HUNG;
    if (text_equal(mark, text_of("large"))) {
        char *larger = arena_alloc(arena, STATE_BYTES + 1);
        memset(larger, 'x', STATE_BYTES);
        larger[STATE_BYTES] = '\0';
        *out = document_of(arena, what == PLUGIN_MERGE ? NULL : "absorbed", text_of(larger));
        return PLUGIN_OK;
    }
    *out = what == PLUGIN_MERGE ? document_of(arena, NULL,
                                              arena_printf(arena, "%.*s and %.*s", (int)own.size,
                                                           own.data, (int)mark.size, mark.data))
                                : document_of(arena, "survivor", own);
    return PLUGIN_OK;
}

static struct plugins alpha = {
    .names = names,
    .count = 1,
    .handlers = handlers,
    .owners = owners,
    .handler_count = 1,
    .run = run,
    .version = version,
    .fold = fold,
};

/* -- Helpers ---------------------------------------------------------------------------------- */

static int setup(void **arg)
{
    int rc = play_setup(arg);
    play_config(*arg, "{'zone':'Europe/Berlin','fallback':'desk','channels':{'log':{}},"
                      "'plugins':{'alpha':{}},'limits':{}}");
    play_plugins(*arg, &alpha);
    play_start(*arg);
    play_reports(*arg);
    return rc;
}

static void shop(struct play *play, const char *user, const char *mark)
{
    char data[100];
    snprintf(data, sizeof data, "{'mark':'%s'}", mark);
    play_track(play, user, "order", data);
}

static void merge(struct play *play, const char *theirs)
{
    shop(play, "u-1", "one");
    shop(play, "u-2", theirs);
    play_command(play, "customer.merge", "user_id:u-1", "{'absorbed':'user_id:u-2'}");
    assert_int_equal(play->result.status, ENGINE_DONE);
}

static void unmerge(struct play *play)
{
    play_command(play, "customer.unmerge", "user_id:u-2", "{}");
    assert_int_equal(play->result.status, ENGINE_DONE);
}

static const char *document(struct play *play, uint64_t customer)
{
    struct key key;
    key_customer(&key, customer, 'P');
    key_text(&key, text_of("alpha"));
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

/* -- Tests ------------------------------------------------------------------------------------ */

static void what_is_well_is_neither_told_nor_counted(void **state)
{
    struct play *play = *state;
    merge(play, "two");
    assert_has(document(play, 1), "'mark':'one and two'");
    assert_lacks(play_types(play, 1), "plugin.failed");
    assert_int_equal(engine_failures(play->engine), 0);
}

static void a_merge_that_fails_is_told_and_counted_and_the_survivor_keeps_hers(void **state)
{
    struct play *play = *state;
    merge(play, "merge fail");
    assert_int_equal(engine_failures(play->engine), 1);
    assert_has(play_types(play, 1), "customer.merge customer.merged plugin.failed");
    assert_has(play_timeline(play, 1, engine_seq(play->engine), 2),
               "'plugin':'alpha','hook':'merge','key':'log','message':'odd ones do not add up'");
    assert_has(document(play, 1), "'mark':'one'");
    assert_string_equal(standings(play), "");
    shop(play, "u-1", "three");
    assert_has(document(play, 1), "'mark':'three'");
}

static void what_a_hook_makes_is_no_larger_than_what_may_be_kept(void **state)
{
    struct play *play = *state;
    merge(play, "large");
    assert_has(play_timeline(play, 1, engine_seq(play->engine), 2),
               "more than 16384 (limit plugin_state_bytes)");
    assert_has(document(play, 1), "'mark':'one'");
    unmerge(play);
    assert_int_equal(engine_failures(play->engine), 2);
    assert_has(document(play, 1), "'mark':'one'");
    assert_has(document(play, 2), "'mark':'large'");
}

static void an_unmerge_that_fails_is_told_and_each_keeps_what_was_there(void **state)
{
    struct play *play = *state;
    merge(play, "unmerge fail");
    unmerge(play);
    assert_int_equal(engine_failures(play->engine), 1);
    assert_has(play_timeline(play, 1, engine_seq(play->engine), 2), "'hook':'unmerge'");
    assert_has(document(play, 1), "'mark':'one and unmerge fail'");
    assert_has(document(play, 2), "'mark':'unmerge fail'");
    assert_string_equal(standings(play), "");
}

static void a_merge_that_crashes_is_made_without_the_plugin_which_is_quarantined(void **state)
{
    struct play *play = *state;
    merge(play, "merge crash");
    assert_has(standings(play), "'alpha':{'kind':'crash'");
    assert_has(document(play, 1), "'mark':'one'");
    assert_int_equal(play_customer(play, "user_id:u-2"), 2);
    shop(play, "u-3", "parked");
    assert_has(standings(play), "'parked':1");
}

static void a_merge_while_the_plugin_is_away_is_told_and_counted(void **state)
{
    struct play *play = *state;
    shop(play, "u-1", "one");
    shop(play, "u-2", "two");
    play_command(play, "plugin.disabled", NULL, "{'plugin':'alpha'}");
    play_command(play, "customer.merge", "user_id:u-1", "{'absorbed':'user_id:u-2'}");
    assert_int_equal(engine_failures(play->engine), 1);
    assert_has(play_timeline(play, 1, engine_seq(play->engine), 2),
               "'hook':'merge','key':'log','message':'it is quarantined and was not asked'");
    assert_has(document(play, 1), "'mark':'one'");
    play_command(play, "customer.unmerge", "user_id:u-2", "{}");
    assert_int_equal(engine_failures(play->engine), 2);
    assert_has(document(play, 1), "'mark':'one'");
    assert_has(document(play, 2), "'mark':'two'");
}

static void an_unmerge_that_hangs_is_made_without_the_plugin_which_is_quarantined(void **state)
{
    struct play *play = *state;
    merge(play, "unmerge hang");
    unmerge(play);
    assert_has(standings(play), "'alpha':{'kind':'hang'");
    assert_has(document(play, 1), "'mark':'one and unmerge hang'");
    assert_has(document(play, 2), "'mark':'unmerge hang'");
}

static void what_an_earlier_version_cannot_read_is_found_also_where_it_was_put_aside(void **state)
{
    struct play *play = *state;
    struct err err;
    play_track(play, "u-1", "order", "{'mark':'late','by':3}");
    assert_int_equal(plugins_check_kept(play->engine, &err), E_CONFLICT);
    assert_string_equal(err.text,
                        "plugin alpha keeps \"log\" in version 1, and of what is kept there is "
                        "version 3: it could not read that; put the file back that declares at "
                        "least 3");
    shop(play, "u-1", "early");
    assert_int_equal(plugins_check_kept(play->engine, NULL), 0);
    play_track(play, "u-1", "order", "{'mark':'late','by':3}");
    shop(play, "u-2", "early");
    play_command(play, "customer.merge", "user_id:u-1", "{'absorbed':'user_id:u-2'}");
    assert_has(document(play, 1), "'mark':'late and early'");
    assert_int_equal(plugins_check_kept(play->engine, NULL), E_CONFLICT);
}

/* What she is told that is kept of her, one document behind another. */
static const char *told_of(struct play *play, const char *reference)
{
    struct buf states = BUF_INIT, json = BUF_INIT;
    struct err err;
    assert_int_equal(read_plugin_states_of(play->engine, text_of(reference), &states, &err), 0);
    for (size_t at = 0; at < states.size;) {
        struct doc doc = { states.data + at, 0 };
        memcpy(&doc.size, doc.data, sizeof doc.size); /* how a document begins */
        json_write_doc(&json, doc);
        at += doc.size;
    }
    const char *text =
        arena_text(&play->arena, (struct text){ buf_string(&json), (uint32_t)json.size }).data;
    buf_deinit(&states);
    buf_deinit(&json);
    return text;
}

static void what_was_kept_before_a_merge_is_told_as_that(void **state)
{
    struct play *play = *state;
    merge(play, "two");
    const char *told = told_of(play, "user_id:u-1"),
               *now = strstr(told, "\"customer\":1,\"state\"");
    assert_non_null(now);
    assert_null(strstr(now + 1, "\"customer\":1,\"state\""));
    assert_non_null(strstr(told, "\"customer\":1,\"before\":2,\"state\""));
    assert_non_null(strstr(told, "\"customer\":2,\"state\""));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_kept_before_a_merge_is_told_as_that),
        TEST(what_is_well_is_neither_told_nor_counted),
        TEST(a_merge_that_fails_is_told_and_counted_and_the_survivor_keeps_hers),
        TEST(what_a_hook_makes_is_no_larger_than_what_may_be_kept),
        TEST(an_unmerge_that_fails_is_told_and_each_keeps_what_was_there),
        TEST(a_merge_that_crashes_is_made_without_the_plugin_which_is_quarantined),
        TEST(a_merge_while_the_plugin_is_away_is_told_and_counted),
        TEST(an_unmerge_that_hangs_is_made_without_the_plugin_which_is_quarantined),
        TEST(what_an_earlier_version_cannot_read_is_found_also_where_it_was_put_aside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
