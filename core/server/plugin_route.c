/* plugin_route.c -- see plugin_route.h.
 *
 * A path has the form that ours have, or ends in a tail below at least one word.  Nobody else
 * answers there: a plugin whose path Kith would take for its own, or the other way round, is told
 * so before anybody sends a request.
 */
#include "core/server/plugin_route.h"

#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/http/http.h"
#include "core/server/api.h"
#include "core/server/call.h"
#include "core/server/home_inside.h"

#include <string.h>

/* -- Paths ------------------------------------------------------------------------------------- */

static const char *segment_end(const char *segment)
{
    return segment + 1 + strcspn(segment + 1, "/");
}

static bool is_parameter(const char *segment)
{
    return segment[1] == '{';
}

static bool is_good_segment(const char *segment, bool is_first)
{
    static const char literal[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    size_t size = (size_t)(segment_end(segment) - segment) - 1;
    if (size == 0)
        return false;
    if (is_parameter(segment))
        return !is_first && size > 2 && segment[size] == '}' &&
               strspn(segment + 2, "abcdefghijklmnopqrstuvwxyz0123456789_-") == size - 2;
    if (segment[1] == '*')
        return !is_first && segment[2] == '\0';
    return strspn(segment + 1, literal) == size;
}

/* Whether both fit the same paths, the names of parameters apart. */
static bool is_same_place(const char *a, const char *b)
{
    while (*a == '/' && *b == '/') {
        size_t size = (size_t)(segment_end(a) - a);
        bool is_open = is_parameter(a) && is_parameter(b);
        if (!is_open && (size != (size_t)(segment_end(b) - b) || memcmp(a, b, size) != 0))
            return false;
        a = segment_end(a);
        b = segment_end(b);
    }
    return *a == '\0' && *b == '\0';
}

bool plugin_route_overlaps(const char *a, const char *b)
{
    while (*a == '/' && *b == '/') {
        size_t size = (size_t)(segment_end(a) - a);
        bool is_open = is_parameter(a) || is_parameter(b);
        if (a[1] == '*' || b[1] == '*')
            return true;
        if (!is_open && (size != (size_t)(segment_end(b) - b) || memcmp(a, b, size) != 0))
            return false;
        a = segment_end(a);
        b = segment_end(b);
    }
    return *a == '\0' && *b == '\0';
}

bool plugin_route_methods_meet(const char *a, const char *b)
{
    return strcmp(a, b) == 0 || strcmp(a, "*") == 0 || strcmp(b, "*") == 0;
}

/* -- One route --------------------------------------------------------------------------------- */

static int check_path(const struct plugin *plugin, const struct kith_route *route, struct err *err)
{
    size_t params = 0;
    bool is_good = route->path[0] == '/', is_first = true;
    for (const char *at = route->path; is_good && *at != '\0'; at = segment_end(at)) {
        is_good = is_good_segment(at, is_first);
        is_first = is_first && strncmp(at, "/v1/", 4) == 0; /* that alone is no place */
        params += is_good && (is_parameter(at) || at[1] == '*');
    }
    if (strcmp(route->method, "*") != 0 && !http_method_is_taken(route->method))
        return err_set(err, E_INVALID,
                       "plugin %s: the route %s %s: no request of that method is taken here; \"*\" "
                       "is any that is",
                       plugin->name, route->method, route->path);
    if (is_good && params <= CALL_PARAMS_MAX)
        return 0;
    return err_set(err, E_INVALID,
                   "plugin %s: the route %s %s: a path is made of words and {names}, a word first, "
                   "at most %d {names}, and may end in a star below a word",
                   plugin->name, route->method, route->path, CALL_PARAMS_MAX);
}

static int check_body(const struct plugin *plugin, const struct kith_route *route, struct err *err)
{
    if (route->body_max <= PLUGIN_REPLY_BYTES_MAX)
        return 0;
    return err_set(err, E_LIMIT, "plugin %s: the route %s %s: body_max is at most %u", plugin->name,
                   route->method, route->path, PLUGIN_REPLY_BYTES_MAX);
}

static int check_against_kith(const struct plugin *plugin, const struct kith_route *route,
                              struct err *err)
{
    static const struct api none = { .plugin_routes = NULL };
    const struct route *table;
    for (size_t i = 0; (table = api_table(&none, i)) != NULL; i++)
        for (const struct route *own = table; own->method != NULL; own++)
            if (plugin_route_overlaps(own->path, route->path))
                return err_set(
                    err, E_INVALID,
                    "plugin %s: the route %s %s would answer where Kith does, at %s: give "
                    "it a path of its own",
                    plugin->name, route->method, route->path, own->path);
    return 0;
}

/* Of paths of its own, one may be a special case of the other. */
static int check_against_itself(const struct plugin *plugin, size_t index, struct err *err)
{
    const struct kith_route *route = &plugin->routes[index];
    for (size_t i = 0; i < index; i++)
        if (is_same_place(plugin->routes[i].path, route->path) &&
            plugin_route_methods_meet(plugin->routes[i].method, route->method))
            return err_set(err, E_INVALID, "plugin %s answers the route %s %s twice", plugin->name,
                           route->method, route->path);
    return 0;
}

static int check_openapi(const struct plugin *plugin, size_t index, struct err *err)
{
    struct home_route route = { .plugin = plugin, .index = index };
    int rc = home_read_openapi(&route, err);
    buf_deinit(&route.openapi_bytes);
    return rc;
}

int plugin_route_check(const struct plugin *plugin, size_t index, struct err *err)
{
    const struct kith_route *route = &plugin->routes[index];
    int rc = check_path(plugin, route, err);
    if (rc == 0)
        rc = check_body(plugin, route, err);
    if (rc == 0)
        rc = check_against_kith(plugin, route, err);
    if (rc == 0)
        rc = check_against_itself(plugin, index, err);
    return rc == 0 ? check_openapi(plugin, index, err) : rc;
}
