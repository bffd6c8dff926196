/* words_send.c -- messages: send to the customer, notify to staff.
 *
 * What a message names, its channel and its purpose, is checked here, where the names that there
 * are can be told; the engine checks what it must keep (core/engine/effect.c).
 */
#include "core/base/limits.h"
#include "core/engine/event.h"
#include "core/engine/link_terms.h"
#include "core/script/convert.h"
#include "core/script/explain.h"
#include "core/script/host_inside.h"
#include "core/script/templates.h"

#include <string.h>

static bool is_machine(lua_State *lua, struct text channel)
{
    const struct channel_config *config = config_channel(host_of(lua)->config, channel);
    return config != NULL && config->is_machine;
}

/* A program wants to know first what happened, and when. */
static void put_event(lua_State *lua, struct doc_writer *w)
{
    struct step *step = host_of(lua)->step;
    const struct event *event = step_event(step);
    struct text type = option_text(lua, 1, "type", step_arena(step));
    doc_put_text(w, "type", type.size != 0 ? type : event->type);
    doc_put_datetime(w, "timestamp", event->at);
}

/* The template that a send names instead of a body; empty: none. */
static struct text check_template(lua_State *lua, struct text channel, struct text body)
{
    struct host *host = host_of(lua);
    const struct ruleset *rules = &host->rules;
    struct arena *arena = step_arena(host->step);
    struct text name = option_text(lua, 1, "template", arena);
    struct err err;
    if (name.size == 0)
        return name;
    if (body.size != 0)
        luaL_error(lua, "send: body or template, not both");
    for (size_t i = 0; i < rules->template_count; i++)
        if (text_equal(rules->templates[i].name, name)) {
            if (step_check_template(host->step, name, channel, &err) != 0)
                luaL_error(lua, "send: %s", err.text);
            return name;
        }
    buf_clear(&host->scratch);
    templates_explain(rules, name, arena, &host->scratch);
    luaL_error(lua, "send: %s", buf_string(&host->scratch));
    return name;
}

/* What a channel gets of the rule's table: body or template, and data. */
static struct doc message_content(lua_State *lua, struct text channel, const char *body_name,
                                  const char *word)
{
    struct host *host = host_of(lua);
    struct arena *arena = step_arena(host->step);
    struct text body = option_text(lua, 1, body_name, arena);
    struct doc data = option_doc(lua, 1, "data", word);
    bool for_machine = is_machine(lua, channel), is_send = strcmp(word, "send") == 0;
    struct text template = { "", 0 };
    struct doc_writer w;
    if (is_send)
        template = check_template(lua, channel, body);
    if (body.size == 0 && template.size == 0 && !for_machine)
        luaL_error(lua, "%s needs %s = \"...\"%s", word, body_name,
                   is_send ? " or template = \"...\"" : "");
    buf_clear(&host->scratch);
    doc_begin(&w, &host->scratch);
    if (for_machine)
        put_event(lua, &w);
    doc_put_present(&w, "template", template);
    doc_put_present(&w, "body", body);
    if (data.data != NULL)
        doc_put_doc(&w, "data", data);
    return arena_doc(arena, doc_end(&w));
}

static void check_channel(lua_State *lua, const char *word, struct text channel)
{
    struct host *host = host_of(lua);
    const struct config *config = host->config;
    const char *names[CONFIG_CHANNELS_MAX + 1] = { NULL };
    if (config_channel(config, channel) != NULL)
        return;
    for (size_t i = 0; i < config->channel_count; i++)
        names[i] = config->channels[i].name;
    const char *near = explain_near(channel.data, names);
    buf_clear(&host->scratch);
    if (channel.size == 0)
        buf_printf(&host->scratch, "%s needs a channel", word);
    else
        buf_printf(&host->scratch, "%s: no channel is called \"%s\"", word, channel.data);
    if (channel.size != 0 && near != NULL) {
        buf_printf(&host->scratch, "; did you mean \"%s\"?", near);
    } else {
        buf_text(&host->scratch, names[0] != NULL ? "; there is " : "; there is none");
        explain_list(names, &host->scratch);
    }
    luaL_error(lua, "%s", buf_string(&host->scratch));
}

