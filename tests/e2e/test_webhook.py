"""Webhooks against a real receiver that fails in every way, and against its own verifier.

KITH_WEBHOOKS=10000 makes the long run of `make webhooks`.
"""
import base64
import collections
import email.utils
import json
import os
import random
import re
import shutil
import signal
import ssl
import subprocess
import time

import npm
import pytest
from conftest import BUILD, ROOT
from receiver import DROP, Receiver, Reply, data_of, receivers

COUNT = int(os.environ.get("KITH_WEBHOOKS", "300"))
CUSTOMERS = max(30, COUNT // 20)
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER_SECRET = "whsec_" + base64.b64encode(bytes(range(100, 132))).decode()
RULES = """
rule "tell" { on = "Order", run = function(event)
  send { channel = "hooks", data = { n = event.n, who = event.who }, expires = "30d" } end }
rule "tell another" { on = "Both", run = function(event)
  send { channel = "hooks", data = { n = event.n } }
  send { channel = "other", data = { n = event.n } } end }
"""
LIMITS = "limits { effect_retry_ms = 20, effect_attempts = 100 }\n"
HASTY = 'timeout = "1s", rest = "1s"'


@pytest.fixture
def receive():
    receivers = []

    def begin(*args, **options):
        receivers.append(Receiver(*args, **options))
        return receivers[-1]

    yield begin
    for receiver in receivers:
        receiver.stop()


def install_verifier(folder):
    if (folder / "node_modules" / "standardwebhooks").exists():
        return
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed: signatures are not verified by their package")
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--prefix", folder, "standardwebhooks@1"],
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        pytest.skip(f"npm cannot install standardwebhooks: {done.stderr[-300:]}")


@pytest.fixture(scope="session")
def verifier():
    """Verify requests with the npm package; a secret for each."""
    folder = ROOT / "build" / "npm"
    with npm.alone():
        install_verifier(folder)

    def verify(requests, secret=SECRET):
        lines = [
            json.dumps({"secret": secret, "headers": r.headers, "body": r.body.decode()})
            for r in requests
        ]
        done = subprocess.run(
            ["node", ROOT / "tests" / "e2e" / "verify_webhooks.js"],
            input="\n".join(lines),
            capture_output=True,
            text=True,
            env=dict(os.environ, NODE_PATH=str(folder / "node_modules")),
        )
        assert done.returncode == 0, done.stderr
        assert int(done.stdout) == len(requests)

    return verify


def channel(name, port, more="", scheme="http", is_private=True, host="127.0.0.1"):
    private = "allow_private = true," if is_private else ""
    return (
        f'{name} = {{ url = "{scheme}://{host}:{port}/in?key=token77", '
        f'secret = secret "hooks.secret", {private} {more} }}'
    )


@pytest.fixture
def configure(tmp_path):
    """Flags of a daemon with these channels."""

    def write(*channels, secret=SECRET, limits=LIMITS):
        (tmp_path / "hooks.secret").write_text(secret + "\n")
        (tmp_path / "kith.lua").write_text('scripts "scripts"\n' + limits + receivers(*channels))
        scripts = tmp_path / "scripts"
        scripts.mkdir(exist_ok=True)
        rules = RULES if len(channels) > 1 else RULES.split('rule "tell another"')[0]
        (scripts / "rules.lua").write_text(rules)
        return ["--config", tmp_path / "kith.lua"]

    return write


def order(n, customers=CUSTOMERS, type="Order"):
    who = f"u{n % customers}"
    return {
        "type": "track",
        "event": type,
        "userId": who,
        "messageId": f"m{n}",
        "properties": {"n": n, "who": who},
    }


def wait_for(what, seconds=60):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.02)


def effects(daemon, **query):
    """All of them."""
    items, after = [], None
    while True:
        path = "/v1/effects?limit=1000" + "".join(f"&{k}={v}" for k, v in query.items())
        page = daemon.get(path + (f"&after={after}" if after else "")).json
        items += page["items"]
        after = page["next"]
        if after is None:
            return items


