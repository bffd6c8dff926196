/* api.h -- the HTTP interface as tables of routes, and one request until it is answered.
 *
 * A file of handlers exports one table; api.c lists the tables, finds the row, checks who
 * asks and what came, and only then calls the handler.  A handler never waits: it answers,
 * or it hands the call on, and goes on in `done`:
 *
 *     handle(call) --+--> call_reply() and its like                        answered
 *                    +--> call_submit()  entries into the log  --> done    durable or applied
 *                    +--> call_ask()     run on the engine     --> done    between two entries
 *                    +--> call_await()   for a checkpoint      --> done    when it is there
 *                    +--> call_work()    run on a worker       --> done    snapshots, the log
 *
 * `done` is the same choice again, so a chain is as long as it needs to be: submit, ask for
 * the record, reply.
 *
 * Lifetime   A call lives from handle() until it is answered, exactly once; then the pointer
 *            is dead.  Everything that accessors return, and what lies in call->arena and
 *            call->out, lives as long as the call.
 * Threads    handle, done and all functions here belong to the loop, except inside `run`:
 *            there the call is the engine's or the worker's, nobody else touches it, and what
 *            may be used of it is its members and the accessors marked (run).
 * The peer   may leave at any time.  Nothing changes: what was submitted is written, `run` and
 *            `done` are called, the answer is dropped in silence.
 * Failing    A function that answers a bad request itself returns false; the handler returns.
 */
#ifndef CORE_SERVER_API_H
#define CORE_SERVER_API_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/doc.h"
#include "core/base/err.h"
#include "core/base/rate.h"
#include "core/server/fresh.h"
#include "core/server/idempotency.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct auth;
struct call;
struct engine;
struct field;
struct files;
struct home;
struct home_route;
struct http_handler;
struct http_request;
struct json_reader;
struct link_keys;
struct metrics;
struct node;
struct nurse;
struct plugin_set;
struct settings;
struct stream;
struct submission;
struct plugin_watch;
struct sweeper;
struct uv_loop_s;
struct zone;

/* What a route asks of a key.  A key has a set of them; `admin` includes all, `staff` includes
 * `read`.
 * SCOPE_WRITE is for what sends events in, from browsers too: any origin may call (CORS), and a
 * request without Authorization still reaches the handler, because Segment's clients may have the
 * key in the body; the handler then calls call_admit() before anything else. */
enum api_scope { SCOPE_NONE, SCOPE_WRITE, SCOPE_READ, SCOPE_STAFF, SCOPE_ADMIN };

struct route {
    const char *method; /* "GET" answers HEAD too; OPTIONS is answered for every path */
    /* Segments; "{name}" stands for one whole segment, decoded, not empty: call_param().  Of two
     * patterns that fit, the one that is literal earlier wins. */
    const char *path;
    enum api_scope scope;
    size_t body_max; /* bytes as sent and as decoded; 0: a request with a body gets 413 */
    /* The body must be a JSON object (415, 400) and is in call->body; without any it is empty. */
    bool takes_json;
    void (*handle)(struct call *call);
    const char *summary; /* one line, for /openapi.json */
    /* Names that the query may have, with blanks between; NULL: none.  Any other gets 400. */
    const char *queries;
    /* What a JSON object in the body has (api_command.h): anything else gets 422.  NULL: the
     * handler looks itself.  Where takes_json is false it is described and not checked. */
    const struct field *fields;
    /* What is answered: a name of api_shape.c, "NAME[]" for a list of them, "NAME|NAME" for one
     * of two, with "201 " or "202 " in front where that is the status; "text", "page", "bytes" or
     * "event-stream"; NULL: an object of whatever fields. */
    const char *answer;
    /* Of a plugin's route, which may also end in "/" and a star, all that is below, and have the
     * method "*", any: */
    const struct home_route *plugin; /* NULL: it is Kith's own */
};
/* A row leaves out what it has not at its end. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#define ROUTES_END                                         \
    {                                                      \
        NULL, NULL, SCOPE_NONE, 0, false, NULL, NULL, NULL \
    }

/* The tables, each ending with ROUTES_END.  A new file of handlers adds itself here and to
 * `tables` in api.c. */
