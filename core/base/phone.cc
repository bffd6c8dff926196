/* phone.cc -- telephone numbers, by libphonenumber.
 *
 * The rules of 240 countries (trunk prefixes, lengths, which zero belongs to the
 * number) are data that others maintain; this file only decides what we accept.
 * It is the one file in C++, because the library is.  What
 * calls the library is noexcept: it throws only when memory runs out, and then
 * the process stops here as it does everywhere else.
 *
 * A number costs the library a dozen regular expressions, and one event asks for
 * its number two or three times: half of what a new customer costs.  So each
 * thread remembers what came of the last numbers.  The result depends on the
 * arguments alone, so nobody can tell.
 */
#include "core/base/phone.h"

extern "C" {
#include "core/base/err.h"
}

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <phonenumbers/phonenumberutil.h>
#include <set>
#include <string>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

/* The prolonged sound mark of Japanese, a letter to Unicode, is written for a
 * hyphen. */
static const UChar32 KATAKANA_DASH = 0x30fc;

/* Returns a reason, or NULL. */
static const char *check_text(const std::string &text)
{
    const uint8_t *bytes = reinterpret_cast<const uint8_t *>(text.data());
    const int32_t size = static_cast<int32_t>(text.size());
    for (int32_t i = 0; i < size;) {
        UChar32 c = 0;
        U8_NEXT(bytes, i, size, c);
        if (c <= 0)
            return "not UTF-8 text";
        if (u_isalpha(c) && c != KATAKANA_DASH)
            return "letters in it: write the digits alone, without words or extension";
    }
    return nullptr;
}

static const char *why_unreadable(PhoneNumberUtil::ErrorType error, const char *region)
{
    switch (error) {
    case PhoneNumberUtil::NO_PARSING_ERROR:
        return nullptr;
    case PhoneNumberUtil::INVALID_COUNTRY_CODE_ERROR:
        return region == nullptr ? "without + and country code, and no default region"
                                 : "a country code that no country has";
    case PhoneNumberUtil::TOO_SHORT_AFTER_IDD:
    case PhoneNumberUtil::TOO_SHORT_NSN:
        return "too few digits";
    case PhoneNumberUtil::TOO_LONG_NSN:
        return "too many digits";
    default:
        return "no telephone number";
    }
}

static const char *why_impossible(PhoneNumberUtil::ValidationResult result)
{
    switch (result) {
    case PhoneNumberUtil::IS_POSSIBLE:
        return nullptr;
    case PhoneNumberUtil::IS_POSSIBLE_LOCAL_ONLY:
        return "without its area code";
    case PhoneNumberUtil::TOO_SHORT:
        return "too few digits for its country";
    case PhoneNumberUtil::TOO_LONG:
        return "too many digits for its country";
    case PhoneNumberUtil::INVALID_COUNTRY_CODE:
        return "a country code that no country has";
    default:
        return "a number of digits that its country does not have";
    }
}

/* A number on a web page or a business card can be a link. */
static std::string without_scheme(const char *text, size_t size)
{
    static const char scheme[] = "tel:";
    const size_t skipped = sizeof scheme - 1;
    if (size >= skipped && memcmp(text, scheme, skipped) == 0)
        return std::string(text + skipped, size - skipped);
    return std::string(text, size);
}

static const char *read(const std::string &text, const char *region, PhoneNumber *number)
{
    const PhoneNumberUtil *util = PhoneNumberUtil::GetInstance();
    if (region != nullptr && util->GetCountryCodeForRegion(region) == 0)
        return "its default region is none: write two capital letters, such as DE";
    const char *why = check_text(text);
    if (why == nullptr)
        why = why_unreadable(util->Parse(text, region == nullptr ? "ZZ" : region, number), region);
    if (why == nullptr && number->has_extension())
        why = "an extension: only a number of its own tells who somebody is";
    if (why == nullptr)
        why = why_impossible(util->IsPossibleNumberWithReason(*number));
    return why;
}

