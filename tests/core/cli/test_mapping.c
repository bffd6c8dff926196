/* test_mapping.c -- rows to Segment calls: what mapping.h promises. */
#include "core/cli/mapping.h"

#include "core/base/err.h"
#include "core/base/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct trial {
    struct mapping *mapping;
    struct buf out;
    struct mapping_row row;
    struct err err;
};

static void begin(struct trial *trial, const char *event, const char *id)
{
    const struct zone *zone = NULL;
    assert_int_equal(zone_open("UTC", &zone, NULL), 0);
    *trial = (struct trial){ .mapping = mapping_new(zone, event, id) };
}

static void map(struct trial *trial, const char *text)
{
    if (mapping_add(trial->mapping, text, &trial->err) != 0)
        fail_msg("%s", trial->err.text);
}

static size_t split(const char *line, struct text fields[8])
{
    size_t count = 0;
    for (;; line++) {
        size_t size = strcspn(line, ",");
        fields[count++] = (struct text){ line, (uint32_t)size };
        line += size;
        if (*line == '\0')
            return count;
    }
}

static int bind(struct trial *trial, const char *header)
{
    struct text names[8];
    return mapping_bind(trial->mapping, names, split(header, names), &trial->err);
}

static int row(struct trial *trial, const char *line)
{
    struct text cells[8];
    size_t count = split(line, cells);
    buf_clear(&trial->out);
    return mapping_row(trial->mapping, cells, count, text_of("f-7"), &trial->out, &trial->row,
                       &trial->err);
}

static void expect_row(struct trial *trial, const char *line, const char *json)
{
    if (row(trial, line) != 0)
        fail_msg("%s", trial->err.text);
    assert_string_equal(buf_string(&trial->out), json);
}

static void end(struct trial *trial)
{
    mapping_free(trial->mapping);
    buf_deinit(&trial->out);
}

static void rows_are_customers_unless_an_event_is_named(void **state)
{
    (void)state;
    struct trial trial;
    begin(&trial, NULL, NULL);
    map(&trial, "No=userId");
    map(&trial, "Name=name");
    map(&trial, "Age=age:number");
    assert_int_equal(bind(&trial, "No,Name,Age,Other"), 0);
    expect_row(&trial, "u-1,王小明,44,x",
               "{\"type\":\"identify\",\"messageId\":\"f-7\",\"userId\":\"u-1\","
               "\"traits\":{\"name\":\"王小明\",\"age\":44}}");
    assert_int_equal(trial.row.calls, 1);
    assert_false(trial.row.has_at);
    end(&trial);
}

static void an_event_carries_its_properties_and_its_time(void **state)
{
    (void)state;
    struct trial trial;
    begin(&trial, "Order Completed", NULL);
    map(&trial, "id=userId");
    map(&trial, "day=at:date(%Y%m%d)");
    map(&trial, "sum=total:number");
    assert_int_equal(bind(&trial, "id,day,sum"), 0);
    expect_row(&trial, "4,19970101,29.33",
               "{\"type\":\"track\",\"messageId\":\"f-7\","
               "\"timestamp\":\"1997-01-01T00:00:00.000Z\",\"event\":\"Order Completed\","
               "\"userId\":\"4\",\"properties\":{\"total\":29.33}}");
    assert_true(trial.row.has_at);
    assert_int_equal(trial.row.at, 852076800000);
    end(&trial);
}

static void what_an_events_row_knows_of_the_customer_goes_before_it(void **state)
{
    (void)state;
    struct trial trial;
    begin(&trial, "Visit", NULL);
    map(&trial, "id=userId");
    map(&trial, "mail=email");
    map(&trial, "city=traits.city");
    assert_int_equal(bind(&trial, "id,mail,city"), 0);
    expect_row(&trial, "4,a@b.example,Bonn",
               "{\"type\":\"identify\",\"messageId\":\"f-7/identify\",\"userId\":\"4\","
               "\"traits\":{\"email\":\"a@b.example\",\"city\":\"Bonn\"}},"
               "{\"type\":\"track\",\"messageId\":\"f-7\",\"event\":\"Visit\",\"userId\":\"4\","
               "\"properties\":{}}");
    assert_int_equal(trial.row.calls, 2);
    end(&trial);
}

static void empty_cells_say_nothing(void **state)
{
    (void)state;
    struct trial trial;
    begin(&trial, "Visit", NULL);
    map(&trial, "id=userId");
    map(&trial, "mail=email");
    map(&trial, "n=n:number");
    assert_int_equal(bind(&trial, "id,mail,n"), 0);
    expect_row(&trial, "4,,",
               "{\"type\":\"track\",\"messageId\":\"f-7\",\"event\":\"Visit\","
               "\"userId\":\"4\",\"properties\":{}}");
    end(&trial);
}

