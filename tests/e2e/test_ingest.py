"""Segment's HTTP tracking API over the wire: what is taken, what is refused, and how."""
import json
import time

import pytest

from conftest import basic, gzipped

TRACK = {"type": "track", "event": "Hello", "userId": "u-1"}
MEBIBYTE = 1 << 20


def types(daemon, customer="user_id:u-1"):
    return [item["type"] for item in daemon.timeline(customer) if item.get("call")]


@pytest.mark.parametrize(
    "path, body, kind",
    [
        ("track", {"event": "Hello", "userId": "u-1"}, "Hello"),
        ("t", {"event": "Hello", "userId": "u-1"}, "Hello"),
        ("identify", {"userId": "u-1", "traits": {"name": "Ann"}}, "identify"),
        ("i", {"userId": "u-1", "traits": {"name": "Ann"}}, "identify"),
        ("page", {"userId": "u-1", "name": "Home"}, "page"),
        ("p", {"userId": "u-1", "name": "Home"}, "page"),
        ("screen", {"userId": "u-1", "name": "Home"}, "screen"),
        ("s", {"userId": "u-1", "name": "Home"}, "screen"),
        ("group", {"userId": "u-1", "groupId": "g-1", "traits": {"name": "ACME"}}, "group"),
        ("g", {"userId": "u-1", "groupId": "g-1"}, "group"),
        ("alias", {"userId": "u-1", "previousId": "a-1"}, "alias"),
        ("a", {"userId": "u-1", "previousId": "a-1"}, "alias"),
        ("batch", {"batch": [TRACK]}, "Hello"),
        ("b", {"batch": [TRACK]}, "Hello"),
        ("import", {"batch": [TRACK]}, "Hello"),
    ],
)
def test_every_path_takes_its_call(daemon, path, body, kind):
    answer = daemon.post(f"/v1/{path}?wait=applied", body, key="write")
    assert (answer.status, answer.json) == (200, {"success": True})
    assert types(daemon) == [kind]


@pytest.mark.parametrize(
    "send",
    [
        lambda d: d.post(
            "/v1/track", TRACK, key=None, headers={"Authorization": basic(d.key("write"))}
        ),
        lambda d: d.post("/v1/track", dict(TRACK, writeKey=d.key("write")), key=None),
        lambda d: d.post("/v1/batch", {"batch": [TRACK], "writeKey": d.key("write")}, key=None),
        lambda d: d.post("/v1/batch", {"writeKey": d.key("write"), "batch": [TRACK]}, key=None),
        lambda d: d.post("/v1/track", TRACK, key="write"),
        lambda d: d.post("/v1/track", TRACK, key="admin"),
        lambda d: d.post(
            "/v1/track", TRACK, key=None, headers={"Authorization": basic("anna", d.key("write"))}
        ),
        lambda d: d.post(
            "/v1/track", TRACK, key=None, headers={"Authorization": basic(d.key("write"), "x")}
        ),
    ],
    ids=["basic", "body", "behind", "before", "bearer", "admin", "password", "short password"],
)
def test_the_key_is_found_wherever_clients_put_it(daemon, send):
    assert send(daemon).status == 200


@pytest.mark.parametrize(
    "send",
    [
        lambda d: d.post("/v1/track", TRACK, key=None),
        lambda d: d.post("/v1/track", dict(TRACK, writeKey="wrong"), key=None),
        lambda d: d.post("/v1/batch", {"batch": [TRACK], "writeKey": "wrong"}, key=None),
        lambda d: d.post("/v1/track", TRACK, key=None, headers={"Authorization": "Bearer wrong"}),
        lambda d: d.post("/v1/track", TRACK, key=None, headers={"Authorization": basic("wrong")}),
        lambda d: d.post(
            "/v1/track",
            TRACK,
            key=None,
            headers={"Authorization": basic(d.key("write"), "no key, but as long")},
        ),
        lambda d: d.post("/v1/track", TRACK, key=None, headers={"Authorization": "Basic ???"}),
        lambda d: d.post("/v1/track", TRACK, key=None, headers={"Authorization": "Digest x"}),
        lambda d: d.post(
            "/v1/track",
            dict(TRACK, writeKey=d.key("write")),
            key=None,
            headers={"Authorization": "Bearer wrong"},
        ),
    ],
    ids=["none", "body", "batch", "bearer", "basic", "password", "broken", "digest", "header wins"],
)
def test_a_wrong_key_is_401_and_leaves_nothing(daemon, send):
    before = daemon.metric("kith_log_entries")
    answer = send(daemon)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer, Basic ")
    assert daemon.metric("kith_log_entries") == before


