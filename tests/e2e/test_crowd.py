"""Ten thousand connections that say nothing, and some that say one byte a second."""
import pathlib
import re
import resource
import select
import socket
import time

import pytest
from test_bad_input import GET, TRACK, post_head, read_all, statuses

CROWD = 10000
REQUEST_SECONDS = 30  # http.h: from the first to the last byte


def memory_kib(daemon):
    status = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1))


def drip(peers, begun, answers):
    """A byte a second to each; those the daemon has given up on go into `answers`."""
    deadline = time.monotonic() + 4 * REQUEST_SECONDS
    while len(answers) < len(peers) and time.monotonic() < deadline:
        time.sleep(1)
        for name, peer in peers.items():
            if name in answers:
                continue
            if select.select([peer], [], [], 0)[0]:
                answers[name] = (time.monotonic() - begun, read_all(peer))
            else:
                peer.sendall(b"x")


@pytest.mark.long(35)
def test_a_crowd_that_is_silent_or_drips_costs_little_and_keeps_nobody_out(daemon):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < CROWD + 500:
        pytest.skip(f"a process may have {hard} open files here, {CROWD + 500} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    begun = time.monotonic()
    drips = {
        "head": (GET + "Host: a\r\nX: ").encode(),
        "body": post_head(daemon, "/v1/track", "Content-Length: 1000").encode(),
        "chunk": (
            post_head(daemon, "/v1/track", "Transfer-Encoding: chunked") + "800\r\n"
        ).encode(),
    }
    peers = {name: socket.create_connection(("127.0.0.1", daemon.port)) for name in drips}
    for name, peer in peers.items():
        peer.sendall(drips[name])
    before = memory_kib(daemon)
    crowd = [socket.create_connection(("127.0.0.1", daemon.port)) for _ in range(CROWD)]
    grown = memory_kib(daemon) - before
    print(f"{CROWD} idle connections take {grown} KiB")
    assert grown < 4 * CROWD
    assert daemon.send(TRACK) == []
    answers = {}
    drip(peers, begun, answers)
    assert sorted(answers) == sorted(drips)
    for seconds, answer in answers.values():
        assert statuses(answer) == [408] and "at most 30000 milliseconds" in answer
        assert seconds > REQUEST_SECONDS - 1
    for peer in crowd:
        peer.sendall((GET + "Host: a\r\n\r\n").encode())
    assert all(statuses(peer.recv(65536).decode()) == [200] for peer in crowd)
    for peer in [*crowd, *peers.values()]:
        peer.close()
