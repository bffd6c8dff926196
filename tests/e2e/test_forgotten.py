"""Nothing of an erased customer is left: every place that can hold anything of hers, every spelling
of it, every moment at which the daemon may die over it, and a disk that is full.

test_privacy.py asks what erasing does; this file looks for what it might have missed.
"""
import base64
import ctypes
import ctypes.util
import fcntl
import json
import os
import pathlib
import re
import subprocess
import threading
import time
from urllib.parse import quote

import pytest

from command import attach
from receiver import Receiver, Reply, receiver, receivers
from test_stream import whole

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAME, CHINESE, STREET = "Xanthippe Quirrenbach", "欧阳靖瑶", "Zaunkönigweg 17"
EMAIL, PHONE, USER, ANON = "xq@quirrenbach.example", "+4915799912345", "u-xanthippe", "a-77f3e1c0"
ILLNESS, ALIAS, OTHER_MAIL = "Allergie-Penicillin", "u-quirrenbach-2", "xanthi@fernweh.example"
SECRETS = [NAME, "Quirrenbach", CHINESE, STREET, EMAIL, PHONE[1:], USER, ANON, ILLNESS, ALIAS]
SECRETS += [OTHER_MAIL, "靖瑶", "12345 of hers"]
FILE, SHARED = b"%PDF contract of " + NAME.encode() * 3, b"%PDF terms for everybody " * 40

RULES = """
kind "case" {
  fields = {
    subject = "text", mail = { type = "text", external = true }, who = "customer",
    contact = { type = "text", personal = true, role = "dealer" },
  },
  roles = { customer = { subject = true }, dealer = {} }, lines = { said = "text" },
  states = { "open", { name = "waiting", waiting = true }, { name = "closed", final = true } },
  transitions = {
    wait = { from = "open", to = "waiting" }, go = { from = "waiting", to = "open" },
  },
  deadlines = { answer = { from = "open", due = "1wd", to = "anna" } }, title = "subject",
}
purpose "news" { opt_in = true }
local function tell(channel, words, links)
  send { channel = channel, purpose = "service", data = { said = words }, links = links }
end
rule "order" {
  on = "Order Completed",
  run = function(event, customer)
    local name = customer.name or "?"
    customer:set("last_note", event.note)
    customer:tag("buyer " .. name)
    remind { title = "Call " .. name, to = "anna", due = "1d", note = event.note }
    tell("hook", "thanks " .. name, { survey = { event = "Answer", data = { who = name } } })
    tell("dead", "dear " .. name)
    send { channel = "log", purpose = "news", body = "never " .. name }
    after { due = "2h", key = "later", emit = "Later", data = { note = event.note } }
    if event.friend then
      emit("Referred", { by = name, files = { event.paper } }, { to = event.friend })
    end
    if event.stranger then
      emit("Nobody", { by = name, files = { event.paper } }, { to = event.stranger })
    end
    log("noted: " .. (event.note or ""))
    if event.total == 13 then error("unlucky " .. name) end
  end,
}
"""
CONFIG = """
url "https://crm.example.com"
scripts "scripts"
"""


# -- Looking ---------------------------------------------------------------------------------------


def spellings(secret):
    """As bytes: what a program may make of a text on its way into a file."""
    data = secret.encode()
    escaped = json.dumps(secret)[1:-1]
    found = {data, secret.lower().encode(), secret.encode("utf-16-le"), quote(secret).encode()}
    found |= {escaped.encode(), escaped.upper().replace("\\U", "\\u").encode()}
    for shift in range(3):  # of base64, what does not depend on the bytes around it
        coded = base64.b64encode(b"\0" * shift + data)
        found.add(coded[(0, 2, 3)[shift] : -4])
    return {spelling for spelling in found if len(spelling) > 5}


SPELLINGS = {spelling: secret for secret in SECRETS for spelling in spellings(secret)}
ZSTD = ctypes.CDLL(ctypes.util.find_library("zstd"))
for function in ("ZSTD_decompress", "ZSTD_getFrameContentSize", "ZSTD_findFrameCompressedSize"):
    getattr(ZSTD, function).restype = ctypes.c_ulonglong


