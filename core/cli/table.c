/* table.c -- widths, columns, colours; see table.h.
 *
 * The width of a character is its East Asian width as ICU knows it: wide and full-width
 * ones take two cells, marks and format characters none.  Ambiguous ones count as one:
 * that is how terminals draw them outside of old Chinese encodings.
 */
#include "core/cli/table.h"

#include "core/base/json_write.h"
#include "core/base/mem.h"
#include "core/base/moment.h"
#include "core/base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>
#include <unistd.h>

#define GAP 2 /* blanks between columns */
#define WIDTH_DEFAULT 80

struct table_cell {
    size_t at, size; /* in table->text */
    size_t width;
    enum tint tint;
    bool is_whole;
};

struct screen screen_of_stdout(void)
{
    struct winsize size = { .ws_col = 0 };
    struct screen screen = { .is_terminal = isatty(STDOUT_FILENO) != 0 };
    const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    if (!screen.is_terminal)
        return screen;
    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    screen.width = size.ws_col != 0 ? size.ws_col : WIDTH_DEFAULT;
    screen.has_colour =
        (no_colour == NULL || no_colour[0] == '\0') && (term == NULL || strcmp(term, "dumb") != 0);
    return screen;
}

/* -- Characters -------------------------------------------------------------------------- */

static size_t character_width(UChar32 c)
{
    int8_t type = u_charType(c);
    if (type == U_NON_SPACING_MARK || type == U_ENCLOSING_MARK || type == U_FORMAT_CHAR)
        return 0;
    int32_t hangul = u_getIntPropertyValue(c, UCHAR_HANGUL_SYLLABLE_TYPE);
    if (hangul == U_HST_VOWEL_JAMO || hangul == U_HST_TRAILING_JAMO)
        return 0;
    int32_t width = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);
    return width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
}

static UChar32 next_character(struct text text, int32_t *at)
{
    UChar32 c;
    const uint8_t *bytes = (const uint8_t *)text.data;
    U8_NEXT_OR_FFFD(bytes, *at, (int32_t)text.size, c);
    return c;
}

size_t text_width(struct text text)
{
    size_t width = 0;
    for (int32_t at = 0; (uint32_t)at < text.size;)
        width += character_width(next_character(text, &at));
    return width;
}

size_t text_cut(struct text text, size_t width)
{
    int32_t at = 0, end = 0;
    while ((uint32_t)at < text.size) {
        size_t more = character_width(next_character(text, &at));
        if (more > width)
            break;
        width -= more;
        end = at;
    }
    return (size_t)end;
}

/* Line breaks and their kin would break the table; controls, the terminal; the marks that
 * turn the direction of writing, the reader. */
