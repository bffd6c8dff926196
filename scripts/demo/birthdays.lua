-- Birthdays come back every year, by the calendar in which people count them.  Both traits
-- hold the date of birth as the civil calendar has it; the second one is found again by
-- the Chinese calendar, leap months included.  Nine o'clock is nine where she lives, and a
-- greeting that could not go out by midnight does not go out.

purpose "greetings" { opt_in = false, description = "A word on a birthday" }

local words = {
  en = "Happy birthday, %s! There is a cup of tea waiting for you.",
  de = "Alles Gute zum Geburtstag, %s! Eine Tasse Tee steht bereit.",
  zh = "%s，生日快乐！店里备好了您爱喝的茶。",
}

local function greet(event, customer)
  local language = tostring(customer.locale or customer.language or ""):match("^%a+")
  send {
    channel = "log", purpose = "greetings", expires = "15h",
    body = (words[language] or words.en):format(customer.name or "you"),
  }
end

rule "birthday greeting" {
  description = "On the day, by the calendar of the passport",
  on = yearly("birthday", { at = "09:00" }),
  run = greet,
}

rule "birthday greeting by the Chinese calendar" {
  description = "On the day, by the calendar of the family",
  on = yearly("lunar_birthday", { at = "09:00", calendar = "chinese" }),
  run = greet,
}
