/* history.c -- see history.h.
 *
 * One table: how often, through which door, who writes it.  Values are chosen so that rare
 * paths are taken often: few customers, few identities, short lists of names.
 */
#include "tests/bench/history.h"

#include "core/base/doc.h"
#include "core/base/mem.h"
#include "tests/sim/dice.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

struct turn { /* one entry being written */
    const struct history *history;
    size_t index;
    int64_t now;
    struct doc_writer *w;
};

/* Choice `aspect` of this entry, from 0 to below `below`. */
static uint64_t pick(const struct turn *turn, uint64_t aspect, uint64_t below)
{
    return dice_roll(turn->history->seed, turn->index, aspect) % below;
}

static double fraction(const struct turn *turn, uint64_t aspect)
{
    return (double)pick(turn, aspect, 1000003) / 1000003.0;
}

__attribute__((format(printf, 3, 4))) static void put(const struct turn *turn, const char *name,
                                                      const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    doc_put_string(turn->w, name, text);
}

static size_t user(const struct turn *turn, uint64_t aspect)
{
    double one = fraction(turn, aspect);
    return (size_t)((double)turn->history->users * one * one * one);
}

static const char *const pages[] = { "home",
                                     "cart",
                                     "stop",
                                     "caf\xc3\xa9",
                                     "\xe4\xb8\xad\xe6\x96\x87",
                                     "a much longer name of a page, with / and ? in it" };
static const char *const channels[] = { "sms", "hook", "mail", "none" };
static const char *const purposes[] = { "service", "news", "tips", "undeclared" };
static const char *const people[] = { "anna", "bert", "team", "owner", "nobody" };

#define PUT_ONE_OF(turn, name, list, aspect) \
    doc_put_string((turn)->w, name, (list)[pick(turn, aspect, COUNT_OF(list))])

/* -- What clients send -------------------------------------------------------------------- */

static void put_customer(const struct turn *turn)
{
    if (pick(turn, 10, 8) != 0)
        put(turn, "user", "u-%zu", user(turn, 11));
    if (pick(turn, 12, 4) == 0)
        put(turn, "anon", "a-%zu", user(turn, 13));
}

static void put_items(const struct turn *turn)
{
    doc_open_array(turn->w, "items");
    for (uint64_t i = pick(turn, 20, 4); i > 0; i--) {
        doc_open(turn->w, "");
        put(turn, "sku", "%c-%d", (int)('a' + pick(turn, 20 + i, 9)), (int)i);
        doc_put_double(turn->w, "price", fraction(turn, 30 + i) * 100);
        doc_put_int(turn->w, "quantity", (int64_t)i);
        doc_close(turn->w);
    }
    doc_close(turn->w);
}

static void put_track(const struct turn *turn, const char *type)
{
    doc_put_string(turn->w, "type", type);
    doc_put_string(turn->w, "call", "track");
    put_customer(turn);
}

static void order(const struct turn *turn)
{
    put_track(turn, pick(turn, 40, 10) != 0 ? "Order Completed" : "Order Refunded");
    doc_open(turn->w, "data");
    if (pick(turn, 41, 50) != 0)
        doc_put_double(turn->w, "total", fraction(turn, 42) * 1000);
    else
        doc_put_string(turn->w, "total", "much");
    put_items(turn);
    doc_close(turn->w);
}

static void visit(const struct turn *turn)
{
    put_track(turn, "Visit");
    doc_open(turn->w, "data");
    PUT_ONE_OF(turn, "page", pages, 43);
    doc_put_double(turn->w, "weight", fraction(turn, 44));
    if (pick(turn, 45, 3) == 0)
        put(turn, "shared", "user_id:u-%zu", user(turn, 46));
    doc_close(turn->w);
}

