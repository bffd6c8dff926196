"""kith plugin check: the good pass, each bad one of tests/plugins is refused for what it does."""
import json
import os
import re
import subprocess

import pytest

from conftest import BUILD, ROOT

SHELF = ROOT / "tests" / "plugins"
FLAGS = "-std=c17 -O1 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden -ffp-contract=off"

# What is bad in it: (exit code, what is said, and what is to be done).
VERDICTS = {
    "bad_no_symbol": (1, "exports no kith_describe()", "nothing else can be tried"),
    "bad_short": (1, "its description has 8 bytes, not at least", "nothing else can be tried"),
    "bad_abi": (1, "built for version 2 of the contract", "nothing else can be tried"),
    "bad_storm": (1, "more than 64 types of events", "nothing else can be tried"),
    "bad_crash_describe": (1, "kith_describe(), nothing: it ", "quarantined"),
    "bad_hang_describe": (
        1,
        "kith_describe(), nothing: it did not come back within 5 s",
        "every loop needs an end",
    ),
    "bad_hang_load": (1, "loading, ", "every loop needs an end"),
    "bad_crash_handler": (1, 'handler order, event "Order Completed" given ', "quarantined"),
    "bad_coupon": (1, 'handler order, event "Order Completed" given ', "quarantined"),
    "bad_exit": (1, "ended the whole process, with exit code 3", "return a code"),
    "bad_hang": (1, "given times: it did not come back within 5 s", "every loop needs an end"),
    "bad_slow": (1, "ms of the processor, and isolated 100 ms are a hang", "outside side"),
    "bad_echo": (1, "more events of its own than are taken (1000, or 16 deep)", "do not hear"),
    "bad_late": (1, "it uses the kith_call of a call that has ended", "not the kith_call"),
    "bad_counter": (1, "called twice with the same", "no variables that outlive the call"),
    "bad_clock": (1, "in another process it wants something else", "no clock"),
    "bad_address": (1, "in another process it wants something else", "addresses"),
    "bad_memory_as_it_comes": (1, "in another process it wants something else", "never set"),
    "bad_order_of_calls": (1, "in another process it wants something else", "order of calls"),
    "bad_hungry": (1, "it took 80 MiB of memory", "bound what is allocated"),
    "bad_leak": (1, "bytes a call and never gives them back", "give back before it returns"),
    "bad_foreign_key": (1, "keep: the key is not among the plugin's states", "its description"),
    "bad_foreign_trait": (1, "publish: the name is not among the plugin's", "its description"),
    "bad_read": (1, "read: there are not so many in `reads`", "its description"),
    "bad_act": (1, 'act: "act:WORD" is not among the plugin\'s needs', "its description"),
    "bad_bson": (1, "keep: these bytes are no document", "what was put into it"),
    "bad_large": (1, "a document of 60019 bytes, and at most 16384", "bound what is taken over"),
    "bad_hook": (
        1,
        "merge of state orders, given nothing that it reads: it answered nothing",
        "call answer()",
    ),
    "bad_crash_start": (1, "start(), its configuration: it ", "quarantined"),
    "bad_hang_stop": (1, "stop(), at the end: it did not come back", "every loop needs an end"),
    "bad_thread": (1, "stop(): it leaves threads running: 1", "wait for them"),
    "bad_descriptor": (1, "stop(): it leaves descriptors open: 1", "close in stop()"),
    "bad_forgetful": (1, "stop(): it leaves 1008 bytes of memory each time", "give back in stop()"),
    "bad_need": (1, 'it calls append(), and "append" is not among its needs', "declare it"),
    "bad_needs": (1, '"apend", which nobody can grant; did you mean "append"?', "mend its"),
    "bad_word": (1, 'act("frobnicate"): there is no word "frobnicate" for plugins', "kith.h"),
    "bad_field": (1, 'act("remind"): remind knows no "titel"', "misspelt"),
    "bad_kind": (1, "deadlines.soon.until: there is no such attribute", '"Declaring a kind"'),
    "bad_due": (1, 'act("remind"): remind: "3 parsecs" is no duration ("3d")', "lua-reference.md"),
    "bad_case": (1, 'act("create"): "due": "3 parsecs" is no time', "lua-reference.md"),
    "bad_type": (1, 'an event of this plugin is called "bad_type.NAME", or', "come in over ask()"),
    "bad_behalf": (1, 'it calls ask(), and "on-behalf" is not among its needs', "declare it"),
    "bad_scope": (1, 'notes is answered with 403: "staff" is not among its needs', "declare it"),
    "bad_url": (1, "a request needs a method, and a path from / on", "without a host"),
    "bad_status": (1, "route /v1/bad_status: a status is 200 to 599, not 101", "waits on"),
    "bad_header": (1, "header Content-Length: its name or value cannot stand there", "waits on"),
    "bad_pause": (1, "this plugin has no channel of that name", "its own channels"),
    "bad_count": (1, "count(): a counter only grows", "is no counter"),
    "bad_count_name": (1, "a counter's name is 1 to 31 of a-z, 0-9, _", "of its metric"),
    "bad_hash": (1, "that is no hash of a file", "file_write() answered"),
    "bad_ungranted": (1, 'it has routes, and "routes" is not among its needs', ""),
    "bad_place": (1, "would answer where Kith does, at /v1/records/{kind}", "does not start"),
    "bad_method": (1, "no request of that method is taken here", "does not start"),
    "bad_routes": (1, "bad_routes answers the route GET /odd/{it} twice", "does not start"),
    "bad_twice": (1, "channel twice: deliver() is called twice", "answer once"),
    "bad_many": (1, "ended the whole process, with exit code 4", "return a code"),
    "bad_mute": (0, "a request without a body has got no reply", "on every way out"),
    "bad_refuses": (0, "start(): it does not start, and does not say why", "into `reason`"),
    "bad_silent": (0, "it failed and did not say why", "engine->fail"),
    "bad_exports": (0, "it exports more than kith_describe(): handle_order", "-fvisibility=hidden"),
}
# They spoil what a sanitizer watches, or what it replaces.
NOT_SANITIZED = {"bad_memory_as_it_comes", "bad_leak", "bad_hungry", "bad_exit", "bad_forgetful"}


