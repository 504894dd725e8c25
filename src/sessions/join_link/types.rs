//! A join link as JSON.

use chrono::TimeDelta;
use serde::Serialize;
use utoipa::ToSchema;

use crate::db::Timestamp;
use crate::error::{Error, Kind, Result};

/// How long before the start of the session the link is shown.
const BEFORE: TimeDelta = TimeDelta::minutes(60);

/// Where to join an online session.
#[derive(Clone, Serialize, ToSchema)]
pub struct JoinLink {
    /// The link. It is only for the holder of the seat.
    #[schema(format = "uri", example = "https://meet.example.org/j/123")]
    pub join_link: String,
    /// When it is first shown to a member: an hour before the session starts.
    pub opens_at: Timestamp,
    /// When it is no longer shown to a member: at the end of the session.
    pub closes_at: Timestamp,
}

impl JoinLink {
    /// The link of a session.
    pub fn new(join_link: String, starts_at: Timestamp, ends_at: Timestamp) -> Self {
        Self { join_link, opens_at: Timestamp(starts_at.0 - BEFORE), closes_at: ends_at }
    }

    /// Checks that the link is shown to a member now.
    ///
    /// # Errors
    /// 409 that says when the link is shown, or that the session has ended.
    pub fn check_open(&self, now: Timestamp) -> Result<()> {
        let detail = match (self.opens_at <= now, now < self.closes_at) {
            (true, true) => return Ok(()),
            (false, _) => format!("The link is shown from {} until {}.", self.opens_at, self.closes_at),
            (_, false) => format!("The session ended at {}.", self.closes_at),
        };
        Err(Error::new(Kind::JoinLinkClosed, detail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_open_from_an_hour_before_the_start_until_the_end() {
        let at = |text: &str| Timestamp(text.parse().unwrap());
        let link = JoinLink::new("x".into(), at("2026-11-30T13:00:00Z"), at("2026-11-30T14:30:00Z"));
        let told = |now| link.check_open(at(now)).map_err(|error| error.to_string());
        let early = "The link is shown from 2026-11-30T12:00:00Z until 2026-11-30T14:30:00Z.";
        assert_eq!(told("2026-11-30T11:59:59Z").unwrap_err(), early);
        assert_eq!(told("2026-11-30T12:00:00Z"), Ok(()));
        assert_eq!(told("2026-11-30T14:29:59Z"), Ok(()));
        assert_eq!(told("2026-11-30T14:30:00Z").unwrap_err(), "The session ended at 2026-11-30T14:30:00Z.");
    }
}
