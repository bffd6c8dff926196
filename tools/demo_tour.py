#!/usr/bin/python3
"""demo_tour.py BUILD DATA -- what there is to see in the business of `make run`.

What the rules did, what is due today and why, and ten commands to try.  All of it is asked of
the daemon at KITH_URL with the command, as anybody would; nothing here knows what was loaded
but who the people of demo_data.CAST are.
"""
import collections
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import unicodedata

SCRIPTS = pathlib.Path(__file__).resolve().parent.parent / "scripts" / "demo"
SHOWN_MAX = 4  # follow-ups of one rule


def kith(build, *words):
    """The objects that a command prints as JSON."""
    done = subprocess.run(
        [os.path.join(build, "kith"), "--json", *words], check=True, stdout=subprocess.PIPE
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def padded(text, width):
    """Chinese characters are two columns wide."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return text + " " * max(width - len(text) - wide, 0)


def descriptions():
    """What each rule is for, in its own words."""
    text = "".join(path.read_text() for path in sorted(SCRIPTS.glob("*.lua")))
    return dict(re.findall(r'^rule "(.+?)" \{\n  description = "(.+?)",$', text, re.M))


def counted(items, *fields):
    """rule -> Counter of what is in those fields."""
    found = collections.defaultdict(collections.Counter)
    for item in items:
        words = [item[field] for field in fields if item.get(field)]
        found[item.get("rule", "by hand")][": ".join(words)] += 1
    return found


def show_rules(tasks, effects):
    print("\nWhat the rules of scripts/demo did in that year:\n")
    for kind, found in (
        ("follow-ups", counted(tasks, "state")),
        ("messages", counted(effects, "state", "reason")),
    ):
        for rule, states in sorted(found.items()):
            told = ", ".join(f"{count} {state}" for state, count in states.most_common())
            print(f"  {rule:44}{sum(states.values()):5} {kind}: {told}")
    print("\n  (historic: of a past that was loaded nothing is sent)")


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def show_due(tasks, what_for):
    groups = collections.defaultdict(list)
    for task in tasks:
        groups[task.get("rule", "by hand")].append(task)
    print(f"\nDue by the end of today, or overdue: {len(tasks)} follow-ups, and why\n")
    for rule, group in sorted(groups.items()):
        print(f"  {rule} -- {what_for.get(rule, '')}")
        for task in group[:SHOWN_MAX]:
            due, now = moment(task["due"]), datetime.datetime.now(datetime.timezone.utc)
            when = f"{due.astimezone():%a %H:%M}{' overdue' if due < now else ''}"
            print(f"  {task['id']:6}  {when:18}{padded(task['assignee'], 10)}{task['title']}")
        if len(group) > SHOWN_MAX:
            print(f"  {'':6}  and {len(group) - SHOWN_MAX} more")


def commands(tasks, effects):
    """Ten of them, (command, what it shows), with numbers of things that are there."""
    complaint = next((task for task in tasks if task.get("rule") == "answer a complaint"), tasks[0])
    told = next(effect for effect in effects if effect["notification"])
    order = json.dumps(
        {
            "userId": "c-0006",
            "event": "Order Completed",
            "properties": {"order_id": "H-9001", "total": 900, "currency": "EUR"},
        }
    )
    return [
        ("kith reminders --to jonas --due 7d", "the week of Jonas Petersen"),
        (
            "kith search xiaoming 9037",
            "the telephone rings: who is it? part of a name, end of a number",
        ),
        ("kith show user_id:c-0001", "王小明, as you see him when he calls"),
        ("kith timeline user_id:c-0001 --limit 12", "what happened, and what came of it"),
        (f"kith explain {told['id']}", "why the managers were told"),
        (
            f"kith done {complaint['id']} --outcome replaced --note 'A new one is on its way'"
            " --next 14d",
            "a complaint is answered; ask again in two weeks",
        ),
        ("kith note user_id:c-0003 'Comes back on Friday'", "a word for Clara Novak's timeline"),
        ("kith remind user_id:c-0004 'Send the catalogue' --due friday", "a follow-up by hand"),
        (
            f"curl -u $KITH_KEY: $KITH_URL/v1/track -d '{order}' &&"
            " kith reminders --customer user_id:c-0006",
            "Hauke Thomsen buys a lot: a rule asks for a call",
        ),
        ("kith verify", "fold the whole year anew: the same state, byte for byte"),
    ]


def main(build, data):
    tasks = kith(build, "reminders", "--state", "all")
    effects = kith(build, "effects", "--limit", "100000")
    due = kith(build, "reminders", "--due", "today")
    show_rules(tasks, effects)
    show_due(due, descriptions())
    print("\nTen commands to try, in another terminal:\n")
    print(
        f"  export KITH_URL={os.environ['KITH_URL']} KITH_KEY=$(cat {data}/admin.key)"
        f" PATH={build}:$PATH\n"
    )
    opened = [task for task in tasks if task["state"] == "open"]
    for command, shows in commands(opened, effects):
        print(f"  # {shows}\n  {command}")
    print(f"\nServing on {os.environ['KITH_URL']}; data in {data}.  Ctrl-C ends it.", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
