//! Partners as JSON.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::db::{Id, Timestamp};
use crate::http::patch::MergePatch;
use crate::http::rule::{at, is_phone, rule};

crate::text_enum! {
    /// What kind of organisation it is.
    pub enum PartnerKind {
        /// A charity.
        Charity,
        /// An orchestra.
        Orchestra,
        /// A theatre.
        Theatre,
        /// A council's libraries.
        LibraryService,
        /// A housing association.
        Housing,
        /// An advice service.
        Advice,
        /// A university or college.
        University,
        /// A council.
        LocalAuthority,
        /// An NHS trust.
        NhsTrust,
        /// A community group.
        CommunityGroup,
        /// Any other organisation.
        Other,
    }
    /// The state of a partnership.
    #[derive(Default)]
    pub enum PartnerStatus {
        /// Running. Shown to the public.
        #[default]
        Active,
        /// Interrupted. The partner's tokens are refused.
        Paused,
        /// Ended.
        Ended,
    }
}

/// Whom to ask at a partner. Shown to admins, to advisors and to the partner itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// The name.
    #[schema(min_length = 1, max_length = 200, format = "one-line", example = "Partnerships team")]
    pub name: Option<String>,
    /// The e-mail address.
    #[schema(format = "email", max_length = 254, example = "partnerships@example.org")]
    pub email: Option<String>,
    /// The telephone number.
    #[schema(min_length = 7, max_length = 40, format = "phone", example = "+441514960000")]
    #[validate(custom(function = "is_phone"))]
    pub phone: Option<String>,
}

/// A partner as it is written.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "ends_after_it_starts"))]
pub struct PartnerInput {
    /// A short name for use in addresses, unique among partners.
    #[schema(min_length = 1, max_length = 80, format = "slug", example = "the-reader")]
    pub slug: String,
    /// The name people know it by.
    #[schema(min_length = 1, max_length = 200, format = "one-line", example = "The Reader")]
    pub name: String,
    /// What kind of organisation it is.
    pub kind: PartnerKind,
    /// The number in the register of charities. It consists of digits, with `SC` in front in Scotland and `NIC` in Northern
    /// Ireland.
    #[schema(min_length = 5, max_length = 11, format = "charity-number", example = "1126806")]
    pub charity_number: Option<String>,
    /// The website.
    #[schema(format = "uri", max_length = 500, example = "https://partner.example.org")]
    pub website: Option<String>,
    /// What the partner does, for the public.
    #[schema(min_length = 1, max_length = 4000, example = "Shared reading aloud in small groups.")]
    pub description: Option<String>,
    /// Whom to ask. Shown to admins, to advisors and to the partner itself.
    #[validate(nested)]
    pub contact: Option<Contact>,
    /// The first day of the partnership.
    #[schema(example = "2021-10-01")]
    pub partnership_start: Option<NaiveDate>,
    /// The last day of the partnership.
    #[schema(example = "2027-09-30")]
    pub partnership_end: Option<NaiveDate>,
    /// The state of the partnership. Absent: `active`.
    #[serde(default)]
    pub status: PartnerStatus,
}

/// A change of a partner.
pub type PartnerPatch = MergePatch<PartnerInput>;

fn ends_after_it_starts(partner: &PartnerInput) -> Result<(), ValidationError> {
    if matches!((partner.partnership_start, partner.partnership_end), (Some(start), Some(end)) if end < start) {
        return Err(at(rule("ends_first", "Must not be before partnership_start."), "/partnership_end"));
    }
    Ok(())
}

/// A partner.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Partner {
    /// Its id.
    pub id: Id,
    /// What was last written.
    #[serde(flatten)]
    pub written: PartnerInput,
    /// Rises with each change.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
