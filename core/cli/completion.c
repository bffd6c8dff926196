/* completion.c -- what the table of commands says to a shell.
 *
 * A script is made of data and a few fixed lines.  The data are, for each command: the words
 * that may follow (its second word, the choices of an argument), its options, and which of them
 * take a value.  The fixed lines find the command among the words typed so far: the first one or
 * two that do not begin with a dash.
 *
 * bash shows words only; zsh and fish show what each is for beside it.
 */
#include "core/cli/command.h"

#include <string.h>

/* -- What the table says ------------------------------------------------------------------ */

static size_t first_word_size(const struct command *command)
{
    return strcspn(command->name, " ");
}

/* "add" of "staff add", or NULL. */
static const char *second_word(const struct command *command)
{
    const char *blank = strchr(command->name, ' ');
    return blank != NULL ? blank + 1 : NULL;
}

/* "staff add" is reached by the word staff, once. */
static bool is_first_of_word(const struct command *command)
{
    size_t size = first_word_size(command);
    for (const struct command *before = command_table; before != command; before++)
        if (first_word_size(before) == size && memcmp(before->name, command->name, size) == 0)
            return false;
    return true;
}

static bool is_path(const char *text, size_t size)
{
    return (size == 4 && memcmp(text, "FILE", size) == 0) ||
           (size == 3 && memcmp(text, "DIR", size) == 0);
}

/* The next word of a synopsis, without its brackets; size 0 at the end. */
static const char *next_word(const char **at, size_t *size)
{
    *at += strspn(*at, " [");
    const char *word = *at;
    *size = strcspn(word, " ]");
    *at += *size;
    *at += strspn(*at, "]");
    return word;
}

static bool wants_path(const struct command *command)
{
    const char *at = command->arguments, *word;
    size_t size;
    while (word = next_word(&at, &size), size != 0)
        if (is_path(word, size))
            return true;
    return false;
}

/* The words of grant|withdraw in a synopsis, each behind a blank. */
static void put_choices(struct buf *out, const struct command *command)
{
    const char *at = command->arguments, *word;
    size_t size;
    while (word = next_word(&at, &size), size != 0) {
        if (memchr(word, '|', size) == NULL)
            continue;
        buf_byte(out, ' ');
        for (size_t i = 0; i < size; i++)
            buf_byte(out, word[i] == '|' ? ' ' : (uint8_t)word[i]);
    }
}

/* -- bash --------------------------------------------------------------------------------- */

static void bash_options(struct buf *out, const struct option *options)
{
    for (; options != NULL && options->name != NULL; options++)
        buf_printf(out, " --%s", options->name);
}

static void bash_first_words(struct buf *out)
{
    for (const struct command *command = command_table; command->name != NULL; command++)
        if (is_first_of_word(command))
            buf_printf(out, " %.*s", (int)first_word_size(command), command->name);
}

static void bash_command(struct buf *out, const struct command *command)
{
    const char *second = second_word(command);
    if (second != NULL)
        buf_printf(out, "    '%.*s') words=\"$words %s\" ;;&\n", (int)first_word_size(command),
                   command->name, second);
    buf_printf(out, "    '%s') words=\"$words", command->name);
    put_choices(out, command);
    bash_options(out, command->options);
    buf_text(out, "\" ;;&\n");
}

static void bash_script(struct buf *out)
{
    buf_text(out, "# bash completion for kith; put it in force with:  source <(kith completion)\n"
                  "_kith() {\n"
                  "  local current=${COMP_WORDS[COMP_CWORD]} words= one= two= i\n"
                  "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
                  "    [[ ${COMP_WORDS[i]} == -* ]] && continue\n"
                  "    if [[ -z $one ]]; then one=${COMP_WORDS[i]}\n"
                  "    elif [[ -z $two ]]; then two=${COMP_WORDS[i]}; fi\n"
                  "  done\n"
                  "  if [[ -z $one || $one == help ]]; then words='");
    bash_first_words(out);
    buf_text(out, "'; fi\n"
                  "  for i in \"$one\" \"$one $two\"; do\n"
                  "    case $i in\n");
    for (const struct command *command = command_table; command->name != NULL; command++)
        bash_command(out, command);
    buf_text(out, "    esac\n"
                  "  done\n"
                  "  [[ $current == -* ]] && words=\"$words");
    bash_options(out, global_options);
    buf_text(out, "\"\n"
                  "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
                  "  ((${#COMPREPLY[@]})) || compopt -o default 2>/dev/null\n"
                  "}\n"
                  "complete -F _kith kith\n");
}

/* -- zsh ---------------------------------------------------------------------------------- */

/* Inside single quotes of zsh, which know no escape. */
static void zsh_text(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '\'')
            buf_text(out, "'\\''");
        else
            buf_byte(out, (uint8_t)*text);
}

static void zsh_options(struct buf *out, const struct option *options)
{
    for (; options != NULL && options->name != NULL; options++) {
        buf_printf(out, "      options+=('--%s:", options->name);
        zsh_text(out, options->text);
        buf_text(out, "')");
        if (options->value != NULL) {
            buf_printf(out, "; valued[--%s]='", options->name);
            zsh_text(out, options->value);
            buf_byte(out, '\'');
        }
        buf_byte(out, '\n');
    }
}

