/* test_dav_report.c -- what dav.h promises of the three reports: the queries that clients send,
 * several tasks at once, and what changed since. */
#include "tests/plugins/followup/client_fixture.h"
#include "tests/plugins/followup/dav_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define QUERY_BEGIN                                                                     \
    "<c:calendar-query xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav'><d:prop>" \
    "<d:getetag/></d:prop><c:filter><c:comp-filter name='VCALENDAR'>"
#define QUERY_END "</c:comp-filter></c:filter></c:calendar-query>"

static int query(struct client *client, const char *filter)
{
    struct buffer body = { 0 };
    buffer_text(&body, QUERY_BEGIN);
    buffer_text(&body, filter);
    buffer_text(&body, QUERY_END);
    client_header(client, "Depth", "1");
    int status = client_send(client, "REPORT", CLIENT_LIST, buffer_string(&body));
    buffer_deinit(&body);
    return status;
}

/* The names of the tasks that the last answer holds, one letter each, in their order. */
static const char *found(struct client *client)
{
    static char names[64];
    size_t count = 0;
    const char *at = client_body(client);
    while ((at = strstr(at, "<d:href>" CLIENT_LIST)) != NULL && count < sizeof names - 1) {
        at += sizeof "<d:href>" CLIENT_LIST - 1;
        if (*at != '<')
            names[count++] = *at;
    }
    names[count] = '\0';
    return names;
}

static void assert_said(struct client *client, const char *text)
{
    if (strstr(client_body(client), text) == NULL)
        fail_msg("no %s in:\n%s", text, client_body(client));
}

static void a_query_finds_what_it_asks_for(void **state)
{
    struct client *client = *state;
    static const struct {
        const char *filter, *names;
    } rows[] = {
        { "", "abcde" },
        { "<c:comp-filter name='VTODO'/>", "abcde" },
        { "<c:comp-filter name='VEVENT'/>", "" },
        { "<c:comp-filter name='VEVENT'><c:is-not-defined/></c:comp-filter>", "abcde" },
        { "<c:comp-filter name='VTODO'><c:is-not-defined/></c:comp-filter>", "" },
        { "<c:is-not-defined/>", "" },
        /* What is open, as phones ask for it. */
        { "<c:comp-filter name='VTODO'><c:prop-filter name='COMPLETED'><c:is-not-defined/>"
          "</c:prop-filter><c:prop-filter name='STATUS'><c:text-match negate-condition='yes'>"
          "CANCELLED</c:text-match></c:prop-filter></c:comp-filter>",
          "abe" },
        { "<c:comp-filter name='VTODO'><c:prop-filter name='COMPLETED'/></c:comp-filter>", "c" },
        { "<c:comp-filter name='VTODO'><c:prop-filter name='summary'><c:text-match>SECOND"
          "</c:text-match></c:prop-filter></c:comp-filter>",
          "b" },
        { "<c:comp-filter name='VTODO'><c:prop-filter name='SUMMARY'><c:text-match "
          "collation='i;octet'>SECOND</c:text-match></c:prop-filter></c:comp-filter>",
          "" },
        { "<c:comp-filter name='VTODO'><c:prop-filter name='X-OWN'/></c:comp-filter>", "e" },
        { "<c:comp-filter name='VTODO'><c:prop-filter name='ACTION'/></c:comp-filter>", "" },
        { "<c:comp-filter name='VTODO'><c:prop-filter name='DUE'><c:time-range "
          "start='20270301T080000Z' end='20270301T080001Z'/></c:prop-filter></c:comp-filter>",
          "a" },
    };
    client_task(client, "a", "First", "DUE:20270301T080000Z\r\n");
    client_task(client, "b", "The second, \\;", "DUE;VALUE=DATE:20270302\r\n");
    client_task(client, "c", "Third", "STATUS:COMPLETED\r\nCOMPLETED:20270101T000000Z\r\n");
    client_task(client, "d", "Fourth", "STATUS:CANCELLED\r\n");
    client_task(client, "e", "Fifth",
                "X-OWN:1\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\nEND:VALARM\r\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(query(client, rows[i].filter), 207);
        if (strcmp(found(client), rows[i].names) != 0)
            fail_msg("row %zu: %s", i, found(client));
    }
}

