/* davd.c -- the CalDAV function behind a socket, so that real clients can be set on it.
 *
 * One connection after the other, one request each, blocking: what it serves is dav_answer() over
 * task lists in memory, and nothing here is meant for any other use.  Two members of staff, anna
 * and bert, each with the password `secret`.  Below /kith/ is the side that is not a calendar:
 *
 *     GET    /kith/STAFF          all her tasks as one calendar
 *     PUT    /kith/STAFF/NAME     write a task, as Kith would, without asking anybody
 *     DELETE /kith/STAFF/NAME
 *     GET    /feed/STAFF          her due list as a feed, without a password
 *
 * Prints `davd: ready on http://127.0.0.1:PORT` and serves until it is ended by a signal.
 */
#include "plugins/followup/feed.h"
#include "tests/plugins/followup/dav_fixture.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX (2u << 20)
#define HEADERS_MAX 64
#define BASE "/dav"

static const struct {
    const char *name, *title, *credentials;
} staff[] = {
    { "anna", "Anna Müller", "Basic YW5uYTpzZWNyZXQ=" },
    { "bert", NULL, "Basic YmVydDpzZWNyZXQ=" },
};

#define STAFF_COUNT (sizeof staff / sizeof *staff)

struct call {
    char text[REQUEST_MAX + 1]; /* as it came; cut into pieces in place */
    char *method, *path, *body;
    size_t body_size;
    struct {
        char *name, *value;
    } headers[HEADERS_MAX];
    size_t header_count;
};

static struct fixture_list *lists[STAFF_COUNT];
static struct call call;

static const char *header_of(void *arg, const char *name)
{
    const struct call *of = arg;
    for (size_t i = 0; i < of->header_count; i++)
        if (strcasecmp(of->headers[i].name, name) == 0)
            return of->headers[i].value;
    return NULL;
}

/* ---- HTTP, as little as the clients need --------------------------------------------------- */

/* The lines of the head, of which the blank line is cut off. */
static bool read_head(char *head)
{
    char *save = NULL;
    char *line = strtok_r(head, "\r\n", &save);
    char *space = line == NULL ? NULL : strchr(line, ' ');
    if (space == NULL)
        return false;
    *space = '\0';
    call.method = line;
    call.path = space + 1;
    call.path[strcspn(call.path, " ?")] = '\0';
    call.header_count = 0;
    while ((line = strtok_r(NULL, "\r\n", &save)) != NULL && call.header_count < HEADERS_MAX) {
        char *colon = strchr(line, ':');
        if (colon == NULL)
            continue;
        *colon = '\0';
        call.headers[call.header_count].name = line;
        call.headers[call.header_count++].value = colon + 1 + strspn(colon + 1, " ");
    }
    return true;
}

static bool receive(int socket)
{
    size_t size = 0, wanted = 0;
    char *body = NULL;
    while (body == NULL || size < wanted) {
        ssize_t got = recv(socket, call.text + size, REQUEST_MAX - size, 0);
        if (got <= 0)
            return false;
        size += (size_t)got;
        call.text[size] = '\0';
        char *blank = body == NULL ? strstr(call.text, "\r\n\r\n") : NULL;
        if (blank == NULL)
            continue;
        *blank = '\0';
        body = blank + 4;
        if (!read_head(call.text))
            return false;
        const char *length = header_of(&call, "Content-Length");
        wanted = (size_t)(body - call.text) + (length == NULL ? 0 : strtoul(length, NULL, 10));
        if (wanted > REQUEST_MAX)
            return false;
    }
    call.body = body;
    call.body_size = wanted - (size_t)(body - call.text);
    return true;
}

static void send_all(int socket, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(socket, data, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        data += sent;
        size -= (size_t)sent;
    }
}

static void respond(int socket, const struct dav_answer *answer)
{
    struct buffer head = { 0 };
    buffer_printf(&head, "HTTP/1.1 %d Answer\r\nConnection: close\r\n", answer->status);
    for (unsigned i = 0; i < answer->header_count; i++) {
        buffer_text(&head, answer->headers[i].name);
        buffer_text(&head, ": ");
        buffer_text(&head, answer->headers[i].value);
        buffer_text(&head, "\r\n");
    }
    if (answer->status != 204 && answer->status != 304)
        buffer_printf(&head, "Content-Length: %zu\r\n", answer->body.size);
    buffer_text(&head, "\r\n");
    send_all(socket, head.data, head.size);
    send_all(socket, answer->body.data, answer->body.size);
    buffer_deinit(&head);
}

