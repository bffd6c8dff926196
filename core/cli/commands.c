/* commands.c -- the table of commands: everything a person can type.
 *
 * A new command is a row here and a function; help, usage errors and completion follow.
 * The order is that of `kith help`: a clerk's day first, then the admin's.
 */
#include "core/cli/command.h"

#include "core/cli/cli.h"

const struct option global_options[] = {
    { "url", "URL", "the daemon's address", false },
    { "key-file", "FILE", "a file with the key in its one line", false },
    { "ca", "FILE", "who certifies it (PEM); else whom the system trusts", false },
    { "json", NULL, "one JSON object a line, as the daemon gave it", false },
    { "help", NULL, "this text", false },
    { "version", NULL, "the version", false },
    { NULL, NULL, NULL, false },
};

#define END                     \
    {                           \
        NULL, NULL, NULL, false \
    }
#define LIMIT(text)               \
    {                             \
        "limit", "N", text, false \
    }

static const struct option search_options[] = {
    LIMIT("how many, the best first (50)"),
    END,
};

static const struct option show_options[] = {
    { "as-of", "TIME", "as it was then: 2026-03-01 (its end), \"2026-03-01 10:00\"", false },
    END,
};

static const struct option timeline_options[] = {
    { "as-of", "TIME", "what had happened then: 2026-03-01 (its end), \"2026-03-01 10:00\"",
      false },
    LIMIT("how many entries, the newest first (50)"),
    END,
};

static const struct option note_options[] = {
    { "file", "PATH", "a file that belongs to it, of at most 8 MiB", true },
    END,
};

static const struct option file_put_options[] = {
    { "type", "TYPE", "what it is: image/png; else by the ending of its name", false },
    END,
};

static const struct option get_options[] = {
    { "output", "FILE", "write it there, instead of printing it", false },
    END,
};

static const struct option file_get_options[] = {
    { "output", "FILE", "write there, not to the terminal", false },
    END,
};

static const struct option link_options[] = {
    { "event", "TYPE", "to append this event", false },
    { "data", "JSON", "what the event says: '{\"rating\": 5}'", false },
    { "grant", "PURPOSE/CHANNEL", "to consent", false },
    { "unsubscribe", "PURPOSE/CHANNEL", "to withdraw a consent", false },
    { "title", "TEXT", "the sentence on the page", false },
    { "expires", "WHEN", "30d, 2026-12-01; else 30 days, or two years to unsubscribe", false },
    END,
};

static const struct option tail_options[] = {
    { "after", "SEQ", "from behind this entry, or event (17.2); 0: from the beginning", false },
    { "type", "TYPE", "events of this type only", true },
    END,
};

static const struct option reminders_options[] = {
    { "to", "STAFF", "of this member of staff or team only", false },
    { "due", "WHEN", "due by then: today, friday, 2026-12-01, or from now: 3d", false },
    { "customer", "CUSTOMER", "about this customer only", false },
    { "state", "STATE", "open (unless said otherwise), done or all", false },
    LIMIT("how many (all)"),
    END,
};

static const struct option remind_options[] = {
    { "due", "WHEN", "3d, 2h, friday, or 2026-12-01 10:00 (needed)", false },
    { "to", "STAFF", "who shall do it; else the customer's owner", false },
    { "note", "TEXT", "what else to know", false },
    END,
};

static const struct option plugin_enable_options[] = {
    { "skip", NULL, "what was parked for it passes it by", false },
    END,
};

static const struct option plugin_disable_options[] = {
    { "reason", "TEXT", "why, for whoever asks later", false },
    END,
};

static const struct option plugin_check_options[] = {
    { "config", "FILE", "a kith.lua: how this plugin is configured; else that is made up", false },
    { "log", "DIR", "a backup, or the data of a daemon that does not run", false },
    END,
};

static const struct option records_options[] = {
    { "state", "STATE", "in this state only", false },
    { "owner", "STAFF", "of this member of staff or team only", false },
    { "customer", "CUSTOMER", "of this customer only, whatever her role", false },
    { "search", "TEXT", "whose searchable fields have these words", false },
    { "all", NULL, "closed ones too", false },
    LIMIT("how many, the newest first (all)"),
    END,
};

