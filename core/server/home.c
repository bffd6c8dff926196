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
    if (guest->state != GUEST_SERVING && guest->state != GUEST_LEAVING)
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
    if (guest->home->is_stopping)
        return err_set(err, E_BUSY, "the daemon is about to end");
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

static bool has_forgotten(const struct home_guest *guest, uint64_t customer)
{
    uint64_t known;
    for (size_t at = 0; at < guest->forgotten.size; at += sizeof known) {
        memcpy(&known, guest->forgotten.data + at, sizeof known);
        if (known == customer)
            return true;
    }
    return false;
}

static int told_of_erasure(struct home_guest *guest, struct doc doc)
{
    uint64_t customer = (uint64_t)doc_int(doc, "customer", 0);
    bool is_done = doc_int(doc, "status", KITH_FAILED) == KITH_OK;
    if (is_done && guest->is_forgetting && !has_forgotten(guest, customer))
        buf_append(&guest->forgotten, &customer, sizeof customer);
    return 0;
}

int32_t home_up(void *arg, enum outside_up kind, uint64_t number, struct doc doc, struct err *err)
{
    struct home_guest *guest = arg;
    switch (kind) {
    case OUTSIDE_LOG:
        home_log(guest, doc);
        return KITH_OK;
    case OUTSIDE_APPEND:
        return outside_code(home_append(guest, number, doc, err));
    case OUTSIDE_ASK:
        return outside_code(home_ask(guest, number, doc, err));
    case OUTSIDE_FILE_READ:
        return outside_code(home_file_read(guest, number, doc, err));
    case OUTSIDE_FILE_WRITE:
        return outside_code(home_file_write(guest, number, doc, err));
    case OUTSIDE_DELIVER:
        return outside_code(home_deliver(guest, doc, err));
    case OUTSIDE_PAUSE:
        return outside_code(home_pause(guest, doc, err));
    case OUTSIDE_REPLY:
        return outside_code(home_reply(guest, number, doc, err));
    case OUTSIDE_ERASED:
        return outside_code(told_of_erasure(guest, doc));
    case OUTSIDE_COUNT:
        return outside_code(home_count(guest, doc, err));
    }
    return KITH_INVALID;
}

/* -- Making ------------------------------------------------------------------------------------ */

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
        rc = home_make_table(home, NULL, NULL, &home->table, err);
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
        buf_deinit(&home->guests[i].forgotten);
        free(home->guests[i].lines);
    }
    free(home->guests);
    home_table_free(home->coming);
    home_table_free(home->table);
    buf_deinit(&home->scratch);
    arena_deinit(&home->reasons);
    free(home);
}

/* -- Secrets ----------------------------------------------------------------------------------- */

void home_reread(struct home *home)
{
    struct doc none = { NULL, 0 };
    for (size_t i = 0; i < home->guest_count; i++)
        if (home->guests[i].state == GUEST_SERVING)
            home->guests[i].face.down(home->guests[i].face.self, OUTSIDE_REREAD, 0, none);
}

/* -- Who does not run -------------------------------------------------------------------------- */

const char *home_failed(const struct home *home, const char *plugin)
{
    for (size_t i = 0; home != NULL && i < home->guest_count; i++)
        if (strcmp(home->guests[i].name + sizeof "plugin:" - 1, plugin) == 0)
            return atomic_load(&home->guests[i].failed);
    return NULL;
}

size_t home_idle(const struct home *home, struct buf *out)
{
    size_t count = 0;
    for (size_t i = 0; home != NULL && home->api != NULL && i < home->guest_count; i++) {
        enum guest_state state = home->guests[i].state;
        if (state != GUEST_FAILED && state != GUEST_AWAY)
            continue;
        const char *failed = atomic_load(&home->guests[i].failed);
        buf_printf(out, "%s%s", count++ != 0 ? ", " : "", home->guests[i].plugin->name);
        if (failed != NULL)
            buf_printf(out, " (%s)", failed);
    }
    return count;
}

/* -- Erasing ----------------------------------------------------------------------------------- */

/* Whether it has, by the time it has been told: of one that is far away it is heard later. */
static bool tell_erased(struct home_guest *guest, uint64_t customer)
{
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    if (has_forgotten(guest, customer))
        return true;
    guest->is_forgetting = true;
    doc_begin(&w, &bytes);
    doc_put_int(&w, "customer", (int64_t)customer);
    guest->face.down(guest->face.self, OUTSIDE_ERASE, 0, doc_end(&w));
    buf_deinit(&bytes);
    return has_forgotten(guest, customer);
}

static int forget_there(struct home_guest *guest, const uint64_t *customers, size_t count,
                        struct err *err)
{
    int rc = 0;
    if (guest->state != GUEST_SERVING)
        return err_set(err, E_BUSY,
                       "plugin %s does not run: what it keeps of those who are erased is asked "
                       "for when it does",
                       guest->plugin->name);
    for (size_t i = 0; i < count; i++)
        if (!tell_erased(guest, customers[i]))
            rc = err_set(err, E_BUSY,
                         "plugin %s has not yet forgotten customer %llu: it is asked again",
                         guest->plugin->name, (unsigned long long)customers[i]);
    return rc;
}

int home_forget(struct home *home, const uint64_t *customers, size_t count, struct err *err)
{
    int rc = 0;
    for (size_t i = 0; i < home->guest_count; i++)
        if (home->guests[i].plugin->erased != NULL) {
            int code = forget_there(&home->guests[i], customers, count, err);
            rc = rc == 0 ? code : rc;
        }
    for (size_t i = 0; rc == 0 && i < home->guest_count; i++) {
        home->guests[i].is_forgetting = false;
        buf_clear(&home->guests[i].forgotten);
    }
    return rc;
}
