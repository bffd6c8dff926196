/* api_admin.c -- the house: staff, keys, suppressions, the clock. */
#include "core/base/hash.h"
#include "core/base/limits.h"
#include "core/engine/read.h"
#include "core/server/api_absences.h"
#include "core/server/api_care.h"
#include "core/server/api_command.h"

#include <sodium.h>

#define BODY_MAX (32u << 10)
#define SECRET_BYTES 32

/* -- Staff ----------------------------------------------------------------------------- */

static int list_staff(struct engine *engine, struct call *call, void *arg, struct buf *out,
                      struct err *err)
{
    (void)call;
    return read_staff(engine, arg, out, err);
}

static void get_staff(struct call *call)
{
    struct read_page *page = call_read_page(call);
    if (page != NULL)
        call_read(call, list_staff, page);
}

static int read_member(struct engine *engine, struct call *call, void *arg, struct buf *out,
                       struct err *err)
{
    (void)arg;
    return read_staff_member(engine, call_param(call, "name"), out, err);
}

/* False: answered.  The name may stand in the body too, but no other. */
static bool check_name(struct call *call)
{
    struct text name = call_param(call, "name"), other = doc_text(call->body, "name");
    if (name.size > NAME_BYTES_MAX) {
        call_problem(call, 422, "a name has at most %d bytes", NAME_BYTES_MAX);
        return false;
    }
    if (other.data == NULL || text_equal(name, other))
        return true;
    call_problem(call, 422, "\"name\" is another than in the path");
    return false;
}

static void get_member(struct call *call)
{
    call_read(call, read_member, NULL);
}

static void keys_changed(struct call *call)
{
    api_keys_changed(call->api);
}

/* A command of nothing but the name in the path. */
static struct command *command_named(struct call *call, const char *type)
{
    struct doc_writer w;
    struct command *command = command_new(call, type);
    buf_clear(&call->out);
    doc_begin(&w, &call->out);
    doc_put_text(&w, "name", call_param(call, "name"));
    command->data = arena_doc(&call->arena, doc_end(&w));
    command->applied = keys_changed;
    return command;
}

static void delete_staff(struct call *call)
{
    if (!check_name(call))
        return;
    command_named(call, "staff.removed");
    command_run(call);
}

static const struct field staff_fields[] = {
    { "name", FIELD_NAME, false },     { "title", FIELD_LINE, false },
    { "email", FIELD_LINE, false },    { "phone", FIELD_LINE, false },
    { "language", FIELD_NAME, false }, { "languages", FIELD_NAMES, false },
    { "calendar", FIELD_NAME, false }, { "team", FIELD_NAME, false },
    { "teams", FIELD_NAMES, false },   { "members", FIELD_NAMES, false },
    { "assign", FIELD_NAMES, false },  { "deputy", FIELD_NAME, false },
    { "absences", FIELD_DOCS, false }, FIELDS_END,
};

static int check_staff(struct engine *engine, const struct command *command, struct err *err)
{
    return read_staff_set_check(engine, command->data, err);
}

static void put_staff(struct call *call)
{
    struct doc_writer w;
    if (!check_name(call))
        return;
    struct command *command = command_new(call, "staff.set");
    buf_clear(&call->out);
    doc_begin(&w, &call->out);
    doc_put_text(&w, "name", call_param(call, "name"));
    for (struct doc_iter it = doc_iter(call->body); doc_next(&it);)
        if (it.value.type != DOC_NULL && !text_is(it.name, "name") && it.value.type != DOC_ARRAY)
            doc_put_value_text(&w, it.name, &it.value);
        else if (it.value.type == DOC_ARRAY && !text_is(it.name, "absences"))
            doc_put_value_text(&w, it.name, &it.value);
    struct doc_value absences = doc_get(call->body, "absences");
    if (absences.type == DOC_ARRAY && !absences_put(call, &w, absences.doc))
        return;
    command->data = arena_doc(&call->arena, doc_end(&w));
    command->check = check_staff;
    command->read = read_member;
    command_run(call);
}

/* -- Keys ------------------------------------------------------------------------------ */

