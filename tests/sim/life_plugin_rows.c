/* life_plugin_rows.c -- what is kept for plugins, as the rows of the state have it.
 *
 *     {"kept": KEY, "customer": N, "row": {...}}                   a document
 *     {"kept": KEY, "customer": N, "absorbed": M, "row": {...}}    what she had before a merge
 *     {"parked": N}                                                an event that waits
 *     {"plugins": {...}}                                           who is quarantined or behind
 */
#include "core/base/json_write.h"
#include "core/engine/keys.h"
#include "storage/state.h"
#include "tests/sim/life_plugin.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void print_row(struct buf *line, struct bytes value)
{
    json_write_doc(line, (struct doc){ value.data, (uint32_t)value.size });
    buf_text(line, "}\n");
    fwrite(line->data, 1, line->size, stdout);
    buf_deinit(line);
}

/* Of all rows of customers those of the tables `P`, `O` and `Q`. */
static int print_customers(void *arg, struct bytes key, struct bytes value)
{
    struct key_reader reader = { key.data + 1, key.data + key.size };
    struct doc row = { value.data, (uint32_t)value.size };
    struct buf line = BUF_INIT;
    uint64_t customer = 0, absorbed = 0;
    uint8_t table = 0;
    (void)arg;
    if (!key_read_number(&reader, &customer) || !key_read_byte(&reader, &table))
        abort();
    if (table == 'Q')
        printf("{\"parked\":%" PRIu64 "}\n", customer);
    if (table != 'P' && table != 'O')
        return 0;
    buf_printf(&line, "{\"kept\":\"%s\",\"customer\":%" PRIu64, doc_text(row, "k").data, customer);
    if (table == 'O' && key_read_number(&reader, &absorbed))
        buf_printf(&line, ",\"absorbed\":%" PRIu64, absorbed);
    buf_text(&line, ",\"row\":");
    print_row(&line, value);
    return 0;
}

static int print_plugins(void *arg, struct bytes key, struct bytes value)
{
    struct buf line = BUF_INIT;
    (void)arg;
    (void)key;
    buf_text(&line, "{\"plugins\":");
    print_row(&line, value);
    return 0;
}

void life_plugin_rows(struct snapshot *snapshot)
{
    struct key prefix;
    key_start(&prefix, 'c');
    snapshot_visit(snapshot, &prefix, NULL, print_customers, NULL);
    key_meta(&prefix, "plugins");
    snapshot_visit(snapshot, &prefix, NULL, print_plugins, NULL);
}
