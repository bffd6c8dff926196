"""The plugin followup in the daemon: what is done, refused, and deleted, on a device."""
import time
from concurrent.futures import ThreadPoolExecutor

from test_followup import HOUR, TASKS, house, hrefs, text_of  # noqa: F401 (a fixture)


def test_words_of_what_is_done_stay_until_a_device_changes_them(house):
    house = house()
    house.promise("call", HOUR)
    (task,) = house.ok("GET", "/v1/reminders?to=anna")["items"]
    name, uid = f"reminder-{task['id']}.ics", f"UID:reminder-{task['id']}@kith"
    words, end = ["SUMMARY:called at nine", "DESCRIPTION:spoke to Ben"], "STATUS:COMPLETED"
    assert house.put(name, uid, *words, end).status == 204
    for more in ("CATEGORIES:work", "PRIORITY:1", "CATEGORIES:home"):
        assert house.put(name, uid, *words, more, end).status == 204
        text = text_of(house, name)[1]
        assert all(line in text for line in [*words, more, end]), text
    assert house.put(name, uid, "SUMMARY:called at ten", end).status == 204
    shown = text_of(house, name)
    assert "SUMMARY:called at ten" in shown[1] and "DESCRIPTION" not in shown[1]
    house.restart()
    assert text_of(house, name) == shown


def test_what_is_done_is_called_otherwise_in_its_copy(house):
    house = house()
    number = house.remind("Call", note="at nine")
    name, uid = f"reminder-{number}.ics", f"UID:reminder-{number}@kith"
    first = ["SUMMARY:Call", "DESCRIPTION:at nine", "STATUS:COMPLETED"]
    assert house.put(name, uid, *first).status == 204
    for lines in (
        ["SUMMARY:Call", "DESCRIPTION:she was glad"],
        ["SUMMARY:Called", "DESCRIPTION:she was glad"],
        ["SUMMARY:Called"],
    ):
        tag = text_of(house, name)[0]
        match = {"If-Match": tag}
        assert house.put(name, uid, *lines, "STATUS:COMPLETED", headers=match).status == 204
        shown = text_of(house, name)
        assert shown[0] != tag and all(line in shown[1] for line in lines), shown
        assert ("DESCRIPTION" in shown[1]) == (len(lines) == 2)
        house.restart()
        assert text_of(house, name) == shown
    reminder = house.ok("GET", f"/v1/reminders/{number}")
    assert (reminder["title"], reminder["note"]) == ("Call", "at nine")
    (copy,) = house.ok("GET", "/v1/records/calendar_copy")["items"]
    assert copy["state"] == "left"
    assert house.put(name, uid, "SUMMARY:Called", "STATUS:NEEDS-ACTION").status == 204
    (again,) = house.ok("GET", "/v1/reminders?to=anna")["items"]
    assert again["title"] == "Called"


def test_what_was_ticked_off_last_is_there_after_a_restart_whatever_its_number(house):
    house = house()
    first = house.remind("First")
    for number in [house.remind(f"Later {nth}") for nth in range(101)]:
        house.ok("POST", f"/v1/reminders/{number}/done?wait=applied", {})
    name, uid = f"reminder-{first}.ics", f"UID:reminder-{first}@kith"
    assert house.put(name, uid, "SUMMARY:First", "STATUS:COMPLETED").status == 204
    shown = text_of(house, name)
    house.restart()
    assert text_of(house, name) == shown


def test_of_todos_too_what_was_closed_last_is_there_whatever_its_number(house):
    house = house()
    assert house.put("first.ics", "UID:first", "SUMMARY:First").status == 201
    assert house.put("last.ics", "UID:last", "SUMMARY:Last").status == 201
    for nth in range(1120):
        fields = {"title": f"Later {nth}", "made": "done" if nth % 11 else "dropped"}
        house.ok("POST", "/v1/records/todo", {"owner": "anna", "fields": fields})
    for name, status in (("first", "COMPLETED"), ("last", "CANCELLED")):
        assert house.put(f"{name}.ics", f"UID:{name}", f"STATUS:{status}").status == 204
    names = [TASKS + f"{name}.ics" for name in ("first", "last")]
    for _ in range(2):
        shown = hrefs(house)
        assert len(shown) == 500 and set(names) <= set(shown)
        shown = [text_of(house, name)[1] for name in ("first.ics", "last.ics")]
        assert "STATUS:COMPLETED" in shown[0] and "STATUS:CANCELLED" in shown[1]
        house.restart()
    house.ok("POST", "/v1/records/todo/1/reopen?wait=applied", {})
    assert "STATUS:NEEDS-ACTION" in text_of(house, "first.ics")[1]
    house.ok("POST", "/v1/records/todo/1/finish?wait=applied", {})
    assert "STATUS:COMPLETED" in text_of(house, "first.ics")[1]


