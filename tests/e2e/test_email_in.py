"""What comes back by e-mail: bounces, complaints, answers, forgeries, and mail that is none."""
import pathlib
import re
import socket

import pytest
from conftest import BUILD
from mail_house import (  # noqa: F401, fixtures among them
    addresses,
    bounce,
    bring,
    complaint,
    counted,
    customer,
    delivered,
    effects,
    letter,
    lmtp_port,
    order,
    parsed,
    received,
    sink,
    wait_for,
    write_config,
)

pytestmark = pytest.mark.skipif(
    not (BUILD / "plugins" / "email.so").exists(), reason="a build tree without plugins"
)


@pytest.fixture(params=[False, True], ids=["here", "isolated"])
def shop(request, start, tmp_path, sink):  # noqa: F811
    """shop(**config): as that of mail_house.py, with the plugin here and isolated."""
    return lambda **config: start(
        *write_config(tmp_path, config.pop("smtp", sink.url), isolate=request.param, **config)
    )


# -- In ----------------------------------------------------------------------------------------


def test_a_hard_bounce_suppresses(shop, sink):
    daemon = shop()
    mail = delivered(daemon, sink)
    port = lmtp_port(daemon)
    assert bring(port, "", mail.sender, bounce("ann@example.com", "4.2.2")) == 250
    assert addresses(daemon, "ann") != {"ann@example.com": "bounced"}
    assert bring(port, "", mail.sender.upper(), bounce("ann@example.com")) == 250
    assert addresses(daemon, "ann") == {"ann@example.com": "bounced"}
    assert bring(port, "", mail.sender, bounce("ann@example.com")) == 250
    entries = [e for e in daemon.timeline("user_id:ann") if e["type"] == "message.bounced"]
    assert sorted(e["data"]["hard"] for e in entries) == [False, True]


@pytest.mark.parametrize("status", ["5.2.2", "5.7.1", "5.3.4", "5.0.0"])
def test_a_bounce_that_says_nothing_of_the_address_leaves_it(shop, sink, status):
    daemon = shop()
    mail = delivered(daemon, sink)
    report = bounce("ann@example.com", status).replace(b"550 5.1.1 nobody here", b"550 sorry")
    for _ in range(2):  # a server that did not hear us brings it again
        assert bring(lmtp_port(daemon), "", mail.sender, report) == 250
    assert "bounced" not in addresses(daemon, "ann").values()
    (entry,) = [e for e in daemon.timeline("user_id:ann") if e["type"] == "message.bounced"]
    assert entry["data"]["hard"] is False
    assert counted(daemon, "bounced_soft") == 1
    delivered(daemon, sink)


def test_a_report_about_many_counts_for_the_one_of_ours(shop, sink):
    daemon = shop()
    mail = delivered(daemon, sink)
    row = "Final-Recipient: rfc822; {}\r\nAction: {}\r\nStatus: {}\r\n\r\n"
    rows = [row.format(f"q{i}@elsewhere.example", "failed", "5.1.1") for i in range(50)]
    rows.append(row.format("ann@example.com", "delivered", "2.0.0"))
    rows.append(row.format("ann@example.com", "failed", "5.1.1"))
    report = bounce("x@elsewhere.example").replace(
        b"\r\n--b\r\nContent-Type: text/rfc822",
        ("\r\n" + "".join(rows) + "--b\r\nContent-Type: text/rfc822").encode(),
    )
    port = lmtp_port(daemon)
    for _ in range(2):
        assert bring(port, "", mail.sender, report) == 250
    assert addresses(daemon, "ann") == {"ann@example.com": "bounced"}
    names = ("bounced", "delivered", "not_believed")
    assert [counted(daemon, name) for name in names] == [1, 0, 0]


