"""`kith check` and `kith test`: scripts looked at and tried without a daemon."""
import json
import os
import re
import subprocess

import pytest

from conftest import BUILD, ROOT
from receiver import receiver, receivers

DEMO = ROOT / "scripts" / "demo"


class Folder:
    """A directory of scripts, and the two commands on it: no daemon, no key, no address."""

    def __init__(self, path):
        self.path, self.scratch = path / "rules", path / "scratch"
        self.path.mkdir()
        self.scratch.mkdir()

    def write(self, name, text):
        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def run(self, command, *words, path=None):
        """(exit code, standard output, standard error)"""
        done = subprocess.run(
            [str(BUILD / "kith"), command, str(path or self.path), *map(str, words)],
            env={"PATH": os.environ["PATH"], "TMPDIR": str(self.scratch)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not list(self.scratch.iterdir()), "it left something behind"
        return done.returncode, done.stdout, done.stderr

    def test(self, text, *words):
        """The reports of the tests in `text`."""
        self.write("it_test.lua", text)
        code, out, err = self.run("test", "--json", *words)
        reports = [json.loads(line) for line in out.splitlines()]
        assert reports and not err, err
        assert code == (0 if all(report["ok"] for report in reports) else 1)
        return reports

    def one(self, body):
        """The report of one test with this body."""
        (report,) = self.test(f'test "it" (function(t)\n{body}\nend)\n')
        return report

    def passes(self, body):
        report = self.one(body)
        assert report["ok"], report

    def fails(self, body, words):
        report = self.one(body)
        assert not report["ok"] and words in report["message"], report
        return report


RULES = """
purpose "news" { opt_in = true }
rule "count" {
  on = "Order Completed",
  run = function(event, customer)
    customer:set("orders", (customer.orders or 0) + 1)
    if event.total == 13 then error("unlucky") end
    if event.total >= 1000 then
      send { channel = "log", purpose = "service", body = "Thank you, " .. customer.name,
             data = { total = event.total, of = "shop" } }
    end
    after { due = "30d", key = "quiet", emit = "Quiet" }
  end,
}
rule "quiet" {
  on = "Quiet",
  run = function(event, customer)
    remind { title = "Ask " .. customer.name, to = "owner", due = "2d", at = "10:00",
             escalate = { after = "1d", to = "boss" } }
  end,
}
rule "news" {
  on = "Issue Published",
  run = function(event, customer)
    send { channel = "log", purpose = "news", body = "the news" }
  end,
}
rule "answered" {
  on = "effect.sent",
  run = function(event, customer) customer:set("written", true) end,
}
rule "a friend" {
  on = "Referred",
  run = function(event) emit("Was Referred", {}, { to = "user_id:" .. event.friend }) end,
}
rule "referred" {
  on = "Was Referred",
  run = function(event, customer) customer:tag("referred") end,
}
"""


@pytest.fixture
def folder(tmp_path):
    folder = Folder(tmp_path)
    folder.write("rules.lua", RULES)
    return folder


# ---- What a test may do -------------------------------------------------------------------------


def test_events_run_the_rules_and_what_they_send_is_sent(folder):
    folder.passes(
        """
        local ann = t:customer{ name = "Ann", city = "Berlin" }
        t:event(ann, "Order Completed", { total = 1200 })
        local message = t:expect_sent(ann, { channel = "log", body = "Thank you", times = 1,
                                             data = { total = 1200 } })
        assert(message.message.body == "Thank you, Ann" and message.rule == "count")
        assert(ann.orders == 1 and ann.city == "Berlin" and ann.written)
        assert(ann.unheard_of == nil and ann.kind == "person" and ann.id == 1)
        t:event(ann, "Order Completed", { total = 5 })
        t:expect_sent(ann, { times = 1 })
        assert(ann.orders == 2)
        """
    )


def test_time_passes_from_tick_to_tick(folder):
    folder.passes(
        """
        t:at "2026-01-31 10:00"
        local ann = t:customer{ name = "Ann", owner = "anna" }
        t:event(ann, "Order Completed", { total = 5 })
        t:advance "1mo" -- the end of February
        t:expect_no_reminder(ann)
        t:at "2026-03-02 10:00"
        local reminder = t:expect_reminder(ann, { to = "anna", due = "2026-03-04 10:00" })
        t:expect_reminder(ann, { due = "2026-03-04", title = "Ask", rule = "quiet", times = 1 })
        t:advance "3d"
        t:expect_reminder(ann, { to = "boss" })
        t:event(ann, "reminder.done", { task = reminder.id })
        t:expect_no_reminder(ann)
        """
    )


def test_the_beginning_may_be_any_moment_and_then_time_only_goes_forward(folder):
    folder.passes('t:at "1999-12-31 23:59" t:customer{} t:advance "1min" t:at "2000-01-01"')
    folder.fails(
        't:at "2026-01-31 10:00" t:customer{} t:at "2026-01-30"',
        "it_test.lua:2: t:at: time only goes forward: it is 2026-01-31 10:00 already",
    )
    folder.fails('t:advance "-1d"', "time only goes forward")
    folder.fails('t:advance "soon"', "it_test.lua:2: t:advance:")
    folder.fails('t:at "3d"', 't:advance "3d" goes on by so much')


def test_staff_acts_by_the_names_of_the_log(folder):
    folder.passes(
        """
        local ann = t:customer{ name = "Ann" }
        t:event(ann, "Issue Published")
        t:expect_not_sent(ann)
        t:event(ann, "consent.changed", { purpose = "news", channel = "log", state = "granted" })
        assert(ann:consent("news", "log") == "granted" and ann:consent("news", "sms") == nil)
        t:event(ann, "Issue Published")
        t:expect_sent(ann, { purpose = "news", times = 1 })
        t:event(ann, "owner.changed", { owner = "anna" })
        t:event(ann, "tag.changed", { tag = "regular" })
        assert(ann.owner == "anna" and ann:has_tag("regular") and not ann:has_tag("new"))
        """
    )
    folder.fails('t:event(t:customer{}, "reminder.done", { task = 7 })', "it_test.lua:2: t:event: ")
    folder.fails('t:event(t:customer{}, "reminder.due")', '"reminder.due" is Kith\'s own to say')


def test_what_a_rule_sends_to_another_customer_arrives(folder):
    folder.passes(
        """
        local ann, bob = t:customer{}, t:customer{ user_id = "bob" }
        t:event(ann, "Referred", { friend = "bob" })
        assert(bob:has_tag("referred") and not ann:has_tag("referred"))
        """
    )


def test_no_test_sees_what_another_did(folder):
    reports = folder.test(
        """
        local seen = 0
        local function look(t)
          seen = seen + 1
          local ann = t:customer{ user_id = "ann", name = "Ann" }
          t:event(ann, "Order Completed", { total = 5 })
          assert(ann.orders == 1 and ann.id == 1 and seen == 1)
        end
        test "one" (look)
        test "two" (look)
        """
    )
    assert [report["ok"] for report in reports] == [True, True], reports


def test_only_those_that_the_filter_names_are_run(folder):
    text = 'test "red" (function(t) end)\ntest "green" (function(t) error("no") end)\n'
    assert [report["name"] for report in folder.test(text, "--filter", "red")] == ["red"]
    assert len(folder.test(text, "--filter", "it_test")) == 2
    code, _, err = folder.run("test", "--filter", "blue")
    assert code == 1 and 'has "blue" in its name' in err


# ---- A failure ----------------------------------------------------------------------------------


def test_a_failure_says_what_was_expected_what_there_was_and_what_happened(folder):
    report = folder.fails(
        """
        local ann = t:customer{ name = "Ann" }
        t:event(ann, "Order Completed", { total = 1200 })
        t:event(ann, "Issue Published")
        t:expect_sent(ann, { body = "Goodbye" })
        """,
        'it_test.lua:6: expected a message to customer 1 with body "Goodbye"; none was sent',
    )
    assert report["expected"] == 'a message to customer 1 with body "Goodbye"'
    states = {item["rule"]: (item["state"], item.get("reason")) for item in report["got"]}
    assert states["count"] == ("sent", None)
    assert states["news"][0] == "suppressed" and "consent" in states["news"][1]
    assert report["customer"] == {"id": 1, "name": "Ann"}
    story = {item["type"]: item for item in report["timeline"]}
    assert story["Order Completed"]["trace"]["rules"][0]["name"] == "count"
    assert story["Order Completed"]["trace"]["changed"] == {"orders": 1}
    assert story["effect.suppressed"]["data"]["reason"] == states["news"][1]

    code, out, _ = folder.run("test")
    assert code == 1 and out.startswith("FAILED  it_test.lua:1: it\n")
    assert "Goodbye" in out and re.search(r"news +log +the news", out)
    assert re.search(r"2026-01-05 09:00 +\d+ +Order Completed +total 1200 +rule count ->", out)
    assert out.index("identity.linked") < out.index("Order Completed") < out.index("effect.sent")
    assert out.endswith("\n0 passed, 1 failed\n")


def test_what_is_not_to_be_is_told_as_well(folder):
    send = 'local c = t:customer{ name = "A" } t:event(c, "Order Completed", { total = 1000 }) '
    folder.fails(send + "t:expect_not_sent(c)", "expected no message to customer 1; 1 was sent")
    folder.fails(
        send + "t:expect_sent(c, { times = 2 })",
        "expected 2 times a message to customer 1; 1 was sent",
    )
    folder.fails(
        send + 't:advance "31d" t:expect_no_reminder(c)',
        "expected no reminder about customer 1; 1 was open",
    )


def test_a_rule_that_fails_makes_the_test_fail(folder):
    report = folder.fails(
        't:event(t:customer{ name = "Ann" }, "Order Completed", { total = 13 })',
        'rule "count" failed: rules.lua:7: unlucky',
    )
    assert report["rule"]["rule"] == "count" and report["timeline"]
    folder.fails('assert(false, "mine")', "mine")


def test_a_mistake_in_a_test_is_told_with_its_line(folder):
    folder.fails("t:expect_snt()", 'it_test.lua:2: t knows no "expect_snt"; did you mean')
    folder.fails('t:expect_in(c, "gold")', "segments, which this version does not have")
    folder.fails('t.event(nil, "X")', "write t:event(...), with a colon")
    folder.fails('t:event("ann", "X")', "a customer is needed, as t:customer{ ... } gives one")
    folder.fails("t:expect_sent(nil, { chanel = 1 })", 'knows no "chanel"; did you mean "channel"')
    folder.fails("t:customer{ tags = {} }", '"tags" belongs to Kith')
    folder.fails("t:customer{}.name = 5", "a test changes nothing by assignment")
    folder.fails('t:customer{}:tag("x")', "attempt to call a nil value (method 'tag')")


@pytest.mark.parametrize(
    ("loop", "limit"),
    [
        ("while true do end", "over the budget of 50000000 instructions"),
        ('while true do t:event(c, "X") end', "over the 100000 entries"),
        ('while true do t:advance "1h" t:event(c, "Y") end', "over the 100000 entries"),
        ("local s = {} while true do s[#s + 1] = ('x'):rep(9999) .. #s end", "memory"),
    ],
)
def test_a_test_that_does_not_end_is_ended(folder, loop, limit):
    folder.fails(f"local c = t:customer{{}} pcall(function() {loop} end)", limit)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('test "a"', 'it_test.lua:1: test "a" tests nothing: a function must follow'),
        ('test "a" { }', "it_test.lua:1: a function is expected behind test"),
        ("test(5)", "it_test.lua:1: test needs a name"),
        ('test "a" (function(t) end) test "a" (function(t) end)', "stands in this file already"),
        ('rule "a" { }', "it_test.lua:1: "),
        ("tset()", 'it_test.lua:1: there is no "tset"; did you mean "test"?'),
    ],
)
def test_a_file_of_tests_that_does_not_load_says_why(folder, text, reason):
    folder.write("it_test.lua", text)
    for command in ("test", "check"):
        code, out, err = folder.run(command)
        assert code == 1 and not out and reason in err, err


