/* isolated.c -- see isolated.h. */
#include "core/server/isolated.h"

#include "core/base/err.h"
#include "core/plugin/frame.h"
#include "core/plugin/lane.h"

#include <stdlib.h>

int isolated_run(void)
{
    struct buf bytes = BUF_INIT;
    struct err err;
    if (guest_open() == NULL)
        return EXIT_FAILURE;
    while (frame_read(FD_SOCKET, -1, &bytes, &err) == 0)
        ;
    buf_deinit(&bytes);
    return EXIT_SUCCESS;
}
