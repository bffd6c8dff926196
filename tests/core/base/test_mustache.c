/* test_mustache.c -- what mustache.h promises: the specification's cases, faults, limits. */
#include "core/base/mustache.h"

#include "core/base/err.h"
#include "core/base/json_read.h"
#include "core/base/limits.h"
#include "core/base/locale.h"
#include "core/base/mem.h"
#include "core/base/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct partial {
    const char *name, *text;
};

static struct {
    struct arena arena;
    struct buf data, out;
    struct partial partials[4];
    struct mustache_options options;
    struct err err;
} now;

static const struct mustache *find_partial(void *arg, struct text name)
{
    (void)arg;
    const struct mustache *partial = NULL;
    for (size_t i = 0; i < 4; i++)
        if (now.partials[i].name != NULL && text_is(name, now.partials[i].name))
            assert_int_equal(mustache_parse(text_of(now.partials[i].text),
                                            (struct mustache_place){ 1, 1 }, &now.arena, &partial,
                                            &now.err),
                             0);
    return partial;
}

static struct doc read_json(const char *json)
{
    static const struct json_limits limits = { DOC_DEPTH_MAX, 0, 0 };
    struct json_reader *reader = json_reader_new();
    struct doc doc;
    buf_clear(&now.data);
    int rc = json_to_doc(reader, json, strlen(json), &limits, &now.data, &doc, &now.err);
    assert_int_equal(rc, 0);
    json_reader_free(reader);
    return doc;
}

static int try_render(const char *text, const char *json)
{
    const struct mustache *mustache;
    struct doc doc = read_json(json);
    buf_clear(&now.out);
    int rc = mustache_parse(text_of(text), (struct mustache_place){ 1, 1 }, &now.arena, &mustache,
                            &now.err);
    if (rc != 0)
        return rc;
    return mustache_render(mustache, &doc, 1, &now.options, &now.out, &now.err);
}

/* As HTML, which is what the specification speaks of. */
static void gives(const char *text, const char *json, const char *want)
{
    assert_int_equal(try_render(text, json), 0);
    assert_string_equal(buf_string(&now.out), want);
}

static void gives_with(const char *partial, const char *text, const char *json, const char *want)
{
    now.partials[0] = (struct partial){ "partial", partial };
    gives(text, json, want);
}

static void fails(const char *text, const char *reason)
{
    assert_int_equal(try_render(text, "{}"), E_INVALID);
    assert_string_equal(now.err.text, reason);
}

static int begin(void **state)
{
    (void)state;
    memset(&now, 0, sizeof now);
    now.options = (struct mustache_options){
        .escape = MUSTACHE_HTML,
        .bytes_max = 100000,
        .locale = locale_find(text_of("")),
        .partial = find_partial,
    };
    return zone_open("UTC", &now.options.zone, &now.err);
}

static int end(void **state)
{
    (void)state;
    arena_deinit(&now.arena);
    buf_deinit(&now.data);
    buf_deinit(&now.out);
    return 0;
}

/* -- Values --------------------------------------------------------------- */

static void text_without_tags_is_itself(void **state)
{
    (void)state;
    gives("Hello from {Mustache}!\n", "{}", "Hello from {Mustache}!\n");
    gives("", "{}", "");
}

static void values_are_escaped_in_html_unless_told_otherwise(void **state)
{
    (void)state;
    const char *json = "{\"x\": \"& \\\" < >\"}";
    gives("Hello, {{x}}!\n", json, "Hello, &amp; &quot; &lt; &gt;!\n");
    gives("{{{x}}}", json, "& \" < >");
    gives("{{&x}}", json, "& \" < >");
    gives("{{& x }}", json, "& \" < >");
}

static void plain_text_is_never_escaped(void **state)
{
    (void)state;
    now.options.escape = MUSTACHE_PLAIN;
    gives("{{x}}", "{\"x\": \"Tom & \\\"Jerry\\\" <t@example.com>\"}",
          "Tom & \"Jerry\" <t@example.com>");
}

