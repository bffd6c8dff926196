/* test_xml.c -- what xml.h promises: elements, bounds, and no entity but the five. */
#include "plugins/followup/xml.h"

#include "plugins/followup/buffer.h"
#include "plugins/followup/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static int read_text(const char *text, struct xml **out_xml, struct fault *fault)
{
    return xml_read(text, strlen(text), out_xml, fault);
}

static void elements_are_found_by_namespace_not_prefix(void **state)
{
    (void)state;
    struct xml *xml = NULL;
    assert_int_equal(read_text("<?xml version='1.0'?><x:a xmlns:x='DAV:' xmlns='urn:b'> <c n='1' "
                               "x:n='2'>t &amp; <![CDATA[<u>]]>&#246;</c><!-- no --><x:c/></x:a>",
                               &xml, NULL),
                     0);
    unsigned root = xml_root(xml);
    assert_true(xml_is(xml, root, "DAV:", "a"));
    unsigned first = xml_first(xml, root), second = xml_next(xml, first);
    assert_true(xml_is(xml, first, "urn:b", "c"));
    assert_string_equal(xml_text(xml, first), "t & <u>\xC3\xB6");
    assert_string_equal(xml_attribute(xml, first, "n"), "1");
    assert_null(xml_attribute(xml, first, "m"));
    assert_int_equal(xml_child(xml, root, "DAV:", "c"), second);
    assert_int_equal(xml_next(xml, second), XML_NONE);
    assert_int_equal(xml_child(xml, root, "DAV:", "d"), XML_NONE);
    assert_int_equal(xml_first(xml, XML_NONE), XML_NONE);
    xml_free(xml);
}

static const char bomb[] = "<!DOCTYPE a [<!ENTITY b 'bbbbbbbbbb'>"
                           "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'>"
                           "<!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;'>]><a>&d;&d;&d;&d;</a>";

static void a_doctype_is_refused_before_it_declares_anything(void **state)
{
    (void)state;
    static const char *const texts[] = {
        bomb,
        "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
        "<!DOCTYPE a SYSTEM 'http://127.0.0.1:1/a.dtd'><a/>",
        "<!DOCTYPE a [<!ENTITY % p SYSTEM 'file:///etc/passwd'>%p;]><a/>",
        "<?xml version='1.0'?><!-- before --><!DOCTYPE a><a/>",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct xml *xml = NULL;
        struct fault fault = { 0 };
        assert_int_equal(read_text(texts[i], &xml, &fault), FAULT_UNSUPPORTED);
        assert_non_null(strstr(fault.text, "DOCTYPE"));
        assert_null(xml);
    }
}

static void what_is_not_well_formed_is_refused_with_its_line(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",    "text",  "<a>",  "<a></b>",     "<a/><b/>",         "<a>&nbsp;</a>", "<a b=1/>",
        "<a ", "<x:a>", "\xFF", "<a>\x01</a>", "<a b='1' b='2'/>", "<a>\xC3</a>",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct xml *xml = NULL;
        struct fault fault = { 0 };
        int rc = read_text(texts[i], &xml, &fault);
        if (rc != FAULT_INVALID || fault.text[0] == '\0')
            fail_msg("%s: %d %s", texts[i], rc, fault.text);
        assert_null(strchr(fault.text, '\n'));
    }
}

static void another_encoding_than_utf8_is_not_obeyed(void **state)
{
    (void)state;
    struct xml *xml = NULL;
    static const char wide[] = "\xFF\xFE<\0a\0/\0>\0";
    assert_int_equal(xml_read(wide, sizeof wide - 1, &xml, NULL), FAULT_INVALID);
    assert_int_equal(
        read_text("<?xml version='1.0' encoding='ISO-8859-1'?><a>\xC3\xB6</a>", &xml, NULL), 0);
    assert_string_equal(xml_text(xml, xml_root(xml)), "\xC3\xB6");
    xml_free(xml);
}

/* `count` times `text` between `before` and `after`. */
static int read_many(const char *before, const char *text, int count, const char *after)
{
    struct buffer body = { 0 };
    struct xml *xml = NULL;
    buffer_text(&body, before);
    for (int i = 0; i < count; i++)
        buffer_text(&body, text);
    buffer_text(&body, after);
    int rc = xml_read(body.data, body.size, &xml, NULL);
    xml_free(xml);
    buffer_deinit(&body);
    return rc;
}

static void limits_hold_where_they_say(void **state)
{
    (void)state;
    assert_int_equal(read_many("<a>", "<b/>", XML_ELEMENTS_MAX - 1, "</a>"), 0);
    assert_int_equal(read_many("<a>", "<b/>", XML_ELEMENTS_MAX, "</a>"), FAULT_LIMIT);
    assert_int_equal(read_many("", "<a>", XML_DEPTH_MAX + 1, ""), FAULT_LIMIT);
    assert_int_equal(read_many("<a>", "x", XML_SIZE_MAX, "</a>"), FAULT_LIMIT);
    assert_int_equal(read_many("<", "a", XML_NAME_MAX, "/>"), 0);
    assert_int_equal(read_many("<", "a", XML_NAME_MAX + 1, "/>"), FAULT_LIMIT);
    assert_int_equal(read_many("<a b='", "=", XML_EQUALS_MAX - 1, "'/>"), 0);
    assert_int_equal(read_many("<a b='", "=", XML_EQUALS_MAX, "'/>"), FAULT_LIMIT);
}

static void what_is_escaped_is_read_back(void **state)
{
    (void)state;
    struct buffer buffer = { 0 };
    struct xml *xml = NULL;
    xml_element(&buffer, "a", "<&>\"'\r\n\t\x01\xFF\xEF\xBF\xBF]]>");
    assert_int_equal(read_text(buffer_string(&buffer), &xml, NULL), 0);
    assert_string_equal(xml_text(xml, xml_root(xml)), "<&>\"'\r\n\t\xEF\xBF\xBD]]>");
    xml_free(xml);
    buffer_deinit(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_are_found_by_namespace_not_prefix),
        cmocka_unit_test(a_doctype_is_refused_before_it_declares_anything),
        cmocka_unit_test(what_is_not_well_formed_is_refused_with_its_line),
        cmocka_unit_test(another_encoding_than_utf8_is_not_obeyed),
        cmocka_unit_test(limits_hold_where_they_say),
        cmocka_unit_test(what_is_escaped_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
