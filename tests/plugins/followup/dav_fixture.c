/* dav_fixture.c -- an array in the order of changes: what changes moves to the end. */
#include "tests/plugins/followup/dav_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void *sure(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

struct fixture_list *fixture_new(void)
{
    return sure(calloc(1, sizeof(struct fixture_list)));
}

static void task_deinit(struct fixture_task *task)
{
    ics_item_deinit(&task->item);
    free(task->name);
    free(task->object);
    *task = (struct fixture_task){ 0 };
}

void fixture_free(struct fixture_list *list)
{
    for (size_t i = 0; list != NULL && i < list->count; i++)
        task_deinit(&list->tasks[i]);
    free(list);
}

static void drop(struct fixture_list *list, size_t at)
{
    task_deinit(&list->tasks[at]);
    list->count--;
    memmove(&list->tasks[at], &list->tasks[at + 1], (list->count - at) * sizeof *list->tasks);
}

void fixture_forget(struct fixture_list *list)
{
    for (size_t i = list->count; i-- > 0;)
        if (list->tasks[i].object == NULL)
            drop(list, i);
    list->forgotten = list->revision;
}

/* ---- Time zones: the C library's, asked for one after the other ---------------------------- */

static bool zone_to_utc(void *arg, const char *zone, int64_t local_ms, int64_t *out_ms)
{
    (void)arg;
    char path[256];
    const char *name = zone == NULL ? FIXTURE_ZONE : zone;
    time_t seconds = (time_t)(local_ms / 1000);
    struct tm local;
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
    if (strchr(name, '.') != NULL || strchr(name, '/') == NULL || access(path, R_OK) != 0)
        return false;
    gmtime_r(&seconds, &local);
    local.tm_isdst = -1;
    setenv("TZ", name, 1);
    tzset();
    *out_ms = (int64_t)mktime(&local) * 1000;
    return true;
}

static const struct ics_zones zones = { NULL, zone_to_utc };

/* ---- The store ----------------------------------------------------------------------------- */

static int failure(struct fixture_list *list)
{
    int rc = list->next_rc;
    list->next_rc = 0;
    return rc;
}

static size_t index_of(const struct fixture_list *list, const char *name)
{
    size_t at = 0;
    while (at < list->count && strcmp(list->tasks[at].name, name) != 0)
        at++;
    return at;
}

static struct dav_item item_of(const struct fixture_task *task)
{
    return (struct dav_item){
        .name = task->name,
        .etag = task->etag,
        .revision = task->revision,
        .is_gone = task->object == NULL,
        .task = task->item,
    };
}

/* Add at the end, under a new revision, what `object` says; NULL: gone. */
static int add(struct fixture_list *list, const char *name, const char *object, size_t size)
{
    struct fixture_task task = { 0 };
    if (object != NULL) {
        int rc = ics_read(object, size, &zones, &task.item, NULL);
        if (rc != 0)
            return rc;
        task.object = sure(calloc(size + 1, 1));
        memcpy(task.object, object, size);
    }
    if (list->count == FIXTURE_TASKS_MAX)
        abort();
    task.name = sure(strdup(name));
    task.revision = ++list->revision;
    snprintf(task.etag, sizeof task.etag, "r%llu", (unsigned long long)task.revision);
    list->tasks[list->count++] = task;
    return 0;
}

int fixture_write(struct fixture_list *list, const char *name, const char *object, size_t size)
{
    size_t at = index_of(list, name);
    int rc = add(list, name, object, size);
    if (rc == 0 && at < list->count - 1)
        drop(list, at);
    return rc;
}

bool fixture_remove(struct fixture_list *list, const char *name)
{
    size_t at = index_of(list, name);
    if (at == list->count || list->tasks[at].object == NULL)
        return false;
    add(list, name, NULL, 0);
    drop(list, at);
    return true;
}

static uint64_t store_revision(void *arg)
{
    return ((struct fixture_list *)arg)->revision;
}

static int store_each(void *arg, uint64_t after, dav_visit_fn *visit, void *visit_arg)
{
    struct fixture_list *list = arg;
    int rc = failure(list);
    if (rc == 0 && after > 0 && after < list->forgotten)
        rc = DAV_STALE;
    for (size_t i = 0; i < list->count && rc == 0; i++) {
        struct dav_item item = item_of(&list->tasks[i]);
        if (item.revision > after && !(after == 0 && item.is_gone))
            rc = visit(visit_arg, &item);
    }
    return rc;
}

static int hand_out(struct fixture_list *list, size_t at, struct dav_item *out_item)
{
    int rc = failure(list);
    if (rc != 0)
        return rc;
    if (at == list->count || list->tasks[at].object == NULL)
        return DAV_ABSENT;
    *out_item = item_of(&list->tasks[at]);
    return 0;
}

static int store_get(void *arg, const char *name, struct dav_item *out_item)
{
    return hand_out(arg, index_of(arg, name), out_item);
}

static int store_find(void *arg, const char *uid, struct dav_item *out_item)
{
    struct fixture_list *list = arg;
    size_t at = 0;
    while (at < list->count &&
           (list->tasks[at].object == NULL || strcmp(list->tasks[at].item.uid, uid) != 0))
        at++;
    return hand_out(list, at, out_item);
}

static int store_put(void *arg, const char *name, const struct dav_item *before,
                     const struct ics_item *task, struct fault *fault)
{
    struct buffer object = { 0 };
    struct fixture_list *list = arg;
    int rc = failure(list);
    (void)before;
    if (rc != 0) {
        fault_set(fault, rc, "the store was told to fail");
        return rc;
    }
    ics_begin(&object, NULL);
    ics_write(&object, task);
    ics_end(&object);
    rc = fixture_write(list, name, object.data, object.size);
    buffer_deinit(&object);
    return rc == 0 ? 0 : DAV_BUSY;
}

static int store_remove(void *arg, const struct dav_item *before, struct fault *fault)
{
    struct fixture_list *list = arg;
    int rc = failure(list);
    if (rc != 0) {
        fault_set(fault, rc, "the store was told to fail");
        return rc;
    }
    char *name = sure(strdup(before->name));
    fixture_remove(list, name);
    free(name);
    return 0;
}

struct dav_store fixture_store(struct fixture_list *list)
{
    return (struct dav_store){
        .arg = list,
        .revision = store_revision,
        .each = store_each,
        .get = store_get,
        .find = store_find,
        .put = store_put,
        .remove = store_remove,
        .zones = zones,
    };
}
