/* test_mutated.c -- what comes from outside may be anything: under the sanitizers, nothing breaks.
 *
 * Bodies as clients send them are changed at a few places, by a generator with a fixed seed, and
 * put to the CalDAV function.  Whatever the answer, it is a status of HTTP, its body is XML or a
 * calendar that can be read again, and a refused write has left the list as it was.
 */
#include "plugins/followup/xml.h"
#include "tests/plugins/followup/client_fixture.h"
#include "tests/plugins/followup/dav_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ROUNDS 4000

static const char *const objects[] = {
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VTIMEZONE\r\nTZID:Kyiv Time\r\n"
    "X-LIC-LOCATION:Europe/Kyiv\r\nEND:VTIMEZONE\r\nBEGIN:VTODO\r\nUID:a\r\n"
    "DUE;TZID=\"Kyiv Time\":20270301T080000\r\nDTSTART;TZID=Europe/Paris:20270228T080000\r\n"
    "SUMMARY;LANGUAGE=de:K\xC3\xA4se\\, Brot\\; \\\\ \\n\r\nSTATUS:IN-PROCESS\r\n"
    "CATEGORIES:a,b\\,c\r\nPERCENT-COMPLETE:30\r\nX-OWN;P=\"a;b:c\":d\r\nBEGIN:VALARM\r\n"
    "TRIGGER:-PT15M\r\nACTION:DISPLAY\r\nEND:VALARM\r\nEND:VTODO\r\nEND:VCALENDAR\r\n",
    "BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:a\nDTSTART;VALUE=DATE:20270301\nDURATION:P1W\n"
    "DESCRIPTION:long\n  folded\n\tlines\nCOMPLETED:20270101T000000Z\nEND:VTODO\nEND:VCALENDAR\n",
};

static const char *const bodies[] = {
    "<?xml version='1.0' encoding='utf-8'?><d:propfind xmlns:d='DAV:' xmlns:x='urn:x'><d:prop>"
    "<d:getetag/><x:y/><d:resourcetype/></d:prop></d:propfind>",
    "<c:calendar-query xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav'><d:prop><d:getetag/>"
    "<c:calendar-data/></d:prop><c:filter><c:comp-filter name='VCALENDAR'><c:comp-filter "
    "name='VTODO'><c:time-range start='20270101T000000Z' end='20280101T000000Z'/><c:prop-filter "
    "name='SUMMARY'><c:text-match collation='i;octet'>a&amp;</c:text-match></c:prop-filter>"
    "</c:comp-filter></c:comp-filter></c:filter></c:calendar-query>",
    "<c:calendar-multiget xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav'><d:prop>"
    "<c:calendar-data/></d:prop><d:href>/dav/calendars/anna/tasks/b.ics</d:href><d:href>"
    "http://h/dav/calendars/anna/tasks/%62.ics</d:href></c:calendar-multiget>",
    "<d:sync-collection xmlns:d='DAV:'><d:sync-token>data:,1</d:sync-token><d:limit><d:nresults>5"
    "</d:nresults></d:limit><d:prop><d:getetag/></d:prop></d:sync-collection>",
    "<d:propertyupdate xmlns:d='DAV:'><d:set><d:prop><d:displayname>x</d:displayname></d:prop>"
    "</d:set></d:propertyupdate>",
};

static uint64_t dice = 88172645463325252u;

static size_t roll(size_t sides)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (size_t)(dice % sides);
}

/* A few changes: a byte, a letter or digit (which XML survives), a cut, a piece said twice, or a
 * piece that means something. */
