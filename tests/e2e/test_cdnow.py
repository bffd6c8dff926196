"""Eighteen months of real purchases, replayed: who is followed up on which day, counted twice.

Fader and Hardie's CDNOW sample (6,919 purchases of 2,357 people) is looked for beside the
project; without it the test is skipped.
"""
import collections
import datetime
import os
import subprocess

import pytest

import kill

DATA = os.path.join(kill.HERE, "../../../shared/data/cdnow/CDNOW_sample.txt")
DAY = datetime.timedelta(days=60)
RULES = """
rule "bought" {
  on = "Purchase",
  run = function(event, customer)
    customer:set("purchases", (customer.purchases or 0) + 1)
    if customer.purchases >= 2 then
      after { due = "60d", key = "silent", emit = "Fell Silent" }
    end
  end,
}

rule "ask how they are" {
  on = "Fell Silent",
  run = function(event, customer)
    remind { title = "Ask how they are", to = "anna", due = "1d", key = "since " .. event.seq }
  end,
}
"""


def expected():
    """From the file alone: sixty days after a purchase that is at least the second, unless the next
    one comes before.  Also beyond the last day of the file: time goes on to now."""
    purchases = collections.defaultdict(list)
    for line in open(DATA):
        _, person, date, _, _ = line.split()
        date = datetime.datetime.strptime(date, "%Y%m%d").date()
        purchases[person].append(date)
    found = set()
    for person, dates in purchases.items():
        dates.sort()
        for number, date in enumerate(dates[1:], 1):
            following = dates[number + 1] if number + 1 < len(dates) else None
            if following is None or following >= date + DAY:
                found.add((person, date + DAY))
    return found


@pytest.mark.skipif(not os.path.exists(DATA), reason="the CDNOW sample is not here")
def test_follow_ups_of_cdnow_are_those_of_an_independent_calculation(tmp_path):
    build = os.environ.get("KITH_BUILD", os.path.join(kill.HERE, "../../build/release"))
    daemon = kill.Daemon(build, str(tmp_path))
    (tmp_path / "scripts" / "rules.lua").write_text(RULES)
    assert daemon.start(), daemon.said
    done = subprocess.run(
        [build + "/kith", "import", DATA, "--delimiter", "space", "--replay", "--event", "Purchase"]
        + ["--columns", "master,person,date,count,dollars", "--map", "person=userId"]
        + ["--map", "date=at:date(%Y%m%d)", "--map", "count=count:number"]
        + ["--map", "dollars=total:number"],
        env=dict(os.environ, KITH_URL="http://127.0.0.1:%d" % daemon.port, KITH_KEY=daemon.key()),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    people, found, after = {}, set(), ""
    while after is not None:
        status, page = daemon.call("GET", "/v1/reminders?limit=1000" + after)
        assert status == 200, page
        for task in page["items"]:
            customer = task["customer"]
            if customer not in people:
                _, record = daemon.call("GET", "/v1/customers/%s" % customer)
                people[customer] = record["ids"]["user_id"][0]
            found.add((people[customer], datetime.date.fromisoformat(task["created"][:10])))
        after = "&after=" + page["next"] if page["next"] else None
    wanted = expected()
    daemon.kill()
    assert found == wanted, "missing %s, besides %s" % (
        sorted(wanted - found)[:5],
        sorted(found - wanted)[:5],
    )
    assert len(wanted) > 1000
