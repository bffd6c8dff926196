/* api_effects.c -- /v1/effects: what was sent, what waits for a decision, and why. */
#include "core/engine/read.h"
#include "core/server/api_command.h"
#include "core/server/node.h"

#define BODY_MAX (16u << 10)

/* -- Reading --------------------------------------------------------------------------- */

static int read_one(struct engine *engine, struct call *call, void *arg, struct buf *out,
                    struct err *err)
{
    (void)arg;
    return read_effect(engine, call_param(call, "id"), out, err);
}

static void get_effect(struct call *call)
{
    call_read(call, read_one, NULL);
}

struct listing {
    struct read_effects which;
    struct read_page page;
};

static int list(struct snapshot *snapshot, struct call *call, void *arg, struct buf *out,
                struct err *err)
{
    const struct listing *listing = arg;
    (void)call;
    return read_effects(snapshot, &listing->which, &listing->page, out, err);
}

static bool is_state(struct text text)
{
    static const char *const states[] = { "pending",  "claimed", "sent",    "suppressed",
                                          "rejected", "failed",  "expired", "uncertain",
                                          "held",     "dropped" };
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (text_is(text, states[i]))
            return true;
    return false;
}

static void get_effects(struct call *call)
{
    struct read_page *page = call_read_page(call);
    if (page == NULL)
        return;
    struct listing *listing = arena_alloc(&call->arena, sizeof *listing);
    listing->page = *page;
    listing->which.state = call_query(call, "state");
    listing->which.channel = call_query(call, "channel");
    if (listing->which.state.size != 0 && !is_state(listing->which.state))
        call_problem(call, 400,
                     "?state= is pending, claimed, sent, suppressed, rejected, failed, expired, "
                     "uncertain, held or dropped");
    else
        call_list(call, list, listing);
}

/* -- Why: the entries on a worker, then the chain on the engine ------------------------ */

struct question {
    struct text id;
    bool is_effect;
    struct buf entries;
    int code;
    struct err err;
};

static void read_entries(struct call *call)
{
    struct question *question = call->data;
    question->code = read_explain_entries(node_log(call->api->node), question->id,
                                          &question->entries, &question->err);
}

static void ask_chain(struct engine *engine, struct call *call)
{
    struct question *question = call->data;
    struct doc entries = { question->entries.data, (uint32_t)question->entries.size };
    question->code =
        question->is_effect
            ? read_explain_effect(engine, question->id, entries, &call->out, &question->err)
            : read_explain_event(engine, question->id, entries, &call->out, &question->err);
}

static void answer_question(struct call *call)
{
    struct question *question = call->data;
    buf_deinit(&question->entries);
    if (question->code != 0)
        call_error(call, question->code, &question->err);
    else
        call_reply(call, 200, call_document(call));
}

static void have_entries(struct call *call)
{
    struct question *question = call->data;
    if (question->code != 0)
        answer_question(call);
    else
        call_ask(call, ask_chain, answer_question);
}

static void explain(struct call *call, const char *param, bool is_effect)
{
    struct question *question = arena_zero(&call->arena, sizeof *question);
    question->id = call_param(call, param);
    question->is_effect = is_effect;
    call->data = question;
    call_work(call, read_entries, have_entries);
}

static void explain_effect(struct call *call)
{
    explain(call, "id", true);
}

static void explain_entry(struct call *call)
{
    explain(call, "seq", false);
}

/* -- Deciding -------------------------------------------------------------------------- */

/* What is said of one that is gone would stay in the log, with nobody to be erased with. */
static int check_effect(struct engine *engine, const struct command *command, struct err *err)
{
    struct buf row = BUF_INIT;
    int rc = read_effect(engine, doc_text(command->data, "id"), &row, err);
    buf_deinit(&row);
    return rc;
}

static void decide(struct call *call, const char *type)
{
    struct command *command = command_about(call, type, "id", "id");
    command->check = check_effect;
    command->read = read_one;
    command_run(call);
}

static void post_release(struct call *call)
{
    decide(call, "effect.release");
}

static void post_drop(struct call *call)
{
    decide(call, "effect.drop");
}

const struct route routes_effects[] = {
    { "GET", "/v1/effects", SCOPE_READ, 0, false, get_effects,
      "Effects, the newest first: ?state= ?channel=", "state channel limit after", NULL,
      "Effect[]" },
    { "GET", "/v1/effects/{id}", SCOPE_READ, 0, false, get_effect, "One effect", NULL, NULL,
      "Effect" },
    { "GET", "/v1/effects/{id}/explain", SCOPE_READ, 0, false, explain_effect,
      "Why there is this effect", NULL, NULL, "Explanation" },
    { "GET", "/v1/entries/{seq}/explain", SCOPE_READ, 0, false, explain_entry,
      "Why there is this event, and what came of it", NULL, NULL, "Explanation" },
    { "POST", "/v1/effects/{id}/release", SCOPE_STAFF, BODY_MAX, true, post_release,
      "Send what is held or uncertain", "wait", no_fields, "Effect" },
    { "POST", "/v1/effects/{id}/drop", SCOPE_STAFF, BODY_MAX, true, post_drop,
      "Never send what is held or uncertain", "wait", reason_fields, "Effect" },
    ROUTES_END,
};
