/* plugin.c -- what the plugin is: its description, its routes, its beginning and end.
 *
 * README.md says what it is for; session.h how a device is served.
 */
#include "care.h"
#include "dav.h"
#include "feeds.h"
#include "handover.h"
#include "kinds.h"
#include "session.h"

#include <stdio.h>
#include <stdlib.h>

/* -- Routes ------------------------------------------------------------------------------------ */

static void on_well_known(void *self, const struct kith_request *request)
{
    static const char *const headers[] = { "Location: " SESSION_BASE "/", NULL };
    const struct followup *followup = self;
    const struct kith_reply reply = { .size = sizeof reply, .status = 301, .headers = headers };
    followup->host->reply(followup->kith, request->id, &reply);
}

static void on_dav(void *self, const struct kith_request *request)
{
    session_begin(self, request);
}

static void on_feed_new(void *self, const struct kith_request *request)
{
    feeds_new(self, request);
}

static void on_feed_end(void *self, const struct kith_request *request)
{
    feeds_end(self, request);
}

static void on_feed(void *self, const struct kith_request *request)
{
    feeds_open(self, request);
}

static const struct kith_route well_known = {
    .size = sizeof well_known,
    .method = "*",
    .path = DAV_WELL_KNOWN,
    .summary = "Where a calendar client begins (RFC 6764)",
    .auth = KITH_AUTH_NONE,
    .body_max = SESSION_BODY_MAX,
    .handle = on_well_known,
};
static const struct kith_route dav = {
    .size = sizeof dav,
    .method = "*",
    .path = SESSION_BASE "/*",
    .summary = "The task list of the key's member of staff over CalDAV",
    .auth = KITH_AUTH_STAFF,
    .body_max = SESSION_BODY_MAX,
    .handle = on_dav,
};
static const struct kith_route feed_new = {
    .size = sizeof feed_new,
    .method = "POST",
    .path = FEEDS_PATH,
    .summary = "A secret address of one's due list, which ends the one before",
    .auth = KITH_AUTH_STAFF,
    .handle = on_feed_new,
};
static const struct kith_route feed_end = {
    .size = sizeof feed_end,
    .method = "DELETE",
    .path = FEEDS_PATH,
    .summary = "No secret address any more",
    .auth = KITH_AUTH_STAFF,
    .handle = on_feed_end,
};
static const struct kith_route feed = {
    .size = sizeof feed,
    .method = "GET",
    .path = FEEDS_PATH "/{token}",
    .summary = "A due list as a calendar to subscribe to (RFC 5545)",
    .auth = KITH_AUTH_NONE,
    .handle = on_feed,
};
static const struct kith_route *const routes[] = { &well_known, &dav,  &feed_new,
                                                   &feed_end,   &feed, NULL };

/* -- Configuration ----------------------------------------------------------------------------- */

