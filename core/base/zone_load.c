/* zone_load.c -- the zones of this process, out of the system's data base.
 *
 * All files are read when the first zone is wanted, and none later: a package may be
 * upgraded while we run, but what we answer must stay what the log says that we
 * compute with.  Beside each name stands the zone, or NULL until somebody opens it.  A
 * zone is built by whoever comes first and put there by one atomic exchange; who comes
 * second at the same moment frees his own and takes the first.  Hence no lock, and a
 * caller may keep the pointer for ever.  That zones are never freed costs at most
 * 17 KiB for each name, 4 MiB if a program used them all.
 *
 * ICU is the alternative.  It brings data of its own, which Debian does not renew for
 * the ICU of a release: after four years, twenty zones had moved their clocks since.
 * The package tzdata is kept up to date.
 *
 * This is the only file that knows where the changes of the clock come from.
 */
#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/base/near.h"
#include "core/base/zone_base.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define DIRECTORY "/usr/share/zoneinfo"

static struct zone_base base;
static struct zone *_Atomic zones[ZONE_BASE_NAMES_MAX]; /* by the place of their names */
static struct err base_failure; /* why there is no base, if its code is not 0 */
static pthread_once_t base_once = PTHREAD_ONCE_INIT;

static char version[ZONE_VERSION_SIZE];
static struct err check_failure; /* why the base cannot be used as a whole */
static pthread_once_t check_once = PTHREAD_ONCE_INIT;

static const char *chosen_dir(void)
{
    const char *dir = getenv("TZDIR");
    return dir != NULL && *dir != '\0' ? dir : NULL;
}

static int explain(int code, const char *reason, struct err *err)
{
    return err_set(err, code, "no time zones: %s; %s the package tzdata", reason,
                   chosen_dir() != NULL ? "correct TZDIR, or unset it and install" : "install");
}

static void read_base(void)
{
    struct err reason = { 0 };
    const char *dir = chosen_dir();
    int rc = zone_base_read(dir != NULL ? dir : DIRECTORY, &base, &reason);
    if (rc != 0)
        explain(rc, reason.text, &base_failure);
}

static int use_base(struct err *err)
{
    pthread_once(&base_once, read_base);
    int code = base_failure.code;
    return code == 0 ? 0 : err_set(err, code, "%s", base_failure.text);
}

static void check_base(void)
{
    struct err reason = { 0 };
    if (use_base(&check_failure) != 0)
        return;
    int rc = zone_base_version(&base, version, &reason);
    if (rc != 0)
        explain(rc, reason.text, &check_failure);
}

int zone_load(struct err *err)
{
    pthread_once(&check_once, check_base);
    int code = check_failure.code;
    return code == 0 ? 0 : err_set(err, code, "%s", check_failure.text);
}

/* The distance to a name or to its last part: "Berlin" is meant to be found. */
static size_t distance_to(const char *written, const char *name)
{
    const char *slash = strrchr(name, '/');
    size_t whole = near_distance(written, name);
    size_t city = slash == NULL ? whole : near_distance(written, slash + 1);
    return city < whole ? city : whole;
}

static int refuse(const char *written, struct err *err)
{
    struct near_quote quote;
    const char *nearest = NULL;
    size_t least = NEAR_NAME_MAX;

    if (err == NULL)
        return E_INVALID;
    for (size_t i = 0; i < base.name_count; i++) {
        size_t distance = distance_to(written, base.names[i].text);
        if (distance < least) {
            least = distance;
            nearest = base.names[i].text;
        }
    }
    near_quote(written, strlen(written), &quote);
    if (!near_is_likely(least, written))
        return err_set(err, E_INVALID,
                       "\"%s\" is no time zone: write an IANA name,"
                       " such as \"Europe/Berlin\"",
                       quote.text);
    return err_set(err, E_INVALID, "\"%s\" is no time zone: did you mean \"%s\"?", quote.text,
                   nearest);
}

static int build(size_t index, struct zone **out_zone, struct err *err)
{
    struct buf table = BUF_INIT;
    struct err reason = { 0 };
    int rc = zone_base_table(&base, index, &table, &reason);
    if (rc == 0) {
        struct zone *zone = mem_alloc(sizeof *zone + table.size);
        memcpy(zone->name, base.names[index].text, sizeof zone->name);
        memcpy(zone->changes, table.data, table.size);
        zone->count = table.size / sizeof zone->changes[0];
        *out_zone = zone;
    }
    buf_deinit(&table);
    return rc == 0 ? 0 : explain(rc, reason.text, err);
}

int zone_open(const char *name, const struct zone **out_zone, struct err *err)
{
    size_t index;
    int rc = use_base(err);
    if (rc != 0)
        return rc;
    if (!zone_base_find(&base, name, &index))
        return refuse(name, err);

    struct zone *zone = atomic_load_explicit(&zones[index], memory_order_acquire), *ours = NULL;
    if (zone == NULL) {
        rc = build(index, &ours, err);
        if (rc != 0)
            return rc;
        if (atomic_compare_exchange_strong(&zones[index], &zone, ours))
            zone = ours;
        else
            free(ours);
    }
    *out_zone = zone;
    return 0;
}

void zone_tzdata_version(char out_version[ZONE_VERSION_SIZE])
{
    const char *text = zone_load(NULL) == 0 ? version : "none";
    memcpy(out_version, text, strlen(text) + 1);
}
