"""Idempotency-Key: the first answer again, whatever has happened since, and nothing done twice."""
import json
import shutil

import pytest

WHO = {"userId": "u-1", "traits": {"name": "Ann"}}
NOTE = "/v1/customers/user_id:u-1/notes"


def keyed(key, **fields):
    return {"Idempotency-Key": key, **fields}


@pytest.fixture
def known(start):
    """begin(): a daemon that knows one customer; the same data each time."""

    def begin():
        daemon = start()
        daemon.post("/v1/identify?wait=applied", dict(WHO, messageId="who"), key="write")
        return daemon

    return begin


def notes(daemon):
    return [
        item["data"]["text"] for item in daemon.timeline("user_id:u-1") if item["type"] == "Note"
    ]


def remind(daemon, key, title="call", **headers):
    body = {"customer": "user_id:u-1", "title": title, "due": "2d", "to": "ann"}
    return daemon.post("/v1/reminders", body, headers=keyed(key, **headers))


def reminders(daemon):
    return daemon.get("/v1/reminders?customer=user_id:u-1").json["items"]


def test_the_first_answer_is_repeated_byte_for_byte_after_the_thing_has_changed(known):
    daemon = known()
    first = remind(daemon, "k-1")
    assert first.status == 201 and first.headers["Idempotent-Replayed"] is None
    daemon.post(f"/v1/reminders/{first.json['id']}/done", {})
    again = remind(daemon, "k-1")
    assert (again.status, again.body) == (201, first.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Content-Type"] == "application/json"
    assert reminders(daemon) == []


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_the_first_answer_is_repeated_by_the_next_run(known, end):
    daemon = known()
    first = remind(daemon, "k-1")
    getattr(daemon, end)()
    daemon = known()
    again = remind(daemon, "k-1")
    assert (again.status, again.body) == (201, first.body)
    assert len(reminders(daemon)) == 1


def test_an_answer_that_was_lost_is_made_anew_and_nothing_done_twice(known):
    daemon = known()
    first = remind(daemon, "k-1")
    daemon.post(NOTE, {"text": "said hello"}, headers=keyed("k-2"))
    daemon.kill()
    shutil.rmtree(daemon.data / "answers")
    daemon = known()
    again = remind(daemon, "k-1")
    assert (again.status, again.json) == (201, first.json)
    assert len(reminders(daemon)) == 1
    assert daemon.post(NOTE, {"text": "said hello"}, headers=keyed("k-2")).status == 200
    assert notes(daemon) == ["said hello"]


def test_a_file_that_ends_in_the_middle_of_an_answer_keeps_those_before(known):
    daemon = known()
    first = remind(daemon, "k-1")
    remind(daemon, "k-2", "write")
    daemon.kill()
    kept = daemon.data / "answers" / "new"
    kept.write_bytes(kept.read_bytes()[:-7])
    daemon = known()
    assert remind(daemon, "k-1").body == first.body
    assert remind(daemon, "k-1").headers["Idempotent-Replayed"] == "true"
    assert remind(daemon, "k-2", "write").headers["Idempotent-Replayed"] is None
    assert len(reminders(daemon)) == 2


def test_the_key_of_another_body_or_path_is_refused_and_does_nothing(known):
    daemon = known()
    remind(daemon, "k-1")
    assert remind(daemon, "k-1", "write").status == 422
    answer = daemon.post(NOTE, {"text": "x"}, headers=keyed("k-1"))
    assert answer.status == 422 and "another request" in answer.json["detail"]
    assert len(reminders(daemon)) == 1 and notes(daemon) == []


def test_two_callers_may_use_the_same_key(known):
    daemon = known()
    secret = daemon.call("PUT", "/v1/keys/desk", {"scopes": ["staff"]}).json["secret"]
    other = keyed("k-1", Authorization=f"Bearer {secret}")
    daemon.post(NOTE, {"text": "mine"}, headers=keyed("k-1"))
    assert daemon.post(NOTE, {"text": "yours"}, key=None, headers=other).status == 200
    assert sorted(notes(daemon)) == ["mine", "yours"]


def test_a_call_under_way_with_the_same_key_is_409(known):
    daemon = known()
    body = json.dumps({"text": "once"}).encode()
    request = (
        f"POST {NOTE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {daemon.key('admin')}\r\n"
        f"Idempotency-Key: k-1\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    connection = daemon.connect()
    connection.connect()
    connection.sock.sendall(request * 2)  # one packet: the second comes while the first is written
    received = b""
    while received.count(b"HTTP/1.1 ") < 2 or not received.endswith(b"}\n"):
        received += connection.sock.recv(65536)
    connection.close()
    assert received.startswith(b"HTTP/1.1 200 ") and b"HTTP/1.1 409 " in received
    assert daemon.post(NOTE, body, headers=keyed("k-1")).status == 200
    assert notes(daemon) == ["once"]


def test_what_was_refused_before_anything_was_written_leaves_its_key_free(known):
    daemon = known()
    assert daemon.post(NOTE, {"text": 1}, headers=keyed("k-1")).status == 422
    assert daemon.post(NOTE, {"text": "now right"}, headers=keyed("k-1")).status == 200


def test_a_refusal_by_the_engine_is_the_answer(known):
    daemon = known()
    path = "/v1/customers/user_id:u-1/unmerge"
    first = daemon.post(path, {}, headers=keyed("k-1"))
    again = daemon.post(path, {}, headers=keyed("k-1"))
    assert first.status >= 400 and (again.status, again.body) == (first.status, first.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Content-Type"] == "application/problem+json"


def test_events_without_ids_are_taken_once(known):
    daemon = known()
    batch = {
        "batch": [
            {"type": "track", "event": "Seen", "userId": "u-1"},
            {"type": "track", "event": "Seen", "userId": "u-1"},
        ]
    }
    track = {"event": "Bought", "userId": "u-1", "writeKey": daemon.key("write")}
    for _ in range(2):
        daemon.post("/v1/batch?wait=applied", batch, key="write", headers=keyed("b-1"))
        daemon.post("/v1/track?wait=applied", track, key=None, headers=keyed("t-1"))
    daemon.kill()
    shutil.rmtree(daemon.data / "answers")
    daemon = known()
    daemon.post("/v1/batch?wait=applied", batch, key="write", headers=keyed("b-1"))
    daemon.post("/v1/track?wait=applied", track, key=None, headers=keyed("t-1"))
    types = sorted(item["type"] for item in daemon.timeline("user_id:u-1"))
    assert [name for name in types if name in ("Seen", "Bought")] == ["Bought", "Seen", "Seen"]


def test_a_rollback_whose_answer_was_lost_goes_back_once(known):
    daemon = known()
    for name in "abc":
        assert daemon.post("/v1/bundles", {"files": {f"{name}.lua": "-- " + name}}).status == 201
    hashes = [item["hash"] for item in daemon.get("/v1/bundles").json["items"]]
    first = daemon.post("/v1/bundles/rollback", {}, headers=keyed("r-1"))
    assert (first.status, first.json["hash"]) == (200, hashes[1])
    daemon.kill()
    shutil.rmtree(daemon.data / "answers")
    daemon = known()
    again = daemon.post("/v1/bundles/rollback", {}, headers=keyed("r-1"))
    assert (again.status, again.json) == (200, first.json)
    assert daemon.get("/v1/bundles").json["items"][0]["hash"] == hashes[1]
    other = daemon.post("/v1/bundles/rollback", {}, headers=keyed("r-2"))
    assert other.json["hash"] == hashes[2]


def test_a_deployment_whose_answer_was_lost_undoes_no_later_one(known):
    daemon = known()
    mine, yours = {"files": {"a.lua": "-- mine"}}, {"files": {"a.lua": "-- yours"}}
    first = daemon.post("/v1/bundles", mine, headers=keyed("d-1"))
    later = daemon.post("/v1/bundles", yours)
    daemon.kill()
    shutil.rmtree(daemon.data / "answers")
    daemon = known()
    again = daemon.post("/v1/bundles", mine, headers=keyed("d-1"))
    assert (again.status, again.json) == (200, first.json)
    assert daemon.get("/v1/bundles").json["items"][0]["hash"] == later.json["hash"]


def test_a_key_that_is_none_is_refused(known):
    daemon = known()
    answer = daemon.post(NOTE, {"text": "x"}, headers=keyed("k" * 256))
    assert answer.status == 422 and "255" in answer.json["detail"]
    assert notes(daemon) == []


def test_reading_takes_no_notice_of_the_key(known):
    daemon = known()
    before = daemon.get("/v1/customers/user_id:u-1", headers=keyed("k-1")).json
    daemon.call(
        "PATCH", "/v1/customers/user_id:u-1", {"traits": {"name": "Bea"}}, headers=keyed("k-1")
    )
    after = daemon.get("/v1/customers/user_id:u-1", headers=keyed("k-1")).json
    assert before["traits"]["name"] == "Ann" and after["traits"]["name"] == "Bea"
