"""The command `kith` as people and scripts use it, against a real daemon."""
import csv
import fcntl
import http.server
import json
import os
import pathlib
import pty
import random
import re
import signal
import struct
import subprocess
import termios
import threading
import time

import pytest

from command import Kith, attach
from conftest import BUILD, ROOT

RULES = """
rule "count" {
  on = "Order Completed",
  run = function(event, customer)
    customer:set("orders", (customer.orders or 0) + 1)
    customer:set("revenue", (customer.revenue or 0) + (event.total or 0))
    if (event.total or 0) >= 1000 then
      remind { title = "Thank them", to = "anna", due = "1wd" }
      send { channel = "log", purpose = "service", body = "thanks" }
    end
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
    daemon = start("--scripts", rules)
    return attach(daemon)


def write_csv(path, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def orders(path, count, customers=20):
    """A file of orders, and what each customer must have at the end."""
    dice = random.Random(1)
    wanted = {}
    rows = [["customer", "day", "sum"]]
    for number in range(count):
        who, total = f"c-{number % customers}", dice.randint(1, 99)
        rows.append([who, f"{1 + number % 28:02}.03.2026", total])
        orders_before, revenue = wanted.get(who, (0, 0))
        wanted[who] = (orders_before + 1, revenue + total)
    return write_csv(path, rows), wanted


MAPPED = [
    "--event",
    "Order Completed",
    "--map",
    "customer=userId",
    "--map",
    "day=at:date(%d.%m.%Y)",
    "--map",
    "sum=total:number",
]


def check_orders(kith, wanted):
    for who, (count, revenue) in wanted.items():
        traits = kith.json("show", "user_id:" + who)[0]["traits"]
        assert (traits["orders"], traits["revenue"]) == (count, revenue), who


# ---- Usage -----------------------------------------------------------------------------


def test_exit_codes_tell_what_kind_of_failure_it_was(kith):
    nobody = Kith("http://127.0.0.1:1", "x")
    assert kith.run("show", "999")[0] == 1
    assert kith.run("shwo", "1")[0] == 2
    assert nobody.run("show", "1")[0] == 3
    assert kith.run("--version")[0] == 0
    code, out, err = nobody.run("reminders")
    assert out == "" and "http://127.0.0.1:1 is not reachable" in err


def test_problems_are_told_in_words_and_as_json_only_to_who_asked(kith):
    code, out, err = kith.run("show", "999")
    assert (code, out, err) == (1, "", "kith: no such customer: 999\n")
    code, out, err = kith.run("--json", "show", "999")
    assert code == 1 and out == "" and json.loads(err)["status"] == 404


def test_without_a_key_it_says_what_to_set(kith, tmp_path):
    del kith.env["KITH_KEY"]
    code, _, err = kith.run("reminders")
    assert code == 2 and "KITH_KEY" in err and "--key-file" in err
    kith("reminders", "--key-file", kith.daemon.data / "admin.key")
    (tmp_path / "wrong.key").write_text("nonsense\n")
    code, _, err = kith.run("reminders", "--key-file", tmp_path / "wrong.key")
    assert code == 1 and "KITH_KEY" in err
    assert kith.run("reminders", "--key-file", tmp_path / "none")[0] == 2


@pytest.mark.parametrize(
    "words, last, offered",
    [
        ([], "ti", "timeline"),
        (["staff"], "", "add list show absent back remove"),
        (["consent", "42"], "wi", "withdraw"),
        (["import"], "--re", "--rejected --replay"),
        (["help"], "rem", "reminders remind"),
        (["show"], "--ke", "--key-file"),
    ],
)
def test_bash_completes_from_the_same_table(words, last, offered):
    script = subprocess.run(
        [BUILD / "kith", "completion"], capture_output=True, text=True, check=True
    ).stdout
    line = " ".join(f"'{word}'" for word in ["kith", *words, last])
    script += (
        f"COMP_WORDS=({line}); COMP_CWORD={len(words) + 1}; _kith\n" 'echo "${COMPREPLY[*]}"\n'
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (offered + "\n", "")


# ---- A clerk's day ------------------------------------------------------------------------


def test_a_clerks_day(kith):
    kith.daemon.send(
        {"type": "identify", "userId": "u-1", "traits": {"name": "王小明"}},
        {"type": "identify", "userId": "u-2", "traits": {"name": "Ann"}},
    )
    shown = kith("show", "user_id:u-1")
    assert "王小明" in shown and "user_id  u-1" in shown
    kith("assign", "user_id:u-1", "anna")
    assert kith.json("show", "1")[0]["owner"] == "anna"
    kith("note", "1", "asked", "for", "the catalogue")
    assert "asked for the catalogue" in kith("timeline", "1")

    task = kith.json("remind", "1", "Send", "it", "--due", "3d", "--note", "the new one")[0]
    assert (task["title"], task["assignee"], task["note"]) == ("Send it", "anna", "the new one")
    assert kith.soon("reminders", "--to", "anna", count=1)[0]["id"] == task["id"]
    assert kith.json("reminders", "--due", "today") == []
    later = kith.json("snooze", task["id"], "5d")[0]
    assert later["civil"] == "5d"
    assert later["due"] > task["due"]
    done = kith.json("done", task["id"], "--outcome", "sent", "--next", "14d")[0]
    assert done["outcome"] == "sent"
    assert kith.run("done", task["id"])[0] == 1

    kith("consent", "1", "grant", "newsletter/email", "--proof", "letter of 3 March")
    consent = kith.json("show", "1")[0]["consents"][0]
    assert (consent["state"], consent["proof"]) == ("granted", "letter of 3 March")
    kith("consent", "1", "withdraw", "newsletter/email")
    assert kith.json("show", "1")[0]["consents"][0]["state"] == "withdrawn"

    kith("merge", "1", "user_id:u-2")
    assert kith.json("show", "user_id:u-2")[0]["id"] == 1
    kith("unmerge", "2")
    assert kith.json("show", "user_id:u-2")[0]["id"] == 2


def test_why_there_was_a_message(kith):
    kith.daemon.send(
        {
            "type": "track",
            "userId": "u-1",
            "event": "Order Completed",
            "properties": {"total": 1500},
        }
    )
    effect = kith.soon("effects", "--state", "sent", count=1)[0]
    assert effect["channel"] == "log"
    told = kith("explain", effect["id"])
    assert 'The rule "count"' in told and "Order Completed" in told
    assert kith("explain", effect["id"].split(".")[0])
    assert "Thank them" in kith("reminders")
    assert kith.json("effects", "--held") == []
    assert kith.run("release", effect["id"])[0] == 1


# ---- An admin's day -------------------------------------------------------------------------


def test_staff_and_keys(kith):
    kith("staff", "add", "anna", "--name", "Anna Berg", "--team", "shop")
    secret = kith("key", "add", "desk", "--as", "anna", "--scope", "staff").strip()
    assert re.fullmatch(r"\S+", secret)
    desk = Kith(kith.env["KITH_URL"], secret)
    kith.daemon.send({"type": "identify", "userId": "u-1"})
    desk("note", "1", "hello")
    assert kith.json("timeline", "1")[0]["by"] == "anna"
    code, _, err = desk.run("key", "add", "other")
    assert code == 1 and "{" not in err


def test_scripts_are_deployed_listed_and_taken_back(kith, rules):
    first = kith.json("bundles")[0]["hash"]
    (rules / "more.lua").write_text('rule "x" { on = "X", run = function() end }\n')
    assert kith("deploy", rules).startswith("in force: ")
    assert kith.json("bundles")[0]["hash"] != first
    (rules / "more.lua").write_text("rule 5\n")
    code, out, err = kith.run("deploy", rules)
    assert code == 1 and "more.lua:1:" in err and "{" not in err
    kith("rollback")
    assert kith.json("bundles")[0]["hash"] == first
    code, _, err = kith.run("deploy", rules / "nothing")
    assert code == 1 and "nothing" in err


def test_the_state_is_what_the_log_says(kith):
    kith.daemon.send({"type": "identify", "userId": "u-1"})
    assert kith("verify").startswith("ok: ")
    (report,) = kith.json("verify")
    assert report["hash"] == report["fresh"] == kith.json("state-hash")[0]["hash"]
    kith("clock", "accept")


# ---- Output ---------------------------------------------------------------------------------


def at_terminal(kith, *words):
    """What a person sees in a terminal of 60 columns."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(BUILD / "kith", ["kith", *words], dict(kith.env, TERM="xterm"))
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    seen = b""
    try:
        while data := os.read(fd, 4096):
            seen += data
    except OSError:
        pass
    os.close(fd)
    os.waitpid(pid, 0)
    return seen.decode()


