"""Lists that are paged while what they list changes: whoever stays is there once, and in order."""
import threading

import pytest

PEOPLE = 120
RULES = """
rule "tell" { on = "Order", run = function(event)
  send { channel = "log", purpose = "service", body = "thanks" } end }
"""


class Changes:
    """A thread that makes and changes others while lists are read; it ends with the block."""

    def __init__(self, daemon):
        self.daemon, self.count, self.is_ended = daemon, 0, False
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        while not self.is_ended:
            self.count += 1
            a, b = f"new-{self.count}-a", f"new-{self.count}-b"
            self.daemon.send(
                {"type": "identify", "userId": a, "traits": {"n": self.count}},
                {"type": "identify", "userId": b},
                {"type": "track", "event": "Order", "userId": a},
                {"type": "track", "event": "Seen", "userId": "kept-0"},
            )
            body = {"customer": f"user_id:{a}", "title": "call", "due": f"{1 + self.count % 9}d"}
            assert self.daemon.post("/v1/reminders", body).status == 201
            path = f"/v1/customers/user_id:{a}/merge"
            assert self.daemon.post(path, {"absorbed": f"user_id:{b}"}).status == 200
            if self.count % 5 == 0:
                assert self.daemon.call("DELETE", f"/v1/customers/user_id:{a}").status == 202

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_ended = True
        self.thread.join()


@pytest.fixture
def daemon(start, tmp_path):
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "rules.lua").write_text(RULES)
    daemon = start("--scripts", scripts)
    people = [f"kept-{number}" for number in range(PEOPLE)]
    daemon.send(*({"type": "identify", "userId": who} for who in people))
    daemon.send(*({"type": "track", "event": "Order", "userId": who} for who in people))
    daemon.send(*({"type": "track", "event": "Seen", "userId": "kept-0"} for _ in range(PEOPLE)))
    for number, who in enumerate(people):
        body = {"customer": f"user_id:{who}", "title": "kept", "due": f"{1 + number % 9}d"}
        assert daemon.post("/v1/reminders", body).status == 201
    return daemon


def paged(daemon, path, limit=7):
    items, after, mark = [], "", "&" if "?" in path else "?"
    while after is not None:
        answer = daemon.get(f"{path}{mark}limit={limit}" + (after and f"&after={after}"))
        assert answer.status == 200, answer.body
        assert len(answer.json["items"]) <= limit
        items += answer.json["items"]
        after = answer.json["next"]
    return items


LISTS = {  # what names an item, and whether it was there before
    "/v1/customers": ("id", lambda item: True),
    "/v1/customers?q=kept": ("id", lambda item: True),
    "/v1/customers/user_id:kept-0/timeline": ("event", lambda item: True),
    "/v1/reminders?state=all": ("id", lambda item: item["title"] == "kept"),
    "/v1/effects": ("id", lambda item: True),
}


@pytest.mark.parametrize("path", LISTS)
def test_who_stays_is_listed_once_however_much_comes_and_goes(daemon, path):
    name, is_ours = LISTS[path]
    before = [item[name] for item in paged(daemon, path) if is_ours(item)]
    with Changes(daemon) as changes:
        for _ in range(5):
            seen = changes.count
            listed = [item[name] for item in paged(daemon, path)]
            assert len(listed) == len(set(listed)), "nothing comes twice"
            left = [item for item in listed if item in set(before)]
            assert left == before if "q=" not in path else sorted(left) == sorted(before)
            while changes.count < seen + 2:
                pass
    assert len(before) >= PEOPLE
