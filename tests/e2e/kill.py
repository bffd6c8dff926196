#!/usr/bin/python3
"""Kills the real daemon at random moments while clients stream, and counts what is left.

    kill.py --build DIR [--cycles N] [--seed N] [--faults]

Three clients send events in batches and repeat what was not acknowledged; every event asks for
a reminder a few seconds ahead.  At the end: every acknowledged event stands on its customer's
timeline, none twice; every reminder fired exactly once; the state equals a fresh fold of the log.
With --faults a library in front of the C library makes writes and flushes fail and the disk fill
up, besides the kills.
"""
import argparse
import base64
import http.client
import json
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
RULES = """
rule "follow up" {
  on = "Order Completed",
  run = function(event, customer)
    customer:set("orders", (customer.orders or 0) + 1)
    remind { title = "call", to = "anna", due = event.wait .. "s", key = event.number }
  end,
}
rule "count what was due" {
  on = "reminder.due",
  run = function(event, customer)
    customer:set("due", (customer.due or 0) + 1)
  end,
}
"""
CUSTOMERS = 20


class Daemon:
    """One kithd, started and killed again and again on the same data."""

    def __init__(self, build, directory, preload=None):
        self.build, self.dir, self.preload = build, directory, preload
        self.process, self.port = None, None
        os.makedirs(directory + "/scripts", exist_ok=True)
        with open(directory + "/scripts/rules.lua", "w") as file:
            file.write(RULES)

    def start(self, faults=False):
        env = dict(os.environ)
        if self.preload and faults:
            env["LD_PRELOAD"] = self.preload
            env["KITH_FAULTS"] = self.dir + "/faults"
        self.process = subprocess.Popen(
            [
                self.build + "/kithd",
                "--data",
                self.dir + "/data",
                "--scripts",
                self.dir + "/scripts",
                "--listen",
                "127.0.0.1:0",
            ],
            stderr=subprocess.PIPE,
            text=True,
            env=env,
        )
        said = []
        for line in self.process.stderr:
            said.append(line)
            ready = re.search(r"ready on http://127\.0\.0\.1:(\d+)", line)
            if ready:
                self.port = int(ready.group(1))
                self.listener = threading.Thread(target=self.listen, daemon=True)
                self.listener.start()
                return True
        self.process.wait()
        self.said = "".join(said)
        return False

    def listen(self):
        for _ in self.process.stderr:
            pass

    def kill(self, number=signal.SIGKILL):
        self.port = None
        self.process.send_signal(number)
        return self.process.wait()

    def key(self):
        with open(self.dir + "/data/admin.key") as file:
            return file.read().strip()

    def call(self, method, path, body=None, connection=None):
        connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        basic = base64.b64encode((self.key() + ":").encode()).decode()
        connection.request(
            method,
            path,
            json.dumps(body) if body is not None else None,
            {"Authorization": "Basic " + basic, "Content-Type": "application/json"},
        )
        answer = connection.getresponse()
        data = answer.read()
        return answer.status, json.loads(data) if data[:1] in (b"{", b"[") else data


class Client(threading.Thread):
    """Sends numbered events; what was not acknowledged is sent again, word for word."""

    def __init__(self, daemon, name, seed):
        super().__init__(daemon=True)
        self.daemon_, self.name_, self.dice = daemon, name, random.Random(seed)
        self.acked, self.refused, self.stopping = [], 0, False

    def batch(self, first):
        events = []
        for number in range(first, first + self.dice.randint(1, 12)):
            ident = "%s-%d" % (self.name_, number)
            events.append(
                {
                    "type": "track",
                    "event": "Order Completed",
                    "messageId": ident,
                    "userId": "u-%d" % self.dice.randrange(CUSTOMERS),
                    "properties": {"number": ident, "wait": self.dice.randint(1, 6)},
                }
            )
        return events

    def run(self):
        number, events, connection, port = 0, None, None, None
        while not self.stopping or events is not None:
            events = events or self.batch(number)
            try:
                if port != self.daemon_.port:
                    port = self.daemon_.port
                    connection = (
                        http.client.HTTPConnection("127.0.0.1", port, timeout=10) if port else None
                    )
                if connection is None:
                    time.sleep(0.005)
                    continue
                status, _ = self.daemon_.call("POST", "/v1/batch", {"batch": events}, connection)
            except (OSError, http.client.HTTPException, ValueError):
                port, connection = None, None
                time.sleep(0.005)
                continue
            if status == 200:
                self.acked += [event["messageId"] for event in events]
                number, events = number + len(events), None
                time.sleep(0.03)  # many moments rather than many events
            elif status in (429, 503):
                self.refused += 1
                time.sleep(0.02)
            else:
                raise AssertionError("answered %d" % status)


