#!/usr/bin/python3
"""plugin_reference.py [--check] -- docs/plugin-reference.md, made from plugins/sdk/kith.h.

The comments of the header are the manual; here they are laid out to be read beside each other and
to be linked to.  The header is read as it is written in this project: declarations begin in the
first column, a comment stands above what it is about or behind it.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADER = ROOT / "plugins" / "sdk" / "kith.h"
PAGE = ROOT / "docs" / "plugin-reference.md"

INTRO = """# Every word of the contract with plugins

This page is made from `plugins/sdk/kith.h`: `make reference` writes it. How the words go together,
and what is promised: [plugins.md](plugins.md). To begin with: [first-plugin.md](first-plugin.md).

"""

COMMENT = re.compile(r"/\*(.*?)\*/", re.S)
CHAPTER = re.compile(r"^/\* -- (.*?) -+ \*/$", re.M)
# What stands in the first column, with the comment above it.
ITEM = re.compile(
    r"^(?:/\*(?P<above>(?:(?!\*/).)*)\*/\n)?(?:"
    r"(?P<opaque>struct \w+;)|"
    r"struct (?P<struct>\w+) \{(?P<members>.*?)^\};|"
    r"enum \{(?P<constants>.*?)\};(?P<behind>[^\n]*)|"
    r"typedef (?P<type>[^;]*);|"
    r"#define (?P<macro>KITH_\w+(?:\([^)]*\))?)(?P<value>(?:[^\n]*\\\n)*[^\n]*)|"
    r"static inline (?P<inline>[^{;]*)\{|"
    r"KITH_EXPORT (?P<export>[^;]*);)",
    re.S | re.M,
)


# ---- Text ----------------------------------------------------------------------------------------


def paragraphs(comment):
    """The lines of a comment as Markdown; what is indented in it is shown as it is."""
    lines = [re.sub(r"^\s*\* ?", "", line) for line in comment.strip().split("\n")]
    return [line.rstrip() for line in lines]


def markdown(comment):
    out, was_code = [], False
    for line in paragraphs(comment):
        is_code = line.startswith("   ")
        if is_code != was_code and out and out[-1]:
            out.append("")
        out.append("    " + line.strip() if is_code else plain(line))
        was_code = is_code
    return "\n".join(out).strip() + "\n"


def essay_text(comment):
    """The head of the file: what is set off by blanks there is a list here."""
    out = []
    for line in paragraphs(comment):
        term = re.match(r"  (\S.*?)   +(\S.*)", line)
        if term:
            out.append(f"- **{term[1]}**: {term[2]}")
        elif line.startswith("  "):
            out.append(line[2:] if line.startswith("  - ") else "  " + line.strip())
        else:
            out.append(line)
    text = plain("\n".join(out).strip()).replace(r"\*\*", "**")
    return text[:1].upper() + text[1:] + "\n"


def plain(text):
    return re.sub(r"([*<|])", r"\\\1", text)


def sentence(comment):
    """For a cell of a table: what was indented is code between the words."""
    words = []
    for line in paragraphs(comment):
        is_code = line.startswith("   ")
        words.append(f"`{line.strip()}`<br>" if is_code else plain(line))
    return " ".join(word for word in words if word)


def one_line(code):
    return re.sub(r"\s+", " ", COMMENT.sub("", code)).strip()


# ---- Members -------------------------------------------------------------------------------------


def pieces(body):
    """(declaration, comment) of each member, or constant."""
    above, at = "", 0
    pattern = re.compile(
        r"\s*(?:/\*(?P<comment>.*?)\*/|(?P<code>[^;,/]+(?:\([^;]*\))?[^;/]*?[;]))", re.S
    )
    while True:
        found = pattern.match(body, at)
        if found is None:
            return
        at = found.end()
        if found["comment"] is not None:
            above = found["comment"]
            continue
        behind = re.compile(r"[ ]*/\*(.*?)\*/", re.S).match(body, at)
        if behind:
            at = behind.end()
        yield one_line(found["code"]).rstrip(";"), behind[1] if behind else above
        above = ""


def signature(member):
    """A pointer to a function as the function that it points to."""
    return re.sub(r"\(\*(\w+)\)", r"\1", member)


def is_table(members):
    """All but the size are functions with something to say."""
    return all("(*" in member and comment for member, comment in members[1:])


def struct_text(name, body, about):
    union = re.sub(
        r"union \{(.*?)\} (\w+);",
        lambda found: re.sub(r"(\w+ \*?)(\w+;)", rf"\1{found[2]}.\2", found[1]),
        body,
        flags=re.S,
    )
    members = list(pieces(union))
    out = [f"### struct {name}\n", markdown(about)] if about else [f"### struct {name}\n"]
    if len(members) > 8 and is_table([row for row in members if row[1] or "(*" not in row[0]]):
        return "\n".join(out) + "\n" + calls_text(members)
    out.append("| member | |\n| --- | --- |")
    for member, comment in members:
        out.append(f"| `{signature(member)}` | {sentence(comment)} |")
    return "\n".join(out) + "\n\n"


def calls_text(members):
    """Each call under its name.  One without words belongs to the one before it."""
    out, shown = [], []
    for member, comment in members[1:]:
        name = re.search(r"\(\*(\w+)\)", member)[1]
        code = f"    {signature(member)}\n"
        if not comment:
            out[-2] = out[-2].rstrip("\n") + "\n" + code
            continue
        shown.append(name)
        out += [f"#### {name}\n", code, markdown(comment)]
    return "\n".join(out) + "\n"


# ---- Items ---------------------------------------------------------------------------------------


def constants_text(found):
    above = found["above"] or ""
    inside = re.match(r"\s*/\*(.*?)\*/\n", found["constants"], re.S)
    head = inside[1] if inside and found["constants"].lstrip(" ").startswith("/*") else ""
    body = found["constants"][inside.end() :] if head else found["constants"]
    behind = COMMENT.search(found["behind"])
    about = above or head or (behind[1] if behind else "")
    rows = re.findall(r"(KITH_\w+) = (-?\d+),?(?:[ ]*/\*(.*?)\*/)?", body, re.S)
    out = ["\n" + about_line(about), "| constant | | |\n| --- | --- | --- |"]
    out += [f"| `{name}` | {value} | {sentence(text)} |" for name, value, text in rows]
    return "\n".join(out) + "\n\n"


def about_line(about):
    text = markdown(about)
    return text[:1].upper() + text[1:]


def item_text(found):
    about = found["above"] or ""
    if found["opaque"]:
        return f"### {found['opaque'][:-1]}\n\n{markdown(about)}\n" if about else ""
    if found["struct"]:
        body, head = found["members"], re.match(r" /\*(.*?)\*/\n", found["members"], re.S)
        if head:
            body, about = body[head.end() :], about or head[1]
        return struct_text(found["struct"], body, about)
    if found["constants"] is not None:
        return constants_text(found)
    if found["type"]:
        name = re.search(r"(\w+)\(", found["type"])[1]
        return f"### {name}()\n\n    {one_line(found['type'])}\n\n{markdown(about)}\n"
    if found["macro"]:
        value = found["value"].strip().split("/*")[0].strip()
        shown = f" {value}" if re.fullmatch(r"\w+", value) else ""
        text = f"\n    {found['macro']}{shown}\n\n{markdown(about) if about else ''}"
        return text if about or shown else ""
    if found["export"]:
        return f"### kith_describe()\n\n    {one_line(found['export'])}\n\n{markdown(about)}\n"
    text = f"    {one_line(found['inline'])}\n"
    return (f"\n{markdown(about)}\n" if about else "") + text


def chapter_text(title, body):
    out = []
    for found in ITEM.finditer(body):
        if not re.search(
            r"kith_(read_|take_room|put_raw|put_32|put_name|enter)", found["inline"] or ""
        ):  # the machinery of others
            out.append(item_text(found))
    text = re.sub(r"\n{3,}", "\n\n", "".join(out))
    text = re.sub(r"(?<=\n)([^ \n#|][^\n]*\n)(?=    \w)", r"\1\n", text)
    text = re.sub(r"(?<=[^\n]\n)(?=#)", "\n", text)
    return "## {}\n\n{}\n\n".format(title, text.strip("\n"))


def page():
    text = HEADER.read_text()
    essay = re.match(r"/\* kith\.h -- (.*?)\*/", text, re.S)[1]
    parts = CHAPTER.split(text)
    first = parts[0].split("#ifdef __cplusplus", 1)[1]
    out = [INTRO, essay_text(essay), "\n", chapter_text("What calls answer", first)]
    for title, body in zip(parts[1::2], parts[2::2]):
        out.append(chapter_text(title, body))
    return "".join(out).rstrip() + "\n"


def main(arguments):
    if arguments == ["--check"]:
        if PAGE.read_text() == page():
            return 0
        print("docs/plugin-reference.md is not what kith.h says; mend it with: make reference")
        return 1
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
