"""Signed links: what a GET shows, what a POST does, and what no bearer can make of them."""
import base64
import hashlib
import json
import re
import time

import pytest

from receiver import receivers

BROWSER = {"Accept": "text/html,application/xhtml+xml"}
ONE_CLICK = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def ann(daemon):
    daemon.send(
        {
            "type": "identify",
            "userId": "ann",
            "traits": {"name": "Ann Secret", "email": "ann@secret.example"},
        }
    )
    return "user_id:ann"


def link(daemon, **body):
    answer = daemon.post("/v1/links", body)
    assert answer.status == 201, answer.body
    return answer.json["url"]


def unsubscribe(daemon, who, **more):
    return link(daemon, customer=who, purpose="newsletter", channel="email", **more)


def follow(daemon, path, method="POST", body=b"", headers=None):
    return daemon.call(
        method, path, body or None, key=None, headers=dict(BROWSER, **(headers or {}))
    )


def consent(daemon, who="user_id:ann"):
    items = daemon.get(f"/v1/customers/{who}/consents").json["items"]
    return {(item["purpose"], item["channel"]): item["state"] for item in items}.get(
        ("newsletter", "email")
    )


def count(daemon, type, who="user_id:ann"):
    return [item["type"] for item in daemon.timeline(who)].count(type)


def grant(daemon, who="user_id:ann"):
    body = {"purpose": "newsletter", "channel": "email", "state": "granted"}
    assert daemon.call("PUT", f"/v1/customers/{who}/consents", body).status == 200


def entries(daemon):
    return daemon.metric("kith_log_entries")


# ---- Unsubscribing -------------------------------------------------------------------------------


def test_a_get_changes_nothing_and_a_post_withdraws_at_once(daemon, ann):
    grant(daemon)
    url = unsubscribe(daemon, ann)
    assert url.startswith("/v1/u/")
    before = entries(daemon)
    for method in ("GET", "HEAD", "OPTIONS", "GET"):
        assert follow(daemon, url, method).status in (200, 204)
    assert (entries(daemon), consent(daemon)) == (before, "granted")
    done = daemon.call(
        "POST", url, "List-Unsubscribe=One-Click", key=None, headers=ONE_CLICK
    )  # as a provider of mailboxes does it
    assert (done.status, consent(daemon)) == (200, "withdrawn")


