/* test_kind.c -- declarations of kinds: what is understood, and what is refused in which words. */
#include "core/base/err.h"
#include "core/base/json_read.h"
#include "core/engine/kind.h"
#include "core/engine/plugins.h"
#include "core/engine/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena = ARENA_INIT;
static struct kind kind;
static struct err err;

/* JSON with ' for ". */
static int parse(const char *json)
{
    struct json_reader *reader = json_reader_new();
    struct json_limits limits = { .depth_max = 32 };
    struct buf out = BUF_INIT;
    struct doc doc;
    size_t size = strlen(json);
    char *text = malloc(size + 1);
    memcpy(text, json, size + 1);
    for (size_t i = 0; i < size; i++)
        if (text[i] == '\'')
            text[i] = '"';
    int rc = json_to_doc(reader, text, size, &limits, &out, &doc, &err);
    if (rc != 0)
        fail_msg("%s: %s", json, err.text);
    arena_clear(&arena);
    rc = kind_parse(doc, &arena, &kind, &err);
    json_reader_free(reader);
    buf_deinit(&out);
    free(text);
    return rc;
}

static void refuse(const char *rest, int code, const char *reason)
{
    char json[2000];
    snprintf(json, sizeof json, "{'name':'case','states':['open','shut']%s%s}",
             rest[0] != '\0' ? "," : "", rest);
    if (parse(json) == 0)
        fail_msg("understood: %s", json);
    if (strstr(err.text, reason) == NULL || strncmp(err.text, "kind \"case\": ", 13) != 0)
        fail_msg("%s: %s", json, err.text);
    assert_int_equal(err.code, code);
}

static void a_declaration_is_read_whole(void **state)
{
    (void)state;
    int rc = parse(
        "{'name':'complaint','description':'d','owner':'service','title':'subject',"
        "'fields':{'subject':{'type':'text','required':true,'searchable':true,'personal':true},"
        "'level':{'type':'choice','values':['low','high']},'erp':{'type':'text','external':true},"
        "'amount':'money','order':'record:order','tags':{'type':'list','of':'whole'},"
        "'contact':{'type':'text','personal':true,'role':'dealer'},'asked':'time'},"
        "'roles':{'customer':{'subject':true},'dealer':{'many':true,'required':true}},"
        "'states':['received',{'name':'waiting','waiting':true},{'name':'closed','final':true}],"
        "'transitions':{'ask':{'from':'received','to':'waiting'},"
        "'close':{'from':'*','to':'closed','fields':['amount']}},"
        "'lines':{'sku':'text'},"
        "'deadlines':{'answer':{'from':'*','met':'closed','since':'asked','due':'2wd','at':'15:30',"
        "'due_by':{'level':{'high':'4wh'}},'calendar':'shop','to':'owner','title':'Answer it',"
        "'escalate':[{'after':'4wh','to':'boss'},{'after':'1wd','to':'board'}]}}}");
    if (rc != 0)
        fail_msg("%s", err.text);
    assert_int_equal(kind.field_count, 8);
    size_t subject = kind_field_find(&kind, text_of("subject"));
    assert_true(kind.fields[subject].is_required && kind.fields[subject].is_searchable &&
                kind.fields[subject].is_personal);
    assert_int_equal(kind.title, subject);
    assert_int_equal(kind.fields[kind_field_find(&kind, text_of("tags"))].item, KIND_WHOLE);
    assert_true(text_is(kind.fields[kind_field_find(&kind, text_of("order"))].of, "order"));
    assert_true(text_is(kind.roles[kind_subject(&kind)].name, "customer"));
    assert_int_equal(kind.transitions[kind_transition_find(&kind, text_of("close"))].from, 3);
    const struct kind_deadline *deadline = &kind.deadlines[0];
    assert_int_equal(deadline->from, 1); /* neither final nor waiting */
    assert_int_equal(deadline->met, 4);
    assert_int_equal(deadline->since, KIND_SINCE_FIELD);
    assert_int_equal(deadline->at_minute, 15 * 60 + 30);
    assert_int_equal(deadline->case_count, 1);
    assert_int_equal(deadline->step_count, 2);
    assert_true(text_is(deadline->steps[1].to, "board"));
    assert_int_equal(kind.line_count, 1);
}

