/* plugin_template.h -- the files of plugins/sdk/template, inside of the command.
 *
 * They are real files in the tree, compiled and tested as what they become; the build turns them
 * into bytes (tools/embed.cmake), so that `kith plugin new` needs nothing but itself.  In their
 * names and in their text the word plugin_name stands for the new plugin's.
 */
#ifndef CORE_CLI_PLUGIN_TEMPLATE_H
#define CORE_CLI_PLUGIN_TEMPLATE_H

#include <stddef.h>

#define TEMPLATE_NAME "plugin_name"

struct template_file {
    const char *name; /* NULL ends the table */
    const char *text; /* not terminated */
    size_t size;
};

extern const struct template_file plugin_template[];

#endif
