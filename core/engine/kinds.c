/* kinds.c -- the kinds in force: what plugins and rules declare, in one list of names. */
#include "core/base/err.h"
#include "core/engine/kind.h"
#include "core/engine/plugins.h"
#include "core/engine/rules.h"

#include <stdio.h>
#include <string.h>

#define BUNDLE SIZE_MAX /* in the place of a plugin: the rules declare it */
#define WHO_BYTES 64    /* a plugin's name has at most 31 */

static void name_declarer(const struct plugins *plugins, size_t owner, char out[WHO_BYTES])
{
    if (owner == BUNDLE)
        snprintf(out, WHO_BYTES, "the bundle");
    else
        snprintf(out, WHO_BYTES, "plugin %.*s", (int)plugins->names[owner].size,
                 plugins->names[owner].data);
}

/* Who has it; those of plugins are added first, and in their order. */
static size_t owner_of(const struct kinds *kinds, const struct plugins *plugins, struct text name)
{
    for (size_t i = 0; plugins != NULL && i < plugins->kind_count && i < kinds->count; i++)
        if (text_equal(kinds->items[i]->name, name))
            return plugins->kind_owners[i];
    return BUNDLE;
}

/* Events that begin with a plugin's name are the plugin's to say, those of a kind are Kith's. */
static bool is_other_plugin(const struct plugins *plugins, size_t owner, struct text name)
{
    for (size_t i = 0; plugins != NULL && i < plugins->count; i++)
        if (i != owner && text_equal(plugins->names[i], name))
            return true;
    return false;
}

static int add(struct kinds *kinds, const struct plugins *plugins, const struct kind *kind,
               size_t owner, struct err *err)
{
    char who[WHO_BYTES], other[WHO_BYTES];
    name_declarer(plugins, owner, who);
    if (is_other_plugin(plugins, owner, kind->name))
        return err_set(err, E_CONFLICT,
                       "%s declares the kind \"%s\", which is the name of a plugin: call it "
                       "otherwise",
                       who, kind->name.data);
    if (kinds_find(kinds, kind->name) != NULL) {
        name_declarer(plugins, owner_of(kinds, plugins, kind->name), other);
        return err_set(err, E_CONFLICT,
                       "%s declares the kind \"%s\", and so does %s: one of them must call it "
                       "otherwise",
                       who, kind->name.data, other);
    }
    if (kinds->count == KINDS_MAX)
        return err_set(err, E_LIMIT,
                       "%s declares the kind \"%s\", and at most %d are in force at once", who,
                       kind->name.data, KINDS_MAX);
    kinds->items[kinds->count++] = kind;
    return 0;
}

int kinds_in_force(const struct plugins *plugins, const struct ruleset *rules, struct kinds *out,
                   struct err *err)
{
    int rc = 0;
    out->count = 0;
    for (size_t i = 0; rc == 0 && plugins != NULL && i < plugins->kind_count; i++)
        rc = add(out, plugins, &plugins->kinds[i], plugins->kind_owners[i], err);
    for (size_t i = 0; rc == 0 && rules != NULL && i < rules->kind_count; i++)
        rc = add(out, plugins, &rules->kinds[i], BUNDLE, err);
    return rc;
}
