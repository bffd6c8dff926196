"""docs/lua.md: every example runs, and every word and limit that there is stands in it."""
import re
import time

from conftest import ROOT

MANUAL = (ROOT / "docs" / "lua.md").read_text()
EXAMPLES = re.findall(r"^```lua\n(.*?)^```$", MANUAL, re.S | re.M)
EVENTS = [
    ("Signed Up", {}),
    ("Order Completed", {"total": 1500, "category": "tea"}),
    ("Product Added", {"product": "gaiwan"}),
    ("Order Completed", {"total": 3}),
    ("Order Paid", {}),
    ("Unheard Of", {}),
    ("Complaint", {"text": "late", "order_id": "o-1"}),
    ("Product Added", {"product": "pot"}),
    ("Cart Left", {"product": "pot"}),
    ("Referred", {"friend": "u-2"}),
    ("Referred", {}),
    ("Issue Published", {"issue": 3}),
    ("Delivered", {"ordered": 1600000000000}),
    ("Delivered", {}),
]


def effect_states(daemon):
    return {item["state"] for item in daemon.get("/v1/effects").json["items"]}


def test_every_example_of_the_manual_loads_and_does_not_fail(start, tmp_path):
    (tmp_path / "kith.lua").write_text('url "https://crm.example.com"\n')  # links begin with it
    daemon = start("--config", tmp_path / "kith.lua")
    files = {f"example{number:02}.lua": text for number, text in enumerate(EXAMPLES)}
    answer = daemon.post("/v1/bundles", {"files": files})
    assert answer.status == 201 and answer.json["files"] == len(EXAMPLES) >= 10, answer.body
    rules = set(re.findall(r'^rule "(.*?)"', MANUAL, re.M))
    assert answer.json["rules"] == len(rules)
    daemon.send(
        {"type": "identify", "userId": "u-2"},
        {
            "type": "identify",
            "userId": "u-1",
            "traits": {"name": "Ann", "contract_end": "2026-12-01", "birthday": "1990-05-05"},
        },
        *(
            {"type": "track", "userId": "u-1", "event": name, "properties": properties}
            for name, properties in EVENTS
        ),
    )
    items = daemon.timeline("user_id:u-1") + daemon.timeline("user_id:u-2")
    failed = [item["data"] for item in items if item["type"] == "rule.failed"]
    assert not failed
    ran = {rule["name"] for item in items for rule in item["trace"]["rules"]}
    assert rules - ran <= {"once a week", "contract ends", "birthday"}, rules - ran
    assert daemon.get("/v1/reminders").json["items"]
    deadline = time.monotonic() + 60
    while (states := effect_states(daemon)) & {"pending", "claimed"}:
        assert time.monotonic() < deadline, states
    assert states == {"sent", "suppressed"}  # the newsletter, to which nobody has consented


def test_every_word_stands_in_the_manual():
    words = set()
    for path in (ROOT / "core" / "script").glob("words_*.c"):
        text = path.read_text()
        words |= set(re.findall(r'host_add_word\(host, "(\w+)"', text))
        words |= set(re.findall(r'\{ "(\w+)", (?:word_|customer_method_|DURATION_)', text))
    assert {"rule", "remind", "workdays", "has_tag", "calendar", "log"} <= words
    missing = {word for word in words if not re.search(rf"\b{word}\b", MANUAL)}
    assert not missing


def test_every_limit_stands_in_the_manual():
    text = (ROOT / "core" / "engine" / "config.c").read_text()
    limits = set(re.findall(r"^    LIMIT\((\w+),", text, re.M))
    told = set(re.findall(r"`(\w+)`", MANUAL.split("## Limits")[1]))
    assert limits and limits == told
