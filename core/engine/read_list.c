/* read_list.c -- pages of lists, and the fields that all documents share. */
#include "core/engine/read_inside.h"

void list_begin(struct list *list, struct buf *out, size_t limit)
{
    list->start = out->size;
    list->limit = limit;
    list->count = list->looks = 0;
    doc_begin(&list->w, out);
    doc_open_array(&list->w, "items");
}

void list_item(struct list *list)
{
    list->count++;
    doc_open(&list->w, "");
}

bool list_is_full(struct list *list)
{
    return list->count >= list->limit || ++list->looks > READ_LOOKS_MAX ||
           list->w.buf->size - list->start > READ_PAGE_BYTES;
}

void list_end(struct list *list, struct text next, uint64_t seq)
{
    doc_close(&list->w);
    if (next.size != 0)
        doc_put_text(&list->w, "next", next);
    else
        doc_put_null(&list->w, "next");
    doc_put_int(&list->w, "seq", (int64_t)seq);
    doc_end(&list->w);
}

void show_time(struct doc_writer *w, const char *name, int64_t ms)
{
    if (ms != 0)
        doc_put_datetime(w, name, ms);
}

void show_event_id(struct doc_writer *w, const char *name, uint64_t seq, uint64_t n)
{
    char id[EVENT_ID_TEXT_MAX];
    doc_put_text(w, name, event_id_text(seq, n, id));
}
