"""More of what a person types: ids of rows, pauses, notes with files, links, teams, retries."""
import pytest

from test_command import Kith, write_csv

RULES = """
rule "thank" {
  on = "Order Completed",
  run = function(event, customer)
    customer:set("orders", (customer.orders or 0) + 1)
    send { channel = "log", purpose = "service", body = "thanks" }
  end,
}
"""


def attach(daemon):
    kith = Kith(f"http://127.0.0.1:{daemon.port}", daemon.key("admin"))
    kith.daemon = daemon
    return kith


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
