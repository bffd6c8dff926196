-- Holidays that she keeps: by the calendar of her family, which her language or country tells
-- until somebody knows it better, and an identify brings `holidays`, "chinese" or "western".  A
-- holiday is a date that comes back every year by the calendar in which it is counted, so each
-- customer has the dates of those that are hers as traits; any year will do.

local dates = {
  chinese = { spring_festival = "2026-02-17", mid_autumn = "2026-09-25" },
  western = { christmas = "2026-12-24" },
}

local chinese = { CN = true, TW = true, HK = true, SG = true }

-- "zh" of "zh-CN" and of "zh_Hant_TW"
local function language_of(customer)
  return tostring(customer.locale or customer.language or ""):match("^%a+")
end

rule "which holidays she keeps" {
  on = "identify",
  run = function(event, customer)
    local kept, language = customer.holidays, language_of(customer)
    if not kept and (language or customer.country) then
      local is_chinese = language == "zh" or chinese[customer.country]
      kept = is_chinese and "chinese" or "western"
    end
    for name, of in pairs(dates) do
      for holiday, date in pairs(of) do
        local wanted = name == kept and date or nil
        if customer[holiday] ~= wanted then customer:set(holiday, wanted) end
      end
    end
  end,
}

local function remember(words)
  return function(event, customer)
    remind {
      title = words:format(customer.name or "her"), to = "owner", due = "1wh",
      key = "holiday",
    }
  end
end

rule "greet at the Spring Festival" {
  on = yearly("spring_festival", { at = "08:00", calendar = "chinese" }),
  run = remember "Greet %s: it is the Spring Festival",
}

rule "greet at the Mid-Autumn Festival" {
  on = yearly("mid_autumn", { at = "08:00", calendar = "chinese" }),
  run = remember "Greet %s: it is the Mid-Autumn Festival",
}

rule "greet at Christmas" {
  on = yearly("christmas", { at = "08:00" }),
  run = remember "Greet %s: it is Christmas",
}
