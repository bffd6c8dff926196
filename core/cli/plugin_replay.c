/* plugin_replay.c -- what two processes wanted of the same log, held side by side.
 *
 * The log can be open once at a time, and may be larger than memory: the first process runs to its
 * end, what it wanted lies in a file without a name, and the second is read beside it.  Both name
 * the entries that they heard of in order, so a merge of the two finds what only one of them heard.
 */
#include "core/cli/cli.h"
#include "core/cli/plugin_check.h"
#include "core/plugin/kit.h"

#include <errno.h>
#include <string.h>

#define SHOWN_MAX 20 /* differences */

/* -- The file ---------------------------------------------------------------------------------- */

/* The next of the first process into told->next; empty: there are no more. */
static void read_next(struct told *told)
{
    uint32_t size;
    buf_clear(&told->next);
    if (fread(&size, sizeof size, 1, told->expected) != 1)
        return;
    memcpy(buf_reserve(&told->next, size), &size, sizeof size);
    if (fread(told->next.data + sizeof size, size - sizeof size, 1, told->expected) == 1)
        told->next.size = size;
}

/* -- Differences ------------------------------------------------------------------------------- */

/* Whether `calls` has one that is the same as this. */
static bool has_call(struct doc calls, struct doc call)
{
    for (struct doc_iter it = doc_iter(calls); doc_next(&it);)
        if (it.value.doc.size == call.size && memcmp(it.value.doc.data, call.data, call.size) == 0)
            return true;
    return false;
}

/* The calls of one side that the other has not; null: it did not hear of the entry. */
static void put_side(struct doc_writer *w, const char *name, const struct doc *ours,
                     const struct doc *others)
{
    struct doc calls =
        doc_child(ours != NULL ? doc_child(*ours, "out") : (struct doc){ NULL, 0 }, "calls");
    struct doc theirs =
        doc_child(others != NULL ? doc_child(*others, "out") : (struct doc){ NULL, 0 }, "calls");
    if (ours == NULL) {
        doc_put_null(w, name);
        return;
    }
    doc_open_array(w, name);
    for (struct doc_iter it = doc_iter(calls); doc_next(&it);)
        if (!has_call(theirs, it.value.doc))
            doc_put_value(w, NULL, &it.value);
    doc_close(w);
}

/* Of two versions it may be meant; of one it is a breach of the contract. */
static void tell_difference(struct check *check, struct told *told, const struct doc *first,
                            const struct doc *second)
{
    struct text words = doc_text(first != NULL ? *first : *second, "given");
    struct doc_writer w;
    struct buf buf = BUF_INIT;
    if (told->differing++ >= SHOWN_MAX)
        return;
    doc_begin(&w, &buf);
    doc_put_string(&w, "level", told->is_other ? "difference" : "error");
    doc_put_string(&w, "who", "log");
    doc_put_text(&w, "given", words);
    put_side(&w, told->is_other ? "was" : "first", first, second);
    put_side(&w, told->is_other ? "is" : "second", second, first);
    doc_put_string(&w, "what",
                   told->is_other ? "the two versions want something else"
                                  : "in another process it wants something else");
    doc_put_string(&w, "todo",
                   told->is_other ? "if this is meant, it is so from the entry on at which the new "
                                    "one is loaded; what was kept before stays"
                                  : "nothing may decide but what it was given");
    check_add(check, doc_end(&w));
    buf_deinit(&buf);
}

static struct doc next_of(const struct told *told)
{
    return (struct doc){ told->next.size != 0 ? told->next.data : NULL, (uint32_t)told->next.size };
}

/* All that the first heard of before entry `seq`. */
static void pass_over(struct check *check, struct told *told, int64_t seq)
{
    while (told->next.size != 0 && doc_int(next_of(told), "result", 0) < seq) {
        struct doc first = next_of(told);
        tell_difference(check, told, &first, NULL);
        read_next(told);
    }
}

void replay_hear(struct check *check, struct told *told, struct doc message)
{
    told->entries++;
    if (told->expected == NULL) {
        fwrite(message.data, 1, message.size, told->file);
        return;
    }
    int64_t seq = doc_int(message, "result", 0);
    pass_over(check, told, seq);
    struct doc first = next_of(told);
    bool is_there = told->next.size != 0 && doc_int(first, "result", 0) == seq;
    bool is_same = is_there && first.size == message.size &&
                   memcmp(first.data, message.data, message.size) == 0;
    if (!is_same)
        tell_difference(check, told, is_there ? &first : NULL, &message);
    if (is_there)
        read_next(told);
}

/* -- What they declare ------------------------------------------------------------------------- */

static struct doc declared_by(const struct told *told)
{
    struct doc message = { told->about.size != 0 ? told->about.data : NULL,
                           (uint32_t)told->about.size };
    return doc_child(doc_child(message, "about"), "declares");
}

static bool has_text(struct doc texts, struct text text)
{
    for (struct doc_iter it = doc_iter(texts); doc_next(&it);)
        if (text_equal(it.value.text, text))
            return true;
    return false;
}

