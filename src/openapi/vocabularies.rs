//! The vocabularies of the document: its named enums.

use serde_json::Value;

use crate::service::vocabularies::{Term, Vocabularies, Vocabulary};

/// Words that are written in capitals in a label.
const INITIALS: [&str; 6] = ["gp", "id", "nhs", "sms", "bsl", "csv"];

/// The vocabularies of a completed document, by name.
pub(super) fn of(document: &Value) -> Vocabularies {
    let schemas = document["components"]["schemas"].as_object().into_iter().flatten();
    let mut items: Vec<Vocabulary> = schemas.filter_map(|(name, schema)| vocabulary(name, schema)).collect();
    items.sort_by(|one, other| one.name.cmp(&other.name));
    Vocabularies { items }
}

/// Reads the description that [`crate::text::described`] makes: what the enum is, an empty line, and a line for each
/// value.
fn vocabulary(name: &str, schema: &Value) -> Option<Vocabulary> {
    let values = schema.get("enum")?.as_array()?;
    let said = schema["description"].as_str().unwrap_or_default();
    let (about, lines) = said.split_once("\n\n- `").map_or((said, ""), |(about, _)| (about, &said[about.len() + 2..]));
    let term = |value: &str| Term {
        value: value.to_owned(),
        label: label(value),
        description: lines.lines().find_map(|line| line.strip_prefix(&format!("- `{value}`: "))).map(str::to_owned),
    };
    Some(Vocabulary {
        name: name.to_owned(),
        description: about.split_whitespace().collect::<Vec<_>>().join(" "),
        values: values.iter().filter_map(Value::as_str).map(term).collect(),
    })
}

/// A value as words: `nhs_trust` is "NHS trust".
fn label(value: &str) -> String {
    let word = |word: &str| if INITIALS.contains(&word) { word.to_uppercase() } else { word.to_owned() };
    let words: Vec<String> = value.split('_').map(word).collect();
    let text = words.join(" ");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_the_value_in_words() {
        for (value, words) in [("social_prescribing", "Social prescribing"), ("nhs_trust", "NHS trust"), ("", "")] {
            assert_eq!(label(value), words);
        }
    }
}
