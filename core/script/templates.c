/* templates.c -- see templates.h. */
#include "core/script/templates.h"

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/locale.h"
#include "core/base/mem.h"
#include "core/base/mustache.h"
#include "core/engine/rules.h"
#include "core/script/explain.h"

#include <string.h>

#define FOLDER "templates/"
#define END ".md"
#define HINT_NAMES_MAX 8 /* that a message lists */

struct reader {
    struct arena *arena;
    struct ruleset *rules;
    struct text path;
    struct err *err;
};

/* -- Names of files ------------------------------------------------------- */

static bool is_template(struct text path)
{
    size_t before = strlen(FOLDER), behind = strlen(END);
    return path.size > before + behind && memcmp(path.data, FOLDER, before) == 0 &&
           memcmp(path.data + path.size - behind, END, behind) == 0;
}

/* Cut at the last dot behind the last slash; false: there is none. */
static bool cut_last(struct text *path, struct text *out_part)
{
    for (uint32_t i = path->size; i > 0 && path->data[i - 1] != '/'; i--)
        if (path->data[i - 1] == '.') {
            *out_part = (struct text){ path->data + i, path->size - i };
            path->size = i - 1;
            return true;
        }
    return false;
}

static bool is_channel(struct text name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    for (uint32_t i = 0; i < name.size; i++)
        if (name.data[i] == '\0' || strchr(letters, name.data[i]) == NULL)
            return false;
    return name.size != 0 && name.data[0] >= 'a';
}

static int read_name(const struct reader *reader, struct template *template)
{
    struct text path = reader->path, last, middle, more;
    size_t before = strlen(FOLDER);
    path = (struct text){ path.data + before, path.size - (uint32_t)(before + strlen(END)) };
    bool has_channel = cut_last(&path, &last), has_locale = false;
    if (has_channel) {
        template->channel = last;
        has_locale = cut_last(&path, &middle);
    }
    if (has_locale) {
        template->channel = middle;
        template->locale = last;
    }
    template->name = arena_text(reader->arena, path);
    template->channel = arena_text(reader->arena, template->channel);
    template->locale = arena_text(reader->arena, template->locale);
    bool is_good = path.size != 0 && path.data[path.size - 1] != '/' && !cut_last(&path, &more) &&
                   path.size <= NAME_BYTES_MAX;
    if (is_good && (!has_channel || is_channel(template->channel)) &&
        (!has_locale || locale_is_tag(template->locale)))
        return 0;
    return err_set(reader->err, E_INVALID,
                   "%s: a template's file is called NAME.CHANNEL.md, NAME.CHANNEL.LOCALE.md "
                   "(welcome.email.de-AT.md), or NAME.md for every channel",
                   reader->path.data);
}

static int check_unique(const struct reader *reader, const struct template *template)
{
    for (size_t i = 0; i < reader->rules->template_count; i++) {
        const struct template *other = &reader->rules->templates[i];
        if (text_equal(other->name, template->name) &&
            text_equal(other->channel, template->channel) &&
            locale_equal(other->locale, template->locale))
            return err_set(reader->err, E_INVALID,
                           "%s: another file of this bundle is the same template for the same "
                           "channel and locale",
                           reader->path.data);
    }
    return 0;
}

/* -- Fields above the body ------------------------------------------------ */

struct lines {
    struct text left;
    unsigned number; /* of the line that comes next */
};

/* Without its end.  False: no more. */
static bool next_line(struct lines *lines, struct text *out_line)
{
    if (lines->left.size == 0)
        return false;
    const char *newline = memchr(lines->left.data, '\n', lines->left.size);
    uint32_t size = newline != NULL ? (uint32_t)(newline - lines->left.data) : lines->left.size;
    uint32_t used = newline != NULL ? size + 1 : size;
    *out_line = (struct text){ lines->left.data, size };
    lines->left = (struct text){ lines->left.data + used, lines->left.size - used };
    lines->number++;
    if (size != 0 && out_line->data[size - 1] == '\r')
        out_line->size--;
    return true;
}

static bool is_blank(char letter)
{
    return letter == ' ' || letter == '\t';
}

static struct text trim(struct text text)
{
    while (text.size != 0 && is_blank(text.data[0]))
        text = (struct text){ text.data + 1, text.size - 1 };
    while (text.size != 0 && is_blank(text.data[text.size - 1]))
        text.size--;
    return text;
}

static bool is_rule(struct text line)
{
    return text_is(trim(line), "---");
}

