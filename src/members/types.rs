//! Members as JSON.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::{Validate, ValidationError};

use super::rules;
use crate::db::{Id, Timestamp};
use crate::http::patch::MergePatch;
use crate::http::rule::{fits, is_phone, is_postcode, rule};
use crate::text::fold;
use crate::text::nhs_number::{self, Wrong};

crate::described! {
    /// How somebody is connected with the service.
    pub enum MemberRole {
        /// Uses the service.
        ServiceUser,
        /// Cares for somebody who uses the service.
        Carer,
        /// Is family of somebody who uses the service.
        Family,
        /// Comes along as one of the public.
        Public,
    }
}

/// The ways in which somebody wants to be contacted. Once they have given or taken back a consent `contact_email`,
/// `contact_sms` or `contact_post`, that consent decides: `email`, `sms` or `post` is true as long as it is given. Whoever
/// takes one of them away here also takes that consent back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct ContactPreferences {
    /// By e-mail.
    pub email: bool,
    /// By text message.
    pub sms: bool,
    /// By a call.
    pub phone: bool,
    /// By letter.
    pub post: bool,
}

/// What is safe for this person, when somebody at home must not learn of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct SafeContact {
    /// To leave a message on the voicemail.
    #[schema(default = true)]
    pub voicemail: bool,
    /// To send letters.
    #[schema(default = true)]
    pub letters: bool,
    /// To say who is calling.
    #[schema(default = true)]
    pub say_who: bool,
}

impl Default for SafeContact {
    fn default() -> Self {
        Self { voicemail: true, letters: true, say_who: true }
    }
}

crate::text_enum! {
    /// How much a message to a member tells.
    #[derive(Default)]
    pub enum MessageDetails {
        /// The day and the place only, so that nobody who reads along learns more.
        #[default]
        Neutral,
        /// The title of the session too, and why it was cancelled.
        Full,
    }
}

/// A name that somebody once had, or another whole name of theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(min_length = 1, max_length = 200, format = "name", example = "Margaret Wyn")]
pub struct FormerName(pub String);

/// Whom to call when something happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct EmergencyContact {
    /// Their name.
    #[schema(min_length = 1, max_length = 200, format = "name", example = "Sam Reid")]
    pub name: String,
    /// Their telephone number.
    #[schema(min_length = 7, max_length = 40, format = "phone", example = "07700 900456")]
    #[validate(custom(function = "is_phone"))]
    pub phone: String,
    /// What they are to the member.
    #[schema(min_length = 1, max_length = 100, format = "one-line", example = "brother")]
    pub relationship: Option<String>,
}

