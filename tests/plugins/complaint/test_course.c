/* test_course.c -- what the handlers want: intake.h, course.h, message.h, face.h. */
#include "plugins/complaint/course.h"

#include "plugins/complaint/face.h"
#include "plugins/complaint/intake.h"
#include "plugins/complaint/known.h"
#include "plugins/complaint/message.h"
#include "tests/plugins/complaint/recorder_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define DAY_MS 86400000LL

static struct kith_call call;
static int64_t created_at;  /* of the records of records_of() */
static char rooms[8][4096]; /* of the documents of one test */

static int set_up(void **state)
{
    (void)state;
    memset(&call, 0, sizeof call);
    call.now = 100 * DAY_MS;
    created_at = 0;
    return 0;
}

/* {names: values}, NULL behind the last. */
static struct kith_doc doc_of(size_t room, const char *const pairs[])
{
    struct kith_writer w;
    kith_begin(&w, rooms[room], sizeof rooms[room]);
    for (size_t i = 0; pairs[i] != NULL; i += 2)
        kith_put_string(&w, pairs[i], pairs[i + 1]);
    return kith_end(&w);
}

static struct kith_value value_of(size_t room, const char *const pairs[])
{
    return kith_value_of_doc(doc_of(room, pairs));
}

/* [{number, state, created, fields}] */
static struct kith_value records_of(size_t room, int64_t number, const char *in, const char *field,
                                    const char *value)
{
    struct kith_writer w;
    kith_begin(&w, rooms[room], sizeof rooms[room]);
    kith_open(&w, "0");
    kith_put_int(&w, "number", number);
    kith_put_string(&w, "state", in);
    kith_put_time(&w, "created", created_at);
    kith_open(&w, "fields");
    kith_put_string(&w, field, value);
    kith_close(&w);
    kith_close(&w);
    struct kith_doc doc = kith_end(&w);
    return kith_bytes(KITH_ARRAY, doc.data, doc.size);
}

static struct kith_doc config_of(size_t room, const char *const pairs[], const char *address)
{
    struct kith_writer w;
    kith_begin(&w, rooms[room], sizeof rooms[room]);
    for (size_t i = 0; pairs[i] != NULL; i += 2)
        kith_put_string(&w, pairs[i], pairs[i + 1]);
    kith_open_array(&w, "addresses");
    kith_put_string(&w, NULL, address);
    kith_close(&w);
    kith_put_bool(&w, "auto_acknowledge", 1);
    kith_put_int(&w, "reopen_days", 60);
    return kith_end(&w);
}

static void run(const struct kith_handler *handler)
{
    assert_int_equal(handler->run(&recorder_engine, &call), KITH_OK);
}

static void expect(const char *wanted)
{
    if (strstr(call.wanted, wanted) == NULL)
        fail_msg("not wanted: %s\nbut:\n%s", wanted, call.wanted);
}

/* -- Intake ------------------------------------------------------------------------------------ */

static void mail_to_us(const char *subject, const char *to)
{
    call.values[0] = value_of(0, (const char *[]){ "to", to, "subject", subject, "text", "late",
                                                   "message_id", "<1@x>", NULL });
    call.values[2] = kith_int(1); /* her number */
    call.config = config_of(1, (const char *[]){ NULL }, "complaints@example.com");
}

static void a_complaint_of_nobody_is_told_to_somebody(void **state)
{
    (void)state;
    mail_to_us("Late", "complaints@example.com");
    call.values[2].type = KITH_NONE;
    run(&intake_mail);
    assert_string_equal(call.wanted, "act notify {text:A complaint of nobody who is known (-): "
                                     "Late,data:{text:late}}\n");
    set_up(NULL);
    call.values[0] = value_of(0, (const char *[]){ "subject", "Late", NULL });
    call.config = config_of(1, (const char *[]){ "team", "service", NULL }, "x");
    run(&intake_event);
    expect("Late,to:service,data:{}}");
}

static void a_mail_to_the_address_is_a_complaint(void **state)
{
    (void)state;
    mail_to_us("Late", "Complaints@EXAMPLE.com");
    run(&intake_mail);
    assert_string_equal(call.wanted, "act create {kind:complaint,fields:{subject:Late,text:late,"
                                     "severity:normal,channel:email,thread:<1@x>}}\n");
}