static void in_markdown_a_value_reads_as_the_words_that_it_is(void **state)
{
    (void)state;
    now.options.escape = MUSTACHE_MARKDOWN;
    gives("# {{x}}", "{\"x\": \"Ann-Marie O'Hara, Dr. (50%)\"}",
          "# Ann-Marie O\\'Hara, Dr. \\(50%\\)");
    gives("{{x}}", "{\"x\": \"[You won](http://evil.example/a_b)\"}",
          "\\[You won\\]\\(http\\://evil.example/a_b\\)");
    gives("{{x}}", "{\"x\": \"www.evil.example and WWW.x, a@b\"}",
          "www\\.evil.example and WWW\\.x, a\\@b");
    gives("{{x}}", "{\"x\": \"# big\\n  1. one\\n- two\\n12) a\\n===\\n1234567890. b\"}",
          "\\# big\n  1\\. one\n\\- two\n12\\) a\n\\===\n1234567890. b");
    gives("{{x}}", "{\"x\": \"<b>*a*</b> &amp; `c` ~d~ |e| \\\\f !\"}",
          "\\<b\\>\\*a\\*\\</b\\> \\&amp; \\`c\\` \\~d\\~ \\|e\\| \\\\f \\!");
    gives("`{{x}}`", "{\"x\": \"TEA_26-1 _a_\"}", "`TEA_26-1 \\_a\\_`");
    gives("{{{x}}}", "{\"x\": \"*a*\"}", "*a*");
}

static void numbers_and_truth_are_written_in_one_way(void **state)
{
    (void)state;
    gives("{{a}} {{{b}}} {{&c}} {{d}}", "{\"a\": 85, \"b\": 1.21, \"c\": true, \"d\": 2026}",
          "85 1.21 true 2026");
}

static void what_is_missing_is_written_as_nothing(void **state)
{
    (void)state;
    gives("I ({{cannot}}) be seen{{{cannot}}}{{&cannot}}!", "{}", "I () be seen!");
    gives("I ({{cannot}}) be seen!", "{\"cannot\": null}", "I () be seen!");
}

static void blanks_inside_of_a_tag_mean_nothing_and_those_around_stay(void **state)
{
    (void)state;
    gives("|{{ string }}|", "{\"string\": \"---\"}", "|---|");
    gives("| {{string}} |", "{\"string\": \"---\"}", "| --- |");
    gives("  {{string}}\n", "{\"string\": \"---\"}", "  ---\n");
    gives("  {{{string}}}\n", "{\"string\": \"---\"}", "  ---\n");
    gives("{{# b }}x{{/ b }}{{ # b }}y{{ /b}}", "{\"b\": true}", "xy");
}

static void dotted_names_go_into_documents(void **state)
{
    (void)state;
    const char *person = "{\"person\": {\"name\": \"Joe\"}}";
    gives("\"{{person.name}}\" == \"{{#person}}{{name}}{{/person}}\"", person,
          "\"Joe\" == \"Joe\"");
    gives("\"{{a.b.c.d.e.name}}\"",
          "{\"a\": {\"b\": {\"c\": {\"d\": {\"e\": {\"name\": \"Phil\"}}}}}}", "\"Phil\"");
    gives("\"{{a.b.c}}\"", "{\"a\": {}}", "\"\"");
    gives("\"{{a.b.c.name}}\"", "{\"a\": {\"b\": {}}, \"c\": {\"name\": \"Jim\"}}", "\"\"");
    gives("{{a.b}}", "{\"a\": 3}", "");
}

static void the_first_word_of_a_dotted_name_is_looked_for_as_any_name(void **state)
{
    (void)state;
    gives("\"{{#a}}{{b.c.d.e.name}}{{/a}}\"",
          "{\"a\": {\"b\": {\"c\": {\"d\": {\"e\": {\"name\": \"Phil\"}}}}},"
          " \"b\": {\"c\": {\"d\": {\"e\": {\"name\": \"Wrong\"}}}}}",
          "\"Phil\"");
    gives("{{#a}}{{b.c}}{{/a}}", "{\"a\": {\"b\": {}}, \"b\": {\"c\": \"ERROR\"}}", "");
    gives("{{#a}}{{b.c}}{{/a}}", "{\"a\": {\"x\": 1}, \"b\": {\"c\": \"outer\"}}", "outer");
}

