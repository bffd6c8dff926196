/* settings_words.c -- the words of kith.lua, with what there is to know of each (vocabulary.h). */
#include "core/script/settings_inside.h"

const struct script_field listen_fields[] = {
    { "cert", "path", "with TLS: the certificate and its chain, PEM; needed with `key`", false },
    { "key", "path", "its key; needed with `cert`", false },
    { 0 },
};

const struct script_field log_channel_fields[] = {
    { "file", "path", "where the lines go; else to standard error", false },
    { 0 },
};

const struct script_field plugin_fields[] = {
    { "grant", "list of texts", "what it may do; all that the plugin needs is needed here", false },
    { "isolate", "true or false", "whether it runs in a process of its own", false },
    { "config", "table",
      "what it is configured with, as far as the plugin says needed; a value may be `secret "
      "\"FILE\"`",
      false },
    { 0 },
};

const struct script_field quota_fields[] = {
    { "log", "size", "of the log: \"1 MB\" to \"256 GB\"", false },
    { "state", "size", "of the state, the same", false },
    { 0 },
};

const struct script_field rate_fields[] = {
    { "burst", "number", "how many of them at once; else as many as the rate says", false },
    { 0 },
};

const struct script_word settings_words[] = {
    {
        "blocked",
        setting_blocked,
        "blocked { \"VALUE\", ... }",
        "Values that clients send as an identity and that are nobody's.",
        NULL,
        "blocked { \"guest\", \"0\", \"null\" }\n",
    },
    {
        "channel",
        setting_channel,
        "channel \"log\" { file }",
        "Where messages on the channel `log`, which is always there, go: one JSON object a line. "
        "Other channels are plugins': docs/webhooks.md, docs/email.md.",
        log_channel_fields,
        "channel \"log\" { file = \"/var/lib/kith/messages\" }\n",
    },
    {
        "country",
        setting_country,
        "country \"CC\"",
        "Of phone numbers that are written without a country code.",
        NULL,
        "country \"DE\"\n",
    },
    {
        "data",
        setting_data,
        "data \"DIR\"",
        "Where the log, the state and the keys are.",
        NULL,
        "data \"/var/lib/kith\"\n",
    },
    {
        "fallback",
        setting_fallback,
        "fallback \"NAME\"",
        "Who gets the work that is nobody's: a member of staff, or a team.",
        NULL,
        "fallback \"sales\"\n",
    },
    {
        "limits",
        setting_limits,
        "limits { NAME = NUMBER, ... }",
        "What one event, one rule, one customer may take: the limits below.",
        NULL,
        "limits { derived = 500, timers = 100 }\n",
    },
    {
        "listen",
        setting_listen,
        "listen \"HOST:PORT\", listen { \"HOST:PORT\", cert, key }",
        "Where to listen, the second with TLS; 127.0.0.1:8077 without it.",
        listen_fields,
        "listen { \"0.0.0.0:8443\", cert = \"tls/cert.pem\", key = \"tls/key.pem\" }\n",
    },
    {
        "locale",
        setting_locale,
        "locale \"LANGUAGE\"",
        "The language of templates for customers whose own is not known.",
        NULL,
        "locale \"de\"\n",
    },
    {
        "plugin",
        setting_plugin,
        "plugin \"NAME\" { grant, isolate, config }",
        "Loads NAME.so from the folder of plugins: docs/plugins.md. What it needs, and what it can "
        "be configured with, it says itself: `kith plugin list`.",
        plugin_fields,
        "plugin \"email\" {\n"
        "  grant = { \"channel\", \"append\", \"read\", \"sockets\", \"work\", \"files\" },\n"
        "  config = { smtp = \"smtp://127.0.0.1:25\", from = \"Care <care@example.com>\" },\n"
        "}\n",
    },
    {
        "plugins",
        setting_plugins,
        "plugins \"DIR\"",
        "Where the files of plugins are. Whoever may write there may run code as the daemon.",
        NULL,
        "plugins \"/usr/lib/kith/plugins\"\n",
    },
    {
        "quota",
        setting_quota,
        "quota { log, state }",
        "How large the two files may become. At its quota the daemon takes nothing in (503) and "
        "reads on.",
        quota_fields,
        "quota { log = \"200 GB\", state = \"50 GB\" }\n",
    },
    {
        "rate",
        setting_rate,
        "rate \"NUMBER/UNIT\", rate { \"NUMBER/UNIT\", burst }",
        "How often each key may call: a second (`s`), a minute (`min`), an hour (`h`); `kith key "
        "add --rate` says it for one key. Beyond it: 429 with Retry-After. The key in admin.key is "
        "not counted.",
        rate_fields,
        "rate { \"600/min\", burst = 1000 }\n",
    },
    {
        "scripts",
        setting_scripts,
        "scripts \"DIR\"",
        "Rules that are put in force at the first start; after that, `kith deploy` does so.",
        NULL,
        "scripts \"scripts\"\n",
    },
    {
        "secret",
        setting_secret,
        "secret \"FILE\"",
        "A value that is in a file, so that this one can be shown.",
        NULL,
        "plugin \"webhook\" {\n"
        "  grant = { \"append\", \"channel\", \"fetch\", \"fetch-private\", \"routes\" },\n"
        "  config = {\n"
        "    receivers = {\n"
        "      erp = { url = \"https://erp.example.com\", secret = secret \"erp.secret\" },\n"
        "    },\n"
        "  },\n"
        "}\n",
    },
    {
        "url",
        setting_url,
        "url \"URL\"",
        "The public address, for links.",
        NULL,
        "url \"https://crm.example.com\"\n",
    },
    {
        "zone",
        setting_zone,
        "zone \"ZONE\"",
        "The company's time zone: working days, and \"1d\" of customers without a zone of their "
        "own; UTC without it.",
        NULL,
        "zone \"Europe/Berlin\"\n",
    },
    { 0 },
};
