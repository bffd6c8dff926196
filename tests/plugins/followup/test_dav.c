/* test_dav.c -- what dav.h promises of one resource and of what is there: paths, properties, GET,
 * PUT, DELETE, and how the rest is refused.  Reports are in test_dav_report.c. */
#include "tests/plugins/followup/client_fixture.h"
#include "tests/plugins/followup/dav_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define TASK(name) CLIENT_LIST name ".ics"
#define OBJECT(uid, lines)                                                   \
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTODO\r\nUID:" uid "\r\n" lines \
    "END:VTODO\r\nEND:VCALENDAR\r\n"

static void assert_said(struct client *client, const char *text)
{
    if (strstr(client_body(client), text) == NULL)
        fail_msg("no %s in:\n%s", text, client_body(client));
}

static void assert_unsaid(struct client *client, const char *text)
{
    if (strstr(client_body(client), text) != NULL)
        fail_msg("%s in:\n%s", text, client_body(client));
}

static int propfind(struct client *client, const char *path, const char *depth, const char *props)
{
    struct buffer body = { 0 };
    buffer_text(&body, "<d:propfind xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav' "
                       "xmlns:s='http://calendarserver.org/ns/'>");
    buffer_text(&body, props);
    buffer_text(&body, "</d:propfind>");
    client_header(client, "Depth", depth);
    int status = client_send(client, "PROPFIND", path, buffer_string(&body));
    buffer_deinit(&body);
    return status;
}

/* ---- Finding the way --------------------------------------------------------------------- */

static void a_client_finds_its_list_from_the_base(void **state)
{
    struct client *client = *state;
    struct dav_answer known = { 0 };
    dav_answer_well_known(CLIENT_BASE, &known);
    assert_int_equal(known.status, 301);
    assert_string_equal(known.headers[0].value, "/dav/");
    dav_answer_deinit(&known);
    assert_int_equal(propfind(client, "/dav/", "0", "<d:prop><d:current-user-principal/></d:prop>"),
                     207);
    assert_said(client, "<d:href>/dav/principals/anna/</d:href>");
    propfind(client, "/dav/principals/anna/", "0", "<d:prop><c:calendar-home-set/></d:prop>");
    assert_said(client, "<c:calendar-home-set><d:href>/dav/calendars/anna/</d:href>");
    propfind(client, "/dav/calendars/anna", "1", "<d:prop><d:resourcetype/></d:prop>");
    assert_said(client, "<d:href>" CLIENT_LIST "</d:href><d:propstat><d:prop><d:resourcetype>"
                        "<d:collection/><c:calendar/></d:resourcetype>");
}

static void what_phones_ask_of_a_list_is_there(void **state)
{
    struct client *client = *state;
    client_task(client, "a", "A", "");
    propfind(client, CLIENT_LIST, "0",
             "<d:prop><d:displayname/><s:getctag/><d:sync-token/><d:current-user-privilege-set/>"
             "<c:supported-calendar-component-set/><d:supported-report-set/><d:owner/>"
             "<i:calendar-color xmlns:i='http://apple.com/ns/ical/'/></d:prop>");
    assert_said(client, "<d:displayname>Kith: Anna &lt;M\xC3\xBCller&gt;</d:displayname>");
    assert_said(client, "<cs:getctag>data:,1</cs:getctag><d:sync-token>data:,1</d:sync-token>");
    assert_said(client, "<d:privilege><d:bind/></d:privilege>");
    assert_said(client, "<c:comp name=\"VTODO\"/>");
    assert_said(client, "<d:report><d:sync-collection/></d:report>");
    assert_said(client, "<d:propstat><d:prop><x:calendar-color xmlns:x=\"http://apple.com/ns/ical/"
                        "\"/></d:prop><d:status>HTTP/1.1 404 Not Found</d:status>");
}

static void what_is_missing_is_not_listed_for_who_wants_little(void **state)
{
    struct client *client = *state;
    client_header(client, "Prefer", "return=minimal");
    propfind(client, CLIENT_LIST, "0", "<d:prop><d:nothing/><d:resourcetype/></d:prop>");
    assert_unsaid(client, "404");
    assert_said(client, "<c:calendar/>");
}

