/* remote.c -- see remote.h. */
#include "core/plugin/remote.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/plugin/frame.h"
#include "core/plugin/guest.h"
#include "core/plugin/lane.h"
#include "core/plugin/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct side { /* of one lane: where we are in it */
    uint32_t count, in_size, taken, taken_in, taken_out;
    bool is_posted;
};

struct remote {
    pid_t pid;
    int pid_fd, socket, posted, done;
    struct lanes *lanes;
    struct side sides[LANES];
    struct buf batch; /* its items once more: the process could write over those in the lane */
    struct buf reply; /* a copy, for the same reason */
    bool is_lost;
    char loss[REMOTE_WORDS_BYTES]; /* how */
};

/* -- Starting ---------------------------------------------------------------------------------- */

static int make_lanes(struct remote *remote, int *out_fd, struct err *err)
{
    int fd = memfd_create("kith-lanes", MFD_CLOEXEC);
    void *memory = MAP_FAILED;
    if (fd >= 0 && ftruncate(fd, sizeof *remote->lanes) == 0)
        memory = mmap(NULL, sizeof *remote->lanes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        err_set(err, E_IO, "no shared memory for a plugin's process: %s", strerror(errno));
        if (fd >= 0)
            close(fd);
        return E_IO;
    }
    remote->lanes = memory;
    *out_fd = fd;
    return 0;
}

/* The child's ends at the numbers of lane.h; all else is closed on exec. */
static int spawn(struct remote *remote, int socket, int lanes, int copy, struct err *err)
{
    char program[] = "/proc/self/exe", name[] = "kithd", flag[] = GUEST_FLAG;
    char *const argv[] = { name, flag, NULL };
    const int from[] = { socket, lanes, remote->posted, remote->done, copy };
    enum { COUNT = sizeof from / sizeof *from };
    int high[COUNT], rc = 0;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (int i = 0; i < COUNT; i++) { /* first out of each other's way */
        high[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 64);
        posix_spawn_file_actions_adddup2(&actions, high[i], FD_SOCKET + i);
    }
    rc = posix_spawn(&remote->pid, program, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    for (int i = 0; i < COUNT; i++)
        close(high[i]);
    if (rc != 0)
        return err_set(err, E_IO, "a plugin's process cannot be started: %s", strerror(rc));
    remote->pid_fd = (int)syscall(SYS_pidfd_open, remote->pid, 0);
    return remote->pid_fd >= 0
               ? 0
               : err_set(err, E_IO, "a plugin's process cannot be watched: %s", strerror(errno));
}

static int start(struct remote *remote, int copy, struct err *err)
{
    int sockets[2] = { -1, -1 }, lanes = -1;
    remote->posted = eventfd(0, EFD_CLOEXEC);
    remote->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int rc = make_lanes(remote, &lanes, err);
    if (rc == 0 && (remote->posted < 0 || remote->done < 0 ||
                    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0))
        rc = err_set(err, E_IO, "no descriptors for a plugin's process: %s", strerror(errno));
    remote->socket = sockets[0];
    if (rc == 0)
        rc = spawn(remote, sockets[1], lanes, copy, err);
    if (sockets[1] >= 0)
        close(sockets[1]);
    if (lanes >= 0)
        close(lanes);
    return rc;
}

static int ask(const struct remote *remote, const struct plugin_options *options, struct err *err)
{
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &bytes);
    doc_put_string(&w, "name", options->name);
    doc_put_string(&w, "path", options->path);
    doc_put_array(&w, "grant", options->grant);
    doc_put_doc(&w, "config", options->config);
    doc_put_bool(&w, "trial", options->is_for_trial);
    int rc = frame_write(remote->socket, doc_end(&w), err);
    buf_deinit(&bytes);
    return rc;
}

/* The reason that it gives. */
static int refused(struct doc said, struct err *err)
{
    int64_t code = doc_int(said, "code", E_INVALID);
    struct text words = doc_text(said, "error");
    return err_set(err, code < 0 && code > -1000 ? (int)code : E_INVALID, "%s",
                   words.size != 0 ? words.data : "a plugin's process does not say why it ended");
}

