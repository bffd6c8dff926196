/* outside_json.c -- documents as JSON and back, and forms, for plugins that speak with others.
 *
 * One reader and three buffers for each plugin, used again and again: what comes out of a call is
 * borrowed until the next one.
 */
#include "core/base/form.h"
#include "core/base/json_read.h"
#include "core/base/json_write.h"
#include "core/outside/outside_inside.h"
#include "core/plugin/mac.h"

static int32_t host_to_json(struct kith *kith, struct kith_doc doc, struct kith_text *out)
{
    struct outside *outside = kith->outside;
    struct doc checked;
    int32_t code = outside_allow(outside, NULL);
    if (code == KITH_OK)
        code = outside_check(outside, "the document", doc, &checked);
    if (code == KITH_OK) {
        buf_clear(&outside->json);
        json_write_doc(&outside->json, checked);
        *out = (struct kith_text){ buf_string(&outside->json), outside->json.size };
    }
    return outside_end(outside, CALL_TO_JSON, code);
}

static int32_t parse(struct outside *outside, struct kith_text json, struct kith_doc *out)
{
    static const struct json_limits limits = { .depth_max = NESTING_MAX };
    struct doc doc;
    if (json.size > BATCH_BYTES_MAX)
        return outside_refuse(outside, KITH_LIMIT, "%zu bytes of JSON, at most %u are taken",
                              json.size, BATCH_BYTES_MAX);
    if (outside->reader == NULL)
        outside->reader = json_reader_new();
    buf_clear(&outside->parsed);
    int rc = json_to_doc(outside->reader, json.data, json.size, &limits, &outside->parsed, &doc,
                         &outside->err);
    if (rc == 0)
        *out = (struct kith_doc){ doc.data, doc.size };
    return rc == 0 ? KITH_OK : KITH_INVALID;
}

/* What is no JSON came from somebody else: it is no fault of the plugin's, and the operator is not
 * told. */
static int32_t host_from_json(struct kith *kith, struct kith_text json, struct kith_doc *out)
{
    struct outside *outside = kith->outside;
    int32_t code = outside_allow(outside, NULL);
    if (code != KITH_OK)
        return outside_end(outside, CALL_FROM_JSON, code);
    code = parse(outside, json, out);
    if (code != KITH_OK)
        outside_failed(outside, CALL_FROM_JSON);
    return code;
}

/* -- Forms ------------------------------------------------------------------------------------- */

static int32_t host_from_form(struct kith *kith, struct kith_text form, struct kith_doc *out)
{
    struct outside *outside = kith->outside;
    struct doc doc;
    int32_t code = outside_allow(outside, NULL);
    if (code == KITH_OK && form.size > BATCH_BYTES_MAX)
        code = outside_refuse(outside, KITH_LIMIT, "%zu bytes of a form, at most %u are taken",
                              form.size, BATCH_BYTES_MAX);
    if (code != KITH_OK)
        return outside_end(outside, CALL_FROM_FORM, code);
    buf_clear(&outside->form);
    if (form_read(form.data, form.size, &outside->form, &doc, &outside->err) != 0) {
        outside_failed(outside, CALL_FROM_FORM); /* as from_json() */
        return KITH_INVALID;
    }
    *out = (struct kith_doc){ doc.data, doc.size };
    return KITH_OK;
}

/* -- Signatures -------------------------------------------------------------------------------- */

static int32_t host_hmac(struct kith *kith, const char *how, struct kith_text key,
                         struct kith_text data, char out[KITH_HMAC_SIZE])
{
    bool is_made = how != NULL && mac_text(how, key, data, out);
    if (!is_made)
        outside_failed(kith->outside, CALL_HMAC);
    return is_made ? KITH_OK : KITH_INVALID;
}

void outside_json_host(struct kith_host *host)
{
    host->to_json = host_to_json;
    host->from_json = host_from_json;
    host->from_form = host_from_form;
    host->hmac = host_hmac;
}

void outside_json_drop(struct outside *outside)
{
    json_reader_free(outside->reader);
    buf_deinit(&outside->json);
    buf_deinit(&outside->parsed);
    buf_deinit(&outside->form);
    outside->reader = NULL;
}
