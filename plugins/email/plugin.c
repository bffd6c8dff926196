/* plugin.c -- the e-mail plugin as Kith knows it: what it is, what it needs, its beginning and end.
 *
 *     settings   what the operator wrote         relay    messages out, over libcurl
 *     face       what rules see                  intake   mail in, over LMTP
 *
 * There is no route and no job: who unsubscribes by one click POSTs a signed link of Kith's own.
 */
#include "face.h"
#include "fault.h"
#include "intake.h"
#include "kith.h"
#include "relay.h"
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>

struct email {
    struct settings *settings;
    struct relay *relay;
    struct intake *intake;
};

static void stop(void *self)
{
    struct email *email = self;
    intake_free(email->intake);
    relay_free(email->relay);
    settings_free(email->settings);
    free(email);
}

static int begin(struct email *email, const struct kith_host *host, struct kith *kith,
                 struct fault *fault)
{
    struct kith_doc config;
    if (host->config(kith, &config) != KITH_OK)
        return fault_set(fault, FAULT_INVALID, "no configuration");
    int rc = settings_read(config, &email->settings, fault);
    if (rc == 0)
        rc = relay_new(host, kith, email->settings, &email->relay, fault);
    if (rc != 0)
        return rc;
    const struct arrival_context context = { host, kith, email->settings };
    return intake_new(&context, &email->intake, fault);
}

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    struct email *email = calloc(1, sizeof *email);
    struct fault fault = { .code = 0 };
    if (email == NULL)
        return KITH_FAILED;
    *out_self = email;
    if (begin(email, host, kith, &fault) == 0)
        return KITH_OK;
    snprintf(reason, 256, "%s", fault.text);
    return KITH_FAILED;
}

static void send(void *self, const struct kith_message *message)
{
    relay_send(((struct email *)self)->relay, message);
}

static void tell_status(void *self, struct kith_channel_status *status)
{
    relay_status(((struct email *)self)->relay, status);
}

static const struct kith_channel *const channels[] = {
    KITH_ITEM(channel, .name = "email", .flags = KITH_NEEDS_ADDRESS | KITH_MARKDOWN | KITH_FILES,
              .send = send, .status = tell_status),
    NULL,
};

static const struct kith_plugin *const plugin =
    KITH_ITEM(plugin, .abi = KITH_ABI, .name = "email", .version = "1.0",
              .about = "Messages by e-mail, and what comes back",
              .needs = KITH_NAMES("channel", "append", "read", "sockets", "work", "files"),
              .config = settings_fields, .handlers = face_handlers, .functions = face_functions,
              .states = face_states, .traits = face_traits, .channels = channels, .start = start,
              .stop = stop);

const struct kith_plugin *kith_describe(void)
{
    return plugin;
}
