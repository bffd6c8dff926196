#!/usr/bin/python3
"""referee_smtp.py PROGRAM -- a server that misbehaves on purpose, and what libcurl and
smtp_judge() make of it together.

The table in smtp.h rests on what libcurl tells about a dialogue, which no manual promises.  Here
the real one talks to a server that refuses, or breaks off, at each step.
"""
import socket
import subprocess
import sys
import threading
import unittest

PROGRAM = sys.argv.pop(1)
MESSAGE = b"Subject: x\r\n\r\n.dot\r\nbody\r\n"
DROP = object()


class Sink(threading.Thread):
    """Answers one connection; `script` has what differs from a good server."""

    def __init__(self, script):
        super().__init__(daemon=True)
        self.script = script
        self.body = None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def run(self):
        connection, _ = self.listener.accept()
        with connection, connection.makefile("rb") as lines:
            self.talk(connection, lines)

    def answer(self, connection, step, good):
        reply = self.script.get(step, good)
        if reply is DROP:
            return False
        connection.sendall(reply.encode() + b"\r\n")
        return True

    def talk(self, connection, lines):
        if not self.answer(connection, "CONNECT", "220 sink"):
            return
        good = {"EHLO": "250-sink\r\n250 SIZE", "HELO": "250 sink", "QUIT": "221 bye"}
        for line in lines:
            step = line.split()[0].decode().upper()
            if step == "DATA":
                if not self.answer(connection, step, "354 go"):
                    return
                if not self.script.get(step, "354").startswith("354"):
                    continue
                if not self.read_body(lines):
                    return
                step = "END"
            if not self.answer(connection, step, good.get(step, "250 2.0.0 ok")):
                return
            if step == "QUIT":
                return

    def read_body(self, lines):
        if "BODY" in self.script:
            lines.readline()
            return False
        body = []
        for line in lines:
            if line == b".\r\n":
                self.body = b"".join(body)
                return True
            body.append(line)
        return False


def send(message=MESSAGE, **script):
    sink = Sink(script)
    sink.start()
    done = subprocess.run(
        [PROGRAM, f"smtp://127.0.0.1:{sink.port}"], input=message, capture_output=True, check=True
    )
    sink.join(30)
    sink.listener.close()
    result, code, is_bad, is_setup, text = done.stdout.decode().rstrip("\n").split(" ", 4)
    return (result, int(code), is_bad == "1", is_setup == "1"), text, sink


class Outcomes(unittest.TestCase):
    def check(self, wanted, **script):
        found, text, _ = send(**script)
        self.assertEqual(found, wanted, (script, text))

    def test_what_is_taken_is_sent_as_it_was(self):
        found, _, sink = send()
        self.assertEqual(found, ("sent", 250, False, False))
        self.assertEqual(sink.body, MESSAGE.replace(b"\r\n.", b"\r\n.."))

    def test_a_connection_lost_after_the_end_leaves_doubt(self):
        self.check(("uncertain", 0, False, False), END=DROP)

    def test_a_connection_lost_before_the_end_does_not(self):
        for step in ("CONNECT", "EHLO", "MAIL", "RCPT", "DATA"):
            self.check(("retry", 0, False, False), **{step: DROP, "HELO": DROP})

    def test_a_connection_lost_inside_a_long_message_is_never_taken_for_a_refusal(self):
        found, text, _ = send(message=b"x" * 70 + b"\r\n" * 30000, BODY=DROP)
        self.assertIn(found[0], ("retry", "uncertain"), text)

    def test_refusals_for_now_are_tried_again(self):
        for step, code in (("MAIL", 451), ("RCPT", 450), ("DATA", 421), ("END", 451)):
            self.check(("retry", code, False, False), **{step: f"{code} 4.3.0 later"})

    def test_refusals_for_good_are_rejected(self):
        for step in ("MAIL", "RCPT", "DATA", "END"):
            self.check(("rejected", 554, False, False), **{step: "554 5.7.1 no"})
        self.check(("rejected", 550, True, False), RCPT="550 5.1.1 nobody")
        self.check(("rejected", 550, True, False), RCPT="550-5.1.1 no\r\n550 5.1.1 body")
        self.check(("rejected", 550, True, False), END="550 5.1.1 nobody")

    def test_a_server_that_refuses_us_is_for_an_operator(self):
        self.check(("retry", 554, False, True), CONNECT="554 not you")
        self.check(("retry", 530, False, True), MAIL="530 5.7.0 log in first")

    def test_the_words_of_the_server_are_kept(self):
        _, text, _ = send(RCPT="550-5.1.1 The address\r\n550 5.1.1 is gone")
        self.assertEqual(text, "5.1.1 The address 5.1.1 is gone")

    def test_nobody_there_is_tried_again(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        done = subprocess.run(
            [PROGRAM, f"smtp://127.0.0.1:{port}"], input=MESSAGE, capture_output=True, check=True
        )
        self.assertTrue(done.stdout.startswith(b"retry 0 0 0 "), done.stdout)


if __name__ == "__main__":
    done = unittest.main(exit=False, verbosity=1).result
    bad = len(done.failures) + len(done.errors)
    print(f"[  PASSED  ] {done.testsRun - bad} tests.")
    if bad:
        print(f"[  FAILED  ] {bad} tests.")
    sys.exit(1 if bad else 0)
