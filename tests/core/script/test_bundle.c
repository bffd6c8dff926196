/* test_bundle.c -- a directory of scripts as one document. */
#include "core/script/bundle.h"

#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/mem.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char dir[64];
    struct buf out;
    struct doc bundle;
    struct err err;
};

static int setup(void **arg)
{
    struct fixture *fixture = mem_zero(sizeof *fixture);
    snprintf(fixture->dir, sizeof fixture->dir, "/tmp/kith-bundle-XXXXXX");
    assert_non_null(mkdtemp(fixture->dir));
    *arg = fixture;
    return 0;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
    (void)stat;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int teardown(void **arg)
{
    struct fixture *fixture = *arg;
    nftw(fixture->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    buf_deinit(&fixture->out);
    free(fixture);
    return 0;
}

static void put(const struct fixture *fixture, const char *path, const void *text, size_t size)
{
    char full[300];
    snprintf(full, sizeof full, "%s/%s", fixture->dir, path);
    for (char *slash = strchr(full + strlen(fixture->dir) + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(full, 0700);
        *slash = '/';
    }
    int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, size), (ssize_t)size);
    close(fd);
}

static int read_dir(struct fixture *fixture)
{
    buf_clear(&fixture->out);
    return bundle_read_dir(fixture->dir, &fixture->out, &fixture->bundle, &fixture->err);
}

static void files_stand_in_the_order_of_their_paths(void **state)
{
    struct fixture *fixture = *state;
    static const char *const wanted[] = { "B.lua", "a.lua", "a/z.lua", "b/c/d.md", "t.csv" };
    put(fixture, "t.csv", "1", 1);
    put(fixture, "a/z.lua", "2", 1);
    put(fixture, "b/c/d.md", "3", 1);
    put(fixture, "B.lua", "4", 1);
    put(fixture, "a.lua", "", 0);
    assert_int_equal(read_dir(fixture), 0);
    size_t i = 0;
    for (struct doc_iter it = doc_iter(doc_child(fixture->bundle, "files")); doc_next(&it); i++)
        assert_string_equal(it.name.data, wanted[i]);
    assert_int_equal(i, 5);
    assert_true(text_is(doc_text(doc_child(fixture->bundle, "files"), "t.csv"), "1"));
}

static void what_is_no_script_is_left_out(void **state)
{
    struct fixture *fixture = *state;
    put(fixture, "a.lua", "x", 1);
    put(fixture, ".hidden.lua", "x", 1);
    put(fixture, ".git/config.lua", "x", 1);
    put(fixture, "a.lua~", "x", 1);
    put(fixture, "lua", "x", 1);
    put(fixture, ".lua", "x", 1);
    assert_int_equal(read_dir(fixture), 0);
    assert_int_equal(doc_count(doc_child(fixture->bundle, "files")), 1);
}

static void an_empty_directory_is_an_empty_bundle(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(read_dir(fixture), 0);
    assert_int_equal(doc_count(doc_child(fixture->bundle, "files")), 0);
}

static void the_hash_is_of_names_and_texts_alone(void **state)
{
    struct fixture *fixture = *state;
    uint8_t first[BUNDLE_HASH_BYTES], second[BUNDLE_HASH_BYTES];
    put(fixture, "a.lua", "x", 1);
    put(fixture, "b.lua", "y", 1);
    assert_int_equal(read_dir(fixture), 0);
    bundle_hash(fixture->bundle, first);
    put(fixture, "b.lua", "y", 1);
    assert_int_equal(read_dir(fixture), 0);
    bundle_hash(fixture->bundle, second);
    assert_memory_equal(first, second, sizeof first);
    put(fixture, "b.lua", "z", 1);
    assert_int_equal(read_dir(fixture), 0);
    bundle_hash(fixture->bundle, second);
    assert_memory_not_equal(first, second, sizeof first);
}

static void text_that_is_not_utf8_names_its_file(void **state)
{
    struct fixture *fixture = *state;
    put(fixture, "bad/latin.lua", "\xe4", 1);
    assert_int_equal(read_dir(fixture), E_INVALID);
    assert_non_null(strstr(fixture->err.text, "bad/latin.lua is not UTF-8"));
}

static void a_bundle_too_large_is_refused(void **state)
{
    struct fixture *fixture = *state;
    size_t size = BUNDLE_BYTES_MAX / 2 + 1000;
    char *text = mem_zero(size);
    memset(text, ' ', size);
    put(fixture, "a.lua", text, size);
    assert_int_equal(read_dir(fixture), 0);
    put(fixture, "b.lua", text, size);
    assert_int_equal(read_dir(fixture), E_LIMIT);
    free(text);
}

static void too_many_files_are_refused(void **state)
{
    struct fixture *fixture = *state;
    char path[32];
    for (int i = 0; i <= BUNDLE_FILES_MAX; i++) {
        snprintf(path, sizeof path, "%d.lua", i);
        put(fixture, path, "", 0);
    }
    assert_int_equal(read_dir(fixture), E_LIMIT);
}

static void a_directory_that_is_not_there_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(
        bundle_read_dir("/nowhere/at/all", &fixture->out, &fixture->bundle, &fixture->err), E_IO);
    assert_non_null(strstr(fixture->err.text, "/nowhere/at/all"));
}

