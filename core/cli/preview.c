/* preview.c -- a template as a customer would get it. */
#include "core/base/json_write.h"
#include "core/cli/cli.h"

#include <string.h>

/* A number as JSON writes it; anything else is text. */
static bool is_number(const char *text)
{
    static const char digits[] = "0123456789";
    text += *text == '-';
    size_t whole = strspn(text, digits);
    const char *point = text + whole;
    size_t fraction = *point == '.' ? strspn(point + 1, digits) : 0;
    bool is_canonical = whole == 1 || text[0] != '0';
    return whole != 0 && is_canonical &&
           (*point == '\0' || (fraction != 0 && point[1 + fraction] == '\0'));
}

/* --data NAME=VALUE, as often as there are values. */
static int body_data(struct cli *cli)
{
    size_t at = 0;
    const char *pair, *gap = "";
    buf_text(&cli->body, ",\"data\":{");
    for (; (pair = args_next(&cli->args, "data", &at)) != NULL; gap = ",") {
        const char *equals = strchr(pair, '=');
        if (equals == NULL || equals == pair) {
            cli_fail(cli, "--data %s: write NAME=VALUE", pair);
            return EXIT_USAGE;
        }
        buf_text(&cli->body, gap);
        json_write_text(&cli->body, (struct text){ pair, (uint32_t)(equals - pair) });
        buf_byte(&cli->body, ':');
        if (is_number(equals + 1))
            buf_text(&cli->body, equals + 1);
        else
            json_write_text(&cli->body, text_of(equals + 1));
    }
    buf_byte(&cli->body, '}');
    return EXIT_DONE;
}

/* The body keeps its lines and loses whatever else could move a terminal's cursor. */
static void print_lines(struct cli *cli, struct text text)
{
    while (text.size != 0) {
        const char *newline = memchr(text.data, '\n', text.size);
        uint32_t size = newline != NULL ? (uint32_t)(newline - text.data) : text.size;
        uint32_t used = newline != NULL ? size + 1 : size;
        text_clean((struct text){ text.data, size }, &cli->out);
        buf_byte(&cli->out, '\n');
        text = (struct text){ text.data + used, text.size - used };
    }
}

static void print_preview(struct cli *cli, struct doc preview)
{
    for (struct doc_iter it = doc_iter(preview); doc_next(&it);) {
        if (text_is(it.name, "body") || it.value.type != DOC_TEXT)
            continue;
        screen_tint(&cli->screen, TINT_BOLD, it.name.data, &cli->out);
        buf_text(&cli->out, ": ");
        text_clean(it.value.text, &cli->out);
        buf_byte(&cli->out, '\n');
    }
    buf_byte(&cli->out, '\n');
    print_lines(cli, doc_text(preview, "body"));
}

static void print_sent(struct cli *cli, struct doc effect)
{
    struct text id = doc_text(effect, "id"), channel = doc_text(effect, "channel");
    buf_printf(&cli->out, "test %.*s goes to ", (int)id.size, id.data);
    text_clean(doc_text(effect, "to"), &cli->out);
    buf_printf(&cli->out, " on channel %.*s\n", (int)channel.size, channel.data);
}

/* With --to it is sent, and the answer is the effect. */
static int ask(struct cli *cli, const char *customer, struct doc *out_answer)
{
    const char *to = args_value(&cli->args, "to");
    body_open(cli);
    body_text(cli, "template", args_argument(&cli->args, 0));
    body_text(cli, "customer", customer);
    body_text(cli, "locale", args_value(&cli->args, "lang"));
    body_text(cli, "channel", args_value(&cli->args, "channel"));
    body_text(cli, "to", to);
    int code = body_data(cli);
    if (code != EXIT_DONE)
        return code;
    body_close(cli);
    cli_path(cli, to != NULL ? "/v1/preview/send" : "/v1/preview", NULL, NULL);
    return cli_answer(cli, "POST", out_answer);
}

int run_preview(struct cli *cli)
{
    struct doc answer = { NULL, 0 };
    struct buf reference = BUF_INIT;
    int code = cli_find_customer(cli, args_argument(&cli->args, 1), &reference);
    if (code == EXIT_DONE)
        code = ask(cli, buf_string(&reference), &answer);
    buf_deinit(&reference);
    if (code != EXIT_DONE || cli->is_json)
        return code;
    if (doc_text(answer, "id").size != 0)
        print_sent(cli, answer);
    else
        print_preview(cli, answer);
    return EXIT_DONE;
}
