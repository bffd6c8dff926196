"""Quotas: a full log or state takes nothing in, is read as before, and goes on with more room."""
import time

import pytest


def configuration(tmp_path, log="256 GB", state="256 GB"):
    path = tmp_path / "kith.lua"
    path.write_text(f'quota {{ log = "{log}", state = "{state}" }}\n')
    return path


def fill(daemon):
    """Events until one is refused; how many were taken, and the refusal."""
    for number in range(2000):
        events = [
            {
                "type": "track",
                "userId": f"u-{number}-{i}",
                "event": "E",
                "messageId": f"{number}-{i}",
                "properties": {"text": "x" * 2000},
            }
            for i in range(20)
        ]
        answer = daemon.post("/v1/batch", {"batch": events}, key="write")
        if answer.status != 200:
            return number, answer
    raise AssertionError("the quota was never reached")


def wait_health(daemon, status):
    deadline = time.monotonic() + 60
    while daemon.get("/readyz").status != status:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("quota", [{"log": "1 MB"}, {"state": "2 MB"}])
def test_at_the_quota_nothing_is_taken_in_and_reads_go_on_until_it_is_raised(
    start, tmp_path, quota
):
    daemon = start("--config", configuration(tmp_path, **quota))
    daemon.send({"type": "identify", "userId": "first"})
    assert len(daemon.get("/v1/customers").json["items"]) == 1
    taken, refusal = fill(daemon)
    assert refusal.status == 503 and "quota" in refusal.json["detail"], refusal.body
    assert int(refusal.headers["Retry-After"]) >= 1
    wait_health(daemon, 503)
    assert "quota" in daemon.get("/readyz").json["reasons"][0]
    assert daemon.post("/v1/track", {"userId": "u", "event": "E"}, key="write").status == 503
    assert daemon.get("/v1/customers/user_id:u-0-0").json["ids"]["user_id"] == ["u-0-0"]
    assert daemon.get("/v1/customers?limit=5").json["items"][0]["id"] == 1
    assert daemon.get("/healthz").status == 200
    daemon.stop()

    daemon = start("--config", configuration(tmp_path))
    wait_health(daemon, 200)
    assert daemon.post("/v1/track", {"userId": "u", "event": "E"}, key="write").status == 200
    last = f"user_id:u-{taken - 1}-19"
    assert daemon.get(f"/v1/customers/{last}").status == 200
    (event,) = [item for item in daemon.timeline(last) if item["type"] == "E"]
    assert event["data"]["text"] == "x" * 2000
