"""Calendars as people have them: vdirsyncer, todoman and khal against a member of staff's list.

vdirsyncer carries tasks between a folder and the server, as a phone does; todoman is the task
list a person looks at; khal shows the feed.  Each test goes both ways: what is done in the
client is done in Kith, and what Kith changes the client shows.

What differs between servers is in one class: how it starts and how tasks are written and read on
Kith's side.  Everything else is the clients'.
"""
import base64
import calendar
import json
import os
import re
import subprocess
import threading
import urllib.error
import urllib.request

import icalendar
import pytest

from conftest import BUILD, REPORTS, START_SECONDS, STOP_SECONDS
from test_followup import GRANT

ZONE = "Europe/Berlin"
DAVD = BUILD / "tests" / "davd"


class Davd:
    """The CalDAV function behind a small server: lists of anna and bert, in memory."""

    password = "secret"

    def __init__(self):
        self.process = subprocess.Popen([str(DAVD)], stderr=subprocess.PIPE, text=True)
        first = self.process.stderr.readline()
        self.url = re.search(r"ready on (http://\S+)", first).group(1)
        self.lines = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        self.lines.extend(self.process.stderr)

    def close(self):
        self.process.terminate()
        code = self.process.wait(STOP_SECONDS)
        self.reader.join(START_SECONDS)
        said = "".join(self.lines)
        assert code == 0 and not any(report in said for report in REPORTS), said

    def _kith(self, method, name, body=None):
        path = f"{self.url}/kith/anna" + (f"/{name}" if name else "")
        request = urllib.request.Request(path, body, method=method)
        with urllib.request.urlopen(request, timeout=START_SECONDS) as answer:
            return answer.read().decode()

    def write(self, uid, title, due, *lines):
        """A task of Kith's own, new or changed; `due` in UTC as iCalendar writes it."""
        lines = [f"UID:{uid}", f"SUMMARY:{title}", f"DUE:{due}", *lines]
        text = "\r\n".join(
            ["BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VTODO", *lines, "END:VTODO", "END:VCALENDAR"]
        )
        self._kith("PUT", f"{uid}.ics", (text + "\r\n").encode())

    def remove(self, uid):
        self._kith("DELETE", f"{uid}.ics")

    def name(self, uid):
        """Of its resource."""
        return uid

    def tasks(self):
        """What Kith has: title -> VTODO."""
        calendar = icalendar.Calendar.from_ical(self._kith("GET", ""))
        return {str(todo["SUMMARY"]): todo for todo in calendar.walk("VTODO")}

    def feed(self):
        return f"{self.url}/feed/anna"


class Kith(Davd):
    """The plugin in the daemon: the list of anna, whose key is the password of her phone."""

    def __init__(self, start, tmp_path, isolated=False):
        config = tmp_path / "kith.lua"
        grant = GRANT
        config.write_text(
            f'plugins "{BUILD / "plugins"}"\n'
            f'plugin "followup" {{ isolate = {str(isolated).lower()}, grant = {{ {grant} }},'
            f' config = {{ zone = "{ZONE}" }} }}\n'
        )
        self.daemon = start("--config", config)
        self.url = f"http://127.0.0.1:{self.daemon.port}"
        self.daemon.send({"type": "identify", "userId": "u-1", "traits": {"name": "Ö"}})
        answer = self.daemon.call("PUT", "/v1/staff/anna", {"title": "Anna Müller"})
        assert answer.status < 300, answer.body
        answer = self.daemon.call("PUT", "/v1/keys/phone", {"scopes": ["staff"], "staff": "anna"})
        assert answer.status < 300, answer.body
        self.password = answer.json["secret"]
        self.numbers = {}

    def close(self):
        pass

    def change(self, method, path, body=None):
        answer = self.daemon.call(method, path, body)
        assert answer.status < 300, (path, answer.body)
        return answer.json

    def write(self, uid, title, due, *lines):
        due = f"{due[:4]}-{due[4:6]}-{due[6:8]}T{due[9:11]}:{due[11:13]}:{due[13:15]}Z"
        body = {"title": title, "due": due}
        if uid in self.numbers:
            self.change("PATCH", f"/v1/reminders/{self.numbers[uid]}?wait=applied", body)
        else:
            body.update({"customer": "user_id:u-1", "to": "anna"})
            made = self.change("POST", "/v1/reminders?wait=applied", body)
            self.numbers[uid] = made["id"]
        if any(line.startswith("STATUS:COMPLETED") for line in lines):
            self.remove(uid)

    def remove(self, uid):
        self.change("POST", f"/v1/reminders/{self.numbers[uid]}/done?wait=applied", {})

    def name(self, uid):
        return f"reminder-{self.numbers[uid]}"

    def tasks(self):
        login = base64.b64encode(f"anna:{self.password}".encode()).decode()
        answer = self.daemon.get(
            "/dav/calendars/anna/tasks/", key=None, headers={"Authorization": f"Basic {login}"}
        )
        assert answer.status == 200, answer.body
        found = icalendar.Calendar.from_ical(answer.body)
        return {str(todo["SUMMARY"]): todo for todo in found.walk("VTODO")}

    def feed(self):
        login = base64.b64encode(f"anna:{self.password}".encode()).decode()
        answer = self.daemon.post(
            "/v1/followup/feed", b"", key=None, headers={"Authorization": f"Basic {login}"}
        )
        assert answer.status == 201, answer.body
        return self.url + answer.json["path"]


