/* task.c -- see task.h.
 *
 * What a day is due at is the host's to say (the end of her working day): a day goes there as a
 * day, and comes back as a moment.
 */
#include "task.h"

#include "buffer.h"
#include "utf8.h"

#include <stdlib.h>

#define BODY_ROOM 8192 /* of what is in a body besides texts */

static const char *text_of(struct kith_doc doc, const char *name)
{
    struct kith_text text = kith_get_text(doc, name);
    return text.data;
}

static struct when moment(int64_t ms)
{
    return ms == 0 ? (struct when){ WHEN_NONE, 0 } : (struct when){ WHEN_TIME, ms };
}

/* As when_write() wrote it. */
static struct when read_when(const char *text)
{
    struct when when = { WHEN_NONE, 0 };
    bool is_utc;
    size_t size = strlen(text);
    if (size == 8 && when_read_date(text, size, &when.ms))
        when.kind = WHEN_DATE;
    else if (size > 8 && when_read_time(text, size, &when.ms, &is_utc))
        when.kind = WHEN_TIME;
    return when;
}

static unsigned small(struct kith_doc fields, const char *name, unsigned most)
{
    int64_t value = kith_get_int(fields, name, 0);
    return value < 0 ? 0 : value > most ? most : (unsigned)value;
}

/* What a device has said and Kith does not read. */
static void read_own(struct kith_doc fields, struct ics_item *item)
{
    item->url = text_of(fields, "url");
    item->categories = text_of(fields, "categories");
    item->kept = text_of(fields, "kept");
    item->start = read_when(text_of(fields, "start"));
    item->priority = small(fields, "priority", 9);
    item->percent = small(fields, "percent", 99);
    if (item->percent != 0 && item->status == ICS_OPEN)
        item->status = ICS_STARTED;
}

void task_of_reminder(struct pool *pool, struct kith_doc reminder, struct kith_doc copy,
                      int64_t done_at, struct ics_item *out_item)
{
    struct kith_doc fields = kith_get_doc(copy, "fields");
    bool is_open = kith_is(kith_get_text(reminder, "state"), "open");
    bool is_called_off = kith_is(kith_get_text(reminder, "outcome"), TASK_CALLED_OFF);
    *out_item = (struct ics_item){
        .kind = ICS_TODO,
        .status = is_open         ? ICS_OPEN
                  : is_called_off ? ICS_CANCELLED
                                  : ICS_DONE,
        .uid = text_of(fields, "uid"),
        .title = text_of(reminder, "title"),
        .note = text_of(reminder, "note"),
        .due = moment(kith_get_int(reminder, "due", 0)),
        .created = moment(kith_get_int(reminder, "created", 0)),
    };
    read_own(fields, out_item);
    if (!is_open && *text_of(fields, "title") != '\0')
        out_item->title = text_of(fields, "title");
    if (!is_open && kith_get(fields, "details").type == KITH_TEXT)
        out_item->note = text_of(fields, "details");
    if (out_item->status == ICS_DONE)
        out_item->completed = moment(kith_get_int(fields, "completed", done_at));
    if (out_item->status == ICS_DONE)
        out_item->percent = 100;
    if (*out_item->uid == '\0')
        out_item->uid =
            pool_print(pool, "reminder-%lld@kith", (long long)kith_get_int(reminder, "id", 0));
}

void task_of_todo(struct pool *pool, struct kith_doc todo, struct ics_item *out_item)
{
    struct kith_doc fields = kith_get_doc(todo, "fields");
    struct kith_text state = kith_get_text(todo, "state");
    *out_item = (struct ics_item){
        .kind = ICS_TODO,
        .status = kith_is(state, "done")      ? ICS_DONE
                  : kith_is(state, "dropped") ? ICS_CANCELLED
                                              : ICS_OPEN,
        .uid = text_of(fields, "uid"),
        .title = text_of(fields, "title"),
        .note = text_of(fields, "details"),
        .created = moment(kith_get_int(todo, "created", 0)),
    };
    read_own(fields, out_item);
    out_item->due = moment(kith_get_int(fields, "due", 0));
    if (*text_of(fields, "day") != '\0')
        out_item->due = read_when(text_of(fields, "day"));
    if (out_item->status == ICS_DONE) {
        out_item->completed =
            moment(kith_get_int(fields, "completed", kith_get_int(todo, "since", 0)));
        out_item->percent = 100;
    }
    if (*out_item->uid == '\0')
        out_item->uid = pool_print(pool, "todo-%lld@kith", (long long)kith_get_int(todo, "id", 0));
}

