/* relay_curl.c -- one message over libcurl's multi interface, driven by the host's loop.
 *
 * libcurl says which descriptors it wants watched and when it wants to be called; the host does
 * both.  It keeps connections for the next message by itself.  A message that fails is never
 * repeated by it: whether that is safe is what smtp.h judges.
 *
 * One thing libcurl does not do on the loop: when it closes a connection it says QUIT and waits for
 * the answer, on the spot and for two minutes if it must.  So its socket is told to expect nothing
 * more: QUIT still goes out, and the answer is at once the end of the connection.
 */
#include "relay_inside.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* -- libcurl on the host's loop ---------------------------------------------------------------- */

static void take_results(struct relay *relay)
{
    CURLMsg *message;
    int left;
    while (relay->multi != NULL && (message = curl_multi_info_read(relay->multi, &left)) != NULL) {
        char *parcel = NULL;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &parcel);
        relay_transferred((struct parcel *)(void *)parcel, code);
    }
    relay_go_on(relay);
}

static void on_ready(void *arg, int fd, uint32_t events)
{
    struct relay *relay = arg;
    int running, what = ((events & KITH_READABLE) != 0 ? CURL_CSELECT_IN : 0) |
                        ((events & KITH_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0);
    curl_multi_socket_action(relay->multi, fd, what, &running);
    take_results(relay);
}

static void on_timer(void *arg)
{
    struct relay *relay = arg;
    int running;
    relay->curl_timer = 0;
    curl_multi_socket_action(relay->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    take_results(relay);
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct relay *relay = arg;
    uint32_t events = what == CURL_POLL_IN      ? KITH_READABLE
                      : what == CURL_POLL_OUT   ? KITH_WRITABLE
                      : what == CURL_POLL_INOUT ? (uint32_t)KITH_READABLE | (uint32_t)KITH_WRITABLE
                                                : 0;
    char *parcel = NULL;
    (void)socket_arg;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &parcel);
    if (parcel != NULL && what != CURL_POLL_REMOVE)
        ((struct parcel *)(void *)parcel)->fd = fd;
    return relay->host->watch(relay->kith, fd, events, on_ready, relay) == KITH_OK ? 0 : -1;
}

static int want_timer(CURLM *multi, long ms, void *arg)
{
    struct relay *relay = arg;
    (void)multi;
    if (relay->curl_timer != 0)
        relay->host->cancel(relay->kith, relay->curl_timer);
    relay->curl_timer = 0;
    if (ms < 0)
        return 0;
    return relay->host->timer(relay->kith, ms, on_timer, relay, &relay->curl_timer) == KITH_OK ? 0
                                                                                               : -1;
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct relay *relay = arg;
    (void)purpose;
    if (relay->socket_count == RELAY_SOCKETS_MAX)
        return CURL_SOCKET_BAD;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd >= 0)
        relay->sockets[relay->socket_count++] = fd;
    return fd;
}

static int close_socket(void *arg, curl_socket_t fd)
{
    struct relay *relay = arg;
    for (size_t i = 0; i < relay->socket_count; i++)
        if (relay->sockets[i] == fd) {
            relay->sockets[i] = relay->sockets[--relay->socket_count];
            break;
        }
    return close(fd);
}