static const char *normalise(const char *text, size_t size, const char *region,
                             char out_phone[PHONE_SIZE]) noexcept
{
    PhoneNumber number;
    std::string e164;
    if (size > PHONE_TEXT_MAX)
        return "longer than 64 bytes";
    const char *why = read(without_scheme(text, size), region, &number);
    if (why != nullptr)
        return why;
    PhoneNumberUtil::GetInstance()->Format(number, PhoneNumberUtil::E164, &e164);
    if (e164.size() >= PHONE_SIZE)
        return "more than 15 digits";
    memcpy(out_phone, e164.c_str(), e164.size() + 1);
    return nullptr;
}

/* -- What was asked lately ------------------------------------------------------ */

struct memo {
    uint8_t size; /* 1 + that of the text; 0: nothing yet */
    char text[PHONE_TEXT_MAX];
    char region[3]; /* "": none */
    char phone[PHONE_SIZE];
    const char *why; /* it is refused; else NULL */
};

static const size_t MEMOS = 64;

static struct memo *find_memo(const char *text, size_t size)
{
    static thread_local struct memo memos[MEMOS];
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ static_cast<unsigned char>(text[i])) * 16777619U;
    return &memos[(hash ^ hash >> 16) % MEMOS];
}

static bool is_memo_of(const struct memo *memo, const char *text, size_t size, const char *region)
{
    return memo->size == 1 + size && memcmp(memo->text, text, size) == 0 &&
           strcmp(memo->region, region) == 0;
}

static const char *normalise_or_remember(const char *text, size_t size, const char *region,
                                         char out_phone[PHONE_SIZE])
{
    const char *named = region == nullptr ? "" : region;
    if (size > PHONE_TEXT_MAX || strlen(named) >= sizeof(memo::region) ||
        (region != nullptr && region[0] == '\0'))
        return normalise(text, size, region, out_phone);
    struct memo *memo = find_memo(text, size);
    if (!is_memo_of(memo, text, size, named)) {
        memo->size = static_cast<uint8_t>(1 + size);
        memcpy(memo->text, text, size);
        memcpy(memo->region, named, strlen(named) + 1);
        memo->why = normalise(text, size, region, memo->phone);
    }
    if (memo->why == nullptr)
        memcpy(out_phone, memo->phone, PHONE_SIZE);
    return memo->why;
}

int phone_normalise(const char *text, size_t size, const char *region, char out_phone[PHONE_SIZE],
                    struct err *err)
{
    const char *why = normalise_or_remember(text, size, region, out_phone);
    return why == nullptr ? 0 : err_set(err, E_INVALID, "telephone number: %s", why);
}

/* FNV-1a, 64 bits. */
static void mix(uint64_t *hash, const std::string &text)
{
    for (const char byte : text + '\n') {
        *hash ^= static_cast<unsigned char>(byte);
        *hash *= UINT64_C(0x100000001b3);
    }
}

/* An example of each kind of number shows lengths, prefixes and ranges. */
static void mix_region(uint64_t *hash, const PhoneNumberUtil *util, const std::string &region)
{
    std::string prefix;
    std::set<PhoneNumberUtil::PhoneNumberType> types;
    util->GetNddPrefixForRegion(region, false, &prefix);
    util->GetSupportedTypesForRegion(region, &types);
    mix(hash, region + std::to_string(util->GetCountryCodeForRegion(region)) + prefix);
    for (const PhoneNumberUtil::PhoneNumberType type : types) {
        PhoneNumber number;
        std::string e164;
        if (util->GetExampleNumberForType(region, type, &number))
            util->Format(number, PhoneNumberUtil::E164, &e164);
        mix(hash, std::to_string(type) + e164);
    }
}

static std::string fingerprint() noexcept
{
    const PhoneNumberUtil *util = PhoneNumberUtil::GetInstance();
    std::set<std::string> regions;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    char text[40];

    util->GetSupportedRegions(&regions);
    for (const std::string &region : regions)
        mix_region(&hash, util, region);
    snprintf(text, sizeof text, "libphonenumber-%016" PRIx64, hash);
    return text;
}

const char *phone_library_version(void)
{
    static const std::string version = fingerprint();
    return version.c_str();
}