static void a_field_with_a_dot_in_its_name_counts_only_where_names_have_dots(void **state)
{
    (void)state;
    const char *json = "{\"c\": {\"orders.count\": 3, \"orders\": {\"count\": 4, \"last\": 5}},"
                       " \"a.b\": 1}";
    gives("{{c.orders.count}} {{a.b}}", json, "4 ");
    now.options.has_dotted_names = true;
    gives("{{c.orders.count}} {{c.orders.last}} {{a.b}}", json, "3 5 1");
}

static void a_dot_is_the_innermost(void **state)
{
    (void)state;
    gives("{{#list}}({{.}}){{/list}}", "{\"list\": [\"a\", 2, 3.5]}", "(a)(2)(3.5)");
    gives("{{#list}}({{#.}}{{.}}{{/.}}){{/list}}", "{\"list\": [[1, 2], [\"a\"]]}", "(12)(a)");
    gives("{{#list}}({{.}}){{/list}}", "{\"list\": [\"&\"]}", "(&amp;)");
    gives("{{#list}}({{{.}}}){{/list}}", "{\"list\": [\"&\"]}", "(&)");
    gives("{{#name}}Dear {{.}}{{/name}}", "{\"name\": \"Ann\"}", "Dear Ann");
}

/* -- Sections ------------------------------------------------------------- */

static void a_section_is_there_when_its_name_is(void **state)
{
    (void)state;
    gives("\"{{#b}}This is rendered.{{/b}}\"", "{\"b\": true}", "\"This is rendered.\"");
    gives("\"{{#b}}This is not.{{/b}}\"", "{\"b\": false}", "\"\"");
    gives("\"{{#b}}This is not.{{/b}}\"", "{\"b\": null}", "\"\"");
    gives("\"{{#b}}This is not.{{/b}}\"", "{}", "\"\"");
    gives("\"{{#b}}no{{/b}}{{#c}}no{{/c}}{{#d}}no{{/d}}\"", "{\"b\": \"\", \"c\": [], \"d\": {}}",
          "\"\"");
    gives("\"{{#b}}zero{{/b}}\"", "{\"b\": 0}", "\"zero\"");
    gives("\"{{#a.b.c}}Here{{/a.b.c}}\"", "{\"a\": {\"b\": {\"c\": true}}}", "\"Here\"");
    gives("\"{{#a.b.c}}Here{{/a.b.c}}\"", "{\"a\": {}}", "\"\"");
}

static void a_section_has_the_names_of_its_document_and_of_those_around(void **state)
{
    (void)state;
    gives("\"{{#context}}Hi {{name}}.{{/context}}\"", "{\"context\": {\"name\": \"Joe\"}}",
          "\"Hi Joe.\"");
    gives("{{#sec}}{{a}}, {{b}}, {{c.d}}{{/sec}}",
          "{\"a\": \"foo\", \"b\": \"wrong\", \"sec\": {\"b\": \"bar\"}, \"c\": {\"d\": \"baz\"}}",
          "foo, bar, baz");
    gives("{{#a}}{{one}}{{#b}}{{one}}{{two}}{{#c}}{{one}}{{two}}{{three}}{{/c}}{{/b}}{{one}}{{/a}}",
          "{\"a\": {\"one\": 1}, \"b\": {\"two\": 2}, \"c\": {\"three\": 3}}", "1121231");
}

static void a_list_repeats_its_section(void **state)
{
    (void)state;
    gives("\"{{#list}}{{item}}{{/list}}\"",
          "{\"list\": [{\"item\": 1}, {\"item\": 2},"
          " {\"item\": 3}]}",
          "\"123\"");
    gives("\"{{#list}}Yay lists!{{/list}}\"", "{\"list\": []}", "\"\"");
    gives("{{#tops}}{{#middles}}{{tname.lower}}{{mname}}.{{#bottoms}}{{tname.upper}}{{mname}}"
          "{{bname}}.{{/bottoms}}{{/middles}}{{/tops}}",
          "{\"tops\": [{\"tname\": {\"upper\": \"A\", \"lower\": \"a\"}, \"middles\":"
          " [{\"mname\": \"1\", \"bottoms\": [{\"bname\": \"x\"}, {\"bname\": \"y\"}]}]}]}",
          "a1.A1x.A1y.");
    gives("{{#a}}{{^b}}-{{/b}}{{b}}{{/a}}", "{\"a\": [{\"b\": 1}, {}, {\"b\": 2}]}", "1-2");
}

