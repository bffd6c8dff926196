/* call.h -- what api.c shares with call.c and api_openapi.c; handlers need api.h only.
 *
 * The loop's thread; api.h says which steps of a call are taken elsewhere.
 */
#ifndef CORE_SERVER_CALL_H
#define CORE_SERVER_CALL_H

#include "core/server/api.h"

/* A call on its way, counted in api->calls; it frees itself when it has been answered.  `route` is
 * a row of a table, `request` is the call's from here on. */
struct call *call_new(struct api *api, struct http_request *request, const struct route *route);

/* What is under way and no call: nobody closes what it stands on before it has been released. */
void api_hold(struct api *api);
void api_release(struct api *api);

/* End the call and have its request, to be answered by http_stream_begin() and what follows. */
struct http_request *call_take(struct call *call);

/* Add the field that goes with a 401. */
void call_challenge(struct http_request *request);

/* Table number `index`, those of plugins last; NULL: there are not so many. */
const struct route *api_table(const struct api *api, size_t index);

/* The best row for a request, or NULL; `*out_any` is then a row of the path with another method, or
 * NULL. */
const struct route *api_find(const struct api *api, const char *method, const char *path,
                             const struct route **out_any);

/* What api_ask() has made, whose caller is known: go on as with any other. */
void call_enter_inside(struct call *call);

#endif
