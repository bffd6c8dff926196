/* shift.h -- charsets of seven bits, in which some bytes say what those behind them are.
 *
 * ISO-2022-JP as programs for Japanese write it (CP50220, CP50221): with half-width kana and the
 * signs that the standard does not have becomes EUC-JP with the same; HZ (RFC 1843) becomes GB.
 * A line's end is the end of any shift, so one damaged line harms no other.
 */
#ifndef PLUGINS_EMAIL_SHIFT_H
#define PLUGINS_EMAIL_SHIFT_H

#include "bytes.h"

void shift_japanese(struct span text, struct bytes *out); /* for EUC-JP-MS */
void shift_hz(struct span text, struct bytes *out);       /* for GB18030 */

#endif