def test_a_folder_without_tests_says_so(folder):
    code, _, err = folder.run("test")
    assert code == 1 and "they stand in files called *_test.lua" in err
    code, _, err = folder.run("test", path=folder.path / "nowhere")
    assert code == 1 and "nowhere" in err


# ---- Settings -----------------------------------------------------------------------------------


def test_the_zone_and_the_channels_are_those_of_the_configuration(folder, tmp_path):
    folder.write(
        "rules.lua",
        """
        rule "call" { on = "X", run = function(event)
          send { channel = "hooks", data = { n = 1 } }
          remind { title = "T", to = "anna", due = "2026-07-01", at = "10:00" }
        end }
        """,
    )
    config = tmp_path / "kith.lua"
    config.write_text(
        'zone "Asia/Shanghai"\n' + receivers(receiver("hooks", 9))  # and no file of the secret
    )
    text = (
        'test "a" (function(t) local c = t:customer{} t:event(c, "X")\n'
        't:expect_sent(c, { channel = "hooks", data = { n = 1 } })\n'
        't:expect_reminder(c, { due = "2026-07-01T02:00:00Z" })\n'
        't:expect_reminder(c, { due = "2026-07-01 10:00" }) end)'
    )
    (report,) = folder.test(text, "--config", config)
    assert report["ok"], report
    (report,) = folder.test(text)
    assert not report["ok"] and "hooks" in report["rule"]["message"]
    config.write_text('zone "Mars"\n')
    for command in ("test", "check"):
        code, _, err = folder.run(command, "--config", config)
        assert code == 1 and "Mars" in err


