/* test_ics.c -- what ics.h and line.h promise: a task both ways, and nothing lost on the way. */
#include "plugins/followup/ics.h"

#include "plugins/followup/buffer.h"
#include "plugins/followup/fault.h"
#include "plugins/followup/line.h"
#include "plugins/followup/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One zone two hours east, and the person sits one hour east. */
static bool to_utc(void *arg, const char *zone, int64_t local_ms, int64_t *out_ms)
{
    (void)arg;
    if (zone != NULL && strcmp(zone, "Europe/Kyiv") != 0)
        return false;
    *out_ms = local_ms - (zone == NULL ? 1 : 2) * INT64_C(3600000);
    return true;
}

static const struct ics_zones zones = { NULL, to_utc };

/* A VTODO of these lines, and what came of reading it. */
static int read_lines(const char *lines, struct ics_item *out_item, struct fault *fault)
{
    struct buffer text = { 0 };
    buffer_text(&text, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTODO\r\nUID:u\r\n");
    buffer_text(&text, lines);
    buffer_text(&text, "END:VTODO\r\nEND:VCALENDAR\r\n");
    int rc = ics_read(text.data, text.size, &zones, out_item, fault);
    buffer_deinit(&text);
    return rc;
}

static struct ics_item item_of(const char *lines)
{
    struct ics_item item = { 0 };
    struct fault fault = { 0 };
    if (read_lines(lines, &item, &fault) != 0)
        fail_msg("%s", fault.text);
    return item;
}

static const char *written(struct buffer *buffer, const struct ics_item *item)
{
    buffer->size = 0;
    ics_begin(buffer, NULL);
    ics_write(buffer, item);
    ics_end(buffer);
    return buffer_string(buffer);
}

static struct when moment(int64_t hours)
{
    return (struct when){ WHEN_TIME, hours * INT64_C(3600000) };
}

static void a_task_is_written_as_the_standard_says(void **state)
{
    (void)state;
    struct buffer buffer = { 0 };
    struct ics_item task = {
        .uid = "reminder-7",
        .title = "Call, then write; \\ \n next",
        .note = "Line 1\nLine 2\r\nLine 3",
        .categories = "Care,a\\,b",
        .url = "https://crm.example.com/c/42?a=1,2;3",
        .due = moment(24),
        .created = moment(1),
        .modified = moment(2),
        .priority = 1,
        .sequence = 3,
        .percent = 40,
        .status = ICS_STARTED,
    };
    assert_string_equal(written(&buffer, &task), "BEGIN:VCALENDAR\r\n"
                                                 "VERSION:2.0\r\n"
                                                 "PRODID:-//Kith//Follow-up//EN\r\n"
                                                 "BEGIN:VTODO\r\n"
                                                 "UID:reminder-7\r\n"
                                                 "DTSTAMP:19700101T020000Z\r\n"
                                                 "CREATED:19700101T010000Z\r\n"
                                                 "LAST-MODIFIED:19700101T020000Z\r\n"
                                                 "SEQUENCE:3\r\n"
                                                 "SUMMARY:Call\\, then write\\; \\\\ \\n next\r\n"
                                                 "DESCRIPTION:Line 1\\nLine 2\\nLine 3\r\n"
                                                 "URL:https://crm.example.com/c/42?a=1,2;3\r\n"
                                                 "CATEGORIES:Care,a\\,b\r\n"
                                                 "PRIORITY:1\r\n"
                                                 "DUE:19700102T000000Z\r\n"
                                                 "STATUS:IN-PROCESS\r\n"
                                                 "PERCENT-COMPLETE:40\r\n"
                                                 "END:VTODO\r\n"
                                                 "END:VCALENDAR\r\n");
    buffer_deinit(&buffer);
}

static void what_was_read_and_written_reads_the_same(void **state)
{
    (void)state;
    struct buffer first = { 0 }, second = { 0 };
    struct ics_item item =
        item_of("SUMMARY:a\\,b\\;c\\\\d\\ne\r\nCATEGORIES:x\\,y\r\nCATEGORIES:z\r\n"
                "DUE;VALUE=DATE:20270301\r\nSTATUS:COMPLETED\r\n"
                "COMPLETED:20270228T120000Z\r\nX-OWN;P=\"a;b:c\":d\\;e\r\n"
                "BEGIN:VALARM\r\nACTION:DISPLAY\r\nEND:VALARM\r\n"
                "DTSTAMP:20270101T000000Z\r\nSEQUENCE:2\r\nPRIORITY:5\r\n");
    written(&first, &item);
    struct ics_item again = { 0 };
    assert_int_equal(ics_read(first.data, first.size, &zones, &again, NULL), 0);
    assert_int_equal(ics_changes(&item, &again), 0);
    assert_string_equal(written(&second, &again), buffer_string(&first));
    assert_string_equal(item.title, "a,b;c\\d\ne");
    assert_string_equal(item.categories, "x\\,y,z");
    assert_non_null(strstr(first.data, "X-OWN;P=\"a;b:c\":d\\;e\r\n"));
    assert_non_null(strstr(first.data, "BEGIN:VALARM\r\nACTION:DISPLAY\r\nEND:VALARM\r\n"));
    assert_non_null(strstr(first.data, "DUE;VALUE=DATE:20270301\r\n"));
    ics_item_deinit(&item);
    ics_item_deinit(&again);
    buffer_deinit(&first);
    buffer_deinit(&second);
}

/* Every line has at most 75 octets and is whole UTF-8, wherever the fold falls. */
static void folding_cuts_no_character(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 8; shift++) {
        struct buffer title = { 0 }, buffer = { 0 };
        buffer_append(&title, "aaaaaaa", shift);
        for (int i = 0; i < 60; i++)
            buffer_text(&title, i % 3 == 0   ? "\xF0\x9F\x99\x82"
                                : i % 3 == 1 ? "\xE6\x9D\x8E"
                                             : "\xC3\xB6");
        struct ics_item task = { .uid = "u", .title = buffer_string(&title) };
        const char *at = written(&buffer, &task);
        for (const char *end = NULL; (end = strstr(at, "\r\n")) != NULL; at = end + 2) {
            assert_true((size_t)(end - at) <= LINE_FOLD_OCTETS);
            assert_true(utf8_is_valid(at, (size_t)(end - at)));
        }
        struct ics_item back = { 0 };
        assert_int_equal(ics_read(buffer.data, buffer.size, &zones, &back, NULL), 0);
        assert_string_equal(back.title, task.title);
        ics_item_deinit(&back);
        buffer_deinit(&buffer);
        buffer_deinit(&title);
    }
}

