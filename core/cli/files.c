/* files.c -- files of customers, and signed links: file put, file get, link. */
#include "core/base/json_read.h"
#include "core/base/json_write.h"
#include "core/base/limits.h"
#include "core/cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define READ_BYTES 65536
#define CONTENT_TYPE_BYTES_MAX 127 /* the daemon keeps no longer one */

/* -- Putting ----------------------------------------------------------------------------- */

/* What a name's ending says; a browser that gets the file asks what to do with it. */
static const char *type_of(const char *path)
{
    static const char *const types[][2] = {
        { ".csv", "text/csv" },        { ".gif", "image/gif" },
        { ".jpeg", "image/jpeg" },     { ".jpg", "image/jpeg" },
        { ".m4a", "audio/mp4" },       { ".mp3", "audio/mpeg" },
        { ".mp4", "video/mp4" },       { ".ogg", "audio/ogg" },
        { ".pdf", "application/pdf" }, { ".png", "image/png" },
        { ".txt", "text/plain" },      { ".wav", "audio/wav" },
        { ".webp", "image/webp" },     { ".zip", "application/zip" },
        { ".eml", "message/rfc822" },  { ".json", "application/json" },
    };
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot != NULL && i < sizeof types / sizeof *types; i++)
        if (strcasecmp(dot, types[i][0]) == 0)
            return types[i][1];
    return "application/octet-stream";
}

static int read_file(struct cli *cli, const char *path)
{
    char bytes[READ_BYTES];
    size_t size;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return cli_fail(cli, "cannot read %s: %s", path, strerror(errno));
    buf_clear(&cli->body);
    while (cli->body.size <= FILE_BYTES_MAX && (size = fread(bytes, 1, sizeof bytes, file)) != 0)
        buf_append(&cli->body, bytes, size);
    int error = ferror(file) != 0 ? errno : 0;
    fclose(file);
    if (error != 0)
        return cli_fail(cli, "cannot read %s: %s", path, strerror(error));
    if (cli->body.size > FILE_BYTES_MAX)
        return cli_fail(cli, "%s is larger than a file may be (%u MiB)", path,
                        FILE_BYTES_MAX >> 20);
    return cli->body.size != 0 ? EXIT_DONE : cli_fail(cli, "%s is empty", path);
}

static int put_file(struct cli *cli, const char *path, const char *type, struct doc *out_answer)
{
    int code = read_file(cli, path);
    if (code != EXIT_DONE)
        return code;
    cli->body_type = type != NULL ? type : type_of(path);
    cli_path(cli, "/v1/files", NULL, NULL);
    code = cli_post(cli, out_answer);
    cli->body_type = NULL;
    return code;
}

int cli_put_file(struct cli *cli, const char *path, const char *type, struct buf *out_hash)
{
    struct doc answer = { NULL, 0 };
    int code = put_file(cli, path, type, &answer);
    if (code == EXIT_DONE)
        text_clean(doc_text(answer, "hash"), out_hash);
    return code;
}

/* The hash alone on its line, for the next command. */
int run_file_put(struct cli *cli)
{
    const char *type = args_value(&cli->args, "type");
    struct doc answer = { NULL, 0 };
    if (type != NULL && (type[strcspn(type, "\r\n")] != '\0' || strchr(type, '/') == NULL ||
                         strlen(type) > CONTENT_TYPE_BYTES_MAX)) {
        cli_fail(cli, "--type is written as image/png");
        return EXIT_USAGE;
    }
    int code = put_file(cli, args_argument(&cli->args, 0), type, &answer);
    if (code == EXIT_DONE && cli->is_json) {
        cli_json(cli, answer);
    } else if (code == EXIT_DONE) {
        text_clean(doc_text(answer, "hash"), &cli->out);
        buf_byte(&cli->out, '\n');
    }
    return code;
}

/* -- Getting ----------------------------------------------------------------------------- */

struct download {
    const char *path; /* NULL: standard output */
    FILE *file;
    int error; /* why its last step failed, 0: none has */
};

static bool take_bytes(void *arg, const char *bytes, size_t size)
{
    struct download *download = arg;
    if (download->file == NULL && download->path != NULL)
        download->file = fopen(download->path, "wbx");
    if (download->file == NULL || fwrite(bytes, 1, size, download->file) != size)
        download->error = errno;
    else if (download->path == NULL && fflush(stdout) != 0) /* whoever watches sees it now */
        download->error = errno;
    return download->error == 0;
}

