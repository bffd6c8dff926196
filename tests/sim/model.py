"""What the simulator's bundles must do, said a second time and as plainly as possible.

Input: the entries of a log, in order.  Output: the effects they intend, the
reminders, and which claims the arbiter had to let through.  It knows nothing of
crashes, blocks, buffers or checkpoints, and shares no line with the daemon.
"""
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from model_cases import Cases
from model_subjects import Subjects
from model_tally import Tally
from model_time import civil_due, instant, next_workday_close

SENDING = {"sms", "hook"}
PLACES = {"Asia/Shanghai", "America/New_York", "Europe/Berlin", "Australia/Sydney", "Asia/Tokyo"}
RULES = "rules"  # the source of what rules set
PAUSABLE = {None: set(), "a": {"follow", "due"}, "b": {"follow", "due", "daily"}}


class Model(Cases, Subjects, Tally):
    def __init__(self, worlds, bundles, owners, prints):
        self.worlds = worlds  # seq of its entry -> document
        self.bundles = bundles  # hash -> "a" or "b"
        # effect id -> (customer, purpose, channel, the body if she was erased, the rule if not)
        self.owners = owners
        self.prints = prints  # effect id -> print, of those that are in the state
        self.members, self.identity, self.tasks = {}, {}, {}
        self.timers = {}  # (owner, key) -> (due, what was said, or where a move has come to)
        self.rhythms = {}  # customer -> (the first nine o'clock of "daily", days since)
        self.has_moved = False  # somebody's zone may be another at the end of this entry
        self.effects = []  # (seq, channel, purpose, body, member)
        self.allowed = set()  # (effect id, attempt): claims that may have gone out
        self.bundle, self.sweep, self.seen = None, None, {}
        self.paused = set()  # rules that do not run, and whose messages are not let go
        self.attempts, self.final, self.run = {}, set(), 0
        self.not_before, self.too_early = {}, []  # next attempts: when, and which were sooner
        self.claimed_in = {}  # effect id -> the run of its last claim that may have gone out
        self.orders_then = {}  # effect id -> the customer's orders at its first claim
        self.killed = set()  # entries at which the rule "visit" was killed for memory
        self.sent_away = set()  # entries that must have led to a ping
        self.erased, self.erasing = set(), set()  # members; those that are not done with
        self.hers = {}  # member -> entries that must go with her
        self.late = {}  # member: the last entry that named her by number once she was erased
        self.perhaps_hers = set()  # entries of which this page cannot know
        self.said_to_nobody = {}  # user -> entries by a name that nobody had then
        self.files = set()  # (hash, member or 0, entry that names it)
        self.staff = {}  # name -> (deputy, [(from, until), ...])
        self.asked = set()  # (entry, type, data) of what must have been asked of subjects
        self.answered = set()  # (entry, type, member, data) of what they must have answered
        self.codes, self.free = {}, []  # code -> (member, key), None: free; those in their order
        self.taken = {}  # (member, key) -> code
        self.granted, self.period = {}, None  # (member, key) -> (cents, from); (from, until, cents)
        self.begin_tally()
        self.begin_cases()

    # -- Customers ----------------------------------------------------------------

    def create(self):
        number = len(self.members) + 1
        self.members[number] = {
            "merged": 0,
            "absorbed": [],
            "ids": set(),
            "traits": {},
            "consents": {},
            "open": {},
        }
        self.arm_daily(number)
        return number

    def root(self, number):
        while self.members[number]["merged"]:
            number = self.members[number]["merged"]
        return number

    def group(self, number):
        root = self.root(number)
        return [root] + self.members[root]["absorbed"]

    def ids(self, number):
        return {i for m in self.group(number) for i in self.members[m]["ids"]}

    def user_id(self, number):
        return [v for space, v in self.ids(number) if space == "user"]

    def link(self, number, space, value):
        if not value or (space, value) in self.ids(number):
            return
        other = self.identity.get((space, value))
        if other is None:
            self.identity[space, value] = number
            self.members[number]["ids"].add((space, value))
        elif not (self.user_id(number) and self.user_id(other)):
            self.merge(number, other)

    def merge(self, one, two):
        a, b = self.root(one), self.root(two)
        known_a, known_b = bool(self.user_id(a)), bool(self.user_id(b))
        survivor, absorbed = (a, b) if (known_a if known_a != known_b else a < b) else (b, a)
        self.merge_tally(survivor, absorbed)
        place = self.place(survivor)
        self.has_moved = self.has_moved or self.place(absorbed) != place
        self.members[survivor]["absorbed"] += [absorbed] + self.members[absorbed]["absorbed"]
        self.members[absorbed]["merged"] = survivor
        self.keep_daily(survivor)

    def unmerge(self, number):
        """With all that she had absorbed before."""
        if number is None or not self.members[number]["merged"]:
            return
        root, place = self.root(number), self.place(number)
        gone = [number] + self.members[number]["absorbed"]
        self.unmerge_tally(number)
        for member in self.group(number):
            absorbed = self.members[member]["absorbed"]
            if number in absorbed:
                self.members[member]["absorbed"] = [m for m in absorbed if m not in gone]
        self.members[number]["merged"] = 0
        for member in (root, number):
            self.keep_daily(member)
        for member in (root, number):
            if self.place(member) != place:
                self.move(member)

    def trait(self, number, name):
        best = None
        for member in self.group(number):
            values = self.members[member]["traits"].get(name)
            if values and (best is None or values[0][1] > best[1]):
                best = values[0]
        return best[0] if best else None

    def set_trait(self, number, name, value, at, source):
        """One assignment of each source, the latest first; an older one of the same is nothing."""
        values = self.members[number]["traits"].setdefault(name, [])
        for old in values:
            if old[2] == source:
                if old[1] > at:
                    return
                values.remove(old)
                break
        before = sum(1 for old in values if old[1] > at)
        values.insert(before, (value, at, source))

    def moment(self, number, name):
        """When a rule or a plugin sets it: now, or behind what others of the group have by then."""
        moments = [self.now]
        for member in self.group(number):
            values = self.members[member]["traits"].get(name)
            if values:
                moments.append(values[0][1] + (member != number))
        return max(moments)

    def set_by_rule(self, number, name, value):
        self.set_trait(number, name, value, self.moment(number, name), RULES)

    # -- Erasing -----------------------------------------------------------------------

    def belongs(self, number):
        self.hers.setdefault(number, set()).add(self.seq)

    def erase(self, user):
        """She is nobody at once; her timers go as ticks come (see tick)."""
        number = self.said_to(user)
        if number is None:
            return
        for member in self.group(number):
            for identity in self.members[member]["ids"]:
                del self.identity[identity]
                if identity[0] == "user":
                    said = self.said_to_nobody.pop(identity[1], set())
                    self.hers.setdefault(member, set()).update(said)
            self.erased.add(member)
            self.erasing.add(member)

    def forget_timers(self):
        left = self.limit("erase_per_tick", 500)
        for member in sorted(self.erasing):
            for key in sorted(k.encode() for o, k in self.timers if o == member):
                if left > 0:
                    del self.timers[member, key.decode()]
                    left -= 1

    def said_to(self, user):
        """An entry of staff or of a rule, by name: whose it is."""
        number = self.identity.get(("user", user))
        if number is not None:
            self.belongs(number)
        else:
            self.said_to_nobody.setdefault(user, set()).add(self.seq)
            if self.erasing:  # with her who had that name, if her rows are not gone yet
                self.perhaps_hers.add(self.seq)
        return number

    def said_of(self, ref):
        """The same by name or number; what names the number of somebody erased goes with her."""
        if ref.startswith("user_id:"):
            return self.said_to(ref[8:])
        number = int(ref)
        if number > len(self.members):
            return None
        self.belongs(number)
        if number not in self.erased:
            return number
        self.late[number] = self.seq
        self.erasing.add(number)

    # -- Places ------------------------------------------------------------------------

    def place(self, number):
        """The zone in force for her."""
        place = self.trait(number, "timezone")
        return place if place in PLACES else self.company()

    def zone(self, number):
        return ZoneInfo(self.place(number))

    def set_place(self, number, place, at, source):
        before = self.trait(number, "timezone")
        self.set_trait(number, "timezone", place, at, source)
        if self.trait(number, "timezone") != before:
            self.has_moved = True
            self.keep_daily(self.root(number))

    def move(self, number):
        """What was said of her time means another moment now."""
        for member in self.group(number):
            self.timers.pop((member, "zone"), None)
            if any(o == member and k.startswith(("after:", "task:")) for o, k in self.timers):
                self.move_member(member, self.place(number), self.now, "")

    def move_member(self, member, place, since, start):
        for key in sorted(k for o, k in self.timers if o == member and k >= start):
            if self.moves_left == 0:
                self.timers[member, "zone"] = (since, (place, key))
                return
            self.moves_left -= 1
            due, said = self.timers[member, key]
            if due > since and said is not None:
                self.move_timer(member, key, civil_due(said, ZoneInfo(place)))

    def move_timer(self, member, key, due):
        before, said = self.timers[member, key]
        soon = max(due, self.now + 1000)
        if key.startswith("task:"):
            task = self.tasks[int(key[5:])]
            if due != task["due"]:
                task["due"] = due
                self.settle(task, False)
                self.timers[member, key] = (soon, said)
        elif due != before and not (due < before < soon):
            self.timers[member, key] = (soon, said)

    # -- Worlds, timers --------------------------------------------------------------

    def world(self):
        return self.worlds[self.in_force]

    def company(self):
        return self.world()["config"].get("zone", "UTC")

    def limit(self, name, standard):
        return self.world()["config"].get("limits", {}).get(name, standard)

    def arm_daily(self, number):
        if self.bundle == "b":
            local = datetime.fromtimestamp(self.now / 1000, self.zone(number)).replace(tzinfo=None)
            self.rhythms[number] = local.replace(hour=9, minute=0, second=0, microsecond=0), 0
            self.go_on_daily(number)

    def daily_due(self, number):
        since, days = self.rhythms[number]
        return instant(since + timedelta(days=days), self.zone(number))

    def go_on_daily(self, number):
        """The next that lies ahead."""
        while self.daily_due(number) <= self.now:
            since, days = self.rhythms[number]
            self.rhythms[number] = since, days + 1
        self.timers[number, "rule:daily"] = (self.daily_due(number), None)

    def keep_daily(self, number):
        """The same day's nine o'clock where she is now."""
        if (number, "rule:daily") not in self.timers:
            self.arm_daily(number)
        elif self.bundle == "b":
            due = max(self.daily_due(number), self.now + 1000)
            self.timers[number, "rule:daily"] = (due, None)

    def tick(self):
        for _ in range(self.limit("timers_per_tick", 500)):
            due = sorted(
                (due, owner, key.encode()) for (owner, key), (due, _) in self.timers.items()
            )
            if not due or due[0][0] > self.now or self.moves_left == 0:
                break
            owner, key = due[0][1], due[0][2].decode()
            _, said = self.timers.pop((owner, key))
            if owner in self.erased:
                pass
            elif owner == 0 and key.startswith("absence:"):
                self.absence(key[8:], *said)
            elif owner == 0:
                self.roll()
            elif key == "zone":
                self.move_member(owner, said[0], due[0][0], said[1])
            elif key == "after:nudge":
                self.nudge(owner)
            elif key == "after:quiet":
                self.hear(owner, "tally.quiet")
            elif key == "after:follow" and "follow" in self.paused:
                pass
            elif key == "after:follow":
                self.effect("hook", "service", "follow %d" % self.trait(owner, "orders"), owner)
            elif key.startswith("task:") and "due" in self.paused:
                pass
            elif key.startswith("task:"):
                self.effect("sms", "news", "due %s" % key[5:], owner)
            elif key.startswith("deadline:case:"):
                self.case_fires(int(key.split(":")[2]))
            elif key == "rule:daily" and self.bundle == "b" and self.root(owner) == owner:
                since, days = self.rhythms[owner]
                self.rhythms[owner] = since, days + 1
                self.go_on_daily(owner)
                if "daily" not in self.paused:
                    self.effect("hook", "service", "daily", owner)
        if self.sweep is not None:
            for _ in range(self.limit("sweep_per_tick", 500)):
                if self.sweep <= len(self.members):
                    number = self.sweep
                    self.sweep += 1
                    is_armed = (number, "rule:daily") in self.timers
                    if self.root(number) == number and not is_armed and number not in self.erased:
                        self.arm_daily(number)
            if self.sweep > len(self.members):
                self.sweep = None
        self.sweep_cases()
        self.hear_parked()
        self.forget_timers()

    # -- Rules ---------------------------------------------------------------------------

    def effect(self, channel, purpose, body, member):
        self.effects.append((self.seq, channel, purpose, body, member))

    def order(self, number, data):
        orders = (self.trait(number, "orders") or 0) + 1
        self.set_by_rule(number, "orders", orders)
        if data["total"] >= (50 if self.bundle == "a" else 20):
            self.effect("sms", "service", "thanks %d" % orders, number)
        for member in self.group(number):
            self.timers.pop((member, "after:nudge"), None)
        wait = 90000 if self.bundle == "a" else 120000
        self.timers[number, "after:nudge"] = (self.now + wait, None)
        self.ask(number, data)
        if self.world()["code"]["level"] == 2 and orders % 2 == 0:
            self.effect("sms", "service", "level two", number)

    # -- Staff ---------------------------------------------------------------------------

    def away_until(self, name):
        """None: she is there."""
        for since, until in self.staff.get(name, (None, []))[1]:
            if since <= self.now < until:
                return until

    def assign(self, name, due):
        """(in whose list it stands, whose it is while a deputy has it)"""
        asked, to = [], name
        while to and to not in asked:
            until = self.away_until(to)
            if until is None or due >= until:
                return to, (name if to != name else None)
            asked.append(to)
            to = self.staff[to][0]
            to = to if to in self.staff else None
        return name, None

    def settle(self, task, is_anew):
        whose = task["of"] or task["assignee"]
        until = self.away_until(whose)
        is_needed = until is not None and task["due"] < until
        has_it = task["of"] and self.away_until(task["assignee"]) is None
        if is_needed and has_it and not is_anew:
            return
        if is_needed or task["of"]:
            task["assignee"], task["of"] = self.assign(whose, task["due"])

    def staff_set(self, data):
        name = data["name"]
        absences = [(a["from"], a["until"]) for a in data.get("absences", [])]
        before = self.staff.get(name, (None, []))
        self.staff[name] = data.get("deputy"), absences
        if self.staff[name] != before:
            self.timers[0, "absence:" + name] = (self.now, (True, "of", 0, 0))

    def staff_removed(self, name):
        has_tasks = any(
            name in (t["assignee"], t["of"]) for t in self.tasks.values() if t["closed"] is None
        )
        if has_tasks or name not in self.staff:
            return
        for other, (deputy, absences) in self.staff.items():
            if deputy == name:
                self.staff[other] = None, absences
                self.timers[0, "absence:" + other] = (self.now, (True, "of", 0, 0))
        del self.staff[name]
        self.timers.pop((0, "absence:" + name), None)

    def absence(self, name, is_anew, place, due, number):
        while place:
            until = self.away_until(name) if place == "assignee" else 1 << 60
            rows = sorted(
                (t["due"], n)
                for n, t in self.tasks.items()
                if t[place] == name and t["closed"] is None
            )
            for row in rows if until is not None else []:
                if row < (due, number) or row[0] >= until:
                    continue
                if self.moves_left == 0:
                    self.timers[0, "absence:" + name] = (self.now, (is_anew, place, *row))
                    return
                self.moves_left -= 1
                self.settle(self.tasks[row[1]], is_anew)
            place, due, number = ("assignee", 0, 0) if place == "of" else (None, 0, 0)
        bounds = [b for a in self.staff.get(name, (None, []))[1] for b in a if b > self.now]
        if bounds:
            self.timers[0, "absence:" + name] = (min(bounds), (False, "of", 0, 0))

    def nudge(self, number):
        self.effect("hook", "service", "nudge %d" % (self.trait(number, "orders") or 0), number)
        said = (self.now, 1, None) if self.bundle == "a" else None
        due = civil_due(said, self.zone(number)) if said else next_workday_close(self.now)
        task = next(
            (
                self.members[m]["open"]["call"]
                for m in self.group(number)
                if "call" in self.members[m]["open"]
            ),
            None,
        )
        if task is None:
            task = len(self.tasks) + 1
            self.tasks[task] = {"customer": number, "title": "call", "closed": None}
            self.members[number]["open"]["call"] = task
        self.tasks[task]["due"] = due
        self.tasks[task]["assignee"], self.tasks[task]["of"] = self.assign("anna", due)
        self.timers[self.tasks[task]["customer"], "task:%d" % task] = (due, said)
        for member in self.group(number):
            self.timers.pop((member, "after:follow"), None)
        said = (self.now, 1, 10) if self.bundle == "a" else (self.now, 2, None)
        self.timers[number, "after:follow"] = (civil_due(said, self.zone(number)), said)

    def close_reminder(self, number, data):
        """It says for good when that was, and as what; with the same key there is another one."""
        task = self.tasks.get(number)
        if task is None:
            return
        if task["customer"] in self.erased:
            self.perhaps_hers.add(self.seq)
            return
        self.belongs(task["customer"])
        if task["closed"] is not None:
            return
        task["closed"] = self.now
        task["title"], task["due"] = data.get("title", "call"), data.get("due", task["due"])
        self.timers.pop((task["customer"], "task:%d" % number), None)
        del self.members[task["customer"]]["open"]["call"]

    def name_files(self, number, data):
        self.files |= {(file, number, self.seq) for file in data.get("files", [])}

    def ping(self, number, data):
        if number is None or data["page"] == 3:  # no customer, or the error that undoes it
            return
        pings = (self.trait(number, "pings") or 0) + 1
        self.set_by_rule(number, "pings", pings)
        self.effect("hook", "service", "ping %d" % pings, number)

    # -- Entries ------------------------------------------------------------------------------

    def apply(self, entry):
        self.seq, self.now, self.in_force, body = (
            entry["seq"],
            entry["logged"],
            entry["world"],
            entry["body"],
        )
        self.moves_left = self.limit("moves_per_tick", 100)
        self.begin_tally_entry()
        self.apply_entry(entry, body, body["type"], body.get("data", {}))
        self.end_tally_entry()

    def apply_entry(self, entry, body, kind, data):
        if entry["class"] == 1:
            self.client(body, kind, data)
        elif kind == "provider.call":
            self.called_by(body["id"], body["ref"][8:], data)
        elif entry["class"] == 3:
            if "effect" in data:  # of an address alone, which nobody here has: nobody's
                self.about_effect(self.named(data, data["effect"]))
        elif kind == "tick":
            self.tick()
        elif kind == "bundle.activated":
            self.bundle = self.bundles[data["hash"]]
            if self.bundle == "b" and self.members:
                self.sweep = 1
            self.start_case_sweep()
        elif kind == "world":
            self.start_case_sweep()
        elif kind == "record.create":
            self.open_case(body["ref"], data["fields"])
        elif kind == "record.move":
            self.move_case(data["record"], data["transition"], data.get("expect"))
        elif kind == "record.change":
            self.change_case(data["record"], data["fields"], data.get("expect"))
        elif kind == "rule.paused":
            self.paused |= {data["rule"]} & PAUSABLE[self.bundle]
        elif kind == "rule.resumed":
            self.paused.discard(data["rule"])
        elif kind == "plugin.disabled":
            self.tally_disabled(data)
        elif kind == "plugin.enabled":
            self.tally_enabled(data)
        elif kind == "daemon.started":
            self.run = self.seq
        elif kind == "consent.changed":
            self.consent(self.said_of(body["ref"]), data, body.get("at", self.now))
        elif kind == "customer.unmerge":
            self.unmerge(self.said_of(body["ref"]))
        elif kind == "erase.requested":
            self.erase(body["ref"][8:])
        elif kind == "erase.done":
            if data["done"] > self.late.get(data["customer"], 0):
                self.erasing.discard(data["customer"])
        elif kind == "effect.claim":
            self.claim(data)
        elif kind == "effect.outcome":
            self.outcome(data)
        elif kind == "effect.release" or kind == "effect.drop":
            self.final.discard(data["id"])
            self.not_before.pop(data["id"], None)
            self.about_effect(data["id"])
        elif kind == "ping":
            self.ping_arrives(body, data)
        elif kind == "reminder.done":
            self.close_reminder(data["task"], data)
        elif kind == "staff.set":
            self.staff_set(data)
        elif kind == "staff.removed":
            self.staff_removed(data["name"])
        elif kind == "pool.load":
            if self.bundle:
                self.load(data)
        elif body.get("ref", "").startswith(("pool:", "budget:")):
            self.ask_arrives(kind, body, data)
        elif kind.startswith(("pool.", "budget.")):
            self.answer_arrives(kind, body, data)

    def about_effect(self, ident):
        """Whose entry it is, as far as the effect is known here."""
        owner = self.owner(ident)
        if owner is None or owner[0] in self.erased:
            self.perhaps_hers.add(self.seq)
        else:
            self.belongs(owner[0])

    def named(self, data, ident):
        """The id of what an entry speaks of, None: nothing that is there.  When other code made it
        it may have had another number, and what has its number now is another message.  Those of
        somebody erased are known by their ids alone."""
        said = data.get("print", 0)
        if said == 0 or self.prints.get(ident, said) == said:
            return ident
        cause = ident.split(".")[0] + "."
        same = (i for i, p in self.prints.items() if p == said and i.startswith(cause))
        return next(same, None)

    def owner(self, ident):
        """Another engine level may have given the number to another message."""
        customer, purpose, channel, body, rule = self.owners.get(ident, (None,) * 5)
        if customer is None:
            return None
        meant = int(ident.split(".")[0]), channel, purpose, body, customer
        if body is not None and meant not in self.effects:
            return None
        return customer, purpose, channel, rule

    def ping_arrives(self, body, data):
        number, sender = self.identity.get(("user", "u-1")), body.get("from")
        known = self.group(number) if number else [0]
        if any(body["id"] in self.seen.get(m, ()) for m in known):
            self.perhaps_hers.add(self.seq)  # a second copy
            return
        self.seen.setdefault(number or 0, set()).add(body["id"])
        if sender:
            self.belongs(sender)
        if sender in self.erasing:
            if number:
                self.belongs(number)
            return
        self.said_to("u-1")
        self.name_files(number or 0, data)
        if self.bundle:
            self.ping(number, data)

    def client(self, body, kind, data):
        user, anon = body.get("user"), body.get("anon")
        number = self.identity.get(("user", user)) if user else self.identity.get(("anon", anon))
        if number is None and kind == "identify":
            known = self.identity.get(("anon", anon))
            number = known if known and not self.user_id(known) else None
        if number is None:
            number = self.create()
        self.belongs(number)
        if any(body["id"] in self.seen.get(m, ()) for m in self.group(number)):
            return
        self.seen.setdefault(number, set()).add(body["id"])
        self.name_files(number, data)
        self.has_moved = False
        if user:
            self.link(number, "user", user)
        if anon:
            self.link(number, "anon", anon)
        if kind == "identify" and "timezone" in data:
            self.set_place(number, data["timezone"], min(body.get("at", self.now), self.now), "web")
        if kind in ("order", "visit"):
            self.hear(number, kind, data["number"])
        if kind == "order" and self.bundle:
            self.order(number, data)
        if kind == "visit" and self.bundle and self.seq not in self.killed:
            self.sent_away.add(self.seq)
            if data["page"] == 4:
                self.set_place(number, "Asia/Tokyo", self.moment(number, "timezone"), RULES)
        if self.has_moved:
            self.move(number)

    def consent(self, number, data, at):
        if number is None:
            return
        key = data["purpose"], data["channel"]
        old = self.members[number]["consents"].get(key)
        if old is None or at >= old[1]:
            self.members[number]["consents"][key] = (data["state"], at)

    def allows(self, purpose, channel, number):
        states = [
            self.members[m]["consents"].get((purpose, channel), ("none", 0))[0]
            for m in self.group(number)
        ]
        if "withdrawn" in states:
            return False
        return purpose != "news" or "granted" in states

    def claim(self, data):
        ident, attempt = self.named(data, data["id"]), data["attempt"]
        self.about_effect(ident)
        owner = self.owner(ident)
        if owner is None or data["run"] != self.run:
            return
        member, purpose, channel, rule = owner
        if rule in self.paused:
            return
        if member not in self.erased and self.allows(purpose, channel, member):
            if self.now < self.not_before.get(ident, 0):
                self.too_early.append((ident, attempt))
            self.allowed.add((data["id"], attempt))
            self.orders_then.setdefault(ident, self.trait(member, "orders"))
            self.attempts[ident] = attempt
            self.claimed_in[ident] = self.run

    def outcome(self, data):
        ident, attempt = self.named(data, data["id"]), data["attempt"]
        self.about_effect(ident)
        owner = self.owner(ident)
        if owner is not None and owner[0] in self.erased:
            is_last = self.claimed_in.pop(ident, 0) == self.run and self.attempts[ident] == attempt
            if is_last and ident not in self.final:
                self.belongs(owner[0])  # her message was under way: it was waited for
            return
        if (
            (data["id"], attempt) not in self.allowed
            or ident in self.final
            or self.attempts.get(ident) != attempt
        ):
            return
        if data["outcome"] == "failed" and attempt < 8:
            seq, n = map(int, ident.split("."))
            wait = min(30000 * 2 ** (attempt - 1), 30000 * 1024)
            wait += (seq * 7919 + n * 104729) % (wait // 4 + 1)
            wait = max(wait, min(data.get("wait_ms", 0), 24 * 3600 * 1000))
            self.not_before[ident] = self.now + wait
            self.timers[owner[0], "effect:" + ident] = (self.now + wait, None)
            self.attempts[ident] = None
        else:
            self.final.add(ident)
