"""kith help lua PLUGIN.WORD: what a running daemon's plugin says of a word that it offers."""
import os
import subprocess

from conftest import BUILD, ROOT

PLUGIN = r"""
#include "kith.h"

static int32_t next(const struct kith_engine *engine, struct kith_call *call)
{
    (void)engine;
    (void)call;
    return KITH_OK;
}

static const struct kith_function *const functions[] = {
    KITH_ITEM(function, .name = "next", .usage = "visits.next { after = \"30d\" }",
              .about = "When she will probably come again", .run = next),
    NULL,
};
static const struct kith_plugin *const plugin =
    KITH_ITEM(plugin, .abi = KITH_ABI, .name = "visits", .version = "1", .about = "Visits",
              .functions = functions);

const struct kith_plugin *kith_describe(void)
{
    return plugin;
}
"""


def kith(*words, url="http://127.0.0.1:9", key=""):
    done = subprocess.run(
        [BUILD / "kith", *words],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ, KITH_URL=url, KITH_KEY=key),
    )
    return done.returncode, done.stdout, done.stderr


def test_a_running_daemon_is_asked_what_a_word_of_a_plugin_is_for(start, tmp_path):
    (tmp_path / "visits.c").write_text(PLUGIN)
    flags = "-std=c11 -fPIC -shared -fvisibility=hidden -ffp-contract=off".split()
    command = ["cc", *flags, "-I", ROOT / "plugins" / "sdk", "-o", tmp_path / "visits.so"]
    subprocess.run([*command, tmp_path / "visits.c"], check=True)
    config = tmp_path / "kith.lua"
    config.write_text(f'plugins "{tmp_path}"\nplugin "visits" {{}}\n')
    daemon = start("--config", config)
    at = {"url": f"http://127.0.0.1:{daemon.port}", "key": daemon.key("admin")}

    (word,) = daemon.get("/v1/plugins/visits").json["words"]
    assert word == {
        "word": "visits.next",
        "usage": 'visits.next { after = "30d" }',
        "about": "When she will probably come again",
    }
    code, said, _ = kith("help", "lua", "visits.next", **at)
    assert code == 0 and 'the plugin visits: visits.next { after = "30d" }\n' in said
    assert "When she will probably come again" in said
    own = tmp_path / "own.lua"  # as it would be told nowhere else
    own.write_text(f'listen "0.0.0.0:{daemon.port}"\ndata "{daemon.data}"\n')
    code, said, err = kith("help", "lua", "visits.next", "--config", own)
    assert code == 0 and "When she will probably come again" in said, err
    wrong = {"url": at["url"], "key": "nobody's"}
    assert kith("help", "lua", "visits.next", **wrong)[0] == 2
    code, said, err = kith("help", "lua", "visits.next", "--config", own, **wrong)
    assert code == 0, err
    code, _, said = kith("help", "lua", "visits.next", "--config", tmp_path / "none.lua", **at)
    assert code == 2 and "none.lua" in said
    code, _, said = kith("help", "lua", "visits.last", **at)
    assert code == 2 and "the plugin visits offers visits.next; " in said
    code, _, said = kith("help", "lua", "nobody.next", **at)
    assert code == 2 and 'there is no plugin "nobody"' in said


def test_without_a_daemon_it_is_said_who_knows():
    code, _, said = kith("help", "lua", "visits.next")
    assert code == 2 and "no daemon could be asked: " in said
    assert "`kith plugin list --json`" in said
    code, said, _ = kith("help", "lua")
    assert code == 0 and "kith help lua PLUGIN.WORD" in said


def test_words_of_kith_itself_need_no_daemon():
    code, said, _ = kith("help", "lua", "remind")
    assert code == 0 and said
