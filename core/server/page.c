/* page.c -- see page.h.
 *
 * The style is allowed by its digest, so that no other can be slipped in.
 */
#include "core/server/page.h"

#include "core/base/html.h"
#include "core/http/http.h"
#include "core/server/api.h"

#include <sodium.h>
#include <stdio.h>

static const char style[] =
    "body{font:1.1em/1.5 sans-serif;max-width:32em;margin:15vh auto;padding:0 1em}"
    "h1{font-size:1.4em}button{font:inherit;padding:.5em 1.5em}";

#define DIGEST_TEXT_SIZE 48 /* of 32 bytes in base64, terminated */

static void add_fields(struct http_request *request)
{
    unsigned char digest[crypto_hash_sha256_BYTES];
    char text[DIGEST_TEXT_SIZE], policy[256];
    crypto_hash_sha256(digest, (const unsigned char *)style, sizeof style - 1);
    sodium_bin2base64(text, sizeof text, digest, sizeof digest, sodium_base64_VARIANT_ORIGINAL);
    snprintf(policy, sizeof policy,
             "default-src 'none'; style-src 'sha256-%s'; form-action 'self'; "
             "frame-ancestors 'none'; base-uri 'none'",
             text);
    http_add_field(request, "Content-Security-Policy", policy);
    http_add_field(request, "X-Content-Type-Options", "nosniff");
    http_add_field(request, "X-Frame-Options", "DENY");
    http_add_field(request, "Referrer-Policy", "no-referrer");
    http_add_field(request, "X-Robots-Tag", "noindex");
    http_add_field(request, "Cache-Control", "no-store");
}

static void put_form(struct buf *out, const struct page_text *text)
{
    buf_text(out, "<form method=\"post\">");
    if (text->name != NULL)
        buf_printf(out, "<input type=\"hidden\" name=\"%s\" value=\"%s\">", text->name,
                   text->value);
    buf_printf(out, "<button>%s</button></form>\n", text->button);
}

void page_reply(struct call *call, int status, const struct page_text *text)
{
    struct buf out = BUF_INIT;
    buf_printf(&out,
               "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
               "<meta name=\"viewport\" content=\"width=device-width\">\n"
               "<title>%s</title>\n<style>%s</style></head>\n<body><h1>%s</h1>\n<p>",
               text->heading, style, text->heading);
    html_escape(text->sentence, &out);
    buf_text(&out, "</p>\n");
    if (text->button != NULL)
        put_form(&out, text);
    buf_text(&out, "</body></html>\n");
    add_fields(call->request);
    call_reply_text(call, status, "text/html; charset=utf-8",
                    (struct text){ (const char *)out.data, (uint32_t)out.size });
    buf_deinit(&out);
}

bool page_is_wanted(const struct call *call)
{
    const char *accept = http_field(call->request, "Accept");
    return accept != NULL && strstr(accept, "text/html") != NULL;
}
