/* link.c -- see link.h.
 *
 *     token  base64url of: nonce (24) | sealed (version (1) | BSON) | tag (16)
 *
 * Of each secret two keys are derived, one for the cipher and one for the nonce, and a print.
 */
#include "core/server/link.h"

#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/engine/link_terms.h"
#include "core/engine/template.h"
#include "core/server/secret.h"
#include "core/server/whole_file.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define VERSION 1
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES crypto_aead_xchacha20poly1305_ietf_ABYTES
#define KEY_FILE_BYTES_MAX 4096
#define DEPTH_MAX (NESTING_MAX + 2)

_Static_assert(LINK_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
               "a key of the cipher");
_Static_assert(LINK_KEY_BYTES == crypto_kdf_KEYBYTES, "a key that others are derived of");
_Static_assert(SECRET_BYTES == LINK_KEY_BYTES, "a file as it is made holds one key");

/* -- Keys -------------------------------------------------------------------------------------- */

static void add_key(struct link_keys *keys, const uint8_t secret[LINK_KEY_BYTES])
{
    static const char context[crypto_kdf_CONTEXTBYTES + 1] = "kithlink";
    crypto_kdf_derive_from_key(keys->keys[keys->count].seal, LINK_KEY_BYTES, 1, context, secret);
    crypto_kdf_derive_from_key(keys->keys[keys->count].nonce, LINK_KEY_BYTES, 2, context, secret);
    crypto_kdf_derive_from_key(keys->keys[keys->count].print, LINK_PRINT_BYTES, 3, context, secret);
    keys->count++;
}

static struct text next_line(const char **at, const char *end)
{
    const char *start = *at, *stop = memchr(start, '\n', (size_t)(end - start));
    *at = stop != NULL ? stop + 1 : end;
    stop = stop != NULL ? stop : end;
    while (stop > start && (stop[-1] == ' ' || stop[-1] == '\r'))
        stop--;
    return (struct text){ start, (uint32_t)(stop - start) };
}

int link_keys_parse(const char *text, size_t size, struct link_keys *out_keys, struct err *err)
{
    struct link_keys keys = { .count = 0 };
    uint8_t secret[LINK_KEY_BYTES];
    const char *at = text, *end = text + size;
    int rc = 0;
    for (int number = 1; rc == 0 && at < end; number++) {
        struct text line = next_line(&at, end);
        if (line.size == 0)
            continue;
        if (keys.count == LINK_KEYS_MAX)
            rc = err_set(err, E_INVALID, "line %d: at most %d secrets are taken", number,
                         LINK_KEYS_MAX);
        else if (!hex_decode(line.data, line.size, secret, sizeof secret))
            rc = err_set(err, E_INVALID, "line %d is no secret: 64 hexadecimal digits", number);
        else
            add_key(&keys, secret);
    }
    if (rc == 0 && keys.count == 0)
        rc = err_set(err, E_INVALID, "it holds no secret: a line of 64 hexadecimal digits");
    if (rc == 0)
        *out_keys = keys;
    sodium_memzero(secret, sizeof secret);
    link_keys_wipe(&keys);
    return rc;
}

void link_keys_wipe(struct link_keys *keys)
{
    sodium_memzero(keys, sizeof *keys);
}

static int read_keys(const char *path, struct link_keys *keys, struct err *err)
{
    char text[KEY_FILE_BYTES_MAX];
    struct err why;
    size_t size;
    int rc = whole_file_read(path, text, sizeof text, &size, err);
    if (rc != 0)
        return rc;
    rc = link_keys_parse(text, size, keys, &why);
    sodium_memzero(text, sizeof text);
    return rc == 0 ? 0
                   : err_set(err, rc,
                             "%s: %s; remove the file to have one made, but no link that was sent "
                             "works then",
                             path, why.text);
}

int link_keys_open(const char *dir, struct link_keys *keys, struct err *err)
{
    char path[4000];
    snprintf(path, sizeof path, "%s/links.key", dir);
    int rc = read_keys(path, keys, err);
    if (rc != E_NOTFOUND)
        return rc;
    rc = secret_make(dir, path, err);
    return rc == 0 ? read_keys(path, keys, err) : rc;
}

/* -- What is sealed ---------------------------------------------------------------------------- */

static void write_link(const struct link *link, struct buf *out)
{
    struct doc_writer w;
    buf_byte(out, VERSION);
    doc_begin(&w, out);
    doc_put_int(&w, "k", link->kind);
    doc_put_int(&w, "c", (int64_t)link->customer);
    doc_put_int(&w, "e", link->expires);
    doc_put_text(&w, "n", link->nonce);
    doc_put_present(&w, "l", link->title);
    doc_put_present(&w, "t", link->type);
    if (link->data.data != NULL)
        doc_put_doc(&w, "d", link->data);
    doc_put_present(&w, "p", link->purpose);
    doc_put_present(&w, "h", link->channel);
    doc_end(&w);
}

