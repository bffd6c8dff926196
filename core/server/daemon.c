/* daemon.c -- see daemon.h.
 *
 * The daemon has no thread of its own beside the loop: it reacts to the node's wake-up, to
 * signals, and to timers that are set only while something is due.  An idle daemon sleeps
 * in epoll and costs nothing.
 *
 * Questions to the engine are how a start waits: the first one comes back when the engine
 * has caught up with the log, which is what being ready means.
 */
#include "core/server/daemon.h"

#include "core/base/err.h"
#include "core/base/hash.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/base/zone.h"
#include "core/engine/config.h"
#include "core/engine/event.h"
#include "core/engine/rules.h"
#include "core/http/http.h"
#include "core/plugin/breadcrumb.h"
#include "core/plugin/set.h"
#include "core/script/host.h"
#include "core/script/settings.h"
#include "core/server/api.h"
#include "core/server/auth.h"
#include "core/server/blame.h"
#include "core/server/channel_log.h"
#include "core/server/deploy.h"
#include "core/server/files.h"
#include "core/server/hosting.h"
#include "core/server/link_epochs.h"
#include "core/server/listening.h"
#include "core/server/loop_watch.h"
#include "core/server/metrics.h"
#include "core/server/node.h"
#include "core/server/notify.h"
#include "core/server/parent.h"
#include "core/server/plugin_watch.h"
#include "core/server/reread.h"
#include "core/server/rule_watch.h"
#include "core/server/say.h"
#include "core/server/scripts.h"
#include "core/server/stream.h"
#include "core/server/sweeper.h"
#include "core/server/watch.h"
#include "core/server/watchdog.h"
#include "core/server/world.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#define GRACE_MS 10000u   /* for connections under way, when the daemon stops ... */
#define END_MS 20000u     /* ... and for what their requests began */
#define DELIVERY_MS 5000u /* for answers to messages that are under way then */
#define SIGNALS 3

enum stage { STAGE_STARTING, STAGE_SERVING, STAGE_STOPPING, STAGE_ENDING };

struct daemon {
    const struct daemon_options *options;
    struct settings settings;
    enum stage stage;
    uv_loop_t loop;
    uv_async_t wake;
    uv_timer_t delivery, grace, patience;
    uv_signal_t signals[SIGNALS];
    struct buf code; /* of the world */
    struct metrics *metrics;
    struct channel_log *log;
    struct channel channels[CONFIG_CHANNELS_MAX];
    size_t channel_count;
    struct auth *auth;
    struct idempotency *idempotency;
    struct link_keys links;
    struct link_epochs link_epochs;
    struct files *files;
    struct sweeper *sweeper; /* of the files */
    struct node *node;
    struct api api;
    int socket; /* that we were started with; -1: none */
    struct http_server *server;
    struct watch *watch;
    bool is_impatient; /* it ends, whatever is still being delivered */
    struct watchdog *watchdog;
    struct rule_watch *rule_watch;
    struct plugin_watch *plugin_watch;
    struct loop_watch *loop_watch;
    atomic_bool interrupt;   /* the rule that runs */
    struct hosting *hosting; /* of plugins */
    struct reread *reread;   /* of the configuration, at SIGHUP */
    struct script_surroundings surroundings;
    int code_of_failure;
    struct err *err;
};

static void fail(struct daemon *daemon, int code)
{
    daemon->code_of_failure = code;
    uv_stop(&daemon->loop);
}

/* -- The node's wake-ups, and the deliverer's time --------------------------------------------- */

static void on_delivery(uv_timer_t *timer);
static void stop_if_idle(void *arg);

static void look_at_deliveries(struct daemon *daemon)
{
    int64_t wait = node_tick(daemon->node);
    if (wait >= 0)
        uv_timer_start(&daemon->delivery, on_delivery, (uint64_t)wait, 0);
    else
        uv_timer_stop(&daemon->delivery);
    stop_if_idle(daemon);
}

static void on_delivery(uv_timer_t *timer)
{
    look_at_deliveries(timer->data);
}

static void on_wake(uv_async_t *async)
{
    struct daemon *daemon = async->data;
    node_step_loop(daemon->node);
    look_at_deliveries(daemon);
}

static void wake(void *arg)
{
    uv_async_send(&((struct daemon *)arg)->wake);
}

/* -- Which bundle is active: a question to the engine ------------------------------------------ */

