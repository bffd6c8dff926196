-- The configuration of `make run`: a house with shops in three countries, and an office in Berlin.
-- data and listen are said by tools/demo.sh.

data "."
zone "Europe/Berlin"
country "DE"
fallback "managers"
channel "log" { file = "messages" }
