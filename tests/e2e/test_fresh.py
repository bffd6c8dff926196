"""A clerk finds whom she has just entered, whatever else comes in."""
import threading
import time

import pytest

pytestmark = pytest.mark.volume
FLOOD_SECONDS = 3.5  # two whole seconds of it must be over
BATCH = 500
PAGES_MAX = 40


class Flood:
    """Events of another key, as fast as they are taken, until told to end."""

    def __init__(self, daemon):
        self.daemon, self.ended, self.sent = daemon, threading.Event(), 0
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def run(self):
        connection = self.daemon.connect()
        while not self.ended.is_set():
            batch = [
                {"type": "track", "event": "Visit", "userId": f"v{self.sent + i}"}
                for i in range(BATCH)
            ]
            answer = self.daemon.post(
                "/v1/batch", {"batch": batch}, key="write", connection=connection
            )
            assert answer.status in (200, 429), answer.body
            self.sent += BATCH if answer.status == 200 else 0
        connection.close()


def enter(daemon, user, name):
    event = {"type": "identify", "userId": user, "traits": {"name": name}}
    answer = daemon.post("/v1/batch?wait=applied", {"batch": [event]}, key="admin")
    while answer.status == 429:
        time.sleep(0.1)
        answer = daemon.post("/v1/batch?wait=applied", {"batch": [event]}, key="admin")
    assert answer.status == 200, answer.body


def found(pages):
    return [page["items"] for page in pages if page["items"]]


def test_a_clerk_finds_whom_she_has_entered_while_much_comes_in(daemon):
    with Flood(daemon) as flood:
        time.sleep(FLOOD_SECONDS)
        pages = []
        # Where a checkpoint takes more than a second the page says that it lacks something; a slow
        # build is asked more often until one takes less.
        while len(pages) < 5 or (not any(found(pages)) and len(pages) < PAGES_MAX):
            number = len(pages)
            enter(daemon, f"clerk{number}", f"Newcomer{number}n")
            pages.append(daemon.get(f"/v1/customers?q=newcomer{number}n").json)
    assert all(page["items"] or page.get("behind") for page in pages), pages
    assert any(found(pages)), pages
    assert flood.sent > 0
    last = daemon.get("/v1/customers?q=newcomer").json
    while last.get("behind"):
        last = daemon.get("/v1/customers?q=newcomer").json
    assert len(last["items"]) == len(pages), last


def test_a_page_says_when_others_have_written_more(daemon):
    with Flood(daemon):
        time.sleep(FLOOD_SECONDS)
        pages = [daemon.get("/v1/customers?limit=1").json for _ in range(200)]
    assert any(page.get("behind") for page in pages)
    last = daemon.get("/v1/customers?limit=1").json
    while last.get("behind"):
        last = daemon.get("/v1/customers?limit=1").json
    assert last["seq"] >= daemon.metric("kith_log_entries")
