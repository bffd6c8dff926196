#!/usr/bin/python3
"""import_trial.py [--count N] [--orders N] [--kills N] [--seed N] -- a large import, then search.

N customers and some orders of each are written as CSV, imported by the command into a daemon, and
both are killed at random moments, in turns; the same command goes on.  Afterwards every customer
and every order is read back: each must be there once, and must have counted once.  Then clerks
search among the names, first alone and then while orders come in.

Prints what it took.  Exits 1 when anything is missing, twice, or wrong.
"""
import argparse
import json
import multiprocessing
import os
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

import made_up
from conftest import BUILD, Daemon

QUERIES = 2000  # of each kind
LOAD_PER_SECOND = 2000
TICK = os.sysconf("SC_CLK_TCK")


def say(*words):
    print(*words, flush=True)


def mib(size):
    return f"{size / (1 << 20):,.0f} MiB"


def size_of(folder):
    return sum(
        os.stat(os.path.join(at, name)).st_blocks * 512
        for at, _, names in os.walk(folder)
        for name in names
    )


# ---- Processes ---------------------------------------------------------------------------


class Watch:
    """What a process takes, looked at ten times a second until it is gone."""

    def __init__(self, pid):
        self.pid, self.cpu, self.anonymous, self.resident = pid, 0.0, 0, 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def look(self):
        try:
            status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
            fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return False
        kib = dict(re.findall(r"^(RssAnon|VmHWM):\s+(\d+) kB", status, re.M))
        self.anonymous = max(self.anonymous, 1024 * int(kib.get("RssAnon", 0)))
        self.resident = max(self.resident, 1024 * int(kib.get("VmHWM", 0)))
        self.cpu = max(self.cpu, (int(fields[11]) + int(fields[12])) / TICK)
        return True

    def _run(self):
        while not self.ended.wait(0.1) and self.look():
            pass

    def end(self):
        self.look()
        self.ended.set()
        self.thread.join()
        return self


class House:
    """A data directory, and the daemon that runs on it just now."""

    def __init__(self, folder):
        self.folder, self.daemon, self.watches = folder, None, []
        (folder / "rules").mkdir()
        (folder / "rules" / "rules.lua").write_text(made_up.RULES)

    def start(self):
        before = time.monotonic()
        self.daemon = Daemon(self.folder / "data", ["--scripts", str(self.folder / "rules")])
        self.daemon.wait_line("ready on", 600)
        self.daemon.ready()
        self.watches.append(Watch(self.daemon.pid))
        return time.monotonic() - before

    def kill(self):
        self.watches[-1].end()
        self.daemon.kill()

    def stop(self):
        self.watches[-1].end()
        assert self.daemon.stop() == 0, self.daemon.lines

    def abandon(self):
        """After a failure; nothing if it has ended."""
        if self.daemon is not None and self.daemon.process.poll() is None:
            self.daemon.kill()

    def environment(self):
        return dict(
            os.environ,
            KITH_URL=f"http://127.0.0.1:{self.daemon.port}",
            KITH_KEY=self.daemon.key("admin"),
        )

    def accepted(self, connection):
        text = self.daemon.get("/metrics", connection=connection).body.decode()
        return int(re.search(r"^kith_events_accepted_total (\d+)", text, re.M).group(1))


# ---- The import ---------------------------------------------------------------------------


