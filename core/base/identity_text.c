/* identity_text.c -- e-mail addresses, plain ones by hand and others with ICU.
 *
 * Nearly every address is ASCII and is checked and copied in one pass.  For the
 * rest, the local part goes through Unicode's case folding for identifiers
 * (NFKC_Casefold, which also unites full-width forms and drops what is
 * invisible) and the domain through UTS 46, the mapping that browsers use,
 * which checks labels and lengths as well.
 *
 * A local part in quotes ("ann smith"@example.com) and a domain in brackets
 * (ann@[192.0.2.1]) are legal on the wire and never what a customer types; they
 * are refused rather than half supported.
 */
#include "core/base/identity_text.h"

#include "core/base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/uidna.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>
#include <unicode/uversion.h>

#define TEXT_MAX 1024 /* bytes, with the blanks around it */
#define LOCAL_MAX 64 /* bytes of the local part, as SMTP has it */
#define LABEL_MAX 63 /* bytes between two dots of a domain */
#define FOLDED_SIZE (IDENTITY_EMAIL_SIZE * 4)

/* What no local part holds unquoted, besides blanks. */
#define FORBIDDEN "\"(),:;<>@[\\]"

/* U+FF20, what a Chinese or Japanese keyboard types for @. */
#define AT_FULLWIDTH "\xef\xbc\xa0"

/* A part of the caller's text. */
struct part {
    const char *text;
    size_t size;
};

static bool is_blank(UChar32 c)
{
    return u_isUWhiteSpace(c) || u_iscntrl(c) ||
           u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT);
}

static struct part trim(const char *text, size_t size)
{
    const uint8_t *bytes = (const uint8_t *)text;
    int32_t start = 0, end = (int32_t)size;
    for (int32_t next = 0; start < end; start = next) {
        UChar32 c = 0;
        U8_NEXT(bytes, next, end, c);
        if (c < 0 || !is_blank(c))
            break;
    }
    for (int32_t before = end; end > start; end = before) {
        UChar32 c = 0;
        U8_PREV(bytes, start, before, c);
        if (c < 0 || !is_blank(c))
            break;
    }
    return (struct part){ text + start, (size_t)(end - start) };
}

static bool is_ascii(struct part part)
{
    for (size_t i = 0; i < part.size; i++)
        if ((uint8_t)part.text[i] >= 0x80)
            return false;
    return true;
}

static bool is_utf8(struct part part)
{
    UErrorCode status = U_ZERO_ERROR;
    u_strFromUTF8(NULL, 0, NULL, part.text, (int32_t)part.size, &status);
    return status == U_BUFFER_OVERFLOW_ERROR || U_SUCCESS(status);
}

/* The size of the @ at `at`, 0 if there is none. */
static size_t at_sign(const char *at, size_t left)
{
    size_t wide = sizeof AT_FULLWIDTH - 1;
    if (*at == '@')
        return 1;
    return left >= wide && memcmp(at, AT_FULLWIDTH, wide) == 0 ? wide : 0;
}

/* Returns a reason, or NULL. */
static const char *split(struct part whole, struct part *local, struct part *domain)
{
    size_t found = 0;
    for (size_t i = 0; i < whole.size; i++) {
        size_t size = at_sign(whole.text + i, whole.size - i);
        if (size == 0)
            continue;
        if (++found > 1)
            return "more than one @: write one address alone";
        *local = (struct part){ whole.text, i };
        *domain = (struct part){ whole.text + i + size, whole.size - i - size };
    }
    return found == 0 ? "no @" : NULL;
}

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

static const char *check_local(const char *local, size_t size)
{
    if (size == 0)
        return "nothing before the @";
    if (size > LOCAL_MAX)
        return "more than 64 bytes before the @";
    for (size_t i = 0; i < size; i++)
        if ((uint8_t)local[i] <= ' ' || local[i] == 0x7f ||
            memchr(FORBIDDEN, local[i], sizeof FORBIDDEN - 1) != NULL)
            return "a blank, quote or bracket before the @: write the address alone";
    return NULL;
}

/* Write the local part in its one spelling; *used is its size. */
static const char *fold_local(struct part local, char *out, size_t *used)
{
    UErrorCode status = U_ZERO_ERROR;
    UChar wide[IDENTITY_EMAIL_SIZE], folded[FOLDED_SIZE];
    int32_t size = 0;

    if (is_ascii(local)) {
        for (size_t i = 0; i < local.size && i < LOCAL_MAX; i++)
            out[i] = lower(local.text[i]);
        *used = local.size;
        return check_local(out, local.size);
    }
    u_strFromUTF8(wide, IDENTITY_EMAIL_SIZE, &size, local.text, (int32_t)local.size, &status);
    const UNormalizer2 *folding = unorm2_getNFKCCasefoldInstance(&status);
    size = unorm2_normalize(folding, wide, size, folded, FOLDED_SIZE, &status);
    for (int32_t i = 0; U_SUCCESS(status) && i < size; i++)
        if (is_blank(folded[i]))
            return "a blank before the @";
    u_strToUTF8(out, LOCAL_MAX, &size, folded, size, &status);
    if (status == U_BUFFER_OVERFLOW_ERROR)
        return "more than 64 bytes before the @";
    if (U_FAILURE(status))
        return "letters that cannot be compared before the @";
    *used = (size_t)size;
    return check_local(out, *used);
}

