/* api_shape.c -- see api_shape.h. */
#include "core/server/api_shape.h"

#include <stddef.h>

#define END                     \
    {                           \
        NULL, NULL, false, NULL \
    }

static const struct shape_field nothing[] = { END };

static const struct shape_field problem[] = {
    { "title", "text", true, "The status in words" },
    { "status", "integer", true, "The same as the answer's" },
    { "detail", "text", true, "What was wrong and what to do" },
    END,
};

static const struct shape_field accepted[] = {
    { "seq", "integer", true, "The entry of the log that it became" },
    END,
};

/* -- Customers ------------------------------------------------------------------------- */

static const struct shape_field consent[] = {
    { "purpose", "text", true, NULL },
    { "channel", "text", true, NULL },
    { "state", "text", true, "granted, withdrawn or pending" },
    { "at", "time", true, NULL },
    { "source", "text", false, "The key it came by" },
    { "proof", "text", false, "Where she said so" },
    END,
};

static const struct shape_field address[] = {
    { "channel", "text", true, NULL },
    { "value", "text", true, NULL },
    { "*", "any", false, NULL },
    END,
};

static const struct shape_field role[] = {
    { "role", "text", true, NULL },
    { "since", "time", false, NULL },
    { "until", "time", false, NULL },
    END,
};

static const struct shape_field relation[] = {
    { "type", "text", true, NULL },   { "id", "integer", true, "The other customer" },
    { "since", "time", false, NULL }, { "until", "time", false, NULL },
    { "by", "text", false, NULL },    END,
};

static const struct shape_field customer_summary[] = {
    { "id", "integer", true, "Kith's own number" },
    { "kind", "text", true, "person or organisation" },
    { "traits", "object", true, "What is known" },
    { "ids", "object", true, "Identities: lists of texts by namespace" },
    { "tags", "[text]", true, NULL },
    { "owner", "text?", true, "The member of staff" },
    { "*", "any", false, NULL },
    END,
};

static const struct shape_field customer[] = {
    { "id", "integer", true, "Kith's own number" },
    { "kind", "text", true, "person or organisation" },
    { "created", "time", true, NULL },
    { "traits", "object", true, "What is known" },
    { "trait_sources", "object", true, "By trait: who said what, and when; the winner first" },
    { "ids", "object", true, "Identities: lists of texts by namespace" },
    { "addresses", "[Address]", true, NULL },
    { "consents", "[Consent]", true, NULL },
    { "tags", "[text]", true, NULL },
    { "roles", "[Role]", true, NULL },
    { "owner", "text?", true, "The member of staff" },
    { "relations", "[Relation]", true, NULL },
    { "merged", "[integer]", true, "Customers merged into this one" },
    { "reminders_open", "integer", true, NULL },
    { "*", "any", false, NULL },
    END,
};

static const struct shape_field customer_then[] = {
    { "id", "integer", true, "Kith's own number" },
    { "as_of", "time", true, "She was so at that time" },
    { "traits", "object", true, "What was known" },
    { "ids", "object", true, "Identities: lists of texts by namespace" },
    { "addresses", "[Address]", true, NULL },
    { "consents", "[Consent]", true, NULL },
    { "tags", "[text]", true, NULL },
    { "roles", "[Role]", true, NULL },
    { "owner", "text?", true, "The member of staff" },
    { "relations", "[Relation]", true, NULL },
    { "merged", "[integer]", true, "Customers merged into this one by then" },
    { "whole", "boolean", true, "false: an event had changed more than its row could hold" },
    END,
};

static const struct shape_field trace[] = {
    { "rules", "[object]", false, "Those that ran: name, bundle" },
    { "handlers", "[text]", false, "Those of plugins that did something: PLUGIN.HANDLER" },
    { "changed", "object", false, "What of the customer is another than before" },
    { "effects", "[text]", false, "Ids of the effects that it made" },
    { "made", "[text]", false, "Ids of the events that it made" },
    { "made_count", "integer", false, NULL },
    { "log", "[any]", false, "What rules said with log()" },
    { "foreign", "boolean", false, "Of one of Kith's own types, and not by Kith" },
    { "refused", "text", false, "Why a command was" },
    { "cut", "boolean", false, "More than a row holds" },
    END,
};