/* It has checked what it says, and we do too: the plugin's code has run there already. */
static int hear(const struct remote *remote, const struct plugin_options *options,
                struct plugin *plugin, struct err *err)
{
    struct buf bytes = BUF_INIT;
    struct err reason;
    int rc = frame_read(remote->socket, REMOTE_START_MS, &bytes, &reason);
    struct doc said = { bytes.data, (uint32_t)bytes.size };
    if (rc == E_NOTFOUND)
        rc = err_set(err, E_INVALID,
                     "plugin %s: its process ended while it was loaded: kith plugin check %s says "
                     "more",
                     options->name, options->path);
    else if (rc == E_BUSY)
        rc =
            err_set(err, rc,
                    "plugin %s: its process has not said within %d ms what it is: %s does not come "
                    "back while it is loaded",
                    options->name, REMOTE_START_MS, options->path);
    else if (rc != 0)
        rc = err_set(err, rc, "plugin %s: %s", options->name, reason.text);
    else if (doc_int(said, "code", E_INVALID) != 0)
        rc = refused(said, err);
    else
        rc = wire_get_plugin(doc_child(said, "plugin"), plugin, err);
    buf_deinit(&bytes);
    return rc != 0 ? rc : plugin_allow(plugin, options, err);
}

int remote_open(const struct plugin_options *options, struct remote **out_remote,
                struct plugin **out_plugin, struct err *err)
{
    struct remote *remote = mem_zero(sizeof *remote);
    struct plugin *plugin = mem_zero(sizeof *plugin);
    remote->pid_fd = remote->socket = remote->posted = remote->done = -1;
    int rc = plugin_copy(options, &plugin->copy, err);
    if (rc == 0)
        rc = start(remote, plugin->copy, err);
    if (rc == 0)
        rc = ask(remote, options, err);
    if (rc == 0)
        rc = hear(remote, options, plugin, err);
    if (rc != 0) {
        remote_close(remote);
        plugin_free(plugin);
        return rc;
    }
    *out_remote = remote;
    *out_plugin = plugin;
    return 0;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

void remote_close(struct remote *remote)
{
    if (remote == NULL)
        return;
    if (remote->pid > 0) {
        kill(remote->pid, SIGKILL);
        while (waitpid(remote->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    close_fd(remote->pid_fd);
    close_fd(remote->socket);
    close_fd(remote->posted);
    close_fd(remote->done);
    buf_deinit(&remote->batch);
    buf_deinit(&remote->reply);
    if (remote->lanes != NULL)
        munmap(remote->lanes, sizeof *remote->lanes);
    free(remote);
}

int remote_pid(const struct remote *remote)
{
    return remote->pid;
}

int remote_ends(const struct remote *remote, struct remote_ends *out_ends, struct err *err)
{
    struct remote_ends ends = { .socket = fcntl(remote->socket, F_DUPFD_CLOEXEC, 0),
                                .process = fcntl(remote->pid_fd, F_DUPFD_CLOEXEC, 0),
                                .pid = remote->pid };
    if (ends.socket < 0 || ends.process < 0) {
        int rc = err_set(err, E_IO, "no descriptors for a plugin's process: %s", strerror(errno));
        remote_ends_close(&ends);
        return rc;
    }
    *out_ends = ends;
    return 0;
}

void remote_ends_close(struct remote_ends *ends)
{
    close_fd(ends->socket);
    close_fd(ends->process);
    ends->socket = ends->process = -1;
}

bool remote_is_lost(const struct remote *remote)
{
    return remote->is_lost;
}

/* -- Waiting ----------------------------------------------------------------------------------- */

bool remote_tell_end(int process, char out[REMOTE_WORDS_BYTES])
{
    siginfo_t how = { .si_pid = 0 };
    if (waitid(P_PIDFD, (id_t)process, &how, WEXITED | WNOHANG | WNOWAIT) != 0 || how.si_pid == 0)
        return false;
    int number = how.si_status;
    bool is_sent = number == SIGKILL || number == SIGTERM || number == SIGINT;
    if (how.si_code == CLD_EXITED)
        snprintf(out, REMOTE_WORDS_BYTES, "its process has ended by exit(%d)", number);
    else if (is_sent)
        snprintf(out, REMOTE_WORDS_BYTES, "its process has ended (SIG%s)", sigabbrev_np(number));
    else
        snprintf(out, REMOTE_WORDS_BYTES, "it crashed (SIG%s)", sigabbrev_np(number));
    return true;
}

bool remote_await_end(int process, int ms, char out[REMOTE_WORDS_BYTES])
{
    struct pollfd ended = { .fd = process, .events = POLLIN };
    poll(&ended, 1, ms);
    return remote_tell_end(process, out);
}

const char *remote_loss(const struct remote *remote)
{
    return remote->loss;
}

/* The first reason stays. */
static void note_loss(struct remote *remote, enum plugin_outcome outcome)
{
    if (remote->loss[0] != '\0')
        return;
    if (outcome == PLUGIN_HUNG)
        snprintf(remote->loss, sizeof remote->loss, "no answer within %d ms", REMOTE_PATIENCE_MS);
    else if (!remote_tell_end(remote->pid_fd, remote->loss))
        snprintf(remote->loss, sizeof remote->loss, "it crashed, or answered what makes no sense");
}

static enum plugin_outcome lose(struct remote *remote, enum plugin_outcome outcome)
{
    note_loss(remote, outcome);
    remote->is_lost = true;
    kill(remote->pid, SIGKILL);
    return outcome;
}

/* Nanoseconds that the process has had of a processor; asked before every wait, so it is cheap. */
static int64_t cpu_ns(const struct remote *remote)
{
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(remote->pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return INT64_MAX;
    return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

/* Whether the thread that works off the lanes would run if it were let; only asked when time is up.
 * The process says which thread that is, and can gain little by naming another of its own. */
static bool wants_to_run(const struct remote *remote)
{
    char path[96], line[512];
    snprintf(path, sizeof path, "/proc/%d/task/%u/stat", (int)remote->pid,
             (unsigned)atomic_load(&remote->lanes->worker));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd >= 0 ? read(fd, line, sizeof line - 1) : -1;
    close_fd(fd);
    if (size <= 0)
        return false;
    line[size] = '\0';
    const char *state = strrchr(line, ')'); /* behind the name, which may be anything */
    return state != NULL && (state[2] == 'R' || state[2] == 'D');
}

/* Sleep until it says something, or is no more, or for so long. */
static void sleep_for_it(struct remote *remote, int ms, bool *out_is_dead)
{
    struct pollfd ready[2] = { { .fd = remote->done, .events = POLLIN },
                               { .fd = remote->pid_fd, .events = POLLIN } };
    uint64_t count;
    int rc = poll(ready, 2, ms);
    *out_is_dead = rc > 0 && ready[1].revents != 0;
    if (rc > 0 && ready[0].revents != 0 && read(remote->done, &count, sizeof count) < 0)
        return; /* somebody took it already: there is nothing to be taken */
}

/* How many items it says are done, of both lanes; never more than there are. */
static uint32_t progress(const struct remote *remote)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < LANES; i++) {
        uint32_t done = atomic_load(&remote->lanes->lane[i].done);
        sum += done < remote->sides[i].count ? done : remote->sides[i].count;
    }
    return sum;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whether the machine kept it from running while its time went by. */
static bool is_starved(const struct remote *remote, int64_t used_ns, int64_t waited_ms)
{
    return waited_ms < REMOTE_STARVED_MS && wants_to_run(remote) &&
           cpu_ns(remote) - used_ns < (int64_t)REMOTE_PATIENCE_MS * 1000000 / 2;
}

/* Until item `index` of the lane is done.  Time begins anew with every item that is, of whatever
 * lane; that it wakes us and is no further is no progress. */
static enum plugin_outcome wait_for(struct remote *remote, struct lane *lane, uint32_t index)
{
    uint32_t before = progress(remote);
    int64_t begin = now_ms(), used = cpu_ns(remote);
    int64_t until = begin + REMOTE_PATIENCE_MS;
    while (atomic_load(&lane->done) <= index) {
        bool is_dead = false;
        int64_t now = now_ms();
        if (progress(remote) > before) {
            before = progress(remote);
            begin = now;
            used = cpu_ns(remote);
            until = begin + REMOTE_PATIENCE_MS;
        }
        bool is_over = now >= until && !is_starved(remote, used, now - begin);
        /* It may have answered while its state was looked at, and sleep because it is done. */
        if (is_over && atomic_load(&lane->done) <= index && progress(remote) <= before)
            return lose(remote, PLUGIN_HUNG);
        if (now >= until)
            until = now + REMOTE_PATIENCE_MS;
        sleep_for_it(remote, (int)(until - now), &is_dead);
        if (is_dead && atomic_load(&lane->done) <= index)
            return lose(remote, PLUGIN_CRASHED);
    }
    return PLUGIN_OK;
}

static enum plugin_outcome await(struct remote *remote, struct lane *lane, uint32_t index)
{
    if (atomic_load(&lane->done) > index)
        return PLUGIN_OK;
    atomic_store(&remote->lanes->is_waiting, 1);
    enum plugin_outcome outcome = wait_for(remote, lane, index);
    atomic_store(&remote->lanes->is_waiting, 0);
    return outcome;
}

/* -- Calls ------------------------------------------------------------------------------------- */

static bool add(struct remote *remote, size_t which, struct doc item)
{
    struct lane *lane = &remote->lanes->lane[which];
    struct side *side = &remote->sides[which];
    if (side->count == LANE_ITEMS_MAX || item.size > LANE_BYTES - side->in_size)
        return false;
    memcpy(lane->in + side->in_size, item.data, item.size);
    side->in_size += item.size;
    lane->count = ++side->count;
    return true;
}

static void post(struct remote *remote, size_t which)
{
    struct lane *lane = &remote->lanes->lane[which];
    uint64_t one = 1;
    atomic_store(&lane->done, 0);
    atomic_store(&lane->out_size, 0);
    remote->sides[which].is_posted = true;
    atomic_fetch_add(&lane->posted, 1);
    if (write(remote->posted, &one, sizeof one) < 0)
        lose(remote, PLUGIN_CRASHED);
}

/* The process writes there, perhaps now: what it says of sizes is not believed, and what is looked
 * at is a copy. */
static struct doc reply_at(struct remote *remote, const struct lane *lane, uint32_t at)
{
    struct doc reply = { NULL, 0 };
    uint32_t size = 0, again = 0, end = atomic_load(&lane->out_size);
    if (end > LANE_BYTES || at > end || end - at < 5)
        return reply;
    memcpy(&size, lane->out + at, sizeof size);
    if (size < 5 || size > end - at)
        return reply;
    buf_clear(&remote->reply);
    buf_append(&remote->reply, lane->out + at, size);
    memcpy(&again, remote->reply.data, sizeof again);
    if (again != size || doc_validate(remote->reply.data, size, DOC_DEPTH_MAX, NULL) != 0)
        return reply;
    return (struct doc){ remote->reply.data, size };
}

static enum plugin_outcome take(struct remote *remote, size_t which, struct doc *out_reply)
{
    struct lane *lane = &remote->lanes->lane[which];
    struct side *side = &remote->sides[which];
    if (remote->is_lost)
        return PLUGIN_CRASHED;
    enum plugin_outcome outcome = await(remote, lane, side->taken);
    if (outcome != PLUGIN_OK)
        return outcome;
    *out_reply = reply_at(remote, lane, side->taken_out);
    if (out_reply->data == NULL)
        return lose(remote, PLUGIN_CRASHED);
    side->taken_out += out_reply->size;
    if (++side->taken == side->count)
        *side = (struct side){ 0 };
    return PLUGIN_OK;
}

enum plugin_outcome remote_call(struct remote *remote, struct doc item, struct doc *out_reply)
{
    if (remote->is_lost)
        return PLUGIN_CRASHED;
    remote->sides[LANE_SINGLE] = (struct side){ 0 };
    if (!add(remote, LANE_SINGLE, item))
        return lose(remote, PLUGIN_CRASHED); /* no item that the engine makes is so large */
    post(remote, LANE_SINGLE);
    return take(remote, LANE_SINGLE, out_reply);
}

bool remote_add(struct remote *remote, struct doc item)
{
    struct side *side = &remote->sides[LANE_BATCH];
    if (remote->is_lost || side->is_posted || !add(remote, LANE_BATCH, item))
        return false;
    if (side->count == 1)
        buf_clear(&remote->batch);
    buf_append(&remote->batch, item.data, item.size);
    return true;
}

void remote_post(struct remote *remote)
{
    const struct side *side = &remote->sides[LANE_BATCH];
    if (!remote->is_lost && !side->is_posted && side->in_size != 0)
        post(remote, LANE_BATCH);
}

struct doc remote_next(const struct remote *remote)
{
    const struct side *side = &remote->sides[LANE_BATCH];
    struct doc item = { NULL, 0 };
    if (remote->is_lost || !side->is_posted)
        return item; /* of a batch in which it was lost nothing is to come */
    item.data = remote->batch.data + side->taken_in;
    memcpy(&item.size, item.data, sizeof item.size);
    return item;
}

enum plugin_outcome remote_take(struct remote *remote, struct doc *out_reply)
{
    struct doc item = remote_next(remote);
    enum plugin_outcome outcome = take(remote, LANE_BATCH, out_reply);
    if (remote->sides[LANE_BATCH].is_posted)
        remote->sides[LANE_BATCH].taken_in += item.size;
    return outcome;
}

void remote_distrust(struct remote *remote)
{
    lose(remote, PLUGIN_CRASHED);
}

void remote_skip(struct remote *remote)
{
    struct doc reply;
    remote_take(remote, &reply);
}
