/* names.h -- directory changes that no fsync of their directory has made certain.
 *
 * The directories themselves always look as the operating system would show them.
 * Each change is remembered until its directory is flushed; what it removed is kept
 * under a second name in the journal directory (which must be on the same file
 * system).  A power cut undoes, directory by directory, the changes from some moment
 * on.  A change is whole or not at all: a renamed file has one of its two names.
 *
 * Changes of two directories at once (a rename between them) tie the two together:
 * when it becomes certain so does all that came before it in both; when it is
 * undone so is all that came after it in both.
 *
 * Like a trail, the list outlives the process.  A failure of the host stops the process.
 */
#ifndef TESTS_SIM_NAMES_H
#define TESTS_SIM_NAMES_H

#include <stdbool.h>
#include <stdint.h>

struct names;

/* A name in a directory that is open as `dir`. */
struct name {
    int dir;
    const char *text;
};

/* Finds the list of an earlier process again; else begins one if `is_new`; else NULL. */
struct names *names_open(int journal, bool is_new);
void names_close(struct names *names); /* NULL is allowed */

/* A file or directory has just been created. */
void names_created(struct names *names, struct name name);

/* About to remove or rename a name that exists.  If the call then fails,
 * names_cancel takes the announcement back. */
void names_unlinking(struct names *names, struct name name);
void names_renaming(struct names *names, struct name from, struct name to);
void names_cancel(struct names *names);

/* The directory open as `dir` was fsynced. */
void names_flush(struct names *names, int dir);

/* The power cut, in the tree below the directory `root`.  The list is empty afterwards. */
void names_recover(struct names *names, const char *root, uint64_t seed);

#endif
