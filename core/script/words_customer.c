/* words_customer.c -- the objects `event` and `customer` that a rule's function gets.
 *
 * Both are one userdata each for the life of the sandbox and read the step that is
 * running: handing them to a rule allocates nothing, and a script that keeps one keeps
 * nothing of the moment.  Methods win over traits of the same name.
 */
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/base/zone.h"
#include "core/engine/customer.h"
#include "core/engine/event.h"
#include "core/script/convert.h"
#include "core/script/host_inside.h"

#include <string.h>

#define LOOK_BYTES 256 /* of a document that are looked through for one unit of the budget */

/* -- event ---------------------------------------------------------------- */

static struct text check_field(lua_State *lua, const char *of)
{
    size_t size = 0;
    if (lua_type(lua, 2) != LUA_TSTRING)
        luaL_error(lua, "%s has fields with names, not numbers", of);
    const char *name = lua_tolstring(lua, 2, &size);
    return (struct text){ name, (uint32_t)size };
}

static void push_value(lua_State *lua, const char *of, struct text name,
                       const struct doc_value *value)
{
    if (value->type == DOC_DOC || value->type == DOC_ARRAY)
        sandbox_spend(lua, value->doc.size / 8);
    convert_push(lua, value);
    if (lua_isnil(lua, -1))
        host_note_missing(host_of(lua), of, name);
}

static int event_index(lua_State *lua)
{
    struct step *step = host_step(lua, "event");
    char id[EVENT_ID_TEXT_MAX];
    struct text name = check_field(lua, "event");
    sandbox_spend(lua, step_event(step)->data.size / LOOK_BYTES);
    if (text_is(name, "record") && push_event_record(lua))
        return 1;
    struct doc_value value = event_field(step_event(step), name, id);
    push_value(lua, "event", name, &value);
    return 1;
}

static int refuse_assignment(lua_State *lua)
{
    return luaL_error(lua, "%s cannot be changed by assignment%s",
                      lua_tostring(lua, lua_upvalueindex(1)),
                      strcmp(lua_tostring(lua, lua_upvalueindex(1)), "customer") == 0
                          ? ": use customer:set(name, value)"
                          : "");
}

/* -- customer ------------------------------------------------------------- */

static struct customer *check_customer(lua_State *lua)
{
    struct customer *customer = step_customer(host_step(lua, "customer"));
    if (customer == NULL)
        luaL_error(lua, "this event has no customer");
    return customer;
}

static void push_tags(lua_State *lua, const struct customer *customer)
{
    struct customer before = *customer; /* members that were looked at: no tag comes twice */
    lua_Integer count = 0;
    lua_newtable(lua);
    for (size_t i = 0; i < customer->count; i++) {
        before.count = i;
        sandbox_spend(lua, customer->members[i].tags.size);
        for (struct doc_iter it = doc_iter(customer->members[i].tags); doc_next(&it);)
            if (!customer_has_tag(&before, it.value.text)) {
                convert_push(lua, &it.value);
                lua_rawseti(lua, -2, ++count);
            }
    }
}

static void push_roles(lua_State *lua, const struct customer *customer)
{
    lua_Integer count = 0;
    lua_newtable(lua);
    for (size_t i = 0; i < customer->count; i++) {
        sandbox_spend(lua, customer->members[i].roles.size / 8);
        for (struct doc_iter it = doc_iter(customer->members[i].roles); doc_next(&it);) {
            if (doc_int(it.value.doc, "until", 0) != 0)
                continue;
            struct doc_value role = doc_get(it.value.doc, "role");
            convert_push(lua, &role);
            lua_rawseti(lua, -2, ++count);
        }
    }
}

static void push_owner(lua_State *lua, const struct customer *customer)
{
    struct text owner = customer_owner(customer);
    if (owner.size != 0)
        lua_pushlstring(lua, owner.data, owner.size);
    else
        lua_pushnil(lua);
}

enum customer_field { FIELD_ID, FIELD_KIND, FIELD_OWNER, FIELD_TAGS, FIELD_ROLES };

