/* test_verify.c -- each way of signing: what senders have published, and Python's hmac. */
#include "plugins/webhook/verify.h"

#include "core/base/buf.h"
#include "core/base/doc.h"
#include "core/base/form.h"
#include "core/plugin/mac.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NOW_MS 1795169472000ll
#define BODY "{\"n\":1}"
#define WORDS "a secret of words\nthe secret before it"
#define STANDARD "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define STANDARD_MAC "v1,Avfejl6WAoX15+UH2nF3JHJ6e5AjwmrhVAaOBqUM9LY="
#define GITHUB_MAC "5d002df8dc375ce79805c75b445f41085d0b0882beaffb76f8d677041b4488af"
#define STRIPE_MAC "0ab64e0effd39db327012e7c25f5c279b998e5fa328440cae30ac8658a879111"
#define HASH_QUERY "bodySHA256=2bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd"

struct trial {
    enum scheme scheme;
    const char *secret, *body, *query;
    const char *names[4], *values[4];
    const char *url, *header;
    int64_t later_ms;
    char id[VERIFY_ID_SIZE];
};

/* -- The host ---------------------------------------------------------------------------------- */

struct kith {
    int64_t now_ms;
    struct buf form;
};

static int64_t on_now(struct kith *kith)
{
    return kith->now_ms;
}

static int32_t on_hmac(struct kith *kith, const char *how, struct kith_text key,
                       struct kith_text data, char out[KITH_HMAC_SIZE])
{
    (void)kith;
    return mac_text(how, key, data, out) ? KITH_OK : KITH_INVALID;
}

static int32_t on_from_form(struct kith *kith, struct kith_text form, struct kith_doc *out)
{
    struct doc doc;
    if (form_read(form.data, form.size, &kith->form, &doc, NULL) != 0)
        return KITH_INVALID;
    *out = (struct kith_doc){ doc.data, doc.size };
    return KITH_OK;
}

static const struct kith_host host = {
    .size = sizeof host, .now = on_now, .hmac = on_hmac, .from_form = on_from_form
};

static const char *tried(struct trial *trial)
{
    struct keys keys;
    char room[160];
    struct kith_param headers[4];
    size_t count = 0;
    assert_null(
        keys_parse(kith_text(trial->secret), trial->scheme == SCHEME_STANDARD, &keys, room));
    for (; count < 4 && trial->names[count] != NULL; count++)
        headers[count] =
            (struct kith_param){ kith_text(trial->names[count]), kith_text(trial->values[count]) };
    const struct kith_request request = {
        .size = sizeof request,
        .method = "POST",
        .query = kith_text(trial->query != NULL ? trial->query : ""),
        .headers = headers,
        .header_count = count,
        .body = trial->body,
        .body_size = strlen(trial->body),
    };
    struct kith kith = { .now_ms = NOW_MS + trial->later_ms };
    const struct verify how = {
        .host = &host,
        .kith = &kith,
        .scheme = trial->scheme,
        .keys = &keys,
        .header = trial->header != NULL ? trial->header : "",
        .url = trial->url,
        .tolerance_ms = 300000,
    };
    const char *why = verify(&how, &request, trial->id);
    buf_deinit(&kith.form);
    return why;
}

static struct trial standard(void)
{
    return (struct trial){
        .scheme = SCHEME_STANDARD,
        .secret = STANDARD,
        .body = BODY,
        .names = { "Webhook-Id", "WEBHOOK-TIMESTAMP", "webhook-signature" },
        .values = { "msg_1", "1795169472", "v1,AAAA v2,x " STANDARD_MAC },
    };
}

static void standard_webhooks_are_known_by_any_of_their_signatures(void **state)
{
    (void)state;
    struct trial trial = standard();
    assert_null(tried(&trial));
    assert_string_equal(trial.id, "msg_1");
    trial.body = BODY " ";
    assert_non_null(tried(&trial));
    trial = standard();
    trial.values[0] = "msg_2";
    assert_non_null(tried(&trial));
    trial = standard();
    trial.values[2] = "";
    assert_string_equal(tried(&trial), "the request has no signature");
}

static void a_time_that_was_signed_is_near_ours(void **state)
{
    (void)state;
    struct trial trial = standard();
    trial.later_ms = 300000;
    assert_null(tried(&trial));
    trial.later_ms = 300001;
    assert_non_null(strstr(tried(&trial), "too long ago"));
    trial.later_ms = -300001;
    assert_non_null(strstr(tried(&trial), "in the future"));
    trial = standard();
    trial.values[1] = "99999999999999999999";
    assert_non_null(tried(&trial));
}

