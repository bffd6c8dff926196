/* words.c -- see words.h. */
#include "core/plugin/words.h"

#include "core/base/arena.h"
#include "core/base/civil.h"
#include "core/base/err.h"
#include "core/base/moment.h"
#include "core/engine/record.h"
#include "core/engine/step.h"
#include "core/plugin/links.h"

/* -- Fields ------------------------------------------------------------------------------------ */

/* Whether all fields are among `names`. */
static int check_fields(const char *word, struct doc fields, const char *const names[],
                        struct err *err)
{
    for (struct doc_iter it = doc_iter(fields); doc_next(&it);) {
        size_t i = 0;
        while (names[i] != NULL && !text_is(it.name, names[i]))
            i++;
        if (names[i] == NULL)
            return err_set(err, E_INVALID, "%s knows no \"%.*s\"", word, (int)it.name.size,
                           it.name.data);
    }
    return 0;
}

/* "09:00" as minutes of the day. */
static int read_minute(const char *word, struct doc fields, int *out_minute, struct err *err)
{
    struct text at = doc_text(fields, "at");
    *out_minute = DUE_NO_MINUTE;
    if (at.size == 0 || moment_parse_clock(at.data, at.size, out_minute))
        return 0;
    return err_set(err, E_INVALID, "%s: at is a time of day like \"09:00\"", word);
}

static int read_moment(const char *word, const struct doc_value *value, struct due *out,
                       struct err *err)
{
    out->ms = value->integer;
    if (out->at_minute == DUE_NO_MINUTE)
        return 0;
    return err_set(err, E_INVALID,
                   "%s: at is a time of day: it goes with a date and with d, w, mo, y and wd",
                   word);
}

static int check_years(const char *word, const char *name, int64_t ms, struct err *err)
{
    if (ms >= CIVIL_MS_MIN && ms <= CIVIL_MS_MAX)
        return 0;
    return err_set(err, E_INVALID, "%s: %s lies in the years 1 to 9999", word, name);
}

/* `name`: words like "3d", whose moment is not known yet, or milliseconds. */
static int read_words(const char *word, const char *name, struct doc fields, struct due *out,
                      struct err *err)
{
    struct doc_value value = doc_get(fields, name);
    struct intent intent;
    *out = (struct due){ .words = { "", 0 } };
    int rc = read_minute(word, fields, &out->at_minute, err);
    if (rc != 0)
        return rc;
    if (value.type == DOC_INT64 || value.type == DOC_INT32 || value.type == DOC_DATETIME) {
        rc = read_moment(word, &value, out, err);
    } else if (value.type == DOC_TEXT) {
        out->words = value.text;
        rc = step_when_check(word, value.text, out->at_minute, &intent, err);
    } else {
        rc = err_set(err, E_INVALID, "%s needs %s: a time like \"3d\", \"1wd\" or \"2026-12-01\"",
                     word, name);
    }
    return rc == 0 ? check_years(word, name, out->ms, err) : rc;
}

/* The same, and when that is. */
static int read_due(struct step *step, const char *word, const char *name, struct doc fields,
                    struct text who, int64_t from, struct due *out, struct err *err)
{
    int rc = read_words(word, name, fields, out, err);
    if (rc != 0 || out->words.size == 0)
        return rc;
    rc = step_when(step, word, out->words, out->at_minute, who, from, &out->ms, err);
    return rc == 0 ? check_years(word, name, out->ms, err) : rc;
}

/* -- Reminders and timers ---------------------------------------------------------------------- */

/* {after, to}: when it has been due for so long it is somebody else's. */
static int check_escalation(struct doc fields, struct err *err)
{
    static const char *const names[] = { "after", "to", NULL };
    struct doc_value value = doc_get(fields, "escalate");
    struct due later;
    if (value.type == DOC_NONE)
        return 0;
    if (value.type != DOC_DOC)
        return err_set(err, E_INVALID, "remind: escalate is a document, {after, to}");
    int rc = check_fields("escalate", value.doc, names, err);
    return rc == 0 ? read_words("escalate", "after", value.doc, &later, err) : rc;
}

