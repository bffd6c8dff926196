"""Tables on a terminal of sixty columns: no line is longer, whatever stands in it."""
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import unicodedata

import pytest
from command import attach
from conftest import BUILD

CODES = re.compile(r"\x1b\[[0-9;]*[mK]")


@pytest.fixture
def kith(daemon):
    return attach(daemon)


def cells(line):
    """How many columns a terminal needs for it."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in line)
    return len(line) + wide


def at_terminal(kith, *words):
    """What a person sees; the terminal has its width before the command begins."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    with subprocess.Popen(
        [str(BUILD / "kith"), *words], stdout=theirs, env=dict(kith.env, TERM="xterm")
    ):
        os.close(theirs)
        seen = b""
        try:
            while data := os.read(ours, 4096):
                seen += data
        except OSError:  # the other end is closed
            pass
    os.close(ours)
    return seen.decode()


def seen(kith, *words):
    return CODES.sub("", at_terminal(kith, *words)).replace("\r", "").splitlines()


def test_a_long_timeline_fits_and_keeps_times_and_numbers_whole(kith):
    words = {"text": "很长的一句话" * 20, "shop": "Main street", "total": 1234567890}
    kith.daemon.send(
        {"type": "identify", "userId": "u-1", "traits": {"name": "王小明", "company": "茶" * 60}},
        {"type": "track", "userId": "u-1", "event": "Something Rather Long", "properties": words},
    )
    lines = seen(kith, "timeline", "user_id:u-1")
    assert len(lines) >= 3 and all(cells(line) <= 60 for line in lines), lines
    rows = [line for line in lines if re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d ", line)]
    assert "Something Rather Long" in rows[0] and "很长的一句话" not in rows[0]
    told = "".join(line.strip() for line in lines[lines.index(rows[0]) + 1 :])
    assert words["text"][:60] in told and "company茶茶茶" in told.replace(" ", "")
    for command in (["show", "1"], ["search", "小明"]):
        assert all(cells(line) <= 60 for line in seen(kith, *command)), command
    plain = kith("timeline", "user_id:u-1")
    assert words["text"] in plain and "…" not in plain and "\x1b" not in plain


def test_what_is_overdue_is_red(kith):
    kith.daemon.send({"type": "identify", "userId": "u-1"})
    kith("remind", "1", "Late", "--due", "2020-01-01 10:00", "--to", "anna")
    kith("remind", "1", "Early", "--due", "2999-01-01 10:00", "--to", "anna")
    text = at_terminal(kith, "reminders")
    assert re.search(r"\x1b\[31m2020-01-01 \d\d:\d\d", text)
    assert "2999-01-01" in text and "\x1b[31m2999" not in text


def test_states_have_colours_unless_they_are_not_wanted(kith):
    kith.daemon.send({"type": "identify", "userId": "u-1"})
    kith("consent", "1", "grant", "service/email")
    assert "\x1b[32mgranted\x1b[0m" in at_terminal(kith, "show", "1")
    kith("consent", "1", "withdraw", "service/email")
    assert "\x1b[31mwithdrawn\x1b[0m" in at_terminal(kith, "show", "1")
    kith.env["NO_COLOR"] = "1"
    assert "\x1b[3" not in at_terminal(kith, "show", "1")
