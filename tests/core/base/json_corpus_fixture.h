/* json_corpus_fixture.h -- texts that every JSON reader must accept, and must refuse.
 *
 * In the manner of conformance suites each is the smallest that makes its point; all
 * stand as the value of a field.
 */
#ifndef TESTS_CORE_BASE_JSON_CORPUS_FIXTURE_H
#define TESTS_CORE_BASE_JSON_CORPUS_FIXTURE_H

#include <stddef.h>

struct json_sample {
    const char *text;
    size_t size;
    const char *written; /* what json_write makes of it; NULL: the text itself */
};

#define SAMPLE(text) { text, sizeof text - 1, NULL }
#define SAMPLE_AS(text, written) { text, sizeof text - 1, written }

extern const struct json_sample json_valid[], json_invalid[];
extern const size_t json_valid_count, json_invalid_count;

#endif
