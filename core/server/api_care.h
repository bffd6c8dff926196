/* api_care.h -- handlers of the routes that look after the data; routes_admin lists them. */
#ifndef CORE_SERVER_API_CARE_H
#define CORE_SERVER_API_CARE_H

struct call;

void get_state_hash(struct call *call);
void post_verify(struct call *call);

#endif
