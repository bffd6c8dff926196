/* dice.h -- choices that a seed repeats.
 *
 * A choice is a pure function of the seed and of what it is about (the number of a
 * call, of a write, of a sector), not of how many choices were made before it.  So
 * a run that is cut short, or that asks in another order, still decides the same
 * way where it is the same.
 */
#ifndef TESTS_SIM_DICE_H
#define TESTS_SIM_DICE_H

#include <stdint.h>

/* Spread every bit of `word` over all 64; a bijection without a fixed pattern. */
static inline uint64_t dice_mix(uint64_t word)
{
    word ^= word >> 32;
    word *= 0xd6e8feb86659fd93u;
    word ^= word >> 32;
    word *= 0xd6e8feb86659fd93u;
    return word ^ word >> 32;
}

static inline uint64_t dice_roll(uint64_t seed, uint64_t about, uint64_t aspect)
{
    const uint64_t odd = 0x9e3779b97f4a7c15u; /* keeps a seed of 0 from giving 0 */
    return dice_mix(dice_mix(dice_mix(seed + odd) + about + odd) + aspect + odd);
}

#endif