/// A member as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct MemberInput {
    /// What they like to be called.
    #[schema(min_length = 1, max_length = 100, format = "name", example = "Peg")]
    pub preferred_name: Option<String>,
    /// The given name, or the only name of somebody who has one name.
    #[schema(min_length = 1, max_length = 100, format = "name", example = "Margaret")]
    pub given_name: String,
    /// The family name; absent for somebody with one name.
    #[schema(min_length = 1, max_length = 100, format = "name", example = "Reid")]
    pub family_name: Option<String>,
    /// Names they had before, such as before a marriage. They are found by them. Each once. Only advisors write them.
    #[serde(default)]
    #[schema(max_items = 5, value_type = std::collections::HashSet<FormerName>, example = json!(["Margaret Wyn"]))]
    pub former_names: Vec<FormerName>,
    /// Their pronouns.
    #[schema(min_length = 1, max_length = 40, format = "one-line", example = "she/her")]
    pub pronouns: Option<String>,
    /// The day they were born: not before 1900, not in the future.
    #[schema(example = "1961-04-02")]
    pub date_of_birth: Option<NaiveDate>,
    /// An e-mail address. Several members may share one.
    #[schema(max_length = 254, format = "email", example = "peg@example.org")]
    pub email: Option<String>,
    /// A telephone number; it is kept in international form.
    #[schema(min_length = 7, max_length = 40, format = "phone", example = "0151 496 0123")]
    #[validate(custom(function = "is_phone"))]
    pub phone: Option<String>,
    /// The first line of the address.
    #[schema(min_length = 1, max_length = 100, format = "one-line", example = "12 Rice Lane")]
    pub line_1: Option<String>,
    /// The second line of the address.
    #[schema(min_length = 1, max_length = 100, format = "one-line", example = "Walton")]
    pub line_2: Option<String>,
    /// The town.
    #[schema(min_length = 1, max_length = 100, format = "one-line", example = "Liverpool")]
    pub town: Option<String>,
    /// A UK postcode. Spaces and case are put right.
    #[schema(min_length = 5, max_length = 20, format = "uk-postcode", example = "L9 1AA")]
    #[validate(custom(function = "is_postcode"))]
    pub postcode: Option<String>,
    /// The local authority they live in, by any name that people use for it. The official name is kept, and its code is
    /// filled in. If it isn't given, it is filled in from the postcode, where the service knows the postcode.
    #[schema(min_length = 1, max_length = 80, format = "local-authority", example = "Liverpool")]
    pub local_authority: Option<String>,
    /// The NHS number: ten digits with a check digit. Only advisors write it, and no two members share one.
    #[schema(min_length = 10, max_length = 30, format = "nhs-number", example = "943 476 5919")]
    #[validate(custom(function = "good_nhs_number"))]
    pub nhs_number: Option<String>,
    /// The ODS code of the GP practice. Only advisors write it.
    #[schema(min_length = 6, max_length = 6, format = "gp-practice-code", example = "N82001")]
    #[validate(custom(function = "good_practice"))]
    pub gp_practice_code: Option<String>,
    /// How they are connected with the service. Each role once. Only advisors write it.
    #[schema(min_items = 1, max_items = 4, value_type = std::collections::HashSet<MemberRole>, example = json!(["service_user"]))]
    pub roles: Vec<MemberRole>,
    /// How they may be contacted. Absent: they may not be contacted.
    #[serde(default)]
    #[validate(nested)]
    pub contact_preferences: ContactPreferences,
    /// What is safe for this person. Absent: all of it.
    #[serde(default)]
    #[validate(nested)]
    pub safe_contact: SafeContact,
    /// How much messages to them tell. Absent: `neutral`.
    #[serde(default)]
    pub message_details: MessageDetails,
    /// Whether they are reminded of their bookings by e-mail on the day before.
    #[serde(default = "yes")]
    #[schema(default = true, example = true)]
    pub reminders: bool,
    /// Whom to call when something happens.
    #[validate(nested)]
    pub emergency_contact: Option<EmergencyContact>,
}

fn yes() -> bool {
    true
}

/// A change of a member.
pub type MemberPatch = MergePatch<MemberInput>;

/// The fields that a member can't change in their own record.
pub const ADVISORS_WRITE: [&str; 4] = ["roles", "nhs_number", "gp_practice_code", "former_names"];

fn good_nhs_number(text: &str) -> Result<(), ValidationError> {
    let malformed = "Must be ten digits whose last is the right check digit, such as 943 476 5919.";
    let not_issued = "No NHS number has ten equal digits. If it isn't known, leave it out.";
    match nhs_number::read(text) {
        Ok(_) => Ok(()),
        Err(Wrong::Malformed) => Err(rule("wrong_nhs_number", malformed)),
        Err(Wrong::NotIssued) => Err(rule("not_issued", not_issued)),
    }
}

fn good_practice(text: &str) -> Result<(), ValidationError> {
    let good = rules::gp_practice_code(text).is_some();
    fits(good, "wrong_gp_practice_code", "Must be the ODS code of a practice, a letter and five digits: N82001.")
}

/// A member.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Member {
    /// Their id.
    pub id: Id,
    /// What was last written.
    #[serde(flatten)]
    pub written: MemberInput,
    /// The GSS code of the local authority.
    #[schema(example = "E08000012")]
    pub local_authority_code: Option<String>,
    /// Whether the postcode is in another local authority than the one that was given. One of the two may be wrong.
    #[schema(example = false)]
    pub local_authority_mismatch: bool,
    /// Whether they have said that they need something to take part: see their access needs.
    #[schema(example = true)]
    pub has_access_needs: bool,
    /// Whether it is time to ask again what they need.
    #[schema(example = false)]
    pub access_needs_review_due: bool,
    /// Rises with each change.
    #[schema(example = 1)]
    pub version: i32,
    /// When they were registered.
    pub created_at: Timestamp,
    /// When the record was last changed.
    pub updated_at: Timestamp,
}

