/* words.h -- whether a message is one of some words, and nothing else.
 *
 * People write "stop", "(Stop).", "ＳＴＯＰ！", "STOP ALL" and "Stop 🛑": what counts are the letters.
 */
#ifndef PLUGINS_SMS_WORDS_H
#define PLUGINS_SMS_WORDS_H

#include "kith.h"

#include <stdbool.h>

/* What carriers and gateways ask for, in English, German, Dutch, the languages of Scandinavia,
 * French, Spanish, Portuguese, Italian and Chinese. */
#define WORDS_STOP                                                                               \
    "{ \"STOP\", \"STOPALL\", \"UNSUBSCRIBE\", \"CANCEL\", \"END\", \"QUIT\", \"REVOKE\", "      \
    "\"OPTOUT\", \"STOPP\", \"AFMELDEN\", \"AVSLUTA\", \"ARRET\", \"ARRÊT\", \"ALTO\", "        \
    "\"BAJA\", \"PARAR\", \"SAIR\", \"ANNULLA\", \"T\", \"TD\", \"R\", \"退订\", \"退訂\", " \
    "\"拒收\", \"取消订阅\", \"取消訂閱\" }"

/* `words` is a list of texts. */
bool words_have(struct kith_doc words, struct kith_text body);

#endif
