"""Files as they come out of spreadsheets: what is understood, what is refused, in which words."""
import os
import pathlib

import pytest

from command import attach

MAPPED = ("--map", "Kunden-Nr=userId", "--map", "Name=name", "--map", "Umsatz=revenue:number(de)")
SHEET = (
    "Kunden-Nr; Name ;Umsatz\r\n"
    '1;"Müller; Jürgen";"1.234,50 €"\r\n'
    "\r\n"
    ";;\r\n"
    '2;"O""Neil";12,5\r\n'
    "3;Zu kurz\r\n"
    "4;Åsa;\r\n"
)


@pytest.fixture
def kith(daemon):
    return attach(daemon)


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def check_sheet(kith, path, *words, line=6):
    """The sheet is in, but for its short row, which is when it has been mended."""
    out = kith("import", path, *MAPPED, *words)
    assert "4 rows, 3 events sent" in out and "1 row rejected" in out
    traits = [kith.json("show", f"user_id:{n}")[0]["traits"] for n in (1, 2, 4)]
    assert traits == [
        {"name": "Müller; Jürgen", "revenue": 1234.5},
        {"name": 'O"Neil', "revenue": 12.5},
        {"name": "Åsa"},
    ]
    rejected = pathlib.Path(f"{path}.rejected")
    text = rejected.read_text(encoding="utf-8-sig")
    short = f'"line {line}: 2 columns instead of 3";3;Zu kurz'
    assert text.splitlines()[-1] == short
    assert text.splitlines()[-2] == '"rejected_because";Kunden-Nr; Name ;Umsatz'
    rejected.write_bytes(rejected.read_bytes().replace(short.encode(), f"{short}ø;7,5".encode()))
    assert "1 row, 1 event sent" in kith("import", rejected, *MAPPED, *words)
    assert kith.json("show", "user_id:3")[0]["traits"] == {"name": "Zu kurzø", "revenue": 7.5}


@pytest.mark.parametrize(
    "encoding, words",
    [
        ("utf-8-sig", ()),
        ("windows-1252", ("--encoding", "windows-1252")),
        ("utf-16", ()),
        ("utf-16-le", ()),
        ("utf-16-be", ()),
    ],
)
def test_a_sheet_says_the_same_in_each_encoding(kith, tmp_path, encoding, words):
    check_sheet(kith, write(tmp_path / "a.csv", SHEET, encoding), "--delimiter", ";", *words)


def test_the_line_that_tells_excel_its_delimiter_tells_us(kith, tmp_path):
    check_sheet(kith, write(tmp_path / "a.csv", "sep=;\r\n" + SHEET), line=7)


@pytest.mark.parametrize(
    "text, encoding, words, reason",
    [
        (SHEET, "utf-8", (), 'all of the first line is one, "Kunden-Nr; Name ;Umsatz"; say --del'),
        (
            SHEET,
            "windows-1252",
            ("--delimiter", ";"),
            "what Excel saves as \"CSV\" in Western Europe",
        ),
        ("PK\x03\x04...", "utf-8", (), 'is a workbook: save it as "CSV UTF-8"'),
        (
            "Kundennr,Name\n1,Ann\n",
            "utf-8",
            (),
            'there is no column "Kunden-Nr"; is it "Kundennr"?',
        ),
        ("Kunden-Nr,Name,Name\n1,A,B\n", "utf-8", (), 'two columns are called "Name"'),
    ],
)
def test_what_cannot_be_read_is_refused_before_anything_is_sent(
    kith, tmp_path, text, encoding, words, reason
):
    path = write(tmp_path / "a.csv", text, encoding)
    code, out, err = kith.run("import", path, *MAPPED, *words)
    assert (code, out) == (1, "") and reason in err
    assert kith.run("show", "1")[0] == 1
    assert os.listdir(tmp_path).count("a.csv.rejected") == 0


def test_without_a_map_the_delimiter_is_asked_for_too(kith, tmp_path):
    code, _, err = kith.run("import", write(tmp_path / "a.csv", "userId;name\n1;Ann\n"))
    assert code == 1 and 'has ";" in it: is that the --delimiter?' in err


def test_broken_bytes_cost_their_rows_when_the_encoding_is_said(kith, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"userId,name\n1,M\xfcller\n2,Ann\n")
    assert kith.run("import", path)[0] == 1
    assert "1 row rejected" in kith("import", path, "--encoding", "UTF-8")
    assert kith.json("show", "user_id:2")[0]["traits"] == {"name": "Ann"}


def test_a_line_of_many_megabytes_is_one_rejected_row(kith, tmp_path):
    path = tmp_path / "a.csv"
    with open(path, "wb") as file:
        file.write(b'userId,name\n1,Ann\n2,"' + b"x" * (20 << 20) + b"\n3,Eve\n")
    out = kith("import", path)
    assert "3 rows, 2 events sent" in out and "1 row rejected" in out
    assert os.path.getsize(str(path) + ".rejected") < 2 << 20
    assert kith.json("show", "user_id:3")[0]["traits"] == {"name": "Eve"}