class Client:
    """A person's machine: a home of its own, a folder of tasks, and programs that use it."""

    def __init__(self, home, server, name="phone", item_types="", extra=""):
        self.home = home / name
        self.home.mkdir()
        self.server = server
        self.folder = self.home / "calendars"
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "TZ": ZONE,
            "LC_ALL": "C.UTF-8",
            "TODOMAN_CONFIG": str(self._file("todoman.py", self._todoman())),
        }
        self._file("vdirsyncer", self._vdirsyncer(item_types, extra))
        self._file("khal", self._khal())
        self.run("vdirsyncer", "-c", "vdirsyncer", "discover", answer="y\ny\ny\n")

    def _file(self, name, text):
        path = self.home / name
        path.write_text(text)
        return path

    def _vdirsyncer(self, item_types, extra):
        return f"""
[general]
status_path = "{self.home}/status"
[pair tasks]
a = "local"
b = "remote"
collections = ["from b"]
metadata = ["displayname"]
{extra}
[storage local]
type = "filesystem"
path = "{self.folder}"
fileext = ".ics"
[storage remote]
type = "caldav"
url = "{self.server.url}/"
username = "anna"
password = "{self.server.password}"
{item_types}
[pair feed]
a = "diary"
b = "kith"
collections = null
[storage diary]
type = "filesystem"
path = "{self.home}/diary"
fileext = ".ics"
[storage kith]
type = "http"
url = "{self.server.feed()}"
"""

    def _todoman(self):
        return f"""
path = "{self.folder}/*"
date_format = "%Y-%m-%d"
time_format = "%H:%M"
default_list = "tasks"
default_due = 0
cache_path = "{self.home}/todoman.sqlite3"
"""

    def _khal(self):
        return f"""
[calendars]
[[kith]]
path = {self.home}/diary
[locale]
local_timezone = {ZONE}
default_timezone = {ZONE}
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
[sqlite]
path = {self.home}/khal.sqlite3
"""

    def run(self, *command, answer="", code=0):
        done = subprocess.run(
            command,
            cwd=self.home,
            env=self.env,
            input=answer,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
        )
        said = done.stdout + done.stderr
        assert done.returncode == code, f"{command}: {done.returncode}\n{said}"
        return said

    def sync(self, pair="tasks", code=0):
        said = self.run("vdirsyncer", "-c", "vdirsyncer", "sync", pair, code=code)
        assert code != 0 or "error" not in said, said
        return said

    def todo(self, *words):
        return self.run("todoman", *words)

    def shown(self, status="NEEDS-ACTION,IN-PROCESS"):
        """title -> what the task list shows of it."""
        found = json.loads(self.todo("--porcelain", "list", "--status", status))
        return {todo["summary"]: todo for todo in found}

    def id_of(self, title):
        return str(self.shown()[title]["id"])

    def object_of(self, uid):
        """The file of a task."""
        for path in (self.folder / "tasks").glob("*.ics"):
            if uid in path.read_text():
                return path
        raise AssertionError(f"no file with {uid}")


@pytest.fixture(params=["alone", "daemon", "isolated"])
def server(request, start, tmp_path):
    """The function behind a socket, and the plugin in the daemon: the same for every client."""
    if request.param == "alone" and not DAVD.exists():
        pytest.skip("this build is one without tests")
    server = (
        Davd()
        if request.param == "alone"
        else Kith(start, tmp_path, isolated=request.param == "isolated")
    )
    yield server
    server.close()