static int list_keys(struct engine *engine, struct call *call, void *arg, struct buf *out,
                     struct err *err)
{
    (void)call;
    return read_keys(engine, arg, out, err);
}

static void get_keys(struct call *call)
{
    struct read_page *page = call_read_page(call);
    if (page != NULL)
        call_read(call, list_keys, page);
}

/* `admin` and `write` are files of the data directory. */
static bool check_key_name(struct call *call)
{
    struct text name = call_param(call, "name");
    if (!check_name(call))
        return false;
    if (!text_is(name, "admin") && !text_is(name, "write"))
        return true;
    call_problem(call, 409, "the key %.*s is a file of the data directory: choose another name",
                 (int)name.size, name.data);
    return false;
}

static bool check_scopes(struct call *call, struct doc scopes)
{
    static const char *const known[] = { "write", "read", "staff", "admin" };
    for (struct doc_iter it = doc_iter(scopes); doc_next(&it);) {
        size_t i = 0;
        while (i < 4 && !text_is(it.value.text, known[i]))
            i++;
        if (i == 4) {
            call_problem(call, 422, "a scope is write, read, staff or admin");
            return false;
        }
    }
    return true;
}

/* False: answered. */
static bool check_rate(struct call *call)
{
    struct text text = doc_text(call->body, "rate");
    struct rate rate;
    struct err err;
    if (text.size == 0 && doc_get(call->body, "burst").type == DOC_INT64) {
        call_problem(call, 422, "\"burst\" is how many calls of a \"rate\" may come at once");
        return false;
    }
    if (text.size == 0 || rate_parse(text.data, text.size, &rate, &err) == 0)
        return true;
    call_problem(call, 422, "%s", err.text);
    return false;
}

static void put_rate(struct doc_writer *w, struct doc key)
{
    if (doc_text(key, "rate").size != 0)
        doc_put_text(w, "rate", doc_text(key, "rate"));
    if (doc_int(key, "burst", 0) != 0)
        doc_put_int(w, "burst", doc_int(key, "burst", 0));
}

/* The secret is told once, here, and known nowhere else. */
static int tell_secret(struct engine *engine, struct call *call, void *arg, struct buf *out,
                       struct err *err)
{
    const struct command *command = arg;
    struct doc_writer w;
    (void)engine;
    (void)err;
    doc_begin(&w, out);
    doc_put_text(&w, "name", call_param(call, "name"));
    if (doc_text(command->data, "staff").size != 0)
        doc_put_text(&w, "staff", doc_text(command->data, "staff"));
    doc_put_array(&w, "scopes", doc_child(command->data, "scopes"));
    put_rate(&w, command->data);
    doc_put_text(&w, "secret", command->key);
    doc_end(&w);
    return 0;
}

static const struct field key_fields[] = {
    { "name", FIELD_NAME, false }, { "staff", FIELD_NAME, false },  { "scopes", FIELD_NAMES, true },
    { "rate", FIELD_NAME, false }, { "burst", FIELD_COUNT, false }, FIELDS_END
};

static void put_key(struct call *call)
{
    uint8_t secret[SECRET_BYTES], digest[DIGEST_32_BYTES];
    char text[HEX_SIZE(SECRET_BYTES)], hash[HEX_SIZE(DIGEST_32_BYTES)];
    struct doc_writer w;
    struct doc scopes = doc_child(call->body, "scopes");
    if (!check_key_name(call) || !check_scopes(call, scopes) || !check_rate(call))
        return;
    randombytes_buf(secret, sizeof secret);
    hex_encode(secret, sizeof secret, text);
    digest_32(text, sizeof text - 1, digest);
    hex_encode(digest, sizeof digest, hash);
    struct command *command = command_new(call, "key.set");
    buf_clear(&call->out);
    doc_begin(&w, &call->out);
    doc_put_text(&w, "name", call_param(call, "name"));
    doc_put_string(&w, "hash", hash);
    if (doc_text(call->body, "staff").size != 0)
        doc_put_text(&w, "staff", doc_text(call->body, "staff"));
    doc_put_array(&w, "scopes", scopes);
    put_rate(&w, call->body);
    command->data = arena_doc(&call->arena, doc_end(&w));
    command->key = arena_text(&call->arena, text_of(text));
    command->read = tell_secret;
    command->applied = keys_changed;
    command_run(call);
}

