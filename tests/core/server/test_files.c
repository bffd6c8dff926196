/* test_files.c -- files beside the log: kept, found, and swept away when nobody names them. */
#include "core/server/files.h"

#include "core/base/err.h"
#include "core/base/limits.h"
#include "storage/key.h"
#include "tests/storage/state_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define FAR_MS 4000000000000ll /* 2096: every file is old by then */

static struct files *open_files(struct fixture *fixture)
{
    struct files *files = NULL;
    if (files_open(fixture->dir, &files, &fixture->err) != 0)
        fail_msg("%s", fixture->err.text);
    return files;
}

static void put(struct files *files, const char *text, char out_hash[FILE_HASH_SIZE])
{
    struct err err;
    if (files_put(files, "text/plain", text, strlen(text), out_hash, &err) != 0)
        fail_msg("%s", err.text);
}

static int found(struct files *files, const char *hash)
{
    char type[FILE_TYPE_SIZE];
    struct buf out = BUF_INIT;
    struct err err;
    int rc = files_get(files, text_of(hash), type, &out, &err);
    buf_deinit(&out);
    return rc;
}

static struct key row_of(char table, const char *hash)
{
    struct key key;
    uint8_t bytes[DIGEST_32_BYTES];
    assert_true(hex_decode(hash, strlen(hash), bytes, sizeof bytes));
    key_start(&key, table);
    for (size_t i = 0; i < sizeof bytes; i++)
        key_byte(&key, bytes[i]);
    return key;
}

static size_t sweep(struct fixture *fixture, struct files *files, int64_t now_ms)
{
    size_t left = 99;
    if (files_sweep(files, fixture->state, now_ms, &left, &fixture->err) != 0)
        fail_msg("%s", fixture->err.text);
    return left;
}

static void what_was_put_is_found_after_another_opening(void **arg)
{
    struct fixture *fixture = *arg;
    struct files *files = open_files(fixture);
    char hash[FILE_HASH_SIZE], type[FILE_TYPE_SIZE];
    struct buf out = BUF_INIT;
    put(files, "kith-file 1 x\n", hash);
    files_close(files);
    files = open_files(fixture);
    assert_int_equal(files_get(files, text_of(hash), type, &out, &fixture->err), 0);
    assert_string_equal(buf_string(&out), "kith-file 1 x\n");
    assert_string_equal(type, "text/plain");
    buf_deinit(&out);
    files_close(files);
}

static void a_path_is_no_hash(void **arg)
{
    struct files *files = open_files(*arg);
    assert_int_equal(found(files, "../lock"), E_INVALID);
    assert_int_equal(found(files, ""), E_INVALID);
    files_close(files);
}

static void a_hash_is_found_in_letters_of_either_case(void **arg)
{
    struct files *files = open_files(*arg);
    char hash[FILE_HASH_SIZE];
    put(files, "a", hash);
    for (char *at = hash; *at != '\0'; at++)
        if (*at >= 'a')
            *at = (char)(*at - 'a' + 'A');
    assert_int_equal(found(files, hash), 0);
    files_close(files);
}

static void every_truncation_is_found(void **arg)
{
    struct fixture *fixture = *arg;
    struct files *files = open_files(fixture);
    char hash[FILE_HASH_SIZE], path[256];
    put(files, "abc", hash);
    snprintf(path, sizeof path, "%s/files/%s", fixture->dir, hash);
    for (int size = (int)strlen("kith-file 1 text/plain\nab"); size >= 0; size--) {
        assert_int_equal(truncate(path, size), 0);
        assert_int_equal(found(files, hash), E_CORRUPT);
    }
    files_close(files);
}

static void what_the_disk_has_lost_is_mended_by_putting_it_again(void **arg)
{
    struct fixture *fixture = *arg;
    struct files *files = open_files(fixture);
    char hash[FILE_HASH_SIZE], path[256];
    put(files, "abc", hash);
    snprintf(path, sizeof path, "%s/files/%s", fixture->dir, hash);
    assert_int_equal(truncate(path, 5), 0);
    put(files, "abc", hash);
    assert_int_equal(found(files, hash), 0);
    files_close(files);
}

static void a_sweep_takes_what_is_old_and_nobodys(void **arg)
{
    struct fixture *fixture = *arg;
    struct files *files = open_files(fixture);
    char named[FILE_HASH_SIZE], nobodys[FILE_HASH_SIZE];
    put(files, "named", named);
    put(files, "nobody's", nobodys);
    struct key row = row_of('F', named);
    key_number(&row, 7);
    state_put(fixture->state, &row, "", 0);
    fixture_checkpoint(fixture, 1);
    assert_int_equal(sweep(fixture, files, 0), 1); /* both are young */
    assert_int_equal(found(files, nobodys), 0);
    assert_int_equal(sweep(fixture, files, FAR_MS), 0);
    assert_int_equal(found(files, nobodys), E_NOTFOUND);
    assert_int_equal(found(files, named), 0);
    files_close(files);
}

static void what_was_forgotten_goes_at_once(void **arg)
{
    struct fixture *fixture = *arg;
    struct files *files = open_files(fixture);
    char forgotten[FILE_HASH_SIZE], young[FILE_HASH_SIZE];
    put(files, "forgotten", forgotten);
    put(files, "young", young);
    struct key row = row_of('G', forgotten);
    state_put(fixture->state, &row, "\1\7", 2);
    fixture_checkpoint(fixture, 1);
    assert_int_equal(sweep(fixture, files, 0), 1);
    assert_int_equal(found(files, forgotten), E_NOTFOUND);
    assert_int_equal(found(files, young), 0);
    files_close(files);
}

/* An erasure of customer 7, asked for at `at`, which took the last name of the file. */
static void forget(struct fixture *fixture, const char *hash, int64_t at)
{
    struct buf out = BUF_INIT;
    struct doc_writer w;
    struct key row = row_of('G', hash);
    state_put(fixture->state, &row, "\1\7", 2);
    doc_begin(&w, &out);
    doc_put_int(&w, "at", at);
    struct doc doc = doc_end(&w);
    key_start(&row, 'z');
    key_number(&row, 7);
    state_put(fixture->state, &row, doc.data, doc.size);
    buf_deinit(&out);
}

static void what_was_put_again_since_the_erasure_has_its_day(void **arg)
{
    struct fixture *fixture = *arg;
    struct files *files = open_files(fixture);
    char hash[FILE_HASH_SIZE];
    put(files, "a price list", hash);
    forget(fixture, hash, 1000); /* 1970: long before it was put */
    fixture_checkpoint(fixture, 1);
    assert_int_equal(sweep(fixture, files, 0), 1);
    assert_int_equal(found(files, hash), 0);
    forget(fixture, hash, FAR_MS);
    fixture_checkpoint(fixture, 2);
    assert_int_equal(sweep(fixture, files, 0), 0);
    assert_int_equal(found(files, hash), E_NOTFOUND);
    files_close(files);
}

int main(void)
{
#define FILES(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        FILES(what_was_put_is_found_after_another_opening),
        FILES(a_path_is_no_hash),
        FILES(a_hash_is_found_in_letters_of_either_case),
        FILES(every_truncation_is_found),
        FILES(what_the_disk_has_lost_is_mended_by_putting_it_again),
        FILES(a_sweep_takes_what_is_old_and_nobodys),
        FILES(what_was_forgotten_goes_at_once),
        FILES(what_was_put_again_since_the_erasure_has_its_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