# ---- check --------------------------------------------------------------------------------------


def findings(folder, *words):
    code, out, err = folder.run("check", "--json", *words)
    found = [json.loads(line) for line in out.splitlines()]
    assert not err and code == (1 if found else 0), err
    return [(item["file"], item["line"], item["text"]) for item in found]


def test_what_does_not_load_is_told_as_a_deployment_tells_it(folder, start):
    folder.write("more.lua", 'rule "count" { on = "X", run = function() end }')
    code, out, err = folder.run("check")
    assert (code, out) == (1, "")
    daemon = start()
    files = {path.name: path.read_text() for path in folder.path.iterdir()}
    problem = daemon.post("/v1/bundles", {"files": files}).json
    assert problem["detail"] in err and 'rules.lua:3: a rule called "count"' in err


def test_what_loads_and_will_surprise_is_told_with_its_place(folder):
    assert not findings(folder)
    folder.write(
        "sub/odd.lua",
        """local count, times = 0, { 0 }
local M = {}
function M.help() sned { body = "x" } end
function shared() total = 5 end
local function raise() return function() count = count + 1 end end
rule "odd" {
  on = { "reminder.dew", "Order Completed", "reminder.due" },
  run = function(event)
    local own = 0
    local function add() own = own + 1 end
    add() raise()() M.help() shared()
    os.time()
  end,
}
rule "late" { on = "Y", run = function() log(event.total) end }
""",
    )
    folder.write("empty_test.lua", "-- later\n")
    found = findings(folder)
    assert [(file, line) for file, line, _ in found] == [("empty_test.lua", 0)] + [
        ("sub/odd.lua", line) for line in (3, 4, 5, 8, 12, 15)
    ]
    texts = [text for _, _, text in found]
    assert "no test" in texts[0] and 'there is no "sned"; did you mean "send"?' == texts[1]
    assert 'sets the global "total"' in texts[2] and 'changes "count"' in texts[3]
    assert 'waits for "reminder.dew"' in texts[4] and 'did you mean "reminder.due"?' in texts[4]
    assert 'there is no "os"' in texts[5] and "argument of the rule's function" in texts[6]
    code, out, _ = folder.run("check")
    assert code == 1 and 'sub/odd.lua:3: there is no "sned"' in out
    assert out.endswith("\n2 files, 8 rules, 0 tests: 7 findings\n")


