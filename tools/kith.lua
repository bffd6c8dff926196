-- The configuration of kithd: kithd --config THIS-FILE.  It is read at the start; SIGHUP says
-- whether it has changed since.  A path is relative to this file unless it begins with a slash.
-- What stands behind two dashes is what holds without the line, or an example.

-- Where to keep the log, the state and the keys (data/admin.key, data/write.key).
data "/var/lib/kith"

-- Where to listen.  Beyond this machine only with TLS:
--     listen { "0.0.0.0:8443", cert = "tls/cert.pem", key = "tls/key.pem" }
-- listen "127.0.0.1:8077"

-- The public address, for links.
-- url "https://crm.example.com"

-- A folder of rules, put in force at the first start.  After that: kith deploy FOLDER
-- scripts "scripts"

-- The company's time zone: working days, and "1d" of customers without a zone of their own.
-- zone "UTC"

-- Of phone numbers that are written without a country code.
-- country "DE"

-- The language of templates for customers whose own is not known.
-- locale "de"

-- Who gets the work that is nobody's: a member of staff, or a team.
-- fallback "sales"

-- Where messages on the channel "log" go, one JSON object a line; without it, to standard error.
-- channel "log" { file = "/var/lib/kith/messages" }

-- Where plugins are: NAME.so.
-- plugins "@PLUGINS@"

-- Programs to call, signed, as often as it takes (docs/webhooks.md).  The file holds whsec_...
-- plugin "webhook" {
--   grant = { "append", "channel", "fetch", "fetch-private", "routes" },
--   config = {
--     receivers = {
--       erp = { url = "https://erp.example.com", secret = secret "erp.secret" },
--     },
--   },
-- }

-- Values that clients send as an identity and that are nobody's.
-- blocked { "guest", "0", "null" }

-- How often each key may call, and how many of that at once; kith key add --rate says it for one
-- key.  Beyond it: 429 with Retry-After.  The key in admin.key is not counted.
-- rate { "600/min", burst = 1000 }

-- How large the two files may become.  At its quota the daemon takes nothing in (503) and reads on.
-- quota { log = "200 GB", state = "50 GB" }

-- What one event, one rule, one customer may take.  All of them: kith help lua limits.
-- limits { derived = 1000, timers = 1000, effect_attempts = 8 }
