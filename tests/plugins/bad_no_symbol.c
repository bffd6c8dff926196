/* bad_no_symbol.c -- exports no kith_describe(). */
#include "kith.h"

KITH_EXPORT int kith_desrcibe(void);

int kith_desrcibe(void)
{
    return 0;
}