static void mutate(struct buffer *text)
{
    static const char *const pieces[] = { "\r\n ",
                                          ";",
                                          ":",
                                          "\"",
                                          "BEGIN:VTODO\r\n",
                                          "END:VTODO\r\n",
                                          "\xFF",
                                          "\\",
                                          "99999999999999999999",
                                          "<",
                                          "&#0;",
                                          "&x;",
                                          "<!DOCTYPE a>",
                                          "]]>",
                                          "xmlns=''",
                                          "-",
                                          "%" };
    for (size_t changes = 1 + roll(3); changes > 0 && text->size > 0; changes--) {
        size_t at = roll(text->size), length = roll(text->size - at) % 64;
        struct buffer rest = { 0 };
        buffer_append(&rest, text->data + at, text->size - at);
        switch (roll(6)) {
        case 0:
            text->data[at] = (char)(1 + roll(255));
            break;
        case 1:
        case 2:
            text->data[at] = (char)((roll(2) == 0 ? '0' : 'a') + roll(10));
            break;
        case 3:
            text->size = at;
            buffer_append(text, rest.data + length, rest.size - length);
            break;
        case 4:
            text->size = at + length;
            buffer_append(text, rest.data, rest.size);
            break;
        default:
            text->size = at;
            buffer_text(text, pieces[roll(sizeof pieces / sizeof *pieces)]);
            buffer_append(text, rest.data, rest.size);
        }
        buffer_deinit(&rest);
    }
}

static void assert_readable(struct client *client)
{
    const char *type = client_answer_header(client, "Content-Type");
    struct xml *xml = NULL;
    struct fault fault = { 0 };
    if (strncmp(type, "application/xml", 15) != 0)
        return;
    if (xml_read(client_body(client), client->answer.body.size, &xml, &fault) != 0)
        fail_msg("%s in\n%s", fault.text, client_body(client));
    xml_free(xml);
}

static void a_calendar_that_was_damaged_is_kept_whole_or_refused(void **state)
{
    struct client *client = *state;
    unsigned kept = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct buffer body = { 0 };
        buffer_text(&body, objects[roll(sizeof objects / sizeof *objects)]);
        mutate(&body);
        uint64_t before = client->list->revision;
        int status = client_send(client, "PUT", CLIENT_LIST "a.ics", buffer_string(&body));
        bool is_kept = status == 201 || status == 204;
        assert_true(is_kept || status == 403);
        assert_int_equal(client->list->revision, before + is_kept);
        assert_readable(client);
        kept += is_kept;
        if (is_kept) {
            client_header(client, "Depth", "1");
            assert_int_equal(client_send(client, "REPORT", CLIENT_LIST, bodies[1]), 207);
            assert_readable(client);
            assert_int_equal(client_send(client, "DELETE", CLIENT_LIST "a.ics", NULL), 204);
            fixture_forget(client->list);
        }
        buffer_deinit(&body);
    }
    assert_true(kept > ROUNDS / 20 && kept < ROUNDS);
}

static void a_question_that_was_damaged_is_answered_or_refused(void **state)
{
    struct client *client = *state;
    static const char *const methods[] = { "PROPFIND", "REPORT", "REPORT", "REPORT", "PROPPATCH" };
    unsigned answered = 0;
    client_task(client, "b", "B & a&", "DUE:20270301T080000Z\r\n");
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct buffer body = { 0 };
        size_t which = roll(sizeof bodies / sizeof *bodies);
        buffer_text(&body, bodies[which]);
        mutate(&body);
        client_header(client, "Depth", "1");
        int status = client_send(client, methods[which], CLIENT_LIST, buffer_string(&body));
        assert_true(status == 207 || status == 400 || status == 403 || status == 413);
        assert_readable(client);
        answered += status == 207;
        buffer_deinit(&body);
    }
    assert_true(answered > ROUNDS / 20 && answered < ROUNDS);
}

static void a_path_that_was_damaged_leads_somewhere_or_nowhere(void **state)
{
    struct client *client = *state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct buffer path = { 0 };
        buffer_text(&path, CLIENT_LIST "b%20%C3%A4.ics");
        mutate(&path);
        client_header(client, "Depth", "0");
        int status = client_send(client, "PROPFIND", buffer_string(&path), NULL);
        assert_true(status == 207 || status == 404);
        assert_readable(client);
        buffer_deinit(&path);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, client_open, client_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_calendar_that_was_damaged_is_kept_whole_or_refused),
        TEST(a_question_that_was_damaged_is_answered_or_refused),
        TEST(a_path_that_was_damaged_leads_somewhere_or_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
