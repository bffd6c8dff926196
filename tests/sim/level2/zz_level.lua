-- What a build of engine level 2 computes besides (life.c, load_rules).
rule "level two" {
  on = "order",
  run = function(event, customer)
    if (customer.orders or 0) % 2 == 0 then
      send { channel = "sms", purpose = "service", body = "level two" }
    end
  end,
}
