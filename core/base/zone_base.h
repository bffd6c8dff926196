/* zone_base.h -- a zone data base: a directory of files, read into memory as a whole.
 *
 * Reading takes what is there; only zone_base_table() and zone_base_version() look
 * into it.  A data base never changes once read and may be used from any thread.
 */
#ifndef CORE_BASE_ZONE_BASE_H
#define CORE_BASE_ZONE_BASE_H

#include "core/base/zone_table.h"

struct buf;
struct err;

#define ZONE_BASE_NAMES_MAX 1024
#define ZONE_BASE_FOLDERS_MAX 64
#define ZONE_BASE_FILE_BYTES_MAX (64u << 10) /* the largest of 2025 has 4 KiB */
#define ZONE_RELEASE_SIZE 15                 /* "2025b", and room for a preliminary one */

struct zone_base_name {
    char text[ZONE_NAME_SIZE];
    size_t file; /* several names may be of one */
};

struct zone_base {
    char *dir;
    char release[ZONE_RELEASE_SIZE]; /* "" if the directory does not tell */
    struct zone_base_name *names;    /* sorted */
    size_t name_count;               /* at least 1 */
    struct zone_base_file *files;
    size_t file_count;
    uint8_t *content; /* of all files */
};

/* Read all zones below `dir`.  Not taken for zones are files of text, and whatever
 * has a small letter or none at the beginning of a part of its name.  The caller ends
 * *out_base with zone_base_deinit().  Fails with E_IO or E_LIMIT; the reason begins
 * with the path. */
int zone_base_read(const char *dir, struct zone_base *out_base, struct err *err);
void zone_base_deinit(struct zone_base *base);

/* The place of a name among the names; false if there is none of exactly this text. */
bool zone_base_find(const struct zone_base *base, const char *text, size_t *out_index);

/* Make the table of a zone, in an empty `table`.  Fails as zone_tzif_read() does; the
 * reason begins with the path. */
int zone_base_table(const struct zone_base *base, size_t index, struct buf *table, struct err *err);

/* What zone_tzdata_version() says.  Makes each table once and fails as that does. */
int zone_base_version(const struct zone_base *base, char out_version[ZONE_VERSION_SIZE],
                      struct err *err);

#endif
