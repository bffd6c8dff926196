"""E-mail out through servers that behave and that do not, and what comes back.

KITH_MAILS=10000 makes the long run of `make mails`.
"""
import base64
import json
import os
import pathlib
import re
import shutil
import signal
import smtplib
import ssl
import subprocess
import time

import dkim
import pytest
import test_errors
from conftest import BUILD, ROOT
from mail_house import (  # noqa: F401, fixtures among them
    RULES,
    Postfix,
    addresses,
    bounce,
    bring,
    counted,
    customer,
    delivered,
    effect_of,
    effects,
    free_port,
    letter,
    lmtp_port,
    order,
    parsed,
    received,
    shop,
    sink,
    wait_for,
    write_config,
)
from mail_sink import Sink

README = ROOT / "plugins/email/README.md"
COUNT = int(os.environ.get("KITH_MAILS", "300"))

pytestmark = pytest.mark.skipif(
    not (BUILD / "plugins" / "email.so").exists(), reason="a build tree without plugins"
)


# -- Out ---------------------------------------------------------------------------------------


def test_a_message_arrives_as_it_was_meant(shop, sink):
    daemon = shop(reply_to="help@shop.example", headers=["X-Shop: north"])
    mail = delivered(daemon, sink, subject="Grüße ☀", body="Hello *you*, a & b\n\n- one\n")
    message = parsed(mail)
    assert message["Subject"] == "Grüße ☀" and message["From"] == "Care <care@shop.example>"
    assert message["Reply-To"] == "help@shop.example" and message["To"] == "ann@example.com"
    assert message["X-Shop"] == "north" and message["Auto-Submitted"] == "auto-generated"
    assert "Hello you, a & b" in message.get_body(("plain",)).get_content()
    assert "Hello <em>you</em>, a &amp; b" in message.get_body(("html",)).get_content()
    assert re.fullmatch(r"bounce\+\d+\.\d+\.1\.\d+\.[a-z2-7]{16}@shop\.example", mail.sender)
    assert message.defects == []


@pytest.mark.parametrize(
    "name, state, copies",
    [
        ("ok", "sent", 1),
        ("later", "sent", 1),
        ("full", "sent", 1),
        ("nobody", "rejected", 0),
        ("spam", "rejected", 0),
        ("lost", "uncertain", 1),
    ],
)
def test_what_the_server_says_decides(shop, sink, name, state, copies):
    daemon = shop()
    customer(daemon, name + "@example.com")
    order(daemon, name)
    wait_for(
        lambda: effect_of(daemon, name + "@example.com")["state"] == state, lambda: effects(daemon)
    )
    assert len(sink.of(name + "@example.com")) == copies
    effect = effect_of(daemon, name + "@example.com")
    assert effect["attempt"] == (2 if name in ("later", "full") else 1)
    if name == "spam":
        assert effect["reason"] == "550 5.7.1 this looks like spam"
        assert addresses(daemon, name)["spam@example.com"] != "bounced"


def test_a_refused_recipient_has_bounced(shop, sink):
    daemon = shop()
    customer(daemon, "nobody@example.com")
    order(daemon, "nobody")
    wait_for(
        lambda: effect_of(daemon, "nobody@example.com")["state"] == "rejected", "it is refused"
    )
    assert addresses(daemon, "nobody") == {"nobody@example.com": "bounced"}
    entry = [e for e in daemon.timeline("user_id:nobody") if e["type"] == "message.bounced"][0]
    assert entry["data"]["hard"] is True and entry["by"] == "plugin:email"
    connections = sink.connections
    order(daemon, "nobody")
    wait_for(lambda: len(effects(daemon)) == 2, "there is another")
    wait_for(lambda: effects(daemon)[0]["state"] == "rejected", "it has no address any more")
    assert sink.connections == connections


def test_a_server_that_says_nothing_leaves_doubt(shop):
    daemon = shop(timeout="1s")
    customer(daemon, "stall@example.com")
    order(daemon, "stall")
    wait_for(lambda: effect_of(daemon, "stall@example.com")["state"] == "uncertain", "in doubt")
    assert [e["id"] for e in effects(daemon, state="uncertain")] == [effects(daemon)[0]["id"]]


