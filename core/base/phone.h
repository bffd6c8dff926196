/* phone.h -- one spelling for each telephone number: E.164, "+493012345678".
 *
 * Numbers arrive as people write them, "0151 / 234 56 78", "(030) 12 34 56",
 * "１３８ ００１３ ８０００".  Without a leading + (or the 00 of the place) they
 * are read as dialled inside a default region.
 *
 * A number is accepted if its length is right for its country.  Whether its
 * range is in use is not asked: new ranges are opened every year and the data of
 * the library would refuse customers who have one.
 *
 * An extension is refused.  Behind one switchboard sit many people; dropping the
 * extension would make them one.  So are letters, vanity numbers among them.
 *
 * Reasons never repeat the number: they end up in logs.
 *
 * Pure; from any thread.  The first call takes some milliseconds, the others
 * tens of microseconds.
 */
#ifndef CORE_BASE_PHONE_H
#define CORE_BASE_PHONE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct err;

#define PHONE_TEXT_MAX 64 /* bytes of a number as people write it */
#define PHONE_SIZE 17     /* +, 15 digits, terminator */

/* Normalise `size` bytes of UTF-8.  `region` is two capital letters as in ISO
 * 3166 ("CN", "DE"), or NULL if only international numbers shall be accepted.
 * Fails with E_INVALID for what is no number, or a region that is none. */
int phone_normalise(const char *text, size_t size, const char *region, char out_phone[PHONE_SIZE],
                    struct err *err);

/* What the results depend on besides the arguments, for the record: the library
 * tells no version, so this is a fingerprint of its data on all countries.  The
 * text lives as long as the process. */
const char *phone_library_version(void);

#ifdef __cplusplus
}
#endif

#endif
