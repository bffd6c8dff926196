"""The rights of the person: everything that is known of her, and being forgotten in every file."""
import json
import re
import time
from urllib.parse import quote

from command import attach
from test_stream import Stream, end_of, whole

# What is hers: no other word of the rules, the daemon or the tests has any of it.
NAME, CHINESE, STREET = "Xanthippe Quirrenbach", "欧阳靖瑶", "Zaunkönigweg 17"
EMAIL, PHONE, USER, ANON = "xq@quirrenbach.example", "+4915799912345", "u-xanthippe", "a-77f3e1c0"
SECRETS = [
    NAME,
    "Quirrenbach",
    CHINESE,
    STREET,
    EMAIL,
    PHONE[1:],
    USER,
    ANON,
    "Allergie-Penicillin",
]

RULES = """
rule "order" {
  on = "Order Completed",
  run = function(event, customer)
    customer:set("last_note", event.note)
    customer:tag("buyer " .. (customer.name or "?"))
    remind { title = "Call " .. (customer.name or "?"), to = "anna", due = "1d", note = event.note }
    send { channel = "log", purpose = "service", body = "thanks " .. (customer.name or "?") }
    after { due = "2h", key = "later", emit = "Later", data = { note = event.note } }
    if event.friend then emit("Referred", { by = customer.name }, { to = event.friend }) end
    log("noted: " .. (event.note or ""))
  end,
}
rule "referred" {
  on = "Referred",
  run = function(event, customer) customer:set("referred", true) end,
}
"""


def identify(user, traits, **more):
    return {"type": "identify", "userId": user, "traits": traits, **more}


def order(user, message, **properties):
    return {
        "type": "track",
        "event": "Order Completed",
        "userId": user,
        "messageId": message,
        "properties": properties,
    }


def live(daemon):
    """She among others, with everything that can be known of anybody."""
    others = [identify(f"u-{i}", {"name": f"Somebody {i}", "city": "Bern"}) for i in range(300)]
    assert not daemon.send(*others)
    assert not daemon.send(
        identify(USER, {"name": NAME, "phone": PHONE, "street": STREET}, anonymousId=ANON),
        identify(USER, {"email": EMAIL, "nickname": CHINESE}),
        order(USER, "m-1", total=1200, note="Allergie-Penicillin", friend="user_id:u-7"),
        order("u-7", "m-2", total=10, note="roses"),
        {"type": "track", "event": "Visit", "anonymousId": ANON, "properties": {"page": STREET}},
        {"type": "track", "event": "Visit", "userId": USER, "properties": {"seen": CHINESE}},
    )
    daemon.send(order(USER, "m-1", total=1200, note="Allergie-Penicillin"))  # a second time
    at = f"/v1/customers/user_id:{USER}"
    consent = {"purpose": "service", "channel": "log", "state": "granted", "proof": f"form {NAME}"}
    assert daemon.call("PUT", at + "/consents", consent).status == 200
    assert daemon.post(at + "/notes", {"text": f"{CHINESE} rief an"}).status < 300
    assert daemon.post(at + "/assign", {"owner": "anna"}).status < 300
    friend = {"type": "knows", "other": f"email:{EMAIL}"}
    assert daemon.post("/v1/customers/user_id:u-8/relations", friend).status < 300
    vain = daemon.post(f"/v1/customers/email:{EMAIL}x/notes", {"text": "nobody"})
    assert vain.status == 404
    block = {"channel": "email", "value": EMAIL, "reason": f"{NAME} said so"}
    assert daemon.call("PUT", "/v1/suppressions", block).status == 200


def traces(*folders):
    """(file, secret) of all files, as they lie on the disk, free pages included."""
    found = []
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            data = path.read_bytes() if path.is_file() else b""
            found += [(str(path), secret) for secret in SECRETS if secret.encode() in data]
    return found


def wait_until_erased(daemon):
    for _ in range(600):
        items = daemon.get("/v1/erasures").json["items"]
        if not items:
            return
        time.sleep(0.1)
    raise AssertionError(items)


