//! Registers as JSON.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::db::{Id, Timestamp};
use crate::http::patch::MergePatch;
use crate::http::rule::{at, rule};
use crate::members::access_needs::types::NeedCode;
use crate::members::types::MemberInput;
use crate::sessions::bookings::types::BookingStatus;

/// A headcount of people who were there and aren't members.
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

/// Whether the member of a booking came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Attendance {
    /// A booking of this session.
    pub booking_id: Id,
    /// True: was there. False: wasn't. Null: not known, which takes an earlier mark back.
    #[schema(required = true, example = true)]
    pub attended: Option<bool>,
}

/// Somebody who came without a booking: either a member, or a person whom an advisor registers on the spot.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "is_one_person"))]
pub struct WalkInInput {
    /// The member.
    pub member_id: Option<Id>,
    /// The person to register on the spot, by the rules of registering. For advisors only.
    #[validate(nested)]
    pub member: Option<MemberInput>,
}

fn is_one_person(walk_in: &WalkInInput) -> Result<(), ValidationError> {
    match (&walk_in.member_id, &walk_in.member) {
        (Some(_), None) | (None, Some(_)) => Ok(()),
        (None, None) => {
            Err(at(rule("required", "Say who it was: member_id, or member to register them."), "/member_id"))
        }
        (Some(_), Some(_)) => Err(at(rule("one_of_two", "Can't be given together with member_id."), "/member")),
    }
}

/// The most people whom one request registers on the spot: everybody's writes wait for it.
const MOST_NEW: usize = 500;

fn has_few_new_people(register: &RegisterInput) -> Result<(), ValidationError> {
    let new = register.walk_ins.iter().filter(|walk_in| walk_in.member.is_some()).count();
    if new <= MOST_NEW {
        return Ok(());
    }
    let detail =
        "At most 500 new people can be registered at once. Take the register with these first, then with more.";
    Err(at(rule("too_many_new", detail), "/walk_ins"))
}

/// A register as it is taken.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "has_few_new_people"))]
pub struct RegisterInput {
    /// Marks for bookings. A booking that isn't named stays as it is.
    #[schema(max_items = 5000)]
    #[validate(nested)]
    pub bookings: Vec<Attendance>,
    /// All walk-ins that the caller can see. One that is no longer named is removed. At most 500 of them can be people
    /// to register on the spot.
    #[schema(max_items = 5000)]
    #[validate(nested)]
    pub walk_ins: Vec<WalkInInput>,
    /// A headcount of people who aren't members.
    #[validate(nested)]
    pub headcount: Headcount,
}

/// The headcount of a register, which can be changed by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct RegisterChange {
    /// A headcount of people who aren't members. Before the register is taken, each is 0.
    #[validate(nested)]
    pub headcount: Headcount,
}

/// A change of a register's headcount.
pub type RegisterPatch = MergePatch<RegisterChange>;

/// A member in a register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RegisteredMember {
    /// Their id.
    pub id: Id,
    /// The name they go by, and their family name.
    #[schema(example = "Sam Riley")]
    pub display_name: String,
    /// Whether they need something to take part. To a partner, what isn't shared with partners doesn't count.
    #[schema(example = true)]
    pub has_access_needs: bool,
    /// Whether it is time to ask again what they need.
    #[schema(example = false)]
    pub access_needs_review_due: bool,
    /// What they need, without details. To a partner, what is shared with partners.
    pub access_needs: Vec<NeedCode>,
}

/// A booking in a register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RegisteredBooking {
    /// Its id.
    pub booking_id: Id,
    /// What the member shows at the door.
    #[schema(example = "7KX4P")]
    pub reference: String,
    /// The state of the booking.
    pub status: BookingStatus,
    /// Whether the member came. Null if nobody has said so.
    #[schema(example = true)]
    pub attended: Option<bool>,
    /// The member. Null for a partner without the member's consent.
    pub member: Option<RegisteredMember>,
}

/// A walk-in in a register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WalkIn {
    /// The member. Null for a partner without the member's consent.
    pub member: Option<RegisteredMember>,
}

/// A register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Register {
    /// The session.
    pub session_id: Id,
    /// The bookings that weren't cancelled, oldest first.
    pub bookings: Vec<RegisteredBooking>,
    /// Members who came without a booking.
    pub walk_ins: Vec<WalkIn>,
    /// A headcount of people who aren't members.
    pub headcount: Headcount,
    /// Rises each time the register is taken. 0 before; the `ETag`.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was first taken. Null before.
    pub created_at: Option<Timestamp>,
    /// When it was last taken. Null before.
    pub updated_at: Option<Timestamp>,
}
