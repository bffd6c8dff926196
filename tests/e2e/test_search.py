"""Who is it?  Search over HTTP and with `kith search`, for Latin and Chinese names alike."""
import json
import os
import subprocess
import urllib.parse

import pytest

from conftest import BUILD

PEOPLE = {
    "u-1": {"name": "王小明", "email": "ming@example.com", "phone": "+8613800001234"},
    "u-2": {"name": "Jürgen Groß", "email": "j.gross@firma.de", "phone": "+4930901820"},
    "u-3": {"name": "单雄信", "phone": "+8613900005678"},
    "u-4": {"firstName": "Anna", "lastName": "Schmidt", "email": "anna@firma.de"},
    "u-5": {"name": "Schmidt, Anna", "company": {"name": "Goldschmidt & Söhne"}},
    "u-6": {"name": "王大明", "phone": "+8613700001234"},
}


def identify(user, traits, day=20):
    at = f"2026-01-{day:02}T10:00:00.000Z"
    return {"type": "identify", "userId": user, "traits": traits, "timestamp": at}


@pytest.fixture
def people(daemon):
    daemon.send(
        *(identify(user, traits, day) for day, (user, traits) in enumerate(PEOPLE.items(), 1))
    )
    return daemon


def search(daemon, query, **more):
    path = "/v1/customers?" + urllib.parse.urlencode({"q": query, **more})
    answer = daemon.get(path)
    assert answer.status == 200, (query, answer.body)
    return answer.json


def found(daemon, query):
    return [item["id"] for item in search(daemon, query)["items"]]


@pytest.mark.parametrize(
    "query, numbers",
    [
        ("王小明", [1]),
        ("小明", [1]),
        ("xiaoming", [1]),
        ("Wang Xiao Ming", [1]),
        ("wxm", [1]),
        ("wxm 234", [1]),  # initials, and the end of a number, whichever is longer
        ("234 wdm", [6]),
        ("wxm 678", []),
        ("王", [6, 1]),
        ("wang", [6, 1]),
        ("大", [6]),
        ("jurgen", [2]),
        ("JUERGEN", [2]),
        ("Jürgen", [2]),
        ("groß j", [2]),
        ("grosse", []),
        ("shan", [3]),
        ("dan xiong", [3]),
        ("shan xx", [3]),
        ("shan q", []),
        ("schmidt anna", [5, 4]),
        ("anna schmidt", [4, 5]),
        ("oldsch", [5]),
        ("goldschmidt soehne", [5]),
        ("1234", [6, 1]),
        ("138 0000 1234", [1]),
        ("030/901820", [2]),
        ("wang 1234", [6, 1]),
        ("xiaoming 1234", [1]),
        ("firma.de", [4, 2]),
        ("j.gross@", [2]),
        ("gross@firma", [2]),
        ("u-3", [3]),
        ("3", [3]),
        ("nobody", []),
    ],
)
def test_somebody_is_found_by_what_a_clerk_types(people, query, numbers):
    assert found(people, query) == numbers


def test_an_item_shows_who_it_is_and_the_last_contact(people):
    people.send(
        {
            "type": "track",
            "userId": "u-1",
            "event": "Visit",
            "timestamp": "2026-03-01T10:00:00.000Z",
        }
    )
    page = search(people, "wxm")
    assert page["next"] is None
    (item,) = page["items"]
    assert item["traits"]["name"] == "王小明"
    assert item["ids"]["phone"] == ["+8613800001234"]
    assert item["owner"] is None
    assert item["last_contact"] == "2026-03-01T10:00:00.000Z"
    listed = people.get("/v1/customers?limit=1").json["items"][0]
    assert listed == item


def test_what_was_just_changed_is_found_and_what_it_replaced_is_not(people):
    people.send(identify("u-1", {"name": "Xaver Quandt"}))
    assert found(people, "quandt") == [1]
    assert found(people, "王小明") == []
    assert found(people, "wxm") == []
    people.send(identify("u-1", {"name": None}))
    assert found(people, "quandt") == []


def test_merged_customers_are_one_and_found_by_both_names(people):
    answer = people.post("/v1/customers/2/merge", {"absorbed": "1"})
    assert answer.status == 200
    assert found(people, "wxm") == [2]
    assert found(people, "jurgen") == [2]
    assert found(people, "1234") == [6, 2]
    assert people.post("/v1/customers/1/unmerge", {}).status == 200
    assert found(people, "wxm") == [1]


