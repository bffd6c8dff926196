/* mapping.c -- columns, bound to fields once, written row by row; see mapping.h.
 *
 * Somebody known only by e-mail or phone number still needs a name to send events under.
 * It is an anonymous id made of the normalised address: the same address, the same name, in
 * every file; and the daemon links it to whoever has that address already.
 */
#include "core/cli/mapping.h"

#include "core/base/err.h"
#include "core/base/identity_text.h"
#include "core/base/json_write.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/base/moment.h"
#include "core/base/phone.h"
#include "core/base/utf8.h"
#include "core/cli/columns.h"
#include "core/cli/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum field {
    FIELD_USER,
    FIELD_ANON,
    FIELD_AT,
    FIELD_EVENT,
    FIELD_MESSAGE,
    FIELD_EMAIL,
    FIELD_PHONE,
    FIELD_TRAIT,
    FIELD_PROPERTY,
    FIELD_CONSENT,
};

struct column {
    char *name; /* of the column, as --map has it; NULL: all columns were taken */
    size_t index;
    enum field field;
    char *target; /* of a trait or property its name; of a consent PURPOSE/CHANNEL */
    bool is_id;   /* from --id */
    struct value_type type;
};

struct mapping {
    const struct zone *zone;
    const char *event;
    const char *id;
    bool is_track;
    struct column *columns;
    size_t count;
};

struct mapping *mapping_new(const struct zone *zone, const char *event, const char *id)
{
    struct mapping *mapping = mem_zero(sizeof *mapping);
    mapping->zone = zone;
    mapping->event = event;
    mapping->id = id;
    mapping->is_track = event != NULL;
    return mapping;
}

void mapping_free(struct mapping *mapping)
{
    if (mapping == NULL)
        return;
    for (size_t i = 0; i < mapping->count; i++) {
        free(mapping->columns[i].name);
        free(mapping->columns[i].target);
    }
    free(mapping->columns);
    free(mapping);
}

/* -- --map ------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum field field;
} field_names[] = {
    { "userId", FIELD_USER }, { "anonymousId", FIELD_ANON },  { "at", FIELD_AT },
    { "event", FIELD_EVENT }, { "messageId", FIELD_MESSAGE }, { "email", FIELD_EMAIL },
    { "phone", FIELD_PHONE },
};

static char *copy_text(const char *data, size_t size)
{
    char *copy = mem_alloc(size + 1);
    memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}

/* What `name` means; *out_target is its rest. */
static enum field field_of(struct text name, struct text *out_target)
{
    static const char consent[] = "consent:", traits[] = "traits.";
    *out_target = name;
    for (size_t i = 0; i < sizeof field_names / sizeof *field_names; i++)
        if (text_is(name, field_names[i].name))
            return field_names[i].field;
    if (name.size > sizeof consent - 1 && memcmp(name.data, consent, sizeof consent - 1) == 0) {
        out_target->data += sizeof consent - 1;
        out_target->size -= (uint32_t)sizeof consent - 1;
        return FIELD_CONSENT;
    }
    if (name.size > sizeof traits - 1 && memcmp(name.data, traits, sizeof traits - 1) == 0) {
        out_target->data += sizeof traits - 1;
        out_target->size -= (uint32_t)sizeof traits - 1;
        return FIELD_TRAIT;
    }
    return FIELD_PROPERTY; /* or a trait, when rows turn out to be customers */
}

/* Each field takes the types that make sense for it. */
static int check_type(const struct column *column, const char *text, struct err *err)
{
    enum value_kind kind = column->type.kind;
    bool is_good = true;
    if (column->field == FIELD_AT)
        is_good = kind == VALUE_DATE;
    else if (column->field == FIELD_CONSENT)
        is_good = kind == VALUE_BOOL;
    else if (column->field == FIELD_PHONE)
        is_good = kind == VALUE_TEXT || kind == VALUE_PHONE;
    else if (column->field != FIELD_TRAIT && column->field != FIELD_PROPERTY)
        is_good = kind == VALUE_TEXT;
    if (!is_good)
        return err_set(err, E_INVALID, "--map \"%.100s\": this field cannot be of that type", text);
    if (column->field == FIELD_CONSENT && strchr(column->target, '/') == NULL)
        return err_set(err, E_INVALID, "--map \"%.100s\": write consent:PURPOSE/CHANNEL", text);
    return 0;
}

