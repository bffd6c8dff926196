/* search.c -- `bench search CUSTOMERS`: how long a clerk waits for who it is.
 *
 * Identify calls of made-up people go through the engine into a state, a third of them with
 * Chinese names; then queries of all kinds are asked of its snapshot, as the daemon does on a
 * worker, each kind for itself and all together.  Names are drawn as names are: few are
 * everybody's, most are rare; every tenth surname is made of syllables and nearly nobody's.
 *
 *     identify    what such a call costs the engine, the index included
 *     again       the same call with the same traits: nothing is to be kept up
 */
#include "core/base/clock.h"
#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/engine/engine.h"
#include "core/engine/read.h"
#include "storage/log.h"
#include "storage/state.h"
#include "tests/bench/bench.h"
#include "tests/bench/samples.h"
#include "tests/bench/store.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOGGED_MS 1793145600000ll
#define AGAIN_MAX 100000
#define QUERIES 2000 /* of each kind */
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* -- People ---------------------------------------------------------------------------------- */

static const char *const given[] = {
    "Anna",     "Maria",  "Peter",  "Michael",  "Thomas", "Sabine", "Jürgen",  "Klaus",  "Ursula",
    "Stefan",   "Andrea", "Martin", "Petra",    "Daniel", "Julia",  "Susanne", "Hannah", "Johanna",
    "Marianne", "Ian",    "Zoë",    "François", "Chloé",  "Łukasz", "Søren",   "Åse",    "Björn",
    "Günther",  "Renate", "Sophie", "Emma",     "Liam",   "Olivia", "Noah",    "Ivan",   "Olga",
};
static const char *const surnames[] = {
    "Müller",  "Schmidt", "Schneider", "Fischer", "Weber",       "Meyer",      "Wagner",
    "Becker",  "Schulz",  "Hoffmann",  "Schäfer", "Koch",        "Bauer",      "Richter",
    "Klein",   "Wolf",    "Schröder",  "Neumann", "Schwarz",     "Zimmermann", "Braun",
    "Krüger",  "Hofmann", "Hartmann",  "Lange",   "Goldschmidt", "Werner",     "Krause",
    "Lehmann", "Köhler",  "Groß",      "O'Neil",  "Smith",       "Jones",      "Taylor",
    "Brown",   "Nowak",   "Kowalski",  "Silva",   "Rossi",
};
static const char *const hans[] = {
    "王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "徐", "孙",   "马",   "朱",
    "胡", "郭", "何", "林", "高", "罗", "单", "曾", "解", "查", "吕", "欧阳", "尉迟",
};
static const char *const characters[] = {
    "小", "明", "伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟",
    "涛", "超", "霞", "平", "刚", "桂", "英", "华", "玉", "兰", "红", "建", "国", "文", "志", "宇",
};
static const char *const syllables[] = {
    "ba", "ko", "ren", "stei", "lu", "mar", "tin", "scho", "wa", "del", "vor", "ga", "nik", "pel",
};

struct person {
    char name[96], email[120], phone[24], user[24];
};

static uint64_t dice_state;

static size_t roll(size_t sides)
{
    dice_state ^= dice_state << 13;
    dice_state ^= dice_state >> 7;
    dice_state ^= dice_state << 17;
    return (size_t)(dice_state >> 11) % sides;
}

/* The first of a list is much more frequent than its last. */
static size_t roll_low(size_t sides)
{
    size_t a = roll(sides), b = roll(sides);
    return a < b ? a : b;
}

static void make_latin(struct person *person, size_t number)
{
    char surname[40];
    if (roll(10) != 0)
        snprintf(surname, sizeof surname, "%s", surnames[roll_low(COUNT(surnames))]);
    else
        snprintf(surname, sizeof surname, "%s%s%s", syllables[roll(COUNT(syllables))],
                 syllables[roll(COUNT(syllables))], syllables[roll(COUNT(syllables))]);
    snprintf(person->name, sizeof person->name, "%s %s", given[roll_low(COUNT(given))], surname);
    snprintf(person->email, sizeof person->email, "%c.%zu@firm%zu.example", 'a' + (int)roll(26),
             number, roll(5000));
}