static void somebody_known_by_address_only_gets_a_name_made_of_it(void **state)
{
    (void)state;
    struct trial trial;
    begin(&trial, NULL, NULL);
    map(&trial, "mail=email");
    map(&trial, "tel=phone:phone(CN)");
    assert_int_equal(bind(&trial, "mail,tel"), 0);
    expect_row(&trial, " Ann@Example.com,",
               "{\"type\":\"identify\",\"messageId\":\"f-7\","
               "\"anonymousId\":\"email:ann@example.com\","
               "\"traits\":{\"email\":\"Ann@Example.com\"}}");
    expect_row(&trial, ",138 0013 8000",
               "{\"type\":\"identify\",\"messageId\":\"f-7\","
               "\"anonymousId\":\"phone:+8613800138000\","
               "\"traits\":{\"phone\":\"+8613800138000\"}}");
    assert_int_equal(row(&trial, ","), E_INVALID);
    assert_string_equal(trial.err.text, "nothing says who it is about");
    assert_int_equal(row(&trial, "nonsense,"), E_INVALID);
    end(&trial);
}

static void consents_become_statements_of_their_own(void **state)
{
    (void)state;
    struct trial trial;
    begin(&trial, NULL, NULL);
    map(&trial, "id=userId");
    map(&trial, "news=consent:newsletter/email");
    assert_int_equal(bind(&trial, "id,news"), 0);
    expect_row(&trial, "4,no",
               "{\"type\":\"identify\",\"messageId\":\"f-7\",\"userId\":\"4\",\"traits\":{}},"
               "{\"type\":\"consent.changed\",\"messageId\":\"f-7/consent:newsletter/email\","
               "\"customer\":\"user_id:4\",\"data\":{\"proof\":\"imported\","
               "\"purpose\":\"newsletter\",\"channel\":\"email\",\"state\":\"withdrawn\"}}");
    assert_int_equal(row(&trial, "4,perhaps"), E_INVALID);
    assert_string_equal(trial.err.text, "news: \"perhaps\" is no true or false");
    end(&trial);
}

static void an_id_column_tells_a_row_from_others_of_its_kind(void **state)
{
    (void)state;
    struct trial trial;
    begin(&trial, "Order", "no");
    map(&trial, "id=userId");
    map(&trial, "mail=email");
    assert_int_equal(bind(&trial, "id,no,mail"), 0);
    expect_row(&trial, "4,A-1,a@b.example",
               "{\"type\":\"identify\",\"messageId\":\"Order:A-1/identify\",\"userId\":\"4\","
               "\"traits\":{\"email\":\"a@b.example\"}},"
               "{\"type\":\"track\",\"messageId\":\"Order:A-1\",\"event\":\"Order\","
               "\"userId\":\"4\",\"properties\":{}}");
    assert_int_equal(row(&trial, "4,,a@b.example"), E_INVALID);
    assert_string_equal(trial.err.text, "no is empty, and it is what makes a row itself");
    end(&trial);
}

static void a_customer_and_an_order_may_have_one_number(void **state)
{
    (void)state;
    struct trial trial;
    begin(&trial, NULL, "id");
    map(&trial, "id=userId");
    map(&trial, "news=consent:newsletter/email");
    assert_int_equal(bind(&trial, "id,news"), 0);
    expect_row(&trial, "17,",
               "{\"type\":\"identify\",\"messageId\":\"identify:17\",\"userId\":\"17\","
               "\"traits\":{}}");
    assert_int_equal(row(&trial, "17,yes"), 0);
    assert_non_null(strstr(buf_string(&trial.out), "\"identify:17/consent:newsletter/email\""));
    end(&trial);
}

static void the_kind_of_a_row_is_the_event_that_it_names(void **state)
{
    (void)state;
    struct trial trial;
    begin(&trial, NULL, "no");
    map(&trial, "id=userId");
    map(&trial, "what=event");
    assert_int_equal(bind(&trial, "id,what,no"), 0);
    expect_row(&trial, "4,Visit,1",
               "{\"type\":\"track\",\"messageId\":\"Visit:1\",\"event\":\"Visit\","
               "\"userId\":\"4\",\"properties\":{}}");
    end(&trial);
}

static void a_column_of_ids_is_taken_as_it_stands(void **state)
{
    (void)state;
    struct trial trial;
    begin(&trial, "Order", NULL);
    map(&trial, "id=userId");
    map(&trial, "no=messageId");
    assert_int_equal(bind(&trial, "id,no"), 0);
    expect_row(&trial, "4,A-1",
               "{\"type\":\"track\",\"messageId\":\"A-1\",\"event\":\"Order\","
               "\"userId\":\"4\",\"properties\":{}}");
    end(&trial);
}

static void an_event_column_names_each_rows_event(void **state)
{
    (void)state;
    struct trial trial;
    begin(&trial, NULL, NULL);
    map(&trial, "id=userId");
    map(&trial, "what=event");
    map(&trial, "x=x");
    assert_int_equal(bind(&trial, "id,what,x"), 0);
    expect_row(&trial, "4,Visit,1",
               "{\"type\":\"track\",\"messageId\":\"f-7\",\"event\":\"Visit\",\"userId\":\"4\","
               "\"properties\":{\"x\":\"1\"}}");
    assert_int_equal(row(&trial, "4,,1"), E_INVALID);
    end(&trial);
}