def unpacked(data):
    """The bytes of a file, and those of every compressed block in it, free pages included."""
    yield data
    at = data.find(b"\x28\xb5\x2f\xfd")
    while at >= 0:
        piece = data[at : at + (1 << 20)]
        size = ZSTD.ZSTD_getFrameContentSize(piece, ctypes.c_size_t(len(piece)))
        used = ZSTD.ZSTD_findFrameCompressedSize(piece, ctypes.c_size_t(len(piece)))
        if size < 1 << 24 and used <= len(piece):
            out = ctypes.create_string_buffer(max(size, 1))
            done = ZSTD.ZSTD_decompress(out, ctypes.c_size_t(size), piece, ctypes.c_size_t(used))
            if done == size:
                yield out.raw
        at = data.find(b"\x28\xb5\x2f\xfd", at + 1)


def traces(*folders):
    found = set()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if not path.is_file():
                continue
            for data in unpacked(path.read_bytes()):
                for spelling, secret in SPELLINGS.items():
                    if spelling in data:
                        found.add((str(path.relative_to(folder)), secret))
    return sorted(found)


def wait_until_erased(daemon):
    for _ in range(900):
        items = daemon.get("/v1/erasures").json["items"]
        if not items:
            return
        time.sleep(0.1)
    raise AssertionError((items, daemon.lines[-5:]))


# -- A life ----------------------------------------------------------------------------------------


def put_file(daemon, data):
    answer = daemon.call("POST", "/v1/files", data, headers={"Content-Type": "application/pdf"})
    assert answer.status == 201, answer.body
    return answer.json["hash"]


def track(user, event, message=None, **properties):
    more = {"messageId": message} if message else {}
    return {"type": "track", "event": event, "userId": user, "properties": properties, **more}


