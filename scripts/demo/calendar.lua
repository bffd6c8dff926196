-- When the shop is open: "one working day" in these rules means one of these days.  The calendar
-- called "company" counts for everybody who has none of their own.

calendar "company" {
  hours = { ["mon-sun"] = "09:00-20:00" },
}
