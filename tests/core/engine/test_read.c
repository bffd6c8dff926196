/* test_read.c -- what read.h promises of customers, timelines, bundles, staff and keys. */
#include "tests/core/engine/house_fixture.h"

#include <stdio.h>
#include <string.h>

/* -- Customers ------------------------------------------------------------------------- */

static const char *record(struct house *house, const char *reference)
{
    return house_answer(house,
                        read_customer(house->engine, text_of(reference), &house->out, &house->err));
}

static void a_record_shows_all_that_is_known(void **arg)
{
    struct house *house = *arg;
    house_identify(house, "u1",
                   "{'name':'王小明','email':'Wang@Example.com','phone':'030 1234567'}");
    house_identify(house, "u2", "{'name':'Jürgen Groß'}");
    house_command(house, "tag.changed", "user_id:u1", "{'tag':'VIP 客户'}");
    house_command(house, "owner.changed", "1", "{'owner':'李雷'}");
    house_command(house, "role.changed", "1", "{'role':'lead'}");
    house_command(house, "relation.changed", "1", "{'type':'knows','other':'2'}");
    house_command(house, "consent.changed", "email:wang@example.com",
                  "{'purpose':'news','channel':'email','state':'granted','proof':'form 7'}");
    house_remind(house, "1", "anna", START_MS + DAY_MS);
    const char *text = record(house, "email:WANG@example.com");
    assert_in(text, "{'id':1,'kind':'person','created':'2026-10-28T00:00:01.000Z',"
                    "'traits':{'name':'王小明','email':'Wang@Example.com',");
    assert_in(text, "'trait_sources':{'name':[{'value':'王小明','at':'2026-10-28T00:00:01.000Z',"
                    "'source':'web'}]");
    assert_in(text, "'ids':{'user_id':['u1'],'email':['wang@example.com'],"
                    "'phone':['+49301234567']}");
    assert_in(text, "'addresses':[{'channel':'email','value':'wang@example.com'},");
    assert_in(text, "'consents':[{'purpose':'news','channel':'email','state':'granted','at':");
    assert_in(text, "'source':'desk','proof':'form 7'}]");
    assert_in(text, "'tags':['VIP 客户'],'roles':[{'role':'lead','since':'2026-10-28T");
    assert_in(text, "'owner':'李雷','relations':[{'type':'knows','id':2,'since':'2026");
    assert_in(text, "'merged':[],'reminders_open':1}");
    assert_in(record(house, "9"), "-5: no such customer: 9");
    assert_in(record(house, "user_id:nobody"), "-5: ");
}

static void a_record_folds_the_members_of_a_merged_group(void **arg)
{
    struct house *house = *arg;
    house_identify(house, "u1", "{'name':'old','city':'Köln','gone':1}");
    house_identify(house, "u2", "{'name':'new'}");
    house_identify(house, "u2", "{'gone':null}");
    house_command(house, "tag.changed", "1", "{'tag':'a'}");
    house_command(house, "tag.changed", "2", "{'tag':'a'}");
    house_command(house, "consent.changed", "1",
                  "{'purpose':'p','channel':'c','state':'withdrawn'}");
    house_command(house, "consent.changed", "2", "{'purpose':'p','channel':'c','state':'granted'}");
    house_remind(house, "1", "anna", START_MS + DAY_MS);
    house_remind(house, "2", "anna", START_MS + DAY_MS);
    house_command(house, "customer.merge", "2", "{'absorbed':'1'}");
    const char *text = record(house, "user_id:u1");
    assert_in(text, "{'id':2,");
    assert_in(text, "'traits':{'name':'new','city':'Köln'}");
    assert_in(text, "'ids':{'user_id':['u2','u1']}");
    assert_in(text, "'tags':['a'],");
    assert_string_equal(page_values(strstr(text, "'consents'"), "state"), "withdrawn");
    assert_in(text, "'merged':[1],'reminders_open':2}");
    house_command(house, "reminder.done", "", "{'task':1}");
    assert_in(record(house, "2"), "'reminders_open':1}");
    house_command(house, "customer.unmerge", "1", "{}");
    assert_in(record(house, "1"), "{'id':1,");
    assert_in(record(house, "1"), "'traits':{'name':'old','city':'Köln','gone':1}");
}

static const char *customers(struct house *house, size_t limit, struct text after)
{
    struct snapshot *snapshot = house_snapshot(house);
    struct read_page page = { limit, after };
    int rc = read_customers(snapshot, &page, &house->out, &house->err);
    snapshot_close(snapshot);
    return house_answer(house, rc);
}