static void sections_of_one_name_stand_in_each_other(void **state)
{
    (void)state;
    gives("| A {{#b}}B {{#b}}C{{/b}} D{{/b}} E |", "{\"b\": true}", "| A B C D E |");
    gives("| A {{#b}}B {{#b}}C{{/b}} D{{/b}} E |", "{\"b\": false}", "| A  E |");
    gives("{{#b}}\n* first\n{{/b}}\n* {{two}}\n{{#b}}\n* third\n{{/b}}\n",
          "{\"b\": true, \"two\": \"second\"}", "* first\n* second\n* third\n");
}

static void an_inverted_section_is_there_when_its_name_is_not(void **state)
{
    (void)state;
    gives("\"{{^b}}This is rendered.{{/b}}\"", "{\"b\": false}", "\"This is rendered.\"");
    gives("\"{{^b}}This is rendered.{{/b}}\"", "{\"b\": null}", "\"This is rendered.\"");
    gives("\"{{^b}}This is rendered.{{/b}}\"", "{\"b\": []}", "\"This is rendered.\"");
    gives("\"{{^b}}This is rendered.{{/b}}\"", "{}", "\"This is rendered.\"");
    gives("\"{{^b}}This is not.{{/b}}\"", "{\"b\": {\"name\": \"Joe\"}}", "\"\"");
    gives("\"{{^b}}This is not.{{/b}}\"", "{\"b\": [1]}", "\"\"");
    gives("| A {{^b}}B {{^b}}C{{/b}} D{{/b}} E |", "{\"b\": false}", "| A B C D E |");
    gives("{{^a.b.c}}None{{/a.b.c}}", "{\"a\": {\"b\": {}}}", "None");
}

/* -- Lines ---------------------------------------------------------------- */

static void a_tag_alone_on_its_line_takes_the_line_away(void **state)
{
    (void)state;
    gives("| This Is\n{{#b}}\n|\n{{/b}}\n| A Line\n", "{\"b\": true}", "| This Is\n|\n| A Line\n");
    gives("| This Is\n  {{#b}}\n|\n  {{/b}}\n| A Line\n", "{\"b\": true}",
          "| This Is\n|\n| A Line\n");
    gives("| This Is\n\t{{^b}} \n|\n{{/b}}\t\n| A Line\n", "{\"b\": false}",
          "| This Is\n|\n| A Line\n");
    gives("|\r\n{{#b}}\r\n{{/b}}\r\n|", "{\"b\": true}", "|\r\n|");
    gives("  {{#b}}\n#{{/b}}\n/", "{\"b\": true}", "#\n/");
    gives("#{{#b}}\n/\n  {{/b}}", "{\"b\": true}", "#\n/\n");
    gives("{{^b}}\n\n{{/b}}", "{}", "\n");
}

static void a_tag_with_something_beside_it_leaves_the_line_as_it_is(void **state)
{
    (void)state;
    gives(" | {{#b}}\t|\t{{/b}} | \n", "{\"b\": true}", " | \t|\t | \n");
    gives(" | {{#b}} {{! Important }}\n {{/b}} | \n", "{\"b\": true}", " |  \n  | \n");
    gives(" {{#b}}YES{{/b}}\n {{#b}}GOOD{{/b}}\n", "{\"b\": true}", " YES\n GOOD\n");
    gives(" {{#b}} {{/b}}\n", "{\"b\": true}", "  \n");
}

static void comments_are_nothing(void **state)
{
    (void)state;
    gives("12345{{! Comment Block! }}67890", "{}", "1234567890");
    gives("12345{{!\n  This is a\n  multi-line comment...\n}}67890\n", "{}", "1234567890\n");
    gives("Begin.\n{{! Comment Block! }}\nEnd.\n", "{}", "Begin.\nEnd.\n");
    gives("Begin.\n  {{! Indented Comment Block! }}\nEnd.\n", "{}", "Begin.\nEnd.\n");
    gives("|\r\n{{! Standalone Comment }}\r\n|", "{}", "|\r\n|");
    gives("  {{! I'm Still Standalone }}\n!", "{}", "!");
    gives("!\n  {{! I'm Still Standalone }}", "{}", "!\n");
    gives("Begin.\n{{!\nSomething's going on here...\n}}\nEnd.\n", "{}", "Begin.\nEnd.\n");
    gives("  12 {{! 34 }}\n", "{}", "  12 \n");
    gives("12345 {{! Comment Block! }} 67890", "{}", "12345  67890");
}

