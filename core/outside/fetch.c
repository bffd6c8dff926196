/* fetch.c -- see fetch.h.
 *
 * libcurl does the work; its multi interface tells which sockets it waits for and until when, and
 * is told what has happened to them.  Each of its sockets has a uv_poll_t here, and one timer
 * serves them all:
 *
 *     curl --on_socket()--> uv_poll_t --on_ready()--+
 *     curl --on_timer()---> uv_timer_t --on_due()---+--> curl_multi_socket_action() --> collect()
 *
 * curl must not be called from inside its own callbacks: those only set handles going.
 *
 * Names are resolved by threads of curl's own.  When a request times out while its name is being
 * looked up curl would wait for that thread, and the loop with it: CURLOPT_QUICK_EXIT lets it run
 * out by itself.
 */
#include "core/outside/fetch.h"

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/outside/address.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <uv.h>

#define CONNECT_MS_MAX 10000
#define CONNECTIONS_KEPT 16
#define HEAD_IS_READ SIZE_MAX

struct request {
    struct fetch *fetch;
    struct request *next, **link;
    CURL *easy;
    struct curl_slist *headers;
    struct buf body;
    struct buf answer; /* its body */
    size_t answer_max;
    size_t head_bytes, body_bytes; /* of the answer */
    bool is_refused;               /* the address, `refused` */
    char refused[ADDRESS_TEXT_SIZE];
    char error[CURL_ERROR_SIZE];
    fetch_done_fn *done;
    void *arg;
};

struct watcher {    /* of one socket */
    uv_poll_t poll; /* first */
    struct fetch *fetch;
    curl_socket_t fd;
};

struct fetch {
    uv_timer_t timer; /* first */
    CURLM *multi;
    bool allow_private;
    struct request *requests;
    size_t handles; /* of the loop, not closed yet */
    bool is_closing;
};

/* -- The end of a client ---------------------------------------------------------------- */

static void drop_handle(struct fetch *fetch)
{
    if (--fetch->handles != 0 || !fetch->is_closing)
        return;
    free(fetch);
}

static void on_socket_closed(uv_handle_t *handle)
{
    struct watcher *watcher = (struct watcher *)handle;
    struct fetch *fetch = watcher->fetch;
    free(watcher);
    drop_handle(fetch);
}

static void on_timer_closed(uv_handle_t *handle)
{
    drop_handle((struct fetch *)handle);
}

/* -- Requests --------------------------------------------------------------------------- */

static void request_free(struct request *request)
{
    *request->link = request->next;
    if (request->next != NULL)
        request->next->link = request->link;
    curl_multi_remove_handle(request->fetch->multi, request->easy);
    curl_easy_cleanup(request->easy);
    curl_slist_free_all(request->headers);
    buf_deinit(&request->body);
    buf_deinit(&request->answer);
    free(request);
}

int64_t fetch_retry_after(const char *value, int64_t now_ms)
{
    size_t digits = strspn(value, "0123456789");
    if (digits != 0 && value[digits] == '\0')
        return digits > 9 ? INT32_MAX * 1000ll : strtoll(value, NULL, 10) * 1000;
    time_t date = curl_getdate(value, NULL);
    if (date == (time_t)-1)
        return -1;
    int64_t wait = (int64_t)date * 1000 - now_ms;
    return wait > 0 ? wait : 0;
}

