//! Opening hours as ranges of the week.

use chrono::{Datelike, NaiveDateTime, Timelike};

use super::types::{Hours, OpeningHours};

/// Minutes of a day.
const DAY: u32 = 24 * 60;
/// Minutes of a week.
const WEEK: u32 = 7 * DAY;

/// A range of the week, in minutes since Monday 00:00. It may run into the next week.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    opens: u32,
    minutes: u32,
}

impl Stretch {
    /// The range of these hours of a day, counted from Monday.
    fn of(day: u32, hours: &Hours) -> Option<Self> {
        let (opens, closes) = (minute(&hours.opens)?, minute(&hours.closes)?);
        // Hours that close at or before they open end on the next day, as in schema.org and OpenStreetMap.
        let minutes = if closes > opens { closes - opens } else { closes + DAY - opens };
        Some(Self { opens: day * DAY + opens, minutes })
    }

    /// How many minutes after the beginning of the range this minute of the week comes next.
    fn until(self, minute: u32) -> u32 {
        (minute + WEEK - self.opens) % WEEK
    }

    fn holds(self, minute: u32) -> bool {
        self.until(minute) < self.minutes
    }

    fn overlaps(self, other: Self) -> bool {
        self.holds(other.opens) || other.holds(self.opens)
    }
}

/// The minute of the day for a text such as `18:30`.
fn minute(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':')?;
    Some(hour.parse::<u32>().ok()? * 60 + minute.parse::<u32>().ok()?)
}

impl OpeningHours {
    /// Each day's name in the API and its hours, from Monday on.
    fn days(&self) -> [(&'static str, &Vec<Hours>); 7] {
        let Self { monday, tuesday, wednesday, thursday, friday, saturday, sunday } = self;
        let names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
        let hours = [monday, tuesday, wednesday, thursday, friday, saturday, sunday];
        std::array::from_fn(|day| (names[day], hours[day]))
    }

    /// Each range, with the JSON pointer to its hours.
    fn stretches(&self) -> impl Iterator<Item = (Stretch, String)> {
        (0..).zip(self.days()).flat_map(|(day, (name, hours))| {
            let of_day = hours.iter().enumerate();
            of_day.filter_map(move |(at, hours)| Some((Stretch::of(day, hours)?, format!("/{name}/{at}"))))
        })
    }

    /// Whether the place is closed on the day of this local time: other days have hours, this day has none, and the
    /// hours of the day before have ended by this time.
    pub fn are_closed_on_the_day_of(&self, local: NaiveDateTime) -> bool {
        let days = self.days();
        let today = local.weekday().num_days_from_monday();
        let minute = today * DAY + local.hour() * 60 + local.minute();
        let goes_on = || self.stretches().any(|(stretch, _)| stretch.holds(minute));
        let says = days.iter().any(|(_, hours)| !hours.is_empty());
        says && days[today as usize].1.is_empty() && !goes_on()
    }
}

/// The pointer to the first hours that overlap with earlier ones.
pub fn overlap(hours: &OpeningHours) -> Option<String> {
    let all: Vec<(Stretch, String)> = hours.stretches().collect();
    let later =
        all.iter().enumerate().find(|(at, (one, _))| all.iter().take(*at).any(|(other, _)| one.overlaps(*other)));
    later.map(|(_, (_, pointer))| pointer.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hours(days: &[(usize, &str, &str)]) -> OpeningHours {
        let mut week = OpeningHours::default();
        for (day, opens, closes) in days {
            let hours = Hours { opens: (*opens).into(), closes: (*closes).into() };
            let OpeningHours { monday, tuesday, wednesday, thursday, friday, saturday, sunday } = &mut week;
            [monday, tuesday, wednesday, thursday, friday, saturday, sunday][*day].push(hours);
        }
        week
    }

    #[test]
    fn hours_may_go_on_past_midnight_but_not_into_each_other() {
        for (days, wrong) in [
            (vec![(4, "18:00", "01:00"), (5, "09:00", "12:00")], None),
            (vec![(4, "18:00", "01:00"), (5, "01:00", "12:00")], None),
            (vec![(4, "18:00", "01:00"), (5, "00:30", "12:00")], Some("/saturday/0")),
            (vec![(6, "22:00", "02:00"), (0, "02:00", "12:00")], None),
            (vec![(6, "22:00", "02:00"), (0, "01:59", "12:00")], Some("/sunday/0")),
            (vec![(0, "09:00", "12:00"), (0, "11:00", "13:00")], Some("/monday/1")),
            (vec![(0, "00:00", "00:00"), (1, "00:00", "00:00")], None),
            (vec![(0, "00:00", "00:00"), (0, "12:00", "13:00")], Some("/monday/1")),
            (vec![(0, "09:00", "09:00"), (1, "08:59", "10:00")], Some("/tuesday/0")),
        ] {
            assert_eq!(overlap(&hours(&days)).as_deref(), wrong, "{days:?}");
        }
    }

    #[test]
    fn a_day_is_open_as_long_as_the_hours_of_the_day_before_go_on() {
        let friday = hours(&[(4, "18:00", "01:00"), (6, "20:00", "02:00")]);
        for (at, closed) in [
            ("2027-03-05T09:00:00", false),
            ("2027-03-06T00:59:00", false),
            ("2027-03-06T01:00:00", true),
            ("2027-03-08T01:30:00", false),
            ("2027-03-08T02:00:00", true),
        ] {
            assert_eq!(friday.are_closed_on_the_day_of(at.parse().unwrap()), closed, "{at}");
        }
        assert!(!OpeningHours::default().are_closed_on_the_day_of("2027-03-06T01:00:00".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn two_stretches_overlap_where_they_share_a_minute(
            one in (0u32..7, 0u32..DAY, 1u32..=DAY), other in (0u32..7, 0u32..DAY, 1u32..=DAY),
        ) {
            let stretch = |(day, opens, minutes): (u32, u32, u32)| Stretch { opens: day * DAY + opens, minutes };
            let (one, other) = (stretch(one), stretch(other));
            let shared = (0..WEEK).any(|minute| one.holds(minute) && other.holds(minute));
            prop_assert_eq!(one.overlaps(other), shared);
        }
    }
}
