/* test_manual.c -- man pages and completion: what command.h promises of both. */
#include "core/base/err.h"
#include "core/cli/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void each_line_of_a_page_is_text_or_a_known_request(void **state)
{
    static const char *const requests[] = { ".TH ",  ".SH ", ".TP", ".PP",  ".nf", ".fi",
                                            ".RS 4", ".RE",  ".B ", ".BR ", ".I " };
    (void)state;
    for (const struct command *command = command_table; command->name != NULL; command++) {
        struct buf page = BUF_INIT;
        manual_page(&page, command);
        for (const char *line = buf_string(&page); *line != '\0'; line = strchr(line, '\n') + 1) {
            bool is_known = line[0] != '.' && line[0] != '\'';
            for (size_t i = 0; !is_known && i < sizeof requests / sizeof *requests; i++)
                is_known = strncmp(line, requests[i], strlen(requests[i])) == 0;
            if (!is_known)
                fail_msg("kith-%s.1: %.*s", command->name, (int)strcspn(line, "\n"), line);
        }
        buf_deinit(&page);
    }
}

static void a_page_has_the_options_with_dashes_that_can_be_copied(void **state)
{
    (void)state;
    struct buf page = BUF_INIT;
    manual_page(&page, command_find("import"));
    assert_non_null(strstr(buf_string(&page), "\\fB\\-\\-dry\\-run\\fR\n"));
    assert_non_null(strstr(buf_string(&page), "\\fB\\-\\-map\\fR \\fICOLUMN=FIELD\\fR ...\n"));
    assert_non_null(strstr(buf_string(&page), "\\fB\\-\\-key\\-file\\fR \\fIFILE\\fR\n"));
    buf_deinit(&page);
}

static void pages_are_written_into_a_directory_or_it_is_said_why_not(void **state)
{
    char dir[] = "/tmp/kith-manual-XXXXXX", path[64];
    struct err err;
    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(manual_write(dir, &err), 0);
    for (const struct command *command = command_table; command->name != NULL; command++) {
        snprintf(path, sizeof path, "%s/kith-%s.1", dir, command->name);
        for (char *at = path + strlen(dir); *at != '\0'; at++)
            if (*at == ' ')
                *at = '-';
        assert_int_equal(unlink(path), 0);
    }
    snprintf(path, sizeof path, "%s/kith.1", dir);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
    assert_int_equal(manual_write(dir, &err), E_INVALID);
    assert_non_null(strstr(err.text, dir));
}

static void each_shell_hears_of_each_command(void **state)
{
    static const char *const shells[] = { "bash", "zsh", "fish" };
    (void)state;
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
        struct buf script = BUF_INIT;
        completion_script(&script, shells[i]);
        for (const struct command *command = command_table; command->name != NULL; command++) {
            char word[64];
            snprintf(word, sizeof word, "%.*s", (int)strcspn(command->name, " "), command->name);
            assert_non_null(strstr(buf_string(&script), word));
        }
        assert_non_null(strstr(buf_string(&script), "withdraw"));
        assert_non_null(strstr(buf_string(&script), "key-file"));
        buf_deinit(&script);
    }
}

static void a_choice_that_may_be_left_out_is_checked_when_it_is_given(void **state)
{
    char *good[] = { (char *)"kith", (char *)"completion", (char *)"zsh" };
    char *none[] = { (char *)"kith", (char *)"completion" };
    char *bad[] = { (char *)"kith", (char *)"completion", (char *)"tcsh" };
    struct args args;
    struct err err;
    (void)state;
    assert_int_equal(args_parse(&args, 3, good, &err), 0);
    args_deinit(&args);
    assert_int_equal(args_parse(&args, 2, none, &err), 0);
    args_deinit(&args);
    assert_int_equal(args_parse(&args, 3, bad, &err), E_INVALID);
    assert_string_equal(err.text, "\"tcsh\" is not one of bash|zsh|fish");
    args_deinit(&args);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_of_a_page_is_text_or_a_known_request),
        cmocka_unit_test(a_page_has_the_options_with_dashes_that_can_be_copied),
        cmocka_unit_test(pages_are_written_into_a_directory_or_it_is_said_why_not),
        cmocka_unit_test(each_shell_hears_of_each_command),
        cmocka_unit_test(a_choice_that_may_be_left_out_is_checked_when_it_is_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
