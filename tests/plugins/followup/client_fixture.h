/* client_fixture.h -- a client of the CalDAV function that says exactly what a test wants said.
 *
 * One list, one member of staff, one exchange after the other; the answer of the last one stays
 * until the next.  Lists of requests that real clients send are in the tests that use this.
 */
#ifndef TESTS_PLUGINS_FOLLOWUP_CLIENT_FIXTURE_H
#define TESTS_PLUGINS_FOLLOWUP_CLIENT_FIXTURE_H

#include "plugins/followup/dav.h"

#define CLIENT_BASE "/dav"
#define CLIENT_STAFF "anna"
#define CLIENT_LIST CLIENT_BASE "/calendars/" CLIENT_STAFF "/tasks/"

struct fixture_list;

struct client {
    struct fixture_list *list;
    struct dav_answer answer;
    const char *headers[8]; /* name, value, ... NULL: sent with the next request only */
};

int client_open(void **state); /* for cmocka: *state is a struct client */
int client_close(void **state);

/* Send a request and return the status; `body` NULL for none.  Headers set before are used up. */
int client_send(struct client *client, const char *method, const char *path, const char *body);

/* The next request has this header. */
void client_header(struct client *client, const char *name, const char *value);

const char *client_body(struct client *client);
const char *client_answer_header(const struct client *client, const char *name); /* "" for none */

/* A task of Kith's own in the list, as `UID:name`, `SUMMARY:title` and further lines. */
void client_task(struct client *client, const char *name, const char *title, const char *lines);

#endif
