/* node.c -- starting, wiring, stopping; see node.h.
 *
 * The order of a start is the one thing to get right here: lock, log, state, world,
 * daemon.started, and only then anything that could cause an effect.
 */
#include "core/server/node_inside.h"

#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/base/unshared.h"
#include "core/engine/config.h"
#include "core/engine/plugins.h"
#include "core/plugin/breadcrumb.h"
#include "core/server/applied.h"
#include "core/server/change.h"
#include "core/server/dir.h"
#include "core/server/purge.h"
#include "core/server/say.h"
#include "core/server/verdict.h"
#include "core/server/world_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define LOCK_POLL_MS 10
#define LOCK_TELL_MS 500 /* before that nobody notices */
#define HOLDER_SIZE 40

static uint64_t append_started(struct node *node, int64_t logged)
{
    struct buf body = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &body);
    doc_put_string(&w, "type", "daemon.started");
    doc_open(&w, "data");
    doc_put_string(&w, "boot", node->options.boot);
    doc_close(&w);
    struct doc doc = doc_end(&w);
    uint64_t seq = log_add(node->log, LOG_SYSTEM, logged, doc.data, doc.size);
    buf_deinit(&body);
    return seq;
}

/* -- Opening ------------------------------------- */

/* Flushing always, also what an earlier start made, costs nothing and forgets no case. */
static int make_dir(const char *dir, const char *name, char out[], size_t size, struct err *err)
{
    snprintf(out, size, "%s/%s", dir, name);
    int rc = dir_make(out, err);
    return rc == 0 ? dir_flush(dir, err) : rc;
}

/* A failure that somebody can do something about. */
static int advise(struct err *err, int code, const char *what_to_do)
{
    struct err why = *err;
    return err_set(err, code, "%s; %s", why.text, what_to_do);
}

/* Who has taken the lock that a line of /proc/locks tells of, as
 * "7: FLOCK  ADVISORY  WRITE 4711 fd:01:131 0 EOF"; 0: it is none of this kind. */
static long holder_of(const char *line)
{
    const char *at = strstr(line, " FLOCK ");
    for (int i = 0; at != NULL && i < 3; i++) {
        at += strspn(at, " ");
        at += strcspn(at, " ");
    }
    return at != NULL ? strtol(at, NULL, 10) : 0;
}

static bool has_a_lock(long pid)
{
    char line[200];
    bool is_found = false;
    FILE *file = fopen("/proc/locks", "re");
    while (file != NULL && !is_found && fgets(line, sizeof line, file) != NULL)
        is_found = holder_of(line) == pid;
    if (file != NULL)
        fclose(file);
    return is_found;
}

/* " (process 4711)", which the holder has left in the file; "" when that is stale.  For people:
 * what holds is the lock. */
static void name_holder(const struct node *node, char out[HOLDER_SIZE])
{
    char text[24] = "";
    out[0] = '\0';
    ssize_t size = pread(node->lock, text, sizeof text - 1, 0);
    long pid = size > 0 ? strtol(text, NULL, 10) : 0;
    if (pid > 0 && has_a_lock(pid))
        snprintf(out, HOLDER_SIZE, " (process %ld)", pid);
}

static void leave_name(const struct node *node)
{
    char text[24];
    int size = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(node->lock, 0) != 0 || pwrite(node->lock, text, (size_t)size, 0) != size)
        say("whoever finds %s in use is not told by whom: %s", node->options.dir, strerror(errno));
}

/* Who was killed a moment ago still closes his files: the lock is there when he has done so. */
static bool wait_for_lock(const struct node *node)
{
    const struct timespec pause = { .tv_nsec = LOCK_POLL_MS * 1000000 };
    char holder[HOLDER_SIZE];
    for (int waited_ms = 0; waited_ms <= DATA_LOCK_WAIT_MS; waited_ms += LOCK_POLL_MS) {
        if (flock(node->lock, LOCK_EX | LOCK_NB) == 0)
            return true;
        if (waited_ms == LOCK_TELL_MS) {
            name_holder(node, holder);
            say("another daemon uses %s%s: waiting %d s for its end", node->options.dir, holder,
                DATA_LOCK_WAIT_MS / 1000);
        }
        nanosleep(&pause, NULL);
    }
    return false;
}

