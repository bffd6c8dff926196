/* home_openapi.c -- what /openapi.json says of the routes of plugins.
 *
 * Kith knows path, method, key and the size of the body; the plugin may say the rest, as an object
 * of OpenAPI's own, whose fields come in place of Kith's.  OpenAPI has no word for a method that is
 * not one of eight, nor for a path without an end: the former stand beside, as `x-methods`, and a
 * tail is a parameter.
 */
#include "core/server/home_inside.h"

#include "core/base/json_read.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define PATH_SIZE 300

static const char *const methods[] = { "GET",     "PUT",  "POST",  "DELETE",
                                       "OPTIONS", "HEAD", "PATCH", "TRACE" };
#define METHODS (sizeof methods / sizeof *methods)

int home_read_openapi(struct home_route *route, struct err *err)
{
    static const struct json_limits limits = { .depth_max = NESTING_MAX };
    const struct plugin *plugin = route->plugin;
    const struct kith_route *theirs = &plugin->routes[route->index];
    struct err why;
    if (theirs->openapi == NULL)
        return 0;
    struct json_reader *reader = json_reader_new();
    int rc = json_to_doc(reader, theirs->openapi, strlen(theirs->openapi), &limits,
                         &route->openapi_bytes, &route->openapi, &why);
    json_reader_free(reader);
    if (rc != 0)
        buf_deinit(&route->openapi_bytes);
    return rc == 0 ? 0
                   : err_set(err, E_INVALID, "plugin %s: what the route %s %s says of itself: %s",
                             plugin->name, theirs->method, theirs->path, why.text);
}

/* -- Operations -------------------------------------------------------------------------------- */

static void put_parameter(struct doc_writer *w, const char *name, size_t size)
{
    doc_open(w, "");
    doc_put_text(w, "name", (struct text){ name, (uint32_t)size });
    doc_put_string(w, "in", "path");
    doc_put_bool(w, "required", true);
    doc_open(w, "schema");
    doc_put_string(w, "type", "string");
    doc_close(w);
    doc_close(w);
}

static bool has_tail(const char *path)
{
    size_t size = strlen(path);
    return size > 1 && strcmp(path + size - 2, "/*") == 0;
}

static void put_parameters(struct doc_writer *w, const struct route *route)
{
    doc_open_array(w, "parameters");
    for (const char *at = strchr(route->path, '{'); at != NULL; at = strchr(at + 1, '{'))
        put_parameter(w, at + 1, strcspn(at + 1, "}"));
    if (has_tail(route->path))
        put_parameter(w, "rest", 4);
    doc_close(w);
}

static void put_body(struct doc_writer *w)
{
    doc_open(w, "requestBody");
    doc_open(w, "content");
    doc_open(w, "*/*");
    doc_open(w, "schema");
    doc_close(w);
    doc_close(w);
    doc_close(w);
    doc_close(w);
}

static void put_response(struct doc_writer *w, const char *status, const char *description,
                         const char *type, const char *schema)
{
    doc_open(w, status);
    doc_put_string(w, "description", description);
    doc_open(w, "content");
    doc_open(w, type);
    doc_open(w, "schema");
    if (schema != NULL)
        doc_put_string(w, "$ref", schema);
    doc_close(w);
    doc_close(w);
    doc_close(w);
    doc_close(w);
}

static void put_problem(struct doc_writer *w, const char *status, const char *description)
{
    put_response(w, status, description, "application/problem+json",
                 "#/components/schemas/Problem");
}

static void put_responses(struct doc_writer *w, const struct route *route)
{
    doc_open(w, "responses");
    put_response(w, "200", "What the plugin answers", "*/*", NULL);
    put_problem(w, "400", "The request cannot be read");
    if (route->scope != SCOPE_NONE) {
        put_problem(w, "401", "No key, or one that nobody has");
        put_problem(w, "403", "The key lacks the scope");
    }
    put_problem(w, "413", "The body is too large, or none is taken");
    put_problem(w, "503", "The plugin does not run, or has too much to answer");
    put_problem(w, "504", "The plugin has not answered in time");
    put_problem(w, "default", "What was wrong and what to do (RFC 9457)");
    doc_close(w);
}

static void put_security(struct doc_writer *w, const struct route *route)
{
    static const char *const schemes[] = { "bearer", "basic" };
    static const char *const scopes[] = { "none", "write", "read", "staff", "admin" };
    doc_open_array(w, "security");
    for (size_t i = 0; route->scope != SCOPE_NONE && i < 2; i++) {
        doc_open(w, "");
        doc_open_array(w, schemes[i]);
        doc_close(w);
        doc_close(w);
    }
    doc_close(w);
    doc_put_string(w, "x-scope", scopes[route->scope]);
}

