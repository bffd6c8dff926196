/* kind.c -- see kind.h.
 *
 *     received -- acknowledge -> acknowledged -- assess -> assessed -- investigate -> investigated
 *     any of the last three -- respond --> responded -- close --> closed -- reopen --> reopened
 *     whatever is open after "received" -- ask --> waiting -- resume --> assessed
 *     whatever is open -- withdraw, merge --> closed
 *
 * While it waits for the customer all deadlines are paused.  A complaint that is reopened has the
 * time to respond once more, from then on.
 */
#include "kind.h"

#define OPEN "\"acknowledged\",\"assessed\",\"investigated\",\"reopened\""

static const char declaration[] =
    "{\"description\":\"What somebody is not content with, handled after ISO 10002\","
    "\"fields\":{"
    "\"subject\":{\"type\":\"text\",\"required\":true,\"searchable\":true,\"personal\":true},"
    "\"text\":{\"type\":\"text\",\"personal\":true},"
    "\"severity\":{\"type\":\"choice\","
    "\"values\":[\"low\",\"normal\",\"high\",\"critical\"]},"
    "\"channel\":\"text\",\"product\":\"text\",\"order\":\"text\","
    "\"thread\":{\"type\":\"text\",\"personal\":true},"
    "\"external_id\":{\"type\":\"text\",\"external\":true},"
    "\"root_cause\":{\"type\":\"choice\",\"values\":\"$root_causes\"},"
    "\"resolution\":{\"type\":\"choice\",\"values\":\"$resolutions\"},"
    "\"cost\":{\"type\":\"money\",\"unsigned\":true},"
    "\"compensation\":{\"type\":\"money\",\"unsigned\":true},"
    "\"recovery\":{\"type\":\"text\",\"description\":\"What was done to make up for it\"},"
    "\"duplicate_of\":{\"type\":\"record:complaint\",\"same_subject\":true},"
    "\"acknowledged_at\":{\"type\":\"time\",\"by\":\"plugin\"},\"acknowledged_in_time\":{\"type\":"
    "\"flag\",\"by\":\"plugin\"},"
    "\"responded_at\":{\"type\":\"time\",\"by\":\"plugin\"},\"responded_in_time\":{\"type\":"
    "\"flag\",\"by\":\"plugin\"},"
    "\"closed_at\":{\"type\":\"time\",\"by\":\"plugin\"},\"times_reopened\":{\"type\":\"whole\","
    "\"by\":\"plugin\"},\"last_heard\":{\"type\":\"time\",\"by\":\"plugin\"},"
    "\"satisfaction\":{\"type\":\"whole\",\"by\":\"plugin\",\"description\":\"1, not at all, to "
    "5\"},"
    "\"satisfaction_text\":{\"type\":\"text\",\"by\":\"plugin\",\"personal\":true},"
    "\"policy\":{\"type\":\"text\",\"by\":\"plugin\",\"description\":\"The version it was taken in "
    "under\"}},"
    "\"roles\":{\"customer\":{\"subject\":true},\"dealer\":{\"many\":true},"
    "\"representative\":{\"many\":true}},"
    "\"states\":[\"received\",\"acknowledged\",\"assessed\",\"investigated\","
    "{\"name\":\"waiting\",\"waiting\":true},\"responded\",\"reopened\","
    "{\"name\":\"closed\",\"final\":true}],"
    "\"transitions\":{"
    "\"acknowledge\":{\"from\":\"received\",\"to\":\"acknowledged\"},"
    "\"assess\":{\"from\":[\"received\",\"acknowledged\",\"reopened\"],\"to\":\"assessed\","
    "\"fields\":[\"severity\"]},"
    "\"investigate\":{\"from\":[\"acknowledged\",\"assessed\",\"reopened\"],"
    "\"to\":\"investigated\"},"
    "\"ask\":{\"from\":[" OPEN "],\"to\":\"waiting\"},"
    "\"resume\":{\"from\":\"waiting\",\"to\":\"assessed\"},"
    "\"respond\":{\"from\":[" OPEN "],\"to\":\"responded\"},"
    "\"close\":{\"from\":\"responded\",\"to\":\"closed\","
    "\"fields\":[\"root_cause\",\"resolution\"]},"
    "\"withdraw\":{\"from\":\"*\",\"to\":\"closed\"},"
    "\"merge\":{\"from\":\"*\",\"to\":\"closed\",\"fields\":[\"duplicate_of\"]},"
    "\"reopen\":{\"from\":[\"responded\",\"closed\"],\"to\":\"reopened\"}},"
    "\"deadlines\":{"
    "\"acknowledge\":{\"from\":\"received\",\"due\":\"$acknowledge\","
    "\"calendar\":\"$calendar\",\"to\":\"owner\",\"escalate\":\"$escalate\","
    "\"title\":\"Acknowledge the complaint\"},"
    "\"respond\":{\"from\":[\"received\"," OPEN "],\"met\":\"responded\","
    "\"due\":\"$respond\",\"due_by\":{\"severity\":{\"low\":\"$respond_low\","
    "\"high\":\"$respond_high\",\"critical\":\"$respond_critical\"}},"
    "\"calendar\":\"$calendar\",\"to\":\"owner\",\"escalate\":\"$escalate\","
    "\"title\":\"Respond to the complaint\"},"
    "\"close\":{\"from\":\"responded\",\"met\":\"closed\",\"due\":\"$close\","
    "\"calendar\":\"$calendar\",\"to\":\"owner\",\"title\":\"Close the complaint\"}},"
    "\"owner\":\"$team\",\"title\":\"subject\"}";
