/* api_rules.c -- /v1/rules: what rules there are, and pausing them. */
#include "core/engine/read.h"
#include "core/server/api_command.h"

#define BODY_MAX (16u << 10)

static int list_rules(struct engine *engine, struct call *call, void *arg, struct buf *out,
                      struct err *err)
{
    (void)call;
    (void)arg;
    (void)err;
    read_rules(engine, out);
    return 0;
}

static void get_rules(struct call *call)
{
    call_read(call, list_rules, NULL);
}

static int read_one(struct engine *engine, struct call *call, void *arg, struct buf *out,
                    struct err *err)
{
    (void)arg;
    return read_rule(engine, call_param(call, "name"), out, err);
}

static void get_rule(struct call *call)
{
    call_read(call, read_one, NULL);
}

/* A rule that was paused, and is in no bundle any more, is gone with its pause. */
static int read_decided(struct engine *engine, struct call *call, void *arg, struct buf *out,
                        struct err *err)
{
    struct doc_writer w;
    if (read_one(engine, call, arg, out, err) == 0)
        return 0;
    doc_begin(&w, out);
    doc_put_text(&w, "name", call_param(call, "name"));
    doc_put_string(&w, "state", "active");
    doc_end(&w);
    return 0;
}

static void decide(struct call *call, const char *type)
{
    command_about(call, type, "rule", "name")->read = read_decided;
    command_run(call);
}

static void post_pause(struct call *call)
{
    decide(call, "rule.paused");
}

static void post_resume(struct call *call)
{
    decide(call, "rule.resumed");
}

const struct route routes_rules[] = {
    { "GET", "/v1/rules", SCOPE_READ, 0, false, get_rules,
      "The rules in force, what starts them, and which are paused; one page", "limit after", NULL,
      "Rule[]" },
    { "GET", "/v1/rules/{name}", SCOPE_READ, 0, false, get_rule, "One rule", NULL, NULL, "Rule" },
    { "POST", "/v1/rules/{name}/pause", SCOPE_ADMIN, BODY_MAX, true, post_pause,
      "Run a rule no more; what happens meanwhile passes it by, what it has sent and nobody has "
      "claimed waits until it expires",
      "wait", reason_fields, "Rule" },
    { "POST", "/v1/rules/{name}/resume", SCOPE_ADMIN, BODY_MAX, true, post_resume,
      "Run a rule again, from here on", "wait", no_fields, "Rule" },
    ROUTES_END,
};
