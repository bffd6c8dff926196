#!/usr/bin/python3
"""referee_mail.py PROGRAM -- Python's email package and dkimpy judge the e-mail plugin.

Messages that it composes are read by the one and verified by the other; messages that the one
writes are read by it.  Prints the closing line that tests/run.py counts.
"""
import base64
import email
import email.header
import email.message
import email.policy
import email.utils
import random
import subprocess
import sys
import unittest

import dkim

PROGRAM = sys.argv.pop(1)

CHINESE = "春天的问候：感谢您一直以来的支持，我们准备了一份特别的礼物给您，欢迎随时光临"
GERMAN = "Grüße aus Köln: schöne Öfen für süße Mäuse"


def run(*arguments, stdin):
    return subprocess.run([PROGRAM, *arguments], input=stdin, capture_output=True, check=False)


def fields(pairs):
    def as_bytes(value):
        return value if isinstance(value, bytes) else str(value).encode()

    return b"".join(
        b"%s %d\n%s\n" % (name.encode(), len(as_bytes(value)), as_bytes(value))
        for name, value in pairs
    )


def unfields(data):
    while data:
        head, data = data.split(b"\n", 1)
        name, size = head.split(b" ")
        yield name.decode(), data[: int(size)].decode()
        data = data[int(size) + 1 :]


BASE = {
    "id": "1842.0.abcdef",
    "domain": "shop.example",
    "time": 1700000000,
    "from": "Care <care@shop.example>",
    "to": "ann@example.com",
    "subject": "Hello",
    "text": "Hello Ann,\nall is well.\n",
}


def compose(*more, **values):
    base = {k: v for k, v in (BASE | values).items() if v is not None}
    return run("compose", stdin=fields([*base.items(), *more]))


def composed(*more, **values):
    done = compose(*more, **values)
    assert done.returncode == 0, done.stderr
    return done.stdout


def parsed(raw):
    return email.message_from_bytes(raw, policy=email.policy.SMTP)


def names(raw, field):
    """Display names; the newer policy puts a blank between two encoded words of a name."""
    value = email.message_from_bytes(raw)[field]
    return [
        str(email.header.make_header(email.header.decode_header(name)))
        for name, _ in email.utils.getaddresses([value])
    ]


def signing_key(kind):
    words = {"rsa": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "ed25519": ["ed25519"]}[kind]
    return subprocess.run(
        ["openssl", "genpkey", "-algorithm", *words], capture_output=True, check=True
    ).stdout


def dns_record(pem, kind):
    der = subprocess.run(
        ["openssl", "pkey", "-pubout", "-outform", "DER"],
        input=pem,
        capture_output=True,
        check=True,
    ).stdout
    public = der[-32:] if kind == "ed25519" else der
    return f"v=DKIM1; k={kind}; p=".encode() + base64.b64encode(public)


