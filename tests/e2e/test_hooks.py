"""Programs that call: each way of signing, computed here, and everything that is not genuine.

HMAC over the published forms: Standard Webhooks, GitHub, Stripe, Twilio.
"""
import base64
import hashlib
import hmac
import json
import signal
import time
import urllib.parse

import pytest

from conftest import BUILD, eventually

KEY, OLD_KEY = bytes(range(32)), bytes(range(100, 132))
PUBLIC = "https://kith.example.com/v1/hooks/calls"
RULES = """
rule "orders of the shop" {
  on = "webhook.shop",
  run = function(event, customer)
    local order = event.body.order
    if event.body.type == "order.paid" then
      emit("Order Completed", { order = order.id, total = order.total })
    end
  end,
}
rule "pushes" {
  on = "webhook.code",
  run = function(event)
    local push = { branch = event.body.ref, kind = event.headers["X-GitHub-Event"] }
    emit("Pushed", push, { to = "email:" .. event.body.pusher.email })
  end,
}
rule "everything" {
  on = { "webhook.pay", "webhook.calls", "Pushed", "Order Completed" },
  run = function(event, customer) log(event.type) end,
}
"""
CONFIG = """
plugins "{plugins}"
scripts "scripts"
plugin "webhook" {{
  grant = {{ "append", "channel", "fetch", "fetch-private", "routes" }},
  {more}
  config = {{
    hooks = {{
      shop = {{
        secret = secret "shop.secret", customer = {{ "email:order.buyer.email" }}, create = true,
      }},
      code = {{
        scheme = "github", secret = secret "plain.secret", headers = {{ "X-GitHub-Event" }},
      }},
      goods = {{
        scheme = "github", secret = secret "plain.secret", signature = "X-Shopify-Hmac-Sha256",
        customer = {{ "email:buyer" }}, create = true,
      }},
      pay = {{ scheme = "stripe", secret = secret "plain.secret" }},
      calls = {{ scheme = "twilio", secret = secret "plain.secret", url = "{public}" }},
    }},
  }},
}}
"""
PLAIN, OLD_PLAIN = "a secret of words", "the secret before it"

pytestmark = pytest.mark.skipif(
    not (BUILD / "plugins" / "webhook.so").exists(), reason="a build tree without plugins"
)


def standard_secret(key):
    return "whsec_" + base64.b64encode(key).decode()


@pytest.fixture
def hooked(start, tmp_path):
    def begin(more=""):
        (tmp_path / "shop.secret").write_text(
            standard_secret(KEY) + "\n" + standard_secret(OLD_KEY)
        )
        (tmp_path / "plain.secret").write_text(PLAIN + "\n" + OLD_PLAIN + "\n")
        config = CONFIG.format(plugins=BUILD / "plugins", public=PUBLIC, more=more)
        (tmp_path / "kith.lua").write_text(config)
        scripts = tmp_path / "scripts"
        scripts.mkdir(exist_ok=True)
        (scripts / "rules.lua").write_text(RULES)
        return start("--config", tmp_path / "kith.lua")

    return begin


def mac(key, data, digest=hashlib.sha256):
    return hmac.new(key, data, digest)


def as_json(value):
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def standard(daemon, body, name="shop", key=KEY, id="msg_1", at=None, signature=None, **more):
    body, at = as_json(body), str(int(time.time()) if at is None else at)
    made = base64.b64encode(mac(key, f"{id}.{at}.".encode() + body).digest()).decode()
    headers = {
        "Content-Type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": at,
        "webhook-signature": signature or "v1,AAAA v1," + made,
        **more,
    }
    return daemon.post("/v1/hooks/" + name, body, key=None, headers=headers)


def github(daemon, body, key=PLAIN, name="code", **more):
    body = as_json(body)
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "push",
        "X-Hub-Signature-256": "sha256=" + mac(key.encode(), body).hexdigest(),
        **more,
    }
    return daemon.post("/v1/hooks/" + name, body, key=None, headers=headers)


