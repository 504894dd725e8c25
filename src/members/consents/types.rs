//! Consents as JSON.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
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

/// A consent as it is recorded.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "partner_where_it_belongs"))]
pub struct ConsentInput {
    /// What it is for.
    pub purpose: ConsentPurpose,
    /// The partner. Required with `share_with_partner`, and allowed only there.
    pub partner_id: Option<Id>,
    /// What was decided.
    pub decision: ConsentDecision,
    /// How the decision is known: by a form, a call or a conversation, and on which day.
    #[schema(min_length = 1, max_length = 500, example = "Signed form of 20 November 2026")]
    pub evidence: String,
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

/// A consent.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Consent {
    /// Its id.
    pub id: Id,
    /// What was written.
    #[serde(flatten)]
    pub written: ConsentInput,
    /// The account that recorded it.
    pub recorded_by: Id,
    /// When it was recorded. The consent recorded last decides.
    pub recorded_at: Timestamp,
    /// The same instant as `recorded_at`.
    pub created_at: Timestamp,
    /// The same instant as `recorded_at`: a consent never changes.
    pub updated_at: Timestamp,
}
