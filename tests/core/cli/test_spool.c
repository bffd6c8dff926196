/* test_spool.c -- what spool.h and progress.h promise. */
#include "core/cli/spool.h"

#include "core/base/err.h"
#include "core/cli/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS 5000

static void rows_come_back_in_order_of_time_and_then_as_they_came(void **state)
{
    (void)state;
    struct spool *spool = NULL;
    struct spool_row row;
    char text[512];
    assert_int_equal(spool_open(&spool, NULL), 0);
    for (int i = 0; i < ROWS; i++) {
        int size = snprintf(text, sizeof text, "{\"row\":%d,\"filler\":\"%0400d\"}", i, i);
        row = (struct spool_row){ .at = (i * 7919) % 100,
                                  .line = (uint64_t)i,
                                  .calls = 1,
                                  .json = { text, (uint32_t)size },
                                  .raw = { "raw", 3 } };
        assert_int_equal(spool_add(spool, &row, NULL), 0);
    }
    assert_int_equal(spool_count(spool), ROWS);
    spool_sort(spool);
    int64_t at = -1;
    uint64_t line = 0;
    for (size_t i = 0; i < ROWS; i++) {
        assert_int_equal(spool_get(spool, i, &row, NULL), 0);
        assert_true(row.at > at || (row.at == at && row.line > line));
        snprintf(text, sizeof text, "{\"row\":%d,", (int)row.line);
        assert_memory_equal(row.json.data, text, strlen(text));
        assert_memory_equal(row.raw.data, "raw", 3);
        at = row.at;
        line = row.line;
    }
    spool_close(spool);
}

static void a_folder_that_is_not_there_is_named(void **state)
{
    (void)state;
    struct spool *spool = NULL;
    struct err err;
    setenv("TMPDIR", "/nowhere/at/all", 1);
    assert_int_equal(spool_open(&spool, &err), E_IO);
    assert_non_null(strstr(err.text, "/nowhere/at/all"));
    unsetenv("TMPDIR");
}

static void progress_says_share_speed_and_time_left(void **state)
{
    (void)state;
    const struct progress progress = { .verb = "importing", .total = 200 };
    struct buf out = BUF_INIT;
    progress_line(&progress, 50, 3000, 30000000000, &out);
    assert_string_equal(buf_string(&out), "importing [#######.......................]  25%  "
                                          "3000 events  100/s  ETA 1:30");
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back_in_order_of_time_and_then_as_they_came),
        cmocka_unit_test(a_folder_that_is_not_there_is_named),
        cmocka_unit_test(progress_says_share_speed_and_time_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
