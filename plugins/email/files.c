/* files.c -- see files.h. */
#include "files.h"

#include <stdlib.h>
#include <string.h>

#define TYPE_BYTES_MAX 127
#define NAME_DIGITS 12 /* of the hash, where a file has no name */

static void end(struct files *files, int32_t outcome)
{
    files->done(files->arg, outcome, outcome == KITH_SENT ? "" : files->fault.text);
}

/* The next one of the list; size 0: there is none. */
static struct kith_doc next_of(const struct files *files)
{
    struct kith_iter it = kith_iter(files->list);
    struct kith_doc none = { NULL, 0 };
    for (size_t i = 0; kith_next(&it); i++)
        if (i == files->count)
            return kith_as_doc(&it.value);
    return none;
}

static struct span copy_of(const void *data, size_t size)
{
    struct span span = { malloc(size + 1), size };
    if (span.data != NULL)
        memcpy((char *)span.data, data, size);
    return span;
}

/* "image/png" of the type that it was put with, which may have parameters; empty: it is none. */
static struct span type_of(struct kith_text text)
{
    struct span type = { text.data, text.size };
    type.size = span_find(type, ';') < type.size ? span_find(type, ';') : type.size;
    type = span_trim(type);
    size_t slash = span_find(type, '/');
    for (size_t i = 0; i < type.size; i++) {
        char c = type.data[i], small = (char)(c | 0x20);
        bool is_letter = ascii_is_digit(c) || (small >= 'a' && small <= 'z');
        if (!is_letter && i != slash && strchr("!#$&^_.+-", c) == NULL)
            type.size = 0;
    }
    if (slash == 0 || slash + 1 >= type.size || type.size > TYPE_BYTES_MAX)
        type.size = 0;
    return type;
}

/* False: there is no memory for it. */
static bool keep(struct files *files, struct kith_doc file, struct kith_doc result)
{
    struct compose_attachment *item = &files->items[files->count++];
    struct kith_value data = kith_get(result, "data");
    struct span type = type_of(kith_get_text(result, "type"));
    struct kith_text name = kith_get_text(file, "name");
    if (name.size == 0) {
        name = kith_get_text(file, "hash");
        name.size = name.size < NAME_DIGITS ? name.size : NAME_DIGITS;
    }
    item->name = (struct span){ name.data, name.size };
    item->type = copy_of(type.data, type.size);
    item->data = copy_of(data.as.bytes, data.size);
    files->bytes += data.size;
    *files->held += data.size;
    return item->type.data != NULL && item->data.data != NULL;
}

static void on_file(void *arg, int32_t status, struct kith_doc result)
{
    struct files *files = arg;
    struct kith_doc file = next_of(files);
    struct kith_text hash = kith_get_text(file, "hash"), error = kith_get_text(result, "error");
    size_t size = kith_get(result, "data").size;
    struct fault *fault = &files->fault;
    if (status == KITH_MISSING || status == KITH_INVALID) {
        fault_set(fault, FAULT_INVALID, "attach: there is no file %.*s", (int)hash.size, hash.data);
        end(files, KITH_REJECTED);
    } else if (status != KITH_OK) {
        fault_set(fault, FAULT_INVALID, "attach: a file cannot be read now: %.*s", (int)error.size,
                  error.data);
        end(files, KITH_RETRY);
    } else if (files->bytes + size > FILES_BYTES_MAX) {
        fault_set(fault, FAULT_LIMIT, "attach: its files have more than %u bytes", FILES_BYTES_MAX);
        end(files, KITH_REJECTED);
    } else if (*files->held + size > FILES_HELD_MAX) {
        fault_set(fault, FAULT_LIMIT, "attach: so many files are on their way");
        end(files, KITH_RETRY);
    } else if (!keep(files, file, result)) {
        fault_set(fault, FAULT_MEMORY, "no memory for its files");
        end(files, KITH_RETRY);
    } else {
        files_read(files);
    }
}

void files_read(struct files *files)
{
    struct kith_doc file = next_of(files);
    if (file.size == 0) {
        end(files, KITH_SENT);
        return;
    }
    if (files->count == FILES_MAX) {
        fault_set(&files->fault, FAULT_LIMIT, "attach: more files than one message may have");
        end(files, KITH_REJECTED);
        return;
    }
    int32_t code = files->host->file_read(files->kith, kith_get_text(file, "hash"), on_file, files);
    if (code != KITH_OK) {
        fault_set(&files->fault, FAULT_LIMIT, "attach: its files cannot be asked for now");
        end(files, KITH_RETRY);
    }
}

void files_deinit(struct files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free((char *)files->items[i].type.data);
        free((char *)files->items[i].data.data);
    }
    if (files->held != NULL)
        *files->held -= files->bytes;
    files->count = files->bytes = 0;
}
