/* test_zone_load.c -- where a process takes its zones from, and that it does so once.
 *
 * Each promise is about a process that has not looked at any zone yet.  So each is
 * tried in a child, which aborts if it does not hold.
 */
#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/base/zone.h"
#include "tests/core/base/zone_fixture.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64];

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/kith-zones-XXXXXX");
    return mkdtemp(dir) != NULL ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
    (void)stat;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int teardown(void **state)
{
    (void)state;
    return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A zone that is always `hours` from UTC; its file ends `missing` bytes too early. */
static void put(const char *name, int hours, size_t missing)
{
    char path[128], rule[16];
    struct buf bytes = BUF_INIT;
    snprintf(rule, sizeof rule, "AAA%d", -hours);
    struct tzif tzif = { .type_count = 1, .types = { { hours * 3600, 0 } }, .rule = rule };
    tzif_write(&tzif, &bytes);
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    size_t size = bytes.size - missing;
    ASSERT(fd >= 0 && write(fd, bytes.data, size) == (ssize_t)size && close(fd) == 0);
    buf_deinit(&bytes);
}

static void in_child(const char *tzdir, void (*try)(void))
{
    int status = -1;
    fflush(stdout);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (tzdir != NULL)
            setenv("TZDIR", tzdir, 1);
        else
            unsetenv("TZDIR");
        try();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void is_at(const char *name, int hours)
{
    const struct zone *zone = NULL;
    ASSERT(zone_open(name, &zone, NULL) == 0);
    ASSERT(zone_offset_ms(zone, 0) == hours * CIVIL_HOUR_MS);
    ASSERT(strcmp(zone_name(zone), name) == 0);
}

static void is_refused(int code, int wanted, const struct err *err, const char *piece)
{
    ASSERT(code == wanted && err->code == wanted);
    if (strstr(err->text, piece) == NULL)
        fprintf(stderr, "\"%s\" is not in: %s\n", piece, err->text);
    ASSERT(strstr(err->text, piece) != NULL);
}

static void opens_shanghai(void)
{
    is_at("Asia/Shanghai", 8);
    ASSERT(zone_load(NULL) == 0);
}

static void the_system_has_zones(void **state)
{
    (void)state;
    in_child(NULL, opens_shanghai);
    in_child("", opens_shanghai);
}

static void finds_only_what_was_put(void)
{
    const struct zone *zone = NULL;
    ASSERT(zone_load(NULL) == 0);
    is_at("Here", 3);
    ASSERT(zone_open("UTC", &zone, NULL) == E_INVALID && zone == NULL);
}

static void tzdir_names_another_directory(void **state)
{
    (void)state;
    put("Here", 3, 0);
    in_child(dir, finds_only_what_was_put);
}

static void finds_nothing(void)
{
    const struct zone *zone = NULL;
    struct err err = { 0 };
    char version[ZONE_VERSION_SIZE];
    is_refused(zone_open("UTC", &zone, &err), E_IO, &err, "no time zones: /nowhere: No such file");
    err = (struct err){ 0 };
    is_refused(zone_load(&err), E_IO, &err,
               "correct TZDIR, or unset it and install the package tzdata");
    zone_tzdata_version(version);
    ASSERT(strcmp(version, "none") == 0 && zone == NULL);
}

static void without_a_data_base_it_is_said_what_to_install(void **state)
{
    (void)state;
    in_child("/nowhere", finds_nothing);
}

static void finds_the_damage(void)
{
    const struct zone *zone = NULL;
    struct err err = { 0 };
    is_at("Here", 3);
    is_refused(zone_open("There", &zone, &err), E_CORRUPT, &err, "/There: it ends in the rule");
    err = (struct err){ 0 };
    is_refused(zone_load(&err), E_CORRUPT, &err, "/There: it ends in the rule");
    is_at("Here", 3);
    ASSERT(zone == NULL);
}

static void a_damaged_file_fails_its_zone_and_the_whole(void **state)
{
    (void)state;
    put("Here", 3, 0);
    put("There", 4, 1);
    in_child(dir, finds_the_damage);
}

static void keeps_what_it_read(void)
{
    char before[ZONE_VERSION_SIZE], after[ZONE_VERSION_SIZE];
    const struct zone *zone = NULL;
    is_at("Here", 3);
    zone_tzdata_version(before);
    put("Here", 5, 0);
    put("There", 6, 0);
    put("Elsewhere", 7, 0);
    is_at("Here", 3);
    is_at("There", 4);
    ASSERT(zone_open("Elsewhere", &zone, NULL) == E_INVALID);
    zone_tzdata_version(after);
    ASSERT(strcmp(before, after) == 0);
}

static void an_upgrade_of_the_data_base_does_not_reach_a_running_process(void **state)
{
    (void)state;
    put("Here", 3, 0);
    put("There", 4, 0);
    in_child(dir, keeps_what_it_read);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_system_has_zones),
        TEST(tzdir_names_another_directory),
        TEST(without_a_data_base_it_is_said_what_to_install),
        TEST(a_damaged_file_fails_its_zone_and_the_whole),
        TEST(an_upgrade_of_the_data_base_does_not_reach_a_running_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
