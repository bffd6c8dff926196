/* options.c -- from argv to arguments and options, by the table.
 *
 * Options may stand anywhere, as `--to anna` or `--to=anna`; `--` ends them.  There are
 * no abbreviations: one that is unique today is ambiguous after the next release.
 */
#include "core/cli/command.h"

#include "core/base/err.h"
#include "core/base/near.h"

#include <string.h>

static bool has_name(const struct option *option, const char *name, size_t size)
{
    return strlen(option->name) == size && memcmp(option->name, name, size) == 0;
}

static const struct option *find_option(const struct option *list, const char *name, size_t size)
{
    for (; list != NULL && list->name != NULL; list++)
        if (has_name(list, name, size))
            return list;
    return NULL;
}

/* -- Which command ----------------------------------------------------------------------- */

const struct command *command_find(const char *name)
{
    for (const struct command *command = command_table; command->name != NULL; command++)
        if (strcmp(command->name, name) == 0)
            return command;
    return NULL;
}

/* Whether some command of two words begins with this one. */
static bool is_first_word(const char *word)
{
    size_t size = strlen(word);
    for (const struct command *command = command_table; command->name != NULL; command++)
        if (strncmp(command->name, word, size) == 0 && command->name[size] == ' ')
            return true;
    return false;
}

static void list_second_words(struct buf *out, const char *word)
{
    size_t size = strlen(word);
    for (const struct command *command = command_table; command->name != NULL; command++)
        if (strncmp(command->name, word, size) == 0 && command->name[size] == ' ')
            buf_printf(out, "%s%s", out->size != 0 ? ", " : "", command->name + size + 1);
}

static int unknown_command(const char *name, struct err *err)
{
    struct near_quote quote;
    const char *nearest = NULL;
    size_t least = SIZE_MAX;
    for (const struct command *command = command_table; command->name != NULL; command++) {
        size_t distance = near_distance(name, command->name);
        if (distance < least) {
            least = distance;
            nearest = command->name;
        }
    }
    near_quote(name, strlen(name), &quote);
    if (near_is_likely(least, name))
        return err_set(err, E_INVALID, "there is no command \"%s\": did you mean \"%s\"?",
                       quote.text, nearest);
    return err_set(err, E_INVALID, "there is no command \"%s\": `kith help` lists them",
                   quote.text);
}

/* One more word of the command's name.  *word is the first half of a name of two. */
static int take_command_word(struct args *args, const char **word, const char *next,
                             struct err *err)
{
    struct buf name = BUF_INIT;
    if (*word != NULL)
        buf_printf(&name, "%s ", *word);
    buf_text(&name, next);
    args->command = command_find(buf_string(&name));
    int rc = 0;
    if (args->command == NULL && *word == NULL && is_first_word(next))
        *word = next;
    else if (args->command == NULL)
        rc = unknown_command(buf_string(&name), err);
    buf_deinit(&name);
    return rc;
}

/* -- Options ----------------------------------------------------------------------------- */

/* The option of this command that was probably meant, or NULL. */
static const char *nearest_option(const struct command *command, const char *name)
{
    const char *nearest = NULL;
    size_t least = SIZE_MAX;
    const struct option *const lists[] = { command->options, global_options };
    for (size_t i = 0; i < 2; i++)
        for (const struct option *at = lists[i]; at != NULL && at->name != NULL; at++)
            if (near_distance(name, at->name) < least) {
                least = near_distance(name, at->name);
                nearest = at->name;
            }
    return near_is_likely(least, name) ? nearest : NULL;
}

static int unknown_option(const struct args *args, const char *word, struct err *err)
{
    struct near_quote quote;
    near_quote(word, strlen(word), &quote);
    const char *nearest =
        args->command != NULL ? nearest_option(args->command, word + strspn(word, "-")) : NULL;
    if (nearest != NULL)
        return err_set(err, E_INVALID, "kith %s has no option %s: did you mean --%s?",
                       args->command->name, quote.text, nearest);
    if (args->command != NULL)
        return err_set(err, E_INVALID, "kith %s has no option %s", args->command->name, quote.text);
    return err_set(err, E_INVALID, "no option %s can stand before the command", quote.text);
}

