"""The sms plugin against a gateway that speaks as Twilio does.

Signatures are computed here from what Twilio has published: HMAC-SHA1 with the token over the URL
and, sorted by name, each field's name and value, in base64.
"""
import base64
import hashlib
import hmac
import http.server
import json
import threading
import time
import urllib.parse

import pytest

from conftest import BUILD, basic

TOKEN, OLD_TOKEN = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
PUBLIC = "https://kith.example.com"
ANN = "+491701234567"
RULES = """
rule "write" { on = "Write", run = function(event)
  send { channel = "sms", purpose = "service", body = event.text, expires = event.expires }
end }
rule "hear" { on = { "message.delivered", "message.bounced", "sms.received",
                     "message.unsubscribed" },
  run = function(event, customer)
    if customer then customer:set("heard", event.type) customer:set("wrote", event.body or "") end
end }
"""

pytestmark = pytest.mark.skipif(
    not (BUILD / "plugins" / "sms.so").exists(), reason="a build tree without plugins"
)


class Gateway:
    """What it was asked; `behave(fields)` is the status and the answer to it, or None: silence."""

    def __init__(self):
        self.requests, self.behave = [], lambda fields: (201, {"sid": "SM1"})
        gateway = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                fields = dict(urllib.parse.parse_qsl(body, strict_parsing=True))
                gateway.requests.append((self.path, self.headers["Authorization"], fields))
                answer = gateway.behave(fields)
                if answer is None:
                    self.close_connection = True
                    return
                data = json.dumps(answer[1]).encode()
                self.send_response(answer[0])
                for name, value in answer[2:]:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def gateway():
    made = Gateway()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def texting(start, tmp_path, gateway):
    """A daemon with the plugin, and Ann, who has a telephone."""

    def begin(more="", limits="", isolate="false"):
        (tmp_path / "sms.secret").write_text(f"{TOKEN}\n{OLD_TOKEN}\n")
        (tmp_path / "kith.lua").write_text(
            f"""
            plugins "{BUILD / 'plugins'}"
            scripts "scripts"
            {limits}
            plugin "sms" {{
              isolate = {isolate},
              grant = {{ "append", "channel", "fetch", "fetch-private", "routes" }},
              config = {{
                account = "AC1", token = secret "sms.secret", from = "+4930111", url = "{PUBLIC}",
                api = "http://127.0.0.1:{gateway.port}", allow_private = true, {more}
              }},
            }}
            """
        )
        scripts = tmp_path / "scripts"
        scripts.mkdir(exist_ok=True)
        (scripts / "rules.lua").write_text(RULES)
        daemon = start("--config", tmp_path / "kith.lua")
        ann = {"type": "identify", "userId": "ann", "traits": {"phone": ANN}}
        assert daemon.send(ann) == []
        return daemon

    return begin


def write(daemon, text, user="ann", **more):
    properties = {"text": text, **more}
    event = {"type": "track", "userId": user, "event": "Write", "properties": properties}
    assert daemon.send(event) == []


def wait_for(condition, what, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def effects(daemon, state=None):
    query = "&state=" + state if state else ""
    return daemon.get("/v1/effects?channel=sms" + query).json["items"]


def paused(daemon):
    channels = daemon.get("/v1/channels").json["items"]
    return [c for c in channels if c["name"] == "sms"][0].get("paused")


def wait_effect(daemon, state):
    wait_for(lambda: effects(daemon, state), f"{state}, not {effects(daemon)}")
    return effects(daemon, state)[0]


def signed(path, fields, token=TOKEN):
    whole = PUBLIC + path + "".join(name + fields[name] for name in sorted(fields))
    mac = hmac.new(token.encode(), whole.encode(), hashlib.sha1).digest()
    return base64.b64encode(mac).decode()


def call_back(daemon, path, fields, signature=None, **options):
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Twilio-Signature": signature or signed(path, fields, **options),
    }
    body = urllib.parse.urlencode(fields)
    return daemon.post(path, body, key=None, headers=headers)


def traits(daemon, customer="user_id:ann"):
    return daemon.get("/v1/customers/" + urllib.parse.quote(customer)).json["traits"]


def inbound(text, sid, sender=ANN):
    return {"From": sender, "To": "+4930111", "Body": text, "MessageSid": sid}


# -- Out ---------------------------------------------------------------------------------------


def test_a_message_is_a_post_as_the_gateway_wants_it(texting, gateway):
    daemon = texting()
    write(daemon, "Grüße & mehr: 100%\n你好")
    effect = wait_effect(daemon, "sent")
    ((path, credentials, fields),) = gateway.requests
    assert path == "/2010-04-01/Accounts/AC1/Messages.json"
    assert credentials == basic("AC1", TOKEN)
    assert fields == {
        "To": ANN,
        "From": "+4930111",
        "Body": "Grüße & mehr: 100%\n你好",
        "StatusCallback": f"{PUBLIC}/v1/sms/status/{effect['id']}",
    }