static const struct kith_field done_shown = {
    .size = sizeof done_shown,
    .name = "done_shown",
    .type = "duration",
    .standard = "336h",
    .about = "How long what is done stays in a device's list",
};
static const struct kith_field zone = {
    .size = sizeof zone,
    .name = "zone",
    .type = "text",
    .standard = "UTC",
    .about = "The time zone of times that a device writes without one",
};
static const struct kith_field promise_apology = {
    .size = sizeof promise_apology,
    .name = "promise_apology",
    .type = "text",
    .standard = "4wh",
    .about = "How soon somebody apologizes for a promise that was broken",
};
static const struct kith_field promise_escalation = {
    .size = sizeof promise_escalation,
    .name = "promise_escalation",
    .type = "text",
    .standard = "4wh",
    .about = "How long after that promise_lead is told, if nobody has",
};
static const struct kith_field promise_lead = {
    .size = sizeof promise_lead,
    .name = "promise_lead",
    .type = "text",
    .standard = "owner",
    .about = "Who is told: staff, or a team",
};
static const struct kith_field promise_recovery = {
    .size = sizeof promise_recovery,
    .name = "promise_recovery",
    .type = "text",
    .standard = "3wd",
    .about = "How soon what was promised is made good",
};
static const struct kith_field apology_template = {
    .size = sizeof apology_template,
    .name = "apology_template",
    .type = "text",
    .standard = "",
    .about = "The template of a message to her when a promise was broken; empty: none is sent",
};
static const struct kith_field apology_channel = {
    .size = sizeof apology_channel,
    .name = "apology_channel",
    .type = "text",
    .standard = "email",
    .about = "Over which channel it goes",
};
static const struct kith_field revisit_types = {
    .size = sizeof revisit_types,
    .name = "revisit_types",
    .type = "list",
    .about = "Events after which she is to be seen again: a visit, a purchase",
};
static const struct kith_field revisit_after = {
    .size = sizeof revisit_after,
    .name = "revisit_after",
    .type = "text",
    .standard = "90d",
    .about = "How long after: \"90d\", \"30wd\", \"6mo\"",
};
static const struct kith_field revisit_to = {
    .size = sizeof revisit_to,
    .name = "revisit_to",
    .type = "text",
    .standard = "owner",
    .about = "Who sees her again: staff, a team, or her owner",
};
static const struct kith_field revisit_title = {
    .size = sizeof revisit_title,
    .name = "revisit_title",
    .type = "text",
    .standard = "See her again",
    .about = "What the reminder says",
};
static const struct kith_field *const fields[] = { &done_shown,
                                                   &zone,
                                                   &promise_apology,
                                                   &promise_escalation,
                                                   &promise_lead,
                                                   &promise_recovery,
                                                   &apology_template,
                                                   &apology_channel,
                                                   &revisit_types,
                                                   &revisit_after,
                                                   &revisit_to,
                                                   &revisit_title,
                                                   NULL };

/* -- Beginning and end ------------------------------------------------------------------------- */

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    struct kith_doc config;
    struct followup *followup = calloc(1, sizeof *followup);
    if (followup == NULL) {
        snprintf(reason, 256, "memory is short");
        return KITH_FAILED;
    }
    *out_self = followup;
    followup->host = host;
    followup->kith = kith;
    host->config(kith, &config);
    followup->done_shown_ms = kith_get_int(config, "done_shown", 0);
    struct kith_text name = kith_get_text(config, "zone");
    snprintf(followup->zone, sizeof followup->zone, "%.*s", (int)name.size, name.data);
    if (zone_is_known(followup->zone))
        return KITH_OK;
    snprintf(reason, 256, "zone: \"%.40s\" is no time zone: write one like \"Europe/Berlin\"",
             followup->zone);
    return KITH_INVALID;
}

static void stop(void *self)
{
    struct followup *followup = self;
    session_end_all(followup);
    handover_end(followup->handover);
    free(followup);
}

static int32_t erased(void *self, uint64_t customer)
{
    struct followup *followup = self;
    for (struct desk *desk = followup->desks; desk != NULL; desk = desk->next)
        book_forget_customer(&desk->book, customer);
    return KITH_OK;
}

static const char *const needs[] = { "read",     "staff",      "on-behalf", "routes", "act:create",
                                     "act:move", "act:remind", "act:send",  NULL };

KITH_EXPORT const struct kith_plugin *kith_describe(void)
{
    static const struct kith_plugin plugin = {
        .size = sizeof plugin,
        .abi = KITH_ABI,
        .name = "followup",
        .version = "1",
        .about = "Promises, revisits, hand-overs, and each member of staff's due list in her own "
                 "calendar",
        .needs = needs,
        .config = fields,
        .handlers = care_handlers,
        .functions = care_functions,
        .states = care_states,
        .traits = care_traits,
        .kinds = followup_kinds,
        .routes = routes,
        .jobs = handover_jobs,
        .start = start,
        .stop = stop,
        .erased = erased,
    };
    return &plugin;
}
