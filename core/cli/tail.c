/* tail.c -- kith tail: all that happens, a line each, for as long as somebody watches.
 *
 * The daemon's stream is server-sent events (core/server/stream.h).  Whatever ends an answer but
 * the person, the next one begins behind the last id that came: so the place is in memory before
 * the line is on the screen.
 */
#include "core/base/json_read.h"
#include "core/base/mem.h"
#include "core/cli/cli.h"
#include "core/cli/interrupt.h"

#include <stdio.h>
#include <string.h>

#define AGAIN_MS 1000
#define LINE_BYTES_MAX (8u << 20) /* beyond any event */

/* Cells that a column has unless a line needs more. */
enum { ENTRY_CELLS = 9, CUSTOMER_CELLS = 8, TYPE_CELLS = 20 };

struct tail {
    struct cli *cli;
    struct json_reader *reader;
    struct buf line;  /* not ended yet */
    struct buf block; /* the data of the block that is coming */
    struct buf id, block_id;
    struct buf scratch;
    bool is_lost; /* the daemon, and that has been said */
};

/* -- A line for people ------------------------------------------------------------------------- */

static void add_cell(struct tail *tail, struct text text, size_t cells, enum tint tint)
{
    struct buf *out = &tail->cli->out;
    struct buf clean = BUF_INIT;
    text_clean(text, &clean);
    struct text shown = { buf_string(&clean), (uint32_t)clean.size };
    screen_tint(&tail->cli->screen, tint, shown.data, out);
    for (size_t width = text_width(shown); width < cells; width++)
        buf_byte(out, ' ');
    buf_text(out, "  ");
    buf_deinit(&clean);
}

static void add_value(struct tail *tail, struct doc event, const char *name, size_t cells,
                      enum tint tint)
{
    struct doc_value value = doc_get(event, name);
    struct buf text = BUF_INIT;
    value_print(&value, &text);
    add_cell(tail, (struct text){ buf_string(&text), (uint32_t)text.size }, cells, tint);
    buf_deinit(&text);
}

/* What is left of the line's width on a terminal; all of it in a pipe. */
static void add_rest(struct tail *tail, struct text text, size_t used, enum tint tint)
{
    const struct screen *screen = &tail->cli->screen;
    struct buf *out = &tail->cli->out, clean = BUF_INIT;
    text_clean(text, &clean);
    size_t left = screen->width > used + 1 ? screen->width - used - 1 : 0;
    struct text shown = { buf_string(&clean), (uint32_t)clean.size };
    if (screen->width != 0 && text_width(shown) > left) {
        clean.size = text_cut(shown, left);
        buf_text(&clean, "\u2026");
    }
    screen_tint(screen, tint, buf_string(&clean), out);
    buf_deinit(&clean);
}

static void print_event(struct tail *tail, struct doc event)
{
    struct cli *cli = tail->cli;
    struct text unreadable = doc_text(event, "unreadable");
    struct text entry = { buf_string(&tail->block_id), (uint32_t)tail->block_id.size };
    struct buf *text = &tail->scratch;
    size_t used = 16 + ENTRY_CELLS + CUSTOMER_CELLS + TYPE_CELLS + 8;
    buf_clear(text);
    screen_time(&cli->screen, doc_text(event, "at"), text);
    add_cell(tail, (struct text){ buf_string(text), (uint32_t)text->size }, 0, TINT_NONE);
    add_cell(tail, entry, ENTRY_CELLS, TINT_DIM);
    add_value(tail, event, "customer", CUSTOMER_CELLS, TINT_NONE);
    add_value(tail, event, "type", TYPE_CELLS, TINT_BOLD);
    buf_clear(text);
    print_data(cli, text, doc_child(event, "data"));
    if (unreadable.size != 0)
        add_rest(tail, unreadable, used, TINT_RED);
    else
        add_rest(tail, (struct text){ buf_string(text), (uint32_t)text->size }, used, TINT_NONE);
    while (cli->out.size != 0 && cli->out.data[cli->out.size - 1] == ' ')
        cli->out.size--;
    buf_byte(&cli->out, '\n');
}

/* -- Server-sent events ------------------------------------------------------------------------ */

