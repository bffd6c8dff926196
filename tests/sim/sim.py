#!/usr/bin/python3
"""The simulator: many lives of one daemon, each seed its own history of disasters.

A life is a process (tests/sim/life.c).  Between lives this script kills, cuts the
power, sets clocks, and changes bundle, zone, limits, engine level and binary.  At the
end of a seed a quiet life lets everything finish, and then

  - every event that was acknowledged is in the log, and none counts twice;
  - the effects and reminders in the state are those of tests/sim/model.py;
  - no message of a doubtful channel left twice, unless staff released it; every one
    that may or may not have left is listed; what the state calls sent did leave;
  - nothing left that the arbiter had not let through, nor sooner than its receiver asked for;
  - what the plugin keeps of everybody, who was quarantined and what is parked are those of
    tests/sim/model_tally.py, whatever process it ran in, and so is what people are told of it;
  - the stream tells of every event on every timeline, once, in order, with what the log has;
  - of who was erased there is nothing in the state, her entries are tombstones, and all
    others are not; before they became so, the log was folded once more (life_attic.h);
  - the hash of the state equals that of a fresh fold of the whole log, or of what of it
    can still be folded.

    sim.py --life BINARY [--seed N] [--count N] [--keep]

More than one seed: those of seeds.txt, which have failed before, come first.
"""
import argparse, json, os, random, shutil, subprocess, sys, tempfile, traceback
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from model import Model  # noqa: E402
from model_subjects import sure  # noqa: E402
from sim_tally import Failure, Kept, Plugin, check_told, is_stuck  # noqa: E402

CANNOT_START, CRASHED = 3, 86
ZONES = ["Europe/Berlin", "Asia/Shanghai", "UTC", "America/New_York"]


def body_of(effect):
    """Once it has been claimed, the message stands in place of what the rule gave."""
    given = effect.get("message") or effect["content"]
    if "body" not in given:  # templates/nudge.hook.md, not rendered yet
        return "nudge %d" % given["data"]["orders"]
    return given["body"].rstrip("\n")


def meant_by(body):
    """What the rule meant, without what the template says of the moment of the claim."""
    return body.split(" of ")[0]


def what_of(effect):
    return effect["channel"], effect["customer"], body_of(effect)


