/* asked.c -- see asked.h. */
#include "core/outside/asked.h"

#include "core/base/civil.h"
#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/utf8.h"
#include "core/engine/event.h"
#include "core/http/http.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* -- Events ------------------------------------------------------------------------------------ */

static bool has_channel(const struct plugin *plugin, struct text channel)
{
    for (size_t i = 0; i < plugin->channel_count; i++)
        if (text_is(channel, plugin->channels[i].name))
            return true;
    return false;
}

static int check_type(const struct plugin *plugin, struct text type, struct err *err)
{
    struct text word = event_type_word(type);
    bool is_own = text_is(word, plugin->name) && type.size > word.size + 1;
    if (type.size == 0 || type.size > TYPE_BYTES_MAX)
        return err_set(err, E_INVALID, "a type has 1 to %d bytes", TYPE_BYTES_MAX);
    if (is_own || event_type_is_feedback(type))
        return 0;
    return err_set(
        err, E_DENIED,
        "an event of this plugin is called \"%s.NAME\", or message.delivered, opened, "
        "clicked, replied, bounced, complained, unsubscribed or resubscribed, not \"%.*s\"",
        plugin->name, (int)type.size, type.data);
}

/* Whoever is heard over a channel is believed to be there by the plugin of that channel alone. */
static int check_channel(const struct plugin *plugin, struct text type, struct doc data,
                         struct err *err)
{
    struct text channel = doc_text(data, "channel");
    if (!feedback_is_of_address(type, data) || has_channel(plugin, channel))
        return 0;
    return err_set(err, E_DENIED,
                   "this plugin has no channel \"%.*s\", and no effect is named: only a channel's "
                   "own plugin unsubscribes addresses of it",
                   (int)channel.size, channel.data);
}

int asked_event(const struct plugin *plugin, struct text type, int64_t at, struct doc data,
                struct err *err)
{
    if (!plugin_may(plugin, "append"))
        return err_set(err, E_DENIED, "\"append\" is not among its needs");
    if (at != 0 && (at < CIVIL_MS_MIN || at > CIVIL_MS_MAX))
        return err_set(err, E_INVALID, "`at` is milliseconds since 1970, in the years 1 to 9999");
    int rc = check_type(plugin, type, err);
    return rc == 0 ? check_channel(plugin, type, data, err) : rc;
}

/* -- Requests ---------------------------------------------------------------------------------- */

static bool is_word(struct text text)
{
    return text.size != 0 && memchr(text.data, '\0', text.size) == NULL;
}

int asked_request(const struct plugin *plugin, struct text method, struct text path,
                  struct text staff, struct err *err)
{
    if (!is_word(method) || !is_word(path) || path.data[0] != '/')
        return err_set(err, E_INVALID, "a request needs a method, and a path from / on");
    if (staff.size != 0 && !plugin_may(plugin, "on-behalf"))
        return err_set(err, E_DENIED, "\"on-behalf\" is not among its needs");
    return 0;
}

/* -- Answers to requests ----------------------------------------------------------------------- */

/* "Name: value".  The type of the body is the plugin's to say. */
static int check_header(const char *header, struct err *err)
{
    size_t size = strcspn(header, ":");
    char name[NAME_BYTES_MAX + 1];
    if (size == 0 || size > NAME_BYTES_MAX || header[size] != ':' ||
        !utf8_valid(header, strlen(header)))
        return err_set(err, E_INVALID, "a header is \"Name: value\", in UTF-8");
    const char *value = header + size + 1;
    snprintf(name, sizeof name, "%.*s", (int)size, header);
    if (http_check_field(strcasecmp(name, "Content-Type") == 0 ? "X" : name, value) == 0)
        return 0;
    return err_set(err, E_INVALID,
                   "header %s: its name or value cannot stand there, or is the host's to set",
                   name);
}

int asked_reply(const struct kith_reply *reply, struct err *err)
{
    int rc = 0;
    if (reply->status < 200 || reply->status > 599)
        return err_set(err, E_INVALID, "a status is 200 to 599, not %d", (int)reply->status);
    if (reply->body_size > PLUGIN_REPLY_BYTES_MAX)
        return err_set(err, E_LIMIT, "an answer has at most %u bytes", PLUGIN_REPLY_BYTES_MAX);
    for (const char *const *header = reply->headers; rc == 0 && header != NULL && *header != NULL;
         header++)
        rc = check_header(*header, err);
    return rc;
}

/* -- The rest ---------------------------------------------------------------------------------- */

int asked_file(struct text hash, struct err *err)
{
    for (uint32_t i = 0; i < hash.size; i++)
        if (hash.data[i] == '\0' || strchr("0123456789abcdef", hash.data[i]) == NULL)
            return err_set(err, E_INVALID, "that is no hash of a file");
    if (hash.size != 64)
        return err_set(err, E_INVALID, "a file is named by the 64 digits of its hash");
    return 0;
}

int asked_pause(const struct plugin *plugin, struct text channel, struct err *err)
{
    if (has_channel(plugin, channel))
        return 0;
    return err_set(err, E_NOTFOUND, "this plugin has no channel of that name");
}

int asked_count(const char *name, int64_t by, struct err *err)
{
    size_t size = name != NULL ? strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") : 0;
    if (size == 0 || name[size] != '\0' || size > PLUGIN_NAME_MAX)
        return err_set(err, E_INVALID, "a counter's name is 1 to %d of a-z, 0-9, _",
                       PLUGIN_NAME_MAX);
    return by >= 0 ? 0 : err_set(err, E_INVALID, "a counter only grows");
}