const char *task_name(struct pool *pool, struct kith_doc reminder, struct kith_doc copy)
{
    const char *name = text_of(kith_get_doc(copy, "fields"), "name");
    return *name != '\0'
               ? name
               : pool_print(pool, "reminder-%lld.ics", (long long)kith_get_int(reminder, "id", 0));
}

const char *task_other_name(struct pool *pool, struct kith_doc reminder, unsigned nth)
{
    return pool_print(pool, "reminder-%lld.%u.ics", (long long)kith_get_int(reminder, "id", 0),
                      nth);
}

const char *task_other_uid(struct pool *pool, struct kith_doc reminder, unsigned nth)
{
    return pool_print(pool, "reminder-%lld.%u@kith", (long long)kith_get_int(reminder, "id", 0),
                      nth);
}

/* -- Bodies ------------------------------------------------------------------------------------ */

static size_t size_of(const char *text)
{
    return text == NULL ? 0 : strlen(text);
}

static bool begin(struct pool *pool, const struct ics_item *task, struct kith_writer *w)
{
    size_t room = BODY_ROOM + size_of(task->title) + size_of(task->note) + size_of(task->url) +
                  size_of(task->categories) + size_of(task->kept);
    void *data = pool_take(pool, room);
    kith_begin(w, data, data == NULL ? 0 : room);
    return data != NULL;
}

static void put_text(struct kith_writer *w, const char *name, const char *text)
{
    kith_put_string(w, name, text == NULL ? "" : text);
}

/* Empty: null, which empties. */
static void put_field(struct kith_writer *w, const char *name, const char *text)
{
    struct kith_value value = kith_string(text == NULL ? "" : text);
    if (value.size == 0)
        value.type = KITH_NULL;
    kith_put(w, name, &value);
}

static void put_number(struct kith_writer *w, const char *name, int64_t number)
{
    struct kith_value value = kith_int(number);
    if (number == 0)
        value.type = KITH_NULL;
    kith_put(w, name, &value);
}

static void put_written(struct kith_writer *w, const char *name, struct when when)
{
    struct buffer text = { 0 };
    when_write(&text, when);
    put_field(w, name, buffer_string(&text));
    buffer_deinit(&text);
}

/* "2027-03-01" of a day, else milliseconds. */
static void put_due(struct kith_writer *w, struct when due)
{
    struct buffer text = { 0 };
    if (due.kind == WHEN_TIME)
        kith_put_int(w, "due", due.ms);
    if (due.kind != WHEN_DATE)
        return;
    when_write(&text, due);
    const char *day = buffer_string(&text);
    if (strlen(day) == 8) {
        const char words[] = { day[0], day[1], day[2], day[3], '-', day[4],
                               day[5], '-',    day[6], day[7], '\0' };
        kith_put_string(w, "due", words);
    }
    buffer_deinit(&text);
}

static void put_changes(struct kith_writer *w, const struct ics_item *task, unsigned changes)
{
    if ((changes & ICS_RETITLED) != 0 && size_of(task->title) != 0)
        put_text(w, "title", task->title);
    if ((changes & ICS_NOTED) != 0)
        put_text(w, "note", task->note);
    if ((changes & ICS_MOVED) != 0)
        put_due(w, task->due);
}

struct kith_doc task_change(struct pool *pool, const struct ics_item *task, unsigned changes)
{
    struct kith_writer w;
    if (!begin(pool, task, &w))
        return (struct kith_doc){ NULL, 0 };
    put_changes(&w, task, changes);
    struct kith_doc doc = kith_end(&w);
    return doc.size > 5 ? doc : (struct kith_doc){ NULL, 0 };
}

struct kith_doc task_done(struct pool *pool, const struct ics_item *task, unsigned changes)
{
    struct kith_writer w;
    if (!begin(pool, task, &w))
        return (struct kith_doc){ NULL, 0 };
    put_changes(&w, task, changes);
    if ((changes & ICS_CALLED_OFF) != 0)
        put_text(&w, "outcome", TASK_CALLED_OFF);
    return kith_end(&w);
}

