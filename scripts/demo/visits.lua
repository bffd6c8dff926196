-- Somebody came to look and bought nothing for three days: ask what was missing.
-- A second visit begins the three days anew; an order ends them.

rule "a visit opens a question" {
  on = "Shop Visited",
  run = function(event)
    after { due = "3d", key = "visit", emit = "Visit Without Purchase",
            data = { looked_at = event.looked_at } }
  end,
}

rule "an order answers it" {
  on = "Order Completed",
  run = function()
    cancel("visit")
  end,
}

rule "ask after a visit without purchase" {
  on = "Visit Without Purchase",
  run = function(event, customer)
    remind {
      title = "Ask " .. (customer.name or "them") .. " about the " .. (event.looked_at or "visit"),
      to = "owner", due = "1wd", key = "visit",
    }
  end,
}
