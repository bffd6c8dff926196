"""The host of plugins, as the operator meets it: what a command says of one that takes no part,
mistakes in what kith.lua says of one, and plugins that hold on to what is not theirs."""
import http.client
import os
import re
import signal
import subprocess

import pytest

from conftest import BUILD, ROOT, child_of, eventually
from plugin_house import BARE, FLAGS, House, kith

NAME = "good_tally"


@pytest.fixture(name="house")
def _house(start, tmp_path):
    return House(tmp_path, start, NAME, "TALLY", (1, 2))


def built(folder, name, source):
    """A plugin that only this test needs."""
    (folder / f"{name}.c").write_text(source)
    plugins = folder / "plugins"
    plugins.mkdir(exist_ok=True)
    words = ["-Wno-error", "-I", ROOT / "plugins" / "sdk", "-o", plugins / f"{name}.so"]
    subprocess.run(["cc", *FLAGS.split(), *words, folder / f"{name}.c"], check=True)
    return plugins


# -- What a reload says of one that takes no part ----------------------------------------------


def test_a_reload_says_that_the_plugin_takes_no_part_and_what_to_do(house):
    daemon = house.open()
    assert "advice" not in house.reload(daemon).json
    code, _, err = kith(daemon, "plugin", "disable", NAME, "--reason", "sends twice")
    assert code == 0, err
    house.put(2)
    code, said, err = kith(daemon, "plugin", "reload", NAME)
    assert code == 0, err
    first, second = said.splitlines()
    assert first.startswith(f"plugin {NAME} has been reloaded: version 2, file ")
    assert second.startswith("it is quarantined (") and "sends twice" in second
    assert second.endswith(f"it takes no part until it is enabled: kith plugin enable {NAME}")
    answer = house.reload(daemon).json
    assert answer["state"] == "quarantined"
    assert answer["advice"].endswith(f"kith plugin enable {NAME}")
    code, _, err = kith(daemon, "plugin", "enable", NAME)
    assert code == 0, err
    code, said, err = kith(daemon, "plugin", "reload", NAME)
    assert code == 0 and len(said.splitlines()) == 1, (said, err)
    assert "advice" not in daemon.get(f"/v1/plugins/{NAME}").json


# -- What kith.lua says of it ------------------------------------------------------------------


@pytest.mark.parametrize(
    "options, words",
    [
        ('grant = { "apend" }', 'grant knows no "apend"; did you mean "append"?'),
        ('grant = { "act:rimind" }', 'grant knows no "act:rimind"; did you mean "act:remind"?'),
        ("config = { wieght = 2 }", "knows no config.wieght; did you mean weight?"),
        ('config = { weight = "two" }', "config.weight is a whole number"),
    ],
)
def test_a_mistake_in_a_plugins_settings_is_told_with_its_line(house, options, words):
    house.config.write_text(
        f'-- the visits\nplugins "{house.folder}"\n\nplugin "{NAME}" {{ {options} }}\n', "utf-8"
    )
    daemon = house.begin_daemon("--config", house.config, is_ready=False)
    said = daemon.wait_line(r"kith\.lua:.*").group(0)
    assert said.startswith("kith.lua:4: plugin ") and words in said
    assert daemon.wait() == 1


def hang_up(daemon):
    before = len(daemon.lines)
    daemon.process.send_signal(signal.SIGHUP)
    words = "the configuration "
    eventually(lambda: any(words in line for line in daemon.lines[before:]))
    daemon.get("/healthz", key=None)
    return daemon.lines[before:]


def test_sighup_tries_what_a_start_would_do_and_uses_none_of_what_is_wrong(house):
    daemon = house.open("config = { weight = 2 }")
    house.configure("config = { wieght = 3 }")
    (said,) = [line for line in hang_up(daemon) if "configuration" in line]
    assert said.endswith(
        f"the configuration is not used: kith.lua:2: plugin {NAME} knows no config.wieght; "
        "did you mean weight?"
    )
    house.configure('config = { weight = 3 }, grant = { "apend" }')
    assert any("not used: kith.lua:2: " in line for line in hang_up(daemon))
    house.configure()
    house.config.write_text(house.config.read_text().replace(NAME, "nobody"))
    assert any("nobody.so" in line for line in hang_up(daemon))
    assert house.reload(daemon).status == 422
    house.configure("config = { weight = 3 }")
    said = hang_up_until(daemon, f"plugin {NAME} is configured otherwise")
    assert "kith plugin reload" in said
    answer = house.reload(daemon)
    assert answer.status == 200, answer.body
    assert any("has not changed" in line for line in hang_up(daemon))


