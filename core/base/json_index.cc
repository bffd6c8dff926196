/* json_index.cc -- simdjson's first stage; see json_index.h.
 *
 * simdjson works in two stages: the first finds the tokens, the second builds a
 * tree or feeds an iterator.  Neither second stage suits us: the tree refuses
 * integers beyond 64 bits, which are valid JSON; the iterator does not check what
 * it skips, and compiled for all machines it runs without vector instructions.
 * The first stage is chosen at run time for the machine, and is where the speed is.
 *
 * No exception gets out: memory is asked for by the functions that return a code,
 * and having none ends the process as it does everywhere.
 */
#include "core/base/json_index.h"

#include <simdjson.h>

#include <cstdlib>
#include <new>

namespace
{

constexpr size_t capacity_min = 64 * 1024;

} // namespace

struct json_index {
    simdjson::dom::parser parser;
};

struct json_index *json_index_new(void)
{
    auto *index = new (std::nothrow) json_index;
    if (index == nullptr)
        std::abort();
    return index;
}

void json_index_free(struct json_index *index)
{
    delete index;
}

/* Room for `size` bytes; grows by doubling, never shrinks. */
static void reserve(simdjson::dom::parser &parser, size_t size)
{
    size_t capacity = parser.implementation ? parser.implementation->capacity() : 0;
    if (capacity >= size)
        return;
    capacity = capacity != 0 ? capacity : capacity_min;
    while (capacity < size)
        capacity *= 2;
    if (parser.allocate(capacity, 1) != simdjson::SUCCESS)
        std::abort();
}

bool json_index_build(struct json_index *index, const char *text, size_t size,
                      const uint32_t **out_tokens, size_t *out_count)
{
    reserve(index->parser, size);
    auto &stage = *index->parser.implementation;
    const auto *bytes = reinterpret_cast<const uint8_t *>(text);
    if (stage.stage1(bytes, size, simdjson::stage1_mode::regular) != simdjson::SUCCESS)
        return false;
    *out_tokens = stage.structural_indexes.get();
    *out_count = stage.n_structural_indexes;
    return true;
}
