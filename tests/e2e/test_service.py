"""The daemon under a service manager: its watchdog, its sockets, reloading, certificates."""
import ctypes
import fcntl
import os
import re
import signal
import socket
import ssl
import subprocess

import pytest

from conftest import BUILD

PTRACE_ATTACH, PTRACE_DETACH = 16, 17
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


@pytest.fixture
def manager(tmp_path):
    """A socket as the service manager has it; its name for NOTIFY_SOCKET is in `name`."""

    class Manager:
        name = str(tmp_path / "notify")
        socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

        def next(self, seconds=60):
            self.socket.settimeout(seconds)
            return self.socket.recv(1000).decode()

        def wait_for(self, message):
            while self.next() != message:
                pass

    manager = Manager()
    manager.socket.bind(manager.name)
    yield manager
    manager.socket.close()


# -- The watchdog ----------------------------------------------------------------------------


def watched(start, manager, microseconds="300000"):
    daemon = start(env={"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": microseconds})
    manager.wait_for("READY=1")
    return daemon


def thread_called(daemon, name):
    for task in os.listdir(f"/proc/{daemon.pid}/task"):
        path = f"/proc/{daemon.pid}/task/{task}/comm"
        if open(path, encoding="ascii").read().strip() == name:
            return int(task)
    raise KeyError(name)


def test_an_idle_daemon_keeps_its_watchdog_quiet(start, manager):
    watched(start, manager)
    assert [manager.next() for _ in range(5)] == ["WATCHDOG=1"] * 5


@pytest.mark.parametrize("name", ["kith-log", "kith-engine"])
def test_a_thread_that_hangs_is_told_by_silence(start, manager, name):
    daemon = watched(start, manager)
    manager.wait_for("WATCHDOG=1")
    thread = thread_called(daemon, name)
    if libc.ptrace(PTRACE_ATTACH, thread, None, None) != 0:
        pytest.skip("this machine lets nobody stop a thread")
    os.waitpid(thread, 0x40000000)  # __WALL: it is no child of ours
    try:
        heard = 0
        with pytest.raises(TimeoutError):
            while True:
                assert manager.next(seconds=2) == "WATCHDOG=1"
                heard += 1
                assert heard <= 20, "it is never silent"
    finally:
        libc.ptrace(PTRACE_DETACH, thread, None, None)
    assert manager.next() == "WATCHDOG=1"


def test_a_watchdog_of_another_process_is_none(start, manager):
    env = {"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "30000", "WATCHDOG_PID": "1"}
    daemon = start(env=env)
    assert manager.next() == "READY=1"
    daemon.stop()
    assert manager.next() == "STOPPING=1"


# -- Reloading -------------------------------------------------------------------------------


def test_a_reload_is_announced_and_its_end_too(start, manager):
    daemon = start(env={"NOTIFY_SOCKET": manager.name})
    assert manager.next() == "READY=1"
    daemon.process.send_signal(signal.SIGHUP)
    assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", manager.next())
    assert manager.next() == "READY=1"


def make_certificate(folder, name):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj"]
        + [f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"]
        + ["-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True,
        capture_output=True,
    )
    return (folder / "cert.pem").read_text()


def connect(port, certificate):
    """A connection that trusts this certificate only."""
    context = ssl.create_default_context(cadata=certificate)
    return context.wrap_socket(
        socket.create_connection(("127.0.0.1", port), 60), server_hostname="127.0.0.1"
    )


def ask(connection):
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    received = b""
    while b'"status"' not in received:
        piece = connection.recv(4096)
        assert piece, "the connection was cut"
        received += piece
    return received.startswith(b"HTTP/1.1 200 ")


def test_a_new_certificate_is_used_and_no_connection_is_dropped(start, tmp_path):
    config = tmp_path / "kith.lua"
    first = make_certificate(tmp_path, "first")
    config.write_text('listen { "127.0.0.1:0", cert = "cert.pem", key = "key.pem" }\n')
    daemon = start("--config", config, "--listen", "127.0.0.1:0")
    old = connect(daemon.port, first)
    assert ask(old)
    second = make_certificate(tmp_path, "second")
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_line("is used from the next connection on")
    with connect(daemon.port, second) as new:
        assert ask(new)
    with pytest.raises(ssl.SSLError):
        connect(daemon.port, first)
    assert ask(old)
    (tmp_path / "cert.pem").write_text("no certificate")
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_line("the certificate stays the one it was")
    with connect(daemon.port, second) as new:
        assert ask(new)
    old.close()


# -- Sockets that are given ------------------------------------------------------------------


def start_with(tmp_path, *sockets, pid="$$"):
    """kithd as a service manager starts it: descriptors from 3 on."""
    moves = " ".join(f"{3 + i}<&{given.fileno()}" for i, given in enumerate(sockets))
    script = (
        f'exec {moves}; export LISTEN_PID={pid} LISTEN_FDS={len(sockets)}; exec "$0" --data "$1"'
        " --listen 127.0.0.1:0"
    )
    return subprocess.Popen(
        ["/bin/bash", "-c", script, BUILD / "kithd", tmp_path / "data"],
        stderr=subprocess.PIPE,
        text=True,
        pass_fds=[given.fileno() for given in sockets],
    )


def listening(family=socket.AF_INET, address=("127.0.0.1", 0)):
    # Far from 3, or bash would overwrite one with the other.
    made = socket.socket(family)
    made.bind(address)
    made.listen()
    moved = socket.socket(fileno=fcntl.fcntl(made.fileno(), fcntl.F_DUPFD, 50))
    made.close()
    return moved


def test_a_socket_that_is_given_is_listened_on(tmp_path):
    with listening() as given:
        port = given.getsockname()[1]
        # Who comes before the daemon is served by it all the same.
        early = socket.create_connection(("127.0.0.1", port), 60)
        process = start_with(tmp_path, given)
        try:
            line = process.stderr.readline()
            assert f"ready on http://127.0.0.1:{port}" in line
            assert ask(early)
        finally:
            early.close()
            process.terminate()
            assert process.wait(60) == 0
            process.stderr.close()


def test_a_socket_given_to_another_process_is_none_of_ours(tmp_path):
    with listening() as given:
        process = start_with(tmp_path, given, pid="1")
        line = process.stderr.readline()
        process.terminate()
        assert process.wait(60) == 0
        process.stderr.close()
        assert "ready on" in line and f":{given.getsockname()[1]}" not in line


def test_what_is_given_and_cannot_be_used_is_told(tmp_path):
    with listening() as one, listening() as other:
        process = start_with(tmp_path, one, other)
        assert "ListenStream=" in process.communicate(timeout=60)[1]
        assert process.returncode != 0
    with listening(socket.AF_UNIX, str(tmp_path / "socket")) as local:
        process = start_with(tmp_path, local)
        assert "no TCP socket that listens" in process.communicate(timeout=60)[1]
        assert process.returncode != 0