def test_forged_bounces_change_nothing(shop, sink):
    daemon = shop()
    mail = delivered(daemon, sink)
    other = delivered(daemon, sink, user="bob")
    port = lmtp_port(daemon)
    local, domain = mail.sender.split("@")
    letters = local[:-1] + ("a" if local[-1] != "a" else "b")
    sequence = re.sub(r"\+\d+", "+1", local)
    for forged in (letters, sequence, "bounce+" + "9" * 40, "bounce+", "bounce+1.1.1.1."):
        assert bring(port, "", f"{forged}@{domain}", bounce("ann@example.com")) == 550
    # What anybody can know, who got a mail of ours: somebody else is not touched by it.
    assert bring(port, "", other.sender, bounce("ann@example.com")) == 250
    assert bring(port, "", "care@shop.example", bounce("ann@example.com")) == 250
    message_id = parsed(mail)["Message-ID"]
    forged_id = message_id.replace(".", ".1", 1)
    for report in (
        complaint("bob@example.com", message_id),
        complaint("ann@example.com", forged_id),
    ):
        assert bring(port, "fbl@provider.example", "care@shop.example", report) == 250
    assert counted(daemon, "not_believed") == 4
    for user in ("ann", "bob"):
        assert "bounced" not in addresses(daemon, user).values()
        types = {e["type"] for e in daemon.timeline(f"user_id:{user}")}
        assert not [name for name in types if name.startswith("message.")]
    delivered(daemon, sink)


def test_a_complaint_suppresses_the_address(shop, sink):
    daemon = shop()
    mail = delivered(daemon, sink)
    report = complaint("ann@example.com", parsed(mail)["Message-ID"])
    assert bring(lmtp_port(daemon), "fbl@provider.example", "care@shop.example", report) == 250
    assert addresses(daemon, "ann") == {"ann@example.com": "complained"}
    order(daemon, "ann")
    wait_for(lambda: len(effects(daemon)) == 2, "another one is asked for")
    wait_for(lambda: effects(daemon)[0]["state"] in ("suppressed", "rejected"), "it stays")
    assert len(sink.mails) == 1


def test_an_answer_stands_in_the_timeline(shop, sink):
    daemon = shop()
    mail = delivered(daemon, sink)
    answer = letter(
        "Ann at work <ann@work.example>",
        "Yes, please!\n\n> Hello you",
        subject="Re: Hello ☀",
        In_Reply_To=parsed(mail)["Message-ID"],
    )
    answer.add_attachment(
        b"%PDF" * 500, maintype="application", subtype="pdf", filename="größe.pdf"
    )
    port = lmtp_port(daemon)
    for _ in range(2):  # a server that did not hear us brings it again
        assert bring(port, "ann@work.example", "care@shop.example", answer) == 250
    entries = received(daemon, "ann")
    assert len(entries) == 1
    data = entries[0]["data"]
    assert data["text"].startswith("Yes, please!") and data["subject"] == "Re: Hello ☀"
    assert data["from"] == "ann@work.example" and data["from_name"] == "Ann at work"
    assert data["attachments"] == [{"name": "größe.pdf", "type": "application/pdf", "size": 2000}]
    assert data["proof"] == "message_id" and data["effect"] == effects(daemon)[0]["id"]
    types = [e["type"] for e in daemon.timeline("user_id:ann")]
    assert types.count("message.replied") == 1
    traits = daemon.get("/v1/customers/user_id:ann").json["traits"]
    assert traits["email.received"] == 1 and traits["email.last_received"]


def test_mail_of_a_known_address_is_hers_and_strangers_are_refused(shop):
    daemon = shop(inbox=["care@shop.example", "@help.example"])
    customer(daemon, "ann@example.com")
    port = lmtp_port(daemon)
    assert bring(port, "ann@example.com", "care@shop.example", letter("ann@example.com")) == 250
    assert (
        bring(port, "x@y.example", "any@help.example", letter("Ann <ANN@example.com>", "x")) == 250
    )
    assert [e["data"]["proof"] for e in received(daemon, "ann")] == ["sender", "sender"]
    assert bring(port, "eve@example.com", "care@shop.example", letter("eve@example.com")) == 550
    assert bring(port, "eve@example.com", "boss@shop.example", letter("ann@example.com")) == 550
    assert daemon.get("/v1/customers/email:eve@example.com").status == 404


