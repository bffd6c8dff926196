-- Somebody spends a lot at once: thank her by phone within one working day, before she
-- wonders whether we noticed.  What is a lot, each currency says for itself.

local big = { EUR = 500, GBP = 450, CNY = 4000 }

rule "count orders" {
  description = "How often she has bought, and for how much",
  on = "Order Completed",
  run = function(event, customer)
    customer:set("orders", (customer.orders or 0) + 1)
    customer:set("spent", (customer.spent or 0) + event.total)
  end,
}

rule "thank for a big order" {
  description = "A call within one working day",
  on = "Order Completed",
  run = function(event, customer)
    if event.total >= (big[event.currency] or big.EUR) then
      remind {
        title = "Thank " .. (customer.name or "them") .. " for the order",
        to = "owner", due = "1wd", key = event.order_id, about = "order:" .. event.order_id,
        note = event.total .. " " .. event.currency
          .. (customer.orders == 1 and ", the first order" or ", order " .. customer.orders),
      }
    end
  end,
}
