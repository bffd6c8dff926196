"""The plugin tally, and what the engine does around plugins: the model's part of them.

What tests/sim/plugins/tally.c computes is said here again, and so is who hears of what: one that
was lost, or that staff took out, hears of nothing, and of what it missed in order when it is back.
"""

MODULUS = 1000003
QUIET_MS = 50000
HEARS = {"order": ("order", "last"), "visit": ("last",), "tally.quiet": ("quiet",)}


class Tally:
    """Of the model, which has the customers, the time and the timers."""

    def begin_tally(self):
        self.plugin_verdicts = {}  # entry -> what its last verdict says of the plugin
        self.standing = {}  # as the row of the state; empty: there is nothing to say
        self.queue = []  # what is parked: (entry and which of its events, customer, type, number)
        self.kept = {}  # (customer, key) -> (version of its shape, document)
        self.aside = {}  # (survivor, absorbed, key) -> the same, of the survivor before
        self.called = set()  # what the other plugin has said, of whomever: for ever

    # -- Which it is -----------------------------------------------------------------------

    def tally_version(self):
        """0: none is loaded."""
        return self.world()["code"].get("tally", 0)

    def count_name(self):
        return "count" if self.tally_version() == 1 else "orders"

    def version_of(self, key):
        return self.tally_version() if key == "tally" else min(self.tally_version(), 1)

    def migrate(self, document):
        return {"orders": document.get("count", 0), "chain": document.get("chain", 0)}

    # -- Whether it is there ---------------------------------------------------------------

    def begin_tally_entry(self):
        self.calls, self.heard, self.lost = 0, 0, None
        self.verdict = self.plugin_verdicts.get(self.seq)
        if self.verdict and "nth" not in self.verdict and self.tally_version():
            self.quarantine(self.verdict)

    def end_tally_entry(self):
        if self.lost:
            self.quarantine({"kind": self.lost, "reason": self.verdict.get("reason")})
        self.lost = None

    def quarantine(self, why):
        counts = {name: self.standing.get(name, 0) for name in ("parked", "missed")}
        said = {name: why[name] for name in ("kind", "about", "reason") if why.get(name)}
        self.standing = dict(counts, seq=self.seq, since=self.now, **said)

    def count_event(self, name, more):
        self.standing = dict({"parked": 0, "missed": 0}, **self.standing)
        self.standing[name] += more
        if not any(self.standing.values()):
            self.standing = {}

    def is_quarantined(self):
        return self.lost is not None or "kind" in self.standing

    def is_behind(self):
        return not self.is_quarantined() and self.standing.get("parked", 0) != 0

    def call(self):
        """Whether it comes back from this call; every one is counted."""
        self.calls += 1
        if self.verdict and self.verdict.get("nth", 0) <= self.calls:
            self.lost = self.verdict["kind"]
        return self.lost is None

    def tally_disabled(self, data):
        is_crash = data.get("kind") == "crash"
        kind = self.standing.get("kind")
        if kind is None or (not is_crash and kind != "staff"):
            self.quarantine({"kind": "crash" if is_crash else "staff"})

    def tally_enabled(self, data):
        kind = self.standing.get("kind")
        if kind is None or (data.get("again") and kind == "staff"):
            return
        about = self.standing.get("about", 0)
        if data.get("skip") and self.queue:
            gone = [e for e in self.queue if e[0][0] == about] if about else self.queue[:1]
            self.queue = [e for e in self.queue if e not in gone]
            self.standing["parked"] -= len(gone)
        self.standing = {name: self.standing[name] for name in ("parked", "missed")}
        self.count_event("missed", 0)

    # -- What it hears of ------------------------------------------------------------------

    def hear(self, customer, kind, number=-1):
        self.heard += 1
        if kind not in HEARS or not self.tally_version():
            return
        place = self.seq, self.heard
        if self.is_quarantined() or self.is_behind():
            self.park(place, customer, kind, number)
        else:
            self.hear_of(place, customer, kind, number)

    def hear_of(self, place, customer, kind, number):
        if not all(self.call() for _ in HEARS[kind]):
            self.end_tally_entry()
            self.park(place, customer, kind, number)
            return
        if kind == "order":
            self.tally_order(customer, number)
        elif kind == "tally.quiet":
            self.tally_quiet(customer)
        if kind != "tally.quiet":
            self.kept[self.root(customer), "last"] = (1, {"number": number})

    def park(self, place, customer, kind, number):
        has_room = self.standing.get("parked", 0) < self.limit("plugin_parked", 100000)
        if has_room:
            self.queue = sorted(self.queue + [(place, customer, kind, number)])
        self.count_event("parked" if has_room else "missed", 1)

    def hear_parked(self):
        left = self.limit("parked_per_tick", 100) if self.tally_version() else 0
        while left > 0 and self.is_behind():
            event = self.queue.pop(0)
            self.count_event("parked", -1)
            left -= 1
            if event[1] not in self.erased:
                self.hear_of(*event)

    def read_tally(self, root):
        """None: a later version of it kept this."""
        version, document = self.kept.get((root, "tally"), (0, {}))
        if version > self.tally_version():
            return None
        return self.migrate(document) if 0 < version < self.tally_version() else document

    def keep_tally(self, root, count, chain):
        document = {self.count_name(): count, "chain": chain % MODULUS}
        self.kept[root, "tally"] = (self.tally_version(), document)

    def tally_order(self, customer, number):
        document = self.read_tally(self.root(customer))
        if document is None:
            return
        count = document.get(self.count_name(), 0) + 1
        self.keep_tally(self.root(customer), count, document.get("chain", 0) * 31 + number)
        self.set_by_rule(customer, "tally.count", count)
        if count % (3 if self.tally_version() == 1 else 2) == 0 and self.bundle:
            body = "milestone %d %d" % (count, count)
            self.effect("hook", "service", body, customer)
        for member in self.group(customer):
            self.timers.pop((member, "after:quiet"), None)
        self.timers[customer, "after:quiet"] = (self.now + QUIET_MS, None)

    def tally_quiet(self, customer):
        document = self.read_tally(self.root(customer))
        if document is not None:
            count, chain = document.get(self.count_name(), 0), document.get("chain", 0)
            self.keep_tally(self.root(customer), count, chain * 31 + 77)

    # -- What becomes of its documents -----------------------------------------------------

    def can_fold(self):
        return bool(self.tally_version()) and not self.is_quarantined() and self.call()

    def bring_up(self, key, version, document):
        if document is None or self.version_of(key) <= version or not self.can_fold():
            return version, document
        return self.version_of(key), self.migrate(document)

    def merge_tally(self, survivor, absorbed):
        for key in sorted(k for c, k in self.kept if c == absorbed):
            before = self.kept.get((survivor, key), (0, None))
            self.aside[survivor, absorbed, key] = before
            one = self.bring_up(key, *before)
            two = self.bring_up(key, *self.kept[absorbed, key])
            if self.can_fold() and key == "tally":
                self.merge_two(survivor, one[1] or {}, two[1])
            else:
                self.kept[survivor, key] = two if one[1] is None else one

    def merge_two(self, survivor, one, two):
        name = self.count_name()
        count = one.get(name, 0) + two.get(name, 0)
        self.keep_tally(survivor, count, one.get("chain", 0) * 7 + two.get("chain", 0))

    def unmerge_tally(self, leaving):
        """Before she leaves: each of those above her has something of hers."""
        above = self.members[leaving]["merged"]
        for _, _, key in sorted(place for place in self.aside if place[:2] == (above, leaving)):
            before, hers = self.aside.pop((above, leaving, key)), self.kept[leaving, key]
            part = above
            while part:
                self.kept[leaving, key] = hers
                self.part_two(key, part, leaving, before)
                part = self.members[part]["merged"]

    def part_two(self, key, part, leaving, before):
        now = self.bring_up(key, *self.kept.get((part, key), (0, None)))[1]
        self.bring_up(key, *before)
        hers = self.bring_up(key, *self.kept[leaving, key])[1]
        if not self.can_fold() or key != "tally":
            return
        name, now, hers = self.count_name(), now or {}, hers or {}
        chain, count = now.get("chain", 0), hers.get(name, 0)
        self.keep_tally(part, now.get(name, 0) - count, chain * 11 + 1)
        self.keep_tally(leaving, count, chain * 13 + hers.get("chain", 0))

    # -- What people see of it -------------------------------------------------------------

    def told_of(self, user):
        """What she is told that it keeps of her: [customer, key, document], sorted."""
        number = self.identity.get(("user", user))
        members = self.group(number) if number else []
        rows = [(c, k, d) for (c, k), d in self.kept.items() if c in members]
        rows += [(c, k, d) for (c, _, k), d in self.aside.items() if c in members]
        return sorted(
            ([c, k, self.tell(k, *d)] for c, k, d in rows if d[1] is not None),
            key=lambda row: (row[0], row[1], sorted(row[2].items())),
        )

    def tell(self, key, version, document):
        if key != "tally" or not self.tally_version() or self.is_quarantined():
            return document
        if version < self.tally_version():
            document = self.migrate(document)
        return {"given": document.get(self.count_name(), 0)}

    # -- The other plugin, and who calls it -------------------------------------------------

    def called_by(self, ident, user, data):
        """Nobody is made by a copy, nor brought back."""
        if ident in self.called:
            self.said_to(user)
            return
        self.called.add(ident)
        number = self.identity.get(("user", user))
        if number is None:
            number = self.create()
            self.link(number, "user", user)
            self.set_trait(number, "caller", data["number"], self.now, "plugin:provider")
        self.belongs(number)
        if self.bundle:
            self.effect("hook", "service", "call %d" % data["number"], number)
