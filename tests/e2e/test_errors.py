"""docs/errors*.md list what Kith can answer or say, each with what to do about it.

Every message is looked for in the source by the call that says it.  Two ways are needed: in
the folders of BY_PLACE a message is known by its place behind a status or a code, so there
patterns do.  Elsewhere it is the format of a call of its folder, which may stand in a choice
(`is_x ? "this" : "that"`), so there the arguments of the call are taken apart.

Not listed is what is only ever a part of another message: names of what was being done
(`cannot read the log in ...`), what JSON expects at a byte, what a corrupt block holds.  Those
stand behind the colon of a message that is listed, and the remedy is the same for all of them.
"""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = (
    "docs/errors.md",
    "docs/errors-rules.md",
    "docs/errors-command.md",
    "docs/errors-plugins.md",
)
LITERAL = r'"(?:\\.|[^"\\])*"'
STRING = rf"((?:{LITERAL}\s*)+)"

BY_PLACE = ("core/http", "core/outside", "core/server", "core/engine")
SAID = [
    rf"call_problem\([^,()]+,\s*\d+,\s*{STRING}",
    rf"\brefuse(?:_beyond)?\([^()]*?\d\d\d,\s*{STRING}",
    rf"(?:engine_refuse|err_set)\(\s*[&\w>.-]+,\s*(?:E_\w+|err[.>-]+code),\s*{STRING}",
    rf"parse_fail\(\s*p,\s*E_\w+,\s*{STRING}",
    rf"record_fail\(\s*\w+,\s*E_\w+,[^\";]*?{STRING}",
    rf"http_refusal\)\{{ \d\d\d,\s*{STRING}",
    rf"http_refusal \w+ = \{{ \d\d\d,\s*{STRING}",
    rf"\.detail = {STRING}",
    r'(?:return|=) ("(?:this key may not|a key is needed|nobody has this key)[^"]*")',
]

ERRORS = ("err_set",)
RULE_ERRORS = (
    "luaL_error luaL_argcheck luaL_argerror refuse buf_printf snprintf budget_kill".split()
)
BY_CALL = {  # which calls of a folder say something
    "core": ("refuse_usage",),
    "core/base": (*ERRORS, "fault", "fprintf"),
    "core/cli": (*ERRORS, "cli_fail", "fault", "fprintf"),
    "core/script": (*ERRORS, *RULE_ERRORS),
    "storage": (*ERRORS, "fputs"),
}
# buf_printf and snprintf make much else: here they make messages.
MAKE_MESSAGES = "explain lint templates words_send host sandbox_budget sandbox_source suite_play"
RETURNED = {  # files that hand a reason on as a text
    "suppress.c": rf"return {STRING};",
    "sandbox_report.c": rf"text = {STRING};",
}
PARTS = {  # what these say stands behind the colon of another message
    "doc_validate.c": "documents of the log and the state: ... cannot be read: ...",
    "log_block.c": "entries ... of the log cannot be read: ...",
    "zone_base.c": "no time zones: ...",
    "zone_rule.c": "no time zones: ...",
    "zone_tzif.c": "no time zones: ...",
}
PART_TEXTS = {
    "no block holds them": "entries ... of the log cannot be read: ...",
    "their block calls itself … with … entries": "entries ... of the log cannot be read: ...",
}
# Nothing but what is filled in, and perhaps the name of whoever says it.
EMPTY = re.compile(r'(?:--)?[\w:…-]*(?: "…")?: …(?:: …)?|…')
TOKEN = re.compile(rf"{LITERAL}|'(?:\\.|[^'\\])+'|[^\"']", re.S)


def plain(literals):
    """The text of adjacent C strings, with an ellipsis for what is filled in."""
    text = "".join(re.findall(r'"((?:\\.|[^"\\])*)"', literals)).replace('\\"', '"')
    text = re.sub(r"%%|%[-0-9.*]*(?:ll|z|h)?[a-zA-Z]", lambda m: "%" if m[0] == "%%" else "…", text)
    return re.sub(r"^kithd?: |\\n.*", "", text, flags=re.S).strip()


def spelled_out(path):
    """The source with what the preprocessor puts into strings as something filled in."""
    source = re.sub(r'%"\s*PRI\w+\s*"', "%u", path.read_text())
    source = re.sub(r'%"\s*PRI\w+', '%u"', source)
    return re.sub(r'"\s[A-Z_]{3,}\s"', "%s", source)


