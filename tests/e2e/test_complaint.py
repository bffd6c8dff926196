"""The complaint plugin in the daemon: every way in, answers, duplicates and the report."""
import datetime
import shutil
import smtplib
import subprocess
import urllib.parse

import pytest

from conftest import BUILD, ROOT, eventually
from mail_house import bring, letter, lmtp_port, sink  # noqa: F401 (a fixture)

GRANT = """"append", "read", "staff", "routes", "act:create", "act:move", "act:link", "act:change",
  "act:send", "act:notify", "act:remind", "act:after", "act:cancel" """

RULES = """
rule "from the shop's own event" {
  on = "Shop Complained",
  run = function(event)
    complaint.open { subject = event.title, severity = "high", order = event.order,
      channel = "shop" }
  end,
}
rule "sellers respond by an event" {
  on = "Answered",
  run = function(event) complaint.respond { record = event.record } end,
}
rule "and close" {
  on = "Settled",
  run = function(event)
    complaint.close { record = event.record, root_cause = "delivery", resolution = "accepted",
      compensation = { amount = "12.50", currency = "EUR" } }
  end,
}
"""


@pytest.fixture(scope="module", name="folder")
def _folder(tmp_path_factory):
    """The complaint plugin and the one that brings mail, and no other."""
    folder = tmp_path_factory.mktemp("plugins")
    for name in ("complaint.so", "email.so"):
        shutil.copy(BUILD / "plugins" / name, folder)
    return folder


def configuration(
    tmp_path, folder, policy="", grant=GRANT, smtp="smtp://127.0.0.1:1", isolated=False, extra=""
):
    config = tmp_path / "kith.lua"
    (tmp_path / "verp.key").write_text("a key of at least sixteen bytes\n")
    config.write_text(
        f'plugins "{folder}"\nurl "https://crm.example.com"\nzone "Europe/Berlin"\n'
        f'channel "log" {{ file = "{tmp_path}/messages" }}\n'
        'plugin "email" { grant = {\n'
        '  "channel", "append", "read", "sockets", "work", "files" }, config = {\n'
        f'  smtp = "{smtp}", from = "Shop <hello@example.com>", lmtp = "127.0.0.1:0",\n'
        f'  verp_key = secret "{tmp_path}/verp.key",\n'
        '  inbox = { "hello@example.com", "complaints@example.com" } } }\n'
        f'plugin "complaint" {{ isolate = {str(isolated).lower()}, grant = {{ {grant} }},'
        f' config = {{ {policy} }} }}\n{extra}'
    )
    return config


def house_of(start, tmp_path, folder, rules=RULES, **options):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rules.lua").write_text(rules)
    config = configuration(tmp_path, folder, **options)
    daemon = start("--config", config, "--scripts", tmp_path / "rules")
    identify(daemon, "u-1", "Ann")
    return daemon


def identify(daemon, user, name):
    traits = {"name": name, "email": f"{user}@example.com"}
    daemon.send({"type": "identify", "userId": user, "traits": traits})


def track(daemon, event, user="u-1", **properties):
    daemon.send({"type": "track", "event": event, "userId": user, "properties": properties})


def form(daemon, key="write", headers=None, **fields):
    headers = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
    body = urllib.parse.urlencode(fields)
    return daemon.post("/v1/complaints", body, key=key, headers=headers)


def mail(daemon, to, subject, text="", sender="u-1@example.com", **headers):
    """As the mail server of the house brings it."""
    message = letter(sender, text, subject=subject)
    for name, value in {"To": to, **headers}.items():
        del message[name.replace("_", "-")]
        message[name.replace("_", "-")] = value
    assert bring(lmtp_port(daemon), sender, to, message) == 250


def case(daemon, number):
    answer = daemon.get(f"/v1/records/complaint/{number}")
    assert answer.status == 200, answer.body
    return answer.json


def kith(daemon, *words):
    done = subprocess.run(
        [BUILD / "kith", *words],
        capture_output=True,
        text=True,
        check=False,
        env={"KITH_URL": f"http://127.0.0.1:{daemon.port}", "KITH_KEY": daemon.key("admin")},
    )
    return done.returncode, done.stdout, done.stderr


def acknowledged(daemon, number):
    """The case, when the message that it has come has gone out."""
    eventually(lambda: case(daemon, number)["fields"].get("acknowledged_at"))
    return case(daemon, number)


def moved(daemon, number, transition, **fields):
    if transition in ("ask", "respond"):
        acknowledged(daemon, number)
    answer = daemon.post(f"/v1/records/complaint/{number}/{transition}", {"fields": fields})
    assert answer.status == 200, answer.body
    return answer.json


# -- What is said of it ----------------------------------------------------------------------------