static void put_id(struct doc_writer *w, const char *method, const char *path)
{
    char id[PATH_SIZE];
    size_t size = (size_t)snprintf(id, sizeof id, "%s", method);
    for (; *path != '\0' && size + 1 < sizeof id; path++)
        if (isalnum((unsigned char)*path))
            id[size++] = *path;
        else if (id[size - 1] != '_')
            id[size++] = '_';
    id[size] = '\0';
    doc_put_string(w, "operationId", id);
}

/* Field `name`: the plugin's, if it has one; else false, and Kith's is to be written. */
static bool put_theirs(struct doc_writer *w, const struct route *route, const char *name)
{
    struct doc_value value = doc_get(route->plugin->openapi, name);
    doc_put_value(w, name, &value);
    return value.type != DOC_NONE;
}

static bool is_ours(struct text name)
{
    static const char *const ours[] = { "summary",     "operationId", "tags",    "parameters",
                                        "requestBody", "responses",   "security" };
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (text_is(name, ours[i]))
            return true;
    return false;
}

static void put_operation(struct doc_writer *w, const struct route *route, const char *name)
{
    char method[16] = "";
    for (size_t i = 0; name[i] != '\0' && i + 1 < sizeof method; i++)
        method[i] = (char)tolower((unsigned char)name[i]);
    doc_open(w, method);
    if (!put_theirs(w, route, "summary"))
        doc_put_string(w, "summary", route->summary);
    if (!put_theirs(w, route, "operationId"))
        put_id(w, method, route->path);
    doc_open_array(w, "tags");
    doc_put_string(w, "", route->plugin->guest->plugin->name);
    doc_close(w);
    if (!put_theirs(w, route, "parameters"))
        put_parameters(w, route);
    if (!put_theirs(w, route, "requestBody") && route->body_max != 0)
        put_body(w);
    if (!put_theirs(w, route, "responses"))
        put_responses(w, route);
    put_security(w, route);
    doc_put_string(w, "x-plugin", route->plugin->guest->plugin->name);
    for (struct doc_iter it = doc_iter(route->plugin->openapi); doc_next(&it);)
        if (!is_ours(it.name))
            doc_put_value_text(w, it.name, &it.value);
    doc_close(w);
}

/* -- Paths ------------------------------------------------------------------------------------- */

static const char *path_text(const char *path, char out[PATH_SIZE])
{
    size_t size = strlen(path) - (has_tail(path) ? 1 : 0);
    snprintf(out, PATH_SIZE, "%.*s%s", (int)size, path, has_tail(path) ? "{rest}" : "");
    return out;
}

static bool is_first(const struct home *home, const struct route *route)
{
    const struct route *first = home->table->routes;
    while (strcmp(first->path, route->path) != 0)
        first++;
    return first == route;
}

/* Of the routes of this path the one that answers `method`: by its name, else as any. */
static const struct route *route_for(const struct home *home, const char *path, const char *method)
{
    const struct route *found = NULL;
    for (const struct route *route = home->table->routes; route->method != NULL; route++)
        if (strcmp(route->path, path) == 0 &&
            (strcmp(route->method, method) == 0 ||
             (found == NULL && strcmp(route->method, "*") == 0 && strcmp(method, "HEAD") != 0 &&
              strcmp(method, "TRACE") != 0)))
            found = route;
    return found;
}

static bool is_known(const char *method)
{
    bool is_found = false;
    for (size_t i = 0; i < METHODS; i++)
        is_found = is_found || strcmp(method, methods[i]) == 0;
    return is_found;
}

static void put_other_methods(const struct home *home, const char *path, struct doc_writer *w)
{
    doc_open_array(w, "x-methods");
    for (const struct route *route = home->table->routes; route->method != NULL; route++)
        if (strcmp(route->path, path) == 0 && !is_known(route->method))
            doc_put_string(w, "", route->method);
    doc_close(w);
}

void home_put_paths(const struct home *home, struct doc_writer *w)
{
    char path[PATH_SIZE];
    for (size_t i = 0; home != NULL && i < home->table->count; i++) {
        const struct route *first = &home->table->routes[i], *route;
        if (!is_first(home, first))
            continue;
        doc_open(w, path_text(first->path, path));
        for (size_t j = 0; j < METHODS; j++)
            if ((route = route_for(home, first->path, methods[j])) != NULL)
                put_operation(w, route, methods[j]);
        put_other_methods(home, first->path, w);
        doc_close(w);
    }
}

void home_put_tags(const struct home *home, struct doc_writer *w)
{
    char text[PATH_SIZE];
    for (size_t i = 0; home != NULL && i < home->guest_count; i++) {
        const struct plugin *plugin = home->guests[i].plugin;
        if (plugin->route_count == 0)
            continue;
        snprintf(text, sizeof text, "The plugin %s: %s", plugin->name,
                 plugin->about != NULL ? plugin->about : "");
        doc_open(w, "");
        doc_put_string(w, "name", plugin->name);
        doc_put_string(w, "description", text);
        doc_close(w);
    }
}