static void all_and_names_and_no_body_are_understood(void **state)
{
    struct client *client = *state;
    client_task(client, "a", "A", "LAST-MODIFIED:19941106T084937Z\r\n");
    propfind(client, TASK("a"), "0", "<d:allprop/>");
    assert_said(client, "<d:getetag>\"r1\"</d:getetag>");
    assert_said(client, "<d:getlastmodified>Sun, 06 Nov 1994 08:49:37 GMT</d:getlastmodified>");
    assert_unsaid(client, "calendar-data");
    propfind(client, TASK("a"), "0", "<d:allprop/><d:include><c:calendar-data/></d:include>");
    assert_said(client, "BEGIN:VTODO&#13;\nUID:a&#13;\n");
    propfind(client, TASK("a"), "0", "<d:propname/>");
    assert_said(client, "<d:getetag></d:getetag>");
    assert_said(client, "<c:calendar-data></c:calendar-data>");
    client_header(client, "Depth", "1");
    assert_int_equal(client_send(client, "PROPFIND", CLIENT_LIST, NULL), 207);
    assert_said(client, "<d:href>" TASK("a") "</d:href>");
    assert_said(client, "<d:getcontenttype>text/calendar");
}

static void the_whole_tree_at_once_is_refused(void **state)
{
    struct client *client = *state;
    assert_int_equal(propfind(client, CLIENT_LIST, "infinity", "<d:allprop/>"), 403);
    assert_said(client, "<d:propfind-finite-depth/>");
    assert_int_equal(client_send(client, "PROPFIND", CLIENT_LIST, NULL), 403);
}

static void nobody_sees_anothers_list_or_leaves_the_tree(void **state)
{
    struct client *client = *state;
    static const char *const paths[] = {
        "/dav/calendars/bert/tasks/",
        "/dav/principals/bert/",
        "/dav/calendars/",
        "/dav/principals",
        "/dav/calendars/anna/other/",
        "/",
        "",
        "/davx/",
        "/calendars/anna/",
        CLIENT_LIST "a/b",
        CLIENT_LIST "a/",
        CLIENT_LIST "..",
        CLIENT_LIST "%2e%2e",
        CLIENT_LIST "a%2fb",
        CLIENT_LIST "a%00b",
        CLIENT_LIST "a%0d%0ab",
        CLIENT_LIST "%zz",
        CLIENT_LIST "%4",
        "//dav/",
        "/dav//calendars/anna/",
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        client_header(client, "Depth", "0");
        if (client_send(client, "PROPFIND", paths[i], NULL) != 404)
            fail_msg("%s: %d", paths[i], client->answer.status);
        assert_int_equal(client_send(client, "PUT", paths[i], OBJECT("u", "")), 404);
    }
    assert_int_equal(client->list->count, 0);
}

/* ---- One task ---------------------------------------------------------------------------- */

static void a_task_is_created_read_changed_and_removed(void **state)
{
    struct client *client = *state;
    client_header(client, "If-None-Match", "*");
    assert_int_equal(client_send(client, "PUT", TASK("n%20%C3%B6"), OBJECT("u", "SUMMARY:A\r\n")),
                     201);
    assert_string_equal(client_answer_header(client, "ETag"), "");
    assert_int_equal(client_send(client, "GET", TASK("n%20%c3%B6"), NULL), 200);
    assert_string_equal(client_answer_header(client, "ETag"), "\"r1\"");
    assert_string_equal(client_answer_header(client, "Content-Type"),
                        "text/calendar; charset=utf-8; component=VTODO");
    assert_said(client, "SUMMARY:A\r\n");
    client_header(client, "If-Match", "\"x\", \"r1\"");
    assert_int_equal(client_send(client, "PUT", TASK("n%20%C3%B6"), OBJECT("u", "SUMMARY:B\r\n")),
                     204);
    client_send(client, "GET", CLIENT_LIST, NULL);
    assert_said(client, "SUMMARY:B\r\n");
    client_header(client, "If-Match", "\"r2\"");
    assert_int_equal(client_send(client, "DELETE", TASK("n%20%C3%B6"), NULL), 204);
    assert_int_equal(client_send(client, "GET", TASK("n%20%C3%B6"), NULL), 404);
    assert_int_equal(client_send(client, "DELETE", TASK("n%20%C3%B6"), NULL), 404);
}