static int read_escalation(struct step *step, struct doc fields, struct reminder_request *request,
                           struct err *err)
{
    struct doc escalate = doc_child(fields, "escalate");
    struct due later;
    if (escalate.data == NULL)
        return 0;
    request->escalate_to = doc_text(escalate, "to");
    int rc =
        read_due(step, "escalate", "after", escalate, request->to, request->due.ms, &later, err);
    if (rc == 0 && (request->escalate_to.size == 0 || later.ms <= request->due.ms))
        rc = err_set(err, E_INVALID, "escalate needs to, and a time after which: {after, to}");
    request->escalate_due = later.ms;
    return rc;
}

static struct reminder_request reminder_of(struct doc fields)
{
    return (struct reminder_request){
        .title = doc_text(fields, "title"),
        .to = doc_text(fields, "to"),
        .key = doc_text(fields, "key"),
        .note = doc_text(fields, "note"),
        .about = doc_text(fields, "about"),
    };
}

static int check_remind(struct doc fields, struct err *err)
{
    struct reminder_request request = reminder_of(fields);
    int rc = 0;
    if (request.title.size == 0)
        rc = err_set(err, E_INVALID, "remind needs a title");
    if (rc == 0)
        rc = read_words("remind", "due", fields, &request.due, err);
    if (rc == 0)
        rc = step_remind_check(&request, err);
    return rc == 0 ? check_escalation(fields, err) : rc;
}

static int word_remind(struct step *step, struct doc fields, struct err *err)
{
    struct reminder_request request = reminder_of(fields);
    uint64_t task;
    int rc = read_due(step, "remind", "due", fields, request.to, step_now(step), &request.due, err);
    if (rc == 0)
        rc = read_escalation(step, fields, &request, err);
    return rc != 0 ? rc : step_remind(step, &request, &task, err);
}

/* Without a key it is known by its event. */
static struct after_request after_of(struct doc fields)
{
    struct text key = doc_text(fields, "key"), type = doc_text(fields, "emit");
    return (struct after_request){
        .key = key.size != 0 ? key : type,
        .type = type,
        .data = doc_child(fields, "data"),
    };
}

static int check_after(struct doc fields, struct err *err)
{
    struct after_request request = after_of(fields);
    int rc = read_words("after", "due", fields, &request.due, err);
    return rc == 0 ? step_after_check(&request, err) : rc;
}

static int word_after(struct step *step, struct doc fields, struct err *err)
{
    struct after_request request = after_of(fields);
    int rc = read_due(step, "after", "due", fields, (struct text){ "", 0 }, step_now(step),
                      &request.due, err);
    if (rc == 0 && request.due.ms < step_now(step) + 1000)
        rc = err_set(err, E_INVALID, "after: due must lie at least a second ahead");
    return rc != 0 ? rc : step_after(step, &request, err);
}

static int word_cancel(struct step *step, struct doc fields, struct err *err)
{
    (void)err;
    step_cancel(step, doc_text(fields, "key"));
    return 0;
}

/* -- Messages ---------------------------------------------------------------------------------- */

/* {template, body, data, links}, as the channel gets it. */
static struct doc content_of(struct step *step, struct doc fields, const char *body,
                             struct doc links)
{
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &bytes);
    doc_put_present(&w, "template", doc_text(fields, "template"));
    doc_put_present(&w, "body", doc_text(fields, body));
    if (doc_child(fields, "data").data != NULL)
        doc_put_doc(&w, "data", doc_child(fields, "data"));
    if (links.data != NULL)
        doc_put_doc(&w, "links", links);
    struct doc content = arena_doc(step_arena(step), doc_end(&w));
    buf_deinit(&bytes);
    return content;
}

static int check_send(struct doc fields, struct err *err)
{
    struct doc_value attach = doc_get(fields, "attach"), expires = doc_get(fields, "expires");
    struct due due;
    int rc = plugin_links_check(doc_child(fields, "links"), err);
    if (rc == 0 && attach.type != DOC_NONE)
        rc = step_attach_check(&attach, err);
    if (rc == 0 && doc_text(fields, "purpose").size == 0)
        rc = err_set(err, E_INVALID, "send needs a purpose: one of the bundle's, or \"service\"");
    if (rc == 0 && doc_text(fields, "body").size == 0 && doc_text(fields, "template").size == 0)
        rc = err_set(err, E_INVALID, "send needs a body or a template");
    if (rc == 0 && expires.type != DOC_NONE)
        rc = read_words("send", "expires", fields, &due, err);
    return rc;
}

