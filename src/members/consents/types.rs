//! Consents as JSON.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::{Validate, ValidationError};

use crate::db::{Id, Timestamp};
use crate::http::rule::{at, rule};

crate::text_enum! {
    /// What a consent is for.
    pub enum ConsentPurpose {
        /// Keeping a record and giving support.
        ServiceDelivery,
        /// Telling one partner who comes.
        ShareWithPartner,
        /// Telling the GP practice.
        ShareWithGp,
        /// Writing e-mails.
        ContactEmail,
        /// Sending text messages.
        ContactSms,
        /// Writing letters.
        ContactPost,
        /// Taking part in research.
        Research,
    }
    /// What was decided.
    pub enum ConsentDecision {
        /// Allowed.
        Given,
        /// No longer allowed, from the moment it is recorded.
        Withdrawn,
    }
}

/// The evidence of what members record themselves.
pub const BY_THE_MEMBER: &str = "by the member";

/// A consent as it is recorded.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "partner_where_it_belongs"))]
pub struct ConsentInput {
    /// What it is for.
    pub purpose: ConsentPurpose,
    /// The partner. Required with `share_with_partner`, and allowed only there.
    pub partner_id: Option<Id>,
    /// What was decided.
    pub decision: ConsentDecision,
    /// How the decision is known: by a form, a call or a conversation, and on which day. An advisor must give it. What a
    /// member records has the evidence `by the member`, whatever is sent.
    #[schema(min_length = 1, max_length = 500, example = "Signed form of 20 November 2026")]
    pub evidence: Option<String>,
    /// The account of the advisor or admin whom the member told. For advisors only.
    pub told_by: Option<Id>,
    /// The version of the form or page whose words the member was shown.
    #[schema(min_length = 1, max_length = 100, format = "one-line", example = "sharing-2026-11")]
    pub form_version: Option<String>,
}

impl ConsentInput {
    /// What a member decides for themselves.
    pub fn by_member(purpose: ConsentPurpose, decision: ConsentDecision) -> Self {
        Self { purpose, partner_id: None, decision, evidence: None, told_by: None, form_version: None }
    }
}

fn partner_where_it_belongs(consent: &ConsentInput) -> Result<(), ValidationError> {
    let wanted = consent.purpose == ConsentPurpose::ShareWithPartner;
    let error = match (wanted, consent.partner_id.is_some()) {
        (true, false) => rule("required", "share_with_partner names its partner."),
        (false, true) => rule("not_allowed", "Only share_with_partner names a partner."),
        _ => return Ok(()),
    };
    Err(at(error, "/partner_id"))
}

/// Which consents to list.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ConsentFilter {
    /// Only the consents that count now: the last one for each purpose and partner. `false` lists all of them.
    #[serde(default)]
    #[param(default = false)]
    pub current: bool,
    /// How many items a page has at most.
    #[param(minimum = 1, maximum = 100, default = 50, example = 50)]
    pub limit: Option<i64>,
    /// Where the page begins: the `cursor` in the path that `next` of the page before gives.
    #[param(max_length = 1200)]
    pub cursor: Option<String>,
}

/// A consent.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Consent {
    /// Its id.
    pub id: Id,
    /// What it is for.
    pub purpose: ConsentPurpose,
    /// The partner, with `share_with_partner`.
    pub partner_id: Option<Id>,
    /// What was decided.
    pub decision: ConsentDecision,
    /// How the decision is known. `by the member` where the member recorded it.
    #[schema(example = "Signed form of 20 November 2026")]
    pub evidence: String,
    /// The account of the advisor or admin whom the member told. Null for the member.
    pub told_by: Option<Id>,
    /// The display name of that account.
    #[schema(example = "Dana P.")]
    pub told_by_name: Option<String>,
    /// The version of the form or page whose words the member was shown.
    #[schema(example = "sharing-2026-11")]
    pub form_version: Option<String>,
    /// The account that recorded it. A member sees it only if it is their own.
    pub recorded_by: Option<Id>,
    /// The display name of that account; null for a member's.
    #[schema(example = "Dana P.")]
    pub recorded_by_name: Option<String>,
    /// When it was recorded. The consent recorded last decides.
    pub recorded_at: Timestamp,
    /// The same instant as `recorded_at`.
    pub created_at: Timestamp,
    /// The same instant as `recorded_at`: a consent never changes.
    pub updated_at: Timestamp,
}

/// A booking that a withdrawal leaves as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BookingLeft {
    /// The booking.
    pub booking_id: Id,
    /// What the member shows at the door. Unique within the session.
    #[schema(example = "7KX4P")]
    pub reference: String,
    /// Its session.
    pub session_id: Id,
    /// The session's title.
    #[schema(example = "Shared Reading at Walton")]
    pub title: String,
    /// When the session starts.
    pub starts_at: Timestamp,
}

/// A consent that was just recorded, and what a withdrawal leaves as it is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RecordedConsent {
    /// The consent.
    #[serde(flatten)]
    pub consent: Consent,
    /// What a withdrawal of `service_delivery` or `share_with_partner` leaves as it is. Null with every other consent.
    #[schema(example = "The partner keeps what it has seen. In these sessions it sees references only.")]
    pub notice: Option<String>,
    /// After `service_delivery` was withdrawn: the member's bookings in sessions that haven't ended. After
    /// `share_with_partner` was withdrawn: those of them in the partner's sessions; the partner sees only their
    /// references. At most 500, the next session first.
    pub bookings: Vec<BookingLeft>,
    /// After `service_delivery` was withdrawn: the member's prescriptions that are drafts or active. At most 500.
    pub prescriptions: Vec<Id>,
}
