/* client_fixture.c -- requests made of literals. */
#include "tests/plugins/followup/client_fixture.h"

#include "tests/plugins/followup/dav_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int client_open(void **state)
{
    struct client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return 1;
    client->list = fixture_new();
    *state = client;
    return 0;
}

int client_close(void **state)
{
    struct client *client = *state;
    fixture_free(client->list);
    dav_answer_deinit(&client->answer);
    free(client);
    return 0;
}

static const char *header_of(void *arg, const char *name)
{
    const struct client *client = arg;
    for (size_t i = 0; client->headers[i] != NULL; i += 2)
        if (strcasecmp(client->headers[i], name) == 0)
            return client->headers[i + 1];
    return NULL;
}

int client_send(struct client *client, const char *method, const char *path, const char *body)
{
    struct dav_store store = fixture_store(client->list);
    struct dav_request request = {
        .method = method,
        .path = path,
        .base = CLIENT_BASE,
        .staff = CLIENT_STAFF,
        .title = "Anna <M\xC3\xBCller>",
        .body = body == NULL ? "" : body,
        .body_size = body == NULL ? 0 : strlen(body),
        .header = header_of,
        .arg = client,
    };
    dav_answer_deinit(&client->answer);
    dav_answer(&request, &store, &client->answer);
    client->headers[0] = NULL;
    return client->answer.status;
}

void client_header(struct client *client, const char *name, const char *value)
{
    size_t at = 0;
    while (client->headers[at] != NULL)
        at += 2;
    if (at + 2 >= sizeof client->headers / sizeof *client->headers)
        abort();
    client->headers[at] = name;
    client->headers[at + 1] = value;
    client->headers[at + 2] = NULL;
}

const char *client_body(struct client *client)
{
    return buffer_string(&client->answer.body);
}

const char *client_answer_header(const struct client *client, const char *name)
{
    for (unsigned i = 0; i < client->answer.header_count; i++)
        if (strcmp(client->answer.headers[i].name, name) == 0)
            return client->answer.headers[i].value;
    return "";
}

void client_task(struct client *client, const char *name, const char *title, const char *lines)
{
    char text[2048];
    int size = snprintf(text, sizeof text,
                        "BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nUID:%s\r\nSUMMARY:%s\r\n%s"
                        "END:VTODO\r\nEND:VCALENDAR\r\n",
                        name, title, lines);
    char file[300];
    snprintf(file, sizeof file, "%s.ics", name);
    if (size < 0 || (size_t)size >= sizeof text ||
        fixture_write(client->list, file, text, (size_t)size) != 0)
        abort();
}
