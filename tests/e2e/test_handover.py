"""A hand-over as a process: each piece is listed, and confirmed by who gets it; nothing is lost."""
import pytest

from command import attach
from conftest import eventually
from test_followup import HOUR, House


@pytest.fixture(params=[False, True], ids=["here", "isolated"])
def house(request, start, tmp_path):
    return lambda: House(start, tmp_path, request.param, "")


def pieces(house, number=1):
    """What the daemon says of each piece, by its thing: customer:1, reminder:2, promise:3."""
    found = {}
    for item in house.ok("GET", "/v1/records/handover_item?limit=1000")["items"]:
        fields = item["fields"]
        kind = "" if fields["what"] == "record" else fields["what"] + ":"
        if fields["handover"] == number:
            found[kind + fields["thing"]] = item
    return found


def state(house, number=1):
    return house.ok("GET", f"/v1/records/handover/{number}")["state"]


def become(house, wanted, number=1):
    eventually(lambda: state(house, number) == wanted)


def request(house, **fields):
    body = {"fields": {"from": "anna", "to": "bert", **fields}}
    return house.ok("POST", "/v1/records/handover?wait=applied", body)["id"]


def confirm(house, number=1, by="bert"):
    """Each piece that waits, as the HTTP interface has it."""
    for piece in pieces(house, number).values():
        if piece["state"] == "listed":
            path = f"/v1/records/handover_item/{piece['id']}/confirm?wait=applied"
            house.ok("POST", path, {"fields": {"confirmed_by": by}})


def owner(house, path):
    return house.ok("GET", path)["owner"]


def test_steps_of_the_plugin_are_its_own_and_nobody_signs_for_another(house):
    house = house()
    house.promise("a call back", 5 * HOUR)
    number = request(house)
    become(house, "prepared")
    listed = pieces(house)["promise:1"]
    path = f"/v1/records/handover_item/{listed['id']}"
    for step in ("/v1/records/handover/%d/finish" % number, f"{path}/give"):
        assert house.daemon.post(step, {}).status in (403, 409)
    refused = house.daemon.post("/v1/records/promise/1/break", {})
    assert refused.status == 403 and "a plugin takes by itself" in refused.json["detail"]
    assert "break" not in house.ok("GET", "/v1/records/promise/1")["transitions"]
    assert "finish" not in house.ok("GET", f"/v1/records/handover/{number}")["transitions"]
    key = house.ok("PUT", "/v1/keys/carls", {"staff": "carl", "scopes": ["staff"]})["secret"]
    said = house.daemon.call(
        "POST",
        f"{path}/confirm",
        {"fields": {"confirmed_by": "bert"}},
        key=None,
        headers={"Authorization": f"Bearer {key}"},
    )
    assert said.status == 403 and "the key is carl's" in said.json["detail"]


def test_all_that_she_has_is_listed_confirmed_and_given_and_stands_on_the_timelines(house):
    house = house()
    kith = attach(house.daemon)
    promise = house.promise("a call back", 5 * HOUR)["id"]
    house.put("a.ics", "UID:a", "SUMMARY:Order tea")
    reminder = house.remind("Write")
    kith("note", "user_id:u-1", "likes", "green", "tea")
    customer = house.ok("GET", "/v1/customers/user_id:u-1")["id"]

    said = kith("handover", "prepare", "anna", "--to", "bert", "--reason", "she moves to Wien")
    assert said.startswith("hand-over 1 of anna to bert: prepared"), said
    assert "1 customers, 2 records, 2 follow-ups" in said and "she moves to Wien" in said
    listed = pieces(house)
    things = {f"customer:{customer}", f"promise:{promise}", f"reminder:{reminder}", "todo:1"}
    assert set(listed) >= things and len(listed) == 5
    assert {piece["state"] for piece in listed.values()} == {"listed"}
    assert (
        owner(house, "/v1/customers/user_id:u-1") == "anna"
    ), "nothing moves before it is confirmed"
    assert listed[f"customer:{customer}"]["fields"]["notes"] == ["likes green tea"]
    assert "likes green tea" in kith("handover", "show", "1")

    said = kith("handover", "confirm", "1", str(listed["todo:1"]["id"]))
    assert said.startswith("hand-over 1 of anna to bert: prepared"), "four pieces wait"
    assert owner(house, "/v1/records/todo/1") == "bert"
    assert owner(house, "/v1/customers/user_id:u-1") == "anna"

    said = kith("handover", "confirm", "1", "all")
    assert said.startswith("hand-over 1 of anna to bert: done"), said
    assert "5 given, 0 settled, 0 left" in said
    for piece in pieces(house).values():
        assert (piece["state"], piece["fields"]["new_owner"]) == ("given", "bert"), piece
    assert owner(house, "/v1/customers/user_id:u-1") == "bert"
    assert owner(house, f"/v1/records/promise/{promise}") == "bert"
    assert owner(house, "/v1/records/todo/1") == "bert"
    assert house.ok("GET", "/v1/reminders?to=anna")["items"] == []
    assert len(house.ok("GET", "/v1/reminders?to=bert")["items"]) == 2
    assert house.daemon.call("DELETE", "/v1/staff/anna").status < 300, "she has nothing any more"

    events = house.ok("GET", "/v1/customers/user_id:u-1/timeline?limit=200")["items"]
    given = [event for event in events if event["type"] == "handover_item.given"]
    assert len(given) == 4, "the todo is about nobody"
    assert all(event["data"]["transition"] == "give" for event in given)
    assert "prepared" not in kith("handover", "list")
    assert "done" in kith("handover", "list", "--all")


