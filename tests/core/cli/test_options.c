/* test_options.c -- the command line: what command.h promises, and what help says of it. */
#include "core/base/err.h"
#include "core/cli/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define WORDS_MAX 16

/* Parse "kith" and the words up to NULL. */
static int parse(struct args *args, struct err *err, ...)
{
    char *argv[WORDS_MAX] = { (char *)"kith" };
    int argc = 1;
    va_list words;
    va_start(words, err);
    while (argc < WORDS_MAX - 1 && (argv[argc] = va_arg(words, char *)) != NULL)
        argc++;
    va_end(words);
    return args_parse(args, argc, argv, err);
}

static void options_stand_anywhere_and_in_both_forms(void **state)
{
    (void)state;
    struct args args;
    assert_int_equal(parse(&args, NULL, "--json", "remind", "42", "--due=3d", "call", "--to",
                           "anna", "them", NULL),
                     0);
    assert_string_equal(args.command->name, "remind");
    assert_string_equal(args_argument(&args, 0), "42");
    assert_string_equal(args_argument(&args, 1), "call them");
    assert_string_equal(args_value(&args, "due"), "3d");
    assert_string_equal(args_value(&args, "to"), "anna");
    assert_true(args_has(&args, "json"));
    assert_false(args_has(&args, "url"));
    args_deinit(&args);
}

static void two_dashes_end_the_options(void **state)
{
    (void)state;
    struct args args;
    assert_int_equal(parse(&args, NULL, "note", "42", "--", "--json", "is a word", NULL), 0);
    assert_string_equal(args_argument(&args, 1), "--json is a word");
    assert_false(args_has(&args, "json"));
    args_deinit(&args);
}

static void commands_of_two_words_are_found(void **state)
{
    (void)state;
    struct args args;
    struct err err;
    assert_int_equal(parse(&args, NULL, "staff", "add", "anna", "--team", "shop", NULL), 0);
    assert_string_equal(args.command->name, "staff add");
    assert_string_equal(args_argument(&args, 0), "anna");
    args_deinit(&args);
    assert_int_equal(parse(&args, &err, "staff", NULL), E_INVALID);
    assert_string_equal(err.text,
                        "kith staff what? There is: add, list, show, absent, back, remove");
    args_deinit(&args);
}

static void a_command_may_be_the_first_word_of_others(void **state)
{
    (void)state;
    struct args args;
    struct err err;
    assert_int_equal(parse(&args, NULL, "pause", "--json", "rule", "big", "order", NULL), 0);
    assert_string_equal(args.command->name, "pause rule");
    assert_string_equal(args_argument(&args, 0), "big order");
    args_deinit(&args);
    assert_int_equal(parse(&args, NULL, "pause", "--all", NULL), 0);
    assert_string_equal(args.command->name, "pause");
    args_deinit(&args);
    assert_int_equal(parse(&args, &err, "pause", "--all", "rule", "x", NULL), E_INVALID);
    assert_string_equal(err.text,
                        "\"rule\" is one word too many: what belongs together stands in quotes");
    args_deinit(&args);
}

static void repeated_options_keep_their_order(void **state)
{
    (void)state;
    struct args args;
    size_t at = 0;
    assert_int_equal(parse(&args, NULL, "import", "f", "--map", "a=userId", "--map", "b=at", NULL),
                     0);
    assert_string_equal(args_next(&args, "map", &at), "a=userId");
    assert_string_equal(args_next(&args, "map", &at), "b=at");
    assert_null(args_next(&args, "map", &at));
    args_deinit(&args);
}

static void expect_refusal(const char *reason, int rc, const struct err *err, struct args *args)
{
    assert_int_equal(rc, E_INVALID);
    if (strstr(err->text, reason) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err->text, reason);
    args_deinit(args);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    struct args args;
    struct err err;
#define REFUSED(reason, ...) \
    expect_refusal(reason, parse(&args, &err, __VA_ARGS__, NULL), &err, &args)
    REFUSED("did you mean \"timeline\"?", "timelin", "42");
    REFUSED("CUSTOMER is missing", "timeline");
    REFUSED("\"43\" is one word too many: what belongs together stands in quotes", "timeline", "42",
            "43");
    REFUSED("kith show has no option --to", "show", "42", "--to", "x");
    REFUSED("--due needs a value: --due WHEN", "remind", "42", "x", "--due");
    REFUSED("--json takes no value", "show", "42", "--json=1");
    REFUSED("--to is given twice", "reminders", "--to", "a", "--to", "b");
    REFUSED("\"maybe\" is not one of grant|withdraw", "consent", "42", "maybe", "a/b");
    REFUSED("no option -x", "-x");
#undef REFUSED
}

static void help_excuses_missing_arguments(void **state)
{
    (void)state;
    struct args args;
    assert_int_equal(parse(&args, NULL, "show", "--help", NULL), 0);
    assert_string_equal(args.command->name, "show");
    args_deinit(&args);
}

static void help_names_every_command_and_every_option(void **state)
{
    (void)state;
    struct buf overview = BUF_INIT, text = BUF_INIT;
    help_overview(&overview);
    for (const struct command *command = command_table; command->name != NULL; command++) {
        assert_non_null(strstr(buf_string(&overview), command->name));
        assert_non_null(command->run);
        buf_clear(&text);
        help_command(&text, command);
        const struct option *option = command->options;
        for (; option != NULL && option->name != NULL; option++)
            assert_non_null(strstr(buf_string(&text), option->name));
    }
    buf_deinit(&overview);
    buf_deinit(&text);
}

static void help_fits_a_terminal(void **state)
{
    (void)state;
    struct buf text = BUF_INIT;
    help_overview(&text);
    for (const struct command *command = command_table; command->name != NULL; command++)
        help_command(&text, command);
    for (const char *line = buf_string(&text); *line != '\0'; line += strcspn(line, "\n") + 1)
        if (strcspn(line, "\n") > 100)
            fail_msg("too long: %.*s", (int)strcspn(line, "\n"), line);
    buf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_stand_anywhere_and_in_both_forms),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(commands_of_two_words_are_found),
        cmocka_unit_test(a_command_may_be_the_first_word_of_others),
        cmocka_unit_test(repeated_options_keep_their_order),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(help_excuses_missing_arguments),
        cmocka_unit_test(help_names_every_command_and_every_option),
        cmocka_unit_test(help_fits_a_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
