/* leaving.c -- what ties somebody on the staff, or a team, to others, and ends when it is removed.
 *
 * A membership may be said by either side, or by both, and is one line all the same.
 */
#include "core/base/json_write.h"
#include "core/cli/cli.h"

#include <string.h>

static bool is_called(const struct leaving *leaving, struct text name)
{
    static const char team[] = "team:";
    size_t head = sizeof team - 1;
    if (name.size > head && memcmp(name.data, team, head) == 0)
        name = (struct text){ name.data + head, name.size - (uint32_t)head };
    return text_is(name, leaving->name);
}

static void write_tie(const struct leaving *leaving, struct text who, const char *what,
                      struct text of, struct buf *out_line)
{
    struct doc_writer w;
    struct buf bytes = BUF_INIT;
    if (leaving->is_json) {
        doc_begin(&w, &bytes);
        doc_put_string(&w, "what", what);
        doc_put_text(&w, "who", who);
        doc_put_text(&w, "of", of);
        json_write_doc(out_line, doc_end(&w));
    } else {
        text_clean(who, out_line);
        buf_printf(out_line, " %s %s ", leaving->is_dry ? "is" : "was", what);
        text_clean(of, out_line);
    }
    buf_byte(out_line, '\n');
    buf_deinit(&bytes);
}

/* Each line stands between two ends of lines, so that none is found in another. */
static void add(struct leaving *leaving, struct text who, const char *what, struct text of)
{
    struct buf line = BUF_INIT;
    if (leaving->lines.size == 0)
        buf_byte(&leaving->lines, '\n');
    buf_byte(&line, '\n');
    write_tie(leaving, who, what, of, &line);
    if (memmem(leaving->lines.data, leaving->lines.size, line.data, line.size) == NULL)
        buf_append(&leaving->lines, line.data + 1, line.size - 1);
    buf_deinit(&line);
}

/* The team as the one of both says it, or the other. */
static void add_member(struct leaving *leaving, struct text member, struct text team)
{
    if (member.size != 0 && team.size != 0 &&
        (is_called(leaving, member) || is_called(leaving, team)))
        add(leaving, member, "a member of", team);
}

static void add_item(struct cli *cli, struct doc item, void *arg)
{
    struct leaving *leaving = arg;
    (void)cli;
    struct text name = doc_text(item, "name");
    bool is_deputy = is_called(leaving, doc_text(item, "deputy"));
    if (is_called(leaving, name))
        leaving->is_team = staff_is_team(item);
    add_member(leaving, name, doc_text(item, "team"));
    for (struct doc_iter it = doc_iter(doc_child(item, "teams")); doc_next(&it);)
        if (it.value.type == DOC_TEXT)
            add_member(leaving, name, it.value.text);
    for (struct doc_iter it = doc_iter(doc_child(item, "members")); doc_next(&it);)
        if (it.value.type == DOC_TEXT)
            add_member(leaving, it.value.text, name);
    for (struct doc_iter it = doc_iter(doc_child(item, "absences")); doc_next(&it);)
        is_deputy = is_deputy || is_called(leaving, doc_text(it.value.doc, "deputy"));
    if (is_deputy)
        add(leaving, text_of(leaving->name), "the deputy of", name);
}

int leaving_list(struct cli *cli, struct leaving *leaving)
{
    leaving->is_json = cli->is_json;
    cli_path(cli, "/v1/staff", NULL, NULL);
    return cli_collect(cli, 0, add_item, leaving);
}

void leaving_print(struct cli *cli, const struct leaving *leaving)
{
    if (leaving->lines.size != 0)
        buf_append(&cli->out, leaving->lines.data + 1, leaving->lines.size - 1);
}
