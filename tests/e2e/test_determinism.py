"""The same past gives the same state, whatever compiled the code and whatever runs it.

20,000 entries here; `tests/bench/determinism.py` compares a million over all build trees.
"""
import sys

import pytest
from conftest import BUILD, ROOT

sys.path.insert(0, str(ROOT / "tests" / "bench"))
import determinism  # noqa: E402

COUNT, SEED = 20_000, 1


def is_current(build):
    """A tree that was built before the last change would differ for a good reason."""
    program = build / "bench"
    folders = [ROOT / name for name in ("core", "storage", "tests/bench", "tests/sim")]
    sources = [
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.suffix in (".c", ".h", ".cc")
    ]
    return program.is_file() and program.stat().st_mtime >= max(s.stat().st_mtime for s in sources)


def test_builds_and_processors_agree_on_the_state():
    builds = [build for build in (BUILD, ROOT / "build" / "tsan") if is_current(build)]
    if not builds:
        pytest.skip("no current build of the program bench")
    assert determinism.compare(builds, COUNT, SEED)