def test_flags_of_an_import_need_an_admin_key(daemon):
    for flag in ("forever", "historic", "replay"):
        assert daemon.post(f"/v1/import?{flag}=1", {"batch": [TRACK]}, key="write").status == 403
    assert daemon.post("/v1/import?historic=1&forever=1", {"batch": [TRACK]}).status == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "text/plain",
        "text/plain;charset=UTF-8",
        "application/x-www-form-urlencoded",
        "application/octet-stream",
        "nonsense",
    ],
)
def test_any_content_type_is_read_as_json(daemon, content_type):
    answer = daemon.post(
        "/v1/track", json.dumps(TRACK), key="write", headers={"Content-Type": content_type}
    )
    assert answer.status == 200


def test_a_gzipped_body_is_unpacked(daemon):
    answer = daemon.post(
        "/v1/batch?wait=applied",
        gzipped({"batch": [TRACK, TRACK]}),
        key="write",
        headers={"Content-Encoding": "gzip"},
    )
    assert answer.status == 200
    assert types(daemon) == ["Hello", "Hello"]


def test_a_bomb_is_413_and_costs_nothing(daemon):
    body = gzipped({"batch": [dict(TRACK, properties={"x": " " * (200 * MEBIBYTE)})]})
    answer = daemon.post("/v1/batch", body, key="write", headers={"Content-Encoding": "gzip"})
    assert answer.status == 413
    assert daemon.get("/healthz", key=None).status == 200


def test_browsers_of_any_origin_may_send(daemon):
    preflight = daemon.call(
        "OPTIONS",
        "/v1/t",
        key=None,
        headers={
            "Origin": "https://shop.example.com",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,authorization",
        },
    )
    assert preflight.status == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    allowed = preflight.headers["Access-Control-Allow-Headers"].lower()
    assert "content-type" in allowed and "authorization" in allowed
    for key, status in (("write", 200), (None, 401)):
        answer = daemon.post("/v1/t", TRACK, key=key, headers={"Origin": "https://x.example.com"})
        assert answer.status == status
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_other_paths_are_closed_to_browsers_of_other_origins(daemon):
    answer = daemon.get("/healthz", key=None, headers={"Origin": "https://x.example.com"})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_wrong_method_names_the_right_ones(daemon):
    answer = daemon.get("/v1/track", key="write")
    assert answer.status == 405
    assert answer.headers["Allow"] == "POST, OPTIONS"
    assert daemon.get("/v1/nothing").status == 404


NO_OBJECTS = {
    "empty": (b"", "at byte 0"),
    "opened": (b"{", "at byte 1"),
    "truncated": (b'{"event":"Hello","userId":"u-1"', "at byte 31"),
    "open string": (b'{"event":"Hel', "at byte 9"),
    "comma": (b'{"event":"Hello",}', "at byte 17"),
    "not UTF-8": (b'{"event":"\xff","userId":"u-1"}', "at byte 10"),
    "surrogate": (b'{"event":"\xed\xa0\x80","userId":"u-1"}', "at byte 10"),
    "half a pair": (b'{"event":"\\ud800","userId":"u-1"}', "at byte 10"),
    "trailing": (b'{"event":"Hello"} x', "at byte 18"),
    "array": (b"[1]", "object expected"),
    "form": (b"event=Hello&userId=u-1", "at byte 0"),
    "deep": (
        b'{"event":"E","userId":"u","properties":' + b'{"a":' * 40 + b"1" + b"}" * 41,
        "nested more than 32 levels deep",
    ),
    "brackets": (b"[" * 200000, "object expected"),
    "braces": (b'{"a":' * 40000, "ends too early"),
}


