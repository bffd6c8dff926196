"""Peers that drip, stall or never speak: each is given up in time, and keeps nobody out."""
import pathlib
import re
import resource
import select
import socket
import time

import pytest

from test_framing import ANY_ORIGIN, GET, NEXT, POST, problem, read

TRACK = {"type": "track", "event": "Hello", "userId": "u-1"}
CROWD = 10000
REQUEST_SECONDS = 30  # http.h: from the first to the last byte


def memory_kib(daemon):
    status = pathlib.Path(f"/proc/{daemon.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1))


def slow_requests(daemon):
    """Where each is when it becomes slow, and the byte that it drips from there on."""
    post = POST.replace("/v1/batch", "/v1/track").replace("{key}", daemon.key("write"))
    body = post + "Content-Length: 1000\r\n"
    chunked = post + "Transfer-Encoding: chunked\r\n\r\n"
    return {
        "method": ("G", "x"),
        "target": ("GET /", "x"),
        "name of a field": (GET, "x"),
        "field": (GET + "X: ", "x"),
        "head, not a byte more": (GET, ""),
        "body": (body + "\r\n", "x"),
        "body, not a byte of it": (body + "Expect: 100-continue\r\n\r\n", ""),
        "size of a chunk": (chunked, "0"),
        "extension of a chunk": (chunked + "800;", "x"),
        "chunk": (chunked + "800\r\n", "x"),
        "behind a chunk, not a byte more": (chunked + "1\r\nx", ""),
        "trailer": (chunked + "0\r\n", "x"),
    }


def drip(peers, requests, begun, answers):
    """A byte a second to each; those the daemon has given up on go into `answers`."""
    while len(answers) < len(peers) and time.monotonic() < begun + 4 * REQUEST_SECONDS:
        time.sleep(1)
        for name, peer in peers.items():
            if name in answers:
                continue
            if select.select([peer], [], [], 0)[0]:
                answers[name] = (time.monotonic() - begun, read(peer))
            else:
                peer.sendall(requests[name][1].encode())


@pytest.mark.long(35)
def test_a_crowd_that_is_silent_or_drips_costs_little_and_keeps_nobody_out(daemon):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < CROWD + 500:
        pytest.skip(f"a process may have {hard} open files here, {CROWD + 500} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    begun = time.monotonic()
    slow = slow_requests(daemon)
    peers = {name: socket.create_connection(("127.0.0.1", daemon.port)) for name in slow}
    for name, peer in peers.items():
        peer.sendall(slow[name][0].encode())
        if "Expect" in slow[name][0]:
            assert peer.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    before = memory_kib(daemon)
    crowd = [socket.create_connection(("127.0.0.1", daemon.port)) for _ in range(CROWD)]
    grown = memory_kib(daemon) - before
    print(f"{CROWD} idle connections take {grown} KiB")
    assert grown < 4 * CROWD
    assert daemon.send(TRACK) == []
    answers = {}
    drip(peers, slow, begun, answers)
    assert sorted(answers) == sorted(slow)
    detail = "the request did not arrive completely in time: at most 30000 milliseconds are allowed"
    for name, (seconds, answer) in answers.items():
        fields = [ANY_ORIGIN] if slow[name][0].startswith("POST") else []
        assert answer == problem(408, detail, *fields, last="close"), name
        assert seconds > REQUEST_SECONDS - 1
    for peer in crowd:
        peer.sendall(NEXT.encode())
    assert all(peer.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n") for peer in crowd)
    for peer in [*crowd, *peers.values()]:
        peer.close()
