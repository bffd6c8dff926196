-- The ten rules of the benchmark: what the peers beside Kith do as well.
--
-- One counts, one remembers, one writes; seven look at an event that does not concern
-- them, as most rules do with most events.

rule "count orders and revenue" {
  on = "Order Completed",
  run = function(event, customer)
    customer:set("orders", (customer.orders or 0) + 1)
    customer:set("revenue", (customer.revenue or 0) + event.total)
  end,
}

rule "call after a large order" {
  on = "Order Completed",
  run = function(event)
    if event.total > 990 then
      remind {
        title = "Call about the large order", to = "sales", due = "3d", key = event.order_id,
      }
    end
  end,
}

rule "thank at every fiftieth order" {
  on = "Order Completed",
  run = function(event, customer)
    if customer.orders % 50 == 0 then
      send { channel = "log", purpose = "service", body = "thanks" }
    end
  end,
}

for i = 4, 10 do
  rule("gold customers paying in euros, " .. i) {
    on = "Order Completed",
    run = function(event, customer)
      if event.currency == "EUR" and customer.tier == "gold" then
        send { channel = "log", purpose = "service", body = "gold " .. i }
      end
    end,
  }
end
