#!/usr/bin/python3
"""tidy.py [ROOT] -- the rules of this project that no compiler knows.

Prints one line for each breach, `file:line: what is wrong; what to do`, and
exits 1 when there was any.  The folder tree is the order of dependency, so the
rule that matters most is the one about includes; the others keep files and
functions small enough to be read.

Code is looked at with comments and the contents of strings blanked out, line
numbers kept.  That is enough for these rules and needs no parser.
"""
import os
import re
import sys

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 800
LONG_FILES = {"plugins/sdk/kith.h": 1200}  # the contract is one header, and its own manual
COLUMNS_MAX = 100

CODE = (".c", ".h", ".cc")
SCRIPTS = (".py", ".sh", ".lua", ".cmake")
NAMES = ("Makefile", "run")
PROSE = (".md", ".txt", ".json", ".in", ".html", ".css", ".js", ".yml", ".1", ".5", ".8")
SKIPPED_FOLDERS = {"build", "data", "__pycache__", ".git", ".pytest_cache"}  # data: not ours

# Lowest first.  A file may include its own folder and those before it.
ORDER = (
    "plugins/sdk/",
    "core/base/",
    "storage/",
    "core/engine/",
    "core/script/",
    "core/plugin/",
    "core/http/",
    "core/outside/",
    "core/server/",
    "core/cli/",
)

# Whose header it is: only there may it be included.  Tests may include all.
OWNED_HEADERS = (
    (re.compile(r"lmdb\.h"), ("storage/",), "storage/"),
    (
        re.compile(r"(lua5\.4/)?(lua|lualib|lauxlib|luaconf)\.h(pp)?"),
        ("core/script/",),
        "core/script/",
    ),
    (
        re.compile(r"uv(/.*)?\.h"),
        ("core/http/", "core/outside/", "core/server/", "core/kithd.c"),
        "core/http/ and above",
    ),
)

# The functions, where they are banned, where they are not, and what to do instead.
EVERYWHERE = ("",)
DETERMINISTIC = ("core/engine/", "core/script/")
PRINTERS = (
    "core/cli/",
    "core/kithd.c",
    "core/base/mem.c",
    "tests/",
    "tools/",
    "plugins/sdk/template/test_",
)
BANNED = (
    (
        "strcpy strcat strncpy sprintf vsprintf gets",
        EVERYWHERE,
        (),
        "it does not know the size of its target; use a struct buf or snprintf()",
    ),
    ("strtok", EVERYWHERE, (), "it keeps state between calls and cuts its input; walk a pointer"),
    ("atoi atol atof", EVERYWHERE, (), "it cannot report bad input; use strtoll() or a parser"),
    ("alloca", EVERYWHERE, (), "the stack has no error; use an arena"),
    ("rand srand random", EVERYWHERE, (), "take randomness from the caller"),
    (
        "time gettimeofday clock_gettime getrandom rand_r getenv",
        DETERMINISTIC,
        (),
        "a replay must give the same result; take it from the entry",
    ),
    (
        "luaL_tolstring lua_topointer",
        DETERMINISTIC,
        (),
        "it shows an address, which no replay repeats; use sandbox_push_text()",
    ),
    ("printf fprintf", EVERYWHERE, PRINTERS, "library code returns a struct err; programs print"),
)

# Written in two pieces, so that this file keeps its own rules.
MARKERS = ("TO" "DO", "FIX" "ME", "X" "XX", "HA" "CK")
MACHINE_FOLDERS = ("wo" "rk", "ho" "me", "ro" "ot")
REGISTRIES = (
    "deb.deb" "ian.org",
    "security.deb" "ian.org",
    "registry.np" "mjs.org",
    "py" "pi.org",
    "files.pythonho" "sted.org",
    "crat" "es.io",
    "proxy.gol" "ang.org",
    "luaro" "cks.org",
    "docker" ".io",
    "gh" "cr.io",
)

MARKER = re.compile(r"\b(%s)\b" % "|".join(MARKERS))
MACHINE_PATH = re.compile(r"(?<![\w./-])/(%s)/" % "|".join(MACHINE_FOLDERS))
REGISTRY = re.compile("|".join(re.escape(host) for host in REGISTRIES))
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


