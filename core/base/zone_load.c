/* zone_load.c -- the names of all zones, and the table of one, out of ICU.
 *
 * The names are read and sorted once.  Beside each stands the zone, or NULL
 * until somebody opens it.  A zone is built by whoever comes first and put there
 * by one atomic exchange; who comes second at the same moment frees his own and
 * takes the first.  Hence no lock, and a caller may keep the pointer for ever.
 * That zones are never freed costs at most 17 KiB for each name that exists,
 * 10 MiB if a program used them all.
 *
 * Of the names that ICU knows, those which are no IANA names are left out: its
 * abbreviations of three letters, of which several mean different places to
 * different people, and the SystemV names.
 *
 * This is the only file that knows where the changes of the clock come from.
 */
#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/base/near.h"
#include "core/base/zone_table.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/ucal.h>
#include <unicode/uenum.h>
#include <unicode/ustring.h>
#include <unicode/uversion.h>

#define NAMES_MAX 1024

/* Unless told otherwise, ICU asks the environment for a locale. */
#define LOCALE "en@calendar=gregorian"

static struct name {
    char text[ZONE_NAME_SIZE];
    struct zone *_Atomic zone;
} names[NAMES_MAX];
static size_t name_count;
static pthread_once_t names_once = PTHREAD_ONCE_INIT;

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

static bool is_iana(const char *text)
{
    static const char *const short_names[] = {
        "CET", "EET", "EST", "GMT", "HST", "MET", "MST", "PRC", "ROC", "ROK", "UCT", "UTC", "WET",
    };
    size_t size = strlen(text);
    if (strncmp(text, "SystemV/", 8) == 0 || strcmp(text, "Etc/Unknown") == 0 ||
        strcmp(text, "Factory") == 0)
        return false;
    if (size != 3)
        return size < ZONE_NAME_SIZE;
    for (size_t i = 0; i < sizeof short_names / sizeof *short_names; i++)
        if (strcmp(short_names[i], text) == 0)
            return true;
    return false;
}

static void read_names(void)
{
    UErrorCode status = U_ZERO_ERROR;
    UEnumeration *all = ucal_openTimeZoneIDEnumeration(UCAL_ZONE_TYPE_ANY, NULL, NULL, &status);
    const char *text = NULL;
    int32_t size = 0;
    while (name_count < NAMES_MAX && (text = uenum_next(all, &size, &status)) != NULL)
        if (is_iana(text))
            memcpy(names[name_count++].text, text, (size_t)size + 1);
    uenum_close(all);
    qsort(names, name_count, sizeof *names, compare_names);
}

static struct name *find_name(const char *text)
{
    struct name wanted;
    size_t size = strnlen(text, ZONE_NAME_SIZE);
    if (size == ZONE_NAME_SIZE)
        return NULL;
    memcpy(wanted.text, text, size + 1);
    return bsearch(&wanted, names, name_count, sizeof *names, compare_names);
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
    if (name_count == 0)
        return err_set(err, E_IO, "ICU has no time zones: is its data installed?");
    for (size_t i = 0; i < name_count; i++) {
        size_t distance = distance_to(written, names[i].text);
        if (distance < least) {
            least = distance;
            nearest = names[i].text;
        }
    }
    near_quote(written, strlen(written), &quote);
    if (!near_is_likely(least, strlen(written)))
        return err_set(err, E_INVALID,
                       "\"%s\" is no time zone: write an IANA name,"
                       " such as \"Europe/Berlin\"",
                       quote.text);
    return err_set(err, E_INVALID, "\"%s\" is no time zone: did you mean \"%s\"?", quote.text,
                   nearest);
}

/* A zone that is being read: it grows by doubling. */
struct reading {
    UCalendar *calendar;
    struct zone *zone;
    size_t capacity;
};

static void add_change(struct reading *reading, int64_t at_ms, int64_t offset_ms)
{
    struct zone *zone = reading->zone;
    size_t count = zone == NULL ? 0 : zone->count;
    if (count > 0 && zone->changes[count - 1].offset_ms == offset_ms)
        return;
    if (count == reading->capacity) {
        reading->capacity = count == 0 ? 32 : count * 2;
        zone = mem_resize(zone, sizeof *zone + reading->capacity * sizeof zone->changes[0]);
        reading->zone = zone;
    }
    zone->changes[count] = (struct zone_change){ at_ms, offset_ms };
    zone->count = count + 1;
}

static int64_t read_offset(UCalendar *calendar, double at_ms, UErrorCode *status)
{
    ucal_setMillis(calendar, at_ms, status);
    return ucal_get(calendar, UCAL_ZONE_OFFSET, status) +
           ucal_get(calendar, UCAL_DST_OFFSET, status);
}

static void read_changes(struct reading *reading, UErrorCode *status)
{
    double at_ms = (double)CIVIL_MS_MIN;
    int64_t offset_ms = read_offset(reading->calendar, at_ms, status);
    add_change(reading, INT64_MIN, offset_ms);
    while (U_SUCCESS(*status) &&
           ucal_getTimeZoneTransitionDate(reading->calendar, UCAL_TZ_TRANSITION_NEXT, &at_ms,
                                          status) &&
           at_ms < (double)ZONE_TABLE_END_MS) {
        offset_ms = read_offset(reading->calendar, at_ms, status);
        add_change(reading, (int64_t)at_ms, offset_ms);
    }
}

static struct zone *zone_read(const char *name, UErrorCode *status)
{
    struct reading reading = { NULL, NULL, 0 };
    UChar wide[ZONE_NAME_SIZE];

    u_charsToUChars(name, wide, (int32_t)strlen(name) + 1);
    reading.calendar = ucal_open(wide, -1, LOCALE, UCAL_GREGORIAN, status);
    if (U_SUCCESS(*status))
        read_changes(&reading, status);
    ucal_close(reading.calendar);
    if (U_FAILURE(*status)) {
        free(reading.zone);
        return NULL;
    }
    memcpy(reading.zone->name, name, strlen(name) + 1);
    return reading.zone;
}

int zone_open(const char *name, const struct zone **out_zone, struct err *err)
{
    pthread_once(&names_once, read_names);
    struct name *entry = find_name(name);
    if (entry == NULL)
        return refuse(name, err);

    struct zone *zone = atomic_load_explicit(&entry->zone, memory_order_acquire);
    if (zone == NULL) {
        UErrorCode status = U_ZERO_ERROR;
        struct zone *ours = zone_read(name, &status);
        if (ours == NULL)
            return err_set(err, E_IO, "time zone %s: ICU says %s", name, u_errorName(status));
        if (atomic_compare_exchange_strong(&entry->zone, &zone, ours))
            zone = ours;
        else
            free(ours);
    }
    *out_zone = zone;
    return 0;
}

void zone_tzdata_version(char out_version[ZONE_VERSION_SIZE])
{
    UErrorCode status = U_ZERO_ERROR;
    const char *version = ucal_getTZDataVersion(&status);
    if (U_FAILURE(status) || strlen(version) >= ZONE_VERSION_SIZE)
        version = "unknown";
    memcpy(out_version, version, strlen(version) + 1);
}

void zone_icu_version(char out_version[ZONE_VERSION_SIZE])
{
    _Static_assert(ZONE_VERSION_SIZE >= U_MAX_VERSION_STRING_LENGTH, "it must fit");
    UVersionInfo version;
    u_getVersion(version);
    u_versionToString(version, out_version);
}