def test_what_the_gateway_refuses_is_rejected_with_its_words(texting, gateway):
    gateway.behave = lambda fields: (400, {"code": 21211, "message": "Invalid 'To'"})
    daemon = texting()
    write(daemon, "hello")
    assert "21211" in wait_effect(daemon, "rejected")["reason"]
    assert len(gateway.requests) == 1


def test_a_busy_gateway_is_asked_again_and_an_unknown_end_is_left_to_a_person(texting, gateway):
    answers = [(429, {}), (503, {}), (201, {})]
    gateway.behave = lambda fields: answers.pop(0) if answers else None
    daemon = texting(limits="limits { effect_retry_ms = 20 }")
    write(daemon, "again")
    wait_effect(daemon, "sent")
    assert len(gateway.requests) == 3
    write(daemon, "lost")
    wait_effect(daemon, "uncertain")
    assert len(gateway.requests) == 4


def test_a_wrong_token_pauses_the_channel_and_loses_nothing(texting, gateway):
    gateway.behave = lambda fields: (401, {"code": 20003})
    daemon = texting(limits="limits { effect_retry_ms = 20 }")
    write(daemon, "hello")
    wait_for(lambda: gateway.requests, "it is tried")
    wait_for(lambda: paused(daemon), "the channel is paused")
    gateway.behave = lambda fields: (201, {})
    assert daemon.post("/v1/channels/sms/resume", {}).status == 200
    wait_effect(daemon, "sent")


def test_what_is_too_long_is_rejected_before_it_costs_anything(texting, gateway):
    daemon = texting("segments_max = 2")
    write(daemon, "x" * 307)
    assert "segments" in wait_effect(daemon, "rejected")["reason"]
    write(daemon, "x" * 306)
    wait_effect(daemon, "sent")
    assert daemon.metric('kith_plugin_count{plugin="sms",name="segments"}') == 2


# -- Receipts ----------------------------------------------------------------------------------


def receipt(daemon, effect, state, error="", **options):
    path = "/v1/sms/status/" + effect
    fields = {"MessageSid": "SM1", "MessageStatus": state, "To": ANN, "ErrorCode": error}
    return call_back(daemon, path, {k: v for k, v in fields.items() if v}, **options)


def test_receipts_say_what_became_of_a_message(texting):
    daemon = texting()
    write(daemon, "hello")
    effect = wait_effect(daemon, "sent")["id"]
    assert receipt(daemon, effect, "sent").status == 200
    assert "heard" not in traits(daemon)
    assert receipt(daemon, effect, "delivered", token=OLD_TOKEN).status == 204
    wait_for(lambda: traits(daemon).get("heard") == "message.delivered", "delivered is heard")
    assert receipt(daemon, effect, "delivered").status == 204  # it says so twice
    delivered = [i for i in daemon.timeline("user_id:ann") if i["type"] == "message.delivered"]
    assert len(delivered) == 1


def test_a_number_that_takes_nothing_gets_nothing_more(texting, gateway):
    daemon = texting()
    write(daemon, "hello")
    effect = wait_effect(daemon, "sent")["id"]
    assert receipt(daemon, effect, "undelivered", "30003").status == 204
    write(daemon, "switched off is not gone")
    wait_for(lambda: len(effects(daemon, "sent")) == 2, "a soft bounce is no end")
    assert receipt(daemon, effect, "failed", "30005").status == 204
    write(daemon, "gone")
    wait_for(lambda: len(effects(daemon)) == 3 and len(effects(daemon, "sent")) == 2, "no third")
    assert len(gateway.requests) == 2


def test_forged_receipts_change_nothing(texting):
    daemon = texting()
    write(daemon, "hello")
    effect = wait_effect(daemon, "sent")["id"]
    wrong = "A" * 27 + "="
    assert receipt(daemon, effect, "failed", "30005", signature=wrong).status == 403
    assert receipt(daemon, effect, "failed", "30005", token="other").status == 403
    path = "/v1/sms/status/" + effect
    fields = {"MessageSid": "SM1", "MessageStatus": "failed", "To": ANN, "ErrorCode": "30005"}
    stolen = signed("/v1/sms/status/99.1", fields)  # of another message
    assert call_back(daemon, path, fields, signature=stolen).status == 403
    assert daemon.post(path, urllib.parse.urlencode(fields), key=None).status == 403
    assert receipt(daemon, "99.1", "failed", "30005").status == 422  # theirs, of nothing we know
    elsewhere = dict(fields, To="+491709999999")
    assert call_back(daemon, path, elsewhere).status == 422  # it did not go there
    assert "heard" not in traits(daemon)
    assert daemon.metric('kith_plugin_count{plugin="sms",name="forged"}') == 4
    write(daemon, "still")
    wait_for(lambda: len(effects(daemon, "sent")) == 2, "the number is as good as before")


