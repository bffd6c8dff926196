/* life_change.c -- see life_change.h. */
#include "tests/sim/life_change.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/plugin/set.h"
#include "core/server/change.h"
#include "core/server/node.h"
#include "tests/sim/life_plugin.h"
#include "tests/sim/real.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define CHANCE 300 /* one step in so many */

static int file = -1;
static int level;
static struct plugin_set *plugins;
static unsigned plugin_version;
static uint64_t count; /* what the file says */

static struct doc put_code(struct buf *out)
{
    struct doc_writer w;
    buf_clear(out);
    doc_begin(&w, out);
    doc_put_int(&w, "level", level);
    life_plugin_put_code(plugins, plugin_version, &w);
    if (count != 0)
        doc_put_int(&w, "replaced", (int64_t)count);
    return doc_end(&w);
}

struct doc life_code(const char *outside, int level_of_build, struct plugin_set *set,
                     unsigned version, struct buf *out)
{
    char path[4096];
    snprintf(path, sizeof path, "%s.code", outside);
    file = real()->openat(AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ASSERT(file >= 0);
    if (pread(file, &count, sizeof count, 0) != sizeof count)
        count = 0;
    level = level_of_build;
    plugins = set;
    plugin_version = version;
    return put_code(out);
}

static void in_force(void *arg)
{
    (void)arg;
}

static void on_done(void *arg, int code, const struct err *err)
{
    (void)arg;
    (void)code;
    (void)err;
}

static void on_over(void *arg)
{
    change_give_back(node_change(arg));
}

void life_change(struct node *node, struct doc config, uint64_t dice)
{
    struct buf code = BUF_INIT;
    struct err err;
    if (dice % CHANCE != 0 || !node_is_ready(node) || change_reserve(node_change(node), &err) != 0)
        return;
    count++;
    ssize_t written = real()->pwrite(file, &count, sizeof count, 0);
    ASSERT(written == sizeof count);
    struct change_wanted wanted = {
        .code = put_code(&code),
        .config = config,
        .plugins = plugin_set_engine(plugins),
        .in_force = in_force,
        .done = on_done,
        .over = on_over,
        .arg = node,
    };
    change_begin(node_change(node), &wanted);
    buf_deinit(&code);
}
