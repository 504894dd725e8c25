//! What an event says apart from its time. A session and its series say it in the same form, so that they can be
//! compared.

use super::store::{Place, SessionFacts, Surroundings};
use crate::sessions::bookings::types::BookingStatus;
use crate::sessions::series::store::SeriesRow;
use crate::sessions::types::{Delivery, SessionStatus};
use crate::sessions::wordings::Wording;

/// Whether an event takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// The event takes place.
    Confirmed,
    /// The event takes place, but the member has no certain seat.
    Tentative,
    /// The event is called off, or the member's booking is cancelled.
    Cancelled,
}

/// What an event says apart from its time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Content {
    pub summary: String,
    pub description: Option<String>,
    pub location: Option<String>,
    /// Degrees north and east.
    pub position: Option<(f64, f64)>,
    pub categories: Vec<String>,
    pub status: Status,
}

impl Content {
    /// What a session's event says.
    pub fn of_session(session: &SessionFacts, around: &Surroundings) -> Self {
        let content = Self::new(&session.wording, session.delivery, around);
        match session.status {
            SessionStatus::Scheduled => content,
            SessionStatus::Cancelled => content.cancelled(session.cancellation_reason.as_deref()),
        }
    }

    /// What an event of a series says unless its session says something else.
    pub fn of_series(series: &SeriesRow, around: &Surroundings) -> Self {
        Self::new(&Wording::from(series), series.activity.delivery, around)
    }

    fn new(words: &Wording, delivery: Delivery, around: &Surroundings) -> Self {
        let place = place(delivery, around);
        let owner = [around.partner.as_deref(), around.programme.as_deref()];
        let owner: Vec<&str> = owner.into_iter().flatten().collect();
        let led_by = words.facilitator.as_deref().map(|name| format!("Led by {name}"));
        let owner = (!owner.is_empty()).then(|| owner.join(": "));
        let categories = std::iter::once(<&str>::from(words.pillar)).chain(words.topics.0.iter().map(String::as_str));
        Self {
            summary: words.title.clone(),
            description: paragraphs([words.description.clone(), led_by, owner]),
            location: location(delivery, place, around.space.as_deref()),
            position: place.and_then(Place::position),
            categories: categories.map(|name| name.replace('_', " ")).collect(),
            status: Status::Confirmed,
        }
    }

    /// The same for a session that is called off.
    fn cancelled(self, reason: Option<&str>) -> Self {
        let why = reason.map_or_else(|| "Cancelled.".to_owned(), |reason| format!("Cancelled: {reason}"));
        Self { description: paragraphs([Some(why), self.description]), status: Status::Cancelled, ..self }
    }

    /// The same for a member whose booking has this status. They show `reference` at the door.
    pub fn booked(self, status: BookingStatus, reference: &str) -> Self {
        let (state, line) = match status {
            BookingStatus::Booked | BookingStatus::Attended | BookingStatus::Absent => {
                (Status::Confirmed, format!("Your reference: {reference}"))
            }
            BookingStatus::Waitlisted => (Status::Tentative, "You are on the waiting list.".to_owned()),
            BookingStatus::Offered => {
                (Status::Tentative, "A place is offered to you: accept or decline it.".to_owned())
            }
            BookingStatus::CancelledByMember | BookingStatus::CancelledByProvider => {
                (Status::Cancelled, "Your place is cancelled.".to_owned())
            }
        };
        // If the session itself is called off, the event is cancelled whatever the booking's status.
        let status = if self.status == Status::Cancelled { Status::Cancelled } else { state };
        Self { description: paragraphs([Some(line), self.description]), status, ..self }
    }

    /// Only when and where. Even the room is left out, since its name may tell what the session is.
    pub fn neutral(self, delivery: Delivery, around: &Surroundings) -> Self {
        Self {
            summary: "Appointment".into(),
            description: None,
            location: location(delivery, place(delivery, around), None),
            categories: Vec::new(),
            ..self
        }
    }
}

fn paragraphs<const N: usize>(parts: [Option<String>; N]) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("\n\n"))
}

/// Where people come to. Nobody comes to the venue of an online session.
fn place(delivery: Delivery, around: &Surroundings) -> Option<&Place> {
    around.place.as_ref().filter(|_| delivery != Delivery::Online)
}

fn location(delivery: Delivery, place: Option<&Place>, space: Option<&str>) -> Option<String> {
    let online = (delivery != Delivery::InPerson).then_some("Online");
    let there = place.map(|place| place.lines(space));
    let all: Vec<&str> = there.as_deref().into_iter().chain(online).collect();
    (!all.is_empty()).then(|| all.join(" / "))
}
