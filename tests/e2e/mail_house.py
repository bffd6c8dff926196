"""A shop that writes e-mail: a daemon, its configuration, and what people and servers send back."""
import email
import email.message
import email.policy
import email.utils
import pathlib
import shutil
import smtplib
import socket
import subprocess
import tempfile
import time
import uuid

import pytest
from conftest import BUILD
from mail_sink import Sink

GRANT = '"channel", "append", "read", "sockets", "work", "files"'
SECRET = "a key of at least sixteen bytes"
RULES = """
purpose "news" { opt_in = false }
rule "send" { on = "Send", run = function(event)
  send { channel = "email", purpose = event.purpose or "service",
         body = event.body or "Hello *you*",
         data = { email = { subject = event.subject or "Hello", reply_to = event.answer } },
         links = { unsubscribe = { purpose = "news", channel = "email" } } } end }
"""
HASTY = "limits { effect_retry_ms = 20, effect_attempts = 50 }\n"


def write_config(
    folder, smtp, rules=RULES, extra="", isolate=False, limits=HASTY, templates=None, **config
):
    """kith.lua and its rules; the flags of kithd."""
    folder = pathlib.Path(folder)
    (folder / "verp.key").write_text(SECRET + "\n")
    scripts = folder / "scripts"
    scripts.mkdir(exist_ok=True)
    (scripts / "rules.lua").write_text(rules)
    for name, text in (templates or {}).items():
        (scripts / "templates").mkdir(exist_ok=True)
        (scripts / "templates" / name).write_text(text)
    values = {"smtp": smtp, "from": "Care <care@shop.example>", "lmtp": "127.0.0.1:0"} | config
    lines = [f'verp_key = secret "{folder}/verp.key"']
    for name, value in values.items():
        if name.endswith("_file"):
            lines.append(f'{name[:-5]} = secret "{value}"')
        elif isinstance(value, (list, tuple)):
            lines.append(f"{name} = {{ " + ", ".join(f'"{one}"' for one in value) + " }")
        elif value is not None:
            lines.append(f'{name} = "{value}"' if isinstance(value, str) else f"{name} = {value}")
    path = folder / "kith.lua"
    path.write_text(
        f'plugins "{BUILD}/plugins"\nurl "https://crm.example.com"\n{limits}{extra}\n'
        f'plugin "email" {{ grant = {{ {GRANT} }}, isolate = {str(isolate).lower()},\n'
        f'  config = {{ {", ".join(lines)} }} }}\n'
    )
    return ["--config", path, "--scripts", scripts]


def lmtp_port(daemon):
    return int(daemon.wait_line(r"mail comes in over LMTP on .*, port (\d+)").group(1))


def customer(daemon, address, user=None, **traits):
    user = user or address.split("@")[0]
    answer = daemon.send(
        {"type": "identify", "userId": user, "traits": {"email": address, **traits}}
    )
    assert not answer
    return user


def order(daemon, user, **properties):
    assert not daemon.send(
        {"type": "track", "userId": user, "event": "Send", "properties": properties}
    )


def effects(daemon, **query):
    found, after = [], ""
    text = "".join(f"&{name}={value}" for name, value in query.items())
    while after is not None:
        page = daemon.get(
            f"/v1/effects?limit=1000{text}" + (f"&after={after}" if after else "")
        ).json
        found += page["items"]
        after = page["next"]
    return found


def effect_of(daemon, address):
    """The newest that went to this address."""
    for item in effects(daemon):
        effect = daemon.get("/v1/effects/" + item["id"]).json
        if effect.get("message", {}).get("address") == address:
            return effect
    return {"state": "none"}


def counted(daemon, name):
    wanted = f'kith_plugin_count{{plugin="email",name="{name}"}} '
    for line in daemon.get("/metrics", key=None).body.decode().splitlines():
        if line.startswith(wanted):
            return int(float(line.rsplit(" ", 1)[1]))
    return 0


