/* world.c -- see world.h. */
#include "core/server/world.h"

#include "core/base/identity_text.h"
#include "core/base/phone.h"
#include "core/base/zone.h"
#include "core/engine/engine.h"
#include "core/plugin/set.h"
#include "core/script/host.h"

#if defined __x86_64__
#define ARCHITECTURE "x86_64"
#elif defined __aarch64__
#define ARCHITECTURE "aarch64"
#else
#error "name this architecture: a NaN joined to a string differs between them"
#endif

struct doc world_code(const struct plugin_set *plugins, struct buf *out)
{
    char icu[IDENTITY_VERSION_SIZE], tzdata[ZONE_VERSION_SIZE];
    struct doc_writer w;
    identity_icu_version(icu);
    zone_tzdata_version(tzdata);
    doc_begin(&w, out);
    doc_put_int(&w, "level", ENGINE_LEVEL);
    doc_put_string(&w, "lua", script_version());
    doc_put_string(&w, "icu", icu);
    doc_put_string(&w, "tzdata", tzdata);
    doc_put_string(&w, "phone", phone_library_version());
    doc_put_string(&w, "architecture", ARCHITECTURE);
    plugin_set_put_code(plugins, &w);
    return doc_end(&w);
}