static void a_fold_inside_a_character_is_repaired(void **state)
{
    (void)state;
    struct ics_item item = item_of("SUMMARY:K\xC3\r\n \xA4ufer\n\tin\r\n");
    assert_string_equal(item.title, "K\xC3\xA4uferin");
    ics_item_deinit(&item);
}

static void broken_text_of_ours_is_written_as_something_readable(void **state)
{
    (void)state;
    struct buffer buffer = { 0 };
    struct ics_item task = { .uid = "u",
                             .title = "a\xFF\x01\x7F"
                                      "b\xC3" };
    const char *text = written(&buffer, &task);
    assert_non_null(strstr(text, "SUMMARY:a" UTF8_REPLACEMENT "b" UTF8_REPLACEMENT "\r\n"));
    buffer_deinit(&buffer);
}

static void no_text_can_begin_a_line(void **state)
{
    (void)state;
    struct buffer buffer = { 0 };
    struct ics_item task = {
        .uid = "u\r\nX-A:1",
        .title = "t\r\nX-B:1",
        .note = "n\nX-C:1",
        .url = "http://a\r\nX-D:1",
        .categories = "c\nX-E:1",
    };
    const char *text = written(&buffer, &task);
    static const char *const lines[] = { "\nX-A:1", "\nX-B:1", "\nX-C:1", "\nX-D:1", "\nX-E:1" };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_null(strstr(text, lines[i]));
    buffer_deinit(&buffer);
}

