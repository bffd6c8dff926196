"""/openapi.json: two linters have nothing to say about it, and answers fit it."""
import json
import os
import re
import subprocess

import pytest
from conftest import eventually

import npm

RULES = """
rule "greet" {
  on = "Hello",
  run = function(event, customer)
    log("seen")
    customer:set("seen", true)
    remind { title = "call", to = "ann", due = "1d" }
    send { channel = "log", purpose = "service", body = "hello" }
    emit("Greeted", {})
  end,
}
"""


@pytest.fixture
def house(start, tmp_path):
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "rules.lua").write_text(RULES)
    return start("--scripts", scripts)


@pytest.fixture
def description(house, tmp_path):
    answer = house.get("/openapi.json", key=None)
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(answer.json, indent=1))
    return path


def lint(*command):
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ, REDOCLY_TELEMETRY="off", REDOCLY_SUPPRESS_UPDATE_NOTICE="true"),
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.long(20)
def test_spectral_has_nothing_to_say(description, tmp_path):
    rules = tmp_path / "spectral.yaml"
    rules.write_text('extends: ["spectral:oas"]\n')
    code, said = lint(
        npm.program("spectral"), "lint", "--fail-severity=hint", "-r", rules, description
    )
    assert code == 0 and "No results" in said, said


@pytest.mark.long(20)
def test_redocly_has_nothing_to_say(description):
    code, said = lint(npm.program("redocly"), "lint", "--extends", "recommended", description)
    assert code == 0 and "warning" not in said.lower(), said


# -- What is answered fits --------------------------------------------------------------------

TYPES = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
    "null": type(None),
}


def is_of(value, name):
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def misfits(root, schema, value, place="answer"):
    """What of a value does not fit its schema; of JSON Schema what the description uses."""
    if "$ref" in schema:
        schema = root["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if "anyOf" in schema:
        each = [list(misfits(root, one, value, place)) for one in schema["anyOf"]]
        yield from [] if [] in each else each[0]
        return
    kinds = schema.get("type", list(TYPES))
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if not any(is_of(value, kind) for kind in kinds):
        yield f"{place}: {value!r} is no {kinds}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place}: {value!r} is none of {schema['enum']}"
    if schema.get("format") == "date-time" and value is not None:
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value):
            yield f"{place}: {value!r} is no date-time"
    if isinstance(value, dict):
        for name in schema.get("required", []):
            if name not in value:
                yield f"{place}: {name} is missing"
        for name, item in value.items():
            if name in schema.get("properties", {}):
                yield from misfits(root, schema["properties"][name], item, f"{place}.{name}")
            elif schema.get("additionalProperties") is False:
                yield f"{place}: {name} is not described"
    if isinstance(value, list):
        for item in value:
            yield from misfits(root, schema.get("items", {}), item, f"{place}[]")


CUSTOMER = "/v1/customers/user_id:u-1"

