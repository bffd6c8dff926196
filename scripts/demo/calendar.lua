-- When the shop is open: "one working day" in these rules means one of these days.

calendar "shop" {
  hours = { ["mon-sun"] = "09:00-20:00" },
}
