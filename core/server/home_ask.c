/* home_ask.c -- requests of plugins to the HTTP interface, and to files, which are requests too.
 *
 * A request begins on the next turn of the loop: a handler may answer at once, and nobody hears of
 * an answer inside of the call that asked.
 */
#include "core/server/home_inside.h"

#include "core/outside/asked.h"
#include "core/server/plugin_ask.h"

#include <stdlib.h>
#include <string.h>

#define FILE_PATH_SIZE 160

struct asking {
    uv_timer_t turn; /* first */
    struct home_guest *guest;
    uint64_t number;
    enum outside_up kind;
    struct buf bytes; /* of the document */
};

/* -- The answer -------------------------------------------------------------------------------- */

static void on_turn_closed(uv_handle_t *handle)
{
    struct asking *asking = (struct asking *)handle;
    buf_deinit(&asking->bytes);
    free(asking);
}

/* {type, body} of a file as the contract has it. */
static struct doc as_file(struct doc answer, struct buf *out)
{
    struct doc_value body = doc_get(answer, "body");
    struct doc_writer w;
    doc_begin(&w, out);
    doc_put_text(&w, "type", doc_text(answer, "type"));
    doc_put_value(&w, "data", &body);
    return doc_end(&w);
}

static int32_t status_of_file(int status)
{
    return status < 300    ? KITH_OK
           : status == 404 ? KITH_MISSING
           : status == 403 ? KITH_DENIED
           : status == 413 ? KITH_LIMIT
           : status == 429 ? KITH_BUSY
           : status < 500  ? KITH_INVALID
                           : KITH_IO;
}

static void on_answered(void *arg, int status, struct doc answer)
{
    struct asking *asking = arg;
    struct home_guest *guest = asking->guest;
    struct buf bytes = BUF_INIT;
    int32_t code = asking->kind == OUTSIDE_ASK ? status : status_of_file(status);
    if (asking->kind == OUTSIDE_FILE_READ && code == KITH_OK)
        answer = as_file(answer, &bytes);
    if (asking->kind != OUTSIDE_ASK && code != KITH_OK)
        home_answer_error(guest, asking->number, code, doc_text(answer, "detail").data);
    else
        home_answer(guest, asking->number, code, answer);
    buf_deinit(&bytes);
    uv_close((uv_handle_t *)&asking->turn, on_turn_closed);
    home_wish_end(guest);
}

/* -- The question ------------------------------------------------------------------------------ */

static uint32_t scopes_of(const struct plugin *plugin, enum outside_up kind)
{
    return kind == OUTSIDE_ASK ? plugin_ask_scopes(plugin)
                               : 1u << SCOPE_STAFF; /* "files" was granted: the host asks */
}

static void on_turn(uv_timer_t *turn)
{
    struct asking *asking = (struct asking *)turn;
    struct doc doc = { asking->bytes.data, (uint32_t)asking->bytes.size };
    struct doc_value data = doc_get(doc, "data");
    char file[FILE_PATH_SIZE];
    const struct caller caller = {
        .name = text_of(asking->guest->name),
        .staff = doc_text(doc, "staff"),
        .scopes = scopes_of(asking->guest->plugin, asking->kind),
    };
    struct api_ask ask = {
        .method = doc_text(doc, "method").data,
        .path = doc_text(doc, "path").data,
        .body = doc_child(doc, "body"),
        .key = doc_text(doc, "key"),
        .match = doc_text(doc, "match"),
        .caller = &caller,
        .answered = on_answered,
        .arg = asking,
    };
    if (asking->kind != OUTSIDE_ASK) {
        struct text hash = doc_text(doc, "hash");
        snprintf(file, sizeof file, "/v1/files%s%.*s", hash.size != 0 ? "/" : "", (int)hash.size,
                 hash.data);
        ask.method = asking->kind == OUTSIDE_FILE_READ ? "GET" : "POST";
        ask.path = file;
        ask.content_type = doc_text(doc, "type").data;
        ask.bytes = data.type == DOC_BINARY ? data.binary.data : NULL;
        ask.size = data.type == DOC_BINARY ? data.binary.size : 0;
    }
    api_ask(asking->guest->home->api, &ask);
}

static int begin(struct home_guest *guest, enum outside_up kind, uint64_t number, struct doc doc,
                 struct err *err)
{
    int rc = home_wish_begin(guest, err);
    if (rc != 0)
        return rc;
    struct asking *asking = mem_zero(sizeof *asking);
    asking->guest = guest;
    asking->number = number;
    asking->kind = kind;
    buf_append(&asking->bytes, doc.data, doc.size);
    uv_timer_init(guest->home->options.loop, &asking->turn);
    uv_timer_start(&asking->turn, on_turn, 0, 0);
    return 0;
}

int home_ask(struct home_guest *guest, uint64_t number, struct doc doc, struct err *err)
{
    int rc = asked_request(guest->plugin, doc_text(doc, "method"), doc_text(doc, "path"),
                           doc_text(doc, "staff"), err);
    return rc == 0 ? begin(guest, OUTSIDE_ASK, number, doc, err) : rc;
}

static int may_files(const struct home_guest *guest, struct err *err)
{
    if (plugin_may(guest->plugin, "files"))
        return 0;
    return err_set(err, E_DENIED, "\"files\" is not among its needs");
}

int home_file_read(struct home_guest *guest, uint64_t number, struct doc doc, struct err *err)
{
    int rc = may_files(guest, err);
    if (rc == 0)
        rc = asked_file(doc_text(doc, "hash"), err);
    return rc == 0 ? begin(guest, OUTSIDE_FILE_READ, number, doc, err) : rc;
}

int home_file_write(struct home_guest *guest, uint64_t number, struct doc doc, struct err *err)
{
    int rc = may_files(guest, err);
    return rc == 0 ? begin(guest, OUTSIDE_FILE_WRITE, number, doc, err) : rc;
}
