/* err.h -- what went wrong, in one value a caller can keep on its stack.
 *
 * Functions that can fail return 0 or one of the negative codes below and, if
 * the caller wants it, one line of reason for a person.  Whoever detects a
 * failure records it once; everybody above passes it up unchanged; only the
 * outermost program code prints it.  Any thread; an err belongs to the one that has it.
 */
#ifndef CORE_BASE_ERR_H
#define CORE_BASE_ERR_H

enum {
    E_INVALID = -1,  /* the input is wrong; the text says where and why */
    E_FULL = -2,     /* the disk or the quota is full; try again later */
    E_IO = -3,       /* the operating system refused; the text names the call */
    E_LIMIT = -4,    /* over a limit of base/limits.h; nothing was done */
    E_NOTFOUND = -5, /* no such thing */
    E_CONFLICT = -6, /* true elsewhere already, or not in this state */
    E_CORRUPT = -7,  /* stored bytes are not what was written */
    E_VERSION = -8,  /* stored by another version of the format */
    E_DENIED = -9,   /* the caller may not */
    E_BUSY = -10,    /* a queue is full or the time is not right: retry */
    E_STALE = -11,   /* it has been changed since it was read: read it again */
};

#define ERR_TEXT_MAX 320

struct err {
    int code;
    char text[ERR_TEXT_MAX]; /* one line, always terminated, valid UTF-8 */
};

/* Record `code` with its reason and return it, so that callers may write
 * `return err_set(err, ...)`.  A NULL err drops the reason, not the code. */
__attribute__((format(printf, 3, 4)))
int err_set(struct err *err, int code, const char *format, ...);

#endif