def test_what_changed_meanwhile_is_ticked_as_that_and_a_piece_may_stay_or_go_elsewhere(house):
    house = house()
    kith = attach(house.daemon)
    house.ok("PUT", "/v1/staff/carl", {})
    promises = [house.promise(f"call {n}", 5 * HOUR)["id"] for n in range(4)]
    number = request(house)
    become(house, "prepared", number)
    taken, kept, other, stays = promises
    piece = {name: pieces(house)[f"promise:{name}"]["id"] for name in promises}
    house.ok("POST", f"/v1/records/promise/{taken}/assign?wait=applied", {"owner": "carl"})
    kith("promise", "keep", str(kept), "called", "at", "nine")
    kith("record", "change", f"handover_item:{piece[other]}", "--set", "to=carl")
    kith(
        "record", "move", f"handover_item:{piece[stays]}", "leave", "--set", "reason=she knows him"
    )
    late = house.remind("Came in between")

    confirm(house, number)
    eventually(lambda: "reason" in pieces(house)[f"promise:{other}"]["fields"])
    back = pieces(house)[f"promise:{other}"]
    assert (back["state"], owner(house, f"/v1/records/promise/{other}")) == ("listed", "anna")
    assert back["fields"]["reason"] == "bert confirmed it, and it is for carl"
    kith("handover", "confirm", str(number), str(back["id"]), "--by", "carl")
    assert owner(house, f"/v1/records/promise/{other}") == "carl"
    eventually(lambda: f"reminder:{late}" in pieces(house))
    assert state(house, number) == "prepared", "what the last look finds is to be confirmed, too"
    kith("handover", "confirm", str(number), "all")
    become(house, "done", number)
    now = pieces(house)
    assert now[f"promise:{taken}"]["state"] == "settled"
    assert now[f"promise:{taken}"]["fields"]["reason"] == "not given: it was carl's before"
    assert now[f"promise:{kept}"]["state"] == "settled"
    assert now[f"promise:{other}"]["fields"]["new_owner"] == "carl"
    assert now[f"promise:{stays}"]["state"] == "left"
    assert (
        now[f"reminder:{late}"]["fields"]["new_owner"] == "bert"
    ), "what came meanwhile is given, too"
    owners = [owner(house, f"/v1/records/promise/{name}") for name in promises]
    assert owners == ["carl", "anna", "carl", "anna"]
    record = house.ok("GET", f"/v1/records/handover/{number}")["fields"]
    for name in ("given", "settled", "left"):
        count = [piece["state"] for piece in now.values()].count(name)
        assert record[f"{name}_count"] == count
    shown = kith("handover", "show", str(number))
    assert "she knows him" in shown and shown.index("left") < shown.index("given", 200), shown