static void a_mail_to_another_address_is_nothing(void **state)
{
    (void)state;
    mail_to_us("Late", "hello@example.com");
    run(&intake_mail);
    assert_string_equal(call.wanted, "");
}

static void an_answer_ends_the_waiting(void **state)
{
    (void)state;
    mail_to_us("Re: [COMPLAINT:7] Late", "hello@example.com");
    call.values[1] = records_of(2, 7, "waiting", "subject", "x");
    run(&intake_mail);
    assert_string_equal(call.wanted, "act move {record:complaint:7,transition:resume,"
                                     "fields:{last_heard:8640000000}}\n");
}

static void a_number_that_is_not_hers_is_a_complaint_of_its_own(void **state)
{
    (void)state;
    mail_to_us("[complaint:8]", "complaints@example.com");
    call.values[1] = records_of(2, 7, "waiting", "subject", "x");
    run(&intake_mail);
    expect("act create {kind:complaint");
}

static void closed_at(size_t room, int64_t number, int64_t at)
{
    struct kith_writer w;
    kith_begin(&w, rooms[room], sizeof rooms[room]);
    kith_put_int(&w, "total", 3);
    kith_open_array(&w, "closed");
    kith_open(&w, NULL);
    kith_put_int(&w, "number", number);
    kith_put_time(&w, "at", at);
    kith_close(&w);
    kith_close(&w);
    call.state = kith_end(&w);
}

static void an_answer_reopens_for_as_long_as_is_configured(void **state)
{
    (void)state;
    mail_to_us("Re: [complaint:7]", "hello@example.com");
    closed_at(3, 7, 40 * DAY_MS);
    run(&intake_mail);
    expect("act move {record:complaint:7,transition:reopen,");
    set_up(NULL);
    mail_to_us("Re: [complaint:7]", "hello@example.com");
    closed_at(3, 7, 40 * DAY_MS - 1);
    run(&intake_mail);
    assert_string_equal(call.wanted, "");
}

static void an_answer_is_known_by_as_much_of_a_long_id_as_is_kept(void **state)
{
    char id[1101], kept[998];
    (void)state;
    memset(id, 'a', 1100);
    id[1100] = '\0';
    snprintf(kept, sizeof kept, "%.997s", id);
    mail_to_us("Re: late", "complaints@example.com");
    call.values[0] = value_of(0, (const char *[]){ "to", "complaints@example.com", "subject",
                                                   "Re: late", "in_reply_to", id, NULL });
    call.values[1] = records_of(2, 7, "waiting", "thread", kept);
    run(&intake_mail);
    expect("act move {record:complaint:7,transition:resume,");
    assert_null(strstr(call.wanted, "create"));
}

static void open_ones(size_t room, int64_t count)
{
    struct kith_writer w;
    kith_begin(&w, rooms[room], sizeof rooms[room]);
    for (int64_t i = 1; i <= count; i++) {
        kith_open(&w, NULL);
        kith_put_int(&w, "number", i);
        kith_close(&w);
    }
    struct kith_doc doc = kith_end(&w);
    call.values[1] = kith_bytes(KITH_ARRAY, doc.data, doc.size);
}

static void crowded(size_t room, int64_t day)
{
    struct kith_writer w;
    kith_begin(&w, rooms[room], sizeof rooms[room]);
    kith_put_int(&w, "day", day);
    kith_put_int(&w, "acknowledged", 3);
    kith_put_int(&w, "crowded", 7);
    call.state = kith_end(&w);
}

static void of_too_many_somebody_is_reminded_once_a_day(void **state)
{
    (void)state;
    mail_to_us("Late", "complaints@example.com");
    open_ones(2, KNOWN_OPEN_MAX - 1);
    run(&intake_mail);
    expect("act create {kind:complaint");
    call.wanted[0] = '\0';
    open_ones(2, KNOWN_OPEN_MAX);
    run(&intake_mail);
    assert_null(strstr(call.wanted, "act create"));
    expect("act remind {title:50 complaints are open, and more comes in: read the timeline,"
           "key:more complaints 100,about:complaint:50,to:owner,due:");
    expect("keep complaints {total:0,day:100,acknowledged:0,crowded:1,closed:{}}\n");
    call.wanted[0] = '\0';
    crowded(3, 100);
    run(&intake_mail);
    assert_null(strstr(call.wanted, "remind"));
    expect("keep complaints {total:0,day:100,acknowledged:3,crowded:8,closed:{}}\n");
    call.wanted[0] = '\0';
    crowded(3, 99);
    run(&intake_mail);
    expect("act remind {");
}

