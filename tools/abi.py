#!/usr/bin/python3
"""abi.py [--release] [HEADER LIST] -- does kith.h still keep what was released of it?

plugins/sdk/kith.abi is the list of what plugins that are out there rely on: every constant, every
member with its offset, size and type, the types of functions, also of those that are compiled into
them, and what macros with arguments become, which are compiled into them likewise.  Without an
option the header is compared with it.  What has been added in the right place, under a raised
KITH_LEVEL, is fine; anything else is told, with what to do instead, and the exit code is 1.
--release adds what is new to the list, and writes the same as assertions for the compiler
(core/plugin/abi.c); nothing is ever taken out of it.

Names and types are those that clang reads, numbers those that a compiled program prints.  Offsets
are of machines with pointers of 64 bits, the only ones that are released for.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADER = ROOT / "plugins" / "sdk" / "kith.h"
LIST = ROOT / "plugins" / "sdk" / "kith.abi"
ASSERTIONS = ROOT / "core" / "plugin" / "abi.c"

# They are compiled into the plugin and never handed over.
INSIDE = {"kith_iter", "kith_writer"}

# These are raised when something is added or changed: that is what they are for.
RAISED = {"KITH_LEVEL"}

HEAD = """# What is released of kith.h: plugins are out there that were built with it.
# Lines are added by `make abi`, and none is ever changed.
#
#   constant NAME VALUE | macro NAME (ARGUMENTS) TEXT | function NAME TYPE | inline NAME TYPE
#   type NAME TYPE | struct NAME BYTES | member STRUCT.NAME OFFSET BYTES TYPE
"""

ESSAY = """/* abi.c -- the contract that was released, held by the compiler.
 *
 * A plugin is built with its own copy of kith.h and never again.  Whatever becomes of the header
 * here, each number of it that such a plugin has compiled in must stay: Kith does not build
 * otherwise.  Written by tools/abi.py from plugins/sdk/kith.abi; what may be added, and where, is
 * in docs/plugins.md.
 */
#include "plugins/sdk/kith.h"