class House:
    """A daemon with two webhooks, one of which answers nobody."""

    def __init__(self, start, tmp_path, name="data"):
        self.start, self.tmp_path, self.name = start, tmp_path, name
        self.receiver = Receiver()
        self.dead = Receiver(lambda request: Reply(503))
        (tmp_path / "scripts").mkdir()
        (tmp_path / "scripts" / "rules.lua").write_text(RULES)
        (tmp_path / "hook.secret").write_text(
            "whsec_" + base64.b64encode(b"0" * 32).decode() + "\n"
        )
        hooks = receiver("hook", self.receiver.port), receiver("dead", self.dead.port)
        (tmp_path / "kith.lua").write_text(CONFIG + receivers(*hooks))
        self.links = []
        self.again()

    def again(self):
        self.daemon = self.start("--config", self.tmp_path / "kith.lua", name=self.name)
        return self.daemon

    def said(self, what, status=300):
        assert what.status < status, what.body
        return what

    def live(self):
        daemon, at = self.daemon, f"/v1/customers/user_id:{USER}"
        hers, shared = put_file(daemon, FILE), put_file(daemon, SHARED)
        stranger = put_file(daemon, b"paper for a stranger about " + NAME.encode())
        friend = put_file(daemon, b"paper for a friend about " + NAME.encode())
        self.files = {"hers": hers, "shared": shared, "stranger": stranger}
        assert not daemon.send(
            *[track(f"u-{i}", "Visit", page=f"/{i}") for i in range(200)],
            {"type": "identify", "userId": USER, "anonymousId": ANON}
            | {"traits": {"name": NAME, "phone": PHONE, "street": STREET, "email": EMAIL}},
            {"type": "identify", "userId": USER, "traits": {"nickname": CHINESE}},
            track(USER, "Order Completed", "m-1", total=1, note=ILLNESS)
            | {"properties": {"note": ILLNESS, "friend": "user_id:u-7", "paper": friend}},
            track(USER, "Order Completed", "m-2", total=13, note=ILLNESS),
            track(USER, "Contract Signed", files=[{"hash": hers, "name": NAME}, shared]),
            track("u-9", "Contract Signed", files=[shared]),
            {"type": "track", "event": "Seen", "anonymousId": ANON, "properties": {"at": STREET}},
        )
        raw = json.dumps(track(USER, "Escaped", seen=CHINESE, note=NAME)).replace("Q", "\\u0051")
        assert "\\u6b27" in raw  # and the daemon has read it as what it means
        self.said(daemon.post("/v1/track?wait=applied", raw.encode(), key="write"))
        self.talk(at)
        self.merge(at)
        self.relate(at)
        self.make_links(at)
        self.make_records()
        assert daemon.get("/v1/customers?q=quirren").json["items"]  # from a checkpoint

    def talk(self, at):
        daemon = self.daemon
        consent = {"purpose": "service", "channel": "log", "state": "granted"}
        self.said(daemon.call("PUT", at + "/consents", consent | {"proof": f"form {NAME}"}))
        self.said(daemon.post(at + "/notes", {"text": f"{CHINESE} rief an"}))
        address = {"channel": "post", "value": STREET, "label": "12345 of hers"}
        self.said(daemon.post(at + "/addresses", address))
        self.said(daemon.post(at + "/tags", {"tag": f"wife of {NAME}"}))
        self.said(daemon.post(at + "/assign", {"owner": "anna"}))
        self.said(daemon.call("PATCH", at, {"traits": {"size": f"{STREET} 4"}}))
        reminder = {"customer": f"user_id:{USER}", "title": f"Call {NAME}", "due": "3d"}
        number = self.said(daemon.post("/v1/reminders", reminder | {"to": "anna"})).json["id"]
        done = {"outcome": f"{NAME} was not in", "note": ILLNESS}
        self.said(daemon.post(f"/v1/reminders/{number}/done", {"outcome": done["outcome"]}))
        block = {"channel": "email", "value": EMAIL, "reason": f"{NAME} said so"}
        self.said(daemon.call("PUT", "/v1/suppressions", block))
        headers = {"Idempotency-Key": "k-1"}
        self.said(daemon.call("PATCH", at, {"traits": {"shoe": 4}}, headers=headers))

    def merge(self, at):
        daemon = self.daemon
        daemon.send({"type": "identify", "userId": ALIAS, "traits": {"email": OTHER_MAIL}})
        daemon.send({"type": "identify", "userId": "u-30", "traits": {"name": "Somebody"}})
        self.said(daemon.post("/v1/customers/user_id:u-30/merge", {"absorbed": f"user_id:{USER}"}))
        self.said(daemon.post(at + "/unmerge", {}))
        self.said(daemon.post(at + "/merge", {"absorbed": f"user_id:{ALIAS}"}))

    def relate(self, at):
        daemon = self.daemon
        self.said(
            daemon.post(
                "/v1/customers/user_id:u-8/relations", {"type": "knows", "other": f"email:{EMAIL}"}
            )
        )
        # to somebody who has that name only later: hers, once she is known by it
        stranger = track(USER, "Order Completed", "m-3", total=2, stranger="user_id:" + ALIAS + "x")
        stranger["properties"]["paper"] = self.files["stranger"]
        daemon.send(stranger)
        daemon.send({"type": "identify", "userId": ALIAS + "x", "traits": {"shoe": 1}})
        self.said(daemon.post(at + "/merge", {"absorbed": f"user_id:{ALIAS}x"}))
        for ref in (f"email:{EMAIL}x", f"user_id:{USER}-none"):
            assert daemon.post(f"/v1/customers/{ref}/notes", {"text": "?"}).status == 404

    def make_records(self):
        """One about her, in all its rows; one of somebody else in which she has a role."""
        daemon, fields = self.daemon, {
            "subject": f"{NAME} is ill",
            "mail": EMAIL,
            "who": "user_id:u-9",
        }
        hers = {"customer": f"user_id:{USER}", "fields": fields, "lines": [{"said": ILLNESS}]}
        self.said(daemon.post("/v1/records/case", hers))
        self.said(daemon.post("/v1/records/case/1/wait", {"note": f"{CHINESE} is away"}))
        self.said(daemon.call("PATCH", "/v1/records/case/1", {"fields": {"subject": STREET}}))
        self.said(daemon.post("/v1/records/case/1/go", {"fields": {"subject": f"of {NAME}"}}))
        self.said(daemon.post("/v1/records/case/1/notes", {"text": f"{NAME} again"}))
        other = {"customer": "user_id:u-9", "fields": {"subject": "tea", "contact": NAME}}
        other["customers"] = {"dealer": f"user_id:{USER}"}
        other["fields"]["who"] = f"email:{EMAIL}"
        self.said(daemon.post("/v1/records/case", other))
        self.said(daemon.call("PATCH", "/v1/records/case/2", {"fields": {"contact": STREET}}))
        self.said(daemon.post("/v1/records/case/2/wait", {"fields": {"contact": CHINESE}}))
        self.said(daemon.post("/v1/records/case/2/links", {"to": "case:1"}))
        self.said(daemon.post("/v1/records/case/1/links", {"to": "case:2", "type": "same"}))

    def make_links(self, at):
        for body in (
            {"event": "Answer", "data": {"who": NAME}, "title": f"Dear {NAME}"},
            {"purpose": "news", "channel": "email", "state": "granted"},
            {"purpose": "news", "channel": "email"},
        ):
            made = self.said(self.daemon.post("/v1/links", {"customer": f"user_id:{USER}", **body}))
            self.links.append("/v1/" + made.json["url"].split("/v1/", 1)[1])
        used = {"event": "Answer", "data": {"who": NAME}, "title": "used"}
        made = self.daemon.post("/v1/links", {"customer": f"user_id:{USER}", **used}).json["url"]
        self.links.append("/v1/" + made.split("/v1/", 1)[1])
        self.said(self.daemon.call("POST", self.links[-1], b"", key=None))

    def erase(self):
        answer = self.daemon.call("DELETE", f"/v1/customers/user_id:{USER}")
        assert answer.status == 202, answer.body
        return answer.json["customer"]


