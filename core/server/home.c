/* home.c -- plugins as guests: their beginning, their end, and where what they send up goes; see
 * home.h.
 *
 * A guest is never taken out of the list, so a pointer to one is good as long as the home is.  What
 * is under way for it counts (wishes, requests), and the interface is held meanwhile: the daemon
 * does not end between an event and the plugin that waits to hear of it.
 */
#include "core/server/home_inside.h"

#include "core/server/call.h"
#include "core/server/say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- Down -------------------------------------------------------------------------------------- */

void home_answer(struct home_guest *guest, uint64_t number, int32_t status, struct doc result)
{
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    if (guest->state != GUEST_SERVING)
        return;
    doc_begin(&w, &bytes);
    doc_put_int(&w, "status", status);
    doc_put_doc(&w, "result", result);
    guest->face.down(guest->face.self, OUTSIDE_ANSWER, number, doc_end(&w));
    buf_deinit(&bytes);
}

void home_answer_error(struct home_guest *guest, uint64_t number, int32_t status,
                       const char *reason)
{
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &bytes);
    doc_put_string(&w, "error", reason);
    home_answer(guest, number, status, doc_end(&w));
    buf_deinit(&bytes);
}

int home_wish_begin(struct home_guest *guest, struct err *err)
{
    if (guest->home->api == NULL || guest->wishes >= PLUGIN_WISHES_MAX)
        return err_set(err, E_BUSY, "%d calls are under way", PLUGIN_WISHES_MAX);
    guest->wishes++;
    api_hold(guest->home->api);
    return 0;
}

void home_wish_end(struct home_guest *guest)
{
    guest->wishes--;
    api_release(guest->home->api);
}

/* -- log(), from any thread -------------------------------------------------------------------- */

#define MINUTE_MS 60000

static void tell_skipped(const struct home_guest *guest, int64_t count)
{
    if (count > PLUGIN_LINES_MAX)
        say("plugin %s: %lld more lines in that minute", guest->plugin->name,
            (long long)(count - PLUGIN_LINES_MAX));
}

static void home_log(struct home_guest *guest, struct doc doc)
{
    static const char *const levels[] = { "debug: ", "", "warning: ", "error: " };
    struct clock clock = clock_machine();
    int64_t now = clock.boot_ms(clock.arg), level = doc_int(doc, "level", KITH_INFO);
    struct text line = doc_text(doc, "line");
    if (now - atomic_load(&guest->lines_since) >= MINUTE_MS) {
        atomic_store(&guest->lines_since, now);
        tell_skipped(guest, atomic_exchange(&guest->line_count, 0));
    }
    if (atomic_fetch_add(&guest->line_count, 1) >= PLUGIN_LINES_MAX)
        return;
    if (level < KITH_DEBUG || level > KITH_ERROR)
        level = KITH_INFO;
    say("plugin %s: %s%.*s", guest->plugin->name, levels[level], (int)line.size, line.data);
}

/* -- Up ---------------------------------------------------------------------------------------- */

static int told_of_erasure(struct home_guest *guest, struct doc doc)
{
    uint64_t customer = (uint64_t)doc_int(doc, "customer", 0);
    if (customer == guest->erased && doc_int(doc, "status", KITH_FAILED) == KITH_OK)
        guest->erased = 0;
    return 0;
}

static int32_t code_of(int code)
{
    switch (code) {
    case 0:
        return KITH_OK;
    case E_NOTFOUND:
        return KITH_MISSING;
    case E_DENIED:
        return KITH_DENIED;
    case E_INVALID:
    case E_CONFLICT:
        return KITH_INVALID;
    case E_LIMIT:
        return KITH_LIMIT;
    case E_BUSY:
    case E_FULL:
        return KITH_BUSY;
    case E_IO:
        return KITH_IO;
    default:
        return KITH_FAILED;
    }
}

int32_t home_up(void *arg, enum outside_up kind, uint64_t number, struct doc doc, struct err *err)
{
    struct home_guest *guest = arg;
    switch (kind) {
    case OUTSIDE_LOG:
        home_log(guest, doc);
        return KITH_OK;
    case OUTSIDE_APPEND:
        return code_of(home_append(guest, number, doc, err));
    case OUTSIDE_ASK:
        return code_of(home_ask(guest, number, doc, err));
    case OUTSIDE_FILE_READ:
        return code_of(home_file_read(guest, number, doc, err));
    case OUTSIDE_FILE_WRITE:
        return code_of(home_file_write(guest, number, doc, err));
    case OUTSIDE_DELIVER:
        return code_of(home_deliver(guest, doc, err));
    case OUTSIDE_PAUSE:
        return code_of(home_pause(guest, doc, err));
    case OUTSIDE_REPLY:
        return code_of(home_reply(guest, number, doc, err));
    case OUTSIDE_ERASED:
        return code_of(told_of_erasure(guest, doc));
    case OUTSIDE_COUNT:
        return code_of(home_count(guest, doc, err));
    }
    return KITH_INVALID;
}

