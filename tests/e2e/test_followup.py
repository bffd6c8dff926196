"""The plugin followup in the daemon: what devices send, promises, and who is to be seen again."""
import re
import time
from datetime import datetime

import pytest

from command import attach
from conftest import BUILD, basic, eventually

GRANT = '"read", "staff", "on-behalf", "routes", "act:create", "act:move", "act:remind", "act:send"'
RULES = """
rule "promise" { on = "Asked", run = function(event)
  followup.promise { what = event.what, due = now() + event.within, channel = "phone" }
end }
rule "vow" { on = "Vowed", run = function(event)
  followup.promise { what = "it", due = event.due }
end }
rule "hear" { on = { "promise.broken", "promise.kept" }, run = function(event, customer)
  customer:set("heard", event.type)
end }
rule "again" { on = "Fair", run = function()
  followup.revisit { after = "10d", title = "Visit" }
end }
"""


class House:
    """A daemon with the plugin; anna is on the staff, u-1 a customer of hers."""

    def __init__(self, start, tmp_path, isolated, config, words=""):
        path = tmp_path / "kith.lua"
        path.write_text(
            f'plugins "{BUILD / "plugins"}"\n'
            f'plugin "followup" {{ isolate = {str(isolated).lower()},'
            f' grant = {{ {GRANT} }}, config = {{ {config} }} }}\n{words}\n'
        )
        scripts = tmp_path / "scripts"
        scripts.mkdir(exist_ok=True)
        (scripts / "rules.lua").write_text(RULES)
        self.flags = ["--config", path, "--scripts", scripts]
        self.start = start
        self.daemon = start(*self.flags)
        self.daemon.send({"type": "identify", "userId": "u-1", "traits": {"name": "Ann"}})
        self.ok("PUT", "/v1/staff/anna", {"title": "Anna"})
        self.ok("PUT", "/v1/staff/bert", {})
        self.ok("POST", "/v1/customers/user_id:u-1/assign?wait=applied", {"owner": "anna"})
        self.keys = {name: self.key(name) for name in ("anna", "bert")}

    def key(self, staff):
        answer = self.ok("PUT", f"/v1/keys/{staff}", {"scopes": ["staff"], "staff": staff})
        return answer["secret"]

    def restart(self):
        assert self.daemon.stop() == 0
        self.daemon = self.start(*self.flags)

    def ok(self, method, path, body=None):
        answer = self.daemon.call(method, path, body)
        assert answer.status < 300, (path, answer.body)
        return answer.json

    def dav(self, method, path, body=None, staff="anna", headers=None):
        login = {"Authorization": basic(staff, self.keys[staff]), **(headers or {})}
        return self.daemon.call(method, path, body, key=None, headers=login)

    def put(self, name, *lines, **options):
        text = "\r\n".join(
            ["BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VTODO", *lines, "END:VTODO", "END:VCALENDAR"]
        )
        return self.dav("PUT", TASKS + name, text + "\r\n", **options)

    def remind(self, title, **more):
        body = {"customer": "user_id:u-1", "title": title, "to": "anna", "due": "3d", **more}
        return self.ok("POST", "/v1/reminders?wait=applied", body)["id"]

    def traits(self):
        return self.ok("GET", "/v1/customers/user_id:u-1")["traits"]

    def promise(self, what, ms):
        self.daemon.send(
            {
                "type": "track",
                "userId": "u-1",
                "event": "Asked",
                "properties": {"what": what, "within": ms},
            }
        )
        return self.ok("GET", "/v1/records/promise")["items"][0]


TASKS = "/dav/calendars/anna/tasks/"
HOUR = 3600_000


@pytest.fixture(params=[False, True], ids=["here", "isolated"])
def house(request, start, tmp_path):
    """house(config): the plugin in the daemon's process, and in one of its own."""
    return lambda config="", words="": House(start, tmp_path, request.param, config, words)


# -- Devices -----------------------------------------------------------------------------------


def test_a_task_of_the_phone_is_a_todo_and_lives_through_a_restart(house):
    house = house('zone = "Europe/Berlin"')
    made = house.put("a.ics", "UID:a", "SUMMARY:Milk", "DUE;TZID=Europe/Berlin:20270301T090000")
    assert made.status == 201, made.body
    (todo,) = house.ok("GET", "/v1/records/todo")["items"]
    assert (todo["owner"], todo["state"], todo["title"]) == ("anna", "open", "Milk")
    assert todo["fields"]["due"] == "2027-03-01T08:00:00.000Z"
    house.restart()
    text = house.dav("GET", TASKS + "a.ics").body.decode()
    assert "UID:a\r\n" in text and "DUE:20270301T080000Z" in text
    assert house.put("a.ics", "UID:a", "SUMMARY:Milk", "STATUS:COMPLETED").status == 204
    (todo,) = house.ok("GET", "/v1/records/todo")["items"]
    assert todo["state"] == "done"
    assert house.dav("DELETE", TASKS + "a.ics").status == 204
    assert house.dav("GET", TASKS + "a.ics").status == 404


