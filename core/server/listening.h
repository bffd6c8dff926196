/* listening.h -- the server of the daemon, as it was configured, and the line that says ready.
 *
 * On the socket that a service manager gave, else on the address of the configuration.  A daemon
 * that comes back after a crash, and may have any port, takes the one that its clients know.
 * The loop's thread.
 */
#ifndef CORE_SERVER_LISTENING_H
#define CORE_SERVER_LISTENING_H

#include "core/http/http.h"

struct err;
struct settings;
struct uv_loop_s;

/* `socket`: as it was given, or -1.  As http_server_open(). */
int listening_open(struct uv_loop_s *loop, const struct settings *settings, int socket,
                   struct http_handler handler, struct http_server **out_server, struct err *err);

/* Say that it is ready, and where: to people, to the service manager, and to the parent. */
void listening_say(const struct http_server *server, const struct settings *settings, int socket);

#endif
