/* reference.c -- the tables of words, told; see reference.h.
 *
 * Texts are Markdown as far as a terminal can show it as it is: code in backquotes, and nothing
 * else.  The page says them whole, the terminal breaks them at its width.
 */
#include "core/script/reference.h"

#include "core/base/buf.h"
#include "core/base/mem.h"
#include "core/engine/config.h"
#include "core/script/explain.h"
#include "core/script/vocabulary.h"

#include <string.h>

#define WIDTH 80
#define NAMES_MAX 128

/* Words that belong together. */
struct chapter {
    const char *name;   /* NULL ends the table */
    const char *prefix; /* of its words: "customer:" */
    const char *text;
    const struct script_word *words;
};

/* In the order in which a reader meets them. */
static const struct chapter chapters[] = {
    { "Declarations", "",
      "They stand in a file of rules, outside of any function. What is declared has a name and a "
      "table behind it.",
      words_declare },
    { "Calendars", "", "Declared as rules are.", words_calendar },
    { "Pools and budgets", "",
      "What many customers draw on, declared as rules are; docs/pools.md tells what they answer.",
      words_subject },
    { "Asking them", "", "It stands in the `run` of a rule.", words_ask },
    { "Kinds of records", "", "Declared as rules are.", words_kind },
    { "Triggers", "",
      "What `on` of a rule may be, besides an event's type, a list of types, and `\"*\"` for every "
      "event.",
      words_trigger },
    { "Objects", "", "What the `run` of a rule is given.", words_objects },
    { "Methods of a customer", "customer:", "They stand in the `run` of a rule, with a colon.",
      words_customer },
    { "What a rule does", "",
      "These words stand in the `run` of a rule, and act on the customer whom the event is about.",
      words_act },
    { "Records", "", "They stand in the `run` of a rule; records are of declared kinds.",
      words_record },
    { "A record", "", "What `create`, `record` and `event.record` give.", words_record_object },
    { "Methods of a record", "record:", "They stand in the `run` of a rule, with a colon.",
      words_record_methods },
    { "Messages", "", "They stand in the `run` of a rule.", words_send },
    { "Time", "",
      "Moments are whole numbers, milliseconds since 1970 in UTC. They stand in the `run` of a "
      "rule.",
      words_time },
    { "Durations", "",
      "A duration is text: a number and `s`, `min`, `h` (elapsed time), `d`, `w`, `mo`, `y` (the "
      "same time of day), `wd`, `wh` (working days and hours). These words make the same from a "
      "number, anywhere.",
      words_duration },
    { "Tests", "", "They stand in a file called `*_test.lua`, which `kith test` runs.",
      suite_words },
    { "Words of a test", "t:",
      "`t` is what the function of a test is given; `c` is a customer, as `t:customer` gives one.",
      suite_methods },
    { "kith.lua", "",
      "The configuration of kithd. A word is said once, but for `channel` and `secret`; a path is "
      "relative to the file.",
      settings_words },
    { NULL, NULL, NULL, NULL },
};

static bool is_limits(const struct script_word *word)
{
    return word->call != NULL && strcmp(word->name, "limits") == 0;
}

/* -- The page -------------------------------------------------------------------------------- */

static void put_fields(struct buf *out, const struct script_field fields[])
{
    buf_text(out, "| field | | |\n| --- | --- | --- |\n");
    for (; fields->name != NULL; fields++)
        buf_printf(out, "| `%s` | %s%s | %s |\n", fields->name, fields->type,
                   fields->is_needed ? ", needed" : "", fields->text);
    buf_byte(out, '\n');
}

static void put_limits(struct buf *out)
{
    buf_text(out, "| limit | standard | least | most | |\n| --- | ---: | ---: | ---: | --- |\n");
    for (const struct limit *limit = config_limits; limit->name != NULL; limit++)
        buf_printf(out, "| `%s` | %lld | %lld | %lld | %s |\n", limit->name,
                   (long long)limit->standard, (long long)limit->least, (long long)limit->most,
                   limit->text);
    buf_byte(out, '\n');
}

static void put_word(struct buf *out, const struct chapter *chapter, const struct script_word *word)
{
    buf_printf(out, "### %s%s\n\n    %s\n\n%s\n\n", chapter->prefix, word->name, word->usage,
               word->text);
    if (word->fields != NULL)
        put_fields(out, word->fields);
    if (is_limits(word))
        put_limits(out);
    if (word->example != NULL)
        buf_printf(out, "```lua\n%s```\n\n", word->example);
}