@pytest.fixture(name="shelf", scope="module")
def _shelf(tmp_path_factory):
    """Compiles a plugin of the shelf when it is asked for."""
    folder = tmp_path_factory.mktemp("shelf")

    def built(name):
        path = folder / f"{name}.so"
        if not path.exists():
            command = ["cc", *FLAGS.split(), "-I", ROOT / "plugins" / "sdk", "-o", path]
            subprocess.run([*command, SHELF / f"{name}.c"], check=True)
        return path

    return built


def check(*words):
    """A sanitizer leaves the signals to whoever waits for the process."""
    options = os.environ.get("ASAN_OPTIONS", "") + ":handle_segv=0:handle_sigbus=0"
    done = subprocess.run(
        [BUILD / "kith", "plugin", "check", *words],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ, ASAN_OPTIONS=options),
    )
    return done.returncode, done.stdout, done.stderr


def is_sanitized():
    return b"__asan_init" in (BUILD / "kith").read_bytes()


def test_every_bad_plugin_has_a_verdict():
    """All but one that is well until it is in a daemon, among its requests."""
    bad = {path.stem for path in SHELF.glob("bad_*.c")}
    assert bad - {"bad_outside"} == set(VERDICTS)


@pytest.mark.parametrize("name", VERDICTS)
def test_a_bad_plugin_is_refused_for_what_it_does(name, shelf):
    if name in NOT_SANITIZED and is_sanitized():
        pytest.skip("the sanitizer sees to this itself")
    code, what, todo = VERDICTS[name]
    got, said, _ = check(shelf(name))
    assert got == code, said
    found = [line for line in said.splitlines() if what in line]
    assert found and re.match("(error|warning): ", found[0]), said
    after = said.splitlines()[said.splitlines().index(found[0]) + 1]
    assert after.startswith("    ") and todo in after, said


# Those of the deterministic side.  The good ones of the outside side try the host, with refusals
# and silence, and are not all polite.
GOOD = ("good_state", "good_values", "good_act", "good_function", "good_config")


@pytest.mark.parametrize("name", GOOD)
def test_a_good_plugin_passes(name, shelf):
    code, said, _ = check(shelf(name))
    assert code == 0 and "nothing to mend" in said, said


def test_the_verdict_as_json_has_a_line_for_each_finding_and_one_for_the_whole(shelf):
    code, said, _ = check(shelf("bad_counter"), "--json")
    *findings, whole = [json.loads(line) for line in said.splitlines()]
    assert code == 1 and whole["errors"] == len(findings) and whole["warnings"] == 0
    assert whole["about"]["name"] == "bad_counter" and whole["about"]["handlers"] == 1
    assert whole["times"][0]["who"] == "handler order" and whole["times"][0]["calls"] > 100
    for finding in findings:
        assert set(finding) == {"level", "who", "given", "what", "todo"}
        assert finding["level"] == "error" and finding["who"] == "handler order"