/* -- What comes from outside ---------------------------------------------- */

static int check_paths(struct fixture *fixture, const char *first, const char *second)
{
    struct doc_writer w;
    buf_clear(&fixture->out);
    doc_begin(&w, &fixture->out);
    doc_open(&w, "files");
    doc_put_string(&w, first, "");
    if (second != NULL)
        doc_put_string(&w, second, "");
    doc_close(&w);
    return bundle_check(doc_end(&w), &fixture->err);
}

static void a_path_stays_inside(void **state)
{
    struct fixture *fixture = *state;
    char path[120];
    assert_int_equal(check_paths(fixture, "a/b.lua", NULL), 0);
    assert_int_equal(check_paths(fixture, "/etc/a.lua", NULL), E_INVALID);
    assert_int_equal(check_paths(fixture, "../a.lua", NULL), E_INVALID);
    assert_int_equal(check_paths(fixture, "a/../../b.lua", NULL), E_INVALID);
    assert_int_equal(check_paths(fixture, "", NULL), E_INVALID);
    memset(path, 'x', sizeof path);
    path[101] = '\0';
    assert_int_equal(check_paths(fixture, path, NULL), E_INVALID);
    path[100] = '\0';
    assert_int_equal(check_paths(fixture, path, NULL), 0);
}

static void paths_stand_in_order_each_once(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(check_paths(fixture, "a.lua", "b.lua"), 0);
    assert_int_equal(check_paths(fixture, "b.lua", "a.lua"), E_INVALID);
    assert_int_equal(check_paths(fixture, "a.lua", "a.lua"), E_INVALID);
}

static void a_document_of_another_shape_is_no_bundle(void **state)
{
    struct fixture *fixture = *state;
    struct doc_writer w;
    doc_begin(&w, &fixture->out);
    doc_put_string(&w, "files", "a.lua");
    assert_int_equal(bundle_check(doc_end(&w), &fixture->err), E_INVALID);
    buf_clear(&fixture->out);
    doc_begin(&w, &fixture->out);
    doc_open(&w, "files");
    doc_put_int(&w, "a.lua", 5);
    doc_close(&w);
    assert_int_equal(bundle_check(doc_end(&w), &fixture->err), E_INVALID);
    assert_int_equal(bundle_check((struct doc){ NULL, 0 }, &fixture->err), E_INVALID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_stand_in_the_order_of_their_paths),
        TEST(what_is_no_script_is_left_out),
        TEST(an_empty_directory_is_an_empty_bundle),
        TEST(the_hash_is_of_names_and_texts_alone),
        TEST(text_that_is_not_utf8_names_its_file),
        TEST(a_bundle_too_large_is_refused),
        TEST(too_many_files_are_refused),
        TEST(a_directory_that_is_not_there_is_an_error),
        TEST(a_path_stays_inside),
        TEST(paths_stand_in_order_each_once),
        TEST(a_document_of_another_shape_is_no_bundle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