static const struct shape_field timeline_entry[] = {
    { "seq", "integer", true, "Of the entry in the log" },
    { "n", "integer", true, "0, or the place of what was derived from it" },
    { "event", "text", true, "SEQ or SEQ.N" },
    { "id", "text", true, "The sender's own, else the same as event" },
    { "at", "time", true, "When it happened" },
    { "logged", "time", true, "When Kith heard of it" },
    { "type", "text", true, NULL },
    { "call", "text", false, "Segment's call" },
    { "messageId", "text", false, NULL },
    { "source", "text", false, "The key it came by" },
    { "by", "text", false, NULL },
    { "about", "text", false, NULL },
    { "historic", "boolean", false, "Recorded without acting" },
    { "data", "object", false, NULL },
    { "erased", "boolean", false, "The log no longer has it" },
    { "unreadable", "text", false, "It stands in a damaged part of the log" },
    { "trace", "Trace", true, NULL },
    END,
};

/* -- Reminders, effects ---------------------------------------------------------------- */

static const struct shape_field reminder[] = {
    { "id", "integer", true, NULL },
    { "customer", "integer", true, "The number that it was made under" },
    { "customer_name", "text", false, NULL },
    { "title", "text", true, NULL },
    { "state", "text", true, "open, done ..." },
    { "assignee", "text", true, "Who does it" },
    { "of", "text", false, "Whose it is, while the assignee stands in for her" },
    { "why", "text", false, "It is the assignee's" },
    { "to", "text", false, "What it was addressed to" },
    { "due", "time", true, NULL },
    { "created", "time", true, NULL },
    { "rule", "text", false, NULL },
    { "key", "text", false, NULL },
    { "note", "text", false, NULL },
    { "about", "text", false, NULL },
    { "outcome", "text", false, NULL },
    { "by", "text", false, NULL },
    { "civil", "text", false, "The time as it was said" },
    { "escalate_to", "text", false, NULL },
    { "escalate_due", "time", false, NULL },
    { "closed", "time", false, "When it was done, by the time of the log" },
    { "version", "text", true, "What can be changed of it, as a word: the same as the ETag" },
    { "next", "object", false, "The reminder that follows one that is done" },
    END,
};

static const struct shape_field effect[] = {
    { "id", "text", true, "SEQ.N" },
    { "customer", "integer?", true, NULL },
    { "channel", "text", true, NULL },
    { "purpose", "text", false, NULL },
    { "state", "text", true, "pending, claimed, sent, suppressed ..." },
    { "reason", "text", false, NULL },
    { "to", "text", false, NULL },
    { "key", "text", false, NULL },
    { "rule", "text", false, NULL },
    { "cause", "text", true, "The event that made it" },
    { "created", "time", true, NULL },
    { "expires", "time", true, NULL },
    { "attempt", "integer", true, NULL },
    { "notification", "boolean", true, "To staff" },
    { "test", "boolean", false, "Sent by staff to see what she would get" },
    { "feedback", "object", false, "When it was first delivered, opened, clicked, bounced ..." },
    { "content", "object", false, "Before it is claimed" },
    { "message", "object", false, "As it is sent" },
    END,
};

static const struct shape_field preview[] = {
    { "template", "text", true, NULL },
    { "channel", "text", true, NULL },
    { "customer", "integer", true, NULL },
    { "locale", "text", false, "Of the text that was chosen; absent: it is for everybody" },
    { "subject", "text", false, "And whatever else stands above the body" },
    { "body", "text", true, NULL },
    { "*", "any", false, NULL },
    END,
};

static const struct shape_field explanation[] = {
    { "effect", "any", true, "The effect that was asked for, or null" },
    { "chain", "[object]", true, "From the event back to what came from outside" },
    { "bundle", "any", false, NULL },
    { "text", "text", true, "The same in a paragraph" },
    { "*", "any", false, NULL },
    END,
};

/* -- The rights of the person ---------------------------------------------------------- */

static const struct shape_field export[] = {
    { "customer", "Customer", true, NULL },
    { "timeline", "[TimelineEntry]", true, "All of it, the newest first" },
    { "reminders", "[Reminder]", true, "Open and done" },
    { "effects", "[Effect]", true, "Every message, sent or not" },
    { "records", "[Record]", true, "Those that are about her" },
    { "files", "[object]", true, "hash of each file that an event of hers names, and the event" },
    { "suppressions", "[object]", true, "Addresses of hers that nothing may be sent to" },
    { "plugins", "[object]", true,
      "What each plugin keeps about her: plugin, key, customer, before, state" },
    END,
};

