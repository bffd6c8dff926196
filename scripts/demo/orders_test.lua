local function order(t, customer, number, total, currency)
  t:event(customer, "Order Completed", { order_id = number, total = total, currency = currency })
end

test "a big order is thanked for within a working day, by whose customer she is" (function(t)
  local ann = t:customer{ name = "Ann", owner = "anna" }
  order(t, ann, "A-1", 620, "EUR")
  t:expect_reminder(ann, {
    title = "Thank Ann", to = "anna", due = "2026-01-06", note = "620 EUR, the first order",
  })
  assert(ann.orders == 1 and ann.spent == 620)
end)

test "what is big depends on the currency" (function(t)
  local ming = t:customer{ name = "王小明", owner = "li" }
  order(t, ming, "A-1", 3999, "CNY")
  t:expect_no_reminder(ming)
  order(t, ming, "A-2", 4000, "CNY")
  t:expect_reminder(ming, { title = "Thank 王小明", note = "order 2", times = 1 })
end)
