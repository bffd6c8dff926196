/* ingest_cloud.c -- see ingest_cloud.h. */
#include "core/server/ingest_cloud.h"

#include "core/base/civil.h"
#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/moment.h"
#include "core/engine/event.h"
#include "core/server/submission.h"

#include <string.h>

struct cloud {
    struct text id, source, type;
    struct text subject, customer;
    int64_t at;
    bool has_at;
    struct doc_value data, data_base64;
    struct text space, name; /* of the customer it names: user_id, anonymous_id, or "" */
};

/* -- Attributes -------------------------------------------------------------------------------- */

static bool is_name(struct text name)
{
    for (uint32_t i = 0; i < name.size; i++)
        if ((name.data[i] < 'a' || name.data[i] > 'z') &&
            (name.data[i] < '0' || name.data[i] > '9'))
            return false;
    return name.size != 0;
}

static bool has_control(struct text text)
{
    for (uint32_t i = 0; i < text.size; i++)
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return true;
    return false;
}

static bool is_data(struct text name)
{
    return text_is(name, "data") || text_is(name, "data_base64");
}

static bool is_absent(const struct doc_value *value)
{
    return value->type == DOC_NONE || value->type == DOC_NULL;
}

static int check_attribute(const struct doc_iter *it, struct err *err)
{
    enum doc_type type = it->value.type;
    if (is_data(it->name))
        return 0;
    if (!is_name(it->name))
        return err_set(
            err, E_INVALID,
            "an attribute is called \"%.*s\": only a to z and 0 to 9 may stand in a name",
            it->name.size < 100 ? (int)it->name.size : 100, it->name.data);
    if (type == DOC_DOC || type == DOC_ARRAY)
        return err_set(err, E_INVALID, "%s must be text, a number, true or false", it->name.data);
    if (type == DOC_TEXT && has_control(it->value.text))
        return err_set(err, E_INVALID, "%s holds a control character", it->name.data);
    return 0;
}

/* Text that must be there, unless `is_optional`. */
static int read_text(struct doc event, const char *name, size_t bytes_max, bool is_optional,
                     struct text *out_text, struct err *err)
{
    struct doc_value value = doc_get(event, name);
    *out_text = (struct text){ "", 0 };
    if (is_absent(&value) && is_optional)
        return 0;
    if (value.type != DOC_TEXT || (value.text.size == 0 && !is_optional))
        return err_set(err, E_INVALID, "%s %s", name,
                       is_absent(&value) ? "is missing" : "must be text that is not empty");
    if (value.text.size > bytes_max)
        return err_set(err, E_LIMIT, "%s has %u bytes, at most %zu are allowed", name,
                       value.text.size, bytes_max);
    if (has_control(value.text))
        return err_set(err, E_INVALID, "%s holds a control character", name);
    *out_text = value.text;
    return 0;
}

static int read_time(struct cloud *cloud, struct doc event, struct err *err)
{
    struct err why = { 0, "" };
    struct text time;
    int rc = read_text(event, "time", 64, true, &time, err);
    if (rc != 0 || time.size == 0)
        return rc;
    cloud->has_at = true;
    if (moment_parse(time.data, time.size, &cloud->at, &why) != 0)
        return err_set(err, E_INVALID, "time must be as \"2026-11-21T10:11:12.345Z\": %.100s",
                       why.text);
    return 0;
}

/* -- Who --------------------------------------------------------------------------------------- */

static bool begins_with(struct text text, const char *start)
{
    size_t size = strlen(start);
    return text.size > size && memcmp(text.data, start, size) == 0;
}

static bool is_number(struct text text)
{
    for (uint32_t i = 0; i < text.size; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return text.size != 0 && text.size <= 19;
}

/* "42", "user_id:u-17", "email:..." and the like: what else a subject may be is not ours. */
static bool names_customer(struct text text, struct text *out_space, struct text *out_name)
{
    static const char *const spaces[] = { "user_id:", "anonymous_id:", "email:", "phone:",
                                          "external:" };
    *out_space = (struct text){ "", 0 };
    *out_name = text;
    if (is_number(text))
        return true;
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
        if (!begins_with(text, spaces[i]))
            continue;
        if (i < 2) { /* an event may be the first that is heard of her */
            uint32_t size = (uint32_t)strlen(spaces[i]);
            *out_space = (struct text){ spaces[i], size - 1 };
            *out_name = (struct text){ text.data + size, text.size - size };
        }
        return true;
    }
    return false;
}

static int read_who(struct cloud *cloud, struct doc event, struct err *err)
{
    int rc = read_text(event, "subject", ID_BYTES_MAX, true, &cloud->subject, err);
    if (rc == 0)
        rc = read_text(event, "customer", ID_BYTES_MAX, true, &cloud->customer, err);
    if (rc != 0)
        return rc;
    bool is_named = names_customer(cloud->subject, &cloud->space, &cloud->name);
    if (!is_named && cloud->customer.size != 0)
        is_named = names_customer(cloud->customer, &cloud->space, &cloud->name);
    if (!is_named && cloud->customer.size != 0)
        return err_set(err, E_INVALID,
                       "customer must name one: 42, user_id:u-17, email:ann@example.com ...");
    if (!is_named)
        cloud->name = (struct text){ "", 0 };
    if (cloud->space.size != 0 && cloud->name.size > IDENTITY_BYTES_MAX)
        return err_set(err, E_LIMIT, "the customer's name has %u bytes, at most %d are allowed",
                       cloud->name.size, IDENTITY_BYTES_MAX);
    return 0;
}