const struct script_field customer_fields[] = {
    [FIELD_ID] = { "id", "number", "Kith's own number of the customer", false },
    [FIELD_KIND] = { "kind", "text", "\"person\" or \"organisation\"", false },
    [FIELD_OWNER] = { "owner", "text", "the member of staff whose customer it is", false },
    [FIELD_TAGS] = { "tags", "list of texts", "what `customer:tag` has put there", false },
    [FIELD_ROLES] = { "roles", "list of texts", "what she is to organisations, or they to her",
                      false },
    { 0 },
};

/* The system's own names; false: it is none of them. */
static bool push_system_field(lua_State *lua, const struct customer *customer, struct text name)
{
    switch (script_field_find(customer_fields, name)) {
    case FIELD_ID:
        lua_pushinteger(lua, (lua_Integer)customer->number);
        return true;
    case FIELD_KIND:
        lua_pushstring(lua, customer->members[0].kind == PROFILE_ORGANISATION ? "organisation"
                                                                              : "person");
        return true;
    case FIELD_OWNER:
        push_owner(lua, customer);
        return true;
    case FIELD_TAGS:
        push_tags(lua, customer);
        return true;
    case FIELD_ROLES:
        push_roles(lua, customer);
        return true;
    default:
        return false;
    }
}

/* A trait, a tag, a consent is looked for among all of them; of an ordinary customer that costs
 * nothing. */
static void spend_look(lua_State *lua, const struct customer *customer)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < customer->count; i++) {
        const struct profile *member = &customer->members[i];
        bytes += (uint64_t)member->traits.size + member->tags.size + member->consents.size;
    }
    sandbox_spend(lua, bytes / LOOK_BYTES);
}

/* What a change costs: the section is written anew. */
static void spend_change(lua_State *lua, const struct customer *customer)
{
    const struct profile *own = &customer->members[customer->own];
    sandbox_spend(lua, (own->traits.size + own->tags.size) / 16);
}

/* Upvalue 1: the table of methods. */
static int customer_index(lua_State *lua)
{
    struct customer *customer = check_customer(lua);
    struct text name = check_field(lua, "customer");
    lua_pushvalue(lua, 2);
    if (lua_rawget(lua, lua_upvalueindex(1)) != LUA_TNIL)
        return 1;
    if (push_system_field(lua, customer, name))
        return 1;
    spend_look(lua, customer);
    struct doc_value value = customer_trait(customer, name);
    push_value(lua, "customer", name, &value);
    return 1;
}

/* -- Methods -------------------------------------------------------------- */

/* The customer of customer:word(...); `usage` shows how it is written. */
static struct customer *check_self(lua_State *lua, const char *usage)
{
    const struct host *host = host_of(lua);
    if (lua_touserdata(lua, 1) != host->customer_object)
        luaL_error(lua, "write customer:%s, with a colon", usage);
    return check_customer(lua);
}

/* Argument `index`, called `what`, of the method written as `usage`. */
static struct text check_text(lua_State *lua, int index, const char *what, const char *usage)
{
    if (lua_type(lua, index) == LUA_TSTRING && lua_rawlen(lua, index) > NAME_BYTES_MAX)
        luaL_error(lua, "customer:%s: the %s has at most %d bytes", usage, what, NAME_BYTES_MAX);
    if (lua_type(lua, index) != LUA_TSTRING)
        luaL_error(lua, "customer:%s: the %s must be text, not %s", usage, what,
                   lua_isnoneornil(lua, index) ? "nil" : luaL_typename(lua, index));
    struct text text = convert_text(lua, index, step_arena(host_step(lua, usage)));
    if (text.size == 0)
        luaL_error(lua, "customer:%s: the %s is empty", usage, what);
    return text;
}

static struct doc_value check_value(lua_State *lua, int index, const char *usage)
{
    struct doc_value value;
    struct err err;
    struct host *host = host_of(lua);
    if (lua_gettop(lua) < index)
        luaL_error(lua, "customer:%s: it needs two values", usage);
    if (convert_from_lua(lua, index, step_arena(host->step), &host->scratch, &value, &err) != 0)
        luaL_error(lua, "customer:%s: %s", usage, err.text);
    return value;
}

typedef int change_fn(struct step *step, struct text name, const struct doc_value *value,
                      struct err *err);

