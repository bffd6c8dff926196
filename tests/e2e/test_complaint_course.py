"""A complaint from a mail to the recovery call, by a virtual clock."""
import datetime
import re
import time
import urllib.parse
import zoneinfo

import pytest

from conftest import eventually
from mail_house import parsed, sink  # noqa: F401 (a fixture)
from test_bad_input import faults, write_whole  # noqa: F401 (a fixture)
from test_complaint import (  # noqa: F401 (folder is a fixture)
    RULES,
    _folder,
    case,
    configuration,
    identify,
    kith,
    mail,
    moved,
    report,
    track,
)

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
CALENDAR = """
calendar "service" {
  zone = "Europe/Berlin",
  hours = { ["mon-fri"] = "09:00-17:00" },
  holidays = { "2026-04-03", "2026-04-06" },
}
"""
POLICY = """
  team = "anna", calendar = "service", policy_version = "%s",
  acknowledge = "4wh", respond = "10wd", respond_high = "%s", close = "5wd",
  escalate = { "4wh ben", "1wd carl" },
  addresses = { "complaints@example.com" }, critical_words = { "lawyer" },
  channel = "email", auto_acknowledge = false,
  survey_after = "1d", recovery_after = "3wd", recovery_within = "1wd",
"""


def berlin(words):
    """ "03-27 15:30" of 2026, as the clocks of Berlin show it."""
    at = datetime.datetime.strptime("2026-" + words, "%Y-%m-%d %H:%M")
    return at.replace(tzinfo=BERLIN)


def minute(words):
    """The same in UTC, as Kith writes it, to the minute: an entry is written within a second."""
    return berlin(words).astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M")


class Virtual:
    """A daemon whose clock shows what it is told, and goes on from there."""

    def __init__(self, start, environment, tmp_path, folder, sink, isolated):
        self.begin, self.tmp_path, self.folder, self.sink = start, tmp_path, folder, sink
        self.isolated = isolated
        self.clock = tmp_path / "clock"
        self.env = environment(KITH_CLOCK=str(self.clock))
        (tmp_path / "rules").mkdir()
        (tmp_path / "rules" / "rules.lua").write_text(CALENDAR + RULES)
        self.sees("03-23 08:00")
        self.run(POLICY % ("2026-1", "5wd"))

    def run(self, policy):
        config = configuration(
            self.tmp_path, self.folder, policy=policy, smtp=self.sink.url, isolated=self.isolated
        )
        flags = ("--config", config, "--scripts", self.tmp_path / "rules")
        self.daemon = self.begin(*flags, env=self.env)

    def restart(self, policy):
        assert self.daemon.stop() == 0
        self.run(policy)

    def sees(self, words, seconds=0):
        at = berlin(words) + datetime.timedelta(seconds=seconds)
        write_whole(self.clock, str(int(at.timestamp() - time.time())))

    def comes(self, words, seconds=0):
        """It is so late now, and log time has followed."""
        self.sees(words, seconds)
        answer = self.daemon.post("/v1/clock/accept", {})
        assert answer.status in (200, 409), answer.body
        track(self.daemon, "Tick", user="nobody")

    def events(self, *types):
        timeline = self.daemon.timeline("user_id:u-1")
        return [event for event in reversed(timeline) if event["type"] in types]

    def due(self, deadline, words, level, to):
        """Nothing before; and from that moment on this step of the ladder."""
        steps = len(self.events("complaint.overdue"))
        self.comes(words, seconds=-90)
        assert len(self.events("complaint.overdue")) == steps
        self.comes(words, seconds=5)
        eventually(lambda: len(self.events("complaint.overdue")) == steps + 1)
        event = self.events("complaint.overdue")[-1]
        assert (event["data"]["deadline"], event["data"]["level"]) == (deadline, level)
        assert event["data"]["to"] == to
        assert event["logged"][:16] == minute(words) and event["logged"] >= event["data"]["due"]
        return event["data"]["due"][:16]

    def due_of(self, name):
        return self.case()["deadlines"][name]["due"][:16]

    def case(self):
        return case(self.daemon, 1)

    def deadline(self, name):
        return self.case()["deadlines"][name]

    def messages(self):
        """What has come to her by mail, as text."""
        mails = [parsed(mail) for mail in self.sink.of("u-1@example.com")]
        return [mail.get_body(("plain",)).get_content() for mail in mails]

    def reminders(self, assignee):
        return self.daemon.get(f"/v1/reminders?to={assignee}").json["items"]


@pytest.fixture(params=[False, True], ids=["here", "isolated"])
def virtual(request, start, faults, tmp_path, folder, sink):  # noqa: F811
    world = Virtual(start, faults, tmp_path, folder, sink, request.param)
    for name in ("anna", "ben", "carl"):
        assert world.daemon.call("PUT", f"/v1/staff/{name}", {}).status in (200, 201)
    identify(world.daemon, "u-1", "Ann")
    return world


