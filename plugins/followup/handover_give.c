/* handover_give.c -- each piece that is confirmed: given, settled, or listed again.
 *
 *     its thing                     becomes
 *     ---------------------------   ------------------------------------------------------
 *     is hers                       that of who confirmed it: given
 *     is hers, and that is refused  listed again, with what the daemon said
 *     was confirmed by who may not  listed again, with that
 *     is that of who confirmed it   given: it was, before an interruption
 *     is somebody else's by now     settled, with whose it is
 *     is done, closed or gone       settled
 *     (called off)                  left, with the reason of that
 */
#include "handover_inside.h"

static void next_piece(struct handover *handover);

static const char *const states[] = { "given", "settled", "left" };

/* -- Things ------------------------------------------------------------------------------------ */

enum piece handover_piece(struct kith_doc fields)
{
    struct kith_text what = kith_get_text(fields, "what");
    return kith_is(what, "customer") ? PIECE_CUSTOMER
           : kith_is(what, "record") ? PIECE_RECORD
                                     : PIECE_REMINDER;
}

static bool is_open(enum piece piece, struct kith_doc thing)
{
    struct kith_value open = kith_get(thing, "open");
    if (piece == PIECE_RECORD)
        return kith_as_int(&open, 0) != 0;
    return piece == PIECE_CUSTOMER || kith_is(kith_get_text(thing, "state"), "open");
}

bool handover_is_hers(const struct handover *handover, enum piece piece, struct kith_doc thing)
{
    if (!is_open(piece, thing))
        return false;
    if (piece == PIECE_REMINDER)
        return kith_is(kith_get_text(thing, "assignee"), handover->from) ||
               kith_is(kith_get_text(thing, "of"), handover->from);
    return kith_is(kith_get_text(thing, "owner"), handover->from);
}

struct kith_text handover_owner(enum piece piece, struct kith_doc thing)
{
    if (!is_open(piece, thing))
        return kith_text("");
    return kith_get_text(thing, piece == PIECE_REMINDER ? "assignee" : "owner");
}

const char *handover_path(struct handover *handover, enum piece piece, struct kith_text thing,
                          const char *rest)
{
    struct pool *pool = &handover->page;
    if (piece != PIECE_RECORD)
        return pool_print(pool, "/v1/%s/%.*s%s",
                          piece == PIECE_CUSTOMER ? "customers" : "reminders", (int)thing.size,
                          thing.data, rest);
    const char *colon = memchr(thing.data, ':', thing.size);
    size_t size = colon != NULL ? (size_t)(colon - thing.data) : thing.size;
    const char *kind = pool_text(pool, thing.data, size);
    const char *segment = kind != NULL ? pool_segment(pool, kind) : NULL;
    if (segment == NULL || colon == NULL)
        return NULL;
    return pool_print(pool, "/v1/records/%s/%.*s%s", segment, (int)(thing.size - size - 1),
                      colon + 1, rest);
}

/* -- Ticked ------------------------------------------------------------------------------------ */

static void on_ticked(void *arg, int32_t status, struct kith_doc result)
{
    struct handover *handover = arg;
    (void)result;
    if (status >= 500)
        handover_end(handover);
    else
        next_piece(handover); /* refused: somebody else has ticked it */
}

static void tick(struct handover *handover, const char *transition, const char *field,
                 struct kith_text value)
{
    char room[HANDOVER_BODY_ROOM];
    struct kith_writer w;
    const struct kith_value none = { KITH_NULL, 0, { 0 } };
    kith_begin(&w, room, sizeof room);
    kith_open(&w, "fields");
    kith_put_text(&w, field, handover_cut(value));
    if (strcmp(transition, "list") == 0)
        kith_put(&w, "confirmed_by", &none);
    kith_close(&w);
    handover->moved++;
    handover_ask(handover, "POST",
                 pool_print(&handover->page, "/v1/records/handover_item/%lld/%s",
                            (long long)kith_get_int(handover->row, "id", 0), transition),
                 kith_end(&w), on_ticked);
}