def hang_up_until(daemon, words):
    before = len(daemon.lines)
    daemon.process.send_signal(signal.SIGHUP)
    eventually(lambda: any(words in line for line in daemon.lines[before:]))
    return next(line for line in daemon.lines[before:] if words in line)


def test_sighup_says_whom_and_what_the_new_file_names_and_nobody_knows(house):
    daemon = house.open()
    assert "configuration has been read" in hang_up(daemon)[0]
    house.config.write_text(house.config.read_text() + 'fallback "zoe"\n')
    assert "kith staff add zoe" in hang_up_until(daemon, "nobody is called zoe")
    assert kith(daemon, "staff", "add", "zoe")[0] == 0
    before = len(daemon.lines)
    hang_up_until(daemon, "used from the next start on")
    assert not [line for line in daemon.lines[before:] if "nobody is called" in line]


GRANT = """grant = { "append", "read", "staff", "routes", "act:create", "act:move", "act:link",
  "act:change", "act:send", "act:notify", "act:remind", "act:after", "act:cancel" }"""
MOON = 'calendar "moon" { zone = "UTC", hours = "20:00-22:00" }\n'


@pytest.mark.skipif(
    not (BUILD / "plugins" / "complaint.so").exists(), reason="a build tree without plugins"
)
@pytest.mark.parametrize("isolate", ["true", "false"])
def test_a_calendar_that_a_new_configuration_names_is_looked_for(start, tmp_path, isolate):
    config = tmp_path / "kith.lua"

    def configure(policy):
        config.write_text(
            f'plugins "{BUILD / "plugins"}"\n'
            f'plugin "complaint" {{ {GRANT}, isolate = {isolate}, config = {{ {policy} }} }}\n'
        )

    configure('calendar = "moon"')
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rules.lua").write_text(MOON)
    daemon = start("--config", config, "--scripts", tmp_path / "rules")
    assert not [line for line in daemon.lines if "no calendar" in line]
    configure('calendar = "sun"')
    hang_up_until(daemon, "no calendar is called sun")
    assert "warning" not in daemon.get("/v1/plugins/complaint").json
    before = len(daemon.lines)
    code, said, err = kith(daemon, "plugin", "reload", "complaint")
    assert code == 0 and "no calendar is called sun" in said, err
    eventually(lambda: any("no calendar is called sun" in s for s in daemon.lines[before:]))
    configure('calendar = "moon"')
    assert "warning" not in daemon.post("/v1/plugins/complaint/reload", {}).json


def test_many_hangups_at_once_are_all_answered(house):
    daemon = house.open()
    house.configure("config = { weight = 7 }")
    for _ in range(20):
        daemon.process.send_signal(signal.SIGHUP)
    eventually(lambda: any("configured otherwise" in line for line in daemon.lines))
    assert daemon.stop() == 0


# -- A process that is forked ------------------------------------------------------------------

FORKS = """
#include "kith.h"

#include <stdio.h>
#include <unistd.h>

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    char line[40];
    (void)out_self;
    (void)reason;
    pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    snprintf(line, sizeof line, "forked %d", (int)child);
    host->log(kith, KITH_INFO, line);
    return KITH_OK;
}

static void stop(void *self)
{
    (void)self;
}

static const struct kith_plugin description = {
    .size = sizeof description,
    .abi = KITH_ABI,
    .name = "forks",
    .version = "1",
    .about = "Forks, which no plugin may",
    .start = start,
    .stop = stop,
};

const struct kith_plugin *kith_describe(void)
{
    return &description;
}
"""


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_what_a_plugin_has_forked_keeps_no_daemon_from_its_start(start, tmp_path, how):
    config = tmp_path / "kith.lua"
    plugins = built(tmp_path, "forks", FORKS)
    config.write_text(f'plugins "{plugins}"\nplugin "forks" {{}}\n')
    daemon = start("--config", config)
    orphan = int(daemon.wait_line(r"forked (\d+)").group(1))
    try:
        daemon.process.send_signal(how)
        daemon.process.wait(60)  # its messages do not end: the other one holds them
        assert os.path.exists(f"/proc/{orphan}")
        config.write_text("")
        again = start("--config", config)
        assert not [line for line in again.lines if "another daemon uses" in line]
        assert again.stop() == 0
    finally:
        os.kill(orphan, signal.SIGKILL)


