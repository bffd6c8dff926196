"""The business of `make run`: its six rules, its data on any day, and the commands it offers.

The rules are tried in a past that is replayed, so that 90 days pass at once: each test tells a
story of a few events with their times and looks at what came of it.
"""
import collections
import datetime
import json
import os
import re
import signal
import subprocess
import sys
import zoneinfo

import pytest

from conftest import BUILD, ROOT

sys.path.insert(0, str(ROOT / "tools"))
import demo_data  # noqa: E402
import demo_words  # noqa: E402

RULES = ROOT / "scripts" / "demo"
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


class Story:
    """Events of one customer, u-1, and what the rules made of them."""

    def __init__(self, start, tmp_path):
        config = tmp_path / "kith.lua"
        config.write_text((ROOT / "tools" / "demo.lua").read_text())
        self.daemon = start("--config", config, "--scripts", RULES)
        self.path, self.calls = tmp_path / "story.ndjson", []
        self.at("2025-03-03 08:00", type="staff.set", data={"name": "anna", "calendar": "company"})
        self.customer("2025-03-03 08:01", language="en")

    def at(self, when, **call):
        """`when` is Berlin's clock; 2025-03-03 is a Monday."""
        moment = datetime.datetime.fromisoformat(when).replace(tzinfo=BERLIN)
        message = f"m-{len(self.calls)}"
        self.calls.append({"messageId": message, "timestamp": moment.isoformat(), **call})
        return message

    def customer(self, when, **traits):
        self.at(when, type="identify", userId="u-1", traits={"name": "Ann", **traits})
        self.at(when, type="owner.changed", customer="user_id:u-1", data={"owner": "anna"})

    def track(self, when, event, **properties):
        return self.at(when, type="track", userId="u-1", event=event, properties=properties)

    def order(self, when, total=20, currency="EUR"):
        number = f"A-{len(self.calls)}"
        return self.track(when, "Order Completed", order_id=number, total=total, currency=currency)

    def play(self):
        self.path.write_text("".join(json.dumps(call) + "\n" for call in self.calls))
        done = subprocess.run(
            [BUILD / "kith", "import", "--replay", self.path],
            env=dict(
                os.environ,
                KITH_URL=f"http://127.0.0.1:{self.daemon.port}",
                KITH_KEY=self.daemon.key("admin"),
            ),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        items = self.daemon.timeline("user_id:u-1")
        assert not [item for item in items if item["type"] == "rule.failed"], items
        return self

    def tasks(self, rule):
        """(created, due, assignee, title) by Berlin's clock, in order."""
        found = self.daemon.get("/v1/reminders?state=all&limit=1000").json["items"]
        return sorted(
            (local(task["created"]), local(task["due"]), task["assignee"], task["title"])
            for task in found
            if task["rule"] == rule
        )

    def messages(self, rule):
        found = self.daemon.get("/v1/effects?limit=1000").json["items"]
        return sorted(
            (local(effect["created"]), effect["content"].get("body", effect["content"].get("text")))
            for effect in found
            if effect["rule"] == rule
        )


def local(text):
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment.astimezone(BERLIN).strftime("%Y-%m-%d %H:%M")


@pytest.fixture
def story(start, tmp_path):
    return Story(start, tmp_path)


# ---- The six rules -------------------------------------------------------------------------


def test_whoever_signs_up_is_called_by_the_shop_within_two_working_days(story):
    story.track("2025-03-07 17:00", "Signed Up", shop="hamburg", where="in the shop")  # a Friday
    (task,) = story.play().tasks("welcome call")
    assert task == ("2025-03-07 17:00", "2025-03-10 19:00", "hamburg", "Welcome Ann by phone")


@pytest.mark.parametrize(
    "zone, language, hour, words",
    [
        ("Europe/Berlin", "de", "09:00", "Alles Gute zum Geburtstag, Ann!"),
        ("Asia/Shanghai", "en", "02:00", "Happy birthday, Ann!"),
    ],
)
def test_a_birthday_is_greeted_at_nine_where_she_lives(story, zone, language, hour, words):
    story.customer("2025-03-03 08:02", timezone=zone, language=language, birthday="1980-03-20")
    (created, body), *later = story.play().messages("birthday greeting")
    assert created == f"2025-03-20 {hour}" and body.startswith(words)
    assert all(moment[5:10] == "03-20" for moment, _ in later)


def test_a_birthday_by_the_chinese_calendar_falls_on_another_day_each_year(story):
    # Born on the first day of a Chinese year, and so were 29 January 2025 and 17 February 2026.
    story.customer("2025-01-03 08:00", lunar_birthday="1988-02-17", language="zh")
    story.calls.sort(key=lambda call: call["timestamp"])
    days = [day for day, _ in story.play().messages("birthday greeting by the Chinese calendar")]
    assert days[0] == "2025-01-29 09:00" and len({day[5:10] for day in days}) == len(days)


def test_a_big_order_is_thanked_for_within_a_working_day_and_a_small_one_is_not(story):
    story.order("2025-03-08 12:00", 499)  # a Saturday
    story.order("2025-03-08 13:00", 500)
    story.order("2025-03-08 14:00", 3999, "CNY")
    story.order("2025-03-08 15:00", 450, "GBP")
    due = "2025-03-10 19:00"
    assert story.play().tasks("thank for a big order") == [
        ("2025-03-08 13:00", due, "anna", "Thank Ann for the order"),
        ("2025-03-08 15:00", due, "anna", "Thank Ann for the order"),
    ]
    traits = story.daemon.get("/v1/customers/user_id:u-1").json["traits"]
    assert (traits["orders"], traits["spent"]) == (4, 499 + 500 + 3999 + 450)


def test_a_visit_is_followed_up_within_three_days_unless_something_was_bought(story):
    story.track("2025-03-10 12:00", "Shop Visited", looked_at="teapot")
    story.order("2025-03-11 12:00")
    story.track("2025-03-20 12:00", "Shop Visited", looked_at="teapot")
    story.track("2025-03-21 15:00", "Shop Visited", looked_at="tea table")
    assert story.play().tasks("follow up on a visit") == [
        ("2025-03-23 15:00", "2025-03-24 15:00", "anna", "Ask Ann about the tea table")
    ]


def test_a_complaint_is_due_in_24_hours_and_an_hour_later_the_managers(story):
    story.track(
        "2025-03-08 23:00",
        "Complaint Received",
        complaint_id="C-1",
        subject="a late parcel",
        text="Where is it?",
    )
    (task,) = story.play().tasks("answer a complaint")
    assert task == (
        "2025-03-08 23:00",
        "2025-03-09 23:00",
        "managers",
        "Answer Ann: a late parcel",
    )
    ((told, words),) = story.messages("tell the managers")
    assert told == "2025-03-10 00:00" and words.endswith("now yours: Answer Ann: a late parcel")


def test_a_complaint_that_is_answered_in_time_does_not_escalate(story):
    fields = {"complaint_id": "C-1", "subject": "a late parcel", "text": "Where is it?"}
    story.track("2025-03-08 23:00", "Complaint Received", **fields)
    story.at("2025-03-09 22:59", type="reminder.done", data={"task": 1, "outcome": "refunded"})
    (task,) = story.play().tasks("answer a complaint")
    assert task[2] == "anna" and story.messages("tell the managers") == []


def test_a_regular_who_is_silent_for_90_days_is_asked_after(story):
    for day in ("2025-03-04", "2025-03-05", "2025-03-06"):
        story.order(day + " 12:00")
    story.track("2025-04-06 12:00", "Enquiry Received", subject="oolong")  # a sign of life
    (task,) = story.play().tasks("ask after a regular")
    created, due, to, title = task
    assert (created, due) == ("2025-07-05 12:00", "2025-07-08 19:00")  # from a Saturday to Tuesday
    assert (to, title) == ("anna", "Ask after Ann: nothing for 90 days")


def test_whoever_bought_twice_is_no_regular(story):
    for day in ("2025-03-04", "2025-03-05"):
        story.order(day + " 12:00")
    assert story.play().tasks("ask after a regular") == []


# ---- The data, on any day -------------------------------------------------------------------

DAYS = ("2024-02-29T06:30:00", "2025-01-01T00:01:00", "2025-03-30T01:10:00", "2026-02-17T23:59:00")
DAYS += ("2026-11-22T02:41:00", "2026-11-23T12:00:00", "2027-12-31T23:59:59")


@pytest.mark.parametrize("day", DAYS)
def test_the_data_are_a_year_of_3000_people_that_ends_when_it_is_made(day):
    until = datetime.datetime.fromisoformat(day + "+00:00")
    calls = demo_data.Business(until).calls
    times = [call["timestamp"] for call in calls]
    assert times == sorted(times) and times[-1] <= demo_data.stamp(until)
    assert times[0] >= demo_data.stamp(until - 366 * demo_data.DAY)
    assert times[-1] > demo_data.stamp(until - demo_data.DAY)
    assert len({call["messageId"] for call in calls}) == len(calls)

    people = {call["userId"]: call["traits"] for call in calls if call["type"] == "identify"}
    assert len(people) == 3000
    for unique in ("email", "phone"):
        given = [traits[unique] for traits in people.values() if unique in traits]
        assert len(set(given)) == len(given) > 1000
    han = sum(
        not traits["name"].isascii() and ord(traits["name"][0]) > 0x4E00 - 1
        for traits in people.values()
    )
    assert 900 < han < 1500
    events = collections.Counter(call.get("event", call["type"]) for call in calls)
    assert events["Order Completed"] > 5000 and events["Complaint Received"] > 50
    assert {"Signed Up", "Shop Visited", "Enquiry Received"} <= set(events)


def test_the_data_are_the_same_each_time():
    until = datetime.datetime.fromisoformat("2026-11-22T02:41:00+00:00")
    assert demo_data.Business(until).calls == demo_data.Business(until).calls


def test_staff_knows_how_to_close_what_each_rule_asks_for():
    rules = re.findall(
        r'^rule "(.+?)" \{((?:(?!^\}).)*)',
        "".join(path.read_text() for path in RULES.glob("*.lua")),
        re.M | re.S,
    )
    assert {name for name, body in rules if "remind {" in body} == set(demo_words.OUTCOMES)


# ---- make run ---------------------------------------------------------------------------------


class Demo:
    """tools/demo.sh, until Serving; then the commands it has printed."""

    def __init__(self, data):
        self.process = subprocess.Popen(
            ["sh", str(ROOT / "tools" / "demo.sh")],
            env=dict(
                os.environ, KITH_BUILD=str(BUILD), KITH_DATA=str(data), KITH_LISTEN="127.0.0.1:0"
            ),
            stdout=subprocess.PIPE,
            text=True,
            # Where this was started in the background SIGINT may be ignored, and stay so.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        lines = []
        for line in self.process.stdout:
            lines.append(line.rstrip("\n"))
            if line.startswith("Serving on "):
                break
        self.text = "\n".join(lines)
        assert lines and lines[-1].startswith("Serving on "), self.text
        self.export = re.search(r"^  (export .*)$", self.text, re.M).group(1)
        self.commands = re.findall(r"^  ((?:kith|curl) .*)$", self.text, re.M)

    def run(self, command):
        return subprocess.run(
            ["bash", "-ec", f"{self.export}\n{command}"],
            capture_output=True,
            text=True,
        )

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


@pytest.mark.long(25)
def test_make_run_shows_work_for_each_rule_and_ten_commands_that_work(tmp_path):
    demo = Demo(tmp_path / "demo")
    try:
        did, due = demo.text.split("Due by the end of today")
        for rule in ("welcome call", "answer a complaint", "thank for a big order"):
            assert re.search(rf"^  {rule} +\d+ follow-ups: \d+ done, \d+ open$", did, re.M), did
        for rule in demo_words.OUTCOMES:
            assert re.search(rf"^  {rule} -- \w", due, re.M), due
        assert re.search(r"^  birthday greeting by the Chinese calendar +\d+ messages", did, re.M)
        assert "王小明" in due and "Imogen Shaw" in due and "managers" in due

        assert len(demo.commands) == 10
        for command in demo.commands:
            done = demo.run(command)
            assert done.returncode == 0 and not done.stderr.startswith("kith:"), (command, done)
            assert len(done.stdout) > 20, command
        assert (
            "Thank Hauke Thomsen for the order"
            in demo.run("kith reminders --customer user_id:c-0006").stdout
        )
    finally:
        assert demo.stop() == 0

    again = Demo(tmp_path / "demo")  # what was loaded is kept
    assert again.text.startswith("Loaded at ") and len(again.commands) == 10
    assert "Thank Hauke Thomsen" in again.run("kith reminders --customer user_id:c-0006").stdout
    assert again.stop() == 0
