#!/usr/bin/python3
"""fuzz.py --build DIR [--seconds N] [NAME...] -- run the fuzzers side by side, each for N seconds.

Each begins with what it learnt in earlier runs (DIR/corpus/NAME) and with a dictionary.  What it
finds is left in DIR/found as a file that repeats it: DIR/fuzz_NAME FILE.  The last line is
`N passed, N failed`.
"""
import argparse
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
INPUT_BYTES_MAX = 4096


def start(build, name, seconds):
    corpus, found = build / "corpus" / name, build / "found"
    corpus.mkdir(parents=True, exist_ok=True)
    found.mkdir(exist_ok=True)
    log = open(build / f"fuzz_{name}.log", "w")
    command = [build / f"fuzz_{name}", f"-max_total_time={seconds}", f"-max_len={INPUT_BYTES_MAX}"]
    command += [f"-dict={HERE / name}.dict", f"-artifact_prefix={found}/{name}-", "-timeout=10"]
    command += ["-print_final_stats=1", corpus]
    return subprocess.Popen([str(word) for word in command], stdout=log, stderr=subprocess.STDOUT)


def tell(build, name, returncode):
    log = (build / f"fuzz_{name}.log").read_text(errors="replace")
    runs = re.search(r"number_of_executed_units: (\d+)", log)
    coverage = re.findall(r"cov: (\d+)", log)
    print(
        f"{name}: {'nothing found' if returncode == 0 else 'FOUND: see ' + str(build / 'found')},",
        f"{int(runs[1]) if runs else 0:,} inputs, {coverage[-1] if coverage else 0} edges",
    )
    if returncode != 0:
        print("\n".join(log.splitlines()[-40:]))


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    names = arguments.names or sorted(dictionary.stem for dictionary in HERE.glob("*.dict"))
    running = [(name, start(build, name, arguments.seconds)) for name in names]
    failed = 0
    for name, process in running:
        failed += process.wait() != 0
        tell(build, name, process.returncode)
    print(f"{len(running) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