static void on_given(void *arg, int32_t status, struct kith_doc result)
{
    struct handover *handover = arg;
    enum piece piece = handover_piece(kith_get_doc(handover->row, "fields"));
    struct kith_text owner = kith_get_text(result, piece == PIECE_REMINDER ? "assignee" : "owner");
    struct kith_text detail = kith_get_text(result, "detail");
    if (status >= 500 || status == 429)
        handover_end(handover);
    else if (handover_went_well(status))
        tick(handover, "give", "new_owner", owner.size != 0 ? owner : kith_text("nobody"));
    else
        tick(handover, "list", "reason", detail.size != 0 ? detail : kith_text("it was refused"));
}

static void give(struct handover *handover, enum piece piece)
{
    char room[HANDOVER_BODY_ROOM];
    struct kith_writer w;
    struct kith_doc fields = kith_get_doc(handover->row, "fields");
    kith_begin(&w, room, sizeof room);
    kith_put_text(&w, piece == PIECE_REMINDER ? "to" : "owner",
                  kith_get_text(fields, "confirmed_by"));
    handover_ask(handover, piece == PIECE_REMINDER ? "PATCH" : "POST",
                 handover_path(handover, piece, kith_get_text(fields, "thing"),
                               piece == PIECE_REMINDER ? "" : "/assign"),
                 kith_end(&w), on_given);
}

/* A deputy's is hers for whom he stands in. */
static bool is_confirmers(const struct handover *handover, enum piece piece, struct kith_doc thing)
{
    struct kith_text by = kith_get_text(kith_get_doc(handover->row, "fields"), "confirmed_by");
    return kith_is(handover_owner(piece, thing), by.data) ||
           (piece == PIECE_REMINDER && kith_is(kith_get_text(thing, "of"), by.data));
}

/* Nothing was given to her: another hand-over was first, or somebody by hand. */
static void settle_for(struct handover *handover, struct kith_text owner)
{
    const char *why =
        pool_print(&handover->page, "not given: it was %.*s's before", (int)owner.size, owner.data);
    if (why == NULL)
        handover_end(handover);
    else
        tick(handover, "settle", "reason", kith_text(why));
}

static void on_thing(void *arg, int32_t status, struct kith_doc result)
{
    struct handover *handover = arg;
    enum piece piece = handover_piece(kith_get_doc(handover->row, "fields"));
    struct kith_text owner = handover_owner(piece, result);
    if (status != 200 && status != 404 && status != 410)
        handover_end(handover);
    else if (status == 200 && handover_is_hers(handover, piece, result))
        give(handover, piece);
    else if (status == 200 && owner.size != 0 && is_confirmers(handover, piece, result))
        tick(handover, "give", "new_owner", owner);
    else if (status == 200 && owner.size != 0)
        settle_for(handover, owner);
    else
        tick(handover, "settle", "reason",
             kith_text(status != 200 ? "it is not there any more"
                       : piece == PIECE_CUSTOMER
                           ? "she is nobody's any more"
                           : "it was done, closed or taken from her before it could be given"));
}

static void look_at_thing(struct handover *handover)
{
    const struct kith_doc none = { NULL, 0 };
    struct kith_doc fields = kith_get_doc(handover->row, "fields");
    handover_ask(
        handover, "GET",
        handover_path(handover, handover_piece(fields), kith_get_text(fields, "thing"), ""), none,
        on_thing);
}

/* -- Confirmed by whom ------------------------------------------------------------------------- */

static struct kith_text receiver(const struct handover *handover)
{
    struct kith_text to = kith_get_text(kith_get_doc(handover->row, "fields"), "to");
    return to.size != 0 ? to : kith_text(handover->to);
}

static void on_confirmer(void *arg, int32_t status, struct kith_doc result)
{
    struct handover *handover = arg;
    struct kith_text by = kith_get_text(kith_get_doc(handover->row, "fields"), "confirmed_by");
    if (status == 200 && handover_is_for(result, receiver(handover))) {
        look_at_thing(handover);
        return;
    }
    const char *why =
        pool_print(&handover->page, "%.*s confirmed it, and it is for %.*s", (int)by.size, by.data,
                   (int)receiver(handover).size, receiver(handover).data);
    if (why == NULL || (status != 200 && status != 404))
        handover_end(handover);
    else
        tick(handover, "list", "reason", kith_text(why));
}

