//! What is decided about the answers without a database.

use std::collections::BTreeSet;

use serde_json::Value;

use super::types::{EqualityAnswersChange, EqualityAnswersPatch, Ethnicity, LongLastingCondition};
use crate::error::{Error, Result};

/// Whether nobody is said to be reduced by a condition that they don't have.
pub fn fit_together(answers: &EqualityAnswersChange) -> bool {
    answers.activities_reduced.is_none() || answers.long_lasting_condition == Some(LongLastingCondition::Yes)
}

/// The answers after a patch. How much a condition reduces somebody goes with the condition, so it must be sent
/// together with `yes`, and another answer about the condition clears it.
///
/// A refusal never depends on the stored answers: an advisor, who may not see them, could guess them by it.
///
/// # Errors
/// 422 if the patch breaks a rule.
pub fn patched(before: &EqualityAnswersChange, patch: &EqualityAnswersPatch) -> Result<EqualityAnswersChange> {
    // Judged by itself first, as if nothing were stored.
    let alone = patch.apply(&EqualityAnswersChange::default())?;
    let mut base = before.clone();
    if patch.names_one(CONDITION) && alone.long_lasting_condition != Some(LongLastingCondition::Yes) {
        base.activities_reduced = None;
    }
    patch.apply(&base)
}

/// Who looks at the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// The member, who sees them.
    Member,
    /// An advisor, who sees only which questions are answered.
    Advisor,
}

/// The question that is asked only of those who have answered [`CONDITION`] with yes. So whoever learns that it is
/// answered knows that answer.
const REDUCED: &str = "activities_reduced";
/// The question whether the member has a long-lasting condition.
const CONDITION: &str = "long_lasting_condition";

/// The names of the questions that are answered, as far as they tell this reader no answer.
///
/// # Errors
/// 500 if the answers can't be written as JSON.
pub fn answered(answers: &EqualityAnswersChange, reader: Reader) -> Result<Vec<String>> {
    let Value::Object(members) = serde_json::to_value(answers).map_err(Error::internal)? else { return Ok(Vec::new()) };
    let names = members.into_iter().filter(|(_, answer)| !answer.is_null()).map(|(name, _)| name);
    Ok(names.filter(|name| reader == Reader::Member || name != REDUCED).collect())
}

/// The names of changed questions as the audit records them. An advisor can read them there, so a name that tells an
/// answer isn't among them.
pub fn recorded(names: Vec<&str>) -> BTreeSet<&str> {
    names.into_iter().map(|name| if name == REDUCED { CONDITION } else { name }).collect()
}

/// The NHS's code of an ethnic group: the 16 groups of the Census of 2001, `Z` for not stated, `99` for not known.
///
/// Source: NHS Data Dictionary, "ETHNIC CATEGORY". Groups that are newer are in the group that held them before: Roma,
/// and Gypsies and Irish Travellers, in "any other White background"; Arabs in "any other ethnic group".
pub fn nhs_code(ethnicity: Option<Ethnicity>) -> &'static str {
    match ethnicity {
        None => "99",
        Some(Ethnicity::WhiteBritish) => "A",
        Some(Ethnicity::Irish) => "B",
        Some(Ethnicity::OtherWhite | Ethnicity::Roma | Ethnicity::GypsyOrIrishTraveller) => "C",
        Some(Ethnicity::WhiteAndBlackCaribbean) => "D",
        Some(Ethnicity::WhiteAndBlackAfrican) => "E",
        Some(Ethnicity::WhiteAndAsian) => "F",
        Some(Ethnicity::OtherMixed) => "G",
        Some(Ethnicity::Indian) => "H",
        Some(Ethnicity::Pakistani) => "J",
        Some(Ethnicity::Bangladeshi) => "K",
        Some(Ethnicity::OtherAsian) => "L",
        Some(Ethnicity::Caribbean) => "M",
        Some(Ethnicity::African) => "N",
        Some(Ethnicity::OtherBlack) => "P",
        Some(Ethnicity::Chinese) => "R",
        Some(Ethnicity::Other | Ethnicity::Arab) => "S",
        Some(Ethnicity::PreferNotToSay) => "Z",
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator;

    use super::*;

    fn patch(text: &str) -> EqualityAnswersPatch {
        EqualityAnswersPatch::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_nineteen_groups_of_the_census_become_the_sixteen_codes_of_the_nhs() {
        let groups: Vec<Ethnicity> = Ethnicity::iter().filter(|group| *group != Ethnicity::PreferNotToSay).collect();
        assert_eq!(groups.len(), 19);
        let codes: BTreeSet<&str> = groups.into_iter().map(|group| nhs_code(Some(group))).collect();
        assert_eq!(codes.into_iter().collect::<String>(), "ABCDEFGHJKLMNPRS");
        assert_eq!((nhs_code(Some(Ethnicity::PreferNotToSay)), nhs_code(None)), ("Z", "99"));
    }

    #[test]
    fn whether_a_patch_is_refused_never_depends_on_what_is_stored() {
        let empty = EqualityAnswersChange::default();
        let yes =
            patched(&empty, &patch(r#"{"long_lasting_condition": "yes", "activities_reduced": "a_lot"}"#)).unwrap();
        let no = patched(&empty, &patch(r#"{"long_lasting_condition": "no"}"#)).unwrap();
        for (text, good) in [
            (r#"{"activities_reduced": "a_lot"}"#, false),
            (r#"{"activities_reduced": null}"#, true),
            (r#"{"activities_reduced": "a_lot", "long_lasting_condition": "no"}"#, false),
            (r#"{"activities_reduced": "a_lot", "long_lasting_condition": null}"#, false),
            (r#"{"activities_reduced": "a_lot", "long_lasting_condition": "yes"}"#, true),
            (r#"{"long_lasting_condition": "yes"}"#, true),
            (r#"{"long_lasting_condition": "no"}"#, true),
            (r#"{"sex": "female"}"#, true),
        ] {
            for before in [&empty, &yes, &no] {
                assert_eq!(patched(before, &patch(text)).is_ok(), good, "{text} {before:?}");
            }
        }
        let kept = patched(&yes, &patch(r#"{"long_lasting_condition": "yes"}"#)).unwrap();
        assert_eq!(kept, yes);
        let cleared = patched(&yes, &patch(r#"{"long_lasting_condition": "no"}"#)).unwrap();
        assert_eq!(cleared, no);
        let bare = patched(&yes, &patch(r#"{"activities_reduced": null}"#)).unwrap();
        assert_eq!((bare.long_lasting_condition, bare.activities_reduced), (Some(LongLastingCondition::Yes), None));
    }
}