def entries_with_secrets(daemon):
    """What the log still tells: blocks may be compressed, so files alone prove little."""
    found = []
    for i in range(300):
        for item in daemon.timeline(f"user_id:u-{i}"):
            text = json.dumps(item, ensure_ascii=False)
            found += [(i, item["seq"], secret) for secret in SECRETS if secret in text]
    return found


def found(daemon, words):
    return [c["id"] for c in daemon.get("/v1/customers?q=" + quote(words)).json["items"]]


def begin(start, tmp_path, rules=RULES):
    folder = tmp_path / "rules"
    folder.mkdir(exist_ok=True)
    (folder / "rules.lua").write_text(rules)
    return start("--scripts", folder)


def test_nothing_of_an_erased_customer_is_in_any_file(start, tmp_path):
    daemon = begin(start, tmp_path)
    live(daemon)
    assert {s for _, s in traces(daemon.data)} - {"Allergie-Penicillin"}, "the test sees nothing"
    answer = daemon.call("DELETE", f"/v1/customers/user_id:{USER}")
    assert answer.status == 202, answer.body
    number = answer.json["customer"]
    assert daemon.get(f"/v1/customers/user_id:{USER}").status == 404
    assert daemon.get(f"/v1/customers/{number}").status == 404
    wait_until_erased(daemon)
    assert traces(daemon.data) == []
    assert entries_with_secrets(daemon) == []
    backup = tmp_path / "backup"
    assert daemon.post("/v1/backups", {"dir": str(backup)}).status == 201
    assert traces(backup) == []
    answer = daemon.post("/v1/verify", {})
    assert answer.json["ok"], answer.body
    assert daemon.stop() == 0
    assert traces(tmp_path / "data", backup) == []


def test_nobody_finds_her(start, tmp_path):
    daemon = begin(start, tmp_path)
    live(daemon)
    searches = [NAME, "quirren", "irrenb", CHINESE, "ouyang", EMAIL, PHONE, "912345", USER, ANON]
    for words in searches[:9]:
        assert len(found(daemon, words)) == 1, words
    daemon.call("DELETE", f"/v1/customers/user_id:{USER}")
    for words in searches:
        assert found(daemon, words) == [], words
    wait_until_erased(daemon)
    for words in searches:
        assert found(daemon, words) == [], words
    assert len(found(daemon, "Somebody 17")) >= 1


def test_the_stream_tells_no_more_of_her(start, tmp_path):
    daemon = begin(start, tmp_path)
    live(daemon)
    number = daemon.get(f"/v1/customers/user_id:{USER}").json["id"]
    listener = Stream(daemon)  # pieces are kept in memory for whoever is a little behind
    before = whole(daemon).events
    assert NAME in json.dumps(before) and number in [event.get("customer") for event in before]
    daemon.call("DELETE", f"/v1/customers/user_id:{USER}")
    wait_until_erased(daemon)
    after = whole(daemon).events
    assert number not in [event.get("customer") for event in after]
    text = json.dumps(after, ensure_ascii=False)
    assert [secret for secret in SECRETS if secret in text] == []
    assert len([event for event in after if event["type"] == "identify"]) == 300
    listener.until(end_of(daemon)).close()


def test_answers_that_were_kept_go_with_her(start, tmp_path):
    daemon = begin(start, tmp_path)
    live(daemon)
    headers = {"Idempotency-Key": "one"}
    note = {"traits": {"size": 4}}
    at = f"/v1/customers/user_id:{USER}"
    assert NAME in str(daemon.call("PATCH", at, note, headers=headers).json)
    assert traces(daemon.data / "answers")
    daemon.call("DELETE", at)
    wait_until_erased(daemon)
    assert traces(daemon.data / "answers") == []


def test_what_others_have_is_untouched(start, tmp_path):
    daemon = begin(start, tmp_path)
    live(daemon)
    before = [daemon.get(f"/v1/customers/user_id:u-{i}").json for i in range(20) if i != 8]
    rows = [len(daemon.timeline(f"user_id:u-{i}")) for i in range(20)]
    daemon.call("DELETE", f"/v1/customers/user_id:{USER}")
    wait_until_erased(daemon)
    assert before == [daemon.get(f"/v1/customers/user_id:u-{i}").json for i in range(20) if i != 8]
    assert rows == [len(daemon.timeline(f"user_id:u-{i}")) for i in range(20)]
    assert daemon.get("/v1/customers/user_id:u-8").json["relations"] == []
    assert len(daemon.get("/v1/reminders").json["items"]) == 1
    assert [e["type"] for e in daemon.timeline("user_id:u-7") if e.get("erased")] == ["Referred"]