def stripe(daemon, body, key=PLAIN, at=None, signature=None):
    body, at = as_json(body), str(int(time.time()) if at is None else at)
    made = mac(key.encode(), at.encode() + b"." + body).hexdigest()
    headers = {"Stripe-Signature": signature or f"t={at},v0=aa,v1={'0' * 64},v1={made}"}
    headers["Content-Type"] = "application/json; charset=utf-8"
    return daemon.post("/v1/hooks/pay", body, key=None, headers=headers)


def twilio_signature(url, fields=(), key=PLAIN):
    whole = url + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(mac(key.encode(), whole.encode(), hashlib.sha1).digest()).decode()


def twilio(daemon, fields, query="", signature=None):
    url = PUBLIC + ("?" + query if query else "")
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Twilio-Signature": signature or twilio_signature(url, fields),
    }
    path = "/v1/hooks/calls" + ("?" + query if query else "")
    return daemon.post(path, urllib.parse.urlencode(fields), key=None, headers=headers)


def order(number, email="ann@example.com"):
    details = {"id": number, "total": 12.5, "buyer": {"email": email}}
    return {"type": "order.paid", "order": details}


def timeline(daemon, customer, type):
    return [item for item in daemon.timeline(customer) if item["type"] == type]


def number(daemon, name):
    text = daemon.get("/metrics", key=None).body.decode()
    for line in text.splitlines():
        if line.startswith(f'kith_plugin_count{{plugin="webhook",name="{name}"}} '):
            return float(line.split()[-1])
    return 0


# -- What is genuine ---------------------------------------------------------------------------


@pytest.mark.parametrize("more", ["", "isolate = true,"])
def test_an_order_of_the_shop_becomes_an_event_of_its_buyer(hooked, more):
    daemon = hooked(more)
    answer = standard(daemon, order("A-7"))
    assert (answer.status, answer.json) == (200, {})
    got = timeline(daemon, "email:ann@example.com", "webhook.shop")
    assert got[0]["data"] == {"hook": "shop", "headers": {}, "body": order("A-7")}
    assert got[0]["source"] == "plugin:webhook"
    made = timeline(daemon, "email:ann@example.com", "Order Completed")
    assert made[0]["data"] == {"order": "A-7", "total": 12.5}


def test_a_customer_who_is_known_stays_the_one_she_is(hooked):
    daemon = hooked()
    ann = {"type": "identify", "userId": "ann", "traits": {"email": "ann@example.com", "age": 40}}
    assert daemon.send(ann) == []
    assert standard(daemon, order("A-7", "ANN@example.com")).status == 200
    assert len(timeline(daemon, "user_id:ann", "Order Completed")) == 1
    customers = daemon.get("/v1/customers").json["items"]
    assert len(customers) == 1


def test_each_request_counts_once_however_often_it_comes(hooked):
    daemon = hooked()
    for _ in range(3):
        assert standard(daemon, order("A-7")).status == 200
    assert standard(daemon, order("A-7"), key=OLD_KEY).status == 200  # the old secret
    assert standard(daemon, order("A-8"), id="msg_2").status == 200
    assert len(timeline(daemon, "email:ann@example.com", "Order Completed")) == 2
    assert (number(daemon, "received"), number(daemon, "repeated")) == (2, 3)


def test_a_push_reaches_whom_the_rule_names(hooked):
    daemon = hooked()
    ann = {"type": "identify", "userId": "ann", "traits": {"email": "ann@example.com"}}
    assert daemon.send(ann) == []
    push = {"ref": "main", "pusher": {"email": "ann@example.com"}}
    assert github(daemon, push, **{"X-GitHub-Delivery": "1"}).status == 200
    eventually(lambda: timeline(daemon, "user_id:ann", "Pushed"))
    pushed = timeline(daemon, "user_id:ann", "Pushed")
    assert pushed[0]["data"] == {"branch": "main", "kind": "push"}
    assert github(daemon, push, **{"X-GitHub-Delivery": "2"}).status == 200  # replayed
    assert number(daemon, "repeated") == 1
    assert github(daemon, {**push, "ref": "next"}, key=OLD_PLAIN).status == 200
    eventually(lambda: len(timeline(daemon, "user_id:ann", "Pushed")) == 2)


