/* test_read_effect.c -- what read.h promises of effects, and of why. */
#include "tests/core/engine/house_fixture.h"

#include <stdio.h>
#include <string.h>

static const char rules[] =
    "rule 'welcome' { on = 'Signed Up', run = function(event, customer)\n"
    "  customer:set('plan', event.plan)\n"
    "  send { channel = 'mail', purpose = 'service', body = 'hello' }\n"
    "  emit('Greeted', { how = 'mail' })\n"
    "end }\n"
    "rule 'greeted' { on = 'Greeted', run = function(event, customer)\n"
    "  notify { channel = 'mail', to = 'anna', text = 'greeted' }\n"
    "  after { due = '1h', key = 'nudge', emit = 'Nudge' }\n"
    "  remind { title = 'call', to = 'anna', due = '1d', key = 'call' }\n"
    "end }\n"
    "rule 'nudge' { on = 'Nudge', run = function(event, customer)\n"
    "  emit('Visited', { a = 1 }, { to = 'user_id:u2' })\n"
    "end }\n"
    "rule 'visited' { on = 'Visited', run = function(event, customer)\n"
    "  send { channel = 'mail', purpose = 'service', body = 'visited' }\n"
    "end }\n"
    "calendar 'early' { zone = 'Europe/Berlin', hours = { ['mon-fri'] = '06:00-14:00' } }\n"
    "calendar 'company' { zone = 'Europe/Berlin', hours = { ['mon-fri'] = '09:00-17:00' } }\n";

/* -- Effects --------------------------------------------------------------------------- */

static const char *effects(struct house *house, const char *state, size_t limit, struct text after)
{
    struct snapshot *snapshot = house_snapshot(house);
    struct read_page page = { limit, after };
    struct read_effects which = { .state = text_of(state), .channel = text_of("mail") };
    int rc = read_effects(snapshot, &which, &page, &house->out, &house->err);
    snapshot_close(snapshot);
    return house_answer(house, rc);
}

static void effects_are_listed_newest_first_by_state(void **arg)
{
    struct house *house = *arg;
    house_deploy(house, rules);
    house_identify(house, "u1", "{}");
    house_identify(house, "u2", "{}");
    house_identify(house, "u3", "{}");
    house_track(house, "u1", "Signed Up", "{'plan':'gold'}");
    house->outcome = OUTCOME_UNCERTAIN;
    house_track(house, "u2", "Signed Up", "{'plan':'gold'}");
    house->outcome = OUTCOME_SENT;
    house_track(house, "u3", "Signed Up", "{'plan':'gold'}");
    assert_string_equal(page_values(effects(house, "", 50, text_of("")), "state"),
                        "sent sent uncertain uncertain sent sent");
    const char *page = effects(house, "uncertain", 1, text_of(""));
    assert_string_equal(page_values(page, "state"), "uncertain");
    assert_string_equal(page_values(page, "notification"), "true");
    page = effects(house, "uncertain", 1, page_next(page));
    assert_string_equal(page_values(page, "notification"), "false");
    assert_in(page, "'next':null");
    page = effects(house, "sent", 3, text_of(""));
    assert_string_equal(page_values(page, "state"), "sent sent sent");
    assert_in(page, "'to':'anna'");
    page = effects(house, "sent", 3, page_next(page));
    assert_string_equal(page_values(page, "state"), "sent");
    assert_in(effects(house, "held", 3, text_of("")), "'items':[],'next':null");
    assert_in(effects(house, "", 3, text_of("zz")), "-1: ");
}

static void an_effect_is_read_by_its_id(void **arg)
{
    struct house *house = *arg;
    house_deploy(house, rules);
    house_track(house, "u1", "Signed Up", "{'plan':'gold'}");
    const char *text =
        house_answer(house, read_effect(house->engine, text_of("4.3"), &house->out, &house->err));
    assert_in(text, "{'id':'4.3','customer':1,'channel':'mail','purpose':'service','state':'sent'"
                    ",'rule':'welcome','cause':'4','created':'2026-10-28T00:00:01.000Z',");
    assert_in(text, "'attempt':1,'notification':false,'message':{");
    static const char *const none[] = { "4.2", "4", "", "x", "4.3.1", "99.1" };
    for (unsigned i = 0; i < sizeof none / sizeof *none; i++)
        assert_in(house_answer(house, read_effect(house->engine, text_of(none[i]), &house->out,
                                                  &house->err)),
                  "-5: no effect has the id ");
}

/* -- Why ------------------------------------------------------------------------------- */