/* -- In this process --------------------------------------------------------------------------- */

static void here_down(void *self, enum outside_down kind, uint64_t number, struct doc doc)
{
    outside_down(((struct home_guest *)self)->outside, kind, number, doc);
}

static void here_status(void *self, size_t channel, struct channel_status *out_status)
{
    outside_status(((struct home_guest *)self)->outside, channel, out_status);
}

static void here_wind_down(void *self)
{
    outside_wind_down(((struct home_guest *)self)->outside);
}

static void here_stop(void *self, void (*done)(void *arg, const struct outside_rest *rest),
                      void *arg)
{
    outside_stop(((struct home_guest *)self)->outside, done, arg);
}

static const struct home_face here = {
    .down = here_down,
    .status = here_status,
    .wind_down = here_wind_down,
    .stop = here_stop,
};

/* -- Beginning --------------------------------------------------------------------------------- */

static int launch(struct home_guest *guest, struct err *err)
{
    const struct home_options *options = &guest->home->options;
    const struct outside_options wanted = {
        .loop = options->loop,
        .plugin = guest->plugin,
        .ports = { .arg = guest, .up = home_up },
        .numbers = &guest->numbers,
    };
    size_t index = (size_t)(guest - guest->home->guests);
    int rc = 1;
    if (options->launch != NULL)
        rc = options->launch(options->launch_arg, &wanted, &guest->face, err);
    if (rc != 1)
        return rc;
    if (plugin_set_is_isolated(options->plugins, index))
        return err_set(err, E_INVALID, "plugin %s: isolated, its outside side cannot run",
                       guest->plugin->name);
    guest->face = here;
    guest->face.self = guest;
    return outside_start(&wanted, &guest->outside, err);
}

static bool has_outside(const struct plugin *plugin)
{
    return plugin->start != NULL || plugin->stop != NULL || plugin->erased != NULL ||
           plugin->channel_count + plugin->route_count + plugin->job_count != 0;
}

static void start_guest(struct home_guest *guest)
{
    struct err err;
    if (!has_outside(guest->plugin)) {
        guest->state = GUEST_STOPPED;
        return;
    }
    int rc = launch(guest, &err);
    guest->state = rc == 0 ? GUEST_SERVING : GUEST_FAILED;
    if (rc != 0)
        say("%s: it takes no part until the next start", err.text);
}

void home_start(struct home *home, struct api *api)
{
    home->api = api;
    for (size_t i = 0; i < home->guest_count; i++)
        start_guest(&home->guests[i]);
}

static void make_guest(struct home *home, struct home_guest *guest, const struct plugin *plugin)
{
    guest->home = home;
    guest->plugin = plugin;
    snprintf(guest->name, sizeof guest->name, "plugin:%s", plugin->name);
    guest->lines = mem_zero((plugin->channel_count + 1) * sizeof *guest->lines);
    for (size_t i = 0; i < plugin->channel_count; i++)
        guest->lines[i] = (struct home_line){ guest, i };
}

static int check_channels(const struct home *home, struct err *err)
{
    struct channel channel, other;
    for (size_t i = 0; home_channel((struct home *)home, i, &channel); i++)
        for (size_t j = 0; j < i && home_channel((struct home *)home, j, &other); j++)
            if (strcmp(channel.name, other.name) == 0)
                return err_set(err, E_INVALID,
                               "the channel %s is delivered by two plugins, %s and %s",
                               channel.name, ((struct home_line *)other.self)->guest->plugin->name,
                               ((struct home_line *)channel.self)->guest->plugin->name);
    return 0;
}

