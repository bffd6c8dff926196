/* test_settings.c -- what kith.lua may say, and how it is told that it may not.
 *
 * Each test writes one file into a directory of its own and reads it.
 */
#include "core/base/err.h"
#include "core/base/json_write.h"
#include "core/engine/config.h"
#include "core/script/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
    char dir[64], path[80];
    struct settings settings;
    struct err err;
    int rc;
};

static void begin(struct place *place, const char *text)
{
    *place = (struct place){ .rc = 0 };
    snprintf(place->dir, sizeof place->dir, "/tmp/kith-settings-XXXXXX");
    assert_non_null(mkdtemp(place->dir));
    snprintf(place->path, sizeof place->path, "%s/kith.lua", place->dir);
    FILE *file = fopen(place->path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    settings_init(&place->settings);
    place->rc = settings_load(&place->settings, place->path, &place->err);
    if (place->rc == 0)
        settings_finish(&place->settings);
}

static void end(struct place *place)
{
    settings_deinit(&place->settings);
    unlink(place->path);
    rmdir(place->dir);
}

static void check_refused(const char *text, const char *where_and_why)
{
    struct place place;
    begin(&place, text);
    assert_int_not_equal(place.rc, 0);
    if (strstr(place.err.text, where_and_why) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", place.err.text, where_and_why);
    end(&place);
}

static void check_config(const char *text, const char *json)
{
    struct place place;
    struct buf out = BUF_INIT;
    begin(&place, text);
    if (place.rc != 0)
        fail_msg("%s", place.err.text);
    json_write_doc(&out, place.settings.config);
    assert_string_equal(buf_string(&out), json);
    buf_deinit(&out);
    end(&place);
}

static void an_empty_file_gives_the_defaults(void **state)
{
    struct place place;
    (void)state;
    begin(&place, "");
    assert_int_equal(place.rc, 0);
    assert_string_equal(place.settings.host, "127.0.0.1");
    assert_int_equal(place.settings.port, 8077);
    assert_null(place.settings.data);
    assert_null(place.settings.scripts);
    assert_null(place.settings.cert);
    end(&place);
    check_config("", "{\"zone\":\"UTC\",\"channels\":{\"log\":"
                     "{\"address\":false,\"idempotent\":false}}}");
}

static void every_word_is_understood(void **state)
{
    struct place place;
    (void)state;
    begin(&place, "listen { '0.0.0.0:8443', cert = '/etc/c.pem', key = '/etc/k.pem' }\n"
                  "data '/var/lib/kith'\nscripts '/etc/kith/scripts'\n"
                  "url 'https://crm.example.com/'\nzone 'Europe/Berlin'\ncountry 'DE'\n"
                  "fallback 'sales'\nchannel 'log' { file = '/var/log/messages' }\n"
                  "limits { derived = 2000 }\nblocked { 'guest', '0' }\n");
    if (place.rc != 0)
        fail_msg("%s", place.err.text);
    assert_string_equal(place.settings.host, "0.0.0.0");
    assert_int_equal(place.settings.port, 8443);
    assert_string_equal(place.settings.cert, "/etc/c.pem");
    assert_string_equal(place.settings.key, "/etc/k.pem");
    assert_string_equal(place.settings.data, "/var/lib/kith");
    assert_string_equal(place.settings.scripts, "/etc/kith/scripts");
    assert_string_equal(place.settings.url, "https://crm.example.com");
    assert_string_equal(place.settings.zone, "Europe/Berlin");
    assert_string_equal(place.settings.log_file, "/var/log/messages");
    struct config config;
    assert_int_equal(config_read(&config, place.settings.config, NULL), 0);
    assert_string_equal(config.country, "DE");
    assert_string_equal(config.fallback, "sales");
    assert_int_equal(config.limits.derived, 2000);
    assert_int_equal(config.blocked_count, 2);
    assert_non_null(config_channel(&config, text_of("log")));
    end(&place);
}

static void a_channel_is_declared_in_both_forms_of_a_call(void **state)
{
    (void)state;
    static const char *const texts[] = { "channel 'log' { file = '/a' }",
                                         "channel('log', { file = '/a' })" };
    for (size_t i = 0; i < 2; i++) {
        struct place place;
        begin(&place, texts[i]);
        if (place.rc != 0)
            fail_msg("%s", place.err.text);
        assert_string_equal(place.settings.log_file, "/a");
        end(&place);
    }
}

static void equal_files_give_an_equal_config(void **state)
{
    const char *json = "{\"zone\":\"UTC\",\"country\":\"CN\",\"channels\":{\"log\":{\"address\":"
                       "false,\"idempotent\":false}},\"limits\":{\"derived\":7,\"group\":9}}";
    (void)state;
    check_config("country 'CN' limits { derived = 7, group = 9 }", json);
    check_config("limits { group = 9, derived = 7 } country 'CN'", json);
}

static void a_relative_path_starts_at_the_file(void **state)
{
    struct place place;
    char expected[100];
    (void)state;
    begin(&place, "data 'data'");
    assert_int_equal(place.rc, 0);
    snprintf(expected, sizeof expected, "%s/data", place.dir);
    assert_string_equal(place.settings.data, expected);
    end(&place);
}

static void a_channel_of_a_plugin_is_not_said_here_and_the_way_out_is_told(void **state)
{
    (void)state;
    check_refused(
        "\nchannel 'hooks' { kind = 'webhook', url = 'https://a.b', secret = secret 'x' }",
        "kith.lua:2: channel \"hooks\": all but \"log\" are plugins'; a webhook is "
        "plugin \"webhook\" { grant = {");
    check_refused("channel('erp', { kind = 'webhook' })", "config = { receivers = { NAME = { url");
    check_refused("channel 'email'", "docs/webhooks.md");
}

static void a_mistake_is_told_with_its_line(void **state)
{
    (void)state;
    check_refused("data '/a'\nlisten 'nowhere'", "kith.lua:2: listen: \"nowhere\" is no address");
    check_refused("\n\nzone 'Europe/Berlni'", "kith.lua:3:");
    check_refused("zone 'Europe/Berlni'", "Europe/Berlin");
    check_refused("country 'Germany'", "two capital letters");
    check_refused("url 'crm.example.com'", "as https://crm.example.com");
    check_refused("listen { 'a:1', cert = 'c' }", "cert and key belong together");
    check_refused("listen { 'a:1', color = 'red' }",
                  "listen knows no \"color\"; it knows cert and key");
    check_refused("data(5)", "data must be text in quotes, not a number");
    check_refused("data ''", "data is empty");
    check_refused("channel 'log' { fiel = 'x' }", "knows no \"fiel\"; did you mean \"file\"?");
    check_refused("limits { derivd = 1 }", "no limit is called derivd; did you mean derived?");
    check_refused("limits { foo = 1 }", "no limit is called foo; there are cascade_depth derived");
    check_refused("limits { derived = 0 }", "limit derived is 0: it must be from 1");
    check_refused("limits { derived = 'many' }", "derived must be a whole number");
    check_refused("blocked { guest = true }", "blocked is a list of texts");
    check_refused("data '/a'\ndata '/b'", "kith.lua:2: data is said a second time");
    check_refused("\nlisen '127.0.0.1:1'",
                  "kith.lua:2: there is no \"lisen\"; did you mean \"listen\"?");
    check_refused("colour 'red'", "kith.lua:1: there is no \"colour\": neither a word");
    check_refused("data(nil)", "data must be text in quotes, not a nil");
    check_refused("\nchannel 'log'\n", "kith.lua:2: channel \"log\" sets nothing: a table must");
    check_refused("channel('log', 5)", "takes a table");
    check_refused("data '/a", "kith.lua:1:");
}

static void what_is_wrong_with_a_plugin_is_said_at_its_line(void **state)
{
    (void)state;
    check_refused("data '/a'\nplugin 'e mail' {}", "kith.lua:2: plugin \"e mail\": a name has");
    check_refused("plugin 'email' {}\nplugin 'email' {}", "kith.lua:2: plugin \"email\" is said");
    check_refused("\nplugin 'email' { grant = { 'append', 'chanel' } }",
                  "kith.lua:2: plugin \"email\": grant knows no \"chanel\"; did you mean "
                  "\"channel\"?");
    check_refused("plugin 'email' { grant = 'all' }", "kith.lua:1: plugin \"email\": grant is a");
    check_refused("plugin 'email' { grand = {} }", "plugin knows no \"grand\"; did you mean");
    check_refused("plugin 'email' { isolate = 1 }", "isolate is true or false");
    check_refused("plugin 'email' { config = 'x' }", "config is a table");
    check_refused("plugins '/a'\nplugins '/b'", "kith.lua:2: plugins is said a second time");
}

static void a_plugin_is_what_its_table_says(void **state)
{
    (void)state;
    struct place place;
    const struct settings *settings = &place.settings;
    begin(&place, "plugins '/p'\n"
                  "plugin 'email' { grant = { 'channel', 'sockets' }, isolate = true,\n"
                  "  config = { smtp = 'smtp://h', password = secret 'f' } }\n"
                  "plugin('visits', {})\nplugin 'bare'");
    assert_int_equal(place.rc, 0);
    assert_int_equal(settings->plugin_count, 3);
    assert_string_equal(settings->plugin_dir, "/p");
    assert_string_equal(settings->plugins[0].name, "email");
    assert_true(settings->plugins[0].is_isolated);
    assert_int_equal(doc_count(settings->plugins[0].grant), 2);
    struct doc config = settings->plugins[0].config;
    assert_true(text_is(doc_text(config, "smtp"), "smtp://h"));
    assert_true(doc_text(doc_child(config, "password"), "secret_file").size > 1);
    assert_string_equal(settings->plugins[2].name, "bare");
    end(&place);
}

static void the_file_reaches_nothing(void **state)
{
    (void)state;
    check_refused("data(os.getenv('HOME'))", "kith.lua:1:");
    check_refused("require 'x'", "kith.lua:1:");
    check_refused("while true do end", "kith.lua:1:");
}

static void a_file_that_is_missing_is_named(void **state)
{
    struct settings settings;
    struct err err;
    (void)state;
    settings_init(&settings);
    assert_int_equal(settings_load(&settings, "/nonexistent/kith.lua", &err), E_IO);
    assert_non_null(strstr(err.text, "/nonexistent/kith.lua"));
    settings_deinit(&settings);
}

static void addresses_are_read_in_all_their_forms(void **state)
{
    static const struct {
        const char *text, *host;
        int port; /* -1: refused */
    } cases[] = {
        { "127.0.0.1:8077", "127.0.0.1", 8077 },
        { "localhost:0", "localhost", 0 },
        { ":9000", "127.0.0.1", 9000 },
        { "9000", "127.0.0.1", 9000 },
        { "[::1]:80", "::1", 80 },
        { "::1:80", NULL, -1 },
        { "host", NULL, -1 },
        { "host:", NULL, -1 },
        { "host:65536", NULL, -1 },
        { "host:-1", NULL, -1 },
        { "host:80x", NULL, -1 },
        { "", NULL, -1 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct settings settings;
        settings_init(&settings);
        int rc = settings_listen(&settings, cases[i].text, NULL);
        assert_int_equal(rc, cases[i].port < 0 ? E_INVALID : 0);
        if (rc == 0) {
            assert_string_equal(settings.host, cases[i].host);
            assert_int_equal(settings.port, cases[i].port);
        }
        settings_deinit(&settings);
    }
}

static void a_quota_is_a_size_with_its_unit(void **state)
{
    struct place place;
    (void)state;
    begin(&place, "quota { log = '200 GB', state = '2048MB' }");
    assert_int_equal(place.rc, 0);
    assert_int_equal(place.settings.log_quota_bytes, 200ull << 30);
    assert_int_equal(place.settings.state_quota_bytes, 2048ull << 20);
    end(&place);
    begin(&place, "quota { state = '1 MB' }");
    assert_int_equal(place.settings.log_quota_bytes, 0);
    assert_int_equal(place.settings.state_quota_bytes, 1 << 20);
    end(&place);
    static const char *const sizes[] = { "1023 KB",
                                         "257 GB",
                                         "1 TB",
                                         "5",
                                         "GB",
                                         "-1 GB",
                                         "1.5 GB",
                                         "1 GBs",
                                         "1GiB",
                                         "0 GB",
                                         "99999999999999999999 GB",
                                         "20000000000 TB" };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char text[80];
        snprintf(text, sizeof text, "quota { log = '%s' }", sizes[i]);
        check_refused(text, "log is a size from \"1 MB\" to \"256 GB\"");
    }
    check_refused("quota { logs = '1 GB' }", "did you mean \"log\"?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_gives_the_defaults),
        cmocka_unit_test(every_word_is_understood),
        cmocka_unit_test(a_channel_is_declared_in_both_forms_of_a_call),
        cmocka_unit_test(equal_files_give_an_equal_config),
        cmocka_unit_test(a_relative_path_starts_at_the_file),
        cmocka_unit_test(a_channel_of_a_plugin_is_not_said_here_and_the_way_out_is_told),
        cmocka_unit_test(a_mistake_is_told_with_its_line),
        cmocka_unit_test(a_quota_is_a_size_with_its_unit),
        cmocka_unit_test(what_is_wrong_with_a_plugin_is_said_at_its_line),
        cmocka_unit_test(a_plugin_is_what_its_table_says),
        cmocka_unit_test(the_file_reaches_nothing),
        cmocka_unit_test(a_file_that_is_missing_is_named),
        cmocka_unit_test(addresses_are_read_in_all_their_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
