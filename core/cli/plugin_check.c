/* plugin_check.c -- x */
#include "core/cli/cli.h"

int run_plugin_check(struct cli *cli)
{
    return cli_fail(cli, "no");
}
