/* mem.h -- memory, and the two ways this program gives up on itself.
 *
 * Every queue, buffer and cache has a limit, so running out of memory means a
 * bug or a machine far too small.  Neither is survived by unwinding half an
 * operation: the process stops, and the log brings it back to exactly the
 * entry it had reached.  Hence no function of the project returns "no memory".
 *
 * ASSERT guards what our own code must have ensured and stays in release
 * builds.  What a client, a script, a plugin or a file sends is answered with a
 * code instead.
 *
 * Both ways write a line to standard error and abort().  Any thread; sizes are in bytes.
 */
#ifndef CORE_BASE_MEM_H
#define CORE_BASE_MEM_H

#include <stddef.h>

/* Never NULL, also for size 0; the caller frees with free(). */
void *mem_alloc(size_t size);
void *mem_zero(size_t size);               /* mem_alloc, filled with zeros */
void *mem_resize(void *data, size_t size); /* `data` is dead afterwards; NULL: a new one */
void *mem_copy(const void *data, size_t size);
char *mem_string(const char *text); /* a copy, terminated */

_Noreturn void assert_failed(const char *file, int line, const char *expr);

#define ASSERT(expr) ((expr) ? (void)0 : assert_failed(__FILE__, __LINE__, #expr))

#endif
