/* test_address.c -- which addresses belong to everybody: the edges of every block. */
#include "core/outside/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct sockaddr_storage parse(const char *text)
{
    struct sockaddr_storage storage = { 0 };
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        memcpy(&storage, &v4, sizeof v4);
    else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
        memcpy(&storage, &v6, sizeof v6);
    else
        fail_msg("%s is no address", text);
    return storage;
}

static void check(const char *const list[], bool wanted)
{
    for (; *list != NULL; list++) {
        struct sockaddr_storage address = parse(*list);
        if (address_is_public((const struct sockaddr *)&address) != wanted)
            fail_msg("%s is %spublic", *list, wanted ? "" : "not ");
    }
}

static void what_is_inside_a_house_is_refused(void **state)
{
    (void)state;
    check((const char *const[]){ "0.0.0.0", "10.0.0.1", "10.255.255.255", "100.64.0.0",
                                 "100.127.255.255", "127.0.0.1", "127.255.255.254", "169.254.0.1",
                                 "169.254.169.254", "172.16.0.0", "172.31.255.255", "192.168.0.1",
                                 "192.168.255.255", "192.0.0.8", NULL },
          false);
    check((const char *const[]){ "::", "::1", "fe80::1", "febf::1", "fec0::1", "fc00::1",
                                 "fdff:ffff::1", NULL },
          false);
}

static void what_nobody_serves_from_is_refused(void **state)
{
    (void)state;
    check((const char *const[]){ "192.0.2.1", "198.51.100.7", "203.0.113.255", "198.18.0.1",
                                 "198.19.255.255", "192.88.99.1", "224.0.0.1", "239.255.255.255",
                                 "240.0.0.1", "255.255.255.255", NULL },
          false);
    check((const char *const[]){ "ff02::1", "2001::1", "2001:1ff::1", "2001:db8::1", "2002:808::1",
                                 "3fff::1", "3fff:fff::1", "4000::1", "100::1", NULL },
          false);
}

static void the_neighbours_of_every_block_are_public(void **state)
{
    (void)state;
    check((const char *const[]){ "1.0.0.0",     "9.255.255.255",
                                 "11.0.0.0",    "100.63.255.255",
                                 "100.128.0.0", "126.255.255.255",
                                 "128.0.0.0",   "169.253.255.255",
                                 "169.255.0.0", "172.15.255.255",
                                 "172.32.0.0",  "192.0.1.0",
                                 "192.0.3.0",   "192.167.255.255",
                                 "192.169.0.0", "198.17.255.255",
                                 "198.20.0.0",  "198.51.99.255",
                                 "203.0.114.0", "223.255.255.255",
                                 "8.8.8.8",     NULL },
          true);
    check((const char *const[]){ "2000::1", "2001:200::1", "2001:db7::1", "2001:db9::1", "2003::1",
                                 "2606:4700::1111", "3ffe::1", "3fff:1000::1", NULL },
          true);
}

static void an_address_inside_an_address_is_judged_by_that(void **state)
{
    (void)state;
    check((const char *const[]){ "::ffff:127.0.0.1", "::ffff:10.1.2.3", "::ffff:169.254.169.254",
                                 "64:ff9b::7f00:1", "64:ff9b::a00:1", "::127.0.0.1", "::8.8.8.8",
                                 "64:ff9b:1::808:808", NULL },
          false);
    check((const char *const[]){ "::ffff:8.8.8.8", "64:ff9b::808:808", NULL }, true);
}

static void other_families_are_refused(void **state)
{
    const struct sockaddr address = { .sa_family = AF_UNIX };
    (void)state;
    assert_false(address_is_public(&address));
}

static void an_address_is_shown_as_in_a_url(void **state)
{
    char text[ADDRESS_TEXT_SIZE];
    (void)state;
    struct sockaddr_storage address = parse("10.1.2.3");
    address_text((const struct sockaddr *)&address, text);
    assert_string_equal(text, "10.1.2.3");
    address = parse("fe80::1");
    address_text((const struct sockaddr *)&address, text);
    assert_string_equal(text, "[fe80::1]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_inside_a_house_is_refused),
        cmocka_unit_test(what_nobody_serves_from_is_refused),
        cmocka_unit_test(the_neighbours_of_every_block_are_public),
        cmocka_unit_test(an_address_inside_an_address_is_judged_by_that),
        cmocka_unit_test(other_families_are_refused),
        cmocka_unit_test(an_address_is_shown_as_in_a_url),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