#if UINTPTR_MAX > UINT32_MAX
"""


class Unreadable(Exception):
    """The header is no C, or the tools are missing; the reason is for whoever changed it."""


# ---- Reading the header --------------------------------------------------------------------------


def tree_of(header):
    command = ["clang", "-std=c17", "-fsyntax-only", "-Xclang", "-ast-dump=json", str(header)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Unreadable(done.stderr.strip())
    return json.loads(done.stdout)["inner"]


def type_of(node):
    return re.sub(r"\(unnamed (\w+) at [^)]*\)", "(unnamed)", node["type"]["qualType"])


def members_of(record, prefix=""):
    """(path, type) of every member, those of a union inside too."""
    unnamed = None
    for node in record.get("inner", []):
        if node["kind"] == "RecordDecl" and "name" not in node:
            unnamed = node
        elif node["kind"] == "FieldDecl":
            yield prefix + node["name"], type_of(node)
            if unnamed is not None and "(unnamed" in node["type"]["qualType"]:
                yield from members_of(unnamed, prefix + node["name"] + ".")
            unnamed = None


def macros_of(text):
    """(name, arguments and text on one line) of every macro that has arguments."""
    for name, arguments, becomes in re.findall(
        r"^#define (KITH_\w+)(\([^)]*\))((?:[^\n\\]|\\\n)*)", text, re.M
    ):
        becomes = re.sub(r"/\*.*?\*/", " ", becomes.replace("\\\n", " "))
        yield name, " ".join(f"{arguments} {becomes}".split())


def declared(header):
    """The lines of the list without their numbers: (kind, name, type)."""
    text = header.read_text()
    for name in re.findall(r"^#define (KITH_\w+) +\(?-?\d", text, re.M):
        yield "constant", name, ""
    for name, written in macros_of(text):
        yield "macro", name, written
    for node in tree_of(header):
        name = node.get("name", "")
        if node["kind"] == "EnumDecl":
            for constant in node["inner"]:
                if constant["name"].startswith("KITH_"):
                    yield "constant", constant["name"], ""
        elif not name.startswith("kith") or name in INSIDE:
            continue
        elif node["kind"] == "FunctionDecl":
            yield "inline" if node.get("inline") else "function", name, type_of(node)
        elif node["kind"] == "TypedefDecl":
            yield "type", name, type_of(node)
        elif node["kind"] == "RecordDecl" and node.get("completeDefinition"):
            yield "struct", name, ""
            for path, written in members_of(node):
                yield "member", f"{name}.{path}", written


def numbers_of(header, rows):
    """What a compiled program prints of each row: a list of numbers."""
    lines = [f'#include "{header}"', "#include <stdio.h>", "int main(void)", "{"]
    for kind, name, _ in rows:
        if kind == "constant":
            lines.append(f'    printf("%lld\\n", (long long){name});')
        elif kind == "struct":
            lines.append(f'    printf("%zu\\n", sizeof(struct {name}));')
        elif kind == "member":
            struct, path = name.split(".", 1)
            size = f"sizeof ((struct {struct} *)0)->{path}"
            lines.append(f'    printf("%zu %zu\\n", offsetof(struct {struct}, {path}), {size});')
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "numbers.c")
        source.write_text("\n".join(lines + ["    return 0;", "}", ""]))
        program = source.with_suffix("")
        done = subprocess.run(["cc", "-o", program, source], capture_output=True, text=True)
        if done.returncode != 0:
            raise Unreadable(done.stderr.strip())
        printed = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    return iter([line.split() for line in printed.splitlines()])


def read_header(header):
    """{(kind, name): (numbers and type as words)}, in the order of the header."""
    rows = list(declared(header))
    numbers = numbers_of(header, rows)
    found = {}
    for kind, name, written in rows:
        has_numbers = kind in ("constant", "struct", "member")
        found[kind, name] = (next(numbers) if has_numbers else []) + ([written] if written else [])
    return found


def read_list(path):
    found = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        if line and not line.startswith("#"):
            kind, name, *rest = line.split(" ", 2)
            count = {"constant": 1, "struct": 1, "member": 2}.get(kind, 0)
            found[kind, name] = rest[0].split(" ", count) if rest else []
    return found


# ---- Comparing -----------------------------------------------------------------------------------


def changed(kind, name, old, new):
    """What is wrong with something that was released and is still there."""
    if kind == "constant" and name in RAISED:
        if int(new[0]) < int(old[0]):
            yield f"{name}: was {old[0]}, is {new[0]}; it is only ever raised"
    elif kind == "constant" and old != new:
        yield (
            f"{name}: was {old[0]}, is {new[0]}; a number that was released keeps its meaning: "
            "add a constant of another name"
        )
    elif kind == "member":
        if old[0] != new[0]:
            yield (
                f"{name}: was at offset {old[0]}, is at {new[0]}; members stay where they are, "
                "and new ones come behind the last"
            )
        if old[1:] != new[1:]:
            yield (
                f"{name}: was {old[2]} of {old[1]} bytes, is {new[2]} of {new[1]}; "
                "leave it, and add another member behind the last"
            )
    elif kind == "macro" and old != new:
        yield (
            f"{name}: was {old[0]}, is {new[0]}; plugins have it compiled in: make a macro of "
            "another name"
        )
    elif kind in ("function", "inline", "type") and old != new:
        yield f"{name}: was {old[0]}, is {new[0]}; make a function type of another name"


def can_grow(rows, struct):
    """Whether its first member is its size."""
    return rows.get(("member", f"{struct}.size"), [""])[0] == "0"


def grown(released, header):
    """What is wrong with what was added to structs that were released."""
    size = {name: int(old[0]) for (kind, name), old in released.items() if kind == "struct"}
    for (kind, name), new in header.items():
        struct = name.split(".")[0]
        if kind != "member" or struct not in size or (kind, name) in released:
            continue
        if not can_grow(released, struct):
            yield f"{name}: struct {struct} has no size and never grows; make another struct"
        elif int(new[0]) < size[struct]:
            yield (
                f"{name}: at offset {new[0]}, inside of the {size[struct]} bytes that were "
                f"released of {struct}, where no size tells whether it is there; add it "
                "behind the last member, or name the room as reserved"
            )


def unsized(released, header):
    """A struct that is new must be able to grow, or have been thought about."""
    for kind, name in header:
        is_new = kind == "struct" and (kind, name) not in released
        if is_new and released and not can_grow(header, name):
            yield f"{name}: it does not begin with `size_t size` and so could never grow; add it"


def unraised(released, header):
    """Whoever adds something says so, and which members there are is asked by level."""
    new = [name for kind, name in header if (kind, name) not in released]
    level = ("constant", "KITH_LEVEL")
    if new and level in released and header.get(level) == released[level]:
        yield f"KITH_LEVEL: is {released[level][0]} as before, with {new[0]} new; raise it by one"


def breaches(released, header):
    for (kind, name), old in released.items():
        if (kind, name) not in header:
            yield (
                f"{name}: is gone; what was released stays: keep it, and say in its comment "
                "what is better"
            )
        else:
            yield from changed(kind, name, old, header[kind, name])
    yield from grown(released, header)
    yield from unsized(released, header)
    yield from unraised(released, header)
    for (kind, name), old in released.items():
        new = header.get((kind, name), old)
        if kind == "struct" and int(new[0]) < int(old[0]):
            yield f"{name}: had {old[0]} bytes, has {new[0]}; a struct never shrinks"


# ---- Writing -------------------------------------------------------------------------------------


def list_text(rows):
    return HEAD + "".join(
        " ".join([kind, name, *words]) + "\n" for (kind, name), words in rows.items()
    )


COLUMNS = 100  # of a line of the tree
BREAK = ",\n" + " " * len("_Static_assert(")


def assertions_text(rows):
    lines, struct = [], None
    for (kind, name), words in rows.items():
        if kind == "constant" and name not in RAISED:
            lines.append(f'_Static_assert({name} == {words[0]}, "{name}");')
        elif kind == "struct":
            lines.append("")
            relation = ">=" if can_grow(rows, name) else "=="
            lines.append(f'_Static_assert(sizeof(struct {name}) {relation} {words[0]}, "{name}");')
        elif kind == "member":
            struct, path = name.split(".", 1)
            claim = f'offsetof(struct {struct}, {path}) == {words[0]}, "{name}"'
            line = f"_Static_assert({claim});"
            lines.append(line if len(line) <= COLUMNS else line.replace(', "', BREAK + '"'))
    return ESSAY + "\n".join(lines) + "\n#endif\n"


def merged(released, header):
    """What was released, and what is new in the place where the header has it."""
    rows = {
        key: header[key] if key[0] == "struct" or key[1] in RAISED else released.get(key, words)
        for key, words in header.items()
    }
    return rows


def release(released, header, path, assertions):
    path.write_text(list_text(merged(released, header)))
    assertions.write_text(assertions_text(merged(released, header)))


def main(arguments):
    is_release = arguments[:1] == ["--release"]
    paths = arguments[1:] if is_release else arguments
    header_path, list_path = (
        (pathlib.Path(word).resolve() for word in paths) if paths else (HEADER, LIST)
    )
    try:
        header = read_header(header_path)
    except (Unreadable, OSError) as error:
        print(f"{header_path}: {error}")
        return 1
    released = read_list(list_path)
    found = list(breaches(released, header))
    for line in found:
        print(line)
    if found:
        print(f"abi: {len(found)} breaches of what was released")
        return 1
    if is_release:
        assertions = list_path.with_suffix(".c") if paths else ASSERTIONS
        release(released, header, list_path, assertions)
    elif not paths and ASSERTIONS.read_text() != assertions_text(released):
        print(f"{ASSERTIONS.relative_to(ROOT)} is not what the list says; run: make abi")
        return 1
    new = [name for kind, name in header if (kind, name) not in released]
    print(f"abi: {len(released)} lines released, {len(new)} {'added' if is_release else 'new'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
