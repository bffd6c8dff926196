/* config_daemon.h -- the daemon that a kith.lua is of: where it listens, and whose key it made.
 */
#ifndef CORE_CLI_CONFIG_DAEMON_H
#define CORE_CLI_CONFIG_DAEMON_H

struct buf;
struct err;

/* Append its address, and the file of its key where the configuration names its data.  Errors are
 * those of settings_load(). */
int config_daemon(const char *path, struct buf *out_url, struct buf *out_key_file, struct err *err);

#endif
