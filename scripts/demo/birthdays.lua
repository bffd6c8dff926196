-- Birthdays come back every year, by the calendar in which people count them.  Both traits
-- hold the date of birth as the civil calendar has it; the second one is found again by
-- the Chinese calendar, leap months included.

purpose "greetings" { opt_in = false }

local function greet(words)
  return function(event, customer)
    send {
      channel = "log", purpose = "greetings", expires = "12h",
      body = words .. (customer.name and ", " .. customer.name or "") .. "!",
    }
  end
end

rule "birthday greeting" {
  on = yearly("birthday", { at = "09:00" }),
  run = greet("Happy birthday"),
}

rule "birthday greeting by the Chinese calendar" {
  on = yearly("lunar_birthday", { at = "09:00", calendar = "chinese" }),
  run = greet("生日快乐"),
}