class Composed(unittest.TestCase):
    """What the plugin writes, as others read it."""

    def check_form(self, raw):
        self.assertNotIn(b"\0", raw)
        self.assertEqual(raw.count(b"\n"), raw.count(b"\r\n"))
        self.assertEqual(raw.count(b"\r"), raw.count(b"\r\n"))
        self.assertTrue(raw.isascii())
        self.assertLessEqual(max(map(len, raw.split(b"\r\n"))), 998)
        message = parsed(raw)
        for part in message.walk():
            self.assertEqual(part.defects, [])
            for name, value in part.items():
                self.assertEqual(value.defects, (), f"{name}: {value}")
        return message

    def test_texts_and_names_arrive_as_they_were(self):
        for word in (
            "plain",
            GERMAN,
            CHINESE,
            "a=?b",
            "=?utf-8?q?x?=",
            "x" * 300,
            "tab\tbed",
            "😀" * 40,
            'quo"te\\d',
            "a, b; c: <d>",
            "ß",
            "Ö x" * 60,
        ):
            quoted = word[:50].replace("\\", "\\\\").replace('"', '\\"').replace("\t", " ")
            raw = composed(
                subject=word,
                text=f"{word}\nFrom here\n.\n..dot\n trailing \t\n",
                to=f'"{quoted}" <ann@example.com>, bob@example.com',
            )
            message = self.check_form(raw)
            longest = max(raw.split(b"\r\n"), key=len)
            self.assertLessEqual(len(longest), 998 if word == "x" * 300 else 78, longest)
            self.assertEqual(message["subject"], word)
            meant = "x" if word.startswith("=?utf-8") else word  # a name may come encoded
            self.assertEqual(names(raw, "To")[0], meant.replace("\t", " ")[:50].strip())
            self.assertEqual(
                [a.addr_spec for a in message["to"].addresses],
                ["ann@example.com", "bob@example.com"],
            )
            self.assertEqual(
                message.get_content().replace("\r\n", "\n"),
                f"{word}\nFrom here\n.\n..dot\n trailing \t\n",
            )

    def test_random_texts_survive(self):
        chance = random.Random(7)
        letters = "abc .=?_\t\n\"<>,ßüé中文字😀\u200b-"
        for _ in range(60):
            text = "".join(chance.choices(letters, k=chance.randrange(1, 400)))
            subject = " ".join(text.split())
            message = self.check_form(composed(text=text, subject=subject))
            self.assertEqual(
                message.get_content().replace("\r\n", "\n").rstrip("\n"), text.rstrip("\n")
            )
            self.assertEqual(" ".join(message["subject"].split()), subject)

    def test_markdown_is_text_and_html(self):
        message = self.check_form(
            composed(
                text=None,
                markdown=f"# {GERMAN}\n\nSee [us](https://x.example) & *more*\n\n- a\n- b\n",
            )
        )
        self.assertEqual(message.get_content_type(), "multipart/alternative")
        text, html = message.iter_parts()
        self.assertEqual(
            text.get_content().replace("\r\n", "\n").strip(),
            f"{GERMAN}\n\nSee us (https://x.example) & more\n\n- a\n- b",
        )
        self.assertIn(f"<h1>{GERMAN}</h1>", html.get_content())
        self.assertIn('<a href="https://x.example">us</a> &amp; <em>more</em>', html.get_content())

    def test_attachments_arrive_byte_by_byte_under_their_names(self):
        data = random.Random(3).randbytes(5000)
        names = [
            "a.pdf",
            "Angebot für Köln.pdf",
            "报价单" * 20 + ".pdf",
            'we"ird; name\\.txt',
            "x" * 200,
        ]
        for size in (0, 1, 2, 3, 57, 58, 5000):
            more = [
                pair
                for name in names
                for pair in (
                    ("attachment_name", name),
                    ("attachment_type", "application/pdf"),
                    ("attachment_data", data[:size]),
                )
            ]
            message = self.check_form(composed(*more))
            self.assertEqual(message.get_content_type(), "multipart/mixed")
            attached = list(message.iter_attachments())
            self.assertEqual([part.get_filename() for part in attached], names)
            for part in attached:
                self.assertEqual(part.get_content(), data[:size])

    def test_inline_images_are_related_to_the_html(self):
        message = self.check_form(
            composed(
                ("attachment_name", "logo.png"),
                ("attachment_type", "image/png"),
                ("attachment_id", "logo@shop"),
                ("attachment_data", b"\x89PNG"),
                ("attachment_name", "a.txt"),
                ("attachment_type", "text/plain"),
                ("attachment_id", ""),
                ("attachment_data", b"hello"),
                html='<img src="cid:logo@shop">',
            )
        )
        self.assertEqual(
            [part.get_content_type() for part in message.walk()],
            [
                "multipart/mixed",
                "multipart/alternative",
                "text/plain",
                "multipart/related",
                "text/html",
                "image/png",
                "text/plain",
            ],
        )

    def test_the_header_says_what_it_should(self):
        message = self.check_form(
            composed(
                ("header_name", "Feedback-ID"),
                ("header_value", "spring:shop:kith"),
                ("header_name", "X-Note"),
                ("header_value", CHINESE),
                unsubscribe_url="https://shop.example/u/" + "a" * 120,
                unsubscribe_mail="mailto:out@shop.example",
                automatic="1",
                reply_to="Ann Bär <ann@bücher.example>",
            )
        )
        self.assertEqual(message["date"].datetime.timestamp(), 1700000000)
        self.assertEqual(message["message-id"], "<1842.0.abcdef@shop.example>")
        self.assertEqual(message["list-unsubscribe-post"], "List-Unsubscribe=One-Click")
        self.assertEqual(
            message["list-unsubscribe"].split(),
            ["<https://shop.example/u/" + "a" * 120 + ">,", "<mailto:out@shop.example>"],
        )
        self.assertEqual(message["auto-submitted"], "auto-generated")
        self.assertEqual(message["feedback-id"], "spring:shop:kith")
        self.assertEqual(message["x-note"], CHINESE)
        self.assertEqual(message["reply-to"].addresses[0].addr_spec, "ann@xn--bcher-kva.example")

    def test_the_same_input_gives_the_same_bytes(self):
        self.assertEqual(composed(), composed())

    def test_nothing_can_be_injected(self):
        evil = "x\r\nBcc: all@example.com"
        for values in (
            {"subject": evil},
            {"to": evil},
            {"from": f"{evil} <a@b.example>"},
            {"to": f'"{evil}" <a@b.example>'},
            {"reply_to": "a@b.example\r\n"},
            {"subject": "nul\0"},
            {"id": "a\r\nb"},
            {"domain": "x>\r\nBcc: y"},
            {"unsubscribe_url": "https://x/>\r\nBcc: y"},
            {"unsubscribe_mail": "mailto:a@b,c@d"},
            {"to": "a@b.example>, <x@y"},
        ):
            done = compose(**values)
            self.assertEqual((done.returncode, done.stdout), (2, b""), values)
        for name, value in (
            ("X-A", evil),
            ("X-A\r\nBcc", "x"),
            ("X-A: b", "x"),
            ("", "x"),
            ("Bcc", "x"),
            ("content-type", "text/html"),
            ("X A", "x"),
        ):
            done = compose(("header_name", name), ("header_value", value))
            self.assertEqual((done.returncode, done.stdout), (2, b""), name)
        for key, value in (
            ("name", evil),
            ("type", "text/x; name=\"y\""),
            ("type", "x\r\ny/z"),
            ("id", "a>\r\nb"),
        ):
            parts = {"name": "a", "type": "text/plain", "id": "", "data": "x", key: value}
            done = compose(*((f"attachment_{k}", v) for k, v in parts.items()))
            self.assertEqual((done.returncode, done.stdout), (2, b""), value)


