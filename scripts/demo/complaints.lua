-- A complaint is answered within 24 hours: elapsed time, for anger does not keep office hours.
-- Whoever owns the customer answers and says `kith done`.  What is still open an hour
-- later goes to the managers, who hear of it at once.

rule "answer a complaint" {
  description = "Within 24 hours; an hour later it is the managers'",
  on = "Complaint Received",
  run = function(event, customer)
    remind {
      title = "Answer " .. (customer.name or "them") .. ": " .. event.subject,
      to = "owner", due = "24h", key = event.complaint_id,
      note = event.text, about = "complaint:" .. event.complaint_id,
      escalate = { after = "1h", to = "managers" },
    }
  end,
}

rule "tell the managers" {
  description = "A word to them when a follow-up has become theirs",
  on = "reminder.escalated",
  run = function(event)
    notify { to = "managers", text = "Overdue, and now yours: " .. event.title }
  end,
}
