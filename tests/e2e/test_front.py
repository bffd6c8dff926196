"""What stands before every handler: keys and their scopes, routing, bodies, the description."""
import json

import pytest

from conftest import basic


def named_key(daemon, name, *scopes, staff=None):
    body = {"scopes": list(scopes)}
    if staff:
        body["staff"] = staff
    answer = daemon.call("PUT", f"/v1/keys/{name}", body)
    assert answer.status < 300, answer.body
    return {"Authorization": "Bearer " + answer.json["secret"]}


TRACK = {"event": "Hello", "userId": "u-1"}
READ = ("GET", "/v1/customers/user_id:u-1", None)
WRITE = ("POST", "/v1/track", TRACK)
STAFF = ("POST", "/v1/customers/user_id:u-1/notes", {"text": "called"})
ADMIN = ("GET", "/v1/state-hash", None)


@pytest.mark.parametrize(
    "scope, allowed",
    [
        ("write", [WRITE]),
        ("read", [READ]),
        ("staff", [READ, STAFF]),
        ("admin", [WRITE, READ, STAFF, ADMIN]),
    ],
)
def test_a_named_key_does_what_its_scopes_say(daemon, scope, allowed):
    daemon.post("/v1/track?wait=applied", TRACK, key="write")
    headers = named_key(daemon, "shop", scope)
    for request in (WRITE, READ, STAFF, ADMIN):
        answer = daemon.call(*request, key=None, headers=headers)
        if request in allowed:
            assert answer.status < 300, (request, answer.body)
        else:
            assert answer.status == 403, (request, answer.body)


def test_the_write_key_may_only_write(daemon):
    assert daemon.call(*WRITE, key="write").status == 200
    for request in (READ, STAFF, ADMIN):
        assert daemon.call(*request, key="write").status == 403


def test_a_key_that_was_removed_or_renewed_ends_at_once(daemon):
    first = named_key(daemon, "shop", "write")
    assert daemon.call(*WRITE, key=None, headers=first).status == 200
    second = named_key(daemon, "shop", "write")
    assert daemon.call(*WRITE, key=None, headers=first).status == 401
    assert daemon.call(*WRITE, key=None, headers=second).status == 200
    assert daemon.call("DELETE", "/v1/keys/shop").status < 300
    assert daemon.call(*WRITE, key=None, headers=second).status == 401


def test_a_secret_becomes_valid_although_it_was_refused_before(daemon):
    headers = named_key(daemon, "shop", "write")
    daemon.call("DELETE", "/v1/keys/shop")
    assert daemon.call(*WRITE, key=None, headers=headers).status == 401
    assert daemon.call(*WRITE, key=None, headers=headers).status == 401
    again = named_key(daemon, "shop", "write")
    assert daemon.call(*WRITE, key=None, headers=again).status == 200


def test_a_named_key_outlives_a_restart(start):
    first = start()
    headers = named_key(first, "shop", "write")
    first.stop()
    assert start().call(*WRITE, key=None, headers=headers).status == 200


def test_events_are_recorded_with_the_name_of_their_key(daemon):
    headers = named_key(daemon, "shop", "write")
    secret = headers["Authorization"].split()[1]
    daemon.post("/v1/track?wait=applied", TRACK, key=None, headers=headers)
    daemon.post("/v1/track?wait=applied", TRACK, key=None, headers={"Authorization": basic(secret)})
    daemon.post(
        "/v1/batch?wait=applied",
        {"batch": [dict(TRACK, type="track")], "writeKey": secret},
        key=None,
    )
    daemon.post("/v1/track?wait=applied", dict(TRACK, writeKey=secret), key=None)
    items = [item for item in daemon.timeline("user_id:u-1") if item["type"] == "Hello"]
    assert [item["source"] for item in items] == ["shop"] * 4
    assert secret not in json.dumps(items)


def test_a_body_that_is_not_json_is_refused_by_type_and_by_content(daemon):
    path = "/v1/customers/user_id:u-1/notes"
    daemon.post("/v1/track?wait=applied", TRACK, key="write")
    assert (
        daemon.post(
            path, "text=x", headers={"Content-Type": "application/x-www-form-urlencoded"}
        ).status
        == 415
    )
    assert daemon.post(path, "{", headers={"Content-Type": "application/json"}).status == 400
    assert daemon.post(path, "[]", headers={"Content-Type": "application/json"}).status == 400
    assert daemon.post(path, {"text": "x"}).status < 300


def test_a_body_where_none_belongs_is_413(daemon):
    assert daemon.call("GET", "/v1/customers", b"x").status == 413


def test_a_path_is_decoded_by_segment(daemon):
    daemon.post("/v1/identify?wait=applied", {"userId": "a/b c"}, key="write")
    assert daemon.get("/v1/customers/user_id%3Aa%2Fb%20c").status == 200
    assert daemon.get("/v1/customers/user_id:a/b%20c").status == 404
    assert daemon.get("/v1/customers/%ff").status == 400
    assert daemon.get("/v1/customers/%2").status == 400
    assert daemon.get("/v1//track").status == 404
    assert daemon.get("/v1/customers/").status == 404


def test_head_answers_like_get_without_a_body(daemon):
    answer = daemon.call("HEAD", "/healthz", key=None)
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["Content-Length"]) == len(daemon.get("/healthz", key=None).body)


def test_problems_are_documents_that_say_what_to_do(daemon):
    answer = daemon.get("/v1/customers", key=None)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["status"] == 401
    assert answer.json["title"] == "Unauthorized"
    assert "Bearer KEY" in answer.json["detail"]


def test_the_description_has_every_path_once_and_can_be_trusted(daemon):
    description = daemon.get("/openapi.json", key=None).json
    assert description["openapi"] == "3.1.0"
    assert len(description["paths"]) > 30
    assert {"get", "patch"} <= set(description["paths"]["/v1/customers/{customer}"])
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            if operation["security"]:
                answer = daemon.call(
                    method.upper(), path.replace("{", "").replace("}", ""), key=None
                )
                is_segment = path != "/v1/events"  # a CloudEvent has no place for a key
                in_body = is_segment and operation["x-scope"] == "write"
                assert answer.status == (400 if in_body else 401), (method, path)
            assert operation["summary"] and operation["responses"]
            names = [item["name"] for item in operation["parameters"] if item["in"] == "path"]
            assert all("{%s}" % name in path for name in names)
            assert len(names) == path.count("{")
