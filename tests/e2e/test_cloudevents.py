"""POST /v1/events: CloudEvents 1.0 in its three modes, read back from the stream."""
import base64
import json

import pytest

from test_stream import Stream

STRUCTURED = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
BATCH = {"Content-Type": "application/cloudevents-batch+json"}


def cloud(id, **attributes):
    event = {"specversion": "1.0", "id": id, "source": "/shop", "type": "com.example.order"}
    event.update(attributes)
    return {name: value for name, value in event.items() if value is not None}


def send(daemon, body, headers, **options):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    path = "/v1/events?wait=applied"
    return daemon.call("POST", path, body, key="write", headers=headers, **options)


def binary(daemon, body=b"", content_type=None, **attributes):
    headers = {f"ce-{name}": value for name, value in attributes.items()}
    if content_type is not None:
        headers["Content-Type"] = content_type
    return send(daemon, body, headers)


def sent(daemon, count, type="com.example.order"):
    stream = Stream(daemon, f"?after=0&type={type}")
    events = stream.take(count)
    stream.close()
    return events


def test_a_structured_event_is_kept_whole(daemon):
    event = cloud(
        "a1",
        subject="user_id:u-17",
        time="2020-01-02T04:04:05.678+01:00",
        dataschema="https://example.com/order.json",
        datacontenttype="application/json",
        data={"total": 12.5, "items": [{"sku": "茶"}]},
        traceparent="00-1-2-03",
        priority=3,
        urgent=True,
        nothing=None,
    )
    answer = send(daemon, event, STRUCTURED)
    assert (answer.status, answer.json) == (200, {"success": True})
    [kept] = sent(daemon, 1)
    kept.pop("logged")
    assert kept == {
        "seq": kept["seq"],
        "n": 0,
        "event": str(kept["seq"]),
        "id": "a1",
        "type": "com.example.order",
        "messageId": "a1",
        "userId": "u-17",
        "customer": 1,
        "at": "2020-01-02T03:04:05.678Z",
        "class": "client",
        "source": "/shop",
        "by": "write",
        "data": {"total": 12.5, "items": [{"sku": "茶"}]},
        "context": {
            "specversion": "1.0",
            "subject": "user_id:u-17",
            "time": "2020-01-02T04:04:05.678+01:00",
            "dataschema": "https://example.com/order.json",
            "datacontenttype": "application/json",
            "traceparent": "00-1-2-03",
            "priority": 3,
            "urgent": True,
        },
    }


def test_the_modes_say_the_same(daemon):
    data = {"total": 12.5, "名": "é"}
    attributes = {"subject": "anonymous_id:a 1%", "comexampletext": 'é "q"'}
    assert (
        send(
            daemon,
            cloud("m0", data=data, datacontenttype="application/json", **attributes),
            STRUCTURED,
        ).status
        == 200
    )
    assert (
        send(
            daemon,
            [cloud("m1", data=data, datacontenttype="application/json", **attributes)],
            BATCH,
        ).status
        == 200
    )
    answer = binary(
        daemon,
        json.dumps(data).encode(),
        "application/json",
        specversion="1.0",
        id="m2",
        source="/shop",
        type="com.example.order",
        subject='"anonymous_id:a 1%25"',
        comexampletext="%C3%A9%20%22q%22",
    )
    assert answer.status == 200, answer.body
    events = sent(daemon, 3)
    for event in events:
        for name in ("seq", "event", "id", "messageId", "at", "logged"):
            event.pop(name)
        event["context"] = dict(sorted(event["context"].items()))
    assert events[0] == events[1] == events[2]
    assert events[0]["anonymousId"] == "a 1%" and events[0]["data"] == data
    assert events[0]["context"]["comexampletext"] == 'é "q"'


@pytest.mark.parametrize(
    "body, content_type, extra",
    [
        (b"[1, 2]", "application/json", {"data": [1, 2]}),
        (b'"x"', "application/vnd.x+json", {"data": "x"}),
        (b"null", "application/json", {"data": None}),
        ("naïve\n".encode(), "text/plain; charset=utf-8", {"data": "naïve\n"}),
        (b"<a/>", "application/xml", {"data_base64": base64.b64encode(b"<a/>").decode()}),
        (b"\x00\xff", None, {"data_base64": "AP8="}),
        (b"", "text/plain", None),
    ],
)
def test_data_that_is_no_object_is_kept_as_it_came(daemon, body, content_type, extra):
    attributes = {"specversion": "1.0", "id": "d", "source": "s", "type": "com.example.order"}
    assert binary(daemon, body, content_type, **attributes).status == 200
    [kept] = sent(daemon, 1)
    assert kept.get("extra") == extra
    assert kept["context"].get("datacontenttype") == content_type


def test_fields_of_senders_that_do_not_escape_are_understood(daemon):
    values = ("100% %zz", "100%25", "\u00e9", "%C3%A9", '"a \\"b\\""')
    attributes = {f"x{number}": value for number, value in enumerate(values)}
    answer = binary(
        daemon, specversion="1.0", id="e", source="s", type="com.example.order", **attributes
    )
    assert answer.status == 200, answer.body
    context = sent(daemon, 1)[0]["context"]
    assert [context[f"x{number}"] for number in range(5)] == ["100% %zz", "100%", "é", "é", 'a "b"']