def test_a_form_of_several_parts_unsubscribes_as_well(daemon, ann):
    body = (
        '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--'
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert follow(daemon, unsubscribe(daemon, ann), body=body, headers=headers).status == 200
    assert consent(daemon) == "withdrawn"


def test_unsubscribing_twice_is_written_once(daemon, ann):
    url = unsubscribe(daemon, ann)
    assert follow(daemon, url).status == 200
    before = entries(daemon)
    for _ in range(5):
        assert follow(daemon, url).status == 200
    assert entries(daemon) == before
    assert count(daemon, "consent.changed") == 1


def test_an_old_link_unsubscribes_again_after_she_has_subscribed_again(daemon, ann):
    url = unsubscribe(daemon, ann)
    follow(daemon, url)
    grant(daemon)
    assert follow(daemon, url).status == 200
    assert consent(daemon) == "withdrawn"


def test_the_consent_says_by_which_link_it_was_withdrawn(daemon, ann):
    follow(daemon, unsubscribe(daemon, ann))
    item = daemon.get("/v1/customers/user_id:ann/consents").json["items"][0]
    assert item["source"] == "link" and re.fullmatch(r"link [0-9a-f]{24}", item["proof"])


# ---- Events and consents -------------------------------------------------------------------------


def test_an_event_is_appended_once_however_often_it_is_posted(daemon, ann):
    url = link(daemon, customer=ann, event="Survey Answered", data={"score": 9})
    assert url.startswith("/v1/l/")
    before = entries(daemon)
    assert follow(daemon, url, "GET").status == 200
    assert entries(daemon) == before
    for _ in range(3):
        assert follow(daemon, url, body="score=1", headers=ONE_CLICK).status == 200
    assert entries(daemon) == before + 1
    items = [item for item in daemon.timeline(ann) if item["type"] == "Survey Answered"]
    assert [item["data"] for item in items] == [{"score": 9}]
    assert (items[0]["source"], items[0]["by"]) == ("link", "link")


def test_two_links_that_say_the_same_count_twice(daemon, ann):
    for _ in range(2):
        follow(daemon, link(daemon, customer=ann, event="Survey Answered"))
    assert count(daemon, "Survey Answered") == 2


def test_a_consent_is_granted_once_and_not_again_after_its_withdrawal(daemon, ann):
    url = unsubscribe(daemon, ann, state="granted")
    assert url.startswith("/v1/l/")
    assert follow(daemon, url).status == 200
    assert consent(daemon) == "granted"
    follow(daemon, unsubscribe(daemon, ann))
    assert follow(daemon, url).status == 200
    assert consent(daemon) == "withdrawn"


def test_a_link_works_after_a_restart_and_still_counts_once(start):
    first = start()
    first.send({"type": "identify", "userId": "ann"})
    url = link(first, customer="user_id:ann", event="Survey Answered")
    follow(first, url)
    first.kill()
    second = start()
    assert follow(second, url).status == 200
    assert count(second, "Survey Answered") == 1


def test_a_link_follows_her_through_a_merge(daemon, ann):
    daemon.send({"type": "identify", "userId": "bea"})
    url = unsubscribe(daemon, ann)
    daemon.post("/v1/customers/user_id:bea/merge", {"absorbed": "user_id:ann"})
    assert follow(daemon, url).status == 200
    assert consent(daemon, "user_id:bea") == "withdrawn"


# ---- The page ------------------------------------------------------------------------------------


def test_a_page_needs_nothing_from_anywhere_and_no_script(daemon, ann):
    for url in (unsubscribe(daemon, ann), link(daemon, customer=ann, event="Hello")):
        answer = follow(daemon, url, "GET")
        page = answer.body.decode()
        policy = answer.headers["Content-Security-Policy"]
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in policy and "form-action 'self'" in policy
        assert "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert not re.search(r"<script|<img|<link|https?:|src=|javascript", page)
        assert page.count('<form method="post">') == 1 and "<button>" in page


def test_the_style_of_a_page_is_the_one_that_its_policy_allows(daemon, ann):
    answer = follow(daemon, unsubscribe(daemon, ann), "GET")
    style = re.search(rb"<style>(.*?)</style>", answer.body, re.S).group(1)
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    assert f"'sha256-{digest}'" in answer.headers["Content-Security-Policy"]


def test_what_a_link_is_called_is_shown_as_text(daemon, ann):
    url = link(daemon, customer=ann, event="Hello", title="<b>1 & 1</b> \"x\" 你好")
    page = follow(daemon, url, "GET").body.decode()
    assert "&lt;b&gt;1 &amp; 1&lt;/b&gt; &quot;x&quot; 你好" in page and "<b>" not in page


def test_the_page_of_an_unsubscription_sends_what_the_standard_says(daemon, ann):
    page = follow(daemon, unsubscribe(daemon, ann), "GET").body.decode()
    assert '<input type="hidden" name="List-Unsubscribe" value="One-Click">' in page


# ---- What no bearer can do -----------------------------------------------------------------------


def test_neither_token_nor_page_tells_who_it_is(daemon, ann):
    url = link(daemon, customer=ann, event="Hello", data={"note": "Ann Secret"})
    token = url.rsplit("/", 1)[1]
    plain = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    pages = [follow(daemon, url, method) for method in ("GET", "POST", "POST")]
    for text in [plain, *(page.body for page in pages)]:
        assert b"Secret" not in text and b"secret" not in text and b"ann" not in text


def test_a_token_is_no_key(daemon, ann):
    token = unsubscribe(daemon, ann).rsplit("/", 1)[1]
    headers = {"Authorization": "Bearer " + token}
    assert daemon.get("/v1/customers/1", key=None, headers=headers).status == 401


def test_a_token_of_one_kind_is_none_of_the_other(daemon, ann):
    grant(daemon)
    for url in (unsubscribe(daemon, ann), link(daemon, customer=ann, event="Hello")):
        other = url.replace("/v1/u/", "/v1/x/").replace("/v1/l/", "/v1/u/")
        other = other.replace("/v1/x/", "/v1/l/")
        for method in ("GET", "POST"):
            assert follow(daemon, other, method).status == 404
    assert (consent(daemon), count(daemon, "Hello")) == ("granted", 0)


def test_forged_and_truncated_tokens_are_refused_and_nothing_is_written(daemon, ann):
    url = unsubscribe(daemon, ann)
    before = entries(daemon)
    for bad in (
        url[:-1],
        url[:-20],
        url + "A",
        url[:40] + "AAAA" + url[44:],
        "/v1/u/x",
        "/v1/u/%00",
    ):
        for method in ("GET", "POST"):
            answer = follow(daemon, bad, method)
            assert answer.status in (400, 404), bad
    assert entries(daemon) == before


def test_who_is_no_browser_gets_a_problem_document(daemon):
    answer = daemon.call("POST", "/v1/u/nonsense", key=None)
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_link_of_another_house_is_refused(start):
    first, second = start(name="first"), start(name="second")
    for daemon in (first, second):
        daemon.send({"type": "identify", "userId": "ann"})
    assert follow(second, unsubscribe(first, "user_id:ann")).status == 404


# ---- Time ----------------------------------------------------------------------------------------


def test_a_link_that_has_expired_is_gone(daemon, ann):
    url = link(daemon, customer=ann, event="Hello", expires="1s")
    while follow(daemon, url, "GET").status == 200:
        pass
    for method in ("GET", "POST"):
        answer = follow(daemon, url, method)
        assert answer.status == 410 and b"expired" in answer.body
    assert count(daemon, "Hello") == 0


def test_a_link_of_the_past_is_not_made(daemon, ann):
    body = {"customer": ann, "event": "Hello", "expires": "2020-01-01"}
    assert daemon.post("/v1/links", body).status == 422


def test_links_say_when_they_expire(daemon, ann):
    body = {"customer": ann, "event": "x", "expires": "2099-05-01T10:00:00Z"}
    assert daemon.post("/v1/links", body).json["expires"] == "2099-05-01T10:00:00.000Z"


# ---- Making --------------------------------------------------------------------------------------


def test_links_begin_with_the_public_address(start, tmp_path):
    (tmp_path / "kith.lua").write_text('url "https://crm.example.com"\n')
    daemon = start("--config", tmp_path / "kith.lua")
    daemon.send({"type": "identify", "userId": "ann"})
    assert unsubscribe(daemon, "user_id:ann").startswith("https://crm.example.com/v1/u/")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"event": "x", "purpose": "p", "channel": "c"},
        {"purpose": "p"},
        {"channel": "c"},
        {"purpose": "p", "channel": "c", "state": "maybe"},
        {"purpose": "p", "channel": "c", "data": {"a": 1}},
        {"event": "consent.changed"},
        {"event": "tick"},
        {"event": "x", "data": {"a": "y" * 2000}},
        {"event": "x", "expires": "soon"},
        {"event": "x", "other": 1},
    ],
)
def test_what_makes_no_link_is_refused(daemon, ann, body):
    assert daemon.post("/v1/links", dict(body, customer=ann)).status == 422


