"""A receiver of webhooks that a test tells how to behave, and what it saw.

`behave(request)` gives for each request what becomes of it: an Answer, DROP (the connection ends
without an answer), or one of these after a delay.  Whatever was said with a status of 2xx counts as
taken.
"""
import collections
import http.server
import json
import socket
import threading
import time

from conftest import BUILD

DROP = object()
Request = collections.namedtuple("Request", "path headers body at")
Reply = collections.namedtuple("Reply", "status headers delay", defaults=((), 0))


def receiver(name, port, more=""):
    """A receiver at `port`, whose secret is in the file hook.secret, as a table of receivers()."""
    return (
        f'{name} = {{ url = "http://127.0.0.1:{port}/in", secret = secret "hook.secret", '
        f"allow_private = true, {more} }}"
    )


def receivers(*tables):
    """The plugin "webhook" in kith.lua, with these receivers: 'erp = { url = ... }'."""
    grant = '"append", "channel", "fetch", "fetch-private", "routes"'
    return (
        f'plugins "{BUILD / "plugins"}"\n'
        f'plugin "webhook" {{ grant = {{ {grant} }}, '
        f'config = {{ receivers = {{ {", ".join(tables)} }} }} }}\n'
    )


class Receiver:
    def __init__(self, behave=lambda request: Reply(200), tls=None):
        self.behave, self.lock = behave, threading.Lock()
        self.requests, self.taken = [], []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.serve(self, Request(self.path, headers, body, time.monotonic()))

            do_GET = do_POST

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 256
            daemon_threads = True

            def handle_error(self, *_):
                pass  # the daemon was killed, or had no more patience

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def serve(self, handler, request):
        with self.lock:
            self.requests.append(request)
            reply = self.behave(request)
        if reply is DROP:
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        if reply.delay:
            time.sleep(reply.delay)
        if 200 <= reply.status < 300:
            with self.lock:
                self.taken.append(request)
        handler.send_response(reply.status)
        for name, value in reply.headers:
            handler.send_header(name, value)
        handler.send_header("Content-Length", "2")
        handler.end_headers()
        handler.wfile.write(b"{}")

    def count(self):
        with self.lock:
            return len(self.requests)

    def seen(self):
        with self.lock:
            return list(self.requests)

    def accepted(self):
        with self.lock:
            return list(self.taken)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def data_of(request):
    return json.loads(request.body)["data"]
