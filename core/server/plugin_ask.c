/* plugin_ask.c -- see plugin_ask.h. */
#include "core/server/plugin_ask.h"

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/plugin/plugin.h"
#include "core/server/api.h"
#include "core/server/call.h"

static const struct {
    const char *need;
    enum api_scope scope;
} scopes[] = { { "append", SCOPE_WRITE },
               { "read", SCOPE_READ },
               { "staff", SCOPE_STAFF },
               { "admin", SCOPE_ADMIN } };

uint32_t plugin_ask_scopes(const struct plugin *plugin)
{
    uint32_t all = 0;
    for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++)
        if (plugin_may(plugin, scopes[i].need))
            all |= 1u << scopes[i].scope;
    return all;
}

static const char *need_of(enum api_scope scope)
{
    for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++)
        if (scopes[i].scope == scope)
            return scopes[i].need;
    return "";
}

int plugin_ask_check(const struct plugin *plugin, struct text method, struct text path,
                     struct err *err)
{
    static const struct api none = { .plugin_routes = NULL };
    struct buf texts[2] = { BUF_INIT, BUF_INIT };
    const struct route *any;
    const char *query = memchr(path.data, '?', path.size);
    buf_append(&texts[0], method.data, method.size);
    buf_append(&texts[1], path.data, query != NULL ? (size_t)(query - path.data) : path.size);
    const struct route *route = api_find(&none, buf_string(&texts[0]), buf_string(&texts[1]), &any);
    bool may = route == NULL || scopes_allow(plugin_ask_scopes(plugin), route->scope);
    buf_deinit(&texts[0]);
    buf_deinit(&texts[1]);
    return may ? 0
               : err_set(err, E_DENIED, "%s %s is answered with 403: \"%s\" is not among its needs",
                         route->method, route->path, need_of(route->scope));
}
