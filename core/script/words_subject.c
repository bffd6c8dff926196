/* words_subject.c -- shared subjects in scripts: pool and budget declare, ask wants something.
 *
 * What is declared is put down as a document, its terms, whose fields the kind of subject reads in
 * the engine (core/engine/pool.c, budget.c).  All that can be wrong with them is said here, at the
 * line that is wrong.
 */
#include "core/base/amount.h"
#include "core/base/duration.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/script/convert.h"
#include "core/script/host_inside.h"

#include <string.h>

/* -- Declaring ------------------------------------------------------------ */

static void add_subject(lua_State *lua, struct host *host, const char *kind, struct text name,
                        struct doc_writer *w)
{
    struct ruleset *rules = &host->rules;
    for (size_t i = 0; i < rules->subject_count; i++)
        if (text_is(rules->subjects[i].kind, kind) && text_equal(rules->subjects[i].name, name))
            luaL_error(lua, "a %s called \"%s\" is declared already", kind, name.data);
    if (rules->subject_count == SUBJECTS_MAX)
        luaL_error(lua, "a bundle declares at most %d pools and budgets", SUBJECTS_MAX);
    struct subject_plan plan = { text_of(kind), name, arena_doc(&host->arena, doc_end(w)) };
    size_t count = rules->subject_count + 1;
    rules->subjects = mem_resize(rules->subjects, count * sizeof plan);
    rules->subjects[count - 1] = plan;
    rules->subject_count = count;
}

static void begin(struct host *host, struct doc_writer *w)
{
    buf_clear(&host->scratch);
    doc_begin(w, &host->scratch);
}

/* A duration by the calendar or the clock, text as it was written. */
static struct text check_duration(lua_State *lua, struct host *host, const char *word,
                                  const char *field, struct duration *out_duration)
{
    struct text text = option_text(lua, 1, field, &host->arena);
    struct err err;
    if (text.size == 0)
        return text;
    if (duration_parse(text.data, text.size, out_duration, &err) != 0)
        luaL_error(lua, "%s: %s: %s", word, field, err.text);
    if (out_duration->count <= 0 || out_duration->unit == DURATION_WORKDAYS ||
        out_duration->unit == DURATION_WORKHOURS)
        luaL_error(lua,
                   "%s: %s is a duration like \"14d\" or \"1mo\", more than 0 and not in "
                   "working time",
                   word, field);
    return text;
}

static int64_t check_count(lua_State *lua, const char *word, const char *field)
{
    lua_getfield(lua, 1, field);
    if (!lua_isnil(lua, -1) && (!lua_isinteger(lua, -1) || lua_tointeger(lua, -1) < 0))
        luaL_error(lua, "%s: %s is a whole number", word, field);
    int64_t count = lua_isnil(lua, -1) ? 0 : (int64_t)lua_tointeger(lua, -1);
    lua_pop(lua, 1);
    return count;
}

static const struct script_field pool_fields[] = {
    { "reserve", "duration", "how long a code is kept for who took it; else for ever", false },
    { "low", "number", "with fewer free codes than this there is an event `pool.low`", false },
    { "to", "text", "who should load more: it stands in that event, for the rule that tells them",
      false },
    { "description", "text", "for people", false },
    { 0 },
};

static void read_pool(lua_State *lua, struct host *host, struct text name)
{
    struct duration reserve;
    struct doc_writer w;
    option_check(lua, 1, "pool", pool_fields);
    option_text(lua, 1, "description", &host->arena);
    struct text text = check_duration(lua, host, "pool", "reserve", &reserve);
    struct text to = option_text(lua, 1, "to", &host->arena);
    int64_t low = check_count(lua, "pool", "low");
    if (to.size > NAME_BYTES_MAX)
        luaL_error(lua, "pool: to has at most %d bytes", NAME_BYTES_MAX);
    begin(host, &w);
    doc_put_present(&w, "reserve", text);
    doc_put_int(&w, "low", low);
    doc_put_present(&w, "to", to);
    add_subject(lua, host, "pool", name, &w);
}

static int word_pool(lua_State *lua)
{
    return declare(lua, "pool", read_pool);
}

static const struct script_field budget_fields[] = {
    { "amount", "text or number", "how much may be spent, \"500.00\"; exact, to four digits",
      true },
    { "currency", "text", "of what: \"EUR\"", true },
    { "per", "duration",
      "in each day, week, month or year of the calendar: \"1mo\", \"3mo\", \"1y\"; else once",
      false },
    { "description", "text", "for people", false },
    { 0 },
};

static int64_t check_amount(lua_State *lua, struct host *host)
{
    struct doc_value value = { .type = DOC_NONE };
    struct err err;
    int64_t amount = 0;
    lua_getfield(lua, 1, "amount");
    if (convert_from_lua(lua, -1, &host->arena, &host->scratch, &value, &err) != 0 ||
        amount_read(&value, &amount, &err) != 0)
        luaL_error(lua, "budget: amount: %s", err.text);
    if (amount <= 0)
        luaL_error(lua, "budget: an amount is more than 0");
    lua_pop(lua, 1);
    return amount;
}

