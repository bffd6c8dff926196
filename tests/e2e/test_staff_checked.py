"""What is said about staff and teams is looked at: whoever is meant must be able to exist."""
import pytest

from command import attach

RULES = """
calendar "berlin" { hours = { mon = "09:00-17:00" } }
purpose "news" { opt_in = true }
"""


@pytest.fixture(name="house")
def _house(start, tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rules.lua").write_text(RULES)
    return start("--scripts", tmp_path / "rules")


def put(daemon, name, **fields):
    answer = daemon.call("PUT", f"/v1/staff/{name}", fields)
    return answer.status, answer.json.get("detail")


def test_a_member_of_staff_that_cannot_be_is_refused(house):
    assert put(house, "ann", email="ann@example.com", calendar="berlin", deputy="ben")[0] == 200
    for fields, words in [
        ({"email": "notmail"}, '"email": '),
        ({"calendar": "nocal"}, 'no calendar is called "nocal"'),
        ({"deputy": "ann"}, '"deputy" is somebody else than she herself'),
        ({"absences": [{"from": 1, "until": 2, "deputy": "ann"}]}, '"deputy" is somebody else'),
    ]:
        status, said = put(house, "ann", **fields)
        assert status == 422 and words in said, said
    status, said = put(house, "team:x")
    assert status == 422 and "its own name here is x" in said
    away = {"from": "2030-01-01", "to": "2030-01-02"}
    assert house.post("/v1/staff/ann/absences", away | {"deputy": "ann"}).status == 422
    assert house.post("/v1/staff/ann/absences", away | {"deputy": "ben"}).status == 200
    assert house.get("/v1/staff/ann").json["email"] == "ann@example.com"


def test_what_she_has_already_may_stay(start, tmp_path):
    daemon = start()
    assert put(daemon, "ann", calendar="old")[0] == 200, "nobody has said which there are"
    assert daemon.post("/v1/bundles", {"files": {"rules.lua": RULES}}).status == 201
    assert put(daemon, "ann", calendar="old", phone="+4930123456")[0] == 200
    assert put(daemon, "ann", calendar="older")[0] == 422


def test_she_is_not_handed_over_to_herself(house):
    kith = attach(house)
    put(house, "ann")
    put(house, "ben")
    code, _, said = kith.run("staff", "remove", "ann", "--to", "ann")
    assert code != 0 and "--to is somebody else than ann, who leaves" in said
    code, _, said = kith.run("staff", "remove", "ann", "--to", "team:x")
    assert code != 0 and 'nobody on the staff is called "x"' in said
    code, _, said = kith.run("staff", "remove", "ann", "--to", "ben")
    assert code == 0, said


def test_what_comes_back_from_a_team_is_said(house):
    kith = attach(house)
    put(house, "ann", team="desk")
    put(house, "desk", assign=["turn"])
    house.send({"type": "identify", "userId": "u-1"})
    task = {"customer": "user_id:u-1", "to": "ann", "title": "call", "due": "2d"}
    assert house.post("/v1/reminders", task).status == 201
    code, _, said = kith.run("staff", "remove", "ann", "--to", "desk")
    assert code != 0 and "was handed over to desk is ann's again" in said, said
    assert "kith staff absent ann --to DAY" in said


def test_an_empty_name_is_named(house):
    kith = attach(house)
    code, _, said = kith.run("staff", "add", "")
    assert code != 0 and "NAME is empty" in said


def test_a_team_is_one_when_somebody_is_in_it(house):
    kith = attach(house)
    put(house, "ann")
    code, out, _ = kith.run("team", "set", "desk")
    assert code == 0 and out.startswith("desk is no team yet, nobody is in it")
    assert kith.run("team", "set", "desk", "--member", "ann")[1] == "desk is a team\n"
    assert kith.run("team", "set", "night", "--assign", "turn")[1] == "night is a team\n"
    out = kith.run("team")[1]
    assert [line.split() for line in out.splitlines()[1:]] == [["desk", "ann"], ["night"]]


def test_a_link_for_a_purpose_that_there_is_not(house):
    kith = attach(house)
    house.send({"type": "identify", "userId": "u-1"})
    code, _, said = kith.run("link", "user_id:u-1", "--unsubscribe", "nosuch/email")
    assert code != 0 and 'no purpose is called "nosuch"' in said
    code, _, said = kith.run("link", "user_id:u-1", "--unsubscribe", "news/emial")
    assert code != 0 and 'did you mean "email"?' in said
    assert kith.run("link", "user_id:u-1", "--unsubscribe", "news/email")[0] == 0


def test_a_member_of_a_team_whom_nobody_knows_is_remarked_with_the_nearest(house):
    kith = attach(house)
    for name in ("zoe", "eve", "\u738b\u82b3", "\u674e\u5a1c\u5a1c"):
        assert kith.run("staff", "add", name)[0] == 0
    slips = {
        "zoee": "zoe",
        "\u738b\u65b9": "\u738b\u82b3",
        "\u674e\u5a1c": "\u674e\u5a1c\u5a1c",
    }
    for slip, meant in slips.items():
        code, out, _ = kith.run("team", "set", "desk", "--member", f"eve,{slip}")
        assert code == 0 and out.splitlines() == [
            "desk is a team",
            f'nobody on the staff is called "{slip}": did you mean "{meant}"?',
        ]
    code, out, _ = kith.run("team", "set", "desk", "--member", "eve", "--member", "\u5f20\u4f1f")
    assert code == 0 and "kith staff list says who is" in out, "two of two characters are others"
    code, out, _ = kith.run("team", "set", "desk", "--member", "eve,\u738b\u82b3")
    assert code == 0 and out == "desk is a team\n"
    assert house.get("/v1/staff/desk").json["members"] == ["eve", "\u738b\u82b3"]


def test_a_deputy_whom_nobody_knows_is_remarked(house):
    kith = attach(house)
    put(house, "zoe")
    code, out, _ = kith.run("staff", "add", "ann", "--deputy", "zoee")
    assert code == 0 and 'nobody on the staff is called "zoee": did you mean "zoe"?' in out
    code, out, _ = kith.run("staff", "add", "ann", "--deputy", "zoe")
    assert code == 0 and "nobody" not in out
