/* verp.c -- see verp.h. */
#include "verp.h"

#include "fault.h"
#include "kith.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

#define MAC_BYTES 10
#define MAC_LETTERS 16
#define LOCAL_MAX 64 /* RFC 5321, section 4.5.3.1.1 */
#define DAY_S 86400

/* The MAC of `payload` at `domain` for `purpose`, as letters; false when libcrypto refuses. */
static bool make_mac(struct span key, const char *purpose, struct span payload, struct span domain,
                     char out[MAC_LETTERS])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    struct bytes text;
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    bytes_init(&text, 1024);
    bytes_printf(&text, "kith email %s\n", purpose);
    bytes_span(&text, payload);
    bytes_byte(&text, '@');
    for (size_t i = 0; i < domain.size; i++)
        bytes_byte(&text, ascii_lower(domain.data[i]));
    bool is_made =
        text.failed == 0 && HMAC(EVP_sha256(), key.data, (int)key.size,
                                 (const unsigned char *)text.data, text.size, mac, &size) != NULL;
    bytes_deinit(&text);
    for (size_t i = 0; is_made && i < MAC_LETTERS; i++) { /* 5 bits a letter, none left over */
        size_t bit = i * 5;
        unsigned pair = (unsigned)mac[bit / 8] << 8 | mac[bit / 8 + 1];
        out[i] = letters[pair >> (11 - bit % 8) & 31];
    }
    return is_made;
}

static int64_t day_of(int64_t time_s)
{
    return time_s / DAY_S;
}

/* prefix + payload + "." + MAC, all of it a local part. */
static int write_signed(struct span key, const char *purpose, const char *prefix,
                        const char *payload, struct span domain, struct bytes *out,
                        struct fault *fault)
{
    char mac[MAC_LETTERS];
    struct span text = span_of(payload);
    if (key.size < VERP_KEY_MIN || key.size > 1024)
        return fault_set(fault, FAULT_INVALID, "the key of return paths: %zu bytes, not %d to 1024",
                         key.size, VERP_KEY_MIN);
    if (span_of(prefix).size + text.size + 1 + MAC_LETTERS > LOCAL_MAX)
        return fault_set(fault, FAULT_LIMIT, "a return path over %d bytes before \"@\"", LOCAL_MAX);
    if (!make_mac(key, purpose, text, domain, mac))
        return fault_set(fault, FAULT_CRYPTO, "no HMAC-SHA256 for a return path");
    bytes_printf(out, "%s%s.%.*s", prefix, payload, MAC_LETTERS, mac);
    return bytes_check(out, "a return path", fault);
}

int verp_write(struct span key, struct span domain, const struct verp_effect *effect,
               struct bytes *out, struct fault *fault)
{
    char payload[80];
    snprintf(payload, sizeof payload, "%" PRIu64 ".%" PRIu32 ".%" PRIu32 ".%" PRId64, effect->seq,
             effect->n, effect->attempt, day_of(effect->expires_s));
    int rc = write_signed(key, "return path", VERP_PREFIX "+", payload, domain, out, fault);
    if (rc != 0)
        return rc;
    bytes_byte(out, '@');
    bytes_span(out, domain);
    return bytes_check(out, "a return path", fault);
}

int verp_id_write(struct span key, struct span domain, const struct verp_effect *effect,
                  struct bytes *out, struct fault *fault)
{
    char payload[80];
    snprintf(payload, sizeof payload, "%" PRIu64 ".%" PRIu32, effect->seq, effect->n);
    return write_signed(key, "message id", "", payload, domain, out, fault);
}

/* A decimal number without leading zeros up to the next dot. */
static bool take_number(struct span *io_text, uint64_t max, uint64_t *out_number)
{
    size_t size = span_find(*io_text, '.');
    uint64_t number = 0;
    if (size == 0 || size > 20 || size == io_text->size || (io_text->data[0] == '0' && size > 1))
        return false;
    for (size_t i = 0; i < size; i++) {
        if (!ascii_is_digit(io_text->data[i]))
            return false;
        uint64_t digit = (uint64_t)(io_text->data[i] - '0');
        if (number > (max - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *out_number = number;
    *io_text = span_from(*io_text, size + 1);
    return true;
}

/* local@domain of our domain; the local part. */
static bool take_local(struct span address, struct span domain, struct span *out_local)
{
    size_t at = span_find(address, '@');
    if (at == address.size || at > LOCAL_MAX ||
        !span_equal_word(span_from(address, at + 1), domain))
        return false;
    *out_local = (struct span){ address.data, at };
    return true;
}

/* Is what is left the MAC of what stands before it? */
static bool is_signed(struct span key, const char *purpose, struct span whole, struct span mac,
                      struct span domain)
{
    char wanted[MAC_LETTERS + 1] = "", found[MAC_LETTERS];
    struct span payload = { whole.data, whole.size - mac.size - 1 };
    if (mac.size != MAC_LETTERS || key.size < VERP_KEY_MIN ||
        !make_mac(key, purpose, payload, domain, wanted))
        return false;
    for (size_t i = 0; i < MAC_LETTERS; i++)
        found[i] = ascii_lower(mac.data[i]);
    return kith_is_same((struct kith_text){ found, MAC_LETTERS }, wanted);
}

enum verp_verdict verp_read(struct span key, struct span domain, struct span recipient,
                            int64_t now_s, struct verp_effect *out_effect)
{
    struct span local;
    uint64_t seq, n, attempt, day;
    if (!take_local(recipient, domain, &local) || !span_begins_word(local, VERP_PREFIX "+"))
        return VERP_NOT_OURS;
    struct span whole = span_from(local, sizeof VERP_PREFIX), rest = whole;
    if (!take_number(&rest, UINT64_MAX, &seq) || !take_number(&rest, UINT32_MAX, &n) ||
        !take_number(&rest, UINT32_MAX, &attempt) || !take_number(&rest, INT64_MAX / DAY_S, &day) ||
        !is_signed(key, "return path", whole, rest, domain))
        return VERP_FORGED;
    *out_effect = (struct verp_effect){ seq, (uint32_t)n, (uint32_t)attempt, (int64_t)day * DAY_S };
    return day_of(now_s) > (int64_t)day ? VERP_STALE : VERP_VALID;
}

enum verp_verdict verp_id_read(struct span key, struct span domain, struct span message_id,
                               struct verp_effect *out_effect)
{
    struct span local;
    uint64_t seq, n;
    message_id = span_trim(message_id);
    if (message_id.size >= 2 && message_id.data[0] == '<' &&
        message_id.data[message_id.size - 1] == '>')
        message_id = (struct span){ message_id.data + 1, message_id.size - 2 };
    if (!take_local(message_id, domain, &local))
        return VERP_NOT_OURS;
    struct span rest = local;
    if (!take_number(&rest, UINT64_MAX, &seq) || !take_number(&rest, UINT32_MAX, &n))
        return VERP_NOT_OURS;
    if (!is_signed(key, "message id", local, rest, domain))
        return VERP_FORGED;
    *out_effect = (struct verp_effect){ .seq = seq, .n = (uint32_t)n };
    return VERP_VALID;
}