def test_where_the_clocks_change_a_phone_means_what_everybody_means(house):
    house = house('zone = "Europe/Berlin"', 'zone "Europe/Berlin"')
    for name, local, words, due in (
        ("gap", "20260329T023000", "2026-03-29 02:30", "2026-03-29T01:00:00.000Z"),
        ("fold", "20261025T023000", "2026-10-25 02:30", "2026-10-25T01:30:00.000Z"),
    ):
        for zone in ("", ";TZID=Europe/Berlin"):
            uid = name + str(len(zone))
            answer = house.put(uid + ".ics", f"UID:{uid}", f"SUMMARY:{uid}", f"DUE{zone}:{local}")
            assert answer.status == 201, answer.body
            (todo,) = house.ok("GET", f"/v1/records/todo?q={uid}")["items"]
            assert house.ok("GET", f"/v1/records/todo/{todo['id']}")["fields"]["due"] == due
            written = house.dav("GET", TASKS + uid + ".ics").body.decode()
            assert "DUE:" + re.sub(r"[-:]|\.000", "", due) in written
        number = house.remind(name, due=words)
        assert house.ok("GET", f"/v1/reminders/{number}")["due"] == due


def test_done_on_the_phone_is_done_by_her_and_undone_is_another_reminder(house):
    house = house()
    number = house.remind("Call")
    name = f"reminder-{number}.ics"
    lines = [f"UID:reminder-{number}@kith", "SUMMARY:Call"]
    assert house.put(name, *lines, "STATUS:COMPLETED").status == 204
    reminder = house.ok("GET", f"/v1/reminders/{number}")
    assert reminder["state"] == "done"
    closed = [e for e in house.daemon.timeline("user_id:u-1") if e["type"] == "reminder.closed"]
    assert len(closed) == 1
    assert "STATUS:COMPLETED" in house.dav("GET", TASKS + name).body.decode()
    assert house.put(name, *lines, "STATUS:NEEDS-ACTION").status == 204
    (again,) = house.ok("GET", "/v1/reminders?to=anna")["items"]
    assert again["title"] == "Call" and again["id"] != number
    text = house.dav("GET", TASKS + name).body.decode()
    assert "STATUS:NEEDS-ACTION" in text and lines[0] in text


def test_a_promise_that_is_ticked_off_on_the_phone_is_kept_with_the_note_as_evidence(house):
    house = house()
    kept, ticked, broken = (house.promise(what, HOUR)["id"] for what in ("call", "write", "visit"))
    reminders = house.ok("GET", "/v1/reminders?to=anna")["items"]
    task = {item["about"]: item for item in reminders}

    def tick(promise, *more):
        number, title = (task[f"promise:{promise}"][name] for name in ("id", "title"))
        lines = [f"UID:reminder-{number}@kith", f"SUMMARY:{title}", "STATUS:COMPLETED", *more]
        assert house.put(f"reminder-{number}.ics", *lines).status == 204
        return house.ok("GET", f"/v1/records/promise/{promise}")

    record = tick(kept, "DESCRIPTION:Spoke to her husband")
    assert (record["state"], record["fields"]["evidence"]) == ("kept", "Spoke to her husband")
    record = tick(ticked)
    assert (record["state"], record["fields"]["evidence"]) == ("kept", "ticked off in the calendar")
    closed = house.ok("GET", f"/v1/reminders/{task[f'promise:{kept}']['id']}")
    assert closed["state"] == "done"
    assert house.traits()["followup.promises_kept"] == 2
    by = [e["by"] for e in house.daemon.timeline("user_id:u-1") if e["type"] == "record.move"]
    assert by == ["anna", "anna"], "it is she who says so"
    house.ok(
        "POST",
        f"/v1/records/promise/{broken}/withdraw?wait=applied",
        {"fields": {"reason": "she moved"}},
    )
    assert house.ok("GET", f"/v1/records/promise/{broken}")["state"] == "withdrawn"


def test_a_clerk_says_over_http_that_a_promise_was_kept_and_not_without_evidence(house):
    house = house()
    number = house.promise("call", HOUR)["id"]
    path = f"/v1/records/promise/{number}/keep?wait=applied"
    refused = house.daemon.call("POST", path, {})
    assert refused.status == 422 and "evidence" in refused.json["detail"]
    blank = house.daemon.call("POST", path, {"fields": {"evidence": " \u3000"}})
    assert blank.status == 422 and "evidence" in blank.json["detail"]
    fields = {"what": " ", "due": int(time.time() * 1000) + HOUR}
    blank = {"customer": "user_id:u-1", "fields": fields}
    assert house.daemon.post("/v1/records/promise", blank).status == 422
    house.ok("POST", path, {"fields": {"evidence": "called at nine"}})
    assert house.traits()["followup.promises_kept"] == 1


def vowed(house, due):
    """What a rule promises."""
    track = {"type": "track", "userId": "u-1", "event": "Vowed", "properties": {"due": due}}
    house.daemon.send(track)
    return house.ok("GET", "/v1/records/promise")["items"][0]


