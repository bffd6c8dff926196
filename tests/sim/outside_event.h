/* outside_event.h -- what the clients of a simulated daemon send. */
#ifndef TESTS_SIM_OUTSIDE_EVENT_H
#define TESTS_SIM_OUTSIDE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

struct doc_writer;
struct submission;

/* A field whose text has a number in it. */
__attribute__((format(printf, 3, 0))) void outside_put_text(struct doc_writer *w, const char *name,
                                                            const char *format, int number);

/* Event number i is the same in every life; only that a client who has logged in since sends
 * it again under its other name. */
void outside_put_event(struct submission *submission, uint64_t seed, int event, int64_t wall,
                       bool is_logged_in);

#endif
