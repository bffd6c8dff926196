/* settings.h -- kith.lua: what the operator decides, read once.
 *
 *     listen "127.0.0.1:8077"        listen { "0.0.0.0:8443", cert = "...", key = "..." }
 *     data "/var/lib/kith"           scripts "/etc/kith/scripts"
 *     url "https://crm.example.com"
 *     zone "Europe/Berlin"           country "DE"           fallback "sales"
 *     locale "de"
 *     channel "log" { file = "/var/log/kith/messages" }
 *     plugins "/usr/lib/kith/plugins"
 *     plugin "email" { grant = { "sockets" }, isolate = false, config = { smtp = "..." } }
 *     limits { derived = 2000 }      blocked { "guest", "0" }
 *     quota { log = "200 GB", state = "50 GB" }
 *     rate "600/min"                 rate { "600/min", burst = 1000 }
 *
 * The file runs in an empty sandbox: it declares and reaches nothing.  Every mistake is
 * reported at its line.  A relative path is relative to the file it stands in.
 *
 * Two kinds of settings come of it.  Those that can change a result (zone, country, locale,
 * fallback, channels by name, limits, blocked) make the config document of the world
 * (core/engine/config.h); the others concern this process only.  One thread.
 */
#ifndef CORE_SCRIPT_SETTINGS_H
#define CORE_SCRIPT_SETTINGS_H

#include "core/base/arena.h"
#include "core/base/doc.h"
#include "core/base/rate.h"

#include <stdbool.h>
#include <stdint.h>

struct err;

#define SETTINGS_BYTES_MAX (1u << 20) /* of kith.lua */

/* plugin "NAME" { grant, isolate, config }.  What it may be configured with only the plugin knows:
 * core/plugin/configure.h. */
struct plugin_settings {
    const char *name;
    const char *place; /* "kith.lua:12: ", where it stands, in front of what is wrong with it */
    bool is_isolated;  /* in a process of its own */
    struct doc grant;  /* array of texts */
    struct doc config; /* a secret is {secret_file: PATH} */
};
#define SETTINGS_PLUGINS_MAX 32

struct settings {
    /* All texts are terminated and live as long as the settings; NULL: not given. */
    const char *host;
    uint16_t port;
    const char *cert, *key; /* PEM files; both or neither */
    const char *data, *scripts;
    const char *url; /* the public address, without a slash at its end */
    const char *zone, *country, *locale, *fallback;
    const char *log_file;   /* of the channel `log`; NULL: standard error */
    const char *plugin_dir; /* where their files are: NAME.so */
    struct plugin_settings plugins[SETTINGS_PLUGINS_MAX];
    size_t plugin_count;
    size_t log_quota_bytes, state_quota_bytes; /* of the two files; 0: none */
    struct rate rate;                          /* of keys without one of their own */
    struct doc limits, blocked;                /* as they stand in the config */

    /* What plugins add to the config, from whoever has loaded them: {NAME: {...}} of plugins, and
     * of channels as config.h reads them.  None until then. */
    struct doc plugin_worlds, plugin_channels;

    struct doc config; /* of the world; settings_finish() makes it */

    /* private */
    struct arena arena;
    struct buf scratch;
    const char *folder; /* of the file that is read */
    uint32_t declared;  /* words seen: each at most once */
    int awaits_channel; /* line of a `channel` whose table has not come; 0: none */
};

/* What a plugin may be granted (plugins/sdk/kith.h, `needs`); the list ends with NULL. */
extern const char *const settings_capabilities[];
bool settings_is_capability(struct text word);

/* Defaults: 127.0.0.1:8077, UTC, no data, no scripts.  End with settings_deinit(). */
void settings_init(struct settings *settings);
void settings_deinit(struct settings *settings);

/* Run the file.  E_IO: it cannot be read; E_INVALID, E_LIMIT: "file:line: reason". */
int settings_load(struct settings *settings, const char *path, struct err *err);

/* What a flag of the command line sets.  "HOST:PORT", "[::1]:8077", ":8077" or "8077";
 * port 0: any free one. E_INVALID. */
int settings_listen(struct settings *settings, const char *address, struct err *err);

/* Build the config document from what is there.  Call it last, and again when plugins have added
 * to it. */
void settings_finish(struct settings *settings);

#endif