def test_what_is_no_plugin_is_refused(tmp_path):
    text = tmp_path / "text.so"
    text.write_text("this is no program\n")
    code, said, _ = check(text)
    assert code == 1 and "cannot be loaded" in said
    code, _, said = check(tmp_path / "nothing.so")
    assert code == 1 and "nothing.so: No such file" in said


# ---- What crashes does not hide the rest ---------------------------------------------------------


def test_a_crash_does_not_hide_what_else_is_wrong(shelf):
    code, said, _ = check(shelf("bad_many"), "--json")
    *findings, whole = [json.loads(line) for line in said.splitlines()]
    assert code == 1 and whole["errors"] == 12 and whole["not_made"] == 4, said
    wrong = [one["who"].split(",")[0] for one in findings if one["level"] == "error"]
    assert sorted(set(wrong)) == [
        "handler order",
        "handler refund",
        "handler visit",
        "job",
        "route /v1/many",
        "stop()",
    ]
    assert wrong.count("handler order") == 2 and wrong.count("route /v1/many") == 3


def test_what_is_not_tried_because_of_a_crash_is_said(shelf):
    _, said, _ = check(shelf("bad_many"), "--json")
    left = [json.loads(line) for line in said.splitlines()]
    left = {(one["who"], one["given"]): one for one in left if one.get("level") == "not made"}
    assert set(left) == {
        ("handler refund", "22 of its 25 calls"),
        ("handler refund", "whether its memory grows"),
        ("route /v1/many", "2 of its 5 requests"),
        ("stop()", "whether descriptors, threads or memory are left"),
    }
    assert all(one["what"] and one["todo"] for one in left.values())
    assert left[("handler refund", "22 of its 25 calls")]["what"].endswith("in 3 of them")


def test_who_is_not_called_for_a_crash_is_called_for_all_else(shelf):
    """Of 25 ways to call it two crash: the others are made, and its memory is looked at."""
    _, said, _ = check(shelf("bad_many"), "--json")
    times = {one["who"]: one["calls"] for one in json.loads(said.splitlines()[-1])["times"]}
    assert times["handler order"] > 100 and times["handler visit"] > 100
    assert "handler refund" not in times


def test_what_ends_before_anything_can_be_called_leaves_everything_out(shelf):
    code, said, _ = check(shelf("bad_crash_describe"))
    assert code == 1 and "\nnot made: every further check: without this" in said
    code, said, _ = check(shelf("bad_crash_start"))
    assert (
        code == 1 and "\nnot made: outside side, channels (0), routes (0), jobs (0), stop()" in said
    )


def test_all_that_is_declared_is_counted_and_named(shelf):
    _, said, _ = check(shelf("bad_many"))
    assert "bad_many 1: 3 handlers, 1 record kind, 1 route, 1 job; needs routes; " in said
    _, said, _ = check(shelf("bad_many"), "--json")
    about = json.loads(said.splitlines()[-1])["about"]
    assert about["kinds"] == 1 and about["settings"] == 0 and about["handlers"] == 3
    assert about["declares"]["kinds"] == ["slip"]
    assert about["declares"]["handlers"][0] == "order (Order Completed)"
    assert about["declares"]["routes"] == ["POST /v1/many"]
    assert about["declares"]["jobs"] == ["many, every 1 s"]


# ---- Over a log ----------------------------------------------------------------------------------


@pytest.fixture(name="data")
def _data(start):
    """What a daemon leaves that has heard of three orders, of two customers."""
    daemon = start()
    for user in ("u-1", "u-1", "u-2"):
        daemon.send({"type": "track", "event": "Order Completed", "userId": user})
    daemon.send({"type": "track", "event": "Shop Visited", "userId": "u-1"})
    assert daemon.stop() == 0
    return daemon.data


def test_a_plugin_hears_of_what_is_in_a_log_and_wants_the_same_each_time(shelf, data):
    code, said, _ = check(shelf("good_state"), "--log", data)
    assert code == 0 and "3 entries of the log heard, 0 differ\n" in said
    code, said, _ = check(shelf("bad_clock"), "--log", data)
    assert code == 1 and "3 entries of the log heard, 3 differ\n" in said
    assert said.count(", Order Completed, customer u-1: in another process it wants") == 2
    assert said.count('\n    first: [{"handler":"order"') == 3
    assert said.count('\n    second: [{"handler":"order"') == 3


