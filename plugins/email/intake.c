/* intake.c -- see intake.h. */
#include "intake.h"

#include "fault.h"
#include "mail.h"
#include "settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ_BYTES 65536
#define OUT_BYTES_MAX (256u * 1024)
#define SWEEP_MS 10000

struct link { /* a connection */
    struct link *next, **place;
    struct intake *intake;
    int fd; /* -1: the other side has gone, and an arrival is under way */
    struct lmtp lmtp;
    struct lmtp_config config;
    struct bytes out;  /* not yet written */
    struct bytes rest; /* read, behind a message that waits for its answers */
    struct mail mail;
    bool has_mail;
    unsigned answered; /* recipients of the message */
    bool is_inside;    /* in take(): an arrival that is done at once does not go on by itself */
    struct arrival *arrival;
    int64_t heard_ms;
};

struct intake {
    struct arrival_context context;
    struct link *links;
    size_t count;
    uint64_t sweep;
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* -- Mail -------------------------------------------------------------------------------------- */

static void drop_mail(struct link *link)
{
    if (link->has_mail)
        mail_deinit(&link->mail);
    link->has_mail = false;
}

static enum lmtp_answer on_recipient(void *arg, struct span address, const char **out_text)
{
    struct link *link = arg;
    return arrival_recipient(&link->intake->context, address, out_text);
}

static void on_begin(void *arg)
{
    struct link *link = arg;
    drop_mail(link);
    mail_init(&link->mail);
    link->mail.charset = link->intake->context.settings->charset;
    link->has_mail = true;
}

static bool on_data(void *arg, struct span data)
{
    struct link *link = arg;
    struct fault fault;
    return mail_feed(&link->mail, data, &fault) == 0;
}

/* -- The end of a connection ------------------------------------------------------------------- */

static void hang_up(struct link *link)
{
    const struct arrival_context *context = &link->intake->context;
    if (link->fd < 0)
        return;
    context->host->watch(context->kith, link->fd, 0, NULL, NULL);
    close(link->fd);
    link->fd = -1;
}

static void link_free(struct link *link)
{
    hang_up(link);
    arrival_free(link->arrival);
    drop_mail(link);
    bytes_deinit(&link->out);
    bytes_deinit(&link->rest);
    *link->place = link->next;
    if (link->next != NULL)
        link->next->place = link->place;
    link->intake->count--;
    free(link);
}

/* -- Writing and reading ----------------------------------------------------------------------- */

static void on_ready(void *arg, int fd, uint32_t events);

/* As much as goes; false: the other side has gone. */
static bool write_out(struct link *link)
{
    size_t done = 0;
    while (done < link->out.size) {
        ssize_t size = send(link->fd, link->out.data + done, link->out.size - done, MSG_NOSIGNAL);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (size < 0)
            return false;
        done += (size_t)size;
    }
    if (done != 0)
        memmove(link->out.data, link->out.data + done, link->out.size - done);
    link->out.size -= done;
    return link->out.failed == 0;
}

/* What it waits for: to write, or else to read.  While a message is dealt with for nothing: a peer
 * that goes away is noticed with the answer. */
static bool watch(struct link *link)
{
    const struct arrival_context *context = &link->intake->context;
    uint32_t events = link->out.size != 0     ? KITH_WRITABLE
                      : link->arrival != NULL ? 0
                                              : KITH_READABLE;
    return context->host->watch(context->kith, link->fd, events, on_ready, link) == KITH_OK;
}

static void deal_with(struct link *link);

/* Feed what has come; a message that is complete is dealt with, and the rest is kept. */
static void take(struct link *link, struct span data)
{
    link->is_inside = true;
    while (data.size > 0 && link->lmtp.state != LMTP_CLOSED && link->lmtp.state != LMTP_WAITING) {
        data = span_from(data, lmtp_feed(&link->lmtp, data, &link->out));
        if (link->lmtp.state == LMTP_WAITING)
            deal_with(link);
    }
    link->is_inside = false;
    if (link->lmtp.state == LMTP_WAITING)
        bytes_span(&link->rest, data);
}

static void on_answer(void *arg, enum lmtp_answer answer, const char *text);

/* Recipient after recipient, as long as they are done at once. */
static void next_recipients(struct link *link)
{
    while (link->lmtp.state == LMTP_WAITING && link->arrival == NULL)
        arrival_begin(&link->intake->context, &link->mail, &link->lmtp, link->answered, on_answer,
                      link, &link->arrival);
}

static void deal_with(struct link *link)
{
    struct fault fault;
    bool is_sound = mail_end(&link->mail, &fault) == 0;
    link->answered = 0;
    while (!is_sound && link->lmtp.state == LMTP_WAITING)
        lmtp_answer(&link->lmtp, LMTP_LATER, NULL, &link->out);
    next_recipients(link);
}

/* After an answer that came from the loop: the other recipients, then what was kept. */
static void go_on(struct link *link)
{
    next_recipients(link);
    if (link->lmtp.state == LMTP_WAITING)
        return;
    struct bytes rest = link->rest;
    bytes_init(&link->rest, READ_BYTES);
    if (rest.failed != 0)
        lmtp_shutdown(&link->lmtp, "No memory", &link->out);
    take(link, bytes_get(&rest));
    bytes_deinit(&rest);
}

/* Write, and wait for more, or end. */
static void settle(struct link *link)
{
    bool is_there = link->fd >= 0 && write_out(link);
    bool is_over = link->lmtp.state == LMTP_CLOSED && link->out.size == 0;
    if (is_there && !is_over)
        is_there = watch(link);
    if (is_there && !is_over)
        return;
    hang_up(link);
    if (link->arrival == NULL) /* else its end comes here again */
        link_free(link);
}

static void on_answer(void *arg, enum lmtp_answer answer, const char *text)
{
    struct link *link = arg;
    bool is_inside = link->is_inside;
    link->answered++;
    lmtp_answer(&link->lmtp, answer, text, &link->out);
    if (is_inside)
        return;
    link->is_inside = true;
    go_on(link);
    link->is_inside = false;
    settle(link);
}

static void on_ready(void *arg, int fd, uint32_t events)
{
    struct link *link = arg;
    char data[READ_BYTES];
    link->heard_ms = now_ms();
    if ((events & KITH_READABLE) != 0 && link->out.size == 0 && link->arrival == NULL) {
        ssize_t size = read(fd, data, sizeof data);
        if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) {
            link_free(link);
            return;
        }
        if (size > 0)
            take(link, (struct span){ data, (size_t)size });
    }
    settle(link);
}