class Signed(unittest.TestCase):
    """DKIM, verified by dkimpy."""

    @classmethod
    def setUpClass(cls):
        cls.keys = {kind: signing_key(kind) for kind in ("rsa", "ed25519")}

    def verify(self, raw, kind, index=0):
        record = dns_record(self.keys[kind], kind)
        try:
            return dkim.DKIM(raw).verify(idx=index, dnsfunc=lambda *_, **__: record)
        except dkim.ValidationError:
            return False

    def test_both_algorithms_verify(self):
        for kind, pem in self.keys.items():
            for more in ((), (("attachment_name", "a"), ("attachment_data", b"x" * 9999))):
                for text in ("Hello\n", "\n\n\n", "a  b \t c  \n\n\nd\n\n\n", CHINESE * 50, ""):
                    raw = composed(
                        ("key", pem),
                        ("selector", "k1"),
                        *more,
                        text=text,
                        subject=f"{GERMAN}   {CHINESE}  ",
                        unsubscribe_url="https://shop.example/u/1",
                    )
                    self.assertTrue(self.verify(raw, kind), (kind, text))

    def test_both_at_once_verify(self):
        raw = composed(("key", self.keys["rsa"]), ("key", self.keys["ed25519"]), ("selector", "k1"))
        self.assertTrue(self.verify(raw, "rsa", 0))
        self.assertTrue(self.verify(raw, "ed25519", 1))

    def test_what_is_changed_or_added_breaks_it(self):
        for kind, pem in self.keys.items():
            raw = composed(("key", pem), ("selector", "k1"))
            self.assertTrue(self.verify(raw, kind))
            for changed in (
                raw.replace(b"all is well", b"all is lost"),
                raw.replace(b"Subject: Hello", b"Subject: Hallo"),
                raw.replace(b"Date:", b"From: x@y.example\r\nDate:"),
                raw.replace(b"Date:", b"Subject: more\r\nDate:"),
                raw.replace(b"Date:", b"Reply-To: x@y.example\r\nDate:"),
            ):
                self.assertNotEqual(changed, raw)
                self.assertFalse(self.verify(changed, kind))

    def test_the_same_message_has_the_same_signature(self):
        for pem in self.keys.values():
            order = (("key", pem), ("selector", "k1"))
            self.assertEqual(composed(*order), composed(*order))

    def test_unfit_keys_are_refused(self):
        small = subprocess.run(
            ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
            capture_output=True,
            check=True,
        ).stdout
        curve = subprocess.run(
            ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
            capture_output=True,
            check=True,
        ).stdout
        locked = subprocess.run(
            ["openssl", "pkey", "-aes128", "-passout", "pass:secret"],
            input=self.keys["rsa"],
            capture_output=True,
            check=True,
        ).stdout
        for pem, word in (
            (small, b"1024 bits"),
            (curve, b"neither RSA nor"),
            (b"x", b"PEM"),
            (locked, b"unencrypted"),
        ):
            done = compose(("key", pem), ("selector", "k1"))
            self.assertEqual(done.returncode, 2)
            self.assertIn(word, done.stderr)


