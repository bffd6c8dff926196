"""docs/http.md: every command of the page runs as it stands."""
import os
import re
import subprocess

from conftest import ROOT

PAGE = (ROOT / "docs" / "http.md").read_text()
BLOCKS = ["".join(lines) for lines in re.findall(r"(?<=\n\n)((?:    .*\n)+)", PAGE)]


def test_every_command_of_the_page_runs(daemon):
    env = dict(os.environ, KITH_URL=f"http://127.0.0.1:{daemon.port}", KITH_KEY=daemon.key("admin"))
    answers = []
    for block in BLOCKS:
        done = subprocess.run(["bash", "-ec", block], env=env, capture_output=True, text=True)
        assert done.returncode == 0 and '"status":4' not in done.stdout, (block, done)
        answers.append(done.stdout)
    told, cloud, asked, heard = answers
    assert '"success":true' in told and '"success":true' in cloud
    assert asked.count("Ann Lee") >= 3 and "Order Completed" in asked and "teapot" in asked
    assert "Shop Visited" in heard and "Order Completed" not in heard


def test_every_path_that_the_page_names_is_there(daemon):
    paths = daemon.get("/openapi.json").json["paths"]
    named = set(re.findall(r"`?(?:GET|POST) (/[\w./]+)", PAGE))
    assert named and named <= set(paths)