static void identify(const struct turn *turn)
{
    static const char *const zones[] = { "Europe/Berlin", "Asia/Shanghai", "America/New_York",
                                         "No/Where" };
    doc_put_string(turn->w, "type", "identify");
    doc_put_string(turn->w, "call", "identify");
    put_customer(turn);
    doc_open(turn->w, "data");
    if (pick(turn, 50, 2) == 0)
        put(turn, "email", "U%zu@Example.%s", user(turn, 51), pick(turn, 52, 9) != 0 ? "com" : "");
    if (pick(turn, 53, 2) == 0)
        put(turn, "phone", "+49 30 %zu", 1000000 + user(turn, 54));
    if (pick(turn, 55, 3) == 0)
        PUT_ONE_OF(turn, "timezone", zones, 56);
    put(turn, "birthday", "19%02d-%02d-%02d", (int)pick(turn, 57, 90) + 10,
        (int)pick(turn, 58, 12) + 1, (int)pick(turn, 59, 29) + 1);
    if (pick(turn, 60, 4) == 0)
        put(turn, "contract_end", "2026-%02d-%02d", (int)pick(turn, 61, 12) + 1,
            (int)pick(turn, 62, 30) + 1);
    if (pick(turn, 63, 20) == 0)
        doc_put_int(turn->w, "id", 7); /* the system's */
    put(turn, "name", "%s %zu", pages[pick(turn, 64, COUNT_OF(pages))], turn->index);
    doc_close(turn->w);
}

static void group(const struct turn *turn)
{
    doc_put_string(turn->w, "type", "group");
    doc_put_string(turn->w, "call", "group");
    put_customer(turn);
    doc_open(turn->w, "data");
    put(turn, "groupId", "g-%d", (int)pick(turn, 70, 20));
    doc_open(turn->w, "traits");
    doc_put_double(turn->w, "size", fraction(turn, 71));
    doc_close(turn->w);
    doc_close(turn->w);
}

static void alias(const struct turn *turn)
{
    doc_put_string(turn->w, "type", "alias");
    doc_put_string(turn->w, "call", "alias");
    put(turn, "user", "u-%zu", user(turn, 72));
    doc_open(turn->w, "data");
    put(turn, "previousId", pick(turn, 73, 4) != 0 ? "a-%zu" : "u-%zu", user(turn, 74));
    doc_close(turn->w);
}

static void forged(const struct turn *turn)
{
    put_track(turn, pick(turn, 75, 2) != 0 ? "reminder.due" : "effect.claim");
    doc_open(turn->w, "data");
    doc_put_int(turn->w, "task", (int64_t)pick(turn, 76, 100));
    doc_close(turn->w);
}

static void endless(const struct turn *turn)
{
    put_track(turn, "Endless");
}

static void large(const struct turn *turn)
{
    char text[4000];
    size_t size = pick(turn, 77, sizeof text);
    for (size_t i = 0; i < size; i++)
        text[i] = (char)('!' + dice_roll(turn->index, i, 78) % 90);
    put_track(turn, pages[pick(turn, 79, COUNT_OF(pages))]);
    doc_open(turn->w, "data");
    doc_put_text(turn->w, "text", (struct text){ text, (uint32_t)size });
    doc_close(turn->w);
}

/* -- What staff does ------------------------------------------------------------------------- */

static void put_command(const struct turn *turn, const char *type)
{
    doc_put_string(turn->w, "type", type);
    put(turn, "ref", "user_id:u-%zu", user(turn, 80));
    doc_open(turn->w, "data");
}

static void consent(const struct turn *turn)
{
    static const char *const states[] = { "granted", "withdrawn", "pending", "maybe" };
    put_command(turn, "consent.changed");
    PUT_ONE_OF(turn, "purpose", purposes, 81);
    PUT_ONE_OF(turn, "channel", channels, 82);
    PUT_ONE_OF(turn, "state", states, 83);
    doc_close(turn->w);
}

static void merge(const struct turn *turn)
{
    bool is_merge = pick(turn, 84, 3) != 0;
    put_command(turn, is_merge ? "customer.merge" : "customer.unmerge");
    put(turn, "absorbed", "user_id:u-%zu", user(turn, 85));
    doc_close(turn->w);
}

static void reminder_set(const struct turn *turn)
{
    put_command(turn, "reminder.set");
    put(turn, "title", "task %zu", turn->index);
    PUT_ONE_OF(turn, "to", people, 86);
    doc_put_int(turn->w, "due", turn->now + (int64_t)pick(turn, 87, 86400000));
    doc_close(turn->w);
}

static void reminder_end(const struct turn *turn)
{
    bool is_done = pick(turn, 88, 2) != 0;
    put_command(turn, is_done ? "reminder.done" : "reminder.snooze");
    doc_put_int(turn->w, "task", (int64_t)pick(turn, 89, 1 + turn->index / 10));
    doc_put_int(turn->w, is_done ? "next" : "due", turn->now + (int64_t)pick(turn, 90, 86400000));
    doc_put_string(turn->w, "outcome", "reached");
    doc_close(turn->w);
}