def states(daemon):
    return collections.Counter(item["state"] for item in effects(daemon))


def channel_of(daemon, name="hooks"):
    items = daemon.get("/v1/channels").json["items"]
    return next(item for item in items if item["name"] == name)


def gauge(daemon, name, label="hooks"):
    page = daemon.get("/metrics", key=None).body.decode()
    return float(re.search(rf'^{name}\{{channel="{label}"\}} (\S+)$', page, re.M).group(1))


# -- One message -----------------------------------------------------------------------------


def test_a_message_is_a_call_that_the_verifier_accepts(start, receive, configure, verifier):
    receiver = receive()
    daemon = start(*configure(channel("hooks", receiver.port)))
    daemon.send(order(5))
    wait_for(lambda: states(daemon) == {"sent": 1})
    (request,) = receiver.seen()
    effect = effects(daemon)[0]
    body = json.loads(request.body)
    assert request.path == "/in?key=token77"
    assert request.headers["content-type"] == "application/json"
    assert body["id"] == effect["id"] and body["customer"] == effect["customer"]
    assert body["type"] == "Order" and body["data"] == {"n": 5, "who": "u5"}
    name = "msg_" + effect["id"].replace(".", "_") + "_"
    assert request.headers["webhook-id"].startswith(name)
    verifier([request])
    with pytest.raises(AssertionError):  # it can say no
        verifier([request], OTHER_SECRET)


def test_a_rotation_satisfies_old_and_new_receivers(start, receive, configure, verifier, tmp_path):
    receiver = receive()
    daemon = start(*configure(channel("hooks", receiver.port)))
    daemon.send(order(1))
    wait_for(lambda: receiver.count() == 1)
    (tmp_path / "hooks.secret").write_text(f"{OTHER_SECRET}\n{SECRET}\n")
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_line("the configuration has been read")
    daemon.send(order(2))
    wait_for(lambda: receiver.count() == 2)
    verifier(receiver.seen())
    verifier(receiver.seen()[1:], OTHER_SECRET)
    (tmp_path / "hooks.secret").write_text("nonsense\n")
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_line("the secrets in use are kept: .*hooks.secret: line 1")
    daemon.send(order(3))
    wait_for(lambda: receiver.count() == 3)
    verifier(receiver.seen()[1:], OTHER_SECRET)


LINKED = """
rule "ask" { on = "Order", run = function(event)
  send { channel = "hooks", data = { n = event.n }, links = {
    no = { purpose = "newsletter", channel = "email" },
    yes = { event = "Survey Answered", expires = "9d" } } } end }
"""


def test_a_message_has_the_same_bytes_also_when_the_secret_of_its_links_was_rotated(
    start, receive, configure, verifier, tmp_path
):
    status = [500]
    receiver = receive(lambda request: Reply(status[0]))
    flags = configure(channel("hooks", receiver.port, HASTY))
    settings = tmp_path / "kith.lua"
    settings.write_text('url "https://crm.example.com"\n' + settings.read_text())
    (tmp_path / "scripts" / "rules.lua").write_text(LINKED)
    daemon = start(*flags)
    daemon.send(order(1))
    wait_for(lambda: receiver.count() > 1)
    secrets = tmp_path / "data" / "links.key"
    secrets.write_text("f" * 64 + "\n" + secrets.read_text())
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_line("the configuration has been read")
    wait_for(lambda: receiver.count() > 3)
    daemon.kill()
    daemon = start(*flags)
    status[0] = 200
    wait_for(lambda: states(daemon) == {"sent": 1})
    assert {request.body for request in receiver.seen()} == {receiver.seen()[0].body}
    assert len({request.headers["webhook-id"] for request in receiver.seen()}) == 1
    verifier(receiver.seen())
    daemon.send(order(2))
    wait_for(lambda: states(daemon) == {"sent": 2})
    assert daemon.stop() == 0
    secrets.write_text("f" * 64 + "\n")  # the new one sealed the second
    daemon = start(*flags)
    for request, status in ((receiver.seen()[0], 404), (receiver.seen()[-1], 200)):
        for url in json.loads(request.body)["links"].values():
            path = url.removeprefix("https://crm.example.com")
            assert daemon.get(path, key=None).status == status