def test_a_subject_that_hides_ends_of_lines_can_be_answered(shop, sink):
    rules = """rule "answer" { on = "email.received", run = function(event)
      send { channel = "email", purpose = "service", body = "Thank you",
             data = { email = email.reply {} } } end }"""
    daemon = shop(inbox=["care@shop.example"], rules=rules)
    customer(daemon, "ann@example.com")
    message = (
        b"From: =?utf-8?q?Ann=0D=0AX?= <ann@example.com>\r\nTo: care@shop.example\r\n"
        b"Subject: =?utf-8?q?Hello=0D=0ABcc:=00_eve@example.com=7F?=\r\n"
        b"Message-ID: <1@example.com>\r\n\r\nHello\r\n"
    )
    port = lmtp_port(daemon)
    assert bring(port, "ann@example.com", "care@shop.example", message) == 250
    (entry,) = received(daemon, "ann")
    subject = entry["data"]["subject"]
    assert subject.startswith("Hello  Bcc:") and subject.isprintable()
    assert entry["data"]["from_name"] == "Ann  X"
    wait_for(lambda: sink.of("ann@example.com"), lambda: effects(daemon))
    answer = parsed(sink.of("ann@example.com")[0])
    assert answer["Subject"].startswith("Re: Hello  Bcc:") and answer["Bcc"] is None


@pytest.mark.parametrize("strangers", ["take", "refuse"])
def test_an_address_that_several_have_is_of_who_is_known_longest(shop, strangers):
    daemon = shop(strangers=strangers, inbox=["care@shop.example"])
    for user in ("d-1", "d-2"):
        customer(daemon, "dup+x@example.org", user=user)
    customer(daemon, "dup+x@example.org.uk", user="d-3")
    assert "duplicate.suspected" in [e["type"] for e in daemon.timeline("user_id:d-2")]
    sender = "Dup <DUP+x@example.org>"
    port = lmtp_port(daemon)
    assert bring(port, "dup@example.org", "care@shop.example", letter(sender)) == 250
    (entry,) = received(daemon, "d-1")
    assert entry["data"]["shared"] is True and entry["data"]["from"] == "DUP+x@example.org"
    assert received(daemon, "d-2") == [] and daemon.get("/v1/customers/4").status == 404


def test_strangers_become_customers_where_they_are_welcome(shop):
    daemon = shop(strangers="take")
    port = lmtp_port(daemon)
    for text in ("First", "Second"):
        mail = letter("Eve Zhang <eve@example.com>", text)
        assert bring(port, "eve@example.com", "care@shop.example", mail) == 250
    record = daemon.get("/v1/customers/email:eve@example.com").json
    assert record["traits"]["name"] == "Eve Zhang" and record["traits"]["email.received"] == 2


def test_a_stranger_is_known_by_her_mail_and_by_nothing_before_it(shop):
    daemon = shop(strangers="take")
    port = lmtp_port(daemon)
    mail = letter("Eve Zhang <eve@example.com>", "First")
    assert bring(port, "eve@example.com", "care@shop.example", mail) == 250
    before = daemon.get("/v1/customers/email:eve@example.com").json
    made = {e["type"]: e["seq"] for e in daemon.timeline("email:eve@example.com")}
    assert made["customer.created"] == made["email.received"]  # one entry: all of it, or nothing
    assert daemon.call("DELETE", "/v1/customers/email:eve@example.com").status == 202
    wait_for(lambda: not daemon.get("/v1/erasures").json["items"], lambda: "she is forgotten")
    assert bring(port, "eve@example.com", "care@shop.example", mail) == 250
    assert daemon.get("/v1/customers/email:eve@example.com").status == 404
    assert daemon.get(f"/v1/customers/{before['id'] + 1}").status == 404
    mail = letter("Eve Zhang <eve@example.com>", "Second")
    assert bring(port, "eve@example.com", "care@shop.example", mail) == 250
    assert daemon.get("/v1/customers/email:eve@example.com").json["traits"]["name"] == "Eve Zhang"


def test_automatic_answers_are_ignored(shop, sink):
    daemon = shop()
    mail = delivered(daemon, sink)
    port = lmtp_port(daemon)
    away = letter("ann@example.com", "I am away", Auto_Submitted="auto-replied")
    assert bring(port, "", mail.sender, away) == 250
    assert bring(port, "ann@example.com", "care@shop.example", away) == 250
    assert received(daemon, "ann") == [] and counted(daemon, "ignored") == 2
    daemon.wait_line("mail to care@shop.example: an automatic answer")