static const struct option record_add_options[] = {
    { "set", "NAME=VALUE", "a field", true },
    { "role", "ROLE=CUSTOMER", "somebody else who has to do with it", true },
    { "owner", "STAFF", "whose it is; else as the kind says", false },
    END,
};

static const struct option record_change_options[] = {
    { "set", "NAME=VALUE", "a field; NAME= empties it", true },
    { "role", "ROLE=CUSTOMER", "who has that role; ROLE= nobody", true },
    { "owner", "STAFF", "whose it is", false },
    END,
};

static const struct option record_move_options[] = {
    { "set", "NAME=VALUE", "a field, set with it", true },
    { "note", "TEXT", "why, or how", false },
    END,
};

static const struct option record_link_options[] = {
    { "type", "TYPE", "what the link is: duplicate; else related", false },
    { "remove", NULL, "take the link away", false },
    END,
};

static const struct option promise_list_options[] = {
    { "owner", "STAFF", "whose word it is", false },
    { "customer", "CUSTOMER", "given to this customer", false },
    { "all", NULL, "kept, broken and withdrawn ones too", false },
    LIMIT("how many, the newest first (all)"),
    END,
};

static const struct option promise_add_options[] = {
    { "due", "WHEN", "until when: 2h, 1wd, friday, or 2026-12-01 10:00 (needed)", false },
    { "owner", "STAFF", "who gave it; else the customer's owner", false },
    { "channel", "NAME", "how it was given: phone, email, shop", false },
    { "concerns", "TEXT", "what it is about: order:5", false },
    END,
};

static const struct option handover_list_options[] = {
    { "all", NULL, "those that are done or called off, too", false },
    END,
};

static const struct option handover_prepare_options[] = {
    { "to", "STAFF", "who shall get it: staff, or a team (needed)", false },
    { "reason", "TEXT", "why", false },
    { "no-wait", NULL, "do not wait until it is listed", false },
    END,
};

static const struct option handover_confirm_options[] = {
    { "by", "STAFF", "who takes them over; else to whom they go", false },
    { "no-wait", NULL, "do not wait until they are given", false },
    END,
};

static const struct option handover_call_off_options[] = {
    { "no-wait", NULL, "do not wait until what is left is named", false },
    END,
};

static const struct option preview_options[] = {
    { "lang", "LOCALE", "in this language: de, en-GB; else in hers", false },
    { "channel", "NAME", "on this channel, where the template is for several", false },
    { "data", "NAME=VALUE", "a value of the send's data", true },
    { "to", "ADDRESS", "send it to this address, marked as a test", false },
    END,
};

static const struct option done_options[] = {
    { "outcome", "TEXT", "how it ended, in a word", false },
    { "note", "TEXT", "what was said", false },
    { "next", "WHEN", "remind again: 3d, friday", false },
    END,
};

static const struct option consent_options[] = {
    { "proof", "TEXT", "where she said so: a form, a call, a letter", false },
    END,
};

static const struct option suppress_options[] = {
    { "channel", "NAME", "the channel they are addresses of: email, sms ... (needed)", false },
    { "reason", "TEXT", "why, where the row does not say it", false },
    { "remove", NULL, "they may be written to again", false },
    { "encoding", "NAME", "of the file: UTF-8, GB18030 ...; else detected", false },
    END,
};

static const struct option effects_options[] = {
    { "state", "STATE", "pending, sent, suppressed, rejected, failed ...", false },
    { "uncertain", NULL, "those that may or may not have gone out", false },
    { "held", NULL, "those that a replay made anew and nobody sent", false },
    { "channel", "NAME", "of one channel only", false },
    LIMIT("how many, the newest first (50)"),
    END,
};

static const struct option drop_options[] = {
    { "reason", "TEXT", "why, for the record", false },
    END,
};

static const struct option pause_options[] = {
    { "reason", "TEXT", "why, for whoever finds it paused", false },
    END,
};

static const struct option pause_all_options[] = {
    { "all", NULL, "every channel, those of a later configuration too (needed)", false },
    { "reason", "TEXT", "why, for whoever finds it paused", false },
    END,
};

static const struct option resume_all_options[] = {
    { "all", NULL, "every channel that is not paused itself (needed)", false },
    END,
};

