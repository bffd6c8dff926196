/* outside_event.c -- see outside_event.h. */
#include "tests/sim/outside_event.h"

#include "core/base/doc.h"
#include "core/server/submission.h"
#include "tests/sim/dice.h"

#include <stdio.h>

void outside_put_text(struct doc_writer *w, const char *name, const char *format, int number)
{
    char text[32];
    snprintf(text, sizeof text, format, number);
    doc_put_string(w, name, text);
}

static void put_data(struct doc_writer *w, int event, uint64_t dice)
{
    doc_put_int(w, "number", event);
    doc_put_int(w, "total", (int64_t)(dice >> 16) % 100);
    doc_put_int(w, "page", (int64_t)(dice >> 24) % 5);
}

/* Some files are several customers'. */
static void put_files(struct doc_writer *w, uint64_t dice)
{
    char hash[65];
    snprintf(hash, sizeof hash, "%064x", (unsigned)(dice >> 24 & 3));
    doc_open_array(w, "files");
    doc_put_string(w, "", hash);
    doc_close(w);
}

/* Customers move, and now and then to a place that is none. */
static void put_zone(struct doc_writer *w, uint64_t dice)
{
    static const char *const zones[] = { "Asia/Shanghai", "America/New_York", "Europe/Berlin",
                                         "Australia/Sydney", "Mars/Olympus" };
    size_t i = (size_t)(dice >> 28) % 8;
    if (i < sizeof zones / sizeof *zones)
        doc_put_string(w, "timezone", zones[i]);
}

static void put_name(struct doc_writer *w, bool is_known, int user, int anon)
{
    if (is_known)
        outside_put_text(w, "user", "u-%d", user);
    else
        outside_put_text(w, "anon", "a-%d", anon);
}

void outside_put_event(struct submission *submission, uint64_t seed, int event, int64_t wall,
                       bool is_logged_in)
{
    uint64_t dice = dice_roll(seed, (uint64_t)event, 3);
    int anon = (int)(dice >> 40 & 0xffff) % 6 + 1;
    /* Mostly one browser a person, so that merges and what came before them meet. */
    int user = (dice >> 56) % 4 != 0 ? anon : (int)(dice >> 32 & 0xffff) % 6 + 1;
    struct doc_writer w;
    submission_begin(submission, &w);
    outside_put_text(&w, "id", "e-%d", event);
    doc_put_string(&w, "source", "web");
    if (dice % 8 == 0)
        doc_put_int(&w, "at", wall - 5000);
    switch (dice % 10) {
    case 0:
    case 1:
        doc_put_string(&w, "type", "identify");
        doc_put_string(&w, "call", "identify");
        outside_put_text(&w, "user", "u-%d", user);
        outside_put_text(&w, "anon", "a-%d", anon);
        break;
    case 2:
    case 3:
        doc_put_string(&w, "type", "visit");
        doc_put_string(&w, "call", "track");
        put_name(&w, is_logged_in, user, anon);
        break;
    case 4: /* a client forges the system, or a plugin: kept, and nothing happens */
        doc_put_string(&w, "type", dice >> 20 & 1 ? "reminder.due" : "tally.quiet");
        doc_put_string(&w, "call", "track");
        outside_put_text(&w, "user", "u-%d", user);
        break;
    default: /* some order before they say who they are */
        doc_put_string(&w, "type", "order");
        doc_put_string(&w, "call", "track");
        put_name(&w, dice % 10 > 6 || is_logged_in, user, anon);
    }
    doc_open(&w, "data");
    put_data(&w, event, dice);
    if (dice % 10 < 2)
        put_zone(&w, dice);
    if (dice % 7 == 3)
        put_files(&w, dice);
    doc_close(&w);
    submission_end(submission, &w);
}