@pytest.mark.long(10)
def test_from_a_mail_to_the_recovery_call_each_deadline_at_its_time(virtual):
    """Friday the 27th of March 2026 until the 13th of April in Berlin: over three weekends, the
    change to summer time (29th of March), Good Friday and Easter Monday (3rd and 6th of April)."""
    daemon = virtual.daemon

    # A mail on Friday, an hour and a half before the end of the day.
    virtual.comes("03-27 15:30")
    mail(
        daemon, to="complaints@example.com", subject="The box was empty", text="I am angry",
    )  # fmt: skip
    record = virtual.case()
    assert record["state"] == "received" and record["owner"] == "anna"
    assert record["fields"]["policy"] == "2026-1"
    eventually(lambda: len(virtual.messages()) == 1)
    assert "complaint:1" in virtual.messages()[0]

    # 4wh: until 17:00, and 2 h 30 min on Monday, when the clocks have been put forward.
    assert virtual.due_of("acknowledge") == minute("03-30 11:30")
    assert minute("03-30 11:30") == "2026-03-30T09:30"
    assert [r["about"] for r in virtual.reminders("anna")] == ["complaint:1"] * 2
    assert virtual.due("acknowledge", "03-30 11:30", 0, "anna") == minute("03-30 11:30")
    virtual.due("acknowledge", "03-30 15:30", 1, "ben")
    eventually(lambda: len(virtual.reminders("ben")) == 1)
    virtual.comes("03-30 16:00")
    moved(daemon, 1, "acknowledge")
    fields = virtual.case()["fields"]
    assert fields["acknowledged_in_time"] is False and virtual.reminders("ben") == []

    # It is assessed: 5wd instead of 10wd, of which two fall out for Easter.
    assert virtual.due_of("respond") == minute("04-14 17:00")
    virtual.comes("03-31 10:00")
    moved(daemon, 1, "assess", severity="high")
    assert virtual.due_of("respond") == minute("04-07 17:00")
    assert (
        "severity is high: 5wd instead of 10wd"
        in virtual.events("complaint.rescheduled")[-1]["data"]["reason"]
    )

    # The customer is asked, and answers the next day: 21 hours were left and are left.
    virtual.comes("04-01 12:00")
    moved(daemon, 1, "ask")
    assert virtual.deadline("respond")["status"] == "paused"
    virtual.comes("04-02 10:00")
    mail(daemon, to="hello@example.com", subject="Re: [complaint:1] The box", text="No. 7")
    assert virtual.case()["state"] == "assessed"
    assert virtual.due_of("respond") == minute("04-08 15:00")

    # The policy becomes stricter while it is open: 5 hours were left when it was paused.
    virtual.comes("04-02 11:00")
    virtual.restart(POLICY % ("2026-2", "3wd"))
    daemon = virtual.daemon
    virtual.comes("04-02 11:01")
    eventually(lambda: virtual.due_of("respond") == minute("04-02 15:00"))
    move = virtual.events("complaint.rescheduled")[-1]["data"]
    assert move["was"][:16] == minute("04-08 15:00")
    assert move["due"][:16] == minute("04-02 15:00")
    assert "3wd" in move["reason"] and "5wd" in move["reason"], move
    assert virtual.deadline("respond")["moves"][-1]["reason"] == move["reason"]
    assert virtual.case()["fields"]["policy"] == "2026-1"  # under which it came in

    # Overdue on Thursday; the ladder stands still over Easter.
    virtual.due("respond", "04-02 15:00", 0, "anna")
    virtual.due("respond", "04-07 11:00", 1, "ben")
    virtual.comes("04-07 12:00")
    moved(daemon, 1, "respond")
    fields = virtual.case()["fields"]
    assert fields["responded_in_time"] is False
    assert fields["responded_at"].startswith("2026-04-07T10:00:")
    assert virtual.due_of("close") == minute("04-14 17:00")

    # Closed in time; a day later she is asked, and says what she thinks by the link.
    virtual.comes("04-08 10:00")
    moved(daemon, 1, "close", root_cause="delivery", resolution="accepted")
    assert virtual.deadline("close")["status"] == "met"
    virtual.comes("04-09 09:58")
    assert len(virtual.messages()) == 1
    virtual.comes("04-09 10:01")
    eventually(lambda: len(virtual.messages()) == 2)
    (good,) = re.findall(r"I am satisfied: (\S+)", virtual.messages()[1])
    link = urllib.parse.urlsplit(good).path
    assert daemon.get(link, key=None).status == 200
    assert daemon.post(link, "", key=None).status == 200
    eventually(lambda: virtual.case()["fields"].get("satisfaction") == 4)

    # And the recovery call, three working days after closing.
    virtual.comes("04-10 23:00")
    assert virtual.reminders("anna") == []
    virtual.comes("04-13 17:01")
    eventually(lambda: len(virtual.reminders("anna")) == 1)
    (call,) = virtual.reminders("anna")
    assert call["title"] == "Call: is all well again after complaint:1?"
    assert call["about"] == "complaint:1"
    code, out, wrong = kith(daemon, "done", str(call["id"]))
    assert code == 0, (out, wrong)

    # What is told of it all.
    found = report(daemon, "?from=2026-03-01&to=2026-05-01")
    assert (found["received"], found["closed"], found["open"]) == (1, 1, 0)
    assert found["acknowledged"]["late"] == 1 and found["responded"]["late"] == 1
    assert found["satisfaction"] == {"answers": 1, "average": 4.0}
    assert daemon.post("/v1/verify", {}).json["ok"]
