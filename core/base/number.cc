/* number.cc -- doubles and decimal text; see number.h.
 *
 * std::to_chars picks the shorter of the plain and the scientific form and so
 * writes 100000 as 1e+05.  People who read JSON expect whole numbers whole, hence
 * the detour over integers for those that a double holds to the last digit.
 */
#include "core/base/number.h"

#include <charconv>
#include <cmath>
#include <cstdint>

constexpr double whole_max = 1e15; /* below it every whole number is a double */

bool number_parse(const char *text, size_t size, double *out_number)
{
    double number = 0;
    bool has_digit = size > 0 && (text[size - 1] >= '0' && text[size - 1] <= '9');
    auto [end, error] = std::from_chars(text, text + size, number);
    if (!has_digit || error != std::errc{} || end != text + size)
        return false;
    *out_number = number;
    return true;
}

size_t number_format(double number, char out_text[NUMBER_TEXT_SIZE])
{
    char *last = out_text + NUMBER_TEXT_SIZE - 1;
    bool is_whole = std::fabs(number) < whole_max && std::trunc(number) == number;
    auto end = is_whole ? std::to_chars(out_text, last, static_cast<int64_t>(number)).ptr
                        : std::to_chars(out_text, last, number).ptr;
    *end = '\0';
    return static_cast<size_t>(end - out_text);
}
