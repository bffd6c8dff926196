"""More of what a person types: ids of rows, pauses, notes with files, links, teams, retries."""
import base64
import hashlib
import socket
import threading

import pytest

from command import attach
from receiver import receiver, receivers
from test_command import write_csv
from test_webhook import wait_for

RULES = """
rule "thank" {
  on = "Order Completed",
  run = function(event, customer)
    customer:set("orders", (customer.orders or 0) + 1)
    send { channel = "log", purpose = "service", body = "thanks" }
  end,
}
"""


@pytest.fixture
def rules(tmp_path):
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "rules.lua").write_text(RULES)
    return folder


@pytest.fixture
def kith(start, rules):
    return attach(start("--scripts", rules))


# ---- Import: what makes a row itself ------------------------------------------------------


def test_a_customer_and_an_order_of_one_number_are_two_rows(kith, tmp_path):
    people = write_csv(tmp_path / "people.csv", [["no", "name"], ["17", "Ann"]])
    orders = write_csv(tmp_path / "orders.csv", [["no", "who", "name"], ["17", "17", "Ann"]])
    who = ("--id", "no", "--map", "name=traits.name")
    customers = (*who, "--map", "no=userId")
    bought = (*who, "--event", "Order Completed", "--map", "who=userId")
    for _ in range(2):
        kith("import", people, *customers)
        kith("import", orders, *bought)
        kith("import", orders, *who, "--event", "Order Returned", "--map", "who=userId")
    wanted = {
        "identify": {"identify:17", "Order Completed:17/identify", "Order Returned:17/identify"},
        "Order Completed": {"Order Completed:17"},
        "Order Returned": {"Order Returned:17"},
    }
    items = [item for item in kith.daemon.timeline("user_id:17") if item.get("messageId")]
    found = {kind: [i["messageId"] for i in items if i["type"] == kind] for kind in wanted}
    assert {kind: set(ids) for kind, ids in found.items()} == wanted
    assert all(len(ids) == len(set(ids)) for ids in found.values())
    assert kith.json("show", "user_id:17")[0]["traits"]["orders"] == 1


def test_a_changed_file_adds_only_rows_with_new_ids(kith, tmp_path):
    mapped = ("--event", "Order Completed", "--map", "who=userId", "--id", "no")
    path = write_csv(tmp_path / "orders.csv", [["no", "who"], ["1", "u"], ["2", "u"]])
    kith("import", path, *mapped)
    write_csv(path, [["no", "who"], ["3", "u"], ["2", "u"], ["1", "u"]])
    kith("import", path, *mapped)
    assert kith.json("show", "user_id:u")[0]["traits"]["orders"] == 3


def test_ids_that_were_sent_as_they_stand_are_known_again(kith, tmp_path):
    path = write_csv(tmp_path / "orders.csv", [["no", "who"], ["A-1", "u"]])
    mapped = ("--event", "Order Completed", "--map", "who=userId", "--map", "no=messageId")
    for _ in range(2):
        kith("import", path, *mapped)
    assert kith.json("show", "user_id:u")[0]["traits"]["orders"] == 1
    kith("import", path, *mapped[:4], "--id", "no")
    assert kith.json("show", "user_id:u")[0]["traits"]["orders"] == 2


def test_a_historic_replay_has_the_times_and_runs_no_rules(kith, tmp_path):
    path = write_csv(tmp_path / "orders.csv", [["who", "day"], ["u", "01.03.2026"], ["u", ""]])
    mapped = ("--event", "Order Completed", "--map", "who=userId")
    mapped += ("--map", "day=at:date(%d.%m.%Y)", "--replay", "--historic")
    code, out, err = kith.run("import", path, *mapped, "--dry-run")
    assert code == 0 and "1 row would be rejected" in out and "without it they are" in err
    assert kith.run("show", "user_id:u")[0] == 1
    kith("import", path, *mapped)
    shown = kith.json("show", "user_id:u")[0]
    assert shown["created"].startswith("2026-03-01") and "orders" not in shown["traits"]


