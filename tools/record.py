#!/usr/bin/python3
"""record.py [--check] -- the terminal recording in README.md, made anew.

The README shows how to begin: a daemon, a rule, a few commands and what they print.  Here all of
it is done as it stands there, with a daemon of its own; the lines behind each `$ ` of the
```console block become what was really printed.  With --check nothing is written, and the exit
code says whether the README still tells the truth.  Times are the only thing that may differ.

    record.py          after a command has begun to print something else
    record.py --check  as the tests do
"""
import difflib
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BUILD = ROOT / os.environ.get("KITH_BUILD", "build/release")
READY_SECONDS = 60
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
CONSOLE = re.compile(r"(?<=```console\n).*?(?=```)", re.S)
RULE = re.compile(r"```lua\n(.*?)```", re.S)


def wait_for(is_there, process, what):
    deadline = time.monotonic() + READY_SECONDS
    while not is_there():
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"record: {what}")
        time.sleep(0.05)


class Session:
    """A daemon that watches an empty directory of rules, and a shell beside it."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.rules, self.data = self.folder / "rules", self.folder / "data"
        self.log = self.folder / "kithd.log"
        self.rules.mkdir()
        with open(self.log, "w") as said:
            self.process = subprocess.Popen(
                [BUILD / "kithd", "--data", self.data, "--scripts", self.rules, "--dev"]
                + ["--listen", "127.0.0.1:0"],
                stderr=said,
            )
        self.wait(r"ready on (\S+)", "the daemon is not ready")
        self.env = dict(
            os.environ,
            KITH_URL=re.search(r"ready on (\S+)", self.log.read_text()).group(1),
            KITH_KEY=(self.data / "admin.key").read_text().strip(),
            PATH=f"{BUILD}:{os.environ['PATH']}",
            TZ="UTC",
        )

    def wait(self, pattern, what):
        wait_for(lambda: re.search(pattern, self.log.read_text()), self.process, what)

    def save(self, text):
        (self.rules / "orders.lua").write_text(text)
        self.wait(r"saved are active", "the rule is not in force")

    def run(self, command):
        done = subprocess.run(
            ["bash", "-c", command],
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            sys.exit(f"record: `{command}` failed:\n{done.stdout}")
        lines = [line.rstrip() for line in done.stdout.splitlines()]
        return "".join(line + "\n" for line in lines)

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def commands(recording):
    """Each behind a `$ `, those of several lines whole."""
    return re.findall(r"^\$ ((?:.*\\\n)*.*\n)", recording, re.M)


def record(text):
    """The README with what the commands print now."""
    recording = CONSOLE.search(text).group(0)
    with tempfile.TemporaryDirectory(prefix="kith-record-") as folder:
        session = Session(folder)
        try:
            session.save(RULE.search(text).group(1))
            printed = "".join(f"$ {line}{session.run(line)}" for line in commands(recording))
        finally:
            session.close()
    return CONSOLE.sub(lambda _: printed, text, count=1)


def untimed(text):
    return TIME.sub("TIME", text).splitlines()


def main(arguments):
    before = README.read_text()
    after = record(before)
    different = list(difflib.unified_diff(untimed(before), untimed(after), "README.md", "now"))
    if arguments == ["--check"]:
        print("\n".join(different) or "README.md: as it is")
        return 1 if different else 0
    if different:
        README.write_text(after)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
