/* link_epochs.h -- which secret of links.key was the first one, and since which entry.
 *
 * A message that is sent again has the same bytes, the addresses of its links included, also when
 * the secret was rotated between two attempts: receivers know it by them.  So the links of a
 * message are sealed with the secret that was first when the entry was written which made the
 * message, and when that was is kept in DATA/links.epochs, a line each:
 *
 *     1 5f0c...      the number of an entry, a print of the secret that seals from there on
 *
 * The print tells nothing of the secret.  Without the file, or with a secret that has been taken
 * out of links.key since, the first one seals: such a link works as well, it is only another one.
 *
 * The loop's thread.
 */
#ifndef CORE_SERVER_LINK_EPOCHS_H
#define CORE_SERVER_LINK_EPOCHS_H

#include "core/server/link.h"

#define LINK_EPOCHS_MAX 16 /* kept; older ones are forgotten */

struct link_epochs {
    size_t count;
    struct link_epoch {
        uint64_t since;
        uint8_t print[LINK_PRINT_BYTES];
    } epochs[LINK_EPOCHS_MAX]; /* in order */
};

/* Read `dir`/links.epochs; where the first of `keys` is another than the last one there, it is the
 * first from entry `seq` on, and the file says so before this returns.  What is no line of ours is
 * left out.  E_IO: then *epochs is as it was. */
int link_epochs_open(const char *dir, const struct link_keys *keys, uint64_t seq,
                     struct link_epochs *epochs, struct err *err);

/* The place among `keys` of the one for what entry `seq` has made. */
size_t link_epochs_key(const struct link_epochs *epochs, const struct link_keys *keys,
                       uint64_t seq);

#endif