def test_a_connection_serves_many_messages(shop, sink):
    daemon = shop(connections=3)
    users = [customer(daemon, f"ok{i}@example.com") for i in range(30)]
    for user in users:
        order(daemon, user)
    wait_for(lambda: len(sink.mails) == 30, lambda: effects(daemon))
    assert 1 <= sink.connections <= 6 and sink.open_most <= 3


def test_a_connection_that_the_server_closed_is_not_used_again(shop, sink):
    daemon = shop(connections=1)
    for i in range(5):
        delivered(daemon, sink, user=f"brief{i}")
    assert [e["attempt"] for e in effects(daemon)] == [1] * 5
    assert len(sink.mails) == sink.connections == 5


def test_a_relay_that_is_away_costs_no_message(start, tmp_path):
    port = free_port()
    daemon = start(*write_config(tmp_path, f"smtp://127.0.0.1:{port}"))
    for i in range(20):
        customer(daemon, f"ok{i}@example.com")
        order(daemon, f"ok{i}")
    daemon.wait_line("error: smtp://127.0.0.1:.* messages wait until it answers")
    channel = [c for c in daemon.get("/v1/channels").json["items"] if c["name"] == "email"][0]
    assert channel["target"] == f"smtp://127.0.0.1:{port}"
    sink = Sink()
    sink.port = port
    with sink:
        wait_for(lambda: len(sink.mails) == 20, lambda: effects(daemon))
        daemon.wait_line("the relay answers again")
        wait_for(lambda: {e["state"] for e in effects(daemon)} == {"sent"}, lambda: effects(daemon))
    assert len({mail.recipient for mail in sink.mails}) == 20


def test_nobody_waits_for_a_server_that_does_not_say_goodbye(start, tmp_path):
    with Sink(says_bye=False) as sink:
        daemon = start(*write_config(tmp_path, sink.url, connections=2))
        for i in range(10):
            customer(daemon, f"nobody{i}@example.com")
            order(daemon, f"nobody{i}")
        wait_for(
            lambda: {e["state"] for e in effects(daemon)} == {"rejected"}, lambda: effects(daemon)
        )
        delivered(daemon, sink, user="ok")
        assert sink.quits == 10  # libcurl ends a connection after a refusal
        assert daemon.stop() == 0
        wait_for(lambda: sink.quits == 11, "the last one is told, too")