@pytest.fixture
def client(tmp_path, server):
    return Client(tmp_path, server)


def seconds(year, month, day, hour):
    return calendar.timegm((year, month, day, hour, 0, 0))


# ---- From the phone to Kith --------------------------------------------------------------


def test_the_list_is_found_from_the_host_alone(client):
    assert (client.folder / "tasks").is_dir()
    client.sync()
    client.run("vdirsyncer", "-c", "vdirsyncer", "metasync", "tasks")
    assert "Anna Müller" in (client.folder / "tasks" / "displayname").read_text()


def test_what_is_created_on_the_phone_is_in_kith(server, client):
    client.todo("new", "-l", "tasks", "-d", "2027-03-01 09:00", "--priority", "high", "Call Mrs Ö")
    client.sync()
    todo = server.tasks()["Call Mrs Ö"]
    assert todo["DUE"].to_ical() == b"20270301T080000Z"
    assert (todo["STATUS"], int(todo["PRIORITY"])) == ("NEEDS-ACTION", 4)


def test_what_is_done_on_the_phone_is_done_in_kith(server, client):
    server.write("r-1", "Send the offer", "20270301T080000Z")
    client.sync()
    client.todo("done", client.id_of("Send the offer"))
    client.sync()
    todo = server.tasks()["Send the offer"]
    assert (todo["STATUS"], todo["PERCENT-COMPLETE"]) == ("COMPLETED", 100)
    assert "COMPLETED" in todo


def test_a_due_time_moved_on_the_phone_is_moved_in_kith(server, client):
    server.write("r-1", "Send the offer", "20270301T080000Z")
    client.sync()
    client.todo("edit", client.id_of("Send the offer"), "--due", "2027-07-02 10:30")
    client.sync()
    assert server.tasks()["Send the offer"]["DUE"].to_ical() == b"20270702T083000Z"


def test_what_is_deleted_on_the_phone_is_gone_from_the_list(server, client):
    server.write("r-1", "Send the offer", "20270301T080000Z")
    server.write("r-2", "Stays", "20270301T080000Z")
    client.sync()
    client.todo("delete", "--yes", client.id_of("Send the offer"))
    client.sync()
    assert list(server.tasks()) == ["Stays"]


# ---- From Kith to the phone --------------------------------------------------------------


def test_what_kith_asks_for_stands_in_the_phones_list(server, client):
    server.write("r-1", "Käufer; zurückrufen, bald", "20270301T080000Z")
    client.sync()
    assert client.shown()["Käufer; zurückrufen, bald"]["due"] == seconds(2027, 3, 1, 8)


def test_what_kith_changes_and_takes_away_changes_on_the_phone(server, client):
    server.write("r-1", "First", "20270301T080000Z")
    server.write("r-2", "Second", "20270301T080000Z")
    client.sync()
    server.write("r-1", "First, later", "20270601T080000Z")
    server.remove("r-2")
    client.sync()
    assert list(client.shown()) == ["First, later"]
    assert client.shown()["First, later"]["due"] == seconds(2027, 6, 1, 8)


def test_what_is_done_in_kith_is_ticked_off_on_the_phone(server, client):
    server.write("r-1", "First", "20270301T080000Z")
    client.sync()
    done = ("STATUS:COMPLETED", "COMPLETED:20270201T100000Z")
    server.write("r-1", "First", "20270301T080000Z", *done)
    client.sync()
    assert not client.shown()
    assert client.shown("COMPLETED")["First"]["completed"]


# ---- Both at once ------------------------------------------------------------------------


def test_lines_that_are_the_clients_own_survive_every_round(server, client):
    server.write("r-1", "First", "20270301T080000Z")
    client.sync()
    path = client.object_of("r-1")
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nX-OWN:a\\;b\r\nEND:VALARM\r\n"
    own = "X-APPLE-SORT-ORDER;X-P=\"a:b\":42\r\nLOCATION:Shop\r\n" + alarm
    path.write_bytes(path.read_bytes().replace(b"END:VTODO", own.encode() + b"END:VTODO"))
    client.sync()
    client.sync()
    client.todo("done", client.id_of("First"))
    client.sync()
    client.sync()
    (todo,) = server.tasks().values()
    assert todo["STATUS"] == "COMPLETED"
    assert (todo["X-APPLE-SORT-ORDER"], todo["LOCATION"]) == ("42", "Shop")
    assert todo["X-APPLE-SORT-ORDER"].params["X-P"] == "a:b"
    (alarm,) = todo.walk("VALARM")
    assert (alarm["ACTION"], alarm["X-OWN"]) == ("DISPLAY", "a;b")
    assert "X-APPLE-SORT-ORDER" in client.object_of("r-1").read_text()