static void check_purpose(lua_State *lua, struct text purpose)
{
    const struct host *host = host_of(lua);
    const struct ruleset *rules = &host->rules;
    size_t count = rules->purpose_count;
    if (purpose.size == 0)
        luaL_error(lua, "send needs a purpose: one that the bundle declares, or \"service\"");
    if (text_is(purpose, "service"))
        return;
    const char **names = arena_alloc(step_arena(host->step), (count + 2) * sizeof *names);
    for (size_t i = 0; i < count; i++) {
        if (text_equal(purpose, rules->purposes[i].name))
            return;
        names[i] = rules->purposes[i].name.data;
    }
    names[count] = "service";
    names[count + 1] = NULL;
    const char *near = explain_near(purpose.data, names);
    if (near != NULL)
        luaL_error(lua, "send: no purpose is called \"%s\"; did you mean \"%s\"?", purpose.data,
                   near);
    luaL_error(lua,
               "send: no purpose is called \"%s\"; declare it: purpose \"%s\" { opt_in = true }",
               purpose.data, purpose.data);
}

/* What a program is told is service unless the rule says otherwise; only a program reads types. */
static void check_machine(lua_State *lua, struct send_request *request)
{
    bool for_machine = is_machine(lua, request->channel);
    if (for_machine && request->purpose.size == 0)
        request->purpose = text_of("service");
    lua_getfield(lua, 1, "type");
    if (!for_machine && !lua_isnil(lua, -1))
        luaL_error(lua, "send: type is for webhooks; the channel \"%s\" writes to people",
                   request->channel.data);
    lua_pop(lua, 1);
}

/* -- Links ---------------------------------------------------------------- */

static const struct script_field link_fields[] = {
    { "event", "text", "the event that is appended; needed, unless it is a consent", false },
    { "data", "table", "its fields", false },
    { "title", "text", "what she reads where she confirms; else what it is about", false },
    { "purpose", "text", "of the consent that is recorded; needed, unless it is an event", false },
    { "channel", "text", "of that consent; needed with it", false },
    { "state", "text", "\"granted\", or \"withdrawn\", as when it is left out", false },
    { "expires", "time", "until when it can be followed; else 30 days, two years to withdraw",
      false },
    { 0 },
};

static void check_link(lua_State *lua, struct text name, const struct doc_value *terms)
{
    if (terms->type != DOC_DOC || name.size > LINK_NAME_BYTES_MAX)
        luaL_error(lua, "send: links = { NAME = { event = \"...\" } }, NAME of at most %d bytes",
                   LINK_NAME_BYTES_MAX);
    for (struct doc_iter it = doc_iter(terms->doc); doc_next(&it);) {
        bool is_data = text_is(it.name, "data");
        if (script_field_find(link_fields, it.name) == SIZE_MAX)
            luaL_error(lua, "send: the link \"%s\" knows no \"%s\"", name.data, it.name.data);
        if (!text_is(it.name, "expires") && it.value.type != (is_data ? DOC_DOC : DOC_TEXT))
            luaL_error(lua, "send: the link \"%s\": %s is %s", name.data, it.name.data,
                       is_data ? "a table with names for keys" : "text");
    }
    const char *wrong = link_terms_wrong(terms->doc);
    if (wrong != NULL)
        luaL_error(lua, "send: the link \"%s\": %s", name.data, wrong);
}

/* When it expires, which is a moment from here on: who follows it does so much later. */
static int64_t link_expires(lua_State *lua, struct doc terms)
{
    struct doc_value words = doc_get(terms, "expires");
    int64_t now = step_now(host_of(lua)->step);
    struct when when = { "send", "expires", { "", 0 }, -1, now };
    if (words.type == DOC_NONE)
        return now + (link_terms_are_withdrawal(terms) ? LINK_WITHDRAW_MS : LINK_EXPIRES_MS);
    convert_push(lua, &words);
    int64_t expires = moment_from_lua(lua, lua_gettop(lua), &when);
    lua_pop(lua, 1);
    if (expires <= now)
        luaL_error(lua, "send: expires of a link must lie ahead");
    return expires;
}

