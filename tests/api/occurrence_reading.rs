//! A plain reading of when a series takes place, beside the code's.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate, NaiveDateTime};
use life_rooms::db::{LocalTime, Timestamp};
use life_rooms::sessions::recurrence::{parse_time_zone, resolve};
use serde_json::Value;

/// What a series or a session says apart from its times.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    pub title: String,
    pub minutes: i64,
    pub space: Option<String>,
}

/// What a series says about when it takes place, read as plainly as can be.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    pub start: NaiveDateTime,
    pub step: u64,
    /// None where the rule has no end.
    pub count: Option<u64>,
    /// The last date for which sessions are made of a rule without an end.
    pub until: Option<NaiveDate>,
    pub additional: BTreeSet<NaiveDateTime>,
    pub excluded: BTreeSet<NaiveDateTime>,
    pub zone: String,
    pub end: Option<NaiveDate>,
    pub said: Said,
}

impl Statement {
    pub fn of(series: &Value) -> Self {
        let time = |value: &Value| value.as_str().unwrap().parse::<LocalTime>().unwrap().0;
        let times = |name: &str| series[name].as_array().unwrap().iter().map(time).collect();
        let rule = series["recurrence"].as_str().unwrap();
        let part = |name: &str| rule.split(';').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        let every: u64 = part("INTERVAL").map_or(1, |every| every.parse().unwrap());
        let date = |name: &str| series[name].as_str().map(|date| date.parse().unwrap());
        Self {
            start: time(&series["local_start"]),
            step: if part("FREQ") == Some("DAILY") { every } else { 7 * every },
            count: part("COUNT").map(|count| count.parse().unwrap()),
            until: date("expanded_until"),
            additional: times("additional"),
            excluded: times("excluded"),
            zone: series["time_zone"].as_str().unwrap().to_owned(),
            end: date("ends_before"),
            said: Said {
                title: series["title"].as_str().unwrap().to_owned(),
                minutes: series["duration_minutes"].as_i64().unwrap(),
                space: series["space_id"].as_str().map(str::to_owned),
            },
        }
    }

    /// Whether both say the same about when the series takes place.
    pub fn same_times(&self, other: &Self) -> bool {
        Self { said: other.said.clone(), ..self.clone() } == *other
    }

    /// Whether both say the same, apart from the title.
    pub fn differs_in_title_only(&self, other: &Self) -> bool {
        let title = other.said.title.clone();
        self != other && Self { said: Said { title, ..self.said.clone() }, ..self.clone() } == *other
    }

    pub fn rule(&self) -> impl Iterator<Item = NaiveDateTime> {
        let all = (0..self.count.unwrap_or(u64::MAX)).map(|nth| self.start + Days::new(nth * self.step));
        all.take_while(|start| self.until.is_none_or(|until| start.date() <= until))
    }

    /// Each start that is stated, by which occurrence it is.
    pub fn stated(&self) -> BTreeMap<String, NaiveDateTime> {
        let rule: BTreeSet<NaiveDateTime> = self.rule().collect();
        let by_rule = rule.iter().map(|start| (start.date().to_string(), *start));
        let additional = self.additional.difference(&rule).map(|start| (LocalTime(*start).to_string(), *start));
        let mut all: BTreeMap<String, NaiveDateTime> = by_rule.chain(additional).collect();
        all.retain(|_, start| !self.excluded.contains(start) && self.end.is_none_or(|end| start.date() < end));
        all
    }

    /// Which occurrence a session that people moved or called off is now: that of the rule on its date, or at the time that
    /// it had when it was stated last.
    pub fn follow(&self, key: &str, others: &BTreeSet<String>) -> String {
        let (start, is_additional) = (key.trim_end_matches('+').parse::<LocalTime>().unwrap().0, key.ends_with('+'));
        let (stated, date, time) = (self.stated(), start.date().to_string(), LocalTime(start).to_string());
        match (is_additional, stated.get(&date)) {
            (false, Some(rules)) => LocalTime(*rules).to_string(),
            (false, None) if stated.contains_key(&time) && !others.contains(&time) => format!("{time}+"),
            (true, Some(rules)) if *rules == start && !others.contains(&date) => time,
            _ => key.to_owned(),
        }
    }

    pub fn idle(&self) -> Vec<NaiveDateTime> {
        let rule: BTreeSet<NaiveDateTime> = self.rule().collect();
        self.excluded.iter().filter(|time| !rule.contains(time) && !self.additional.contains(time)).copied().collect()
    }

    pub fn is_to_come(&self, start: NaiveDateTime, now: Timestamp) -> bool {
        resolve(start, parse_time_zone(&self.zone).unwrap()) > now.0
    }
}
