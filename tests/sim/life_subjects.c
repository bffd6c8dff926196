/* life_subjects.c -- see life_subjects.h. */
#include "tests/sim/life_subjects.h"

#include "core/base/json_write.h"
#include "storage/state.h"

#include <stdio.h>
#include <stdlib.h>

/* What stands in the key behind the subject's address: a customer, a name. */
static void put_place(struct buf *line, uint8_t table, struct key_reader *reader)
{
    uint64_t customer = 0;
    if (table == 'a') {
        if (!key_read_number(reader, &customer))
            abort();
        buf_printf(line, ",\"customer\":%llu", (unsigned long long)customer);
    }
    buf_text(line, ",\"name\":");
    json_write_text(
        line, (struct text){ (const char *)reader->at, (uint32_t)(reader->end - reader->at) });
}

static int print_subject(void *arg, struct bytes key, struct bytes value)
{
    struct key_reader reader = { key.data + 1, key.data + key.size };
    struct buf line = BUF_INIT, address = BUF_INIT;
    uint8_t table = 0;
    (void)arg;
    if (!key_read_text(&reader, &address) || !key_read_byte(&reader, &table))
        abort();
    if (table == 'p' || table == 'c' || table == 'a') {
        buf_printf(&line, "{\"subject\":\"%s\",\"table\":\"%c\"", buf_string(&address), table);
        put_place(&line, table, &reader);
        buf_text(&line, ",\"row\":");
        json_write_doc(&line, (struct doc){ value.data, (uint32_t)value.size });
        buf_text(&line, "}\n");
        fwrite(line.data, 1, line.size, stdout);
    }
    buf_deinit(&line);
    buf_deinit(&address);
    return 0;
}

void life_subjects(struct snapshot *snapshot)
{
    struct key prefix;
    key_start(&prefix, 'S');
    snapshot_visit(snapshot, &prefix, NULL, print_subject, NULL);
}
