"""The peers as bench.py runs them: each starts what it needs, hands out a function, and ends it.

What is missing on this machine raises Missing with the name of the package.
"""
import contextlib
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
START_SECONDS_MAX = 30


class Missing(Exception):
    """A peer is not installed or does not start: the text says what to do."""


def need(name, package):
    found = shutil.which(name)
    if found is None:
        raise Missing(f"{name} is not installed (package {package})")
    return found


def run(*command, **options):
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, **options
    )
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        raise Missing(f"{pathlib.Path(command[0]).name}: {lines[-1]}")
    return done.stdout


def rate_of(text):
    found = re.search(r"(\d+) events in ([\d.]+) s", text)
    return int(found.group(1)) / float(found.group(2))


@contextlib.contextmanager
def server(command, is_up, **options):
    """A process that is_up() tells to be serving; ended when the block is left."""
    with subprocess.Popen(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **options,
    ) as process:
        try:
            deadline = time.monotonic() + START_SECONDS_MAX
            while not is_up():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise Missing(f"{pathlib.Path(command[0]).name} does not start")
                time.sleep(0.05)
            yield
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()


# ---- Tarantool -----------------------------------------------------------------------


@contextlib.contextmanager
def tarantool(place):
    program = need("tarantool", "tarantool")

    def ingest(file, batch):
        data = place / "data"
        data.mkdir()
        try:
            return rate_of(run(program, HERE / "tarantool.lua", file, batch, "fsync", data))
        finally:
            shutil.rmtree(data)

    yield ingest


# ---- PostgreSQL ------------------------------------------------------------------------

# What its manual recommends for a machine of its own; durability stays as it is.
POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "work_mem": "64MB",
    "synchronous_commit": "on",
    "fsync": "on",
}


def newest_postgres():
    folders = sorted(
        pathlib.Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda folder: int(folder.parent.name),
    )
    if not folders:
        raise Missing("PostgreSQL is not installed (package postgresql)")
    return folders[-1]


@contextlib.contextmanager
def postgres(place):
    programs = newest_postgres()
    try:
        import psycopg2  # noqa: F401
    except ImportError:
        raise Missing("psycopg2 is not installed (package python3-psycopg2)") from None
    identity = {}
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(place, owner.pw_uid, owner.pw_gid)
        identity = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    data = place / "data"
    run(
        programs / "initdb",
        "--auth=trust",
        "--username=bench",
        "--encoding=UTF8",
        "--no-locale",
        "-D",
        data,
        cwd=place,
        **identity,
    )
    command = [programs / "postgres", "-D", data, "-k", place]
    for name, value in POSTGRES_SETTINGS.items():
        command += ["-c", f"{name}={value}"]

    def is_up():
        return (
            subprocess.run([programs / "pg_isready", "-q", "-h", place], check=False).returncode
            == 0
        )

    def ingest(file, batch):
        return rate_of(
            run(
                sys.executable,
                HERE / "postgres.py",
                file,
                batch,
                f"host={place} user=bench dbname=postgres",
            )
        )

    with server(command, is_up, cwd=place, **identity):
        yield ingest


# ---- BullMQ on Redis -----------------------------------------------------------------------


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@contextlib.contextmanager
def bullmq(place, modules):
    node, redis = need("node", "nodejs"), need("redis-server", "redis-server")
    for package in ("bullmq", "ioredis"):
        if not (pathlib.Path(modules) / "node_modules" / package).is_dir():
            raise Missing(
                f"{package} is not installed: npm install bullmq ioredis, "
                "then --node-modules DIR"
            )
    port = free_port()
    command = [
        redis,
        "--bind",
        "127.0.0.1",
        "--port",
        port,
        "--dir",
        place,
        "--save",
        "",
        "--appendonly",
        "yes",
        "--appendfsync",
        "everysec",
        "--maxmemory-policy",
        "noeviction",
    ]

    def is_up():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def timers(count, span_ms, lead_ms, pending):
        return run(node, HERE / "bullmq.mjs", port, count, span_ms, lead_ms, pending, cwd=modules)

    with server(command, is_up):
        yield timers
