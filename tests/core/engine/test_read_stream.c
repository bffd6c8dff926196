/* test_read_stream.c -- what read.h promises of all events in order. */
#include "core/base/json_write.h"
#include "tests/core/engine/house_fixture.h"

#include <stdio.h>
#include <string.h>

static const char rules[] = "rule 'answer' { on = 'Asked', run = function(event, customer)\n"
                            "  emit('Answered', { to = event.what })\n"
                            "  emit('Told', {}, { to = 'user_id:u2' })\n"
                            "  after { due = '1h', key = 'k', emit = 'Later' }\n"
                            "end }\n"
                            "rule 'burst' { on = 'Burst', run = function(event, customer)\n"
                            "  for i = 1, 900 do emit('Small', { i = i }) end\n"
                            "end }\n";

/* What a walk has seen: "3:identify 3.1:customer.created ...", and the last event as JSON. */
struct seen {
    struct buf places, last;
    struct read_place place;
    size_t count, most;
};

static int see(void *arg, const struct read_place *place, struct text type, struct doc event)
{
    struct seen *seen = arg;
    char id[EVENT_ID_TEXT_MAX];
    struct text id_text = event_id_text(place->seq, place->n, id);
    assert_true(read_place_is_behind(place, &seen->place) || seen->count == 0);
    buf_printf(&seen->places, "%s%.*s:%.*s", seen->places.size != 0 ? " " : "", (int)id_text.size,
               id_text.data, (int)type.size, type.data != NULL ? type.data : "");
    buf_clear(&seen->last);
    json_write_doc(&seen->last, event);
    for (size_t i = 0; i < seen->last.size; i++)
        if (seen->last.data[i] == '"')
            seen->last.data[i] = '\'';
    seen->place = *place;
    return ++seen->count == seen->most;
}

static void seen_clear(struct seen *seen)
{
    buf_deinit(&seen->places);
    buf_deinit(&seen->last);
    *seen = (struct seen){ .most = 0 };
}

/* One piece; from a snapshot or from the engine.  Where the next begins; whether there is one. */
static bool piece(struct house *house, struct seen *seen, struct read_place *place, size_t limit,
                  bool is_stored)
{
    struct snapshot *snapshot = is_stored ? house_snapshot(house) : NULL;
    struct buf rows = BUF_INIT;
    if (is_stored)
        read_stream_stored(snapshot, place, limit, &rows);
    else
        read_stream(house->engine, place, limit, &rows);
    snapshot_close(snapshot);
    struct doc doc = { rows.data, (uint32_t)rows.size };
    assert_int_equal(read_stream_each(node_log(house->node), doc, see, seen, &house->err), 0);
    place->seq = (uint64_t)doc_int(doc, "seq", 0);
    place->n = (uint64_t)doc_int(doc, "n", 0);
    bool has_more = doc_bool(doc, "more", false);
    buf_deinit(&rows);
    return has_more;
}

static const char *whole(struct house *house, struct seen *seen, struct read_place place,
                         size_t limit, bool is_stored)
{
    seen_clear(seen);
    while (piece(house, seen, &place, limit, is_stored))
        continue;
    return buf_string(&seen->places);
}

static void write_history(struct house *house)
{
    house_deploy(house, rules);
    house_identify(house, "u1", "{}");
    house_identify(house, "u2", "{}");
    house_entry(house, LOG_CLIENT,
                "{'type':'Asked','call':'track','id':'m1','user':'u1','source':'web','at':5,"
                "'data':{'what':'tea'},'context':{'ip':'::1'},'extra':{'integrations':{}}}");
    house_entry(house, LOG_CLIENT, "{'type':'Asked','id':'m1','user':'u1','source':'web'}");
    house_command(house, "customer.merge", "1", "{'absorbed':'77'}");
    house_pass(house, 2 * 3600000);
}

static const char history[] =
    "1:world 2:daemon.started 3:bundle.activated 4:identify "
    "4.1:customer.created 4.2:identity.linked 5:identify "
    "5.1:customer.created 5.2:identity.linked 6:Asked 6.1:Answered 7:Told "
    "10.1:Later";

static void all_that_happened_is_told_in_order_and_once(void **arg)
{
    struct house *house = *arg;
    struct seen seen = { .most = 0 };
    write_history(house);
    const char *told = whole(house, &seen, (struct read_place){ 0, 0 }, 1000, false);
    assert_string_equal(told, history);
    for (size_t limit = 1; limit < 8; limit++)
        for (int is_stored = 0; is_stored <= 1; is_stored++)
            assert_string_equal(
                whole(house, &seen, (struct read_place){ 0, 0 }, limit, is_stored != 0), history);
    seen_clear(&seen);
}