static void the_list_of_customers_goes_on_by_its_cursor_and_leaves_out_the_absorbed(void **arg)
{
    struct house *house = *arg;
    assert_in(customers(house, 10, text_of("")), "{'items':[],'next':null,");
    house_identify(house, "u1", "{'name':'Ann'}");
    house_identify(house, "u2", "{'name':'二'}");
    house_identify(house, "u3", "{'name':'三'}");
    house_command(house, "customer.merge", "1", "{'absorbed':'2'}");
    const char *text = customers(house, 1, text_of(""));
    assert_in(text, "{'items':[{'id':1,'kind':'person','traits':{'name':'二'},"
                    "'ids':{'user_id':['u1','u2']},'tags':[],'owner':null,"
                    "'last_contact':'2026-10-28T00:00:02.000Z'}],'next':'1',");
    text = customers(house, 1, page_next(text));
    assert_in(text, "'traits':{'name':'三'}");
    assert_in(text, "'next':null,");
    assert_in(customers(house, 1, text_of("3")), "'items':[],'next':null");
    assert_in(customers(house, 1, text_of("99999")), "'items':[],'next':null");
    assert_in(customers(house, 1, text_of("x")), "-1: ");
}

/* -- Timelines ------------------------------------------------------------------------- */

static const char *timeline(struct house *house, const char *reference, size_t limit,
                            struct text after)
{
    struct buf rows = BUF_INIT;
    struct read_page page = { limit, after };
    int rc = read_timeline(house->engine, text_of(reference), &page, &rows, &house->err);
    if (rc == 0)
        rc = read_timeline_events(node_log(house->node),
                                  (struct doc){ rows.data, (uint32_t)rows.size }, &house->out,
                                  &house->err);
    buf_deinit(&rows);
    return house_answer(house, rc);
}

static void a_timeline_shows_the_event_and_what_came_of_it(void **arg)
{
    struct house *house = *arg;
    house_deploy(house, "rule 'r' { on = 'Bought', run = function(e, c)\n"
                        "  c:set('bought', e.what) emit('Thanked', { x = 1 }) log('done')\n"
                        "end }");
    house_track(house, "u1", "Bought", "{'what':'茶'}");
    const char *text = timeline(house, "user_id:u1", 50, text_of(""));
    assert_in(text, "'n':0,'event':'4','id':'m-u1','at':'2026-10-28T00:00:01.000Z','logged':"
                    "'2026-10-28T00:00:01.000Z','type':'Bought','call':'track',"
                    "'messageId':'m-u1','source':'web','data':{'what':'茶'},"
                    "'trace':{'rules':[{'name':'r','bundle':'");
    assert_in(text, "'changed':{'bought':'茶'},'effects':[],'made':['4.1','4.2','4.3'],"
                    "'log':['done']}}");
    assert_in(text, "'n':3,'event':'4.3','id':'4.3','at':'2026-10-28T00:00:01.000Z','logged':"
                    "'2026-10-28T00:00:01.000Z','type':'Thanked','source':'kith','by':'r',"
                    "'data':{'x':1},");
    assert_in(text, "'next':null,'seq':4}");
    assert_in(timeline(house, "2", 50, text_of("")), "-5: no such customer: 2");
    assert_in(timeline(house, "1", 50, text_of("x")), "-1: ");
}

static void a_timeline_merges_the_members_newest_first_and_goes_on_by_its_cursor(void **arg)
{
    struct house *house = *arg;
    char all[200] = "", pages[200] = "";
    for (unsigned i = 0; i < 5; i++) {
        house_track(house, i % 2 == 0 ? "u1" : "u2", "A", "{}");
        house->now += 40 * DAY_MS; /* beyond dedupe */
    }
    house_command(house, "customer.merge", "1", "{'absorbed':'2'}");
    const char *page = timeline(house, "2", 1000, text_of(""));
    snprintf(all, sizeof all, "%s", page_values(page, "event"));
    struct text next = text_of("");
    do {
        page = timeline(house, "1", 2, next);
        size_t size = strlen(pages);
        snprintf(pages + size, sizeof pages - size, "%s%s", size != 0 ? " " : "",
                 page_values(page, "event"));
        next = page_next(page);
    } while (next.size != 0);
    assert_string_equal(pages, all);
    assert_in(all, "8.1 8 7 "); /* the merge, then u1 and u2 by turns */
}

static void what_the_log_no_longer_has_is_shown_as_erased(void **arg)
{
    struct house *house = *arg;
    house_track(house, "u1", "Secret", "{'what':'x'}");
    assert_in(timeline(house, "1", 50, text_of("")), "'data':{'what':'x'}");
    uint64_t seq = 3;
    assert_int_equal(log_erase(node_log(house->node), &seq, 1, 1, &house->err), 0);
    const char *text = timeline(house, "1", 50, text_of(""));
    assert_not_in(text, "what");
    assert_in(text, "'type':'Secret','erased':true,");
}