/* RFC 4791, 9.9: each row of its table for VTODO, at both ends. */
static void a_time_range_follows_the_table_of_the_standard(void **state)
{
    struct client *client = *state;
    static const struct {
        const char *range, *names;
    } rows[] = {
        { "start='20270301T080000Z' end='20270301T090000Z'", "befg" },
        { "start='20270301T090000Z'", "bceg" },
        { "end='20270301T080000Z'", "defg" },
        { "start='20270101T000000Z' end='20270102T000000Z'", "efg" },
        { "start='20261231T230000Z' end='20270101T230000Z'", "efg" },
    };
    client_task(client, "b", "Start and due",
                "DTSTART:20270301T080000Z\r\nDUE:20270301T100000Z\r\n");
    client_task(client, "c", "Start", "DTSTART:20270301T090000Z\r\n");
    client_task(client, "d", "Due that day in Berlin", "DUE;VALUE=DATE:20270301\r\n");
    client_task(client, "e", "Made", "CREATED:20270101T000000Z\r\n");
    client_task(client, "f", "Made and done",
                "CREATED:20270101T000000Z\r\nSTATUS:COMPLETED\r\nCOMPLETED:20270301T083000Z\r\n");
    client_task(client, "g", "No time", "");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer filter = { 0 };
        buffer_text(&filter, "<c:comp-filter name='VTODO'><c:time-range ");
        buffer_text(&filter, rows[i].range);
        buffer_text(&filter, "/></c:comp-filter>");
        assert_int_equal(query(client, buffer_string(&filter)), 207);
        if (strcmp(found(client), rows[i].names) != 0)
            fail_msg("row %zu: %s", i, found(client));
        buffer_deinit(&filter);
    }
}

static void a_query_that_is_not_understood_is_refused_by_name(void **state)
{
    struct client *client = *state;
    static const struct {
        const char *filter, *precondition;
    } rows[] = {
        { "<c:comp-filter name='VTODO'><c:comp-filter name='VALARM'/></c:comp-filter>",
          "<c:supported-filter/>" },
        { "<c:prop-filter name='PRODID'/>", "<c:supported-filter/>" },
        { "<c:comp-filter name='VTODO'><c:prop-filter name='A'><c:param-filter name='B'/>"
          "</c:prop-filter></c:comp-filter>",
          "<c:supported-filter/>" },
        { "<c:comp-filter name='VTODO'><c:prop-filter name='A'><c:text-match collation='i;x'>a"
          "</c:text-match></c:prop-filter></c:comp-filter>",
          "<c:supported-collation/>" },
        { "<c:comp-filter name='VTODO'><c:prop-filter/></c:comp-filter>", "<c:valid-filter/>" },
        { "<c:comp-filter name='VTODO'><c:time-range start='20270301'/></c:comp-filter>",
          "<c:valid-filter/>" },
        { "<c:comp-filter name='VTODO'><c:time-range start='20270301T080000'/></c:comp-filter>",
          "<c:valid-filter/>" },
        { "<c:comp-filter name='VTODO'><c:time-range start='20270301T080000Z' "
          "end='20270301T080000Z'/></c:comp-filter>",
          "<c:valid-filter/>" },
    };
    client_task(client, "a", "First", "");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(query(client, rows[i].filter), 403);
        assert_said(client, rows[i].precondition);
    }
    assert_int_equal(client_send(client, "REPORT", CLIENT_LIST,
                                 "<c:calendar-query xmlns:c='urn:ietf:params:xml:ns:caldav'/>"),
                     403);
    assert_said(client, "<c:valid-filter/>");
}

static void several_tasks_come_at_once(void **state)
{
    struct client *client = *state;
    client_task(client, "a", "First <&>", "");
    client_task(client, "b", "Second", "");
    assert_int_equal(
        client_send(client, "REPORT", CLIENT_LIST,
                    "<c:calendar-multiget xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav'>"
                    "<d:prop><d:getetag/><c:calendar-data content-type='text/calendar'/></d:prop>"
                    "<d:href>" CLIENT_LIST "b.ics</d:href>"
                    "<d:href>https://crm.example.com" CLIENT_LIST "%61.ics</d:href>"
                    "<d:href>" CLIENT_LIST "gone.ics</d:href>"
                    "<d:href>/dav/calendars/bert/tasks/a.ics</d:href></c:calendar-multiget>"),
        207);
    assert_string_equal(found(client), "bag");
    assert_said(client, "SUMMARY:First &lt;&amp;&gt;&#13;\n");
    assert_said(client, "gone.ics</d:href><d:status>HTTP/1.1 404 Not Found</d:status>");
    assert_said(client, "bert/tasks/a.ics</d:href><d:status>HTTP/1.1 404 Not Found</d:status>");
}

static void another_form_than_icalendar_is_refused(void **state)
{
    struct client *client = *state;
    assert_int_equal(
        client_send(client, "REPORT", CLIENT_LIST,
                    "<c:calendar-multiget xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav'>"
                    "<d:prop><c:calendar-data content-type='application/calendar+json'/></d:prop>"
                    "</c:calendar-multiget>"),
        403);
    assert_said(client, "<c:supported-calendar-data/>");
}

/* ---- sync-collection --------------------------------------------------------------------- */

