"""What an import rejects is mended where it was left, and that file is imported as it stands."""
import json
import pathlib
import re
import subprocess

import pytest

from command import attach

ORDERS = (
    "no;who;day;sum\n"
    "1;c-1;2026-03-01;5\n"
    '2;"Miller; Ann";2026-03-32;7\n'
    "3;c-3;2026-03-03;8;9\n"
    '4;"c-4;2026-03-04;1\n'
    "5;c-5;2026-03-05;x\n"
)
MAPS = ("who=userId", "day=at:date", "sum=total:number", "#1=no")
OPTIONS = ("--delimiter", ";", "--event", "Paid", *[x for m in MAPS for x in ("--map", m)])


@pytest.fixture
def kith(daemon):
    return attach(daemon)


def write(path, text):
    path.write_text(text)
    return path


def rejected(path):
    return pathlib.Path(f"{path}.rejected")


def sed(path, *scripts):
    subprocess.run(["sed", "-i", *[x for s in scripts for x in ("-e", s)], path], check=True)


def paid(kith, user):
    items = kith.json("timeline", f"user_id:{user}")
    return [item["data"] for item in items if item["type"] == "Paid"]


def counts(kith, *words):
    code, out, _ = kith.run("--json", "import", *words)
    said = json.loads(out)
    assert code == (1 if said["rejected"] == said["rows"] else 0)
    return said["rows"], said["sent"], said["rejected"]


def test_one_row_is_mended_with_sed_and_the_file_imported_as_it_stands(kith, tmp_path):
    path = write(tmp_path / "orders.csv", ORDERS)
    assert counts(kith, path, *OPTIONS) == (5, 1, 4)
    sed(rejected(path), "s/03-32/03-31/g")
    assert counts(kith, rejected(path), *OPTIONS) == (4, 1, 3)
    assert paid(kith, "Miller; Ann") == [{"no": "2", "total": 7}]
    assert len(paid(kith, "c-1")) == 1
    # and so on with what is left, of which nothing was said twice
    rest = rejected(rejected(path))
    sed(rest, "s/;8;9/;8/", 's/;"c-4/;c-4/', "s/;x$/;3/")
    assert counts(kith, rest, *OPTIONS) == (3, 3, 0)
    assert [paid(kith, f"c-{n}") for n in (1, 3, 4, 5)] == [
        [{"no": str(n), "total": total}] for n, total in ((1, 5), (3, 8), (4, 1), (5, 3))
    ]
    assert not rejected(rest).exists()


def test_what_is_not_mended_is_left_as_it_stood_with_the_reason_once(kith, tmp_path):
    path = write(tmp_path / "orders.csv", ORDERS)
    assert counts(kith, path, *OPTIONS) == (5, 1, 4)
    first = rejected(path).read_text().splitlines()
    assert counts(kith, rejected(path), *OPTIONS) == (4, 0, 4)
    again = rejected(rejected(path)).read_text().splitlines()
    rows = ORDERS.splitlines()
    assert first[0] == again[0] == f'"rejected_because";{rows[0]}'
    for lines, numbers in ((first, (3, 4, 5, 6)), (again, (2, 3, 4, 5))):
        for line, number, row in zip(lines[1:], numbers, rows[2:], strict=True):
            assert re.fullmatch(f'"line {number}: .+";{re.escape(row)}', line), line
            assert line.count("line ") == 1
    code, _, err = kith.run("import", path, *OPTIONS, "--rejected", path)
    assert code == 1 and "name another" in err
    assert path.read_text() == ORDERS


def test_lines_of_ndjson_are_mended_the_same_way(kith, tmp_path):
    path = write(
        tmp_path / "calls.ndjson",
        '{"type":"track","userId":"u-1","event":"Paid","properties":{"n":1}}\n'
        '{"type":"track","userId":"u-1","evnt":"Paid","properties":{"n":2}}\n'
        'type":"track","userId":"u-1","event":"Paid","properties":{"n":3}}\n'
        '{"rejected_because":"line 9: no","type":"track","userId":"u-1","event":"Paid"}\n',
    )
    assert counts(kith, path) == (4, 2, 2)  # a call that has such a field is a call
    sed(rejected(path), "s/evnt/event/", 's/^type/{"type/')
    assert counts(kith, rejected(path)) == (2, 2, 0)
    assert sorted(data.get("n", 0) for data in paid(kith, "u-1")) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "words, text, mend",
    [
        (
            ("--delimiter", "space", "--columns", "userId,sum"),
            " u-1  5\nu-2\n u-3 7\n",
            "s/u-2$/& 6/",
        ),
        (("--columns", "userId,sum"), 'u-1,5\n"u-2\nu-3,7\n', 's/,"u-2$/,u-2,6/'),
        (("--delimiter", "_"), "userId_sum\nu-1_5\nu-2\nu-3_7\n", "s/u-2$/&_6/"),
        ((), "sep=|\nuserId|sum\nu-1|5\nu-2\nu-3|7\n", "s/u-2$/&|6/"),
    ],
    ids=["blanks", "no header", "underscore", "sep"],
)
def test_whatever_stands_between_cells(kith, tmp_path, words, text, mend):
    path = write(tmp_path / "list.txt", text)
    assert counts(kith, path, *words) == (3, 2, 1)
    assert counts(kith, rejected(path), *words) == (1, 0, 1)
    sed(rejected(path), mend)
    assert counts(kith, rejected(path), *words) == (1, 1, 0)
    for user, wanted in (("u-1", "5"), ("u-2", "6"), ("u-3", "7")):
        assert kith.json("show", f"user_id:{user}")[0]["traits"] == {"sum": wanted}


def test_bytes_that_were_of_no_encoding_are_not_taken_until_they_are_mended(kith, tmp_path):
    path = tmp_path / "list.csv"
    path.write_bytes("userId,name\nu-1,王小明\nu-2,".encode("gb18030") + b"\xff\xff\n")
    words = ("--encoding", "GB18030")
    assert counts(kith, path, *words) == (2, 1, 1)
    assert counts(kith, rejected(path), *words) == (1, 0, 1)
    sed(rejected(path), "s/u-2,.*/u-2,李娜/")
    assert counts(kith, rejected(path), *words) == (1, 1, 0)
    assert kith.json("show", "user_id:u-2")[0]["traits"] == {"name": "李娜"}


def test_the_beginning_of_a_row_that_is_too_long_is_not_taken_for_one(kith, tmp_path):
    path = write(tmp_path / "list.csv", "userId,name\nu-1," + "x" * (2 << 20) + "\nu-2,Ann\n")
    assert counts(kith, path) == (2, 1, 1)
    assert counts(kith, rejected(path)) == (1, 0, 1)
    assert kith.run("show", "user_id:u-1")[0] == 1