static int take_lock(struct node *node, struct err *err)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/..", node->options.dir);
    int rc = dir_make(node->options.dir, err);
    if (rc == 0)
        rc = dir_flush(path, err);
    if (rc != 0)
        return rc;
    snprintf(path, sizeof path, "%s/lock", node->options.dir);
    node->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (node->lock < 0)
        return err_set(err, E_IO, "cannot open %s: %s", path, strerror(errno));
    if (!wait_for_lock(node)) {
        char holder[HOLDER_SIZE];
        name_holder(node, holder);
        return err_set(err, E_BUSY,
                       "another daemon uses %s%s: stop it first, or choose another --data",
                       node->options.dir, holder);
    }
    leave_name(node);
    unshared_add(node->lock);
    return 0;
}

static int open_log(struct node *node, struct err *err)
{
    char dir[4096];
    int rc = make_dir(node->options.dir, "log", dir, sizeof dir, err);
    if (rc != 0)
        return rc;
    struct log_options options = {
        .dir = dir,
        .map_bytes = node->options.map_bytes,
        .quota_bytes = node->options.log_quota_bytes,
        .random = node->options.random,
        .random_arg = node->options.random_arg,
    };
    rc = log_open(&options, &node->log, err);
    if (rc == E_CORRUPT)
        return advise(err, rc, FOLD_PUT_BACK);
    if (rc == E_VERSION)
        return advise(err, rc, "use the version of kithd that wrote it, or a later one");
    return rc;
}

/* To rebuild is to throw away what could not be computed again from a log that is damaged; of the
 * old state nothing is needed, not even that it can be read. */
static int open_state_anew(struct node *node, const struct state_options *options, struct err *err)
{
    int rc = log_verify(node->log, NULL, NULL, err);
    if (rc == E_CORRUPT)
        return advise(err, rc, "nothing was rebuilt; " FOLD_PUT_BACK);
    if (rc == 0) {
        node->applied = applied_in(options);
        dir_clear(options->dir);
        rc = state_open(options, &node->state, err);
    }
    return rc;
}

/* Entries before the floor are not what they were: no state from before it can go on. */
static int check_floor(const struct node *node, uint64_t applied, const struct base *floor,
                       struct err *err)
{
    if (applied >= floor->seq)
        return 0;
    return err_set(err, E_CONFLICT,
                   "the state in %s stands at entry %llu, but customers were erased from the log "
                   "up to %llu since: remove %s/state, and it is made anew from there",
                   node->options.dir, (unsigned long long)applied, (unsigned long long)floor->seq,
                   node->options.dir);
}

/* The last run changed its plugins and did not come to keep what they began from: the state still
 * is that. */
static int make_up_for_base(struct node *node, uint64_t applied, const struct base *base,
                            struct err *err)
{
    struct base made;
    if (base->seq != applied || base_exists(node->options.dir, base))
        return 0;
    return base_write(node->options.dir, node->state, &made, err);
}

/* A state that is empty begins at the log's base, as what is before it cannot be folded by this
 * code; or, told to fold everything again, at the first entry that can be folded. */
static int begin_at_base(struct node *node, struct err *err)
{
    struct base base, floor;
    uint64_t applied;
    int64_t logged;
    state_applied(node->state, &applied, &logged);
    int rc = world_base(node->log, &base, &floor, err);
    if (rc != 0)
        return rc;
    if (applied != 0) {
        rc = check_floor(node, applied, &floor, err);
        return rc == 0 ? make_up_for_base(node, applied, &base, err) : rc;
    }
    if (node->options.rebuild && log_base(node->log) == 0)
        base = floor;
    rc = base_load(node->options.dir, &base, node->state, err);
    if (rc == 0)
        return 0;
    return advise(err, rc,
                  base.seq == floor.seq
                      ? "put the file back: entries before it were erased and cannot be folded"
                      : "put the file back, or start with --rebuild to fold the whole log by this "
                        "version");
}

static int open_state(struct node *node, struct err *err)
{
    char dir[4096];
    uint64_t applied, end;
    int64_t time;
    int rc = make_dir(node->options.dir, "state", dir, sizeof dir, err);
    if (rc != 0)
        return rc;
    struct state_options options = {
        .dir = dir,
        .map_bytes = node->options.map_bytes,
        .quota_bytes = node->options.state_quota_bytes,
    };
    rc = node->options.rebuild ? open_state_anew(node, &options, err)
                               : state_open(&options, &node->state, err);
    if (rc == E_CORRUPT && !node->options.rebuild)
        return advise(err, rc, "start with --rebuild to make it anew from the log");
    if (rc == 0)
        rc = begin_at_base(node, err);
    if (rc != 0)
        return rc;
    state_applied(node->state, &applied, &time);
    log_end(node->log, &end, &time);
    if (applied > end)
        return err_set(err, E_CONFLICT,
                       "the state in %s stands at entry %llu, but its log ends at %llu: put the "
                       "log back that belongs to it, or start with --rebuild to go by this one",
                       node->options.dir, (unsigned long long)applied, (unsigned long long)end);
    return 0;
}

