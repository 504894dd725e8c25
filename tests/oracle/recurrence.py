#!/usr/bin/env python3
"""Makes recurrence.tsv: random recurrences, and when they take place by other people's code.

    pip install python-dateutil tzdata
    python3 tests/oracle/recurrence.py > tests/oracle/recurrence.tsv

The same seed gives the same table, whatever the version of Python from 3.11 on, of dateutil from 2.9 on, and of the
time-zone data, as long as no government changes its clocks. `cargo test --lib oracle` compares the table with
src/sessions/recurrence, line by line.

How a line is made:

1. dateutil's rrule expands the rule on naive local times: it is never told of a time zone.
2. UNTIL is converted. As a date it is the end of that local day, without Z it is a time on the wall. With Z it is an
   instant: dateutil gets that instant's local time and a day on top, and what begins after the instant is dropped.
3. A rule without an end is cut after YEARS years, at the end of the day.
4. EXDATEs are taken away and RDATEs are added, each on local times; COUNT has counted before that.
5. Every local time is resolved with zoneinfo. A time that the clock skips moves forward by the gap; of one that it
   shows twice the first is meant. That is `fold=0` (PEP 495): the offset before the change, in both cases.

Where dateutil does not do what RFC 5545 says, the RFC is followed, by asking dateutil another question:

- WEEKLY with BYSETPOS, started within a week. "A set of recurrence instances starts at the beginning of the interval"
  (section 3.3.10), so positions count from WKST on. dateutil counts from the start in the first week. So it is asked
  from the first day of that week on, and what lies before the start is dropped.
- BYDAY with plain and numbered weekdays together, such as MO,1FR. The list is a union; dateutil wants both of a day.
  So a plain weekday is asked for as all its numbers: 1MO to 5MO in a month, 1MO to 53MO in a year.
- A start that is not an occurrence. The RFC leaves it undefined and the service refuses it, so there is none here.

The columns, separated by tabs: zone, start, rule, EXDATEs, RDATEs, number of occurrences, first and last local start,
a digest of all local starts (their seconds since 1970 as if they were in UTC) and one of all instants. A digest is the
first 16 hexadecimal digits of the SHA-256 of all numbers as 8 bytes each, the lowest first.
"""

import hashlib
import random
import struct
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from dateutil import rrule

SEED = 5545
RULES = 4000
YEARS = 30
UTC = timezone.utc
EPOCH = datetime(1970, 1, 1)
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
FREQUENCIES = {"YEARLY": rrule.YEARLY, "MONTHLY": rrule.MONTHLY, "WEEKLY": rrule.WEEKLY, "DAILY": rrule.DAILY}

# Each with the local hours that its clock skips and shows twice.
ZONES = {"Europe/London": (1, 1), "Europe/Paris": (2, 2), "America/New_York": (2, 1)}


# --- What a rule is: its parts, in the words of dateutil and in those of the RFC -------------------------------------


class Rule:
    def __init__(self, frequency):
        self.frequency = frequency
        self.interval = 1
        self.months = None
        self.month_days = None
        self.weekdays = None  # of (number or 0, weekday)
        self.positions = None
        self.week_start = None
        self.count = None
        self.until = None  # ("instant" | "wall" | "day", value)

    def text(self, shuffler):
        parts = []
        if self.interval != 1:
            parts.append(f"INTERVAL={self.interval}")
        if self.months:
            parts.append("BYMONTH=" + ",".join(map(str, self.months)))
        if self.month_days:
            parts.append("BYMONTHDAY=" + ",".join(map(str, self.month_days)))
        if self.weekdays:
            parts.append("BYDAY=" + ",".join(f"{n or ''}{DAYS[day]}" for n, day in self.weekdays))
        if self.positions:
            parts.append("BYSETPOS=" + ",".join(map(str, self.positions)))
        if self.week_start is not None:
            parts.append(f"WKST={DAYS[self.week_start]}")
        if self.count:
            parts.append(f"COUNT={self.count}")
        if self.until:
            kind, value = self.until
            parts.append("UNTIL=" + value.strftime({"instant": "%Y%m%dT%H%M%SZ", "wall": "%Y%m%dT%H%M%S"}.get(kind, "%Y%m%d")))
        shuffler.shuffle(parts)
        return ";".join([f"FREQ={self.frequency}", *parts])

    def asked(self):
        """The weekdays as dateutil has to be asked for them."""
        if not self.weekdays:
            return None
        mixed = len({bool(number) for number, _ in self.weekdays}) == 2
        most = 53 if self.frequency == "YEARLY" and not self.months else 5
        asked = []
        for number, day in self.weekdays:
            numbers = [number] if number or not mixed else range(1, most + 1)
            asked += [rrule.weekday(day, n) if n else rrule.weekday(day) for n in numbers]
        return asked

    def starts(self, start, last):
        """The naive local starts from `start` to `last`, without COUNT and UNTIL."""
        begin, week_start = start, self.week_start or 0
        arguments = {}
        if self.frequency == "WEEKLY" and self.positions:
            begin -= timedelta(days=(start.weekday() - week_start) % 7)
            # What dateutil takes from its own start is taken from the true one.
            if not (self.weekdays or self.month_days):
                arguments["byweekday"] = rrule.weekday(start.weekday())
        if self.weekdays:
            arguments["byweekday"] = self.asked()
        found = rrule.rrule(
            FREQUENCIES[self.frequency], dtstart=begin, until=last, interval=self.interval, wkst=week_start,
            bymonth=self.months, bymonthday=self.month_days, bysetpos=self.positions, **arguments,
        )
        return [each for each in found if each >= start]


