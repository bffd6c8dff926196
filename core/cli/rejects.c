/* rejects.c -- see rejects.h. */
#include "core/cli/rejects.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/cli/csv.h"
#include "core/cli/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void rejects_init(struct rejects *rejects, const char *path, bool is_shown)
{
    *rejects = (struct rejects){ .path = mem_string(path), .is_shown = is_shown };
}

static void show(const struct rejects *rejects, uint64_t line, struct text reason)
{
    struct buf text = BUF_INIT;
    if (rejects->count > REJECTS_SHOWN)
        return;
    text_clean(reason, &text);
    fprintf(stderr, "line %llu: %s\n", (unsigned long long)line, buf_string(&text));
    if (rejects->count == REJECTS_SHOWN)
        fputs("further rejected rows are only counted\n", stderr);
    buf_deinit(&text);
}

static void write_row(struct rejects *rejects, uint64_t line, struct text raw, struct text reason)
{
    struct buf text = BUF_INIT;
    if (rejects->file == NULL && rejects->error == 0) {
        rejects->file = fopen(rejects->path, "we");
        buf_text(&text, "line,reason,row\n");
    }
    buf_printf(&text, "%llu,", (unsigned long long)line);
    csv_write_field(&text, reason);
    buf_byte(&text, ',');
    csv_write_field(&text, raw);
    buf_byte(&text, '\n');
    bool is_written =
        rejects->file != NULL && fwrite(text.data, 1, text.size, rejects->file) == text.size;
    if (!is_written && rejects->error == 0)
        rejects->error = errno;
    buf_deinit(&text);
}

void rejects_add(struct rejects *rejects, uint64_t line, struct text raw, struct text reason)
{
    rejects->count++;
    if (rejects->is_shown)
        show(rejects, line, reason);
    else
        write_row(rejects, line, raw, reason);
}

int rejects_close(struct rejects *rejects, struct err *err)
{
    int rc = 0;
    if (rejects->file != NULL && fclose(rejects->file) != 0 && rejects->error == 0)
        rejects->error = errno;
    if (rejects->error != 0)
        rc = err_set(err, E_IO, "cannot write %.200s: %s", rejects->path, strerror(rejects->error));
    else if (rejects->count == 0 && !rejects->is_shown)
        unlink(rejects->path); /* of an earlier run; mostly there is none */
    free(rejects->path);
    rejects->path = NULL;
    rejects->file = NULL;
    return rc;
}
