//! What the sections of a document list.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::db::{Id, Timestamp};
use crate::erasures::types::{ErasureOrigin, ErasureStatus};
use crate::exports::types::ExportKind;
use crate::members::access_log::types::Who;
use crate::members::consents::types::{ConsentDecision, ConsentPurpose};
use crate::members::relationships::types::{RelationshipAuthority, RelationshipKind, RelationshipStatus};
use crate::members::types::{
    ContactPreferences, EmergencyContact, FormerName, MemberRole, MessageDetails, SafeContact,
};
use crate::messages::kinds::{Channel, MessageKind, MessageStatus};
use crate::prescriptions::items::types::{PrescriptionItemKind, PrescriptionItemStatus};
use crate::prescriptions::types::{Need, NeedDomain, PrescriptionOrigin, PrescriptionStatus};
use crate::sessions::bookings::types::{BookingStatus, Party, SeatDelivery};

/// Who a member is.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedRecord {
    /// The member's id.
    pub id: Id,
    /// What they like to be called.
    #[schema(example = "Peg")]
    pub preferred_name: Option<String>,
    /// The given name, or the only name of somebody who has one name.
    #[schema(example = "Margaret")]
    pub given_name: String,
    /// The family name.
    #[schema(example = "Reid")]
    pub family_name: Option<String>,
    /// Names they had before.
    pub former_names: Vec<FormerName>,
    /// Their pronouns.
    #[schema(example = "she/her")]
    pub pronouns: Option<String>,
    /// The day they were born.
    #[schema(example = "1961-04-02")]
    pub date_of_birth: Option<NaiveDate>,
    /// The first line of the address.
    #[schema(example = "12 Rice Lane")]
    pub line_1: Option<String>,
    /// The second line of the address.
    #[schema(example = "Walton")]
    pub line_2: Option<String>,
    /// The town.
    #[schema(example = "Liverpool")]
    pub town: Option<String>,
    /// The postcode.
    #[schema(example = "L9 1AA")]
    pub postcode: Option<String>,
    /// The local authority.
    #[schema(example = "Liverpool")]
    pub local_authority: Option<String>,
    /// Its GSS code.
    #[schema(example = "E08000012")]
    pub local_authority_code: Option<String>,
    /// The NHS number.
    #[schema(example = "943 476 5919")]
    pub nhs_number: Option<String>,
    /// The ODS code of the GP practice.
    #[schema(example = "N82001")]
    pub gp_practice_code: Option<String>,
    /// How they are connected with the service.
    pub roles: Vec<MemberRole>,
    /// The day of the last booking, attendance, prescription, consent or login.
    #[schema(example = "2026-11-23")]
    pub last_activity_on: Option<NaiveDate>,
    /// When they were registered.
    pub created_at: Timestamp,
    /// When the record was last changed.
    pub updated_at: Timestamp,
}

/// How to reach a member.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedContact {
    /// The e-mail address that is written to.
    #[schema(example = "peg@example.org")]
    pub email: Option<String>,
    /// The telephone number.
    #[schema(example = "+441514960123")]
    pub phone: Option<String>,
    /// The ways in which they may be contacted.
    pub contact_preferences: ContactPreferences,
    /// Whether the service writes e-mails about their bookings: what they prefer, agreed to and took back decides.
    pub emails_about_bookings: bool,
    /// What is safe for them.
    pub safe_contact: SafeContact,
    /// How much messages to them tell.
    pub message_details: MessageDetails,
    /// Whether they are reminded of sessions on the day before.
    pub reminders: bool,
    /// Whom to call when something happens.
    pub emergency_contact: Option<EmergencyContact>,
}

/// A consent.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedConsent {
    /// Its id.
    pub id: Id,
    /// What it is for.
    pub purpose: ConsentPurpose,
    /// The name of the partner, if it is for one.
    #[schema(example = "The Reader")]
    pub partner: Option<String>,
    /// What was decided.
    pub decision: ConsentDecision,
    /// How the decision is known.
    #[schema(example = "Signed form of 20 November 2026")]
    pub evidence: String,
    /// Who told the member what they decide about.
    pub told_by: Option<Who>,
    /// The version of the form that the member was shown.
    #[schema(example = "2026-11")]
    pub form_version: Option<String>,
    /// Who recorded it.
    pub recorded_by: Who,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

