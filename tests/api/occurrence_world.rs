//! The service as the machine of occurrences drives it, beside what is stated.

use std::collections::{BTreeSet, HashMap};

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use diesel::prelude::*;
use life_rooms::db::schema::{sessions, wordings};
use life_rooms::db::{Id, LocalTime, Timestamp};
use life_rooms::sessions::recurrence::{parse_time_zone, resolve};
use serde_json::{Value, json};

use crate::editing::{change, with};
use crate::occurrence_reading::{Said, Statement};
use crate::occurrence_rows::Row;
use crate::occurrence_steps::{Change, MINUTES, RULES, Step, TIMES, TITLES, ZONES, local, texts};
use crate::recurrence::go_on;
use crate::support::{App, Client, id};

pub struct World<'a> {
    pub app: &'a App,
    pub client: &'a Client,
    pub rosters: &'a str,
    pub members: &'a [String],
    /// The space, and when somebody else is in it.
    pub space: &'a str,
    pub taken: (Timestamp, i64),
    /// The first is the roster's.
    pub series: Vec<String>,
    pub entry: Value,
    pub bookings: HashMap<Id, Vec<String>>,
    pub called_off: BTreeSet<Id>,
    pub now: Timestamp,
    /// Whether the last roster left the first series out.
    pub left_out: bool,
}

