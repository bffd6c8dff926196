#!/usr/bin/python3
"""trial.py PACKAGE.deb [--root DIR] -- a package's whole life in a clean Debian 12.

Needs root.  In a system that debootstrap makes (DIR, kept and used again; else a temporary one):
install the package, start the daemon with the command line of its unit as its user, use it,
upgrade it, remove it, purge it, and compare the files, users and groups with those before.

What the unit's sandbox would refuse is looked for as well: each system call that the daemon
makes must be one that SystemCallFilter lets through (asked of strace and systemd-analyze, where
they are installed).
"""
import argparse
import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

EXPOSURE_MAX = 20  # of 100, as systemd-analyze counts
READY_SECONDS = 30
PASSING = ("proc", "sys", "dev", "run", "tmp", "var/cache", "var/log", "var/lib/apt", "trial")
BOOKS = re.compile(r"var/lib/dpkg/(status|available|lock|triggers|info/format|updates).*")
BACKUPS = re.compile(r"etc/(passwd|group|shadow|gshadow)-|etc/\.pwd\.lock")

EVENTS = """
{"type": "identify", "userId": "u-1", "traits": {"name": "王小明", "email": "ming@example.com"}}
{"type": "track", "userId": "u-1", "event": "Order Completed",
 "properties": {"order_id": "o-1", "total": 900, "currency": "EUR"}}
"""


def say(text):
    print(f"trial: {text}", flush=True)


def check(is_true, text):
    if not is_true:
        sys.exit(f"trial: FAILED: {text}")


class Root:
    """A Debian in a directory."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def make(self):
        if not (self.path / "etc/debian_version").exists():
            say(f"a clean Debian in {self.path}")
            run("debootstrap", "--variant=minbase", "bookworm", self.path)
        for name in ("resolv.conf", "hosts"):
            if pathlib.Path("/etc", name).exists():
                shutil.copy(f"/etc/{name}", self.path / "etc" / name)
        for path in pathlib.Path("/etc/apt/apt.conf.d").iterdir():  # how a mirror is reached
            shutil.copy(path, self.path / "etc/apt/apt.conf.d")

    def run(self, *words, **options):
        """A command in it; its output."""
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "DEBIAN_FRONTEND": "noninteractive",
            "LC_ALL": "C.UTF-8",
            **options.pop("env", {}),
        }
        return run("chroot", self.path, *words, env=environment, **options)

    def there(self):
        """What is in it: path -> kind, size and owner."""
        found = {}
        for folder, folders, files in os.walk(self.path):
            place = os.path.relpath(folder, self.path)
            folders[:] = [
                name
                for name in folders
                if os.path.normpath(os.path.join(place, name)) not in PASSING
            ]
            for name in (*folders, *files):
                path = os.path.normpath(os.path.join(place, name))
                about = os.lstat(self.path / path)
                if not (BOOKS.match(path) or BACKUPS.match(path)):
                    size = about.st_size if name in files else 0
                    found[path] = (about.st_mode, about.st_uid, about.st_gid, size)
        return found


def run(*words, **options):
    done = subprocess.run(
        [str(word) for word in words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **options,
    )
    check(done.returncode == 0, f"{' '.join(map(str, words))}\n{done.stdout}")
    return done.stdout


# ---- The sandbox ------------------------------------------------------------------------------


def filter_set(name, groups):
    """The system calls of a group of systemd's, those of its groups included."""
    found = set()
    for word in groups[name]:
        found |= filter_set(word, groups) if word.startswith("@") else {word}
    return found


def allowed_calls(unit):
    """What SystemCallFilter= of the unit lets through."""
    groups, name = {}, None
    for line in run("systemd-analyze", "--no-pager", "syscall-filter").splitlines():
        if line.startswith("@"):
            name = line.strip()
            groups[name] = []
        elif name and line.startswith("    ") and not line.strip().startswith("#"):
            groups[name].append(line.strip())
    allowed = set()
    for words in re.findall(r"^SystemCallFilter=(.*)$", unit, re.M):
        for word in words.lstrip("~").split():
            named = filter_set(word, groups) if word in groups else {word}
            allowed = allowed - named if words.startswith("~") else allowed | named
    return allowed


def check_calls(trace, unit):
    """Those made since the daemon's own program has begun."""
    text = trace.read_text(errors="replace")
    text = text[text.index('execve("/usr/bin/kithd"') :]
    made = set(re.findall(r"^\d+ +(\w+)\(", text, re.M)) | set(
        re.findall(r"^\d+ +<\.\.\. (\w+) resumed", text, re.M)
    )
    refused = made - allowed_calls(unit) - {"execve"}
    check(made and not refused, f"SystemCallFilter would refuse {sorted(refused)}")
    say(f"{len(made)} different system calls, all of which the unit lets through")


# ---- The daemon ------------------------------------------------------------------------------


@contextlib.contextmanager
def daemon(root, unit, trace=None):
    """kithd as the unit starts it; gives its address, and ends it as systemd would."""
    line = re.search(r"^ExecStart=(.*)$", unit, re.M).group(1).split()
    user = re.search(r"^User=(.*)$", unit, re.M).group(1)
    words = ["chroot", f"--userspec={user}:{user}", str(root.path), *line]
    if trace:
        words = ["strace", "-f", "-qq", "-o", str(trace), *words]
    log = root.path / "trial/kithd.log"
    with open(log, "w") as said:
        process = subprocess.Popen(words, stderr=said, cwd="/")
    try:
        deadline = time.monotonic() + READY_SECONDS
        while not (found := re.search(r"ready on (\S+)", log.read_text())):
            check(
                process.poll() is None and time.monotonic() < deadline,
                f"the daemon is not ready:\n{log.read_text()}",
            )
            time.sleep(0.1)
        yield found.group(1)
    finally:
        end(process, is_traced=trace is not None)
    check(process.returncode == 0, f"the daemon ended with {process.returncode}")