static void of_who_is_being_erased_nothing_is_told(void **arg)
{
    struct house *house = *arg;
    struct seen seen = { .most = 0 };
    write_history(house);
    house_command(house, "erase.requested", "user_id:u1", "{}");
    for (size_t limit = 1; limit < 8; limit++)
        for (int is_stored = 0; is_stored <= 1; is_stored++)
            assert_string_equal(
                whole(house, &seen, (struct read_place){ 0, 0 }, limit, is_stored != 0),
                "1:world 2:daemon.started 3:bundle.activated 5:identify "
                "5.1:customer.created 5.2:identity.linked 7:Told");
    seen_clear(&seen);
}

static void a_place_is_where_it_goes_on(void **arg)
{
    struct house *house = *arg;
    struct seen seen = { .most = 0 };
    struct read_place end;
    write_history(house);
    assert_string_equal(whole(house, &seen, (struct read_place){ 5, 1 }, 100, false),
                        strstr(history, "5.2:"));
    assert_string_equal(whole(house, &seen, (struct read_place){ 6, 0 }, 100, true),
                        strstr(history, "6.1:"));
    assert_string_equal(whole(house, &seen, (struct read_place){ 8, 99 }, 100, true),
                        strstr(history, "10.1:"));
    read_stream_end(house->engine, &end);
    assert_int_equal(end.seq, engine_seq(house->engine));
    assert_string_equal(whole(house, &seen, end, 100, false), "");
    house_identify(house, "u9", "{}");
    read_stream_end(house->engine, &end);
    assert_int_equal(end.seq, engine_seq(house->engine));
    assert_int_equal(end.n, 2);
    assert_string_equal(whole(house, &seen, end, 100, false), "");
    seen_clear(&seen);
}

static void an_event_is_told_with_all_that_its_sender_said(void **arg)
{
    struct house *house = *arg;
    struct seen seen = { .most = 1 };
    struct read_place place = { 5, 2 };
    write_history(house);
    piece(house, &seen, &place, 1, false);
    assert_string_equal(
        buf_string(&seen.last),
        "{'seq':6,'n':0,'event':'6','id':'m1','type':'Asked','call':'track','messageId':'m1',"
        "'userId':'u1','customer':1,'at':'1970-01-01T00:00:00.005Z',"
        "'logged':'2026-10-28T00:00:03.000Z','class':'client','source':'web',"
        "'data':{'what':'tea'},'context':{'ip':'::1'},'extra':{'integrations':{}}}");
    piece(house, &seen, &place, 1, true);
    assert_string_equal(buf_string(&seen.last),
                        "{'seq':6,'n':1,'event':'6.1','id':'6.1','type':'Answered','customer':1,"
                        "'at':'2026-10-28T00:00:03.000Z','logged':'2026-10-28T00:00:03.000Z',"
                        "'class':'system','source':'kith','by':'answer','data':{'to':'tea'}}");
    seen_clear(&seen);
}

static void what_was_erased_is_not_told(void **arg)
{
    struct house *house = *arg;
    struct seen seen = { .most = 0 };
    uint64_t seqs[] = { 4, 7 };
    write_history(house);
    assert_int_equal(log_erase(node_log(house->node), seqs, 2, 1, &house->err), 0);
    const char *told = whole(house, &seen, (struct read_place){ 0, 0 }, 100, false);
    assert_not_in(told, "4:identify");
    assert_not_in(told, "7:");
    assert_in(told, "5:identify");
    seen_clear(&seen);
}

static void an_entry_that_makes_much_is_told_in_pieces(void **arg)
{
    struct house *house = *arg;
    struct seen seen = { .most = 0 };
    house_deploy(house, rules);
    house_track(house, "u1", "Burst", "{}");
    const char *told = whole(house, &seen, (struct read_place){ 3, 0 }, 100, true);
    assert_in(told, "4:Burst 4.1:customer.created 4.2:identity.linked 4.3:Small 4.4:Small ");
    assert_int_equal(seen.count, 903);
    assert_int_equal(seen.place.n, 902);
    whole(house, &seen, (struct read_place){ 4, 700 }, 100, false);
    assert_int_equal(seen.count, 202);
    seen_clear(&seen);
}

static void it_is_the_same_after_a_restart(void **arg)
{
    struct house *house = *arg;
    struct seen seen = { .most = 0 };
    write_history(house);
    house_reopen(house);
    const char *told = whole(house, &seen, (struct read_place){ 0, 0 }, 3, false);
    assert_memory_equal(told, history, sizeof history - 1);
    assert_in(told + sizeof history - 1, ":daemon.started");
    seen_clear(&seen);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, house_setup, house_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(of_who_is_being_erased_nothing_is_told),
        TEST(all_that_happened_is_told_in_order_and_once),
        TEST(a_place_is_where_it_goes_on),
        TEST(an_event_is_told_with_all_that_its_sender_said),
        TEST(what_was_erased_is_not_told),
        TEST(an_entry_that_makes_much_is_told_in_pieces),
        TEST(it_is_the_same_after_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
