/* life_plugin.h -- the plugin of a simulated daemon, and what kithd does around plugins.
 *
 * The plugin is tests/sim/plugins/tally.c, version 1 or 2, in the process of the life or in one of
 * its own.  It crashes and hangs as it is told; what a parent reads from the breadcrumb is then
 * written down past the simulated disk, and is the next life's to blame the plugin for.  Isolated
 * plugins that are lost are brought back as core/server/nurse.h does it, by simulated time and on
 * the one thread.
 */
#ifndef TESTS_SIM_LIFE_PLUGIN_H
#define TESTS_SIM_LIFE_PLUGIN_H

#include "core/base/clock.h"
#include "core/base/doc.h"
#include "core/plugin/breadcrumb.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node;
struct plugin_set;
struct snapshot;

struct life_plugin {
    const char *dir;  /* where tally1.so and tally2.so lie */
    unsigned version; /* 0: none is loaded */
    bool is_isolated;
    const char *fate; /* KITH_SIM_TALLY for it; NULL: it is good */
};

/* The process of an isolated plugin, which a life begins: what it computes and no outside side,
 * whose libraries every life would have to load. */
bool life_plugin_is_process(const char *word);
int life_plugin_process(void);

/* NULL: there is none.  Ends the process when it cannot be loaded. */
struct plugin_set *life_plugin_load(const struct life_plugin *wanted);

/* Its process, if it has one, is no more: whoever folds with it finds out. */
void life_plugin_kill(const struct plugin_set *set);

/* {level, tally, plugins}: of what the world is computed with. */
void life_plugin_put_code(const struct plugin_set *set, unsigned version, struct doc_writer *w);

/* From here on a crash in a plugin ends the process as disk_crash() does, and leaves a line in
 * `path`.  What such lines of earlier lives say: */
const struct breadcrumb_crash *life_plugin_blames(const char *path, size_t *out_count);
void life_plugin_blamed(const char *path); /* the log has them */

void life_plugin_attach(struct node *node, struct plugin_set *set, struct clock clock);
void life_plugin_lost(void *arg, struct text name, const char *why); /* of node_options */
void life_plugin_tick(void);                                         /* with node_tick() */
void life_plugin_act(uint64_t dice); /* what staff, or chance, does about it */
void life_plugin_finish(void);       /* in a quiet life: who takes no part shall */

/* The rows that are kept for plugins, for the judge. */
void life_plugin_rows(struct snapshot *snapshot);

/* When all is at rest: append to `path` what each user is told of what plugins keep of her. */
void life_plugin_export(const char *path);

#endif