static void github_is_as_github_says(void **state)
{
    (void)state;
    struct trial published = {
        .scheme = SCHEME_GITHUB,
        .secret = "It's a Secret to Everybody",
        .body = "Hello, World!",
        .names = { "X-Hub-Signature-256" },
        .values = { "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17" },
    };
    assert_null(tried(&published));
    published.body = "Hello, World?";
    assert_non_null(tried(&published));
    struct trial old = {
        .scheme = SCHEME_GITHUB,
        .secret = WORDS,
        .body = BODY,
        .names = { "X-Hub-Signature-256" },
        .values = { "0mA2iG9CGSRMwVL/PeN3spvVNFBtUXGR74YsLLZ+drk=" },
    };
    struct trial new = old;
    new.values[0] = "sha256=" GITHUB_MAC;
    assert_null(tried(&old));
    assert_null(tried(&new));
    assert_string_equal(old.id, new.id); /* by whichever secret it is the same request */
    new.values[0] = "SHA256=" GITHUB_MAC;
    assert_non_null(tried(&new));
    new.header = new.names[0] = "X-Shop-Signature";
    new.values[0] = "5D002DF8dc375ce79805c75b445f41085d0b0882beaffb76f8d677041b4488af";
    assert_null(tried(&new));
}

static void stripe_signs_its_time(void **state)
{
    (void)state;
    struct trial trial = {
        .scheme = SCHEME_STRIPE,
        .secret = WORDS,
        .body = BODY,
        .names = { "stripe-signature" },
        .values = { "t=1795169472,v1=00,v1=" STRIPE_MAC },
    };
    assert_null(tried(&trial));
    trial.later_ms = 400000;
    assert_non_null(tried(&trial));
    trial.later_ms = 0;
    trial.values[0] = "t=1795169473,v1=" STRIPE_MAC;
    assert_non_null(tried(&trial));
    trial.values[0] = "v1=" STRIPE_MAC;
    assert_non_null(tried(&trial));
}

static void twilio_signs_the_url_and_the_sorted_fields(void **state)
{
    (void)state;
    struct trial ours = {
        .scheme = SCHEME_TWILIO,
        .secret = WORDS,
        .url = "https://kith.example.com/v1/hooks/calls",
        .body = "Tag=b&From=%2B4917&Tag=a&Tag=a&Body=G%C3%BC+%26+K",
        .names = { "Content-Type", "X-Twilio-Signature" },
        .values = { "application/x-www-form-urlencoded", "nkwj+syBMlJnEFLYKfnN1EizueI=" },
    };
    assert_null(tried(&ours));
    ours.query = "x";
    assert_non_null(tried(&ours));
}

static void of_another_body_twilio_signs_the_hash(void **state)
{
    (void)state;
    struct trial trial = {
        .scheme = SCHEME_TWILIO,
        .secret = WORDS,
        .url = "https://kith.example.com/v1/hooks/calls",
        .query = HASH_QUERY,
        .body = BODY,
        .names = { "Content-Type", "X-Twilio-Signature" },
        .values = { "application/json", "XZPdECViq/SUW+hUj+cYcvITVXU=" },
    };
    assert_null(tried(&trial));
    trial.body = "{\"n\":2}";
    assert_non_null(tried(&trial));
    trial.body = BODY;
    trial.query = "";
    assert_non_null(tried(&trial));
}

static void a_form_that_is_none_is_not_twilios(void **state)
{
    (void)state;
    struct trial trial = {
        .scheme = SCHEME_TWILIO,
        .secret = WORDS,
        .url = "https://kith.example.com/v1/hooks/calls",
        .body = "a=%00",
        .names = { "Content-Type", "X-Twilio-Signature" },
        .values = { "application/x-www-form-urlencoded", "nkwj+syBMlJnEFLYKfnN1EizueI=" },
    };
    assert_non_null(tried(&trial));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(standard_webhooks_are_known_by_any_of_their_signatures),
        cmocka_unit_test(a_time_that_was_signed_is_near_ours),
        cmocka_unit_test(github_is_as_github_says),
        cmocka_unit_test(stripe_signs_its_time),
        cmocka_unit_test(twilio_signs_the_url_and_the_sorted_fields),
        cmocka_unit_test(of_another_body_twilio_signs_the_hash),
        cmocka_unit_test(a_form_that_is_none_is_not_twilios),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