struct question {
    struct job job; /* first */
    struct daemon *daemon;
    bool has_bundle;
    uint8_t hash[BUNDLE_HASH_BYTES];
    struct reread_missing missing;
    void (*then)(struct question *question);
};

static void look(struct engine *engine, void *arg)
{
    struct question *question = arg;
    const struct ruleset *rules = engine_rules(engine);
    question->has_bundle = rules != NULL;
    if (rules != NULL)
        memcpy(question->hash, rules->hash, sizeof question->hash);
    reread_look(engine, hosting_plugins(question->daemon->hosting), &question->missing);
}

static void on_looked(struct mail *mail, void *reader)
{
    struct question *question = (struct question *)mail;
    (void)reader;
    question->then(question);
    free(question);
}

static void ask_active(struct daemon *daemon, void (*then)(struct question *question))
{
    struct question *question = mem_zero(sizeof *question);
    question->job = (struct job){ .mail = { .handle = on_looked }, .run = look, .arg = question };
    question->daemon = daemon;
    question->then = then;
    fold_ask(node_fold(daemon->node), &question->job);
}

/* -- Scripts ----------------------------------------------------------------------------------- */

static bool is_active(const struct question *question, const struct scripts *scripts)
{
    return question->has_bundle && memcmp(question->hash, scripts->hash, BUNDLE_HASH_BYTES) == 0;
}

/* -- Serving ----------------------------------------------------------------------------------- */

static void on_saved(void *arg);

static int open_watch(struct daemon *daemon)
{
    if (!daemon->options->is_dev || daemon->settings.scripts == NULL)
        return 0;
    return watch_open(&daemon->loop, daemon->settings.scripts, on_saved, daemon, &daemon->watch,
                      daemon->err);
}

static void listen_to_all(void *arg)
{
    struct daemon *daemon = arg;
    if (daemon->stage != STAGE_STARTING)
        return;
    int rc = listening_open(&daemon->loop, &daemon->settings, daemon->socket,
                            api_handler(&daemon->api), &daemon->server, daemon->err);
    if (rc == 0)
        rc = open_watch(daemon);
    if (rc != 0) {
        fail(daemon, rc);
        return;
    }
    daemon->stage = STAGE_SERVING;
    if (node_refused_seq(daemon->node) == 0) { /* else events that name files are not applied */
        sweeper_start(daemon->sweeper);
        hosting_serve(daemon->hosting);
    }
    listening_say(daemon->server, &daemon->settings, daemon->socket);
}

/* Plugins first: nobody is served before they are. */
static void serve(struct daemon *daemon)
{
    if (daemon->stage == STAGE_STARTING)
        hosting_start(daemon->hosting, listen_to_all, daemon);
}

static void first_activated(void *arg, const struct submission *submission)
{
    struct daemon *daemon = arg;
    if (scripts_were_activated(submission, daemon->err))
        serve(daemon);
    else
        fail(daemon, daemon->err->code);
}

/* The engine has answered, so it has caught up. */
static void on_caught_up(struct question *question)
{
    struct daemon *daemon = question->daemon;
    struct scripts scripts = { .bytes = BUF_INIT };
    bool is_read_only = node_refused_seq(daemon->node) != 0;
    reread_say_missing(&question->missing);
    if (question->has_bundle || daemon->settings.scripts == NULL || is_read_only) {
        serve(daemon);
        return;
    }
    int rc = scripts_read(&scripts, daemon->settings.scripts, daemon->settings.config,
                          hosting_plugins(daemon->hosting), daemon->err);
    if (rc == 0)
        scripts_activate(&scripts, daemon->node, first_activated, daemon);
    else
        fail(daemon, rc);
    scripts_deinit(&scripts);
}

/* -- --dev ------------------------------------------------------------------------------------- */

static void saved_activated(void *arg, const struct submission *submission)
{
    struct err err;
    (void)arg;
    if (scripts_were_activated(submission, &err))
        say("the scripts that were saved are active");
    else
        say("%s", err.text);
}

static void on_saved_looked(struct question *question)
{
    struct daemon *daemon = question->daemon;
    struct scripts scripts = { .bytes = BUF_INIT };
    struct err err;
    int rc = scripts_read(&scripts, daemon->settings.scripts, daemon->settings.config,
                          hosting_plugins(daemon->hosting), &err);
    if (rc != 0)
        say("the scripts that were saved are not activated: %s", err.text);
    else if (!is_active(question, &scripts))
        scripts_activate(&scripts, daemon->node, saved_activated, daemon);
    scripts_deinit(&scripts);
}

