"""The resources of the HTTP API: customers, reminders, effects, bundles, the house."""
import time
import urllib.parse

import pytest

RULES = """
rule "welcome" {
  on = "Signed Up",
  run = function(event, customer)
    customer:set("plan", event.plan)
    send { channel = "log", purpose = "service", body = "欢迎 " .. customer.name }
    remind { title = "致电 " .. customer.name, to = "anna", due = "1d", key = "call" }
    emit("Greeted", { how = "log" })
  end,
}
rule "greeted" {
  on = "Greeted",
  run = function(event, customer) notify { to = "anna", text = "greeted" } end,
}
"""
OTHER = 'rule "note" { on = "Note", run = function(event) log("seen") end }'


def quoted(reference):
    return urllib.parse.quote(str(reference), safe="")


class House:
    """A daemon with two customers, and shorthands for what clerks do."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.bundle = self.ok("POST", "/v1/bundles", {"files": {"rules.lua": RULES}}, status=201)
        daemon.send(
            {
                "type": "identify",
                "userId": "u-1",
                "messageId": "m-1",
                "traits": {"name": "王小明", "email": "Wang@Example.com"},
            },
            {"type": "identify", "userId": "u-2", "traits": {"name": "Jürgen Groß"}},
        )

    def ok(self, method, path, body=None, status=200, **options):
        answer = self.daemon.call(method, path, body, **options)
        assert answer.status == status, (answer.status, answer.body)
        return answer.json

    def newest(self, path):
        """A list; from a daemon that says it had too much to do for the newest, later."""
        deadline = time.monotonic() + 60
        while (page := self.ok("GET", path)).get("behind"):
            assert time.monotonic() < deadline, page
        return page

    def refused(self, status, method, path, body=None, **options):
        problem = self.ok(method, path, body, status=status, **options)
        assert problem["status"] == status and problem["title"]
        return problem["detail"]

    def customer(self, reference, rest=""):
        return f"/v1/customers/{quoted(reference)}{rest}"

    def sign_up(self):
        self.daemon.send(
            {
                "type": "track",
                "event": "Signed Up",
                "userId": "u-1",
                "messageId": "m-2",
                "properties": {"plan": "gold"},
            }
        )

    def pages(self, path, limit):
        """All items of a list, page by page."""
        items, after = [], ""
        while after is not None:
            mark = "&" if "?" in path else "?"
            page = self.ok("GET", f"{path}{mark}limit={limit}&after={quoted(after)}")
            assert len(page["items"]) <= limit
            items, after = items + page["items"], page["next"]
        return items

    def eventually(self, path, is_there):
        """A list reads the last checkpoint, which is at most about two seconds old."""
        deadline = time.monotonic() + 60
        while True:
            items = self.ok("GET", path)["items"]
            if is_there(items):
                return items
            assert time.monotonic() < deadline, items
            time.sleep(0.05)


@pytest.fixture
def house(daemon):
    return House(daemon)


# -- Customers ---------------------------------------------------------------------------


def test_a_customer_is_found_by_number_and_by_every_identity(house):
    for reference in ("1", "user_id:u-1", "email:wang@EXAMPLE.com"):
        record = house.ok("GET", house.customer(reference))
        assert record["id"] == 1 and record["traits"]["name"] == "王小明"
    assert record["ids"] == {"user_id": ["u-1"], "email": ["wang@example.com"]}
    assert record["trait_sources"]["name"][0]["source"] == "write"
    for reference in ("3", "user_id:nobody", "nonsense", "email:not an address"):
        assert "no such customer" in house.refused(404, "GET", house.customer(reference))


def test_whoever_changes_a_customer_is_answered_with_the_changed_record(house):
    one = house.customer("user_id:u-1")
    assert house.ok("PATCH", one, {"traits": {"city": "上海"}})["traits"]["city"] == "上海"
    assert "city" not in house.ok("PATCH", one, {"traits": {"city": None}})["traits"]
    assert house.ok("POST", one + "/assign", {"owner": "李雷"})["owner"] == "李雷"
    assert house.ok("POST", one + "/tags", {"tag": "VIP 客户"})["tags"] == ["VIP 客户"]
    assert house.ok("POST", one + "/tags", {"tag": "VIP 客户", "on": False})["tags"] == []
    assert house.ok("POST", one + "/roles", {"role": "lead"})["roles"][0]["role"] == "lead"
    addresses = house.ok(
        "POST", one + "/addresses", {"channel": "email", "value": "Zwei@Example.DE"}
    )["addresses"]
    assert addresses[-1] == {"channel": "email", "value": "zwei@example.de"}
    relations = house.ok("POST", one + "/relations", {"type": "kennt", "other": 2, "until": "1y"})[
        "relations"
    ]
    assert relations[0]["id"] == 2 and relations[0]["until"] > relations[0]["since"]
    consent = {"purpose": "news", "channel": "email", "state": "granted", "proof": "表格 7"}
    house.ok("PUT", one + "/consents", consent)
    listed = house.ok("GET", one + "/consents")["items"]
    assert [{name: item[name] for name in consent} for item in listed] == [consent]


def test_a_change_that_makes_no_sense_is_refused_with_its_reason(house):
    one = house.customer(1)
    assert '"trait"' in house.refused(422, "PATCH", one, {"trait": {}})
    assert '"traits" is needed' in house.refused(422, "PATCH", one, {})
    assert "an object" in house.refused(422, "PATCH", one, {"traits": 5})
    assert "owner" in house.refused(422, "PATCH", one, {"traits": {"owner": "x"}})
    assert "true or false" in house.refused(422, "POST", one + "/tags", {"tag": "a", "on": 1})
    assert "128" in house.refused(422, "POST", one + "/tags", {"tag": "a" * 129})
    assert "king" in house.refused(422, "POST", one + "/roles", {"role": "king"})
    assert "granted" in house.refused(
        422, "PUT", one + "/consents", {"purpose": "p", "channel": "c", "state": "maybe"}
    )
    house.refused(422, "POST", one + "/addresses", {"channel": "email", "value": "nowhere"})
    house.refused(422, "POST", one + "/relations", {"type": "knows", "other": "user_id:nobody"})
    house.refused(400, "PATCH", one, '{"traits": {', headers={"Content-Type": "application/json"})
    house.refused(404, "POST", house.customer(9, "/tags"), {"tag": "a"})
    assert house.ok("GET", one)["tags"] == []


def test_customers_merge_and_come_apart_again(house):
    merged = house.ok("POST", house.customer(2, "/merge"), {"absorbed": "user_id:u-1"})
    assert merged["id"] == 2 and merged["merged"] == [1]
    assert merged["traits"]["name"] == "Jürgen Groß"
    assert "one already" in house.refused(409, "POST", house.customer(2, "/merge"), {"absorbed": 1})
    assert house.ok("GET", house.customer(1))["id"] == 2
    apart = house.ok("POST", house.customer(1, "/unmerge"), {})
    assert apart["id"] == 1 and apart["traits"]["name"] == "王小明"
    house.refused(409, "POST", house.customer(1, "/unmerge"), {})
    house.refused(404, "POST", house.customer(2, "/merge"), {"absorbed": "9"})


def test_the_list_of_customers_is_paged_and_complete(house):
    house.daemon.send(
        *({"type": "identify", "userId": f"c-{i}", "traits": {"n": i}} for i in range(25))
    )
    house.eventually("/v1/customers?limit=1000", lambda items: len(items) == 27)
    items = house.pages("/v1/customers", 10)
    assert [item["id"] for item in items] == list(range(1, 28))
    assert items[0]["traits"]["name"] == "王小明"
    house.refused(400, "GET", "/v1/customers?limit=0")
    house.refused(400, "GET", "/v1/customers?after=x")


def test_a_timeline_has_every_event_once_newest_first(house):
    for text in ("erste Notiz", "第二条"):
        house.ok("POST", house.customer(1, "/notes"), {"text": text})
    house.sign_up()
    whole = house.ok("GET", house.customer(1, "/timeline?limit=1000"))
    assert whole["next"] is None
    paged = house.pages(house.customer("user_id:u-1", "/timeline"), 3)
    marks = [(item["seq"], item["n"]) for item in whole["items"]]
    assert marks == sorted(set(marks), reverse=True)
    assert [(item["seq"], item["n"]) for item in paged][-len(marks) :] == marks
    notes = [item for item in whole["items"] if item["type"] == "Note"]
    assert [item["data"]["text"] for item in notes] == ["第二条", "erste Notiz"]
    assert notes[0]["by"] == "admin" and notes[0]["source"] == "admin"
    signed = next(item for item in whole["items"] if item["type"] == "Signed Up")
    assert signed["id"] == signed["messageId"] == "m-2" and signed["call"] == "track"
    assert signed["data"] == {"plan": "gold"}
    assert [rule["name"] for rule in signed["trace"]["rules"]] == ["welcome"]
    assert house.bundle["hash"].startswith(signed["trace"]["rules"][0]["bundle"])
    assert signed["trace"]["changed"] == {"plan": "gold"}
    assert len(signed["trace"]["effects"]) == 1
    greeted = next(item for item in whole["items"] if item["type"] == "Greeted")
    assert greeted["event"] in signed["trace"]["made"] and greeted["by"] == "welcome"


# -- Reminders -----------------------------------------------------------------------------


def test_a_reminder_is_set_moved_done_and_followed_by_the_next(house):
    body = {
        "customer": "user_id:u-1",
        "title": "Anrufen 打电话",
        "to": "anna",
        "due": "2d",
        "note": "wegen Rechnung",
    }
    reminder = house.ok("POST", "/v1/reminders", body, status=201)
    path = f"/v1/reminders/{reminder['id']}"
    assert reminder["title"] == body["title"] and reminder["state"] == "open"
    assert house.ok("GET", path) == reminder
    moved = house.ok("POST", path + "/snooze", {"due": "2030-01-07 10:00"})
    assert moved["due"] == "2030-01-07T10:00:00.000Z"
    done = house.ok("POST", path + "/done", {"outcome": "reached", "next": "3d"})
    assert done["state"] == "done" and done["outcome"] == "reached"
    open_ones = house.ok("GET", "/v1/reminders?customer=1")["items"]
    assert [item["title"] for item in open_ones] == [body["title"]]
    assert open_ones[0]["id"] != reminder["id"]
    assert house.ok("GET", house.customer(1))["reminders_open"] == 1
    assert "done already" in house.refused(409, "POST", path + "/done", {})


def test_a_reminder_that_makes_no_sense_is_refused(house):
    body = {"customer": 1, "title": "x", "due": "2d"}
    assert '"soon"' in house.refused(422, "POST", "/v1/reminders", {**body, "due": "soon"})
    assert '"due" is needed' in house.refused(
        422, "POST", "/v1/reminders", {"customer": 1, "title": "x"}
    )
    assert '"colour"' in house.refused(422, "POST", "/v1/reminders", {**body, "colour": "red"})
    house.refused(422, "POST", "/v1/reminders", {**body, "title": ""})
    house.refused(404, "POST", "/v1/reminders", {**body, "customer": 99})
    for number in ("99", "x", "1.1"):
        house.refused(404, "GET", f"/v1/reminders/{number}")
        house.refused(404, "POST", f"/v1/reminders/{number}/done", {})


def test_reminders_are_listed_by_assignee_and_due(house):
    for to, due in (("bob", "3d"), ("anna", "2d"), ("李雷", "1d"), ("anna", "1d")):
        house.ok(
            "POST",
            "/v1/reminders",
            {"customer": 2, "title": f"{to} {due}", "to": to, "due": due},
            status=201,
        )
    items = house.eventually("/v1/reminders", lambda items: len(items) == 4)
    assert [item["title"] for item in items] == ["anna 1d", "anna 2d", "bob 3d", "李雷 1d"]
    assert house.pages("/v1/reminders", 1) == items
    of_anna = house.ok("GET", "/v1/reminders?to=anna")["items"]
    assert [item["title"] for item in of_anna] == ["anna 1d", "anna 2d"]
    soon = house.ok("GET", "/v1/reminders?due=36h")["items"]
    assert [item["title"] for item in soon] == ["anna 1d", "李雷 1d"]
    house.ok("POST", f"/v1/reminders/{items[0]['id']}/done", {})
    done = house.eventually("/v1/reminders?state=done", bool)
    assert [item["title"] for item in done] == ["anna 1d"]
    house.refused(400, "GET", "/v1/reminders?state=late")
    house.refused(400, "GET", "/v1/reminders?due=soon")


def test_the_same_request_again_makes_no_second_reminder(house):
    body = {"customer": 1, "title": "einmal", "due": "2d"}
    headers = {"Idempotency-Key": "k-1"}
    house.ok("POST", "/v1/reminders", body, status=201, headers=headers)
    house.daemon.call("POST", "/v1/reminders", body, headers=headers)
    assert len(house.ok("GET", "/v1/reminders?customer=1")["items"]) == 1


# -- Effects ---------------------------------------------------------------------------------


def test_an_effect_is_listed_shown_and_explained(house):
    house.sign_up()
    items = house.eventually("/v1/effects?state=sent&channel=log", lambda items: len(items) == 2)
    notice, message = items
    assert notice["notification"] and notice["to"] == "anna"
    assert message["message"]["body"] == "欢迎 王小明" and message["rule"] == "welcome"
    assert house.ok("GET", f"/v1/effects/{message['id']}") == message
    why = house.ok("GET", f"/v1/effects/{notice['id']}/explain")
    assert [link["type"] for link in why["chain"]] == ["Greeted", "Signed Up"]
    assert why["bundle"] == house.bundle["hash"]
    for word in ("greeted", "welcome", "m-2", "was sent", "anna"):
        assert word in why["text"]
    entry = house.ok("GET", f"/v1/entries/{why['chain'][-1]['id']}/explain")
    assert entry["effect"] is None and message["id"] in entry["text"]
    assert house.ok("GET", "/v1/effects?state=uncertain")["items"] == []
    assert house.pages("/v1/effects", 1) == items
    house.refused(400, "GET", "/v1/effects?state=lost")
    house.refused(404, "GET", "/v1/effects/9.9")
    house.refused(404, "GET", "/v1/effects/9.9/explain")
    house.refused(404, "GET", "/v1/entries/99999/explain")
    assert "sent" in house.refused(409, "POST", f"/v1/effects/{message['id']}/release", {})
    house.refused(409, "POST", f"/v1/effects/{message['id']}/drop", {"reason": "zu spät"})
    house.refused(404, "POST", "/v1/effects/9.9/release", {})


# -- Bundles ---------------------------------------------------------------------------------


def test_bundles_are_deployed_stored_activated_and_rolled_back(house):
    first = house.bundle["hash"]
    stored = house.ok("POST", "/v1/bundles?activate=0", {"files": {"note.lua": OTHER}}, status=201)
    assert not stored["active"]
    assert house.ok("GET", "/v1/bundles")["items"][0]["hash"] == first
    active = house.ok("POST", f"/v1/bundles/{stored['hash']}/activate", {})
    assert active["active"] and active["seq"] > house.bundle["seq"]
    house.ok("POST", house.customer(1, "/notes"), {"text": "x"})
    note = house.daemon.timeline("1")[0]
    assert note["trace"]["log"] == ["seen"]
    assert house.ok("POST", "/v1/bundles/rollback", {})["hash"] == first
    items = house.ok("GET", "/v1/bundles")["items"]
    assert [(item["hash"], item["active"]) for item in items] == [
        (first, True),
        (stored["hash"], False),
    ]
    house.refused(404, "POST", f"/v1/bundles/{'0' * 64}/activate", {})
    house.refused(404, "POST", "/v1/bundles/abc/activate", {})


def test_a_bundle_that_does_not_load_is_refused_and_changes_nothing(house):
    files = {"good.lua": OTHER, "bad.lua": "\n\nrule("}
    assert "bad.lua:3" in house.refused(422, "POST", "/v1/bundles", {"files": files})
    house.refused(422, "POST", "/v1/bundles", {"files": {"../up.lua": ""}})
    house.refused(422, "POST", "/v1/bundles", {"files": {"a.lua": 5}})
    house.refused(422, "POST", "/v1/bundles", {"folder": {}})
    assert house.ok("GET", "/v1/bundles")["items"][0]["hash"] == house.bundle["hash"]


def test_without_another_bundle_there_is_nothing_to_roll_back_to(house):
    house.refused(409, "POST", "/v1/bundles/rollback", {})


# -- The house --------------------------------------------------------------------------------


def test_staff_and_their_absences_are_kept(house):
    anna = {
        "title": "Anna Müller",
        "email": "anna@example.com",
        "absences": [{"from": "2026-12-24", "until": "2027-01-02", "deputy": "bob"}],
    }
    member = house.ok("PUT", "/v1/staff/anna", anna)
    assert member["name"] == "anna" and member["title"] == anna["title"]
    assert member["absences"] == [
        {"from": "2026-12-24T00:00:00.000Z", "until": "2027-01-02T00:00:00.000Z", "deputy": "bob"}
    ]
    house.ok("PUT", f"/v1/staff/{quoted('李雷')}", {})
    assert [item["name"] for item in house.ok("GET", "/v1/staff")["items"]] == ["anna", "李雷"]
    house.refused(422, "PUT", "/v1/staff/bob", {"shoe": 43})
    house.refused(422, "PUT", "/v1/staff/bob", {"absences": [{"from": "soon", "until": "later"}]})
    house.refused(422, "PUT", "/v1/staff/bob", {"name": "anna"})


def test_a_key_may_do_what_its_scopes_say_until_it_is_removed(house):
    key = house.ok("PUT", "/v1/keys/desk", {"staff": "anna", "scopes": ["staff"]})

    def call(method, path, body=None):
        return house.daemon.call(
            method, path, body, key=None, headers={"Authorization": f"Bearer {key['secret']}"}
        ).status

    assert call("GET", house.customer(1)) == 200
    assert call("POST", house.customer(1, "/notes"), {"text": "von Anna"}) == 200
    note = house.daemon.timeline("1")[0]
    assert note["by"] == "anna" and note["source"] == "desk"
    assert call("GET", "/v1/state-hash") == 403
    listed = house.ok("GET", "/v1/keys")["items"]
    assert listed == [{"name": "desk", "staff": "anna", "scopes": ["staff"]}]
    old = key["secret"]
    key = house.ok("PUT", "/v1/keys/desk", {"scopes": ["read"]})
    assert key["secret"] != old and call("POST", house.customer(1, "/notes"), {"text": ""}) == 403
    house.ok("DELETE", "/v1/keys/desk")
    assert call("GET", house.customer(1)) == 401
    house.refused(404, "DELETE", "/v1/keys/desk")
    house.refused(409, "PUT", "/v1/keys/admin", {"scopes": ["read"]})
    house.refused(422, "PUT", "/v1/keys/x", {"scopes": ["king"]})
    house.refused(422, "PUT", "/v1/keys/x", {})


def test_who_may_not_is_told_so(house):
    for method, path in (
        ("GET", house.customer(1)),
        ("PATCH", house.customer(1)),
        ("GET", "/v1/effects"),
        ("POST", "/v1/bundles"),
        ("GET", "/v1/staff"),
        ("PUT", "/v1/keys/x"),
        ("POST", "/v1/verify"),
    ):
        house.refused(403, method, path, {} if method != "GET" else None, key="write")
        house.refused(401, method, path, {} if method != "GET" else None, key=None)


def test_suppressions_and_the_clock_are_taken(house):
    one = {"channel": "email", "value": "Wang@Example.com", "reason": "auf Wunsch"}
    assert house.ok("PUT", "/v1/suppressions", one) == {}
    assert house.ok("PUT", "/v1/suppressions", {**one, "state": "removed"}) == {}
    house.refused(422, "PUT", "/v1/suppressions", {**one, "value": "nowhere"})
    house.refused(422, "PUT", "/v1/suppressions", {**one, "state": "perhaps"})
    assert house.ok("POST", "/v1/clock/accept", {}) == {}


def test_the_state_is_what_folding_the_log_anew_gives(house):
    house.sign_up()
    house.ok("POST", house.customer(2, "/merge"), {"absorbed": 1})
    verified = house.ok("POST", "/v1/verify", {})
    assert verified["ok"] and verified["faults"] == []
    assert verified["hash"] == verified["fresh"]
    before = house.ok("GET", "/v1/state-hash")
    house.ok("POST", house.customer(2, "/tags"), {"tag": "neu"})
    after = house.ok("GET", "/v1/state-hash")
    assert after["seq"] > before["seq"] and after["hash"] != before["hash"]
    assert not (house.daemon.data / "verify").exists()


def test_going_back_twice_goes_back_two(house):
    def bundle(number):
        text = f'rule "r{number}" {{ on = "X", run = function() end }}'
        return house.ok("POST", "/v1/bundles", {"files": {"a.lua": text}}, status=201)

    first, second, third = (bundle(number)["hash"] for number in range(3))
    assert third != second != first
    back = house.ok("POST", "/v1/bundles/rollback", {})
    assert (back["hash"], back["files"], back["rules"]) == (second, 1, 1)
    assert house.ok("POST", "/v1/bundles/rollback", {})["hash"] == first
    items = house.ok("GET", "/v1/bundles")["items"]
    assert [item["hash"] for item in items] == [first, second, third, house.bundle["hash"]]
    assert [item["active"] for item in items] == [True, False, False, False]
    assert all(item["seq"] and item["at"] > "2026" for item in items[:3])
    assert house.ok("POST", "/v1/bundles/rollback", {})["hash"] == house.bundle["hash"]
    house.refused(409, "POST", "/v1/bundles/rollback", {})
    house.ok("POST", f"/v1/bundles/{third}/activate", {})
    assert house.ok("POST", "/v1/bundles/rollback", {})["hash"] == house.bundle["hash"]


def test_a_bundle_from_before_the_first_event_has_no_time(start, tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.lua").write_text(RULES)
    daemon = start("--scripts", tmp_path / "rules")
    (item,) = daemon.get("/v1/bundles").json["items"]
    assert item["active"] and "at" not in item


# -- What is asked for is understood, or refused ---------------------------------------------


@pytest.mark.parametrize(
    "method, path, known",
    [
        ("GET", "/v1/customers?where=x", "?limit=, ?after="),
        ("GET", "/v1/customers?limit=5&query=x", "?q=, ?limit=, ?after="),
        ("GET", "/v1/customers/1?as-of=2026-01-01", "?as_of="),
        ("GET", "/v1/reminders?colour=red", "?to=, ?of=, ?state=, ?due=, ?customer=, ?limit="),
        ("POST", "/v1/track?when=now", "?wait="),
        ("POST", "/v1/import?force=1", "?wait=, ?forever=, ?historic=, ?replay="),
        ("POST", "/v1/customers/1/notes?quiet=1", "?wait="),
        ("GET", "/healthz?deep=1", "nor anything else"),
    ],
)
def test_a_query_that_nobody_reads_is_refused_by_name(house, method, path, known):
    name = path.split("?")[1].split("&")[-1].split("=")[0]
    detail = house.refused(400, method, path, {} if method == "POST" else None)
    assert f"?{name}=" in detail and known in detail, detail


def test_every_query_of_a_route_stands_in_the_description(house):
    paths = house.ok("GET", "/openapi.json")["paths"]
    queries = [item["name"] for item in paths["/v1/reminders"]["get"]["parameters"]]
    assert queries == ["to", "of", "state", "due", "customer", "limit", "after"]


def test_a_change_may_be_answered_when_it_is_durable(house):
    body = {"customer": 1, "title": "x", "due": "2d"}
    answer = house.ok("POST", "/v1/reminders?wait=durable", body, status=202)
    assert answer["seq"] > 0
    assert len(house.ok("GET", "/v1/reminders")["items"]) == 1
    assert "durable or applied" in house.refused(400, "POST", "/v1/reminders?wait=never", body)


def test_a_reminder_is_changed_by_what_is_given(house):
    body = {"customer": "user_id:u-1", "title": "Call", "to": "anna", "due": "2d", "note": "n"}
    made = house.ok("POST", "/v1/reminders", body, status=201)
    path = f"/v1/reminders/{made['id']}"
    changed = house.ok("PATCH", path, {"to": "bob", "title": "Write"})
    assert (changed["assignee"], changed["title"], changed["note"]) == ("bob", "Write", "n")
    assert changed["due"] == made["due"]
    assert house.ok("PATCH", path, {"due": "9d"})["due"] > made["due"]
    assert [item["id"] for item in house.ok("GET", "/v1/reminders?to=bob")["items"]] == [made["id"]]
    assert house.ok("GET", "/v1/reminders?to=anna")["items"] == []
    house.refused(422, "PATCH", path, {})
    house.refused(422, "PATCH", path, {"state": "done"})
    assert '"due": "soon"' in house.refused(422, "PATCH", path, {"due": "soon"})
    house.ok("POST", path + "/done", {})
    house.refused(409, "PATCH", path, {"title": "x"})


def test_who_may_not_is_told_what_is_needed(house):
    for method, path, body, scope in (
        ("GET", "/v1/customers/1", None, "read"),
        ("POST", "/v1/reminders", {}, "staff"),
        ("POST", "/v1/verify", {}, "admin"),
    ):
        detail = house.refused(403, method, path, body, key="write")
        assert f"the scope {scope}" in detail
    answer = house.daemon.get("/v1/customers", key=None)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer, Basic realm=")


def test_a_batch_without_its_events_is_told_how_one_looks(house):
    detail = house.refused(400, "POST", "/v1/batch", {"events": []})
    assert '"batch" is missing: {"batch": [...]}' in detail


def test_a_list_is_as_new_as_what_was_acknowledged_before_it(house):
    for number in range(3, 20):
        house.daemon.post("/v1/identify", {"userId": f"n-{number}"}, key="write")
        assert len(house.newest("/v1/customers?limit=1000")["items"]) == number
