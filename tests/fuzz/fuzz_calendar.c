/* fuzz_calendar.c -- what a phone's calendar sends, under libFuzzer: iCalendar and XML.
 *
 * Beside crashes it looks for promises that do not hold: a task that is read, written and read
 * again is the same task, in which nobody has changed anything; an element of XML is its parent's
 * child; and a text that is escaped is read back as it was.
 */
#include "core/base/mem.h"
#include "plugins/followup/buffer.h"
#include "plugins/followup/ics.h"
#include "plugins/followup/utf8.h"
#include "plugins/followup/xml.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool to_utc(void *arg, const char *zone, int64_t local_ms, int64_t *out_ms)
{
    (void)arg;
    *out_ms = local_ms - 3600000;
    return zone == NULL || strcmp(zone, "Europe/Berlin") == 0;
}

static const struct ics_zones zones = { NULL, to_utc };

static void check_calendar(const char *data, size_t size)
{
    struct ics_item item = { .own = NULL }, again = { .own = NULL };
    struct buffer text = { 0 };
    if (ics_read(data, size, &zones, &item, NULL) == 0) {
        ics_begin(&text, NULL);
        ics_write(&text, &item);
        ics_end(&text);
        ASSERT(!buffer_is_broken(&text));
        if (text.size <= ICS_SIZE_MAX) { /* escaped, it may have become longer */
            ASSERT(ics_read(text.data, text.size, &zones, &again, NULL) == 0);
            if (again.start.kind == WHEN_NONE) /* a task that is due before it begins */
                item.start.kind = WHEN_NONE;
            ASSERT(ics_changes(&item, &again) == 0);
            ASSERT(strcmp(item.uid, again.uid) == 0);
        }
    }
    buffer_deinit(&text);
    ics_item_deinit(&item);
    ics_item_deinit(&again);
}

/* As a client would frame it: few inputs come so far by chance. */
static void check_task(const char *lines, size_t size)
{
    struct buffer text = { 0 };
    buffer_text(&text, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTODO\r\nUID:u\r\n");
    buffer_append(&text, lines, size);
    buffer_text(&text, "\r\nEND:VTODO\r\nEND:VCALENDAR\r\n");
    check_calendar(text.data, text.size);
    buffer_deinit(&text);
}

/* Controls are left out. */
static bool is_kept(const char *text)
{
    size_t length;
    for (; *text != '\0'; text += length) {
        length = utf8_length(text, strlen(text));
        if (length == 0 || !utf8_is_text(text, length))
            return false;
    }
    return true;
}

static void check_text(const char *given)
{
    struct buffer text = { 0 };
    struct xml *xml = NULL;
    xml_element(&text, "a", given);
    ASSERT(xml_read(text.data, text.size, &xml, NULL) == 0);
    ASSERT(strcmp(xml_text(xml, xml_root(xml)), given) == 0);
    xml_free(xml);
    buffer_deinit(&text);
}

/* All of them, each once: a table that is no tree would not come to an end. */
static void check_xml(const char *data, size_t size)
{
    struct xml *xml = NULL;
    unsigned path[XML_DEPTH_MAX + 1], depth = 0;
    size_t count = 0;
    if (xml_read(data, size, &xml, NULL) != 0)
        return;
    for (unsigned at = xml_root(xml); at != XML_NONE;) {
        ASSERT(++count <= XML_ELEMENTS_MAX && strlen(xml_name(xml, at)) <= XML_NAME_MAX);
        if (is_kept(xml_text(xml, at)))
            check_text(xml_text(xml, at));
        unsigned next = xml_first(xml, at);
        if (next != XML_NONE) {
            ASSERT(depth < XML_DEPTH_MAX);
            path[depth++] = at;
        }
        while (next == XML_NONE && (next = xml_next(xml, at)) == XML_NONE && depth > 0)
            at = path[--depth];
        at = next;
    }
    xml_free(xml);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_calendar((const char *)data, size);
    check_task((const char *)data, size);
    check_xml((const char *)data, size);
    return 0;
}