/* Quotes around all of it are those of YAML, which most people take this for. */
static struct text without_quotes(struct text text)
{
    char first = text.size >= 2 ? text.data[0] : '\0';
    if ((first == '"' || first == '\'') && text.data[text.size - 1] == first)
        return (struct text){ text.data + 1, text.size - 2 };
    return text;
}

static bool is_field_name(struct text name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    for (uint32_t i = 0; i < name.size; i++)
        if (name.data[i] == '\0' || strchr(letters, name.data[i]) == NULL)
            return false;
    return name.size != 0 && name.size <= NAME_BYTES_MAX;
}

/* What a message has by itself. */
static bool is_taken(struct text name)
{
    static const char *const names[] = { "address", "body",  "channel", "customer", "data",
                                         "id",      "links", "locale",  "staff",    "template",
                                         "test",    "time",  "type",    "timestamp" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_is(name, names[i]))
            return true;
    return false;
}

static int check_field(const struct reader *reader, const struct template *template,
                       struct text name, unsigned line)
{
    if (!is_field_name(name))
        return err_set(reader->err, E_INVALID,
                       "%s:%u:1: a line `name: text` is expected between the lines of ---, with a "
                       "name of a-z, 0-9, _ and -",
                       reader->path.data, line);
    if (is_taken(name))
        return err_set(reader->err, E_INVALID,
                       "%s:%u:1: a message has its own \"%.*s\": give the field another name",
                       reader->path.data, line, (int)name.size, name.data);
    if (template->field_count == TEMPLATE_FIELDS_MAX)
        return err_set(reader->err, E_LIMIT, "%s:%u:1: a template has at most %d fields",
                       reader->path.data, line, TEMPLATE_FIELDS_MAX);
    for (size_t i = 0; i < template->field_count; i++)
        if (text_equal(template->fields[i].name, name))
            return err_set(reader->err, E_INVALID, "%s:%u:1: the field \"%.*s\" a second time",
                           reader->path.data, line, (int)name.size, name.data);
    return 0;
}

static int parse(const struct reader *reader, struct text text, struct mustache_place place,
                 const struct mustache **out_text)
{
    struct err why;
    int rc = mustache_parse(text, place, reader->arena, out_text, &why);
    return rc == 0 ? 0 : err_set(reader->err, rc, "%s:%s", reader->path.data, why.text);
}

static unsigned column_of(struct text line, struct text part)
{
    unsigned column = 1;
    for (const char *at = line.data; at < part.data; at++)
        column += ((unsigned char)*at & 0xc0) != 0x80;
    return column;
}

static int read_field(const struct reader *reader, struct template *template, struct text line,
                      unsigned number)
{
    const char *colon = memchr(line.data, ':', line.size);
    struct text name = { line.data, 0 }, value = { line.data, 0 };
    if (trim(line).size == 0 || line.data[0] == '#')
        return 0;
    if (colon != NULL) {
        name.size = (uint32_t)(colon - line.data);
        value = without_quotes(trim((struct text){ colon + 1, line.size - name.size - 1 }));
    }
    name = trim(name);
    int rc = check_field(reader, template, name, number);
    if (rc != 0)
        return rc;
    struct template_field *field = &template->fields[template->field_count++];
    field->name = arena_text(reader->arena, name);
    return parse(reader, value, (struct mustache_place){ number, column_of(line, value) },
                 &field->text);
}

/* `lines` then has what is below them. */
static int read_fields(const struct reader *reader, struct template *template, struct lines *lines)
{
    struct text line;
    next_line(lines, &line);
    template->fields = arena_zero(reader->arena, TEMPLATE_FIELDS_MAX * sizeof *template->fields);
    while (next_line(lines, &line)) {
        if (is_rule(line))
            return 0;
        int rc = read_field(reader, template, line, lines->number - 1);
        if (rc != 0)
            return rc;
    }
    return err_set(reader->err, E_INVALID,
                   "%s:1:1: the fields that begin here never end: a second line of --- is missing",
                   reader->path.data);
}

/* Somebody meant a field. */
static bool begins_like_mail(struct text text)
{
    static const char word[] = "subject:";
    if (text.size < strlen(word))
        return false;
    for (size_t i = 0; i < strlen(word); i++)
        if ((text.data[i] | 0x20) != word[i] && text.data[i] != word[i])
            return false;
    return true;
}