extern const struct route routes_system[];    /* api_system.c: health, metrics, /openapi.json */
extern const struct route routes_ingest[];    /* ingest.c: Segment's tracking API */
extern const struct route routes_cloud[];     /* api_cloud.c: CloudEvents */
extern const struct route routes_customers[]; /* api_customers.c */
extern const struct route routes_reminders[]; /* api_reminders.c */
extern const struct route routes_records[];   /* api_records.c */
extern const struct route routes_effects[];   /* api_effects.c */
extern const struct route routes_channels[];  /* api_channels.c */
extern const struct route routes_links[];     /* api_links.c */
extern const struct route routes_files[];     /* api_files.c */
extern const struct route routes_bundles[];   /* api_bundles.c */
extern const struct route routes_rules[];     /* api_rules.c */
extern const struct route routes_stream[];    /* api_stream.c */
extern const struct route routes_privacy[];   /* api_privacy.c: export, erasing */
extern const struct route routes_backup[];    /* api_backup.c: backups, doctor */
extern const struct route routes_admin[];     /* api_admin.c: staff, keys, suppressions, care */
extern const struct route routes_dry_run[];   /* api_dry_run.c */
extern const struct route routes_templates[]; /* api_templates.c: previews */
extern const struct route routes_plugins[];   /* api_plugins.c */
extern const struct route routes_subjects[];  /* api_subjects.c: pools, budgets */

/* For the doctor, appended: how many plugins there are, and which of them take no part; false: not
 * because somebody decided so.  Engine thread (api_plugins.c). */
struct buf;
struct engine;
bool plugins_are_well(struct engine *engine, struct call *call, struct buf *out);

/* What handlers stand on.  Members are for reading. */
struct api {
    struct uv_loop_s *loop;
    struct node *node;
    struct auth *auth;
    struct idempotency *idempotency;
    struct limiter *limiter;
    const struct link_keys *links; /* what seals and opens them */
    struct files *files;
    struct sweeper *sweeper; /* of the files */
    struct metrics *metrics;
    struct stream *stream;
    const struct settings *settings;
    struct plugin_set *_Atomic plugins; /* NULL: none; whoever has looked keeps what he has seen */
    struct nurse *nurse;                /* of those that are isolated; NULL: there are no plugins */
    struct reload *reload;              /* NULL: the same */
    struct plugin_watch *plugin_watch;  /* NULL: the same */
    struct home *home;                  /* of their outside sides; NULL: none */
    const struct zone *zone;            /* the company's */
    struct clock clock;
    const struct route *plugin_routes; /* a table too; NULL: none */
    void (*on_idle)(void *arg);        /* the last call under way has ended; may be NULL */
    void *idle_arg;

    struct dry_run_session *dry_run; /* api_dry_run.c; NULL: none is under way */
    struct json_reader *reader;      /* the loop's */
    int64_t waited_ns;               /* from post to commit, of the last entry that was written */
    struct fresh fresh;              /* who wrote lately, and how much */
    size_t calls;                    /* under way */
};

/* `limiter` and the last four members are api_init()'s, all others the caller's. */
void api_init(struct api *api);
void api_deinit(struct api *api); /* no call may be under way */

/* No call may be under way; before the node is closed, and before the loop's last turns. */
void api_end_dry_run(struct api *api);

/* For http_server_open(). */
struct http_handler api_handler(struct api *api);

/* Whoever changed keys calls this when its entry has been applied: keys are remembered. */
void api_keys_changed(struct api *api);

/* A request from inside of this process (core/server/api_ask.c).  The answer comes as a document,
 * of what is no JSON {type, body}; also from inside of this call. */
struct api_ask {
    const char *method, *path; /* "GET", "/v1/reminders?to=ann" */
    struct doc body;           /* none: `bytes` */
    const void *bytes;
    size_t size;
    const char *content_type;    /* of `bytes`; may be NULL */
    struct text key;             /* an Idempotency-Key; empty: none */
    struct text match;           /* If-Match; empty: none */
    const struct caller *caller; /* is copied; on whose behalf, if staff is not empty, who must be
                                    known */
    void (*answered)(void *arg, int status, struct doc answer);
    void *arg;
};
void api_ask(struct api *api, const struct api_ask *ask);

/* -- One request ------------------------------------------------------------------------------- */

#define CALL_PARAMS_MAX 4

struct caller {
    struct text name;  /* of the key: `source` of what it sends in.  Empty: nobody (SCOPE_NONE) */
    struct text staff; /* whose key it is; empty: nobody's */
    uint32_t scopes;   /* bits 1 << SCOPE_... */
    struct rate rate;  /* of its own; count 0: it has none */
    bool is_inside;    /* a plugin, by way of api_ask(): no rate */
};

struct call {
    struct api *api;
    struct http_request *request; /* for fields: http_field(), http_add_field() before answering */
    const struct route *route;
    struct caller caller;
    struct doc body; /* of a route that takes JSON; else none */
    struct arena arena;
    struct buf out;  /* free for use: the place to build the answer's document in */
    void *data;      /* the handler's own, NULL at first; put it into the arena */
    bool is_behind;  /* call_await() has not got its checkpoint */
    bool is_written; /* entries of it are in the log; call_submit() says so */

