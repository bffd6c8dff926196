#!/usr/bin/python3
"""demo_data.py past|recent|done [--until TIME] -- a small made-up business for `make run`.

A shop for tea and ceramics, three months of it, about 300 customers: NDJSON of Segment calls
on standard output, in order of time.  The seed is fixed, so only the dates depend on when it
is run.

    past      people, orders, visits and enquiries up to a few days ago
    recent    the last days, up to TIME (now)
    done      reads `kith reminders --json` and marks those as done that were due before the
              last days: the staff has not been asleep for three months

Nobody here exists; the domains end in .example.
"""
import argparse
import datetime
import json
import random
import sys

SEED = 20
CUSTOMERS = 300
DAYS = 90
RECENT_DAYS = 3

LATIN = ("Anna Ben Clara David Elena Felix Greta Henry Ines Jonas Karin Leo Maria Noah Olga Paul "
         "Rosa Simon Tara Viktor".split(),
         "Adler Bauer Costa Duval Evans Fischer Garcia Hansen Ivanova Jensen Keller Lindqvist "
         "Moreau Novak Olsen Petit Rossi Silva".split())
HAN = ("王 李 张 刘 陈 杨 黄 赵 吴 周 徐 孙 马 朱 胡 林 欧阳 司马".split(),
       "伟 芳 娜 敏 静 丽 强 磊 洋 艳 勇 军 杰 娟 涛 明 小明 晓燕 建国 志强 秀英 婷婷 子涵 雨桐".split())
GOODS = (("teapot", 180), ("gaiwan", 95), ("green tea", 24), ("oolong", 38), ("tea caddy", 60),
         ("tea table", 640), ("cup", 18), ("vase", 260), ("pu-erh", 85))
STAFF = {"anna": "Anna Berg", "bo": "Bo Lindgren", "mei": "梅雪"}


def stamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