static void a_step_of_a_ladder_may_be_a_text(void **state)
{
    (void)state;
    int rc = parse("{'name':'case','states':['open','done'],'deadlines':{'answer':{'from':'open',"
                   "'due':'1wd','escalate':['4wh the board',{'after':'1wd','to':'boss'}]}}}");
    assert_int_equal(rc, 0);
    const struct kind_deadline *deadline = &kind.deadlines[0];
    assert_int_equal(deadline->step_count, 2);
    assert_true(text_is(deadline->steps[0].to, "the board"));
    assert_true(text_is(deadline->steps[0].after.words, "4wh"));
    assert_int_equal(deadline->steps[0].after.duration.count, 4);
}

static void the_least_declaration_is_a_name_and_a_state(void **state)
{
    (void)state;
    assert_int_equal(parse("{'name':'case','states':['open']}"), 0);
    assert_int_equal(kind_subject(&kind), 0);
    assert_true(text_is(kind.roles[0].name, "customer") && kind.roles[0].is_optional);
    assert_int_equal(kind.title, KIND_NONE);
    assert_int_equal(parse("{'name':'case','states':['open'],'roles':{}}"), 0);
    assert_int_equal(kind_subject(&kind), KIND_NONE);
    assert_int_equal(parse("{'name':'\xe6\x8a\x95\xe8\xaf\x89','states':['\xe5\xbc\x80']}"), 0);
}

static void a_name_that_is_none_is_refused(void **state)
{
    static const char *const names[] = { "",   "two words", "a.b",      "a:b",  "a/b",
                                         "9a", "customer",  "reminder", "task", "record" };
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char json[200];
        snprintf(json, sizeof json, "{'name':'%s','states':['open']}", names[i]);
        if (parse(json) == 0)
            fail_msg("understood: %s", names[i]);
    }
    refuse("'fields':{'two words':'text'}", E_INVALID, "\"two words\" is no name");
    refuse("'fields':{'state':'text'}", E_INVALID, "record.state is something else already");
    refuse("'transitions':{'assign':{'from':'open','to':'shut'}}", E_INVALID,
           "/v1/records/KIND/NUMBER/assign is something else already");
}

static void what_is_not_known_is_refused_and_the_nearest_named(void **state)
{
    (void)state;
    refuse("'feilds':{}", E_INVALID,
           "feilds: there is no such attribute; did you mean \"fields\"?");
    refuse("'fields':{'a':{'tpye':'text'}}", E_INVALID,
           "fields.a.tpye: there is no such attribute; did you mean \"type\"?");
    refuse("'fields':{'a':'txet'}", E_INVALID, "there is no type \"txet\"; did you mean \"text\"?");
    refuse("'fields':{'a':{'type':'choice'}}", E_INVALID, "a choice needs the list of its values");
    refuse("'fields':{'a':{'type':'text','values':['x']}}", E_INVALID, "only a choice has values");
    refuse("'fields':{'a':'record'}", E_INVALID, "a record is written \"record:KIND\"");
    refuse("'fields':{'a':{'type':'number','external':true}}", E_INVALID, "is text");
    refuse("'fields':{'a':{'type':'text','same_subject':true}}", E_INVALID, "only another record");
    refuse("'fields':{'a':{'type':'text','unsigned':true}}", E_INVALID, "of numbers and money");
    refuse("'lines':{'a':{'type':'record:a','same_subject':true}}", E_INVALID, "has no subject");
    refuse("'fields':{'a':{'type':'text','role':'x'}}", E_INVALID, "personal = true");
    refuse("'fields':{'a':{'type':'list','of':'money'}}", E_INVALID, "a list is of text");
    refuse("'fields':{'a':{'type':'text','required':1}}", E_INVALID,
           "fields.a.required is true or false");
    refuse("'roles':{'a':{},'b':{}}", E_INVALID, "one of them is the subject");
    refuse("'roles':{'a':{'subject':true},'b':{'optional':true}}", E_INVALID,
           "said of the subject");
    refuse("'roles':{'a':{'subject':true,'many':true}}", E_INVALID, "one customer is the subject");
    refuse("'title':'x'", E_INVALID, "title is a field that is text");
    refuse("'transitions':{'a':{'from':'opne','to':'shut'}}", E_INVALID,
           "transitions.a.from: no state is called \"opne\"; did you mean \"open\"?");
    refuse("'transitions':{'a':{'to':'shut'}}", E_INVALID, "from is needed");
    refuse("'transitions':{'a':{'from':'open'}}", E_INVALID, "to is needed");
    refuse("'transitions':{'a':{'from':'open','to':'shut','fields':['x']}}", E_INVALID,
           "no field is called \"x\"; there is none");
}