def test_a_terminal_gets_colours_and_local_times_and_a_pipe_plain_text(kith):
    kith.daemon.send({"type": "identify", "userId": "u-1", "traits": {"name": "王小明\x1b[2J"}})
    kith("remind", "1", "Call", "--due", "2026-12-01T20:00:00Z", "--to", "anna")
    kith.soon("reminders", count=1)
    plain = kith("reminders")
    assert "2026-12-01T20:00:00.000Z" in plain
    assert "\t" not in plain and "\x1b" not in plain
    seen = at_terminal(kith, "reminders")
    assert "2026-12-02 04:00" in seen and "\x1b[1m" in seen
    for word in (kith("show", "1"), at_terminal(kith, "show", "1")):
        assert "王小明 [2J" in word


# ---- Import -----------------------------------------------------------------------------------


def test_running_an_import_twice_adds_nothing(kith, tmp_path):
    path, wanted = orders(tmp_path / "orders.csv", 1200)
    assert "1200 rows, 1200 events sent" in kith("import", path, *MAPPED)
    check_orders(kith, wanted)
    kith("import", path, *MAPPED)
    check_orders(kith, wanted)
    copy = tmp_path / "another name.csv"
    copy.write_bytes(path.read_bytes())
    kith("import", copy, *MAPPED)
    check_orders(kith, wanted)


