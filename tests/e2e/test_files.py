"""Files: kept under what they are, named by events, swept away when nobody does."""
import hashlib
import os
import time

import pytest

DAY = 24 * 3600
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


def put(daemon, data, type="image/png"):
    headers = {"Content-Type": type} if type else {}
    answer = daemon.call("POST", "/v1/files", data, headers=headers)
    assert answer.status == 201, answer.body
    return answer.json["hash"]


def name(daemon, *files, who="ann"):
    daemon.send({"type": "track", "event": "Photo", "userId": who, "properties": {"files": files}})


def age(daemon, hash, seconds):
    path = daemon.data / "files" / hash
    then = time.time() - seconds
    os.utime(path, (then, then))


def kept(daemon):
    return {path.name for path in (daemon.data / "files").iterdir()}


def restarted(start, daemon):
    assert daemon.stop() == 0
    return start()


def swept(daemon, *gone):
    """What is to go has gone."""
    deadline = time.monotonic() + 60
    while kept(daemon) & set(gone):
        assert time.monotonic() < deadline, kept(daemon)
        time.sleep(0.02)


# ---- Put and got ---------------------------------------------------------------------------------


def test_a_file_is_called_by_what_it_is_and_comes_back_as_it_was(daemon):
    hash = put(daemon, PICTURE)
    assert hash == hashlib.blake2b(PICTURE, digest_size=32).hexdigest()
    answer = daemon.get(f"/v1/files/{hash}")
    assert (answer.status, answer.body) == (200, PICTURE)
    assert answer.headers["Content-Type"] == "image/png"


def test_the_answer_says_the_size(daemon):
    answer = daemon.call("POST", "/v1/files", b"abc")
    assert answer.json["size"] == 3


def test_a_browser_neither_runs_nor_guesses_what_comes_back(daemon):
    hash = put(daemon, b"<script>alert(1)</script>", "text/html")
    answer = daemon.get(f"/v1/files/{hash}")
    assert answer.headers["Content-Disposition"] == "attachment"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "no-store" in answer.headers["Cache-Control"]


def test_the_same_bytes_are_kept_once_with_the_type_that_came_first(daemon):
    hash = put(daemon, b"abc", "text/plain")
    assert put(daemon, b"abc", "text/csv") == hash
    assert daemon.get(f"/v1/files/{hash}").headers["Content-Type"] == "text/plain"
    assert kept(daemon) == {hash}


def test_what_is_no_type_is_any_bytes(daemon):
    for data, type in (
        (b"1", None),
        (b"2", "x" * 200),
        (b"4", "html"),
        (b"5", "/html"),
        (b"6", "text/; charset=utf-8"),
        (b"3", "t\u00e9xt/plain".encode("latin-1")),
    ):
        hash = put(daemon, data, type)
        answer = daemon.get(f"/v1/files/{hash}")
        assert answer.headers["Content-Type"] == "application/octet-stream"


def test_a_file_may_have_eight_mebibytes_and_no_byte_more(daemon):
    most = 8 << 20
    hash = put(daemon, b"x" * most)
    assert len(daemon.get(f"/v1/files/{hash}").body) == most
    connection = daemon.connect()  # refused by its head: no body is read
    connection.putrequest("POST", "/v1/files")
    connection.putheader("Authorization", "Bearer " + daemon.key("admin"))
    connection.putheader("Content-Length", str(most + 1))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()
    assert kept(daemon) == {hash}


def test_an_empty_file_is_refused(daemon):
    assert daemon.call("POST", "/v1/files", b"").status == 422


@pytest.mark.parametrize(
    "hash, status",
    [("0" * 64, 404), ("0" * 63, 400), ("x" * 64, 400), ("..%2Fadmin.key", 400), ("%2e%2e", 400)],
)
def test_what_names_no_file_is_refused(daemon, hash, status):
    assert daemon.get(f"/v1/files/{hash}").status == status


def test_files_are_for_staff(daemon):
    hash = put(daemon, b"abc")
    assert daemon.call("POST", "/v1/files", b"abc", key="write").status == 403
    assert daemon.get(f"/v1/files/{hash}", key="write").status == 403
    assert daemon.get(f"/v1/files/{hash}", key=None).status == 401


def test_a_file_is_there_after_the_daemon_was_killed(start):
    first = start()
    hash = put(first, PICTURE)
    first.kill()
    assert start().get(f"/v1/files/{hash}").body == PICTURE


def test_files_are_for_their_owner_only(daemon):
    hash = put(daemon, b"abc")
    assert (daemon.data / "files").stat().st_mode & 0o777 == 0o700
    assert (daemon.data / "files" / hash).stat().st_mode & 0o777 == 0o600


def test_bytes_that_have_changed_on_the_disk_are_not_given_out(daemon):
    hash = put(daemon, PICTURE)
    path = daemon.data / "files" / hash
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    answer = daemon.get(f"/v1/files/{hash}")
    assert answer.status == 500 and b"backup" in answer.body


# ---- Swept away ----------------------------------------------------------------------------------


def test_what_nobody_names_goes_after_a_day_and_what_somebody_does_stays(start):
    first = start()
    named, listed, nobody, young = (put(first, data) for data in (b"a", b"b", b"c", b"d"))
    name(first, named, {"hash": listed, "name": "scan.pdf"})
    assert first.stop() == 0
    for hash in (named, listed, nobody):
        age(first, hash, 2 * DAY)
    second = start()
    swept(second, nobody)
    assert kept(second) == {named, listed, young}
    assert second.get(f"/v1/files/{nobody}").status == 404


def test_an_event_that_was_not_checkpointed_keeps_its_file(start):
    first = start()
    named, nobody = put(first, b"a"), put(first, b"b")
    name(first, named)
    first.kill()
    for hash in (named, nobody):
        age(first, hash, 2 * DAY)
    second = start()
    swept(second, nobody)
    assert kept(second) == {named}


def test_what_is_put_again_has_another_day(start):
    first = start()
    again, nobody = put(first, b"a"), put(first, b"b")
    for hash in (again, nobody):
        age(first, hash, 2 * DAY)
    put(first, b"a")
    second = restarted(start, first)
    swept(second, nobody)
    assert kept(second) == {again}


def test_what_a_crash_left_half_written_goes_and_what_is_not_ours_stays(start):
    first = start()
    assert first.stop() == 0
    (first.data / "files" / ".new-0").write_bytes(b"kith-file 1 text/")
    (first.data / "files" / "README").write_text("by hand")
    second = start()
    assert kept(second) == {"README"}


def test_a_replay_finds_the_same_owners(start):
    first = start()
    hash = put(first, b"a")
    name(first, hash, "nonsense", 5, {"hash": 7}, who="ann")
    name(first, hash, who="bea")
    assert first.stop() == 0
    second = start("--rebuild")
    assert second.post("/v1/verify", b"").json["ok"]
    age(second, hash, 2 * DAY)
    third = restarted(start, second)
    assert third.get(f"/v1/files/{hash}").status == 200