static int64_t asked_to_wait(CURL *easy)
{
    struct curl_header *header;
    struct clock clock = clock_machine();
    if (curl_easy_header(easy, "Retry-After", 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return -1;
    return fetch_retry_after(header->value, clock.wall_ms(clock.arg));
}

static void explain(const struct request *request, CURLcode code, char out[FETCH_ERROR_SIZE])
{
    const char *why = request->error[0] != '\0' ? request->error : curl_easy_strerror(code);
    if (request->is_refused)
        snprintf(out, FETCH_ERROR_SIZE, "%s is no public address: allow_private is not set",
                 request->refused);
    else
        snprintf(out, FETCH_ERROR_SIZE, "%.*s", FETCH_ERROR_SIZE - 1, why);
}

static size_t list_headers(CURL *easy, struct fetch_header headers[FETCH_HEADERS_MAX])
{
    struct curl_header *header = NULL;
    size_t count = 0;
    while (count < FETCH_HEADERS_MAX &&
           (header = curl_easy_nextheader(easy, CURLH_HEADER, -1, header)) != NULL)
        headers[count++] = (struct fetch_header){ header->name, header->value };
    return count;
}

static void finish(struct request *request, CURLcode code)
{
    struct fetch_header headers[FETCH_HEADERS_MAX];
    struct fetch_result result = { .retry_after_ms = -1 };
    char error[FETCH_ERROR_SIZE];
    long status = 0;
    curl_off_t sending_us = 0;
    curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(request->easy, CURLINFO_PRETRANSFER_TIME_T, &sending_us);
    result.is_too_large = request->body_bytes > request->answer_max;
    if (result.is_too_large) {
        snprintf(error, sizeof error, "the answer has more than %zu bytes", request->answer_max);
        result.error = error;
    } else if (code != CURLE_OK) {
        explain(request, code, error);
        result.error = error;
        result.is_unsent = sending_us == 0;
    } else {
        result.body = request->answer.data;
        result.body_size = request->answer.size;
    }
    if (status >= 200 && (code == CURLE_OK || request->head_bytes == HEAD_IS_READ)) {
        result.status = (int)status;
        result.retry_after_ms = asked_to_wait(request->easy);
        result.headers = headers;
        result.header_count = list_headers(request->easy, headers);
    }
    request->done(request->arg, &result);
    request_free(request);
}

static void collect(struct fetch *fetch)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(fetch->multi, &left)) != NULL) {
        struct request *request = NULL;
        CURLcode code = message->data.result; /* the message dies with the request */
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&request);
        finish(request, code);
    }
}

/* -- Curl and the loop ------------------------------------------------------------------ */

static void act(struct fetch *fetch, curl_socket_t fd, int events)
{
    int running;
    curl_multi_socket_action(fetch->multi, fd, events, &running);
    collect(fetch);
}

static void on_due(uv_timer_t *timer)
{
    act((struct fetch *)timer, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct fetch *fetch = arg;
    (void)multi;
    if (timeout_ms < 0)
        uv_timer_stop(&fetch->timer);
    else
        uv_timer_start(&fetch->timer, on_due, (uint64_t)timeout_ms, 0);
    return 0;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct watcher *watcher = (struct watcher *)poll;
    int what = status < 0 ? CURL_CSELECT_ERR : 0;
    if ((events & UV_READABLE) != 0)
        what |= CURL_CSELECT_IN;
    if ((events & UV_WRITABLE) != 0)
        what |= CURL_CSELECT_OUT;
    act(watcher->fetch, watcher->fd, what);
}

static struct watcher *watch(struct fetch *fetch, curl_socket_t fd)
{
    struct watcher *watcher = mem_zero(sizeof *watcher);
    int rc = uv_poll_init_socket(fetch->timer.loop, &watcher->poll, fd);
    ASSERT(rc == 0);
    watcher->fetch = fetch;
    watcher->fd = fd;
    fetch->handles++;
    curl_multi_assign(fetch->multi, fd, watcher);
    return watcher;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
    struct fetch *fetch = arg;
    struct watcher *watcher = known;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watcher != NULL) {
            curl_multi_assign(fetch->multi, fd, NULL);
            uv_poll_stop(&watcher->poll); /* at once: curl is about to close it */
            uv_close((uv_handle_t *)&watcher->poll, on_socket_closed);
        }
        return 0;
    }
    if (watcher == NULL)
        watcher = watch(fetch, fd);
    int events = ((what & CURL_POLL_IN) != 0 ? UV_READABLE : 0) |
                 ((what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0);
    uv_poll_start(&watcher->poll, events, on_ready);
    return 0;
}

