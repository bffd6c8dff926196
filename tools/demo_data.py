#!/usr/bin/python3
"""demo_data.py calls|done [--until TIME] -- a small made-up business for `make run`.

A house for tea and ceramics with three shops: 3,000 customers, a year of purchases, visits,
enquiries, complaints and birthdays, as NDJSON of Segment calls on standard output.  The seed
is fixed, so that only the dates depend on when it is run.

    calls     all that customers did, up to TIME (now)
    done      reads `kith reminders --state all --json` and says what staff did about it

What staff does depends on what the rules asked of it, so the year is folded twice: first
without staff, then with what it did.  That works because a rule here gives each follow-up a
key of its own: its number is the same whether or not those before it were done.
"""
import argparse
import datetime
import itertools
import json
import random
import sys
import zoneinfo

from demo_words import (
    COMPLAINTS,
    ENQUIRIES,
    FAMILY,
    GIVEN,
    GOODS,
    LATIN,
    MANAGERS,
    OFTEN,
    OUTCOMES,
    SHOPS,
    STAFF,
)

SEED = 20
DAYS = 365
HOME = zoneinfo.ZoneInfo("Europe/Berlin")  # the company's, as tools/demo.lua has it
SEASON = [1.0, 0.9, 0.9, 0.9, 0.9, 0.8, 0.7, 0.8, 1.0, 1.1, 1.5, 1.9]  # January first
DAY = datetime.timedelta(days=1)
HOUR = datetime.timedelta(hours=1)
MINUTE = datetime.timedelta(minutes=1)

# People of whom something is due today, whatever the dice say: (name, e-mail, shop, language).
CAST = {
    "complains": ("王小明", "wang.xiaoming@post.example", "hamburg", "zh"),
    "waits": ("Imogen Shaw", "imogen.shaw@mail.example", "london", "en"),
    "visits": ("Clara Novak", "clara.novak@mail.example", "london", "en"),
    "spends": ("欧阳文静", "ouyang.wenjing@shu.example", "shanghai", "zh"),
    "arrives": ("Greta Lindqvist", "greta.lindqvist@post.example", "hamburg", "de"),
    "is silent": ("Hauke Thomsen", "hauke.thomsen@post.example", "hamburg", "de"),
}
FRESH = 4 * DAY  # what was asked about them in the last days is still open


def stamp(moment):
    return moment.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def is_open(shop, day):
    return SHOPS[shop].sundays or day.weekday() != 6


def opened(shop, moment):
    """The same moment if the shop is open then, else soon after it opens next."""
    local = moment.astimezone(zoneinfo.ZoneInfo(SHOPS[shop].zone))
    if local.hour >= 19:
        local = (local + DAY).replace(hour=10)
    elif local.hour < 10:
        local = local.replace(hour=10)
    while not is_open(shop, local):
        local = (local + DAY).replace(hour=10)
    return local


class Customer:
    def __init__(self, number, name, email, shop, language, since, rate):
        self.user, self.name, self.email = f"c-{number:04}", name, email
        self.shop, self.language, self.since, self.rate = shop, language, since, rate
        self.traits = {
            "name": name,
            "email": email,
            "language": language,
            "shop": shop,
            "timezone": SHOPS[shop].zone,
        }
        self.owner = None