static int word_send(struct step *step, struct doc fields, struct err *err)
{
    struct send_request request = {
        .channel = doc_text(fields, "channel"),
        .purpose = doc_text(fields, "purpose"),
        .key = doc_text(fields, "key"),
    };
    struct doc links = { NULL, 0 };
    struct doc_value attach = doc_get(fields, "attach");
    int rc = plugin_links(step, doc_child(fields, "links"), &links, err);
    request.content = content_of(step, fields, "body", links);
    if (rc == 0 && attach.type != DOC_NONE)
        rc = step_attach(step, request.channel, &attach, &request.content, err);
    if (rc == 0 && doc_text(fields, "template").size != 0)
        rc = step_check_template(step, doc_text(fields, "template"), request.channel, err);
    if (rc == 0 && doc_get(fields, "expires").type != DOC_NONE) {
        struct due expires;
        rc = read_due(step, "send", "expires", fields, (struct text){ "", 0 }, step_now(step),
                      &expires, err);
        if (rc == 0)
            request.expires_ms = expires.ms - step_now(step);
        if (rc == 0 && request.expires_ms <= 0)
            rc = err_set(err, E_INVALID, "send: expires must lie ahead");
    }
    return rc != 0 ? rc : step_send(step, &request, err);
}

static int word_notify(struct step *step, struct doc fields, struct err *err)
{
    struct text channel = doc_text(fields, "channel");
    struct send_request request = {
        .channel = channel.size != 0 ? channel : text_of("log"),
        .to = step_assignee(step, doc_text(fields, "to")),
        .content = content_of(step, fields, "text", (struct doc){ NULL, 0 }),
        .is_notification = true,
    };
    if (request.to.size == 0)
        return err_set(err, E_INVALID, "notify: there is nobody called \"%.*s\", and no fallback",
                       (int)doc_text(fields, "to").size, doc_text(fields, "to").data);
    return step_send(step, &request, err);
}

/* -- Tags and traits --------------------------------------------------------------------------- */

static int check_tag(struct doc fields, struct err *err)
{
    return step_tag_check(doc_text(fields, "tag"), err);
}

static int word_tag(struct step *step, struct doc fields, struct err *err)
{
    return step_tag(step, doc_text(fields, "tag"), err);
}

static int word_untag(struct step *step, struct doc fields, struct err *err)
{
    return step_untag(step, doc_text(fields, "tag"), err);
}

static int check_set(struct doc fields, struct err *err)
{
    struct text name = doc_text(fields, "name");
    return name.size != 0 ? step_set_check(name, err) : err_set(err, E_INVALID, "set needs a name");
}

static int word_set(struct step *step, struct doc fields, struct err *err)
{
    struct doc_value value = doc_get(fields, "value");
    if (value.type == DOC_NONE)
        value.type = DOC_NULL;
    return step_set(step, doc_text(fields, "name"), &value, err);
}

/* -- Records ----------------------------------------------------------------------------------- */

static int read_id(const char *word, struct doc fields, struct text *out_kind, uint64_t *out_number,
                   struct err *err)
{
    struct text id = doc_text(fields, "record");
    if (record_about_parse(id, out_kind, out_number))
        return 0;
    return err_set(err, E_INVALID, "%s needs record: an id like \"complaint:17\"", word);
}

static int check_move(struct doc fields, struct err *err)
{
    struct text kind;
    uint64_t number;
    return read_id("move", fields, &kind, &number, err);
}

static int check_change(struct doc fields, struct err *err)
{
    struct text kind;
    uint64_t number;
    return read_id("change", fields, &kind, &number, err);
}

static int check_assign(struct doc fields, struct err *err)
{
    struct text kind;
    uint64_t number;
    return read_id("assign", fields, &kind, &number, err);
}

static int check_link(struct doc fields, struct err *err)
{
    struct text kind;
    uint64_t number;
    return read_id("link", fields, &kind, &number, err);
}

static int word_create(struct step *step, struct doc fields, struct err *err)
{
    struct record_request request = {
        .kind = doc_text(fields, "kind"),
        .fields = doc_child(fields, "fields"),
        .owner = doc_text(fields, "owner"),
        .lines = doc_child(fields, "lines"),
        .customers = doc_child(fields, "customers"),
    };
    uint64_t number;
    return step_create_record(step, &request, &number, err);
}

