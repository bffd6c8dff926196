-- When the house works.  "One working day" in these rules, in promises and in deadlines is one of
-- these days; write next year's holidays before the year begins.

calendar "company" {
  hours = { ["mon-fri"] = "09:00-18:00", sat = "10:00-14:00" },
  holidays = {
    "2026-12-25", "2026-12-26",
    "2027-01-01", "2027-03-26", "2027-03-29", "2027-05-01", "2027-05-06", "2027-05-17",
    "2027-12-25",
  },
}