static void without_a_map_each_column_is_the_field_of_its_name(void **state)
{
    (void)state;
    struct trial trial;
    begin(&trial, NULL, NULL);
    assert_int_equal(bind(&trial, "userId,email,First Name"), 0);
    expect_row(&trial, "4,a@b.example,Ann",
               "{\"type\":\"identify\",\"messageId\":\"f-7\",\"userId\":\"4\","
               "\"traits\":{\"email\":\"a@b.example\",\"First Name\":\"Ann\"}}");
    end(&trial);
}

static void white_space_around_a_cell_does_not_count(void **state)
{
    (void)state;
    struct trial trial;
    begin(&trial, NULL, NULL);
    map(&trial, "who=userId");
    map(&trial, "name=name");
    map(&trial, "born=born:date(%Y%m%d)");
    map(&trial, "sum=sum:number");
    assert_int_equal(bind(&trial, "who,name,born,sum"), 0);
    expect_row(&trial,
               " u-1 ,\t\xc2\xa0"
               "Ann B.\xc2\xa0 , 19081209,\xc2\xa0"
               "5 ",
               "{\"type\":\"identify\",\"messageId\":\"f-7\",\"userId\":\"u-1\","
               "\"traits\":{\"name\":\"Ann B.\",\"born\":\"1908-12-09\",\"sum\":5}}");
    expect_row(&trial, "u-2, \xe5\xb0\xa0,\t, ",
               "{\"type\":\"identify\",\"messageId\":\"f-7\",\"userId\":\"u-2\","
               "\"traits\":{\"name\":\"\xe5\xb0\xa0\"}}");
    assert_int_not_equal(row(&trial, " \xc2\xa0,Ann,,"), 0);
    end(&trial);
}

static void columns_can_be_numbered(void **state)
{
    (void)state;
    struct trial trial;
    begin(&trial, NULL, NULL);
    map(&trial, "#2=userId");
    assert_int_equal(bind(&trial, "a,b"), 0);
    expect_row(&trial, "x,4",
               "{\"type\":\"identify\",\"messageId\":\"f-7\",\"userId\":\"4\","
               "\"traits\":{}}");
    end(&trial);
}

static void expect_bind_refusal(const char *map_text, const char *header, const char *reason)
{
    struct trial trial;
    begin(&trial, NULL, NULL);
    map(&trial, map_text);
    assert_int_equal(bind(&trial, header), E_INVALID);
    assert_non_null(strstr(trial.err.text, reason));
    end(&trial);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    static const char *const wrong[] = { "a",           "=userId",       "a=",
                                         "a=x:money",   "a=at:number",   "a=:text",
                                         "a=consent:x", "a=userId:bool", "a=email:date" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct trial trial;
        begin(&trial, NULL, NULL);
        if (mapping_add(trial.mapping, wrong[i], &trial.err) != E_INVALID)
            fail_msg("--map \"%s\" is taken", wrong[i]);
        end(&trial);
    }
    expect_bind_refusal("b=userId", "a,c", "there is no column \"b\"");
    expect_bind_refusal("a=name", "a,b", "who a row is about");
}

static void a_refused_row_leaves_nothing_behind(void **state)
{
    (void)state;
    struct trial trial;
    begin(&trial, NULL, NULL);
    map(&trial, "id=userId");
    map(&trial, "age=age:number");
    assert_int_equal(bind(&trial, "id,age"), 0);
    assert_int_equal(row(&trial, "4,old"), E_INVALID);
    assert_string_equal(trial.err.text, "age: \"old\" is no number");
    assert_int_equal(trial.out.size, 0);
    assert_int_equal(row(&trial, "4,\xff"), E_INVALID);
    assert_non_null(strstr(trial.err.text, "UTF-8"));
    end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_customers_unless_an_event_is_named),
        cmocka_unit_test(an_event_carries_its_properties_and_its_time),
        cmocka_unit_test(what_an_events_row_knows_of_the_customer_goes_before_it),
        cmocka_unit_test(empty_cells_say_nothing),
        cmocka_unit_test(somebody_known_by_address_only_gets_a_name_made_of_it),
        cmocka_unit_test(consents_become_statements_of_their_own),
        cmocka_unit_test(an_id_column_tells_a_row_from_others_of_its_kind),
        cmocka_unit_test(a_customer_and_an_order_may_have_one_number),
        cmocka_unit_test(the_kind_of_a_row_is_the_event_that_it_names),
        cmocka_unit_test(a_column_of_ids_is_taken_as_it_stands),
        cmocka_unit_test(an_event_column_names_each_rows_event),
        cmocka_unit_test(without_a_map_each_column_is_the_field_of_its_name),
        cmocka_unit_test(white_space_around_a_cell_does_not_count),
        cmocka_unit_test(columns_can_be_numbered),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(a_refused_row_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
