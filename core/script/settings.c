/* settings.c -- the words of kith.lua; see settings.h.
 *
 * Each word is a C function that checks what it is given at once, with the same code that
 * will use it later (zone_open, config_read), so that a mistake is reported with the line
 * it stands in and never at the daemon's first use of it.
 *
 * A word is allowed once: of two `data` lines one would be silently ignored, and the
 * operator would look at the wrong one.
 */
#include "core/script/settings.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/base/utf8.h"
#include "core/base/zone.h"
#include "core/engine/config.h"
#include "core/script/convert.h"
#include "core/script/explain.h"
#include "core/script/sandbox.h"
#include "core/script/settings_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MAX 32
#define HOST_DEFAULT "127.0.0.1"
#define PORT_DEFAULT 8077
#define QUOTA_LEAST ((size_t)1 << 20)
#define QUOTA_MOST ((size_t)256 << 30) /* of the address space that a file has */

enum word { /* bits of settings.declared */
    WORD_LISTEN,
    WORD_DATA,
    WORD_SCRIPTS,
    WORD_URL,
    WORD_ZONE,
    WORD_COUNTRY,
    WORD_LOCALE,
    WORD_FALLBACK,
    WORD_CHANNEL_LOG,
    WORD_LIMITS,
    WORD_BLOCKED,
    WORD_QUOTA,
    WORD_RATE,
};

struct settings *settings_of(lua_State *lua)
{
    return lua_touserdata(lua, lua_upvalueindex(1));
}

/* The settings, when `word` is said for the first time. */
static struct settings *declare_once(lua_State *lua, enum word word, const char *name)
{
    struct settings *settings = settings_of(lua);
    if ((settings->declared & 1u << word) != 0)
        luaL_error(lua, "%s is said a second time: keep one of the two", name);
    settings->declared |= 1u << word;
    return settings;
}

const char *settings_text(lua_State *lua, int index, struct settings *settings, const char *what)
{
    if (lua_type(lua, index) != LUA_TSTRING)
        luaL_error(lua, "%s must be text in quotes, not a %s", what, luaL_typename(lua, index));
    size_t size;
    const char *text = lua_tolstring(lua, index, &size);
    if (size == 0 || strlen(text) != size)
        luaL_error(lua, "%s is empty or holds a NUL", what);
    return arena_copy(&settings->arena, text, size + 1);
}

const char *settings_path(lua_State *lua, int index, struct settings *settings, const char *what)
{
    const char *path = settings_text(lua, index, settings, what);
    if (path[0] == '/' || settings->folder == NULL)
        return path;
    return arena_printf(&settings->arena, "%s/%s", settings->folder, path).data;
}

static int raise(lua_State *lua, const struct err *err)
{
    return luaL_error(lua, "%s", err->text);
}

static void check_table(lua_State *lua, const char *word)
{
    if (lua_type(lua, 1) != LUA_TTABLE)
        luaL_error(lua, "%s takes a table: %s { ... }", word, word);
}

/* -- listen ------------------------------------------------------------------------------------ */

static int parse_port(const char *text, uint16_t *out_port)
{
    char *end;
    errno = 0;
    unsigned long port = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || port > UINT16_MAX)
        return E_INVALID;
    *out_port = (uint16_t)port;
    return 0;
}

int settings_listen(struct settings *settings, const char *address, struct err *err)
{
    const char *colon = strrchr(address, ':');
    const char *host = address, *host_end = colon != NULL ? colon : address;
    uint16_t port;
    if (host[0] == '[' && host_end > host && host_end[-1] == ']') {
        host++;
        host_end--;
    }
    size_t size = (size_t)(host_end - host);
    bool has_colon = memchr(host, ':', size) != NULL;
    if (parse_port(colon != NULL ? colon + 1 : address, &port) != 0 ||
        (has_colon && host == address))
        return err_set(err, E_INVALID,
                       "listen: \"%.100s\" is no address: write HOST:PORT, as 127.0.0.1:8077 or "
                       "[::1]:8077",
                       address);
    settings->port = port;
    settings->host = HOST_DEFAULT;
    if (size != 0)
        settings->host = arena_text(&settings->arena, (struct text){ host, (uint32_t)size }).data;
    return 0;
}

