"""Templates: deployed with a bundle, rendered at the claim, previewed, refused when malformed."""
import json
import os
import subprocess
import time

import pytest

from conftest import BUILD
from receiver import receiver, receivers

RULES = """
rule "welcome" {
  on = "Signed Up",
  run = function(event, customer)
    send {
      channel = event.channel or "log", purpose = "service", template = event.template or "welcome",
      data = { code = event.code },
      links = event.linked and { yes = { event = "Survey Answered" } } or nil,
    }
  end,
}
"""
FILES = {
    "rules.lua": RULES,
    "templates/welcome.log.md": "---\nsubject: Hello {{customer.name}}\n---\n"
    "Your code is {{code}}.\n{{> footer}}",
    "templates/welcome.log.de.md": "---\nsubject: Hallo {{customer.name}}\n---\n"
    "Ihr Code ist {{code}}, Ihr Guthaben {{customer.credit | money EUR}}.\n{{> footer}}",
    "templates/footer.md": "-- {{#links.yes}}{{links.yes}}{{/links.yes}}{{^links.yes}}us"
    "{{/links.yes}}\n",
}


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def house(start, tmp_path):
    """A daemon with the files above, whose messages are lines of a file."""
    scripts = tmp_path / "scripts"
    write(scripts, FILES)
    (tmp_path / "kith.lua").write_text(
        'channel "log" { file = "messages" }\nurl "https://crm.example.com"\nlocale "en-GB"\n'
    )
    daemon = start("--config", tmp_path / "kith.lua", "--scripts", scripts)
    daemon.scripts, daemon.messages = scripts, tmp_path / "messages"
    traits = {"name": "Ann <b>", "email": "ann@example.com", "locale": "de-AT", "credit": 1234.5}
    daemon.send(
        {"type": "identify", "userId": "ann", "traits": traits},
        {"type": "identify", "userId": "bob", "traits": {"name": "Bob"}},
    )
    return daemon


def sign_up(daemon, who="ann", **properties):
    event = {"type": "track", "userId": who, "event": "Signed Up", "properties": properties}
    daemon.send(event)


def sent(daemon, count):
    deadline = time.monotonic() + 60
    while True:
        lines = daemon.messages.read_text().splitlines() if daemon.messages.exists() else []
        if len(lines) >= count:
            return [json.loads(line) for line in lines]
        assert time.monotonic() < deadline, lines
        time.sleep(0.02)


def effects(daemon, count, **query):
    """As soon as there are so many in the list."""
    deadline = time.monotonic() + 60
    path = "/v1/effects?" + "&".join(f"{name}={value}" for name, value in query.items())
    while True:
        items = daemon.get(path).json["items"]
        if len(items) >= count:
            return items
        assert time.monotonic() < deadline
        time.sleep(0.02)


def preview(daemon, **body):
    return daemon.post("/v1/preview", {"template": "welcome", "customer": "user_id:ann", **body})


def kith(daemon, *words):
    env = dict(os.environ, KITH_URL=f"http://127.0.0.1:{daemon.port}", KITH_KEY=daemon.key("admin"))
    return subprocess.run(
        [BUILD / "kith", *words], capture_output=True, text=True, env=env, check=False
    )


# ---- Sending -------------------------------------------------------------------------------------


def test_a_message_is_written_in_the_language_of_the_customer(house):
    sign_up(house, "ann", code="X1")
    sign_up(house, "bob", code="X2")
    messages = {message["customer"]: message for message in sent(house, 2)}
    ann, bob = messages[1], messages[2]
    assert (ann["template"], ann["locale"], ann["subject"]) == ("welcome", "de", "Hallo Ann <b>")
    assert ann["body"] == "Ihr Code ist X1, Ihr Guthaben 1.234,50\u00a0€.\n-- us\n"
    assert "locale" not in bob and bob["subject"] == "Hello Bob"
    assert bob["body"] == "Your code is X2.\n-- us\n" and bob["data"] == {"code": "X2"}


def test_a_link_in_a_template_is_its_address(house):
    sign_up(house, "bob", linked=True)
    message = sent(house, 1)[0]
    address = message["links"]["yes"]
    assert address.startswith("https://crm.example.com/v1/l/")
    assert message["body"].endswith(f"-- {address}\n")
    path = address.removeprefix("https://crm.example.com")
    assert house.call("POST", path, key=None).status == 200
    assert "Survey Answered" in [item["type"] for item in house.timeline("user_id:bob")]