static const struct option staff_options[] = {
    { "name", "TEXT", "how to show the name", false },
    { "email", "ADDRESS", "where to write to", false },
    { "phone", "NUMBER", "where to call", false },
    { "language", "TAG", "de, zh-CN ...: the first", false },
    { "languages", "TAG,TAG", "all that she speaks", true },
    { "calendar", "NAME", "a calendar of the bundle", false },
    { "team", "NAME", "a team she belongs to", false },
    { "deputy", "STAFF", "who gets the work when she is away", false },
    END,
};

static const struct option subject_options[] = {
    LIMIT("so many at most (else 20)"),
    END,
};

static const struct option team_options[] = {
    { "assign", "WAYS", "owner, language, load, turn, in this order; none: it has a list", true },
    { "member", "STAFF", "who belongs to it, besides those who say so themselves", true },
    { "name", "TEXT", "how to show the name", false },
    END,
};

static const struct option absent_options[] = {
    { "from", "DAY", "the first day, or a moment (else: now)", false },
    { "to", "DAY", "the last day, or a moment (needed)", false },
    { "deputy", "STAFF", "who stands in; else the deputy of staff add, else the fallback", false },
    END,
};

static const struct option back_options[] = {
    { "from", "DAY", "call off the absence that begins then", false },
    END,
};

static const struct option staff_remove_options[] = {
    { "to", "STAFF", "who gets her customers, open records and follow-ups", false },
    { "dry-run", NULL, "list what would be handed over, and change nothing", false },
    END,
};

static const struct option key_options[] = {
    { "as", "STAFF", "whose key it is: stands as `by` in every entry", false },
    { "scope", "SCOPE", "read, write, staff, admin (else: staff)", true },
    { "rate", "RATE", "how often it may call: 10/s, 600/min, 5000/h", false },
    { "burst", "N", "how many of them at once (those of one second, minute, hour)", false },
    END,
};

static const struct option help_options[] = {
    { "man", "DIR", "write the man pages of all commands into this directory", false },
    { "page", NULL, "the words of scripts and of kith.lua as a page, in Markdown", false },
    { "config", "FILE", "a kith.lua: its daemon is asked for words of plugins", false },
    END,
};

static const struct option export_options[] = {
    { "output", "FILE", "write there, not to the terminal", false },
    END,
};

static const struct option erase_options[] = {
    { "wait", NULL, "until nothing of it is in any file of the data", false },
    { "yes", NULL, "do not ask; only a terminal is asked", false },
    END,
};

static const struct option restore_options[] = {
    { "data", "DIR", "the directory to make, for kithd --data (needed)", false },
    END,
};

static const struct option import_options[] = {
    { "map", "COLUMN=FIELD", "what a column is, with its type: see above", true },
    { "event", "TYPE", "rows are events of this type; else customers", false },
    { "id", "COLUMN", "the column that tells a row from others of its kind", false },
    { "delimiter", "CHARACTER", "of CSV: , unless said otherwise; ; | tab space", false },
    { "columns", "A,B,C", "names of the columns of a file without a header", false },
    { "encoding", "NAME", "UTF-8, GB18030 ...; else detected and said", false },
    { "zone", "ZONE", "of times without offset: Europe/Berlin (UTC)", false },
    { "format", "csv|ndjson", "else by the file's ending and first character", false },
    { "rejected", "FILE", "where rejected rows go (FILE.rejected)", false },
    { "dry-run", NULL, "say what would happen; write and send nothing", false },
    { "historic", NULL, "record without acting: no rules run", false },
    { "replay", NULL, "sort by time, give each entry the log time of its `at`", false },
    { "more", NULL, "another replay follows: log time stays where this one ends", false },
    END,
};

static const struct option check_options[] = {
    { "config", "FILE", "a kith.lua: its zone, country, plugins, channels and limits", false },
    { "plugins", "DIR", "where the files of its plugins are, if not where it says", false },
    END,
};

static const char check_text[] =
    "Loads the scripts in DIR as a deployment would, with the same limits and the same errors, "
    "and\n"
    "its tests too; and says what loads and will surprise all the same: a word or a variable that\n"
    "is not there, a global that a rule sets, a local outside of a rule that it changes and that\n"
    "is put back, a trigger that never comes, a file of tests without one.  No daemon is asked.\n"
    "It fails when there is anything to mend.\n"
    "\n"
    "What scripts need from kith.lua is read from --config, as `kith test` does: its plugins are\n"
    "loaded, each in a process of its own, and so are known their channels, kinds of records and\n"
    "functions.  Their secrets are not read.";