void reference_page(struct buf *out)
{
    buf_text(out,
             "# Every word of Lua\n\n"
             "This page is made from the tables that the program itself reads: `make reference` "
             "writes it, and\n`kith help lua WORD` says the same. How the words go together: "
             "[lua.md](lua.md).\n\n");
    for (const struct chapter *chapter = chapters; chapter->name != NULL; chapter++) {
        buf_printf(out, "## %s\n\n%s\n\n", chapter->name, chapter->text);
        for (const struct script_word *word = chapter->words; word->name != NULL; word++)
            put_word(out, chapter, word);
    }
    out->size--; /* the file ends with one line's end */
}

/* -- A terminal ------------------------------------------------------------------------------ */

static size_t pad(struct buf *out, size_t column, size_t until)
{
    for (; column < until; column++)
        buf_byte(out, ' ');
    return column;
}

/* Words of `text`, which begins in `column`, broken so that lines begin at `indent`. */
static void put_wrapped(struct buf *out, const char *text, size_t column, size_t indent)
{
    const char *gap = "";
    while (*text != '\0') {
        size_t size = strcspn(text, " ");
        if (gap[0] != '\0' && column + 1 + size > WIDTH) {
            buf_byte(out, '\n');
            column = pad(out, 0, indent);
            gap = "";
        }
        buf_printf(out, "%s%.*s", gap, (int)size, text);
        column += size + strlen(gap);
        gap = " ";
        text += size + strspn(text + size, " ");
    }
    buf_byte(out, '\n');
}

static void tell_fields(struct buf *out, const struct script_field fields[])
{
    size_t column = 0;
    for (const struct script_field *field = fields; field->name != NULL; field++)
        column = strlen(field->name) > column ? strlen(field->name) : column;
    for (buf_byte(out, '\n'); fields->name != NULL; fields++) {
        size_t start = out->size;
        buf_printf(out, "  %s", fields->name);
        pad(out, out->size - start, column + 4);
        buf_printf(out, "(%s%s) ", fields->type, fields->is_needed ? ", needed" : "");
        put_wrapped(out, fields->text, out->size - start, column + 4);
    }
}

static void tell_limits(struct buf *out)
{
    buf_byte(out, '\n');
    for (const struct limit *limit = config_limits; limit->name != NULL; limit++) {
        buf_printf(out, "  %s = %lld (%lld to %lld)\n", limit->name, (long long)limit->standard,
                   (long long)limit->least, (long long)limit->most);
        pad(out, 0, 6);
        put_wrapped(out, limit->text, 6, 6);
    }
}

static void tell_example(struct buf *out, const char *example)
{
    buf_text(out, "\nExample:\n");
    while (*example != '\0') {
        size_t size = strcspn(example, "\n") + 1;
        buf_printf(out, "    %.*s", (int)size, example);
        example += size;
    }
}

static void tell_word(struct buf *out, const struct chapter *chapter,
                      const struct script_word *word)
{
    put_wrapped(out, word->usage, 0, 4);
    buf_byte(out, '\n');
    put_wrapped(out, word->text, 0, 0);
    if (word->fields != NULL)
        tell_fields(out, word->fields);
    if (is_limits(word))
        tell_limits(out);
    if (word->example != NULL)
        tell_example(out, word->example);
    buf_byte(out, '\n');
    put_wrapped(out, chapter->text, 0, 0);
}

bool reference_word(struct buf *out, const char *name)
{
    bool is_found = false;
    for (const struct chapter *chapter = chapters; chapter->name != NULL; chapter++) {
        size_t prefix = strlen(chapter->prefix);
        bool is_whole = strncmp(name, chapter->prefix, prefix) == 0;
        for (const struct script_word *word = chapter->words; word->name != NULL; word++) {
            if (strcmp(word->name, name) != 0 &&
                !(is_whole && strcmp(word->name, name + prefix) == 0))
                continue;
            buf_printf(out, is_found ? "\n%s: " : "%s: ", chapter->name);
            tell_word(out, chapter, word);
            is_found = true;
        }
    }
    return is_found;
}

void reference_overview(struct buf *out)
{
    for (const struct chapter *chapter = chapters; chapter->name != NULL; chapter++) {
        buf_printf(out, "%s%s\n", chapter == chapters ? "" : "\n", chapter->name);
        for (const struct script_word *word = chapter->words; word->name != NULL; word++)
            buf_printf(out, "  %s\n", word->usage);
    }
    buf_text(out, "\nAll about one of them: kith help lua WORD\n");
}

const char *reference_near(const char *name)
{
    const char *names[NAMES_MAX + 1];
    size_t count = 0;
    for (const struct chapter *chapter = chapters; chapter->name != NULL; chapter++)
        for (const struct script_word *word = chapter->words; word->name != NULL; word++) {
            ASSERT(count < NAMES_MAX);
            names[count++] = word->name;
        }
    names[count] = NULL;
    return explain_near(name, names);
}
