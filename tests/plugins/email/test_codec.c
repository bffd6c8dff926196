/* test_codec.c -- what codec.h promises: both ways, in pieces, and kind to damage. */
#include "plugins/email/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Decode `text` in pieces of `step` bytes. */
static void decode(enum codec codec, struct span text, size_t step, struct bytes *out)
{
    struct decoder decoder;
    decoder_init(&decoder, codec);
    for (; text.size > 0; text = span_from(text, step))
        decoder_feed(&decoder, (struct span){ text.data, text.size < step ? text.size : step },
                     out);
    decoder_end(&decoder, out);
}

static void assert_decodes(enum codec codec, const char *text, const char *wanted)
{
    for (size_t step = 1; step < 6; step++) {
        struct bytes out;
        bytes_init(&out, 1000);
        decode(codec, span_of(text), step, &out);
        assert_int_equal(out.size, strlen(wanted));
        assert_memory_equal(out.data == NULL ? "" : out.data, wanted, out.size);
        bytes_deinit(&out);
    }
}

static void what_is_encoded_decodes_to_itself(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (size_t size = 0; size < 300; size++) {
        char data[300];
        struct bytes base64, quoted, out;
        bytes_init(&base64, 2000);
        bytes_init(&quoted, 2000);
        bytes_init(&out, 2000);
        for (size_t i = 0; i < size; i++) {
            seed = seed * 1664525 + 1013904223;
            data[i] = (char)(seed >> 24);
            if (data[i] == '\n' || data[i] == '\r')
                data[i] = ' ';
        }
        base64_lines(&base64, (struct span){ data, size });
        decode(CODEC_BASE64, bytes_get(&base64), 7, &out);
        assert_int_equal(out.size, size);
        if (size > 0)
            assert_memory_equal(out.data, data, size);
        bytes_clear(&out);
        quoted_lines(&quoted, (struct span){ data, size });
        decode(CODEC_QUOTED, bytes_get(&quoted), 7, &out);
        assert_int_equal(out.size, size);
        if (size > 0)
            assert_memory_equal(out.data, data, size);
        bytes_deinit(&base64);
        bytes_deinit(&quoted);
        bytes_deinit(&out);
    }
}

static void lines_have_at_most_76_characters(void **state)
{
    (void)state;
    struct bytes out;
    char data[1000];
    struct span line, rest;
    bytes_init(&out, 10000);
    memset(data, 'a', sizeof data);
    for (size_t i = 0; i < sizeof data; i += 7)
        data[i] = ' ';
    data[500] = '\n';
    data[400] = (char)0xc3;
    quoted_lines(&out, (struct span){ data, sizeof data });
    bytes_text(&out, "\r\n");
    base64_lines(&out, (struct span){ data, sizeof data });
    for (rest = bytes_get(&out); span_line(&rest, &line);) {
        assert_true(line.size <= CODEC_LINE_MAX);
        assert_true(line.size == 0 || line.data[line.size - 1] != ' ');
    }
    bytes_deinit(&out);
}

static void damaged_base64_gives_what_is_left(void **state)
{
    (void)state;
    assert_decodes(CODEC_BASE64, "SGVs bG8=", "Hello");
    assert_decodes(CODEC_BASE64, "SGVs\r\nbG8", "Hello");
    assert_decodes(CODEC_BASE64, "SG!Vsb\"G8=ignored", "Hello");
    assert_decodes(CODEC_BASE64, "", "");
    assert_decodes(CODEC_BASE64, "=", "");
}

static void damaged_quoted_printable_stays_as_it_stands(void **state)
{
    (void)state;
    assert_decodes(CODEC_QUOTED, "a=3Db", "a=b");
    assert_decodes(CODEC_QUOTED, "a=3db", "a=b");
    assert_decodes(CODEC_QUOTED, "a=\r\nb", "ab");
    assert_decodes(CODEC_QUOTED, "a= \t\r\nb", "ab");
    assert_decodes(CODEC_QUOTED, "a=\nb", "ab");
    assert_decodes(CODEC_QUOTED, "a=zb=4", "a=zb=4");
    assert_decodes(CODEC_QUOTED, "trailing \t\r\nblanks ", "trailing\r\nblanks");
    assert_decodes(CODEC_QUOTED, "==3D", "==");
    assert_decodes(CODEC_QUOTED, "a=", "a");
}

static void a_full_buffer_takes_what_there_is_room_for(void **state)
{
    (void)state;
    struct bytes out;
    struct decoder decoder;
    bytes_init(&out, 3);
    decoder_init(&decoder, CODEC_BASE64);
    assert_int_equal(decoder_feed(&decoder, span_of("SGVsbG8="), &out), 5);
    assert_int_equal(out.size, 3);
    assert_int_equal(out.failed, 0);
    bytes_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_encoded_decodes_to_itself),
        cmocka_unit_test(lines_have_at_most_76_characters),
        cmocka_unit_test(damaged_base64_gives_what_is_left),
        cmocka_unit_test(damaged_quoted_printable_stays_as_it_stands),
        cmocka_unit_test(a_full_buffer_takes_what_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
