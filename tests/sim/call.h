/* call.h -- what every intercepted call does, whatever it is: private to disk*.c.
 *
 * A call that concerns the watched directory begins (which takes the lock), enters (is
 * counted, and perhaps crashes), asks for its fault, does its work, and leaves (releases the
 * lock, or crashes after the work).
 */
#ifndef TESTS_SIM_CALL_H
#define TESTS_SIM_CALL_H

#include "tests/sim/disk.h"
#include "tests/sim/platter.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { ROLL_POINT = 1, ROLL_CUT, ROLL_FLUSH };
enum point { PASS, BEFORE, MIDDLE, AFTER }; /* where this call crashes */

struct fault {
    unsigned skip, count;
    int error;
};

struct disk {
    pthread_mutex_t lock;    /* over all that follows, during one call */
    struct platter *platter; /* NULL: not started, all calls pass */
    uint64_t seed;
    uint64_t calls, crash_at;
    uint64_t room_bytes;
    bool is_lying;
    struct fault faults[DISK_FAULTS];
};

extern struct disk disk;

/* Take the lock if `fd` is a file below the directory; NULL: it is not, nothing was taken. */
struct trail *call_begin(int fd);

/* Count the call and learn where it crashes: PASS, MIDDLE or AFTER. */
enum point call_enter(void);
enum point call_enter_whole(void); /* for a call without a middle: PASS or AFTER */

int call_fault(enum disk_fault kind); /* the errno with which this call is to fail, or 0 */
uint64_t call_roll(uint64_t aspect);  /* a choice of this call */
void call_leave(enum point point);

uint64_t call_size(int fd); /* of the file, in bytes */
bool call_is_writable(int fd);

/* The whole call that gives a file another size, after call_begin.  0, or -1 and errno. */
int call_resize(struct trail *trail, int fd, uint64_t size);

#endif
