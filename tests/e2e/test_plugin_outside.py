"""The outside side of plugins in the daemon: channels, routes, events, requests, erasures, the end.

The plugins are those of tests/plugins; what they have seen they count, and /metrics tells.  All of
it holds for a plugin in the daemon's process and for one in a process of its own.
"""
import re
import time

import pytest

from conftest import BUILD, basic
from plugin_house import kith

PLUGINS = BUILD / "tests" / "plugins"

pytestmark = pytest.mark.skipif(
    not (PLUGINS / "good_route.so").exists(), reason="a build tree without test plugins"
)


@pytest.fixture(autouse=True, params=["in-process", "isolated"], name="place")
def _place(request, tmp_path):
    """Where the plugins live."""
    (tmp_path / "place").write_text(request.param)
    return request.param


def configured(tmp_path, text, rules=None):
    config = tmp_path / "kith.lua"
    if (tmp_path / "place").read_text() == "isolated":
        text = re.sub(r'^(plugin "\w+" \{)', r"\1 isolate = true,", text, flags=re.M)
    config.write_text(f'plugins "{PLUGINS}"\n' + text)
    flags = ["--config", config]
    if rules:
        scripts = tmp_path / "scripts"
        scripts.mkdir()
        (scripts / "rules.lua").write_text(rules)
        flags += ["--scripts", scripts]
    return flags


def number(daemon, pattern):
    for line in daemon.get("/metrics", key=None).body.decode().splitlines():
        if re.match(pattern + " ", line):
            return float(line.rsplit(" ", 1)[1])
    return 0


def counted(daemon, plugin, name):
    return number(daemon, rf'kith_plugin_count\{{plugin="{plugin}",name="{name}"\}}')


