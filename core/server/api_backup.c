/* api_backup.c -- a copy of everything while the daemon works, and what is the matter with it.
 *
 * A backup and a purge (purge.h) must not meet: the one copies the state and then the log, the
 * other takes from both what the first may have copied already.
 */
#include "core/engine/config.h"
#include "core/engine/read.h"

#include "core/base/limits.h"
#include "core/script/settings.h"
#include "core/server/api_command.h"
#include "core/server/backup.h"
#include "core/server/change.h"
#include "core/server/deliver.h"
#include "core/server/home.h"
#include "core/server/node.h"
#include "core/server/purge.h"
#include "core/server/timekeeper.h"
#include "core/server/world_log.h"
#include "storage/log.h"
#include "storage/state.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define BODY_MAX 8192
#define PATH_BYTES 4096
#define COUNTED_MAX 1000 /* messages that wait for a decision, counted */
#define ROOM_SHARE 10    /* a tenth of a disk or a quota is little */
#define DAY_MS (24ll * 3600 * 1000)
#define ERASE_MS_MAX DAY_MS
#define PAUSE_MS_MAX (3 * DAY_MS) /* a pause that is older may have been forgotten */

/* -- Backups --------------------------------------------------------------------------- */

struct copying {
    const char *dir;
    struct backup backup;
    int code;
    struct err err;
};

static bool is_copying; /* the loop's; one at a time */

static void copy(struct call *call)
{
    struct copying *copying = call->data;
    struct node *node = call->api->node;
    copying->code = backup_make(call->api->settings->data, copying->dir, node_log(node),
                                node_state(node), &copying->backup, &copying->err);
}

static void copied(struct call *call)
{
    struct copying *copying = call->data;
    struct doc_writer w;
    is_copying = false;
    purge_release(node_purge(call->api->node));
    if (copying->code != 0) {
        call_error(call, copying->code, &copying->err);
        return;
    }
    doc_begin(&w, &call->out);
    doc_put_string(&w, "dir", copying->dir);
    doc_put_int(&w, "state_seq", (int64_t)copying->backup.state_seq);
    doc_put_int(&w, "log_seq", (int64_t)copying->backup.log_seq);
    doc_put_int(&w, "bytes", (int64_t)copying->backup.bytes);
    call_reply(call, 201, doc_end(&w));
}

static void have_checkpoint(struct call *call)
{
    call_work(call, copy, copied);
}

static void post_backup(struct call *call)
{
    struct text dir = doc_text(call->body, "dir");
    if (dir.size == 0 || dir.data[0] != '/' || memchr(dir.data, '\0', dir.size) != NULL) {
        call_problem(call, 422, "\"dir\" is a path on the daemon's machine that begins with /");
        return;
    }
    if (change_is_reserved(node_change(call->api->node))) {
        call_problem(call, 409, "a plugin is being reloaded: try again in a moment");
        return;
    }
    if (is_copying || !purge_hold(node_purge(call->api->node))) {
        call_problem(call, 409,
                     is_copying ? "a backup is being made: wait for it"
                                : "customers are just being erased from the files: try "
                                  "again in a minute");
        return;
    }
    struct copying *copying = arena_zero(&call->arena, sizeof *copying);
    copying->dir = arena_text(&call->arena, dir).data;
    call->data = copying;
    is_copying = true;
    call_await(call, have_checkpoint);
}

/* -- The doctor ------------------------------------------------------------------------ */

struct doctor {
    struct read_erasure_counts erasures;
    struct purge_held held;   /* the erasures */
    struct buf plugins, idle; /* in words; names of those that do not run */
    bool plugins_are_well;
    struct read_pauses rules, channels;
    struct read_fallback fallback;
    struct read_kind_owner owner;
    int64_t now; /* log time */
    struct {
        const char *name;
        size_t failures;
    } open[CONFIG_CHANNELS_MAX]; /* circuits */
    size_t open_count;
    struct buf checks;
    struct doc_writer w;
    bool is_well;
};

