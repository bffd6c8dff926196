"""Records of the bundles' one kind, with their deadline: the model's part of them."""
from zoneinfo import ZoneInfo

from model_time import civil_days_later, work_between, work_later


class Cases:
    """Of the model, which has the customers, the time and the timers."""

    def begin_cases(self):
        self.cases = {}  # number -> {customer, level, wanted, of, state, since, pauses, due, ...}
        self.case_sweep = None  # the number that the next slice begins below

    def case_due(self, case):
        """By the policy of now; None: it waits."""
        if self.bundle == "a":
            elapsed = 300000 if case["level"] == "high" else 900000
        else:
            elapsed = 480000 if case["level"] == "high" else None  # one working hour
        later = (lambda ms, left: ms + left) if elapsed else work_later
        due = later(case["since"], elapsed or 3600000)
        for start, end in case["pauses"]:
            if start < due:
                left = due - start if elapsed else work_between(start, due)
                if end is None:
                    return None
                due = later(end, left) if left else end
        return due

    def case_key(self, number):
        return self.cases[number]["customer"], "deadline:case:%d:answer" % number

    def arm_case(self, number):
        case, key = self.cases[number], self.case_key(number)
        if case["due"] is None or case["told"]:
            self.timers.pop(key, None)
        elif self.timers.get(key, (None,))[0] != case["due"]:
            self.timers[key] = (max(case["due"], self.now + 1000), None)

    def tell_case(self, number):
        case = self.cases[number]
        if case["due"] is not None and not case["told"] and case["due"] <= self.now:
            case["told"] = True
            body = "overdue %d %s %d" % (number, case["level"], case["wanted"])
            self.effect("hook", "service", body, case["customer"])

    def case_goes_on(self, number, is_tick):
        case, due = self.cases[number], self.case_due(self.cases[number])
        if due != case["due"]:
            case["due"] = due
            if due is None or due > self.now:
                case["told"] = False
            self.arm_case(number)
        elif is_tick:
            self.arm_case(number)

    def update_case(self, number, is_tick=False):
        case = self.cases[number]
        if case["ended"]:
            return
        self.case_goes_on(number, is_tick)
        self.tell_case(number)
        if case["told"]:
            self.arm_case(number)
        if case["state"] == "closed":
            case["ended"] = True
            self.timers.pop(self.case_key(number), None)

    def case_fires(self, number):
        if not self.cases[number]["ended"]:
            self.case_goes_on(number, True)
            self.tell_case(number)
            self.arm_case(number)

    def sweep_cases(self):
        left = self.limit("sweep_per_tick", 500) if self.case_sweep is not None else 0
        for number in sorted(self.cases, reverse=True):
            case = self.cases[number]
            is_seen = case["state"] != "closed" and case["customer"] not in self.erased
            if left > 0 and number < self.case_sweep and is_seen:
                self.case_sweep = number
                self.update_case(number, True)
                left -= 1
        if left > 0:
            self.case_sweep = None

    def start_case_sweep(self):
        """From the last that is open when the first slice comes down to the first."""
        self.case_sweep = float("inf") if self.cases else None

    def open_case(self, ref, fields):
        number = self.said_of(ref)
        if number is None or self.bundle is None or not fields["what"].strip():
            return
        case = {"customer": number, "level": fields["level"], "of": None}
        case.update(state="open", since=self.now)
        self.cases[len(self.cases) + 1] = case
        case.update(pauses=[], told=False, ended=False, due=None, version=1)
        case["wanted"] = civil_days_later(self.now, 2, ZoneInfo(self.company()))
        case["due"] = self.case_due(case)
        self.arm_case(len(self.cases))

    def of_case(self, number, version):
        """None: there is none, or another than was expected, or nobody may speak of it any more."""
        case = self.cases.get(number)
        if case is None or self.bundle is None:
            return None
        if case["customer"] in self.erased:
            self.perhaps_hers.add(self.seq)
            return None
        self.belongs(case["customer"])
        return case if version in (None, case["version"]) else None

    def move_case(self, number, transition, version):
        ways = {"wait": ("open", "waiting"), "go": ("waiting", "open"), "close": ("", "closed")}
        case, (start, end) = self.of_case(number, version), ways[transition]
        if case is None or case["state"] == "closed" or start not in ("", case["state"]):
            return
        if case["state"] == "waiting":
            case["pauses"][-1][1] = self.now
        if end == "waiting":
            case["pauses"].append([self.now, None])
        case["state"] = end
        case["version"] += 1
        self.update_case(number)

    def may_be(self, number, other):
        """Whether one case can say that it is the other: it is hers, and no circle closes."""
        found = self.cases.get(other)
        if found is None or found["customer"] not in self.group(self.cases[number]["customer"]):
            return False
        while other in self.cases and self.cases[other]["customer"] not in self.erased:
            if other == number:
                return False
            other = self.cases[other]["of"]
        return True

    def change_case(self, number, fields, version):
        case = self.of_case(number, version)
        if case is None or all(case[name] == value for name, value in fields.items()):
            return
        if "of" not in fields or self.may_be(number, fields["of"]):
            case.update(fields, version=case["version"] + 1)
            self.update_case(number)