static void check_confirmer(struct handover *handover)
{
    const struct kith_doc none = { NULL, 0 };
    struct kith_doc fields = kith_get_doc(handover->row, "fields");
    const char *by = pool_segment(&handover->page, kith_get_text(fields, "confirmed_by").data);
    handover_ask(handover, "GET",
                 by != NULL ? pool_print(&handover->page, "/v1/staff/%s", by) : NULL, none,
                 on_confirmer);
}

/* -- Pages ------------------------------------------------------------------------------------- */

static void on_page(void *arg, int32_t status, struct kith_doc result)
{
    if (handover_take_page(arg, status, result))
        next_piece(arg);
}

static void ask_page(struct handover *handover, const char *state, kith_done_fn *done)
{
    const struct kith_doc none = { NULL, 0 };
    struct pool *pool = &handover->page;
    const char *from = pool_segment(pool, handover->from);
    const char *after = handover->after != NULL ? pool_segment(pool, handover->after) : "";
    const char *path =
        from == NULL || after == NULL
            ? NULL
            : pool_print(pool, "/v1/records/handover_item?limit=1000&state=%s&owner=%s%s%s", state,
                         from, *after != '\0' ? "&after=" : "", after);
    handover_ask(handover, "GET", path, none, done);
}

static bool is_of_this(const struct handover *handover)
{
    struct kith_doc fields = kith_get_doc(handover->row, "fields");
    return (uint64_t)kith_get_int(fields, "handover", 0) == handover->number;
}

static const char *const turns[] = { "confirmed", "listed" };

/* What is listed is looked at only where it is left. */
static bool next_turn(struct handover *handover)
{
    return strcmp(handover->state, "calling_off") == 0 && ++handover->source < 2;
}

static void next_piece(struct handover *handover)
{
    do {
        if (handover_next_row(handover))
            continue;
        if (handover->after != NULL || next_turn(handover))
            ask_page(handover, turns[handover->source], on_page);
        else
            handover_given(handover);
        return;
    } while (!is_of_this(handover));
    if (strcmp(handover->state, "calling_off") == 0)
        tick(handover, "leave", "reason",
             kith_text(*handover->reason != '\0' ? handover->reason : "it was called off"));
    else
        check_confirmer(handover);
}

void handover_give(struct handover *handover)
{
    handover->moved = 0;
    handover->source = 0;
    handover->after = NULL;
    ask_page(handover, turns[0], on_page);
}

/* -- What waits -------------------------------------------------------------------------------- */

static void on_awaited_page(void *arg, int32_t status, struct kith_doc result)
{
    struct handover *handover = arg;
    if (!handover_take_page(handover, status, result))
        return;
    while (handover_next_row(handover))
        handover->found += is_of_this(handover);
    if (handover->after != NULL && handover->found == 0)
        ask_page(handover, "listed", on_awaited_page);
    else
        handover_awaited(handover);
}

void handover_await(struct handover *handover)
{
    handover->found = 0;
    handover->after = NULL;
    ask_page(handover, "listed", on_awaited_page);
}

/* -- How many ---------------------------------------------------------------------------------- */

static void on_counted_page(void *arg, int32_t status, struct kith_doc result)
{
    struct handover *handover = arg;
    if (!handover_take_page(handover, status, result))
        return;
    while (handover_next_row(handover))
        handover->tally[handover->source] += is_of_this(handover);
    if (handover->after == NULL)
        handover->source++;
    if (handover->source < TALLIES)
        ask_page(handover, states[handover->source], on_counted_page);
    else
        handover_counted(handover);
}

void handover_count(struct handover *handover)
{
    memset(handover->tally, 0, sizeof handover->tally);
    handover->source = 0;
    handover->after = NULL;
    ask_page(handover, states[0], on_counted_page);
}