static void wire(struct node *node)
{
    const struct node_options *options = &node->options;
    mailbox_init(&node->loop, 0);
    mailbox_init(&node->sequencer.inbox, QUEUE_BYTES_MAX);
    mailbox_init(&node->fold.inbox, FOLD_QUEUE_BYTES);
    mailbox_init(&node->fold.checkpoint, 0);
    node->sequencer.fold = &node->fold.inbox;
    node->sequencer.loop = node->fold.loop = &node->loop;
    node->sequencer.wake_loop = node->fold.wake_loop = options->wake;
    node->sequencer.arg = node->fold.arg = options->wake_arg;
    node->sequencer.world = world_mark(options->code, options->config);
    node->fold.sequencer = &node->sequencer;
    node->fold.clock = options->clock;
    node->fold.dirty_since = node->fold.forced_at = node->fold.paced_at = -1;
    atomic_store(&node->sequencer.next_due, INT64_MAX);
    node->deliverer = deliver_new(&node->sequencer, &node->fold, options->clock);
    for (size_t i = 0; i < options->channel_count; i++)
        deliver_add_channel(node->deliverer, &options->channels[i]);
}

/* Once the log names the present one for good. */
static void sweep_bases(struct node *node)
{
    struct base base, floor;
    struct err err;
    if (world_base(node->log, &base, &floor, &err) != 0 ||
        base_sweep(node->options.dir, &base, &floor, &err) != 0)
        say("old files in %s/base were not removed: %s", node->options.dir, err.text);
}

/* The fold goes through what the log has behind the state before anything else. */
static void begin_fold(struct node *node)
{
    struct group *group = mem_zero(sizeof *group);
    mailbox_post(&node->fold.inbox, &group->mail);
}

/* As a daemon that winds down before it has begun. */
static int open_read_only(struct node *node)
{
    node->fold.refused_seq = node->options.refused_seq;
    atomic_store(&node->sequencer.is_winding_down, true);
    say("read-only: nothing is applied from entry %llu on, which ended the daemon; entries before "
        "it can be read.  Restart it to try again",
        (unsigned long long)node->options.refused_seq);
    begin_fold(node);
    return 0;
}

/* Other code, which is what a plugin of an older version is, may not be able to read what the state
 * has.  Nothing has been written yet. */
static int check_kept(struct node *node, struct err *err)
{
    bool is_same = true;
    if (node->options.takes_older)
        return 0;
    int rc = world_is_of(node->log, node->options.code, &is_same, err);
    return rc != 0 || is_same ? rc : plugins_check_kept(node->engine, err);
}

/* `world`, verdicts and `daemon.started` in one commit; everything of this run comes behind. */
static int open_run(struct node *node, struct err *err)
{
    uint64_t end;
    int64_t last;
    log_end(node->log, &end, &last);
    timekeeper_init(&node->sequencer.keeper, node->options.clock, last);
    if (node->options.refused_seq > engine_seq(node->engine) && node->options.refused_seq <= end)
        return open_read_only(node);
    int rc = check_kept(node, err);
    if (rc != 0)
        return rc;
    int64_t logged = last != 0 ? timekeeper_now(&node->sequencer.keeper) : 0;
    struct world_wanted wanted = {
        .dir = node->options.dir,
        .state = node->state,
        .code = node->options.code,
        .config = node->options.config,
        .rebuild = node->options.rebuild,
    };
    rc = world_note(node->log, &wanted, logged, err);
    if (rc != 0)
        return rc;
    struct verdict_crashes crashes = {
        .items = node->options.blames,
        .count = node->options.blame_count,
        .applied = engine_seq(node->engine),
    };
    rc = verdict_note(node->log, &crashes, logged, err);
    if (rc != 0)
        return rc;
    node->run = append_started(node, logged);
    rc = log_commit(node->log, node->sequencer.world, err);
    if (rc != 0)
        return rc;
    sweep_bases(node);
    timekeeper_wrote(&node->sequencer.keeper, logged);
    atomic_store(&node->sequencer.is_standing, node->sequencer.keeper.is_standing);
    atomic_store(&node->sequencer.is_set_back, node->sequencer.keeper.is_set_back);
    engine_set_live(node->engine, node->run);
    begin_fold(node);
    return 0;
}

