/* api_openapi.c -- see api_openapi.h.
 *
 * The rows that route a request and check its body are walked: path, parameters in it, query,
 * scope, the fields of the body with their bounds, the answer.  What answers look like inside
 * stands in api_shape.c.  It is made when it is asked for, so it cannot be out of date.
 */
#include "core/server/api_openapi.h"

#include "core/base/limits.h"
#include "core/engine/event.h"
#include "core/http/http.h"
#include "core/server/api_command.h"
#include "core/server/api_shape.h"
#include "core/server/call.h"
#include "core/server/home.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define WORD_MAX 64
#define ID_MAX 160

static const char *const scope_names[] = { "none", "write", "read", "staff", "admin" };

/* -- Schemas --------------------------------------------------------------------------- */

static void put_ref(struct doc_writer *w, const char *shape)
{
    char ref[WORD_MAX + 32];
    snprintf(ref, sizeof ref, "#/components/schemas/%s", shape);
    doc_put_string(w, "$ref", ref);
}

static void put_types(struct doc_writer *w, const char *type, const char *or_type)
{
    if (or_type == NULL) {
        doc_put_string(w, "type", type);
        return;
    }
    doc_open_array(w, "type");
    doc_put_string(w, "", type);
    doc_put_string(w, "", or_type);
    doc_close(w);
}

/* The word of a shape's field that is no list. */
static void put_type(struct doc_writer *w, const char *type, size_t size)
{
    char word[WORD_MAX];
    bool may_be_null = size > 0 && type[size - 1] == '?';
    snprintf(word, sizeof word, "%.*s", (int)(size - may_be_null), type);
    const char *null = may_be_null ? "null" : NULL;
    if (isupper((unsigned char)word[0])) {
        put_ref(w, word);
    } else if (strcmp(word, "time") == 0) {
        put_types(w, "string", null);
        doc_put_string(w, "format", "date-time");
    } else if (strcmp(word, "text") == 0) {
        put_types(w, "string", null);
    } else if (strcmp(word, "any") != 0) {
        put_types(w, word, null);
    }
}

static void put_shape_type(struct doc_writer *w, const char *type)
{
    if (type[0] != '[') {
        put_type(w, type, strlen(type));
        return;
    }
    doc_put_string(w, "type", "array");
    doc_open(w, "items");
    put_type(w, type + 1, strlen(type) - 2);
    doc_close(w);
}

static void put_shape(struct doc_writer *w, const struct shape *shape)
{
    const struct shape_field *others = NULL; /* any other name */
    bool has_always = false;
    doc_open(w, shape->name);
    doc_put_string(w, "type", "object");
    doc_open(w, "properties");
    for (const struct shape_field *field = shape->fields; field->name != NULL; field++) {
        has_always = has_always || field->is_always;
        if (strcmp(field->name, "*") == 0) {
            others = field;
            continue;
        }
        doc_open(w, field->name);
        put_shape_type(w, field->type);
        if (field->text != NULL)
            doc_put_string(w, "description", field->text);
        doc_close(w);
    }
    doc_close(w);
    if (has_always)
        doc_open_array(w, "required");
    for (const struct shape_field *field = shape->fields; field->name != NULL; field++)
        if (field->is_always)
            doc_put_string(w, "", field->name);
    if (has_always)
        doc_close(w);
    if (others == NULL || strcmp(others->type, "any") == 0) {
        doc_put_bool(w, "additionalProperties", others != NULL);
    } else {
        doc_open(w, "additionalProperties");
        put_shape_type(w, others->type);
        doc_close(w);
    }
    doc_close(w);
}

/* -- Parameters ------------------------------------------------------------------------ */

static const struct query_shape *query_shape_of(const struct route *route, const char *name,
                                                size_t size)
{
    const struct query_shape *found = NULL;
    for (const struct query_shape *query = query_shapes; query->name != NULL; query++)
        if (strlen(query->name) == size && memcmp(query->name, name, size) == 0 &&
            (query->path == NULL || strcmp(query->path, route->path) == 0) &&
            (found == NULL || query->path != NULL))
            found = query;
    return found;
}

