"""What an operator types: TLS of his own, a restore with nothing running, a port that is taken."""
import os
import subprocess

from conftest import BUILD
from test_service import make_certificate


def run(*words, **env):
    base = {name: value for name, value in os.environ.items() if not name.startswith("KITH_")}
    return subprocess.run(
        [str(BUILD / "kith"), *map(str, words)],
        env=dict(base, **env),
        capture_output=True,
        text=True,
    )


def test_the_command_believes_who_is_named_and_says_how(start, tmp_path):
    make_certificate(tmp_path, "kith")
    config = tmp_path / "kith.lua"
    config.write_text('listen { "127.0.0.1:0", cert = "cert.pem", key = "key.pem" }\n')
    daemon = start("--config", config, "--listen", "127.0.0.1:0")
    url, key = f"https://127.0.0.1:{daemon.port}", daemon.key("admin")
    done = run("reminders", KITH_URL=url, KITH_KEY=key)
    assert done.returncode == 3 and "--ca FILE, or KITH_CA" in done.stderr
    ca = tmp_path / "cert.pem"
    assert run("reminders", KITH_URL=url, KITH_KEY=key, KITH_CA=str(ca)).returncode == 0
    assert run("reminders", "--ca", ca, KITH_URL=url, KITH_KEY=key).returncode == 0
    done = run("reminders", "--ca", tmp_path / "none", KITH_URL=url, KITH_KEY=key)
    assert done.returncode == 2 and "cannot read the certificates" in done.stderr
    done = run("reminders", KITH_URL=url.replace("https", "http"), KITH_KEY=key)
    assert done.returncode == 3 and "write https://" in done.stderr


def test_a_restore_needs_no_key(daemon, tmp_path):
    env = {"KITH_URL": f"http://127.0.0.1:{daemon.port}", "KITH_KEY": daemon.key("admin")}
    assert run("backup", tmp_path / "copy", **env).returncode == 0
    done = run("restore", tmp_path / "copy", "--data", tmp_path / "restored")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "restored" / "admin.key").exists()


def test_a_port_that_is_taken_is_told_with_the_way_out(daemon, tmp_path):
    done = subprocess.run(
        [BUILD / "kithd", "--data", tmp_path / "d", "--listen", f"127.0.0.1:{daemon.port}"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and "--listen HOST:PORT" in done.stderr