class Attempt:
    """One run of `kith import`, to its end or to that of its victim."""

    def __init__(self, house, path, words, victim=None, after=0):
        self.victim, connection = victim, house.daemon.connect()
        start, first = time.monotonic(), house.accepted(connection)
        cpu_before = house.watches[-1].end().cpu
        house.watches.append(Watch(house.daemon.pid))
        process = subprocess.Popen(
            [str(BUILD / "kith"), "import", str(path), *words],
            env=house.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        watch, self.sent = Watch(process.pid), 0
        while process.poll() is None:
            self.sent = house.accepted(connection) - first
            if victim is not None and self.sent >= after:
                break
            time.sleep(0.02)
        connection.close()
        self.is_killed = process.poll() is None
        if self.is_killed and victim == "kith":
            process.kill()
        elif self.is_killed:
            house.kill()
        self.out, self.err = process.communicate(timeout=120)
        self.code, self.seconds = process.returncode, time.monotonic() - start
        self.command, self.daemon = watch.end(), house.watches[-1].end()
        self.daemon_cpu = self.daemon.cpu - cpu_before

    def tell(self):
        how = f"{self.victim} killed" if self.is_killed else "to the end"
        say(
            f"  {how:12} {self.sent:>9,} events  {self.seconds:7.1f} s"
            f"  {self.sent / self.seconds:>7,.0f}/s"
            f"  CPU us an event: daemon {1e6 * self.daemon_cpu / max(1, self.sent):.1f},"
            f" command {1e6 * self.command.cpu / max(1, self.sent):.1f};"
            f"  command {mib(self.command.resident)}"
        )


def import_killed(house, path, words, count, kills, dice):
    """All attempts at one file, the last of them to the end."""
    attempts = []
    for number in range(kills):
        victim = ("kith", "kithd")[number % 2]
        attempts.append(Attempt(house, path, words, victim, dice.randint(1, count)))
        attempts[-1].tell()
        if attempts[-1].is_killed and victim == "kithd":
            say(f"  the daemon is ready again after {house.start():.1f} s")
    attempts.append(Attempt(house, path, words))
    attempts[-1].tell()
    last = attempts[-1]
    assert last.code == 0, last.err
    assert "rejected" not in last.out, last.out
    return attempts


# ---- Search -------------------------------------------------------------------------------


def part_of_name(dice, it):
    if it.is_chinese:
        return None
    size = dice.randint(3, len(it.surname))
    return it.surname[:size] if dice.random() < 0.7 else it.surname[-size:]


def whole_name(dice, it):
    return it.name


def pinyin(dice, it):
    return pinyin_of(it, "") if it.is_chinese else None


def initials(dice, it):
    return "".join(word[0] for word in pinyin_of(it, " ").split()) if it.is_chinese else None


def characters(dice, it):
    return dice.choice([it.surname, it.given, it.name, it.given[-1]]) if it.is_chinese else None


def end_of_number(dice, it):
    return it.phone[-dice.randint(4, 8) :]


def mail(dice, it):
    return dice.choice([it.email, it.email[: it.email.index("@")], it.email[:5]])


KINDS = (part_of_name, whole_name, pinyin, initials, characters, end_of_number, mail)


def pinyin_of(it, between):
    return between.join(READINGS[character] for character in it.name)


READINGS = {}


def learn_readings():
    """Of each character, by ICU's own tool, so that the queries are not made by what is tried."""
    characters = "".join(sorted(set(made_up.SURNAMES + made_up.GIVEN)))
    done = subprocess.run(
        ["uconv", "-f", "utf-8", "-t", "utf-8", "-x", "Han-Latin; Latin-ASCII"],
        input="\n".join(characters),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    READINGS.update(zip(characters, done.stdout.split("\n")))


def search_all(daemon, count, seed):
    """{kind: seconds of each query, sorted}"""
    dice, connection, taken = random.Random(seed), daemon.connect(), {}
    people = [it for it in made_up.customers(min(count, 200000), seed) if dice.random() < 0.3]
    for kind in KINDS:
        times = taken[kind.__name__] = []
        while len(times) < QUERIES:
            query = kind(dice, dice.choice(people))
            if query is None:
                continue
            path = "/v1/customers?" + urllib.parse.urlencode({"q": query})
            before = time.perf_counter()
            answer = daemon.get(path, connection=connection)
            times.append(time.perf_counter() - before)
            assert answer.status == 200 and answer.json["items"], (query, answer.body)
        times.sort()
    connection.close()
    return taken


def tell_search(title, taken):
    say(f"\nsearch, {title}: ms over HTTP, {QUERIES} of each kind")
    say(f"  {'':16} {'p50':>8} {'p99':>8} {'max':>8}")
    for name, times in taken.items():
        p99 = times[len(times) * 99 // 100]
        line = (statistics.median(times), p99, times[-1])
        say(f"  {name.replace('_', ' '):16}", *(f"{1e3 * value:8.2f}" for value in line))


def load(port, key, count, ends):
    """Orders, so many a second, by a process of its own, until told to end."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port)
    dice, size, number, start = random.Random(3), LOAD_PER_SECOND // 20, 0, time.monotonic()
    while not ends.is_set():
        batch = [
            {
                "type": "track",
                "event": "Order Completed",
                "userId": str(dice.randrange(count)),
                "messageId": f"load {number + i}",
                "properties": {"cents": 1},
            }
            for i in range(size)
        ]
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        connection.request("POST", "/v1/batch", json.dumps({"batch": batch}), headers)
        response = connection.getresponse()
        response.read()
        number += size
        time.sleep(max(0, start + number / LOAD_PER_SECOND - time.monotonic()))


def search_while_orders_come(daemon, count, seed):
    ends = multiprocessing.Event()
    process = multiprocessing.Process(
        target=load, args=(daemon.port, daemon.key("write"), count, ends)
    )
    process.start()
    time.sleep(3)
    taken = search_all(daemon, count, seed)
    ends.set()
    process.join()
    return taken


# ---- The trial ----------------------------------------------------------------------------


def run(folder, house, options):
    count, dice = options.count, random.Random(options.seed)
    people = made_up.write_customers(folder / "customers.csv", count, options.seed)
    orders = made_up.Orders(folder / "orders.csv", options.orders * count, count, options.seed)
    sizes = [os.path.getsize(path) for path in (people, orders.path)]
    say(
        f"{count:,} customers ({mib(sizes[0])}), {orders.count:,} orders ({mib(sizes[1])});"
        f" load average {os.getloadavg()[0]:.1f}"
    )
    house.start()
    for title, path, words, rows in (
        ("customers", people, made_up.CUSTOMER_WORDS, count),
        ("orders", orders.path, made_up.ORDER_WORDS, orders.count),
    ):
        say(f"\n{title}")
        before = time.monotonic()
        import_killed(house, path, words, rows, options.kills, dice)
        say(f"  all {rows:,} are in after {time.monotonic() - before:.1f} s")
        data = house.folder / "data"
        say(f"  log {mib(size_of(data / 'log'))}, state {mib(size_of(data / 'state'))}")
    say(
        f"\nmost memory of the daemon: {mib(max(w.anonymous for w in house.watches))} of its own,"
        f" {mib(max(w.resident for w in house.watches))} with the pages of its files"
    )
    before = time.monotonic()
    made_up.check_customers(house.daemon, orders, count)
    made_up.check_orders(house.daemon, orders.count)
    say(f"read back in {time.monotonic() - before:.1f} s: each there once, each counted once")
    learn_readings()
    tell_search("an idle daemon", search_all(house.daemon, count, options.seed))
    tell_search(
        f"{LOAD_PER_SECOND:,} orders a second",
        search_while_orders_come(house.daemon, count, options.seed),
    )
    if options.verify:
        before = time.monotonic()
        answer = house.daemon.post("/v1/verify", None)
        assert answer.json["ok"], answer.body
        say(f"\nverified in {time.monotonic() - before:.1f} s: the state is what the log says")
    house.stop()
    say(f"load average {os.getloadavg()[0]:.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000000)
    parser.add_argument("--orders", type=int, default=5, help="of each customer")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verify", action="store_true", help="fold the whole log once more")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kith-import-", dir=os.environ.get("TMPDIR")))
    house = House(folder)
    try:
        run(folder, house, options)
    finally:
        house.abandon()
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
