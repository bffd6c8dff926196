"""A morning at the counter: the telephone, the history, a word about it, who has left."""
import datetime
import os
import pty
import subprocess

import pytest
from command import attach
from conftest import BUILD


@pytest.fixture
def kith(daemon):
    return attach(daemon)


def at_terminal(kith, answer, *words):
    """(exit code, all that was seen) of a command whose questions are answered so."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [str(BUILD / "kith"), *words], stdin=theirs, stdout=theirs, stderr=theirs, env=kith.env
    ) as process:
        os.close(theirs)
        os.write(ours, answer.encode() + b"\n")
        seen = b""
        try:
            while data := os.read(ours, 4096):
                seen += data
        except OSError:  # the other end is closed
            pass
    os.close(ours)
    return process.returncode, seen.decode()


def test_a_record_ends_with_what_is_open_and_what_was_last(kith):
    kith.daemon.send({"type": "identify", "userId": "u-1", "traits": {"name": "王小明"}})
    for day in range(9):
        kith.daemon.send({"type": "track", "userId": "u-1", "event": f"Visit {day}"})
    kith("remind", "1", "Ring", "back", "--due", "3d", "--to", "anna")
    assert kith("note", "1", "wants", "a", "teapot").strip() == (
        "customer 1, 王小明: the note is on the timeline"
    )
    record, rest = kith("show", "1").split("\nopen reminders\n")
    reminders, lately = rest.split("\nlately (kith timeline)\n")
    assert "王小明" in record and "Ring back" in reminders and "anna" in reminders
    lines = lately.splitlines()[1:]
    assert "wants a teapot" in lines[0] and len(lines) == 5
    assert "reminder.created" not in lately  # what Kith made of it is left out
    assert "lately" not in kith("show", "1", "--as-of", "2999-01-01")
    assert len(kith.json("show", "1")) == 1


def test_a_change_of_one_thing_says_that_thing(kith):
    kith.daemon.send({"type": "identify", "userId": "u-1"})
    assert kith("assign", "1", "anna") == "customer 1: owner is now anna\n"
    said = kith("consent", "1", "grant", "news/email", "--proof", "by telephone")
    assert said.startswith("customer 1: news/email is recorded\n") and "by telephone" in said
    assert kith.json("note", "1", "x")[0]["id"] == 1


def test_a_day_of_the_week_is_the_next_one_of_that_name(kith):
    kith.daemon.send({"type": "identify", "userId": "u-1"})
    days = {
        word: kith.json("remind", "1", word, "--due", word, "--to", "anna")[0]["due"][:10]
        for word in ("tomorrow", "Friday", "fri", "monday")
    }
    assert days["Friday"] == days["fri"] > min(days.values()) or days["tomorrow"] == days["Friday"]
    for word, weekday in (("Friday", 4), ("monday", 0)):
        assert datetime.date.fromisoformat(days[word]).weekday() == weekday
    task = kith.json("reminders", "--due", "friday")[-1]["id"]
    assert kith.json("snooze", task, "monday")[0]["due"][:10] == days["monday"]
    assert kith.json("done", task, "--next", "friday")[0]["next"]["due"][:10] == days["Friday"]


def test_who_leaves_hands_over_customers_and_follow_ups(kith):
    for name in ("anna", "bob"):
        kith("staff", "add", name)
    for number in range(1, 4):
        kith.daemon.send({"type": "identify", "userId": f"u-{number}"})
        kith("assign", str(number), "anna" if number < 3 else "bob")
    kith("remind", "3", "of anna, by hand", "--due", "3d", "--to", "anna")
    kith("remind", "1", "the owner's", "--due", "3d")
    kith.soon("reminders", "--to", "anna", count=2)

    code, _, err = kith.run("staff", "remove", "anna")
    assert code == 1 and "kith staff remove anna --to STAFF" in err
    code, _, err = kith.run("staff", "remove", "anna", "--to", "bobb")
    assert code == 1 and 'nobody on the staff is called "bobb": did you mean "bob"?' in err
    assert kith.json("show", "1")[0]["owner"] == "anna"

    said = kith("staff", "remove", "anna", "--to", "bob")
    assert said.startswith("2 customers and 2 follow-ups of anna: now of bob\n"), said
    assert [kith.json("show", str(n))[0]["owner"] for n in (1, 2, 3)] == ["bob"] * 3
    assert len(kith.soon("reminders", "--to", "bob", count=2)) == 2
    assert [member["name"] for member in kith.json("staff", "list")] == ["bob"]


def test_work_is_given_to_who_works_here_and_a_slip_of_the_pen_is_named(kith):
    kith.daemon.send({"type": "identify", "userId": "u-1"})
    kith("assign", "1", "mey")  # a house without staff takes any name
    kith("staff", "add", "mei")
    for words in (["assign", "1", "mey"], ["remind", "1", "Call", "--due", "1d", "--to", "mey"]):
        code, _, err = kith.run(*words)
        assert code == 1 and 'nobody on the staff is called "mey": did you mean "mei"?' in err
    assert "kith staff list" in kith.run("assign", "1", "bartholomew")[2]
    kith("assign", "1", "mei")
    kith("remind", "1", "Call", "--due", "1d", "--to", "owner")
    kith("remind", "1", "Call", "--due", "1d", "--to", "mei")
    assert kith.json("reminders") and kith.json("show", "1")[0]["owner"] == "mei"


def test_erasing_asks_whoever_sits_at_a_terminal(kith):
    kith.daemon.send({"type": "identify", "userId": "u-1", "traits": {"name": "Ann"}})
    code, seen = at_terminal(kith, "n", "erase", "1")
    assert code == 1 and "Erase customer 1, Ann?" in seen and "nothing is erased" in seen
    assert kith.json("show", "1")[0]["traits"]["name"] == "Ann"
    code, seen = at_terminal(kith, "y", "erase", "1")
    assert code == 0 and "customer 1 is erased" in seen
    assert kith.run("show", "1")[0] == 1


def test_an_option_that_is_nearly_right_is_named_and_a_group_has_help(kith):
    assert "did you mean --proof?" in kith.run("consent", "1", "grant", "a/b", "--prof", "x")[2]
    for words in (["staff", "--help"], ["help", "staff"]):
        assert "kith staff remove" in kith(*words) and "kith key" not in kith(*words)
