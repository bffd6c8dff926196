/* client.c -- libcurl, used plainly; see client.h.
 *
 * No proxy is asked, whatever the environment says: the daemon is on this machine or a
 * named one, and a company's proxy would answer in its place with pages of its own.
 * There is no time limit on an answer, because a verification takes as long as the log
 * is long; the kernel's keep-alive notices a machine that is gone.
 */
#include "core/cli/client.h"

#include "core/base/err.h"
#include "core/base/json_read.h"
#include "core/base/mem.h"
#include "core/cli/interrupt.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECT_TIMEOUT_MS 5000L

struct client {
    CURL *curl;
    struct curl_slist *headers;
    struct json_reader *reader;
    char *url; /* without the last slash */
    struct buf address, body, doc;
    client_bytes_fn *each; /* of an answer that is followed; else NULL */
    void *arg;
    bool is_ended;    /* `each` has had enough */
    bool is_in_doubt; /* the last call was sent, or some of it, and not answered */
    char reason[CURL_ERROR_SIZE];
};

static size_t receive(char *data, size_t one, size_t size, void *arg)
{
    struct client *client = arg;
    long status = 0;
    if (client->each != NULL)
        curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status == 200) {
        client->is_ended = !client->each(client->arg, data, size);
        return client->is_ended ? 0 : one * size;
    }
    if (client->body.size + size > JSON_BYTES_MAX)
        return 0;
    buf_append(&client->body, data, size);
    return one * size;
}

static void set_options(struct client *client)
{
    CURL *curl = client->curl;
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_DEFAULT_PROTOCOL, "http");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "kith/" KITH_VERSION);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, client->headers);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->reason);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, client);
}

static struct curl_slist *append_header(struct curl_slist *list, const char *name,
                                        const char *value)
{
    struct buf line = BUF_INIT;
    buf_printf(&line, "%s: %s", name, value);
    struct curl_slist *longer = curl_slist_append(list, buf_string(&line));
    ASSERT(longer != NULL);
    buf_deinit(&line);
    return longer;
}

static bool is_address(const char *url)
{
    CURLU *parts = curl_url();
    ASSERT(parts != NULL);
    bool is_good = curl_url_set(parts, CURLUPART_URL, url, CURLU_DEFAULT_SCHEME) == CURLUE_OK;
    curl_url_cleanup(parts);
    return is_good;
}

int client_open(const char *url, const char *key, struct client **out_client, struct err *err)
{
    /* A value of a header ends at a line break; what follows would be another header. */
    if (key != NULL && key[strcspn(key, "\r\n")] != '\0')
        return err_set(err, E_INVALID, "a key is one line");
    if (!is_address(url))
        return err_set(err, E_INVALID, "\"%.200s\" is no address: write http://HOST:PORT", url);

    struct client *client = mem_zero(sizeof *client);
    client->url = mem_string(url);
    for (size_t size = strlen(url); size != 0 && client->url[size - 1] == '/'; size--)
        client->url[size - 1] = '\0';
    client->reader = json_reader_new();
    client->curl = curl_easy_init();
    ASSERT(client->curl != NULL);
    client->headers = append_header(client->headers, "Content-Type", "application/json");
    client->headers = append_header(client->headers, "Accept", "application/json");
    client->headers = append_header(client->headers, "Expect", ""); /* no leave for a large body */
    if (key != NULL) {
        struct buf secret = BUF_INIT;
        buf_printf(&secret, "Bearer %s", key);
        client->headers = append_header(client->headers, "Authorization", buf_string(&secret));
        buf_deinit(&secret);
    }
    set_options(client);
    *out_client = client;
    return 0;
}

int client_trust(struct client *client, const char *file, struct err *err)
{
    if (access(file, R_OK) != 0)
        return err_set(err, E_INVALID, "cannot read the certificates in %s: %s", file,
                       strerror(errno));
    curl_easy_setopt(client->curl, CURLOPT_CAINFO, file);
    return 0;
}

void client_close(struct client *client)
{
    if (client == NULL)
        return;
    curl_easy_cleanup(client->curl);
    curl_slist_free_all(client->headers);
    json_reader_free(client->reader);
    buf_deinit(&client->address);
    buf_deinit(&client->body);
    buf_deinit(&client->doc);
    free(client->url);
    free(client);
}

const char *client_url(const struct client *client)
{
    return client->url;
}

/* What the person at the keyboard can do about it; empty: nothing that is known here. */
static const char *remedy(const struct client *client, CURLcode code)
{
    bool is_plain = strncmp(client->url, "https:", 6) != 0;
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return "; name who certifies it: --ca FILE, or KITH_CA";
    if (code == CURLE_GOT_NOTHING && is_plain)
        return "; does it listen with TLS?  Then write https://HOST:PORT";
    return "";
}

static int explain(const struct client *client, CURLcode code, struct err *err)
{
    const char *reason = client->reason[0] != '\0' ? client->reason : curl_easy_strerror(code);
    if (code == CURLE_WRITE_ERROR)
        return err_set(err, E_INVALID, "the answer of %s is larger than any answer of a daemon",
                       client->url);
    if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY)
        return err_set(err, E_INVALID, "%s does not speak HTTP: %s", client->url, reason);
    return err_set(err, E_IO, "the daemon at %s is not reachable: %s%s", client->url, reason,
                   remedy(client, code));
}