# ---- Pauses ------------------------------------------------------------------------------


def order(kith, *users):
    sent = [{"type": "track", "userId": user, "event": "Order Completed"} for user in users]
    assert kith.daemon.send(*sent) == []


def test_a_paused_rule_is_passed_by_and_shown_with_the_reason(kith):
    assert "thank  Order Completed  active" in kith("rules")
    out = kith("pause", "rule", "thank", "--reason", "wrong price")
    assert out == "rule thank is paused: what happens passes it by\n"
    order(kith, "u-1")
    (rule,) = kith.json("rules")
    assert (rule["name"], rule["on"], rule["state"]) == ("thank", ["Order Completed"], "paused")
    assert rule["paused"]["reason"] == "wrong price" and rule["paused"]["by"] == "admin"
    assert "wrong price" in kith("rules")
    shown = kith.json("show", "user_id:u-1")[0]
    assert "orders" not in shown["traits"]
    assert 'rule "thank" is paused' in kith("timeline", "user_id:u-1")
    kith("resume", "rule", "thank")
    order(kith, "u-1")
    assert kith.json("show", "user_id:u-1")[0]["traits"]["orders"] == 1


def test_a_pause_of_a_rule_outlives_the_daemon_and_the_bundle(kith, start, rules):
    kith("pause", "rule", "thank")
    assert kith.daemon.stop() == 0
    kith = attach(start("--scripts", rules))
    (rules / "rules.lua").write_text('rule "big order" { on = "X", run = function() end }')
    kith("deploy", rules)
    states = {rule["name"]: (rule["state"], "trigger" in rule) for rule in kith.json("rules")}
    assert states == {"big order": ("active", True), "thank": ("paused", False)}
    assert "not in the bundle in force" in kith("rules")
    kith("pause", "rule", "big", "order")  # a name of several words needs no quotes
    kith("resume", "rule", "big order")
    assert kith.json("resume", "rule", "thank") == [{"name": "thank", "state": "active"}]
    code, _, err = kith.run("pause", "rule", "thank")
    assert code == 1 and 'no rule is called "thank"' in err


def test_what_a_rule_had_sent_waits_until_it_is_resumed(kith):
    kith("pause", "channel", "log")
    order(kith, "u-1", "u-2")
    kith("pause", "rule", "thank")
    kith("resume", "channel", "log")
    wait_for(lambda: kith.json("rules")[0]["waiting"] == 2)
    items = kith.soon("effects", "--state", "pending", count=2)
    assert {item["reason"] for item in items} == {'rule "thank" is paused'}
    kith("drop", items[0]["id"])
    kith("resume", "rule", "thank")
    kith.soon("effects", "--state", "sent", count=1)
    kith.soon("effects", "--state", "dropped", count=1)


def test_everything_is_paused_at_once_and_comes_back_as_it_was(kith, start, tmp_path, rules):
    kith.daemon.stop()
    config = tmp_path / "kith.lua"
    secret = tmp_path / "hook.secret"
    secret.write_text("whsec_" + base64.b64encode(bytes(32)).decode() + "\n")
    config.write_text('channel "log" {}\n' + receivers(receiver("more", 9)))
    kith = attach(start("--config", config, "--scripts", rules))
    kith("pause", "channel", "more", "--reason", "by itself")
    out = kith("pause", "--all", "--reason", "fire")
    assert out == "nothing goes out any more: messages wait until they expire\n"
    states = {item["name"]: item for item in kith.json("channels")}
    assert {item["state"] for item in states.values()} == {"paused"}
    assert states["log"]["paused"]["reason"] == "fire"
    assert states["more"]["paused"]["reason"] == "by itself"
    order(kith, "u-1")
    assert [item["state"] for item in kith.soon("effects", count=1)] == ["pending"]
    assert "paused as all are" in kith("resume", "channel", "log")
    kith("resume", "--all")
    states = {item["name"]: item["state"] for item in kith.json("channels")}
    assert states == {"log": "active", "more": "paused"}
    kith.soon("effects", "--state", "sent", count=1)