__attribute__((format(printf, 4, 5))) static void check(struct doctor *doctor, const char *name,
                                                        bool is_ok, const char *format, ...)
{
    char text[ERR_TEXT_MAX + 200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    doc_open(&doctor->w, "");
    doc_put_string(&doctor->w, "name", name);
    doc_put_bool(&doctor->w, "ok", is_ok);
    doc_put_string(&doctor->w, "text", text);
    doc_close(&doctor->w);
    doctor->is_well = doctor->is_well && is_ok;
}

static unsigned long long mib(uint64_t bytes)
{
    return (unsigned long long)((bytes + ((1u << 20) - 1)) >> 20);
}

static void check_file(struct doctor *doctor, const char *name, size_t used, size_t file,
                       size_t quota)
{
    bool is_ok = quota == 0 || used <= quota - quota / ROOM_SHARE;
    if (quota == 0)
        check(doctor, name, true, "%llu MiB, %llu of them in use", mib(file), mib(used));
    else
        check(doctor, name, is_ok, "%llu MiB in use, of a quota of %llu%s", mib(used), mib(quota),
              is_ok ? "" : ": raise it (quota in kith.lua), at it nothing is taken in");
}

/* What writes a file anew needs room for it once more. */
static void check_room(struct doctor *doctor, const char *dir, uint64_t largest)
{
    struct statvfs disk;
    if (statvfs(dir, &disk) != 0) {
        check(doctor, "disk", false, "cannot tell how full the disk of %s is", dir);
        return;
    }
    uint64_t free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    uint64_t all = (uint64_t)disk.f_blocks * disk.f_frsize;
    bool is_ok =
        free_bytes >= all / ROOM_SHARE / 2 && free_bytes >= largest + largest / 4 + COPY_ROOM_BYTES;
    check(doctor, "disk", is_ok, "%llu MiB free of %llu%s", mib(free_bytes), mib(all),
          is_ok ? "" : ": erasing, backups and copies need room for the largest file once more");
}

static void check_files(struct doctor *doctor, struct call *call)
{
    struct log_stats log;
    struct state_stats state;
    log_stats(node_log(call->api->node), &log);
    state_stats(node_state(call->api->node), &state);
    check_file(doctor, "log", log.used_bytes, log.file_bytes, log.quota_bytes);
    check_file(doctor, "state", state.used_bytes, state.file_bytes, state.quota_bytes);
    check_room(doctor, call->api->settings->data,
               log.used_bytes > state.used_bytes ? log.used_bytes : state.used_bytes);
}

static void check_secret(struct doctor *doctor, const char *dir, const char *name,
                         const char *missing)
{
    char path[PATH_BYTES];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    bool is_there = stat(path, &status) == 0;
    bool is_ok = is_there && (status.st_mode & 077) == 0;
    check(doctor, name, is_ok, "%s",
          is_ok      ? "readable by its owner only"
          : is_there ? "others can read it: chmod 600 it, or replace it"
                     : missing);
}

static void check_base(struct doctor *doctor, struct call *call, const char *name,
                       const struct base *base)
{
    char path[PATH_BYTES];
    struct stat status;
    if (base->seq == 0)
        return;
    snprintf(path, sizeof path, "%s/base/%" PRIu64, call->api->settings->data, base->seq);
    bool is_ok = stat(path, &status) == 0;
    check(doctor, name, is_ok, "%s%s", path,
          is_ok ? ""
                : " is missing: put it back from a backup, the state cannot be made anew "
                  "without it");
}

static void check_bases(struct doctor *doctor, struct call *call)
{
    struct base base, floor;
    struct err err;
    if (world_base(node_log(call->api->node), &base, &floor, &err) != 0) {
        check(doctor, "base", false, "%s", err.text);
        return;
    }
    check_base(doctor, call, "base", &base);
    if (floor.seq != base.seq)
        check_base(doctor, call, "floor", &floor);
}

static int count_row(void *arg, struct bytes key, struct bytes value)
{
    size_t *count = arg;
    (void)key;
    (void)value;
    return ++*count < COUNTED_MAX ? 0 : 1;
}

static void check_waiting(struct doctor *doctor, struct snapshot *snapshot, const char *state)
{
    struct key prefix;
    size_t count = 0;
    key_start(&prefix, 'y');
    key_text(&prefix, text_of(state));
    snapshot_visit(snapshot, &prefix, NULL, count_row, &count);
    check(doctor, state, count == 0, "%zu%s message%s%s%s", count,
          count == COUNTED_MAX ? " or more" : "", count == 1 ? "" : "s",
          count == 0 ? "" : " wait for a decision: kith effects --", count == 0 ? "" : state);
}

static void check_messages(struct doctor *doctor, struct call *call)
{
    struct snapshot *snapshot = NULL;
    struct err err;
    if (snapshot_open(node_state(call->api->node), &snapshot, &err) != 0) {
        check(doctor, "messages", false, "%s", err.text);
        return;
    }
    check_waiting(doctor, snapshot, "uncertain");
    check_waiting(doctor, snapshot, "held");
    snapshot_close(snapshot);
}

static void check_erasures(struct doctor *doctor)
{
    const struct read_erasure_counts *counts = &doctor->erasures;
    bool is_late = counts->open != 0 && doctor->now - counts->oldest_ms > ERASE_MS_MAX;
    bool is_held = counts->open != 0 && doctor->held.reason.text[0] != '\0';
    check(doctor, "erasures", !is_late && !(is_held && doctor->held.is_failure),
          "%" PRId64 " under way, %" PRId64 " done%s%s%s", counts->open, counts->done,
          !is_late  ? ""
          : is_held ? ": one takes longer than a day"
                    : ": one takes longer than a day; the daemon's messages say why",
          is_held ? "; what is erased is in the files still: " : "",
          is_held ? doctor->held.reason.text : "");
}

static void check_pauses(struct doctor *doctor, const char *what, const char *resume,
                         const struct read_pauses *pauses)
{
    int64_t age_ms = pauses->count != 0 ? doctor->now - pauses->since : 0;
    bool is_all = strcmp(pauses->name, CHANNEL_ALL) == 0;
    if (age_ms <= PAUSE_MS_MAX)
        check(doctor, what, true, "%zu paused", pauses->count);
    else
        check(doctor, what, false, "%zu paused, %s for %" PRId64 " days: was it forgotten? %s%s%s",
              pauses->count, is_all ? "all" : pauses->name, (int64_t)(age_ms / DAY_MS),
              is_all ? "kith resume" : resume, is_all ? "" : " ", is_all ? "" : pauses->name);
}

static void check_fallback(struct doctor *doctor)
{
    const char *name = doctor->fallback.name;
    if (doctor->fallback.is_known)
        check(doctor, "fallback", true, "%s%s",
              name[0] != '\0' ? "what nobody does goes to " : "none is named in kith.lua", name);
    else
        check(doctor, "fallback", false,
              "nobody is called %s, the fallback of kith.lua: kith staff add %s, or name another",
              name, name);
}

static void check_owners(struct doctor *doctor)
{
    const struct read_kind_owner *owner = &doctor->owner;
    if (owner->kind[0] == '\0')
        check(doctor, "owners", true, "all kinds of records belong to somebody, or need not");
    else
        check(doctor, "owners", false,
              "nobody is called %s, whose the records of the kind %s are to be: they are the "
              "fallback's, or nobody's; is it spelt right?",
              owner->owner, owner->kind);
}

static void check_circuits(struct doctor *doctor)
{
    for (size_t i = 0; i < doctor->open_count; i++)
        check(doctor, doctor->open[i].name, false,
              "its receiver has failed %zu times in a row and is tried now and then: see kith "
              "channels; is it running, is its url right?",
              doctor->open[i].failures);
}

static void check_plugins(struct doctor *doctor)
{
    bool is_idle = doctor->idle.size != 0;
    if (is_idle)
        buf_printf(&doctor->plugins, "; what does not run, and the daemon's messages say why: %s",
                   buf_string(&doctor->idle));
    check(doctor, "plugins", doctor->plugins_are_well && !is_idle, "%s",
          buf_string(&doctor->plugins));
    buf_deinit(&doctor->plugins);
    buf_deinit(&doctor->idle);
}

static void check_work(struct doctor *doctor, struct node *node)
{
    struct sequencer *sequencer = node_sequencer(node);
    struct err err;
    const char *clock = timekeeper_reason(atomic_load(&sequencer->is_standing),
                                          atomic_load(&sequencer->is_set_back));
    bool is_well = node_health(node, &err) == 0;
    check(doctor, "work", is_well, "%s", is_well ? "entries are written and applied" : err.text);
    check(doctor, "clock", clock == NULL, "%s", clock != NULL ? clock : "log time goes on");
}

static void ask_counts(struct engine *engine, struct call *call)
{
    struct doctor *doctor = call->data;
    read_erasure_counts(engine, &doctor->erasures);
    read_paused_rules(engine, &doctor->rules);
    read_paused_channels(engine, &doctor->channels);
    read_fallback(engine, &doctor->fallback);
    read_missing_owner(engine, &doctor->owner);
    doctor->now = engine_now(engine);
    doctor->plugins_are_well = plugins_are_well(engine, call, &doctor->plugins);
}

static void look(struct call *call)
{
    struct doctor *doctor = call->data;
    const char *dir = call->api->settings->data;
    doc_begin(&doctor->w, &doctor->checks);
    doc_open_array(&doctor->w, "checks");
    check_work(doctor, call->api->node);
    check_files(doctor, call);
    check_bases(doctor, call);
    check_secret(doctor, dir, "admin.key", "it is missing: it is made at the next start");
    check_secret(doctor, dir, "write.key", "it is missing: it is made at the next start");
    check_secret(doctor, dir, "links.key",
                 "it is missing: put it back from a backup before the next start, or no link that "
                 "was sent works any more");
    check_messages(doctor, call);
    check_erasures(doctor);
    check_pauses(doctor, "rules", "kith resume rule", &doctor->rules);
    check_pauses(doctor, "channels", "kith resume channel", &doctor->channels);
    check_fallback(doctor);
    check_owners(doctor);
    check_circuits(doctor);
    check_plugins(doctor);
    doc_close(&doctor->w);
    doc_put_bool(&doctor->w, "ok", doctor->is_well);
    doc_end(&doctor->w);
}

static void looked(struct call *call)
{
    struct doctor *doctor = call->data;
    buf_append(&call->out, doctor->checks.data, doctor->checks.size);
    buf_deinit(&doctor->checks);
    call_reply(call, 200, call_document(call));
}

/* How a destination does is the loop's knowledge. */
static void have_counts(struct call *call)
{
    struct doctor *doctor = call->data;
    struct deliver_report report;
    purge_held(node_purge(call->api->node), &doctor->held);
    home_idle(call->api->home, &doctor->idle);
    for (size_t i = 0; deliver_report(node_deliverer(call->api->node), i, &report); i++)
        if (report.status.circuit != CIRCUIT_CLOSED && doctor->open_count < CONFIG_CHANNELS_MAX) {
            doctor->open[doctor->open_count].name = report.name;
            doctor->open[doctor->open_count++].failures = report.status.failures;
        }
    call_work(call, look, looked);
}

static void get_doctor(struct call *call)
{
    struct doctor *doctor = arena_zero(&call->arena, sizeof *doctor);
    doctor->is_well = true;
    call->data = doctor;
    call_ask(call, ask_counts, have_counts);
}

static const struct field backup_fields[] = { { "dir", FIELD_LINE, true }, FIELDS_END };

const struct route routes_backup[] = {
    { "POST", "/v1/backups", SCOPE_ADMIN, BODY_MAX, true, post_backup,
      "Copy all data to a directory of the daemon's machine, and check the copy", NULL,
      backup_fields, "201 Backup" },
    { "GET", "/v1/doctor", SCOPE_ADMIN, 0, false, get_doctor,
      "What is the matter: work, files, room, keys, messages, erasures, pauses, fallback, owners, "
      "receivers, plugins",
      NULL, NULL, "Diagnosis" },
    ROUTES_END,
};
