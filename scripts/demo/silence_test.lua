local function order(t, customer, number)
  t:event(customer, "Order Completed", { order_id = number, total = 20, currency = "EUR" })
end

test "a regular who is silent for 90 days is asked after" (function(t)
  local ann = t:customer{ name = "Ann", owner = "anna" }
  for _, number in ipairs { "A-1", "A-2", "A-3" } do
    order(t, ann, number)
    t:advance "1w"
  end
  t:advance "82d"
  t:expect_no_reminder(ann)
  t:advance "1d"
  t:expect_reminder(ann, { title = "Ask after Ann", to = "anna", note = "3 orders, 60 spent" })
end)

test "a visit begins the 90 days anew, and nobody asks after a stranger" (function(t)
  local ann = t:customer{ name = "Ann" }
  order(t, ann, "A-1")
  t:advance "80d"
  t:event(ann, "Shop Visited")
  t:advance "12d" -- the question about the visit has come meanwhile
  t:expect_no_reminder(ann, { rule = "ask after a regular" })
  t:advance "1y"
  t:expect_no_reminder(ann, { rule = "ask after a regular" })
end)