def test_pages_go_on_by_their_cursor_and_hold_everybody_once(daemon):
    batch = [identify(f"p-{n}", {"name": f"{'Anna' if n % 2 else 'Hanna'} {n}"}) for n in range(90)]
    daemon.send(*batch)
    for limit in (7, 50, 1000):
        numbers, after, pages = [], "", 0
        while after is not None:
            page = search(daemon, "anna", limit=limit, **({"after": after} if after else {}))
            assert len(page["items"]) <= limit
            numbers += [item["id"] for item in page["items"]]
            after, pages = page["next"], pages + 1
        assert sorted(numbers) == list(range(1, 91))
        assert pages >= 90 // limit
    plain = daemon.get("/v1/customers?limit=60").json
    rest = daemon.get(f"/v1/customers?limit=60&after={plain['next']}").json
    assert [item["id"] for item in plain["items"] + rest["items"]] == list(range(1, 91))
    assert rest["next"] is None


def test_a_query_that_says_nothing_is_refused_with_words(people):
    for query, words in (
        ("q=", "needs a letter or a digit"),
        ("q=%20--", "needs a letter or a digit"),
        ("q=" + "a" * 129, "at most 128 bytes"),
        ("q=anna&after=nonsense", "no cursor"),
        ("where=a%20%3D%201", "knows no ?where="),
    ):
        answer = people.get("/v1/customers?" + query)
        assert answer.status == 400, query
        assert words in answer.json["detail"], answer.body
    assert people.get("/v1/customers?q=anna", key="write").status == 403


def test_the_index_survives_a_crash_and_is_what_the_log_says(people):
    people.send(identify("u-3", {"name": "关羽"}))
    assert found(people, "guan") == [3]
    answer = people.post("/v1/verify", None)
    assert answer.json["ok"], answer.body
    assert answer.json["hash"] == answer.json["fresh"]


# ---- The command -----------------------------------------------------------------------


@pytest.fixture
def kith(people):
    env = dict(os.environ, KITH_URL=f"http://127.0.0.1:{people.port}", KITH_KEY=people.key("admin"))

    def run(*words):
        done = subprocess.run(
            [str(BUILD / "kith"), *words], env=env, text=True, capture_output=True, timeout=120
        )
        return done.returncode, done.stdout, done.stderr

    return run


def test_search_prints_a_table_for_a_clerk(kith):
    code, out, _ = kith("search", "xiaoming", "1234")
    assert code == 0
    title, row = out.splitlines()
    assert title.split("  ")[0] == "id" and "last contact" in title
    assert row.split()[:3] == ["1", "王小明", "+8613800001234"]
    code, out, _ = kith("search", "schmidt", "--limit", "1")
    assert code == 0 and len(out.splitlines()) == 2
    assert "Anna" in out
    code, out, _ = kith("--json", "search", "wang")
    assert [json.loads(line)["id"] for line in out.splitlines()] == [6, 1]
    code, out, _ = kith("search", "nobody at all")
    assert (code, len(out.splitlines())) == (0, 1)
    assert kith("search")[0] == 2
    code, _, err = kith("search", "--", "--")
    assert code == 1 and "needs a letter" in err


def test_show_takes_who_is_found_alone_and_names_the_others(kith):
    code, out, _ = kith("show", "xiaoming")
    assert code == 0 and out.startswith("customer 1 ")
    code, out, _ = kith("show", "groß", "jürgen")
    assert code == 0 and out.startswith("customer 2 ")
    code, out, _ = kith("--json", "show", "+4930901820")
    assert json.loads(out)["id"] == 2
    code, out, err = kith("show", "wang")
    assert code == 1 and out == ""
    assert 'several customers are found by "wang"' in err
    assert "王小明" in err and "王大明" in err
    code, _, err = kith("show", "nobody")
    assert code == 1 and 'nobody is found by "nobody"' in err and "user_id:u-17" in err
    assert kith("show", "user_id:u-1")[1].startswith("customer 1 ")
    code, _, err = kith("show", "99")
    assert code == 1 and "no such customer: 99" in err