class Run:
    """One seed."""

    def __init__(self, binaries, seed, keep, extra=()):
        self.binaries, self.seed, self.keep, self.extra = binaries, seed, keep, list(extra)
        self.dice = random.Random(seed)
        self.plugin = Plugin(seed, binaries[0])
        root = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.dir = tempfile.mkdtemp(prefix="kith-sim-", dir=root)
        self.data, self.journal = self.dir + "/data", self.dir + "/journal"
        self.outside = self.dir + "/outside"
        self.attic = self.dir + "/attic"
        os.mkdir(self.journal)
        os.mkdir(self.data)

    def life(self, word, *args, binary=None, data=None):
        command = [
            binary or self.binaries[0],
            word,
            "--data",
            data or self.data,
            "--level",
            HERE + "/level2",
            *args,
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        is_expected = done.returncode == 0
        if word == "run" and "--quiet" not in args:
            is_expected = done.returncode in (0, CANNOT_START, CRASHED) or is_stuck(args, done)
        if not is_expected:
            raise Failure(
                "%s ended with %d: %s" % (" ".join(command), done.returncode, done.stderr[-2000:])
            )
        return done

    def config(self):
        dice = self.dice
        return {
            "zone": dice.choice(ZONES),
            "country": "DE",
            "channels": {"sms": {}, "hook": {"idempotent": True}},
            "limits": {
                "timers_per_tick": dice.choice([2, 3, 500]),
                "sweep_per_tick": dice.choice([1, 2, 500]),
                "moves_per_tick": dice.choice([1, 2, 500]),
                "erase_per_tick": dice.choice([1, 3, 500]),
                **self.plugin.limits(),
            },
        }

    def live(self):
        dice, binary, bundle, config = self.dice, self.binaries[0], "a", self.config()
        faults = dice.random() < 0.4
        for number in range(dice.randint(3, 9)):
            self.plugin.change()
            if dice.random() < 0.3:
                binary = dice.choice(self.binaries)
            if dice.random() < 0.3:
                config = self.config()
            if dice.random() < 0.4:
                bundle = dice.choice("ab")
            args = [
                "--journal",
                self.journal,
                "--outside",
                self.outside,
                "--attic",
                self.attic,
                "--seed",
                str(self.seed),
                "--life",
                str(number),
                "--steps",
                str(dice.randint(20, 500)),
                "--config",
                json.dumps(self.plugin.world(config)),
                *self.plugin.arguments(False),
            ]
            if dice.random() < 0.5:
                args += ["--bundle", HERE + "/bundles/" + bundle]
            if dice.random() < 0.5:
                args += ["--crash", str(dice.randint(1, 150))]
            if dice.random() < 0.5:
                args += ["--power-cut"]
            if dice.random() < 0.15:
                args += ["--skew", str(dice.choice([-3600000, 120000, 86400000, 2 * 86400000]))]
            if faults:
                args += ["--faults"]
            self.life("run", *args, *self.extra, binary=binary)
        self.life(
            "run",
            "--journal",
            self.journal,
            "--outside",
            self.outside,
            "--attic",
            self.attic,
            "--seed",
            str(self.seed),
            "--life",
            "99",
            "--steps",
            "10",
            "--config",
            json.dumps(self.plugin.world(config)),
            *self.plugin.arguments(True),
            "--quiet",
            "--bundle",
            HERE + "/bundles/" + bundle,
            *self.extra,
            binary=binary
        )

    # -- Looking ---------------------------------------------------------------------

    def read(self):
        self.entries = [json.loads(line) for line in self.life("dump").stdout.splitlines()]
        self.bring_back_erased()
        self.worlds = {
            e["seq"]: e["body"]["data"] for e in self.entries if e["body"]["type"] == "world"
        }
        self.effects, self.tasks, self.listed, self.subjects = {}, {}, set(), []
        self.prints = {}
        self.kept = Kept()
        self.files = {"owner": set(), "mine": set(), "forgotten": set()}
        for line in self.life("effects").stdout.splitlines():
            row = json.loads(line)
            if self.kept.read(row):
                continue
            if "erasing" in row:
                raise Failure("customer %d is still being erased at the end" % row["erasing"])
            if "hash" in row:  # whose a file is
                (kind,) = set(row) - {"hash", "entry"}
                self.files[kind].add((row["hash"], row[kind], row["entry"]))
            elif "subject" in row:
                self.subjects.append(row)
            elif "listed" in row:
                self.listed.add((row["listed"], row["id"]))
            else:
                (self.effects if "effect" in row else self.tasks)[row["id"]] = (
                    row.get("effect") or row["task"]
                )
                if "print" in row:
                    self.prints[row["id"]] = row["print"]
        self.heard = [line.split(" ", 5) for line in open(self.outside).read().splitlines()]

    def bring_back_erased(self):
        """The model is told what the log no longer tells."""
        attic = {}
        if os.path.exists(self.attic):
            for line in open(self.attic):
                entry = json.loads(line)
                attic.setdefault(entry["seq"], entry)
        self.tombstones = {e["seq"]: e["tombstone"] for e in self.entries if "tombstone" in e}
        lost = [seq for seq in self.tombstones if seq not in attic]
        if lost:
            raise Failure("erased without anybody having asked for it: %s" % lost[:5])
        self.entries = [attic[e["seq"]] if "tombstone" in e else e for e in self.entries]

    def bundle_names(self):
        names = {}
        for entry in self.entries:
            if entry["body"]["type"] == "bundle.activated":
                names[entry["body"]["data"]["hash"]] = None
        hashes = {}
        for name in "ab":
            done = self.life("bundle", "--bundle", HERE + "/bundles/" + name)
            hashes[done.stdout.strip()] = name
        return {h: hashes[h] for h in names}

    def code_of(self, world):
        code = self.worlds[world]["code"]
        return code["level"], code["tally"]

    def codes(self):
        """How many: each numbers what an entry makes in its own way."""
        return len({self.code_of(world) for world in self.worlds})

    def is_other(self, cause):
        """Whether this entry may have made something else once: other code numbers what it makes in
        its own way, another world behind it may word it so, and a plugin that crashed when it was
        repeated makes nothing of it."""
        return (
            self.codes() > 1
            or self.entries[cause - self.entries[0]["seq"]]["world"] > cause
            or self.is_shut_out_behind(cause)
        )

    def is_shut_out_behind(self, cause):
        return any(
            e["body"]["type"] == "verdict"
            and e["body"]["plugins"]
            and e["body"]["at_seq"] <= cause < e["seq"]
            for e in self.entries
        )

    def check_acknowledged(self):
        written = [e["body"].get("id") for e in self.entries]
        for line in self.heard:
            if line[0] == "ack" and line[1] not in written:
                raise Failure("acknowledged and lost: " + line[1])

    def run_model(self):
        owners = {
            i: (e["customer"], e["purpose"], e["channel"], None, e.get("rule"))
            for i, e in self.effects.items()
        }
        erased = {
            e["body"]["data"]["customer"] for e in self.entries if e["body"]["type"] == "erase.done"
        }
        for line in self.heard:
            if line[0] in ("recv", "fail") and int(line[4]) in erased and line[1] not in owners:
                purpose = "news" if line[5].startswith("due ") else "service"
                owners[line[1]] = int(line[4]), purpose, line[3], meant_by(line[5]), None
        model = Model(self.worlds, self.bundle_names(), owners, self.prints)
        for entry in self.entries:
            body = entry["body"]
            if body["type"] != "verdict":
                continue
            if any(r["rule"] == "visit" for r in body.get("rules", [])):
                model.killed.add(body["at_seq"])
            for plugin in body.get("plugins", []):
                model.plugin_verdicts[body["at_seq"]] = plugin
        for entry in self.entries:
            model.apply(entry)
        return model

    def check_sent_away(self, model):
        arrived = {
            int(e["body"]["id"].split(".")[0]) for e in self.entries if e["body"]["type"] == "ping"
        }
        if model.sent_away != arrived:
            raise Failure(
                "events to others: lost %s, too many %s"
                % (sorted(model.sent_away - arrived)[:5], sorted(arrived - model.sent_away)[:5])
            )

    def check_subjects(self, model):
        """What was asked and answered; no code twice, nothing overspent; nobody erased is named."""
        asked, answered = set(), set()
        for entry in self.entries:
            body = entry["body"]
            if entry["class"] == 1 or not body["type"].startswith(("pool.", "budget.")):
                continue
            if "id" not in body:  # staff's
                continue
            cause, data = int(body["id"].split(".")[0]), sure(**body["data"])
            if ":" in body["ref"]:
                asked.add((cause, body["type"], data))
            else:
                answered.add((cause, body["type"], int(body["ref"]), data))
        for name, ours, theirs in (
            ("asked", asked, model.asked),
            ("answered", answered, model.answered),
        ):
            if theirs - ours or (self.codes() == 1 and ours - theirs):
                raise Failure(
                    "%s: lost %s, too many %s"
                    % (name, sorted(theirs - ours)[:3], sorted(ours - theirs)[:3])
                )
        self.check_pool(model)
        self.check_budget(model)

    def rows_of(self, subject, table):
        return [r for r in self.subjects if (r["subject"], r["table"]) == (subject, table)]

    def check_pool(self, model):
        codes = {
            r["name"]: (r["row"]["state"], r["row"].get("customer"))
            for r in self.rows_of("pool:gift", "c")
        }
        wanted = {code: ("free", None) for code in model.codes}
        for code, owner in model.codes.items():
            if owner is not None:
                is_gone = owner[0] in model.erased
                wanted[code] = ("used", None) if is_gone else ("reserved", owner[0])
        if codes != wanted:
            raise Failure("codes: %s; the model: %s" % (codes, wanted))
        held = {
            (r["customer"], r["name"]): r["row"]["code"] for r in self.rows_of("pool:gift", "a")
        }
        if held != {k: v for k, v in model.taken.items() if k[0] not in model.erased}:
            raise Failure("codes are held: %s; the model: %s" % (held, model.taken))

    def check_budget(self, model):
        row = next((r["row"] for r in self.rows_of("budget:kind", "p")), None)
        ours = row and (row["from"], row["until"], row["spent"])
        theirs = model.period and (*model.period[:2], model.period[2] * 100)
        if ours != theirs or (ours and ours[2] > 1500000):
            raise Failure("the budget is %s; the model: %s" % (ours, theirs))
        granted = {(r["customer"], r["name"]) for r in self.rows_of("budget:kind", "a")}
        if granted != {k for k in model.granted if k[0] not in model.erased}:
            raise Failure("granted: %s; the model: %s" % (granted, model.granted))

    def check_effects(self, model):
        ours = sorted(
            (int(i.split(".")[0]), e["channel"], e["purpose"], meant_by(body_of(e)), e["customer"])
            for i, e in self.effects.items()
        )
        theirs = [e for e in model.effects if e[4] not in model.erased]
        if ours != sorted(theirs):
            missing = [e for e in theirs if e not in ours]
            extra = [e for e in ours if e not in theirs]
            raise Failure(
                "effects differ: the model has besides %s; the state has besides %s"
                % (missing[:5], extra[:5])
            )
        tasks = {
            i: {
                name: t.get(name)
                for name in ("customer", "due", "assignee", "of", "title", "closed")
            }
            for i, t in self.tasks.items()
        }
        wanted = {i: t for i, t in model.tasks.items() if t["customer"] not in model.erased}
        if tasks != wanted:
            raise Failure("reminders differ: %s; the model: %s" % (tasks, wanted))

    def check_renderings(self, model):
        """A template says what was true at the first claim, whatever was tried later."""
        if self.codes() > 1:
            return  # another level may have given the number to another message
        for ident, effect in self.effects.items():
            message = effect.get("message", {})
            if "template" not in message or self.is_shut_out_behind(int(ident.split(".")[0])):
                continue  # its number may have been another's when that was claimed
            orders = model.orders_then.get(ident)
            if message["subject"] != "%s so far" % ("" if orders is None else orders):
                raise Failure("%s says %r; it was claimed at %s" % (ident, message, orders))

    def check_erased(self, model):
        """Her entries are gone, and no others."""
        for seq, customer in self.tombstones.items():
            if seq not in model.hers.get(customer, ()) and seq not in model.perhaps_hers:
                raise Failure("entry %d was erased with customer %d" % (seq, customer))
        for customer in model.erased:
            left = model.hers.get(customer, set()) - set(self.tombstones)
            if left:
                raise Failure("customer %d was erased: %s were not" % (customer, sorted(left)[:5]))

    def check_files(self, model):
        """Both rows of each naming by an entry that is left, of nobody who was erased."""
        wanted = {
            named
            for named in model.files
            if named[1] not in model.erased and named[2] not in self.tombstones
        }
        for kind, rows in self.files.items():
            if rows != (set() if kind == "forgotten" else wanted):
                raise Failure("files (%s): %s; the model: %s" % (kind, rows, wanted))

    def check_sends(self, model):
        if model.too_early:
            raise Failure("tried again too early: %s" % model.too_early[:5])
        released = {}
        for entry in self.entries:
            if entry["body"]["type"] == "effect.release":
                ident = entry["body"]["data"]["id"]
                released[ident] = released.get(ident, 0) + 1
        failed = {
            (e["body"]["data"]["id"], e["body"]["data"]["attempt"])
            for e in self.entries
            if e["body"]["type"] == "effect.outcome" and e["body"]["data"]["outcome"] == "failed"
        }
        received, self.orphans = {}, set()
        for line in self.heard:
            if line[0] != "recv":
                continue
            ident, attempt = line[1], int(line[2])
            what = line[3], int(line[4]), line[5]
            effect = self.effects.get(ident)
            if what[1] in model.erased:
                self.check_erased_send(ident, attempt, what, model)
                received.setdefault(ident, []).append((attempt, what))
                continue
            if effect is None or what != what_of(effect):
                self.check_orphan(ident, what)
                self.orphans.add((int(ident.split(".")[0]), what))
                continue
            received.setdefault(ident, []).append((attempt, what))
            if (ident, attempt) not in model.allowed:
                raise Failure("%s left in attempt %d, which no claim allowed" % (ident, attempt))
        for ident, times in received.items():
            said_no = sum(1 for t in times if (ident, t[0]) in failed)
            if times[0][1][0] == "sms" and len(times) > 1 + released.get(ident, 0) + said_no:
                raise Failure("%s left %d times: %s" % (ident, len(times), times))
        self.check_listed()
        self.check_order(released)
        for ident, effect in self.effects.items():
            self.check_end(ident, effect, received.get(ident, []), model)

    def check_held(self):
        """What changed code made of entries older than itself, and no claim before it named, goes
        out when a person has released it and not otherwise."""
        world_of = {entry["seq"]: entry["world"] for entry in self.entries}
        claims, released = {}, set()
        for entry in self.entries:
            seq, kind, data = entry["seq"], entry["body"]["type"], entry["body"].get("data", {})
            if kind == "effect.release":
                released.add(data["id"])
            if kind != "effect.claim":
                continue
            ident, cause = data["id"], int(data["id"].split(".")[0])
            first = min(claims.setdefault(name, seq) for name in (ident, (cause, data["print"])))
            if cause < world_of[cause] < first and ident not in released:
                raise Failure("%s was to be held, and is claimed in entry %d" % (ident, seq))

    def check_erased_send(self, ident, attempt, what, model):
        """She got it before she was forgotten: it was meant for her, and a claim allowed it."""
        seq = int(ident.split(".")[0])
        meant = seq, what[0], what[1], meant_by(what[2])
        if not any((e[0], e[1], e[4], e[3]) == meant for e in model.effects):
            if not self.is_other(seq):
                raise Failure("%s left as %s, which nobody meant" % (ident, what))
        elif (ident, attempt) not in model.allowed:
            raise Failure("%s left in attempt %d, which no claim allowed" % (ident, attempt))

    def check_order(self, released):
        """Per customer and channel messages leave in the order in which they were meant."""
        last = {}
        for line in self.heard:
            if line[0] != "recv" or line[1] in released or line[1] not in self.effects:
                continue
            effect = self.effects[line[1]]
            if (line[3], int(line[4]), line[5]) != what_of(effect):  # another code's number
                continue
            if "place" in effect:  # it went to the end of its line when its rule was resumed
                continue
            key = effect["customer"], effect["channel"]
            number = tuple(map(int, line[1].split(".")))
            if effect["channel"] == "sms" and number < last.get(key, (0, 0)):
                raise Failure("%s left after %s" % (line[1], last[key]))
            last[key] = max(number, last.get(key, (0, 0)))

    def check_listed(self):
        """Everything doubtful waits in the list that people see, and nothing else does."""
        wanted = {
            (e["state"], i)
            for i, e in self.effects.items()
            if e["state"] in ("claimed", "uncertain", "held")
        }
        if wanted != self.listed:
            raise Failure(
                "listed wrongly: %s; not listed: %s"
                % (sorted(self.listed - wanted)[:3], sorted(wanted - self.listed)[:3])
            )

    def check_orphan(self, ident, what):
        """What left is not what the state knows: only other code or another world explains that."""
        claimed = any(
            e["body"]["type"] == "effect.claim" and e["body"]["data"]["id"] == ident
            for e in self.entries
        )
        if not self.is_other(int(ident.split(".")[0])) or not claimed:
            raise Failure(
                "%s left as %s, but it is %s" % (ident, what, self.effects.get(ident, "nothing"))
            )

    def check_end(self, ident, effect, received, model):
        state = effect["state"]
        other = int(ident.split(".")[0]), what_of(effect)  # by another number
        if state == "sent" and not received and other not in self.orphans:
            raise Failure("%s is called sent and never left" % ident)
        if state in ("pending", "claimed"):
            raise Failure("%s is still %s at the end" % (ident, state))
        if (
            state in ("suppressed", "expired")
            and len(received) > 0
            and effect.get("attempt", 0) == 0
        ):
            raise Failure("%s is %s and left all the same" % (ident, state))
        if state == "held" and received:
            raise Failure("%s left, and is listed as held" % ident)
        if state not in (
            "sent",
            "suppressed",
            "expired",
            "rejected",
            "uncertain",
            "held",
            "dropped",
            "failed",
        ):
            raise Failure("%s is %s" % (ident, state))

    def check_stream(self):
        told, happened = [], []
        for line in self.life("events").stdout.splitlines():
            row = json.loads(line)
            if "told" in row:
                told.append(row["told"])
            else:
                happened.append(tuple(row["happened"]))
        # What others have of an entry that was erased is told of by its row, not by the stream.
        happened = [place for place in happened if place[1] != 0 or place[0] not in self.tombstones]
        places = [(event["seq"], event["n"], event.get("customer", 0)) for event in told]
        if places != sorted(happened):
            raise Failure(
                "the stream lacks %s, and has besides %s"
                % (
                    sorted(set(happened) - set(places))[:5],
                    sorted(set(places) - set(happened))[:5] or "another order",
                )
            )
        entries = {entry["seq"]: entry["body"] for entry in self.entries}
        for event in told:
            body = entries[event["seq"]]
            if event["n"] == 0 and (event["type"], event.get("messageId")) != (
                body["type"],
                body.get("id"),
            ):
                raise Failure("the stream tells %s of %s" % (event, body))

    def fold(self, code, *args):
        """In the one process or not, wherever the plugin has been before."""
        plugin = self.plugin.folded(code[1])
        return self.life("fold", *args, *plugin, binary=self.binaries[code[0] - 1])

    def check_fold(self):
        """A fresh fold, each stretch by the level and the plugin that are in force there."""
        last = self.entries[-1]["seq"]
        codes = [self.code_of(entry["world"]) for entry in self.entries]
        into, done = self.dir + "/fresh", None
        floor = self.worlds[self.entries[-1]["world"]].get("floor")
        start = floor["seq"] if floor else 0
        first = ["--from-floor"] if floor else []
        while start < last:
            end = start
            while end < last and codes[end] == codes[start]:
                end += 1
            done = self.fold(codes[start], *first, "--into", into, "--seq", str(end))
            first = []
            start = end
        self.compare_hash(done, "folded anew")

    def check_base(self):
        """What the present code folded since it took over it must fold again, and alone."""
        last = self.entries[-1]
        code, into, seq = self.code_of(last["world"]), self.dir + "/based", str(last["seq"])
        done = self.fold(code, "--from-base", "--into", into, "--seq", seq)
        self.compare_hash(done, "folded from its base")

    def compare_hash(self, done, how):
        live = self.life("hash").stdout
        if live != done.stdout:
            raise Failure("the state is %s; %s it is %s" % (live.strip(), how, done.stdout.strip()))

    def check(self):
        self.live()
        self.read()
        self.check_acknowledged()
        model = self.run_model()
        self.check_sent_away(model)
        self.check_subjects(model)
        self.check_effects(model)
        self.check_renderings(model)
        self.check_sends(model)
        self.check_held()
        self.check_stream()
        self.check_erased(model)
        self.check_files(model)
        self.kept.check(model)
        check_told(self.heard, model)
        self.check_fold()
        self.check_base()

    def __call__(self):
        failure = None
        try:
            self.check()
        except Failure as reason:
            failure = str(reason)
        except Exception:  # a model that stumbles is a finding too
            failure = traceback.format_exc()
        if failure is None or not self.keep:
            shutil.rmtree(self.dir)
        return self.seed, failure, self.dir


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--life",
        required=True,
        help="the binary of level 1; that of level 2 lies beside it as life2",
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="leave the directories of failed seeds")
    parser.add_argument("--stop", action="store_true", help="end at the first failure")
    parser.add_argument("--extra", default="", help="more arguments for every life")
    args = parser.parse_args()
    binaries = [args.life, args.life + "2"]
    seeds = list(range(args.seed, args.seed + args.count))
    known = os.path.join(HERE, "seeds.txt")
    if args.count > 1 and os.path.exists(known):
        seeds = [
            int(line.split()[0]) for line in open(known) if line.strip() and line[0] != "#"
        ] + seeds
    passed = failed = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for seed, failure, where in pool.map(
            lambda s: Run(binaries, s, args.keep, args.extra.split())(), seeds
        ):
            passed += failure is None
            failed += failure is not None
            if failure:
                print(
                    "seed %d failed: %s%s\n  again: make sim SEED=%d, keep in seeds.txt"
                    % (seed, failure, "\n  in " + where if args.keep else "", seed),
                    flush=True,
                )
                if args.stop:
                    print("found by seed %d after %d seeds" % (seed, passed + failed))
                    os._exit(1)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