def wait_for(condition, what, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


# -- Routes ------------------------------------------------------------------------------------

ROUTES = 'plugin "good_route" { grant = { "routes" } }\n'


def lines(answer):
    return answer.body.decode().splitlines()


def test_a_request_reaches_the_plugin_whole_and_its_answer_the_caller(start, tmp_path):
    daemon = start(*configured(tmp_path, ROUTES))
    answer = daemon.get("/v1/echo/a%20b?x=%41&y", key=None, headers={"X-Seen": "yes"})
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.headers["X-Loft"] == "pigeons"
    seen = lines(answer)
    assert "method=GET" in seen and "path=/v1/echo/a%20b" in seen and "query=x=%41&y" in seen
    assert "param name=a b" in seen and "header=yes" in seen and "peer=127.0.0.1" in seen
    assert "key=" in seen
    head = daemon.call("HEAD", "/v1/echo/x", key=None)
    assert head.status == 200 and head.body == b""


def test_a_tail_takes_every_method_and_what_stands_below_it(start, tmp_path):
    daemon = start(*configured(tmp_path, ROUTES))
    for method in ("GET", "PUT", "PROPFIND", "REPORT", "MKCALENDAR", "OPTIONS", "DELETE"):
        answer = daemon.call(
            method, "/loft/north/%C3%A4/", body=b"coo" if method == "PUT" else None
        )
        assert answer.status == (207 if method == "PROPFIND" else 200), (method, answer.body)
        assert f"method={method}" in lines(answer)
        assert "param *=north/ä/" in lines(answer)
        assert "key=admin" in lines(answer)
    assert "body=coo" in lines(daemon.call("PUT", "/loft/x", body=b"coo"))
    assert "param *=" in lines(daemon.get("/loft/"))
    assert daemon.get("/loft").status == 404


def test_the_key_is_checked_before_the_plugin_hears_of_anything(start, tmp_path):
    daemon = start(*configured(tmp_path, ROUTES))
    assert daemon.get("/loft/x", key=None).status == 401
    assert daemon.get("/loft/x", key="write").status == 403
    assert daemon.call("OPTIONS", "/loft/x", key=None).status == 401
    user = {"Authorization": basic(daemon.key("admin"))}
    assert daemon.get("/loft/x", key=None, headers=user).status == 200
    assert daemon.post("/v1/slow", b"x", key=None).status == 401
    assert daemon.call("PUT", "/loft/x", body=b"x" * 1001).status == 413
    answer = daemon.call("DELETE", "/v1/echo/x", key=None)
    assert answer.status == 405 and answer.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_a_key_of_the_house_is_handed_to_no_plugin(start, tmp_path):
    daemon = start(*configured(tmp_path, ROUTES))
    for path in ("/v1/echo/x", "/loft/x"):
        for field in ("Bearer " + daemon.key("admin"), basic(daemon.key("admin"))):
            seen = lines(daemon.get(path, key=None, headers={"Authorization": field}))
            assert "authorization=" in seen and "key=admin" in seen, (path, field)
    other = "Bearer 0123456789abcdef0123456789abcdef"
    seen = lines(daemon.get("/v1/echo/x", key=None, headers={"Authorization": other}))
    assert "authorization=" + other in seen and "key=" in seen


def test_no_route_stands_before_one_of_the_houses_own(start, tmp_path):
    flags = configured(tmp_path, 'plugin "bad_place" { grant = { "routes" } }\n')
    daemon = start(*flags, is_ready=False)
    daemon.wait_line(r"would answer where Kith does, at /v1/records/\{kind\}")
    assert daemon.wait() != 0


def test_an_answer_may_come_later_and_many_may_wait(start, tmp_path):
    daemon = start(*configured(tmp_path, ROUTES))
    connections = [daemon.connect() for _ in range(20)]
    for i, connection in enumerate(connections):
        headers = {"Authorization": "Bearer " + daemon.key("write")}
        connection.request("POST", "/v1/slow", b"x" * i, headers)
    for i, connection in enumerate(connections):
        response = connection.getresponse()
        assert (response.status, response.read()) == (202, b"%d bytes" % i)
        connection.close()


def test_what_would_break_out_of_a_header_is_refused(start, tmp_path):
    daemon = start(*configured(tmp_path, ROUTES))
    answer = daemon.get("/v1/bad", key=None)
    assert answer.body == b"refused" and "Set-Cookie" not in answer.headers
    assert counted(daemon, "good_route", "lost") == 1
    daemon.wait_line("plugin good_route: warning: reply was refused: header X-Split")


def test_a_request_that_is_never_answered_ends_with_the_daemon(start, tmp_path):
    daemon = start(*configured(tmp_path, ROUTES))
    connection = daemon.connect()
    connection.request("GET", "/v1/never")
    wait_for(lambda: counted(daemon, "good_route", "never") == 1, "it is asked")
    assert number(daemon, r'kith_plugin_requests_under_way\{plugin="good_route"\}') == 1
    connection.close()


def test_openapi_has_the_routes_of_plugins(start, tmp_path):
    daemon = start(*configured(tmp_path, ROUTES))
    document = daemon.get("/openapi.json", key=None).json
    paths = document["paths"]
    assert paths["/v1/echo/{name}"]["get"]["security"] == []
    assert paths["/loft/{rest}"]["put"]["x-scope"] == "read"
    assert "*" in paths["/loft/{rest}"]["x-methods"]
    assert "good_route" in [tag["name"] for tag in document["tags"]]
    assert "/v1/customers" in paths


# -- Channels ----------------------------------------------------------------------------------

CHANNEL = 'plugin "good_channel" { grant = { "channel", "append" } }\n'
RULES = """
purpose "news" { opt_in = true }
rule "send" { on = "Send", run = function(event)
  send { channel = "pigeon", purpose = event.purpose or "service", body = event.body }
end }
rule "hear" { on = { "message.bounced", "message.opened" }, run = function(event, customer)
  customer:set("heard", event.type)
end }
"""


def flock(start, tmp_path):
    daemon = start(*configured(tmp_path, CHANNEL, RULES))
    daemon.send({"type": "identify", "userId": "u1", "traits": {"name": "Ann"}})
    import_address(daemon)
    return daemon


def import_address(daemon):
    answer = daemon.post(
        "/v1/import?wait=applied",
        {
            "batch": [
                {
                    "type": "address.changed",
                    "customer": "user_id:u1",
                    "data": {"channel": "pigeon", "value": "loft 7"},
                }
            ]
        },
    )
    assert answer.json["success"] and "refused" not in answer.json, answer.body


def say(daemon, body, **more):
    daemon.send(
        {"type": "track", "userId": "u1", "event": "Send", "properties": {"body": body, **more}}
    )


def effects(daemon):
    return daemon.get("/v1/effects?limit=50").json["items"]


def effect_after(daemon, body, state):
    def found():
        items = effects(daemon)
        return (
            items
            and items[0].get("message", {}).get("body") == body
            and (items[0]["state"] == state)
        )

    wait_for(found, f"{body}: {effects(daemon)[:1]}")
    return daemon.get("/v1/effects/" + effects(daemon)[0]["id"]).json


@pytest.mark.parametrize(
    "body, state",
    [
        ("sent", "sent"),
        ("rejected", "rejected"),
        ("uncertain", "uncertain"),
        ("later", "sent"),
    ],
)
def test_a_message_becomes_what_the_plugin_says(start, tmp_path, body, state):
    daemon = flock(start, tmp_path)
    say(daemon, body)
    effect = effect_after(daemon, body, state)
    assert effect["message"]["address"] == "loft 7"
    channels = {item["name"]: item for item in daemon.get("/v1/channels").json["items"]}
    assert channels["pigeon"]["target"] == "the loft"


def test_a_channel_that_is_paused_by_its_plugin_waits_for_a_person(start, tmp_path):
    daemon = flock(start, tmp_path)
    say(daemon, "pause")
    effect_after(daemon, "pause", "sent")
    wait_for(
        lambda: number(daemon, r'kith_channel_paused\{channel="pigeon"\}') == 1, "it is paused"
    )
    say(daemon, "sent")
    assert effects(daemon)[0]["state"] == "pending"
    assert daemon.post("/v1/channels/pigeon/resume", {}).status < 300
    effect_after(daemon, "sent", "sent")


def test_a_bounce_marks_the_address_and_rules_hear_of_it(start, tmp_path):
    daemon = flock(start, tmp_path)
    say(daemon, "bounce")
    effect_after(daemon, "bounce", "sent")
    wait_for(lambda: counted(daemon, "good_channel", "told") == 1, "it is told of")
    customer = daemon.get("/v1/customers/user_id:u1").json
    assert customer["traits"]["heard"] == "message.bounced"
    assert [a["state"] for a in customer["addresses"] if a["channel"] == "pigeon"] == ["bounced"]
    effect = daemon.get("/v1/effects/" + effects(daemon)[0]["id"]).json
    assert list(effect["feedback"]) == ["bounced"]
    say(daemon, "sent")
    wait_for(lambda: effects(daemon)[0]["state"] == "rejected", "nothing goes there any more")
    entry = [e for e in daemon.timeline("user_id:u1") if e["type"] == "message.bounced"][0]
    assert entry["by"] == "plugin:good_channel"


def test_a_complaint_suppresses_and_unsubscribing_withdraws(start, tmp_path):
    daemon = flock(start, tmp_path)
    say(daemon, "unsubscribe")
    wait_for(lambda: counted(daemon, "good_channel", "told") == 1, "it is told of")
    consents = daemon.get("/v1/customers/user_id:u1/consents").json["items"]
    assert [(c["purpose"], c["state"]) for c in consents] == [("service", "withdrawn")]
    answer = daemon.call(
        "PUT",
        "/v1/customers/user_id:u1/consents",
        {"purpose": "service", "channel": "pigeon", "state": "granted"},
    )
    assert answer.status < 300, answer.body
    say(daemon, "complain")
    wait_for(lambda: counted(daemon, "good_channel", "told") == 2, "it is told of")
    import_address(daemon)  # somebody says that all is well again
    say(daemon, "sent")
    wait_for(lambda: effects(daemon)[0]["state"] == "suppressed", "it stays on the list")


def test_a_message_under_way_is_spoken_of_before_the_daemon_ends(start, tmp_path):
    daemon = flock(start, tmp_path)
    say(daemon, "later")
    wait_for(lambda: counted(daemon, "good_channel", "messages") == 1, "it has it")
    assert daemon.stop() == 0
    again = start(*configured_again(tmp_path))
    assert [e["state"] for e in effects(again)] == ["sent"]


def configured_again(tmp_path):
    return ["--config", tmp_path / "kith.lua"]


# -- Events and requests -----------------------------------------------------------------------

ASK = 'plugin "good_ask" { grant = { "append", "staff", "on-behalf", "files" } }\n'


def test_a_plugin_asks_and_is_answered(start, tmp_path):
    daemon = start(*configured(tmp_path, ASK))
    assert daemon.call("PUT", "/v1/staff/anna", {}).status < 300
    wait_for(lambda: counted(daemon, "good_ask", "end") == 1, "all is asked")
    seen = dict(
        re.findall(
            r'^kith_plugin_count\{plugin="good_ask",name="(\w+)"\} (\d+)$',
            daemon.get("/metrics", key=None).body.decode(),
            re.M,
        )
    )
    assert seen == {
        "track_200": "1",
        "event_0": "1",
        "event_customer": "1",
        "again_0": "1",
        "again_duplicate": "1",
        "denied_minus_3": "1",
        "get_200": "1",
        "get_ann": "1",
        "missing_404": "1",
        "remind_201": "1",
        "behalf_201": "1",
        "nobody_403": "1",
        "stream_400": "1",
        "write_0": "1",
        "read_0": "1",
        "read_bytes": "1",
        "health_200": "1",
        "end": "1",
    }
    items = daemon.timeline("user_id:u1")
    happened = [e for e in items if e["type"] == "good_ask.happened"]
    assert len(happened) == 1 and happened[0]["by"] == "plugin:good_ask"
    assert "foreign" not in happened[0]["trace"]
    by = {e["by"] for e in items if e["type"] == "reminder.set"}
    assert by == {"plugin:good_ask", "anna"}


def test_a_client_cannot_say_what_is_a_plugins(start, tmp_path):
    daemon = start(*configured(tmp_path, ASK))
    daemon.send({"type": "track", "userId": "u9", "event": "good_ask.happened"})
    entry = [e for e in daemon.timeline("user_id:u9") if e["type"] == "good_ask.happened"][0]
    assert entry["trace"]["foreign"] is True


def test_a_plugin_hears_of_who_is_erased(start, tmp_path):
    daemon = start(*configured(tmp_path, ASK))
    wait_for(lambda: counted(daemon, "good_ask", "end") == 1, "all is asked")
    assert daemon.call("DELETE", "/v1/customers/user_id:u1").status < 300
    wait_for(lambda: daemon.metric("kith_erasures_open") == 0, "she is erased", 60)
    assert counted(daemon, "good_ask", "erased") >= 1


# -- The others, in the daemon -----------------------------------------------------------------


def test_timers_sockets_and_works_run_and_end(start, tmp_path):
    daemon = start(
        *configured(
            tmp_path,
            'plugin "good_timer" { }\n'
            'plugin "good_socket" { grant = { "sockets" } }\n'
            'plugin "good_work" { grant = { "work" } }\n',
        )
    )
    wait_for(lambda: counted(daemon, "good_timer", "second") == 1, "a timer runs")
    wait_for(lambda: counted(daemon, "good_timer", "tick") >= 1, "a job runs")
    wait_for(lambda: counted(daemon, "good_work", "sum") == 8 * 5050, "works are done")
    assert number(daemon, r'kith_plugin_up\{plugin="good_socket"\}') == 1
    assert number(daemon, r'kith_plugin_calls_total\{plugin="good_work",call="work"\}') == 8
    memory = number(daemon, r'kith_plugin_memory_bytes\{plugin="good_work"\}')
    assert (1 << 10) < memory < (1 << 30)
    assert daemon.stop() == 0


def test_a_plugin_that_does_not_start_leaves_the_others_alone(start, tmp_path):
    daemon = start(
        *configured(
            tmp_path,
            'plugin "good_fetch" { grant = { "fetch", "fetch-private" }, '
            'config = { url = "nonsense" } }\n' + ROUTES,
        )
    )
    daemon.wait_line("plugin good_fetch: it does not start: the url is none")
    assert number(daemon, r'kith_plugin_up\{plugin="good_fetch"\}') == 0
    plugin = daemon.get("/v1/plugins/good_fetch").json
    assert plugin["state"] == "failed"
    assert plugin["failed"] == "it does not start: the url is none: https:// is needed"
    others = {item["name"]: item for item in daemon.get("/v1/plugins").json["items"]}
    assert others.pop("good_fetch") == plugin
    assert {item["state"] for item in others.values()} == {"active"}
    code, said, _ = kith(daemon, "plugin", "list")
    assert code == 0 and re.search("good_fetch .*failed.*it does not start: the url is none", said)
    code, said, _ = kith(daemon, "doctor")
    assert (
        code != 0 and "good_fetch (it does not start: the url is none: https:// is needed)" in said
    )
    (tmp_path / "kith.lua").write_text(
        (tmp_path / "kith.lua").read_text("utf-8").replace("nonsense", "http://127.0.0.1:9"),
        "utf-8",
    )
    code, said, err = kith(daemon, "plugin", "reload", "good_fetch")
    assert code == 0, err
    plugin = daemon.get("/v1/plugins/good_fetch").json
    assert plugin["state"] == "active" and "failed" not in plugin
    assert daemon.get("/v1/echo/x", key=None).status == 200


def test_a_grant_that_is_missing_is_named_at_the_start(start, tmp_path):
    daemon = start(*configured(tmp_path, 'plugin "good_route" { }\n'), is_ready=False)
    assert daemon.wait() != 0
    assert any("routes" in line for line in daemon.lines)