def test_what_an_isolated_plugin_has_forked_does_not_hide_its_end(start, tmp_path):
    config = tmp_path / "kith.lua"
    plugins = built(tmp_path, "forks", FORKS)
    config.write_text(f'plugins "{plugins}"\nplugin "forks" {{ isolate = true }}\n')
    daemon = start("--config", config)
    orphans = [int(daemon.wait_line(r"forked (\d+)").group(1))]
    try:
        os.kill(child_of(daemon.pid), signal.SIGKILL)
        daemon.wait_line("plugin forks serves again")
    finally:
        orphans += [int(n) for n in re.findall(r"forked (\d+)", "\n".join(daemon.lines))]
        for orphan in set(orphans):
            os.kill(orphan, signal.SIGKILL)


# -- What does not come back -------------------------------------------------------------------

HANGS = """
#include "kith.h"

#include <stdlib.h>
#include <unistd.h>

struct self {
    const struct kith_host *host;
    struct kith *kith;
};

static void wait_for_ever(void *arg)
{
    (void)arg;
    for (;;)
        pause();
}

static void take(void *arg, const struct kith_request *request)
{
    struct self *self = arg;
    const struct kith_reply reply = { .size = sizeof reply, .status = 204 };
    if (kith_is(request->params[0].value, "loop"))
        wait_for_ever(NULL);
    if (kith_is(request->params[0].value, "work"))
        self->host->work(self->kith, wait_for_ever, NULL, NULL);
    self->host->reply(self->kith, request->id, &reply);
}

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    struct self *self = calloc(1, sizeof *self);
    struct kith_doc config;
    (void)reason;
    *self = (struct self){ host, kith };
    *out_self = self;
    host->config(kith, &config);
    if (kith_get(config, "at_start").as.integer)
        wait_for_ever(NULL);
    return KITH_OK;
}

static void stop(void *self)
{
    free(self);
}

static const struct kith_field at_start = {
    .size = sizeof at_start, .name = "at_start", .type = "flag", .about = "it hangs there",
    .standard = "false",
};
static const struct kith_field *const config[] = { &at_start, NULL };
static const struct kith_route route = { sizeof route, "GET", "/v1/hangs/{how}", "A trial", NULL,
                                         KITH_AUTH_NONE, 0, 0, take };
static const struct kith_route *const routes[] = { &route, NULL };
static const char *const needs[] = { "routes", "work", NULL };

static const struct kith_plugin description = {
    .size = sizeof description, .abi = KITH_ABI, .name = "hangs", .version = "1",
    .about = "Waits for what never comes", .needs = needs, .config = config, .routes = routes,
    .start = start, .stop = stop,
};

const struct kith_plugin *kith_describe(void)
{
    return &description;
}
"""


@pytest.fixture(name="hanging")
def _hanging(start, tmp_path):
    plugins = built(tmp_path, "hangs", HANGS)

    def begin(options="", name="data"):
        config = tmp_path / f"{name}.lua"
        grant = 'grant = { "routes", "work" }'
        config.write_text(f'plugins "{plugins}"\nplugin "hangs" {{ {grant}, {options} }}\n')
        return start("--config", config, name=name, env=BARE)

    return begin


def ask(daemon, how):
    try:
        return daemon.get(f"/v1/hangs/{how}", key=None).status
    except (ConnectionError, http.client.HTTPException):
        return None


def works(daemon):
    number = r"^kith_plugin_works_under_way\{plugin=\"hangs\"\} (\d+)$"
    age = r"^kith_plugin_work_oldest_seconds\{plugin=\"hangs\"\} (\S+)$"
    text = daemon.get("/metrics", key=None).body.decode()
    return int(re.search(number, text, re.M)[1]), float(re.search(age, text, re.M)[1])


