#!/usr/bin/python3
"""bench.py --build DIR [--only NAME ...] -- Kith beside its peers, on this machine, in one run.

Ratios count, absolute figures do not: a peer does the same work with the same events on the same
disk, by turns with Kith, and what is printed are medians of several turns.  A peer that is not
installed is left out, and the output says so.

Every server is started here, on the loopback or a socket in a temporary directory inside the
build tree (so on a disk, not in memory), and is ended by its process id.
"""
import argparse
import contextlib
import os
import pathlib
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import events  # noqa: E402
import peers  # noqa: E402

EVENTS, CUSTOMERS, BATCH = 300_000, 100_000, 500
PEER_BATCH = 2000  # no network in between: larger batches are to their advantage
CONNECTIONS = 8
START_SECONDS_MAX = 60


class Failed(Exception):
    """A measurement cannot be made; the reason is printed in its place."""


# ---- Running things ----------------------------------------------------------------


def output_of(*command, **options):
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, **options
    )
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        raise Failed(f"{pathlib.Path(command[0]).name}: {lines[-1]}")
    return done.stdout


def numbers_of(text):
    """{line's name: its numbers} of what `bench` prints: the name ends at two blanks."""
    found = {}
    for line in text.splitlines():
        name, _, rest = line.partition("  ")
        found[name.strip()] = [
            float(n) for n in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])", rest)
        ]
    return found


class Kithd:
    """A daemon on a free port; its data stay when it ends."""

    def __init__(self, bench, data, config=None):
        self.data, self.log = data, data.with_suffix(".err")
        with open(self.log, "wb") as errors:
            self.process = subprocess.Popen(
                [
                    bench.build / "kithd",
                    "--data",
                    data,
                    "--listen",
                    "127.0.0.1:0",
                    "--scripts",
                    HERE / "rules",
                    *(["--config", config] if config else []),
                ],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
            )
        self.url = None

    def wait(self, is_ready=True):
        """Until it listens, and if wanted until all that it had has been applied."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise Failed("kithd ended: " + self.log.read_text()[-300:].strip())
            found = re.search(r"ready on (http://\S+)", self.log.read_text())
            if found:
                self.url = found.group(1)
                if not is_ready or self.is_ready():
                    return self
            time.sleep(0.005)
        raise Failed("kithd was not ready after %d s" % START_SECONDS_MAX)

    def is_ready(self):
        try:
            with urllib.request.urlopen(self.url + "/readyz", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def key(self, name):
        return self.data / (name + ".key")

    @property
    def pid(self):
        """Of the process that does the work: the one that was started is its parent."""
        started = self.process.pid
        return pathlib.Path(f"/proc/{started}/task/{started}/children").read_text().split()[0]

    def memory_bytes(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"^RssAnon:\s+(\d+) kB", status, re.M).group(1)) * 1024

    def cpu_seconds(self):
        text = pathlib.Path(f"/proc/{self.pid}/stat").read_text()
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def switches(self):
        """Voluntary context switches of all threads: how often anything woke up."""
        total = 0
        for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir():
            text = (task / "status").read_text()
            total += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.M).group(1))
        return total

    def end(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(START_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Bench:
    """What all measurements share: places, options, results."""

    def __init__(self, arguments, work):
        self.build = pathlib.Path(arguments.build)
        self.repeat, self.modules = arguments.repeat, arguments.node_modules
        self.work = pathlib.Path(work)

    def path(self, name):
        """A fresh directory."""
        place = self.work / name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        return place

    def events(self, name="events", count=EVENTS, customers=CUSTOMERS, seed=7, is_even=False):
        place = self.work / (name + ".ndjson")
        if not place.exists():
            with open(place, "w", encoding="ascii") as file:
                events.write(file, count, customers, seed, is_even)
        return place

    @contextlib.contextmanager
    def kithd(self, name="data", config=None):
        daemon = Kithd(self, self.path(name), config)
        try:
            yield daemon.wait()
        finally:
            daemon.end()

    def program(self, *words):
        return numbers_of(output_of(self.build / "bench", *words))


def say(what, value, note=""):
    print("%-46s %16s  %s" % (what, value, note), flush=True)


def rate(number):
    return "%s/s" % format(round(number), ",")


def ms(microseconds):
    return "%.2f ms" % (microseconds / 1000)


def mib(size):
    return "%.0f MiB" % (size / (1 << 20))


def size_of(folder):
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())


# ---- Measurements: each prints its lines ------------------------------------------------


def peers_turn(bench, file, missing):
    """{(peer, batch): events per second}; why a peer is left out goes into `missing`."""
    rates = {}
    for name, runner in (("tarantool", peers.tarantool), ("postgresql", peers.postgres)):
        try:
            with runner(bench.path("peer")) as run:
                for batch in (BATCH, PEER_BATCH):
                    rates[name, batch] = run(file, batch)
        except peers.Missing as reason:
            missing[name] = str(reason)
    return rates


def kith_turn(bench, file, config=None):
    """Events per second applied and acknowledged, and the p99 of a batch in microseconds."""
    with bench.kithd(config=config) as kithd:
        found = bench.program("ingest", kithd.url, kithd.key("write"), file, BATCH, CONNECTIONS)
    return found["applied"][0], found["durable"][0], found["batch acknowledged"][1]


def measure_ingest(bench):
    """Durable events per second, ten rules active; Kith over HTTP from a generator beside it."""
    file, missing, ours, theirs = bench.events(), {}, [], []
    for _ in range(bench.repeat):  # by turns: what else the machine does is then everybody's
        theirs.append(peers_turn(bench, file, missing))
        ours.append(kith_turn(bench, file))
    for name, reason in missing.items():
        say(name, "left out", reason)
    for name, batch in theirs[0]:
        say(
            f"{name}, batches of {batch:,}",
            rate(statistics.median(turn[name, batch] for turn in theirs)),
        )
    applied, durable, slowest = (statistics.median(turn[i] for turn in ours) for i in range(3))
    say(f"kith, batches of {BATCH:,}, acknowledged", rate(durable), f"p99 of a batch {ms(slowest)}")
    say(f"kith, batches of {BATCH:,}, applied", rate(applied), "the slower of the two counts:")
    for name, least, aim in (("tarantool", 2, 4), ("postgresql", 4, 10)):
        if name not in missing:
            times = statistics.median(
                min(our[:2]) / max(value for (peer, _), value in their.items() if peer == name)
                for our, their in zip(ours, theirs)
            )
            say(
                f"  times {name}",
                "%.2f" % times,
                f"at least {least}, aimed at {aim}; its better batch size, median of the turns",
            )


PLUGINS = """
plugins "%(build)s/plugins"
url "https://crm.example.com"
plugin "email" { grant = { "channel", "append", "read", "sockets", "work", "files" },
  config = { smtp = "smtp://127.0.0.1:1", from = "shop@example.com" } }