static void other_signs_hold_from_where_they_are_set(void **state)
{
    (void)state;
    gives("{{=<% %>=}}(<%text%>)", "{\"text\": \"Hey!\"}", "(Hey!)");
    gives("({{=[ ]=}}[text])", "{\"text\": \"It worked!\"}", "(It worked!)");
    gives("[\n{{#section}}\n  {{data}}\n  |data|\n{{/section}}\n\n{{= | | =}}\n|#section|\n"
          "  {{data}}\n  |data|\n|/section|\n]\n",
          "{\"section\": true, \"data\": \"I got interpolated.\"}",
          "[\n  I got interpolated.\n  |data|\n\n  {{data}}\n  I got interpolated.\n]\n");
    gives("| {{=@ @=}} |", "{}", "|  |");
    gives(" | {{=@ @=}}\n", "{}", " | \n");
    gives("Begin.\n  {{=@ @=}}\nEnd.\n", "{}", "Begin.\nEnd.\n");
    gives("|{{= @   @ =}}|", "{}", "||");
    gives("|\r\n{{= @ @ =}}\r\n|", "{}", "|\r\n|");
}

/* -- Partials ------------------------------------------------------------- */

static void a_partial_stands_where_it_is_named(void **state)
{
    (void)state;
    gives_with("from partial", "\"{{>partial}}\"", "{}", "\"from partial\"");
    gives_with("*{{text}}*", "\"{{> partial }}\"", "{\"text\": \"content\"}", "\"*content*\"");
    gives("\"{{>nowhere}}\"", "{}", "\"\"");
    gives_with("\t|\t", "| {{>partial}} |", "{}", "| \t|\t |");
    gives_with(">\n>", "  {{data}}  {{> partial}}\n", "{\"data\": \"|\"}", "  |  >\n>\n");
}

static void the_signs_of_a_partial_are_its_own(void **state)
{
    (void)state;
    gives_with(".{{value}}.", "[ {{>partial}} ]\n{{= | | =}}\n[ |>partial| ]\n",
               "{\"value\": \"yes\"}", "[ .yes. ]\n[ .yes. ]\n");
    gives_with(".{{value}}. {{= | | =}} .|value|.",
               "[ {{>partial}} ]\n[ .{{value}}.  .|value|. ]\n", "{\"value\": \"yes\"}",
               "[ .yes.  .yes. ]\n[ .yes.  .|value|. ]\n");
}

static void a_partial_may_name_itself(void **state)
{
    (void)state;
    gives_with("{{content}}<{{#nodes}}{{>partial}}{{/nodes}}>", "{{>partial}}",
               "{\"content\": \"X\", \"nodes\": [{\"content\": \"Y\", \"nodes\": []}]}", "X<Y<>>");
}

static void the_indent_of_a_partial_is_that_of_each_of_its_lines(void **state)
{
    (void)state;
    gives_with("|\n{{{content}}}\n|\n", "\\\n {{>partial}}\n/\n", "{\"content\": \"<\\n->\"}",
               "\\\n |\n <\n->\n |\n/\n");
    gives_with(">\n>", "  {{>partial}}\n>", "{}", "  >\n  >>");
    gives_with(">\n>", ">\n  {{>partial}}", "{}", ">\n  >\n  >");
    gives_with(">", "|\r\n{{>partial}}\r\n|", "{}", "|\r\n>|");
    gives_with("{{#b}}\nx\n{{/b}}\n{{^b}}y{{/b}}z\n", "  {{>partial}}\n", "{\"b\": true}",
               "  x\n  z\n");
}

static void indents_of_partials_in_partials_add_up(void **state)
{
    (void)state;
    now.partials[1] = (struct partial){ "inner", "1\n2\n" };
    gives_with("a\n {{>inner}}\nb\n", "  {{>partial}}\n", "{}", "  a\n   1\n   2\n  b\n");
}