impl World<'_> {
    pub fn rows(&self) -> Vec<Row> {
        use sessions::dsl as s;
        let ids: Vec<Id> = self.series.iter().map(|id| id.parse().unwrap()).collect();
        let columns = (
            (s::id, s::series_id, s::occurrence, s::local_start, s::time_zone),
            (s::starts_at, s::status, s::edited, s::seats_taken, s::version),
            (wordings::title, s::duration_minutes, s::space_id),
        );
        type Columns = (
            (Id, Option<Id>, Option<String>, LocalTime, String),
            (Timestamp, String, bool, i32, i32),
            (String, i32, Option<Id>),
        );
        let rows: Vec<Columns> = s::sessions
            .inner_join(wordings::table.on(wordings::id.eq(s::wording_id)))
            .filter(s::series_id.eq_any(ids))
            .order(s::id)
            .select(columns)
            .load(&mut self.app.conn())
            .unwrap();
        let row = |(known, now, said): Columns| {
            let (id, series, occurrence, local_start, zone) = known;
            let (starts_at, status, edited, seats, version) = now;
            let said = Said { title: said.0, minutes: said.1.into(), space: said.2.map(|id| id.to_string()) };
            Row { id, series, occurrence, local_start, zone, starts_at, status, edited, seats, version, said }
        };
        rows.into_iter().map(row).collect()
    }

    pub fn path(&self, series: usize) -> String {
        format!("/v1/session-series/{}", self.series[series % self.series.len()])
    }

    pub fn session(&self, rows: &[Row], which: usize) -> Option<String> {
        rows.get(which % rows.len().max(1)).map(|row| format!("/v1/sessions/{}", row.id))
    }

    pub fn take(&mut self, step: &Step) {
        let before = self.rows();
        match step {
            Step::Patch { series, change } => self.patch(&before, *series, change),
            Step::Roster { change } => self.roster(&before, change),
            Step::Split { series, day } => self.split(&before, *series, *day),
            Step::Edit { session, day, time } => self.edit(&before, *session, local(*day, *time)),
            Step::Cancel { session } => {
                let Some(path) = self.session(&before, *session) else { return };
                let answer = self.client.post(&format!("{path}/cancel"), &json!({ "reason": "Off." }));
                assert!([200, 409].contains(&answer.status), "{}", answer.text);
                self.called_off.extend((answer.status == 200).then(|| before[session % before.len()].id));
            }
            Step::Book { session } => self.book(&before, *session),
            Step::Unbook { session } => self.unbook(&before, *session),
            Step::Clock { days } => {
                self.now = self.now.plus_seconds(i64::try_from(*days).unwrap() * 86_400);
                self.app.at(&self.now.to_string());
                self.go_on(&before);
            }
            Step::Missing => self.leave_out(&before),
        }
        self.doubles_nothing();
    }

    /// What one of the rows before has become, after a step that changes no other.
    pub fn only(&self, before: &[Row], changed: Id) -> Row {
        let after = self.rows();
        let others = |rows: &[Row]| rows.iter().filter(|row| row.id != changed).cloned().collect::<Vec<_>>();
        assert_eq!(others(&after), others(before));
        after.into_iter().find(|row| row.id == changed).unwrap()
    }

    pub fn edit(&mut self, before: &[Row], which: usize, start: NaiveDateTime) {
        let Some(path) = self.session(before, which) else { return };
        let was = &before[which % before.len()];
        let to = json!({ "local_start": LocalTime(start).to_string() });
        let answer = change(self.client, &path, &to);
        let is = self.only(before, was.id);
        match answer.status {
            200 if was.local_start.0 == start => assert_eq!(&is, was),
            200 => {
                let at = Timestamp(resolve(start, parse_time_zone(&was.zone).unwrap()));
                let moved = Row { local_start: LocalTime(start), starts_at: at, edited: true, ..was.clone() };
                assert_eq!(is, Row { version: was.version + 1, ..moved });
            }
            409 => {
                // It is off or has begun, or would be in somebody's way.
                let kinds = ["/invalid-state", "/session-started", "/space-taken"];
                let kind = answer.json["type"].as_str().unwrap();
                assert!(kinds.iter().any(|known| kind.ends_with(known)), "{}", answer.text);
                assert_eq!(&is, was);
            }
            _ => {
                assert_eq!((answer.status, &is), (422, was), "{}", answer.text);
                assert_eq!(answer.json["errors"][0]["pointer"], "/local_start", "{}", answer.text);
            }
        }
    }

    pub fn unbook(&mut self, before: &[Row], which: usize) {
        let Some(was) = before.get(which % before.len().max(1)) else { return };
        let Some(booking) = self.bookings.get_mut(&was.id).and_then(Vec::pop) else { return };
        let answer = self.app.advisor().delete(&format!("/v1/bookings/{booking}"));
        let free = i32::from(was.is_on() && was.starts_at > self.now);
        assert_eq!(answer.status, if free == 1 { 200 } else { 409 }, "{}", answer.text);
        assert_eq!(self.only(before, was.id), Row { seats: was.seats - free, ..was.clone() });
    }

    pub fn book(&mut self, before: &[Row], which: usize) {
        let row = &before[which % before.len()];
        let held = self.bookings.entry(row.id).or_default();
        let body = json!({ "member_id": self.members[held.len() % self.members.len()] });
        let made = self.app.advisor().post(&format!("/v1/sessions/{}/bookings", row.id), &body);
        match made.status {
            201 => held.push(id(&made.json).to_owned()),
            409 => {}
            _ => panic!("{}", made.text),
        }
    }

    /// The members of a body that a change states.
    pub fn stated(change: &Change, start: NaiveDateTime) -> Value {
        let mut body = json!({});
        let start = change.time.map_or(start, |time| start.date().and_time(TIMES[time].parse::<NaiveTime>().unwrap()));
        body["local_start"] = json!(LocalTime(start).to_string());
        if let Some((rule, count)) = change.rule {
            let count = count.map_or(String::new(), |count| format!(";COUNT={count}"));
            body["recurrence"] = json!(format!("{}{count}", RULES[rule]));
        }
        for (name, times) in [("additional", &change.additional), ("excluded", &change.excluded)] {
            if let Some(times) = times {
                body[name] = json!(texts(times));
            }
        }
        if let Some(zone) = change.zone {
            body["time_zone"] = json!(ZONES[zone]);
        }
        if let Some(title) = change.title {
            body["title"] = json!(TITLES[title]);
        }
        if let Some(minutes) = change.minutes {
            body["duration_minutes"] = json!(MINUTES[minutes]);
        }
        body
    }

    /// The same with the space, under the name that a roster or a patch has for it.
    pub fn stated_in(&self, change: &Change, start: NaiveDateTime, name: &str) -> Value {
        let mut body = Self::stated(change, start);
        if let Some(in_space) = change.in_space {
            body[name] = if in_space { json!(self.space) } else { Value::Null };
        }
        body
    }

    /// Whether somebody else is in the space when an occurrence is to be there.
    pub fn is_in_the_way(
        &self,
        rows: &[&[Row]],
        new: &Statement,
        series: Id,
        (place, start): (&str, NaiveDateTime),
    ) -> bool {
        let Some(space) = new.said.space.as_deref() else { return false };
        let from = Timestamp(resolve(start, parse_time_zone(&new.zone).unwrap()));
        let minutes = new.said.minutes;
        let overlaps = |other: (Timestamp, i64)| {
            other.0 < from.plus_seconds(minutes * 60) && from < other.0.plus_seconds(other.1 * 60)
        };
        let own = |row: &Row| row.series == Some(series) && row.known_by() == place;
        let mut others = rows.iter().flat_map(|rows| rows.iter()).filter(|row| !own(row));
        overlaps(self.taken) || others.any(|row| row.is_in(space, from, minutes))
    }

    pub fn patch(&mut self, before: &[Row], series: usize, change_to: &Change) {
        let path = self.path(series);
        let held = self.client.get(&path).expect(200);
        let old = Statement::of(&held);
        let answer = change(self.client, &path, &self.stated_in(change_to, old.start, "space_id"));
        if answer.status != 200 {
            let refused = if held["status"] == "cancelled" { vec![409, 422] } else { vec![422] };
            assert!(refused.contains(&answer.status), "{}", answer.text);
            assert_eq!(self.rows(), before);
            return;
        }
        let new = Statement::of(&answer.json);
        let series = id(&answer.json).parse().unwrap();
        // What couldn't follow before may follow a change that is none.
        let changed = answer.json["version"] != held["version"];
        if old.differs_in_title_only(&new) {
            self.follows_in_words(before, &new.said.title, series);
        } else {
            let moved = changed && !old.same_times(&new);
            self.follows(before, &new, &answer.json["skipped"], moved, series);
        }
        let after = self.rows();
        let again = change(self.client, &path, &self.stated_in(change_to, new.start, "space_id")).expect(200);
        assert_eq!((&again["version"], self.rows()), (&answer.json["version"], after));
    }

    /// A series has another title: so have the sessions that follow it, and nothing else has changed.
    pub fn follows_in_words(&self, before: &[Row], title: &str, series: Id) {
        for (was, is) in before.iter().zip(self.rows()) {
            let follows = was.series == Some(series) && was.follows(self.now) && was.said.title != title;
            let said = Said { title: title.to_owned(), ..was.said.clone() };
            let renamed = Row { said, version: was.version + 1, ..was.clone() };
            assert_eq!(&is, if follows { &renamed } else { was });
        }
        assert_eq!(before.len(), self.rows().len());
    }

    /// Time has gone on: what is made of series without an end by then.
    pub fn go_on(&self, before: &[Row]) {
        let read = |id: &String| Statement::of(&self.client.get(&format!("/v1/session-series/{id}")).expect(200));
        let held: Vec<Statement> = self.series.iter().map(read).collect();
        go_on(self.app);
        let after = self.rows();
        assert!(before.iter().all(|was| after.contains(was) || was.is_withdrawn()));
        for (id, was) in self.series.iter().zip(held) {
            let is = read(id);
            let new = is.stated().into_iter().filter(|(_, start)| Some(start.date()) > was.until);
            for (place, start) in new.filter(|_| was.until != is.until) {
                let of_it = after.iter().filter(|row| row.series == id.parse().ok());
                let there = |row: &Row| row.local_start.0 == start || row.edited && row.known_by() == place;
                let series = id.parse().unwrap();
                let in_the_way = self.is_in_the_way(&[before, &after], &is, series, (&place, start));
                assert!(of_it.clone().any(there) || in_the_way, "{start} isn't made: {of_it:?}");
            }
        }
    }

    pub fn leave_out(&mut self, before: &[Row]) {
        let other = json!({ "external_id": "other", "recurrence": null, "additional": null, "excluded": null });
        let answer = self.client.post(
            &format!("{}?missing=cancel&confirm=cancel", self.rosters),
            &json!({ "entries": [crate::rosters::with(self.entry.clone(), other)] }),
        );
        let answer = answer.expect(201);
        let named = |entry: &Value| entry["external_id"] == self.entry["external_id"];
        self.left_out |= answer["entries"].as_array().unwrap().iter().any(named);
        let (after, series) = (self.rows(), self.series[0].parse().ok());
        for (was, is) in before.iter().zip(&after) {
            let leaves = was.series == series && was.follows(self.now) && was.seats == 0;
            assert!(is == was || leaves && is.is_withdrawn(), "{was:?} {is:?}");
            assert!(!leaves || is.is_withdrawn(), "{is:?}");
        }
        assert_eq!(before.len(), after.len());
    }

    pub fn roster(&mut self, before: &[Row], change: &Change) {
        let path = self.path(0);
        let held = self.client.get(&path).expect(200);
        let start = self.entry["local_start"].as_str().unwrap().parse::<LocalTime>().unwrap().0;
        self.entry = with(self.entry.clone(), self.stated_in(change, start, "space"));
        let entries = json!({ "entries": [self.entry] });
        let was_left_out = self.left_out;
        let answer = self.client.post(self.rosters, &entries);
        if answer.status != 201 {
            answer.problem(422, "roster-refused");
            assert_eq!(self.rows(), before);
            self.entry = with(self.entry.clone(), json!({ "excluded": [], "additional": [] }));
            return;
        }
        let answer = answer.json;
        self.left_out = false;
        if answer["counts"]["unchanged"] == 1 {
            assert!(!was_left_out);
            assert_eq!(self.rows(), before);
        } else {
            let new = Statement::of(&self.client.get(&path).expect(200));
            // That it is named again is no news of its times.
            let old = Statement { end: new.end, ..Statement::of(&held) };
            let series = self.series[0].parse().unwrap();
            self.follows(before, &new, &answer["skipped"], !old.same_times(&new), series);
        }
        let after = self.rows();
        let again = self.client.post(self.rosters, &entries).expect(201);
        assert_eq!((&again["counts"]["unchanged"], self.rows()), (&json!(1), after), "{again}");
    }

    pub fn split(&mut self, before: &[Row], series: usize, day: usize) {
        let path = self.path(series);
        if self.left_out && path == self.path(0) {
            let body = json!({ "from": LocalTime(local(7, 0)).to_string() });
            self.client.post(&format!("{path}/split"), &body).problem(409, "invalid-state");
            return;
        }
        let old = Statement::of(&self.client.get(&path).expect(200));
        let stated = old.stated();
        let days: BTreeSet<NaiveDate> = stated.values().map(NaiveDateTime::date).collect();
        let Some(cut) = days.into_iter().nth(day) else { return };
        let from = stated.values().filter(|start| start.date() == cut).max().unwrap();
        let body = json!({ "from": LocalTime(*from).to_string() });
        let answer = self.client.post(&format!("{path}/split"), &body).expect(201);
        self.series.push(id(&answer).to_owned());
        let (first, second) = (Statement::of(&self.client.get(&path).expect(200)), Statement::of(&answer));
        let together: BTreeSet<NaiveDateTime> =
            [first.stated(), second.stated()].iter().flat_map(|half| half.values().copied()).collect();
        assert_eq!((first.end, together), (Some(cut), stated.into_values().collect()));
        let of_second: Id = id(&answer).parse().unwrap();
        for row in self.rows() {
            // One that found no place before may be made now.
            let Some(was) = before.iter().find(|was| was.id == row.id) else { continue };
            let given = row.series == Some(of_second);
            let on_or_after = was.occurrence.as_ref().is_some_and(|occurrence| occurrence[..10] >= *cut.to_string());
            let of_it = was.series.map(|id| format!("/v1/session-series/{id}")) == Some(path.clone());
            assert_eq!(given, of_it && on_or_after, "{row:?}");
        }
        self.follows(before, &second, &answer["skipped"], false, of_second);
    }

    /// What the sessions of a series do where it states something else.
    pub fn follows(&self, before: &[Row], new: &Statement, skipped: &Value, changed: bool, series: Id) {
        let reasons = skipped;
        let skipped: BTreeSet<NaiveDateTime> = skipped.as_array().unwrap().iter().map(time_of).collect();
        let (after, now) = (self.rows(), self.now);
        let left_out = self.left_out && self.series[0].parse() == Ok(series);
        let by_id: HashMap<Id, &Row> = after.iter().map(|row| (row.id, row)).collect();
        let stated = new.stated();
        let starts: BTreeSet<NaiveDateTime> = stated.values().copied().collect();
        let of_it: Vec<&Row> = after.iter().filter(|row| row.series == Some(series)).collect();
        let in_the_way = |place: &str, start| self.is_in_the_way(&[before, &after], new, series, (place, start));
        let own = |row: &&Row| by_id[&row.id].series == Some(series) && !row.is_withdrawn();
        let known: BTreeSet<String> = before.iter().filter(own).map(|row| row.known_by().to_owned()).collect();
        for was in before {
            let is = by_id[&was.id];
            if is.series == Some(series) && was.is_withdrawn() {
                let back = starts.contains(&is.local_start.0) && is.version == was.version + 1 && !left_out;
                assert!(is.place() == was.place() || is.is_on() && back, "{was:?} {is:?}");
                continue;
            }
            if is.series != Some(series) || !was.follows(now) {
                assert_eq!(is.place(), was.place(), "nobody meant this one: {was:?}");
                let key = was.occurrence.as_deref().unwrap();
                // One that was edited where it is may serve another occurrence of that time.
                let is_away = !was.is_on() || !key.starts_with(&was.local_start.to_string());
                if is.series == Some(series) && was.starts_at > now && is_away {
                    let expected = new.follow(key, &known);
                    assert_eq!(is.occurrence.as_ref(), Some(&expected), "another occurrence: {was:?}");
                }
                continue;
            }
            assert_eq!(is.seats, was.seats);
            if !is.is_on() {
                assert_eq!(was.seats, 0, "people are booked: {was:?}");
                let other = |row: &&&Row| row.id != is.id && row.local_start == was.local_start;
                let served = of_it.iter().filter(other).any(|row| row.is_on());
                let served = served || in_the_way(is.known_by(), was.local_start.0);
                assert!(served || !starts.contains(&was.local_start.0), "it is stated still: {was:?}");
                continue;
            }
            let (from, to) = (was.local_start.0, is.local_start.0);
            if from != to {
                let rule = stated.get(&from.date().to_string());
                assert_eq!(rule, Some(&to), "it moves with the rule or not at all: {was:?} {is:?}");
                let of_rule = !was.occurrence.as_ref().unwrap().ends_with('+');
                assert!(of_rule, "additional ones stay: {was:?} {is:?}");
                let other =
                    |row: &&Row| row.id != was.id && row.series == was.series && row.local_start == was.local_start;
                let instead = before.iter().filter(other).any(|row| row.is_withdrawn());
                let known_by = LocalTime(from).to_string();
                let by_hand = before.iter().any(|row| row.edited && row.known_by() == known_by);
                let is_stated = starts.contains(&from) && was.seats > 0 && !instead && !by_hand;
                assert!(!is_stated, "people are booked at a time that is stated still: {was:?} {is:?}");
            }
            let is_as_stated = starts.contains(&to) && is.zone == new.zone && is.said == new.said;
            // It may stay where it was if somebody is in the space where it is stated to be.
            let stays = || stated.get(is.known_by()).is_some_and(|start| in_the_way(is.known_by(), *start));
            let why = || format!("it stays without a reason, or it isn't reported: {is:?} {skipped:?}");
            let told = if changed { skipped.contains(&to) } else { was.seats > 0 || stays() };
            assert!(is_as_stated || told, "{}", why());
        }
        for (place, start) in stated.iter().filter(|(_, start)| new.is_to_come(**start, now) && !left_out) {
            let there = of_it.iter().any(|row| row.is_on() && row.local_start.0 == *start);
            // People called it off or moved it; or the clock skips an hour, and another has the instant.
            let by_hand = of_it.iter().any(|row| row.edited && row.known_by() == place);
            let at = resolve(*start, parse_time_zone(&new.zone).unwrap());
            let instant = of_it.iter().any(|row| row.is_on() && row.starts_at.0 == at);
            // An earlier statement made it begin before now.
            let begun = of_it.iter().any(|row| row.is_on() && row.starts_at <= now && row.known_by() == place);
            let in_the_way = in_the_way(place, *start);
            assert!(there || by_hand || instant || begun || in_the_way, "{start} isn't there: {of_it:?}");
            let told = of_it.iter().any(|row| row.known_by() == place && skipped.contains(&row.local_start.0));
            assert!(
                there || told || begun || skipped.contains(start) || !changed,
                "{start} isn't reported: {skipped:?}"
            );
        }
        for new in after.iter().filter(|row| before.iter().all(|was| was.id != row.id)) {
            let other = |row: &&&Row| row.is_withdrawn() && row.local_start == new.local_start;
            assert_eq!(of_it.iter().find(other), None, "it could have come on again: {new:?}");
            assert!(!left_out, "no roster names it: {new:?}");
        }
        for one in reasons.as_array().unwrap() {
            let as_stated = |row: &&&Row| {
                let start = stated.get(row.known_by());
                row.is_on() && start == Some(&row.local_start.0) && row.zone == new.zone && row.said == new.said
            };
            let mut there = of_it.iter().filter(|row| row.local_start.0 == time_of(one));
            let is_kept = ["booked", "edited", "cancelled"].contains(&one["reason"].as_str().unwrap());
            assert!(!is_kept || there.any(|row| !as_stated(&row)), "it is as it is stated: {one}");
        }
        if changed {
            assert!(new.idle().iter().all(|time| skipped.contains(time)), "{:?} {skipped:?}", new.idle());
        }
    }

    pub fn doubles_nothing(&self) {
        let (mut occurrences, mut times) = (BTreeSet::new(), BTreeSet::new());
        for row in self.rows() {
            assert!(occurrences.insert((row.series, row.known_by().to_owned())), "twice: {row:?}");
            assert!(!row.is_on() || !self.called_off.contains(&row.id), "it is on again: {row:?}");
            if row.is_on() && !row.edited {
                assert!(times.insert((row.series, row.starts_at)), "two at one time: {row:?}");
            }
        }
    }
}

fn time_of(skipped: &Value) -> NaiveDateTime {
    skipped["local_start"].as_str().unwrap().parse::<LocalTime>().unwrap().0
}
