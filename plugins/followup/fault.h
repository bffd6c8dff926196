/* fault.h -- why something that came from outside was refused.
 *
 * A code for the program that decides what to answer and one line for the person who made the
 * input.  The caller owns the struct, may leave it out (NULL), and reads it after a failure only.
 */
#ifndef PLUGINS_FOLLOWUP_FAULT_H
#define PLUGINS_FOLLOWUP_FAULT_H

enum {
    FAULT_INVALID = -1,     /* against the format */
    FAULT_LIMIT = -2,       /* well-formed as far as was read, but larger than a named limit */
    FAULT_UNSUPPORTED = -3, /* well-formed, and nothing that is kept here */
    FAULT_MEMORY = -4,      /* the machine has no more */
};

#define FAULT_TEXT_BYTES 160

struct fault {
    int code;
    char text[FAULT_TEXT_BYTES]; /* one line, always terminated */
};

/* Note `code` with its reason and return it, so that callers may write `return fault_set(...)`.
 * What is quoted from the input is to be cut by the format (%.40s). */
__attribute__((format(printf, 3, 4))) int fault_set(struct fault *fault, int code,
                                                    const char *format, ...);

#endif
