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

static const struct kith_route *const routes[] = {
    KITH_ITEM(route, .method = "*", .path = DAV_WELL_KNOWN, .auth = KITH_AUTH_NONE,
              .body_max = SESSION_BODY_MAX, .handle = on_well_known,
              .summary = "Where a calendar client begins (RFC 6764)"),
    KITH_ITEM(route, .method = "*", .path = SESSION_BASE "/*", .auth = KITH_AUTH_STAFF,
              .body_max = SESSION_BODY_MAX, .handle = session_begin,
              .summary = "The task list of the key's member of staff over CalDAV"),
    KITH_ITEM(route, .method = "POST", .path = FEEDS_PATH, .auth = KITH_AUTH_STAFF,
              .handle = feeds_new,
              .summary = "A secret address of one's due list, which ends the one before"),
    KITH_ITEM(route, .method = "DELETE", .path = FEEDS_PATH, .auth = KITH_AUTH_STAFF,
              .handle = feeds_end, .summary = "No secret address any more"),
    KITH_ITEM(route, .method = "GET", .path = FEEDS_PATH "/{token}", .auth = KITH_AUTH_NONE,
              .handle = feeds_open,
              .summary = "A due list as a calendar to subscribe to (RFC 5545)"),
    NULL,
};

/* -- Configuration ----------------------------------------------------------------------------- */

static const struct kith_field *const fields[] = {
    KITH_ITEM(field, .name = "done_shown", .type = "duration", .standard = "336h",
              .about = "How long what is done stays in a device's list"),
    KITH_ITEM(field, .name = "zone", .type = "text", .standard = "UTC",
              .about = "The time zone of times that a device writes without one"),
    KITH_ITEM(field, .name = "promise_apology", .type = "period", .standard = "4wh",
              .about = "How soon somebody apologizes for a promise that was broken"),
    KITH_ITEM(field, .name = "promise_escalation", .type = "period", .standard = "4wh",
              .about = "How long after that promise_lead is told, if nobody has"),
    KITH_ITEM(field, .name = "promise_lead", .type = "text", .standard = "owner",
              .about = "Who is told: staff, or a team"),
    KITH_ITEM(field, .name = "promise_recovery", .type = "period", .standard = "3wd",
              .about = "How soon what was promised is made good"),
    KITH_ITEM(
        field, .name = "apology_template", .type = "text", .standard = "",
        .about = "The template of a message to her when a promise was broken; empty: none is sent"),
    KITH_ITEM(field, .name = "apology_channel", .type = "channel", .standard = "email",
              .about = "Over which channel it goes"),
    KITH_ITEM(field, .name = "revisit_types", .type = "list",
              .about = "Events after which she is to be seen again: a visit, a purchase"),
    KITH_ITEM(field, .name = "revisit_after", .type = "period", .standard = "90d",
              .about = "How long after: \"90d\", \"30wd\", \"6mo\""),
    KITH_ITEM(field, .name = "revisit_to", .type = "text", .standard = "owner",
              .about = "Who sees her again: staff, a team, or her owner"),
    KITH_ITEM(field, .name = "revisit_title", .type = "text", .standard = "See her again",
              .about = "What the reminder says"),
    NULL,
};

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

static const struct kith_plugin *const plugin = KITH_ITEM(
    plugin, .abi = KITH_ABI, .name = "followup", .version = "1",
    .about =
        "Promises, revisits, hand-overs, and each member of staff's due list in her own calendar",
    .needs = KITH_NAMES("read", "staff", "on-behalf", "routes", "act:create", "act:move",
                        "act:remind", "act:send"),
    .config = fields, .handlers = care_handlers, .functions = care_functions, .states = care_states,
    .traits = care_traits, .kinds = followup_kinds, .routes = routes, .jobs = handover_jobs,
    .start = start, .stop = stop, .erased = erased);

const struct kith_plugin *kith_describe(void)
{
    return plugin;
}
