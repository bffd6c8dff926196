/* test_set.c -- real plugins under the engine: in this process and in one of their own they do the
 * same, and a fold of the same log is the same (engine_fixture.h proves it after each test).
 *
 * This program is also the process of an isolated plugin.
 */
#include "tests/core/engine/engine_fixture.h"

#include "core/base/err.h"
#include "core/plugin/frame.h"
#include "core/plugin/guest.h"
#include "core/plugin/lane.h"
#include "core/plugin/remote.h"
#include "core/plugin/set.h"

#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct plugin_set *set;

/* -- Helpers ----------------------------------------------------------------------------------- */

static void put_path(char path[4200], const char *name)
{
    char self[4096];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(size > 0);
    self[size] = '\0';
    snprintf(path, 4200, "%s/plugins/%s.so", dirname(self), name);
}

static void load(struct play *play, const char *name, struct doc grant, bool is_isolated)
{
    char path[4200];
    struct plugin_member member = { NULL, NULL };
    put_path(path, name);
    struct plugin_options options = { .name = name, .path = path, .grant = grant };
    int rc = is_isolated ? remote_open(&options, &member.remote, &member.plugin, &play->err)
                         : plugin_load(&options, &member.plugin, &play->err);
    if (rc == 0)
        rc = plugin_set_new(&member, 1, &set, &play->err);
    if (rc != 0)
        fail_msg("%s", play->err.text);
    play_plugins(play, plugin_set_engine(set));
    play_start(play);
    play_reports(play);
}

static int setup(void **arg)
{
    set = NULL;
    return play_setup(arg);
}

static int teardown(void **arg)
{
    int rc = play_teardown(arg);
    plugin_set_free(set);
    return rc;
}

#define STATE "user_id:u-1", "good_state.orders"

static struct doc grant_of(struct play *play, const char *need)
{
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &bytes);
    doc_open_array(&w, "grant");
    doc_put_string(&w, "", need);
    doc_close(&w);
    struct doc doc = arena_doc(&play->arena, doc_end(&w));
    buf_deinit(&bytes);
    return doc_child(doc, "grant");
}

/* -- What both do ------------------------------------------------------------------------------ */

static void order(struct play *play, const char *user)
{
    play->now += SECOND_MS;
    play_track(play, user, "Order Completed", NULL);
}

static void count_orders(struct play *play, bool is_isolated)
{
    load(play, "good_state", (struct doc){ NULL, 0 }, is_isolated);
    for (int i = 0; i < 3; i++)
        order(play, "u-1");
    order(play, "u-2");
    assert_string_equal(play_trait(play, STATE), "3");
    play_command(play, "customer.merge", "user_id:u-1", "{'absorbed':'user_id:u-2'}");
    order(play, "u-2");
    assert_string_equal(play_trait(play, STATE), "5");
    play_command(play, "customer.unmerge", "user_id:u-2", "{}");
    order(play, "u-1");
    order(play, "u-2");
    assert_string_equal(play_trait(play, STATE), "5");
    assert_string_equal(play_trait(play, "user_id:u-2", "good_state.orders"), "2");
}

static void test_a_plugin_counts(void **state)
{
    count_orders(*state, false);
}

static void test_an_isolated_plugin_counts(void **state)
{
    count_orders(*state, true);
}

/* The values that are sent across, and come back, are those that are read here. */
static void publish_values(struct play *play, bool is_isolated)
{
    load(play, "good_values", (struct doc){ NULL, 0 }, is_isolated);
    play_track(play, "u-1", "Order Completed", "{'total':12.5,'a':[1,2],'b':{'c':null}}");
    assert_string_equal(play_trait(play, "user_id:u-1", "good_values.fields"), "3");
    assert_string_equal(play_trait(play, "user_id:u-1", "good_values.total"), "6.25");
    assert_string_equal(play_trait(play, "user_id:u-1", "good_values.known"), "false");
}

static void test_values_are_read_and_published(void **state)
{
    publish_values(*state, false);
}

static void test_values_travel(void **state)
{
    publish_values(*state, true);
}

/* -- What happens to one that is lost ---------------------------------------------------------- */

