/* help_words.c -- `kith help lua PLUGIN.WORD`: what a plugin says of a word it offers to rules.
 *
 * What such a word does stands in the plugin, which only the daemon has loaded: it is asked, and
 * where none runs, or its plugin is another, it is said who knows.
 */
#include "core/cli/cli.h"
#include "core/cli/client.h"

#include <string.h>

static const char prefix[] = "lua ";

bool help_asks_daemon(const struct cli *cli)
{
    const char *name = args_argument(&cli->args, 0);
    return cli->args.command->run == run_help && name != NULL &&
           strncmp(name, prefix, sizeof prefix - 1) == 0 && strchr(name, '.') != NULL;
}

/* One of `words`, as the daemon has them. */
static bool tell(struct cli *cli, struct doc words, const char *word)
{
    for (struct doc_iter it = doc_iter(words); doc_next(&it);) {
        struct text about = doc_text(it.value.doc, "about");
        if (!text_is(doc_text(it.value.doc, "word"), word))
            continue;
        buf_printf(&cli->out, "Words of the plugin %.*s: ", (int)strcspn(word, "."), word);
        text_clean(doc_text(it.value.doc, "usage"), &cli->out);
        buf_text(&cli->out, "\n\n");
        text_clean(about.size != 0 ? about : text_of("Its plugin says nothing of it"), &cli->out);
        buf_text(&cli->out, "\n\nA rule calls it with one table, or nothing; what it does is done "
                            "before the rule goes on.\n");
        return true;
    }
    return false;
}

/* Those that there are: "complaint.open, complaint.close". */
static void list(struct buf *out, struct doc words)
{
    for (struct doc_iter it = doc_iter(words); doc_next(&it);) {
        struct text word = doc_text(it.value.doc, "word");
        buf_printf(out, "%s%.*s", out->size != 0 ? ", " : "", (int)word.size, word.data);
    }
}

static int fail(struct cli *cli, const char *word, const char *why)
{
    cli_fail(cli,
             "\"%s\" would be a word that a plugin offers, and %s; `kith plugin list --json` of a "
             "running daemon has all of them under \"words\"",
             word, why);
    return EXIT_USAGE;
}

int help_plugin_word(struct cli *cli, const char *word)
{
    struct buf plugin = BUF_INIT, why = BUF_INIT, names = BUF_INIT;
    struct reply reply = { .status = 0 };
    struct err err = { .text = "no daemon is named" };
    int code = EXIT_DONE;
    buf_append(&plugin, word, strcspn(word, "."));
    cli_path(cli, "/v1/plugins/", buf_string(&plugin), NULL);
    int rc = cli->client == NULL
                 ? -1
                 : client_call(cli->client, "GET", buf_string(&cli->path), NULL, &reply, &err);
    struct doc words = rc == 0 ? doc_child(reply.doc, "words") : (struct doc){ NULL, 0 };
    if (rc == 0 && reply.status == 200 && !tell(cli, words, word)) {
        list(&names, words);
        buf_printf(&why, "the plugin %s offers %s", buf_string(&plugin),
                   names.size != 0 ? buf_string(&names) : "none");
    } else if (rc != 0)
        buf_printf(&why, "no daemon could be asked: %s", err.text);
    else if (reply.status != 200)
        reply_reason(&reply, &why);
    if (why.size != 0)
        code = fail(cli, word, buf_string(&why));
    buf_deinit(&plugin);
    buf_deinit(&why);
    buf_deinit(&names);
    return code;
}