static const struct option test_options[] = {
    { "config", "FILE", "a kith.lua: its zone, country, plugins, channels and limits", false },
    { "plugins", "DIR", "where the files of its plugins are, if not where it says", false },
    { "filter", "NAME", "only tests with this in their name or their file's", false },
    END,
};

static const char test_text[] =
    "Runs the tests of the scripts in DIR, which stand in files called *_test.lua, with the real\n"
    "engine and a clock of its own, here: no daemon is asked, nothing is sent.  docs/lua.md tells\n"
    "how to write one.  Each test begins in an empty house.  Of one that fails is printed what "
    "was\n"
    "expected, what there was instead, and what happened to the customer, each entry with the "
    "rules\n"
    "that ran and what they changed.  A rule that fails while a test runs makes it fail.\n"
    "\n"
    "What scripts need from kith.lua is read from --config; without it they get what kithd "
    "without\n"
    "one has: the zone UTC, no country, the channel \"log\", no plugins, no fallback.  Plugins do\n"
    "here what they do with events, each in a process of its own, and nothing outside: no secret "
    "is\n"
    "read, and a test in which one crashes has failed.  Other words of kith.lua, such as listen "
    "and\n"
    "data, do nothing here.";

static const char import_text[] =
    "FILE is NDJSON, one Segment call a line, or CSV with a header.  Of CSV each row becomes\n"
    "an identify call, or with --event a track call.  Columns are named by\n"
    "\n"
    "    --map COLUMN=FIELD        --map COLUMN=FIELD:TYPE\n"
    "\n"
    "FIELD is userId, anonymousId, at, event, messageId, email, phone, or the name of a trait\n"
    "(with --event: of a property; traits.NAME is a trait there as well), or, for a column of\n"
    "yes and no, consent:PURPOSE/CHANNEL.  COLUMN is a column's name or, counted from 1, #3.\n"
    "Columns without --map are left out; without any --map each column is the field of its\n"
    "name.  Empty cells say nothing; white space around names and cells does not count.  TYPE is\n"
    "\n"
    "    date(%d.%m.%Y %H:%M)      %Y %y %m %d %H %I %p %M %S %b %z %s; date alone: ISO 8601\n"
    "    number, number(de)        1234.5; 1.234,5\n"
    "    phone(CN)                 as dialled there\n"
    "    bool                      true false yes no 1 0\n"
    "    text                      as it stands (the default)\n"
    "\n"
    "A row without userId and anonymousId belongs to whoever has its e-mail or phone.\n"
    "\n"
    "With --replay the log is given the times of the past: what rules set for a day then comes\n"
    "due between the rows, at its time, and messages of more than a day ago are not sent but\n"
    "noted as suppressed (historic).  At the end log time goes on to now the same way, and the\n"
    "daemon is ready for the present; with --more it stays, for the next file.  Nothing that is\n"
    "entered later can lie before the log's time.  With --historic as well the log has the times,\n"
    "and no rules run.\n"
    "\n"
    "With --dry-run the daemon runs the rules in force over what it knows, in memory, and says "
    "which\n"
    "customers would be created and merged, which rules would run, and which reminders and "
    "messages\n"
    "would come of it at once; what a rule sets for later is only counted.  Of a file too large "
    "for\n"
    "its memory it says what the first part would do.  Nothing is written, and nothing is sent.\n"
    "With --replay rows are only read and counted: rules are tried out as of now, not of the "
    "past.\n"
    "\n"
    "Rows that cannot be taken go to FILE.rejected: below the header, each behind its line and\n"
    "the reason in a first column rejected_because; of NDJSON below a line that tells them.  Mend\n"
    "them there and import that file with the same options, as it stands: what tells what was\n"
    "wrong is left out.  What still cannot be taken is then in FILE.rejected.rejected.\n"
    "\n"
    "Running an import twice adds nothing: ids come from the file's content and the row's\n"
    "number, or from --id.  So an import that was interrupted is simply run again.  An id of\n"
    "--id is told from those of other kinds of rows, as identify:17 or \"Order Completed:17\": of\n"
    "a customer's rows of one kind with one id, in whatever file, only the first counts.  --map\n"
    "COLUMN=messageId takes the ids of a column as they stand, which is for ids that no other\n"
    "row can have, and for files that were imported so.";

