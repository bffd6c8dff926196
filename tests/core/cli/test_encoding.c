/* test_encoding.c -- what encoding.h promises: guessing and decoding, in pieces of any size. */
#include "core/cli/encoding.h"

#include "core/base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* "王小明,张伟" in GB18030 */
#define NAMES_GB "\xcd\xf5\xd0\xa1\xc3\xf7,\xd5\xc5\xce\xb0"

static void expect_guess(const char *text, size_t size, const char *name)
{
    for (size_t piece = 1; piece <= 5; piece++) {
        struct guess guess = { 0 };
        for (size_t at = 0; at < size; at += piece)
            guess_add(&guess, text + at, size - at < piece ? size - at : piece);
        if (piece > 1 || strcmp(name, "UTF-16") != 0) /* its mark is two bytes */
            assert_string_equal(guess_name(&guess) != NULL ? guess_name(&guess) : "none", name);
    }
}

static void utf8_is_told_from_gb18030(void **state)
{
    (void)state;
    expect_guess("", 0, "UTF-8");
    expect_guess("plain", 5, "UTF-8");
    expect_guess("王小明,Müller", strlen("王小明,Müller"), "UTF-8");
    expect_guess(NAMES_GB, sizeof NAMES_GB - 1, "GB18030");
    expect_guess("\xff\xfe"
                 "a\0b\0",
                 6, "UTF-16");
}

static void accents_of_latin_1_are_not_taken_for_chinese(void **state)
{
    (void)state;
    const char *text = "M\xfcller,Jos\xe9 Garc\xed"
                       "a,Ren\xe9"
                       "e";
    expect_guess(text, strlen(text), "none"); /* and an import does not begin */
}

static void utf16_is_known_without_its_mark(void **state)
{
    (void)state;
    expect_guess("a\0,\0b\0\n\0", 8, "UTF-16LE");
    expect_guess("\0a\0,\0b\0\n", 8, "UTF-16BE");
    expect_guess("1\0,\0\x8b\x73\x0f\x5c\n\0", 10, "UTF-16LE");
    expect_guess("a,b\n1,\0\0\n", 9, "UTF-8"); /* some zeros, whose row will be rejected */
}

static void a_few_broken_bytes_do_not_make_utf8_something_else(void **state)
{
    (void)state;
    const char *text = "王小明,张伟,李芳,\xff,刘洋,陈静,杨丽";
    expect_guess(text, strlen(text), "UTF-8");
}

static void decode(const char *name, const char *text, size_t size, size_t piece, struct buf *out)
{
    struct decoder *decoder = NULL;
    assert_int_equal(decoder_new(name, &decoder, NULL), 0);
    buf_clear(out);
    for (size_t at = 0; at < size; at += piece)
        decoder_add(decoder, text + at, size - at < piece ? size - at : piece, false, out);
    decoder_add(decoder, NULL, 0, true, out);
    decoder_free(decoder);
}

static void characters_cut_by_a_piece_are_put_together(void **state)
{
    (void)state;
    struct buf out = BUF_INIT;
    for (size_t piece = 1; piece <= 12; piece++) {
        decode("GB18030", NAMES_GB, sizeof NAMES_GB - 1, piece, &out);
        assert_string_equal(buf_string(&out), "王小明,张伟");
        decode("UTF-16", "\xff\xfe\x3d\xd8\x00\xde", 6, piece, &out);
        assert_string_equal(buf_string(&out), "\U0001F600");
    }
    buf_deinit(&out);
}

static void what_cannot_be_decoded_shows(void **state)
{
    (void)state;
    struct buf out = BUF_INIT;
    decode("GB18030",
           "a\xff"
           "b\xcd",
           4, 4, &out);
    assert_string_equal(buf_string(&out), "a\ufffdb\ufffd");
    decode("UTF-8", "a\xff", 2, 1, &out); /* passed on: whoever reads it checks it */
    assert_string_equal(buf_string(&out), "a\xff");
    buf_deinit(&out);
}

static void unknown_names_are_refused(void **state)
{
    (void)state;
    struct decoder *decoder = NULL;
    struct err err;
    assert_int_equal(decoder_new("klingon", &decoder, &err), E_INVALID);
    assert_null(decoder);
    assert_non_null(strstr(err.text, "klingon"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_told_from_gb18030),
        cmocka_unit_test(accents_of_latin_1_are_not_taken_for_chinese),
        cmocka_unit_test(utf16_is_known_without_its_mark),
        cmocka_unit_test(a_few_broken_bytes_do_not_make_utf8_something_else),
        cmocka_unit_test(characters_cut_by_a_piece_are_put_together),
        cmocka_unit_test(what_cannot_be_decoded_shows),
        cmocka_unit_test(unknown_names_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