struct kith_doc task_again(struct pool *pool, struct kith_doc reminder, const struct ics_item *task,
                           const char *staff)
{
    struct kith_writer w;
    if (!begin(pool, task, &w))
        return (struct kith_doc){ NULL, 0 };
    kith_put_int(&w, "customer", kith_get_int(reminder, "customer", 0));
    put_text(&w, "title", size_of(task->title) != 0 ? task->title : text_of(reminder, "title"));
    put_text(&w, "note", task->note);
    put_text(&w, "to", staff);
    if (*text_of(reminder, "about") != '\0')
        put_text(&w, "about", text_of(reminder, "about"));
    if (task->due.kind == WHEN_NONE)
        kith_put_int(&w, "due", kith_get_int(reminder, "due", 0));
    else
        put_due(&w, task->due);
    return kith_end(&w);
}

static void put_own(struct kith_writer *w, const char *name, const struct ics_item *task)
{
    put_text(w, "name", name);
    put_text(w, "uid", task->uid);
    put_field(w, "url", task->url);
    put_field(w, "categories", task->categories);
    put_field(w, "kept", task->kept);
    put_written(w, "start", task->start);
    put_number(w, "priority", task->priority);
    put_number(w, "percent", task->status == ICS_DONE ? 0 : task->percent);
    put_number(w, "completed", task->status == ICS_DONE ? task->completed.ms : 0);
}

/* What one that is new was already; nothing: it is open. */
static void put_made(struct kith_writer *w, enum ics_status status)
{
    if (status == ICS_DONE || status == ICS_CANCELLED)
        put_text(w, "made", status == ICS_DONE ? "done" : "dropped");
}

struct kith_doc task_todo(struct pool *pool, const char *name, const struct ics_item *task,
                          const char *staff, bool is_new)
{
    static const char untitled[] = "(untitled)";
    struct kith_writer w;
    if (!begin(pool, task, &w))
        return (struct kith_doc){ NULL, 0 };
    put_text(&w, "owner", staff);
    kith_open(&w, "fields");
    put_text(&w, "title", !utf8_is_blank(task->title) ? task->title : untitled);
    if (is_new)
        put_made(&w, task->status);
    put_field(&w, "details", task->note);
    put_number(&w, "due", task->due.kind == WHEN_TIME ? task->due.ms : 0);
    put_written(&w, "day", task->due.kind == WHEN_DATE ? task->due : moment(0));
    put_own(&w, name, task);
    kith_close(&w);
    return kith_end(&w);
}

struct kith_doc task_copy(struct pool *pool, const struct task_copy *copy,
                          const struct ics_item *task)
{
    struct kith_writer w;
    if (!begin(pool, task, &w))
        return (struct kith_doc){ NULL, 0 };
    put_text(&w, "owner", copy->staff);
    if (copy->customer != 0)
        kith_put_int(&w, "customer", copy->customer);
    kith_open(&w, "fields");
    kith_put_int(&w, "reminder", (int64_t)copy->reminder);
    put_own(&w, copy->name, task);
    put_field(&w, "title", copy->has_words ? task->title : NULL);
    if (copy->has_words)
        put_text(&w, "details", task->note); /* a note that was emptied is empty */
    else
        put_field(&w, "details", NULL);
    if (copy->customer != 0 && copy->is_over)
        put_text(&w, "made", "left");
    kith_close(&w);
    return kith_end(&w);
}

struct kith_doc task_hidden(struct pool *pool, const char *name, const char *staff,
                            struct kith_doc reminder)
{
    struct kith_writer w;
    struct ics_item none = { 0 };
    if (!begin(pool, &none, &w))
        return (struct kith_doc){ NULL, 0 };
    if (name != NULL) {
        put_text(&w, "owner", staff);
        kith_put_int(&w, "customer", kith_get_int(reminder, "customer", 0));
    }
    kith_open(&w, "fields");
    if (name != NULL) {
        kith_put_int(&w, "reminder", kith_get_int(reminder, "id", 0));
        put_text(&w, "name", name);
        put_text(&w, "made", "left");
    }
    kith_put_bool(&w, "hidden", 1);
    kith_close(&w);
    return kith_end(&w);
}
