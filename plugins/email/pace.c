/* pace.c -- see pace.h. */
#include "pace.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 256
#define MINUTE_MS 60000

struct pace_domain {
    struct pace_domain *next;
    size_t users, running;
    int64_t slot_ms;    /* x the rate, so that nothing is lost by rounding: the next free one */
    int64_t promise_ms; /* the same of those who come again */
    char name[];
};

struct pace {
    size_t running_max, count;
    int64_t rate;
    struct pace_domain *buckets[BUCKETS];
};

struct pace *pace_new(size_t running_max, int64_t rate)
{
    struct pace *pace = calloc(1, sizeof *pace);
    if (pace != NULL) {
        pace->running_max = running_max;
        pace->rate = rate;
    }
    return pace;
}

void pace_free(struct pace *pace)
{
    for (size_t i = 0; pace != NULL && i < BUCKETS; i++)
        while (pace->buckets[i] != NULL) {
            struct pace_domain *domain = pace->buckets[i];
            pace->buckets[i] = domain->next;
            free(domain);
        }
    free(pace);
}

static struct pace_domain **bucket_of(struct pace *pace, const char *name)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return &pace->buckets[hash % BUCKETS];
}

/* Times are kept multiplied by the rate: an interval is then a minute. */
static bool is_idle(const struct pace *pace, const struct pace_domain *domain, int64_t now_ms)
{
    return domain->users == 0 && domain->slot_ms <= now_ms * pace->rate &&
           domain->promise_ms <= now_ms * pace->rate;
}

/* The domain, made where it is missing; on the way those that are over go. */
static struct pace_domain *find(struct pace *pace, const char *name, int64_t now_ms)
{
    struct pace_domain **bucket = bucket_of(pace, name), **link = bucket;
    while (*link != NULL && strcmp((*link)->name, name) != 0) {
        struct pace_domain *domain = *link;
        if (is_idle(pace, domain, now_ms)) {
            *link = domain->next;
            free(domain);
            pace->count--;
        } else {
            link = &domain->next;
        }
    }
    if (*link != NULL)
        return *link;
    size_t size = strlen(name) + 1;
    struct pace_domain *domain = calloc(1, sizeof *domain + size);
    if (domain == NULL)
        return NULL;
    memcpy(domain->name, name, size);
    domain->next = *bucket;
    *bucket = domain;
    pace->count++;
    return domain;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int pace_enter(struct pace *pace, const char *name, int64_t now_ms, struct pace_domain **out_domain,
               int64_t *out_at_ms)
{
    struct pace_domain *domain = find(pace, name, now_ms);
    int64_t now = now_ms * pace->rate;
    if (domain == NULL)
        return -1;
    if (pace->rate > 0) {
        int64_t slot = later(domain->slot_ms, now);
        if (slot - now > PACE_HOLD_MS * pace->rate) {
            int64_t promise = later(domain->promise_ms, slot);
            domain->promise_ms = promise + MINUTE_MS;
            *out_at_ms = (promise + pace->rate - 1) / pace->rate;
            return 1;
        }
        domain->slot_ms = slot + MINUTE_MS;
        *out_at_ms = (slot + pace->rate - 1) / pace->rate;
    } else {
        *out_at_ms = now_ms;
    }
    domain->users++;
    *out_domain = domain;
    return 0;
}

void pace_leave(struct pace *pace, struct pace_domain *domain, int64_t now_ms)
{
    domain->users--;
    if (!is_idle(pace, domain, now_ms))
        return;
    struct pace_domain **link = bucket_of(pace, domain->name);
    while (*link != domain)
        link = &(*link)->next;
    *link = domain->next;
    free(domain);
    pace->count--;
}

bool pace_may_begin(const struct pace *pace, const struct pace_domain *domain)
{
    return pace->running_max == 0 || domain->running < pace->running_max;
}

void pace_begin(struct pace_domain *domain)
{
    domain->running++;
}

void pace_end(struct pace_domain *domain)
{
    domain->running--;
}

size_t pace_count(const struct pace *pace)
{
    return pace->count;
}
