/* xml.c -- events of libxml2's parser become rows of a table.
 *
 * Rows and texts live in two blocks that grow; a row holds offsets, since a block may move.  Row
 * 0 and offset 0 stand for "none".  The parser is stopped from within its own callbacks at the
 * first breach; what was already said then stays the reason.
 */
#include "xml.h"

#include "buffer.h"
#include "fault.h"
#include "utf8.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <stdlib.h>
#include <string.h>

struct element {
    size_t space, name, text; /* offsets into texts */
    unsigned parent, first, last, next;
    unsigned attribute; /* the first of its attributes, XML_NONE for none */
};

struct attribute {
    size_t name, value;
    unsigned next;
};

struct xml {
    struct element *elements;
    struct attribute *attributes;
    unsigned element_count, element_room, attribute_count, attribute_room;
    struct buffer texts;
    struct buffer said; /* the text of the element that is open, so far */
    unsigned open, depth;
    xmlParserCtxtPtr parser;
    struct fault *fault;
    int rc;
};

static void stop(struct xml *xml, int rc)
{
    if (xml->rc == 0)
        xml->rc = rc;
    xmlStopParser(xml->parser);
}

/* Room for one more row of `size` bytes; row 0 is there from the first one on. */
static bool grow(void **rows, size_t size, unsigned count, unsigned *room)
{
    if (count < *room)
        return true;
    unsigned wanted = *room == 0 ? 64 : *room * 2;
    void *moved = realloc(*rows, wanted * size);
    if (moved == NULL)
        return false;
    memset((char *)moved + *room * size, 0, (wanted - *room) * size);
    *rows = moved;
    *room = wanted;
    return true;
}

static size_t save(struct xml *xml, const char *text, size_t size)
{
    size_t at = xml->texts.size;
    buffer_append(&xml->texts, text, size);
    buffer_byte(&xml->texts, '\0');
    return at;
}

/* ---- What the parser says --------------------------------------------------------------- */

static void add_attribute(struct xml *xml, struct element *element, const xmlChar **said)
{
    const char *value = (const char *)said[3], *end = (const char *)said[4];
    if (said[2] != NULL)
        return; /* of some namespace: none that we know has attributes */
    if (!grow((void **)&xml->attributes, sizeof *xml->attributes, xml->attribute_count,
              &xml->attribute_room)) {
        stop(xml, fault_set(xml->fault, FAULT_MEMORY, "no memory for the XML of the request"));
        return;
    }
    struct attribute *attribute = &xml->attributes[xml->attribute_count];
    attribute->name = save(xml, (const char *)said[0], strlen((const char *)said[0]));
    attribute->value = save(xml, value, (size_t)(end - value));
    attribute->next = element->attribute;
    element->attribute = xml->attribute_count++;
}

static void link_child(struct xml *xml, unsigned child)
{
    struct element *parent = &xml->elements[xml->open];
    if (parent->last == XML_NONE)
        parent->first = child;
    else
        xml->elements[parent->last].next = child;
    parent->last = child;
    xml->elements[child].parent = xml->open;
}

static bool is_within_limits(struct xml *xml, const char *name, const char *space)
{
    if (xml->depth == XML_DEPTH_MAX)
        stop(xml, fault_set(xml->fault, FAULT_LIMIT, "XML nested deeper than %d", XML_DEPTH_MAX));
    else if (xml->element_count > XML_ELEMENTS_MAX)
        stop(xml,
             fault_set(xml->fault, FAULT_LIMIT, "XML of more than %d elements", XML_ELEMENTS_MAX));
    else if (strlen(name) > XML_NAME_MAX || strlen(space) > XML_NAME_MAX)
        stop(xml, fault_set(xml->fault, FAULT_LIMIT, "a name in XML of more than %d bytes",
                            XML_NAME_MAX));
    else if (!grow((void **)&xml->elements, sizeof *xml->elements, xml->element_count,
                   &xml->element_room))
        stop(xml, fault_set(xml->fault, FAULT_MEMORY, "no memory for the XML of the request"));
    return xml->rc == 0;
}

