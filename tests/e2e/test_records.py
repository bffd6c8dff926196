"""Records over HTTP and by the command: made, found, changed, moved, and their deadlines."""
import json
import os
import subprocess

import pytest

from command import attach
from conftest import BUILD

RULES = """
kind "complaint" {
  description = "What somebody is not content with",
  fields = {
    subject = { type = "text", required = true, searchable = true },
    severity = { type = "choice", values = { "low", "high" } },
    amount = "money", erp = { type = "text", external = true },
    count = "whole", at_once = "flag", parts = { type = "list", of = "text" },
  },
  roles = { customer = { subject = true }, dealer = { many = true } },
  states = { "received", "acknowledged", { name = "waiting", waiting = true },
    { name = "closed", final = true } },
  transitions = {
    acknowledge = { from = "received", to = "acknowledged" },
    ask = { from = "*", to = "waiting" },
    resume = { from = "waiting", to = "received" },
    close = { from = "*", to = "closed", fields = { "amount" } },
  },
  deadlines = { answer = { from = "received", due = "2wd", to = "owner" } },
  owner = "anna", title = "subject",
}
kind "order" { states = { "open", { name = "done", final = true } } }
rule "hear" { on = { "complaint.received", "complaint.closed" }, run = function(event, customer)
  customer:set("last", event.record.state)
end }
"""


@pytest.fixture
def house(start, tmp_path):
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "rules.lua").write_text(RULES)
    daemon = start("--scripts", scripts)
    daemon.send(
        {"type": "identify", "userId": "u-1", "traits": {"name": "Ann"}},
        {"type": "identify", "userId": "u-2", "traits": {"name": "Dan"}},
    )
    return daemon


def create(house, subject="late", customer="user_id:u-1", **more):
    body = {"customer": customer, "fields": {"subject": subject}, **more}
    answer = house.post("/v1/records/complaint", body)
    assert answer.status == 201, answer.body
    return answer


def test_the_simplest_kind_has_a_customer(house):
    body = {"customer": "user_id:u-2"}
    assert house.post("/v1/records/order", body).json["customer"] == 2
    assert house.post("/v1/records/order", {}).json["customer"] is None
    assert kith(house, "record", "add", "order", "user_id:u-1")[0] == 0
    assert house.get("/v1/records/order/3").json["customer"] == 1


def numbers(house, query=""):
    """All pages of a list, two items each."""
    found, after = [], ""
    while True:
        answer = house.get(f"/v1/records/complaint?limit=2{query}{after}")
        assert answer.status == 200, answer.body
        found += [item["id"] for item in answer.json["items"]]
        if answer.json["next"] is None:
            return found
        after = f"&after={answer.json['next']}"


def test_a_record_is_made_read_moved_and_told(house):
    made = create(house)
    record = made.json
    assert (record["kind"], record["id"], record["state"]) == ("complaint", 1, "received")
    assert record["owner"] == "anna" and record["customer"] == 1 and record["title"] == "late"
    assert record["transitions"] == ["acknowledge", "ask", "close"]
    deadline = record["deadlines"]["answer"]
    assert deadline["status"] == "running" and deadline["due"]
    assert deadline["rule"].startswith('2wd after it came into the state "received"')
    assert house.get("/v1/records/complaint/1").json == record
    moved = house.post("/v1/records/complaint/1/acknowledge", {"note": "by phone"})
    assert moved.status == 200 and moved.json["state"] == "acknowledged"
    assert moved.json["deadlines"]["answer"]["status"] == "met"
    types = [item["type"] for item in house.timeline("user_id:u-1")]
    assert types[:4] == [
        "complaint.met",
        "reminder.closed",
        "complaint.acknowledged",
        "record.move",
    ]
    event = house.timeline("user_id:u-1")[2]
    assert event["about"] == "complaint:1" and event["data"]["note"] == "by phone"
    assert house.get("/v1/customers/1").json["traits"]["last"] == "received"