class Read(unittest.TestCase):
    """What others write, as the plugin reads it."""

    def read(self, raw, size=4096):
        done = run("read", str(size), stdin=raw)
        self.assertEqual(done.returncode, 0, done.stderr)
        return list(unfields(done.stdout))

    def message(self, encoding, charset, text, names):
        message = email.message.EmailMessage(policy=email.policy.SMTP)
        message["From"] = "Käthe Müller <bob@example.com>"
        message["Subject"] = f"Re: {CHINESE} {GERMAN}"
        message.set_content(text, charset=charset, cte=encoding)
        message.add_alternative(f"<p>{text}</p>", subtype="html")
        for name in names:
            message.add_attachment(
                b"\0\1\2" * 500, maintype="application", subtype="pdf", filename=name
            )
        return message.as_bytes()

    def test_messages_of_another_program_are_understood(self):
        for encoding, charset, text in (
            ("quoted-printable", "utf-8", GERMAN),
            ("base64", "utf-8", CHINESE),
            ("8bit", "iso-8859-1", GERMAN),
            ("base64", "gb2312", CHINESE),
            ("base64", "big5", "春天"),
            ("7bit", "iso-2022-jp", "こんにちは"),
            ("base64", "shift_jis", "こんにちは"),
            ("quoted-printable", "koi8-r", "Привет"),
            ("base64", "euc-kr", "안녕하세요"),
            ("8bit", "utf-8", "😀 ok"),
            ("quoted-printable", "windows-1252", "“x” – €5"),
        ):
            names = ["Angebot für Köln.pdf", "报价单" * 15 + ".pdf", "plain.pdf"]
            raw = self.message(encoding, charset, text + "\nend\n", names)
            once = self.read(raw)
            found = dict(once)
            self.assertEqual(found["subject"], f"Re: {CHINESE} {GERMAN}")
            self.assertEqual((found["from"], found["spec"]), ("Käthe Müller", "bob@example.com"))
            self.assertEqual(found["text"].rstrip("\n"), text + "\nend", charset)
            self.assertEqual([v for k, v in once if k == "attachment"], names)
            self.assertEqual([v for k, v in once if k == "size"], ["1500"] * 3)
            for size in (1, 2, 7, 61):
                self.assertEqual(self.read(raw, size), once)

    def test_what_the_plugin_writes_it_reads(self):
        raw = composed(
            ("attachment_name", "报价单.pdf"),
            ("attachment_data", b"x" * 100),
            subject=CHINESE,
            text=f"{CHINESE}\n{GERMAN}\n",
            html="<b>x</b>",
        )
        found = dict(self.read(raw))
        self.assertEqual(found["subject"], CHINESE)
        self.assertEqual(found["text"].rstrip("\n"), f"{CHINESE}\n{GERMAN}")
        self.assertEqual((found["attachment"], found["size"]), ("报价单.pdf", "100"))

    def test_a_mail_of_fifty_megabytes_is_cut_and_said_to_be(self):
        head = b"From: a@b.example\r\nContent-Type: text/plain\r\n\r\n"
        found = dict(self.read(head + b"0123456789abcdef\r\n" * ((50 << 20) // 18), 65536))
        self.assertEqual(found["cut"], "yes")
        self.assertLessEqual(len(found["text"]), 256 * 1024)

    def test_address_lists_agree_with_another_reader(self):
        for text, wanted in (
            ("a@b.example", [("", "a@b.example")]),
            (
                "A <a@b.example>, \"B, C\" <b@c.example>",
                [("A", "a@b.example"), ("B, C", "b@c.example")],
            ),
            (
                "g: a@b.example, c@d.example;, e@f.example",
                [("", "a@b.example"), ("", "c@d.example"), ("", "e@f.example")],
            ),
            ("undisclosed-recipients:;", []),
            ("(c(d)) Ann (x) <ann(y)@(z)b.example> (q)", [("Ann", "ann@b.example")]),
            ('"odd name"@b.example', [("", '"odd name"@b.example')]),
            ("=?utf-8?q?Gr=C3=BC=C3=9Fe?= <a@b.example>", [("Grüße", "a@b.example")]),
            ("Dr. Ann B. Cee <a@b.example>", [("Dr. Ann B. Cee", "a@b.example")]),
        ):
            done = run("addresses", stdin=text.encode())
            self.assertEqual(done.returncode, 0, done.stderr)
            flat = [value for _, value in unfields(done.stdout)]
            self.assertEqual(list(zip(flat[::2], flat[1::2])), wanted)
            theirs = email.utils.getaddresses([text])
            if "=?" not in text and ":" not in text:
                self.assertEqual(len(theirs), len(wanted))


if __name__ == "__main__":
    done = unittest.main(exit=False, verbosity=1).result
    bad = len(done.failures) + len(done.errors)
    print(f"[  PASSED  ] {done.testsRun - bad} tests.")
    if bad:
        print(f"[  FAILED  ] {bad} tests.")
    sys.exit(1 if bad else 0)