def test_structured_data_that_is_no_object_is_kept_as_it_came(daemon):
    for number, data in enumerate(({"data": [1]}, {"data": "x"}, {"data_base64": "AP8="})):
        assert send(daemon, cloud(f"x{number}", **data), STRUCTURED).status == 200
    extras = [event["extra"] for event in sent(daemon, 3)]
    assert extras == [{"data": [1]}, {"data": "x"}, {"data_base64": "AP8="}]


def test_a_second_event_of_the_same_source_and_id_is_no_event(daemon):
    daemon.send({"type": "identify", "userId": "u"})
    for _ in range(2):
        for subject in (None, "user_id:u"):
            for source in ("a", "b"):
                event = cloud("same", source=source, subject=subject)
                assert send(daemon, event, STRUCTURED).status == 200
                assert send(daemon, [event, event], BATCH).status == 200
    assert send(daemon, cloud("last"), STRUCTURED).status == 200
    ids = [(event["source"], event.get("customer")) for event in sent(daemon, 5)]
    assert ids == [("a", None), ("b", None), ("a", 1), ("b", 1), ("/shop", None)]


def test_who_it_is_about(daemon):
    daemon.send({"type": "identify", "userId": "u1", "traits": {"email": "ann@example.com"}})
    cases = [
        ({"subject": "1"}, 1),
        ({"subject": "user_id:u1"}, 1),
        ({"subject": "email:Ann@Example.com"}, 1),
        ({"customer": "user_id:u1"}, 1),
        ({"subject": "orders/17", "customer": "1"}, 1),
        ({"subject": "orders/17"}, None),
        ({"subject": "email:nobody@example.com"}, None),
        ({"subject": "user_id:u2"}, 2),
        ({}, None),
    ]
    for number, (attributes, _) in enumerate(cases):
        assert send(daemon, cloud(f"w{number}", **attributes), STRUCTURED).status == 200
    assert [event.get("customer") for event in sent(daemon, len(cases))] == [
        customer for _, customer in cases
    ]


def test_a_type_of_kiths_own_means_nothing(daemon):
    event = cloud("f", type="customer.merge", subject="user_id:u", data={"absorbed": "2"})
    assert send(daemon, event, STRUCTURED).status == 200
    [item] = [item for item in daemon.timeline("user_id:u") if item["type"] == "customer.merge"]
    assert item["trace"]["foreign"] is True


def test_what_is_no_cloudevent_is_refused_with_the_reason(daemon):
    for event, reason in (
        (cloud("x", specversion="0.3"), "specversion"),
        (cloud("x", specversion=None), "specversion is missing"),
        (cloud(None), "id is missing"),
        (cloud(""), "id must be text"),
        (cloud(7), "id must be text"),
        (cloud("x", source=None), "source is missing"),
        (cloud("x", source="s" * 129), "source has 129 bytes"),
        (cloud("x", source="a\x1fb"), "control"),
        (cloud("x", source="plugin:sms"), "plugins alone"),
        (cloud("x", type=None), "type is missing"),
        (cloud("x", type="t" * 129), "type has 129 bytes"),
        (cloud("x", time="yesterday"), "time must be"),
        (cloud("x", customer="somebody"), "customer must name"),
        (cloud("x", data=1, data_base64="AA=="), "not both"),
        (cloud("x", data_base64="A"), "base64"),
        (cloud("x", someThing="a"), "someThing"),
        (cloud("x", ext={"a": 1}), "ext must be"),
    ):
        answer = send(daemon, event, STRUCTURED)
        assert answer.status == 400 and reason in answer.json["detail"], answer.body
    good = {"specversion": "1.0", "id": "b", "source": "s", "type": "t"}
    assert binary(daemon, b"{", "application/json", **good).status == 400
    assert binary(daemon, b'1,"data":2', "application/json", **good).status == 400
    assert binary(daemon, b"", None, **{**good, "x": "a%00b"}).status == 400
    assert binary(daemon, b"", None, **{**good, "datacontenttype": "a/b"}).status == 400
    assert binary(daemon, b"x" * (256 * 1024 + 1), "text/plain", **good).status == 413
    assert send(daemon, cloud("x"), {"Content-Type": "application/json"}).status == 415
    assert send(daemon, b"x", {"Content-Type": "application/cloudevents+avro"}).status == 415
    assert daemon.call("POST", "/v1/events", b"{}", key=None, headers=STRUCTURED).status == 401


def test_one_bad_event_never_loses_the_others(daemon):
    answer = send(daemon, [cloud("g1"), cloud(1), 7, cloud("g2")], BATCH)
    assert answer.status == 200
    assert [item["index"] for item in answer.json["rejected"]] == [1, 2]
    assert [event["id"] for event in sent(daemon, 2)] == ["g1", "g2"]
    assert send(daemon, [], BATCH).json == {"success": True}
    assert send(daemon, {}, BATCH).status == 400


def test_a_browser_may_send_any_field(daemon):
    wanted = "authorization,ce-id,ce-specversion,content-type"
    answer = daemon.call(
        "OPTIONS", "/v1/events", key=None, headers={"Access-Control-Request-Headers": wanted}
    )
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Allow-Headers"] == wanted
