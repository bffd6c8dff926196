/* lane.h -- memory that two processes share, to call a plugin's functions across it.
 *
 * A lane carries one batch at a time: items in, one reply out for each, in order.  One side fills
 * and posts it, the other works it off and says after every item how far it is, so that the first
 * can go on with what is done.  There are two lanes: one for calls that were foreseen, one for
 * those that were not, which need not wait for the others' room.  They are worked off in the order
 * in which they were posted.
 *
 * An item and a reply are documents, one behind another (docs of their fields: remote.c, guest.c).
 * Two descriptors, eventfds, wake whoever sleeps; nobody is woken who does not.
 */
#ifndef CORE_PLUGIN_LANE_H
#define CORE_PLUGIN_LANE_H

#include <stdatomic.h>
#include <stdint.h>

#define LANE_BYTES (4u << 20) /* of the items of one batch, and of its replies */
#define LANE_ITEMS_MAX 1024
#define LANE_REPLY_LEAST (64u << 10) /* kept free for replies that say there was no room */

enum { LANE_BATCH, LANE_SINGLE, LANES };

struct lane {
    _Atomic uint32_t posted;   /* batches */
    _Atomic uint32_t done;     /* items of the present one */
    _Atomic uint32_t out_size; /* of its replies */
    uint32_t count;            /* of its items */
    uint8_t in[LANE_BYTES], out[LANE_BYTES];
};

struct lanes {
    _Atomic uint32_t worker;     /* the thread that works them off, as the kernel numbers it */
    _Atomic uint32_t is_waiting; /* the side that posts sleeps until `done` grows */
    struct lane lane[LANES];
};

/* The descriptors that an isolated plugin's process begins with. */
enum { FD_SOCKET = 3, FD_LANES = 4, FD_POSTED = 5, FD_DONE = 6, FD_COPY = 7 };

/* Kinds of items, and what a reply says. */
enum { ITEM_HANDLER, ITEM_FUNCTION, ITEM_FOLD };
enum { REPLY_OK, REPLY_FAILED, REPLY_NO_ROOM };

#endif
