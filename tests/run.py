#!/usr/bin/python3
"""run.py [STEP...] -- every test and check of the project, cheapest first.

Stops at the first step that fails.  The last line is `N passed, N failed`: the
tests of all runners together; a check or a build that fails counts as one.

Three builds answer all questions.  `coverage` (gcc) carries the address and
undefined-behaviour sanitizers and the line counters at once: the unit tests
and the end-to-end tests run in it.  `tsan` (clang) is the thread sanitizer and
the second compiler's opinion of every file; the tests of the folders that have
threads run in it.  `release` (gcc -O2) is what people get; the simulator runs
in it because there speed buys seeds.

The end-to-end tests wait more than they compute, so two workers a processor share
them, and clang-tidy, which only computes, begins beside them at the lowest priority;
what it found is told when its turn comes.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests"
BUILD = ROOT / "build"
JOBS = str(os.cpu_count() or 1)
E2E_WORKERS = 2 * int(JOBS)
STEP_SECONDS_MAX = 3600
SIM_COUNT = 200

ENVIRONMENT = dict(
    os.environ,
    ASAN_OPTIONS="detect_stack_use_after_return=1:strict_string_checks=1",
    UBSAN_OPTIONS="print_stacktrace=1",
    TSAN_OPTIONS="second_deadlock_stack=1:allow_addr2line=1",
    PYTHONDONTWRITEBYTECODE="1")

LINT_BEGUN = []  # the findings to come of each file, or None

CLOSING_LINE = re.compile(r"^(\d+) passed, (\d+) failed$", re.M)


class Failed(Exception):
    """A step cannot go on; the reason is for the reader of the log."""


def execute(*command, is_shown=True, **environment):
    """Run a command, its output shown as it comes; return its exit code and output."""
    with subprocess.Popen([str(word) for word in command], cwd=ROOT, text=True,
                          env=dict(ENVIRONMENT, **environment), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          errors="replace") as process:
        output = []
        deadline = time.monotonic() + STEP_SECONDS_MAX
        with concurrent.futures.ThreadPoolExecutor(1) as watcher:
            watch = watcher.submit(end_at, process, deadline)
            for line in process.stdout:
                if is_shown:
                    print(line, end="", flush=True)
                output.append(line)
            process.wait()
            if watch.result():
                raise Failed(f"{command[0]} took longer than {STEP_SECONDS_MAX} s")
        return process.returncode, "".join(output)


def end_at(process, deadline):
    """Kill the process if it still runs at the deadline; tell whether that was needed."""
    try:
        process.wait(max(0, deadline - time.monotonic()))
        return False
    except subprocess.TimeoutExpired:
        process.kill()
        return True


def require(*command):
    code, _ = execute(*command)
    if code != 0:
        raise Failed(f"{' '.join(str(word) for word in command)}: exit code {code}")


def configure(preset):
    """Anew each time: what is installed now may not have been when it was first done."""
    code, output = execute("cmake", "--preset", preset, "--log-level=WARNING", is_shown=False)
    if code != 0:
        raise Failed(f"cmake --preset {preset}: exit code {code}\n{output}")


def build(preset, *targets):
    configure(preset)
    require("cmake", "--build", BUILD / preset, "--target", *(targets or ("all",)))


def has(folder, pattern):
    return any((ROOT / folder).glob(pattern))


# ---- Steps: each returns (passed, failed) or raises Failed ---------------------------


def style():
    """tidy.py's own tests, then its rules, then the layout."""
    code, output = execute(sys.executable, TESTS / "tidy_test.py")
    ran = re.search(r"^Ran (\d+) tests?", output, re.M)
    if code != 0 or not ran:
        raise Failed("tidy.py does not keep its promises")
    require(sys.executable, TESTS / "tidy.py")
    require(sys.executable, TESTS / "layout.py")
    return int(ran.group(1)), 0


def unit():
    """All unit tests under the address and undefined-behaviour sanitizers."""
    for counter in (BUILD / "coverage").rglob("*.gcda"):
        counter.unlink()  # of an earlier run, perhaps of other code
    build("coverage")
    return run_ctest("coverage")


def threads():
    """The unit tests of folders with threads under the thread sanitizer."""
    build("tsan")
    return run_ctest("tsan", "--label-regex", "^threads$")


def run_ctest(preset, *selection):
    report = BUILD / preset / "ctest.xml"
    report.unlink(missing_ok=True)
    code, _ = execute("ctest", "--test-dir", BUILD / preset, "--parallel", JOBS,
                      "--output-on-failure", "--test-output-size-passed", "1000000",
                      "--output-junit", report, *selection)
    if not report.exists():
        raise Failed(f"ctest: exit code {code}, no report")
    passed = failed = 0
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        good, bad = count_program(case)
        passed, failed = passed + good, failed + bad
    if passed + failed == 0:
        raise Failed(f"no unit test ran in build/{preset}")
    if code != 0 and failed == 0:
        raise Failed(f"ctest: exit code {code}")
    return passed, failed


def count_program(case):
    """The tests in one program that ctest ran."""
    return count_tests(case.get("name"), case.findtext("system-out") or "",
                       case.get("status") != "fail")


def count_tests(name, text, is_good):
    """The tests cmocka tells of; a program that died, or tested nothing, failed once."""
    passed = sum(int(n) for n in re.findall(r"\[  PASSED  \] (\d+) test", text))
    failed = sum(int(n) for n in re.findall(r"\[  FAILED  \] (\d+) test", text))
    if not is_good and failed == 0:
        return passed, 1
    if passed + failed == 0:
        print(f"{name}: ran no test")
        return 0, 1
    return passed, failed


