/* test_word.c -- what word.h, param.h and charset.h promise of what others send. */
#include "plugins/email/word.h"

#include "plugins/email/charset.h"
#include "plugins/email/param.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_bytes(struct bytes *out, const char *wanted)
{
    bytes_byte(out, '\0');
    assert_int_equal(out->failed, 0);
    assert_string_equal(out->data, wanted);
    bytes_deinit(out);
}

static void assert_word(const char *value, const char *wanted)
{
    struct bytes out;
    bytes_init(&out, 4096);
    word_decode(span_of(value), &out);
    assert_bytes(&out, wanted);
}

static void encoded_words_are_read(void **state)
{
    (void)state;
    assert_word("plain", "plain");
    assert_word("=?utf-8?Q?a_b=3D?=", "a b=");
    assert_word("=?UTF-8?b?w7w=?=", "\xc3\xbc");
    assert_word("=?iso-8859-1?q?=FC?=", "\xc3\xbc");
    assert_word("=?utf-8*de?q?x?=", "x");
    assert_word("a =?utf-8?q?b?= c", "a b c");
    assert_word("=?utf-8?q?a?= \r\n =?utf-8?q?b?=", "ab");
    assert_word("=?utf-8?q?a?= x =?utf-8?q?b?=", "a x b");
    assert_word("folded\r\n value", "folded value");
    /* a character cut in two, as programs do */
    assert_word("=?utf-8?b?w7w=?= =?utf-8?q?=C3?= =?utf-8?q?=BC?=", "\xc3\xbc\xc3\xbc");
    assert_word("=?gb2312?b?tLo=?= =?utf-8?b?w7w=?=", "\xe6\x98\xa5\xc3\xbc");
}

static void damaged_words_stay_as_they_stand(void **state)
{
    (void)state;
    assert_word("=?utf-8?q?never ended", "=?utf-8?q?never ended");
    assert_word("=?utf-8?x?abc?=", "=?utf-8?x?abc?=");
    assert_word("=?=", "=?=");
    assert_word("=?", "=?");
    assert_word("=??q?a?=", "=??q?a?=");
    assert_word("=?no-such?q?a=FF?=", "a\xc3\xbf");
    assert_word("raw \xfc", "raw \xc3\xbc");
}

static void assert_param(const char *value, const char *name, const char *wanted)
{
    struct bytes out;
    bytes_init(&out, 4096);
    bool is_there = param_get(span_of(value), name, &out);
    assert_int_equal(is_there, wanted != NULL);
    assert_bytes(&out, wanted == NULL ? "" : wanted);
}

static void parameters_are_read_in_all_their_forms(void **state)
{
    (void)state;
    assert_param("a/b; x=y", "x", "y");
    assert_param("a/b;X=\"y;z\\\"\";w=v", "x", "y;z\"");
    assert_param("a/b; x=\"y", "x", "y");
    assert_param("a/b; x = y ; z", "x", "y");
    assert_param("a/b; x=y (comment)", "x", "y");
    assert_param("a/b; w=\"; x=no\"; x=yes", "x", "yes");
    assert_param("a/b", "x", NULL);
    assert_param("a/b; xx=y", "x", NULL);
    assert_param("a; x*=utf-8'de'%C3%BC%", "x", "\xc3\xbc%");
    assert_param("a; x*=iso-8859-1''%FC", "x", "\xc3\xbc");
    assert_param("a; x*1=b; x*0=a; x*2*=%63", "x", "abc");
    assert_param("a; x*0*=utf-8''%C3; x*1*=%BC", "x", "\xc3\xbc");
    assert_param("a; x*0=a; x*2=c", "x", "a");
    assert_param("a; x=\"=?utf-8?q?=C3=BC?=\"", "x", "\xc3\xbc");
    assert_param("a; x=plain; x*=utf-8''better", "x", "better");
}