static struct column *new_column(struct mapping *mapping, struct err *err)
{
    if (mapping->count == MAPPING_COLUMNS_MAX) {
        err_set(err, E_LIMIT, "at most %d columns can be mapped", MAPPING_COLUMNS_MAX);
        return NULL;
    }
    mapping->columns =
        mem_resize(mapping->columns, (mapping->count + 1) * sizeof *mapping->columns);
    struct column *column = &mapping->columns[mapping->count++];
    *column = (struct column){ .name = NULL };
    return column;
}

static void set_field(struct mapping *mapping, struct column *column, struct text name)
{
    struct text target;
    column->field = field_of(name, &target);
    column->target = copy_text(target.data, target.size);
    if (column->field == FIELD_AT)
        column->type.kind = VALUE_DATE;
    if (column->field == FIELD_CONSENT)
        column->type.kind = VALUE_BOOL;
    if (column->field == FIELD_EVENT)
        mapping->is_track = true;
}

/* Where the type begins: behind a colon, but consent:... has one of its own. */
static const char *find_type(const char *field)
{
    const char *bracket = strchr(field, '(');
    size_t size = bracket != NULL ? (size_t)(bracket - field) : strlen(field);
    const char *colon = memrchr(field, ':', size);
    if (colon == field + strlen("consent") && strncmp(field, "consent", strlen("consent")) == 0)
        return NULL;
    return colon;
}

int mapping_add(struct mapping *mapping, const char *text, struct err *err)
{
    struct err why;
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text || equals[1] == '\0')
        return err_set(err, E_INVALID, "--map \"%.100s\": write COLUMN=FIELD or COLUMN=FIELD:TYPE",
                       text);
    struct column *column = new_column(mapping, err);
    if (column == NULL)
        return E_LIMIT;
    const char *field = equals + 1, *type = find_type(field);
    size_t size = type != NULL ? (size_t)(type - field) : strlen(field);
    if (size == 0 || size > NAME_BYTES_MAX + 8)
        return err_set(err, E_INVALID, "--map \"%.100s\": a field has 1 to %d bytes", text,
                       NAME_BYTES_MAX);
    column->name = copy_text(text, (size_t)(equals - text));
    column->type.decimal[0] = '.';
    set_field(mapping, column, (struct text){ field, (uint32_t)size });
    if (type != NULL && value_type_parse(text_of(type + 1), &column->type, &why) != 0)
        return err_set(err, E_INVALID, "--map \"%.100s\": %.200s", text, why.text);
    return check_type(column, text, err);
}

/* -- The header -------------------------------------------------------------------------- */

static int take_column(struct mapping *mapping, size_t index, struct buf name, struct err *err)
{
    if (name.size == 0 || name.size > NAME_BYTES_MAX)
        return err_set(err, E_INVALID, "column %zu has no name of 1 to %d bytes: use --map",
                       index + 1, NAME_BYTES_MAX);
    struct column *column = new_column(mapping, err);
    if (column == NULL)
        return E_LIMIT;
    column->index = index;
    column->type.decimal[0] = '.';
    set_field(mapping, column, (struct text){ (const char *)name.data, (uint32_t)name.size });
    return 0;
}