static int change(lua_State *lua, const char *usage, bool may_be_nil, change_fn *act)
{
    struct err err;
    spend_change(lua, check_self(lua, usage));
    struct text name = check_text(lua, 2, "name", usage);
    struct doc_value value = check_value(lua, 3, usage);
    if (value.type == DOC_NULL && !may_be_nil)
        return luaL_error(lua, "customer:%s: the item is nil", usage);
    return act(host_of(lua)->step, name, &value, &err) != 0 ? host_raise(lua, &err) : 0;
}

static int customer_method_set(lua_State *lua)
{
    return change(lua, "set(name, value)", true, step_set);
}

static int customer_method_add(lua_State *lua)
{
    return change(lua, "add(name, item)", false, step_add);
}

static int customer_method_remove(lua_State *lua)
{
    return change(lua, "remove(name, item)", false, step_remove);
}

typedef int tag_fn(struct step *step, struct text tag, struct err *err);

static int change_tag(lua_State *lua, const char *usage, tag_fn *act)
{
    struct err err;
    spend_change(lua, check_self(lua, usage));
    struct text tag = check_text(lua, 2, "tag", usage);
    return act(host_of(lua)->step, tag, &err) != 0 ? host_raise(lua, &err) : 0;
}

static int customer_method_tag(lua_State *lua)
{
    return change_tag(lua, "tag(tag)", step_tag);
}

static int customer_method_untag(lua_State *lua)
{
    return change_tag(lua, "untag(tag)", step_untag);
}

static int customer_method_has_tag(lua_State *lua)
{
    const struct customer *customer = check_self(lua, "has_tag(tag)");
    spend_look(lua, customer);
    lua_pushboolean(lua, customer_has_tag(customer, check_text(lua, 2, "tag", "has_tag(tag)")));
    return 1;
}

/* "granted", "pending", "withdrawn", or nil: nothing is known. */
static int customer_method_consent(lua_State *lua)
{
    static const char usage[] = "consent(purpose, channel)";
    const struct customer *customer = check_self(lua, usage);
    spend_look(lua, customer);
    struct text purpose = check_text(lua, 2, "purpose", usage);
    struct text channel = check_text(lua, 3, "channel", usage);
    switch (customer_consent(customer, purpose, channel)) {
    case CONSENT_GRANTED:
        lua_pushstring(lua, "granted");
        break;
    case CONSENT_PENDING:
        lua_pushstring(lua, "pending");
        break;
    case CONSENT_WITHDRAWN:
        lua_pushstring(lua, "withdrawn");
        break;
    case CONSENT_NONE:
        lua_pushnil(lua);
        break;
    }
    return 1;
}

/* customer:assign("anna"), customer:assign("team:sales"), customer:assign(nil): whose she is; it
 * gives the owner. */
static int customer_method_assign(lua_State *lua)
{
    static const char usage[] = "assign(to)";
    struct customer *customer = check_self(lua, usage);
    struct step *step = host_step(lua, "customer:assign");
    struct text to = { "", 0 }, owner;
    struct err err;
    luaL_checkany(lua, 2);
    if (!lua_isnil(lua, 2))
        to = check_text(lua, 2, "to", usage);
    if (step_own(step, to, &owner, &err) != 0)
        return host_raise(lua, &err);
    push_owner(lua, customer);
    return 1;
}

/* -- The objects ---------------------------------------------------------- */

static unsigned make_object(struct host *host, const char *name, const void **out_object)
{
    lua_State *lua = sandbox_state(host->sandbox);
    *out_object = lua_newuserdatauv(lua, 0, 0);
    lua_insert(lua, -2); /* under its __index */
    lua_createtable(lua, 0, 4);
    lua_insert(lua, -2);
    lua_setfield(lua, -2, "__index");
    lua_pushstring(lua, name);
    lua_pushcclosure(lua, refuse_assignment, 1);
    lua_setfield(lua, -2, "__newindex");
    lua_pushstring(lua, name);
    lua_setfield(lua, -2, "__name");
    lua_pushboolean(lua, false);
    lua_setfield(lua, -2, "__metatable");
    lua_setmetatable(lua, -2);
    unsigned id = sandbox_keep(lua, -1);
    lua_pop(lua, 1);
    return id;
}

