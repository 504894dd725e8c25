//! Answers for equality monitoring as JSON.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::rules;
use crate::db::{Id, Timestamp};
use crate::http::patch::MergePatch;
use crate::http::rule::{at, rule};

crate::text_enum! {
    /// The ethnic groups of the Census of 2021 in England and Wales.
    pub enum Ethnicity {
        /// English, Welsh, Scottish, Northern Irish or British.
        WhiteBritish,
        /// Irish.
        Irish,
        /// Gypsy or Irish Traveller.
        GypsyOrIrishTraveller,
        /// Roma.
        Roma,
        /// Any other White background.
        OtherWhite,
        /// White and Black Caribbean.
        WhiteAndBlackCaribbean,
        /// White and Black African.
        WhiteAndBlackAfrican,
        /// White and Asian.
        WhiteAndAsian,
        /// Any other mixed or multiple background.
        OtherMixed,
        /// Indian.
        Indian,
        /// Pakistani.
        Pakistani,
        /// Bangladeshi.
        Bangladeshi,
        /// Chinese.
        Chinese,
        /// Any other Asian background.
        OtherAsian,
        /// Caribbean.
        Caribbean,
        /// African.
        African,
        /// Any other Black background.
        OtherBlack,
        /// Arab.
        Arab,
        /// Any other ethnic group.
        Other,
        /// Was asked and would rather not say.
        PreferNotToSay,
    }
    /// The sex.
    pub enum Sex {
        /// Female.
        Female,
        /// Male.
        Male,
        /// Was asked and would rather not say.
        PreferNotToSay,
    }
    /// Whether the gender they identify with is the sex registered at birth.
    pub enum GenderSameAsRegistered {
        /// It is.
        Yes,
        /// It isn't.
        No,
        /// Was asked and would rather not say.
        PreferNotToSay,
    }
    /// The sexual orientation.
    pub enum SexualOrientation {
        /// Straight or heterosexual.
        Heterosexual,
        /// Gay or lesbian.
        GayOrLesbian,
        /// Bisexual.
        Bisexual,
        /// Another orientation.
        Other,
        /// Is not sure.
        NotSure,
        /// Was asked and would rather not say.
        PreferNotToSay,
    }
    /// The religion, as the Census of 2021 asks for it.
    pub enum Religion {
        /// No religion.
        NoReligion,
        /// Christian, of any denomination.
        Christian,
        /// Buddhist.
        Buddhist,
        /// Hindu.
        Hindu,
        /// Jewish.
        Jewish,
        /// Muslim.
        Muslim,
        /// Sikh.
        Sikh,
        /// Any other religion.
        Other,
        /// Was asked and would rather not say.
        PreferNotToSay,
    }
    /// Whether they have a physical or mental health condition or illness that lasts twelve months or more.
    pub enum LongLastingCondition {
        /// They have.
        Yes,
        /// They haven't.
        No,
        /// Was asked and would rather not say.
        PreferNotToSay,
    }
    /// How much the condition reduces what they can do in a day.
    pub enum ActivitiesReduced {
        /// A lot.
        ALot,
        /// A little.
        ALittle,
        /// Not at all.
        NotAtAll,
        /// Was asked and would rather not say.
        PreferNotToSay,
    }
    /// How many hours a week they care for somebody without pay.
    pub enum UnpaidCarer {
        /// They don't.
        None,
        /// Up to 19.
        #[serde(rename = "under_20")]
        #[strum(serialize = "under_20")]
        Under20,
        /// 20 to 49.
        #[serde(rename = "20_to_49")]
        #[strum(serialize = "20_to_49")]
        From20To49,
        /// 50 or more.
        #[serde(rename = "50_or_more")]
        #[strum(serialize = "50_or_more")]
        From50,
        /// Was asked and would rather not say.
        PreferNotToSay,
    }
}

/// A member's answers as they are written. Every question can be left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "reduced_by_a_condition"))]
pub struct EqualityAnswersChange {
    /// The ethnic group.
    pub ethnicity: Option<Ethnicity>,
    /// The sex.
    pub sex: Option<Sex>,
    /// Whether the gender they identify with is the sex registered at birth.
    pub gender_same_as_registered: Option<GenderSameAsRegistered>,
    /// The sexual orientation.
    pub sexual_orientation: Option<SexualOrientation>,
    /// The religion.
    pub religion: Option<Religion>,
    /// Whether they have a condition that lasts twelve months or more.
    pub long_lasting_condition: Option<LongLastingCondition>,
    /// How much the condition reduces what they can do. Sent together with `long_lasting_condition: yes`. Another answer
    /// there clears it.
    pub activities_reduced: Option<ActivitiesReduced>,
    /// How many hours a week they care for somebody without pay.
    pub unpaid_carer: Option<UnpaidCarer>,
    /// The main language: its two letters in ISO 639-1, or `prefer_not_to_say`.
    #[schema(min_length = 2, max_length = 17, format = "language", example = "pl")]
    pub main_language: Option<String>,
}

/// A change of a member's answers.
pub type EqualityAnswersPatch = MergePatch<EqualityAnswersChange>;

fn reduced_by_a_condition(written: &EqualityAnswersChange) -> Result<(), ValidationError> {
    if rules::fit_together(written) {
        return Ok(());
    }
    let detail = "Is asked only of those who have a long-lasting condition. Send it with long_lasting_condition: yes.";
    Err(at(rule("not_allowed", detail), "/activities_reduced"))
}

/// A member's answers for equality monitoring. An advisor sees null in each of them, and only which are `answered`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EqualityAnswers {
    /// The member.
    pub member_id: Id,
    /// The answers. For an advisor each is null.
    #[serde(flatten)]
    pub answers: EqualityAnswersChange,
    /// The NHS's code of the ethnic group: `A` to `S`, `Z` for whoever would rather not say, and `99` if nobody has
    /// asked. Null for an advisor.
    #[schema(example = "A")]
    pub nhs_code: Option<String>,
    /// The questions that are answered, also those that the member would rather not answer. For an advisor without
    /// `activities_reduced`, which is asked only of those who have a condition.
    #[schema(example = json!(["ethnicity", "sex"]))]
    pub answered: Vec<String>,
    /// The day of the last answer. Null if there is none.
    #[schema(example = "2026-11-23")]
    pub asked_on: Option<NaiveDate>,
    /// 0 until they are first written; then rises with each change.
    #[schema(example = 1)]
    pub version: i32,
    /// When they were first written. Null before.
    pub created_at: Option<Timestamp>,
    /// When they were last changed. Null before.
    pub updated_at: Option<Timestamp>,
}