def test_what_is_wrong_is_said(house):
    create(house)
    for method, path, body, status, said in [
        ("POST", "/v1/records/complant", {}, 404, 'did you mean "complaint"?'),
        ("POST", "/v1/records/complaint", {"fields": {"subject": "x"}}, 422, "one is needed"),
        ("POST", "/v1/records/complaint", {"customer": "99"}, 404, "no such customer"),
        ("POST", "/v1/records/complaint", {"customer": "1"}, 422, '"subject" is needed'),
        ("PATCH", "/v1/records/complaint/1", {"fields": {"severity": "hgih"}}, 422, '"high"'),
        ("PATCH", "/v1/records/complaint/1", {}, 422, "nothing is to be changed"),
        ("PATCH", "/v1/records/complaint/9", {"owner": "x"}, 404, "there is no complaint 9"),
        ("POST", "/v1/records/complaint/1/resume", {}, 409, "is received, and not waiting"),
        ("POST", "/v1/records/complaint/1/clsoe", {}, 404, 'did you mean "close"?'),
        ("POST", "/v1/records/complaint/1/close", {}, 422, 'the field "amount" is needed'),
        ("PUT", "/v1/records/order/17", {}, 422, "has no external id"),
        ("PUT", "/v1/records/complaint/erpp:17", {}, 422, '"external" names a field'),
    ]:
        answer = house.call(method, path, body)
        assert answer.status == status, (path, answer.body)
        assert said in answer.json["detail"], answer.body
    assert house.get("/v1/records/complant").status == 404
    for query, said in [
        ("state=receivd", 'a complaint has no state "receivd"; did you mean "received"?'),
        ("state=%E5%BC%80", 'a complaint has no state "开"; there are: received, '),
        ("owner=annna", 'nobody on the staff is called "annna"; did you mean "anna"?'),
        ("owner=team:moon&state=received", 'no team is called "moon"'),
    ]:
        house.call("PUT", "/v1/staff/anna", {})
        answer = house.get("/v1/records/complaint?" + query)
        assert answer.status == 422 and said in answer.json["detail"], answer.body
    for query in ("state=received&open=1", "owner=anna", "state=closed"):
        assert house.get("/v1/records/complaint?" + query).status == 200
    assert house.get("/v1/records/complaint?after=x").status == 400
    assert house.get("/v1/records/complaint/x").status == 404


def test_of_two_who_change_the_same_the_second_gets_412(house):
    tag = create(house).headers["ETag"]
    assert tag == '"1"' == house.get("/v1/records/complaint/1").headers["ETag"]
    change = {"fields": {"subject": "a"}}
    first = house.call("PATCH", "/v1/records/complaint/1", change, headers={"If-Match": tag})
    assert first.status == 200 and first.headers["ETag"] == '"2"'
    second = house.call("PATCH", "/v1/records/complaint/1", change, headers={"If-Match": tag})
    assert second.status == 412 and "it is version 2 by now" in second.json["detail"]
    answer = house.post("/v1/records/complaint/1/acknowledge", {}, headers={"If-Match": '"7"'})
    assert answer.status == 412
    answer = house.post("/v1/records/complaint/1/acknowledge", {}, headers={"If-Match": "seven"})
    assert answer.status == 412
    answer = house.post("/v1/records/complaint/1/acknowledge", {}, headers={"If-Match": '"2"'})
    assert answer.status == 200


def test_an_erp_puts_by_its_own_id(house):
    body = {"customer": "1", "fields": {"subject": "late"}}
    answer = house.call("PUT", "/v1/records/complaint/A-1", body)
    assert answer.status == 201 and answer.json["fields"]["erp"] == "A-1"
    answer = house.call("PUT", "/v1/records/complaint/erp:A-1", {"fields": {"count": 3}})
    assert answer.status == 200 and answer.json["id"] == 1
    assert answer.json["fields"] == {"count": 3, "erp": "A-1", "subject": "late"}
    assert house.get("/v1/records/complaint/erp:A-1").json["id"] == 1
    answer = house.call("PUT", "/v1/records/complaint/A-1", {"customer": "2"})
    assert answer.status == 409


def test_each_filter_pages_through_all_of_its_own_once(house):
    for number in range(1, 8):
        create(house, customer=str(1 + number % 2), customers={"dealer": ["2"]})
        if number % 3 == 0:
            house.post(f"/v1/records/complaint/{number}/acknowledge", {})
        if number in (2, 6):
            house.post(f"/v1/records/complaint/{number}/assign", {"owner": "bea"})
    amount = {"fields": {"amount": {"amount": "1.50", "currency": "EUR"}}}
    assert house.post("/v1/records/complaint/7/close", amount).status == 200
    assert numbers(house) == [7, 6, 5, 4, 3, 2, 1]
    assert numbers(house, "&open=1") == [6, 5, 4, 3, 2, 1]
    assert numbers(house, "&state=acknowledged") == [6, 3]
    assert numbers(house, "&owner=bea") == [6, 2]
    assert numbers(house, "&owner=anna&open=1") == [5, 4, 3, 1]
    assert numbers(house, "&owner=bea&state=acknowledged") == [6]
    assert numbers(house, "&customer=user_id:u-1") == [6, 4, 2]
    assert numbers(house, "&customer=2") == [7, 6, 5, 4, 3, 2, 1]
    assert numbers(house, "&customer=2&owner=bea") == [6, 2]
    house.post("/v1/customers/1/merge", {"absorbed": "2"})
    assert numbers(house, "&customer=1") == [7, 6, 5, 4, 3, 2, 1]