def certificate(folder, name):
    subprocess.run(
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext "
        f"subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout {name}.key -out {name}.crt".split(),
        cwd=folder,
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.crt", folder / f"{name}.key")
    return context


LOGIN = "AGNhcmUAc2VzYW1l"  # \0care\0sesame


def test_tls_and_a_login_are_used(start, tmp_path):
    (tmp_path / "password").write_text("sesame\n")
    with Sink(tls=certificate(tmp_path, "relay"), login=LOGIN) as sink:
        flags = write_config(
            tmp_path,
            sink.url,
            tls="required",
            ca=str(tmp_path / "relay.crt"),
            user="care",
            password_file=tmp_path / "password",
        )
        daemon = start(*flags)
        delivered(daemon, sink)
        assert sink.logins == [True]


@pytest.mark.parametrize("wrong", ["password", "certificate", "offer"])
def test_without_trust_nothing_is_sent(start, tmp_path, wrong):
    (tmp_path / "password").write_text("sesame" if wrong != "password" else "open up")
    tls = certificate(tmp_path, "relay")
    if wrong == "certificate":
        certificate(tmp_path, "relay")  # another, of the same name
    with Sink(tls=tls if wrong != "offer" else None, login=LOGIN) as sink:
        flags = write_config(
            tmp_path,
            sink.url,
            tls="required",
            ca=str(tmp_path / "relay.crt"),
            user="care",
            password_file=tmp_path / "password",
        )
        daemon = start(*flags)
        customer(daemon, "ann@example.com")
        order(daemon, "ann")
        daemon.wait_line("it refuses us, look at the configuration")
        wait_for(lambda: effects(daemon)[0]["state"] == "pending", lambda: effects(daemon))
        assert sink.mails == []


def test_signatures_are_verified_by_others(shop, sink, tmp_path):
    records = {}
    for kind, words in {
        "rsa": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
        "ed25519": ["ed25519"],
    }.items():
        path = tmp_path / f"{kind}.pem"
        subprocess.run(
            ["openssl", "genpkey", "-algorithm", *words, "-out", path],
            check=True,
            capture_output=True,
        )
        der = subprocess.run(
            ["openssl", "pkey", "-in", path, "-pubout", "-outform", "DER"],
            check=True,
            capture_output=True,
        ).stdout
        public = der[-32:] if kind == "ed25519" else der
        records[
            f"{kind}._domainkey.shop.example.".encode()
        ] = f"v=DKIM1; k={kind}; p=".encode() + base64.b64encode(public)
    daemon = shop(
        dkim_selector="rsa",
        dkim_key_file=tmp_path / "rsa.pem",
        dkim_selector_2="ed25519",
        dkim_key_2_file=tmp_path / "ed25519.pem",
    )
    mail = delivered(daemon, sink, subject="Grüße", body="# Hello\n\nfrom *us*\n.\n")
    verifier = dkim.DKIM(mail.data)
    look_up = lambda name, timeout=5: records.get(name)
    assert verifier.verify(0, dnsfunc=look_up) and verifier.verify(1, dnsfunc=look_up)
    with pytest.raises(dkim.ValidationError):
        dkim.DKIM(mail.data.replace(b"from", b"From")).verify(0, dnsfunc=look_up)
    assert not dkim.DKIM(mail.data.replace(b"Subject:", b"Subject: x")).verify(1, dnsfunc=look_up)


def test_one_click_unsubscribes(shop, sink):
    daemon = shop()
    mail = delivered(daemon, sink, purpose="news")
    message = parsed(mail)
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = re.search(r"<(https://[^>]+)>", message["List-Unsubscribe"].replace(" ", "")).group(1)
    path = url.removeprefix("https://crm.example.com")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = daemon.post(path, "List-Unsubscribe=One-Click", key=None, headers=form)
    assert answer.status == 200
    order(daemon, "ann", purpose="news")
    wait_for(lambda: len(effects(daemon)) == 2, "another one is asked for")
    wait_for(lambda: effects(daemon)[0]["state"] == "suppressed", lambda: effects(daemon))
    delivered(daemon, sink, purpose="service")
    assert len(sink.mails) == 2


TEMPLATES = {
    "hello.email.md": "---\nsubject: Hello {{customer.name}}\nx-campaign: {{code}}\n"
    "reply_to: {{answer}}\n---\n"
    "Dear **{{customer.name}}**,\n\nyour code: `{{code}}`\n",
}
TEMPLATE_RULES = """
rule "send" { on = "Send", run = function(event)
  send { channel = "email", purpose = "service", template = "hello", data = event.data } end }
"""


def test_nothing_that_people_write_becomes_a_header_or_markup(shop, sink):
    daemon = shop(rules=TEMPLATE_RULES, templates=TEMPLATES)
    name = "<script>alert(1)</script>\r\nBcc: eve@example.com\r\n\r\nboo & co"
    customer(daemon, "ann@example.com", name=name)
    order(
        daemon,
        "ann",
        code="A\r\nX-Evil: yes",
        answer="help@shop.example",
        email={"subject": "evil", "from": "eve@example.com"},
    )
    wait_for(lambda: sink.mails, lambda: effects(daemon))
    message = parsed(sink.mails[0])
    assert message["Bcc"] is None and message["X-Evil"] is None
    assert message["From"] == "Care <care@shop.example>"
    assert message["Reply-To"] == "help@shop.example"
    assert message["Subject"].startswith("Hello <script>alert(1)</script>")
    assert message["X-Campaign"] == "A  X-Evil: yes"
    assert [m.recipient for m in sink.mails] == ["ann@example.com"]
    html = message.get_body(("html",)).get_content()
    assert "<script" not in html and "&lt;script&gt;" in html


def test_a_name_brings_no_link_and_no_heading_into_a_message(shop, sink):
    daemon = shop(rules=TEMPLATE_RULES, templates=TEMPLATES)
    name = "[You *won*](http://evil.example) www.evil.example\n\n# Now <https://evil.example>"
    customer(daemon, "ann@example.com", name=name)
    order(daemon, "ann", code="TEA_26")
    wait_for(lambda: sink.mails, lambda: effects(daemon))
    html, plain = (
        parsed(sink.mails[0]).get_body((kind,)).get_content() for kind in ("html", "plain")
    )
    assert "<a " not in html and "<h1" not in html and "<em" not in html, html
    assert "[You *won*](http://evil.example) www.evil.example" in plain, plain
    assert "# Now <https://evil.example>" in plain and "<code>TEA_26</code>" in html, plain


NAMED = {
    "hello.email.md": "---\nsubject: Hello\nfrom: Care of {{customer.name}} <care@shop.example>\n"
    "reply_to: {{customer.name}} <help@shop.example>\n---\nDear {{customer.name}}\n"
}


@pytest.mark.parametrize(
    "name",
    [
        "王小明 <evil@evil.example>, x",
        "evil@evil.example, x",
        "x (",
        '"x',
        "a, b",
        "Dr. O'Neil, Jr.",
        "王:",
    ],
)
def test_a_name_brings_no_address_into_a_message(shop, sink, name):
    daemon = shop(rules=TEMPLATE_RULES, templates=NAMED)
    customer(daemon, "ann@example.com", name=name)
    order(daemon, "ann")
    wait_for(lambda: sink.mails, lambda: effects(daemon))
    message = parsed(sink.mails[0])
    (sender,), (answers,) = message["From"].addresses, message["Reply-To"].addresses
    assert (sender.display_name, sender.addr_spec) == (f"Care of {name}", "care@shop.example")
    assert (answers.display_name, answers.addr_spec) == (name, "help@shop.example")


def test_a_message_with_cc_is_rejected(shop, sink):
    text = TEMPLATES["hello.email.md"].replace("reply_to: {{answer}}", "cc: boss@shop.example")
    daemon = shop(rules=TEMPLATE_RULES, templates={"hello.email.md": text})
    customer(daemon, "ann@example.com")
    order(daemon, "ann")
    wait_for(lambda: effect_of(daemon, "ann@example.com")["state"] == "rejected", "it is refused")
    assert "cc: a message goes to its customer" in effect_of(daemon, "ann@example.com")["reason"]
    assert sink.mails == []


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"subject": ""}, "no subject"),
        ({"subject": "Hi", "answer": "not an address"}, "Reply-To"),
        ({"subject": "Hi", "answer": "a@b.example\r\nBcc: eve@example.com"}, "Reply-To"),
    ],
)
def test_what_cannot_be_written_is_rejected_with_the_reason(shop, sink, wrong, words):
    rules = RULES.replace('event.subject or "Hello"', "event.subject")
    daemon = shop(rules=rules)
    customer(daemon, "ann@example.com")
    order(daemon, "ann", **wrong)
    wait_for(lambda: effect_of(daemon, "ann@example.com")["state"] == "rejected", "it is refused")
    assert words in effect_of(daemon, "ann@example.com")["reason"]
    assert sink.mails == []


