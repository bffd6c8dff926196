/* kinds.c -- the kinds of records that the plugin declares; see kinds.h. */
#include "kinds.h"

#include <stddef.h>

/* What a device has said of a task and Kith only keeps; the same of both kinds. */
#define CALENDAR_FIELDS                                                     \
    "\"resource\": {\"type\": \"text\", \"external\": true,"                \
    "  \"description\": \"STAFF/NAME: where the calendar has it\"},"        \
    "\"name\": \"text\", \"uid\": \"text\", \"url\": \"text\","             \
    "\"categories\": {\"type\": \"text\"},"                                 \
    "\"kept\": {\"type\": \"text\","                                        \
    "  \"description\": \"Lines of a device that mean nothing to Kith\"},"  \
    "\"start\": \"text\", \"priority\": \"whole\", \"percent\": \"whole\"," \
    "\"completed\": \"time\""

static const char todo[] =
    "{\"description\": \"What somebody of the staff has written into her own task list\","
    " \"fields\": {"
    "   \"title\": {\"type\": \"text\", \"required\": true, \"searchable\": true},"
    "   \"details\": {\"type\": \"text\"},"
    "   \"whom\": {\"type\": \"customer\", \"description\": \"Whom it is for\"},"
    "   \"due\": \"time\","
    "   \"day\": {\"type\": \"text\", \"description\": \"Due on a day, as 20270301\"},"
    "   \"made\": {\"type\": \"choice\", \"values\": [\"done\", \"dropped\"],"
    "     \"description\": \"What it was already when it was written\"},"
    "   " CALENDAR_FIELDS "},"
    " \"roles\": {},"
    " \"states\": [\"open\", {\"name\": \"done\", \"final\": true},"
    "   {\"name\": \"dropped\", \"final\": true}],"
    " \"transitions\": {"
    "   \"finish\": {\"from\": [\"open\", \"dropped\"], \"to\": \"done\"},"
    "   \"drop\": {\"from\": [\"open\", \"done\"], \"to\": \"dropped\"},"
    "   \"reopen\": {\"from\": [\"done\", \"dropped\"], \"to\": \"open\"}},"
    " \"title\": \"title\"}";

/* It is kept while its reminder is open: then it is left, and counts as open no more (care.c). */
static const char copy[] =
    "{\"description\": \"A reminder as a device has it: its name there, its own lines\","
    " \"fields\": {"
    "   \"reminder\": {\"type\": \"whole\", \"required\": true},"
    "   \"hidden\": {\"type\": \"flag\","
    "     \"description\": \"Done, and deleted on a device: in no list any more\"},"
    "   \"title\": {\"type\": \"text\"}, \"details\": {\"type\": \"text\","
    "     \"description\": \"As the device has them, and the reminder does not\"},"
    "   \"made\": {\"type\": \"choice\", \"values\": [\"left\"],"
    "     \"description\": \"What it was already when it was written\"},"
    "   " CALENDAR_FIELDS "},"
    " \"roles\": {\"customer\": {\"subject\": true}},"
    " \"states\": [\"kept\", {\"name\": \"left\", \"final\": true}],"
    " \"transitions\": {"
    "   \"leave\": {\"from\": \"kept\", \"to\": \"left\"},"
    "   \"return\": {\"from\": \"left\", \"to\": \"kept\"}}}";

/* The breach is nobody's decision: at the moment that was promised the plugin moves the record.
 * What was kept late stays counted as broken. */