def test_a_task_changed_on_both_sides_is_a_conflict_and_nothing_is_lost(server, client):
    server.write("r-1", "First", "20270301T080000Z")
    client.sync()
    client.todo("edit", client.id_of("First"), "--due", "2027-07-02 10:30")
    server.write("r-1", "First of Kith", "20270501T080000Z")
    assert "conflict" in client.sync(code=1)
    assert list(server.tasks()) == ["First of Kith"]
    assert "First of Kith" not in client.object_of("r-1").read_text()


@pytest.mark.parametrize("winner", ["a", "b"])
def test_a_conflict_ends_as_its_owner_says(tmp_path, server, winner):
    client = Client(tmp_path, server, winner, extra=f'conflict_resolution = "{winner} wins"')
    server.write("r-1", "First", "20270301T080000Z")
    client.sync()
    path = client.object_of("r-1")
    path.write_text(path.read_text().replace("SUMMARY:First", "SUMMARY:Mine"))
    server.write("r-1", "Kith's", "20270501T080000Z")
    client.sync()
    client.sync()
    expected = {"a": "Mine", "b": "Kith's"}[winner]
    assert list(server.tasks()) == [expected] == list(client.shown())


def test_a_write_over_what_has_changed_meanwhile_is_refused(server):
    """The race inside one sync that no client lets a test win: told by its own hand."""
    server.write("r-1", "First", "20270301T080000Z")
    path = f"/dav/calendars/anna/tasks/{server.name('r-1')}.ics"
    etag, text = ask(server, "GET", path)
    server.write("r-1", "Of Kith", "20270301T080000Z")
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(server, "PUT", path, text, {"If-Match": etag, "Content-Type": "text/calendar"})
    assert refused.value.code == 412
    assert list(server.tasks()) == ["Of Kith"]


def ask(server, method, path, body=None, headers=None):
    login = base64.b64encode(f"anna:{server.password}".encode()).decode()
    headers = {"Authorization": f"Basic {login}", **(headers or {})}
    request = urllib.request.Request(server.url + path, body, headers, method=method)
    with urllib.request.urlopen(request, timeout=START_SECONDS) as answer:
        return answer.headers["ETag"], answer.read()


def test_two_phones_of_one_person_meet_in_kith(tmp_path, server, client):
    other = Client(tmp_path, server, "tablet")
    client.todo("new", "-l", "tasks", "From the phone")
    client.sync()
    other.sync()
    other.todo("done", other.id_of("From the phone"))
    other.sync()
    client.sync()
    client.sync()
    assert not client.shown()
    assert client.shown("COMPLETED")["From the phone"]["completed"]


def test_a_phone_that_asks_by_a_query_sees_the_same(tmp_path, server):
    client = Client(tmp_path, server, "query", item_types='item_types = ["VTODO"]')
    for number in range(40):
        server.write(f"r-{number}", f"Task {number}", "20270301T080000Z")
    client.sync()
    assert len(client.shown()) == 40
    events = Client(tmp_path, server, "events", item_types='item_types = ["VEVENT"]')
    events.sync()
    assert not list((events.folder / "tasks").glob("*.ics"))


# ---- The feed ----------------------------------------------------------------------------


def test_the_feed_stands_in_the_calendar(server, client):
    server.write("r-1", "Visit the mill", "20270301T080000Z")
    server.write("r-2", "Done", "20270301T090000Z", "STATUS:COMPLETED")
    client.sync("feed")
    said = client.run("khal", "-c", "khal", "list", "2027-03-01", "2027-03-02")
    assert "09:00-09:30 Visit the mill" in said and "Done" not in said
    server.write("r-1", "Visit the mill", "20270302T080000Z")
    client.sync("feed")
    said = client.run("khal", "-c", "khal", "list", "2027-03-02", "2027-03-03")
    assert "09:00-09:30 Visit the mill" in said
