/* explain.c -- from Lua's messages to ours; see explain.h.
 *
 * Lua's messages of this kind have one form, "attempt to ACT a nil value (KIND 'NAME')",
 * or, where two values meet, "attempt to compare nil with number".  They are taken apart,
 * and what is known of the name decides what is said.  A message that is none of them
 * passes as it is: a wrong guess is worse than a dry truth.
 */
#include "core/script/explain.h"

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/near.h"
#include "core/base/utf8.h"

#include <string.h>

#define NAME_SIZE 64 /* bytes of a name that is looked at, terminated */

/* Words of the vocabulary that this version does not have (no `instead`), and what people try who
 * know Lua or the expressions. */
static const struct {
    const char *name, *instead;
} absent[] = {
    { "add", "write customer:add(name, item)" },
    { "age", NULL },
    { "all", NULL },
    { "any", NULL },
    { "avg", NULL },
    { "campaign", NULL },
    { "changed", NULL },
    { "consent", "write customer:consent(purpose, channel)" },
    { "consented", "write customer:consent(purpose, channel) == \"granted\"" },
    { "contains", NULL },
    { "control", NULL },
    { "count", NULL },
    { "cut", NULL },
    { "entered", NULL },
    { "event", NULL },
    { "exists", NULL },
    { "exit", NULL },
    { "first", NULL },
    { "has_tag", "write customer:has_tag(tag)" },
    { "in_segment", NULL },
    { "io", "scripts reach no files" },
    { "journey", NULL },
    { "last", NULL },
    { "left", NULL },
    { "local_hour", NULL },
    { "lookup", NULL },
    { "max", NULL },
    { "min", NULL },
    { "os", "now() is the time, and ago(\"3d\") one before it" },
    { "print", "log(...) writes a line that the timeline shows" },
    { "remove", "write customer:remove(name, item)" },
    { "require", "all files of the bundle are loaded, in order of their paths" },
    { "segment", NULL },
    { "set", "write customer:set(name, value)" },
    { "split", NULL },
    { "starts_with", NULL },
    { "sum", NULL },
    { "table", NULL },
    { "tag", "write customer:tag(tag)" },
    { "test", "tests stand in files called *_test.lua" },
    { "trait", "customer.NAME reads a trait, customer:set(\"NAME\", value) sets one" },
    { "unique", NULL },
    { "untag", "write customer:untag(tag)" },
    { "wait", "after { due = \"7d\", emit = \"TYPE\" } comes back as an event" },
    { "weekday", NULL },
};

static const char *const library[] = {
    "assert", "error",  "ipairs",   "math",     "next", "pairs", "pcall", "power",
    "select", "string", "tonumber", "tostring", "type", "table", "utf8",  NULL,
};

/* -- Names ---------------------------------------------------------------- */

const char *explain_near(const char *written, const char *const names[])
{
    const char *best = NULL;
    size_t least = SIZE_MAX;
    for (; *names != NULL; names++) {
        size_t distance = near_distance(written, *names);
        if (distance < least) {
            least = distance;
            best = *names;
        }
    }
    return best != NULL && near_is_likely(least, written) ? best : NULL;
}

void explain_list(const char *const names[], struct buf *out)
{
    for (size_t i = 0; names[i] != NULL; i++) {
        buf_text(out, i == 0 ? "" : names[i + 1] != NULL ? ", " : " and ");
        buf_text(out, names[i]);
    }
}

void explain_choice(const char *written, const char *const names[], struct buf *out)
{
    const char *near = explain_near(written, names);
    if (near != NULL) {
        buf_printf(out, "; did you mean \"%s\"?", near);
        return;
    }
    buf_text(out, "; it knows ");
    explain_list(names, out);
}

/* -- Messages ------------------------------------------------------------- */

struct complaint {
    bool is_call, is_index; /* else it compares or computes */
    char kind[NAME_SIZE];   /* "global", "local", "field", "method" ...; empty: not said */
    char name[NAME_SIZE];
};

