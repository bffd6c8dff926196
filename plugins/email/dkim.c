/* dkim.c -- see dkim.h.  The canonical forms are RFC 6376, sections 3.4.2 and 3.4.4. */
#include "dkim.h"

#include "codec.h"
#include "fault.h"
#include "header.h"

#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>

#define DIGEST_BYTES 32 /* SHA-256 */
#define SIGNED_BYTES_MAX (1u << 20)
#define PEM_BYTES_MAX (64u * 1024)
#define SIGNATURE_LINE 70

struct dkim_key {
    EVP_PKEY *pkey;
    bool is_ed25519;
};

/* What is signed when it is there; those once more than they occur that a reader sees or a
 * program obeys. */
static const struct {
    const char *name;
    bool is_over;
} signed_fields[] = {
    { "from", true },
    { "to", true },
    { "cc", true },
    { "subject", true },
    { "date", true },
    { "message-id", true },
    { "reply-to", true },
    { "mime-version", true },
    { "content-type", true },
    { "content-transfer-encoding", true },
    { "list-unsubscribe", true },
    { "list-unsubscribe-post", true },
    { "list-id", false },
    { "auto-submitted", false },
    { "in-reply-to", false },
    { "references", false },
    { "feedback-id", false },
};

static int refuse_crypto(const char *what, struct fault *fault)
{
    char reason[160] = "no reason given";
    unsigned long code = ERR_get_error();
    if (code != 0)
        ERR_error_string_n(code, reason, sizeof reason);
    ERR_clear_error();
    return fault_set(fault, FAULT_CRYPTO, "%s: %s", what, reason);
}

/* Without it libcrypto would ask a person at a terminal for the password. */
static int no_password(char *text, int size, int is_writing, void *arg)
{
    (void)is_writing, (void)arg;
    if (size > 0)
        text[0] = '\0';
    return -1;
}

static int check_key(const struct dkim_key *key, struct fault *fault)
{
    if (key->pkey == NULL) {
        ERR_clear_error();
        return fault_set(fault, FAULT_INVALID,
                         "DKIM key: no unencrypted private key in PEM (openssl genpkey makes one)");
    }
    int bits = EVP_PKEY_get_bits(key->pkey);
    if (!key->is_ed25519 && EVP_PKEY_get_base_id(key->pkey) != EVP_PKEY_RSA)
        return fault_set(fault, FAULT_INVALID, "DKIM key: neither RSA nor Ed25519");
    if (!key->is_ed25519 && (bits < DKIM_RSA_BITS_MIN || bits > DKIM_RSA_BITS_MAX))
        return fault_set(fault, FAULT_INVALID, "DKIM key: RSA of %d bits, not %d to %d", bits,
                         DKIM_RSA_BITS_MIN, DKIM_RSA_BITS_MAX);
    return 0;
}

int dkim_key_open(struct span pem, struct dkim_key **out_key, struct fault *fault)
{
    if (pem.size == 0 || pem.size > PEM_BYTES_MAX)
        return fault_set(fault, FAULT_INVALID, "DKIM key: %zu bytes, not 1 to %u", pem.size,
                         PEM_BYTES_MAX);
    struct dkim_key *key = calloc(1, sizeof *key);
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.size);
    if (key == NULL || bio == NULL) {
        BIO_free(bio);
        free(key);
        return fault_set(fault, FAULT_MEMORY, "no memory for a DKIM key");
    }
    key->pkey = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    BIO_free(bio);
    key->is_ed25519 = key->pkey != NULL && EVP_PKEY_get_base_id(key->pkey) == EVP_PKEY_ED25519;
    int rc = check_key(key, fault);
    if (rc != 0)
        dkim_key_close(key);
    else
        *out_key = key;
    return rc;
}

void dkim_key_close(struct dkim_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->pkey);
    free(key);
}

/* Append with runs of blanks, and folds, as one blank, none at the end; at the beginning one
 * stays where `keeps_first` (it belongs to a body's line). */
static void add_relaxed(struct span text, bool keeps_first, struct bytes *out)
{
    bool is_blank = false, is_first = true;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '\r' || c == '\n')
            continue;
        if (ascii_is_blank(c)) {
            is_blank = true;
            continue;
        }
        if (is_blank && (keeps_first || !is_first))
            bytes_byte(out, ' ');
        is_blank = false;
        is_first = false;
        bytes_byte(out, c);
    }
}