static void done_is_understood_however_it_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        enum ics_status status;
        unsigned percent;
    } rows[] = {
        { "STATUS:COMPLETED\r\n", ICS_DONE, 100 },
        { "COMPLETED:20270101T000000Z\r\n", ICS_DONE, 100 },
        { "PERCENT-COMPLETE:100\r\n", ICS_DONE, 100 },
        { "STATUS:NEEDS-ACTION\r\nPERCENT-COMPLETE:100\r\n", ICS_OPEN, 0 },
        { "STATUS:NEEDS-ACTION\r\nCOMPLETED:20270101T000000Z\r\n", ICS_OPEN, 0 },
        { "STATUS:in-process\r\nPERCENT-COMPLETE:30\r\n", ICS_STARTED, 30 },
        { "STATUS:CANCELLED\r\n", ICS_CANCELLED, 0 },
        { "STATUS:X-SOMETHING\r\n", ICS_OPEN, 0 },
        { "", ICS_OPEN, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ics_item item = item_of(rows[i].lines);
        assert_int_equal(item.status, rows[i].status);
        assert_int_equal(item.percent, rows[i].percent);
        assert_true(item.completed.kind == WHEN_NONE || item.status == ICS_DONE);
        ics_item_deinit(&item);
    }
}

static void times_of_every_zone_become_moments(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum when_kind kind;
        int64_t hours;
    } rows[] = {
        { "DUE:19700102T000000Z", WHEN_TIME, 24 },
        { "DUE:19700102T000000", WHEN_TIME, 23 },
        { "DUE;TZID=Europe/Kyiv:19700102T000000", WHEN_TIME, 22 },
        { "DUE;TZID=\"Europe/Kyiv\";X=1:19700102T000000", WHEN_TIME, 22 },
        { "DUE;TZID=/example.org/2020/Europe/Kyiv:19700102T000000", WHEN_TIME, 22 },
        { "DUE;TZID=Kyiv Time:19700102T000000", WHEN_TIME, 22 },
        { "DUE;TZID=UTC:19700102T000000", WHEN_TIME, 24 },
        { "DUE;VALUE=DATE:19700102", WHEN_DATE, 24 },
        { "DTSTART:19700101T000000Z\r\nDURATION:PT5H", WHEN_TIME, 5 },
        { "DTSTART;VALUE=DATE:19700101\r\nDURATION:P2D", WHEN_DATE, 48 },
    };
    static const char zone[] = "END:VTODO\r\nBEGIN:VTIMEZONE\r\nTZID:Kyiv Time\r\n"
                               "X-LIC-LOCATION:Europe/Kyiv\r\nBEGIN:STANDARD\r\n"
                               "DTSTART:19700101T000000\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
                               "BEGIN:X-NOTHING\r\n";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer text = { 0 };
        struct ics_item item = { 0 };
        buffer_text(&text, "BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nUID:u\r\n");
        buffer_text(&text, rows[i].line);
        buffer_text(&text, "\r\n");
        buffer_text(&text, zone);
        buffer_text(&text, "END:X-NOTHING\r\nEND:VCALENDAR\r\n");
        assert_int_equal(ics_read(text.data, text.size, &zones, &item, NULL), 0);
        assert_int_equal(item.due.kind, rows[i].kind);
        assert_int_equal(item.due.ms, rows[i].hours * 3600000);
        ics_item_deinit(&item);
        buffer_deinit(&text);
    }
}