static int add_option(struct args *args, const struct option *option, const char *value,
                      struct err *err)
{
    if (args->option_count == OPTIONS_MAX)
        return err_set(err, E_LIMIT, "at most %d options in one call", OPTIONS_MAX);
    for (size_t i = 0; i < args->option_count; i++)
        if (args->options[i].option == option && !option->is_repeated)
            return err_set(err, E_INVALID, "--%s is given twice", option->name);
    args->options[args->option_count].option = option;
    args->options[args->option_count++].value = value;
    return 0;
}

/* argv[*i] begins with two dashes; moves *i over a value that stands apart. */
static int take_option(struct args *args, int argc, char **argv, int *i, struct err *err)
{
    const char *word = argv[*i], *name = word + 2, *equals = strchr(name, '=');
    size_t size = equals != NULL ? (size_t)(equals - name) : strlen(name);
    const struct option *option = find_option(global_options, name, size);
    if (option == NULL && args->command != NULL)
        option = find_option(args->command->options, name, size);
    if (option == NULL)
        return unknown_option(args, word, err);
    if (option->value == NULL) {
        if (equals != NULL)
            return err_set(err, E_INVALID, "--%s takes no value", option->name);
        return add_option(args, option, NULL, err);
    }
    if (equals != NULL)
        return add_option(args, option, equals + 1, err);
    if (*i + 1 >= argc)
        return err_set(err, E_INVALID, "--%s needs a value: --%s %s", option->name, option->name,
                       option->value);
    *i += 1;
    return add_option(args, option, argv[*i], err);
}

/* -- Arguments --------------------------------------------------------------------------- */

struct slot { /* one word of a synopsis */
    const char *text;
    size_t size;
    bool is_optional, is_rest;
};

static bool next_slot(const char **at, struct slot *slot)
{
    while (**at == ' ')
        *at += 1;
    slot->text = *at;
    slot->size = strcspn(*at, " ");
    *at += slot->size;
    slot->is_optional = slot->size != 0 && slot->text[0] == '[';
    size_t size = slot->size - (slot->is_optional ? 1 : 0); /* "[TEXT...]" */
    slot->is_rest = slot->size > 3 && memcmp(slot->text + size - 3, "...", 3) == 0;
    return slot->size != 0;
}

/* Of "grant|withdraw" one must have been given. */
static int check_choice(const struct slot *slot, const char *value, struct err *err)
{
    struct near_quote quote;
    const char *at = slot->text + (slot->is_optional ? 1 : 0);
    const char *end = slot->text + slot->size - (slot->is_optional ? 1 : 0);
    if (memchr(at, '|', (size_t)(end - at)) == NULL)
        return 0;
    while (at < end) {
        const char *bar = memchr(at, '|', (size_t)(end - at));
        size_t size = (size_t)((bar != NULL ? bar : end) - at);
        if (strlen(value) == size && memcmp(at, value, size) == 0)
            return 0;
        at += size + 1;
    }
    at = slot->text + (slot->is_optional ? 1 : 0);
    return err_set(err, E_INVALID, "\"%s\" is not one of %.*s",
                   near_quote(value, strlen(value), &quote), (int)(end - at), at);
}

static int check_arguments(const struct args *args, struct err *err)
{
    const char *at = args->command->arguments;
    struct slot slot;
    size_t count = 0;
    while (next_slot(&at, &slot)) {
        if (count == args->argument_count && slot.is_optional)
            return 0;
        if (count == args->argument_count)
            return err_set(err, E_INVALID, "%.*s is missing", (int)slot.size, slot.text);
        int rc = check_choice(&slot, args->arguments[count], err);
        if (rc != 0)
            return rc;
        if (count == 0 && !slot.is_rest && args->arguments[0][0] == '\0')
            return err_set(err, E_INVALID, "%.*s is empty", (int)slot.size, slot.text);
        count++;
    }
    return 0;
}

static bool slot_of(const struct args *args, size_t n, struct slot *slot)
{
    const char *at = args->command->arguments;
    for (size_t i = 0; next_slot(&at, slot); i++)
        if (i == n)
            return true;
    return false;
}