def test_another_header_and_base64_are_signatures_too(hooked):
    daemon = hooked()
    body = b'{"n": 1}'
    made = base64.b64encode(mac(PLAIN.encode(), body).digest()).decode()
    shop = {"X-Shopify-Hmac-Sha256": made, "Content-Type": "application/json"}
    assert daemon.post("/v1/hooks/goods", body, key=None, headers=shop).status == 200
    assert github(daemon, {"n": 1}, name="goods").status == 401  # in the other header


def goods(daemon, body):
    body = as_json(body)
    made = base64.b64encode(mac(PLAIN.encode(), body).digest()).decode()
    headers = {"X-Shopify-Hmac-Sha256": made, "Content-Type": "application/json"}
    return daemon.post("/v1/hooks/goods", body, key=None, headers=headers)


@pytest.mark.parametrize("more", ["", "isolate = true,"])
def test_a_request_sent_again_brings_nobody_back_who_was_erased(hooked, more):
    daemon = hooked(more)
    body = {"buyer": "eva@example.com", "total": 5}
    assert goods(daemon, body).status == 200
    assert len(timeline(daemon, "email:eva@example.com", "webhook.goods")) == 1
    assert daemon.call("DELETE", "/v1/customers/email:eva@example.com").status < 300
    eventually(lambda: not daemon.get("/v1/erasures").json["items"])
    entries = daemon.metric("kith_log_entries")
    assert goods(daemon, body).status == 200
    assert daemon.get("/v1/customers").json["items"] == []
    assert number(daemon, "repeated") == 1
    assert daemon.metric("kith_log_entries") == entries  # not even in the log
    assert goods(daemon, {**body, "total": 6}).status == 200  # she has come again herself
    assert len(timeline(daemon, "email:eva@example.com", "webhook.goods")) == 1


def test_of_several_with_the_address_who_is_known_longest_is_meant(hooked):
    daemon = hooked()
    for user in ("ann", "ben"):
        traits = {"email": "family@example.com"}
        assert daemon.send({"type": "identify", "userId": user, "traits": traits}) == []
    assert standard(daemon, order("A-7", "family@example.com")).status == 200
    assert len(timeline(daemon, "user_id:ann", "Order Completed")) == 1
    assert len(timeline(daemon, "user_id:ann", "identify")) == 1  # and no more
    assert len(daemon.get("/v1/customers").json["items"]) == 2


def test_json_that_github_sends_as_a_form_is_the_body(hooked):
    daemon = hooked()
    ann = {"type": "identify", "userId": "ann", "traits": {"email": "ann@example.com"}}
    assert daemon.send(ann) == []
    push = {"ref": "main", "pusher": {"email": "ann@example.com"}}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = urllib.parse.urlencode({"payload": json.dumps(push)}).encode()
    assert github(daemon, body, **form).status == 200
    eventually(lambda: timeline(daemon, "user_id:ann", "Pushed"))
    assert timeline(daemon, "user_id:ann", "Pushed")[0]["data"]["branch"] == "main"
    broken = github(daemon, b"payload=%7B", **form)
    assert (broken.status, "JSON" in broken.json["detail"]) == (400, True)
    # a form without it stays a form
    assert github(daemon, b"ref=next&pusher=x", **form).status == 200


def test_a_payment_signed_anew_is_the_same_payment(hooked):
    daemon = hooked()
    event = {"id": "evt_1", "type": "charge.succeeded"}
    assert stripe(daemon, event).status == 200
    assert stripe(daemon, event, at=int(time.time()) - 10).status == 200
    assert (number(daemon, "received"), number(daemon, "repeated")) == (1, 1)