static void make_chinese(struct person *person, size_t number)
{
    snprintf(person->name, sizeof person->name, "%s%s%s", hans[roll_low(COUNT(hans))],
             characters[roll_low(COUNT(characters))],
             roll(4) != 0 ? characters[roll_low(COUNT(characters))] : "");
    snprintf(person->email, sizeof person->email, "%zu@post%zu.example", number, roll(50));
}

/* The same number is the same person. */
static void make_person(struct person *person, size_t number)
{
    dice_state = 0x9e3779b97f4a7c15u * (number + 1);
    roll(2);
    if (number % 3 == 0)
        make_chinese(person, number);
    else
        make_latin(person, number);
    snprintf(person->user, sizeof person->user, "u-%zu", number);
    snprintf(person->phone, sizeof person->phone, "+4917%09zu", roll(1000000000));
}

/* -- The state ------------------------------------------------------------------------------- */

static void identify(struct engine *engine, const struct person *person, struct buf *body)
{
    struct doc_writer w;
    struct engine_result result;
    buf_clear(body);
    doc_begin(&w, body);
    doc_put_string(&w, "type", "identify");
    doc_put_string(&w, "call", "identify");
    doc_put_string(&w, "user", person->user);
    doc_open(&w, "data");
    doc_put_string(&w, "name", person->name);
    doc_put_string(&w, "email", person->email);
    doc_put_string(&w, "phone", person->phone);
    doc_close(&w);
    struct doc doc = doc_end(&w);
    struct log_entry entry = { .seq = engine_seq(engine) + 1,
                               .logged = LOGGED_MS + (int64_t)engine_seq(engine),
                               .class = LOG_CLIENT,
                               .body = doc.data,
                               .size = doc.size };
    engine_apply(engine, &entry, &result);
}

static void identify_all(struct engine *engine, struct state *state, size_t count, const char *name)
{
    struct stopwatch watch = { 0 }, checkpoint = { 0 };
    struct person person;
    struct buf body = BUF_INIT;
    for (size_t i = 0; i < count; i++) {
        make_person(&person, i);
        stopwatch_start(&watch);
        identify(engine, &person, &body);
        stopwatch_stop(&watch);
        if (state_wants_freeze(state) || i + 1 == count) {
            stopwatch_start(&checkpoint);
            store_checkpoint(state, engine);
            stopwatch_stop(&checkpoint);
        }
    }
    stopwatch_print(&watch, name, count);
    stopwatch_print(&checkpoint, "  its checkpoints", count);
    buf_deinit(&body);
}

/* -- Queries --------------------------------------------------------------------------------- */

struct kind {
    const char *name;
    void (*make)(const struct person *person, char *query, size_t size);
};

static void first_bytes(const char *text, size_t letters, char *query, size_t size)
{
    size_t at = 0;
    for (; text[at] != '\0' && at + 1 < size; at++) {
        bool is_start = ((uint8_t)text[at] & 0xc0) != 0x80;
        if (is_start && letters-- == 0)
            break;
        query[at] = text[at];
    }
    query[at] = '\0';
}

static void one_letter(const struct person *person, char *query, size_t size)
{
    first_bytes(person->name, 1, query, size);
}

static void two_letters(const struct person *person, char *query, size_t size)
{
    first_bytes(person->name, 2, query, size);
}

static void whole_name(const struct person *person, char *query, size_t size)
{
    snprintf(query, size, "%s", person->name);
}

static void name_and_number(const struct person *person, char *query, size_t size)
{
    first_bytes(person->name, 5, query, size - 5);
    snprintf(query + strlen(query), 6, " %s", person->phone + strlen(person->phone) - 4);
}

static void inside(const struct person *person, char *query, size_t size)
{
    size_t length = strlen(person->name), at = length / 2;
    while (at != 0 && ((uint8_t)person->name[at] & 0xc0) == 0x80)
        at--;
    first_bytes(person->name + at, 4, query, size);
}

static void end_of_number(const struct person *person, char *query, size_t size)
{
    snprintf(query, size, "%s", person->phone + strlen(person->phone) - 4 - roll(3));
}

static void address(const struct person *person, char *query, size_t size)
{
    first_bytes(strchr(person->email, '@') + 1, 7, query, size);
}