def test_text_around_a_picture_is_read(shop):
    daemon = shop()
    customer(daemon, "ann@example.com")
    message = (
        b"From: ann@example.com\r\nSubject: x\r\n"
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nLook:\r\n"
        b"--b\r\nContent-Type: image/jpeg; name=a.jpg\r\nContent-Disposition: inline\r\n\r\nxx\r\n"
        b"--b\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n"
        b"--a\r\n\r\n\xc2\xa0\r\n--a\r\nContent-Type: text/html\r\n\r\n<p>I complain!</p>\r\n"
        b"--a--\r\n--b--\r\n"
    )
    assert bring(lmtp_port(daemon), "ann@example.com", "care@shop.example", message) == 250
    (entry,) = received(daemon, "ann")
    assert entry["data"]["text"] == "Look:\nI complain!"
    assert [part["name"] for part in entry["data"]["attachments"]] == ["a.jpg"]


def test_mail_without_a_charset_is_read_as_the_house_expects(shop):
    daemon = shop(charset="gb18030")
    customer(daemon, "ann@example.com")
    complaint_in_gbk = "投诉".encode("gbk")
    message = b"From: %s <ann@example.com>\r\nSubject: %s\r\n\r\n%s\r\n"
    message %= ("王小明".encode("gbk"), complaint_in_gbk, complaint_in_gbk)
    assert bring(lmtp_port(daemon), "ann@example.com", "care@shop.example", message) == 250
    data = received(daemon, "ann")[0]["data"]
    assert (data["from_name"], data["subject"], data["text"]) == ("王小明", "投诉", "投诉")


def test_mail_by_a_list_or_a_group_is_read(shop, sink):
    daemon = shop(inbox=["complaints@shop.example"], strangers="take")
    mail = delivered(daemon, sink)
    marks = {"List_Id": "<complaints.shop.example>", "Precedence": "list"}
    question = letter("ann@example.com", "It is broken", **marks)
    answer = letter("ann@example.com", "Yes", In_Reply_To=parsed(mail)["Message-ID"], **marks)
    port = lmtp_port(daemon)
    for message in (question, answer, letter("ann@example.com", "By herself")):
        assert bring(port, "bounces@groups.example", "complaints@shop.example", message) == 250
    entries = [entry["data"] for entry in received(daemon, "ann")]
    assert [(e["text"], e.get("list"), e["proof"]) for e in reversed(entries)] == [
        ("It is broken", True, "sender"),
        ("Yes", True, "message_id"),
        ("By herself", None, "sender"),
    ]
    stranger = letter("eve@example.com", "Mine, too", **marks)
    assert bring(port, "bounces@groups.example", "complaints@shop.example", stranger) == 250
    assert daemon.get("/v1/customers/email:eve@example.com").status == 200


REPLY_RULES = """
rule "thank" { on = "email.received", run = function(event)
  send { channel = "email", purpose = "service", body = "We have it",
         data = { email = email.reply {} } } end }
"""


def test_a_rule_answers_in_the_same_thread(shop, sink):
    daemon = shop(rules=REPLY_RULES)
    customer(daemon, "ann@example.com")
    question = letter("ann@example.com", subject="My order")
    assert bring(lmtp_port(daemon), "ann@example.com", "care@shop.example", question) == 250
    wait_for(lambda: sink.mails, lambda: effects(daemon))
    message = parsed(sink.mails[0])
    assert message["Subject"] == "Re: My order"
    assert message["In-Reply-To"] == message["References"] == question["Message-ID"]


# -- Bad input ---------------------------------------------------------------------------------