/* What one of our keys has sealed we have written; but perhaps by another version. */
static int read_link(const uint8_t *data, size_t size, struct link *out_link, struct err *err)
{
    struct doc doc = { data + 1, (uint32_t)(size - 1) };
    if (data[0] != VERSION || doc_validate(doc.data, doc.size, DEPTH_MAX, NULL) != 0)
        return err_set(err, E_INVALID, "the link was made by another version of kithd");
    *out_link = (struct link){
        .kind = (enum link_kind)doc_int(doc, "k", 0),
        .customer = (uint64_t)doc_int(doc, "c", 0),
        .expires = doc_int(doc, "e", 0),
        .nonce = doc_text(doc, "n"),
        .title = doc_text(doc, "l"),
        .type = doc_text(doc, "t"),
        .data = doc_child(doc, "d"),
        .purpose = doc_text(doc, "p"),
        .channel = doc_text(doc, "h"),
    };
    return 0;
}

void link_id(const struct link *link, char out_id[LINK_ID_SIZE])
{
    struct buf plain = BUF_INIT;
    uint8_t digest[DIGEST_16_BYTES];
    write_link(link, &plain);
    digest_16(plain.data, plain.size, digest);
    hex_encode(digest, sizeof digest, out_id);
    buf_deinit(&plain);
}

/* -- Tokens ------------------------------------------------------------------------------------ */