static void utf8_is_told_from_what_is_not(void **state)
{
    (void)state;
    static const char *const good[] = {
        "", "a", "\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"
    };
    static const char *const bad[] = { "\x80",
                                       "\xc0\x80",
                                       "\xc3",
                                       "\xe0\x80\x80",
                                       "\xed\xa0\x80",
                                       "\xf4\x90\x80\x80",
                                       "\xf5\x80\x80\x80",
                                       "\xe2\x82",
                                       "\xff" };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(utf8_is_valid(span_of(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(utf8_is_valid(span_of(bad[i])));
}

static void charsets_are_a_list_of_ours(void **state)
{
    (void)state;
    static const char *const labels[] = { "../../evil", "UTF-8//TRANSLIT", "UTF-7", "",
                                          "ISO-2022-CN-EXT" };
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        struct bytes out;
        bytes_init(&out, 100);
        charset_decode(span_of(labels[i]), span_of("+ADw-\xfc"), &out);
        assert_bytes(&out, "+ADw-\xc3\xbc");
    }
}

/* Labels and bytes as the programs of this trade write them. */
static void charsets_of_east_asia_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *label, *text, *wanted;
    } rows[] = {
        { "cp936", "\xcd\xb6\xcb\xdf", "投诉" },
        { "x-gbk", "\xcd\xb6\xcb\xdf", "投诉" },
        { "hz-gb-2312", "a~{M6K_~}~~b~\nc", "a投诉~bc" },
        { "HZ", "~{M6\nab", "投\nab" },
        { "hz", "~{M", "M" },
        { "iso-2022-kr", "\x1b$)C\n\x0eGQ1[\x0f", "\n한글" },
        { "x-sjis", "\x92\x8d\x95\xb6\xb1", "注文ｱ" },
        { "iso-2022-jp", "\x1b$BCmJ8\x1b(B ok \x1b(I123\x1b(B end", "注文 ok ｱｲｳ end" },
        { "iso-2022-jp", "\x1b$B-!-j\x1b(B", "①㈱" },
        { "csISO2022JP", "\x1b$B\nab\xb1", "\nabｱ" },
        { "iso-2022-jp", "\x1b$BC", "C" },
        { "euc-jp", "\xad\xa1", "①" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bytes out;
        bytes_init(&out, 100);
        charset_decode(span_of(rows[i].label), span_of(rows[i].text), &out);
        assert_bytes(&out, rows[i].wanted);
    }
}

static void a_strict_decode_takes_all_or_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *label, *text;
        bool is_taken;
    } rows[] = {
        { "gb18030", "\xcd\xb6\xcb\xdf", true },
        { "gb18030", "\xcd\xb6\xcb", true },
        { "gb18030", "a\xff z", false },
        { "utf-8", "\xc3\xa4", true },
        { "utf-8", "\xc3", false },
        { "iso-2022-jp", "\x1b$BCm\x1b(B", true },
        { "iso-2022-jp", "\x1b$B**", false },
        { "no-such", "a", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bytes out;
        bytes_init(&out, 100);
        assert_int_equal(
            charset_decode_strictly(span_of(rows[i].label), span_of(rows[i].text), &out),
            rows[i].is_taken);
        assert_int_equal(out.size > 0, rows[i].is_taken);
        bytes_deinit(&out);
    }
}

static void conversion_goes_on_behind_what_cannot_be_converted(void **state)
{
    (void)state;
    static char text[5000];
    struct bytes out;
    bytes_init(&out, 100000);
    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < sizeof text; i += 5)
        text[i] = (char)0xff;
    charset_decode(span_of("euc-jp"), (struct span){ text, sizeof text }, &out);
    assert_int_equal(out.size, 4000 + 1000 * 3);
    assert_true(utf8_is_valid(bytes_get(&out)));
    bytes_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoded_words_are_read),
        cmocka_unit_test(damaged_words_stay_as_they_stand),
        cmocka_unit_test(parameters_are_read_in_all_their_forms),
        cmocka_unit_test(utf8_is_told_from_what_is_not),
        cmocka_unit_test(charsets_are_a_list_of_ours),
        cmocka_unit_test(charsets_of_east_asia_are_read),
        cmocka_unit_test(a_strict_decode_takes_all_or_nothing),
        cmocka_unit_test(conversion_goes_on_behind_what_cannot_be_converted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