/// A member in brief: enough to tell who they are.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MemberSummary {
    /// Their id.
    pub id: Id,
    /// The name to show.
    #[schema(example = "Peg Reid")]
    pub display_name: String,
    /// The given name.
    #[schema(example = "Margaret")]
    pub given_name: String,
    /// The family name; null for somebody with one name.
    #[schema(example = "Reid")]
    pub family_name: Option<String>,
    /// The day they were born.
    #[schema(example = "1961-04-02")]
    pub date_of_birth: Option<NaiveDate>,
    /// Their postcode.
    #[schema(example = "L9 1AA")]
    pub postcode: Option<String>,
    /// The last digits of their telephone number.
    #[schema(example = "…123")]
    pub phone_ends: Option<String>,
    /// The first letter and the domain of their e-mail address.
    #[schema(example = "p…@example.org")]
    pub email_hint: Option<String>,
}

/// The fields of a member that a [`MemberSummary`] tells something about, for the audit.
pub const SUMMARY_FIELDS: [&str; 6] = ["given_name", "family_name", "date_of_birth", "postcode", "phone", "email"];

/// A member by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MemberName {
    /// Their id.
    pub id: Id,
    /// The name they go by, and their family name.
    #[schema(example = "Sam Riley")]
    pub display_name: String,
}

/// How to treat a person who may be registered already.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct RegistrationQuery {
    /// Confirms that this person is none of the candidates of an earlier answer.
    #[serde(default)]
    #[param(default = false)]
    pub confirm_not_duplicate: bool,
}

/// What to do with a new person who is similar to members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Similar {
    /// Refuse to register them, because they may be registered already.
    Refuse,
    /// Register them, because somebody has confirmed that they aren't one of these members.
    Confirmed,
    /// Register them, and let an advisor look at it later, because nobody could be asked.
    Review,
}

impl RegistrationQuery {
    /// What the request says about similar members.
    pub fn similar(&self) -> Similar {
        if self.confirm_not_duplicate { Similar::Confirmed } else { Similar::Refuse }
    }
}

/// Whom to look for. Everything that is given must match, and at least one thing must be given.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(min_properties = 1)]
pub struct MemberSearch {
    /// Beginnings of words of the given, family, preferred or former names, in any order. The words may be run together:
    /// `alhassan` finds Al-Hassan, and `al hassan` finds Alhassan. Case, accents and apostrophes don't matter.
    #[schema(min_length = 1, max_length = 100, format = "one-line", example = "mar reid")]
    #[validate(custom(function = "has_letters"))]
    pub name: Option<String>,
    /// The day they were born.
    #[schema(example = "1961-04-02")]
    pub date_of_birth: Option<NaiveDate>,
    /// The NHS number.
    #[schema(min_length = 10, max_length = 30, format = "nhs-number", example = "943 476 5919")]
    #[validate(custom(function = "good_nhs_number"))]
    pub nhs_number: Option<String>,
    /// The postcode.
    #[schema(min_length = 5, max_length = 20, format = "uk-postcode", example = "L9 1AA")]
    #[validate(custom(function = "is_postcode"))]
    pub postcode: Option<String>,
    /// The telephone number.
    #[schema(min_length = 7, max_length = 40, format = "phone", example = "0151 496 0123")]
    #[validate(custom(function = "is_phone"))]
    pub phone: Option<String>,
    /// The whole e-mail address. Upper and lower case don't matter.
    #[schema(max_length = 254, format = "email", example = "peg@example.org")]
    pub email: Option<String>,
    /// How many members to return at most.
    #[schema(minimum = 1, maximum = 20, default = 20, example = 20)]
    pub limit: Option<i64>,
}

fn has_letters(name: &str) -> Result<(), ValidationError> {
    fits(!fold::name_key(name).is_empty(), "blank", "Must hold at least one letter or digit.")
}

impl MemberSearch {
    /// Whether anything to look for is given.
    pub fn names_something(&self) -> bool {
        self.name.is_some()
            || self.date_of_birth.is_some()
            || self.nhs_number.is_some()
            || self.postcode.is_some()
            || self.phone.is_some()
            || self.email.is_some()
    }
}

/// The members found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MemberSearchResult {
    /// The members who match, by name, at most `limit` of them.
    pub items: Vec<MemberSummary>,
    /// Whether more members match than are shown. Then search again with more details.
    #[schema(example = false)]
    pub more: bool,
}
