/* life_flaky.c -- see life_flaky.h. */
#include "tests/sim/life_flaky.h"

#include "tests/sim/dice.h"

static struct {
    enum rule_outcome (*run)(struct ruleset *rules, size_t index, struct step *step,
                             struct rule_failure *out_failure);
    void (*repeat)(struct ruleset *rules, bool is_past);
    bool is_past;
    uint64_t seed, count;
} flaky;

static enum rule_outcome run(struct ruleset *rules, size_t index, struct step *step,
                             struct rule_failure *out_failure)
{
    enum rule_outcome outcome = flaky.run(rules, index, step, out_failure);
    uint64_t rarity = flaky.seed % 4 == 0 ? 2 : 16;
    bool dies = !flaky.is_past && text_is(rules->rules[index].name, "visit") &&
                dice_roll(flaky.seed, ++flaky.count, 8) % rarity == 0;
    if (!dies)
        return outcome;
    return flaky.count % 2 == 0 ? RULE_OUT_OF_MEMORY : RULE_OUT_OF_TIME;
}

static void repeat(struct ruleset *rules, bool is_past)
{
    flaky.is_past = is_past;
    flaky.repeat(rules, is_past);
}

void flaky_begin(uint64_t seed)
{
    flaky.seed = seed;
}

void flaky_make(struct ruleset *rules)
{
    flaky.run = rules->run;
    flaky.repeat = rules->repeat;
    rules->run = run;
    rules->repeat = repeat;
}

bool *flaky_is_past(void)
{
    return &flaky.is_past;
}
