"""/metrics: read by Prometheus' own tool, documented line by line, and of one size."""
import pathlib
import re
import shutil
import subprocess

import pytest
from conftest import eventually

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = """
rule "greet" {
  on = "Hello",
  run = function(event, customer)
    remind { title = "call", to = "ann", due = "1s" }
    send { channel = "log", purpose = "service", body = "hello" }
  end,
}
"""


@pytest.fixture
def page(start, tmp_path):
    """page(): the metrics of a daemon that has done a little of everything."""
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "rules.lua").write_text(RULES)
    daemon = start("--scripts", scripts)
    daemon.send({"type": "track", "event": "Hello", "userId": 'u"1\n'})
    eventually(lambda: daemon.get("/v1/effects?state=sent").json["items"])
    eventually(lambda: daemon.metric("kith_reminder_lateness_seconds_count") > 0)
    return lambda: daemon.get("/metrics", key=None).body.decode()


def kinds(text):
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))


def test_prometheus_has_nothing_to_say_about_it(page):
    assert shutil.which("promtool"), "package prometheus is missing"
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=page(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_every_metric_is_documented_with_its_type_and_labels_and_no_other(page):
    text = page()
    rows = re.findall(
        r"^\| `(kith_\w+)` \| (\w+) \| (?:`(\w+)`)?", (ROOT / "docs/metrics.md").read_text(), re.M
    )
    assert {name: kind for name, kind, _ in rows} == kinds(text)
    for name, _, label in rows:
        used = set(re.findall(rf"^{name}(?:_bucket)?{{(\w+)=", text, re.M)) - {"le"}
        if not name.startswith("kith_plugin_"):  # of a plugin: test_plugin_outside.py
            assert used == ({label} if label else set()), name


def test_the_histograms_that_matter_have_counted(page):
    text = page()
    counts = {name: int(count) for name, count in re.findall(r"^(\w+)_count\S* (\d+)$", text, re.M)}
    for name in (
        "apply",
        "log_commit",
        "engine_apply",
        "checkpoint",
        "reminder_lateness",
        "delivery",
    ):
        assert counts[f"kith_{name}_seconds"] > 0, name
    assert set(counts) == {name for name, kind in kinds(text).items() if kind == "histogram"}


def test_buckets_grow_and_end_with_the_count(page):
    text = page()
    for name, kind in kinds(text).items():
        if kind == "histogram":
            values = [int(v) for v in re.findall(rf"^{name}_bucket{{.*}} (\d+)$", text, re.M)]
            assert values == sorted(values) and len(values) == 13
            assert values[-1] == int(re.search(rf"^{name}_count\S* (\d+)$", text, re.M).group(1))


def test_what_clients_send_makes_no_new_line(page):
    names = re.compile(r"^([^# ]\S*) ", re.M)
    assert names.findall(page()) == names.findall(page())
    assert 'u"1' not in page()
