/* node_inside.h -- what the files of the node share; nobody else includes this. */
#ifndef CORE_SERVER_NODE_INSIDE_H
#define CORE_SERVER_NODE_INSIDE_H

#include "core/server/node.h"

struct node {
    struct node_options options;
    int lock;
    struct log *log;
    struct state *state;
    struct engine *engine;
    struct sequencer sequencer;
    struct fold fold;
    struct deliverer *deliverer;
    struct purge *purge;
    struct change *change;
    struct mailbox loop;
    uint64_t run;     /* seq of this run's daemon.started */
    uint64_t applied; /* what the state had that is folded anew; 0: none, or nobody can tell */
    bool is_started;
    bool has_threads;
    pthread_t writer, folder, checkpointer;
};

/* node_hooks.c: what the engine asks of the node, and tells it; `arg` is the node. */
extern const struct engine_hooks node_hooks;

#endif
