/* plugin.c -- complaints, handled after ISO 10002: what the host is told of this plugin.
 *
 *     kind.c       the case kind, and what the operator may configure
 *     intake.c     how complaints come in: mail, events, rules
 *     form.c       ... and the form of a web page
 *     course.c     what happens by itself from then on
 *     known.c      what is kept about each customer
 *     message.c    what the customer is written
 *     face.c       what rules can call
 *     report.c     the review; counted in review.c
 *
 * Deadlines, their escalation and why they moved are Kith's own (docs/records.md).
 */
#include "course.h"
#include "face.h"
#include "intake.h"
#include "kind.h"
#include "known.h"
#include "message.h"
#include "outside.h"

static const struct kith_handler *const handlers[] = { &intake_mail,
                                                       &intake_event,
                                                       &intake_failed,
                                                       &course_created,
                                                       &course_ended,
                                                       &course_closed,
                                                       &course_reopened,
                                                       &message_sent,
                                                       &course_merged,
                                                       &course_survey,
                                                       &course_recovery,
                                                       &course_answered,
                                                       NULL };
static const struct kith_state *const states[] = { &known_state, NULL };
static const struct kith_route *const routes[] = { &form_route, &report_route, NULL };

static const struct kith_plugin *const plugin =
    KITH_ITEM(plugin, .abi = KITH_ABI, .name = "complaint", .version = "1.0",
              .about = "Complaints, handled after ISO 10002",
              .needs = KITH_NAMES("append", "read", "staff", "routes", "act:create", "act:move",
                                  "act:link", "act:change", "act:send", "act:notify", "act:remind",
                                  "act:after", "act:cancel"),
              .config = kind_config, .handlers = handlers, .functions = face_functions,
              .states = states, .traits = course_traits, .kinds = kind_list, .routes = routes,
              .start = outside_start, .stop = outside_stop);

const struct kith_plugin *kith_describe(void)
{
    return plugin;
}
