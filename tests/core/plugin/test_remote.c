/* test_remote.c -- the process of an isolated plugin: one that works, and ones that lie.
 *
 * This program is also that process: started with GUEST_FLAG it is a guest, or what KITH_LIAR says.
 */
#include "core/plugin/remote.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/plugin/frame.h"
#include "core/plugin/guest.h"
#include "core/plugin/lane.h"
#include "core/plugin/wire.h"

#include <fcntl.h>
#include <libgen.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char *plugin_path(const char *name)
{
    static char path[4200];
    char self[4096];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(size > 0);
    self[size] = '\0';
    snprintf(path, sizeof path, "%s/plugins/%s.so", dirname(self), name);
    return path;
}

/* -- Late ------------------------------------------------------------------------------------- */

static const char *late; /* a path: there is a file as long as the answer is waited for */

/* In the place of the C library's: when it is asked whether the process would run if it were let,
 * it answers, and only then it is looked at. */
int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if ((flags & O_CREAT) != 0) {
        va_list args;
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }
    if (late != NULL && strstr(path, "/task/") != NULL) {
        close((int)syscall(SYS_openat, AT_FDCWD, late, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        while (access(late, F_OK) == 0)
            usleep(1000);
    }
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

/* -- Liars ------------------------------------------------------------------------------------- */

static void introduce(struct plugin *plugin)
{
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    struct err err;
    doc_begin(&w, &bytes);
    doc_put_int(&w, "code", 0);
    doc_open(&w, "plugin");
    wire_put_plugin(&w, plugin);
    doc_close(&w);
    frame_write(FD_SOCKET, doc_end(&w), &err);
}

static void reply(struct lane *lane, uint32_t out_size)
{
    uint64_t one = 1;
    atomic_store(&lane->out_size, out_size);
    atomic_store(&lane->done, 1);
    if (write(FD_DONE, &one, sizeof one) < 0)
        _exit(EXIT_FAILURE);
}

static void chatter(void)
{
    uint64_t one = 1;
    for (;;)
        if (write(FD_DONE, &one, sizeof one) < 0)
            usleep(100);
}

static void answer_when_asked(struct lane *lane)
{
    static const uint8_t nothing[5] = { 5 };
    const char *path = getenv("KITH_LATE");
    while (access(path, F_OK) != 0)
        usleep(1000);
    memcpy(lane->out, nothing, sizeof nothing);
    reply(lane, sizeof nothing);
    unlink(path);
}

static void lie_about_call(const char *lie, struct lane *lane)
{
    static const uint32_t small = 3, large = LANE_BYTES;
    memset(lane->out, 0xff, 4096);
    if (strcmp(lie, "mute") == 0)
        pause();
    else if (strcmp(lie, "chatter") == 0)
        chatter();
    else if (strcmp(lie, "late") == 0)
        answer_when_asked(lane);
    else if (strcmp(lie, "die") == 0)
        _exit(EXIT_SUCCESS);
    else if (strcmp(lie, "huge") == 0)
        reply(lane, UINT32_MAX);
    else if (strcmp(lie, "rubbish") == 0)
        reply(lane, 4096);
    else if (strcmp(lie, "nothing") == 0)
        reply(lane, 0);
    else if (strcmp(lie, "small") == 0)
        reply((memcpy(lane->out, &small, sizeof small), lane), 4096);
    else if (strcmp(lie, "large") == 0)
        reply((memcpy(lane->out, &large, sizeof large), lane), 4096);
}

static int liar(const char *lie)
{
    static const char *const needs[] = { "admin" };
    struct buf wanted = BUF_INIT;
    struct plugin *plugin = NULL;
    struct err err;
    uint64_t count;
    struct lanes *lanes =
        mmap(NULL, sizeof *lanes, PROT_READ | PROT_WRITE, MAP_SHARED, FD_LANES, 0);
    if (lanes == MAP_FAILED || frame_read(FD_SOCKET, -1, &wanted, &err) != 0)
        return EXIT_FAILURE;
    struct doc doc = { wanted.data, (uint32_t)wanted.size };
    struct plugin_options options = { .name = doc_text(doc, "name").data,
                                      .path = doc_text(doc, "path").data,
                                      .config = doc_child(doc, "config") };
    if (strcmp(lie, "end") == 0 || plugin_load(&options, &plugin, &err) != 0)
        return EXIT_FAILURE;
    if (strcmp(lie, "name") == 0)
        plugin->name = "somebody";
    if (strcmp(lie, "needs") == 0) {
        plugin->needs = needs;
        plugin->need_count = 1;
    }
    if (strcmp(lie, "noise") == 0 && write(FD_SOCKET, "no document at all", 18) < 0)
        return EXIT_FAILURE;
    introduce(plugin);
    while (read(FD_POSTED, &count, sizeof count) > 0)
        for (size_t i = 0; i < LANES; i++)
            if (atomic_load(&lanes->lane[i].posted) != 0)
                lie_about_call(lie, &lanes->lane[i]);
    return EXIT_FAILURE;
}

static int guest(void)
{
    struct buf bytes = BUF_INIT;
    struct err err;
    const char *lie = getenv("KITH_LIAR");
    if (lie != NULL)
        _exit(liar(lie)); /* its memory is nobody's business */
    if (guest_open() == NULL)
        return EXIT_FAILURE;
    while (frame_read(FD_SOCKET, -1, &bytes, &err) == 0)
        ;
    return EXIT_SUCCESS;
}

/* -- Helpers ----------------------------------------------------------------------------------- */

struct house {
    struct remote *remote;
    struct plugin *plugin;
    struct err err;
    struct buf item;
};

static int open_it(struct house *house, const char *name, const char *lie)
{
    struct plugin_options options = { .name = name, .path = plugin_path(name) };
    *house = (struct house){ .item = BUF_INIT };
    if (lie != NULL)
        setenv("KITH_LIAR", lie, 1);
    else
        unsetenv("KITH_LIAR");
    return remote_open(&options, &house->remote, &house->plugin, &house->err);
}

static void close_it(struct house *house)
{
    remote_close(house->remote);
    plugin_free(house->plugin);
    buf_deinit(&house->item);
}

/* A handler's item that reads one value, a number. */
static struct doc make_item(struct house *house, int64_t value)
{
    struct doc_writer w;
    buf_clear(&house->item);
    doc_begin(&w, &house->item);
    doc_put_int(&w, "f", ITEM_HANDLER);
    doc_put_int(&w, "i", 0);
    doc_put_int(&w, "now", 1);
    doc_open(&w, "v");
    doc_put_int(&w, "0", value);
    doc_close(&w);
    return doc_end(&w);
}

static enum plugin_outcome call(struct house *house, int64_t value, struct doc *out_reply)
{
    return remote_call(house->remote, make_item(house, value), out_reply);
}

/* -- One that works ---------------------------------------------------------------------------- */

static void test_it_says_what_it_is(void **state)
{
    struct house house;
    (void)state;
    assert_int_equal(open_it(&house, "good_state", NULL), 0);
    assert_string_equal(house.plugin->name, "good_state");
    assert_int_equal(house.plugin->handler_count, 1);
    assert_string_equal(house.plugin->handlers[0].types[0], "Order Completed");
    assert_int_equal(house.plugin->handler_reads[0].count, 1);
    assert_int_equal(house.plugin->states[0].version, 2);
    assert_non_null(house.plugin->states[0].merge);
    assert_int_equal(house.plugin->trait_count, 1);
    close_it(&house);
}

static void test_it_answers_calls_and_batches_in_order(void **state)
{
    struct house house;
    struct doc reply;
    (void)state;
    assert_int_equal(open_it(&house, "good_state", NULL), 0);
    assert_int_equal(call(&house, 0, &reply), PLUGIN_OK);
    assert_int_equal(doc_int(reply, "c", -1), REPLY_OK);
    for (int64_t i = 0; i < 100; i++)
        assert_true(remote_add(house.remote, make_item(&house, i)));
    remote_post(house.remote);
    assert_false(remote_add(house.remote, make_item(&house, 100)));
    assert_int_equal(call(&house, 0, &reply), PLUGIN_OK); /* in between */
    for (int64_t i = 0; i < 100; i++) {
        struct doc next = remote_next(house.remote);
        assert_int_equal(doc_int(doc_child(next, "v"), "0", -1), i);
        if (i % 3 == 0)
            remote_skip(house.remote);
        else
            assert_int_equal(remote_take(house.remote, &reply), PLUGIN_OK);
    }
    assert_null(remote_next(house.remote).data);
    assert_true(remote_add(house.remote, make_item(&house, 100)));
    close_it(&house);
}

static void test_what_there_is_not_is_refused(void **state)
{
    struct house house;
    struct doc reply;
    struct doc_writer w;
    (void)state;
    assert_int_equal(open_it(&house, "good_state", NULL), 0);
    for (int64_t kind = -1; kind < 5; kind++) {
        buf_clear(&house.item);
        doc_begin(&w, &house.item);
        doc_put_int(&w, "f", kind);
        doc_put_int(&w, "i", 1000);
        assert_int_equal(remote_call(house.remote, doc_end(&w), &reply), PLUGIN_OK);
        assert_int_equal(doc_int(reply, "c", -1), REPLY_FAILED);
    }
    close_it(&house);
}

static void test_one_that_does_not_load_says_why(void **state)
{
    static const struct {
        const char *name, *words;
    } cases[] = {
        { "bad_no_symbol", "exports no kith_describe()" },
        { "bad_abi", "built for version" },
        { "bad_short", "its description has" },
        { "bad_crash_describe", "its process ended while it was loaded" },
        { "not_there", "No such file" },
        { "good_act", "add \"act:remind\", \"act:tag\", \"act:after\" to grant" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct house house;
        assert_true(open_it(&house, cases[i].name, NULL) < 0);
        if (strstr(house.err.text, cases[i].words) == NULL)
            fail_msg("%s: %s", cases[i].name, house.err.text);
        assert_null(house.remote);
    }
}

static void test_one_that_hangs_is_lost_and_stays_so(void **state)
{
    struct house house;
    struct doc reply;
    (void)state;
    assert_int_equal(open_it(&house, "bad_hang", NULL), 0);
    assert_int_equal(call(&house, 5, &reply), PLUGIN_OK);
    assert_int_equal(call(&house, -1, &reply), PLUGIN_HUNG);
    assert_true(remote_is_lost(house.remote));
    assert_int_equal(call(&house, 5, &reply), PLUGIN_CRASHED);
    assert_false(remote_add(house.remote, make_item(&house, 5)));
    close_it(&house);
}

/* It has done what it should, and so it does not want to run. */
static void test_one_that_answers_while_it_is_looked_at_is_not_lost(void **state)
{
    struct house house;
    struct doc reply;
    char path[] = "/tmp/kith-late-XXXXXX";
    (void)state;
    close(mkstemp(path));
    unlink(path);
    setenv("KITH_LATE", path, 1);
    assert_int_equal(open_it(&house, "good_state", "late"), 0);
    late = path;
    enum plugin_outcome outcome = call(&house, 0, &reply);
    late = NULL;
    assert_int_equal(outcome, PLUGIN_OK);
    assert_false(remote_is_lost(house.remote));
    close_it(&house);
}

static void test_one_that_is_killed_is_lost(void **state)
{
    struct house house;
    struct doc reply;
    (void)state;
    assert_int_equal(open_it(&house, "good_state", NULL), 0);
    kill(remote_pid(house.remote), SIGKILL);
    assert_int_equal(call(&house, 0, &reply), PLUGIN_CRASHED);
    close_it(&house);
}

/* What was done before it died has been done. */
static void test_of_a_batch_in_which_it_dies_the_beginning_is_there(void **state)
{
    struct house house;
    struct doc reply;
    (void)state;
    assert_int_equal(open_it(&house, "bad_hang", NULL), 0);
    for (int64_t i = 0; i < 3; i++)
        assert_true(remote_add(house.remote, make_item(&house, i < 2 ? i : -1)));
    remote_post(house.remote);
    assert_int_equal(remote_take(house.remote, &reply), PLUGIN_OK);
    assert_int_equal(remote_take(house.remote, &reply), PLUGIN_OK);
    assert_int_equal(remote_take(house.remote, &reply), PLUGIN_HUNG);
    close_it(&house);
}

/* -- Ones that lie ----------------------------------------------------------------------------- */

static void test_of_a_batch_in_which_it_dies_nothing_more_is_to_come(void **state)
{
    struct house house;
    struct doc reply;
    (void)state;
    assert_int_equal(open_it(&house, "good_state", "die"), 0);
    for (int64_t i = 0; i < 3; i++)
        assert_true(remote_add(house.remote, make_item(&house, i)));
    remote_post(house.remote);
    assert_non_null(remote_next(house.remote).data);
    remote_skip(house.remote);
    assert_true(remote_is_lost(house.remote));
    assert_null(remote_next(house.remote).data);
    assert_int_equal(remote_take(house.remote, &reply), PLUGIN_CRASHED);
    close_it(&house);
}

static void test_who_lies_about_who_it_is_is_not_let_in(void **state)
{
    static const struct {
        const char *lie, *words;
        int code;
    } cases[] = {
        { "end", "its process ended while it was loaded", E_INVALID },
        { "noise", "sends no documents", E_INVALID },
        { "name", "it says it is called somebody", E_INVALID },
        { "needs", "add \"admin\" to grant", E_DENIED },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct house house;
        assert_int_equal(open_it(&house, "good_state", cases[i].lie), cases[i].code);
        if (strstr(house.err.text, cases[i].words) == NULL)
            fail_msg("%s: %s", cases[i].lie, house.err.text);
    }
}

static void test_who_lies_about_what_it_did_is_lost(void **state)
{
    static const struct {
        const char *lie;
        enum plugin_outcome outcome;
    } cases[] = {
        { "mute", PLUGIN_HUNG },     { "chatter", PLUGIN_HUNG },    { "die", PLUGIN_CRASHED },
        { "huge", PLUGIN_CRASHED },  { "rubbish", PLUGIN_CRASHED }, { "nothing", PLUGIN_CRASHED },
        { "small", PLUGIN_CRASHED }, { "large", PLUGIN_CRASHED },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct house house;
        struct doc reply;
        assert_int_equal(open_it(&house, "good_state", cases[i].lie), 0);
        assert_int_equal(call(&house, 0, &reply), cases[i].outcome);
        assert_true(remote_is_lost(house.remote));
        close_it(&house);
    }
}

/* It has closed everything, and is not to be waited for yet. */
static void test_how_it_ended_is_known_when_it_has(void **state)
{
    char words[REMOTE_WORDS_BYTES];
    int ends[2];
    char byte;
    (void)state;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        close(ends[1]);
        usleep(100000);
        signal(SIGABRT, SIG_DFL);
        abort();
    }
    int process = (int)syscall(SYS_pidfd_open, child, 0);
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 0);
    assert_false(remote_await_end(process, 0, words));
    assert_true(remote_await_end(process, 60000, words));
    assert_string_equal(words, "it crashed (SIGABRT)");
    waitpid(child, NULL, 0);
    close(ends[0]);
    close(process);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_says_what_it_is),
        cmocka_unit_test(test_it_answers_calls_and_batches_in_order),
        cmocka_unit_test(test_what_there_is_not_is_refused),
        cmocka_unit_test(test_one_that_does_not_load_says_why),
        cmocka_unit_test(test_one_that_hangs_is_lost_and_stays_so),
        cmocka_unit_test(test_one_that_answers_while_it_is_looked_at_is_not_lost),
        cmocka_unit_test(test_one_that_is_killed_is_lost),
        cmocka_unit_test(test_how_it_ended_is_known_when_it_has),
        cmocka_unit_test(test_of_a_batch_in_which_it_dies_the_beginning_is_there),
        cmocka_unit_test(test_of_a_batch_in_which_it_dies_nothing_more_is_to_come),
        cmocka_unit_test(test_who_lies_about_who_it_is_is_not_let_in),
        cmocka_unit_test(test_who_lies_about_what_it_did_is_lost),
    };
    if (argc == 2 && strcmp(argv[1], GUEST_FLAG) == 0)
        return guest();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
