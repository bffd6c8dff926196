/* input.c -- see input.h.
 *
 * A file that changes while it is imported is the sender's mistake; it is noticed by its
 * size, because an id must never name two rows.
 */
#include "core/cli/input.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/cli/encoding.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES 65536

struct input {
    int fd;
    char *path;
    struct decoder *decoder;
    uint64_t size, at;
    bool is_over;
    bool is_workbook; /* of Excel, or any other archive */
    bool has_mark;    /* of UTF-8, in front */
    char first;
    char hash[HEX_SIZE(DIGEST_16_BYTES)];
    uint8_t bytes[READ_BYTES];
};

/* Returns how many bytes lie in input->bytes, or E_IO. */
static ssize_t read_bytes(struct input *input, struct err *err)
{
    ssize_t size;
    do
        size = read(input->fd, input->bytes, sizeof input->bytes);
    while (size < 0 && errno == EINTR);
    return size >= 0 ? size
                     : err_set(err, E_IO, "cannot read %.200s: %s", input->path, strerror(errno));
}

static void find_first(struct input *input, size_t size)
{
    input->has_mark = size >= 3 && memcmp(input->bytes, "\xef\xbb\xbf", 3) == 0;
    size_t i = input->has_mark ? 3 : 0;
    while (i < size && strchr(" \t\r\n", input->bytes[i]) != NULL)
        i++;
    input->first = i < size ? (char)input->bytes[i] : '\0';
}

/* How .xlsx (and all of ZIP) and .xls begin. */
static bool begins_like_workbook(const uint8_t *bytes, size_t size)
{
    return size >= 4 &&
           (memcmp(bytes, "PK\3\4", 4) == 0 || memcmp(bytes, "\xd0\xcf\x11\xe0", 4) == 0);
}

static int survey(struct input *input, const char *encoding, struct err *err)
{
    struct digest digest;
    struct guess guess = { 0 };
    uint8_t hash[DIGEST_16_BYTES];
    ssize_t size;
    digest_init(&digest, sizeof hash);
    while ((size = read_bytes(input, err)) > 0) {
        if (input->size == 0) {
            find_first(input, (size_t)size);
            input->is_workbook = begins_like_workbook(input->bytes, (size_t)size);
        }
        digest_update(&digest, input->bytes, (size_t)size);
        if (encoding == NULL)
            guess_add(&guess, input->bytes, (size_t)size);
        input->size += (uint64_t)size;
    }
    if (size < 0)
        return E_IO;
    digest_final(&digest, hash);
    hex_encode(hash, sizeof hash, input->hash);
    if (lseek(input->fd, 0, SEEK_SET) != 0)
        return err_set(err, E_IO, "cannot read %.200s again: %s", input->path, strerror(errno));
    const char *name = encoding != NULL ? encoding : guess_name(&guess);
    if (input->has_mark)
        name = "UTF-8";
    if (input->is_workbook)
        return err_set(err, E_INVALID,
                       "%.160s is a workbook: save it as \"CSV UTF-8\" in Excel, "
                       "or as CSV",
                       input->path);
    if (name == NULL)
        return err_set(
            err, E_INVALID,
            "%.160s is neither UTF-8 nor GB18030: say its --encoding; what Excel saves as "
            "\"CSV\" in Western Europe is windows-1252",
            input->path);
    return decoder_new(name, &input->decoder, err);
}

int input_open(const char *path, const char *encoding, struct input **out_input, struct err *err)
{
    struct stat stat;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, errno == ENOENT ? E_NOTFOUND : E_IO, "cannot open %.200s: %s", path,
                       strerror(errno));
    if (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode)) {
        close(fd);
        return err_set(err, E_INVALID, "%.200s is not a regular file", path);
    }
    struct input *input = mem_zero(sizeof *input);
    input->fd = fd;
    input->path = mem_string(path);
    int rc = survey(input, encoding, err);
    if (rc != 0) {
        input_close(input);
        return rc;
    }
    *out_input = input;
    return 0;
}

void input_close(struct input *input)
{
    if (input == NULL)
        return;
    decoder_free(input->decoder);
    close(input->fd);
    free(input->path);
    free(input);
}

int input_read(void *arg, struct buf *out, struct err *err)
{
    struct input *input = arg;
    size_t before = out->size;
    while (out->size == before && !input->is_over) {
        ssize_t size = read_bytes(input, err);
        if (size < 0)
            return E_IO;
        input->at += (uint64_t)size;
        input->is_over = size == 0;
        if (input->is_over && input->at != input->size)
            return err_set(err, E_IO, "%.200s has changed while it was read", input->path);
        decoder_add(input->decoder, input->bytes, (size_t)size, input->is_over, out);
    }
    return out->size != before;
}

const char *input_hash(const struct input *input)
{
    return input->hash;
}

const char *input_encoding(const struct input *input)
{
    return decoder_name(input->decoder);
}

bool input_is_utf8(const struct input *input)
{
    return decoder_is_utf8(input->decoder);
}

bool input_has_mark(const struct input *input)
{
    return input->has_mark;
}

uint64_t input_size(const struct input *input)
{
    return input->size;
}

uint64_t input_at(const struct input *input)
{
    return input->at;
}

char input_first(const struct input *input)
{
    return input->first;
}