static void on_saved(void *arg)
{
    struct daemon *daemon = arg;
    if (daemon->stage == STAGE_SERVING && node_refused_seq(daemon->node) == 0)
        ask_active(daemon, on_saved_looked);
}

/* -- SIGHUP ------------------------------------------------------------------------------------ */

/* What needs no restart. */
static void use_at_once(void *arg, const struct settings *wanted)
{
    struct daemon *daemon = arg;
    struct err err;
    daemon->settings.rate = wanted->rate;
    if (daemon->settings.cert == NULL || wanted->cert == NULL || daemon->server == NULL)
        return;
    if (http_server_renew(daemon->server, wanted->cert, wanted->key, &err) == 0)
        say("the certificate in %s is used from the next connection on", wanted->cert);
    else
        say("the certificate stays the one it was: %s", err.text);
}

static void all_reread(void *arg)
{
    if (((struct daemon *)arg)->stage == STAGE_SERVING)
        notify("READY=1");
}

static void open_reread(struct daemon *daemon)
{
    const struct reread_options options = {
        .loop = &daemon->loop,
        .node = daemon->node,
        .hosting = daemon->hosting,
        .settings = &daemon->settings,
        .read_settings = daemon->options->read_settings,
        .read_arg = daemon->options->arg,
        .use = use_at_once,
        .done = all_reread,
        .arg = daemon,
    };
    daemon->reread = reread_open(&options);
}

/* The secrets of links, and which of them is the first from the next entry on. */
static int read_link_keys(struct daemon *daemon, struct err *err)
{
    struct link_keys keys = { .count = 0 };
    uint64_t seq;
    int64_t logged;
    log_end(node_log(daemon->node), &seq, &logged);
    int rc = link_keys_open(daemon->settings.data, &keys, err);
    if (rc == 0)
        rc = link_epochs_open(daemon->settings.data, &keys, seq + 1, &daemon->link_epochs, err);
    if (rc == 0)
        daemon->links = keys;
    link_keys_wipe(&keys);
    return rc;
}

static void hang_up(struct daemon *daemon)
{
    struct err err;
    if (daemon->stage == STAGE_SERVING)
        notify_reloading();
    if (channel_log_reopen(daemon->log, &err) != 0)
        say("%s", err.text);
    hosting_reread(daemon->hosting);
    if (read_link_keys(daemon, &err) != 0)
        say("the secrets of links in use are kept: %s", err.text);
    if (daemon->reread != NULL)
        reread_begin(daemon->reread);
}

/* -- Stopping ---------------------------------------------------------------------------------- */

static void end_loop(void *arg)
{
    uv_stop(&((struct daemon *)arg)->loop);
}

/* Plugins come last: until then they are asked for what is under way. */
static void stop_if_idle(void *arg)
{
    struct daemon *daemon = arg;
    if (daemon->stage == STAGE_STOPPING && daemon->server == NULL && daemon->api.calls == 0 &&
        sweeper_is_at_rest(daemon->sweeper) && hosting_is_at_rest(daemon->hosting) &&
        (daemon->is_impatient || deliver_pending(node_deliverer(daemon->node)) == 0)) {
        daemon->stage = STAGE_ENDING;
        hosting_stop(daemon->hosting, end_loop, daemon);
    }
}

/* What has not been answered is sent again at the next start, or listed. */
static void on_patience_over(uv_timer_t *timer)
{
    struct daemon *daemon = timer->data;
    daemon->is_impatient = true;
    stop_if_idle(daemon);
}

static void on_server_closed(void *arg)
{
    struct daemon *daemon = arg;
    daemon->server = NULL;
    stop_if_idle(daemon);
}

/* Handlers that still wait now wait for a disk that does not come back.  What was acknowledged is
 * in the log, and that is all that has to be. */
static void on_grace_over(uv_timer_t *timer)
{
    struct daemon *daemon = timer->data;
    say("%zu requests do not end: stopping without a checkpoint", daemon->api.calls);
    _exit(EXIT_FAILURE);
}

