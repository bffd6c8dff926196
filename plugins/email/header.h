/* header.h -- walking over the header of a message as it came (RFC 5322, section 2.2). */
#ifndef PLUGINS_EMAIL_HEADER_H
#define PLUGINS_EMAIL_HEADER_H

#include "bytes.h"

struct header_field {
    struct span name;  /* without blanks before the colon */
    struct span value; /* what follows the colon, folds included, the last line end not */
    struct span whole; /* the field with its line ends */
};

/* The next field at *io_rest, which is left behind it; false at the end or at an empty line,
 * which stays.  Lines that are no field are skipped. */
bool header_next(struct span *io_rest, struct header_field *out_field);

/* The first field of that name, any case; its raw value.  Empty and false when there is none. */
bool header_find(struct span header, const char *name, struct span *out_value);

/* Append the first field of that name as UTF-8, unfolded and its encoded words decoded. */
bool header_text(struct span header, const char *name, struct bytes *out);

/* The next Message-ID at *io_rest, which is left behind it: "<", printable ASCII without blanks
 * that has an "@" in it, ">" (RFC 5322, section 3.6.4); comments and phrases between them are
 * skipped.  False: there is none any more. */
bool header_next_id(struct span *io_rest, struct span *out_id);

#endif
