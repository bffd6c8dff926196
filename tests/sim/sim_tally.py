"""The plugin of the simulated lives: which version of it each has, where it runs and what becomes
of it; and whether what the state keeps for it is what the model says."""
import json, os, random


class Failure(Exception):
    pass


def is_stuck(args, done):
    """The fate of this life is to die at an order that a life before it has applied: the daemon
    does not begin, and changes nothing.  The next life has another fate."""
    said = "where it was not lost before: nothing was changed"
    return "--fate" in args and done.returncode == 1 and said in done.stderr


class Plugin:
    """Of one seed.  Its dice are its own: what it rolls changes nothing else."""

    def __init__(self, seed, binary):
        self.dice = random.Random("plugin %d" % seed)
        self.dir = os.path.join(os.path.dirname(os.path.abspath(binary)), "sim_plugins")
        self.changes = self.dice.random() < 0.4
        self.version = self.dice.choice([0, 1, 1, 1, 2])

    def change(self):
        """Before a life; 0: it is not loaded."""
        if self.changes:
            self.version = self.dice.choice([0, 1, 1, 2, 2])

    def loaded(self, version):
        return ["--plugins", self.dir, "--tally", str(version)] if version != 0 else []

    def folded(self, version):
        """In a fold; a process of its own ends there at once, and another takes its place."""
        is_isolated = version != 0 and self.dice.random() < 0.3
        return self.loaded(version) + (["--isolated"] if is_isolated else [])

    def arguments(self, is_quiet):
        """In which process it runs, and the call or the order at which it dies, or hangs."""
        dice, args = self.dice, self.loaded(self.version)
        is_isolated = dice.random() < 0.45
        call = dice.choice([0, dice.randint(1, 40)])
        order = dice.choice([0, 0, dice.randint(1, 59)])
        hang = dice.randint(1, 40) if is_isolated and dice.random() < 0.1 else 0
        if is_isolated:
            args += ["--isolated"]
        if not is_quiet and dice.random() < 0.5:
            args += ["--fate", "%d %d %d" % (call, order, hang)]
        return args

    def limits(self):
        return {
            "parked_per_tick": self.dice.choice([1, 2, 500]),
            "plugin_parked": self.dice.choice([0, 3, 500, 500, 500]),
        }

    def world(self, config):
        """As kithd writes it: who is loaded owns the types that begin with its name."""
        plugins = {"tally": {"version": str(self.version), "config": {}}} if self.version else {}
        return dict(config, plugins=plugins)


class Kept:
    """What the state has for it, as `life effects` prints it; see life_plugin_rows.c."""

    def __init__(self):
        self.documents, self.aside, self.parked, self.standings = {}, {}, [], {}

    def read(self, row):
        """False: it is another's."""
        if "kept" in row:
            kept, customer = row["row"], row["customer"]
            value = kept.get("v", 0), kept.get("d")
            if "absorbed" in row:
                self.aside[customer, row["absorbed"], row["kept"]] = value
            else:
                self.documents[customer, row["kept"]] = value
        elif "parked" in row:
            self.parked.append(row["parked"])
        elif "plugins" in row:
            self.standings = row["plugins"]
        else:
            return False
        return True

    def check(self, model):
        there = {k: v for k, v in model.kept.items() if k[0] not in model.erased}
        aside = {k: v for k, v in model.aside.items() if k[0] not in model.erased}
        parked = sorted(event[1] for event in model.queue if event[1] not in model.erased)
        standings = {"tally": model.standing} if model.standing else {}
        for name, ours, theirs in (
            ("keeps", self.documents, there),
            ("had before it merged", self.aside, aside),
            ("waits for", sorted(self.parked), parked),
            ("stands as", self.standings, standings),
        ):
            if ours != theirs:
                raise Failure("the plugin %s %s; the model: %s" % (name, ours, theirs))


def check_told(lines, model):
    """What people were told at the very end of what it keeps of them."""
    told = {}
    for line in lines:
        if line[0] == "export":
            row = json.loads(" ".join(line[2:]))
            told.setdefault(line[1], []).append([row["customer"], row["key"], row["state"]])
    for user in ("u-%d" % number for number in range(1, 7)):
        ours, theirs = told.get(user, []), model.told_of(user)
        ours.sort(key=lambda row: (row[0], row[1], sorted(row[2].items())))
        if ours != theirs:
            raise Failure("%s is told %s; the model: %s" % (user, ours, theirs))
