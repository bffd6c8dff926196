/* test_plugin_name.c -- what plugin_name.c does, tried with an engine that only remembers.
 *
 * A function of the deterministic side gets what it knows from a table, and tells what it wants
 * through the same table.  So a test is a table of its own and a look at what was wanted.  That the
 * contract is kept (bad input, determinism, limits) is what `kith plugin check` tries.
 */
#include <kith.h>

#include <stdio.h>
#include <stdlib.h>

#define CHECK(is_so)                                                            \
    do {                                                                        \
        if (!(is_so)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #is_so); \
            exit(1);                                                            \
        }                                                                       \
    } while (0)

#define READS 16

struct kith_call { /* what it is given, and what it wanted */
    struct kith_doc config, arguments;
    struct kith_value values[READS]; /* by their places in `reads`; zero: there is none */
    unsigned char kept[256];
    size_t kept_size;
    int64_t published, answered;
    int emitted;
};

static int32_t read_value(struct kith_call *call, uint32_t index, struct kith_value *out)
{
    CHECK(index < READS);
    *out = call->values[index];
    return KITH_OK;
}

static int32_t state(struct kith_call *call, const char *key, struct kith_doc *out)
{
    (void)key;
    out->data = call->kept;
    out->size = call->kept_size;
    return KITH_OK;
}

static int32_t config(struct kith_call *call, struct kith_doc *out)
{
    *out = call->config;
    return KITH_OK;
}

static int32_t arguments(struct kith_call *call, struct kith_doc *out)
{
    *out = call->arguments;
    return KITH_OK;
}

static int32_t keep(struct kith_call *call, const char *key, struct kith_doc doc)
{
    CHECK(strcmp(key, "visits") == 0 && doc.size <= sizeof call->kept);
    memcpy(call->kept, doc.data, doc.size);
    call->kept_size = doc.size;
    return KITH_OK;
}

static int32_t publish(struct kith_call *call, const char *name, const struct kith_value *value)
{
    if (strcmp(name, "visits") == 0)
        call->published = kith_as_int(value, -1);
    return KITH_OK;
}

static int32_t emit(struct kith_call *call, const char *name, struct kith_doc data,
                    struct kith_text to)
{
    CHECK(strcmp(name, "regular") == 0 && to.size == 0 && kith_get_int(data, "visits", 0) != 0);
    call->emitted++;
    return KITH_OK;
}

static int32_t answer(struct kith_call *call, const struct kith_value *value)
{
    call->answered = kith_get_int(kith_as_doc(value), "count", -1);
    return KITH_OK;
}

/* What is not here is NULL: who calls more of it adds what the test is to make of that. */
static const struct kith_engine engine = { .size = sizeof engine,
                                           .read = read_value,
                                           .state = state,
                                           .config = config,
                                           .arguments = arguments,
                                           .keep = keep,
                                           .publish = publish,
                                           .emit = emit,
                                           .answer = answer };

static void visits_are_counted_and_the_tenth_is_told_once(void)
{
    struct kith_call call = { 0 };
    for (int visit = 1; visit <= 20; visit++) {
        CHECK(kith_describe()->handlers[0]->run(&engine, &call) == KITH_OK);
        CHECK(call.published == visit);
        CHECK(call.emitted == (visit >= 10));
    }
}

static void two_who_are_one_have_come_as_often_as_both(void)
{
    char room[256];
    struct kith_writer w;
    struct kith_call call = { 0 };

    kith_begin(&w, room, sizeof room);
    kith_open(&w, "survivor");
    kith_put_int(&w, "count", 4);
    kith_close(&w);
    kith_open(&w, "absorbed");
    kith_put_int(&w, "count", 3);
    kith_close(&w);
    call.arguments = kith_end(&w);
    CHECK(kith_describe()->states[0]->merge(&engine, &call) == KITH_OK);
    CHECK(call.answered == 7);
}

static void after_a_merge_what_is_kept_is_published(void)
{
    struct kith_call call = { .published = -1 };
    CHECK(kith_describe()->handlers[1]->run(&engine, &call) == KITH_OK);
    CHECK(call.published == -1); /* neither has come yet */
    for (int visit = 1; visit <= 7; visit++)
        CHECK(kith_describe()->handlers[0]->run(&engine, &call) == KITH_OK);
    call.published = 3; /* by one of the two, before */
    CHECK(kith_describe()->handlers[1]->run(&engine, &call) == KITH_OK);
    CHECK(call.published == 7);
}

int main(void)
{
    visits_are_counted_and_the_tenth_is_told_once();
    two_who_are_one_have_come_as_often_as_both();
    after_a_merge_what_is_kept_is_published();
    puts("plugin_name: 3 passed, 0 failed");
    return 0;
}