static void on_start(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *space,
                     int space_count, const xmlChar **spaces, int attribute_count,
                     int default_count, const xmlChar **attributes)
{
    (void)prefix, (void)space_count, (void)spaces, (void)default_count;
    struct xml *xml = arg;
    const char *own_name = (const char *)name;
    const char *own_space = space == NULL ? "" : (const char *)space;
    if (xml->rc != 0 || !is_within_limits(xml, own_name, own_space))
        return;
    unsigned child = xml->element_count++;
    struct element *element = &xml->elements[child];
    *element = (struct element){ 0 };
    element->name = save(xml, own_name, strlen(own_name));
    element->space = save(xml, own_space, strlen(own_space));
    for (int i = 0; i < attribute_count && xml->rc == 0; i++)
        add_attribute(xml, element, attributes + (ptrdiff_t)5 * i);
    link_child(xml, child);
    xml->open = child;
    xml->depth++;
    xml->said.size = 0;
}

static void on_end(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *space)
{
    (void)name, (void)prefix, (void)space;
    struct xml *xml = arg;
    if (xml->rc != 0 || xml->open == XML_NONE)
        return;
    struct element *element = &xml->elements[xml->open];
    if (element->first == XML_NONE && xml->said.size > 0)
        element->text = save(xml, xml->said.data, xml->said.size);
    xml->said.size = 0;
    xml->open = element->parent;
    xml->depth--;
}

static void on_text(void *arg, const xmlChar *text, int size)
{
    struct xml *xml = arg;
    if (xml->rc == 0 && size > 0)
        buffer_append(&xml->said, text, (size_t)size);
}

/* Called at the name of a DOCTYPE, before anything that it declares. */
static void on_doctype(void *arg, const xmlChar *name, const xmlChar *external,
                       const xmlChar *system)
{
    (void)name, (void)external, (void)system;
    struct xml *xml = arg;
    stop(xml,
         fault_set(xml->fault, FAULT_UNSUPPORTED, "the XML has a DOCTYPE; send it without one"));
}

static void on_error(void *arg, xmlErrorPtr error)
{
    struct xml *xml = arg;
    if (error->level < XML_ERR_ERROR || xml->rc != 0)
        return;
    const char *message = error->message == NULL ? "not well-formed" : error->message;
    xml->rc = fault_set(xml->fault, FAULT_INVALID, "XML, line %d: %.*s", error->line,
                        (int)strcspn(message, "\n"), message);
}

/* ---- Reading ---------------------------------------------------------------------------- */

/* The parser compares the attributes of an element each with each, so that a hundred thousand of
 * them cost minutes.  An attribute has an '=' and no '<'. */
static bool has_few_attributes(const char *body, size_t size)
{
    unsigned equals = 0;
    for (size_t i = 0; i < size && equals <= XML_EQUALS_MAX; i++)
        equals = body[i] == '<' ? 0 : equals + (body[i] == '=');
    return equals <= XML_EQUALS_MAX;
}

static int parse(struct xml *xml, const char *body, size_t size)
{
    xmlSAXHandler handler = {
        .internalSubset = on_doctype,
        .characters = on_text,
        .cdataBlock = on_text,
        .initialized = XML_SAX2_MAGIC,
        .startElementNs = on_start,
        .endElementNs = on_end,
        .serror = on_error,
    };
    xml->parser = xmlCreatePushParserCtxt(&handler, xml, NULL, 0, NULL);
    if (xml->parser == NULL)
        return fault_set(xml->fault, FAULT_MEMORY, "no memory for the XML of the request");
    xmlCtxtUseOptions(xml->parser, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC);
    xmlSwitchEncoding(xml->parser, XML_CHAR_ENCODING_UTF8);
    xmlParseChunk(xml->parser, body, (int)size, 1);
    bool is_good = xml->parser->wellFormed != 0;
    xmlFreeDoc(xml->parser->myDoc);
    xmlFreeParserCtxt(xml->parser);
    xml->parser = NULL;
    if (xml->rc != 0)
        return xml->rc;
    if (buffer_is_broken(&xml->texts) || buffer_is_broken(&xml->said))
        return fault_set(xml->fault, FAULT_MEMORY, "no memory for the XML of the request");
    if (!is_good || xml->elements[0].first == XML_NONE)
        return fault_set(xml->fault, FAULT_INVALID, "the XML is not well-formed");
    return 0;
}

