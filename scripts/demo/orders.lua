-- Somebody buys for the first time, and buys a lot: thank them by phone, within one
-- working day, before they wonder whether we noticed.

local big = 500

rule "thank for a first big order" {
  on = "Order Completed",
  run = function(event, customer)
    customer:set("orders", (customer.orders or 0) + 1)
    customer:set("revenue", (customer.revenue or 0) + event.total)
    if customer.orders == 1 and event.total >= big then
      remind {
        title = "Thank " .. (customer.name or "them") .. " by phone for the first order",
        to = "owner", due = "1wd",
        note = "Order " .. event.order_id .. ", " .. event.total .. " " .. event.currency,
      }
    end
  end,
}