static void put_link(lua_State *lua, struct doc_writer *w, struct text name, struct doc terms)
{
    int64_t expires = link_expires(lua, terms);
    doc_open_text(w, name);
    for (struct doc_iter it = doc_iter(terms); doc_next(&it);)
        if (!text_is(it.name, "expires"))
            doc_put_value_text(w, it.name, &it.value);
    doc_put_datetime(w, "expires", expires);
    doc_close(w);
}

/* Declared here; the addresses are made when it goes out, for only the daemon has the secret. */
static void put_links(lua_State *lua, struct send_request *request)
{
    struct host *host = host_of(lua);
    struct arena *arena = step_arena(host->step);
    struct doc links = option_doc(lua, 1, "links", "send");
    struct doc_writer w;
    if (links.data == NULL)
        return;
    if (step_customer(host->step) == NULL)
        luaL_error(lua, "send: links are a customer's, and this event has none");
    for (struct doc_iter it = doc_iter(links); doc_next(&it);)
        check_link(lua, it.name, &it.value);
    buf_clear(&host->scratch);
    doc_begin(&w, &host->scratch);
    for (struct doc_iter it = doc_iter(request->content); doc_next(&it);)
        doc_put_value_text(&w, it.name, &it.value);
    doc_open(&w, "links");
    for (struct doc_iter it = doc_iter(links); doc_next(&it);)
        put_link(lua, &w, it.name, it.value.doc);
    doc_close(&w);
    request->content = arena_doc(arena, doc_end(&w));
}

/* attach = { { hash = ..., name = ... } }, or event.files as it came. */
static void put_files(lua_State *lua, struct send_request *request)
{
    struct host *host = host_of(lua);
    struct doc_value given;
    struct err err;
    lua_getfield(lua, 1, "attach");
    if (!lua_isnil(lua, -1)) {
        if (convert_from_lua(lua, lua_gettop(lua), step_arena(host->step), &host->scratch, &given,
                             &err) != 0)
            luaL_error(lua, "send: %s", err.text);
        if (step_attach(host->step, request->channel, &given, &request->content, &err) != 0)
            host_raise(lua, &err);
    }
    lua_pop(lua, 1);
}

/* -- Words ---------------------------------------------------------------- */

static const struct script_field send_fields[] = {
    { "channel", "text", "how it goes: a channel of kith.lua", true },
    { "body", "text", "what it says; needed, unless there is a template or it is a webhook",
      false },
    { "template", "text", "instead of `body`: the name of a template of the bundle", false },
    { "data", "table", "fields for the channel, and for the template", false },
    { "type", "text", "of a webhook: what the receiver knows it by; else the event's type", false },
    { "purpose", "text",
      "\"service\", or one that the bundle declares; needed, but for a webhook, where it is "
      "\"service\" unless said",
      false },
    { "key", "text", "of one rule and event, which message this is, when there are several",
      false },
    { "expires", "time", "how long it is good for; else one day (`effect_expires_ms`)", false },
    { "links", "table",
      "signed links for the customer: `NAME = { event, data, title, expires }`, or `NAME = { "
      "purpose, channel, state, title, expires }`",
      false },
    { "attach", "list",
      "files that go with it, `{ { hash, name }, ... }`, or `event.files`; for e-mail", false },
    { 0 },
};

