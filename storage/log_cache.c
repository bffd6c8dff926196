/* log_cache.c -- decoded blocks that are likely to be asked for again.
 *
 * A timeline asks for single entries by their seqs; neighbours on it often lie in one
 * block, and a page of it is often asked for twice.  Decoding a block costs some 30
 * microseconds, finding an entry in a decoded one a third of one.  So the last 16 blocks are
 * kept of which a read left something unvisited; a replay, which visits all of a block,
 * passes by and does not wash them out.  They are at most 64 KiB each, because a block
 * of one large entry is visited whole: a megabyte in all.
 *
 * Ages.  Erasing must not leave the old bytes here, also not when a reader that began
 * before puts its block in afterwards.  Each drop begins a new age and a block of
 * an older one is refused.
 *
 * One lock for all, held for a walk over 16 slots: contention would need readers that do
 * nothing else.
 */
#include "storage/log_inside.h"

#include "core/base/mem.h"

#include <stdlib.h>
#include <zstd.h>

#define SLOTS_COUNT 16
#define DECODERS_MAX 8 /* kept; more are made and freed when as many threads read */

struct slot {
    struct log_decoded *decoded; /* NULL: free */
    uint64_t used;               /* tick of the last use */
};

struct log_cache {
    pthread_mutex_t lock;
    struct slot slots[SLOTS_COUNT];
    uint64_t tick;
    uint64_t age;
    ZSTD_DCtx *decoders[DECODERS_MAX];
    size_t decoders_count;
};

struct log_cache *log_cache_new(void)
{
    struct log_cache *cache = mem_zero(sizeof *cache);
    pthread_mutex_init(&cache->lock, NULL);
    return cache;
}

void log_cache_free(struct log_cache *cache)
{
    if (cache == NULL)
        return;
    log_cache_drop(cache);
    for (size_t i = 0; i < cache->decoders_count; i++)
        ZSTD_freeDCtx(cache->decoders[i]);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

static void unref_locked(struct log_decoded *decoded)
{
    if (decoded != NULL && --decoded->refs == 0)
        free(decoded);
}

static struct slot *slot_of(struct log_cache *cache, uint64_t seq)
{
    for (size_t i = 0; i < SLOTS_COUNT; i++) {
        const struct log_decoded *decoded = cache->slots[i].decoded;
        if (decoded != NULL && seq >= decoded->seq_first &&
            seq - decoded->seq_first < decoded->count)
            return &cache->slots[i];
    }
    return NULL;
}

struct log_decoded *log_cache_get(struct log_cache *cache, uint64_t seq, uint64_t *out_age)
{
    struct log_decoded *decoded = NULL;
    pthread_mutex_lock(&cache->lock);
    struct slot *slot = slot_of(cache, seq);
    if (slot != NULL) {
        slot->used = ++cache->tick;
        decoded = slot->decoded;
        decoded->refs++;
    }
    *out_age = cache->age;
    pthread_mutex_unlock(&cache->lock);
    return decoded;
}

static struct slot *slot_oldest(struct log_cache *cache)
{
    struct slot *oldest = &cache->slots[0];
    for (size_t i = 1; i < SLOTS_COUNT; i++)
        if (cache->slots[i].used < oldest->used)
            oldest = &cache->slots[i];
    return oldest;
}

void log_cache_put(struct log_cache *cache, struct log_decoded *decoded, uint64_t age)
{
    pthread_mutex_lock(&cache->lock);
    if (age == cache->age && slot_of(cache, decoded->seq_first) == NULL) {
        struct slot *slot = slot_oldest(cache);
        unref_locked(slot->decoded);
        decoded->refs++;
        *slot = (struct slot){ decoded, ++cache->tick };
    }
    pthread_mutex_unlock(&cache->lock);
}

void log_cache_unref(struct log_cache *cache, struct log_decoded *decoded)
{
    pthread_mutex_lock(&cache->lock);
    unref_locked(decoded);
    pthread_mutex_unlock(&cache->lock);
}

void log_cache_drop(struct log_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    for (size_t i = 0; i < SLOTS_COUNT; i++) {
        unref_locked(cache->slots[i].decoded);
        cache->slots[i] = (struct slot){ NULL, 0 };
    }
    cache->age++;
    pthread_mutex_unlock(&cache->lock);
}

ZSTD_DCtx *log_cache_lend(struct log_cache *cache)
{
    ZSTD_DCtx *zstd = NULL;
    pthread_mutex_lock(&cache->lock);
    if (cache->decoders_count > 0)
        zstd = cache->decoders[--cache->decoders_count];
    pthread_mutex_unlock(&cache->lock);
    if (zstd == NULL)
        zstd = ZSTD_createDCtx();
    ASSERT(zstd != NULL);
    return zstd;
}

void log_cache_return(struct log_cache *cache, ZSTD_DCtx *zstd)
{
    pthread_mutex_lock(&cache->lock);
    if (cache->decoders_count < DECODERS_MAX) {
        cache->decoders[cache->decoders_count++] = zstd;
        zstd = NULL;
    }
    pthread_mutex_unlock(&cache->lock);
    ZSTD_freeDCtx(zstd);
}