# -- Files -------------------------------------------------------------------------------------

ATTACHING = (
    RULES.replace("links =", "attach = event.files, links =")
    + """
rule "offer" { on = "Offer", run = function(event)
  send { channel = "email", purpose = "service", template = "offer", attach = event.files }
end }
rule "wrong" { on = "Wrong", run = function(event)
  send { channel = event.channel or "email", purpose = "service", body = "x", attach = event.files }
end }
"""
)
OFFER = "---\nsubject: Ihr Angebot\n---\nAnbei unser Angebot.\n"
PDF = b"%PDF-1.7\r\n\0\xff" * 4000


def put_file(daemon, data, kind):
    answer = daemon.call("POST", "/v1/files", data, headers={"Content-Type": kind})
    assert answer.status in (200, 201), answer.body
    return answer.json["hash"]


@pytest.mark.parametrize("isolate", [False, True])
def test_files_of_a_customer_go_with_a_message(shop, sink, isolate):
    daemon = shop(rules=ATTACHING, isolate=isolate, templates={"offer.email.md": OFFER})
    pdf = put_file(daemon, PDF, "application/pdf")
    note = put_file(daemon, "Grüße\n".encode(), "text/plain; charset=utf-8")
    mail = put_file(daemon, b"Subject: x\r\n\r\ny", "message/rfc822")
    files = [{"hash": pdf, "name": "报价单 2026 für Sie.pdf", "pages": 3}, {"hash": note}]
    customer(daemon, "ann@example.com")
    order(daemon, "ann", body="Hello *you*", files=files + [{"hash": mail, "name": "a.eml"}])
    reason = lambda: effect_of(daemon, "ann@example.com")  # noqa: E731
    message = parsed(wait_for(lambda: sink.mails, reason, 5)[0])
    assert message.get_content_type() == "multipart/mixed" and message.defects == []
    assert "Hello you" in message.get_body(("plain",)).get_content()
    assert "<em>you</em>" in message.get_body(("html",)).get_content()
    first, second, third = message.iter_attachments()
    assert first.get_filename() == "报价单 2026 für Sie.pdf" and first.get_content() == PDF
    assert first.get_content_type() == "application/pdf"
    assert (
        second.get_filename() == note[:12] and second.get_payload(decode=True) == "Grüße\n".encode()
    )
    assert second.get_content_charset() == "utf-8" and second.get_content() == "Grüße\n"
    assert third.get_content_type() == "application/octet-stream"
    raw = sink.mails[0].data
    assert b"filename*" in raw and max(len(line) for line in raw.split(b"\r\n")) <= 998
    track = {"type": "track", "userId": "ann", "event": "Offer", "properties": {"files": [pdf]}}
    assert not daemon.send(track)
    offer = parsed(wait_for(lambda: sink.mails[1:], "the offer arrives")[0])
    assert offer["Subject"] == "Ihr Angebot"
    assert [part.get_content() for part in offer.iter_attachments()] == [PDF]


