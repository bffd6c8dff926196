/* life_plugin.c -- see life_plugin.h.
 *
 * kithd's parent and its nurse are made of processes, threads and the real clock, none of which a
 * seed repeats.  What the engine and the log see of them is done here in their place:
 *
 *     in this process   a crash --> a line in a file of blames --> options.blames of the next life
 *     isolated          lost --> a second, two, four, ... --> a new process --> plugin.enabled
 *                       killed --> found by the next call, or by the outside: plugin.disabled
 */
#include "tests/sim/life_plugin.h"

#include "core/base/err.h"
#include "core/base/json_write.h"
#include "core/base/mem.h"
#include "core/engine/plugins.h"
#include "core/engine/read.h"
#include "core/plugin/frame.h"
#include "core/plugin/guest.h"
#include "core/plugin/lane.h"
#include "core/plugin/remote.h"
#include "core/plugin/set.h"
#include "core/server/node.h"
#include "core/server/submission.h"
#include "tests/sim/disk.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NAME "tally"
#define TRIES_MAX 5
#define WAIT_MS 1000 /* doubles */
#define USERS 6

static void die(const struct err *err)
{
    fprintf(stderr, "life: %s\n", err->text);
    exit(EXIT_FAILURE);
}

/* -- The plugin's own process ---------------------------------------------------- */

bool life_plugin_is_process(const char *word)
{
    return strcmp(word, GUEST_FLAG) == 0;
}

int life_plugin_process(void)
{
    struct buf bytes = BUF_INIT;
    struct err err;
    if (guest_open() == NULL)
        return EXIT_FAILURE;
    while (frame_read(FD_SOCKET, -1, &bytes, &err) == 0)
        continue; /* a thread of the guest works */
    buf_deinit(&bytes);
    return EXIT_SUCCESS;
}

/* -- Loading -------------------------------------------------------------------- */

static int load(const struct life_plugin *wanted, struct plugin_member *member, struct err *err)
{
    struct buf grant = BUF_INIT, config = BUF_INIT;
    struct doc_writer w;
    char path[4096];
    snprintf(path, sizeof path, "%s/tally%u.so", wanted->dir, wanted->version);
    doc_begin(&w, &grant);
    doc_put_string(&w, "0", "act:after");
    doc_end(&w);
    doc_begin(&w, &config);
    doc_end(&w);
    breadcrumb_name(0, NAME);
    struct plugin_options options = {
        .name = NAME,
        .path = path,
        .grant = { grant.data, (uint32_t)grant.size },
        .config = { config.data, (uint32_t)config.size },
    };
    int rc = wanted->is_isolated ? remote_open(&options, &member->remote, &member->plugin, err)
                                 : plugin_load(&options, &member->plugin, err);
    buf_deinit(&grant);
    buf_deinit(&config);
    return rc;
}

struct plugin_set *life_plugin_load(const struct life_plugin *wanted)
{
    struct plugin_member member = { NULL, NULL };
    struct plugin_set *set = NULL;
    struct err err;
    if (wanted->version == 0)
        return NULL;
    if (wanted->fate != NULL) /* also that of the processes which come later */
        setenv("KITH_SIM_TALLY", wanted->fate, 1);
    if (load(wanted, &member, &err) != 0 || plugin_set_new(&member, 1, &set, &err) != 0)
        die(&err);
    return set;
}

void life_plugin_put_code(const struct plugin_set *set, unsigned version, struct doc_writer *w)
{
    doc_put_int(w, NAME, (int64_t)version);
    plugin_set_put_code(set, w);
}

/* -- The parent ----------------------------------------------------------------- */

static char blames_path[4096];

/* Where the parent would read the breadcrumb.  A crash that is no plugin's is one. */
static void on_fault(int number)
{
    struct breadcrumb_crash crash;
    char line[160];
    breadcrumb_read(number, &crash);
    int size = snprintf(line, sizeof line, "%" PRIu64 " %" PRIu64 " %" PRIu32 " %s\n", crash.seq,
                        crash.about, crash.call, crash.plugin);
    if (crash.plugin[0] == '\0') {
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    int fd = open(blames_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, line, (size_t)size) != size)
        _exit(EXIT_FAILURE);
    _exit(DISK_CRASH_STATUS);
}

/* As on_fault() wrote it. */
static void read_blame(const char *line, struct breadcrumb_crash *out_crash)
{
    char *at;
    *out_crash = (struct breadcrumb_crash){ .is_own = true, .count = 1 };
    out_crash->seq = strtoull(line, &at, 10);
    out_crash->about = strtoull(at, &at, 10);
    out_crash->call = (uint32_t)strtoul(at, &at, 10);
    ASSERT(*at == ' ');
    snprintf(out_crash->plugin, sizeof out_crash->plugin, "%.*s", (int)strcspn(at + 1, "\n"),
             at + 1);
}

