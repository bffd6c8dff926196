/* blame.c -- see blame.h.
 *
 * One line for each: entry, call, "crash" or "hang", and the plugin's name to the end of the line.
 * A file that was cut off loses a line, and a plugin that was not named ends the daemon again.
 */
#include "core/server/blame.h"

#include "core/base/buf.h"
#include "core/plugin/breadcrumb.h"
#include "core/server/say.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool path_of(const char *dir, char out[4096])
{
    return dir[0] != '\0' && snprintf(out, 4096, "%s/blames", dir) < 4096;
}

void blame_leave(void)
{
    char path[4096];
    size_t count;
    const struct breadcrumb_crash *blames = breadcrumb_blames(&count);
    if (count == 0 || !path_of(breadcrumb_data(), path))
        return;
    struct buf lines = BUF_INIT;
    for (size_t i = 0; i < count; i++)
        buf_printf(&lines, "%" PRIu64 " %" PRIu32 " %s %s\n", blames[i].seq, blames[i].call,
                   blames[i].is_hang ? "hang" : "crash", blames[i].plugin);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool is_left = fd >= 0 && write(fd, lines.data, lines.size) == (ssize_t)lines.size;
    if (!is_left)
        say("the next start will not know of plugin \"%s\": cannot write %s: %s", blames[0].plugin,
            path, strerror(errno));
    if (fd >= 0)
        close(fd);
    buf_deinit(&lines);
}

static bool read_line(char *line, struct breadcrumb_crash *out_crash)
{
    char kind[8];
    int at = 0;
    *out_crash = (struct breadcrumb_crash){ .count = 1 };
    line[strcspn(line, "\n")] = '\0';
    if (sscanf(line, "%" SCNu64 " %" SCNu32 " %7s %n", &out_crash->seq, &out_crash->call, kind,
               &at) != 3 ||
        at == 0 || line[at] == '\0')
        return false;
    out_crash->is_hang = strcmp(kind, "hang") == 0;
    snprintf(out_crash->plugin, sizeof out_crash->plugin, "%s", line + at);
    return true;
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
        if (read_line(line, &crash)) {
            say("plugin \"%s\" ended the daemon before this start", crash.plugin);
            breadcrumb_tell_blame(&crash);
        }
    fclose(file);
}

void blame_forget(const char *dir)
{
    char path[4096];
    if (path_of(dir, path))
        unlink(path);
}