class Business:
    """All calls of the year, each with its time."""

    def __init__(self, until):
        self.until = until
        self.start = until - DAYS * DAY
        self.dice = random.Random(SEED)
        self.calls = []
        self.count = dict.fromkeys(SHOPS, 0)  # of customers
        self.phones = {shop: itertools.count(1) for shop in SHOPS}
        self.emails = {email for _, email, _, _ in CAST.values()}
        self.orders, self.complaints = itertools.count(1001), itertools.count(1)
        self.staff()
        number = itertools.count(1)
        self.cast(number)
        self.births(number)
        for shop, facts in SHOPS.items():
            for _ in range(facts.customers - self.count[shop]):
                self.customer(next(number), shop)
        self.calls.sort(key=lambda call: call["timestamp"])  # stable: causes first

    def add(self, moment, message, **call):
        self.calls.append(dict(call, messageId="demo-" + message, timestamp=stamp(moment)))

    def track(self, customer, moment, event, message, **properties):
        self.add(
            moment,
            f"{customer.user}-{message}",
            type="track",
            userId=customer.user,
            event=event,
            properties=properties,
        )

    # ---- Who there is ------------------------------------------------------------------------

    def staff(self):
        for name, (title, shop) in STAFF.items():
            calendar = shop if shop in ("london", "shanghai") else "company"
            self.add(
                self.start,
                "staff-" + name,
                type="staff.set",
                data={
                    "name": name,
                    "title": title,
                    "email": name + "@house.example",
                    "calendar": calendar,
                    "teams": [shop] if shop else ["managers"],
                },
            )
        for team in (*SHOPS, "managers"):
            members = [name for name, (_, shop) in STAFF.items() if shop == team] or MANAGERS
            self.add(
                self.start,
                "team-" + team,
                type="staff.set",
                data={
                    "name": team,
                    "members": members,
                    "calendar": team if team in ("london", "shanghai") else "company",
                },
            )

    def weighted(self, words):
        """The frequent ones come first."""
        return self.dice.choices(words, [1 / (place + 3) for place in range(len(words))])[0]

    def name(self, shop, is_han):
        """A name, and how it is written in an address."""
        if is_han:
            family, given = self.weighted(list(FAMILY)), self.dice.choice(list(GIVEN))
            return family + given, f"{FAMILY[family]}.{GIVEN[given]}"
        first, last = (self.weighted(words) for words in LATIN[shop])
        return f"{first} {last}", f"{first}.{last}".lower()

    def address(self, written, shop):
        for old, new in ("äa", "öo", "üu", "ßs"):
            written = written.replace(old, new)
        host = {"hamburg": "post", "london": "mail", "shanghai": "shu"}[shop]
        for count in itertools.count(1):
            email = f"{written}{count if count > 1 else ''}@{host}.example"
            if email not in self.emails:
                self.emails.add(email)
                return email

    def phone(self, shop):
        return SHOPS[shop].phone.format(next(self.phones[shop]) * 37 % 1000)  # each once

    def customer(self, number, shop):
        dice = self.dice
        is_han = dice.random() < SHOPS[shop].han
        name, written = self.name(shop, is_han)
        language = "zh" if is_han else "de" if shop == "hamburg" else "en"
        is_old = dice.random() < 0.6
        since = None if is_old else self.shopping_time(shop, self.start)
        rate = min(dice.gammavariate(0.8, 3.4), 25)  # orders a year
        customer = Customer(number, name, self.address(written, shop), shop, language, since, rate)
        if dice.random() < 0.6:
            customer.traits["phone"] = self.phone(shop)
        if dice.random() < 0.7:
            born = datetime.date(dice.randint(1948, 2005), dice.randint(1, 12), dice.randint(1, 28))
            is_lunar = is_han and dice.random() < 0.5
            customer.traits["lunar_birthday" if is_lunar else "birthday"] = born.isoformat()
        self.known(customer)
        self.year(customer)

    def known(self, customer):
        """From when on we know her, and whose customer she is."""
        since = customer.since or self.start
        self.count[customer.shop] += 1
        self.add(
            since,
            customer.user + "-identify",
            type="identify",
            userId=customer.user,
            traits=customer.traits,
        )
        owners = [name for name, (_, shop) in STAFF.items() if shop == customer.shop]
        customer.owner = self.dice.choice(owners)
        if customer.since:
            where = self.dice.choice(
                ["in the shop", "in the shop", "on the website", "at a tasting"]
            )
            self.track(customer, since, "Signed Up", "signup", shop=customer.shop, where=where)
        self.add(
            min(since + 5 * MINUTE, self.until),
            customer.user + "-owner",
            type="owner.changed",
            customer="user_id:" + customer.user,
            data={"owner": customer.owner},
        )

    # ---- What they do ------------------------------------------------------------------------

    def shopping_time(self, shop, first):
        """When the shop is open, more often before the holidays."""
        while True:
            day = first + self.dice.random() * (self.until - first)
            if self.dice.random() * max(SEASON) < SEASON[day.month - 1]:
                break
        local = day.astimezone(zoneinfo.ZoneInfo(SHOPS[shop].zone)).replace(
            hour=10 + self.dice.choice([0, 1, 1, 2, 2, 3, 4, 5, 6, 6, 7, 7, 8]),
            minute=self.dice.randint(0, 59),
            second=self.dice.randint(0, 59),
        )
        if not is_open(shop, local):
            local -= DAY
        return min(max(local, first + 10 * MINUTE), self.until - MINUTE)

    def times(self, customer, rate):
        """About `rate` times a year, while she is ours: some go silent for good."""
        first = customer.since or self.start
        years = (self.until - first) / datetime.timedelta(days=365)
        count = min(int(self.dice.expovariate(1) * rate * years + 0.5), 40)
        return sorted(self.shopping_time(customer.shop, first) for _ in range(count))

    def year(self, customer):
        last = self.until
        if customer.rate > 3 and self.dice.random() < 0.15:
            last -= self.dice.random() * 200 * DAY
        orders = [moment for moment in self.times(customer, customer.rate) if moment < last]
        visits = [moment for moment in self.times(customer, 0.5) if moment < last]
        asks = [moment for moment in self.times(customer, 0.4) if moment < last]
        for moment in orders:
            self.order(customer, moment, self.basket())
        for place, moment in enumerate(visits):
            self.visit(customer, moment, place)
        for place, moment in enumerate(asks):
            subject, text = self.dice.choice(ENQUIRIES[customer.language])
            self.track(
                customer,
                moment,
                "Enquiry Received",
                f"enquiry-{place}",
                subject=subject,
                text=text,
                channel=self.dice.choice(["phone", "e-mail", "shop", "chat"]),
            )
        for moment in orders:
            if self.dice.random() < 0.018:
                self.complaint(
                    customer, min(moment + self.dice.random() * 6 * DAY, self.until - 30 * HOUR)
                )

    def basket(self):
        count = self.dice.choice([1, 1, 1, 2, 2, 3, 4])
        return self.dice.choices(list(GOODS), OFTEN, k=count)

    def order(self, customer, moment, names):
        shop, number = SHOPS[customer.shop], next(self.orders)
        products = [{"name": name, "price": round(GOODS[name] * shop.rate)} for name in names]
        self.track(
            customer,
            moment,
            "Order Completed",
            f"order-{number}",
            order_id=f"{customer.shop[0].upper()}-{number}",
            currency=shop.currency,
            total=sum(product["price"] for product in products),
            products=products,
            shop=customer.shop,
        )

    def visit(self, customer, moment, place):
        self.track(
            customer,
            moment,
            "Shop Visited",
            f"visit-{place}",
            shop=customer.shop,
            looked_at=self.dice.choice(list(GOODS)),
        )

    def complaint(self, customer, moment):
        number = next(self.complaints)
        subject, text = self.dice.choice(COMPLAINTS[customer.language])
        self.track(
            customer,
            moment,
            "Complaint Received",
            f"complaint-{number}",
            complaint_id=f"C-{number:03}",
            subject=subject,
            text=text,
            channel=self.dice.choice(["e-mail", "phone", "letter"]),
        )

    # ---- Today -------------------------------------------------------------------------------

    def cast(self, number):
        """One or two for each rule of whom something is due, or happened, today."""
        people = {}
        for role, (name, email, shop, language) in CAST.items():
            since = None if role != "arrives" else self.open_day("hamburg", 2)
            person = Customer(next(number), name, email, shop, language, since, 0)
            person.traits["phone"] = self.phone(shop)
            people[role] = person
            self.known(person)
        for role in ("complains", "waits", "visits", "spends", "is silent"):
            ago = 93 if role == "is silent" else 20
            for months in range(5, 0, -1):
                self.order(
                    people[role],
                    opened(people[role].shop, self.until - (ago + 47 * months) * DAY),
                    ["oolong", "cup"],
                )
        self.complaint(people["complains"], self.until - 22 * HOUR)
        self.complaint(people["waits"], self.until - 26 * HOUR)
        self.visit(people["visits"], min(self.until + 2 * HOUR, self.midnight()) - 3 * DAY, 0)
        self.order(people["spends"], self.open_day("shanghai", 1), ["tea table", "teapot"])
        self.silence(people["is silent"])

    def midnight(self):
        """Shortly before the end of the company's day."""
        return self.until.astimezone(HOME).replace(hour=23, minute=30)

    def open_day(self, shop, back):
        """Noon of an open day so far back that `back` working days from then is no later than
        today, at closing time."""
        zone = zoneinfo.ZoneInfo(SHOPS[shop].zone)
        day = min(self.until.astimezone(HOME), self.until.astimezone(zone))
        day = datetime.datetime(day.year, day.month, day.day, 12, tzinfo=zone)
        for left in range(back + 1):
            while not is_open(shop, day):
                day -= DAY
            day -= DAY if left < back else 0 * DAY
        return day

    def silence(self, person):
        """Her last order: two working days after the ninety are today, or were just before."""
        last = self.open_day(person.shop, 2) - 90 * DAY
        self.order(person, last, ["sencha"])

    def births(self, number):
        """Somebody is born today by each calendar, and yesterday: the moon comes round to the
        same day of the same month after 19 years, give or take a day."""
        for back, age, shift in itertools.product((0, 1), (19, 38, 57), (-1, 0, 1)):
            today = self.until.astimezone(HOME).date() - back * DAY
            for trait, language, shop in (
                ("birthday", "en", "london"),
                ("lunar_birthday", "zh", "shanghai"),
            ):
                if trait == "birthday" and shift:
                    continue
                name, written = self.name(shop, language == "zh")
                person = Customer(
                    next(number), name, self.address(written, shop), shop, language, None, 2
                )
                born = (
                    today.replace(year=today.year - age, day=min(today.day, 28))
                    if (today.month == 2)
                    else today.replace(year=today.year - age)
                )
                person.traits[trait] = (born + shift * DAY).isoformat()
                self.known(person)
                self.year(person)