static void stop(struct daemon *daemon)
{
    if (daemon->stage == STAGE_STOPPING || daemon->stage == STAGE_ENDING)
        return;
    daemon->stage = STAGE_STOPPING;
    say("stopping");
    notify("STOPPING=1");
    sweeper_stop(daemon->sweeper);
    node_wind_down(daemon->node);
    hosting_wind_down(daemon->hosting);
    uv_timer_start(&daemon->grace, on_grace_over, END_MS, 0);
    uv_timer_start(&daemon->patience, on_patience_over, DELIVERY_MS, 0);
    if (daemon->server != NULL)
        http_server_close(daemon->server, GRACE_MS, on_server_closed, daemon);
    stop_if_idle(daemon);
}

static void on_signal(uv_signal_t *handle, int number)
{
    if (number == SIGHUP)
        hang_up(handle->data);
    else
        stop(handle->data);
}

/* -- Opening ----------------------------------------------------------------------------------- */

static void fill_random(void *arg, void *data, size_t size)
{
    (void)arg;
    randombytes_buf(data, size);
}

static int open_channels(struct daemon *daemon, struct err *err)
{
    const struct settings *settings = &daemon->settings;
    int rc =
        channel_log_open(settings->log_file, clock_machine(), daemon->metrics, &daemon->log, err);
    if (rc == 0)
        if (rc != 0)
            return rc;
    daemon->channels[0] = channel_log_channel(daemon->log);
    daemon->channel_count =
        1 + hosting_channels(daemon->hosting, &daemon->channels[1], CONFIG_CHANNELS_MAX - 1);
    return 0;
}

static int open_hosting(struct daemon *daemon, struct err *err)
{
    const struct hosting_options options = {
        .loop = &daemon->loop,
        .settings = &daemon->settings,
        .metrics = daemon->metrics,
        .api = &daemon->api,
        .surroundings = &daemon->surroundings,
        .read_settings = daemon->options->read_settings,
        .read_arg = daemon->options->arg,
        .on_rest = stop_if_idle,
        .arg = daemon,
    };
    daemon->surroundings.interrupt = &daemon->interrupt;
    if (daemon->settings.plugin_count != 0 && daemon->settings.plugin_dir != NULL)
        daemon->loop_watch = loop_watch_open(daemon->settings.plugin_dir);
    return hosting_open(&options, &daemon->hosting, err);
}

/* The node's loop runs when all parts are there. */
static int forget_erased(void *arg, const uint64_t *customers, size_t count, struct err *err)
{
    struct daemon *daemon = arg;
    stream_forget(daemon->api.stream);
    int rc = idempotency_forget(daemon->idempotency, err);
    return rc == 0 ? hosting_forget(daemon->hosting, customers, count, err) : rc;
}

static int sweep_files(void *arg, struct err *err)
{
    struct daemon *daemon = arg;
    struct clock clock = clock_machine();
    size_t left;
    return files_sweep(daemon->files, node_state(daemon->node), clock.wall_ms(clock.arg), &left,
                       err);
}

static void plugin_lost(void *arg, struct text name, const char *why)
{
    hosting_lost(((struct daemon *)arg)->hosting, name, why);
}

static int open_node(struct daemon *daemon, struct err *err)
{
    uint8_t run[8];
    char boot[HEX_SIZE(sizeof run)];
    randombytes_buf(run, sizeof run);
    hex_encode(run, sizeof run, boot);
    struct plugin_set *plugins = hosting_plugins(daemon->hosting);
    struct node_options options = {
        .dir = daemon->settings.data,
        .clock = clock_machine(),
        .random = fill_random,
        .code = world_code(plugins, &daemon->code),
        .config = daemon->settings.config,
        .log_quota_bytes = daemon->settings.log_quota_bytes,
        .state_quota_bytes = daemon->settings.state_quota_bytes,
        .boot = boot,
        .rebuild = daemon->options->rebuild && !breadcrumb_was_opened(),
        .refused_seq = breadcrumb_refused_seq(),
        .plugins = plugin_set_engine(plugins),
        .channels = daemon->channels,
        .channel_count = daemon->channel_count,
        .load_rules = script_load,
        .load_arg = &daemon->surroundings,
        .wake = wake,
        .wake_arg = daemon,
        .forget = forget_erased,
        .sweep = sweep_files,
        .forget_arg = daemon,
        .plugin_lost = plugin_lost,
        .plugin_arg = daemon,
    };
    options.blames = breadcrumb_blames(&options.blame_count);
    int rc = node_open(&options, &daemon->node, err);
    if (rc == 0)
        hosting_attach(daemon->hosting, daemon->node);
    if (rc == 0 && node_refused_seq(daemon->node) == 0) {
        breadcrumb_note_opened();
        blame_forget(options.dir);
    }
    return rc;
}

