"""The host of plugins, as the operator meets it: what a command says of one that takes no part,
mistakes in what kith.lua says of one, and plugins that hold on to what is not theirs."""
import os
import signal
import subprocess

import pytest

from conftest import ROOT
from plugin_house import FLAGS, House, kith

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
