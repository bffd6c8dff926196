/* dav_fixture.h -- task lists in memory behind struct dav_store, for tests and for a small server.
 *
 * A list is what one member of staff has: tasks under the names that clients gave them, each with
 * the revision of its last change.  What was removed leaves its name and revision, so that the
 * list can say what is gone; fixture_forget() drops these, as a real store does one day.
 * A failure to get memory ends the test.
 */
#ifndef TESTS_PLUGINS_FOLLOWUP_DAV_FIXTURE_H
#define TESTS_PLUGINS_FOLLOWUP_DAV_FIXTURE_H

#include "plugins/followup/dav.h"

#define FIXTURE_TASKS_MAX 4096
#define FIXTURE_ZONE "Europe/Berlin" /* where the staff sit */

struct fixture_task {
    char *name, *object; /* iCalendar; NULL when gone */
    char etag[24];
    uint64_t revision;
    struct ics_item item;
};

struct fixture_list {
    struct fixture_task tasks[FIXTURE_TASKS_MAX]; /* ascending by revision */
    size_t count;
    uint64_t revision, forgotten; /* changes up to `forgotten` are no longer known */
    int next_rc;                  /* what the next call of the store answers, 0 to work */
};

struct fixture_list *fixture_new(void);
void fixture_free(struct fixture_list *list);
void fixture_forget(struct fixture_list *list);

/* Kith's own side: write, change or remove without asking anybody.  `object` is iCalendar;
 * 0, or a FAULT_*. */
int fixture_write(struct fixture_list *list, const char *name, const char *object, size_t size);
bool fixture_remove(struct fixture_list *list, const char *name);

struct dav_store fixture_store(struct fixture_list *list);

#endif