static void put_choices(struct doc_writer *w, const char *choices)
{
    doc_put_string(w, "type", "string");
    doc_open_array(w, "enum");
    while (*choices != '\0') {
        size_t size = strcspn(choices, "|");
        doc_put_text(w, "", (struct text){ choices, (uint32_t)size });
        choices += size + (choices[size] == '|');
    }
    doc_close(w);
}

static void put_query_schema(struct doc_writer *w, const struct query_shape *query)
{
    const char *type = query != NULL ? query->type : "text";
    if (strcmp(type, "integer") == 0) {
        doc_put_string(w, "type", "integer");
        doc_put_int(w, "minimum", 1);
        doc_put_int(w, "maximum", LIST_MAX);
    } else if (strchr(type, '|') != NULL) {
        put_choices(w, type);
    } else {
        doc_put_string(w, "type", "string");
    }
}

static void put_query(struct doc_writer *w, const struct route *route, const char *name,
                      size_t size)
{
    const struct query_shape *query = query_shape_of(route, name, size);
    doc_open(w, "");
    doc_put_text(w, "name", (struct text){ name, (uint32_t)size });
    doc_put_string(w, "in", "query");
    if (query != NULL)
        doc_put_string(w, "description", query->text);
    doc_put_bool(w, "required", false);
    doc_open(w, "schema");
    put_query_schema(w, query);
    doc_close(w);
    doc_close(w);
}

static void put_segment(struct doc_writer *w, const char *name, size_t size)
{
    bool is_customer = size == 8 && memcmp(name, "customer", 8) == 0;
    doc_open(w, "");
    doc_put_text(w, "name", (struct text){ name, (uint32_t)size });
    doc_put_string(w, "in", "path");
    if (is_customer)
        doc_put_string(w, "description", "42, user_id:u-17, email:ann@example.com, phone:+49...");
    doc_put_bool(w, "required", true);
    doc_open(w, "schema");
    doc_put_string(w, "type", "string");
    doc_put_int(w, "minLength", 1);
    doc_close(w);
    doc_close(w);
}

static void put_header(struct doc_writer *w, const char *name, const char *description,
                       int64_t bytes_max)
{
    doc_open(w, "");
    doc_put_string(w, "name", name);
    doc_put_string(w, "in", "header");
    doc_put_string(w, "description", description);
    doc_put_bool(w, "required", false);
    doc_open(w, "schema");
    doc_put_string(w, "type", "string");
    doc_put_int(w, "maxLength", bytes_max);
    doc_close(w);
    doc_close(w);
}

static bool is_stream(const struct route *route)
{
    return route->answer != NULL && strcmp(route->answer, "event-stream") == 0;
}

static bool is_reading(const struct route *route)
{
    return strcmp(route->method, "GET") == 0;
}

static bool is_versioned(const struct route *route)
{
    return !is_reading(route) && (strncmp(route->path, "/v1/records/{kind}/{id}", 23) == 0 ||
                                  strncmp(route->path, "/v1/reminders/{id}", 18) == 0);
}

static void put_parameters(struct doc_writer *w, const struct route *route)
{
    doc_open_array(w, "parameters");
    for (const char *at = route->path; (at = strchr(at, '{')) != NULL; at++)
        put_segment(w, at + 1, strcspn(at + 1, "}"));
    for (const char *at = route->queries; at != NULL && *at != '\0'; at += strspn(at, " ")) {
        size_t size = strcspn(at, " ");
        put_query(w, route, at, size);
        at += size;
    }
    if (!is_reading(route))
        put_header(w, "Idempotency-Key",
                   "The same call again with the same key gets the first answer, for 24 hours",
                   IDEMPOTENCY_KEY_BYTES_MAX);
    if (is_versioned(route))
        put_header(w, "If-Match", "Only if this is the ETag that it has by now", 64);
    if (is_stream(route))
        put_header(w, "Last-Event-ID", "Behind this event, whatever ?after= says",
                   EVENT_ID_TEXT_MAX - 1);
    doc_close(w);
}

/* -- Bodies ---------------------------------------------------------------------------- */

static void put_text_bounds(struct doc_writer *w, const struct field *field, int64_t most)
{
    put_types(w, "string", field->is_needed ? NULL : "null");
    if (field->is_needed || field->kind == FIELD_NAME)
        doc_put_int(w, "minLength", 1);
    doc_put_int(w, "maxLength", most);
}