def test_forms_and_bodies_of_twilio(hooked):
    daemon = hooked()
    fields = [
        ("From", "+4917"),
        ("Body", "Grüße & Küsse"),
        ("Tag", "b"),
        ("Tag", "a"),
        ("Tag", "a"),
    ]
    assert twilio(daemon, fields).status == 200
    assert twilio(daemon, fields, query="a=1&b=%20").status == 200
    body = b'{"n": 1}'
    query = "bodySHA256=" + hashlib.sha256(body).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-Twilio-Signature": twilio_signature(PUBLIC + "?" + query),
    }
    path = "/v1/hooks/calls?" + query
    assert daemon.post(path, body, key=None, headers=headers).status == 200
    assert daemon.post(path, b'{"n": 2}', key=None, headers=headers).status == 401
    assert number(daemon, "received") == 3


def test_bodies_that_are_no_objects_are_kept(hooked):
    daemon = hooked()
    assert standard(daemon, [1, {"a": None}], id="1").status == 200
    text = {"Content-Type": "text/plain"}
    assert standard(daemon, "Grüße".encode(), id="2", **text).status == 200
    assert standard(daemon, b"", id="3", **text).status == 200
    assert number(daemon, "received") == 3


# -- What is not -------------------------------------------------------------------------------


def test_what_is_not_signed_by_its_sender_is_refused(hooked):
    daemon = hooked()
    now = int(time.time())
    wrong = bytes(32)
    refused = [
        standard(daemon, order("A-1"), key=wrong),
        standard(daemon, order("A-1"), signature="v1,"),
        standard(daemon, order("A-1"), signature="v2," + "A" * 44),
        standard(daemon, order("A-1"), signature="x" * 5000),
        standard(daemon, order("A-1"), id="x" * 900),
        standard(daemon, order("A-1"), **{"webhook-timestamp": "now"}),
        github(daemon, order("A-1"), key="guess"),
        github(daemon, order("A-1"), **{"X-Hub-Signature-256": "sha256="}),
        github(daemon, order("A-1"), **{"X-Hub-Signature-256": "sha1=" + "0" * 40}),
        stripe(daemon, order("A-1"), key="guess"),
        stripe(daemon, order("A-1"), signature=f"t={now}"),
        stripe(daemon, order("A-1"), signature="v1=" + "0" * 64),
        twilio(daemon, [("a", "b")], signature="A" * 27 + "="),
        twilio(daemon, [("a", "b")], signature=twilio_signature(PUBLIC, [("a", "c")])),
        twilio(daemon, [("a", "b")], query="x=1", signature=twilio_signature(PUBLIC, [("a", "b")])),
    ]
    assert [answer.status for answer in refused] == [401] * len(refused)
    assert refused[0].json["detail"] == "the signature is not that of any secret of this hook"
    for name in ("shop", "code", "pay", "calls"):
        assert daemon.post(f"/v1/hooks/{name}", b"{}", key=None).status == 401
    assert number(daemon, "refused") == len(refused) + 4
    assert number(daemon, "received") == 0


def test_what_was_signed_long_ago_or_in_the_future_is_refused(hooked):
    daemon = hooked()
    now = int(time.time())
    for at in (now - 400, now + 400, 0, 999999999999):
        answer = standard(daemon, order("A-1"), at=at)
        assert answer.status == 401 and "too long ago" in answer.json["detail"]
        assert stripe(daemon, order("A-1"), at=at).status == 401
    assert standard(daemon, order("A-1"), at=now - 200).status == 200


def test_a_time_that_is_none_is_what_is_said_to_be_wrong(hooked):
    daemon = hooked()
    for at in ("-1", "now", "17.5", "1e9"):
        for answer in (standard(daemon, order("A-1"), at=at), stripe(daemon, order("A-1"), at=at)):
            assert answer.status == 401
            assert answer.json["detail"] == "the time of the signature is no number of seconds"