static int word_send(lua_State *lua)
{
    struct step *step = host_step(lua, "send");
    struct arena *arena = step_arena(step);
    struct err err;
    check_table(lua, "send");
    option_check(lua, 1, "send", send_fields);
    struct send_request request = {
        .channel = option_text(lua, 1, "channel", arena),
        .purpose = option_text(lua, 1, "purpose", arena),
        .key = option_text(lua, 1, "key", arena),
    };
    check_channel(lua, "send", request.channel);
    check_machine(lua, &request);
    check_purpose(lua, request.purpose);
    request.content = message_content(lua, request.channel, "body", "send");
    put_links(lua, &request);
    put_files(lua, &request);
    lua_getfield(lua, 1, "expires");
    if (!lua_isnil(lua, -1)) {
        struct when when = { "send", "expires", { "", 0 }, -1, step_now(step) };
        request.expires_ms = option_moment(lua, 1, &when) - step_now(step);
        if (request.expires_ms <= 0)
            return luaL_error(lua, "send: expires must lie ahead");
    }
    return step_send(step, &request, &err) != 0 ? host_raise(lua, &err) : 0;
}

static const struct script_field notify_fields[] = {
    { "to", "text",
      "a member of staff, a team, or \"owner\"; needed, unless kith.lua has a `fallback`", false },
    { "text", "text", "what it says; needed, unless it is a webhook", false },
    { "data", "table", "fields for the channel", false },
    { "channel", "text", "how it goes; else \"log\"", false },
    { 0 },
};

/* notify { to = "anna", text = "...", channel = "log" } */
static int word_notify(lua_State *lua)
{
    struct step *step = host_step(lua, "notify");
    struct arena *arena = step_arena(step);
    struct err err;
    check_table(lua, "notify");
    option_check(lua, 1, "notify", notify_fields);
    struct send_request request = {
        .channel = option_text(lua, 1, "channel", arena),
        .to = option_text(lua, 1, "to", arena),
        .purpose = text_of("service"),
        .is_notification = true,
    };
    if (request.channel.size == 0)
        request.channel = text_of("log");
    check_channel(lua, "notify", request.channel);
    request.content = message_content(lua, request.channel, "text", "notify");
    if (step_assignee(step, request.to).size == 0)
        return luaL_error(lua, "notify: nobody would get it: say to = \"...\", or name a fallback "
                               "team in kith.lua");
    return step_send(step, &request, &err) != 0 ? host_raise(lua, &err) : 0;
}

const struct script_word words_send[] = {
    {
        "send",
        word_send,
        "send { channel, purpose, body, ... }",
        "A message to the customer, sent when the rule is done with, at most once. Nothing goes to "
        "whoever has withdrawn consent to its purpose and channel, or, with `opt_in`, has not "
        "given "
        "it; nor to an address that is suppressed.",
        send_fields,
        "send {\n"
        "  channel = \"log\", purpose = \"newsletter\", body = \"Our new catalogue\", key = "
        "\"issue\",\n"
        "  data = { issue = event.issue }, expires = \"3d\",\n"
        "  links = { unsubscribe = { purpose = \"newsletter\", channel = \"email\" } },\n"
        "}\n",
    },
    {
        "links",
        NULL,
        "links = { NAME = { event, ... } }, links = { NAME = { purpose, channel, ... } }",
        "Of `send`: signed links, whose addresses the message carries under their names. An event "
        "is appended, or a consent recorded, when she follows it and confirms. `url` of kith.lua "
        "must be set.",
        link_fields,
        "send {\n"
        "  channel = \"log\", purpose = \"service\", body = \"Were you satisfied?\",\n"
        "  links = {\n"
        "    yes = { event = \"Survey Answered\", data = { happy = true }, title = \"I am "
        "satisfied\" },\n"
        "    unsubscribe = { purpose = \"newsletter\", channel = \"email\", expires = \"90d\" },\n"
        "  },\n"
        "}\n",
    },
    {
        "notify",
        word_notify,
        "notify { to, text, ... }",
        "A message to staff, outside all consents.",
        notify_fields,
        "notify { to = \"anna\", text = \"The issue is out\", data = { issue = event.issue } }\n",
    },
    { 0 },
};

void words_send_add(struct host *host)
{
    host_add_words(host, words_send);
}