/* -- Data -------------------------------------------------------------------------------------- */

static bool is_base64(struct text text)
{
    uint32_t size = text.size;
    while (size > 0 && text.size - size < 2 && text.data[size - 1] == '=')
        size--;
    for (uint32_t i = 0; i < size; i++) {
        char c = text.data[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '+' || c == '/'))
            return false;
    }
    return text.size % 4 == 0;
}

static int read_data(struct cloud *cloud, struct doc event, struct err *err)
{
    cloud->data = doc_get(event, "data");
    cloud->data_base64 = doc_get(event, "data_base64");
    bool is_text = cloud->data_base64.type == DOC_TEXT && is_base64(cloud->data_base64.text);
    if (is_absent(&cloud->data_base64) || cloud->data_base64.type == DOC_BINARY)
        return 0;
    if (!is_text)
        return err_set(err, E_INVALID, "data_base64 must be base64, with its padding");
    if (cloud->data.type != DOC_NONE)
        return err_set(err, E_INVALID, "either data or data_base64 may be there, not both");
    return 0;
}

/* What it has said would be known again as the plugin's. */
static bool is_of_plugin(struct text source)
{
    size_t size = sizeof EVENT_PLUGIN_PREFIX - 1;
    return source.size >= size && memcmp(source.data, EVENT_PLUGIN_PREFIX, size) == 0;
}

static int read_cloud(struct cloud *cloud, struct doc event, struct err *err)
{
    struct text version;
    int rc = read_text(event, "specversion", 16, false, &version, err);
    if (rc == 0 && !text_is(version, "1.0"))
        rc = err_set(err, E_INVALID, "specversion must be 1.0");
    if (rc == 0)
        rc = read_text(event, "id", ID_BYTES_MAX, false, &cloud->id, err);
    if (rc == 0)
        rc = read_text(event, "source", NAME_BYTES_MAX, false, &cloud->source, err);
    if (rc == 0 && is_of_plugin(cloud->source))
        rc = err_set(err, E_INVALID, "source begins with plugin:, which plugins alone may say");
    if (rc == 0)
        rc = read_text(event, "type", TYPE_BYTES_MAX, false, &cloud->type, err);
    if (rc == 0)
        rc = read_time(cloud, event, err);
    if (rc == 0)
        rc = read_who(cloud, event, err);
    if (rc == 0)
        rc = read_data(cloud, event, err);
    for (struct doc_iter it = doc_iter(event); rc == 0 && doc_next(&it);)
        rc = check_attribute(&it, err);
    return rc;
}

/* -- Writing ----------------------------------------------------------------------------------- */

static void put_who(struct doc_writer *w, const struct cloud *cloud)
{
    const char *field = text_is(cloud->space, "user_id")        ? "user"
                        : text_is(cloud->space, "anonymous_id") ? "anon"
                                                                : "ref";
    doc_put_present(w, field, cloud->name);
}

static void put_context(struct doc_writer *w, struct doc event)
{
    doc_open(w, "context");
    for (struct doc_iter it = doc_iter(event); doc_next(&it);) {
        bool is_elsewhere = is_data(it.name) || text_is(it.name, "id") ||
                            text_is(it.name, "source") || text_is(it.name, "type");
        if (!is_elsewhere && it.value.type != DOC_NULL)
            doc_put_value_text(w, it.name, &it.value);
    }
    doc_close(w);
}

static void put_data(struct doc_writer *w, const struct cloud *cloud)
{
    bool is_object = cloud->data.type == DOC_DOC;
    if (is_object)
        doc_put_doc(w, "data", cloud->data.doc);
    if ((is_object || cloud->data.type == DOC_NONE) && is_absent(&cloud->data_base64))
        return;
    doc_open(w, "extra");
    if (!is_object)
        doc_put_value(w, "data", &cloud->data);
    if (!is_absent(&cloud->data_base64))
        doc_put_value(w, "data_base64", &cloud->data_base64);
    doc_close(w);
}

int ingest_cloud(struct submission *submission, struct doc event, const struct ingest_terms *terms,
                 int64_t *out_at, struct err *err)
{
    struct cloud cloud = { .at = terms->received };
    struct doc_writer w;
    int rc = read_cloud(&cloud, event, err);
    if (rc != 0)
        return rc;
    submission_begin(submission, &w);
    doc_put_text(&w, "id", cloud.id);
    doc_put_text(&w, "type", cloud.type);
    put_who(&w, &cloud);
    if (cloud.has_at)
        doc_put_int(&w, "at", cloud.at);
    doc_put_text(&w, "source", cloud.source);
    doc_put_present(&w, "by", terms->source);
    put_data(&w, &cloud);
    put_context(&w, event);
    *out_at = cloud.at;
    return submission_end_event(submission, &w, err);
}