def test_the_rendering_is_kept_with_the_effect(house):
    sign_up(house, "bob", code="X2")
    effect = effects(house, 1, state="sent")[0]
    line = sent(house, 1)[0]
    del line["time"]
    assert effect["message"] == line


def test_a_template_that_is_unknown_fails_the_rule(house):
    sign_up(house, "ann", template="welcom")
    failed = [item for item in house.timeline("user_id:ann") if item["type"] == "rule.failed"]
    assert 'no template is called "welcom"; did you mean "welcome"?' in failed[0]["data"]["message"]


# ---- Deploying -----------------------------------------------------------------------------------


def test_a_changed_template_is_another_bundle_and_a_rollback_brings_it_back(house, tmp_path):
    new = tmp_path / "new"
    write(new, {**FILES, "templates/welcome.log.md": "new"})
    assert kith(house, "deploy", new).returncode == 0
    assert preview(house, customer="user_id:bob").json["body"] == "new"
    assert kith(house, "rollback").returncode == 0
    assert preview(house, customer="user_id:bob").json["subject"] == "Hello Bob"


@pytest.mark.parametrize(
    "name, text, reason",
    [
        ("a.log.md", "x\n  {{#open}}", 'a.log.md:2:3: the section "open" that begins here never'),
        ("a.log.md", "{{> foter}}", 'a.log.md:1:1: no template is called "foter"; did you mean'),
        ("a.log.md", "subject: x\n\ny", "a.log.md:1:1: a subject stands between two lines of ---"),
        ("a.b.c.d.md", "x", "a.b.c.d.md: a template's file is called NAME.CHANNEL.md"),
    ],
)
def test_a_malformed_template_is_refused_and_nothing_changes(house, tmp_path, name, text, reason):
    before = house.get("/v1/bundles").json["items"]
    write(tmp_path / "bad", {**FILES, f"templates/{name}": text})
    done = kith(house, "deploy", tmp_path / "bad")
    assert done.returncode == 1 and f"templates/{reason}" in done.stderr
    assert house.get("/v1/bundles").json["items"] == before


def test_dev_activates_a_template_when_it_is_saved(start, tmp_path):
    scripts = tmp_path / "scripts"
    write(scripts, FILES)
    daemon = start("--scripts", scripts, "--dev")
    daemon.send({"type": "identify", "userId": "ann", "traits": {"name": "Ann"}})
    write(scripts, {"templates/welcome.log.md": "saved"})
    deadline = time.monotonic() + 60
    while preview(daemon).json["body"] != "saved":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_after_a_kill_the_same_bytes_are_there(start, tmp_path):
    scripts = tmp_path / "scripts"
    write(scripts, FILES)
    first = start("--scripts", scripts)
    first.send({"type": "identify", "userId": "bob", "traits": {"name": "Bob"}})
    sign_up(first, "bob", code="X2")
    before = effects(first, 1, state="sent")[0]
    first.kill()
    second = start("--scripts", scripts)
    assert effects(second, 1)[0]["message"] == before["message"]
    done = kith(second, "verify")
    assert done.returncode == 0, done.stderr


# ---- Previews ------------------------------------------------------------------------------------


def test_a_preview_is_what_she_would_get_and_changes_nothing(house):
    entries = house.metric("kith_log_entries")
    answer = preview(house, data={"code": "X1"})
    assert answer.status == 200, answer.body
    assert answer.json == {
        "channel": "log",
        "customer": 1,
        "template": "welcome",
        "locale": "de",
        "subject": "Hallo Ann <b>",
        "body": "Ihr Code ist X1, Ihr Guthaben 1.234,50\u00a0€.\n-- us\n",
    }
    assert preview(house, locale="fr").json["subject"] == "Hello Ann <b>"
    assert house.metric("kith_log_entries") == entries
    assert house.get("/v1/effects").json["items"] == []


@pytest.mark.parametrize(
    "body, status, detail",
    [
        ({"template": "welcom"}, 404, 'no template is called "welcom"; did you mean "welcome"?'),
        ({"template": "zzzzzzzz"}, 404, 'no template is called "zzzzzzzz"'),
        ({"customer": "user_id:nobody"}, 404, "no such customer"),
        ({"channel": "pigeon"}, 404, 'no channel is called "pigeon"'),
        ({"template": "footer"}, 400, 'the template "footer" is for several channels'),
        ({"locale": "de.AT"}, 422, '"locale" is a language'),
        ({"wrong": 1}, 422, "wrong"),
    ],
)
def test_a_preview_that_cannot_be_made_says_why(house, body, status, detail):
    answer = preview(house, **body)
    assert (answer.status, detail in answer.json["detail"]) == (status, True), answer.body


