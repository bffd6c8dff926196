"""kith suppress: whoever is on the list gets nothing, and what it could not take is told."""
import pathlib

import pytest
from command import attach

RULES = """
rule "greet" {
  on = "Hello",
  run = function(event, customer)
    send { channel = "log", purpose = "service", body = "hello" }
  end,
}
"""


@pytest.fixture
def kith(start, tmp_path):
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "rules.lua").write_text(RULES)
    daemon = start("--scripts", folder)
    kith = attach(daemon)
    kith.folder = tmp_path
    return kith


def settle_in(kith, *people):
    """Customers with a desk, which is where the channel "log" writes to them."""
    for who in people:
        kith.daemon.send({"type": "identify", "userId": who})
        address = {"channel": "log", "value": f"desk of {who}"}
        call = {"type": "address.changed", "customer": f"user_id:{who}", "data": address}
        answer = kith.daemon.post("/v1/import?wait=applied", {"batch": [call]})
        assert answer.json == {"success": True}


def greeted(kith, who):
    """What became of a greeting, and why."""
    kith.daemon.send({"type": "track", "userId": who, "event": "Hello"})
    number = kith.json("show", f"user_id:{who}")[0]["id"]
    while True:
        last = next(i for i in kith.json("effects") if i["customer"] == number)
        if last["state"] not in ("pending", "claimed"):
            return last["state"], last.get("reason")


def write(kith, text):
    path = kith.folder / "list.csv"
    path.write_text(text)
    return path


SUPPRESSED = ("suppressed", "on the suppression list")


def test_nothing_goes_to_an_address_on_the_list_until_it_is_taken_off(kith):
    settle_in(kith, "a", "b", "c")
    path = write(kith, 'desk of a\n\n"desk of b","asked, twice"\n')
    assert kith("suppress", path, "--channel", "log", "--reason", "gone") == (
        "2 addresses will not be written to\n"
    )
    assert greeted(kith, "a") == greeted(kith, "b") == SUPPRESSED
    assert greeted(kith, "c")[0] == "sent"
    kith("suppress", path, "--channel", "log")
    assert "may be written to again" in kith("suppress", path, "--channel", "log", "--remove")
    assert greeted(kith, "a")[0] == greeted(kith, "b")[0] == "sent"


def test_a_line_that_is_no_address_is_kept_with_its_reason_and_the_command_fails(kith):
    path = write(kith, "desk of a\nx,y,z\n,\n" + "far too long " * 100 + "\n")
    code, out, err = kith.run("suppress", path, "--channel", "log")
    assert code == 1 and "1 address" in out and "3 rows rejected" in out
    rejected = pathlib.Path(f"{path}.rejected")
    lines = rejected.read_text().splitlines()
    assert lines[0] == '"rejected_because"' and lines[1].endswith('are expected",x,y,z')
    assert [line.split(":")[0] for line in lines[1:]] == ['"line 2', '"line 3', '"line 4']
    lines = [lines[0], lines[1].replace("x,y,z", 'desk of x,"y,z"'), lines[2].split(",")[0]]
    rejected.write_text("\n".join(lines) + "\n")
    settle_in(kith, "x")
    code, out, _ = kith.run("suppress", rejected, "--channel", "log")
    assert code == 1 and "1 address will" in out and "1 row rejected" in out  # nothing is there
    assert greeted(kith, "x") == SUPPRESSED


def test_a_long_list_goes_in_batches_and_its_number_is_told(kith):
    path = write(kith, "".join(f"desk {number}\n" for number in range(1700)))
    assert kith.json("suppress", path, "--channel", "log") == [
        {"rows": 1700, "sent": 1700, "rejected": 0}
    ]
    code, out, err = kith.run("suppress", path)
    assert code == 2 and "--channel" in err
    assert kith.run("suppress", "nowhere", "--channel", "log")[0] == 1
    kith.daemon.stop()
    assert kith.run("suppress", path, "--channel", "log")[0] == 3
