/* budget.c -- an amount of money per period, spent by whoever asks first.
 *
 *     p                  {from, until, account, spent, currency, granted, refused}
 *     a customer key     {amount, currency, from, account}     granted, in that period
 *
 * What is granted never exceeds what the bundle declares, to the last digit (base/amount.h).  The
 * same key is granted once: asked again, it is told so again and nothing more is spent.  What is
 * released counts for the account in which it was granted, and for none that has begun since: a new
 * one begins with each period, and within one when the bundle declares another currency.
 *
 * Periods are those of the calendar in the company's zone: a month begins on its first, a week on
 * Monday, three months in January, April, July and October.  A timer ends the period; an ask that
 * comes first, because much is due at that moment, finds it ended too.
 */
#include "core/base/amount.h"
#include "core/base/civil.h"
#include "core/base/duration.h"
#include "core/base/zone.h"
#include "core/engine/engine_inside.h"
#include "core/engine/subject.h"

#include <string.h>

struct budget {
    struct subject *subject;
    int64_t amount;      /* per period, as declared */
    struct text own;     /* its currency, as declared */
    int64_t from, until; /* of the present period; until INT64_MAX: for ever */
    int64_t account;     /* counts them */
    int64_t spent, granted, refused;
    struct text currency; /* in which that was spent */
};

static int64_t left_of(const struct budget *budget)
{
    return budget->amount - budget->spent;
}

static struct budget read_budget(struct subject *subject)
{
    struct doc row = subject->row, terms = subject->terms;
    return (struct budget){
        .subject = subject,
        .amount = doc_int(terms, "amount", 0),
        .own = doc_text(terms, "currency"),
        .from = doc_int(row, "from", INT64_MIN),
        .until = doc_int(row, "until", INT64_MIN),
        .account = doc_int(row, "account", 0),
        .spent = doc_int(row, "spent", 0),
        .granted = doc_int(row, "granted", 0),
        .refused = doc_int(row, "refused", 0),
        .currency = doc_text(row, "currency"),
    };
}

static void store_budget(const struct budget *budget)
{
    struct engine *engine = budget->subject->engine;
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_put_int(&w, "from", budget->from);
    doc_put_int(&w, "until", budget->until);
    doc_put_int(&w, "account", budget->account);
    doc_put_int(&w, "spent", budget->spent);
    doc_put_int(&w, "granted", budget->granted);
    doc_put_int(&w, "refused", budget->refused);
    doc_put_text(&w, "currency", budget->currency);
    subject_store(budget->subject, engine_doc(engine, &w));
}

static void put_amount(struct doc_writer *w, const char *name, int64_t amount)
{
    char text[AMOUNT_TEXT_SIZE];
    doc_put_text(w, name, (struct text){ text, (uint32_t)amount_format(amount, text) });
}

/* -- Periods -------------------------------------------------------------- */

static int64_t round_down(int64_t value, int64_t step)
{
    int64_t rest = value % step;
    return value - (rest < 0 ? rest + step : rest);
}

#define MONDAY_BEFORE_1970 (-3) /* in days */

/* The first days of the period around `day`, and of the next. */
static void period_days(struct duration per, int64_t day, int64_t *out_first, int64_t *out_next)
{
    struct civil civil;
    int64_t count = per.count;
    civil_from_local_ms(day * CIVIL_DAY_MS, &civil);
    switch (per.unit) {
    case DURATION_WEEKS:
        count *= 7;
        *out_first = round_down(day - MONDAY_BEFORE_1970, count) + MONDAY_BEFORE_1970;
        *out_next = *out_first + count;
        return;
    case DURATION_MONTHS:
    case DURATION_YEARS: {
        count *= per.unit == DURATION_YEARS ? 12 : 1;
        int64_t month = round_down((int64_t)civil.year * 12 + civil.month - 1, count);
        *out_first = civil_days(month / 12, (int)(month % 12) + 1, 1);
        month += count;
        *out_next = civil_days(month / 12, (int)(month % 12) + 1, 1);
        return;
    }
    default:
        *out_first = round_down(day, count);
        *out_next = *out_first + count;
    }
}

