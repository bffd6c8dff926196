"""`kith check` and `kith test` with the plugins of a kith.lua: their words are known, they are
called on the clock of the test, and nothing outside of them is touched."""
import json
import shutil

import pytest

from conftest import BUILD
from receiver import receiver, receivers
from test_scripts import findings, folder  # noqa: F401: the fixture is used by its name

RULES = """
rule "broken" { on = "Box Broken", run = function(event)
  complaint.open { subject = "The box was empty", order = event.order }
end }
rule "late" { on = "complaint.overdue", run = function(event, customer)
  send { channel = "hooks", data = { late = event.number, open = customer["complaint.open_count"] }
  }
end }
"""
TESTS = """
test "an empty box is a complaint, and is late after a day" (function(t)
  local ann = t:customer{ name = "Ann" }
  t:event(ann, "Box Broken", { order = "A-7" })
  t:expect_record(ann, { kind = "complaint", state = "received", fields = { order = "A-7" } })
  t:advance("23h")
  t:expect_not_sent(ann, { channel = "hooks" })
  t:advance("2h")
  t:expect_sent(ann, { channel = "hooks", data = { late = 1, open = 1 } })
end)
"""
COMPLAINT = """
plugin "complaint" {
  grant = { "append", "read", "staff", "routes", "act:create", "act:move", "act:link",
            "act:change", "act:send", "act:notify", "act:remind", "act:after", "act:cancel" },
  config = { acknowledge = "1d" },
}
"""

needs_plugins = pytest.mark.skipif(
    not (BUILD / "plugins" / "complaint.so").exists(), reason="a build tree without plugins"
)


@needs_plugins
def test_words_of_plugins_are_known_and_their_functions_run_on_the_clock_of_the_test(
    folder, tmp_path  # noqa: F811
):
    config = tmp_path / "kith.lua"
    config.write_text(COMPLAINT + receivers(receiver("hooks", 9)))  # and no file of the secret
    folder.write("rules.lua", RULES)
    folder.write("it_test.lua", TESTS)
    assert not findings(folder, "--config", config)
    (report,) = folder.test(TESTS, "--config", config)
    assert report["ok"], report
    assert [text for _, _, text in findings(folder)] == [
        'there is no "complaint": neither a word nor a function of these scripts'
    ]
    assert not folder.test(TESTS)[0]["ok"]


MISSPELT = (
    (
        'complaint.open { subject = "x", sevrity = "high" }',
        'complaint.open knows no "sevrity"; did you mean "severity"?',
    ),
    (
        'complaint.close { record = "complaint:1", rootcause = "delivery" }',
        'complaint.close knows no "rootcause"; did you mean "root_cause"?',
    ),
    (
        'followup.promise { what = "x", due = "1d", ownr = "anna" }',
        'followup.promise knows no "ownr"; did you mean "owner"?',
    ),
    (
        'followup.revisit { aftr = "90d" }',
        'followup.revisit knows no "aftr"; did you mean "after"?',
    ),
    (
        'followup.hand_over { from = "anna", to = "bert", zebra = 1 }',
        'followup.hand_over knows no "zebra"; it knows from, to and reason',
    ),
    ('email.reply { body = "x" }', 'email.reply knows no "body": it takes nothing, email.reply {}'),
)
FOLLOWUP = """
plugin "followup" {
  grant = { "read", "staff", "on-behalf", "routes", "act:create", "act:move", "act:remind",
            "act:send" },
  IS
}
plugin "email" {
  grant = { "channel", "append", "read", "sockets", "work" },
  IS
  config = { from = "Care <care@example.com>", smtp = "smtp://127.0.0.1:9" },
}
"""


@needs_plugins
@pytest.mark.parametrize("isolate", ("", "isolate = true,"))
@pytest.mark.parametrize("code, words", MISSPELT)
def test_a_name_that_a_function_does_not_take_is_refused_where_it_stands(
    folder, tmp_path, isolate, code, words  # noqa: F811
):
    config = tmp_path / "kith.lua"
    plugins = (
        f'plugins "{BUILD}/plugins"\n'
        + COMPLAINT.replace("config =", isolate + " config =")
        + FOLLOWUP
    )
    config.write_text(plugins.replace("IS\n", isolate + "\n"))
    folder.write("rules.lua", f'rule "it" {{ on = "It", run = function()\n  {code}\nend }}\n')
    text = 'test "it" (function(t) t:event(t:customer{ name = "Ann" }, "It") end)'
    (report,) = folder.test(text, "--config", config)
    assert not report["ok"]
    assert "rules.lua:2: " + words in report["message"], report


@needs_plugins
def test_plugins_are_where_the_command_says(folder, tmp_path):  # noqa: F811
    config, elsewhere = tmp_path / "kith.lua", tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(BUILD / "plugins" / "complaint.so", elsewhere)
    config.write_text(COMPLAINT)
    folder.write("rules.lua", RULES.split('rule "late"', maxsplit=1)[0])
    for command in ("check", "test"):
        code, _, err = folder.run(command, "--config", config)
        assert code == 1 and "--plugins DIR" in err
    assert not findings(folder, "--config", config, "--plugins", elsewhere)


CRASHING = 'plugin "bad_crash_handler" { grant = { "append" } }\n'


@pytest.mark.skipif(
    not (BUILD / "tests" / "plugins" / "bad_crash_handler.so").exists(),
    reason="a build tree without tests",
)
def test_a_plugin_that_crashes_fails_its_test_and_no_other(folder, tmp_path):  # noqa: F811
    config = tmp_path / "kith.lua"
    config.write_text(f'plugins "{BUILD / "tests" / "plugins"}"\n' + CRASHING)
    text = """
    test "one" (function(t) t:event(t:customer{}, "X") end)
    test "crash" (function(t) t:event(t:customer{}, "Order Completed", { coupon = 7 }) end)
    test "two" (function(t) t:event(t:customer{}, "X") end)
    """
    folder.write("rules.lua", "")
    folder.write("it_test.lua", text)
    code, out, _ = folder.run("test", "--json", "--config", config)  # a sanitizer speaks of it
    one, crash, two = [json.loads(line) for line in out.splitlines()]
    assert code == 1
    assert one["ok"] and two["ok"] and not crash["ok"]
    assert "the plugin bad_crash_handler" in crash["message"]