# What is called, in this order: method, path of the description, path, body.
CALLS = [
    ("get", "/healthz", None, None),
    ("get", "/readyz", None, None),
    ("post", "/v1/identify", None, {"userId": "u-2", "traits": {"name": "Bea"}}),
    ("post", "/v1/batch", "/v1/batch?wait=applied", {"batch": [{"type": "track"}, {"type": 7}]}),
    ("post", "/v1/track", "/v1/track", {"userId": "u-1", "event": ""}),
    ("get", "/v1/customers", None, None),
    ("get", "/v1/customers/{customer}", CUSTOMER, None),
    ("patch", "/v1/customers/{customer}", CUSTOMER, {"traits": {"size": 3, "name": None}}),
    ("patch", "/v1/customers/{customer}", CUSTOMER + "?wait=durable", {"traits": {"size": 4}}),
    ("patch", "/v1/customers/{customer}", CUSTOMER, {"trait": 1}),
    ("get", "/v1/customers/{customer}/timeline", CUSTOMER + "/timeline", None),
    (
        "put",
        "/v1/customers/{customer}/consents",
        CUSTOMER + "/consents",
        {"purpose": "news", "channel": "email", "state": "granted", "proof": "form"},
    ),
    ("get", "/v1/customers/{customer}/consents", CUSTOMER + "/consents", None),
    ("post", "/v1/customers/{customer}/merge", CUSTOMER + "/merge", {"absorbed": "user_id:u-2"}),
    ("post", "/v1/customers/{customer}/unmerge", CUSTOMER + "/unmerge", {}),
    ("post", "/v1/customers/{customer}/assign", CUSTOMER + "/assign", {"owner": "ann"}),
    ("post", "/v1/customers/{customer}/tags", CUSTOMER + "/tags", {"tag": "vip"}),
    ("post", "/v1/customers/{customer}/roles", CUSTOMER + "/roles", {"role": "buyer"}),
    (
        "post",
        "/v1/customers/{customer}/addresses",
        CUSTOMER + "/addresses",
        {"channel": "email", "value": "ann@example.com", "label": "home", "verified": True},
    ),
    (
        "post",
        "/v1/customers/{customer}/relations",
        CUSTOMER + "/relations",
        {"type": "parent", "other": "user_id:u-3", "until": "2027-01-01"},
    ),
    ("post", "/v1/customers/{customer}/notes", CUSTOMER + "/notes", {"text": "called"}),
    ("get", "/v1/customers/{customer}", CUSTOMER, None),
    ("get", "/v1/customers/{customer}", CUSTOMER + "?as_of=today", None),
    ("get", "/v1/customers/{customer}", "/v1/customers/99999", None),
    (
        "post",
        "/v1/reminders",
        None,
        {"customer": "user_id:u-1", "title": "x", "due": "3d", "note": "n", "about": "order:1"},
    ),
    ("get", "/v1/reminders", None, None),
    ("get", "/v1/reminders/{id}", "/v1/reminders/1", None),
    ("patch", "/v1/reminders/{id}", "/v1/reminders/1", {"to": "ben", "due": "2d"}),
    ("post", "/v1/reminders/{id}/snooze", "/v1/reminders/1/snooze", {"due": "5d"}),
    (
        "post",
        "/v1/reminders/{id}/done",
        "/v1/reminders/1/done",
        {"outcome": "reached", "note": "all well", "next": "9d"},
    ),
    ("get", "/v1/reminders", "/v1/reminders?state=all", None),
    ("get", "/v1/effects", None, None),
    ("get", "/v1/effects", "/v1/effects?state=lost", None),
    ("get", "/v1/effects/{id}", "/v1/effects/{effect}", None),
    ("get", "/v1/effects/{id}/explain", "/v1/effects/{effect}/explain", None),
    ("post", "/v1/effects/{id}/release", "/v1/effects/{effect}/release", {}),
    ("post", "/v1/effects/{id}/drop", "/v1/effects/{effect}/drop", {"reason": "old"}),
    ("get", "/v1/entries/{seq}/explain", "/v1/entries/{entry}/explain", None),
    ("post", "/v1/bundles", None, {"files": {"a.lua": "-- nothing"}}),
    ("get", "/v1/bundles", None, None),
    ("post", "/v1/bundles/rollback", None, {}),
    (
        "put",
        "/v1/staff/{name}",
        "/v1/staff/eva",
        {"title": "Eva", "absences": [{"from": "2027-01-01", "until": "2027-02-01"}]},
    ),
    ("get", "/v1/staff", None, None),
    ("get", "/v1/staff/{name}", "/v1/staff/eva", None),
    ("delete", "/v1/staff/{name}", "/v1/staff/eva", None),
    (
        "put",
        "/v1/keys/{name}",
        "/v1/keys/shop",
        {"scopes": ["write"], "staff": "ann", "rate": "1/s", "burst": 3},
    ),
    ("get", "/v1/keys", None, None),
    ("delete", "/v1/keys/{name}", "/v1/keys/shop", None),
    ("put", "/v1/suppressions", None, {"channel": "email", "value": "x@example.com"}),
    ("get", "/v1/state-hash", None, None),
    ("post", "/v1/verify", None, {}),
    ("post", "/v1/clock/accept", None, {}),
    ("get", "/v1/doctor", None, None),
    (
        "post",
        "/v1/links",
        None,
        {"customer": "user_id:u-1", "purpose": "news", "channel": "email", "expires": "9d"},
    ),
    ("post", "/v1/links", None, {"customer": "user_id:u-1"}),
    ("get", "/v1/l/{token}", "/v1/l/forged", None),
    ("post", "/v1/dry-runs", None, {}),
    (
        "post",
        "/v1/dry-runs/{id}",
        "/v1/dry-runs/1?historic=1",
        {"batch": [{"type": "track", "event": "Hello", "userId": "u-9"}, {"type": 7}]},
    ),
    ("get", "/v1/dry-runs/{id}", "/v1/dry-runs/1", None),
    ("delete", "/v1/dry-runs/{id}", "/v1/dry-runs/1", None),
    ("post", "/v1/backups", None, {"dir": "relative"}),
    ("get", "/v1/customers/{customer}/export", CUSTOMER + "/export", None),
    ("delete", "/v1/customers/{customer}", CUSTOMER, None),
    ("get", "/v1/erasures", None, None),
]


