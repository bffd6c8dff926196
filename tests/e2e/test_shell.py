"""What is made from the table of commands for people at a shell: completion, and man pages."""
import re
import shutil
import subprocess

import pytest

from conftest import BUILD

KITH = BUILD / "kith"


def kith(*words):
    return subprocess.run([KITH, *words], capture_output=True, text=True, check=True).stdout


def needs(program):
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")


def commands():
    """The names of all commands, from `kith help`."""
    lines = re.findall(r"^  ([a-z-]+(?: [a-z-]+)?)", kith("help").split("\nOptions")[0], re.M)
    assert len(lines) > 20
    return lines


# ---- Completion --------------------------------------------------------------------------------

# What zsh's own functions would show is printed instead.
ZSH = """
compdef() { : }
_describe() { local list=$@[-1]; print -rl -- ${(P)list} }
_message() { print -r -- "value $1" }
_files() { print -r -- files }
compadd() { shift; print -rl -- $@ }
source /dev/stdin
words=(%s) CURRENT=%d PREFIX=%s
_kith
"""


def zsh(*words):
    """Each line that zsh shows for the last word, without what it is for."""
    needs("zsh")
    line = " ".join(f"'{word}'" for word in ("kith", *words))
    program = ZSH % (line, len(words) + 1, f"'{words[-1]}'")
    done = subprocess.run(
        ["zsh", "-fc", program],
        input=kith("completion", "zsh"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode in (0, 1), done.stderr) == (True, "")
    return [text.split(":")[0] for text in done.stdout.splitlines()]


@pytest.mark.parametrize(
    "words, offered",
    [
        (["staff", ""], "add"),
        (["consent", "42", ""], "withdraw"),
        (["completion", ""], "fish"),
        (["import", ""], "files"),
        (["import", "--re"], "--replay"),
        (["remind", "42", "--d"], "--due"),
        (["show", "--"], "--key-file"),
        (["show", "--key-file", ""], "files"),
        (["remind", "--due", ""], "value WHEN"),
    ],
)
def test_zsh_completes_from_the_same_table(words, offered):
    assert offered in zsh(*words)


def test_zsh_offers_each_command_once_and_only_at_its_place():
    first = sorted({name.split()[0] for name in commands()})
    assert sorted(zsh("")) == first == sorted(zsh("help", ""))
    assert zsh("show", "42", "") == []


def fish(line, tmp_path):
    needs("fish")
    script = tmp_path / "kith.fish"
    script.write_text(kith("completion", "fish"))
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source {script}; complete -C '{line}'"],
        capture_output=True,
        text=True,
        check=False,
        env={"HOME": str(tmp_path), "PATH": f"{BUILD}:/usr/bin:/bin"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [text.split("\t")[0] for text in done.stdout.splitlines()]


@pytest.mark.parametrize(
    "line, offered",
    [
        ("kith ti", ["timeline"]),
        ("kith staff a", ["absent", "add"]),
        ("kith consent 42 w", ["withdraw"]),
        ("kith import --rep", ["--replay"]),
        ("kith key add x --sc", ["--scope"]),
        ("kith show --key", ["--key-file"]),
    ],
)
def test_fish_completes_from_the_same_table(line, offered, tmp_path):
    assert fish(line, tmp_path) == offered


def test_a_shell_that_is_none_is_refused_by_name():
    done = subprocess.run([KITH, "completion", "tcsh"], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and '"tcsh" is not one of bash|zsh|fish' in done.stderr


# ---- Man pages -----------------------------------------------------------------------------------


@pytest.fixture
def pages(tmp_path):
    kith("help", "--man", tmp_path)
    return tmp_path


def typeset(path):
    needs("groff")
    done = subprocess.run(
        ["groff", "-Kutf8", "-man", "-Tutf8", "-P-cbou", "-ww", path],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == "", path
    return re.sub(r"\s+", " ", re.sub("‐\n *", "", done.stdout).replace("−", "-"))


def test_every_command_has_a_man_page(pages):
    wanted = {"kith-" + name.replace(" ", "-") + ".1" for name in commands()}
    assert {path.name for path in pages.iterdir()} == wanted | {"kith.1"}


def test_man_pages_say_what_help_says_and_groff_has_no_complaint(pages):
    for name in commands():
        text = typeset(pages / ("kith-" + name.replace(" ", "-") + ".1"))
        told = kith("help", *name.split())
        assert told.split("\n\n")[1].rstrip(".")[1:] in text, name
        for option in re.findall(r"^  (--[a-z-]+)", told, re.M):
            assert option in text, (name, option)
    overview = typeset(pages / "kith.1")
    assert all(name in overview for name in commands())


def test_man_pages_that_cannot_be_written_are_told(tmp_path):
    done = subprocess.run(
        [KITH, "help", "--man", tmp_path / "nowhere"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and "cannot write" in done.stderr and "nowhere" in done.stderr
