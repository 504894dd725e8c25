//! Calendars of separate sessions: of one session, of many, and of a member's bookings.

use std::borrow::Borrow;

use chrono_tz::Tz;

use super::content::Content;
use super::event::{Calendar, Identity, Publisher, Revision, event};
use super::store::{BookingFacts, SessionFacts, Shown};
use crate::sessions::recurrence::parse_time_zone;

/// The time zone of a session.
pub(super) fn zone_of(session: &SessionFacts) -> Tz {
    parse_time_zone(&session.time_zone).unwrap_or(Tz::UTC)
}

/// The identity of the event of a session by itself.
pub(super) fn session_identity(publisher: &Publisher, (session, around): &Shown) -> Identity {
    Identity {
        uid: publisher.uid(session.id),
        revision: Revision::of(session.version, session.updated_at).beside(around),
        url: Some(publisher.address(&format!("/v1/sessions/{}", session.id))),
    }
}

/// Adds a session as an event by itself.
pub(super) fn push_session(calendar: &mut Calendar, publisher: &Publisher, shown: &Shown) {
    let (session, around) = shown;
    let one = event(session_identity(publisher, shown), &Content::of_session(session, around));
    calendar.push_at(one, (session.starts_at, session.ends_at), zone_of(session));
}

/// The calendar of one session.
pub(super) fn of_session(publisher: &Publisher, shown: &Shown) -> Calendar {
    of_sessions(publisher, &shown.0.wording.title, [shown])
}

/// The calendar of many sessions, each as an event by itself. The memory of a session that is handed over is free once its
/// event is written.
pub(super) fn of_sessions<S: Borrow<Shown>>(
    publisher: &Publisher,
    name: &str,
    sessions: impl IntoIterator<Item = S>,
) -> Calendar {
    let mut calendar = Calendar::new(name);
    sessions.into_iter().for_each(|shown| push_session(&mut calendar, publisher, shown.borrow()));
    calendar
}

/// How to show a member's bookings.
#[derive(Debug, Clone)]
pub(super) struct Manner {
    /// The name of the calendar.
    pub name: Option<String>,
    /// Whether to say only when and where.
    pub neutral: bool,
}

/// The calendar of a member's bookings. A cancelled booking is left out if the member has another one for the session.
pub(super) fn of_member(publisher: &Publisher, manner: &Manner, booked: &[(BookingFacts, Shown)]) -> Calendar {
    let usual = if manner.neutral { "Appointments" } else { "Life Rooms" };
    let mut calendar = Calendar::new(manner.name.as_deref().unwrap_or(usual));
    let is_live = |(_, status, ..): &BookingFacts| status.is_live();
    let live: std::collections::HashSet<_> =
        booked.iter().filter(|(booking, _)| is_live(booking)).map(|(_, (session, _))| session.id).collect();
    for (booking, shown) in booked {
        if is_live(booking) || !live.contains(&shown.0.id) {
            push_booking(&mut calendar, publisher, manner, (booking, shown));
        }
    }
    calendar
}

/// Adds a booking. With neutral titles nothing in the event leads to the session: neither an id nor an address.
fn push_booking(
    calendar: &mut Calendar,
    publisher: &Publisher,
    manner: &Manner,
    ((id, status, reference, version, updated_at), shown): (&BookingFacts, &Shown),
) {
    let (session, around) = shown;
    let of_session = session_identity(publisher, shown);
    let identity = Identity {
        uid: publisher.uid(*id),
        revision: of_session.revision.with(Revision::of(*version, *updated_at)),
        url: of_session.url.filter(|_| !manner.neutral),
    };
    let content = Content::of_session(session, around).booked(*status, reference);
    let content = if manner.neutral { content.neutral(session.delivery, around) } else { content };
    calendar.push_at(event(identity, &content), (session.starts_at, session.ends_at), zone_of(session));
}