def body_misfits(root, operation, body):
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    return list(misfits(root, schema, body, "body"))


def test_what_is_answered_fits_the_description(house):
    root = house.get("/openapi.json", key=None).json
    house.send(
        {"type": "identify", "userId": "u-3", "traits": {"name": "Cid"}},
        {"type": "track", "event": "Hello", "userId": "u-1", "messageId": "m-1"},
    )
    eventually(lambda: house.get("/v1/effects?state=sent").json["items"])
    effect = house.get("/v1/effects").json["items"][0]
    places = {"effect": effect["id"], "entry": effect["cause"]}
    for method, template, path, body in CALLS:
        operation = root["paths"][template][method]
        answer = house.call(method.upper(), (path or template).format_map(places), body)
        responses = operation["responses"]
        content = responses[str(answer.status)]["content"]
        (kind, media) = next(iter(content.items()))
        what = f"{method} {path or template}: {answer.status} {answer.body!r}"
        assert answer.headers["Content-Type"].split(";")[0] == kind, what
        assert list(misfits(root, media["schema"], answer.json)) == [], what
        if body is not None and answer.status < 300:
            assert body_misfits(root, operation, body) == [], what


def test_a_body_that_does_not_fit_is_refused(house):
    root = house.get("/openapi.json", key=None).json
    house.send({"type": "identify", "userId": "u-1"})
    wrong = 0
    for method, template, path, body in CALLS:
        operation = root["paths"][template][method]
        if body is None or "{effect}" in (path or "") or operation["x-scope"] == "write":
            continue
        unknown = dict(body, unknown=1)
        if body_misfits(root, operation, unknown):
            answer = house.call(method.upper(), path or template, unknown)
            assert answer.status == 422, (method, template, answer.body)
            wrong += 1
    assert wrong > 15


def test_every_answer_and_every_body_is_described(house):
    root = house.get("/openapi.json", key=None).json
    for path, operations in root["paths"].items():
        for method, operation in operations.items():
            done = [item for code, item in operation["responses"].items() if code[0] == "2"]
            for answer in done:
                for kind, media in answer["content"].items():
                    is_text = kind == "*/*" or media["schema"] == {"type": "string"}
                    is_itself = path == "/openapi.json"
                    assert "$ref" in json.dumps(media) or is_text or is_itself, (method, path)
            for parameter in operation["parameters"]:
                if parameter["in"] == "query":
                    assert parameter["description"], (method, path, parameter)
    names = re.findall(r"#/components/schemas/(\w+)", json.dumps(root))
    assert set(names) == set(root["components"]["schemas"])