def test_a_link_needs_a_customer_that_is_known_and_a_key_of_staff(daemon, ann):
    body = {"customer": "user_id:nobody", "event": "x"}
    assert daemon.post("/v1/links", body).status == 404
    assert daemon.post("/v1/links", {"customer": ann, "event": "x"}, key="write").status == 403


# ---- The secret ----------------------------------------------------------------------------------


def test_the_secret_is_rotated_by_a_line_in_front(start, tmp_path):
    daemon = start()
    daemon.send({"type": "identify", "userId": "ann"})
    path = tmp_path / "data" / "links.key"
    assert path.stat().st_mode & 0o777 == 0o600
    old = unsubscribe(daemon, "user_id:ann")
    secret = path.read_text()
    path.write_text("f" * 64 + "\n" + secret)
    daemon.process.send_signal(1)
    daemon.wait_line("the configuration has been read")
    new = unsubscribe(daemon, "user_id:ann")
    assert follow(daemon, old, "GET").status == 200
    assert follow(daemon, new, "GET").status == 200
    assert daemon.stop() == 0
    path.write_text("f" * 64 + "\n")
    second = start()
    assert follow(second, old, "GET").status == 404
    assert follow(second, new, "GET").status == 200


def test_a_file_that_holds_no_secret_is_named(start, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "links.key").write_text("nonsense\n")
    daemon = start(is_ready=False)
    assert daemon.wait() == 1
    assert any("links.key" in line and "64 hexadecimal" in line for line in daemon.lines)
    assert not any("nonsense" in line for line in daemon.lines)


# ---- In messages ---------------------------------------------------------------------------------

RULE = """rule "ask" { on = "Order", run = function(event)
  send { channel = "log", purpose = "service", body = "How was it?", links = {
    yes = { event = "Survey Answered", data = { n = event.n }, title = "Fine", expires = "2d" },
    unsubscribe = { purpose = "newsletter", channel = "email" },
    join = { purpose = "newsletter", channel = "email", state = "granted" },
  } } end }
"""


@pytest.fixture
def house(start, tmp_path):
    """A daemon with this rule; its messages as they went out."""
    (tmp_path / "scripts").mkdir()

    def begin(rule=RULE, settings='url "https://crm.example.com"\n'):
        (tmp_path / "scripts" / "rules.lua").write_text(rule)
        (tmp_path / "kith.lua").write_text(
            settings + 'scripts "scripts"\nchannel "log" { file = "messages" }\n'
        )
        return start("--config", tmp_path / "kith.lua")

    return begin


def messages(tmp_path, count):
    deadline = time.monotonic() + 60
    while True:
        lines = (tmp_path / "messages").read_text().splitlines()
        if len(lines) >= count:
            return [json.loads(line) for line in lines]
        assert time.monotonic() < deadline, lines
        time.sleep(0.02)


