/* api_openapi.c -- see api_openapi.h.
 *
 * What a row knows is said: path, parameters in it, scope, whether there is a body, and the
 * answers that the front itself gives.  It is made when it is asked for, so it cannot be
 * out of date; what a body looks like inside stands in the manual.
 */
#include "core/server/api_openapi.h"

#include "core/server/call.h"

#include <string.h>

static const char *const scope_names[] = { "none", "write", "read", "staff", "admin" };

static void put_parameter(struct doc_writer *w, const char *name, size_t size, bool is_in_path)
{
    doc_open(w, "");
    doc_put_text(w, "name", (struct text){ name, (uint32_t)size });
    doc_put_string(w, "in", is_in_path ? "path" : "query");
    doc_put_bool(w, "required", is_in_path);
    doc_open(w, "schema");
    doc_put_string(w, "type", "string");
    doc_close(w);
    doc_close(w);
}

static void put_parameters(struct doc_writer *w, const struct route *route)
{
    doc_open_array(w, "parameters");
    for (const char *at = route->path; (at = strchr(at, '{')) != NULL; at++)
        put_parameter(w, at + 1, strcspn(at + 1, "}"), true);
    for (const char *at = route->queries; at != NULL && *at != '\0'; at += strspn(at, " ")) {
        size_t size = strcspn(at, " ");
        put_parameter(w, at, size, false);
        at += size;
    }
    doc_close(w);
}

static void put_body(struct doc_writer *w)
{
    doc_open(w, "requestBody");
    doc_open(w, "content");
    doc_open(w, "application/json");
    doc_open(w, "schema");
    doc_put_string(w, "type", "object");
    doc_close(w);
    doc_close(w);
    doc_close(w);
    doc_close(w);
}

static void put_answer(struct doc_writer *w, const char *status, const char *description,
                       const char *content_type)
{
    doc_open(w, status);
    doc_put_string(w, "description", description);
    doc_open(w, "content");
    doc_open(w, content_type);
    doc_close(w);
    doc_close(w);
    doc_close(w);
}

static void put_responses(struct doc_writer *w, const struct route *route)
{
    static const char problem[] = "application/problem+json";
    bool is_text = strcmp(route->path, "/metrics") == 0;
    doc_open(w, "responses");
    put_answer(w, "2XX", "Done", is_text ? "text/plain" : "application/json");
    if (route->scope != SCOPE_NONE) {
        put_answer(w, "401", "No key, or one that nobody has", problem);
        put_answer(w, "403", "The key lacks the scope", problem);
    }
    put_answer(w, "default", "What was wrong and what to do (RFC 9457)", problem);
    doc_close(w);
}

static void put_security(struct doc_writer *w, const struct route *route)
{
    static const char *const schemes[] = { "bearer", "basic" };
    doc_open_array(w, "security");
    for (size_t i = 0; route->scope != SCOPE_NONE && i < 2; i++) {
        doc_open(w, "");
        doc_open_array(w, schemes[i]);
        doc_put_string(w, "", scope_names[route->scope]);
        doc_close(w);
        doc_close(w);
    }
    doc_close(w);
}

static void put_operation(struct doc_writer *w, const struct route *route)
{
    char method[8] = "";
    for (size_t i = 0; route->method[i] != '\0' && i + 1 < sizeof method; i++)
        method[i] = (char)(route->method[i] - 'A' + 'a');
    doc_open(w, method);
    doc_put_string(w, "summary", route->summary);
    put_parameters(w, route);
    if (route->body_max != 0)
        put_body(w);
    put_responses(w, route);
    put_security(w, route);
    doc_close(w);
}

/* All rows of a path stand under it, at the place of the first. */
static void put_path(struct doc_writer *w, const struct route *first)
{
    bool is_open = false;
    for (size_t i = 0; api_tables[i] != NULL; i++)
        for (const struct route *route = api_tables[i]; route->method != NULL; route++) {
            if (strcmp(route->path, first->path) != 0)
                continue;
            if (!is_open && route != first)
                return; /* an earlier row has written it */
            if (!is_open)
                doc_open(w, first->path);
            is_open = true;
            put_operation(w, route);
        }
    doc_close(w);
}

static void put_scheme(struct doc_writer *w, const char *scheme, const char *description)
{
    doc_open(w, scheme);
    doc_put_string(w, "type", "http");
    doc_put_string(w, "scheme", scheme);
    doc_put_string(w, "description", description);
    doc_close(w);
}

struct doc openapi_document(struct buf *out)
{
    struct doc_writer w;
    doc_begin(&w, out);
    doc_put_string(&w, "openapi", "3.1.0");
    doc_open(&w, "info");
    doc_put_string(&w, "title", "Kith");
    doc_put_string(&w, "version", KITH_VERSION);
    doc_close(&w);
    doc_open(&w, "components");
    doc_open(&w, "securitySchemes");
    put_scheme(&w, "bearer", "Authorization: Bearer KEY");
    put_scheme(&w, "basic", "The key as user name, without a password");
    doc_close(&w);
    doc_close(&w);
    doc_open(&w, "paths");
    for (size_t i = 0; api_tables[i] != NULL; i++)
        for (const struct route *route = api_tables[i]; route->method != NULL; route++)
            put_path(&w, route);
    doc_close(&w);
    return doc_end(&w);
}
