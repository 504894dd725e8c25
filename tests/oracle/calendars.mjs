#!/usr/bin/env node
// What ical.js, which Thunderbird and web calendars are built on, makes of calendars: every event after expansion, one a
// line, sorted, as calendars.py writes them. It has no time zones of its own: it reads the VTIMEZONEs of the file.
//
//     ./install.sh
//     node calendars.mjs FILE.ics...
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

/** A time as an instant, as the API writes them. One without a zone would be a mistake of the calendar. */
function instant(time) {
  if (time.isDate || time.zone === ICAL.Timezone.localTimezone) throw new Error(`${time} is no time in a zone`);
  return new Date(time.toUnixTime() * 1000).toISOString().replace(".000Z", "Z");
}

function line(item, start, end) {
  return [instant(start), instant(end), item.component.getFirstPropertyValue("status"), item.summary].join(" ");
}

/** The expanded events of one calendar: those that stand for themselves, and each rule with its exceptions. */
function occurrences(text) {
  const calendar = new ICAL.Component(ICAL.parse(text));
  const all = calendar.getAllSubcomponents("vevent").map((component) => new ICAL.Event(component, { exceptions: [] }));
  const exceptions = all.filter((event) => event.isRecurrenceException());
  const lines = [];
  for (const event of all.filter((event) => !event.isRecurrenceException())) {
    if (!event.isRecurring()) {
      lines.push(line(event, event.startDate, event.endDate));
      continue;
    }
    const own = exceptions.filter((exception) => exception.uid === event.uid);
    const whole = new ICAL.Event(event.component, { exceptions: own });
    const times = whole.iterator();
    for (let next = times.next(); next && next.year < 2090; next = times.next()) {
      const { item, startDate, endDate } = whole.getOccurrenceDetails(next);
      lines.push(line(item, startDate, endDate));
    }
  }
  return lines;
}

const lines = process.argv.slice(2).flatMap((name) => occurrences(readFileSync(name, "utf8")));
console.log(lines.sort().join("\n"));
