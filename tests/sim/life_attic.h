/* life_attic.h -- what a life looks at before entries are erased from its log for ever.
 *
 * The judge needs every entry to say what must have come of it, and an erased one cannot be
 * read any more.  So before each log_erase() its entries are written into a file past the
 * simulated disk, the attic, as `life dump` would print them.
 *
 * Once they are gone nobody can fold them again and compare, so that is done now: from where the
 * present code began, up to where every later fold will begin.
 */
#ifndef TESTS_SIM_LIFE_ATTIC_H
#define TESTS_SIM_LIFE_ATTIC_H

#include "core/base/buf.h"
#include "core/engine/config.h"
#include "core/engine/rules.h"
#include "storage/log.h"

#include <stdbool.h>

struct attic {
    const char *path, *data; /* of the file; of the data.  path NULL: nothing is done */
    int (*load_rules)(void *arg, struct doc bundle, const struct config *config,
                      struct ruleset **out_rules, struct err *err);
    void *load_arg;
    void (*print)(struct buf *out, struct log *log, const struct log_entry *entry);
    struct plugins *plugins; /* those of the life, apart from it; NULL: none */
    bool *is_past;           /* of the rules that now and then die: kept over the fold */
};

void attic_open(const struct attic *attic);

/* The linker puts it in the place of log_erase() (--wrap). */
int __wrap_log_erase(struct log *log, const uint64_t *seqs, size_t count, uint64_t customer,
                     struct err *err);
int __real_log_erase(struct log *log, const uint64_t *seqs, size_t count, uint64_t customer,
                     struct err *err);

#endif