static int refuse_field(lua_State *lua, const char *word, const char *name,
                        const struct script_field fields[])
{
    const char *names[SCRIPT_FIELDS_MAX + 1];
    struct buf *scratch = &settings_of(lua)->scratch;
    buf_clear(scratch);
    script_field_names(fields, names);
    explain_choice(name, names, scratch);
    return luaL_error(lua, "%s knows no \"%s\"%s", word, name, buf_string(scratch));
}

void settings_check_fields(lua_State *lua, const char *word, const struct script_field fields[])
{
    lua_pushnil(lua);
    while (lua_next(lua, 1) != 0) {
        lua_pop(lua, 1);
        const char *name = lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : NULL;
        if (name != NULL && script_field_find(fields, text_of(name)) == SIZE_MAX)
            refuse_field(lua, word, name, fields);
        if (name == NULL && lua_tointeger(lua, -1) != 1)
            luaL_error(lua, "%s takes one address", word);
    }
}

int setting_listen(lua_State *lua)
{
    struct settings *settings = declare_once(lua, WORD_LISTEN, "listen");
    struct err err;
    if (lua_type(lua, 1) == LUA_TTABLE) {
        settings_check_fields(lua, "listen", listen_fields);
        lua_getfield(lua, 1, "cert");
        lua_getfield(lua, 1, "key");
        if (lua_isnil(lua, 2) != lua_isnil(lua, 3))
            return luaL_error(lua, "listen: cert and key belong together: give both or neither");
        if (!lua_isnil(lua, 2)) {
            settings->cert = settings_path(lua, 2, settings, "cert");
            settings->key = settings_path(lua, 3, settings, "key");
        }
        lua_rawgeti(lua, 1, 1);
        lua_replace(lua, 1);
    }
    if (settings_listen(settings, settings_text(lua, 1, settings, "listen"), &err) != 0)
        return raise(lua, &err);
    return 0;
}

/* -- Paths and names --------------------------------------------------------------------------- */

int setting_data(lua_State *lua)
{
    struct settings *settings = declare_once(lua, WORD_DATA, "data");
    settings->data = settings_path(lua, 1, settings, "data");
    return 0;
}

int setting_scripts(lua_State *lua)
{
    struct settings *settings = declare_once(lua, WORD_SCRIPTS, "scripts");
    settings->scripts = settings_path(lua, 1, settings, "scripts");
    return 0;
}

int setting_url(lua_State *lua)
{
    struct settings *settings = declare_once(lua, WORD_URL, "url");
    const char *url = settings_text(lua, 1, settings, "url");
    size_t size = strlen(url);
    const char *rest = strncmp(url, "https://", 8) == 0  ? url + 8
                       : strncmp(url, "http://", 7) == 0 ? url + 7
                                                         : "";
    if (rest[0] == '\0' || rest[0] == '/' || strpbrk(url, " ?#\"<>") != NULL)
        return luaL_error(lua, "url: the public address is needed, as https://crm.example.com");
    while (url[size - 1] == '/')
        size--;
    settings->url = arena_text(&settings->arena, (struct text){ url, (uint32_t)size }).data;
    return 0;
}

int setting_zone(lua_State *lua)
{
    struct settings *settings = declare_once(lua, WORD_ZONE, "zone");
    const char *name = settings_text(lua, 1, settings, "zone");
    const struct zone *zone;
    struct err err;
    if (zone_open(name, &zone, &err) != 0)
        return raise(lua, &err);
    settings->zone = name;
    return 0;
}

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

int setting_country(lua_State *lua)
{
    struct settings *settings = declare_once(lua, WORD_COUNTRY, "country");
    const char *name = settings_text(lua, 1, settings, "country");
    if (!is_capital(name[0]) || !is_capital(name[1]) || name[2] != '\0')
        return luaL_error(lua, "country: two capital letters are needed, as \"DE\"");
    settings->country = name;
    return 0;
}