def test_broken_and_huge_bodies_are_refused(texting):
    daemon = texting()
    headers = {"X-Twilio-Signature": "x"}
    for body in ("", "a=%", "a=%00", "=&=&=", "a=b&" * 1000, "\0", "a=%ff%fe", "x" * 8000):
        assert daemon.post("/v1/sms/inbound", body, key=None, headers=headers).status == 403, body
    assert daemon.post("/v1/sms/inbound", "a" * 8193, key=None, headers=headers).status == 413
    assert daemon.post("/v1/sms/status/1.1", "a=b", key=None).status == 403
    assert daemon.get("/v1/sms/status/1.1", key=None).status == 405


# -- What people write -------------------------------------------------------------------------


def test_what_somebody_writes_is_in_her_timeline(texting):
    daemon = texting()
    answer = call_back(daemon, "/v1/sms/inbound", inbound("When is it there?", "SM9"))
    assert (answer.status, answer.body) == (204, b"")
    wait_for(lambda: traits(daemon).get("wrote") == "When is it there?", "it is heard")
    call_back(daemon, "/v1/sms/inbound", inbound("When is it there?", "SM9"))
    written = [i for i in daemon.timeline("user_id:ann") if i["type"] == "sms.received"]
    assert len(written) == 1


def test_a_stranger_may_write_too(texting):
    daemon = texting()
    assert call_back(daemon, "/v1/sms/inbound", inbound("Hi", "SM8", "+491700000000")).status == 204
    assert call_back(daemon, "/v1/sms/inbound", inbound("Hi", "SM7", "KITCHEN")).status == 204


def state_of_number(daemon):
    """What a clerk sees of it."""
    (number,) = [
        item
        for item in daemon.get("/v1/customers/user_id:ann").json["addresses"]
        if item["channel"] == "sms"
    ]
    return number.get("state")


@pytest.mark.parametrize("isolate", ["false", "true"])
def test_stop_silences_a_number_and_start_lets_it_hear_again(texting, gateway, isolate):
    daemon = texting(isolate=isolate)
    assert call_back(daemon, "/v1/sms/inbound", inbound(" stop. ", "SM2")).status == 204
    wait_for(lambda: traits(daemon).get("heard") == "message.unsubscribed", "STOP is heard")
    write(daemon, "after STOP")
    wait_effect(daemon, "suppressed")
    assert state_of_number(daemon) == "suppressed"
    start = inbound("START", "SM3")
    assert call_back(daemon, "/v1/sms/inbound", start).status == 204
    assert state_of_number(daemon) is None
    write(daemon, "after START")
    wait_effect(daemon, "sent")
    assert call_back(daemon, "/v1/sms/inbound", inbound("Stop", "SM4")).status == 204
    assert call_back(daemon, "/v1/sms/inbound", start).status == 204  # replayed
    write(daemon, "after a replay")
    wait_for(lambda: len(effects(daemon, "suppressed")) == 2, "a replayed START is none")
    assert len(gateway.requests) == 1
    assert call_back(daemon, "/v1/sms/inbound", inbound("stop it now", "SM5")).status == 204
    written = [i["type"] for i in daemon.timeline("user_id:ann")]
    assert written.count("message.unsubscribed") == 2 and "sms.received" in written


def heard(daemon, bodies):
    """What each of these messages is taken for."""
    for number, body in enumerate(bodies):
        assert call_back(daemon, "/v1/sms/inbound", inbound(body, f"W{number}")).status == 204
    items = {item.get("data", {}).get("sid"): item for item in daemon.timeline("user_id:ann")}
    return [items[f"W{number}"]["type"] for number in range(len(bodies))]


def test_stop_is_said_in_many_languages_and_alone(texting):
    stop = ["退订", "TD", "t", "ＴＤ", "“退订”。", "　Ｔ！ ", "退訂", "拒收", "取消订阅", "R"]
    stop += ["Stopp!", "arrêt", "ARRÊT", "arret", "Alto", "BAJA", "parar", "Sair", "optout"]
    stop += ["STOP ALL", "S T O P", "取 消订阅", "opt-out"]
    other = ["退订了吗？", "我要退订", "T恤到了吗", "Tee", "Das stopp ich", "", "。", "Hallo", "🛑"]
    expected = ["message.unsubscribed"] * len(stop) + ["sms.received"] * len(other)
    assert heard(texting(), stop + other) == expected


