"""Large imports: whoever dies, and whenever, nothing is there twice; memory stays what it was.

KITH_IMPORT=20000 makes the longer run: so many customers, and five orders of each.  import_trial.py
is the long one, and measures.
"""
import os
import random
import subprocess

import made_up
import pytest
from command import attach
from conftest import RELEASE
from test_command import MAPPED, RULES, accepted, check_orders, orders

pytestmark = pytest.mark.volume
COUNT = int(os.environ.get("KITH_IMPORT", "2000"))
ORDERS_EACH = 5


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


@pytest.mark.long(6)
def test_customers_and_five_orders_of_each_killed_on_the_way(start, tmp_path):
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "rules.lua").write_text(made_up.RULES)
    people = made_up.write_customers(tmp_path / "customers.csv", COUNT)
    orders = made_up.Orders(tmp_path / "orders.csv", ORDERS_EACH * COUNT, COUNT)
    kith, dice = attach(start("--scripts", rules)), random.Random(11)
    for path, words, rows in (
        (people, made_up.CUSTOMER_WORDS, COUNT),
        (orders.path, made_up.ORDER_WORDS, orders.count),
    ):
        for victim in ("kith", "kithd"):
            after = dice.randint(1, rows // 2)
            kith, _ = import_killed(kith, start, rules, path, words, victim, after)
        assert kith.json("import", path, *words)[0]["rejected"] == 0
    made_up.check_customers(kith.daemon, orders, COUNT)
    made_up.check_orders(kith.daemon, orders.count)


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
    words = ("import", "--historic", *made_up.CUSTOMER_WORDS)
    small = made_up.write_customers(tmp_path / "small.csv", 2000)
    large = made_up.write_customers(tmp_path / "large.csv", 40000)
    assert peak_kib(kith, *words, large) < peak_kib(kith, *words, small) + 4096