static void test_a_hang_is_a_verdict_and_a_new_process_hears_of_it(void **state)
{
    struct play *play = *state;
    load(play, "bad_hang", (struct doc){ NULL, 0 }, true);
    play_track(play, "u-1", "Order Completed", "{'quantity':3}");
    assert_string_equal(play_reports(play), "");
    uint64_t seq = play_track(play, "u-1", "Order Completed", "{'quantity':-1}");
    char wanted[64];
    snprintf(wanted, sizeof wanted, "verdict %llu\nlost bad_hang\n", (unsigned long long)seq);
    assert_string_equal(play_reports(play), wanted);
    play_track(play, "u-1", "Order Completed", "{'quantity':3}");
    assert_string_equal(play_reports(play), "");

    struct remote *remote = NULL;
    assert_int_equal(plugin_set_another(set, 0, &remote, &play->err), 0);
    plugin_set_replace(set, 0, remote);
    play_command(play, "plugin.enabled", NULL, "{'plugin':'bad_hang','skip':true}");
    play_ticks(play);
    assert_true(engine_plugin_is_there(play->engine, text_of("bad_hang")));
}

static void test_one_that_is_killed_leaves_the_others_alone(void **state)
{
    struct play *play = *state;
    load(play, "good_state", (struct doc){ NULL, 0 }, true);
    play_track(play, "u-1", "Order Completed", NULL);
    struct remote *remote = NULL;
    assert_int_equal(plugin_set_another(set, 0, &remote, &play->err), 0);
    kill(remote_pid(remote), SIGKILL);
    plugin_set_replace(set, 0, remote);
    play_track(play, "u-1", "Order Completed", NULL);
    assert_string_equal(play_trait(play, STATE), "1");
    assert_int_equal(plugin_set_another(set, 0, &remote, &play->err), 0);
    plugin_set_replace(set, 0, remote);
    play_command(play, "plugin.enabled", NULL, "{'plugin':'good_state'}");
    play_ticks(play);
    assert_string_equal(play_trait(play, STATE), "2");
}

/* A view has processes of its own; the files are compared. */
static void test_a_view_is_the_same_set(void **state)
{
    struct play *play = *state;
    struct plugin_set *view = NULL;
    load(play, "good_state", (struct doc){ NULL, 0 }, true);
    assert_int_equal(plugin_set_view(set, &view, &play->err), 0);
    assert_int_equal(plugin_set_count(view), 1);
    assert_string_equal(plugin_set_at(view, 0)->name, "good_state");
    assert_true(plugin_set_is_isolated(view, 0));
    plugin_set_free(view);
    assert_int_equal(plugin_set_view(NULL, &view, &play->err), 0);
    assert_null(view);
}

static void test_two_of_one_name_are_refused(void **state)
{
    struct play *play = *state;
    char path[4200];
    struct plugin_member members[2] = { { NULL, NULL }, { NULL, NULL } };
    struct plugin_set *two = NULL;
    put_path(path, "good_state");
    struct plugin_options options = { .name = "good_state", .path = path };
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(plugin_load(&options, &members[i].plugin, &play->err), 0);
    assert_int_equal(plugin_set_new(members, 2, &two, &play->err), E_INVALID);
    assert_string_equal(play->err.text, "two plugins are called good_state");
    for (size_t i = 0; i < 2; i++)
        plugin_free(members[i].plugin);
}

static void test_what_is_not_granted_is_asked_for(void **state)
{
    struct play *play = *state;
    struct plugin *plugin = NULL;
    char path[4200];
    put_path(path, "good_act");
    struct plugin_options options = { .name = "good_act",
                                      .path = path,
                                      .grant = grant_of(play, "act:tag") };
    assert_int_equal(plugin_load(&options, &plugin, &play->err), E_DENIED);
    assert_string_equal(play->err.text, "plugin good_act needs what it is not granted: add "
                                        "\"act:remind\", \"act:after\" to grant = { ... } if it "
                                        "may");
    options.name = "good_state";
    assert_int_equal(plugin_load(&options, &plugin, &play->err), E_INVALID);
    assert_non_null(strstr(play->err.text, "is configured as good_state"));
}

static int guest(void)
{
    struct buf bytes = BUF_INIT;
    struct err err;
    if (guest_open() == NULL)
        return EXIT_FAILURE;
    while (frame_read(FD_SOCKET, -1, &bytes, &err) == 0)
        ;
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_plugin_counts),
        TEST(an_isolated_plugin_counts),
        TEST(values_are_read_and_published),
        TEST(values_travel),
        TEST(a_hang_is_a_verdict_and_a_new_process_hears_of_it),
        TEST(one_that_is_killed_leaves_the_others_alone),
        TEST(a_view_is_the_same_set),
        TEST(two_of_one_name_are_refused),
        TEST(what_is_not_granted_is_asked_for),
    };
    if (argc == 2 && strcmp(argv[1], GUEST_FLAG) == 0)
        return guest();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
