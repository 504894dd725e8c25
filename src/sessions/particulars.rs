//! What people want to know before they come: the price, for whom it is, what to bring, whom to ask, and a picture.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError, ValidationErrors};

use crate::http::rule::{all, at, is_phone, rule};

/// What people want to know before they come. Series and sessions state it alike. It is stored as one JSON value with
/// [what a session says](super::wordings::Wording), so that sessions that say the same store it once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Particulars {
    /// A picture for its card.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// What it costs each time, in pence. 0 or absent: it is free.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1000000, example = 250)]
    pub price_pence: Option<i32>,
    /// What else there is to say about the price.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 200, format = "one-line", example = "Carers come free.")]
    pub price_note: Option<String>,
    /// The youngest age in years. Absent: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 120, example = 16)]
    pub min_age: Option<i32>,
    /// The oldest age in years. Absent: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 120, example = 25)]
    pub max_age: Option<i32>,
    /// What to bring or to wear.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 1000, example = "Comfortable shoes. Tea is there.")]
    pub what_to_bring: Option<String>,
    /// The languages that are spoken or signed, as tags of BCP 47. Absent: English.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20, value_type = Vec<LanguageTag>, example = json!(["en", "bfi"]))]
    pub languages: Vec<String>,
    /// Whom everybody may ask about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_contact: Option<PublicContact>,
}

/// A language as a tag of BCP 47.
#[derive(Debug, ToSchema)]
#[schema(max_length = 35, format = "language-tag", example = "en")]
pub struct LanguageTag(pub String);

/// A picture on the web.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// Its address. It begins with `https://`.
    #[schema(max_length = 500, format = "https-uri", example = "https://images.example.org/reading.jpg")]
    pub url: String,
    /// What it shows, for people who don't see it.
    #[schema(
        min_length = 1,
        max_length = 300,
        format = "one-line",
        example = "Six people around a table with open books."
    )]
    pub alt: String,
}

/// Whom everybody may ask. At least one of both ways must be stated.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublicContact {
    /// The e-mail address.
    #[schema(format = "email", max_length = 254, example = "walton@example.org")]
    pub email: Option<String>,
    /// The telephone number.
    #[schema(min_length = 7, max_length = 40, format = "phone", example = "0151 496 0000")]
    pub phone: Option<String>,
}

impl Particulars {
    /// How many bytes its texts have. The database computes the same of a series (`text_bytes`).
    pub fn bytes(&self) -> usize {
        let image = self.image.iter().flat_map(|image| [&image.url, &image.alt]);
        let contact = self.public_contact.iter().flat_map(|contact| contact.email.iter().chain(&contact.phone));
        let texts: usize =
            self.price_note.iter().chain(&self.what_to_bring).chain(image).chain(contact).map(String::len).sum();
        // As compact JSON: two quotes and a comma for each, and the brackets.
        let languages: usize = self.languages.iter().map(|tag| tag.len() + 3).sum();
        texts + if languages > 0 { languages + 1 } else { 0 }
    }

    /// All that it says, as one text by which two are told apart. `None` if it says nothing.
    pub(super) fn as_text(&self) -> Option<String> {
        (*self != Self::default()).then(|| serde_json::to_string(self).unwrap_or_default())
    }

    /// The youngest must not be older than the oldest.
    fn ages_are_in_order(&self) -> Result<(), ValidationError> {
        let wrong = self.min_age.zip(self.max_age).is_some_and(|(least, most)| least > most);
        let fault = || at(rule("not_in_order", "Must be at least min_age."), "/max_age");
        if wrong { Err(fault()) } else { Ok(()) }
    }

    fn contact_has_a_way(&self) -> Result<(), ValidationError> {
        let is_empty = self.public_contact.as_ref().is_some_and(|contact| *contact == PublicContact::default());
        let fault = || at(rule("required", "Must have an email or a phone."), "/public_contact");
        if is_empty { Err(fault()) } else { Ok(()) }
    }

    fn phone_is_one(&self) -> Result<(), ValidationError> {
        let phone = self.public_contact.as_ref().and_then(|contact| contact.phone.as_deref());
        phone.map_or(Ok(()), is_phone).map_err(|fault| at(fault, "/public_contact/phone"))
    }

    /// Every rule that is broken.
    pub(super) fn rules(&self) -> [Result<(), ValidationError>; 3] {
        [self.ages_are_in_order(), self.contact_has_a_way(), self.phone_is_one()]
    }
}

impl Validate for Particulars {
    fn validate(&self) -> Result<(), ValidationErrors> {
        all(self.rules())
    }
}

/// What people want to know before they come, as it is shown.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ParticularsView {
    /// A picture for its card.
    pub image: Option<Image>,
    /// What it costs each time, in pence. 0 or null: it is free.
    #[schema(example = 250)]
    pub price_pence: Option<i32>,
    /// Whether it costs nothing: `price_pence` is 0 or null. What the service offers is free unless it states a price.
    #[schema(example = false)]
    pub is_free: bool,
    /// What else there is to say about the price.
    #[schema(example = "Carers come free.")]
    pub price_note: Option<String>,
    /// The youngest age in years. Null: no limit.
    #[schema(example = 16)]
    pub min_age: Option<i32>,
    /// The oldest age in years. Null: no limit.
    pub max_age: Option<i32>,
    /// What to bring or to wear.
    #[schema(example = "Comfortable shoes. Tea is there.")]
    pub what_to_bring: Option<String>,
    /// The languages that are spoken or signed, as tags of BCP 47. Empty: English.
    #[schema(example = json!(["en", "bfi"]))]
    pub languages: Vec<String>,
    /// Whom everybody may ask about it.
    pub public_contact: Option<PublicContact>,
}

impl From<Particulars> for ParticularsView {
    fn from(stated: Particulars) -> Self {
        Self {
            is_free: stated.price_pence.unwrap_or_default() == 0,
            image: stated.image,
            price_pence: stated.price_pence,
            price_note: stated.price_note,
            min_age: stated.min_age,
            max_age: stated.max_age,
            what_to_bring: stated.what_to_bring,
            languages: stated.languages,
            public_contact: stated.public_contact,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_nothing_takes_no_bytes_and_has_no_text() {
        let empty = Particulars::default();
        assert_eq!((empty.bytes(), empty.as_text()), (0, None));
        assert_eq!(serde_json::to_string(&empty).unwrap(), "{}");
        let some = Particulars { languages: vec!["en".to_owned(), "bfi".to_owned()], ..empty };
        assert_eq!(some.bytes(), r#"["en","bfi"]"#.len());
    }
}
