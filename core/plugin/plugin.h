/* plugin.h -- a loaded plugin: what it says of itself, checked and copied.
 *
 * A description (plugins/sdk/kith.h) comes from somebody else's code, built with some other version
 * of the header.  Here it is read once: every struct is copied into one of ours, as many bytes as
 * both know; every name, list and number is checked; every list becomes an array.  After that
 * nobody looks at theirs again.  Texts stay where they are: code that has been loaded is never
 * unmapped.
 *
 * The file is loaded from a private copy in memory, so that whoever replaces it on the disk changes
 * nothing under our feet, and the same path loaded again is another plugin.  Every process of an
 * isolated plugin loads the same copy.
 *
 * A struct plugin is constant once plugin_load() has returned, but for its numbers, which any
 * thread may add to and read, and its secrets, which are the outside side's (plugin_reread).
 */
#ifndef CORE_PLUGIN_PLUGIN_H
#define CORE_PLUGIN_PLUGIN_H

#include "core/base/arena.h"
#include "core/base/doc.h"
#include "core/base/hash.h"
#include "plugins/sdk/kith.h"

#include <stdatomic.h>
#include <stdbool.h>

struct err;
struct kind;

/* What a plugin may have, each for itself. */
#define PLUGIN_NAME_MAX 31
#define PLUGIN_WORDS_MAX 200 /* bytes of `about` and the like */
#define PLUGIN_NEEDS_MAX 32
#define PLUGIN_FIELDS_MAX 64
#define PLUGIN_HANDLERS_MAX 64
#define PLUGIN_TYPES_MAX 64 /* of one handler */
#define PLUGIN_READS_MAX 64 /* of one function */
#define PLUGIN_FUNCTIONS_MAX 64
#define PLUGIN_TAKES_MAX 64 /* names of one function */
#define PLUGIN_STATES_MAX 32
#define PLUGIN_TRAITS_MAX 64
#define PLUGIN_KINDS_MAX 16
#define PLUGIN_CHANNELS_MAX 31 /* with those that the configuration names */
#define PLUGIN_ROUTES_MAX 64
#define PLUGIN_JOBS_MAX 32
#define PLUGIN_FILE_BYTES_MAX (64u << 20)

enum plugin_read_kind {
    PLUGIN_READ_EVENT,    /* "event": its data */
    PLUGIN_READ_FIELD,    /* "event.NAME" */
    PLUGIN_READ_CUSTOMER, /* "customer.NAME" */
    PLUGIN_READ_STATE,    /* "state.KEY" */
    PLUGIN_READ_RECORD,   /* "record.NAME" */
    PLUGIN_READ_RECORDS,  /* "records.KIND", "records.KIND?FIELD=NAME" */
};

struct plugin_read {
    enum plugin_read_kind kind;
    struct text name;        /* behind the dot */
    struct text field, said; /* behind the kind; size 0: all of them are meant */
};

struct plugin_reads {
    const struct plugin_read *items;
    size_t count;
};

struct plugin_fields {
    struct kith_field *items;
    size_t count;
};

/* What the operator wrote: plugin "NAME" { grant, isolate, config }. */
struct plugin_options {
    const char *name;
    const char *path;  /* of the file */
    int copy;          /* of plugin_copy(), which is loaded instead; 0: it is made now */
    unsigned number;   /* as which breadcrumb_name() knows it */
    struct doc grant;  /* array of texts */
    struct doc config; /* as it was written; a secret is {secret_file: PATH} */
    bool is_for_trial; /* its outside never begins: the files of secrets are not looked at */
};

struct plugin {
    const char *name, *version, *about;
    const char *path;
    int copy;        /* of the file, for another process; 0: it is loaded in this one */
    unsigned number; /* in the breadcrumb */
    uint8_t hash[DIGEST_32_BYTES]; /* of the file */
    size_t image_bytes; /* of this process that its code and data take; 0: it is loaded elsewhere */