def test_stop_is_heard_however_a_keyboard_writes_it(texting):
    stop = [
        "\"STOP\"",
        "STOP,",
        "ＳＴＯＰ",
        "STOP\u00a0",
        "stop\u200b",
        "\ufeffstop",
        "(stop)",
        "STOP-",
    ]
    stop += [
        "»Stop«",
        "„Stop“",
        "STOP?!",
        "stop…",
        "Stop 🛑",
        "Stop\u2060",
        "ARRE\u0302T",
        "\u202aSTOP\u202c",
    ]
    assert heard(texting(), stop) == ["message.unsubscribed"] * len(stop)


def test_an_operators_word_without_a_letter_is_nobodys(texting):
    assert heard(texting('stop_words = { "!", "" }'), ["!", ""]) == ["sms.received"] * 2


def test_pictures_are_named(texting):
    daemon = texting()
    urls = ["https://gateway.example/1.jpg", "https://gateway.example/2.jpg"]
    fields = {"NumMedia": "2", "MediaUrl0": urls[0], "MediaUrl1": urls[1]}
    picture = {**inbound("", "SM1"), **fields, "MediaContentType0": "image/jpeg"}
    assert call_back(daemon, "/v1/sms/inbound", picture).status == 204
    (got,) = [i["data"] for i in daemon.timeline("user_id:ann") if i["type"] == "sms.received"]
    assert (got["body"], got["media"]) == ("", urls)


def test_the_words_of_stop_and_start_are_the_operators(texting):
    daemon = texting('stop_words = { "Aus", "够了", "Стоп" }, start_words = { "An", "继续" }')
    assert heard(daemon, ["aus", "够了！", "СТОП!", "an", "继续", "STOP", "START"]) == [
        "message.unsubscribed",
        "message.unsubscribed",
        "message.unsubscribed",
        "message.resubscribed",
        "message.resubscribed",
        "sms.received",
        "sms.received",
    ]
    with pytest.raises(AssertionError, match="stop_words is a list of texts"):
        texting('stop_words = "Aus"')


def test_a_start_cut_into_other_fields_is_none(texting, gateway):
    """Names and values are signed without anything between them."""
    daemon = texting()
    path, start = "/v1/sms/inbound", {**inbound("START", "SM100"), "NumMedia": "0"}
    signature = signed(path, start)
    assert call_back(daemon, path, start).status == 204
    assert call_back(daemon, path, inbound("STOP", "SM101")).status == 204
    cuts = [
        {"Body": "START", "From": ANN, "MessageSid": "SM100NumMedia0To" + start["To"]},
        {"Body": "START", "From": ANN, "MessageSid": "SM100NumMedia0", "T": "o" + start["To"]},
        {"Body": "START", "From": ANN, "MessageSi": "dSM100NumMedia0", "To": start["To"]},
        {"Body": "START", "From": ANN, "MessageSid": "SM100NumMedia0", "To": start["To"]},
    ]
    answers = [call_back(daemon, path, cut, signature=signature).status for cut in cuts]
    assert answers == [403, 403, 403, 204]  # the last has all that it needs, and came before
    write(daemon, "after STOP")
    wait_effect(daemon, "suppressed")
    assert not gateway.requests


def test_a_start_replayed_counts_for_no_later_owner_of_the_number(texting, gateway):
    daemon = texting()
    number, path = "+491700000077", "/v1/sms/inbound"
    start = inbound("START", "SM1", number)
    assert call_back(daemon, path, start).status == 204
    assert call_back(daemon, path, inbound("STOP", "SM2", number)).status == 204
    assert daemon.send({"type": "identify", "userId": "bob", "traits": {"phone": number}}) == []
    assert call_back(daemon, path, start).status == 204  # it came before
    write(daemon, "to bob", "bob")
    wait_effect(daemon, "suppressed")
    assert not gateway.requests


def test_whom_the_gateway_has_on_its_own_list_is_unsubscribed(texting, gateway):
    gateway.behave = lambda fields: (400, {"code": 21610, "message": "unsubscribed recipient"})
    daemon = texting()
    write(daemon, "hello")
    assert "21610" in wait_effect(daemon, "rejected")["reason"]
    wait_for(lambda: traits(daemon).get("heard") == "message.unsubscribed", "it is heard")
    write(daemon, "again")
    wait_effect(daemon, "suppressed")
    assert len(gateway.requests) == 1
    assert call_back(daemon, "/v1/sms/inbound", inbound("START", "SM1")).status == 204
    gateway.behave = lambda fields: (201, {})
    write(daemon, "and again")
    wait_effect(daemon, "sent")


def test_a_forged_stop_silences_nobody(texting):
    daemon = texting()
    fields = inbound("STOP", "SM2")
    assert call_back(daemon, "/v1/sms/inbound", fields, token="guess").status == 403
    write(daemon, "hello")
    wait_effect(daemon, "sent")


def test_a_number_beyond_its_bounds_is_no_configuration(texting):
    with pytest.raises(AssertionError, match="segments_max is a whole number from 1 to 10"):
        texting("segments_max = 11")
