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

static const struct kith_kind complaint = {
    .size = sizeof complaint,
    .name = "complaint",
    .json =
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
        "\"cost\":\"money\",\"compensation\":\"money\","
        "\"recovery\":{\"type\":\"text\",\"description\":\"What was done to make up for it\"},"
        "\"duplicate_of\":\"record:complaint\","
        "\"acknowledged_at\":{\"type\":\"time\",\"by\":\"plugin\"},\"acknowledged_in_time\":{"
        "\"type\":\"flag\",\"by\":\"plugin\"},"
        "\"responded_at\":{\"type\":\"time\",\"by\":\"plugin\"},\"responded_in_time\":{\"type\":"
        "\"flag\",\"by\":\"plugin\"},"
        "\"closed_at\":{\"type\":\"time\",\"by\":\"plugin\"},\"times_reopened\":{\"type\":"
        "\"whole\",\"by\":\"plugin\"},\"last_heard\":{\"type\":\"time\",\"by\":\"plugin\"},"
        "\"satisfaction\":{\"type\":\"whole\",\"by\":\"plugin\",\"description\":\"1, not at all, "
        "to 5\"},"
        "\"satisfaction_text\":{\"type\":\"text\",\"by\":\"plugin\",\"personal\":true},"
        "\"policy\":{\"type\":\"text\",\"by\":\"plugin\",\"description\":\"The version it was "
        "taken in under\"}},"
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
        "\"owner\":\"$team\",\"title\":\"subject\"}",
};
const struct kith_kind *const kind_list[] = { &complaint, NULL };

/* The name in kith.lua; the symbol is it behind `config_`, for some are names of functions of C. */
#define FIELD(called, kind, otherwise, words)                                          \
    static const struct kith_field config_##called = { .size = sizeof config_##called, \
                                                       .name = #called,                \
                                                       .type = (kind),                 \
                                                       .standard = (otherwise),        \
                                                       .about = (words) }

FIELD(team, "text", "", "Whose a new complaint is: a member of staff, or a team");
FIELD(calendar, "text", "", "By which calendar deadlines are counted; else by the company's");
FIELD(policy_version, "text", "1", "What the policy is called; each complaint notes it");
FIELD(acknowledge, "text", "1wd", "How soon it is acknowledged");
FIELD(respond, "text", "10wd", "How soon it is responded to, of normal severity");
FIELD(respond_low, "text", "10wd", "The same, of low severity");
FIELD(respond_high, "text", "5wd", "The same, of high severity");
FIELD(respond_critical, "text", "2wd", "The same, of critical severity");
FIELD(close, "text", "20wd", "How soon after the response it is closed");
FIELD(escalate, "list", "{}", "The ladder when it is overdue: { \"4wh managers\", \"2wd board\" }");
FIELD(root_causes, "list",
      "{ \"product\", \"delivery\", \"service\", \"billing\", \"information\", \"other\" }",
      "What root_cause may be");
FIELD(resolutions, "list",
      "{ \"accepted\", \"partly accepted\", \"rejected\", \"withdrawn\", \"duplicate\" }",
      "What resolution may be");
FIELD(addresses, "list", "{}", "Addresses of yours: mail to them is a complaint");
FIELD(words, "list", "{}", "Words by which mail to any address is a complaint");
FIELD(critical_words, "list", "{}", "Words by which a complaint is critical");
FIELD(channel, "text", "", "How the customer is written to; else she is not");
FIELD(acknowledge_template, "text", "", "The template of the acknowledgement; else a plain text");
FIELD(auto_acknowledge, "flag", "true", "Whether that message acknowledges the complaint");
FIELD(survey_template, "text", "", "The template of the survey; else a plain text");
FIELD(survey_after, "text", "3d", "How long after closing the survey is sent; \"\": never");
FIELD(recovery_after, "text", "10wd", "How long after closing she is called; \"\": never");
FIELD(recovery_within, "text", "2wd", "How long there is for that call");
FIELD(reopen_days, "whole", "60", "For how many days an answer reopens a closed complaint");

const struct kith_field *const kind_config[] = {
    &config_team,
    &config_calendar,
    &config_policy_version,
    &config_acknowledge,
    &config_respond,
    &config_respond_low,
    &config_respond_high,
    &config_respond_critical,
    &config_close,
    &config_escalate,
    &config_root_causes,
    &config_resolutions,
    &config_addresses,
    &config_words,
    &config_critical_words,
    &config_channel,
    &config_acknowledge_template,
    &config_auto_acknowledge,
    &config_survey_template,
    &config_survey_after,
    &config_recovery_after,
    &config_recovery_within,
    &config_reopen_days,
    NULL,
};
