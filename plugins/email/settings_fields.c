/* settings_fields.c -- the configuration as the host knows it: names, types, defaults and a
 * sentence each.  README.md has the same as a table, and a test holds the two together.
 */
#include "settings.h"

#define FIELD(symbol, kind, otherwise, mark, words)                    \
    static const struct kith_field symbol = { .size = sizeof(symbol),  \
                                              .name = #symbol,         \
                                              .type = (kind),          \
                                              .standard = (otherwise), \
                                              .about = (words),        \
                                              .flags = (mark) }

FIELD(smtp, "text", NULL, KITH_REQUIRED,
      "The relay: smtp://HOST:PORT, or smtps:// for TLS from the first byte");
FIELD(user, "text", NULL, 0, "Who logs in at the relay");
FIELD(password, "text", NULL, KITH_SECRET, "The password of `user`");
FIELD(tls, "text", NULL, 0, "required, offered or none; required unless the relay is this machine");
FIELD(ca, "text", NULL, 0, "A file of certificates that the relay's is checked with");
FIELD(from, "text", NULL, KITH_REQUIRED, "Who writes: Care <care@example.com>");
FIELD(reply_to, "text", NULL, 0, "Where answers go, if not to `from`");
FIELD(host_name, "text", NULL, 0, "How this machine is called in EHLO and LMTP");
FIELD(return_domain, "text", NULL, 0, "The domain of return paths; that of `from` unless given");
FIELD(verp_key, "text", NULL, KITH_SECRET,
      "At least 16 bytes that sign return paths and Message-IDs; without it nothing is believed");
FIELD(report_days, "whole", "30", 0, "For how long reports about a message are believed");
FIELD(dkim_domain, "text", NULL, 0, "The domain that signs; that of `from` unless given");
FIELD(dkim_selector, "text", NULL, 0, "SELECTOR._domainkey.DOMAIN has the public key");
FIELD(dkim_key, "text", NULL, KITH_SECRET, "The private key in PEM: RSA or Ed25519");
FIELD(dkim_selector_2, "text", NULL, 0, "The selector of a second signature");
FIELD(dkim_key_2, "text", NULL, KITH_SECRET, "The key of a second signature");
FIELD(headers, "list", NULL, 0, "Headers of every message: X-Shop: north");
FIELD(connections, "whole", "10", 0, "Connections to the relay at once");
FIELD(domain_connections, "whole", "0", 0,
      "Messages to one domain at once; 0 is as many as there are connections");
FIELD(domain_rate, "whole", "0", 0, "Messages a minute to one domain; 0 is as many as can be");
FIELD(timeout, "duration", "60s", 0, "How long one attempt may take, at most 60s");
FIELD(lmtp, "text", NULL, 0,
      "Where mail comes in: 127.0.0.1:2424 or unix:PATH; without it none does");
FIELD(inbox, "list", NULL, 0,
      "Addresses that people write to, @example.com for all of a domain; unless given, of answers");
FIELD(strangers, "text", "refuse", 0,
      "take or refuse mail to `inbox` from addresses that no customer has");
FIELD(mail_bytes, "whole", "67108864", 0, "The largest mail that comes in");

const struct kith_field *const settings_fields[] = {
    &smtp,
    &user,
    &password,
    &tls,
    &ca,
    &from,
    &reply_to,
    &host_name,
    &return_domain,
    &verp_key,
    &report_days,
    &dkim_domain,
    &dkim_selector,
    &dkim_key,
    &dkim_selector_2,
    &dkim_key_2,
    &headers,
    &connections,
    &domain_connections,
    &domain_rate,
    &timeout,
    &lmtp,
    &inbox,
    &strangers,
    &mail_bytes,
    NULL,
};
