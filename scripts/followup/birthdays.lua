-- The days that are hers: whoever owns her is reminded on the morning of it, and not a machine
-- speaks to her but a person.  `birthday` is counted by the civil calendar, `lunar_birthday` by the
-- Chinese one, leap months included; both hold the date of birth as the civil calendar has it.

local function remember(words)
  return function(event, customer)
    remind {
      title = words:format(customer.name or "her"), to = "owner", due = "1wh",
      key = "birthday",
    }
  end
end

rule "wish her a happy birthday" {
  description = "On the day, by the calendar of the passport",
  on = yearly("birthday", { at = "08:00" }),
  run = remember "Wish %s a happy birthday",
}

rule "wish her a happy birthday by the Chinese calendar" {
  description = "On the day, by the calendar of the family",
  on = yearly("lunar_birthday", { at = "08:00", calendar = "chinese" }),
  run = remember "Wish %s a happy birthday, by the Chinese calendar",
}