# --- Random rules ----------------------------------------------------------------------------------------------------


def some_time(pick, zone):
    """A time of day: often in or around the hours that a clock change touches, else when people meet."""
    if pick.random() < 0.4:
        hour = pick.choice(ZONES[zone]) + pick.choice([-1, 0, 0, 0, 1])
        return time(hour, pick.choice([0, 1, 29, 30, 59]), pick.choice([0, 0, 0, 1, 59]))
    return pick.choice([time(0), time(9, 30), time(10), time(13), time(14, 15), time(19), time(23, 59, 59)])


def changes(year, zone):
    """The days of a year on which the clock changes."""
    day, end, found = date(year, 1, 1), date(year + 1, 1, 1), []
    while day < end:
        offsets = {datetime.combine(d, time(12), ZoneInfo(zone)).utcoffset() for d in (day - timedelta(days=1), day)}
        if len(offsets) == 2:
            found.append(day)
        day += timedelta(days=1)
    return found


def some_day(pick, zone, cache={}):
    year = pick.randint(1975, 2068)
    kind = pick.random()
    if (year, zone) not in cache:
        cache[year, zone] = changes(year, zone)
    if kind < 0.25 and cache[year, zone]:  # France had no summer time until 1976
        return pick.choice(cache[year, zone]) + timedelta(days=pick.choice([-1, 0, 0, 0, 1]))
    if kind < 0.33:
        return date(year - year % 4, 2, 29)
    if kind < 0.43:
        return date(year, pick.choice([1, 3, 5, 7, 8, 10, 12]), 31)
    if kind < 0.55:  # around New Year: week 53 and what belongs to which year
        return date(year, 12, 25) + timedelta(days=pick.randrange(14))
    return date(year, 1, 1) + timedelta(days=pick.randrange(365))


def some_numbers(pick, least, most, how_many):
    """Numbers from the front or from the back, few of them."""
    numbers = set()
    while len(numbers) < how_many:
        number = pick.randint(least, most)
        numbers.add(-number if pick.random() < 0.4 else number)
    return sorted(numbers, key=lambda _: pick.random())


