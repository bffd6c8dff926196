/* rules.h -- what the engine knows of rules, whoever wrote them in whatever language.
 *
 * A ruleset is made from a bundle by the script host above and is immutable.  The
 * engine matches triggers, runs rules one by one inside savepoints, and decides
 * what a failure undoes; how a rule computes is the host's business.
 *
 * Everything in a ruleset is the host's memory and lives until rules->free(rules), which
 * whoever had it loaded calls once.  All its functions belong to the thread that uses the
 * ruleset: the engine's.  Only the host changes a ruleset's insides, and no run can be told
 * from another by what ran before it.
 */
#ifndef CORE_ENGINE_RULES_H
#define CORE_ENGINE_RULES_H

#include "core/base/doc.h"
#include "core/base/duration.h"

struct calendar;
struct kind;
struct mustache;
struct step;

enum rule_trigger {
    RULE_ON_TYPES,  /* `types`, or every event when there are none ("*") */
    RULE_ON_EVERY,  /* `period`, at `at_minute` */
    RULE_ON_DATE,   /* the date in trait `trait`, shifted by `period` */
    RULE_ON_YEARLY, /* the anniversary of the date in trait `trait` */
};

struct rule {
    struct text name;
    enum rule_trigger trigger;
    struct text *types;     /* RULE_ON_TYPES */
    size_t type_count;      /* 0: every event */
    struct text trait;      /* RULE_ON_DATE, RULE_ON_YEARLY */
    struct duration period; /* RULE_ON_EVERY, RULE_ON_DATE */
    int at_minute;          /* of the day, -1: not given */
    bool is_chinese;        /* RULE_ON_YEARLY: by the Chinese calendar */
    struct text print;      /* of a schedule: all of the above; timers fire while it is the same */
};

struct purpose {
    struct text name;
    bool opt_in; /* without a granted consent nothing is sent; else: unless withdrawn */
};

/* A shared subject that the bundle declares (core/engine/subject.h): what is laid down of it, as
 * its kind reads it. */
struct subject_plan {
    struct text kind, name; /* "pool", "spring" */
    struct doc terms;
};

/* A text for messages, of one name on one channel in one language (core/engine/template.h). */
struct template_field {
    struct text name; /* "subject" */
    const struct mustache *text;
};
struct template
{
    struct text name;
    struct text channel;           /* empty: any */
    struct text locale;            /* empty: for everybody whose own there is none for */
    struct template_field *fields; /* above the body, in their order */
    size_t field_count;
    const struct mustache *body;
};

enum rule_outcome {
    RULE_OK,
    RULE_ERROR,         /* the script's own error, or its instruction budget: deterministic */
    RULE_OUT_OF_MEMORY, /* not deterministic: these two become verdicts */
    RULE_OUT_OF_TIME,
};

struct rule_failure {
    char message[320]; /* with file and line */
    char traceback[2048];
    char changed_local[80]; /* a local the rule changed, also when it did not fail; empty: none */
};

struct ruleset {
    uint8_t hash[32];   /* of the bundle */
    struct rule *rules; /* in order of file and line */
    size_t count;
    struct purpose *purposes;
    size_t purpose_count;
    struct template *templates; /* in order of their paths */
    size_t template_count;
    struct subject_plan *subjects; /* in order of file and line */
    size_t subject_count;
    struct kind *kinds; /* of records */
    size_t kind_count;

    /* The host's. */
    /* NULL: unknown; empty name: the company's, which there always is. It is the ruleset's. */
    const struct workweek *(*calendar)(const struct ruleset *rules, struct text name);
    /* Run rules[index] on the event of `step`, which it may change by the calls of step.h; `step`
     * and what it gives are valid for the call.  It always ends.  *out_failure is filled whatever
     * the outcome, message and traceback only if there is a failure. */
    enum rule_outcome (*run)(struct ruleset *rules, size_t index, struct step *step,
                             struct rule_failure *out_failure);
    /* While the past is repeated a rule has more memory and any time: where no verdict says that
     * it was killed, it was not, and must not be now because the collector stands elsewhere or the
     * machine is slower. */
    void (*repeat)(struct ruleset *rules, bool is_past);
    void (*free)(struct ruleset *rules);
    void *host;
};

#endif
