/* templates.h -- the templates of a bundle: templates/NAME.CHANNEL.LOCALE.md and their like.
 *
 *     templates/welcome.email.md       for everybody whose language there is no other for
 *     templates/welcome.email.de.md    in German
 *     templates/footer.md              for every channel
 *     templates/legal/imprint.md       called legal/imprint
 *
 * A file may begin with fields between two lines of three hyphens; below them is the body.
 *
 *     ---
 *     subject: We miss you, {{customer.name}}
 *     ---
 *     It has been a while ...
 *
 * A name that is unknown to all templates is a mistake of whoever wrote it, found here: a partial
 * that is nowhere, two files for the same.  The thread that has the ruleset.
 */
#ifndef CORE_SCRIPT_TEMPLATES_H
#define CORE_SCRIPT_TEMPLATES_H

#include "core/base/doc.h"

struct arena;
struct buf;
struct err;
struct ruleset;

/* Read those among the files of a bundle into the ruleset; all they need lies in the arena, only
 * rules->templates is to be freed.  `scratch` is overwritten.  E_INVALID, E_LIMIT:
 * "file:line:column: reason". */
int templates_read(struct doc files, struct arena *arena, struct buf *scratch,
                   struct ruleset *rules, struct err *err);

/* Append `no template is called "wellcome"; did you mean "welcome"?`, or what there is. */
void templates_explain(const struct ruleset *rules, struct text name, struct arena *arena,
                       struct buf *out);

#endif