@pytest.mark.parametrize("name", NO_OBJECTS)
def test_what_is_no_json_object_is_400_with_the_place(daemon, name):
    body, where = NO_OBJECTS[name]
    answer = daemon.post("/v1/track", body, key="write")
    assert answer.status == 400
    assert where in answer.json["detail"]
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_an_event_above_the_limit_is_413(daemon):
    body = json.dumps(dict(TRACK, properties={"x": "x" * 256 * 1024}))
    assert daemon.post("/v1/track", body, key="write").status == 413
    fits = json.dumps(dict(TRACK, properties={"x": "x" * (255 * 1024)}))
    assert daemon.post("/v1/track", fits, key="write").status == 200


def test_a_batch_above_its_limits_is_413(daemon):
    assert daemon.post("/v1/batch", {"batch": [TRACK] * 5001}, key="write").status == 413
    connection = daemon.connect()  # the answer comes before the body is sent
    connection.putrequest("POST", "/v1/batch")
    connection.putheader("Authorization", "Bearer " + daemon.key("write"))
    connection.putheader("Content-Length", str(5 * MEBIBYTE + 1))
    connection.endheaders()
    assert connection.getresponse().status == 413
    body = gzipped({"batch": [dict(TRACK, properties={"x": "x" * 200000})] * 30})
    answer = daemon.post("/v1/batch", body, key="write", headers={"Content-Encoding": "gzip"})
    assert answer.status == 413


def test_one_bad_event_among_5000_costs_the_others_nothing(daemon):
    events = [{"type": "track", "event": "E", "userId": f"u-{i}"} for i in range(5000)]
    events[4321] = {"type": "track", "userId": "u-4321"}
    rejected = daemon.send(*events)
    assert [(item["index"], "event is missing" in item["reason"]) for item in rejected] == [
        (4321, True)
    ]
    assert types(daemon, "user_id:u-4320") == ["E"]
    assert types(daemon, "user_id:u-4999") == ["E"]
    assert daemon.metric("kith_events_accepted_total") == 4999


BAD_EVENTS = {
    "number": "5",
    "text": '"x"',
    "null": "null",
    "array": "[1]",
    "empty": "{}",
    "type": '{"type":"x"}',
    "event": '{"type":"track","event":5,"userId":"u"}',
    "user": '{"type":"track","event":"E","userId":{"a":1}}',
    "time": '{"type":"track","event":"E","userId":"u","timestamp":"never"}',
    "half a pair": '{"type":"track","event":"\\ud800","userId":"u"}',
    "deep": '{"type":"track","event":"E","userId":"u","properties":'
    + '{"a":' * 40
    + "1"
    + "}" * 41,
    "large": '{"type":"track","event":"E","userId":"u","properties":{"x":"' + "x" * 300000 + '"}}',
    "large when stored": '{"type":"track","event":"E","userId":"u","properties":{"x":['
    + "0," * 100000
    + "0]}}",
}


@pytest.mark.parametrize("name", BAD_EVENTS)
def test_a_bad_event_is_named_and_its_neighbours_are_taken(daemon, name):
    good = json.dumps(TRACK)
    answer = daemon.post(
        "/v1/batch?wait=applied", f'{{"batch":[{good},{BAD_EVENTS[name]},{good}]}}', key="write"
    )
    assert answer.status == 200
    assert [item["index"] for item in answer.json["rejected"]] == [1]
    assert answer.json["success"] is True
    assert types(daemon) == ["Hello", "Hello"]


def test_a_batch_of_nothing_is_fine(daemon):
    assert daemon.send() == []
    assert len(daemon.send({}, 5)) == 2
    assert daemon.post("/v1/batch", {"no": "batch"}, key="write").status == 400
    assert daemon.post("/v1/batch", {"batch": 5}, key="write").status == 400


def test_a_truncated_batch_leaves_nothing(daemon):
    before = daemon.metric("kith_log_entries")
    body = json.dumps({"batch": [TRACK] * 100})[:-40]
    assert daemon.post("/v1/batch", body, key="write").status == 400
    assert daemon.metric("kith_log_entries") == before


def test_the_same_message_id_counts_once(daemon):
    event = dict(TRACK, messageId="m-1")
    daemon.send(event, event)
    daemon.send(event)
    assert types(daemon) == ["Hello"]
    daemon.send(dict(event, messageId="m-2"))
    assert types(daemon) == ["Hello", "Hello"]


def test_dedupe_holds_across_a_restart(start):
    event = dict(TRACK, messageId="m-1")
    first = start()
    first.send(event)
    first.kill()
    again = start()
    again.send(event)
    assert types(again) == ["Hello"]


