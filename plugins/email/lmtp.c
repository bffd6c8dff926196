/* lmtp.c -- see lmtp.h.
 *
 *   command   allowed                        does
 *   -------   ----------------------------   ------------------------------------
 *   LHLO      any time                       forgets the envelope
 *   MAIL      greeted, no sender yet         sender
 *   RCPT      sender                         one more recipient, if wanted
 *   DATA      at least one recipient         the message
 *   RSET      any time                       forgets the envelope
 *   NOOP VRFY HELP QUIT    any time
 *
 * Inside a message, per byte (a dot at the begin of a line is not the message's):
 *
 *   at        "."       CR            LF       else
 *   BEGIN     DOT       CR, kept      MID      MID
 *   DOT       MID       DOT_CR        MID      MID
 *   DOT_CR    MID       CR            the end  MID       (the CR held back is kept, too)
 *   MID       MID       CR            MID      MID
 *   CR        MID       CR            BEGIN    MID
 */
#include "lmtp.h"

#include <inttypes.h>
#include <string.h>

#define SWALLOW_MAX 2 /* times size_max: then the connection ends in the middle of a message */
#define PIECE_MAX 4096

static void reply(struct bytes *out, const char *line)
{
    bytes_text(out, line);
    bytes_text(out, "\r\n");
}

static void forget_envelope(struct lmtp *lmtp)
{
    lmtp->has_sender = false;
    lmtp->sender[0] = '\0';
    lmtp->recipient_count = lmtp->answer_count = 0;
    lmtp->is_too_large = lmtp->is_refused = false;
    lmtp->size = 0;
}

static void refuse(struct lmtp *lmtp, const char *line, struct bytes *out)
{
    if (++lmtp->error_count > LMTP_ERRORS_MAX) {
        reply(out, "421 4.7.0 Too many errors");
        lmtp->state = LMTP_CLOSED;
        return;
    }
    reply(out, line);
}

void lmtp_init(struct lmtp *lmtp, const struct lmtp_config *config, struct bytes *out)
{
    memset(lmtp, 0, sizeof *lmtp);
    lmtp->config = config;
    bytes_printf(out, "220 %.200s LMTP\r\n", config->host_name);
}

void lmtp_shutdown(struct lmtp *lmtp, const char *text, struct bytes *out)
{
    if (lmtp->state != LMTP_CLOSED)
        bytes_printf(out, "421 4.3.0 %.400s\r\n", text);
    lmtp->state = LMTP_CLOSED;
}

/* Replies are one line each, whatever the text has in it. */
static void reply_with(struct bytes *out, const char *code, const char *text)
{
    bytes_text(out, code);
    for (size_t i = 0; i < LMTP_REPLY_MAX - 40 && text[i] != '\0'; i++)
        bytes_byte(out, text[i] >= ' ' && text[i] < 0x7f ? text[i] : '?');
    bytes_text(out, "\r\n");
}

static void on_lhlo(struct lmtp *lmtp, struct span argument, struct bytes *out)
{
    if (span_trim(argument).size == 0) {
        refuse(lmtp, "501 5.5.4 LHLO and a host name", out);
        return;
    }
    forget_envelope(lmtp);
    lmtp->is_greeted = true;
    bytes_printf(out, "250-%.200s\r\n", lmtp->config->host_name);
    bytes_text(out, "250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n");
    bytes_printf(out, "250 SIZE %" PRIu64 "\r\n", lmtp->config->size_max);
}

/* "<path>" and what follows it.  The path is ASCII without blanks outside of quotes. */
static bool take_path(struct span argument, struct span *out_path, struct span *out_params)
{
    bool is_quoted = false;
    argument = span_trim(argument);
    if (argument.size < 2 || argument.data[0] != '<')
        return false;
    for (size_t i = 1; i < argument.size && i <= LMTP_PATH_MAX + 1; i++) {
        char c = argument.data[i];
        if (c == '>' && !is_quoted) {
            *out_path = (struct span){ argument.data + 1, i - 1 };
            *out_params = span_trim(span_from(argument, i + 1));
            bool is_route = i > 1 && argument.data[1] == '@';
            return !is_route && (i + 1 == argument.size || ascii_is_blank(argument.data[i + 1]));
        }
        if (c < ' ' || c >= 0x7f || (c == ' ' && !is_quoted) || (c == '<' && !is_quoted))
            return false;
        if (c == '\\' && is_quoted)
            i++;
        else if (c == '"')
            is_quoted = !is_quoted;
    }
    return false;
}

/* SIZE=n above our limit? */
static bool is_announced_large(const struct lmtp *lmtp, struct span params)
{
    while (params.size > 0) {
        size_t end = span_find(params, ' ');
        struct span param = { params.data, end };
        params = span_from(params, end + 1);
        if (!span_begins_word(param, "SIZE="))
            continue;
        uint64_t size = 0;
        for (size_t i = 5; i < param.size && ascii_is_digit(param.data[i]); i++)
            if ((size = size * 10 + (uint64_t)(param.data[i] - '0')) > lmtp->config->size_max)
                return true;
    }
    return false;
}