static const char *explain(struct house *house, const char *id, bool is_effect)
{
    struct buf entries = BUF_INIT;
    int rc = read_explain_entries(node_log(house->node), text_of(id), &entries, &house->err);
    struct doc doc = { entries.data, (uint32_t)entries.size };
    if (rc == 0)
        rc = (is_effect ? read_explain_effect : read_explain_event)(house->engine, text_of(id), doc,
                                                                    &house->out, &house->err);
    buf_deinit(&entries);
    return house_answer(house, rc);
}

/* The newest effect. */
static const char *newest(struct house *house)
{
    static char id[EVENT_ID_TEXT_MAX];
    snprintf(id, sizeof id, "%.*s",
             (int)strcspn(page_values(effects(house, "", 1, text_of("")), "id"), " "),
             page_values(effects(house, "", 1, text_of("")), "id"));
    return id;
}

static void an_effect_is_explained_up_to_the_entry_that_caused_it(void **arg)
{
    struct house *house = *arg;
    house_deploy(house, rules);
    house_track(house, "u1", "Signed Up", "{'plan':'gold'}");
    const char *text = explain(house, newest(house), true);
    assert_in(text, "'chain':[{'id':'4.4','type':'Greeted',");
    assert_in(text, "{'id':'4','type':'Signed Up',");
    assert_in(text, "'messageId':'m-u1','source':'web','customer':1,'rules':[{'name':'welcome',");
    assert_in(text, "Notification 4.5 on channel mail for the purpose \\'service\\' to "
                    "\\'anna\\' was sent. The rule \\'greeted\\' made it at "
                    "2026-10-28T00:00:01.000Z, when it ran on \\'Greeted\\' (4.4).");
    assert_in(text, "\\'Greeted\\' (4.4) followed from \\'Signed Up\\' (4), by the rule "
                    "\\'welcome\\'. \\'Signed Up\\' is entry 4 of the log, the call track from a "
                    "client with the key \\'web\\', with the id \\'m-u1\\', logged at "
                    "2026-10-28T00:00:01.000Z.'}");
    assert_in(explain(house, "4", true), "-5: no effect has the id 4");
    assert_in(explain(house, "400.1", true), "-5: there is no entry, event or effect 400.1");
}

static void an_effect_is_explained_through_timers_and_events_sent_to_others(void **arg)
{
    struct house *house = *arg;
    house_deploy(house, rules);
    house_identify(house, "u2", "{}");
    house_track(house, "u1", "Signed Up", "{'plan':'gold'}");
    house_pass(house, 3600000);
    const char *text = explain(house, newest(house), true);
    assert_in(text, "when it ran on \\'Visited\\' (");
    assert_in(text, "A rule sent it while \\'Nudge\\' was applied. \\'Nudge\\' (");
    assert_in(text, " came from a timer, set by \\'greeted\\', which was due at "
                    "2026-10-28T01:00:02.000Z (entry ");
    assert_in(text, "'type':'tick'");
    assert_string_equal(page_values(strstr(text, "'chain'"), "type"), "Visited Nudge tick");
}

static void an_event_is_explained_with_what_it_led_to(void **arg)
{
    struct house *house = *arg;
    house_deploy(house, rules);
    house_track(house, "u1", "Signed Up", "{'plan':'gold'}");
    const char *text = explain(house, "4", false);
    assert_in(text, "{'effect':null,'chain':[{'id':'4','type':'Signed Up',");
    assert_in(text, "The rules that acted on it: \\'welcome\\'. It made the effects 4.3.'}");
    assert_in(explain(house, "4.5", false), "'effect':{'id':'4.5'");
    assert_in(explain(house, "4.4", false), "'chain':[{'id':'4.4','type':'Greeted'");
    assert_in(explain(house, "4.99", false), "-5: ");
    assert_in(explain(house, "1", false), "'chain':[{'id':'1','type':'world',");
    static const char *const none[] = { "0", "", "x", "99", "4.x" };
    for (unsigned i = 0; i < sizeof none / sizeof *none; i++)
        assert_in(explain(house, none[i], false), "-5: ");
    uint64_t seq = 4;
    assert_int_equal(log_erase(node_log(house->node), &seq, 1, 1, &house->err), 0);
    text = explain(house, "4.4", false);
    assert_in(text, "'erased':true}],");
    assert_in(text, "\\'Signed Up\\' (4) has been erased from the log.");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, house_setup, house_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(effects_are_listed_newest_first_by_state),
        TEST(an_effect_is_read_by_its_id),
        TEST(an_effect_is_explained_up_to_the_entry_that_caused_it),
        TEST(an_effect_is_explained_through_timers_and_events_sent_to_others),
        TEST(an_event_is_explained_with_what_it_led_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
