/* test_read_search.c -- who is found by what, in which order, page by page. */
#include "tests/core/engine/house_fixture.h"

#include <stdio.h>
#include <string.h>

static const char *page_of(struct house *house, const char *query, size_t limit, struct text after)
{
    struct snapshot *snapshot = house_snapshot(house);
    struct read_page page = { limit, after };
    int rc = read_search(snapshot, text_of(query), &page, &house->out, &house->err);
    snapshot_close(snapshot);
    return house_answer(house, rc);
}

/* The numbers of all who are found, a page at a time. */
static const char *found(struct house *house, const char *query, size_t limit)
{
    static char all[2000];
    char after[1200] = "";
    size_t used = 0;
    all[0] = '\0';
    for (int pages = 0; pages < 100; pages++) {
        const char *page = page_of(house, query, limit, text_of(after));
        const char *ids = page_values(page, "id");
        if (ids[0] != '\0')
            used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", used ? " " : "", ids);
        struct text next = page_next(page);
        if (next.size == 0)
            return all;
        memcpy(after, next.data, next.size);
        after[next.size] = '\0';
    }
    fail_msg("the pages do not end");
    return all;
}

#define finds(house, query, numbers)                              \
    do {                                                          \
        assert_string_equal(found(house, query, 50), numbers);    \
        if (strlen(numbers) == strcspn(numbers, " "))             \
            assert_string_equal(found(house, query, 1), numbers); \
    } while (0)

static void latin_and_chinese_names_are_found_alike(void **state)
{
    struct house *house = *state;
    house_identify(house, "a", "{'name':'Jürgen Groß'}");
    house_identify(house, "b", "{'name':'王小明'}");
    house_identify(house, "c", "{'firstName':'Zoë','lastName':'O’Neil'}");
    static const char *const of_first[] = { "Jürgen",  "jurgen",    "juergen",   "GROSS",
                                            "gross j", "groß jürg", "jurgen gr", "rgen" };
    static const char *const of_second[] = {
        "王",       "小明",           "明",       "王 小", "wang", "Wang Xiaoming",
        "xiaoming", "xiao ming wang", "wangxiao", "wxm",   "xm",   "ｗａｎｇ"
    };
    static const char *const of_third[] = { "zoe", "oneil", "O'Neil Zoe", "zo on", "eil" };
    for (size_t i = 0; i < sizeof of_first / sizeof *of_first; i++)
        finds(house, of_first[i], "1");
    for (size_t i = 0; i < sizeof of_second / sizeof *of_second; i++)
        finds(house, of_second[i], "2");
    for (size_t i = 0; i < sizeof of_third / sizeof *of_third; i++)
        finds(house, of_third[i], "3");
    finds(house, "王明", "");
    finds(house, "jurgen wang", "");
    finds(house, "gen x", "");
}

static void polyphonic_surnames_are_found_by_both_readings(void **state)
{
    struct house *house = *state;
    house_identify(house, "a", "{'name':'单雄信'}");
    house_identify(house, "b", "{'name':'尉迟恭'}");
    house_identify(house, "c", "{'name':'吕布'}");
    finds(house, "shan", "1");
    finds(house, "danxiong", "1");
    finds(house, "sxx", "1");
    finds(house, "yuchi", "2");
    finds(house, "wei chi", "2");
    finds(house, "lü bu", "3");
    finds(house, "lvbu", "3");
    finds(house, "lyu", "3");
    finds(house, "lu", "3");
}

static void numbers_are_found_by_their_end_or_as_dialled(void **state)
{
    struct house *house = *state;
    house_identify(house, "a", "{'name':'Anna','phone':'+49 30 901820'}");
    house_identify(house, "b", "{'name':'Anna','phone':'+86 138 0000 1820'}");
    finds(house, "901820", "1");
    finds(house, "030 / 90 18-20", "1");
    finds(house, "+49 30 901820", "1");
    finds(house, "0049 30 901820", "1");
    finds(house, "138 0000 1820", "2");
    assert_string_equal(found(house, "1820", 50), "2 1");
    finds(house, "anna 901820", "1");
    finds(house, "9018", "");
}