def test_her_events_are_somebody_new(start, tmp_path):
    daemon = begin(start, tmp_path)
    live(daemon)
    daemon.call("DELETE", f"/v1/customers/user_id:{USER}")
    wait_until_erased(daemon)
    daemon.send(order(USER, "m-1", total=1200, note="again"))
    record = daemon.get(f"/v1/customers/user_id:{USER}").json
    assert record["traits"] == {"last_note": "again"}
    orders = [e for e in daemon.timeline(f"user_id:{USER}") if e["type"] == "Order Completed"]
    assert [e["data"]["note"] for e in orders] == ["again"]


def test_a_daemon_that_is_killed_goes_on_with_it(start, tmp_path):
    daemon = begin(start, tmp_path)
    live(daemon)
    daemon.call("DELETE", f"/v1/customers/user_id:{USER}")
    for wait in (0.0, 0.01, 0.03, 0.06, 0.1):
        time.sleep(wait)
        daemon.kill()
        daemon = start("--scripts", tmp_path / "rules")
    wait_until_erased(daemon)
    assert traces(daemon.data) == []
    assert daemon.post("/v1/verify", {}).json["ok"]


def test_only_an_admin_erases(start, tmp_path):
    daemon = begin(start, tmp_path)
    daemon.send(identify("u-1", {}))
    secret = daemon.call("PUT", "/v1/keys/clerk", {"scopes": ["staff"]}).json["secret"]
    headers = {"Authorization": "Bearer " + secret}
    path = "/v1/customers/user_id:u-1"
    assert daemon.call("DELETE", path, headers=headers).status == 403
    assert daemon.get(path + "/export", headers=headers).status == 200
    assert daemon.call("DELETE", "/v1/customers/user_id:nobody").status == 404
    assert daemon.call("DELETE", path).status == 202
    assert daemon.call("DELETE", path).status == 404


def test_an_export_has_everything(start, tmp_path):
    daemon = begin(start, tmp_path)
    live(daemon)
    for batch in range(3):
        visits = [
            {"type": "track", "event": "Visit", "userId": USER, "properties": {"n": n}}
            for n in range(200 * batch, 200 * batch + 200)
        ]
        assert not daemon.send(*visits)
    export = daemon.get(f"/v1/customers/user_id:{USER}/export").json
    text = json.dumps(export, ensure_ascii=False)
    for secret in SECRETS:
        assert secret in text, secret
    assert export["customer"]["consents"][0]["proof"] == f"form {NAME}"
    assert export["customer"]["ids"]["email"] == [EMAIL]
    events = [e for e in export["timeline"] if e["type"] == "Visit"]
    visits = [e["data"]["n"] for e in events if "n" in e["data"]]
    assert visits == list(range(599, -1, -1))
    assert [r["title"] for r in export["reminders"]] == ["Call " + NAME]
    assert [e["state"] for e in export["effects"]] == ["sent"]
    assert daemon.get("/v1/customers/user_id:nobody/export").status == 404


def test_the_command_erases_and_exports(start, tmp_path):
    daemon = begin(start, tmp_path)
    live(daemon)
    kith = attach(daemon)
    out = tmp_path / "export.json"
    kith("export", "user_id:" + USER, "--output", out)
    assert json.loads(out.read_text())["customer"]["traits"]["name"] == NAME
    assert kith.run("export", "user_id:" + USER, "--output", out)[0] == 1
    assert re.search(r"customer \d+ is erased", kith("erase", "user_id:" + USER, "--wait"))
    assert traces(daemon.data) == []
    assert kith.run("show", "user_id:" + USER)[0] == 1
    assert kith.json("erasures") == []


# -- Backup, restore, doctor -------------------------------------------------------------------