def end(process, is_traced):
    """SIGTERM to the daemon: strace's child where there is a strace."""
    number = process.pid
    if process.poll() is None and is_traced:
        children = pathlib.Path(f"/proc/{number}/task/{number}/children").read_text().split()
        number = int(children[0])
    if process.poll() is None:
        os.kill(number, 15)
    process.wait(60)


def use(root, url):
    """What a first hour holds: rules, events, a look at what came of them."""
    kith = {"KITH_URL": url, "KITH_KEY": (root.path / "var/lib/kith/admin.key").read_text().strip()}
    events = re.sub(r",\n +", ", ", EVENTS.strip()) + "\n"
    (root.path / "trial/events.ndjson").write_text(events)
    root.run("kith", "staff", "add", "anna", env=kith)
    root.run("kith", "deploy", "/usr/share/kith/scripts/demo", env=kith)
    root.run("kith", "import", "/trial/events.ndjson", env=kith)
    root.run("kith", "assign", "user_id:u-1", "anna", env=kith)
    check("王小明" in root.run("kith", "show", "user_id:u-1", env=kith), "kith show")
    check("Thank 王小明" in root.run("kith", "reminders", env=kith), "kith reminders")
    root.run("kith", "verify", env=kith)
    return root.run("kith", "state-hash", env=kith)


# ---- The package's life ------------------------------------------------------------------------


def prepare(root, package):
    """Everything that the package needs, so that what is new afterwards is its own."""
    (root.path / "trial").mkdir(exist_ok=True)
    os.chmod(root.path / "trial", 0o755)
    shutil.copy(package, root.path / "trial/kith.deb")
    depends = run("dpkg-deb", "-f", package, "Depends")
    names = [word.split()[0] for word in depends.split(",")]
    root.run("apt-get", "-q", "update")
    root.run("apt-get", "-q", "-y", "--no-install-recommends", "install", *names)


def install(root):
    root.run("dpkg", "-i", "/trial/kith.deb")
    unit = (root.path / "lib/systemd/system/kithd.service").read_text()
    home = (root.path / "var/lib/kith").stat()
    check(home.st_mode & 0o777 == 0o750 and home.st_uid != 0, "/var/lib/kith is not kith's alone")
    link = root.path / "etc/systemd/system/multi-user.target.wants/kithd.service"
    check(link.is_symlink(), "the unit is not enabled")
    say("installed: a user, a data directory, an enabled unit")
    return unit


def life(root, package):
    prepare(root, package)
    before = root.there()
    unit = install(root)
    if shutil.which("systemd-analyze"):
        run(
            "systemd-analyze",
            "security",
            "--no-pager",
            "--offline=true",
            f"--threshold={EXPOSURE_MAX}",
            root.path / "lib/systemd/system/kithd.service",
        )
        say(f"systemd-analyze security: exposure at most {EXPOSURE_MAX / 10}")

    config = root.path / "etc/kith/kith.lua"
    config.write_text(config.read_text() + 'listen "127.0.0.1:0"\n')
    can_trace = shutil.which("strace") and shutil.which("systemd-analyze")
    trace = root.path / "trial/calls" if can_trace else None
    with daemon(root, unit, trace) as url:
        state = use(root, url)
    if trace:
        check_calls(trace, unit)
    say("used as its user, by the command line of the unit")

    root.run("dpkg", "-i", "--force-confold", "/trial/kith.deb")  # an upgrade to itself
    check('listen "127.0.0.1:0"' in config.read_text(), "the configuration was overwritten")
    with daemon(root, unit) as url:
        key = (root.path / "var/lib/kith/admin.key").read_text().strip()
        after = root.run("kith", "show", "user_id:u-1", env={"KITH_URL": url, "KITH_KEY": key})
        check("王小明" in after and state, "the data did not survive an upgrade")
    say("upgraded: configuration and data are kept")

    root.run("dpkg", "--remove", "kith")
    check(not (root.path / "usr/bin/kithd").exists(), "a removal leaves the program")
    check(config.exists() and (root.path / "var/lib/kith/log").exists(), "a removal takes data")
    root.run("dpkg", "--purge", "kith")
    after = root.there()
    left = sorted(path for path in after if before.get(path) != after[path])
    gone = sorted(set(before) - set(after))
    check(not left and not gone, f"a purge leaves {left}, and takes {gone}")
    for name in ("passwd", "group"):
        check("kith" not in (root.path / "etc" / name).read_text(), f"kith is still in {name}")
    say("purged: nothing is left")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package")
    parser.add_argument("--root", metavar="DIR")
    arguments = parser.parse_args()
    check(os.geteuid() == 0, "only root may make a system in a directory")
    if shutil.which("lintian"):
        run("lintian", "--allow-root", "--fail-on=error", arguments.package)
        say("lintian: no errors")
    if arguments.root:
        root = Root(arguments.root)
        root.make()
        life(root, arguments.package)
        return
    with tempfile.TemporaryDirectory(prefix="kith-deb-") as path:
        os.chmod(path, 0o755)  # it is the root of a user who is not root
        root = Root(path)
        root.make()
        life(root, arguments.package)


if __name__ == "__main__":
    main()