def test_files_that_cannot_go_are_a_reason_to_send_nothing(shop, sink):
    daemon = shop(rules=ATTACHING)
    large = [put_file(daemon, bytes([65 + i]) * (6 << 20), "image/png") for i in (0, 1)]
    for user, files, words in (
        ("ann", ["0" * 64], "attach: there is no file 0000"),
        ("dan", large, "attach: its files have more than 10485760 bytes"),
    ):
        customer(daemon, f"{user}@example.com")
        order(daemon, user, files=files)
        state = lambda: effect_of(daemon, f"{user}@example.com")  # noqa: E731
        wait_for(lambda: state()["state"] == "rejected", "it is refused")
        assert words in state()["reason"]
    assert sink.mails == []
    for number, (properties, words) in enumerate(
        [
            ({"files": ["short"]}, "attach is a list of files, each { hash ="),
            ({"files": "0" * 64}, "attach is a list of files"),
            ({"files": ["0" * 64] * 21}, "a message has at most 20 files"),
            ({"files": [{"hash": "0" * 64, "name": "../x"}]}, "no slash"),
            ({"files": ["0" * 64], "channel": "log"}, 'the channel "log" takes no files'),
        ]
    ):
        track = {"type": "track", "userId": "ann", "event": "Wrong", "messageId": f"w{number}"}
        assert not daemon.send({**track, "properties": properties})
        item = [i for i in daemon.timeline("user_id:ann") if i["type"] == "rule.failed"][0]
        assert words in json.dumps(item["data"]).replace('\\"', '"'), item