def test_wrong_names_broken_and_huge_bodies(hooked):
    daemon = hooked()
    for name in ("nobody", "%00", "shop%2f", "SHOP", "x" * 300):
        assert standard(daemon, order("A-1"), name=name).status in (400, 404), name
    assert daemon.get("/v1/hooks/shop", key=None).status == 405
    assert standard(daemon, b'{"a": ').status == 400
    assert standard(daemon, b'[1], "x": 2').status == 400
    assert standard(daemon, b"[" * 100 + b"]" * 100).status == 400
    assert standard(daemon, b'{"a": "\xff"}').status == 400
    for body in (b'{"a": 1e400}', b'{"a": "\\ud800"}', b'"x"'):
        answer = standard(daemon, body)
        assert answer.status == 400 and "neither an object" in answer.json["detail"], answer.body
    assert standard(daemon, b"\xff\xfe", **{"Content-Type": "text/plain"}).status == 422
    assert standard(daemon, b'{"a": "' + b"x" * 300000 + b'"}').status == 413
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for body in (b"a=%ff", b"a=%00", b"a=b&" * 1001):
        assert standard(daemon, body, **form).status == 400
    assert standard(daemon, b"&&=x&a", id="f", **form).status == 200
    assert standard(daemon, b'{"a": "' + b"x" * 190000 + b'"}', id="l").status == 200
    assert number(daemon, "received") == 2


@pytest.mark.parametrize("more", ["", "isolate = true,"])
def test_a_secret_is_changed_without_a_restart(hooked, tmp_path, more):
    daemon = hooked(more)
    new = bytes(range(50, 90))
    assert standard(daemon, order("A-1"), key=new).status == 401
    (tmp_path / "shop.secret").write_text(standard_secret(new) + "\n")
    daemon.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 30
    while standard(daemon, order("A-1"), key=new).status != 200:
        assert time.monotonic() < deadline
    assert standard(daemon, order("A-2"), key=KEY, id="msg_2").status == 401
    (tmp_path / "shop.secret").write_text("nonsense\n")
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_line("the secrets in use are kept: hooks.shop.secret: line 1")
    assert standard(daemon, order("A-3"), key=new, id="msg_3").status == 200


@pytest.mark.parametrize(
    "field,why",
    [
        ('scheme = "gitlab"', "hooks.shop.scheme is standard, github, stripe or twilio"),
        ('scheme = "twilio"', "hooks.shop.url is needed"),
        ('customer = { "name:x" }', "is not like \"email:buyer.email\""),
    ],
)
def test_a_hook_that_makes_no_sense_is_told(start, tmp_path, field, why):
    (tmp_path / "shop.secret").write_text(standard_secret(KEY))
    (tmp_path / "kith.lua").write_text(
        f"""plugins "{BUILD / 'plugins'}"
        plugin "webhook" {{
          grant = {{ "append", "channel", "fetch", "fetch-private", "routes" }},
          config = {{ hooks = {{ shop = {{ secret = secret "shop.secret", {field} }} }} }},
        }}"""
    )
    daemon = start("--config", tmp_path / "kith.lua")
    daemon.wait_line(why)


@pytest.mark.parametrize(
    "config,why",
    [
        ("hooks = 1", "config.hooks is a table of tables"),
        ("hooks = { shop = 1 }", "config.hooks is a table of tables"),
        ("hooks = { Shop = {} }", "small letters"),
        ("hooks = { shop = {} }", "needs config.hooks.shop.secret"),
        (
            "hooks = { shop = { secrte = 1 } }",
            "knows no config.hooks.shop.secrte; did you mean secret",
        ),
        ('hooks = { shop = { secret = "x" } }', "config.hooks.shop.secret is secret \"FILE\""),
        ('hooks = { shop = { secret = secret "none" } }', "config.hooks.shop.secret: .*none"),
        ("receivers = { log = {} }", "needs config.receivers.log.url"),
    ],
)
def test_tables_that_cannot_be_read_stop_the_daemon(start, tmp_path, config, why):
    (tmp_path / "kith.lua").write_text(
        f"""plugins "{BUILD / 'plugins'}"
        plugin "webhook" {{
          grant = {{ "append", "channel", "fetch", "fetch-private", "routes" }},
          config = {{ {config} }},
        }}"""
    )
    daemon = start("--config", tmp_path / "kith.lua", is_ready=False)
    daemon.wait_line(why)
    assert daemon.wait() != 0