class Source:
    """One file: its path from the root, its lines, and its lines as code."""

    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.lines = text.split("\n")
        self.is_code = path.endswith(CODE)
        self.code = NOT_CODE.sub(blanked, text).split("\n") if self.is_code else []

    def is_in(self, places):
        return any(self.path.startswith(place) for place in places)


def blanked(match):
    """Spaces for what is not code; quotes and line breaks stay."""
    text = match.group(0)
    if text[0] in "\"'":
        return text[0] + " " * (len(text) - 2) + text[0]
    return re.sub(r"[^\n]", " ", text)


# ---- Rules: each yields (line, message) ------------------------------------------


def rule_blanks(source):
    if "\r" in source.text:
        yield 1, "carriage returns; save it with line feeds only"
    for number, line in enumerate(source.lines, 1):
        if "\t" in line and os.path.basename(source.path) != "Makefile":
            yield number, "a tab; indent with 4 spaces"
        if line != line.rstrip(" \t"):
            yield number, "blanks at the end of the line; remove them"
    if not source.text.endswith("\n"):
        yield len(source.lines), "no line feed at the end of the file; add one"
    elif source.text.endswith("\n\n"):
        yield len(source.lines) - 1, "empty lines at the end of the file; remove them"


def rule_lengths(source):
    if not source.path.endswith(CODE + SCRIPTS):
        return
    count = source.text.count("\n")
    most = LONG_FILES.get(source.path, FILE_LINES_MAX)
    if count > most:
        yield count, f"a file of {count} lines, at most {most}; split it by idea"
    for number, line in enumerate(source.lines, 1):
        if len(line) > COLUMNS_MAX:
            yield number, f"{len(line)} columns, at most {COLUMNS_MAX}; break the line"


def rule_markers(source):
    for number, line in enumerate(source.lines, 1):
        found = MARKER.search(line)
        if found:
            yield number, f"a leftover {found.group(1)}; do it now or take it out"


def rule_machines(source):
    for number, line in enumerate(source.lines, 1):
        found = MACHINE_PATH.search(line)
        if found:
            yield number, f"a path of one machine, {found.group(0)}; make it relative or a setting"
        found = REGISTRY.search(line)
        if found:
            yield number, f"the host of a package registry, {found.group(0)}; name the package only"


def rule_essay(source):
    if not source.is_code:
        return
    name = os.path.basename(source.path)
    if not re.match(r"/\* %s -- \S" % re.escape(name), source.text):
        yield 1, f"no opening essay; begin with `/* {name} -- what it is for`"


def rule_guard(source):
    if not source.path.endswith(".h"):
        return
    wanted = [guard_of(source.path)]
    if source.path.startswith("plugins/sdk/"):  # installed, and included, without a folder
        wanted.append(guard_of(os.path.basename(source.path)))
    for number, line in enumerate(source.code, 1):
        if not line.strip():
            continue
        name = line.split()[1] if re.match(r"#ifndef \w+$", line.rstrip()) else None
        if name not in wanted:
            yield number, f"not the guard of this path; begin with `#ifndef {wanted[-1]}`"
        elif number == len(source.code) or source.code[number].split() != ["#define", name]:
            yield number + 1, f"the guard is not defined; write `#define {name}`"
        return
    yield 1, f"no header guard; begin with `#ifndef {wanted[-1]}`"


def guard_of(path):
    return re.sub(r"\W", "_", path).upper()


def rule_includes(source):
    if not source.is_code or source.is_in(("tests/",)):
        return
    for number, line in enumerate(source.lines, 1):
        found = INCLUDE.match(line)
        if not found or not source.code[number - 1].strip():
            continue
        quote, target = found.groups()
        for header, places, where in OWNED_HEADERS:
            if header.fullmatch(target) and not source.is_in(places):
                yield number, f"{target} belongs to {where}; use what that folder offers"
        if quote == '"':
            problem = include_problem(source.path, target)
            if problem:
                yield number, problem


def include_problem(path, target):
    """Why a quoted include is refused, or None."""
    if re.match(r"plugins/(?!sdk/)", path):
        if "/" in target and not target.startswith(os.path.dirname(path) + "/"):
            return f"a plugin sees plugins/sdk and its own folder, not {target}; ask the host"
        return None
    if path.startswith("plugins/sdk/") and "/" not in target:
        return None  # installed side by side
    ours, theirs = rank(path), rank(target)
    if ours is None:
        return f"{os.path.dirname(path)}/ has no place in the order of folders; give it one here"
    if theirs is None:
        return f'"{target}" is not a path from the root; write it as "core/base/err.h"'
    if theirs > ours:
        return f"{target} lies above {os.path.dirname(path)}/; include downwards only ({order()})"
    return None