int home_new(const struct home_options *options, struct home **out_home, struct err *err)
{
    struct home *home = mem_zero(sizeof *home);
    home->options = *options;
    home->guest_count = plugin_set_count(options->plugins);
    home->guests = mem_zero((home->guest_count + 1) * sizeof *home->guests);
    for (size_t i = 0; i < home->guest_count; i++)
        make_guest(home, &home->guests[i], plugin_set_at(options->plugins, i));
    int rc = check_channels(home, err);
    if (rc == 0)
        rc = home_check_routes(home, err);
    if (rc != 0) {
        home_free(home);
        return rc;
    }
    *out_home = home;
    return 0;
}

void home_free(struct home *home)
{
    if (home == NULL)
        return;
    for (size_t i = 0; i < home->guest_count; i++) {
        home_forget_given(&home->guests[i]);
        free(home->guests[i].lines);
    }
    free(home->guests);
    for (size_t i = 0; i < home->route_count; i++)
        buf_deinit(&home->route_owners[i].openapi_bytes);
    free(home->routes);
    free(home->route_owners);
    buf_deinit(&home->scratch);
    free(home);
}

/* -- Ending ------------------------------------------------------------------------------------ */

void home_wind_down(struct home *home)
{
    home->is_winding_down = true;
    for (size_t i = 0; i < home->guest_count; i++)
        if (home->guests[i].state == GUEST_SERVING) {
            home_requests_hurry(&home->guests[i]);
            home->guests[i].face.wind_down(home->guests[i].face.self);
        }
}

static void end_if_all_stopped(struct home *home)
{
    void (*stopped)(void *arg) = home->stopped;
    if (home->stopping != 0 || stopped == NULL)
        return;
    home->stopped = NULL;
    stopped(home->stopped_arg);
}

static void on_guest_stopped(void *arg, const struct outside_rest *rest)
{
    struct home_guest *guest = arg;
    char left[OUTSIDE_REST_TEXT];
    outside_rest_text(rest, left);
    if (left[0] != '\0')
        say("plugin %s: at its end it left %s, which were removed", guest->plugin->name, left);
    guest->state = GUEST_STOPPED;
    guest->outside = NULL;
    guest->home->stopping--;
    end_if_all_stopped(guest->home);
}

void home_stop(struct home *home, void (*done)(void *arg), void *arg)
{
    home->is_winding_down = true;
    home->stopping++; /* nobody is through before all have been told */
    for (size_t i = 0; i < home->guest_count; i++) {
        struct home_guest *guest = &home->guests[i];
        if (guest->state != GUEST_SERVING)
            continue;
        home->stopping++;
        home_requests_end(guest);
        guest->face.stop(guest->face.self, on_guest_stopped, guest);
    }
    home->stopped = done;
    home->stopped_arg = arg;
    home->stopping--;
    end_if_all_stopped(home);
}

bool home_is_stopped(const struct home *home)
{
    for (size_t i = 0; i < home->guest_count; i++)
        if (home->guests[i].state == GUEST_SERVING)
            return false;
    return true;
}

/* -- Secrets ----------------------------------------------------------------------------------- */

void home_reread(struct home *home)
{
    struct doc none = { NULL, 0 };
    for (size_t i = 0; i < home->guest_count; i++)
        if (home->guests[i].state == GUEST_SERVING)
            home->guests[i].face.down(home->guests[i].face.self, OUTSIDE_REREAD, 0, none);
}

/* -- Erasing ----------------------------------------------------------------------------------- */

/* One after the other, so that one number is enough to know what was answered. */
static bool tell_erased(struct home_guest *guest, uint64_t customer)
{
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    guest->erased = customer;
    doc_begin(&w, &bytes);
    doc_put_int(&w, "customer", (int64_t)customer);
    guest->face.down(guest->face.self, OUTSIDE_ERASE, 0, doc_end(&w));
    buf_deinit(&bytes);
    return guest->erased == 0;
}

int home_forget(struct home *home, const uint64_t *customers, size_t count, struct err *err)
{
    for (size_t i = 0; i < home->guest_count; i++) {
        struct home_guest *guest = &home->guests[i];
        if (guest->plugin->erased == NULL)
            continue;
        if (guest->state != GUEST_SERVING)
            return err_set(err, E_BUSY,
                           "plugin %s does not run: what it keeps of those who are erased is asked "
                           "for when it does",
                           guest->plugin->name);
        for (size_t j = 0; j < count; j++)
            if (!tell_erased(guest, customers[j]))
                return err_set(err, E_BUSY,
                               "plugin %s has not yet forgotten customer %llu: it is asked again",
                               guest->plugin->name, (unsigned long long)customers[j]);
    }
    return 0;
}
