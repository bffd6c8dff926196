/* fault.h -- why a part of the plugin could not do what it was asked.
 *
 * 0 or one of the codes below, and one line for a person.  Nothing in the plugin aborts: it
 * lives in somebody else's process, so that even the end of the memory is a fault like others.
 * Whoever finds a fault records it; those above pass the code up.
 */
#ifndef PLUGINS_EMAIL_FAULT_H
#define PLUGINS_EMAIL_FAULT_H

enum {
    FAULT_INVALID = -1, /* the input is wrong; the text says where and why */
    FAULT_LIMIT = -2,   /* over a limit that has a name in the headers */
    FAULT_MEMORY = -3,  /* no memory; the same call may succeed later */
    FAULT_CRYPTO = -4,  /* libcrypto refused; the text has its reason */
};

struct fault {
    int code;
    char text[240]; /* one line, always terminated */
};

/* Record and return `code`; a NULL fault drops the text. */
__attribute__((format(printf, 3, 4)))
int fault_set(struct fault *fault, int code, const char *format, ...);

#endif
