//! Possible duplicates as JSON.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::rules::Likeness;
use crate::db::{Id, Timestamp};
use crate::http::patch::MergePatch;
use crate::members::store::MemberRow;
use crate::members::types::MemberSummary;

crate::described! {
    /// What speaks for it that two records are of one person.
    pub enum Sign {
        /// The family names are equal.
        FamilyName,
        /// The family names are spelt in nearly the same way, or sound the same.
        FamilyNameNear,
        /// The family names have a word in common.
        FamilyNamePart,
        /// The given names are equal. Preferred and former names count too.
        GivenName,
        /// The given names are spelt in nearly the same way, or one is a short form of the other.
        GivenNameNear,
        /// The given names have a word in common.
        GivenNamePart,
        /// The given name of one is the family name of the other, and the other way round.
        NamesSwapped,
        /// The birthdays are equal.
        Birthday,
        /// The birthdays differ in one digit, or day and month are swapped.
        BirthdayNear,
        /// The telephone numbers are equal.
        Phone,
        /// The e-mail addresses are equal.
        Email,
        /// The postcodes are equal.
        Postcode,
        /// The postcodes are in one district.
        PostcodeDistrict,
    }
}

/// A member whom a new person may be.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DuplicateCandidate {
    /// The member in brief.
    #[serde(flatten)]
    pub member: MemberSummary,
    /// How much speaks for one person. From 17 points on, a registration is refused until it is confirmed that this is
    /// another person.
    #[schema(example = 26)]
    pub score: i32,
    /// What speaks for one person.
    pub because: Vec<Sign>,
}

impl DuplicateCandidate {
    /// A candidate with how alike they are.
    pub fn new(row: MemberRow, likeness: Likeness) -> Self {
        Self { member: row.into(), score: likeness.score, because: likeness.because }
    }
}

crate::text_enum! {
    /// How far a pair has got.
    pub enum DuplicateStatus {
        /// Nobody has decided.
        Open,
        /// They are two people.
        NotSame,
        /// The two records were merged.
        Merged,
    }
    /// What can be decided about a pair.
    pub enum DuplicateDecision {
        /// Nothing yet.
        Open,
        /// They are two people.
        NotSame,
    }
}

/// A decision about a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PossibleDuplicateInput {
    /// The decision. To say that they are one person, merge the records.
    pub status: DuplicateDecision,
}

/// A change of a decision about a pair.
pub type PossibleDuplicatePatch = MergePatch<PossibleDuplicateInput>;

/// Two members who may be one person.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PossibleDuplicate {
    /// The id of one.
    pub a: Id,
    /// The id of the other. It is the greater of the two.
    pub b: Id,
    /// The two members in brief. A record that was merged into another, or erased, is left out.
    pub members: Vec<MemberSummary>,
    /// How much speaks for one person.
    #[schema(example = 16)]
    pub score: i32,
    /// What speaks for one person.
    pub because: Vec<Sign>,
    /// How far it has got.
    pub status: DuplicateStatus,
    /// The account that decided; null if nobody has.
    pub decided_by: Option<Id>,
    /// When it was decided; null if it wasn't.
    pub decided_at: Option<Timestamp>,
    /// Rises with each change.
    #[schema(example = 1)]
    pub version: i32,
    /// When the likeness was found.
    pub created_at: Timestamp,
    /// When the pair was last changed.
    pub updated_at: Timestamp,
}

/// Which pairs to list.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PossibleDuplicateFilter {
    /// Only pairs that have got so far. Absent: `open`.
    #[param(inline)]
    pub status: Option<DuplicateStatus>,
    /// Only pairs with so many points or more.
    #[param(minimum = 0, maximum = 100, example = 17)]
    pub min_score: Option<i32>,
    /// How many items a page has at most.
    #[param(minimum = 1, maximum = 100, default = 50, example = 50)]
    pub limit: Option<i64>,
    /// Where the page begins: the `cursor` in the path that `next` of the page before gives.
    #[param(max_length = 1200)]
    pub cursor: Option<String>,
}