/* The period that it is now. */
static void begin_period(struct budget *budget)
{
    const struct engine *engine = budget->subject->engine;
    const struct zone *zone = engine->config.zone;
    struct text per = doc_text(budget->subject->terms, "per");
    struct duration duration;
    int64_t first, next;
    budget->spent = budget->granted = budget->refused = 0;
    budget->account++;
    budget->currency = budget->own;
    budget->from = 0;
    budget->until = INT64_MAX;
    if (per.size == 0 || duration_parse(per.data, per.size, &duration, NULL) != 0)
        return;
    period_days(duration, civil_local_days(zone_local_from_ms(zone, engine->now)), &first, &next);
    budget->from = zone_ms_from_local(zone, first * CIVIL_DAY_MS);
    budget->until = zone_ms_from_local(zone, next * CIVIL_DAY_MS);
}

/* What came of the period that is over. */
static void tell_period(struct budget *budget)
{
    struct subject *subject = budget->subject;
    struct doc_writer w;
    subject_draft(subject, &w);
    doc_put_datetime(&w, "from", budget->from);
    doc_put_datetime(&w, "until", budget->until);
    put_amount(&w, "amount", budget->amount);
    put_amount(&w, "spent", budget->spent);
    doc_put_text(&w, "currency", budget->currency);
    doc_put_int(&w, "granted", budget->granted);
    doc_put_int(&w, "refused", budget->refused);
    subject_tell(subject, "ended", engine_doc(subject->engine, &w));
}

/* The period is over, or it is another currency's. */
static bool is_over(const struct budget *budget)
{
    return budget->subject->engine->now >= budget->until ||
           !text_equal(budget->currency, budget->own);
}

static void roll(struct budget *budget)
{
    bool is_first = budget->subject->row.data == NULL;
    if (!is_first && !is_over(budget))
        return;
    if (!is_first)
        tell_period(budget);
    begin_period(budget);
    store_budget(budget);
    if (budget->until != INT64_MAX)
        subject_timer(budget->subject, text_of("period"), budget->until, (struct text){ "", 0 });
    else
        subject_timer_cancel(budget->subject, text_of("period"));
}

/* -- Asked ---------------------------------------------------------------- */

static const char *const words[] = { "spend", "release", NULL };

static int check(struct text word, struct doc given, struct doc_writer *w, struct err *err)
{
    bool is_spend = text_is(word, "spend");
    struct doc_value amount = doc_get(given, "amount"), currency = doc_get(given, "currency");
    struct doc_value key = doc_get(given, "key");
    int64_t units = 0;
    struct err reason;
    for (struct doc_iter it = doc_iter(given); doc_next(&it);)
        if (!text_is(it.name, "key") &&
            !(is_spend && (text_is(it.name, "amount") || text_is(it.name, "currency"))))
            return err_set(err, E_INVALID, "ask: %.*s of a budget knows no \"%s\": it takes %s",
                           (int)word.size, word.data, it.name.data,
                           is_spend ? "key, amount, currency" : "key");
    if (key.type != DOC_TEXT || key.text.size == 0)
        return err_set(err, E_INVALID,
                       "ask: a budget needs a key, which tells one spending from "
                       "another: { key = \"order-17\", amount = \"10.00\" }");
    if (currency.type != DOC_NONE && (currency.type != DOC_TEXT || currency.text.size != 3))
        return err_set(err, E_INVALID, "ask: a currency has three letters");
    if (!is_spend)
        return 0;
    if (amount_read(&amount, &units, &reason) != 0)
        return err_set(err, E_INVALID, "ask: amount: %s", reason.text);
    if (units <= 0)
        return err_set(err, E_INVALID, "ask: an amount that is spent is more than 0");
    put_amount(w, "amount", units);
    doc_put_value(w, "currency", &currency);
    return 0;
}

/* `currency` is that of the amount; what is left is in the budget's own. */
static void say_in(struct budget *budget, const struct ask *ask, const char *word, int64_t amount,
                   struct text currency, const char *reason)
{
    struct subject *subject = budget->subject;
    struct doc_writer w;
    subject_draft(subject, &w);
    doc_put_text(&w, "key", ask->key);
    if (amount != 0)
        put_amount(&w, "amount", amount);
    doc_put_text(&w, "currency", currency);
    if (text_is(text_of(word), "refused"))
        doc_put_string(&w, "reason", reason);
    else if (reason != NULL)
        doc_put_bool(&w, reason, true);
    put_amount(&w, "left", left_of(budget));
    subject_answer(subject, ask->customer, word, engine_doc(subject->engine, &w));
}

static void say(struct budget *budget, const struct ask *ask, const char *word, int64_t amount,
                const char *reason)
{
    say_in(budget, ask, word, amount, budget->own, reason);
}

