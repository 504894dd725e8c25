//! Accounts as JSON.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError, ValidationErrors};

pub use crate::auth::caller::Permission;
use crate::auth::caller::Role;
use crate::db::{Id, Timestamp};
use crate::error::Error;
use crate::http::patch::MergePatch;
use crate::http::rule::{at, rule};

crate::described! {
    /// The roles of accounts that admins create. Members' accounts are not made here.
    pub enum AccountRole {
        /// Runs the service: venues, partners, accounts and reports. Never sees a person's record.
        Admin,
        /// A pathways advisor, who works with members.
        Advisor,
        /// Reads reports, and never sees a person's record.
        Analyst,
        /// Works for one partner, and sees that partner's own data.
        Partner,
    }
}

/// An account as it is written.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "partner_with_its_role"))]
pub struct UserInput {
    /// The e-mail address to log in with. It is kept in lower case and unique among accounts.
    #[schema(format = "email", max_length = 254, example = "advisor@example.org")]
    pub email: String,
    /// The name that members see in their access log, such as a first name with an initial, or `Duty advisor`. A new
    /// account of an advisor needs one.
    #[schema(min_length = 1, max_length = 60, format = "one-line", example = "Dana P.")]
    pub display_name: Option<String>,
    /// The role. Members' accounts are not made here.
    #[schema(value_type = AccountRole)]
    pub role: Role,
    /// The partner. Required with the role `partner`, and allowed only there.
    pub partner_id: Option<Id>,
    /// Whether the account is barred from logging in. Its tokens end at once.
    #[serde(default)]
    #[schema(example = false)]
    pub disabled: bool,
    /// What the account may do besides what its role allows.
    #[serde(default)]
    #[schema(max_items = 2, value_type = std::collections::HashSet<Permission>, example = json!(["safeguarding"]))]
    pub permissions: Vec<Permission>,
}

/// An account that is made.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// The account.
    #[serde(flatten)]
    pub account: UserInput,
    /// The password. No answer shows it. It must not be easily guessed. Leave it out: then the account's owner is sent a
    /// link and chooses a password that nobody else knows.
    #[schema(
        deprecated,
        format = "password",
        write_only,
        min_length = 15,
        max_length = 128,
        example = "paper boat under the lamp"
    )]
    pub password: Option<String>,
}

impl Validate for NewUser {
    fn validate(&self) -> Result<(), ValidationErrors> {
        self.account.validate()
    }
}

/// A change of an account.
pub type UserPatch = MergePatch<UserInput>;

fn partner_with_its_role(user: &UserInput) -> Result<(), ValidationError> {
    match (user.role == Role::Partner, user.partner_id.is_some()) {
        (true, false) => Err(at(rule("required", "Is required with the role partner."), "/partner_id")),
        (false, true) => Err(at(rule("not_allowed", "Is only for the role partner."), "/partner_id")),
        _ => Ok(()),
    }
}

/// Checks that an advisor's account has a display name. An older one without a name stays as it is, until it gets one.
///
/// # Errors
/// 422.
pub fn check_display_name(before: Option<&UserInput>, written: &UserInput) -> crate::error::Result<()> {
    let was_nameless = |old: &UserInput| old.role == Role::Advisor && old.display_name.is_none();
    if written.role != Role::Advisor || written.display_name.is_some() || before.is_some_and(was_nameless) {
        return Ok(());
    }
    let detail = "Is required with the role advisor: members see it in their access log.";
    Err(Error::rule("/display_name", "required", detail))
}

/// An account.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct User {
    /// Its id.
    pub id: Id,
    /// The e-mail address to log in with.
    #[schema(example = "advisor@example.org")]
    pub email: String,
    /// The name that members see in their access log.
    #[schema(example = "Dana P.")]
    pub display_name: Option<String>,
    /// The role.
    pub role: Role,
    /// The partner, if the role is `partner`.
    pub partner_id: Option<Id>,
    /// Whether the account is barred from logging in.
    #[schema(example = false)]
    pub disabled: bool,
    /// What the account may do besides what its role allows.
    pub permissions: Vec<Permission>,
    /// Rises with each change; the `ETag`.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