static void a_task_due_before_its_start_loses_the_start(void **state)
{
    (void)state;
    struct buffer buffer = { 0 };
    struct ics_item task = { .uid = "u", .start = moment(5), .due = moment(4) };
    assert_null(strstr(written(&buffer, &task), "DTSTART"));
    task.due = moment(6);
    assert_non_null(strstr(written(&buffer, &task), "DTSTART:19700101T050000Z\r\n"));
    task.due.kind = WHEN_DATE;
    assert_null(strstr(written(&buffer, &task), "DTSTART"));
    buffer_deinit(&buffer);
}

static void control_characters_are_left_out(void **state)
{
    (void)state;
    struct ics_item item = item_of("SUMMARY:a\x0B\x01"
                                   "b\rb\tc\x7F\xEF\xBF\xBF\r\n");
    assert_string_equal(item.title, "abb\tc");
    ics_item_deinit(&item);
}

static void what_is_no_single_task_is_refused_with_its_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int code;
        const char *reason;
    } rows[] = {
        { "", FAULT_INVALID, "no end" },
        { "hello", FAULT_INVALID, "no property" },
        { "BEGIN:VCARD\nEND:VCARD\n", FAULT_INVALID, "VCALENDAR" },
        { "BEGIN:VCALENDAR\nEND:VCALENDAR\n", FAULT_UNSUPPORTED, "no VTODO" },
        { "BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:u\nEND:VTODO\n", FAULT_INVALID, "no end" },
        { "BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:u\nEND:VCALENDAR\n", FAULT_INVALID, "ends nothing" },
        { "BEGIN:VCALENDAR\nBEGIN:VTODO\nEND:VTODO\nEND:VCALENDAR\n", FAULT_INVALID,
          "without UID" },
        { "BEGIN:VCALENDAR\nBEGIN:VJOURNAL\nEND:VJOURNAL\nEND:VCALENDAR\n", FAULT_UNSUPPORTED,
          "no task" },
        { "BEGIN:VCALENDAR\nMETHOD:REQUEST\nEND:VCALENDAR\n", FAULT_UNSUPPORTED, "METHOD" },
        { "BEGIN:VCALENDAR\nVERSION:1.0\nEND:VCALENDAR\n", FAULT_UNSUPPORTED, "version" },
        { "BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:u\nEND:VTODO\nBEGIN:VTODO\nUID:u\n", FAULT_UNSUPPORTED,
          "more than one" },
        { "BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:u\nDUE:tomorrow\nEND:VTODO\nEND:VCALENDAR\n",
          FAULT_INVALID, "no date" },
        { "BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:u\nDUE;TZID=Mars/Base:20270101T000000\nEND:VTODO\n"
          "END:VCALENDAR\n",
          FAULT_UNSUPPORTED, "Mars/Base" },
        { "BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:u\nPRIORITY:high\nEND:VTODO\nEND:VCALENDAR\n",
          FAULT_INVALID, "no number" },
        { "BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:u\nRECURRENCE-ID:20270101\n", FAULT_UNSUPPORTED,
          "repeated" },
        { "BEGIN:VCALENDAR\nBEGIN:VTODO\nSUMMARY:\xFF\n", FAULT_INVALID, "UTF-8" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ics_item item = { 0 };
        struct fault fault = { 0 };
        int rc = ics_read(rows[i].text, strlen(rows[i].text), &zones, &item, &fault);
        if (rc != rows[i].code || strstr(fault.text, rows[i].reason) == NULL)
            fail_msg("row %zu: %d, %s", i, rc, fault.text);
        assert_null(item.own);
    }
    assert_int_equal(ics_read("a\0b", 3, &zones, &(struct ics_item){ 0 }, NULL), FAULT_INVALID);
}