@pytest.fixture
def house(start, tmp_path):
    house = House(start, tmp_path)
    yield house
    house.receiver.stop()
    house.dead.stop()


def assert_gone(house, backup="backup"):
    daemon = house.daemon
    wait_until_erased(daemon)
    assert traces(daemon.data) == []
    kept = {path.name for path in (daemon.data / "files").iterdir()}
    assert kept == {house.files["shared"]}
    folder = house.tmp_path / backup
    assert daemon.post("/v1/backups", {"dir": str(folder)}).status == 201
    assert traces(folder) == []
    assert daemon.post("/v1/verify", {}).json["ok"]


# -- The tests -------------------------------------------------------------------------------------


def test_the_test_sees_what_there_is(house):
    house.live()
    seen = traces(house.daemon.data)
    assert {secret for _, secret in seen} == set(SECRETS)
    places = {path.split("/")[0] for path, _ in seen}
    assert {"log", "state", "files", "answers"} <= places


def test_nothing_is_left_in_any_place_or_spelling(house):
    house.live()
    house.erase()
    assert_gone(house)
    assert house.daemon.stop() == 0
    assert traces(house.daemon.data) == []
    daemon = house.again()
    assert traces(daemon.data) == []
    assert daemon.get("/v1/records/case/1").status == 404
    left = daemon.get("/v1/records/case/2").json
    assert left["state"] == "waiting" and left["fields"] == {"subject": "tea"}
    assert left["links"] == [] and left["customers"] == {}
    assert [e["data"] for e in daemon.timeline("user_id:u-9") if e["type"] == "Contract Signed"]


