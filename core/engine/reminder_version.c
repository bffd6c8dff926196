/* reminder_version.c -- see reminder_version.h. */
#include "core/engine/reminder_version.h"

#include "core/base/buf.h"
#include "core/base/hash.h"

#include <stdio.h>

/* Each with its size in front: no two lists of texts are the same bytes. */
void reminder_version_of(struct text title, struct text note, struct text assignee,
                         struct text state, int64_t due, char out[REMINDER_VERSION_SIZE])
{
    const struct text texts[] = { title, note, assignee, state };
    struct buf bytes = BUF_INIT;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        buf_printf(&bytes, "%u ", texts[i].size);
        buf_append(&bytes, texts[i].data, texts[i].size);
    }
    buf_printf(&bytes, "%lld", (long long)due);
    snprintf(out, REMINDER_VERSION_SIZE, "%016llx",
             (unsigned long long)hash64(bytes.data, bytes.size));
    buf_deinit(&bytes);
}

void reminder_version(struct doc row, char out[REMINDER_VERSION_SIZE])
{
    reminder_version_of(doc_text(row, "title"), doc_text(row, "note"), doc_text(row, "assignee"),
                        doc_text(row, "state"), doc_int(row, "due", 0), out);
}
