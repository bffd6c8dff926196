test "a birthday is greeted at nine, in her language, once a year" (function(t)
  t:at "2026-03-31 12:00"
  local ming = t:customer{ name = "王小明", language = "zh-CN", birthday = "1980-04-01" }
  t:advance "20h"
  t:expect_not_sent(ming)
  t:at "2026-04-01 09:00"
  t:expect_sent(ming, { purpose = "greetings", body = "王小明，生日快乐", times = 1 })
  t:advance "1y"
  t:expect_sent(ming, { rule = "birthday greeting", times = 2 })
end)

test "a birthday of the Chinese calendar is found again by that calendar" (function(t)
  t:at "2026-01-05 09:00"
  local li = t:customer{ name = "Li", lunar_birthday = "1984-02-02" } -- New Year's Day of the rat
  t:at "2026-02-17 08:59"
  t:expect_not_sent(li)
  t:at "2026-02-17 09:00" -- and of the horse
  t:expect_sent(li, { rule = "birthday greeting by the Chinese calendar", body = "Li" })
end)

test "who wants no greetings gets none" (function(t)
  t:at "2026-03-31 12:00"
  local ann = t:customer{ name = "Ann", birthday = "1980-04-01" }
  t:event(ann, "consent.changed", {
    purpose = "greetings", channel = "log", state = "withdrawn", proof = "on the phone",
  })
  t:advance "2d"
  t:expect_not_sent(ann)
end)