def test_her_links_answer_410_and_write_nothing(house):
    house.live()
    daemon = house.daemon
    house.erase()
    for _ in range(2):
        before = daemon.metric("kith_log_entries")
        for link in house.links:
            for method in ("GET", "POST"):
                answer = daemon.call(method, link, b"" if method == "POST" else None, key=None)
                assert answer.status == 410, (method, link, answer.body)
                assert not [secret for secret in SECRETS if secret.encode() in answer.body]
        wait_until_erased(daemon)
        if before != daemon.metric("kith_log_entries"):  # of the purge itself
            before = daemon.metric("kith_log_entries")
    for link in house.links:
        assert daemon.call("POST", link, b"", key=None).status == 410
    assert daemon.metric("kith_log_entries") == before
    assert traces(daemon.data) == []


def test_what_is_said_by_number_of_what_was_hers_is_not_found_and_not_written(house):
    house.live()
    daemon = house.daemon
    export = daemon.get(f"/v1/customers/user_id:{USER}/export").json
    reminder = [item["id"] for item in export["reminders"] if item["state"] == "open"][0]
    effect = [item["id"] for item in export["effects"] if item["channel"] == "dead"][0]
    house.erase()
    wait_until_erased(daemon)
    before = daemon.metric("kith_log_entries")
    for method, path, body in (
        ("POST", f"/v1/reminders/{reminder}/done", {"outcome": NAME, "note": ILLNESS}),
        ("PATCH", f"/v1/reminders/{reminder}", {"title": f"Call {NAME}"}),
        ("POST", f"/v1/reminders/{reminder}/snooze", {"due": "2d"}),
        ("POST", f"/v1/effects/{effect}/drop", {"reason": f"{NAME} does not want it"}),
        ("POST", f"/v1/effects/{effect}/release", {}),
    ):
        answer = daemon.call(method, path, body)
        assert answer.status == 404, (path, answer.body)
    assert daemon.metric("kith_log_entries") == before
    assert traces(daemon.data) == []


def test_no_message_of_hers_leaves_once_she_is_erased(house):
    house.live()
    house.erase()
    house.dead.behave = lambda request: Reply(200)
    wait_until_erased(house.daemon)
    taken = [request for request in house.dead.taken if NAME.encode() in request.body]
    assert taken == [] or len(taken) == 1  # the attempt that was under way when she was erased
    for state in ("pending", "claimed", "held", "uncertain", "failed"):
        assert house.daemon.get(f"/v1/effects?state={state}").json["items"] == []


def test_a_dry_run_that_knows_her_leaves_nothing(house):
    house.live()
    daemon = house.daemon
    number = house.said(daemon.post("/v1/dry-runs", {})).json["id"]
    batch = {"batch": [track(USER, "Order Completed", "m-9", total=13, note=ILLNESS)]}
    house.said(daemon.post(f"/v1/dry-runs/{number}", batch))
    house.erase()
    assert daemon.call("DELETE", f"/v1/dry-runs/{number}").status < 300
    assert_gone(house)


def test_a_record_as_it_was_before_is_not_found(house):
    house.live()
    daemon = house.daemon
    number = daemon.get(f"/v1/customers/user_id:{USER}").json["id"]
    moment = quote(daemon.timeline(f"user_id:{USER}")[0]["logged"])
    assert daemon.get(f"/v1/customers/{number}?as_of={moment}").status == 200
    house.erase()
    for ref in (number, f"user_id:{USER}", f"user_id:{ALIAS}"):
        assert daemon.get(f"/v1/customers/{ref}?as_of={moment}").status == 404
    assert_gone(house)


def test_an_import_of_hers_leaves_nothing_in_the_data(house):
    house.live()
    kith = attach(house.daemon)
    path = house.tmp_path / "orders.csv"
    rows = [f"{USER},{NAME},5", f"{USER},{CHINESE},seven", f"u-7,{'x'},8"]
    path.write_text("userId,note,total\n" + "\n".join(rows) + "\n")
    maps = ("--map", "userId=userId", "--map", "note=note", "--map", "total=total:number")
    said = kith.run("import", path, "--event", "Paid", *maps)
    assert "Paid" in {entry["type"] for entry in house.daemon.timeline(f"user_id:{USER}")}, said
    house.erase()
    assert_gone(house)
    assert CHINESE in (house.tmp_path / "orders.csv.rejected").read_text()  # the operator's own