static void add_field(struct span name, struct span value, struct bytes *out)
{
    for (size_t i = 0; i < name.size; i++)
        bytes_byte(out, ascii_lower(name.data[i]));
    bytes_byte(out, ':');
    add_relaxed(value, false, out);
}

/* The digest of the body: empty lines at its end do not count, each line ends in CRLF. */
static int hash_body(struct span body, EVP_MD_CTX *ctx, unsigned char out[DIGEST_BYTES])
{
    struct bytes canonical;
    struct span line;
    size_t empty_count = 0;
    bytes_init(&canonical, body.size + 2);
    bool is_good = EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;
    while (is_good && span_line(&body, &line)) {
        bytes_clear(&canonical);
        add_relaxed(line, true, &canonical);
        if (canonical.size == 0) {
            empty_count++;
            continue;
        }
        for (; empty_count > 0 && is_good; empty_count--)
            is_good = EVP_DigestUpdate(ctx, "\r\n", 2) == 1;
        is_good = is_good && canonical.failed == 0 &&
                  EVP_DigestUpdate(ctx, canonical.data, canonical.size) == 1 &&
                  EVP_DigestUpdate(ctx, "\r\n", 2) == 1;
    }
    bytes_deinit(&canonical);
    return is_good && EVP_DigestFinal_ex(ctx, out, NULL) == 1 ? 0 : FAULT_CRYPTO;
}

/* The `number`-th field of that name from the bottom, 1 being the last. */
static bool find_from_bottom(struct span header, const char *name, size_t number,
                             struct header_field *out_field)
{
    size_t count = 0;
    struct header_field field;
    for (struct span rest = header; header_next(&rest, &field);)
        count += span_is_word(field.name, name);
    if (number > count)
        return false;
    for (size_t skip = count - number; header_next(&header, &field);)
        if (span_is_word(field.name, name) && skip-- == 0) {
            *out_field = field;
            return true;
        }
    return false;
}

/* The canonical fields into `signed_text`, their names into `names`, colons between. */
static void add_fields(struct span header, struct bytes *signed_text, struct bytes *names)
{
    size_t column = 0;
    for (size_t i = 0; i < sizeof signed_fields / sizeof *signed_fields; i++) {
        struct header_field field;
        bool is_there = true;
        for (size_t number = 1; is_there; number++) {
            is_there = find_from_bottom(header, signed_fields[i].name, number, &field);
            if (is_there) {
                add_field(field.name, field.value, signed_text);
                bytes_text(signed_text, "\r\n");
            }
            if (!is_there && !signed_fields[i].is_over)
                continue;
            bytes_text(names, names->size > 0 ? ":" : "");
            bool is_full = column + span_of(signed_fields[i].name).size > SIGNATURE_LINE;
            bytes_text(names, is_full ? "\r\n  " : "");
            bytes_text(names, signed_fields[i].name);
            column = (is_full ? 2 : column + 1) + span_of(signed_fields[i].name).size;
        }
    }
}

/* RSA signs the text; Ed25519 signs its SHA-256 (RFC 8463, section 3). */
static int sign_text(const struct dkim_key *key, struct span text, EVP_MD_CTX *ctx,
                     struct bytes *out)
{
    unsigned char digest[DIGEST_BYTES], signature[DKIM_RSA_BITS_MAX / 8];
    size_t size = sizeof signature;
    if (key->is_ed25519) {
        if (EVP_Digest(text.data, text.size, digest, NULL, EVP_sha256(), NULL) != 1)
            return FAULT_CRYPTO;
        text = (struct span){ (const char *)digest, sizeof digest };
    }
    EVP_MD_CTX_reset(ctx);
    if (EVP_DigestSignInit(ctx, NULL, key->is_ed25519 ? NULL : EVP_sha256(), NULL, key->pkey) !=
            1 ||
        EVP_DigestSign(ctx, signature, &size, (const unsigned char *)text.data, text.size) != 1)
        return FAULT_CRYPTO;
    bytes_add(out, signature, size);
    return 0;
}