def some_rule(pick, day):
    """A rule that has a fair chance to take place on this day."""
    rule = Rule(pick.choices(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"], [18, 32, 34, 16])[0])
    short = rule.frequency in ("DAILY", "WEEKLY")
    rule.interval = pick.choice([1, 1, 1, 2, 2, 3, 4, 5, 6, 10] if not rule.frequency == "YEARLY" else [1, 1, 1, 2, 4])
    if pick.random() < 0.3:
        rule.week_start = pick.randrange(7)
    if pick.random() < (0.5 if rule.frequency == "YEARLY" else 0.15):
        rule.months = sorted({day.month, *(pick.randint(1, 12) for _ in range(pick.randrange(3)))})
    if rule.frequency != "WEEKLY" and pick.random() < (0.12 if rule.frequency == "DAILY" else 0.4):
        length = ((day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).day
        own = pick.choice([day.day, day.day - length - 1])
        rule.month_days = sorted({own, *some_numbers(pick, 1, 31, pick.randrange(4))}, key=lambda _: pick.random())
    if pick.random() < (0.35 if rule.frequency == "DAILY" else 0.6):
        days = {(0, day.weekday()), *((0, pick.randrange(7)) for _ in range(pick.randrange(4)))}
        if not short and not rule.month_days and pick.random() < 0.7:
            most = 53 if rule.frequency == "YEARLY" and not rule.months else 5
            own = (day.timetuple().tm_yday if most == 53 else day.day) - 1
            days = {(own // 7 + 1, day.weekday())}
            if pick.random() < 0.4:
                days = {(-1, day.weekday())}
            for _ in range(pick.randrange(3)):
                days.add((some_numbers(pick, 1, most, 1)[0], pick.randrange(7)))
            if pick.random() < 0.25:
                days.add((0, pick.randrange(7)))
        rule.weekdays = sorted(days, key=lambda _: pick.random())
    if (rule.weekdays or rule.month_days or rule.months) and pick.random() < 0.3:
        most = {"DAILY": 1, "WEEKLY": 3, "MONTHLY": 6, "YEARLY": 20}[rule.frequency]
        rule.positions = some_numbers(pick, 1, most, pick.randint(1, min(2, most)))
    return rule


def with_start(pick, zone):
    """A rule, a start that is its first occurrence, and its occurrences for YEARS years."""
    while True:
        start = datetime.combine(some_day(pick, zone), some_time(pick, zone))
        rule = some_rule(pick, start.date())
        for _ in range(3):
            last = datetime.combine(years_after(start.date()), time(23, 59, 59))
            found = rule.starts(start, last)
            if not found:
                break
            if found[0] == start:
                return rule, start, found
            start = found[0]


def years_after(day):
    try:
        return day.replace(year=day.year + YEARS)
    except ValueError:  # 29 February
        return day.replace(year=day.year + YEARS, day=28)


def with_end(pick, rule, zone, starts):
    """Gives the rule an end, or none, and drops what lies after it."""
    kind = pick.choices(["count", "instant", "wall", "day", "none"], [30, 22, 12, 12, 24])[0]
    if kind == "none":
        return starts
    at = min(int(pick.expovariate(1 / 60)), len(starts) - 1)
    if kind == "count":
        rule.count = at + 1
        return starts[: rule.count]
    # On the last occurrence, a second before or after it, or somewhere between it and the next.
    off = timedelta(seconds=pick.choice([0, 0, -1, 1, 1800, 3600, -3600, 86400 * pick.randrange(40)]))
    if kind == "instant":
        until = max(instant(starts[at], zone) + off, instant(starts[0], zone))
        rule.until = kind, until
        # What dateutil is given, and what is dropped then.
        wall = until.astimezone(ZoneInfo(zone)).replace(tzinfo=None) + timedelta(days=1)
        return [each for each in rule.starts(starts[0], wall) if instant(each, zone) <= until]
    until = max(starts[at] + off, starts[0])
    rule.until = kind, until
    wall = until if kind == "wall" else datetime.combine(until.date(), time(23, 59, 59))
    return rule.starts(starts[0], wall)


def with_exceptions(pick, zone, starts, last):
    """EXDATEs and RDATEs, the former often and the latter sometimes occurrences of the rule."""
    excluded, additional = set(), set()
    if pick.random() < 0.35:
        for _ in range(pick.randint(1, 4)):
            excluded.add(pick.choice(starts))
        if pick.random() < 0.3:
            excluded.add(pick.choice(starts) + timedelta(hours=1))
    if pick.random() < 0.3:
        for _ in range(pick.randint(1, 3)):
            day = pick.choice(starts).date() + timedelta(days=pick.choice([0, 0, 1, 30]))
            additional.add(datetime.combine(day, some_time(pick, zone)))
        if pick.random() < 0.3:
            additional.add(pick.choice(starts))
        if excluded and pick.random() < 0.3:
            additional.add(min(excluded))
    there = (set(starts) | {each for each in additional if each <= last}) - excluded
    mixed = lambda times: sorted(times, key=lambda _: pick.random())
    return mixed(sorted(excluded)), mixed(sorted(additional)), sorted(there)


# --- Instants and digests --------------------------------------------------------------------------------------------


def instant(local, zone):
    return local.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)


def digest(seconds):
    return hashlib.sha256(struct.pack(f"<{len(seconds)}q", *seconds)).hexdigest()[:16]


def line(pick):
    zone = pick.choice(sorted(ZONES))
    rule, start, starts = with_start(pick, zone)
    starts = with_end(pick, rule, zone, starts)
    endless = rule.count is None and rule.until is None
    last = datetime.combine(years_after(start.date()), time(23, 59, 59)) if endless else datetime.max
    excluded, additional, there = with_exceptions(pick, zone, starts, last)
    locals_ = [(each - EPOCH) // timedelta(seconds=1) for each in there]
    instants = [int(instant(each, zone).timestamp()) for each in there]
    times = lambda list_: ",".join(each.isoformat() for each in list_)
    first_and_last = [there[0].isoformat(), there[-1].isoformat()] if there else ["", ""]
    return "\t".join([
        zone, start.isoformat(), rule.text(pick), times(excluded), times(additional), str(len(there)),
        *first_and_last, digest(locals_), digest(instants),
    ])


def main():
    pick = random.Random(SEED)
    print("# Generated by tests/oracle/recurrence.py: do not edit. What the columns are stands there.")
    for _ in range(RULES):
        print(line(pick))


if __name__ == "__main__":
    main()
