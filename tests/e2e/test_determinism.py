"""The same past gives the same state, whatever compiled the code and whatever runs it.

20,000 entries on each processor, by the release build, the fastest and the one people run: in it
the C library's own functions are called, which the address sanitizer would put its own before.
The first 5,000 by every compiler, also in the builds that take ten times as long.
`make determinism` compares a million over all build trees.
"""
import sys

import pytest
from conftest import BUILD, RELEASE, ROOT

sys.path.insert(0, str(ROOT / "tests" / "bench"))
import determinism  # noqa: E402

COUNT, SANITIZED_COUNT, SEED = 20_000, 5_000, 1


def is_current(build):
    """A tree that was built before the last change would differ for a good reason."""
    program = build / "bench"
    folders = [ROOT / name for name in ("core", "storage", "tests/bench")]
    sources = [path for folder in folders for path in folder.rglob("*.[ch]*")]
    sources = [path for path in sources if path.parent != ROOT / "core"]  # other programs
    sources.append(ROOT / "tests" / "sim" / "dice.h")
    return program.is_file() and program.stat().st_mtime >= max(s.stat().st_mtime for s in sources)


def current(*builds):
    found = [build for build in dict.fromkeys(builds) if is_current(build)]
    if not found:
        pytest.skip("no current build of the program bench")
    return found


@pytest.mark.long(40)
def test_processors_agree_on_the_state():
    builds = current(RELEASE, BUILD)[:1]
    assert determinism.compare(builds, COUNT, SEED, determinism.PROCESSORS)


@pytest.mark.long(40)
def test_builds_agree_on_the_state():
    builds = current(RELEASE, BUILD, ROOT / "build" / "tsan")
    assert determinism.compare(builds, SANITIZED_COUNT, SEED, {})