static void add_folded_base64(struct span data, struct bytes *out)
{
    const size_t step = SIGNATURE_LINE / 4 * 3;
    for (size_t at = 0; at < data.size; at += step) {
        struct span piece = span_from(data, at);
        piece.size = piece.size < step ? piece.size : step;
        bytes_text(out, at == 0 ? "" : "\r\n  ");
        base64_add(out, piece, false);
    }
}

struct work {
    struct bytes text, names, value, signature;
    EVP_MD_CTX *ctx;
};

static int sign(const struct dkim_signer *signer, struct span header, struct span body,
                struct work *work, struct fault *fault)
{
    unsigned char body_hash[DIGEST_BYTES];
    if (work->ctx == NULL || hash_body(body, work->ctx, body_hash) != 0)
        return refuse_crypto("DKIM: the body's digest", fault);
    add_fields(header, &work->text, &work->names);
    bytes_printf(
        &work->value, " v=1; a=%s; c=relaxed/relaxed;\r\n d=%.*s; s=%.*s;\r\n t=%" PRId64 ";",
        signer->key->is_ed25519 ? "ed25519-sha256" : "rsa-sha256", (int)signer->domain.size,
        signer->domain.data, (int)signer->selector.size, signer->selector.data, signer->time_s);
    bytes_text(&work->value, " h=\r\n  ");
    bytes_span(&work->value, bytes_get(&work->names));
    bytes_text(&work->value, ";\r\n bh=");
    base64_add(&work->value, (struct span){ (const char *)body_hash, sizeof body_hash }, false);
    bytes_text(&work->value, ";\r\n b=");
    add_field(span_of("DKIM-Signature"), bytes_get(&work->value), &work->text);
    int rc = bytes_check(&work->text, "the header to be signed", fault);
    if (rc != 0)
        return rc;
    if (sign_text(signer->key, bytes_get(&work->text), work->ctx, &work->signature) != 0)
        return refuse_crypto("DKIM: the signature", fault);
    add_folded_base64(bytes_get(&work->signature), &work->value);
    return bytes_check(&work->value, "a DKIM signature", fault);
}

/* Letters, digits, hyphens and inner dots, as DNS has them. */
static bool is_dns_name(struct span name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool is_edge = i == 0 || i + 1 == name.size || name.data[i - 1] == '.';
        if (!ascii_is_letter(c) && !ascii_is_digit(c) && c != '_' && c != '-' &&
            (c != '.' || is_edge))
            return false;
    }
    return name.size > 0 && name.size <= 200;
}

/* The header, without the empty line that ends it; *out_body is what follows it. */
static struct span split(struct span message, struct span *out_body)
{
    struct span rest = message;
    struct header_field field;
    while (header_next(&rest, &field))
        ;
    struct span header = { message.data, message.size - rest.size }, line;
    span_line(&rest, &line);
    *out_body = rest;
    return header;
}

int dkim_sign(const struct dkim_signer *signer, struct span message, struct bytes *out,
              struct fault *fault)
{
    struct span from, body, header = split(message, &body);
    if (!is_dns_name(signer->domain) || !is_dns_name(signer->selector))
        return fault_set(fault, FAULT_INVALID, "DKIM: no valid domain or selector");
    struct work work = { .ctx = EVP_MD_CTX_new() };
    bytes_init(&work.text, SIGNED_BYTES_MAX);
    bytes_init(&work.names, SIGNED_BYTES_MAX);
    bytes_init(&work.value, SIGNED_BYTES_MAX);
    bytes_init(&work.signature, DKIM_RSA_BITS_MAX / 8);
    int rc = header_find(header, "From", &from)
                 ? sign(signer, header, body, &work, fault)
                 : fault_set(fault, FAULT_INVALID, "DKIM: the message has no From");
    if (rc == 0) {
        bytes_text(out, "DKIM-Signature:");
        bytes_span(out, bytes_get(&work.value));
        bytes_text(out, "\r\n");
        rc = bytes_check(out, "a DKIM signature", fault);
    }
    bytes_deinit(&work.signature);
    bytes_deinit(&work.value);
    bytes_deinit(&work.names);
    bytes_deinit(&work.text);
    EVP_MD_CTX_free(work.ctx);
    return rc;
}
