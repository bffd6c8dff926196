/* single.c -- `bench single` and `bench bare`: what one durable event takes, and could take.
 *
 * `single` sends one event, waits for the answer, rests, and sends the next: an idle daemon
 * each time, with nothing to share a flush with.  `bare` is what the disk alone takes for the
 * same: 500 bytes appended to a file, and fdatasync().
 */
#include "core/base/clock.h"
#include "tests/bench/bench.h"
#include "tests/bench/client.h"
#include "tests/bench/load.h"
#include "tests/bench/samples.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RECORD_BYTES 500
#define WARM_UP 20      /* not counted */
#define REST_NS 5000000 /* between two: the machine's idle states and the disk's are part of it */

static void rest(void)
{
    struct timespec time = { .tv_nsec = REST_NS };
    nanosleep(&time, NULL);
}

int bench_single(int argc, char **argv)
{
    struct target target;
    struct load load;
    struct client client;
    struct samples samples = { 0 };
    if (argc != 5)
        bench_die("single URL KEY-FILE FILE COUNT");
    target_init(&target, argv[1], argv[2]);
    load_read(&load, &target, argv[3], 1);
    client_open(&client, &target);
    size_t count = bench_number(argv[4], "COUNT") + WARM_UP;
    for (size_t i = 0; i < count && i < load.count; i++) {
        size_t size;
        const void *request = load_request(&load, i, &size);
        rest();
        int status = client_exchange(&client, request, size, NULL);
        if (status != 200)
            bench_die("an event was answered with %d: %.300s", status, buf_string(&client.in));
        if (i >= WARM_UP)
            samples_add(&samples, clock_ns() - client.began_ns);
    }
    samples_print(&samples, "one event acknowledged");
    samples_deinit(&samples);
    client_close(&client);
    load_deinit(&load);
    return 0;
}

int bench_bare(int argc, char **argv)
{
    struct samples samples = { 0 };
    char record[RECORD_BYTES];
    if (argc != 3)
        bench_die("bare FILE COUNT: FILE must not exist, and lie on the disk in question");
    size_t count = bench_number(argv[2], "COUNT") + WARM_UP;
    int fd = open(argv[1], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        bench_die("cannot make %s: %s", argv[1], strerror(errno));
    memset(record, 'x', sizeof record);
    for (size_t i = 0; i < count; i++) {
        rest();
        int64_t before = clock_ns();
        if (write(fd, record, sizeof record) != (ssize_t)sizeof record || fdatasync(fd) != 0)
            bench_die("cannot write %s: %s", argv[1], strerror(errno));
        if (i >= WARM_UP)
            samples_add(&samples, clock_ns() - before);
    }
    samples_print(&samples, "bare append, fdatasync");
    samples_deinit(&samples);
    close(fd);
    return 0;
}
