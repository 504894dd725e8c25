//! Checks an entry and lists all its faults at once. A fault that depends on a member that is wrong itself isn't looked for:
//! for example, without a readable `local_start` nobody can say when a series takes place.

use chrono::NaiveDateTime;
use serde_json::{Map, Value};
use validator::Validate;

use super::extent::Extent;
use super::lookups::{Lookups, Naming};
use super::read::RawEntry;
use super::types::{EntryKind, RosterEntry};
use crate::db::{Id, LocalTime};
use crate::error::Fault;
use crate::http::body::faults_of;
use crate::http::shape::{self, Shape};
use crate::sessions::activity::Activity;
use crate::sessions::particulars::Particulars;
use crate::sessions::recurrence::{self, Expansion, Recurrence, RecurrenceError, Work};
use crate::sessions::registers::types::Headcount;
use crate::sessions::rules;
use crate::sessions::series::types::{Repetition, SeriesInput};
use crate::sessions::types::{Delivery, SessionInput};
use crate::text::reading::{is_blank, is_plain};

/// More faults of one entry are not listed.
const MOST_FAULTS: usize = 100;

/// Stands for the times of an entry whose start or rule can't be read.
const NO_TIMES: Expansion = Expansion { occurrences: Vec::new(), until: None };

/// What a good entry states.
#[derive(Debug, Clone)]
pub enum Statement {
    /// A series and when it takes place.
    Series(Box<SeriesInput>, Expansion),
    /// A single session, and the headcount of its register where it is stated.
    Session(Box<SessionInput>, Option<Headcount>),
}

impl Statement {
    /// The venue that it is at.
    pub fn venue_id(&self) -> Option<Id> {
        match self {
            Self::Series(series, _) => series.activity.venue_id,
            Self::Session(session, _) => session.activity.venue_id,
        }
    }

    /// The space that it wants.
    pub fn space_id(&self) -> Option<Id> {
        match self {
            Self::Series(series, _) => series.activity.space_id,
            Self::Session(session, _) => session.activity.space_id,
        }
    }

    /// How many sessions it speaks of.
    pub fn sessions(&self) -> usize {
        match self {
            Self::Series(_, times) => times.occurrences.len(),
            Self::Session(..) => 1,
        }
    }
}

/// What an entry states. `held` is the space that its series or session holds already. The days that its rule looks at are
/// taken from `work`.
///
/// # Errors
/// Everything that is wrong with it, pointers beginning at the entry.
pub fn check(
    raw: RawEntry,
    partner_id: Id,
    lookups: &Lookups,
    (extent, held): (Extent<'_>, Option<Id>),
    work: &Work,
) -> Result<Statement, Vec<Fault>> {
    let kind = kind(&raw);
    let RawEntry { value, mut faults, surplus, sheet, .. } = raw;
    let mut shape = shape::of::<RosterEntry>().faults(&value, "");
    shape.iter_mut().for_each(|fault| sheet.iter().for_each(|sheet| sheet.name_the_column(fault)));
    // What reading the row has found at a place says more than the schema does.
    faults.extend(
        shape.into_iter().filter(|fault| !faults.iter().any(|told| told.pointer == fault.pointer)).collect::<Vec<_>>(),
    );
    let shaped = faults.is_empty();
    let naming = if sheet.is_some() { Naming::AsWritten } else { Naming::Exact };
    let entry = Entry { value: &value, faults, naming };
    let places = entry.places(lookups, held);
    let times = entry.times(extent, work);
    let register = entry.misplaced_register(kind);
    let particulars = entry.particulars();
    let mut faults = entry.faults;
    faults.extend(places.faults);
    faults.extend(register);
    faults.extend(particulars);
    let times = times.unwrap_or_else(|wrong| {
        faults.extend(wrong);
        NO_TIMES
    });
    if shaped && faults.is_empty() {
        match serde_json::from_value::<RosterEntry>(value) {
            Ok(entry) => return state(entry, partner_id, &places.ids, times),
            Err(e) => faults.push(Fault::at("", "wrong_format", e.to_string())),
        }
    }
    faults.splice(0..0, surplus);
    faults.truncate(MOST_FAULTS);
    Err(faults)
}

/// The `external_id` of an entry, where it is one.
pub fn external_id(raw: &RawEntry) -> Option<&str> {
    let text = raw.value.get("external_id")?.as_str()?;
    ((1..=100).contains(&text.chars().count()) && !is_blank(text) && is_plain(text)).then_some(text)
}

/// What the entry is, as far as that can be seen.
pub fn kind(raw: &RawEntry) -> EntryKind {
    match raw.value.get("type").and_then(Value::as_str) {
        Some("series") => EntryKind::Series,
        Some("session") => EntryKind::Session,
        _ if raw.value.get("recurrence").is_some_and(|rule| !rule.is_null()) => EntryKind::Series,
        _ => EntryKind::Session,
    }
}

/// An entry with the faults of its shape.
struct Entry<'a> {
    value: &'a Value,
    faults: Vec<Fault>,
    naming: Naming,
}