def test_it_keeps_the_contract():
    done = subprocess.run(
        [BUILD / "kith", "plugin", "check", BUILD / "plugins" / "complaint.so"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and "nothing to mend" in done.stdout, done.stdout


# -- The ways in -----------------------------------------------------------------------------------


@pytest.fixture(params=[False, True], ids=["here", "isolated"])
def house(request, start, tmp_path, folder):
    policy = """channel = "log", critical_words = { "lawyer" }, words = { "not content" },
      addresses = { "complaints@example.com" }, survey_after = "", acknowledge_daily = 5 """
    return house_of(start, tmp_path, folder, policy=policy, isolated=request.param)


def test_an_event_opens_a_complaint_that_is_acknowledged(house):
    track(house, "Complaint Submitted", subject="Broken", text="My LAWYER says ...", order="o-1")
    record = acknowledged(house, 1)
    fields = record["fields"]
    assert record["state"] == "acknowledged" and record["customer"] == 1
    assert fields["subject"] == "Broken" and fields["severity"] == "critical"
    assert fields["channel"] == "webhook" and fields["policy"] == "1"
    assert fields["acknowledged_in_time"] is True and fields["acknowledged_at"]
    assert record["deadlines"]["acknowledge"]["status"] == "met"
    assert record["deadlines"]["respond"]["rule"].startswith("2wd after")
    traits = house.get("/v1/customers/1").json["traits"]
    assert traits["complaint.open_count"] == 1 and traits["complaint.total"] == 1
    assert traits["complaint.last"]
    eventually(lambda: "effect.sent" in [event["type"] for event in house.timeline("1")])


def test_what_makes_no_sense_in_an_event_loses_no_complaint(house):
    track(house, "Complaint Submitted", text="first line\nsecond", severity="so bad")
    fields = case(house, 1)["fields"]
    assert fields["subject"] == "first line" and fields["severity"] == "normal"
    track(house, "Complaint Submitted", subject=5, text={"no": "text"}, order=["x"])
    assert case(house, 2)["fields"]["subject"] == "Complaint"
    track(house, "Complaint Submitted", subject="ä" * 5000, text="ö" * 20000)
    fields = case(house, 3)["fields"]
    assert fields["subject"] == "ä" * 150 and fields["text"] == "ö" * 8000


def test_what_could_not_go_out_acknowledges_nothing(start, tmp_path, folder, sink):
    daemon = house_of(start, tmp_path, folder, policy='channel = "email"', smtp=sink.url)
    daemon.send({"type": "identify", "userId": "mute", "traits": {"name": "Mia"}})
    track(daemon, "Complaint Submitted", user="mute", subject="No address")
    track(daemon, "Complaint Submitted", user="u-1", subject="With one")
    assert acknowledged(daemon, 2)["state"] == "acknowledged"
    eventually(
        lambda: any(
            event["type"].startswith("effect.") and event["data"].get("key")
            for event in daemon.timeline("user_id:mute")
        )
    )
    record = case(daemon, 1)
    assert record["state"] == "received" and "acknowledged_at" not in record["fields"]
    assert record["deadlines"]["acknowledge"]["status"] == "running"
    titles = [item["title"] for item in daemon.get("/v1/reminders").json["items"]]
    assert "complaint 1: Acknowledge the complaint (No address)" in titles
    assert "complaint 2: Acknowledge the complaint (With one)" not in titles


def test_a_rule_opens_responds_and_closes(house):
    track(house, "Shop Complained", title="Late", order="o-7")
    record = case(house, 1)
    assert record["fields"]["severity"] == "high" and record["fields"]["channel"] == "shop"
    acknowledged(house, 1)
    track(house, "Answered", record="complaint:1")
    assert case(house, 1)["state"] == "responded"
    track(house, "Settled", record="complaint:1")
    record = case(house, 1)
    assert record["state"] == "closed" and record["fields"]["closed_at"]
    assert record["fields"]["compensation"] == {"amount": "12.50", "currency": "EUR"}
    assert record["fields"]["responded_in_time"] is True
    assert house.get("/v1/customers/1").json["traits"]["complaint.open_count"] == 0


def test_by_hand_and_over_http_it_takes_the_same_course(house):
    code, said, wrong = kith(
        house, "record", "add", "complaint", "user_id:u-1", "--set", "subject=By phone"
    )
    assert code == 0, wrong
    assert said.startswith("complaint:1")
    fields = case(house, 1)["fields"]
    assert (fields["channel"], fields["severity"]) == ("hand", "normal")
    body = {"customer": "user_id:u-1", "fields": {"subject": "By letter", "channel": "post"}}
    assert house.post("/v1/records/complaint", body).status == 201
    record = acknowledged(house, 2)
    assert record["fields"]["channel"] == "post" and record["state"] == "acknowledged"


def test_a_critical_word_is_heard_whichever_way_it_came(house):
    words = {"subject": "Late", "text": "I have told my LAWYER"}
    assert form(house, email="u-1@example.com", **words).status == 201
    body = {"customer": "user_id:u-1", "fields": words}
    assert house.post("/v1/records/complaint", body).status == 201
    kith(house, "record", "add", "complaint", "user_id:u-1", "--set", "subject=My lawyer")
    said = {"customer": "user_id:u-1", "fields": words | {"severity": "low"}}
    assert house.post("/v1/records/complaint", said).status == 201
    found = [case(house, number)["fields"]["severity"] for number in range(1, 5)]
    assert found == ["critical"] * 3 + ["low"]


def test_what_the_plugin_finds_is_not_written_by_hand(house):
    assert kith(house, "record", "add", "complaint", "user_id:u-1", "--set", "subject=x")[0] == 0
    case(house, 1)
    for name, value in (("satisfaction", 9), ("responded_in_time", True), ("policy", "0")):
        said = house.call("PATCH", "/v1/records/complaint/1", {"fields": {name: value}})
        assert said.status == 403 and f'"{name}" is written by a plugin' in said.json["detail"]


def test_a_web_form_makes_whoever_is_unknown_known(house):
    answer = form(
        house,
        email="new@example.com",
        name="Zoë",
        subject="Broken & late",
        text="a\r\nb",
        order="7",
    )
    assert answer.status == 201, answer.body
    assert answer.json == {"record": "complaint:1", "id": 1, "state": "received"}
    record = case(house, 1)
    assert record["fields"]["subject"] == "Broken & late" and record["fields"]["channel"] == "web"
    assert record["fields"]["text"] == "a\r\nb"
    who = house.get("/v1/customers/email:new@example.com").json
    assert who["traits"]["name"] == "Zoë" and who["id"] == record["customer"]
    again = form(house, email="u-1@example.com", subject="Mine")
    assert case(house, again.json["id"])["customer"] == 1


def test_a_form_that_is_sent_again_is_one_complaint(house):
    headers = {"Idempotency-Key": "form-1"}
    first = form(house, headers=headers, email="new@example.com", subject="Broken")
    second = form(house, headers=headers, email="new@example.com", subject="Broken")
    assert (first.status, second.status) == (201, 201)
    assert first.json["id"] == second.json["id"] == 1
    assert house.get("/v1/records/complaint/2").status == 404


def test_a_form_makes_somebody_known_by_itself_and_by_nothing_before_it(house):
    headers = {"Idempotency-Key": "form-1"}
    refused = form(house, email="new@example.com", subject="Broken", severity="hgih")
    assert refused.status == 422 and '"high"' in refused.json["detail"]
    assert house.get("/v1/customers/email:new@example.com").status == 404  # nothing is left of it
    sent = {"email": "new@example.com", "name": "Zoë", "subject": "Broken"}
    assert form(house, headers=headers, **sent).status == 201
    seqs = {e["type"]: e["seq"] for e in house.timeline("email:new@example.com")}
    assert seqs["customer.created"] == seqs["complaint.form"] and "identify" not in seqs
    assert house.call("DELETE", "/v1/customers/email:new@example.com").status == 202
    eventually(lambda: not house.get("/v1/erasures").json["items"])
    again = form(house, headers=headers, **sent)  # nobody comes back who has been erased
    assert again.status == 404, again.body
    assert house.get("/v1/customers/email:new@example.com").status == 404
    assert form(house, **sent).status == 201  # she has written again


def test_a_key_that_two_sites_use_is_not_one_complaint(house):
    sites = [
        house.call("PUT", f"/v1/keys/{name}", {"scopes": ["write"]}).json["secret"]
        for name in ("north", "south")
    ]

    def sent(site, email, subject, **fields):
        headers = {"Idempotency-Key": "1", "Authorization": f"Bearer {sites[site]}"}
        return form(house, key=None, headers=headers, email=email, subject=subject, **fields)

    first = [(0, "new@example.com", "Broken"), (1, "other@example.com", "Late")]
    answers = [sent(*one) for one in first]
    assert [(one.status, one.json["id"]) for one in answers] == [(201, 1), (201, 2)]
    assert house.call("DELETE", "/v1/customers/user_id:u-1").status == 202
    eventually(lambda: not house.get("/v1/erasures").json["items"])
    # now the answers are forgotten, as they are after a day, and sites count anew
    assert sent(*first[1]).json["id"] == 2
    assert sent(0, "third@example.com", "Wrong").json["id"] == 3
    assert len(house.get("/v1/customers").json["items"]) == 3


def test_a_key_used_again_after_an_erasure_loses_no_other_complaint(house):
    headers = {"Idempotency-Key": "1"}
    assert form(house, headers=headers, email="new@example.com", subject="Broken").status == 201
    assert house.call("DELETE", "/v1/customers/email:new@example.com").status == 202
    eventually(lambda: not house.get("/v1/erasures").json["items"])
    again = form(house, headers=headers, email="new@example.com", subject="Broken")
    assert again.status == 404 and "erased" in again.json["detail"]
    assert form(house, headers=headers, email="new@example.com", subject="Late").status == 201
    assert case(house, 2)["title"] == "Late"


def test_a_name_is_cut_at_a_character_and_an_address_that_is_too_long_is_refused(house):
    assert (
        form(house, email="new@example.com", name="x" + "\u00eb" * 150, subject="x").status == 201
    )
    traits = house.get("/v1/customers/email:new@example.com").json["traits"]
    assert traits["name"] == "x" + "\u00eb" * 99  # 199 bytes of 200
    answer = form(house, email="a@" + "b" * 400 + ".example", subject="x")
    assert answer.status == 422 and "at most 254 bytes" in answer.json["detail"]
    answer = form(house, customer="user_id:" + "b" * 400, subject="x")
    assert answer.status == 422 and "`customer` has at most" in answer.json["detail"]


def test_a_form_of_an_address_that_several_have_is_of_who_is_known_longest(house):
    for user in ("u-2", "u-3"):
        traits = {"email": "both@example.com"}
        house.send({"type": "identify", "userId": user, "traits": traits})
    answer = form(house, email="Both@example.com", subject="Ours")
    assert answer.status == 201 and case(house, answer.json["id"])["customer"] == 2
    assert house.get("/v1/customers/4").status == 404


def test_a_form_that_is_badly_encoded_is_no_reason_to_lose_a_complaint(house):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    body = "email=u-1@example.com&subject=Only+50%+of+it%21&&text=%zz"
    answer = house.post("/v1/complaints", body, key="write", headers=headers)
    assert answer.status == 201, answer.body
    fields = case(house, 1)["fields"]
    assert (fields["subject"], fields["text"]) == ("Only 50% of it!", "%zz")


def test_what_is_no_form_is_refused_and_says_why(house):
    for fields, status, said in [
        ({"subject": "x"}, 422, "`email` or `customer` is needed"),
        ({"email": "a@example.com"}, 422, "`subject` is needed"),
        ({"customer": "user_id:nobody", "subject": "x"}, 404, "user_id:nobody"),
        ({"email": "u-1@example.com", "subject": "x", "severity": "hgih"}, 422, '"high"'),
        ({"email": "u-1@example.com", "subject": b"\xff"}, 422, "no text in UTF-8"),
        ({"email": "u-1@example.com", "subject": "x\x01"}, 422, "no text in UTF-8"),
        ({"email": "bad", "subject": "x"}, 422, "like ann@example.com"),
        ({"email": "a b@example.com", "subject": "x"}, 422, "like ann@example.com"),
        ({"email": "a@b@example.com", "subject": "x"}, 422, "like ann@example.com"),
        ({"email": "a@example", "subject": "x"}, 422, "like ann@example.com"),
        ({"email": "a@-x.example", "subject": "x"}, 422, "like ann@example.com"),
        ({"email": "a" * 65 + "@example.com", "subject": "x"}, 422, "like ann@example.com"),
    ]:
        answer = form(house, **fields)
        assert answer.status == status, (fields, answer.body)
        assert said in answer.json["detail"], answer.body
    assert form(house, key=None, email="a@example.com", subject="x").status == 401
    for headers, body in [
        ({"Content-Type": "application/json"}, {"email": "a@example.com", "subject": "x"}),
        ({"Content-Type": "application/x-www-form-urlencoded"}, '{"email": "a@example.com"}'),
        ({"Content-Type": "multipart/form-data; boundary=b"}, "--b--"),
    ]:
        answer = house.post("/v1/complaints", body, key="write", headers=headers)
        assert answer.status == 415 and "x-www-form-urlencoded" in answer.json["detail"]
    assert house.get("/v1/records/complaint").json["items"] == []
    assert len(house.get("/v1/customers").json["items"]) == 1  # nobody was made up


@pytest.mark.parametrize("letter_of", ["y", "ö", "書", "🚲"], ids=["1", "2", "3", "4"])
def test_of_a_long_text_as_much_is_kept_whichever_way_it_came(house, letter_of):
    text = letter_of * 9000
    answer = form(house, email=" U-1@example.com ", subject="Long", text=text)
    assert answer.status == 201, answer.body
    mail(house, to="complaints@example.com", subject="Long, too", text=text)
    kept = letter_of * min(8000, 24000 // len(letter_of.encode()))
    assert [case(house, number)["fields"]["text"] == kept for number in (1, 2)] == [True] * 2
    assert [case(house, number)["customer"] for number in (1, 2)] == [1, 1]


# -- Mail ------------------------------------------------------------------------------------------


def test_mail_to_the_address_or_with_a_word_is_a_complaint_and_no_other(house):
    mail(house, to="hello@example.com", subject="An order", text="Two, please")
    assert house.get("/v1/records/complaint").json["items"] == []
    mail(house, to="Complaints@Example.com", subject="Late", text="Where?", Message_ID="<1@x>")
    fields = case(house, 1)["fields"]
    assert (fields["subject"], fields["text"], fields["channel"]) == ("Late", "Where?", "email")
    assert fields["thread"] == "<1@x>" and fields["severity"] == "normal"
    mail(house, to="hello@example.com", subject="Hm", text="I am NOT CONTENT with the lawyer")
    assert case(house, 2)["fields"]["severity"] == "critical"
    for _ in range(2):  # a server that did not hear us brings it again
        mail(house, to="complaints@example.com", subject="Once", Message_ID="<2@x>")
    assert len(house.get("/v1/records/complaint").json["items"]) == 3


def test_a_mail_to_several_addresses_is_a_complaint_by_any_of_them(house):
    def bring_to(recipients, **headers):
        message = letter("u-1@example.com", "Where?")
        for name, value in headers.items():
            del message[name]
            message[name] = value
        with smtplib.LMTP("127.0.0.1", lmtp_port(house)) as client:
            assert client.sendmail("u-1@example.com", recipients, message.as_bytes()) == {}
            for _ in recipients[1:]:  # each has an answer of its own
                assert client.getreply()[0] == 250

    def count():
        return len(house.get("/v1/records/complaint").json["items"])

    ours = ["hello@example.com", "complaints@example.com"]
    bring_to(ours, To="hello@example.com", Subject="both at once, one of them hidden")
    assert count() == 1
    headers = {"To": "hello@example.com", "Subject": "copies", "Message-ID": "<copies@x>"}
    for recipient in ours:
        bring_to(
            [recipient], Date="x", Cc="Boss <b@example.net>, Complaints@example.com", **headers
        )
    assert count() == 2
    headers["Message-ID"] = "<blind@x>"
    for recipient in ours:
        bring_to([recipient], Date="x", **headers)
    assert count() == 3
    found = [e for e in house.timeline("user_id:u-1") if e["type"] == "email.received"]
    assert [len(e["data"]["recipients"]) for e in found] == [2, 1, 3, 2]


def test_an_address_that_several_have_loses_no_complaint(house):
    for user in ("d-1", "d-2"):
        traits = {"name": user, "email": "dup@example.org"}
        house.send({"type": "identify", "userId": user, "traits": traits})
    mail(house, to="complaints@example.com", subject="Late", sender="dup@example.org")
    answer = form(house, email="Dup@Example.org", subject="Broken")
    assert answer.status == 201, answer.body
    assert [case(house, number)["customer"] for number in (1, 2)] == [2, 2]
    assert house.get("/v1/customers/4").status == 404  # nobody was made up


def test_an_answer_belongs_to_its_complaint(house):
    mail(house, to="complaints@example.com", subject="Late", Message_ID="<1@x>")
    moved(house, 1, "ask")
    mail(house, to="complaints@example.com", subject="Re: more", In_Reply_To="<1@x>")
    assert case(house, 1)["state"] == "assessed"
    mail(house, to="complaints@example.com", subject="Re: [complaint:1] Late")
    assert case(house, 1)["fields"]["last_heard"]
    assert house.get("/v1/records/complaint/2").status == 404
    identify(house, "u-2", "Ben")  # a number is known to many, and helps nobody else
    mail(
        house, to="complaints@example.com", subject="[complaint:1] mine", sender="u-2@example.com"
    )  # fmt: skip
    assert case(house, 2)["customer"] == 2


@pytest.mark.parametrize(
    "first, answer",
    [
        (f"<{'a' * 220}@x>", {"In_Reply_To": f"<{'a' * 220}@x>"}),
        ("<1@x>", {"References": "<0@x> <1@x>"}),
        ("<1@x>", {"In_Reply_To": "Your mail of today", "References": "<0@x>\r\n <1@x>"}),
        ("<1@x>", {"In_Reply_To": "<1@x> (Ann's message of today)"}),
        ("<1@x>", {"In_Reply_To": "Ann's message <1@x> <2@x>", "References": "<2@x>"}),
        ("<1@x> (of today)", {"In_Reply_To": "<1@x>"}),
        ("no brackets <a b>", {"In_Reply_To": "no brackets <a b>"}),
    ],
)
def test_an_answer_to_her_own_mail_is_no_other_complaint(house, first, answer):
    def write(**headers):  # as it is: Python would fold it
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        data = "\r\n".join(["From: u-1@example.com", *lines, "", "Hello", ""]).encode()
        sent = bring(lmtp_port(house), "u-1@example.com", "complaints@example.com", data)
        assert sent == 250

    write(Subject="Late", Message_ID=first)
    moved(house, 1, "ask")
    write(Subject="AW: Late", Message_ID="<3@x>", **answer)
    assert case(house, 1)["state"] == "assessed"
    assert house.get("/v1/records/complaint/2").status == 404


def test_her_answer_to_our_response_opens_it_again(house):
    mail(house, to="complaints@example.com", subject="Late", Message_ID="<1@x>")
    moved(house, 1, "respond")
    mail(house, to="hello@example.com", subject="Re: [complaint:1] Late", text="No, it is not so")
    record = case(house, 1)
    assert record["state"] == "reopened" and record["fields"]["last_heard"]
    assert record["fields"]["times_reopened"] == 1
    assert record["deadlines"]["respond"]["status"] == "running"


def test_an_answer_opens_what_was_closed_lately_again(house):
    mail(house, to="complaints@example.com", subject="Late")
    moved(house, 1, "respond")
    moved(house, 1, "close", root_cause="delivery", resolution="accepted")
    mail(house, to="hello@example.com", subject="Re: [complaint:1] Late", text="Still nothing")
    record = case(house, 1)
    assert record["state"] == "reopened" and record["fields"]["times_reopened"] == 1


# -- Too much of it --------------------------------------------------------------------------------


def told(daemon):
    """The titles of the reminders that something came and is no complaint."""
    titles = [item["title"] for item in daemon.get("/v1/reminders?limit=1000").json["items"]]
    return [title for title in titles if "read the timeline" in title]


def acknowledgements(daemon, user="u-1"):
    number = daemon.get(f"/v1/customers/user_id:{user}").json["id"]
    return [e for e in daemon.get("/v1/effects").json["items"] if e["customer"] == number]


@pytest.mark.long(10)
def test_a_flood_in_her_name_is_no_flood_to_her_and_hides_nothing(house):
    for number in range(51):
        mail(house, to="complaints@example.com", subject=f"forged {number}", text=f"x {number}")
    assert len(house.get("/v1/records/complaint?limit=1000").json["items"]) == 50
    mail(house, to="complaints@example.com", subject="genuine", text="my own")
    track(house, "Complaint Submitted", subject="and by an event")
    track(house, "Shop Complained", title="and by a rule")
    assert len(house.get("/v1/records/complaint?limit=1000").json["items"]) == 50
    assert told(house) == ["50 complaints are open, and more comes in: read the timeline"]
    assert len(acknowledgements(house)) == 5
    found = [event for event in house.timeline("user_id:u-1") if event["type"] == "email.received"]
    assert found[0]["data"]["text"].strip() == "my own"
    assert not [e for e in house.timeline("user_id:u-1") if e["type"] == "plugin.failed"]
    assert form(house, email="u-1@example.com", subject="by form").status == 201
    track(house, "Complaint Submitted", user="u-2", subject="somebody else's")
    assert len(acknowledgements(house, "u-2")) == 1


def test_what_the_engine_would_not_take_in_is_told_to_somebody(start, tmp_path, folder):
    daemon = house_of(
        start,
        tmp_path,
        folder,
        policy='channel = "log", addresses = { "complaints@example.com" }',
        extra="limits { records = 2 }",
    )
    for number in range(4):
        mail(daemon, to="complaints@example.com", subject=f"No {number}", text=f"x {number}")
    assert len(daemon.get("/v1/records/complaint").json["items"]) == 2
    assert told(daemon) == ["A complaint could not be taken in: read the timeline"]


def test_only_the_plugin_says_when_it_is_time_to_ask(house):
    track(house, "Complaint Submitted", subject="Broken")
    moved(house, 1, "respond")
    moved(house, 1, "close", root_cause="delivery", resolution="accepted")
    effects = len(house.get("/v1/effects").json["items"])
    for event in ("Complaint Survey Due", "Complaint Recovery Due"):
        track(house, event, record="complaint:1", by="complaint.closed", source="")
    assert len(house.get("/v1/effects").json["items"]) == effects
    assert house.get("/v1/reminders").json["items"] == []


def test_a_survey_is_answered_by_whose_complaint_is_closed(house):
    identify(house, "u-2", "Ben")
    for user in ("u-1", "u-2"):
        track(house, "Complaint Submitted", user=user, subject=f"Broken, {user}")

    def answered(number, satisfaction, **options):
        record = f"complaint:{number}"
        event = "Complaint Survey Answered"
        track(house, event, record=record, satisfaction=satisfaction, **options)
        return case(house, number)["fields"].get("satisfaction")

    assert answered(1, 5) is None  # it is open
    for number in (1, 2):
        moved(house, number, "respond")
        moved(house, number, "close", root_cause="delivery", resolution="accepted")
    assert answered(1, 5, user="u-2") is None  # it is somebody else's
    assert answered(1, 2) == 2
    moved(house, 1, "reopen")
    assert answered(1, 5) == 2  # it is open again
    for user in ("u-1", "u-2"):
        types = [event["type"] for event in house.timeline(f"user_id:{user}")]
        assert "plugin.failed" not in types


# -- Duplicates, answers, reopening ----------------------------------------------------------------


def test_a_second_complaint_about_the_same_is_linked(house):
    track(house, "Complaint Submitted", subject="Broken", order="o-1", product="tea")
    track(house, "Complaint Submitted", subject="Also late", order="o-2", product="tea")
    track(house, "Complaint Submitted", subject="Still broken", order="O-1")
    track(house, "Complaint Submitted", user="u-2", subject="Broken", order="o-1")
    assert "duplicate_of" not in case(house, 2)["fields"]
    record = case(house, 3)
    assert record["fields"]["duplicate_of"] == 1
    (link,) = record["links"]
    assert link["type"] == "duplicate" and link["to"] == "complaint:1"
    assert "duplicate_of" not in case(house, 4)["fields"]  # somebody else's
    moved(house, 3, "merge")
    assert case(house, 3)["state"] == "closed"
    assert house.get("/v1/customers/1").json["traits"]["complaint.open_count"] == 2


def test_a_complaint_is_merged_into_another_one_of_hers_alone(house):
    def merge(number, into):
        fields = {"fields": {"duplicate_of": into}}
        answer = house.post(f"/v1/records/complaint/{number}/merge", fields)
        return answer.status, answer.json.get("detail", "")

    for user, order in (("u-1", "o-1"), ("u-1", "o-2"), ("u-2", "o-3")):
        track(house, "Complaint Submitted", user=user, subject=f"About {order}", order=order)
    assert merge(1, into=1) == (422, '"duplicate_of": complaint 1 is this one itself')
    assert merge(1, into=3) == (422, '"duplicate_of": complaint 3 is not about the same customer')
    assert merge(1, into=2) == (200, "")
    assert merge(2, into=1) == (422, '"duplicate_of": complaint 1 leads back to this one')
    assert [case(house, n)["state"] == "closed" for n in (1, 2, 3)] == [True, False, False]


def test_nothing_costs_less_than_nothing(house):
    track(house, "Complaint Submitted", subject="Broken")
    for name in ("cost", "compensation"):
        fields = {name: {"amount": "-5", "currency": "EUR"}}
        said = house.call("PATCH", "/v1/records/complaint/1", {"fields": fields})
        assert said.status == 422 and f'"{name}" is zero or more' in said.json["detail"]
    assert report(house)["cost"] == []


def test_the_same_words_are_linked_unless_they_are_about_different_things(house):
    for subject, text, order in [
        ("Where is my parcel?", "It is late", None),
        ("WHERE is my parcel?", "Still not here", None),
        ("Parcel", "It is late", None),
        ("Something else", "Broken", "o-1"),
        ("Something else", "Broken", "o-2"),
    ]:
        said = {"subject": subject, "text": text} | ({"order": order} if order else {})
        track(house, "Complaint Submitted", **said)
    found = [case(house, number)["fields"].get("duplicate_of") for number in range(1, 6)]
    assert found == [None, 1, 1, None, None]


def test_what_is_reopened_has_its_time_again_and_is_counted(house):
    track(house, "Complaint Submitted", subject="Broken")
    moved(house, 1, "respond")
    moved(house, 1, "close", root_cause="product", resolution="rejected")
    record = moved(house, 1, "reopen")
    assert record["state"] == "reopened"
    record = case(house, 1)
    assert record["fields"]["times_reopened"] == 1 and "closed_at" not in record["fields"]
    assert record["deadlines"]["respond"]["status"] == "running"
    assert house.get("/v1/customers/1").json["traits"]["complaint.open_count"] == 1


def test_what_is_known_of_two_follows_when_they_become_one_and_two_again(house):
    identify(house, "u-2", "Ben")
    for user, count in (("u-1", 1), ("u-2", 2)):
        for number in range(count):
            mail(
                house,
                to="complaints@example.com",
                subject=f"No {number}",
                sender=f"{user}@example.com",
            )
    moved(house, 3, "withdraw")

    def traits(user):
        found = house.get(f"/v1/customers/user_id:{user}").json["traits"]
        names = ("complaint.total", "complaint.open_count", "email.received")
        return [found.get(name) for name in names], found

    assert traits("u-1")[0] == [1, 1, 1] and traits("u-2")[0] == [2, 1, 2]
    last = traits("u-2")[1]["complaint.last"]
    answer = house.post("/v1/customers/1/merge?wait=applied", {"absorbed": "user_id:u-2"})
    assert answer.status == 200, answer.body
    assert traits("u-1")[0] == [3, 2, 3]
    assert traits("u-1")[1]["complaint.last"] == last
    mail(house, to="complaints@example.com", subject="Together", sender="u-1@example.com")
    assert traits("u-1")[0] == [4, 3, 4]
    answer = house.post("/v1/customers/2/unmerge?wait=applied", {})
    assert answer.status == 200, answer.body
    eventually(lambda: traits("u-2")[0] == [2, 1, 2])
    assert traits("u-1")[0] == [2, 2, 2]
    for user in ("u-1", "u-2"):
        types = [event["type"] for event in house.timeline(f"user_id:{user}")]
        assert "plugin.failed" not in types


# -- The report ------------------------------------------------------------------------------------


def report(daemon, query=""):
    answer = daemon.get("/v1/complaints/report" + query)
    assert answer.status == 200, answer.body
    return answer.json


def test_the_report_counts_what_iso_10002_asks_for(house):
    for number in range(1, 6):
        severity = "high" if number == 1 else "low"
        track(house, "Complaint Submitted", subject=f"No {number}", severity=severity, order=number)
    moved(house, 1, "respond")
    cost = {"amount": "10.25", "currency": "EUR"}
    moved(house, 1, "close", root_cause="product", resolution="accepted", cost=cost)
    moved(house, 2, "respond")
    cost = {"amount": 4.5, "currency": "EUR"}
    moved(house, 2, "close", root_cause="product", resolution="rejected", cost=cost)
    track(house, "Complaint Survey Answered", record="complaint:1", satisfaction=4)
    track(house, "Complaint Survey Answered", record="complaint:2", satisfaction=1)
    moved(house, 2, "reopen")
    track(house, "Complaint Survey Answered", record="complaint:3", satisfaction=9)
    for number in range(1, 6):
        acknowledged(house, number)
    found = report(house)
    assert (found["received"], found["open"], found["closed"]) == (5, 4, 1)
    assert found["acknowledged"] == {"in_time": 5, "late": 0, "pending": 0}
    assert found["responded"] == {"in_time": 2, "late": 0, "pending": 3}
    assert found["reopened"] == 1 and found["overdue"] == 0 and found["received_before"] == 0
    assert found["satisfaction"] == {"answers": 2, "average": 2.5}
    assert {(i["name"], i["count"]) for i in found["by_severity"]} == {("high", 1), ("low", 4)}
    causes = {i["name"]: (i["count"], i["trend"]) for i in found["by_root_cause"]}
    assert causes == {"product": (2, 2), "(none)": (3, 3)}
    assert found["cost"] == [{"currency": "EUR", "amount": "14.75", "count": 2}]
    tomorrow = datetime.date.today() + datetime.timedelta(days=2)
    later = report(house, f"?from={tomorrow}&to={tomorrow + datetime.timedelta(days=9)}")
    assert later["received"] == 0 and later["received_before"] == 5
    assert {(i["name"], i["trend"]) for i in later["by_severity"]} == {("high", -1), ("low", -4)}


def test_a_report_of_many_pages_counts_each_once(house):
    house.send(
        *(
            {
                "type": "track",
                "event": "Complaint Submitted",
                "userId": f"m-{number}",
                "properties": {"subject": "x"},
            }
            for number in range(450)
        )
    )
    assert report(house)["received"] == 450


def test_a_report_of_no_time_is_refused(house):
    for query in ("?from=2026-10-02&to=2026-10-01", "?from=yesterday", "?to=2026-02-30"):
        answer = house.get("/v1/complaints/report" + query)
        assert answer.status == 422 and "2026-10-01" in answer.json["detail"]
    assert house.get("/v1/complaints/report", key="write").status == 403


def test_a_calendar_of_the_configuration_is_declared_by_the_bundle(start, tmp_path, folder):
    config = configuration(tmp_path, folder, policy='calendar = "moon",')
    daemon = start("--config", config)
    refused = daemon.post("/v1/bundles", {"files": {"rules.lua": RULES}})
    assert refused.status >= 400 and 'by the calendar "moon"' in refused.json["detail"]
    moon = 'calendar "moon" { zone = "UTC", hours = "20:00-22:00" }\n'
    assert daemon.post("/v1/bundles", {"files": {"rules.lua": moon + RULES}}).status == 201
    identify(daemon, "u-1", "Ann")
    assert kith(daemon, "record", "add", "complaint", "user_id:u-1", "--set", "subject=x")[0] == 0
    assert 'by the calendar "moon"' in kith(daemon, "record", "show", "complaint:1")[1]
    daemon.stop()
    (tmp_path / "verp.key").unlink()
    configuration(tmp_path, folder, policy='calendar = "sun",')
    daemon = start("--config", config)
    daemon.wait_line("no calendar is called sun")
    assert kith(daemon, "record", "add", "complaint", "user_id:u-1", "--set", "subject=y")[0] == 0
    assert "by the company's calendar" in kith(daemon, "record", "show", "complaint:2")[1]
