test "her owner is reminded on the morning of her birthday, once a year" (function(t)
  t:at "2027-04-05 12:00"
  local ann = t:customer{ name = "Ann", owner = "anna", birthday = "1980-04-06" }
  t:advance "19h"
  t:expect_no_reminder(ann)
  t:at "2027-04-06 08:00"
  t:expect_reminder(ann, { title = "Wish Ann a happy birthday", to = "anna" })
end)

test "a birthday of the Chinese calendar is found again by that calendar" (function(t)
  t:at "2026-01-05 09:00"
  local li = t:customer{ name = "Li", owner = "anna", lunar_birthday = "1984-02-02" }
  t:at "2026-02-17 07:59"
  t:expect_no_reminder(li)
  t:at "2026-02-17 08:00" -- New Year's Day, of the rat and of the horse
  t:expect_reminder(li, { title = "Wish Li a happy birthday, by the Chinese calendar" })
end)

test "nobody is reminded of a day that is not known" (function(t)
  t:at "2027-01-01 09:00"
  local ann = t:customer{ name = "Ann", owner = "anna" }
  t:advance "1y"
  t:expect_no_reminder(ann)
end)