@pytest.mark.parametrize(
    "words, said",
    [
        (("pause",), "what is to be paused?"),
        (("resume",), "what is to be resumed?"),
        (("pause", "everything"), '"everything" is one word too many'),
        (("pause", "--all", "channel", "log"), '"channel" is one word too many'),
        (("pause", "rule"), "NAME... is missing"),
    ],
)
def test_a_pause_says_what_of(kith, words, said):
    code, out, err = kith.run(*words)
    assert (code, out) == (2, "") and said in err


def test_only_an_admin_pauses(kith):
    kith.env["KITH_KEY"] = kith("key", "add", "clerk").strip()
    for words in (("rule", "thank"), ("channel", "log"), ("--all",)):
        code, _, err = kith.run("pause", *words)
        assert code == 1 and "may not" in err
    assert kith.json("rules")[0]["state"] == "active"


# ---- A line that breaks ---------------------------------------------------------------------


class BadLine:
    """Stands before the daemon; answers to calls that change something get lost `losses` times."""

    def __init__(self, port):
        self.port, self.losses, self.lost = port, 0, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            with client:
                self.one(client)

    def one(self, client):
        reader = client.makefile("rb")
        while line := reader.readline():
            head = [line]
            while (line := reader.readline()) not in (b"\r\n", b""):
                head.append(line)
            fields = dict(item.lower().split(b":", 1) for item in head[1:])
            body = reader.read(int(fields.get(b"content-length", 0)))
            answer = self.ask(head, body)
            if not head[0].startswith(b"GET") and len(self.lost) < self.losses:
                self.lost.append(fields.get(b"idempotency-key", b"").strip())
                return
            client.sendall(answer)

    def ask(self, head, body):
        with socket.create_connection(("127.0.0.1", self.port)) as line:
            line.sendall(b"".join(head) + b"Connection: close\r\n\r\n" + body)
            return b"".join(iter(lambda: line.recv(65536), b""))

    def close(self):
        self.listener.close()


@pytest.fixture
def line(kith):
    line = BadLine(kith.daemon.port)
    kith.env["KITH_URL"] = line.url
    yield line
    line.close()


def test_what_was_done_and_not_answered_is_not_done_twice(kith, line):
    order(kith, "u-1")
    line.losses = 2
    code, out, err = kith.run("note", "user_id:u-1", "asked", "for", "tea")
    assert code == 0 and "customer 1" in out
    assert err == "kith: no answer came: asking again, which does nothing twice\n"
    assert len(line.lost) == 2 and len(set(line.lost)) == 1 and len(line.lost[0]) == 32
    assert kith("timeline", "1").count("asked for tea") == 1
    line.losses = 3
    kith("remind", "1", "Call", "--due", "3d")
    assert line.lost[2] != line.lost[0]  # each command has a key of its own
    assert len(kith.soon("reminders", count=1)) == 1


def test_a_rollback_goes_back_once_whatever_happens_to_its_answer(kith, line, rules):
    bundles = []
    for name in ("one", "two", "three"):
        (rules / "rules.lua").write_text(f'rule "{name}" {{ on = "X", run = function() end }}')
        bundles.append(kith.json("deploy", rules)[0]["hash"])
    line.losses = 1
    assert kith.json("rollback")[0]["hash"] == bundles[1]
    assert [rule["name"] for rule in kith.json("rules")] == ["two"]
    again = kith.daemon.post("/v1/bundles/rollback", {"from": bundles[2]})
    assert again.status == 409 and bundles[1] in again.json["detail"]
    assert kith.json("rollback")[0]["hash"] == bundles[0]


def test_a_daemon_that_is_not_there_is_not_asked_again(kith):
    kith.daemon.stop()
    code, out, err = kith.run("note", "1", "hello")
    assert (code, out) == (3, "") and "again" not in err