plugin "webhook" { grant = { "append", "channel", "fetch", "fetch-private", "routes" }, config = {
  hooks = { shop = { secret = secret "%(work)s/secret", customer = { "email:buyer" } } } } }
plugin "sms" { grant = { "channel", "fetch", "fetch-private", "routes", "append" },
  config = { account = "AC1", token = secret "%(work)s/secret", from = "+4930123456",
    url = "https://crm.example.com" } }
plugin "followup" { grant = { "append", "read", "staff", "routes", "on-behalf", "act:create",
  "act:move", "act:link", "act:change", "act:send", "act:remind", "act:after", "act:cancel" },
  config = { } }
plugin "complaint" { grant = { "append", "read", "staff", "routes", "act:create", "act:move",
  "act:link", "act:change", "act:send", "act:notify", "act:remind", "act:after", "act:cancel" },
  config = { } }
"""


def measure_plugins(bench):
    """The same events into a daemon with the five shipped plugins, and into one without."""
    file, config = bench.events(), bench.work / "plugins.lua"
    (bench.work / "secret").write_text("a key of at least sixteen bytes\n", "ascii")
    config.write_text(PLUGINS % {"build": bench.build, "work": bench.work}, "ascii")
    turns = [
        (min(kith_turn(bench, file)[:2]), min(kith_turn(bench, file, config)[:2]))
        for _ in range(bench.repeat)
    ]
    without, loaded = (statistics.median(turn[i] for turn in turns) for i in range(2))
    ratio = statistics.median(b / a for a, b in turns)
    say("kith without plugins", rate(without))
    say("kith with five plugins", rate(loaded), f"{ratio:.2f} times; at least 0.85")


def measure_boundary(bench):
    """A call of a plugin, in the daemon and isolated, beside a byte sent there and back."""
    file = bench.work / "boundary.so"
    flags = ["-std=c17", "-O2", "-fPIC", "-shared", "-fvisibility=hidden"]
    include = HERE.parents[1] / "plugins" / "sdk"
    output_of("cc", *flags, "-I", include, "-o", file, HERE / "plugins" / "boundary.c")
    runs = [bench.program("boundary", file) for _ in range(2 * bench.repeat)]

    def median(name):
        return statistics.median(run[name][0] for run in runs)

    peer = median("socket pair")
    say("one value read", "%.0f ns" % median("getter"), "aimed below 50 ns")
    say("one handler in the daemon", "%.0f ns" % median("call"))
    for name, what, note in (
        ("round trip", "one handler isolated", ""),
        ("batch", "one of a hundred isolated", "; aimed below 2,000 ns"),
    ):
        times = statistics.median(run[name][0] / run["socket pair"][0] for run in runs)
        say(what, "%.0f ns" % median(name), f"{times:.2f} times the socket pair{note}")
    say("a byte over a socket pair", "%.0f ns" % peer, "the peer")


def measure_parts(bench):
    """Microseconds of CPU per event, each part alone on one thread."""
    file = bench.events()
    runs = [
        bench.program("fold", file, "--data", bench.path("fold"), "--rules", HERE / "rules")
        for _ in range(bench.repeat)
    ]

    def cpu(name):
        return statistics.median(run[name][1] for run in runs)

    parse, whole = cpu("parse"), cpu("parse and envelope")
    plain, rules = cpu("apply without rules"), cpu("apply with rules")
    total = whole + cpu("log") + rules + cpu("checkpoint with rules")
    for name, value, note in (
        ("parse", parse, "JSON to documents"),
        ("envelope", whole - parse, "the entry written"),
        ("log", cpu("log"), "digest, compress, commit; without waiting for the disk"),
        ("apply", plain, "without rules"),
        ("Lua", rules - plain, "the ten rules and what they change"),
        ("checkpoint", cpu("checkpoint with rules"), "without waiting for the disk"),
        ("together", total, f"{1e6 / total:,.0f} events/s of one core"),
        ("read back", cpu("read back"), "a replay reads; it does not parse"),
    ):
        say(f"  {name}", "%.2f us" % value, note)


def measure_single(bench):
    """One event alone, durable, against what the disk takes for 500 bytes: by turns."""
    count, turns = 200, 2 * bench.repeat
    bare, found = [], []
    with bench.kithd() as kithd:
        for turn in range(turns):
            file = bench.events("single-%d" % turn, count + 100, CUSTOMERS, seed=turn + 100)
            bare.append(
                bench.program("bare", bench.path("bare") / "file", count)["bare append, fdatasync"]
            )
            found.append(
                bench.program("single", kithd.url, kithd.key("write"), file, count)[
                    "one event acknowledged"
                ]
            )
    for place, name in enumerate(("p50", "p99")):
        ours, theirs = (statistics.median(run[place] for run in runs) for runs in (found, bare))
        say(
            f"one event, {name}",
            ms(ours),
            "bare append and fdatasync %s: %.2f times%s"
            % (ms(theirs), ours / theirs, "; below 2, aimed at 1.5" if name == "p50" else ""),
        )


def measure_search(bench):
    """Who is it: parts of names, readings, ends of numbers, among 1,000,000 customers."""
    run = bench.program("search", 1_000_000, "--data", bench.path("search"))
    p50, p99, worst = run["search"][:3]
    say("kith, a page of a search, p99", ms(p99), f"p50 {ms(p50)}, max {ms(worst)}; below 20 ms")


def measure_timers(bench):
    """How late reminders are: 5,000 due per second for 10 s, a million more pending."""
    runs = [
        bench.program(
            "timers",
            5000,
            10,
            1_000_000,
            "--data",
            bench.path("timers"),
            "--rules",
            HERE / "timers",
        )
        for _ in range(bench.repeat)
    ]
    p50, p99, worst = (statistics.median(run["late"][i] for run in runs) for i in range(3))
    say(
        "kith, 1,000,000 pending, p99 late",
        ms(p99),
        f"p50 {ms(p50)}, latest {ms(worst)}; at most 20 ms, aimed at 5 ms",
    )
    say(
        "kith, reminders set",
        rate(statistics.median(run["set"][0] for run in runs)),
        "events that a rule turns into one each",
    )
    try:
        with peers.bullmq(bench.path("peer"), bench.modules) as run:
            found = numbers_of(run(50_000, 10_000, 6_000, 0))
    except peers.Missing as reason:
        say("bullmq", "left out", str(reason))
        return
    say(
        "bullmq on redis, nothing more pending, p99 late",
        ms(found["lateness"][1]),
        f"p50 {ms(found['lateness'][0])}",
    )
    say("bullmq on redis, set", rate(found["due set"][0]))


def measure_steady(bench):
    """20,000 events/s, batches of 100, beside 500 reads of a customer a second."""
    file = bench.events()
    with bench.kithd() as kithd:
        found = bench.program(
            "paced", kithd.url, kithd.key("admin"), file, 100, CONNECTIONS, 20_000, CUSTOMERS
        )
    reads, batches = found["read by key"], found["batch acknowledged"]
    say("read by key, p99", ms(reads[1]), f"p50 {ms(reads[0])}, slowest {ms(reads[2])}")
    say(
        "batch acknowledged, p99", ms(batches[1]), f"p50 {ms(batches[0])}, slowest {ms(batches[2])}"
    )


def measure_customers(bench):
    """A million customers, one order each: memory, files, idling, and a start after kill -9."""
    count = 1_000_000
    file = bench.events("customers", count, count, is_even=True)
    kithd = Kithd(bench, bench.path("million")).wait()
    try:
        found = bench.program("ingest", kithd.url, kithd.key("write"), file, BATCH, CONNECTIONS)
        busy = kithd.memory_bytes()
        time.sleep(5)
        say("a million customers, applied", rate(found["applied"][0]))
        say(
            "anonymous memory",
            mib(kithd.memory_bytes()),
            f"{mib(busy)} when the last event was in; below 2,048 MiB for ten times as many",
        )
        say(
            "files",
            mib(size_of(kithd.data)),
            "log %s, state %s"
            % (mib(size_of(kithd.data / "log")), mib(size_of(kithd.data / "state"))),
        )
        measure_idle(kithd)
        measure_replay(bench, kithd, count)
    finally:
        kithd.end()


def measure_idle(kithd, seconds=60):
    cpu, switches = kithd.cpu_seconds(), kithd.switches()
    time.sleep(seconds)
    say(
        f"idle for {seconds} s, CPU",
        "%.3f %%" % ((kithd.cpu_seconds() - cpu) / seconds * 100),
        f"{kithd.switches() - switches} wake-ups; below 0.2 %, none",
    )


def measure_replay(bench, kithd, count):
    kithd.end(signal.SIGKILL)
    began = time.monotonic()
    again = Kithd(bench, kithd.data)
    try:
        again.wait()
        say("ready after kill -9", "%.2f s" % (time.monotonic() - began), "at most 1 s")
    finally:
        again.end(signal.SIGKILL)
    shutil.rmtree(kithd.data / "state")
    began = time.monotonic()
    again = Kithd(bench, kithd.data)
    try:
        again.wait()
        say(
            "replay of the whole log",
            rate(count / (time.monotonic() - began)),
            "the state had been removed; at least 100,000/s",
        )
    finally:
        again.end()


MEASUREMENTS = {
    "ingest": measure_ingest,
    "parts": measure_parts,
    "plugins": measure_plugins,
    "boundary": measure_boundary,
    "single": measure_single,
    "timers": measure_timers,
    "search": measure_search,
    "steady": measure_steady,
    "customers": measure_customers,
}


# ---- The run -------------------------------------------------------------------------------


def describe_machine(place):
    model = re.search(r"^model name\s*:\s*(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    mounts = [line.split() for line in pathlib.Path("/proc/mounts").read_text().splitlines()]
    inside = [m for m in mounts if str(place).startswith(m[1].rstrip("/") + "/")]
    disk = max(inside, key=lambda m: len(m[1]), default=["?"] * 3)
    print(
        "%s, %d cores, %d GiB, Linux %s, %s on %s; load before: %.2f %.2f %.2f"
        % (
            model.group(1) if model else platform.machine(),
            os.cpu_count(),
            memory,
            platform.release(),
            disk[2],
            disk[0],
            *os.getloadavg(),
        ),
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--build",
        required=True,
        type=os.path.abspath,  # servers are started in directories of their own
        help="the build tree with kithd and bench",
    )
    parser.add_argument("--only", nargs="+", choices=MEASUREMENTS, default=list(MEASUREMENTS))
    parser.add_argument("--repeat", type=int, default=3, help="runs that a median is taken of")
    parser.add_argument(
        "--node-modules", default=".", help="a directory in which node finds bullmq and ioredis"
    )
    arguments = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory(prefix="bench-", dir=arguments.build) as work:
        os.chmod(work, 0o755)  # PostgreSQL refuses to run as root, and must get in
        bench = Bench(arguments, work)
        describe_machine(bench.work)
        for name in arguments.only:
            print(f"\n{name}: {MEASUREMENTS[name].__doc__}", flush=True)
            try:
                MEASUREMENTS[name](bench)
            except (Failed, OSError) as reason:
                say(name, "failed", str(reason))
                failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
