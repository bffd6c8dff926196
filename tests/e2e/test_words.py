"""The README and docs/: what they show is printed, name is there, and advise works."""
import re
import shutil
import subprocess
import sys

import pytest

from conftest import BUILD, ROOT

DOCS = sorted((ROOT / "docs").glob("*.md"))
PATHS = re.compile(r"\b(?:core|storage|tests|tools|scripts|docs|plugins)/[\w./-]*\w")


def text(name):
    return (ROOT / name).read_text()


# ---- README -------------------------------------------------------------------------------------


def test_the_recording_in_the_readme_is_what_is_printed():
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "record.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr + "\nmend it with: tools/record.py"


def test_every_make_target_that_is_named_is_there():
    makefile = text("Makefile")
    for path in [ROOT / "README.md", *DOCS]:
        for target in re.findall(r"(?:^    |`)make ([a-z-]+)\b", path.read_text(), re.M):
            assert re.search(rf"^{target}:", makefile, re.M), (path.name, target)


# ---- What is named is there ----------------------------------------------------------------------


@pytest.mark.parametrize("path", [ROOT / "README.md", *DOCS], ids=lambda path: path.name)
def test_every_path_of_the_tree_that_is_named_is_there(path):
    named = set(PATHS.findall(path.read_text()))
    missing = [name for name in named if not list(ROOT.glob(name)) and "/data" not in name]
    assert not missing


def test_the_reading_order_names_files_that_are_there():
    order = text("docs/architecture.md").split("## Reading order")[1]
    folder = None
    for word in re.findall(r"`([\w./*-]+)`", order):
        folder = word.rsplit("/", 1)[0] if "/" in word and not word.endswith("/") else folder
        folder = word.rstrip("/") if word.endswith("/") else folder
        if re.fullmatch(r"[\w*]+\.[chpy]+", word):
            assert list((ROOT / folder).glob(word)), f"{folder}/{word}"


def test_every_guarantee_says_what_holds_it():
    promises = text("docs/guarantees.md").split("\n## ")[1:-1]  # the last: what is not promised
    assert len(promises) >= 7
    for promise in promises:
        assert re.search(r"Held by:\s+`tests/", promise), promise.splitlines()[0]


def test_every_limit_that_a_guarantee_names_is_the_one_in_force():
    limits = text("core/base/limits.h")
    told = text("docs/guarantees.md")
    for name, value, words in (
        ("DEDUPE_DAYS", "30", "within 30 days"),
        ("RULE_INSTRUCTIONS_MAX", "2000000", "2,000,000 instructions"),
        ("RULE_MEMORY_BYTES_MAX", "(8u << 20)", "8 MiB of its own"),
        ("RULE_ARENA_BYTES_MAX", "(64u << 20)", "64 MiB of the engine's"),
        ("DERIVED_MAX", "1000", "1,000 events of one cause"),
        ("CASCADE_DEPTH_MAX", "16", "16 deep"),
        ("TIMERS_PER_TICK_MAX", "500", "at most 500 an entry"),
        ("CLOCK_JUMP_MS", "(10ll * 60 * 1000)", "more than 10 minutes"),
        ("CLOCK_GAP_MS", "(7ll * 24 * 3600 * 1000)", "7 days"),
        ("EFFECT_EXPIRES_MS", "(24ll * 3600 * 1000)", "24 hours unless the rule says otherwise"),
    ):
        assert re.search(rf"#define {name} +{re.escape(value)}\s", limits), name
        assert words in told, words


def test_the_format_of_the_state_is_the_one_in_force():
    (version,) = re.findall(r"^#define STATE_FORMAT (\d+)", text("storage/state.h"), re.M)
    assert f"Format version of the state: {version} (" in text("docs/state.md")


# ---- Links, and what can be called ---------------------------------------------------------------

PAGES = [ROOT / "README.md", *DOCS]