static void delete_key(struct call *call)
{
    if (!check_key_name(call))
        return;
    command_named(call, "key.removed");
    command_run(call);
}

/* -- Suppressions, the clock ----------------------------------------------------------- */

static const struct field suppression_fields[] = { { "channel", FIELD_NAME, true },
                                                   { "value", FIELD_LINE, true },
                                                   { "state", FIELD_NAME, false },
                                                   { "reason", FIELD_LINE, false },
                                                   FIELDS_END };

static void put_suppression(struct call *call)
{
    struct text state = doc_text(call->body, "state");
    if (state.size != 0 && !text_is(state, "active") && !text_is(state, "removed")) {
        call_problem(call, 422, "\"state\" is active or removed");
        return;
    }
    struct command *command = command_new(call, "suppression.changed");
    command->data = command_data(call, call->body, NULL);
    command_run(call);
}

/* ?replay=1: what is due until now falls due at its own time first, as after an import that was
 * replayed; else all of it is late, now. */
static void post_clock_accept(struct call *call)
{
    struct command *command = command_new(call, "clock.accepted");
    struct clock clock = call->api->clock;
    if (call_flag(call, "replay"))
        command->replay_at = clock.wall_ms(clock.arg);
    else
        command->accepts_clock = true;
    command_run(call);
}

const struct route routes_admin[] = {
    { "GET", "/v1/staff", SCOPE_READ, 0, false, get_staff, "Who works here", "limit after", NULL,
      "Staff[]" },
    { "PUT", "/v1/staff/{name}", SCOPE_ADMIN, BODY_MAX, true, put_staff,
      "Add or change a member of staff, or a team", "wait", staff_fields, "Staff" },
    { "GET", "/v1/staff/{name}", SCOPE_READ, 0, false, get_member, "One of them", NULL, NULL,
      "Staff" },
    { "DELETE", "/v1/staff/{name}", SCOPE_ADMIN, 0, false, delete_staff,
      "Remove a member of staff who has no open reminders, and her keys", "wait", NULL, "Nothing" },
    { "POST", "/v1/staff/{name}/absences", SCOPE_STAFF, BODY_MAX, true, post_absence,
      "She will be away, or is: what falls due meanwhile is her deputy's", "wait", absence_fields,
      "Staff" },
    { "DELETE", "/v1/staff/{name}/absences", SCOPE_STAFF, 0, false, delete_absence,
      "She is back, or the absence that begins at ?from= is called off", "from wait", NULL,
      "Staff" },
    { "GET", "/v1/keys", SCOPE_ADMIN, 0, false, get_keys, "Named keys, without their secrets",
      "limit after", NULL, "Key[]" },
    { "PUT", "/v1/keys/{name}", SCOPE_ADMIN, BODY_MAX, true, put_key,
      "Make a key, or give one a new secret, which is told once", "wait", key_fields, "NewKey" },
    { "DELETE", "/v1/keys/{name}", SCOPE_ADMIN, 0, false, delete_key, "Remove a key", "wait", NULL,
      "Nothing" },
    { "PUT", "/v1/suppressions", SCOPE_ADMIN, BODY_MAX, true, put_suppression,
      "Never write to an address, or again", "wait", suppression_fields, "Nothing" },
    { "POST", "/v1/clock/accept", SCOPE_ADMIN, 1024, true, post_clock_accept,
      "The machine's clock is right, log time goes on; ?replay=1: by way of all that was due",
      "replay wait", NULL, "Nothing" },
    { "GET", "/v1/state-hash", SCOPE_ADMIN, 0, false, get_state_hash,
      "A hash of the whole state: equal for equal logs", NULL, NULL, "StateHash" },
    { "POST", "/v1/verify", SCOPE_ADMIN, 1024, true, post_verify,
      "Check the log and fold it anew beside the state", NULL, NULL, "Verification" },
    ROUTES_END,
};