def test_called_off_half_of_it_is_named_as_left(house):
    house = house()
    kith = attach(house.daemon)
    house.promise("a call back", 5 * HOUR)
    number = request(house)
    become(house, "prepared", number)
    said = kith("handover", "call-off", str(number), "she stays after all")
    assert said.startswith(f"hand-over {number} of anna to bert: called_off"), said
    for piece in pieces(house, number).values():
        assert (piece["state"], piece["fields"]["reason"]) == ("left", "she stays after all")
    assert owner(house, "/v1/customers/user_id:u-1") == "anna"


def test_to_nobody_and_to_herself_it_is_called_off_with_the_reason(house):
    house = house()
    kith = attach(house.daemon)
    said = kith("handover", "prepare", "anna", "--to", "zoe")
    assert "called_off" in said and "nobody on the staff, and no team" in said
    said = kith("handover", "prepare", "anna", "--to", "anna")
    assert "called_off" in said and "to whom it comes from" in said
    code, _, err = kith.run("handover", "prepare", "anna")
    assert code == 2 and "Add --to STAFF" in err
    code, _, err = kith.run("handover", "confirm", "1", "x")
    assert code == 2 and "kith handover show has them" in err
    code, _, err = kith.run("handover", "show", "x")
    assert code == 2 and "kith handover list" in err


def test_a_rule_asks_for_one_and_a_team_gets_it(start, tmp_path, house):
    house = house()
    rules = tmp_path / "scripts" / "rules.lua"
    rules.write_text(
        rules.read_text()
        + """
rule "leaves" { on = "Colleague Left", run = function(event)
  followup.hand_over { from = event.who, to = "team:service", reason = "by a rule" }
end }
"""
    )
    attach(house.daemon)("deploy", str(rules.parent))
    for name in ("carl", "dora"):
        house.ok("PUT", f"/v1/staff/{name}", {"team": "service"})
    house.daemon.send(
        {
            "type": "track",
            "userId": "u-1",
            "event": "Colleague Left",
            "properties": {"who": "anna"},
        }
    )
    become(house, "prepared")
    assert house.ok("GET", "/v1/records/handover/1")["fields"]["reason"] == "by a rule"
    confirm(house)
    eventually(
        lambda: all("team:service" in p["fields"].get("reason", "") for p in pieces(house).values())
    )
    assert owner(house, "/v1/customers/user_id:u-1") == "anna"
    confirm(house, by="dora")
    become(house, "done")
    assert owner(house, "/v1/customers/user_id:u-1") == "dora"


def test_of_two_hand_overs_of_one_person_each_says_what_it_has_given(house):
    house = house()
    house.ok("PUT", "/v1/staff/carl", {})
    promise = house.promise("a call back", 5 * HOUR)["id"]
    house.remind("Write")
    first, second = request(house), request(house, to="carl")
    become(house, "prepared", first)
    become(house, "prepared", second)
    confirm(house, second, "carl")
    become(house, "done", second)
    confirm(house, first, "bert")
    become(house, "done", first)
    assert owner(house, f"/v1/records/promise/{promise}") == "carl"
    assert {piece["state"] for piece in pieces(house, second).values()} == {"given"}
    lost = pieces(house, first)
    assert len(lost) == 4
    for piece in lost.values():
        reason = "not given: it was carl's before"
        assert (piece["state"], piece["fields"].get("reason")) == ("settled", reason), piece
        assert "new_owner" not in piece["fields"]
    counts = house.ok("GET", f"/v1/records/handover/{first}")["fields"]
    assert (counts["given_count"], counts["settled_count"]) == (0, 4)


def test_it_goes_on_after_a_restart_and_nothing_is_given_twice(house):
    house = house()
    for n in range(30):
        house.remind(f"Call {n}")
    number = request(house)
    become(house, "prepared", number)
    confirm(house, number)
    eventually(lambda: any(piece["state"] == "given" for piece in pieces(house).values()))
    house.restart()
    become(house, "done", number)
    assert len(house.ok("GET", "/v1/reminders?to=bert&limit=1000")["items"]) == 30
    now = pieces(house)
    assert len(now) == 31 and {piece["state"] for piece in now.values()} == {"given"}
    events = house.ok("GET", "/v1/customers/user_id:u-1/timeline?limit=1000")["items"]
    assert [event["type"] for event in events].count("handover_item.given") == 31
