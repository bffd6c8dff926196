"""Which bytes are a request, against the real daemon: each with the exact answer.

Exact is the whole of it: status line, every field but the date's value, body, and whether the
connection is closed behind it or takes a further request.  Each is sent in one piece and byte by
byte; our side stays open, so that an end is the daemon's doing.
"""
import http
import json
import re
import socket

import pytest

PROBLEM = "application/problem+json"
ANY_ORIGIN = "Access-Control-Allow-Origin: *"
CHALLENGE = 'WWW-Authenticate: Bearer, Basic realm="kith", charset="UTF-8"'
PHRASES = {413: "Content Too Large", 414: "URI Too Long"}  # as RFC 9110 has them

LINE = "GET /healthz HTTP/1.1\r\n"
GET = LINE + "Host: a\r\n"
NEXT = GET + "\r\n"
POST = "POST /v1/batch HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\n"
CHUNKED = POST + "Transfer-Encoding: chunked\r\n\r\n"
BATCH = '{"batch":[]}'  # 12 bytes


def reply(status, kind, body, *fields, size=None, last=None):
    """An answer to the byte; `size` is that of a body which is not sent, False: none is told."""
    phrase = PHRASES.get(status, http.HTTPStatus(status).phrase)
    lines = [f"HTTP/1.1 {status} {phrase}", "Date: NOW"]
    lines += [f"Content-Type: {kind}"] if kind else []
    lines += fields
    if size is not False:
        lines += [f"Content-Length: {len(body) if size is None else size}"]
    lines += [f"Connection: {last}"] if last else []
    return "\r\n".join([*lines, "", body])


def problem(status, detail, *fields, **options):
    title = PHRASES.get(status, http.HTTPStatus(status).phrase)
    body = {"title": title, "status": status, "detail": detail}
    return reply(
        status, PROBLEM, json.dumps(body, separators=(",", ":")) + "\n", *fields, **options
    )


def healthy(**options):
    return reply(200, "application/json", '{"status":"ok"}\n', **options)


TAKEN = reply(200, "application/json", '{"success":true}\n', ANY_ORIGIN)

