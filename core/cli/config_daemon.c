/* config_daemon.c -- see config_daemon.h. */
#include "core/cli/config_daemon.h"

#include "core/base/buf.h"
#include "core/script/settings.h"

#include <string.h>

/* One that listens everywhere is heard of here. */
static void put_host(struct buf *out, const char *host)
{
    if (strcmp(host, "0.0.0.0") == 0)
        buf_text(out, "127.0.0.1");
    else if (strcmp(host, "::") == 0)
        buf_text(out, "[::1]");
    else
        buf_printf(out, strchr(host, ':') != NULL ? "[%s]" : "%s", host);
}

/* A certificate is of the public name. */
static void put_url(struct buf *out, const struct settings *settings)
{
    if (settings->cert != NULL && settings->url != NULL) {
        buf_text(out, settings->url);
        return;
    }
    buf_text(out, settings->cert != NULL ? "https://" : "http://");
    put_host(out, settings->host);
    buf_printf(out, ":%u", settings->port);
}

int config_daemon(const char *path, struct buf *out_url, struct buf *out_key_file, struct err *err)
{
    struct settings settings;
    settings_init(&settings);
    int rc = settings_load(&settings, path, err);
    if (rc == 0)
        put_url(out_url, &settings);
    if (rc == 0 && settings.data != NULL)
        buf_printf(out_key_file, "%s/admin.key", settings.data);
    settings_deinit(&settings);
    return rc;
}