def test_a_promise_is_due_in_the_words_of_a_reminder(house):
    house = house()
    kith = attach(house.daemon)
    promise, path = {"customer": "user_id:u-1"}, "/v1/records/promise?wait=applied"
    for words in ("today", "tomorrow", "friday", "Mon", "2wd", "2199-12-01", "2199-12-01 10:00"):
        reminder = house.ok("GET", f"/v1/reminders/{house.remind('x', due=words)}")["due"]
        made = house.ok("POST", path, {**promise, "fields": {"what": "a call", "due": words}})
        assert made["fields"]["due"] == reminder, words
        assert vowed(house, words)["fields"]["due"] == reminder, words
        said = kith("promise", "add", "user_id:u-1", "a", "call", "--due", words)
        number = re.match(r"promise:(\d+)", said)[1]
        got = house.ok("GET", f"/v1/records/promise/{number}")
        assert got["fields"]["due"] == reminder, words
    change = {"fields": {"due": "2199-12-02 11:00+00:00"}}
    house.ok("PATCH", f"/v1/records/promise/{number}?wait=applied", change)
    got = house.ok("GET", f"/v1/records/promise/{number}")
    assert got["fields"]["due"] == "2199-12-02T11:00:00.000Z"
    later = vowed(house, "2h")
    assert instant(later["fields"]["due"]) - instant(later["created"]) == 2 * HOUR
    refused = house.daemon.call("POST", path, {**promise, "fields": {"what": "x", "due": "frday"}})
    assert refused.status == 422
    assert refused.json["detail"].startswith('"due": "frday" is no time: write a duration (3d')
    count = len(house.ok("GET", "/v1/records/promise")["items"])
    vowed(house, "frday")
    assert len(house.ok("GET", "/v1/records/promise")["items"]) == count


def instant(text):
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def test_promises_are_made_listed_and_kept_by_command(house):
    house = house()
    kith = attach(house.daemon)
    said = kith("promise", "add", "user_id:u-1", "a", "call", "back", "--due", "2h")
    assert said.startswith("promise:1  open")
    assert "a call back" in kith("promise", "list", "--owner", "anna")
    said = kith("promise", "keep", "1", "called", "at", "nine")
    assert said.startswith("promise:1  kept") and "called at nine" in said
    assert "a call back" not in kith("promise", "list")
    assert "a call back" in kith("promise", "list", "--all")
    kith("promise", "add", "user_id:u-1", "a", "visit", "--due", "2h")
    assert kith("promise", "withdraw", "2", "she", "moved").startswith("promise:2  withdrawn")
    code, _, err = kith.run("promise", "add", "user_id:u-1", "a visit")
    assert code == 2 and "until when? Add --due 2h" in err
    code, _, err = kith.run("promise", "keep", "x", "called")
    assert code == 2 and "kith promise list has them" in err


def test_deleted_on_the_phone_is_called_off_with_its_reason(house):
    house = house()
    number = house.remind("Call")
    assert house.dav("DELETE", f"{TASKS}reminder-{number}.ics").status == 204
    reminder = house.ok("GET", f"/v1/reminders/{number}")
    assert (reminder["state"], reminder["outcome"]) == ("done", "deleted in the calendar")
    assert house.dav("GET", f"{TASKS}reminder-{number}.ics").status == 404


def text_of(house, name):
    answer = house.dav("GET", TASKS + name)
    assert answer.status == 200, answer.status
    return answer.headers["ETag"], answer.body.decode()


def hrefs(house):
    return re.findall(r"<d:href>([^<]*\.ics)</d:href>", sync(house, "").body.decode())


def test_undone_twice_because_the_first_was_half_done_sets_one_reminder(house):
    """What is beside a reminder is a record, and no more are allowed: the second half fails."""
    house = house()
    number = house.remind("Call")
    house.promise("a call back", 5 * HOUR)
    name, lines = f"reminder-{number}.ics", [f"UID:reminder-{number}@kith", "SUMMARY:Call"]
    config = house.flags[1]
    config.write_text("limits { records = 1 }\n" + config.read_text())
    house.restart()
    done = house.put(name, *lines, "STATUS:COMPLETED", "COMPLETED:20260101T120000Z")
    assert done.status == 507, "its copy was refused"
    assert b"<d:quota-not-exceeded/>" in done.body and b"valid-calendar-data" not in done.body
    assert b"(limit records); close some that are over, or have the limit raised" in done.body
    assert house.ok("GET", f"/v1/reminders/{number}")["state"] == "done"
    tag, text = text_of(house, name)
    assert "STATUS:COMPLETED" in text
    match = {"If-Match": tag}
    for _ in range(3):
        undone = house.put(name, *lines, "STATUS:NEEDS-ACTION", headers=match)
        assert undone.status == 507, undone.status
    config.write_text(config.read_text().replace("records = 1", "records = 9"))
    house.restart()
    titles = [item["title"] for item in house.ok("GET", "/v1/reminders?to=anna")["items"]]
    assert titles.count("Call") == 1


def test_undone_and_done_and_undone_again_is_one_task(house):
    house = house()
    number = house.remind("Call")
    name, lines = f"reminder-{number}.ics", [f"UID:reminder-{number}@kith", "SUMMARY:Call"]
    for status in ("COMPLETED", "NEEDS-ACTION", "COMPLETED", "NEEDS-ACTION", "COMPLETED"):
        match = {"If-Match": text_of(house, name)[0]}
        assert house.put(name, *lines, f"STATUS:{status}", headers=match).status == 204
        assert f"STATUS:{status}" in text_of(house, name)[1]
        open_ones = house.ok("GET", "/v1/reminders?to=anna")["items"]
        assert len(open_ones) == (status == "NEEDS-ACTION")
        assert hrefs(house) == [TASKS + name]
    house.restart()
    assert hrefs(house) == [TASKS + name]