static const char promise[] =
    "{\"description\": \"What somebody promised a customer, until when\","
    " \"fields\": {"
    "   \"what\": {\"type\": \"text\", \"required\": true, \"searchable\": true},"
    "   \"due\": {\"type\": \"time\", \"required\": true},"
    "   \"channel\": {\"type\": \"text\", \"description\": \"How it was given\"},"
    "   \"concerns\": {\"type\": \"text\","
    "     \"description\": \"What it is about: order:5, a hash of a file, an event\"},"
    "   \"evidence\": {\"type\": \"text\", \"description\": \"That it was kept\"},"
    "   \"reason\": {\"type\": \"text\", \"description\": \"Why it was withdrawn\"},"
    "   \"apology\": {\"type\": \"text\", \"description\": \"What was said\"},"
    "   \"recovery\": {\"type\": \"text\", \"description\": \"What was done about it\"},"
    "   \"cost\": \"money\"},"
    " \"roles\": {\"customer\": {\"subject\": true, \"required\": true}},"
    " \"states\": [\"open\", \"broken\", \"apologized\","
    "   {\"name\": \"kept\", \"final\": true}, {\"name\": \"kept_late\", \"final\": true},"
    "   {\"name\": \"recovered\", \"final\": true},"
    "   {\"name\": \"withdrawn\", \"final\": true}],"
    " \"transitions\": {"
    "   \"keep\": {\"from\": \"open\", \"to\": \"kept\", \"fields\": [\"evidence\"]},"
    "   \"withdraw\": {\"from\": \"open\", \"to\": \"withdrawn\","
    "     \"fields\": [\"reason\"]},"
    "   \"break\": {\"from\": \"open\", \"to\": \"broken\", \"by\": \"plugin\"},"
    "   \"apologize\": {\"from\": \"broken\", \"to\": \"apologized\","
    "     \"fields\": [\"apology\"]},"
    "   \"keep_late\": {\"from\": [\"broken\", \"apologized\"], \"to\": \"kept_late\","
    "     \"fields\": [\"evidence\"]},"
    "   \"recover\": {\"from\": [\"broken\", \"apologized\", \"kept_late\"],"
    "     \"to\": \"recovered\", \"fields\": [\"recovery\"]}},"
    " \"deadlines\": {"
    "   \"keep\": {\"from\": \"open\", \"met\": [\"kept\", \"withdrawn\"], \"since\": \"due\","
    "     \"due\": \"1s\", \"to\": \"owner\"},"
    "   \"apologize\": {\"from\": \"broken\","
    "     \"met\": [\"apologized\", \"kept_late\", \"recovered\"],"
    "     \"due\": \"$promise_apology\", \"to\": \"owner\","
    "     \"title\": \"A promise was broken: apologize, and say when\","
    "     \"escalate\": [{\"after\": \"$promise_escalation\", \"to\": \"$promise_lead\"}]},"
    "   \"recover\": {\"from\": [\"broken\", \"apologized\"],"
    "     \"met\": [\"kept_late\", \"recovered\"], \"due\": \"$promise_recovery\","
    "     \"to\": \"owner\", \"title\": \"Make good a promise that was broken\"}},"
    " \"owner\": \"owner\", \"title\": \"what\"}";

static const char feed[] = "{\"description\": \"The secret address of somebody's due list\","
                           " \"fields\": {"
                           "   \"staff\": {\"type\": \"text\", \"external\": true},"
                           "   \"secret\": {\"type\": \"text\", \"external\": true,"
                           "     \"description\": \"A hash of it\"}},"
                           " \"roles\": {},"
                           " \"states\": [\"open\"], \"transitions\": {}}";

/* handover.h has the table of its states. */
static const char handover[] =
    "{\"description\": \"All that somebody has in hand goes to somebody else\","
    " \"fields\": {"
    "   \"from\": {\"type\": \"text\", \"required\": true, \"searchable\": true},"
    "   \"to\": {\"type\": \"text\", \"required\": true, \"searchable\": true,"
    "     \"description\": \"Staff, or a team\"},"
    "   \"reason\": {\"type\": \"text\","
    "     \"description\": \"Why; and of one that was called off, why that\"},"
    "   \"customer_count\": \"whole\", \"record_count\": \"whole\", \"reminder_count\": "
    "\"whole\","
    "   \"given_count\": \"whole\", \"settled_count\": \"whole\", \"left_count\": \"whole\","
    "   \"problem\": {\"type\": \"text\","
    "     \"description\": \"Why it does not go on; it is tried again\"}},"
    " \"roles\": {},"
    " \"states\": [\"requested\", \"prepared\", \"calling_off\","
    "   {\"name\": \"done\", \"final\": true},"
    "   {\"name\": \"called_off\", \"final\": true}],"
    " \"transitions\": {"
    "   \"prepare\": {\"from\": \"requested\", \"to\": \"prepared\", \"by\": \"plugin\","
    "     \"fields\": [\"customer_count\", \"record_count\", \"reminder_count\"]},"
    "   \"finish\": {\"from\": \"prepared\", \"to\": \"done\", \"by\": \"plugin\","
    "     \"fields\": [\"given_count\", \"settled_count\", \"left_count\"]},"
    "   \"call_off\": {\"from\": [\"requested\", \"prepared\"],"
    "     \"to\": \"calling_off\", \"fields\": [\"reason\"]},"
    "   \"close\": {\"from\": \"calling_off\", \"to\": \"called_off\", \"by\": \"plugin\","
    "     \"fields\": [\"given_count\", \"settled_count\", \"left_count\"]}},"
    " \"title\": \"from\"}";