/* Each limit: what is just within, and what is just beyond. */
static void limits_hold_where_they_say(void **state)
{
    (void)state;
    struct buffer text = { 0 };
    struct ics_item item = { 0 };
    struct fault fault = { 0 };
    for (int beyond = 0; beyond < 2; beyond++) {
        text.size = 0;
        for (int i = 0; i < ICS_DEPTH_MAX - 2 + beyond; i++)
            buffer_text(&text, "BEGIN:X-A\n");
        for (int i = 0; i < ICS_DEPTH_MAX - 2 + beyond; i++)
            buffer_text(&text, "END:X-A\n");
        assert_int_equal(read_lines(buffer_string(&text), &item, &fault), beyond ? FAULT_LIMIT : 0);
        ics_item_deinit(&item);

        text.size = 0;
        for (int i = 0; i < ICS_LINES_MAX - 6 + beyond; i++)
            buffer_text(&text, "X-A:\n");
        assert_int_equal(read_lines(buffer_string(&text), &item, &fault), beyond ? FAULT_LIMIT : 0);
        ics_item_deinit(&item);

        text.size = 0;
        buffer_text(&text, "SUMMARY:");
        for (int i = 0; i < ICS_TITLE_MAX + beyond; i++)
            buffer_byte(&text, 'a');
        buffer_text(&text, "\n");
        assert_int_equal(read_lines(buffer_string(&text), &item, &fault), beyond ? FAULT_LIMIT : 0);
        ics_item_deinit(&item);
    }
    char *large = calloc(1, ICS_SIZE_MAX + 1);
    assert_non_null(large);
    assert_int_equal(ics_read(large, ICS_SIZE_MAX + 1, &zones, &item, &fault), FAULT_LIMIT);
    free(large);
    buffer_deinit(&text);
}

static void what_a_person_did_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        unsigned changes;
    } rows[] = {
        { "SUMMARY:a\nDUE:20270301T080000Z\n", 0 },
        { "SUMMARY:b\nDUE:20270301T080000Z\n", ICS_RETITLED },
        { "SUMMARY:a\nDUE:20270301T090000Z\n", ICS_MOVED },
        { "SUMMARY:a\n", ICS_MOVED },
        { "SUMMARY:a\nDUE:20270301T080000Z\nSTATUS:COMPLETED\n", ICS_COMPLETED },
        { "SUMMARY:a\nDUE:20270301T080000Z\nSTATUS:CANCELLED\n", ICS_CALLED_OFF },
        { "SUMMARY:a\nDUE:20270301T080000Z\nDESCRIPTION:n\nPRIORITY:2\n",
          ICS_NOTED | ICS_PRIORITIZED },
        { "SUMMARY:a\nDUE:20270301T080000Z\nX-OWN:1\n", ICS_ELSE },
        { "SUMMARY:a\nDUE:20270301T080000Z\nSTATUS:IN-PROCESS\nPERCENT-COMPLETE:5\n", ICS_ELSE },
    };
    struct ics_item before = item_of(rows[0].lines);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ics_item after = item_of(rows[i].lines);
        assert_int_equal(ics_changes(&before, &after), rows[i].changes);
        bool is_end = (rows[i].changes & (ICS_COMPLETED | ICS_CALLED_OFF)) != 0;
        if (is_end)
            assert_int_equal(ics_changes(&after, &before), ICS_REOPENED);
        ics_item_deinit(&after);
    }
    ics_item_deinit(&before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_is_written_as_the_standard_says),
        cmocka_unit_test(what_was_read_and_written_reads_the_same),
        cmocka_unit_test(folding_cuts_no_character),
        cmocka_unit_test(a_fold_inside_a_character_is_repaired),
        cmocka_unit_test(broken_text_of_ours_is_written_as_something_readable),
        cmocka_unit_test(no_text_can_begin_a_line),
        cmocka_unit_test(done_is_understood_however_it_is_said),
        cmocka_unit_test(times_of_every_zone_become_moments),
        cmocka_unit_test(a_task_due_before_its_start_loses_the_start),
        cmocka_unit_test(control_characters_are_left_out),
        cmocka_unit_test(what_is_no_single_task_is_refused_with_its_reason),
        cmocka_unit_test(limits_hold_where_they_say),
        cmocka_unit_test(what_a_person_did_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