static const char search_text[] =
    "TEXT is part of a name or of a company's, the end of a phone number, an e-mail address or a\n"
    "part of it, an id, a customer's number.  Case and accents do not matter; Größe is found by\n"
    "grosse and by groesse.  王小明 is found by 小明, wang, xiaoming, \"wang xiao ming\" and wxm.\n"
    "Of several words each must be found: schmidt 4711.  Inside of words it takes three letters.";

static const char show_text[] =
    "CUSTOMER is 42, user_id:u-17, email:ann@example.com, phone:+4930123456, or whatever\n"
    "`kith search` finds one customer by.  Below the record: open follow-ups, open records,\n"
    "and the last events.";

const struct command command_table[] = {
    { "search", "TEXT...", "who is it? by part of a name, a number, an address", search_text,
      search_options, run_search },
    { "show", "CUSTOMER...", "everything known of a customer", show_text, show_options, run_show },
    { "timeline", "CUSTOMER", "what happened, newest first, and what came of it", NULL,
      timeline_options, run_timeline },
    { "note", "CUSTOMER TEXT...", "write a note onto the timeline, with files", NULL, note_options,
      run_note },
    { "reminders", "", "follow-ups, by assignee and due time", NULL, reminders_options,
      run_reminders },
    { "remind", "CUSTOMER TITLE...", "make a follow-up", NULL, remind_options, run_remind },
    { "done", "ID", "a follow-up is done", NULL, done_options, run_done },
    { "snooze", "ID WHEN", "a follow-up comes later: 2d, friday, 2026-12-01", NULL, NULL,
      run_snooze },
    { "assign", "CUSTOMER STAFF", "who owns the customer from now on", NULL, NULL, run_assign },
    { "records", "[KIND]", "records of a kind; without one, the kinds",
      "Open ones, unless --all or --state says otherwise; what is overdue is red.  A kind is what\n"
      "a bundle declares: docs/records.md.",
      records_options, run_records },
    { "record show", "RECORD", "one, with its deadlines explained",
      "RECORD is complaint:17, or by an external id complaint:erp:4711.", NULL, run_record_show },
    { "record add", "KIND [CUSTOMER]", "make a record",
      "VALUE is as the field's type wants it: 12.50 EUR, 2026-12-01, yes, a,b.", record_add_options,
      run_record_add },
    { "record change", "RECORD", "set fields, roles or the owner", NULL, record_change_options,
      run_record_change },
    { "record move", "RECORD TRANSITION", "into another state, by a transition of its kind", NULL,
      record_move_options, run_record_move },
    { "record assign", "RECORD STAFF", "whose it is from now on", NULL, NULL, run_record_assign },
    { "record link", "RECORD OTHER", "link it to another record", NULL, record_link_options,
      run_record_link },
    { "record note", "RECORD TEXT...", "write a note about it onto the timeline", NULL, NULL,
      run_record_note },
    { "promise list", "", "what was promised and is open, overdue in red", NULL,
      promise_list_options, run_promise_list },
    { "promise add", "CUSTOMER WHAT...", "somebody is promised something, until a time",
      "Until then it is kept, put off or withdrawn; else it is broken, by nobody's decision, and\n"
      "whoever gave it is asked to apologize and to make it good.  docs/followup.md.",
      promise_add_options, run_promise_add },
    { "promise keep", "ID EVIDENCE...", "it was kept: how do we know?",
      "EVIDENCE is a sentence for whoever asks later: called at nine, spoke to her husband.  "
      "Without\n"
      "any a promise is not kept.  One that is broken already is kept late.",
      NULL, run_promise_keep },
    { "promise withdraw", "ID REASON...", "it will not be kept, and she knows why", NULL, NULL,
      run_promise_withdraw },
    { "promise apologize", "ID WORDS...", "it was broken, and this was said about it", NULL, NULL,
      run_promise_apologize },
    { "promise recover", "ID WORDS...", "it was broken, and made good by this", NULL, NULL,
      run_promise_recover },
    { "merge", "SURVIVOR ABSORBED", "two customers are one person", NULL, NULL, run_merge },
    { "unmerge", "CUSTOMER", "take the absorbed customer out again", NULL, NULL, run_unmerge },
    { "consent", "CUSTOMER grant|withdraw PURPOSE/CHANNEL", "she said yes, or no", NULL,
      consent_options, run_consent },
    { "link", "CUSTOMER", "a signed address that does one thing for a customer",
      "Whoever has the address and presses the button on its page appends the event, grants the\n"
      "consent or withdraws it, without signing in; the first two count once.  One of --event,\n"
      "--grant and --unsubscribe is needed.  docs/links.md tells more.",
      link_options, run_link },
    { "file put", "FILE", "keep a file, to be named in an event within a day",
      "Its hash is printed: an event names it in `files`.  kith note --file does both at once.",
      file_put_options, run_file_put },
    { "file get", "HASH", "a file, as it was put", NULL, file_get_options, run_file_get },
    { "suppress", "FILE", "never write to the addresses in a list",
      "Each line of FILE is an address, and behind a comma, if it is to be kept, why.  Whatever "
      "the\n"
      "rules want, and whatever was consented to, nothing goes out to these addresses any more, "
      "to\n"
      "whomever they belong.  Lines that are no address of the channel go to FILE.rejected, and "
      "then\n"
      "the command fails; mended there they are a list again.  Saying it again changes nothing.",
      suppress_options, run_suppress },
    { "get", "PATH", "what the daemon answers at a path, as it is",
      "PATH is one of the HTTP interface: /v1/segments, /v1/records/complaint?open=1, "
      "/openapi.json.\n"
      "What it answers is printed as it comes; /v1/stream goes on until Ctrl-C.",
      get_options, run_get },
    { "preview", "TEMPLATE CUSTOMER", "what she would get of a template",
      "Renders a template of the active bundle as it would be rendered now.  Nothing is\n"
      "sent but with --to: then a message goes to that address, marked as a test; it counts\n"
      "nowhere, and no rule hears of it.\n"
      "Values that a rule gives are given by --data, once for each.  Links have no address yet.",
      preview_options, run_preview },
    { "effects", "", "what was sent, suppressed, held, and why", NULL, effects_options,
      run_effects },
    { "explain", "EFFECT-OR-SEQ", "the chain of causes, back to the log",
      "A number alone is an entry of the log; 17.2 is an effect or an event that it led to.  Both\n"
      "stand in `kith timeline`.",
      NULL, run_explain },
    { "release", "EFFECT", "send a held or uncertain effect after all", NULL, NULL, run_release },
    { "drop", "EFFECT", "never send it", NULL, drop_options, run_drop },
    { "channels", "", "how the ways out do: what waits, fails, is paused", NULL, NULL,
      run_channels },
    { "pause", "", "send nothing more, whichever way",
      "Nothing goes out on any channel: what is meant for one waits until it expires, what is "
      "under\n"
      "way goes on.  Rules run on, and so do reminders.  A channel or a rule alone:\n"
      "kith pause channel NAME, kith pause rule NAME.",
      pause_all_options, run_pause },
    { "resume", "", "send again", NULL, resume_all_options, run_resume },
    { "rules", "", "the rules, what starts them, which are paused", NULL, NULL, run_rules },
    { "pause rule", "NAME...", "do not run a rule, and send nothing of it",
      "What happens meanwhile passes the rule by, and so does what of its schedule comes due: "
      "nothing\n"
      "is made up for later.  The timeline says where it passed by.  What it did before stands:\n"
      "reminders, traits, timers.  Its messages that have not gone out wait until they expire, "
      "and\n"
      "hold up nobody else's; what is under way goes on.  A pause belongs to the rule's name: it\n"
      "outlives a restart, and a deploy of the rule corrected.",
      pause_options, run_pause_rule },
    { "resume rule", "NAME...", "run a rule again, from here on", NULL, NULL, run_resume_rule },
    { "pause channel", "NAME", "send nothing more that way",
      "What is meant for the channel waits until it expires; what is under way goes on.  A "
      "webhook\n"
      "whose receiver answers 410 Gone is paused by itself.",
      pause_options, run_pause_channel },
    { "resume channel", "NAME", "send that way again", NULL, NULL, run_resume_channel },
    { "tail", "", "follow all that happens, as it happens",
      "Without --after it begins with what happens next.  When the daemon is started anew, or the\n"
      "line breaks, it takes up where it was: nothing is missing, nothing comes twice.  Ctrl-C "
      "ends.",
      tail_options, run_tail },
    { "import", "FILE", "load CSV or NDJSON", import_text, import_options, run_import },
    { "check", "DIR", "find mistakes in a directory of scripts", check_text, check_options,
      run_check },
    { "test", "DIR", "run the tests of a directory of scripts", test_text, test_options, run_test },
    { "deploy", "DIR", "check a directory of scripts and put it in force", NULL, NULL, run_deploy },
    { "bundles", "", "what was deployed, and what is in force", NULL, NULL, run_bundles },
    { "rollback", "", "back to the bundle before", NULL, NULL, run_rollback },
    { "plugin list", "", "what is loaded, and how it does",
      "A plugin that crashed is quarantined: it takes no part from the entry on at which it did, "
      "and\n"
      "what it would have heard of is parked for it.  One whose start() says no has failed: it\n"
      "hears of events and does nothing else, until it is reloaded.",
      NULL, run_plugin_list },
    { "plugin enable", "NAME", "let a quarantined plugin take part again",
      "First it hears, in order, of what was parked for it; with --skip it does not.",
      plugin_enable_options, run_plugin_enable },
    { "plugin disable", "NAME", "let a plugin take no part any more",
      "What it would have heard of is parked for it, until it is enabled again.",
      plugin_disable_options, run_plugin_disable },
    { "plugin reload", "NAME", "load a plugin's file anew, while all goes on",
      "The file that lies there now, with what kith.lua says of this plugin by now.  From one "
      "entry\n"
      "of the log on it is the new one; nothing is lost, and nothing happens twice.  If it cannot\n"
      "be loaded, or the rules in force do not load with it, everything stays as it was.",
      NULL, run_plugin_reload },
    { "plugin new", "NAME", "a folder to begin a plugin in C with",
      "The folder has a plugin that does something, its test, a Makefile and a CMakeLists.txt.\n"
      "All it needs is a C compiler and kith.h.  first-plugin.md goes on from there, in the "
      "folder\n"
      "that `pkg-config --variable=docdir kith` says.",
      NULL, run_plugin_new },
    { "plugin check", "FILE [NEW]", "does this plugin keep the contract?",
      "The plugin is run in a process of its own, with events as they come and as nobody expects "
      "them,\n"
      "each twice, and all again in a second process.  What is wrong is told with what to do; no\n"
      "daemon is needed.  docs/plugins.md says what is tried.\n"
      "What crashes is left out, and all else is tried without it; what could not be tried is\n"
      "told as \"not made\".\n"
      "With --log it hears of that log's events, too, twice.  With a second file and --log what\n"
      "the two declare, and what they want of the log, is compared, entry for entry: a\n"
      "difference may be meant, and exits with 4.  Whoever crashes at an entry goes on behind it.",
      plugin_check_options, run_plugin_check },
    { "staff add", "NAME", "add or change a member of staff", NULL, staff_options, run_staff_add },
    { "staff list", "", "who works here", NULL, NULL, run_staff_list },
    { "staff show", "NAME", "all that is known of her", NULL, NULL, run_staff_show },
    { "staff absent", "NAME", "she is away, or will be",
      "What of hers falls due before she is back stands in her deputy's list meanwhile, and what\n"
      "is still open then comes back to hers.  A deputy who is away has a deputy, too.",
      absent_options, run_staff_absent },
    { "staff back", "NAME", "she is back before it was planned", NULL, back_options,
      run_staff_back },
    { "staff remove", "NAME", "she has left, and her keys end",
      "Nobody leaves with open follow-ups: with --to all her customers, open records and "
      "follow-ups\n"
      "are given to somebody else first, and listed.  Interrupted, it is run again.\n"
      "Then she is in no team and nobody's deputy any more.  A team ends in the same way.",
      staff_remove_options, run_staff_remove },
    { "handover list", "", "who hands over to whom", NULL, handover_list_options,
      run_handover_list },
    { "handover prepare", "STAFF", "list all that she has in hand, to go to somebody else",
      "Customers, open records of every kind (promises, complaints, tasks) and follow-ups: each a\n"
      "piece of the hand-over.  Nothing moves until it is confirmed.",
      handover_prepare_options, run_handover_prepare },
    { "handover show", "ID", "each piece of it, what waits for somebody first",
      "Before it is confirmed a piece goes to somebody else by\n"
      "kith record change handover_item:PIECE --set to=STAFF, and stays where it is by\n"
      "kith record move handover_item:PIECE leave --set reason=WHY.",
      NULL, run_handover_show },
    { "handover confirm", "ID PIECES...", "the receiver takes pieces over: 3 4 7, or all",
      "Whoever gets a piece confirms it, and then it is hers.  Of a team that is one of its "
      "members:\n"
      "--by says who.  When all are confirmed there is a last look, and what is found then is\n"
      "listed; with nothing left the hand-over is done, and not before.",
      handover_confirm_options, run_handover_confirm },
    { "handover call-off", "ID REASON...", "what is not given yet stays where it is", NULL,
      handover_call_off_options, run_handover_call_off },
    { "team", "", "the teams, and who is in each", NULL, NULL, run_team },
    { "team set", "NAME", "make a team, or say how it gives work to its members",
      "The ways are followed in the order given, each among those who are there:\n"
      "\n"
      "    owner      the customer's owner, if she is a member\n"
      "    language   those who speak the customer's language, if there are any\n"
      "    load       those with the fewest open follow-ups\n"
      "    turn       one after the other; this decides in the end, always\n"
      "\n"
      "Without any, work stands in the team's own list, and its members take from there.",
      team_options, run_team_set },
    { "pool list", "", "the pools of codes that the rules declare", NULL, NULL, run_pool_list },
    { "pool show", "NAME", "how many codes are left, taken and used", NULL, NULL, run_pool_show },
    { "pool load", "NAME FILE", "load codes, one a line",
      "Codes that the pool has or had are passed over: loading a file twice adds nothing.  Empty\n"
      "lines and blanks around a code do not count.",
      NULL, run_pool_load },
    { "pool timeline", "NAME", "what was asked of it, the newest first", NULL, subject_options,
      run_pool_timeline },
    { "budget list", "", "the budgets that the rules declare", NULL, NULL, run_budget_list },
    { "budget show", "NAME", "what is spent in this period, and what is left", NULL, NULL,
      run_budget_show },
    { "budget timeline", "NAME", "what was asked of it, the newest first", NULL, subject_options,
      run_budget_timeline },
    { "key add", "NAME", "make a key; it is printed once", NULL, key_options, run_key_add },
    { "key list", "", "the keys there are, without their secrets", NULL, NULL, run_key_list },
    { "key remove", "NAME", "a key ends, at once", NULL, NULL, run_key_remove },
    { "export", "CUSTOMER", "all that is known of a customer", NULL, export_options, run_export },
    { "erase", "CUSTOMER", "forget a customer, in all files too",
      "There is no way back.  Customers merged into this one go with it.  Backups made before "
      "keep\n"
      "what they have; docs/privacy.md tells what else is yours to do.",
      erase_options, run_erase },
    { "erasures", "", "who is still in the files", NULL, NULL, run_erasures },
    { "backup", "DIR", "copy all data, while the daemon works", NULL, NULL, run_backup },
    { "restore", "DIR", "put a backup in place, no daemon runs", NULL, restore_options,
      run_restore },
    { "doctor", "", "what is the matter, and what to do", NULL, NULL, run_doctor },
    { "verify", "", "check the log, and the state against a fresh fold of it", NULL, NULL,
      run_verify },
    { "state-hash", "", "a hash of the whole state: equal for equal logs", NULL, NULL,
      run_state_hash },
    { "clock accept", "", "the machine's clock is right: time goes on", NULL, NULL,
      run_clock_accept },
    { "help", "[COMMAND...]", "this, or all about one command",
      "It knows the words of rules, of their tests and of kith.lua, too: all of them, or one.\n"
      "\n"
      "    kith help lua\n"
      "    kith help lua remind\n"
      "    kith help lua customer:set\n"
      "    kith help lua complaint.open          offered by a plugin: the daemon is asked",
      help_options, run_help },
    { "completion", "[bash|zsh|fish]", "a script that teaches the shell to complete",
      "Put it in force with\n"
      "\n"
      "    source <(kith completion)                                         in ~/.bashrc\n"
      "    source <(kith completion zsh)                       in ~/.zshrc, after compinit\n"
      "    kith completion fish > ~/.config/fish/completions/kith.fish             once\n"
      "\n"
      "The Debian package has done so already.",
      NULL, run_completion },
    { NULL, NULL, NULL, NULL, NULL, NULL },
};
