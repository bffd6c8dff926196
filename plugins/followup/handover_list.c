/* handover_list.c -- what is hers: a piece of the hand-over for each.
 *
 * Listed are follow-ups first, then records, then customers, so that of the pieces the newest, with
 * which giving begins, are the customers: what a rule asks of the owner in between is asked of the
 * new one.
 */
#include "handover_inside.h"

#define SOURCES_BEFORE_KINDS 2

static void next_piece(struct handover *handover);

static enum piece piece_of(const struct handover *handover)
{
    if (handover->source < SOURCES_BEFORE_KINDS)
        return PIECE_REMINDER;
    return handover->source < SOURCES_BEFORE_KINDS + handover->kind_count ? PIECE_RECORD
                                                                          : PIECE_CUSTOMER;
}

static const char *kind_of(const struct handover *handover)
{
    return handover->kinds[handover->source - SOURCES_BEFORE_KINDS];
}

/* -- Pages ------------------------------------------------------------------------------------- */

static const char *source_path(struct handover *handover)
{
    struct pool *pool = &handover->page;
    const char *from = pool_segment(pool, handover->from);
    const char *after = handover->after != NULL ? pool_segment(pool, handover->after) : "";
    const char *and = handover->after != NULL ? "&after=" : "";
    if (from == NULL || after == NULL)
        return NULL;
    if (piece_of(handover) == PIECE_REMINDER)
        return pool_print(pool, "/v1/reminders?limit=1000&%s=%s%s%s",
                          handover->source == 0 ? "to" : "of", from, and, after);
    if (piece_of(handover) == PIECE_CUSTOMER)
        return pool_print(pool, "/v1/customers?limit=1000%s%s", and, after);
    const char *kind = pool_segment(pool, kind_of(handover));
    return kind == NULL ? NULL
                        : pool_print(pool, "/v1/records/%s?open=1&limit=1000&owner=%s%s%s", kind,
                                     from, and, after);
}

static void on_page(void *arg, int32_t status, struct kith_doc result)
{
    if (handover_take_page(arg, status, result))
        next_piece(arg);
}

static void ask_page(struct handover *handover)
{
    const struct kith_doc none = { NULL, 0 };
    handover_ask(handover, "GET", source_path(handover), none, on_page);
}

void handover_list(struct handover *handover)
{
    handover->source = 0;
    handover->found = 0;
    handover->after = NULL;
    memset(handover->listed, 0, sizeof handover->listed);
    ask_page(handover);
}

static void next_page(struct handover *handover)
{
    if (handover->after == NULL)
        handover->source++;
    if (handover->source <= SOURCES_BEFORE_KINDS + handover->kind_count)
        ask_page(handover);
    else
        handover_listed(handover);
}

/* -- Pieces ------------------------------------------------------------------------------------ */

static bool is_wanted(struct handover *handover)
{
    bool is_itself = piece_of(handover) == PIECE_RECORD &&
                     strcmp(kind_of(handover), "handover") == 0 &&
                     (uint64_t)kith_get_int(handover->row, "id", 0) == handover->number;
    return !is_itself && handover_is_hers(handover, piece_of(handover), handover->row);
}

/* What the piece is of: "42", "promise:3". */
static const char *thing_of(struct handover *handover)
{
    unsigned long long number = (unsigned long long)kith_get_int(handover->row, "id", 0);
    bool is_record = piece_of(handover) == PIECE_RECORD;
    return pool_print(&handover->page, "%s%s%llu", is_record ? kind_of(handover) : "",
                      is_record ? ":" : "", number);
}

static const char *key_path(struct handover *handover, const char *what, const char *thing)
{
    struct pool *pool = &handover->page;
    const char *key =
        pool_print(pool, "%llu/%s/%s", (unsigned long long)handover->number, what, thing);
    const char *segment = key != NULL ? pool_segment(pool, key) : NULL;
    return segment != NULL ? pool_print(pool, "/v1/records/handover_item/key:%s", segment) : NULL;
}

/* The last ones, as they were written. */
static void put_notes(struct kith_writer *w, struct kith_doc timeline)
{
    struct kith_iter it = kith_iter(kith_get_doc(timeline, "items"));
    size_t count = 0;
    kith_open_array(w, "notes");
    while (kith_next(&it) && count < HANDOVER_NOTES_MAX) {
        struct kith_doc event = kith_as_doc(&it.value);
        struct kith_text text = kith_get_text(kith_get_doc(event, "data"), "text");
        if (!kith_is(kith_get_text(event, "type"), "Note") || text.size == 0)
            continue;
        kith_put_text(w, "", handover_cut(text));
        count++;
    }
    kith_close(w);
}

