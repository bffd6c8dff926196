/* limits.h -- every limit of Kith, its name and its default.
 *
 * A limit marked [world] can change a result: it is part of the world's config
 * (docs/log.md), so that an entry is always folded under the limits that were in
 * force when it was written.  The others guard resources and change no result.
 */
#ifndef CORE_BASE_LIMITS_H
#define CORE_BASE_LIMITS_H

/* What may come in */
#define EVENT_BYTES_MAX (256u << 10) /* one event as JSON */
#define BATCH_BYTES_MAX (5u << 20)   /* one request, also after decompression */
#define BATCH_EVENTS_MAX 5000
#define NESTING_MAX 32         /* of a JSON document */
#define TYPE_BYTES_MAX 128     /* of an event type */
#define ID_BYTES_MAX 1024      /* of a sender's idempotency key */
#define NAME_BYTES_MAX 128     /* of a trait, tag, rule, key, staff, purpose ... */
#define IDENTITY_BYTES_MAX 254 /* of one identity's value */

/* What one entry may cause [world] */
#define CASCADE_DEPTH_MAX 16
#define DERIVED_MAX 1000              /* events per cause, and messages with all they lead to */
#define CASCADE_REST_MS 60000         /* a timer as far ahead begins a new cascade */
#define DERIVED_BYTES_MAX (48u << 10) /* data of an event that a rule makes */
#define TIMERS_PER_TICK_MAX 500
#define SWEEP_PER_TICK_MAX 500 /* customers */
#define ERASE_PER_TICK_MAX 500 /* rows of customers who are being erased */
#define MOVES_PER_TICK_MAX 100 /* timers looked at because a customer's zone changed */
#define RULE_INSTRUCTIONS_MAX 2000000
#define RULE_MEMORY_BYTES_MAX (8u << 20) /* of a script's own values */
#define RULE_ARENA_BYTES_MAX (64u << 20) /* of what the engine makes for a rule while it runs */
#define RULE_CPU_MS 5000 /* of the processor, where instructions are dearer than they should be */
#define TRACE_LINES_MAX 20               /* log() lines per event */

/* What one customer may have [world] */
#define IDENTITIES_MAX 100
#define TRAITS_MAX 500
#define TRAIT_SOURCES_MAX 8 /* assignments kept of one trait */
#define PROFILE_BYTES_MAX (48u << 10)
#define GROUP_MAX 32 /* customers merged into one */
#define CUSTOMER_TIMERS_MAX 1000
#define CUSTOMER_RECORDS_MAX 500 /* open ones, of all kinds, that are about her */
#define RECORD_ROW_BYTES_MAX (32u << 10)
#define RECORD_LINES_MAX 200

/* Delivery [world] */
#define EFFECT_ATTEMPTS_MAX 8
#define EFFECT_HISTORIC_MS (24ll * 3600 * 1000) /* a replayed past that long ago sends nothing */
#define EFFECT_EXPIRES_MS (24ll * 3600 * 1000)
#define EFFECT_RETRY_MS 30000                   /* before the second attempt; doubles */
#define EFFECT_WAIT_MS_MAX (24ll * 3600 * 1000) /* that a receiver may ask for */
#define EFFECT_BYTES_MAX (48u << 10)            /* rendered */
#define EFFECT_FILES_MAX 20                     /* attached to one message */
#define PAUSED_RULES_MAX 500                    /* at once, in the bundle in force or not */
#define DEDUPE_DAYS 30

/* Plugins [world] */
#define PLUGIN_STATE_BYTES_MAX (16u << 10) /* one document about one customer */
#define HOOK_FAILURES_MAX 8                /* of plugins' hooks, told of one merge */
#define PLUGIN_PARKED_MAX 100000           /* events of one plugin that is quarantined */
#define PARKED_PER_TICK_MAX 100            /* of these, when it is back */

/* Templates: the same in every world; how large a message may be is effect_bytes */
#define TEMPLATE_BYTES_MAX (64u << 10) /* of a file */
#define TEMPLATE_DEPTH_MAX 32          /* of sections and partials in each other */
#define TEMPLATE_STEPS_MAX 50000       /* pieces of text, values and sections of one rendering */
#define TEMPLATE_FIELDS_MAX 16         /* above the body: subject and others */

/* Clock */
#define CLOCK_JUMP_MS (10ll * 60 * 1000)      /* ahead of log + elapsed: time stands */
#define CLOCK_GAP_MS (7ll * 24 * 3600 * 1000) /* the same at start */

/* Resources of the daemon */
#define GROUP_ENTRIES_MAX 20000 /* of one commit */
#define GROUP_BYTES_MAX (16u << 20)
#define QUEUE_BYTES_MAX (64u << 20) /* waiting for the sequencer; beyond it: 429 */
#define BUNDLE_BYTES_MAX (4u << 20)
#define BUNDLE_FILES_MAX 500
#define CHANNEL_WINDOW 64                /* effects of one channel under way at once */
#define CHANNEL_TIMEOUT_MS 60000         /* an answer later than this is uncertain */
#define PURGE_PAUSE_MS (3600ll * 1000)   /* between two that write all files anew for the erased */
#define COPY_ROOM_BYTES (16u << 20)      /* left free beside a copy of a file, for commits */
#define EXPORT_BYTES_MAX (64u << 20)     /* of one customer as JSON */
#define LIST_MAX 1000                    /* items of one page */
#define IDEMPOTENCY_KEY_BYTES_MAX 255    /* of an Idempotency-Key */
#define IDEMPOTENCY_KEYS_MAX 1000000     /* whose answers are kept; of events the half; then 429 */
#define IDEMPOTENCY_BYTES_MAX (1u << 30) /* of the answers of a day; beyond it: 429 */
#define STREAM_SUBSCRIBERS_MAX 10000     /* beyond it: 503 */
#define STREAM_TYPES_MAX 16              /* that one subscriber asks for */
#define STREAM_BACKLOG_BYTES (64u << 10) /* not yet taken by one; then it is read for again */
#define STREAM_RECENT_BYTES (4u << 20)   /* kept for those who are a little behind */
#define STREAM_HEARTBEAT_MS 15000        /* of silence, then a comment */