static void put_list_of(struct doc_writer *w, const struct field *field, const char *type)
{
    put_types(w, "array", field->is_needed ? NULL : "null");
    doc_open(w, "items");
    doc_put_string(w, "type", type);
    doc_close(w);
}

/* Text or a whole number, and null where it may be left out. */
static void put_text_or_number(struct doc_writer *w, const struct field *field)
{
    doc_open_array(w, "type");
    doc_put_string(w, "", "string");
    doc_put_string(w, "", "integer");
    if (!field->is_needed)
        doc_put_string(w, "", "null");
    doc_close(w);
}

static void put_field(struct doc_writer *w, const struct field *field)
{
    const char *null = field->is_needed ? NULL : "null";
    doc_open(w, field->name);
    switch (field->kind) {
    case FIELD_NAME:
        put_text_bounds(w, field, NAME_BYTES_MAX);
        break;
    case FIELD_LINE:
        put_text_bounds(w, field, COMMAND_LINE_MAX);
        break;
    case FIELD_NOTE:
        put_text_bounds(w, field, COMMAND_NOTE_MAX);
        break;
    case FIELD_CUSTOMER:
    case FIELD_TIME:
        put_text_or_number(w, field);
        break;
    case FIELD_COUNT:
        put_types(w, "integer", null);
        doc_put_int(w, "minimum", 1);
        doc_put_int(w, "maximum", RATE_COUNT_MAX);
        break;
    case FIELD_BOOL:
        put_types(w, "boolean", null);
        break;
    case FIELD_DOC:
        put_types(w, "object", null);
        break;
    case FIELD_NAMES:
        put_list_of(w, field, "string");
        break;
    case FIELD_DOCS:
        put_list_of(w, field, "object");
        break;
    }
    doc_close(w);
}

static bool put_fields(struct doc_writer *w, const struct field fields[])
{
    bool is_needed = false;
    doc_open(w, "properties");
    for (const struct field *field = fields; field->name != NULL; field++) {
        is_needed = is_needed || field->is_needed;
        put_field(w, field);
    }
    doc_close(w);
    if (!is_needed)
        return false;
    doc_open_array(w, "required");
    for (const struct field *field = fields; field->name != NULL; field++)
        if (field->is_needed)
            doc_put_string(w, "", field->name);
    doc_close(w);
    return true;
}

/* A body without fields that is no JSON object is whatever bytes the handler takes. */
static void put_body(struct doc_writer *w, const struct route *route)
{
    bool is_needed = false, is_bytes = route->fields == NULL && !route->takes_json;
    doc_open(w, "requestBody");
    doc_open(w, "content");
    doc_open(w, is_bytes ? "*/*" : "application/json");
    doc_open(w, "schema");
    if (!is_bytes)
        doc_put_string(w, "type", "object");
    if (route->fields != NULL) {
        is_needed = put_fields(w, route->fields);
        doc_put_bool(w, "additionalProperties", !route->takes_json);
    }
    doc_close(w);
    doc_close(w);
    doc_close(w);
    doc_put_bool(w, "required", is_needed || (!route->takes_json && !is_bytes));
    doc_close(w);
}

/* -- Answers --------------------------------------------------------------------------- */

static void put_list(struct doc_writer *w, const char *item, size_t size)
{
    doc_put_string(w, "type", "object");
    doc_open(w, "properties");
    doc_open(w, "items");
    doc_put_string(w, "type", "array");
    doc_open(w, "items");
    put_type(w, item, size);
    doc_close(w);
    doc_close(w);
    doc_open(w, "next");
    put_types(w, "string", "null");
    doc_put_string(w, "description", "Give it back as `after` for the next page");
    doc_close(w);
    doc_open(w, "seq");
    doc_put_string(w, "type", "integer");
    doc_put_string(w, "description", "The entry that the list stands at");
    doc_close(w);
    doc_open(w, "behind");
    doc_put_string(w, "type", "boolean");
    doc_put_string(w, "description", "More has happened than the list shows");
    doc_close(w);
    doc_close(w);
    doc_open_array(w, "required");
    doc_put_string(w, "", "items");
    doc_put_string(w, "", "next");
    doc_close(w);
}

