//! Relationships as JSON.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::db::{Id, Timestamp};
use crate::http::patch::MergePatch;
use crate::http::rule::{at, rule};

crate::text_enum! {
    /// What `from_member` is to `to_member`.
    pub enum RelationshipKind {
        /// Cares for them.
        CarerOf,
        /// Is their child.
        ChildOf,
        /// Is their partner.
        PartnerOf,
        /// Is of their family.
        FamilyOf,
    }
    /// By what right somebody acts for a member.
    #[derive(Default)]
    pub enum RelationshipAuthority {
        /// The member agreed.
        MemberAgreed,
        /// They are the member's parent or guardian.
        ParentalResponsibility,
        /// They hold a lasting power of attorney.
        LastingPowerOfAttorney,
        /// None: they don't act for the member.
        #[default]
        None,
    }
    /// The state of a relationship.
    #[derive(Default)]
    pub enum RelationshipStatus {
        /// Waits for the member to accept it, and has no effect yet.
        #[default]
        Proposed,
        /// Is in effect from `starts_on` to `ends_on`.
        Active,
        /// Is over.
        Ended,
    }
}

/// A relationship as it is written down.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "good_beginning"))]
pub struct RelationshipInput {
    /// The carer, child, partner or relative. One of the two is the member in the path.
    pub from_member: Id,
    /// The member whom they are related to.
    pub to_member: Id,
    /// What `from_member` is to `to_member`.
    pub kind: RelationshipKind,
    /// Whether `from_member` may book for `to_member`. Needs an `authority`.
    #[serde(default)]
    pub may_book: bool,
    /// By what right `from_member` acts for `to_member`. Absent: `none`.
    #[serde(default)]
    pub authority: RelationshipAuthority,
    /// How the relationship is known. Required if it is active at once.
    #[schema(min_length = 1, max_length = 500, example = "Both said so at the Walton centre on 20 November 2026")]
    pub evidence: Option<String>,
    /// `proposed` or `active`. Absent: `proposed`.
    #[serde(default)]
    pub status: RelationshipStatus,
    /// From when on it counts. Absent: today.
    #[schema(example = "2026-11-23")]
    pub starts_on: Option<NaiveDate>,
    /// The last day on which it counts. Absent: it doesn't end by itself.
    #[schema(example = "2027-11-23")]
    pub ends_on: Option<NaiveDate>,
}

fn good_beginning(written: &RelationshipInput) -> Result<(), ValidationError> {
    let fault = if written.from_member == written.to_member {
        at(rule("same_member", "Must be another member than from_member."), "/to_member")
    } else if written.status == RelationshipStatus::Ended {
        at(rule("not_allowed", "Must be proposed or active."), "/status")
    } else if written.status == RelationshipStatus::Active && written.evidence.is_none() {
        at(rule("required", "Say how it is known that it is active."), "/evidence")
    } else {
        return with_authority(written.may_book, written.authority);
    };
    Err(fault)
}

/// Nobody books for a member without a right to do so.
fn with_authority(may_book: bool, authority: RelationshipAuthority) -> Result<(), ValidationError> {
    if may_book && authority == RelationshipAuthority::None {
        return Err(at(rule("required", "Say by what right they book."), "/authority"));
    }
    Ok(())
}

/// What can be changed of a relationship.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "keeps_its_authority"))]
pub struct RelationshipChange {
    /// Whether `from_member` may book for `to_member`. Only advisors write it.
    pub may_book: bool,
    /// By what right `from_member` acts for `to_member`. Only advisors write it.
    pub authority: RelationshipAuthority,
    /// How the relationship is known. Only advisors write it.
    #[schema(min_length = 1, max_length = 500, example = "Both said so at the Walton centre on 20 November 2026")]
    pub evidence: Option<String>,
    /// `active` accepts a proposed one, `ended` ends it.
    pub status: RelationshipStatus,
    /// From when on it counts. Only advisors write it.
    #[schema(example = "2026-11-23")]
    pub starts_on: NaiveDate,
    /// The last day on which it counts. Only advisors write it.
    #[schema(example = "2027-11-23")]
    pub ends_on: Option<NaiveDate>,
}

fn keeps_its_authority(written: &RelationshipChange) -> Result<(), ValidationError> {
    with_authority(written.may_book, written.authority)
}

/// A change of a relationship.
pub type RelationshipPatch = MergePatch<RelationshipChange>;

/// A relationship between two members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Relationship {
    /// Its id.
    pub id: Id,
    /// The carer, child, partner or relative.
    pub from_member: Id,
    /// Their name.
    #[schema(example = "Sam Riley")]
    pub from_name: String,
    /// The member whom they are related to.
    pub to_member: Id,
    /// That member's name.
    #[schema(example = "Peg Reid")]
    pub to_name: String,
    /// What `from_member` is to `to_member`.
    pub kind: RelationshipKind,
    /// Whether `from_member` may book for `to_member`.
    pub may_book: bool,
    /// By what right `from_member` acts for `to_member`.
    pub authority: RelationshipAuthority,
    /// How the relationship is known. Null for `from_member`.
    #[schema(example = "Both said so at the Walton centre on 20 November 2026")]
    pub evidence: Option<String>,
    /// The state today.
    pub status: RelationshipStatus,
    /// From when on it counts.
    #[schema(example = "2026-11-23")]
    pub starts_on: NaiveDate,
    /// The last day on which it counts.
    #[schema(example = "2027-11-23")]
    pub ends_on: Option<NaiveDate>,
    /// The account that wrote it down. Null for a member.
    pub created_by: Option<Id>,
    /// The display name of that account.
    #[schema(example = "Dana P.")]
    pub created_by_name: Option<String>,
    /// Rises with each change.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was written down.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