int setting_locale(lua_State *lua)
{
    struct settings *settings = declare_once(lua, WORD_LOCALE, "locale");
    const char *tag = settings_text(lua, 1, settings, "locale");
    if (!locale_is_tag(text_of(tag)))
        return luaL_error(lua, "locale: a language is needed, as \"de\" or \"en-GB\"");
    settings->locale = tag;
    return 0;
}

int setting_fallback(lua_State *lua)
{
    struct settings *settings = declare_once(lua, WORD_FALLBACK, "fallback");
    const char *name = settings_text(lua, 1, settings, "fallback");
    if (strlen(name) >= CONFIG_NAME_MAX)
        return luaL_error(lua, "fallback: a name has at most %d bytes", CONFIG_NAME_MAX - 1);
    settings->fallback = name;
    return 0;
}

/* -- channel ----------------------------------------------------------------------------------- */

/* The table that follows `channel "log"`, at 1. */
static int log_fields(lua_State *lua)
{
    struct settings *settings = settings_of(lua);
    settings->awaits_channel = 0;
    check_table(lua, "channel \"log\"");
    settings_check_fields(lua, "channel \"log\"", log_channel_fields);
    lua_getfield(lua, 1, "file");
    if (!lua_isnil(lua, -1))
        settings->log_file = settings_path(lua, -1, settings, "file");
    return 0;
}

/* secret "FILE": a value that is in a file, so that this one can be shown. */
int setting_secret(lua_State *lua)
{
    const char *path = settings_path(lua, 1, settings_of(lua), "secret");
    lua_createtable(lua, 0, 1);
    lua_pushstring(lua, path);
    lua_setfield(lua, -2, "secret_file");
    return 1;
}

/* Of the file that is running. */
static int line_of(lua_State *lua)
{
    lua_Debug frame = { .currentline = 0 };
    for (int level = 1; frame.currentline <= 0 && lua_getstack(lua, level, &frame); level++)
        lua_getinfo(lua, "l", &frame);
    return frame.currentline;
}

/* Whoever writes another name wrote a webhook, once, or means what some plugin brings. */
static int refuse_channel(lua_State *lua, const char *name)
{
    return luaL_error(
        lua,
        "channel \"%s\": all but \"log\" are plugins'; a webhook is plugin \"webhook\" "
        "{ grant = { \"append\", \"channel\", \"fetch\", \"fetch-private\", \"routes\" }, "
        "config = { receivers = { NAME = { url = \"https://...\", secret = secret "
        "\"FILE\" } } } }: docs/webhooks.md",
        name);
}

int setting_channel(lua_State *lua)
{
    struct settings *settings = settings_of(lua);
    const char *name = settings_text(lua, 1, settings, "the channel's name");
    if (strcmp(name, "log") != 0)
        return refuse_channel(lua, name);
    declare_once(lua, WORD_CHANNEL_LOG, "channel \"log\"");
    if (lua_gettop(lua) > 1) { /* channel("log", { ... }) */
        lua_remove(lua, 1);
        return log_fields(lua);
    }
    settings->awaits_channel = line_of(lua);
    lua_pushlightuserdata(lua, settings);
    lua_pushcclosure(lua, log_fields, 1);
    return 1;
}

/* -- Parts of the config ----------------------------------------------------------------------- */

struct doc settings_table(lua_State *lua, struct settings *settings, const char *word)
{
    struct doc_value value;
    struct err err;
    check_table(lua, word);
    if (convert_from_lua(lua, 1, &settings->arena, &settings->scratch, &value, &err) != 0)
        luaL_error(lua, "%s: %s", word, err.text);
    return value.doc;
}

/* The engine's own reader decides whether this part of a config is good. */
static void check_config(lua_State *lua, struct settings *settings)
{
    struct config config;
    struct err err;
    settings_finish(settings);
    if (config_read(&config, settings->config, &err) != 0)
        raise(lua, &err);
}