def test_no_secret_is_shown_anywhere(start, receive, configure, tmp_path):
    receiver = receive(lambda request: Reply(500))
    daemon = start(*configure(channel("hooks", receiver.port, HASTY)))
    daemon.send(order(1))
    wait_for(lambda: receiver.count() > 2)
    shown = [daemon.get(path).body for path in ("/metrics", "/v1/channels", "/v1/effects")]
    assert daemon.stop() == 0
    shown += [line.encode() for line in daemon.lines]
    shown += [file.read_bytes() for file in (tmp_path / "data").rglob("*") if file.is_file()]
    assert any(b"hooks" in text for text in shown)
    for text in shown:
        assert SECRET.encode() not in text and SECRET[6:].encode() not in text
        assert bytes(range(32)) not in text
        assert b"token77" not in text and b"hooks.secret" not in text


# -- Receivers that are not to be called ----------------------------------------------------


PRIVATE = """127.0.0.1 localhost [::1] 0.0.0.0 [::] 2130706433 0x7f000001 017700000001 127.1 0x7f.1
    [::ffff:127.0.0.1] [::ffff:7f00:1] [64:ff9b::7f00:1] 169.254.169.254 LOCALHOST""".split()


@pytest.mark.parametrize("host", PRIVATE)
def test_private_addresses_are_refused(start, receive, configure, host):
    receiver = receive()
    hooks = channel("hooks", receiver.port, HASTY, "https", is_private=False, host=host)
    daemon = start(*configure(hooks, limits="limits { effect_attempts = 1 }\n"))
    daemon.send(order(1))
    wait_for(lambda: states(daemon) == {"failed": 1})
    assert "is no public address: allow_private is not set" in effects(daemon)[0]["reason"]
    assert receiver.count() == 0


