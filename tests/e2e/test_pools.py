"""Pools of codes and budgets: declared, loaded, asked, over crashes, and looked at."""
import json
import subprocess

import pytest

from conftest import BUILD, eventually

RULES = """
pool "spring" { low = 2, to = "ann", reserve = "30d" }
budget "kind" { amount = "10.00", currency = "EUR", per = "1y" }

rule "code" {
  on = "Wants Code",
  run = function(event) ask("pool:spring", "take", { key = event.key }) end,
}
rule "used" {
  on = "Order Completed",
  run = function(event) ask("pool:spring", "use", { code = event.coupon }) end,
}
rule "goodwill" {
  on = "Complaint",
  run = function(event)
    ask("budget:kind", "spend", { key = event.id, amount = event.amount })
  end,
}
rule "hear" {
  on = { "pool.taken", "pool.used", "pool.empty", "budget.granted", "budget.refused" },
  run = function(event, customer)
    customer:add("heard", event.type .. " " .. (event.code or event.amount or ""))
  end,
}
rule "low" {
  on = "pool.low",
  run = function(event) notify { to = event.to, text = "only " .. event.left } end,
}
"""


@pytest.fixture
def house(start, tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rules.lua").write_text(RULES)
    return start("--scripts", tmp_path / "rules")


def kith(daemon, *words):
    done = subprocess.run(
        [str(BUILD / "kith"), *words],
        env={"KITH_URL": f"http://127.0.0.1:{daemon.port}", "KITH_KEY": daemon.key("admin")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def codes(tmp_path, count, name="codes.txt"):
    path = tmp_path / name
    path.write_text("".join(f"  C-{i:05d}\r\n\n" for i in range(count)))
    return str(path)


def track(daemon, user, event, message=None, **properties):
    body = {"userId": user, "event": event, "properties": properties}
    if message:
        body["messageId"] = message
    assert daemon.post("/v1/track?wait=applied", body, key="write").status == 200


def heard(daemon, user, count):
    """The answer comes by way of the log: it is asked for until it is there."""

    def told():
        return daemon.get(f"/v1/customers/user_id:{user}").json["traits"].get("heard", [])

    eventually(lambda: len(told()) >= count)
    assert len(told()) == count, told()
    return told()


def test_codes_are_loaded_from_a_file_and_each_once(house, tmp_path):
    code, out, said = kith(house, "pool", "load", "spring", codes(tmp_path, 2500))
    assert (code, out) == (0, "2500 of 2500 codes were new; 2500 are left to be taken\n"), said
    code, out, _ = kith(house, "pool", "load", "spring", codes(tmp_path, 2600), "--json")
    assert json.loads(out) == {"codes": 2600, "added": 100, "left": 2600}
    pool = house.get("/v1/pools/spring").json
    assert (pool["left"], pool["loaded"], pool["low"], pool["declared"]) == (
        2600,
        2600,
        False,
        True,
    )
    code, _, said = kith(house, "pool", "load", "sprign", codes(tmp_path, 1))
    assert code == 1 and 'declares no pool "sprign"' in said


def loaded(house):
    track(house, "u-1", "Wants Code")
    return heard(house, "u-1", 1)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_part_of_a_code(house, tmp_path, encoding):
    path = tmp_path / "codes.txt"
    path.write_bytes("C-1\nC-2\n".encode(encoding))
    code, out, said = kith(house, "pool", "load", "spring", str(path))
    assert (code, out) == (0, "2 of 2 codes were new; 2 are left to be taken\n"), said
    assert loaded(house) == ["pool.taken C-1"]


@pytest.mark.parametrize(
    "data, line",
    [(b"\xff\xfe\n", 1), (b"C-1\n\nC-\xef\xbf\xbd", 3), (b"C-1\n" * 30 + b"C-\0\n", 31)],
)
def test_a_file_that_is_no_text_loads_no_broken_code(house, tmp_path, data, line):
    path = tmp_path / "codes.txt"
    path.write_bytes(data)
    code, _, said = kith(house, "pool", "load", "spring", str(path))
    assert code == 1 and f"line {line} of the file is no text: save it as UTF-8" in said, said
    assert house.get("/v1/pools/spring").json["loaded"] == 0


def test_a_line_that_is_too_long_for_a_code_is_named(house, tmp_path):
    path = tmp_path / "codes.txt"
    path.write_text("C-1\n\n" + "兑" * 42 + "\n" + "兑" * 43 + "\nC-2\n")
    code, _, said = kith(house, "pool", "load", "spring", str(path))
    assert code == 1, said
    assert 'line 4 of the file has 129 bytes, and a code at most 128: "' + "兑" * 13 + '..."' in said
    assert house.get("/v1/pools/spring").json["loaded"] == 0


def test_a_code_is_taken_used_and_told_of(house, tmp_path):
    kith(house, "pool", "load", "spring", codes(tmp_path, 3))
    track(house, "u-1", "Wants Code")
    assert heard(house, "u-1", 1) == ["pool.taken C-00000"]
    track(house, "u-2", "Wants Code")
    assert heard(house, "u-2", 1) == ["pool.taken C-00001"]
    track(house, "u-1", "Wants Code")  # the same, and the list of what was heard does not grow
    track(house, "u-1", "Order Completed", coupon="C-00000")
    assert heard(house, "u-1", 2) == ["pool.taken C-00000", "pool.used C-00000"]
    code, out, _ = kith(house, "pool", "list")
    assert code == 0
    assert out.splitlines()[1].split() == ["spring", "1", "1", "1", "0"]
    types = [e["type"] for e in house.get("/v1/pools/spring/timeline?limit=100").json["items"]]
    assert sorted(set(types)) == ["pool.load", "pool.loaded", "pool.low", "pool.take", "pool.use"]
    assert types[-2:] == ["pool.loaded", "pool.load"]
    told = house.get("/v1/effects").json["items"]
    assert [effect["to"] for effect in told] == ["ann"]


def test_pages_of_a_timeline_fit_together(house, tmp_path):
    kith(house, "pool", "load", "spring", codes(tmp_path, 9))
    for i in range(5):
        track(house, f"u-{i}", "Wants Code")
        heard(house, f"u-{i}", 1)
    whole = [e["event"] for e in house.get("/v1/pools/spring/timeline").json["items"]]
    parts, path = [], "/v1/pools/spring/timeline?limit=2"
    while path:
        page = house.get(path).json
        parts += [e["event"] for e in page["items"]]
        after = page["next"]
        path = after and f"/v1/pools/spring/timeline?limit=2&after={after}"
    assert parts == whole and len(whole) == 7
    code, out, _ = kith(house, "pool", "timeline", "spring", "--limit", "1")
    assert code == 0 and len(out.splitlines()) == 2


def test_a_budget_is_granted_until_it_is_spent_to_the_last_cent(house):
    for number, amount in enumerate((3.32, 3.33, 3.35, 0.01)):
        track(house, "u-1", "Complaint", message=f"m-{number}", amount=amount)
    assert heard(house, "u-1", 4) == [
        "budget.granted 3.32",
        "budget.granted 3.33",
        "budget.granted 3.35",
        "budget.refused 0.01",
    ]
    budget = house.get("/v1/budgets/kind").json
    assert (budget["spent"], budget["left"], budget["currency"]) == ("10", "0", "EUR")
    code, out, _ = kith(house, "budget", "show", "kind", "--json")
    assert code == 0 and json.loads(out)["granted"] == 3


def test_a_kill_gives_nothing_twice(start, tmp_path, house):
    kith(house, "pool", "load", "spring", codes(tmp_path, 40))
    for i in range(20):
        track(house, f"u-{i}", "Wants Code")
    house.kill()
    again = start("--scripts", tmp_path / "rules")
    taken = [heard(again, f"u-{i}", 1)[0] for i in range(20)]
    assert len(set(taken)) == 20
    for i in range(20):
        track(again, f"u-{i}", "Wants Code")
    track(again, "u-99", "Wants Code")
    assert heard(again, "u-99", 1) == ["pool.taken C-00020"]
    assert again.get("/v1/pools/spring").json["reserved"] == 21
    assert again.post("/v1/verify", {}).json["ok"] is True


def test_whoever_is_erased_is_not_in_the_pool(house, tmp_path):
    kith(house, "pool", "load", "spring", codes(tmp_path, 3))
    track(house, "u-1", "Wants Code")
    heard(house, "u-1", 1)
    assert kith(house, "erase", "user_id:u-1", "--yes", "--wait")[0] == 0
    pool = house.get("/v1/pools/spring").json
    assert (pool["left"], pool["reserved"], pool["used"]) == (2, 0, 1)
    items = house.get("/v1/pools/spring/timeline").json["items"]
    assert [e.get("erased") for e in items if e["type"] == "pool.take"] == [True]
    track(house, "u-1", "Wants Code")
    assert heard(house, "u-1", 1) == ["pool.taken C-00001"]


def test_an_explanation_goes_back_to_the_rule_that_asked(house, tmp_path):
    kith(house, "pool", "load", "spring", codes(tmp_path, 3))
    track(house, "u-1", "Wants Code")
    heard(house, "u-1", 1)
    answer = next(e for e in house.timeline("user_id:u-1") if e["type"] == "pool.taken")
    code, out, said = kith(house, "explain", answer["event"])
    assert code == 0, said
    assert "pool.take" in out and "Wants Code" in out and '"code"' in out


def test_what_is_wrong_is_refused_with_words(house):
    assert house.get("/v1/pools/summer").status == 404
    assert house.get("/v1/budgets/spring").status == 404
    assert house.get("/v1/pools/summer/timeline").status == 404
    assert house.get("/v1/pools/spring/timeline?after=x").status == 400
    for body in ({}, {"codes": []}, {"codes": [""]}, {"codes": [7]}, {"codes": ["x" * 200]}):
        assert house.post("/v1/pools/spring/codes", body).status == 422, body
    assert house.post("/v1/pools/summer/codes", {"codes": ["A"]}).status == 404
    assert house.post("/v1/pools/spring/codes", {"codes": ["A"]}, key="write").status == 403


def test_check_finds_an_ask_of_nothing_that_is_declared(tmp_path):
    (tmp_path / "rules.lua").write_text(
        'rule "x" { on = "X", run = function() ask("pool:sprign", "take") end }\n'
    )
    done = subprocess.run(
        [str(BUILD / "kith"), "check", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert 'nothing that is called "pool:sprign" is declared' in done.stdout + done.stderr


def test_scripts_test_pools_and_budgets(tmp_path):
    (tmp_path / "rules.lua").write_text(RULES)
    (tmp_path / "rules_test.lua").write_text(
        """
test "a code, and money" (function(t)
  t:event(nil, "pool.load", { pool = "spring", codes = { "A", "B" } })
  local ann = t:customer{ name = "Ann" }
  t:event(ann, "Wants Code")
  assert(ann.heard[1] == "pool.taken A")
  t:event(ann, "Complaint", { amount = "10.01" })
  assert(ann.heard[2] == "budget.refused 10.01")
  t:advance "31d"
  t:event(ann, "Wants Code", { key = "second" })
  assert(ann.heard[3] == "pool.taken B")
end)
"""
    )
    done = subprocess.run(
        [str(BUILD / "kith"), "test", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