def test_links_and_notes(house):
    create(house)
    create(house, "again")
    answer = house.post("/v1/records/complaint/1/links", {"to": "complaint:2", "type": "duplicate"})
    assert answer.json["links"] == [{"type": "duplicate", "to": "complaint:2"}]
    assert house.get("/v1/records/complaint/2").json["links"] == [
        {"type": "duplicate", "from": "complaint:1"}
    ]
    path = "/v1/records/complaint/1/links?to=complaint:2&type=duplicate"
    assert house.call("DELETE", path).json["links"] == []
    assert house.call("DELETE", "/v1/records/complaint/1/links").status == 400
    assert house.post("/v1/records/complaint/1/notes", {"text": "called her"}).status == 200
    note = house.timeline("1")[0]
    assert (note["type"], note["about"], note["data"]) == (
        "Note",
        "complaint:1",
        {"text": "called her"},
    )


def test_each_event_of_a_record_is_explained(house):
    create(house)
    house.post("/v1/records/complaint/1/ask", {})
    moved = house.post("/v1/records/complaint/1/resume", {})
    assert moved.json["deadlines"]["answer"]["moves"][-1]["reason"].startswith("it waited from")
    events = {item["type"]: item["event"] for item in house.timeline("1")}
    said = house.get(f"/v1/entries/{events['complaint.rescheduled']}/explain").json["text"]
    assert 'followed from "record.move"' in said
    assert 'of the deadline "answer" of "complaint:1", because it waited from' in said


def test_a_call_that_is_made_again_makes_nothing_again(house, start):
    key = {"Idempotency-Key": "k-1"}
    body = {"customer": "1", "fields": {"subject": "x"}}
    first = house.post("/v1/records/complaint", body, headers=key)
    again = house.post("/v1/records/complaint", body, headers=key)
    assert first.status == again.status == 201 and first.json["id"] == again.json["id"] == 1
    house.kill()
    for answers in (house.data / "answers").glob("*"):
        answers.unlink()
    house = start("--scripts", house.data.parent / "scripts")
    later = house.post("/v1/records/complaint", body, headers=key)
    assert later.status == 201 and later.json["id"] == 1
    assert numbers(house) == [1]


def test_records_are_in_the_export_and_go_with_their_subject(house):
    create(house, "her secret", customers={"dealer": ["2"]})
    create(house, "his", customer="2")
    exported = house.get("/v1/customers/1/export").json
    assert [record["fields"]["subject"] for record in exported["records"]] == ["her secret"]
    others = house.get("/v1/customers/2/export").json
    assert [record["id"] for record in others["records"]] == [2]
    assert b"her secret" not in house.get("/v1/customers/2/export").body
    assert house.call("DELETE", "/v1/customers/1").status == 202
    assert house.get("/v1/records/complaint/2").status == 200
    house.wait_line("erased|purge") if False else None
    answer = house.get("/v1/records/complaint/1")
    assert answer.status in (200, 404)


def test_the_kinds_are_told(house):
    kinds = house.get("/v1/records").json["items"]
    assert [kind["kind"] for kind in kinds] == ["complaint", "order"]
    assert kinds[0]["states"][3] == {"name": "closed", "final": True}
    assert kinds[0]["fields"]["severity"] == {"type": "choice", "values": ["low", "high"]}
    assert kinds[0]["transitions"]["close"]["fields"] == ["amount"]


# ---- The command ---------------------------------------------------------------------------------


def kith(house, *words):
    env = dict(os.environ, KITH_URL=f"http://127.0.0.1:{house.port}", KITH_KEY=house.key("admin"))
    done = subprocess.run(
        [BUILD / "kith", *words], capture_output=True, text=True, check=False, env=env
    )
    return done.returncode, done.stdout, done.stderr