static void copy_path(char *to, struct span path)
{
    if (path.size > 0)
        memcpy(to, path.data, path.size);
    to[path.size] = '\0';
}

static void on_mail(struct lmtp *lmtp, struct span argument, struct bytes *out)
{
    struct span path, params;
    if (!lmtp->is_greeted || lmtp->has_sender) {
        refuse(lmtp,
               lmtp->has_sender ? "503 5.5.1 There is a sender already; RSET"
                                : "503 5.5.1 LHLO first",
               out);
    } else if (!span_begins_word(argument, "FROM:") ||
               !take_path(span_from(argument, 5), &path, &params)) {
        refuse(lmtp, "501 5.1.7 MAIL FROM:<address>", out);
    } else if (is_announced_large(lmtp, params)) {
        reply(out, "552 5.3.4 Message too large");
    } else {
        copy_path(lmtp->sender, path);
        lmtp->has_sender = true;
        reply(out, "250 2.1.0 Sender ok");
    }
}

static void add_recipient(struct lmtp *lmtp, struct span path, struct bytes *out)
{
    const struct lmtp_events *events = &lmtp->config->events;
    const char *text = NULL;
    switch (events->recipient(events->arg, path, &text)) {
    case LMTP_ACCEPT:
        copy_path(lmtp->recipients[lmtp->recipient_count++], path);
        reply_with(out, "250 2.1.5 ", text == NULL ? "Recipient ok" : text);
        break;
    case LMTP_LATER:
        reply_with(out, "451 4.3.0 ", text == NULL ? "Try again later" : text);
        break;
    case LMTP_REFUSE:
        reply_with(out, "550 5.1.1 ", text == NULL ? "No such recipient" : text);
        break;
    }
}

static void on_rcpt(struct lmtp *lmtp, struct span argument, struct bytes *out)
{
    struct span path, params;
    if (!lmtp->has_sender)
        refuse(lmtp, "503 5.5.1 MAIL first", out);
    else if (!span_begins_word(argument, "TO:") ||
             !take_path(span_from(argument, 3), &path, &params) || path.size == 0)
        refuse(lmtp, "501 5.1.3 RCPT TO:<address>", out);
    else if (lmtp->recipient_count == LMTP_RECIPIENTS_MAX)
        reply(out, "452 4.5.3 Too many recipients");
    else
        add_recipient(lmtp, path, out);
}

static void on_data(struct lmtp *lmtp, struct span argument, struct bytes *out)
{
    if (span_trim(argument).size > 0) {
        refuse(lmtp, "501 5.5.4 DATA alone", out);
    } else if (lmtp->recipient_count == 0) {
        refuse(lmtp, "503 5.5.1 No valid recipients", out);
    } else {
        reply(out, "354 End with a dot on a line of its own");
        lmtp->state = LMTP_DATA;
        lmtp->line_state = LMTP_LINE_BEGIN;
        lmtp->config->events.begin(lmtp->config->events.arg);
    }
}

static void on_rset(struct lmtp *lmtp, struct span argument, struct bytes *out)
{
    (void)argument;
    forget_envelope(lmtp);
    reply(out, "250 2.0.0 Ok");
}

static void on_noop(struct lmtp *lmtp, struct span argument, struct bytes *out)
{
    (void)lmtp, (void)argument;
    reply(out, "250 2.0.0 Ok");
}

static void on_vrfy(struct lmtp *lmtp, struct span argument, struct bytes *out)
{
    (void)lmtp, (void)argument;
    reply(out, "252 2.5.2 Send it and see");
}

static void on_help(struct lmtp *lmtp, struct span argument, struct bytes *out)
{
    (void)lmtp, (void)argument;
    reply(out, "214 2.0.0 LHLO MAIL RCPT DATA RSET NOOP VRFY QUIT");
}

static void on_quit(struct lmtp *lmtp, struct span argument, struct bytes *out)
{
    (void)argument;
    reply(out, "221 2.0.0 Bye");
    lmtp->state = LMTP_CLOSED;
}

static void on_helo(struct lmtp *lmtp, struct span argument, struct bytes *out)
{
    (void)argument;
    refuse(lmtp, "500 5.5.1 This is LMTP: LHLO", out);
}

static void run_command(struct lmtp *lmtp, struct span line, struct bytes *out)
{
    static const struct {
        const char *name;
        void (*run)(struct lmtp *lmtp, struct span argument, struct bytes *out);
    } commands[] = {
        { "LHLO", on_lhlo }, { "MAIL", on_mail }, { "RCPT", on_rcpt }, { "DATA", on_data },
        { "RSET", on_rset }, { "NOOP", on_noop }, { "VRFY", on_vrfy }, { "HELP", on_help },
        { "QUIT", on_quit }, { "HELO", on_helo }, { "EHLO", on_helo },
    };
    size_t end = span_find(line, ' ');
    struct span name = { line.data, end };
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (span_is_word(name, commands[i].name)) {
            commands[i].run(lmtp, span_from(line, end + 1), out);
            return;
        }
    refuse(lmtp, "500 5.5.2 No such command", out);
}