static void what_could_not_be_taken_in_is_told(void **state)
{
    (void)state;
    call.values[0] = kith_string("complaint.sent");
    run(&intake_failed);
    call.values[0] = kith_string("email.mail");
    run(&intake_failed);
    assert_string_equal(call.wanted, "");
    call.values[0] = kith_string("complaint.mail");
    call.config = config_of(1, (const char *[]){ "team", "service", NULL }, "x");
    run(&intake_failed);
    expect("act remind {title:A complaint could not be taken in: read the timeline,"
           "key:more complaints 100,to:service,due:");
}

/* -- Course ------------------------------------------------------------------------------------ */

static void created(int64_t number, const char *other_field, const char *other_value)
{
    call.values[0] = kith_string("complaint:9");
    call.values[1] = kith_int(number);
    call.values[2] = value_of(
        0, (const char *[]){ "subject", "Broken\nBcc: x", "order", "O-1", "product", "tea", NULL });
    call.values[3] = records_of(1, 4, "received", other_field, other_value);
}

static void a_new_one_is_completed_counted_and_acknowledged(void **state)
{
    (void)state;
    created(9, "order", "o-2");
    call.config =
        config_of(2, (const char *[]){ "channel", "email", "policy_version", "7", NULL }, "x");
    run(&course_created);
    expect("act change {record:complaint:9,fields:{policy:7,severity:normal,channel:hand}}\n");
    expect("keep complaints {total:1,last:8640000000,day:100,acknowledged:1,crowded:0,closed:{}}\n"
           "publish total 1\npublish last 8640000000\npublish open_count 1\n");
    expect("act send {channel:email,purpose:service,body:We have received your complaint "
           "and ");
    expect("email:{subject:[complaint:9] Broken}");
    expect("key:acknowledge complaint:9}\n");
    assert_null(strstr(call.wanted, "transition"));
    assert_null(strstr(call.wanted, "link"));
}

static void no_more_acknowledgements_in_a_day_than_configured(void **state)
{
    static const char *const config[] = { "channel", "email", NULL };
    (void)state;
    for (int64_t day = 99; day <= 100; day++) {
        set_up(NULL);
        created(9, "order", "o-2");
        call.config = config_of(2, config, "x");
        crowded(3, day);
        run(&course_created);
        assert_true((strstr(call.wanted, "act send") != NULL) == (day != 100));
        expect(day != 100 ? ",day:100,acknowledged:1,crowded:0," : ",acknowledged:3,crowded:7,");
    }
    expect("note not acknowledged by itself");
}

static void what_has_gone_out_acknowledges(void **state)
{
    static const char *const others[] = { "acknowledge complaint:8", "complaint:9",
                                          "acknowledge " };
    (void)state;
    call.values[0] = kith_string("acknowledge complaint:9");
    call.values[1] = records_of(1, 9, "received", "subject", "x");
    run(&message_sent);
    assert_string_equal(call.wanted, "act move {record:complaint:9,transition:acknowledge}\n");
    call.wanted[0] = '\0';
    call.values[1] = records_of(1, 9, "assessed", "subject", "x");
    run(&message_sent);
    call.values[1] = records_of(1, 9, "received", "subject", "x");
    for (size_t i = 0; i < 3; i++) {
        call.values[0] = kith_string(others[i]);
        run(&message_sent);
    }
    assert_string_equal(call.wanted, "");
}

static void one_about_the_same_order_is_linked(void **state)
{
    (void)state;
    created(9, "order", "o-1");
    run(&course_created);
    expect("duplicate_of:4}}\nact link {record:complaint:9,to:complaint:4,type:duplicate}\n");
    assert_null(strstr(call.wanted, "send")); /* no channel is configured */
}

static void the_same_words_are_the_same_for_a_week(void **state)
{
    (void)state;
    created(9, "subject", "BROKEN\nbcc: x");
    created_at = call.now - 7 * DAY_MS + 1;
    call.values[3] = records_of(1, 4, "received", "subject", "BROKEN\nbcc: x");
    run(&course_created);
    expect("to:complaint:4,type:duplicate}");
    call.wanted[0] = '\0';
    created_at--;
    call.values[3] = records_of(1, 4, "received", "subject", "BROKEN\nbcc: x");
    run(&course_created);
    assert_null(strstr(call.wanted, "link"));
}