/* "Customer|CustomerThen": the one or the other. */
static void put_either(struct doc_writer *w, const char *answer)
{
    doc_open_array(w, "anyOf");
    while (*answer != '\0') {
        size_t size = strcspn(answer, "|");
        doc_open(w, "");
        put_type(w, answer, size);
        doc_close(w);
        answer += size + (answer[size] == '|');
    }
    doc_close(w);
}

static void put_answer_schema(struct doc_writer *w, const char *answer)
{
    size_t size = answer != NULL ? strlen(answer) : 0;
    doc_open(w, "schema");
    if (size > 2 && strcmp(answer + size - 2, "[]") == 0)
        put_list(w, answer, size - 2);
    else if (answer != NULL && strchr(answer, '|') != NULL)
        put_either(w, answer);
    else
        put_type(w, answer != NULL ? answer : "object", answer != NULL ? size : 6);
    doc_close(w);
}

static void put_answer(struct doc_writer *w, const char *status, const char *description,
                       const char *content_type, const char *answer)
{
    doc_open(w, status);
    doc_put_string(w, "description", description);
    doc_open(w, "content");
    doc_open(w, content_type);
    put_answer_schema(w, answer);
    doc_close(w);
    doc_close(w);
    doc_close(w);
}

static void put_problem(struct doc_writer *w, const char *status, const char *description)
{
    put_answer(w, status, description, HTTP_PROBLEM_TYPE, "Problem");
}

static bool may_wait(const struct route *route)
{
    bool is_command = route->takes_json || strcmp(route->method, "DELETE") == 0;
    return is_command && route->queries != NULL && strstr(route->queries, "wait") != NULL;
}

static const char *media_of(const char *answer)
{
    if (answer != NULL && strcmp(answer, "text") == 0)
        return "text/plain";
    if (answer != NULL && strcmp(answer, "page") == 0)
        return "text/html";
    if (answer != NULL && strcmp(answer, "bytes") == 0)
        return "*/*";
    if (answer != NULL && strcmp(answer, "event-stream") == 0)
        return "text/event-stream";
    return "application/json";
}

/* -- Refusals -------------------------------------------------------------------------- */

static bool is_any(const struct route *route)
{
    (void)route;
    return true;
}

static bool needs_key(const struct route *route)
{
    return route->scope != SCOPE_NONE;
}

/* What has its own name for something may name what is not there; an event makes its customer. */
static bool names_something(const struct route *route)
{
    bool is_named = strchr(route->path, '{') != NULL;
    const struct field *field = route->takes_json ? route->fields : NULL;
    for (; !is_named && field != NULL && field->name != NULL; field++)
        is_named = field->kind == FIELD_CUSTOMER;
    return is_named || strcmp(route->path, "/v1/customers") == 0;
}

static bool is_link(const struct route *route)
{
    return route->answer != NULL && strcmp(route->answer, "page") == 0;
}

static bool is_change(const struct route *route)
{
    return !is_reading(route);
}

/* A list of records is asked for by states of its kind. */
static bool may_make_no_sense(const struct route *route)
{
    return is_change(route) ||
           (route->answer != NULL && strcmp(route->answer, "RecordSummary[]") == 0);
}

static bool may_conflict(const struct route *route)
{
    return is_change(route) || is_stream(route);
}

static bool may_be_gone(const struct route *route)
{
    return is_link(route) || is_stream(route);
}

static bool has_body(const struct route *route)
{
    return route->body_max != 0;
}

static bool gives_bytes(const struct route *route)
{
    return route->answer != NULL && strcmp(route->answer, "bytes") == 0;
}

static bool may_be_throttled(const struct route *route)
{
    return needs_key(route) || is_change(route);
}

/* All but what is answered out of memory; /readyz says so in a document of its own. */
static bool may_be_unable(const struct route *route)
{
    return route->scope != SCOPE_NONE || is_change(route);
}

