//! Bookings as JSON.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::db::{Id, Timestamp};

crate::text_enum! {
    /// How far a booking has come.
    #[derive(Hash)]
    pub enum BookingStatus {
        /// Has a place.
        Booked,
        /// Waits for a place; holds no seat.
        Waitlisted,
        /// Is offered a place that was freed.
        Offered,
        /// Was there.
        Attended,
        /// Was not there.
        Absent,
        /// The member, or somebody for them, cancelled.
        CancelledByMember,
        /// The service cancelled.
        CancelledByProvider,
    }
}

impl BookingStatus {
    /// The bookings of which a member has at most one for a session.
    pub const LIVE: [Self; 5] = [Self::Booked, Self::Waitlisted, Self::Offered, Self::Attended, Self::Absent];
    /// The bookings that stand in the register.
    pub const REGISTERED: [Self; 3] = [Self::Booked, Self::Attended, Self::Absent];

    /// Whether the place is kept.
    pub fn is_live(self) -> bool {
        Self::LIVE.contains(&self)
    }

    /// Whether seats are counted for it.
    pub fn holds_seats(self) -> bool {
        self.is_live() && self != Self::Waitlisted
    }
}

crate::text_enum! {
    /// Which kind of seat is taken.
    #[derive(Hash)]
    pub enum SeatDelivery {
        /// A seat in the room.
        InPerson,
        /// A place on the call.
        Online,
    }
}

/// What to do when the session is full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IfFull {
    /// Refuse the booking.
    #[default]
    Refuse,
    /// Wait for a place: the booking is `waitlisted`, behind everybody who waits already.
    Wait,
}

/// The guests who come along; each takes a seat.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// So many of the member's family.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 10, default = 0, example = 1)]
    pub family: i32,
    /// So many carers.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 10, default = 0, example = 0)]
    pub carers: i32,
}

impl Party {
    /// Seats for the member and the guests.
    pub fn seats(self) -> i32 {
        1 + self.family + self.carers
    }
}

/// A booking as it is asked for.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct BookingInput {
    /// Whose place it is. A member books for themself and may leave it out; an advisor must give it.
    pub member_id: Option<Id>,
    /// Which seat of a hybrid session; otherwise the session's own delivery.
    pub delivery: Option<SeatDelivery>,
    /// Guests who come along. Absent: nobody.
    #[serde(default)]
    #[validate(nested)]
    pub party: Party,
    /// The item of the member's active prescription that this follows; it must point at this session or its series.
    pub prescription_item_id: Option<Id>,
    /// What to do when there are too few seats, or others wait for one. Absent: `refuse`.
    #[serde(default)]
    pub if_full: IfFull,
}

/// A member by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MemberName {
    /// Their id.
    pub id: Id,
    /// The name they go by, and their family name.
    #[schema(example = "Sam Riley")]
    pub display_name: String,
}

/// What a booking shows of its session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BookedSession {
    /// Its title.
    #[schema(example = "Shared Reading at Walton")]
    pub title: String,
    /// When it starts.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
}

/// A booking.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Booking {
    /// Its id.
    pub id: Id,
    /// The session.
    pub session_id: Id,
    /// The session in short.
    pub session: BookedSession,
    /// Whose place it is; null to a partner without that member's consent.
    pub member_id: Option<Id>,
    /// The member by name; null to a partner without that member's consent.
    pub member: Option<MemberName>,
    /// How far it has come.
    pub status: BookingStatus,
    /// Which kind of seat.
    pub delivery: SeatDelivery,
    /// The guests.
    pub party: Party,
    /// Seats it holds or waits for, the member's own included.
    #[schema(minimum = 1, maximum = 21, example = 2)]
    pub seats: i32,
    /// For showing at the door; unique in its session.
    #[schema(example = "7KX4P")]
    pub reference: String,
    /// The prescription's item that it follows; null to a partner without that member's consent.
    pub prescription_item_id: Option<Id>,
    /// While it waits: its place in the list for this kind of seat, from 1.
    #[schema(minimum = 1, example = 3)]
    pub waitlist_position: Option<i32>,
    /// While a seat is offered: until when it is kept. Accept or decline it before.
    pub offer_expires_at: Option<Timestamp>,
    /// Why it was cancelled, where that was said.
    #[schema(example = "The facilitator is ill.")]
    pub cancellation_reason: Option<String>,
    /// Rises with each change; the `ETag`.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Booking {
    /// Takes out what says who it is.
    pub fn without_member(self) -> Self {
        Self { member_id: None, member: None, prescription_item_id: None, ..self }
    }
}

/// Who cancels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CancelledBy {
    /// The member, or an advisor at their wish.
    #[default]
    Member,
    /// The service; for advisors only.
    Provider,
}

/// How a booking is cancelled.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Cancellation {
    /// Who cancels: the member, or (advisors only) the provider.
    #[param(inline)]
    pub by: Option<CancelledBy>,
}
