/* test_markdown.c -- what markdown.h promises: the same words twice, nothing smuggled. */
#include "plugins/email/markdown.h"

#include "plugins/email/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_text(const char *source, const char *wanted)
{
    struct bytes out;
    bytes_init(&out, 1u << 20);
    assert_int_equal(markdown_text(span_of(source), &out, NULL), 0);
    bytes_byte(&out, '\0');
    assert_string_equal(out.data, wanted);
    bytes_deinit(&out);
}

static void assert_html(const char *source, const char *wanted, const char *unwanted)
{
    struct bytes out;
    bytes_init(&out, 1u << 20);
    assert_int_equal(markdown_html(span_of(source), &out, NULL), 0);
    bytes_byte(&out, '\0');
    if (strstr(out.data, wanted) == NULL)
        fail_msg("no %s in %s", wanted, out.data);
    if (unwanted != NULL && strstr(out.data, unwanted) != NULL)
        fail_msg("%s in %s", unwanted, out.data);
    bytes_deinit(&out);
}

static void the_text_reads_well(void **state)
{
    (void)state;
    assert_text("", "");
    assert_text("# Hello\n\nA *b* **c** `d`\ne\n", "Hello\n\nA b c d\ne\n");
    assert_text("- a\n- b\n  1. c\n  2. d\n- e\n\nf", "- a\n- b\n  1. c\n  2. d\n- e\n\nf\n");
    assert_text("- a\n\n  b\n\n- c\n", "- a\n\n  b\n\n- c\n");
    assert_text("> q\n>\n> r\n\ns", "> q\n>\n> r\n\ns\n");
    assert_text("```\nx  y\n\nz\n```\nend", "    x  y\n    \n    z\n\nend\n");
    assert_text("[a](https://x.example) <https://y.example>",
                "a (https://x.example) https://y.example\n");
    assert_text("ann@x.example", "ann@x.example\n");
    assert_text("a&nbsp;b &euro;5 &#8364; &unknown;", "a\xc2\xa0"
                                                      "b \xe2\x82\xac"
                                                      "5 \xe2\x82\xac &unknown;\n");
    assert_text("| a | b |\n|---|---|\n| 1 | 2 |\n", "a | b\n1 | 2\n");
    assert_text("a\n\n---\n\nb", "a\n\n----\n\nb\n");
}

static void html_of_the_source_is_text(void **state)
{
    (void)state;
    assert_html("a <script>x</script> b", "&lt;script&gt;", "<script>");
    assert_html("<div onclick=x>\n\nhi", "&lt;div onclick=x&gt;", "<div");
    assert_html("[a](<x\" onclick=\"y>)", "<a>a</a>", "onclick");
    assert_html("![\"><script>](https://x.example/a.png)", "alt=\"&quot;&gt;", "<script>");
}

static void dangerous_targets_are_lost(void **state)
{
    (void)state;
    assert_html("[a](javascript:alert(1))", "<a>a</a>", "javascript");
    assert_html("[a](JaVaScRiPt:alert(1))", "<a>a</a>", "alert");
    assert_html("[a](java&#115;cript:alert(1))", "<a>a</a>", "alert");
    assert_html("[a](data:text/html,x)", "<a>a</a>", "data:");
    assert_html("<vbscript:x>", "<a>", "href");
    assert_html("[a](https://x.example/?q=1&b=2)", "href=\"https://x.example/?q=1&amp;b=2\"", NULL);
    assert_html("[a](/path:1) [b](tel:+49) [c](#d)", "href=\"/path:1\"", "<a>");
    assert_html("![l](cid:logo)", "<img src=\"cid:logo\" alt=\"l\">", NULL);
    assert_text("[a](javascript:x)", "a\n");
}

static void hostile_sources_end_soon(void **state)
{
    (void)state;
    static const char *const pieces[] = { "[", "![", "> ",   "*",   "- ", "`",    "<",      "[a](",
                                          "&", "|",  "_a_ ", "1. ", "\0", "\xff", "**a *b " };
    char *text = malloc(MARKDOWN_BYTES_MAX);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        size_t step = pieces[i][0] == '\0' ? 1 : strlen(pieces[i]), size = 0;
        for (; size + step <= 20000; size += step)
            memcpy(text + size, pieces[i], step);
        struct bytes out;
        bytes_init(&out, 16u << 20);
        markdown_html((struct span){ text, size }, &out, NULL);
        bytes_clear(&out);
        markdown_text((struct span){ text, size }, &out, NULL);
        bytes_deinit(&out);
    }
    free(text);
}

static void limits_are_told(void **state)
{
    (void)state;
    static char text[MARKDOWN_BYTES_MAX + 1];
    struct fault fault = { 0 };
    struct bytes out;
    memset(text, 'a', sizeof text);
    bytes_init(&out, 100);
    assert_int_equal(markdown_html((struct span){ text, sizeof text }, &out, &fault), FAULT_LIMIT);
    assert_int_equal(markdown_html((struct span){ text, 200 }, &out, &fault), FAULT_LIMIT);
    assert_int_equal(markdown_text((struct span){ text, 200 }, &out, &fault), FAULT_LIMIT);
    bytes_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_reads_well),
        cmocka_unit_test(html_of_the_source_is_text),
        cmocka_unit_test(dangerous_targets_are_lost),
        cmocka_unit_test(hostile_sources_end_soon),
        cmocka_unit_test(limits_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