def test_a_slow_domain_delays_no_other(shop, sink):
    daemon = shop(domain_rate=60, connections=4)
    for i in range(12):
        customer(daemon, f"ok{i}@slow.example")
        order(daemon, f"ok{i}")
    for i in range(20, 30):
        customer(daemon, f"ok{i}@d{i}.example")
        order(daemon, f"ok{i}")
    wait_for(lambda: len(sink.mails) == 22, lambda: effects(daemon))
    slow = [i for i, mail in enumerate(sink.mails) if mail.recipient.endswith("@slow.example")]
    assert slow[-1] == 21 and len(slow) == 12
    times = [sink.times[i] for i in slow]
    assert times[-1] - times[0] > 5  # of 11 s; the first may have come late


def test_few_messages_at_once_go_to_one_domain(start, tmp_path):
    with Sink(delay=0.05) as sink:
        daemon = start(*write_config(tmp_path, sink.url, domain_connections=1, connections=5))
        for i in range(10):
            customer(daemon, f"ok{i}@example.com")
            order(daemon, f"ok{i}")
        wait_for(lambda: len(sink.mails) == 10, lambda: effects(daemon))
        assert sink.open_most == 1


# -- The end in the middle ---------------------------------------------------------------------


def test_each_message_goes_out_once_or_is_listed_when_the_daemon_is_killed(start, tmp_path):
    with Sink(delay=0.02) as sink:
        flags = write_config(tmp_path, sink.url, connections=5)
        daemon = start(*flags)
        events = []
        for i in range(200):
            user = f"ok{i}"
            events.append(
                {"type": "identify", "userId": user, "traits": {"email": f"{user}@example.com"}}
            )
            events.append({"type": "track", "userId": user, "event": "Send", "properties": {}})
        daemon.send(*events)
        for enough in (20, 80, 140):
            wait_for(lambda: len(sink.mails) >= enough, "they go out")
            os.kill(daemon.pid, signal.SIGKILL)
            daemon.kill()
            daemon = start(*flags)
        is_over = lambda: {e["state"] for e in effects(daemon)} <= {"sent", "uncertain"}
        wait_for(lambda: len(effects(daemon)) == 200 and is_over(), lambda: effects(daemon))
        copies = [mail.recipient for mail in sink.mails]
        assert len(copies) == len(set(copies)), "one came twice"
        sent = {
            daemon.get("/v1/effects/" + e["id"]).json["message"]["address"]
            for e in effects(daemon, state="sent")
        }
        assert sent <= set(copies), "one is called sent and never came"
        doubtful = len(effects(daemon, state="uncertain"))
        assert len(copies) + doubtful >= 200 and doubtful <= 3 * 15


def test_a_stop_leaves_nothing_in_doubt_that_is_not(start, tmp_path):
    with Sink(delay=0.05) as sink:
        flags = write_config(tmp_path, sink.url, connections=2)
        daemon = start(*flags)
        for i in range(30):
            customer(daemon, f"ok{i}@example.com")
            order(daemon, f"ok{i}")
        wait_for(lambda: len(sink.mails) >= 5, "they go out")
        assert daemon.stop() == 0
        daemon = start(*flags)
        wait_for(lambda: {e["state"] for e in effects(daemon)} == {"sent"}, lambda: effects(daemon))
        assert sorted(m.recipient for m in sink.mails) == sorted(
            f"ok{i}@example.com" for i in range(30)
        )


def isolated(start, tmp_path, sink):
    daemon = start(*write_config(tmp_path, sink.url, isolate=True, connections=5))
    if any("its outside side cannot run" in line for line in daemon.lines):
        pytest.skip("this build has no outside side in a process of its own")
    return daemon


def processes_of(daemon):
    folder = pathlib.Path(f"/proc/{daemon.pid}/task")
    return [
        int(pid) for task in folder.iterdir() for pid in (task / "children").read_text().split()
    ]


