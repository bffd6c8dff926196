/* table.h -- text in columns, for people.
 *
 * On a terminal columns are aligned by what the characters occupy there: Chinese ones
 * two cells, combining ones none.  In a table wider than the screen the columns that may yield
 * do so first: what they hold goes onto lines of its own below the row, or is left out.  Then
 * it gives way where it is widest: cells of the widest columns end in an ellipsis, but never a
 * number or a time, which would be another one then.  Whatever a customer managed to call
 * herself, the terminal gets no control characters.  In a pipe the same text comes without
 * colours, uncut, and without tabs.  One thread.
 */
#ifndef CORE_CLI_TABLE_H
#define CORE_CLI_TABLE_H

#include "core/base/doc.h"

struct screen {
    bool is_terminal; /* cut lines at the width, show local times */
    bool has_colour;
    size_t width; /* cells in a line; 0: unlimited */
};

/* What standard output is. */
struct screen screen_of_stdout(void);

enum tint { TINT_NONE, TINT_DIM, TINT_BOLD, TINT_RED, TINT_GREEN, TINT_YELLOW };

struct column {
    const char *title; /* NULL ends a list of columns */
    bool is_number;    /* aligned to the right */
};

/* What a column does where the table is wider than the screen. */
enum yielding {
    YIELD_NOT,
    YIELD_BELOW, /* its cells stand below their rows */
    YIELD_ALL,   /* it is left out: a narrow screen does without it */
};

#define TABLE_YIELDS_MAX 4

struct table {
    const struct column *columns;
    size_t column_count;
    struct table_yield {
        size_t column;
        enum yielding how;
    } yields[TABLE_YIELDS_MAX];
    size_t yield_count;
    struct buf text;
    struct table_cell *cells; /* row by row */
    size_t count;
};

#define COLUMN_CELLS_MIN 8 /* a column that gives way keeps as many */
#define BELOW_LINES_MAX 6  /* what stands below a row ends there */

void table_init(struct table *table, const struct column *columns);
void table_deinit(struct table *table);

/* The column of this title may yield.  Columns yield in the order of these calls, until the
 * rest fits. */
void table_yield(struct table *table, const char *title, enum yielding how);

/* The next cell of the current row; a full row is followed by the next one. */
void table_add(struct table *table, struct text text, enum tint tint);
void table_add_string(struct table *table, const char *text, enum tint tint); /* NULL: empty */
/* The same; its column never gives way. */
void table_add_whole(struct table *table, struct text text, enum tint tint);
size_t table_rows(const struct table *table);

/* Append the table, its titles first.  The last row must be full. */
void table_print(const struct table *table, const struct screen *screen, struct buf *out);

/* How many cells valid UTF-8 occupies on a terminal. */
size_t text_width(struct text text);
/* Bytes of the longest prefix that occupies at most `width` cells. */
size_t text_cut(struct text text, size_t width);
/* Append text with its control characters and broken bytes made visible. */
void text_clean(struct text text, struct buf *out);

/* What colour the state of an effect, reminder, channel, consent or address has: green for what
 * went well, yellow for what waits, red for what somebody should look at, dim for what is over. */
enum tint tint_of_state(struct text state);

/* Append `text` between the codes of a tint, if the screen has colours. */
void screen_tint(const struct screen *screen, enum tint tint, const char *text, struct buf *out);

/* Append an instant as the daemon writes it: on a terminal the wall clock of this machine,
 * "2026-11-21 18:11", else as it is.  Anything else is appended clean. */
void screen_time(const struct screen *screen, struct text instant, struct buf *out);

/* Append a value of a document so that people can read it: texts bare, money as 12.50 EUR, the
 * rest as JSON. */
void value_print(const struct doc_value *value, struct buf *out);

#endif
