local function complain(t)
  local ann = t:customer{ name = "Ann", owner = "anna" }
  t:event(ann, "Complaint Received", {
    complaint_id = "C-1", subject = "a broken cup", text = "It came in two halves.",
  })
  return ann
end

test "a complaint that nobody answers in time becomes the managers'" (function(t)
  local ann = complain(t)
  t:expect_reminder(ann, { title = "a broken cup", to = "anna", due = "2026-01-06 09:00" })
  t:advance "24h"
  t:expect_not_sent(ann)
  t:advance "1h"
  t:expect_reminder(ann, { title = "a broken cup", to = "managers" })
  t:expect_sent(ann, { to = "managers", text = "Overdue, and now yours", times = 1 })
end)

test "a complaint that is answered stays where it was" (function(t)
  local ann = complain(t)
  t:advance "3h"
  local reminder = t:expect_reminder(ann, { key = "C-1" })
  t:event(ann, "reminder.done", { task = reminder.id, outcome = "sent a new one" })
  t:advance "7d"
  t:expect_no_reminder(ann)
  t:expect_not_sent(ann)
end)