const struct kith_kind *const kind_list[] = {
    KITH_ITEM(kind, .name = "complaint", .json = declaration), NULL
};

const struct kith_field *const kind_config[] = {
    KITH_ITEM(field, .name = "team", .type = "text", .standard = "",
              .about = "Whose a new complaint is: a member of staff, or a team"),
    KITH_ITEM(field, .name = "calendar", .type = "text", .standard = "",
              .about = "By which calendar deadlines are counted; else by the company's"),
    KITH_ITEM(field, .name = "policy_version", .type = "text", .standard = "1",
              .about = "What the policy is called; each complaint notes it"),
    KITH_ITEM(field, .name = "acknowledge", .type = "period", .standard = "1wd",
              .about = "How soon it is acknowledged"),
    KITH_ITEM(field, .name = "respond", .type = "period", .standard = "10wd",
              .about = "How soon it is responded to, of normal severity"),
    KITH_ITEM(field, .name = "respond_low", .type = "period", .standard = "10wd",
              .about = "The same, of low severity"),
    KITH_ITEM(field, .name = "respond_high", .type = "period", .standard = "5wd",
              .about = "The same, of high severity"),
    KITH_ITEM(field, .name = "respond_critical", .type = "period", .standard = "2wd",
              .about = "The same, of critical severity"),
    KITH_ITEM(field, .name = "close", .type = "period", .standard = "20wd",
              .about = "How soon after the response it is closed"),
    KITH_ITEM(field, .name = "escalate", .type = "list", .standard = "{}",
              .about = "The ladder when it is overdue: { \"4wh managers\", \"2wd board\" }"),
    KITH_ITEM(
        field, .name = "root_causes", .type = "list",
        .standard =
            "{ \"product\", \"delivery\", \"service\", \"billing\", \"information\", \"other\" }",
        .about = "What root_cause may be"),
    KITH_ITEM(
        field, .name = "resolutions", .type = "list",
        .standard =
            "{ \"accepted\", \"partly accepted\", \"rejected\", \"withdrawn\", \"duplicate\" }",
        .about = "What resolution may be"),
    KITH_ITEM(field, .name = "addresses", .type = "list", .standard = "{}",
              .about = "Addresses of yours: mail to them is a complaint"),
    KITH_ITEM(field, .name = "words", .type = "list", .standard = "{}",
              .about = "Words by which mail to any address is a complaint"),
    KITH_ITEM(field, .name = "critical_words", .type = "list", .standard = "{}",
              .about = "Words by which a complaint is critical"),
    KITH_ITEM(field, .name = "channel", .type = "channel", .standard = "",
              .about = "How the customer is written to; else she is not"),
    KITH_ITEM(field, .name = "acknowledge_template", .type = "text", .standard = "",
              .about = "The template of the acknowledgement; else a plain text"),
    KITH_ITEM(field, .name = "auto_acknowledge", .type = "flag", .standard = "true",
              .about = "Whether that message acknowledges the complaint"),
    KITH_ITEM(field, .name = "acknowledge_daily", .type = "whole", .standard = "3",
              .about = "How many acknowledgements a customer is sent in a day", .least = 0,
              .most = 100),
    KITH_ITEM(field, .name = "survey_template", .type = "text", .standard = "",
              .about = "The template of the survey; else a plain text"),
    KITH_ITEM(field, .name = "survey_after", .type = "period", .standard = "3d",
              .about = "How long after closing the survey is sent; \"\": never"),
    KITH_ITEM(field, .name = "recovery_after", .type = "period", .standard = "10wd",
              .about = "How long after closing she is called; \"\": never"),
    KITH_ITEM(field, .name = "recovery_within", .type = "period", .standard = "2wd",
              .about = "How long there is for that call; \"\": it is due at once"),
    KITH_ITEM(field, .name = "reopen_days", .type = "whole", .standard = "60",
              .about = "For how many days an answer reopens a closed complaint", .least = 0,
              .most = 36500),
    NULL,
};