def order(daemon, n=1):
    event = {"type": "track", "event": "Order", "userId": "ann", "messageId": f"o{n}"}
    daemon.send(dict(event, properties={"n": n}))


def path_of(url):
    assert url.startswith("https://crm.example.com/v1/"), url
    return url[len("https://crm.example.com") :]


def test_a_rule_sends_links_that_do_what_it_declared(house, tmp_path):
    daemon = house()
    order(daemon)
    links = messages(tmp_path, 1)[0]["links"]
    assert sorted(links) == ["join", "unsubscribe", "yes"]
    assert b"Fine" in follow(daemon, path_of(links["yes"]), "GET").body
    assert follow(daemon, path_of(links["join"])).status == 200
    assert consent(daemon) == "granted"
    for _ in range(2):
        assert follow(daemon, path_of(links["yes"])).status == 200
        assert follow(daemon, path_of(links["unsubscribe"])).status == 200
    assert consent(daemon) == "withdrawn"
    items = [item for item in daemon.timeline("user_id:ann") if item["type"] == "Survey Answered"]
    assert [item["data"] for item in items] == [{"n": 1}]
    proofs = daemon.get("/v1/customers/user_id:ann/consents").json["items"][0]["proof"]
    effect = daemon.get("/v1/effects").json["items"][0]
    assert proofs == f"link {effect['id']}/unsubscribe"


def test_two_messages_have_links_of_their_own(house, tmp_path):
    daemon = house()
    order(daemon, 1)
    order(daemon, 2)
    first, second = (message["links"]["yes"] for message in messages(tmp_path, 2))
    for url in (first, second, first):
        follow(daemon, path_of(url))
    assert count(daemon, "Survey Answered") == 2


def test_the_secret_and_the_addresses_are_in_no_state(house, tmp_path):
    daemon = house()
    order(daemon)
    url = messages(tmp_path, 1)[0]["links"]["yes"]
    secret = (tmp_path / "data" / "links.key").read_bytes().strip()
    effect = daemon.get("/v1/effects").json["items"][0]
    assert url not in json.dumps(daemon.get(f"/v1/effects/{effect['id']}").json)
    assert daemon.stop() == 0
    for name in ("log", "state"):
        data = (tmp_path / "data" / name / "data.mdb").read_bytes()
        assert secret not in data and url.rsplit("/", 1)[1].encode() not in data


def test_without_a_public_address_the_message_waits_and_says_why(house, tmp_path):
    daemon = house(settings="limits { effect_retry_ms = 20 }\n")
    order(daemon)
    deadline = time.monotonic() + 60
    while "url" not in daemon.get("/v1/effects").json["items"][0].get("reason", ""):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert (tmp_path / "messages").read_text() == ""


@pytest.mark.parametrize(
    "links, why",
    [
        ('{ a = { event = "tick" } }', "the system's own"),
        ('{ a = { purpose = "p" } }', 'both "purpose" and "channel"'),
        ('{ a = { event = "x", when_ = "3d" } }', 'knows no "when_"'),
        ('{ a = { event = 5 } }', "event is text"),
        ('{ a = { event = "x", data = "y" } }', "data is a table"),
        ('{ a = { event = "x", expires = "soon" } }', "soon"),
        ('{ a = { event = "x", data = { n = ("y"):rep(2000) } } }', "at most 1 KiB"),
        ('{ a = "x" }', "links = { NAME"),
    ],
)
def test_a_link_that_makes_no_sense_is_a_failure_of_the_rule(house, links, why):
    rule = """rule "ask" { on = "Order", run = function(event)
      send { channel = "log", purpose = "service", body = "x", links = %s } end }"""
    daemon = house(rule % links)
    order(daemon)
    failures = [item for item in daemon.timeline("user_id:ann") if item["type"] == "rule.failed"]
    assert [why in item["data"]["message"] for item in failures] == [True], failures


def test_a_link_cannot_say_what_kinds_and_plugins_tell(start, tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rules.lua").write_text('kind "warranty" { states = { "open" } }')
    (tmp_path / "kith.lua").write_text(receivers())
    daemon = start("--scripts", tmp_path / "rules", "--config", tmp_path / "kith.lua")
    daemon.send({"type": "identify", "userId": "ann"})
    for event, why in (
        ("warranty.settled", "is what Kith tells of a kind of records"),
        ("webhook.x", "is a type of the plugin webhook"),
    ):
        answer = daemon.post("/v1/links", {"customer": "user_id:ann", "event": event})
        assert answer.status == 422 and why in answer.json["detail"], answer.body
    link(daemon, customer="user_id:ann", event="Warranty wanted")