const struct breadcrumb_crash *life_plugin_blames(const char *path, size_t *out_count)
{
    static struct breadcrumb_crash blames[BREADCRUMB_BLAMES_MAX];
    struct sigaction action = { .sa_handler = on_fault };
    char line[200];
    FILE *file = fopen(path, "r");
    snprintf(blames_path, sizeof blames_path, "%s", path);
    *out_count = 0;
    while (file != NULL && *out_count < BREADCRUMB_BLAMES_MAX && fgets(line, sizeof line, file))
        read_blame(line, &blames[(*out_count)++]);
    if (file != NULL)
        fclose(file);
    sigaction(SIGSEGV, &action, NULL);
    breadcrumb_watch_crashes(); /* it comes first, and then the fault again */
    breadcrumb_attach(BREADCRUMB_ENGINE);
    return blames;
}

void life_plugin_blamed(const char *path)
{
    unlink(path);
}

/* -- The nurse ------------------------------------------------------------------ */

static struct nurse {
    struct node *node;
    struct plugin_set *set;
    struct clock clock;
    struct job job; /* looking, or handing over */
    struct remote *remote;
    struct buf seen;
    int64_t due; /* boot time; -1: nothing is */
    int tries;   /* 0: a person asked for it */
    bool is_busy, has_looked, must_enable, skip;
} nurse = { .due = -1 };

void life_plugin_attach(struct node *node, struct plugin_set *set, struct clock clock)
{
    nurse.node = node;
    nurse.set = set;
    nurse.clock = clock;
}

static bool is_isolated(void)
{
    return nurse.set != NULL && plugin_set_is_isolated(nurse.set, 0);
}

static void write_entry(enum log_class class, const char *type, const char *flag, bool is_crash)
{
    struct submission *submission = submission_new(class);
    struct doc_writer w;
    submission_begin(submission, &w);
    doc_put_string(&w, "type", type);
    doc_put_string(&w, "source", class == LOG_STAFF ? "staff" : "kithd");
    doc_open(&w, "data");
    doc_put_string(&w, "plugin", NAME);
    if (flag[0] != '\0')
        doc_put_bool(&w, flag, true);
    if (is_crash)
        doc_put_string(&w, "kind", "crash");
    doc_close(&w);
    submission_end(submission, &w);
    submission->must_not_fail = class == LOG_SYSTEM;
    sequencer_post_own(node_sequencer(nurse.node), submission);
}

static void write_enabled(bool again, bool skip)
{
    write_entry(again ? LOG_SYSTEM : LOG_STAFF, "plugin.enabled",
                again  ? "again"
                : skip ? "skip"
                       : "",
                false);
}

static void wait_longer(void)
{
    if (nurse.tries == TRIES_MAX)
        return;
    nurse.due = nurse.clock.boot_ms(nurse.clock.arg) + ((int64_t)WAIT_MS << nurse.tries++);
}

void life_plugin_lost(void *arg, struct text name, const char *why)
{
    (void)why;
    (void)arg;
    (void)name;
    if (is_isolated() && !nurse.is_busy && nurse.due < 0)
        wait_longer();
}

static void hand_over(struct engine *engine, void *arg)
{
    (void)engine;
    (void)arg;
    plugin_set_replace(nurse.set, 0, nurse.remote);
    nurse.remote = NULL;
}

static void on_handed_over(struct mail *mail, void *reader)
{
    (void)mail;
    (void)reader;
    nurse.is_busy = false;
    write_enabled(nurse.tries != 0, nurse.skip);
}

static void begin(void)
{
    struct err err;
    nurse.due = -1;
    nurse.is_busy = true;
    if (plugin_set_another(nurse.set, 0, &nurse.remote, &err) != 0)
        die(&err);
    nurse.job = (struct job){ .mail = { .handle = on_handed_over }, .run = hand_over };
    fold_ask(node_fold(nurse.node), &nurse.job);
}

/* By a person, who is not kept waiting. */
static void enable(bool skip)
{
    if (!is_isolated()) {
        write_enabled(false, skip);
    } else if (!nurse.is_busy) {
        nurse.tries = 0;
        nurse.skip = skip;
        begin();
    }
}

/* -- Looking who is quarantined ------------------------------------------------- */

static void look(struct engine *engine, void *arg)
{
    struct doc_writer w;
    (void)arg;
    buf_clear(&nurse.seen);
    doc_begin(&w, &nurse.seen);
    plugins_show(engine, &w);
    doc_end(&w);
}

static void on_looked(struct mail *mail, void *reader)
{
    struct doc seen = { nurse.seen.data, (uint32_t)nurse.seen.size };
    (void)mail;
    (void)reader;
    nurse.is_busy = false;
    for (struct doc_iter it = doc_iter(doc_child(seen, "plugins")); doc_next(&it);) {
        struct text kind = doc_text(doc_child(it.value.doc, "quarantined"), "kind");
        if (kind.size != 0 && nurse.must_enable)
            enable(false);
        else if (kind.size != 0 && is_isolated() && !text_is(kind, "staff"))
            wait_longer();
    }
}

static void begin_to_look(void)
{
    nurse.is_busy = nurse.has_looked = true;
    nurse.job = (struct job){ .mail = { .handle = on_looked }, .run = look };
    fold_ask(node_fold(nurse.node), &nurse.job);
}

