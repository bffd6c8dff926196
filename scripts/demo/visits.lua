-- Somebody came to look and left without buying: get back to her within three days of the visit,
-- and ask what was missing.  Two days are hers to come back by herself: an order ends the
-- matter, a second visit begins it anew.

rule "a visit begins the three days" {
  on = "Shop Visited",
  run = function(event)
    after {
      due = "2d", key = "visit", emit = "Visit Without Order",
      data = { visit = event.id, looked_at = event.looked_at },
    }
  end,
}

rule "an order ends them" {
  on = "Order Completed",
  run = function() cancel("visit") end,
}

rule "follow up on a visit" {
  description = "Within three days of a visit after which nothing was bought",
  on = "Visit Without Order",
  run = function(event, customer)
    remind {
      title = "Ask " .. (customer.name or "them") .. " about the " .. (event.looked_at or "visit"),
      to = "owner", due = "1d", key = event.visit,
    }
  end,
}