static void states_are_refused_that_could_not_be_told_apart_or_left(void **state)
{
    (void)state;
    assert_int_not_equal(parse("{'name':'case'}"), 0);
    assert_int_not_equal(parse("{'name':'case','states':[]}"), 0);
    assert_int_not_equal(parse("{'name':'case','states':['a','a']}"), 0);
    assert_non_null(strstr(err.text, "\"a\" stands there twice"));
    assert_int_not_equal(parse("{'name':'case','states':['overdue']}"), 0);
    assert_non_null(strstr(err.text, "is what happens to records of any kind"));
    assert_int_not_equal(parse("{'name':'case','states':[{'name':'a','final':true}]}"), 0);
    assert_non_null(strstr(err.text, "neither final nor waiting"));
    assert_int_not_equal(
        parse("{'name':'case','states':['a',{'name':'b','final':true,'waiting':true}]}"), 0);
}

static void deadlines_are_refused_that_could_not_be_kept(void **state)
{
    (void)state;
    refuse("'deadlines':{'d':{'due':'1wd'}}", E_INVALID, "deadlines.d.from is needed");
    refuse("'deadlines':{'d':{'from':'open'}}", E_INVALID, "deadlines.d.due is needed");
    refuse("'deadlines':{'d':{'from':'open','due':'soon'}}", E_INVALID, "deadlines.d.due: ");
    refuse("'deadlines':{'d':{'from':'open','due':'0h'}}", E_INVALID, "is not ahead");
    refuse("'deadlines':{'d':{'from':'open','due':'1h','at':'10:00'}}", E_INVALID,
           "at goes with d, w, mo, y and wd");
    refuse("'deadlines':{'d':{'from':'open','due':'1d','at':'25:00'}}", E_INVALID, "a time of day");
    refuse("'deadlines':{'d':{'from':'open','met':'open','due':'1d'}}", E_INVALID,
           "it is met by leaving it");
    refuse("'deadlines':{'d':{'from':'open','due':'1d','since':'x'}}", E_INVALID, "since is");
    refuse("'deadlines':{'d':{'from':'open','due':'1d','due_by':{'x':{'y':'1d'}}}}", E_INVALID,
           "of one field that is a choice");
    refuse("'fields':{'l':{'type':'choice','values':['low']}},"
           "'deadlines':{'d':{'from':'open','due':'1d','due_by':{'l':{'lwo':'1d'}}}}",
           E_INVALID, "\"lwo\" is none of its values; did you mean \"low\"?");
    refuse("'deadlines':{'d':{'from':'open','due':'1d','escalate':['1h']}}", E_INVALID,
           "as in \"4wh managers\"");
    refuse("'deadlines':{'d':{'from':'open','due':'1d','escalate':['soon boss']}}", E_INVALID,
           "escalate: ");
    refuse("'deadlines':{'d':{'from':'open','due':'1d','escalate':[{'after':'1h'}]}}", E_INVALID,
           "escalate.to is needed");
    assert_int_not_equal(parse("{'name':'case','states':['a',{'name':'w','waiting':true}],"
                               "'deadlines':{'d':{'from':'w','due':'1d'}}}"),
                         0);
    assert_non_null(strstr(err.text, "in \"w\" no deadline runs: it is waiting"));
}

static void each_list_has_a_limit(void **state)
{
    struct buf json = BUF_INIT;
    (void)state;
    buf_text(&json, "{'name':'case','states':['open'],'fields':{");
    for (int i = 0; i <= KIND_FIELDS_MAX; i++)
        buf_printf(&json, "%s'f%d':'text'", i != 0 ? "," : "", i);
    buf_text(&json, "}}");
    assert_int_equal(parse(buf_string(&json)), E_LIMIT);
    assert_non_null(strstr(err.text, "fields: at most 100, not 101"));
    buf_clear(&json);
    buf_text(&json, "{'name':'case','states':[");
    for (int i = 0; i <= KIND_STATES_MAX; i++)
        buf_printf(&json, "%s's%d'", i != 0 ? "," : "", i);
    buf_text(&json, "]}");
    assert_int_equal(parse(buf_string(&json)), E_LIMIT);
    buf_deinit(&json);
}