static int read_text(const struct reader *reader, struct template *template, struct text text)
{
    static const char mark[] = "\xef\xbb\xbf"; /* that some editors put in front */
    if (text.size >= 3 && memcmp(text.data, mark, 3) == 0)
        text = (struct text){ text.data + 3, text.size - 3 };
    struct lines lines = { text, 1 }, ahead = lines;
    struct text first = { "", 0 };
    int rc = 0;
    next_line(&ahead, &first);
    if (begins_like_mail(first))
        return err_set(reader->err, E_INVALID,
                       "%s:1:1: a subject stands between two lines of ---, above the body",
                       reader->path.data);
    if (is_rule(first))
        rc = read_fields(reader, template, &lines);
    if (rc == 0)
        rc = parse(reader, lines.left, (struct mustache_place){ lines.number, 1 }, &template->body);
    return rc;
}

static int read_template(const struct reader *reader, struct text text)
{
    struct ruleset *rules = reader->rules;
    struct template template = { .channel = { "", 0 }, .locale = { "", 0 } };
    int rc = read_name(reader, &template);
    if (rc == 0)
        rc = check_unique(reader, &template);
    if (rc == 0)
        rc = read_text(reader, &template, text);
    if (rc != 0)
        return rc;
    rules->templates = mem_resize(rules->templates, (rules->template_count + 1) * sizeof template);
    rules->templates[rules->template_count++] = template;
    return 0;
}

/* -- Partials ------------------------------------------------------------- */

/* Of one name, for the channel of whoever names it. */
static bool is_there(const struct ruleset *rules, const struct template *for_whom, struct text name)
{
    for (size_t i = 0; i < rules->template_count; i++) {
        const struct template *template = &rules->templates[i];
        bool fits = template->channel.size == 0 || for_whom->channel.size == 0 ||
                    text_equal(template->channel, for_whom->channel);
        if (fits && text_equal(template->name, name))
            return true;
    }
    return false;
}

static int check_partials(const struct reader *reader, struct buf *scratch,
                          const struct template *template, const struct mustache *text)
{
    struct mustache_place place;
    struct text name;
    size_t at = 0;
    while (mustache_partial(text, &at, &name, &place)) {
        if (is_there(reader->rules, template, name))
            continue;
        buf_clear(scratch);
        templates_explain(reader->rules, name, reader->arena, scratch);
        return err_set(reader->err, E_INVALID, "templates/%s%s%s%s%s.md:%u:%u: %s",
                       template->name.data, template->channel.size != 0 ? "." : "",
                       template->channel.data, template->locale.size != 0 ? "." : "",
                       template->locale.data, place.line, place.column, buf_string(scratch));
    }
    return 0;
}

static int check_all_partials(const struct reader *reader, struct buf *scratch)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < reader->rules->template_count; i++) {
        const struct template *template = &reader->rules->templates[i];
        for (size_t j = 0; rc == 0 && j < template->field_count; j++)
            rc = check_partials(reader, scratch, template, template->fields[j].text);
        if (rc == 0)
            rc = check_partials(reader, scratch, template, template->body);
    }
    return rc;
}

int templates_read(struct doc files, struct arena *arena, struct buf *scratch,
                   struct ruleset *rules, struct err *err)
{
    struct reader reader = { .arena = arena, .rules = rules, .err = err };
    int rc = 0;
    for (struct doc_iter it = doc_iter(files); rc == 0 && doc_next(&it);) {
        reader.path = it.name;
        if (is_template(it.name))
            rc = read_template(&reader, it.value.text);
    }
    return rc == 0 ? check_all_partials(&reader, scratch) : rc;
}

/* -- Explaining ----------------------------------------------------------- */

/* Each name once, NULL behind the last. */
static const char **list_names(const struct ruleset *rules, struct arena *arena)
{
    const char **names = arena_zero(arena, (rules->template_count + 1) * sizeof *names);
    size_t count = 0;
    for (size_t i = 0; i < rules->template_count; i++) {
        bool is_new = true;
        for (size_t j = 0; j < count; j++)
            is_new = is_new && strcmp(names[j], rules->templates[i].name.data) != 0;
        if (is_new)
            names[count++] = rules->templates[i].name.data;
    }
    return names;
}

void templates_explain(const struct ruleset *rules, struct text name, struct arena *arena,
                       struct buf *out)
{
    const char *written = arena_text(arena, name).data;
    const char **names = list_names(rules, arena);
    const char *near = explain_near(written, names);
    size_t count = 0;
    while (names[count] != NULL)
        count++;
    buf_printf(out, "no template is called \"%s\"", written);
    if (near != NULL && strcmp(near, written) == 0)
        buf_text(out, " for this channel");
    else if (near != NULL)
        buf_printf(out, "; did you mean \"%s\"?", near);
    else if (count == 0)
        buf_printf(out, "; the bundle has none: templates/%s.CHANNEL.md would be one", written);
    else if (count <= HINT_NAMES_MAX) {
        buf_text(out, "; there is ");
        explain_list(names, out);
    }
}