static void make_purge(struct node *node)
{
    node->purge = purge_new(&(struct purge_options){
        .dir = node->options.dir,
        .sequencer = &node->sequencer,
        .fold = &node->fold,
        .log = node->log,
        .state = node->state,
        .clock = node->options.clock,
        .code = node->options.code,
        .config = node->options.config,
        .wake = node->options.wake,
        .wake_arg = node->options.wake_arg,
        .forget = node->options.forget,
        .sweep = node->options.sweep,
        .forget_arg = node->options.forget_arg,
    });
}

static void meet_world(void *arg, struct engine *engine, struct doc world)
{
    change_meet(((struct node *)arg)->change, engine, world);
}

static void make_change(struct node *node)
{
    node->change = change_new(&(struct change_options){
        .dir = node->options.dir,
        .sequencer = &node->sequencer,
        .fold = &node->fold,
        .log = node->log,
        .state = node->state,
        .purge = node->purge,
        .clock = node->options.clock,
        .code = node->options.code,
        .config = node->options.config,
        .wake = node->options.wake,
        .wake_arg = node->options.wake_arg,
    });
    node->fold.meet_world = meet_world;
    node->fold.meet_arg = node;
}

int node_open(const struct node_options *options, struct node **out_node, struct err *err)
{
    struct node *node = mem_zero(sizeof *node);
    node->options = *options;
    node->lock = -1;
    wire(node);
    int rc = take_lock(node, err);
    if (rc == 0)
        rc = open_log(node, err);
    if (rc == 0)
        rc = open_state(node, err);
    if (rc == 0) {
        struct engine_options engine = {
            .state = node->state, .plugins = options->plugins, .hooks = &node_hooks, .arg = node
        };
        rc = engine_open(&engine, &node->engine, err);
    }
    node->sequencer.log = node->fold.log = node->log;
    node->fold.state = node->state;
    node->fold.engine = node->engine;
    make_purge(node);
    make_change(node);
    if (rc == 0)
        rc = open_run(node, err);
    if (rc != 0) {
        node_close(node);
        return rc;
    }
    *out_node = node;
    return 0;
}

/* -- Running ------------------------------------- */

/* True when it was done now: the deliverer may have asked the engine something. */
static bool finish_start(struct node *node)
{
    if (node->is_started || !node_is_ready(node))
        return false;
    node->is_started = true;
    deliver_start(node->deliverer, node->run);
    purge_start(node->purge);
    return true;
}

bool node_step_loop(struct node *node)
{
    struct mail *mail = mailbox_take(&node->loop);
    bool was_any = mail != NULL;
    while (mail != NULL) {
        struct mail *next = mail->next;
        mail->handle(mail, node);
        mail = next;
    }
    return finish_start(node) || was_any;
}

int64_t node_tick(struct node *node)
{
    const int64_t waits[] = { deliver_tick(node->deliverer), purge_tick(node->purge),
                              change_tick(node->change) };
    int64_t first = -1;
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++)
        if (waits[i] >= 0 && (first < 0 || waits[i] < first))
            first = waits[i];
    return first;
}

bool node_is_ready(struct node *node)
{
    return node->run != 0 && atomic_load(&node->sequencer.applied) >= node->run;
}

uint64_t node_refused_seq(const struct node *node)
{
    return node->fold.refused_seq;
}

int node_health(struct node *node, struct err *err)
{
    if (node->fold.refused_seq != 0)
        return err_set(err, E_CORRUPT,
                       "read-only: entry %llu of the log ended the daemon, again and again; it and "
                       "all behind it are not applied",
                       (unsigned long long)node->fold.refused_seq);
    if (atomic_load(&node->sequencer.is_failing))
        return err_set(err, E_IO, "the log cannot be written: is the disk full? Or its quota?");
    if (atomic_load(&node->fold.is_behind))
        return err_set(err, E_CORRUPT, "the log cannot be applied: see the daemon's messages");
    if (atomic_load(&node->fold.is_failing))
        return err_set(err, E_FULL, "the state cannot be written: is the disk full? Or its quota?");
    return 0;
}

