/* rule_index.c -- a sorted table of types, each with its rules; see rule_index.h.
 *
 * The lists already contain the rules on every event ("*"), in the order of the
 * bundle, so that a look-up is one binary search and no merging.
 */
#include "core/engine/rule_index.h"

#include "core/base/mem.h"
#include "core/engine/rules.h"

#include <stdlib.h>

struct slot {
    struct text type;
    size_t *items;
    size_t count;
};

struct rule_index {
    struct slot *slots; /* sorted by type */
    size_t count;
    struct slot every; /* types that no rule names */
};

static bool is_triggered(const struct rule *rule, const struct text *type)
{
    if (rule->trigger != RULE_ON_TYPES)
        return type != NULL && text_is(*type, "schedule.due");
    if (rule->type_count == 0)
        return true;
    for (size_t i = 0; type != NULL && i < rule->type_count; i++)
        if (text_equal(rule->types[i], *type))
            return true;
    return false;
}

static void fill(struct slot *slot, const struct rule *rules, size_t count, const struct text *type)
{
    slot->items = mem_alloc(count * sizeof *slot->items);
    for (size_t i = 0; i < count; i++)
        if (is_triggered(&rules[i], type))
            slot->items[slot->count++] = i;
}

static int compare(const void *a, const void *b)
{
    return text_compare(((const struct slot *)a)->type, ((const struct slot *)b)->type);
}

struct rule_index *rule_index_new(const struct rule *rules, size_t rule_count)
{
    struct rule_index *index = mem_zero(sizeof *index);
    size_t most = 1;
    for (size_t i = 0; i < rule_count; i++)
        most += rules[i].type_count;
    struct slot *slots = mem_zero(most * sizeof *slots);
    size_t count = 0;
    slots[count++].type = text_of("schedule.due");
    for (size_t i = 0; i < rule_count; i++)
        for (size_t j = 0; j < rules[i].type_count; j++)
            slots[count++].type = rules[i].types[j];
    qsort(slots, count, sizeof *slots, compare);
    for (size_t i = 0; i < count; i++)
        if (index->count == 0 || compare(&slots[index->count - 1], &slots[i]) != 0)
            slots[index->count++] = slots[i];
    index->slots = slots;
    for (size_t i = 0; i < index->count; i++)
        fill(&slots[i], rules, rule_count, &slots[i].type);
    fill(&index->every, rules, rule_count, NULL);
    return index;
}

void rule_index_free(struct rule_index *index)
{
    if (index == NULL)
        return;
    for (size_t i = 0; i < index->count; i++)
        free(index->slots[i].items);
    free(index->slots);
    free(index->every.items);
    free(index);
}

struct rule_list rule_index_find(const struct rule_index *index, struct text type)
{
    struct slot wanted = { .type = type };
    const struct slot *slot = bsearch(&wanted, index->slots, index->count, sizeof wanted, compare);
    if (slot == NULL)
        slot = &index->every;
    return (struct rule_list){ slot->items, slot->count };
}