/* -- One request ------------------------------------------------------------------------ */

static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct request *request = arg;
    if (purpose != CURLSOCKTYPE_IPCXN)
        return CURL_SOCKET_BAD;
    if (!request->fetch->allow_private && !address_is_public(&address->addr)) {
        request->is_refused = true;
        address_text(&address->addr, request->refused);
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl says what it is called with */
static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct request *request = arg;
    request->body_bytes += size * count;
    if (request->body_bytes > request->answer_max)
        return 0;
    buf_append(&request->answer, data, size * count);
    return size * count;
}

/* The line that ends the headers is empty.  Interim answers (1xx) come before the one that
 * counts. */
/* NOLINTNEXTLINE(readability-non-const-parameter): as above */
static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
    struct request *request = arg;
    size_t bytes = size * count;
    long status = 0;
    if (request->head_bytes == HEAD_IS_READ)
        return bytes; /* behind the body */
    request->head_bytes += bytes;
    if (request->head_bytes > FETCH_HEAD_BYTES_MAX)
        return 0;
    curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
    if ((data[0] == '\r' || data[0] == '\n') && status >= 200)
        request->head_bytes = HEAD_IS_READ;
    return bytes;
}

static void set_safety(struct request *request)
{
    CURL *easy = request->easy;
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, request);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS_MAX);
}

static void set_request(struct request *request, const char *url)
{
    CURL *easy = request->easy;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, request);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->error);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "kith/" KITH_VERSION);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, request->headers);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, request);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
}

static void add_header(struct request *request, const char *header)
{
    struct curl_slist *headers = curl_slist_append(request->headers, header);
    ASSERT(headers != NULL);
    request->headers = headers;
}

static void set_body(struct request *request)
{
    CURL *easy = request->easy;
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, buf_string(&request->body));
}

