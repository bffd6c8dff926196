/* test_zone_base.c -- what is a zone in a directory, and what the version says. */
#include "core/base/zone_base.h"

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/mem.h"
#include "tests/core/base/zone_fixture.h"

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

struct place {
    char dir[64], path[256];
    struct buf berlin, utc;
    struct zone_base base;
    struct err err;
};

static int setup(void **state)
{
    struct place *place = mem_zero(sizeof *place);
    struct tzif berlin = tzif_berlin();
    struct tzif utc = { .type_count = 1, .types = { { 0, 0 } }, .rule = "UTC0" };
    snprintf(place->dir, sizeof place->dir, "/tmp/kith-zones-XXXXXX");
    assert_non_null(mkdtemp(place->dir));
    tzif_write(&berlin, &place->berlin);
    tzif_write(&utc, &place->utc);
    *state = place;
    return 0;
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
    struct place *place = *state;
    nftw(place->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    zone_base_deinit(&place->base);
    buf_deinit(&place->berlin);
    buf_deinit(&place->utc);
    free(place);
    return 0;
}

/* The folders of `name` are made. */
static const char *path_of(struct place *place, const char *name)
{
    snprintf(place->path, sizeof place->path, "%s/%s", place->dir, name);
    for (char *slash = strchr(place->path + strlen(place->dir) + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(place->path, 0700);
        *slash = '/';
    }
    return place->path;
}

static void put(struct place *place, const char *name, const void *data, size_t size)
{
    int fd = open(path_of(place, name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0 && write(fd, data, size) == (ssize_t)size && close(fd) == 0);
}

static void put_berlin(struct place *place, const char *name)
{
    put(place, name, place->berlin.data, place->berlin.size);
}

static void put_utc(struct place *place, const char *name)
{
    put(place, name, place->utc.data, place->utc.size);
}

static void put_text(struct place *place, const char *name, const char *text)
{
    put(place, name, text, strlen(text));
}

static void read_again(struct place *place)
{
    zone_base_deinit(&place->base);
    place->base = (struct zone_base){ .dir = NULL };
    if (zone_base_read(place->dir, &place->base, &place->err) != 0)
        fail_msg("%s", place->err.text);
}

static void refuses(struct place *place, int code, const char *reason)
{
    struct zone_base base;
    assert_int_equal(zone_base_read(place->dir, &base, &place->err), code);
    if (strstr(place->err.text, reason) == NULL)
        assert_string_equal(place->err.text, reason);
}

/* The version as it is when the directory is read now. */
static const char *version_of(struct place *place, char out_version[ZONE_VERSION_SIZE])
{
    read_again(place);
    assert_int_equal(zone_base_version(&place->base, out_version, NULL), 0);
    return out_version;
}

static void names_are_in_order_and_begin_with_capitals(void **state)
{
    struct place *place = *state;
    static const char *const wanted[] = { "America/Argentina/Ushuaia", "Etc/GMT+5", "Europe/Berlin",
                                          "UTC" };
    put_utc(place, "UTC");
    put_utc(place, "posix/Europe/Berlin");
    put_utc(place, "Europe/Berlin");
    put_utc(place, "Europe/localtime");
    put_utc(place, "Etc/GMT+5");
    put_utc(place, "America/Argentina/Ushuaia");
    put_utc(place, "posixrules");
    put_utc(place, "+VERSION");
    put_utc(place, "Factory");
    read_again(place);
    assert_int_equal(place->base.name_count, 4);
    for (size_t i = 0; i < 4; i++) {
        size_t index = 77;
        assert_string_equal(place->base.names[i].text, wanted[i]);
        assert_true(zone_base_find(&place->base, wanted[i], &index));
        assert_int_equal(index, i);
    }
    size_t index = 77;
    assert_false(zone_base_find(&place->base, "Europe", &index));
    assert_false(zone_base_find(&place->base, "", &index));
    assert_int_equal(index, 77);
}

static void text_is_no_zone(void **state)
{
    struct place *place = *state;
    put_utc(place, "UTC");
    put_text(place, "SECURITY", "Please report any sensitive vulnerability\n");
    put_text(place, "NEWS", "n");
    read_again(place);
    assert_int_equal(place->base.name_count, 1);
}

static void links_are_names_of_one_file(void **state)
{
    struct place *place = *state;
    put_berlin(place, "Europe/Berlin");
    put_utc(place, "UTC");
    assert_int_equal(symlink("Berlin", path_of(place, "Europe/Oslo")), 0);
    char from[300];
    snprintf(from, sizeof from, "%s/UTC", place->dir);
    assert_int_equal(link(from, path_of(place, "Etc/UTC")), 0);
    read_again(place);
    assert_int_equal(place->base.name_count, 4);
    assert_int_equal(place->base.file_count, 2);
    for (size_t i = 0; i < 4; i++) {
        struct buf table = BUF_INIT;
        assert_int_equal(zone_base_table(&place->base, i, &table, NULL), 0);
        bool is_utc = strstr(place->base.names[i].text, "UTC") != NULL;
        assert_int_equal(table.size == sizeof(struct zone_change), is_utc);
        buf_deinit(&table);
    }
}

static void what_cannot_be_read_is_named(void **state)
{
    struct place *place = *state;
    refuses(place, E_IO, "no zones in it");
    put_text(place, "NEWS", "none");
    refuses(place, E_IO, "no zones in it");
    put_utc(place, "UTC");
    assert_int_equal(symlink("Bonn", path_of(place, "Europe/Berlin")), 0);
    refuses(place, E_IO, "/Europe/Berlin: No such file or directory");
    snprintf(place->dir + strlen(place->dir), 10, "/nowhere");
    refuses(place, E_IO, "/nowhere: No such file or directory");
    *strrchr(place->dir, '/') = '\0';
}

static void a_damaged_file_is_named_when_it_is_needed(void **state)
{
    struct place *place = *state;
    char version[ZONE_VERSION_SIZE] = "untouched";
    struct buf table = BUF_INIT;
    put_berlin(place, "Europe/Berlin");
    put(place, "Europe/Oslo", "", 0);
    put(place, "Europe/Paris", place->berlin.data, place->berlin.size - 1);
    put(place, "Europe/Rome", "\0\0\0\0\0\0", 6);
    read_again(place);
    assert_int_equal(place->base.name_count, 4);
    assert_int_equal(zone_base_table(&place->base, 0, &table, NULL), 0);
    static const char *const reasons[] = { NULL, "/Europe/Oslo: it ends in a header",
                                           "/Europe/Paris: it ends in the rule",
                                           "/Europe/Rome: it ends in a header" };
    for (size_t i = 1; i < 4; i++) {
        buf_clear(&table);
        assert_int_equal(zone_base_table(&place->base, i, &table, &place->err), E_CORRUPT);
        assert_non_null(strstr(place->err.text, reasons[i]));
    }
    assert_int_equal(zone_base_version(&place->base, version, &place->err), E_CORRUPT);
    assert_non_null(strstr(place->err.text, "/Europe/Oslo: "));
    assert_string_equal(version, "untouched");
    buf_deinit(&table);
}

static void sizes_and_numbers_have_limits(void **state)
{
    struct place *place = *state;
    put_utc(place, "UTC");
    char *large = mem_zero(ZONE_BASE_FILE_BYTES_MAX + 1);
    put(place, "Large", large, ZONE_BASE_FILE_BYTES_MAX);
    read_again(place);
    put(place, "Large", large, ZONE_BASE_FILE_BYTES_MAX + 1);
    refuses(place, E_LIMIT, "/Large: more than 64 KiB");
    free(large);
    assert_int_equal(remove(path_of(place, "Large")), 0);

    put_utc(place, "America/Forty_letters_between_two_long_coasts_0");
    read_again(place);
    put_utc(place, "America/Forty_letters_between_two_long_coasts_00");
    refuses(place, E_LIMIT, "a name of more than 47 bytes");
    assert_int_equal(remove(place->path), 0);

    assert_int_equal(symlink(".", path_of(place, "Up")), 0);
    refuses(place, E_LIMIT, "a name of more than 47 bytes");
    assert_int_equal(remove(place->path), 0);
    for (int i = 0; i < 62; i++) {
        char name[32];
        snprintf(name, sizeof name, "Folder%d/UTC", i);
        put_utc(place, name);
    }
    read_again(place);
    put_utc(place, "Folder62/UTC");
    refuses(place, E_LIMIT, "more than 64 folders");
}

static void no_more_zones_than_a_program_has_places_for(void **state)
{
    struct place *place = *state;
    char from[300], name[32];
    put_utc(place, "UTC");
    snprintf(from, sizeof from, "%s/UTC", place->dir);
    for (int i = 1; i < ZONE_BASE_NAMES_MAX; i++) {
        snprintf(name, sizeof name, "Z%d", i);
        assert_int_equal(link(from, path_of(place, name)), 0);
    }
    read_again(place);
    assert_int_equal(place->base.name_count, ZONE_BASE_NAMES_MAX);
    put_utc(place, "Zulu");
    refuses(place, E_LIMIT, "more than 1024 zones");
}

static void the_version_begins_with_the_release(void **state)
{
    struct place *place = *state;
    char version[ZONE_VERSION_SIZE];
    put_utc(place, "UTC");
    assert_int_equal(strlen(version_of(place, version)), 16);
    static const struct {
        const char *first_line, *release;
    } table[] = {
        { "# version 2025b\n# more", "2025b" },
        { "# version 2026a", "2026a" },
        { "# version 2026a-12-gabcde\n", "" },
        { "# version \n", "" },
        { "# redo 2026a\n", "" },
        { "", "" },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char with_release[ZONE_VERSION_SIZE], wanted[2 * ZONE_VERSION_SIZE];
        put_text(place, "tzdata.zi", table[i].first_line);
        snprintf(wanted, sizeof wanted, "%s%s%s", table[i].release,
                 table[i].release[0] != '\0' ? "-" : "", version);
        assert_string_equal(version_of(place, with_release), wanted);
    }
}

static void the_version_changes_with_a_name_or_a_rule(void **state)
{
    struct place *place = *state;
    char first[ZONE_VERSION_SIZE], other[ZONE_VERSION_SIZE];
    put_berlin(place, "Europe/Berlin");
    put_utc(place, "UTC");
    version_of(place, first);

    put_utc(place, "Zulu");
    assert_string_not_equal(version_of(place, other), first);
    assert_int_equal(remove(path_of(place, "UTC")), 0);
    assert_string_not_equal(version_of(place, other), first);
    put_utc(place, "UTC");
    assert_int_equal(remove(path_of(place, "Zulu")), 0);
    assert_string_equal(version_of(place, other), first);

    struct tzif berlin = tzif_berlin();
    berlin.times[2].at++;
    buf_clear(&place->berlin);
    tzif_write(&berlin, &place->berlin);
    put_berlin(place, "Europe/Berlin");
    assert_string_not_equal(version_of(place, other), first);

    put_utc(place, "Europe/Berlin");
    put_berlin(place, "UTC");
    assert_string_not_equal(version_of(place, other), first);
}

/* As "fat" files do, which list for old readers what the rule says as well. */
static void the_version_stays_when_files_say_the_same_at_greater_length(void **state)
{
    struct place *place = *state;
    char slim[ZONE_VERSION_SIZE], fat[ZONE_VERSION_SIZE];
    struct tzif berlin = tzif_berlin();
    put_berlin(place, "Europe/Berlin");
    assert_int_equal(symlink("Berlin", path_of(place, "Europe/Oslo")), 0);
    version_of(place, slim);

    berlin.times[5].at = 386125200;
    berlin.times[5].type = 2;
    berlin.times[6].at = 404874000;
    berlin.times[6].type = 1;
    berlin.time_count = 7;
    buf_clear(&place->berlin);
    tzif_write(&berlin, &place->berlin);
    put_berlin(place, "Europe/Berlin");
    assert_int_equal(remove(path_of(place, "Europe/Oslo")), 0);
    put_berlin(place, "Europe/Oslo");
    assert_string_equal(version_of(place, fat), slim);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(names_are_in_order_and_begin_with_capitals),
        TEST(text_is_no_zone),
        TEST(links_are_names_of_one_file),
        TEST(what_cannot_be_read_is_named),
        TEST(a_damaged_file_is_named_when_it_is_needed),
        TEST(sizes_and_numbers_have_limits),
        TEST(no_more_zones_than_a_program_has_places_for),
        TEST(the_version_begins_with_the_release),
        TEST(the_version_changes_with_a_name_or_a_rule),
        TEST(the_version_stays_when_files_say_the_same_at_greater_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
