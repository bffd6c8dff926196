"""A pool of codes and a budget, asked by events and answered by them: the model's part of them."""
import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from model_time import instant


def sure(**data):
    """A document that compares, whatever the order of its fields."""
    return json.dumps(data, sort_keys=True)


def money(cents):
    return "%d" % (cents // 100) if cents % 100 == 0 else "%d.%02d" % divmod(cents, 100)


class Subjects:
    """Of the model, which has the customers, the time and the timers."""

    def ask(self, number, data):
        key, others = "k%d" % (data["number"] % 3), [m for m in self.group(number) if m != number]
        said = {"key": key, "members": [number] + others} if others else {"key": key}
        if data["page"] < 2:
            self.asked.add((self.seq, "pool.take", sure(pool="gift", **said)))
        elif data["page"] == 2:
            self.asked.add((self.seq, "budget.release", sure(budget="kind", **said)))
        else:
            said["amount"] = money(data["total"] * 100 + 25)
            self.asked.add((self.seq, "budget.spend", sure(budget="kind", **said)))

    def ask_arrives(self, kind, body, data):
        sender = body["from"]
        if (body["id"], kind) in self.seen.setdefault("subjects", set()):
            self.perhaps_hers.add(self.seq)  # a second copy
            return
        self.seen["subjects"].add((body["id"], kind))
        self.belongs(sender)
        if sender in self.erasing:
            return
        members = data.get("members", [sender])
        if kind == "pool.take":
            word, said = self.take(sender, members, data["key"])
        else:
            self.roll()
            word, said = self.spend(kind, sender, members, data)
        self.answered.add((self.seq, word, sender, sure(key=data["key"], **said)))

    def take(self, sender, members, key):
        for member in members:
            if (member, key) in self.taken:
                code = self.taken[member, key]
                said = {"code": code, "again": True, "left": len(self.free)}
                return "pool.taken", dict(said, pool="gift")
        if not self.free:
            return "pool.empty", {"pool": "gift"}
        code = self.free.pop(0)
        self.taken[sender, key] = code
        self.codes[code] = sender, key
        return "pool.taken", {"pool": "gift", "code": code, "left": len(self.free)}

    def load(self, data):
        for code in data["codes"]:
            if code not in self.codes:
                self.codes[code] = None
                self.free.append(code)

    def roll(self):
        """A day of the company's."""
        if self.period is not None and self.now < self.period[1]:
            return
        zone = ZoneInfo(self.company())
        local = datetime.fromtimestamp(self.now / 1000, zone).replace(tzinfo=None)
        day = local.replace(hour=0, minute=0, second=0, microsecond=0)
        until = instant(day + timedelta(days=1), zone)
        self.period = instant(day, zone), until, 0
        self.timers[0, "subject:budget:kind:period"] = (until, None)

    def spend(self, kind, sender, members, data):
        since, until, spent = self.period
        had = next((m for m in members if (m, data["key"]) in self.granted), None)
        said = {"budget": "kind", "currency": "EUR"}
        if kind == "budget.release":
            if had is None:
                left = money(15000 - spent)
                return "budget.refused", dict(said, reason="unknown", left=left)
            amount, granted = self.granted.pop((had, data["key"]))
            spent -= amount if granted == since else 0
            word = "budget.released"
        elif had is not None:
            amount, word = self.granted[had, data["key"]][0], "budget.granted"
            said["again"] = True
        else:
            whole, cents = (data["amount"] + ".00").split(".")[:2]
            amount, word = int(whole) * 100 + int(cents), "budget.granted"
            if amount > 15000 - spent:
                word, said["reason"] = "budget.refused", "spent"
            else:
                spent += amount
                self.granted[sender, data["key"]] = amount, since
        self.period = since, until, spent
        return word, dict(said, amount=money(amount), left=money(15000 - spent))

    def answer_arrives(self, kind, body, data):
        sender = body["from"]
        if (body["id"], kind) in self.seen.setdefault(sender, set()):
            self.perhaps_hers.add(self.seq)
            return
        self.seen[sender].add((body["id"], kind))
        self.belongs(sender)
        if kind == "pool.taken" and sender not in self.erasing and self.bundle:
            self.effect("hook", "service", "code %s" % data["code"], sender)
