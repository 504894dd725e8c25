//! The document of an export as JSON. Each section says what it is, and lists what is kept.
//!
//! The document names nobody but the member and the service's staff: another member is only what they are to them. It has
//! the ids of what belongs to the member, and nobody else's.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use super::items::{
    ExportedAccount, ExportedBooking, ExportedConsent, ExportedContact, ExportedErasure, ExportedExport, ExportedLink,
    ExportedLogin, ExportedMerge, ExportedMessage, ExportedPrescription, ExportedRecord, ExportedRelationship,
    ExportedRetention, ExportedWalkIn,
};
use crate::calendars::links::types::CalendarLink;
use crate::db::{Id, Timestamp};
use crate::exports::types::ExportKind;
use crate::members::access_log::types::{AccessLogEntry, Who};
use crate::members::access_needs::types::AccessNeeds;
use crate::members::equality::types::EqualityAnswers;
use crate::members::safeguarding::types::{SafeguardingCategory, SafeguardingStatus};

macro_rules! sections {
    ($($(#[$doc:meta])* $name:ident: $item:ident;)+) => { $(
        $(#[$doc])*
        #[derive(Debug, Serialize, ToSchema)]
        pub struct $name {
            /// What this is, in a sentence.
            #[schema(example = "This is what you agreed to.")]
            pub about: &'static str,
            /// What is kept. Empty if there is nothing.
            pub items: Vec<$item>,
        }
    )+ };
}

sections! {
    /// Who the member is.
    RecordSection: ExportedRecord;
    /// How to reach the member.
    ContactSection: ExportedContact;
    /// What the member needs to take part.
    AccessNeedsSection: AccessNeeds;
    /// The member's answers for equality monitoring.
    EqualitySection: EqualityAnswers;
    /// What the member agreed to, and no longer does.
    ConsentsSection: ExportedConsent;
    /// Who is close to the member.
    RelationshipsSection: ExportedRelationship;
    /// The member's social prescriptions.
    PrescriptionsSection: ExportedPrescription;
    /// The member's bookings, and whether they came.
    BookingsSection: ExportedBooking;
    /// The sessions that the member came to without a booking.
    WalkInsSection: ExportedWalkIn;
    /// What the service told the member.
    MessagesSection: ExportedMessage;
    /// The member's account.
    AccountSection: ExportedAccount;
    /// The devices on which the member logged in.
    LoginsSection: ExportedLogin;
    /// The links that the member was sent.
    LinksSection: ExportedLink;
    /// The addresses of the member's calendar, without their secrets.
    CalendarLinksSection: CalendarLink;
    /// Other records of the member that were joined with this one.
    MergesSection: ExportedMerge;
    /// When the member asked for their data.
    ExportsSection: ExportedExport;
    /// When the member asked to be forgotten.
    ErasuresSection: ExportedErasure;
    /// Why the record is kept, although nobody uses it.
    RetentionSection: ExportedRetention;
    /// Notes that keep somebody safe.
    SafeguardingSection: ExportedSafeguarding;
    /// Who looked at the member's data, and what for.
    AccessLogSection: AccessLogEntry;
    /// What the document doesn't hold.
    HeldBackSection: HeldBack;
}

/// What a document is.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportAbout {
    /// What it is and which rights the member has, in sentences.
    #[schema(example = json!(["This is what we keep about you."]))]
    pub text: Vec<&'static str>,
    /// The member.
    pub member_id: Id,
    /// Who asked.
    pub kind: ExportKind,
    /// The day on which the request came in.
    #[schema(example = "2026-11-20")]
    pub received_on: NaiveDate,
    /// The instant at which all of it stood so.
    pub made_at: Timestamp,
}

/// Everything that is kept about a member.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportDocument {
    /// What the document is.
    pub about: ExportAbout,
    /// Who the member is.
    pub record: RecordSection,
    /// How to reach them.
    pub contact: ContactSection,
    /// What they need to take part.
    pub access_needs: AccessNeedsSection,
    /// Their answers for equality monitoring.
    pub equality_answers: EqualitySection,
    /// What they agreed to.
    pub consents: ConsentsSection,
    /// Who is close to them.
    pub relationships: RelationshipsSection,
    /// Their social prescriptions.
    pub prescriptions: PrescriptionsSection,
    /// Their bookings.
    pub bookings: BookingsSection,
    /// The sessions that they came to without a booking.
    pub walk_ins: WalkInsSection,
    // The section `measurements` comes here, with their table.
    /// What the service told them.
    pub messages: MessagesSection,
    /// Their account.
    pub account: AccountSection,
    /// The devices on which they logged in.
    pub logins: LoginsSection,
    /// The links that they were sent.
    pub links: LinksSection,
    /// The addresses of their calendar.
    pub calendar_links: CalendarLinksSection,
    /// Other records of theirs that were joined with this one.
    pub merges: MergesSection,
    /// When they asked for their data.
    pub exports: ExportsSection,
    /// When they asked to be forgotten.
    pub erasures: ErasuresSection,
    /// Why their record is kept, although nobody uses it.
    pub retention: RetentionSection,
    /// Notes that keep somebody safe. Null if the member asked in their own account.
    pub safeguarding: Option<SafeguardingSection>,
    /// Who looked at their data to keep somebody safe. Null if the member asked in their own account.
    pub safeguarding_log: Option<AccessLogSection>,
    /// Who looked at their data.
    pub access_log: AccessLogSection,
    /// What the document doesn't hold, and why.
    pub held_back: HeldBackSection,
}

/// Something that the document doesn't hold.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeldBack {
    /// What it is.
    #[schema(example = "Your password")]
    pub what: &'static str,
    /// Why it isn't here.
    #[schema(example = "We don't know it: we keep only a digest, from which nobody can read it.")]
    pub why: &'static str,
}

/// A note that keeps somebody safe.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedSafeguarding {
    /// Its id.
    pub id: Id,
    /// What the member is at risk of.
    pub category: SafeguardingCategory,
    /// What happened, and what was done.
    #[schema(example = "A neighbour keeps her bank card. The council was told.")]
    pub summary: String,
    /// Who wrote it.
    pub raised_by: Who,
    /// The day it was raised.
    #[schema(example = "2026-11-23")]
    pub raised_on: NaiveDate,
    /// When to look at it again.
    #[schema(example = "2026-12-07")]
    pub review_on: NaiveDate,
    /// The state.
    pub status: SafeguardingStatus,
    /// Why it is closed.
    #[schema(example = "The card was returned and stopped.")]
    pub closed_reason: Option<String>,
    /// When it was written down.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