static int sync_since(struct client *client, const char *token, const char *limit)
{
    struct buffer body = { 0 };
    buffer_text(&body, "<d:sync-collection xmlns:d='DAV:'><d:sync-token>");
    buffer_text(&body, token);
    buffer_text(&body, "</d:sync-token><d:sync-level>1</d:sync-level>");
    buffer_text(&body, limit);
    buffer_text(&body, "<d:prop><d:getetag/></d:prop></d:sync-collection>");
    int status = client_send(client, "REPORT", CLIENT_LIST, buffer_string(&body));
    buffer_deinit(&body);
    return status;
}

static void what_changed_since_a_token_is_told_and_nothing_else(void **state)
{
    struct client *client = *state;
    client_task(client, "a", "A", "");
    client_task(client, "b", "B", "");
    assert_int_equal(sync_since(client, "", ""), 207);
    assert_string_equal(found(client), "ab");
    assert_said(client, "<d:sync-token>data:,2</d:sync-token>");
    client_task(client, "c", "C", "");
    client_task(client, "a", "A2", "");
    fixture_remove(client->list, "b.ics");
    assert_int_equal(sync_since(client, "data:,2", ""), 207);
    assert_string_equal(found(client), "cab");
    assert_said(client, "b.ics</d:href><d:status>HTTP/1.1 404 Not Found</d:status>");
    assert_said(client, "<d:sync-token>data:,5</d:sync-token>");
    assert_int_equal(sync_since(client, "data:,5", ""), 207);
    assert_string_equal(found(client), "");
    assert_int_equal(sync_since(client, "", ""), 207);
    assert_string_equal(found(client), "ca");
}

static void an_answer_cut_at_the_limit_goes_on_where_it_ended(void **state)
{
    struct client *client = *state;
    static const char *const names[] = { "a", "b", "c", "d", "e" };
    static const char limit[] = "<d:limit><d:nresults>2</d:nresults></d:limit>";
    char token[32] = "", seen[16] = "";
    for (size_t i = 0; i < 5; i++)
        client_task(client, names[i], "T", "");
    for (int round = 0; round < 3; round++) {
        assert_int_equal(sync_since(client, token, limit), 207);
        strncat(seen, found(client), sizeof seen - strlen(seen) - 1);
        bool is_cut = strstr(client_body(client), "<d:number-of-matches-within-limits/>") != NULL;
        assert_int_equal(is_cut, round < 2);
        const char *at = strstr(client_body(client), "<d:sync-token>") + 14;
        size_t size = strcspn(at, "<");
        assert_true(size < sizeof token);
        memcpy(token, at, size);
        token[size] = '\0';
    }
    assert_string_equal(seen, "abcde");
    assert_string_equal(token, "data:,5");
}

static void a_token_that_no_longer_helps_is_refused(void **state)
{
    struct client *client = *state;
    static const char *const tokens[] = { "data:,1",  "data:,99",
                                          "data:,",   "data:,-1",
                                          "data:,1x", "http://example.com/1",
                                          "1",        "data:,99999999999999999999999" };
    client_task(client, "a", "A", "");
    client_task(client, "b", "B", "");
    fixture_remove(client->list, "b.ics");
    fixture_forget(client->list);
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        assert_int_equal(sync_since(client, tokens[i], ""), 403);
        assert_said(client, "<d:valid-sync-token/>");
    }
    assert_int_equal(sync_since(client, "data:,3", ""), 207);
    assert_int_equal(sync_since(client, "", "<d:limit><d:nresults>0</d:nresults></d:limit>"), 403);
}

static void other_reports_are_refused_by_name(void **state)
{
    struct client *client = *state;
    assert_int_equal(client_send(client, "REPORT", CLIENT_LIST,
                                 "<c:free-busy-query xmlns:c='urn:ietf:params:xml:ns:caldav'/>"),
                     403);
    assert_said(client, "<d:supported-report/>");
    assert_int_equal(client_send(client, "REPORT", "/dav/principals/anna/",
                                 "<d:expand-property xmlns:d='DAV:'/>"),
                     403);
    assert_int_equal(client_send(client, "REPORT", CLIENT_LIST, NULL), 400);
    client->list->next_rc = DAV_BUSY;
    assert_int_equal(query(client, ""), 503);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, client_open, client_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_query_finds_what_it_asks_for),
        TEST(a_time_range_follows_the_table_of_the_standard),
        TEST(a_query_that_is_not_understood_is_refused_by_name),
        TEST(several_tasks_come_at_once),
        TEST(another_form_than_icalendar_is_refused),
        TEST(what_changed_since_a_token_is_told_and_nothing_else),
        TEST(an_answer_cut_at_the_limit_goes_on_where_it_ended),
        TEST(a_token_that_no_longer_helps_is_refused),
        TEST(other_reports_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
