"""docs/lua-reference.md: made from the source, and each of its examples does what it says."""
import re
import subprocess
from collections import namedtuple

import pytest

from conftest import BUILD, ROOT

PAGE = (ROOT / "docs" / "lua-reference.md").read_text()
Word = namedtuple("Word", "chapter name text fields example")  # fields: (name, needed, text)
# What the examples need around them: what is sent, and to whom.
HOUSE = """
kind "case" {
  fields = { subject = "text", outcome = "text" }, roles = { customer = { subject = true } },
  states = { "new", { name = "closed", final = true } },
  transitions = { close = { from = "new", to = "closed" } },
  deadlines = { answer = { from = "new", due = "1wd" } },
}
rule "house 3" { on = "Case", run = function(event) create("case", { subject = event.text }) end }
purpose "newsletter" { opt_in = true }
pool "gift" {}
rule "house 1" { on = "Signed Up", run = function()
  send { channel = "log", purpose = "service", body = "Welcome, Ann" }
end }
rule "house 2" { on = "Complaint", run = function(event)
  remind { title = "Answer", to = "owner", due = "24h", note = event.text }
end }
"""


def kith(*words):
    return subprocess.run(
        [BUILD / "kith", *words], capture_output=True, text=True, check=False, env={}
    )


def words_of_the_page():
    for chapter in PAGE.split("\n## ")[1:]:
        title = chapter.split("\n")[0]
        for text in chapter.split("\n### ")[1:]:
            rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \| ([^|]*) \|$", text, re.M)
            fields = [(name, kind.endswith(", needed"), told) for name, kind, told in rows]
            example = re.search(r"^```lua\n(.*?)^```$", text, re.S | re.M)
            yield Word(title, text.split("\n")[0], text, fields, example and example.group(1))


WORDS = list(words_of_the_page())


def in_a_rule(code):
    data = "{ total = 1500, text = 'late', product = 'tea' }"
    return {
        "example.lua": f'rule "e" {{ on = "E", run = function(event, customer)\n{code}end }}\n',
        "example_test.lua": 'test "e" (function(t)\n'
        f't:event(t:customer{{ owner = "anna" }}, "E", {data})\nend)\n',
    }


def declared(code):
    code = code.replace('purpose "newsletter"', 'purpose "example"')  # the house has one
    return {"example.lua": code, "example_test.lua": 'test "e" (function(t) end)\n'}


def as_a_trigger(code):
    return declared(f'rule "e" {{ on = {code}, run = function() end }}\n')


def as_a_test(code):
    return {"example_test.lua": code}


def in_a_test(code):
    new = "" if code.startswith("t:at") else 'local c = t:customer{ owner = "anna" }\n'
    return as_a_test(f'test "e" (function(t)\n{new}{code}end)\n')


def as_settings(code):
    return {"kith.lua": code, **declared("")}


PLACES = {
    "Declarations": declared,
    "Calendars": declared,
    "Pools and budgets": declared,
    "Asking them": in_a_rule,
    "Kinds of records": declared,
    "Triggers": as_a_trigger,
    "Objects": in_a_rule,
    "Methods of a customer": in_a_rule,
    "What a rule does": in_a_rule,
    "Records": in_a_rule,
    "A record": in_a_rule,
    "Methods of a record": in_a_rule,
    "Messages": in_a_rule,
    "Time": in_a_rule,
    "Durations": in_a_rule,
    "Tests": as_a_test,
    "Words of a test": in_a_test,
    "kith.lua": as_settings,
}


def try_out(path, word, code):
    """(what `kith test` ends with, what it says) of a folder in which this is the example."""
    folder = path / "rules"
    folder.mkdir(exist_ok=True)
    (path / "kith.lua").write_text('url "https://crm.example.com"\n')
    (folder / "house.lua").write_text(HOUSE)
    for name, text in PLACES[word.chapter](code).items():
        ((path if name == "kith.lua" else folder) / name).write_text(text)
    if 'plugin "' in code and not (BUILD / "plugins").exists():
        pytest.skip("a build tree without plugins")
    done = kith("test", folder, "--config", path / "kith.lua", "--plugins", BUILD / "plugins")
    return done.returncode, done.stdout + done.stderr


# ---- The page ------------------------------------------------------------------------------------


def test_the_page_is_what_the_source_says():
    assert kith("help", "--page").stdout == PAGE, "mend it with: make reference"


def test_the_page_has_a_chapter_for_each_place_where_words_stand():
    assert {word.chapter for word in WORDS} == set(PLACES)
    assert {"rule", "remind", "customer:set", "t:event", "channel", "limits"} <= {
        word.name for word in WORDS
    }


def test_every_word_has_an_example():
    assert all(word.example is not None for word in WORDS)
    for word in WORDS:
        name = word.name.split(" ")[0]
        assert re.search(rf"\b{re.escape(name)[1:]}\b|{name}", word.example)


