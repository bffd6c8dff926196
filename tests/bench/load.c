/* load.c -- see load.h. */
#include "tests/bench/load.h"

#include "core/base/mem.h"
#include "tests/bench/bench.h"

#include <stdlib.h>
#include <string.h>

/* Up to `batch` lines from `*at` as the body of a batch call; how many. */
static size_t write_body(struct buf *body, const char *text, size_t size, size_t *at, size_t batch)
{
    size_t lines = 0;
    buf_clear(body);
    buf_text(body, "{\"batch\":[");
    while (lines < batch && *at < size) {
        const char *line = text + *at;
        const char *end = memchr(line, '\n', size - *at);
        size_t length = end != NULL ? (size_t)(end - line) : size - *at;
        if (lines++ != 0)
            buf_byte(body, ',');
        buf_append(body, line, length);
        *at += length + 1;
    }
    buf_text(body, "]}");
    return lines;
}

void load_read(struct load *load, const struct target *target, const char *path, size_t batch)
{
    struct buf body = BUF_INIT;
    size_t size, capacity = 0, lines;
    char *text = bench_read_file(path, &size);
    *load = (struct load){ .bytes = BUF_INIT };
    for (size_t at = 0; (lines = write_body(&body, text, size, &at, batch)) != 0;) {
        target_request(target, &load->bytes, "POST", "/v1/batch", body.data, body.size);
        if (load->count == capacity) {
            capacity = capacity != 0 ? 2 * capacity : 1024;
            load->ends = mem_resize(load->ends, capacity * sizeof *load->ends);
        }
        load->ends[load->count++] = load->bytes.size;
        load->events += lines;
    }
    if (load->count == 0)
        bench_die("%s holds no events", path);
    buf_deinit(&body);
    free(text);
}

void load_deinit(struct load *load)
{
    buf_deinit(&load->bytes);
    free(load->ends);
}

const void *load_request(const struct load *load, size_t index, size_t *out_size)
{
    size_t start = index != 0 ? load->ends[index - 1] : 0;
    *out_size = load->ends[index] - start;
    return load->bytes.data + start;
}
