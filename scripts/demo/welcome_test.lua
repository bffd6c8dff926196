-- What the rules of this folder promise, as stories of a few events each.  `kith test` runs them:
-- each begins in an empty house on a Monday at nine, and time passes only as it is told.

test "whoever signs up is called by the shop within two working days" (function(t)
  local ann = t:customer{ name = "Ann" }
  t:event(ann, "Signed Up", { shop = "hamburg", where = "at the fair" })
  t:expect_reminder(ann, {
    title = "Welcome Ann by phone", to = "hamburg", due = "2026-01-07 19:00", note = "at the fair",
  })
end)
