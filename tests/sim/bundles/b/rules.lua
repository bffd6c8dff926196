-- The simulator's second bundle; tests/sim/model.py says the same in Python.
local threshold = 20

rule "orders" {
  on = "order",
  run = function(event, customer)
    customer:set("orders", (customer.orders or 0) + 1)
    if event.total >= threshold then
      send { channel = "sms", purpose = "service", body = "thanks " .. customer.orders }
    end
    after { due = "2min", key = "nudge", emit = "nudge" }
    local key = "k" .. event.number % 3
    if event.page < 2 then
      ask("pool:gift", "take", { key = key })
    elseif event.page == 2 then
      ask("budget:kind", "release", { key = key })
    else
      ask("budget:kind", "spend", { key = key, amount = event.total + 0.25 })
    end
  end,
}

rule "nudge" {
  on = "nudge",
  run = function(event, customer)
    send {
      channel = "hook", purpose = "service", template = "nudge",
      data = { orders = customer.orders or 0 },
    }
    remind { title = "call", to = "anna", due = "1wd", key = "call" }
    after { due = "2d", key = "follow", emit = "follow" }
  end,
}

rule "milestone" {
  on = "tally.milestone",
  run = function(event, customer)
    send {
      channel = "hook", purpose = "service",
      body = "milestone " .. event.count .. " " .. customer["tally.count"],
    }
  end,
}

rule "follow" {
  on = "follow",
  run = function(event, customer)
    send { channel = "hook", purpose = "service", body = "follow " .. customer.orders }
  end,
}

rule "due" {
  on = "reminder.due",
  run = function(event)
    send { channel = "sms", purpose = "news", body = "due " .. event.task }
  end,
}

rule "visit" {
  on = "visit",
  run = function(event, customer)
    customer:add("pages", event.page)
    if event.page == 4 then customer:set("timezone", "Asia/Tokyo") end
    emit("ping", { page = event.page, files = event.files }, { to = "user_id:u-1" })
  end,
}

rule "ping" {
  on = "ping",
  run = function(event, customer)
    customer:set("pings", (customer.pings or 0) + 1)
    send { channel = "hook", purpose = "service", body = "ping " .. customer.pings }
    if event.page == 3 then error("page three") end
  end,
}

rule "call" {
  on = "provider.call",
  run = function(event)
    send { channel = "hook", purpose = "service", body = "call " .. event.number }
  end,
}

-- What a rule keeps in a local is put back: this never counts beyond one.
local seen = 0
rule "local counter" {
  on = "visit",
  run = function(event, customer)
    seen = seen + 1
    customer:set("seen", seen)
  end,
}

purpose "news" { opt_in = true }

rule "daily" {
  on = every("1d", { at = "09:00" }),
  run = function(event, customer)
    send { channel = "hook", purpose = "service", body = "daily" }
  end,
}

calendar "company" { zone = "Asia/Shanghai", hours = "09:00-18:00", holidays = { "2026-10-01" } }

pool "gift" { low = 2 }
budget "kind" { amount = "150.00", currency = "EUR", per = "1d" }

rule "code" {
  on = "pool.taken",
  run = function(event)
    send { channel = "hook", purpose = "service", body = "code " .. event.code }
  end,
}

kind "case" {
  fields = {
    level = { type = "choice", values = { "low", "high" }, required = true },
    wanted = "time",
    what = { type = "text", required = true },
    of = { type = "record:case", same_subject = true },
  },
  roles = { customer = { subject = true } },
  states = { "open", { name = "waiting", waiting = true }, { name = "closed", final = true } },
  transitions = {
    wait = { from = "open", to = "waiting" },
    go = { from = "waiting", to = "open" },
    close = { from = "*", to = "closed" },
  },
  deadlines = {
    answer = { from = "open", due = "1wh", due_by = { level = { high = "8min" } } },
  },
}

rule "cases" {
  on = "case.overdue",
  run = function(event)
    send {
      channel = "hook", purpose = "service",
      body = string.format("overdue %d %s %d", event.number, event.record.level,
                           event.record.wanted),
    }
  end,
}
