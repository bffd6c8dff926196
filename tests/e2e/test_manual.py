"""docs/lua.md: every example runs, and every link leads to where something is."""
import re
import subprocess
import time

from conftest import BUILD, ROOT

MANUAL = (ROOT / "docs" / "lua.md").read_text()
SHOWN = re.findall(r"^```lua\n(.*?)^```$", MANUAL, re.S | re.M)
EXAMPLES = [text for text in SHOWN if not text.startswith("test ")]
TESTS = [text for text in SHOWN if text.startswith("test ")]
TEMPLATE = re.sub(
    "^    ",
    "",
    re.search(r"may look like this.*?\n\n((?:    [^\n]*\n)+)", MANUAL, re.S).group(1),
    flags=re.M,
)
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
    ("Shop Visited", {}),
    ("Away For 60 Days", {}),
    ("Complaint Received", {"complaint_id": "c-1"}),
]


def effect_states(daemon):
    return {item["state"] for item in daemon.get("/v1/effects").json["items"]}


def test_every_example_of_the_manual_loads_and_does_not_fail(start, tmp_path):
    (tmp_path / "kith.lua").write_text('url "https://crm.example.com"\n')  # links begin with it
    daemon = start("--config", tmp_path / "kith.lua")
    files = {f"example{number:02}.lua": text for number, text in enumerate(EXAMPLES)}
    files["templates/we-miss-you.log.md"] = TEMPLATE
    files["templates/footer.md"] = "The shop\n"
    answer = daemon.post("/v1/bundles", {"files": files})
    assert answer.status == 201 and answer.json["files"] == len(EXAMPLES) + 2 >= 12, answer.body
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
    messages = [item.get("message", {}) for item in daemon.get("/v1/effects").json["items"]]
    assert [m["subject"] for m in messages if "subject" in m] == ["We miss you, Ann"]


def test_the_tests_of_the_manual_pass_on_its_examples(tmp_path):
    (tmp_path / "kith.lua").write_text('url "https://crm.example.com"\n')
    folder = tmp_path / "rules"
    folder.mkdir()
    for number, text in enumerate(EXAMPLES):
        (folder / f"example{number:02}.lua").write_text(text)
    (folder / "templates").mkdir()
    (folder / "templates/we-miss-you.log.md").write_text(TEMPLATE)
    (folder / "templates/footer.md").write_text("The shop\n")
    (folder / "manual_test.lua").write_text("\n".join(TESTS))
    for command in ("check", "test"):
        done = subprocess.run(
            [BUILD / "kith", command, folder, "--config", tmp_path / "kith.lua"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("\nok ") + 1 == len(re.findall(r"^test \"", MANUAL, re.M)) >= 2


def test_every_link_into_the_reference_leads_to_a_word_or_a_chapter():
    page = (ROOT / "docs" / "lua-reference.md").read_text()
    titles = re.findall(r"^##+ (.*)$", page, re.M)
    anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
    named = set(re.findall(r"\(lua-reference\.md#([\w-]+)\)", MANUAL))
    assert {"send", "remind"} <= named <= anchors, named - anchors
