/* xml.h -- the XML of a request, read within bounds, and text written into an answer.
 *
 * A request body is read by libxml2 as a stream of events into a flat table of elements; no tree
 * of libxml2's is ever built.  A DOCTYPE ends the reading before its declarations are looked at:
 * without one there are no entities but the five of XML itself, so that no bomb can be declared
 * and no file or host be named.  Neither CalDAV nor any client of it needs one.
 *
 * Bodies are UTF-8, whatever they declare: what was counted must be what is parsed.
 *
 * Elements are numbers, XML_NONE for no element.  Texts are borrowed until xml_free().  Mixed
 * content has no meaning in WebDAV: text beside elements is dropped.
 */
#ifndef PLUGINS_FOLLOWUP_XML_H
#define PLUGINS_FOLLOWUP_XML_H

#include <stdbool.h>
#include <stddef.h>

struct buffer;
struct fault;
struct xml;

#define XML_SIZE_MAX (1u << 20) /* bytes of a body: a multiget names every task it wants */
#define XML_ELEMENTS_MAX 20000
#define XML_DEPTH_MAX 32
#define XML_EQUALS_MAX 256 /* between one '<' and the next, and so the attributes of an element */
#define XML_NAME_MAX 255   /* bytes of a name or a namespace */

#define XML_NONE 0u

/* Read a whole document.  *out_xml is the caller's to give to xml_free().  FAULT_INVALID,
 * FAULT_LIMIT, FAULT_MEMORY, and FAULT_UNSUPPORTED for a DOCTYPE. */
int xml_read(const char *body, size_t size, struct xml **out_xml, struct fault *fault);
void xml_free(struct xml *xml); /* NULL is allowed */

unsigned xml_root(const struct xml *xml);
unsigned xml_first(const struct xml *xml, unsigned element); /* its first child */
unsigned xml_next(const struct xml *xml, unsigned element);  /* its next sibling */

/* Is it the element `name` of `space`? */
bool xml_is(const struct xml *xml, unsigned element, const char *space, const char *name);

/* The first child of that name, or XML_NONE; also of XML_NONE. */
unsigned xml_child(const struct xml *xml, unsigned element, const char *space, const char *name);

const char *xml_space(const struct xml *xml, unsigned element); /* "" for none */
const char *xml_name(const struct xml *xml, unsigned element);
const char *xml_text(const struct xml *xml, unsigned element); /* as it stands; "" for none */

/* The attribute `name` that belongs to no namespace, or NULL. */
const char *xml_attribute(const struct xml *xml, unsigned element, const char *name);

/* Append text so that a parser reads it back: markup escaped, a carriage return as a reference,
 * what XML cannot carry left out. */
void xml_escape(struct buffer *buffer, const char *text);

/* <tag>text</tag>, the text escaped. */
void xml_element(struct buffer *buffer, const char *tag, const char *text);

#endif