def test_a_task_that_is_done_already_is_so_from_the_beginning(house):
    house = house()
    star = {"If-None-Match": "*"}
    for name, status, state in (("a", "COMPLETED", "done"), ("b", "CANCELLED", "dropped")):
        made = house.put(f"{name}.ics", f"UID:{name}", f"STATUS:{status}", headers=star)
        assert made.status == 201, made.body
        todo = house.ok("GET", "/v1/records/todo")["items"][0]
        assert (todo["state"], todo["since"]) == (state, todo["created"])
        assert f"STATUS:{status}" in text_of(house, f"{name}.ics")[1]


def test_a_change_of_a_task_and_its_state_is_one_step(house):
    house = house()
    house.put("a.ics", "UID:a", "SUMMARY:Milk")
    before = house.ok("GET", "/v1/records/todo/1")["version"]
    assert house.put("a.ics", "UID:a", "SUMMARY:Tea", "STATUS:COMPLETED").status == 204
    todo = house.ok("GET", "/v1/records/todo/1")
    assert (todo["title"], todo["state"], todo["version"]) == ("Tea", "done", before + 1)
    assert house.put("a.ics", "UID:a", "SUMMARY:Rum", "STATUS:NEEDS-ACTION").status == 204
    assert house.dav("DELETE", TASKS + "a.ics").status == 204
    todo = house.ok("GET", "/v1/records/todo/1")
    assert (todo["title"], todo["state"], todo["owner"]) == ("Rum", "dropped", None)
    assert todo["version"] == before + 3
    assert house.dav("GET", TASKS + "a.ics").status == 404


def test_a_change_of_a_reminder_and_its_end_are_one_entry(house):
    house = house()
    for status, outcome in (("COMPLETED", None), ("CANCELLED", "called off in the calendar")):
        number = house.remind("Call")
        name = f"reminder-{number}.ics"
        tag, _ = text_of(house, name)
        words = ["SUMMARY:Called", "DESCRIPTION:She was glad", "DUE:20290301T080000Z"]
        lines = [f"UID:reminder-{number}@kith", *words, f"STATUS:{status}"]
        before = house.daemon.timeline("user_id:u-1")
        assert house.put(name, *lines, headers={"If-Match": tag}).status == 204
        after = [e for e in house.daemon.timeline("user_id:u-1") if e not in before]
        assert sorted(e["type"] for e in after) == ["reminder.closed", "reminder.done"]
        reminder = house.ok("GET", f"/v1/reminders/{number}")
        assert (reminder["title"], reminder["note"]) == ("Called", "She was glad")
        assert (reminder["state"], reminder.get("outcome")) == ("done", outcome)
        assert reminder["due"] == "2029-03-01T08:00:00.000Z"
        shown = text_of(house, name)
        assert all(line in shown[1] for line in lines)
        house.restart()
        assert text_of(house, name) == shown


def test_what_is_written_over_a_promise_that_is_ticked_off_is_its_evidence(house):
    house = house()
    promise = house.promise("call", HOUR)["id"]
    (task,) = house.ok("GET", "/v1/reminders?to=anna")["items"]
    name = f"reminder-{task['id']}.ics"
    lines = [f"UID:reminder-{task['id']}@kith", "SUMMARY:Called at nine", "STATUS:COMPLETED"]
    assert house.put(name, *lines).status == 204
    record = house.ok("GET", f"/v1/records/promise/{promise}")
    assert (record["state"], record["fields"]["evidence"]) == ("kept", "Called at nine")
    assert house.ok("GET", f"/v1/reminders/{task['id']}")["title"] == task["title"]
    shown = text_of(house, name)
    assert "SUMMARY:Called at nine" in shown[1] and "STATUS:COMPLETED" in shown[1]
    house.restart()
    assert text_of(house, name) == shown


def test_copies_of_closed_reminders_are_open_records_no_more(house):
    """Nine reminders with lines of the device's own, where three open records are allowed."""
    house = house()
    config = house.flags[1]
    config.write_text("limits { records = 3 }\n" + config.read_text())
    house.restart()
    shown = {}
    for nth, how in enumerate(("ticked", "done", "off", "late", "hidden") * 2):
        number = house.remind(f"Call {nth}")
        name = f"reminder-{number}.ics"
        lines = [f"UID:reminder-{number}@kith", f"SUMMARY:Call {nth}", f"X-OWN:{nth}"]
        if how != "late":
            assert house.put(name, *lines).status == 204
            assert f"X-OWN:{nth}" in text_of(house, name)[1]
        if how == "done":
            house.ok("POST", f"/v1/reminders/{number}/done?wait=applied")
        else:
            status = "CANCELLED" if how == "off" else "COMPLETED"
            assert house.put(name, *lines, f"STATUS:{status}").status == 204
        if how == "hidden":
            assert house.dav("DELETE", TASKS + name).status == 204
        else:
            shown[name] = text_of(house, name)
            assert f"X-OWN:{nth}" in shown[name][1]
        assert not house.ok("GET", "/v1/records/calendar_copy?open=1")["items"], how
    copies = house.ok("GET", "/v1/records/calendar_copy?state=left")["items"]
    assert len(copies) == 10
    house.restart()
    assert {name: text_of(house, name) for name in shown} == shown
    assert sorted(hrefs(house)) == sorted(TASKS + name for name in shown)