static void an_older_one_is_no_duplicate_of_a_newer_one(void **state)
{
    (void)state;
    created(3, "order", "o-1");
    run(&course_created);
    assert_null(strstr(call.wanted, "link"));
}

static void once_late_is_late(void **state)
{
    (void)state;
    call.values[0] = kith_string("complaint:9");
    call.values[1] = kith_string("complaint.met");
    call.values[2] = kith_string("respond");
    run(&course_ended);
    expect("fields:{responded_at:8640000000,responded_in_time:true}");
    set_up(NULL);
    call.values[0] = kith_string("complaint:9");
    call.values[1] = kith_string("complaint.met");
    call.values[2] = kith_string("respond");
    call.values[4] = kith_bool(0);
    run(&course_ended);
    expect("responded_in_time:false");
}

static void only_what_was_closed_is_followed_up(void **state)
{
    static const char *const config[] = { "channel", "email",          "survey_after",
                                          "3d",      "recovery_after", "10wd",
                                          NULL };
    (void)state;
    call.values[0] = kith_string("complaint:9");
    call.values[1] = kith_int(9);
    call.values[2] = kith_string("close");
    call.config = config_of(2, config, "x");
    run(&course_closed);
    expect("keep complaints {total:0,closed:{0:{number:9,at:8640000000}}}");
    expect("act after {key:survey complaint:9,due:3d,emit:Complaint Survey Due,"
           "data:{record:complaint:9}}");
    expect("act after {key:recovery complaint:9,due:10wd,");
    call.wanted[0] = '\0';
    call.values[2] = kith_string("withdraw");
    run(&course_closed);
    assert_null(strstr(call.wanted, "after"));
}

static void what_is_reopened_is_not_asked_about(void **state)
{
    (void)state;
    call.values[0] = kith_string("complaint:9");
    call.values[1] = kith_int(9);
    closed_at(3, 9, 5);
    run(&course_reopened);
    expect("fields:{times_reopened:1,closed_at:null}");
    expect("act cancel {key:survey complaint:9}\nact cancel {key:recovery complaint:9}\n");
    expect("keep complaints {total:3,closed:{}}");
}

/* 1 to `count`. */
static void closed_ones(size_t room, int64_t count)
{
    struct kith_writer w;
    kith_begin(&w, rooms[room], sizeof rooms[room]);
    kith_open_array(&w, "closed");
    for (int64_t i = 1; i <= count; i++) {
        kith_open(&w, NULL);
        kith_put_int(&w, "number", i);
        kith_put_time(&w, "at", 5);
        kith_close(&w);
    }
    kith_close(&w);
    call.state = kith_end(&w);
}

static void the_oldest_is_forgotten_for_another_and_for_nothing_else(void **state)
{
    (void)state;
    call.values[0] = kith_string("complaint:9");
    call.values[1] = kith_int(99);
    closed_ones(3, 20);
    run(&course_reopened);
    expect("closed:{0:{number:1,");
    expect("19:{number:20,at:5}}}");
    call.wanted[0] = '\0';
    call.values[1] = kith_int(7); /* closed again: its own place is free */
    run(&course_closed);
    expect("closed:{0:{number:1,");
    call.wanted[0] = '\0';
    call.values[1] = kith_int(21);
    run(&course_closed);
    expect("closed:{0:{number:2,");
    expect("19:{number:21,");
}

static void who_only_has_a_role_in_it_is_left_alone(void **state)
{
    const struct kith_handler *const handlers[] = { &course_created, &course_ended, &course_closed,
                                                    &course_reopened };
    (void)state;
    for (size_t i = 0; i < 4; i++)
        run(handlers[i]);
    assert_string_equal(call.wanted, "");
}

static void the_survey_has_a_link_for_each_answer(void **state)
{
    (void)state;
    call.values[0] = kith_string("complaint:9");
    call.values[2] = kith_string("complaint.closed");
    call.config = config_of(2, (const char *[]){ "channel", "email", NULL }, "x");
    run(&course_survey);
    expect("very_bad:{event:Complaint Survey Answered,title:I am not satisfied at all,"
           "data:{record:complaint:9,satisfaction:1}}");
    expect("data:{record:complaint:9,satisfaction:5}}}");
}