static void read_reply(struct client *client, struct reply *out_reply)
{
    const struct json_limits limits = { .depth_max = DOC_DEPTH_MAX };
    curl_off_t retry_after_s = 0;
    struct doc doc;
    *out_reply = (struct reply){ .status = 0 };
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &out_reply->status);
    curl_easy_getinfo(client->curl, CURLINFO_RETRY_AFTER, &retry_after_s);
    out_reply->retry_after_s = (int64_t)retry_after_s;
    buf_clear(&client->doc);
    if (client->body.size != 0 &&
        json_to_doc(client->reader, (const char *)client->body.data, client->body.size, &limits,
                    &client->doc, &doc, NULL) == 0)
        out_reply->doc = doc;
}

/* The headers of every call, with a type and a key of its own; to be freed. */
static struct curl_slist *own_headers(const struct client *client, const char *type,
                                      const char *key)
{
    static const char content_type[] = "Content-Type:";
    struct curl_slist *all = NULL;
    for (const struct curl_slist *at = client->headers; at != NULL; at = at->next)
        if (type == NULL || strncmp(at->data, content_type, sizeof content_type - 1) != 0) {
            all = curl_slist_append(all, at->data);
            ASSERT(all != NULL);
        }
    if (type != NULL)
        all = append_header(all, "Content-Type", type);
    if (key != NULL)
        all = append_header(all, "Idempotency-Key", key);
    return all;
}

static int perform(struct client *client, struct reply *out_reply, struct err *err)
{
    long sent_bytes = 0;
    CURLcode code = curl_easy_perform(client->curl);
    curl_easy_getinfo(client->curl, CURLINFO_REQUEST_SIZE, &sent_bytes);
    client->is_in_doubt = code != CURLE_OK && sent_bytes != 0;
    if (code != CURLE_OK)
        return explain(client, code, err);
    read_reply(client, out_reply);
    return 0;
}

int client_call(struct client *client, const char *method, const char *path, const struct buf *body,
                struct reply *out_reply, struct err *err)
{
    return client_call_once(client, method, path, body, NULL, NULL, out_reply, err);
}

bool client_is_in_doubt(const struct client *client)
{
    return client->is_in_doubt;
}

int client_call_once(struct client *client, const char *method, const char *path,
                     const struct buf *body, const char *type, const char *key,
                     struct reply *out_reply, struct err *err)
{
    CURL *curl = client->curl;
    struct curl_slist *headers = own_headers(client, type, key);
    buf_clear(&client->address);
    buf_clear(&client->body);
    buf_printf(&client->address, "%s%s", client->url, path);
    client->reason[0] = '\0';
    curl_easy_setopt(curl, CURLOPT_URL, buf_string(&client->address));
    curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L); /* forget the last call's body */
    if (strcmp(method, "GET") != 0) {
        bool is_empty = body == NULL || body->size == 0;
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                         is_empty ? (curl_off_t)0 : (curl_off_t)body->size);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, is_empty ? "" : (const char *)body->data);
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    int rc = perform(client, out_reply, err);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, client->headers);
    curl_slist_free_all(headers);
    return rc;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)arg, (void)a, (void)b, (void)c, (void)d;
    return interrupt_seen();
}

static void set_following(CURL *curl, bool is_following)
{
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, is_following ? 0L : 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, is_following ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, is_following ? (long)SILENCE_S : 0L);
}

int client_follow(struct client *client, const char *path, client_bytes_fn *each, void *arg,
                  struct reply *out_reply, struct err *err)
{
    client->each = each;
    client->arg = arg;
    client->is_ended = false;
    set_following(client->curl, true);
    int rc = client_call(client, "GET", path, NULL, out_reply, err);
    set_following(client->curl, false);
    client->each = NULL;
    if (rc == 0 || (!client->is_ended && !interrupt_seen()))
        return rc;
    *out_reply = (struct reply){ .status = 200 };
    return 0;
}

void reply_reason(const struct reply *reply, struct buf *out)
{
    struct text reason = doc_text(reply->doc, "detail");
    if (reason.size == 0)
        reason = doc_text(reply->doc, "title");
    if (reason.size != 0)
        buf_append(out, reason.data, reason.size);
    else
        buf_printf(out, "the daemon answered with status %ld and no reason", reply->status);
}

static bool is_plain(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           strchr("-._~:@", c) != NULL;
}

void path_text(struct buf *path, const char *text)
{
    for (; *text != '\0'; text++) {
        if (is_plain(*text))
            buf_byte(path, (uint8_t)*text);
        else
            buf_printf(path, "%%%02X", (unsigned)(unsigned char)*text);
    }
}

void path_query(struct buf *path, const char *name, const char *value)
{
    if (value == NULL)
        return;
    bool is_first = path->size == 0 || memchr(path->data, '?', path->size) == NULL;
    buf_printf(path, "%c%s=", is_first ? '?' : '&', name);
    path_text(path, value);
}
