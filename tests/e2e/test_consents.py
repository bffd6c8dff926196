"""A consent that staff records is for a purpose and a channel that there are."""
import pytest

from command import attach

RULES = 'purpose "newsletter" { opt_in = true }\npurpose "survey" { opt_in = true }\n'
ANN = "/v1/customers/user_id:ann"


@pytest.fixture
def house(start):
    daemon = start()
    daemon.send({"type": "identify", "userId": "ann"})
    return daemon


def deploy(daemon, rules=RULES):
    assert daemon.post("/v1/bundles", {"files": {"rules.lua": rules}}).status == 201


def consent(daemon, purpose, channel, state="granted", status=200):
    body = {"purpose": purpose, "channel": channel, "state": state}
    answer = daemon.call("PUT", ANN + "/consents", body)
    assert answer.status == status, answer.body
    return answer.json.get("detail")


def consents(daemon):
    items = daemon.get(ANN + "/consents").json["items"]
    return {(c["purpose"], c["channel"]): c["state"] for c in items}


@pytest.mark.parametrize(
    "purpose, channel, detail",
    [
        (
            "newsleter",
            "email",
            'no purpose is called "newsleter": did you mean "newsletter"?',
        ),
        ("newsletter", "emial", 'no channel is called "emial": did you mean "email"?'),
        ("servise", "sms", 'no purpose is called "servise": did you mean "service"?'),
        (
            "xyz",
            "email",
            'no purpose is called "xyz": the rules in force declare which there are',
        ),
    ],
)
def test_a_name_that_is_misspelt_is_refused_with_the_nearest(house, purpose, channel, detail):
    deploy(house)
    before = house.metric("kith_log_entries")
    for state in ("granted", "withdrawn", "pending"):
        assert consent(house, purpose, channel, state, 422) == detail
    assert consents(house) == {} and house.metric("kith_log_entries") == before


def test_the_command_says_the_same(house):
    deploy(house)
    kith = attach(house)
    code, _, err = kith.run("consent", "user_id:ann", "grant", "newsletter/emial")
    assert code != 0 and 'did you mean "email"?' in err


def test_names_that_there_are_and_ways_that_kith_does_not_know_are_taken(house):
    deploy(house)
    for purpose, channel in [("newsletter", "email"), ("service", "log"), ("survey", "letter")]:
        consent(house, purpose, channel)
        assert consents(house)[purpose, channel] == "granted"


def test_without_purposes_any_is_taken(house):
    consent(house, "newsleter", "email")
    deploy(house, 'rule "r" { on = "E", run = function() end }')
    consent(house, "servise", "email")
    assert len(consents(house)) == 2


def test_what_is_on_record_can_be_withdrawn_whatever_it_is_called(house):
    consent(house, "newsleter", "emial")
    deploy(house)
    consent(house, "newsleter", "emial", "withdrawn")
    assert consents(house) == {("newsleter", "emial"): "withdrawn"}
    consent(house, "newsleter", "email", status=422)


def test_whoever_is_not_known_is_still_not_found(house):
    deploy(house)
    body = {"purpose": "newsletter", "channel": "emial", "state": "granted"}
    assert house.call("PUT", "/v1/customers/user_id:bob/consents", body).status == 404