static void seal(const struct link_keys *keys, size_t key, const struct link *link, struct buf *out)
{
    struct buf plain = BUF_INIT, sealed = BUF_INIT;
    unsigned long long size;
    ASSERT(key < keys->count);
    write_link(link, &plain);
    uint8_t *nonce = buf_reserve(&sealed, NONCE_BYTES + plain.size + TAG_BYTES);
    crypto_generichash(nonce, NONCE_BYTES, plain.data, plain.size, keys->keys[key].nonce,
                       LINK_KEY_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + NONCE_BYTES, &size, plain.data, plain.size,
                                               NULL, 0, NULL, nonce, keys->keys[key].seal);
    size += NONCE_BYTES;
    size_t room = sodium_base64_encoded_len(size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    char *text = (char *)buf_reserve(out, room);
    sodium_bin2base64(text, room, nonce, size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    out->size += room - 1;
    buf_deinit(&plain);
    buf_deinit(&sealed);
}

void link_seal(const struct link_keys *keys, const struct link *link, struct buf *out)
{
    seal(keys, 0, link, out);
}

static void append_url(const struct link_keys *keys, size_t key, const char *base,
                       const struct link *link, struct buf *out)
{
    buf_printf(out, "%s/v1/%c/", base != NULL ? base : "", link->kind == LINK_WITHDRAW ? 'u' : 'l');
    seal(keys, key, link, out);
}

void link_url(const struct link_keys *keys, const char *base, const struct link *link,
              struct buf *out)
{
    append_url(keys, 0, base, link, out);
}

static bool unseal(const struct link_keys *keys, const struct buf *sealed, struct buf *out)
{
    unsigned long long size;
    buf_clear(out);
    uint8_t *plain = buf_reserve(out, sealed->size);
    for (size_t i = 0; i < keys->count; i++)
        if (crypto_aead_xchacha20poly1305_ietf_decrypt(
                plain, &size, NULL, sealed->data + NONCE_BYTES, sealed->size - NONCE_BYTES, NULL, 0,
                sealed->data, keys->keys[i].seal) == 0) {
            out->size = size;
            return true;
        }
    return false;
}

int link_open(const struct link_keys *keys, struct text token, struct buf *out,
              struct link *out_link, struct err *err)
{
    struct buf sealed = BUF_INIT;
    const char *end = NULL;
    uint8_t *bytes = buf_reserve(&sealed, token.size);
    bool is_good = sodium_base642bin(bytes, token.size, token.data, token.size, NULL, &sealed.size,
                                     &end, sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
                   end == token.data + token.size && sealed.size > NONCE_BYTES + TAG_BYTES &&
                   unseal(keys, &sealed, out);
    buf_deinit(&sealed);
    if (!is_good)
        return err_set(err, E_INVALID,
                       "this is no link of ours, or it is not whole: take care to copy all of it");
    return read_link(out->data, out->size, out_link, err);
}

/* -- Messages ---------------------------------------------------------------------------------- */

struct link link_of_terms(struct doc terms)
{
    struct text type = doc_text(terms, "event");
    return (struct link){
        .kind = type.size != 0                     ? LINK_EVENT
                : link_terms_are_withdrawal(terms) ? LINK_WITHDRAW
                                                   : LINK_CONSENT,
        .title = doc_text(terms, "title"),
        .type = type,
        .data = doc_child(terms, "data"),
        .purpose = doc_text(terms, "purpose"),
        .channel = doc_text(terms, "channel"),
    };
}

struct message {
    const struct link_keys *keys;
    size_t key;
    const char *base;
    struct text id;
    uint64_t customer;
};

static void put_address(struct doc_writer *w, const struct message *message, struct text name,
                        struct doc terms)
{
    struct link link = link_of_terms(terms);
    struct buf nonce = BUF_INIT, url = BUF_INIT;
    buf_printf(&nonce, "%.*s/%.*s", (int)message->id.size, message->id.data, (int)name.size,
               name.data);
    link.customer = message->customer;
    link.expires = doc_int(terms, "expires", 0);
    link.nonce = (struct text){ (const char *)nonce.data, (uint32_t)nonce.size };
    append_url(message->keys, message->key, message->base, &link, &url);
    struct doc_value value = { .type = DOC_TEXT };
    value.text = (struct text){ (const char *)url.data, (uint32_t)url.size };
    doc_put_value_text(w, name, &value);
    buf_deinit(&nonce);
    buf_deinit(&url);
}

/* The address of the link called `name`, as text. */
static void write_address(const struct message *message, struct doc links, struct text name,
                          struct buf *out)
{
    struct doc_writer w;
    struct buf bytes = BUF_INIT;
    doc_begin(&w, &bytes);
    put_address(&w, message, name, doc_get_text(links, name).doc);
    struct text address = doc_get_text(doc_end(&w), name).text;
    buf_append(out, address.data, address.size);
    buf_deinit(&bytes);
}

/* The size of the mark that `text` begins with, and its link's name in `out`; 0: of no link that
 * there is.  In Markdown the name has been escaped as every value is. */
static uint32_t read_mark(struct text text, struct doc links, struct buf *out)
{
    const size_t begin = strlen(TEMPLATE_LINK_BEGIN), end = strlen(TEMPLATE_LINK_END);
    const char *at = memmem(text.data, text.size, TEMPLATE_LINK_END, end);
    buf_clear(out);
    if (at == NULL || at < text.data + begin)
        return 0;
    for (const char *c = text.data + begin; c < at; c++)
        if (*c != '\\')
            buf_byte(out, (uint8_t)*c);
    struct text name = { (const char *)out->data, (uint32_t)out->size };
    bool is_link = name.size != 0 && doc_get_text(links, name).type == DOC_DOC;
    return is_link ? (uint32_t)(at + end - text.data) : 0;
}

/* A text in which a mark stands for each link (core/engine/template.h). */
static void put_marked(struct doc_writer *w, const struct message *message, struct doc links,
                       struct text field, struct text text)
{
    struct buf out = BUF_INIT, name = BUF_INIT;
    while (text.size != 0) {
        const char *mark =
            memmem(text.data, text.size, TEMPLATE_LINK_BEGIN, strlen(TEMPLATE_LINK_BEGIN));
        uint32_t before = mark != NULL ? (uint32_t)(mark - text.data) : text.size;
        buf_append(&out, text.data, before);
        text = (struct text){ text.data + before, text.size - before };
        if (mark == NULL)
            break;
        uint32_t used = read_mark(text, links, &name);
        if (used != 0) {
            write_address(message, links,
                          (struct text){ (const char *)name.data, (uint32_t)name.size }, &out);
        } else {
            used = (uint32_t)strlen(TEMPLATE_LINK_BEGIN);
            buf_append(&out, text.data, used);
        }
        text = (struct text){ text.data + used, text.size - used };
    }
    struct doc_value value = { .type = DOC_TEXT };
    value.text = (struct text){ (const char *)out.data, (uint32_t)out.size };
    doc_put_value_text(w, field, &value);
    buf_deinit(&out);
    buf_deinit(&name);
}

int link_message(const struct link_keys *keys, size_t key, const char *base, struct text id,
                 struct doc message, struct buf *out, struct err *err)
{
    const struct message of = { keys, key, base, id, (uint64_t)doc_int(message, "customer", 0) };
    struct doc_writer w;
    if (base == NULL)
        return err_set(err, E_INVALID,
                       "it has links, and kith.lua names no address for them to begin with: "
                       "url \"https://...\"");
    struct doc links = doc_child(message, "links");
    bool is_of_template = doc_text(message, "template").size != 0;
    doc_begin(&w, out);
    for (struct doc_iter it = doc_iter(message); doc_next(&it);) {
        if (it.value.type == DOC_TEXT && (is_of_template || text_is(it.name, "body"))) {
            put_marked(&w, &of, links, it.name, it.value.text);
            continue;
        }
        if (!text_is(it.name, "links")) {
            doc_put_value_text(&w, it.name, &it.value);
            continue;
        }
        doc_open(&w, "links");
        for (struct doc_iter each = doc_iter(it.value.doc); doc_next(&each);)
            put_address(&w, &of, each.name, each.value.doc);
        doc_close(&w);
    }
    doc_end(&w);
    return 0;
}