/* The one block of the entry, found by its magic and its number, is changed in the file. */
static void spoil(struct house *house, uint64_t seq)
{
    char path[128];
    uint8_t block[24];
    snprintf(path, sizeof path, "%s/log/data.mdb", house->dir);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    for (long at = 0; fseek(file, at, SEEK_SET) == 0 && fread(block, sizeof block, 1, file) == 1;
         at++) {
        if (memcmp(block, "KTHL", 4) != 0 || block[16] != seq)
            continue;
        fseek(file, at + 100, SEEK_SET);
        fputs("spoilt", file);
    }
    fclose(file);
}

static void what_cannot_be_read_is_one_item_with_the_reason_among_the_others(void **arg)
{
    struct house *house = *arg;
    house_track(house, "u1", "Before", "{'what':'x'}");
    house_entry(house, LOG_CLIENT,
                "{'type':'Damaged','call':'track','user':'u1','source':'web','data':{'what':'y'}}");
    house_command(house, "tag.changed", "1", "{'tag':'after','on':true}");
    house_reopen(house); /* nothing is remembered of the blocks */
    spoil(house, 4);
    const char *text = timeline(house, "1", 50, text_of(""));
    assert_in(text, "'type':'Damaged','unreadable':'entries 4 to 4 of the log cannot be read: ");
    assert_in(text, "'trace':{");
    assert_in(text, "'data':{'what':'x'}");
    assert_not_in(text, "'what':'y'");
    assert_in(text, "'tag':'after'");
    assert_int_equal(house->err.code, E_CORRUPT);
}

/* -- The house's own ------------------------------------------------------------------- */

static void bundles_are_listed_from_the_active_one_back(void **arg)
{
    struct house *house = *arg;
    uint8_t first[32], second[32], hash[32];
    assert_false(read_bundle_hash(house->engine, 0, first));
    assert_in(house_answer(house, read_bundles(house->engine, &house->out, &house->err)),
              "{'items':[],");
    house_deploy(house, "-- one");
    assert_true(read_bundle_hash(house->engine, 0, first));
    assert_false(read_bundle_hash(house->engine, 1, hash));
    house_deploy(house, "-- two");
    assert_true(read_bundle_hash(house->engine, 0, second));
    house_deploy(house, "-- one");
    assert_true(read_bundle_hash(house->engine, 0, hash));
    assert_memory_equal(hash, first, 32);
    assert_true(read_bundle_hash(house->engine, 1, hash));
    assert_memory_equal(hash, second, 32);
    const char *text = house_answer(house, read_bundles(house->engine, &house->out, &house->err));
    assert_string_equal(page_values(text, "active"), "true false");
    assert_in(text, "'active':true,'seq':5}");
}

static void staff_and_keys_are_listed_by_name_without_any_hash(void **arg)
{
    struct house *house = *arg;
    struct read_page page = { 2, { "", 0 } };
    house_command(house, "staff.set", "", "{'name':'eva','title':'Eva'}");
    house_command(house, "staff.set", "", "{'name':'bob'}");
    house_command(house, "staff.set", "",
                  "{'name':'李雷','absences':[{'from':1793145600000,'until':1793232000000}]}");
    const char *text =
        house_answer(house, read_staff(house->engine, &page, &house->out, &house->err));
    assert_in(text, "{'items':[{'name':'bob'},{'name':'eva','title':'Eva'}],'next':'eva',");
    page.after = page_next(text);
    text = house_answer(house, read_staff(house->engine, &page, &house->out, &house->err));
    assert_in(text, "{'items':[{'name':'李雷','absences':[{'from':'2026-10-28T00:00:00.000Z',"
                    "'until':'2026-10-29T00:00:00.000Z'}]}],'next':null,");
    assert_in(house_answer(house, read_staff_member(house->engine, text_of("eva"), &house->out,
                                                    &house->err)),
              "{'name':'eva','title':'Eva'}");
    assert_in(house_answer(house, read_staff_member(house->engine, text_of("zoe"), &house->out,
                                                    &house->err)),
              "-5: nobody of staff is called zoe");

    house_command(house, "key.set", "", "{'name':'shop','hash':'00ff','scopes':['write']}");
    page.after = text_of("");
    text = house_answer(house, read_keys(house->engine, &page, &house->out, &house->err));
    assert_in(text, "{'items':[{'name':'shop','scopes':['write']}],'next':null,");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, house_setup, house_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_record_shows_all_that_is_known),
        TEST(a_record_folds_the_members_of_a_merged_group),
        TEST(the_list_of_customers_goes_on_by_its_cursor_and_leaves_out_the_absorbed),
        TEST(a_timeline_shows_the_event_and_what_came_of_it),
        TEST(a_timeline_merges_the_members_newest_first_and_goes_on_by_its_cursor),
        TEST(what_the_log_no_longer_has_is_shown_as_erased),
        TEST(what_cannot_be_read_is_one_item_with_the_reason_among_the_others),
        TEST(bundles_are_listed_from_the_active_one_back),
        TEST(staff_and_keys_are_listed_by_name_without_any_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