static void nobody_is_asked_because_somebody_says_so(void **state)
{
    static const char *const config[] = { "channel", "email", NULL };
    const struct kith_handler *const handlers[] = { &course_survey, &course_recovery };
    (void)state;
    call.config = config_of(2, config, "x");
    for (size_t i = 0; i < 2; i++) {
        call.wanted[0] = '\0';
        call.values[0] = kith_string("complaint:9");
        call.values[1] = records_of(1, 9, "assessed", "subject", "x");
        call.values[2] = kith_string("complaint.closed");
        run(handlers[i]);
        assert_string_equal(call.wanted, "note it is open again: nothing to ask\n");
        call.wanted[0] = '\0';
        call.values[1] = records_of(1, 8, "assessed", "subject", "x");
        call.values[3] = kith_string("web");
        run(handlers[i]);
        call.values[2] = kith_string("web");
        call.values[3].type = KITH_NONE;
        run(handlers[i]);
        assert_null(strstr(call.wanted, "act"));
        call.values[2] = kith_string("complaint.closed");
        run(handlers[i]);
        expect(i == 0 ? "act send" : "act remind");
    }
}

static void an_answer_that_is_none_changes_nothing(void **state)
{
    (void)state;
    call.values[0] = kith_string("complaint:9");
    call.values[1] = kith_int(6);
    run(&course_answered);
    assert_string_equal(call.wanted, "note not taken: satisfaction is a number from 1 to 5\n");
}

