/* survey.c -- see survey.h. */
#include "core/cli/survey.h"

#include "core/base/json_read.h"
#include "core/base/json_write.h"
#include "core/base/mem.h"
#include "core/base/moment.h"

#include <stdlib.h>
#include <string.h>

void survey_init(struct survey *survey, struct json_reader *reader)
{
    *survey = (struct survey){ .reader = reader };
}

void survey_deinit(struct survey *survey)
{
    for (size_t i = 0; i < survey->type_count; i++)
        free(survey->types[i].name);
    survey->type_count = 0;
    buf_deinit(&survey->samples);
    buf_deinit(&survey->doc);
}

static void count_type(struct survey *survey, struct text name)
{
    size_t i = 0;
    while (i < survey->type_count && !text_is(name, survey->types[i].name))
        i++;
    if (i == SURVEY_TYPES_MAX) {
        survey->other++;
        return;
    }
    if (i == survey->type_count) {
        char *copy = mem_alloc(name.size + 1);
        memcpy(copy, name.data, name.size);
        copy[name.size] = '\0';
        survey->types[i].name = copy;
        survey->types[i].count = 0;
        survey->type_count++;
    }
    survey->types[i].count++;
}

static int add_call(void *arg, size_t index, struct doc doc, const struct err *refused)
{
    struct survey *survey = arg;
    (void)index;
    if (refused != NULL)
        return 0;
    struct text event = doc_text(doc, "event"), type = doc_text(doc, "type");
    count_type(survey, text_is(type, "track") && event.size != 0 ? event : type);
    survey->calls++;
    if (survey->sample_count < SURVEY_SAMPLES) {
        survey->sample_count++;
        json_write_doc(&survey->samples, doc);
        buf_byte(&survey->samples, '\n');
    }
    return 0;
}

void survey_add(struct survey *survey, struct text json, const struct mapping_row *row)
{
    const struct json_limits limits = { .depth_max = DOC_DEPTH_MAX };
    struct buf list = BUF_INIT;
    buf_byte(&list, '[');
    buf_append(&list, json.data, json.size);
    buf_byte(&list, ']');
    buf_clear(&survey->doc);
    json_array_each(survey->reader, (const char *)list.data, list.size, &limits, &survey->doc,
                    add_call, survey, NULL);
    buf_deinit(&list);
    if (!row->has_at)
        return;
    if (!survey->has_at || row->at < survey->first)
        survey->first = row->at;
    if (!survey->has_at || row->at > survey->last)
        survey->last = row->at;
    survey->has_at = true;
}

void survey_print(const struct survey *survey, struct buf *out)
{
    char first[MOMENT_TEXT_SIZE], last[MOMENT_TEXT_SIZE];
    buf_printf(out, "%llu events would be sent\n", (unsigned long long)survey->calls);
    for (size_t i = 0; i < survey->type_count; i++)
        buf_printf(out, "  %llu %s\n", (unsigned long long)survey->types[i].count,
                   survey->types[i].name);
    if (survey->other != 0)
        buf_printf(out, "  %llu of other types\n", (unsigned long long)survey->other);
    if (survey->has_at) {
        moment_format(survey->first, first);
        moment_format(survey->last, last);
        buf_printf(out, "from %s to %s\n", first, last);
    }
    if (survey->sample_count != 0)
        buf_text(out, "the first:\n");
    buf_append(out, survey->samples.data, survey->samples.size);
}

void survey_json(const struct survey *survey, uint64_t rows, uint64_t rejected, struct text more,
                 struct buf *out)
{
    char at[MOMENT_TEXT_SIZE];
    buf_printf(out, "{\"rows\":%llu,\"events\":%llu,\"rejected\":%llu,\"types\":{",
               (unsigned long long)rows, (unsigned long long)survey->calls,
               (unsigned long long)rejected);
    for (size_t i = 0; i < survey->type_count; i++) {
        buf_text(out, i != 0 ? "," : "");
        json_write_text(out, text_of(survey->types[i].name));
        buf_printf(out, ":%llu", (unsigned long long)survey->types[i].count);
    }
    buf_byte(out, '}');
    if (survey->has_at) {
        moment_format(survey->first, at);
        buf_printf(out, ",\"first\":\"%s\"", at);
        moment_format(survey->last, at);
        buf_printf(out, ",\"last\":\"%s\"", at);
    }
    buf_append(out, more.data, more.size);
    buf_text(out, "}\n");
}