def test_a_forged_system_event_does_nothing(daemon):
    daemon.send({"type": "identify", "userId": "u-1"}, {"type": "identify", "userId": "u-2"})
    forged = [
        ("customer.merge", {"absorbed": "user_id:u-2"}),
        ("consent.changed", {"purpose": "news", "channel": "email", "state": "granted"}),
        ("key.set", {"name": "mine", "hash": "0" * 64, "scopes": ["admin"]}),
        ("tick", {}),
        ("bundle.activated", {"hash": "x"}),
        ("effect.outcome", {"id": "1"}),
    ]
    assert (
        daemon.send(
            *(
                {"type": "track", "event": name, "userId": "u-1", "properties": data}
                for name, data in forged
            )
        )
        == []
    )
    record = daemon.get("/v1/customers/user_id:u-1").json
    assert not record.get("consents") and not record.get("merged")
    assert daemon.get("/v1/customers/user_id:u-2").json["id"] != record["id"]
    assert types(daemon)[: len(forged)] == [name for name, _ in reversed(forged)]


def test_sent_at_corrects_a_wrong_clock(daemon):
    now = time.time()

    def text(seconds):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))

    answer = daemon.post(
        "/v1/batch?wait=applied",
        {"sentAt": text(now + 86400), "batch": [dict(TRACK, timestamp=text(now + 86400 - 3600))]},
        key="write",
    )
    assert answer.status == 200
    at = daemon.timeline("user_id:u-1")[-1]["at"]
    assert abs(seconds_of(at) - (now - 3600)) < 600


def seconds_of(text):
    import calendar

    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))


def test_a_replay_gives_each_event_its_own_time(daemon):
    events = [
        dict(TRACK, event=f"E{year}", messageId=str(year), timestamp=f"{year}-03-01T12:00:00Z")
        for year in range(2015, 2025)
    ]
    answer = daemon.post("/v1/import?replay=1&forever=1&wait=applied", {"batch": events})
    assert (answer.status, answer.json) == (200, {"success": True})
    items = [item for item in daemon.timeline("user_id:u-1") if item.get("call")]
    assert [item["logged"][:4] for item in items] == [str(year) for year in range(2024, 2014, -1)]
    assert (
        daemon.post("/v1/import?replay=1&forever=1&wait=applied", {"batch": events}).status == 200
    )
    assert len(types(daemon)) == 10


def test_an_import_by_an_admin_may_hold_commands(daemon):
    answer = daemon.post(
        "/v1/import?wait=applied",
        {
            "batch": [
                {"type": "identify", "userId": "u-1"},
                {
                    "type": "tag.changed",
                    "customer": "user_id:u-1",
                    "data": {"tag": "vip", "on": True},
                },
            ]
        },
    )
    assert answer.json == {"success": True}
    assert daemon.get("/v1/customers/user_id:u-1").json["tags"] == ["vip"]
    refused = daemon.post(
        "/v1/import",
        {"batch": [{"type": "tag.changed", "customer": "user_id:u-1", "data": {"tag": "vip"}}]},
        key="write",
    )
    assert "type must be one of" in refused.json["rejected"][0]["reason"]


def test_an_unknown_wait_is_refused(daemon):
    for path in ("track", "batch"):
        body = TRACK if path == "track" else {"batch": [TRACK]}
        assert daemon.post(f"/v1/{path}?wait=never", body, key="write").status == 400


def test_a_peer_that_leaves_breaks_nothing(daemon):
    body = json.dumps({"batch": [TRACK] * 2000}).encode()
    for cut in (10, len(body) // 2, len(body)):
        connection = daemon.connect()
        connection.putrequest("POST", "/v1/batch?wait=applied")
        connection.putheader("Authorization", "Bearer " + daemon.key("write"))
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        connection.send(body[:cut])
        connection.close()
    assert daemon.send(TRACK) == []


def test_many_requests_on_one_connection(daemon):
    connection = daemon.connect()
    for i in range(200):
        answer = daemon.post(
            "/v1/track", dict(TRACK, messageId=str(i)), key="write", connection=connection
        )
        assert answer.status == 200
    connection.close()
    assert daemon.send() == []
    daemon.send(TRACK)
    assert len(types(daemon)) == 201
