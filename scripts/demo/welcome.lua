-- Somebody new: the shop calls within two working days, while the first visit is still in mind.
-- She belongs to no member of staff yet, so the call is the team's.

rule "welcome call" {
  description = "Call whoever has signed up, within two working days",
  on = "Signed Up",
  run = function(event, customer)
    remind {
      title = "Welcome " .. (customer.name or "the new customer") .. " by phone",
      to = event.shop, due = "2wd",
      note = "Signed up " .. (event.where or "by hand"),
    }
  end,
}