def first_text(source, at):
    """The argument with the first string of the call whose arguments begin at `at`."""
    depth, argument = 0, ""
    for token in TOKEN.finditer(source, at):
        depth += (token[0] in "([{") - (token[0] in ")]}")
        if depth < 0 or (depth == 0 and token[0] == ","):
            if '"' in argument or depth < 0:
                return argument
            argument = ""
        else:
            argument += token[0]
    return argument


def is_said(text):
    """Not what is filled in or appended to another message, such as `; did you mean ...`."""
    return re.search(r"[a-z]{3}", text) and not EMPTY.fullmatch(text) and text[0] not in ";:"


def said_by_place():
    found = set()
    for folder in BY_PLACE:
        for path in (ROOT / folder).glob("*.c"):
            source = spelled_out(path)
            for pattern in SAID:
                found |= {plain(literals) for literals in re.findall(pattern, source)}
    # Nothing but what another message fills in.
    return {text for text in found if re.search(r"[a-z]{3}", text)}


def is_message(call, arguments, argument, path):
    if re.match(r"&?(?:\w+->)?why,", arguments):  # another message is made of it
        return False
    if call in ("buf_printf", "snprintf"):
        return path.stem in MAKE_MESSAGES.split()
    if call in ("fprintf", "fputs"):
        return '"kith: ' in argument or path.stem == "mem"
    return call != "refuse" or path.parent.name == "script"


def said_by_call(folder):
    found = set()
    calls = re.compile(rf"\b({'|'.join(BY_CALL[folder])})\(")
    for path in (*(ROOT / folder).glob("*.c"), *(ROOT / folder).glob("*.cc")):
        source = spelled_out(path)
        reasons = re.findall(RETURNED.get(path.name, r"(?!)"), source)
        found |= {plain(reason) for reason in reasons if " " in reason}
        for call in calls.finditer(source) if path.name not in PARTS else ():
            argument = first_text(source, call.end())
            if is_message(call[1], source[call.end() :], argument, path):
                choices = re.findall(rf"{LITERAL}(?:\s*{LITERAL})*", argument)
                found |= {plain(literals) for literals in choices}
    return {text for text in found if text and is_said(text)} - PART_TEXTS.keys()


def said_by_the_source():
    return said_by_place().union(*map(said_by_call, BY_CALL))


def rows_of(page):
    text = (ROOT / page).read_text().replace("\\|", "|")  # the escape that a table needs
    return re.findall(r"^\| `` (.*?) `` \| (.*) \|$", text, re.M)


def rows():
    return [(message, rest) for page in PAGES for message, rest in rows_of(page)]


def test_every_error_is_listed_and_no_other():
    source, listed = said_by_the_source(), {message for message, _ in rows()}
    assert source - listed == set(), f"in none of {', '.join(PAGES)}"
    assert listed - source == set(), "said nowhere any more"


def test_messages_of_every_folder_are_found():
    """A call that is renamed would else take its messages off the pages unseen."""
    assert len(said_by_place()) > 200
    for folder, least in (("core/script", 180), ("core/cli", 100), ("core/base", 35)):
        assert len(said_by_call(folder)) > least, folder
    assert len(said_by_call("storage")) > 30


def test_every_error_has_a_status_and_a_remedy():
    for message, rest in rows_of("docs/errors.md"):
        status, remedy = rest.split(" | ", 1)
        assert re.fullmatch(r"[1-5]\d\d(, [1-5]\d\d)*|rule|start|message", status), message
        assert len(remedy) > 5, message


def test_every_remedy_of_the_other_pages_says_more_than_its_error():
    for page in PAGES[1:]:
        for message, remedy in rows_of(page):
            assert len(remedy) > 10 and remedy.strip(". ") != message.strip(". "), message


def test_no_error_is_listed_twice():
    messages = [message for message, _ in rows()]
    assert {message for message in messages if messages.count(message) > 1} == set()


def test_every_page_leads_to_the_others():
    for page in PAGES:
        text = (ROOT / page).read_text()
        others = {other.removeprefix("docs/") for other in PAGES if other != page}
        assert others <= set(re.findall(r"\]\(([\w.-]+)\)", text)), page
