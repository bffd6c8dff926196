/* kit_symbols.h -- what a plugin's file says before any of it has run: its symbols.
 *
 * What is exported besides kith_describe() may be taken for a function of the same name elsewhere;
 * what is asked of the C library tells of a clock, of randomness and of files before a replay does.
 */
#ifndef CORE_PLUGIN_KIT_SYMBOLS_H
#define CORE_PLUGIN_KIT_SYMBOLS_H

#include "core/base/doc.h"

/* `level` is "error" or "warning". */
typedef void kit_symbol_fn(void *arg, const char *level, const char *what, const char *todo);

/* Look at the file; `about` is what the plugin says of itself (kit.h), none where it could not be
 * asked.  What is no file of this machine is told too. */
void kit_symbols_check(const char *path, struct doc about, kit_symbol_fn *found, void *arg);

#endif
