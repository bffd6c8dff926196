-- A regular who has neither bought nor come nor asked for 90 days: find out why, before she
-- is somebody else's regular.  Each sign of life begins the 90 days anew.

local regular = 3 -- orders

rule "a sign of life" {
  on = { "Order Completed", "Shop Visited", "Enquiry Received" },
  run = function(event)
    after { due = "90d", key = "silence", emit = "Silent For 90 Days", data = { since = event.id } }
  end,
}

rule "ask after a regular" {
  description = "Silent for 90 days, and has bought three times or more",
  on = "Silent For 90 Days",
  run = function(event, customer)
    if (customer.orders or 0) >= regular then
      remind {
        title = "Ask after " .. (customer.name or "them") .. ": nothing for 90 days",
        to = "owner", due = "2wd", key = event.since,
        note = customer.orders .. " orders, " .. customer.spent .. " spent",
      }
    end
  end,
}