static struct request *request_new(struct fetch *fetch, const struct fetch_request *wanted,
                                   fetch_done_fn *done, void *arg)
{
    struct request *request = mem_zero(sizeof *request);
    request->fetch = fetch;
    request->done = done;
    request->arg = arg;
    request->answer_max = wanted->answer_max;
    request->easy = curl_easy_init();
    ASSERT(request->easy != NULL);
    buf_append(&request->body, wanted->body, wanted->size);
    add_header(request, "Expect:");
    for (const char *const *header = wanted->headers; header != NULL && *header != NULL; header++)
        add_header(request, *header);
    set_safety(request);
    set_request(request, wanted->url);
    curl_easy_setopt(request->easy, CURLOPT_TIMEOUT_MS, (long)wanted->timeout_ms);
    if (wanted->ca != NULL)
        curl_easy_setopt(request->easy, CURLOPT_CAINFO, wanted->ca);
    if (wanted->credentials != NULL) {
        curl_easy_setopt(request->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(request->easy, CURLOPT_USERPWD, wanted->credentials);
    }
    if (wanted->is_once) { /* a connection that was kept may be closed: then curl sends again */
        curl_easy_setopt(request->easy, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(request->easy, CURLOPT_FORBID_REUSE, 1L);
    }
    return request;
}

static void begin(struct request *request)
{
    struct fetch *fetch = request->fetch;
    request->next = fetch->requests;
    request->link = &fetch->requests;
    if (request->next != NULL)
        request->next->link = &request->next;
    fetch->requests = request;
    CURLMcode rc = curl_multi_add_handle(fetch->multi, request->easy);
    ASSERT(rc == CURLM_OK);
}

/* -- Sending ---------------------------------------------------------------------------- */

static int check_url(const char *text, struct err *err)
{
    CURLU *url = curl_url();
    ASSERT(url != NULL);
    CURLUcode code = curl_url_set(url, CURLUPART_URL, text, CURLU_DISALLOW_USER);
    bool is_web = code == CURLUE_OK &&
                  (strncasecmp(text, "https://", 8) == 0 || strncasecmp(text, "http://", 7) == 0);
    curl_url_cleanup(url);
    if (is_web)
        return 0;
    return err_set(err, E_INVALID, "the url is none: %s",
                   code != CURLUE_OK ? curl_url_strerror(code) : "https:// is needed");
}

/* What would break out of its line, or of what curl itself says. */
static int check_header(const char *header, struct err *err)
{
    static const char *const ours[] = { "Content-Length:", "Transfer-Encoding:", "Connection:",
                                        "Host:", "Expect:" };
    const char *colon = strchr(header, ':');
    bool is_good = colon != NULL && colon != header && header[strcspn(header, "\r\n")] == '\0';
    for (const char *at = header; is_good && at < colon; at++)
        is_good = *at > ' ' && *at < 0x7f && strchr("()<>@,;:\\\"/[]?={}", *at) == NULL;
    for (size_t i = 0; is_good && i < sizeof ours / sizeof *ours; i++)
        is_good = strncasecmp(header, ours[i], strlen(ours[i])) != 0;
    if (is_good)
        return 0;
    return err_set(err, E_INVALID,
                   "a header is \"Name: value\" in one line, and none of those that the host sets "
                   "itself");
}

static int check_request(const struct fetch_request *wanted, struct err *err)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ-";
    int rc = 0;
    if (wanted->method == NULL || wanted->method[0] == '\0' ||
        wanted->method[strspn(wanted->method, letters)] != '\0' ||
        strcmp(wanted->method, "CONNECT") == 0)
        rc = err_set(err, E_INVALID, "the method is none");
    if (rc == 0)
        rc = check_url(wanted->url, err);
    for (const char *const *header = wanted->headers; rc == 0 && header != NULL && *header != NULL;
         header++)
        rc = check_header(*header, err);
    return rc;
}

int fetch_send(struct fetch *fetch, const struct fetch_request *wanted, fetch_done_fn *done,
               void *arg, struct err *err)
{
    int rc = check_request(wanted, err);
    if (rc != 0)
        return rc;
    struct request *request = request_new(fetch, wanted, done, arg);
    bool has_body = wanted->size != 0 || strcmp(wanted->method, "POST") == 0 ||
                    strcmp(wanted->method, "PUT") == 0;
    if (has_body)
        set_body(request);
    curl_easy_setopt(request->easy, CURLOPT_CUSTOMREQUEST, wanted->method);
    if (strcmp(wanted->method, "HEAD") == 0)
        curl_easy_setopt(request->easy, CURLOPT_NOBODY, 1L);
    begin(request);
    return 0;
}

/* -- Opening, closing ------------------------------------------------------------------- */

static CURLM *open_multi(struct fetch *fetch)
{
    CURLM *multi = curl_multi_init();
    ASSERT(multi != NULL);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, fetch);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, fetch);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
    return multi;
}

struct fetch *fetch_open(struct uv_loop_s *loop, bool allow_private)
{
    static bool is_ready; /* the loop's */
    if (!is_ready) {
        CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
        ASSERT(code == CURLE_OK);
        is_ready = true;
    }
    struct fetch *fetch = mem_zero(sizeof *fetch);
    uv_timer_init(loop, &fetch->timer);
    fetch->handles = 1;
    fetch->allow_private = allow_private;
    fetch->multi = open_multi(fetch);
    return fetch;
}

void fetch_close(struct fetch *fetch)
{
    if (fetch == NULL)
        return;
    for (struct request *request = fetch->requests, *next; request != NULL; request = next) {
        next = request->next;
        request_free(request);
    }
    curl_multi_cleanup(fetch->multi);
    fetch->is_closing = true;
    uv_timer_stop(&fetch->timer);
    uv_close((uv_handle_t *)&fetch->timer, on_timer_closed);
}
