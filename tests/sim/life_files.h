/* life_files.h -- `life files`: whose files are, by every row that tells of it. */
#ifndef TESTS_SIM_LIFE_FILES_H
#define TESTS_SIM_LIFE_FILES_H

struct snapshot;

/* As NDJSON: {"owner", "entry", "hash"} of table `F`, {"mine", "entry", "hash"} of the customers'
 * rows `F`, {"forgotten", "hash"} of table `G`. */
void life_files(struct snapshot *snapshot);

#endif
