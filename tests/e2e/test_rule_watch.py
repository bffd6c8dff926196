"""A rule whose instructions are dearer than they should be does not keep everybody waiting."""

# Keys of which each shares its place in Lua's table with all others: one look takes as long as
# thousands of others, and the budget of instructions would last for minutes.
CHOKE = """
rule "chokes" { on = "choke", run = function(event, customer)
  local t = {}
  for i = 1, 40000 do t[i * 65535] = i end
  for i = 1, 400000 do t[-1 - i * 65535] = nil local x = t[(40001 + i % 9) * 65535] end
  customer:set("choked", true)
end }
rule "goes on" { on = "choke", run = function(event, customer) customer:set("went_on", true) end }
"""


def test_a_rule_that_keeps_the_processor_is_ended_for_good(start, tmp_path):
    config = tmp_path / "kith.lua"
    config.write_text("limits { rule_cpu_ms = 200 }\n")
    daemon = start("--config", config)
    assert daemon.post("/v1/bundles", {"files": {"rules.lua": CHOKE}}).status == 201
    daemon.send({"type": "track", "event": "choke", "userId": "u-1"})
    items = daemon.timeline("user_id:u-1")
    failures = [item["data"]["message"] for item in items if item["type"] == "rule.failed"]
    assert len(failures) == 1
    assert "computed for more than 200 ms (limit rule_cpu_ms)" in failures[0]
    traits = daemon.get("/v1/customers/user_id:u-1").json["traits"]
    assert traits == {"went_on": True}
    verdict = daemon.post("/v1/verify", {}).json
    assert verdict["ok"] and verdict["hash"] == verdict["fresh"], verdict