class Business:
    """All calls of the three months, each with its time."""

    def __init__(self, until):
        self.until = until
        self.start = until - datetime.timedelta(days=DAYS)
        self.dice = random.Random(SEED)
        self.calls = []
        self.orders = 0
        for name, title in STAFF.items():
            self.add(self.start, "staff-" + name, type="staff.set",
                     data={"name": name, "title": title, "calendar": "company"})
        for number in range(1, CUSTOMERS + 1):
            self.customer(number)
        self.surely_today()
        self.calls.sort(key=lambda call: call["timestamp"])

    def add(self, moment, message, **call):
        self.calls.append(dict(call, messageId="demo-" + message, timestamp=stamp(moment)))

    def some_time(self, first):
        """Between `first` and the end, in the hours when the shop is open."""
        days = (self.until - first).days
        day = first + datetime.timedelta(days=self.dice.randint(0, max(days, 0)))
        moment = day.replace(hour=9, minute=0) + datetime.timedelta(
            minutes=self.dice.randint(0, 10 * 60))
        return min(max(moment, first), self.until)

    def traits(self, number):
        dice = self.dice
        is_han = dice.random() < 0.45
        born = datetime.date(dice.randint(1950, 2005), dice.randint(1, 12), dice.randint(1, 28))
        if number % 60 == 0:  # some have their birthday today
            born = self.until.date().replace(year=born.year, day=min(self.until.day, 28))
        traits = {
            "name": dice.choice(HAN[0]) + dice.choice(HAN[1]) if is_han
                    else dice.choice(LATIN[0]) + " " + dice.choice(LATIN[1]),
            "email": f"customer{number}@{'shu' if is_han else 'post'}.example",
            "language": "zh" if is_han else "en",
        }
        traits["lunar_birthday" if is_han and number % 60 else "birthday"] = born.isoformat()
        return traits

    def customer(self, number):
        dice = self.dice
        user = f"c-{number:03}"
        came = self.some_time(self.start)
        self.add(came, f"{number}-identify", type="identify", userId=user,
                 traits=self.traits(number))
        self.add(came, f"{number}-owner", type="owner.changed", customer="user_id:" + user,
                 data={"owner": dice.choice(sorted(STAFF))})
        for _ in range(dice.choice((0, 0, 1, 1, 1, 2, 3, 5))):
            self.order(user, self.some_time(came), self.basket())
        for _ in range(dice.choice((0, 0, 0, 0, 0, 0, 0, 1))):
            self.visit(user, self.some_time(came))
        if dice.random() < 0.2:
            self.add(self.some_time(came), f"{number}-enquiry", type="track", userId=user,
                     event="Enquiry Received",
                     properties={"channel": dice.choice(("phone", "email", "wechat")),
                                 "subject": dice.choice(GOODS)[0]})

    def basket(self):
        lines = [self.dice.choice(GOODS) for _ in range(self.dice.choice((1, 1, 1, 2, 2, 3)))]
        return [{"name": name, "price": price} for name, price in lines]

    def order(self, user, moment, products):
        self.orders += 1
        self.add(moment, f"order-{self.orders}", type="track", userId=user,
                 event="Order Completed",
                 properties={"order_id": f"A-{self.orders:04}", "currency": "EUR",
                             "total": sum(product["price"] for product in products),
                             "products": products})

    def visit(self, user, moment):
        self.add(moment, f"visit-{user}-{stamp(moment)}", type="track", userId=user,
                 event="Shop Visited", properties={"looked_at": self.dice.choice(GOODS)[0]})

    def surely_today(self):
        """Whatever the dice say, each rule has work for today."""
        yesterday = self.until - datetime.timedelta(days=1)
        for number, (name, products) in enumerate((("王小明", ["tea table", "teapot"]),
                                                   ("Clara Novak", ["tea table", "vase"]))):
            user = f"c-9{number}"
            self.add(yesterday, user + "-identify", type="identify", userId=user,
                     traits={"name": name, "email": f"{user}@post.example"})
            self.add(yesterday, user + "-owner", type="owner.changed",
                     customer="user_id:" + user, data={"owner": "anna"})
            self.order(user, yesterday + datetime.timedelta(minutes=5 + number),
                       [{"name": what, "price": dict(GOODS)[what]} for what in products])
        self.add(yesterday - datetime.timedelta(days=4), "c-95-identify", type="identify",
                 userId="c-95", traits={"name": "欧阳娜", "email": "c-95@shu.example",
                                        "birthday": self.until.date().replace(
                                            year=1988, day=min(self.until.day, 28)).isoformat()})
        self.add(yesterday - datetime.timedelta(days=4), "c-95-owner", type="owner.changed",
                 customer="user_id:c-95", data={"owner": "mei"})
        self.visit("c-95", yesterday - datetime.timedelta(days=3, minutes=10))


def show(calls):
    for call in calls:
        print(json.dumps(call, ensure_ascii=False, separators=(",", ":")))


def done(cutoff):
    """What was due before the last days has been done when they begin."""
    for line in sys.stdin:
        task = json.loads(line)
        if task["due"] < cutoff:
            show([{"type": "reminder.done", "messageId": f"demo-done-{task['id']}",
                   "timestamp": cutoff, "data": {"task": task["id"], "outcome": "reached"}}])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=("past", "recent", "done"))
    parser.add_argument("--until", metavar="TIME", help="2026-11-21T10:00:00Z (now)")
    arguments = parser.parse_args()
    until = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    if arguments.until:
        until = datetime.datetime.strptime(arguments.until, "%Y-%m-%dT%H:%M:%SZ")
    until = until.replace(microsecond=0)
    cutoff = stamp(until - datetime.timedelta(days=RECENT_DAYS))
    if arguments.part == "done":
        done(cutoff)
        return
    calls = Business(until).calls
    show(call for call in calls if (call["timestamp"] < cutoff) == (arguments.part == "past"))


if __name__ == "__main__":
    main()
