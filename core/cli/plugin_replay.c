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
#include <unistd.h>

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

static bool fail_file(struct check *check, const char *what)
{
    cli_fail(check->cli, "cannot %s a temporary file: %s", what, strerror(errno));
    return false;
}

bool replay_begin(struct check *check, struct told *told)
{
    if (told->file != NULL) {
        rewind(told->file);
        if (ftruncate(fileno(told->file), 0) != 0)
            return fail_file(check, "empty");
    }
    if (told->expected != NULL) {
        rewind(told->expected);
        read_next(told);
    }
    return true;
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

static struct doc out_of(const struct doc *result)
{
    return result != NULL ? doc_child(*result, "out") : (struct doc){ NULL, 0 };
}

static bool has_crashed(const struct doc *result)
{
    return doc_bool(out_of(result), "crashed", false);
}

/* The calls of one side that the other has not; null: it did not hear of the entry. */
static void put_side(struct doc_writer *w, const char *name, const struct doc *ours,
                     const struct doc *others)
{
    struct doc calls = doc_child(out_of(ours), "calls");
    struct doc theirs = doc_child(out_of(others), "calls");
    if (ours == NULL) {
        doc_put_null(w, name);
        return;
    }
    if (has_crashed(ours)) {
        doc_put_string(w, name, "crashed");
        return;
    }
    doc_open_array(w, name);
    for (struct doc_iter it = doc_iter(calls); doc_next(&it);)
        if (!has_call(theirs, it.value.doc))
            doc_put_value(w, NULL, &it.value);
    doc_close(w);
}

static const char *difference_words(const struct told *told, bool was_crash, bool is_crash)
{
    return !told->is_other ? "in another process it wants something else"
           : was_crash     ? "the old version crashes there, the new one does not"
           : is_crash      ? "the new version crashes there, the old one does not"
                           : "the two versions want something else";
}

/* Of two versions it may be meant; of one it is a breach of the contract. */
static void tell_difference(struct check *check, struct told *told, const struct doc *first,
                            const struct doc *second)
{
    struct text words = doc_text(first != NULL ? *first : *second, "given");
    bool was_crash = has_crashed(first), is_crash = has_crashed(second);
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
    doc_put_string(&w, "what", difference_words(told, was_crash, is_crash));
    doc_put_string(&w, "todo",
                   !told->is_other ? "nothing may decide but what it was given"
                   : was_crash || is_crash
                       ? "whoever crashes goes on behind it with what it had kept before; a daemon "
                         "parks it, and all that follows, until the plugin is enabled"
                       : "if this is meant, it is so from the entry on at which the new one is "
                         "loaded; what was kept before stays");
    check_add(check, doc_end(&w));
    buf_deinit(&buf);
}

/* What neither of two versions can say anything of. */
static void tell_both_crashed(struct check *check, const struct doc *first)
{
    struct buf given = BUF_INIT;
    struct text words = doc_text(*first, "given");
    buf_append(&given, words.data, words.size);
    check_find(check, "not compared", "log", buf_string(&given), "both versions crash there",
               "both go on behind it with what they had kept before");
    buf_deinit(&given);
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
    int64_t seq = doc_int(message, "result", 0);
    told->entries++;
    told->heard = seq;
    if (told->expected == NULL)
        fwrite(message.data, 1, message.size, told->file);
    if (told->expected == NULL || seq >= told->until)
        return;
    pass_over(check, told, seq);
    struct doc first = next_of(told);
    bool is_there = told->next.size != 0 && doc_int(first, "result", 0) == seq;
    bool is_same = is_there && first.size == message.size &&
                   memcmp(first.data, message.data, message.size) == 0;
    if (!is_same)
        tell_difference(check, told, is_there ? &first : NULL, &message);
    else if (told->is_other && has_crashed(&message))
        tell_both_crashed(check, &first);
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

/* Of two versions each has its own crashes; one that is held against itself is spared them. */
static void begin_second(struct check *check, const struct told *first, struct told *second)
{
    second->expected = first->file;
    second->until = first->is_complete && first->is_loaded ? INT64_MAX : first->heard + 1;
    if (!second->is_other) {
        check_wait_for_clock();
        return;
    }
    buf_clear(&check->deaths);
    check->death_count = 0;
}

static bool compare(struct check *check, const char *other, struct told *first, struct told *second)
{
    const char *path = check->path;
    if (!check_try_to_end(check, first))
        return false;
    if (fflush(first->file) != 0 || ferror(first->file) != 0)
        return fail_file(check, "write");
    if (first->heard == 0 && !first->is_complete) /* it has never come so far as to hear */
        return true;
    begin_second(check, first, second);
    check->path = other != NULL ? other : path;
    bool is_done = check_try_to_end(check, second);
    check->path = path;
    if (second->is_complete && second->is_loaded)
        pass_over(check, second, second->until);
    if (other != NULL)
        compare_descriptions(check, first, second);
    return is_done;
}

bool replay_compare(struct check *check, const char *other)
{
    struct told first = { .file = tmpfile(), .version = other != NULL ? "the old version" : NULL };
    struct told second = { .version = other != NULL ? "the new version" : NULL,
                           .is_again = other == NULL,
                           .is_other = other != NULL };
    struct buf *out = &check->cli->out;
    if (first.file == NULL)
        return fail_file(check, "make");
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