def test_an_import_killed_half_way_is_run_again_and_nothing_is_there_twice(kith, tmp_path):
    path, wanted = orders(tmp_path / "orders.csv", 60000)
    killed = 0
    for _ in range(3):
        with kith.begin("import", path, *MAPPED) as process:
            before = accepted(kith)
            while process.poll() is None and accepted(kith) <= before + 500 * (killed + 1):
                pass
            killed += process.poll() is None
            process.kill()
            process.communicate()
    assert killed, "it was never killed in the middle"
    kith("import", path, *MAPPED)
    check_orders(kith, wanted)


def accepted(kith):
    """Events taken in so far: one quick question, so that an import cannot end meanwhile."""
    text = kith.daemon.get("/metrics").body.decode()
    return int(re.search(r"^kith_events_accepted_total (\d+)", text, re.M).group(1))


def counted(kith, wanted):
    for who in wanted:
        answer = kith.daemon.get("/v1/customers/user_id:" + who)
        traits = answer.json["traits"] if answer.status == 200 else {}
        yield traits.get("orders", 0), traits.get("revenue", 0)


def test_a_daemon_that_dies_during_an_import_is_not_reachable(kith, tmp_path):
    path, wanted = orders(tmp_path / "orders.csv", 60000)
    with kith.begin("import", path, *MAPPED) as process:
        while process.poll() is None and accepted(kith) < 500:
            pass
        kith.daemon.kill()
        _, err = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "run the same command again" in err


def test_ctrl_c_ends_an_import_between_two_batches_and_says_how_to_go_on(kith, tmp_path):
    path, wanted = orders(tmp_path / "orders.csv", 60000)
    with kith.begin("import", path, *MAPPED) as process:
        while process.poll() is None and accepted(kith) < 500:
            pass
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "run the same command again" in err


