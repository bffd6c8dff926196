"""How complaints are configured: as the page says, and nothing that would fail later."""
import re

import pytest

from conftest import ROOT
from test_complaint import _folder, configuration  # noqa: F401 (a fixture)


def test_the_readme_has_the_configuration_as_it_is():
    """The same names, types, defaults and sentences."""
    source = (ROOT / "plugins" / "complaint" / "kind.c").read_text()
    fields = re.findall(
        r'KITH_ITEM\(\s*field, \.name = "(\w+)", \.type = "(\w+)",\s+\.standard =\s+'
        r'"((?:[^"\\]|\\.)*)",\s+\.about =\s+"((?:[^"\\]|\\.)*)"'
        r"(?:, \.least = \d+,\s+\.most = \d+)?\)",
        source,
    )
    assert len(fields) == len(re.findall(r"KITH_ITEM\(\s*field", source))
    rows = []
    for name, kind, standard, words in fields:
        standard, words = standard.replace('\\"', '"'), words.replace('\\"', '"')
        rows.append(f"| `{name}` | {kind} | {standard} | {words} |".replace("|  |", "| |"))
    readme = (ROOT / "plugins" / "complaint" / "README.md").read_text()
    assert [row for row in rows if row not in readme] == []


@pytest.mark.parametrize(
    "policy, why",
    [
        ('survey_after = "soon"', 'config.survey_after is a duration like "3d", "10wd" or "4wh"'),
        ('recovery_after = "99999999y"', "config.recovery_after is a duration like"),
        ('recovery_within = "-1d"', "config.recovery_within is a duration like"),
        ('channel = "nochannel"', 'config.channel: no channel is called "nochannel"'),
        ("respond = 10", "config.respond is a duration like"),
        ("reopen_days = -1", "config.reopen_days is a whole number from 0 to 36500"),
        ("acknowledge_daily = 101", "config.acknowledge_daily is a whole number from 0 to 100"),
    ],
)
def test_what_would_fail_when_a_complaint_is_closed_is_refused_at_once(
    start, tmp_path, folder, policy, why
):
    config = configuration(tmp_path, folder, policy=policy)
    daemon = start("--config", config, is_ready=False)
    daemon.wait_line(f"plugin complaint: {why}")
    assert daemon.wait() == 1