# ---- What staff did about it ---------------------------------------------------------------


def shop_of(task):
    name = task.get("assignee", "")
    return name if name in SHOPS else STAFF.get(name, ("", None))[1] or "hamburg"


def closing(dice, task, created):
    """When staff closes a follow-up: in time mostly, in the hours when the shop is open."""
    if task["rule"] == "answer a complaint":
        late = dice.random() < 0.1
        return opened(
            shop_of(task), created + dice.uniform(*((26, 60) if late else (1, 12))) * HOUR
        )
    late = dice.random() < 0.06
    return opened(shop_of(task), created + dice.uniform(*((60, 150) if late else (3, 30))) * HOUR)


def done(until, lines):
    names = {who[0] for who in CAST.values()}
    for line in lines:
        task = json.loads(line)
        created = datetime.datetime.fromisoformat(task["created"].replace("Z", "+00:00"))
        dice = random.Random(f"{SEED}/{task['id']}")
        moment = closing(dice, task, created) + dice.randint(0, 50) * MINUTE
        is_fresh = task.get("customer_name") in names and until - created < FRESH
        if moment >= until or is_fresh:
            continue
        weights, outcomes, notes = zip(*OUTCOMES[task["rule"]])
        place = dice.choices(range(len(weights)), weights)[0]
        data = {"task": task["id"], "outcome": outcomes[place], "note": notes[place]}
        yield {
            "type": "reminder.done",
            "messageId": f"demo-done-{task['id']}",
            "timestamp": stamp(moment),
            "data": {key: value for key, value in data.items() if value},
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=("calls", "done"))
    parser.add_argument("--until", metavar="TIME", help="2026-11-21T10:00:00Z (now)")
    arguments = parser.parse_args()
    until = datetime.datetime.now(datetime.timezone.utc)
    if arguments.until:
        until = datetime.datetime.strptime(arguments.until, "%Y-%m-%dT%H:%M:%S%z")
    until = until.replace(microsecond=0)
    calls = done(until, sys.stdin) if arguments.part == "done" else Business(until).calls
    for call in calls:
        print(json.dumps(call, ensure_ascii=False, separators=(",", ":")))


if __name__ == "__main__":
    main()