static int take_all_columns(struct mapping *mapping, const struct text *names, size_t count,
                            struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct buf name = BUF_INIT;
        columns_name(names[i], &name);
        int rc = take_column(mapping, i, name, err);
        buf_deinit(&name);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static bool has_field(const struct mapping *mapping, enum field field)
{
    for (size_t i = 0; i < mapping->count; i++)
        if (mapping->columns[i].field == field)
            return true;
    return false;
}

static int check_whole(const struct mapping *mapping, struct err *err)
{
    if (!has_field(mapping, FIELD_USER) && !has_field(mapping, FIELD_ANON) &&
        !has_field(mapping, FIELD_EMAIL) && !has_field(mapping, FIELD_PHONE))
        return err_set(err, E_INVALID,
                       "no column says who a row is about: map one to userId, anonymousId, "
                       "email or phone");
    for (size_t i = 0; i < mapping->count; i++)
        for (size_t j = 0; j < i; j++)
            if (mapping->columns[i].field == mapping->columns[j].field &&
                strcmp(mapping->columns[i].target, mapping->columns[j].target) == 0)
                return err_set(err, E_INVALID, "two columns are mapped to %s",
                               mapping->columns[i].target);
    return 0;
}

/* --id COLUMN is --map COLUMN=messageId, told from other kinds of rows: an order and a customer may
 * both be number 17. */
static int add_id(struct mapping *mapping, struct err *err)
{
    struct column *column = mapping->id != NULL ? new_column(mapping, err) : NULL;
    if (column == NULL)
        return mapping->id != NULL ? E_LIMIT : 0;
    column->name = mem_string(mapping->id);
    set_field(mapping, column, text_of("messageId"));
    column->is_id = true;
    return 0;
}

int mapping_bind(struct mapping *mapping, const struct text *names, size_t count, struct err *err)
{
    bool takes_all = mapping->count == 0;
    char delimiter = takes_all ? columns_delimiter(names, count) : '\0';
    if (delimiter != '\0')
        return err_set(err, E_INVALID,
                       "the first line is one column, and has %s in it: is that the --delimiter?",
                       delimiter == '\t' ? "tabs" : (const char[]){ '"', delimiter, '"', '\0' });
    int rc = takes_all ? take_all_columns(mapping, names, count, err) : 0;
    if (rc == 0)
        rc = add_id(mapping, err);
    for (size_t i = 0; i < mapping->count && rc == 0; i++) {
        struct column *column = &mapping->columns[i];
        if (column->name != NULL)
            rc = columns_find(names, count, column->name, &column->index, err);
        if (column->field == FIELD_PROPERTY && !mapping->is_track)
            column->field = FIELD_TRAIT;
    }
    return rc == 0 ? check_whole(mapping, err) : rc;
}

/* -- One row ----------------------------------------------------------------------------- */

struct row {
    const struct mapping *mapping;
    const struct text *cells;
    struct buf *out;
    struct text user, event, message_id;
    struct text kind; /* stands before the id; empty: the id is one as it stands */
    char anon_made[IDENTITY_EMAIL_SIZE + 8];
    struct text anon;
    bool has_at;
    int64_t at;
    size_t calls;
};

/* Bytes of white space that `text` begins with: a no-break space is one, as Excel writes it. */
static uint32_t space_at(struct text text)
{
    if (text.size != 0 && strchr(" \t\r\n", text.data[0]) != NULL && text.data[0] != '\0')
        return 1;
    return text.size >= 2 && memcmp(text.data, "\xc2\xa0", 2) == 0 ? 2 : 0;
}

static uint32_t space_before_end(struct text text)
{
    uint32_t size = 0;
    if (text.size != 0)
        size = space_at((struct text){ text.data + text.size - 1, 1 });
    if (size == 0 && text.size >= 2)
        size = space_at((struct text){ text.data + text.size - 2, 2 }) == 2 ? 2 : 0;
    return size;
}

/* What a cell says, without the white space around it. */
static struct text cell_at(const struct row *row, const struct column *column)
{
    struct text cell = row->cells[column->index];
    for (uint32_t size; (size = space_at(cell)) != 0; cell.size -= size)
        cell.data += size;
    for (uint32_t size; (size = space_before_end(cell)) != 0;)
        cell.size -= size;
    return cell;
}

static struct text cell_of(const struct row *row, enum field field)
{
    for (size_t i = 0; i < row->mapping->count; i++)
        if (row->mapping->columns[i].field == field)
            return cell_at(row, &row->mapping->columns[i]);
    return (struct text){ "", 0 };
}

static const struct column *column_of(const struct mapping *mapping, enum field field)
{
    for (size_t i = 0; i < mapping->count; i++)
        if (mapping->columns[i].field == field)
            return &mapping->columns[i];
    return NULL;
}

/* Which column a refusal is about. */
static int in_column(const struct column *column, const struct err *why, struct err *err)
{
    return err_set(err, E_INVALID, "%.64s: %.240s",
                   column->name != NULL ? column->name : column->target, why->text);
}

static int make_anon(struct row *row, struct err *err)
{
    static const char email_of[] = "email:", phone_of[] = "phone:";
    struct text email = cell_of(row, FIELD_EMAIL), phone = cell_of(row, FIELD_PHONE);
    struct err why;
    int rc = 0;
    if (email.size != 0) {
        memcpy(row->anon_made, email_of, sizeof email_of);
        rc = identity_email(email.data, email.size, row->anon_made + sizeof email_of - 1, &why);
    } else if (phone.size != 0) {
        const char *region = column_of(row->mapping, FIELD_PHONE)->type.region;
        memcpy(row->anon_made, phone_of, sizeof phone_of);
        rc = phone_normalise(phone.data, phone.size, region[0] != '\0' ? region : NULL,
                             row->anon_made + sizeof phone_of - 1, &why);
    } else {
        return err_set(err, E_INVALID, "nothing says who it is about");
    }
    if (rc != 0)
        return in_column(column_of(row->mapping, email.size != 0 ? FIELD_EMAIL : FIELD_PHONE), &why,
                         err);
    row->anon = text_of(row->anon_made);
    return 0;
}

static int read_id(struct row *row, struct err *err)
{
    const struct column *column = column_of(row->mapping, FIELD_MESSAGE);
    struct text id = cell_of(row, FIELD_MESSAGE);
    if (column == NULL)
        return 0;
    if (id.size == 0)
        return err_set(err, E_INVALID, "%s is empty, and it is what makes a row itself",
                       column->name);
    row->message_id = id;
    if (column->is_id)
        row->kind = row->mapping->is_track ? row->event : text_of("identify");
    return 0;
}

static int read_row(struct row *row, struct err *err)
{
    const struct mapping *mapping = row->mapping;
    const struct column *at = column_of(mapping, FIELD_AT);
    struct err why;
    row->user = cell_of(row, FIELD_USER);
    row->anon = cell_of(row, FIELD_ANON);
    row->event = cell_of(row, FIELD_EVENT);
    if (row->event.size == 0)
        row->event = text_of(mapping->event);
    if (mapping->is_track && row->event.size == 0)
        return err_set(err, E_INVALID, "the event has no type");
    if (read_id(row, err) != 0)
        return E_INVALID;
    if (at != NULL && cell_at(row, at).size != 0) {
        row->has_at = true;
        if (value_instant(&at->type, mapping->zone, cell_at(row, at), &row->at, &why) != 0)
            return in_column(at, &why, err);
    }
    return row->user.size == 0 && row->anon.size == 0 ? make_anon(row, err) : 0;
}

static void put_name(struct buf *out, const char *name)
{
    buf_byte(out, ',');
    json_write_text(out, text_of(name));
    buf_byte(out, ':');
}

static void put_text(struct buf *out, const char *name, struct text value)
{
    if (value.size == 0)
        return;
    put_name(out, name);
    json_write_text(out, value);
}

/* `suffix` tells the calls of one row apart. */
static void open_call(struct row *row, const char *type, const char *suffix)
{
    struct buf *out = row->out;
    char at[MOMENT_TEXT_SIZE];
    struct buf id = BUF_INIT;
    if (row->calls++ != 0)
        buf_byte(out, ',');
    buf_text(out, "{\"type\":");
    json_write_text(out, text_of(type));
    buf_append(&id, row->kind.data, row->kind.size);
    buf_text(&id, row->kind.size != 0 ? ":" : "");
    buf_append(&id, row->message_id.data, row->message_id.size);
    buf_text(&id, suffix);
    put_text(out, "messageId", (struct text){ (const char *)id.data, (uint32_t)id.size });
    buf_deinit(&id);
    if (row->has_at) {
        moment_format(row->at, at);
        put_text(out, "timestamp", text_of(at));
    }
}

static void put_who(struct row *row)
{
    put_text(row->out, "userId", row->user);
    put_text(row->out, "anonymousId", row->anon);
}

static bool belongs(const struct column *column, bool is_identify)
{
    if (is_identify)
        return column->field == FIELD_TRAIT || column->field == FIELD_EMAIL ||
               column->field == FIELD_PHONE;
    return column->field == FIELD_PROPERTY;
}

/* ,"traits":{...} or ,"properties":{...} */
static int put_values(struct row *row, bool is_identify, struct err *err)
{
    struct err why;
    put_name(row->out, is_identify ? "traits" : "properties");
    size_t start = row->out->size;
    for (size_t i = 0; i < row->mapping->count; i++) {
        const struct column *column = &row->mapping->columns[i];
        struct text cell = cell_at(row, column);
        if (!belongs(column, is_identify) || cell.size == 0)
            continue;
        put_name(row->out, column->target);
        if (value_write(&column->type, row->mapping->zone, cell, row->out, &why) != 0)
            return in_column(column, &why, err);
    }
    if (row->out->size == start)
        buf_byte(row->out, '{');
    else
        row->out->data[start] = '{'; /* in place of the first comma */
    buf_byte(row->out, '}');
    return 0;
}

static bool has_values(const struct row *row, bool is_identify)
{
    for (size_t i = 0; i < row->mapping->count; i++)
        if (belongs(&row->mapping->columns[i], is_identify) &&
            cell_at(row, &row->mapping->columns[i]).size != 0)
            return true;
    return false;
}

static int put_identify(struct row *row, struct err *err)
{
    if (row->mapping->is_track && !has_values(row, true))
        return 0;
    open_call(row, "identify", row->mapping->is_track ? "/identify" : "");
    put_who(row);
    int rc = put_values(row, true, err);
    buf_byte(row->out, '}');
    return rc;
}

static int put_track(struct row *row, struct err *err)
{
    if (!row->mapping->is_track)
        return 0;
    open_call(row, "track", "");
    put_text(row->out, "event", row->event);
    put_who(row);
    int rc = put_values(row, false, err);
    buf_byte(row->out, '}');
    return rc;
}

static int put_consent(struct row *row, const struct column *column, struct err *err)
{
    struct err why;
    struct buf text = BUF_INIT;
    bool is_granted = false;
    const char *slash = strchr(column->target, '/');
    if (value_bool(cell_at(row, column), &is_granted, &why) != 0)
        return in_column(column, &why, err);
    buf_printf(&text, "/consent:%s", column->target);
    open_call(row, "consent.changed", buf_string(&text));
    buf_clear(&text);
    buf_text(&text, row->user.size != 0 ? "user_id:" : "anonymous_id:");
    struct text who = row->user.size != 0 ? row->user : row->anon;
    buf_append(&text, who.data, who.size);
    put_text(row->out, "customer", (struct text){ (const char *)text.data, (uint32_t)text.size });
    buf_deinit(&text);
    buf_text(row->out, ",\"data\":{\"proof\":\"imported\"");
    put_text(row->out, "purpose",
             (struct text){ column->target, (uint32_t)(slash - column->target) });
    put_text(row->out, "channel", text_of(slash + 1));
    put_text(row->out, "state", text_of(is_granted ? "granted" : "withdrawn"));
    buf_text(row->out, "}}");
    return 0;
}

static int put_consents(struct row *row, struct err *err)
{
    int rc = 0;
    for (size_t i = 0; i < row->mapping->count && rc == 0; i++) {
        const struct column *column = &row->mapping->columns[i];
        if (column->field == FIELD_CONSENT && cell_at(row, column).size != 0)
            rc = put_consent(row, column, err);
    }
    return rc;
}

static int check_cells(const struct mapping *mapping, const struct text *cells, size_t count,
                       struct err *err)
{
    for (size_t i = 0; i < mapping->count; i++) {
        size_t index = mapping->columns[i].index;
        if (index >= count)
            return err_set(err, E_INVALID, "only %zu columns; column %zu is wanted", count,
                           index + 1);
        if (!utf8_valid(cells[index].data, cells[index].size))
            return err_set(err, E_INVALID, "column %zu is not UTF-8: name the file's --encoding",
                           index + 1);
    }
    return 0;
}

int mapping_row(const struct mapping *mapping, const struct text *cells, size_t count,
                struct text message_id, struct buf *out, struct mapping_row *out_row,
                struct err *err)
{
    struct row row = { .mapping = mapping, .cells = cells, .out = out, .message_id = message_id };
    size_t start = out->size;
    int rc = check_cells(mapping, cells, count, err);
    if (rc == 0)
        rc = read_row(&row, err);
    if (rc == 0)
        rc = put_identify(&row, err);
    if (rc == 0)
        rc = put_track(&row, err);
    if (rc == 0)
        rc = put_consents(&row, err);
    if (rc != 0) {
        out->size = start;
        return rc;
    }
    *out_row = (struct mapping_row){ .calls = row.calls, .has_at = row.has_at, .at = row.at };
    return 0;
}
