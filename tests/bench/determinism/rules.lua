-- Rules for the comparison of builds: every word that computes something, and sums of
-- doubles whose last bit shows whether a compiler took a liberty with them.

purpose "news" { opt_in = true }
purpose "tips" { opt_in = false }

calendar "company" {
  zone = "Europe/Berlin",
  hours = { ["mon-fri"] = { "09:00-12:00", "13:00-18:00" }, sat = "10:00-14:00" },
  holidays = { "2026-04-03", "2026-04-06", "2026-05-01" },
  working = { "2026-04-12" },
}

local function number(value)
  return math.type(value) ~= nil and value or 0
end

rule "sums" {
  on = { "Order Completed", "Order Refunded" },
  run = function(event, customer)
    local total = number(event.total)
    local sign = event.type == "Order Refunded" and -1 or 1
    local revenue = number(customer.revenue) + sign * total
    customer:set("orders", number(customer.orders) + 1)
    customer:set("revenue", revenue)
    customer:set("average", revenue / customer.orders)
    customer:set("trend", 0.9 * number(customer.trend) + 0.1 * total)
    customer:set("spread", math.sqrt(math.abs(total * total - revenue * customer.trend)))
  end,
}

rule "items" {
  on = "Order Completed",
  run = function(event, customer)
    local names, sum = {}, 0.0
    for _, item in ipairs(event.items or {}) do
      sum = sum + item.price * item.quantity
      names[#names + 1] = string.upper(item.sku) .. string.format("/%.3f/%g", item.price, sum)
    end
    table.sort(names, function(a, b) return a > b end)
    customer:set("last_items", table.concat(names, ","))
    for _, name in ipairs(names) do
      local letter = name:match("^(%a)")
      if letter then customer:add("letters", letter) end
    end
  end,
}

rule "fields in order" {
  on = "*",
  run = function(event, customer)
    if customer == nil or event.data == nil then return end
    local seen = {}
    for name, value in pairs(event.data) do
      seen[#seen + 1] = name .. "=" .. type(value)
    end
    if event.type == "Visit" then
      customer:set("fields", table.concat(seen, " "))
      log(#seen .. " fields, " .. utf8.len(event.page or "") .. " letters")
    end
  end,
}

rule "work" {
  on = "Order Completed",
  run = function(event, customer)
    local total = number(event.total)
    if total > 900 then
      remind { title = "call about " .. event.total, to = "owner", due = "2wh", key = "large" }
    elseif total > 700 then
      remind { title = "look", to = "anna", due = "1wd", at = "10:30", note = tostring(total) }
    elseif total > 690 then
      customer:tag("nearly")
      remind { title = "hurry", to = "team", due = "3h", key = event.id,
               escalate = { after = "1h", to = "anna" } }
    end
  end,
}

rule "messages" {
  on = "Order Completed",
  run = function(event, customer)
    if customer.orders % 3 == 0 then
      send { channel = "sms", purpose = "service", body = "thanks " .. customer.orders, key = "a" }
    end
    if customer.orders % 5 == 0 then
      send { channel = "hook", purpose = "news", body = "news", expires = "1h",
             data = { revenue = customer.revenue, list = { 1, 2.5, "x" } } }
    end
    if customer.orders % 7 == 0 then
      send { channel = "mail", purpose = "tips", body = "tip" }
      notify { to = "anna", text = "seven again", channel = "hook" }
    end
  end,
}

rule "visits" {
  on = "Visit",
  run = function(event, customer)
    after { due = "20min", key = "visit", emit = "Visit Over", data = { page = event.page } }
    if event.shared then
      emit("Recommended", { by = customer.id, weight = number(event.weight) / 3 },
           { to = event.shared })
    end
    if event.page == "stop" then cancel("visit") end
  end,
}

rule "visit over" {
  on = "Visit Over",
  run = function(event, customer)
    customer:set("last_page", event.page)
    emit("Scored", { score = number(customer.score) * 1.1 + 0.7 })
  end,
}

rule "scored" {
  on = { "Scored", "Recommended" },
  run = function(event, customer)
    local score = number(customer.score) + number(event.score) / 7 + number(event.weight)
    customer:set("score", math.fmod(score, 1000))
    if math.floor(score) % 11 == 0 then error("eleven, at " .. string.format("%.17g", score)) end
  end,
}

rule "endless" {
  on = "Endless",
  run = function(event, customer)
    customer:set("endless", 1)
    while true do customer:set("endless", customer.endless + 1) end
  end,
}

rule "due" {
  on = { "reminder.due", "effect.sent", "customer.created" },
  run = function(event, customer)
    if customer then customer:set("seen " .. event.type, now()) end
    if event.type == "reminder.due" then
      send { channel = "sms", purpose = "service", body = "due " .. tostring(event.task) }
    end
  end,
}

rule "weekly" {
  on = every("1w", { at = "06:30" }),
  run = function(_, customer)
    customer:set("weeks", number(customer.weeks) + 1)
    customer:set("trend", 0.99 * number(customer.trend))
  end,
}

rule "birthday" {
  on = yearly("birthday", { at = "09:00" }),
  run = function()
    send { channel = "mail", purpose = "service", body = "many happy returns" }
  end,
}

rule "contract" {
  on = date("contract_end", "-30d"),
  run = function(_, customer)
    customer:untag("nearly")
    remind { title = "contract of " .. tostring(customer.contract_end), to = "anna", due = "1mo" }
  end,
}
