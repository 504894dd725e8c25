//! Bookings as JSON.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::db::schema::{session_series, venues};
use crate::db::{Id, Timestamp};
use crate::members::types::MemberName;

crate::text_enum! {
    /// The state of a booking.
    #[derive(Hash)]
    pub enum BookingStatus {
        /// Has a place.
        Booked,
        /// Waits for a place and holds no seat.
        Waitlisted,
        /// Has been offered a place that became free, until `offer_expires_at`. The member is told by e-mail if they
        /// allow it.
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
    /// A member has at most one booking in these states in a session.
    pub const LIVE: [Self; 5] = [Self::Booked, Self::Waitlisted, Self::Offered, Self::Attended, Self::Absent];
    /// The states of the bookings in a register.
    pub const REGISTERED: [Self; 3] = [Self::Booked, Self::Attended, Self::Absent];

    /// Whether the booking has neither been cancelled nor ended.
    pub fn is_live(self) -> bool {
        Self::LIVE.contains(&self)
    }

    /// Whether the booking holds seats.
    pub fn holds_seats(self) -> bool {
        self.is_live() && self != Self::Waitlisted
    }
}

crate::text_enum! {
    /// A kind of seat.
    #[derive(Hash)]
    pub enum SeatDelivery {
        /// A seat in the room.
        InPerson,
        /// A place online.
        Online,
    }
}

crate::described! {
    /// What to do when the session is full.
    #[derive(Default)]
    pub enum IfFull {
        /// Refuse the booking.
        #[default]
        Refuse,
        /// Join the waiting list, behind everybody who waits already. The booking is then `waitlisted`.
        Wait,
    }
}

/// The guests who come along; each takes a seat.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// How many of the member's family come along.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 10, default = 0, example = 1)]
    pub family: i32,
    /// How many carers come along.
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

/// A booking as it is requested.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct BookingInput {
    /// The member who gets the place. Members book for themselves and may leave it out, or for somebody whose
    /// relationship with them says so. An advisor must give it.
    pub member_id: Option<Id>,
    /// The kind of seat. Required for a hybrid session. Other sessions have only one kind.
    pub delivery: Option<SeatDelivery>,
    /// Guests who come along. Absent: nobody.
    #[serde(default)]
    #[validate(nested)]
    pub party: Party,
    /// The item of the member's active prescription that led to the booking. It must refer to this session or its
    /// series.
    pub prescription_item_id: Option<Id>,
    /// What to do if there are too few seats, or if others wait for one. Absent: `refuse`.
    #[serde(default)]
    pub if_full: IfFull,
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
    /// The time zone of the session's clock.
    #[schema(example = "Europe/London")]
    pub time_zone: String,
    /// Where people come to. Null for a session that is only online.
    pub place: Option<BookedPlace>,
    /// The series that the session is of. Null for a single session.
    pub series: Option<BookedSeries>,
}

/// The venue of a booked session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, Queryable, Selectable)]
#[diesel(table_name = venues)]
pub struct BookedPlace {
    /// The venue's id.
    #[diesel(column_name = id)]
    pub venue_id: Id,
    /// Its name.
    #[schema(example = "Liverpool Central Library")]
    pub name: String,
    /// Building and street.
    #[schema(example = "William Brown Street")]
    pub line_1: Option<String>,
    /// A second line.
    #[schema(example = "City Centre")]
    pub line_2: Option<String>,
    /// The post town.
    #[schema(example = "Liverpool")]
    pub town: Option<String>,
    /// The postcode.
    #[schema(example = "L3 8EW")]
    pub postcode: Option<String>,
}

/// The series of a booked session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, Queryable, Selectable)]
#[diesel(table_name = session_series)]
pub struct BookedSeries {
    /// Its id.
    pub id: Id,
    /// Its title.
    #[schema(example = "Shared Reading at Walton")]
    pub title: String,
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
    /// The member who has the place. Null for a partner without the member's consent.
    pub member_id: Option<Id>,
    /// The member by name. Null for a partner without the member's consent.
    pub member: Option<MemberName>,
    /// The state of the booking.
    pub status: BookingStatus,
    /// The kind of seat.
    pub delivery: SeatDelivery,
    /// The guests.
    pub party: Party,
    /// How many seats it holds or waits for, including the member's own.
    #[schema(minimum = 1, maximum = 21, example = 2)]
    pub seats: i32,
    /// A code to show at the door. Unique within the session.
    #[schema(example = "7KX4P")]
    pub reference: String,
    /// The item of a prescription that led to the booking. Null for a partner without the member's consent, and for a
    /// member who booked for somebody else.
    pub prescription_item_id: Option<Id>,
    /// Its place in the waiting list for this kind of seat, from 1. Only while it waits.
    #[schema(minimum = 1, example = 3)]
    pub waitlist_position: Option<i32>,
    /// Until when the offered seat is held. Accept or decline the offer before then. Only while a seat is offered.
    pub offer_expires_at: Option<Timestamp>,
    /// Why it was cancelled, if a reason was given.
    #[schema(example = "The facilitator is ill.")]
    pub cancellation_reason: Option<String>,
    /// Rises with each change.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Booking {
    /// The booking without the fields that say who the member is.
    pub fn without_member(self) -> Self {
        Self { member_id: None, member: None, prescription_item_id: None, ..self }
    }

    /// The booking for whoever booked for the member: they see nothing of the member's prescription.
    pub fn without_item(self) -> Self {
        Self { prescription_item_id: None, ..self }
    }
}

crate::described! {
    /// Who cancels.
    #[derive(Default)]
    pub enum CancelledBy {
        /// The member, or an advisor for the member.
        #[default]
        Member,
        /// The service. For advisors only.
        Provider,
    }
}

crate::described! {
    /// Who made a booking.
    pub enum BookedBy {
        /// The caller.
        Me,
    }
}

crate::described! {
    /// Which bookings to list, by the end of their sessions.
    pub enum BookedWhen {
        /// Of sessions that have not ended, the soonest first.
        Upcoming,
        /// Of sessions that have ended, the latest first.
        Past,
    }
}

/// Which bookings of a member to list.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct MemberBookings {
    /// `me` lists only the bookings that the caller made. Whoever may book for the member can list those, and no others.
    #[param(inline)]
    pub booked_by: Option<BookedBy>,
    /// `upcoming` lists the bookings of sessions that have not ended, the soonest first; `past` the others, the latest
    /// first. Cancelled bookings are among both. Absent: all, the latest session first.
    #[param(inline)]
    pub when: Option<BookedWhen>,
    /// How many items a page has at most.
    #[param(minimum = 1, maximum = 100, default = 50, example = 50)]
    pub limit: Option<i64>,
    /// Where the page begins: the `cursor` in the path that `next` of the page before gives.
    #[param(max_length = 1200)]
    pub cursor: Option<String>,
}

/// How a booking is cancelled.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Cancellation {
    /// Who cancels. Only an advisor may say `provider`. Absent: `member`.
    #[param(inline)]
    pub by: Option<CancelledBy>,
    /// `false` tells nobody that the booking is cancelled. It is for an advisor who cancels one of two bookings of the same
    /// person before their records are merged: the person keeps the other. Absent: `true`.
    #[param(default = true)]
    pub tell: Option<bool>,
}