@pytest.mark.long(60)
def test_works_that_do_not_end_are_shown_and_told_and_a_loop_that_hangs_is_ended(hanging):
    here, apart = hanging(), hanging("isolate = true", "apart")
    for daemon in (here, apart):
        assert works(daemon) == (0, 0)
        assert ask(daemon, "well") == 204
        assert ask(daemon, "work") == 204
        eventually(lambda daemon=daemon: works(daemon)[0] == 1)
        assert ask(daemon, "work") == 204
        eventually(lambda daemon=daemon: works(daemon)[0] == 2 and works(daemon)[1] > 0)

    looping = hanging(name="looping")
    before = looping.pid
    assert ask(looping, "loop") is None
    looping.wait_line(r'the plugin "hangs" does not come back \(route\): nobody is answered')
    looping.wait_line(r'the daemon hung in plugin "hangs" \(route\); .* without that plugin')
    eventually(lambda: len([line for line in looping.lines if "ready on" in line]) == 2)
    looping.port = int(re.findall(r"ready on http://\S+:(\d+)", "\n".join(looping.lines))[-1])
    assert looping.pid != before
    standing = looping.get("/v1/plugins/hangs").json
    assert standing["state"] == "quarantined" and standing["quarantined"]["kind"] == "hang"
    assert ask(looping, "well") == 503
    before = len(looping.lines)
    code, said, err = kith(looping, "plugin", "reload", "hangs")
    assert code == 0 and "it takes no part until it is enabled: kith plugin enable hangs" in said
    words = "so it is not started: kith plugin enable hangs"
    eventually(lambda: any(words in line for line in looping.lines[before:]))
    assert kith(looping, "plugin", "enable", "hangs")[0] == 0
    assert ask(looping, "well") == 204

    for daemon in (here, apart):
        daemon.wait_line("plugin hangs: one of its works has not ended in 30 s")
        assert len([line for line in daemon.lines if "one of its works" in line]) <= 2
        assert works(daemon)[1] >= 30
        assert ask(daemon, "well") == 204


@pytest.mark.long(30)
def test_a_start_that_does_not_return_is_ended_and_the_others_are_served(hanging):
    daemon = hanging("config = { at_start = true }")
    daemon.wait_line(r'the plugin "hangs" does not come back \(start\): nobody is answered')
    daemon.wait_line(r'the daemon hung in plugin "hangs" \(start\); .* without that plugin')
    assert daemon.get("/v1/plugins/hangs").json["quarantined"]["kind"] == "hang"
    assert daemon.get("/healthz", key=None).status == 200


MISSPELT = """
#include "kith.h"

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    (void)engine;
    (void)call;
    return KITH_OK;
}

static const char *const types[] = { "Order Completed", 0 };
static const char *const reads[] = { "records.repairs", "records.repairs", 0 };
static const struct kith_handler handler = { sizeof handler, "order", types, reads, on_order };
static const struct kith_handler *const handlers[] = { &handler, 0 };
static const struct kith_plugin plugin = {
    .size = sizeof plugin, .abi = KITH_ABI, .name = "misspelt", .version = "1",
    .about = "Reads what nobody declares", .handlers = handlers,
};

const struct kith_plugin *kith_describe(void)
{
    return &plugin;
}
"""
REPAIRS = """kind "repairs" {
  states = { "open", "done" }, transitions = { mend = { from = "open", to = "done" } }
}
"""


@pytest.mark.parametrize("isolate", ["true", "false"])
def test_a_kind_that_a_plugin_reads_and_nobody_declares_is_told(start, tmp_path, isolate):
    lacks = "misspelt reads records.repairs, and nobody declares that kind"
    plugins = built(tmp_path, "misspelt", MISSPELT)
    config, rules = tmp_path / "kith.lua", tmp_path / "rules"
    config.write_text(f'plugins "{plugins}"\nplugin "misspelt" {{ isolate = {isolate} }}\n')
    rules.mkdir()
    (rules / "rules.lua").write_text(MOON)
    assert start("--config", config, "--scripts", rules).stop() == 0
    daemon = start("--config", config, "--scripts", rules)
    daemon.wait_line(lacks)
    code, said, _ = kith(daemon, "doctor")
    assert code == 0 and lacks in said, "a bundle may yet declare it"
    assert lacks in kith(daemon, "plugin", "reload", "misspelt")[1]
    (rules / "rules.lua").write_text(REPAIRS)
    code, _, err = kith(daemon, "deploy", str(rules))
    assert code == 0, err
    assert lacks not in kith(daemon, "doctor")[1]
    before = len(daemon.lines)
    hang_up_until(daemon, "it has not changed")
    assert not [line for line in daemon.lines[before:] if lacks in line]