def test_a_copy_that_an_earlier_version_left_open_is_closed_with_the_next(house):
    house = house()
    first, second = house.remind("First"), house.remind("Second")
    house.ok("POST", f"/v1/reminders/{first}/done?wait=applied")
    body = {"customer": "user_id:u-1", "owner": "anna"}
    fields = {"reminder": first, "name": "x.ics", "completed": "2026-01-01T00:00:00Z"}
    house.ok("POST", "/v1/records/calendar_copy?wait=applied", {**body, "fields": fields})
    assert house.ok("GET", "/v1/records/calendar_copy?open=1")["items"]
    house.ok("POST", f"/v1/reminders/{second}/done?wait=applied")
    assert not house.ok("GET", "/v1/records/calendar_copy?open=1")["items"]
    assert "COMPLETED:20260101T000000Z" in text_of(house, "x.ics")[1]


def test_a_task_that_was_called_off_is_there_and_can_be_taken_up_again(house):
    house = house()
    lines = ["UID:a", "SUMMARY:Milk"]
    for status, state in (("CANCELLED", "dropped"), ("NEEDS-ACTION", "open")):
        house.put("a.ics", *lines, f"STATUS:{status}")
        (todo,) = house.ok("GET", "/v1/records/todo")["items"]
        assert todo["state"] == state
        before = text_of(house, "a.ics")
        assert f"STATUS:{status}" in before[1]
        house.restart()
        assert text_of(house, "a.ics") == before and hrefs(house) == [TASKS + "a.ics"]


def test_a_name_whose_task_is_shown_no_more_is_that_task_again(house):
    house = house('done_shown = "1s"')
    states = {"COMPLETED": "done", "CANCELLED": "dropped", "NEEDS-ACTION": "open"}
    for status in ("COMPLETED", "NEEDS-ACTION", "CANCELLED", "COMPLETED", "NEEDS-ACTION"):
        lines = ["UID:a", f"SUMMARY:Milk, {status}", f"STATUS:{status}"]
        answer = house.put("a.ics", *lines)
        assert answer.status in (201, 204), answer.body
        (todo,) = house.ok("GET", "/v1/records/todo")["items"]
        assert (todo["state"], todo["title"]) == (states[status], f"Milk, {status}")
        if status != "NEEDS-ACTION":
            eventually(lambda: house.dav("GET", TASKS + "a.ics").status == 404)
    assert "STATUS:NEEDS-ACTION" in text_of(house, "a.ics")[1]


def test_what_was_done_and_deleted_stays_so_after_a_restart(house):
    house = house()
    kept, number = house.remind("Keep"), house.remind("Call")
    for reminder, title in ((kept, "Keep"), (number, "Call")):
        lines = [f"UID:reminder-{reminder}@kith", f"SUMMARY:{title}", "STATUS:COMPLETED"]
        assert house.put(f"reminder-{reminder}.ics", *lines).status == 204
    name = f"reminder-{number}.ics"
    assert house.dav("DELETE", TASKS + name).status == 204
    before = text_of(house, f"reminder-{kept}.ics")
    assert "COMPLETED:" in before[1]
    for _ in range(2):
        assert house.dav("GET", TASKS + name).status == 404
        assert hrefs(house) == [f"{TASKS}reminder-{kept}.ics"]
        assert text_of(house, f"reminder-{kept}.ics") == before
        house.restart()
    assert house.ok("GET", f"/v1/reminders/{number}")["state"] == "done"


def test_what_was_done_elsewhere_says_when_and_says_the_same_after_a_restart(house):
    house = house()
    here, there, unseen = (house.remind(title) for title in ("Here", "There", "Unseen"))
    for number in (here, there):
        assert "NEEDS-ACTION" in text_of(house, f"reminder-{number}.ics")[1]
    attach(house.daemon)("done", str(here))
    house.ok("POST", f"/v1/reminders/{there}/done?wait=applied", {"outcome": "reached"})
    house.ok("POST", f"/v1/reminders/{unseen}/done?wait=applied")
    before = {}
    for number in (here, there, unseen):
        closed = house.ok("GET", f"/v1/reminders/{number}")["closed"]
        assert closed < house.ok("GET", f"/v1/reminders/{number}")["due"]
        if number != unseen:
            before[number] = text_of(house, f"reminder-{number}.ics")
            stamp = re.sub(r"[-:]|\.\d+", "", closed)
            assert f"COMPLETED:{stamp}\r\n" in before[number][1]
    for _ in range(2):
        time.sleep(1.1)
        house.restart()
        assert {number: text_of(house, f"reminder-{number}.ics") for number in before} == before
        before[unseen] = text_of(house, f"reminder-{unseen}.ics")