def test_whoever_listens_hears_nothing_of_her_afterwards(house):
    house.live()
    house.erase()
    wait_until_erased(house.daemon)
    text = json.dumps(whole(house.daemon).events, ensure_ascii=False)
    assert [secret for secret in SECRETS if secret in text] == []


# -- What is known of her --------------------------------------------------------------------------


def test_an_export_has_each_thing_that_the_manual_says(house):
    house.live()
    export = house.daemon.get(f"/v1/customers/user_id:{USER}/export").json
    manual = (ROOT / "docs" / "privacy.md").read_text().split("## Being forgotten")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", manual, re.M)) == set(export)
    customer = export["customer"]
    assert {"traits", "trait_sources", "ids", "addresses", "consents", "tags"} <= set(customer)
    assert {"roles", "owner", "relations", "merged"} <= set(customer)
    consent = [c for c in customer["consents"] if c["channel"] == "log"][0]
    assert consent["proof"] == f"form {NAME}" and consent["at"] and consent["source"]
    address = [a for a in customer["addresses"] if a["channel"] == "post"][0]
    assert (address["value"], address["label"]) == (STREET, "12345 of hers")
    assert len(customer["merged"]) == 2
    types = {"Contract Signed", "Answer", "consent.changed", "Note", "Escaped", "customer.merged"}
    assert types <= {e["type"] for e in export["timeline"]}
    outcomes = {r["outcome"] for r in export["reminders"] if r["state"] == "done"}
    assert outcomes == {f"{NAME} was not in", "paused"}  # of the deadline of her record, too
    assert [record["lines"] for record in export["records"]] == [[{"said": ILLNESS}]]
    survey = [e for e in export["effects"] if e["channel"] == "hook"][0]
    assert NAME in json.dumps(survey["message"]["links"]["survey"])
    signed = [e["event"] for e in export["timeline"] if e["type"] == "Contract Signed"][0]
    named = sorted((f["hash"], f["event"]) for f in export["files"])
    assert named == sorted((house.files[name], signed) for name in ("hers", "shared"))
    (block,) = export["suppressions"]
    assert (block["channel"], block["value"]) == ("email", EMAIL) and NAME in block["reason"]
    text = json.dumps(export, ensure_ascii=False)
    assert [secret for secret in SECRETS if secret not in text and secret != PHONE[1:]] == []


def test_metrics_tell_of_erasures(house):
    house.live()
    daemon = house.daemon
    names = ("kith_erasures_open", "kith_erasures_done_total", "kith_erasure_oldest_seconds")
    assert [daemon.metric(name) for name in names] == [0, 0, 0]
    number = house.said(daemon.post("/v1/dry-runs", {})).json["id"]  # which holds the state's file
    house.erase()
    assert daemon.metric("kith_erasures_open") == 2 + 1  # two were merged into her
    assert daemon.metric("kith_erasure_oldest_seconds") >= 0
    daemon.call("DELETE", f"/v1/dry-runs/{number}")
    wait_until_erased(daemon)
    assert [daemon.metric(name) for name in names] == [0, 3, 0]
    daemon.stop()
    house.again()
    assert [house.daemon.metric(name) for name in names] == [0, 3, 0]


def test_an_erasure_that_is_only_to_be_durable_answers_as_described(house):
    house.live()
    answer = house.daemon.call("DELETE", f"/v1/customers/user_id:{USER}?wait=durable")
    assert answer.status == 202 and set(answer.json) == {"seq"}
    assert_gone(house)
    described = house.daemon.get("/openapi.json", key=None).json
    for path in ("/v1/customers/{customer}", "/v1/keys/{name}", "/v1/staff/{name}"):
        answers = described["paths"][path]["delete"]["responses"]
        assert "#/components/schemas/Accepted" in json.dumps(answers["202"])


# -- Dying over it, and a full disk ----------------------------------------------------------------