# ---- Notes with files, files, links -----------------------------------------------------------


PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 300


def test_a_note_takes_its_files_along(kith, tmp_path):
    order(kith, "u-1")
    (tmp_path / "broken cup.png").write_bytes(PICTURE)
    (tmp_path / "letter.txt").write_text("Dear all")
    paths = ("--file", tmp_path / "broken cup.png", "--file", tmp_path / "letter.txt")
    kith("note", "user_id:u-1", "it", "broke", *paths)
    note = kith.daemon.timeline("user_id:u-1")[0]
    assert note["type"] == "Note" and note["data"]["text"] == "it broke"
    files = {item["name"]: item["hash"] for item in note["data"]["files"]}
    assert set(files) == {"broken cup.png", "letter.txt"}
    assert kith("file", "get", files["letter.txt"]) == "Dear all"
    kith("file", "get", files["broken cup.png"], "--output", tmp_path / "back.png")
    assert (tmp_path / "back.png").read_bytes() == PICTURE
    answer = kith.daemon.get("/v1/files/" + files["broken cup.png"])
    assert answer.headers["Content-Type"] == "image/png"


def test_a_note_names_files_that_were_put(kith):
    order(kith, "u-1")
    for files in ([{"name": "x.png"}], [{"hash": "00"}], [{"hash": "0" * 64}] * 65):
        answer = kith.daemon.post("/v1/customers/1/notes", {"text": "hm", "files": files})
        assert answer.status == 422 and answer.json["detail"].startswith('"files": at most 64')
    assert [item for item in kith.daemon.timeline("1") if item["type"] == "Note"] == []


def test_a_file_is_put_and_got_by_its_hash(kith, tmp_path):
    path = tmp_path / "voice"
    path.write_bytes(PICTURE)
    hash = kith("file", "put", path, "--type", "audio/ogg").strip()
    assert hash == hashlib.blake2b(PICTURE, digest_size=32).hexdigest()
    assert kith.json("file", "put", path) == [{"hash": hash, "size": len(PICTURE)}]
    assert kith.daemon.get(f"/v1/files/{hash}").headers["Content-Type"] == "audio/ogg"
    code, _, err = kith.run("file", "get", hash, "--output", path)
    assert code == 1 and f"{path}: File exists; name a file" in err and path.read_bytes() == PICTURE
    code, out, err = kith.run("file", "get", "0" * 64, "--output", tmp_path / "none")
    assert (code, out) == (1, "") and err.startswith("kith: ")
    assert not (tmp_path / "none").exists()


