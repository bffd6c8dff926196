/* mime.h -- taking a message apart while it comes in (RFC 5322, RFC 2045, RFC 2046).
 *
 * Bytes go in in pieces of any size; out come the parts, in order, with their headers and their
 * decoded contents in pieces.  Memory is bounded by the limits below, whatever the size of the
 * message.  Nothing a stranger sends is an error: what is malformed is read as the least
 * surprising program reads it, and what is over a limit is left out and said so in the result.
 *
 * Multiparts are descended into; a message inside a message is a leaf.
 */
#ifndef PLUGINS_EMAIL_MIME_H
#define PLUGINS_EMAIL_MIME_H

#include "bytes.h"
#include "codec.h"

#define MIME_DEPTH_MAX 16                  /* multiparts in each other; deeper ones are leaves */
#define MIME_PARTS_MAX 500                 /* further ones are left out */
#define MIME_HEADER_BYTES_MAX (128u * 1024) /* of one part; further lines are left out */
#define MIME_BOUNDARY_MAX 200
#define MIME_LINE_MAX 4096                 /* longer lines come in pieces */

struct fault;

struct mime_part {
    unsigned number;    /* 0 is the message itself */
    unsigned depth;     /* of multiparts around it */
    bool is_multipart;  /* its contents are the parts that follow */
    struct span header; /* raw, until the call returns */
    char type[128];     /* lower case; "text/plain" when there is none that is valid */
};

struct mime_events { /* each may be NULL; a result other than 0 ends the reading with it */
    int (*part)(void *arg, const struct mime_part *part);
    int (*data)(void *arg, struct span data); /* contents of the last part, no multipart */
    void *arg;
};

struct mime_level {
    char boundary[MIME_BOUNDARY_MAX];
    size_t size;
};

enum mime_state { MIME_HEADER, MIME_LEAF, MIME_SKIP };

struct mime_reader {    /* all members are the reader's own, but these three, which may be read */
    bool is_header_cut; /* a header was over its limit */
    bool is_parts_cut;  /* parts were left out */
    bool is_too_deep;   /* a multipart was not descended into */

    const struct mime_events *events;
    enum mime_state state;
    struct mime_level levels[MIME_DEPTH_MAX];
    unsigned depth, part_count;
    struct bytes header, decoded;
    struct decoder decoder;
    char line[MIME_LINE_MAX];
    size_t line_size;
    bool is_continued; /* the line began in an earlier piece */
    char line_end[2];  /* of the line before: it belongs to a boundary, should one follow */
    size_t line_end_size;
};

void mime_reader_init(struct mime_reader *reader, const struct mime_events *events);
void mime_reader_deinit(struct mime_reader *reader);

/* 0, FAULT_MEMORY or what an event returned; no more calls after that. */
int mime_feed(struct mime_reader *reader, struct span data, struct fault *fault);
int mime_end(struct mime_reader *reader, struct fault *fault);

#endif
