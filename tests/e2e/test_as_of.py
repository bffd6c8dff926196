"""The record of a customer as it was: what her timeline says was changed, up to then."""
import urllib.parse

import pytest
from command import attach


@pytest.fixture
def kith(daemon):
    return attach(daemon)


def past(daemon, *calls):
    """Statements of the past, each with its time."""
    answer = daemon.post("/v1/import?wait=applied", {"batch": list(calls)})
    assert answer.json == {"success": True}


def identify(who, at, **traits):
    return {"type": "identify", "userId": who, "timestamp": at, "traits": traits}


def staff(kind, who, at, **data):
    return {"type": kind, "customer": f"user_id:{who}", "timestamp": at, "data": data}


def as_of(daemon, who, time):
    query = urllib.parse.urlencode({"as_of": time})
    answer = daemon.get(f"/v1/customers/user_id:{who}?{query}")
    assert answer.status == 200, answer.body
    return answer.json


def test_each_time_has_its_own_record(daemon):
    past(
        daemon,
        identify("a", "2024-01-10T00:00:00Z", city="Ulm", plan="free"),
        staff("tag.changed", "a", "2024-02-01T00:00:00Z", tag="vip"),
        staff("owner.changed", "a", "2024-02-01T00:00:00Z", owner="anna"),
        identify("a", "2024-03-10T12:00:00Z", city="Bonn", plan=None),
        staff("tag.changed", "a", "2024-04-01T00:00:00Z", tag="vip", on=False),
        staff(
            "consent.changed",
            "a",
            "2024-05-01T00:00:00Z",
            purpose="news",
            channel="email",
            state="granted",
        ),
    )
    first = as_of(daemon, "a", "2024-01-31")
    assert first["traits"] == {"city": "Ulm", "plan": "free"}
    assert first["tags"] == [] and "owner" not in first and first["whole"]
    second = as_of(daemon, "a", "2024-02-15T00:00:00Z")
    assert second["tags"] == ["vip"] and second["owner"] == "anna"
    assert as_of(daemon, "a", "2024-03-10T11:59:59Z")["traits"]["city"] == "Ulm"
    assert as_of(daemon, "a", "2024-03-10")["traits"] == {"city": "Bonn"}
    last = as_of(daemon, "a", "2024-12-01")
    assert last["tags"] == []
    assert [(c["purpose"], c["channel"], c["state"]) for c in last["consents"]] == [
        ("news", "email", "granted")
    ]


def test_now_it_is_what_the_record_says(daemon):
    daemon.send(
        {"type": "identify", "userId": "b", "traits": {"email": "b@example.com", "n": [1, 2]}},
        {"type": "identify", "userId": "b", "traits": {"n": 3}},
    )
    now, then = daemon.get("/v1/customers/user_id:b").json, as_of(daemon, "b", "2999-01-01")
    for name in ("id", "traits", "ids", "tags", "roles", "merged"):
        assert then[name] == now[name], name


def test_before_a_merge_there_were_two(daemon):
    past(
        daemon,
        identify("c", "2024-01-01T00:00:00Z", city="Ulm"),
        identify("d", "2024-01-01T00:00:00Z", name="Dora"),
    )
    answer = daemon.post("/v1/customers/user_id:c/merge", {"absorbed": "user_id:d"})
    assert answer.status == 200
    then = as_of(daemon, "c", "2024-06-01")
    assert then["traits"] == {"city": "Ulm"} and then["merged"] == []
    now = as_of(daemon, "c", "2999-01-01")
    assert now["traits"] == {"city": "Ulm", "name": "Dora"} and len(now["merged"]) == 1
    assert daemon.post("/v1/customers/user_id:d/unmerge", {}).status == 200
    assert as_of(daemon, "c", "2999-01-01")["traits"] == {"city": "Ulm"}


def test_a_time_that_is_none_or_before_her_is_told(daemon):
    past(daemon, identify("e", "2024-01-01T00:00:00Z", n=1))
    assert daemon.get("/v1/customers/user_id:e?as_of=2023-01-01").status == 404
    answer = daemon.get("/v1/customers/user_id:e?as_of=someday")
    assert answer.status == 400 and "?as_of=" in answer.json["detail"]
    assert daemon.get("/v1/customers/user_id:nobody?as_of=2024-02-01").status == 404


def test_kith_show_as_of(kith):
    past(kith.daemon, identify("f", "2024-01-01T00:00:00Z", city="Ulm"))
    past(kith.daemon, identify("f", "2025-01-01T00:00:00Z", city="Bonn"))
    out = kith("show", "user_id:f", "--as-of", "2024-06-01")
    assert "as of 2024-06-01" in out.splitlines()[0] or "as of 2024-06-02" in out.splitlines()[0]
    assert "Ulm" in out and "Bonn" not in out
    code, out, err = kith.run("show", "user_id:f", "--as-of", "someday")
    assert code == 2 and "--as-of" in err
