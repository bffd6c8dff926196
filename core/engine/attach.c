/* attach.c -- files that go out with a message.
 *
 * A message names files as an event does, by their hashes; the bytes lie beside the log, and the
 * channel reads them when it writes the message.  So an effect stays small, and a file that has
 * gone with somebody's erasure until then goes out with nothing any more.
 */
#include "core/base/limits.h"
#include "core/base/utf8.h"
#include "core/engine/engine_inside.h"

#define HASH_DIGITS 64

static bool is_hash(struct text text)
{
    for (uint32_t i = 0; i < text.size; i++)
        if ((text.data[i] < '0' || text.data[i] > '9') &&
            (text.data[i] < 'a' || text.data[i] > 'f'))
            return false;
    return text.size == HASH_DIGITS;
}

/* One that a mail program can save it under: no folder, nothing that cannot be seen. */
static bool is_file_name(struct text name)
{
    for (uint32_t i = 0; i < name.size; i++)
        if ((unsigned char)name.data[i] < ' ' || name.data[i] == '\x7f' || name.data[i] == '/' ||
            name.data[i] == '\\')
            return false;
    return name.size <= NAME_BYTES_MAX;
}

struct file_given {
    struct text hash, name;
};

static struct file_given read_file(const struct doc_value *given)
{
    struct doc file = given->type == DOC_DOC ? given->doc : (struct doc){ NULL, 0 };
    bool is_bare = given->type == DOC_TEXT;
    return (struct file_given){ is_bare ? given->text : doc_text(file, "hash"),
                                doc_text(file, "name") };
}

static int check_file(struct file_given file, struct err *err)
{
    if (!is_hash(file.hash))
        return err_set(err, E_INVALID,
                       "send: attach is a list of files, each { hash = \"9f2c...\", name = "
                       "\"offer.pdf\" } with the 64 digits of its hash, as events name them");
    if (!is_file_name(file.name))
        return err_set(err, E_INVALID,
                       "send: the name of a file has at most %d bytes, no slash and no control "
                       "characters",
                       NAME_BYTES_MAX);
    return 0;
}

int step_attach_check(const struct doc_value *given, struct err *err)
{
    int rc = 0;
    if (given->type != DOC_ARRAY && (given->type != DOC_DOC || doc_count(given->doc) != 0))
        return err_set(err, E_INVALID, "send: attach is a list of files");
    if (doc_count(given->doc) > EFFECT_FILES_MAX)
        return err_set(err, E_LIMIT, "send: a message has at most %d files", EFFECT_FILES_MAX);
    for (struct doc_iter it = doc_iter(given->doc); rc == 0 && doc_next(&it);)
        rc = check_file(read_file(&it.value), err);
    return rc;
}

static void put_files(struct doc_writer *w, struct doc list)
{
    doc_open_array(w, "attach");
    for (struct doc_iter it = doc_iter(list); doc_next(&it);) {
        struct file_given file = read_file(&it.value);
        doc_open(w, "");
        doc_put_text(w, "hash", file.hash);
        doc_put_present(w, "name", file.name);
        doc_close(w);
    }
    doc_close(w);
}

int step_attach(struct step *step, struct text channel, const struct doc_value *given,
                struct doc *io_content, struct err *err)
{
    const struct channel_config *config = config_channel(&step->engine->config, channel);
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    int rc = step_attach_check(given, err);
    if (rc != 0 || doc_count(given->doc) == 0)
        return rc;
    if (config != NULL && !config->takes_files)
        return err_set(err, E_INVALID, "send: the channel \"%s\" takes no files", config->name);
    doc_begin(&w, &bytes);
    for (struct doc_iter it = doc_iter(*io_content); doc_next(&it);)
        doc_put_value_text(&w, it.name, &it.value);
    put_files(&w, given->doc);
    *io_content = arena_doc(&step->engine->arena, doc_end(&w));
    buf_deinit(&bytes);
    return 0;
}
