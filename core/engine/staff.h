/* staff.h -- who does a piece of work: people, teams, deputies.
 *
 * Work is addressed to a person, to a team ("team:service", or its name alone), to "owner", or to
 * nobody.  What comes of it is a duty: in whose list it stands, whose it is while a deputy
 * has it, and why.  docs/teams.md has the rules in words for those who rely on them.
 *
 * Everything follows from rows of staff (table `s`), of membership (`M`) and of turns (`L`), and
 * from the engine's now: the same in every replay.  Texts lie in the engine's arena.  Engine
 * thread only.
 */
#ifndef CORE_ENGINE_STAFF_H
#define CORE_ENGINE_STAFF_H

#include "core/base/doc.h"

struct customer;
struct engine;
struct err;
struct step;

struct duty {
    struct text holder; /* in whose list it stands: a person or a team's; empty: nobody's */
    struct text of;     /* whose it is, while a deputy has it; else empty */
    struct text why;    /* in words; empty: there was nothing to decide */
};

/* -- staff.c -------------------------------------------------------------- */
/* The row of a person or a team, in the arena; none: nobody is called so. */
struct doc staff_row(struct engine *engine, struct text name);
/* Whether `to` names somebody on the staff, or a team. */
bool staff_is_known(struct engine *engine, struct text to);
/* False: nobody has said yet who works here. */
bool staff_has_any(struct engine *engine);

/* -- absence.c ------------------------------------------------------------ */
#define STAFF_NO_DUE INT64_MIN /* what is wanted now */
/* Work for `to` that is due at `due`, or STAFF_NO_DUE.  Where a team takes turns, one is taken. */
struct duty staff_assign(struct engine *engine, struct text to, const struct customer *customer,
                         int64_t due);
/* Whether `name` is away now, and until when. */
bool staff_is_away(struct engine *engine, struct text name, int64_t *out_until);
/* The record of `name` is new: whoever has work of hers is looked at again, now and whenever an
 * absence begins or ends. */
void absence_arm(struct engine *engine, struct text name, struct doc before, struct doc now);
void absence_disarm(struct engine *engine, struct text name);
void absence_fire(struct engine *engine, struct doc timer);
void command_staff_absent(struct step *step); /* {name, from, until, deputy} */
void command_staff_back(struct step *step);   /* {name, from}: that absence, or all, have ended */
/* Fields of an absence: E_INVALID, E_LIMIT. */
int absence_check(struct doc absence, struct err *err);

/* -- reminder.c ----------------------------------------------------------- */
/* Give the task `number` to whoever has it by now.  `is_anew`: also if a deputy who is there has
 * it. */
void reminder_settle(struct engine *engine, uint64_t number, bool is_anew);

/* -- team.c --------------------------------------------------------------- */
/* The name without "team:"; *out_is_team: it had it. */
struct text team_name(struct text to, bool *out_is_team);
/* Whether a record is a team's: it has members, be they none, or a way of assigning. */
bool team_is_record(struct doc record);
/* Whether there is such a team: its record says so, or who belongs to it. */
bool team_is_known(struct engine *engine, struct text name);
/* Whether it gives its work to its members by itself; else it waits in the team's list. */
bool team_assigns(struct engine *engine, struct text name);
/* Who of those that are there gets the next piece of work; empty: nobody is there. *out_why is
 * set in both cases. */
struct team_choice {
    struct text team;
    const struct customer *customer;
    bool takes_turn; /* else it is only looked */
};
struct text team_choose(struct engine *engine, const struct team_choice *choice,
                        struct text *out_why);
bool team_has_member(struct engine *engine, struct text team, struct text name);
/* Membership as the records of `name` say it.  E_LIMIT: a team has TEAM_MEMBERS_MAX. */
int team_check_members(struct engine *engine, struct text name, struct doc now, struct err *err);
void team_index(struct engine *engine, struct text name, struct doc before, struct doc now);
int team_check_way(struct doc staff, struct err *err);
/* One open task more, or less, in somebody's list. */
void team_count(struct engine *engine, struct text holder, int change);

#endif
