//! Events and calendars as text (RFC 5545). The crate `icalendar` escapes texts and folds lines. Control characters are
//! removed first, so that no title can begin a line of its own.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Datelike, MappedLocalTime, NaiveDateTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;
use icalendar::{Component, Event, EventLike, Property};

use super::content::{Content, Status};
use super::store::Surroundings;
use super::zone::{self, LOCAL, Years};
use crate::db::{Id, Timestamp};

/// The publisher of calendars. The ids and addresses of events contain it.
#[derive(Debug, Clone)]
pub struct Publisher {
    url: String,
    host: String,
}

impl Publisher {
    /// The service at this public URL.
    pub fn new(public_url: &str) -> Self {
        let host = public_url.split("://").nth(1).unwrap_or(public_url);
        let port = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        let host = port.map_or(host, |(name, _)| name);
        Self { url: public_url.to_owned(), host: host.trim_matches(['[', ']']).to_owned() }
    }

    /// The UID of the event for the resource with this id.
    pub(super) fn uid(&self, id: Id) -> String {
        format!("{id}@{}", self.host)
    }

    /// The full address of a path of this service.
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

/// The revision of an event. An event shows several resources, so a change of any of them is a change of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Revision {
    versions: i32,
    updated_at: Timestamp,
}

impl Revision {
    /// The revision of one resource.
    pub fn of(version: i32, updated_at: Timestamp) -> Self {
        Self { versions: version, updated_at }
    }

    /// Adds a resource that always belongs to the event.
    pub fn with(self, other: Self) -> Self {
        Self { versions: self.versions + other.versions, updated_at: self.updated_at.max(other.updated_at) }
    }

    /// Adds the resources that the event shows at present. Only their times count: the event may show other resources
    /// tomorrow, with lower versions.
    pub fn beside(self, around: &Surroundings) -> Self {
        Self { updated_at: self.updated_at.max(around.updated_at().unwrap_or(self.updated_at)), ..self }
    }

    /// SEQUENCE: it rises with every change and never falls. Seconds since 2020 fit into it for sixty years.
    fn sequence(self) -> i64 {
        const OF_2020: i64 = 1_577_836_800;
        (self.updated_at.0.timestamp() - OF_2020).max(0) + i64::from(self.versions)
    }
}

/// The identity of an event, and its revision.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub uid: String,
    pub revision: Revision,
    pub url: Option<String>,
}

/// An event without its time.
pub(super) fn event(identity: Identity, content: &Content) -> Event {
    let changed = zone::utc(identity.revision.updated_at.0);
    let mut event = Event::new();
    event.add_property("UID", identity.uid);
    event.add_property("SEQUENCE", identity.revision.sequence().to_string());
    event.add_property("DTSTAMP", changed.as_str());
    event.add_property("LAST-MODIFIED", changed.as_str());
    event.add_property(
        "STATUS",
        match content.status {
            Status::Confirmed => "CONFIRMED",
            Status::Tentative => "TENTATIVE",
            Status::Cancelled => "CANCELLED",
        },
    );
    event.add_property("SUMMARY", one_line(&content.summary));
    if let Some(text) = &content.description {
        event.add_property("DESCRIPTION", clean(text));
    }
    if let Some(text) = &content.location {
        event.add_property("LOCATION", one_line(text));
    }
    if let Some((north, east)) = content.position {
        event.add_property("GEO", format!("{north:.6};{east:.6}"));
    }
    if let Some(url) = identity.url {
        event.add_property("URL", url);
    }
    if !content.categories.is_empty() {
        event.categories(content.categories.iter().map(|category| one_line(category)));
    }
    event
}

/// A property with a local time in a zone, or with an instant if the zone is UTC.
pub(super) fn local(name: &str, local: NaiveDateTime, tz: Tz) -> Property {
    if zone::is_utc(tz) {
        return Property::new(name, zone::utc(local.and_utc()));
    }
    Property::new(name, local.format(LOCAL).to_string()).add_parameter("TZID", tz.name()).done()
}

/// The local time of an instant. `None` if the clock shows this time twice.
pub(super) fn shown_once(at: DateTime<Utc>, tz: Tz) -> Option<NaiveDateTime> {
    let local = at.with_timezone(&tz).naive_local();
    matches!(tz.offset_from_local_datetime(&local), MappedLocalTime::Single(_)).then_some(local)
}

/// Whether the clock isn't changed between two instants. Then programs that calculate with the wall clock agree.
pub(super) fn runs_evenly(from: DateTime<Utc>, to: DateTime<Utc>, tz: Tz) -> bool {
    let east = |at: DateTime<Utc>| tz.offset_from_utc_datetime(&at.naive_utc()).fix();
    east(from) == east(to)
}

/// A calendar under construction.
#[derive(Debug)]
pub(super) struct Calendar {
    name: String,
    zones: BTreeMap<&'static str, (Tz, Years)>,
    /// The text of the events so far.
    events: String,
    written: fmt::Result,
}

impl Calendar {
    /// An empty calendar of this name.
    pub fn new(name: &str) -> Self {
        Self { name: one_line(name), zones: BTreeMap::new(), events: String::new(), written: Ok(()) }
    }