def test_what_is_found_is_what_a_rule_meets(folder):
    """Each finding about a rule that runs is a failure, or a value that is put back."""
    folder.write(
        "rules.lua",
        """local count = 0
rule "word" { on = "A", run = function() sned {} end }
rule "global" { on = "B", run = function() total = 5 end }
rule "local" { on = "C", run = function(_, c) count = count + 1 c:set("n", count) end }
""",
    )
    assert [line for _, line, _ in findings(folder)] == [2, 3, 4]
    folder.fails('t:event(t:customer{}, "A")', 'rules.lua:2: there is no "sned"')
    folder.fails('t:event(t:customer{}, "B")', "rules.lua:3: ")
    folder.passes('local c = t:customer{} t:event(c, "C") t:event(c, "C") assert(c.n == 1)')


def test_every_type_of_kiths_own_is_one_that_rules_may_wait_for():
    """Or the list in lint.c has fallen behind the engine."""
    source = (ROOT / "core" / "script" / "lint.c").read_text()
    heard = set(re.findall(r'"(\w+\.\w+)"', source.split("heard[] = {")[1].split("NULL")[0]))
    words = (ROOT / "core" / "engine" / "event.c").read_text().split("system_words[] = {")[1]
    words = "|".join(re.findall(r'"(\w+)"', words.split("}")[0]))
    there = set()
    for path in (ROOT / "core" / "engine").glob("*.c"):
        there |= set(re.findall(rf'"((?:{words})\.\w+)"', path.read_text()))
    unheard = {"effect.claim", "effect.outcome", "effect.test", "erase.done", "erase.requested"}
    unheard |= {"replay.started", "schedule.due", "reminder.dew"}
    assert len(there) > 30 and there - unheard <= heard


