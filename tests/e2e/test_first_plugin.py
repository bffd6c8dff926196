"""docs/first-plugin.md is followed literally, outside of the tree, with what has been installed."""
import os
import re
import socket
import subprocess

import pytest

from conftest import BUILD, ROOT

PAGE = (ROOT / "docs" / "first-plugin.md").read_text()
# Of each block: (what it is, its text).
BLOCKS = re.findall(r"^```(sh|text|diff)\n(.*?)^```$", PAGE, re.S | re.M)
END = "== the end of a block =="


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture(name="shell")
def _shell(tmp_path):
    """bash in an empty folder, that finds Kith as somebody does who has installed it."""
    subprocess.run(
        ["cmake", "--install", str(BUILD)],
        check=True,
        stdout=subprocess.DEVNULL,
        env=dict(os.environ, DESTDIR=str(tmp_path / "root")),
    )
    (found,) = (tmp_path / "root").rglob("kith.pc")
    (program,) = (tmp_path / "root").rglob("bin/kithd")
    here = tmp_path / "empty"
    here.mkdir()
    environment = dict(
        os.environ,
        PATH=f"{program.parent}:{os.environ['PATH']}",
        PKG_CONFIG_PATH=str(found.parent),
    )
    with subprocess.Popen(
        ["bash", "-e"],
        cwd=here,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        process.here = here
        process.stdin.write("trap 'jobs -p | xargs -r kill' EXIT\n")  # they have its output open
        yield process
        process.stdin.close()


def run(shell, text):
    """What the shell says to a block; it goes on only when all of it went well."""
    shell.stdin.write(f"{text}\necho '{END}'\n")
    shell.stdin.flush()
    said = []
    for line in shell.stdout:
        if line.rstrip("\n") == END:
            return "".join(said)
        said.append(line)
    raise AssertionError(f"{text}\n{''.join(said)}")


def change(here, text):
    """As a person would who reads it: each piece is found as it stands, and replaced."""
    name = re.match(r"--- (\S+)\n", text).group(1)
    path = here / name
    source = path.read_text()
    for piece in text.split("@@\n")[1:]:
        lines = piece.splitlines()
        old = "\n".join(line[1:] for line in lines if line[0] != "+")
        new = "\n".join(line[1:] for line in lines if line[0] != "-")
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    path.write_text(source)


def test_the_page_does_what_it_says_when_it_is_followed_literally(shell):
    assert [kind for kind, _ in BLOCKS].count("sh") >= 8
    port, said = free_port(), ""
    for kind, text in BLOCKS:
        if kind == "sh":
            said = run(shell, text.replace("8077", port))
        elif kind == "diff":
            change(shell.here, text)
        for line in text.splitlines() if kind == "text" else []:
            assert line in said, said


def test_the_plugin_of_the_page_has_under_a_hundred_lines():
    lines = (ROOT / "plugins/sdk/template/plugin_name.c").read_text().count("\n")
    assert "under a hundred lines" in PAGE and lines < 100