def test_the_fields_of_an_event_are_those_that_the_engine_knows():
    source = (ROOT / "core" / "engine" / "event.c").read_text()
    source = source.split("struct doc_value event_field(")[1].split("\n}\n")[0]
    given = set(re.findall(r'text_is\(name, "(\w+)"\)', source))
    (word,) = [word for word in WORDS if word.name == "event"]
    assert {"type", "id", "at", "logged", "seq"} <= given == {name for name, _, _ in word.fields}


# ---- Examples ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word",
    [word for word in WORDS if word.example],
    ids=lambda word: f"{word.chapter}: {word.name}",
)
def test_the_example_runs(word, tmp_path):
    code, said = try_out(tmp_path, word, word.example)
    assert code == 0 and "1 passed, 0 failed" in said, said


FIELDS = [
    (word, field)
    for word in WORDS
    for field in word.fields
    if word.example and re.search(rf"\b{field[0]} = ", word.example)
]


@pytest.mark.parametrize(
    "word, field", FIELDS, ids=[f"{word.name}: {field[0]}" for word, field in FIELDS]
)
def test_a_field_is_needed_if_the_page_says_so(word, field, tmp_path):
    """name = nil and VALUE is a table without the field."""
    name, is_needed, told = field
    start = max(word.example.find(f"{word.name} = {{"), 0)  # links within send
    before, after = word.example[:start], word.example[start:]
    code, said = try_out(
        tmp_path, word, before + re.sub(rf"\b{name} = ", f"{name} = nil and ", after, count=1)
    )
    if is_needed:
        assert code != 0 and re.search(rf"\b{name}\b", said), said
    elif "needed" not in told:  # else it depends on the others
        assert code == 0, said


def test_every_needed_field_stands_in_the_example_of_its_word():
    for word in WORDS:
        for name, is_needed, _ in word.fields:
            assert not is_needed or re.search(rf"\b{name} = ", word.example), (word.name, name)


def test_a_word_takes_no_field_but_those_of_the_page(tmp_path):
    tried = {word.name: (word, field[0]) for word, field in FIELDS}
    del tried["t:customer"]  # any name is a trait
    assert {"rule", "emit", "links", "t:expect_sent", "quota"} <= set(tried)
    for number, (word, name) in enumerate(tried.values()):
        path = tmp_path / str(number)
        path.mkdir()
        start = max(word.example.find(f"{word.name} = {{"), 0)
        found = re.compile(rf"\b{name} = ").search(word.example, start).start()
        text = word.example[:found] + "zzzz = 1, " + word.example[found:]
        code, said = try_out(path, word, text)
        assert code != 0 and 'knows no "zzzz"' in said, said


# ---- Limits --------------------------------------------------------------------------------------


def test_a_limit_goes_as_far_as_the_page_says(tmp_path):
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \| (\d+) \| ", PAGE, re.M)
    assert len(rows) >= 20
    (limits,) = [word for word in WORDS if word.name == "limits"]
    for name, standard, least, most in rows:
        assert int(least) <= int(standard) <= int(most)
    for side, beyond in ((2, -1), (3, 1)):
        fine = ", ".join(f"{row[0]} = {row[side]}" for row in rows if row[0] != "rule_cpu_ms")
        code, said = try_out(tmp_path, limits, f"limits {{ {fine} }}\n")
        assert "must be from" not in said
        for row in rows:
            text = f"limits {{ {row[0]} = {int(row[side]) + beyond} }}\n"
            code, said = try_out(tmp_path, limits, text)
            assert code != 0 and f"limit {row[0]} is" in said, said


# ---- At the terminal -----------------------------------------------------------------------------


def test_help_lua_lists_every_word_and_tells_each():
    listed = kith("help", "lua").stdout
    for word in WORDS:
        usage = re.search(r"^    (.*)$", word.text, re.M).group(1)
        assert f"  {usage}\n" in listed
        done = kith("help", "lua", *word.name.split())
        assert done.returncode == 0, done.stderr
        told = re.sub(r"\s+", " ", done.stdout)
        for name, _, text in word.fields:
            assert f" {name} (" in told and text in told
        assert all(line in done.stdout for line in (word.example or "").splitlines())


def test_help_lua_finds_a_method_without_its_object_and_all_words_of_one_name():
    assert kith("help", "lua", "untag").stdout == kith("help", "lua", "customer:untag").stdout
    assert kith("help", "lua", "customer").stdout.count("Example:") == 2  # t:customer, too


def test_help_lua_fits_a_terminal():
    for word in WORDS:
        for line in kith("help", "lua", *word.name.split()).stdout.splitlines():
            assert len(line) <= 100, line


def test_a_word_that_there_is_none_of_is_refused_and_the_nearest_named():
    done = kith("help", "lua", "remnid")
    assert done.returncode == 2 and 'did you mean "remind"?' in done.stderr
    done = kith("help", "lua", "qqqqqqqq")
    assert done.returncode == 2 and "`kith help lua` lists them" in done.stderr
