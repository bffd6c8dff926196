/* kinds.c -- the kinds of records that the plugin declares; see kinds.h. */
#include "kinds.h"

#include <stddef.h>

/* What a device has said of a task and Kith only keeps; the same of both kinds. */
#define CALENDAR_FIELDS                                                     \
    "\"resource\": {\"type\": \"text\", \"external\": true,"                \
    "  \"description\": \"STAFF/NAME: where the calendar has it\"},"        \
    "\"name\": \"text\", \"uid\": \"text\", \"url\": \"text\","             \
    "\"categories\": {\"type\": \"text\", \"personal\": true},"             \
    "\"kept\": {\"type\": \"text\", \"personal\": true,"                    \
    "  \"description\": \"Lines of a device that mean nothing to Kith\"},"  \
    "\"start\": \"text\", \"priority\": \"whole\", \"percent\": \"whole\"," \
    "\"completed\": \"time\""

static const struct kith_kind todo = {
    .size = sizeof todo,
    .name = "todo",
    .json = "{\"description\": \"What somebody of the staff has written into her own task list\","
            " \"fields\": {"
            "   \"title\": {\"type\": \"text\", \"required\": true, \"searchable\": true,"
            "     \"personal\": true},"
            "   \"details\": {\"type\": \"text\", \"personal\": true},"
            "   \"due\": \"time\","
            "   \"day\": {\"type\": \"text\", \"description\": \"Due on a day, as 20270301\"},"
            "   " CALENDAR_FIELDS "},"
            " \"roles\": {\"customer\": {\"subject\": true}},"
            " \"states\": [\"open\", {\"name\": \"done\", \"final\": true},"
            "   {\"name\": \"dropped\", \"final\": true}],"
            " \"transitions\": {"
            "   \"finish\": {\"from\": [\"open\", \"dropped\"], \"to\": \"done\"},"
            "   \"drop\": {\"from\": [\"open\", \"done\"], \"to\": \"dropped\"},"
            "   \"reopen\": {\"from\": [\"done\", \"dropped\"], \"to\": \"open\"}},"
            " \"title\": \"title\"}",
};

static const struct kith_kind copy = {
    .size = sizeof copy,
    .name = "calendar_copy",
    .json = "{\"description\": \"A reminder as a device has it: its name there, its own lines\","
            " \"fields\": {"
            "   \"reminder\": {\"type\": \"whole\", \"required\": true},"
            "   " CALENDAR_FIELDS "},"
            " \"roles\": {\"customer\": {\"subject\": true}},"
            " \"states\": [\"kept\", {\"name\": \"left\", \"final\": true}],"
            " \"transitions\": {"
            "   \"leave\": {\"from\": \"kept\", \"to\": \"left\"},"
            "   \"return\": {\"from\": \"left\", \"to\": \"kept\"}}}",
};

static const struct kith_kind feed = {
    .size = sizeof feed,
    .name = "calendar_feed",
    .json = "{\"description\": \"The secret address of somebody's due list\","
            " \"fields\": {"
            "   \"staff\": {\"type\": \"text\", \"external\": true},"
            "   \"secret\": {\"type\": \"text\", \"external\": true,"
            "     \"description\": \"A hash of it\"}},"
            " \"states\": [\"open\"], \"transitions\": {}}",
};

const struct kith_kind *const followup_kinds[] = { &todo, &copy, &feed, NULL };