static void end_block(struct tail *tail)
{
    const struct json_limits limits = { .depth_max = DOC_DEPTH_MAX };
    struct cli *cli = tail->cli;
    struct buf bytes = BUF_INIT;
    struct doc event;
    if (tail->block_id.size != 0) {
        buf_clear(&tail->id);
        buf_append(&tail->id, tail->block_id.data, tail->block_id.size);
    }
    if (tail->block.size != 0 && cli->is_json) {
        buf_append(&cli->out, tail->block.data, tail->block.size);
        buf_byte(&cli->out, '\n');
    } else if (tail->block.size != 0 &&
               json_to_doc(tail->reader, (const char *)tail->block.data, tail->block.size, &limits,
                           &bytes, &event, NULL) == 0) {
        print_event(tail, event);
    }
    buf_deinit(&bytes);
    buf_clear(&tail->block);
    buf_clear(&tail->block_id);
}

static void take_line(struct tail *tail, const char *line, size_t size)
{
    if (size != 0 && line[size - 1] == '\r')
        size--;
    if (size == 0)
        end_block(tail);
    else if (size > 4 && memcmp(line, "id: ", 4) == 0)
        buf_append(&tail->block_id, line + 4, size - 4);
    else if (size > 6 && memcmp(line, "data: ", 6) == 0)
        buf_append(&tail->block, line + 6, size - 6);
}

/* Whole lines of `line`; what is left stays. */
static void take_lines(struct tail *tail)
{
    const char *start = (const char *)tail->line.data, *end = start + tail->line.size, *stop;
    while (start < end && (stop = memchr(start, '\n', (size_t)(end - start))) != NULL) {
        take_line(tail, start, (size_t)(stop - start));
        start = stop + 1;
    }
    size_t left = (size_t)(end - start);
    if (left != 0)
        memmove(tail->line.data, start, left);
    tail->line.size = left;
}

static bool take_bytes(void *arg, const char *bytes, size_t size)
{
    struct tail *tail = arg;
    if (tail->line.size + size > LINE_BYTES_MAX)
        return false;
    tail->is_lost = false;
    buf_append(&tail->line, bytes, size);
    if (memchr(bytes, '\n', size) != NULL)
        take_lines(tail);
    cli_flush(tail->cli);
    return ferror(stdout) == 0;
}

/* -- The command ------------------------------------------------------------------------------- */

static void build_path(struct tail *tail)
{
    struct cli *cli = tail->cli;
    const char *type;
    size_t at = 0;
    cli_path(cli, "/v1/stream", NULL, NULL);
    path_query(&cli->path, "after",
               tail->id.size != 0 ? buf_string(&tail->id) : args_value(&cli->args, "after"));
    while ((type = args_next(&cli->args, "type", &at)) != NULL)
        path_query(&cli->path, "type", type);
}

/* The daemon is busy, ending, or behind something that is. */
static bool is_passing(long status)
{
    return status == 429 || status >= 500;
}

/* Whether to try again; said once until it has been reached. */
static bool is_worth_waiting(struct tail *tail, int rc, const struct reply *reply,
                             const struct err *err)
{
    bool was_reached = tail->id.size != 0;
    if (rc == 0 && reply->status == 200)
        return true;
    if (!was_reached || (rc == 0 ? !is_passing(reply->status) : rc != E_IO))
        return false;
    if (!tail->is_lost && rc != 0)
        cli_fail(tail->cli, "%s; trying again", err->text);
    tail->is_lost = true;
    return true;
}

/* Until Ctrl-C, or something that waiting does not mend. */
static int follow(struct tail *tail)
{
    struct cli *cli = tail->cli;
    struct reply reply;
    struct err err;
    for (;;) {
        build_path(tail);
        buf_clear(&tail->line);
        buf_clear(&tail->block);
        buf_clear(&tail->block_id);
        int rc = client_follow(cli->client, buf_string(&cli->path), take_bytes, tail, &reply, &err);
        if (interrupt_seen() || ferror(stdout) != 0)
            return EXIT_DONE;
        if (!is_worth_waiting(tail, rc, &reply, &err))
            return rc != 0 ? cli_fail_err(cli, &err) : cli_problem(cli, &reply);
        interrupt_sleep(AGAIN_MS);
        if (interrupt_seen())
            return EXIT_DONE;
    }
}

int run_tail(struct cli *cli)
{
    struct tail tail = { .cli = cli, .reader = json_reader_new() };
    interrupt_watch();
    int code = follow(&tail);
    json_reader_free(tail.reader);
    buf_deinit(&tail.line);
    buf_deinit(&tail.block);
    buf_deinit(&tail.id);
    buf_deinit(&tail.block_id);
    buf_deinit(&tail.scratch);
    return code;
}