int setting_limits(lua_State *lua)
{
    struct settings *settings = declare_once(lua, WORD_LIMITS, "limits");
    settings->limits = settings_table(lua, settings, "limits");
    for (struct doc_iter it = doc_iter(settings->limits); doc_next(&it);)
        if (it.value.type != DOC_INT64)
            return luaL_error(lua, "limits: %s must be a whole number", it.name.data);
    check_config(lua, settings);
    return 0;
}

int setting_blocked(lua_State *lua)
{
    struct settings *settings = declare_once(lua, WORD_BLOCKED, "blocked");
    settings->blocked = settings_table(lua, settings, "blocked");
    for (struct doc_iter it = doc_iter(settings->blocked); doc_next(&it);)
        if (it.value.type != DOC_TEXT || lua_rawlen(lua, 1) != doc_count(settings->blocked))
            return luaL_error(lua, "blocked is a list of texts: blocked { \"guest\", \"0\" }");
    check_config(lua, settings);
    return 0;
}

/* -- quota ------------------------------------------------------------------------------------- */

/* "200 GB", "512MB": units of 1024. */
static bool parse_size(const char *text, size_t *out_bytes)
{
    static const char units[] = "KMGT";
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    bool is_number = text[0] >= '0' && text[0] <= '9' && errno == 0 && value != 0;
    end += strspn(end, " ");
    const char *unit = *end != '\0' ? strchr(units, *end) : NULL;
    if (!is_number || unit == NULL || strcmp(end + 1, "B") != 0)
        return false;
    unsigned shift = 10 * (unsigned)(unit - units + 1);
    *out_bytes = (size_t)value << shift;
    return (*out_bytes >> shift) == value && *out_bytes <= QUOTA_MOST;
}

static size_t quota_field(lua_State *lua, const char *name)
{
    size_t bytes = 0;
    lua_getfield(lua, 1, name);
    if (!lua_isnil(lua, -1)) {
        const char *text = settings_text(lua, -1, settings_of(lua), name);
        if (!parse_size(text, &bytes) || bytes < QUOTA_LEAST)
            luaL_error(lua, "quota: %s is a size from \"1 MB\" to \"256 GB\", not \"%s\"", name,
                       text);
    }
    lua_pop(lua, 1);
    return bytes;
}

int setting_quota(lua_State *lua)
{
    struct settings *settings = declare_once(lua, WORD_QUOTA, "quota");
    check_table(lua, "quota");
    settings_check_fields(lua, "quota", quota_fields);
    settings->log_quota_bytes = quota_field(lua, "log");
    settings->state_quota_bytes = quota_field(lua, "state");
    return 0;
}

/* -- rate -------------------------------------------------------------------------------------- */

static void check_rate_fields(lua_State *lua)
{
    const lua_Integer most = RATE_COUNT_MAX;
    check_table(lua, "rate");
    settings_check_fields(lua, "rate", rate_fields);
    lua_getfield(lua, 1, "burst");
    bool is_count =
        lua_isinteger(lua, -1) && lua_tointeger(lua, -1) >= 1 && lua_tointeger(lua, -1) <= most;
    if (!lua_isnil(lua, -1) && !is_count)
        luaL_error(lua, "rate: burst is a whole number from 1 to %I", most);
}

/* rate "600/min", or rate { "600/min", burst = 1000 } */
int setting_rate(lua_State *lua)
{
    struct settings *settings = declare_once(lua, WORD_RATE, "rate");
    lua_Integer burst = 0;
    struct err err;
    if (lua_type(lua, 1) != LUA_TSTRING) {
        check_rate_fields(lua);
        burst = lua_tointeger(lua, -1);
        lua_rawgeti(lua, 1, 1);
        lua_replace(lua, 1);
    }
    const char *text = settings_text(lua, 1, settings, "rate");
    if (rate_parse(text, strlen(text), &settings->rate, &err) != 0)
        return luaL_error(lua, "rate: %s", err.text);
    if (burst != 0)
        settings->rate.burst = (uint32_t)burst;
    return 0;
}