static void copy(char out[NAME_SIZE], const char *from, size_t size)
{
    size = size < NAME_SIZE - 1 ? size : NAME_SIZE - 1;
    memcpy(out, from, size);
    out[size] = '\0';
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* "(global 'x')" at the end of the message, or nothing of the kind. */
static void read_name(const char *message, struct complaint *out)
{
    const char *open = strchr(message, '(');
    const char *quote = open != NULL ? strstr(open, " '") : NULL;
    const char *close = quote != NULL ? strstr(quote + 2, "')") : NULL;
    if (close == NULL)
        return;
    copy(out->kind, open + 1, (size_t)(quote - open - 1));
    copy(out->name, quote + 2, (size_t)(close - quote - 2));
}

/* Whether Lua complains of nil, or of a call of the library `table`. */
static bool read_complaint(const char *message, struct complaint *out)
{
    *out = (struct complaint){ .is_call = begins(message, "attempt to call a nil value"),
                               .is_index = begins(message, "attempt to index a nil value") };
    if (begins(message, "attempt to call a table value (global 'table')"))
        out->is_call = true;
    bool is_nil = out->is_call || out->is_index ||
                  begins(message, "attempt to perform arithmetic on a nil value") ||
                  begins(message, "attempt to concatenate a nil value") ||
                  begins(message, "attempt to compare two nil values") ||
                  (begins(message, "attempt to compare ") && strstr(message, "nil") != NULL);
    if (is_nil)
        read_name(message, out);
    return is_nil;
}

static bool say_absent(const char *name, struct buf *out)
{
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        if (strcmp(absent[i].name, name) != 0)
            continue;
        if (absent[i].instead == NULL)
            buf_printf(out, "\"%s\" is a word of a later version: this one does not have it", name);
        else
            buf_printf(out, "there is no \"%s\" here: %s", name, absent[i].instead);
        return true;
    }
    return false;
}

static bool say_global(const struct complaint *complaint, const struct explain_context *context,
                       struct buf *out)
{
    const char *name = complaint->name;
    bool is_argument = strcmp(name, "event") == 0 || strcmp(name, "customer") == 0;
    if (complaint->is_index && is_argument) {
        buf_printf(out,
                   "\"%s\" is an argument of the rule's function: run = function(event, customer)",
                   name);
        return true;
    }
    if (say_absent(name, out))
        return true;
    const char *near = explain_near(name, context->words);
    if (near == NULL)
        near = explain_near(name, library);
    if (near != NULL)
        buf_printf(out, "there is no \"%s\"; did you mean \"%s\"?", name, near);
    else if (complaint->is_call)
        buf_printf(out, "there is no \"%s\": neither a word nor a function of these scripts", name);
    return near != NULL || complaint->is_call;
}

static bool say_method(const char *name, const struct explain_context *context, struct buf *out)
{
    const char *near = explain_near(name, context->methods);
    if (near != NULL)
        buf_printf(out, "there is no method \"%s\"; did you mean \"%s\"?", name, near);
    return near != NULL;
}

/* The one that Lua names, "field 'total'", if it is among what was missing. */
static const char *find_missing(const struct complaint *complaint, const char *const missing[])
{
    size_t size = strlen(complaint->name);
    for (; *missing != NULL; missing++) {
        size_t whole = strlen(*missing);
        if (whole > size && (*missing)[whole - size - 1] == '.' &&
            strcmp(*missing + whole - size, complaint->name) == 0)
            return *missing;
    }
    return NULL;
}

/* A local or an operand without a name may have come from any of what was missing. */
static bool say_missing(const char *message, const struct complaint *complaint,
                        const char *const missing[], struct buf *out)
{
    bool is_named = strcmp(complaint->kind, "field") == 0;
    const char *one = is_named ? find_missing(complaint, missing) : missing[0];
    if (one == NULL)
        return false;
    buf_printf(out, "%s: missing here: ", message);
    if (is_named)
        buf_text(out, one);
    else
        explain_list(missing, out);
    buf_printf(out, "; ask first, as in: if known(%s) then ...", one);
    return true;
}

void explain_message(const char *message, const struct explain_context *context, struct buf *out)
{
    struct complaint complaint;
    if (!read_complaint(message, &complaint)) {
        buf_text(out, message);
        return;
    }
    bool is_global = strcmp(complaint.kind, "global") == 0;
    bool is_method = complaint.is_call && strcmp(complaint.kind, "method") == 0;
    if (is_global && (complaint.is_call || complaint.is_index) &&
        say_global(&complaint, context, out))
        return;
    if (is_method && say_method(complaint.name, context, out))
        return;
    if (complaint.is_index && context->has_no_customer && strcmp(complaint.name, "customer") == 0)
        buf_printf(out, "%s: this event has no customer; ask first, as in: if customer then ...",
                   message);
    else if (complaint.is_call || !say_missing(message, &complaint, context->missing, out))
        buf_text(out, message);
}

void explain_copy(const struct buf *text, char *out, size_t out_size)
{
    struct buf clean = BUF_INIT;
    utf8_clean(text->data, text->size, &clean);
    size_t size = utf8_cut(clean.data, clean.size, out_size - 1);
    if (size != 0)
        memcpy(out, clean.data, size);
    out[size] = '\0';
    buf_deinit(&clean);
}

void explain_err(const struct explain_context *context, struct buf *scratch, struct err *err)
{
    char text[ERR_TEXT_MAX];
    const char *attempt = err != NULL ? strstr(err->text, "attempt to ") : NULL;
    if (attempt == NULL)
        return;
    buf_clear(scratch);
    buf_append(scratch, err->text, (size_t)(attempt - err->text));
    explain_message(attempt, context, scratch);
    explain_copy(scratch, text, sizeof text);
    err_set(err, err->code, "%s", text);
}