/* ---- Kith's side --------------------------------------------------------------------------- */

/* Whose list a path below /kith/ or /feed/ names; *out_name is what follows her. */
static struct fixture_list *list_of(const char *path, const char **out_name)
{
    const char *end = strchrnul(path, '/');
    for (size_t i = 0; i < STAFF_COUNT; i++)
        if (strlen(staff[i].name) == (size_t)(end - path) &&
            memcmp(path, staff[i].name, (size_t)(end - path)) == 0) {
            *out_name = *end == '/' ? end + 1 : end;
            return lists[i];
        }
    return NULL;
}

static int answer_kith(struct fixture_list *list, const char *name, struct buffer *body)
{
    if (strcmp(call.method, "PUT") == 0)
        return fixture_write(list, name, call.body, call.body_size) == 0 ? 204 : 422;
    if (strcmp(call.method, "DELETE") == 0)
        return fixture_remove(list, name) ? 204 : 404;
    ics_begin(body, NULL);
    for (size_t i = 0; i < list->count; i++)
        if (list->tasks[i].object != NULL)
            ics_write(body, &list->tasks[i].item);
    ics_end(body);
    return 200;
}

static int answer_feed(const struct fixture_list *list, struct buffer *body)
{
    static struct ics_item tasks[FIXTURE_TASKS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        if (list->tasks[i].object != NULL)
            tasks[count++] = list->tasks[i].item;
    feed_write(body, "Due", tasks, count);
    return 200;
}

/* False when the path is the calendar's. */
static bool is_answered_by_kith(struct dav_answer *answer)
{
    const char *name = "";
    bool is_feed = strncmp(call.path, "/feed/", 6) == 0;
    if (!is_feed && strncmp(call.path, "/kith/", 6) != 0)
        return false;
    struct fixture_list *list = list_of(call.path + 6, &name);
    answer->status = list == NULL ? 404
                     : is_feed    ? answer_feed(list, &answer->body)
                                  : answer_kith(list, name, &answer->body);
    return true;
}

/* ---- The clients' side --------------------------------------------------------------------- */

static void answer_call(struct dav_answer *answer)
{
    const char *credentials = header_of(&call, "Authorization");
    size_t who = 0;
    while (who < STAFF_COUNT &&
           (credentials == NULL || strcmp(credentials, staff[who].credentials) != 0))
        who++;
    if (strcmp(call.path, DAV_WELL_KNOWN) == 0) {
        dav_answer_well_known(BASE, answer);
    } else if (who == STAFF_COUNT) {
        answer->status = 401;
        answer->headers[answer->header_count++] =
            (struct dav_header){ "WWW-Authenticate", "Basic realm=\"Kith\"" };
    } else {
        struct dav_store store = fixture_store(lists[who]);
        struct dav_request request = {
            .method = call.method,
            .path = call.path,
            .base = BASE,
            .staff = staff[who].name,
            .title = staff[who].title,
            .body = call.body,
            .body_size = call.body_size,
            .header = header_of,
            .arg = &call,
        };
        dav_answer(&request, &store, answer);
    }
}

static void serve(int socket)
{
    struct dav_answer answer = { 0 };
    if (!receive(socket))
        return;
    if (!is_answered_by_kith(&answer))
        answer_call(&answer);
    fprintf(stderr, "%s %s: %d\n", call.method, call.path, answer.status);
    respond(socket, &answer);
    dav_answer_deinit(&answer);
}

static volatile sig_atomic_t is_over;

static void on_signal(int number)
{
    (void)number;
    is_over = 1;
}

int main(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    struct sigaction action = { .sa_handler = on_signal }; /* without SA_RESTART: ends accept() */
    sigaction(SIGTERM, &action, NULL);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 ||
        listen(listener, 64) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
        perror("davd");
        return 1;
    }
    for (size_t i = 0; i < STAFF_COUNT; i++)
        lists[i] = fixture_new();
    fprintf(stderr, "davd: ready on http://127.0.0.1:%d\n", ntohs(address.sin_port));
    while (!is_over) {
        int socket = accept(listener, NULL, NULL);
        if (socket < 0)
            continue;
        serve(socket);
        close(socket);
    }
    close(listener);
    for (size_t i = 0; i < STAFF_COUNT; i++)
        fixture_free(lists[i]);
    return 0;
}
