"""docs/errors.md lists what the daemon can answer or say, each with what to do about it."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
STRING = r'((?:"(?:\\.|[^"\\])*"\s*)+)'
SAID = [
    rf"call_problem\([^,()]+,\s*\d+,\s*{STRING}",
    rf"\brefuse(?:_beyond)?\([^()]*?\d\d\d,\s*{STRING}",
    rf"(?:engine_refuse|err_set)\(\s*[&\w>.-]+,\s*(?:E_\w+|err[.>-]+code),\s*{STRING}",
    rf"http_refusal\)\{{ \d\d\d,\s*{STRING}",
    rf"http_refusal \w+ = \{{ \d\d\d,\s*{STRING}",
    rf"\.detail = {STRING}",
    r'(?:return|=) ("(?:this key may not|a key is needed|nobody has this key)[^"]*")',
]


def plain(literals):
    """The text of adjacent C strings, with an ellipsis for what is filled in."""
    text = "".join(re.findall(r'"((?:\\.|[^"\\])*)"', literals)).replace('\\"', '"')
    text = re.sub(r"%%|%[-0-9.*]*(?:ll|z|h)?[a-zA-Z]", lambda m: "%" if m[0] == "%%" else "…", text)
    return text.strip()


def said_by_the_source():
    found = set()
    for folder in ("core/server", "core/engine"):
        for path in (ROOT / folder).glob("*.c"):
            source = re.sub(r'%"\s*PRI\w+\s*"', "%u", path.read_text())
            source = re.sub(r'%"\s*PRI\w+', '%u"', source)
            for pattern in SAID:
                found |= {plain(literals) for literals in re.findall(pattern, source)}
    # Nothing but what another message fills in.
    return {text for text in found if re.search(r"[a-z]{3}", text)}


def rows_of_the_page():
    page = (ROOT / "docs/errors.md").read_text()
    return re.findall(r"^\| `` (.*?) `` \| (.*?) \| (.*?) \|$", page, re.M)


def test_every_error_is_listed_and_no_other():
    source, page = said_by_the_source(), {message for message, _, _ in rows_of_the_page()}
    assert len(source) > 200
    assert source - page == set(), "not in docs/errors.md"
    assert page - source == set(), "said nowhere any more"


def test_every_error_has_a_status_and_a_remedy():
    for message, status, remedy in rows_of_the_page():
        assert re.fullmatch(r"[1-5]\d\d(, [1-5]\d\d)*|rule|start|message", status), message
        assert len(remedy) > 5, message


def test_no_error_is_listed_twice():
    messages = [message for message, _, _ in rows_of_the_page()]
    assert len(messages) == len(set(messages))
