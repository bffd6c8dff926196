/* identity_text.h -- one spelling for each e-mail address.
 *
 * Two texts that a person would call the same address must become the same
 * bytes, because identities are found by comparing bytes:
 *
 *   - blanks and invisible characters around it are dropped;
 *   - the local part is case-folded.  Strictly its case belongs to the receiving
 *     server; in practice no provider tells Ann from ann, and customers write
 *     both.  Full-width letters become plain ones;
 *   - the domain is in lower case, an international one in its ASCII form
 *     (xn--...), because that is what the wire and other systems show;
 *   - dots and +tags of the local part stay: what they mean differs between
 *     providers.
 *
 * The result is for matching.  Mail is sent to the address as the customer
 * wrote it.
 *
 * Reasons never repeat the address: they end up in logs.
 *
 * Pure; from any thread.  ICU is used only for what is not plain ASCII.
 */
#ifndef CORE_BASE_IDENTITY_TEXT_H
#define CORE_BASE_IDENTITY_TEXT_H

#include <stddef.h>

struct err;

#define IDENTITY_EMAIL_MAX 254 /* bytes, before and after, as SMTP has it */
#define IDENTITY_EMAIL_SIZE (IDENTITY_EMAIL_MAX + 1)
#define IDENTITY_VERSION_SIZE 20 /* bytes of a version, terminated */

/* Normalise `size` bytes of UTF-8.  The result is terminated and normalises to
 * itself.  Fails with E_INVALID if this cannot be a single address: not exactly
 * one @, an empty or over-long part, blanks or brackets or quotes inside, a
 * domain without a dot or with what no domain can have. */
int identity_email(const char *text, size_t size, char out_email[IDENTITY_EMAIL_SIZE],
                   struct err *err);

/* What the result depends on besides the arguments, for the record: the release of
 * ICU ("72.1"). */
void identity_icu_version(char out_version[IDENTITY_VERSION_SIZE]);

#endif