def anchors(path):
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(), re.M)
    kept = (re.sub(r"[^\w -]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in kept}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"https?:", link):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.is_file(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_is_linked_from_the_readme():
    linked = set(re.findall(r"\]\(docs/([\w-]+\.md)", text("README.md")))
    assert {path.name for path in DOCS} - linked == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_command_that_is_named_has_the_options_that_are_shown(page):
    """`kith COMMAND ... --option` in running text, and lines of commands to type."""
    said = page.read_text()
    shown = re.findall(r"`kith ([a-z][^`]*)`", said)
    shown += re.findall(r"^    (?:\$ )?kith ([a-z].*)$", said, re.M)
    for line in shown:
        words = line.split(" | ")[0].split("#")[0].split()
        done = subprocess.run(
            [BUILD / "kith", "help", *[word for word in words[:2] if re.fullmatch("[a-z]+", word)]],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0 or "\nusage: kith" in done.stdout:  # the second is an argument
            done = subprocess.run(
                [BUILD / "kith", "help", words[0]], capture_output=True, text=True, check=False
            )
        assert done.returncode == 0, (page.name, line, done.stderr)
        for option in re.findall(r"(?<!\S)--([a-z][\w-]*)", " ".join(words)):
            assert f"--{option}" in done.stdout, (page.name, line)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_flag_of_the_daemon_that_is_named_is_there(page):
    usage = subprocess.run(
        [BUILD / "kithd", "--help"], capture_output=True, text=True, check=True
    ).stdout
    for line in re.findall(r"\bkithd (--[a-z][^`\n]*)", page.read_text()):
        for flag in re.findall(r"(?<!\S)(--[a-z]+)", line):
            assert flag in usage, (page.name, line)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_metric_that_is_named_is_in_the_list(page):
    listed = set(re.findall(r"`(kith_\w+)", text("docs/metrics.md")))
    listed |= {name + end for name in listed for end in ("_bucket", "_sum", "_count")}
    named = set(re.findall(r"`(kith_[a-z_]+)[`{]", page.read_text()))
    assert named <= listed


def test_every_route_that_is_named_is_there(daemon):
    paths = daemon.get("/openapi.json").json["paths"]
    routes = [re.sub(r"\\\{[^/]*?\\\}", "[^/]+", re.escape(path)) for path in paths]
    for page in PAGES:
        named = re.findall(r"\b(GET|POST|PUT|DELETE|PATCH) (/[\w./{}:-]*\w\}?)", page.read_text())
        for method, path in set(named) - {("POST", "/kith")}:  # the example of a receiver's own
            assert any(
                re.fullmatch(route, path) and method.lower() in paths[given]
                for route, given in zip(routes, paths)
            ), (page.name, method, path)


# ---- Operating -----------------------------------------------------------------------------------


def test_what_the_daemon_says_when_something_is_wrong_is_what_the_manual_lists():
    table = text("docs/operating.md").split("## When something is wrong")[1]
    source = "".join(path.read_text() for path in (ROOT / "core" / "server").glob("*.c"))
    source = re.sub(r'"\s*\n\s*"', "", source)
    for said in (
        "another daemon",
        "the log cannot be written, and is tried again",
        "the state cannot be written",
        "log time stands still",
        "differ from the active bundle",
        "the configuration is not used",
    ):
        assert said in table and said in source, said


def test_a_copy_of_the_directory_is_a_backup(start, tmp_path):
    first = start(name="first")
    first.send({"type": "identify", "userId": "u-1", "traits": {"name": "Ann"}})
    assert first.stop() == 0
    shutil.copytree(tmp_path / "first", tmp_path / "copy")
    second = start(name="copy")
    assert second.get("/v1/customers/user_id:u-1").json["traits"]["name"] == "Ann"


def test_a_state_that_is_deleted_is_made_again(start, tmp_path):
    first = start(name="data")
    first.send({"type": "identify", "userId": "u-1", "traits": {"name": "Ann"}})
    assert first.stop() == 0
    shutil.rmtree(tmp_path / "data" / "state")
    second = start(name="data")
    assert second.get("/v1/customers/user_id:u-1").json["traits"]["name"] == "Ann"
    done = subprocess.run(
        [BUILD / "kith", "--url", f"http://127.0.0.1:{second.port}", "verify"]
        + ["--key-file", tmp_path / "data" / "admin.key"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