void life_plugin_tick(void)
{
    if (nurse.is_busy || !node_is_ready(nurse.node))
        return;
    if (!nurse.has_looked)
        begin_to_look();
    else if (nurse.due >= 0 && nurse.clock.boot_ms(nurse.clock.arg) >= nurse.due)
        begin();
}

/* Whether the process has ended, of its own or not. */
static bool has_ended(const struct plugin_set *set, int timeout_ms)
{
    struct remote_ends ends;
    struct err err;
    if (plugin_set_ends(set, 0, &ends, &err) != 0)
        die(&err);
    struct pollfd process = { .fd = ends.process, .events = POLLIN };
    bool has_ended = poll(&process, 1, timeout_ms) != 0;
    remote_ends_close(&ends);
    return has_ended;
}

static bool is_gone(int timeout_ms)
{
    return has_ended(nurse.set, timeout_ms);
}

/* As the outside would, which has a descriptor of the process. */
static void notice(void)
{
    write_entry(LOG_SYSTEM, "plugin.disabled", "", true);
    wait_longer();
}

void life_plugin_finish(void)
{
    if (is_isolated() && !nurse.is_busy && nurse.due < 0 && is_gone(0))
        notice();
    nurse.must_enable = true;
    if (!nurse.is_busy && nurse.due < 0 && nurse.set != NULL)
        begin_to_look();
}

/* -- Chance, and staff ----------------------------------------------------------- */

/* At once: when it would notice by itself no seed could repeat. */
void life_plugin_kill(const struct plugin_set *set)
{
    struct remote_ends ends;
    struct err err;
    if (set == NULL || !plugin_set_is_isolated(set, 0))
        return;
    if (plugin_set_ends(set, 0, &ends, &err) != 0)
        die(&err);
    syscall(SYS_pidfd_send_signal, ends.process, SIGKILL, NULL, 0);
    remote_ends_close(&ends);
    has_ended(set, -1);
}

static void kill_process(uint64_t dice)
{
    life_plugin_kill(nurse.set);
    bool outside_is_first = dice % 2 == 0 && nurse.due < 0;
    if (outside_is_first)
        notice();
}

/* Whoever it was is two again, and so is what is kept of her. */
static void unmerge(uint64_t dice)
{
    struct submission *submission = submission_new(LOG_STAFF);
    struct doc_writer w;
    char ref[24];
    snprintf(ref, sizeof ref, "%u", (unsigned)(dice % 16) + 1);
    submission_begin(submission, &w);
    doc_put_string(&w, "type", "customer.unmerge");
    doc_put_string(&w, "ref", ref);
    doc_put_string(&w, "source", "staff");
    submission_end(submission, &w);
    sequencer_post_own(node_sequencer(nurse.node), submission);
}

void life_plugin_act(uint64_t dice)
{
    switch (dice % 24) {
    case 0:
    case 1:
        write_entry(LOG_STAFF, "plugin.disabled", "", false);
        break;
    case 2:
    case 3:
    case 4:
        if (nurse.set != NULL)
            enable((dice >> 8) % 4 == 0);
        break;
    case 5:
    case 6:
        if (is_isolated() && !nurse.is_busy)
            kill_process(dice >> 8);
        break;
    case 7:
    case 8:
    case 9:
    case 10:
    case 11:
    case 12:
        unmerge(dice >> 8);
        break;
    default:
        break;
    }
}

/* -- What she is told ------------------------------------------------------------ */

struct export
{
    struct job job; /* first */
    const char *path;
    bool is_done;
};

static void print_states(FILE *file, unsigned user, const struct buf *states)
{
    struct buf line = BUF_INIT;
    struct doc doc;
    for (size_t at = 0; at < states->size; at += doc.size) {
        doc.data = states->data + at;
        memcpy(&doc.size, doc.data, sizeof doc.size); /* how a document begins */
        buf_clear(&line);
        json_write_doc(&line, doc);
        fprintf(file, "export u-%u %s\n", user, buf_string(&line));
    }
    buf_deinit(&line);
}

static void export_all(struct engine *engine, void *arg)
{
    const struct export *export = arg;
    FILE *file = fopen(export->path, "a");
    ASSERT(file != NULL);
    for (unsigned user = 1; user <= USERS; user++) {
        struct buf states = BUF_INIT;
        struct err err;
        char reference[32];
        snprintf(reference, sizeof reference, "user_id:u-%u", user);
        if (read_plugin_states_of(engine, text_of(reference), &states, &err) == 0)
            print_states(file, user, &states);
        buf_deinit(&states);
    }
    fclose(file);
}

static void on_exported(struct mail *mail, void *reader)
{
    (void)reader;
    ((struct export *)mail)->is_done = true;
}

void life_plugin_export(const char *path)
{
    struct export export = { .path = path };
    export.job =
        (struct job){ .mail = { .handle = on_exported }, .run = export_all, .arg = &export };
    fold_ask(node_fold(nurse.node), &export.job);
    while (!export.is_done) {
        fold_step(node_fold(nurse.node));
        node_step_loop(nurse.node);
    }
}