def make_certificate(folder, name="localhost", address="127.0.0.1"):
    key, cert = folder / "tls.key", folder / "tls.pem"
    done = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        + ["-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", key, "-out", cert]
        + ["-addext", f"subjectAltName=IP:{address}"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


@pytest.mark.parametrize(
    "is_known, address", [(True, "127.0.0.1"), (False, "127.0.0.1"), (True, "127.0.0.2")]
)
def test_only_a_certified_receiver_of_that_name_is_spoken_to(
    start, receive, configure, tmp_path, is_known, address
):
    receiver = receive(tls=make_certificate(tmp_path, address=address))
    ca = f'ca = "{tmp_path}/tls.pem",' if is_known else ""
    hooks = channel("hooks", receiver.port, ca + HASTY, "https")
    daemon = start(*configure(hooks, limits="limits { effect_attempts = 1 }\n"))
    daemon.send(order(1))
    is_good = is_known and address == "127.0.0.1"
    wait_for(lambda: states(daemon) == {"sent" if is_good else "failed": 1})
    assert receiver.count() == (1 if is_good else 0)


def test_numbers_of_a_receiver_have_bounds(start, configure):
    daemon = start(*configure(channel("hooks", 1, "parallel = 65")), is_ready=False)
    daemon.wait_line("parallel is a whole number from 1 to 64")
    assert daemon.wait() == 1


def test_gone_pauses_the_channel_until_a_person_resumes_it(start, receive, configure):
    status = [410]
    receiver = receive(lambda request: Reply(status[0]))
    flags = configure(channel("hooks", receiver.port, HASTY + ", parallel = 1"))
    daemon = start(*flags)
    daemon.send(*[order(n) for n in range(20)])
    wait_for(lambda: channel_of(daemon)["state"] == "paused")
    assert "410 Gone" in channel_of(daemon)["paused"]["reason"]
    assert channel_of(daemon)["paused"]["by"] == "kithd"
    wait_for(lambda: channel_of(daemon)["under_way"] == 0)
    assert gauge(daemon, "kith_channel_paused") == 1
    called = receiver.count()
    daemon.kill()
    daemon = start(*flags)
    daemon.send(order(20))
    assert channel_of(daemon)["state"] == "paused"
    assert receiver.count() == called
    status[0] = 200
    answer = daemon.post("/v1/channels/hooks/resume", {})
    assert answer.status == 200 and answer.json["state"] == "active"
    wait_for(lambda: states(daemon) == {"sent": 21})
    assert gauge(daemon, "kith_channel_paused") == 0


def test_a_person_pauses_and_resumes_with_the_command(start, receive, configure):
    receiver = receive()
    daemon = start(*configure(channel("hooks", receiver.port)))

    def kith(*words):
        url = f"http://127.0.0.1:{daemon.port}"
        env = dict(os.environ, KITH_URL=url, KITH_KEY=daemon.key("admin"))
        return subprocess.run([BUILD / "kith", *words], env=env, capture_output=True, text=True)

    assert kith("pause", "channel", "hooks", "--reason", "new address").returncode == 0
    daemon.send(order(1))
    shown = kith("channels").stdout
    assert "paused" in shown and "new address" in shown and "http://127.0.0.1:" in shown
    assert receiver.count() == 0
    assert kith("resume", "channel", "hooks").returncode == 0
    wait_for(lambda: receiver.count() == 1)
    refused = kith("pause", "channel", "fax")
    assert refused.returncode == 1 and 'no channel is called "fax"' in refused.stderr


# -- Patience -----------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_kept(start, receive, configure, form):
    answered = []

    def behave(request):
        if answered:
            return Reply(200)
        answered.append(request.at)
        later = "2" if form == "seconds" else email.utils.formatdate(time.time() + 3, usegmt=True)
        return Reply(429, [("Retry-After", later)])

    receiver = receive(behave)
    daemon = start(*configure(channel("hooks", receiver.port, HASTY)))
    daemon.send(order(1))
    wait_for(lambda: channel_of(daemon)["failed"] == 1)
    daemon.send(order(2))  # the destination is left alone, whoever asks
    wait_for(lambda: states(daemon) == {"sent": 2})
    first, *others = receiver.seen()
    assert len(others) == 2
    assert all(request.at - first.at > 1.9 for request in others)


def test_a_dead_destination_delays_no_other_and_is_tried_again(start, receive, configure):
    is_dead = [True]
    dead = receive(lambda request: DROP if is_dead[0] else Reply(200))
    alive = receive()
    daemon = start(*configure(channel("hooks", dead.port, HASTY), channel("other", alive.port)))
    daemon.send(*[order(n, 100, "Both") for n in range(100)])
    wait_for(lambda: len(alive.accepted()) == 100)
    wait_for(lambda: channel_of(daemon)["circuit"] != "closed")
    assert channel_of(daemon, "other")["circuit"] == "closed"
    assert gauge(daemon, "kith_channel_broken") == 1
    assert gauge(daemon, "kith_channel_broken", "other") == 0
    assert gauge(daemon, "kith_channel_failures") >= 5
    wait_for(lambda: channel_of(daemon)["waiting"] > 50)
    is_dead[0] = False
    wait_for(lambda: states(daemon) == {"sent": 200})
    assert channel_of(daemon)["circuit"] == "closed"


def test_a_stop_waits_for_the_answers_that_are_on_their_way(start, receive, configure):
    receiver = receive(lambda request: Reply(200, delay=0.5))
    flags = configure(channel("hooks", receiver.port))
    daemon = start(*flags)
    daemon.send(order(1))
    wait_for(lambda: receiver.count() == 1)
    assert daemon.stop() == 0
    daemon = start(*flags)
    assert states(daemon) == {"sent": 1}
    assert receiver.count() == 1


# -- Everything at once --------------------------------------------------------------------------


class Chaos:
    """Each attempt gets what a seed says; nothing is refused for ever."""

    def __init__(self):
        self.dice, self.gone = random.Random(7), 0

    def __call__(self, request):
        if request.path != "/in?key=token77":
            return Reply(200)
        roll = self.dice.random()
        if roll < 0.55:
            return Reply(200)
        if roll < 0.65:
            return Reply(self.dice.choice([500, 502, 503, 400, 404]))
        if roll < 0.75:
            return DROP
        if roll < 0.85:
            return Reply(200, delay=self.dice.random() / 10)
        if roll < 0.92:
            return Reply(self.dice.choice([301, 302, 307, 308]), [("Location", "/elsewhere")])
        if roll < 0.94 and COUNT < 1000:
            return Reply(200, delay=1.2)  # taken, and the daemon does not hear of it
        if roll < 0.95 and self.gone < 3:
            self.gone += 1
            return Reply(410)
        if roll < 0.955:
            return Reply(429, [("Retry-After", self.dice.choice(["0", "1"]))])
        return Reply(200)


def resume_if_paused(daemon):
    if channel_of(daemon)["state"] == "paused":
        assert daemon.post("/v1/channels/hooks/resume", {}).status == 200


def check_order(taken):
    """The first time that each message was taken, per customer."""
    last, seen = {}, set()
    for request in taken:
        data = data_of(request)
        if data["n"] in seen:
            continue
        seen.add(data["n"])
        assert data["n"] > last.get(data["who"], -1), data
        last[data["who"]] = data["n"]
    return seen


def test_each_message_arrives_in_order_or_is_listed(start, receive, configure, verifier):
    receiver = receive(Chaos())
    flags = configure(channel("hooks", receiver.port, HASTY))
    daemon = start(*flags)
    dice, posted = random.Random(11), 0
    kills = [COUNT * share // 10 for share in (2, 4, 6, 8)]
    verified = 0

    def look_on(what):
        """Wait; resume; verify before a signature is too old."""
        nonlocal verified
        deadline = time.monotonic() + 300 + COUNT / 10
        while not what():
            assert time.monotonic() < deadline, states(daemon)
            resume_if_paused(daemon)
            seen = receiver.seen()
            if len(seen) - verified > 2000:
                verifier(seen[verified:])
                verified = len(seen)
            time.sleep(0.05)

    def taken():
        return len({r.headers["webhook-id"] for r in receiver.accepted()})

    for goal in kills:
        while posted < goal + COUNT // 10:
            size = min(dice.randint(1, COUNT // 10), COUNT - posted)
            daemon.send(*[order(n) for n in range(posted, posted + size)])
            posted += size
        look_on(lambda: taken() >= goal)
        daemon.kill()
        daemon = start(*flags)
    while posted < COUNT:
        size = min(500, COUNT - posted)
        daemon.send(*[order(n) for n in range(posted, posted + size)])
        posted += size
    look_on(lambda: not {"pending", "claimed"} & set(states(daemon)))
    verifier(receiver.seen()[verified:])

    seen = check_order(receiver.accepted())
    listed = effects(daemon, state="failed") + effects(daemon, state="uncertain")
    missing = {item["message"]["data"]["n"] for item in listed}
    assert seen | missing == set(range(COUNT))
    assert all(item["state"] in ("sent", "failed") for item in effects(daemon))
    bodies = {}
    for request in receiver.seen():
        assert request.path == "/in?key=token77"  # no redirect was followed
        assert bodies.setdefault(request.headers["webhook-id"], request.body) == request.body
    assert len(bodies) == COUNT
    assert len({json.loads(body)["id"] for body in bodies.values()}) == COUNT