/* What a request may be refused with; what breaks HTTP itself comes under `default`. */
static const struct described_refusal {
    const char *status, *description;
    bool (*fits)(const struct route *route);
} refusals[] = {
    { "400", "The request cannot be read", is_any },
    { "401", "No key, or one that nobody has", needs_key },
    { "403", "The key lacks the scope", needs_key },
    { "404", "Nothing is called that", names_something },
    { "409", "Not as things stand now, or the same call is under way", may_conflict },
    { "410", "It was there once", may_be_gone },
    { "412", "If-Match names another version than there is by now", is_versioned },
    { "413", "The body is too large, or none is taken", is_any },
    { "415", "The body is of another type or coding than is read here", has_body },
    { "422", "Read, and it makes no sense", may_make_no_sense },
    { "429", "Too often, or too much waits: again after Retry-After seconds", may_be_throttled },
    { "500", "What is kept is damaged: it is not given out", gives_bytes },
    { "503", "It cannot be done now: again after Retry-After seconds", may_be_unable },
};

static void put_refusals(struct doc_writer *w, const struct route *route)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (refusals[i].fits(route))
            put_problem(w, refusals[i].status, refusals[i].description);
    if (strcmp(route->path, "/readyz") == 0)
        put_answer(w, "503", "Not ready, and why", "application/json", route->answer);
    put_problem(w, "default", "What was wrong and what to do (RFC 9457)");
}

static void put_responses(struct doc_writer *w, const struct route *route)
{
    const char *answer = route->answer, *media = media_of(answer);
    bool is_made = answer != NULL && strncmp(answer, "201 ", 4) == 0;
    bool is_begun = answer != NULL && strncmp(answer, "202 ", 4) == 0;
    if (strcmp(media, "text/event-stream") == 0 || strcmp(media, "text/html") == 0)
        answer = "text";
    if (strcmp(media, "*/*") == 0)
        answer = "any";
    doc_open(w, "responses");
    put_answer(w,
               is_made    ? "201"
               : is_begun ? "202"
                          : "200",
               is_made    ? "Made"
               : is_begun ? "Begun"
                          : "Done",
               media, is_made || is_begun ? answer + 4 : answer);
    if (is_made && (strcmp(answer + 4, "Deployment") == 0 || strcmp(route->method, "PUT") == 0))
        put_answer(w, "200", "Done; it was here already", media, answer + 4);
    if (may_wait(route) && !is_begun)
        put_answer(w, "202", "In the log; what comes of it is not known yet (wait=durable)",
                   "application/json", "Accepted");
    put_refusals(w, route);
    doc_close(w);
}

/* -- Operations ------------------------------------------------------------------------ */

static void put_security(struct doc_writer *w, const struct route *route)
{
    static const char *const schemes[] = { "bearer", "basic" };
    doc_open_array(w, "security");
    for (size_t i = 0; route->scope != SCOPE_NONE && i < 2; i++) {
        doc_open(w, "");
        doc_open_array(w, schemes[i]); /* scopes are OAuth's: ours stands beside */
        doc_close(w);
        doc_close(w);
    }
    doc_close(w);
    doc_put_string(w, "x-scope", scope_names[route->scope]);
}

/* The first segment that is no version: what an operation is about. */
static struct text tag_of(const struct route *route)
{
    const char *at = route->path + (strncmp(route->path, "/v1/", 4) == 0 ? 4 : 1);
    bool is_ingest = route->scope == SCOPE_WRITE, is_system = at == route->path + 1;
    if (is_ingest || is_system)
        return text_of(is_ingest ? "ingest" : "system");
    return (struct text){ at, (uint32_t)strcspn(at, "/") };
}

/* "get_v1_customers_customer": unique, for the path is. */
static void put_id(struct doc_writer *w, const char *method, const char *path)
{
    char id[ID_MAX];
    size_t size = (size_t)snprintf(id, sizeof id, "%s", method);
    for (; *path != '\0' && size + 1 < sizeof id; path++)
        if (isalnum((unsigned char)*path))
            id[size++] = *path;
        else if (id[size - 1] != '_' && path[1] != '\0')
            id[size++] = '_';
    id[size] = '\0';
    doc_put_string(w, "operationId", id);
}

