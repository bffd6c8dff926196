"""A plugin is loaded anew while the daemon runs: nothing is lost, nothing happens twice, and
whoever folds the log anew gets the same."""
import http.client
import random
import subprocess
import threading
import time

import pytest

from conftest import ROOT, eventually
from plugin_house import FLAGS, House, kith, verified

NAME = "good_tally"
RULE = 'rule "tally" {{ on = "Order Completed", run = function(event, customer)\n  {}\nend }}\n'


@pytest.fixture(name="house")
def _house(start, tmp_path):
    return House(tmp_path, start, NAME, "TALLY", (1, 2))


def order(number, **more):
    return {"type": "track", "event": "Order Completed", "userId": f"u-{number}", **more}


def traits_of(daemon, number):
    traits = daemon.get(f"/v1/customers/user_id:u-{number}").json["traits"]
    return {key.removeprefix(f"{NAME}."): value for key, value in traits.items()}


class Clients:
    """Several who send orders, each for a customer of its own, as fast as they are acknowledged."""

    def __init__(self, daemon, count):
        self.daemon, self.acknowledged = daemon, [0] * count
        self.is_over, self.faults = False, []
        self.threads = [
            threading.Thread(target=self.send, args=(number,), daemon=True)
            for number in range(count)
        ]

    def send(self, number):
        connection = self.daemon.connect()
        try:
            while not self.is_over:
                batch = {"batch": [order(number) for _ in range(7)]}
                answer = self.daemon.call("POST", "/v1/batch", batch, "write", None, connection)
                if answer.status == 429:
                    time.sleep(0.05)
                    continue
                assert answer.status in (200, 202), answer.body
                self.acknowledged[number] += 7
        except Exception as fault:  # pylint: disable=broad-except
            self.faults.append(fault)
        finally:
            connection.close()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        for thread in self.threads:
            thread.join(60)


@pytest.mark.parametrize("options", ["", "isolate = true"])
def test_under_load_every_order_is_counted_once_by_one_of_the_two(options, house):
    daemon = house.open(options)
    with Clients(daemon, 4) as clients:
        for number in (2, 1, 2, 1, 2):
            before = sum(clients.acknowledged)
            eventually(lambda before=before: sum(clients.acknowledged) > before + 200)
            house.put(number)
            answer = house.reload(daemon)
            assert answer.status == 200, answer.body
            assert answer.json["version"] == str(number)
            assert answer.json["isolated"] == (options != "")
        before = sum(clients.acknowledged)
        eventually(lambda: sum(clients.acknowledged) > before + 200)
    assert not clients.faults
    daemon.send(order("last"))  # behind all of them
    seen = [traits_of(daemon, number) for number in range(4)]
    assert [traits["orders"] for traits in seen] == clients.acknowledged
    assert sum(traits["second"] for traits in seen) > 200
    assert any(traits["second"] < traits["orders"] for traits in seen)
    assert verified(daemon) == (True, [], True)
    assert daemon.stop() == 0
    daemon = house.start("--config", house.config)
    assert [traits_of(daemon, number)["orders"] for number in range(4)] == clients.acknowledged
    assert verified(daemon) == (True, [], True)


def test_the_command_says_what_is_in_force(house):
    daemon = house.open()
    daemon.send(order(1))
    house.put(2)
    code, said, err = kith(daemon, "plugin", "reload", NAME)
    assert code == 0 and said.startswith(f"plugin {NAME} has been reloaded: version 2, file "), err
    code, said, err = kith(daemon, "plugin", "reload", "nobody")
    assert code != 0 and 'there is no plugin "nobody"' in err
    daemon.send(order(1))
    assert traits_of(daemon, 1) == {"orders": 2, "second": 1, "weight": 2}
    assert daemon.post(f"/v1/plugins/{NAME}/reload", {}, key="write").status == 403
    assert daemon.post(f"/v1/plugins/{NAME}/reload", {"now": True}).status == 422


def test_what_cannot_be_loaded_changes_nothing(house):
    daemon = house.open()
    daemon.send(order(1))
    for data, word in (
        (b"no shared object", "cannot be loaded"),
        (house.built[2][:5000], "ended while it was loaded"),
    ):
        house.put_bytes(data)
        answer = house.reload(daemon)
        assert answer.status == 422 and word in answer.json["detail"], answer.body
    (house.folder / f"{NAME}.so").unlink()
    answer = house.reload(daemon)
    assert answer.status == 422 and "No such file" in answer.json["detail"]
    daemon.send(order(1))
    assert traits_of(daemon, 1) == {"orders": 2, "second": 0, "weight": 2}
    house.put(2)
    assert house.reload(daemon).status == 200
    daemon.send(order(1))
    assert traits_of(daemon, 1) == {"orders": 3, "second": 1, "weight": 3}
    assert verified(daemon) == (True, [], True)


def test_one_that_crashes_when_it_is_loaded_ends_no_daemon(house, tmp_path):
    daemon = house.open()
    pid = daemon.pid
    bad = tmp_path / "bad.so"
    source = tmp_path / "bad.c"
    source.write_text(
        '#include "kith.h"\nconst struct kith_plugin *kith_describe(void)\n'
        "{ *(volatile int *)0 = 1; return 0; }\n"
    )
    subprocess.run(
        ["cc", *FLAGS.split(), "-Wno-error", "-I", ROOT / "plugins" / "sdk", "-o", bad, source],
        check=True,
    )
    house.put_bytes(bad.read_bytes())
    answer = house.reload(daemon)
    assert answer.status == 422 and "ended while it was loaded" in answer.json["detail"]
    assert daemon.pid == pid
    daemon.send(order(1))
    assert traits_of(daemon, 1)["orders"] == 1