static bool is_label_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-';
}

static const char *check_label(const char *label, size_t size)
{
    if (size == 0)
        return "two dots in a row, or one at an end, in the domain";
    if (size > LABEL_MAX)
        return "more than 63 bytes between two dots of the domain";
    if (label[0] == '-' || label[size - 1] == '-')
        return "a hyphen at the edge of a part of the domain";
    for (size_t i = 0; i < size; i++)
        if (!is_label_byte(label[i]))
            return "a character in the domain that no domain has";
    return NULL;
}

/* Check a domain in lower-case ASCII. */
static const char *check_domain(const char *domain, size_t size)
{
    size_t start = 0, labels = 0;
    bool is_number = true;
    for (size_t i = 0; i <= size; i++) {
        if (i < size && domain[i] != '.')
            continue;
        const char *why = check_label(domain + start, i - start);
        if (why != NULL)
            return why;
        is_number = start < size && domain[start] >= '0' && domain[start] <= '9';
        labels++;
        start = i + 1;
    }
    if (labels < 2)
        return "no dot in the domain";
    return is_number ? "a domain that ends in a number" : NULL;
}

static bool has_punycode(const char *domain, size_t size)
{
    for (size_t i = 0; i + 4 <= size; i++)
        if ((i == 0 || domain[i - 1] == '.') && memcmp(domain + i, "xn--", 4) == 0)
            return true;
    return false;
}

/* Write the domain through UTS 46, which also proves that xn-- labels are what
 * they say. */
static const char *map_domain(struct part domain, char out[IDENTITY_EMAIL_SIZE], size_t *used)
{
    UErrorCode status = U_ZERO_ERROR;
    UIDNAInfo info = UIDNA_INFO_INITIALIZER;
    uint32_t options = UIDNA_USE_STD3_RULES | UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ |
                       UIDNA_NONTRANSITIONAL_TO_ASCII;
    UIDNA *idna = uidna_openUTS46(options, &status);
    int32_t size = uidna_nameToASCII_UTF8(idna, domain.text, (int32_t)domain.size, out,
                                          IDENTITY_EMAIL_MAX, &info, &status);
    uidna_close(idna);
    if (U_FAILURE(status) || info.errors != 0)
        return "a domain that breaks the rules of international names";
    *used = (size_t)size;
    return NULL;
}

static const char *write_domain(struct part domain, char out[IDENTITY_EMAIL_SIZE], size_t *used)
{
    const char *why = NULL;
    if (domain.size == 0)
        return "nothing after the @";
    *used = domain.size;
    for (size_t i = 0; i < domain.size; i++)
        out[i] = lower(domain.text[i]);
    if (!is_ascii(domain) || has_punycode(out, domain.size))
        why = map_domain(domain, out, used);
    return why != NULL ? why : check_domain(out, *used);
}

static const char *normalise(struct part whole, char out_email[IDENTITY_EMAIL_SIZE])
{
    struct part local = { NULL, 0 }, domain = { NULL, 0 };
    char left[LOCAL_MAX], right[IDENTITY_EMAIL_SIZE];
    size_t left_size = 0, right_size = 0;

    if (whole.size == 0)
        return "empty";
    if (whole.size > IDENTITY_EMAIL_MAX)
        return "longer than 254 bytes";
    if (!is_ascii(whole) && !is_utf8(whole))
        return "not UTF-8";
    const char *why = split(whole, &local, &domain);
    if (why == NULL)
        why = fold_local(local, left, &left_size);
    if (why == NULL)
        why = write_domain(domain, right, &right_size);
    if (why != NULL)
        return why;
    if (left_size + 1 + right_size > IDENTITY_EMAIL_MAX)
        return "longer than 254 bytes";

    memcpy(out_email, left, left_size);
    out_email[left_size] = '@';
    memcpy(out_email + left_size + 1, right, right_size);
    out_email[left_size + 1 + right_size] = '\0';
    return NULL;
}

int identity_email(const char *text, size_t size, char out_email[IDENTITY_EMAIL_SIZE],
                   struct err *err)
{
    const char *why =
        size > TEXT_MAX ? "longer than 254 bytes" : normalise(trim(text, size), out_email);
    if (why != NULL)
        return err_set(err, E_INVALID, "e-mail address: %s", why);
    return 0;
}

void identity_icu_version(char out_version[IDENTITY_VERSION_SIZE])
{
    _Static_assert(IDENTITY_VERSION_SIZE >= U_MAX_VERSION_STRING_LENGTH, "it must fit");
    UVersionInfo version;
    u_getVersion(version);
    u_versionToString(version, out_version);
}