static void put_operation(struct doc_writer *w, const struct route *route)
{
    char method[8] = "", needs[80];
    for (size_t i = 0; route->method[i] != '\0' && i + 1 < sizeof method; i++)
        method[i] = (char)tolower((unsigned char)route->method[i]);
    if (route->scope == SCOPE_NONE)
        snprintf(needs, sizeof needs, "Needs no key.");
    else
        snprintf(needs, sizeof needs, "Needs a key of the scope %s.", scope_names[route->scope]);
    doc_open(w, method);
    doc_put_string(w, "summary", route->summary);
    doc_put_string(w, "description", needs);
    put_id(w, method, route->path);
    doc_open_array(w, "tags");
    doc_put_text(w, "", tag_of(route));
    doc_close(w);
    put_parameters(w, route);
    if (route->body_max != 0)
        put_body(w, route);
    put_responses(w, route);
    put_security(w, route);
    doc_close(w);
}

/* All rows of a path stand under it, at the place of the first. */
static void put_path(struct doc_writer *w, const struct api *api, const struct route *first)
{
    const struct route *table;
    bool is_open = false;
    for (size_t i = 0; (table = api_table(api, i)) != NULL; i++)
        for (const struct route *route = table; route->method != NULL; route++) {
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

/* -- The document ---------------------------------------------------------------------- */

static void put_info(struct doc_writer *w)
{
    doc_open(w, "info");
    doc_put_string(w, "title", "Kith");
    doc_put_string(w, "version", KITH_VERSION);
    doc_put_string(w, "description",
                   "A CRM daemon: events in, reminders and messages out, and always able to say "
                   "why.  Errors are problem documents (RFC 9457).");
    doc_open(w, "contact");
    doc_put_string(w, "name", "Whoever runs this daemon");
    doc_close(w);
    doc_open(w, "license");
    doc_put_string(w, "name", "Apache-2.0");
    doc_put_string(w, "identifier", "Apache-2.0");
    doc_close(w);
    doc_close(w);
    doc_open_array(w, "servers");
    doc_open(w, "");
    doc_put_string(w, "url", "/");
    doc_close(w);
    doc_close(w);
}

static void put_tag_description(struct doc_writer *w, struct text tag)
{
    char text[WORD_MAX + 32];
    if (text_is(tag, "ingest"))
        snprintf(text, sizeof text, "Events in, by browsers too");
    else if (text_is(tag, "system"))
        snprintf(text, sizeof text, "Health, metrics, this description");
    else
        snprintf(text, sizeof text, "/v1/%.*s and what is under it", (int)tag.size, tag.data);
    doc_put_string(w, "description", text);
}

static bool is_first_of_tag(const struct api *api, const struct route *wanted)
{
    const struct route *table;
    for (size_t i = 0; (table = api_table(api, i)) != NULL; i++)
        for (const struct route *route = table; route->method != NULL; route++)
            if (text_equal(tag_of(route), tag_of(wanted)))
                return route == wanted;
    return false;
}

static void put_tags(struct doc_writer *w, const struct api *api, const struct home *home)
{
    const struct route *table;
    doc_open_array(w, "tags");
    for (size_t i = 0; (table = api_table(api, i)) != NULL; i++)
        for (const struct route *route = table; route->method != NULL; route++)
            if (is_first_of_tag(api, route)) {
                doc_open(w, "");
                doc_put_text(w, "name", tag_of(route));
                put_tag_description(w, tag_of(route));
                doc_close(w);
            }
    home_put_tags(home, w);
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

static void put_components(struct doc_writer *w)
{
    doc_open(w, "components");
    doc_open(w, "securitySchemes");
    put_scheme(w, "bearer", "Authorization: Bearer KEY");
    put_scheme(w, "basic",
               "The key as user name, without a password; or as the password of any user");
    doc_close(w);
    doc_open(w, "schemas");
    for (const struct shape *shape = shapes; shape->name != NULL; shape++)
        put_shape(w, shape);
    doc_close(w);
    doc_close(w);
}

struct doc openapi_document(const struct home *home, struct buf *out)
{
    static const struct api own = { .plugin_routes = NULL }, *api = &own;
    const struct route *table;
    struct doc_writer w;
    doc_begin(&w, out);
    doc_put_string(&w, "openapi", "3.1.0");
    put_info(&w);
    put_tags(&w, api, home);
    put_components(&w);
    doc_open(&w, "paths");
    for (size_t i = 0; (table = api_table(api, i)) != NULL; i++)
        for (const struct route *route = table; route->method != NULL; route++)
            put_path(&w, api, route);
    home_put_paths(home, &w);
    doc_close(&w);
    return doc_end(&w);
}
