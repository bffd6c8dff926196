/* settings_inside.h -- what settings.c and its table of words share; nobody else includes this. */
#ifndef CORE_SCRIPT_SETTINGS_INSIDE_H
#define CORE_SCRIPT_SETTINGS_INSIDE_H

#include "core/script/vocabulary.h"

struct settings;

/* settings.c: for all files of words.  They raise, in words for the operator; what they give lives
 * as long as the settings. */
struct settings *settings_of(struct lua_State *lua); /* upvalue 1 of every word */
const char *settings_text(struct lua_State *lua, int index, struct settings *settings,
                          const char *what);
const char *settings_path(struct lua_State *lua, int index, struct settings *settings,
                          const char *what);
struct doc settings_table(struct lua_State *lua, struct settings *settings, const char *word);
void settings_check_fields(struct lua_State *lua, const char *word,
                           const struct script_field fields[]);

/* What each word does: settings.c, settings_plugin.c. */
int setting_blocked(struct lua_State *lua);
int setting_channel(struct lua_State *lua);
int setting_country(struct lua_State *lua);
int setting_data(struct lua_State *lua);
int setting_fallback(struct lua_State *lua);
int setting_limits(struct lua_State *lua);
int setting_listen(struct lua_State *lua);
int setting_locale(struct lua_State *lua);
int setting_plugin(struct lua_State *lua);
int setting_plugins(struct lua_State *lua);
int setting_quota(struct lua_State *lua);
int setting_rate(struct lua_State *lua);
int setting_scripts(struct lua_State *lua);
int setting_secret(struct lua_State *lua);
int setting_url(struct lua_State *lua);
int setting_zone(struct lua_State *lua);

/* settings_words.c: the fields of their tables. */
extern const struct script_field listen_fields[], log_channel_fields[];
extern const struct script_field plugin_fields[], quota_fields[], rate_fields[];

#endif