/* A daemon that crashes, and its parent */
#define CRASHES_MAX 5              /* within a minute and without having served; then it ends */
#define CRASH_WINDOW_MS 60000      /* that minute */
#define CRASH_SERVED_MS 10000      /* so long, and it has served */
#define CRASH_PAUSE_MS 1000        /* before the second start in a minute; doubles */
#define CRASH_PAUSE_MS_MAX 30000   /* and no more */
#define CRASH_ROOM_PAUSE_MS 5000   /* before another start that may find room on the disk */
#define CRASHES_AT_ENTRY_MAX 2     /* then nothing is applied from that entry on */
#define DATA_LOCK_WAIT_MS 5000     /* for a daemon that is dying to let go of its data */

/* Staff: the same in every world */
#define TEAM_MEMBERS_MAX 200
#define ABSENCES_MAX 100 /* of one person, those that have not ended */
#define DEPUTIES_MAX 8   /* one for another */

/* Shared subjects: the same in every world */
#define POOL_CODES_MAX 10000000 /* of one pool, all told */
#define POOL_LOAD_MAX 5000      /* in one call */
#define SUBJECTS_MAX 200        /* declared by one bundle */

/* Plugins, each for itself */
#define PLUGIN_WISHES_MAX 1000             /* events, requests to Kith and files under way */
#define PLUGIN_TIMERS_MAX 10000            /* set and not run */
#define PLUGIN_WATCHERS_MAX 4096           /* watched descriptors */
#define PLUGIN_LISTENERS_MAX 16            /* addresses listened on */
#define PLUGIN_WORKS_MAX 256               /* waiting or at work */
#define PLUGIN_THREADS_MAX 2               /* at work at once */
#define PLUGIN_FETCHES_MAX 256             /* requests to others under way */
#define PLUGIN_FETCH_BYTES_MAX (16u << 20) /* of the answer to one, and of what it sends */
#define PLUGIN_FETCH_MS_MAX 300000
#define PLUGIN_REQUESTS_MAX 256           /* to its routes, unanswered: then 503 */
#define PLUGIN_REQUEST_MS 60000           /* an answer that has not come by then: 504 */
#define PLUGIN_REPLY_BYTES_MAX (16u << 20) /* of one answer */
#define PLUGIN_COUNTERS_MAX 32
#define PLUGIN_LINES_MAX 100    /* of log() a minute; the others are counted */
#define PLUGIN_LINE_BYTES_MAX 500
#define PLUGIN_DELIVERY_MS 120000 /* its channels: an answer later than this is uncertain */
#define PLUGIN_STOP_MS 5000     /* for works under way before stop() */
#define PLUGIN_DRAIN_MS 10000   /* before a reload, for what it was given */
#define PLUGIN_LOOK_MS 1000     /* between two looks at what holds up the engine */
#define PLUGIN_HANG_TELL_MS 3000 /* in one call of the engine's: the operator is told ... */
#define PLUGIN_HANG_MS 10000    /* ... and it is ended, with the daemon */
#define PLUGIN_LOOP_HANG_MS 20000 /* the same of a call on the loop */
#define PLUGIN_WORK_TELL_MS 30000 /* a work that takes longer: the operator is told */
#define PLUGIN_SLOW_MS 50       /* on the loop: the operator is told */

/* A dry run of an import */
#define DRY_RUN_BYTES_MAX (256u << 20) /* of changes that are tried out */
#define DRY_RUN_SENT_MAX 20000         /* messages of a channel that one batch leads to */
#define DRY_RUN_IDLE_MS 30000          /* one that nobody asks anything ends */
#define DRY_RUN_MS_MAX 300000          /* and any one then */

/* A test of scripts */
#define TEST_INSTRUCTIONS_MAX 50000000 /* of its own function */
#define TEST_MEMORY_BYTES_MAX (64u << 20)
#define TEST_STATE_BYTES_MAX (128u << 20) /* of what its events lead to */
#define TEST_ENTRIES_MAX 100000           /* events, ticks, messages and what becomes of them */
#define TESTS_MAX 10000                   /* of one folder */
#define TEST_TIMELINE_MAX 50              /* entries that a failure shows */

/* Files of customers */
#define FILE_BYTES_MAX (8u << 20)
#define FILE_UNNAMED_MS (25ll * 3600 * 1000) /* a day, and an hour for what is under way */
#define EVENT_FILES_MAX 64                   /* that one event names */

/* Signed links */
#define LINK_DATA_BYTES_MAX 1024                        /* of the event it appends, as stored */
#define LINK_NAME_BYTES_MAX 32                          /* among the links of a message */
#define LINK_EXPIRES_MS (30ll * 24 * 3600 * 1000)       /* unless it says otherwise */
#define LINK_WITHDRAW_MS (2 * 366ll * 24 * 3600 * 1000) /* the same, to unsubscribe */
#define LINK_BODY_BYTES_MAX (16u << 10)                 /* of a POST to it, which is not read */

#endif
