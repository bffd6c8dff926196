"""JSONTestSuite: of its texts nothing invalid is taken, and nothing valid is refused.

Each is sent as a property of an event, since only an object is an event.  What the suite leaves
open (i_...) is answered one way or the other, and the daemon goes on.
"""
import json
import pathlib
import shutil
import subprocess

import pytest

import npm
from conftest import BUILD

SUITE = pathlib.Path(__file__).resolve().parent / "json_suite"


@pytest.fixture(scope="module")
def cases():
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    with npm.alone():
        return install_and_list()


def install_and_list():
    folder = BUILD.parent / "npm" / SUITE.name
    folder.mkdir(parents=True, exist_ok=True)
    for file in SUITE.iterdir():
        shutil.copy(file, folder)
    if not (folder / "node_modules").exists():
        install = ["npm", "ci", "--no-audit", "--no-fund"]
        done = subprocess.run(install, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip("npm cannot be reached: " + done.stderr.strip().splitlines()[-1])
    output = subprocess.run(["node", "cases.js"], cwd=folder, capture_output=True, check=True)
    return json.loads(output.stdout)


def answer_to(daemon, connection, number, text):
    body = f'{{"event":"E","userId":"u","messageId":"{number}","properties":{{"v":{text}}}}}'
    return daemon.call("POST", "/v1/track", body.encode(), key="write", connection=connection)


def test_what_is_valid_is_taken_and_nothing_else(daemon, cases):
    connection = daemon.connect()
    wrong, counts = [], {"y": 0, "n": 0, "i": 0}
    for number, case in enumerate(cases):
        status = answer_to(daemon, connection, number, case["input"]).status
        expected = {"y": (200,), "n": (400,), "i": (200, 400)}[case["name"][0]]
        counts[case["name"][0]] += 1
        if status not in expected:
            wrong.append((case["name"], case["input"][:60], status))
    assert not wrong
    assert counts["y"] > 90 and counts["n"] > 180 and counts["i"] > 30, counts