static void a_survey_is_answered_of_what_is_closed_and_for_as_long_as_it_may_be(void **state)
{
    static const struct {
        const char *record;
        int64_t closed_at;
        const char *wanted;
    } rows[] = {
        { "complaint:9", 100 * DAY_MS,
          "act change {record:complaint:9,fields:{satisfaction:4}}\n" },
        { "complaint:9", 10 * DAY_MS, "act change {record:complaint:9,fields:{satisfaction:4}}\n" },
        { "complaint:9", 10 * DAY_MS - 1,
          "note not taken: the complaint was closed too long ago\n" },
        { "complaint:8", 100 * DAY_MS,
          "note not taken: it is no complaint of hers that is closed\n" },
        { "complaint:09", 100 * DAY_MS,
          "note not taken: it is no complaint of hers that is closed\n" },
        { "order:9", 100 * DAY_MS, "note not taken: it is no complaint of hers that is closed\n" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        set_up(NULL);
        closed_at(0, 9, rows[i].closed_at);
        call.values[0] = kith_string(rows[i].record);
        call.values[1] = kith_int(4);
        run(&course_answered);
        assert_string_equal(call.wanted, rows[i].wanted);
    }
}

static void two_customers_who_are_one_complained_as_often_as_both(void **state)
{
    struct kith_writer w;
    (void)state;
    kith_begin(&w, rooms[0], sizeof rooms[0]);
    kith_open(&w, "survivor");
    kith_put_int(&w, "total", 2);
    kith_close(&w);
    kith_open(&w, "absorbed");
    kith_put_int(&w, "total", 3);
    kith_close(&w);
    call.arguments = kith_end(&w);
    assert_int_equal(known_state.merge(&recorder_engine, &call), KITH_OK);
    assert_string_equal(call.wanted, "answer {total:5,closed:{}}\n");
}

static void put_day(struct kith_writer *w, const char *name, int64_t day, int64_t count)
{
    kith_open(w, name);
    kith_put_int(w, "total", count);
    kith_put_int(w, "day", day);
    kith_put_int(w, "acknowledged", count);
    kith_put_int(w, "crowded", count);
    kith_close(w);
}

static void what_came_in_a_day_came_to_both(void **state)
{
    struct kith_writer w;
    (void)state;
    for (int64_t day = 5; day <= 7; day++) {
        kith_begin(&w, rooms[0], sizeof rooms[0]);
        put_day(&w, "survivor", 6, 1);
        put_day(&w, "absorbed", day, 2);
        call.arguments = kith_end(&w);
        assert_int_equal(known_state.merge(&recorder_engine, &call), KITH_OK);
    }
    assert_string_equal(call.wanted, "answer {total:3,day:6,acknowledged:1,crowded:1,closed:{}}\n"
                                     "answer {total:3,day:6,acknowledged:3,crowded:3,closed:{}}\n"
                                     "answer {total:3,day:7,acknowledged:2,crowded:2,closed:{}}\n");
    call.wanted[0] = '\0';
    kith_begin(&w, rooms[0], sizeof rooms[0]);
    put_day(&w, "now", 6, 4);
    put_day(&w, "survivor", 6, 1);
    put_day(&w, "absorbed", 6, 2);
    call.arguments = kith_end(&w);
    assert_int_equal(known_state.unmerge(&recorder_engine, &call), KITH_OK);
    assert_string_equal(call.wanted,
                        "answer {survivor:{total:2,day:6,acknowledged:2,crowded:2,closed:{}},"
                        "absorbed:{total:2,day:6,acknowledged:2,crowded:2,closed:{}}}\n");
}

/* -- Functions --------------------------------------------------------------------------------- */

static void a_function_names_the_record_or_takes_that_of_the_event(void **state)
{
    const struct kith_function *close = face_functions[2];
    (void)state;
    assert_string_equal(close->name, "close");
    call.arguments = doc_of(0, (const char *[]){ "root_cause", "delivery", "other", "x", NULL });
    assert_int_equal(close->run(&recorder_engine, &call), KITH_FAILED);
    assert_non_null(strstr(call.failed, "about no complaint"));
    call.values[0] = kith_string("complaint:9");
    assert_int_equal(close->run(&recorder_engine, &call), KITH_OK);
    assert_string_equal(call.wanted, "act move {record:complaint:9,transition:close,"
                                     "fields:{root_cause:delivery}}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_mail_to_the_address_is_a_complaint, set_up),
        cmocka_unit_test_setup(a_complaint_of_nobody_is_told_to_somebody, set_up),
        cmocka_unit_test_setup(a_mail_to_another_address_is_nothing, set_up),
        cmocka_unit_test_setup(of_too_many_somebody_is_reminded_once_a_day, set_up),
        cmocka_unit_test_setup(what_could_not_be_taken_in_is_told, set_up),
        cmocka_unit_test_setup(an_answer_ends_the_waiting, set_up),
        cmocka_unit_test_setup(a_number_that_is_not_hers_is_a_complaint_of_its_own, set_up),
        cmocka_unit_test_setup(an_answer_reopens_for_as_long_as_is_configured, set_up),
        cmocka_unit_test_setup(an_answer_is_known_by_as_much_of_a_long_id_as_is_kept, set_up),
        cmocka_unit_test_setup(a_new_one_is_completed_counted_and_acknowledged, set_up),
        cmocka_unit_test_setup(no_more_acknowledgements_in_a_day_than_configured, set_up),
        cmocka_unit_test_setup(what_has_gone_out_acknowledges, set_up),
        cmocka_unit_test_setup(one_about_the_same_order_is_linked, set_up),
        cmocka_unit_test_setup(the_same_words_are_the_same_for_a_week, set_up),
        cmocka_unit_test_setup(an_older_one_is_no_duplicate_of_a_newer_one, set_up),
        cmocka_unit_test_setup(once_late_is_late, set_up),
        cmocka_unit_test_setup(only_what_was_closed_is_followed_up, set_up),
        cmocka_unit_test_setup(what_is_reopened_is_not_asked_about, set_up),
        cmocka_unit_test_setup(the_oldest_is_forgotten_for_another_and_for_nothing_else, set_up),
        cmocka_unit_test_setup(who_only_has_a_role_in_it_is_left_alone, set_up),
        cmocka_unit_test_setup(the_survey_has_a_link_for_each_answer, set_up),
        cmocka_unit_test_setup(nobody_is_asked_because_somebody_says_so, set_up),
        cmocka_unit_test_setup(an_answer_that_is_none_changes_nothing, set_up),
        cmocka_unit_test_setup(a_survey_is_answered_of_what_is_closed_and_for_as_long_as_it_may_be,
                               set_up),
        cmocka_unit_test_setup(two_customers_who_are_one_complained_as_often_as_both, set_up),
        cmocka_unit_test_setup(what_came_in_a_day_came_to_both, set_up),
        cmocka_unit_test_setup(a_function_names_the_record_or_takes_that_of_the_event, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