    /* private to api.c and call.c */
    struct text params[CALL_PARAMS_MAX];
    size_t param_count;
    struct buf json;
    void (*answered)(void *arg, int status, struct doc answer); /* of api_ask(); NULL: none */
    void *answered_arg;
    bool is_once; /* it has an Idempotency-Key, and ... */
    struct idempotency_id once;
    int64_t retry_s; /* Retry-After of a 429 or 503; 0: 1 */
    int64_t begun_ns, posted_ns;
    void (*asked)(struct engine *engine, struct call *call); /* what it waits for at present */
    void (*worked)(struct call *call);
    void (*done)(struct call *call);
    void (*submitted)(struct call *call, const struct submission *submission);
};

/* Only for a route of SCOPE_WRITE whose call has no caller yet: find out who has `secret`.
 * 401 when nobody has, 403 when it lacks SCOPE_WRITE; else `done` with call->caller filled in,
 * from inside or later. */
void call_admit(struct call *call, struct text secret, void (*done)(struct call *call));

/* A segment of the path that the pattern names; exists by construction. (run) */
struct text call_param(const struct call *call, const char *name);
/* The first pair of the query called `name`, decoded, in the arena and terminated; {NULL, 0}:
 * absent.  What cannot be decoded, or is not UTF-8, is absent. (run) */
struct text call_query(struct call *call, const char *name);
/* Present and neither "0" nor "false". (run) */
bool call_flag(struct call *call, const char *name);
/* A whole number of the query between `min` and `max`; absent: `otherwise`.  False: answered. */
bool call_query_int(struct call *call, const char *name, int64_t min, int64_t max,
                    int64_t otherwise, int64_t *out_value);
/* ?limit= (default 50, at most LIST_MAX) and ?after= (empty: from the start) of a list.  False:
 * answered. */
struct page {
    size_t limit;
    struct text after;
};
bool call_page(struct call *call, struct page *out_page);
/* ?wait=durable, ?wait=applied, else `otherwise`; fits submission.wants_applied.  False:
 * answered. */
bool call_wait(struct call *call, bool otherwise, bool *out_wants_applied);

/* `by` of what this call changes: the key's member of staff, else the key's name. (run) */
struct text call_by(const struct call *call);
bool call_may(const struct call *call, enum api_scope scope); /* (run) */
/* The same of scopes, a bit for each: admin may all, and staff may read.  Pure. */
bool scopes_allow(uint32_t scopes, enum api_scope scope);

/* The `id` of an entry that this call writes, made of its Idempotency-Key and of what is asked, in
 * the arena; empty: it has none.  Of several entries each needs one of its own. */
struct text call_entry_id(struct call *call);

/* -- Answering: each ends the call ------------------------------------------------------------- */

/* With a document as JSON; without one (data NULL) an empty object.  It may lie in call->out. */
void call_reply(struct call *call, int status, struct doc doc);
/* With any other body, which is copied. */
void call_reply_text(struct call *call, int status, const char *content_type, struct text body);
/* With a problem document (RFC 9457); one line that says what was wrong and what to do. */
__attribute__((format(printf, 3, 4))) void call_problem(struct call *call, int status,
                                                        const char *format, ...);
/* The same from a failure: E_INVALID 400, E_DENIED 403, E_NOTFOUND 404, E_CONFLICT 409,
 * E_STALE 412, E_LIMIT 422, E_BUSY 429 and E_FULL, E_IO 503 with Retry-After, else 500 (told the
 * operator too). */
void call_error(struct call *call, int code, const struct err *err);

/* -- Handing on -------------------------------------------------------------------------------- */

/* Post entries.  The submission is the log's from here on; it need have nothing but entries,
 * blob and flags (starts_clock for what happened outside, not for setting up: bundles, staff,
 * keys).  Answers by itself, without `done`: 503 when nothing can be taken in
 * (node_health), 429 when too much waits, 503 when the commit failed.  `done` finds the entries
 * durable, or with wants_applied applied: then call_applied() first. */
void call_submit(struct call *call, struct submission *submission,
                 void (*done)(struct call *call, const struct submission *submission));
/* Whether the engine did what the last entry wanted (a duplicate counts: it had done it); else
 * the call is answered with its reason. */
bool call_applied(struct call *call, const struct submission *submission);

/* `run` on the engine's thread between two entries: it must be short (a customer, not a list)
 * and may only read. */
void call_ask(struct call *call, void (*run)(struct engine *engine, struct call *call),
              void (*done)(struct call *call));

/* Have a checkpoint made that holds everything acknowledged so far, so that a snapshot shows it.
 * `done` comes when it is written, or after AWAIT_MS all the same: then call->is_behind. */
void call_await(struct call *call, void (*done)(struct call *call));
/* The same for a list (fresh.h): at once if all is shown already, or call->is_behind, if much of
 * others comes in. */
void call_await_own(struct call *call, void (*done)(struct call *call));

/* `run` on a thread of libuv's pool; for snapshots (storage/state.h) and reads of the log. */
void call_work(struct call *call, void (*run)(struct call *call), void (*done)(struct call *call));

#endif