def test_a_folder_with_tests_is_deployed_and_they_are_no_rules(folder, start):
    folder.write("it_test.lua", 'test "it" (function(t) end)')
    daemon = start()
    files = {path.name: path.read_text() for path in folder.path.iterdir()}
    answer = daemon.post("/v1/bundles", {"files": files})
    assert answer.status == 201 and answer.json["rules"] == 6
    only = {"it_test.lua": files["it_test.lua"]}
    assert daemon.post("/v1/bundles", {"files": only}).status == 422


# ---- The demo -----------------------------------------------------------------------------------


def test_the_rules_of_the_demo_have_tests_that_pass_and_can_fail(folder):
    for words in ((), ("--config", ROOT / "tools" / "demo.lua")):
        code, out, err = folder.run("test", *words, path=DEMO)
        assert code == 0 and out.endswith(" passed, 0 failed\n"), out + err
    assert folder.run("check", path=DEMO)[0] == 0
    for path in DEMO.glob("*.lua"):
        folder.write(path.name, path.read_text())
    for path in DEMO.glob("*_test.lua"):  # each notices that its rules are gone
        name = path.name.replace("_test", "")
        folder.write(name, "purpose 'greetings' { }\n" if name == "birthdays.lua" else "")
        code, out, _ = folder.run("test", "--filter", path.name)
        assert code == 1 and "FAILED" in out, path.name
        folder.write(name, (DEMO / name).read_text())
    with_rules = {path.name for path in DEMO.glob("*.lua") if "\nrule " in path.read_text()}
    tested = {path.name.replace("_test", "") for path in DEMO.glob("*_test.lua")}
    assert with_rules == tested


def test_the_pack_of_the_care_calendar_passes_its_tests(folder):
    path = ROOT / "scripts" / "followup"
    assert folder.run("check", path=path)[0] == 0
    code, out, err = folder.run("test", path=path)
    assert code == 0 and out.endswith(" passed, 0 failed\n"), out + err


def test_the_first_rule_of_the_readme_passes_its_test(folder):
    rule, test = re.findall(r"^```lua\n(.*?)^```$", (ROOT / "README.md").read_text(), re.S | re.M)
    folder.write("rules.lua", rule)
    (report,) = folder.test(test)
    assert report["ok"], report
    folder.write("rules.lua", rule.replace("1000", "10000"))
    (report,) = folder.test(test)
    assert not report["ok"] and "expected a reminder" in report["message"]
