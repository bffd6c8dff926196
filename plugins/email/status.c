/* status.c -- see status.h. */
#include "status.h"

#include <string.h>

#define DIGITS_MAX 3 /* of a subject and of a detail */

/* Behind a dot and one to three digits; 0: there are none. */
static size_t skip_number(struct span text, size_t at)
{
    size_t digits = 0;
    if (at >= text.size || text.data[at] != '.')
        return 0;
    for (at++; at < text.size && ascii_is_digit(text.data[at]); at++)
        digits++;
    return digits > 0 && digits <= DIGITS_MAX ? at : 0;
}

void status_read(struct span text, char out[STATUS_SIZE])
{
    out[0] = '\0';
    if (text.size == 0 || strchr("245", text.data[0]) == NULL || text.data[0] == '\0')
        return;
    size_t subject = skip_number(text, 1), end = subject == 0 ? 0 : skip_number(text, subject);
    if (end == 0 || (end < text.size && text.data[end] == '.')) /* an IP address */
        return;
    memcpy(out, text.data, end);
    out[end] = '\0';
}

bool status_is_no_mailbox(const char *status)
{
    static const char *const statuses[] = { "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1" };
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (strcmp(status, statuses[i]) == 0)
            return true;
    return false;
}