static const char handover_item[] =
    "{\"description\": \"A customer, record or reminder that is handed over\","
    " \"fields\": {"
    "   \"handover\": {\"type\": \"record:handover\", \"required\": true},"
    "   \"key\": {\"type\": \"text\", \"external\": true,"
    "     \"description\": \"HANDOVER/WHAT/THING: once in each\"},"
    "   \"what\": {\"type\": \"choice\", \"required\": true,"
    "     \"values\": [\"customer\", \"record\", \"reminder\"]},"
    "   \"thing\": {\"type\": \"text\", \"required\": true,"
    "     \"description\": \"42, promise:3\"},"
    "   \"title\": {\"type\": \"text\", \"searchable\": true, \"personal\": true},"
    "   \"notes\": {\"type\": \"list\", \"personal\": true,"
    "     \"description\": \"The last that were written about her\"},"
    "   \"to\": {\"type\": \"text\","
    "     \"description\": \"Who gets it, if not who gets the others\"},"
    "   \"confirmed_by\": {\"type\": \"text\", \"by\": \"caller\","
    "     \"description\": \"Who has taken it over: whoever gets it, or of that team\"},"
    "   \"new_owner\": {\"type\": \"text\", \"by\": \"plugin\","
    "     \"description\": \"Whose it is since it was ticked\"},"
    "   \"reason\": {\"type\": \"text\","
    "     \"description\": \"Why it was settled without, is left, or was not given\"}},"
    " \"roles\": {\"customer\": {\"subject\": true, \"optional\": true}},"
    " \"states\": [\"listed\", \"confirmed\", {\"name\": \"given\", \"final\": true},"
    "   {\"name\": \"settled\", \"final\": true},"
    "   {\"name\": \"left\", \"final\": true}],"
    " \"transitions\": {"
    "   \"confirm\": {\"from\": \"listed\", \"to\": \"confirmed\","
    "     \"fields\": [\"confirmed_by\"]},"
    "   \"give\": {\"from\": \"confirmed\", \"to\": \"given\", \"by\": \"plugin\","
    "     \"fields\": [\"new_owner\"]},"
    "   \"settle\": {\"from\": \"confirmed\", \"to\": \"settled\", \"by\": \"plugin\","
    "     \"fields\": [\"reason\"]},"
    "   \"leave\": {\"from\": [\"listed\", \"confirmed\"], \"to\": \"left\","
    "     \"fields\": [\"reason\"]},"
    "   \"list\": {\"from\": [\"confirmed\", \"given\", \"settled\", \"left\"],"
    "     \"to\": \"listed\"}},"
    " \"title\": \"title\"}";

const struct kith_kind *const followup_kinds[] = {
    KITH_ITEM(kind, .name = "todo", .json = todo),
    KITH_ITEM(kind, .name = "calendar_copy", .json = copy),
    KITH_ITEM(kind, .name = "calendar_feed", .json = feed),
    KITH_ITEM(kind, .name = "promise", .json = promise),
    KITH_ITEM(kind, .name = "handover", .json = handover),
    KITH_ITEM(kind, .name = "handover_item", .json = handover_item),
    NULL,
};