static void a_head_is_a_get_without_its_body(void **state)
{
    struct client *client = *state;
    client_task(client, "a", "A", "");
    assert_int_equal(client_send(client, "HEAD", TASK("a"), NULL), 200);
    assert_string_equal(client_answer_header(client, "ETag"), "\"r1\"");
    assert_int_equal(client->answer.body.size, 0);
    client_header(client, "If-None-Match", "W/\"r1\"");
    assert_int_equal(client_send(client, "GET", TASK("a"), NULL), 304);
    assert_int_equal(client->answer.body.size, 0);
}

static void conditions_that_do_not_hold_change_nothing(void **state)
{
    struct client *client = *state;
    static const struct {
        const char *name, *value, *path;
    } rows[] = {
        { "If-None-Match", "*", TASK("a") }, { "If-None-Match", "\"r1\"", TASK("a") },
        { "If-Match", "\"r2\"", TASK("a") }, { "If-Match", "W/\"r1\"", TASK("a") },
        { "If-Match", "r1", TASK("a") },     { "If-Match", "\"r1", TASK("a") },
        { "If-Match", "*", TASK("new") },    { "If-Match", "\"r1\"", TASK("new") },
    };
    client_task(client, "a", "A", "");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        client_header(client, rows[i].name, rows[i].value);
        if (client_send(client, "PUT", rows[i].path, OBJECT("a", "SUMMARY:B\r\n")) != 412)
            fail_msg("row %zu: %d", i, client->answer.status);
    }
    client_header(client, "If-Match", "\"r9\"");
    assert_int_equal(client_send(client, "DELETE", TASK("a"), NULL), 412);
    assert_int_equal(client->list->revision, 1);
}

static void a_uid_belongs_to_one_task_for_ever(void **state)
{
    struct client *client = *state;
    client_task(client, "a", "A", "");
    assert_int_equal(client_send(client, "PUT", TASK("b"), OBJECT("a", "")), 403);
    assert_said(client, "<c:no-uid-conflict><d:href>" TASK("a") "</d:href></c:no-uid-conflict>");
    assert_int_equal(client_send(client, "PUT", TASK("a"), OBJECT("other", "")), 403);
    assert_said(client, "<c:no-uid-conflict/>");
}

static void what_is_no_task_is_refused_with_its_precondition(void **state)
{
    struct client *client = *state;
    static const struct {
        const char *body, *precondition;
    } rows[] = {
        { "hello", "<c:valid-calendar-data/>" },
        { "", "<c:valid-calendar-data/>" },
        { "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:u\nEND:VEVENT\nEND:VCALENDAR\n",
          "<c:supported-calendar-component/>" },
        { "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VTODO\nUID:u\nEND:VTODO\nEND:VCALENDAR\n",
          "<c:supported-calendar-component/>" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(client_send(client, "PUT", TASK("a"), rows[i].body), 403);
        assert_said(client, rows[i].precondition);
        assert_said(client, "<d:responsedescription>");
    }
    assert_int_equal(client->list->count, 0);
}

/* ---- The rest ---------------------------------------------------------------------------- */

static void options_say_what_is_allowed(void **state)
{
    struct client *client = *state;
    assert_int_equal(client_send(client, "OPTIONS", CLIENT_LIST, NULL), 200);
    assert_string_equal(client_answer_header(client, "DAV"), "1, 3, calendar-access");
    assert_string_equal(client_answer_header(client, "Allow"),
                        "OPTIONS, PROPFIND, PROPPATCH, REPORT, GET, HEAD");
    client_send(client, "OPTIONS", TASK("any"), NULL);
    assert_string_equal(client_answer_header(client, "Allow"),
                        "OPTIONS, PROPFIND, PROPPATCH, REPORT, GET, HEAD, PUT, DELETE");
}

static void a_property_that_is_set_is_refused_by_name(void **state)
{
    struct client *client = *state;
    assert_int_equal(client_send(client, "PROPPATCH", CLIENT_LIST,
                                 "<d:propertyupdate xmlns:d='DAV:' xmlns:i='urn:i'><d:set><d:prop>"
                                 "<i:color>#f00</i:color></d:prop></d:set><d:remove><d:prop>"
                                 "<d:displayname/></d:prop></d:remove></d:propertyupdate>"),
                     207);
    assert_said(client, "<x:color xmlns:x=\"urn:i\"/><x:displayname xmlns:x=\"DAV:\"/></d:prop>"
                        "<d:status>HTTP/1.1 403 Forbidden</d:status>");
    assert_int_equal(client_send(client, "PROPPATCH", CLIENT_LIST, NULL), 400);
}

static void collections_are_neither_made_nor_removed(void **state)
{
    struct client *client = *state;
    assert_int_equal(client_send(client, "MKCALENDAR", "/dav/calendars/anna/more/", NULL), 403);
    assert_said(client, "<c:calendar-collection-location-ok/>");
    assert_int_equal(client_send(client, "MKCOL", CLIENT_LIST, NULL), 403);
    assert_said(client, "<d:resource-must-be-null/>");
    assert_int_equal(client_send(client, "DELETE", CLIENT_LIST, NULL), 403);
    assert_said(client, "<d:need-privileges/>");
    static const char *const methods[] = { "LOCK", "MOVE", "COPY", "POST", "PATCH", "ACL", "get" };
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        assert_int_equal(client_send(client, methods[i], CLIENT_LIST, NULL), 405);
        assert_string_not_equal(client_answer_header(client, "Allow"), "");
    }
    assert_int_equal(client_send(client, "GET", "/dav/", NULL), 405);
    assert_int_equal(client_send(client, "PUT", CLIENT_LIST, OBJECT("u", "")), 405);
}