def test_a_clerk_does_all_of_it_by_the_command(house):
    code, said, wrong = kith(
        house, "record", "add", "complaint", "user_id:u-1", "--set", "subject=late = again",
        "--set", "amount=12.50 EUR", "--set", "count=3", "--set", "at_once=yes",
        "--set", "parts=a,b", "--role", "dealer=2",
    )  # fmt: skip
    assert code == 0, wrong
    assert said.startswith("complaint:1  received, since ") and "Ann" in said
    record = house.get("/v1/records/complaint/1").json
    assert record["fields"] == {
        "amount": {"amount": "12.50", "currency": "EUR"},
        "at_once": True,
        "count": 3,
        "parts": ["a", "b"],
        "subject": "late = again",
    }
    assert record["customers"] == {"dealer": [2]}
    code, said, wrong = kith(house, "record", "move", "complaint:1", "ask", "--note", "which box?")
    assert code == 0 and "answer: paused" in said and "because it waits: waiting" in said, wrong
    assert kith(house, "record", "move", "complaint:1", "resume")[0] == 0
    code, said, wrong = kith(house, "record", "show", "complaint:1")
    assert "because it waited from" in said and "kith record move" in said
    assert (
        kith(house, "record", "change", "complaint:1", "--set", "count=", "--owner", "bea")[0] == 0
    )
    assert "count" not in house.get("/v1/records/complaint/1").json["fields"]
    assert kith(house, "record", "assign", "complaint:1", "anna")[0] == 0
    assert kith(house, "record", "note", "complaint:1", "called", "her")[0] == 0
    kith(house, "record", "add", "complaint", "1", "--set", "subject=x")
    code, said, wrong = kith(
        house, "record", "link", "complaint:1", "complaint:2", "--type", "twin"
    )
    assert code == 0 and "type twin, to complaint:2" in said, wrong
    code, said, _ = kith(
        house, "record", "link", "complaint:1", "complaint:2", "--type", "twin", "--remove"
    )
    assert code == 0 and "twin" not in said
    code, said, _ = kith(house, "records", "complaint")
    assert code == 0 and [line.split("\t")[0].split()[0] for line in said.splitlines()] == [
        "id",
        "2",
        "1",
    ]
    assert kith(house, "record", "move", "complaint:1", "close")[0] == 0
    assert len(kith(house, "records", "complaint")[1].splitlines()) == 2
    assert len(kith(house, "records", "complaint", "--all")[1].splitlines()) == 3
    code, said, _ = kith(house, "records", "--json")
    assert [json.loads(line)["kind"] for line in said.splitlines()] == ["complaint", "order"]
    code, _, wrong = kith(house, "record", "show", "17")
    assert code == 2 and "one is written complaint:17" in wrong
    code, _, wrong = kith(house, "record", "change", "complaint:1", "--set", "count")
    assert code == 2 and "NAME=VALUE" in wrong
    code, _, wrong = kith(house, "record", "change", "complaint:1", "--set", "count=many")
    assert code == 1 and '"count" is a whole number' in wrong


# -- Searching ---------------------------------------------------------------------------------


def test_records_are_found_by_the_words_of_their_searchable_fields(house):
    for subject in ("The box was empty", "Falsche Größe", "Box crushed"):
        body = {"customer": "user_id:u-1", "fields": {"subject": subject, "severity": "low"}}
        assert house.call("POST", "/v1/records/complaint?wait=applied", body).status == 201

    def titles(query):
        return [item["title"] for item in house.get(f"/v1/records/complaint?{query}").json["items"]]

    assert titles("q=box") == ["Box crushed", "The box was empty"]
    assert titles("q=EMPTY+box&open=1") == ["The box was empty"]
    assert titles("q=groesse") == ["Falsche Größe"]
    assert titles("q=low") == [], "severity is not searchable"
    assert titles("q=box&customer=user_id:u-1&state=closed") == []
    first = house.get("/v1/records/complaint?q=box&limit=1").json
    assert len(first["items"]) == 1 and first["next"]
    rest = house.get(f"/v1/records/complaint?q=box&limit=1&after={first['next']}").json
    assert [item["title"] for item in rest["items"]] == ["The box was empty"]
    answer = house.get("/v1/records/complaint?q=%3F%21")
    assert answer.status == 400 and "letters and digits" in answer.json["detail"]
    answer = house.get("/v1/records/order?q=box")
    assert answer.status == 400 and "searchable = true" in answer.json["detail"]
    assert "Box crushed" in attach(house)("records", "complaint", "--search", "crush")


def test_show_lists_her_open_records_and_get_prints_what_is_at_a_path(house):
    body = {"customer": "user_id:u-1", "fields": {"subject": "The box was empty"}}
    house.call("POST", "/v1/records/complaint?wait=applied", body)
    shown = attach(house)("show", "user_id:u-1")
    assert "open records" in shown and "complaint:1" in shown and "The box was empty" in shown
    house.call(
        "POST",
        "/v1/records/complaint/1/close?wait=applied",
        {"fields": {"amount": {"amount": "1", "currency": "EUR"}}},
    )
    assert "open records" not in attach(house)("show", "user_id:u-1")
    got = json.loads(attach(house)("get", "/v1/records/complaint/1"))
    assert (got["state"], got["title"]) == ("closed", "The box was empty")
    code, _, err = attach(house).run("get", "v1/records")
    assert code == 2 and "begins with /" in err
    code, _, err = attach(house).run("get", "/v1/records/complaint/99")
    assert code == 1 and "there is no complaint 99" in err
