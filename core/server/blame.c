/* blame.c -- see blame.h.
 *
 * One line for each: entry, call, "crash" or "hang", and the plugin's name to the end of the line.
 * How it ended may stand behind the third word: "crash:11:0:visit", the signal or 0, the exit code,
 * and the function.
 * A file that was cut off loses a line, and a plugin that was not named ends the daemon again.
 *
 * The lines are written over zeros that have their room on the disk already: a disk that has become
 * full, which is when daemons end that would else have started again, takes them.
 */
#include "core/server/blame.h"

#include "core/base/buf.h"
#include "core/base/doc.h"
#include "core/base/mem.h"
#include "core/plugin/breadcrumb.h"
#include "core/server/say.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES 4096

static bool path_of(const char *dir, char out[4096])
{
    return dir[0] != '\0' && snprintf(out, 4096, "%s/blames", dir) < 4096;
}

/* 0 or an errno. */
static int write_file(const char *path, struct text lines)
{
    char bytes[FILE_BYTES] = { 0 };
    ASSERT(lines.size < sizeof bytes);
    memcpy(bytes, lines.data, lines.size);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return errno;
    ssize_t written = pwrite(fd, bytes, sizeof bytes, 0);
    int rc = written == (ssize_t)sizeof bytes ? 0 : written < 0 ? errno : ENOSPC;
    close(fd);
    return rc;
}

void blame_leave(void)
{
    char path[4096];
    size_t count;
    const struct breadcrumb_crash *blames = breadcrumb_blames(&count);
    if (count == 0 || !path_of(breadcrumb_data(), path))
        return;
    struct buf lines = BUF_INIT;
    for (size_t i = 0; i < count; i++) {
        if (blames[i].call == BREADCRUMB_DESCRIBE) /* whoever starts by hand has mended the file */
            continue;
        buf_printf(&lines, "%" PRIu64 " %" PRIu32 " %s:%" PRId32 ":%u:%s %s\n", blames[i].seq,
                   blames[i].call, blames[i].is_hang ? "hang" : "crash", blames[i].signal,
                   blames[i].exit_code, blames[i].function, blames[i].plugin);
    }
    int rc = write_file(path, text_of(buf_string(&lines)));
    if (rc != 0 && rc != ENOENT) /* before the first start of all the folder is not there yet */
        say("a start by hand will not know of plugin \"%s\": cannot write %s: %s", blames[0].plugin,
            path, strerror(rc));
    buf_deinit(&lines);
}

/* A number and the `end` behind it. */
static bool read_number(const char **at, char end, uint64_t *out_number)
{
    char *behind;
    errno = 0;
    *out_number = strtoull(*at, &behind, 10);
    bool is_read = **at >= '0' && **at <= '9' && *behind == end && errno == 0;
    *at = behind + (*behind == end);
    return is_read;
}

/* ":11:0:visit", up to a blank; what is missing stays unknown. */
static void read_how(const char *at, struct breadcrumb_crash *crash)
{
    uint64_t signal, code;
    at += *at == ':';
    if (!read_number(&at, ':', &signal) || !read_number(&at, ':', &code) || signal > 64 ||
        code > UINT8_MAX)
        return;
    crash->signal = (int32_t)signal;
    crash->exit_code = (uint8_t)code;
    snprintf(crash->function, sizeof crash->function, "%.*s", (int)strcspn(at, " "), at);
}

static bool read_line(char *line, struct breadcrumb_crash *out_crash)
{
    const char *at = line;
    uint64_t call;
    *out_crash = (struct breadcrumb_crash){ .count = 1 };
    line[strcspn(line, "\n")] = '\0';
    if (!read_number(&at, ' ', &out_crash->seq) || !read_number(&at, ' ', &call) ||
        call > UINT32_MAX)
        return false;
    out_crash->call = (uint32_t)call;
    size_t kind = strcspn(at, ": "), word = strcspn(at, " ");
    out_crash->is_hang = kind == 4 && strncmp(at, "hang", kind) == 0;
    if ((!out_crash->is_hang && (kind != 5 || strncmp(at, "crash", kind) != 0)) || at[word] == '\0')
        return false;
    read_how(at + kind, out_crash);
    snprintf(out_crash->plugin, sizeof out_crash->plugin, "%s", at + word + 1);
    return out_crash->plugin[0] != '\0';
}

void blame_find(const char *dir)
{
    char path[4096], line[200];
    struct breadcrumb_crash crash;
    breadcrumb_note_data(dir);
    FILE *file = path_of(dir, path) ? fopen(path, "re") : NULL;
    if (file == NULL)
        return;
    while (fgets(line, sizeof line, file) != NULL)
        if (read_line(line, &crash) && breadcrumb_tell_blame(&crash))
            say("plugin \"%s\" ended the daemon before this start", crash.plugin);
    fclose(file);
}

void blame_forget(const char *dir)
{
    char path[4096];
    if (path_of(dir, path))
        write_file(path, text_of(""));
}
