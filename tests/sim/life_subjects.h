/* life_subjects.h -- the rows of shared subjects, for the judge. */
#ifndef TESTS_SIM_LIFE_SUBJECTS_H
#define TESTS_SIM_LIFE_SUBJECTS_H

struct snapshot;

/* Print the row of each subject, of each code, and of each customer who has something, as JSON. */
void life_subjects(struct snapshot *snapshot);

#endif