def e2e():
    """The daemon and the command as people use them, still under the sanitizers."""
    if not has("tests/e2e", "**/test_*.py"):
        return 0, 0
    report = BUILD / "e2e.xml"
    report.unlink(missing_ok=True)
    build("release", "all", "bench")
    code, _ = execute(sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider",
                      "-n", E2E_WORKERS, f"--junitxml={report}", TESTS / "e2e",
                      KITH_BUILD=str(BUILD / "coverage"), KITH_RELEASE=str(BUILD / "release"))
    if not report.exists():
        raise Failed(f"pytest: exit code {code}, no report")
    suite = next(xml.etree.ElementTree.parse(report).iter("testsuite"))
    total, failed, skipped = (sum(int(suite.get(name, 0)) for name in names) for names in
                              (("tests",), ("failures", "errors"), ("skipped",)))
    if total - skipped == 0:
        raise Failed("no end-to-end test ran")
    if code != 0 and failed == 0:
        raise Failed(f"pytest: exit code {code}")
    return total - skipped - failed, failed


def sim_seed():
    """Every commit has seeds of its own, the same wherever it is tested; 1 outside a clone."""
    command = "git rev-parse HEAD 2>/dev/null || true"
    head = subprocess.run(command, shell=True, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    return int(head.stdout[:8] or "1", 16)


def sim():
    """The whole system from one seed, in virtual time, with faults: new seeds, and those that
    have failed before; and the store on the same disk, cut off at every call."""
    build("release", "life", "life2", "disk_lmdb")
    code, output = execute(BUILD / "release" / "disk_lmdb")
    stored = count_tests("disk_lmdb", output, code == 0)
    code, output = execute(sys.executable, TESTS / "sim" / "sim.py", "--life",
                           BUILD / "release" / "life", "--seed", sim_seed(), "--count", SIM_COUNT)
    lines = CLOSING_LINE.findall(output)
    passed, failed = (int(n) for n in lines[-1]) if lines else (0, 0)
    if passed + failed == 0 or (code != 0 and failed == 0):
        raise Failed(f"sim.py: exit code {code}, {passed} seeds passed")
    return passed + stored[0], failed + stored[1]


def lint():
    """clang-tidy over every C and C++ file that ships; what passed once is remembered."""
    if not LINT_BEGUN:
        lint_begin()
    findings = [found.result() for found in LINT_BEGUN if found.result()]
    print("\n".join(findings) or f"clang-tidy: {len(LINT_BEGUN)} files, nothing found")
    if findings:
        raise Failed(f"clang-tidy: {len(findings)} of {len(LINT_BEGUN)} files have findings")
    return 0, 0


def lint_begin():
    """Hand out the files, those first that take longest."""
    configure("tsan")
    commands = json.loads((BUILD / "tsan" / "compile_commands.json").read_text())
    ours = [entry for entry in commands
            if any(pathlib.Path(entry["file"]).is_relative_to(ROOT / folder)
                   for folder in ("core", "storage", "plugins", "tools"))]
    ours.sort(key=lambda entry: not entry["file"].endswith(".cc"))
    (BUILD / "lint").mkdir(exist_ok=True)
    pool = concurrent.futures.ThreadPoolExecutor(int(JOBS))
    LINT_BEGUN.extend(pool.submit(lint_file, entry) for entry in ours)


def lint_end():
    """When an earlier step has failed nobody waits for the rest."""
    for found in LINT_BEGUN:
        found.cancel()


def lint_file(entry):
    """clang-tidy's findings in one file, or None.  Same text, same answer: not asked twice."""
    words = shlex.split(entry["command"])
    words = words[next(i for i, word in enumerate(words) if "clang" in word):]
    words = words[:words.index("-o")] + ["-E", "-C", entry["file"]]
    text = subprocess.run(words, cwd=entry["directory"], capture_output=True, check=False).stdout
    key = hashlib.sha256((ROOT / ".clang-tidy").read_bytes() + " ".join(words).encode() + text)
    known = BUILD / "lint" / key.hexdigest()
    if known.exists():
        return None
    done = subprocess.run(["nice", "-n", "19", "clang-tidy", "--quiet", "-p", BUILD / "tsan",
                           entry["file"]], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        known.touch()
        return None
    return done.stdout + (done.stderr if not done.stdout else "")


def coverage():
    """Line coverage of what decides: core/ and storage/.  Printed, not judged."""
    require("gcovr", "--root", ".", "--object-directory", BUILD / "coverage", "-j", JOBS,
            "--filter", "core/", "--filter", "storage/", "--sort-uncovered", BUILD / "coverage")
    return 0, 0


STEPS = (style, unit, threads, e2e, sim, lint, coverage)


def main(names):
    known = {step.__name__: step for step in STEPS}
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"run.py: no step {unknown[0]}; there are {' '.join(known)}")
        return 2
    steps = [known[name] for name in names] or STEPS
    passed = failed = 0
    for step in steps:
        began = time.monotonic()
        print(f"\n== {step.__name__}: {step.__doc__.splitlines()[0]}", flush=True)
        try:
            if step is e2e and lint in steps:
                lint_begin()
            good, bad = step()
        except (Failed, OSError) as error:
            print(f"{step.__name__}: {error}")
            good, bad = 0, 1
        passed, failed = passed + good, failed + bad
        print(f"== {step.__name__}: {good} passed, {bad} failed in "
              f"{time.monotonic() - began:.1f} s", flush=True)
        if failed:
            break
    lint_end()
    print(f"\n{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