static void reading(const struct person *person, char *query, size_t size)
{
    static const char *const readings[] = { "wang", "wangxiao", "li m", "zhangwei", "xiaoming",
                                            "wxm",  "lm",       "zeng", "yuchi",    "x" };
    (void)person;
    snprintf(query, size, "%s", readings[roll(COUNT(readings))]);
}

static void two_words(const struct person *person, char *query, size_t size)
{
    (void)person;
    snprintf(query, size, "%s %s", surnames[roll(COUNT(surnames))], given[roll(COUNT(given))]);
}

static void nobody(const struct person *person, char *query, size_t size)
{
    (void)person;
    snprintf(query, size, "%s qx%zu", surnames[roll_low(COUNT(surnames))], roll(1000));
}

static const struct kind kinds[] = {
    { "one letter", one_letter },      { "two letters", two_letters },
    { "the name", whole_name },        { "name, end of number", name_and_number },
    { "inside a name", inside },       { "end of a number", end_of_number },
    { "part of an address", address }, { "reading, initials", reading },
    { "two words", two_words },        { "nobody's", nobody },
};

static int64_t cpu_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

struct answers {
    struct samples wall, cpu; /* cpu: what of it no other process took */
};

static void ask(struct snapshot *snapshot, const char *query, struct samples *own,
                struct answers *all)
{
    const struct read_page page = { .limit = 50 };
    struct buf out = BUF_INIT;
    struct err err = { 0 };
    int64_t start = clock_ns(), cpu_start = cpu_ns();
    bench_check(read_search(snapshot, text_of(query), &page, &out, &err), &err);
    samples_add(&all->cpu, cpu_ns() - cpu_start);
    int64_t ns = clock_ns() - start;
    samples_add(own, ns);
    samples_add(&all->wall, ns);
    buf_deinit(&out);
}

static void ask_all(struct state *state, size_t customers)
{
    struct snapshot *snapshot = NULL;
    struct answers all = { 0 };
    struct err err = { 0 };
    char query[120];
    bench_check(snapshot_open(state, &snapshot, &err), &err);
    for (size_t k = 0; k < COUNT(kinds); k++) {
        struct samples own = { 0 };
        struct person person;
        for (size_t i = 0; i < QUERIES; i++) {
            make_person(&person, i * 7919 % customers);
            kinds[k].make(&person, query, sizeof query);
            ask(snapshot, query, &own, &all);
        }
        samples_print(&own, kinds[k].name);
        samples_deinit(&own);
    }
    samples_print(&all.wall, "search");
    samples_print(&all.cpu, "search, cpu alone");
    samples_deinit(&all.wall);
    samples_deinit(&all.cpu);
    snapshot_close(snapshot);
}

/* -- The mode -------------------------------------------------------------------------------- */

static void run(size_t customers, const char *data, const char *rules)
{
    char dir[4096];
    struct err err = { 0 };
    struct state_stats stats;
    snprintf(dir, sizeof dir, "%s/log", data);
    struct log *log = store_open_log(dir);
    store_begin(log, LOGGED_MS, rules);
    bench_check(log_commit(log, 0, &err), &err);
    snprintf(dir, sizeof dir, "%s/state", data);
    struct state *state = store_open_state(dir);
    struct engine *engine = store_open_engine(log, state, false);
    identify_all(engine, state, customers, "identify");
    identify_all(engine, state, customers < AGAIN_MAX ? customers : AGAIN_MAX, "again");
    state_stats(state, &stats);
    printf("%-24s %8.1f bytes/customer of state\n", "size",
           (double)stats.used_bytes / (double)customers);
    ask_all(state, customers);
    engine_close(engine);
    state_close(state);
    log_close(log);
}

int bench_search(int argc, char **argv)
{
    static const struct option options[] = {
        { "rules", 1, NULL, 'r' },
        { "data", 1, NULL, 'd' },
        { NULL, 0, NULL, 0 },
    };
    const char *rules = "tests/bench/rules", *data = NULL;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'r')
            rules = optarg;
        else if (option == 'd')
            data = optarg;
        else
            return 2;
    }
    if (optind + 1 != argc || data == NULL)
        bench_die("search CUSTOMERS --data DIR: an empty directory for log and state");
    run(bench_number(argv[optind], "CUSTOMERS"), data, rules);
    return 0;
}