static int open_idempotency(struct daemon *daemon, struct err *err)
{
    char dir[4096];
    snprintf(dir, sizeof dir, "%s/answers", daemon->settings.data);
    return idempotency_open(dir, clock_machine(), &daemon->idempotency, err);
}

static int make_links(void *arg, struct text id, struct doc message, struct buf *out,
                      struct err *err)
{
    const struct daemon *daemon = arg;
    uint64_t seq = 0, n;
    bool is_id = event_id_parse(id, &seq, &n);
    ASSERT(is_id);
    size_t key = link_epochs_key(&daemon->link_epochs, &daemon->links, seq);
    return link_message(&daemon->links, key, daemon->settings.url, id, message, out, err);
}

static int open_links(struct daemon *daemon, struct err *err)
{
    deliver_set_links(node_deliverer(daemon->node), make_links, daemon);
    return read_link_keys(daemon, err);
}

static int open_files(struct daemon *daemon, struct err *err)
{
    int rc = files_open(daemon->settings.data, &daemon->files, err);
    struct sweeper_options options = {
        .loop = &daemon->loop,
        .files = daemon->files,
        .node = daemon->node,
        .clock = clock_machine(),
        .on_rest = stop_if_idle,
        .arg = daemon,
    };
    if (rc == 0)
        daemon->sweeper = sweeper_open(&options);
    return rc;
}

static int open_api(struct daemon *daemon, struct err *err)
{
    daemon->api = (struct api){
        .loop = &daemon->loop,
        .node = daemon->node,
        .auth = daemon->auth,
        .idempotency = daemon->idempotency,
        .links = &daemon->links,
        .files = daemon->files,
        .sweeper = daemon->sweeper,
        .metrics = daemon->metrics,
        .settings = &daemon->settings,
        .clock = clock_machine(),
        .on_idle = stop_if_idle,
        .idle_arg = daemon,
    };
    hosting_fill_api(daemon->hosting);
    api_init(&daemon->api);
    daemon->api.stream = stream_new(&daemon->api);
    return zone_open(daemon->settings.zone, &daemon->api.zone, err);
}

static int open_parts(struct daemon *daemon, struct err *err)
{
    struct settings *settings = &daemon->settings;
    int rc = zone_load(err);
    if (rc == 0)
        rc = daemon->options->read_settings(daemon->options->arg, settings, err);
    if (rc == 0 && settings->data == NULL)
        rc = err_set(err, E_INVALID,
                     "where to keep the data? --data DIR, or data \"DIR\" in the configuration");
    if (rc == 0)
        blame_find(settings->data);
    if (rc == 0)
        rc = open_hosting(daemon, err);
    if (rc == 0)
        rc = open_channels(daemon, err);
    if (rc == 0)
        rc = open_node(daemon, err);
    if (rc == 0)
        rc = auth_open(settings->data, &daemon->auth, err);
    if (rc == 0)
        rc = open_idempotency(daemon, err);
    if (rc == 0)
        rc = open_links(daemon, err);
    if (rc == 0)
        rc = open_files(daemon, err);
    if (rc == 0)
        rc = open_api(daemon, err);
    return rc;
}

static void init_loop(struct daemon *daemon)
{
    static const int numbers[SIGNALS] = { SIGTERM, SIGINT, SIGHUP };
    int rc = uv_loop_init(&daemon->loop);
    if (rc == 0)
        rc = uv_async_init(&daemon->loop, &daemon->wake, on_wake);
    ASSERT(rc == 0);
    uv_timer_init(&daemon->loop, &daemon->delivery);
    uv_timer_init(&daemon->loop, &daemon->grace);
    uv_timer_init(&daemon->loop, &daemon->patience);
    daemon->wake.data = daemon->delivery.data = daemon->grace.data = daemon;
    daemon->patience.data = daemon;
    for (size_t i = 0; i < SIGNALS; i++) {
        uv_signal_init(&daemon->loop, &daemon->signals[i]);
        daemon->signals[i].data = daemon;
        uv_signal_start(&daemon->signals[i], on_signal, numbers[i]);
    }
}