def test_what_is_no_file_is_not_put(kith, tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    with open(tmp_path / "large", "wb") as file:
        file.truncate((8 << 20) + 1)
    for name, said in (
        ("none", "cannot read"),
        ("empty", "is empty"),
        ("large", "larger than a file may be (8 MiB)"),
        ("", "Is a directory"),
    ):
        code, out, err = kith.run("file", "put", tmp_path / name)
        assert (code, out) == (1, "") and said in err
    order(kith, "u-1")
    assert kith.run("note", "1", "hello", "--file", tmp_path / "none")[0] == 1
    assert [item for item in kith.daemon.timeline("1") if item["type"] == "Note"] == []
    assert kith.run("file", "put", tmp_path / "empty", "--type", "nonsense")[0] == 2


def follow(kith, url):
    path = url[url.index("/v1/") :]
    return kith.daemon.post(path, b"", key=None).status


def test_a_link_appends_its_event(kith):
    order(kith, "u-1")
    words = ("--event", "Rated", "--data", '{"rating": 5}', "--title", "How was it?")
    url = kith("link", "user_id:u-1", *words, "--expires", "7d").strip()
    assert follow(kith, url) == 200 and follow(kith, url) == 200
    rated = [item for item in kith.daemon.timeline("1") if item["type"] == "Rated"]
    assert [item["data"] for item in rated] == [{"rating": 5}]


def test_a_link_grants_and_withdraws_a_consent(kith):
    order(kith, "u-1")
    for option, state in (("--grant", "granted"), ("--unsubscribe", "withdrawn")):
        answer = kith.json("link", "1", option, "news/email")[0]
        assert set(answer) == {"url", "expires"} and follow(kith, answer["url"]) == 200
        consents = kith.json("show", "1")[0]["consents"]
        assert [(c["purpose"], c["state"]) for c in consents] == [("news", state)]


@pytest.mark.parametrize(
    "words, said",
    [
        ((), "One of --event, --grant, --unsubscribe"),
        (("--event", "A", "--grant", "news/email"), "One of --event"),
        (("--grant", "news"), "--grant is PURPOSE/CHANNEL"),
        (("--event", "A", "--data", "[1]"), "--data is a JSON object"),
        (("--event", "A", "--expires", "soon"), "--expires: "),
    ],
)
def test_a_link_is_for_one_thing(kith, words, said):
    order(kith, "u-1")
    code, out, err = kith.run("link", "1", *words)
    assert (code, out) == (2, "") and said in err


# ---- The timeline as it was, teams -----------------------------------------------------------


def test_the_timeline_as_of_a_day_has_what_had_happened_then(kith):
    batch = [
        {"type": "track", "userId": "u", "event": f"E{n}", "timestamp": f"2024-0{n}-10T12:00:00Z"}
        for n in (1, 3, 2, 4)
    ]
    answer = kith.daemon.post("/v1/import?wait=applied", {"batch": batch})
    assert answer.json == {"success": True}

    def types(*words):
        items = kith.json("timeline", "user_id:u", *words)
        return [item["type"] for item in items if item["type"].startswith("E")]

    assert types() == ["E4", "E2", "E3", "E1"]
    assert types("--as-of", "2024-03-10") == ["E2", "E3", "E1"]
    assert types("--as-of", "2024-03-10T11:59:59Z") == ["E2", "E1"]
    assert types("--as-of", "2024-02-10", "--limit", "1") == ["E2"]
    assert types("--as-of", "2023-01-01") == []
    first = kith.daemon.get("/v1/customers/1/timeline?as_of=2024-03-10&limit=1").json
    assert first["next"] is not None
    path = f"/v1/customers/1/timeline?as_of=2024-03-10&limit=9&after={first['next']}"
    rest = [item["type"] for item in kith.daemon.get(path).json["items"]]
    assert ([first["items"][0]["type"]] + rest) == ["E2", "E3", "E1"]
    code, _, err = kith.run("timeline", "1", "--as-of", "whenever")
    assert code == 2 and err.startswith("kith: --as-of: ")


def test_the_record_as_of_a_day_has_relations(kith):
    order(kith, "ann", "bob")
    relate = {"type": "employee", "other": "user_id:bob", "until": "2999-01-01"}
    assert kith.daemon.post("/v1/customers/1/relations", relate).status == 200
    for day, wanted in (("2998-12-31", [("employee", 2)]), ("2999-01-01", [])):
        relations = kith.json("show", "1", "--as-of", day)[0]["relations"]
        assert [(item["type"], item["id"]) for item in relations] == wanted


def test_teams_are_made_of_who_belongs_to_them(kith):
    assert kith("--json", "team") == ""
    kith("staff", "add", "anna", "--team", "sales")
    kith("staff", "add", "ben", "--team", "sales")
    body = {"teams": ["care", "sales"], "title": "Zoë"}
    assert kith.daemon.call("PUT", "/v1/staff/zoe", body).status == 200
    body = {"members": ["anna", "zoe"]}
    assert kith.daemon.call("PUT", "/v1/staff/care", body).status == 200
    teams = {team["name"]: set(team["members"]) for team in kith.json("team")}
    assert teams == {"sales": {"anna", "ben", "zoe"}, "care": {"anna", "zoe"}}
    assert "sales  anna, ben, zoe" in kith("team")