    const char *const *needs; /* all of them are granted */
    size_t need_count;
    struct kith_field *fields;
    struct plugin_fields *tables; /* by field: what the tables of one may have */
    size_t field_count;
    struct kith_handler *handlers;
    struct plugin_reads *handler_reads; /* by handler */
    size_t handler_count;
    struct kith_function *functions;
    struct plugin_reads *function_reads; /* by function */
    size_t function_count;
    struct kith_state *states;
    size_t state_count;
    struct kith_trait *traits;
    size_t trait_count;
    struct kith_kind *kinds;
    struct kind *record_kinds; /* the same, read */
    size_t kind_count;
    struct kith_channel *channels;
    size_t channel_count;
    struct kith_route *routes;
    size_t route_count;
    struct kith_job *jobs;
    size_t job_count;
    int32_t (*start)(const struct kith_host *host, struct kith *kith, void **out_self,
                     char *reason);
    void (*stop)(void *self);
    int32_t (*erased)(void *self, uint64_t customer);
    void (*reread)(void *self);

    /* Configuration with defaults filled in: `config` for the deterministic side and the world,
     * without secrets; `secrets` for the outside, with what the files say. */
    struct doc config, secrets;
    struct doc grant, given; /* what the operator wrote, to load it again */
    bool is_for_trial;

    /* Numbers for metrics: calls into the deterministic side, how many failed, how many of these
     * were hooks of its documents, nanoseconds. */
    atomic_uint_fast64_t calls, failures, hook_failures, nanoseconds;

    struct arena arena; /* private: all of the above */
};

/* Load `options->path`, check what it says, what it needs against the grant, and its configuration.
 * E_INVALID: the file is no plugin, breaks the contract, or the configuration is wrong; E_VERSION:
 * built for another version of the contract; E_DENIED: needs that are not granted; E_IO: the file,
 * or one that a secret is in, cannot be read.  Words are for the operator, and name the plugin. */
int plugin_load(const struct plugin_options *options, struct plugin **out_plugin, struct err *err);

/* A descriptor of one's own, above 2, of `options->copy`, or of a new sealed copy of the file;
 * errors as above. */
int plugin_copy(const struct plugin_options *options, int *out_fd, struct err *err);

/* The second half: whether it is who it should be, is granted what it needs, and is configured
 * well.  Notes what it was loaded with. */
int plugin_allow(struct plugin *plugin, const struct plugin_options *options, struct err *err);

/* Nobody may be inside of it; its code stays.  NULL is allowed. */
void plugin_free(struct plugin *plugin);

/* Read a description, wherever it comes from; `plugin` is zeroed, its texts stay borrowed.  The
 * first half of plugin_load(), for those who want to know what is wrong with a file. */
int plugin_describe(struct plugin *plugin, const struct kith_plugin *theirs, struct err *err);

/* The kinds of records that it declares, when it has been configured: their declarations may stand
 * for what is in the configuration.  E_INVALID, E_LIMIT. */
int plugin_read_kinds(struct plugin *plugin, struct err *err);

bool plugin_may(const struct plugin *plugin, const char *need);     /* whether it was granted */
bool plugin_may_act(const struct plugin *plugin, struct text word); /* the same of "act:WORD" */

bool plugin_is_name(const char *name); /* small letters, digits and _, a letter first */
/* A word of Kith's own events, as whose a plugin's would be taken. */
bool plugin_is_reserved(const char *name);

/* The field of configuration whose tables name this channel; SIZE_MAX: it has a name of its own. */
size_t plugin_channel_tables(const struct plugin *plugin, size_t index);

/* Read the files of secrets anew: plugin->secrets is another document where one has changed, and
 * *out_is_changed says so; that of before stays as it is.  E_INVALID, E_IO: all stays. */
int plugin_reread(struct plugin *plugin, bool *out_is_changed, struct err *err);

/* The place of the state, trait `name` in its list; SIZE_MAX: it has none. */
size_t plugin_state_find(const struct plugin *plugin, struct text name);
size_t plugin_trait_find(const struct plugin *plugin, struct text name);

#endif
