/* handover.c -- see handover.h. */
#include "handover_inside.h"

#include <stdio.h>
#include <stdlib.h>

/* -- Asking ------------------------------------------------------------------------------------ */

void handover_end(struct handover *handover)
{
    if (handover == NULL)
        return;
    handover->followup->handover = NULL;
    pool_deinit(&handover->pool);
    pool_deinit(&handover->page);
    free(handover);
}

void handover_ask(struct handover *handover, const char *method, const char *path,
                  struct kith_doc body, kith_done_fn *done)
{
    const struct kith_ask ask = {
        .size = sizeof ask, .method = method, .path = path, .body = body
    };
    const struct kith_host *host = handover->followup->host;
    bool is_broken = path == NULL || handover->pool.broken || handover->page.broken;
    if (is_broken || host->ask(handover->followup->kith, &ask, done, handover) != KITH_OK)
        handover_end(handover);
}

struct kith_text handover_cut(struct kith_text text)
{
    if (text.size > HANDOVER_TEXT_BYTES) {
        text.size = HANDOVER_TEXT_BYTES;
        while (text.size != 0 && ((unsigned char)text.data[text.size] & 0xC0) == 0x80)
            text.size--;
    }
    return text;
}

/* What the page before held is gone. */
bool handover_take_page(struct handover *handover, int32_t status, struct kith_doc result)
{
    struct kith_text next = kith_get_text(result, "next");
    struct kith_value behind = kith_get(result, "behind");
    if (status != 200 || kith_as_int(&behind, 0) != 0) {
        handover_end(handover); /* so busy a daemon has more to do than this */
        return false;
    }
    struct pool before = handover->page;
    handover->page = (struct pool){ 0 };
    handover->after = next.size != 0 ? pool_text(&handover->page, next.data, next.size) : NULL;
    void *copy = pool_copy(&handover->page, result.data, result.size);
    struct kith_doc page = { copy, copy != NULL ? result.size : 0 };
    handover->rows = kith_iter(kith_get_doc(page, "items"));
    pool_deinit(&before);
    return true;
}

bool handover_next_row(struct handover *handover)
{
    if (!kith_next(&handover->rows))
        return false;
    handover->row = kith_as_doc(&handover->rows.value);
    return true;
}

/* -- The record -------------------------------------------------------------------------------- */

static void on_noted(void *arg, int32_t status, struct kith_doc result)
{
    (void)status;
    (void)result;
    handover_end(arg);
}

static const char *path_of(struct handover *handover, const char *rest)
{
    return pool_print(&handover->pool, "/v1/records/handover/%llu%s",
                      (unsigned long long)handover->number, rest);
}

void handover_pause(struct handover *handover, const char *why)
{
    char room[HANDOVER_BODY_ROOM];
    struct kith_writer w;
    struct followup *followup = handover->followup;
    followup->handover_after = followup->host->now(followup->kith) + HANDOVER_PAUSE_MS;
    if (strcmp(handover->problem, why) == 0) {
        handover_end(handover);
        return;
    }
    kith_begin(&w, room, sizeof room);
    kith_open(&w, "fields");
    kith_put_text(&w, "problem", handover_cut(kith_text(why)));
    kith_close(&w);
    handover_ask(handover, "PATCH", path_of(handover, ""), kith_end(&w), on_noted);
}

/* Into its next state; who else did so meanwhile was first. */
static void move(struct handover *handover, const char *transition, const char *const names[],
                 const int64_t *numbers)
{
    char room[HANDOVER_BODY_ROOM];
    struct kith_writer w;
    const struct kith_value none = { KITH_NULL, 0, { 0 } };
    kith_begin(&w, room, sizeof room);
    kith_open(&w, "fields");
    for (size_t i = 0; names[i] != NULL; i++)
        kith_put_int(&w, names[i], numbers[i]);
    kith_put(&w, "problem", &none);
    kith_close(&w);
    handover_ask(handover, "POST", path_of(handover, transition), kith_end(&w), on_noted);
}

void handover_listed(struct handover *handover)
{
    static const char *const names[] = { "customer_count", "record_count", "reminder_count", NULL };
    if (strcmp(handover->state, "requested") == 0)
        move(handover, "/prepare", names, handover->listed);
    else if (handover->found != 0)
        handover_end(handover);
    else
        handover_count(handover);
}

