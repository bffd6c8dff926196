"""Large imports: whoever dies, and whenever, nothing is there twice; memory stays what it was.

KITH_IMPORT=1000000 makes the long run: so many customers, and five events of each.
"""
import csv
import os
import random
import subprocess

import pytest
from conftest import BUILD, ROOT
from test_command import MAPPED, RULES, Kith, accepted, check_orders, orders

RELEASE = ROOT / os.environ.get("KITH_RELEASE", BUILD)
COUNT = int(os.environ.get("KITH_IMPORT", "2000"))
VISITS = 5
PEOPLE = ("--map", "no=userId", "--map", "name=name", "--map", "mail=email", "--id", "no")
EVENTS = ("--event", "Visit", "--map", "who=userId", "--map", "shop=shop", "--id", "no")


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


def import_killed(kith, start, rules, path, words, victim, after):
    """An import whose `victim` is killed when `after` more events are in; who goes on, and whether
    it was in time."""
    with kith.begin("import", path, *words) as process:
        wanted = accepted(kith) + after
        while process.poll() is None and accepted(kith) < wanted:
            pass
        in_time = process.poll() is None
        process.kill() if victim == "kith" else kith.daemon.kill()
        process.communicate(timeout=60)
        if victim == "kithd" and process.returncode != 0:
            assert process.returncode == 3
    if victim == "kithd":
        kith = attach(start("--scripts", rules))
    return kith, in_time


@pytest.mark.long(12)
def test_whichever_side_is_killed_at_whatever_moment_nothing_is_lost_or_twice(
    start, rules, tmp_path
):
    path, wanted = orders(tmp_path / "orders.csv", 30000)
    kith, dice, died = attach(start("--scripts", rules)), random.Random(7), set()
    for victim in ("kithd", "kith", "kithd", "kithd", "kith"):
        kith, in_time = import_killed(
            kith, start, rules, path, MAPPED, victim, dice.randint(1, 5000)
        )
        died |= {victim} if in_time else set()
    assert died == {"kith", "kithd"}, "they were never killed in the middle"
    kith("import", path, *MAPPED)
    check_orders(kith, wanted)
    assert kith("verify").startswith("ok: ")


def write_people(path, count):
    with open(path, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["no", "name", "mail"])
        rows.writerows([n, f"Person {n}", f"p{n}@example.com"] for n in range(count))
    return path


def write_visits(path, count):
    with open(path, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["no", "who", "shop"])
        rows.writerows([f"visit {n}", n % count, f"shop {n % 3}"] for n in range(VISITS * count))
    return path


@pytest.mark.long(6)
def test_customers_and_five_events_of_each_killed_on_the_way(start, rules, tmp_path):
    people = write_people(tmp_path / "people.csv", COUNT)
    visits = write_visits(tmp_path / "visits.csv", COUNT)
    kith, dice = attach(start("--scripts", rules)), random.Random(11)
    for path, words, rows in ((people, PEOPLE, COUNT), (visits, EVENTS, VISITS * COUNT)):
        for victim in ("kith", "kithd"):
            after = dice.randint(1, rows // 2)
            kith, _ = import_killed(kith, start, rules, path, words, victim, after)
        assert kith.json("import", path, *words)[0]["rejected"] == 0
    for number in [0, COUNT - 1] + dice.sample(range(COUNT), 20):
        types = [item["type"] for item in kith.json("timeline", f"user_id:{number}")]
        assert types.count("Visit") == VISITS and types.count("identify") == 1, number
    last = kith.daemon.get("/v1/customers?limit=1&after=" + str(COUNT - 1)).json
    assert [item["id"] for item in last["items"]] == [COUNT] and last["next"] is None


def peak_kib(kith, *words):
    """The most memory that a call of the command ever had; what a sanitizer takes is not ours."""
    process = subprocess.Popen(
        [str(RELEASE / "kith"), *map(str, words)], env=kith.env, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss


@pytest.mark.long(12)
def test_the_commands_memory_does_not_grow_with_the_file(start, tmp_path):
    kith = attach(start())
    small = write_people(tmp_path / "small.csv", 2000)
    large = write_people(tmp_path / "large.csv", 40000)
    assert (
        peak_kib(kith, "import", large, *PEOPLE) < peak_kib(kith, "import", small, *PEOPLE) + 4096
    )
