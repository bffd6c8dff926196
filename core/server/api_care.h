/* api_care.h -- handlers of the routes that look after the data; routes_admin lists them.
 *
 * Each is called on the loop and answers its call once, later (api.h).
 */
#ifndef CORE_SERVER_API_CARE_H
#define CORE_SERVER_API_CARE_H

struct call;

void get_state_hash(struct call *call); /* GET /v1/state-hash: of a checkpoint made for it */
void post_verify(struct call *call);    /* POST /v1/verify: minutes of work; one at a time */

#endif
