/* link_epochs.c -- see link_epochs.h. */
#include "core/server/link_epochs.h"

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/server/whole_file.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LINE_BYTES_MAX (20 + 1 + HEX_SIZE(LINK_PRINT_BYTES))
#define FILE_BYTES_MAX (LINK_EPOCHS_MAX * LINE_BYTES_MAX)
#define PATH_BYTES 4096

static void add_epoch(struct link_epochs *epochs, const struct link_epoch *epoch)
{
    if (epochs->count == LINK_EPOCHS_MAX)
        memmove(epochs->epochs, epochs->epochs + 1, --epochs->count * sizeof *epochs->epochs);
    epochs->epochs[epochs->count++] = *epoch;
}

static void parse_line(const char *line, size_t size, struct link_epochs *epochs)
{
    struct link_epoch epoch = { .since = 0 };
    size_t digits = 0;
    for (; digits < size && line[digits] >= '0' && line[digits] <= '9'; digits++)
        epoch.since = 10 * epoch.since + (uint64_t)(line[digits] - '0');
    if (digits != 0 && digits < size && line[digits] == ' ' &&
        hex_decode(line + digits + 1, size - digits - 1, epoch.print, sizeof epoch.print))
        add_epoch(epochs, &epoch);
}

static int read_file(const char *path, struct link_epochs *epochs, struct err *err)
{
    char text[FILE_BYTES_MAX];
    size_t size;
    int rc = whole_file_read(path, text, sizeof text, &size, err);
    if (rc != 0)
        return rc == E_NOTFOUND ? 0 : rc;
    const char *at = text, *end = text + size, *stop;
    for (; (stop = memchr(at, '\n', (size_t)(end - at))) != NULL; at = stop + 1)
        parse_line(at, (size_t)(stop - at), epochs);
    return 0;
}

static int write_file(const char *dir, const char *path, const struct link_epochs *epochs,
                      struct err *err)
{
    struct buf text = BUF_INIT;
    char print[HEX_SIZE(LINK_PRINT_BYTES)];
    for (size_t i = 0; i < epochs->count; i++) {
        hex_encode(epochs->epochs[i].print, LINK_PRINT_BYTES, print);
        buf_printf(&text, "%" PRIu64 " %s\n", epochs->epochs[i].since, print);
    }
    int rc = whole_file_write(dir, path, text.data, text.size, err);
    buf_deinit(&text);
    return rc;
}

int link_epochs_open(const char *dir, const struct link_keys *keys, uint64_t seq,
                     struct link_epochs *epochs, struct err *err)
{
    char path[PATH_BYTES];
    struct link_epochs read = { .count = 0 };
    struct link_epoch now = { .since = seq };
    memcpy(now.print, keys->keys[0].print, sizeof now.print);
    snprintf(path, sizeof path, "%s/links.epochs", dir);
    int rc = read_file(path, &read, err);
    bool is_known = read.count != 0 &&
                    memcmp(read.epochs[read.count - 1].print, now.print, sizeof now.print) == 0;
    if (rc == 0 && !is_known) {
        add_epoch(&read, &now);
        rc = write_file(dir, path, &read, err);
    }
    if (rc == 0)
        *epochs = read;
    return rc;
}

size_t link_epochs_key(const struct link_epochs *epochs, const struct link_keys *keys, uint64_t seq)
{
    size_t i = epochs->count;
    while (i > 0 && epochs->epochs[i - 1].since > seq)
        i--;
    for (size_t j = 0; i > 0 && j < keys->count; j++)
        if (memcmp(keys->keys[j].print, epochs->epochs[i - 1].print, LINK_PRINT_BYTES) == 0)
            return j;
    return 0;
}
