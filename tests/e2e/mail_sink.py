"""An SMTP server that keeps what it is sent, and misbehaves for recipients who ask for it.

    ok...        taken
    later...     451 to RCPT, the first time that this message comes
    nobody...    550 5.1.1 to RCPT
    spam...      550 5.7.1 to the message
    full...      452 to the message, the first time
    cut...       hangs up in the middle of the message, the first time
    lost...      takes the message, keeps it, and hangs up instead of saying so
    brief...     takes the message, says so, and hangs up
    stall...     says nothing to the message, ever
"""
import asyncio
import collections
import re
import ssl
import threading

Mail = collections.namedtuple("Mail", "sender recipient data")


class Sink:
    """`with Sink() as sink:`; `sink.mails` is what came, in order."""

    def __init__(self, tls=None, login=None, delay=0, says_bye=True):
        self.mails, self.connections, self.open, self.open_most = [], 0, 0, 0
        self.seen = collections.Counter()  # by recipient and misdeed
        self.times = []  # of each message's end
        self.tls, self.login, self.delay, self.logins = tls, login, delay, []
        self.says_bye, self.quits = says_bye, 0
        self.greeting = b"220 sink ESMTP\r\n"
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.ready = threading.Event()
        self.port = 0

    def __enter__(self):
        self.thread.start()
        assert self.ready.wait(30)
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(30)

    @property
    def url(self):
        return f"smtp://127.0.0.1:{self.port}"

    def of(self, recipient):
        return [mail for mail in self.mails if mail.recipient == recipient]

    def _run(self):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=1 << 20, backlog=200)
        )
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        self.loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.close()

    async def _serve(self, reader, writer):
        self.connections += 1
        self.open += 1
        self.open_most = max(self.open_most, self.open)
        try:
            await Session(self, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            self.open -= 1
            writer.close()

    def first_time(self, recipient, misdeed):
        self.seen[recipient, misdeed] += 1
        return self.seen[recipient, misdeed] == 1


class Session:
    def __init__(self, sink, reader, writer):
        self.sink, self.reader, self.writer = sink, reader, writer
        self.sender = self.recipient = None
        self.is_secure = False

    async def say(self, line):
        self.writer.write(line.encode() + b"\r\n")
        await self.writer.drain()

    async def run(self):
        self.writer.write(self.sink.greeting)
        await self.writer.drain()
        while line := await self.reader.readline():
            word = line[:4].upper().decode()
            if not await getattr(self, "on_" + word.strip().lower(), self.on_other)(line):
                return

    async def on_other(self, line):
        await self.say("500 what?")
        return True

    async def on_ehlo(self, line):
        extensions = ["PIPELINING"]
        if self.sink.tls and not self.is_secure:
            extensions.append("STARTTLS")
        if self.sink.login and (self.is_secure or not self.sink.tls):
            extensions.append("AUTH PLAIN")
        for extension in extensions:
            self.writer.write(f"250-{extension}\r\n".encode())
        await self.say("250 8BITMIME")
        return True

    async def on_star(self, line):
        await self.say("220 go on")
        await self.writer.start_tls(self.sink.tls)
        self.is_secure = True
        return True

    async def on_auth(self, line):
        words = line.split()
        if len(words) < 3:
            await self.say("334 ")
            words.append(await self.reader.readline())
        is_right = words[2].strip().decode() == self.sink.login
        self.sink.logins.append(is_right)
        await self.say("235 2.7.0 welcome" if is_right else "535 5.7.8 no such login")
        return True

    async def on_mail(self, line):
        if self.sink.login and not (self.sink.logins and self.sink.logins[-1]):
            await self.say("530 5.7.0 log in")
            return True
        self.sender = re.search(rb"<(.*?)>", line).group(1).decode()
        await self.say("250 2.1.0 ok")
        return True

    async def on_rcpt(self, line):
        self.recipient = re.search(rb"<(.*?)>", line).group(1).decode()
        if self.recipient.startswith("later") and self.sink.first_time(self.recipient, "later"):
            await self.say("451 4.7.1 greylisted, come again")
        elif self.recipient.startswith("nobody"):
            await self.say("550 5.1.1 no such mailbox here")
        else:
            await self.say("250 2.1.5 ok")
        return True

    async def on_data(self, line):
        recipient, sink = self.recipient, self.sink
        await self.say("354 go on")
        if recipient.startswith("cut") and sink.first_time(recipient, "cut"):
            await self.reader.readline()
            return False
        data = await self.reader.readuntil(b"\r\n.\r\n")
        if sink.delay:
            await asyncio.sleep(sink.delay)
        if recipient.startswith("stall"):
            await asyncio.sleep(3600)
        if recipient.startswith("spam"):
            await self.say("550 5.7.1 this looks like spam")
            return True
        if recipient.startswith("full") and sink.first_time(recipient, "full"):
            await self.say("452 4.3.1 the disk is full")
            return True
        data = data[:-3]
        sink.mails.append(Mail(self.sender, recipient, re.sub(rb"(?m)^\.\.", b".", data)))
        sink.times.append(self.sink.loop.time())
        if recipient.startswith("lost"):
            return False
        await self.say("250 2.0.0 kept")
        return not recipient.startswith("brief")

    async def on_rset(self, line):
        await self.say("250 ok")
        return True

    async def on_noop(self, line):
        return await self.on_rset(line)

    async def on_quit(self, line):
        self.sink.quits += 1
        if not self.sink.says_bye:
            await asyncio.sleep(3600)
        await self.say("221 bye")
        return False