static int end_download(struct cli *cli, struct download *download)
{
    bool was_made = download->file != NULL;
    bool is_whole = was_made && download->error == 0;
    if (is_whole && fflush(download->file) != 0) {
        download->error = errno;
        is_whole = false;
    }
    if (download->path == NULL)
        return is_whole ? EXIT_DONE
                        : cli_fail(cli, "cannot write the result: %s", strerror(download->error));
    if (was_made && fclose(download->file) != 0 && is_whole) {
        download->error = errno;
        is_whole = false;
    }
    if (is_whole)
        return EXIT_DONE;
    if (!was_made)
        return cli_fail_file(cli, "make", download->path, download->error);
    remove(download->path);
    return cli_fail_file(cli, "write", download->path, download->error);
}

/* What is at cli->path, byte by byte as it comes. */
static int download(struct cli *cli)
{
    struct download download = { .path = args_value(&cli->args, "output") };
    struct reply reply;
    struct err err;
    download.file = download.path == NULL ? stdout : NULL;
    if (client_follow(cli->client, buf_string(&cli->path), take_bytes, &download, &reply, &err) !=
        0) {
        if (download.path != NULL && download.file != NULL) {
            fclose(download.file);
            remove(download.path); /* half of it */
        }
        return cli_fail_err(cli, &err);
    }
    if (reply.status != 200)
        return cli_problem(cli, &reply);
    return end_download(cli, &download);
}

int run_file_get(struct cli *cli)
{
    cli_path(cli, "/v1/files/", args_argument(&cli->args, 0), NULL);
    return download(cli);
}

int run_get(struct cli *cli)
{
    const char *path = args_argument(&cli->args, 0);
    if (*path != '/') {
        cli_fail(cli, "\"%s\" is no path: it begins with /, as in kith get /v1/segments", path);
        return EXIT_USAGE;
    }
    cli_path(cli, path, NULL, NULL);
    return download(cli);
}

/* -- Links ------------------------------------------------------------------------------- */

/* An object, as it was typed. */
static bool body_data(struct cli *cli)
{
    const struct json_limits limits = { .depth_max = DOC_DEPTH_MAX };
    const char *data = args_value(&cli->args, "data");
    struct buf bytes = BUF_INIT;
    struct err err = { .code = 0 };
    struct doc doc;
    if (data == NULL)
        return true;
    struct json_reader *reader = json_reader_new();
    bool is_object = json_to_doc(reader, data, strlen(data), &limits, &bytes, &doc, &err) == 0;
    json_reader_free(reader);
    buf_deinit(&bytes);
    if (is_object)
        buf_printf(&cli->body, ",\"data\":%s", data);
    else
        cli_fail(cli, "--data is a JSON object: %s", err.text);
    return is_object;
}

/* PURPOSE/CHANNEL of an option. */
static bool body_consent(struct cli *cli, const char *option, const char *state)
{
    const char *what = args_value(&cli->args, option);
    const char *slash = what != NULL ? strchr(what, '/') : NULL;
    struct buf purpose = BUF_INIT;
    if (what == NULL)
        return true;
    if (slash == NULL || slash == what || slash[1] == '\0') {
        cli_fail(cli, "--%s is PURPOSE/CHANNEL, such as newsletter/email", option);
        return false;
    }
    buf_append(&purpose, what, (size_t)(slash - what));
    body_text(cli, "purpose", buf_string(&purpose));
    body_text(cli, "channel", slash + 1);
    body_text(cli, "state", state);
    buf_deinit(&purpose);
    return true;
}

static bool body_link(struct cli *cli)
{
    static const char *const kinds[] = { "event", "grant", "unsubscribe" };
    size_t count = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        count += args_has(&cli->args, kinds[i]);
    if (count != 1)
        cli_fail(cli, "what is it for? One of --event, --grant, --unsubscribe");
    if (count != 1)
        return false;
    body_text(cli, "event", args_value(&cli->args, "event"));
    body_text(cli, "title", args_value(&cli->args, "title"));
    body_text(cli, "expires", args_value(&cli->args, "expires"));
    return body_data(cli) && body_consent(cli, "grant", "granted") &&
           body_consent(cli, "unsubscribe", "withdrawn");
}

/* The address alone on its line. */
int run_link(struct cli *cli)
{
    struct doc answer = { NULL, 0 };
    struct buf reference = BUF_INIT;
    int code = cli_find_customer(cli, args_argument(&cli->args, 0), &reference);
    if (code == EXIT_DONE) {
        body_open(cli);
        body_text(cli, "customer", buf_string(&reference));
        code = body_link(cli) ? EXIT_DONE : EXIT_USAGE;
        body_close(cli);
    }
    buf_deinit(&reference);
    if (code != EXIT_DONE)
        return code;
    cli_path(cli, "/v1/links", NULL, NULL);
    code = cli_answer(cli, "POST", &answer);
    if (code == EXIT_DONE && !cli->is_json) {
        text_clean(doc_text(answer, "url"), &cli->out);
        buf_byte(&cli->out, '\n');
    }
    return code;
}