static void zsh_command(struct buf *out, const struct command *command)
{
    const char *second = second_word(command);
    if (second != NULL) {
        buf_printf(out, "    [[ $one == '%.*s' && -z $two ]] && following+=('%s:",
                   (int)first_word_size(command), command->name, second);
        zsh_text(out, command->summary);
        buf_text(out, "')\n");
    }
    buf_printf(out, "    if [[ $one == '%s' || \"$one $two\" == '%s' ]]; then\n", command->name,
               command->name);
    buf_text(out, "      choices+=(");
    put_choices(out, command);
    buf_printf(out, " )\n      wants_path=%d\n", wants_path(command) ? 1 : 0);
    zsh_options(out, command->options);
    buf_text(out, "    fi\n");
}

static void zsh_first_words(struct buf *out)
{
    for (const struct command *command = command_table; command->name != NULL; command++) {
        if (!is_first_of_word(command))
            continue;
        buf_printf(out, "      '%.*s:", (int)first_word_size(command), command->name);
        zsh_text(out, command->summary);
        buf_text(out, "'\n");
    }
}

static void zsh_script(struct buf *out)
{
    buf_text(out,
             "#compdef kith\n"
             "# zsh completion for kith; put it in force with:  source <(kith completion zsh)\n"
             "_kith() {\n"
             "  local one= two= word i wants_path=0\n"
             "  local -a following options choices\n"
             "  local -A valued\n"
             "  for ((i = 2; i < CURRENT; i++)); do\n"
             "    word=$words[i]\n"
             "    [[ $word == -* ]] && continue\n"
             "    if [[ -z $one ]]; then one=$word\n"
             "    elif [[ -z $two ]]; then two=$word; fi\n"
             "  done\n"
             "  if [[ -z $one || $one == help ]]; then\n"
             "    following=(\n");
    zsh_first_words(out);
    buf_text(out, "    )\n"
                  "  fi\n"
                  "  if [[ $one != help ]]; then\n");
    for (const struct command *command = command_table; command->name != NULL; command++)
        zsh_command(out, command);
    buf_text(out, "  fi\n");
    zsh_options(out, global_options);
    buf_text(out,
             "  word=$valued[$words[CURRENT-1]]\n"
             "  case $word in\n"
             "    '') ;;\n"
             "    FILE|DIR) _files; return ;;\n"
             "    *) _message \"$word\"; return ;;\n"
             "  esac\n"
             "  (($#following)) && _describe -t commands command following\n"
             "  (($#choices)) && compadd -- $choices\n"
             "  ((wants_path)) && _files\n"
             "  [[ $PREFIX == -* ]] && _describe -o -t options option options\n"
             "}\n"
             "if [[ $funcstack[1] == _kith ]]; then _kith \"$@\"; else compdef _kith kith; fi\n");
}

/* -- fish --------------------------------------------------------------------------------- */

static void fish_text(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'' || *text == '\\')
            buf_byte(out, '\\');
        buf_byte(out, (uint8_t)*text);
    }
}

/* complete -c kith, for when the words of a command have been typed. */
static void fish_begin(struct buf *out, const struct command *command)
{
    const char *second = second_word(command);
    buf_printf(out, "complete -c kith -n '__fish_seen_subcommand_from %.*s",
               (int)first_word_size(command), command->name);
    if (second != NULL)
        buf_printf(out, "; and __fish_seen_subcommand_from %s", second);
    buf_byte(out, '\'');
}

/* What follows the word --option: nothing, a path, or something that nobody can guess. */
static void fish_option(struct buf *out, const struct option *option)
{
    bool has_value = option->value != NULL;
    buf_printf(out, " -l %s%s -d '", option->name,
               !has_value                                      ? ""
               : is_path(option->value, strlen(option->value)) ? " -r -F"
                                                               : " -x");
    fish_text(out, option->text);
    buf_text(out, "'\n");
}

static void fish_first_word(struct buf *out, const struct command *command)
{
    buf_printf(out,
               "complete -c kith -n '__fish_use_subcommand; or __fish_seen_subcommand_from "
               "help' -a %.*s -d '",
               (int)first_word_size(command), command->name);
    fish_text(out, command->summary);
    buf_text(out, "'\n");
}

static void fish_second_word(struct buf *out, const struct command *command)
{
    const char *second = second_word(command);
    buf_printf(out,
               "complete -c kith -n '__fish_seen_subcommand_from %.*s; and not "
               "__fish_seen_subcommand_from %s' -a %s -d '",
               (int)first_word_size(command), command->name, second, second);
    fish_text(out, command->summary);
    buf_text(out, "'\n");
}

static void fish_command(struct buf *out, const struct command *command)
{
    struct buf choices = BUF_INIT;
    put_choices(&choices, command);
    if (is_first_of_word(command))
        fish_first_word(out, command);
    if (second_word(command) != NULL)
        fish_second_word(out, command);
    if (choices.size != 0) {
        fish_begin(out, command);
        buf_printf(out, " -a '%s'\n", buf_string(&choices) + 1);
    }
    if (wants_path(command)) {
        fish_begin(out, command);
        buf_text(out, " -F\n");
    }
    for (const struct option *option = command->options; option != NULL && option->name != NULL;
         option++) {
        fish_begin(out, command);
        fish_option(out, option);
    }
    buf_deinit(&choices);
}

static void fish_script(struct buf *out)
{
    buf_text(out, "# fish completion for kith; keep it as ~/.config/fish/completions/kith.fish\n"
                  "complete -c kith -f\n");
    for (const struct option *option = global_options; option->name != NULL; option++) {
        buf_text(out, "complete -c kith");
        fish_option(out, option);
    }
    for (const struct command *command = command_table; command->name != NULL; command++)
        fish_command(out, command);
}

void completion_script(struct buf *out, const char *shell)
{
    if (strcmp(shell, "zsh") == 0)
        zsh_script(out);
    else if (strcmp(shell, "fish") == 0)
        fish_script(out);
    else
        bash_script(out);
}