/* -- Ending ------------------------------------------------------------------------------------ */

static void close_loop(struct daemon *daemon)
{
    if (daemon->code_of_failure == 0 && daemon->stage == STAGE_ENDING)
        breadcrumb_note_ended(); /* from here on nobody hears a signal */
    watch_close(daemon->watch);
    watchdog_close(daemon->watchdog);
    uv_close((uv_handle_t *)&daemon->wake, NULL);
    uv_close((uv_handle_t *)&daemon->delivery, NULL);
    uv_close((uv_handle_t *)&daemon->grace, NULL);
    uv_close((uv_handle_t *)&daemon->patience, NULL);
    for (size_t i = 0; i < SIGNALS; i++)
        uv_close((uv_handle_t *)&daemon->signals[i], NULL);
    uv_run(&daemon->loop, UV_RUN_DEFAULT);
    int rc = uv_loop_close(&daemon->loop);
    ASSERT(rc == 0);
}

/* The node goes first: until its threads have ended they wake the loop. */
static void close_parts(struct daemon *daemon)
{
    api_end_dry_run(&daemon->api);
    sweeper_close(daemon->sweeper);
    hosting_close(daemon->hosting);
    reread_close(daemon->reread);
    rule_watch_close(daemon->rule_watch);
    plugin_watch_close(daemon->plugin_watch);
    if (daemon->hosting != NULL && !hosting_is_stopped(daemon->hosting)) {
        hosting_stop(daemon->hosting, end_loop, daemon);
        uv_run(&daemon->loop, UV_RUN_DEFAULT);
    }
    loop_watch_close(daemon->loop_watch);
    node_close(daemon->node);
    if (daemon->server != NULL)
        http_server_close(daemon->server, 0, NULL, NULL);
    stream_close(daemon->api.stream);
    close_loop(daemon);
    reread_free(daemon->reread);
    api_deinit(&daemon->api);
    files_close(daemon->files);
    auth_close(daemon->auth);
    idempotency_close(daemon->idempotency);
    link_keys_wipe(&daemon->links);
    channel_log_close(daemon->log);
    metrics_free(daemon->metrics);
    hosting_free(daemon->hosting);
    buf_deinit(&daemon->code);
    settings_deinit(&daemon->settings);
}

static void prepare_process(void)
{
    struct rlimit files;
    signal(SIGPIPE, SIG_IGN);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

static int watch_rules(struct daemon *daemon, struct err *err)
{
    int64_t cpu_ms = doc_int(daemon->settings.limits, "rule_cpu_ms", RULE_CPU_MS);
    return rule_watch_open(&daemon->loop, daemon->node, cpu_ms, &daemon->interrupt,
                           &daemon->rule_watch, err);
}

static void look_at_plugins(void *arg)
{
    hosting_look(((struct daemon *)arg)->hosting);
}

static void watch_plugins(struct daemon *daemon)
{
    daemon->plugin_watch = plugin_watch_open(&daemon->loop, look_at_plugins, daemon);
    daemon->api.plugin_watch = daemon->plugin_watch;
    loop_watch_loaded(daemon->loop_watch);
}

int daemon_run(const struct daemon_options *options, struct err *err)
{
    struct daemon *daemon = mem_zero(sizeof *daemon);
    prepare_process();
    if (sodium_init() < 0)
        return err_set(err, E_IO, "the kernel gives no randomness");
    daemon->options = options;
    daemon->err = err;
    daemon->metrics = metrics_new();
    settings_init(&daemon->settings);
    init_loop(daemon);
    parent_hear();
    breadcrumb_attach(BREADCRUMB_LOOP);
    int rc = notify_socket(&daemon->socket, err);
    if (rc == 0)
        rc = open_parts(daemon, err);
    if (rc == 0) {
        node_start_threads(daemon->node);
        if (daemon->settings.plugin_count != 0)
            watch_plugins(daemon);
        rc = watch_rules(daemon, err);
    }
    if (rc == 0) {
        daemon->watchdog = watchdog_open(&daemon->loop, daemon->node);
        open_reread(daemon);
        ask_active(daemon, on_caught_up);
        uv_run(&daemon->loop, UV_RUN_DEFAULT);
        rc = daemon->code_of_failure;
    }
    close_parts(daemon);
    free(daemon);
    return rc;
}
