/* load.h -- batches of events as requests, ready to be sent.
 *
 * What a client's SDK does before it sends (collecting, JSON) is done before the
 * measuring begins, so that the load generator, which shares the machine with the daemon,
 * costs it as little as a client elsewhere would.
 */
#ifndef TESTS_BENCH_LOAD_H
#define TESTS_BENCH_LOAD_H

#include "core/base/buf.h"
#include "tests/bench/client.h"

struct load {
    struct buf bytes;
    size_t *ends; /* of each request, from the beginning of `bytes` */
    size_t count; /* requests */
    size_t events;
};

/* The lines of an NDJSON file as POST /v1/batch requests of `batch` events each. */
void load_read(struct load *load, const struct target *target, const char *path, size_t batch);
void load_deinit(struct load *load);

const void *load_request(const struct load *load, size_t index, size_t *out_size);

#endif