def raw_lmtp(port, data, expect):
    """Bytes as they are; what comes until the other side has said `expect` or hung up."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        got = b""
        connection.sendall(data)
        while expect not in got:
            more = connection.recv(65536)
            if not more:
                break
            got += more
        return got


def test_malformed_mail_is_taken_or_refused_and_nothing_breaks(shop):
    daemon = shop()
    customer(daemon, "ann@example.com")
    port = lmtp_port(daemon)
    head = b"From: ann@example.com\r\nSubject: x\r\n"
    nested = head + b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i)
        for i in range(3000)
    )
    many = head + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 20000
    mails = {
        "nothing": b"",
        "no header": b"\r\nhello\r\n",
        "zero bytes": head + b"\r\n" + b"\0" * 1000 + b"\r\n",
        "nested": nested + b"\r\n",
        "many parts": many + b"--b--\r\n",
        "long line": head + b"\r\n" + b"x" * 2_000_000 + b"\r\n",
        "long header": head + b"X-Long: " + b"y" * 1_000_000 + b"\r\n\r\nx\r\n",
        "bad base64": head + b"Content-Transfer-Encoding: base64\r\n\r\n=?=?!!\r\n",
        "bad charset": head + b'Content-Type: text/plain; charset="\xff\xfe"\r\n\r\n\xe4\xf6\r\n',
        "bad words": b"From: =?utf-8?b?////?= <ann@example.com>\r\nSubject: =?x?q?=ff?=\r\n\r\n",
        "many from": b"From: " + b"a@b.example, " * 5000 + b"\r\n\r\nx\r\n",
    }
    for name, data in mails.items():
        wire = (
            b"LHLO x\r\nMAIL FROM:<ann@example.com>\r\nRCPT TO:<care@shop.example>\r\nDATA\r\n"
            + data
            + b".\r\nQUIT\r\n"
        )
        answers = raw_lmtp(port, wire, b"221 2.0.0").split(b"\r\n")
        assert answers[-2].startswith(b"221"), (name, answers)
        assert answers[-3][:3] in (b"250", b"550"), (name, answers)
    texts = [e["data"]["text"] for e in received(daemon, "ann")]
    assert len(texts) >= 6 and max(len(text.encode()) for text in texts) <= 65536
    assert bring(port, "ann@example.com", "care@shop.example", letter("ann@example.com")) == 250


def test_a_mail_of_50_mb_is_read_in_little_memory(shop):
    daemon = shop()
    customer(daemon, "ann@example.com")
    port = lmtp_port(daemon)
    before = resident(daemon)
    head = (
        "From: ann@example.com\r\nSubject: big\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    )
    part = (
        "--b\r\n\r\nlook\r\n--b\r\nContent-Type: video/mp4; name=film.mp4\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    line = "QUJD" * 19 + "\r\n"
    data = (head + part + line * (50_000_000 // len(line)) + "--b--\r\n").encode()
    assert bring(port, "ann@example.com", "care@shop.example", data) == 250
    entry = received(daemon, "ann")[0]["data"]
    assert entry["text"] == "look" and entry["attachments"][0]["size"] > 36_000_000
    assert resident(daemon) - before < 40_000
    assert bring(port, "ann@example.com", "care@shop.example", data + b"x\r\n" * 8_000_000) == 552
    assert len(received(daemon, "ann")) == 1


def resident(daemon):
    """KiB of memory, that of isolated plugins with it."""
    processes = [daemon.pid]
    for path in pathlib.Path(f"/proc/{daemon.pid}/task").glob("*/children"):
        processes += path.read_text().split()
    texts = [pathlib.Path(f"/proc/{pid}/status").read_text() for pid in processes]
    return sum(int(re.search(r"RssAnon:\s+(\d+)", text).group(1)) for text in texts)


def test_who_speaks_no_lmtp_is_sent_away(shop):
    daemon = shop()
    port = lmtp_port(daemon)
    assert b"421" in raw_lmtp(port, b"GET / HTTP/1.1\r\n" * 50, b"421")
    assert b"500" in raw_lmtp(port, b"x" * 100_000 + b"\r\nQUIT\r\n", b"221")
    smuggled = (
        b"LHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<care@shop.example>\r\nDATA\r\n"
        b"From: a@b.example\r\n\r\nx\n.\nMAIL FROM:<a@b.example>\n\r\n.\r\nQUIT\r\n"
    )
    assert raw_lmtp(port, smuggled, b"221").count(b"\r\n550") == 1
    crowd = [socket.create_connection(("127.0.0.1", port)) for _ in range(50)]
    wait_for(lambda: raw_lmtp(port, b"", b"\n").startswith(b"421"), "there are enough")
    for connection in crowd:
        connection.close()
    wait_for(lambda: raw_lmtp(port, b"", b"\n").startswith(b"220"), "there is room again")