/* What was given is in the lists with the next look. */
void handover_given(struct handover *handover)
{
    if (strcmp(handover->state, "calling_off") == 0)
        handover_count(handover);
    else if (handover->moved != 0)
        handover_end(handover);
    else
        handover_await(handover);
}

static void ask_kinds(struct handover *handover);

void handover_awaited(struct handover *handover)
{
    if (handover->found != 0)
        handover_end(handover);
    else
        ask_kinds(handover);
}

void handover_counted(struct handover *handover)
{
    static const char *const names[] = { "given_count", "settled_count", "left_count", NULL };
    bool is_called_off = strcmp(handover->state, "calling_off") == 0;
    move(handover, is_called_off ? "/close" : "/finish", names, handover->tally);
}

/* -- Whether it can be ------------------------------------------------------------------------- */

static void call_off(struct handover *handover, const char *why)
{
    char room[HANDOVER_BODY_ROOM];
    struct kith_writer w;
    kith_begin(&w, room, sizeof room);
    kith_open(&w, "fields");
    kith_put_text(&w, "reason", handover_cut(kith_text(why)));
    kith_close(&w);
    handover_ask(handover, "POST", path_of(handover, "/call_off"), kith_end(&w), on_noted);
}

/* A team is who says that she belongs to it; it needs no record of its own. */
bool handover_is_for(struct kith_doc member, struct kith_text to)
{
    static const char prefix[] = "team:";
    struct kith_iter it = kith_iter(kith_get_doc(member, "teams"));
    size_t skip = strncmp(to.data, prefix, sizeof prefix - 1) == 0 ? sizeof prefix - 1 : 0;
    const char *team = to.data + skip;
    bool is_member = kith_is(kith_get_text(member, "team"), team) ||
                     kith_is(kith_get_text(member, "name"), to.data);
    while (!is_member && kith_next(&it))
        is_member = kith_is(kith_as_text(&it.value), team);
    return is_member;
}

static void on_team(void *arg, int32_t status, struct kith_doc result)
{
    struct handover *handover = arg;
    struct kith_iter it = kith_iter(kith_get_doc(result, "items"));
    bool is_known = false;
    while (status == 200 && !is_known && kith_next(&it))
        is_known = handover_is_for(kith_as_doc(&it.value), kith_text(handover->to));
    if (is_known)
        handover_list(handover);
    else if (status == 200)
        call_off(handover, "nobody on the staff, and no team, has the name in \"to\"");
    else
        handover_end(handover);
}

static void on_staff(void *arg, int32_t status, struct kith_doc result)
{
    struct handover *handover = arg;
    const struct kith_doc none = { NULL, 0 };
    (void)result;
    if (handover_went_well(status))
        handover_list(handover);
    else
        handover_ask(handover, "GET", "/v1/staff?limit=1000", none, on_team);
}

static void check(struct handover *handover)
{
    const struct kith_doc none = { NULL, 0 };
    const char *to = pool_segment(&handover->pool, handover->to);
    if (strcmp(handover->from, handover->to) == 0)
        call_off(handover, "it would go to whom it comes from");
    else
        handover_ask(handover, "GET", pool_print(&handover->pool, "/v1/staff/%s", to), none,
                     on_staff);
}

/* -- Whose turn it is -------------------------------------------------------------------------- */

static bool is_ours(struct kith_doc record)
{
    struct kith_text state = kith_get_text(record, "state");
    return kith_is(state, "requested") || kith_is(state, "prepared") ||
           kith_is(state, "calling_off");
}

static const char *keep(struct handover *handover, struct kith_doc doc, const char *name)
{
    struct kith_text text = kith_get_text(doc, name);
    const char *copy = pool_text(&handover->pool, text.data, text.size);
    return copy != NULL ? copy : "";
}

static void on_kinds(void *arg, int32_t status, struct kith_doc result)
{
    struct handover *handover = arg;
    struct kith_iter it = kith_iter(kith_get_doc(result, "items"));
    if (status != 200) {
        handover_end(handover);
        return;
    }
    while (kith_next(&it))
        handover->kind_count++;
    handover->kinds = pool_take(&handover->pool, (handover->kind_count + 1) * sizeof(char *));
    handover->kind_count = 0;
    it = kith_iter(kith_get_doc(result, "items"));
    while (handover->kinds != NULL && kith_next(&it)) {
        const char *kind = keep(handover, kith_as_doc(&it.value), "kind");
        if (strcmp(kind, "handover_item") != 0)
            handover->kinds[handover->kind_count++] = kind;
    }
    if (strcmp(handover->state, "requested") == 0)
        check(handover);
    else
        handover_list(handover);
}