static bool connect_multi(struct relay *relay)
{
    if (relay->multi != NULL)
        return true;
    relay->multi = curl_multi_init();
    if (relay->multi == NULL)
        return false;
    curl_multi_setopt(relay->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
    curl_multi_setopt(relay->multi, CURLMOPT_SOCKETDATA, relay);
    curl_multi_setopt(relay->multi, CURLMOPT_TIMERFUNCTION, want_timer);
    curl_multi_setopt(relay->multi, CURLMOPT_TIMERDATA, relay);
    curl_multi_setopt(relay->multi, CURLMOPT_MAXCONNECTS,
                      RELAY_SOCKETS_MAX); /* none is pushed out */
    return true;
}

void relay_disconnect(struct relay *relay)
{
    for (size_t i = 0; i < relay->socket_count; i++)
        shutdown(relay->sockets[i], SHUT_RD);
    if (relay->multi != NULL)
        curl_multi_cleanup(relay->multi);
    relay->multi = NULL;
    if (relay->curl_timer != 0)
        relay->host->cancel(relay->kith, relay->curl_timer);
    relay->curl_timer = 0;
}

/* -- One message ------------------------------------------------------------------------------- */

static size_t give(char *to, size_t size, size_t count, void *arg)
{
    struct parcel *parcel = arg;
    size_t left = parcel->letter.bytes.size - parcel->given, room = size * count;
    size_t given = left < room ? left : room;
    if (given == 0) {
        smtp_watch_ended(&parcel->watch);
        return 0;
    }
    memcpy(to, parcel->letter.bytes.data + parcel->given, given);
    parcel->given += given;
    return given;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl says what it is called with */
static int watch(CURL *easy, curl_infotype type, char *data, size_t size, void *arg)
{
    struct parcel *parcel = arg;
    (void)easy;
    if (type == CURLINFO_HEADER_OUT) {
        smtp_watch_sent(&parcel->watch, (struct span){ data, size });
        if (parcel->watch.phase == SMTP_QUIT && parcel->fd >= 0)
            shutdown(parcel->fd, SHUT_RD);
    }
    if (type == CURLINFO_HEADER_IN)
        smtp_watch_received(&parcel->watch, (struct span){ data, size });
    return 0;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl says what it is called with */
static size_t ignore(char *data, size_t size, size_t count, void *arg)
{
    (void)data;
    (void)arg;
    return size * count;
}

static CURLcode set_relay(CURL *easy, const struct settings *settings)
{
    static const long tls[] = {
        [SETTINGS_TLS_NONE] = CURLUSESSL_NONE,
        [SETTINGS_TLS_OFFERED] = CURLUSESSL_TRY,
        [SETTINGS_TLS_REQUIRED] = CURLUSESSL_ALL,
    };
    bool is_checked = settings->tls == SETTINGS_TLS_REQUIRED;
    CURLcode code = curl_easy_setopt(easy, CURLOPT_URL, settings->url.data);
    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_USE_SSL, tls[settings->tls]);
    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, (long)is_checked);
    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, is_checked ? 2L : 0L);
    if (code == CURLE_OK && settings->ca_file != NULL)
        code = curl_easy_setopt(easy, CURLOPT_CAINFO, settings->ca_file);
    if (code == CURLE_OK && settings->user != NULL)
        code = curl_easy_setopt(easy, CURLOPT_USERNAME, settings->user);
    if (code == CURLE_OK && settings->user != NULL)
        code = curl_easy_setopt(easy, CURLOPT_PASSWORD, settings->password);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)settings->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)settings->timeout_ms / 2);
    return code;
}

static CURLcode set_message(CURL *easy, struct parcel *parcel)
{
    CURLcode code = curl_easy_setopt(easy, CURLOPT_MAIL_FROM, parcel->letter.return_path);
    parcel->recipients = curl_slist_append(NULL, parcel->letter.recipient);
    if (parcel->recipients == NULL)
        return CURLE_OUT_OF_MEMORY;
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, parcel->recipients);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, parcel->relay);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, parcel->relay);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(easy, CURLOPT_READDATA, parcel);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, watch);
    curl_easy_setopt(easy, CURLOPT_DEBUGDATA, parcel);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, parcel);
    return code;
}

bool relay_transfer(struct parcel *parcel, struct fault *fault)
{
    struct relay *relay = parcel->relay;
    smtp_watch_init(&parcel->watch);
    parcel->given = 0;
    parcel->fd = -1;
    parcel->easy = connect_multi(relay) ? curl_easy_init() : NULL;
    CURLcode code = parcel->easy != NULL ? CURLE_OK : CURLE_OUT_OF_MEMORY;
    if (code == CURLE_OK)
        code = set_relay(parcel->easy, relay->settings);
    if (code == CURLE_OK)
        code = set_message(parcel->easy, parcel);
    if (code == CURLE_OK && curl_multi_add_handle(relay->multi, parcel->easy) == CURLM_OK)
        return true;
    fault_set(fault, FAULT_MEMORY, "libcurl: %s", curl_easy_strerror(code));
    if (parcel->easy != NULL)
        curl_easy_cleanup(parcel->easy);
    curl_slist_free_all(parcel->recipients);
    parcel->easy = NULL;
    parcel->recipients = NULL;
    return false;
}

void relay_transfer_end(struct parcel *parcel)
{
    curl_multi_remove_handle(parcel->relay->multi, parcel->easy);
    curl_easy_cleanup(parcel->easy);
    curl_slist_free_all(parcel->recipients);
    parcel->easy = NULL;
    parcel->recipients = NULL;
}
