test "who looked and did not buy is asked within three days" (function(t)
  local ann = t:customer{ name = "Ann", owner = "anna" }
  t:event(ann, "Shop Visited", { looked_at = "celadon bowl" })
  t:advance "47h"
  t:expect_no_reminder(ann)
  t:advance "1h"
  t:expect_reminder(ann, { title = "Ask Ann about the celadon bowl", due = "2026-01-08 09:00" })
end)

test "who comes back and buys is not asked" (function(t)
  local ann = t:customer{ name = "Ann", owner = "anna" }
  t:event(ann, "Shop Visited")
  t:advance "1d"
  t:event(ann, "Order Completed", { order_id = "A-1", total = 20, currency = "EUR" })
  t:advance "10d"
  t:expect_no_reminder(ann)
end)