def test_a_key_that_may_only_send_events_sees_no_preview(house):
    body = {"template": "welcome", "customer": "1"}
    assert house.post("/v1/preview", body, key="write").status == 403


def test_the_command_shows_a_preview(house):
    done = kith(house, "preview", "welcome", "user_id:ann", "--data", "code=X1")
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "channel: log\ntemplate: welcome\nlocale: de\nsubject: Hallo Ann <b>\n\n"
        "Ihr Code ist X1, Ihr Guthaben 1.234,50\u00a0€.\n-- us\n"
    )
    done = kith(house, "preview", "footer", "user_id:bob", "--channel", "log", "--json")
    assert json.loads(done.stdout)["body"] == "-- us\n"
    assert kith(house, "preview", "welcome", "user_id:bob", "--data", "code").returncode == 2
    assert kith(house, "preview", "nothing", "user_id:bob").returncode == 1


def test_a_test_goes_to_the_address_and_no_rule_hears_of_it(house, tmp_path):
    more = {"more.lua": 'rule "heard" { on = "*", run = function(event) log("heard") end }\n'}
    write(tmp_path / "more", {**FILES, **more})
    assert kith(house, "deploy", tmp_path / "more").returncode == 0
    words = ["--data", "code=7", "--lang", "en", "--to", "me@example.com"]
    done = kith(house, "preview", "welcome", "user_id:ann", *words)
    assert done.returncode == 0, done.stderr
    message = sent(house, 1)[0]
    assert done.stdout == f"test {message['id']} goes to me@example.com on channel log\n"
    assert (message["address"], message["test"]) == ("me@example.com", True)
    assert message["subject"] == "Hello Ann <b>" and message["body"].startswith("Your code is 7.")
    effect = effects(house, 1, state="sent")[0]
    assert (effect["to"], effect["test"], effect["customer"]) == ("me@example.com", True, 1)
    items = [item for item in house.timeline("user_id:ann") if item["type"].startswith("effect.")]
    assert {item["type"] for item in items} == {"effect.test", "effect.claim", "effect.outcome"}
    assert not any("rules" in item["trace"] and item["trace"]["rules"] for item in items)


def test_a_test_to_a_suppressed_address_is_not_sent(house, tmp_path):
    (tmp_path / "list").write_text("me@example.com\n")
    assert kith(house, "suppress", tmp_path / "list", "--channel", "log").returncode == 0
    body = {"template": "welcome", "customer": "1", "to": "me@example.com"}
    assert house.post("/v1/preview/send", body).status == 201
    assert effects(house, 1, state="suppressed")[0]["reason"] == "on the suppression list"


@pytest.mark.parametrize(
    "body, status, detail",
    [
        ({"template": "welcom"}, 404, 'did you mean "welcome"?'),
        ({"customer": "user_id:nobody"}, 404, "no such customer"),
        ({"to": ""}, 422, "to"),
        ({"template": "footer"}, 422, "is for several channels"),
    ],
)
def test_a_test_that_cannot_be_sent_says_why(house, body, status, detail):
    body = {"template": "welcome", "customer": "user_id:ann", "to": "me@example.com", **body}
    answer = house.post("/v1/preview/send", body)
    assert (answer.status, detail in answer.json["detail"]) == (status, True), answer.body


def test_in_html_values_are_escaped(start, tmp_path):
    scripts = tmp_path / "scripts"
    write(scripts, {"rules.lua": "", "templates/hello.md": "<p>{{customer.name}}</p>"})
    secret = tmp_path / "hook.secret"
    secret.write_text("whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=" + "\n")
    (tmp_path / "kith.lua").write_text(receivers(receiver("mail", 9, "html = true")))
    daemon = start("--config", tmp_path / "kith.lua", "--scripts", scripts)
    daemon.send({"type": "identify", "userId": "ann", "traits": {"name": "<i>Ann"}})
    bodies = [
        preview(daemon, template="hello", channel=name).json["body"] for name in ("mail", "log")
    ]
    assert bodies == ["<p>&lt;i&gt;Ann</p>", "<p><i>Ann</p>"]
