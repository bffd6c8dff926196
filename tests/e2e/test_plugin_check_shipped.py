"""kith plugin check passes on every plugin that is shipped, with nothing to mend."""
import json
import re
import subprocess

import pytest

from conftest import BUILD, ROOT

# What a plugin does not start without; the others are checked as their defaults have them.
CONFIGS = {"email": 'smtp = "smtp://127.0.0.1:9", from = "Care <care@example.com>"'}
SHIPPED = sorted(
    path.name
    for path in (ROOT / "plugins").iterdir()
    if list(path.glob("*.c")) and path.name != "sdk"
)


def check(tmp_path, name, *words):
    config = tmp_path / "kith.lua"
    config.write_text(f'plugin "{name}" {{ config = {{ {CONFIGS.get(name, "")} }} }}\n')
    return subprocess.run(
        [
            BUILD / "kith",
            "plugin",
            "check",
            BUILD / "plugins" / f"{name}.so",
            "--config",
            config,
            *words,
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_there_are_at_least_the_five():
    assert {"complaint", "email", "followup", "sms", "webhook"} <= set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_plugin_is_checked_and_nothing_is_to_be_mended(tmp_path, name):
    done = check(tmp_path, name)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in done.stdout + done.stderr
    last = done.stdout.strip().splitlines()[-1]
    assert last.startswith(f"{name} ") and last.endswith("; nothing to mend"), done.stdout


@pytest.mark.parametrize("name", ["complaint", "email", "followup"])
def test_what_it_declares_is_tried_and_its_hooks_are_too(tmp_path, name):
    done = check(tmp_path, name)
    tried = re.findall(
        r"^(handler|function|merge of state|unmerge of state) (\S+): (\d+) calls", done.stdout, re.M
    )
    assert {"handler", "function", "merge of state"} <= {what for what, _, _ in tried}
    assert all(int(calls) > 1000 for _, _, calls in tried), done.stdout
    if name == "followup":
        assert ("unmerge of state", "promises") in {(what, which) for what, which, _ in tried}


def test_without_what_it_needs_it_is_said_and_told_how_to_give_it(tmp_path):
    done = subprocess.run(
        [BUILD / "kith", "plugin", "check", "--json", BUILD / "plugins" / "email.so"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=tmp_path,
    )
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0 and any(
        "--config" in json.dumps(line) for line in said
    ), done.stdout