/* A line that ended with LF. */
static void end_command(struct lmtp *lmtp, struct bytes *out)
{
    struct span line = { lmtp->line, lmtp->line_size };
    bool is_long = lmtp->is_line_long;
    lmtp->line_size = 0;
    lmtp->is_line_long = false;
    if (is_long) {
        refuse(lmtp, "500 5.5.2 Line too long", out);
    } else if (line.size == 0 || line.data[line.size - 1] != '\r') {
        refuse(lmtp, "500 5.5.2 Lines end in CRLF", out);
    } else {
        line.size--;
        run_command(lmtp, line, out);
    }
}

static size_t feed_command(struct lmtp *lmtp, struct span data, struct bytes *out)
{
    size_t end = span_find(data, '\n');
    size_t room = sizeof lmtp->line - lmtp->line_size;
    if (end > room) {
        lmtp->is_line_long = true;
        lmtp->line_size = 0;
    } else if (!lmtp->is_line_long && end > 0) {
        memcpy(lmtp->line + lmtp->line_size, data.data, end);
        lmtp->line_size += end;
    }
    if (end == data.size)
        return end;
    end_command(lmtp, out);
    return end + 1;
}

static void keep(struct lmtp *lmtp, struct span piece)
{
    const struct lmtp_events *events = &lmtp->config->events;
    lmtp->size += piece.size;
    lmtp->is_too_large = lmtp->is_too_large || lmtp->size > lmtp->config->size_max;
    if (piece.size > 0 && !lmtp->is_too_large && !lmtp->is_refused)
        lmtp->is_refused = !events->data(events->arg, piece);
}

/* One byte of a message: writes what of it is the message's to `piece`.  True at the end. */
static bool take_byte(struct lmtp *lmtp, char c, char piece[], size_t *io_size)
{
    enum lmtp_line state = lmtp->line_state;
    if (state == LMTP_LINE_DOT_CR && c == '\n')
        return true;
    if (state == LMTP_LINE_DOT_CR)
        piece[(*io_size)++] = '\r';
    if (state == LMTP_LINE_BEGIN && c == '.') {
        lmtp->line_state = LMTP_LINE_DOT;
        return false;
    }
    if (state == LMTP_LINE_DOT && c == '\r') {
        lmtp->line_state = LMTP_LINE_DOT_CR;
        return false;
    }
    bool is_line_end = state == LMTP_LINE_CR && c == '\n';
    lmtp->line_state = is_line_end ? LMTP_LINE_BEGIN : c == '\r' ? LMTP_LINE_CR : LMTP_LINE_MID;
    piece[(*io_size)++] = c;
    return false;
}

/* The dot was read: too large and not kept are answered here, all else by the caller. */
static void end_message(struct lmtp *lmtp, struct bytes *out)
{
    lmtp->state = LMTP_WAITING;
    if (!lmtp->is_too_large && !lmtp->is_refused)
        return;
    for (unsigned i = 0; i < lmtp->recipient_count; i++)
        reply(out, lmtp->is_too_large ? "552 5.3.4 Message too large"
                                      : "451 4.3.0 Not enough room for it now");
    forget_envelope(lmtp);
    lmtp->state = LMTP_COMMAND;
}

static size_t feed_data(struct lmtp *lmtp, struct span data, struct bytes *out)
{
    char piece[PIECE_MAX];
    size_t size = 0, at = 0;
    bool is_end = false;
    while (at < data.size && !is_end) {
        is_end = take_byte(lmtp, data.data[at++], piece, &size);
        if (size + 2 > sizeof piece || is_end || at == data.size) {
            keep(lmtp, (struct span){ piece, size });
            size = 0;
        }
    }
    if (is_end)
        end_message(lmtp, out);
    else if (lmtp->size / SWALLOW_MAX > lmtp->config->size_max)
        lmtp_shutdown(lmtp, "Message far too large", out);
    return at;
}

size_t lmtp_feed(struct lmtp *lmtp, struct span data, struct bytes *out)
{
    size_t taken = 0;
    while (taken < data.size && (lmtp->state == LMTP_COMMAND || lmtp->state == LMTP_DATA)) {
        struct span rest = span_from(data, taken);
        taken += lmtp->state == LMTP_COMMAND ? feed_command(lmtp, rest, out)
                                             : feed_data(lmtp, rest, out);
    }
    return taken;
}

void lmtp_answer(struct lmtp *lmtp, enum lmtp_answer answer, const char *text, struct bytes *out)
{
    static const struct {
        const char *code, *text;
    } replies[] = {
        [LMTP_ACCEPT] = { "250 2.0.0 ", "Taken" },
        [LMTP_LATER] = { "451 4.3.0 ", "Try again later" },
        [LMTP_REFUSE] = { "550 5.7.1 ", "Refused" },
    };
    if (lmtp->state != LMTP_WAITING)
        return;
    reply_with(out, replies[answer].code, text == NULL ? replies[answer].text : text);
    if (++lmtp->answer_count == lmtp->recipient_count) {
        forget_envelope(lmtp);
        lmtp->state = LMTP_COMMAND;
    }
}