def test_isolated_it_does_the_same(start, tmp_path, sink):
    daemon = isolated(start, tmp_path, sink)
    mail = delivered(daemon, sink)
    assert processes_of(daemon)
    answer = letter("ann@example.com", "Yes", In_Reply_To=parsed(mail)["Message-ID"])
    assert bring(lmtp_port(daemon), "ann@example.com", "care@shop.example", answer) == 250
    assert received(daemon, "ann")[0]["data"]["text"] == "Yes"
    assert bring(lmtp_port(daemon), "", mail.sender, bounce("ann@example.com")) == 250
    assert addresses(daemon, "ann") == {"ann@example.com": "bounced"}


def test_isolated_its_death_sends_nothing_twice(start, tmp_path):
    with Sink(delay=0.02) as sink:
        daemon = isolated(start, tmp_path, sink)
        for i in range(100):
            customer(daemon, f"ok{i}@example.com")
            order(daemon, f"ok{i}")
        wait_for(lambda: len(sink.mails) >= 20, "they go out")
        before = daemon.pid
        for pid in processes_of(daemon):
            os.kill(pid, signal.SIGKILL)
        wait_for(
            lambda: {e["state"] for e in effects(daemon)} <= {"sent", "uncertain"},
            lambda: (effects(daemon)[:5], daemon.lines),
        )
        copies = [mail.recipient for mail in sink.mails]
        assert len(copies) == len(set(copies)) and daemon.pid == before
        assert len(copies) + len(effects(daemon, state="uncertain")) >= 100


# -- Postfix -----------------------------------------------------------------------------------


@pytest.fixture
def postfix():
    if shutil.which("postfix") is None or os.geteuid() != 0:
        pytest.skip("Postfix is started by root")
    server = Postfix(free_port())
    yield server
    server.stop()


def test_bounces_of_a_real_server_suppress(start, tmp_path, sink, postfix):
    port = free_port()
    smtp = f"smtp://127.0.0.1:{postfix.port}"
    daemon = start(*write_config(tmp_path, smtp, lmtp=f"127.0.0.1:{port}"))
    postfix.start(
        shop__example=f"lmtp:inet:127.0.0.1:{port}", example__com=f"smtp:[127.0.0.1]:{sink.port}"
    )
    for user in ("ann", "nobody"):
        customer(daemon, f"{user}@example.com")
        order(daemon, user)
    wait_for(lambda: sink.of("ann@example.com"), lambda: postfix.log)
    wait_for(
        lambda: addresses(daemon, "nobody") == {"nobody@example.com": "bounced"},
        lambda: postfix.log,
    )
    assert effect_of(daemon, "nobody@example.com")["state"] == "sent"
    assert list(effect_of(daemon, "nobody@example.com")["feedback"]) == ["bounced"]
    assert addresses(daemon, "ann") != {"ann@example.com": "bounced"}
    entry = [e for e in daemon.timeline("user_id:nobody") if e["type"] == "message.bounced"][0]
    assert "no such mailbox here" in entry["data"]["detail"]
    # An answer takes the same way back.
    answer = letter("ann@example.com", In_Reply_To=parsed(sink.mails[0])["Message-ID"])
    with smtplib.SMTP("127.0.0.1", postfix.port) as client:
        client.sendmail("ann@example.com", ["care@shop.example"], answer.as_bytes())
    wait_for(lambda: received(daemon, "ann"), lambda: postfix.log)