static void a_body_that_is_no_xml_is_refused(void **state)
{
    struct client *client = *state;
    assert_int_equal(client_send(client, "PROPFIND", CLIENT_LIST, "<a"), 400);
    assert_int_equal(client_send(client, "PROPFIND", CLIENT_LIST, "<a/>"), 400);
    assert_int_equal(
        client_send(client, "REPORT", CLIENT_LIST, "<!DOCTYPE a [<!ENTITY b 'b'>]><a>&b;</a>"),
        400);
    assert_said(client, "DOCTYPE");
}

static void too_many_properties_are_refused(void **state)
{
    struct client *client = *state;
    struct buffer props = { 0 };
    buffer_text(&props, "<d:prop>");
    for (int i = 0; i <= DAV_PROPERTIES_MAX; i++)
        buffer_text(&props, "<d:a/>");
    buffer_text(&props, "</d:prop>");
    assert_int_equal(propfind(client, CLIENT_LIST, "0", buffer_string(&props)), 403);
    buffer_deinit(&props);
}

static void what_the_store_cannot_do_is_said_in_http(void **state)
{
    struct client *client = *state;
    static const struct {
        int rc, status;
    } rows[] = { { DAV_BUSY, 503 }, { DAV_DENIED, 403 }, { DAV_CONFLICT, 412 } };
    client_task(client, "a", "A", "");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        client->list->next_rc = rows[i].rc;
        assert_int_equal(client_send(client, "GET", CLIENT_LIST, NULL), rows[i].status);
        client->list->next_rc = rows[i].rc;
        assert_int_equal(client_send(client, "PUT", TASK("a"), OBJECT("a", "")), rows[i].status);
        client->list->next_rc = rows[i].rc;
        assert_int_equal(client_send(client, "DELETE", TASK("a"), NULL), rows[i].status);
        client->list->next_rc = rows[i].rc;
        assert_int_equal(propfind(client, CLIENT_LIST, "1", "<d:allprop/>"), rows[i].status);
    }
    client->list->next_rc = DAV_BUSY;
    client_send(client, "GET", TASK("a"), NULL);
    assert_string_equal(client_answer_header(client, "Retry-After"), "5");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, client_open, client_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_client_finds_its_list_from_the_base),
        TEST(what_phones_ask_of_a_list_is_there),
        TEST(what_is_missing_is_not_listed_for_who_wants_little),
        TEST(all_and_names_and_no_body_are_understood),
        TEST(the_whole_tree_at_once_is_refused),
        TEST(nobody_sees_anothers_list_or_leaves_the_tree),
        TEST(a_task_is_created_read_changed_and_removed),
        TEST(a_head_is_a_get_without_its_body),
        TEST(conditions_that_do_not_hold_change_nothing),
        TEST(a_uid_belongs_to_one_task_for_ever),
        TEST(what_is_no_task_is_refused_with_its_precondition),
        TEST(options_say_what_is_allowed),
        TEST(a_property_that_is_set_is_refused_by_name),
        TEST(collections_are_neither_made_nor_removed),
        TEST(a_body_that_is_no_xml_is_refused),
        TEST(too_many_properties_are_refused),
        TEST(what_the_store_cannot_do_is_said_in_http),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
