#!/usr/bin/env python3
"""What an independent parser makes of calendars: every event after expansion, one a line, sorted.

    ./install.sh
    python calendars.py [--own-zones] [--from DATE] [--to DATE] FILE.ics...

A line is the start, the end (both as instants), the status, and the summary. Time zones are those of the parser's own
tables; with --own-zones they are the VTIMEZONEs of the file: its zones are given names that no table has.
"""

import argparse
import datetime
import re
import sys

import dateutil  # noqa: F401  (what expands the rules; a missing one should show here)
import icalendar
import recurring_ical_events

UTC = datetime.timezone.utc


def instant(time):
    """A time as an instant, as the API writes them. One without a zone would be a mistake of the calendar."""
    if not isinstance(time, datetime.datetime) or time.tzinfo is None:
        sys.exit(f"{time!r} is no time in a zone")
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def with_own_zones(text):
    """The calendar with every zone renamed to what no table knows."""
    unfolded = re.sub(r"\r\n[ \t]", "", text)
    return re.sub(r"(TZID[:=])([^\r\n:;]+)", lambda found: found[1] + "/own/" + found[2].replace("/", "-"), unfolded)


def check(calendar, name):
    """Stops at what the parser let pass with a remark, and at what the standard demands of every event."""
    for part in calendar.walk():
        if getattr(part, "errors", None):
            sys.exit(f"{name}: {part.name}: {part.errors}")
    for event in calendar.walk("VEVENT"):
        missing = [field for field in ("UID", "DTSTAMP", "DTSTART", "SEQUENCE", "STATUS") if field not in event]
        if missing:
            sys.exit(f"{name}: an event lacks {missing}")


def occurrences(text, name, start, end):
    """The expanded events of one calendar."""
    calendar = icalendar.Calendar.from_ical(text)
    check(calendar, name)
    for event in recurring_ical_events.of(calendar).between(start, end):
        yield " ".join((
            instant(event["DTSTART"].dt), instant(event["DTEND"].dt), str(event["STATUS"]), str(event["SUMMARY"]),
        ))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--own-zones", action="store_true")
    options.add_argument("--from", dest="start", type=datetime.date.fromisoformat, default=datetime.date(2000, 1, 1))
    options.add_argument("--to", dest="end", type=datetime.date.fromisoformat, default=datetime.date(2090, 1, 1))
    options.add_argument("files", nargs="+", metavar="FILE.ics")
    given = options.parse_args()
    lines = []
    for name in given.files:
        with open(name, encoding="utf-8", newline="") as file:
            text = file.read()
        text = with_own_zones(text) if given.own_zones else text
        lines += occurrences(text, name, given.start, given.end)
    print("\n".join(sorted(lines)))


if __name__ == "__main__":
    main()
