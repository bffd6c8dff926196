/* blame.h -- plugins that ended the daemon, when its parent ends as well.
 *
 * As long as the parent lives it tells each run of the crash before it (core/plugin/breadcrumb.h).
 * But what ends a parent is a hang that lasts until the watchdog bites, crashes until it gives up,
 * or a person while it waits.  So what is in no log yet is left in the file `blames` of the data,
 * and is the next start's.
 */
#ifndef CORE_SERVER_BLAME_H
#define CORE_SERVER_BLAME_H

/* In the parent: leave what is in no log yet.  Says so if it cannot. */
void blame_leave(void);

/* In the daemon, before anything asks breadcrumb_blames(): the data lie in `dir`, and what was
 * left there counts.  A file that nobody wrote is ignored. */
void blame_find(const char *dir);

/* The log has all of them: an empty file, in which there is room for others. */
void blame_forget(const char *dir);

#endif
