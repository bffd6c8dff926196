-- When the shops are open.  "Two working days" in these rules are two of these days: of whoever
-- is to do the work.  The calendar "company" counts for everybody who has none of their own.

local open = { ["mon-sat"] = "10:00-19:00" }

calendar "company" { hours = open }
calendar "london" { zone = "Europe/London", hours = open }
calendar "shanghai" { zone = "Asia/Shanghai", hours = { ["mon-sun"] = "10:00-20:00" } }