static void partials_can_be_listed_with_their_places(void **state)
{
    (void)state;
    const struct mustache *mustache;
    struct mustache_place place;
    struct text name;
    size_t at = 0;
    assert_int_equal(mustache_parse(text_of("a\n  {{> one}} {{x}}{{#x}}\xc3\xa4{{>two}}{{/x}}"),
                                    (struct mustache_place){ 4, 1 }, &now.arena, &mustache,
                                    &now.err),
                     0);
    assert_true(mustache_partial(mustache, &at, &name, &place));
    assert_true(text_is(name, "one"));
    assert_int_equal(place.line, 5);
    assert_int_equal(place.column, 3);
    assert_true(mustache_partial(mustache, &at, &name, &place));
    assert_true(text_is(name, "two"));
    assert_int_equal(place.column, 25);
    assert_false(mustache_partial(mustache, &at, &name, &place));
}

/* -- Styles --------------------------------------------------------------- */

static void a_style_says_how_a_value_is_written(void **state)
{
    (void)state;
    now.options.locale = locale_find(text_of("de"));
    gives("{{ n | number }} {{n|number 2}} {{n | money EUR}} {{d | date}}",
          "{\"n\": 1234.5, \"d\": \"2026-11-21\"}",
          "1.234,5 1.234,50 1.234,50\xc2\xa0€ 21. November 2026");
}

/* -- Faults --------------------------------------------------------------- */

static void a_fault_is_told_with_its_line_and_column(void **state)
{
    (void)state;
    fails("a\n b {{x", "2:4: the tag that begins here never ends: }} is missing");
    fails("\xc3\xa4{{{x}}", "1:2: the tag that begins here never ends: }}} is missing");
    fails("{{#a}}\n{{/b}}",
          "2:1: the section that begins at 1:1 is called \"a\": it must end before another does");
    fails("x{{/a}}", "1:2: nothing that \"a\" ends has begun");
    fails("{{#a}}{{#b}}{{/b}}", "1:1: the section \"a\" that begins here never ends");
    fails("{{}}", "1:1: a tag without a name");
    fails("{{a b}}", "1:1: \"a b\" is no name: one has no blanks, and words between dots");
    fails("{{a..b}}", "1:1: \"a..b\" is no name: one has no blanks, and words between dots");
    fails("{{=a=}}", "1:1: other signs are set by {{=<% %>=}}: two of 1 to 16 bytes, no = in them");
    fails("{{$block}}{{/block}}",
          "1:1: templates do not inherit: use {{> name}} to take in another");
    fails("{{a | dat}}",
          "1:1: \"dat\" is no style: there is number, money, date, time and datetime");
    fails("{{a | money euro}}",
          "1:1: money does not take \"euro\": number takes its digits behind the point (0 to 9), "
          "money a currency such as EUR, the others nothing");
}

/* -- Limits --------------------------------------------------------------- */

static void endless_partials_end(void **state)
{
    (void)state;
    now.partials[0] = (struct partial){ "partial", "{{>partial}}" };
    assert_int_equal(try_render("{{>partial}}", "{}"), E_LIMIT);
    assert_non_null(strstr(now.err.text, "TEMPLATE_DEPTH_MAX"));
}

static void sections_are_so_many_deep_and_no_more(void **state)
{
    (void)state;
    for (size_t count = TEMPLATE_DEPTH_MAX; count <= TEMPLATE_DEPTH_MAX + 1; count++) {
        struct buf text = BUF_INIT;
        for (size_t i = 0; i < count; i++)
            buf_text(&text, "{{#a}}");
        buf_text(&text, "x");
        for (size_t i = 0; i < count; i++)
            buf_text(&text, "{{/a}}");
        assert_int_equal(try_render(buf_string(&text), "{\"a\": 1}"),
                         count > TEMPLATE_DEPTH_MAX ? E_INVALID : 0);
        buf_deinit(&text);
    }
}

static void a_rendering_has_so_many_bytes_and_no_more(void **state)
{
    (void)state;
    now.options.bytes_max = 10;
    assert_int_equal(try_render("{{#a}}12345{{/a}}", "{\"a\": [1, 2]}"), 0);
    assert_int_equal(try_render("{{#a}}12345{{/a}}", "{\"a\": [1, 2, 3]}"), E_LIMIT);
    assert_non_null(strstr(now.err.text, "effect_bytes"));
}

