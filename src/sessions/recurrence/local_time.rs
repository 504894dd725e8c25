//! From the wall clock to instants.

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use super::RecurrenceError;
use super::error::quoted;
use crate::clock::LocalTime;

/// Finds a time zone by its IANA name, such as `Europe/London`. Case matters.
///
/// # Errors
/// [`RecurrenceError::UnknownTimeZone`].
pub fn parse_time_zone(name: &str) -> Result<Tz, RecurrenceError> {
    name.parse().map_err(|_| RecurrenceError::UnknownTimeZone { name: quoted(name) })
}

/// Reads a local time written exactly as `YYYY-MM-DDTHH:MM:SS`. `field` is named in the error.
///
/// # Errors
/// [`RecurrenceError::MalformedLocalTime`].
pub fn parse_local_time(field: &'static str, text: &str) -> Result<NaiveDateTime, RecurrenceError> {
    let LocalTime(local) =
        text.parse().map_err(|_| RecurrenceError::MalformedLocalTime { field, value: quoted(text) })?;
    Ok(local)
}

/// The instant of a local time.
///
/// A local time that the clock skips is moved forward by the size of the gap. The gap may be an hour or, as in Samoa at
/// the end of 2011, a day. A local time that the clock shows twice is the first of the two.
///
/// # Source
///
/// RFC 5545, section 3.3.5.
pub fn resolve(local: NaiveDateTime, tz: Tz) -> DateTime<Utc> {
    let seconds_east = match tz.offset_from_local_datetime(&local) {
        MappedLocalTime::Single(offset) => offset.fix().local_minus_utc(),
        // The clock that is further ahead of UTC shows the local time earlier.
        MappedLocalTime::Ambiguous(one, other) => {
            let (one, other) = (one.fix(), other.fix());
            one.local_minus_utc().max(other.local_minus_utc())
        }
        MappedLocalTime::None => offset_before_gap(local, tz),
    };
    let offset = TimeDelta::seconds(seconds_east.into());
    local.checked_sub_signed(offset).unwrap_or(local).and_utc()
}

/// The offset that was in force before the gap that `local` falls into, in seconds east of UTC.
///
/// Walks back further than any gap is long, in steps shorter than the time between any two clock changes.
fn offset_before_gap(local: NaiveDateTime, tz: Tz) -> i32 {
    let steps = (1..=4 * 48).map(|quarters| TimeDelta::minutes(15 * quarters));
    steps
        .filter_map(|back| local.checked_sub_signed(back))
        .find_map(|earlier| tz.offset_from_local_datetime(&earlier).latest())
        .map_or(0, |offset| offset.fix().local_minus_utc())
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;
    use chrono_tz::{Europe::London, TZ_VARIANTS};
    use proptest::prelude::*;

    fn instant(local: &str, tz: Tz) -> String {
        let local = parse_local_time("local_start", local).unwrap();
        resolve(local, tz).format("%FT%TZ").to_string()
    }

    #[test]
    fn a_local_time_is_on_london_time_in_winter_and_summer() {
        assert_eq!(instant("2027-01-05T13:00:00", London), "2027-01-05T13:00:00Z");
        assert_eq!(instant("2027-07-06T13:00:00", London), "2027-07-06T12:00:00Z");
    }

    #[test]
    fn a_missing_local_time_moves_forward_by_the_gap() {
        assert_eq!(instant("2027-03-28T00:59:59", London), "2027-03-28T00:59:59Z");
        assert_eq!(instant("2027-03-28T01:00:00", London), "2027-03-28T01:00:00Z");
        assert_eq!(instant("2027-03-28T01:30:00", London), "2027-03-28T01:30:00Z");
        assert_eq!(instant("2027-03-28T02:00:00", London), "2027-03-28T01:00:00Z");
    }

    #[test]
    fn a_doubled_local_time_is_the_first() {
        assert_eq!(instant("2027-10-31T00:59:59", London), "2027-10-30T23:59:59Z");
        assert_eq!(instant("2027-10-31T01:00:00", London), "2027-10-31T00:00:00Z");
        assert_eq!(instant("2027-10-31T01:59:59", London), "2027-10-31T00:59:59Z");
        assert_eq!(instant("2027-10-31T02:00:00", London), "2027-10-31T02:00:00Z");
    }

    #[test]
    fn gaps_of_half_an_hour_and_of_a_whole_day_are_handled() {
        let howe = chrono_tz::Australia::Lord_Howe;
        assert_eq!(instant("2027-10-03T02:15:00", howe), "2027-10-02T15:45:00Z");
        let apia = chrono_tz::Pacific::Apia;
        assert_eq!(instant("2011-12-29T10:00:00", apia), "2011-12-29T20:00:00Z");
        assert_eq!(instant("2011-12-30T10:00:00", apia), "2011-12-30T20:00:00Z");
        assert_eq!(instant("2011-12-31T10:00:00", apia), "2011-12-30T20:00:00Z");
    }

    #[test]
    fn the_ends_of_the_calendar_resolve_without_panic() {
        for tz in [London, chrono_tz::Pacific::Apia, chrono_tz::America::New_York] {
            resolve(NaiveDateTime::MIN, tz);
            resolve(NaiveDateTime::MAX, tz);
        }
    }

    #[test]
    fn time_zones_are_known_by_their_exact_name() {
        assert_eq!(parse_time_zone("Europe/London"), Ok(London));
        for name in ["", "europe/london", "Europe/Liverpool", "+01:00", " Europe/London", "GB\0"] {
            let error = parse_time_zone(name).unwrap_err();
            assert_eq!((error.code(), error.field()), ("unknown_time_zone", "time_zone"), "{name}");
        }
    }

    #[test]
    fn local_times_are_read_only_in_their_one_form() {
        let read = |text| parse_local_time("excluded", text);
        let expected = NaiveDate::from_ymd_opt(2027, 1, 5).and_then(|d| d.and_hms_opt(13, 0, 9));
        assert_eq!(read("2027-01-05T13:00:09").ok(), expected);
        for text in [
            "",
            "2027-01-05",
            "2027-01-05T13:00",
            "2027-01-05T13:00:09Z",
            "2027-01-05 13:00:09",
            "2027-01-05T13:00:60",
            "2027-02-29T13:00:09",
            "2027-01-05T24:00:00",
            "+027-01-05T13:00:09",
            "2027-01-05T13:00:0é",
        ] {
            let error = read(text).unwrap_err();
            assert_eq!((error.code(), error.field()), ("malformed_local_time", "excluded"), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn in_every_zone_a_time_that_exists_is_shown_by_the_clock_and_another_is_passed_by(
            zone in 0..TZ_VARIANTS.len(), seconds in -2_208_988_800i64..4_102_444_800,
        ) {
            let tz = TZ_VARIANTS[zone];
            let local = DateTime::from_timestamp(seconds, 0).unwrap().naive_utc();
            let shown = resolve(local, tz).with_timezone(&tz).naive_local();
            match tz.from_local_datetime(&local).earliest() {
                Some(earliest) => prop_assert_eq!(earliest, resolve(local, tz)),
                None => prop_assert!(shown > local),
            }
        }
    }
}
