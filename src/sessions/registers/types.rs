//! Registers as JSON.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::db::{Id, Timestamp};
use crate::http::rule::{at, rule};
use crate::members::types::MemberInput;
use crate::sessions::bookings::types::{BookingStatus, MemberName};

/// People who were there and are not members.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Headcount {
    /// People the session is for.
    #[schema(minimum = 0, maximum = 10000, example = 14)]
    pub beneficiaries: i32,
    /// Their families.
    #[schema(minimum = 0, maximum = 10000, example = 3)]
    pub family: i32,
    /// Their carers.
    #[schema(minimum = 0, maximum = 10000, example = 2)]
    pub carers: i32,
}

/// Whether a booking was taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Attendance {
    /// A booking of this session.
    pub booking_id: Id,
    /// True: was there; false: was not; null: not known, which takes an earlier mark back.
    #[schema(required = true, example = true)]
    pub attended: Option<bool>,
}

/// Somebody who came without a seat: a member, or a person whom an advisor registers on the spot. One of the two.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "is_one_person"))]
pub struct WalkInInput {
    /// The member.
    pub member_id: Option<Id>,
    /// Who is registered with the register, by the rules of registering; for advisors only.
    #[validate(nested)]
    pub member: Option<MemberInput>,
}

fn is_one_person(walk_in: &WalkInInput) -> Result<(), ValidationError> {
    match (&walk_in.member_id, &walk_in.member) {
        (Some(_), None) | (None, Some(_)) => Ok(()),
        (None, None) => {
            Err(at(rule("required", "Say who it was: member_id, or member to register them."), "/member_id"))
        }
        (Some(_), Some(_)) => Err(at(rule("one_of_two", "Goes only without member_id."), "/member")),
    }
}

/// A register as it is taken.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct RegisterInput {
    /// Marks; a booking that isn't named stays as it is.
    #[schema(max_items = 5000)]
    #[validate(nested)]
    pub bookings: Vec<Attendance>,
    /// All walk-ins that the caller can see; one that isn't named any more is taken out.
    #[schema(max_items = 5000)]
    #[validate(nested)]
    pub walk_ins: Vec<WalkInInput>,
    /// People who are not members.
    #[validate(nested)]
    pub headcount: Headcount,
}

/// A booking in a register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RegisteredBooking {
    /// Its id.
    pub booking_id: Id,
    /// What the member shows at the door.
    #[schema(example = "7KX4P")]
    pub reference: String,
    /// How far it has come.
    pub status: BookingStatus,
    /// Whether it was taken up; null while nobody has said.
    #[schema(example = true)]
    pub attended: Option<bool>,
    /// Who it is; null to a partner without that member's consent.
    pub member: Option<MemberName>,
}

/// A walk-in in a register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WalkIn {
    /// Who it is; null to a partner without that member's consent.
    pub member: Option<MemberName>,
}

/// A register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Register {
    /// The session.
    pub session_id: Id,
    /// The places that were booked and not cancelled, oldest first.
    pub bookings: Vec<RegisteredBooking>,
    /// Members who came without a booking.
    pub walk_ins: Vec<WalkIn>,
    /// People who are not members.
    pub headcount: Headcount,
    /// Rises each time it is taken, from 0; the `ETag`.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was first taken; null before.
    pub created_at: Option<Timestamp>,
    /// When it was last taken; null before.
    pub updated_at: Option<Timestamp>,
}
