/* test_ingest.c -- what becomes of one event of Segment's tracking API on its way into the log.
 *
 * Each test gives an event as JSON and compares the envelope, as JSON.  The way there over
 * HTTP is tests/e2e/test_ingest.py.
 */
#include "core/base/err.h"
#include "core/base/json_read.h"
#include "core/base/json_write.h"
#include "core/base/limits.h"
#include "core/base/moment.h"
#include "core/server/ingest_event.h"
#include "core/server/submission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RECEIVED 1800000000000ll /* 2027-01-15T08:00:00Z */

static const struct ingest_terms client = { .source = { "web", 3 }, .received = RECEIVED };
static const struct ingest_terms staff = { .source = { "admin", 5 },
                                           .by = { "lena", 4 },
                                           .received = RECEIVED,
                                           .is_staff = true,
                                           .is_past = true };

struct trial {
    struct json_reader *reader;
    struct buf bytes;
    struct submission *submission;
    struct err err;
    int64_t at;
    int rc;
};

static void begin(struct trial *trial, enum segment_call call, const struct ingest_terms *terms,
                  const char *json, size_t size)
{
    const struct json_limits limits = { .depth_max = NESTING_MAX };
    struct doc event;
    *trial = (struct trial){ .reader = json_reader_new(), .bytes = BUF_INIT };
    assert_int_equal(
        json_to_doc(trial->reader, json, size, &limits, &trial->bytes, &event, &trial->err), 0);
    trial->submission = submission_new(LOG_CLIENT);
    trial->rc = ingest_event(trial->submission, event, call, terms, &trial->at, &trial->err);
}

static void end(struct trial *trial)
{
    submission_unref(trial->submission);
    buf_deinit(&trial->bytes);
    json_reader_free(trial->reader);
}

static void check_with(enum segment_call call, const struct ingest_terms *terms, const char *json,
                       const char *envelope)
{
    struct trial trial;
    struct buf text = BUF_INIT;
    struct doc body;
    size_t at = 0;
    begin(&trial, call, terms, json, strlen(json));
    if (trial.rc != 0)
        fail_msg("%s", trial.err.text);
    assert_true(submission_next(trial.submission, &at, &body));
    assert_int_equal(doc_validate(body.data, body.size, NESTING_MAX, NULL), 0);
    json_write_doc(&text, body);
    assert_string_equal(buf_string(&text), envelope);
    assert_int_equal(trial.submission->count, 1);
    buf_deinit(&text);
    end(&trial);
}

static void check(enum segment_call call, const char *json, const char *envelope)
{
    check_with(call, &client, json, envelope);
}

