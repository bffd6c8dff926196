/* dav_path.c -- paths: five shapes, read segment by segment and written the same way.
 *
 * Whose list it is stands in the path because clients keep paths for years and an account may
 * change hands; it must be the one who has authenticated.  Another's path is answered as if
 * nothing were there, which tells nobody who works here.
 */
#include "dav_inside.h"

#include <string.h>

#define PRINCIPALS "principals"
#define CALENDARS "calendars"
#define LIST "tasks"

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    char lower = (char)(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The byte at *at, decoded; -1 for what may not stand in a segment. */
static int next_byte(const char **at, const char *end)
{
    const char *from = *at;
    int value = (unsigned char)*from;
    *at = from + 1;
    if (*from == '%') {
        int high = end - from > 2 ? hex_value(from[1]) : -1;
        int low = end - from > 2 ? hex_value(from[2]) : -1;
        if (high < 0 || low < 0)
            return -1;
        value = high * 16 + low;
        *at = from + 3;
    }
    return value < 0x20 || value == 0x7F || value == '/' ? -1 : value;
}

/* The next segment of *path, decoded; moves *path behind its slash.  False when it is empty, too
 * long or holds what no name has. */
static bool next_segment(const char **path, char out_segment[DAV_SEGMENT_MAX + 1])
{
    const char *at = *path, *end = strchrnul(*path, '/');
    size_t size = 0;
    while (at < end) {
        int byte = next_byte(&at, end);
        if (byte < 0 || size == DAV_SEGMENT_MAX)
            return false;
        out_segment[size++] = (char)byte;
    }
    out_segment[size] = '\0';
    *path = *end == '/' ? end + 1 : end;
    return size > 0;
}

static bool is_next(const char **path, const char *wanted)
{
    char segment[DAV_SEGMENT_MAX + 1];
    return next_segment(path, segment) && strcmp(segment, wanted) == 0;
}

/* What an href may carry before its path. */
static const char *after_host(const char *path)
{
    const char *host = strstr(path, "://");
    return host == NULL || host > strchrnul(path, '/') ? path : strchrnul(host + 3, '/');
}

static enum dav_kind read_calendars(const char *path, char out_name[DAV_SEGMENT_MAX + 1])
{
    if (*path == '\0')
        return DAV_HOME;
    if (!is_next(&path, LIST))
        return DAV_NOWHERE;
    if (*path == '\0')
        return DAV_LIST;
    bool is_task = next_segment(&path, out_name) && *path == '\0' && path[-1] != '/';
    return is_task && strcmp(out_name, ".") != 0 && strcmp(out_name, "..") != 0 ? DAV_TASK
                                                                                : DAV_NOWHERE;
}

enum dav_kind dav_path_read(const struct dav_request *request, const char *path,
                            char out_name[DAV_SEGMENT_MAX + 1])
{
    size_t base = strlen(request->base);
    char segment[DAV_SEGMENT_MAX + 1];
    path = after_host(path);
    if (strncmp(path, request->base, base) != 0 || (path[base] != '/' && path[base] != '\0'))
        return DAV_NOWHERE;
    path += base + (path[base] == '/');
    if (*path == '\0')
        return DAV_ROOT;
    if (!next_segment(&path, segment) || !is_next(&path, request->staff))
        return DAV_NOWHERE;
    if (strcmp(segment, CALENDARS) == 0)
        return read_calendars(path, out_name);
    return strcmp(segment, PRINCIPALS) == 0 && *path == '\0' ? DAV_PRINCIPAL : DAV_NOWHERE;
}

/* Unreserved characters (RFC 3986, 2.3) and '@', which addresses as names have. */
static void write_segment(struct buffer *buffer, const char *segment)
{
    static const char kept[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~@";
    for (const char *at = segment; *at != '\0'; at++) {
        if (strchr(kept, *at) != NULL)
            buffer_byte(buffer, *at);
        else
            buffer_printf(buffer, "%%%02X", (unsigned)(unsigned char)*at);
    }
}

void dav_path_write(struct buffer *buffer, const struct dav_request *request, enum dav_kind kind,
                    const char *name)
{
    buffer_text(buffer, request->base);
    buffer_byte(buffer, '/');
    if (kind == DAV_ROOT)
        return;
    buffer_text(buffer, kind == DAV_PRINCIPAL ? PRINCIPALS "/" : CALENDARS "/");
    write_segment(buffer, request->staff);
    buffer_byte(buffer, '/');
    if (kind == DAV_LIST || kind == DAV_TASK)
        buffer_text(buffer, LIST "/");
    if (kind == DAV_TASK)
        write_segment(buffer, name);
}