def rank(path):
    """The place of a path in ORDER; core/*.c and tools/*.c stand above all; None outside."""
    for place, folder in enumerate(ORDER):
        if path.startswith(folder):
            return place
    return len(ORDER) if re.fullmatch(r"(core|tools)/\w+\.[ch]", path) else None


def order():
    return " < ".join(folder.rstrip("/") for folder in ORDER)


def rule_banned(source):
    if not source.is_code:
        return
    for names, places, exempt, advice in BANNED:
        if not source.is_in(places) or source.is_in(exempt):
            continue
        # A member of that name is somebody's own function: clock->time(clock).
        call = re.compile(r"(?<![\w.])(?<!->)(%s)\s*\(" % names.replace(" ", "|"))
        for number, line in enumerate(source.code, 1):
            for found in call.finditer(line):
                if not line.lstrip().startswith("#include"):
                    yield number, f"{found.group(1)}() is banned here; {advice}"


def rule_functions(source):
    if not source.is_code:
        return
    for name, first, last in functions(source.code):
        if last - first + 1 > FUNCTION_LINES_MAX:
            yield first, (
                f"{name}() has {last - first + 1} lines, at most {FUNCTION_LINES_MAX}; "
                "let the parent branch and move the pieces below it"
            )


def functions(code):
    """Yield (name, first line, last line) of each function, its signature included.

    A function is what opens a brace at the top level after a closing
    parenthesis; extern "C" and namespaces do not count as a level.
    """
    depth, transparent, head, head_line, name, first = 0, [], "", 0, None, 0
    in_directive = False
    for number, line in enumerate(code, 1):
        in_directive = in_directive or line.lstrip().startswith("#")
        if in_directive:
            in_directive = line.endswith("\\")
            continue
        for character in line + "\n":
            if character == "{":
                if depth == 0 and re.match(r'\s*(extern\s+"|(inline\s+)?namespace\b)', head):
                    transparent.append(number)
                    head = ""
                    continue
                if depth == 0:
                    name, first = function_name(head), head_line
                depth += 1
            elif character == "}" and depth == 0 and transparent:
                transparent.pop()
                head = ""
            elif character == "}":
                depth = max(depth - 1, 0)
                if depth == 0 and name:
                    yield name, first, number
                if depth == 0:
                    head, name = "", None
            elif depth == 0 and character == ";":
                head = ""
            elif depth == 0:
                if not head.strip():
                    head_line = number
                head += character


def function_name(head):
    """The name before the first parenthesis that is no attribute's, if it is a function's head."""
    head = re.sub(r"__attribute__\s*\(\(.*?\)\)", "", head, flags=re.S)
    if "=" in head.split("(")[0] or not re.search(r"\)\s*(const|noexcept|override|\s)*$", head):
        return None
    found = re.search(r"(\w+)\s*\(", head)
    return found.group(1) if found else None


RULES = (
    rule_blanks,
    rule_lengths,
    rule_markers,
    rule_machines,
    rule_essay,
    rule_guard,
    rule_includes,
    rule_banned,
    rule_functions,
)


# ---- The tree ----------------------------------------------------------------------


def check(path, text):
    """All breaches in one file as sorted (line, message)."""
    source = Source(path, text)
    return sorted(breach for rule in RULES for breach in rule(source))


def paths(root):
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(set(folders) - SKIPPED_FOLDERS)
        for name in sorted(files):
            if name.endswith(CODE + SCRIPTS + PROSE) or name in NAMES:
                yield os.path.relpath(os.path.join(folder, name), root)


def main(arguments):
    root = arguments[0] if arguments else os.path.join(os.path.dirname(__file__), "..")
    breaches = files = 0
    for path in paths(root):
        files += 1
        try:
            with open(os.path.join(root, path), encoding="utf-8", newline="") as file:
                text = file.read()
        except UnicodeDecodeError as error:
            print(f"{path}:1: not UTF-8 at byte {error.start}; save it as UTF-8")
            breaches += 1
            continue
        for line, message in check(path, text):
            print(f"{path}:{line}: {message}")
            breaches += 1
    print(f"tidy: {files} files, {breaches} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
