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


def test_a_team_without_members_says_so(house):
    kith = attach(house)
    put(house, "ann")
    empty = "is a team, and nobody is in it yet: kith team set"
    assert kith.run("team", "set", "desk")[1].startswith("desk " + empty)
    assert house.get("/v1/staff/desk").json["members"] == []
    assert kith.run("team", "set", "desk", "--member", "ann")[1] == "desk is a team\n"
    assert kith.run("team", "set", "desk", "--name", "Desk")[1] == "desk is a team\n"
    assert house.get("/v1/staff/desk").json["members"] == ["ann"]
    assert kith.run("team", "set", "night", "--assign", "turn")[1].startswith("night " + empty)
    out = kith.run("team")[1]
    assert [line.split() for line in out.splitlines()[1:]] == [["desk", "ann"], ["night"]]


TEAM = " is a team, and nobody on the staff: the two cannot share a name"
PERSON = " is somebody on the staff, and no team: the two cannot share a name"


def test_a_team_and_a_person_do_not_share_a_name(house):
    kith = attach(house)
    kith.run("staff", "add", "ann", "--team", "sales")
    kith.run("team", "set", "service", "--assign", "turn", "--member", "ann")
    for words, said in [
        (("staff", "add", "service"), "service" + TEAM),
        (("staff", "add", "sales"), "sales" + TEAM),
        (("team", "set", "ann"), "ann" + PERSON),
        (("staff", "add", "bob", "--team", "ann"), "ann" + PERSON),
        (("team", "set", "sales", "--member", "service"), "service" + TEAM),
    ]:
        code, _, err = kith.run(*words)
        assert code == 1 and said in err, (words, err)
    assert put(house, "zoe", teams=["sales", "ann"]) == (422, "ann" + PERSON)
    team = house.get("/v1/staff/service").json
    assert (team["assign"], team["members"]) == (["turn"], ["ann"])
    listed = kith.run("staff", "list")[1].splitlines()[1:]
    assert [line.split()[0] for line in listed] == ["ann"]
    assert '"service"' not in kith.run("--json", "staff", "list")[1]
    assert kith.run("team", "set", "sales", "--assign", "load")[0] == 0


def test_whoever_leaves_is_told_what_she_is_in(house):
    kith = attach(house)
    for words in (
        ("staff", "add", "boss"),
        ("staff", "add", "ben", "--team", "desk"),
        ("staff", "add", "carl", "--deputy", "ben"),
        ("staff", "add", "reuben", "--team", "desk"),
        ("team", "set", "desk", "--member", "ben", "--member", "boss", "--assign", "turn"),
    ):
        assert kith.run(*words)[0] == 0
    ties = ["ben {} the deputy of carl", "ben {} a member of desk"]
    code, out, _ = kith.run("staff", "remove", "ben", "--to", "boss", "--dry-run")
    assert code == 0 and sorted(out.splitlines()[1:]) == sorted(t.format("is") for t in ties)
    code, out, _ = kith.run("staff", "remove", "ben")
    assert code == 0
    gone, *rest = out.splitlines()
    assert gone == "ben is no longer on the staff"
    assert sorted(rest) == sorted(tie.format("was") for tie in ties)
    teams = kith.run("team")[1]
    assert "boss" in teams and " ben" not in teams
    assert "deputy" not in house.get("/v1/staff/carl").json
    code, out, _ = kith.run("staff", "remove", "desk")
    assert code == 0 and out.splitlines()[0] == "desk is no team any more"
    left = [f"{who} was a member of desk" for who in ("boss", "reuben")]
    assert sorted(out.splitlines()[1:]) == left
    assert "team" not in house.get("/v1/staff/reuben").json


def test_she_is_away_when_she_is(house):
    kith = attach(house)
    put(house, "ann")
    out = kith.run("staff", "absent", "ann", "--from", "2998-01-01", "--to", "2998-01-02")[1]
    assert out == "ann will be away: kith staff show says when\n"
    out = kith.run("staff", "absent", "ann", "--from", "2020-01-01", "--to", "2997-01-02")[1]
    assert out == "ann is away: kith staff show says until when\n"


def test_a_link_for_a_purpose_that_there_is_not(house):
    kith = attach(house)
    house.send({"type": "identify", "userId": "u-1"})
    code, _, said = kith.run("link", "user_id:u-1", "--unsubscribe", "nosuch/email")
    assert code != 0 and 'no purpose is called "nosuch"' in said
    code, _, said = kith.run("link", "user_id:u-1", "--unsubscribe", "news/emial")
    assert code != 0 and 'did you mean "email"?' in said
    assert kith.run("link", "user_id:u-1", "--unsubscribe", "news/email")[0] == 0


def test_a_member_of_a_team_whom_nobody_knows_is_refused_with_the_nearest(house):
    kith = attach(house)
    for name in ("zoe", "eve", "\u738b\u82b3", "\u674e\u5a1c\u5a1c"):
        assert kith.run("staff", "add", name)[0] == 0
    slips = {
        "zoee": "zoe",
        "\u738b\u65b9": "\u738b\u82b3",
        "\u674e\u5a1c": "\u674e\u5a1c\u5a1c",
    }
    for slip, meant in slips.items():
        code, _, err = kith.run("team", "set", "desk", "--member", f"eve,{slip}")
        assert code == 1
        assert f'nobody on the staff is called "{slip}"; did you mean "{meant}"?' in err
    code, _, err = kith.run("team", "set", "desk", "--member", "eve", "--member", "\u5f20\u4f1f")
    assert code == 1 and "did you mean" not in err, "two of two characters are others"
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
