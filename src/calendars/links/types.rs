//! Addresses of members' calendars as JSON.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::db::{Id, Timestamp};

/// An address of a member's calendar as it is asked for.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CalendarLinkInput {
    /// The name of the calendar for its subscribers. It also tells one address from another.
    #[schema(min_length = 1, max_length = 100, format = "one-line", example = "On my phone")]
    pub name: Option<String>,
    /// Shows every booking as "Appointment", with time and place only. For a calendar that other people can see.
    #[serde(default)]
    #[schema(example = false)]
    pub neutral_titles: bool,
}

/// An address of a member's calendar, without the address itself.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CalendarLink {
    /// Its id.
    pub id: Id,
    /// The member whose calendar it is.
    pub member_id: Id,
    /// What was asked for.
    #[serde(flatten)]
    pub written: CalendarLinkInput,
    /// When it was revoked; null while it is in use.
    pub revoked_at: Option<Timestamp>,
    /// Rises with each change; the `ETag`.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// An address of a member's calendar. The address is shown only this once.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct IssuedCalendarLink {
    /// Everything but the address.
    #[serde(flatten)]
    pub link: CalendarLink,
    /// The address to subscribe to. Keep it: it can't be shown again. Whoever has it can read the calendar. Null in the
    /// answer to a repeated request.
    #[schema(example = "https://life-rooms.invalid/v1/calendars/m3b0YpYwWcK2v9q8lN5xJrT4uE7sA1dFgHjKlZxCvBn.ics")]
    pub url: Option<String>,
    /// If there is no address, the reason.
    #[schema(example = "The address was shown in the first answer only. Revoke it and make another.")]
    pub url_note: Option<&'static str>,
}

impl IssuedCalendarLink {
    /// The first answer.
    pub fn with_url(link: CalendarLink, url: String) -> Self {
        Self { link, url: Some(url), url_note: None }
    }

    /// The answer to a repeated request.
    pub fn without_url(link: CalendarLink) -> Self {
        let note = "The address was shown in the first answer only. Revoke it and make another.";
        Self { link, url: None, url_note: Some(note) }
    }
}
