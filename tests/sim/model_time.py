"""Times as the model needs them: later days on a clock, the company's working hours."""
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def civil_days_later(ms, days, zone):
    """The same wall clock on a later day; what does not exist or exists twice goes forward."""
    local = datetime.fromtimestamp(ms / 1000, timezone.utc).astimezone(zone).replace(tzinfo=None)
    return instant(local + timedelta(days=days), zone)


def civil_due(said, zone):
    """(base, days, hour): so many days after the base, at that hour, or at its own."""
    base, days, hour = said
    due = civil_days_later(base, days, zone)
    if hour is None:
        return due
    local = datetime.fromtimestamp(due / 1000, timezone.utc).astimezone(zone).replace(tzinfo=None)
    return instant(local.replace(hour=hour, minute=0, second=0, microsecond=0), zone)


def instant(local, zone):
    late = local.replace(tzinfo=zone, fold=1).astimezone(timezone.utc)
    return round(late.timestamp() * 1000)


def next_workday_close(ms):
    day = datetime.fromtimestamp(ms / 1000, SHANGHAI).replace(tzinfo=None) + timedelta(days=1)
    while day.weekday() >= 5 or (day.month, day.day, day.year) == (10, 1, 2026):
        day += timedelta(days=1)
    return instant(day.replace(hour=18, minute=0, second=0, microsecond=0), SHANGHAI)


def open_spans(ms):
    """When the company of bundle b works, from the day before on: (from, until)."""
    day = datetime.fromtimestamp(ms / 1000, SHANGHAI).replace(tzinfo=None) - timedelta(days=1)
    while True:
        if day.weekday() < 5 and (day.month, day.day, day.year) != (10, 1, 2026):
            opens = instant(day.replace(hour=9, minute=0, second=0, microsecond=0), SHANGHAI)
            yield opens, opens + 9 * 3600000
        day += timedelta(days=1)


def work_later(ms, work):
    for opens, closes in open_spans(ms):
        begin = max(opens, ms)
        if begin < closes:
            if work <= closes - begin:
                return begin + work
            work -= closes - begin


def work_between(start, end):
    work = 0
    for opens, closes in open_spans(start):
        if opens >= end:
            return work
        work += max(0, min(closes, end) - max(opens, start))