static void addresses_ids_and_numbers_of_customers_are_found(void **state)
{
    struct house *house = *state;
    house_identify(house, "K-4711", "{'email':'ann.lee@example.com'}");
    house_identify(house, "K-4712", "{'name':'2 Rad GmbH'}");
    finds(house, "ann.lee@example.com", "1");
    finds(house, "LEE@EX", "1");
    finds(house, "lee", "1");
    finds(house, "example.com", "1");
    finds(house, " K-4711 ", "1");
    assert_string_equal(found(house, "K-47", 50), "2 1");
    finds(house, "2", "2");   /* by her number; that her name begins so adds nothing */
    finds(house, "k-47", ""); /* as it is written */
    finds(house, "com", "");
    finds(house, "a@b", "");
}

static void the_order_is_exact_then_beginning_then_word_then_inside(void **state)
{
    struct house *house = *state;
    house_identify(house, "a", "{'name':'Goldschmidt'}");
    house_identify(house, "b", "{'name':'Anna Schmidt'}");
    house_identify(house, "c", "{'name':'Schmidtke'}");
    house_identify(house, "d", "{'name':'Schmidt'}");
    house_identify(house, "e", "{'name':'Schmidt Anna Maria'}");
    assert_string_equal(found(house, "schmidt", 50), "4 5 3 2 1");
    assert_string_equal(found(house, "schmidt", 1), "4 5 3 2 1");
    assert_string_equal(found(house, "anna schmidt", 50), "2 5");
    assert_string_equal(found(house, "maria schmidt", 50), "5");
}

static void of_equals_the_last_contact_is_first(void **state)
{
    struct house *house = *state;
    house_identify(house, "a", "{'name':'Anna'}");
    house_identify(house, "b", "{'name':'Anna'}");
    assert_string_equal(found(house, "anna", 50), "2 1");
    house_track(house, "a", "Visit", "{}");
    assert_string_equal(found(house, "anna", 50), "1 2");
}

static void a_merged_customer_is_found_by_all_her_names_and_once(void **state)
{
    struct house *house = *state;
    house_identify(house, "a", "{'name':'Anna Berg'}");
    house_identify(house, "b", "{'name':'Anna Thal'}");
    house_command(house, "customer.merge", "1", "{'absorbed':'2'}");
    finds(house, "anna", "1");
    finds(house, "thal", "1");
    finds(house, "thal berg", "1"); /* from different members */
    house_command(house, "customer.unmerge", "2", "{}");
    finds(house, "thal", "2");
    finds(house, "berg", "1");
    finds(house, "thal berg", "");
}

static void pages_hold_everybody_once_whatever_their_size(void **state)
{
    struct house *house = *state;
    char traits[120], user[16];
    for (int i = 0; i < 30; i++) {
        snprintf(traits, sizeof traits, "{'name':'%s%d Hanna','company':'Anna %d'}",
                 i % 3 == 0   ? "Anna"
                 : i % 3 == 1 ? "Johanna"
                              : "Marianna",
                 i, i);
        snprintf(user, sizeof user, "u%d", i);
        house_identify(house, user, traits);
    }
    for (size_t limit = 1; limit <= 8; limit++) {
        bool seen[31] = { false };
        const char *all = found(house, "anna", limit);
        int count = 0, number, used;
        for (; sscanf(all, "%d%n", &number, &used) == 1; all += used, count++) {
            assert_true(number >= 1 && number <= 30 && !seen[number]);
            seen[number] = true;
        }
        assert_int_equal(count, 30);
    }
}

static void an_address_is_not_looked_for_by_its_pieces(void **state)
{
    struct house *house = *state;
    house_identify(house, "a", "{'name':'Post','email':'ann.17@post.example'}");
    house_identify(house, "b", "{'name':'Example Ann','email':'ann.18@post.example'}");
    house_identify(house, "c", "{'name':'ann.17@post.example','email':'c@d.example'}");
    finds(house, "ann.17@post.example", "3 1");
    finds(house, "ann.17@", "3 1"); /* a name may be an address */
    finds(house, "ann.17", "3 1");
    finds(house, "17@post.example", "1 3");
    finds(house, "ann.19@post.example", "");
    finds(house, "ann example", "3 2");
    finds(house, "example 17", "3");
}

/* What stands in made-up names, addresses and numbers, and what is typed of it. */
static const char *const pieces[] = { "Anna", "Ann",   "Stein", "Bergstein", "Henry", "Ki",
                                      "Lo",   "Marie", "Ste",   "17",        "4711",  "99" };
#define PIECES (sizeof pieces / sizeof *pieces)
#define PEOPLE 80

struct made_up {
    const char *first, *last, *mail;
    char number[12]; /* of her phone, without what is dialled in front */
};