static void put_fields(struct handover *handover, struct kith_writer *w, const char *what,
                       const char *thing, struct kith_doc timeline)
{
    bool is_customer = piece_of(handover) == PIECE_CUSTOMER;
    struct kith_text title = kith_get_text(handover->row, is_customer ? "name" : "title");
    kith_open(w, "fields");
    kith_put_int(w, "handover", (int64_t)handover->number);
    kith_put_string(w, "what", what);
    kith_put_string(w, "thing", thing);
    if (title.size != 0)
        kith_put_text(w, "title", handover_cut(title));
    if (is_customer)
        put_notes(w, timeline);
    kith_close(w);
}

static void on_again(void *arg, int32_t status, struct kith_doc result)
{
    struct handover *handover = arg;
    if (handover_went_well(status))
        next_piece(handover);
    else
        handover_pause(handover, kith_get_text(result, "detail").data);
}

/* It was given and is hers all the same: by a list that is behind, or since. */
static void on_looked_again(void *arg, int32_t status, struct kith_doc result)
{
    static const char *const names[] = { "customer", "record", "reminder" };
    const struct kith_value none = { KITH_NULL, 0, { 0 } };
    struct handover *handover = arg;
    char room[100];
    struct kith_writer w;
    const char *path = key_path(handover, names[piece_of(handover)], thing_of(handover));
    if (status != 200 || !handover_is_hers(handover, piece_of(handover), result)) {
        next_piece(handover);
        return;
    }
    kith_begin(&w, room, sizeof room);
    kith_open(&w, "fields");
    kith_put(&w, "confirmed_by", &none);
    kith_close(&w);
    handover->found++;
    handover_ask(handover, "POST",
                 path != NULL ? pool_print(&handover->page, "%s/list", path) : NULL, kith_end(&w),
                 on_again);
}

static void on_put(void *arg, int32_t status, struct kith_doc result)
{
    struct handover *handover = arg;
    const struct kith_doc none = { NULL, 0 };
    struct kith_text state = kith_get_text(result, "state");
    if (!handover_went_well(status)) {
        handover_pause(handover, kith_get_text(result, "detail").data);
        return;
    }
    handover->listed[piece_of(handover)]++;
    handover->found += kith_is(state, "listed") || kith_is(state, "confirmed");
    if (!kith_is(state, "given") && !kith_is(state, "settled"))
        next_piece(handover);
    else
        handover_ask(handover, "GET",
                     handover_path(handover, piece_of(handover), kith_text(thing_of(handover)), ""),
                     none, on_looked_again);
}

static void put_piece(struct handover *handover, struct kith_doc timeline)
{
    static const char *const names[] = { "customer", "record", "reminder" };
    char room[HANDOVER_BODY_ROOM];
    struct kith_writer w;
    bool is_customer = piece_of(handover) == PIECE_CUSTOMER;
    int64_t customer = kith_get_int(handover->row, is_customer ? "id" : "customer", 0);
    const char *what = names[piece_of(handover)], *thing = thing_of(handover);
    if (thing == NULL) {
        handover_end(handover);
        return;
    }
    kith_begin(&w, room, sizeof room);
    if (customer != 0)
        kith_put_int(&w, "customer", customer);
    kith_put_string(&w, "owner", handover->from);
    put_fields(handover, &w, what, thing, timeline);
    handover_ask(handover, "PUT", key_path(handover, what, thing), kith_end(&w), on_put);
}

static void on_timeline(void *arg, int32_t status, struct kith_doc result)
{
    if (status == 200)
        put_piece(arg, result);
    else
        handover_end(arg); /* erased meanwhile, or busy: the next look knows */
}

static void list_piece(struct handover *handover)
{
    const struct kith_doc none = { NULL, 0 };
    if (piece_of(handover) != PIECE_CUSTOMER)
        put_piece(handover, none);
    else
        handover_ask(handover, "GET",
                     pool_print(&handover->page, "/v1/customers/%s/timeline?limit=%d",
                                thing_of(handover), HANDOVER_EVENTS),
                     none, on_timeline);
}

static void next_piece(struct handover *handover)
{
    while (handover_next_row(handover))
        if (is_wanted(handover)) {
            list_piece(handover);
            return;
        }
    next_page(handover);
}
