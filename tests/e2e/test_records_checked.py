"""Records are checked, and shown as clerks write things."""
import concurrent.futures
import subprocess

import pytest

from command import attach
from conftest import BUILD

RULES = """
kind "order" {
  fields = {
    total = "money", clerk = "staff", erp = { type = "text", external = true },
    former = "record:order", remark = "text",
  },
  lines = { price = "money", packer = "staff" },
  roles = { customer = { subject = true }, payer = { }, guest = { many = true } },
  states = { "open", { name = "done", final = true } },
}
kind "plain" { states = { "open", { name = "done", final = true } } }
"""


@pytest.fixture(name="house")
def _house(start, tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rules.lua").write_text(RULES)
    daemon = start("--scripts", tmp_path / "rules")
    for user in ("u-1", "u-2", "u-3"):
        daemon.send({"type": "identify", "userId": user})
    return daemon


def add(house, **fields):
    return house.post("/v1/records/order", {"customer": "1", "fields": fields})


def test_a_deploy_without_a_kind_says_what_is_left_of_it(house, tmp_path):
    add(house)
    add(house)
    house.post("/v1/records/plain", {})
    rules = tmp_path / "rules" / "rules.lua"
    rules.write_text('kind "plain" { states = { "open" } }\n')
    kith = attach(house)
    code, out, said = kith.run("deploy", str(rules.parent))
    assert code == 0, said
    assert "the kind order is not declared any more, and has 2 open records" in out
    assert "plain" not in out
    answer = house.post("/v1/bundles/rollback", {})
    assert answer.status == 200 and "undeclared" not in answer.json, answer.body


def test_open_is_one_or_zero(house):
    add(house)
    for said in ("open=1", "open=0"):
        assert len(house.get(f"/v1/records/order?{said}").json["items"]) == 1
    for said in ("open=maybe", "open=2", "open=", "open=true"):
        answer = house.get(f"/v1/records/order?{said}")
        assert answer.status == 422 and "?open= is 1" in answer.json["detail"], said


def test_a_field_of_staff_names_somebody(house):
    assert add(house, clerk="nobody").status == 201, "no staff has been named"
    house.call("PUT", "/v1/staff/anna", {"team": "desk"})
    answer = add(house, clerk="annna")
    assert answer.status == 422, answer.body
    said = '"clerk": nobody on the staff is called "annna"; did you mean "anna"?'
    assert said in answer.json["detail"]
    for name in ("anna", "desk", "team:desk"):
        assert add(house, clerk=name).status == 201, name
    lines = [{"packer": "nobody"}]
    answer = house.call("PATCH", "/v1/records/order/1", {"lines": lines})
    assert answer.status == 422 and '"packer": nobody on the staff' in answer.json["detail"]


def test_who_has_left_stays_where_she_is_named(house):
    house.call("PUT", "/v1/staff/anna", {})
    house.call("PUT", "/v1/staff/ben", {})
    assert add(house, clerk="ben").status == 201
    lines = [{"packer": "ben"}]
    assert house.call("PATCH", "/v1/records/order/1", {"lines": lines}).status == 200
    assert house.call("DELETE", "/v1/staff/ben").status == 200
    more = {"fields": {"clerk": "ben", "remark": "x"}, "lines": lines + lines}
    assert house.call("PATCH", "/v1/records/order/1", more).status == 200
    assert add(house, clerk="ben").status == 422
    assert house.post("/v1/verify", {}).json["ok"]


@pytest.mark.parametrize(
    "field, words",
    [
        ('"record:nope"', 'x.type: nobody declares the kind "nope"; there are: order, case'),
        ('"record:ordr"', 'x.type: nobody declares the kind "ordr"; did you mean "order"?'),
        (
            '{ type = "choice", values = { "a", "x", "x" } }',
            'fields.x.values: "x" stands there twice',
        ),
    ],
)
def test_what_no_field_can_be_is_refused(house, tmp_path, field, words):
    rules = (
        'kind "order" { states = { "open" } }\n'
        f'kind "case" {{ fields = {{ x = {field} }}, states = {{ "open" }} }}\n'
    )
    answer = house.post("/v1/bundles", {"files": {"rules.lua": rules}})
    assert answer.status == 422 and words in answer.json["detail"], answer.body
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "rules.lua").write_text(rules)
    done = subprocess.run(
        [str(BUILD / "kith"), "check", str(tmp_path / "new")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0 and words in done.stderr, done


def test_money_is_shown_as_it_is_written(house):
    kith = attach(house)
    code, out, said = kith.run("record", "add", "order", "1", "--set", "total=12.50 EUR")
    assert code == 0 and "12.50 EUR" in out and "amount" not in out, (out, said)
    lines = [{"price": {"amount": "3.00", "currency": "EUR"}}]
    house.call("PATCH", "/v1/records/order/1", {"lines": lines})
    assert "price 3.00 EUR" in kith.run("record", "show", "order:1")[1]
    paid = {"type": "track", "userId": "u-1", "event": "Paid"}
    house.send(paid | {"properties": {"sum": {"amount": 7, "currency": "EUR"}}})
    assert "sum 7 EUR" in kith.run("timeline", "1")[1]
    code, out, _ = kith.run("--json", "record", "show", "order:1")
    assert '"total":{"amount":"12.50","currency":"EUR"}' in out


def test_a_record_is_made_with_all_its_roles(house):
    kith = attach(house)
    roles = ["--role", "payer=user_id:u-2", "--role", "guest=3"]
    code, out, said = kith.run("record", "add", "order", "1", *roles)
    assert code == 0, said
    customers = house.get("/v1/records/order/1").json["customers"]
    assert customers == {"payer": [2], "guest": [3]}, customers


def test_a_role_that_is_named_several_times_is_a_list(house):
    kith = attach(house)
    both = ["--role", "guest=user_id:u-2", "--role", "payer=3", "--role", "guest=user_id:u-3"]
    code, _, said = kith.run("record", "add", "order", "1", *both)
    assert code == 0, said
    customers = house.get("/v1/records/order/1").json["customers"]
    assert customers == {"payer": [3], "guest": [2, 3]}, customers
    code, _, said = kith.run("record", "change", "order:1", "--role", "guest=")
    assert code == 0, said
    both = ["--role", "guest=3", "--role", "guest=2"]
    code, _, said = kith.run("record", "change", "order:1", *both)
    assert code == 0, said
    assert house.get("/v1/records/order/1").json["customers"]["guest"] == [3, 2]
    both = ["--role", "guest=", "--role", "guest=2"]
    code, _, said = kith.run("record", "change", "order:1", *both)
    assert code == 2 and "--role guest= empties the role" in said
    both = ["--role", "payer=2", "--role", "payer=3"]
    code, _, said = kith.run("record", "change", "order:1", *both)
    assert code == 1 and "payer" in said, "it is one customer's"
    code, _, said = kith.run("record", "change", "order:1", "--set", "erp=1", "--set", "erp=2")
    assert code == 2 and "--set erp is given twice" in said


def test_a_role_is_customers_or_null(house):
    made = house.post("/v1/records/order", {"customer": "1", "customers": {"guest": [2, 3, 2]}})
    assert made.json["customers"] == {"guest": [2, 3]}
    for wrong in ({}, {"id": 2}, True, [{}], [None]):
        answers = [
            house.call("PATCH", "/v1/records/order/1", {"customers": {"guest": wrong}}),
            house.call("PUT", "/v1/records/order/X-1", {"customers": {"guest": wrong}}),
            house.post("/v1/records/order", {"customer": "1", "customers": {"guest": wrong}}),
        ]
        for answer in answers:
            assert answer.status == 422 and '"guest" is a customer, 42 or' in answer.json["detail"]
    assert house.get("/v1/records/order/1").json["customers"] == {"guest": [2, 3]}
    answer = house.call("PATCH", "/v1/records/order/1", {"customers": {"guest": None}})
    assert answer.status == 200 and answer.json["customers"] == {}


def test_of_many_who_put_the_same_one_has_made_it(house):
    def put(number):
        return house.call("PUT", "/v1/records/order/RACE", {"customer": "1", "fields": {
            "remark": str(number)}}).status  # fmt: skip

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        assert sorted(pool.map(put, range(12))) == [200] * 11 + [201]
    assert [item["id"] for item in house.get("/v1/records/order").json["items"]] == [1]


def test_what_looks_like_a_number_is_put_by_its_field(house):
    add(house)
    answer = house.call("PUT", "/v1/records/order/1", {"customer": "2"})
    assert answer.status == 422 and "is written with its field, erp:1" in answer.json["detail"]
    assert house.get("/v1/records/order").json["items"][0]["customer"] == 1
    answer = house.call("PUT", "/v1/records/order/erp:1", {"customer": "2"})
    assert answer.status == 201 and answer.json["id"] == 2
    assert house.call("PUT", "/v1/records/order/A-1", {"customer": "2"}).status == 201
    answer = house.call("PUT", "/v1/records/plain/1", {})
    assert answer.status == 422 and "has no external id" in answer.json["detail"]


def test_null_empties_the_lines_and_what_is_named_in_an_object(house):
    lines = [{"price": {"amount": amount, "currency": "EUR"}} for amount in ("12.50", "3")]
    made = house.post("/v1/records/order", {"customer": "1", "lines": lines})
    assert made.status == 201, made.body
    path = f"/v1/records/order/{made.json['id']}"
    assert len(house.get(path).json["lines"]) == 2
    for name in ("fields", "customers"):
        answer = house.call("PATCH", path, {name: None})
        assert answer.status == 422 and "null} empties" in answer.json["detail"]
    assert house.call("PATCH", path, {"lines": None}).status == 200
    assert house.get(path).json["lines"] == []