def test_a_backup_is_a_data_directory(start, tmp_path):
    daemon = begin(start, tmp_path)
    live(daemon)
    kith = attach(daemon)
    hash_before = daemon.get("/v1/state-hash").json
    assert "copied and checked" in kith("backup", tmp_path / "backup")
    assert kith.run("backup", tmp_path / "backup")[0] == 1  # it is there already
    daemon.send(order("u-9", "m-9", total=1))  # the daemon goes on
    kith("restore", tmp_path / "backup", "--data", tmp_path / "restored")
    code, _, err = kith.run("restore", tmp_path / "backup", "--data", tmp_path / "restored")
    assert code == 1 and "holds something" in err
    assert list((tmp_path / "restored").glob("*.epochs"))  # a message sent again has its links
    for path in (tmp_path / "restored").glob("links.*"):
        assert path.read_bytes() == (tmp_path / "data" / path.name).read_bytes()
    assert daemon.stop() == 0
    other = start(name="restored")
    assert other.key("admin") == daemon.key("admin")
    record = other.get(f"/v1/customers/user_id:{USER}").json
    assert record["traits"]["name"] == NAME
    assert other.post("/v1/verify", {}).json["ok"]
    assert hash_before["seq"] <= other.get("/v1/state-hash").json["seq"]


def test_a_backup_goes_on_while_events_come(start, tmp_path):
    daemon = begin(start, tmp_path)
    live(daemon)
    for i in range(5):
        daemon.post("/v1/batch", {"batch": [order("u-1", f"m-{i}-{n}") for n in range(400)]})
        answer = daemon.post("/v1/backups", {"dir": str(tmp_path / f"backup-{i}")})
        assert answer.status == 201, answer.body
        assert answer.json["state_seq"] <= answer.json["log_seq"]


def test_a_restore_refuses_what_does_not_belong_together(start, tmp_path):
    daemon = begin(start, tmp_path)
    live(daemon)
    kith = attach(daemon)
    kith("backup", tmp_path / "old")
    daemon.send(*[order("u-2", f"x-{n}") for n in range(50)])
    kith("backup", tmp_path / "new")
    daemon.call("DELETE", f"/v1/customers/user_id:{USER}")
    wait_until_erased(daemon)
    kith("backup", tmp_path / "erased")

    def mixed(name, state, log):
        folder = tmp_path / name
        (folder / "base").mkdir(parents=True)
        (tmp_path / state / "state").rename(folder / "state")
        (tmp_path / log / "log").rename(folder / "log")
        (folder / "backup.json").write_text("{}")
        return kith.run("restore", folder, "--data", tmp_path / (name + "-data"))

    code, _, err = mixed("ahead", "new", "old")
    assert code == 1 and "do not belong together" in err
    code, _, err = mixed("before", "old", "erased")
    assert code == 1 and ("were erased" in err or "No such file" in err), err
    code, _, err = kith.run("restore", tmp_path / "rules", "--data", tmp_path / "nothing")
    assert code == 1 and "no complete backup" in err
    assert not (tmp_path / "ahead-data").exists()
    code, _, err = kith.run("restore", tmp_path / "ahead", "--data", tmp_path / "ahead-data")
    assert code == 1 and "ahead-data.restore is what a restore has left" in err


def test_the_doctor_finds_what_is_the_matter(start, tmp_path):
    daemon = begin(start, tmp_path)
    live(daemon)
    kith = attach(daemon)
    code, out, _ = kith.run("doctor")
    assert code == 0 and "NOT" not in out, out
    (daemon.data / "write.key").chmod(0o644)
    code, out, _ = kith.run("doctor")
    assert code == 1 and re.search(r"NOT +write\.key", out), out
    checks = {c["name"]: c["ok"] for c in kith_json(kith)["checks"]}
    assert checks["admin.key"] and not checks["write.key"]


def kith_json(kith):
    return json.loads(kith.run("--json", "doctor")[1])


def test_a_bad_directory_for_a_backup_is_refused(daemon, tmp_path):
    assert daemon.post("/v1/backups", {"dir": "relative"}).status == 422
    assert daemon.post("/v1/backups", {}).status == 422
    assert daemon.post("/v1/backups", {"dir": str(tmp_path / "a" / "b")}).status == 503
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("x")
    assert daemon.post("/v1/backups", {"dir": str(tmp_path / "full")}).status == 409