static void two_who_declare_the_same_name_clash(void **state)
{
    const struct text names[] = { text_of("complaint"), text_of("shop") };
    const size_t both[] = { 0, 1 };
    struct kind two[2];
    struct plugins plugins = {
        .names = names, .count = 2, .kinds = two, .kind_owners = both, .kind_count = 1
    };
    struct ruleset rules = { .kinds = &kind, .kind_count = 1 };
    struct kinds kinds;
    (void)state;
    assert_int_equal(parse("{'name':'case','states':['open']}"), 0);
    two[0] = two[1] = kind;
    assert_int_equal(kinds_in_force(&plugins, NULL, &kinds, &err), 0);
    assert_true(kinds_own_type(&kinds, text_of("case.open")));
    assert_false(kinds_own_type(&kinds, text_of("cases.open")));
    assert_false(kinds_own_type(&kinds, text_of("case")));
    assert_int_equal(kinds_in_force(&plugins, &rules, &kinds, &err), E_CONFLICT);
    assert_non_null(
        strstr(err.text, "the bundle declares the kind \"case\", and so does plugin complaint"));
    plugins.kind_count = 2;
    assert_int_equal(kinds_in_force(&plugins, NULL, &kinds, &err), E_CONFLICT);
    assert_non_null(
        strstr(err.text, "plugin shop declares the kind \"case\", and so does plugin complaint"));
}

static void a_kind_is_called_as_no_other_plugin_is(void **state)
{
    const struct text names[] = { text_of("case"), text_of("shop") };
    const size_t own[] = { 0 }, others[] = { 1 };
    struct plugins plugins = {
        .names = names, .count = 2, .kinds = &kind, .kind_owners = own, .kind_count = 1
    };
    struct kinds kinds;
    (void)state;
    assert_int_equal(parse("{'name':'case','states':['open']}"), 0);
    assert_int_equal(kinds_in_force(&plugins, NULL, &kinds, &err), 0);
    plugins.kind_owners = others;
    assert_int_equal(kinds_in_force(&plugins, NULL, &kinds, &err), E_CONFLICT);
    assert_non_null(strstr(err.text, "plugin shop declares the kind \"case\", which is the name"));
}

static void there_are_not_too_many_at_once(void **state)
{
    static struct kind many[KINDS_MAX + 1];
    static char called[KINDS_MAX + 1][8];
    struct ruleset rules = { .kinds = many, .kind_count = KINDS_MAX };
    struct kinds kinds;
    (void)state;
    for (size_t i = 0; i <= KINDS_MAX; i++) {
        snprintf(called[i], sizeof called[i], "k%zu", i);
        many[i].name = text_of(called[i]);
    }
    assert_int_equal(kinds_in_force(NULL, &rules, &kinds, &err), 0);
    rules.kind_count++;
    assert_int_equal(kinds_in_force(NULL, &rules, &kinds, &err), E_LIMIT);
    assert_non_null(strstr(err.text, "the kind \"k64\", and at most 64 are in force at once"));
}

static int end(void **state)
{
    (void)state;
    arena_deinit(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_declaration_is_read_whole),
        cmocka_unit_test(a_step_of_a_ladder_may_be_a_text),
        cmocka_unit_test(the_least_declaration_is_a_name_and_a_state),
        cmocka_unit_test(a_name_that_is_none_is_refused),
        cmocka_unit_test(what_is_not_known_is_refused_and_the_nearest_named),
        cmocka_unit_test(states_are_refused_that_could_not_be_told_apart_or_left),
        cmocka_unit_test(deadlines_are_refused_that_could_not_be_kept),
        cmocka_unit_test(each_list_has_a_limit),
        cmocka_unit_test(two_who_declare_the_same_name_clash),
        cmocka_unit_test(a_kind_is_called_as_no_other_plugin_is),
        cmocka_unit_test(there_are_not_too_many_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