def test_a_daemon_that_is_killed_at_any_moment_goes_on_with_it(house):
    house.live()
    house.erase()
    for wait in (0.0, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.13, 0.17, 0.22, 0.3):
        time.sleep(wait)
        house.daemon.kill()
        house.again()
    assert_gone(house)
    for link in house.links:
        assert house.daemon.call("POST", link, b"", key=None).status == 410


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("only root can mount a small disk")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_disk_without_room_for_the_copies_keeps_taking_events(start, tmp_path, small_disk):
    house = House(start, tmp_path, name="disk/data")
    house.live()
    filler = small_disk / "filler"
    free = os.statvfs(small_disk)
    filler.write_bytes(b"\0" * (free.f_bavail * free.f_frsize - (12 << 20)))
    house.erase()
    house.daemon.wait_line("still in the files, .* MiB left: make room")
    assert not house.daemon.send(*[track(f"u-{i}", "Visit", page="/") for i in range(200)])
    assert house.daemon.get("/v1/erasures").json["items"]
    doctor = {c["name"]: c["ok"] for c in house.daemon.get("/v1/doctor").json["checks"]}
    assert not doctor["disk"]
    assert traces(house.daemon.data)
    filler.unlink()
    assert house.daemon.stop() == 0
    house.again()
    assert_gone(house)
    house.receiver.stop()
    house.dead.stop()


def test_a_disk_that_fills_up_meanwhile_loses_nothing(start, tmp_path, small_disk):
    house = House(start, tmp_path, name="disk/data")
    house.live()
    house.erase()
    filler = small_disk / "filler"
    with pytest.raises(OSError):
        filler.write_bytes(b"\0" * (64 << 20))
    answer = house.daemon.post("/v1/track?wait=applied", track("u-1", "Late"), key="write")
    filler.unlink()
    house.daemon.kill()
    house.again()
    late = [e for e in house.daemon.timeline("user_id:u-1") if e["type"] == "Late"]
    assert len(late) >= (1 if answer.status == 200 else 0)
    assert_gone(house)
    house.receiver.stop()
    house.dead.stop()


# -- Messages that wait, previews, parked ones, files of notes ----------------------------------

WAITING = """
rule "thank" { on = "Thank", run = function(event, customer)
  send { channel = event.channel, purpose = "service", template = "dear", data = event.data }
end }
rule "park" { on = "Park", run = function(event, customer)
  send { channel = "log", purpose = "service", body = "parked for " .. customer.name }
end }
"""
DEAR = (
    "---\nsubject: Dear {{customer.name}}\n---\nWe write of {{illness}} to {{customer.street}}.\n"
)