/* Whatever `from` declares and `to` does not. */
static void tell_missing(struct check *check, struct doc from, struct doc to, const char *what)
{
    for (struct doc_iter list = doc_iter(from); doc_next(&list);) {
        struct doc others = doc_get_text(to, list.name).doc;
        for (struct doc_iter it = doc_iter(list.value.doc); doc_next(&it);) {
            struct buf who = BUF_INIT;
            if (has_text(others, it.value.text))
                continue;
            buf_printf(&who, "%.*s: %.*s", (int)list.name.size, list.name.data,
                       (int)it.value.text.size, it.value.text.data);
            check_find(check, "difference", "description", buf_string(&who), what,
                       "look at the rules, templates and kith.lua that name it");
            buf_deinit(&who);
        }
    }
}

/* What two versions declare, joined: "promise, revisit". */
static void join(struct buf *out, struct doc first, struct doc second, const char *name)
{
    struct doc lists[] = { doc_child(first, name), doc_child(second, name) };
    for (size_t i = 0; i < 2; i++)
        for (struct doc_iter it = doc_iter(lists[i]); doc_next(&it);)
            if (i == 0 || !has_text(lists[0], it.value.text))
                buf_printf(out, "%s%.*s", out->size != 0 ? ", " : "", (int)it.value.text.size,
                           it.value.text.data);
}

static void tell_not_compared(struct check *check, struct doc first, struct doc second)
{
    static const struct {
        const char *name, *who, *why, *todo;
    } lists[] = {
        { "functions", "functions for Lua", "rules call them, and over a log no rules are run",
          "kith test and kith dry-run run the rules with the new version" },
        { "reads", "reads of what others know",
          "of a customer nothing is known over a log but what the plugin itself has kept and "
          "published; both versions read nothing there",
          "try both in a daemon that was started with the backup" },
        { "hooks", "hooks of its documents",
          "they are called for merges, erasures and older versions of a document, which need an "
          "engine",
          "kith plugin check NEW.so calls each; kith verify folds a whole log" },
        { "channels", "channels", "the outside side is not begun over a log",
          "kith plugin check NEW.so gives them messages" },
        { "routes", "routes", "the outside side is not begun over a log",
          "kith plugin check NEW.so sends them requests" },
        { "jobs", "jobs", "the outside side is not begun over a log",
          "kith plugin check NEW.so runs them" },
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct buf names = BUF_INIT;
        join(&names, first, second, lists[i].name);
        if (names.size != 0)
            check_find(check, "not compared", lists[i].who, buf_string(&names), lists[i].why,
                       lists[i].todo);
        buf_deinit(&names);
    }
}

static void compare_descriptions(struct check *check, const struct told *first,
                                 const struct told *second)
{
    struct doc was = declared_by(first), is = declared_by(second);
    if (was.data == NULL || is.data == NULL)
        return;
    tell_missing(check, was, is, "the old one declares it, the new one does not");
    tell_missing(check, is, was, "the new one declares it, the old one does not");
    tell_not_compared(check, was, is);
}

/* -- The whole --------------------------------------------------------------------------------- */

/* What ended the replay, if something did, has been told as an error. */
static void tell_rest(struct check *check, const struct told *told, const char *which)
{
    struct buf given = BUF_INIT;
    if (told->is_complete)
        return;
    buf_printf(&given, "by %s from there on: %s", which, told->at);
    check_find(check, "not made", "entries of the log", buf_string(&given),
               "what a plugin wants depends on what it kept before, so it is not gone on with",
               "mend that, and check again");
    buf_deinit(&given);
}

static bool compare(struct check *check, const char *other, struct told *first, struct told *second)
{
    const char *path = check->path;
    bool is_done = check_try_out(check, first);
    tell_rest(check, first, other != NULL ? "the old version" : "the plugin");
    if (!is_done || !first->is_complete)
        return is_done;
    rewind(first->file);
    if (other == NULL)
        check_wait_for_clock();
    second->expected = first->file;
    read_next(second);
    check->path = other != NULL ? other : path;
    size_t errors = check->errors;
    is_done = check_try_out(check, second);
    check->path = path;
    tell_rest(check, second, other != NULL ? "the new version" : "the plugin");
    if (second->is_complete && check->errors == errors) /* else it was not loaded */
        pass_over(check, second, INT64_MAX);
    if (other != NULL)
        compare_descriptions(check, first, second);
    return is_done;
}

bool replay_compare(struct check *check, const char *other)
{
    struct told first = { .file = tmpfile(), .at = "loading" };
    struct told second = { .at = "loading", .is_again = other == NULL, .is_other = other != NULL };
    struct buf *out = &check->cli->out;
    if (first.file == NULL) {
        cli_fail(check->cli, "cannot make a temporary file: %s", strerror(errno));
        return false;
    }
    bool is_done = compare(check, other, &first, &second);
    fclose(first.file);
    if (is_done && !check->cli->is_json)
        buf_printf(out, "%llu entr%s of the log heard, %llu differ%s\n",
                   (unsigned long long)first.entries, first.entries == 1 ? "y" : "ies",
                   (unsigned long long)second.differing, second.differing == 1 ? "s" : "");
    told_deinit(&first);
    told_deinit(&second);
    return is_done;
}