def timelines(daemon):
    """Every timeline row of every customer."""
    for customer in range(CUSTOMERS):
        after = ""
        while after is not None:
            status, page = daemon.call(
                "GET", "/v1/customers/user_id:u-%d/timeline?limit=1000%s" % (customer, after)
            )
            if status == 404:
                break
            assert status == 200, page
            yield from page["items"]
            after = "&after=" + page["next"] if page["next"] else None


def check(daemon, clients):
    sent, due, created = {}, {}, 0
    for row in timelines(daemon):
        if row["type"] == "Order Completed":
            sent[row["messageId"]] = sent.get(row["messageId"], 0) + 1
        elif row["type"] == "reminder.due":
            due[row["data"]["task"]] = due.get(row["data"]["task"], 0) + 1
        elif row["type"] == "reminder.created":
            created += 1
    acked = [ident for client in clients for ident in client.acked]
    lost = [ident for ident in acked if ident not in sent]
    twice = [ident for ident, count in sent.items() if count > 1]
    assert not lost, "acknowledged and lost: %s" % lost[:5]
    assert not twice, "counted twice: %s" % twice[:5]
    assert created == len(sent), "%d reminders for %d events" % (created, len(sent))
    assert all(count == 1 for count in due.values()), "a reminder fired twice"
    assert len(due) == created, "%d of %d reminders fired" % (len(due), created)
    status, verdict = daemon.call("POST", "/v1/verify")
    assert status == 200 and verdict["ok"], verdict
    return len(acked), len(sent), len(due)


def plan_faults(daemon, dice):
    """What the library in front of the C library does next (tests/e2e/faults.c)."""
    fault = dice.choice(["none", "write EIO", "flush EIO", "write ENOSPC", "full", "none"])
    with open(daemon.dir + "/faults.new", "w") as file:
        file.write("%s %d\n" % (fault, dice.randint(0, 30)))
    os.rename(daemon.dir + "/faults.new", daemon.dir + "/faults")


def run(build, cycles, seed, faults):
    dice = random.Random(seed)
    directory = tempfile.mkdtemp(prefix="kith-kill-")
    preload = None
    if faults:
        preload = directory + "/faults.so"
        subprocess.run(
            [
                "cc",
                "-shared",
                "-fPIC",
                "-O1",
                "-D_GNU_SOURCE",
                "-o",
                preload,
                HERE + "/faults.c",
                "-ldl",
            ],
            check=True,
        )
    daemon = Daemon(build, directory, preload)
    assert daemon.start(), daemon.said
    clients = [Client(daemon, "c%d" % i, seed * 10 + i) for i in range(3)]
    for client in clients:
        client.start()
    refusals = 0
    for _ in range(cycles):
        if faults:
            plan_faults(daemon, dice)
        time.sleep(dice.choice([0.005, 0.05, 0.2, 0.4]) * dice.random() * 2)
        daemon.kill()
        while not daemon.start(faults):
            refusals += 1  # the disk refused: a supervisor would try again
            assert faults, daemon.said
            plan_faults(daemon, dice)
    if faults:
        daemon.kill()
        assert daemon.start(), daemon.said
    for client in clients:
        client.stopping = True
    for client in clients:
        client.join(60)
        assert not client.is_alive(), "a client still waits for its acknowledgement"
    time.sleep(8)  # the last reminder is due
    acked, sent, due = check(daemon, clients)
    assert daemon.kill(signal.SIGTERM) == 0
    shutil.rmtree(directory)
    print(
        "%d kills: %d events acknowledged, %d counted, %d reminders fired once; "
        "%d answers 503, %d starts refused"
        % (cycles, acked, sent, due, sum(client.refused for client in clients), refusals)
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", action="store_true")
    args = parser.parse_args()
    run(args.build, args.cycles, args.seed, args.faults)


if __name__ == "__main__":
    main()
