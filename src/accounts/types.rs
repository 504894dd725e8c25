//! The JSON of accounts' links.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::auth::links::store::LinkRow;
use crate::db::{Id, Timestamp};
use crate::http::patch::MergePatch;
use crate::http::rule::{at, is_phone, is_postcode, rule};
use crate::members::consents::types::{ConsentDecision, ConsentPurpose};

/// That a request was taken. It says nothing about whether the address is known.
#[derive(Debug, Serialize, ToSchema)]
pub struct Accepted {
    /// What to do now.
    #[schema(example = "If this address has an account, we have sent it a link. Look into your mailbox.")]
    pub message: &'static str,
}

/// An address whose password was forgotten.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PasswordResetRequest {
    /// The account's e-mail address.
    #[schema(format = "email", max_length = 254, example = "peg@example.org")]
    pub email: String,
}

/// A new password, with the secret of the link that was sent.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PasswordResetConfirmation {
    /// The secret in the link.
    #[schema(max_length = 200, example = "lrl_AZnS8Ho8e72h9T0sWg6bQXh1Z2JPSXF4R3Nkak5tS2VMd1ByVHVWeVpiY1E")]
    pub token: String,
    /// The new password.
    #[schema(format = "password", max_length = 128, example = "paper boat under the lamp")]
    pub new_password: String,
}

crate::described! {
    /// How a link reaches the person.
    pub enum LinkDelivery {
        /// By e-mail.
        Email,
        /// It is shown once, in the answer, to be given on paper.
        Show,
    }
}

/// An invitation to an account.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct InvitationInput {
    /// The address that the account logs in with. Absent: the one of the member's record.
    #[schema(format = "email", max_length = 254, example = "peg@example.org")]
    pub email: Option<String>,
    /// How the link reaches the member.
    pub deliver: LinkDelivery,
}

/// An invitation.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Invitation {
    /// Its id.
    pub id: Id,
    /// The address that the account will log in with.
    #[schema(example = "peg@example.org")]
    pub email: Option<String>,
    /// Until when the link works.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// The link, with `deliver: show`. It is shown only once, in the answer that makes it; null otherwise.
    #[schema(
        example = "https://rooms.example.org/account/invitation#token=lrl_AZnS8Ho8e72h9T0sWg6bQXh1Z2JPSXF4R3NkakkQ"
    )]
    pub link: Option<String>,
}

impl From<LinkRow> for Invitation {
    fn from(row: LinkRow) -> Self {
        let LinkRow { id, email, expires_at, used_at, revoked_at, created_at, .. } = row;
        Self { id, email, expires_at, used_at, revoked_at, created_at, link: None }
    }
}

/// How an admin lets the owner of an account choose another password.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ResetLinkInput {
    /// How the link reaches the owner. A link for an advisor is always mailed.
    pub deliver: LinkDelivery,
}

/// A link to choose a password.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ResetLink {
    /// Its id.
    pub id: Id,
    /// Until when it works.
    pub expires_at: Timestamp,
    /// The link, with `deliver: show`. It is shown only once, in the answer that makes it; null otherwise.
    #[schema(example = "https://rooms.example.org/account/reset#token=lrl_AZnS8Ho8e72h9T0sWg6bQXh1Z2JPSXF4R3NkakkQ")]
    pub link: Option<String>,
}

/// A password, with the secret of an invitation.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct InvitationConfirmation {
    /// The secret in the link.
    #[schema(max_length = 200, example = "lrl_AZnS8Ho8e72h9T0sWg6bQXh1Z2JPSXF4R3Nkak5tS2VMd1ByVHVWeVpiY1E")]
    pub token: String,
    /// The password to log in with from now on.
    #[schema(format = "password", max_length = 128, example = "paper boat under the lamp")]
    pub password: String,
    /// The member's date of birth. Asked for if the record has one, so that a link that went to a wrong address opens no
    /// record. After the third wrong one the link no longer works.
    #[schema(example = "1961-04-02")]
    pub date_of_birth: Option<NaiveDate>,
}