static void *run_writer(void *arg)
{
    sequencer_run(&((struct node *)arg)->sequencer);
    return NULL;
}

static void *run_fold(void *arg)
{
    breadcrumb_attach(BREADCRUMB_ENGINE);
    fold_run(&((struct node *)arg)->fold);
    return NULL;
}

static void *run_checkpoints(void *arg)
{
    fold_run_checkpoints(&((struct node *)arg)->fold);
    return NULL;
}

static void start_thread(pthread_t *thread, void *(*run)(void *arg), struct node *node,
                         const char *name)
{
    int rc = pthread_create(thread, NULL, run, node);
    ASSERT(rc == 0);
    pthread_setname_np(*thread, name);
}

void node_start_threads(struct node *node)
{
    start_thread(&node->writer, run_writer, node, "kith-log");
    start_thread(&node->folder, run_fold, node, "kith-engine");
    start_thread(&node->checkpointer, run_checkpoints, node, "kith-checkpoint");
    node->has_threads = true;
}

clockid_t node_engine_cpu(const struct node *node)
{
    clockid_t cpu;
    int rc = pthread_getcpuclockid(node->folder, &cpu);
    ASSERT(rc == 0);
    return cpu;
}

/* In the order of the flow, so that each finds its inbox complete. */
void node_stop_threads(struct node *node)
{
    if (!node->has_threads)
        return;
    mailbox_close(&node->sequencer.inbox);
    pthread_join(node->writer, NULL);
    mailbox_close(&node->fold.inbox);
    pthread_join(node->folder, NULL);
    mailbox_close(&node->fold.checkpoint);
    pthread_join(node->checkpointer, NULL);
    node->has_threads = false;
}

/* -- Closing ------------------------------------- */

void node_wind_down(struct node *node)
{
    atomic_store(&node->sequencer.is_winding_down, true);
    deliver_wind_down(node->deliverer);
    if (node->change != NULL)
        change_wind_down(node->change); /* before the purge, which takes what waits for threads */
    if (node->purge != NULL)
        purge_wind_down(node->purge);
    if (node->state != NULL)
        state_copy_cancel(node->state);
    if (node->log != NULL)
        log_copy_cancel(node->log);
}

/* What is under way goes as far as it can; a log that cannot be written is tried once. */
static void finish(struct node *node)
{
    bool is_failing = false;
    while ((!is_failing && sequencer_step(&node->sequencer)) || fold_step(&node->fold) ||
           node_step_loop(node))
        is_failing = atomic_load(&node->sequencer.is_failing);
}

static void last_checkpoint(struct node *node)
{
    struct err err = { 0 };
    bool is_good = fold_checkpoint(&node->fold, &err);
    state_settle(node->state);
    if (is_good && atomic_load(&node->sequencer.verdicts_open) == 0 &&
        !atomic_load(&node->fold.keeps_base) &&
        state_freeze(node->state, engine_seq(node->engine), engine_now(node->engine)))
        fold_checkpoint(&node->fold, &err);
}

void node_close(struct node *node)
{
    if (node == NULL)
        return;
    node_wind_down(node);
    node_stop_threads(node);
    if (node->run != 0 || node->fold.refused_seq != 0) {
        finish(node);
        last_checkpoint(node);
    }
    engine_close(node->engine);
    state_close(node->state);
    log_close(node->log);
    deliver_free(node->deliverer);
    purge_free(node->purge);
    change_free(node->change);
    fold_deinit(&node->fold);
    mailbox_deinit(&node->loop);
    while (!mailbox_is_empty(&node->sequencer.inbox))
        submission_unref((struct submission *)mailbox_take_one(&node->sequencer.inbox));
    mailbox_deinit(&node->sequencer.inbox);
    if (node->lock >= 0)
        unshared_close(node->lock);
    free(node);
}

struct sequencer *node_sequencer(struct node *node)
{
    return &node->sequencer;
}

struct fold *node_fold(struct node *node)
{
    return &node->fold;
}

struct deliverer *node_deliverer(struct node *node)
{
    return node->deliverer;
}

struct purge *node_purge(struct node *node)
{
    return node->purge;
}

struct change *node_change(struct node *node)
{
    return node->change;
}

struct log *node_log(struct node *node)
{
    return node->log;
}

struct state *node_state(struct node *node)
{
    return node->state;
}