def test_what_cannot_be_kept_is_refused_as_data_and_not_as_a_right(house):
    house = house()
    number = house.remind("Call")
    house.put("a.ics", "UID:a", "SUMMARY:Milk")
    for line in ("SUMMARY:" + "x" * 600, "DESCRIPTION:" + "y" * 9000, "DUE:19690101T000000Z"):
        for status in ("COMPLETED", "NEEDS-ACTION"):
            lines = [f"UID:reminder-{number}@kith", line, f"STATUS:{status}"]
            answer = house.put(f"reminder-{number}.ics", *lines)
            assert answer.status == 403 and b"<c:valid-calendar-data/>" in answer.body, answer.body
            assert b"<d:responsedescription>" in answer.body
    large = house.put("a.ics", "UID:a", "SUMMARY:Milk", "X-LONG:" + "z" * 40_000)
    assert large.status == 403 and b"<c:max-resource-size/>" in large.body, large.body
    assert house.ok("GET", f"/v1/reminders/{number}")["state"] == "open"


def test_of_two_who_change_a_copy_at_once_one_is_refused(house):
    house = house()
    number = house.remind("Call")
    name, uid = f"reminder-{number}.ics", f"UID:reminder-{number}@kith"
    assert house.put(name, uid, "SUMMARY:Call", "PRIORITY:1").status == 204
    path = "/v1/records/calendar_copy/1"
    for nth in range(60):
        match = {"If-Match": house.daemon.get(path).headers["ETag"]}
        seen = {"If-Match": text_of(house, name)[0]}
        lines = [uid, "SUMMARY:Call", f"PRIORITY:{nth % 9 + 1}", f"X-NTH:{nth}"]
        with ThreadPoolExecutor(1) as other:
            writing = other.submit(house.put, name, *lines, headers=seen)
            time.sleep(nth % 10 / 4000)
            change = {"fields": {"categories": f"x{nth}"}}
            changed = house.daemon.call("PATCH", path, change, headers=match).status
            written = writing.result().status
        assert (changed, written) in ((200, 412), (412, 204)), (nth, changed, written)


def test_a_copy_that_is_closed_with_its_reminder_is_written_as_it_is_then(house):
    house = house()
    number = house.remind("Call")
    name, uid = f"reminder-{number}.ics", f"UID:reminder-{number}@kith"
    assert house.put(name, uid, "SUMMARY:Call", "PRIORITY:1").status == 204
    for end in ("COMPLETED", "NEEDS-ACTION", "CANCELLED", "NEEDS-ACTION", "COMPLETED"):
        answer = house.put(name, uid, "SUMMARY:Call", "PRIORITY:1", f"X-END:{end}", f"STATUS:{end}")
        assert answer.status == 204, answer.body
        assert f"X-END:{end}" in text_of(house, name)[1]
    assert house.dav("DELETE", TASKS + name).status == 204
    assert house.dav("GET", TASKS + name).status == 404


def test_of_a_customer_of_many_each_copy_goes_with_its_reminder(house):
    house = house()
    numbers = [house.remind(f"Call {nth}") for nth in range(60)]
    for number in numbers:
        lines = [f"UID:reminder-{number}@kith", "SUMMARY:Call", "PRIORITY:1"]
        assert house.put(f"reminder-{number}.ics", *lines).status == 204
    for number in (numbers[-1], numbers[55]):
        house.ok("POST", f"/v1/reminders/{number}/done?wait=applied", {})
    lines = [f"UID:reminder-{numbers[-2]}@kith", "SUMMARY:Call", "STATUS:COMPLETED"]
    assert house.put(f"reminder-{numbers[-2]}.ics", *lines).status == 204
    left = house.ok("GET", "/v1/records/calendar_copy?state=left")["items"]
    assert sorted(item["id"] for item in left) == [56, 59, 60]


def test_of_a_deletion_and_a_change_at_once_one_is_refused(house):
    """Both say which version they have seen, so whoever is second is told."""
    house = house()
    for nth in range(60):
        if nth % 2 == 0:
            number = house.remind("Call")
            name, path, change = f"reminder-{number}.ics", "/v1/reminders", {"title": "Write"}
        else:
            name, path, change = f"{nth}.ics", "/v1/records/todo", {"fields": {"title": "Write"}}
            assert house.put(name, f"UID:{nth}", "SUMMARY:Call").status == 201
            number = house.ok("GET", path + "?limit=1")["items"][0]["id"]
        path = f"{path}/{number}"
        match = {"If-Match": house.daemon.get(path).headers["ETag"]}
        seen = {"If-Match": text_of(house, name)[0]}
        with ThreadPoolExecutor(1) as other:
            deletion = other.submit(house.dav, "DELETE", TASKS + name, headers=seen)
            time.sleep(nth % 10 / 4000)
            changed = house.daemon.call("PATCH", path, change, headers=match).status
            deleted = deletion.result().status
        assert (changed, deleted) in ((200, 412), (412, 204), (409, 204)), (nth, changed, deleted)