class Waiting:
    """A daemon that has messages of hers in every state that waits; its log is a pipe."""

    def __init__(self, start, tmp_path):
        self.start, self.pipe, self.tmp_path = start, tmp_path / "pipe", tmp_path
        os.mkfifo(self.pipe)
        self.ends = os.open(self.pipe, os.O_RDWR | os.O_NONBLOCK)
        (tmp_path / "hook.secret").write_text(
            "whsec_" + base64.b64encode(b"0" * 32).decode() + "\n"
        )
        config = f'{CONFIG.splitlines()[1]}\nchannel "log" {{ file = "{self.pipe}" }}\n'
        (tmp_path / "kith.lua").write_text(config + receivers(receiver("hook", 9)))
        self.again()
        files = {"rules.lua": WAITING, "templates/dear.md": DEAR}
        assert self.daemon.post("/v1/bundles", {"files": files}).status == 201

    def again(self, *flags):
        self.daemon = self.start("--config", self.tmp_path / "kith.lua", *flags)

    def post(self, path, body=None):
        answer = self.daemon.post(path, body or {})
        assert answer.status < 300, answer.body
        return answer.json

    def count(self, state):
        return len(self.daemon.get(f"/v1/effects?state={state}").json["items"])

    def until(self, is_so):
        deadline = time.monotonic() + 60
        while not is_so():
            assert time.monotonic() < deadline, self.daemon.lines[-5:]
            time.sleep(0.02)

    def thank(self, channel):
        return track(USER, "Thank", channel=channel, data={"illness": ILLNESS})

    def hold(self):
        self.post("/v1/channels/*/pause")
        self.daemon.send(self.thank("hook"), track(USER, "Park"))
        self.daemon.stop()
        self.again("--rebuild")
        self.until(lambda: self.count("held") == 2)

    def park(self):
        """Released by a person while its rule is paused, it waits for that."""
        self.post("/v1/rules/park/pause")
        (parked,) = [
            effect["id"]
            for effect in self.daemon.get("/v1/effects?state=held").json["items"]
            if effect["channel"] == "log"
        ]
        self.post("/v1/channels/*/resume")
        self.post(f"/v1/effects/{parked}/release")
        self.until(lambda: self.daemon.get("/v1/rules/park").json["waiting"] == 1)

    def preview(self):
        self.post(
            "/v1/preview/send",
            {"template": "dear", "customer": f"user_id:{USER}", "to": EMAIL, "channel": "log"}
            | {"data": {"illness": ILLNESS}},
        )
        self.until(lambda: self.count("sent") == 1)
        assert NAME.encode() in os.read(self.ends, 65536)

    def doubt(self):
        """The daemon dies while it writes a message into a pipe that is full."""
        size = fcntl.fcntl(self.ends, fcntl.F_GETPIPE_SZ)
        assert os.write(self.ends, b"x" * size) == size
        self.daemon.post("/v1/track", self.thank("log"), key="write")
        pid = self.daemon.pid
        stack = pathlib.Path(f"/proc/{pid}/task/{pid}/wchan")
        self.until(lambda: "pipe" in stack.read_text())
        self.daemon.kill()
        assert len(os.read(self.ends, size)) == size
        self.again()
        self.until(lambda: self.count("uncertain") == 1)


def test_messages_that_wait_for_a_person_go_with_her(start, tmp_path):
    house = Waiting(start, tmp_path)
    house.daemon.send(
        {"type": "identify", "userId": USER, "traits": {"name": NAME, "street": STREET}},
        {"type": "identify", "userId": USER, "traits": {"email": EMAIL}},
    )
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(FILE)
    kith = attach(house.daemon)
    assert kith.run("note", f"user_id:{USER}", f"{NAME} was here", "--file", scan)[0] == 0
    house.hold()
    house.park()
    house.preview()
    house.doubt()
    assert [house.count(state) for state in ("held", "uncertain")] == [1, 1]
    assert house.daemon.get("/v1/rules/park").json["waiting"] == 1
    assert {NAME, STREET, EMAIL, ILLNESS, USER} <= {s for _, s in traces(house.daemon.data)}
    assert house.daemon.call("DELETE", f"/v1/customers/user_id:{USER}").status == 202
    wait_until_erased(house.daemon)
    assert traces(house.daemon.data) == []
    assert not list((house.daemon.data / "files").iterdir())
    assert [house.count(s) for s in ("held", "uncertain", "pending", "claimed")] == [0] * 4
    assert house.daemon.get("/v1/rules/park").json.get("waiting", 0) == 0
    assert house.daemon.post("/v1/verify", {}).json["ok"]
    house.daemon.stop()
    os.close(house.ends)
    assert traces(house.daemon.data) == []


def test_a_link_and_calls_by_number_that_race_with_her_erasure_leave_nothing(house):
    house.live()
    daemon = house.daemon
    number = daemon.get(f"/v1/customers/user_id:{USER}").json["id"]
    answers = []

    def press():
        for link in house.links[:3]:
            answers.append(daemon.call("POST", link, b"", key=None).status)

    def note():
        for i in range(20):
            path = f"/v1/customers/{number}/notes"
            answers.append(daemon.post(path, {"text": f"{NAME} {i}"}).status)

    threads = [threading.Thread(target=work) for work in (press, note, note)]
    for thread in threads:
        thread.start()
    house.erase()
    for thread in threads:
        thread.join()
    assert set(answers) <= {200, 404, 410}
    assert_gone(house)
