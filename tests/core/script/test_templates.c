/* test_templates.c -- what templates.h promises: names of files, fields, and what is refused. */
#include "core/script/templates.h"

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/engine/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct {
    struct arena arena;
    struct buf files, scratch;
    struct ruleset rules;
    struct err err;
} now;

static int begin(void **state)
{
    (void)state;
    memset(&now, 0, sizeof now);
    return 0;
}

static int end(void **state)
{
    (void)state;
    free(now.rules.templates);
    arena_deinit(&now.arena);
    buf_deinit(&now.files);
    buf_deinit(&now.scratch);
    return 0;
}

/* Pairs of path and text, NULL behind the last. */
static int load(const char *const pairs[])
{
    struct doc_writer w;
    buf_clear(&now.files);
    doc_begin(&w, &now.files);
    for (; *pairs != NULL; pairs += 2)
        doc_put_string(&w, pairs[0], pairs[1]);
    free(now.rules.templates);
    now.rules = (struct ruleset){ .templates = NULL };
    return templates_read(doc_end(&w), &now.arena, &now.scratch, &now.rules, &now.err);
}

static void refuses(const char *path, const char *text, const char *reason)
{
    assert_int_not_equal(load((const char *const[]){ path, text, NULL }), 0);
    assert_string_equal(now.err.text, reason);
}

static void is_named(const char *path, const char *name, const char *channel, const char *locale)
{
    assert_int_equal(load((const char *const[]){ path, "x", NULL }), 0);
    assert_int_equal(now.rules.template_count, 1);
    assert_string_equal(now.rules.templates[0].name.data, name);
    assert_string_equal(now.rules.templates[0].channel.data, channel);
    assert_string_equal(now.rules.templates[0].locale.data, locale);
}

static void a_file_is_named_for_template_channel_and_locale(void **state)
{
    (void)state;
    is_named("templates/welcome.email.de-AT.md", "welcome", "email", "de-AT");
    is_named("templates/welcome.email.md", "welcome", "email", "");
    is_named("templates/footer.md", "footer", "", "");
    is_named("templates/legal/imprint.email.en.md", "legal/imprint", "email", "en");
    is_named("templates/v1.2/imprint.md", "v1.2/imprint", "", "");
}

static void other_files_of_the_bundle_are_none(void **state)
{
    (void)state;
    assert_int_equal(load((const char *const[]){ "README.md", "{{", "more/templates/a.log.md", "{{",
                                                 "templates/x.lua", "{{", NULL }),
                     0);
    assert_int_equal(now.rules.template_count, 0);
}

static void a_file_of_another_name_is_refused(void **state)
{
    (void)state;
    static const char *const paths[] = { "templates/.log.md",  "templates/a.b.c.d.md",
                                         "templates/a.Log.md", "templates/a.log.1.md",
                                         "templates/a..md",    "templates/a.log..md" };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        assert_int_equal(load((const char *const[]){ paths[i], "x", NULL }), E_INVALID);
        assert_non_null(strstr(now.err.text, "a template's file is called NAME.CHANNEL.md"));
    }
}

static void one_template_has_one_file_for_a_channel_and_locale(void **state)
{
    (void)state;
    assert_int_equal(load((const char *const[]){ "templates/a.log.de-AT.md", "x",
                                                 "templates/a.log.de_at.md", "x", NULL }),
                     E_INVALID);
    assert_string_equal(now.err.text, "templates/a.log.de_at.md: another file of this bundle is "
                                      "the same template for the same channel and locale");
}

static void fields_stand_between_two_lines_of_hyphens(void **state)
{
    (void)state;
    assert_int_equal(load((const char *const[]){
                         "templates/a.log.md",
                         "\xef\xbb\xbf---\r\n# words\r\nsubject: \"Hi: {{name}}\"\r\n\r\n"
                         "pre-header:   more\r\n---\r\nbody\r\n",
                         NULL }),
                     0);
    const struct template *template = &now.rules.templates[0];
    assert_int_equal(template->field_count, 2);
    assert_string_equal(template->fields[0].name.data, "subject");
    assert_string_equal(template->fields[1].name.data, "pre-header");
}

static void a_fault_is_told_with_its_file_line_and_column(void **state)
{
    (void)state;
    const char *path = "templates/a.log.md";
    refuses(path, "a\n{{#b}}",
            "templates/a.log.md:2:1: the section \"b\" that begins here never "
            "ends");
    refuses(path, "---\nsubject: x {{y\n---\n",
            "templates/a.log.md:2:12: the tag that begins here never ends: }} is missing");
    refuses(path, "---\nsubject: x\n---\n{{y",
            "templates/a.log.md:4:1: the tag that begins here "
            "never ends: }} is missing");
    refuses(path, "---\nsubject: x\n",
            "templates/a.log.md:1:1: the fields that begin here never "
            "end: a second line of --- is missing");
    refuses(path, "---\nhello\n---\n",
            "templates/a.log.md:2:1: a line `name: text` is expected between the lines of ---, "
            "with a name of a-z, 0-9, _ and -");
    refuses(path, "---\nbody: x\n---\n",
            "templates/a.log.md:2:1: a message has its own \"body\": give the field another name");
    refuses(path, "---\na: x\na: y\n---\n",
            "templates/a.log.md:3:1: the field \"a\" a second time");
    refuses(path, "Subject: x\n\nbody",
            "templates/a.log.md:1:1: a subject stands between two lines of ---, above the body");
}

static void a_template_has_so_many_fields_and_no_more(void **state)
{
    (void)state;
    struct buf text = BUF_INIT;
    buf_text(&text, "---\n");
    for (int i = 0; i < TEMPLATE_FIELDS_MAX; i++)
        buf_printf(&text, "field%d: x\n", i);
    size_t full = text.size;
    buf_text(&text, "---\n");
    assert_int_equal(load((const char *const[]){ "templates/a.md", buf_string(&text), NULL }), 0);
    text.size = full;
    buf_text(&text, "more: x\n---\n");
    assert_int_equal(load((const char *const[]){ "templates/a.md", buf_string(&text), NULL }),
                     E_LIMIT);
    buf_deinit(&text);
}

static void a_partial_that_is_nowhere_is_refused(void **state)
{
    (void)state;
    assert_int_equal(load((const char *const[]){ "templates/a.log.md", "x {{> foter}}",
                                                 "templates/footer.log.md", "y", NULL }),
                     E_INVALID);
    assert_string_equal(now.err.text, "templates/a.log.md:1:3: no template is called \"foter\"; "
                                      "did you mean \"footer\"?");
    assert_int_equal(load((const char *const[]){ "templates/a.log.md", "{{> footer}}",
                                                 "templates/footer.mail.de.md", "y", NULL }),
                     E_INVALID);
    assert_string_equal(now.err.text, "templates/a.log.md:1:1: no template is called \"footer\" "
                                      "for this channel");
    assert_int_equal(load((const char *const[]){ "templates/a.log.md", "{{> footer}}{{> rest}}",
                                                 "templates/footer.log.de.md", "y",
                                                 "templates/rest.md", "z", NULL }),
                     0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_named_for_template_channel_and_locale),
        TEST(other_files_of_the_bundle_are_none),
        TEST(a_file_of_another_name_is_refused),
        TEST(one_template_has_one_file_for_a_channel_and_locale),
        TEST(fields_stand_between_two_lines_of_hyphens),
        TEST(a_fault_is_told_with_its_file_line_and_column),
        TEST(a_template_has_so_many_fields_and_no_more),
        TEST(a_partial_that_is_nowhere_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
