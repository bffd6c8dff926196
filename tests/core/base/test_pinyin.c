/* test_pinyin.c -- what pinyin.h promises. */
#include "core/base/pinyin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* `wanted`: the readings, with a bar between them. */
static void reads(const char *text, const char *wanted)
{
    struct buf out = BUF_INIT, all = BUF_INIT;
    size_t sizes[PINYIN_READINGS_MAX], at = 0;
    size_t count = pinyin_readings(text_of(text), &out, sizes);
    for (size_t i = 0; i < count; at += sizes[i++]) {
        buf_text(&all, i != 0 ? "|" : "");
        buf_append(&all, out.data + at, sizes[i]);
    }
    assert_int_equal(at, out.size);
    assert_string_equal(buf_string(&all), wanted);
    buf_deinit(&out);
    buf_deinit(&all);
}

static void a_name_reads_as_syllables_without_tones(void **state)
{
    (void)state;
    reads("王小明", "wang xiao ming");
    reads("欧阳修", "ou yang xiu");
    reads("歐陽修", "ou yang xiu");
    reads("吕布", "lu bu");
}

static void a_surname_with_a_reading_of_its_own_has_both(void **state)
{
    (void)state;
    static const char *const both[][2] = {
        { "单雄信", "dan xiong xin|shan xiong xin" },
        { "曾国藩", "ceng guo fan|zeng guo fan" },
        { "解缙", "jie jin|xie jin" },
        { "仇英", "chou ying|qiu ying" },
        { "查良镛", "cha liang yong|zha liang yong" },
        { "区大相", "qu da xiang|ou da xiang" },
        { "尉迟恭", "wei chi gong|yu chi gong" },
        { "万俟卨", "wan qi xie|mo qi xie" },
        { "朴树", "pu shu|piao shu" },
        { "翟让", "di rang|zhai rang" },
    };
    for (size_t i = 0; i < sizeof both / sizeof *both; i++)
        reads(both[i][0], both[i][1]);
    reads("长孙无忌", "zhang sun wu ji");
}

static void a_surname_counts_in_front_only(void **state)
{
    (void)state;
    reads("王单", "wang dan");
}

static void other_words_stay_between_syllables(void **state)
{
    (void)state;
    reads("王小明 anna", "wang xiao ming anna");
    reads("anna王", "anna wang");
    reads("abc单小", "abc dan xiao");
}

static void without_chinese_characters_there_is_no_reading(void **state)
{
    (void)state;
    reads("anna schmidt", "");
    reads("たろう", "");
    reads("김철수", "");
    reads("", "");
}

static void rare_characters_are_read_too(void **state)
{
    (void)state;
    reads("王\U00020000", "wang he");
    reads("\uf900", "qi");
    reads("王𠮷", "wang 𠮷"); /* ICU has none */
    reads("王\U0003ffff", "wang \U0003ffff");
}

/* The ends of the blocks, and what is beyond them. */
static void what_is_no_ideograph_has_no_reading(void **state)
{
    (void)state;
    reads("\u33ff", "");
    reads("\ua000", "");
    reads("\U0001ffff", "");
    reads("\U00040000", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_reads_as_syllables_without_tones),
        cmocka_unit_test(a_surname_with_a_reading_of_its_own_has_both),
        cmocka_unit_test(a_surname_counts_in_front_only),
        cmocka_unit_test(other_words_stay_between_syllables),
        cmocka_unit_test(without_chinese_characters_there_is_no_reading),
        cmocka_unit_test(rare_characters_are_read_too),
        cmocka_unit_test(what_is_no_ideograph_has_no_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
