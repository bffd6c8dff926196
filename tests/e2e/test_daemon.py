"""The daemon as a process: starting, refusing, stopping, signals, being idle."""
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import time

from conftest import BUILD

RULE = 'rule "greet" { on = "Hello", run = function(event, customer) %s end }\n'


ACT = 'customer:tag("seen" .. event.seq)'  # a trace names the rules that changed something


def scripts_in(path, body=ACT):
    path.mkdir(exist_ok=True)
    (path / "rules.lua").write_text(RULE % body)
    return path


def hello(daemon):
    daemon.send({"type": "track", "event": "Hello", "userId": "u-1"})
    return next(item for item in daemon.timeline("user_id:u-1") if item["type"] == "Hello")["trace"]


def refusal(start, *flags, **options):
    """The last line of a daemon that must not start."""
    daemon = start(*flags, is_ready=False, **options)
    assert daemon.wait() == 1, daemon.lines
    return daemon.lines[-1]


def test_help_and_version_need_no_data():
    for flag, word in (("--help", "usage: kithd"), ("--version", "kithd ")):
        done = subprocess.run([BUILD / "kithd", flag], capture_output=True, text=True, check=True)
        assert done.stdout.startswith(word)


def test_a_wrong_flag_is_a_usage_error():
    for flags in (["--colour"], ["--log", "xml"], ["serve"]):
        done = subprocess.run(
            [BUILD / "kithd", *flags], capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert "usage: kithd" in done.stderr


def test_without_a_data_directory_it_refuses():
    done = subprocess.run([BUILD / "kithd"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "--data DIR" in done.stderr


def test_a_data_directory_it_cannot_make_is_refused(start, tmp_path):
    (tmp_path / "file").write_text("")
    assert "file" in refusal(start, name="file/data")


def test_the_first_start_makes_two_keys_that_only_the_owner_reads(start):
    daemon = start()
    admin, write = daemon.key("admin"), daemon.key("write")
    assert admin != write and len(admin) >= 43 and len(write) >= 43
    for name in ("admin.key", "write.key"):
        assert stat.S_IMODE((daemon.data / name).stat().st_mode) == 0o600
    daemon.stop()
    again = start()
    assert (again.key("admin"), again.key("write")) == (admin, write)


def test_an_empty_key_file_is_refused_and_not_replaced(start, tmp_path):
    start().stop()
    (tmp_path / "data" / "write.key").write_text("\n")
    assert "write.key holds no key" in refusal(start)


def test_a_second_daemon_on_the_same_data_is_refused(start):
    first = start()
    assert f"another daemon uses {first.data} (process {first.pid}): stop it" in refusal(start)
    assert first.get("/healthz", key=None).status == 200


def test_the_number_in_the_lock_of_somebody_who_has_none_is_not_told(start):
    first = start()
    (first.data / "lock").write_text(f"{os.getpid()}\n")
    assert f"another daemon uses {first.data}: stop it" in refusal(start)


def test_sigterm_ends_it_with_zero_and_a_checkpoint(start):
    daemon = start()
    daemon.send({"type": "track", "event": "A", "userId": "u-1"})
    assert daemon.stop() == 0
    again = start()
    assert [item["type"] for item in again.timeline("user_id:u-1")][-1:] == ["A"]


def test_sigterm_ends_it_while_rules_answer_their_own_messages(start, tmp_path):
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "rules.lua").write_text(
        'rule "echo" { on = { "Hello", "effect.sent" }, run = function()\n'
        '  send { channel = "log", purpose = "service", body = "x" } end }\n'
    )
    daemon = start("--scripts", str(scripts))
    for first in range(0, 20000, 4000):
        daemon.send(
            *(
                {"type": "track", "event": "Hello", "userId": f"u-{i}"}
                for i in range(first, first + 4000)
            )
        )
    assert daemon.stop() == 0
    again = start()
    assert again.get("/v1/effects?state=uncertain").json["items"] == []
    assert again.stop() == 0


def test_sigterm_while_requests_run_answers_them(start):
    daemon = start()
    connection = daemon.connect()
    connection.putrequest("POST", "/v1/track")
    connection.putheader("Authorization", "Bearer " + daemon.key("write"))
    body = json.dumps({"event": "A", "userId": "u-1"}).encode()
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders()
    time.sleep(0.2)
    daemon.process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    connection.send(body)
    assert connection.getresponse().status == 200
    assert daemon.wait() == 0


def test_a_kill_loses_nothing_that_was_acknowledged(start):
    daemon = start()
    for i in range(20):
        answer = daemon.post("/v1/track", {"event": f"E{i}", "userId": "u-1"}, key="write")
        assert answer.status == 200
    daemon.kill()
    again = start()
    types = [item["type"] for item in again.timeline("user_id:u-1")]
    assert [kind for kind in types if kind.startswith("E")] == [f"E{i}" for i in range(19, -1, -1)]


def test_it_tells_the_service_manager(start, tmp_path):
    for name in (str(tmp_path / "notify"), "\0kith-test-%d" % os.getpid()):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(name)
            manager.settimeout(60)
            daemon = start(env={"NOTIFY_SOCKET": name.replace("\0", "@")})
            assert manager.recv(100) == b"READY=1"
            daemon.stop()
            assert manager.recv(100) == b"STOPPING=1"


def test_messages_are_json_on_request(start):
    daemon = start("--log", "json")
    line = json.loads(daemon.lines[0])
    assert line["text"].startswith("ready on http://127.0.0.1:")
    assert line["time"].endswith("Z")


def test_an_idle_daemon_costs_nothing(start):
    daemon = start()
    daemon.send({"type": "track", "event": "A", "userId": "u-1"})
    # The checkpoint that follows, and what the kernel puts off, come first: not at once, then.
    assert any(is_idle(daemon.pid) for _ in range(10))


def is_idle(pid):
    before = usage(pid)
    time.sleep(3)
    after = usage(pid)
    return after["ticks"] - before["ticks"] <= 1 and after["switches"] - before["switches"] <= 10


def usage(pid):
    """Clock ticks of CPU and voluntary context switches of all threads."""
    fields = open(f"/proc/{pid}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()
    switches = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        for line in open(f"/proc/{pid}/task/{task}/status", encoding="ascii"):
            if "ctxt_switches" in line:
                switches += int(line.split()[1])
    return {"ticks": int(fields[11]) + int(fields[12]), "switches": switches}


def test_the_configuration_is_read_and_flags_override_it(start, tmp_path):
    config = tmp_path / "kith.lua"
    config.write_text('data "elsewhere"\nlisten "127.0.0.1:1"\nzone "Europe/Berlin"\n')
    daemon = start("--config", config)
    assert (tmp_path / "data" / "admin.key").exists()
    assert not (tmp_path / "elsewhere").exists()
    assert daemon.port > 1


def test_a_mistake_in_the_configuration_is_told_with_its_line(start, tmp_path):
    config = tmp_path / "kith.lua"
    config.write_text('data "data"\nplugin "email" { grant = "all" }\n')
    assert "kith.lua:2: plugin" in refusal(start, "--config", config)


def test_a_plugin_that_is_nowhere_is_named(start, tmp_path):
    config = tmp_path / "kith.lua"
    config.write_text('data "data"\nplugin "email" {}\n')
    assert "--plugins DIR" in refusal(start, "--config", config)
    assert "email.so" in refusal(start, "--config", config, "--plugins", tmp_path)


def test_scripts_are_activated_at_the_first_start_only(start, tmp_path):
    scripts = scripts_in(tmp_path / "scripts")
    daemon = start("--scripts", scripts)
    assert [rule["name"] for rule in hello(daemon)["rules"]] == ["greet"]
    daemon.stop()
    (scripts / "rules.lua").write_text(RULE.replace("greet", "other") % ACT)
    again = start("--scripts", scripts)
    assert [rule["name"] for rule in hello(again)["rules"]] == ["greet"]


def test_scripts_that_do_not_load_refuse_the_start_with_their_line(start, tmp_path):
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "rules.lua").write_text("\n\nrule 5\n")
    assert "rules.lua:3:" in refusal(start, "--scripts", scripts)


def test_sighup_says_whether_the_scripts_differ(start, tmp_path):
    scripts = scripts_in(tmp_path / "scripts")
    config = tmp_path / "kith.lua"
    config.write_text('scripts "scripts"\n')
    daemon = start("--config", config)
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_line("are the active bundle")
    scripts_in(scripts, 'customer:tag("new")')
    config.write_text('scripts "scripts"\ncountry "DE"\n')
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_line("used from the next start on")
    daemon.wait_line(r"differ from the active bundle .*kith deploy")
    config.write_text("scripts scripts scripts\n")
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_line("configuration is not used: kith.lua:1:")
    assert daemon.get("/healthz", key=None).status == 200


def test_dev_activates_on_save(start, tmp_path):
    scripts = scripts_in(tmp_path / "scripts")
    daemon = start("--scripts", scripts, "--dev")
    (scripts / "rules.lua").write_text("rule 5")
    daemon.wait_line("not activated: rules.lua:1:")
    (scripts / "rules.lua").write_text(RULE.replace("greet", "other") % ACT)
    daemon.wait_line("that were saved are active")
    assert [rule["name"] for rule in hello(daemon)["rules"]] == ["other"]
    (scripts / "more").mkdir()
    time.sleep(1)  # the new folder is watched once things are quiet
    third = RULE.replace("greet", "third") % 'customer:tag("third" .. event.seq)'
    (scripts / "more" / "rule.lua").write_text(third)
    deadline = time.monotonic() + 30
    while sum("are active" in line for line in daemon.lines) < 2:
        assert time.monotonic() < deadline, daemon.lines
        time.sleep(0.05)
    assert {rule["name"] for rule in hello(daemon)["rules"]} == {"other", "third"}


def test_the_log_channel_writes_a_line_for_each_message(start, tmp_path):
    scripts = scripts_in(
        tmp_path / "scripts",
        'send { channel = "log", purpose = "service", body = "hi " .. event.seq }',
    )
    config = tmp_path / "kith.lua"
    config.write_text('scripts "scripts"\nchannel "log" { file = "messages" }\n')
    daemon = start("--config", config)
    hello(daemon)
    deadline = time.monotonic() + 30
    messages = tmp_path / "messages"
    while not messages.exists() or not messages.read_text().endswith("\n"):
        assert time.monotonic() < deadline, daemon.timeline("user_id:u-1")
        time.sleep(0.05)
    line = json.loads(messages.read_text())
    assert line["body"].startswith("hi ") and line["customer"] == 1 and line["time"]
    assert stat.S_IMODE(messages.stat().st_mode) == 0o600


def test_a_rebuild_gives_the_same_answers(start):
    daemon = start()
    daemon.send({"type": "identify", "userId": "u-1", "traits": {"name": "Ann"}})
    before = daemon.timeline("user_id:u-1")
    daemon.stop()
    again = start("--rebuild")
    assert again.timeline("user_id:u-1") == before


def test_without_sound_time_zones_it_says_what_to_install(start, tmp_path):
    zones = tmp_path / "zoneinfo"
    environment = {"TZDIR": str(zones)}
    line = refusal(start, env=environment)
    assert f"no time zones: {zones}: No such file" in line and "install the package tzdata" in line
    shutil.copytree("/usr/share/zoneinfo/Etc", zones / "Etc")
    shutil.copy("/usr/share/zoneinfo/UTC", zones / "UTC")
    (zones / "Etc/Torn").write_bytes((zones / "UTC").read_bytes()[:60])
    assert f"no time zones: {zones}/Etc/Torn: it ends in" in refusal(start, env=environment)
    (zones / "Etc/Torn").unlink()
    assert start(env=environment).get("/readyz", key=None).status == 200


def test_health_readiness_and_metrics_need_no_key(daemon):
    assert daemon.get("/healthz", key=None).json == {"status": "ok"}
    assert daemon.get("/readyz", key=None).json == {"reasons": [], "status": "ready"}
    before = daemon.metric("kith_events_accepted_total")
    daemon.send({"type": "track", "event": "A", "userId": "u-1"}, {"type": "nothing"})
    assert daemon.metric("kith_events_accepted_total") == before + 1
    assert daemon.metric("kith_events_rejected_total") == 1
    assert daemon.metric('kith_apply_seconds_bucket{le="+Inf"}') >= 1


def test_a_port_that_is_taken_is_named(start):
    first = start()
    assert f"port {first.port}" in refusal(
        start, "--listen", f"127.0.0.1:{first.port}", name="other"
    )


def test_it_serves_over_tls(start, tmp_path):
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "1",
            "-subj",
            "/CN=localhost",
            "-keyout",
            tmp_path / "key.pem",
            "-out",
            tmp_path / "cert.pem",
        ],
        check=True,
        capture_output=True,
    )
    config = tmp_path / "kith.lua"
    config.write_text('listen { "127.0.0.1:8443", cert = "cert.pem", key = "key.pem" }\n')
    daemon = start("--config", config)
    assert daemon.lines[0] == f"kithd: ready on https://127.0.0.1:{daemon.port}"
    context = ssl.create_default_context(cafile=tmp_path / "cert.pem")
    context.check_hostname = False
    connection = http.client.HTTPSConnection("127.0.0.1", daemon.port, context=context, timeout=60)
    connection.request("GET", "/healthz")
    assert connection.getresponse().status == 200
    connection.close()


def test_the_port_is_closed_when_it_has_ended(start):
    daemon = start()
    daemon.stop()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", daemon.port)) != 0


def test_a_certificate_that_is_not_there_is_told_as_that(start, tmp_path):
    path = tmp_path / "kith.lua"
    path.write_text('listen { "127.0.0.1:0", cert = "none.pem", key = "none.key" }\n')
    process = subprocess.run(
        [str(BUILD / "kithd"), "--data", str(tmp_path / "data"), "--config", str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode != 0
    assert "none.pem: No such file or directory" in process.stderr