static struct made_up make_up(size_t n)
{
    struct made_up it = { pieces[n % 9], pieces[n * 7 / 3 % 9], pieces[n * 5 / 4 % 9], "" };
    snprintf(it.number, sizeof it.number, "901%s%s", pieces[9 + n % 3], pieces[9 + n / 3 % 3]);
    return it;
}

static bool is_number(const char *word)
{
    return word[0] >= '0' && word[0] <= '9';
}

static bool begins_or_is_inside(const char *word, const char *part)
{
    return strncasecmp(word, part, strlen(part)) == 0 ||
           (strlen(part) >= 3 && strcasestr(word, part) != NULL);
}

static bool has_piece(const struct made_up *it, const char *piece)
{
    size_t size = strlen(piece), all = strlen(it->number);
    if (is_number(piece))
        return size >= 3 && size <= all && strcmp(it->number + all - size, piece) == 0;
    return begins_or_is_inside(it->first, piece) || begins_or_is_inside(it->last, piece) ||
           strncasecmp(it->mail, piece, size) == 0;
}

static void assert_finds_those_with(struct house *house, const char *one, const char *other)
{
    char query[64], id[24], page[20000];
    struct text none = { "", 0 };
    snprintf(query, sizeof query, "%s %s", one, other);
    snprintf(page, sizeof page, " %s ", page_values(page_of(house, query, PEOPLE, none), "id"));
    for (size_t n = 0; n < PEOPLE; n++) {
        struct made_up it = make_up(n);
        bool is_wanted = has_piece(&it, one) && has_piece(&it, other);
        snprintf(id, sizeof id, " %zu ", n + 1);
        if ((strstr(page, id) != NULL) != is_wanted)
            fail_msg("%s: %s %s, %s, %s is %s", query, it.first, it.last, it.mail, it.number,
                     is_wanted ? "not found" : "found");
    }
}

static void two_words_find_whoever_has_both(void **state)
{
    struct house *house = *state;
    char user[12], traits[160];
    for (size_t n = 0; n < PEOPLE; n++) {
        struct made_up it = make_up(n);
        snprintf(user, sizeof user, "_%zu", n);
        snprintf(traits, sizeof traits, "{'name':'%s %s','email':'%s@x.test','phone':'+4930%s'}",
                 it.first, it.last, it.mail, it.number);
        house_identify(house, user, traits);
    }
    for (size_t i = 0; i < PIECES; i++)
        for (size_t k = 0; k < PIECES; k++)
            if (!is_number(pieces[i]) || !is_number(pieces[k])) /* one number with a blank in it */
                assert_finds_those_with(house, pieces[i], pieces[k]);
}

static void what_cannot_be_looked_for_is_refused(void **state)
{
    struct house *house = *state;
    char long_query[READ_QUERY_MAX + 2];
    memset(long_query, 'a', sizeof long_query - 1);
    long_query[sizeof long_query - 1] = '\0';
    house_identify(house, "a", "{'name':'Anna'}");
    assert_in(page_of(house, "", 10, text_of("")), "-1: a search needs a letter or a digit");
    assert_in(page_of(house, " -- ", 10, text_of("")), "-1: a search needs");
    assert_in(page_of(house, long_query, 10, text_of("")), "-1: a search has at most 128 bytes");
    assert_in(page_of(house, "anna", 10, text_of("x")), "-1: `after` is no cursor");
    assert_in(page_of(house, "anna", 10, text_of("zzzz")), "-1: `after` is no cursor");
    assert_in(page_of(house, "anna", 10, text_of("00ff")), "'items':[],'next':null");
    assert_in(page_of(house, "anna", 10, text_of("0000666161")), "'id':1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, house_setup, house_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(latin_and_chinese_names_are_found_alike),
        TEST(polyphonic_surnames_are_found_by_both_readings),
        TEST(numbers_are_found_by_their_end_or_as_dialled),
        TEST(addresses_ids_and_numbers_of_customers_are_found),
        TEST(the_order_is_exact_then_beginning_then_word_then_inside),
        TEST(of_equals_the_last_contact_is_first),
        TEST(a_merged_customer_is_found_by_all_her_names_and_once),
        TEST(pages_hold_everybody_once_whatever_their_size),
        TEST(an_address_is_not_looked_for_by_its_pieces),
        TEST(two_words_find_whoever_has_both),
        TEST(what_cannot_be_looked_for_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
