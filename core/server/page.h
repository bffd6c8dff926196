/* page.h -- the small pages that customers see.
 *
 * A page is one heading, one sentence and at most one button, in HTML that needs nothing from
 * anywhere and no script.  Fields of the answer forbid the rest: that it loads anything, is shown
 * inside of another page, is kept, is indexed, or tells the next page where somebody came from.
 *
 * The loop's thread.
 */
#ifndef CORE_SERVER_PAGE_H
#define CORE_SERVER_PAGE_H

#include "core/base/doc.h"

struct call;

struct page_text {
    const char *heading;
    struct text sentence;     /* may come from anywhere: it is escaped */
    const char *button;       /* POSTs to the page's own address; NULL: none */
    const char *name, *value; /* what its form sends; NULL: nothing */
};

/* Answer with it; ends the call. */
void page_reply(struct call *call, int status, const struct page_text *text);

/* Whether who asks is shown pages: a browser.  Others are answered with documents. */
bool page_is_wanted(const struct call *call);

#endif