/// What a member and somebody else are to each other, without that person's name.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedRelationship {
    /// Its id.
    pub id: Id,
    /// Who the other is to the member, or the member to the other.
    #[schema(example = "a carer of yours")]
    pub who: &'static str,
    /// What the first is to the second.
    pub kind: RelationshipKind,
    /// Whether the one who cares may book for the other.
    pub may_book: bool,
    /// By what right.
    pub authority: RelationshipAuthority,
    /// How the relationship is known. Null if it is about the other person.
    #[schema(example = "Both said so at the Walton centre on 20 November 2026")]
    pub evidence: Option<String>,
    /// The state when the document was made.
    pub status: RelationshipStatus,
    /// From when on it counts.
    #[schema(example = "2026-11-23")]
    pub starts_on: NaiveDate,
    /// The last day on which it counts.
    #[schema(example = "2027-11-23")]
    pub ends_on: Option<NaiveDate>,
    /// Who wrote it down.
    pub created_by: Who,
    /// When it was written down.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A social prescription.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedPrescription {
    /// Its id.
    pub id: Id,
    /// Who wrote it, or asked for it.
    pub origin: PrescriptionOrigin,
    /// The advisor who wrote it.
    pub advisor: Option<Who>,
    /// The name of the site where it was developed.
    #[schema(example = "Central Liverpool")]
    pub site: Option<String>,
    /// What matters to the member, in their words.
    #[schema(example = "To get out of the house and meet people")]
    pub what_matters: Option<String>,
    /// The needs.
    pub needs: Vec<Need>,
    /// What is offered.
    pub items: Vec<ExportedItem>,
    /// The state it is in.
    pub status: PrescriptionStatus,
    /// Why it ended.
    #[schema(example = "Moved away")]
    pub status_reason: Option<String>,
    /// The day it was developed.
    #[schema(example = "2026-11-20")]
    pub developed_on: Option<NaiveDate>,
    /// When to look at it again.
    #[schema(example = "2027-02-20")]
    pub review_on: Option<NaiveDate>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What a prescription offers.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedItem {
    /// Its id.
    pub id: Id,
    /// The need that it meets.
    pub need: Option<NeedDomain>,
    /// The kind of thing that it refers to.
    pub kind: PrescriptionItemKind,
    /// The name of what it refers to.
    #[schema(example = "Shared Reading at Walton")]
    pub target: Option<String>,
    /// The member's own goal.
    #[schema(example = "To come every Tuesday")]
    pub goal: Option<String>,
    /// More about it.
    #[schema(example = "Prefers to sit near the door")]
    pub note: Option<String>,
    /// The state it is in.
    pub status: PrescriptionItemStatus,
    /// Why it is in this state.
    #[schema(example = "No places before spring")]
    pub reason: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A booking.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedBooking {
    /// Its id.
    pub id: Id,
    /// What the session is called.
    #[schema(example = "Shared Reading at Walton")]
    pub title: String,
    /// When it starts.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
    /// The name of the venue; null online.
    #[schema(example = "Walton Life Rooms")]
    pub venue: Option<String>,
    /// The name of the partner that runs it; null if the service does.
    #[schema(example = "The Reader")]
    pub partner: Option<String>,
    /// The state of the booking: also whether the member came.
    pub status: BookingStatus,
    /// The kind of seat.
    pub delivery: SeatDelivery,
    /// The guests.
    pub party: Party,
    /// How many seats it has, with the member's own.
    #[schema(example = 2)]
    pub seats: i32,
    /// The code to show at the door.
    #[schema(example = "7KX4P")]
    pub reference: String,
    /// Until when the offered seat is held.
    pub offer_expires_at: Option<Timestamp>,
    /// Why it was cancelled.
    #[schema(example = "The facilitator is ill.")]
    pub cancellation_reason: Option<String>,
    /// The id of the item of a prescription that led to it.
    pub prescription_item_id: Option<Id>,
    /// Who booked.
    pub booked_by: Who,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A session that somebody came to without a booking.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedWalkIn {
    /// What the session is called.
    #[schema(example = "Shared Reading at Walton")]
    pub title: String,
    /// When it started.
    pub starts_at: Timestamp,
    /// When it ended.
    pub ends_at: Timestamp,
    /// The name of the venue; null online.
    #[schema(example = "Walton Life Rooms")]
    pub venue: Option<String>,
    /// The name of the partner that ran it; null if the service did.
    #[schema(example = "The Reader")]
    pub partner: Option<String>,
    /// When that was written down.
    pub created_at: Timestamp,
}

/// A message.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedMessage {
    /// Its id.
    pub id: Id,
    /// What it tells.
    pub kind: MessageKind,
    /// How it is sent.
    pub channel: Channel,
    /// What became of it.
    pub status: MessageStatus,
    /// Why it wasn't sent.
    #[schema(example = "not_allowed")]
    pub why: Option<String>,
    /// The address that it goes to, if that isn't the present one.
    #[schema(example = "peg@old.example.org")]
    pub address: Option<String>,
    /// What it says, in one or two sentences.
    #[schema(example = "You have a place: Tuesday 5 January 2027, 10am, at Central Library, L3 8EW.")]
    pub text: String,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was handed to the mail server.
    pub sent_at: Option<Timestamp>,
}

/// An account.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedAccount {
    /// Its id.
    pub id: Id,
    /// The address that it logs in with.
    #[schema(example = "peg@example.org")]
    pub email: String,
    /// Its display name.
    #[schema(example = "Peg R.")]
    pub display_name: Option<String>,
    /// Whether it is barred from logging in.
    pub disabled: bool,
    /// When its owner showed that they read mails at the address.
    pub email_proven_at: Option<Timestamp>,
    /// The day of the last login.
    #[schema(example = "2026-11-23")]
    pub last_login_on: Option<NaiveDate>,
    /// How many wrong passwords were given since the last right one.
    #[schema(example = 0)]
    pub failed_logins: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A device on which somebody logged in.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedLogin {
    /// Its id.
    pub id: Id,
    /// What the client calls itself.
    #[schema(example = "Firefox on my phone")]
    pub client_name: Option<String>,
    /// The network that the login was made from, without the part of the address that tells one device from another.
    #[schema(example = "192.0.2.0/24")]
    pub network: Option<String>,
    /// Whether its tokens are set as a cookie.
    pub by_cookie: bool,
    /// When it began.
    pub created_at: Timestamp,
    /// When it last got tokens.
    pub last_used_at: Timestamp,
    /// When it can no longer be used.
    pub expires_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it ended, in a word.
    #[schema(example = "logout")]
    pub ended_why: Option<&'static str>,
}

/// A link that works once, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedLink {
    /// Its id.
    pub id: Id,
    /// What it is for: `invitation`, `password_reset`, `email_change`, `registration` or `measurement`.
    #[schema(example = "invitation")]
    pub purpose: &'static str,
    /// The address that it was made for.
    #[schema(example = "peg@example.org")]
    pub email: Option<String>,
    /// Who made it; null if somebody asked for it who wasn't logged in.
    pub created_by: Option<Who>,
    /// How often it was tried with a wrong answer.
    #[schema(example = 0)]
    pub tries: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it works.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
}