def changed(shelf, name, old, new):
    """The plugin with one thing in its source done otherwise."""
    path = shelf(name).with_name(f"{name}_changed.c")
    source = (SHELF / f"{name}.c").read_text()
    assert old in source
    path.write_text(source.replace(old, new))
    command = ["cc", *FLAGS.split(), "-I", ROOT / "plugins" / "sdk", "-I", SHELF]
    subprocess.run([*command, "-o", path.with_suffix(".so"), path], check=True)
    return path.with_suffix(".so")


def test_two_versions_are_compared_entry_for_entry(shelf, data):
    new = changed(shelf, "good_state", '"orders", 0), 1)', '"orders", 0), 1 + 10 * !!kept.size)')
    code, said, _ = check(shelf("good_state"), new, "--log", data)
    assert code == 4 and "3 entries of the log heard, 1 differs\n" in said, said
    found = re.findall(
        r"^difference: log, entry \d+, Order Completed, customer u-1: .*\n"
        r"    was: (.*)\n    is: (.*)\n    if this is meant",
        said,
        re.M,
    )
    ((was, now),) = found
    assert '"v":{"orders":2}' in was and '"v":{"orders":12}' in now
    assert not re.search("^(error|warning):", said, re.M), said
    code, said, _ = check(shelf("good_state"), shelf("good_state"), "--log", data)
    assert code == 0 and "0 differ\n" in said


def test_a_difference_is_a_document_with_both_sides(shelf, data):
    new = changed(shelf, "good_state", '"orders", 0), 1)', '"orders", 0), 1 + 10 * !!kept.size)')
    code, said, _ = check(shelf("good_state"), new, "--log", data, "--json")
    (found,) = [one for one in map(json.loads, said.splitlines()) if one["level"] == "difference"]
    assert code == 4 and found["given"].endswith(", Order Completed, customer u-1")
    assert found["was"][0]["handler"] == found["is"][0]["handler"] == "order"


def test_what_two_versions_declare_is_compared_too(shelf, data):
    code, said, _ = check(shelf("good_state"), shelf("bad_many"), "--log", data)
    assert code in (1, 4)
    assert (
        "difference: description, handlers: refund (Order Refunded): the new one declares" in said
    )
    assert "difference: description, traits: orders, whole: the old one declares it, " in said
    assert "not compared: routes, POST /v1/many: the outside side is not begun over a log" in said
    assert "not compared: jobs, many, every 1 s: " in said


def test_what_only_one_version_hears_of_is_told(shelf, data):
    header = (SHELF / "shelf.h").read_text().replace("Order Completed", "Shop Visited")
    folder = shelf("good_state").parent
    (folder / "shelf.h").write_text(header)
    new = changed(shelf, "good_state", "good_state.c --", "good_state.c  --")
    code, said, _ = check(shelf("good_state"), new, "--log", data)
    (folder / "shelf.h").unlink()
    assert code == 4 and "3 entries of the log heard, 4 differ\n" in said, said
    assert said.count("\n    is: it did not hear of it") == 3
    assert said.count("\n    was: it did not hear of it") == 1


# ---- Over a log, with entries at which it crashes ------------------------------------------------

GOOD_COUPON, SHORT, LONG = "SUMMER", "abc", "abcd"  # those of three and of four bytes are mortal


@pytest.fixture(name="coupons")
def _coupons(start):
    """The data of a daemon that has heard of one customer's orders, with these coupons."""

    def sent(*coupons):
        daemon = start()
        for coupon in coupons:
            order = {"type": "track", "event": "Order Completed", "userId": "u-1"}
            daemon.send(order | {"properties": {"coupon": coupon}})
        assert daemon.stop() == 0
        return daemon.data

    return sent


def crashing(shelf, number):
    """bad_coupon, which crashes at coupons of so many bytes."""
    define = "#define BAD_BYTES 3"
    path = changed(shelf, "bad_coupon", define, define.replace("3", str(number)))
    return path.replace(path.with_name(f"{number}.so"))


def compared(*words):
    """The exit code, and each finding of an entry with its place among all such entries."""
    code, said, _ = check(*words, "--json")
    found = [json.loads(line) for line in said.splitlines()]
    found = [one for one in found if one.get("who") != "description" and "level" in one]
    numbers = [re.search(r"entry (\d+)", str(one)).group(1) for one in found]
    order = sorted(set(numbers), key=int)
    return code, [(one, order.index(at)) for one, at in zip(found, numbers)]