def wait_for(condition, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, what() if callable(what) else what
        time.sleep(0.02)
    return value


def addresses(daemon, user):
    items = daemon.get(f"/v1/customers/user_id:{user}").json.get("addresses", [])
    return {item["value"]: item.get("state") for item in items if item["channel"] == "email"}


# -- What tests begin with ---------------------------------------------------------------------


@pytest.fixture
def sink():
    with Sink() as running:
        yield running


@pytest.fixture
def shop(start, tmp_path, sink):
    """shop(**config): a daemon whose relay is the sink."""

    def begin(**config):
        return start(*write_config(tmp_path, config.pop("smtp", sink.url), **config))

    return begin


def parsed(mail):
    return email.message_from_bytes(mail.data, policy=email.policy.default)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def delivered(daemon, sink, user="ann", **properties):
    """One more message to her, as it came."""
    address = user + "@example.com"
    customer(daemon, address)
    before = len(sink.of(address))
    order(daemon, user, **properties)
    wait_for(
        lambda: len(sink.of(address)) > before and effect_of(daemon, address)["state"] == "sent",
        lambda: effects(daemon),
    )
    return sink.of(address)[-1]


def received(daemon, user):
    return [e for e in daemon.timeline(f"user_id:{user}") if e["type"] == "email.received"]


# -- What people and servers send back ---------------------------------------------------------


def bring(port, sender, recipient, data):
    """Over LMTP: the code of the answer."""
    if isinstance(data, email.message.Message):
        data = data.as_bytes()
    try:
        with smtplib.LMTP("127.0.0.1", port, timeout=60) as client:
            client.sendmail(sender, [recipient], data)
        return 250
    except smtplib.SMTPRecipientsRefused as refused:
        return refused.recipients[recipient][0]
    except smtplib.SMTPResponseException as refused:
        return refused.smtp_code


def letter(sender, text="Hello", subject="A question", **headers):
    message = email.message.EmailMessage()
    message["From"] = sender
    message["To"] = "care@shop.example"
    message["Subject"] = subject
    message["Message-ID"] = f"<{uuid.uuid4()}@example.com>"
    message["Date"] = email.utils.formatdate()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def bounce(recipient, status="5.1.1", action="failed", original=""):
    return (
        "From: MAILER-DAEMON@mx.example\r\nSubject: Undelivered\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {status}\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 nobody here\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\n{original}Subject: Hello\r\n--b--\r\n"
    ).encode()


def complaint(recipient, message_id):
    return (
        "From: feedback@provider.example\r\nSubject: Abuse\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n"
        "--b\r\n\r\nSpam!\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\n"
        "Feedback-Type: abuse\r\nUser-Agent: Provider/1\r\nVersion: 1\r\n"
        f"Original-Rcpt-To: <{recipient}>\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: {message_id}\r\n"
        f"From: care@shop.example\r\nTo: {recipient}\r\nSubject: Hello\r\n\r\nHello\r\n--b--\r\n"
    ).encode()


# -- Postfix -----------------------------------------------------------------------------------

SERVICES = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
showq unix n - n - - showq
postlog unix-dgram n - n - 1 postlogd
"""
MAIN = """
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.shop.example
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtp_dns_support_level = disabled
smtp_host_lookup = native
lmtp_host_lookup = native
smtpd_client_connection_count_limit = 0
minimal_backoff_time = 2s
maximal_backoff_time = 4s
queue_run_delay = 2s
maillog_file = {home}/log
maillog_file_prefixes = {home}
transport_maps = texthash:{home}/etc/transport
alias_maps =
alias_database =
"""


class Postfix:
    """Debian's Postfix with a configuration and queue of its own; `routes` by domain."""

    def __init__(self, port):
        self.port = port
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="postfix-", dir="/tmp"))
        self.home.chmod(0o755)
        for name in ("etc", "queue", "data"):
            (self.home / name).mkdir()
        shutil.chown(self.home / "data", "postfix")
        (self.home / "etc/main.cf").write_text(MAIN.format(home=self.home))
        (self.home / "etc/master.cf").write_text(SERVICES.format(port=port))

    def start(self, **routes):
        lines = [f"{name.replace('__', '.')} {target}\n" for name, target in routes.items()]
        (self.home / "etc/transport").write_text("".join(lines))
        self._run("start")
        return f"smtp://127.0.0.1:{self.port}"

    def _run(self, what):
        done = subprocess.run(
            ["postfix", "-c", self.home / "etc", what], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr + self.log

    @property
    def log(self):
        path = self.home / "log"
        return path.read_text() if path.exists() else ""

    def stop(self):
        """By the process id in its own queue, which is what this command reads."""
        self._run("stop")
        shutil.rmtree(self.home)