static void refuse(struct budget *budget, const struct ask *ask, int64_t amount, const char *reason)
{
    budget->refused++;
    store_budget(budget);
    say(budget, ask, "refused", amount, reason);
}

static void grant(struct budget *budget, const struct ask *ask, int64_t amount)
{
    struct subject *subject = budget->subject;
    struct doc_writer w;
    struct key key;
    engine_draft(subject->engine, &w);
    doc_put_int(&w, "amount", amount);
    doc_put_text(&w, "currency", budget->own);
    doc_put_int(&w, "from", budget->from);
    doc_put_int(&w, "account", budget->account);
    struct doc row = engine_doc(subject->engine, &w);
    subject_key_of(&key, subject, 'a', ask->customer, ask->key);
    subject_put(subject, &key, row);
    subject_hold(subject, ask->customer, ask->key);
    budget->spent += amount;
    budget->granted++;
    store_budget(budget);
    say(budget, ask, "granted", amount, NULL);
}

/* Before level 10 a grant did not say in what, nor of which account: of the one of its period. */
static struct text currency_of(const struct budget *budget, struct doc grant)
{
    struct text currency = doc_text(grant, "currency");
    return currency.size != 0 ? currency : budget->own;
}

static bool is_of_now(const struct budget *budget, struct doc grant)
{
    return doc_int(grant, "from", 0) == budget->from &&
           doc_int(grant, "account", 0) == budget->account;
}

static void spend(struct budget *budget, const struct ask *ask)
{
    struct doc_value wanted = doc_get(ask->data, "amount");
    struct text currency = doc_text(ask->data, "currency");
    uint64_t member;
    struct doc row;
    int64_t amount;
    bool is_amount = amount_read(&wanted, &amount, NULL) == 0;
    ASSERT(is_amount); /* check() wrote it */
    if (subject_find_of(budget->subject, ask, 'a', &member, &row))
        say_in(budget, ask, "granted", doc_int(row, "amount", 0), currency_of(budget, row),
               "again");
    else if (currency.size != 0 && !text_equal(currency, budget->own))
        refuse(budget, ask, amount, "currency");
    else if (amount > left_of(budget))
        refuse(budget, ask, amount, "spent");
    else
        grant(budget, ask, amount);
}

static void release(struct budget *budget, const struct ask *ask)
{
    struct subject *subject = budget->subject;
    uint64_t member;
    struct doc row;
    struct key key;
    if (!subject_find_of(subject, ask, 'a', &member, &row)) {
        say(budget, ask, "refused", 0, "unknown");
        return;
    }
    int64_t amount = doc_int(row, "amount", 0);
    struct text currency = currency_of(budget, row);
    if (is_of_now(budget, row)) {
        budget->spent -= amount;
        store_budget(budget);
    }
    subject_key_of(&key, subject, 'a', member, ask->key);
    state_delete(subject->engine->state, &key);
    subject_release(subject, member, ask->key);
    say_in(budget, ask, "released", amount, currency, NULL);
}

static void answer(struct subject *subject, const struct ask *ask)
{
    struct budget budget = read_budget(subject);
    roll(&budget);
    if (text_is(ask->word, "spend"))
        spend(&budget, ask);
    else
        release(&budget, ask);
}

/* -- In time, and forgotten ------------------------------------------------ */

static void timer(struct subject *subject, struct doc payload)
{
    struct budget budget = read_budget(subject);
    (void)payload;
    roll(&budget);
}

/* The money is spent all the same. */
static void forget(struct subject *subject, uint64_t customer, struct text name)
{
    struct key key;
    subject_key_of(&key, subject, 'a', customer, name);
    state_delete(subject->engine->state, &key);
}

static void show(const struct subject *subject, struct doc_writer *w)
{
    struct subject own = *subject;
    struct budget budget = read_budget(&own);
    if (subject->row.data == NULL || is_over(&budget))
        begin_period(&budget);
    put_amount(w, "amount", budget.amount);
    put_amount(w, "spent", budget.spent);
    put_amount(w, "left", left_of(&budget));
    doc_put_text(w, "currency", budget.own);
    doc_put_int(w, "granted", budget.granted);
    doc_put_int(w, "refused", budget.refused);
    if (budget.until != INT64_MAX) {
        doc_put_datetime(w, "from", budget.from);
        doc_put_datetime(w, "until", budget.until);
    }
}

const struct subject_kind budget_kind = {
    .name = "budget",
    .words = words,
    .check = check,
    .answer = answer,
    .timer = timer,
    .forget = forget,
    .show = show,
};