def test_rejected_rows_are_kept_with_their_reasons(kith, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text('No;Name;Sum\n1;Ann;1,5\n2;"Bob"x;2\n3;"Eve\n4;Dan;x\n5;Fay\n6;"Li; Na";3\n')
    words = [
        "import",
        path,
        "--delimiter",
        ";",
        "--map",
        "No=userId",
        "--map",
        "Name=name",
        "--map",
        "Sum=sum:number(de)",
    ]
    assert "4 rows rejected" in kith(*words)
    assert pathlib.Path(f"{path}.rejected").read_text().splitlines() == [
        '"rejected_because";No;Name;Sum',
        '"line 3: text behind a closing quote";2;"Bob"x;2',
        '"line 4: text behind a closing quote";3;"Eve',
        '"line 5: Sum: ""x"" is no number of this locale";4;Dan;x',
        '"line 6: 2 columns instead of 3";5;Fay',
    ]
    assert kith.json("show", "user_id:6")[0]["traits"] == {"name": "Li; Na", "sum": 3}
    assert kith.json("show", "user_id:1")[0]["traits"]["sum"] == 1.5
    assert kith.run("show", "user_id:4")[0] == 1
    path.write_text("No;Name;Sum\n1;Ann;1,5\n")
    kith(*words)
    assert not os.path.exists(str(path) + ".rejected")


def test_rows_that_the_daemon_refuses_are_rejected_too(kith, tmp_path):
    path = tmp_path / "calls.ndjson"
    path.write_text(
        '{"type":"track","userId":"u-1","event":"A"}\n'
        '{"type":"track","userId":"u-1"}\n'
        "not json\n"
        '{"type":"identify","userId":"u-1","traits":{"n":1}}\n'
    )
    assert "2 rows rejected" in kith("import", path)
    lines = pathlib.Path(f"{path}.rejected").read_text().splitlines()
    reasons = [json.loads(line)["rejected_because"] for line in lines[::2]]
    assert lines[1::2] == ["not json", '{"type":"track","userId":"u-1"}']
    assert reasons[0].startswith("line 3: ") and "an object expected" in reasons[0]
    assert reasons[1].startswith("line 2: ") and "event is missing" in reasons[1]
    assert "line" not in reasons[0][len("line") :]
    kith("import", path)
    assert [item["type"] for item in kith.json("timeline", "user_id:u-1")].count("A") == 1


def test_a_dry_run_sends_and_writes_nothing(kith, tmp_path):
    path, _ = orders(tmp_path / "orders.csv", 10)
    path.write_text(path.read_text() + "c-1,40.03.2026,5\n")
    before = kith.json("state-hash")[0]["seq"]
    code, out, err = kith.run("import", path, *MAPPED, "--dry-run")
    assert code == 0 and "10 Order Completed" in out and "1 row would be rejected" in out
    assert "from 2026-03-01T00:00:00.000Z to 2026-03-10T00:00:00.000Z" in out
    assert "line 12:" in err
    assert kith.json("state-hash")[0]["seq"] == before
    assert not os.path.exists(str(path) + ".rejected")
    (report,) = kith.json("import", path, *MAPPED, "--dry-run")
    assert (report["rows"], report["events"], report["rejected"]) == (11, 10, 1)


def test_a_replay_goes_in_order_of_time_and_at_its_time(kith, tmp_path):
    path = write_csv(
        tmp_path / "orders.csv",
        [
            ["customer", "day", "sum"],
            ["c-1", "03.03.2020", 3],
            ["c-1", "01.03.2020", 1],
            ["c-2", "02.03.2020", 2],
            ["c-1", "02.03.2020", 2],
            ["c-1", "", 9],
        ],
    )
    assert "1 row rejected" in kith("import", path, *MAPPED, "--replay", "--zone", "UTC")
    items = [
        item for item in kith.json("timeline", "user_id:c-1") if item["type"] == "Order Completed"
    ]
    assert [item["data"]["total"] for item in items] == [3, 2, 1]
    assert all(item["logged"] == item["at"] for item in items)


def test_words_between_blanks_and_files_without_a_header(kith, tmp_path):
    path = tmp_path / "cdnow.txt"
    path.write_text(" 00004 0001 19970101  2   29.33\n 00004 0001 19970118  2   29.73\n")
    kith(
        "import",
        path,
        "--delimiter",
        "space",
        "--columns",
        "master,id,date,cds,dollars",
        "--map",
        "master=userId",
        "--map",
        "date=at:date(%Y%m%d)",
        "--map",
        "cds=cds:number",
        "--map",
        "dollars=total:number",
        "--event",
        "Purchase",
        "--zone",
        "America/New_York",
    )
    first = kith.json("timeline", "user_id:00004")[0]
    assert first["data"] == {"cds": 2, "total": 29.73}
    assert first["at"] == "1997-01-18T05:00:00.000Z"


def test_chinese_encodings_are_noticed_and_said(kith, tmp_path):
    path = tmp_path / "names.csv"
    path.write_bytes("userId,name,phone\nu-1,王小明,138 0013 8000\n".encode("gb18030"))
    code, _, err = kith.run(
        "import",
        path,
        "--map",
        "userId=userId",
        "--map",
        "name=name",
        "--map",
        "phone=phone:phone(CN)",
    )
    assert code == 0 and "GB18030" in err
    (record,) = kith.json("show", "phone:+8613800138000")
    assert record["traits"]["name"] == "王小明"
    path.write_bytes("\ufeffuserId,name\nu-2,李芳\n".encode())
    assert kith.run("import", path)[2] == ""
    assert kith.json("show", "user_id:u-2")[0]["traits"]["name"] == "李芳"


def test_people_without_a_number_are_found_by_their_address(kith, tmp_path):
    kith.daemon.send({"type": "identify", "userId": "u-1", "traits": {"email": "ann@b.example"}})
    path = write_csv(
        tmp_path / "list.csv",
        [["email", "city", "news"], ["Ann@B.example", "Bonn", "yes"], ["bob@b.example", "Ulm", ""]],
    )
    kith(
        "import",
        path,
        "--map",
        "email=email",
        "--map",
        "city=city",
        "--map",
        "news=consent:newsletter/email",
    )
    (record,) = kith.json("show", "user_id:u-1")
    assert record["traits"]["city"] == "Bonn"
    assert record["consents"][0]["state"] == "granted"
    assert kith.json("show", "email:bob@b.example")[0]["traits"]["city"] == "Ulm"


class Busy(http.server.BaseHTTPRequestHandler):
    """A daemon that is busy twice."""

    answers = [(503, "1"), (429, "1"), (200, None)]
    bodies = []

    def do_POST(self):
        status, wait = Busy.answers[len(Busy.bodies)]
        Busy.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        body = b'{"success":true}' if status == 200 else b'{"detail":"replaying"}'
        self.send_response(status)
        if wait:
            self.send_header("Retry-After", wait)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_a_busy_daemon_is_waited_for(tmp_path):
    server = http.server.HTTPServer(("127.0.0.1", 0), Busy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    path = write_csv(tmp_path / "list.csv", [["userId"], ["u-1"]])
    began = time.monotonic()
    code, _, err = Kith(f"http://127.0.0.1:{server.server_port}", "x").run("import", path)
    server.shutdown()
    assert code == 0 and err == "kith: waiting for the daemon, which is asked again: replaying\n"
    assert time.monotonic() - began >= 2
    assert len(Busy.bodies) == 3 and len(set(Busy.bodies)) == 1


# ---- What an admin and a clerk tripped over ------------------------------------------------


FIRST_RULE = re.search(
    r"^(rule \"thank.*?^}\n)", (ROOT / "README.md").read_text(), re.S | re.M
).group(1)


def test_the_readmes_first_rule_does_what_the_readme_says_at_once(kith, tmp_path):
    rules = tmp_path / "first"
    rules.mkdir()
    (rules / "orders.lua").write_text(FIRST_RULE)
    assert re.fullmatch(
        r"in force: [0-9a-f]{64} since entry \d+: 1 file, 1 rule\n", kith("deploy", rules)
    )
    for body in (
        {"type": "identify", "userId": "u-1", "traits": {"name": "王小明"}},
        {
            "type": "track",
            "userId": "u-1",
            "event": "Order Completed",
            "messageId": "m-1",
            "properties": {"total": 1200},
        },
    ):
        assert kith.daemon.post("/v1/batch", {"batch": [body]}, key="write").status == 200
    seen = kith("reminders").splitlines()
    assert seen[0].split()[:4] == ["id", "due", "assignee", "customer"]
    assert "Thank them by phone" in seen[1] and "王小明" in seen[1]


def test_a_list_holds_everything_that_was_acknowledged_before(kith):
    kith.daemon.send({"type": "identify", "userId": "u-1"})
    for number in range(1, 8):
        kith("remind", "1", "Call", "--due", "3d", "--to", "anna")
        assert len(kith.json("reminders")) == number
    for left in range(6, -1, -1):
        kith("done", 7 - left)
        assert len(kith.json("reminders")) == left
    assert len(kith.json("reminders", "--state", "done")) == 7
    assert kith("reminders").split()[:2] == ["id", "due"]


def test_a_folder_without_scripts_is_not_deployed(kith, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.md").write_text("nothing\n")
    before = kith.json("bundles")
    code, _, err = kith.run("deploy", tmp_path / "empty")
    assert code == 1 and "no .lua file" in err
    answer = kith.daemon.post("/v1/bundles", {"files": {"notes.md": "nothing"}})
    assert answer.status == 422 and "no .lua file" in answer.json["detail"]
    assert kith.json("bundles") == before


def test_a_folder_that_cannot_be_read_is_told_with_the_reason_first(kith, tmp_path):
    loop = tmp_path / "loop"
    loop.mkdir()
    (loop / "again").symlink_to(loop)
    code, _, err = kith.run("deploy", loop)
    assert code == 1 and err.startswith("kith: Too many levels of symbolic links: ")


def test_a_customers_reminders_are_filtered_too(kith):
    kith.daemon.send({"type": "identify", "userId": "u-1"}, {"type": "identify", "userId": "u-2"})
    for to, due in (("anna", "1d"), ("bob", "2d"), ("anna", "9d")):
        kith("remind", "1", to + due, "--due", due, "--to", to)
    kith("remind", "2", "other", "--due", "1d", "--to", "anna")
    kith("done", "2")

    def titles(*words):
        return sorted(item["title"] for item in kith.json("reminders", "--customer", "1", *words))

    assert titles() == ["anna1d", "anna9d"]
    assert titles("--to", "bob") == []
    assert titles("--due", "3d") == ["anna1d"]
    assert titles("--state", "done") == ["bob2d"]
    assert titles("--state", "all", "--to", "anna") == ["anna1d", "anna9d"]
    assert kith.run("reminders", "--customer", "9", "--state", "all")[0] == 1


@pytest.mark.parametrize(
    "words, said",
    [
        (["reminders", "--state", "foo"], "--state foo: one of open|done|all"),
        (["effects", "--state", "foo"], "--state foo: one of pending|"),
        (["reminders", "--due", "soon"], '--due: "soon" is no time'),
        (["remind", "1", "Call", "--due", "soon"], '--due: "soon" is no time'),
        (["snooze", "1", "later"], 'WHEN: "later" is no time'),
        (["done", "1", "--next", "soon"], '--next: "soon" is no time'),
    ],
)
def test_a_wrong_value_is_wrong_usage_and_names_the_option(kith, words, said):
    kith.daemon.send({"type": "identify", "userId": "u-1"})
    kith("remind", "1", "Call", "--due", "3d", "--to", "anna")
    code, _, err = kith.run(*words)
    assert code == 2 and err.startswith("kith: " + said), err


def test_how_a_customer_is_written_is_told_to_who_does_not_know(kith):
    assert "user_id:u-17" in kith.run("show", "foo")[2]
    assert "user_id:u-17" not in kith.run("show", "user_id:foo")[2]


def test_a_forged_or_refused_entry_is_marked_on_the_timeline(kith):
    kith.daemon.send({"type": "track", "userId": "u-1", "event": "effect.sent"})
    command = {"type": "role.changed", "customer": "user_id:u-1", "data": {"role": "king"}}
    answer = kith.daemon.post(
        "/v1/import?wait=applied",
        {
            "batch": [
                {"type": "track", "userId": "u-1", "event": "A"},
                {"type": "track", "userId": "u-1"},
                command,
                {"type": "track", "userId": "u-1", "event": "B"},
            ]
        },
    )
    assert [(item["index"], item["reason"]) for item in answer.json["rejected"]] == [
        (1, answer.json["rejected"][0]["reason"])
    ]
    (refused,) = answer.json["refused"]
    assert refused["index"] == 2 and "king" in refused["reason"]
    seen = {item["type"]: item for item in kith.json("timeline", "1")}
    assert "king" in seen["role.changed"]["trace"]["refused"]
    assert seen["effect.sent"]["trace"]["foreign"] is True
    lines = kith("timeline", "1").splitlines()
    assert any("role.changed" in line and "refused: a role is" in line for line in lines)
    assert any("effect.sent" in line and "not by Kith" in line for line in lines)
    assert "refused and changed nothing: a role is" in kith("explain", seen["role.changed"]["seq"])


def test_a_rule_that_failed_is_named_by_explain_and_counted(kith, rules):
    (rules / "rules.lua").write_text(
        'rule "broken" { on = "X", run = function(event) local a = event.total + 1 end }\n'
    )
    kith("deploy", rules)
    before = kith.daemon.metric("kith_rules_failed_total")
    kith.daemon.send({"type": "track", "userId": "u-1", "event": "X"})
    (failed,) = [item for item in kith.json("timeline", "1") if item["type"] == "rule.failed"]
    for entry in (failed["seq"], failed["event"]):
        told = kith("explain", entry)
        assert 'The rule "broken" failed' in told and "rules.lua:1" in told, told
    assert kith.daemon.metric("kith_rules_failed_total") == before + 1


def test_what_follows_a_reminder_that_is_done_is_shown(kith):
    kith.daemon.send({"type": "identify", "userId": "u-1", "traits": {"name": "Ann"}})
    kith("remind", "1", "Call", "--due", "3d", "--to", "anna")
    assert "closed" not in kith("reminders")
    shown = kith("done", "1", "--next", "5d").splitlines()
    (done,) = kith.json("reminders", "--state", "done")
    assert done["closed"] in shown[1] and done["closed"] in kith("reminders", "--state", "all")
    assert [line.split()[0] for line in shown] == ["id", "1", "2"]
    assert "done" in shown[1] and "open" in shown[2] and "Ann" in shown[2]


REMINDING = """
rule "remind" {
  on = "Order Completed",
  run = function(event, customer)
    remind { title = "Call", to = "anna", due = "10d" }
    after { due = "30d", emit = "Month Over" }
  end,
}
rule "month" { on = "Month Over", run = function(event, customer)
  customer:set("months", (customer.months or 0) + 1)
end }
"""


def test_a_replay_ends_in_the_present_by_way_of_what_was_due(start, rules, tmp_path):
    (rules / "rules.lua").write_text(REMINDING)
    daemon = start("--scripts", rules)
    kith = attach(daemon)
    path = write_csv(
        tmp_path / "orders.csv",
        [["customer", "day", "sum"], ["c-1", "01.03.2020", 1], ["c-2", "02.03.2020", 2]],
    )
    kith("import", path, *MAPPED, "--replay", "--zone", "UTC")
    ready = daemon.get("/readyz")
    assert ready.status == 200, ready.body
    items = kith.json("timeline", "user_id:c-1")
    when = {item["type"]: item["logged"] for item in items}
    assert when["reminder.due"] == "2020-03-11T00:00:00.000Z"
    assert when["Month Over"] == "2020-03-31T00:00:00.000Z"
    assert kith.json("show", "user_id:c-1")[0]["traits"]["months"] == 1
    daemon.send({"type": "track", "userId": "c-1", "event": "Seen"})
    assert kith.json("timeline", "user_id:c-1")[0]["logged"] > "2026"


def test_a_replay_that_another_follows_leaves_log_time_where_it_ends(kith, tmp_path):
    path = write_csv(
        tmp_path / "orders.csv", [["customer", "day", "sum"], ["c-1", "01.03.2020", 1]]
    )
    kith("import", path, *MAPPED, "--replay", "--more", "--zone", "UTC")
    assert kith.daemon.get("/readyz").status == 503
    path = write_csv(tmp_path / "more.csv", [["customer", "day", "sum"], ["c-1", "02.03.2020", 1]])
    kith("import", path, *MAPPED, "--replay", "--zone", "UTC")
    assert kith.daemon.get("/readyz").status == 200
    items = [
        item for item in kith.json("timeline", "user_id:c-1") if item["type"] == "Order Completed"
    ]
    assert [item["logged"] for item in items] == [
        "2020-03-02T00:00:00.000Z",
        "2020-03-01T00:00:00.000Z",
    ]
