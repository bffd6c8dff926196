/* loop_watch.c -- see loop_watch.h. */
#include "core/server/loop_watch.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/plugin/breadcrumb.h"
#include "core/server/say.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define TELL_LOOKS (PLUGIN_HANG_TELL_MS / PLUGIN_LOOK_MS)
#define END_LOOKS (PLUGIN_LOOP_HANG_MS / PLUGIN_LOOK_MS)

struct loop_watch {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t ended;
    bool is_over;
    bool is_loading;        /* the daemon has not begun */
    const char *plugin_dir; /* where they are */
    uint32_t turn;          /* of the call that was seen last ... */
    unsigned looks;         /* ... and how often it was seen again */
};

static void tell(const struct breadcrumb_crash *call)
{
    say("the plugin \"%s\" does not come back (%s): nobody is answered%s", call->plugin,
        breadcrumb_call_name((enum breadcrumb_call)call->call),
        breadcrumb_is_watched() ? "; if it does not soon, the daemon is started again without it"
                                : "; without a parent nobody ends it");
}

static void tell_loading(const struct loop_watch *watch, const char *name)
{
    say("the plugin \"%s\" does not come back while it is loaded, from %s/%s.so (its constructors, "
        "kith_describe()): the daemon does not begin, and ends if that lasts",
        name, watch->plugin_dir, name);
}

static void end(const struct loop_watch *watch, const char *name)
{
    if (breadcrumb_is_watched())
        breadcrumb_end_hung(BREADCRUMB_LOOP);
    if (!watch->is_loading)
        return;
    say("the plugin \"%s\" has not come back within %d ms while it was loaded: take it out of the "
        "configuration, or have %s/%s.so mended",
        name, PLUGIN_LOOP_HANG_MS, watch->plugin_dir, name);
    _exit(EXIT_FAILURE);
}

static void look(struct loop_watch *watch)
{
    struct breadcrumb_crash call;
    uint32_t turn;
    bool is_in = breadcrumb_look(BREADCRUMB_LOOP, &call, &turn);
    if (!is_in || turn != watch->turn) {
        if (watch->looks >= TELL_LOOKS)
            say("the plugin has come back: %s",
                watch->is_loading ? "the daemon goes on beginning" : "requests are answered again");
        watch->looks = 0;
        watch->turn = turn;
        return;
    }
    watch->looks++;
    if (watch->looks == TELL_LOOKS && watch->is_loading)
        tell_loading(watch, call.plugin);
    else if (watch->looks == TELL_LOOKS)
        tell(&call);
    if (watch->looks >= END_LOOKS)
        end(watch, call.plugin);
}

/* Whether it is over by then. */
static bool wait_a_while(struct loop_watch *watch)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PLUGIN_LOOK_MS / 1000;
    int rc = 0;
    while (!watch->is_over && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&watch->ended, &watch->mutex, &until);
    return watch->is_over;
}

static void *run(void *arg)
{
    struct loop_watch *watch = arg;
    pthread_mutex_lock(&watch->mutex);
    while (!wait_a_while(watch))
        look(watch);
    pthread_mutex_unlock(&watch->mutex);
    return NULL;
}

struct loop_watch *loop_watch_open(const char *plugin_dir)
{
    struct loop_watch *watch = mem_zero(sizeof *watch);
    watch->is_loading = true;
    watch->plugin_dir = plugin_dir;
    pthread_condattr_t attributes;
    sigset_t all, before;
    pthread_mutex_init(&watch->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&watch->ended, &attributes);
    pthread_condattr_destroy(&attributes);
    sigfillset(&all); /* what is sent to the process is others' to hear */
    sigdelset(&all, SIGABRT);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int rc = pthread_create(&watch->thread, NULL, run, watch);
    ASSERT(rc == 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return watch;
}

void loop_watch_loaded(struct loop_watch *watch)
{
    pthread_mutex_lock(&watch->mutex);
    watch->is_loading = false;
    pthread_mutex_unlock(&watch->mutex);
}

void loop_watch_close(struct loop_watch *watch)
{
    if (watch == NULL)
        return;
    pthread_mutex_lock(&watch->mutex);
    watch->is_over = true;
    pthread_cond_signal(&watch->ended);
    pthread_mutex_unlock(&watch->mutex);
    pthread_join(watch->thread, NULL);
    pthread_mutex_destroy(&watch->mutex);
    pthread_cond_destroy(&watch->ended);
    free(watch);
}