# What is no request: by its answer, behind which the connection is closed.
REFUSED = {
    (400, "too many empty lines before the request line"): {
        "many empty lines are not": "\r\n\r\n\r\n\r\n\r\n" + NEXT,
        "only line ends": "\r\n" * 20,
    },
    (400, "a line must end in CR LF"): {
        "a lone LF after the request line": "GET /healthz HTTP/1.1\nHost: a\r\n\r\n",
        "a lone LF after a field": LINE + "Host: a\n\r\n",
        "a lone LF as the empty line": GET + "\n",
        "a lone LF hides a field": POST + "X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    },
    (400, "a line must end in CR LF", ANY_ORIGIN): {
        "a lone LF ends no trailer": CHUNKED + "1\r\nx\r\n0\r\n\n",
        "a lone LF in a trailer": CHUNKED + "1\r\nx\r\n0\r\nX: 1\n\r\n",
    },
    (400, "a CR that no LF follows"): {
        "a lone CR in a field": LINE + "Host: a\rb\r\n\r\n",
        "a lone CR as line end": "GET /healthz HTTP/1.1\rHost: a\r\r",
    },
    (
        400,
        "the request target must be a path or URL of visible ASCII without '#', "
        "with one space on each side",
    ): {
        "HTTP/0.9": "GET /\r\n\r\n",
        "two spaces before the target": "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        "a fragment in the target": "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
        "bytes beyond ASCII in the target": "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n",
    },
    (501, "this method is not known here"): {
        "the preface of HTTP/2 with another version": "PRI * HTTP/1.1\r\nHost: a\r\n\r\n",
        "an unknown method": "BREW /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        "a method of another protocol": "DESCRIBE /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        "a method in small letters": "get /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    },
    (400, "the request line must end in HTTP/1.1"): {
        "HTTP/1.10": "GET /healthz HTTP/1.10\r\nHost: a\r\n\r\n",
        "http/1.1 in small letters": "GET / http/1.1\r\nHost: a\r\n\r\n",
        "two spaces after the target": "GET /  HTTP/1.1\r\nHost: a\r\n\r\n",
        "a space behind the version": "GET /healthz HTTP/1.1 \r\nHost: a\r\n\r\n",
        "a version of three numbers": "GET /healthz HTTP/1.1.1\r\nHost: a\r\n\r\n",
        "a version without a number": "GET /healthz HTTP/\r\nHost: a\r\n\r\n",
        "another protocol": "GET /healthz RTSP/1.0\r\nHost: a\r\n\r\n",
    },
    (400, "a space before the request line"): {
        "a space before the method": " GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    },
    (400, "the request line must begin with a method"): {
        "a tab as separator": "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "a method that is no token": "GE(T /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    },
    (501, "this server is no proxy"): {
        "CONNECT": "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    },
    (400, "a control byte in the head"): {
        "TLS bytes on a plain port": "\x16\x03\x01\x02",
        "a control byte in a value": GET + "X: \x01\r\n\r\n",
        "DEL in a value": GET + "X: \x7f\r\n\r\n",
        "chunked behind a vertical tab": POST + "Transfer-Encoding: \x0bchunked\r\n\r\n",
        "a NUL in a value": GET + "X: a\x00b\r\n\r\n",
        "a NUL in the target": "GET /healthz\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
    },
    (400, "a control byte in the head", ANY_ORIGIN): {
        "a control byte in a trailer": CHUNKED + "0\r\nX: \x01\r\n\r\n",
    },
    (400, "the request target must be a path or an http URL"): {
        "a relative target": "GET a/b HTTP/1.1\r\nHost: a\r\n\r\n",
    },
    (400, "the scheme of the request target must be http or https"): {
        "an absolute target of another scheme": "GET ftp://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
    },
    (400, "the request target has no proper host"): {
        "an absolute target without host": "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n",
        "a user in an absolute target": "GET http://u@b/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "an absolute target of a port alone": "GET http://:80/ HTTP/1.1\r\nHost: a\r\n\r\n",
    },
    (400, "the request target * is for OPTIONS"): {
        "GET *": "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    },
    (400, "more than one Host"): {
        "two Hosts": GET + "Host: a\r\n\r\n",
        "HTTP/1.0 with two Hosts": "GET /healthz HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
        "two Hosts with an absolute target": GET.replace("/h", "http://a/h") + "Host: b\r\n\r\n",
    },
    (400, "Host must be a name or address and a port"): {
        "a Host that is a list": LINE + "Host: a, b\r\n\r\n",
        "a Host with a user": LINE + "Host: u@b\r\n\r\n",
        "a Host with a space": LINE + "Host: a b\r\n\r\n",
        "a Host with a path": LINE + "Host: a/b\r\n\r\n",
        "a Host with a port that is none": LINE + "Host: a:b\r\n\r\n",
        "a Host with a port that is too large": LINE + "Host: a:65536\r\n\r\n",
        "an IPv6 Host that is not closed": LINE + "Host: [::1\r\n\r\n",
        "another port": LINE + "Host: a:80:90\r\n\r\n",
    },
    (400, "a folded header line, which is obsolete"): {
        "a folded line": GET + "X: 1\r\n 2\r\n\r\n",
        "a fold behind an empty value": GET + "X:\r\n\t2\r\n\r\n",
        "a space before the first field": LINE + " Host: a\r\n\r\n",
        "a folded Transfer-Encoding": POST + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        "a folded Content-Length": POST + "Content-Length:\r\n 5\r\n\r\nhello",
        "a field of spaces": GET + "   \r\n\r\n",
    },
    (400, "a folded header line, which is obsolete", ANY_ORIGIN): {
        "a folded trailer": CHUNKED + "1\r\nx\r\n0\r\nX: 1\r\n 2\r\n\r\n",
        "a space in front of a trailer": CHUNKED + "0\r\n X: 1\r\n\r\n",
    },
    (400, "a header line must begin with a name and a colon"): {
        "a space before the colon": LINE + "Host : a\r\n\r\n",
        "a tab before the colon": GET + "X\t: a\r\n\r\n",
        "a space before the colon of Content-Length": POST + "Content-Length : 5\r\n\r\nhello",
        "a field without name": GET + ": b\r\n\r\n",
        "a field name that is no token": GET + "X@: b\r\n\r\n",
        "a space before the colon of Transfer-Encoding": POST
        + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "a bare colon": GET + ":\r\n\r\n",
        "bytes beyond ASCII in a name": GET + "\xc3\xa4: 1\r\n\r\n",
    },
    (400, "a header line must begin with a name and a colon", ANY_ORIGIN): {
        "a trailer without name": CHUNKED + "1\r\nx\r\n0\r\n: 1\r\n\r\n",
        "a request where the trailer ends": CHUNKED + "0\r\n" + NEXT,
    },
    (400, "a header line must be a name, a colon and a value"): {
        "a field without colon": GET + "xyz\r\n\r\n",
    },
    (400, "a header line must be a name, a colon and a value", ANY_ORIGIN): {
        "a trailer that is no field": CHUNKED + "1\r\nx\r\n0\r\nxyz\r\n\r\n",
    },
    (400, "Content-Length must be one number, given once, and without Transfer-Encoding"): {
        "conflicting lengths": POST + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "a repeated length": POST + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "a list of lengths": POST + "Content-Length: 5, 5\r\n\r\nhello",
        "a signed length": POST + "Content-Length: +5\r\n\r\nhello",
        "a negative length": POST + "Content-Length: -5\r\n\r\nhello",
        "a hexadecimal length": POST + "Content-Length: 0x5\r\n\r\nhello",
        "an empty length": POST + "Content-Length:\r\n\r\nhello",
        "a length of two numbers": POST + "Content-Length: 5 5\r\n\r\nhello",
        "a length beyond 64 bits": POST + "Content-Length: 18446744073709551621\r\n\r\n",
        "both framings": POST + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "both framings, the other way round": POST
        + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        "nothing is heard after an error": POST
        + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        + NEXT,
        "a length with a fraction": POST + "Content-Length: 5.0\r\n\r\nhello",
        "a length with an underscore": POST + "Content-Length: 1_2\r\n\r\nhello",
        "a length in other digits": POST + "Content-Length: \xd9\xa5\r\n\r\nhello",
        "a length with a parameter": POST + "Content-Length: 5;a=b\r\n\r\nhello",
        "a quoted length": POST + "Content-Length: \"5\"\r\n\r\nhello",
        "two lengths of zero": POST + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
        "both framings in HTTP/1.0": POST.replace("HTTP/1.1", "HTTP/1.0")
        + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "identity as transfer coding": POST
        + "Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello",
    },
    (
        413,
        "the body is larger than this resource takes: at most 5242880 bytes are allowed",
        ANY_ORIGIN,
    ): {
        "a length above the limit": POST + "Content-Length: 5242881\r\n\r\nhello",
        "a chunk above the limit": CHUNKED + "500001\r\nhello",
    },
    (413, "the body is larger than this resource takes"): {
        "a body on GET": GET + "Content-Length: 2\r\n\r\nhi",
    },
    (400, "the request breaks the syntax of HTTP/1.1", ANY_ORIGIN): {
        "a lone LF in a chunk extension": CHUNKED + "5;a\nb\r\nhello\r\n0\r\n\r\n",
        "a NUL in a chunk extension": CHUNKED + "5;a\x00b\r\nhello\r\n0\r\n\r\n",
    },
    (400, "a chunk must begin with its size in hexadecimal digits", ANY_ORIGIN): {
        "a chunk size without digits": CHUNKED + "\r\nhello\r\n0\r\n\r\n",
        "a chunk size with 0x": CHUNKED + "0x5\r\nhello\r\n0\r\n\r\n",
        "a negative chunk size": CHUNKED + "-5\r\nhello\r\n0\r\n\r\n",
        "a space before a chunk size": CHUNKED + " 5\r\nhello\r\n0\r\n\r\n",
        "a space behind a chunk size": CHUNKED + "5 \r\nhello\r\n0\r\n\r\n",
        "a chunk size beyond 64 bits": CHUNKED + "10000000000000005\r\nhello\r\n0\r\n\r\n",
        "a lone LF after a chunk size": CHUNKED + "5\nhello\r\n0\r\n\r\n",
        "a lone LF behind a chunk": CHUNKED + "5\r\nhello\n0\r\n\r\n",
        "a chunk longer than its size": CHUNKED + "5\r\nhello!\r\n0\r\n\r\n",
        "a chunk size with an underscore": CHUNKED + "1_0\r\nhello\r\n0\r\n\r\n",
        "a chunk size with a plus": CHUNKED + "+5\r\nhello\r\n0\r\n\r\n",
        "a CR in a chunk extension": CHUNKED + "5;a\rb\r\nhello\r\n0\r\n\r\n",
        "a chunk shorter than its size": CHUNKED + "5\r\nhell\r\n0\r\n\r\n",
    },
    (400, "Transfer-Encoding together with Content-Length"): {
        "both framings, the coding empty": POST
        + "Transfer-Encoding:\r\nContent-Length: 4\r\n\r\nabcd",
    },
    (501, "the only Transfer-Encoding understood is chunked"): {
        "an empty Transfer-Encoding": POST + "Transfer-Encoding:\r\n\r\n",
        "another transfer coding": POST + "Transfer-Encoding: gzip\r\n\r\n",
        "gzip under chunked": POST + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "two Transfer-Encodings, chunked last": POST
        + "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "almost chunked": POST + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "quoted chunked": POST + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
        "chunked with a parameter": POST + "Transfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n",
        "a comma, then chunked": POST + "Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n",
        "chunked with a letter beyond ASCII": POST
        + "Transfer-Encoding: chun\xe2\x84\xaaed\r\n\r\n0\r\n\r\n",
    },
    (501, "the only Transfer-Encoding understood is chunked, once"): {
        "chunked under gzip": POST + "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
        "chunked twice": POST + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        "two Transfer-Encodings": POST
        + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        "chunked, then a comma": POST + "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n",
    },
    (400, "HTTP/1.0 has no Transfer-Encoding"): {
        "Transfer-Encoding in HTTP/1.0": CHUNKED.replace("HTTP/1.1", "HTTP/1.0") + "0\r\n\r\n",
    },
    (417, "the only expectation understood is 100-continue"): {
        "an unknown expectation": POST + "Expect: tea\r\nContent-Length: 1\r\n\r\nx",
        "an empty expectation": POST + "Expect:\r\nContent-Length: 12\r\n\r\n{\"batch\":[]}",
        "an expectation and another": POST
        + "Expect: 100-continue, tea\r\nContent-Length: 12\r\n\r\n{\"batch\":[]}",
    },
    (415, "Content-Encoding must be gzip, deflate or identity", "Accept-Encoding: gzip, deflate"): {
        "an unknown coding": POST + "Content-Encoding: br\r\nContent-Length: 1\r\n\r\nx",
        "two codings": POST + "Content-Encoding: gzip, gzip\r\nContent-Length: 1\r\n\r\nx",
    },
}

LONG = "y" * 16384
OVERSIZED = {
    (414, "the request target is too long: at most 8192 bytes are allowed"): {
        "a target": f"GET /{'a' * 8192} HTTP/1.1\r\nHost: a\r\n\r\n",
        "a method": "A" * 9000 + " / HTTP/1.1\r\nHost: a\r\n\r\n",
        "a line without an end": "A" * 90000,
        "a version": f"GET / HTTP/1.{'1' * 9000}\r\n\r\n",
    },
    (431, "the header fields are too large: at most 16384 bytes are allowed"): {
        "a value": GET + f"X: {LONG}\r\n\r\n",
        "a name": GET + f"{LONG}: x\r\n\r\n",
        "a field without an end": GET + "X: " + LONG * 8,
        "fields together": GET + f"X: {'y' * 400}\r\n" * 50 + "\r\n",
    },
    (431, "the header fields are too large: at most 16384 bytes are allowed", ANY_ORIGIN): {
        "a trailer": CHUNKED + f"0\r\nX: {LONG}\r\n\r\n",
    },
    (431, "too many header fields: at most 100 lines are allowed"): {
        "a hundred and one fields": GET + "X: y\r\n" * 100 + "\r\n",
    },
    (431, "too many header fields: at most 100 lines are allowed", ANY_ORIGIN): {
        "a hundred and one trailers": CHUNKED + "0\r\n" + "X: y\r\n" * 101 + "\r\n",
    },
    (400, "the size line of a chunk is too long", ANY_ORIGIN): {
        "a chunk extension": CHUNKED + f"1;{'a' * 300}\r\nx\r\n0\r\n\r\n",
        "zeros of a chunk size": CHUNKED + "0" * 300 + "1\r\nx\r\n0\r\n\r\n",
    },
    (
        413,
        "the body is larger than this resource takes: at most 262144 bytes are allowed",
        ANY_ORIGIN,
    ): {
        "a body of its route": POST.replace("batch", "track")
        + "Content-Length: 262145\r\n\r\n"
        + "x" * 262145,
        "chunks together": CHUNKED.replace("batch", "track")
        + f"20000\r\n{'x' * 0x20000}\r\n" * 3
        + "0\r\n\r\n",
    },
}

BROKEN_OFF = {  # our side ends there
    "a request line": "GET /hea",
    "a field": GET + "X: ",
    "a head": GET,
    "a body": POST + "Content-Length: 5\r\n\r\nhell",
    "a chunk size": CHUNKED + "5",
    "a chunk": CHUNKED + "5\r\nhel",
    "what follows a chunk": CHUNKED + "5\r\nhello",
    "the last chunk": CHUNKED + "5\r\nhello\r\n0\r\n",
    "a trailer": CHUNKED + "0\r\nX: 1\r\n",
}

NOTHING_THERE = problem(404, "there is nothing at this path: see /openapi.json")
OTHER_METHODS = "this path has other methods: see Allow"
ALLOW = "Allow: GET, HEAD, OPTIONS"
NO_OBJECT = problem(400, "JSON: an object expected at byte 0 (line 1)", ANY_ORIGIN)

# Requests that look odd and are none the less, and refusals that say nothing about framing: the
# connection takes a further one.
ANSWERED = {
    "a request": (NEXT, healthy()),
    "empty lines before it": ("\r\n\r\n" + NEXT, healthy()),
    "HTTP/1.2": (LINE.replace("1.1", "1.2") + "Host: a\r\n\r\n", healthy()),
    "an empty Host": (LINE + "Host:\r\n\r\n", healthy()),
    "a Host with a port": (LINE + "Host: a:65535\r\n\r\n", healthy()),
    "a Host with a port of no digits": (LINE + "Host: a:\r\n\r\n", healthy()),
    "an IPv6 Host": (LINE + "Host: [::1]:80\r\n\r\n", healthy()),
    "an IPv6 Host without a port": (LINE + "Host: [::ffff:127.0.0.1]\r\n\r\n", healthy()),
    "an absolute target": ("GET http://b.c:8/healthz HTTP/1.1\r\nHost: a\r\n\r\n", healthy()),
    "an empty query": ("GET /healthz? HTTP/1.1\r\nHost: a\r\n\r\n", healthy()),
    "bytes beyond ASCII in a value": (GET + "X: \xc3\xa4\r\n\r\n", healthy()),
    "a hundred fields": (GET + "X: y\r\n" * 99 + "\r\n", healthy()),
    "fields at the limit": (GET + f"X: {'y' * (16384 - 10)}\r\n\r\n", healthy()),
    "an upgrade that is not taken": (
        GET + "Upgrade: h2c\r\nConnection: upgrade\r\n\r\n",
        healthy(),
    ),
    "HTTP/1.0 that keeps alive": (
        "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        healthy(last="keep-alive"),
    ),
    "HEAD": (
        "HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        reply(200, "application/json", "", size=16),
    ),
    "OPTIONS": (
        "OPTIONS /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        reply(204, None, "", ALLOW, size=False),
    ),
    "OPTIONS of all": (
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        reply(204, None, "", "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS", size=False),
    ),
    "two in one piece": (NEXT + NEXT, healthy() + healthy()),
    "a body": (POST + "Content-Length: 12\r\n\r\n" + BATCH, TAKEN),
    "leading zeros of a length": (POST + "Content-Length: 00012\r\n\r\n" + BATCH, TAKEN),
    "a chunked body": (CHUNKED + '9\r\n{"batch":\r\n3\r\n[]}\r\n0\r\n\r\n', TAKEN),
    "chunk sizes in capitals": (CHUNKED + f"C\r\n{BATCH}\r\n0\r\n\r\n", TAKEN),
    "leading zeros of a chunk size": (CHUNKED + f"000c\r\n{BATCH}\r\n00\r\n\r\n", TAKEN),
    "a chunk extension": (CHUNKED + f'c;a="b c"\r\n{BATCH}\r\n0;d\r\n\r\n', TAKEN),
    "CHUNKED": (POST + f"Transfer-Encoding:\tCHUNKED\r\n\r\nc\r\n{BATCH}\r\n0\r\n\r\n", TAKEN),
    "a trailer that would close": (
        CHUNKED + f"c\r\n{BATCH}\r\n0\r\nConnection: close\r\n\r\n",
        TAKEN,
    ),
    "a trailer that would frame": (
        CHUNKED + f"c\r\n{BATCH}\r\n0\r\nContent-Length: 99\r\nTransfer-Encoding: x\r\n\r\n",
        TAKEN,
    ),
    "identity": (POST + f"Content-Encoding: identity\r\nContent-Length: 12\r\n\r\n{BATCH}", TAKEN),
    "an expectation that is met": (
        POST + f"Expect: 100-continue\r\nContent-Length: 12\r\n\r\n{BATCH}",
        TAKEN,
    ),
    "a body that is no gzip": (
        POST + "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
        problem(400, "the body is not what Content-Encoding says", ANY_ORIGIN),
    ),
    "a body that is no JSON": (POST + "Content-Length: 5\r\n\r\nhello", NO_OBJECT),
    "no key": (
        POST.replace("Authorization: Bearer {key}", "X: y") + "Content-Length: 12\r\n\r\n" + BATCH,
        problem(401, "a key is needed: Authorization: Bearer KEY", ANY_ORIGIN, CHALLENGE),
    ),
    "no key, and no body": (
        "GET /v1/customers HTTP/1.1\r\nHost: a\r\n\r\n",
        problem(401, "a key is needed: Authorization: Bearer KEY", CHALLENGE),
    ),
    "a key that is none": (
        "GET /v1/customers HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\n\r\n",
        problem(401, "nobody has this key", CHALLENGE),
    ),
    "a key that may not": (
        "GET /v1/customers HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\n\r\n",
        problem(403, "this key may not do that: the scope read or staff is needed"),
    ),
    "nothing there": ("GET /no HTTP/1.1\r\nHost: a\r\n\r\n", NOTHING_THERE),
    "slashes": ("GET //healthz HTTP/1.1\r\nHost: a\r\n\r\n", NOTHING_THERE),
    "dots": ("GET /v1/../healthz HTTP/1.1\r\nHost: a\r\n\r\n", NOTHING_THERE),
    "a NUL in letters": ("GET /healthz%00 HTTP/1.1\r\nHost: a\r\n\r\n", NOTHING_THERE),
    "a target at the limit": (f"GET /{'a' * 8191} HTTP/1.1\r\nHost: a\r\n\r\n", NOTHING_THERE),
    "another method": (
        "DELETE /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        problem(405, OTHER_METHODS, ALLOW),
    ),
    "TRACE": (
        "TRACE /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        problem(405, OTHER_METHODS, ALLOW),
    ),
    "reading where one writes": (
        "GET /v1/batch HTTP/1.1\r\nHost: a\r\n\r\n",
        problem(405, OTHER_METHODS, ANY_ORIGIN, "Allow: POST, OPTIONS"),
    ),
    "a query that nobody reads": (
        "GET /healthz?x=1 HTTP/1.1\r\nHost: a\r\n\r\n",
        problem(400, "GET /healthz knows no ?x=, nor anything else in the query"),
    ),
    "a query that is no text": (
        POST.replace("batch", "batch?wait=%ff") + f"Content-Length: 12\r\n\r\n{BATCH}",
        problem(400, "?wait= is not UTF-8", ANY_ORIGIN),
    ),
    "a query that is broken": (
        "GET /healthz?%zz HTTP/1.1\r\nHost: a\r\n\r\n",
        problem(400, "the query holds a broken %-escape"),
    ),
}

# Answers behind which nothing more is heard.
CLOSED = {
    "Connection: close": (GET + "Connection: close\r\n\r\n" + NEXT, healthy(last="close")),
    "close in a list": (GET + "Connection: x, Close\r\n\r\n" + NEXT, healthy(last="close")),
    "HTTP/1.0": ("GET /healthz HTTP/1.0\r\n\r\n" + NEXT, healthy(last="close")),
    "HTTP/1.0 that says both": (
        "GET /healthz HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
        healthy(last="close"),
    ),
    "an expectation in HTTP/1.0": (
        "GET /healthz HTTP/1.0\r\nExpect: tea\r\n\r\n",
        healthy(last="close"),
    ),
    "a refusal before the body": (
        "PUT /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 41\r\n\r\n" + NEXT,
        problem(405, OTHER_METHODS, ALLOW, last="close"),
    ),
    "a refusal before the chunks": (
        "DELETE /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + NEXT,
        problem(405, OTHER_METHODS, ALLOW, last="close"),
    ),
    "a key that is none, and a body": (
        POST.replace("{key}", "x") + "Content-Length: 41\r\n\r\n" + NEXT,
        problem(401, "nobody has this key", ANY_ORIGIN, CHALLENGE, last="close"),
    ),
    "an answer that was owed": (
        NEXT + "BAD\r\n\r\n",
        healthy() + problem(400, "the request line must begin with a method", last="close"),
    ),
}


def cases():
    for answers in (REFUSED, OVERSIZED):
        for answer, requests in answers.items():
            for name, data in requests.items():
                yield name, data, problem(*answer, last="close"), "closed"
    for name, data in BROKEN_OFF.items():
        fields = [ANY_ORIGIN] if "\r\n\r\n" in data else []
        yield (
            name + " that breaks off",
            data,
            problem(400, "the request broke off", *fields, last="close"),
            "ended by us",
        )
    for name, (data, answer) in ANSWERED.items():
        yield name, data, answer, "kept"
    for name, (data, answer) in CLOSED.items():
        yield name, data, answer, "closed"


def send(peer, data, is_cut):
    """Whole, or byte by byte, what is long in 300 pieces."""
    step = max(1, len(data) // 300) if is_cut else len(data)
    try:
        for at in range(0, len(data), step):
            peer.sendall(data[at : at + step])
    except (BrokenPipeError, ConnectionResetError):
        pass  # the answer has been given, and what else there is to say about it is read


def read(peer, size=None):
    """Until the daemon ends it, or so many bytes have come."""
    answer = b""
    while size is None or len(answer) < size:
        part = peer.recv(65536)
        if not part:
            break
        answer += part
    text = re.sub(
        r"\r\nDate: \w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT\r", "\r\nDate: NOW\r", answer.decode()
    )
    return text.removeprefix("HTTP/1.1 100 Continue\r\n\r\n")


@pytest.mark.parametrize("is_cut", [False, True], ids=["whole", "cut"])
def test_every_request_has_its_exact_answer(daemon, is_cut):
    wrong, count = [], 0
    entries = daemon.metric("kith_log_entries")
    for name, data, answer, fate in cases():
        with socket.create_connection(("127.0.0.1", daemon.port), timeout=20) as peer:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            send(peer, data.replace("{key}", daemon.key("write")).encode("latin-1"), is_cut)
            wanted = answer
            if fate == "ended by us":
                peer.shutdown(socket.SHUT_WR)
            if fate == "kept":  # what comes next is asked for behind the answer, and closes
                peer.sendall((GET + "Connection: close\r\n\r\n").encode())
                wanted += healthy(last="close")
            got = read(peer)
            count += 1
            if got != wanted:
                wrong.append((name, data[:200], got, wanted))
    print(f"{count} requests")
    assert wrong == [] and count >= 190
    assert daemon.metric("kith_log_entries") == entries