static void a_rendering_without_output_ends_too(void **state)
{
    (void)state;
    struct buf json = BUF_INIT;
    buf_text(&json, "{\"a\": [");
    for (int i = 0; i < 300; i++)
        buf_text(&json, i == 0 ? "1" : ",1");
    buf_text(&json, "]}");
    assert_int_equal(try_render("{{#a}}{{#a}}{{#a}}{{/a}}{{/a}}{{/a}}", buf_string(&json)),
                     E_LIMIT);
    assert_non_null(strstr(now.err.text, "TEMPLATE_STEPS_MAX"));
    buf_deinit(&json);
}

static void a_template_has_so_many_bytes_and_no_more(void **state)
{
    (void)state;
    char *text = mem_alloc(TEMPLATE_BYTES_MAX + 2);
    memset(text, 'x', TEMPLATE_BYTES_MAX + 1);
    text[TEMPLATE_BYTES_MAX] = '\0';
    assert_int_equal(try_render(text, "{}"), 0);
    text[TEMPLATE_BYTES_MAX] = 'x';
    text[TEMPLATE_BYTES_MAX + 1] = '\0';
    assert_int_equal(try_render(text, "{}"), E_LIMIT);
    free(text);
}

/* Whatever stands in a template, parsing and rendering end, and read nothing outside of it. */
static void any_text_is_a_template_or_a_fault(void **state)
{
    (void)state;
    static const char *const parts[] = { "{{", "}}", "#", "^", "/", ">",  "!",  "=", "&",  "{",
                                         "}",  "a",  ".", "|", " ", "\n", "\r", "x", "\t", "a.b" };
    uint64_t random = 1;
    size_t good = 0;
    now.partials[0] = (struct partial){ "a", "{{a}}" };
    struct buf text = BUF_INIT;
    for (size_t round = 0; round < 20000; round++) {
        buf_clear(&text);
        for (size_t i = 0; i <= round % 20; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            buf_text(&text, parts[(random >> 33) % 20]);
        }
        good += try_render(buf_string(&text), "{\"a\": {\"b\": [1, 2]}}") == 0;
        arena_clear(&now.arena);
    }
    buf_deinit(&text);
    assert_true(good > 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(text_without_tags_is_itself),
        TEST(values_are_escaped_in_html_unless_told_otherwise),
        TEST(plain_text_is_never_escaped),
        TEST(in_markdown_a_value_reads_as_the_words_that_it_is),
        TEST(numbers_and_truth_are_written_in_one_way),
        TEST(what_is_missing_is_written_as_nothing),
        TEST(blanks_inside_of_a_tag_mean_nothing_and_those_around_stay),
        TEST(dotted_names_go_into_documents),
        TEST(the_first_word_of_a_dotted_name_is_looked_for_as_any_name),
        TEST(a_field_with_a_dot_in_its_name_counts_only_where_names_have_dots),
        TEST(a_dot_is_the_innermost),
        TEST(a_section_is_there_when_its_name_is),
        TEST(a_section_has_the_names_of_its_document_and_of_those_around),
        TEST(a_list_repeats_its_section),
        TEST(sections_of_one_name_stand_in_each_other),
        TEST(an_inverted_section_is_there_when_its_name_is_not),
        TEST(a_tag_alone_on_its_line_takes_the_line_away),
        TEST(a_tag_with_something_beside_it_leaves_the_line_as_it_is),
        TEST(comments_are_nothing),
        TEST(other_signs_hold_from_where_they_are_set),
        TEST(a_partial_stands_where_it_is_named),
        TEST(the_signs_of_a_partial_are_its_own),
        TEST(a_partial_may_name_itself),
        TEST(the_indent_of_a_partial_is_that_of_each_of_its_lines),
        TEST(indents_of_partials_in_partials_add_up),
        TEST(partials_can_be_listed_with_their_places),
        TEST(a_style_says_how_a_value_is_written),
        TEST(a_fault_is_told_with_its_line_and_column),
        TEST(endless_partials_end),
        TEST(sections_are_so_many_deep_and_no_more),
        TEST(a_rendering_has_so_many_bytes_and_no_more),
        TEST(a_rendering_without_output_ends_too),
        TEST(a_template_has_so_many_bytes_and_no_more),
        TEST(any_text_is_a_template_or_a_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