def test_a_name_that_is_like_ours_is_whose_it_was_first(house):
    house = house()
    coming = house.remind("One") + 1
    name, uid = f"reminder-{coming}.ics", f"UID:reminder-{coming}@kith"
    assert house.put(name, uid, "SUMMARY:Mine").status == 201
    assert house.remind("Two") == coming
    found = hrefs(house)
    assert len(found) == len(set(found)) == 3 and TASKS + name in found
    texts = [house.dav("GET", href).body.decode() for href in found]
    assert len(set(re.findall(r"UID:.*", "".join(texts)))) == 3
    assert "SUMMARY:Mine" in text_of(house, name)[1]
    assert house.put(name, uid, "SUMMARY:Still mine").status == 204
    (other,) = [href for href, text in zip(found, texts) if "SUMMARY:Two" in text]
    (its,) = re.findall(r"UID:.*", texts[found.index(other)].replace("\r", ""))
    done = house.put(other.rsplit("/", 1)[1], its, "SUMMARY:Two", "STATUS:COMPLETED")
    assert done.status == 204, done.body
    assert house.ok("GET", f"/v1/reminders/{coming}")["state"] == "done"
    assert house.ok("GET", "/v1/records/todo/1")["title"] == "Still mine"
    assert len(hrefs(house)) == 3


def test_a_task_without_a_letter_in_its_title_is_untitled(house):
    house = house()
    assert house.put("a.ics", "UID:a", "SUMMARY:\u3000 \u200b").status == 201
    assert house.ok("GET", "/v1/records/todo/1")["title"] == "(untitled)"


def test_a_list_is_hers_alone(house):
    house = house()
    house.remind("Call")
    assert house.dav("GET", TASKS, staff="bert").status == 404
    assert house.daemon.get(TASKS, key=None).status == 401
    assert house.daemon.get(TASKS).status == 403  # the admin's key is nobody's
    assert house.daemon.get(TASKS, key="write").status == 403


def token_of(answer):
    return re.search(rb"<d:sync-token>([^<]*)</d:sync-token>", answer.body).group(1).decode()


def sync(house, token):
    body = (
        '<d:sync-collection xmlns:d="DAV:"><d:sync-token>%s</d:sync-token>'
        "<d:sync-level>1</d:sync-level><d:prop><d:getetag/></d:prop></d:sync-collection>" % token
    )
    return house.dav("REPORT", TASKS, body)


def test_a_token_tells_what_has_come_and_gone_and_is_stale_after_a_restart(house):
    house = house()
    first, second = house.remind("One"), house.remind("Two")
    token = token_of(sync(house, ""))
    assert b"<d:response>" not in sync(house, token).body
    house.ok("PATCH", f"/v1/reminders/{first}?wait=applied", {"to": "bert"})
    third = house.remind("Three")
    answer = sync(house, token)
    assert answer.status == 207
    assert f"reminder-{first}.ics".encode() in answer.body and b"404" in answer.body
    assert f"reminder-{third}.ics".encode() in answer.body
    assert f"reminder-{second}.ics".encode() not in answer.body
    token = token_of(answer)
    house.restart()
    stale = sync(house, token)
    assert stale.status == 403 and b"valid-sync-token" in stale.body
    assert b"reminder-" in sync(house, "").body


def test_a_reminder_that_has_changed_since_is_not_overwritten(house):
    house = house()
    number = house.remind("Call")
    path = f"/v1/reminders/{number}"
    seen = house.daemon.get(path)
    tag = seen.headers["ETag"]
    assert tag == f'"{seen.json["version"]}"'
    match = {"If-Match": tag}
    changed = house.daemon.call("PATCH", path, {"title": "Write"}, headers=match)
    assert changed.status == 200 and changed.headers["ETag"] != tag
    refused = house.daemon.call("PATCH", path, {"title": "Visit"}, headers=match)
    assert refused.status == 412, refused.body
    assert house.daemon.post(path + "/done", {}, headers=match).status == 412
    assert house.daemon.post(path + "/snooze", {"due": "5d"}, headers=match).status == 412
    assert house.daemon.post(path + "/done", {}, headers={"If-Match": "5"}).status == 412
    assert house.ok("GET", path)["title"] == "Write"
    last = {"If-Match": changed.headers["ETag"]}
    assert house.daemon.post(path + "/done", {}, headers=last).status == 200


# -- What is hostile ---------------------------------------------------------------------------

BOMB = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]>'
    '<d:propfind xmlns:d="DAV:"><d:prop><d:displayname>&c;</d:displayname></d:prop></d:propfind>'
)


def test_what_is_hostile_is_refused_and_changes_nothing(house):
    house = house()
    number = house.remind("Call")
    name = f"reminder-{number}.ics"
    deep = "<a>" * 5000 + "</a>" * 5000
    for body in (BOMB, "<d:propfind", deep, "\x00\x01", "<a xmlns='x'/>" * 2):
        assert house.dav("PROPFIND", TASKS, body).status in (400, 413), body[:40]
    begin = "BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\n"
    end = "END:VTODO\r\nEND:VCALENDAR\r\n"
    for text in (
        "",
        "x",
        begin,
        begin + "UID:a\r\n" * 5000 + end,
        begin + f"UID:reminder-{number}@kith\r\nDUE:20271399T000000Z\r\n" + end,
        begin + "BEGIN:X\r\n" * 100,
        begin + f"UID:reminder-{number}@kith\r\nSUMMARY:" + "x" * 300_000 + "\r\n" + end,
        begin + "UID:another\r\nSUMMARY:Taken\r\n" + end,
    ):
        answer = house.dav("PUT", TASKS + name, text.encode())
        assert 400 <= answer.status < 500, (answer.status, text[:60])
    assert house.dav("PUT", TASKS + "a%2fb.ics", "x").status in (403, 404, 405)
    assert house.dav("PUT", TASKS + "%00.ics", "x").status in (400, 403, 404, 405)
    assert house.dav("PUT", TASKS + "big.ics", b"x" * (2 << 20)).status == 413
    long = house.put("long.ics", "UID:l", "SUMMARY:" + "x" * 900, "X-LONG:" + "y" * 60_000)
    assert long.status == 403, long.body
    (reminder,) = house.ok("GET", "/v1/reminders?to=anna")["items"]
    assert (reminder["title"], reminder["state"]) == ("Call", "open")
    assert not house.ok("GET", "/v1/records/todo")["items"]
    assert house.dav("GET", TASKS + name).status == 200