static const struct shape_field erasure[] = {
    { "customer", "integer", true, "Her number, which is all that stays" },
    { "state", "text", true, "rows: in the state still; files: in the files still" },
    { "entry", "integer", false, "Of the log: it asked for this" },
    { "since", "time", false, NULL },
    { "entries", "integer", false, "Of the log, found to be hers so far" },
    { "reason", "text", false,
      "What holds up the files: a plugin that has not forgotten, the disk" },
    END,
};

/* -- The house ------------------------------------------------------------------------- */

static const struct shape_field backup[] = {
    { "dir", "text", true, "Where it lies on the daemon's machine" },
    { "state_seq", "integer", true, "The entry that its state stands at" },
    { "log_seq", "integer", true, "The last entry of its log" },
    { "bytes", "integer", true, NULL },
    END,
};

static const struct shape_field check[] = {
    { "name", "text", true, "What was looked at" },
    { "ok", "boolean", true, NULL },
    { "text", "text", true, "How it is; where that is bad, what to do" },
    END,
};

static const struct shape_field diagnosis[] = {
    { "ok", "boolean", true, "All of them are" },
    { "checks", "[Check]", true, NULL },
    END,
};

static const struct shape_field bundle[] = {
    { "hash", "text", true, NULL },
    { "active", "boolean", true, NULL },
    { "seq", "integer", false, "The entry that activated it last" },
    { "at", "time", false, NULL },
    { "*", "any", false, NULL },
    END,
};

static const struct shape_field deployment[] = {
    { "hash", "text", true, NULL },
    { "active", "boolean", true, NULL },
    { "seq", "integer", false, "The entry that activated it" },
    { "at", "time", false, NULL },
    { "files", "integer", true, NULL },
    { "rules", "integer", true, NULL },
    { "undeclared", "[object]", false,
      "Kinds that nobody declares and that have open records: kind, open" },
    { "*", "any", false, NULL },
    END,
};

static const struct shape_field absence[] = {
    { "from", "time", false, NULL },
    { "until", "time", false, NULL },
    { "deputy", "text", false, NULL },
    END,
};

static const struct shape_field staff[] = {
    { "name", "text", true, NULL },
    { "absences", "[Absence]", false, NULL },
    { "*", "any", false, NULL },
    END,
};

static const struct shape_field pool[] = {
    { "name", "text", true, NULL },
    { "declared", "boolean", true, "By the rules in force" },
    { "left", "integer", true, "Codes that nobody has" },
    { "reserved", "integer", true, "Taken, and neither used nor expired" },
    { "used", "integer", true, "Used, or taken by somebody who was erased" },
    { "expired", "integer", true, NULL },
    { "loaded", "integer", true, "All of these" },
    { "low", "boolean", true, "Fewer are left than the rules say there should be" },
    { "reserve", "text", false, "How long a code is kept for who took it" },
    { "to", "text", false, "Who should load more" },
    END,
};

static const struct shape_field budget[] = {
    { "name", "text", true, NULL },
    { "declared", "boolean", true, "By the rules in force" },
    { "amount", "text", true, "For the period; exact, \"500.00\"" },
    { "spent", "text", true, "In the present period" },
    { "left", "text", true, "Of it" },
    { "currency", "text", true, NULL },
    { "granted", "integer", true, "Asks in the present period" },
    { "refused", "integer", true, "Asks in the present period" },
    { "per", "text", false, "How long a period is; without it there is one" },
    { "from", "time", false, "When the present one began" },
    { "until", "time", false, "When the next one begins" },
    END,
};

static const struct shape_field key[] = {
    { "name", "text", true, NULL },
    { "staff", "text", false, "Whose it is" },
    { "scopes", "[text]", true, "write, read, staff, admin" },
    { "rate", "text", false, "How often it may call" },
    { "burst", "integer", false, "How many of that at once" },
    END,
};

static const struct shape_field new_key[] = {
    { "name", "text", true, NULL },
    { "staff", "text", false, "Whose it is" },
    { "scopes", "[text]", true, "write, read, staff, admin" },
    { "rate", "text", false, "How often it may call" },
    { "burst", "integer", false, "How many of that at once" },
    { "secret", "text", true, "Told this once" },
    END,
};

static const struct shape_field state_hash[] = {
    { "seq", "integer", true, "The entry that the state stands at" },
    { "hash", "text", true, NULL },
    END,
};

