#!/usr/bin/python3
"""layout.py [--fix] -- are all C sources laid out as .clang-format says?

clang-format 14 has no notion of three forms this project uses: an attribute on
a line of its own above a declaration, a comment behind the brace that opens an
enum, and a macro that stands for an initialiser.  They are hidden from it
behind line comments and brought back after; macros stay as they are written.
"""
import concurrent.futures
import difflib
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("core", "plugins", "storage", "tests", "tools")

# What is hidden becomes `//@` and its text, which may be moved but not changed.
HIDE = ((re.compile(r"^ *#define .*(?:(?<=\\)\n.*)*", re.M),
         lambda found: re.sub(r"^", "//@", found.group(), flags=re.M)),
        (re.compile(r"^(__attribute__\(\(.*\)\))$", re.M), r"//@\1"),
        (re.compile(r"^(.*\benum\b.*\{) (/\*.*\*/)$", re.M), r"\1\n//@\2"))
SHOW = ((re.compile(r"\{\n *//@(/\*.*\*/)$", re.M), r"{ \1"),
        (re.compile(r"^ *//@", re.M), ""))


def substitute(pairs, text):
    for pattern, replacement in pairs:
        text = pattern.sub(replacement, text)
    return text


def formatted(path, text):
    """The text as it should be."""
    command = ["clang-format", f"--style=file:{ROOT}/.clang-format", f"--assume-filename={path}"]
    done = subprocess.run(command, input=substitute(HIDE, text), capture_output=True,
                          text=True, check=True)
    return substitute(SHOW, done.stdout)


def sources(root=ROOT):
    return sorted(path for folder in FOLDERS for path in (root / folder).rglob("*")
                  if path.suffix in (".c", ".h", ".cc"))


def main(arguments):
    fix = arguments == ["--fix"]
    paths = sources()
    old = [path.read_text() for path in paths]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        new = list(pool.map(formatted, paths, old))
    wrong = [change for change in zip(paths, old, new) if change[1] != change[2]]
    for path, before, after in wrong:
        name = str(path.relative_to(ROOT))
        if fix:
            path.write_text(after)
            print(f"{name}: laid out anew")
        else:
            sys.stdout.writelines(difflib.unified_diff(
                before.splitlines(True), after.splitlines(True), name, "make format makes it"))
    if wrong and not fix:
        print(f"layout: {len(wrong)} files differ from .clang-format; run `make format`")
    return 1 if wrong and not fix else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