void settings_finish(struct settings *settings)
{
    struct doc_writer w;
    buf_clear(&settings->scratch);
    doc_begin(&w, &settings->scratch);
    doc_put_string(&w, "zone", settings->zone);
    if (settings->country != NULL)
        doc_put_string(&w, "country", settings->country);
    if (settings->locale != NULL)
        doc_put_string(&w, "locale", settings->locale);
    if (settings->fallback != NULL)
        doc_put_string(&w, "fallback", settings->fallback);
    doc_open(&w, "channels");
    doc_open(&w, "log");
    doc_put_bool(&w, "address", false);
    doc_put_bool(&w, "idempotent", false);
    doc_close(&w);
    for (struct doc_iter it = doc_iter(settings->plugin_channels); doc_next(&it);)
        doc_put_value_text(&w, it.name, &it.value);
    doc_close(&w);
    if (settings->plugin_worlds.data != NULL)
        doc_put_doc(&w, "plugins", settings->plugin_worlds);
    if (settings->blocked.data != NULL)
        doc_put_array(&w, "blocked", settings->blocked);
    if (settings->limits.data != NULL)
        doc_put_doc(&w, "limits", settings->limits);
    settings->config = arena_doc(&settings->arena, doc_end(&w));
}

/* -- The file ---------------------------------------------------------------------------------- */

void settings_init(struct settings *settings)
{
    *settings = (struct settings){ .host = HOST_DEFAULT, .port = PORT_DEFAULT, .zone = "UTC" };
}

void settings_deinit(struct settings *settings)
{
    arena_deinit(&settings->arena);
    buf_deinit(&settings->scratch);
    *settings = (struct settings){ 0 };
}

static int read_file(const char *path, struct buf *out, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd >= 0 ? 1 : -1;
    while (size > 0 && out->size <= SETTINGS_BYTES_MAX) {
        size = read(fd, buf_reserve(out, 16384), 16384);
        out->size += size > 0 ? (size_t)size : 0;
    }
    int code = errno;
    if (fd >= 0)
        close(fd);
    if (size < 0)
        return err_set(err, E_IO, "cannot read %s: %s", path, strerror(code));
    if (out->size > SETTINGS_BYTES_MAX)
        return err_set(err, E_LIMIT, "%s: more than %u KiB", path, SETTINGS_BYTES_MAX >> 10);
    return 0;
}

static int explain_failure(struct settings *settings, int rc, struct err *err)
{
    const char *names[WORDS_MAX + 1] = { NULL };
    const char *const none[] = { NULL };
    struct explain_context context = { names, none, none, false };
    size_t count = 0;
    for (const struct script_word *word = settings_words; word->name != NULL; word++) {
        ASSERT(count < WORDS_MAX);
        if (word->call != NULL)
            names[count++] = word->name;
    }
    explain_err(&context, &settings->scratch, err);
    return rc;
}

static int run_file(struct settings *settings, const char *path, const struct buf *text,
                    struct err *err)
{
    struct sandbox *sandbox = sandbox_new(NULL);
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    for (const struct script_word *word = settings_words; word->name != NULL; word++) {
        if (word->call == NULL)
            continue;
        lua_pushlightuserdata(sandbox_state(sandbox), settings);
        sandbox_add_function(sandbox, word->name, word->call, 1);
    }
    int rc = sandbox_load(sandbox, name, (const char *)text->data, text->size, err);
    sandbox_free(sandbox);
    if (rc != 0)
        return explain_failure(settings, rc, err);
    if (settings->awaits_channel != 0)
        return err_set(err, E_INVALID,
                       "%s:%d: channel \"log\" sets nothing: a table must follow, { file = "
                       "\"...\" }",
                       name, settings->awaits_channel);
    return 0;
}

int settings_load(struct settings *settings, const char *path, struct err *err)
{
    struct buf text = BUF_INIT;
    const char *slash = strrchr(path, '/');
    settings->folder = slash == NULL ? "." : slash == path ? "" : NULL;
    if (settings->folder == NULL)
        settings->folder =
            arena_text(&settings->arena, (struct text){ path, (uint32_t)(slash - path) }).data;
    int rc = read_file(path, &text, err);
    if (rc == 0)
        rc = run_file(settings, path, &text, err);
    buf_deinit(&text);
    return rc;
}