@pytest.mark.parametrize("options", ["", "isolate = true, "])
def test_another_config_is_in_force_from_then_on_and_not_before(options, house):
    daemon = house.open(options + "config = { weight = 10 }")
    daemon.send(order(1))
    house.configure(options + "config = { weight = 1000 }")
    daemon.process.send_signal(1)
    # The parent passes it on; what is said is what to do.
    daemon.wait_line(f"plugin {NAME} is configured otherwise.*: kith plugin reload {NAME}")
    daemon.send(order(1))
    assert traits_of(daemon, 1)["weight"] == 20
    assert house.reload(daemon).status == 200
    daemon.send(order(1))
    assert traits_of(daemon, 1)["weight"] == 1020
    assert verified(daemon) == (True, [], True)
    count = len(daemon.lines)
    daemon.process.send_signal(1)
    eventually(lambda: any("it has not changed" in line for line in daemon.lines[count:]))
    house.configure(options + "config = { wait = 1000 }")
    answer = house.reload(daemon)
    assert answer.status == 422 and "config.wait" in answer.json["detail"]
    house.configure(options + "config = { weight = 5 }")
    assert daemon.stop() == 0
    daemon = house.start("--config", house.config)
    daemon.send(order(1))
    assert traits_of(daemon, 1)["weight"] == 1025
    assert verified(daemon) == (True, [], True)


def test_it_may_move_into_a_process_of_its_own_and_back(house):
    daemon = house.open()
    daemon.send(order(1))
    for options in ("isolate = true", "", "isolate = true"):
        house.configure(options)
        answer = house.reload(daemon)
        assert answer.status == 200 and answer.json["isolated"] == (options != "")
        daemon.send(order(1))
    assert traits_of(daemon, 1)["orders"] == 4
    house.config.write_text("", "utf-8")
    answer = house.reload(daemon)
    assert answer.status == 422 and "does not name" in answer.json["detail"]
    house.configure("isolate = true")


def test_the_same_file_again_writes_nothing(house):
    daemon = house.open("isolate = true")
    daemon.send(order(1))
    entries = daemon.get("/v1/state-hash").json["seq"]
    assert house.reload(daemon).status == 200
    assert daemon.get("/v1/state-hash").json["seq"] == entries
    daemon.send(order(1))
    assert traits_of(daemon, 1)["orders"] == 2


def test_rules_that_call_what_is_gone_refuse_it(house, tmp_path):
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "rules.lua").write_text(
        RULE.format(f'customer:set("by", {NAME}.first {{}})'), "utf-8"
    )
    house.configure()
    daemon = house.start("--config", house.config, "--scripts", scripts)
    house.put(2)
    answer = house.reload(daemon)
    assert answer.status == 422, answer.body
    detail = answer.json["detail"]
    assert "the rules in force do not load with it: rules.lua:2: " in detail
    assert 'plugin good_tally has no function "first"' in detail and "version" in detail
    daemon.send(order(1))
    assert daemon.get("/v1/customers/user_id:u-1").json["traits"]["by"] == 1
    (scripts / "rules.lua").write_text(
        RULE.format(f'customer:set("by", {NAME}.version {{}})'), "utf-8"
    )
    code, _, err = kith(daemon, "deploy", str(scripts))
    assert code == 0, err
    assert house.reload(daemon).status == 200
    daemon.send(order(1))
    assert daemon.get("/v1/customers/user_id:u-1").json["traits"]["by"] == 2
    (scripts / "rules.lua").write_text(
        RULE.format(f'customer:set("by", {NAME}.first {{}})'), "utf-8"
    )
    code, _, err = kith(daemon, "deploy", str(scripts))
    assert code != 0 and 'has no function "first"' in err
    assert verified(daemon) == (True, [], True)


class Sender:
    """One client that knows what was acknowledged, and repeats after a crash what was not."""

    def __init__(self):
        self.sent, self.coming = 0, []

    def send(self, daemon):
        if not self.coming:
            first = self.sent
            self.coming = [order("k", messageId=f"k-{first + i}") for i in range(5)]
        answer = daemon.call("POST", "/v1/batch", {"batch": self.coming}, "write")
        if answer.status == 200:
            self.sent += len(self.coming)
            self.coming = []

    def run(self, daemon, is_over):
        while not is_over.is_set():
            try:
                self.send(daemon)
            except (OSError, http.client.HTTPException):
                return  # it is dead


def reload_for_ever(daemon, house, numbers, is_over):
    while not is_over.is_set():
        house.put(numbers.choice((1, 2)))
        try:
            house.reload(daemon)
        except (OSError, http.client.HTTPException):
            return


@pytest.mark.long(40)
@pytest.mark.parametrize("options", ["", "isolate = true"])
def test_killed_at_any_moment_it_goes_on_with_one_of_the_two(options, house):
    numbers = random.Random(7)
    sender = Sender()
    for _ in range(25):
        daemon = house.open(options)
        is_over = threading.Event()
        threads = [
            threading.Thread(target=sender.run, args=(daemon, is_over), daemon=True),
            threading.Thread(
                target=reload_for_ever, args=(daemon, house, numbers, is_over), daemon=True
            ),
        ]
        for thread in threads:
            thread.start()
        time.sleep(numbers.random() * 0.4)
        daemon.kill()
        is_over.set()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()
    daemon = house.open(options)
    sender.send(daemon)
    daemon.send(order("last"))
    assert traits_of(daemon, "k")["orders"] == sender.sent
    assert verified(daemon) == (True, [], True)
