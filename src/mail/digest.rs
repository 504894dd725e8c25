//! How many mails a member gets a day. What is more waits for a mail in the evening that has all of it.

use chrono::{Days, NaiveTime, TimeZone};
use chrono_tz::Europe::London;

use crate::clock::{london_day, london_midnight};
use crate::db::Timestamp;
use crate::messages::kinds::MessageKind;
use crate::messages::queue::{MessageRow, URGENT};

/// How many mails about sessions a member gets a day, apart from those that can't wait.
pub const MOST: i64 = 10;
/// When the mail of the evening goes, in London.
const EVENING: u32 = 18;
/// When the mail goes with what came after the evening's.
const MORNING: u32 = 8;
/// What the keys of digests begin with.
const KEY: &str = "digest:";

/// A mail that has what was too much for a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// When it goes.
    pub due_at: Timestamp,
    /// What its messages have in common.
    pub key: String,
}

impl Digest {
    /// The next one: this evening's, or the next morning's if that has gone.
    pub fn next(now: Timestamp) -> Self {
        let today = london_day(now);
        let tomorrow = today.checked_add_days(Days::new(1)).unwrap_or(today);
        let at = |day: chrono::NaiveDate, hour: u32| {
            let local = day.and_time(NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default());
            let instant = London.from_local_datetime(&local).earliest();
            instant.map_or_else(|| london_midnight(day), |instant| Timestamp(instant.to_utc()))
        };
        let evening = at(today, EVENING);
        let due_at = if now < evening { evening } else { at(tomorrow, MORNING) };
        Self { due_at, key: format!("{KEY}{}", due_at.0.timestamp()) }
    }
}

/// Whether messages with this key are a digest.
pub fn is_digest(key: &str) -> bool {
    key.starts_with(KEY)
}

/// Whether these messages, which would be one mail, wait for a digest, where the member has got so many mails today. What
/// would be no use any more when the digest goes can't wait.
pub fn waits(key: &str, sent_today: i64, rows: &[MessageRow], now: Timestamp) -> bool {
    let goes = Digest::next(now).due_at;
    let is_soon = |row: &MessageRow| row.payload.0.starts_at.is_some_and(|at| at <= now.plus_seconds(URGENT));
    let cannot_wait = |row: &MessageRow| match row.kind {
        MessageKind::Offered => true,
        MessageKind::Cancelled | MessageKind::Moved if row.is_urgent() || is_soon(row) => true,
        _ => row.expires_at.is_some_and(|end| end <= goes),
    };
    sent_today >= MOST && !is_digest(key) && !rows.iter().any(cannot_wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_goes_in_the_evening_or_else_in_the_morning() {
        let at = |text: &str| Timestamp(text.parse().unwrap());
        let next = |text: &str| Digest::next(at(text)).due_at;
        assert_eq!(next("2026-11-23T09:00:00Z"), at("2026-11-23T18:00:00Z"));
        assert_eq!(next("2026-11-23T18:00:00Z"), at("2026-11-24T08:00:00Z"));
        assert_eq!(next("2026-11-23T23:59:59Z"), at("2026-11-24T08:00:00Z"));
        assert_eq!(next("2027-06-01T16:59:59Z"), at("2027-06-01T17:00:00Z"));
        assert_ne!(Digest::next(at("2026-11-23T09:00:00Z")).key, Digest::next(at("2026-11-23T19:00:00Z")).key);
        assert!(is_digest(&Digest::next(at("2026-11-23T09:00:00Z")).key) && !is_digest("series:1"));
    }
}