/// What somebody allows, or no longer does.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct OwnConsent {
    /// What it is for. `share_with_partner` is given later, since it names its partner.
    pub purpose: ConsentPurpose,
    /// What was decided.
    pub decision: ConsentDecision,
}

/// A person who registers.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "names_no_partner"))]
pub struct SelfRegistration {
    /// The address to log in with, and to write to.
    #[schema(format = "email", max_length = 254, example = "peg@example.org")]
    pub email: String,
    /// The given name, or the only name of somebody who has one name.
    #[schema(min_length = 1, max_length = 100, format = "name", example = "Margaret")]
    pub given_name: String,
    /// The family name; absent for somebody with one name.
    #[schema(min_length = 1, max_length = 100, format = "name", example = "Reid")]
    pub family_name: Option<String>,
    /// What they like to be called.
    #[schema(min_length = 1, max_length = 100, format = "name", example = "Peg")]
    pub preferred_name: Option<String>,
    /// The day they were born: not before 1900, not in the future, and at least 13 years ago.
    #[schema(example = "1961-04-02")]
    pub date_of_birth: Option<NaiveDate>,
    /// A UK postcode. Spaces and case are put right.
    #[schema(min_length = 5, max_length = 20, format = "uk-postcode", example = "L9 1AA")]
    #[validate(custom(function = "is_postcode"))]
    pub postcode: Option<String>,
    /// A telephone number; it is kept in international form.
    #[schema(min_length = 7, max_length = 40, format = "phone", example = "0151 496 0123")]
    #[validate(custom(function = "is_phone"))]
    pub phone: Option<String>,
    /// Their pronouns.
    #[schema(min_length = 1, max_length = 40, format = "one-line", example = "she/her")]
    pub pronouns: Option<String>,
    /// What they allow.
    #[serde(default)]
    #[schema(max_items = 20)]
    #[validate(nested)]
    pub consents: Vec<OwnConsent>,
}

fn names_no_partner(form: &SelfRegistration) -> Result<(), ValidationError> {
    match form.consents.iter().position(|one| one.purpose == ConsentPurpose::ShareWithPartner) {
        Some(place) => {
            let error = rule("not_allowed", "share_with_partner is given later, since it names its partner.");
            Err(at(error, &format!("/consents/{place}/purpose")))
        }
        None => Ok(()),
    }
}

/// A password, with the secret of a link.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct LinkConfirmation {
    /// The secret in the link.
    #[schema(max_length = 200, example = "lrl_AZnS8Ho8e72h9T0sWg6bQXh1Z2JPSXF4R3Nkak5tS2VMd1ByVHVWeVpiY1E")]
    pub token: String,
    /// The password: a new one for a registration, the account's own to confirm an address.
    #[schema(format = "password", max_length = 128, example = "paper boat under the lamp")]
    pub password: String,
}

/// Another address for one's account.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct EmailChangeRequest {
    /// The new address.
    #[schema(format = "email", max_length = 254, example = "peg.reid@example.org")]
    pub new_email: String,
    /// The account's password.
    #[schema(format = "password", max_length = 128, example = "paper boat under the lamp")]
    pub current_password: String,
}

/// What can be changed of a member's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct MemberAccountInput {
    /// Whether the account can't be used.
    #[schema(example = false)]
    pub disabled: bool,
}

/// A change of a member's account.
pub type MemberAccountPatch = MergePatch<MemberAccountInput>;

/// A member's account.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MemberAccount {
    /// The address that it logs in with.
    #[schema(example = "peg@example.org")]
    pub email: String,
    /// Whether it can't be used.
    #[schema(example = false)]
    pub disabled: bool,
    /// The day of the last login, in London.
    #[schema(example = "2026-11-30")]
    pub last_login_on: Option<NaiveDate>,
    /// Rises with each change; the `ETag`.
    #[schema(example = 1)]
    pub version: i32,
}