/* -- Connections ------------------------------------------------------------------------------- */

static void plan_sweep(struct intake *intake);

static void on_sweep(void *arg)
{
    struct intake *intake = arg;
    struct link *next;
    int64_t before = now_ms() - INTAKE_SILENCE_MS;
    intake->sweep = 0;
    for (struct link *link = intake->links; link != NULL; link = next) {
        next = link->next;
        if (link->heard_ms >= before || link->arrival != NULL)
            continue;
        lmtp_shutdown(&link->lmtp, "Silent for too long", &link->out);
        write_out(link);
        link_free(link);
    }
    plan_sweep(intake);
}

/* Only while somebody is there: an idle daemon sleeps. */
static void plan_sweep(struct intake *intake)
{
    if (intake->links != NULL && intake->sweep == 0)
        intake->context.host->timer(intake->context.kith, SWEEP_MS, on_sweep, intake,
                                    &intake->sweep);
}

static void refuse(int fd)
{
    static const char line[] = "421 4.3.2 Too many connections\r\n";
    send(fd, line, sizeof line - 1, MSG_NOSIGNAL);
    close(fd);
}

static void on_connection(void *arg, int fd, const char *peer)
{
    struct intake *intake = arg;
    struct link *link = intake->count < INTAKE_CONNECTIONS_MAX ? calloc(1, sizeof *link) : NULL;
    (void)peer;
    if (link == NULL) {
        refuse(fd);
        return;
    }
    link->intake = intake;
    link->fd = fd;
    link->heard_ms = now_ms();
    bytes_init(&link->out, OUT_BYTES_MAX);
    bytes_init(&link->rest, READ_BYTES);
    link->next = intake->links;
    link->place = &intake->links;
    if (link->next != NULL)
        link->next->place = &link->next;
    intake->links = link;
    intake->count++;
    link->config = (struct lmtp_config){
        .host_name = intake->context.settings->host_name.data,
        .size_max = intake->context.settings->mail_bytes_max,
        .events = { on_recipient, on_begin, on_data, link },
    };
    lmtp_init(&link->lmtp, &link->config, &link->out);
    plan_sweep(intake);
    settle(link);
}

int intake_new(const struct arrival_context *context, struct intake **out_intake,
               struct fault *fault)
{
    const struct settings *settings = context->settings;
    uint16_t port = 0;
    char line[160];
    *out_intake = NULL;
    if (settings->lmtp == NULL)
        return 0;
    struct intake *intake = calloc(1, sizeof *intake);
    if (intake == NULL)
        return fault_set(fault, FAULT_MEMORY, "no memory for connections");
    intake->context = *context;
    if (context->host->listen(context->kith, settings->lmtp, on_connection, intake, &port) !=
        KITH_OK) {
        free(intake);
        return fault_set(fault, FAULT_INVALID, "config.lmtp: nobody can listen on %.100s",
                         settings->lmtp);
    }
    snprintf(line, sizeof line, "mail comes in over LMTP on %.100s, port %u", settings->lmtp,
             (unsigned)port);
    context->host->log(context->kith, KITH_INFO, line);
    *out_intake = intake;
    return 0;
}

void intake_free(struct intake *intake)
{
    if (intake == NULL)
        return;
    if (intake->sweep != 0)
        intake->context.host->cancel(intake->context.kith, intake->sweep);
    for (struct link *link = intake->links, *next; link != NULL; link = next) {
        next = link->next;
        if (link->fd >= 0) {
            lmtp_shutdown(&link->lmtp, "Shutting down", &link->out);
            write_out(link);
        }
        link_free(link);
    }
    free(intake);
}