static const struct shape_field verification[] = {
    { "ok", "boolean", true, NULL },
    { "entries", "integer", true, NULL },
    { "faults", "[text]", true, NULL },
    { "fault_count", "integer", false, NULL },
    { "hash", "text", true, "Of the state" },
    { "fresh", "text?", true, "Of the log folded anew" },
    END,
};

static const struct shape_field pause[] = {
    { "since", "time", true, NULL },
    { "reason", "text", false, NULL },
    { "by", "text", false, NULL },
    { "seq", "integer", false, "The entry that paused it" },
    END,
};

static const struct shape_field rule[] = {
    { "name", "text", true, NULL },
    { "trigger", "text", false, "In words: every 1d at 09:00; none: not in the bundle in force" },
    { "on", "[text]", false, "Types of events that it runs on; * is any" },
    { "state", "text", true, "active, paused" },
    { "paused", "Pause", false, NULL },
    { "waiting", "integer", false, "While it is paused: its messages that wait" },
    END,
};

static const struct shape_field word[] = {
    { "word", "text", true, "What rules call: complaint.open" },
    { "usage", "text", true, "How" },
    { "about", "text", true, "What for" },
    END,
};

static const struct shape_field quarantine[] = {
    { "kind", "text", true, "crash, hang (it did not answer), staff" },
    { "seq", "integer", true, "The entry from which on it takes no part" },
    { "reason", "text", false, NULL },
    { "since", "time", true, NULL },
    END,
};

static const struct shape_field plugin[] = {
    { "name", "text", true, NULL },
    { "version", "text", false, "Its own" },
    { "about", "text", false, "A sentence" },
    { "hash", "text", false, "Of its file: BLAKE2b-256" },
    { "isolated", "boolean", false, "Whether it has a process of its own" },
    { "state", "text", true,
      "active, quarantined, failed (its start() said no: it hears of events, and does nothing "
      "else), behind (what was parked comes), not loaded" },
    { "quarantined", "Quarantine", false, NULL },
    { "failed", "text", false, "Why its start() said no" },
    { "advice", "text", false, "Of one that takes no part: what to do" },
    { "parked", "integer", true, "Events that wait for it" },
    { "missed", "integer", true, "Events that passed it by, for want of room" },
    { "needs", "[text]", false, "What it may do: all of it has been granted" },
    { "traits", "[text]", false, "What it publishes" },
    { "functions", "[text]", false, "What rules can call" },
    { "words", "[Word]", false, "The same, with what they are for" },
    { "channels", "[text]", false, NULL },
    { "calls", "integer", false, "Since the daemon's start" },
    { "failures", "integer", false, "Calls that failed" },
    { "hook_failures", "integer", false,
      "Hooks that failed: merge, unmerge, migrate and give of its documents, and forgetting" },
    { "mean_ns", "integer", false, "How long a call takes" },
    { "warning", "text", false, "Of a reload: what its configuration names and is not there" },
    END,
};

static const struct shape_field channel[] = {
    { "name", "text", true, NULL },
    { "target", "text", false, "Where it delivers to" },
    { "state", "text", false, "active, paused" },
    { "paused", "Pause", false, NULL },
    { "circuit", "text", false, "closed, open (left alone), half-open (tried with one message)" },
    { "failures", "integer", false, "In a row" },
    { "resting_ms", "integer", false, "It is left alone for so long" },
    { "waiting", "integer", false, "Customers whose next message may go" },
    { "under_way", "integer", false, "Messages claimed and not yet answered" },
    { "sent", "integer", false, "Since the daemon's start" },
    { "failed", "integer", false, "Since the daemon's start" },
    END,
};

/* -- Ingest, system -------------------------------------------------------------------- */

static const struct shape_field success[] = { { "success", "boolean", true, NULL }, END };

static const struct shape_field verdict[] = {
    { "index", "integer", true, "Its place in the batch" },
    { "reason", "text", true, NULL },
    END,
};

static const struct shape_field batch_answer[] = {
    { "success", "boolean", true, NULL },
    { "rejected", "[BatchVerdict]", false, "Not taken" },
    { "refused", "[BatchVerdict]", false, "In the log, without effect; only with wait=applied" },
    END,
};

static const struct shape_field dry_run[] = {
    { "id", "integer", true, "For the calls that follow" },
    END,
};

