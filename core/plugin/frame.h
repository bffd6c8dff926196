/* frame.h -- documents over a socket between kithd and the process of an isolated plugin.
 *
 * Size in four bytes, least significant first (which is how a document begins), then the document.
 * Blocking; for what happens before there is a loop.  Any thread.
 */
#ifndef CORE_PLUGIN_FRAME_H
#define CORE_PLUGIN_FRAME_H

#include "core/base/buf.h"
#include "core/base/doc.h"

#define FRAME_BYTES_MAX (32u << 20)

struct err;

int frame_write(int fd, struct doc doc, struct err *err);
/* Replace `out` by the next document, which is checked.  `timeout_ms` for all of it; -1: for ever.
 * E_NOTFOUND: the other side has closed; E_BUSY: it took too long; E_INVALID: it is no document. */
int frame_read(int fd, int timeout_ms, struct buf *out, struct err *err);

#endif