static void check_refused_with(enum segment_call call, const struct ingest_terms *terms,
                               const char *json, const char *reason)
{
    struct trial trial;
    begin(&trial, call, terms, json, strlen(json));
    assert_int_not_equal(trial.rc, 0);
    if (strstr(trial.err.text, reason) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", trial.err.text, reason);
    assert_int_equal(trial.submission->count, 0);
    assert_int_equal(trial.submission->entries.size, 0);
    end(&trial);
}

static void check_refused(enum segment_call call, const char *json, const char *reason)
{
    check_refused_with(call, &client, json, reason);
}

static void a_track_call_has_the_name_of_its_event(void **state)
{
    (void)state;
    check(SEGMENT_TRACK,
          "{\"type\":\"track\",\"event\":\"Order Completed\",\"userId\":\"u-1\",\"messageId\":"
          "\"m-1\",\"properties\":{\"total\":1.5},\"context\":{\"ip\":\"10.0.0.1\"}}",
          "{\"id\":\"m-1\",\"type\":\"Order Completed\",\"call\":\"track\",\"user\":\"u-1\","
          "\"source\":\"web\",\"data\":{\"total\":1.5},\"context\":{\"ip\":\"10.0.0.1\"}}");
}

static void every_call_finds_its_payload(void **state)
{
    (void)state;
    check(SEGMENT_IDENTIFY, "{\"anonymousId\":\"a\",\"traits\":{\"email\":\"a@b.de\"}}",
          "{\"type\":\"identify\",\"call\":\"identify\",\"anon\":\"a\",\"source\":\"web\","
          "\"data\":{\"email\":\"a@b.de\"}}");
    check(
        SEGMENT_PAGE,
        "{\"userId\":\"u\",\"name\":\"Home\",\"category\":\"Shop\",\"properties\":{\"url\":\"/\"}}",
        "{\"type\":\"page\",\"call\":\"page\",\"user\":\"u\",\"source\":\"web\","
        "\"data\":{\"url\":\"/\",\"name\":\"Home\",\"category\":\"Shop\"}}");
    check(SEGMENT_SCREEN, "{\"userId\":\"u\",\"name\":\"Home\",\"properties\":{\"name\":\"Own\"}}",
          "{\"type\":\"screen\",\"call\":\"screen\",\"user\":\"u\",\"source\":\"web\","
          "\"data\":{\"name\":\"Own\"}}");
    check(SEGMENT_GROUP, "{\"userId\":\"u\",\"groupId\":7,\"traits\":{\"name\":\"ACME\"}}",
          "{\"type\":\"group\",\"call\":\"group\",\"user\":\"u\",\"source\":\"web\","
          "\"data\":{\"groupId\":\"7\",\"traits\":{\"name\":\"ACME\"}}}");
    check(SEGMENT_ALIAS, "{\"userId\":\"u\",\"previousId\":\"a-9\"}",
          "{\"type\":\"alias\",\"call\":\"alias\",\"user\":\"u\",\"source\":\"web\","
          "\"data\":{\"previousId\":\"a-9\"}}");
}

static void in_a_batch_the_type_names_the_call(void **state)
{
    (void)state;
    check(SEGMENT_ANY, "{\"type\":\"page\",\"userId\":\"u\"}",
          "{\"type\":\"page\",\"call\":\"page\",\"user\":\"u\",\"source\":\"web\",\"data\":{}}");
    check_refused(SEGMENT_ANY, "{\"type\":\"pages\",\"userId\":\"u\"}", "type must be one of");
    check_refused(SEGMENT_ANY, "{\"userId\":\"u\"}", "type must be one of");
    check_refused(SEGMENT_ANY, "{\"type\":5,\"userId\":\"u\"}", "type must be one of");
}

static void ids_that_are_numbers_become_text(void **state)
{
    (void)state;
    check(SEGMENT_TRACK, "{\"event\":\"E\",\"userId\":17,\"anonymousId\":1.5,\"messageId\":-3}",
          "{\"id\":\"-3\",\"type\":\"E\",\"call\":\"track\",\"user\":\"17\",\"anon\":\"1.5\","
          "\"source\":\"web\"}");
    check_refused(SEGMENT_TRACK, "{\"event\":\"E\",\"userId\":true}",
                  "userId must be text or a number");
    check_refused(SEGMENT_TRACK, "{\"event\":\"E\",\"userId\":{}}",
                  "userId must be text or a number");
}

static void null_and_empty_are_absent(void **state)
{
    (void)state;
    check(SEGMENT_TRACK,
          "{\"event\":\"E\",\"userId\":\"u\",\"anonymousId\":null,\"messageId\":\"\","
          "\"properties\":null,\"context\":null,\"timestamp\":null,\"sentAt\":\"\"}",
          "{\"type\":\"E\",\"call\":\"track\",\"user\":\"u\",\"source\":\"web\"}");
}

static void unknown_fields_are_kept_and_keys_are_not(void **state)
{
    (void)state;
    check(
        SEGMENT_TRACK,
        "{\"event\":\"E\",\"userId\":\"u\",\"integrations\":{\"All\":true},\"writeKey\":\"secret\","
        "\"channel\":\"server\",\"customer\":\"42\",\"groupId\":\"g\"}",
        "{\"type\":\"E\",\"call\":\"track\",\"user\":\"u\",\"source\":\"web\",\"extra\":"
        "{\"integrations\":{\"All\":true},\"channel\":\"server\",\"customer\":\"42\","
        "\"groupId\":\"g\"}}");
}

static void an_event_cannot_write_fields_of_the_envelope(void **state)
{
    (void)state;
    check(SEGMENT_TRACK,
          "{\"event\":\"E\",\"userId\":\"u\",\"by\":\"boss\",\"source\":\"x\",\"class\":\"system\","
          "\"historic\":true,\"at\":1}",
          "{\"type\":\"E\",\"call\":\"track\",\"user\":\"u\",\"source\":\"web\",\"extra\":"
          "{\"by\":\"boss\",\"source\":\"x\",\"class\":\"system\",\"historic\":true,\"at\":1}}");
}

static int64_t at_of(const struct ingest_terms *terms, const char *times)
{
    struct trial trial;
    char json[300];
    snprintf(json, sizeof json, "{\"event\":\"E\",\"userId\":\"u\"%s}", times);
    begin(&trial, SEGMENT_TRACK, terms, json, strlen(json));
    if (trial.rc != 0)
        fail_msg("%s", trial.err.text);
    size_t at = 0;
    struct doc body;
    assert_true(submission_next(trial.submission, &at, &body));
    assert_int_equal(doc_int(body, "at", RECEIVED), trial.at);
    int64_t result = trial.at;
    end(&trial);
    return result;
}

static int64_t moment(const char *text)
{
    int64_t ms = 0;
    assert_int_equal(moment_parse(text, strlen(text), &ms, NULL), 0);
    return ms;
}

static void the_timestamp_says_when_it_happened(void **state)
{
    (void)state;
    assert_int_equal(at_of(&client, ""), RECEIVED);
    assert_int_equal(at_of(&client, ",\"timestamp\":\"2026-11-21T10:11:12.345Z\""),
                     moment("2026-11-21T10:11:12.345Z"));
    assert_int_equal(at_of(&client, ",\"timestamp\":1700000000000"), 1700000000000);
    assert_int_equal(at_of(&client, ",\"originalTimestamp\":\"2026-11-21T10:11:12Z\""),
                     moment("2026-11-21T10:11:12Z"));
    assert_int_equal(
        at_of(&client, ",\"timestamp\":\"2026-11-21\",\"originalTimestamp\":\"2020-01-01\""),
        moment("2026-11-21"));
}

/* The client's clock is a day fast and says so by its sentAt. */
static void a_wrong_clock_is_corrected_by_sent_at(void **state)
{
    int64_t happened = RECEIVED - 5000;
    (void)state;
    assert_int_equal(at_of(&client, ",\"timestamp\":\"2027-01-16T07:59:55Z\","
                                    "\"sentAt\":\"2027-01-16T08:00:00Z\""),
                     happened);
    struct ingest_terms batch = client;
    struct text sent = text_of("2027-01-16T08:00:00Z");
    batch.sent = (struct doc_value){ .type = DOC_TEXT, .text = sent };
    assert_int_equal(at_of(&batch, ",\"timestamp\":\"2027-01-16T07:59:55Z\""), happened);
    assert_int_equal(at_of(&batch, ""), RECEIVED);
}

static void times_of_an_import_are_taken_as_they_are(void **state)
{
    (void)state;
    assert_int_equal(at_of(&staff, ",\"timestamp\":\"2020-01-01T00:00:00Z\","
                                   "\"sentAt\":\"2020-01-02T00:00:00Z\""),
                     moment("2020-01-01"));
}

static void a_time_that_is_none_is_refused(void **state)
{
    (void)state;
    check_refused(SEGMENT_TRACK, "{\"event\":\"E\",\"userId\":\"u\",\"timestamp\":\"yesterday\"}",
                  "timestamp must be a time");
    check_refused(SEGMENT_TRACK, "{\"event\":\"E\",\"userId\":\"u\",\"timestamp\":true}",
                  "timestamp must be a time");
    check_refused(SEGMENT_TRACK,
                  "{\"event\":\"E\",\"userId\":\"u\",\"timestamp\":9223372036854775807}",
                  "timestamp must be a time");
    check_refused(SEGMENT_TRACK,
                  "{\"event\":\"E\",\"userId\":\"u\",\"timestamp\":1,\"sentAt\":\"soon\"}",
                  "sentAt must be a time");
    check_refused(SEGMENT_TRACK,
                  "{\"event\":\"E\",\"userId\":\"u\",\"timestamp\":\"9999-12-31\",\"sentAt\":1}",
                  "out of the years");
}

static void what_is_missing_or_too_long_is_named(void **state)
{
    char json[1400], name[1200];
    (void)state;
    check_refused(SEGMENT_TRACK, "{\"userId\":\"u\"}", "event is missing");
    check_refused(SEGMENT_TRACK, "{\"event\":\"\",\"userId\":\"u\"}", "event is missing");
    check_refused(SEGMENT_TRACK, "{\"event\":\"E\"}", "userId or anonymousId is missing");
    check_refused(SEGMENT_GROUP, "{\"userId\":\"u\"}", "groupId is missing");
    check_refused(SEGMENT_ALIAS, "{\"userId\":\"u\"}", "previousId is missing");
    check_refused(SEGMENT_TRACK, "{\"event\":\"E\",\"userId\":\"u\",\"properties\":[1]}",
                  "properties must be an object");
    check_refused(SEGMENT_IDENTIFY, "{\"userId\":\"u\",\"traits\":\"x\"}",
                  "traits must be an object");
    check_refused(SEGMENT_IDENTIFY, "{\"userId\":\"u\",\"context\":1}",
                  "context must be an object");
    memset(name, 'n', sizeof name);
    snprintf(json, sizeof json, "{\"userId\":\"u\",\"event\":\"%.129s\"}", name);
    check_refused(SEGMENT_TRACK, json, "event has 129 bytes, at most 128");
    snprintf(json, sizeof json, "{\"event\":\"E\",\"userId\":\"%.255s\"}", name);
    check_refused(SEGMENT_TRACK, json, "userId has 255 bytes, at most 254");
    snprintf(json, sizeof json, "{\"event\":\"E\",\"userId\":\"u\",\"messageId\":\"%.1025s\"}",
             name);
    check_refused(SEGMENT_TRACK, json, "messageId has 1025 bytes, at most 1024");
}

/* Two bytes of JSON an element, sixteen when stored. */
static void an_event_that_grows_beyond_an_entry_is_refused(void **state)
{
    struct buf json = BUF_INIT;
    struct trial trial;
    (void)state;
    buf_text(&json, "{\"event\":\"E\",\"userId\":\"u\",\"properties\":{\"list\":[0");
    for (size_t i = 0; i < 60000; i++)
        buf_text(&json, ",0");
    buf_text(&json, "]}}");
    begin(&trial, SEGMENT_TRACK, &client, (const char *)json.data, json.size);
    assert_int_equal(trial.rc, E_LIMIT);
    assert_int_equal(trial.submission->count, 0);
    assert_int_equal(trial.submission->entries.size, 0);
    assert_int_equal(trial.submission->mail.bytes, sizeof *trial.submission);
    end(&trial);
    buf_deinit(&json);
}

static void the_context_of_a_batch_fills_in(void **state)
{
    struct trial outer;
    (void)state;
    const char *json = "{\"event\":\"E\",\"userId\":\"u\",\"context\":"
                       "{\"app\":\"shop\",\"ip\":\"1.1.1.1\"}}";
    begin(&outer, SEGMENT_TRACK, &client, json, strlen(json));
    struct doc body = { outer.bytes.data, (uint32_t)outer.bytes.size };
    struct ingest_terms terms = client;
    terms.context = doc_child(body, "context");
    check_with(SEGMENT_TRACK, &terms,
               "{\"event\":\"E\",\"userId\":\"u\",\"context\":{\"ip\":\"2.2.2.2\"}}",
               "{\"type\":\"E\",\"call\":\"track\",\"user\":\"u\",\"source\":\"web\",\"context\":"
               "{\"ip\":\"2.2.2.2\",\"app\":\"shop\"}}");
    check_with(SEGMENT_TRACK, &terms, "{\"event\":\"E\",\"userId\":\"u\"}",
               "{\"type\":\"E\",\"call\":\"track\",\"user\":\"u\",\"source\":\"web\",\"context\":"
               "{\"app\":\"shop\",\"ip\":\"1.1.1.1\"}}");
    end(&outer);
}

static void an_import_of_staff_may_hold_commands(void **state)
{
    struct ingest_terms terms = staff;
    (void)state;
    terms.forever = terms.historic = true;
    check_with(SEGMENT_ANY, &terms,
               "{\"type\":\"consent.changed\",\"customer\":\"email:a@b.de\",\"messageId\":\"c1\","
               "\"data\":{\"purpose\":\"news\",\"channel\":\"email\",\"state\":\"granted\"}}",
               "{\"id\":\"c1\",\"type\":\"consent.changed\",\"ref\":\"email:a@b.de\","
               "\"source\":\"admin\",\"by\":\"lena\",\"forever\":true,\"historic\":true,\"data\":"
               "{\"purpose\":\"news\",\"channel\":\"email\",\"state\":\"granted\"}}");
    check_refused(SEGMENT_ANY, "{\"type\":\"consent.changed\",\"data\":{}}", "type must be one of");
}

/* A recorded event that happens to be called like a command must not become one. */
static void an_imported_event_cannot_act_by_its_name(void **state)
{
    (void)state;
    check_refused_with(SEGMENT_ANY, &staff,
                       "{\"type\":\"track\",\"event\":\"customer.merge\",\"userId\":\"u\"}",
                       "is one of the system's");
    check(SEGMENT_ANY, "{\"type\":\"track\",\"event\":\"customer.merge\",\"userId\":\"u\"}",
          "{\"type\":\"customer.merge\",\"call\":\"track\",\"user\":\"u\",\"source\":\"web\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_track_call_has_the_name_of_its_event),
        cmocka_unit_test(every_call_finds_its_payload),
        cmocka_unit_test(in_a_batch_the_type_names_the_call),
        cmocka_unit_test(ids_that_are_numbers_become_text),
        cmocka_unit_test(null_and_empty_are_absent),
        cmocka_unit_test(unknown_fields_are_kept_and_keys_are_not),
        cmocka_unit_test(an_event_cannot_write_fields_of_the_envelope),
        cmocka_unit_test(the_timestamp_says_when_it_happened),
        cmocka_unit_test(a_wrong_clock_is_corrected_by_sent_at),
        cmocka_unit_test(times_of_an_import_are_taken_as_they_are),
        cmocka_unit_test(a_time_that_is_none_is_refused),
        cmocka_unit_test(what_is_missing_or_too_long_is_named),
        cmocka_unit_test(an_event_that_grows_beyond_an_entry_is_refused),
        cmocka_unit_test(the_context_of_a_batch_fills_in),
        cmocka_unit_test(an_import_of_staff_may_hold_commands),
        cmocka_unit_test(an_imported_event_cannot_act_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