/* What event_field() knows; the test of vocabulary.h asks it. */
static const struct script_field event_fields[] = {
    { "type", "text", "its type", false },
    { "id", "text", "the sender's id, else Kith's", false },
    { "at", "moment", "when it happened, by the sender's clock corrected", false },
    { "logged", "moment", "when it was written", false },
    { "seq", "number", "as which entry of the log", false },
    { "by", "text", "who, or what rule, made it", false },
    { "source", "text", "which key brought it", false },
    { "about", "text", "what it is about", false },
    { "customer", "number", "the customer's number", false },
    { "data", "table", "all fields that the sender gave", false },
    { "context", "table", "Segment's context", false },
    { 0 },
};

const struct script_word words_objects[] = {
    {
        "event",
        NULL,
        "event.NAME",
        "A field of what the sender gave (`properties`, `traits`), or one of these, which are of "
        "the event itself. What is not there is `nil`.",
        event_fields,
        "log(event.type, event.at, event.total, event.data.total)\n",
    },
    {
        "customer",
        NULL,
        "customer.NAME, customer[\"ANY NAME\"]",
        "A trait, or one of these, which belong to Kith and cannot be set. What is not there is "
        "`nil`.",
        customer_fields,
        "log(customer.id, customer.kind, customer.city, customer[\"First Name\"])\n",
    },
    { 0 },
};

const struct script_word words_customer[] = {
    {
        "set",
        customer_method_set,
        "customer:set(NAME, VALUE)",
        "Sets a trait: text, a number, true or false, a list or a table; `nil` removes it.",
        NULL,
        "customer:set(\"orders\", (customer.orders or 0) + 1)\n",
    },
    {
        "add",
        customer_method_add,
        "customer:add(NAME, ITEM)",
        "Adds an item to a trait that is a list, unless it is in it.",
        NULL,
        "customer:add(\"categories\", event.category or \"other\")\n",
    },
    {
        "remove",
        customer_method_remove,
        "customer:remove(NAME, ITEM)",
        "Takes an item out of a trait that is a list.",
        NULL,
        "customer:remove(\"categories\", \"unknown\")\n",
    },
    {
        "tag",
        customer_method_tag,
        "customer:tag(TAG)",
        "Puts a tag on the customer.",
        NULL,
        "customer:tag(\"regular\")\n",
    },
    {
        "untag",
        customer_method_untag,
        "customer:untag(TAG)",
        "Takes a tag off the customer.",
        NULL,
        "customer:untag(\"new\")\n",
    },
    {
        "has_tag",
        customer_method_has_tag,
        "customer:has_tag(TAG)",
        "Whether that tag is on the customer.",
        NULL,
        "if not customer:has_tag(\"regular\") then customer:tag(\"new\") end\n",
    },
    {
        "assign",
        customer_method_assign,
        "customer:assign(TO)",
        "Makes a member of staff the customer's owner, or whoever a team assigns, and gives the "
        "owner; `nil`: nobody's any more. Rules on `owner.changed` hear of what staff says, not of "
        "this.",
        NULL,
        "if customer.owner == nil then customer:assign(\"team:sales\") end\n",
    },
    {
        "consent",
        customer_method_consent,
        "customer:consent(PURPOSE, CHANNEL)",
        "`\"granted\"`, `\"pending\"`, `\"withdrawn\"`, or `nil`: nothing is known.",
        NULL,
        "if customer:consent(\"newsletter\", \"email\") == nil then log(\"never asked\") end\n",
    },
    { 0 },
};

void words_customer_add(struct host *host)
{
    lua_State *lua = sandbox_state(host->sandbox);
    const void *event;
    lua_pushcfunction(lua, event_index);
    host->event = make_object(host, "event", &event);
    lua_newtable(lua);
    for (size_t i = 0; words_customer[i].name != NULL; i++) {
        ASSERT(i + 1 < HOST_METHODS_MAX);
        lua_pushcfunction(lua, words_customer[i].call);
        lua_setfield(lua, -2, words_customer[i].name);
        host->methods[i] = words_customer[i].name;
    }
    lua_pushcclosure(lua, customer_index, 1);
    host->customer = make_object(host, "customer", &host->customer_object);
}