static const struct shape_field dry_run_customers[] = {
    { "created", "integer", true, NULL },
    { "existing", "integer", true, "Known ones concerned" },
    { "merged", "integer", true, "Into others" },
    { "suspected", "integer", true, "To be another one" },
    END,
};

static const struct shape_field dry_run_report[] = {
    { "seq", "integer", true, "The entry of the log that it starts behind" },
    { "entries", "integer", true, "Events that were tried" },
    { "duplicates", "integer", true, "Are in already, and add nothing" },
    { "refused", "integer", true, "Would have no effect" },
    { "customers", "DryRunCustomers", true, NULL },
    { "rules", "[object]", true, "By name: runs" },
    { "reminders", "[object]", true, "By rule and assignee: count" },
    { "messages", "[object]", true, "By rule, channel, state and reason: count" },
    { "failures", "integer", true, "Times a rule fails" },
    { "timers", "integer", true, "Times a rule asks to be called later" },
    END,
};

static const struct shape_field link[] = {
    { "url", "text", true, "The address to send" },
    { "expires", "time", true, NULL },
    END,
};

static const struct shape_field file[] = {
    { "hash", "text", true, "What an event names it by" },
    { "size", "integer", true, "Bytes" },
    END,
};

/* -- Records --------------------------------------------------------------------------- */

static const struct shape_field record_move[] = {
    { "at", "time", true, NULL },
    { "event", "text", true, "What moved it" },
    { "was", "time", false, "When it was due before; not there: it was paused" },
    { "due", "time", false, "When it is due since; not there: it is paused" },
    { "left", "text", false, "What was left then" },
    { "reason", "text", true, "In words" },
    END,
};

static const struct shape_field record_pause[] = {
    { "from", "time", true, NULL },
    { "until", "time", false, "Not there: it still waits" },
    END,
};

static const struct shape_field record_deadline[] = {
    { "status", "text", true, "running, paused, overdue, met, missed or dropped" },
    { "due", "time", false, NULL },
    { "left", "text", false, "While it is paused" },
    { "rule", "text", true, "How it is worked out, in words" },
    { "since", "time", true, "What it counts from" },
    { "event", "text", true, "The event that it began with" },
    { "missed", "time", false, NULL },
    { "ended", "time", false, NULL },
    { "escalated", "integer", false, "Steps so far" },
    { "reminder", "integer", false, "Its open reminder" },
    { "pauses", "[RecordPause]", true, NULL },
    { "moves", "[RecordMove]", true, "The last ones" },
    END,
};

static const struct shape_field record_deadlines[] = {
    { "*", "RecordDeadline", false, NULL },
    END,
};

static const struct shape_field record_link[] = {
    { "type", "text", true, "What the link is" },
    { "to", "text", false, "Another record, order:5" },
    { "from", "text", false, "The other record, which links to this one" },
    END,
};

#define RECORD_HEAD                                                                             \
    { "kind", "text", true, NULL },                                                             \
        { "id", "integer", true, "Its number, which counts for each kind" },                    \
        { "state", "text", true, NULL }, { "open", "boolean", true, "Its state is not final" }, \
        { "since", "time", true, "Since when it is in its state" },                             \
        { "created", "time", true, NULL }, { "owner", "text?", true, "Whose it is" },           \
        { "customer", "integer?", true, "Whom it is about" },                                   \
        { "customers", "object", true, "Others: lists of numbers by role" },                    \
        { "fields", "object", true, "As the kind declares them" },                              \
        { "version", "integer", true, "The same as the ETag" },                                 \
        { "title", "text", false, "What it is called by" },                                     \
    {                                                                                           \
        "customer_name", "text", false, NULL                                                    \
    }

static const struct shape_field record_summary[] = {
    RECORD_HEAD,
    { "due", "time", false, "When the next of its deadlines is" },
    { "overdue", "boolean", false, "One of its deadlines was missed and still runs" },
    END,
};

static const struct shape_field record[] = {
    RECORD_HEAD,
    { "by", "text", false, "Who, or what rule, made it" },
    { "lines", "[object]", true, NULL },
    { "links", "[RecordLink]", true, NULL },
    { "transitions", "[text]", true, "What is possible from its state" },
    { "deadlines", "RecordDeadlines", true, "By name" },
    END,
};

