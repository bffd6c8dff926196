/* vocabulary.c -- the tables of words, gathered in the order in which a reader meets them. */
#include "core/script/vocabulary.h"

#include "core/base/mem.h"

#include <stdint.h>

const struct script_chapter script_chapters[] = {
    { "Declarations", "",
      "They stand in a file of rules, outside of any function. What is declared has a name and a "
      "table behind it.",
      words_declare },
    { "Calendars", "", "Declared as rules are.", words_calendar },
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

size_t script_field_find(const struct script_field fields[], struct text name)
{
    for (size_t i = 0; fields[i].name != NULL; i++)
        if (text_is(name, fields[i].name))
            return i;
    return SIZE_MAX;
}

void script_field_names(const struct script_field fields[],
                        const char *out_names[SCRIPT_FIELDS_MAX + 1])
{
    size_t count = 0;
    for (; fields[count].name != NULL; count++) {
        ASSERT(count < SCRIPT_FIELDS_MAX);
        out_names[count] = fields[count].name;
    }
    out_names[count] = NULL;
}
