test "she is greeted on the holidays of her family" (function(t)
  t:at "2027-01-05 09:00"
  local li = t:customer{ name = "Li", owner = "anna", language = "zh" }
  t:at "2027-02-06 07:59" -- New Year's Day of the goat
  t:expect_no_reminder(li)
  t:at "2027-02-06 08:00"
  t:expect_reminder(li, { title = "Greet Li: it is the Spring Festival", to = "anna" })
  t:at "2027-09-15 08:00"
  t:expect_reminder(li, { title = "Greet Li: it is the Mid-Autumn Festival" })
  t:at "2027-12-25 08:00"
  t:expect_no_reminder(li, { title = "Greet Li: it is Christmas" })
end)

test "her language is known with its country as well" (function(t)
  t:at "2027-01-05 09:00"
  local ming = t:customer{ name = "王小明", owner = "anna", language = "zh-CN" }
  local yu = t:customer{ name = "Yu", owner = "anna", locale = "zh-Hant-TW", language = "en" }
  local ben = t:customer{ name = "Ben", owner = "anna", locale = "de-AT" }
  t:at "2027-02-06 08:00"
  t:expect_reminder(ming, { title = "Greet 王小明: it is the Spring Festival" })
  t:expect_reminder(yu, { title = "Greet Yu: it is the Spring Festival" })
  t:at "2027-12-24 08:00"
  t:expect_reminder(ben, { title = "Greet Ben: it is Christmas" })
  t:expect_no_reminder(ming, { title = "Greet 王小明: it is Christmas" })
end)

test "somebody else keeps others" (function(t)
  t:at "2027-01-05 09:00"
  local ann = t:customer{ name = "Ann", owner = "anna", country = "DE" }
  t:at "2027-12-23 09:00"
  t:expect_no_reminder(ann)
  t:at "2027-12-24 08:00"
  t:expect_reminder(ann, { title = "Greet Ann: it is Christmas" })
end)

test "what somebody knows better counts" (function(t)
  t:at "2027-01-05 09:00"
  local mei = t:customer{ name = "Mei", owner = "anna", country = "DE" }
  t:event(mei, "identify", { holidays = "chinese" })
  t:at "2027-02-06 08:00"
  t:expect_reminder(mei, { title = "Greet Mei: it is the Spring Festival" })
end)