static void person(const struct turn *turn)
{
    put_command(turn, "staff.set");
    PUT_ONE_OF(turn, "name", people, 91);
    PUT_ONE_OF(turn, "deputy", people, 92);
    doc_open_array(turn->w, "absences");
    doc_open(turn->w, "");
    doc_put_int(turn->w, "from", turn->now);
    doc_put_int(turn->w, "until", turn->now + (int64_t)pick(turn, 93, 86400000));
    doc_close(turn->w);
    doc_close(turn->w);
    doc_close(turn->w);
}

static void small_changes(const struct turn *turn)
{
    static const char *const types[] = { "tag.changed",     "owner.changed",
                                         "role.changed",    "relation.changed",
                                         "address.changed", "suppression.changed" };
    static const char *const roles[] = { "lead", "dealer", "emperor" };
    put_command(turn, types[pick(turn, 94, COUNT_OF(types))]);
    PUT_ONE_OF(turn, "tag", pages, 95);
    PUT_ONE_OF(turn, "owner", people, 96);
    PUT_ONE_OF(turn, "role", roles, 97);
    PUT_ONE_OF(turn, "channel", channels, 98);
    put(turn, "value", "v-%d", (int)pick(turn, 99, 50));
    doc_put_string(turn->w, "type", "works at");
    put(turn, "other", "external:group:g-%d", (int)pick(turn, 100, 30));
    doc_put_bool(turn->w, "on", pick(turn, 101, 3) != 0);
    doc_close(turn->w);
}

static void effect_decision(const struct turn *turn)
{
    put_command(turn, pick(turn, 102, 2) != 0 ? "effect.release" : "effect.drop");
    put(turn, "id", "%zu.%d", 1 + (size_t)pick(turn, 103, turn->index + 1),
        (int)pick(turn, 104, 3) + 1);
    doc_close(turn->w);
}

/* -- The table -------------------------------------------------------------------------- */

static const struct kind {
    unsigned share; /* of 1000 */
    enum log_class class;
    void (*write)(const struct turn *turn);
} kinds[] = {
    { 470, LOG_CLIENT, order }, { 150, LOG_CLIENT, visit },       { 120, LOG_CLIENT, identify },
    { 20, LOG_CLIENT, group },  { 25, LOG_CLIENT, alias },        { 15, LOG_CLIENT, forged },
    { 1, LOG_CLIENT, endless }, { 39, LOG_CLIENT, large },        { 40, LOG_STAFF, consent },
    { 10, LOG_STAFF, merge },   { 30, LOG_STAFF, reminder_set },  { 30, LOG_STAFF, reminder_end },
    { 5, LOG_STAFF, person },   { 40, LOG_STAFF, small_changes }, { 5, LOG_STAFF, effect_decision },
};

void history_init(struct history *history, uint64_t seed, size_t count)
{
    *history = (struct history){ .seed = seed, .count = count, .users = 50 + count / 200 };
}

static const struct kind *kind_of(const struct history *history, size_t index)
{
    unsigned left = (unsigned)(dice_roll(history->seed, index, 1) % 1000);
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (left < kinds[i].share)
            return &kinds[i];
        left -= kinds[i].share;
    }
    return &kinds[0];
}

enum log_class history_class(const struct history *history, size_t index)
{
    return kind_of(history, index)->class;
}

void history_write(const struct history *history, size_t index, int64_t now, struct doc_writer *w)
{
    struct turn turn = { .history = history, .index = index, .now = now, .w = w };
    /* Some are second copies of an event that came a while ago. */
    size_t number = index > 100 && pick(&turn, 2, 50) == 0 ? index - pick(&turn, 3, 100) : index;
    put(&turn, "id", "e-%zu", number);
    doc_put_string(w, "source", pick(&turn, 4, 10) != 0 ? "web" : "shop");
    if (pick(&turn, 5, 3) == 0)
        doc_put_int(w, "at", now - (int64_t)pick(&turn, 6, 3600000));
    if (pick(&turn, 7, 200) == 0)
        doc_put_bool(w, "forever", true);
    if (pick(&turn, 8, 200) == 0)
        doc_put_bool(w, "historic", true);
    kind_of(history, index)->write(&turn);
}
