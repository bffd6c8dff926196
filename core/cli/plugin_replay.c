/* plugin_replay.c -- what two processes wanted of the same log, held side by side.
 *
 * The log can be open once at a time, and may be larger than memory: the first process runs to its
 * end, what it wanted lies in a file without a name, and the second is read beside it.  Both name
 * the entries that they heard of in order, so a merge of the two finds what only one of them heard.
 */
#include "core/base/json_write.h"
#include "core/cli/cli.h"
#include "core/cli/plugin_check.h"
#include "core/plugin/kit.h"

#include <errno.h>
#include <string.h>

#define SHOWN_MAX 20        /* differences */
#define SHOWN_BYTES_MAX 300 /* of one side */

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

static void put_side(struct buf *out, const char *which, const struct doc *result)
{
    struct buf json = BUF_INIT;
    buf_printf(out, "%s ", which);
    if (result == NULL)
        buf_text(out, "did not hear of it");
    else {
        struct doc_value calls = doc_get(doc_child(*result, "out"), "calls");
        json_write_value(&json, &calls);
        size_t shown = json.size < SHOWN_BYTES_MAX ? json.size : SHOWN_BYTES_MAX;
        struct buf clean = BUF_INIT;
        text_clean((struct text){ (const char *)json.data, (uint32_t)shown }, &clean);
        buf_append(out, clean.data, clean.size);
        buf_text(out, shown < json.size ? " ..." : "");
        buf_deinit(&clean);
    }
    buf_deinit(&json);
}

static void tell_difference(struct check *check, struct told *told, const struct doc *first,
                            const struct doc *second)
{
    struct buf what = BUF_INIT, given = BUF_INIT;
    struct text words = doc_text(first != NULL ? *first : *second, "given");
    if (told->differing++ >= SHOWN_MAX)
        return;
    buf_append(&given, words.data, words.size);
    put_side(&what, "the first", first);
    buf_text(&what, "; ");
    put_side(&what, "the second", second);
    check_find(check, "error", "log", buf_string(&given), buf_string(&what),
               "if this is what was meant, it is so from its activation on; what was kept stays");
    buf_deinit(&what);
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

/* -- The whole --------------------------------------------------------------------------------- */

static bool compare(struct check *check, const char *other, struct told *first, struct told *second)
{
    struct check with = *check;
    if (!check_try_out(check, false, first) || !first->is_complete)
        return first->is_complete;
    with.findings = check->findings;
    with.path = other != NULL ? other : check->path;
    with.errors = check->errors;
    rewind(first->file);
    if (other == NULL)
        check_wait_for_clock();
    second->expected = first->file;
    read_next(second);
    bool is_done = check_try_out(&with, other == NULL, second);
    pass_over(&with, second, INT64_MAX);
    with.path = check->path;
    *check = with;
    return is_done;
}

bool replay_compare(struct check *check, const char *other)
{
    struct told first = { .file = tmpfile(), .at = "loading" }, second = { .at = "loading" };
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