@pytest.mark.long(30)
def test_each_of_many_messages_goes_once_through_postfix(start, tmp_path, sink, postfix):
    daemon = start(*write_config(tmp_path, f"smtp://127.0.0.1:{postfix.port}", connections=20))
    postfix.start(example__com=f"smtp:[127.0.0.1]:{sink.port}")
    began = time.monotonic()
    for at in range(0, COUNT, 250):
        events = []
        for i in range(at, min(at + 250, COUNT)):
            traits = {"email": f"ok{i}@example.com"}
            events.append({"type": "identify", "userId": f"ok{i}", "traits": traits})
            events.append({"type": "track", "userId": f"ok{i}", "event": "Send", "properties": {}})
        daemon.send(*events)
    wait_for(
        lambda: counted(daemon, "sent") + counted(daemon, "uncertain") >= COUNT,
        lambda: daemon.lines[-20:] + postfix.log.splitlines()[-20:],
        600,
    )
    taken = time.monotonic() - began
    doubtful = len(effects(daemon, state="uncertain"))
    wait_for(lambda: len(set(sink.mails)) >= COUNT - doubtful, lambda: len(sink.mails), 600)
    copies = [mail.recipient for mail in sink.mails]
    assert len(copies) == len(set(copies)) and len(copies) + doubtful >= COUNT
    print(
        f"\n{COUNT} messages: {taken:.1f} s to Postfix ({COUNT / taken:.0f}/s), "
        f"{time.monotonic() - began:.1f} s to their mailboxes, {doubtful} uncertain"
    )


# -- Configuration -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"smtp": "http://x"}, "config.smtp is smtp://HOST:PORT"),
        ({"smtp": "smtp://u:p@host"}, "who logs in is config.user"),
        ({"from": "nobody"}, "config.from"),
        ({"tls": "perhaps"}, "config.tls is required, offered or none"),
        ({"user": "care"}, "belong together"),
        ({"dkim_selector": "a"}, "belong together"),
        ({"headers": ["no colon"]}, "config.headers"),
        ({"headers": ["Subject: x"]}, "config.headers"),
        ({"lmtp": "example.com:25"}, "config.lmtp"),
        ({"strangers": "kill"}, "config.strangers is take or refuse"),
        ({"inbox": ["@"]}, "config.inbox"),
        ({"charset": "utf-7"}, 'config.charset: nobody here can read "utf-7"'),
    ],
)
def test_a_wrong_configuration_is_said_at_the_start(start, tmp_path, wrong, words):
    daemon = start(*write_config(tmp_path, **({"smtp": "smtp://127.0.0.1:25"} | wrong)))
    line = daemon.wait_line("plugin email: it does not start: (.*)").group(1)
    assert words in line


def test_a_number_out_of_its_bounds_is_refused_with_all_of_it(start, tmp_path):
    config = write_config(tmp_path, smtp="smtp://127.0.0.1:25", connections=0)
    daemon = start(*config, is_ready=False)
    daemon.wait_line("connections is a whole number from 1 to 100")
    assert daemon.wait() == 1


def test_the_readme_has_the_configuration(tmp_path):
    source = (ROOT / "plugins/email/settings_fields.c").read_text()
    items = re.findall(r"KITH_ITEM\(field, (.*?)\),\n", source, re.S)
    fields = [dict(re.findall(r'\.(\w+) = "?([^",]*)', item)) for item in items]
    table = README.read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\w+)(?:, (\w+))? \| ([^|]*) \|", table, re.M)
    assert [row[0] for row in rows] == [field["name"] for field in fields]
    words = {None: "", "KITH_REQUIRED": "needed", "KITH_SECRET": "secret"}
    for row, field in zip(rows, fields):
        assert row[:3] == (field["name"], field["type"], words[field.get("flags")])
        assert field.get("standard", "") in row[3], field


# What can only come of this plugin's own mistake, or stands behind the colon of another.
INNER = re.compile(r"no memory|attachment|… attachments|markdown makes|DKIM: the message")


def test_the_readme_has_what_the_plugin_says():
    said = set()
    for path in (ROOT / "plugins/email").glob("*.c"):
        source = test_errors.spelled_out(path)
        for call in re.finditer(r"\bfault_set\(", source):
            argument = test_errors.first_text(source, call.end())
            literals = re.findall(rf"{test_errors.LITERAL}(?:\s*{test_errors.LITERAL})*", argument)
            said |= {test_errors.plain(literal) for literal in literals}
    said = {text for text in said if not INNER.match(text)}
    rows = dict(re.findall(r"^\| `` (.*?) `` \| (.*) \|$", README.read_text(), re.M))
    assert rows.pop("no memory …")
    assert said == set(rows)
