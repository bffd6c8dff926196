/* kind.c -- finding things in kinds, and kinds in force; see kind.h. */
#include "core/engine/kind.h"

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/base/near.h"

#include <string.h>

#define LIST_BYTES_MAX 120 /* of names in a reason */

static const struct text *name_at(const struct text *names, size_t stride, size_t i)
{
    return (const struct text *)(const void *)((const char *)names + i * stride);
}

static size_t find(const void *items, size_t count, size_t stride, struct text name)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal(*name_at(items, stride, i), name))
            return i;
    return KIND_NONE;
}

size_t kind_field_find(const struct kind *kind, struct text name)
{
    return find(kind->fields, kind->field_count, sizeof *kind->fields, name);
}

size_t kind_state_find(const struct kind *kind, struct text name)
{
    return find(kind->states, kind->state_count, sizeof *kind->states, name);
}

size_t kind_role_find(const struct kind *kind, struct text name)
{
    return find(kind->roles, kind->role_count, sizeof *kind->roles, name);
}

size_t kind_transition_find(const struct kind *kind, struct text name)
{
    return find(kind->transitions, kind->transition_count, sizeof *kind->transitions, name);
}

size_t kind_deadline_find(const struct kind *kind, struct text name)
{
    return find(kind->deadlines, kind->deadline_count, sizeof *kind->deadlines, name);
}

size_t kind_subject(const struct kind *kind)
{
    for (size_t i = 0; i < kind->role_count; i++)
        if (kind->roles[i].is_subject)
            return i;
    return KIND_NONE;
}

const char *kind_type_name(enum kind_type type)
{
    static const char *const names[] = {
        [KIND_TEXT] = "text",   [KIND_NUMBER] = "number", [KIND_WHOLE] = "whole",
        [KIND_MONEY] = "money", [KIND_DATE] = "date",     [KIND_TIME] = "time",
        [KIND_FLAG] = "flag",   [KIND_CHOICE] = "choice", [KIND_CUSTOMER] = "customer",
        [KIND_STAFF] = "staff", [KIND_RECORD] = "record", [KIND_LIST] = "list",
    };
    return names[type];
}

/* -- Words of reasons ----------------------------------------------------- */

/* False: there is no room for more. */
static bool add_name(struct buf *list, struct text name)
{
    if (list->size + name.size + 2 > LIST_BYTES_MAX) {
        buf_text(list, " ...");
        return false;
    }
    buf_printf(list, "%s%.*s", list->size != 0 ? ", " : "", (int)name.size, name.data);
    return true;
}

static struct text taken(struct buf *list, struct arena *arena)
{
    struct text text = arena_text(arena, (struct text){ buf_string(list), (uint32_t)list->size });
    buf_deinit(list);
    return text;
}

struct text kind_states_text(const struct kind *kind, uint64_t states, struct arena *arena)
{
    struct buf list = BUF_INIT;
    bool has_room = true;
    for (size_t i = 0; has_room && i < kind->state_count; i++)
        if (kind_is_in(states, i))
            has_room = add_name(&list, kind->states[i].name);
    return taken(&list, arena);
}

struct text kind_meant(struct text given, const struct text *names, size_t count, size_t stride,
                       struct arena *arena)
{
    size_t least = SIZE_MAX;
    const char *near = "", *written = arena_text(arena, given).data;
    struct buf list = BUF_INIT;
    bool has_room = true;
    for (size_t i = 0; i < count; i++) {
        struct text name = arena_text(arena, *name_at(names, stride, i));
        size_t distance = near_distance(written, name.data);
        near = distance < least ? name.data : near;
        least = distance < least ? distance : least;
    }
    if (count != 0 && near_is_likely(least, written))
        return arena_printf(arena, "did you mean \"%s\"?", near);
    for (size_t i = 0; has_room && i < count; i++)
        has_room = add_name(&list, *name_at(names, stride, i));
    struct text all = taken(&list, arena);
    return arena_printf(arena, count != 0 ? "there are: %s" : "there is none%s", all.data);
}

bool kind_is_happening(struct text word)
{
    static const char *const words[] = { "created",     "changed", "assigned", "linked",
                                         "unlinked",    "overdue", "met",      "missed",
                                         "rescheduled", "noted" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text_is(word, words[i]))
            return true;
    return false;
}

/* -- Those in force -------------------------------------------------------- */

const struct kind *kinds_find(const struct kinds *kinds, struct text name)
{
    for (size_t i = 0; i < kinds->count; i++)
        if (text_equal(kinds->items[i]->name, name))
            return kinds->items[i];
    return NULL;
}

bool kinds_own_type(const struct kinds *kinds, struct text type)
{
    const char *dot = type.size != 0 ? memchr(type.data, '.', type.size) : NULL;
    if (dot == NULL)
        return false;
    return kinds_find(kinds, (struct text){ type.data, (uint32_t)(dot - type.data) }) != NULL;
}
