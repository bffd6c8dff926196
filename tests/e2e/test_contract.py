"""plugins/sdk/kith.h: what was released of it stays, and everything that breaks it is refused.

Each kind of change that a plugin which is out there would not survive is tried on a copy of the
header, and must be told with what to do instead; what may be added must pass.
"""
import re
import subprocess
import sys

import pytest

from conftest import ROOT

HEADER = ROOT / "plugins" / "sdk" / "kith.h"
ABI = ROOT / "tools" / "abi.py"


def abi(*words):
    done = subprocess.run(
        [sys.executable, ABI, *words], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def changed(tmp_path, *changes):
    """A copy of the header in which each (old, new) is done once; `old` is a pattern."""
    text = HEADER.read_text()
    for old, new in changes:
        text, count = re.subn(old, new, text, count=1, flags=re.S)
        assert count == 1, old
    path = tmp_path / "kith.h"
    path.write_text(text)
    return path


@pytest.fixture(name="released", scope="module")
def _released(tmp_path_factory):
    """The header of today as the one that was released."""
    path = tmp_path_factory.mktemp("abi") / "kith.abi"
    code, said = abi("--release", HEADER, path)
    assert code == 0, said
    return path


# ---- What is released ----------------------------------------------------------------------------


def test_the_header_keeps_what_was_released():
    code, said = abi()
    assert code == 0, said


def test_every_member_that_was_released_is_held_by_the_compiler():
    members = re.findall(r"^member (\S+) (\d+)", (HEADER.parent / "kith.abi").read_text(), re.M)
    assertions = (ROOT / "core" / "plugin" / "abi.c").read_text()
    assert len(members) > 150
    for name, offset in members:
        struct, path = name.split(".", 1)
        assert f'offsetof(struct {struct}, {path}) == {offset}, "{name}"' in " ".join(
            assertions.split()
        )


@pytest.mark.parametrize(
    "command",
    [
        "gcc -std=c99 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -x c",
        "clang -std=c17 -Weverything -Wno-padded -Wno-float-equal -Wno-declaration-after-statement"
        " -x c",
        "g++ -std=c++11 -Wall -Wextra -Wpedantic -Wconversion -x c++",
        "clang++ -std=c++20 -Wall -Wextra -Wpedantic -x c++",
    ],
)
def test_the_header_alone_compiles_without_a_warning(command, tmp_path):
    source = tmp_path / "includes"
    source.write_text("#include <kith.h>\n#include <kith.h>\n")
    done = subprocess.run(
        [*command.split(), "-Werror", "-fsyntax-only", "-I", HEADER.parent, source],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_reference_is_what_the_header_says():
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "plugin_reference.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_reference_has_every_call_and_constant():
    page = (ROOT / "docs" / "plugin-reference.md").read_text()
    listed = (HEADER.parent / "kith.abi").read_text()
    for name in re.findall(r"^constant (\w+)", listed, re.M):
        assert name in page, name
    for struct, member in re.findall(r"^member (\w+)\.(\w+) ", listed, re.M):
        assert f"### struct {struct}\n" in page, struct
        assert re.search(rf"\b{member}\b", page), (struct, member)


# ---- What may come -------------------------------------------------------------------------------

FAIL = r"(int32_t \(\*fail\)\(struct kith_call \*call, const char \*reason\);)"

RAISED = (r"(#define KITH_LEVEL )(\d+)", lambda found: found[1] + str(int(found[2]) + 1))

ALLOWED = {
    "a function at the end of a table": (FAIL, r"\1\n    void (*more)(struct kith_call *call);"),
    "a member at the end of a struct": (
        r"(struct kith_doc traits; +/\* .*?\*/\n)",
        r"\1    int64_t added;\n",
    ),
    "a constant": (r"KITH_IO = -7", "KITH_IO = -7,\n    KITH_LATE = -8"),
    "a number": (r"(#define KITH_HMAC_SIZE)", r"#define KITH_MORE_MAX 16\n\1"),
    "a struct": (r"(struct kith_event \{)", r"struct kith_more {\n size_t size;\n};\n\1"),
}


@pytest.mark.parametrize("what", ALLOWED)
def test_what_may_be_added(what, released, tmp_path):
    code, said = abi(changed(tmp_path, ALLOWED[what], RAISED), released)
    assert code == 0 and re.search(r"lines released, [12] new", said), said


def test_what_was_added_is_released_behind_what_was(released, tmp_path):
    path = changed(tmp_path, ALLOWED["a function at the end of a table"], RAISED)
    own = tmp_path / "kith.abi"
    own.write_text(released.read_text())
    assert abi("--release", path, own)[0] == 0
    before, after = released.read_text().splitlines(), own.read_text().splitlines()
    new = [line for line in after if line not in before]
    assert len(new) == 3 and re.match(r"member kith_engine\.more 112 8 void", new[2])
    code, said = abi(HEADER, own)  # the new one cannot go any more either
    assert code == 1 and "kith_engine.more: is gone" in said


# ---- What may not --------------------------------------------------------------------------------

REFUSED = {
    "a function is taken out": (
        (r"int64_t \(\*now\)\(struct kith_call \*call\);", ""),
        r"kith_engine\.now: is gone; .*stays",
        r"kith_engine\.keep: was at offset 56, is at 48; ",
    ),
    "a function is put between": (
        (r"(int64_t \(\*now\)\(struct kith_call \*call\);)", r"void (*odd)(void); \1"),
        r"kith_engine\.odd: at offset 48, inside of the \d+ bytes",
        r"kith_engine\.now: was at offset 48, is at 56; ",
    ),
    "two members change places": (
        (
            r"(    struct kith_text id; [^\n]*\n)(    int64_t at; [^\n]*\n)",
            r"\2\1",
        ),
        r"kith_event\.id: was at offset",
    ),
    "a member is renamed": (
        (r"int64_t every_ms; ( *)/\* at least", r"int64_t often_ms; \1/* at least"),
        r"kith_job\.every_ms: is gone",
        r"kith_job\.often_ms: at offset",
    ),
    "a member becomes narrower": (
        (r"(struct kith_event \{.*?)int64_t at;", r"\1int32_t at;"),
        r"kith_event\.at: was int64_t of 8 bytes, is int32_t of 4; ",
    ),
    "a member becomes unsigned": (
        (r"(struct kith_event \{.*?)int64_t at;", r"\1uint64_t at;"),
        r"kith_event\.at: was int64_t of 8 bytes, is uint64_t of 8; ",
    ),
    "a function takes another argument": (
        (r"\*note\)\(struct kith_call \*call, ", "*note)(struct kith_call *call, int32_t level, "),
        r"kith_engine\.note: was int32_t \(\*\)\(.*; leave it, and add another",
    ),
    "a function type returns something else": (
        (r"typedef int32_t kith_fn\(", "typedef int64_t kith_fn("),
        r"kith_fn: was int32_t .*make a function type of another name",
    ),
    "the exported function takes an argument": (
        (r"kith_describe\(void\)", "kith_describe(int abi)"),
        r"kith_describe: was ",
    ),
    "a number is given another meaning": (
        (r"KITH_BUSY = -6, (.*?)KITH_IO = -7", r"KITH_BUSY = -7, \1KITH_IO = -6"),
        r"KITH_BUSY: was -6, is -7; ",
    ),
    "a constant is taken out": ((r"    KITH_HTML = 8,[^\n]*\n", ""), r"KITH_HTML: is gone"),
    "a struct is taken out": (
        (r"struct kith_param \{.*", lambda found: found.group().replace("kith_param", "kith_pair")),
        r"kith_param: is gone",
    ),
    "a struct without a size grows": (
        (r"(struct kith_param \{\n    struct kith_text name, value;)", r"\1 int64_t kind;"),
        r"kith_param\.kind: struct kith_param has no size and never grows",
    ),
    "a member falls into a hole": (
        (r"(struct kith_kind \{\n    size_t size;)", r"\1 uint8_t flag;"),
        r"kith_kind\.flag: at offset 8, inside of the 24 bytes",
    ),
    "a new struct has no size": (
        (r"(struct kith_event \{)", r"struct kith_more {\n int64_t at;\n};\n\1"),
        r"kith_more: it does not begin with `size_t size`",
    ),
    "what plugins have room for grows": (
        (r"KITH_HMAC_SIZE 68", "KITH_HMAC_SIZE 70"),
        r"KITH_HMAC_SIZE: was 68, is 70; ",
    ),
    "a macro becomes something else": (
        (r"\(\(table\)->size >= \(size_t\)", "((table)->size > (size_t)"),
        r"KITH_HAS: was \(table, member\) .*make a macro of another name",
    ),
    "a macro takes another argument": (
        (r"KITH_ITEM\(noun, ", "KITH_ITEM(noun, named, "),
        r"KITH_ITEM: was \(noun, \.\.\.\)",
    ),
    "a macro is taken out": (
        (r"#define KITH_NAMES\([^\n]*\n", ""),
        r"KITH_NAMES: is gone",
    ),
    "a function that is compiled in is taken out": (
        (r"kith_text kith_param\(const", "kith_text kith_params(const"),
        r"kith_param: is gone",
    ),
    "something is added without a word": (
        ALLOWED["a constant"],
        r"KITH_LEVEL: is \d+ as before, with KITH_LATE new; raise it by one",
    ),
    "the version is raised without a word": (
        (r"#define KITH_ABI 1", "#define KITH_ABI 2"),
        r"KITH_ABI: was 1, is 2",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_breaks_a_plugin_that_is_out_there_is_refused(what, released, tmp_path):
    change, *told = REFUSED[what]
    before = released.read_text()
    path = changed(tmp_path, change)
    code, said = abi(path, released)
    assert code == 1, said
    for words in told:
        assert re.search(words, said), said
    code, _ = abi("--release", path, released)
    assert code == 1 and released.read_text() == before, "nothing is released over a breach"