    /// Adds an event between two instants. Its times are local times of the zone. They are instants if the clock is
    /// changed during the event, or shows one of its times twice.
    pub fn push_at(&mut self, mut event: Event, (starts_at, ends_at): (Timestamp, Timestamp), tz: Tz) {
        let (from, to) = (starts_at.0, ends_at.0);
        match shown_once(from, tz).zip(shown_once(to, tz)).filter(|_| runs_evenly(from, to, tz)) {
            Some((starts, ends)) => {
                self.uses(tz, Years { first: from.year(), last: Some(to.year()) });
                event.append_property(local("DTSTART", starts, tz));
                event.append_property(local("DTEND", ends, tz));
            }
            None => {
                event.add_property("DTSTART", zone::utc(from));
                event.add_property("DTEND", zone::utc(to));
            }
        }
        self.push(event);
    }

    /// Adds an event. Only its text is kept.
    pub fn push(&mut self, event: Event) {
        self.written = self.written.and_then(|()| event.fmt_write(&mut self.events));
    }

    /// Notes that events use this zone in these years.
    pub fn uses(&mut self, tz: Tz, years: Years) {
        if !zone::is_utc(tz) {
            self.zones.entry(tz.name()).and_modify(|(_, known)| *known = known.with(years)).or_insert((tz, years));
        }
    }

    /// The calendar as text, its lines folded at 75 bytes and ended by CRLF.
    ///
    /// # Errors
    /// If an event couldn't be written.
    pub fn text(self) -> Result<String, fmt::Error> {
        self.written?;
        let head = [
            ("VERSION", "2.0"),
            ("PRODID", "-//Life Rooms API//EN"),
            ("CALSCALE", "GREGORIAN"),
            ("X-WR-CALNAME", self.name.as_str()),
            ("X-PUBLISHED-TTL", "PT1H"),
        ];
        let mut text = "BEGIN:VCALENDAR\r\n".to_owned();
        for (name, value) in head {
            let line: String = Property::new(name, value).try_into()?;
            text.push_str(&line);
        }
        text.push_str("REFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n");
        for (tz, years) in self.zones.values() {
            text.push_str(&zone::component(*tz, *years)?);
        }
        // A calendar must have at least one component (RFC 5545 §3.6).
        if self.zones.is_empty() && self.events.is_empty() {
            text.push_str(&zone::component(Tz::UTC, Years { first: 2020, last: Some(2020) })?);
        }
        let mut whole = self.events;
        whole.insert_str(0, &text);
        whole.push_str("END:VCALENDAR\r\n");
        Ok(whole)
    }
}

/// A text without control characters. Every kind of line end becomes one newline, tabs stay, the others are removed.
fn clean(text: &str) -> String {
    let unified = text.replace("\r\n", "\n");
    let one = |c: char| match c {
        '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
        '\n' | '\t' => Some(c),
        c if c.is_control() => None,
        c => Some(c),
    };
    unified.chars().filter_map(one).collect()
}

/// A text without control characters, in one line.
fn one_line(text: &str) -> String {
    clean(text).replace(['\n', '\t'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(summary: &str, description: &str) -> Content {
        Content {
            summary: summary.into(),
            description: Some(description.into()),
            location: None,
            position: Some((53.4, -2.98)),
            categories: vec!["mental health".into(), "reading, aloud".into()],
            status: Status::Confirmed,
        }
    }

    fn written(content: &Content) -> String {
        let at = "2027-01-05T13:00:00Z".parse().map(Timestamp).unwrap();
        let identity = Identity { uid: "u".into(), revision: Revision::of(3, at), url: None };
        event(identity, content).try_into_string().unwrap()
    }

    #[test]
    fn texts_are_escaped_and_no_title_begins_a_line() {
        let text = written(&content("Tea; cake, and \\\r\nATTENDEE:x\rURL:y\u{2028}z\u{7}", "one\r\ntwo"));
        assert!(text.contains("SUMMARY:Tea\\; cake\\, and \\\\ ATTENDEE:x URL:y z\r\n"), "{text}");
        assert!(text.contains("DESCRIPTION:one\\ntwo\r\n"), "{text}");
        assert!(text.contains("CATEGORIES:mental health,reading\\, aloud\r\n"), "{text}");
        assert!(text.contains("GEO:53.400000;-2.980000\r\n"), "{text}");
    }

    #[test]
    fn lines_are_at_most_75_bytes_whatever_the_letters() {
        let text = written(&content(&"é 老 ".repeat(50), &"👩‍🎨 a\u{a0}b  ".repeat(60)));
        assert!(text.split("\r\n").all(|line| line.len() <= 75), "{text}");
        assert!(!text.replace("\r\n", "").contains(['\r', '\n']));
        assert!(text.replace("\r\n ", "").contains(&"é 老 ".repeat(50)));
    }

    #[test]
    fn ids_hold_the_host_without_its_port() {
        let id = Id(uuid::Uuid::nil());
        assert!(Publisher::new("https://api.example.org:8443").uid(id).ends_with("0@api.example.org"));
        assert!(Publisher::new("http://localhost").uid(id).ends_with("0@localhost"));
        assert!(Publisher::new("http://[::1]").uid(id).ends_with("0@::1"));
    }
}