static int word_move(struct step *step, struct doc fields, struct err *err)
{
    struct text kind;
    uint64_t number;
    int rc = read_id("move", fields, &kind, &number, err);
    return rc != 0 ? rc
                   : step_move_record(step, kind, number, doc_text(fields, "transition"),
                                      doc_child(fields, "fields"), err);
}

static int word_change(struct step *step, struct doc fields, struct err *err)
{
    struct text kind;
    uint64_t number;
    int rc = read_id("change", fields, &kind, &number, err);
    for (struct doc_iter it = doc_iter(doc_child(fields, "fields")); rc == 0 && doc_next(&it);)
        rc = step_set_record(step, kind, number, it.name, &it.value, err);
    return rc;
}

static int word_assign(struct step *step, struct doc fields, struct err *err)
{
    struct text kind;
    uint64_t number;
    int rc = read_id("assign", fields, &kind, &number, err);
    return rc != 0 ? rc : step_assign_record(step, kind, number, doc_text(fields, "to"), err);
}

static int word_link(struct step *step, struct doc fields, struct err *err)
{
    struct text kind, type = doc_text(fields, "type");
    uint64_t number;
    int rc = read_id("link", fields, &kind, &number, err);
    return rc != 0
               ? rc
               : step_link_record(step, kind, number, type.size != 0 ? type : text_of("related"),
                                  doc_text(fields, "to"), !doc_bool(fields, "off", false), err);
}

/* -- All of them ------------------------------------------------------------------------------- */

#define FIELDS_MAX 9

static const struct word {
    const char *name;
    int (*check)(struct doc fields,
                 struct err *err); /* by what they say alone; NULL: all is well */
    int (*act)(struct step *step, struct doc fields, struct err *err); /* they have been checked */
    const char *fields[FIELDS_MAX + 1];
} words[] = {
    { "after", check_after, word_after, { "due", "at", "key", "emit", "data" } },
    { "assign", check_assign, word_assign, { "record", "to" } },
    { "cancel", NULL, word_cancel, { "key" } },
    { "change", check_change, word_change, { "record", "fields" } },
    { "create", NULL, word_create, { "kind", "fields", "owner", "customers", "lines" } },
    { "link", check_link, word_link, { "record", "to", "type", "off" } },
    { "move", check_move, word_move, { "record", "transition", "fields" } },
    { "notify", NULL, word_notify, { "to", "text", "data", "channel" } },
    { "remind",
      check_remind,
      word_remind,
      { "title", "to", "due", "at", "key", "note", "about", "escalate" } },
    { "send",
      check_send,
      word_send,
      { "channel", "body", "template", "data", "purpose", "key", "expires", "links", "attach" } },
    { "set", check_set, word_set, { "name", "value" } },
    { "tag", check_tag, word_tag, { "tag" } },
    { "untag", check_tag, word_untag, { "tag" } },
};

static const struct word *find_word(struct text name, struct err *err)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text_is(name, words[i].name))
            return &words[i];
    err_set(err, E_NOTFOUND,
            "there is no word \"%.*s\" for plugins: there are after, assign, cancel, change, "
            "create, link, move, notify, remind, send, set, tag and untag",
            (int)name.size, name.data);
    return NULL;
}

static int check(const struct word *word, struct doc fields, struct err *err)
{
    int rc = check_fields(word->name, fields, word->fields, err);
    return rc == 0 && word->check != NULL ? word->check(fields, err) : rc;
}

int plugin_word_check_names(struct text word, struct doc fields, struct err *err)
{
    const struct word *found = find_word(word, err);
    return found != NULL ? check_fields(found->name, fields, found->fields, err) : E_NOTFOUND;
}

int plugin_word_check(struct text word, struct doc fields, struct err *err)
{
    const struct word *found = find_word(word, err);
    return found != NULL ? check(found, fields, err) : E_NOTFOUND;
}

int plugin_word(struct step *step, struct text word, struct doc fields, struct err *err)
{
    const struct word *found = find_word(word, err);
    int rc = found != NULL ? check(found, fields, err) : E_NOTFOUND;
    return rc != 0 ? rc : found->act(step, fields, err);
}