static bool is_dangerous(UChar32 c)
{
    return u_iscntrl(c) || c == 0x2028 || c == 0x2029 || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

void text_clean(struct text text, struct buf *out)
{
    struct buf valid = BUF_INIT;
    utf8_clean(text.data, text.size, &valid);
    struct text source = { (const char *)valid.data, (uint32_t)valid.size };
    for (int32_t at = 0, start = 0; (uint32_t)at < source.size; start = at) {
        UChar32 c = next_character(source, &at);
        if (is_dangerous(c))
            buf_byte(out, ' ');
        else
            buf_append(out, source.data + start, (size_t)(at - start));
    }
    buf_deinit(&valid);
}

/* -- Tables ------------------------------------------------------------------------------ */

void table_init(struct table *table, const struct column *columns)
{
    *table = (struct table){ .columns = columns };
    while (columns[table->column_count].title != NULL)
        table->column_count++;
}

void table_deinit(struct table *table)
{
    buf_deinit(&table->text);
    free(table->cells);
    table->cells = NULL;
    table->count = 0;
}

void table_add(struct table *table, struct text text, enum tint tint)
{
    struct table_cell cell = { .at = table->text.size, .tint = tint };
    text_clean(text, &table->text);
    cell.size = table->text.size - cell.at;
    cell.width =
        text_width((struct text){ (const char *)table->text.data + cell.at, (uint32_t)cell.size });
    if ((table->count & (table->count - 1)) == 0) /* full at the powers of two */
        table->cells =
            mem_resize(table->cells, (table->count != 0 ? 2 * table->count : 1) * sizeof cell);
    table->cells[table->count++] = cell;
}

void table_add_whole(struct table *table, struct text text, enum tint tint)
{
    table_add(table, text, tint);
    table->cells[table->count - 1].is_whole = true;
}

void table_add_string(struct table *table, const char *text, enum tint tint)
{
    table_add(table, text_of(text), tint);
}

size_t table_rows(const struct table *table)
{
    return table->count / table->column_count;
}

void table_yield(struct table *table, const char *title, enum yielding how)
{
    ASSERT(table->yield_count < TABLE_YIELDS_MAX);
    for (size_t i = 0; i < table->column_count; i++)
        if (strcmp(table->columns[i].title, title) == 0)
            table->yields[table->yield_count++] = (struct table_yield){ i, how };
}

static size_t column_width(const struct table *table, size_t column)
{
    size_t width = text_width(text_of(table->columns[column].title));
    for (size_t i = column; i < table->count; i += table->column_count)
        if (table->cells[i].width > width)
            width = table->cells[i].width;
    return width;
}

/* -- Giving way -------------------------------------------------------------------------- */

/* Where a column stands, and how wide it is there. */
struct place {
    size_t width;
    enum yielding how;
    bool can_give;
};

static bool gives_way(const struct table *table, size_t column)
{
    if (table->columns[column].is_number)
        return false;
    for (size_t i = column; i < table->count; i += table->column_count)
        if (table->cells[i].is_whole)
            return false;
    return true;
}

static size_t cells_at(const struct place *place, size_t level)
{
    return place->can_give && place->width > level ? level : place->width;
}

/* What a line takes when no column that gives way has more than `level` cells. */
static size_t line_width(const struct table *table, const struct place places[], size_t level)
{
    size_t sum = 0;
    for (size_t i = 0; i < table->column_count; i++)
        if (places[i].how == YIELD_NOT)
            sum += cells_at(&places[i], level) + (sum != 0 ? GAP : 0);
    return sum;
}

static void yield(const struct table *table, size_t screen_width, struct place places[])
{
    for (size_t i = 0; i < table->yield_count; i++) {
        if (line_width(table, places, SIZE_MAX) <= screen_width)
            return;
        places[table->yields[i].column].how = table->yields[i].how;
    }
}

/* The highest level at which the table fits; what division leaves over goes to the first. */
static void give_way(const struct table *table, size_t screen_width, struct place places[])
{
    size_t level = screen_width > COLUMN_CELLS_MIN ? screen_width : COLUMN_CELLS_MIN;
    while (level > COLUMN_CELLS_MIN && line_width(table, places, level) > screen_width)
        level--;
    size_t used = line_width(table, places, level);
    for (size_t i = 0; i < table->column_count; i++) {
        if (places[i].how != YIELD_NOT || cells_at(&places[i], level) == places[i].width)
            continue;
        bool has_more = used < screen_width;
        places[i].width = level + has_more;
        used += has_more;
    }
}

/* Where even that is too wide, the columns at the end get what is left, or nothing. */
static void fit(const struct table *table, size_t screen_width, struct place places[])
{
    size_t left = screen_width;
    yield(table, screen_width, places);
    give_way(table, screen_width, places);
    for (size_t i = 0; i < table->column_count; i++) {
        if (places[i].how != YIELD_NOT)
            continue;
        if (places[i].width > left)
            places[i].width = left;
        left -= places[i].width;
        left -= left < GAP ? left : GAP;
    }
}

/* -- Lines ------------------------------------------------------------------------------- */

static void blanks(struct buf *out, size_t count)
{
    for (; count != 0; count--)
        buf_byte(out, ' ');
}

static const char *tint_code(enum tint tint)
{
    static const char *const codes[] = {
        [TINT_NONE] = "",        [TINT_DIM] = "\033[2m",    [TINT_BOLD] = "\033[1m",
        [TINT_RED] = "\033[31m", [TINT_GREEN] = "\033[32m", [TINT_YELLOW] = "\033[33m",
    };
    return codes[tint];
}

enum tint tint_of_state(struct text state)
{
    static const struct {
        const char *states; /* between blanks */
        enum tint tint;
    } tints[] = {
        { " sent open ok granted active closed ", TINT_GREEN },
        { " pending claimed uncertain held half-open ", TINT_YELLOW },
        { " failed rejected paused bounced complained withdrawn ", TINT_RED },
        { " done suppressed expired dropped ", TINT_DIM },
    };
    char word[24];
    int size = snprintf(word, sizeof word, " %.*s ", (int)state.size, state.data);
    for (size_t i = 0; state.size != 0 && i < sizeof tints / sizeof *tints; i++)
        if ((size_t)size < sizeof word && strstr(tints[i].states, word) != NULL)
            return tints[i].tint;
    return TINT_NONE;
}

static void tinted(const struct screen *screen, enum tint tint, struct text text, struct buf *out)
{
    bool is_tinted = screen->has_colour && tint != TINT_NONE && text.size != 0;
    if (is_tinted)
        buf_text(out, tint_code(tint));
    buf_append(out, text.data, text.size);
    if (is_tinted)
        buf_text(out, "\033[0m");
}

void screen_tint(const struct screen *screen, enum tint tint, const char *text, struct buf *out)
{
    tinted(screen, tint, text_of(text), out);
}

/* One cell in its column; nothing is set behind the last one. */
static void print_cell(const struct screen *screen, const struct column *column, size_t width,
                       struct text text, enum tint tint, struct buf *out)
{
    size_t own = text_width(text);
    bool is_cut = own > width;
    if (is_cut) {
        text.size = width != 0 ? (uint32_t)text_cut(text, width - 1) : 0;
        own = width != 0 ? text_width(text) + 1 : 0;
    }
    if (column->is_number && own < width)
        blanks(out, width - own);
    tinted(screen, tint, text, out);
    if (is_cut && width != 0)
        tinted(screen, tint, text_of("\u2026"), out);
    if (!column->is_number && own < width)
        blanks(out, width - own);
    blanks(out, GAP);
}

static void trim_line(struct buf *out, size_t start)
{
    while (out->size > start && out->data[out->size - 1] == ' ')
        out->size--;
    buf_byte(out, '\n');
}

/* -- Below a row ------------------------------------------------------------------------- */

/* Text that flows through lines of `width` cells behind `indent` blanks. */
struct flow {
    const struct screen *screen;
    struct buf *out;
    size_t indent, width, left; /* of the current line */
    size_t lines;
};

static bool flow_line(struct flow *flow)
{
    if (flow->lines == BELOW_LINES_MAX)
        return false;
    if (flow->lines++ != 0)
        buf_byte(flow->out, '\n');
    blanks(flow->out, flow->indent);
    flow->left = flow->width;
    return true;
}

/* How much of a text that is too long for the line still goes there: whole words, or, where a
 * line does not hold one, as much as it holds. */
static size_t flow_break(const struct flow *flow, struct text text)
{
    size_t size = text_cut(text, flow->left), end = size;
    if (size == text.size)
        return size;
    while (end != 0 && text.data[end] != ' ')
        end--;
    return end != 0 || flow->left != flow->width ? end : size;
}

/* False: there is no room for more. */
static bool flow_text(struct flow *flow, struct text text, enum tint tint)
{
    while (text.size != 0) {
        struct text piece = { text.data, (uint32_t)flow_break(flow, text) };
        tinted(flow->screen, tint, piece, flow->out);
        flow->left -= text_width(piece);
        text.data += piece.size;
        text.size -= piece.size;
        for (; text.size != 0 && text.data[0] == ' '; text.size--)
            text.data++;
        if (text.size == 0)
            break;
        if (!flow_line(flow)) {
            buf_text(flow->out, "\u2026");
            return false;
        }
    }
    return true;
}

/* Between one text and the next, where the line has room for more than the gap. */
static bool flow_gap(struct flow *flow)
{
    static const char gap[] = " -- ";
    if (flow->lines == 0 || flow->left < sizeof gap)
        return flow_line(flow);
    buf_text(flow->out, gap);
    flow->left -= sizeof gap - 1;
    return true;
}

static struct text cell_text(const struct table *table, const struct table_cell *cells, size_t i)
{
    if (cells == NULL) /* the titles */
        return text_of(table->columns[i].title);
    return (struct text){ (const char *)table->text.data + cells[i].at, (uint32_t)cells[i].size };
}

/* Under the second column, if that leaves most of the line. */
static size_t below_indent(const struct screen *screen, const struct place places[])
{
    size_t indent = places[0].width + GAP;
    return indent > screen->width / 3 ? GAP : indent;
}

static void print_below(const struct table *table, const struct screen *screen,
                        const struct place places[], const struct table_cell *cells,
                        struct buf *out)
{
    struct flow flow = { screen, out, below_indent(screen, places), 1, 0, 0 };
    if (screen->width > flow.indent + 1) /* a cell is for the ellipsis */
        flow.width = screen->width - flow.indent - 1;
    bool has_room = true;
    for (size_t i = 0; has_room && i < table->column_count; i++) {
        struct text text = cell_text(table, cells, i);
        if (places[i].how != YIELD_BELOW || text.size == 0)
            continue;
        has_room =
            flow_gap(&flow) && flow_text(&flow, text, cells != NULL ? cells[i].tint : TINT_DIM);
    }
    if (flow.lines != 0)
        buf_byte(out, '\n');
}

/* -- Rows -------------------------------------------------------------------------------- */

static void print_row(const struct table *table, const struct screen *screen,
                      const struct place places[], const struct table_cell *cells, struct buf *out)
{
    size_t start = out->size;
    for (size_t i = 0; i < table->column_count; i++)
        if (places[i].how == YIELD_NOT)
            print_cell(screen, &table->columns[i], places[i].width, cell_text(table, cells, i),
                       cells != NULL ? cells[i].tint : TINT_DIM, out);
    trim_line(out, start);
    print_below(table, screen, places, cells, out);
}

void table_print(const struct table *table, const struct screen *screen, struct buf *out)
{
    struct place *places = mem_alloc(table->column_count * sizeof *places);
    ASSERT(table->count % table->column_count == 0);
    for (size_t i = 0; i < table->column_count; i++)
        places[i] = (struct place){ column_width(table, i), YIELD_NOT, gives_way(table, i) };
    if (screen->width != 0)
        fit(table, screen->width, places);
    print_row(table, screen, places, NULL, out);
    for (size_t row = 0; row < table_rows(table); row++)
        print_row(table, screen, places, table->cells + row * table->column_count, out);
    free(places);
}

/* -- Values ------------------------------------------------------------------------------ */

void screen_time(const struct screen *screen, struct text instant, struct buf *out)
{
    int64_t ms;
    struct tm local;
    char text[32];
    if (!screen->is_terminal || instant.size == 0 ||
        moment_parse(instant.data, instant.size, &ms, NULL) != 0) {
        text_clean(instant, out);
        return;
    }
    time_t seconds = (time_t)((ms - (ms % 1000 + 1000) % 1000) / 1000);
    if (localtime_r(&seconds, &local) != NULL &&
        strftime(text, sizeof text, "%Y-%m-%d %H:%M", &local) != 0)
        buf_text(out, text);
}

/* {amount = "12.50", currency = "EUR"} as clerks write it: 12.50 EUR */
static bool print_money(const struct doc_value *value, struct buf *out)
{
    if (value->type != DOC_DOC || doc_count(value->doc) != 2)
        return false;
    struct text currency = doc_text(value->doc, "currency");
    struct doc_value amount = doc_get(value->doc, "amount");
    if (currency.size != 3 || amount.type == DOC_NONE || amount.type == DOC_NULL ||
        amount.type == DOC_DOC || amount.type == DOC_ARRAY)
        return false;
    value_print(&amount, out);
    buf_printf(out, " %.*s", (int)currency.size, currency.data);
    return true;
}

void value_print(const struct doc_value *value, struct buf *out)
{
    if (value->type == DOC_TEXT)
        buf_append(out, value->text.data, value->text.size);
    else if (value->type != DOC_NONE && !print_money(value, out))
        json_write_value(out, value);
}