static const struct shape_field kind[] = {
    { "kind", "text", true, NULL },
    { "description", "text", false, NULL },
    { "fields", "object", true, NULL },
    { "lines", "object", true, "Fields of a line" },
    { "roles", "object", true, NULL },
    { "states", "[object]", true, "The first is where it begins" },
    { "transitions", "object", true, NULL },
    { "deadlines", "object", true, NULL },
    END,
};

static const struct shape_field health[] = { { "status", "text", true, NULL }, END };

static const struct shape_field readiness[] = {
    { "reasons", "[text]", true, "Why not" },
    { "status", "text", true, NULL },
    END,
};

const struct shape shapes[] = {
    { "Absence", absence },
    { "Accepted", accepted },
    { "Address", address },
    { "Backup", backup },
    { "BatchAnswer", batch_answer },
    { "BatchVerdict", verdict },
    { "Bundle", bundle },
    { "Channel", channel },
    { "Check", check },
    { "Consent", consent },
    { "Customer", customer },
    { "CustomerSummary", customer_summary },
    { "CustomerThen", customer_then },
    { "Deployment", deployment },
    { "Diagnosis", diagnosis },
    { "DryRun", dry_run },
    { "DryRunCustomers", dry_run_customers },
    { "DryRunReport", dry_run_report },
    { "Effect", effect },
    { "Erasure", erasure },
    { "Explanation", explanation },
    { "Export", export },
    { "File", file },
    { "Health", health },
    { "Key", key },
    { "Kind", kind },
    { "Link", link },
    { "NewKey", new_key },
    { "Nothing", nothing },
    { "Pause", pause },
    { "Plugin", plugin },
    { "Preview", preview },
    { "Problem", problem },
    { "Quarantine", quarantine },
    { "Word", word },
    { "Readiness", readiness },
    { "Record", record },
    { "RecordDeadline", record_deadline },
    { "RecordDeadlines", record_deadlines },
    { "RecordLink", record_link },
    { "RecordMove", record_move },
    { "RecordPause", record_pause },
    { "RecordSummary", record_summary },
    { "Relation", relation },
    { "Reminder", reminder },
    { "Role", role },
    { "Rule", rule },
    { "Staff", staff },
    { "Pool", pool },
    { "Budget", budget },
    { "StateHash", state_hash },
    { "Success", success },
    { "TimelineEntry", timeline_entry },
    { "Trace", trace },
    { "Verification", verification },
    { NULL, NULL },
};

const struct query_shape query_shapes[] = {
    { "q", "/v1/records/{kind}", "text", "Words, each of which stands in a searchable field" },
    { "q", NULL, "text", "Part of a name, the end of a number, an address" },
    { "limit", NULL, "integer", "How many items at most" },
    { "after", "/v1/stream", "text", "Behind this event: 4711, or 4711.2; 0: from the beginning" },
    { "type", "/v1/records/{kind}/{id}/links", "text", "What the link is; related, else" },
    { "type", NULL, "text", "Of this type only; may be given up to 16 times" },
    { "after", NULL, "text", "The `next` of the page before" },
    { "wait", NULL, "durable|applied",
      "When to answer: once it is in the log, or once it is done" },
    { "state", "/v1/reminders", "open|done|all", "open, unless said otherwise" },
    { "state", "/v1/effects",
      "pending|claimed|sent|suppressed|rejected|failed|expired|uncertain|held|dropped",
      "Those in this state only" },
    { "state", "/v1/records/{kind}", "text", "Those in this state only" },
    { "owner", NULL, "text", "Of this member of staff or team only" },
    { "open", NULL, "flag", "Those whose state is not final" },
    { "channel", NULL, "text", "Of this channel only" },
    { "to", "/v1/records/{kind}/{id}/links", "text", "The other record: order:5" },
    { "to", NULL, "text", "Of this member of staff or team only" },
    { "of", NULL, "text", "Those of this member of staff that a deputy has" },
    { "from", NULL, "time", "The moment at which the absence begins" },
    { "due", NULL, "text", "Due by then: today, 2026-12-01, or from now: 3d" },
    { "customer", NULL, "text", "Of this customer only: 42, user_id:u-17, email:ann@example.com" },
    { "activate", NULL, "flag", "0: only check and store" },
    { "as_of", NULL, "text", "How it was at the end of that day, or at that time: 2026-03-01" },
    { "forever", NULL, "flag", "The same event is known again for ever" },
    { "historic", NULL, "flag", "Record without acting" },
    { "replay", NULL, "flag", "Give log time the times of the past" },
    { NULL, NULL, NULL, NULL },
};
