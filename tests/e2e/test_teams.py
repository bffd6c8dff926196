"""Teams, absences and deputies, over HTTP and by the command, against the real daemon."""
import datetime
import json
import signal
import subprocess

import pytest

from conftest import BUILD, eventually

RULES = """
rule "remind" {
  on = "Remind",
  run = function(event)
    remind { title = "call", to = event.to or "team:care", due = "2d", key = tostring(event.seq) }
  end,
}
rule "assign" {
  on = "Assign",
  run = function(event, customer) customer:assign(event.to) end,
}
kind "case" {
  roles = { customer = { subject = true } },
  states = { "open", { name = "closed", final = true } },
  transitions = { close = { from = "open", to = "closed" } },
  deadlines = { answer = { from = "open", due = "2d", to = "owner" } },
}
"""


@pytest.fixture
def house(start, tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rules.lua").write_text(RULES)
    daemon = start("--scripts", tmp_path / "rules")
    for name in ("ann", "bob"):
        assert kith(daemon, "staff", "add", name, "--team", "care")[0] == 0
    assert kith(daemon, "team", "set", "care", "--assign", "owner,turn")[0] == 0
    return daemon


def kith(daemon, *words):
    done = subprocess.run(
        [str(BUILD / "kith"), *words],
        env={"KITH_URL": f"http://127.0.0.1:{daemon.port}", "KITH_KEY": daemon.key("admin")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def track(daemon, user, event, **properties):
    body = {"userId": user, "event": event, "properties": properties}
    assert daemon.post("/v1/track?wait=applied", body, key="write").status == 200


def reminders(daemon):
    items = daemon.get("/v1/reminders").json["items"]
    return {item["id"]: item for item in items}


def day(ahead):
    return (datetime.datetime.now() + datetime.timedelta(days=ahead)).strftime("%Y-%m-%d")


def test_work_for_a_team_goes_round_and_the_trace_says_why(house):
    for user in ("u-1", "u-2", "u-3"):
        track(house, user, "Remind")
    items = reminders(house)
    assert [items[i]["assignee"] for i in (1, 2, 3)] == ["ann", "bob", "ann"]
    assert items[1]["why"] == "team care: next in turn"
    traces = [e["trace"].get("log") for e in house.timeline("user_id:u-1") if e["type"] == "Remind"]
    assert traces == [["task 1 is ann's: team care: next in turn"]]


def test_a_customer_is_assigned_by_a_rule_and_by_a_clerk(house):
    track(house, "u-1", "Assign", to="team:care")
    assert house.get("/v1/customers/user_id:u-1").json["owner"] == "ann"
    track(house, "u-2", "Hello")
    code, out, _ = kith(house, "assign", "user_id:u-2", "team:care")
    assert (code, out) == (0, "customer 2: owner is now bob\n")
    track(house, "u-2", "Remind")
    assert reminders(house)[1]["why"] == "team care: is the customer's owner"
    code, _, said = kith(house, "assign", "user_id:u-2", "team:carre")
    assert code == 1 and 'did you mean "care"?' in said
    refused = house.post("/v1/customers/user_id:u-2/assign", {"owner": "team:nobodys"})
    assert refused.status == 409 and "no team is called nobodys" in refused.json["detail"]


def add_case(house, owner):
    body = {"customer": "user_id:u-1", "owner": owner}
    answer = house.post("/v1/records/case", body)
    return answer.json.get("owner") if answer.status == 201 else answer.json["detail"]


def test_records_are_a_members_and_their_deadlines_follow_absences(house):
    track(house, "u-1", "Hello")
    assert [add_case(house, "team:care") for _ in range(3)] == ["ann", "bob", "ann"]
    items = reminders(house)
    assert [items[i]["assignee"] for i in (1, 2, 3)] == ["ann", "bob", "ann"]
    assert kith(house, "record", "assign", "case:1", "team:care")[0] == 0
    assert house.get("/v1/records/case/1").json["owner"] == "bob"
    assert kith(house, "staff", "absent", "ann", "--to", day(9), "--deputy", "bob")[0] == 0
    add_case(house, "ann")
    item = reminders(house)[4]
    assert (item["assignee"], item["of"]) == ("bob", "ann")
    assert kith(house, "staff", "back", "ann")[0] == 0
    eventually(lambda: reminders(house)[4]["assignee"] == "ann")


def test_a_record_is_nobodys_who_is_not_there(house):
    track(house, "u-1", "Hello")
    assert add_case(house, "nosuch") == 'nobody on the staff is called "nosuch"'
    assert add_case(house, "team:moon") == 'no team is called "moon"'
    assert add_case(house, "ann") == "ann"
    refused = house.call("PATCH", "/v1/records/case/1", {"owner": "nosuch"})
    assert refused.status == 422 and 'called "nosuch"' in refused.json["detail"]
    code, _, said = kith(house, "record", "add", "case", "user_id:u-1", "--owner", "nosuch")
    assert code == 1 and 'nobody on the staff is called "nosuch"' in said


def test_a_fallback_that_is_nobody_is_told_and_one_that_is_somebody_stays(start, tmp_path):
    config = tmp_path / "kith.lua"
    config.write_text('fallback "zoe"\n')
    daemon = start("--config", config)
    words = "nobody is called zoe, the fallback of kith.lua"
    daemon.wait_line(words)
    code, out, _ = kith(daemon, "doctor")
    assert code == 1 and words in out
    assert kith(daemon, "staff", "add", "zoe")[0] == 0
    assert kith(daemon, "doctor")[0] == 0
    code, _, said = kith(daemon, "staff", "remove", "zoe")
    assert code == 1 and "zoe is the fallback of kith.lua" in said


def test_a_team_that_is_away_refuses_nothing(start, tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rules.lua").write_text(
        RULES.replace('kind "case" {', 'kind "case" { owner = "service",')
    )
    (tmp_path / "kith.lua").write_text('fallback "boss"\n')
    daemon = start("--config", tmp_path / "kith.lua", "--scripts", tmp_path / "rules")
    for words in (
        ("staff", "add", "boss"),
        ("staff", "add", "ann"),
        ("team", "set", "service", "--member", "ann", "--assign", "turn"),
        ("staff", "absent", "ann", "--to", day(9)),
    ):
        assert kith(daemon, *words)[0] == 0
    track(daemon, "u-1", "Hello")
    code, out, said = kith(daemon, "assign", "user_id:u-1", "service")
    assert (code, out) == (0, "customer 1: owner is now boss\n"), said
    assert kith(daemon, "record", "add", "case", "user_id:u-1")[0] == 0
    assert daemon.get("/v1/records/case/1").json["owner"] == "boss"
    assert kith(daemon, "staff", "absent", "boss", "--to", day(9))[0] == 0
    assert kith(daemon, "record", "add", "case", "user_id:u-1")[0] == 0
    assert daemon.get("/v1/records/case/2").json["owner"] == "service"
    assert kith(daemon, "staff", "back", "ann")[0] == 0
    assert kith(daemon, "record", "assign", "case:2", "service")[0] == 0
    assert daemon.get("/v1/records/case/2").json["owner"] == "ann"


def test_whoever_has_left_gets_nothing(house):
    for words in (
        ("staff", "add", "zoe"),
        ("team", "set", "care", "--member", "zoe", "--assign", "turn"),
        ("staff", "add", "carl", "--deputy", "zoe"),
        ("staff", "remove", "zoe"),
        ("staff", "add", "zoe"),
        ("staff", "absent", "carl", "--to", day(9)),
    ):
        assert kith(house, *words)[0] == 0
    for user in ("u-1", "u-2", "u-3"):
        track(house, user, "Remind")
    track(house, "u-1", "Remind", to="carl")
    items = reminders(house)
    assert [items[i]["assignee"] for i in (1, 2, 3, 4)] == ["ann", "bob", "ann", "carl"]


def test_a_kind_whose_owner_is_nobody_is_told_and_its_records_are_the_fallbacks(start, tmp_path):
    (tmp_path / "rules").mkdir()
    rules = 'kind "case" { states = { "open" }, owner = "serivce" }'
    (tmp_path / "rules" / "rules.lua").write_text(rules)
    config = tmp_path / "kith.lua"
    config.write_text('fallback "ann"\n')
    flags = ["--scripts", tmp_path / "rules", "--config", config]
    daemon = start(*flags)
    assert kith(daemon, "staff", "add", "ann")[0] == 0
    words = "nobody is called serivce, whose the records of the kind case are to be"
    code, out, _ = kith(daemon, "doctor")
    assert code == 1 and words in out
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_line(words)
    assert daemon.stop() == 0
    daemon = start(*flags)
    daemon.wait_line(words)
    daemon.send({"type": "identify", "userId": "u-1"})
    code, out, said = kith(daemon, "record", "add", "case", "user_id:u-1")
    assert code == 0, said
    assert daemon.get("/v1/records/case/1").json["owner"] == "ann"
    assert kith(daemon, "staff", "add", "serivce")[0] == 0
    assert kith(daemon, "doctor")[0] == 0


def test_what_falls_due_in_an_absence_goes_to_the_deputy_and_comes_back(house):
    track(house, "u-1", "Remind", to="ann")
    code, out, said = kith(
        house, "staff", "absent", "ann", "--to", day(9), "--deputy", "bob", "--from", day(-1)
    )
    assert code == 0, said
    assert "ann is away" in out
    wait_for(house, 1, "bob")
    item = reminders(house)[1]
    assert item["of"] == "ann" and "ann is away until" in item["why"]
    track(house, "u-2", "Remind")  # the team passes over her
    assert reminders(house)[2]["assignee"] == "bob"
    assert kith(house, "staff", "back", "ann")[0] == 0
    wait_for(house, 1, "ann")
    assert "of" not in reminders(house)[1]
    moved = [e["data"]["assignee"] for e in house.timeline("user_id:u-1") if "moved" in e["type"]]
    assert moved == ["ann", "bob"]  # the newest first


def test_whoever_leaves_while_away_leaves_nothing_behind(house):
    track(house, "u-1", "Remind", to="ann")
    track(house, "u-2", "Remind", to="ann")
    kith(house, "staff", "absent", "ann", "--to", day(9), "--deputy", "bob")
    wait_for(house, 2, "bob")
    assert "bob for ann" in kith(house, "reminders")[1]
    assert [r["id"] for r in house.get("/v1/reminders?of=ann").json["items"]] == [1, 2]
    code, _, said = kith(house, "staff", "remove", "ann", "--to", "bob")
    assert code == 0, said
    assert [(r["assignee"], r.get("of")) for r in reminders(house).values()] == [("bob", None)] * 2


def wait_for(daemon, task, assignee):
    """A tick follows the change by moments; another change is behind it."""
    for _ in range(200):
        if reminders(daemon)[task]["assignee"] == assignee:
            return
        track(daemon, "u-9", "Hello")
    raise AssertionError(reminders(daemon)[task])


def test_an_absence_outlives_a_crash(start, tmp_path, house):
    kith(house, "staff", "absent", "ann", "--from", day(3), "--to", day(4), "--deputy", "bob")
    house.kill()
    again = start("--scripts", tmp_path / "rules")
    absences = again.get("/v1/staff/ann").json["absences"]
    assert [a["deputy"] for a in absences] == ["bob"]
    assert absences[0]["from"].startswith(
        (datetime.datetime.utcnow() + datetime.timedelta(days=3)).strftime("%Y-%m-%d")
    )
    assert kith(again, "staff", "back", "ann", "--from", day(3))[0] == 0
    assert "absences" not in again.get("/v1/staff/ann").json


def test_changing_a_record_keeps_what_is_not_named(house):
    kith(house, "staff", "absent", "ann", "--from", day(3), "--to", day(4))
    assert kith(house, "staff", "add", "ann", "--phone", "+49 30 1", "--languages", "de,zh")[0] == 0
    member = house.get("/v1/staff/ann").json
    assert member["team"] == "care" and len(member["absences"]) == 1
    assert member["languages"] == ["de", "zh"]
    for name in ("eve", "zoe"):
        assert kith(house, "staff", "add", name)[0] == 0
    assert kith(house, "team", "set", "care", "--member", "eve", "--member", "zoe")[0] == 0
    team = house.get("/v1/staff/care").json
    assert team["assign"] == ["owner", "turn"] and team["members"] == ["eve", "zoe"]


def test_what_makes_no_sense_is_refused_with_words(house):
    for body, words in (
        ({}, 'an absence needs "to", the last day, or "until"'),
        ({"to": "soon"}, 'an absence\'s "to" is a date or a moment'),
        ({"from": "2026-01-02", "to": "2026-01-01"}, "an absence ends after it begins"),
        ({"from": "2020-01-01", "to": "2020-01-02"}, "that absence is over already"),
    ):
        answer = house.post("/v1/staff/ann/absences", body)
        assert answer.status == 422 and words in answer.json["detail"], answer.body
    assert house.post("/v1/staff/who/absences", {"to": day(1)}).status == 404
    assert house.call("DELETE", "/v1/staff/ann/absences").status == 409
    assert house.call("DELETE", "/v1/staff/ann/absences?from=then").status == 422
    answer = house.call("PUT", "/v1/staff/care", {"assign": ["chance"]})
    assert answer.status == 422 and "owner, language, load, turn" in answer.json["detail"]
    code, _, said = kith(house, "staff", "absent", "ann", "--to", day(1), "--deputy", "bobb")
    assert code == 1 and 'did you mean "bob"?' in said


def test_the_json_of_a_team_is_for_programs(house):
    code, out, _ = kith(house, "team", "--json")
    assert code == 0
    teams = {item["name"]: item["members"] for item in map(json.loads, out.splitlines())}
    assert teams == {"care": ["ann", "bob"]}
