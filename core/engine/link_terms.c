/* link_terms.c -- see link_terms.h. */
#include "core/engine/link_terms.h"

#include "core/base/limits.h"
#include "core/engine/event.h"

static const char *wrong_event(struct doc terms)
{
    struct text type = doc_text(terms, "event");
    if (type.size > TYPE_BYTES_MAX)
        return "the name of an event has at most 128 bytes";
    if (event_type_is_system(type))
        return "an event of this name is the system's own: a link cannot append it";
    if (doc_child(terms, "data").size > LINK_DATA_BYTES_MAX)
        return "the data of a link has at most 1 KiB: name what it is about instead";
    return NULL;
}

static const char *wrong_consent(struct doc terms)
{
    struct text purpose = doc_text(terms, "purpose"), channel = doc_text(terms, "channel");
    struct text state = doc_text(terms, "state");
    if (purpose.size == 0 || channel.size == 0)
        return "a consent needs both \"purpose\" and \"channel\"";
    if (purpose.size > NAME_BYTES_MAX || channel.size > NAME_BYTES_MAX)
        return "\"purpose\" and \"channel\" have at most 128 bytes";
    if (state.size != 0 && !text_is(state, "granted") && !text_is(state, "withdrawn"))
        return "\"state\" is granted or withdrawn, which it is when it is left out";
    if (doc_child(terms, "data").data != NULL)
        return "only an \"event\" has \"data\"";
    return NULL;
}

const char *link_terms_wrong(struct doc terms)
{
    bool is_event = doc_text(terms, "event").size != 0;
    bool is_consent = doc_text(terms, "purpose").size + doc_text(terms, "channel").size +
                          doc_text(terms, "state").size !=
                      0;
    if (is_event == is_consent)
        return "a link is for an \"event\", or for a consent: \"purpose\" and \"channel\"";
    if (doc_text(terms, "title").size > NAME_BYTES_MAX)
        return "the title of a link has at most 128 bytes";
    return is_event ? wrong_event(terms) : wrong_consent(terms);
}

bool link_terms_are_withdrawal(struct doc terms)
{
    return doc_text(terms, "event").size == 0 && !text_is(doc_text(terms, "state"), "granted");
}