/// A request for everything that is kept about a member.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedExport {
    /// Who asked.
    pub kind: ExportKind,
    /// The day on which the request came in.
    #[schema(example = "2026-11-20")]
    pub received_on: NaiveDate,
    /// How it came.
    #[schema(example = "By letter; she showed her library card on 20 November")]
    pub how: Option<String>,
    /// The last day on which to answer.
    #[schema(example = "2026-12-21")]
    pub due_on: NaiveDate,
    /// Whether the time was extended.
    pub extended: bool,
    /// Why it was.
    #[schema(example = "Three services hold notes on paper.")]
    pub reason: Option<String>,
    /// When it was asked for here.
    pub created_at: Timestamp,
}

/// A request to be forgotten.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedErasure {
    /// Its state, as the member reads it by itself.
    pub status: ErasureStatus,
    /// Where it comes from.
    pub origin: ErasureOrigin,
    /// The day on which the member asked.
    #[schema(example = "2026-11-23")]
    pub asked_on: NaiveDate,
    /// The day by which it must be done.
    #[schema(example = "2026-12-23")]
    pub due_on: NaiveDate,
    /// Why it is held.
    #[schema(example = "A complaint is being answered.")]
    pub reason: Option<String>,
    /// The last day on which it is held.
    #[schema(example = "2027-01-31")]
    pub hold_until: Option<NaiveDate>,
    /// When it was written down.
    pub created_at: Timestamp,
}

/// A decision to keep a record that nobody has used for years.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedRetention {
    /// The last day on which the record is kept.
    #[schema(example = "2029-01-31")]
    pub keep_until: NaiveDate,
    /// Why it is kept.
    #[schema(example = "A claim is open.")]
    pub reason: String,
    /// Who decided it.
    pub decided_by: Who,
    /// When it was decided.
    pub created_at: Timestamp,
}

/// Another record of the member that was joined with theirs.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedMerge {
    /// The id of the merge.
    pub id: Id,
    /// Who did it.
    pub done_by: Who,
    /// The e-mail address that the other record had, in lower case. You are still found by it.
    #[schema(example = "peg@example.org")]
    pub email: Option<String>,
    /// The telephone number that it had.
    #[schema(example = "+441514960123")]
    pub phone: Option<String>,
    /// The postcode that it had.
    #[schema(example = "L9 1AA")]
    pub postcode: Option<String>,
    /// When it was undone.
    pub undone_at: Option<Timestamp>,
    /// When it was done.
    pub created_at: Timestamp,
}
