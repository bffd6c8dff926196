-- A client's event sets a reminder; the rule behind it stands for whatever is then done.
rule "set" {
  on = "Remind",
  run = function(event)
    remind { title = "call", to = "sales", due = event.due, key = event.key }
  end,
}

rule "due" {
  on = "reminder.due",
  run = function() end,
}