#[derive(Default)]
struct Ids {
    venue: Option<Id>,
    space: Option<Id>,
    programme: Option<Id>,
}

#[derive(Default)]
struct Places {
    ids: Ids,
    faults: Vec<Fault>,
}

/// What an entry says of when it is, without what is wrong.
struct Times {
    local_start: LocalTime,
    rule: Option<String>,
    excluded: Vec<NaiveDateTime>,
    additional: Vec<NaiveDateTime>,
}

impl Entry<'_> {
    /// Whether nothing is wrong with a member by itself.
    fn sound(&self, name: &str) -> bool {
        !self.faults.iter().any(|fault| {
            let rest = fault.pointer.as_deref().and_then(|pointer| pointer.strip_prefix('/')?.strip_prefix(name));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.value.get(name).and_then(Value::as_str).filter(|_| self.sound(name))
    }

    fn local(&self, name: &str) -> Option<LocalTime> {
        self.text(name)?.parse().ok()
    }

    /// The times of a list, where nothing is wrong with it.
    fn locals(&self, name: &str) -> Vec<NaiveDateTime> {
        let list = self.value.get(name).and_then(Value::as_array).filter(|_| self.sound(name));
        let times = list.into_iter().flatten().filter_map(|time| time.as_str()?.parse::<LocalTime>().ok());
        recurrence::set_of(times).iter().map(|time| time.0).collect()
    }

    /// What the names of venue, space and programme stand for, and whether the delivery has the place it needs.
    fn places(&self, lookups: &Lookups, held: Option<Id>) -> Places {
        let mut places = Places::default();
        let Places { ids, faults } = &mut places;
        let mut keep = |found: Option<Result<Id, Fault>>| match found.transpose() {
            Ok(id) => id,
            Err(fault) => {
                faults.push(fault);
                None
            }
        };
        ids.programme = keep(self.text("programme").map(|text| lookups.programme(text, self.naming)));
        ids.venue = keep(self.text("venue").map(|text| lookups.venue(text, self.naming)));
        ids.space = match (ids.venue, self.text("space")) {
            (Some(venue), Some(text)) => keep(Some(lookups.space(venue, text, held))),
            _ => None,
        };
        let given = |name: &str| self.value.get(name).is_some_and(|value| !value.is_null());
        if given("space") && !given("venue") {
            faults.push(Fault::at("/venue", "required", "A space is one of a venue: name that too."));
        }
        let delivery = self.text("delivery").and_then(|text| text.parse::<Delivery>().ok());
        if delivery.is_some_and(|delivery| delivery != Delivery::Online) && !given("venue") && !given("space") {
            faults.push(Fault::at("/venue", "required", "Is required unless it is online."));
        }
        if given("online_capacity") && delivery.is_some_and(|d| rules::misplaces_online_capacity(d, Some(1))) {
            faults.push(Fault::at("/online_capacity", "not_hybrid", rules::NOT_HYBRID));
        }
        places
    }

    /// What is wrong with the particulars, as far as nothing is wrong with a part by itself.
    fn particulars(&self) -> Vec<Fault> {
        let shape = shape::of::<Particulars>();
        let Shape::Object { members, .. } = &*shape else { return Vec::new() };
        let stated = |name: &String| Some((name.clone(), self.value.get(name).filter(|_| self.sound(name))?.clone()));
        let sound: Map<String, Value> = members.iter().filter_map(|(name, _)| stated(name)).collect();
        if sound.is_empty() {
            return Vec::new();
        }
        let read = serde_json::from_value::<Particulars>(sound.into()).ok();
        let wrong = read.and_then(|particulars| particulars.validate().err());
        wrong.map(|errors| faults_of(&errors, "")).unwrap_or_default()
    }

    /// A register is one session's.
    fn misplaced_register(&self, kind: EntryKind) -> Option<Fault> {
        let given = self.value.get("register").is_some_and(|value| !value.is_null());
        let detail = "Goes only with a single session: a series has a register for each of its sessions.";
        (given && kind == EntryKind::Series).then(|| Fault::at("/register", "not_a_session", detail))
    }

    /// When it takes place; nothing where that can't be known for other faults.
    fn times(&self, extent: Extent<'_>, work: &Work) -> Result<Expansion, Vec<Fault>> {
        let mut faults = Vec::new();
        let is = |name: &str| self.value.get("type").and_then(Value::as_str) == Some(name);
        let given = |name: &str| {
            self.value.get(name).is_some_and(|value| !value.is_null() && value.as_array().is_none_or(|l| !l.is_empty()))
        };
        if is("series") && !given("recurrence") {
            faults.push(Fault::at("/recurrence", "required", "A series needs a recurrence."));
        }
        let of_series = match (is("session"), is("series") || given("recurrence")) {
            (true, _) => &["recurrence", "excluded", "additional"][..],
            (false, false) => &["excluded", "additional"][..],
            (false, true) => &[][..],
        };
        for name in of_series.iter().filter(|name| given(name)) {
            let detail = "Goes only with a series, which has a recurrence.";
            faults.push(Fault::at(format!("/{name}"), "not_a_series", detail));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        if given("recurrence") && !self.sound("recurrence") {
            return Ok(NO_TIMES);
        }
        let told = |e: RecurrenceError| vec![Fault::at(format!("/{}", e.field()), e.code(), e.to_string())];
        let rule = self.text("recurrence").map(|rule| recurrence::normal(rule.to_owned()));
        let Some(local_start) = self.local("local_start") else {
            // What is wrong with the rule shows beside what is wrong with the start.
            return rule.map_or(Ok(NO_TIMES), |rule| recurrence::check_rule(&rule).map(|()| NO_TIMES).map_err(told));
        };
        let (excluded, additional) = (self.locals("excluded"), self.locals("additional"));
        let times = Times { local_start, rule, excluded, additional };
        // Where the zone is wrong, that is a fault already; the rule is tried in ours, so that its faults show too.
        let zone = self.text("time_zone").unwrap_or("Europe/London");
        times.expand(zone, extent, work).map_err(told)
    }
}

impl Times {
    fn expand(&self, zone: &str, extent: Extent<'_>, work: &Work) -> Result<Expansion, RecurrenceError> {
        let Some(rule) = &self.rule else {
            rules::single_start(self.local_start.0, zone)?;
            return Ok(NO_TIMES);
        };
        let recurrence = Recurrence {
            rule,
            local_start: self.local_start.0,
            tz: recurrence::parse_time_zone(zone)?,
            excluded: &self.excluded,
            additional: &self.additional,
            work,
        };
        extent.expand(zone, &recurrence)
    }
}

/// The statement of an entry without faults, held to the rules of what it states.
fn state(entry: RosterEntry, partner_id: Id, ids: &Ids, times: Expansion) -> Result<Statement, Vec<Fault>> {
    let (kind, pillar, partner_id) = (entry.kind(), entry.pillar, Some(partner_id));
    let headcount = entry.register.map(|register| register.headcount);
    let external_id = Some(entry.external_id.clone());
    let particulars = entry.particulars.clone();
    let (activity, repetition) = parts(entry, ids);
    let (valid, statement) = match kind {
        EntryKind::Series => {
            let series = SeriesInput { activity, particulars, pillar, repetition, partner_id, external_id };
            (series.validate(), Statement::Series(Box::new(series), times))
        }
        EntryKind::Session => {
            let session = SessionInput { activity, particulars, pillar, partner_id, external_id };
            (session.validate(), Statement::Session(Box::new(session), headcount))
        }
    };
    match valid {
        Ok(()) => Ok(statement),
        Err(errors) => Err(faults_of(&errors, "").into_iter().map(renamed).collect()),
    }
}

/// A roster calls a venue, a space and a programme what its entries do.
fn renamed(mut fault: Fault) -> Fault {
    for name in ["venue", "space", "programme"] {
        if fault.pointer.as_deref() == Some(&format!("/{name}_id")) {
            fault.pointer = Some(format!("/{name}"));
        }
    }
    fault
}

/// What an entry states of its sessions, and when it takes place again.
fn parts(entry: RosterEntry, ids: &Ids) -> (Activity, Repetition) {
    let activity = Activity {
        title: entry.title,
        description: entry.description,
        topics: entry.topics,
        facilitator: entry.facilitator,
        accessibility: entry.accessibility,
        programme_id: ids.programme,
        delivery: entry.delivery,
        venue_id: ids.venue,
        space_id: ids.space,
        join_link: entry.join_link,
        local_start: entry.local_start,
        time_zone: entry.time_zone,
        duration_minutes: entry.duration_minutes,
        capacity: entry.capacity,
        online_capacity: entry.online_capacity,
        booking_policy: entry.booking_policy,
        publication: entry.publication,
    };
    let recurrence = recurrence::normal(entry.recurrence.unwrap_or_default());
    (activity, Repetition { recurrence, excluded: entry.excluded, additional: entry.additional })
}
