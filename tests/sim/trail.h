/* trail.h -- what the unflushed writes to one file have covered up.
 *
 * The file itself always holds what the operating system would show.  Its trail
 * holds, for each sector that was changed since its last flush, the bytes from
 * before each change.  Putting some of them back makes any of the contents that a
 * power cut could leave: for each sector the last flushed version, the newest, or
 * one between.  The size of the file is treated as one more sector.
 *
 * A trail lives in a shared mapping of a file in the journal directory, so it
 * outlives the process whatever ends it.  Everything here stops the process with a
 * message when the host itself fails: a simulator cannot go on without its disk.
 * Calls come from one thread at a time.
 */
#ifndef TESTS_SIM_TRAIL_H
#define TESTS_SIM_TRAIL_H

#include <stdbool.h>
#include <stdint.h>

#define TRAIL_SECTOR_BYTES 512u  /* written whole or not at all */
#define TRAIL_PAGE_BYTES 4096u   /* what the page cache writes back */
#define TRAIL_BYTES_MAX (256u << 20) /* of one trail; reserved, not used up */

struct trail;

/* A part of a file: the bytes from..to-1, and its size if `has_size`. */
struct trail_span {
    uint64_t from, to;
    bool has_size;
};

#define TRAIL_WHOLE ((struct trail_span){ 0, UINT64_MAX, true })

/* Begin trail `number` for the file `inode`, or find an earlier process's one again.
 * NULL: there is none of this number.  trail_close leaves it where it is. */
struct trail *trail_new(int journal, unsigned number, uint64_t inode);
struct trail *trail_open(int journal, unsigned number);
void trail_close(struct trail *trail); /* NULL is allowed */
uint64_t trail_inode(const struct trail *trail);

/* The inode number has been given to a new, empty file. */
void trail_reset(struct trail *trail);

/* To be called before one write (or truncation) of the file behind `fd` changes
 * the bytes from..to-1 and leaves it `size` bytes long. */
void trail_change(struct trail *trail, int fd, uint64_t from, uint64_t to, uint64_t size);

/* What lies in `span` has reached the platter. */
void trail_flush(struct trail *trail, struct trail_span span);

/* A flush that did not end well: by the seed none, all or some of the sectors in
 * `span` have reached the platter.  The others stay to be flushed later; or, if
 * `is_forgotten`, the operating system now takes them for clean, and no later flush
 * writes them unless their page is written again. */
void trail_flush_part(struct trail *trail, struct trail_span span, uint64_t seed,
                      bool is_forgotten);

/* The power cut: turn the file behind `fd` (open for reading and writing) into what
 * the seed left on the platter.  The trail is empty afterwards. */
void trail_recover(struct trail *trail, int fd, uint64_t seed);

#endif
