/* listening.c -- see listening.h. */
#include "core/server/listening.h"

#include "core/base/clock.h"
#include "core/base/err.h"
#include "core/plugin/breadcrumb.h"
#include "core/script/settings.h"
#include "core/server/notify.h"
#include "core/server/say.h"

#include <string.h>

#define DECODED_BYTES_MAX (8u << 20)

int listening_open(struct uv_loop_s *loop, const struct settings *settings, int socket,
                   struct http_handler handler, struct http_server **out_server, struct err *err)
{
    struct http_options options = {
        .has_socket = socket >= 0,
        .socket = socket,
        .host = settings->host,
        .port = settings->port,
        .cert_file = settings->cert,
        .key_file = settings->key,
        .limits = { .decoded_bytes_max = DECODED_BYTES_MAX },
        .handler = handler,
    };
    if (socket < 0 && settings->port == 0 && breadcrumb_port() != 0) {
        options.port = breadcrumb_port();
        if (http_server_open(loop, &options, out_server, err) == 0)
            return 0;
        options.port = 0; /* somebody else has it by now */
    }
    return http_server_open(loop, &options, out_server, err);
}

void listening_say(const struct http_server *server, const struct settings *settings, int socket)
{
    char given[HTTP_ADDRESS_MAX];
    struct clock clock = clock_machine();
    const char *host = settings->host;
    if (socket >= 0) {
        http_server_host(server, given);
        host = given;
    }
    bool is_v6 = strchr(host, ':') != NULL;
    say("ready on http%s://%s%s%s:%u", settings->cert != NULL ? "s" : "", is_v6 ? "[" : "", host,
        is_v6 ? "]" : "", (unsigned)http_server_port(server));
    notify("READY=1");
    breadcrumb_note_serving(clock.boot_ms(clock.arg), http_server_port(server));
}