static struct text check_currency(lua_State *lua, struct host *host)
{
    struct text currency = option_text(lua, 1, "currency", &host->arena);
    bool is_code = currency.size == 3;
    for (uint32_t i = 0; is_code && i < 3; i++)
        is_code = currency.data[i] >= 'A' && currency.data[i] <= 'Z';
    if (!is_code)
        luaL_error(lua, "budget: currency is a code of three letters like \"EUR\"");
    return currency;
}

static void read_budget(lua_State *lua, struct host *host, struct text name)
{
    struct duration per = { 1, DURATION_DAYS };
    struct doc_writer w;
    option_check(lua, 1, "budget", budget_fields);
    option_text(lua, 1, "description", &host->arena);
    int64_t amount = check_amount(lua, host);
    struct text currency = check_currency(lua, host);
    struct text text = check_duration(lua, host, "budget", "per", &per);
    if (duration_is_elapsed(per))
        luaL_error(lua, "budget: per is counted in d, w, mo or y");
    begin(host, &w);
    doc_put_int(&w, "amount", amount);
    doc_put_text(&w, "currency", currency);
    doc_put_present(&w, "per", text);
    add_subject(lua, host, "budget", name, &w);
}

static int word_budget(lua_State *lua)
{
    return declare(lua, "budget", read_budget);
}

/* -- Asking --------------------------------------------------------------- */

static const struct script_field ask_fields[] = {
    { "key", "text",
      "what it is for: the same customer and key get the same again; a budget needs one", false },
    { "code", "text", "of \"use\": the code that somebody has shown", false },
    { "amount", "text or number", "of \"spend\": how much, \"10.00\"", false },
    { "currency", "text", "of \"spend\": refused unless it is the budget's", false },
    { 0 },
};

/* ask("pool:spring", "take", { key = "birthday" }) */
static int word_ask(lua_State *lua)
{
    struct step *step = host_step(lua, "ask");
    struct text address = convert_text(lua, 1, step_arena(step));
    struct text word = convert_text(lua, 2, step_arena(step));
    struct err err;
    if (address.size == 0 || word.size == 0)
        return luaL_error(lua, "ask needs whom and what: ask(\"pool:NAME\", \"take\", { ... })");
    if (!lua_isnoneornil(lua, 3)) {
        luaL_argcheck(lua, lua_type(lua, 3) == LUA_TTABLE, 3, "a table { ... } is expected");
        option_check(lua, 3, "ask", ask_fields);
    }
    struct doc given = check_doc(lua, 3, "ask");
    return step_ask(step, address, word, given, &err) != 0 ? host_raise(lua, &err) : 0;
}

const struct script_word words_subject[] = {
    {
        "pool",
        word_pool,
        "pool \"NAME\" { ... }",
        "A pool of coupon codes, which staff loads: `kith pool load NAME FILE`. Rules take them by "
        "`ask`, and no code is given to two.",
        pool_fields,
        "pool \"spring\" { reserve = \"30d\", low = 100, to = \"team:marketing\" }\n"
        "\n"
        "rule \"codes run out\" {\n"
        "  on = \"pool.low\",\n"
        "  run = function(event)\n"
        "    notify { to = event.to, text = event.pool .. \" has \" .. event.left .. \" codes "
        "left\" }\n"
        "  end,\n"
        "}\n",
    },
    {
        "budget",
        word_budget,
        "budget \"NAME\" { amount, currency, ... }",
        "How much may be given away in each period. Rules spend of it by `ask`, and it is never "
        "overspent.",
        budget_fields,
        "budget \"goodwill\" { amount = \"500.00\", currency = \"EUR\", per = \"1mo\" }\n",
    },
    { 0 },
};

const struct script_word words_ask[] = {
    {
        "ask",
        word_ask,
        "ask(\"POOL or BUDGET\", \"WORD\", { key, ... })",
        "Wants something of a pool (`take`, `use`) or a budget (`spend`, `release`). The answer "
        "comes as an event of the same customer: `pool.taken`, `pool.empty`, `pool.used`, "
        "`pool.expired` and `pool.refused` with `pool`, `key`, `code`, `until`, `left`, `reason`; "
        "`budget.granted`, `budget.released` and `budget.refused` with `budget`, `key`, `amount`, "
        "`currency`, `left`, `reason`.",
        ask_fields,
        "ask(\"pool:gift\", \"take\", { key = \"regular\" })\n",
    },
    { 0 },
};

void words_subject_add(struct host *host)
{
    host_add_words(host, words_subject);
    host_add_words(host, words_ask);
}
