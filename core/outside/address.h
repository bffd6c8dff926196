/* address.h -- which network addresses belong to everybody.
 *
 * A daemon inside a house can reach what the world cannot: itself, its neighbours, the metadata
 * of its cloud.  Whoever may name a URL must not thereby reach them.  A name tells nothing, and
 * may mean something else a moment later, so what is asked is always the address that a socket
 * is about to be connected to.
 *
 * Pure; any thread.
 */
#ifndef CORE_OUTSIDE_ADDRESS_H
#define CORE_OUTSIDE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

struct sockaddr;

/* Whether it is an IPv4 or IPv6 address for which the public network has a route: not private,
 * loopback, link-local, shared, reserved, for documentation or multicast, nor one of these inside
 * an IPv6 address that is translated to IPv4. */
bool address_is_public(const struct sockaddr *address);

/* "127.0.0.1", "[::1]"; "?" for another family. */
#define ADDRESS_TEXT_SIZE 64
void address_text(const struct sockaddr *address, char out_text[ADDRESS_TEXT_SIZE]);

#endif