/* A further word: an argument of its own, or more of the TEXT... before it. */
static int take_argument(struct args *args, const char *word, struct err *err)
{
    struct slot slot;
    struct near_quote quote;
    size_t count = args->argument_count;
    if (count != 0 && slot_of(args, count - 1, &slot) && slot.is_rest) {
        buf_printf(&args->joined, " %s", word);
        args->arguments[count - 1] = buf_string(&args->joined);
        return 0;
    }
    if (!slot_of(args, count, &slot) || count == ARGUMENTS_MAX)
        return err_set(err, E_INVALID,
                       "\"%s\" is one word too many: what belongs together stands in quotes",
                       near_quote(word, strlen(word), &quote));
    args->arguments[args->argument_count++] = word;
    if (slot.is_rest) {
        buf_text(&args->joined, word);
        args->arguments[count] = buf_string(&args->joined);
    }
    return 0;
}

/* -- All of it --------------------------------------------------------------------------- */

/* "pause" is a command, and the first half of "pause rule". */
static bool take_second_half(struct args *args, const char *word)
{
    struct buf name = BUF_INIT;
    for (size_t i = 0; i < args->option_count; i++)
        if (find_option(global_options, args->options[i].option->name,
                        strlen(args->options[i].option->name)) == NULL)
            return false;
    buf_printf(&name, "%s %s", args->command->name, word);
    const struct command *longer =
        args->argument_count == 0 ? command_find(buf_string(&name)) : NULL;
    buf_deinit(&name);
    if (longer != NULL)
        args->command = longer;
    return longer != NULL;
}

static int take_word(struct args *args, const char **half_name, const char *word, struct err *err)
{
    if (args->command != NULL && take_second_half(args, word))
        return 0;
    return args->command == NULL ? take_command_word(args, half_name, word, err)
                                 : take_argument(args, word, err);
}

static int finish(struct args *args, const char *half_name, struct err *err)
{
    if (args->command != NULL)
        return args_has(args, "help") ? 0 : check_arguments(args, err);
    if (args_has(args, "help"))
        args->group = half_name;
    if (half_name == NULL || args->group != NULL)
        return 0;
    struct buf words = BUF_INIT;
    list_second_words(&words, half_name);
    int rc = err_set(err, E_INVALID, "kith %s what? There is: %s", half_name, buf_string(&words));
    buf_deinit(&words);
    return rc;
}

int args_parse(struct args *args, int argc, char **argv, struct err *err)
{
    const char *half_name = NULL;
    bool are_options_over = false;
    int rc = 0;
    *args = (struct args){ .command = NULL };
    for (int i = 1; i < argc && rc == 0; i++) {
        const char *word = argv[i];
        if (are_options_over || word[0] != '-' || word[1] == '\0')
            rc = take_word(args, &half_name, word, err);
        else if (strcmp(word, "--") == 0)
            are_options_over = true;
        else if (strcmp(word, "-h") == 0)
            rc = add_option(args, find_option(global_options, "help", 4), NULL, err);
        else if (word[1] == '-')
            rc = take_option(args, argc, argv, &i, err);
        else
            rc = unknown_option(args, word, err);
    }
    return rc != 0 ? rc : finish(args, half_name, err);
}

void args_deinit(struct args *args)
{
    buf_deinit(&args->joined);
}

const char *args_argument(const struct args *args, size_t n)
{
    return n < args->argument_count ? args->arguments[n] : NULL;
}

bool args_has(const struct args *args, const char *option)
{
    for (size_t i = 0; i < args->option_count; i++)
        if (strcmp(args->options[i].option->name, option) == 0)
            return true;
    return false;
}

const char *args_value(const struct args *args, const char *option)
{
    const char *value = NULL;
    for (size_t i = 0; i < args->option_count; i++)
        if (strcmp(args->options[i].option->name, option) == 0)
            value = args->options[i].value;
    return value;
}

const char *args_next(const struct args *args, const char *option, size_t *at)
{
    while (*at < args->option_count) {
        size_t i = (*at)++;
        if (strcmp(args->options[i].option->name, option) == 0)
            return args->options[i].value;
    }
    return NULL;
}
