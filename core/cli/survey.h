/* survey.h -- what an import would send: the result of a dry run.
 *
 * Memory: SURVEY_TYPES_MAX names and SURVEY_SAMPLES calls.  Cannot fail.  One thread.
 */
#ifndef CORE_CLI_SURVEY_H
#define CORE_CLI_SURVEY_H

#include "core/base/doc.h"
#include "core/cli/mapping.h"

struct json_reader;

#define SURVEY_TYPES_MAX 100
#define SURVEY_SAMPLES 3

struct survey {
    struct json_reader *reader;
    struct {
        char *name;
        uint64_t count;
    } types[SURVEY_TYPES_MAX];
    size_t type_count;
    uint64_t other; /* calls of further types */
    uint64_t calls;
    bool has_at;
    int64_t first, last; /* of the rows that have a time; ms since 1970 UTC */
    struct buf samples;  /* the first calls, a line each */
    size_t sample_count;
    struct buf doc;
};

void survey_init(struct survey *survey, struct json_reader *reader); /* borrows the reader */
void survey_deinit(struct survey *survey);

/* The calls of one row: valid JSON objects with commas between. */
void survey_add(struct survey *survey, struct text json, const struct mapping_row *row);

/* Append the result: for people, or as one JSON object in a line, at whose end stand `more` fields,
 * each with its comma in front. */
void survey_print(const struct survey *survey, struct buf *out);
void survey_json(const struct survey *survey, uint64_t rows, uint64_t rejected, struct text more,
                 struct buf *out);

#endif