static void ask_kinds(struct handover *handover)
{
    const struct kith_doc none = { NULL, 0 };
    handover_ask(handover, "GET", "/v1/records", none, on_kinds);
}

static void begin(struct handover *handover, struct kith_doc record)
{
    struct kith_doc fields = kith_get_doc(record, "fields");
    handover->number = (uint64_t)kith_get_int(record, "id", 0);
    handover->state = keep(handover, record, "state");
    handover->from = keep(handover, fields, "from");
    handover->to = keep(handover, fields, "to");
    handover->reason = keep(handover, fields, "reason");
    handover->problem = keep(handover, fields, "problem");
    if (strcmp(handover->state, "requested") == 0)
        ask_kinds(handover);
    else
        handover_give(handover);
}

/* A list is of the last checkpoint: what it says is looked at again. */
static void on_record(void *arg, int32_t status, struct kith_doc result)
{
    if (status == 200 && is_ours(result))
        begin(arg, result);
    else
        handover_end(arg);
}

/* The one behind the last, and behind all of them the first. */
static uint64_t next_of(struct kith_doc open, uint64_t last)
{
    struct kith_iter it = kith_iter(kith_get_doc(open, "items"));
    uint64_t next = UINT64_MAX, first = UINT64_MAX;
    while (kith_next(&it)) {
        uint64_t number = (uint64_t)kith_get_int(kith_as_doc(&it.value), "id", 0);
        if (!is_ours(kith_as_doc(&it.value)))
            continue;
        if (number > last && number < next)
            next = number;
        if (number < first)
            first = number;
    }
    return next != UINT64_MAX ? next : first;
}

static void on_open(void *arg, int32_t status, struct kith_doc result)
{
    struct handover *handover = arg;
    const struct kith_doc none = { NULL, 0 };
    uint64_t next = next_of(result, handover->followup->handover_last);
    if (status != 200 || next == UINT64_MAX) {
        handover_end(handover);
        return;
    }
    handover->number = handover->followup->handover_last = next;
    handover_ask(handover, "GET", path_of(handover, ""), none, on_record);
}

void handover_look(void *self)
{
    struct followup *followup = self;
    const struct kith_doc none = { NULL, 0 };
    if (followup->handover != NULL ||
        followup->host->now(followup->kith) < followup->handover_after)
        return;
    struct handover *handover = calloc(1, sizeof *handover);
    if (handover == NULL)
        return;
    handover->followup = followup;
    followup->handover = handover;
    handover_ask(handover, "GET", "/v1/records/handover?open=1&limit=1000", none, on_open);
}

static const struct kith_job look = {
    .size = sizeof look,
    .name = "handover",
    .every_ms = HANDOVER_EVERY_MS,
    .run = handover_look,
};
const struct kith_job *const handover_jobs[] = { &look, NULL };

/* -- A function of Lua ------------------------------------------------------------------------- */

/* followup.hand_over { from, to, reason } */
static int32_t hand_over(const struct kith_engine *engine, struct kith_call *call)
{
    char room[HANDOVER_BODY_ROOM];
    struct kith_doc given;
    struct kith_writer w;
    int32_t rc = engine->arguments(call, &given);
    if (rc != KITH_OK)
        return rc;
    if (kith_get_text(given, "from").size == 0 || kith_get_text(given, "to").size == 0)
        return engine->fail(call, "hand_over needs from and to: followup.hand_over { from = "
                                  "\"anna\", to = \"bert\" }");
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "kind", "handover");
    kith_open(&w, "fields");
    kith_put_text(&w, "from", kith_get_text(given, "from"));
    kith_put_text(&w, "to", kith_get_text(given, "to"));
    kith_put_text(&w, "reason", kith_get_text(given, "reason"));
    kith_close(&w);
    if (w.is_full)
        return engine->fail(call, "hand_over: from, to and reason are longer than they may be");
    return engine->act(call, "create", kith_end(&w));
}

const struct kith_function handover_function = {
    .size = sizeof handover_function,
    .name = "hand_over",
    .usage = "followup.hand_over { from = \"anna\", to = \"bert\" }",
    .about = "Have all that somebody has in hand listed, to go to somebody else, piece by piece",
    .run = hand_over,
    .takes = KITH_NAMES("from", "to", "reason"),
};