def test_a_comparison_goes_on_behind_the_entry_at_which_a_version_crashes(shelf, coupons):
    data = coupons(SHORT, GOOD_COUPON, LONG, GOOD_COUPON)
    code, found = compared(crashing(shelf, 3), crashing(shelf, 4), "--log", data)
    told = [(one["level"], at) for one, at in found]
    assert code == 1 and told == [
        ("warning", 0),
        ("error", 2),
        ("difference", 0),
        ("difference", 1),
        ("difference", 2),
    ]
    old, new, first, second, third = (one for one, _ in found)
    assert old["who"].startswith("the old version, order, entry ") and "crashed" in old["what"]
    assert new["who"].startswith("the new version, order, entry ") and "crashed" in new["what"]
    assert first["was"] == "crashed" and first["is"][0]["wants"][0]["v"] == {"orders": 1}
    assert first["what"] == "the old version crashes there, the new one does not"
    # Each goes on with what it had kept before the entry at which it crashed.
    assert second["was"][0]["wants"][0]["v"] == {"orders": 1}
    assert second["is"][0]["wants"][0]["v"] == {"orders": 2}
    assert third["was"][0]["wants"][0]["v"] == {"orders": 2} and third["is"] == "crashed"
    assert third["what"] == "the new version crashes there, the old one does not"
    code, said, _ = check(crashing(shelf, 3), crashing(shelf, 4), "--log", data)
    assert "4 entries of the log heard, 3 differ\n" in said and "\n    was: it crashed\n" in said


def test_a_new_version_that_does_not_crash_any_more_is_no_error(shelf, coupons):
    data = coupons(GOOD_COUPON, SHORT, GOOD_COUPON)
    code, found = compared(crashing(shelf, 3), crashing(shelf, 4), "--log", data)
    assert code == 4
    assert [one["level"] for one, _ in found] == ["warning", "difference", "difference"]


def test_where_both_versions_crash_nothing_differs(shelf, coupons):
    data = coupons(SHORT, GOOD_COUPON)
    code, found = compared(crashing(shelf, 3), crashing(shelf, 3), "--log", data)
    levels = [one["level"] for one, _ in found]
    assert code == 1 and levels == ["warning", "error", "not compared"]
    assert found[2][0]["what"] == "both versions crash there" and {at for _, at in found} == {0}


def test_a_plugin_that_crashes_over_a_log_is_held_against_itself_behind_it(shelf, coupons):
    code, said, _ = check(crashing(shelf, 3), "--log", coupons(SHORT, GOOD_COUPON, SHORT))
    assert code == 1 and "3 entries of the log heard, 0 differ\n" in said
    assert len(re.findall(r"^error: order, entry \d+, Order Completed, customer", said, re.M)) == 2


def test_who_crashes_too_often_over_a_log_is_compared_until_there(shelf, coupons):
    data = coupons(GOOD_COUPON, *[SHORT] * 21, GOOD_COUPON)
    code, found = compared(crashing(shelf, 3), crashing(shelf, 4), "--log", data)
    levels = [one["level"] for one, _ in found]
    assert code == 4 and levels == ["warning"] * 21 + ["not made"] + ["difference"] * 20
    assert found[21][0]["given"].startswith("by the old version from there on: order, entry ")
    assert max(at for one, at in found if one["level"] == "difference") == 19  # of 0 to 20


def test_two_files_without_a_log_are_wrong_usage(shelf):
    code, _, said = check(shelf("good_state"), shelf("good_act"))
    assert code == 2 and "two plugins are compared over a log" in said
    code, _, said = check(shelf("good_state"), "--log", "nowhere")
    assert code == 1 and "nowhere/log" in said


# ---- Names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ("record", "customer", "pool", "plugin", "tag"))
def test_no_plugin_is_begun_that_no_daemon_would_load(name, tmp_path):
    done = subprocess.run(
        [BUILD / "kith", "plugin", "new", name],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 2 and not list(tmp_path.iterdir())
    assert f"a plugin cannot be called {name}, which is a word of Kith's own events" in done.stderr


@pytest.mark.parametrize(
    ("name", "why"),
    (
        ("test", "which is a word of rules"),
        ("remind", "which is a word of rules"),
        ("end", "which is a word of rules"),
        ("kith", "as whom Kith itself speaks"),
        ("all", "which is a target of make in its folder"),
    ),
)
def test_no_plugin_is_begun_under_a_name_that_it_could_not_go_on_with(name, why, tmp_path):
    done = subprocess.run(
        [BUILD / "kith", "plugin", "new", name],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 2 and not list(tmp_path.iterdir())
    assert f"a plugin cannot be called {name}, {why}" in done.stderr