# -- The feed ----------------------------------------------------------------------------------


def test_a_feed_has_a_secret_address_that_a_new_one_ends(house):
    house = house()
    house.remind("Call", note="her number is secret")
    first = house.dav("POST", "/v1/followup/feed").json["path"]
    answer = house.daemon.get(first, key=None)
    assert answer.status == 200 and b"SUMMARY:Call" in answer.body
    assert b"secret" not in answer.body
    match = {"If-None-Match": answer.headers["ETag"]}
    assert house.daemon.get(first, key=None, headers=match).status == 304
    second = house.dav("POST", "/v1/followup/feed").json["path"]
    assert house.daemon.get(first, key=None).status == 404
    assert house.daemon.get(second + ".ics", key=None).status == 200
    assert second.rsplit("/", 1)[1] not in str(house.ok("GET", "/v1/records/calendar_feed"))
    assert house.dav("DELETE", "/v1/followup/feed").status == 204
    assert house.daemon.get(second, key=None).status == 404
    assert house.daemon.get("/v1/followup/feed/" + "0" * 32, key=None).status == 404
    assert house.daemon.get("/v1/followup/feed/x", key=None).status == 404


# -- Promises ----------------------------------------------------------------------------------


def test_a_promise_that_is_kept_is_counted_and_nobody_is_reminded(house):
    house = house()
    promise = house.promise("a call back", 5 * HOUR)
    assert (promise["state"], promise["owner"]) == ("open", "anna")
    assert house.traits()["followup.promises_open"] == 1
    (reminder,) = house.ok("GET", "/v1/reminders?to=anna")["items"]
    assert reminder["about"] == f"promise:{promise['id']}"
    assert (
        f"reminder-{reminder['id']}.ics"
        in house.dav("PROPFIND", TASKS, "", headers={"Depth": "1"}).body.decode()
    )
    path = f"/v1/records/promise/{promise['id']}"
    house.ok("POST", path + "/keep?wait=applied", {"fields": {"evidence": "called"}})
    traits = house.traits()
    assert (traits["followup.promises_open"], traits["followup.promises_kept"]) == (0, 1)
    assert traits["heard"] == "promise.kept"
    assert not house.ok("GET", "/v1/reminders?to=anna")["items"]


def test_promises_follow_when_two_become_one_and_two_again(house):
    house = house()
    number = house.promise("a call back", 5 * HOUR)["id"]
    path = f"/v1/records/promise/{number}/keep?wait=applied"
    house.ok("POST", path, {"fields": {"evidence": "called"}})
    house.promise("a letter", 5 * HOUR)
    house.daemon.send({"type": "identify", "userId": "u-9", "traits": {"name": "Ben"}})

    def traits(user):
        found = house.ok("GET", f"/v1/customers/user_id:{user}")["traits"]
        return [found.get(f"followup.promises_{name}") for name in ("open", "kept", "broken")]

    her = house.ok("GET", "/v1/customers/user_id:u-1")["id"]
    house.ok("POST", "/v1/customers/user_id:u-9/merge?wait=applied", {"absorbed": "user_id:u-1"})
    assert traits("u-9") == [1, 1, 0]
    house.ok("POST", f"/v1/customers/{her}/unmerge?wait=applied", {})
    assert traits("u-1") == [1, 1, 0] and traits("u-9") == [0, 0, 0]


def test_a_promise_is_broken_by_the_clock_and_made_good_by_people(house):
    house = house()
    promise = house.promise("a call back", 1000)
    path = f"/v1/records/promise/{promise['id']}"
    eventually(lambda: house.ok("GET", path)["state"] == "broken")
    eventually(lambda: house.traits().get("heard") == "promise.broken")
    traits = house.traits()
    assert (traits["followup.promises_open"], traits["followup.promises_broken"]) == (0, 1)
    titles = [item["title"] for item in house.ok("GET", "/v1/reminders?to=anna")["items"]]
    assert any("apologize" in title for title in titles)
    assert house.daemon.post(path + "/apologize", {}).status == 422
    said = {"fields": {"apology": "I am sorry; tomorrow"}}
    assert house.ok("POST", path + "/apologize?wait=applied", said)["state"] == "apologized"
    done = {"fields": {"recovery": "tea", "cost": {"amount": "12.50", "currency": "EUR"}}}
    assert house.ok("POST", path + "/recover?wait=applied", done)["state"] == "recovered"
    assert not house.ok("GET", "/v1/reminders?to=anna")["items"]
    assert house.traits()["followup.promises_broken"] == 1


