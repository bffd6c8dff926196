/* read_subject.c -- pools and budgets: what the bundle declares, how they stand, what happened.
 *
 * The timeline of a subject is made as a customer's is (read_timeline.c): here the rows, on a
 * thread that may wait the entries.
 */
#include "core/base/err.h"
#include "core/engine/engine_inside.h"
#include "core/engine/read_inside.h"
#include "core/engine/subject.h"

static struct text address_of(struct engine *engine, const char *kind, struct text name)
{
    return arena_printf(&engine->arena, "%s:%.*s", kind, (int)name.size, name.data);
}

/* A kind's own way of putting things may be a number where people want words. */
static void show_terms(struct doc_writer *w, struct doc terms)
{
    for (struct doc_iter it = doc_iter(terms); doc_next(&it);)
        if (text_is(it.name, "per") || text_is(it.name, "reserve") || text_is(it.name, "to"))
            doc_put_value_text(w, it.name, &it.value);
}

static void show(struct doc_writer *w, const struct subject *subject)
{
    doc_put_text(w, "name", subject->name);
    doc_put_bool(w, "declared", subject->terms.data != NULL);
    show_terms(w, subject->terms);
    subject->kind->show(subject, w);
}

void read_subjects(struct engine *engine, const char *kind, struct buf *out)
{
    const struct ruleset *rules = engine->rules;
    struct list list;
    arena_clear(&engine->arena);
    list_begin(&list, out, SUBJECTS_MAX);
    for (size_t i = 0; rules != NULL && i < rules->subject_count; i++) {
        struct subject subject;
        if (!text_is(rules->subjects[i].kind, kind) ||
            !subject_open(&subject, engine, address_of(engine, kind, rules->subjects[i].name)))
            continue;
        list_item(&list);
        show(&list.w, &subject);
        doc_close(&list.w);
    }
    list_end(&list, (struct text){ "", 0 }, engine->seq);
}

/* One that the bundle declares, or did: then it has a row. */
static int find(struct subject *subject, struct engine *engine, const char *kind, struct text name,
                struct err *err)
{
    arena_clear(&engine->arena);
    bool is_address = subject_open(subject, engine, address_of(engine, kind, name));
    if (is_address && (subject->terms.data != NULL || subject->row.data != NULL))
        return 0;
    return err_set(err, E_NOTFOUND, "the bundle in force declares no %s \"%.*s\"", kind,
                   (int)name.size, name.data);
}

int read_subject(struct engine *engine, const char *kind, struct text name, struct buf *out,
                 struct err *err)
{
    struct subject subject;
    struct doc_writer w;
    int rc = find(&subject, engine, kind, name, err);
    if (rc != 0)
        return rc;
    doc_begin(&w, out);
    show(&w, &subject);
    doc_end(&w);
    return 0;
}

/* The row of an event that is nobody's. */
static void show_event(struct list *list, struct engine *engine, const uint64_t id[2])
{
    struct key key;
    struct bytes row;
    key_customer(&key, 0, 't');
    key_number_down(&key, id[0]);
    key_number_down(&key, id[1]);
    if (!state_get(engine->state, &key, &row))
        return;
    list_item(list);
    doc_put_int(&list->w, "seq", (int64_t)id[0]);
    doc_put_int(&list->w, "n", (int64_t)id[1]);
    doc_put_int(&list->w, "member", 0);
    doc_put_doc(&list->w, "row", doc_of(row));
    doc_close(&list->w);
}

int read_subject_timeline(struct engine *engine, const char *kind, struct text name,
                          const struct read_page *page, struct buf *out_rows, struct err *err)
{
    struct subject subject;
    struct key prefix, first;
    struct cursor cursor;
    struct list list;
    uint64_t behind[2] = { 0, 0 }, id[2] = { 0, 0 };
    char next[EVENT_ID_TEXT_MAX] = "";
    bool has_begin = page->after.size != 0;
    if (has_begin && !event_id_parse(page->after, &behind[0], &behind[1]))
        return err_set(err, E_INVALID, "`after` is no cursor that a page of a timeline gave");
    int rc = find(&subject, engine, kind, name, err);
    if (rc != 0)
        return rc;
    subject_key(&prefix, &subject, 't');
    first = prefix;
    if (has_begin) {
        key_number_down(&first, behind[0]);
        key_number_down(&first, behind[1]);
    }
    list_begin(&list, out_rows, page->limit);
    cursor_open_at(&cursor, engine->state, &prefix, &first);
    while (cursor_next(&cursor)) {
        struct key_reader reader = { cursor.key.data + prefix.size,
                                     cursor.key.data + cursor.key.size };
        uint64_t here[2];
        bool is_id =
            key_read_number_down(&reader, &here[0]) && key_read_number_down(&reader, &here[1]);
        ASSERT(is_id);
        if (has_begin && here[0] == behind[0] && here[1] == behind[1])
            continue;
        if (list_is_full(&list)) {
            event_id_text(id[0], id[1], next);
            break;
        }
        id[0] = here[0];
        id[1] = here[1];
        show_event(&list, engine, id);
    }
    cursor_close(&cursor);
    list_end(&list, text_of(next), engine->seq);
    return 0;
}
