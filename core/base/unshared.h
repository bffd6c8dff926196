/* unshared.h -- descriptors that a process does not give to those it forks.
 *
 * O_CLOEXEC keeps a descriptor from programs that are executed.  It does nothing about a fork
 * alone: there the lock of a directory, or a socket that listens, is held by both, and when the
 * one that opened it has ended the other, which nobody knows of, still has it.  A plugin that forks
 * would so keep the next daemon from its data.  A descriptor that is named here is closed in
 * whatever is forked before its code goes on; in the process that opened it nothing changes.
 *
 * Locks of records, which no fork passes on, were rejected: a directory has none, and one closing
 * of any descriptor of the file gives them back.
 *
 * Only fork() is met, and what is built on it: whoever calls clone() himself is on his own.
 * Any thread.
 */
#ifndef CORE_BASE_UNSHARED_H
#define CORE_BASE_UNSHARED_H

#define UNSHARED_MAX 256 /* what is added beyond them is passed on, as it would be without this */

void unshared_add(int fd);   /* an open one */
void unshared_close(int fd); /* forget it, and close it; also one that was not added */

#endif
