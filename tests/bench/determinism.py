#!/usr/bin/python3
"""determinism.py --builds DIR ... [--count N] [--seed N ...] -- one past, one state, everywhere.

Each build tree's `bench determinism` lives through the same history and prints the hash of the
state it came to (it has compared the live state with two fresh folds by then).  All builds, and
the first one on processors that pretend to have fewer instructions, must print the same.

Without --builds: every tree in build/ that has the program.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# The C library chooses its functions by what the processor has; these take it away.
PROCESSORS = {
    "without FMA": "-FMA,-FMA4",
    "without AVX2": "-AVX2,-FMA,-FMA4,-BMI1,-BMI2,-LZCNT,-MOVBE,-RTM",
    "of 2003": "-AVX512F,-AVX512VL,-AVX512BW,-AVX2,-AVX,-FMA,-FMA4,-BMI1,-BMI2,-LZCNT,-MOVBE,"
    "-ERMS,-FSRM,-SSE4_2,-SSE4_1,-SSSE3,-POPCNT",
}


class Failed(Exception):
    """A run ended with a difference or an error of its own."""


def memory_folder():
    """Flushes are not what is tested here: in memory if there is such a place."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def state_of(program, count, seed, **environment):
    """ "N entries HASH" of one run."""
    place = tempfile.mkdtemp(prefix="kith-determinism-", dir=memory_folder())
    try:
        done = subprocess.run(
            [
                program,
                "determinism",
                str(count),
                str(seed),
                "--data",
                place,
                "--rules",
                HERE / "determinism",
            ],
            capture_output=True,
            text=True,
            check=False,
            env=dict(os.environ, **environment),
        )
    finally:
        shutil.rmtree(place)
    if done.returncode != 0:
        raise Failed(f"{program}: {done.stderr.strip()[-2000:]}")
    return done.stdout.strip()


def runs_of(builds, count, seed, processors):
    """(name, state) of every build, and of the first one on each of the processors."""
    for build in builds:
        yield build.name, state_of(build / "bench", count, seed)
    for name, hidden in processors.items():
        yield f"{builds[0].name}, a processor {name}", state_of(
            builds[0] / "bench", count, seed, GLIBC_TUNABLES="glibc.cpu.hwcaps=" + hidden
        )


def compare(builds, count, seed, processors=PROCESSORS, tell=print):
    """Whether all runs came to the same state."""
    states = {}
    for name, state in runs_of(builds, count, seed, processors):
        tell(f"seed {seed}: {state}  {name}", flush=True)
        states.setdefault(state, []).append(name)
    return len(states) == 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--builds", nargs="+", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", nargs="+", type=int, default=[1])
    arguments = parser.parse_args()
    builds = arguments.builds or sorted(p.parent for p in (ROOT / "build").glob("*/bench"))
    builds = [build.resolve() for build in builds if (build / "bench").is_file()]
    if not builds:
        print("determinism: no build tree has the program bench; build it first")
        return 2
    good = 0
    try:
        good = sum(compare(builds, arguments.count, seed) for seed in arguments.seed)
    except Failed as reason:
        print(f"determinism: {reason}")
    failed = len(arguments.seed) - good
    print(f"{good} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