int xml_read(const char *body, size_t size, struct xml **out_xml, struct fault *fault)
{
    if (size > XML_SIZE_MAX)
        return fault_set(fault, FAULT_LIMIT, "XML of %zu bytes, at most %u", size, XML_SIZE_MAX);
    if (!has_few_attributes(body, size))
        return fault_set(fault, FAULT_LIMIT, "more than %d '=' in one place of the XML",
                         XML_EQUALS_MAX);
    struct xml *xml = calloc(1, sizeof *xml);
    bool is_ready =
        xml != NULL &&
        grow((void **)&xml->elements, sizeof *xml->elements, 0, &xml->element_room) &&
        grow((void **)&xml->attributes, sizeof *xml->attributes, 0, &xml->attribute_room);
    if (!is_ready) {
        xml_free(xml);
        return fault_set(fault, FAULT_MEMORY, "no memory for the XML of the request");
    }
    xml->element_count = xml->attribute_count = 1;
    xml->fault = fault;
    save(xml, "", 0);
    int rc = parse(xml, body, size);
    if (rc != 0) {
        xml_free(xml);
        return rc;
    }
    *out_xml = xml;
    return 0;
}

void xml_free(struct xml *xml)
{
    if (xml == NULL)
        return;
    free(xml->elements);
    free(xml->attributes);
    buffer_deinit(&xml->texts);
    buffer_deinit(&xml->said);
    free(xml);
}

/* ---- Walking ---------------------------------------------------------------------------- */

unsigned xml_root(const struct xml *xml)
{
    return xml->elements[0].first;
}

unsigned xml_first(const struct xml *xml, unsigned element)
{
    return element == XML_NONE ? XML_NONE : xml->elements[element].first;
}

unsigned xml_next(const struct xml *xml, unsigned element)
{
    return element == XML_NONE ? XML_NONE : xml->elements[element].next;
}

const char *xml_space(const struct xml *xml, unsigned element)
{
    return xml->texts.data + xml->elements[element].space;
}

const char *xml_name(const struct xml *xml, unsigned element)
{
    return xml->texts.data + xml->elements[element].name;
}

const char *xml_text(const struct xml *xml, unsigned element)
{
    return xml->texts.data + xml->elements[element].text;
}

bool xml_is(const struct xml *xml, unsigned element, const char *space, const char *name)
{
    return element != XML_NONE && strcmp(xml_name(xml, element), name) == 0 &&
           strcmp(xml_space(xml, element), space) == 0;
}

unsigned xml_child(const struct xml *xml, unsigned element, const char *space, const char *name)
{
    unsigned child = xml_first(xml, element);
    while (child != XML_NONE && !xml_is(xml, child, space, name))
        child = xml_next(xml, child);
    return child;
}

const char *xml_attribute(const struct xml *xml, unsigned element, const char *name)
{
    unsigned at = xml->elements[element].attribute;
    while (at != XML_NONE && strcmp(xml->texts.data + xml->attributes[at].name, name) != 0)
        at = xml->attributes[at].next;
    return at == XML_NONE ? NULL : xml->texts.data + xml->attributes[at].value;
}

/* ---- Writing ---------------------------------------------------------------------------- */

static const char *escape_of(char byte)
{
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\r':
        return "&#13;";
    default:
        return NULL;
    }
}

void xml_escape(struct buffer *buffer, const char *text)
{
    size_t size = strlen(text), length = 0;
    while (size > 0) {
        size_t plain = utf8_plain(text, size, "&<>\"");
        buffer_append(buffer, text, plain);
        text += plain;
        size -= plain;
        const char *character = size == 0 ? NULL : utf8_next(&text, &size, &length);
        if (character == NULL)
            continue;
        const char *escape = escape_of(*character);
        if (escape != NULL)
            buffer_text(buffer, escape);
        else
            buffer_append(buffer, character, length);
    }
}

void xml_element(struct buffer *buffer, const char *tag, const char *text)
{
    buffer_byte(buffer, '<');
    buffer_text(buffer, tag);
    buffer_byte(buffer, '>');
    xml_escape(buffer, text);
    buffer_text(buffer, "</");
    buffer_text(buffer, tag);
    buffer_byte(buffer, '>');
}