def test_what_was_kept_late_can_be_made_good(house):
    house = house()
    promise = house.promise("a call back", 1000)
    path = f"/v1/records/promise/{promise['id']}"
    eventually(lambda: house.ok("GET", path)["state"] == "broken")
    late = {"fields": {"evidence": "called a day late"}}
    assert house.ok("POST", path + "/keep_late?wait=applied", late)["state"] == "kept_late"
    blank = {"fields": {"recovery": " "}}
    assert house.daemon.post(path + "/recover", blank).status == 422
    done = {"fields": {"recovery": "flowers"}}
    assert house.ok("POST", path + "/recover?wait=applied", done)["state"] == "recovered"
    assert house.traits()["followup.promises_broken"] == 1


def test_a_message_goes_out_where_the_operator_has_written_one(house, tmp_path):
    templates = tmp_path / "scripts" / "templates"
    templates.mkdir(parents=True)
    (templates / "sorry.log.md").write_text("We promised you {{ what }}, and did not.\n")
    house = house('apology_template = "sorry", apology_channel = "log"')
    house.promise("a call back", 1000)
    found = lambda: house.ok("GET", "/v1/effects?limit=50")["items"]
    eventually(found)
    effect = house.ok("GET", "/v1/effects/" + found()[0]["id"])
    assert (effect["channel"], effect["message"]["template"]) == ("log", "sorry")
    assert effect["message"]["data"]["what"] == "a call back"


def test_a_promise_that_is_put_off_in_time_is_not_broken(house):
    house = house()
    promise = house.promise("a call back", 2 * HOUR)
    path = f"/v1/records/promise/{promise['id']}"
    later = int(time.time() * 1000) + 50 * HOUR
    record = house.ok("PATCH", path + "?wait=applied", {"fields": {"due": later}})
    assert record["deadlines"]["keep"]["moves"]
    assert record["state"] == "open"


# -- Seen again --------------------------------------------------------------------------------


def test_the_next_visit_moves_the_reminder_to_see_her_again(house):
    house = house('revisit_types = { "Visit" }, revisit_after = "30d", revisit_title = "See Ann"')
    for _ in range(2):
        house.daemon.send({"type": "track", "userId": "u-1", "event": "Visit"})
    (reminder,) = house.ok("GET", "/v1/reminders?to=anna")["items"]
    assert reminder["title"] == "See Ann"
    house.daemon.send({"type": "track", "userId": "u-1", "event": "Fair"})
    (again,) = house.ok("GET", "/v1/reminders?to=anna")["items"]
    assert again["id"] == reminder["id"] and again["due"] < reminder["due"]


# -- Hand-over ---------------------------------------------------------------------------------


def test_who_leaves_hands_over_customers_promises_and_follow_ups(house):
    house = house()
    kith = attach(house.daemon)
    promise = house.promise("a call back", 5 * HOUR)
    house.put("a.ics", "UID:a", "SUMMARY:Order tea")
    number = house.remind("Write")
    dry = kith("staff", "remove", "anna", "--to", "bert", "--dry-run")
    assert dry.startswith("1 customer, 2 records and 2 follow-ups of anna: would be of bert\n"), dry
    assert f"    promise {promise['id']}: a call back\n" in dry
    assert f"    follow-up {number}: Write\n" in dry
    assert house.ok("GET", f"/v1/records/promise/{promise['id']}")["owner"] == "anna"
    listed = kith.json("staff", "remove", "anna", "--to", "bert", "--dry-run")
    assert [item["what"] for item in listed[:3]] == ["customer", "promise", "todo"] or [
        item["what"] for item in listed[:3]
    ] == ["customer", "todo", "promise"]

    said = kith("staff", "remove", "anna", "--to", "bert")
    assert said.startswith("1 customer, 2 records and 2 follow-ups of anna: now of bert\n"), said
    assert f"    promise {promise['id']}: a call back\n" in said
    assert house.ok("GET", "/v1/customers/user_id:u-1")["owner"] == "bert"
    assert house.ok("GET", f"/v1/records/promise/{promise['id']}")["owner"] == "bert"
    assert house.ok("GET", "/v1/records/todo")["items"][0]["owner"] == "bert"
    assert len(house.ok("GET", "/v1/reminders?to=bert")["items"]) == 2
    assert house.daemon.get("/v1/staff/anna").status == 404
    assert house.dav("GET", TASKS).status in (401, 403)
    answer = house.dav("GET", "/dav/calendars/bert/tasks/", staff="bert")
    assert answer.body.count(b"BEGIN:VTODO") == 3
    code, _, err = kith.run("staff", "remove", "bert", "--dry-run")
    assert code == 1 and "--dry-run needs --to STAFF" in err


def test_a_hand_over_that_was_interrupted_goes_on(house):
    house = house()
    kith = attach(house.daemon)
    promises = [house.promise(f"call {n}", 5 * HOUR)["id"] for n in range(3)]
    house.ok("POST", f"/v1/records/promise/{promises[0]}/assign?wait=applied", {"owner": "bert"})
    said = kith("staff", "remove", "anna", "--to", "bert")
    assert said.startswith("1 customer, 2 records and 2 follow-ups of anna"), said
    for number in promises:
        assert house.ok("GET", f"/v1/records/promise/{number}")["owner"] == "bert"
    assert len(house.ok("GET", "/v1/reminders?to=bert")["items"]) == 3
